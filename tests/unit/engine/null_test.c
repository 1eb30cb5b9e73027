/* null_test.c -- NULL where the headers do not allow it is refused with the function's name. */
#include <string.h>

#include "unit/engine/bed.h"

/* One of everything. */
struct opened {
    struct bed bed;
    struct yore_db *db;
    struct yore_batch *batch;
    struct yore_load *load;
    struct yore_txn *txn;
    struct yore_cursor *cursor;
    struct yore_timeline *timeline;
    struct yore_changes *changes;
    struct yore_feed *feed;
    struct yore_watch *watch;
};

static const struct yore_bytes key = {"key", 3};
static const struct yore_timeline_options span = {.to = YORE_FOREVER, .known = YORE_NOW};
static const struct yore_changes_options between = {.to = YORE_NOW, .known = YORE_NOW};

static void open_all(struct opened *s)
{
    *s = (struct opened){0};
    bed_open(&s->bed);
    s->db = s->bed.db;
    CHECK_OK(yore_batch_new(s->db, &s->batch, NULL));
    CHECK_OK(yore_load_open(s->db, NULL, &s->load, NULL));
    CHECK_OK(yore_begin(s->db, &s->txn, NULL));
    CHECK_OK(yore_cursor_open(s->db, NULL, NULL, &s->cursor, NULL));
    CHECK_OK(yore_timeline_open(s->db, NULL, key, &span, &s->timeline, NULL));
    CHECK_OK(yore_changes_open(s->db, NULL, &between, &s->changes, NULL));
    CHECK_OK(yore_feed_open(s->db, YORE_TIME_MIN, &s->feed, NULL));
    CHECK_OK(yore_watch_open(s->db, NULL, &s->watch, NULL));
}

/* Nothing was harmed: all of it closes. */
static void close_all(struct opened *s)
{
    yore_watch_close(s->watch);
    yore_feed_close(s->feed);
    yore_changes_close(s->changes);
    yore_timeline_close(s->timeline);
    yore_cursor_close(s->cursor);
    yore_txn_abort(s->txn);
    yore_load_abort(s->load);
    yore_batch_free(s->batch);
    bed_close(&s->bed);
}

#define REFUSED(name, call)                                                                        \
    do {                                                                                           \
        error.text[0] = '\0';                                                                      \
        CHECK_STATUS(call, YORE_INVALID);                                                          \
        CHECK_MSG(strncmp(error.text, name ": NULL where", strlen(name ": NULL where")) == 0,      \
                  "%s: %s", name, error.text);                                                     \
    } while (0)

static int each_backup(void *arg, const struct yore_backup_info *info)
{
    (void)arg;
    (void)info;
    return 0;
}

static int each_keyspace(void *arg, const struct yore_keyspace_info *info)
{
    (void)arg;
    (void)info;
    return 0;
}

static void each_stat(void *arg, const struct yore_stat *stat)
{
    (void)stat;
    ++*(int *)arg;
}

TEST(null_is_refused_by_single_reads_and_writes)
{
    struct opened s;
    struct yore_error error;
    enum yore_status status;
    const struct yore_bytes no_octets = {NULL, 3};
    struct yore_db *db = NULL;
    struct yore_value value = {0};
    const struct yore_get_many request = {&key, 1, &value, &status};
    const struct yore_erase erase = {.key = key, .from = YORE_TIME_MIN, .to = YORE_FOREVER};
    const struct yore_get_many no_keys = {NULL, 1, &value, &status};
    const struct yore_get_many no_values = {&key, 1, NULL, &status};
    const struct yore_get_many no_statuses = {&key, 1, &value, NULL};
    open_all(&s);
    REFUSED("yore_open", yore_open(NULL, NULL, &db, &error));
    REFUSED("yore_open", yore_open("nothing", NULL, NULL, &error));
    REFUSED("yore_get", yore_get(NULL, NULL, key, NULL, &value, &error));
    REFUSED("yore_get", yore_get(s.db, NULL, key, NULL, NULL, &error));
    REFUSED("yore_get_in_memory", yore_get_in_memory(NULL, NULL, key, NULL, &value, &error));
    REFUSED("yore_get_in_memory", yore_get_in_memory(s.db, NULL, key, NULL, NULL, &error));
    REFUSED("yore_get_many", yore_get_many(NULL, NULL, &request, NULL, &error));
    REFUSED("yore_get_many", yore_get_many(s.db, NULL, NULL, NULL, &error));
    REFUSED("yore_put", yore_put(NULL, NULL, key, key, NULL, &error));
    REFUSED("yore_delete", yore_delete(NULL, NULL, key, NULL, &error));
    REFUSED("yore_sync", yore_sync(NULL, YORE_NOW, &error));
    REFUSED("yore_erase", yore_erase(NULL, NULL, &erase, &error));
    REFUSED("yore_erase", yore_erase(s.db, NULL, NULL, &error));
    REFUSED("yore_get_many", yore_get_many(s.db, NULL, &no_keys, NULL, &error));
    REFUSED("yore_get_many", yore_get_many(s.db, NULL, &no_values, NULL, &error));
    REFUSED("yore_get_many", yore_get_many(s.db, NULL, &no_statuses, NULL, &error));
    CHECK_STATUS(yore_get(s.db, NULL, no_octets, NULL, &value, &error), YORE_INVALID);
    CHECK_STATUS(yore_put(s.db, NULL, no_octets, key, NULL, &error), YORE_INVALID);
    CHECK_STATUS(yore_put(s.db, NULL, key, no_octets, NULL, &error), YORE_INVALID);
    CHECK_OK(yore_put(s.db, NULL, key, (struct yore_bytes){NULL, 0}, NULL, &error));
    close_all(&s);
}

TEST(null_is_refused_by_batches_loads_and_transactions)
{
    struct opened s;
    struct yore_error error;
    struct yore_value value = {0};
    struct yore_batch *batch = NULL;
    struct yore_load *load = NULL;
    struct yore_txn *txn = NULL;
    size_t savepoint = 0;
    struct yore_snapshot *snapshot = NULL;
    open_all(&s);
    REFUSED("yore_batch_new", yore_batch_new(NULL, &batch, &error));
    REFUSED("yore_batch_new", yore_batch_new(s.db, NULL, &error));
    REFUSED("yore_batch_put", yore_batch_put(NULL, NULL, key, key, NULL, &error));
    REFUSED("yore_batch_delete", yore_batch_delete(NULL, NULL, key, NULL, &error));
    REFUSED("yore_batch_cut", yore_batch_cut(NULL, &error));
    REFUSED("yore_batch_commit", yore_batch_commit(NULL, YORE_DURABILITY_DEFAULT, NULL, &error));
    REFUSED("yore_load_open", yore_load_open(NULL, NULL, &load, &error));
    REFUSED("yore_load_open", yore_load_open(s.db, NULL, NULL, &error));
    REFUSED("yore_load_put", yore_load_put(NULL, key, key, &error));
    REFUSED("yore_load_commit", yore_load_commit(NULL, NULL, &error));
    REFUSED("yore_begin", yore_begin(NULL, &txn, &error));
    REFUSED("yore_begin", yore_begin(s.db, NULL, &error));
    REFUSED("yore_txn_get", yore_txn_get(NULL, NULL, key, NULL, &value, &error));
    REFUSED("yore_txn_get", yore_txn_get(s.txn, NULL, key, NULL, NULL, &error));
    REFUSED("yore_txn_put", yore_txn_put(NULL, NULL, key, key, NULL, &error));
    REFUSED("yore_txn_delete", yore_txn_delete(NULL, NULL, key, NULL, &error));
    REFUSED("yore_txn_savepoint", yore_txn_savepoint(NULL, &savepoint, &error));
    REFUSED("yore_txn_savepoint", yore_txn_savepoint(s.txn, NULL, &error));
    REFUSED("yore_txn_rollback_to", yore_txn_rollback_to(NULL, 0, &error));
    REFUSED("yore_txn_release_savepoint", yore_txn_release_savepoint(NULL, 0, &error));
    REFUSED("yore_txn_commit", yore_txn_commit(NULL, YORE_DURABILITY_DEFAULT, NULL, &error));
    REFUSED("yore_snapshot_take", yore_snapshot_take(NULL, &snapshot, &error));
    REFUSED("yore_snapshot_take", yore_snapshot_take(s.db, NULL, &error));
    close_all(&s);
}

TEST(null_is_refused_by_cursors_and_walks)
{
    struct opened s;
    struct yore_error error;
    struct yore_cursor *cursor = NULL;
    struct yore_timeline *timeline = NULL;
    struct yore_version version;
    struct yore_changes *changes = NULL;
    struct yore_change change;
    struct yore_feed *feed = NULL;
    struct yore_watch *watch = NULL;
    struct yore_feed_commit commit;
    open_all(&s);
    REFUSED("yore_cursor_open", yore_cursor_open(NULL, NULL, NULL, &cursor, &error));
    REFUSED("yore_cursor_open", yore_cursor_open(s.db, NULL, NULL, NULL, &error));
    REFUSED("yore_txn_cursor_open", yore_txn_cursor_open(NULL, NULL, NULL, &cursor, &error));
    REFUSED("yore_txn_cursor_open", yore_txn_cursor_open(s.txn, NULL, NULL, NULL, &error));
    CHECK_STATUS(yore_cursor_first(NULL), YORE_INVALID);
    CHECK_STATUS(yore_cursor_last(NULL), YORE_INVALID);
    CHECK_STATUS(yore_cursor_seek(NULL, key), YORE_INVALID);
    CHECK_STATUS(yore_cursor_seek_back(NULL, key), YORE_INVALID);
    CHECK_STATUS(yore_cursor_next(NULL), YORE_INVALID);
    CHECK_STATUS(yore_cursor_prev(NULL), YORE_INVALID);
    REFUSED("yore_timeline_open", yore_timeline_open(NULL, NULL, key, &span, &timeline, &error));
    REFUSED("yore_timeline_open", yore_timeline_open(s.db, NULL, key, NULL, &timeline, &error));
    REFUSED("yore_timeline_open", yore_timeline_open(s.db, NULL, key, &span, NULL, &error));
    REFUSED("yore_txn_timeline_open",
            yore_txn_timeline_open(NULL, NULL, key, &span, &timeline, &error));
    REFUSED("yore_txn_timeline_open",
            yore_txn_timeline_open(s.txn, NULL, key, NULL, &timeline, &error));
    REFUSED("yore_txn_timeline_open",
            yore_txn_timeline_open(s.txn, NULL, key, &span, NULL, &error));
    REFUSED("yore_timeline_next", yore_timeline_next(NULL, &version, &error));
    REFUSED("yore_timeline_next", yore_timeline_next(s.timeline, NULL, &error));
    REFUSED("yore_changes_open", yore_changes_open(NULL, NULL, &between, &changes, &error));
    REFUSED("yore_changes_open", yore_changes_open(s.db, NULL, NULL, &changes, &error));
    REFUSED("yore_changes_open", yore_changes_open(s.db, NULL, &between, NULL, &error));
    REFUSED("yore_changes_next", yore_changes_next(NULL, &change, &error));
    REFUSED("yore_changes_next", yore_changes_next(s.changes, NULL, &error));
    REFUSED("yore_feed_open", yore_feed_open(NULL, YORE_TIME_MIN, &feed, &error));
    REFUSED("yore_feed_open", yore_feed_open(s.db, YORE_TIME_MIN, NULL, &error));
    REFUSED("yore_feed_open_kept", yore_feed_open_kept(NULL, NULL, NULL, &feed, &error));
    REFUSED("yore_feed_open_kept", yore_feed_open_kept(s.db, NULL, NULL, NULL, &error));
    REFUSED("yore_feed_next", yore_feed_next(NULL, &commit, &error));
    REFUSED("yore_feed_next", yore_feed_next(s.feed, NULL, &error));
    REFUSED("yore_watch_open", yore_watch_open(NULL, NULL, &watch, &error));
    REFUSED("yore_watch_open", yore_watch_open(s.db, NULL, NULL, &error));
    REFUSED("yore_watch_next", yore_watch_next(NULL, 0, &commit, &error));
    REFUSED("yore_watch_next", yore_watch_next(s.watch, 0, NULL, &error));
    close_all(&s);
}

TEST(null_is_refused_by_keyspaces_and_upkeep)
{
    struct opened s;
    struct yore_error error;
    const struct yore_restore no_backup = {.target_path = "nothing"};
    struct yore_keyspace *keyspace = NULL;
    struct yore_keyspace_info info;
    struct yore_keyspace_usage usage;
    const struct yore_restore restore = {.backup_path = "nothing"};
    const struct yore_keyspace_options keep = {.keep = YORE_KEEP_ALL};
    open_all(&s);
    REFUSED("yore_keyspace_create", yore_keyspace_create(NULL, "space", NULL, &keyspace, &error));
    REFUSED("yore_keyspace_create", yore_keyspace_create(s.db, NULL, NULL, &keyspace, &error));
    REFUSED("yore_keyspace_create", yore_keyspace_create(s.db, "space", NULL, NULL, &error));
    REFUSED("yore_keyspace_open", yore_keyspace_open(NULL, "space", NULL, &keyspace, &error));
    REFUSED("yore_keyspace_open", yore_keyspace_open(s.db, NULL, NULL, &keyspace, &error));
    REFUSED("yore_keyspace_open", yore_keyspace_open(s.db, "space", NULL, NULL, &error));
    REFUSED("yore_keyspace_drop", yore_keyspace_drop(NULL, "space", &error));
    REFUSED("yore_keyspace_drop", yore_keyspace_drop(s.db, NULL, &error));
    REFUSED("yore_keyspace_alter", yore_keyspace_alter(NULL, NULL, &keep, &error));
    REFUSED("yore_keyspace_alter", yore_keyspace_alter(s.db, NULL, NULL, &error));
    REFUSED("yore_keyspace_info", yore_keyspace_info(NULL, NULL, &info, &error));
    REFUSED("yore_keyspace_info", yore_keyspace_info(s.db, NULL, NULL, &error));
    REFUSED("yore_keyspace_list", yore_keyspace_list(NULL, NULL, each_keyspace, NULL, &error));
    REFUSED("yore_keyspace_list", yore_keyspace_list(s.db, NULL, NULL, NULL, &error));
    REFUSED("yore_keyspace_usage", yore_keyspace_usage(NULL, NULL, &usage, &error));
    REFUSED("yore_keyspace_usage", yore_keyspace_usage(s.db, NULL, NULL, &error));
    REFUSED("yore_trim", yore_trim(NULL, NULL, 0, &error));
    REFUSED("yore_flush", yore_flush(NULL, &error));
    REFUSED("yore_compact", yore_compact(NULL, NULL, &error));
    REFUSED("yore_checkpoint", yore_checkpoint(NULL, "nothing", &error));
    REFUSED("yore_checkpoint", yore_checkpoint(s.db, NULL, &error));
    REFUSED("yore_backup", yore_backup(NULL, "nothing", NULL, NULL, NULL, &error));
    REFUSED("yore_backup", yore_backup(s.db, NULL, NULL, NULL, NULL, &error));
    REFUSED("yore_backup_list", yore_backup_list(NULL, each_backup, NULL, &error));
    REFUSED("yore_backup_list", yore_backup_list("nothing", NULL, NULL, &error));
    REFUSED("yore_restore", yore_restore(NULL, &error));
    REFUSED("yore_verify", yore_verify(NULL, NULL, NULL, NULL, &error));
    REFUSED("yore_verify_path", yore_verify_path(NULL, NULL, NULL, NULL, &error));
    REFUSED("yore_restore", yore_restore(&restore, &error));
    REFUSED("yore_restore", yore_restore(&no_backup, &error));
    close_all(&s);
}

TEST(what_returns_no_status_takes_null_too)
{
    int count = 0;
    CHECK_EQ_INT(yore_now(NULL), 0);
    CHECK_EQ_UINT(yore_batch_count(NULL), 0);
    CHECK_EQ_UINT(yore_load_count(NULL), 0);
    CHECK_EQ_INT(yore_txn_time(NULL).valid, 0);
    CHECK_EQ_INT(yore_snapshot_time(NULL).known, 0);
    CHECK_EQ_INT(yore_watch_position(NULL), 0);
    CHECK(yore_cursor_row(NULL) == NULL && yore_cursor_error(NULL) == NULL);
    yore_options_init(NULL);
    yore_batch_clear(NULL);
    yore_batch_revert(NULL);
    yore_feed_rewind(NULL);
    yore_watch_cancel(NULL);
    yore_stats(NULL, each_stat, &count);
    CHECK_EQ_INT(count, 0);
    yore_value_release(NULL);
    yore_batch_free(NULL);
    yore_load_abort(NULL);
    yore_txn_abort(NULL);
    yore_snapshot_release(NULL);
    yore_cursor_close(NULL);
    yore_timeline_close(NULL);
    yore_changes_close(NULL);
    yore_feed_close(NULL);
    yore_watch_close(NULL);
    CHECK_OK(yore_close(NULL, NULL));
}

TEST_MAIN(null_is_refused_by_single_reads_and_writes,
          null_is_refused_by_batches_loads_and_transactions, null_is_refused_by_cursors_and_walks,
          null_is_refused_by_keyspaces_and_upkeep, what_returns_no_status_takes_null_too)
