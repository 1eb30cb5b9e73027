/* sync_crash_test.c -- the power goes at every disk operation while two sources send snapshots;
 * what is found, once time was given to what had been decided, is the graph after a whole number of
 * snapshots: every acknowledged one, and at most one more.
 */
#include <stdio.h>
#include <string.h>

#include "support/graph_story.h"
#include "topology/ingest.h"

#define STEPS 10
#define NODES 8
#define RELATIONSHIPS 6
#define ELEMENTS (NODES + RELATIONSHIPS)

static struct yore_bytes text(const char *words)
{
    return (struct yore_bytes){words, strlen(words)};
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

static enum yore_status send_one(struct graph_story *s, unsigned step, unsigned element,
                                 uint64_t number)
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

static bool take_step(struct graph_story *s, unsigned step)
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

static bool compact_once(struct graph_story *s, unsigned step)
{
    return step != STEPS / 2 || yore_compact(s->db, NULL, NULL) == YORE_OK;
}

/* ---- judging ---- */

static unsigned graph_found(struct graph_story *s)
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

static void judge(struct graph_story *s)
{
    unsigned found = graph_found(s);
    if (s->words_max == 0) { /* one transaction: whole before anything is settled */
        CHECK_MSG(found == graph_after(s->acked) || found == graph_after(s->acked + 1),
                  "%u acknowledged, found %x", s->acked, found);
    }
    CHECK_OK(graph_settle(s->graph, NULL, NULL));
    found = graph_found(s);
    CHECK_MSG(found == graph_after(s->acked) || found == graph_after(s->acked + 1),
              "%u acknowledged, settled to %x", s->acked, found);
    graph_story_check_whole(s);
    /* And it goes on: the next snapshots of both take it from there. */
    CHECK(take_step(s, 0) && take_step(s, 1));
    unsigned claims[2] = {set_of(0), set_of(1)};
    CHECK_EQ_UINT(graph_found(s) & ((1u << NODES) - 1),
                  (claims[0] | claims[1]) & ((1u << NODES) - 1));
    graph_story_check_whole(s);
}

TEST(a_snapshot_is_there_whole_or_not_at_all_after_a_crash_at_every_operation)
{
    static const struct graph_plot plot = {
        .step_count = STEPS, .take_step = take_step, .after_step = compact_once, .judge = judge};
    graph_story_crash_everywhere(&plot);
}

TEST(a_decided_snapshot_is_carried_out_after_a_crash_at_every_operation)
{
    static const struct graph_plot plot = {.step_count = STEPS,
                                           .take_step = take_step,
                                           .after_step = compact_once,
                                           .judge = judge,
                                           .words_max = 2};
    graph_story_crash_everywhere(&plot);
}

TEST_MAIN(a_snapshot_is_there_whole_or_not_at_all_after_a_crash_at_every_operation,
          a_decided_snapshot_is_carried_out_after_a_crash_at_every_operation)
