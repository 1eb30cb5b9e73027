/* mutation_test.c -- every sync is needed: with any one sync call ignored, some crash loses
 * something.
 *
 *     YORE_MUTATION_SITE=file:line   only this call site
 *
 * The call sites are found by running the workloads.  A trial runs in a process of its own, since a
 * database that was promised a sync it never got may do anything.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crash/crash_run.h"
#include "os/env.h"

#define SITES_MAX 128u
#define SITE_BYTES 160u

struct sites {
    char names[SITES_MAX][SITE_BYTES];
    uint64_t counts[SITES_MAX];
    size_t count;
};

static void note_site(void *arg, const char *site, uint64_t count)
{
    struct sites *sites = arg;
    size_t i = 0;
    while (i < sites->count && strcmp(sites->names[i], site) != 0) {
        i++;
    }
    if (i == sites->count && i < SITES_MAX) {
        (void)snprintf(sites->names[i], SITE_BYTES, "%s", site);
        sites->count++;
    }
    if (i < SITES_MAX) {
        sites->counts[i] += count;
    }
}

struct last_journal {
    char path[256];
    uint64_t size;
};

static void note_journal(void *arg, const char *path, uint64_t size)
{
    struct last_journal *last = arg;
    if (strstr(path, "/journal-0") != NULL && strcmp(path, last->path) > 0) {
        (void)snprintf(last->path, sizeof last->path, "%s", path);
        last->size = size;
    }
}

/* Where the octets of a file end and its zeros begin. */
static uint64_t end_of_octets(struct sim_disk *disk, const struct last_journal *last)
{
    struct os_file *file = NULL;
    unsigned char *data = model_alloc((size_t)last->size);
    size_t size = 0;
    if (os_file_open(sim_disk_env(disk), last->path, OS_OPEN_READ, &file, NULL) == YORE_OK &&
        os_file_read(file, 0, data, (size_t)last->size, &size, NULL) == YORE_OK) {
        while (size > 0 && data[size - 1] == 0) {
            size--;
        }
    }
    os_file_close(file);
    free(data);
    return size;
}

/* After a clean close and a power cut the end of the journal is damaged: is that passed over in
 * silence? */
static bool is_end_unguarded(struct crash_run *run)
{
    struct last_journal last = {"", 0};
    struct sim_disk *closed = sim_disk_clone(run->disk, 1);
    bool is_unguarded = false;
    sim_disk_crash(closed, SIM_CRASH_DROP_ALL, 1);
    store_files(closed, STORE_PATH, note_journal, &last);
    uint64_t end = end_of_octets(closed, &last);
    for (uint64_t back = 1; back <= 200 && back <= end && !is_unguarded; back += 4) {
        struct sim_disk *disk = sim_disk_clone(closed, 1);
        (void)sim_disk_flip_bit(disk, last.path, end - back, 3);
        is_unguarded =
            !crash_judge(run, disk, false) && strncmp(run->text, "open after the crash", 20) != 0;
        sim_disk_free(disk);
    }
    sim_disk_free(closed);
    return is_unguarded;
}

/* Run a workload with the sync of one call site ignored, up to operation `op` (0: to the end), and
 * judge. */
static bool is_noticed(const struct crash_workload *workload, const char *site, uint64_t op,
                       unsigned tries)
{
    struct crash_run run;
    crash_run_init(&run, workload);
    sim_disk_ignore_site(run.disk, site);
    sim_disk_reset_count(run.disk);
    sim_disk_crash_at(run.disk, op);
    crash_run_script(&run, workload);
    bool is_right = true;
    for (unsigned i = 0; i < tries && is_right; i++) {
        uint64_t seed = op * 100;
        struct sim_disk *disk = sim_disk_clone(run.disk, seed);
        sim_disk_crash_at(disk, 0);
        sim_disk_crash(disk, i == 0 ? SIM_CRASH_DROP_ALL : SIM_CRASH_RANDOM, seed + i);
        is_right = crash_judge(&run, disk, false);
        sim_disk_free(disk);
    }
    if (is_right && op == 0) {
        is_right = !is_end_unguarded(&run);
    }
    crash_run_release(&run);
    return !is_right;
}

static uint64_t count_operations(const struct crash_workload *workload, struct sites *sites)
{
    struct crash_run run;
    crash_run_init(&run, workload);
    sim_disk_reset_count(run.disk);
    crash_run_script(&run, workload);
    uint64_t count = sim_disk_op_count(run.disk);
    sim_disk_sites(run.disk, note_site, sites);
    crash_run_release(&run);
    return count;
}

/* True when some crash of some workload shows that the sync was missing. */
static bool site_is_needed(const char *site, const uint64_t *operations, uint64_t stride,
                           unsigned tries)
{
    for (size_t i = 0; i < crash_workload_count; i++) {
        for (uint64_t op = 1; op <= operations[i]; op += stride) {
            if (is_noticed(&crash_workloads[i], site, op, tries)) {
                return true;
            }
        }
        if (is_noticed(&crash_workloads[i], site, 0, tries)) {
            return true;
        }
    }
    return false;
}

static bool site_is_needed_apart(const char *site, const uint64_t *operations)
{
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        static const struct {
            uint64_t stride;
            unsigned tries;
        } rounds[3] = {{11, 3}, {2, 3}, {1, 12}};
        for (unsigned i = 0; i < 3; i++) {
            if (site_is_needed(site, operations, rounds[i].stride, rounds[i].tries)) {
                _exit(1);
            }
        }
        _exit(0);
    }
    int status = 0;
    return child > 0 && waitpid(child, &status, 0) == child &&
           !(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* The trial itself must find nothing where nothing is ignored. */
TEST(with_every_sync_nothing_is_noticed)
{
    for (size_t i = 0; i < crash_workload_count; i++) {
        CHECK_MSG(!is_noticed(&crash_workloads[i], NULL, 0, 3), "workload %s",
                  crash_workloads[i].name);
    }
}

TEST(every_sync_is_needed)
{
    static struct sites sites;
    uint64_t operations[64];
    CHECK(crash_workload_count <= 64);
    for (size_t i = 0; i < crash_workload_count; i++) {
        operations[i] = count_operations(&crash_workloads[i], &sites);
    }
    const char *only = getenv("YORE_MUTATION_SITE");
    uint64_t missed = 0;
    for (size_t i = 0; i < sites.count; i++) {
        if (only != NULL && strcmp(only, sites.names[i]) != 0) {
            continue;
        }
        bool is_needed = site_is_needed_apart(sites.names[i], operations);
        printf("  %s (%" PRIu64 " calls): %s\n", sites.names[i], sites.counts[i],
               is_needed ? "needed" : "NOT MISSED");
        missed += !is_needed;
    }
    test_count(sites.count);
    CHECK(sites.count > 0);
    CHECK_MSG(missed == 0, "%" PRIu64 " syncs can be left out without any test noticing", missed);
}

TEST_MAIN(with_every_sync_nothing_is_noticed, every_sync_is_needed)
