#include <string.h>

#include "base/keep.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/store.h"
#include "engine/keyspace.h"

#define KEYSPACE_COLUMNS 5

static const struct column keyspace_columns[KEYSPACE_COLUMNS] = {
    {"name", COLUMN_EVERYWHERE},
    {"id", COLUMN_TABLE | COLUMN_DATA},
    {"keep", COLUMN_EVERYWHERE},
    {"compression", COLUMN_TABLE | COLUMN_DATA},
    {"horizon", COLUMN_TABLE | COLUMN_DATA},
};

static int list_one(void *arg, const struct yore_keyspace_info *info)
{
    char keep[KEEP_TEXT_BYTES];
    bool is_whole = info->horizon == YORE_TIME_MIN;
    struct cell cells[KEYSPACE_COLUMNS] = {cell_word(info->name), cell_count(info->id),
                                           cell_word(keep_format(&info->options, keep)),
                                           cell_word(compression_word(info->options.compression)),
                                           is_whole ? cell_none() : cell_moment(info->horizon)};
    return output_row(arg, cells) ? 0 : 1;
}

static int keyspace_list(struct cli *cli, const struct args *args)
{
    enum output_format format;
    struct output *output;
    struct yore_time at;
    struct yore_error error;
    enum yore_status st = output_choose(cli, args, &format, &error);
    if (st == YORE_OK) {
        st = cli_time(cli, args, &at, &error);
    }
    if (st != YORE_OK) {
        return cli_usage_error(cli, &error);
    }
    st = output_open(cli, format, keyspace_columns, KEYSPACE_COLUMNS, &output);
    if (st != YORE_OK) {
        return cli_fail_status(cli, st);
    }
    st = store_keyspace_list(cli->store, &at, list_one, output, &error);
    enum yore_status close_st = output_close(output);
    if (st != YORE_OK) {
        return cli_fail(cli, &error);
    }
    return close_st == YORE_OK ? EXIT_FOUND : cli_fail_status(cli, close_st);
}

/* --keep and --compression; what is not given stays as it is. */
static enum yore_status keep_parse(const struct args *args, struct yore_keyspace_options *options,
                                   struct yore_error *error_out)
{
    const char *keep = args->values[OPT_KEEP];
    const char *compression = args->values[OPT_COMPRESSION];
    if (keep != NULL) {
        enum yore_status st = keep_of_text(bytes_of(keep, strlen(keep)), options, error_out);
        if (st != YORE_OK) {
            return st;
        }
    }
    if (compression == NULL) {
        return YORE_OK;
    }
    return compression_of_text(bytes_of(compression, strlen(compression)), &options->compression,
                               error_out);
}

static int keyspace_create(struct cli *cli, const struct args *args)
{
    struct yore_keyspace_options options = {.keep = YORE_KEEP_ALL};
    struct store_keyspace *keyspace;
    struct yore_error error;
    if (keep_parse(args, &options, &error) != YORE_OK) {
        return cli_usage_error(cli, &error);
    }
    enum yore_status st =
        store_keyspace_create(cli->store, args->words[1], &options, &keyspace, &error);
    return st == YORE_OK ? EXIT_FOUND : cli_fail(cli, &error);
}

static int keyspace_alter(struct cli *cli, const struct args *args)
{
    struct yore_keyspace_info info;
    struct store_keyspace *keyspace;
    struct yore_error error;
    if (!args_has(args, OPT_KEEP) && !args_has(args, OPT_COMPRESSION)) {
        return cli_usage(cli, "nothing to alter; give --keep or --compression");
    }
    enum yore_status st = store_keyspace_open(cli->store, args->words[1], NULL, &keyspace, &error);
    if (st == YORE_OK) {
        st = store_keyspace_info(cli->store, keyspace, &info, &error);
    }
    if (st != YORE_OK) {
        return cli_fail(cli, &error);
    }
    if (keep_parse(args, &info.options, &error) != YORE_OK) {
        return cli_usage_error(cli, &error);
    }
    st = store_keyspace_alter(cli->store, keyspace, &info.options, &error);
    return st == YORE_OK ? EXIT_FOUND : cli_fail(cli, &error);
}

static int keyspace_drop(struct cli *cli, const struct args *args)
{
    struct yore_error error;
    enum yore_status st = store_keyspace_drop(cli->store, args->words[1], &error);
    return st == YORE_OK ? EXIT_FOUND : cli_fail(cli, &error);
}

static int keyspace_trim(struct cli *cli, const struct args *args)
{
    struct store_keyspace *keyspace;
    struct yore_error error;
    int64_t now = cli_now(cli);
    int64_t horizon = YORE_NOW;
    if (!args_has(args, OPT_AT)) {
        return cli_usage(cli, "trim needs --at TIME: what ended before it is given up");
    }
    if (args_moment(args, OPT_AT, now, &horizon, &error) != YORE_OK) {
        return cli_usage_error(cli, &error);
    }
    enum yore_status st = store_keyspace_open(cli->store, args->words[1], NULL, &keyspace, &error);
    if (st == YORE_OK) {
        st = store_trim(cli->store, keyspace, horizon == YORE_NOW ? now : horizon, &error);
    }
    return st == YORE_OK ? EXIT_FOUND : cli_fail(cli, &error);
}

#define NAMED "needs the NAME of a keyspace"

const struct verb keyspace_verbs[] = {
    {"list", 1, 1, "takes no NAME", COMMAND_READS, keyspace_list},
    {"create", 2, 2, NAMED, COMMAND_CREATES | COMMAND_CHANGES, keyspace_create},
    {"alter", 2, 2, NAMED, COMMAND_CHANGES, keyspace_alter},
    {"drop", 2, 2, NAMED, COMMAND_CHANGES, keyspace_drop},
    {"trim", 2, 2, NAMED, 0, keyspace_trim}, /* names its own time */
    {.name = NULL}};

int command_keyspace_check(struct cli *cli, const struct args *args)
{
    struct yore_keyspace_options options = {.keep = YORE_KEEP_ALL};
    struct yore_error error;
    if (args->word_count > 1 && keyspace_check_name(args->words[1], &error) != YORE_OK) {
        return cli_usage_error(cli, &error);
    }
    return keep_parse(args, &options, &error) == YORE_OK ? EXIT_FOUND
                                                         : cli_usage_error(cli, &error);
}
