/* changes and feed: what became different, in the world and in the database. */
#include <string.h>

#include "base/moment.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/rows.h"
#include "cli/store.h"
#include "cli/words.h"
#include "os/term.h"

/* ---- changes --------------------------------------------------------------------------------- */

#define CHANGES_COLUMNS 7

/* A table has no room for both values: it shows the one that holds now, or held last. */
static const struct column changes_columns[CHANGES_COLUMNS] = {
    {"time", COLUMN_EVERYWHERE}, {"change", COLUMN_EVERYWHERE}, {"key", COLUMN_EVERYWHERE},
    {"commit", COLUMN_DATA},     {"before", COLUMN_DATA},       {"after", COLUMN_DATA},
    {"value", COLUMN_TABLE},
};

struct changes_request {
    struct yore_changes_options options;
    struct word_range range;
    struct store_keyspace *keyspace;
    enum output_format format;
    uint64_t limit;
};

static enum yore_status changes_moments(struct cli *cli, const struct args *args,
                                        struct yore_changes_options *options,
                                        struct yore_error *error_out)
{
    int64_t now = cli_now(cli);
    struct yore_time at;
    enum yore_status st = cli_time(cli, args, &at, error_out);
    options->from = YORE_TIME_MIN;
    options->to = at.valid; /* a session in the past looks back from there */
    options->known = at.known;
    if (st == YORE_OK) {
        st = args_moment(args, OPT_FROM, now, &options->from, error_out);
    }
    if (st == YORE_OK) {
        st = args_moment(args, OPT_TO, now, &options->to, error_out);
    }
    if (st == YORE_OK && options->from == YORE_NOW) {
        options->from = now;
    }
    if (st == YORE_OK && options->from > options->to) {
        return error_set(error_out, YORE_INVALID, "--to must not be earlier than --from");
    }
    return st;
}

static enum yore_status changes_parse(struct cli *cli, const struct args *args,
                                      struct changes_request *request, struct yore_error *error_out)
{
    request->limit = UINT64_MAX;
    request->options.every_version = args_has(args, OPT_EVERY);
    request->options.in_time_order = args_has(args, OPT_BY_TIME);
    enum yore_status st = output_choose(cli, args, &request->format, error_out);
    if (st == YORE_OK) {
        st = changes_moments(cli, args, &request->options, error_out);
    }
    if (st == YORE_OK) {
        st = args_count(args, OPT_LIMIT, INT64_MAX, &request->limit, error_out);
    }
    if (st == YORE_OK) {
        st = word_range(args, &request->range, error_out);
        request->options.range = request->range.range;
    }
    return st;
}

static const char *change_word(enum yore_change_kind kind)
{
    return kind == YORE_CHANGE_ADDED     ? "added"
           : kind == YORE_CHANGE_CHANGED ? "changed"
                                         : "removed";
}

static struct cell value_cell(struct yore_bytes value)
{
    return value.data != NULL ? cell_bytes(value) : cell_none();
}

static enum yore_status changes_next(void *arg, struct cell *cells, struct yore_error *error_out)
{
    struct yore_change change;
    enum yore_status st = store_changes_next(arg, &change, error_out);
    if (st == YORE_OK) {
        const struct cell row[CHANGES_COLUMNS] = {
            cell_moment(change.time),
            cell_word(change_word(change.kind)),
            cell_bytes(change.key),
            cell_moment(change.commit),
            value_cell(change.before),
            value_cell(change.after),
            value_cell(change.after.data != NULL ? change.after : change.before)};
        memcpy(cells, row, sizeof row);
    }
    return st;
}

/* Without --from: from the begin of all there is. */
static enum yore_status changes_begin(struct cli *cli, struct store_keyspace *keyspace,
                                      struct yore_changes_options *options,
                                      struct yore_error *error_out)
{
    int64_t horizon;
    enum yore_status st = cli_horizon(cli, keyspace, &horizon, error_out);
    if (st == YORE_OK && horizon <= options->to) {
        options->from = horizon;
    }
    return st;
}

int command_changes(struct cli *cli, const struct args *args)
{
    struct changes_request request = {.keyspace = NULL};
    struct store_walk *changes = NULL;
    struct yore_error error;
    int code;
    if (changes_parse(cli, args, &request, &error) != YORE_OK) {
        code = cli_usage_error(cli, &error);
        goto out;
    }
    enum yore_status st = cli_keyspace(cli, args, NULL, &request.keyspace, &error);
    if (st == YORE_OK && !args_has(args, OPT_FROM)) {
        st = changes_begin(cli, request.keyspace, &request.options, &error);
    }
    if (st == YORE_OK) {
        st = store_changes_open(cli->store, request.keyspace, &request.options, request.limit,
                                &changes, &error);
    }
    const struct row_walk walk = {changes_columns, CHANGES_COLUMNS, request.limit, changes_next,
                                  changes};
    code = st == YORE_OK ? rows_print(cli, args, request.format, &walk) : cli_fail(cli, &error);
out:
    store_walk_close(changes);
    word_range_release(&request.range);
    return code;
}

/* ---- feed ------------------------------------------------------------------------------------ */

#define FEED_COLUMNS 7

static const struct column feed_columns[FEED_COLUMNS] = {
    {"commit", COLUMN_EVERYWHERE},
    {"keyspace_id", COLUMN_EVERYWHERE},
    {"kind", COLUMN_EVERYWHERE},
    {"valid_from", COLUMN_EVERYWHERE},
    {"valid_to", COLUMN_TABLE | COLUMN_DATA},
    {"key", COLUMN_EVERYWHERE},
    {"value", COLUMN_EVERYWHERE},
};

static const char *kind_word(enum yore_kind kind)
{
    return kind == YORE_KIND_PUT ? "put" : kind == YORE_KIND_DELETE ? "delete" : "erased";
}

/* False when the output is closed. */
static bool feed_commit_rows(struct output *output, const struct yore_feed_commit *commit)
{
    for (size_t i = 0; i < commit->write_count; i++) {
        const struct yore_feed_write *write = &commit->writes[i];
        bool is_put = write->kind == YORE_KIND_PUT;
        struct cell cells[FEED_COLUMNS] = {cell_moment(commit->commit),
                                           cell_count(write->keyspace_id),
                                           cell_word(kind_word(write->kind)),
                                           cell_moment(write->valid_from),
                                           cell_moment(write->valid_to),
                                           cell_bytes(write->key),
                                           is_put ? cell_bytes(write->value) : cell_none()};
        if (!output_row(output, cells)) {
            return false;
        }
    }
    return true;
}

/* The limit counts commits: half of one would be no use to who resumes after it. */
static int feed_print(struct cli *cli, const struct args *args, struct store_walk *feed,
                      struct output *output, uint64_t limit)
{
    struct yore_feed_commit commit = {.has_more = false};
    struct yore_error error;
    enum yore_status st = YORE_OK;
    uint64_t count = 0;
    if (args_has(args, OPT_NUL)) {
        output_end_rows_with_nul(output);
    }
    for (; count < limit; count += !commit.has_more) {
        st = os_interrupt_take() ? error_plain(&error, YORE_CANCELLED)
                                 : store_feed_next(feed, &commit, &error);
        if (st != YORE_OK || (!args_has(args, OPT_COUNT) && !feed_commit_rows(output, &commit))) {
            break;
        }
    }
    if (st != YORE_OK && st != YORE_NOT_FOUND) {
        return cli_fail(cli, &error);
    }
    if (args_has(args, OPT_COUNT)) {
        enum output_format format = OUTPUT_RAW;
        output_choose(cli, args, &format, &error);
        st = output_print_count(cli, format, count);
        return st == YORE_OK ? EXIT_FOUND : cli_fail_status(cli, st);
    }
    return count > 0 ? EXIT_FOUND : EXIT_NOTHING;
}

/* Where retention has given commits up: the feed of those that are all kept.  A feed opens after
 * every moment from some commit on, and after none before it, so halving finds it; horizons alone
 * would not do, for keyspaces that keep only now have none. */
static enum yore_status feed_open_kept(struct cli *cli, uint64_t limit,
                                       struct store_walk **feed_out, struct yore_error *error_out)
{
    int64_t refused = YORE_TIME_MIN;
    int64_t opened = cli_now(cli);
    enum yore_status st = YORE_OK;
    while (st == YORE_OK && (uint64_t)opened - (uint64_t)refused > 1) {
        struct store_walk *feed = NULL;
        int64_t middle = (int64_t)((uint64_t)refused + ((uint64_t)opened - (uint64_t)refused) / 2);
        st = store_feed_open(cli->store, middle, 0, &feed, error_out);
        store_walk_close(feed);
        if (st == YORE_OK) {
            opened = middle;
        } else if (st == YORE_BEFORE_HORIZON) {
            refused = middle;
            st = YORE_OK;
        }
    }
    if (st == YORE_OK) {
        st = store_feed_open(cli->store, opened, limit, feed_out, error_out);
    }
    if (st == YORE_OK && !cli->is_quiet) {
        char text[MOMENT_TEXT_BYTES];
        fprintf(cli->err,
                "note: the commits up to %s are no longer all kept; the feed is of those "
                "after it\n",
                moment_format(opened, text));
    }
    return st;
}

int command_feed(struct cli *cli, const struct args *args)
{
    enum output_format format;
    struct output *output = NULL;
    struct store_walk *feed = NULL;
    struct yore_error error;
    int64_t after = YORE_TIME_MIN;
    uint64_t limit = UINT64_MAX;
    enum yore_status st = output_choose(cli, args, &format, &error);
    if (st == YORE_OK) {
        st = args_moment(args, OPT_FROM, cli_now(cli), &after, &error);
    }
    if (st == YORE_OK) {
        st = args_count(args, OPT_LIMIT, INT64_MAX, &limit, &error);
    }
    if (st != YORE_OK) {
        return cli_usage_error(cli, &error);
    }
    after = after == YORE_NOW ? cli_now(cli) : after;
    st = store_feed_open(cli->store, after, limit, &feed, &error);
    if (st == YORE_BEFORE_HORIZON && !args_has(args, OPT_FROM)) {
        st = feed_open_kept(cli, limit, &feed, &error);
    }
    if (st != YORE_OK) {
        return cli_fail(cli, &error);
    }
    bool is_count = args_has(args, OPT_COUNT);
    st = output_open(cli, is_count ? OUTPUT_RAW : format, feed_columns, FEED_COLUMNS, &output);
    int code =
        st == YORE_OK ? feed_print(cli, args, feed, output, limit) : cli_fail_status(cli, st);
    st = st == YORE_OK ? output_close(output) : YORE_OK;
    store_walk_close(feed);
    return st == YORE_OK ? code : cli_fail_status(cli, st);
}
