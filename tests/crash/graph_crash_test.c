/* graph_crash_test.c -- the power goes at every disk operation of a graph's life; what is found is
 * a whole graph, with every acknowledged transaction and no half of another.
 */
#include <stdio.h>
#include <string.h>

#include "support/graph_story.h"
#include "topology/erase.h"
#include "topology/ingest.h"

#define STEPS 40
#define LATE (GRAPH_STORY_WALL - INT64_C(1000000000000))

static struct yore_bytes name_of(char words[24], const char *what, uint64_t number)
{
    int size = snprintf(words, 24, "%s%llu", what, (unsigned long long)number);
    return (struct yore_bytes){words, (size_t)size};
}

/* ---- steps ---- */

static uint64_t find(struct graph_story *s, struct graph_txn *txn, uint64_t number)
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

static int64_t some_time(struct graph_story *s)
{
    return test_rand_below(&s->rand, 2) == 0 ? YORE_NOW
                                             : LATE + (int64_t)test_rand_below(&s->rand, 1000000);
}

/* Whether a change is refused says nothing here; whether what is left is whole does. */
static void change(struct graph_story *s, struct graph_txn *txn, const uint32_t tokens[3],
                   unsigned step)
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
static bool take_step(struct graph_story *s, unsigned step)
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

static bool make_index(struct graph_story *s)
{
    struct graph_schema schema = {
        .label = graph_token(s->graph, GRAPH_LABEL, (struct yore_bytes){"L", 1}),
        .property = graph_token(s->graph, GRAPH_PROPERTY, (struct yore_bytes){"p", 1})};
    return graph_schema_create(s->graph, &schema, NULL, NULL) == YORE_OK;
}

static bool upkeep(struct graph_story *s, unsigned step)
{
    if (step == STEPS / 2) {
        return make_index(s);
    }
    if (step % 9 == 8) {
        return yore_compact(s->db, NULL, NULL) == YORE_OK;
    }
    return step % 9 != 4 || yore_flush(s->db, NULL) == YORE_OK;
}

static void judge(struct graph_story *s)
{
    struct graph_view *view = NULL;
    char words[24];
    uint64_t id;
    unsigned there = 0;
    bool has_ended = false;
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
}

TEST(graph_is_whole_after_a_crash_at_every_operation)
{
    static const struct graph_plot plot = {
        .step_count = STEPS, .take_step = take_step, .after_step = upkeep, .judge = judge};
    graph_story_crash_everywhere(&plot);
}

/* ---- an element that is erased and made again ---- */

#define LIVES 3

/* "x", "y" and a relationship between them, by a source. */
static bool say_life(struct graph_story *s, int64_t life)
{
    struct yore_graph_entry entry = {.name = bytes_of("life", 4),
                                     .value = {.kind = YORE_GRAPH_INT, .as.integer = life}};
    struct yore_graph_word words[3] = {{.external_id = bytes_of("x", 1)},
                                       {.external_id = bytes_of("y", 1)},
                                       {.external_id = bytes_of("x>y", 3)}};
    for (int i = 0; i < 3; i++) {
        words[i].element = i < 2 ? YORE_GRAPH_ELEMENT_NODE : YORE_GRAPH_ELEMENT_RELATIONSHIP;
        words[i].properties = (struct yore_graph_map){&entry, 1};
        words[i].from = LATE + life;
        words[i].to = YORE_FOREVER;
    }
    words[2].type = bytes_of("T", 1);
    words[2].start = words[0].external_id;
    words[2].end = words[1].external_id;
    struct graph_speech speech = {bytes_of("a", 1), words, 3, YORE_DURABILITY_SYNC};
    return graph_ingest(s->graph, &speech, NULL, NULL) == YORE_OK;
}

/* "x" alone, by hand. */
static bool make_life(struct graph_story *s, int64_t life)
{
    struct graph_txn *txn = NULL;
    struct graph_property property = {.value = {.kind = YORE_GRAPH_INT, .as.integer = life}};
    struct graph_new_node node = {
        .external_id = bytes_of("x", 1), .properties = &property, .property_count = 1};
    struct graph_write late = {.from = LATE + life, .to = YORE_FOREVER};
    uint64_t id;
    if (graph_begin(s->graph, &txn, NULL) != YORE_OK) {
        return false;
    }
    if (graph_txn_token(txn, GRAPH_PROPERTY, bytes_of("life", 4), &property.token, NULL) !=
            YORE_OK ||
        graph_node_create(txn, &node, &late, &id, NULL) != YORE_OK) {
        graph_abort(txn);
        return false;
    }
    return graph_commit(txn, YORE_DURABILITY_SYNC, NULL, NULL) == YORE_OK;
}

static bool erase_life(struct graph_story *s)
{
    const struct graph_erasure erasure = {.element = GRAPH_NODE, .external_id = bytes_of("x", 1)};
    return graph_erase(s->graph, &erasure, NULL, NULL) == YORE_OK;
}

/* Two lives by a source, one by hand; each is erased. */
static bool live_or_erase(struct graph_story *s, unsigned step)
{
    int64_t life = step / 2;
    return step % 2 == 1 ? erase_life(s) : life % 2 == 0 ? say_life(s, life) : make_life(s, life);
}

/* The life that so many steps leave; -1: none. */
static int64_t life_after(unsigned steps)
{
    return steps % 2 == 1 ? (int64_t)(steps / 2) : -1;
}

/* Which life "x" is in; -1: it is not there. */
static int64_t life_of(struct graph_story *s, int64_t valid)
{
    struct graph_view *view = NULL;
    struct yore_time at = {valid, YORE_NOW};
    struct yore_graph_value value = {.as.integer = -1};
    uint64_t id = 0;
    CHECK_OK(graph_view_open(s->graph, NULL, &at, &view, NULL));
    enum yore_status st = graph_node_find(view, bytes_of("x", 1), &id, NULL);
    CHECK(st == YORE_OK || st == YORE_NOT_FOUND);
    if (st == YORE_OK) {
        struct arena arena = {0};
        uint32_t token = graph_token(s->graph, GRAPH_PROPERTY, bytes_of("life", 4));
        CHECK_OK(graph_node_property(view, id, token, &arena, &value, NULL));
        arena_release(&arena);
    }
    graph_view_close(view);
    return value.as.integer;
}

/* What the erase had begun is gone whole or there whole; and what is made before anybody settles
 * it, as a source or by hand, stays. */
static void judge_lives(struct graph_story *s, bool (*make)(struct graph_story *s, int64_t life))
{
    int64_t found = life_of(s, YORE_NOW);
    CHECK_MSG(found == life_after(s->acked) || found == life_after(s->acked + 1),
              "life %lld after %u steps", (long long)found, s->acked);
    CHECK(found < 0 || erase_life(s));
    CHECK(make(s, LIVES));
    CHECK_OK(graph_settle(s->graph, NULL, NULL));
    CHECK_OK(yore_compact(s->db, NULL, NULL));
    CHECK_EQ_INT(life_of(s, YORE_NOW), LIVES);
    CHECK_EQ_INT(life_of(s, LATE + LIVES), LIVES);
    CHECK_EQ_INT(life_of(s, LATE + LIVES - 1), -1);
    graph_story_check_whole(s);
}

static void judge_said(struct graph_story *s)
{
    judge_lives(s, say_life);
}

static void judge_made(struct graph_story *s)
{
    judge_lives(s, make_life);
}

TEST(what_a_source_says_again_after_a_crash_in_an_erase_stays)
{
    static const struct graph_plot plot = {
        .step_count = 2 * LIVES, .take_step = live_or_erase, .judge = judge_said};
    graph_story_crash_everywhere(&plot);
}

TEST(what_is_made_again_by_hand_after_a_crash_in_an_erase_stays)
{
    static const struct graph_plot plot = {
        .step_count = 2 * LIVES, .take_step = live_or_erase, .judge = judge_made};
    graph_story_crash_everywhere(&plot);
}

/* ---- a property that is erased ---- */

#define GONE (-2) /* "x" is there, its property is not */

static bool say_or_forget(struct graph_story *s, unsigned step)
{
    const struct graph_erasure erasure = {GRAPH_NODE, bytes_of("x", 1), bytes_of("life", 4)};
    return step % 2 == 0 ? say_life(s, step / 2)
                         : graph_erase(s->graph, &erasure, NULL, NULL) == YORE_OK;
}

static int64_t property_after(unsigned steps)
{
    return steps == 0 ? -1 : steps % 2 == 1 ? (int64_t)(steps / 2) : GONE;
}

static void judge_property(struct graph_story *s)
{
    struct graph_view *view = NULL;
    uint64_t node = 0;
    uint64_t relationship = 0;
    int64_t found = -1;
    CHECK_OK(graph_view_open(s->graph, NULL, NULL, &view, NULL));
    if (graph_node_find(view, bytes_of("x", 1), &node, NULL) == YORE_OK) {
        struct arena arena = {0};
        struct yore_graph_value value = {0};
        uint32_t token = graph_token(s->graph, GRAPH_PROPERTY, bytes_of("life", 4));
        CHECK_OK(graph_node_property(view, node, token, &arena, &value, NULL));
        found = value.kind == YORE_GRAPH_NULL ? GONE : value.as.integer;
        arena_release(&arena);
        CHECK_OK(graph_relationship_find(view, bytes_of("x>y", 3), &relationship, NULL));
    }
    graph_view_close(view);
    CHECK_MSG(found == property_after(s->acked) || found == property_after(s->acked + 1),
              "property %lld after %u steps", (long long)found, s->acked);
    CHECK_OK(yore_compact(s->db, NULL, NULL));
    graph_story_check_whole(s);
}

TEST(a_property_is_erased_whole_or_not_at_all_and_its_element_stays)
{
    static const struct graph_plot plot = {
        .step_count = 4, .take_step = say_or_forget, .judge = judge_property};
    graph_story_crash_everywhere(&plot);
}

TEST_MAIN(graph_is_whole_after_a_crash_at_every_operation,
          what_a_source_says_again_after_a_crash_in_an_erase_stays,
          what_is_made_again_by_hand_after_a_crash_in_an_erase_stays,
          a_property_is_erased_whole_or_not_at_all_and_its_element_stays)
