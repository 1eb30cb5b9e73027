/* query: a statement of the query language, and its rows. */
#include <inttypes.h>
#include <string.h>

#include "base/buffer.h"
#include "base/mem.h"
#include "cli/commands.h"
#include "cli/graph_name.h"
#include "cli/output.h"
#include "cli/query_remote.h"
#include "cli/store.h"
#include "cli/words.h"
#include "os/term.h"
#include "query/query.h"
#include "query/value_format.h"
#include "topology/graph.h"

#define QUERY_FILE_BYTES_MAX ((size_t)1 << 20)

struct query_request {
    struct cli *cli;
    const struct args *args;
    enum output_format format;
    struct query *query;
    struct graph *graph;
    struct query_options options;
    struct query_parameter parameters[ARGS_PARAMETERS_MAX];
    struct query_result *held[ARGS_PARAMETERS_MAX]; /* what the parameters' values live in */
    struct query_error error;
    struct buffer text;          /* of --file */
    struct yore_bytes statement; /* there, or on the command line */
};

enum yore_status cli_graph(struct cli *cli, const char *name, bool creates,
                           const struct yore_time *at, struct graph **graph_out,
                           struct yore_error *error_out)
{
    struct yore_error cause;
    bool is_past = at->valid != YORE_NOW || at->known != YORE_NOW;
    enum yore_status st = graph_open(store_db(cli->store), bytes_of(name, strlen(name)), creates,
                                     NULL, graph_out, &cause);
    if (st == YORE_NOT_FOUND && is_past) { /* dropped since, perhaps */
        st = graph_open(store_db(cli->store), bytes_of(name, strlen(name)), false, at, graph_out,
                        &cause);
    }
    if (st == YORE_NOT_FOUND) {
        return error_set(error_out, st,
                         "no graph '%.80s' in %s (yore graph %s list tells those "
                         "there are; a statement that writes makes one)",
                         name, cli->dir, cli->dir);
    }
    if (st != YORE_OK) {
        *error_out = cause;
    }
    return st;
}

/* ---- the text ------------------------------------------------------------------------------- */

static enum yore_status read_text(struct query_request *request, const char *name,
                                  struct yore_error *error_out)
{
    bool is_standard = strcmp(name, "-") == 0;
    FILE *stream;
    enum yore_status st = open_stream(name, request->cli->in, &stream, error_out);
    if (st != YORE_OK) {
        return st;
    }
    st = read_stream(stream, name, QUERY_FILE_BYTES_MAX, &request->text, error_out);
    if (!is_standard) {
        fclose(stream);
    }
    return st;
}

static enum yore_status prepare(struct query_request *request)
{
    const struct args *args = request->args;
    const char *file = args->values[OPT_FILE];
    enum yore_status st = YORE_OK;
    struct yore_bytes text = {NULL, 0};
    if (file != NULL) {
        st = read_text(request, file, &request->error.error);
        text = buffer_bytes(&request->text);
    } else {
        text = bytes_of(args->words[1], strlen(args->words[1]));
    }
    request->statement = text;
    return st == YORE_OK ? query_prepare(text, &request->query, &request->error) : st;
}

/* ---- parameters ------------------------------------------------------------------------------
 * NAME=VALUE.  A value that is a number, true, false, null, or begins like a string, list or map of
 * the language is one; everything else is a string as it stands. */

static bool is_number(const char *text)
{
    size_t digits = 0;
    text += *text == '-';
    for (; (*text >= '0' && *text <= '9') || *text == '.' || *text == 'e'; text++) {
        digits++;
    }
    return *text == '\0' && digits > 0;
}

bool query_is_literal(const char *text)
{
    return is_number(text) || strcmp(text, "true") == 0 || strcmp(text, "false") == 0 ||
           strcmp(text, "null") == 0 || (*text != '\0' && strchr("'\"[{", *text) != NULL);
}

static enum yore_status read_literal(struct query_request *request, const char *text, size_t index)
{
    struct buffer query_text = {0};
    struct query *query = NULL;
    const struct yore_graph_value *row = NULL;
    buffer_append(&query_text, "RETURN ", 7);
    buffer_append(&query_text, text, strlen(text));
    enum yore_status st = query_prepare(buffer_bytes(&query_text), &query, &request->error);
    struct query_options options = {.at = {YORE_NOW, YORE_NOW}, .is_read_only = true};
    if (st == YORE_OK) {
        st = query_run(query, request->graph, &options, &request->held[index], &request->error);
    }
    if (st == YORE_OK) {
        st = query_next(request->held[index], &row, &request->error);
    }
    if (st == YORE_OK) {
        request->parameters[index].value = row[0];
    }
    query_free(query);
    buffer_release(&query_text);
    return st;
}

static enum yore_status read_parameters(struct query_request *request)
{
    const struct args *args = request->args;
    for (size_t i = 0; i < args->parameter_count; i++) {
        const char *text = args->parameters[i];
        const char *equals = strchr(text, '=');
        if (equals == NULL || equals == text) {
            return error_set(&request->error.error, YORE_INVALID,
                             "--param takes NAME=VALUE, not '%.80s'", text);
        }
        request->parameters[i].name = bytes_of(text, (size_t)(equals - text));
        enum yore_status st = YORE_OK;
        if (query_is_literal(equals + 1)) {
            st = read_literal(request, equals + 1, i);
        } else {
            request->parameters[i].value = (struct yore_graph_value){
                .kind = YORE_GRAPH_STRING, .as.string = bytes_of(equals + 1, strlen(equals + 1))};
        }
        if (st != YORE_OK) {
            return st;
        }
        request->options.parameter_count = i + 1;
    }
    request->options.parameters = request->parameters;
    return YORE_OK;
}

/* ---- rows ----------------------------------------------------------------------------------- */

struct row_printer {
    struct output *output;
    struct column *columns;
    struct cell *cells;
    struct buffer names;
    struct buffer *shown; /* two for each column: for people, and JSON */
    size_t count;
};

static void close_printer(struct row_printer *printer)
{
    for (size_t i = 0; printer->shown != NULL && i < 2 * printer->count; i++) {
        buffer_release(&printer->shown[i]);
    }
    mem_free(printer->shown);
    mem_free(printer->cells);
    mem_free(printer->columns);
    buffer_release(&printer->names);
}

static enum yore_status open_printer(struct query_request *request, struct query_result *result,
                                     struct row_printer *printer)
{
    printer->count = query_column_count(result);
    if (printer->count > OUTPUT_COLUMNS_MAX) {
        return error_set(&request->error.error, YORE_TOO_BIG,
                         "%zu columns are more than can be shown (%d)", printer->count,
                         OUTPUT_COLUMNS_MAX);
    }
    printer->columns = mem_array(printer->count + 1, sizeof(*printer->columns));
    printer->cells = mem_array(printer->count + 1, sizeof(*printer->cells));
    printer->shown = mem_array(2 * printer->count + 1, sizeof(*printer->shown));
    for (size_t i = 0; i < printer->count; i++) {
        buffer_append_bytes(&printer->names, query_column_name(result, i));
        buffer_append(&printer->names, "", 1);
    }
    if (printer->columns == NULL || printer->cells == NULL || printer->shown == NULL ||
        printer->names.is_nomem) {
        return error_plain(&request->error.error, YORE_NOMEM);
    }
    const char *name = (const char *)printer->names.data;
    for (size_t i = 0; i < printer->count; i++) {
        printer->columns[i] = (struct column){name, COLUMN_EVERYWHERE};
        name += query_column_name(result, i).size + 1;
    }
    enum yore_status st = output_open(request->cli, request->format, printer->columns,
                                      printer->count, &printer->output);
    return st == YORE_OK ? st : error_plain(&request->error.error, st);
}

static bool print_row(struct row_printer *printer, const struct yore_graph_value *row)
{
    for (size_t i = 0; i < printer->count; i++) {
        struct buffer *text = &printer->shown[2 * i];
        struct buffer *json = &printer->shown[2 * i + 1];
        buffer_clear(text);
        buffer_clear(json);
        value_show(text, &row[i]);
        value_format_json(json, &row[i]);
        if (text->is_nomem || json->is_nomem) {
            return false;
        }
        printer->cells[i] = (struct cell){
            .kind = row[i].kind == YORE_GRAPH_NULL ? CELL_NONE : CELL_LITERAL,
            .bytes = buffer_bytes(text),
            .json = buffer_bytes(json),
            .is_number = row[i].kind == YORE_GRAPH_INT || row[i].kind == YORE_GRAPH_FLOAT};
    }
    return output_row(printer->output, printer->cells);
}

static enum yore_status print_rows(struct query_request *request, struct query_result *result)
{
    struct row_printer printer = {.output = NULL};
    const struct yore_graph_value *row = NULL;
    enum yore_status st = open_printer(request, result, &printer);
    if (st == YORE_OK && args_has(request->args, OPT_NUL)) {
        output_end_rows_with_nul(printer.output);
    }
    while (st == YORE_OK && (st = query_next(result, &row, &request->error)) == YORE_OK) {
        if (!print_row(&printer, row)) {
            break;
        }
        if (os_interrupt_take()) {
            st = error_plain(&request->error.error, YORE_CANCELLED);
        }
    }
    enum yore_status close_st = printer.output != NULL ? output_close(printer.output) : YORE_OK;
    close_printer(&printer);
    if (st == YORE_NOT_FOUND) {
        st = YORE_OK;
    }
    return st == YORE_OK && close_st != YORE_OK ? error_plain(&request->error.error, close_st) : st;
}

/* ---- what was done -------------------------------------------------------------------------- */

static void tell_count(struct cli *cli, uint64_t count, const char *what, bool *has_any)
{
    if (count > 0) {
        fprintf(cli->err, "%s%" PRIu64 " %s", *has_any ? ", " : "", count, what);
        *has_any = true;
    }
}

static void tell_summary(struct cli *cli, const struct query_summary *sum)
{
    bool has_any = false;
    if (sum->is_partial) {
        fprintf(cli->err, "yore query: the rows are not all: a limit was reached\n");
    }
    if (cli->is_quiet) {
        return;
    }
    tell_count(cli, sum->nodes_created, "nodes created", &has_any);
    tell_count(cli, sum->nodes_deleted, "nodes deleted", &has_any);
    tell_count(cli, sum->relationships_created, "relationships created", &has_any);
    tell_count(cli, sum->relationships_deleted, "relationships deleted", &has_any);
    tell_count(cli, sum->properties_set, "properties set", &has_any);
    tell_count(cli, sum->labels_added, "labels added", &has_any);
    tell_count(cli, sum->labels_removed, "labels removed", &has_any);
    tell_count(cli, sum->indexes_added, "indexes added", &has_any);
    tell_count(cli, sum->indexes_removed, "indexes removed", &has_any);
    tell_count(cli, sum->constraints_added, "constraints added", &has_any);
    tell_count(cli, sum->constraints_removed, "constraints removed", &has_any);
    if (has_any) {
        fprintf(cli->err, "\n");
    }
}

/* ---- the command ---------------------------------------------------------------------------- */

static enum yore_status parse_options(struct query_request *request)
{
    struct cli *cli = request->cli;
    const struct args *args = request->args;
    struct yore_error *error = &request->error.error;
    enum yore_status st = output_choose(cli, args, &request->format, error);
    if (st == YORE_OK) {
        st = cli_time(cli, args, &request->options.at, error);
    }
    if (st == YORE_OK) {
        st = cli_durability(cli, args, &request->options.durability, error);
    }
    if (st == YORE_OK) {
        st = args_count(args, OPT_LIMIT, INT64_MAX, &request->options.budget.rows_max, error);
    }
    return st;
}

/* The server plans it and carries it out; that it can be read was seen here. */
static enum yore_status run_remote(struct query_request *request)
{
    struct cli *cli = request->cli;
    const struct query_remote query = {.graph = request->args->words[0],
                                       .text = request->statement,
                                       .writes = query_writes(request->query),
                                       .at = request->options.at,
                                       .limit = request->options.budget.rows_max,
                                       .format = request->format};
    struct query_summary summary;
    enum yore_status st =
        cli->store == NULL ? cli_open(cli, false, &request->error.error) : YORE_OK;
    if (st == YORE_OK && query.writes && cli->reads_only) {
        st = error_set(&request->error.error, YORE_READ_ONLY,
                       "the database was opened to read only: leave --read-only out to write");
    }
    if (st == YORE_OK) {
        st = query_remote_run(cli, request->args, &query, &summary, &request->error.error);
    }
    if (st == YORE_OK) {
        fflush(cli->out);
        tell_summary(cli, &summary);
    }
    return st;
}

static enum yore_status run_statement(struct query_request *request)
{
    struct cli *cli = request->cli;
    struct query_result *result = NULL;
    const char *name = request->args->words[0];
    bool writes = query_writes(request->query);
    enum yore_status st = YORE_OK;
    if (cli->store == NULL) {
        cli->reads_only = !writes;
        st = writes ? graph_check_name(bytes_of(name, strlen(name)), &request->error.error) : st;
        st = st == YORE_OK ? cli_open(cli, writes, &request->error.error) : st;
    }
    if (st == YORE_OK) {
        bool creates = writes && !cli->reads_only;
        st = cli_graph(cli, name, creates, &request->options.at, &request->graph,
                       &request->error.error);
    }
    if (st == YORE_OK) {
        st = read_parameters(request);
    }
    if (st == YORE_OK) {
        request->options.is_read_only = cli->reads_only;
        st = query_run(request->query, request->graph, &request->options, &result, &request->error);
    }
    if (st == YORE_OK) {
        st = print_rows(request, result);
    }
    if (st == YORE_OK) {
        struct query_summary summary = query_result_summary(result);
        fflush(cli->out);
        tell_summary(cli, &summary);
    }
    query_result_close(result);
    return st;
}

static void release(struct query_request *request)
{
    for (size_t i = 0; i < ARGS_PARAMETERS_MAX; i++) {
        query_result_close(request->held[i]);
    }
    query_free(request->query);
    if (request->graph != NULL) {
        graph_close(request->graph);
    }
    buffer_release(&request->text);
}

int command_query(struct cli *cli, const struct args *args)
{
    bool has_file = args_has(args, OPT_FILE);
    if (has_file == (args->word_count == 2)) {
        return cli_usage(cli, has_file ? "give the statement or --file, not both"
                                       : "give the statement, in quotes, or --file FILE");
    }
    struct query_request *request = mem_zalloc(sizeof(*request));
    if (request == NULL) {
        return cli_fail_status(cli, YORE_NOMEM);
    }
    request->cli = cli;
    request->args = args;
    int code = EXIT_FOUND;
    if (parse_options(request) != YORE_OK) {
        code = cli_usage_error(cli, &request->error.error);
    } else {
        enum yore_status st = prepare(request);
        if (st == YORE_OK) {
            st = cli->server != NULL ? run_remote(request) : run_statement(request);
        }
        bool is_output = st == YORE_IO && request->query != NULL &&
                         (request->graph != NULL || request->error.error.text[0] == '\0');
        code = st == YORE_OK ? EXIT_FOUND
               : is_output   ? cli_fail_status(cli, st)
                             : cli_fail(cli, &request->error.error);
        bool is_read = request->query != NULL; /* else it is the file that is missing */
        if (st == YORE_NOT_FOUND && is_read && cli->store == NULL && cli->server == NULL) {
            code = EXIT_NO_DATABASE;
        }
    }
    release(request);
    mem_free(request);
    return code;
}
