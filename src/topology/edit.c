/* edit.c -- properties and labels set and removed.
 *
 * A change dated `from` holds until the next change of the same thing: each property, each label by
 * itself.  So it runs along the segments of the life as long as these say of it what they said at
 * `from`; where one says something else, somebody else's word begins.  With an end it stops there,
 * and what held before holds again.
 */
#include "topology/graph_txn.h"
#include "topology/limits.h"

/* ---- the stretch that is changed ---- */

enum yore_status life_split(struct graph_txn *txn, struct life *life, const int64_t *moments,
                            size_t count, struct yore_error *error_out)
{
    struct segment *segments = arena_alloc(&txn->scratch, (life->count + count) * sizeof *segments);
    size_t made = 0;
    size_t at = 0;
    if (segments == NULL) {
        return error_plain(error_out, YORE_NOMEM);
    }
    for (size_t i = 0; i < count; i++) {
        while (at < life->count && txn_begins_before(txn, life->segments[at].from, moments[i])) {
            segments[made++] = life->segments[at++];
        }
        bool is_begin = at < life->count && life->segments[at].from == moments[i];
        if (!is_begin && txn_first_end(txn, life->end, moments[i]) != life->end) {
            segments[made] = segments[made - 1];
            segments[made].from = moments[i];
            segments[made++].is_split = true;
        }
    }
    while (at < life->count) {
        segments[made++] = life->segments[at++];
    }
    life->segments = segments;
    life->count = made;
    return YORE_OK;
}

/* ---- properties ---- */

static bool is_same(const struct yore_bytes *a, const struct yore_bytes *b)
{
    return a == NULL || b == NULL ? a == b : bytes_equal(*a, *b);
}

static bool run_property(struct graph_txn *txn, struct life *life, int64_t to, uint32_t token,
                         const struct yore_bytes *value)
{
    const struct yore_bytes *said = element_state_property(&life->segments[0].before, token);
    for (size_t i = 0; i < life->count && txn_begins_before(txn, life->segments[i].from, to); i++) {
        struct segment *segment = &life->segments[i];
        if (!is_same(element_state_property(&segment->before, token), said)) {
            break;
        }
        if (!element_state_set_property(&segment->after, token, value, &txn->scratch)) {
            return false;
        }
    }
    return true;
}

static bool is_named(const struct graph_property *properties, size_t count, uint32_t token)
{
    for (size_t i = 0; i < count; i++) {
        if (properties[i].token == token) {
            return true;
        }
    }
    return false;
}

/* What the element has at the begin and was not named goes. */
static enum yore_status remove_others(struct graph_txn *txn, struct life *life, int64_t to,
                                      const struct graph_property *properties, size_t count,
                                      struct yore_error *error_out)
{
    const struct element_state *first = &life->segments[0].before;
    for (size_t i = 0; i < first->property_count; i++) {
        uint32_t token = first->properties[i].token;
        if (is_named(properties, count, token)) {
            continue;
        }
        if (!run_property(txn, life, to, token, NULL)) {
            return error_plain(error_out, YORE_NOMEM);
        }
        txn->tally.properties_set++;
    }
    return YORE_OK;
}

static enum yore_status run_properties(struct graph_txn *txn, struct life *life, int64_t to,
                                       const struct graph_property *properties, size_t count,
                                       struct yore_error *error_out)
{
    enum yore_status st = YORE_OK;
    for (size_t i = 0; st == YORE_OK && i < count; i++) {
        bool is_null = properties[i].value.kind == YORE_GRAPH_NULL;
        bool was = element_state_property(&life->segments[0].before, properties[i].token) != NULL;
        struct yore_bytes value;
        st = property_encode(txn, &properties[i], &value, error_out);
        if (st == YORE_OK &&
            !run_property(txn, life, to, properties[i].token, is_null ? NULL : &value)) {
            st = error_plain(error_out, YORE_NOMEM);
        }
        txn->tally.properties_set += was || !is_null;
    }
    return st;
}

enum yore_status graph_properties_set(struct graph_txn *txn, struct graph_id id,
                                      const struct graph_property *properties, size_t count,
                                      bool replaces, const struct graph_write *write,
                                      struct yore_error *error_out)
{
    struct graph_write dates;
    struct life life = {0};
    uint64_t set_before = txn->tally.properties_set;
    error_clear(error_out);
    enum yore_status st = txn_dates(txn, write, &dates, error_out);
    if (st == YORE_OK) {
        st = life_read(txn, id, dates.from, &life, error_out);
    }
    if (st == YORE_OK) {
        st = life_split(txn, &life, &dates.to, 1, error_out);
    }
    if (st == YORE_OK && replaces) {
        st = remove_others(txn, &life, dates.to, properties, count, error_out);
    }
    if (st == YORE_OK) {
        st = run_properties(txn, &life, dates.to, properties, count, error_out);
    }
    if (st == YORE_OK) {
        st = segments_write(txn, id, life.segments, life.count, life.end, error_out);
    }
    if (st != YORE_OK) {
        txn->tally.properties_set = set_before;
    }
    return st;
}

/* ---- labels ---- */

static enum yore_status run_label(struct graph_txn *txn, struct life *life, int64_t to,
                                  uint32_t label, bool adds, struct yore_error *error_out)
{
    bool said = element_state_has_label(&life->segments[0].before, label);
    for (size_t i = 0; i < life->count && txn_begins_before(txn, life->segments[i].from, to); i++) {
        struct segment *segment = &life->segments[i];
        if (element_state_has_label(&segment->before, label) != said) {
            break;
        }
        if (!element_state_set_label(&segment->after, label, adds, &txn->scratch)) {
            return error_plain(error_out, YORE_NOMEM);
        }
        if (segment->after.label_count > GRAPH_LABELS_MAX) {
            return error_set(error_out, YORE_TOO_BIG, "a node has %u labels at most",
                             GRAPH_LABELS_MAX);
        }
    }
    return YORE_OK;
}

enum yore_status graph_labels_change(struct graph_txn *txn, uint64_t node, const uint32_t *labels,
                                     size_t count, bool adds, const struct graph_write *write,
                                     struct yore_error *error_out)
{
    struct graph_write dates;
    struct life life = {0};
    struct graph_id id = {GRAPH_NODE, node};
    uint64_t changed = 0;
    error_clear(error_out);
    enum yore_status st = txn_dates(txn, write, &dates, error_out);
    if (st == YORE_OK) {
        st = life_read(txn, id, dates.from, &life, error_out);
    }
    if (st == YORE_OK) {
        st = life_split(txn, &life, &dates.to, 1, error_out);
    }
    for (size_t i = 0; st == YORE_OK && i < count; i++) {
        changed += element_state_has_label(&life.segments[0].after, labels[i]) != adds;
        st = run_label(txn, &life, dates.to, labels[i], adds, error_out);
    }
    if (st == YORE_OK) {
        st = segments_write(txn, id, life.segments, life.count, life.end, error_out);
    }
    if (st == YORE_OK && adds) {
        txn->tally.labels_added += changed;
    } else if (st == YORE_OK) {
        txn->tally.labels_removed += changed;
    }
    return st;
}
