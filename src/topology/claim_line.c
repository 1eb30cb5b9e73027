/* claim_line.c -- the claims on one element along time, and a source's word laid into them.
 *
 * A claim dated `from` holds until the source's next different word, as a property that is set
 * late holds until its next change.  A removal ends all the source says without a gap.  A word with
 * an end is a span: it is laid over all of it, whatever was said there.  Behind an end in the past
 * what was said there is said again; behind one to come nothing is, until the source speaks.
 *
 * What is there although nobody claims it gets a claim of its own, by hand, before the first word
 * is laid in: so the graph is always what the claims make of it, and taking all words back leaves
 * what was there.
 */
#include <string.h>

#include "topology/ingest_internal.h"

/* ---- reading ---- */

static enum yore_status add_segment(struct ingest *ingest, struct claim_line *line, int64_t from,
                                    struct yore_error *error_out)
{
    if (line->count == line->capacity) {
        size_t capacity = line->capacity == 0 ? 4 : line->capacity * 2;
        struct claim_segment *items = arena_alloc(&ingest->arena, capacity * sizeof *items);
        if (items == NULL) {
            return error_plain(error_out, YORE_NOMEM);
        }
        if (line->count > 0) {
            memcpy(items, line->items, line->count * sizeof *items);
        }
        line->items = items;
        line->capacity = capacity;
    }
    line->items[line->count++] = (struct claim_segment){.from = from};
    return YORE_OK;
}

static enum yore_status fill_segment(struct ingest *ingest, const struct element_name *name,
                                     const struct line_version *version,
                                     struct claim_segment *segment, struct yore_error *error_out)
{
    if (!version->is_put) {
        return YORE_OK;
    }
    void *copy = arena_copy(&ingest->arena, version->value.data, version->value.size);
    enum yore_status st = copy == NULL
                              ? YORE_NOMEM
                              : claims_decode(bytes_of(copy, version->value.size), name->element,
                                              &ingest->arena, &segment->before);
    segment->after = segment->before;
    if (st == YORE_CORRUPT) {
        char text[KEY_TEXT_BYTES];
        return error_set(error_out, st, "graph %s: the claims on %s are malformed",
                         ingest->graph->name, key_text(name->external_id, text));
    }
    return st == YORE_OK ? st : error_plain(error_out, st);
}

enum yore_status claim_line_read(struct ingest *ingest, const struct element_name *name,
                                 int64_t from, bool stored, struct claim_line *line_out,
                                 struct yore_error *error_out)
{
    struct buffer key = {0};
    struct line line = {0};
    claim_key(&key, name->element, name->external_id);
    *line_out = (struct claim_line){0};
    enum yore_status st = buffer_status(&key) != YORE_OK ? error_plain(error_out, YORE_NOMEM)
                          : stored
                              ? line_stored(ingest->txn, buffer_bytes(&key), from, &line, error_out)
                              : line_read(ingest->txn, buffer_bytes(&key), from, &line, error_out);
    buffer_release(&key);
    if (st == YORE_OK) {
        st = add_segment(ingest, line_out, from, error_out);
    }
    for (size_t i = 0; st == YORE_OK && i < line.count; i++) {
        if (line.versions[i].from > from) {
            st = add_segment(ingest, line_out, line.versions[i].from, error_out);
        }
        if (st == YORE_OK) {
            st = fill_segment(ingest, name, &line.versions[i],
                              &line_out->items[line_out->count - 1], error_out);
        }
    }
    return st;
}

enum yore_status lives_read(struct ingest *ingest, const struct element_name *name, int64_t from,
                            struct lives *lives_out, struct yore_error *error_out)
{
    struct buffer key = {0};
    struct line line = {0};
    graph_key_external(&key, name->element, name->external_id);
    *lives_out = (struct lives){0};
    enum yore_status st = buffer_status(&key) != YORE_OK
                              ? error_plain(error_out, YORE_NOMEM)
                              : line_read(ingest->txn, buffer_bytes(&key), from, &line, error_out);
    buffer_release(&key);
    if (st != YORE_OK) {
        return st;
    }
    struct life_span *items = arena_alloc(&ingest->arena, line.count * sizeof *items + 1);
    if (items == NULL) {
        return error_plain(error_out, YORE_NOMEM);
    }
    size_t count = 0;
    for (size_t i = 0; i < line.count; i++) {
        const struct line_version *version = &line.versions[i];
        struct decoder octets;
        if (!version->is_put || version->end <= from || version->end <= version->from) {
            continue;
        }
        decoder_init(&octets, version->value.data, version->value.size);
        uint64_t id = decode_varint(&octets);
        if (count > 0 && items[count - 1].id == id && items[count - 1].end == version->from) {
            items[count - 1].end = version->end;
        } else {
            items[count++] = (struct life_span){id, version->from, version->end, false};
        }
    }
    *lives_out = (struct lives){items, count};
    return YORE_OK;
}

/* ---- stretches ---- */

/* Make a segment begin at `at`. */
static enum yore_status split(struct ingest *ingest, struct claim_line *line, int64_t at,
                              struct yore_error *error_out)
{
    size_t place = claim_segment_at(line, at) + 1;
    if (at == YORE_FOREVER || at <= line->items[place - 1].from) {
        return YORE_OK;
    }
    enum yore_status st = add_segment(ingest, line, at, error_out);
    if (st != YORE_OK) {
        return st;
    }
    struct claim_segment *items = line->items;
    memmove(items + place + 1, items + place, (line->count - 1 - place) * sizeof *items);
    items[place] = items[place - 1];
    items[place].from = at;
    items[place].is_split = true;
    return YORE_OK;
}

/* ---- by hand ---- */

static enum yore_status end_name(struct ingest *ingest, uint64_t node, int64_t at,
                                 struct yore_bytes *name_out, struct yore_error *error_out)
{
    struct yore_bytes name;
    enum yore_status st = node_external(ingest->txn, node, at, &name, error_out);
    if (st == YORE_OK) {
        *name_out = bytes_of(arena_copy(&ingest->arena, name.data, name.size), name.size);
        st = name_out->data != NULL ? YORE_OK : error_plain(error_out, YORE_NOMEM);
    }
    return st;
}

/* What an incarnation is at a moment, as a claim. */
static enum yore_status claim_of_life(struct ingest *ingest, const struct element_name *name,
                                      uint64_t id, int64_t at, struct claim *claim_out,
                                      struct yore_error *error_out)
{
    struct graph_id element = {name->element, id};
    struct graph_key key = graph_key_element(element);
    struct line line;
    enum yore_status st = line_read(ingest->txn, graph_key_bytes(&key), at, &line, error_out);
    if (st == YORE_OK && !line.is_in_force) {
        return graph_refuse_record(ingest->graph, element, error_out);
    }
    if (st != YORE_OK) {
        return st;
    }
    struct yore_bytes value = line.versions[0].value;
    value.data = arena_copy(&ingest->arena, value.data, value.size);
    *claim_out = (struct claim){.source = CLAIM_BY_HAND, .until = YORE_FOREVER};
    st = value.data == NULL
             ? YORE_NOMEM
             : element_state_decode(value, name->element, &ingest->arena, &claim_out->state);
    if (st != YORE_OK) {
        return st == YORE_CORRUPT ? graph_refuse_record(ingest->graph, element, error_out)
                                  : error_plain(error_out, st);
    }
    if (name->element == GRAPH_RELATIONSHIP) {
        st = end_name(ingest, claim_out->state.start_id, at, &claim_out->start, error_out);
        if (st == YORE_OK) {
            st = end_name(ingest, claim_out->state.end_id, at, &claim_out->end, error_out);
        }
    }
    claim_out->state.external_id = bytes_of("", 0);
    claim_out->state.start_id = 0;
    claim_out->state.end_id = 0;
    return st;
}

static bool is_within(const struct lives *lives, int64_t at)
{
    size_t low = 0;
    size_t high = lives->count;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (lives->items[middle].from <= at) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return low < lives->count && lives->items[low].from <= at && at < lives->items[low].end;
}

/* Claim by hand what is there and nobody claims.  What this transaction has let go of is there
 * still, but was claimed. */
static enum yore_status adopt(struct ingest *ingest, const struct element_name *name,
                              struct claim_line *line, const struct life_span *life,
                              struct yore_error *error_out)
{
    struct claim claim;
    struct claim_line stored = {0};
    enum yore_status st = YORE_OK;
    for (size_t i = claim_segment_at(line, life->from);
         st == YORE_OK && i < line->count && line->items[i].from < life->end; i++) {
        int64_t from = line->items[i].from > life->from ? line->items[i].from : life->from;
        int64_t end =
            claim_segment_end(line, i) < life->end ? claim_segment_end(line, i) : life->end;
        if (line->items[i].after.count > 0 || from >= end) {
            continue;
        }
        if (stored.count == 0) {
            st = claim_line_read(ingest, name, line->items[0].from, true, &stored, error_out);
        }
        if (st == YORE_OK && claim_line_at(&stored, from)->count > 0) {
            continue;
        }
        if (st == YORE_OK) {
            st = claim_of_life(ingest, name, life->id, from, &claim, error_out);
        }
        if (st == YORE_OK) {
            st = split(ingest, line, from, error_out);
        }
        if (st == YORE_OK) {
            st = split(ingest, line, end, error_out);
        }
        i += st == YORE_OK && line->items[i].from < from;
        if (st == YORE_OK &&
            !claims_set(&line->items[i].after, CLAIM_BY_HAND, &claim, &ingest->arena)) {
            st = error_plain(error_out, YORE_NOMEM);
        }
    }
    return st;
}

/* Make what is by hand agree with what is there. */
static enum yore_status agree_by_hand(struct ingest *ingest, const struct element_name *name,
                                      struct claim_line *line, const struct lives *lives,
                                      struct yore_error *error_out)
{
    enum yore_status st = YORE_OK;
    bool has_any = false;
    for (size_t i = 0; st == YORE_OK && i < lives->count; i++) {
        st = adopt(ingest, name, line, &lives->items[i], error_out);
    }
    for (size_t i = 0; i < line->count; i++) {
        has_any |= claims_find(&line->items[i].before, CLAIM_BY_HAND) != NULL;
    }
    for (size_t i = 0; st == YORE_OK && has_any && i < lives->count; i++) {
        st = split(ingest, line, lives->items[i].from, error_out);
        if (st == YORE_OK) {
            st = split(ingest, line, lives->items[i].end, error_out);
        }
    }
    for (size_t i = 0; st == YORE_OK && has_any && i < line->count; i++) {
        struct claims *after = &line->items[i].after;
        if (claims_find(after, CLAIM_BY_HAND) != NULL && !is_within(lives, line->items[i].from) &&
            !claims_set(after, CLAIM_BY_HAND, NULL, &ingest->arena)) {
            st = error_plain(error_out, YORE_NOMEM);
        }
    }
    return st;
}

/* ---- the word ---- */

static enum yore_status lay_word(struct ingest *ingest, struct claim_line *line,
                                 const struct claim_change *change, bool *is_change_out,
                                 struct yore_error *error_out)
{
    struct claim said;
    const struct claim *first = claims_find(&line->items[0].after, change->source);
    bool was_said = first != NULL;
    if (was_said) {
        said = *first;
    }
    /* The engine takes no facts dated in the future: a claim that ends there is laid as far as
     * something was said, and ends by itself. */
    bool is_span = change->to != YORE_FOREVER ||
                   (change->claim != NULL && change->claim->until != YORE_FOREVER);
    int64_t to = change->claim != NULL && change->claim->until < change->to ? change->claim->until
                                                                            : change->to;
    *is_change_out = false;
    enum yore_status st = split(ingest, line, change->to, error_out);
    for (size_t i = 0; st == YORE_OK && i < line->count && line->items[i].from < to; i++) {
        struct claims *after = &line->items[i].after;
        const struct claim *found = claims_find(after, change->source);
        bool goes_on = change->claim != NULL ? claim_equal(found, was_said ? &said : NULL)
                                             : found != NULL && (change->until == YORE_FOREVER ||
                                                                 change->until == found->until);
        if (!goes_on && !is_span) {
            break;
        }
        if (claim_equal(found, change->claim)) {
            continue;
        }
        *is_change_out = true;
        if (!claims_set(after, change->source, change->claim, &ingest->arena)) {
            st = error_plain(error_out, YORE_NOMEM);
        } else if (after->count > GRAPH_CLAIMS_MAX) {
            st = error_set(error_out, YORE_TOO_BIG, "%u sources claim this element already",
                           GRAPH_CLAIMS_MAX);
        }
    }
    return st;
}

/* ---- writing ---- */

static enum yore_status write_records(struct ingest *ingest, const struct element_name *name,
                                      const struct claim_line *line, struct yore_error *error_out)
{
    struct buffer key = {0};
    struct buffer record = {0};
    enum yore_status st = YORE_OK;
    claim_key(&key, name->element, name->external_id);
    for (size_t i = 0; st == YORE_OK && i < line->count; i++) {
        const struct claim_segment *segment = &line->items[i];
        const struct claims *carried =
            segment->is_split ? &line->items[i - 1].after : &segment->before;
        if (claims_equal(&segment->after, carried)) {
            continue;
        }
        buffer_clear(&record);
        claims_encode(&segment->after, &record);
        if (key.is_nomem || record.is_nomem) {
            st = error_plain(error_out, YORE_NOMEM);
        } else if (segment->after.count == 0) {
            st = txn_delete(ingest->txn, buffer_bytes(&key), segment->from, error_out);
        } else {
            st = txn_put(ingest->txn, buffer_bytes(&key), buffer_bytes(&record), segment->from,
                         YORE_FOREVER, error_out);
        }
    }
    buffer_release(&key);
    buffer_release(&record);
    return st;
}

struct entry_pair {
    struct entry_list before;
    struct entry_list after;
};

/* As segments.c has it: versions of an entry begin only where one of the record does, and only
 * segments that change, and those behind them, have to be looked at. */
static enum yore_status write_entry(struct ingest *ingest, struct yore_bytes key,
                                    const struct claim_segment *segment,
                                    const struct entry_pair *before, const struct entry_pair *pair,
                                    struct yore_error *error_out)
{
    bool had = entries_hold(&pair->before, key);
    bool want = entries_hold(&pair->after, key);
    bool had_before = before != NULL && entries_hold(&before->before, key);
    bool want_before = before != NULL && entries_hold(&before->after, key);
    bool goes_on_wrongly = before != NULL && want != want_before && had == had_before;
    bool is_needed = segment->is_split ? want != want_before : want != had || goes_on_wrongly;
    if (!is_needed) {
        return YORE_OK;
    }
    return want ? txn_put(ingest->txn, key, bytes_of("", 0), segment->from, YORE_FOREVER, error_out)
                : txn_delete(ingest->txn, key, segment->from, error_out);
}

static bool list_entries(struct ingest *ingest, const struct element_name *name,
                         const struct claim_segment *segment, struct entry_pair *pair,
                         struct entry_list *all)
{
    struct arena *arena = &ingest->arena;
    return claims_entries(&segment->before, name->element, name->external_id, arena,
                          &pair->before) &&
           claims_entries(&segment->after, name->element, name->external_id, arena, &pair->after) &&
           entries_join(all, &pair->before, arena) == YORE_OK &&
           entries_join(all, &pair->after, arena) == YORE_OK;
}

static bool is_changed(const struct claim_segment *segment)
{
    return !claims_equal(&segment->before, &segment->after);
}

static enum yore_status write_entries(struct ingest *ingest, const struct element_name *name,
                                      const struct claim_line *line, struct yore_error *error_out)
{
    enum yore_status st = YORE_OK;
    bool was_changed = false;
    for (size_t i = 0; st == YORE_OK && i < line->count; i++) {
        const struct claim_segment *segment = &line->items[i];
        struct entry_pair pairs[2] = {0};
        struct entry_list all = {0};
        bool changes = is_changed(segment);
        bool is_skipped = !changes && !was_changed;
        was_changed = changes;
        if (is_skipped) {
            continue;
        }
        if ((i > 0 && !list_entries(ingest, name, segment - 1, &pairs[0], &all)) ||
            !list_entries(ingest, name, segment, &pairs[1], &all)) {
            st = error_plain(error_out, YORE_NOMEM);
        }
        for (size_t k = 0; st == YORE_OK && k < all.count; k++) {
            st = write_entry(ingest, all.keys[k], segment, i > 0 ? &pairs[0] : NULL, &pairs[1],
                             error_out);
        }
    }
    return st;
}

/* The mark of a node that is named as an end: whoever makes or ends a node asks for it before
 * looking for what hangs on the name.  It is written again while a relationship waits (derive.c),
 * so that who waits and who comes conflict. */
static enum yore_status mark_ends(struct ingest *ingest, const struct claim_change *change,
                                  struct yore_error *error_out)
{
    enum yore_status st = YORE_OK;
    bool has_ends = change->element == GRAPH_RELATIONSHIP && change->claim != NULL;
    for (int side = 0; st == YORE_OK && has_ends && side < 2; side++) {
        struct yore_value value = {0};
        bool is_there = false;
        struct buffer key = {0};
        claim_end_key(&key, side == 0 ? change->claim->start : change->claim->end, bytes_of("", 0));
        st = key.is_nomem ? error_plain(error_out, YORE_NOMEM)
                          : yore_txn_get(ingest->txn->engine, ingest->graph->keyspace,
                                         buffer_bytes(&key), NULL, &value, error_out);
        is_there = st == YORE_OK;
        if (st == YORE_NOT_FOUND || st == YORE_ERASED) {
            error_clear(error_out);
            st = YORE_OK;
        }
        if (st == YORE_OK && !is_there) {
            st = ingest_mark_end(ingest, buffer_bytes(&key), error_out);
        }
        yore_value_release(&value);
        buffer_release(&key);
    }
    return st;
}

enum yore_status ingest_mark_end(struct ingest *ingest, struct yore_bytes key,
                                 struct yore_error *error_out)
{
    return yore_txn_put(ingest->txn->engine, ingest->graph->keyspace, key, bytes_of("", 0), NULL,
                        error_out);
}

static enum yore_status write_due(struct ingest *ingest, const struct claim_change *change,
                                  struct yore_error *error_out)
{
    struct buffer key = {0};
    enum yore_status st = YORE_OK;
    if (change->claim == NULL || change->claim->until == YORE_FOREVER) {
        return st;
    }
    due_key(&key, change->claim->until, change->element, change->external_id);
    st = key.is_nomem ? error_plain(error_out, YORE_NOMEM)
                      : yore_txn_put(ingest->txn->engine, ingest->graph->keyspace,
                                     buffer_bytes(&key), bytes_of("", 0), NULL, error_out);
    buffer_release(&key);
    return st;
}

/* ---- a change ---- */

enum yore_status ingest_change(struct ingest *ingest, const struct claim_change *change,
                               struct yore_error *error_out)
{
    struct element_name name = {change->element, change->external_id};
    struct claim_line line;
    struct lives lives;
    bool is_change = false;
    struct graph_write dates = {.from = change->from, .to = YORE_FOREVER};
    arena_reset(&ingest->arena);
    enum yore_status st = txn_dates(ingest->txn, &dates, &dates, error_out);
    if (st == YORE_OK) {
        st = claim_line_read(ingest, &name, change->from, false, &line, error_out);
    }
    if (st == YORE_OK) {
        st = lives_read(ingest, &name, change->from, &lives, error_out);
    }
    if (st == YORE_OK) {
        st = agree_by_hand(ingest, &name, &line, &lives, error_out);
    }
    if (st == YORE_OK) {
        st = lay_word(ingest, &line, change, &is_change, error_out);
    }
    if (st != YORE_OK) {
        return st;
    }
    ingest->tally.words += is_change;
    ingest->tally.unchanged += !is_change;
    if (!is_change && (change->claim == NULL || is_within(&lives, change->from))) {
        return YORE_OK;
    }
    st = write_records(ingest, &name, &line, error_out);
    if (st == YORE_OK) {
        st = write_entries(ingest, &name, &line, error_out);
    }
    if (st == YORE_OK) {
        st = mark_ends(ingest, change, error_out);
    }
    if (st == YORE_OK) {
        st = write_due(ingest, change, error_out);
    }
    return st == YORE_OK
               ? ingest_mark(ingest, &name, change->from, change->claim == NULL, error_out)
               : st;
}
