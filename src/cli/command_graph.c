/* graph: the graphs of a database: listed, dropped, chosen; and the verbs of the other files. */
#include <string.h>

#include "base/buffer.h"
#include "cli/commands.h"
#include "cli/graph_name.h"
#include "cli/graph_tally.h"
#include "cli/output.h"
#include "cli/remote.h"
#include "cli/store.h"
#include "cli/words.h"
#include "os/term.h"
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

/* ---- the command ---------------------------------------------------------------------------- */

#define NAMED "needs the NAME of a graph"
#define WITH_FILES "needs the NAME of a graph and FILEs"
#define TAKES_IN (COMMAND_CREATES | COMMAND_CHANGES | VERB_FILES)

const struct verb graph_verbs[] = {
    {"list", 1, 1, "takes no NAME", COMMAND_READS, list_graphs},
    {"import", 3, 3, "needs the NAME of a graph and a FILE", TAKES_IN, command_graph_import},
    {"apply", 3, COMMAND_WORDS_MAX, WITH_FILES, TAKES_IN | VERB_SOURCE, command_graph_apply},
    {"sync", 3, COMMAND_WORDS_MAX, WITH_FILES, TAKES_IN | VERB_SOURCE, command_graph_sync},
    {"source", 2, 2, NAMED, COMMAND_CREATES | COMMAND_CHANGES | VERB_SOURCE, command_graph_source},
    {"end", 2, 2, NAMED, COMMAND_CHANGES | VERB_SOURCE, command_graph_end},
    {"abort", 2, 2, NAMED, COMMAND_CHANGES | VERB_SOURCE, command_graph_abort},
    {"sources", 2, 2, NAMED, COMMAND_READS, command_graph_sources},
    {"pending", 2, 2, NAMED, COMMAND_READS, command_graph_pending},
    {"settle", 2, 2, NAMED, COMMAND_CHANGES, command_graph_settle},
    {"erase", 4, 5, "needs the NAME of a graph, node or relationship, and its external ID",
     COMMAND_CHANGES, command_graph_erase},
    {"export", 2, 2, NAMED, COMMAND_READS, command_graph_export},
    {"drop", 2, 2, NAMED, COMMAND_CHANGES, graph_drop},
    {"use", 2, 2, NAMED, 0, graph_use},
    {.name = NULL}};

int command_graph_check(struct cli *cli, const struct args *args)
{
    unsigned flags = verb_find(graph_verbs, args)->flags;
    struct yore_bytes source;
    struct yore_error error;
    if ((flags & VERB_SOURCE) != 0 && graph_source_name(args, &source, &error) != YORE_OK) {
        return cli_usage_error(cli, &error);
    }
    if (cli->server != NULL || args->word_count == 1) {
        return EXIT_FOUND;
    }
    const char *name = args->words[1];
    if (graph_check_name(bytes_of(name, strlen(name)), &error) != YORE_OK) {
        return cli_usage_error(cli, &error);
    }
    for (size_t i = 2; (flags & VERB_FILES) != 0 && i < args->word_count; i++) {
        if (check_file(cli->env, args->words[i], &error) != YORE_OK) {
            return cli_fail(cli, &error);
        }
    }
    return EXIT_FOUND;
}
