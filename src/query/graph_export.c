#include "query/graph_export.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "base/json.h"
#include "query/graph_events.h"
#include "query/graph_table.h"
#include "query/word_json.h"

const char *const graph_export_formats[] = {
    "ndjson", "nodes-csv", "relationships-csv", "graphml", "dot", "events", NULL};

bool graph_export_is_of_one_moment(enum graph_export_format format)
{
    return format == GRAPH_EXPORT_DOT || format == GRAPH_EXPORT_GRAPHML;
}

/* ---- lines and pictures ---------------------------------------------------------------------- */

struct writer {
    struct graph_walk walk;
    bool is_dot;
    struct arena arena; /* of the element at work */
    struct buffer line;
};

static void say(struct writer *writer, const char *text)
{
    buffer_append(&writer->line, text, strlen(text));
}

static void say_number(struct writer *writer, uint64_t number)
{
    char text[24];
    snprintf(text, sizeof(text), "%" PRIu64, number);
    say(writer, text);
}

static void say_string(struct writer *writer, struct yore_bytes text)
{
    json_append_string(&writer->line, text);
}

static enum yore_status pour(struct writer *writer, struct yore_error *error_out)
{
    const struct graph_sink *sink = writer->walk.sink;
    buffer_append(&writer->line, "\n", 1);
    enum yore_status st = writer->line.is_nomem
                              ? error_plain(error_out, YORE_NOMEM)
                              : sink->line(sink->arg, buffer_bytes(&writer->line), error_out);
    buffer_clear(&writer->line);
    return st;
}

/* What a picture shows of a node: its name, or else its external id. */
static struct yore_bytes title_of(const struct yore_graph_node *node)
{
    for (size_t i = 0; i < node->properties.count; i++) {
        const struct yore_graph_entry *entry = &node->properties.entries[i];
        if (bytes_equal(entry->name, bytes_of("name", 4)) &&
            entry->value.kind == YORE_GRAPH_STRING) {
            return entry->value.as.string;
        }
    }
    return node->external_id;
}

static enum yore_status write_node(void *arg, uint64_t id, struct yore_error *error_out)
{
    struct writer *writer = arg;
    struct yore_graph_node node;
    arena_reset(&writer->arena);
    enum yore_status st = graph_node_get(writer->walk.view, id, &writer->arena, &node, error_out);
    if (st != YORE_OK) {
        return st;
    }
    if (writer->is_dot) {
        say(writer, "  n");
        say_number(writer, id);
        say(writer, " [label=");
        say_string(writer, title_of(&node));
        say(writer, "];");
        return pour(writer, error_out);
    }
    word_json_node(&writer->line, &node, NULL);
    return pour(writer, error_out);
}

static enum yore_status end_name(struct writer *writer, uint64_t id, struct yore_bytes *name_out,
                                 struct yore_error *error_out)
{
    struct yore_graph_node node;
    enum yore_status st = graph_node_get(writer->walk.view, id, &writer->arena, &node, error_out);
    *name_out = st == YORE_OK ? node.external_id : bytes_of("", 0);
    return st;
}

static enum yore_status write_relationship(void *arg, uint64_t id, struct yore_error *error_out)
{
    struct writer *writer = arg;
    struct yore_graph_relationship relationship;
    arena_reset(&writer->arena);
    enum yore_status st =
        graph_relationship_get(writer->walk.view, id, &writer->arena, &relationship, error_out);
    if (st != YORE_OK) {
        return st;
    }
    if (writer->is_dot) {
        say(writer, "  n");
        say_number(writer, relationship.start_id);
        say(writer, " -> n");
        say_number(writer, relationship.end_id);
        say(writer, " [label=");
        say_string(writer, relationship.type);
        say(writer, "];");
        return pour(writer, error_out);
    }
    struct yore_bytes ends[2];
    st = end_name(writer, relationship.start_id, &ends[0], error_out);
    if (st == YORE_OK) {
        st = end_name(writer, relationship.end_id, &ends[1], error_out);
    }
    if (st != YORE_OK) {
        return st;
    }
    word_json_relationship(&writer->line, &relationship, ends, NULL);
    return pour(writer, error_out);
}

static enum yore_status write_moment(struct writer *writer, struct yore_error *error_out)
{
    enum yore_status st = YORE_OK;
    if (writer->is_dot) {
        say(writer, "digraph g {");
        st = pour(writer, error_out);
    }
    if (st == YORE_OK) {
        st = graph_walk_now(&writer->walk, GRAPH_NODE, write_node, writer, error_out);
    }
    if (st == YORE_OK) {
        st = graph_walk_now(&writer->walk, GRAPH_RELATIONSHIP, write_relationship, writer,
                            error_out);
    }
    if (st == YORE_OK && writer->is_dot) {
        say(writer, "}");
        st = pour(writer, error_out);
    }
    return st;
}

/* ---- all of history ---- */

static enum yore_status write_version(void *arg, const struct graph_ever *version,
                                      struct yore_error *error_out)
{
    struct writer *writer = arg;
    if (version->node != NULL) {
        word_json_node(&writer->line, version->node, &version->span);
    } else {
        word_json_relationship(&writer->line, version->relationship, version->ends, &version->span);
    }
    return pour(writer, error_out);
}

static enum yore_status write_history(struct writer *writer, struct yore_error *error_out)
{
    enum yore_status st =
        graph_walk_ever(&writer->walk, GRAPH_NODE, write_version, writer, error_out);
    return st == YORE_OK ? graph_walk_ever(&writer->walk, GRAPH_RELATIONSHIP, write_version, writer,
                                           error_out)
                         : st;
}

/* ---- forms ---- */

static_assert((int)GRAPH_EXPORT_NODES_CSV == (int)TABLE_CSV_NODES &&
                  (int)GRAPH_EXPORT_RELATIONSHIPS_CSV == (int)TABLE_CSV_RELATIONSHIPS &&
                  (int)GRAPH_EXPORT_GRAPHML == (int)TABLE_GRAPHML,
              "tables have the numbers of their forms");

enum yore_status graph_export(struct graph_view *view, enum graph_export_format format,
                              bool is_every, const struct graph_sink *sink,
                              struct yore_error *error_out)
{
    struct writer writer = {.walk = {.view = view, .sink = sink},
                            .is_dot = format == GRAPH_EXPORT_DOT};
    enum yore_status st;
    switch (format) {
    case GRAPH_EXPORT_NDJSON:
        st = is_every ? write_history(&writer, error_out) : write_moment(&writer, error_out);
        break;
    case GRAPH_EXPORT_DOT:
        st = write_moment(&writer, error_out);
        break;
    case GRAPH_EXPORT_EVENTS:
        st = graph_events_write(&writer.walk, is_every, error_out);
        break;
    default:
        st = graph_table_write(&writer.walk, (enum graph_table_format)format, is_every, error_out);
        break;
    }
    arena_release(&writer.arena);
    buffer_release(&writer.line);
    return st;
}
