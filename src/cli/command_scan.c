/* scan and timeline: rows of one moment, versions of one key. */
#include <string.h>

#include "cli/commands.h"
#include "cli/output.h"
#include "cli/rows.h"
#include "cli/words.h"
#include "os/term.h"

/* ---- scan ------------------------------------------------------------------------------------ */

struct scan_request {
    struct word_range range;
    struct yore_time at;
    struct yore_keyspace *keyspace;
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

static enum yore_status scan_rows(const struct args *args, struct yore_cursor *cursor,
                                  const struct scan_request *request, struct output *output)
{
    bool is_reverse = args_has(args, OPT_REVERSE);
    enum yore_status st = is_reverse ? yore_cursor_last(cursor) : yore_cursor_first(cursor);
    for (uint64_t i = 0; i < request->limit && st == YORE_OK; i++) {
        const struct yore_row *row = yore_cursor_row(cursor);
        struct cell cells[SCAN_COLUMNS] = {cell_bytes(row->key), cell_moment(row->valid_from),
                                           cell_moment(row->valid_to), cell_moment(row->commit),
                                           cell_bytes(row->value)};
        if (!output_row(output, cells)) {
            return YORE_OK; /* output_close() tells why */
        }
        if (os_interrupt_take()) {
            return YORE_CANCELLED;
        }
        st = is_reverse ? yore_cursor_prev(cursor) : yore_cursor_next(cursor);
    }
    return st == YORE_NOT_FOUND ? YORE_OK : st;
}

static enum yore_status scan_count(struct yore_cursor *cursor, uint64_t limit, uint64_t *count_out)
{
    uint64_t count = 0;
    enum yore_status st = yore_cursor_first(cursor);
    while (st == YORE_OK && count < limit) {
        count++;
        st = os_interrupt_take() ? YORE_CANCELLED : yore_cursor_next(cursor);
    }
    *count_out = count;
    return st == YORE_NOT_FOUND ? YORE_OK : st;
}

static int scan_print(struct cli *cli, const struct args *args, struct scan_request *request,
                      struct yore_cursor *cursor)
{
    struct column columns[SCAN_COLUMNS];
    struct output *output;
    uint64_t count = 0;
    if (args_has(args, OPT_COUNT)) {
        enum yore_status st = scan_count(cursor, request->limit, &count);
        if (st != YORE_OK) {
            return cli_fail_text(cli, st, "%s", yore_cursor_error(cursor)->text);
        }
        st = output_print_count(cli, request->format, count);
        return st == YORE_OK ? EXIT_FOUND : cli_fail_status(cli, st);
    }
    scan_columns(args, columns);
    enum yore_status st = output_open(cli, request->format, columns, SCAN_COLUMNS, &output);
    if (st != YORE_OK) {
        return cli_fail_status(cli, st);
    }
    if (args_has(args, OPT_NUL)) {
        output_end_rows_with_nul(output);
    }
    st = scan_rows(args, cursor, request, output);
    count = output_row_count(output);
    enum yore_status close_st = output_close(output);
    if (st != YORE_OK) {
        const struct yore_error *why = yore_cursor_error(cursor);
        return cli_fail_text(cli, st, "%s",
                             why->text[0] != '\0' ? why->text : yore_status_message(st));
    }
    if (close_st != YORE_OK) {
        return cli_fail_status(cli, close_st);
    }
    return count > 0 ? EXIT_FOUND : EXIT_NOTHING;
}

int command_scan(struct cli *cli, const struct args *args)
{
    struct scan_request request = {.keyspace = NULL};
    struct yore_cursor *cursor = NULL;
    struct yore_error error;
    int code;
    if (scan_parse(cli, args, &request, &error) != YORE_OK) {
        code = cli_usage_error(cli, &error);
        goto out;
    }
    enum yore_status st = cli_keyspace(cli, args, &request.at, &request.keyspace, &error);
    struct yore_cursor_options options = {.range = request.range.range,
                                          .at = &request.at,
                                          .keys_only =
                                              args_has(args, OPT_KEYS) || args_has(args, OPT_COUNT),
                                          .no_cache_fill = false};
    if (st == YORE_OK) {
        st = yore_cursor_open(cli->db, request.keyspace, &options, &cursor, &error);
    }
    code = st == YORE_OK ? scan_print(cli, args, &request, cursor) : cli_fail(cli, &error);
out:
    if (cursor != NULL) {
        yore_cursor_close(cursor);
    }
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
    struct yore_timeline_options options;
    enum output_format format;
    uint64_t limit;
};

static enum yore_status timeline_parse(struct cli *cli, const struct args *args,
                                       struct timeline_request *request,
                                       struct yore_error *error_out)
{
    int64_t now = cli_now(cli);
    struct yore_timeline_options *options = &request->options;
    struct yore_time at;
    *options = (struct yore_timeline_options){.from = YORE_TIME_MIN,
                                              .to = YORE_FOREVER,
                                              .with_in_force = args_has(args, OPT_FROM),
                                              .every_commit = args_has(args, OPT_EVERY),
                                              .is_backward = args_has(args, OPT_REVERSE)};
    request->limit = UINT64_MAX;
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
        st = args_count(args, OPT_LIMIT, INT64_MAX, &request->limit, error_out);
    }
    if (st == YORE_OK && options->from >= options->to) {
        return error_set(error_out, YORE_INVALID, "--to must be later than --from");
    }
    return st;
}

static enum yore_status timeline_next(void *arg, struct cell *cells, struct yore_error *error_out)
{
    struct yore_version version;
    enum yore_status st = yore_timeline_next(arg, &version, error_out);
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
static enum yore_status timeline_begin(struct cli *cli, struct yore_keyspace *keyspace,
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
    struct yore_timeline *timeline = NULL;
    struct yore_keyspace *keyspace;
    struct buffer store = {0};
    struct yore_bytes key;
    struct yore_error error;
    int code;
    enum yore_status st = word_bytes(args, "KEY", args->words[0], &store, &key, &error);
    if (st == YORE_OK) {
        st = timeline_parse(cli, args, &request, &error);
    }
    if (st != YORE_OK) {
        code = cli_usage_error(cli, &error);
        goto out;
    }
    st = cli_keyspace(cli, args, NULL, &keyspace, &error);
    if (st == YORE_OK && !args_has(args, OPT_FROM)) {
        st = timeline_begin(cli, keyspace, &request.options, &error);
    }
    if (st == YORE_OK) {
        st = yore_timeline_open(cli->db, keyspace, key, &request.options, &timeline, &error);
    }
    const struct row_walk walk = {timeline_columns, TIMELINE_COLUMNS, request.limit, timeline_next,
                                  timeline};
    code = st == YORE_OK ? rows_print(cli, args, request.format, &walk) : cli_fail(cli, &error);
out:
    if (timeline != NULL) {
        yore_timeline_close(timeline);
    }
    buffer_release(&store);
    return code;
}
