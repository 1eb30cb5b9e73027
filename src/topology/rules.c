#include "topology/rules.h"

#include <string.h>

#include "base/mem.h"
#include "topology/graph_internal.h"

#define RULE_UNIQUE 1u
#define RULE_ONLINE 2u
#define RULE_NAMED 4u

void graph_rules_free(struct graph_rules *rules)
{
    if (rules != NULL) {
        mem_free(rules->rules);
        mem_free(rules->octets);
        mem_free(rules);
    }
}

static void decode_rule(struct decoder *from, struct graph_rule *rule)
{
    unsigned flags = decode_u8(from);
    rule->schema.is_unique = (flags & RULE_UNIQUE) != 0;
    rule->is_online = (flags & RULE_ONLINE) != 0;
    rule->number = (uint32_t)decode_varint(from);
    rule->schema.label = (uint32_t)decode_varint(from);
    rule->schema.property = (uint32_t)decode_varint(from);
    rule->schema.name = bytes_of(NULL, 0);
    if ((flags & RULE_NAMED) != 0) {
        uint64_t size = decode_varint(from);
        const void *name =
            size <= GRAPH_SCHEMA_NAME_BYTES_MAX ? decode_run(from, (size_t)size) : NULL;
        from->is_bad = from->is_bad || name == NULL || size == 0;
        rule->schema.name = bytes_of(name, from->is_bad ? 0 : (size_t)size);
    }
}

static enum yore_status decode(struct yore_bytes octets, struct graph_rules **rules_out)
{
    struct decoder from;
    unsigned char *kept = mem_alloc(octets.size + 1);
    if (kept == NULL) {
        return YORE_NOMEM;
    }
    if (octets.size > 0) {
        memcpy(kept, octets.data, octets.size);
    }
    decoder_init(&from, kept, octets.size);
    uint64_t count = octets.size == 0 ? 0 : decode_varint(&from);
    if (count > GRAPH_RULES_MAX) {
        mem_free(kept);
        return YORE_CORRUPT;
    }
    struct graph_rules *rules = mem_zalloc(sizeof *rules);
    /* One more than there are: for the caller that adds one. */
    struct graph_rule *list = mem_array((size_t)count + 1, sizeof *list);
    if (rules == NULL || list == NULL) {
        mem_free(rules);
        mem_free(list);
        mem_free(kept);
        return YORE_NOMEM;
    }
    uint64_t number_next = octets.size == 0 ? 1 : decode_varint(&from);
    *rules = (struct graph_rules){list, (size_t)count, (uint32_t)number_next, kept};
    for (size_t i = 0; i < count; i++) {
        decode_rule(&from, &list[i]);
    }
    if (from.is_bad || decoder_left(&from) > 0) {
        graph_rules_free(rules);
        return YORE_CORRUPT;
    }
    *rules_out = rules;
    return YORE_OK;
}

static enum yore_status take(struct graph *graph, enum yore_status st, struct yore_value *value,
                             struct graph_rules **rules_out, struct yore_error *error_out)
{
    *rules_out = NULL;
    if (st != YORE_OK && st != YORE_NOT_FOUND) {
        return st;
    }
    st = decode(bytes_of(value->data, value->size), rules_out);
    yore_value_release(value);
    if (st == YORE_CORRUPT) {
        return error_set(error_out, st, "graph %s: the list of its indexes is malformed",
                         graph->name);
    }
    return st == YORE_OK ? st : error_plain(error_out, st);
}

enum yore_status graph_rules_read(struct graph *graph, struct yore_txn *engine,
                                  struct graph_rules **rules_out, struct yore_error *error_out)
{
    struct graph_key key = graph_key_meta(GRAPH_META_RULES, 0);
    struct yore_value value = {0};
    enum yore_status st =
        yore_txn_get(engine, graph->keyspace, graph_key_bytes(&key), NULL, &value, error_out);
    return take(graph, st, &value, rules_out, error_out);
}

enum yore_status graph_rules_known(struct graph *graph, int64_t known,
                                   struct graph_rules **rules_out, struct yore_error *error_out)
{
    struct graph_key key = graph_key_meta(GRAPH_META_RULES, 0);
    struct yore_time at = graph_latest(graph);
    struct yore_value value = {0};
    at.valid = known < at.valid ? known : at.valid;
    at.known = known < at.known ? known : at.known;
    enum yore_status st =
        yore_get(graph->db, graph->keyspace, graph_key_bytes(&key), &at, &value, error_out);
    return take(graph, st, &value, rules_out, error_out);
}

/* Those of `more` that `all` does not have yet. */
static enum yore_status add_rules(struct graph_rules *all, const struct graph_rules *more)
{
    size_t count = all->count;
    struct graph_rule *list = mem_realloc(all->rules, (count + more->count + 1) * sizeof *list);
    if (list == NULL) {
        return YORE_NOMEM;
    }
    all->rules = list;
    for (size_t i = 0; i < more->count; i++) {
        bool is_there = false;
        for (size_t j = 0; j < count && !is_there; j++) {
            is_there = list[j].number == more->rules[i].number;
        }
        if (!is_there) {
            list[all->count] = more->rules[i];
            list[all->count++].schema.name = bytes_of(NULL, 0);
        }
    }
    return YORE_OK;
}

static enum yore_status walk_rules(struct yore_timeline *timeline, struct graph_rules *all,
                                   struct yore_error *error_out)
{
    struct yore_version version;
    enum yore_status st;
    while ((st = yore_timeline_next(timeline, &version, error_out)) == YORE_OK) {
        struct graph_rules *found = NULL;
        if (version.kind == YORE_KIND_PUT) {
            st = decode(version.value, &found);
            st = st == YORE_OK ? add_rules(all, found) : st;
            graph_rules_free(found);
        }
        if (st != YORE_OK) {
            return error_plain(error_out, st);
        }
    }
    return st == YORE_NOT_FOUND ? YORE_OK : st;
}

enum yore_status graph_rules_ever(struct graph *graph, int64_t begin,
                                  struct graph_rules **rules_out, struct yore_error *error_out)
{
    struct graph_key key = graph_key_meta(GRAPH_META_RULES, 0);
    const struct yore_timeline_options options = {.from = begin,
                                                  .to = YORE_FOREVER,
                                                  .known = YORE_NOW,
                                                  .with_in_force = true,
                                                  .every_commit = true};
    struct yore_timeline *timeline = NULL;
    *rules_out = mem_zalloc(sizeof **rules_out);
    if (*rules_out == NULL) {
        return error_plain(error_out, YORE_NOMEM);
    }
    enum yore_status st = yore_timeline_open(graph->db, graph->keyspace, graph_key_bytes(&key),
                                             &options, &timeline, error_out);
    if (st == YORE_OK) {
        st = walk_rules(timeline, *rules_out, error_out);
    }
    yore_timeline_close(timeline);
    return st;
}

enum yore_status graph_rules_write(struct graph *graph, struct yore_txn *engine,
                                   const struct graph_rules *rules, struct yore_error *error_out)
{
    struct graph_key key = graph_key_meta(GRAPH_META_RULES, 0);
    struct buffer value = {0};
    buffer_append_varint(&value, rules->count);
    buffer_append_varint(&value, rules->number_next);
    for (size_t i = 0; i < rules->count; i++) {
        const struct graph_rule *rule = &rules->rules[i];
        bool is_named = rule->schema.name.size > 0;
        buffer_append_u8(&value, (uint8_t)((rule->schema.is_unique ? RULE_UNIQUE : 0) |
                                           (rule->is_online ? RULE_ONLINE : 0) |
                                           (is_named ? RULE_NAMED : 0)));
        buffer_append_varint(&value, rule->number);
        buffer_append_varint(&value, rule->schema.label);
        buffer_append_varint(&value, rule->schema.property);
        if (is_named) {
            buffer_append_varint(&value, rule->schema.name.size);
            buffer_append_bytes(&value, rule->schema.name);
        }
    }
    enum yore_status st = buffer_status(&value) != YORE_OK
                              ? error_plain(error_out, YORE_NOMEM)
                              : yore_txn_put(engine, graph->keyspace, graph_key_bytes(&key),
                                             buffer_bytes(&value), NULL, error_out);
    buffer_release(&value);
    return st;
}

struct graph_rule *graph_rules_find(const struct graph_rules *rules, uint32_t label,
                                    uint32_t property)
{
    for (size_t i = 0; i < rules->count; i++) {
        struct graph_rule *rule = &rules->rules[i];
        if (rule->schema.label == label && rule->schema.property == property) {
            return rule;
        }
    }
    return NULL;
}

/* Take `part` from the begin of `text`. */
static bool begins_with(struct yore_bytes *text, struct yore_bytes part)
{
    if (text->size < part.size || memcmp(text->data, part.data, part.size) != 0) {
        return false;
    }
    *text = bytes_behind(*text, part.size);
    return true;
}

static struct yore_bytes kind_prefix(const struct graph_schema *schema)
{
    return schema->is_unique ? bytes_of("constraint_", 11) : bytes_of("index_", 6);
}

struct graph_rule *graph_rules_named(struct graph *graph, const struct graph_rules *rules,
                                     struct yore_bytes name)
{
    for (size_t i = 0; i < rules->count; i++) {
        const struct graph_schema *schema = &rules->rules[i].schema;
        struct yore_bytes rest = name;
        bool is_it =
            schema->name.size > 0
                ? bytes_equal(schema->name, name)
                : begins_with(&rest, kind_prefix(schema)) &&
                      begins_with(&rest, graph_token_name(graph, GRAPH_LABEL, schema->label)) &&
                      begins_with(&rest, bytes_of("_", 1)) &&
                      bytes_equal(rest, graph_token_name(graph, GRAPH_PROPERTY, schema->property));
        if (is_it) {
            return &rules->rules[i];
        }
    }
    return NULL;
}

enum yore_status graph_schema_name(struct graph *graph, const struct graph_schema *schema,
                                   struct arena *arena, struct yore_bytes *name_out)
{
    struct buffer text = {0};
    if (schema->name.size > 0) {
        buffer_append_bytes(&text, schema->name);
    } else {
        buffer_append_bytes(&text, kind_prefix(schema));
        buffer_append_bytes(&text, graph_token_name(graph, GRAPH_LABEL, schema->label));
        buffer_append_u8(&text, '_');
        buffer_append_bytes(&text, graph_token_name(graph, GRAPH_PROPERTY, schema->property));
    }
    void *copy = text.is_nomem ? NULL : arena_copy(arena, text.data, text.size);
    *name_out = bytes_of(copy, text.size);
    buffer_release(&text);
    return copy != NULL ? YORE_OK : YORE_NOMEM;
}
