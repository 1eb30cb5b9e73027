/* backup_test.c -- checkpoint, backup, restore, and restore to an earlier commit. */
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "engine/manifest.h"
#include "unit/engine/bed.h"

#define LARGE 1500

static struct os_env *env_of(const struct bed *bed)
{
    return sim_disk_env(bed->disk);
}

static const char *large(char fill)
{
    static char text[LARGE + 1];
    memset(text, fill, LARGE);
    return text;
}

static uint64_t backup(struct bed *bed, struct yore_backup_info *info)
{
    struct yore_error error = {.text = ""};
    enum yore_status st = yore_backup(bed->db, "backup", NULL, NULL, info, &error);
    CHECK_MSG(st == YORE_OK && error.status == YORE_OK, "backup: %s", error.text);
    return info->id;
}

static void restore_to(struct bed *bed, uint64_t id, int64_t to_commit)
{
    struct yore_error error = {.text = ""};
    struct yore_restore restore = {
        .backup_path = "backup", .target_path = "restored", .id = id, .to_commit = to_commit};
    enum yore_status st = db_restore(env_of(bed), &restore, &error);
    CHECK_MSG(st == YORE_OK, "restore: %s", error.text);
}

static struct yore_db *open_at(struct bed *bed, const char *path)
{
    struct yore_db *db;
    struct yore_error error = {.text = ""};
    struct yore_options options;
    yore_options_init(&options);
    options.must_exist = true;
    options.value_apart_bytes = 256;
    enum yore_status st = db_open_inline(env_of(bed), path, &options, &db, &error);
    CHECK_MSG(st == YORE_OK && error.status == YORE_OK, "open of %s: %s", path, error.text);
    struct yore_verify_report report;
    st = yore_verify(db, NULL, NULL, &report, &error);
    CHECK_MSG(st == YORE_OK, "verify of %s: %s", path, error.text);
    return db;
}

static void remove_name(struct os_env *env, const char *dir, const char *name)
{
    char path[PATH_BYTES];
    CHECK(dir_join(path, dir, name));
    CHECK_OK(os_path_unlink(env, path, NULL));
}

struct names {
    char names[256][64];
    size_t count;
};

static int note_name(void *arg, const char *name)
{
    struct names *names = arg;
    CHECK(names->count < 256 && strlen(name) < 64);
    (void)snprintf(names->names[names->count++], 64, "%s", name);
    return 0;
}

static struct names list(struct bed *bed, const char *dir)
{
    struct names names = {.count = 0};
    CHECK_OK(os_dir_list(env_of(bed), dir, note_name, &names, NULL));
    return names;
}

static bool exists(struct bed *bed, const char *path)
{
    uint64_t size;
    bool is_dir;
    return os_path_stat(env_of(bed), path, &size, &is_dir, NULL) == YORE_OK;
}

static void remove_dir(struct bed *bed, const char *dir)
{
    struct names names = list(bed, dir);
    for (size_t i = 0; i < names.count; i++) {
        remove_name(env_of(bed), dir, names.names[i]);
    }
    CHECK_OK(os_dir_remove(env_of(bed), dir, NULL));
}

/* Does any file of the directory hold these octets? */
static bool holds_bytes(struct bed *bed, const char *dir, const char *needle)
{
    static char data[1u << 20];
    struct names names = list(bed, dir);
    for (size_t i = 0; i < names.count; i++) {
        char path[PATH_BYTES];
        struct os_file *file;
        size_t read;
        CHECK(dir_join(path, dir, names.names[i]));
        if (strstr(names.names[i], "LOCK") != NULL) {
            continue;
        }
        CHECK_OK(os_file_open(env_of(bed), path, OS_OPEN_READ, &file, NULL));
        CHECK_OK(os_file_read(file, 0, data, sizeof data, &read, NULL));
        os_file_close(file);
        for (size_t at = 0; at + strlen(needle) <= read; at++) {
            if (memcmp(data + at, needle, strlen(needle)) == 0) {
                return true;
            }
        }
    }
    return false;
}

/* Some history, some large values. */
static int64_t write_some(struct bed *bed, int round)
{
    char key[32];
    char value[64];
    int64_t commit = 0;
    for (int i = 0; i < 60; i++) {
        (void)snprintf(key, sizeof key, "key/%02d", i % 20);
        (void)snprintf(value, sizeof value, "value %d of round %d", i, round);
        commit = put(bed->db, key, value);
    }
    (void)put(bed->db, "large", large((char)('a' + round)));
    commit = put_at(bed->db, "late", "a late fact", AT(round), YORE_FOREVER);
    return commit;
}

/* ---- checkpoint ---- */

TEST(a_checkpoint_opens_and_holds_everything)
{
    for (int age = 0; age < BED_AGES; age++) {
        struct bed bed;
        bed_open(&bed);
        (void)write_some(&bed, 0);
        int64_t before = put(bed.db, "key/00", "before");
        (void)put(bed.db, "key/00", "after");
        bed_age(&bed, age);
        struct yore_error error = {.text = ""};
        enum yore_status st = yore_checkpoint(bed.db, "copy", &error);
        CHECK_MSG(st == YORE_OK, "%s", error.text);
        (void)put(bed.db, "key/00", "later");
        (void)put(bed.db, "large", large('z'));
        CHECK_OK(yore_compact(bed.db, NULL, NULL));
        struct yore_db *copy = open_at(&bed, "copy");
        CHECK_EQ_STR(get(copy, "key/00"), "after");
        CHECK_EQ_STR(get_at(copy, "key/00", before, YORE_NOW), "before");
        CHECK_EQ_STR(get(copy, "large"), large('a'));
        CHECK_EQ_STR(get_at(copy, "late", AT(0), YORE_NOW), "a late fact");
        (void)put(copy, "key/00", "another line");
        CHECK_OK(yore_close(copy, NULL));
        CHECK_EQ_STR(get(bed.db, "key/00"), "later");
        CHECK(!exists(&bed, "copy.new"));
        bed_close(&bed);
    }
}

/* Commits after `after` that a feed tells. */
static size_t count_told(struct yore_db *db, int64_t after)
{
    struct yore_feed *feed;
    struct yore_feed_commit told;
    size_t count = 0;
    enum yore_status st;
    CHECK_OK(yore_feed_open(db, after, &feed, NULL));
    while ((st = yore_feed_next(feed, &told, NULL)) == YORE_OK) {
        count += !told.has_more;
    }
    CHECK_STATUS(st, YORE_NOT_FOUND);
    yore_feed_close(feed);
    return count;
}

/* The journal of a copy begins after the commits that are in its tables. */
TEST(the_feed_of_a_copy_tells_what_was_committed_before_it)
{
    struct bed bed;
    bed_open(&bed);
    int64_t first = put(bed.db, "one", "1");
    int64_t second = put(bed.db, "two", "2");
    size_t whole = count_told(bed.db, YORE_TIME_MIN);
    CHECK_OK(yore_checkpoint(bed.db, "copy", NULL));
    CHECK_OK(yore_backup(bed.db, "backups", NULL, NULL, NULL, NULL));
    (void)put(bed.db, "three", "3");
    CHECK_OK(yore_backup(bed.db, "backups", NULL, NULL, NULL, NULL));
    const char *paths[] = {"copy", "restored", "rewound"};
    const int64_t ends[] = {0, YORE_FOREVER, second};
    for (size_t i = 0; i < 3; i++) {
        struct yore_restore restore = {
            .backup_path = "backups", .target_path = paths[i], .to_commit = ends[i]};
        if (i > 0) {
            CHECK_OK(db_restore(env_of(&bed), &restore, NULL));
        }
        size_t more = i == 1;
        for (int again = 0; again < 2; again++) {
            struct yore_db *copy = open_at(&bed, paths[i]);
            CHECK_EQ_UINT(count_told(copy, YORE_TIME_MIN), whole + more);
            CHECK_EQ_UINT(count_told(copy, first), 1 + more);
            CHECK_EQ_UINT(count_told(copy, second), more);
            (void)put(copy, "four", "4");
            more++;
            CHECK_EQ_UINT(count_told(copy, first), 1 + more);
            CHECK_OK(yore_close(copy, NULL));
        }
    }
    bed_close(&bed);
}

TEST(a_checkpoint_is_never_written_over_something)
{
    struct bed bed;
    bed_open(&bed);
    CHECK_OK(os_dir_make(env_of(&bed), "copy", NULL));
    CHECK_STATUS(yore_checkpoint(bed.db, "copy", NULL), YORE_EXISTS);
    CHECK_STATUS(yore_checkpoint(bed.db, "db", NULL), YORE_EXISTS);
    bed_close(&bed);
}

/* What is made is made at `<path>.new` first; what lies there may be somebody's. */
TEST(a_checkpoint_takes_no_directory_but_its_own)
{
    struct bed bed;
    bed_open(&bed);
    CHECK_OK(yore_checkpoint(bed.db, "copy.new", NULL));
    struct yore_db *other = open_at(&bed, "copy.new");
    (void)put(other, "key", "another database");
    CHECK_STATUS(yore_checkpoint(bed.db, "copy", NULL), YORE_EXISTS);
    CHECK_OK(yore_close(other, NULL));
    CHECK_STATUS(yore_checkpoint(bed.db, "copy", NULL), YORE_EXISTS);
    other = open_at(&bed, "copy.new");
    CHECK_EQ_STR(get(other, "key"), "another database");
    CHECK_OK(yore_close(other, NULL));
    remove_dir(&bed, "copy.new");
    CHECK_OK(os_dir_make(env_of(&bed), "copy.new", NULL));
    CHECK_OK(yore_checkpoint(bed.db, "copy", NULL));
    bed_close(&bed);
}

TEST(an_attempt_that_was_killed_is_in_nobodys_way)
{
    bool is_over = false;
    for (uint64_t op = 1; !is_over; op++) {
        struct bed bed;
        bed_open(&bed);
        (void)write_some(&bed, 0);
        CHECK_OK(yore_flush(bed.db, NULL));
        sim_disk_reset_count(bed.disk);
        sim_disk_crash_at(bed.disk, op);
        is_over = yore_checkpoint(bed.db, "copy", NULL) == YORE_OK;
        (void)!yore_close(bed.db, NULL);
        sim_disk_crash(bed.disk, SIM_CRASH_KEEP_ALL, op);
        bed.db = open_at(&bed, "db");
        if (exists(&bed, "copy")) {
            remove_dir(&bed, "copy");
        }
        /* Between the marker's end and the new name it looks like any database. */
        enum yore_status st = yore_checkpoint(bed.db, "copy", NULL);
        CHECK(st == YORE_OK || (st == YORE_EXISTS && exists(&bed, "copy.new") &&
                                !exists(&bed, "copy.new/UNFINISHED")));
        bed_close(&bed);
    }
}

TEST(a_failed_checkpoint_leaves_nothing)
{
    for (uint64_t nth = 1; nth < 40; nth++) {
        struct bed bed;
        bed_open(&bed);
        (void)write_some(&bed, 0);
        CHECK_OK(yore_flush(bed.db, NULL));
        sim_disk_fail(bed.disk, SIM_FAULT_OTHER, nth, false);
        enum yore_status st = yore_checkpoint(bed.db, "copy", NULL);
        sim_disk_fail(bed.disk, SIM_FAULT_OTHER, 0, false);
        CHECK(!exists(&bed, "copy.new"));
        if (st == YORE_OK) {
            CHECK_OK(yore_close(open_at(&bed, "copy"), NULL));
        }
        (void)yore_close(bed.db, NULL);
        sim_disk_free(bed.disk);
    }
}

/* ---- backup ---- */

TEST(the_second_backup_copies_only_what_is_new)
{
    struct bed bed;
    struct yore_backup_info first;
    struct yore_backup_info second;
    struct yore_backup_info third;
    bed_open(&bed);
    (void)write_some(&bed, 0);
    CHECK_OK(yore_compact(bed.db, NULL, NULL));
    CHECK_EQ_UINT(backup(&bed, &first), 1);
    CHECK_EQ_UINT(first.bytes, first.new_bytes);
    int64_t commit = put(bed.db, "key/00", "more");
    CHECK_EQ_UINT(backup(&bed, &second), 2);
    CHECK(second.new_bytes > 0 && second.new_bytes < second.bytes);
    CHECK_EQ_INT(second.commit, commit);
    CHECK_EQ_UINT(backup(&bed, &third), 3);
    CHECK_EQ_UINT(third.new_bytes, 0);
    bed_close(&bed);
}

static int sum_up(void *arg, const struct yore_backup_info *info)
{
    uint64_t *count = arg;
    CHECK_EQ_UINT(info->id, ++*count);
    return 0;
}

TEST(backups_are_listed_by_id)
{
    struct bed bed;
    struct yore_backup_info info;
    uint64_t count = 0;
    bed_open(&bed);
    CHECK_STATUS(db_backup_list(env_of(&bed), "backup", sum_up, &count, NULL), YORE_NOT_FOUND);
    for (int i = 0; i < 3; i++) {
        (void)put(bed.db, "key", "value");
        (void)backup(&bed, &info);
    }
    CHECK_OK(db_backup_list(env_of(&bed), "backup", sum_up, &count, NULL));
    CHECK_EQ_UINT(count, 3);
    bed_close(&bed);
}

TEST(every_backup_is_restored_as_it_was)
{
    struct bed bed;
    struct yore_backup_info info;
    char value[64];
    bed_open(&bed);
    for (int i = 0; i < 4; i++) {
        (void)write_some(&bed, i);
        (void)snprintf(value, sizeof value, "state %d", i);
        (void)put(bed.db, "state", value);
        (void)backup(&bed, &info);
        CHECK_OK(yore_compact(bed.db, NULL, NULL));
    }
    for (int i = 3; i >= 0; i--) {
        restore_to(&bed, (uint64_t)i + 1, YORE_FOREVER);
        struct yore_db *db = open_at(&bed, "restored");
        (void)snprintf(value, sizeof value, "state %d", i);
        CHECK_EQ_STR(get(db, "state"), value);
        CHECK_EQ_STR(get(db, "large"), large((char)('a' + i)));
        CHECK_OK(yore_close(db, NULL));
        remove_dir(&bed, "restored");
    }
    restore_to(&bed, 0, YORE_FOREVER);
    struct yore_db *db = open_at(&bed, "restored");
    CHECK_EQ_STR(get(db, "state"), "state 3");
    CHECK_OK(yore_close(db, NULL));
    bed_close(&bed);
}

TEST(a_restored_database_goes_on_and_is_backed_up_beside_the_old_line)
{
    struct bed bed;
    struct yore_backup_info info;
    bed_open(&bed);
    (void)write_some(&bed, 0);
    (void)backup(&bed, &info);
    (void)write_some(&bed, 1);
    (void)put(bed.db, "state", "first line");
    (void)backup(&bed, &info);
    restore_to(&bed, 1, YORE_FOREVER);
    struct yore_db *db = open_at(&bed, "restored");
    (void)put(db, "state", "second line");
    CHECK_OK(yore_compact(db, NULL, NULL));
    struct yore_error error = {.text = ""};
    enum yore_status st = yore_backup(db, "backup", NULL, NULL, &info, &error);
    CHECK_MSG(st == YORE_OK, "%s", error.text);
    CHECK_EQ_UINT(info.id, 3);
    CHECK_OK(yore_close(db, NULL));
    remove_dir(&bed, "restored");
    restore_to(&bed, 2, YORE_FOREVER);
    db = open_at(&bed, "restored");
    CHECK_EQ_STR(get(db, "state"), "first line");
    CHECK_OK(yore_close(db, NULL));
    remove_dir(&bed, "restored");
    restore_to(&bed, 3, YORE_FOREVER);
    db = open_at(&bed, "restored");
    CHECK_EQ_STR(get(db, "state"), "second line");
    CHECK_OK(yore_close(db, NULL));
    bed_close(&bed);
}

TEST(backups_of_another_database_are_not_mixed_in)
{
    struct bed bed;
    struct yore_backup_info info;
    struct yore_db *other;
    bed_open(&bed);
    (void)backup(&bed, &info);
    CHECK_OK(db_open_inline(env_of(&bed), "other", NULL, &other, NULL));
    CHECK_STATUS(yore_backup(other, "backup", NULL, NULL, &info, NULL), YORE_EXISTS);
    CHECK_OK(yore_close(other, NULL));
    bed_close(&bed);
}

static int cancel(void *arg, uint64_t done_bytes, uint64_t total_bytes)
{
    uint64_t *calls = arg;
    CHECK(done_bytes <= total_bytes);
    return ++*calls == 2;
}

TEST(a_directory_of_somebody_else_takes_no_backup)
{
    static const char *const theirs[] = {"theirs/letter", "theirs/files/photo"};
    struct bed bed;
    struct os_file *file;
    bed_open(&bed);
    CHECK_OK(os_dir_make(env_of(&bed), "theirs", NULL));
    CHECK_OK(os_dir_make(env_of(&bed), "theirs/files", NULL));
    for (int i = 0; i < 2; i++) {
        CHECK_OK(os_file_open(env_of(&bed), theirs[i], OS_OPEN_CREATE, &file, NULL));
        os_file_close(file);
    }
    CHECK_STATUS(yore_backup(bed.db, "theirs", NULL, NULL, NULL, NULL), YORE_EXISTS);
    CHECK_OK(os_path_unlink(env_of(&bed), theirs[0], NULL));
    CHECK_OK(yore_backup(bed.db, "theirs", NULL, NULL, NULL, NULL));
    CHECK_OK(os_path_unlink(env_of(&bed), theirs[1], NULL)); /* left alone */
    bed_close(&bed);
}

TEST(a_cancelled_backup_or_restore_leaves_the_others)
{
    struct bed bed;
    struct yore_backup_info info;
    uint64_t calls = 0;
    bed_open(&bed);
    (void)put(bed.db, "state", "first");
    (void)backup(&bed, &info);
    (void)write_some(&bed, 0);
    CHECK_STATUS(yore_backup(bed.db, "backup", cancel, &calls, &info, NULL), YORE_CANCELLED);
    calls = 0;
    struct yore_restore restore = {.backup_path = "backup",
                                   .target_path = "restored",
                                   .to_commit = YORE_FOREVER,
                                   .progress = cancel,
                                   .progress_arg = &calls};
    CHECK_STATUS(db_restore(env_of(&bed), &restore, NULL), YORE_CANCELLED);
    CHECK(!exists(&bed, "restored") && !exists(&bed, "restored.new"));
    restore_to(&bed, 0, YORE_FOREVER);
    struct yore_db *db = open_at(&bed, "restored");
    CHECK_EQ_STR(get(db, "state"), "first");
    CHECK_OK(yore_close(db, NULL));
    CHECK_EQ_UINT(backup(&bed, &info), 2);
    bed_close(&bed);
}

TEST(a_crash_at_any_point_of_a_backup_leaves_the_earlier_ones_whole)
{
    for (uint64_t op = 1; op < 400; op++) {
        struct bed bed;
        struct yore_backup_info info;
        bed_open(&bed);
        (void)put(bed.db, "state", "first");
        (void)backup(&bed, &info);
        (void)write_some(&bed, 0);
        (void)put(bed.db, "state", "second");
        sim_disk_reset_count(bed.disk);
        sim_disk_crash_at(bed.disk, op);
        enum yore_status st = yore_backup(bed.db, "backup", NULL, NULL, &info, NULL);
        bool is_over = !sim_disk_has_crashed(bed.disk);
        (void)yore_close(bed.db, NULL);
        sim_disk_crash(bed.disk, SIM_CRASH_RANDOM, op);
        restore_to(&bed, 1, YORE_FOREVER);
        struct yore_db *db = open_at(&bed, "restored");
        CHECK_EQ_STR(get(db, "state"), "first");
        CHECK_OK(yore_close(db, NULL));
        remove_dir(&bed, "restored");
        restore_to(&bed, 0, YORE_FOREVER);
        db = open_at(&bed, "restored");
        const char *state = get(db, "state");
        CHECK(strcmp(state, "second") == 0 || (st != YORE_OK && strcmp(state, "first") == 0));
        CHECK_OK(yore_close(db, NULL));
        sim_disk_free(bed.disk);
        test_count(1);
        if (is_over) {
            CHECK_OK(st);
            return;
        }
    }
    FAIL("the backup never ended");
}

TEST(damage_in_the_pool_is_found_and_named)
{
    struct bed bed;
    struct yore_backup_info info;
    struct yore_error error = {.text = ""};
    char path[PATH_BYTES];
    bed_open(&bed);
    (void)write_some(&bed, 0);
    (void)backup(&bed, &info);
    struct names pool = list(&bed, "backup/files");
    for (size_t i = 0; i < pool.count; i++) {
        CHECK(dir_join(path, "backup/files", pool.names[i]));
        CHECK(sim_disk_flip_bit(bed.disk, path, 100, 3));
        struct yore_restore restore = {
            .backup_path = "backup", .target_path = "restored", .to_commit = YORE_FOREVER};
        CHECK_STATUS(db_restore(env_of(&bed), &restore, &error), YORE_CORRUPT);
        CHECK(strstr(error.text, pool.names[i]) != NULL);
        CHECK(!exists(&bed, "restored") && !exists(&bed, "restored.new"));
        CHECK(sim_disk_flip_bit(bed.disk, path, 100, 3));
    }
    CHECK(sim_disk_flip_bit(bed.disk, "backup/backup-0000000000000001", 40, 0));
    CHECK_STATUS(db_backup_list(env_of(&bed), "backup", sum_up, NULL, &error), YORE_CORRUPT);
    CHECK(strstr(error.text, "backup-0000000000000001") != NULL);
    bed_close(&bed);
}

TEST(damage_of_a_table_is_found_while_it_is_backed_up)
{
    struct bed bed;
    struct yore_backup_info info;
    struct yore_error error = {.text = ""};
    char path[PATH_BYTES];
    bed_open(&bed);
    (void)write_some(&bed, 0);
    CHECK_OK(yore_compact(bed.db, NULL, NULL));
    struct names names = list(&bed, "db");
    const char *table = ""; /* the last one: the catalogue's own would be missed when opening */
    for (size_t i = 0; i < names.count; i++) {
        bool is_later =
            strncmp(names.names[i], "table-", 6) == 0 && strcmp(names.names[i], table) > 0;
        table = is_later ? names.names[i] : table;
    }
    CHECK(dir_join(path, "db", table));
    CHECK_OK(yore_close(bed.db, NULL));
    CHECK(sim_disk_flip_bit(bed.disk, path, 70, 1));
    bed.db = NULL;
    struct yore_options options;
    yore_options_init(&options);
    CHECK_OK(db_open_inline(env_of(&bed), "db", &options, &bed.db, NULL));
    CHECK_STATUS(yore_backup(bed.db, "backup", NULL, NULL, &info, &error), YORE_CORRUPT);
    CHECK(strstr(error.text, path) != NULL);
    (void)yore_close(bed.db, NULL);
    sim_disk_free(bed.disk);
}

TEST(a_target_that_holds_something_is_refused)
{
    struct bed bed;
    struct yore_backup_info info;
    bed_open(&bed);
    (void)put(bed.db, "state", "first");
    (void)backup(&bed, &info);
    struct yore_restore restore = {
        .backup_path = "backup", .target_path = "db", .to_commit = YORE_FOREVER};
    CHECK_STATUS(db_restore(env_of(&bed), &restore, NULL), YORE_EXISTS);
    restore.target_path = "restored";
    restore.id = 9;
    CHECK_STATUS(db_restore(env_of(&bed), &restore, NULL), YORE_NOT_FOUND);
    CHECK_OK(os_dir_make(env_of(&bed), "restored", NULL));
    restore_to(&bed, 0, YORE_FOREVER);
    CHECK_OK(yore_close(open_at(&bed, "restored"), NULL));
    bed_close(&bed);
}

TEST(without_memory_a_backup_or_restore_says_so_and_leaves_nothing)
{
    struct bed bed;
    struct yore_backup_info info;
    bool is_done = false;
    bed_open(&bed);
    (void)put(bed.db, "key", "first");
    int64_t commit = put(bed.db, "large", large('a'));
    (void)put(bed.db, "key", "second");
    CHECK_OK(yore_flush(bed.db, NULL));
    for (uint64_t nth = 1; !is_done; nth += 3) {
        mem_fail_at(nth, false);
        enum yore_status st = yore_backup(bed.db, "backup", NULL, NULL, &info, NULL);
        is_done = mem_count() < nth;
        mem_fail_at(0, false);
        CHECK(st == YORE_OK || (st == YORE_NOMEM && !is_done));
        test_count(1);
    }
    is_done = false;
    for (uint64_t nth = 1; !is_done; nth += 3) {
        struct yore_restore restore = {
            .backup_path = "backup", .target_path = "restored", .to_commit = commit};
        mem_fail_at(nth, false);
        enum yore_status st = db_restore(env_of(&bed), &restore, NULL);
        is_done = mem_count() < nth;
        mem_fail_at(0, false);
        CHECK_MSG(st == YORE_OK || (st == YORE_NOMEM && !is_done), "%d", (int)st);
        CHECK(!exists(&bed, "restored.new"));
        CHECK_EQ_INT(exists(&bed, "restored"), st == YORE_OK);
        if (st == YORE_OK) {
            struct yore_db *db = open_at(&bed, "restored");
            CHECK_EQ_STR(get(db, "key"), "first");
            CHECK_OK(yore_close(db, NULL));
            remove_dir(&bed, "restored");
        }
        test_count(1);
    }
    bed_close(&bed);
}

struct writer {
    struct yore_db *db;
    _Atomic bool is_over;
    bool is_right;
};

/* Pairs of keys that are always equal, each in one commit. */
static void *write_pairs(void *arg)
{
    struct writer *w = arg;
    struct yore_batch *batch = NULL;
    char value[600];
    w->is_right = yore_batch_new(w->db, &batch, NULL) == YORE_OK;
    for (unsigned i = 0; w->is_right && !atomic_load(&w->is_over); i++) {
        (void)snprintf(value, sizeof value, "%*u", i % 5 == 0 ? 500 : 8, i);
        w->is_right =
            yore_batch_put(batch, NULL, text("left"), text(value), NULL, NULL) == YORE_OK &&
            yore_batch_put(batch, NULL, text("right"), text(value), NULL, NULL) == YORE_OK &&
            yore_batch_commit(batch, YORE_DURABILITY_DEFAULT, NULL, NULL) == YORE_OK;
    }
    yore_batch_free(batch);
    return NULL;
}

TEST(backups_and_checkpoints_beside_writers_hold_whole_commits)
{
    struct bed bed = {.disk = sim_disk_new(1)};
    struct writer writer = {.is_right = true};
    struct yore_options options;
    struct yore_backup_info info;
    struct yore_error error = {.text = ""};
    pthread_t thread;
    yore_options_init(&options);
    options.memtable_bytes = 64u << 10;
    options.segment_bytes = 64u << 10;
    options.value_apart_bytes = 256;
    sim_disk_set_wall(bed.disk, BED_T0);
    CHECK_OK(db_open(env_of(&bed), "db", &options, &bed.db, NULL));
    writer.db = bed.db;
    CHECK(pthread_create(&thread, NULL, write_pairs, &writer) == 0);
    for (int i = 0; i < 8; i++) {
        enum yore_status st = yore_backup(bed.db, "backup", NULL, NULL, &info, &error);
        CHECK_MSG(st == YORE_OK, "%s", error.text);
        st = yore_checkpoint(bed.db, "copy", &error);
        CHECK_MSG(st == YORE_OK, "%s", error.text);
        restore_to(&bed, 0, YORE_FOREVER);
        for (int j = 0; j < 2; j++) {
            struct yore_db *db = open_at(&bed, j == 0 ? "restored" : "copy");
            CHECK_EQ_STR(get(db, "left"), get(db, "right"));
            CHECK_OK(yore_close(db, NULL));
            remove_dir(&bed, j == 0 ? "restored" : "copy");
        }
    }
    atomic_store(&writer.is_over, true);
    CHECK(pthread_join(thread, NULL) == 0);
    CHECK(writer.is_right);
    bed_close(&bed);
}

/* ---- an earlier commit ---- */

#define STEPS 40

TEST(any_commit_is_restored_with_all_its_past)
{
    struct bed bed;
    struct yore_backup_info info;
    int64_t commits[STEPS];
    char value[64];
    bed_open(&bed);
    for (int i = 0; i < STEPS; i++) {
        (void)snprintf(value, sizeof value, "state %d", i);
        (void)put_at(bed.db, "dated", value, AT(1000 - i), YORE_FOREVER);
        (void)put(bed.db, "large", large((char)('a' + i % 26)));
        commits[i] = put(bed.db, "state", value);
        if (i % 10 == 9) {
            bed_age(&bed, 1 + i / 10 % 3);
            (void)backup(&bed, &info);
        }
    }
    for (int i = 1; i < STEPS; i += 3) {
        restore_to(&bed, 0, commits[i]);
        struct yore_db *db = open_at(&bed, "restored");
        (void)snprintf(value, sizeof value, "state %d", i);
        CHECK_EQ_STR(get(db, "state"), value);
        CHECK_EQ_STR(get(db, "large"), large((char)('a' + i % 26)));
        CHECK_EQ_STR(get_at(db, "dated", AT(1000 - i), YORE_NOW), value);
        CHECK_EQ_STR(get_at(db, "dated", AT(1000 - i) - 1, YORE_NOW), "-");
        CHECK_EQ_STR(get_at(db, "state", commits[i - 1], YORE_NOW),
                     get_at(bed.db, "state", commits[i - 1], YORE_NOW));
        CHECK_EQ_STR(get_at(db, "state", YORE_NOW, commits[0]), "state 0");
        (void)put(db, "state", "goes on");
        CHECK_OK(yore_compact(db, NULL, NULL));
        CHECK_EQ_STR(get(db, "state"), "goes on");
        CHECK_EQ_STR(get_at(db, "state", commits[i], YORE_NOW), value);
        CHECK_OK(yore_close(db, NULL));
        remove_dir(&bed, "restored");
    }
    bed_close(&bed);
}

TEST(values_of_later_commits_are_not_in_the_restored_files)
{
    struct bed bed;
    struct yore_backup_info info;
    bed_open(&bed);
    (void)put(bed.db, "large", large('a'));
    int64_t commit = put(bed.db, "state", "first");
    (void)put(bed.db, "large", large('b'));
    (void)put(bed.db, "state", "a secret of later");
    (void)backup(&bed, &info);
    restore_to(&bed, 0, commit);
    CHECK(holds_bytes(&bed, "restored", "aaaaaaaaaaaaaaaaaaaaaaaa"));
    CHECK(!holds_bytes(&bed, "restored", "bbbbbbbbbbbbbbbbbbbbbbbb"));
    CHECK(!holds_bytes(&bed, "restored", "a secret of later"));
    bed_close(&bed);
}

TEST(a_commit_before_the_horizon_is_refused_and_the_range_named)
{
    struct bed bed;
    struct yore_backup_info info;
    struct yore_error error = {.text = ""};
    bed_open(&bed);
    int64_t first = put(bed.db, "state", "first");
    int64_t second = put(bed.db, "state", "second");
    (void)put(bed.db, "state", "third");
    CHECK_OK(yore_trim(bed.db, NULL, second, NULL));
    (void)backup(&bed, &info);
    struct yore_restore restore = {
        .backup_path = "backup", .target_path = "restored", .to_commit = first};
    char number[32];
    CHECK_STATUS(db_restore(env_of(&bed), &restore, &error), YORE_BEFORE_HORIZON);
    (void)snprintf(number, sizeof number, "%" PRId64, second);
    CHECK(strstr(error.text, number) != NULL);
    restore_to(&bed, 0, second);
    struct yore_db *db = open_at(&bed, "restored");
    struct yore_keyspace_info keyspace;
    CHECK_EQ_STR(get(db, "state"), "second");
    CHECK_OK(yore_keyspace_info(db, NULL, &keyspace, NULL));
    CHECK_EQ_INT(keyspace.horizon, second);
    CHECK_OK(yore_close(db, NULL));
    bed_close(&bed);
}

TEST(where_only_now_is_kept_an_older_commit_needs_its_own_backup)
{
    struct bed bed;
    struct yore_backup_info info;
    struct yore_keyspace *space;
    struct yore_keyspace_options options = {.keep = YORE_KEEP_NOW};
    bed_open(&bed);
    CHECK_OK(yore_keyspace_create(bed.db, "now", &options, &space, NULL));
    CHECK_OK(yore_put(bed.db, space, text("k"), text("1"), NULL, NULL));
    (void)backup(&bed, &info);
    int64_t exact = info.commit;
    int64_t between = put(bed.db, "state", "between");
    CHECK_OK(yore_put(bed.db, space, text("k"), text("2"), NULL, NULL));
    (void)backup(&bed, &info);
    struct yore_restore restore = {
        .backup_path = "backup", .target_path = "restored", .to_commit = between};
    CHECK_STATUS(db_restore(env_of(&bed), &restore, NULL), YORE_BEFORE_HORIZON);
    restore_to(&bed, 0, exact);
    CHECK_OK(yore_close(open_at(&bed, "restored"), NULL));
    bed_close(&bed);
}

/* A database whose keyspace "now" had "k", deleted it, and merged both away: for a held snapshot by
 * way of history, or at once.  The commit before the delete goes to `*before_out`, the one after it
 * to
 * `*after_out`. */
static struct bed forgetful(bool has_snapshot, int64_t *before_out, int64_t *after_out)
{
    struct bed bed;
    struct yore_keyspace *space;
    struct yore_snapshot *snapshot = NULL;
    struct yore_keyspace_options options = {.keep = YORE_KEEP_NOW};
    bed_open(&bed);
    CHECK_OK(yore_keyspace_create(bed.db, "now", &options, &space, NULL));
    CHECK_OK(yore_put(bed.db, space, text("k"), text("1"), NULL, NULL));
    *before_out = put(bed.db, "state", "before");
    if (has_snapshot) {
        CHECK_OK(yore_snapshot_take(bed.db, &snapshot, NULL));
    }
    CHECK_OK(yore_delete(bed.db, space, text("k"), NULL, NULL));
    *after_out = put(bed.db, "state", "after");
    CHECK_OK(yore_compact(bed.db, NULL, NULL));
    yore_snapshot_release(snapshot);
    (void)put(bed.db, "state", "last");
    CHECK_OK(yore_compact(bed.db, NULL, NULL));
    return bed;
}

TEST(a_delete_that_left_without_a_trace_is_not_rewound)
{
    for (int round = 0; round < 4; round++) {
        int64_t before;
        int64_t after;
        struct bed bed = forgetful(round % 2 == 1, &before, &after);
        struct yore_backup_info info;
        if (round >= 2) {
            bed_reopen(&bed);
        }
        (void)backup(&bed, &info);
        struct yore_restore restore = {
            .backup_path = "backup", .target_path = "restored", .to_commit = before};
        CHECK_STATUS(db_restore(env_of(&bed), &restore, NULL), YORE_BEFORE_HORIZON);
        restore_to(&bed, 0, after);
        struct yore_db *db = open_at(&bed, "restored");
        CHECK_EQ_STR(get(db, "state"), "after");
        /* The restored one knows no more than the backup did. */
        CHECK_OK(yore_backup(db, "other", NULL, NULL, &info, NULL));
        CHECK_OK(yore_close(db, NULL));
        restore = (struct yore_restore){
            .backup_path = "other", .target_path = "again", .to_commit = before};
        CHECK_STATUS(db_restore(env_of(&bed), &restore, NULL), YORE_BEFORE_HORIZON);
        bed_close(&bed);
    }
}

TEST(keyspaces_are_those_of_the_restored_commit)
{
    struct bed bed;
    struct yore_backup_info info;
    struct yore_keyspace *one;
    struct yore_keyspace *two;
    bed_open(&bed);
    CHECK_OK(yore_keyspace_create(bed.db, "one", NULL, &one, NULL));
    CHECK_OK(yore_put(bed.db, one, text("k"), text("1"), NULL, NULL));
    int64_t commit = put(bed.db, "state", "first");
    CHECK_OK(yore_keyspace_create(bed.db, "two", NULL, &two, NULL));
    CHECK_OK(yore_put(bed.db, two, text("k"), text("2"), NULL, NULL));
    CHECK_OK(yore_keyspace_drop(bed.db, "one", NULL));
    (void)backup(&bed, &info);
    restore_to(&bed, 0, commit);
    struct yore_db *db = open_at(&bed, "restored");
    struct yore_value value;
    CHECK_STATUS(yore_keyspace_open(db, "two", NULL, &two, NULL), YORE_NOT_FOUND);
    CHECK_OK(yore_keyspace_open(db, "one", NULL, &one, NULL));
    CHECK_OK(yore_get(db, one, text("k"), NULL, &value, NULL));
    yore_value_release(&value);
    CHECK_OK(yore_put(db, one, text("k"), text("3"), NULL, NULL));
    CHECK_OK(yore_close(db, NULL));
    bed_close(&bed);
}

/* ---- erasures ---- */

TEST(a_backup_after_an_erasure_has_none_of_its_bytes)
{
    struct bed bed;
    struct yore_backup_info info;
    bed_open(&bed);
    (void)put(bed.db, "key", "a secret of somebody");
    (void)put(bed.db, "large", large('s'));
    CHECK_OK(yore_flush(bed.db, NULL));
    (void)erase_key(bed.db, "key", YORE_TIME_MIN, YORE_FOREVER);
    (void)erase_key(bed.db, "large", YORE_TIME_MIN, YORE_FOREVER);
    (void)backup(&bed, &info);
    CHECK(!holds_bytes(&bed, "backup/files", "a secret of somebody"));
    CHECK(!holds_bytes(&bed, "backup/files", "ssssssssssssssssssssssss"));
    CHECK(!holds_bytes(&bed, "db", "a secret of somebody"));
    CHECK(!holds_bytes(&bed, "db", "ssssssssssssssssssssssss"));
    bed_close(&bed);
}

TEST(restoring_an_older_backup_erases_again)
{
    for (int age = 0; age < 3; age++) {
        struct bed bed;
        struct yore_backup_info info;
        bed_open(&bed);
        (void)put(bed.db, "key", "a secret of somebody");
        (void)put(bed.db, "large", large('s'));
        (void)put(bed.db, "kept", "stays");
        bed_age(&bed, age);
        (void)backup(&bed, &info);
        (void)erase_key(bed.db, "key", YORE_TIME_MIN, YORE_FOREVER);
        (void)erase_key(bed.db, "large", YORE_TIME_MIN, YORE_FOREVER);
        (void)put(bed.db, "key", "written again");
        (void)backup(&bed, &info);
        restore_to(&bed, 1, YORE_FOREVER);
        CHECK(!holds_bytes(&bed, "restored", "a secret of somebody"));
        CHECK(!holds_bytes(&bed, "restored", "ssssssssssssssssssssssss"));
        struct yore_db *db = open_at(&bed, "restored");
        CHECK_EQ_STR(get(db, "key"), "!");
        CHECK_EQ_STR(get(db, "large"), "!");
        CHECK_EQ_STR(get(db, "kept"), "stays");
        CHECK_OK(yore_close(db, NULL));
        remove_dir(&bed, "restored");
        restore_to(&bed, 2, YORE_FOREVER);
        db = open_at(&bed, "restored");
        CHECK_EQ_STR(get(db, "key"), "written again");
        CHECK_EQ_STR(get(db, "large"), "!");
        CHECK_OK(yore_close(db, NULL));
        bed_close(&bed);
    }
}

TEST(an_erased_span_is_erased_again_and_what_held_behind_it_holds)
{
    struct bed bed;
    struct yore_backup_info info;
    bed_open(&bed);
    (void)put_at(bed.db, "key", "a secret of somebody", AT(10), YORE_FOREVER);
    (void)put_at(bed.db, "other", "before", AT(1), YORE_FOREVER);
    (void)put_at(bed.db, "other", "inside", AT(12), YORE_FOREVER);
    (void)backup(&bed, &info);
    (void)erase_key(bed.db, "other", AT(11), AT(20));
    (void)backup(&bed, &info);
    restore_to(&bed, 1, YORE_FOREVER);
    struct yore_db *db = open_at(&bed, "restored");
    CHECK_EQ_STR(get_at(db, "other", AT(5), YORE_NOW), "before");
    CHECK_EQ_STR(get_at(db, "other", AT(15), YORE_NOW), "!");
    CHECK_EQ_STR(get_at(db, "other", AT(25), YORE_NOW), "inside");
    CHECK_EQ_STR(get_at(db, "key", AT(15), YORE_NOW), "a secret of somebody");
    CHECK_OK(yore_close(db, NULL));
    bed_close(&bed);
}

TEST(rewinding_past_an_erasure_keeps_it)
{
    struct bed bed;
    struct yore_backup_info info;
    bed_open(&bed);
    (void)put(bed.db, "key", "a secret of somebody");
    int64_t commit = put(bed.db, "kept", "stays");
    (void)erase_key(bed.db, "key", YORE_TIME_MIN, YORE_FOREVER);
    (void)put(bed.db, "kept", "later");
    (void)backup(&bed, &info);
    restore_to(&bed, 0, commit);
    struct yore_db *db = open_at(&bed, "restored");
    CHECK_EQ_STR(get(db, "key"), "!");
    CHECK_EQ_STR(get(db, "kept"), "stays");
    CHECK(!holds_bytes(&bed, "restored", "a secret of somebody"));
    CHECK_OK(yore_close(db, NULL));
    bed_close(&bed);
}

TEST(rewinding_past_an_erased_span_keeps_what_held_behind_it)
{
    struct bed bed;
    struct yore_backup_info info;
    bed_open(&bed);
    (void)put_at(bed.db, "key", "before", AT(1), YORE_FOREVER);
    (void)put_at(bed.db, "key", "inside", AT(12), YORE_FOREVER);
    int64_t commit = put(bed.db, "kept", "stays");
    int64_t erased = erase_key(bed.db, "key", AT(11), AT(20));
    (void)put(bed.db, "kept", "later");
    (void)backup(&bed, &info);
    restore_to(&bed, 0, commit);
    struct yore_db *db = open_at(&bed, "restored");
    CHECK_EQ_STR(get_at(db, "key", AT(5), YORE_NOW), "before");
    CHECK_EQ_STR(get_at(db, "key", AT(15), YORE_NOW), "!");
    CHECK_EQ_STR(get_at(db, "key", AT(25), YORE_NOW), "inside");
    CHECK_EQ_STR(get(db, "kept"), "stays");
    CHECK_EQ_STR(get_at(db, "key", AT(25), erased), get_at(bed.db, "key", AT(25), erased));
    CHECK_OK(yore_close(db, NULL));
    bed_close(&bed);
}

TEST_MAIN(
    a_checkpoint_opens_and_holds_everything, a_checkpoint_is_never_written_over_something,
    the_feed_of_a_copy_tells_what_was_committed_before_it,
    a_checkpoint_takes_no_directory_but_its_own, an_attempt_that_was_killed_is_in_nobodys_way,
    a_failed_checkpoint_leaves_nothing, the_second_backup_copies_only_what_is_new,
    backups_are_listed_by_id, every_backup_is_restored_as_it_was,
    a_restored_database_goes_on_and_is_backed_up_beside_the_old_line,
    backups_of_another_database_are_not_mixed_in, a_directory_of_somebody_else_takes_no_backup,
    a_cancelled_backup_or_restore_leaves_the_others,
    a_crash_at_any_point_of_a_backup_leaves_the_earlier_ones_whole,
    damage_in_the_pool_is_found_and_named, damage_of_a_table_is_found_while_it_is_backed_up,
    a_target_that_holds_something_is_refused,
    without_memory_a_backup_or_restore_says_so_and_leaves_nothing,
    backups_and_checkpoints_beside_writers_hold_whole_commits,
    any_commit_is_restored_with_all_its_past, values_of_later_commits_are_not_in_the_restored_files,
    a_commit_before_the_horizon_is_refused_and_the_range_named,
    where_only_now_is_kept_an_older_commit_needs_its_own_backup,
    a_delete_that_left_without_a_trace_is_not_rewound, keyspaces_are_those_of_the_restored_commit,
    a_backup_after_an_erasure_has_none_of_its_bytes, restoring_an_older_backup_erases_again,
    an_erased_span_is_erased_again_and_what_held_behind_it_holds,
    rewinding_past_an_erasure_keeps_it, rewinding_past_an_erased_span_keeps_what_held_behind_it)
