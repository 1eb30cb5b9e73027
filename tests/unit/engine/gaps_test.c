/* gaps_test.c -- what was deleted in front is not stepped over again, and nothing that is there is
 * ever passed by. */
#include "engine/gaps.h"

#include <stdio.h>
#include <string.h>

#include "engine/cursor.h"
#include "unit/engine/bed.h"

#define SPACE 7u

/* ---- by itself ---- */

struct watched {
    struct gaps gaps;
    int64_t assigned;
};

static int64_t assigned(void *arg)
{
    return ((struct watched *)arg)->assigned;
}

/* What is known from `from` on at the moment: where it ends, "-" nothing, "end" that of all keys.
 */
static const char *find(struct watched *w, const char *from, int64_t known)
{
    static char end[GAP_KEY_BYTES + 1];
    struct gap_key high;
    const struct gap_moment moment = {known, known};
    if (!gaps_find(&w->gaps, SPACE, text(from), &moment, &high)) {
        return "-";
    }
    memcpy(end, high.octets, high.size);
    end[high.size] = '\0';
    return high.is_end ? "end" : end;
}

static void note(struct watched *w, const char *from, const char *high, int64_t known)
{
    const struct gap_moment moment = {known, known};
    gaps_note(&w->gaps, SPACE, text(from), text(high), &moment);
}

/* Nothing from "a" to "m", as of 20 and known to be so; watched since 10. */
static void begin(struct watched *w)
{
    *w = (struct watched){.assigned = 10};
    gaps_init(&w->gaps, assigned, w);
    note(w, "a", "m", 10);
    CHECK_EQ_STR(find(w, "a", 100), "-");
    note(w, "a", "m", 20);
    CHECK_EQ_STR(find(w, "a", 20), "m");
}

static void end(struct watched *w)
{
    gaps_release(&w->gaps);
}

TEST(what_two_walks_have_found_empty_is_known_from_then_on)
{
    struct watched w;
    begin(&w);
    CHECK_EQ_STR(find(&w, "c", 30), "m");
    CHECK_EQ_STR(find(&w, "a", 19), "-");
    CHECK_EQ_STR(find(&w, "m", 30), "-");
    CHECK_EQ_STR(find(&w, "", 30), "-");
    note(&w, "b", "n", 20); /* at the same instant */
    CHECK_EQ_STR(find(&w, "a", 20), "n");
    note(&w, "b", "p", 30);
    CHECK_EQ_STR(find(&w, "a", 30), "p");
    CHECK_EQ_STR(find(&w, "a", 29), "-");
    note(&w, "p", "", 40);
    CHECK_EQ_STR(find(&w, "x", 40), "end");
    end(&w);
}

TEST(a_walk_from_before_the_watch_is_not_believed)
{
    struct watched w = {.assigned = 10};
    gaps_init(&w.gaps, assigned, &w);
    note(&w, "a", "m", 5);
    note(&w, "a", "m", 9);
    CHECK_EQ_STR(find(&w, "a", 100), "-");
    note(&w, "a", "m", 10);
    CHECK_EQ_STR(find(&w, "a", 100), "m");
    end(&w);
}

TEST(a_put_inside_ends_the_gap_there)
{
    struct watched w;
    begin(&w);
    gaps_tell(&w.gaps, SPACE, text("f"));
    CHECK_EQ_STR(find(&w, "a", 30), "f");
    CHECK_EQ_STR(find(&w, "f", 30), "-");
    gaps_tell(&w.gaps, SPACE + 1, text("b"));
    gaps_tell(&w.gaps, SPACE, text("A"));
    CHECK_EQ_STR(find(&w, "a", 30), "f");
    gaps_tell(&w.gaps, SPACE, text("a"));
    CHECK_EQ_STR(find(&w, "a", 30), "-");
    end(&w);
}

TEST(a_put_since_the_walk_bounds_what_the_walk_has_found)
{
    struct watched w;
    begin(&w);
    gaps_tell(&w.gaps, SPACE, text("q")); /* perhaps later than the walk that is noted now */
    w.assigned = 50;
    note(&w, "a", "z", 30);
    CHECK_EQ_STR(find(&w, "a", 30), "q");
    note(&w, "a", "z", 49);
    CHECK_EQ_STR(find(&w, "a", 60), "q");
    note(&w, "a", "z", 50); /* it has left again */
    CHECK_EQ_STR(find(&w, "a", 60), "z");
    end(&w);
}

TEST(a_put_that_a_walk_of_the_watch_s_first_commit_has_met_may_have_left_again)
{
    struct watched w;
    begin(&w);
    gaps_tell(&w.gaps, SPACE, text("q"));
    w.assigned = 50;
    gaps_note(&w.gaps, SPACE, text("a"), text("z"), &(struct gap_moment){10, 30});
    CHECK_EQ_STR(find(&w, "a", 60), "q");
    note(&w, "a", "z", 50);
    CHECK_EQ_STR(find(&w, "a", 60), "z");
    end(&w);
}

TEST(of_a_long_key_the_begin_bounds_the_gap)
{
    struct watched w;
    char key[GAP_KEY_BYTES + 40];
    begin(&w);
    memset(key, 'm', sizeof key - 1);
    key[sizeof key - 1] = '\0';
    note(&w, "a", key, 30);
    CHECK_EQ_UINT(strlen(find(&w, "a", 30)), GAP_KEY_BYTES);
    CHECK_EQ_STR(find(&w, key, 30), "-");
    note(&w, key, "z", 30);
    key[0] = 'c';
    gaps_tell(&w.gaps, SPACE, text(key));
    CHECK_EQ_UINT(strlen(find(&w, "a", 30)), GAP_KEY_BYTES);
    CHECK_EQ_STR(find(&w, key, 30), "-");
    end(&w);
}

TEST(a_gap_that_nobody_wants_is_let_go)
{
    struct watched w;
    begin(&w);
    for (unsigned i = 0; i < GAP_PUTS_IDLE_MAX; i++) {
        gaps_tell(&w.gaps, SPACE, text("z"));
    }
    CHECK_EQ_UINT(atomic_load(&w.gaps.watched), 1);
    gaps_tell(&w.gaps, SPACE, text("z"));
    CHECK_EQ_STR(find(&w, "a", 30), "-");
    CHECK_EQ_UINT(atomic_load(&w.gaps.watched), 0);
    end(&w);
}

TEST(the_gap_wanted_longest_ago_makes_room)
{
    struct watched w;
    begin(&w);
    for (unsigned i = 1; i < GAPS_MAX; i++) {
        const struct gap_moment moment = {20, 20};
        gaps_note(&w.gaps, SPACE + i, text("a"), text("m"), &moment);
    }
    CHECK_EQ_STR(find(&w, "a", 20), "m");
    note(&w, "p", "z", 20); /* in the place of that of SPACE + 1 */
    CHECK_EQ_UINT(atomic_load(&w.gaps.watched), GAPS_MAX);
    CHECK_EQ_STR(find(&w, "a", 20), "m");
    end(&w);
}

TEST(where_keys_cannot_be_told_all_gaps_of_the_keyspace_go)
{
    struct watched w;
    begin(&w);
    gaps_forget(&w.gaps, SPACE + 1);
    CHECK_EQ_STR(find(&w, "a", 20), "m");
    gaps_forget(&w.gaps, SPACE);
    CHECK_EQ_STR(find(&w, "a", 20), "-");
    end(&w);
}

/* ---- under cursors ---- */

static const char *job(int number)
{
    static char name[16];
    (void)snprintf(name, sizeof name, "job%06d", number);
    return name;
}

/* The first row's key below `high` ("": in all), or "-"; `*passed` grows by what was stepped over.
 */
static const char *first_below(struct yore_db *db, const char *high, uint64_t *passed)
{
    static char key[64];
    const struct yore_cursor_options options = {.range = {.high = text(high)}};
    struct yore_cursor *cursor;
    CHECK_OK(yore_cursor_open(db, NULL, &options, &cursor, NULL));
    enum yore_status st = yore_cursor_first(cursor);
    (void)snprintf(key, sizeof key, "-");
    if (st == YORE_OK) {
        struct yore_bytes found = yore_cursor_row(cursor)->key;
        (void)snprintf(key, sizeof key, "%.*s", (int)found.size, (const char *)found.data);
    } else {
        CHECK_STATUS(st, YORE_NOT_FOUND);
    }
    *passed += cursor_keys_passed(cursor);
    yore_cursor_close(cursor);
    return key;
}

static const char *first(struct yore_db *db, uint64_t *passed)
{
    return first_below(db, "", passed);
}

TEST(the_first_of_a_queue_is_found_in_a_bounded_number_of_steps)
{
    enum { JOBS = 1000, AHEAD = 5 };
    struct bed bed;
    uint64_t passed = 0;
    bed_open(&bed);
    for (int i = 0; i < AHEAD; i++) {
        put(bed.db, job(i), "x");
    }
    for (int i = 0; i < JOBS; i++) {
        CHECK_EQ_STR(first(bed.db, &passed), job(i));
        put(bed.db, job(i + AHEAD), "x");
        CHECK_OK(yore_delete(bed.db, NULL, text(job(i)), NULL, NULL));
    }
    CHECK_MSG(passed <= JOBS * 2 * GAP_STEPS_MIN, "%llu keys stepped over",
              (unsigned long long)passed);
    bed_close(&bed);
}

TEST(an_emptied_range_is_empty_without_a_step)
{
    struct bed bed;
    uint64_t passed = 0;
    bed_open(&bed);
    for (int i = 0; i < 100; i++) {
        put(bed.db, job(i), "x");
        CHECK_OK(yore_delete(bed.db, NULL, text(job(i)), NULL, NULL));
    }
    CHECK_EQ_STR(first(bed.db, &passed), "-");
    CHECK_EQ_STR(first(bed.db, &passed), "-");
    passed = 0;
    CHECK_EQ_STR(first(bed.db, &passed), "-");
    CHECK_EQ_UINT(passed, 0);
    put(bed.db, job(50), "x");
    CHECK_EQ_STR(first(bed.db, &passed), job(50));
    CHECK_EQ_UINT(passed, 0);
    bed_close(&bed);
}

TEST(a_range_that_ends_behind_a_gap_has_what_lies_behind_it)
{
    struct bed bed;
    char high[16];
    uint64_t passed = 0;
    bed_open(&bed);
    for (int i = 0; i < 100; i++) {
        put(bed.db, job(i), "x");
        CHECK_OK(yore_delete(bed.db, NULL, text(job(i)), NULL, NULL));
    }
    put(bed.db, job(100), "x");
    (void)snprintf(high, sizeof high, "%s", job(100));
    CHECK_EQ_STR(first_below(bed.db, high, &passed), "-");
    CHECK_EQ_STR(first_below(bed.db, high, &passed), "-");
    passed = 0;
    CHECK_EQ_STR(first_below(bed.db, high, &passed), "-");
    CHECK_EQ_STR(first(bed.db, &passed), high);
    (void)snprintf(high, sizeof high, "%s", job(200));
    CHECK_EQ_STR(first_below(bed.db, high, &passed), job(100));
    CHECK_EQ_UINT(passed, 0);
    bed_close(&bed);
}

TEST(a_load_into_a_gap_is_seen)
{
    struct bed bed;
    struct yore_load *load;
    uint64_t passed = 0;
    bed_open(&bed);
    for (int i = 0; i < 100; i++) {
        put(bed.db, job(i), "x");
        CHECK_OK(yore_delete(bed.db, NULL, text(job(i)), NULL, NULL));
    }
    CHECK_EQ_STR(first(bed.db, &passed), "-");
    CHECK_EQ_STR(first(bed.db, &passed), "-");
    CHECK_OK(yore_load_open(bed.db, NULL, &load, NULL));
    CHECK_OK(yore_load_put(load, text(job(40)), text("y"), NULL));
    CHECK_OK(yore_load_commit(load, NULL, NULL));
    CHECK_EQ_STR(first(bed.db, &passed), job(40));
    bed_close(&bed);
}

/* ---- against trying ---- */

#define KEYS 120

/* What holds, and since when the database has known. */
struct model {
    bool is_there[KEYS];
};

static int model_first(const struct model *m, int from)
{
    while (from < KEYS && !m->is_there[from]) {
        from++;
    }
    return from;
}

static void check_seek(struct yore_cursor *cursor, const struct model *m, int from)
{
    int want = model_first(m, from);
    enum yore_status st = yore_cursor_seek(cursor, text(job(from)));
    if (want == KEYS) {
        CHECK_STATUS(st, YORE_NOT_FOUND);
        return;
    }
    CHECK_OK(st);
    struct yore_bytes found = yore_cursor_row(cursor)->key;
    CHECK_EQ_BYTES(found.data, found.size, job(want), strlen(job(want)));
}

static void check_now(struct bed *bed, struct yore_txn *txn, const struct model *m, int from)
{
    struct yore_cursor *cursor;
    CHECK_OK(txn != NULL ? yore_txn_cursor_open(txn, NULL, NULL, &cursor, NULL)
                         : yore_cursor_open(bed->db, NULL, NULL, &cursor, NULL));
    check_seek(cursor, m, from);
    yore_cursor_close(cursor);
}

/* One change, in the database and in the model: deletes in front are frequent. */
static void change(struct bed *bed, struct model *m, struct test_rand *rand)
{
    int key = (int)test_rand_below(rand, KEYS);
    uint64_t luck = test_rand_below(rand, 12);
    if (luck == 0) {
        put_at(bed->db, job(key), "late", AT(key), YORE_FOREVER);
        m->is_there[key] = m->is_there[key] || strcmp(get(bed->db, job(key)), "-") != 0;
    } else if (luck < 5) {
        put(bed->db, job(key), "x");
        m->is_there[key] = true;
    } else {
        key = luck < 10 ? model_first(m, 0) % KEYS : key;
        CHECK_OK(yore_delete(bed->db, NULL, text(job(key)), NULL, NULL));
        m->is_there[key] = false;
    }
}

TEST(seeks_find_what_is_there_at_their_moment_however_much_was_deleted)
{
    struct test_rand rand = test_rand_new(0);
    for (uint64_t rounds = test_scale(10, 100); rounds > 0; rounds--) {
        struct bed bed;
        struct model m = {0};
        struct model held_model = {0};
        struct yore_cursor *held = NULL;
        struct yore_txn *txn = NULL;
        bed_open(&bed);
        for (int i = 0; i < 1500; i++) {
            change(&bed, &m, &rand);
            check_now(&bed, NULL, &m, (int)test_rand_below(&rand, 3) * 10);
            if (held != NULL) {
                check_seek(held, &held_model, (int)test_rand_below(&rand, KEYS));
                check_now(&bed, txn, &held_model, (int)test_rand_below(&rand, 20));
            }
            if (test_rand_one_in(&rand, 100)) {
                yore_cursor_close(held);
                yore_txn_abort(txn);
                held_model = m;
                CHECK_OK(yore_begin(bed.db, &txn, NULL));
                CHECK_OK(yore_cursor_open(bed.db, NULL, NULL, &held, NULL));
            }
            if (test_rand_one_in(&rand, 500)) {
                CHECK_OK(test_rand_one_in(&rand, 2) ? yore_flush(bed.db, NULL)
                                                    : yore_compact(bed.db, NULL, NULL));
            }
        }
        yore_cursor_close(held);
        yore_txn_abort(txn);
        bed_close(&bed);
    }
}

TEST(a_transaction_sees_its_own_writes_in_a_gap)
{
    struct bed bed;
    struct model m = {0};
    struct yore_txn *txn;
    uint64_t passed = 0;
    bed_open(&bed);
    for (int i = 0; i < KEYS; i++) {
        put(bed.db, job(i), "x");
        CHECK_OK(yore_delete(bed.db, NULL, text(job(i)), NULL, NULL));
    }
    CHECK_EQ_STR(first(bed.db, &passed), "-");
    CHECK_EQ_STR(first(bed.db, &passed), "-");
    CHECK_OK(yore_begin(bed.db, &txn, NULL));
    check_now(&bed, txn, &m, 0);
    CHECK_OK(yore_txn_put(txn, NULL, text(job(3)), text("own"), NULL, NULL));
    m.is_there[3] = true;
    check_now(&bed, txn, &m, 0);
    CHECK_EQ_STR(first(bed.db, &passed), "-");
    CHECK_OK(yore_txn_commit(txn, YORE_DURABILITY_NONE, NULL, NULL));
    CHECK_EQ_STR(first(bed.db, &passed), job(3));
    bed_close(&bed);
}

TEST_MAIN(what_two_walks_have_found_empty_is_known_from_then_on,
          a_walk_from_before_the_watch_is_not_believed, a_put_inside_ends_the_gap_there,
          a_put_since_the_walk_bounds_what_the_walk_has_found,
          a_put_that_a_walk_of_the_watch_s_first_commit_has_met_may_have_left_again,
          of_a_long_key_the_begin_bounds_the_gap, a_gap_that_nobody_wants_is_let_go,
          the_gap_wanted_longest_ago_makes_room,
          where_keys_cannot_be_told_all_gaps_of_the_keyspace_go,
          the_first_of_a_queue_is_found_in_a_bounded_number_of_steps,
          an_emptied_range_is_empty_without_a_step,
          a_range_that_ends_behind_a_gap_has_what_lies_behind_it, a_load_into_a_gap_is_seen,
          seeks_find_what_is_there_at_their_moment_however_much_was_deleted,
          a_transaction_sees_its_own_writes_in_a_gap)
