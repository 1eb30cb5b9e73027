/* sync_crash_test.c -- the power goes at every disk operation while two sources send snapshots;
 * what is found, once time was given to what had been decided, is the graph after a whole number of
 * snapshots: every acknowledged one, and at most one more.
 */
#include <stdio.h>
#include <string.h>

#include "engine/db.h"
#include "os/sim_disk.h"
#include "support/store.h"
#include "support/test.h"
#include "topology/graph_internal.h"
#include "topology/ingest.h"

#define STEPS 10
#define NODES 8
#define RELATIONSHIPS 6
#define ELEMENTS (NODES + RELATIONSHIPS)
#define WALL INT64_C(1700000000000000000)

struct story {
    struct sim_disk *disk;
    struct yore_options options;
    struct yore_db *db;
    struct graph *graph;
    size_t words_max; /* 0: a snapshot is one transaction */
    unsigned acked;   /* steps that were acknowledged */
};

static struct yore_bytes text(const char *words)
{
    return (struct yore_bytes){words, strlen(words)};
}

static bool open_story(struct story *s, bool creates)
{
    struct yore_error error;
    s->db = NULL;
    s->graph = NULL;
    s->options.must_exist = !creates;
    bool is_open =
        db_open_inline(sim_disk_env(s->disk), "db", &s->options, &s->db, &error) == YORE_OK &&
        graph_open(s->db, text("g"), creates, NULL, &s->graph, &error) == YORE_OK;
    if (is_open && s->words_max != 0) {
        s->graph->words_max = s->words_max;
    }
    return is_open;
}

static void close_story(struct story *s)
{
    graph_close(s->graph);
    enum yore_status ignored = yore_close(s->db, NULL);
    (void)ignored; /* it repeats what stopped the database */
}

/* ---- what is sent: the same at every run ---- */

/* Every third step is aborted. */
static bool is_aborted(unsigned step)
{
    return step % 3 == 2;
}

static unsigned set_of(unsigned step)
{
    struct test_rand rand = {.state = step * 77u + 5};
    return (unsigned)test_rand_below(&rand, 1u << ELEMENTS);
}

/* What each source claims after so many steps. */
static void claims_after(unsigned steps, unsigned claims[2])
{
    claims[0] = claims[1] = 0;
    for (unsigned step = 0; step < steps; step++) {
        if (!is_aborted(step)) {
            claims[step % 2] = set_of(step);
        }
    }
}

static void ends_of(unsigned relationship, unsigned ends[2])
{
    ends[0] = relationship % NODES;
    ends[1] = (relationship * 3 + 1) % NODES;
}

static unsigned graph_after(unsigned steps)
{
    unsigned claims[2];
    claims_after(steps, claims);
    unsigned there = claims[0] | claims[1];
    for (unsigned i = 0; i < RELATIONSHIPS; i++) {
        unsigned ends[2];
        ends_of(i, ends);
        if ((there >> ends[0] & 1) == 0 || (there >> ends[1] & 1) == 0) {
            there &= ~(1u << (NODES + i));
        }
    }
    return there;
}

static void name_of(unsigned element, char name[8])
{
    (void)snprintf(name, 8, "%c%u", element < NODES ? 'n' : 'r', element);
}

static enum yore_status send_one(struct story *s, unsigned step, unsigned element, uint64_t number)
{
    char names[3][8];
    unsigned ends[2];
    struct yore_graph_word word = {.element = element < NODES ? YORE_GRAPH_ELEMENT_NODE
                                                              : YORE_GRAPH_ELEMENT_RELATIONSHIP,
                                   .from = YORE_NOW,
                                   .to = YORE_FOREVER};
    name_of(element, names[0]);
    word.external_id = text(names[0]);
    if (element >= NODES) {
        ends_of(element - NODES, ends);
        name_of(ends[0], names[1]);
        name_of(ends[1], names[2]);
        word.type = text("T");
        word.start = text(names[1]);
        word.end = text(names[2]);
    }
    struct graph_speech speech = {text(step % 2 == 0 ? "a" : "b"), &word, 1, YORE_DURABILITY_NONE};
    return graph_sync_send(s->graph, &speech, number, NULL);
}

static bool take_step(struct story *s, unsigned step)
{
    uint64_t number = 0;
    struct yore_bytes source = text(step % 2 == 0 ? "a" : "b");
    enum yore_status st = graph_sync_start(s->graph, source, YORE_NOW, &number, NULL);
    for (unsigned e = 0; st == YORE_OK && e < ELEMENTS; e++) {
        if ((set_of(step) >> e & 1) != 0) {
            st = send_one(s, step, e, number);
        }
    }
    if (st == YORE_OK) {
        st = is_aborted(step)
                 ? graph_sync_abort(s->graph, source, number, NULL)
                 : graph_sync_stop(s->graph, source, number, YORE_DURABILITY_SYNC, NULL, NULL);
    }
    return st == YORE_OK;
}

static void tell_story(struct story *s)
{
    bool goes_on = open_story(s, true);
    for (unsigned step = 0; goes_on && step < STEPS; step++) {
        goes_on = take_step(s, step);
        s->acked += goes_on;
        if (goes_on && step == STEPS / 2) {
            goes_on = yore_compact(s->db, NULL, NULL) == YORE_OK;
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

static unsigned graph_found(struct story *s)
{
    struct graph_view *view = NULL;
    unsigned there = 0;
    CHECK_OK(graph_view_open(s->graph, NULL, NULL, &view, NULL));
    for (unsigned e = 0; e < ELEMENTS; e++) {
        char name[8];
        uint64_t id;
        name_of(e, name);
        enum yore_status st = e < NODES ? graph_node_find(view, text(name), &id, NULL)
                                        : graph_relationship_find(view, text(name), &id, NULL);
        CHECK(st == YORE_OK || st == YORE_NOT_FOUND);
        there |= st == YORE_OK ? 1u << e : 0;
    }
    graph_view_close(view);
    return there;
}

static void judge(struct story *s)
{
    bool is_open = open_story(s, false);
    if (!is_open && s->acked == 0) {
        close_story(s); /* the graph was not made yet */
        return;
    }
    CHECK(is_open);
    CHECK_OK(graph_verify(s->graph, print_problem, NULL, NULL, NULL));
    unsigned found = graph_found(s);
    if (s->words_max == 0) { /* one transaction: whole before anything is settled */
        CHECK_MSG(found == graph_after(s->acked) || found == graph_after(s->acked + 1),
                  "%u acknowledged, found %x", s->acked, found);
    }
    CHECK_OK(graph_settle(s->graph, NULL, NULL));
    found = graph_found(s);
    CHECK_MSG(found == graph_after(s->acked) || found == graph_after(s->acked + 1),
              "%u acknowledged, settled to %x", s->acked, found);
    CHECK_OK(graph_verify(s->graph, print_problem, NULL, NULL, NULL));
    /* And it goes on: the next snapshots of both take it from there. */
    CHECK(take_step(s, 0) && take_step(s, 1));
    unsigned claims[2] = {set_of(0), set_of(1)};
    CHECK_EQ_UINT(graph_found(s) & ((1u << NODES) - 1),
                  (claims[0] | claims[1]) & ((1u << NODES) - 1));
    CHECK_OK(graph_verify(s->graph, print_problem, NULL, NULL, NULL));
    close_story(s);
}

static uint64_t run(uint64_t crash_at, enum sim_crash_mode mode, size_t words_max)
{
    struct story s = {.disk = sim_disk_new(crash_at + 1), .words_max = words_max};
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
        sim_disk_crash(s.disk, mode, crash_at);
    } else {
        CHECK_EQ_UINT(s.acked, STEPS);
    }
    judge(&s);
    sim_disk_free(s.disk);
    return ops;
}

static void crash_everywhere(size_t words_max)
{
    static const enum sim_crash_mode modes[] = {SIM_CRASH_DROP_ALL, SIM_CRASH_RANDOM};
    uint64_t ops = run(0, SIM_CRASH_DROP_ALL, words_max);
    uint64_t stride = test_stride(3, 1);
    uint64_t cases = 0;
    for (uint64_t op = 1; op <= ops; op += stride) {
        run(op, modes[op % 2], words_max);
        cases++;
    }
    test_count(cases);
}

TEST(a_snapshot_is_there_whole_or_not_at_all_after_a_crash_at_every_operation)
{
    crash_everywhere(0);
}

TEST(a_decided_snapshot_is_carried_out_after_a_crash_at_every_operation)
{
    crash_everywhere(2);
}

TEST_MAIN(a_snapshot_is_there_whole_or_not_at_all_after_a_crash_at_every_operation,
          a_decided_snapshot_is_carried_out_after_a_crash_at_every_operation)
