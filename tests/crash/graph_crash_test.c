/* graph_crash_test.c -- the power goes at every disk operation of a graph's life; what is found is
 * a whole graph, with every acknowledged transaction and no half of another.
 */
#include <stdio.h>
#include <string.h>

#include "engine/db.h"
#include "os/sim_disk.h"
#include "support/store.h"
#include "support/test.h"
#include "topology/graph.h"

#define STEPS 40
#define WALL INT64_C(1700000000000000000)
#define LATE (WALL - INT64_C(1000000000000))

struct story {
    struct sim_disk *disk;
    struct yore_options options;
    struct yore_db *db;
    struct graph *graph;
    struct test_rand rand;
    unsigned acked; /* steps that were acknowledged, all of them durable */
};

static struct yore_bytes name_of(char words[24], const char *what, uint64_t number)
{
    int size = snprintf(words, 24, "%s%llu", what, (unsigned long long)number);
    return (struct yore_bytes){words, (size_t)size};
}

static bool open_story(struct story *s, bool creates)
{
    struct yore_error error;
    s->db = NULL;
    s->graph = NULL;
    s->options.must_exist = !creates;
    return db_open_inline(sim_disk_env(s->disk), "db", &s->options, &s->db, &error) == YORE_OK &&
           graph_open(s->db, (struct yore_bytes){"g", 1}, creates, NULL, &s->graph, &error) ==
               YORE_OK;
}

static void close_story(struct story *s)
{
    graph_close(s->graph);
    enum yore_status ignored = yore_close(s->db, NULL);
    (void)ignored; /* it repeats what stopped the database */
}

/* ---- steps ---- */

static uint64_t find(struct story *s, struct graph_txn *txn, uint64_t number)
{
    struct graph_view *view = NULL;
    char words[24];
    uint64_t id = 0;
    if (graph_view_open(s->graph, txn, NULL, &view, NULL) == YORE_OK) {
        enum yore_status st = graph_node_find(view, name_of(words, "n", number), &id, NULL);
        id = st == YORE_OK ? id : 0;
    }
    graph_view_close(view);
    return id;
}

static int64_t some_time(struct story *s)
{
    return test_rand_below(&s->rand, 2) == 0 ? YORE_NOW
                                             : LATE + (int64_t)test_rand_below(&s->rand, 1000000);
}

/* Whether a change is refused says nothing here; whether what is left is whole does. */
static void change(struct story *s, struct graph_txn *txn, const uint32_t tokens[3], unsigned step)
{
    uint64_t a = find(s, txn, test_rand_below(&s->rand, step + 1));
    uint64_t b = find(s, txn, test_rand_below(&s->rand, step + 1));
    struct graph_write write = {.from = some_time(s), .to = YORE_FOREVER, .clips = true};
    struct graph_new_relationship made = {.type = tokens[1], .start_id = a, .end_id = b};
    struct graph_property one = {
        tokens[2], {.kind = YORE_GRAPH_INT, .as.integer = (int64_t)test_rand_below(&s->rand, 5)}};
    uint64_t id;
    enum yore_status st = YORE_OK;
    switch (a == 0 || b == 0 ? 9 : test_rand_below(&s->rand, 6)) {
    case 0:
    case 1:
    case 2:
        st = graph_relationship_create(txn, &made, &write, &id, NULL);
        break;
    case 3:
    case 4:
        st = graph_properties_set(txn, (struct graph_id){GRAPH_NODE, a}, &one, 1, false, &write,
                                  NULL);
        break;
    case 5:
        st = graph_delete(txn, (struct graph_id){GRAPH_NODE, a}, true, &write, NULL);
        break;
    default:
        break;
    }
    (void)st;
}

/* A transaction that leaves "step<n>" behind, which nothing ever takes away. */
static bool take_step(struct story *s, unsigned step)
{
    struct graph_txn *txn = NULL;
    uint32_t tokens[3] = {0};
    char words[24];
    char more[24];
    uint64_t id;
    if (graph_begin(s->graph, &txn, NULL) != YORE_OK) {
        return false;
    }
    bool is_ok = graph_txn_token(txn, GRAPH_LABEL, (struct yore_bytes){"L", 1}, &tokens[0], NULL) ==
                     YORE_OK &&
                 graph_txn_token(txn, GRAPH_TYPE, (struct yore_bytes){"T", 1}, &tokens[1], NULL) ==
                     YORE_OK &&
                 graph_txn_token(txn, GRAPH_PROPERTY, (struct yore_bytes){"p", 1}, &tokens[2],
                                 NULL) == YORE_OK;
    struct graph_new_node marker = {.external_id = name_of(words, "step", step)};
    struct graph_new_node node = {
        .external_id = name_of(more, "n", step), .labels = &tokens[0], .label_count = 1};
    struct graph_write late = {.from = LATE, .to = YORE_FOREVER};
    is_ok = is_ok && graph_node_create(txn, &marker, NULL, &id, NULL) == YORE_OK &&
            graph_node_create(txn, &node, &late, &id, NULL) == YORE_OK;
    for (int i = 0; is_ok && i < 3; i++) {
        change(s, txn, tokens, step);
    }
    if (!is_ok) {
        graph_abort(txn);
        return false;
    }
    return graph_commit(txn, YORE_DURABILITY_SYNC, NULL, NULL) == YORE_OK;
}

static bool make_index(struct story *s)
{
    struct graph_schema schema = {
        .label = graph_token(s->graph, GRAPH_LABEL, (struct yore_bytes){"L", 1}),
        .property = graph_token(s->graph, GRAPH_PROPERTY, (struct yore_bytes){"p", 1})};
    return graph_schema_create(s->graph, &schema, NULL) == YORE_OK;
}

static void tell_story(struct story *s)
{
    bool goes_on = open_story(s, true);
    for (unsigned step = 0; goes_on && step < STEPS; step++) {
        goes_on = take_step(s, step);
        s->acked += goes_on;
        if (goes_on && step == STEPS / 2) {
            goes_on = make_index(s);
        } else if (goes_on && step % 9 == 8) {
            goes_on = yore_compact(s->db, NULL, NULL) == YORE_OK;
        } else if (goes_on && step % 9 == 4) {
            goes_on = yore_flush(s->db, NULL) == YORE_OK;
        }
    }
    close_story(s);
}

/* ---- judging ---- */

static void print_problem(void *arg, const char *line)
{
    (void)arg;
    fprintf(stderr, "%s\n", line);
}

static void judge(struct story *s)
{
    struct graph_view *view = NULL;
    char words[24];
    uint64_t id;
    unsigned there = 0;
    bool has_ended = false;
    bool is_open = open_story(s, false);
    if (!is_open && s->acked == 0) {
        close_story(s); /* the graph was not made yet */
        return;
    }
    CHECK(is_open);
    CHECK_OK(graph_verify(s->graph, print_problem, NULL, NULL, NULL));
    CHECK_OK(graph_view_open(s->graph, NULL, NULL, &view, NULL));
    for (unsigned step = 0; step < STEPS; step++) {
        enum yore_status st = graph_node_find(view, name_of(words, "step", step), &id, NULL);
        CHECK(st == YORE_OK || st == YORE_NOT_FOUND);
        CHECK_MSG(st != YORE_OK || !has_ended, "step %u is there without one before it", step);
        there += st == YORE_OK;
        has_ended |= st != YORE_OK;
    }
    graph_view_close(view);
    CHECK_MSG(there >= s->acked && there <= s->acked + 1, "%u steps, %u acknowledged", there,
              s->acked);
    close_story(s);
}

static uint64_t run(uint64_t crash_at, enum sim_crash_mode mode, uint64_t seed)
{
    struct story s = {.disk = sim_disk_new(seed), .rand = test_rand_new(7)};
    CHECK(s.disk != NULL);
    sim_disk_set_wall(s.disk, WALL);
    store_options_tiny(&s.options);
    if (crash_at != 0) {
        sim_disk_crash_at(s.disk, crash_at);
    }
    tell_story(&s);
    uint64_t ops = sim_disk_op_count(s.disk);
    if (crash_at != 0) {
        test_note("crash at operation %llu, mode %d", (unsigned long long)crash_at, (int)mode);
        sim_disk_crash(s.disk, mode, seed);
    } else {
        CHECK_EQ_UINT(s.acked, STEPS);
    }
    judge(&s);
    sim_disk_free(s.disk);
    return ops;
}

TEST(graph_is_whole_after_a_crash_at_every_operation)
{
    static const enum sim_crash_mode modes[] = {SIM_CRASH_DROP_ALL, SIM_CRASH_RANDOM};
    uint64_t ops = run(0, SIM_CRASH_DROP_ALL, 1);
    uint64_t stride = test_stride(3, 1);
    uint64_t cases = 0;
    for (uint64_t op = 1; op <= ops; op += stride) {
        run(op, modes[op % 2], op);
        cases++;
    }
    test_count(cases);
}

TEST_MAIN(graph_is_whole_after_a_crash_at_every_operation)
