/* The same random operations on the host and on the simulated disk give the same answers. */
#include <stdio.h>
#include <string.h>

#include "os/env.h"
#include "os/sim_disk.h"
#include "support/test.h"

#define NAMES 10
#define HANDLES 4
#define IO_BYTES_MAX 20000

/* Two directories, files in and beside them, and paths that lead nowhere. */
static const char *const names[NAMES] = {"a",    "b",    "d1",     "d2",  "d1/a",
                                         "d1/b", "d2/a", "d1/d/x", "a/x", "d2/e"};

enum side { HOST, SIM, SIDES };

struct pair {
    struct os_env *envs[SIDES];
    const char *roots[SIDES];
    struct os_file *files[HANDLES][SIDES];
    struct test_rand rand;
};

static const char *path_of(const struct pair *p, enum side side, const char *name, char path[512])
{
    snprintf(path, 512, "%s/%s", p->roots[side], name);
    return path;
}

static const char *any_name(struct pair *p)
{
    return names[test_rand_below(&p->rand, NAMES)];
}

static void check_same(const enum yore_status st[SIDES], const char *what, const char *name)
{
    CHECK_MSG(st[HOST] == st[SIM], "%s %s: host %s, simulated %s", what, name,
              yore_status_name(st[HOST]), yore_status_name(st[SIM]));
}

static void step_open(struct pair *p)
{
    struct os_file **slot = p->files[test_rand_below(&p->rand, HANDLES)];
    enum os_open_mode mode = (enum os_open_mode)test_rand_below(&p->rand, 3);
    const char *name = any_name(p);
    enum yore_status st[SIDES];
    for (enum side side = HOST; side < SIDES; side++) {
        char path[512];
        os_file_close(slot[side]);
        slot[side] = NULL;
        st[side] =
            os_file_open(p->envs[side], path_of(p, side, name, path), mode, &slot[side], NULL);
    }
    check_same(st, "open", name);
}

/* One call that changes an open file, the same on both sides. */
static void step_change(struct pair *p)
{
    static unsigned char data[IO_BYTES_MAX];
    struct os_file **slot = p->files[test_rand_below(&p->rand, HANDLES)];
    uint64_t kind = test_rand_below(&p->rand, 8);
    uint64_t offset = test_rand_below(&p->rand, 3 * IO_BYTES_MAX);
    uint64_t size = test_rand_below(&p->rand, IO_BYTES_MAX);
    enum yore_status st[SIDES];
    if (slot[HOST] == NULL) {
        return;
    }
    test_rand_fill(&p->rand, data, size);
    for (enum side side = HOST; side < SIDES; side++) {
        switch (kind) {
        case 0:
            st[side] = os_file_truncate(slot[side], offset, NULL);
            break;
        case 1:
            st[side] = os_file_punch(slot[side], offset, size, NULL);
            break;
        case 2:
            st[side] = os_file_sync(slot[side], NULL);
            break;
        default:
            st[side] = os_file_write(slot[side], offset, data, size, NULL);
            break;
        }
    }
    if (size > 0) { /* a write of nothing to a file open for reading is nobody's business */
        check_same(st, "change", os_file_path(slot[SIM]));
    }
}

static void step_read(struct pair *p)
{
    static unsigned char data[SIDES][IO_BYTES_MAX];
    struct os_file **slot = p->files[test_rand_below(&p->rand, HANDLES)];
    uint64_t offset = test_rand_below(&p->rand, 4 * IO_BYTES_MAX);
    size_t size = test_rand_below(&p->rand, IO_BYTES_MAX);
    size_t read[SIDES];
    uint64_t file_size[SIDES];
    if (slot[HOST] == NULL) {
        return;
    }
    for (enum side side = HOST; side < SIDES; side++) {
        CHECK_OK(os_file_read(slot[side], offset, data[side], size, &read[side], NULL));
        CHECK_OK(os_file_size(slot[side], &file_size[side], NULL));
    }
    CHECK_EQ_UINT(file_size[SIM], file_size[HOST]);
    CHECK_EQ_BYTES(data[SIM], read[SIM], data[HOST], read[HOST]);
}

static void step_path(struct pair *p)
{
    const char *name = any_name(p);
    const char *other = any_name(p);
    uint64_t kind = test_rand_below(&p->rand, 8);
    uint64_t size[SIDES] = {0, 0};
    bool is_dir[SIDES] = {false, false};
    enum yore_status st[SIDES];
    for (enum side side = HOST; side < SIDES; side++) {
        char path[512];
        char to[512];
        path_of(p, side, name, path);
        path_of(p, side, other, to);
        switch (kind) {
        case 0:
            st[side] = os_dir_make(p->envs[side], path, NULL);
            break;
        case 1:
            st[side] = os_dir_remove(p->envs[side], path, NULL);
            break;
        case 2:
            st[side] = os_dir_sync(p->envs[side], path, NULL);
            break;
        case 3:
            st[side] = os_path_unlink(p->envs[side], path, NULL);
            break;
        case 4:
            st[side] = os_path_link(p->envs[side], path, to, NULL);
            break;
        case 5:
            st[side] = os_path_stat(p->envs[side], path, &size[side], &is_dir[side], NULL);
            break;
        default:
            st[side] = os_path_rename(p->envs[side], path, to, NULL);
            break;
        }
    }
    test_note("path step %ju %s %s", (uintmax_t)kind, name, other);
    check_same(st, "path", name);
    CHECK_EQ_UINT(size[SIM], size[HOST]);
    CHECK_EQ_INT(is_dir[SIM], is_dir[HOST]);
}

/* Sums up names, so that two listings in any order can be compared. */
static int sum_names(void *arg, const char *name)
{
    uint64_t *sum = arg;
    uint64_t hash = 14695981039346656037u;
    for (; *name != '\0'; name++) {
        hash = (hash ^ (unsigned char)*name) * 1099511628211u;
    }
    *sum += hash;
    return 0;
}

static void step_list(struct pair *p)
{
    const char *name = any_name(p);
    uint64_t sums[SIDES] = {0, 0};
    enum yore_status st[SIDES];
    for (enum side side = HOST; side < SIDES; side++) {
        char path[512];
        st[side] =
            os_dir_list(p->envs[side], path_of(p, side, name, path), sum_names, &sums[side], NULL);
    }
    check_same(st, "list", name);
    CHECK_EQ_UINT(sums[SIM], sums[HOST]);
}

static void run(struct pair *p, int steps)
{
    for (int i = 0; i < steps; i++) {
        switch (test_rand_below(&p->rand, 10)) {
        case 0:
        case 1:
            step_open(p);
            break;
        case 2:
        case 3:
        case 4:
            step_change(p);
            break;
        case 5:
        case 6:
            step_read(p);
            break;
        case 7:
            step_list(p);
            break;
        default:
            step_path(p);
            break;
        }
    }
    for (size_t i = 0; i < HANDLES; i++) {
        os_file_close(p->files[i][HOST]);
        os_file_close(p->files[i][SIM]);
    }
}

TEST(host_and_simulated_disk_agree)
{
    for (uint64_t round = 0; round < test_scale(30, 200); round++) {
        struct sim_disk *disk = sim_disk_new(round);
        char name[32];
        snprintf(name, sizeof(name), "r%ju", (uintmax_t)round);
        struct pair p = {.envs = {os_env_posix(), sim_disk_env(disk)},
                         .roots = {test_path(name), "/r"},
                         .rand = test_rand_new(round)};
        CHECK_OK(os_dir_make(p.envs[HOST], p.roots[HOST], NULL));
        CHECK_OK(os_dir_make(p.envs[SIM], p.roots[SIM], NULL));
        run(&p, (int)test_scale(400, 10000));
        sim_disk_free(disk);
    }
}

TEST_MAIN(host_and_simulated_disk_agree)
