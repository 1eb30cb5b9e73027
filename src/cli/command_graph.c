/* graph: the graphs of a database: listed, written out, dropped. */
#include <inttypes.h>
#include <string.h>

#include "base/buffer.h"
#include "base/json.h"
#include "cli/commands.h"
#include "cli/graph_events.h"
#include "cli/graph_ever.h"
#include "cli/graph_name.h"
#include "cli/graph_table.h"
#include "cli/output.h"
#include "cli/remote.h"
#include "cli/store.h"
#include "os/term.h"
#include "query/word_json.h"
#include "topology/graph.h"

/* ---- list ----------------------------------------------------------------------------------- */

#define GRAPH_COLUMNS 3

static const struct column graph_columns[GRAPH_COLUMNS] = {
    {"name", COLUMN_EVERYWHERE},
    {"nodes", COLUMN_TABLE | COLUMN_DATA},
    {"relationships", COLUMN_TABLE | COLUMN_DATA},
};

/* Names, each with a closing zero. */
static int take_name(void *arg, const char *name)
{
    buffer_append(arg, name, strlen(name) + 1);
    return 0;
}

static enum yore_status count_elements(struct graph_view *view, enum graph_scan_kind kind,
                                       uint64_t *count_out, struct yore_error *error_out)
{
    struct graph_scan_options options = {.kind = kind};
    struct graph_scan *scan = NULL;
    uint64_t id;
    *count_out = 0;
    enum yore_status st = graph_scan_open(view, &options, &scan, error_out);
    while (st == YORE_OK && (st = graph_scan_next(scan, &id, error_out)) == YORE_OK) {
        (*count_out)++;
        st = os_interrupt_take() ? error_plain(error_out, YORE_CANCELLED) : YORE_OK;
    }
    if (scan != NULL) {
        graph_scan_close(scan);
    }
    return st == YORE_NOT_FOUND ? YORE_OK : st;
}

static enum yore_status list_row(struct cli *cli, const char *name, const struct yore_time *at,
                                 struct output *output, struct yore_error *error_out)
{
    struct graph *graph = NULL;
    struct graph_view *view = NULL;
    uint64_t nodes = 0;
    uint64_t relationships = 0;
    enum yore_status st = cli_graph(cli, name, false, at, &graph, error_out);
    if (st == YORE_OK) {
        st = graph_view_open(graph, NULL, at, &view, error_out);
    }
    if (st == YORE_OK) {
        st = count_elements(view, GRAPH_SCAN_NODES, &nodes, error_out);
    }
    if (st == YORE_OK) {
        st = count_elements(view, GRAPH_SCAN_RELATIONSHIPS, &relationships, error_out);
    }
    if (view != NULL) {
        graph_view_close(view);
    }
    if (graph != NULL) {
        graph_close(graph);
    }
    struct cell cells[GRAPH_COLUMNS] = {cell_word(name), cell_count(nodes),
                                        cell_count(relationships)};
    return st == YORE_OK && !output_row(output, cells) ? error_plain(error_out, YORE_IO) : st;
}

/* ---- with a server ---- */

static enum yore_status count_remote(struct cli *cli, const char *name, const char *text,
                                     const struct yore_time *at, uint64_t *count_out,
                                     struct yore_error *error_out)
{
    const struct yore_client_reply *reply = NULL;
    struct remote_words words = {.count = 0};
    remote_word(&words, "GRAPH.RO_QUERY");
    remote_bytes(&words, name, bytes_of(text, strlen(text)));
    remote_at(&words, at);
    enum yore_status st = remote_call(store_remote(cli->store), &words, &reply, error_out);
    /* [[name], [[count]], statistics] */
    if (st == YORE_OK && (reply->count < 6 || reply->values[5].kind != YORE_CLIENT_INTEGER)) {
        st = remote_strange(error_out);
    }
    *count_out = st == YORE_OK ? (uint64_t)reply->values[5].integer : 0;
    return st;
}

static enum yore_status list_names(struct cli *cli, const struct yore_time *at,
                                   struct buffer *names, struct yore_error *error_out)
{
    const struct yore_client_reply *reply = NULL;
    struct remote_words words = {.count = 0};
    if (store_db(cli->store) != NULL) {
        return graph_each(store_db(cli->store), at, take_name, names, error_out);
    }
    remote_word(&words, "GRAPH.LIST");
    remote_at(&words, at);
    enum yore_status st = remote_call(store_remote(cli->store), &words, &reply, error_out);
    for (size_t i = 1; st == YORE_OK && i < reply->values[0].next; i = reply->values[i].next) {
        buffer_append_bytes(names, reply->values[i].bytes);
        buffer_append(names, "", 1);
    }
    return st;
}

/* YORE_NOT_FOUND: there is no such graph. */
static enum yore_status find_remote(struct cli *cli, const char *name, const struct yore_time *at,
                                    struct yore_error *error_out)
{
    struct buffer names = {0};
    enum yore_status st = list_names(cli, at, &names, error_out);
    bool is_there = false;
    for (size_t i = 0; st == YORE_OK && i < names.size;
         i += strlen((const char *)names.data + i) + 1) {
        is_there = is_there || strcmp((const char *)names.data + i, name) == 0;
    }
    st = st == YORE_OK && names.is_nomem ? error_plain(error_out, YORE_NOMEM) : st;
    buffer_release(&names);
    return st == YORE_OK && !is_there ? error_plain(error_out, YORE_NOT_FOUND) : st;
}

static enum yore_status list_remote_row(struct cli *cli, const char *name,
                                        const struct yore_time *at, struct output *output,
                                        struct yore_error *error_out)
{
    uint64_t nodes = 0;
    uint64_t relationships = 0;
    enum yore_status st =
        count_remote(cli, name, "MATCH (n) RETURN count(n)", at, &nodes, error_out);
    if (st == YORE_OK) {
        st = count_remote(cli, name, "MATCH ()-[r]->() RETURN count(r)", at, &relationships,
                          error_out);
    }
    struct cell cells[GRAPH_COLUMNS] = {cell_word(name), cell_count(nodes),
                                        cell_count(relationships)};
    return st == YORE_OK && !output_row(output, cells) ? error_plain(error_out, YORE_IO) : st;
}

static int drop_remote(struct cli *cli, const char *name)
{
    const struct yore_client_reply *reply = NULL;
    struct remote_words words = {.count = 0};
    struct yore_error error;
    if (cli->reads_only) {
        return cli_fail_text(
            cli, YORE_READ_ONLY,
            "the database was opened to read only: leave --read-only out to write");
    }
    remote_word(&words, "GRAPH.DELETE");
    remote_word(&words, name);
    enum yore_status st = remote_call(store_remote(cli->store), &words, &reply, &error);
    if (st == YORE_INVALID && strncmp(error.text, "there is no graph ", 18) == 0) {
        error_set(&error, YORE_NOT_FOUND, "no graph '%.80s' in %s", name, cli->dir);
    }
    return st == YORE_OK ? EXIT_FOUND : cli_fail(cli, &error);
}

static int list_graphs(struct cli *cli, const struct args *args)
{
    struct buffer names = {0};
    struct output *output = NULL;
    enum output_format format;
    struct yore_time at;
    struct yore_error error;
    enum yore_status st = output_choose(cli, args, &format, &error);
    if (st == YORE_OK) {
        st = cli_time(cli, args, &at, &error);
    }
    if (st != YORE_OK) {
        return cli_usage_error(cli, &error);
    }
    st = list_names(cli, &at, &names, &error);
    st = st == YORE_OK && names.is_nomem ? error_plain(&error, YORE_NOMEM) : st;
    if (st == YORE_OK) {
        st = output_open(cli, format, graph_columns, GRAPH_COLUMNS, &output);
    }
    const char *name = (const char *)names.data;
    for (size_t at_byte = 0; st == YORE_OK && at_byte < names.size;
         at_byte += strlen(name + at_byte) + 1) {
        st = cli->server != NULL ? list_remote_row(cli, name + at_byte, &at, output, &error)
                                 : list_row(cli, name + at_byte, &at, output, &error);
    }
    enum yore_status close_st = output != NULL ? output_close(output) : YORE_OK;
    buffer_release(&names);
    if (st != YORE_OK) {
        return cli_fail(cli, &error);
    }
    return close_st == YORE_OK ? EXIT_FOUND : cli_fail_status(cli, close_st);
}

/* ---- drop ----------------------------------------------------------------------------------- */

static int graph_drop(struct cli *cli, const struct args *args)
{
    struct graph *graph = NULL;
    struct yore_error error;
    struct yore_time now = {YORE_NOW, YORE_NOW};
    const char *name = args->words[1];
    if (cli->server != NULL) {
        return drop_remote(cli, name);
    }
    enum yore_status st = cli_graph(cli, name, false, &now, &graph, &error);
    if (st == YORE_OK) {
        graph_close(graph);
        st = graph_remove(store_db(cli->store), bytes_of(name, strlen(name)), &error);
    }
    return st == YORE_OK ? EXIT_FOUND : cli_fail(cli, &error);
}

/* ---- use: the graph that statements of this shell go to ------------------------------------- */

static int graph_use(struct cli *cli, const struct args *args)
{
    struct cli_session *session = cli->session;
    struct graph *graph = NULL;
    struct yore_error error;
    if (session == NULL) {
        return cli_usage(cli,
                         "use chooses the graph of a shell; outside of one name it: yore query "
                         "DIR %.80s ...",
                         args->words[1]);
    }
    struct yore_time at = {session->valid, session->known};
    enum yore_status st = cli->server != NULL
                              ? find_remote(cli, args->words[1], &at, &error)
                              : cli_graph(cli, args->words[1], false, &at, &graph, &error);
    if (st != YORE_OK && st != YORE_NOT_FOUND) {
        return cli_fail(cli, &error);
    }
    if (st == YORE_OK) {
        graph_close(graph);
    } else if (!cli->is_quiet) {
        fprintf(cli->err, "there is no graph '%s' yet; a statement that writes makes it\n",
                args->words[1]);
    }
    snprintf(session->graph, sizeof(session->graph), "%.255s", args->words[1]);
    return EXIT_FOUND;
}

/* ---- export --------------------------------------------------------------------------------- */

struct graph_writer {
    struct cli *cli;
    struct graph_view *view;
    bool is_dot;
    struct arena arena; /* of the element at work */
    struct buffer line;
    bool has_failed; /* the output */
};

static void say(struct graph_writer *writer, const char *text)
{
    buffer_append(&writer->line, text, strlen(text));
}

static void say_number(struct graph_writer *writer, uint64_t number)
{
    char text[24];
    snprintf(text, sizeof(text), "%" PRIu64, number);
    say(writer, text);
}

static void say_string(struct graph_writer *writer, struct yore_bytes text)
{
    json_append_string(&writer->line, text);
}

static enum yore_status pour(struct graph_writer *writer)
{
    struct buffer *line = &writer->line;
    buffer_append(line, "\n", 1);
    bool is_written =
        !line->is_nomem && fwrite(line->data, 1, line->size, writer->cli->out) == line->size;
    writer->has_failed = writer->has_failed || !is_written;
    enum yore_status st = line->is_nomem ? YORE_NOMEM : is_written ? YORE_OK : YORE_IO;
    buffer_clear(line);
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

static enum yore_status write_node(struct graph_writer *writer, uint64_t id,
                                   struct yore_error *error_out)
{
    struct yore_graph_node node;
    enum yore_status st = graph_node_get(writer->view, id, &writer->arena, &node, error_out);
    if (st != YORE_OK) {
        return st;
    }
    if (writer->is_dot) {
        say(writer, "  n");
        say_number(writer, id);
        say(writer, " [label=");
        say_string(writer, title_of(&node));
        say(writer, "];");
        return pour(writer);
    }
    word_json_node(&writer->line, &node, NULL);
    return pour(writer);
}

static enum yore_status end_name(struct graph_writer *writer, uint64_t id,
                                 struct yore_bytes *name_out, struct yore_error *error_out)
{
    struct yore_graph_node node;
    enum yore_status st = graph_node_get(writer->view, id, &writer->arena, &node, error_out);
    *name_out = st == YORE_OK ? node.external_id : bytes_of("", 0);
    return st;
}

static enum yore_status write_relationship(struct graph_writer *writer, uint64_t id,
                                           struct yore_error *error_out)
{
    struct yore_graph_relationship relationship;
    enum yore_status st =
        graph_relationship_get(writer->view, id, &writer->arena, &relationship, error_out);
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
        return pour(writer);
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
    return pour(writer);
}

static enum yore_status write_elements(struct graph_writer *writer, enum graph_scan_kind kind,
                                       struct yore_error *error_out)
{
    struct graph_scan_options options = {.kind = kind};
    struct graph_scan *scan = NULL;
    uint64_t id;
    enum yore_status st = graph_scan_open(writer->view, &options, &scan, error_out);
    while (st == YORE_OK && (st = graph_scan_next(scan, &id, error_out)) == YORE_OK) {
        arena_reset(&writer->arena);
        st = kind == GRAPH_SCAN_NODES ? write_node(writer, id, error_out)
                                      : write_relationship(writer, id, error_out);
        if (st == YORE_OK && os_interrupt_take()) {
            st = error_plain(error_out, YORE_CANCELLED);
        }
    }
    if (scan != NULL) {
        graph_scan_close(scan);
    }
    return st == YORE_NOT_FOUND ? YORE_OK : st;
}

static enum yore_status write_graph(struct graph_writer *writer, struct yore_error *error_out)
{
    enum yore_status st = YORE_OK;
    if (writer->is_dot) {
        say(writer, "digraph g {");
        st = pour(writer);
    }
    if (st == YORE_OK) {
        st = write_elements(writer, GRAPH_SCAN_NODES, error_out);
    }
    if (st == YORE_OK) {
        st = write_elements(writer, GRAPH_SCAN_RELATIONSHIPS, error_out);
    }
    if (st == YORE_OK && writer->is_dot) {
        say(writer, "}");
        st = pour(writer);
    }
    return st;
}

/* ---- all of history ---- */

static enum yore_status write_version(void *arg, const struct graph_ever *version,
                                      struct yore_error *error_out)
{
    struct graph_writer *writer = arg;
    if (version->node != NULL) {
        word_json_node(&writer->line, version->node, &version->span);
    } else {
        word_json_relationship(&writer->line, version->relationship, version->ends, &version->span);
    }
    enum yore_status st = pour(writer);
    return st == YORE_OK ? st : error_plain(error_out, st);
}

static enum yore_status write_history(struct graph_writer *writer, struct yore_error *error_out)
{
    enum yore_status st =
        graph_ever_walk(writer->view, GRAPH_NODE, write_version, writer, error_out);
    return st == YORE_OK
               ? graph_ever_walk(writer->view, GRAPH_RELATIONSHIP, write_version, writer, error_out)
               : st;
}

/* As --format lists them; those in between are tables. */
enum { FORMAT_NDJSON = 0, FORMAT_DOT = TABLE_GRAPHML + 1, FORMAT_EVENTS };

/* Every id stands once in a picture, and in a GraphML document. */
static bool is_of_one_moment(size_t format)
{
    return format == FORMAT_DOT || format == TABLE_GRAPHML;
}

static enum yore_status write_as(struct graph_writer *writer, size_t format, bool is_every,
                                 struct yore_error *error_out)
{
    switch (format) {
    case FORMAT_NDJSON:
        return is_every ? write_history(writer, error_out) : write_graph(writer, error_out);
    case FORMAT_DOT:
        return write_graph(writer, error_out);
    case FORMAT_EVENTS:
        return graph_events_write(writer->cli->out, writer->view, is_every, error_out);
    default:
        return graph_table_write(writer->cli, writer->view, (enum graph_table_format)format,
                                 is_every, error_out);
    }
}

static int graph_export(struct cli *cli, const struct args *args)
{
    struct graph_writer writer = {.cli = cli};
    struct graph *graph = NULL;
    struct yore_time at;
    struct yore_error error = {YORE_OK, ""};
    static const char *const formats[] = {
        "ndjson", "nodes-csv", "relationships-csv", "graphml", "dot", "events", NULL};
    size_t which = FORMAT_NDJSON;
    enum yore_status st = args_choice(args, OPT_FORMAT, formats, &which, &error);
    if (st != YORE_OK) {
        return cli_usage_error(cli, &error);
    }
    writer.is_dot = which == FORMAT_DOT;
    if (is_of_one_moment(which) && args_has(args, OPT_EVERY)) {
        return cli_usage(cli,
                         "%s has each element once, and so one moment; --every writes ndjson, "
                         "events, nodes-csv and relationships-csv",
                         formats[which]);
    }
    st = cli_time(cli, args, &at, &error);
    if (st != YORE_OK) {
        return cli_usage_error(cli, &error);
    }
    st = cli_graph(cli, args->words[1], false, &at, &graph, &error);
    if (st == YORE_OK) {
        st = graph_view_open(graph, NULL, &at, &writer.view, &error);
    }
    if (st == YORE_OK) {
        st = write_as(&writer, which, args_has(args, OPT_EVERY), &error);
        writer.has_failed = writer.has_failed || ferror(cli->out);
    }
    if (writer.view != NULL) {
        graph_view_close(writer.view);
    }
    if (graph != NULL) {
        graph_close(graph);
    }
    arena_release(&writer.arena);
    buffer_release(&writer.line);
    if (writer.has_failed) {
        return cli_fail_status(cli, st);
    }
    return st == YORE_OK ? EXIT_FOUND : cli_fail(cli, &error);
}

/* ---- the command ---------------------------------------------------------------------------- */

int command_graph(struct cli *cli, const struct args *args)
{
    static const struct {
        const char *name;
        const char *wants;
        size_t words_min;
        size_t words_max;
        int (*run)(struct cli *cli, const struct args *args);
        const char *instead; /* what does it with a server; NULL: this does */
    } verbs[] = {
        {"list", "takes no NAME", 1, 1, list_graphs, NULL},
        {"import", "needs the NAME of a graph and a FILE", 3, 3, command_graph_import,
         "stop the server and import into its directory"},
        {"apply", "needs the NAME of a graph and FILEs", 3, COMMAND_WORDS_MAX, command_graph_apply,
         "GRAPH.INGEST and POST /v1/graph/NAME/ingest take in what a source says"},
        {"sync", "needs the NAME of a graph and FILEs", 3, COMMAND_WORDS_MAX, command_graph_sync,
         "GRAPH.INGEST and POST /v1/graph/NAME/ingest take in what a source says"},
        {"source", "needs the NAME of a graph", 2, 2, command_graph_source,
         "GRAPH.INGEST NAME SOURCE SET rank ttl does"},
        {"end", "needs the NAME of a graph", 2, 2, command_graph_end,
         "an empty snapshot by GRAPH.INGEST ends what a source claims"},
        {"abort", "needs the NAME of a graph", 2, 2, command_graph_abort,
         "GRAPH.INGEST NAME SOURCE ABORT does"},
        {"sources", "needs the NAME of a graph", 2, 2, command_graph_sources,
         "yore query URL NAME 'CALL yore.sources()' tells them"},
        {"pending", "needs the NAME of a graph", 2, 2, command_graph_pending,
         "yore query URL NAME 'CALL yore.pending()' tells them"},
        {"settle", "needs the NAME of a graph", 2, 2, command_graph_settle,
         "a server settles by itself (graph-settle-interval)"},
        {"erase", "needs the NAME of a graph, node or relationship, and its external ID", 4, 4,
         command_graph_erase, "stop the server and erase in its directory"},
        {"export", "needs the NAME of a graph", 2, 2, graph_export,
         "yore query asks a graph; stop the server to export it from its directory"},
        {"drop", "needs the NAME of a graph", 2, 2, graph_drop, NULL},
        {"use", "needs the NAME of a graph", 2, 2, graph_use, NULL}};
    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
        if (strcmp(args->words[0], verbs[i].name) != 0) {
            continue;
        }
        if (args->word_count < verbs[i].words_min || args->word_count > verbs[i].words_max) {
            return cli_usage(cli, "%s %s", verbs[i].name, verbs[i].wants);
        }
        if (cli->server != NULL && verbs[i].instead != NULL) {
            return cli_fail_text(cli, YORE_UNSUPPORTED,
                                 "%s works in a directory, not with a server: %s", verbs[i].name,
                                 verbs[i].instead);
        }
        return verbs[i].run(cli, args);
    }
    return cli_usage(cli,
                     "'%.80s' is none of list, import, apply, sync, source, end, abort, sources, "
                     "pending, settle, erase, export, drop, use",
                     args->words[0]);
}
