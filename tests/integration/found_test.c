/* found_test.c -- what the random and crash suites found, each as the shortest case that showed it.
 */
#include <string.h>

#include "base/bytes.h"
#include "engine/db.h"
#include "os/env.h"
#include "support/store.h"
#include "support/test.h"

static struct sim_disk *disk;
static struct yore_options options;

static struct yore_db *open_db(void)
{
    struct yore_db *db = NULL;
    struct yore_error error = {0};
    enum yore_status status = db_open_inline(sim_disk_env(disk), STORE_PATH, &options, &db, &error);
    CHECK_MSG(status == YORE_OK, "%s", error.text);
    return db;
}

static struct yore_db *open_fresh(void)
{
    disk = sim_disk_new(1);
    store_options_tiny(&options);
    return open_db();
}

static void close_all(struct yore_db *db)
{
    CHECK_OK(yore_close(db, NULL));
    sim_disk_free(disk);
}

static struct yore_bytes text(const char *string)
{
    return bytes_of(string, strlen(string));
}

static int64_t put(struct yore_db *db, const char *key, const char *value, int64_t from)
{
    int64_t commit = 0;
    struct yore_write write = {from, YORE_FOREVER, false, YORE_DURABILITY_DEFAULT, &commit};
    CHECK_OK(yore_put(db, NULL, text(key), text(value), &write, NULL));
    return commit;
}

static int64_t remove_key(struct yore_db *db, const char *key)
{
    int64_t commit = 0;
    struct yore_write write = {YORE_NOW, YORE_FOREVER, false, YORE_DURABILITY_DEFAULT, &commit};
    CHECK_OK(yore_delete(db, NULL, text(key), &write, NULL));
    return commit;
}

static enum yore_status get(struct yore_db *db, const char *key, int64_t valid, int64_t known)
{
    struct yore_value value = {0};
    struct yore_time at = {valid, known};
    enum yore_status status = yore_get(db, NULL, text(key), &at, &value, NULL);
    if (status == YORE_OK) {
        yore_value_release(&value);
    }
    return status;
}

/* The slice that was just sealed ends after the last commit: it is not where the present is. */
TEST(a_read_at_the_last_commit_after_a_seal_meets_the_present)
{
    struct yore_db *db = open_fresh();
    struct yore_batch *batch = NULL;
    int64_t commit = 0;
    CHECK_OK(yore_batch_new(db, &batch, NULL));
    CHECK_OK(yore_batch_put(batch, NULL, text("p"), text("value"), NULL, NULL));
    CHECK_OK(yore_batch_delete(batch, NULL, text("n"), NULL, NULL));
    CHECK_OK(yore_batch_commit(batch, YORE_DURABILITY_DEFAULT, &commit, NULL));
    yore_batch_free(batch);
    CHECK_OK(yore_compact(db, NULL, NULL));
    CHECK_OK(get(db, "p", commit, YORE_NOW));
    CHECK_OK(get(db, "p", commit, commit));
    CHECK_STATUS(get(db, "p", commit - 1, YORE_NOW), YORE_NOT_FOUND);
    close_all(db);
}

TEST(a_timeline_from_tables_honours_what_is_known)
{
    struct yore_db *db = open_fresh();
    int64_t first = put(db, "k", "a", YORE_NOW);
    (void)put(db, "k", "b", YORE_NOW);
    CHECK_OK(yore_flush(db, NULL));
    struct yore_timeline *timeline = NULL;
    struct yore_timeline_options known = {
        .from = YORE_TIME_MIN, .to = YORE_FOREVER, .known = first, .every_commit = true};
    struct yore_version version;
    CHECK_OK(yore_timeline_open(db, NULL, text("k"), &known, &timeline, NULL));
    CHECK_OK(yore_timeline_next(timeline, &version, NULL));
    CHECK_EQ_INT(version.commit, first);
    CHECK_STATUS(yore_timeline_next(timeline, &version, NULL), YORE_NOT_FOUND);
    yore_timeline_close(timeline);
    close_all(db);
}

/* The record of it is larger than values that are stored apart. */
TEST(a_long_key_can_be_erased)
{
    struct yore_db *db = open_fresh();
    char key[600];
    memset(key, 'k', sizeof key);
    struct yore_bytes name = bytes_of(key, sizeof key);
    CHECK_OK(yore_put(db, NULL, name, text("secret"), NULL, NULL));
    struct yore_erase erase = {.key = name, .from = YORE_TIME_MIN, .to = YORE_FOREVER};
    CHECK_OK(yore_erase(db, NULL, &erase, NULL));
    CHECK_OK(yore_close(db, NULL));
    db = open_db();
    struct yore_value value;
    CHECK_STATUS(yore_get(db, NULL, name, NULL, &value, NULL), YORE_ERASED);
    close_all(db);
}

/* In a memtable the erased version still has its octets. */
TEST(a_version_erased_in_memory_reads_as_erased_after_its_span)
{
    struct yore_db *db = open_fresh();
    int64_t begin = put(db, "k", "secret", YORE_NOW);
    sim_disk_advance(disk, 1000000);
    int64_t end = yore_now(db);
    struct yore_erase erase = {.key = text("k"), .from = begin, .to = end};
    CHECK_OK(yore_erase(db, NULL, &erase, NULL));
    CHECK_STATUS(get(db, "k", end + 1, begin), YORE_ERASED);
    close_all(db);
}

/* The delete has left the current tree; the transaction's own fact is older than it. */
TEST(a_delete_in_history_beats_an_older_fact_of_a_transaction)
{
    struct yore_db *db = open_fresh();
    int64_t first = put(db, "k", "a", YORE_NOW);
    (void)remove_key(db, "k");
    CHECK_OK(yore_compact(db, NULL, NULL));
    struct yore_txn *txn = NULL;
    struct yore_value value;
    struct yore_write late = {first - 5, YORE_FOREVER, false, YORE_DURABILITY_DEFAULT, NULL};
    CHECK_OK(yore_begin(db, &txn, NULL));
    CHECK_OK(yore_txn_put(txn, NULL, text("k"), text("late"), &late, NULL));
    CHECK_STATUS(yore_txn_get(txn, NULL, text("k"), NULL, &value, NULL), YORE_NOT_FOUND);
    yore_txn_abort(txn);
    close_all(db);
}

TEST(large_values_of_the_first_session_are_read_in_the_next)
{
    struct yore_db *db = open_fresh();
    static char large[5000];
    CHECK_OK(yore_put(db, NULL, text("k"), bytes_of(large, sizeof large), NULL, NULL));
    CHECK_OK(yore_close(db, NULL));
    db = open_db();
    CHECK_OK(get(db, "k", YORE_NOW, YORE_NOW));
    CHECK_OK(yore_compact(db, NULL, NULL));
    CHECK_OK(get(db, "k", YORE_NOW, YORE_NOW));
    close_all(db);
}

TEST(the_default_keyspace_has_an_id)
{
    CHECK(yore_keyspace_id(NULL) > 0);
}

struct journal_file {
    char path[256];
    uint64_t size;
};

static void find_journal(void *arg, const char *path, uint64_t size)
{
    struct journal_file *found = arg;
    if (strstr(path, "journal-0") != NULL && strcmp(path, found->path) > 0) {
        memcpy(found->path, path, strlen(path) + 1);
        found->size = size;
    }
}

/* After a clean close a shorter journal is not the torn tail of a crash. */
TEST(a_journal_cut_after_a_clean_close_is_reported)
{
    struct yore_db *db = open_fresh();
    struct journal_file journal = {"", 0};
    struct yore_error error = {0};
    (void)put(db, "k", "a", YORE_NOW);
    CHECK_OK(yore_close(db, NULL));
    store_files(disk, STORE_PATH, find_journal, &journal);
    CHECK(journal.size > 20);
    CHECK(sim_disk_truncate_file(disk, journal.path, journal.size / 2));
    CHECK_STATUS(db_open_inline(sim_disk_env(disk), STORE_PATH, &options, &db, &error),
                 YORE_CORRUPT);
    CHECK(strstr(error.text, "journal-") != NULL && strstr(error.text, "offset") != NULL);
    sim_disk_free(disk);
}

TEST_MAIN(a_read_at_the_last_commit_after_a_seal_meets_the_present,
          a_timeline_from_tables_honours_what_is_known, a_long_key_can_be_erased,
          a_version_erased_in_memory_reads_as_erased_after_its_span,
          a_delete_in_history_beats_an_older_fact_of_a_transaction,
          large_values_of_the_first_session_are_read_in_the_next, the_default_keyspace_has_an_id,
          a_journal_cut_after_a_clean_close_is_reported)
