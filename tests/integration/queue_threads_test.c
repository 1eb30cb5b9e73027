/* queue_threads_test.c -- takers from the front of a range beside those who put: nothing that is
 * there is passed by, everything is taken once.
 *
 * Before it looks for the first job a taker notes the least one that is certainly there.  What it
 * finds must not be behind that one, unless somebody has begun to take that meanwhile.
 */
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include <yore/yore.h>

#include "base/bytes.h"
#include "os/thread.h"
#include "support/store.h"
#include "support/test.h"

#define JOBS 1500
#define TAKERS 2
#define PUTTERS 2

/* Of a job, beside how often it was put. */
enum state { NEVER = 0, COMING, THERE, LEAVING, GONE, STATES };

struct queue {
    struct yore_db *db;
    _Atomic int states[JOBS]; /* STATES * puts + state */
    _Atomic int next;         /* not put yet */
    _Atomic int left;         /* puts, of first jobs and of some once more, minus takes */
    _Atomic int putters;      /* still at work */
};

struct worker {
    struct queue *queue;
    uint64_t number;
};

static struct yore_bytes job(int number, char name[16])
{
    int size = snprintf(name, 16, "job%06d", number);
    return bytes_of(name, (size_t)size);
}

static void put_job(struct queue *q, int number)
{
    char name[16];
    atomic_fetch_add(&q->left, 1);
    CHECK_OK(yore_put(q->db, NULL, job(number, name), bytes_of("x", 1), NULL, NULL));
    int before = atomic_load(&q->states[number]);
    atomic_store(&q->states[number], before - before % STATES + STATES + THERE);
}

static void run_putter(void *arg)
{
    const struct worker *w = arg;
    struct queue *q = w->queue;
    struct test_rand rand = test_rand_new(w->number);
    for (int number; (number = atomic_fetch_add(&q->next, 1)) < JOBS;) {
        int again = (int)test_rand_below(&rand, (uint64_t)number + 1);
        int before = atomic_load(&q->states[again]);
        if (test_rand_one_in(&rand, 8) && before % STATES == GONE &&
            atomic_compare_exchange_strong(&q->states[again], &before, before - GONE + COMING)) {
            put_job(q, again);
        }
        put_job(q, number);
    }
    atomic_fetch_sub(&q->putters, 1);
}

/* `*state_out` is its state, which it has again only if it has not left meanwhile.  JOBS: none. */
static int least_there(struct queue *q, int *state_out)
{
    int number = 0;
    *state_out = NEVER;
    while (number < JOBS && (*state_out = atomic_load(&q->states[number])) % STATES != THERE) {
        number++;
    }
    return number;
}

/* The first job of a cursor, and the check of it; JOBS: none. */
static int first_job(struct queue *q, struct yore_cursor *cursor, int least, int state)
{
    int found = JOBS;
    enum yore_status st = yore_cursor_first(cursor);
    if (st == YORE_OK) {
        char name[16] = "";
        struct yore_bytes key = yore_cursor_row(cursor)->key;
        memcpy(name, key.data, key.size < 15 ? key.size : 15);
        CHECK_EQ_INT(sscanf(name, "job%d", &found), 1);
    } else {
        CHECK_STATUS(st, YORE_NOT_FOUND);
    }
    CHECK_MSG(found <= least || atomic_load(&q->states[least]) != state,
              "job %d was passed by: %d is told as the first", least, found);
    return found;
}

static void take_one(struct queue *q)
{
    struct yore_txn *txn;
    struct yore_cursor *cursor;
    char name[16];
    int state;
    int least = least_there(q, &state);
    CHECK_OK(yore_begin(q->db, &txn, NULL));
    CHECK_OK(yore_txn_cursor_open(txn, NULL, NULL, &cursor, NULL));
    int found = first_job(q, cursor, least, state);
    yore_cursor_close(cursor);
    int there = found < JOBS ? atomic_load(&q->states[found]) : NEVER;
    if (there % STATES != THERE ||
        !atomic_compare_exchange_strong(&q->states[found], &there, there - THERE + LEAVING)) {
        yore_txn_abort(txn); /* somebody else takes it, or it is just being put */
        os_thread_yield();
        return;
    }
    CHECK_OK(yore_txn_delete(txn, NULL, job(found, name), NULL, NULL));
    enum yore_status st = yore_txn_commit(txn, YORE_DURABILITY_NONE, NULL, NULL);
    CHECK(st == YORE_OK || st == YORE_CONFLICT);
    atomic_store(&q->states[found], st == YORE_OK ? there - THERE + GONE : there);
    atomic_fetch_sub(&q->left, st == YORE_OK);
}

static void run_taker(void *arg)
{
    struct queue *q = ((const struct worker *)arg)->queue;
    while (atomic_load(&q->putters) > 0 || atomic_load(&q->left) > 0) {
        take_one(q);
    }
}

TEST(takers_from_the_front_pass_nothing_by)
{
    static struct queue q;
    struct worker workers[TAKERS + PUTTERS];
    struct os_thread *threads[TAKERS + PUTTERS];
    struct yore_options options;
    struct yore_cursor *cursor;
    store_options_tiny(&options);
    options.durability = YORE_DURABILITY_NONE;
    atomic_store(&q.putters, PUTTERS);
    CHECK_OK(yore_open(test_path("db"), &options, &q.db, NULL));
    for (uint64_t i = 0; i < TAKERS + PUTTERS; i++) {
        workers[i] = (struct worker){&q, i};
        CHECK_OK(os_thread_start(i < PUTTERS ? run_putter : run_taker, &workers[i], "queue",
                                 &threads[i], NULL));
    }
    for (size_t i = 0; i < TAKERS + PUTTERS; i++) {
        os_thread_join(threads[i]);
    }
    CHECK_OK(yore_cursor_open(q.db, NULL, NULL, &cursor, NULL));
    CHECK_STATUS(yore_cursor_first(cursor), YORE_NOT_FOUND);
    yore_cursor_close(cursor);
    for (int i = 0; i < JOBS; i++) {
        CHECK_EQ_INT(atomic_load(&q.states[i]) % STATES, GONE);
    }
    CHECK_OK(yore_close(q.db, NULL));
}

TEST_MAIN(takers_from_the_front_pass_nothing_by)
