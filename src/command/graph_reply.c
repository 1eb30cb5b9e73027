#include "command/graph_reply.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "command/graph_names.h"
#include "query/query.h"
#include "query/value_format.h"

/* What stands in front of a compact value; the numbers are those of the protocol. */
enum compact_kind {
    COMPACT_NULL = 1,
    COMPACT_STRING = 2,
    COMPACT_INTEGER = 3,
    COMPACT_BOOLEAN = 4,
    COMPACT_DOUBLE = 5,
    COMPACT_ARRAY = 6,
    COMPACT_EDGE = 7,
    COMPACT_NODE = 8,
    COMPACT_PATH = 9,
    COMPACT_MAP = 10
};

static void reply_as_text(struct reply *reply, const struct yore_graph_value *value)
{
    struct buffer text = {0};
    if (value_to_string(&text, value) != YORE_OK) {
        buffer_clear(&text);
        value_format(&text, value); /* a list, a map, a path: as the language writes it */
    }
    reply->out.is_nomem = reply->out.is_nomem || text.is_nomem;
    reply_bulk(reply, buffer_bytes(&text));
    buffer_release(&text);
}

static void reply_real(struct reply *reply, double real)
{
    char text[REPLY_DOUBLE_BYTES];
    reply_bulk(reply, bytes_of(text, reply_double_text(real, text)));
}

/* ---- for people ----------------------------------------------------------------------------- */

static void reply_properties(struct reply *reply, const struct yore_graph_map *properties)
{
    reply_array(reply, 2);
    reply_text(reply, "properties");
    reply_array(reply, properties->count);
    for (size_t i = 0; i < properties->count; i++) {
        reply_array(reply, 2);
        reply_bulk(reply, properties->entries[i].name);
        graph_reply_value(reply, &properties->entries[i].value);
    }
}

static void reply_number(struct reply *reply, const char *name, uint64_t number)
{
    reply_array(reply, 2);
    reply_text(reply, name);
    reply_int(reply, (int64_t)number);
}

static void reply_node(struct reply *reply, const struct yore_graph_node *node)
{
    reply_array(reply, 3);
    reply_number(reply, "id", node->id);
    reply_array(reply, 2);
    reply_text(reply, "labels");
    reply_array(reply, node->label_count);
    for (size_t i = 0; i < node->label_count; i++) {
        reply_bulk(reply, node->labels[i]);
    }
    reply_properties(reply, &node->properties);
}

static void reply_relationship(struct reply *reply, const struct yore_graph_relationship *edge)
{
    reply_array(reply, 5);
    reply_number(reply, "id", edge->id);
    reply_array(reply, 2);
    reply_text(reply, "type");
    reply_bulk(reply, edge->type);
    reply_number(reply, "src_node", edge->start_id);
    reply_number(reply, "dest_node", edge->end_id);
    reply_properties(reply, &edge->properties);
}

void graph_reply_value(struct reply *reply, const struct yore_graph_value *value)
{
    switch (value->kind) {
    case YORE_GRAPH_NULL:
        reply_null(reply);
        break;
    case YORE_GRAPH_INT:
        reply_int(reply, value->as.integer);
        break;
    case YORE_GRAPH_FLOAT:
        reply_real(reply, value->as.real);
        break;
    case YORE_GRAPH_STRING:
        reply_bulk(reply, value->as.string);
        break;
    case YORE_GRAPH_NODE:
        reply_node(reply, value->as.node);
        break;
    case YORE_GRAPH_RELATIONSHIP:
        reply_relationship(reply, value->as.relationship);
        break;
    default:
        reply_as_text(reply, value);
        break;
    }
}

/* ---- compact -------------------------------------------------------------------------------- */

static void compact_properties(struct reply *reply, struct graph *graph,
                               const struct yore_graph_map *properties);
static void compact_parts(struct reply *reply, struct graph *graph,
                          const struct yore_graph_value *value);

static void compact_node(struct reply *reply, struct graph *graph,
                         const struct yore_graph_node *node)
{
    reply_array(reply, 3);
    reply_int(reply, (int64_t)node->id);
    reply_array(reply, node->label_count);
    for (size_t i = 0; i < node->label_count; i++) {
        reply_int(reply, graph_names_index(graph, GRAPH_LABEL, node->labels[i]));
    }
    compact_properties(reply, graph, &node->properties);
}

static void compact_relationship(struct reply *reply, struct graph *graph,
                                 const struct yore_graph_relationship *edge)
{
    reply_array(reply, 5);
    reply_int(reply, (int64_t)edge->id);
    reply_int(reply, graph_names_index(graph, GRAPH_TYPE, edge->type));
    reply_int(reply, (int64_t)edge->start_id);
    reply_int(reply, (int64_t)edge->end_id);
    compact_properties(reply, graph, &edge->properties);
}

static void compact_list(struct reply *reply, struct graph *graph,
                         const struct yore_graph_value *items, size_t count)
{
    reply_array(reply, count);
    for (size_t i = 0; i < count; i++) {
        graph_reply_compact(reply, graph, &items[i]);
    }
}

static void compact_path(struct reply *reply, struct graph *graph,
                         const struct yore_graph_path *path)
{
    reply_array(reply, 2);
    reply_array(reply, 2);
    reply_int(reply, COMPACT_ARRAY);
    compact_list(reply, graph, path->nodes, path->length + 1);
    reply_array(reply, 2);
    reply_int(reply, COMPACT_ARRAY);
    compact_list(reply, graph, path->relationships, path->length);
}

static void compact_map(struct reply *reply, struct graph *graph, const struct yore_graph_map *map)
{
    reply_array(reply, 2 * map->count);
    for (size_t i = 0; i < map->count; i++) {
        reply_bulk(reply, map->entries[i].name);
        graph_reply_compact(reply, graph, &map->entries[i].value);
    }
}

static enum compact_kind compact_kind_of(enum yore_graph_kind kind)
{
    switch (kind) {
    case YORE_GRAPH_NULL:
        return COMPACT_NULL;
    case YORE_GRAPH_BOOL:
        return COMPACT_BOOLEAN;
    case YORE_GRAPH_INT:
        return COMPACT_INTEGER;
    case YORE_GRAPH_FLOAT:
        return COMPACT_DOUBLE;
    case YORE_GRAPH_LIST:
        return COMPACT_ARRAY;
    case YORE_GRAPH_MAP:
        return COMPACT_MAP;
    case YORE_GRAPH_NODE:
        return COMPACT_NODE;
    case YORE_GRAPH_RELATIONSHIP:
        return COMPACT_EDGE;
    case YORE_GRAPH_PATH:
        return COMPACT_PATH;
    default:
        return COMPACT_STRING;
    }
}

/* The kind and the value, within the array of their owner. */
static void compact_parts(struct reply *reply, struct graph *graph,
                          const struct yore_graph_value *value)
{
    reply_int(reply, compact_kind_of(value->kind));
    switch (value->kind) {
    case YORE_GRAPH_LIST:
        compact_list(reply, graph, value->as.list.items, value->as.list.count);
        break;
    case YORE_GRAPH_MAP:
        compact_map(reply, graph, &value->as.map);
        break;
    case YORE_GRAPH_NODE:
        compact_node(reply, graph, value->as.node);
        break;
    case YORE_GRAPH_RELATIONSHIP:
        compact_relationship(reply, graph, value->as.relationship);
        break;
    case YORE_GRAPH_PATH:
        compact_path(reply, graph, value->as.path);
        break;
    default:
        graph_reply_value(reply, value);
        break;
    }
}

static void compact_properties(struct reply *reply, struct graph *graph,
                               const struct yore_graph_map *properties)
{
    reply_array(reply, properties->count);
    for (size_t i = 0; i < properties->count; i++) {
        reply_array(reply, 3);
        reply_int(reply, graph_names_index(graph, GRAPH_PROPERTY, properties->entries[i].name));
        compact_parts(reply, graph, &properties->entries[i].value);
    }
}

void graph_reply_compact(struct reply *reply, struct graph *graph,
                         const struct yore_graph_value *value)
{
    reply_array(reply, 2);
    compact_parts(reply, graph, value);
}

/* ---- cells ---------------------------------------------------------------------------------- */

void graph_reply_cell(struct reply *reply, const struct yore_graph_value *value)
{
    bool is_number = value->kind == YORE_GRAPH_INT || value->kind == YORE_GRAPH_FLOAT;
    struct buffer text = {0};
    struct buffer json = {0};
    value_show(&text, value);
    value_format_json(&json, value);
    reply->out.is_nomem = reply->out.is_nomem || text.is_nomem || json.is_nomem;
    reply_array(reply, 3);
    reply_int(reply, value->kind == YORE_GRAPH_NULL ? 0 : is_number ? 2 : 1);
    reply_bulk(reply, buffer_bytes(&text));
    reply_bulk(reply, buffer_bytes(&json));
    buffer_release(&text);
    buffer_release(&json);
}

/* ---- statistics ----------------------------------------------------------------------------- */

void graph_reply_statistics(struct reply *reply, const struct query_summary *summary,
                            int64_t took_ns)
{
    const struct {
        const char *name;
        uint64_t count;
    } lines[] = {{"Labels added", summary->labels_added},
                 {"Labels removed", summary->labels_removed},
                 {"Nodes created", summary->nodes_created},
                 {"Nodes deleted", summary->nodes_deleted},
                 {"Properties set", summary->properties_set},
                 {"Relationships created", summary->relationships_created},
                 {"Relationships deleted", summary->relationships_deleted},
                 {"Indices created", summary->indexes_added},
                 {"Indices deleted", summary->indexes_removed},
                 {"Constraints created", summary->constraints_added},
                 {"Constraints deleted", summary->constraints_removed},
                 {"Rows limited", summary->is_partial ? 1 : 0},
                 {"Commit", summary->commit > 0 ? (uint64_t)summary->commit : 0}};
    char text[96];
    size_t count = 1;
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        count += lines[i].count > 0 ? 1 : 0;
    }
    reply_array(reply, count);
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        if (lines[i].count > 0) {
            snprintf(text, sizeof text, "%s: %" PRIu64, lines[i].name, lines[i].count);
            reply_text(reply, text);
        }
    }
    snprintf(text, sizeof text,
             "Query internal execution time: %" PRId64 ".%06" PRId64 " milliseconds",
             took_ns / 1000000, took_ns % 1000000);
    reply_text(reply, text);
}
