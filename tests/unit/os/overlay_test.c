/* The overlay: what is written stays in memory, and below nothing changes. */
#include "os/overlay.h"

#include <stdio.h>
#include <string.h>

#include "os/sim_disk.h"
#include "support/test.h"

struct fixture {
    struct sim_disk *disk;
    struct os_env *below;
    struct os_env *env;
};

static void write_file(struct os_env *env, const char *path, const char *text)
{
    struct os_file *file = NULL;
    CHECK_OK(os_file_open(env, path, OS_OPEN_CREATE, &file, NULL));
    CHECK_OK(os_file_write(file, 0, text, strlen(text), NULL));
    CHECK_OK(os_file_sync(file, NULL));
    os_file_close(file);
}

/* "-": there is no such file. */
static const char *read_file(struct os_env *env, const char *path)
{
    static char text[64];
    struct os_file *file = NULL;
    size_t size = 0;
    if (os_file_open(env, path, OS_OPEN_READ, &file, NULL) != YORE_OK) {
        return "-";
    }
    CHECK_OK(os_file_read(file, 0, text, sizeof text - 1, &size, NULL));
    text[size] = '\0';
    os_file_close(file);
    return text;
}

static void begin(struct fixture *f)
{
    f->disk = sim_disk_new(1);
    f->below = sim_disk_env(f->disk);
    CHECK_OK(os_dir_make(f->below, "d", NULL));
    write_file(f->below, "d/old", "old");
    write_file(f->below, "d/other", "other");
    f->env = os_overlay_new(f->below);
    CHECK(f->env != NULL);
    sim_disk_reset_count(f->disk);
}

static void end(struct fixture *f)
{
    os_overlay_free(f->env);
    CHECK_EQ_UINT(sim_disk_op_count(f->disk), 0);
    CHECK_EQ_STR(read_file(f->below, "d/old"), "old");
    CHECK_EQ_STR(read_file(f->below, "d/other"), "other");
    sim_disk_free(f->disk);
}

struct names {
    char text[128];
};

static int note_name(void *arg, const char *name)
{
    struct names *names = arg;
    size_t used = strlen(names->text);
    snprintf(names->text + used, sizeof names->text - used, "%s ", name);
    return 0;
}

static const char *list(struct os_env *env)
{
    static struct names names;
    names.text[0] = '\0';
    CHECK_OK(os_dir_list(env, "d", note_name, &names, NULL));
    return names.text;
}

TEST(what_is_below_is_read_and_what_is_written_is_found_first)
{
    struct fixture f;
    begin(&f);
    CHECK_EQ_STR(read_file(f.env, "d/old"), "old");
    write_file(f.env, "d/new", "new");
    CHECK_EQ_STR(read_file(f.env, "d/new"), "new");
    CHECK_EQ_STR(read_file(f.below, "d/new"), "-");
    const char *listed = list(f.env); /* in no order */
    CHECK_EQ_UINT(strlen(listed), strlen("new old other "));
    CHECK(strstr(listed, "new ") != NULL && strstr(listed, "old ") != NULL &&
          strstr(listed, "other ") != NULL);
    struct os_file *file = NULL;
    CHECK_STATUS(os_file_open(f.env, "d/new", OS_OPEN_CREATE, &file, NULL), YORE_EXISTS);
    CHECK_STATUS(os_file_open(f.env, "d/old", OS_OPEN_CREATE, &file, NULL), YORE_EXISTS);
    CHECK_STATUS(os_file_open(f.env, "d/none", OS_OPEN_READ, &file, NULL), YORE_NOT_FOUND);
    CHECK_STATUS(os_file_open(f.env, "d/none", OS_OPEN_WRITE, &file, NULL), YORE_READ_ONLY);
    CHECK_EQ_UINT(os_overlay_bytes(f.env), 3);
    end(&f);
}

TEST(what_was_unlinked_or_replaced_is_hidden)
{
    struct fixture f;
    uint64_t size = 0;
    bool is_dir = false;
    begin(&f);
    CHECK_OK(os_path_unlink(f.env, "d/old", NULL));
    CHECK_EQ_STR(read_file(f.env, "d/old"), "-");
    CHECK_STATUS(os_path_stat(f.env, "d/old", &size, &is_dir, NULL), YORE_NOT_FOUND);
    CHECK_STATUS(os_path_unlink(f.env, "d/old", NULL), YORE_NOT_FOUND);
    CHECK_STATUS(os_path_unlink(f.env, "d/none", NULL), YORE_NOT_FOUND);
    CHECK_EQ_STR(list(f.env), "other ");
    write_file(f.env, "d/old", "again");
    CHECK_EQ_STR(read_file(f.env, "d/old"), "again");
    write_file(f.env, "d/tmp", "instead");
    CHECK_OK(os_path_rename(f.env, "d/tmp", "d/other", NULL));
    CHECK_EQ_STR(read_file(f.env, "d/other"), "instead");
    CHECK_EQ_STR(read_file(f.env, "d/tmp"), "-");
    CHECK_OK(os_path_rename(f.env, "d/other", "d/other", NULL));
    CHECK_OK(os_path_stat(f.env, "d/other", &size, &is_dir, NULL));
    CHECK_EQ_UINT(size, 7);
    CHECK(!is_dir);
    CHECK_OK(os_path_stat(f.env, "d", &size, &is_dir, NULL));
    CHECK(is_dir);
    end(&f);
}

TEST(what_would_change_a_file_below_is_refused)
{
    struct fixture f;
    struct os_file *file = NULL;
    struct os_lock *lock = NULL;
    struct yore_error error;
    begin(&f);
    CHECK_STATUS(os_file_open(f.env, "d/old", OS_OPEN_WRITE, &file, &error), YORE_READ_ONLY);
    CHECK(strstr(error.text, "d/old") != NULL);
    CHECK_STATUS(os_path_rename(f.env, "d/old", "d/x", NULL), YORE_READ_ONLY);
    CHECK_STATUS(os_path_rename(f.env, "d/none", "d/x", NULL), YORE_READ_ONLY);
    CHECK_STATUS(os_path_link(f.env, "d/old", "d/x", NULL), YORE_READ_ONLY);
    CHECK_STATUS(os_path_unlink(f.env, "d", NULL), YORE_READ_ONLY);
    CHECK_STATUS(os_dir_make(f.env, "e", NULL), YORE_READ_ONLY);
    CHECK_STATUS(os_dir_remove(f.env, "d", NULL), YORE_READ_ONLY);
    CHECK_STATUS(os_lock_take(f.env, "d/old", &lock, NULL), YORE_READ_ONLY);
    end(&f);
}

TEST(locks_are_shared_with_readers_and_keep_writers_out)
{
    struct fixture f;
    struct os_lock *mine = NULL;
    struct os_lock *other = NULL;
    begin(&f);
    CHECK_STATUS(os_lock_share(f.env, "d/none", &mine, NULL), YORE_NOT_FOUND);
    CHECK_OK(os_lock_share(f.env, "d/old", &mine, NULL));
    CHECK_OK(os_lock_share(f.below, "d/old", &other, NULL));
    os_lock_release(other);
    CHECK_STATUS(os_lock_take(f.below, "d/old", &other, NULL), YORE_LOCKED);
    os_lock_release(mine);
    CHECK_OK(os_lock_take(f.below, "d/old", &other, NULL));
    CHECK_STATUS(os_lock_share(f.env, "d/old", &mine, NULL), YORE_LOCKED);
    os_lock_release(other);
    end(&f);
}

/* The same random calls on a file of the overlay and on one of the disk give the same octets. */
TEST(a_file_in_memory_behaves_as_one_on_a_disk)
{
    static unsigned char data[3000];
    static unsigned char got[2][8000];
    struct fixture f;
    struct os_file *files[2] = {NULL, NULL};
    struct test_rand rand = test_rand_new(0);
    begin(&f);
    struct sim_disk *disk = sim_disk_new(2);
    CHECK_OK(os_file_open(f.env, "d/x", OS_OPEN_CREATE, &files[0], NULL));
    CHECK_OK(os_file_open(sim_disk_env(disk), "x", OS_OPEN_CREATE, &files[1], NULL));
    for (int round = 0; round < 3000; round++) {
        uint64_t kind = test_rand_below(&rand, 7);
        uint64_t offset = test_rand_below(&rand, 6000);
        size_t size = test_rand_below(&rand, sizeof data);
        uint64_t sizes[2];
        size_t counts[2];
        test_rand_fill(&rand, data, size);
        for (int i = 0; i < 2; i++) {
            enum yore_status st = kind < 4    ? os_file_write(files[i], offset, data, size, NULL)
                                  : kind == 4 ? os_file_truncate(files[i], offset, NULL)
                                  : kind == 5 ? os_file_punch(files[i], offset, size, NULL)
                                              : os_file_sync(files[i], NULL);
            CHECK_OK(st);
            CHECK_OK(os_file_size(files[i], &sizes[i], NULL));
            CHECK_OK(os_file_read(files[i], offset, got[i], sizeof got[i], &counts[i], NULL));
        }
        CHECK_EQ_UINT(sizes[0], sizes[1]);
        CHECK_EQ_BYTES(got[0], counts[0], got[1], counts[1]);
    }
    os_file_close(files[0]);
    os_file_close(files[1]);
    sim_disk_free(disk);
    end(&f);
}

TEST(an_open_file_lives_on_after_it_was_unlinked)
{
    struct fixture f;
    struct os_file *file = NULL;
    char text[8] = "";
    size_t size = 0;
    begin(&f);
    write_file(f.env, "d/x", "text");
    CHECK_OK(os_file_open(f.env, "d/x", OS_OPEN_READ, &file, NULL));
    CHECK_OK(os_path_unlink(f.env, "d/x", NULL));
    CHECK_OK(os_file_read(file, 0, text, sizeof text, &size, NULL));
    CHECK_EQ_UINT(size, 4);
    CHECK_EQ_STR(os_file_path(file), "d/x");
    os_file_close(file);
    CHECK_EQ_UINT(os_overlay_bytes(f.env), 0);
    end(&f);
}

TEST_MAIN(what_is_below_is_read_and_what_is_written_is_found_first,
          what_was_unlinked_or_replaced_is_hidden, what_would_change_a_file_below_is_refused,
          locks_are_shared_with_readers_and_keep_writers_out,
          a_file_in_memory_behaves_as_one_on_a_disk, an_open_file_lives_on_after_it_was_unlinked)
