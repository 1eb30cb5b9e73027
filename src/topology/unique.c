#include "topology/unique.h"

#include <inttypes.h>

#include "base/moment.h"
#include "topology/entries.h"
#include "topology/graph_internal.h"

enum yore_status unique_refuse(struct graph *graph, const struct graph_rule *rule, uint64_t node,
                               uint64_t other, int64_t moment, struct yore_error *error_out)
{
    char when[MOMENT_TEXT_BYTES] = "now";
    struct yore_bytes label = graph_token_name(graph, GRAPH_LABEL, rule->schema.label);
    struct yore_bytes property = graph_token_name(graph, GRAPH_PROPERTY, rule->schema.property);
    if (moment != LINE_NOW) {
        moment_format(moment, when);
    }
    return error_set(error_out, YORE_EXISTS,
                     "graph %s: nodes %" PRIu64 " and %" PRIu64
                     " would have the same value of %.*s.%.*s at %s, which is unique",
                     graph->name, other, node, (int)(label.size < 64 ? label.size : 64),
                     (const char *)label.data, (int)(property.size < 64 ? property.size : 64),
                     (const char *)property.data, when);
}

/* Is another node's entry there at any time in [from, to)? */
static enum yore_status check_other(struct graph_txn *txn, struct yore_bytes key, int64_t from,
                                    int64_t to, int64_t *meets_out, bool *is_met_out,
                                    struct yore_error *error_out)
{
    struct line line;
    enum yore_status st = line_read(txn, key, from, &line, error_out);
    *is_met_out = st == YORE_OK && line.is_in_force;
    *meets_out = from;
    for (size_t i = 0; st == YORE_OK && i < line.count && !*is_met_out; i++) {
        const struct line_version *version = &line.versions[i];
        if (version->from > from && version->is_put && txn_begins_before(txn, version->from, to)) {
            *is_met_out = true;
            *meets_out = version->from;
        }
    }
    return st;
}

/* A node is given a value in [from, to). */
struct gift {
    const struct graph_rule *rule;
    uint64_t node;
    struct yore_bytes external_id;
    struct yore_bytes key; /* the node's entry */
    int64_t from;
    int64_t to;
};

struct unique_doubt {
    struct unique_doubt *next;
    struct gift gift;
};

static enum yore_status doubt(struct graph_txn *txn, const struct gift *gift,
                              struct yore_error *error_out)
{
    struct arena *memory = &txn->doubt_memory;
    struct unique_doubt *made = arena_alloc(memory, sizeof *made);
    const void *key = arena_copy(memory, gift->key.data, gift->key.size);
    const void *name = arena_copy(memory, gift->external_id.data, gift->external_id.size);
    if (made == NULL || key == NULL || name == NULL) {
        return error_plain(error_out, YORE_NOMEM);
    }
    *made = (struct unique_doubt){txn->doubts, *gift};
    made->gift.key.data = key;
    made->gift.external_id.data = name;
    txn->doubts = made;
    return YORE_OK;
}

static enum yore_status check_gift(struct graph_txn *txn, const struct gift *gift,
                                   struct yore_error *error_out)
{
    struct yore_bytes value;
    struct line_keys keys;
    uint64_t found = 0;
    if (!graph_key_index_decode(gift->key, &found, &value)) {
        return error_plain(error_out, YORE_CORRUPT);
    }
    enum yore_status st = line_keys_ever(txn, value, gift->from, &keys, error_out);
    for (size_t i = 0; st == YORE_OK && i < keys.count; i++) {
        struct yore_bytes found_value;
        int64_t meets = gift->from;
        bool is_met = false;
        if (!graph_key_index_decode(keys.keys[i], &found, &found_value) || found == gift->node) {
            continue;
        }
        st = check_other(txn, keys.keys[i], gift->from, gift->to, &meets, &is_met, error_out);
        if (st == YORE_OK && is_met && txn->defers_unique) {
            return doubt(txn, gift, error_out);
        }
        if (st == YORE_OK && is_met) {
            st = unique_refuse(txn->graph, gift->rule, gift->node, found, meets, error_out);
        }
    }
    return st;
}

static enum yore_status check_rule(struct graph_txn *txn, const struct graph_rule *rule,
                                   uint64_t node, const struct segment *segment, int64_t to,
                                   struct yore_error *error_out)
{
    struct yore_bytes before = {"", 0};
    struct gift gift = {rule, node, segment->after.external_id, {"", 0}, segment->from, to};
    enum yore_status st = YORE_OK;
    if (segment->was) {
        st = entry_of_rule(&segment->before, node, rule, &txn->scratch, &before, error_out);
    }
    if (st == YORE_OK && segment->will_be) {
        st = entry_of_rule(&segment->after, node, rule, &txn->scratch, &gift.key, error_out);
    }
    if (st != YORE_OK || gift.key.size == 0 || bytes_equal(before, gift.key)) {
        return st;
    }
    return check_gift(txn, &gift, error_out);
}

enum yore_status unique_check(struct graph_txn *txn, struct graph_id id,
                              const struct segment *segments, size_t count, int64_t end,
                              struct yore_error *error_out)
{
    enum yore_status st = YORE_OK;
    for (size_t i = 0; st == YORE_OK && id.element == GRAPH_NODE && i < txn->rules->count; i++) {
        const struct graph_rule *rule = &txn->rules->rules[i];
        for (size_t j = 0; st == YORE_OK && rule->schema.is_unique && j < count; j++) {
            int64_t to = j + 1 < count ? segments[j + 1].from : end;
            st = check_rule(txn, rule, id.id, &segments[j], to, error_out);
        }
    }
    return st;
}

void graph_unique_defer(struct graph_txn *txn)
{
    txn->defers_unique = true;
}

void unique_forget(struct graph_txn *txn)
{
    txn->defers_unique = false;
    txn->doubts = NULL;
    arena_reset(&txn->doubt_memory);
}

/* Wherever the node has the value still. */
static enum yore_status check_doubt(struct graph_txn *txn, const struct gift *doubted,
                                    struct yore_error *error_out)
{
    struct line line;
    enum yore_status st = line_read(txn, doubted->key, doubted->from, &line, error_out);
    for (size_t i = 0; st == YORE_OK && i < line.count; i++) {
        const struct line_version *version = &line.versions[i];
        struct gift gift = *doubted;
        gift.from = i == 0 && line.is_in_force ? gift.from : version->from;
        gift.to = txn_first_end(txn, version->end, gift.to);
        if (version->is_put && txn_begins_before(txn, gift.from, gift.to)) {
            st = check_gift(txn, &gift, error_out);
        }
    }
    return st;
}

enum yore_status graph_unique_settle(struct graph_txn *txn, struct yore_error *error_out)
{
    enum yore_status st = YORE_OK;
    error_clear(error_out);
    txn->defers_unique = false;
    for (const struct unique_doubt *d = txn->doubts; st == YORE_OK && d != NULL; d = d->next) {
        struct yore_error cause = {0};
        char name[KEY_TEXT_BYTES];
        arena_reset(&txn->scratch);
        st = check_doubt(txn, &d->gift, &cause);
        if (st != YORE_OK) {
            error_set(error_out, st, "node %s: %.400s", key_text(d->gift.external_id, name),
                      cause.text);
        }
    }
    unique_forget(txn);
    return st;
}
