/* segments.c -- from the states of an element's life, before and after, to the facts that make it
 * so.
 *
 * The versions of a record and of the entries that follow from it begin at the same moments, so the
 * begins of the record's versions are all there is to look at.  At the begin of segment i an entry
 * needs a fact
 *  - where it is wanted and was not there, or the reverse; and
 *  - where want changes from segment i - 1 to i although it did not change before: nothing stands
 *    there yet, and what segment i - 1 got would go on.
 * A version that is written again keeps its begin, and ends with the life.
 */
#include "engine/txn.h"
#include "topology/entries.h"
#include "topology/graph_internal.h"
#include "topology/graph_txn.h"
#include "topology/unique.h"

/* ---- lives ---- */

enum yore_status life_read(struct graph_txn *txn, struct graph_id id, int64_t from,
                           struct life *life_out, struct yore_error *error_out)
{
    struct graph_key key = graph_key_element(id);
    struct line line;
    enum yore_status st = line_read(txn, graph_key_bytes(&key), from, &line, error_out);
    if (st != YORE_OK) {
        return st;
    }
    life_out->count = line_life(&line, &life_out->end);
    if (life_out->count == 0 && txn_met_erasure(txn->engine)) {
        return error_set(error_out, YORE_CONFLICT,
                         "graph %s: something was erased meanwhile; begin the transaction again",
                         txn->graph->name);
    }
    if (life_out->count == 0) {
        return error_set(error_out, YORE_NOT_FOUND,
                         "graph %s: there is no %s %llu at the time of the change",
                         txn->graph->name, id.element == GRAPH_NODE ? "node" : "relationship",
                         (unsigned long long)id.id);
    }
    life_out->segments = arena_alloc(&txn->scratch, life_out->count * sizeof *life_out->segments);
    if (life_out->segments == NULL) {
        return error_plain(error_out, YORE_NOMEM);
    }
    for (size_t i = 0; i < life_out->count; i++) {
        struct segment *segment = &life_out->segments[i];
        *segment = (struct segment){
            .from = i == 0 ? from : line.versions[i].from, .was = true, .will_be = true};
        st = element_state_decode(line.versions[i].value, id.element, &txn->scratch,
                                  &segment->before);
        if (st != YORE_OK) {
            return st == YORE_CORRUPT ? graph_refuse_record(txn->graph, id, error_out)
                                      : error_plain(error_out, st);
        }
        segment->after = segment->before;
    }
    return YORE_OK;
}

/* ---- records ---- */

static enum yore_status write_record(struct graph_txn *txn, struct yore_bytes key,
                                     const struct segment *segment, int64_t end,
                                     struct yore_error *error_out)
{
    if (!segment->will_be) {
        return txn_delete(txn, key, segment->from, error_out);
    }
    if (segment->was && !segment->is_split &&
        element_states_equal(&segment->before, &segment->after)) {
        return YORE_OK;
    }
    struct buffer record = {0};
    element_state_encode(&segment->after, &record);
    enum yore_status st = YORE_OK;
    if (buffer_status(&record) != YORE_OK) {
        st = error_plain(error_out, YORE_NOMEM);
    } else if (record.size > GRAPH_RECORD_BYTES_MAX) {
        st = error_set(error_out, YORE_TOO_BIG,
                       "an element with all its properties takes %u bytes at most; this one %zu",
                       GRAPH_RECORD_BYTES_MAX, record.size);
    } else {
        st = txn_put(txn, key, buffer_bytes(&record), segment->from, end, error_out);
    }
    buffer_release(&record);
    return st;
}

/* ---- entries ---- */

/* The entries of one segment. */
struct entry_pair {
    struct entry_list before;
    struct entry_list after;
};

/* Does any entry of it come or go?  `before` and `after` being equal, no. */
static bool is_changed(const struct graph_txn *txn, const struct segment *segment)
{
    const struct element_state *before = &segment->before;
    const struct element_state *after = &segment->after;
    if (segment->was != segment->will_be || before->label_count != after->label_count) {
        return true;
    }
    for (size_t i = 0; i < after->label_count; i++) {
        if (before->labels[i] != after->labels[i]) {
            return true;
        }
    }
    return txn->rules->count > 0 && !element_states_equal(before, after);
}

static enum yore_status list_entries(struct graph_txn *txn, uint64_t id,
                                     const struct segment *segment, struct entry_pair *pair,
                                     struct entry_list *all, struct yore_error *error_out)
{
    struct arena *arena = &txn->scratch;
    enum yore_status st = YORE_OK;
    if (segment->was) {
        st = entries_of_state(&segment->before, id, txn->rules, arena, &pair->before, error_out);
    }
    if (st == YORE_OK && segment->will_be) {
        st = entries_of_state(&segment->after, id, txn->rules, arena, &pair->after, error_out);
    }
    if (st == YORE_OK && (entries_join(all, &pair->before, arena) != YORE_OK ||
                          entries_join(all, &pair->after, arena) != YORE_OK)) {
        st = error_plain(error_out, YORE_NOMEM);
    }
    return st;
}

/* At the begin of the segment of `pair`; `before` is that in front of it, or NULL. */
static enum yore_status write_entry(struct graph_txn *txn, struct yore_bytes key,
                                    const struct entry_pair *before, const struct entry_pair *pair,
                                    const struct graph_write *dates, struct yore_error *error_out)
{
    bool had = entries_hold(&pair->before, key);
    bool want = entries_hold(&pair->after, key);
    bool had_before = before != NULL && entries_hold(&before->before, key);
    bool want_before = before != NULL && entries_hold(&before->after, key);
    bool goes_on_wrongly = before != NULL && want != want_before && had == had_before;
    if (want == had && !goes_on_wrongly) {
        return YORE_OK;
    }
    return want ? txn_put(txn, key, bytes_of("", 0), dates->from, dates->to, error_out)
                : txn_delete(txn, key, dates->from, error_out);
}

/* All at the begin of segment `i`. */
static enum yore_status write_begin(struct graph_txn *txn, struct graph_id id,
                                    const struct segment *segments, size_t i, int64_t end,
                                    struct yore_error *error_out)
{
    struct entry_pair pairs[2] = {0};
    struct entry_list all = {0};
    struct graph_write dates = {.from = segments[i].from, .to = end};
    enum yore_status st = YORE_OK;
    if (i > 0) {
        st = list_entries(txn, id.id, &segments[i - 1], &pairs[0], &all, error_out);
    }
    if (st == YORE_OK) {
        st = list_entries(txn, id.id, &segments[i], &pairs[1], &all, error_out);
    }
    for (size_t k = 0; st == YORE_OK && k < all.count; k++) {
        st = write_entry(txn, all.keys[k], i > 0 ? &pairs[0] : NULL, &pairs[1], &dates, error_out);
    }
    return st;
}

/* Where neither a segment nor that in front of it changes, nothing stands to be written. */
static enum yore_status write_entries(struct graph_txn *txn, struct graph_id id,
                                      const struct segment *segments, size_t count, int64_t end,
                                      struct yore_error *error_out)
{
    enum yore_status st = YORE_OK;
    bool was_changed = false;
    for (size_t i = 0; st == YORE_OK && i < count; i++) {
        bool changes = is_changed(txn, &segments[i]);
        if (changes || was_changed) {
            st = write_begin(txn, id, segments, i, end, error_out);
        }
        was_changed = changes;
    }
    return st;
}

/* An element that was made to begin earlier has a version where it began before. */
static enum yore_status delete_later(struct graph_txn *txn, struct yore_bytes key, int64_t from,
                                     int64_t end, struct yore_error *error_out)
{
    struct line line;
    enum yore_status st = line_read(txn, key, from, &line, error_out);
    for (size_t i = 0; st == YORE_OK && i < line.count; i++) {
        int64_t at = line.versions[i].from;
        if (line.versions[i].is_put && at > from && txn_begins_before(txn, at, end)) {
            st = txn_delete(txn, key, at, error_out);
        }
    }
    return st;
}

/* Adjacency and external id last as long as the element: they change where it begins or ends. */
static enum yore_status write_whole(struct graph_txn *txn, struct graph_id id,
                                    const struct segment *segments, size_t count, int64_t end,
                                    struct yore_error *error_out)
{
    const struct segment *segment = &segments[0];
    enum yore_status st = YORE_OK;
    if (segment->was == segment->will_be || id.element == GRAPH_NODE) {
        return YORE_OK;
    }
    const struct element_state *state = segment->was ? &segment->before : &segment->after;
    struct entry_list ends;
    if (entries_of_ends(state, id.id, &txn->scratch, &ends) != YORE_OK) {
        return error_plain(error_out, YORE_NOMEM);
    }
    for (size_t i = 0; st == YORE_OK && i < ends.count; i++) {
        if (!segment->will_be && count > 1) {
            st = delete_later(txn, ends.keys[i], segment->from, end, error_out);
        }
        if (st == YORE_OK) {
            st = segment->will_be
                     ? txn_put(txn, ends.keys[i], bytes_of("", 0), segment->from, end, error_out)
                     : txn_delete(txn, ends.keys[i], segment->from, error_out);
        }
    }
    return st;
}

enum yore_status segments_write(struct graph_txn *txn, struct graph_id id,
                                const struct segment *segments, size_t count, int64_t end,
                                struct yore_error *error_out)
{
    struct graph_key key = graph_key_element(id);
    enum yore_status st = unique_check(txn, id, segments, count, end, error_out);
    for (size_t i = 0; st == YORE_OK && i < count; i++) {
        st = write_record(txn, graph_key_bytes(&key), &segments[i], end, error_out);
    }
    if (st == YORE_OK && count > 0) {
        st = write_whole(txn, id, segments, count, end, error_out);
    }
    if (st == YORE_OK && id.element == GRAPH_NODE) {
        st = write_entries(txn, id, segments, count, end, error_out);
    }
    return st;
}
