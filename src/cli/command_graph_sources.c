/* graph source, end, abort, sources, pending, settle, erase. */
#include <string.h>

#include "cli/commands.h"
#include "cli/graph_name.h"
#include "cli/graph_speaker.h"
#include "cli/graph_tally.h"
#include "topology/erase.h"

/* ---- shared --------------------------------------------------------------------------------- */

enum yore_status graph_source_name(const struct args *args, struct yore_bytes *name_out,
                                   struct yore_error *error_out)
{
    const char *name = args->values[OPT_SOURCE];
    if (name == NULL) {
        return error_set(error_out, YORE_INVALID, "--source NAME says who says so");
    }
    *name_out = bytes_of(name, strlen(name));
    return YORE_OK;
}

#define TALLY_COLUMNS 8
static const struct column tally_columns[TALLY_COLUMNS] = {
    {"words", COLUMN_EVERYWHERE},
    {"unchanged", COLUMN_EVERYWHERE},
    {"nodes_created", COLUMN_TABLE | COLUMN_DATA},
    {"nodes_deleted", COLUMN_TABLE | COLUMN_DATA},
    {"relationships_created", COLUMN_TABLE | COLUMN_DATA},
    {"relationships_deleted", COLUMN_TABLE | COLUMN_DATA},
    {"pending_added", COLUMN_TABLE | COLUMN_DATA},
    {"pending_resolved", COLUMN_TABLE | COLUMN_DATA},
};

int graph_tally_print(struct cli *cli, enum output_format format,
                      const struct yore_graph_ingest_tally *tally)
{
    struct output *output;
    struct cell cells[TALLY_COLUMNS] = {
        cell_count(tally->words),
        cell_count(tally->unchanged),
        cell_count(tally->nodes_created),
        cell_count(tally->nodes_deleted),
        cell_count(tally->relationships_created),
        cell_count(tally->relationships_deleted),
        cell_count(tally->pending_added),
        cell_count(tally->pending_resolved),
    };
    enum yore_status st = output_open(cli, format, tally_columns, TALLY_COLUMNS, &output);
    if (st == YORE_OK) {
        output_row(output, cells);
        st = output_close(output);
    }
    return st == YORE_OK ? EXIT_FOUND : cli_fail_status(cli, st);
}

/* ---- source --------------------------------------------------------------------------------- */

static enum yore_status read_rank(const struct args *args, int64_t *rank_out,
                                  struct yore_error *error_out)
{
    const char *text = args->values[OPT_RANK];
    uint64_t rank = 0;
    bool is_negative = text != NULL && *text == '-';
    struct args magnitude = *args;
    magnitude.values[OPT_RANK] = is_negative ? text + 1 : text;
    enum yore_status st = args_count(&magnitude, OPT_RANK, INT64_MAX, &rank, error_out);
    *rank_out = is_negative ? -(int64_t)rank : (int64_t)rank;
    return st;
}

int command_graph_source(struct cli *cli, const struct args *args)
{
    struct yore_graph_source source = {0};
    struct graph_speaker *speaker = NULL;
    struct yore_error error = {YORE_OK, ""};
    enum yore_status st = graph_source_name(args, &source.name, &error);
    if (st == YORE_OK) {
        st = read_rank(args, &source.rank, &error);
    }
    if (st == YORE_OK) {
        st = args_duration(args, OPT_TTL, &source.ttl_ns, &error);
    }
    if (st != YORE_OK) {
        return cli_usage_error(cli, &error);
    }
    st = graph_speaker_open(cli, args->words[1], source.name, true, &speaker, &error);
    if (st == YORE_OK) {
        st = graph_speaker_set(speaker, source.rank, source.ttl_ns, &error);
    }
    graph_speaker_close(speaker);
    return st == YORE_OK ? EXIT_FOUND : cli_fail(cli, &error);
}

/* ---- end, settle ---------------------------------------------------------------------------- */

/* A snapshot that names nothing. */
static enum yore_status say_nothing(struct graph_speaker *speaker, int64_t at,
                                    struct yore_graph_ingest_tally *tally,
                                    struct yore_error *error_out)
{
    uint64_t snapshot = 0;
    enum yore_status st = graph_speaker_start(speaker, at, &snapshot, error_out);
    return st == YORE_OK
               ? graph_speaker_stop(speaker, snapshot, YORE_DURABILITY_DEFAULT, tally, error_out)
               : st;
}

int command_graph_end(struct cli *cli, const struct args *args)
{
    struct yore_graph_ingest_tally tally = {0};
    struct yore_bytes source = bytes_of("", 0);
    struct graph_speaker *speaker = NULL;
    int64_t at = YORE_NOW;
    enum output_format format;
    struct yore_error error = {YORE_OK, ""};
    enum yore_status st = output_choose(cli, args, &format, &error);
    if (st == YORE_OK) {
        st = graph_source_name(args, &source, &error);
    }
    if (st == YORE_OK) {
        st = args_moment(args, OPT_AT, cli_now(cli), &at, &error);
    }
    if (st != YORE_OK) {
        return cli_usage_error(cli, &error);
    }
    st = graph_speaker_open(cli, args->words[1], source, false, &speaker, &error);
    if (st == YORE_OK) {
        st = say_nothing(speaker, at, &tally, &error);
    }
    graph_speaker_close(speaker);
    return st == YORE_OK ? graph_tally_print(cli, format, &tally) : cli_fail(cli, &error);
}

int command_graph_settle(struct cli *cli, const struct args *args)
{
    struct yore_graph_ingest_tally tally = {0};
    struct graph_speaker *speaker = NULL;
    enum output_format format;
    struct yore_error error = {YORE_OK, ""};
    enum yore_status st = output_choose(cli, args, &format, &error);
    if (st != YORE_OK) {
        return cli_usage_error(cli, &error);
    }
    st = graph_speaker_open(cli, args->words[1], bytes_of("", 0), false, &speaker, &error);
    if (st == YORE_OK) {
        st = graph_speaker_settle(speaker, &tally, &error);
    }
    graph_speaker_close(speaker);
    return st == YORE_OK ? graph_tally_print(cli, format, &tally) : cli_fail(cli, &error);
}

/* ---- abort ---------------------------------------------------------------------------------- */

struct under_way {
    struct yore_bytes source;
    uint64_t snapshot; /* 0: none */
};

static int find_under_way(void *arg, const struct yore_graph_source *source)
{
    struct under_way *found = arg;
    if (!bytes_equal(source->name, found->source)) {
        return 0;
    }
    found->snapshot = source->snapshot;
    return 1;
}

/* Whatever snapshot of the source is under way. */
static enum yore_status abort_snapshot(struct graph_speaker *speaker, struct yore_bytes source,
                                       struct yore_error *error_out)
{
    char text[KEY_TEXT_BYTES];
    struct under_way found = {.source = source};
    enum yore_status st = graph_speaker_sources(speaker, find_under_way, &found, error_out);
    if (st == YORE_OK && found.snapshot == 0) {
        return error_set(
            error_out, YORE_NOT_FOUND,
            "no snapshot of source %s is under way (yore graph ... sources lists them)",
            key_text(source, text));
    }
    return st == YORE_OK ? graph_speaker_abort(speaker, found.snapshot, error_out) : st;
}

int command_graph_abort(struct cli *cli, const struct args *args)
{
    struct yore_bytes source = bytes_of("", 0);
    struct graph_speaker *speaker = NULL;
    struct yore_error error = {YORE_OK, ""};
    enum yore_status st = graph_source_name(args, &source, &error);
    if (st != YORE_OK) {
        return cli_usage_error(cli, &error);
    }
    st = graph_speaker_open(cli, args->words[1], source, false, &speaker, &error);
    if (st == YORE_OK) {
        st = abort_snapshot(speaker, source, &error);
    }
    graph_speaker_close(speaker);
    return st == YORE_OK ? EXIT_FOUND : cli_fail(cli, &error);
}

/* ---- sources, pending ----------------------------------------------------------------------- */

/* What is listed; the output is opened once it is known that there is such a graph. */
struct listing {
    struct cli *cli;
    enum output_format format;
    const struct column *columns;
    size_t column_count;
    struct output *output;
    enum yore_status status; /* of the output */
};

static enum yore_status open_listing(struct listing *listing)
{
    if (listing->output == NULL && listing->status == YORE_OK) {
        listing->status = output_open(listing->cli, listing->format, listing->columns,
                                      listing->column_count, &listing->output);
    }
    return listing->status;
}

static int list_row(struct listing *listing, const struct cell *cells)
{
    if (open_listing(listing) == YORE_OK && !output_row(listing->output, cells)) {
        listing->status = YORE_IO;
    }
    return listing->status == YORE_OK ? 0 : 1;
}

#define SOURCE_COLUMNS 10
static const struct column source_columns[SOURCE_COLUMNS] = {
    {"name", COLUMN_EVERYWHERE},
    {"rank", COLUMN_TABLE | COLUMN_DATA},
    {"ttl_seconds", COLUMN_TABLE | COLUMN_DATA},
    {"last_word", COLUMN_TABLE | COLUMN_DATA},
    {"expired_at", COLUMN_TABLE | COLUMN_DATA},
    {"snapshot", COLUMN_TABLE | COLUMN_DATA},
    {"nodes", COLUMN_TABLE | COLUMN_DATA},
    {"relationships", COLUMN_TABLE | COLUMN_DATA},
    {"pending", COLUMN_TABLE | COLUMN_DATA},
    {"refusal", COLUMN_TABLE | COLUMN_DATA},
};

static struct cell cell_integer(int64_t integer, char text[24])
{
    int size = snprintf(text, 24, "%lld", (long long)integer);
    struct yore_bytes bytes = bytes_of(text, (size_t)size);
    return (struct cell){.kind = CELL_LITERAL, .bytes = bytes, .json = bytes, .is_number = true};
}

static struct cell cell_moment_or_none(int64_t moment)
{
    return moment == YORE_TIME_MIN ? cell_none() : cell_moment(moment);
}

static int tell_source(void *arg, const struct yore_graph_source *source)
{
    struct listing *listing = arg;
    char rank[24];
    struct cell cells[SOURCE_COLUMNS] = {
        cell_bytes(source->name),
        cell_integer(source->rank, rank),
        source->ttl_ns == 0 ? cell_none() : cell_real((double)source->ttl_ns / 1e9),
        cell_moment_or_none(source->last_word),
        cell_moment_or_none(source->expired_at),
        source->snapshot == 0 ? cell_none() : cell_count(source->snapshot),
        cell_count(source->nodes),
        cell_count(source->relationships),
        cell_count(source->pending),
        source->refusal.size == 0 ? cell_none() : cell_bytes(source->refusal),
    };
    return list_row(listing, cells);
}

#define PENDING_COLUMNS 7
static const struct column pending_columns[PENDING_COLUMNS] = {
    {"id", COLUMN_EVERYWHERE},
    {"type", COLUMN_TABLE | COLUMN_DATA},
    {"start", COLUMN_EVERYWHERE},
    {"end", COLUMN_EVERYWHERE},
    {"missing", COLUMN_EVERYWHERE},
    {"source", COLUMN_TABLE | COLUMN_DATA},
    {"since", COLUMN_TABLE | COLUMN_DATA},
};

static int tell_pending(void *arg, const struct yore_graph_pending *pending)
{
    struct listing *listing = arg;
    const char *missing = !pending->end_is_missing     ? "start"
                          : !pending->start_is_missing ? "end"
                                                       : "both";
    struct cell cells[PENDING_COLUMNS] = {
        cell_bytes(pending->external_id),
        cell_bytes(pending->type),
        cell_bytes(pending->start),
        cell_bytes(pending->end),
        cell_word(missing),
        cell_bytes(pending->source),
        cell_moment_or_none(pending->since),
    };
    return list_row(listing, cells);
}

static int list(struct cli *cli, const struct args *args, bool is_pending)
{
    struct listing listing = {.cli = cli,
                              .columns = is_pending ? pending_columns : source_columns,
                              .column_count = is_pending ? PENDING_COLUMNS : SOURCE_COLUMNS};
    struct graph_speaker *speaker = NULL;
    struct yore_time at;
    struct yore_error error = {YORE_OK, ""};
    enum yore_status st = output_choose(cli, args, &listing.format, &error);
    if (st == YORE_OK) {
        st = cli_time(cli, args, &at, &error);
    }
    if (st != YORE_OK) {
        return cli_usage_error(cli, &error);
    }
    st = graph_speaker_open_at(cli, args->words[1], &at, &speaker, &error);
    if (st == YORE_OK) {
        st = is_pending ? graph_speaker_pending(speaker, &at, tell_pending, &listing, &error)
                        : graph_speaker_sources(speaker, tell_source, &listing, &error);
    }
    enum yore_status output_st = st == YORE_OK ? open_listing(&listing) : listing.status;
    enum yore_status close_st = listing.output != NULL ? output_close(listing.output) : YORE_OK;
    graph_speaker_close(speaker);
    if (st != YORE_OK) {
        return cli_fail(cli, &error);
    }
    output_st = output_st == YORE_OK ? close_st : output_st;
    return output_st == YORE_OK ? EXIT_FOUND : cli_fail_status(cli, output_st);
}

int command_graph_sources(struct cli *cli, const struct args *args)
{
    return list(cli, args, false);
}

int command_graph_pending(struct cli *cli, const struct args *args)
{
    return list(cli, args, true);
}

/* ---- erase ---------------------------------------------------------------------------------- */

int command_graph_erase(struct cli *cli, const struct args *args)
{
    const char *what = args->words[2];
    struct yore_bytes id = bytes_of(args->words[3], strlen(args->words[3]));
    struct graph_speaker *speaker = NULL;
    uint64_t count = 0;
    enum output_format format;
    struct yore_error error = {YORE_OK, ""};
    bool is_node = strcmp(what, "node") == 0;
    if (!is_node && strcmp(what, "relationship") != 0) {
        return cli_usage(cli, "erase takes node or relationship, not '%.40s'", what);
    }
    enum yore_status st = output_choose(cli, args, &format, &error);
    if (st != YORE_OK) {
        return cli_usage_error(cli, &error);
    }
    st = graph_speaker_open(cli, args->words[1], bytes_of("", 0), false, &speaker, &error);
    if (st == YORE_OK) {
        const char *property = args->word_count > 4 ? args->words[4] : "";
        const struct graph_erasure erasure = {is_node ? GRAPH_NODE : GRAPH_RELATIONSHIP, id,
                                              bytes_of(property, strlen(property))};
        st = graph_speaker_erase(speaker, &erasure, &count, &error);
    }
    graph_speaker_close(speaker);
    if (st != YORE_OK) {
        return cli_fail(cli, &error);
    }
    st = output_print_count(cli, format, count);
    return st == YORE_OK ? EXIT_FOUND : cli_fail_status(cli, st);
}
