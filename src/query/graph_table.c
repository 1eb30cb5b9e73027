#include "query/graph_table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/mem.h"
#include "base/moment.h"
#include "base/utf8.h"
#include "query/value_format.h"
#include "query/word_json.h"
#include "topology/graph.h"

enum value_type { TYPE_STRING, TYPE_INT, TYPE_FLOAT, TYPE_BOOL, TYPE_JSON };
static const char *const csv_types[] = {"string", "int", "float", "bool", "json"};
static const char *const graphml_types[] = {"string", "long", "double", "boolean", "string"};

struct property_column {
    struct yore_bytes name;
    enum value_type type;
};
struct columns {
    struct property_column *items; /* by name, then type */
    size_t count;
    size_t capacity;
};

struct table {
    struct graph_walk *walk;
    enum graph_table_format format;
    bool is_every;
    bool writes;        /* otherwise columns are looked for */
    struct arena names; /* of columns */
    struct arena arena; /* of one element */
    struct buffer line;
    struct buffer text; /* of one value */
    struct columns nodes;
    struct columns relationships;
    bool is_unfit; /* something that XML has no form for */
};

/* ---- columns -------------------------------------------------------------------------------- */

/* Text that XML can hold as it is. */
static bool is_plain(struct yore_bytes text)
{
    const unsigned char *at = text.data;
    for (size_t i = 0; i < text.size; i++) {
        if (at[i] < 0x20 && at[i] != '\n' && at[i] != '\t') {
            return false;
        }
        bool is_last_two = at[i] == 0xef && i + 2 < text.size && at[i + 1] == 0xbf &&
                           (at[i + 2] == 0xbe || at[i + 2] == 0xbf); /* U+FFFE, U+FFFF */
        if (is_last_two) {
            return false;
        }
    }
    return utf8_is_valid(text);
}

static enum value_type type_of(const struct yore_graph_value *value)
{
    switch (value->kind) {
    case YORE_GRAPH_STRING:
        return is_plain(value->as.string) ? TYPE_STRING : TYPE_JSON;
    case YORE_GRAPH_INT:
        return TYPE_INT;
    case YORE_GRAPH_FLOAT:
        return TYPE_FLOAT;
    case YORE_GRAPH_BOOL:
        return TYPE_BOOL;
    default:
        return TYPE_JSON;
    }
}

static int compare_columns(struct yore_bytes name, enum value_type type,
                           const struct property_column *column)
{
    int order = bytes_compare(name, column->name);
    return order != 0 ? order : (int)type - (int)column->type;
}

/* The place of the first that is not smaller. */
static size_t place_of(const struct columns *columns, struct yore_bytes name, enum value_type type)
{
    size_t low = 0;
    size_t high = columns->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare_columns(name, type, &columns->items[middle]) > 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static bool note_column(struct table *table, struct columns *columns,
                        const struct yore_graph_entry *entry)
{
    enum value_type type = type_of(&entry->value);
    size_t place = place_of(columns, entry->name, type);
    if (place < columns->count && compare_columns(entry->name, type, &columns->items[place]) == 0) {
        return true;
    }
    if (columns->count == columns->capacity) {
        size_t capacity = columns->capacity == 0 ? 32 : columns->capacity * 2;
        struct property_column *items = mem_realloc(columns->items, capacity * sizeof(*items));
        if (items == NULL) {
            return false;
        }
        columns->items = items;
        columns->capacity = capacity;
    }
    void *name = arena_copy(&table->names, entry->name.data, entry->name.size);
    if (name == NULL) {
        return false;
    }
    struct property_column *items = columns->items;
    memmove(items + place + 1, items + place, (columns->count - place) * sizeof(*items));
    items[place] = (struct property_column){bytes_of(name, entry->name.size), type};
    columns->count++;
    return true;
}

/* ---- text ----------------------------------------------------------------------------------- */

static void say(struct table *table, const char *text)
{
    buffer_append(&table->line, text, strlen(text));
}

static void say_size(struct table *table, size_t number)
{
    char text[24];
    snprintf(text, sizeof(text), "%zu", number);
    say(table, text);
}

static enum yore_status pour(struct table *table, struct yore_error *error_out)
{
    struct buffer *line = &table->line;
    buffer_append(line, "\n", 1);
    if (line->is_nomem || table->text.is_nomem) {
        return error_plain(error_out, YORE_NOMEM);
    }
    if (table->is_unfit) {
        return error_set(error_out, YORE_INVALID,
                         "an external id, label, type or name of a property has a character that "
                         "XML has no form for; write ndjson or csv");
    }
    const struct graph_sink *sink = table->walk->sink;
    enum yore_status st = sink->line(sink->arg, buffer_bytes(line), error_out);
    buffer_clear(line);
    return st;
}

static void value_text(struct table *table, const struct yore_graph_value *value,
                       enum value_type type)
{
    buffer_clear(&table->text);
    if (type == TYPE_JSON) {
        word_json_value(&table->text, value);
    } else {
        enum yore_status st = value_to_string(&table->text, value);
        table->text.is_nomem |= st == YORE_NOMEM;
    }
}

static void csv_field(struct table *table, struct yore_bytes text, bool is_first)
{
    const char *at = text.data;
    bool needs_quotes = text.size == 0;
    for (size_t i = 0; i < text.size; i++) {
        needs_quotes |= at[i] == ',' || at[i] == '"' || at[i] == '\n' || at[i] == '\r';
    }
    say(table, is_first ? "" : ",");
    say(table, needs_quotes ? "\"" : "");
    for (size_t i = 0; i < text.size; i++) {
        say(table, at[i] == '"' ? "\"" : "");
        buffer_append_u8(&table->line, (uint8_t)at[i]);
    }
    say(table, needs_quotes ? "\"" : "");
}

static void xml_text(struct table *table, struct yore_bytes text)
{
    const char *at = text.data;
    table->is_unfit |= !is_plain(text);
    for (size_t i = 0; i < text.size; i++) {
        const char *name = at[i] == '&'    ? "&amp;"
                           : at[i] == '<'  ? "&lt;"
                           : at[i] == '>'  ? "&gt;"
                           : at[i] == '"'  ? "&quot;"
                           : at[i] == '\n' ? "&#10;"
                           : at[i] == '\t' ? "&#9;"
                                           : NULL;
        if (name != NULL) {
            say(table, name);
        } else {
            buffer_append_u8(&table->line, (uint8_t)at[i]);
        }
    }
}

/* Labels with a separator before (GraphML) or between them (CSV), which is escaped inside. */
static void join_labels(struct table *table, const struct yore_graph_node *node, char separator,
                        bool goes_before)
{
    buffer_clear(&table->text);
    for (size_t i = 0; i < node->label_count; i++) {
        const char *at = node->labels[i].data;
        if (i > 0 || goes_before) {
            buffer_append_u8(&table->text, (uint8_t)separator);
        }
        for (size_t k = 0; k < node->labels[i].size; k++) {
            if (at[k] == separator || at[k] == '\\') {
                buffer_append_u8(&table->text, '\\');
            }
            buffer_append_u8(&table->text, (uint8_t)at[k]);
        }
    }
}

/* ---- elements ------------------------------------------------------------------------------- */

struct element {
    const struct yore_graph_node *node; /* NULL: a relationship */
    const struct yore_graph_relationship *relationship;
    struct yore_bytes ends[2];
    const struct yore_graph_map *properties;
    const struct yore_graph_span *span; /* of a version; NULL: at one moment */
};

static void csv_span(struct table *table, const struct yore_graph_span *span)
{
    char text[MOMENT_TEXT_BYTES];
    if (span == NULL) {
        return;
    }
    say(table, ",");
    say(table, moment_format(span->valid_from, text));
    say(table, ",");
    say(table, span->valid_to != YORE_FOREVER ? moment_format(span->valid_to, text) : "");
}

static void csv_row(struct table *table, const struct element *element,
                    const struct columns *columns)
{
    size_t at = 0;
    if (element->node != NULL) {
        csv_field(table, element->node->external_id, true);
        join_labels(table, element->node, ';', false);
        say(table, table->text.size == 0 ? "," : "");
        if (table->text.size > 0) {
            csv_field(table, buffer_bytes(&table->text), false);
        }
    } else {
        csv_field(table, element->relationship->external_id, true);
        csv_field(table, element->relationship->type, false);
        csv_field(table, element->ends[0], false);
        csv_field(table, element->ends[1], false);
    }
    csv_span(table, element->span);
    for (size_t i = 0; i < columns->count; i++) {
        const struct yore_graph_entry *entry =
            at < element->properties->count ? &element->properties->entries[at] : NULL;
        enum value_type type = columns->items[i].type;
        if (entry == NULL || !bytes_equal(entry->name, columns->items[i].name) ||
            type_of(&entry->value) != type) {
            say(table, ",");
            continue;
        }
        value_text(table, &entry->value, type);
        csv_field(table, buffer_bytes(&table->text), false);
        at++;
    }
}

static void graphml_element(struct table *table, const struct element *element,
                            const struct columns *columns)
{
    bool is_node = element->node != NULL;
    say(table, is_node ? "  <node id=\"" : "  <edge id=\"");
    xml_text(table, is_node ? element->node->external_id : element->relationship->external_id);
    if (is_node) {
        say(table, "\" labels=\"");
        join_labels(table, element->node, ':', true);
        xml_text(table, buffer_bytes(&table->text));
    } else {
        say(table, "\" source=\"");
        xml_text(table, element->ends[0]);
        say(table, "\" target=\"");
        xml_text(table, element->ends[1]);
        say(table, "\" label=\"");
        xml_text(table, element->relationship->type);
    }
    say(table, "\">");
    for (size_t i = 0; i < element->properties->count; i++) {
        const struct yore_graph_entry *entry = &element->properties->entries[i];
        enum value_type type = type_of(&entry->value);
        say(table, is_node ? "<data key=\"n" : "<data key=\"e");
        say_size(table, place_of(columns, entry->name, type));
        say(table, "\">");
        value_text(table, &entry->value, type);
        xml_text(table, buffer_bytes(&table->text));
        say(table, "</data>");
    }
    say(table, is_node ? "</node>" : "</edge>");
}

static enum yore_status end_name(struct table *table, uint64_t id, struct yore_bytes *name_out,
                                 struct yore_error *error_out)
{
    struct yore_graph_node node;
    enum yore_status st = graph_node_get(table->walk->view, id, &table->arena, &node, error_out);
    *name_out = st == YORE_OK ? node.external_id : bytes_of("", 0);
    return st;
}

/* Note an element's columns, or write it. */
static enum yore_status take_element(struct table *table, const struct element *element,
                                     struct yore_error *error_out)
{
    struct columns *columns = element->node != NULL ? &table->nodes : &table->relationships;
    for (size_t i = 0; !table->writes && i < element->properties->count; i++) {
        if (!note_column(table, columns, &element->properties->entries[i])) {
            return error_plain(error_out, YORE_NOMEM);
        }
    }
    if (!table->writes) {
        return YORE_OK;
    }
    if (table->format == TABLE_GRAPHML) {
        graphml_element(table, element, columns);
    } else {
        csv_row(table, element, columns);
    }
    return pour(table, error_out);
}

static enum yore_status take_node(void *arg, uint64_t id, struct yore_error *error_out)
{
    struct table *table = arg;
    struct yore_graph_node node;
    arena_reset(&table->arena);
    enum yore_status st = graph_node_get(table->walk->view, id, &table->arena, &node, error_out);
    struct element element = {.node = &node, .properties = &node.properties};
    return st == YORE_OK ? take_element(table, &element, error_out) : st;
}

static enum yore_status take_relationship(void *arg, uint64_t id, struct yore_error *error_out)
{
    struct table *table = arg;
    struct yore_graph_relationship relationship;
    arena_reset(&table->arena);
    struct element element = {.relationship = &relationship,
                              .properties = &relationship.properties};
    enum yore_status st =
        graph_relationship_get(table->walk->view, id, &table->arena, &relationship, error_out);
    if (st == YORE_OK && table->writes) {
        st = end_name(table, relationship.start_id, &element.ends[0], error_out);
    }
    if (st == YORE_OK && table->writes) {
        st = end_name(table, relationship.end_id, &element.ends[1], error_out);
    }
    return st == YORE_OK ? take_element(table, &element, error_out) : st;
}

static enum yore_status take_version(void *arg, const struct graph_ever *version,
                                     struct yore_error *error_out)
{
    struct element element = {.node = version->node,
                              .relationship = version->relationship,
                              .ends = {version->ends[0], version->ends[1]},
                              .properties = version->node != NULL
                                                ? &version->node->properties
                                                : &version->relationship->properties,
                              .span = &version->span};
    return take_element(arg, &element, error_out);
}

static enum yore_status walk(struct table *table, enum graph_element kind, bool writes,
                             struct yore_error *error_out)
{
    table->writes = writes;
    return table->is_every ? graph_walk_ever(table->walk, kind, take_version, table, error_out)
                           : graph_walk_now(table->walk, kind,
                                            kind == GRAPH_NODE ? take_node : take_relationship,
                                            table, error_out);
}

/* ---- heads ---------------------------------------------------------------------------------- */

static void csv_head(struct table *table, const struct columns *columns)
{
    say(table, table->format == TABLE_CSV_NODES ? ":ID,:LABEL" : ":ID,:TYPE,:START_ID,:END_ID");
    say(table, table->is_every ? ",:FROM,:TO" : "");
    for (size_t i = 0; i < columns->count; i++) {
        buffer_clear(&table->text);
        buffer_append_bytes(&table->text, columns->items[i].name);
        buffer_append(&table->text, ":", 1);
        buffer_append(&table->text, csv_types[columns->items[i].type],
                      strlen(csv_types[columns->items[i].type]));
        csv_field(table, buffer_bytes(&table->text), false);
    }
}

static enum yore_status graphml_keys(struct table *table, const struct columns *columns,
                                     bool is_node, struct yore_error *error_out)
{
    enum yore_status st = YORE_OK;
    for (size_t i = 0; st == YORE_OK && i < columns->count; i++) {
        say(table, is_node ? " <key id=\"n" : " <key id=\"e");
        say_size(table, i);
        say(table, is_node ? "\" for=\"node\" attr.name=\"" : "\" for=\"edge\" attr.name=\"");
        xml_text(table, columns->items[i].name);
        say(table, "\" attr.type=\"");
        say(table, graphml_types[columns->items[i].type]);
        say(table, columns->items[i].type == TYPE_JSON ? "\" yore.type=\"json\"/>" : "\"/>");
        st = pour(table, error_out);
    }
    return st;
}

static enum yore_status write_csv(struct table *table, struct yore_error *error_out)
{
    bool is_nodes = table->format == TABLE_CSV_NODES;
    enum graph_element kind = is_nodes ? GRAPH_NODE : GRAPH_RELATIONSHIP;
    enum yore_status st = walk(table, kind, false, error_out);
    if (st == YORE_OK) {
        csv_head(table, is_nodes ? &table->nodes : &table->relationships);
        st = pour(table, error_out);
    }
    return st == YORE_OK ? walk(table, kind, true, error_out) : st;
}

static enum yore_status write_graphml(struct table *table, struct yore_error *error_out)
{
    enum yore_status st = walk(table, GRAPH_NODE, false, error_out);
    if (st == YORE_OK) {
        st = walk(table, GRAPH_RELATIONSHIP, false, error_out);
    }
    if (st == YORE_OK) {
        say(table, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                   "<graphml xmlns=\"http://graphml.graphdrawing.org/xmlns\">");
        st = pour(table, error_out);
    }
    if (st == YORE_OK) {
        st = graphml_keys(table, &table->nodes, true, error_out);
    }
    if (st == YORE_OK) {
        st = graphml_keys(table, &table->relationships, false, error_out);
    }
    if (st == YORE_OK) {
        say(table, " <graph id=\"g\" edgedefault=\"directed\">");
        st = pour(table, error_out);
    }
    if (st == YORE_OK) {
        st = walk(table, GRAPH_NODE, true, error_out);
    }
    if (st == YORE_OK) {
        st = walk(table, GRAPH_RELATIONSHIP, true, error_out);
    }
    if (st == YORE_OK) {
        say(table, " </graph>\n</graphml>");
        st = pour(table, error_out);
    }
    return st;
}

enum yore_status graph_table_write(struct graph_walk *walk, enum graph_table_format format,
                                   bool is_every, struct yore_error *error_out)
{
    struct table table = {.walk = walk, .format = format, .is_every = is_every};
    enum yore_status st =
        format == TABLE_GRAPHML ? write_graphml(&table, error_out) : write_csv(&table, error_out);
    mem_free(table.nodes.items);
    mem_free(table.relationships.items);
    arena_release(&table.names);
    arena_release(&table.arena);
    buffer_release(&table.line);
    buffer_release(&table.text);
    return st;
}
