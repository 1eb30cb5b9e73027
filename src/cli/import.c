#include "cli/import.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "base/moment.h"
#include "cli/commands.h"
#include "cli/import_internal.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/store.h"
#include "os/env.h"
#include "os/term.h"

/* ---- the sink -------------------------------------------------------------------------------- */

enum yore_status import_refuse(const struct import_sink *sink, struct yore_error *error_out,
                               const char *format, ...)
{
    char text[400];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    return error_set(error_out, YORE_INVALID, "%.80s: line %llu: %s",
                     line_source_name(sink->source),
                     (unsigned long long)line_source_number(sink->source), text);
}

enum yore_status import_blame(const struct import_sink *sink, const struct yore_error *cause,
                              struct yore_error *error_out)
{
    return error_set(error_out, cause->status, "%.80s: line %llu: %.390s",
                     line_source_name(sink->source),
                     (unsigned long long)line_source_number(sink->source), cause->text);
}

size_t import_sink_pending(const struct import_sink *sink)
{
    return store_batch_count(sink->batch);
}

enum yore_status import_sink_write(struct import_sink *sink, const struct import_write *write,
                                   struct yore_error *error_out)
{
    const struct import_options *options = sink->options;
    bool is_forced = options->is_keyspace_forced || write->keyspace == NULL;
    struct store_keyspace *keyspace = is_forced ? options->keyspace : write->keyspace;
    struct yore_write dates = {.from = write->from, .to = write->to};
    struct yore_error cause;
    if (options->dates_by_commit) {
        dates.from = YORE_NOW;
        dates.to = YORE_FOREVER;
    }
    enum yore_status st =
        write->is_delete
            ? store_batch_delete(sink->batch, keyspace, write->key, &dates, &cause)
            : store_batch_put(sink->batch, keyspace, write->key, write->value, &dates, &cause);
    sink->last_line = line_source_number(sink->source);
    return st == YORE_OK ? YORE_OK : import_blame(sink, &cause, error_out);
}

enum yore_status import_sink_commit(struct import_sink *sink, struct yore_error *error_out)
{
    const struct import_options *options = sink->options;
    uint64_t writes = store_batch_count(sink->batch);
    struct yore_error cause;
    if (writes == 0) {
        return YORE_OK;
    }
    enum yore_status st = store_batch_commit(sink->batch, options->durability, &cause);
    if (st != YORE_OK) {
        return error_set(error_out, st, "%.80s: the transaction that ends before line %llu: %.380s",
                         line_source_name(sink->source), (unsigned long long)sink->last_line + 1,
                         cause.text);
    }
    sink->counts.writes += writes;
    sink->counts.transactions++;
    if (options->tick != NULL && options->tick(options->tick_arg, sink->counts.writes,
                                               line_source_bytes_read(sink->source)) != 0) {
        return error_set(error_out, YORE_CANCELLED,
                         "stopped at line %llu; the transactions that end before it are written",
                         (unsigned long long)sink->last_line + 1);
    }
    return YORE_OK;
}

/* ---- formats --------------------------------------------------------------------------------- */

static size_t count_of(struct yore_bytes line, char c)
{
    const char *at = line.data;
    size_t count = 0;
    for (size_t i = 0; i < line.size; i++) {
        count += at[i] == c;
    }
    return count;
}

/* Nine columns whose third is an operation. */
static bool is_event_line(struct yore_bytes line)
{
    const char *at = line.data;
    size_t tabs = 0;
    size_t i = 0;
    for (; i < line.size && tabs < 2; i++) {
        tabs += at[i] == '\t';
    }
    return count_of(line, '\t') == 8 && i + 1 < line.size && strchr("+~-", at[i]) != NULL &&
           at[i + 1] == '\t';
}

enum yore_status import_detect(struct line_source *source, enum import_format *format_out,
                               struct yore_error *error_out)
{
    struct yore_bytes line;
    enum yore_status st = line_source_peek(source, &line, error_out);
    if (st != YORE_OK) {
        return st;
    }
    const char *first = line.data;
    size_t blanks = 0;
    while (blanks < line.size && (first[blanks] == ' ' || first[blanks] == '\t')) {
        blanks++;
    }
    if (blanks < line.size && first[blanks] == '{') {
        *format_out = IMPORT_NDJSON;
    } else if (is_event_line(line)) {
        *format_out = IMPORT_EVENTS;
    } else if (count_of(line, '\t') >= 2) {
        *format_out = IMPORT_TSV;
    } else if (count_of(line, ',') >= 2) {
        *format_out = IMPORT_CSV;
    } else {
        return error_set(
            error_out, YORE_INVALID,
            "%s: line 1 looks like none of ndjson, csv, tsv (time, key, value) and events; "
            "say --format if it is one of them",
            line_source_name(source));
    }
    return YORE_OK;
}

enum yore_status import_run(struct store *store, struct line_source *source,
                            enum import_format format, const struct import_options *options,
                            struct import_counts *counts_out, struct yore_error *error_out)
{
    struct import_sink sink = {.store = store, .source = source, .options = options};
    enum yore_status st = store_batch_new(store, &sink.batch, error_out);
    if (st != YORE_OK) {
        *counts_out = sink.counts;
        return st;
    }
    switch (format) {
    case IMPORT_EVENTS:
        st = import_events(&sink, error_out);
        break;
    case IMPORT_NDJSON:
        st = import_ndjson(&sink, error_out);
        break;
    case IMPORT_CSV:
    case IMPORT_TSV:
        st = import_rows(&sink, format == IMPORT_CSV, error_out);
        break;
    }
    if (st == YORE_OK) {
        st = import_sink_commit(&sink, error_out);
    }
    sink.counts.lines = line_source_number(source);
    *counts_out = sink.counts;
    store_batch_free(sink.batch);
    return st;
}

/* ---- the command ----------------------------------------------------------------------------- */

struct import_request {
    struct import_options options;
    struct progress progress;
    uint64_t total_bytes; /* 0: unknown */
    enum output_format output_format;
    bool has_format;
    enum import_format format;
    FILE *stream;
    const char *name;
};

static int show_tick(void *arg, uint64_t writes, uint64_t bytes_read)
{
    struct import_request *request = arg;
    progress_show(&request->progress, bytes_read, request->total_bytes, writes);
    return os_interrupt_take();
}

static enum yore_status parse_request(struct cli *cli, const struct args *args,
                                      struct import_request *request, struct yore_error *error_out)
{
    static const char *const names[] = {"events", "ndjson", "csv", "tsv", NULL};
    size_t format = IMPORT_EVENTS;
    struct import_options *options = &request->options;
    options->batch_rows = 1000;
    options->dates_by_commit = args_has(args, OPT_AS_NOW);
    options->is_keyspace_forced = args_has(args, OPT_KEYSPACE);
    options->tick = show_tick;
    options->tick_arg = request;
    request->has_format = args_has(args, OPT_FORMAT);
    if (args_has(args, OPT_VALID) && args_has(args, OPT_AS_NOW)) {
        return error_set(error_out, YORE_INVALID, "--valid and --as-now exclude each other");
    }
    enum yore_status st = args_choice(args, OPT_FORMAT, names, &format, error_out);
    request->format = (enum import_format)format;
    if (st == YORE_OK) {
        st = args_count(args, OPT_BATCH, 1000000, &options->batch_rows, error_out);
    }
    if (st == YORE_OK) {
        st = cli_durability(cli, args, &options->durability, error_out);
    }
    if (options->durability == YORE_DURABILITY_DEFAULT) {
        options->durability = YORE_DURABILITY_NONE; /* durable at the end, in one go */
    }
    return st == YORE_OK ? output_choose(cli, args, &request->output_format, error_out) : st;
}

static enum yore_status open_input(struct cli *cli, struct import_request *request,
                                   struct yore_error *error_out)
{
    bool is_dir = false;
    if (strcmp(request->name, "-") == 0) {
        request->name = "standard input";
        request->stream = cli->in;
        return YORE_OK;
    }
    enum yore_status st =
        os_path_stat(cli->env, request->name, &request->total_bytes, &is_dir, error_out);
    if (st == YORE_NOT_FOUND) {
        return error_set(error_out, YORE_NOT_FOUND, "%s: no such file", request->name);
    }
    if (st != YORE_OK) {
        return st;
    }
    if (is_dir) {
        return error_set(error_out, YORE_INVALID, "%s is a directory", request->name);
    }
    request->stream = fopen(request->name, "rb");
    return request->stream != NULL ? YORE_OK
                                   : error_set(error_out, YORE_IO, "cannot open %s: %s",
                                               request->name, strerror(errno));
}

/* Once FILE can be read: a mistyped name must not leave a new database behind. */
static enum yore_status open_target(struct cli *cli, const struct args *args,
                                    struct import_request *request, struct yore_error *error_out)
{
    enum yore_status st =
        cli->store == NULL ? cli_open_to_write(cli, args, YORE_NOW, error_out) : YORE_OK;
    return st == YORE_OK ? cli_keyspace(cli, args, NULL, &request->options.keyspace, error_out)
                         : st;
}

static enum yore_status import_stream(struct cli *cli, const struct args *args,
                                      struct import_request *request, struct import_counts *counts,
                                      struct yore_error *error_out)
{
    struct line_source *source;
    struct yore_error flush_error;
    enum yore_status st = line_source_open(request->stream, request->name, &source, error_out);
    if (st != YORE_OK) {
        return st;
    }
    if (!request->has_format) {
        st = import_detect(source, &request->format, error_out);
    }
    bool is_empty = st == YORE_NOT_FOUND;
    if (st == YORE_OK || is_empty) {
        st = open_target(cli, args, request, error_out);
    }
    if (st == YORE_OK && !is_empty) {
        os_interrupt_catch(true);
        progress_begin(&request->progress, cli, "import", "writes");
        st = import_run(cli->store, source, request->format, &request->options, counts, error_out);
        progress_end(&request->progress);
        enum yore_status flush_st = store_flush(cli->store, &flush_error);
        if (st == YORE_OK && flush_st != YORE_OK) {
            *error_out = flush_error;
            st = flush_st;
        }
        if (os_interrupt_take() && st == YORE_OK) { /* a flush cannot be stopped half-way */
            st = error_set(error_out, YORE_CANCELLED,
                           "stopped while it was made durable, after the last line of %.400s",
                           request->name);
        }
        os_interrupt_catch(cli->session != NULL);
    }
    line_source_close(source);
    return st;
}

static int print_counts(struct cli *cli, const struct args *args,
                        const struct import_request *request, const struct import_counts *counts)
{
    static const struct column columns[] = {{"writes", COLUMN_EVERYWHERE},
                                            {"transactions", COLUMN_EVERYWHERE},
                                            {"lines", COLUMN_EVERYWHERE},
                                            {"seconds", COLUMN_EVERYWHERE},
                                            {"writes_per_second", COLUMN_EVERYWHERE}};
    struct output *output;
    bool is_wanted = args_has(args, OPT_OUTPUT) || request->output_format != OUTPUT_RAW;
    if (!is_wanted || cli->is_quiet) {
        return EXIT_FOUND;
    }
    double seconds = progress_seconds(&request->progress);
    struct cell cells[] = {cell_count(counts->writes), cell_count(counts->transactions),
                           cell_count(counts->lines), cell_real(seconds),
                           cell_count((uint64_t)((double)counts->writes / seconds))};
    enum yore_status st = output_open(cli, request->output_format, columns,
                                      sizeof(columns) / sizeof(columns[0]), &output);
    if (st == YORE_OK) {
        output_row(output, cells);
        st = output_close(output);
    }
    return st == YORE_OK ? EXIT_FOUND : cli_fail_status(cli, st);
}

/* What stays of an import that failed: the user must know where to go on. */
static int report_failure(struct cli *cli, const struct import_counts *counts,
                          const struct yore_error *error)
{
    int code = cli_fail(cli, error);
    if (cli->store == NULL) {
        return code;
    }
    fprintf(cli->err, "%llu writes in %llu transactions before it are in the database\n",
            (unsigned long long)counts->writes, (unsigned long long)counts->transactions);
    return code;
}

int command_import(struct cli *cli, const struct args *args)
{
    struct import_request request = {.name = args->words[0]};
    struct import_counts counts = {0};
    struct yore_error error = {0};
    if (parse_request(cli, args, &request, &error) != YORE_OK) {
        return cli_usage_error(cli, &error);
    }
    enum yore_status st = open_input(cli, &request, &error);
    if (st != YORE_OK) {
        return cli_fail(cli, &error);
    }
    progress_begin(&request.progress, cli, "import", "writes");
    st = import_stream(cli, args, &request, &counts, &error);
    if (request.stream != cli->in) {
        fclose(request.stream);
    }
    if (counts.server_lines > 0 && !cli->is_quiet) {
        fprintf(cli->err,
                "note: %llu lines of keyspaces that a server has of its own (server, server.*) "
                "are left out; databases swapped there (SWAPDB) are not swapped here\n",
                (unsigned long long)counts.server_lines);
    }
    return st == YORE_OK ? print_counts(cli, args, &request, &counts)
                         : report_failure(cli, &counts, &error);
}
