/* savepoint_test.c -- going back within a transaction. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "engine/txn.h"
#include "unit/engine/bed.h"

static struct yore_txn *begin(struct yore_db *db)
{
    struct yore_txn *txn = NULL;
    CHECK_OK(yore_begin(db, &txn, NULL));
    return txn;
}

static void txn_put(struct yore_txn *txn, const char *key, const char *value)
{
    CHECK_OK(yore_txn_put(txn, NULL, text(key), text(value), NULL, NULL));
}

static enum yore_status commit(struct yore_txn *txn)
{
    return yore_txn_commit(txn, YORE_DURABILITY_DEFAULT, NULL, NULL);
}

static size_t save(struct yore_txn *txn)
{
    size_t savepoint = 0;
    CHECK_OK(yore_txn_savepoint(txn, &savepoint, NULL));
    return savepoint;
}

TEST(rollback_drops_the_writes_since_the_savepoint)
{
    struct bed bed;
    size_t first = 0;
    size_t second = 0;
    bed_open(&bed);
    struct yore_txn *txn = begin(bed.db);
    txn_put(txn, "a", "1");
    CHECK_OK(yore_txn_savepoint(txn, &first, NULL));
    txn_put(txn, "a", "2");
    CHECK_EQ_STR(txn_get(txn, "a"), "2");
    CHECK_OK(yore_txn_savepoint(txn, &second, NULL));
    txn_put(txn, "b", "2");
    CHECK_OK(yore_txn_rollback_to(txn, second, NULL));
    CHECK_EQ_STR(txn_get(txn, "b"), "-");
    CHECK_EQ_STR(txn_get(txn, "a"), "2");
    CHECK_OK(yore_txn_rollback_to(txn, first, NULL));
    CHECK_EQ_STR(txn_get(txn, "a"), "1");
    CHECK_STATUS(yore_txn_rollback_to(txn, second, NULL), YORE_INVALID);
    txn_put(txn, "c", "3");
    CHECK_OK(yore_txn_rollback_to(txn, first, NULL)); /* the savepoint itself is kept */
    txn_put(txn, "d", "4");
    CHECK_OK(commit(txn));
    CHECK_EQ_STR(get(bed.db, "a"), "1");
    CHECK_EQ_STR(get(bed.db, "b"), "-");
    CHECK_EQ_STR(get(bed.db, "c"), "-");
    CHECK_EQ_STR(get(bed.db, "d"), "4");
    bed_close(&bed);
}

TEST(rollback_does_not_forget_what_was_read)
{
    struct bed bed;
    size_t savepoint = 0;
    bed_open(&bed);
    struct yore_txn *txn = begin(bed.db);
    CHECK_OK(yore_txn_savepoint(txn, &savepoint, NULL));
    CHECK_EQ_STR(txn_get(txn, "a"), "-");
    CHECK_OK(yore_txn_rollback_to(txn, savepoint, NULL));
    txn_put(txn, "b", "1");
    put(bed.db, "a", "1");
    CHECK_STATUS(commit(txn), YORE_CONFLICT);
    bed_close(&bed);
}

TEST(savepoints_nest_to_a_thousand)
{
    struct bed bed;
    size_t savepoint = 0;
    bed_open(&bed);
    struct yore_txn *txn = begin(bed.db);
    for (int i = 0; i < 1000; i++) {
        CHECK_OK(yore_txn_savepoint(txn, &savepoint, NULL));
    }
    CHECK_STATUS(yore_txn_savepoint(txn, &savepoint, NULL), YORE_TOO_BIG);
    yore_txn_abort(txn);
    bed_close(&bed);
}

TEST(a_savepoint_that_is_released_keeps_its_writes_and_takes_none_of_the_thousand)
{
    struct bed bed;
    bed_open(&bed);
    struct yore_txn *txn = begin(bed.db);
    size_t outer = save(txn);
    for (int i = 0; i < 3000; i++) {
        size_t savepoint = save(txn);
        txn_put(txn, "a", "1");
        (void)save(txn); /* is released with it */
        CHECK_OK(yore_txn_release_savepoint(txn, savepoint, NULL));
        CHECK_STATUS(yore_txn_release_savepoint(txn, savepoint, NULL), YORE_INVALID);
        CHECK_STATUS(yore_txn_rollback_to(txn, savepoint, NULL), YORE_INVALID);
    }
    CHECK_EQ_STR(txn_get(txn, "a"), "1");
    CHECK_OK(yore_txn_rollback_to(txn, outer, NULL));
    CHECK_EQ_STR(txn_get(txn, "a"), "-");
    yore_txn_abort(txn);
    bed_close(&bed);
}

/* ---- what it costs ---- */

/* Allocations stand for work: making the overlay of all facts anew takes many. */
TEST(going_back_costs_what_is_dropped)
{
    enum { FACTS = 20000, ROUNDS = 400 };
    struct bed bed;
    char key[32];
    bed_open(&bed);
    struct yore_txn *txn = begin(bed.db);
    for (int i = 0; i < FACTS; i++) {
        (void)snprintf(key, sizeof key, "key/%05d", i);
        txn_put(txn, key, "some value of an own write");
    }
    CHECK_EQ_STR(txn_get(txn, "none"), "-");
    mem_fail_at(UINT64_MAX, false); /* counts */
    for (int i = 0; i < ROUNDS; i++) {
        size_t savepoint = save(txn);
        (void)snprintf(key, sizeof key, "key/%05d", i % 7);
        txn_put(txn, key, "dropped");
        CHECK_EQ_STR(txn_get(txn, key), "dropped");
        CHECK_OK(yore_txn_rollback_to(txn, savepoint, NULL));
        CHECK_OK(yore_txn_release_savepoint(txn, savepoint, NULL));
        CHECK_EQ_STR(txn_get(txn, key), "some value of an own write");
    }
    uint64_t allocations = mem_count();
    mem_fail_at(0, false);
    CHECK_MSG(allocations < 50u * ROUNDS, "%llu allocations", (unsigned long long)allocations);
    CHECK_OK(commit(txn));
    CHECK_EQ_STR(get(bed.db, "key/00003"), "some value of an own write");
    bed_close(&bed);
}

/* Large values that are dropped again and again take no more memory than what stays. */
TEST(what_was_dropped_does_not_pile_up)
{
    enum { ROUNDS = 2000 };
    struct bed bed;
    static char value[64 << 10];
    bed_open(&bed);
    struct yore_txn *txn = begin(bed.db);
    for (int i = 0; i < ROUNDS; i++) {
        size_t savepoint = save(txn);
        CHECK_OK(yore_txn_put(txn, NULL, text("k"), bytes_of(value, sizeof value), NULL, NULL));
        CHECK_EQ_STR(txn_get(txn, "other"), "-"); /* makes the overlay */
        CHECK_OK(yore_txn_rollback_to(txn, savepoint, NULL));
        CHECK_OK(yore_txn_release_savepoint(txn, savepoint, NULL));
        struct memtable_bounds bounds = {.bytes = 0};
        if (txn->overlay != NULL) {
            memtable_bounds(txn->overlay, &bounds);
        }
        CHECK(bounds.bytes < 1u << 20);
    }
    yore_txn_abort(txn);
    bed_close(&bed);
}

/* ---- against a transaction that was never rolled back ---- */

enum { OPS = 400, SAVES = 12 };

struct op {
    int key;
    int value; /* 0: a delete */
    int64_t from;
};

struct run {
    struct bed bed;
    struct test_rand rand;
    struct yore_txn *txn;
    struct op ops[OPS];
    size_t count;
    struct {
        size_t savepoint;
        size_t count;
    } saves[SAVES];
    size_t save_count;
    struct yore_cursor *open; /* or NULL: what it tells is that of its opening */
    char open_rows[4096];
};

static void apply(struct yore_txn *txn, const struct op *op)
{
    char key[16];
    char value[16];
    struct yore_write write = {.from = op->from, .to = YORE_FOREVER};
    (void)snprintf(key, sizeof key, "k%d", op->key);
    (void)snprintf(value, sizeof value, "v%d", op->value);
    CHECK_OK(op->value == 0 ? yore_txn_delete(txn, NULL, text(key), &write, NULL)
                            : yore_txn_put(txn, NULL, text(key), text(value), &write, NULL));
}

static void tell_rows(struct yore_cursor *cursor, bool is_back, char *rows, size_t size)
{
    size_t used = 0;
    rows[0] = '\0';
    while ((is_back ? yore_cursor_prev(cursor) : yore_cursor_next(cursor)) == YORE_OK) {
        const struct yore_row *row = yore_cursor_row(cursor);
        used += (size_t)snprintf(rows + used, size - used, "%.*s=%.*s ", (int)row->key.size,
                                 (const char *)row->key.data, (int)row->value.size,
                                 (const char *)row->value.data);
    }
}

static struct yore_cursor *open_at(struct yore_txn *txn, int64_t valid)
{
    struct yore_time at = {valid, YORE_NOW};
    struct yore_cursor_options options = {.at = valid == YORE_NOW ? NULL : &at};
    struct yore_cursor *cursor = NULL;
    CHECK_OK(yore_txn_cursor_open(txn, NULL, &options, &cursor, NULL));
    return cursor;
}

static void scan(struct yore_txn *txn, int64_t valid, bool is_back, char *rows, size_t size)
{
    struct yore_cursor *cursor = open_at(txn, valid);
    tell_rows(cursor, is_back, rows, size);
    yore_cursor_close(cursor);
}

static void compare(struct run *run)
{
    static char got[4096];
    static char want[4096];
    struct yore_txn *plain = begin(run->bed.db);
    for (size_t i = 0; i < run->count; i++) {
        apply(plain, &run->ops[i]);
    }
    const int64_t moments[] = {YORE_NOW, AT(5), AT(15)};
    for (size_t i = 0; i < 3; i++) {
        for (int is_back = 0; is_back < 2; is_back++) {
            scan(run->txn, moments[i], is_back, got, sizeof got);
            scan(plain, moments[i], is_back, want, sizeof want);
            CHECK_EQ_STR(got, want);
        }
        char key[16];
        char expected[64];
        (void)snprintf(key, sizeof key, "k%d", (int)test_rand_below(&run->rand, 8));
        (void)snprintf(expected, sizeof expected, "%s", txn_get_at(plain, key, moments[i]));
        CHECK_EQ_STR(txn_get_at(run->txn, key, moments[i]), expected);
    }
    yore_txn_abort(plain);
}

static void write_one(struct run *run)
{
    struct op *op = &run->ops[run->count++];
    const int64_t froms[] = {YORE_NOW, YORE_NOW, AT(3), AT(10), AT(20)};
    *op = (struct op){.key = (int)test_rand_below(&run->rand, 8),
                      .value = (int)test_rand_below(&run->rand, 5),
                      .from = froms[test_rand_below(&run->rand, 5)]};
    apply(run->txn, op);
}

static void go_back(struct run *run)
{
    size_t i = (size_t)test_rand_below(&run->rand, run->save_count);
    CHECK_OK(yore_txn_rollback_to(run->txn, run->saves[i].savepoint, NULL));
    run->count = run->saves[i].count;
    run->save_count = i + 1;
}

static void check_open(struct run *run)
{
    char rows[4096];
    tell_rows(run->open, false, rows, sizeof rows);
    CHECK_EQ_STR(rows, run->open_rows);
    yore_cursor_close(run->open);
    run->open = NULL;
}

static void step(struct run *run)
{
    uint64_t kind = test_rand_below(&run->rand, 10);
    if (kind < 5 && run->count < OPS) {
        write_one(run);
    } else if (kind == 5 && run->save_count < SAVES) {
        run->saves[run->save_count].savepoint = save(run->txn);
        run->saves[run->save_count++].count = run->count;
    } else if (kind < 8 && run->save_count > 0) {
        go_back(run);
    } else if (kind == 8 && run->save_count > 0) {
        size_t savepoint = run->saves[--run->save_count].savepoint;
        CHECK_OK(yore_txn_release_savepoint(run->txn, savepoint, NULL));
    } else if (run->open != NULL) {
        check_open(run);
    } else {
        scan(run->txn, YORE_NOW, false, run->open_rows, sizeof run->open_rows);
        run->open = open_at(run->txn, YORE_NOW);
    }
    if (test_rand_one_in(&run->rand, 3)) { /* so that the overlay lags at times */
        compare(run);
    }
}

TEST(after_any_rollbacks_a_transaction_reads_as_one_without)
{
    struct run run = {.rand = test_rand_new(0)};
    bed_open(&run.bed);
    for (int i = 0; i < 8; i += 2) {
        char key[16];
        (void)snprintf(key, sizeof key, "k%d", i);
        (void)put_at(run.bed.db, key, "base", AT(1), YORE_FOREVER);
    }
    run.txn = begin(run.bed.db);
    for (int i = 0; i < 600; i++) {
        step(&run);
    }
    if (run.open != NULL) {
        check_open(&run);
    }
    compare(&run);
    yore_txn_abort(run.txn);
    bed_close(&run.bed);
}

TEST_MAIN(rollback_drops_the_writes_since_the_savepoint, rollback_does_not_forget_what_was_read,
          savepoints_nest_to_a_thousand,
          a_savepoint_that_is_released_keeps_its_writes_and_takes_none_of_the_thousand,
          going_back_costs_what_is_dropped, what_was_dropped_does_not_pile_up,
          after_any_rollbacks_a_transaction_reads_as_one_without)
