/* scan and timeline: rows of one moment, versions of one key. */
#include <string.h>

#include "cli/commands.h"
#include "cli/output.h"
#include "cli/rows.h"
#include "cli/store.h"
#include "cli/words.h"

/* ---- scan ------------------------------------------------------------------------------------ */

struct scan_request {
    struct word_range range;
    struct yore_time at;
    struct store_keyspace *keyspace;
    enum output_format format;
    uint64_t limit;
};

#define SCAN_COLUMNS 5

static enum yore_status scan_parse(struct cli *cli, const struct args *args,
                                   struct scan_request *request, struct yore_error *error_out)
{
    request->limit = UINT64_MAX;
    enum yore_status st = output_choose(cli, args, &request->format, error_out);
    if (st == YORE_OK) {
        st = cli_time(cli, args, &request->at, error_out);
    }
    if (st == YORE_OK) {
        st = args_count(args, OPT_LIMIT, INT64_MAX, &request->limit, error_out);
    }
    return st == YORE_OK ? word_range(args, &request->range, error_out) : st;
}

static void scan_columns(const struct args *args, struct column columns[SCAN_COLUMNS])
{
    bool is_keys = args_has(args, OPT_KEYS);
    columns[0] = (struct column){"key", COLUMN_EVERYWHERE};
    columns[1] = (struct column){"valid_from", COLUMN_TABLE | COLUMN_DATA};
    columns[2] = (struct column){"valid_to", COLUMN_TABLE | COLUMN_DATA};
    columns[3] = (struct column){"commit", COLUMN_DATA};
    columns[4] = (struct column){"value", is_keys ? 0 : COLUMN_EVERYWHERE};
}

static enum yore_status scan_next(void *arg, struct cell *cells, struct yore_error *error_out)
{
    struct yore_row row;
    enum yore_status st = store_rows_next(arg, &row, error_out);
    if (st == YORE_OK) {
        const struct cell told[SCAN_COLUMNS] = {cell_bytes(row.key), cell_moment(row.valid_from),
                                                cell_moment(row.valid_to), cell_moment(row.commit),
                                                cell_bytes(row.value)};
        memcpy(cells, told, sizeof told);
    }
    return st;
}

int command_scan(struct cli *cli, const struct args *args)
{
    struct scan_request request = {.keyspace = NULL};
    struct column columns[SCAN_COLUMNS];
    struct store_walk *rows = NULL;
    struct yore_error error;
    int code;
    if (scan_parse(cli, args, &request, &error) != YORE_OK) {
        code = cli_usage_error(cli, &error);
        goto out;
    }
    scan_columns(args, columns);
    enum yore_status st = cli_keyspace(cli, args, &request.at, &request.keyspace, &error);
    const struct store_rows options = {.range = request.range.range,
                                       .at = &request.at,
                                       .keys_only =
                                           args_has(args, OPT_KEYS) || args_has(args, OPT_COUNT),
                                       .is_reverse = args_has(args, OPT_REVERSE),
                                       .limit = request.limit};
    if (st == YORE_OK) {
        st = store_rows_open(cli->store, request.keyspace, &options, &rows, &error);
    }
    const struct row_walk walk = {columns, SCAN_COLUMNS, request.limit, scan_next, rows};
    code = st == YORE_OK ? rows_print(cli, args, request.format, &walk) : cli_fail(cli, &error);
out:
    store_walk_close(rows);
    word_range_release(&request.range);
    return code;
}

/* ---- timeline -------------------------------------------------------------------------------- */

#define TIMELINE_COLUMNS 5

static const struct column timeline_columns[TIMELINE_COLUMNS] = {
    {"valid_from", COLUMN_EVERYWHERE}, {"valid_to", COLUMN_TABLE | COLUMN_DATA},
    {"commit", COLUMN_DATA},           {"kind", COLUMN_EVERYWHERE},
    {"value", COLUMN_EVERYWHERE},
};

static const char *kind_word(enum yore_kind kind)
{
    return kind == YORE_KIND_PUT ? "put" : kind == YORE_KIND_DELETE ? "delete" : "erased";
}

struct timeline_request {
    struct store_timeline walk;
    enum output_format format;
};

static enum yore_status timeline_parse(struct cli *cli, const struct args *args,
                                       struct timeline_request *request,
                                       struct yore_error *error_out)
{
    int64_t now = cli_now(cli);
    struct yore_timeline_options *options = &request->walk.options;
    struct yore_time at;
    *options = (struct yore_timeline_options){.from = YORE_TIME_MIN,
                                              .to = YORE_FOREVER,
                                              .with_in_force = args_has(args, OPT_FROM),
                                              .every_commit = args_has(args, OPT_EVERY),
                                              .is_backward = args_has(args, OPT_REVERSE)};
    request->walk.limit = UINT64_MAX;
    enum yore_status st = output_choose(cli, args, &request->format, error_out);
    if (st == YORE_OK) {
        st = cli_time(cli, args, &at, error_out);
        options->known = at.known;
    }
    if (st == YORE_OK) {
        st = args_moment(args, OPT_FROM, now, &options->from, error_out);
        options->from = options->from == YORE_NOW ? now : options->from;
    }
    if (st == YORE_OK) {
        st = args_moment(args, OPT_TO, now, &options->to, error_out);
    }
    if (st == YORE_OK) {
        st = args_count(args, OPT_LIMIT, INT64_MAX, &request->walk.limit, error_out);
    }
    if (st == YORE_OK && options->from >= options->to) {
        return error_set(error_out, YORE_INVALID, "--to must be later than --from");
    }
    return st;
}

static enum yore_status timeline_next(void *arg, struct cell *cells, struct yore_error *error_out)
{
    struct yore_version version;
    enum yore_status st = store_timeline_next(arg, &version, error_out);
    if (st == YORE_OK) {
        bool is_put = version.kind == YORE_KIND_PUT;
        const struct cell row[TIMELINE_COLUMNS] = {
            cell_moment(version.valid_from), cell_moment(version.valid_to),
            cell_moment(version.commit), cell_word(kind_word(version.kind)),
            is_put ? cell_bytes(version.value) : cell_none()};
        memcpy(cells, row, sizeof row);
    }
    return st;
}

/* All there is: where retention gave up what is older, from there on, with what held then. */
static enum yore_status timeline_begin(struct cli *cli, struct store_keyspace *keyspace,
                                       struct yore_timeline_options *options,
                                       struct yore_error *error_out)
{
    int64_t horizon;
    enum yore_status st = cli_horizon(cli, keyspace, &horizon, error_out);
    if (st == YORE_OK && horizon < options->to) {
        options->from = horizon;
        options->with_in_force = horizon != YORE_TIME_MIN;
    }
    return st;
}

int command_timeline(struct cli *cli, const struct args *args)
{
    struct timeline_request request;
    struct store_walk *timeline = NULL;
    struct store_keyspace *keyspace;
    struct buffer store = {0};
    struct yore_error error;
    int code;
    enum yore_status st =
        word_bytes(args, "KEY", args->words[0], &store, &request.walk.key, &error);
    if (st == YORE_OK) {
        st = timeline_parse(cli, args, &request, &error);
    }
    if (st != YORE_OK) {
        code = cli_usage_error(cli, &error);
        goto out;
    }
    st = cli_keyspace(cli, args, NULL, &keyspace, &error);
    if (st == YORE_OK && !args_has(args, OPT_FROM)) {
        st = timeline_begin(cli, keyspace, &request.walk.options, &error);
    }
    if (st == YORE_OK) {
        st = store_timeline_open(cli->store, keyspace, &request.walk, &timeline, &error);
    }
    const struct row_walk walk = {timeline_columns, TIMELINE_COLUMNS, request.walk.limit,
                                  timeline_next, timeline};
    code = st == YORE_OK ? rows_print(cli, args, request.format, &walk) : cli_fail(cli, &error);
out:
    store_walk_close(timeline);
    buffer_release(&store);
    return code;
}
