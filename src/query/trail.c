#include "query/trail.h"

#include <string.h>

#include "base/mem.h"

struct trail_level {
    struct graph_hop *hops;
    size_t count;
    size_t at;
    struct arena_mark mark; /* before the hops */
    bool is_read;
};

#define LEVELS_FIRST 16

/* Room for a way one longer than now. */
static enum yore_status reserve(struct trail *trail)
{
    if (trail->depth + 2 <= trail->way_capacity) {
        return YORE_OK;
    }
    size_t capacity = trail->way_capacity == 0 ? LEVELS_FIRST : trail->way_capacity * 2;
    struct trail_level *levels = mem_realloc(trail->levels, capacity * sizeof(*levels));
    if (levels != NULL) {
        trail->levels = levels;
    }
    uint64_t *relationships = mem_realloc(trail->relationships, capacity * sizeof(*relationships));
    if (relationships != NULL) {
        trail->relationships = relationships;
    }
    uint64_t *nodes = mem_realloc(trail->nodes, capacity * sizeof(*nodes));
    if (nodes != NULL) {
        trail->nodes = nodes;
    }
    if (levels == NULL || relationships == NULL || nodes == NULL) {
        return run_nomem(trail->op->run);
    }
    trail->way_capacity = capacity;
    return YORE_OK;
}

enum yore_status trail_begin(struct trail *trail, struct operator* op, uint64_t node,
                             uint32_t minimum, uint32_t maximum)
{
    if (!trail->is_open) {
        run_store_open(op->run, &trail->store);
        trail->is_open = true;
        trail->op = op;
    }
    arena_reset(&trail->store.arena);
    trail->depth = 0;
    trail->minimum = minimum;
    trail->maximum = maximum;
    trail->is_begun = false;
    enum yore_status st = reserve(trail);
    if (st == YORE_OK) {
        trail->nodes[0] = node;
        trail->levels[0].is_read = false;
    }
    return st;
}

static bool is_on_way(const struct trail *trail, uint64_t relationship)
{
    for (size_t i = 0; i < trail->depth; i++) {
        if (trail->relationships[i] == relationship) {
            return true;
        }
    }
    return false;
}

/* Read the hops from the end of the way that it may be made longer by. */
static enum yore_status read_level(struct trail *trail)
{
    struct trail_level *level = &trail->levels[trail->depth];
    struct arena *arena = &trail->store.arena;
    level->mark = arena_mark(arena);
    level->hops = NULL;
    level->count = 0;
    level->at = 0;
    enum yore_status st =
        hop_walk_begin(&trail->walk, trail->op, false, trail->nodes[trail->depth], 0);
    size_t capacity = 0;
    struct graph_hop hop;
    while (st == YORE_OK && (st = hop_walk_next(&trail->walk, &hop)) == YORE_OK) {
        if (level->count == capacity) {
            size_t wanted = capacity == 0 ? 8 : capacity * 2;
            struct graph_hop *grown = arena_alloc(arena, wanted * sizeof(*grown));
            if (grown == NULL) {
                return run_nomem(trail->op->run);
            }
            if (capacity > 0) {
                memcpy(grown, level->hops, capacity * sizeof(*grown));
            }
            level->hops = grown;
            capacity = wanted;
        }
        level->hops[level->count++] = hop;
    }
    return st == YORE_NOT_FOUND ? YORE_OK : st;
}

/* Make the way longer by the next hop that can be; false: it goes back. */
static enum yore_status lengthen(struct trail *trail, bool *is_longer_out)
{
    struct trail_level *level = &trail->levels[trail->depth];
    const struct plan_hop *plan = &trail->op->plan->as.hop;
    *is_longer_out = false;
    while (level->at < level->count) {
        const struct graph_hop *hop = &level->hops[level->at++];
        if (is_on_way(trail, hop->relationship) ||
            hop_is_taken(trail->op->run, plan, hop->relationship)) {
            continue;
        }
        bool passes;
        enum yore_status st = hop_passes(trail->op, hop->relationship, trail->walk.view, &passes);
        if (st == YORE_OK && passes) {
            st = reserve(trail);
        }
        if (st != YORE_OK) {
            return st;
        }
        if (passes) {
            level = &trail->levels[trail->depth];
            hop = &level->hops[level->at - 1];
            trail->relationships[trail->depth] = hop->relationship;
            trail->nodes[++trail->depth] = hop->other;
            *is_longer_out = true;
            return YORE_OK;
        }
    }
    return YORE_OK;
}

static void shorten(struct trail *trail)
{
    arena_rewind(&trail->store.arena, trail->levels[trail->depth].mark);
    trail->depth--;
}

/* The end of the way, seen for the first time. */
static enum yore_status read_end(struct trail *trail)
{
    struct trail_level *level = &trail->levels[trail->depth];
    if (trail->depth < trail->maximum) {
        enum yore_status st = read_level(trail);
        trail->levels[trail->depth].is_read = st == YORE_OK;
        return st;
    }
    *level = (struct trail_level){.mark = arena_mark(&trail->store.arena), .is_read = true};
    return YORE_OK;
}

enum yore_status trail_next(struct trail *trail)
{
    if (!trail->is_begun) {
        trail->is_begun = true;
        if (trail->minimum == 0) {
            return YORE_OK;
        }
    }
    for (;;) {
        enum yore_status st = YORE_OK;
        if (!trail->levels[trail->depth].is_read) {
            st = read_end(trail);
        }
        bool is_longer = false;
        if (st == YORE_OK) {
            st = lengthen(trail, &is_longer);
        }
        if (st != YORE_OK) {
            return st;
        }
        if (is_longer) {
            trail->levels[trail->depth].is_read = false;
            if (trail->depth >= trail->minimum) {
                return YORE_OK;
            }
        } else if (trail->depth == 0) {
            return YORE_NOT_FOUND;
        } else {
            shorten(trail);
        }
    }
}

void trail_close(struct trail *trail)
{
    hop_walk_close(&trail->walk);
    if (trail->is_open) {
        run_store_close(trail->op->run, &trail->store);
        trail->is_open = false;
    }
    mem_free(trail->levels);
    mem_free(trail->relationships);
    mem_free(trail->nodes);
    trail->levels = NULL;
    trail->relationships = NULL;
    trail->nodes = NULL;
    trail->way_capacity = 0;
}
