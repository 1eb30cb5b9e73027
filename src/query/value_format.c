#include "query/value_format.h"

#include <stdio.h>
#include <string.h>

#include "query/number.h"
#include "query/temporal.h"
#include "query/value.h"

static void append_text(struct buffer *to, const char *text)
{
    buffer_append(to, text, strlen(text));
}

static void append_integer(struct buffer *to, int64_t integer)
{
    char text[FLOAT_TEXT_BYTES];
    size_t size = integer_write(integer, text);
    buffer_append(to, text, size);
}

static void append_float(struct buffer *to, double real)
{
    char text[FLOAT_TEXT_BYTES];
    size_t size = float_write(real, text);
    buffer_append(to, text, size);
}

enum yore_status value_to_string(struct buffer *to, const struct yore_graph_value *value)
{
    switch (value->kind) {
    case YORE_GRAPH_BOOL:
        append_text(to, value->as.boolean ? "true" : "false");
        break;
    case YORE_GRAPH_INT:
        append_integer(to, value->as.integer);
        break;
    case YORE_GRAPH_FLOAT:
        append_float(to, value->as.real);
        break;
    case YORE_GRAPH_STRING:
        buffer_append_bytes(to, value->as.string);
        break;
    case YORE_GRAPH_DATE:
    case YORE_GRAPH_LOCAL_TIME:
    case YORE_GRAPH_TIME:
    case YORE_GRAPH_LOCAL_DATETIME:
    case YORE_GRAPH_DATETIME:
    case YORE_GRAPH_DURATION:
        temporal_write(to, value);
        break;
    default:
        return YORE_INVALID;
    }
    return buffer_status(to);
}

/* ---- literals ---- */

static void append_quoted(struct buffer *to, struct yore_bytes text)
{
    const char *at = text.data;
    append_text(to, "'");
    for (size_t i = 0; i < text.size; i++) {
        static const char plain[] = "\\'\n\t\r\b\f";
        static const char *const escaped[] = {"\\\\", "\\'", "\\n", "\\t", "\\r", "\\b", "\\f"};
        const char *found = at[i] == '\0' ? NULL : strchr(plain, at[i]);
        if (found != NULL) {
            append_text(to, escaped[found - plain]);
        } else {
            buffer_append_u8(to, (uint8_t)at[i]);
        }
    }
    append_text(to, "'");
}

static bool is_plain_name(struct yore_bytes name)
{
    const char *at = name.data;
    for (size_t i = 0; i < name.size; i++) {
        bool is_letter = (at[i] >= 'a' && at[i] <= 'z') || (at[i] >= 'A' && at[i] <= 'Z') ||
                         at[i] == '_' || (at[i] & 0x80) != 0;
        if (!is_letter && (i == 0 || at[i] < '0' || at[i] > '9')) {
            return false;
        }
    }
    return name.size > 0;
}

void value_format_name(struct buffer *to, struct yore_bytes name)
{
    if (is_plain_name(name)) {
        buffer_append_bytes(to, name);
        return;
    }
    const char *at = name.data;
    append_text(to, "`");
    for (size_t i = 0; i < name.size; i++) {
        append_text(to, at[i] == '`' ? "`" : "");
        buffer_append_u8(to, (uint8_t)at[i]);
    }
    append_text(to, "`");
}

static void append_map(struct buffer *to, const struct yore_graph_map *map)
{
    append_text(to, "{");
    for (size_t i = 0; i < map->count; i++) {
        append_text(to, i == 0 ? "" : ", ");
        value_format_name(to, map->entries[i].name);
        append_text(to, ": ");
        value_format(to, &map->entries[i].value);
    }
    append_text(to, "}");
}

static void append_node(struct buffer *to, const struct yore_graph_node *node)
{
    append_text(to, "(");
    for (size_t i = 0; i < node->label_count; i++) {
        append_text(to, ":");
        value_format_name(to, node->labels[i]);
    }
    if (node->properties.count > 0) {
        append_text(to, node->label_count > 0 ? " " : "");
        append_map(to, &node->properties);
    }
    append_text(to, ")");
}

static void append_relationship(struct buffer *to,
                                const struct yore_graph_relationship *relationship)
{
    append_text(to, "[:");
    value_format_name(to, relationship->type);
    if (relationship->properties.count > 0) {
        append_text(to, " ");
        append_map(to, &relationship->properties);
    }
    append_text(to, "]");
}

/* Whether the i-th relationship is walked from its start to its end; unknown ones are. */
static bool is_forward(const struct yore_graph_path *path, size_t i)
{
    const struct yore_graph_value *step = &path->relationships[i];
    return step->kind != YORE_GRAPH_RELATIONSHIP ||
           step->as.relationship->start_id == value_element_id(&path->nodes[i]);
}

static void append_path(struct buffer *to, const struct yore_graph_path *path)
{
    append_text(to, "<");
    value_format(to, &path->nodes[0]);
    for (size_t i = 0; i < path->length; i++) {
        bool forward = is_forward(path, i);
        append_text(to, forward ? "-" : "<-");
        value_format(to, &path->relationships[i]);
        append_text(to, forward ? "->" : "-");
        value_format(to, &path->nodes[i + 1]);
    }
    append_text(to, ">");
}

void value_format(struct buffer *to, const struct yore_graph_value *value)
{
    switch (value->kind) {
    case YORE_GRAPH_NULL:
        append_text(to, "null");
        return;
    case YORE_GRAPH_STRING:
        append_quoted(to, value->as.string);
        return;
    case YORE_GRAPH_LIST:
        append_text(to, "[");
        for (size_t i = 0; i < value->as.list.count; i++) {
            append_text(to, i == 0 ? "" : ", ");
            value_format(to, &value->as.list.items[i]);
        }
        append_text(to, "]");
        return;
    case YORE_GRAPH_MAP:
        append_map(to, &value->as.map);
        return;
    case YORE_GRAPH_NODE:
        append_node(to, value->as.node);
        return;
    case YORE_GRAPH_RELATIONSHIP:
        append_relationship(to, value->as.relationship);
        return;
    case YORE_GRAPH_PATH:
        append_path(to, value->as.path);
        return;
    case YORE_GRAPH_NODE_REF:
    case YORE_GRAPH_RELATIONSHIP_REF:
        append_text(to, value->kind == YORE_GRAPH_NODE_REF ? "(#" : "[#");
        append_integer(to, (int64_t)value_element_id(value));
        append_text(to, value->kind == YORE_GRAPH_NODE_REF ? ")" : "]");
        return;
    case YORE_GRAPH_BOOL:
    case YORE_GRAPH_INT:
    case YORE_GRAPH_FLOAT:
        (void)value_to_string(to, value);
        return;
    default:
        append_text(to, "'");
        temporal_write(to, value);
        append_text(to, "'");
        return;
    }
}

/* ---- JSON ---- */

static void json_text(struct buffer *to, struct yore_bytes text)
{
    const unsigned char *at = text.data;
    buffer_append_u8(to, '"');
    for (size_t i = 0; i < text.size; i++) {
        char escape[8];
        if (at[i] == '"' || at[i] == '\\') {
            buffer_append_u8(to, '\\');
            buffer_append_u8(to, at[i]);
        } else if (at[i] < 0x20) {
            int size = snprintf(escape, sizeof(escape), "\\u%04x", (unsigned)at[i]);
            buffer_append(to, escape, (size_t)size);
        } else {
            buffer_append_u8(to, at[i]);
        }
    }
    buffer_append_u8(to, '"');
}

static void json_items(struct buffer *to, const struct yore_graph_value *items, size_t count)
{
    append_text(to, "[");
    for (size_t i = 0; i < count; i++) {
        append_text(to, i == 0 ? "" : ",");
        value_format_json(to, &items[i]);
    }
    append_text(to, "]");
}

static void json_map(struct buffer *to, const struct yore_graph_map *map)
{
    append_text(to, "{");
    for (size_t i = 0; i < map->count; i++) {
        append_text(to, i == 0 ? "" : ",");
        json_text(to, map->entries[i].name);
        append_text(to, ":");
        value_format_json(to, &map->entries[i].value);
    }
    append_text(to, "}");
}

/* As elementId() has it. */
static void json_element_id(struct buffer *to, const char *name, uint64_t id)
{
    append_text(to, name);
    append_text(to, "\"");
    append_integer(to, (int64_t)id);
    append_text(to, "\"");
}

static void json_node(struct buffer *to, const struct yore_graph_node *node)
{
    json_element_id(to, "{\"elementId\":", node->id);
    append_text(to, ",\"id\":");
    json_text(to, node->external_id);
    append_text(to, ",\"labels\":[");
    for (size_t i = 0; i < node->label_count; i++) {
        append_text(to, i == 0 ? "" : ",");
        json_text(to, node->labels[i]);
    }
    append_text(to, "],\"properties\":");
    json_map(to, &node->properties);
    append_text(to, "}");
}

static void json_relationship(struct buffer *to, const struct yore_graph_relationship *relationship)
{
    json_element_id(to, "{\"elementId\":", relationship->id);
    append_text(to, ",\"id\":");
    json_text(to, relationship->external_id);
    append_text(to, ",\"type\":");
    json_text(to, relationship->type);
    json_element_id(to, ",\"start\":", relationship->start_id);
    json_element_id(to, ",\"end\":", relationship->end_id);
    append_text(to, ",\"properties\":");
    json_map(to, &relationship->properties);
    append_text(to, "}");
}

static void json_other(struct buffer *to, const struct yore_graph_value *value)
{
    if (value_is_element(value)) {
        json_element_id(to, "{\"elementId\":", value_element_id(value));
        append_text(to, "}");
        return;
    }
    append_text(to, "\"");
    temporal_write(to, value);
    append_text(to, "\"");
}

void value_format_json(struct buffer *to, const struct yore_graph_value *value)
{
    switch (value->kind) {
    case YORE_GRAPH_NULL:
        append_text(to, "null");
        return;
    case YORE_GRAPH_BOOL:
    case YORE_GRAPH_INT:
        (void)value_to_string(to, value);
        return;
    case YORE_GRAPH_FLOAT:
        append_text(to, isfinite(value->as.real) ? "" : "\"");
        append_float(to, value->as.real);
        append_text(to, isfinite(value->as.real) ? "" : "\"");
        return;
    case YORE_GRAPH_STRING:
        json_text(to, value->as.string);
        return;
    case YORE_GRAPH_LIST:
        json_items(to, value->as.list.items, value->as.list.count);
        return;
    case YORE_GRAPH_MAP:
        json_map(to, &value->as.map);
        return;
    case YORE_GRAPH_NODE:
        json_node(to, value->as.node);
        return;
    case YORE_GRAPH_RELATIONSHIP:
        json_relationship(to, value->as.relationship);
        return;
    case YORE_GRAPH_PATH:
        append_text(to, "{\"nodes\":");
        json_items(to, value->as.path->nodes, value->as.path->length + 1);
        append_text(to, ",\"relationships\":");
        json_items(to, value->as.path->relationships, value->as.path->length);
        append_text(to, "}");
        return;
    default:
        json_other(to, value);
        return;
    }
}

void value_show(struct buffer *to, const struct yore_graph_value *value)
{
    bool is_temporal = value->kind >= YORE_GRAPH_DATE && value->kind <= YORE_GRAPH_DURATION;
    if (value->kind == YORE_GRAPH_STRING) {
        buffer_append_bytes(to, value->as.string);
    } else if (!is_temporal || value_to_string(to, value) != YORE_OK) {
        value_format(to, value);
    }
}
