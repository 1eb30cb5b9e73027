/* Opening to read: everything is there, nothing is written, everything that writes is refused. */
#include <stdio.h>
#include <string.h>

#include "os/sim_disk.h"
#include "support/store.h"
#include "support/test.h"
#include "unit/engine/bed.h"

static struct yore_options reading(void)
{
    struct yore_options options;
    store_options_tiny(&options);
    options.read_only = true;
    return options;
}

static enum yore_status open_to_read(struct bed *bed, struct yore_db **db_out,
                                     struct yore_error *error_out)
{
    struct yore_options options = reading();
    return db_open_inline(sim_disk_env(bed->disk), "db", &options, db_out, error_out);
}

/* Tables, history, a large value, an erasure, a keyspace, and a tail that was not flushed. */
static void fill(struct bed *bed)
{
    struct yore_keyspace *other = NULL;
    char large[600];
    memset(large, 'x', sizeof large);
    for (int i = 0; i < 40; i++) {
        char key[8];
        snprintf(key, sizeof key, "k%d", i % 8);
        (void)put_at(bed->db, key, "old", AT(i), YORE_FOREVER);
    }
    CHECK_OK(yore_put(bed->db, NULL, text("large"), (struct yore_bytes){large, sizeof large}, NULL,
                      NULL));
    CHECK_OK(yore_compact(bed->db, NULL, NULL));
    (void)put(bed->db, "gone", "secret");
    (void)erase_key(bed->db, "gone", YORE_TIME_MIN, YORE_FOREVER);
    CHECK_OK(yore_keyspace_create(bed->db, "other", NULL, &other, NULL));
    CHECK_OK(yore_put(bed->db, other, text("k"), text("v"), NULL, NULL));
    (void)put(bed->db, "tail", "new");
}

static void check_filled(struct yore_db *db)
{
    struct yore_value value;
    struct yore_keyspace *other = NULL;
    CHECK_EQ_STR(get(db, "tail"), "new");
    CHECK_EQ_STR(get(db, "gone"), "!");
    CHECK_EQ_STR(get_at(db, "k3", AT(11), YORE_NOW), "old");
    CHECK_EQ_STR(get_at(db, "k3", AT(2), YORE_NOW), "-");
    CHECK_OK(yore_get(db, NULL, text("large"), NULL, &value, NULL));
    CHECK_EQ_UINT(value.size, 600);
    yore_value_release(&value);
    CHECK_OK(yore_keyspace_open(db, "other", NULL, &other, NULL));
    CHECK_OK(yore_get(db, other, text("k"), NULL, &value, NULL));
    yore_value_release(&value);
}

static int feed_commits(struct yore_db *db)
{
    struct yore_feed *feed = NULL;
    struct yore_feed_commit commit;
    int count = 0;
    CHECK_OK(yore_feed_open(db, YORE_TIME_MIN, &feed, NULL));
    while (yore_feed_next(feed, &commit, NULL) == YORE_OK) {
        count++;
    }
    yore_feed_close(feed);
    return count;
}

TEST(everything_is_there_and_nothing_is_written)
{
    static const enum sim_crash_mode modes[3] = {SIM_CRASH_KEEP_ALL, SIM_CRASH_DROP_ALL,
                                                 SIM_CRASH_RANDOM};
    for (int i = 0; i < 4; i++) { /* after each kind of crash, and after a clean close */
        struct bed bed;
        struct yore_db *db = NULL;
        bed_open(&bed);
        fill(&bed);
        int commits = feed_commits(bed.db);
        if (i < 3) {
            sim_disk_crash(bed.disk, modes[i], 7);
            (void)yore_close(bed.db, NULL);
        } else {
            CHECK_OK(yore_close(bed.db, NULL));
        }
        sim_disk_reset_count(bed.disk);
        for (int round = 0; round < 2; round++) {
            CHECK_OK(open_to_read(&bed, &db, NULL));
            check_filled(db);
            CHECK_EQ_INT(feed_commits(db), commits);
            CHECK_OK(yore_verify(db, NULL, NULL, NULL, NULL));
            CHECK_EQ_UINT(store_stat(db, "is_failed"), 0);
            CHECK_OK(yore_close(db, NULL));
            CHECK_EQ_UINT(sim_disk_op_count(bed.disk), 0);
        }
        bed.db = NULL;
        struct yore_options options;
        store_options_tiny(&options);
        CHECK_OK(db_open_inline(sim_disk_env(bed.disk), "db", &options, &bed.db, NULL));
        check_filled(bed.db);
        bed_close(&bed);
    }
}

TEST(a_full_disk_can_be_read)
{
    struct bed bed;
    struct yore_db *db = NULL;
    bed_open(&bed);
    fill(&bed);
    sim_disk_crash(bed.disk, SIM_CRASH_KEEP_ALL, 1);
    (void)yore_close(bed.db, NULL);
    sim_disk_set_capacity(bed.disk, sim_disk_used(bed.disk));
    struct yore_options options;
    store_options_tiny(&options);
    CHECK_STATUS(db_open_inline(sim_disk_env(bed.disk), "db", &options, &db, NULL), YORE_NO_SPACE);
    CHECK_OK(open_to_read(&bed, &db, NULL));
    check_filled(db);
    CHECK_OK(yore_close(db, NULL));
    sim_disk_free(bed.disk);
}

/* A value that is larger than the room there is ends writing, and leaves the room as it was: enough
 * to open the database again, to write what is smaller. */
TEST(a_value_that_does_not_fit_leaves_a_database_that_opens)
{
    struct bed bed;
    static char large[200u << 10];
    struct yore_error error;
    bed_open(&bed);
    fill(&bed);
    uint64_t used = sim_disk_used(bed.disk);
    sim_disk_set_capacity(bed.disk, used + sizeof large / 2);
    CHECK_STATUS(
        yore_put(bed.db, NULL, text("k"), (struct yore_bytes){large, sizeof large}, NULL, &error),
        YORE_NO_SPACE);
    CHECK(sim_disk_used(bed.disk) < used + 1024); /* a value file was begun */
    CHECK_STATUS(yore_close(bed.db, NULL), YORE_NO_SPACE);
    bed.db = NULL;
    bed_reopen(&bed);
    check_filled(bed.db);
    (void)put(bed.db, "small", "value");
    bed_close(&bed);
}

TEST(what_a_full_disk_keeps_from_being_opened_says_what_to_do)
{
    struct bed bed;
    struct yore_db *db = NULL;
    struct yore_options options;
    struct yore_error error = {.text = ""};
    bed_open(&bed);
    fill(&bed);
    CHECK_OK(yore_close(bed.db, NULL));
    sim_disk_set_capacity(bed.disk, sim_disk_used(bed.disk));
    store_options_tiny(&options);
    CHECK_STATUS(db_open_inline(sim_disk_env(bed.disk), "db", &options, &db, &error),
                 YORE_NO_SPACE);
    CHECK_MSG(strstr(error.text, "free space, or open it to read only") != NULL, "%s", error.text);
    CHECK_OK(open_to_read(&bed, &db, NULL));
    check_filled(db);
    CHECK_OK(yore_close(db, NULL));
    sim_disk_free(bed.disk);
}

/* Whatever is missing to the copy of the journal and the new manifest. */
TEST(an_opening_that_a_full_disk_ends_gives_back_what_it_took)
{
    struct bed bed;
    struct yore_options options;
    struct yore_db *db = NULL;
    enum yore_status st = YORE_NO_SPACE;
    static char value[250];
    bed_open(&bed);
    fill(&bed);
    /* Or the memtable is full before all of the tail is in it. */
    CHECK_OK(yore_flush(bed.db, NULL));
    for (int i = 0; i < 100; i++) {
        CHECK_OK(yore_put(bed.db, NULL, text("tail"), (struct yore_bytes){value, sizeof value},
                          NULL, NULL));
    }
    (void)put(bed.db, "tail", "new");
    sim_disk_crash(bed.disk, SIM_CRASH_KEEP_ALL, 1);
    (void)yore_close(bed.db, NULL);
    store_options_tiny(&options);
    uint64_t used = sim_disk_used(bed.disk);
    uint64_t room = 0;
    for (; st == YORE_NO_SPACE; room += 331) {
        sim_disk_set_capacity(bed.disk, used + room);
        st = db_open_inline(sim_disk_env(bed.disk), "db", &options, &db, NULL);
        if (st == YORE_NO_SPACE) { /* a manifest that is not current goes with the next opening */
            CHECK_MSG(sim_disk_used(bed.disk) < used + 4096, "%llu octets are left behind",
                      (unsigned long long)(sim_disk_used(bed.disk) - used));
        }
    }
    CHECK_OK(st);
    CHECK(room > sizeof value * 100); /* for the copy at least */
    check_filled(db);
    CHECK_OK(yore_close(db, NULL));
    sim_disk_free(bed.disk);
}

/* Closed segments that were kept for the feed, and of which a writer would now let some go and keep
 * their files to write to again. */
TEST(segments_kept_for_the_feed_stay_as_they_are)
{
    struct bed bed = {.disk = sim_disk_new(1)};
    struct os_env *env = sim_disk_env(bed.disk);
    struct yore_options options;
    struct yore_db *db = NULL;
    static char large[200];
    sim_disk_set_wall(bed.disk, BED_T0);
    store_options_tiny(&options);
    options.feed_retention_bytes = 64u << 20;
    CHECK_OK(db_open_inline(env, "db", &options, &bed.db, NULL));
    for (int i = 0; i < 4000; i++) {
        CHECK_OK(yore_put(bed.db, NULL, text("k"), (struct yore_bytes){large, sizeof large}, NULL,
                          NULL));
    }
    CHECK_OK(yore_flush(bed.db, NULL));
    CHECK(store_stat(bed.db, "journal_held_bytes") > 8 * options.segment_bytes);
    int commits = feed_commits(bed.db);
    CHECK_OK(yore_close(bed.db, NULL));
    sim_disk_reset_count(bed.disk);
    for (uint64_t i = 0; i < 3; i++) { /* nothing is to be kept, less than there is, more */
        options.feed_retention_bytes = i * i << 18;
        options.read_only = true;
        CHECK_OK(db_open_inline(env, "db", &options, &db, NULL));
        CHECK_EQ_INT(feed_commits(db), commits);
        CHECK(store_stat(db, "journal_held_bytes") > 8 * options.segment_bytes);
        CHECK_OK(yore_close(db, NULL));
        CHECK_EQ_UINT(sim_disk_op_count(bed.disk), 0);
    }
    sim_disk_free(bed.disk);
}

#define REFUSED(call) CHECK_STATUS(call, YORE_READ_ONLY)

TEST(everything_that_writes_is_refused)
{
    struct bed bed;
    struct yore_db *db = NULL;
    struct yore_keyspace *space = NULL;
    struct yore_batch *batch = NULL;
    struct yore_txn *txn = NULL;
    struct yore_load *load = NULL;
    struct yore_error error;
    static char large[2000];
    bed_open(&bed);
    fill(&bed);
    CHECK_OK(yore_close(bed.db, NULL));
    CHECK_OK(open_to_read(&bed, &db, NULL));
    REFUSED(yore_put(db, NULL, text("k"), text("v"), NULL, &error));
    CHECK(strstr(error.text, "db was opened to read only") != NULL);
    REFUSED(yore_put(db, NULL, text("k"), (struct yore_bytes){large, sizeof large}, NULL, NULL));
    REFUSED(yore_delete(db, NULL, text("k"), NULL, NULL));
    struct yore_write span = {.from = AT(1), .to = AT(2), .is_span = true};
    REFUSED(yore_put(db, NULL, text("k"), text("v"), &span, NULL));
    struct yore_erase erase = {.key = text("k"), .from = YORE_TIME_MIN, .to = YORE_FOREVER};
    REFUSED(yore_erase(db, NULL, &erase, NULL));
    CHECK_OK(yore_batch_new(db, &batch, NULL));
    CHECK_OK(yore_batch_put(batch, NULL, text("k"), text("v"), NULL, NULL));
    REFUSED(yore_batch_commit(batch, YORE_DURABILITY_DEFAULT, NULL, NULL));
    yore_batch_free(batch);
    CHECK_OK(yore_begin(db, &txn, NULL));
    CHECK_EQ_STR(txn_get(txn, "tail"), "new");
    CHECK_OK(yore_txn_put(txn, NULL, text("k"), text("v"), NULL, NULL));
    REFUSED(yore_txn_commit(txn, YORE_DURABILITY_DEFAULT, NULL, NULL));
    REFUSED(yore_load_open(db, NULL, &load, NULL));
    REFUSED(yore_keyspace_create(db, "more", NULL, &space, NULL));
    REFUSED(yore_keyspace_drop(db, "other", NULL));
    REFUSED(yore_trim(db, NULL, AT(1), NULL));
    REFUSED(yore_flush(db, NULL));
    REFUSED(yore_compact(db, NULL, NULL));
    REFUSED(yore_checkpoint(db, "copy", NULL));
    REFUSED(yore_backup(db, "backup", NULL, NULL, NULL, NULL));
    check_filled(db);
    CHECK_OK(yore_close(db, NULL));
    sim_disk_free(bed.disk);
}

/* A transaction that only reads, and a watch, which has no more to tell. */
TEST(what_only_reads_works)
{
    struct bed bed;
    struct yore_db *db = NULL;
    struct yore_txn *txn = NULL;
    struct yore_snapshot *snapshot = NULL;
    struct yore_watch *watch = NULL;
    struct yore_feed_commit commit;
    bed_open(&bed);
    fill(&bed);
    CHECK_OK(yore_close(bed.db, NULL));
    CHECK_OK(open_to_read(&bed, &db, NULL));
    CHECK_OK(yore_begin(db, &txn, NULL));
    CHECK_EQ_STR(txn_get(txn, "tail"), "new");
    CHECK_OK(yore_txn_commit(txn, YORE_DURABILITY_DEFAULT, NULL, NULL));
    CHECK_OK(yore_snapshot_take(db, &snapshot, NULL));
    yore_snapshot_release(snapshot);
    struct yore_watch_options options = {.after_commit = YORE_TIME_MIN};
    CHECK_OK(yore_watch_open(db, &options, &watch, NULL));
    enum yore_status st = YORE_OK;
    int told = 0;
    while ((st = yore_watch_next(watch, YORE_FOREVER, &commit, NULL)) == YORE_OK) {
        told++;
    }
    CHECK(told > 0);
    CHECK_STATUS(st, YORE_READ_ONLY);
    yore_watch_close(watch);
    CHECK_OK(yore_close(db, NULL));
    sim_disk_free(bed.disk);
}

TEST(readers_share_and_keep_a_writer_out)
{
    struct bed bed;
    struct yore_db *readers[2] = {NULL, NULL};
    struct yore_db *writer = NULL;
    struct yore_options options;
    struct yore_error error;
    store_options_tiny(&options);
    bed_open(&bed);
    fill(&bed);
    CHECK_STATUS(open_to_read(&bed, &readers[0], NULL), YORE_LOCKED);
    CHECK_OK(yore_close(bed.db, NULL));
    CHECK_OK(open_to_read(&bed, &readers[0], NULL));
    CHECK_OK(open_to_read(&bed, &readers[1], NULL));
    CHECK_OK(yore_close(readers[0], NULL));
    struct os_env *env = sim_disk_env(bed.disk);
    CHECK_STATUS(db_open_inline(env, "db", &options, &writer, &error), YORE_LOCKED);
    CHECK(strstr(error.text, "read") != NULL);
    check_filled(readers[1]);
    CHECK_OK(yore_close(readers[1], NULL));
    CHECK_OK(db_open_inline(env, "db", &options, &writer, NULL));
    CHECK_OK(yore_close(writer, NULL));
    sim_disk_free(bed.disk);
}

TEST(where_there_is_no_database_none_is_made)
{
    struct sim_disk *disk = sim_disk_new(1);
    struct os_env *env = sim_disk_env(disk);
    struct yore_options options = reading();
    struct yore_db *db = NULL;
    CHECK_STATUS(db_open_inline(env, "db", &options, &db, NULL), YORE_NOT_FOUND);
    CHECK_OK(os_dir_make(env, "db", NULL));
    sim_disk_reset_count(disk);
    CHECK_STATUS(db_open_inline(env, "db", &options, &db, NULL), YORE_NOT_FOUND);
    CHECK_EQ_UINT(sim_disk_op_count(disk), 0);
    options.must_not_exist = true;
    CHECK_STATUS(db_open_inline(env, "db", &options, &db, NULL), YORE_INVALID);
    sim_disk_free(disk);
}

TEST_MAIN(everything_is_there_and_nothing_is_written, a_full_disk_can_be_read,
          a_value_that_does_not_fit_leaves_a_database_that_opens,
          what_a_full_disk_keeps_from_being_opened_says_what_to_do,
          an_opening_that_a_full_disk_ends_gives_back_what_it_took,
          segments_kept_for_the_feed_stay_as_they_are, everything_that_writes_is_refused,
          what_only_reads_works, readers_share_and_keep_a_writer_out,
          where_there_is_no_database_none_is_made)
