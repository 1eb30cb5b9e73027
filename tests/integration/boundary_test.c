/* boundary_test.c -- every answer at every boundary: where anything begins, ends or was committed,
 * a nanosecond before and after, at every known time, and what is dropped at the horizon.
 *
 * Histories are small and their times few, so that begins, ends, commits, slices and horizons meet
 * at the same moment again and again: that is where `<` and `<=` differ.  Everything is compared
 * with the reference.  The random model (model_test.c) goes deep; this goes along every edge.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "engine/db.h"
#include "support/compare.h"
#include "support/model.h"
#include "support/store.h"
#include "support/test.h"

#define SECOND INT64_C(1000000000)
#define WALL (INT64_C(1000000000) * SECOND)

#define KEYS 4u
#define STEPS_MAX 24u
#define TIMES_MAX 400u
#define SPACES 2u /* the default, which keeps everything, and one that is trimmed */

struct times {
    int64_t items[TIMES_MAX]; /* ascending, each once */
    unsigned count;
};

struct edge {
    struct sim_disk *disk;
    struct yore_options options;
    struct model *model;
    struct compare compare;
    struct test_rand rand;
    int64_t horizon;
    uint64_t seals;
    uint64_t dropped;
};

static void open_edge(struct edge *edge)
{
    struct yore_error error = {0};
    struct yore_db **db = &edge->compare.db;
    CHECK_MSG(db_open_inline(sim_disk_env(edge->disk), STORE_PATH, &edge->options, db, &error) ==
                  YORE_OK,
              "%s", error.text);
    if (yore_keyspace_open(*db, "trimmed", NULL, &edge->compare.keyspaces[1], NULL) != YORE_OK) {
        CHECK_OK(yore_keyspace_create(*db, "trimmed", NULL, &edge->compare.keyspaces[1], NULL));
    }
}

static void close_edge(struct edge *edge)
{
    edge->seals += store_stat(edge->compare.db, "seals");
    edge->dropped += store_stat(edge->compare.db, "slices_dropped") +
                     store_stat(edge->compare.db, "versions_trimmed");
    CHECK_OK(yore_close(edge->compare.db, NULL));
}

/* ---- the moments that matter ---- */

static void note_time(struct times *times, int64_t time)
{
    unsigned i = 0;
    if (time == YORE_FOREVER || time <= YORE_TIME_MIN) {
        return;
    }
    while (i < times->count && times->items[i] < time) {
        i++;
    }
    if (i < times->count && times->items[i] == time) {
        return;
    }
    CHECK(times->count < TIMES_MAX);
    memmove(times->items + i + 1, times->items + i, (times->count - i) * sizeof times->items[0]);
    times->items[i] = time;
    times->count++;
}

static void note_around(struct times *times, int64_t time)
{
    if (time != YORE_FOREVER && time > YORE_TIME_MIN + 1) {
        note_time(times, time - 1);
        note_time(times, time);
        note_time(times, time + 1);
    }
}

static void list_times(const struct edge *edge, unsigned space, struct times *valid,
                       struct times *known)
{
    const struct model_keyspace *keyspace = &edge->model->keyspaces[space];
    int64_t now = yore_now(edge->compare.db);
    valid->count = 0;
    known->count = 0;
    for (size_t i = 0; i < keyspace->count; i++) {
        for (size_t j = 0; j < keyspace->keys[i].count; j++) {
            note_around(valid, keyspace->keys[i].versions[j].valid_from);
            note_around(valid, keyspace->keys[i].versions[j].valid_to);
        }
    }
    for (size_t i = 0; i < keyspace->erasure_count; i++) {
        note_around(valid, keyspace->erasures[i].from);
        note_around(valid, keyspace->erasures[i].to);
    }
    for (size_t i = 0; i < edge->model->commit_count; i++) {
        note_around(known, edge->model->commits[i].commit);
        note_time(valid, edge->model->commits[i].commit);
    }
    if (space == 1) {
        note_around(valid, edge->horizon);
        note_around(known, edge->horizon);
    }
    note_time(valid, now);
    while (known->count > 0 && known->items[known->count - 1] > now) {
        known->count--;
    }
    note_time(known, now);
}

/* Any moment the next fact may be dated with: few, so that they meet. */
static int64_t some_time(struct edge *edge, unsigned space)
{
    static struct times valid;
    static struct times known;
    int64_t now = yore_now(edge->compare.db);
    int64_t least = space == 1 ? edge->horizon : YORE_TIME_MIN;
    list_times(edge, space, &valid, &known);
    int64_t time = WALL - (int64_t)test_rand_below(&edge->rand, 6) * SECOND;
    if (test_rand_one_in(&edge->rand, 2)) {
        time = valid.items[test_rand_below(&edge->rand, valid.count)];
    }
    time = time < least ? least : time;
    return time > now ? now : time;
}

/* ---- writing ---- */

static struct yore_bytes some_key(struct edge *edge)
{
    static const char *const names[KEYS] = {"a", "ab", "b", "c"};
    const char *name = names[test_rand_below(&edge->rand, KEYS)];
    return bytes_of(name, strlen(name));
}

static void draw_write(struct edge *edge, struct model_write *write, char value[300])
{
    uint64_t kind = test_rand_below(&edge->rand, 20);
    unsigned space = (unsigned)test_rand_below(&edge->rand, SPACES);
    size_t size = test_rand_one_in(&edge->rand, 4) ? 300 : 1 + test_rand_below(&edge->rand, 9);
    memset(value, 'a' + (int)test_rand_below(&edge->rand, 4), size);
    *write = (struct model_write){.keyspace = space,
                                  .kind = kind < 12 || kind > 16 ? MODEL_PUT : MODEL_DELETE,
                                  .key = some_key(edge),
                                  .value = bytes_of(value, size),
                                  .from = YORE_NOW,
                                  .to = YORE_FOREVER};
    if (kind % 3 > 0) {
        write->from = some_time(edge, space);
    }
    if (kind == 16 || kind == 17) {
        write->is_span = true;
    }
    if (kind == 18 || (kind == 19 && test_rand_one_in(&edge->rand, 3))) {
        write->kind = MODEL_ERASE;
    }
    if (write->is_span || write->kind == MODEL_ERASE ||
        (write->kind == MODEL_PUT && test_rand_one_in(&edge->rand, 3))) {
        int64_t other = some_time(edge, space);
        int64_t from = write->from == YORE_NOW ? some_time(edge, space) : write->from;
        write->from = from < other ? from : other;
        write->to = from < other ? other : from;
        write->from -= write->from == write->to;
        if (space == 1 && write->from < edge->horizon) {
            write->from = edge->horizon;
            write->to = edge->horizon + 1;
        }
    }
    if (write->kind == MODEL_DELETE && !write->is_span) {
        write->to = YORE_FOREVER;
    }
    if (write->kind != MODEL_PUT) {
        write->value = bytes_of(NULL, 0);
    }
}

static void write_one(struct edge *edge)
{
    char value[300];
    struct model_write write;
    struct yore_error error = {0};
    int64_t commit = 0;
    draw_write(edge, &write, value);
    struct yore_keyspace *space = edge->compare.keyspaces[write.keyspace];
    struct yore_write dates = {
        .from = write.from, .to = write.to, .is_span = write.is_span, .commit_out = &commit};
    struct yore_erase erase = {
        .key = write.key, .from = write.from, .to = write.to, .commit_out = &commit};
    enum yore_status st =
        write.kind == MODEL_ERASE ? yore_erase(edge->compare.db, space, &erase, &error)
        : write.kind == MODEL_PUT
            ? yore_put(edge->compare.db, space, write.key, write.value, &dates, &error)
            : yore_delete(edge->compare.db, space, write.key, &dates, &error);
    CHECK_MSG(st == YORE_OK, "write from %" PRId64 " to %" PRId64 ": %s", write.from, write.to,
              error.text);
    model_apply(edge->model, commit, &write, 1);
}

static void trim(struct edge *edge)
{
    int64_t horizon = some_time(edge, 1);
    CHECK_OK(yore_trim(edge->compare.db, edge->compare.keyspaces[1], horizon, NULL));
    edge->horizon = horizon > edge->horizon ? horizon : edge->horizon;
}

static void disturb(struct edge *edge)
{
    struct yore_error error = {0};
    enum yore_status st = YORE_OK;
    uint64_t what = test_rand_below(&edge->rand, 16);
    if (what == 0) {
        close_edge(edge);
        open_edge(edge);
    } else if (what < 3) {
        st = yore_compact(edge->compare.db, NULL, &error);
    } else if (what < 7) {
        st = yore_flush(edge->compare.db, &error);
    } else if (what < 10) {
        trim(edge);
    }
    CHECK_MSG(st == YORE_OK, "%s", error.text);
}

/* ---- asking ---- */

static void check(const struct edge *edge, bool is_same)
{
    CHECK_MSG(is_same, "%s", edge->compare.text);
}

static void refuse_moment(struct edge *edge, unsigned space, const struct yore_time *at)
{
    struct yore_value value = {0};
    struct yore_cursor *cursor = NULL;
    struct yore_cursor_options options = {.at = at};
    CHECK_STATUS(yore_get(edge->compare.db, edge->compare.keyspaces[space], bytes_of("a", 1), at,
                          &value, NULL),
                 YORE_BEFORE_HORIZON);
    CHECK_STATUS(
        yore_cursor_open(edge->compare.db, edge->compare.keyspaces[space], &options, &cursor, NULL),
        YORE_BEFORE_HORIZON);
}

static void ask_moment(struct edge *edge, unsigned space, struct yore_time time)
{
    struct compare_at at = {&time, time};
    struct yore_cursor_options options = {.at = &time};
    int64_t earliest = time.valid < time.known ? time.valid : time.known;
    if (space == 1 && earliest < edge->horizon) {
        refuse_moment(edge, space, &time);
        return;
    }
    for (unsigned i = 0; i < KEYS; i++) {
        static const char *const names[KEYS] = {"a", "ab", "b", "c"};
        check(edge, compare_get(&edge->compare, space, bytes_of(names[i], strlen(names[i])), &at));
    }
    check(edge, compare_scan(&edge->compare, space, &options, &at, false));
    check(edge, compare_scan(&edge->compare, space, &options, &at, true));
}

static void ask_between(struct edge *edge, unsigned space, const struct times *valid,
                        const struct times *known)
{
    int64_t a = valid->items[test_rand_below(&edge->rand, valid->count)];
    int64_t b = valid->items[test_rand_below(&edge->rand, valid->count)];
    int64_t now = yore_now(edge->compare.db);
    int64_t when = test_rand_one_in(&edge->rand, 2)
                       ? YORE_NOW
                       : known->items[test_rand_below(&edge->rand, known->count)];
    struct yore_timeline_options timeline = {.from = a < b ? a : b,
                                             .to = a < b ? b : a,
                                             .known = when,
                                             .with_in_force = test_rand_one_in(&edge->rand, 2),
                                             .every_commit = test_rand_one_in(&edge->rand, 2),
                                             .is_backward = test_rand_one_in(&edge->rand, 2)};
    struct yore_changes_options changes = {.from = timeline.from,
                                           .to = timeline.to,
                                           .known = when,
                                           .every_version = test_rand_one_in(&edge->rand, 2),
                                           .in_time_order = test_rand_one_in(&edge->rand, 2)};
    if (space == 1 && (timeline.from < edge->horizon || when < edge->horizon)) {
        return;
    }
    check(edge, compare_timeline(&edge->compare, space, some_key(edge), &timeline));
    check(edge, compare_changes(&edge->compare, space, &changes, now));
}

static void tell_problem(void *arg, const char *line)
{
    (void)arg;
    printf("  %s\n", line);
}

static void ask_everything(struct edge *edge)
{
    static struct times valid;
    static struct times known;
    for (unsigned space = 0; space < SPACES; space++) {
        list_times(edge, space, &valid, &known);
        for (unsigned i = 0; i < valid.count; i++) {
            ask_moment(edge, space, (struct yore_time){valid.items[i], YORE_NOW});
            for (unsigned j = 0; j < known.count; j++) {
                ask_moment(edge, space, (struct yore_time){valid.items[i], known.items[j]});
            }
        }
        for (unsigned i = 0; i < 300; i++) {
            ask_between(edge, space, &valid, &known);
        }
    }
    check(edge, compare_versions(&edge->compare, 0));
    struct yore_error error = {0};
    CHECK_MSG(yore_verify(edge->compare.db, tell_problem, NULL, NULL, &error) == YORE_OK, "%s",
              error.text);
    if (edge->horizon != YORE_TIME_MIN) {
        return; /* a feed leaves out what retention let go, whole commits too */
    }
    check(edge, compare_feed(&edge->compare, YORE_TIME_MIN));
    for (size_t i = 0; i < edge->model->commit_count; i++) {
        check(edge, compare_feed(&edge->compare, edge->model->commits[i].commit));
        check(edge, compare_feed(&edge->compare, edge->model->commits[i].commit - 1));
    }
}

TEST(every_answer_at_every_boundary_is_that_of_the_reference)
{
    struct test_rand rand = test_rand_new(0);
    uint64_t seals = 0;
    uint64_t dropped = 0;
    uint64_t reads = 0;
    uint64_t rounds = test_scale(300, 30000);
    for (uint64_t round = 0; round < rounds; round++) {
        struct edge edge = {.rand = {test_rand_u64(&rand)}, .horizon = YORE_TIME_MIN};
        test_note("round %" PRIu64, round);
        store_options_tiny(&edge.options);
        edge.options.seal_versions_per_key = 1;
        edge.options.seal_bytes_min = 1;
        edge.options.feed_retention_bytes = round % 2 == 0 ? 0 : 1u << 20;
        edge.disk = sim_disk_new(round + 1);
        sim_disk_set_wall(edge.disk, WALL);
        edge.model = model_new();
        edge.compare.model = edge.model;
        open_edge(&edge);
        uint64_t steps = 3 + test_rand_below(&edge.rand, STEPS_MAX - 3);
        for (uint64_t i = 0; i < steps; i++) {
            write_one(&edge);
            disturb(&edge);
        }
        ask_everything(&edge);
        close_edge(&edge);
        model_free(edge.model);
        sim_disk_free(edge.disk);
        seals += edge.seals;
        dropped += edge.dropped;
        reads += edge.compare.reads;
    }
    printf("  %" PRIu64 " histories, %" PRIu64 " answers, %" PRIu64 " seals, %" PRIu64 " trimmed\n",
           rounds, reads, seals, dropped);
    test_count(rounds);
    CHECK(seals > rounds);
    CHECK(dropped > 0);
}

TEST_MAIN(every_answer_at_every_boundary_is_that_of_the_reference)
