/* graph_model_test.c -- random operations at random times, every read shape against the oracle at
 * random (valid, known): what an answer must be is a loop over arrays.
 *
 *     YORE_GRAPH_ROUNDS=n   rounds (default 20; soak 2,000), each a graph of its own
 *     YORE_GRAPH_ROUND=n    only that one, of the same YORE_TEST_SEED
 */
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
    uint64_t last = 0; /* id, or value */
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
        if (options->kind == GRAPH_SCAN_INDEX) {
            CHECK(look->slot->nodes[i].properties[0] >= last);
            last = look->slot->nodes[i].properties[0];
        } else {
            CHECK(id > last);
            last = id;
        }
        told++;
    }
    graph_scan_close(scan);
    CHECK_MSG(told == want, "scan %d of %u told %zu, not %zu", (int)options->kind, options->token,
              told, want);
    run->compared++;
}

/* A value, or a range of them. */
static void compare_index(struct run *run, const struct look *look)
{
    bool wanted[MODEL_NODES];
    int64_t low = (int64_t)below(run, 6);
    int64_t high = below(run, 2) == 0 ? low : low + (int64_t)below(run, 4);
    struct yore_graph_value bounds[2] = {integer(low), integer(high)};
    struct graph_scan_options options = {.kind = GRAPH_SCAN_INDEX,
                                         .token = run->labels[0],
                                         .property = run->properties[0],
                                         .low = below(run, 8) == 0 ? NULL : &bounds[0],
                                         .high = below(run, 8) == 0 ? NULL : &bounds[1],
                                         .low_exclusive = below(run, 4) == 0,
                                         .high_exclusive = below(run, 4) == 0};
    for (size_t i = 0; i < run->m->node_count; i++) {
        const struct model_state *state = &look->slot->nodes[i];
        int64_t value = state->properties[0];
        wanted[i] =
            state->is_there && (state->labels & 1) != 0 && value != 0 &&
            (options.low == NULL || value > low || (value == low && !options.low_exclusive)) &&
            (options.high == NULL || value < high || (value == high && !options.high_exclusive));
    }
    compare_scan(run, look, &options, wanted, run->m->node_count, true);
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
    if (look->has_index) {
        compare_index(run, look);
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

static void compare_name(struct run *run, const struct look *look, bool is_node, unsigned name)
{
    struct model *m = run->m;
    char words[8];
    uint64_t id = 0;
    size_t count = is_node ? m->node_count : m->relationship_count;
    bool is_found = false;
    snprintf(words, sizeof words, "%c%u", is_node ? 'e' : 'r', name % MODEL_NAMES);
    enum yore_status st = is_node ? graph_node_find(look->view, text(words), &id, NULL)
                                  : graph_relationship_find(look->view, text(words), &id, NULL);
    for (size_t i = 0; i < count; i++) {
        bool is_it =
            is_node ? m->nodes[i].name == name && look->slot->nodes[i].is_there
                    : m->relationships[i].name == name && look->slot->relationships[i].is_there;
        if (is_it) {
            is_found = true;
            CHECK_OK(st);
            CHECK_EQ_UINT(id, is_node ? m->nodes[i].id : m->relationships[i].id);
        }
    }
    CHECK_STATUS(st, is_found ? YORE_OK : YORE_NOT_FOUND);
}

static void compare_names(struct run *run, const struct look *look)
{
    for (unsigned name = 0; name < MODEL_NAMES; name++) {
        compare_name(run, look, true, name);
        compare_name(run, look, false, name);
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
    model_run_note(run, "slot %zu of %zu, valid %lld, known %lld%s", slot, world->slot_count,
                   at == NULL ? -1 : (long long)at->valid, at == NULL ? -1 : (long long)at->known,
                   txn != NULL ? ", in a transaction" : "");
    CHECK_OK(graph_view_open(run->bed.graph, txn, at, &look.view, NULL));
    look.has_index = run->has_index && graph_view_time(look.view).known >= run->indexed_at;
    compare_look(run, &look);
    graph_view_close(look.view);
}

static size_t some_slot(struct run *run, const struct model_world *world)
{
    return run->m->horizon + below(run, world->slot_count - run->m->horizon);
}

/* A commit that can still be named: its number; *known_out: its time. */
static size_t some_commit(struct run *run, int64_t *known_out)
{
    struct model *m = run->m;
    size_t first = m->horizon > MODEL_FIXED ? m->horizon - MODEL_FIXED : 0;
    size_t k = first + below(run, m->commit_count - first);
    *known_out = m->times[MODEL_FIXED + k];
    return k;
}

static void check_horizon(struct run *run)
{
    struct model *m = run->m;
    struct graph_view *view = NULL;
    struct yore_time at = {m->horizon > 0 ? m->times[m->horizon] - 1 : YORE_NOW, YORE_NOW};
    enum yore_status want = m->horizon > 0 ? YORE_BEFORE_HORIZON : YORE_OK;
    CHECK_STATUS(graph_view_open(run->bed.graph, NULL, &at, &view, NULL), want);
    graph_view_close(view);
}

/* At a random moment as known at a random commit, and at a random moment as known now. */
static void compare_some(struct run *run)
{
    struct model *m = run->m;
    int64_t known = 0;
    const struct model_world *world = m->known[some_commit(run, &known)];
    size_t slot = some_slot(run, world);
    int64_t gap = slot + 1 < MODEL_FIXED ? (int64_t)below(run, 2) * (BED_SECOND / 2) : 0;
    struct yore_time at = {m->times[slot] + gap, known};
    compare_at(run, world, slot, &at, NULL);
    slot = some_slot(run, &m->now);
    at = (struct yore_time){m->times[slot], YORE_NOW};
    compare_at(run, &m->now, slot, &at, NULL);
    compare_at(run, &m->now, m->now.slot_count - 1, NULL, NULL);
    check_horizon(run);
}

/* ---- differences and histories ---- */

static const struct model_state *state_of(const struct model_world *world, size_t slot,
                                          bool is_node, size_t element)
{
    return is_node ? &world->slots[slot].nodes[element]
                   : &world->slots[slot].relationships[element];
}

static bool differs(const struct model_world *world, size_t from, size_t to, bool is_node,
                    size_t element)
{
    return memcmp(state_of(world, from, is_node, element), state_of(world, to, is_node, element),
                  sizeof(struct model_state)) != 0;
}

static size_t differences(const struct run *run, const struct model_world *world, size_t from,
                          size_t to)
{
    size_t count = 0;
    for (size_t i = 0; i < run->m->node_count; i++) {
        count += differs(world, from, to, true, i);
    }
    for (size_t i = 0; i < run->m->relationship_count; i++) {
        count += differs(world, from, to, false, i);
    }
    return count;
}

static size_t element_of(const struct run *run, struct graph_id id)
{
    if (id.element == GRAPH_NODE) {
        return node_of(run, id.id);
    }
    for (size_t i = 0; i < run->m->relationship_count; i++) {
        if (run->m->relationships[i].id == id.id) {
            return i;
        }
    }
    FAIL("a relationship %llu that nobody made", (unsigned long long)id.id);
    return 0;
}

/* One step from slot to slot is one of the oracle's. */
static void compare_change(struct run *run, const struct model_world *world, size_t from, size_t to,
                           const struct graph_change *change)
{
    bool is_node = change->id.element == GRAPH_NODE;
    size_t i = element_of(run, change->id);
    const struct model_state *after = state_of(world, to, is_node, i);
    bool was = state_of(world, from, is_node, i)->is_there;
    CHECK_MSG(differs(world, from, to, is_node, i), "%s %llu has not changed",
              is_node ? "node" : "relationship", (unsigned long long)change->id.id);
    CHECK_EQ_INT(change->kind, !was              ? GRAPH_ADDED
                               : after->is_there ? GRAPH_CHANGED
                                                 : GRAPH_REMOVED);
    if (after->is_there) {
        compare_properties(run,
                           is_node ? &change->after.as.node->properties
                                   : &change->after.as.relationship->properties,
                           after);
    }
}

static void compare_changes(struct run *run)
{
    struct model *m = run->m;
    struct graph_changes_options options = {.known = YORE_NOW, .every_version = below(run, 2) == 0};
    const struct model_world *world =
        below(run, 2) == 0 ? &m->now : m->known[some_commit(run, &options.known)];
    size_t from = some_slot(run, world);
    size_t to = from + below(run, world->slot_count - from);
    struct graph_changes *changes = NULL;
    struct graph_change change;
    size_t want = options.every_version ? 0 : differences(run, world, from, to);
    size_t told = 0;
    size_t at = from;
    options.from = m->times[from];
    options.to = m->times[to];
    for (size_t s = from + 1; options.every_version && s <= to; s++) {
        want += differences(run, world, s - 1, s);
    }
    model_run_note(run, "changes from slot %zu to %zu, known %lld, every version %d", from, to,
                   (long long)options.known, options.every_version);
    CHECK_OK(graph_changes_open(run->bed.graph, &options, &changes, NULL));
    while (graph_changes_next(changes, &run->bed.arena, &change, NULL) == YORE_OK) {
        while (options.every_version && at < to && m->times[at] < change.time) {
            at++;
        }
        CHECK(!options.every_version || m->times[at] == change.time);
        compare_change(run, world, options.every_version ? at - 1 : from,
                       options.every_version ? at : to, &change);
        told++;
    }
    graph_changes_close(changes);
    CHECK_EQ_UINT(told, want);
    arena_reset(&run->bed.arena);
    run->compared++;
}

/* When anything changed next, or before, seen from a slot. */
static void compare_nearest(struct run *run)
{
    struct model *m = run->m;
    bool is_backward = below(run, 2) == 0;
    int64_t known = YORE_NOW;
    const struct model_world *world =
        below(run, 2) == 0 ? &m->now : m->known[some_commit(run, &known)];
    size_t slot = some_slot(run, world);
    size_t s = slot;
    int64_t moment = 0;
    bool is_found = false;
    if (slot == 0) {
        return; /* before the first slot all is empty */
    }
    while (!is_found && (is_backward ? s > m->horizon + 1 : s + 1 < world->slot_count)) {
        s = is_backward ? s - 1 : s + 1;
        is_found = differences(run, world, s - 1, s) > 0;
    }
    if (is_backward && m->horizon == 0 && !is_found) {
        return;
    }
    model_run_note(run, "nearest change %s slot %zu, known %lld", is_backward ? "before" : "after",
                   slot, (long long)known);
    enum yore_status st =
        graph_next_change(run->bed.graph, m->times[slot], known, is_backward, &moment, NULL);
    CHECK_STATUS(st, is_found ? YORE_OK : YORE_NOT_FOUND);
    CHECK(!is_found || moment == m->times[s]);
    run->compared++;
}

static void compare_stretch(struct run *run, bool is_node, const struct graph_version *version,
                            const struct model_state *state)
{
    compare_properties(run,
                       is_node ? &version->element.as.node->properties
                               : &version->element.as.relationship->properties,
                       state);
}

static void compare_history(struct run *run)
{
    struct model *m = run->m;
    bool is_node = below(run, 2) == 0;
    size_t count = is_node ? m->node_count : m->relationship_count;
    struct yore_time at = {YORE_NOW, YORE_NOW};
    const struct model_world *world =
        below(run, 2) == 0 ? &m->now : m->known[some_commit(run, &at.known)];
    if (count == 0) {
        return;
    }
    size_t i = below(run, count);
    struct graph_id id = {is_node ? GRAPH_NODE : GRAPH_RELATIONSHIP,
                          is_node ? m->nodes[i].id : m->relationships[i].id};
    struct graph_view *view = NULL;
    struct graph_history *history = NULL;
    struct graph_version version;
    size_t slot = m->horizon;
    int64_t begin = slot > 0 ? m->times[slot] : YORE_TIME_MIN;
    at.valid = m->times[world->slot_count - 1];
    model_run_note(run, "history of %s %llu, known %lld", is_node ? "node" : "relationship",
                   (unsigned long long)id.id, (long long)at.known);
    CHECK_OK(graph_view_open(run->bed.graph, NULL, &at, &view, NULL));
    CHECK_OK(graph_history_open(view, id, begin, YORE_FOREVER, &history, NULL));
    while (graph_history_next(history, &run->bed.arena, &version, NULL) == YORE_OK) {
        while (slot < world->slot_count && !state_of(world, slot, is_node, i)->is_there) {
            slot++;
        }
        CHECK(slot < world->slot_count);
        CHECK_EQ_INT(version.span.valid_from, m->times[slot]);
        compare_stretch(run, is_node, &version, state_of(world, slot, is_node, i));
        size_t first = slot;
        while (slot < world->slot_count && !differs(world, first, slot, is_node, i)) {
            slot++;
        }
        CHECK_EQ_INT(version.span.valid_to,
                     slot < world->slot_count ? m->times[slot] : YORE_FOREVER);
    }
    while (slot < world->slot_count) {
        CHECK(!state_of(world, slot++, is_node, i)->is_there);
    }
    graph_history_close(history);
    graph_view_close(view);
    arena_reset(&run->bed.arena);
    run->compared++;
}

/* ---- runs ---- */

static void run_transaction(struct run *run)
{
    model_run_begin(run);
    if (below(run, 3) == 0) {
        compare_at(run, &run->m->now, run->m->now.slot_count - 1, NULL, run->txn);
        size_t slot = run->m->horizon + below(run, run->m->now.slot_count - 1 - run->m->horizon);
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

static void do_upkeep(struct run *run, uint64_t index_after)
{
    if (!run->has_index && run->m->commit_count >= index_after) {
        model_run_index(run);
    }
    if (below(run, 12) == 0) {
        graph_bed_age(&run->bed, (int)below(run, BED_AGES));
        run->counts->ages++;
    }
    if (below(run, 24) == 0) {
        model_run_erase(run);
    }
    if (run->trims && below(run, 30) == 0) {
        model_run_trim(run);
    }
}

static uint64_t run_round(struct model *m, uint64_t round, struct run_counts *counts)
{
    struct run run = {.m = m, .rand = test_rand_new(round), .counts = counts};
    memset(m, 0, sizeof *m);
    model_run_start(&run);
    run.round = round;
    run.trims = below(&run, 2) == 0; /* otherwise all is kept, and compared to the end */
    uint64_t index_after = below(&run, MODEL_COMMITS);
    while (m->commit_count < MODEL_COMMITS - 1) {
        run_transaction(&run);
        do_upkeep(&run, index_after);
        if (m->commit_count > 0 && below(&run, 6) == 0) {
            compare_some(&run);
            compare_changes(&run);
            compare_nearest(&run);
            compare_history(&run);
        }
    }
    CHECK_OK(graph_verify(run.bed.graph, print_problem, NULL, NULL, NULL));
    graph_bed_close(&run.bed);
    model_release(m);
    return run.compared;
}

TEST(random_graphs_answer_as_the_oracle_does)
{
    uint64_t rounds = test_number("YORE_GRAPH_ROUNDS", test_scale(20, 2000));
    uint64_t only = test_number("YORE_GRAPH_ROUND", UINT64_MAX);
    struct model *m = malloc(sizeof *m);
    struct run_counts counts = {0};
    uint64_t compared = 0;
    CHECK(m != NULL);
    for (uint64_t round = 0; round < rounds; round++) {
        if (only == UINT64_MAX || round == only) {
            compared += run_round(m, round, &counts);
        }
    }
    free(m);
    test_count(compared);
    printf("  %llu changes in %llu commits, %llu back-dated, %llu refused; %llu aborts, %llu "
           "erasures, %llu trims, %llu times flushed or merged\n",
           (unsigned long long)counts.changes, (unsigned long long)counts.commits,
           (unsigned long long)counts.back_dated, (unsigned long long)counts.refused,
           (unsigned long long)counts.aborts, (unsigned long long)counts.erased,
           (unsigned long long)counts.trims, (unsigned long long)counts.ages);
    if (rounds >= 20 && only == UINT64_MAX) {
        CHECK(counts.back_dated * 3 >= counts.changes);
        CHECK(counts.refused > 0 && counts.aborts > 0 && counts.erased > 0);
        CHECK(counts.trims > 0 && counts.ages > 0);
    }
}

TEST_MAIN(random_graphs_answer_as_the_oracle_does)
