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

/* One value of one rule, given to `node` in [from, to). */
static enum yore_status check_value(struct graph_txn *txn, const struct graph_rule *rule,
                                    uint64_t node, struct yore_bytes key, int64_t from, int64_t to,
                                    struct yore_error *error_out)
{
    struct yore_bytes value;
    struct line_keys keys;
    uint64_t found = 0;
    if (!graph_key_index_decode(key, &found, &value)) {
        return error_plain(error_out, YORE_CORRUPT);
    }
    enum yore_status st = line_keys_ever(txn, value, from, &keys, error_out);
    for (size_t i = 0; st == YORE_OK && i < keys.count; i++) {
        struct yore_bytes found_value;
        int64_t meets = from;
        bool is_met = false;
        if (!graph_key_index_decode(keys.keys[i], &found, &found_value) || found == node) {
            continue;
        }
        st = check_other(txn, keys.keys[i], from, to, &meets, &is_met, error_out);
        if (st == YORE_OK && is_met) {
            st = unique_refuse(txn->graph, rule, node, found, meets, error_out);
        }
    }
    return st;
}

static enum yore_status check_rule(struct graph_txn *txn, const struct graph_rule *rule,
                                   uint64_t node, const struct segment *segment, int64_t to,
                                   struct yore_error *error_out)
{
    struct yore_bytes before = {"", 0};
    struct yore_bytes after = {"", 0};
    enum yore_status st = YORE_OK;
    if (segment->was) {
        st = entry_of_rule(&segment->before, node, rule, &txn->scratch, &before, error_out);
    }
    if (st == YORE_OK && segment->will_be) {
        st = entry_of_rule(&segment->after, node, rule, &txn->scratch, &after, error_out);
    }
    if (st != YORE_OK || after.size == 0 || bytes_equal(before, after)) {
        return st;
    }
    return check_value(txn, rule, node, after, segment->from, to, error_out);
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
