/* door_test.c -- what opening leaves on the disk, and what a commit that took long may still write.
 */
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "unit/engine/bed.h"

/* ---- opening, and the first large value ---- */

static enum yore_status try_open(struct bed *bed, const char *path, bool must_exist)
{
    struct yore_options options;
    yore_options_init(&options);
    options.must_exist = must_exist;
    options.cache_bytes = 1u << 20;
    return db_open_inline(sim_disk_env(bed->disk), path, &options, &bed->db, NULL);
}

static void begin_disk(struct bed *bed)
{
    bed->disk = sim_disk_new(1);
    sim_disk_set_wall(bed->disk, BED_T0);
}

/* What is acknowledged now is there after a power cut. */
static void check_ack_is_durable(struct bed *bed, const char *path)
{
    CHECK_OK(try_open(bed, path, false));
    put(bed->db, "a", "1");
    sim_disk_crash_at(bed->disk, 1);
    (void)yore_close(bed->db, NULL);
    sim_disk_crash(bed->disk, SIM_CRASH_DROP_ALL, 1);
    CHECK_OK(try_open(bed, path, true));
    CHECK_EQ_STR(get(bed->db, "a"), "1");
    bed_close(bed);
}

TEST(an_option_out_of_its_bounds_is_told_as_it_was_given)
{
    struct bed bed;
    struct yore_options options;
    struct yore_error error;
    begin_disk(&bed);
    yore_options_init(&options);
    options.clock_skew_max_ns = -1;
    CHECK_STATUS(db_open_inline(sim_disk_env(bed.disk), "/db", &options, &bed.db, &error),
                 YORE_INVALID);
    CHECK_EQ_STR(error.text, "option clock_skew_max_ns is -1: 1 to 3600000000000 are allowed");
    options.clock_skew_max_ns = INT64_MIN;
    CHECK_STATUS(db_open_inline(sim_disk_env(bed.disk), "/db", &options, &bed.db, &error),
                 YORE_INVALID);
    CHECK_EQ_STR(error.text, "option clock_skew_max_ns is -9223372036854775808: 1 to "
                             "3600000000000 are allowed");
    options.clock_skew_max_ns = 1;
    options.cache_bytes = UINT64_MAX;
    options.memtable_bytes = 1;
    CHECK_STATUS(db_open(sim_disk_env(bed.disk), "/db", &options, &bed.db, &error), YORE_INVALID);
    CHECK_EQ_STR(error.text, "option memtable_bytes is 1: 65536 to 4294967296 are allowed");
    sim_disk_free(bed.disk);
}

#define EMPTY_PATH(call, what)                                                                     \
    do {                                                                                           \
        CHECK_STATUS(call, YORE_INVALID);                                                          \
        CHECK_MSG(strstr(error.text, what " is empty: name its directory") != NULL, "%s",          \
                  error.text);                                                                     \
    } while (0)

TEST(an_empty_path_is_refused_with_what_to_name)
{
    struct bed bed;
    struct yore_db *db;
    struct yore_error error = {.text = ""};
    struct yore_restore no_target = {.backup_path = "backup", .target_path = ""};
    struct yore_restore no_backup = {.backup_path = "", .target_path = "db"};
    bed_open(&bed);
    EMPTY_PATH(yore_open("", NULL, &db, &error), "path of the database");
    CHECK(db == NULL);
    EMPTY_PATH(yore_checkpoint(bed.db, "", &error), "path of the checkpoint");
    EMPTY_PATH(yore_backup(bed.db, "", NULL, NULL, NULL, &error), "path of the backup");
    EMPTY_PATH(yore_restore(&no_target, &error), "path of the database");
    EMPTY_PATH(yore_restore(&no_backup, &error), "path of the backup");
    EMPTY_PATH(yore_verify_path("", NULL, NULL, NULL, &error), "path of the database");
    bed_close(&bed);
}

TEST(the_directory_itself_is_durable_however_it_is_spelled)
{
    static const char *const paths[] = {"db", "db/", "./db", "db//"};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        struct bed bed;
        begin_disk(&bed);
        check_ack_is_durable(&bed, paths[i]);
    }
}

TEST(a_directory_made_by_an_opening_that_was_killed_is_durable_after_the_next)
{
    for (uint64_t op = 1; op < 12; op++) {
        struct bed bed;
        begin_disk(&bed);
        sim_disk_crash_at(bed.disk, op);
        (void)!try_open(&bed, "db", false);
        (void)!yore_close(bed.db, NULL);
        sim_disk_crash(bed.disk, SIM_CRASH_KEEP_ALL, 1);
        check_ack_is_durable(&bed, "db");
    }
}

static struct yore_bytes large(void)
{
    static char value[5000];
    return (struct yore_bytes){value, sizeof value};
}

/* Whatever became of the file of large values: everything that reads it goes on. */
static void check_upkeep(struct bed *bed)
{
    struct yore_verify_report report;
    struct yore_error error = {.text = ""};
    CHECK_OK(try_open(bed, "db", true));
    enum yore_status st = yore_verify(bed->db, NULL, NULL, &report, &error);
    CHECK_MSG(st == YORE_OK, "%s", error.text);
    erase_key(bed->db, "a", YORE_TIME_MIN, YORE_FOREVER);
    st = yore_compact(bed->db, NULL, &error);
    CHECK_MSG(st == YORE_OK, "%s", error.text);
    st = yore_checkpoint(bed->db, "copy", &error);
    CHECK_MSG(st == YORE_OK, "%s", error.text);
    bed_close(bed);
}

TEST(a_power_cut_during_the_first_large_value_harms_no_upkeep)
{
    bool is_over = false;
    for (uint64_t op = 1; !is_over; op++) {
        for (int mode = SIM_CRASH_KEEP_ALL; mode <= SIM_CRASH_RANDOM; mode++) {
            struct bed bed;
            begin_disk(&bed);
            CHECK_OK(try_open(&bed, "db", false));
            put(bed.db, "a", "1");
            sim_disk_reset_count(bed.disk);
            sim_disk_crash_at(bed.disk, op);
            is_over = yore_put(bed.db, NULL, text("k"), large(), NULL, NULL) == YORE_OK;
            (void)!yore_close(bed.db, NULL);
            sim_disk_crash(bed.disk, (enum sim_crash_mode)mode, op);
            check_upkeep(&bed);
        }
    }
}

TEST(a_failed_call_during_the_first_large_value_harms_no_upkeep)
{
    for (int kind = SIM_FAULT_WRITE; kind <= SIM_FAULT_OTHER; kind++) {
        for (uint64_t nth = 1; nth < 8; nth++) {
            for (int mode = SIM_CRASH_KEEP_ALL; mode <= SIM_CRASH_RANDOM; mode++) {
                struct bed bed;
                begin_disk(&bed);
                CHECK_OK(try_open(&bed, "db", false));
                put(bed.db, "a", "1");
                sim_disk_fail(bed.disk, (enum sim_fault_kind)kind, nth, false);
                (void)!yore_put(bed.db, NULL, text("k"), large(), NULL, NULL);
                sim_disk_fail(bed.disk, (enum sim_fault_kind)kind, 0, false);
                (void)!yore_close(bed.db, NULL);
                sim_disk_crash(bed.disk, (enum sim_crash_mode)mode, nth);
                check_upkeep(&bed);
            }
        }
    }
}

/* ---- commits that were prepared long ago ---- */

static void put_many(struct bed *bed, int rounds)
{
    for (int i = 0; i < rounds; i++) {
        char key[16];
        (void)snprintf(key, sizeof key, "f%03d", i % 40);
        put(bed->db, key, "a value that makes the history grow until it is sealed");
    }
    CHECK_OK(yore_compact(bed->db, NULL, NULL));
}

/* A key that was dead at the horizon, and whose past has been given back since the batch began. */
TEST(a_batch_writes_nothing_before_a_horizon_that_moved_meanwhile)
{
    struct bed bed;
    struct yore_batch *batch;
    struct yore_write late = {.from = AT(15), .to = YORE_FOREVER};
    bed_open(&bed);
    put_at(bed.db, "k", "first", AT(10), YORE_FOREVER);
    delete_at(bed.db, "k", AT(20));
    put_many(&bed, 400);
    CHECK_OK(yore_batch_new(bed.db, &batch, NULL));
    CHECK_OK(yore_batch_put(batch, NULL, text("k"), text("late"), &late, NULL));
    for (int i = 0; i < 3; i++) {
        put_many(&bed, 2000);
    }
    CHECK_OK(yore_trim(bed.db, NULL, yore_now(bed.db) - 1000, NULL));
    CHECK_OK(yore_compact(bed.db, NULL, NULL));
    CHECK_STATUS(yore_batch_commit(batch, YORE_DURABILITY_DEFAULT, NULL, NULL),
                 YORE_BEFORE_HORIZON);
    CHECK_EQ_STR(get(bed.db, "k"), "-");
    yore_batch_clear(batch);
    CHECK_OK(yore_batch_put(batch, NULL, text("k"), text("new"), NULL, NULL));
    CHECK_OK(yore_batch_commit(batch, YORE_DURABILITY_DEFAULT, NULL, NULL));
    CHECK_EQ_STR(get(bed.db, "k"), "new");
    yore_batch_free(batch);
    bed_close(&bed);
}

TEST(nothing_is_written_to_a_keyspace_that_was_dropped_meanwhile)
{
    struct bed bed;
    struct yore_keyspace *keyspace;
    struct yore_batch *batch;
    struct yore_txn *txn;
    bed_open(&bed);
    CHECK_OK(yore_keyspace_create(bed.db, "x", NULL, &keyspace, NULL));
    CHECK_OK(yore_batch_new(bed.db, &batch, NULL));
    CHECK_OK(yore_batch_put(batch, keyspace, text("k"), text("v"), NULL, NULL));
    CHECK_OK(yore_begin(bed.db, &txn, NULL));
    CHECK_OK(yore_txn_put(txn, keyspace, text("k"), text("v"), NULL, NULL));
    CHECK_OK(yore_keyspace_drop(bed.db, "x", NULL));
    CHECK_STATUS(yore_batch_commit(batch, YORE_DURABILITY_DEFAULT, NULL, NULL), YORE_NOT_FOUND);
    CHECK_STATUS(yore_txn_commit(txn, YORE_DURABILITY_DEFAULT, NULL, NULL), YORE_NOT_FOUND);
    yore_batch_free(batch);
    bed_close(&bed);
}

TEST(a_durability_that_does_not_exist_is_refused)
{
    struct bed bed;
    struct yore_txn *txn;
    enum yore_durability unknown = (enum yore_durability)7;
    struct yore_write write = {.from = YORE_NOW, .to = YORE_FOREVER, .durability = unknown};
    struct yore_erase erase = {
        .key = text("a"), .from = YORE_TIME_MIN, .to = YORE_FOREVER, .durability = unknown};
    bed_open(&bed);
    CHECK_STATUS(yore_put(bed.db, NULL, text("a"), text("b"), &write, NULL), YORE_INVALID);
    CHECK_STATUS(yore_erase(bed.db, NULL, &erase, NULL), YORE_INVALID);
    CHECK_OK(yore_begin(bed.db, &txn, NULL));
    CHECK_OK(yore_txn_put(txn, NULL, text("a"), text("b"), NULL, NULL));
    CHECK_STATUS(yore_txn_commit(txn, unknown, NULL, NULL), YORE_INVALID);
    CHECK_OK(yore_begin(bed.db, &txn, NULL)); /* also where there is nothing to make durable */
    CHECK_STATUS(yore_txn_commit(txn, unknown, NULL, NULL), YORE_INVALID);
    CHECK_EQ_STR(get(bed.db, "a"), "-");
    bed_close(&bed);
}

/* ---- interval durability ---- */

struct gate {
    _Atomic bool is_reached;
    _Atomic bool is_open;
};

static void hold_erasure(void *arg, const struct yore_event *event)
{
    struct gate *gate = arg;
    if (event->kind == YORE_EVENT_ERASE && event->is_begin) {
        atomic_store(&gate->is_reached, true);
        while (!atomic_load(&gate->is_open)) {
            test_pause();
        }
    }
}

/* Is the key there after a power cut at this moment? */
static bool would_survive(const struct bed *bed, const char *key)
{
    struct bed after = {.disk = sim_disk_clone(bed->disk, 1)};
    sim_disk_crash(after.disk, SIM_CRASH_DROP_ALL, 1);
    CHECK_OK(try_open(&after, "db", true));
    bool is_there = get(after.db, key)[0] == '1';
    bed_close(&after);
    return is_there;
}

TEST(interval_syncs_do_not_wait_for_upkeep)
{
    struct bed bed;
    struct gate gate = {false, false};
    struct yore_options options;
    begin_disk(&bed);
    yore_options_init(&options);
    options.durability = YORE_DURABILITY_INTERVAL;
    options.interval_ms = 1;
    options.cache_bytes = 1u << 20;
    options.on_event = hold_erasure;
    options.event_arg = &gate;
    CHECK_OK(db_open(sim_disk_env(bed.disk), "db", &options, &bed.db, NULL));
    put(bed.db, "a", "1");
    erase_key(bed.db, "a", YORE_TIME_MIN, YORE_FOREVER);
    while (!atomic_load(&gate.is_reached)) {
        test_pause();
    }
    put(bed.db, "b", "1");
    bool is_durable = false;
    for (int i = 0; i < 60000 && !is_durable; i++) {
        os_sleep_ns(os_env_posix(), 1000000);
        is_durable = would_survive(&bed, "b");
    }
    atomic_store(&gate.is_open, true);
    CHECK(is_durable);
    bed_close(&bed);
}

TEST_MAIN(an_option_out_of_its_bounds_is_told_as_it_was_given,
          an_empty_path_is_refused_with_what_to_name,
          the_directory_itself_is_durable_however_it_is_spelled,
          a_directory_made_by_an_opening_that_was_killed_is_durable_after_the_next,
          a_power_cut_during_the_first_large_value_harms_no_upkeep,
          a_failed_call_during_the_first_large_value_harms_no_upkeep,
          a_batch_writes_nothing_before_a_horizon_that_moved_meanwhile,
          nothing_is_written_to_a_keyspace_that_was_dropped_meanwhile,
          a_durability_that_does_not_exist_is_refused, interval_syncs_do_not_wait_for_upkeep)
