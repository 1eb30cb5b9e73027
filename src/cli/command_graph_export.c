/* graph export: one moment of a graph, or all of its history, in one of several forms. */
#include "cli/commands.h"
#include "cli/graph_name.h"
#include "cli/graph_remote.h"
#include "cli/progress.h"
#include "os/term.h"
#include "query/graph_export.h"
#include "topology/graph.h"

struct export
{
    struct cli *cli;
    const char *name;
    enum graph_export_format format;
    bool is_every;
    struct yore_time at;
    struct progress progress;
    bool has_failed; /* the output */
};

static enum yore_status write_line(void *arg, struct yore_bytes line, struct yore_error *error_out)
{
    struct export *export = arg;
    bool is_written = fwrite(line.data, 1, line.size, export->cli->out) == line.size;
    export->has_failed = export->has_failed || !is_written;
    return is_written ? YORE_OK : error_plain(error_out, YORE_IO);
}

/* Progress is shown where the rows do not go to the same terminal. */
static enum yore_status show_step(void *arg, uint64_t count, struct yore_error *error_out)
{
    struct export *export = arg;
    if (!export->cli->is_out_terminal) {
        progress_show(&export->progress, 0, 0, count);
    }
    return os_interrupt_take() ? error_plain(error_out, YORE_CANCELLED) : YORE_OK;
}

static enum yore_status write_local(struct export *export, const struct graph_sink *sink,
                                    struct yore_error *error_out)
{
    struct graph *graph = NULL;
    struct graph_view *view = NULL;
    enum yore_status st =
        cli_graph(export->cli, export->name, false, &export->at, &graph, error_out);
    if (st == YORE_OK) {
        st = graph_view_open(graph, NULL, &export->at, &view, error_out);
    }
    if (st == YORE_OK) {
        st = graph_export(view, export->format, export->is_every, sink, error_out);
    }
    graph_view_close(view);
    graph_close(graph);
    return st;
}

static enum yore_status write_shown(struct export *export, struct yore_error *error_out)
{
    struct cli *cli = export->cli;
    const struct graph_sink sink = {write_line, show_step, export};
    progress_begin(&export->progress, cli, "export", export->is_every ? "versions" : "elements");
    enum yore_status st = cli->server != NULL
                              ? graph_remote_export(cli, export->name, export->format,
                                                    export->is_every, &export->at, &sink, error_out)
                              : write_local(export, &sink, error_out);
    progress_end(&export->progress);
    return st;
}

int command_graph_export(struct cli *cli, const struct args *args)
{
    struct export export = {
        .cli = cli, .name = args->words[1], .is_every = args_has(args, OPT_EVERY)};
    struct yore_error error = {YORE_OK, ""};
    size_t which = GRAPH_EXPORT_NDJSON;
    enum yore_status st = args_choice(args, OPT_FORMAT, graph_export_formats, &which, &error);
    export.format = (enum graph_export_format)which;
    if (st == YORE_OK) {
        st = cli_time(cli, args, &export.at, &error);
    }
    if (st != YORE_OK) {
        return cli_usage_error(cli, &error);
    }
    if (graph_export_is_of_one_moment(export.format) && export.is_every) {
        return cli_usage(cli,
                         "%s has each element once, and so one moment; --every writes ndjson, "
                         "events, nodes-csv and relationships-csv",
                         graph_export_formats[which]);
    }
    st = write_shown(&export, &error);
    if (export.has_failed || ferror(cli->out)) {
        return cli_fail_status(cli, st);
    }
    return st == YORE_OK ? EXIT_FOUND : cli_fail(cli, &error);
}
