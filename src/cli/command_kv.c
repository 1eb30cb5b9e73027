/* put, get, del, erase. */
#include <string.h>

#include "base/checked.h"
#include "base/moment.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/store.h"
#include "cli/words.h"

/* ---- writing --------------------------------------------------------------------------------- */

/* What put and del need before they can write. */
struct write_request {
    struct store_keyspace *keyspace;
    struct buffer key_store;
    struct buffer value_store;
    struct yore_bytes key;
    struct yore_bytes value;
    struct yore_write write;
    int64_t commit;
};

static void write_request_release(struct write_request *request)
{
    buffer_release(&request->key_store);
    buffer_release(&request->value_store);
}

static enum yore_status end_by_ttl(struct cli *cli, const struct args *args,
                                   struct yore_write *write, struct yore_error *error_out)
{
    int64_t ttl = 0;
    int64_t from = write->from == YORE_NOW ? cli_now(cli) : write->from;
    enum yore_status st = args_duration(args, OPT_TTL, &ttl, error_out);
    if (st != YORE_OK || ttl == 0) {
        return st;
    }
    if (args_has(args, OPT_TO)) {
        return error_set(
            error_out, YORE_INVALID,
            "--ttl does not go with --to: after --ttl the key is absent, after --to what "
            "held before holds again");
    }
    if (!checked_add_i64(from, ttl, &write->to) || write->to == YORE_FOREVER) {
        return error_set(error_out, YORE_INVALID, "--ttl: ends after the last moment there is");
    }
    return YORE_OK;
}

/* --at or --from, --to, --ttl. */
static enum yore_status parse_dates(struct cli *cli, const struct args *args,
                                    struct yore_write *write, struct yore_error *error_out)
{
    int64_t now = cli_now(cli);
    write->from = YORE_NOW;
    write->to = YORE_FOREVER;
    if (args_has(args, OPT_AT) && args_has(args, OPT_FROM)) {
        return error_set(error_out, YORE_INVALID, "--at and --from say the same; give one");
    }
    enum yore_status st = args_moment(args, OPT_AT, now, &write->from, error_out);
    if (st == YORE_OK) {
        st = args_moment(args, OPT_FROM, now, &write->from, error_out);
    }
    if (st == YORE_OK) {
        st = args_moment(args, OPT_TO, now, &write->to, error_out);
    }
    if (st != YORE_OK) {
        return st;
    }
    write->is_span = write->to != YORE_FOREVER;
    if (write->is_span && write->from == YORE_NOW && write->to <= now) {
        return error_set(error_out, YORE_INVALID,
                         "--to must be later than now, where the write begins without --from");
    }
    if (write->is_span && write->from != YORE_NOW && write->from >= write->to) {
        return error_set(error_out, YORE_INVALID, "--to must be later than %s",
                         args_has(args, OPT_FROM) ? "--from" : "--at");
    }
    return end_by_ttl(cli, args, write, error_out);
}

static enum yore_status parse_write(struct cli *cli, const struct args *args,
                                    struct write_request *request, struct yore_error *error_out)
{
    memset(request, 0, sizeof(*request));
    request->write.commit_out = &request->commit;
    enum yore_status st =
        word_bytes(args, "KEY", args->words[0], &request->key_store, &request->key, error_out);
    if (st == YORE_OK) {
        st = parse_dates(cli, args, &request->write, error_out);
    }
    return st == YORE_OK ? cli_durability(cli, args, &request->write.durability, error_out) : st;
}

/* On a terminal, or when a format was asked for: what was written and when. */
static int report_commit(struct cli *cli, const struct args *args, int64_t commit)
{
    static const struct column columns[] = {{"commit", COLUMN_EVERYWHERE}};
    enum output_format format;
    struct output *output;
    struct yore_error error;
    enum yore_status st = output_choose(cli, args, &format, &error);
    if (st != YORE_OK) {
        return cli_usage_error(cli, &error);
    }
    if (!args_has(args, OPT_OUTPUT) && (format == OUTPUT_RAW || cli->is_quiet)) {
        return EXIT_FOUND;
    }
    struct cell cell = cell_moment(commit);
    st = output_open(cli, format, columns, 1, &output);
    if (st == YORE_OK) {
        output_row(output, &cell);
        st = output_close(output);
    }
    return st == YORE_OK ? EXIT_FOUND : cli_fail_status(cli, st);
}

static enum yore_status load_value(struct cli *cli, const struct args *args,
                                   struct write_request *request, struct yore_error *error_out)
{
    const char *name = args->values[OPT_FILE];
    if (args->word_count == 2 && name == NULL) {
        return word_bytes(args, "VALUE", args->words[1], &request->value_store, &request->value,
                          error_out);
    }
    if (args->word_count == 2) {
        return error_set(error_out, YORE_INVALID, "give VALUE or --file, not both");
    }
    if (name == NULL) {
        return error_set(
            error_out, YORE_INVALID,
            "no VALUE; give one ('' is an empty one), or --file FILE, or --file - to read "
            "standard input");
    }
    bool is_standard = strcmp(name, "-") == 0;
    FILE *stream;
    enum yore_status st = open_stream(name, cli->in, &stream, error_out);
    if (st != YORE_OK) {
        return st;
    }
    st = read_stream(stream, name, YORE_VALUE_BYTES_MAX, &request->value_store, error_out);
    if (!is_standard) {
        fclose(stream);
    }
    request->value = buffer_bytes(&request->value_store);
    return st;
}

/* Once the line is known to be right and the value is there: a slip leaves no new database behind.
 * Relative moments count from the database's own now, which is told only by one that is open. */
static enum yore_status open_to_put(struct cli *cli, const struct args *args,
                                    struct write_request *request, struct yore_error *error_out)
{
    if (cli->store != NULL) {
        return YORE_OK;
    }
    size_t size = request->key.size;
    if (size == 0 || size > YORE_KEY_BYTES_MAX) {
        return error_set(error_out, size == 0 ? YORE_INVALID : YORE_TOO_BIG,
                         "the key has %zu bytes: 1 to %u are allowed", size, YORE_KEY_BYTES_MAX);
    }
    enum yore_status st = cli_open_to_write(cli, args, request->write.from, error_out);
    return st == YORE_OK ? parse_dates(cli, args, &request->write, error_out) : st;
}

int command_put(struct cli *cli, const struct args *args)
{
    struct write_request request;
    struct yore_error error;
    int code;
    enum yore_status st = parse_write(cli, args, &request, &error);
    if (st == YORE_OK) {
        st = load_value(cli, args, &request, &error);
    }
    if (st != YORE_OK) {
        code = cli_refuse(cli, &error);
        goto out;
    }
    st = open_to_put(cli, args, &request, &error);
    if (st == YORE_OK) {
        st = cli_keyspace(cli, args, NULL, &request.keyspace, &error);
    }
    if (st == YORE_OK) {
        st = store_put(cli->store, request.keyspace, request.key, request.value, &request.write,
                       &error);
    }
    code = st == YORE_OK ? report_commit(cli, args, request.commit) : cli_fail(cli, &error);
out:
    write_request_release(&request);
    return code;
}

int command_del(struct cli *cli, const struct args *args)
{
    struct write_request request;
    struct yore_error error;
    int code;
    enum yore_status st = parse_write(cli, args, &request, &error);
    if (st != YORE_OK) {
        code = cli_refuse(cli, &error);
        goto out;
    }
    st = cli_keyspace(cli, args, NULL, &request.keyspace, &error);
    if (st == YORE_OK) {
        st = store_delete(cli->store, request.keyspace, request.key, &request.write, &error);
    }
    code = st == YORE_OK ? report_commit(cli, args, request.commit) : cli_fail(cli, &error);
out:
    write_request_release(&request);
    return code;
}

/* A KEY, a --prefix or --all.  An empty prefix is a variable that was never set far more often than
 * a wish to destroy everything. */
static enum yore_status parse_erase_keys(const struct args *args, struct buffer *store,
                                         struct yore_erase *erase, struct yore_error *error_out)
{
    bool has_prefix = args_has(args, OPT_PREFIX);
    bool has_all = args_has(args, OPT_ALL);
    if ((args->word_count == 1) + has_prefix + has_all != 1) {
        return error_set(error_out, YORE_INVALID, "name one KEY, a --prefix, or --all");
    }
    erase->is_prefix = has_prefix || has_all;
    if (erase->is_prefix && (args_has(args, OPT_FROM) || args_has(args, OPT_TO))) {
        return error_set(error_out, YORE_INVALID, "%s is erased whole: no --from, no --to",
                         has_all ? "a keyspace" : "a --prefix");
    }
    if (has_all) {
        return YORE_OK;
    }
    enum yore_status st = word_bytes(args, has_prefix ? "--prefix" : "KEY",
                                     has_prefix ? args->values[OPT_PREFIX] : args->words[0], store,
                                     &erase->key, error_out);
    if (st == YORE_OK && has_prefix && erase->key.size == 0) {
        return error_set(error_out, YORE_INVALID,
                         "--prefix is empty: every key begins with it; to erase the whole keyspace "
                         "say --all");
    }
    return st;
}

static enum yore_status parse_erase(struct cli *cli, const struct args *args, struct buffer *store,
                                    struct yore_erase *erase, struct yore_error *error_out)
{
    int64_t now = cli_now(cli);
    erase->from = YORE_TIME_MIN;
    erase->to = YORE_FOREVER;
    enum yore_status st = parse_erase_keys(args, store, erase, error_out);
    if (st == YORE_OK) {
        st = args_moment(args, OPT_FROM, now, &erase->from, error_out);
    }
    if (st == YORE_OK) {
        st = args_moment(args, OPT_TO, now, &erase->to, error_out);
    }
    if (st == YORE_OK && erase->from == YORE_NOW) {
        erase->from = now;
    }
    if (st == YORE_OK && erase->from >= erase->to) {
        return error_set(error_out, YORE_INVALID, "--to must be later than --from");
    }
    return st == YORE_OK ? cli_durability(cli, args, &erase->durability, error_out) : st;
}

int command_erase(struct cli *cli, const struct args *args)
{
    struct yore_erase erase = {.durability = YORE_DURABILITY_DEFAULT};
    struct store_keyspace *keyspace;
    struct buffer store = {0};
    struct yore_error error;
    int64_t commit = 0;
    int code;
    erase.commit_out = &commit;
    if (parse_erase(cli, args, &store, &erase, &error) != YORE_OK) {
        code = cli_refuse(cli, &error);
        goto out;
    }
    enum yore_status st = cli_keyspace(cli, args, NULL, &keyspace, &error);
    if (st == YORE_OK) {
        st = store_erase(cli->store, keyspace, &erase, &error);
    }
    code = st == YORE_OK ? report_commit(cli, args, commit) : cli_fail(cli, &error);
out:
    buffer_release(&store);
    return code;
}

/* ---- get ------------------------------------------------------------------------------------- */

static const struct column get_columns[] = {
    {"key", COLUMN_TABLE | COLUMN_DATA},
    {"valid_from", COLUMN_TABLE | COLUMN_DATA},
    {"valid_to", COLUMN_TABLE | COLUMN_DATA},
    {"commit", COLUMN_DATA},
    {"value", COLUMN_EVERYWHERE},
};
#define GET_COLUMNS (sizeof(get_columns) / sizeof(get_columns[0]))

struct get_request {
    struct store_keyspace *keyspace;
    struct yore_time at;
    enum output_format format;
    struct output *output; /* NULL: one raw value, its bytes and nothing else */
};

/* Why there is no value, in words: the moment matters. */
static int report_absent(struct cli *cli, const struct get_request *request, struct yore_bytes key,
                         enum yore_status status)
{
    char name[KEY_TEXT_BYTES];
    char when[MOMENT_TEXT_BYTES] = "now";
    char known[MOMENT_TEXT_BYTES] = "";
    bool has_known = request->at.known != YORE_NOW;
    if (cli->is_quiet) {
        return cli_exit_code(status);
    }
    if (request->at.valid != YORE_NOW) {
        moment_format(request->at.valid, when);
    }
    if (has_known) {
        moment_format(request->at.known, known);
    }
    return cli_answer_text(cli, status, "%s: %s (%s%s%s)", key_text(key, name),
                           status == YORE_ERASED ? "erased" : "absent", when,
                           has_known ? ", as known at " : "", known);
}

static enum yore_status print_value(struct cli *cli, const struct get_request *request,
                                    struct yore_bytes key, const struct store_value *stored)
{
    const struct yore_value *value = &stored->value;
    struct yore_bytes bytes = bytes_of(value->data, value->size);
    if (request->output == NULL) {
        bool is_whole =
            value->size == 0 || fwrite(value->data, 1, value->size, cli->out) == value->size;
        bool needs_newline = cli->is_out_terminal && value->size > 0 &&
                             ((const char *)value->data)[value->size - 1] != '\n';
        if (needs_newline) {
            fputc('\n', cli->out);
        }
        return is_whole ? YORE_OK : YORE_IO;
    }
    struct cell cells[GET_COLUMNS] = {cell_bytes(key), cell_moment(value->valid_from),
                                      cell_moment(value->valid_to), cell_moment(value->commit),
                                      cell_bytes(bytes)};
    return output_row(request->output, cells) ? YORE_OK : YORE_IO;
}

static int get_one(struct cli *cli, const struct args *args, const struct get_request *request,
                   const char *word)
{
    struct buffer store = {0};
    struct yore_bytes key;
    struct store_value value;
    struct yore_error error;
    enum yore_status st = word_bytes(args, "KEY", word, &store, &key, &error);
    int code = EXIT_FOUND;
    if (st != YORE_OK) {
        code = cli_usage_error(cli, &error);
        goto out;
    }
    st = store_get(cli->store, request->keyspace, key, &request->at, &value, &error);
    if (st == YORE_NOT_FOUND || st == YORE_ERASED) {
        code = report_absent(cli, request, key, st);
    } else if (st != YORE_OK) {
        code = cli_fail(cli, &error);
    } else {
        st = print_value(cli, request, key, &value);
        store_value_release(&value);
        code = st == YORE_OK ? EXIT_FOUND : cli_fail_text(cli, st, "cannot write the value");
    }
out:
    buffer_release(&store);
    return code;
}

static int get_all(struct cli *cli, const struct args *args, const struct get_request *request)
{
    int worst = EXIT_FOUND;
    for (size_t i = 0; i < args->word_count; i++) {
        int code = get_one(cli, args, request, args->words[i]);
        worst = code > worst ? code : worst;
        if (code > EXIT_NOTHING && code != EXIT_ERASED) {
            break;
        }
    }
    return worst;
}

int command_get(struct cli *cli, const struct args *args)
{
    struct get_request request = {.output = NULL};
    struct yore_error error;
    enum yore_status st = output_choose(cli, args, &request.format, &error);
    if (st == YORE_OK) {
        st = cli_time(cli, args, &request.at, &error);
    }
    if (st != YORE_OK) {
        return cli_usage_error(cli, &error);
    }
    st = cli_keyspace(cli, args, &request.at, &request.keyspace, &error);
    if (st != YORE_OK) {
        return cli_fail(cli, &error);
    }
    /* In a shell the next answer follows, so that the end of this one must show. */
    bool is_exact = request.format == OUTPUT_RAW && args->word_count == 1 &&
                    !args_has(args, OPT_NUL) && cli->session == NULL;
    if (!is_exact) {
        st = output_open(cli, request.format, get_columns, GET_COLUMNS, &request.output);
        if (st != YORE_OK) {
            return cli_fail_status(cli, st);
        }
        if (args_has(args, OPT_NUL)) {
            output_end_rows_with_nul(request.output);
        }
    }
    int code = get_all(cli, args, &request);
    st = output_close(request.output);
    return st == YORE_OK ? code : cli_fail_status(cli, st);
}
