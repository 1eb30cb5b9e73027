/* schema.c -- indexes and constraints: made online, over all of history.
 *
 *   absent --declare--> building --complete--> online --drop--> absent
 *                          \--withdraw--> absent
 *
 * Declaring writes the rule; from that commit on every writer keeps the index (those in flight read
 * the list of rules and conflict).  Then the past is filled in, some nodes at a time and by bounded
 * commits (FILL_FACTS), each node's whole line in one that conflicts with writers of that node.  A
 * constraint is then checked over the index itself, every value at every time.  A making that was
 * cut off by a crash is taken up by the next call; one that fails, or is cancelled, withdraws the
 * rule.  Who was at the same rule begins again: only the rule that was filled, by its number, is
 * completed.  The keys of an index carry a number that is never used again: what a dropped one left
 * behind says nothing to its successor, and still answers views that knew it.  To drop is to take
 * the rule out; its entries are swept behind that, by their numbers, and those of a drop that was
 * cut off with the next one.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "engine/gate.h"
#include "topology/entries.h"
#include "topology/ever.h"
#include "topology/graph_internal.h"
#include "topology/graph_txn.h"
#include "topology/unique.h"

#define ROUNDS_MAX 1000u /* tries of one small commit among other writers */
#define DROP_BATCH_COUNT 4096u
/* Entries of one commit of the backfill, but for those of the node that passes it: what a node's
 * whole line has is not known before it is read. */
#define FILL_FACTS 4096u

/* ---- the list of rules ---- */

enum edit_kind { RULE_DECLARE, RULE_COMPLETE, RULE_WITHDRAW, RULE_DROP };

static enum yore_status refuse_rule(struct graph *graph, const struct graph_schema *schema,
                                    enum yore_status st, const char *words,
                                    struct yore_error *error_out)
{
    struct yore_bytes label = graph_token_name(graph, GRAPH_LABEL, schema->label);
    struct yore_bytes property = graph_token_name(graph, GRAPH_PROPERTY, schema->property);
    return error_set(error_out, st, "graph %s: %s on %.*s.%.*s", graph->name, words,
                     (int)(label.size < 64 ? label.size : 64), (const char *)label.data,
                     (int)(property.size < 64 ? property.size : 64), (const char *)property.data);
}

static enum yore_status declare(struct graph *graph, struct graph_rules *rules,
                                const struct graph_schema *schema, struct yore_error *error_out)
{
    struct graph_rule *found = graph_rules_find(rules, schema->label, schema->property);
    if (found != NULL) {
        bool goes_on = !found->is_online && found->schema.is_unique == schema->is_unique;
        return goes_on ? YORE_OK
                       : refuse_rule(graph, schema, YORE_EXISTS,
                                     found->schema.is_unique ? "there is a constraint already"
                                                             : "there is an index already",
                                     error_out);
    }
    if (schema->name.size > GRAPH_SCHEMA_NAME_BYTES_MAX) {
        return error_set(error_out, YORE_TOO_BIG, "the name of an index has at most %u octets",
                         GRAPH_SCHEMA_NAME_BYTES_MAX);
    }
    if (schema->name.size > 0 && graph_rules_named(graph, rules, schema->name) != NULL) {
        return error_set(error_out, YORE_EXISTS,
                         "there is an index or a constraint called %.*s already",
                         (int)schema->name.size, (const char *)schema->name.data);
    }
    if (rules->count == GRAPH_RULES_MAX) {
        return refuse_rule(graph, schema, YORE_TOO_BIG, "there are too many indexes for another",
                           error_out);
    }
    rules->rules[rules->count++] =
        (struct graph_rule){.schema = *schema, .number = rules->number_next++};
    return YORE_OK;
}

/* `rule` is that which was declared, where one must have been. */
static enum yore_status edit(struct graph *graph, struct graph_rules *rules, enum edit_kind kind,
                             const struct graph_schema *schema, const struct graph_rule *rule,
                             struct yore_error *error_out)
{
    if (kind == RULE_DECLARE) {
        return declare(graph, rules, schema, error_out);
    }
    struct graph_rule *found = graph_rules_find(rules, schema->label, schema->property);
    bool is_same = found != NULL && found->schema.is_unique == schema->is_unique;
    if (kind != RULE_DROP) {
        is_same = is_same && found->number == rule->number && !found->is_online;
    }
    if (!is_same) {
        return refuse_rule(graph, schema, YORE_NOT_FOUND,
                           schema->is_unique ? "there is no constraint" : "there is no index",
                           error_out);
    }
    if (kind == RULE_COMPLETE) {
        found->is_online = true;
    } else {
        *found = rules->rules[--rules->count];
    }
    return YORE_OK;
}

/* One change of the list in a commit of its own; *rule: as it was declared. */
static enum yore_status try_edit(struct graph *graph, enum edit_kind kind,
                                 const struct graph_schema *schema, struct graph_rule *rule,
                                 struct yore_error *error_out)
{
    enum yore_status st = YORE_CONFLICT;
    for (unsigned round = 0; st == YORE_CONFLICT && round < ROUNDS_MAX; round++) {
        struct yore_txn *txn = NULL;
        struct graph_rules *rules = NULL;
        st = yore_begin(graph->db, &txn, error_out);
        if (st == YORE_OK) {
            st = graph_rules_read(graph, txn, &rules, error_out);
        }
        if (st == YORE_OK) {
            st = edit(graph, rules, kind, schema, rule, error_out);
        }
        if (st == YORE_OK && kind == RULE_DECLARE) {
            *rule = *graph_rules_find(rules, schema->label, schema->property);
        }
        if (st == YORE_OK) {
            st = graph_rules_write(graph, txn, rules, error_out);
        }
        graph_rules_free(rules);
        if (st != YORE_OK) {
            yore_txn_abort(txn);
            return st;
        }
        st = yore_txn_commit(txn, YORE_DURABILITY_DEFAULT, NULL, error_out);
    }
    return st;
}

static enum yore_status edit_rules(struct graph *graph, enum edit_kind kind,
                                   const struct graph_schema *schema, struct graph_rule *rule,
                                   struct yore_error *error_out)
{
    if (!gate_enter(graph->keyspace)) {
        return graph_refuse_busy(graph, error_out);
    }
    enum yore_status st = try_edit(graph, kind, schema, rule, error_out);
    gate_leave(graph->keyspace);
    return st;
}

/* ---- filling in the past ---- */

/* A rule in the making. */
struct building {
    struct graph *graph;
    struct graph_rule rule;
    const struct graph_cancel *cancel; /* NULL: it is not */
    bool is_withdrawn;                 /* by somebody who was at the same rule and failed */
};

static enum yore_status check_cancelled(struct graph *graph, const struct graph_rule *rule,
                                        const struct graph_cancel *cancel,
                                        struct yore_error *error_out)
{
    if (cancel == NULL || !cancel->is_cancelled(cancel->arg)) {
        return YORE_OK;
    }
    return refuse_rule(graph, &rule->schema, YORE_CANCELLED,
                       "cancelled, and nothing is left of what was to be made", error_out);
}

enum yore_status graph_begin_of_time(struct graph *graph, int64_t *from_out,
                                     struct yore_error *error_out)
{
    struct yore_keyspace_info info;
    enum yore_status st = yore_keyspace_info(graph->db, graph->keyspace, &info, error_out);
    *from_out = st == YORE_OK ? info.horizon : YORE_TIME_MIN;
    return st;
}

/* The entries of one rule along the whole line of a node, counted in *facts. */
static enum yore_status fill_node(struct graph_txn *txn, const struct graph_rule *rule,
                                  uint64_t node, int64_t from, size_t *facts,
                                  struct yore_error *error_out)
{
    struct graph_key key = graph_key_element((struct graph_id){GRAPH_NODE, node});
    struct line line;
    struct yore_bytes before = {"", 0};
    arena_reset(&txn->scratch);
    enum yore_status st = line_read(txn, graph_key_bytes(&key), from, &line, error_out);
    for (size_t i = 0; st == YORE_OK && i < line.count; i++) {
        const struct line_version *version = &line.versions[i];
        struct element_state state;
        struct yore_bytes after = {"", 0};
        int64_t begin = version->from > from ? version->from : from;
        if (version->is_put && version->end > begin) {
            st = element_state_decode(version->value, GRAPH_NODE, &txn->scratch, &state);
            st = st == YORE_CORRUPT
                     ? graph_refuse_record(txn->graph, (struct graph_id){GRAPH_NODE, node},
                                           error_out)
                     : entry_of_rule(&state, node, rule, &txn->scratch, &after, error_out);
        }
        if (st == YORE_OK && before.size > 0 && !bytes_equal(before, after)) {
            st = txn_delete(txn, before, begin, error_out);
            ++*facts;
        }
        if (st == YORE_OK && after.size > 0) {
            st = txn_put(txn, after, bytes_of("", 0), begin, version->to, error_out);
            ++*facts;
        }
        before = after;
    }
    return st;
}

/* Is the rule still in the list?  Noted: who takes it out conflicts. */
static enum yore_status check_declared(struct building *building, struct graph_txn *txn,
                                       struct yore_error *error_out)
{
    struct graph_write dates;
    enum yore_status st = txn_dates(txn, NULL, &dates, error_out); /* reads the rules */
    if (st != YORE_OK) {
        return st;
    }
    const struct graph_schema *schema = &building->rule.schema;
    const struct graph_rule *found = graph_rules_find(txn->rules, schema->label, schema->property);
    building->is_withdrawn = found == NULL || found->number != building->rule.number;
    return building->is_withdrawn ? error_plain(error_out, YORE_CONFLICT) : YORE_OK;
}

/* Some of the nodes, as one commit; how many of them, in *filled_out. */
static enum yore_status fill_some(struct building *building, const uint64_t *nodes, size_t count,
                                  int64_t from, size_t *filled_out, struct yore_error *error_out)
{
    struct graph_txn *txn = NULL;
    size_t facts = 0;
    *filled_out = 0;
    enum yore_status st = graph_begin(building->graph, &txn, error_out);
    if (st == YORE_OK) {
        st = check_declared(building, txn, error_out);
    }
    while (st == YORE_OK && *filled_out < count && facts < FILL_FACTS) {
        st = fill_node(txn, &building->rule, nodes[*filled_out], from, &facts, error_out);
        *filled_out += 1;
    }
    if (st != YORE_OK) {
        graph_abort(txn);
        return st;
    }
    return graph_commit(txn, YORE_DURABILITY_DEFAULT, NULL, error_out);
}

static enum yore_status fill_nodes(struct building *building, const uint64_t *nodes, size_t count,
                                   int64_t from, struct yore_error *error_out)
{
    enum yore_status st = YORE_OK;
    unsigned round = 0;
    for (size_t done = 0; st == YORE_OK && done < count;) {
        size_t filled = 0;
        st = check_cancelled(building->graph, &building->rule, building->cancel, error_out);
        if (st == YORE_OK) {
            st = fill_some(building, nodes + done, count - done, from, &filled, error_out);
        }
        if (st == YORE_OK) {
            done += filled;
            round = 0;
        } else if (st == YORE_CONFLICT && !building->is_withdrawn && ++round < ROUNDS_MAX) {
            st = YORE_OK;
        }
    }
    return st;
}

/* Nodes that ever had the rule's label. */
static enum yore_status fill_all(struct building *building, struct yore_error *error_out)
{
    struct graph *graph = building->graph;
    uint64_t nodes[GRAPH_BACKFILL_NODES];
    uint64_t numbers[2];
    size_t count = 0;
    int64_t from;
    struct yore_bytes key;
    struct graph_key prefix;
    struct ever_walk walk = {0};
    graph_key_begin(&prefix, GRAPH_KEY_LABEL);
    graph_key_number(&prefix, building->rule.schema.label);
    enum yore_status st = graph_begin_of_time(graph, &from, error_out);
    if (st == YORE_OK) {
        const struct yore_time span = {from, YORE_NOW};
        st = ever_open(&walk, graph, graph_key_bytes(&prefix), &span, error_out);
    }
    while (st == YORE_OK) {
        st = ever_next(&walk, &key, error_out);
        if (st == YORE_OK && graph_key_numbers(key, numbers, 2)) {
            nodes[count++] = numbers[1];
        }
        if (count == GRAPH_BACKFILL_NODES || (st == YORE_NOT_FOUND && count > 0)) {
            enum yore_status filled = fill_nodes(building, nodes, count, from, error_out);
            st = filled != YORE_OK ? filled : st;
            count = 0;
        }
    }
    ever_close(&walk);
    return st == YORE_NOT_FOUND ? YORE_OK : st;
}

/* ---- checking a constraint over its index ---- */

/* When which node had the value that is looked at. */
struct value_span {
    uint64_t node;
    int64_t from;
    int64_t to;
};

struct value_spans {
    struct buffer value; /* the key without its node */
    struct value_span *spans;
    size_t count;
    size_t capacity;
};

static enum yore_status add_span(struct value_spans *spans, uint64_t node, int64_t from, int64_t to,
                                 struct yore_error *error_out)
{
    if (spans->count == spans->capacity) {
        size_t capacity = spans->capacity == 0 ? 16 : spans->capacity * 2;
        struct value_span *grown = mem_realloc(spans->spans, capacity * sizeof *grown);
        if (grown == NULL) {
            return error_plain(error_out, YORE_NOMEM);
        }
        spans->spans = grown;
        spans->capacity = capacity;
    }
    spans->spans[spans->count++] = (struct value_span){node, from, to};
    return YORE_OK;
}

static int compare_spans(const void *a, const void *b)
{
    int64_t x = ((const struct value_span *)a)->from;
    int64_t y = ((const struct value_span *)b)->from;
    return x < y ? -1 : x > y;
}

/* Two nodes at once?  Forget the value's spans. */
static enum yore_status judge_spans(struct graph *graph, const struct graph_rule *rule,
                                    struct value_spans *spans, struct yore_error *error_out)
{
    enum yore_status st = YORE_OK;
    if (spans->count > 1) {
        qsort(spans->spans, spans->count, sizeof *spans->spans, compare_spans);
    }
    struct value_span latest = {0, YORE_TIME_MIN, YORE_TIME_MIN};
    for (size_t i = 0; st == YORE_OK && i < spans->count; i++) {
        const struct value_span *span = &spans->spans[i];
        if (span->node != latest.node && span->from < latest.to) {
            st = unique_refuse(graph, rule, span->node, latest.node, span->from, error_out);
        }
        latest = span->to >= latest.to ? *span : latest;
    }
    spans->count = 0;
    return st;
}

/* Read the line of one entry's key. */
static enum yore_status take_spans(struct graph *graph, struct value_spans *spans, uint64_t node,
                                   struct yore_bytes key, int64_t from,
                                   struct yore_error *error_out)
{
    struct yore_timeline_options options = {
        .from = from, .to = YORE_FOREVER, .known = YORE_NOW, .with_in_force = true};
    struct yore_timeline *timeline = NULL;
    struct yore_version version;
    enum yore_status st =
        yore_timeline_open(graph->db, graph->keyspace, key, &options, &timeline, error_out);
    bool is_open = false;
    while (st == YORE_OK && (st = yore_timeline_next(timeline, &version, error_out)) == YORE_OK) {
        if (is_open && version.valid_from < spans->spans[spans->count - 1].to) {
            spans->spans[spans->count - 1].to = version.valid_from;
        }
        is_open = version.kind == YORE_KIND_PUT;
        if (is_open) {
            st = add_span(spans, node, version.valid_from, version.valid_to, error_out);
        }
    }
    yore_timeline_close(timeline);
    return st == YORE_NOT_FOUND ? YORE_OK : st;
}

/* Every node that ever had the value. */
static enum yore_status check_value(struct graph *graph, const struct graph_rule *rule,
                                    struct value_spans *spans, int64_t from,
                                    struct yore_error *error_out)
{
    struct ever_walk walk = {0};
    struct yore_bytes key;
    const struct yore_time span = {from, YORE_NOW};
    enum yore_status st = ever_open(&walk, graph, buffer_bytes(&spans->value), &span, error_out);
    while (st == YORE_OK && (st = ever_next(&walk, &key, error_out)) == YORE_OK) {
        struct yore_bytes value;
        uint64_t node;
        if (graph_key_index_decode(key, &node, &value)) {
            st = take_spans(graph, spans, node, key, from, error_out);
        }
    }
    ever_close(&walk);
    return st == YORE_NOT_FOUND ? judge_spans(graph, rule, spans, error_out) : st;
}

static enum yore_status check_key(struct graph *graph, const struct graph_rule *rule,
                                  struct value_spans *spans, struct yore_bytes key, int64_t from,
                                  struct yore_error *error_out)
{
    struct yore_bytes value;
    uint64_t node;
    if (!graph_key_index_decode(key, &node, &value)) {
        return error_set(error_out, YORE_CORRUPT, "graph %s: an index key is malformed",
                         graph->name);
    }
    if (bytes_equal(value, buffer_bytes(&spans->value))) {
        return YORE_OK;
    }
    buffer_clear(&spans->value);
    buffer_append_bytes(&spans->value, value);
    return buffer_status(&spans->value) == YORE_OK
               ? check_value(graph, rule, spans, from, error_out)
               : error_plain(error_out, YORE_NOMEM);
}

enum yore_status graph_check_unique(struct graph *graph, const struct graph_rule *rule,
                                    const struct graph_cancel *cancel, struct yore_error *error_out)
{
    struct buffer prefix = {0};
    struct yore_bytes key;
    struct value_spans spans = {0};
    struct ever_walk walk = {0};
    int64_t from;
    graph_key_index(&prefix, rule->number);
    enum yore_status st = buffer_status(&prefix) != YORE_OK
                              ? error_plain(error_out, YORE_NOMEM)
                              : graph_begin_of_time(graph, &from, error_out);
    if (st == YORE_OK) {
        const struct yore_time span = {from, YORE_NOW};
        st = ever_open(&walk, graph, buffer_bytes(&prefix), &span, error_out);
    }
    while (st == YORE_OK && (st = ever_next(&walk, &key, error_out)) == YORE_OK) {
        st = check_cancelled(graph, rule, cancel, error_out);
        if (st == YORE_OK) {
            st = check_key(graph, rule, &spans, key, from, error_out);
        }
    }
    ever_close(&walk);
    buffer_release(&prefix);
    buffer_release(&spans.value);
    mem_free(spans.spans);
    return st == YORE_NOT_FOUND ? YORE_OK : st;
}

/* ---- the public face ---- */

static bool has_number(const struct graph_rules *rules, uint64_t number)
{
    bool is_there = false;
    for (size_t i = 0; i < rules->count; i++) {
        is_there = is_there || rules->rules[i].number == number;
    }
    return is_there;
}

/* Delete the entry the cursor stands on, or move past all of an index that is kept. */
static enum yore_status sweep_entry(struct graph *graph, const struct graph_rules *rules,
                                    struct yore_cursor *cursor, struct yore_batch *batch,
                                    struct yore_error *error_out)
{
    struct yore_bytes key = yore_cursor_row(cursor)->key;
    const unsigned char *at = (const unsigned char *)key.data + 1;
    uint64_t number = 0;
    if (!key_number_decode(&at, (const unsigned char *)key.data + key.size, &number)) {
        return error_set(error_out, YORE_CORRUPT, "graph %s: an index key is malformed",
                         graph->name);
    }
    if (number < rules->number_next && !has_number(rules, number)) {
        enum yore_status st = yore_batch_delete(batch, graph->keyspace, key, NULL, error_out);
        if (st == YORE_OK && yore_batch_count(batch) == DROP_BATCH_COUNT) {
            st = yore_batch_commit(batch, YORE_DURABILITY_DEFAULT, NULL, error_out);
        }
        return st == YORE_OK ? yore_cursor_next(cursor) : st;
    }
    struct buffer behind = {0};
    graph_key_index(&behind, (uint32_t)number + 1);
    enum yore_status st = buffer_status(&behind) == YORE_OK
                              ? yore_cursor_seek(cursor, buffer_bytes(&behind))
                              : error_plain(error_out, YORE_NOMEM);
    buffer_release(&behind);
    return st;
}

/* What is there now of indexes that are no more would be kept for ever: of one that was dropped,
 * and of any whose dropping was cut off. */
static enum yore_status sweep_entries(struct graph *graph, const struct graph_cancel *cancel,
                                      const char *done, struct yore_error *error_out)
{
    struct graph_rules *rules = NULL;
    struct yore_batch *batch = NULL;
    struct yore_cursor *cursor = NULL;
    const unsigned char prefix[1] = {GRAPH_KEY_PROPERTY};
    struct yore_cursor_options options = {.range = {.prefix = bytes_of(prefix, 1)},
                                          .keys_only = true};
    enum yore_status st = graph_rules_known(graph, yore_now(graph->db), &rules, error_out);
    if (st == YORE_OK) {
        st = yore_batch_new(graph->db, &batch, error_out);
    }
    if (st == YORE_OK) {
        st = yore_cursor_open(graph->db, graph->keyspace, &options, &cursor, error_out);
    }
    st = st == YORE_OK ? yore_cursor_first(cursor) : st;
    while (st == YORE_OK) {
        bool is_cancelled = cancel != NULL && cancel->is_cancelled(cancel->arg);
        st = is_cancelled
                 ? error_set(error_out, YORE_CANCELLED,
                             "graph %s: cancelled; %s, and what is left of what was dropped "
                             "goes when the next one is made or dropped",
                             graph->name, done)
                 : sweep_entry(graph, rules, cursor, batch, error_out);
    }
    if (st == YORE_NOT_FOUND) {
        st = yore_batch_commit(batch, YORE_DURABILITY_DEFAULT, NULL, error_out);
    }
    yore_cursor_close(cursor);
    yore_batch_free(batch);
    graph_rules_free(rules);
    return st;
}

/* From the declaration on. */
static enum yore_status build(struct building *building, const struct graph_schema *schema,
                              struct yore_error *error_out)
{
    struct graph *graph = building->graph;
    enum yore_status st = fill_all(building, error_out);
    if (st == YORE_OK && schema->is_unique) {
        st = graph_check_unique(graph, &building->rule, building->cancel, error_out);
    }
    if (st == YORE_OK) {
        st = edit_rules(graph, RULE_COMPLETE, schema, &building->rule, error_out);
        building->is_withdrawn = st == YORE_NOT_FOUND;
        return st;
    }
    struct yore_error unheard; /* the first one is told */
    if (!building->is_withdrawn &&
        edit_rules(graph, RULE_WITHDRAW, schema, &building->rule, &unheard) == YORE_OK) {
        enum yore_status swept = sweep_entries(graph, NULL, "", &unheard);
        (void)swept; /* they say nothing, and are in nobody's way */
    }
    return st;
}

enum yore_status graph_schema_create(struct graph *graph, const struct graph_schema *schema,
                                     const struct graph_cancel *cancel,
                                     struct yore_error *error_out)
{
    struct building building = {.graph = graph, .cancel = cancel};
    error_clear(error_out);
    enum yore_status st = sweep_entries(graph, cancel, "nothing is made", error_out);
    building.is_withdrawn = st == YORE_OK;
    for (unsigned round = 0; building.is_withdrawn && round < ROUNDS_MAX; round++) {
        error_clear(error_out);
        building.is_withdrawn = false;
        st = edit_rules(graph, RULE_DECLARE, schema, &building.rule, error_out);
        building.rule.schema.name = bytes_of("", 0); /* it lived in the list of rules */
        if (st == YORE_OK) {
            st = build(&building, schema, error_out);
        }
    }
    return st;
}

enum yore_status graph_schema_drop(struct graph *graph, const struct graph_schema *schema,
                                   const struct graph_cancel *cancel, struct yore_error *error_out)
{
    error_clear(error_out);
    enum yore_status st = edit_rules(graph, RULE_DROP, schema, NULL, error_out);
    return st == YORE_OK ? sweep_entries(graph, cancel, "the index is dropped", error_out) : st;
}

enum yore_status graph_schema_find(struct graph *graph, struct yore_bytes name,
                                   struct graph_schema *schema_out, struct yore_error *error_out)
{
    struct graph_rules *rules = NULL;
    error_clear(error_out);
    enum yore_status st = graph_rules_known(graph, yore_now(graph->db), &rules, error_out);
    if (st != YORE_OK) {
        return st;
    }
    const struct graph_rule *found = graph_rules_named(graph, rules, name);
    if (found == NULL) {
        st = error_set(error_out, YORE_NOT_FOUND, "there is no index or constraint called %.*s",
                       (int)(name.size < 255 ? name.size : 255), (const char *)name.data);
    } else {
        *schema_out = found->schema;
        schema_out->name = bytes_of(NULL, 0);
    }
    graph_rules_free(rules);
    return st;
}

enum yore_status graph_schema_list(struct graph_view *view,
                                   int (*each)(void *arg, const struct graph_schema *schema),
                                   void *arg, struct yore_error *error_out)
{
    struct graph_rules *rules;
    error_clear(error_out);
    enum yore_status st = view_rules(view, &rules, error_out);
    for (size_t i = 0; st == YORE_OK && i < rules->count; i++) {
        if (rules->rules[i].is_online && each(arg, &rules->rules[i].schema) != 0) {
            break;
        }
    }
    return st;
}
