/* graph import: an event file into a graph, each transaction of the source dated as it dates it. */
#include <inttypes.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/graph_name.h"
#include "cli/graph_remote.h"
#include "cli/line_source.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/store.h"
#include "cli/words.h"
#include "os/term.h"
#include "topology/event_import.h"

#define IMPORT_COLUMNS 4

static const struct column import_columns[IMPORT_COLUMNS] = {
    {"events", COLUMN_EVERYWHERE},
    {"transactions", COLUMN_EVERYWHERE},
    {"passed_over", COLUMN_TABLE | COLUMN_DATA},
    {"seconds", COLUMN_TABLE | COLUMN_DATA},
};

struct import_run {
    struct cli *cli;
    const char *name; /* of the file */
    struct line_source *source;
    struct graph_import *import; /* NULL: into a server */
    struct graph_remote_import remote;
    struct graph_import_tally tally;
    struct progress progress;
    uint64_t bytes; /* of the file; 0: not known */
};

static enum yore_status take_line(struct import_run *run, struct yore_bytes line,
                                  struct yore_error *error_out)
{
    return run->import != NULL ? graph_import_line(run->import, line, error_out)
                               : graph_remote_import_line(&run->remote, line, error_out);
}

static enum yore_status take_lines(struct import_run *run, struct yore_error *error_out)
{
    struct yore_bytes line;
    enum yore_status st;
    while ((st = line_source_next(run->source, &line, error_out)) == YORE_OK) {
        if (line.size > 0) {
            st = take_line(run, line, error_out);
        }
        if (st == YORE_OK && os_interrupt_take()) {
            st = error_set(error_out, YORE_CANCELLED,
                           "stopped at line %" PRIu64 "; the same command goes on from there",
                           line_source_number(run->source));
        }
        if (st != YORE_OK) {
            return st;
        }
        progress_show(&run->progress, line_source_bytes_read(run->source), run->bytes,
                      line_source_number(run->source));
    }
    return st == YORE_NOT_FOUND ? YORE_OK : st;
}

static enum yore_status run_import(struct import_run *run, struct graph *graph,
                                   enum yore_durability durability, struct yore_error *error_out)
{
    /* Commits are handed to the system; the last act makes them durable, whatever the mode. */
    struct graph_import_options options = {
        .durability = durability != YORE_DURABILITY_DEFAULT ? durability : YORE_DURABILITY_NONE,
        .resumes = true};
    enum yore_status st = graph_import_open(graph, &options, &run->import, error_out);
    if (st != YORE_OK) {
        return st;
    }
    progress_begin(&run->progress, run->cli, run->name, "events");
    st = take_lines(run, error_out);
    if (st == YORE_OK) {
        st = graph_import_finish(run->import, &run->tally, error_out);
    } else {
        run->tally = graph_import_tally(run->import);
        graph_import_abort(run->import);
    }
    run->import = NULL;
    if (st == YORE_OK) {
        st = yore_flush(store_db(run->cli->store), error_out);
    }
    progress_end(&run->progress);
    return st;
}

static enum yore_status run_remote(struct import_run *run, struct yore_error *error_out)
{
    progress_begin(&run->progress, run->cli, run->name, "events");
    enum yore_status st = take_lines(run, error_out);
    if (st == YORE_OK) {
        st = graph_remote_import_finish(&run->remote, error_out);
    }
    run->tally = run->remote.tally;
    graph_remote_import_release(&run->remote);
    progress_end(&run->progress);
    return st;
}

static int print_tally(struct cli *cli, enum output_format format, const struct import_run *run)
{
    struct output *output;
    struct cell cells[IMPORT_COLUMNS] = {
        cell_count(run->tally.lines), cell_count(run->tally.transactions),
        cell_count(run->tally.passed_over), cell_real(progress_seconds(&run->progress))};
    enum yore_status st = output_open(cli, format, import_columns, IMPORT_COLUMNS, &output);
    if (st == YORE_OK) {
        output_row(output, cells);
        st = output_close(output);
    }
    return st == YORE_OK ? EXIT_FOUND : cli_fail_status(cli, st);
}

static uint64_t size_of(FILE *stream)
{
    long end = fseek(stream, 0, SEEK_END) == 0 ? ftell(stream) : -1;
    rewind(stream);
    return end > 0 ? (uint64_t)end : 0;
}

static int import_stream(struct cli *cli, const struct args *args, FILE *stream,
                         struct import_run *run)
{
    enum output_format format;
    enum yore_durability durability;
    struct graph *graph = NULL;
    struct yore_error error;
    struct yore_time now = {YORE_NOW, YORE_NOW};
    enum yore_status st = output_choose(cli, args, &format, &error);
    if (st == YORE_OK) {
        st = cli_durability(cli, args, &durability, &error);
    }
    if (st != YORE_OK) {
        return cli_usage_error(cli, &error);
    }
    st = line_source_open(stream, run->name, &run->source, &error);
    if (st == YORE_OK && cli->server != NULL) {
        run->remote = (struct graph_remote_import){.cli = cli, .name = args->words[1]};
        st = run_remote(run, &error);
    } else if (st == YORE_OK) {
        st = cli_graph(cli, args->words[1], true, &now, &graph, &error);
        st = st == YORE_OK ? run_import(run, graph, durability, &error) : st;
    }
    if (graph != NULL) {
        graph_close(graph);
    }
    if (run->source != NULL) {
        line_source_close(run->source);
    }
    return st == YORE_OK ? print_tally(cli, format, run) : cli_fail(cli, &error);
}

int command_graph_import(struct cli *cli, const struct args *args)
{
    struct import_run run = {.cli = cli, .name = args->words[2]};
    bool is_standard = strcmp(run.name, "-") == 0;
    struct yore_error error;
    FILE *stream;
    if (open_stream(run.name, cli->in, &stream, &error) != YORE_OK) {
        return cli_fail(cli, &error);
    }
    if (is_standard) {
        run.name = "standard input";
    } else {
        run.bytes = size_of(stream);
    }
    int code = import_stream(cli, args, stream, &run);
    if (!is_standard) {
        fclose(stream);
    }
    return code;
}
