/* derive.c -- what the claims make of the graph: elements that begin, end and change.
 *
 * From the first moment a transaction spoke of, an element's time is cut into *stretches*, within
 * which neither its claims change nor, of a relationship, the incarnations of its ends.  In each it
 * is wanted or not.  What is there is then brought to what is wanted:
 *
 *  - an incarnation that begins where it is wanted is kept, ends where it is not wanted any more,
 *    and begins earlier when it is wanted earlier without a gap;
 *  - any other is ended at its begin; what is wanted and not covered becomes an incarnation of its
 *    own.
 *
 * Of a kept one only that is changed which the claims say otherwise than before.
 */
#include <string.h>

#include "base/mem.h"
#include "topology/ingest_internal.h"

struct stretch {
    int64_t from;
    bool is_there;   /* claimed, and nothing is missing */
    uint8_t missing; /* 1: the start, 2: the end */
    uint64_t start_id;
    uint64_t end_id;
    struct merged before; /* what the claims made of it when the transaction began */
    struct merged after;
};
struct plan {
    struct ingest *ingest;
    struct element_name name;
    struct stretch *items; /* ascending; the last has no end */
    size_t count;
    size_t capacity;
    struct lives lives;
    bool is_changed; /* it begins or ends somewhere it did not */
};

static size_t stretch_at(const struct plan *plan, int64_t at)
{
    size_t low = 0;
    size_t high = plan->count;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (plan->items[middle].from <= at) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return low;
}

/* How many stretches there are from that of `from` on which begin before `end`, at least one. */
static size_t stretches_from(const struct plan *plan, int64_t from, int64_t end)
{
    size_t first = stretch_at(plan, from);
    size_t count = 1;
    while (first + count < plan->count && plan->items[first + count].from < end) {
        count++;
    }
    return count;
}

/* ---- cutting ---- */

static enum yore_status add_stretch(struct plan *plan, int64_t from, struct yore_error *error_out)
{
    if (plan->count == plan->capacity) {
        size_t capacity = plan->capacity == 0 ? 4 : plan->capacity * 2;
        struct stretch *items = arena_alloc(&plan->ingest->arena, capacity * sizeof *items);
        if (items == NULL) {
            return error_plain(error_out, YORE_NOMEM);
        }
        if (plan->count > 0) {
            memcpy(items, plan->items, plan->count * sizeof *items);
        }
        plan->items = items;
        plan->capacity = capacity;
    }
    plan->items[plan->count++] = (struct stretch){.from = from};
    return YORE_OK;
}

static enum yore_status cut(struct plan *plan, int64_t at, struct yore_error *error_out)
{
    if (at == YORE_FOREVER || at <= plan->items[0].from) {
        return YORE_OK;
    }
    size_t place = stretch_at(plan, at);
    if (plan->items[place].from == at) {
        return YORE_OK;
    }
    enum yore_status st = add_stretch(plan, at, error_out);
    if (st == YORE_OK) {
        struct stretch *items = plan->items;
        memmove(items + place + 2, items + place + 1, (plan->count - 2 - place) * sizeof *items);
        items[place + 1] = items[place];
        items[place + 1].from = at;
    }
    return st;
}

static enum yore_status merge(struct plan *plan, struct stretch *stretch,
                              const struct claims *stored, const struct claims *claims,
                              struct yore_error *error_out)
{
    struct graph *graph = plan->ingest->graph;
    struct arena *arena = &plan->ingest->arena;
    struct claims by_hand = {claims_find(claims, CLAIM_BY_HAND), 1};
    if (stored->count == 0 && by_hand.items != NULL) {
        stored = &by_hand; /* it was there, and nobody had claimed it */
    }
    bool is_ok = claims_merge(graph, stored, arena, &stretch->before) &&
                 claims_merge(graph, claims, arena, &stretch->after);
    stretch->is_there = stretch->after.is_there;
    return is_ok ? YORE_OK : error_plain(error_out, YORE_NOMEM);
}

static enum yore_status cut_by_claims(struct plan *plan, int64_t from, struct yore_error *error_out)
{
    struct claim_line stored;
    struct claim_line line;
    enum yore_status st =
        claim_line_read(plan->ingest, &plan->name, from, true, &stored, error_out);
    if (st == YORE_OK) {
        st = claim_line_read(plan->ingest, &plan->name, from, false, &line, error_out);
    }
    if (st == YORE_OK) {
        st = add_stretch(plan, from, error_out);
    }
    size_t i = 1;
    size_t k = 1;
    while (st == YORE_OK && (i < stored.count || k < line.count)) {
        int64_t a = i < stored.count ? stored.items[i].from : YORE_FOREVER;
        int64_t b = k < line.count ? line.items[k].from : YORE_FOREVER;
        int64_t at = a < b ? a : b;
        i += a == at;
        k += b == at;
        st = add_stretch(plan, at, error_out);
    }
    for (i = 0; st == YORE_OK && i < plan->count; i++) {
        struct stretch *stretch = &plan->items[i];
        st = merge(plan, stretch, claim_line_at(&stored, stretch->from),
                   claim_line_at(&line, stretch->from), error_out);
    }
    return st;
}

/* One end of a relationship, in every stretch that names it so. */
static enum yore_status cut_by_end(struct plan *plan, struct yore_bytes end, bool is_start,
                                   struct yore_error *error_out)
{
    struct element_name name = {GRAPH_NODE, end};
    struct lives lives;
    enum yore_status st = lives_read(plan->ingest, &name, plan->items[0].from, &lives, error_out);
    for (size_t i = 0; st == YORE_OK && i < lives.count; i++) {
        st = cut(plan, lives.items[i].from, error_out);
        if (st == YORE_OK) {
            st = cut(plan, lives.items[i].end, error_out);
        }
    }
    for (size_t i = 0; st == YORE_OK && i < plan->count; i++) {
        struct stretch *stretch = &plan->items[i];
        struct yore_bytes named = is_start ? stretch->after.start : stretch->after.end;
        uint64_t id = 0;
        if (!stretch->after.is_there || !bytes_equal(named, end)) {
            continue;
        }
        for (size_t k = 0; k < lives.count; k++) {
            bool is_then =
                lives.items[k].from <= stretch->from && stretch->from < lives.items[k].end;
            id = is_then ? lives.items[k].id : id;
        }
        *(is_start ? &stretch->start_id : &stretch->end_id) = id;
    }
    return st;
}

static enum yore_status cut_by_ends(struct plan *plan, struct yore_error *error_out)
{
    enum yore_status st = YORE_OK;
    for (int side = 0; st == YORE_OK && side < 2; side++) {
        struct yore_bytes last = bytes_of("", 0);
        for (size_t i = 0; st == YORE_OK && i < plan->count; i++) {
            const struct merged *after = &plan->items[i].after;
            struct yore_bytes end = side == 0 ? after->start : after->end;
            if (after->is_there && !bytes_equal(end, last)) {
                last = end;
                st = cut_by_end(plan, end, side == 0, error_out);
            }
        }
    }
    for (size_t i = 0; i < plan->count; i++) {
        struct stretch *stretch = &plan->items[i];
        if (stretch->after.is_there) {
            stretch->missing =
                (uint8_t)((stretch->start_id == 0 ? 1 : 0) | (stretch->end_id == 0 ? 2 : 0));
            stretch->is_there = stretch->missing == 0;
        }
    }
    return st;
}

/* ---- runs: stretches that are one incarnation ---- */

static bool is_same(const struct plan *plan, const struct stretch *a, const struct stretch *b)
{
    if (!a->is_there || !b->is_there) {
        return false;
    }
    return plan->name.element == GRAPH_NODE ||
           (a->start_id == b->start_id && a->end_id == b->end_id &&
            a->after.state.type == b->after.state.type);
}

/* The first stretch behind the run that `first` is in. */
static size_t run_end(const struct plan *plan, size_t first)
{
    size_t i = first + 1;
    while (i < plan->count && is_same(plan, &plan->items[first], &plan->items[i])) {
        i++;
    }
    return i;
}

static int64_t begin_of(const struct plan *plan, const struct life_span *life)
{
    return life->from > plan->items[0].from ? life->from : plan->items[0].from;
}

/* Is an incarnation what is wanted at its begin? */
static enum yore_status is_wanted(struct plan *plan, const struct life_span *life, bool *is_out,
                                  struct yore_error *error_out)
{
    int64_t at = begin_of(plan, life);
    const struct stretch *stretch = &plan->items[stretch_at(plan, at)];
    struct life found;
    enum yore_status st = YORE_OK;
    *is_out = stretch->is_there;
    if (stretch->is_there && plan->name.element == GRAPH_RELATIONSHIP) {
        struct graph_id id = {GRAPH_RELATIONSHIP, life->id};
        st = life_read(plan->ingest->txn, id, at, &found, error_out);
        if (st == YORE_OK) {
            const struct element_state *is = &found.segments[0].before;
            *is_out = is->type == stretch->after.state.type && is->start_id == stretch->start_id &&
                      is->end_id == stretch->end_id;
        }
    }
    return st;
}

static enum yore_status end_life(struct plan *plan, const struct life_span *life, int64_t at,
                                 struct yore_error *error_out)
{
    struct graph_write write = {.from = at, .to = YORE_FOREVER};
    struct graph_id id = {plan->name.element, life->id};
    plan->is_changed = true;
    return graph_delete(plan->ingest->txn, id, true, &write, error_out);
}

static enum yore_status end_unwanted(struct plan *plan, struct yore_error *error_out)
{
    enum yore_status st = YORE_OK;
    for (size_t i = 0; st == YORE_OK && i < plan->lives.count; i++) {
        struct life_span *life = &plan->lives.items[i];
        int64_t begin = begin_of(plan, life);
        st = is_wanted(plan, life, &life->is_kept, error_out);
        if (st != YORE_OK) {
            break;
        }
        if (!life->is_kept) {
            st = end_life(plan, life, begin, error_out);
            continue;
        }
        size_t behind = run_end(plan, stretch_at(plan, begin));
        int64_t end = behind < plan->count ? plan->items[behind].from : YORE_FOREVER;
        if (life->end > end) {
            st = end_life(plan, life, end, error_out);
            life->end = end;
        }
    }
    return st;
}

/* ---- states ---- */

static struct element_state wanted_state(const struct plan *plan, const struct stretch *stretch)
{
    struct element_state state = stretch->after.state;
    state.element = plan->name.element;
    state.external_id = plan->name.external_id;
    state.start_id = stretch->start_id;
    state.end_id = stretch->end_id;
    return state;
}

/* Segments of an incarnation that is made for `from` to `end`. */
static size_t new_segments(const struct plan *plan, int64_t from, int64_t end,
                           struct segment *segments)
{
    size_t count = 0;
    for (size_t i = stretch_at(plan, from); i < plan->count && plan->items[i].from < end; i++) {
        int64_t begin = plan->items[i].from > from ? plan->items[i].from : from;
        struct element_state state = wanted_state(plan, &plan->items[i]);
        if (count > 0 && element_states_equal(&segments[count - 1].after, &state)) {
            continue;
        }
        segments[count++] = (struct segment){.from = begin, .will_be = true, .after = state};
    }
    return count;
}

static enum yore_status make_life(struct plan *plan, int64_t from, int64_t end,
                                  struct yore_error *error_out)
{
    struct graph_txn *txn = plan->ingest->txn;
    struct graph_write write = {.from = from, .to = end};
    struct segment *segments =
        arena_alloc(&plan->ingest->arena, stretches_from(plan, from, end) * sizeof *segments);
    uint64_t id = 0;
    if (segments == NULL) {
        return error_plain(error_out, YORE_NOMEM);
    }
    size_t count = new_segments(plan, from, end, segments);
    enum yore_status st = txn_dates(txn, &write, &write, error_out);
    if (st == YORE_OK) {
        st = life_create(txn, segments, count, &write, &id, error_out);
    }
    plan->is_changed = true;
    if (st == YORE_OK) {
        txn->tally.nodes_created += plan->name.element == GRAPH_NODE;
        txn->tally.relationships_created += plan->name.element == GRAPH_RELATIONSHIP;
        txn->tally.labels_added += segments[0].after.label_count;
    }
    return st;
}

/* What the claims say otherwise than before. */
static bool change_state(const struct stretch *stretch, struct element_state *state,
                         struct arena *arena)
{
    const struct element_state *before = &stretch->before.state;
    const struct element_state *after = &stretch->after.state;
    bool is_ok = true;
    for (size_t i = 0; is_ok && i < before->label_count; i++) {
        if (!element_state_has_label(after, before->labels[i])) {
            is_ok = element_state_set_label(state, before->labels[i], false, arena);
        }
    }
    for (size_t i = 0; is_ok && i < after->label_count; i++) {
        if (!element_state_has_label(before, after->labels[i])) {
            is_ok = element_state_set_label(state, after->labels[i], true, arena);
        }
    }
    for (size_t i = 0; is_ok && i < before->property_count; i++) {
        uint32_t token = before->properties[i].token;
        if (element_state_property(after, token) == NULL) {
            is_ok = element_state_set_property(state, token, NULL, arena);
        }
    }
    for (size_t i = 0; is_ok && i < after->property_count; i++) {
        const struct state_property *property = &after->properties[i];
        const struct yore_bytes *said = element_state_property(before, property->token);
        if (said == NULL || !bytes_equal(*said, property->value)) {
            is_ok = element_state_set_property(state, property->token, &property->value, arena);
        }
    }
    return is_ok;
}

/* Make its segments begin where the stretches do, from `begin` on. */
static enum yore_status split_life(struct plan *plan, int64_t begin, struct life *life,
                                   struct yore_error *error_out)
{
    size_t first = stretch_at(plan, begin) + 1;
    size_t count = stretches_from(plan, begin, life->end) - 1;
    int64_t *moments = arena_alloc(&plan->ingest->arena, count * sizeof *moments + 1);
    if (moments == NULL) {
        return error_plain(error_out, YORE_NOMEM);
    }
    for (size_t i = 0; i < count; i++) {
        moments[i] = plan->items[first + i].from;
    }
    return life_split(plan->ingest->txn, life, moments, count, error_out);
}

/* Bring a kept incarnation to what is wanted; it begins at `from`, maybe earlier than it did. */
static enum yore_status change_life(struct plan *plan, const struct life_span *life, int64_t from,
                                    struct yore_error *error_out)
{
    struct ingest *ingest = plan->ingest;
    struct graph_txn *txn = ingest->txn;
    int64_t begin = begin_of(plan, life);
    struct graph_id id = {plan->name.element, life->id};
    struct graph_write write = {.from = from, .to = YORE_FOREVER};
    struct life found = {0};
    size_t ahead = 0;
    enum yore_status st = txn_dates(txn, &write, &write, error_out);
    if (st == YORE_OK) {
        st = life_read(txn, id, begin, &found, error_out);
    }
    if (st == YORE_OK) {
        st = split_life(plan, begin, &found, error_out);
    }
    if (st != YORE_OK) {
        return st;
    }
    size_t ahead_max = stretches_from(plan, from, begin);
    struct segment *segments =
        arena_alloc(&ingest->arena, (ahead_max + found.count) * sizeof *segments);
    if (segments == NULL) {
        return error_plain(error_out, YORE_NOMEM);
    }
    if (from < begin) {
        ahead = new_segments(plan, from, begin, segments);
        plan->is_changed = true;
    }
    for (size_t i = 0; st == YORE_OK && i < found.count; i++) {
        segments[ahead + i] = found.segments[i];
        if (!change_state(&plan->items[stretch_at(plan, found.segments[i].from)],
                          &segments[ahead + i].after, &ingest->arena)) {
            st = error_plain(error_out, YORE_NOMEM);
        }
    }
    if (st == YORE_OK) {
        st = segments_write(txn, id, segments, ahead + found.count, found.end, error_out);
    }
    if (st == YORE_OK && from < begin) {
        struct graph_write gap = {.from = from, .to = begin};
        st = external_extend(txn, id.element, plan->name.external_id, id.id, &gap, found.end,
                             error_out);
    }
    return st;
}

/* ---- one run ---- */

/* Lives from number *next on may lie in the run, or behind it. */
static enum yore_status cover(struct plan *plan, size_t first, size_t behind, size_t *next,
                              struct yore_error *error_out)
{
    enum yore_status st = YORE_OK;
    int64_t at = plan->items[first].from;
    int64_t end = behind < plan->count ? plan->items[behind].from : YORE_FOREVER;
    bool is_first = true;
    for (; st == YORE_OK && *next < plan->lives.count; (*next)++) {
        const struct life_span *life = &plan->lives.items[*next];
        int64_t begin = begin_of(plan, life);
        if (begin >= end) {
            break;
        }
        if (!life->is_kept || begin < plan->items[first].from) {
            continue;
        }
        if (begin > at && !is_first) {
            st = make_life(plan, at, begin, error_out);
        }
        if (st == YORE_OK) {
            st = change_life(plan, life, is_first ? at : begin, error_out);
        }
        is_first = false;
        at = life->end;
    }
    return st == YORE_OK && at < end ? make_life(plan, at, end, error_out) : st;
}

/* ---- pending ---- */

static bool line_holds(const struct line *line, size_t upto, uint8_t *value_out)
{
    const struct line_version *version = upto > 0 ? &line->versions[upto - 1] : NULL;
    *value_out = 0;
    if (version != NULL && version->is_put && version->value.size == 1) {
        *value_out = *(const uint8_t *)version->value.data;
    }
    return *value_out != 0;
}

/* Write at one moment, unless what is wanted holds there already. */
static enum yore_status step_pending(struct ingest *ingest, struct yore_bytes key, int64_t at,
                                     uint8_t want, uint8_t holds, struct yore_error *error_out)
{
    if (want == holds) {
        return YORE_OK;
    }
    return want != 0 ? txn_put(ingest->txn, key, bytes_of(&want, 1), at, YORE_FOREVER, error_out)
                     : txn_delete(ingest->txn, key, at, error_out);
}

/* Walk over the moments at which a stretch or a version begins. */
static enum yore_status write_pending(struct plan *plan, struct yore_bytes key,
                                      const struct line *line, struct yore_error *error_out)
{
    enum yore_status st = YORE_OK;
    size_t i = 0;
    size_t next = line->count > 0 && line->versions[0].from <= plan->items[0].from ? 1 : 0;
    uint8_t holds;
    line_holds(line, next, &holds);
    while (st == YORE_OK && (i < plan->count || next < line->count)) {
        int64_t a = i < plan->count ? plan->items[i].from : YORE_FOREVER;
        int64_t b = next < line->count ? line->versions[next].from : YORE_FOREVER;
        int64_t at = a < b ? a : b;
        i += a == at;
        if (b == at) {
            line_holds(line, ++next, &holds);
        }
        uint8_t want = plan->items[i - 1].missing;
        st = step_pending(plan->ingest, key, at, want, holds, error_out);
        holds = want;
    }
    return st;
}

/* Whoever makes the missing end meanwhile is to conflict. */
static enum yore_status mark_missing(struct plan *plan, struct yore_error *error_out)
{
    struct buffer key = {0};
    enum yore_status st = YORE_OK;
    const struct stretch *last = &plan->items[plan->count - 1];
    for (uint8_t side = 1; st == YORE_OK && side <= 2; side++) {
        if ((last->missing & side) != 0) {
            buffer_clear(&key);
            claim_end_key(&key, side == 1 ? last->after.start : last->after.end, bytes_of("", 0));
            st = key.is_nomem ? error_plain(error_out, YORE_NOMEM)
                              : ingest_mark_end(plan->ingest, buffer_bytes(&key), error_out);
        }
    }
    buffer_release(&key);
    return st;
}

static enum yore_status set_pending(struct plan *plan, struct yore_error *error_out)
{
    struct buffer key = {0};
    struct line line;
    const struct stretch *last = &plan->items[plan->count - 1];
    uint8_t was = 0;
    pending_key(&key, plan->name.external_id);
    enum yore_status st = buffer_status(&key) != YORE_OK
                              ? error_plain(error_out, YORE_NOMEM)
                              : line_read(plan->ingest->txn, buffer_bytes(&key),
                                          plan->items[0].from, &line, error_out);
    if (st == YORE_OK) {
        line_holds(&line, line.count, &was);
        st = write_pending(plan, buffer_bytes(&key), &line, error_out);
    }
    if (st == YORE_OK) {
        st = mark_missing(plan, error_out);
    }
    plan->ingest->tally.pending_added += was == 0 && last->missing != 0;
    plan->ingest->tally.pending_resolved += was != 0 && last->is_there;
    buffer_release(&key);
    return st;
}

/* ---- an element ---- */

static enum yore_status derive(struct plan *plan, int64_t from, struct yore_error *error_out)
{
    arena_reset(&plan->ingest->arena);
    enum yore_status st = cut_by_claims(plan, from, error_out);
    if (st == YORE_OK && plan->name.element == GRAPH_RELATIONSHIP) {
        st = cut_by_ends(plan, error_out);
    }
    if (st == YORE_OK) {
        st = lives_read(plan->ingest, &plan->name, from, &plan->lives, error_out);
    }
    if (st == YORE_OK) {
        st = end_unwanted(plan, error_out);
    }
    size_t next = 0;
    for (size_t i = 0; st == YORE_OK && i < plan->count;) {
        size_t behind = run_end(plan, i);
        if (plan->items[i].is_there) {
            st = cover(plan, i, behind, &next, error_out);
        }
        i = behind;
    }
    if (st == YORE_OK && plan->name.element == GRAPH_RELATIONSHIP) {
        st = set_pending(plan, error_out);
    }
    return st;
}

/* Did anybody name the end before this transaction?  What the transaction says itself is marked
 * already. */
static enum yore_status is_end_named(struct ingest *ingest, const struct buffer *key, bool *is_out,
                                     struct yore_error *error_out)
{
    struct graph *graph = ingest->graph;
    struct yore_time at = {YORE_NOW, ingest->txn->time.known};
    struct yore_value value = {0};
    if (key->is_nomem) {
        return error_plain(error_out, YORE_NOMEM);
    }
    enum yore_status st = yore_txn_get(ingest->txn->engine, graph->keyspace, buffer_bytes(key),
                                       NULL, &value, error_out); /* noted */
    yore_value_release(&value);
    if (st == YORE_OK) {
        st = yore_get(graph->db, graph->keyspace, buffer_bytes(key), &at, &value, error_out);
        *is_out = st == YORE_OK;
        yore_value_release(&value);
    }
    if (st == YORE_NOT_FOUND || st == YORE_ERASED) {
        error_clear(error_out);
        return YORE_OK;
    }
    return st;
}

/* Relationships that name a node which begins or ends somewhere it did not. */
static enum yore_status mark_hanging(struct ingest *ingest, struct yore_bytes node, int64_t from,
                                     struct yore_error *error_out)
{
    struct buffer prefix = {0};
    struct line_keys keys = {0};
    bool is_named = false;
    claim_end_key(&prefix, node, bytes_of("", 0));
    enum yore_status st = is_end_named(ingest, &prefix, &is_named, error_out);
    if (st == YORE_OK && is_named) {
        st = line_keys_stored(ingest->txn, buffer_bytes(&prefix), from, &keys, error_out);
    }
    buffer_release(&prefix);
    for (size_t i = 0; st == YORE_OK && i < keys.count; i++) {
        struct element_name name = {GRAPH_RELATIONSHIP, {NULL, 0}};
        if (!claim_end_key_decode(keys.keys[i], &name.external_id)) {
            char text[KEY_TEXT_BYTES];
            return error_set(error_out, YORE_CORRUPT, "graph %s: key %s is malformed",
                             ingest->graph->name, key_text(keys.keys[i], text));
        }
        if (name.external_id.size > 0) {
            st = ingest_mark(ingest, &name, from, false, error_out);
        }
    }
    return st;
}

/* ---- all ---- */

enum yore_status ingest_mark(struct ingest *ingest, const struct element_name *name, int64_t from,
                             bool ends, struct yore_error *error_out)
{
    struct buffer key = {0};
    graph_key_external(&key, name->element, name->external_id);
    struct own_fact fact = {.key = buffer_bytes(&key), .from = from, .is_put = !ends};
    bool is_new = own_facts_find(&ingest->dirty, fact.key) == NULL;
    bool is_ok = !key.is_nomem && own_facts_add(&ingest->dirty, &fact);
    if (is_ok && is_new) {
        if (ingest->order_count == ingest->order_capacity) {
            size_t capacity = ingest->order_capacity == 0 ? 64 : ingest->order_capacity * 2;
            const struct own_fact **order =
                mem_realloc(ingest->order, capacity * sizeof *ingest->order);
            is_ok = order != NULL;
            ingest->order = is_ok ? order : ingest->order;
            ingest->order_capacity = is_ok ? capacity : ingest->order_capacity;
        }
        if (is_ok) {
            ingest->order[ingest->order_count++] = own_facts_find(&ingest->dirty, fact.key);
        }
    }
    buffer_release(&key);
    return is_ok ? YORE_OK : error_plain(error_out, YORE_NOMEM);
}

static enum yore_status derive_one(struct ingest *ingest, const struct own_fact *fact,
                                   struct yore_error *error_out)
{
    struct plan plan = {.ingest = ingest};
    struct yore_error cause = {0};
    int64_t from = fact->from;
    for (const struct own_fact *more = fact; more != NULL; more = more->next) {
        from = more->from < from ? more->from : from;
    }
    claim_key_tail(bytes_behind(fact->key, 1), &plan.name.element, &plan.name.external_id);
    enum yore_status st = derive(&plan, from, &cause);
    if (st == YORE_OK && plan.is_changed && plan.name.element == GRAPH_NODE) {
        st = mark_hanging(ingest, plan.name.external_id, from, &cause);
    }
    if (st != YORE_OK) {
        char text[KEY_TEXT_BYTES];
        return error_set(error_out, st, "%s %s: %.400s",
                         plan.name.element == GRAPH_NODE ? "node" : "relationship",
                         key_text(plan.name.external_id, text), cause.text);
    }
    return YORE_OK;
}

enum yore_status ingest_derive(struct ingest *ingest, struct yore_error *error_out)
{
    enum yore_status st = YORE_OK;
    graph_unique_defer(ingest->txn);
    for (int element = GRAPH_NODE; element <= GRAPH_RELATIONSHIP; element++) {
        for (size_t i = 0; st == YORE_OK && i < ingest->order_count; i++) {
            const struct own_fact *fact = ingest->order[i];
            if (((const unsigned char *)fact->key.data)[1] == element) {
                st = derive_one(ingest, fact, error_out);
            }
        }
    }
    return st == YORE_OK ? graph_unique_settle(ingest->txn, error_out) : st;
}
