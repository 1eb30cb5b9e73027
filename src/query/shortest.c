#include "query/shortest.h"

#include <string.h>

struct shortest_parent {
    struct shortest_parent *next;
    uint64_t relationship;
    uint64_t node;
};

static void *grown(struct shortest *search, void *items, size_t count, size_t *capacity,
                   size_t size)
{
    if (count < *capacity) {
        return items;
    }
    size_t wanted = *capacity == 0 ? 64 : *capacity * 2;
    void *more = arena_alloc(&search->store.arena, wanted * size);
    if (more != NULL) {
        if (count > 0) {
            memcpy(more, items, count * size);
        }
        *capacity = wanted;
    }
    return more;
}

static enum yore_status add_entry(struct shortest *search, struct shortest_side *side,
                                  uint64_t node, uint32_t *place_out, bool *is_new_out)
{
    if (side->count >= UINT32_MAX - 1) {
        return error_set(run_error(search->op->run), YORE_TOO_BIG,
                         "a shortest path is looked for among too many nodes");
    }
    enum yore_status st =
        id_map_put(&side->places, node, (uint32_t)side->count, place_out, is_new_out);
    if (st != YORE_OK) {
        return run_nomem(search->op->run);
    }
    if (!*is_new_out) {
        return YORE_OK;
    }
    struct shortest_entry *entries =
        grown(search, side->entries, side->count, &side->capacity, sizeof(*entries));
    if (entries == NULL) {
        return run_nomem(search->op->run);
    }
    side->entries = entries;
    entries[side->count++] = (struct shortest_entry){.node = node};
    return YORE_OK;
}

static enum yore_status add_parent(struct shortest *search, struct shortest_entry *entry,
                                   uint64_t relationship, uint64_t node)
{
    struct shortest_parent *parent = arena_alloc(&search->store.arena, sizeof(*parent));
    if (parent == NULL) {
        return run_nomem(search->op->run);
    }
    *parent = (struct shortest_parent){entry->parents, relationship, node};
    entry->parents = parent;
    return YORE_OK;
}

static enum yore_status add_met(struct shortest *search, uint64_t node)
{
    uint64_t *met =
        grown(search, search->met, search->met_count, &search->met_capacity, sizeof(*met));
    if (met == NULL) {
        return run_nomem(search->op->run);
    }
    search->met = met;
    met[search->met_count++] = node;
    return YORE_OK;
}

/* A relationship from a node of the outermost layer. */
static enum yore_status take_hop(struct shortest *search, struct shortest_side *side, uint64_t from,
                                 const struct graph_hop *hop)
{
    const struct shortest_side *opposite = &search->sides[side == &search->sides[0] ? 1 : 0];
    uint32_t place;
    bool is_new;
    enum yore_status st = add_entry(search, side, hop->other, &place, &is_new);
    if (st != YORE_OK) {
        return st;
    }
    struct shortest_entry *entry = &side->entries[place];
    if (is_new) {
        entry->depth = side->depth + 1;
        if (id_map_get(&opposite->places, hop->other) != UINT32_MAX) {
            st = add_met(search, hop->other);
        }
    } else if (entry->depth != side->depth + 1 || !search->keeps_all) {
        return YORE_OK;
    }
    return st == YORE_OK ? add_parent(search, entry, hop->relationship, from) : st;
}

static enum yore_status read_layer(struct shortest *search, struct shortest_side *side)
{
    struct operator* op = search->op;
    size_t end = side->count;
    for (size_t i = side->layer; i < end; i++) {
        uint64_t from = side->entries[i].node;
        struct graph_hop hop;
        enum yore_status st = hop_walk_begin(&side->walk, op, side->is_turned, from, 0);
        while (st == YORE_OK && (st = hop_walk_next(&side->walk, &hop)) == YORE_OK) {
            bool passes;
            st = hop_passes(op, hop.relationship, side->walk.view, &passes);
            if (st == YORE_OK && passes) {
                st = take_hop(search, side, from, &hop);
            }
        }
        if (st != YORE_NOT_FOUND) {
            return st;
        }
    }
    side->layer = end;
    side->depth++;
    return YORE_OK;
}

static enum yore_status begin_side(struct shortest *search, struct shortest_side *side,
                                   bool is_turned, uint64_t node)
{
    struct hop_walk walk = side->walk;
    *side = (struct shortest_side){.walk = walk, .is_turned = is_turned};
    side->places.arena = &search->store.arena;
    uint32_t place;
    bool is_new;
    return add_entry(search, side, node, &place, &is_new);
}

/* Read layers until the sides meet; none met: there is no way. */
static enum yore_status meet(struct shortest *search, uint32_t maximum)
{
    struct shortest_side *sides = search->sides;
    while (search->met_count == 0 && sides[0].depth + sides[1].depth < maximum) {
        size_t widths[2] = {sides[0].count - sides[0].layer, sides[1].count - sides[1].layer};
        if (widths[0] == 0 || widths[1] == 0) {
            return YORE_OK;
        }
        enum yore_status st = read_layer(search, widths[0] <= widths[1] ? &sides[0] : &sides[1]);
        if (st != YORE_OK) {
            return st;
        }
    }
    search->length = sides[0].depth + sides[1].depth;
    return YORE_OK;
}

enum yore_status shortest_begin(struct shortest *search, struct operator* op, uint64_t from,
                                uint64_t to, uint32_t maximum)
{
    if (!search->is_open) {
        run_store_open(op->run, &search->store);
        search->is_open = true;
        search->op = op;
    }
    arena_reset(&search->store.arena);
    search->met = NULL;
    search->met_count = 0;
    search->met_capacity = 0;
    search->met_at = 0;
    search->is_chosen = false;
    enum yore_status st = begin_side(search, &search->sides[0], false, from);
    if (st == YORE_OK) {
        st = begin_side(search, &search->sides[1], true, to);
    }
    if (st == YORE_OK) {
        st = meet(search, maximum);
    }
    if (st != YORE_OK || search->met_count == 0) {
        return st;
    }
    struct arena *arena = &search->store.arena;
    search->choices = arena_alloc(arena, search->length * sizeof(*search->choices));
    search->nodes = arena_alloc(arena, (search->length + 1) * sizeof(*search->nodes));
    search->relationships = arena_alloc(arena, search->length * sizeof(*search->relationships));
    return search->choices != NULL && search->nodes != NULL && search->relationships != NULL
               ? YORE_OK
               : run_nomem(op->run);
}

/* ---- telling them ------------------------------------------------------------------------------
 * The choice of the i-th relationship counted from the meeting point, first towards the begin, then
 * towards the end; together they run like the figures of an odometer. */

static struct shortest_parent *parents_of(const struct shortest_side *side, uint64_t node)
{
    return side->entries[id_map_get(&side->places, node)].parents;
}

/* Fill the way from choice `first` on with the first parents there are. */
static void choose_from(struct shortest *search, uint32_t first)
{
    uint32_t back = search->sides[0].depth;
    for (uint32_t i = first; i < search->length; i++) {
        const struct shortest_side *side = &search->sides[i < back ? 0 : 1];
        bool is_at_meeting = i == 0 || i == back;
        uint64_t node = is_at_meeting ? search->met[search->met_at] : search->choices[i - 1]->node;
        search->choices[i] = parents_of(side, node);
    }
}

/* The next combination through the same meeting point; false: that was the last. */
static bool choose_next(struct shortest *search)
{
    for (uint32_t i = search->length; i > 0; i--) {
        if (search->choices[i - 1]->next != NULL) {
            search->choices[i - 1] = search->choices[i - 1]->next;
            choose_from(search, i);
            return true;
        }
    }
    return false;
}

static void lay_way(struct shortest *search)
{
    uint32_t back = search->sides[0].depth;
    search->nodes[back] = search->met[search->met_at];
    for (uint32_t i = 0; i < back; i++) {
        search->relationships[back - 1 - i] = search->choices[i]->relationship;
        search->nodes[back - 1 - i] = search->choices[i]->node;
    }
    for (uint32_t i = back; i < search->length; i++) {
        search->relationships[i] = search->choices[i]->relationship;
        search->nodes[i + 1] = search->choices[i]->node;
    }
}

enum yore_status shortest_next(struct shortest *search)
{
    enum yore_status st = run_step(search->op->run);
    if (st != YORE_OK) {
        return st;
    }
    if (search->is_chosen && choose_next(search)) {
        lay_way(search);
        return YORE_OK;
    }
    search->met_at += search->is_chosen ? 1 : 0;
    search->is_chosen = search->met_at < search->met_count;
    if (!search->is_chosen) {
        return YORE_NOT_FOUND;
    }
    choose_from(search, 0);
    lay_way(search);
    return YORE_OK;
}

void shortest_close(struct shortest *search)
{
    hop_walk_close(&search->sides[0].walk);
    hop_walk_close(&search->sides[1].walk);
    if (search->is_open) {
        run_store_close(search->op->run, &search->store);
        search->is_open = false;
    }
}
