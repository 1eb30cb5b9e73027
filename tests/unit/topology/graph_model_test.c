/* graph_model_test.c -- random operations at random times, every read shape against the oracle at
 * random (valid, known): what an answer must be is a loop over arrays. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit/topology/graph_model_run.h"

/* ---- reading: a moment of both sides ---- */

struct look {
    struct graph_view *view;
    const struct model_slot *slot;
    bool has_index;
};

static size_t node_of(const struct run *run, uint64_t id)
{
    for (size_t i = 0; i < run->m->node_count; i++) {
        if (run->m->nodes[i].id == id) {
            return i;
        }
    }
    FAIL("a node %llu that nobody made", (unsigned long long)id);
    return 0;
}

static void compare_properties(struct run *run, const struct yore_graph_map *map,
                               const struct model_state *state)
{
    size_t count = 0;
    for (unsigned p = 0; p < MODEL_PROPERTIES; p++) {
        if (state->properties[p] == 0) {
            continue;
        }
        CHECK(count < map->count);
        const struct yore_graph_entry *entry = &map->entries[count++];
        CHECK_EQ_BYTES(entry->name.data, entry->name.size, model_property_names[p], 2);
        CHECK_EQ_INT(entry->value.as.integer, state->properties[p]);
    }
    CHECK_EQ_UINT(map->count, count);
    run->compared++;
}

static void compare_node(struct run *run, const struct look *look, size_t i)
{
    const struct model_state *state = &look->slot->nodes[i];
    struct yore_graph_node node;
    enum yore_status st =
        graph_node_get(look->view, run->m->nodes[i].id, &run->bed.arena, &node, NULL);
    CHECK_STATUS(st, state->is_there ? YORE_OK : YORE_NOT_FOUND);
    if (!state->is_there) {
        return;
    }
    size_t count = 0;
    for (unsigned l = 0; l < MODEL_LABELS; l++) {
        bool has = false;
        CHECK_OK(graph_node_has_label(look->view, node.id, run->labels[l], &has, NULL));
        CHECK_EQ_INT(has, (state->labels >> l & 1) != 0);
        if (has) {
            CHECK_EQ_BYTES(node.labels[count].data, node.labels[count].size, model_label_names[l],
                           2);
            count++;
        }
    }
    CHECK_EQ_UINT(node.label_count, count);
    compare_properties(run, &node.properties, state);
    unsigned p = (unsigned)below(run, MODEL_PROPERTIES);
    struct yore_graph_value value;
    CHECK_OK(graph_node_property(look->view, node.id, run->properties[p], &run->bed.arena, &value,
                                 NULL));
    CHECK_EQ_INT(value.kind == YORE_GRAPH_NULL ? 0 : value.as.integer, state->properties[p]);
}

static void compare_relationship(struct run *run, const struct look *look, size_t i)
{
    const struct model_state *state = &look->slot->relationships[i];
    const struct model_relationship *made = &run->m->relationships[i];
    struct yore_graph_relationship relationship;
    enum yore_status st =
        graph_relationship_get(look->view, made->id, &run->bed.arena, &relationship, NULL);
    CHECK_STATUS(st, state->is_there ? YORE_OK : YORE_NOT_FOUND);
    if (state->is_there) {
        CHECK_EQ_UINT(relationship.start_id, run->m->nodes[made->start].id);
        CHECK_EQ_UINT(relationship.end_id, run->m->nodes[made->end].id);
        CHECK_EQ_BYTES(relationship.type.data, relationship.type.size, model_type_names[made->type],
                       2);
        compare_properties(run, &relationship.properties, state);
    }
}

/* The ids a scan tells are those the oracle has, each once, ascending within their kind. */
static void compare_scan(struct run *run, const struct look *look,
                         const struct graph_scan_options *options, const bool *wanted, size_t count,
                         bool is_node)
{
    struct graph_scan *scan = NULL;
    uint64_t id = 0;
    uint64_t last = 0;
    size_t told = 0;
    size_t want = 0;
    for (size_t i = 0; i < count; i++) {
        want += wanted[i];
    }
    CHECK_OK(graph_scan_open(look->view, options, &scan, NULL));
    while (graph_scan_next(scan, &id, NULL) == YORE_OK) {
        size_t i = 0;
        while (i < count && (is_node ? run->m->nodes[i].id : run->m->relationships[i].id) != id) {
            i++;
        }
        CHECK_MSG(i < count && wanted[i], "scan %d told %llu", (int)options->kind,
                  (unsigned long long)id);
        CHECK(options->kind == GRAPH_SCAN_INDEX || id > last);
        last = id;
        told++;
    }
    graph_scan_close(scan);
    CHECK_MSG(told == want, "scan %d of %u told %zu, not %zu", (int)options->kind, options->token,
              told, want);
    run->compared++;
}

static void compare_node_scans(struct run *run, const struct look *look)
{
    bool wanted[MODEL_NODES];
    size_t count = run->m->node_count;
    for (size_t i = 0; i < count; i++) {
        wanted[i] = look->slot->nodes[i].is_there;
    }
    struct graph_scan_options options = {.kind = GRAPH_SCAN_NODES};
    compare_scan(run, look, &options, wanted, count, true);
    for (unsigned l = 0; l < MODEL_LABELS; l++) {
        for (size_t i = 0; i < count; i++) {
            const struct model_state *state = &look->slot->nodes[i];
            wanted[i] = state->is_there && (state->labels >> l & 1) != 0;
        }
        options = (struct graph_scan_options){.kind = GRAPH_SCAN_LABEL, .token = run->labels[l]};
        compare_scan(run, look, &options, wanted, count, true);
    }
    struct yore_graph_value value = integer((int64_t)below(run, 5) + 1);
    for (size_t i = 0; i < count; i++) {
        const struct model_state *state = &look->slot->nodes[i];
        wanted[i] =
            state->is_there && (state->labels & 1) != 0 && state->properties[0] == value.as.integer;
    }
    options = (struct graph_scan_options){.kind = GRAPH_SCAN_INDEX,
                                          .token = run->labels[0],
                                          .property = run->properties[0],
                                          .low = &value,
                                          .high = &value};
    if (look->has_index) {
        compare_scan(run, look, &options, wanted, count, true);
    }
}

static void compare_relationship_scans(struct run *run, const struct look *look)
{
    bool wanted[MODEL_RELATIONSHIPS];
    size_t count = run->m->relationship_count;
    for (size_t i = 0; i < count; i++) {
        wanted[i] = look->slot->relationships[i].is_there;
    }
    struct graph_scan_options options = {.kind = GRAPH_SCAN_RELATIONSHIPS};
    compare_scan(run, look, &options, wanted, count, false);
    for (unsigned t = 0; t < MODEL_TYPES; t++) {
        for (size_t i = 0; i < count; i++) {
            wanted[i] = look->slot->relationships[i].is_there && run->m->relationships[i].type == t;
        }
        options = (struct graph_scan_options){.kind = GRAPH_SCAN_TYPE, .token = run->types[t]};
        compare_scan(run, look, &options, wanted, count, false);
    }
}

static bool is_hop_wanted(const struct run *run, const struct look *look, size_t r,
                          const struct graph_expand_options *options, size_t node, bool is_outgoing)
{
    const struct model_relationship *made = &run->m->relationships[r];
    size_t here = is_outgoing ? made->start : made->end;
    size_t there = is_outgoing ? made->end : made->start;
    bool is_loop_again = !is_outgoing && options->direction == GRAPH_BOTH && here == there;
    bool is_direction =
        is_outgoing ? options->direction != GRAPH_INCOMING : options->direction != GRAPH_OUTGOING;
    return look->slot->relationships[r].is_there && here == node && is_direction &&
           !is_loop_again &&
           (options->type_count == 0 || options->types[0] == run->types[made->type]) &&
           (options->other == 0 || options->other == run->m->nodes[there].id);
}

static void compare_hops(struct run *run, const struct look *look, struct graph_expand *expand,
                         const struct graph_expand_options *options, size_t node)
{
    struct graph_hop hop;
    size_t told = 0;
    size_t want = 0;
    for (size_t r = 0; r < run->m->relationship_count; r++) {
        want += is_hop_wanted(run, look, r, options, node, true);
        want += is_hop_wanted(run, look, r, options, node, false);
    }
    while (graph_expand_next(expand, &hop, NULL) == YORE_OK) {
        size_t r = 0;
        while (r < run->m->relationship_count && run->m->relationships[r].id != hop.relationship) {
            r++;
        }
        CHECK(r < run->m->relationship_count);
        CHECK(is_hop_wanted(run, look, r, options, node, hop.is_outgoing));
        const struct model_relationship *made = &run->m->relationships[r];
        CHECK_EQ_UINT(hop.other, run->m->nodes[hop.is_outgoing ? made->end : made->start].id);
        CHECK_EQ_UINT(hop.type, run->types[made->type]);
        told++;
    }
    CHECK_MSG(told == want, "node %llu, direction %d: %zu hops, not %zu",
              (unsigned long long)options->node, (int)options->direction, told, want);
    run->compared++;
}

static void compare_expansions(struct run *run, const struct look *look)
{
    static const enum graph_direction directions[] = {GRAPH_OUTGOING, GRAPH_INCOMING, GRAPH_BOTH};
    uint32_t wanted_type = run->types[below(run, MODEL_TYPES)];
    struct graph_expand_options options = {
        .direction = directions[below(run, 3)], .types = &wanted_type, .type_count = below(run, 2)};
    struct graph_expand *expand = NULL;
    for (size_t i = 0; i < run->m->node_count; i++) {
        options.node = run->m->nodes[i].id;
        options.other = below(run, 3) == 0 ? run->m->nodes[below(run, run->m->node_count)].id : 0;
        if (expand == NULL) {
            CHECK_OK(graph_expand_open(look->view, &options, &expand, NULL));
        } else {
            CHECK_OK(graph_expand_restart(expand, options.node, options.other, NULL));
        }
        compare_hops(run, look, expand, &options, i);
    }
    graph_expand_close(expand);
}

static void compare_names(struct run *run, const struct look *look)
{
    for (unsigned name = 0; name < MODEL_NAMES; name++) {
        char words[8];
        uint64_t id = 0;
        snprintf(words, sizeof words, "e%u", name);
        enum yore_status st = graph_node_find(look->view, text(words), &id, NULL);
        bool is_found = false;
        for (size_t i = 0; i < run->m->node_count; i++) {
            if (run->m->nodes[i].name == name && look->slot->nodes[i].is_there) {
                is_found = true;
                CHECK_OK(st);
                CHECK_EQ_UINT(id, run->m->nodes[i].id);
            }
        }
        CHECK_STATUS(st, is_found ? YORE_OK : YORE_NOT_FOUND);
    }
    run->compared++;
}

static void compare_look(struct run *run, const struct look *look)
{
    for (size_t i = 0; i < run->m->node_count; i++) {
        compare_node(run, look, i);
    }
    for (size_t i = 0; i < run->m->relationship_count; i++) {
        compare_relationship(run, look, i);
    }
    compare_node_scans(run, look);
    compare_relationship_scans(run, look);
    compare_expansions(run, look);
    compare_names(run, look);
    arena_reset(&run->bed.arena);
}

static void compare_at(struct run *run, const struct model_world *world, size_t slot,
                       const struct yore_time *at, struct graph_txn *txn)
{
    struct look look = {.slot = &world->slots[slot]};
    test_note("slot %zu of %zu, valid %lld, known %lld%s", slot, world->slot_count,
              at == NULL ? -1 : (long long)at->valid, at == NULL ? -1 : (long long)at->known,
              txn != NULL ? ", in a transaction" : "");
    CHECK_OK(graph_view_open(run->bed.graph, txn, at, &look.view, NULL));
    look.has_index = run->has_index && graph_view_time(look.view).known >= run->indexed_at;
    compare_look(run, &look);
    graph_view_close(look.view);
}

/* At a random moment as known at a random commit, and at a random moment as known now. */
static void compare_some(struct run *run)
{
    struct model *m = run->m;
    if (m->commit_count == 0) {
        return;
    }
    size_t k = below(run, m->commit_count);
    const struct model_world *world = m->known[k];
    size_t slot = below(run, world->slot_count);
    int64_t gap = slot + 1 < MODEL_FIXED ? (int64_t)below(run, 2) * (BED_SECOND / 2) : 0;
    struct yore_time at = {m->times[slot] + gap, m->times[MODEL_FIXED + k]};
    compare_at(run, world, slot, &at, NULL);
    slot = below(run, m->now.slot_count);
    at = (struct yore_time){m->times[slot], YORE_NOW};
    compare_at(run, &m->now, slot, &at, NULL);
    compare_at(run, &m->now, m->now.slot_count - 1, NULL, NULL);
}

/* ---- differences and histories ---- */

static bool states_differ(const struct model_state *a, const struct model_state *b)
{
    return memcmp(a, b, sizeof *a) != 0;
}

static void compare_changes(struct run *run)
{
    struct model *m = run->m;
    size_t from = below(run, m->now.slot_count);
    size_t to = from + below(run, m->now.slot_count - from);
    struct graph_changes_options options = {m->times[from], m->times[to], YORE_NOW, false};
    struct graph_changes *changes = NULL;
    struct graph_change change;
    size_t want = 0;
    size_t told = 0;
    for (size_t i = 0; i < m->node_count; i++) {
        want += states_differ(&m->now.slots[from].nodes[i], &m->now.slots[to].nodes[i]);
    }
    for (size_t i = 0; i < m->relationship_count; i++) {
        want +=
            states_differ(&m->now.slots[from].relationships[i], &m->now.slots[to].relationships[i]);
    }
    test_note("changes from slot %zu to %zu", from, to);
    CHECK_OK(graph_changes_open(run->bed.graph, &options, &changes, NULL));
    while (graph_changes_next(changes, &run->bed.arena, &change, NULL) == YORE_OK) {
        told++;
        if (change.id.element == GRAPH_NODE) {
            size_t i = node_of(run, change.id.id);
            bool was = m->now.slots[from].nodes[i].is_there;
            bool is = m->now.slots[to].nodes[i].is_there;
            CHECK_EQ_INT(change.kind, !was ? GRAPH_ADDED : is ? GRAPH_CHANGED : GRAPH_REMOVED);
            if (is) {
                compare_properties(run, &change.after.as.node->properties,
                                   &m->now.slots[to].nodes[i]);
            }
        }
    }
    graph_changes_close(changes);
    CHECK_EQ_UINT(told, want);
    arena_reset(&run->bed.arena);
}

static void compare_history(struct run *run)
{
    struct model *m = run->m;
    if (m->node_count == 0) {
        return;
    }
    size_t i = below(run, m->node_count);
    struct graph_view *view = view_at(&run->bed, NULL, YORE_NOW);
    struct graph_history *history = NULL;
    struct graph_version version;
    size_t slot = 0;
    test_note("history of node %llu", (unsigned long long)m->nodes[i].id);
    CHECK_OK(graph_history_open(view, (struct graph_id){GRAPH_NODE, m->nodes[i].id}, YORE_TIME_MIN,
                                YORE_FOREVER, &history, NULL));
    while (graph_history_next(history, &run->bed.arena, &version, NULL) == YORE_OK) {
        while (slot < m->now.slot_count && !m->now.slots[slot].nodes[i].is_there) {
            slot++;
        }
        CHECK(slot < m->now.slot_count);
        const struct model_state *state = &m->now.slots[slot].nodes[i];
        CHECK_EQ_INT(version.span.valid_from, m->times[slot]);
        compare_properties(run, &version.element.as.node->properties, state);
        while (slot < m->now.slot_count && !states_differ(&m->now.slots[slot].nodes[i], state)) {
            slot++;
        }
        CHECK_EQ_INT(version.span.valid_to,
                     slot < m->now.slot_count ? m->times[slot] : YORE_FOREVER);
    }
    while (slot < m->now.slot_count) {
        CHECK(!m->now.slots[slot++].nodes[i].is_there);
    }
    graph_history_close(history);
    graph_view_close(view);
    arena_reset(&run->bed.arena);
}

/* ---- runs ---- */

static void run_transaction(struct run *run)
{
    model_run_begin(run);
    if (below(run, 3) == 0) {
        compare_at(run, &run->m->now, run->m->now.slot_count - 1, NULL, run->txn);
        size_t slot = below(run, MODEL_FIXED);
        struct yore_time at = {run->m->times[slot], YORE_NOW};
        compare_at(run, &run->m->now, slot, &at, run->txn);
    }
    model_run_end(run);
}

static void print_problem(void *arg, const char *line)
{
    (void)arg;
    fprintf(stderr, "%s\n", line);
}

TEST(random_graphs_answer_as_the_oracle_does)
{
    uint64_t rounds = test_scale(20, 2000);
    struct model *m = malloc(sizeof *m);
    CHECK(m != NULL);
    uint64_t compared = 0;
    for (uint64_t round = 0; round < rounds; round++) {
        struct run run = {.m = m, .rand = test_rand_new(round)};
        memset(m, 0, sizeof *m);
        model_run_start(&run);
        uint64_t index_after = below(&run, MODEL_COMMITS);
        while (m->commit_count < MODEL_COMMITS - 1) {
            run_transaction(&run);
            if (!run.has_index && m->commit_count >= index_after) {
                model_run_index(&run);
            }
            if (below(&run, 12) == 0) {
                graph_bed_age(&run.bed, (int)below(&run, BED_AGES));
            }
            if (below(&run, 6) == 0) {
                compare_some(&run);
                compare_changes(&run);
                compare_history(&run);
            }
        }
        CHECK_OK(graph_verify(run.bed.graph, print_problem, NULL, NULL, NULL));
        compared += run.compared;
        graph_bed_close(&run.bed);
        model_release(m);
    }
    free(m);
    test_count(compared);
}

TEST_MAIN(random_graphs_answer_as_the_oracle_does)
