/* purge_test.c -- after yore_compact() no file has an octet of an erased value, wherever it lay. */
#include <stdio.h>
#include <string.h>

#include "engine/db_internal.h"
#include "engine/manifest.h"
#include "unit/engine/bed.h"

#define SECRET "SECRET-0123456789"
#define LARGE 900

/* ---- looking at the disk ---- */

struct hunt {
    struct bed *bed;
    const char *dir;
    const char *needle;
    char found[PATH_BYTES];            /* the last file that has it; "": none */
    unsigned tables, values, journals; /* how many files of each kind have it */
};

static void hunt_in_file(struct hunt *hunt, const char *path, const char *name)
{
    static char data[1u << 20];
    struct os_file *file;
    size_t read;
    size_t size = strlen(hunt->needle);
    CHECK_OK(os_file_open(sim_disk_env(hunt->bed->disk), path, OS_OPEN_READ, &file, NULL));
    CHECK_OK(os_file_read(file, 0, data, sizeof data, &read, NULL));
    CHECK(read < sizeof data);
    os_file_close(file);
    for (size_t at = 0; at + size <= read; at++) {
        if (memcmp(data + at, hunt->needle, size) == 0) {
            (void)snprintf(hunt->found, sizeof hunt->found, "%s", path);
            hunt->tables += strncmp(name, "table-", 6) == 0;
            hunt->values += strncmp(name, "values-", 7) == 0;
            hunt->journals += strncmp(name, "journal-", 8) == 0;
            return;
        }
    }
}

static int hunt_one(void *arg, const char *name)
{
    struct hunt *hunt = arg;
    char path[PATH_BYTES];
    if (strcmp(name, "LOCK") != 0) {
        CHECK(dir_join(path, hunt->dir, name));
        hunt_in_file(hunt, path, name);
    }
    return 0;
}

static struct hunt hunt(struct bed *bed, const char *dir, const char *needle)
{
    struct hunt hunt = {.bed = bed, .dir = dir, .needle = needle};
    CHECK_OK(os_dir_list(sim_disk_env(bed->disk), dir, hunt_one, &hunt, NULL));
    return hunt;
}

static void check_gone(struct bed *bed, const char *dir)
{
    struct hunt found = hunt(bed, dir, SECRET);
    CHECK_MSG(found.found[0] == '\0', "%s has an erased value", found.found);
}

static struct yore_verify_report verify(struct bed *bed)
{
    struct yore_verify_report report;
    struct yore_error error = {.text = ""};
    enum yore_status st = yore_verify(bed->db, NULL, NULL, &report, &error);
    CHECK_MSG(st == YORE_OK, "%s", error.text);
    return report;
}

/* ---- secrets in every place ---- */

static const char *secret(const char *place)
{
    static char text[64];
    (void)snprintf(text, sizeof text, SECRET " of %s", place);
    return text;
}

static const char *large_secret(void)
{
    static char text[LARGE + 1];
    memset(text, 'x', LARGE);
    memcpy(text, SECRET, sizeof SECRET - 1);
    memcpy(text + LARGE - sizeof SECRET, SECRET, sizeof SECRET - 1);
    return text;
}

/* Enough superseded versions for slices to be sealed. */
static void make_history(struct bed *bed, int rounds)
{
    char key[32];
    char value[64];
    for (int i = 0; i < 40 * rounds; i++) {
        (void)snprintf(key, sizeof key, "key/%02d", i % 40);
        (void)snprintf(value, sizeof value, "value %d, nothing to hide", i);
        (void)put(bed->db, key, value);
    }
    CHECK_OK(yore_compact(bed->db, NULL, NULL));
}

static const char *const places[] = {"slice", "carried", "deep",     "gone",     "expired",
                                     "late",  "span",    "level0",   "memtable", "large/old",
                                     "large", "large/0", "large/mem"};
#define PLACES (sizeof places / sizeof places[0])

static void hide_secrets(struct bed *bed)
{
    struct yore_keyspace_options plain = {.compression = YORE_COMPRESSION_NONE};
    CHECK_OK(yore_keyspace_alter(bed->db, NULL, &plain, NULL));
    (void)put(bed->db, "slice", secret("slice"));
    (void)put(bed->db, "carried", secret("carried"));
    (void)put(bed->db, "gone", secret("gone"));
    (void)put_at(bed->db, "expired", secret("expired"), AT(10), AT(20));
    (void)put(bed->db, "large/old", large_secret());
    (void)delete_at(bed->db, "gone", YORE_NOW);
    make_history(bed, 12);
    (void)put(bed->db, "slice", "nothing");
    (void)put(bed->db, "large/old", "nothing");
    make_history(bed, 12);
    (void)put(bed->db, "carried", "nothing"); /* its copies are in the slices since */
    (void)put(bed->db, "deep", secret("deep"));
    (void)put(bed->db, "large", large_secret());
    make_history(bed, 12);
    (void)put_at(bed->db, "late", secret("late"), AT(30), YORE_FOREVER);
    (void)put_at(bed->db, "span", "before", AT(0), YORE_FOREVER);
    (void)put_span(bed->db, "span", secret("span"), AT(10), AT(20));
    (void)put(bed->db, "level0", secret("level0"));
    (void)put(bed->db, "large/0", large_secret());
    CHECK_OK(yore_flush(bed->db, NULL));
    (void)put(bed->db, "memtable", secret("memtable"));
    (void)put(bed->db, "large/mem", large_secret());
}

/* The places are what they are called. */
static void check_hidden(struct bed *bed)
{
    char needle[64];
    for (size_t i = 0; i < 8; i++) {
        (void)snprintf(needle, sizeof needle, "%s", secret(places[i]));
        CHECK_MSG(hunt(bed, "db", needle).tables > 0, "no table has %s", needle);
    }
    CHECK(hunt(bed, "db", secret("carried")).tables >= 2);
    CHECK(hunt(bed, "db", secret("memtable")).journals > 0);
    CHECK(hunt(bed, "db", SECRET).values > 0);
    CHECK(verify(bed).copies > 0);
}

enum when { NEVER, BEFORE_ERASE, AFTER_ERASE, WHEN_COUNT };

static void erase_all(struct bed *bed, bool is_prefix)
{
    struct yore_erase all = {.is_prefix = true, .from = YORE_TIME_MIN, .to = YORE_FOREVER};
    if (is_prefix) {
        CHECK_OK(yore_erase(bed->db, NULL, &all, NULL));
    }
    for (size_t i = 0; !is_prefix && i < PLACES; i++) {
        bool is_span = strcmp(places[i], "span") == 0;
        (void)erase_key(bed->db, places[i], is_span ? AT(10) : YORE_TIME_MIN,
                        is_span ? AT(20) : YORE_FOREVER);
    }
}

TEST(erased_values_leave_every_file)
{
    for (int round = 0; round < 2 * WHEN_COUNT; round++) {
        bool is_prefix = round % 2 == 1;
        enum when restart = (enum when)(round / 2);
        struct bed bed;
        test_note("prefix %d, restart %d", is_prefix, (int)restart);
        bed_open(&bed);
        hide_secrets(&bed);
        check_hidden(&bed);
        if (restart == BEFORE_ERASE) {
            bed_reopen(&bed);
        }
        erase_all(&bed, is_prefix);
        CHECK(verify(&bed).erasures_pending > 0);
        if (restart == AFTER_ERASE) {
            bed_reopen(&bed);
        }
        CHECK_OK(yore_compact(bed.db, NULL, NULL));
        check_gone(&bed, "db");
        CHECK_EQ_UINT(verify(&bed).erasures_pending, 0);
        bed_reopen(&bed);
        CHECK_OK(yore_compact(bed.db, NULL, NULL));
        check_gone(&bed, "db");
        CHECK_EQ_STR(get(bed.db, "deep"), "!");
        CHECK_EQ_STR(get(bed.db, "gone"), "-");
        CHECK_EQ_STR(get_at(bed.db, "span", AT(15), YORE_NOW), "!");
        CHECK_EQ_STR(get_at(bed.db, "span", AT(20), YORE_NOW), is_prefix ? "!" : "before");
        bed_close(&bed);
    }
}

/* ---- what the check tells ---- */

static uint64_t pending(struct bed *bed)
{
    return verify(bed).erasures_pending;
}

TEST(an_erasure_is_pending_where_only_the_journal_has_its_value)
{
    struct bed bed;
    bed_open(&bed);
    (void)put(bed.db, "a", secret("a journal"));
    (void)erase_key(bed.db, "a", YORE_TIME_MIN, YORE_FOREVER);
    (void)erase_key(bed.db, "never written", YORE_TIME_MIN, YORE_FOREVER);
    CHECK_EQ_UINT(pending(&bed), 1);
    CHECK_OK(yore_flush(bed.db, NULL)); /* the table has a skeleton */
    CHECK_EQ_INT(pending(&bed) > 0, hunt(&bed, "db", SECRET).found[0] != '\0');
    CHECK_OK(yore_compact(bed.db, NULL, NULL));
    CHECK_EQ_UINT(pending(&bed), 0);
    check_gone(&bed, "db");
    bed_close(&bed);
}

TEST(an_erasure_is_not_pending_where_the_stale_journal_begins_with_it)
{
    struct bed bed;
    bed_open(&bed);
    (void)erase_key(bed.db, "a", AT(0), YORE_FOREVER);
    CHECK_OK(yore_compact(bed.db, NULL, NULL)); /* a purge, and a new segment */
    int64_t commit = erase_key(bed.db, "b", AT(0), YORE_FOREVER);
    CHECK_OK(yore_flush(bed.db, NULL));
    CHECK_EQ_INT(journal_stale_first(bed.db->journal), commit);
    CHECK_EQ_UINT(pending(&bed), 0);
    bed_close(&bed);
}

/* What who only reads the closed database tells. */
static uint64_t pending_in_closed(struct bed *bed)
{
    struct yore_options options;
    yore_options_init(&options);
    options.read_only = true;
    CHECK_OK(yore_close(bed->db, NULL));
    CHECK_OK(db_open_inline(sim_disk_env(bed->disk), "db", &options, &bed->db, NULL));
    uint64_t count = pending(bed);
    bed_reopen(bed);
    return count;
}

TEST(a_database_that_is_opened_to_read_tells_that_nothing_is_pending)
{
    struct bed bed;
    bed_open(&bed);
    (void)put(bed.db, "a", secret("a journal"));
    (void)erase_key(bed.db, "a", YORE_TIME_MIN, YORE_FOREVER);
    CHECK_EQ_UINT(pending_in_closed(&bed), 1);
    CHECK_OK(yore_compact(bed.db, NULL, NULL));
    CHECK_EQ_UINT(pending_in_closed(&bed), 0);
    (void)put(bed.db, "b", "what is in the journal only"); /* and is in nobody's way */
    CHECK_EQ_UINT(pending_in_closed(&bed), 0);
    bed_close(&bed);
}

static int take_journal(void *arg, const char *name)
{
    bool is_journal = strncmp(name, "journal-", 8) == 0;
    if (is_journal) {
        CHECK(dir_join(arg, "db", name));
    }
    return is_journal;
}

/* What a recycled segment held before may lie there, and nothing tells what it is. */
static void put_behind_the_journal(struct bed *bed, const char *octets, size_t size)
{
    char path[PATH_BYTES] = "";
    struct os_file *file = NULL;
    uint64_t end;
    CHECK_OK(os_dir_list(sim_disk_env(bed->disk), "db", take_journal, path, NULL));
    CHECK_OK(os_file_open(sim_disk_env(bed->disk), path, OS_OPEN_WRITE, &file, NULL));
    CHECK_OK(os_file_size(file, &end, NULL));
    CHECK_OK(os_file_write(file, end, octets, size, NULL));
    os_file_close(file);
}

TEST(an_erasure_is_pending_where_octets_lie_behind_the_journal)
{
    static const char zeros[8192];
    struct bed bed;
    struct yore_options options;
    yore_options_init(&options);
    options.read_only = true;
    bed_open(&bed);
    (void)put(bed.db, "a", "plain");
    (void)erase_key(bed.db, "a", AT(0), YORE_FOREVER); /* of a span: its rule stays */
    CHECK_OK(yore_compact(bed.db, NULL, NULL));
    CHECK_OK(yore_close(bed.db, NULL));
    for (int has_octets = 0; has_octets < 2; has_octets++) {
        put_behind_the_journal(&bed, zeros, sizeof zeros);
        if (has_octets) {
            put_behind_the_journal(&bed, "plain", 5);
        }
        CHECK_OK(db_open_inline(sim_disk_env(bed.disk), "db", &options, &bed.db, NULL));
        CHECK_EQ_UINT(pending(&bed), has_octets);
        CHECK_OK(yore_close(bed.db, NULL));
    }
    sim_disk_free(bed.disk);
}

TEST(an_erasure_is_pending_while_a_spare_segment_is_found)
{
    struct bed bed;
    struct os_file *file = NULL;
    bed_open(&bed);
    (void)erase_key(bed.db, "a", AT(0), YORE_FOREVER); /* of a span: its rule stays */
    CHECK_OK(yore_compact(bed.db, NULL, NULL));
    CHECK_EQ_UINT(pending_in_closed(&bed), 0);
    CHECK_OK(os_file_open(sim_disk_env(bed.disk), "db/journal-free-0000000000000001.log",
                          OS_OPEN_CREATE, &file, NULL));
    os_file_close(file);
    CHECK_EQ_UINT(pending_in_closed(&bed), 1); /* whose opening to write takes it away */
    CHECK_OK(yore_compact(bed.db, NULL, NULL));
    CHECK_EQ_UINT(pending_in_closed(&bed), 0);
    bed_close(&bed);
}

/* What an open batch or load has in the file of an erased value stays, and nothing else does. */
TEST(erased_values_leave_the_file_that_open_writers_have_values_in)
{
    struct bed bed;
    struct yore_batch *batch;
    struct yore_load *load;
    char own[LARGE + 1];
    bed_open(&bed);
    memset(own, 'o', LARGE);
    own[LARGE] = '\0';
    (void)put(bed.db, "a", large_secret());
    CHECK_OK(yore_batch_new(bed.db, &batch, NULL));
    CHECK_OK(yore_batch_put(batch, NULL, text("b"), text(own), NULL, NULL));
    CHECK_OK(yore_load_open(bed.db, NULL, &load, NULL));
    CHECK_OK(yore_load_put(load, text("c"), text(own), NULL));
    (void)put(bed.db, "a", large_secret());
    CHECK_OK(yore_load_put(load, text("d"), text(own), NULL));
    (void)erase_key(bed.db, "a", YORE_TIME_MIN, YORE_FOREVER);
    CHECK_EQ_UINT(pending(&bed), 1);
    CHECK_OK(yore_compact(bed.db, NULL, NULL));
    CHECK_EQ_UINT(pending(&bed), 0);
    check_gone(&bed, "db");
    CHECK_OK(yore_checkpoint(bed.db, "copy", NULL));
    check_gone(&bed, "copy");
    CHECK_OK(yore_batch_commit(batch, YORE_DURABILITY_DEFAULT, NULL, NULL));
    CHECK_OK(yore_load_commit(load, NULL, NULL));
    yore_batch_free(batch);
    for (int i = 0; i < 2; i++) {
        CHECK_EQ_STR(get(bed.db, "b"), own);
        CHECK_EQ_STR(get(bed.db, "c"), own);
        CHECK_EQ_STR(get(bed.db, "d"), own);
        CHECK_EQ_STR(get(bed.db, "a"), "!");
        bed_reopen(&bed);
    }
    CHECK_OK(yore_compact(bed.db, NULL, NULL));
    (void)verify(&bed);
    bed_close(&bed);
}

TEST(values_of_a_batch_that_was_given_up_leave)
{
    struct bed bed;
    struct yore_batch *batch;
    bed_open(&bed);
    CHECK_OK(yore_batch_new(bed.db, &batch, NULL));
    CHECK_OK(yore_batch_put(batch, NULL, text("b"), text(large_secret()), NULL, NULL));
    CHECK_OK(yore_compact(bed.db, NULL, NULL));
    CHECK(hunt(&bed, "db", SECRET).values > 0);
    yore_batch_free(batch);
    CHECK_OK(yore_compact(bed.db, NULL, NULL));
    check_gone(&bed, "db");
    bed_close(&bed);
}

TEST(an_erasure_is_pending_while_a_reader_holds_files)
{
    for (int is_large = 0; is_large < 2; is_large++) {
        struct bed bed;
        struct yore_cursor *cursor;
        struct yore_keyspace_options plain = {.compression = YORE_COMPRESSION_NONE};
        bed_open(&bed);
        CHECK_OK(yore_keyspace_alter(bed.db, NULL, &plain, NULL));
        (void)put(bed.db, "a", is_large ? large_secret() : secret("a table"));
        (void)put(bed.db, "b", "public");
        CHECK_OK(yore_flush(bed.db, NULL));
        CHECK_OK(yore_cursor_open(bed.db, NULL, NULL, &cursor, NULL));
        CHECK_OK(yore_cursor_next(cursor));
        (void)erase_key(bed.db, "a", YORE_TIME_MIN, YORE_FOREVER);
        CHECK_OK(yore_compact(bed.db, NULL, NULL));
        CHECK(hunt(&bed, "db", SECRET).found[0] != '\0');
        CHECK_EQ_UINT(pending(&bed), 1);
        yore_cursor_close(cursor);
        CHECK_EQ_UINT(pending(&bed), is_large); /* and nothing of it is a stray file */
        CHECK_OK(yore_compact(bed.db, NULL, NULL));
        CHECK_EQ_UINT(pending(&bed), 0);
        check_gone(&bed, "db");
        bed_close(&bed);
    }
}

TEST(large_values_that_left_the_tables_leave_the_disk_with_the_next_compaction)
{
    struct bed bed;
    struct yore_keyspace *space;
    struct yore_keyspace_options options = {.keep = YORE_KEEP_NOW};
    bed_open(&bed);
    CHECK_OK(yore_keyspace_create(bed.db, "now", &options, &space, NULL));
    CHECK_OK(yore_put(bed.db, space, text("a"), text(large_secret()), NULL, NULL));
    CHECK_OK(yore_put(bed.db, space, text("b"), text(large_secret()), NULL, NULL));
    CHECK_OK(yore_delete(bed.db, space, text("b"), NULL, NULL));
    CHECK_OK(yore_put(bed.db, space, text("a"), text("small"), NULL, NULL));
    CHECK_OK(yore_compact(bed.db, NULL, NULL));
    CHECK_EQ_UINT(hunt(&bed, "db", SECRET).values, 0);
    bed_close(&bed);
}

struct counter {
    const char *name;
    uint64_t value;
};

static void pick_counter(void *arg, const struct yore_stat *stat)
{
    struct counter *counter = arg;
    if (strcmp(stat->name, counter->name) == 0) {
        counter->value = stat->value;
    }
}

static uint64_t count_of(struct bed *bed, const char *name)
{
    struct counter counter = {name, 0};
    yore_stats(bed->db, pick_counter, &counter);
    return counter.value;
}

TEST(the_versions_of_a_key_are_walked_once_for_all_its_large_values)
{
    enum { VERSIONS = 300 };
    struct bed bed;
    bed_open(&bed);
    for (int i = 0; i < VERSIONS; i++) {
        (void)put(bed.db, "a", large_secret());
    }
    CHECK_OK(yore_compact(bed.db, NULL, NULL));
    uint64_t once = count_of(&bed, "collect_versions");
    CHECK(once >= VERSIONS && once <= 2 * VERSIONS);
    (void)erase_key(bed.db, "a", AT(1), YORE_FOREVER);
    CHECK_EQ_UINT(pending(&bed), 1);
    CHECK_OK(yore_compact(bed.db, NULL, NULL));
    CHECK(count_of(&bed, "collect_versions") - once <= 2 * VERSIONS);
    CHECK_EQ_UINT(pending(&bed), 0);
    bed_close(&bed);
}

/* Opening a database again begins another value file. */
TEST(the_versions_of_a_key_are_walked_once_for_all_the_files_its_values_lie_in)
{
    enum { FILES = 12, VERSIONS = 30 };
    struct bed bed;
    bed_open(&bed);
    for (int i = 0; i < FILES; i++) {
        for (int j = 0; j < VERSIONS; j++) {
            (void)put(bed.db, "a", large_secret());
        }
        (void)put(bed.db, "b", large_secret());
        bed_reopen(&bed);
    }
    CHECK_OK(yore_compact(bed.db, NULL, NULL));
    uint64_t once = count_of(&bed, "collect_versions");
    CHECK_MSG(once >= FILES * VERSIONS && once <= 2 * FILES * VERSIONS, "%d", (int)once);
    (void)erase_key(bed.db, "b", AT(1), YORE_FOREVER);
    CHECK_OK(yore_compact(bed.db, NULL, NULL));
    CHECK_EQ_UINT(pending(&bed), 0);
    CHECK(count_of(&bed, "collect_versions") - once <= 2 * FILES * VERSIONS);
    CHECK_EQ_STR(get(bed.db, "a"), large_secret());
    CHECK_EQ_STR(get(bed.db, "b"), "!");
    bed_close(&bed);
}

TEST(of_the_values_in_a_file_those_that_some_version_has_stay)
{
    enum { KEYS = 7, ROUNDS = 9 };
    struct bed bed;
    struct yore_keyspace *now;
    struct yore_keyspace_options options = {.keep = YORE_KEEP_NOW};
    char value[LARGE + 1];
    char key[16];
    int64_t commits[KEYS][ROUNDS];
    bed_open(&bed);
    CHECK_OK(yore_keyspace_create(bed.db, "now", &options, &now, NULL));
    for (int i = 0; i < KEYS * ROUNDS; i++) {
        (void)snprintf(key, sizeof key, "k%d", i % KEYS);
        (void)snprintf(value, sizeof value, "public %d%0*d", i, LARGE - 20, 0);
        CHECK_OK(yore_put(bed.db, now, text(key), text(large_secret()), NULL, NULL));
        commits[i % KEYS][i / KEYS] = put(bed.db, key, value);
    }
    for (int i = 0; i < KEYS; i++) {
        (void)snprintf(key, sizeof key, "k%d", i);
        CHECK_OK(yore_delete(bed.db, now, text(key), NULL, NULL));
    }
    (void)erase_key(bed.db, "k3", YORE_TIME_MIN, YORE_FOREVER);
    CHECK_OK(yore_compact(bed.db, NULL, NULL));
    CHECK_EQ_UINT(hunt(&bed, "db", SECRET).values, 0);
    for (int i = 0; i < KEYS * ROUNDS; i++) {
        (void)snprintf(key, sizeof key, "k%d", i % KEYS);
        (void)snprintf(value, sizeof value, "public %d%0*d", i, LARGE - 20, 0);
        CHECK_EQ_STR(get_at(bed.db, key, commits[i % KEYS][i / KEYS], YORE_NOW),
                     i % KEYS == 3 ? "!" : value);
    }
    bed_close(&bed);
}

TEST(erased_values_are_in_no_later_backup_and_in_nothing_restored)
{
    struct bed bed;
    struct os_env *env;
    struct yore_backup_info info;
    bed_open(&bed);
    env = sim_disk_env(bed.disk);
    hide_secrets(&bed);
    CHECK_OK(yore_backup(bed.db, "backup", NULL, NULL, &info, NULL));
    erase_all(&bed, false);
    CHECK_OK(yore_backup(bed.db, "backup", NULL, NULL, &info, NULL));
    CHECK_OK(yore_backup(bed.db, "fresh", NULL, NULL, &info, NULL));
    check_gone(&bed, "fresh/files");
    CHECK_OK(yore_checkpoint(bed.db, "copy", NULL));
    check_gone(&bed, "copy");
    for (uint64_t id = 1; id <= 2; id++) {
        char target[32];
        (void)snprintf(target, sizeof target, "restored%d", (int)id);
        struct yore_restore restore = {
            .backup_path = "backup", .target_path = target, .id = id, .to_commit = YORE_FOREVER};
        CHECK_OK(db_restore(env, &restore, NULL));
        check_gone(&bed, target);
    }
    bed_close(&bed);
}

TEST_MAIN(erased_values_leave_every_file,
          an_erasure_is_pending_where_only_the_journal_has_its_value,
          an_erasure_is_not_pending_where_the_stale_journal_begins_with_it,
          a_database_that_is_opened_to_read_tells_that_nothing_is_pending,
          an_erasure_is_pending_where_octets_lie_behind_the_journal,
          an_erasure_is_pending_while_a_spare_segment_is_found,
          erased_values_leave_the_file_that_open_writers_have_values_in,
          values_of_a_batch_that_was_given_up_leave,
          an_erasure_is_pending_while_a_reader_holds_files,
          large_values_that_left_the_tables_leave_the_disk_with_the_next_compaction,
          the_versions_of_a_key_are_walked_once_for_all_its_large_values,
          the_versions_of_a_key_are_walked_once_for_all_the_files_its_values_lie_in,
          of_the_values_in_a_file_those_that_some_version_has_stay,
          erased_values_are_in_no_later_backup_and_in_nothing_restored)
