/* stats, check, compact, backup, backups, restore. */
#include <string.h>

#include "base/buffer.h"
#include "base/moment.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/remote.h"
#include "cli/store.h"
#include "os/env.h"
#include "os/term.h"
#include "topology/whole_check.h"

/* ---- stats ----------------------------------------------------------------------------------- */

#define STATS_COLUMNS 8

static const struct column stats_columns[STATS_COLUMNS] = {
    {"name", COLUMN_EVERYWHERE},
    {"value", COLUMN_EVERYWHERE},
    {"p50", COLUMN_TABLE | COLUMN_DATA},
    {"p95", COLUMN_TABLE | COLUMN_DATA},
    {"p99", COLUMN_TABLE | COLUMN_DATA},
    {"max", COLUMN_TABLE | COLUMN_DATA},
    {"kind", COLUMN_DATA},
    {"help", COLUMN_TABLE | COLUMN_DATA},
};

static void print_stat(void *arg, const struct yore_stat *stat)
{
    static const char *const kinds[] = {"", "counter", "gauge", "histogram"};
    bool is_histogram = stat->kind == YORE_STAT_HISTOGRAM;
    struct cell cells[STATS_COLUMNS] = {
        cell_word(stat->name),
        cell_count(stat->value),
        is_histogram ? cell_count(stat->p50) : cell_none(),
        is_histogram ? cell_count(stat->p95) : cell_none(),
        is_histogram ? cell_count(stat->p99) : cell_none(),
        is_histogram ? cell_count(stat->max) : cell_none(),
        cell_word(kinds[stat->kind]),
        cell_word(stat->help),
    };
    output_row(arg, cells);
}

/* What one keyspace takes. */
static int keyspace_stats(struct cli *cli, const struct args *args, enum output_format format)
{
    static const struct column columns[] = {{"name", COLUMN_EVERYWHERE},
                                            {"value", COLUMN_EVERYWHERE}};
    struct store_keyspace *keyspace;
    struct yore_keyspace_usage usage;
    struct output *output;
    struct yore_error error;
    enum yore_status st = cli_keyspace(cli, args, NULL, &keyspace, &error);
    if (st == YORE_OK) {
        st = store_keyspace_usage(cli->store, keyspace, &usage, &error);
    }
    if (st != YORE_OK) {
        return cli_fail(cli, &error);
    }
    struct cell rows[][2] = {{cell_word("oldest"), usage.oldest == YORE_TIME_MIN
                                                       ? cell_word("all")
                                                       : cell_moment(usage.oldest)},
                             {cell_word("memory_bytes"), cell_count(usage.memory_bytes)},
                             {cell_word("memory_versions"), cell_count(usage.memory_versions)},
                             {cell_word("present_bytes"), cell_count(usage.present_bytes)},
                             {cell_word("present_versions"), cell_count(usage.present_versions)},
                             {cell_word("past_bytes"), cell_count(usage.past_bytes)},
                             {cell_word("past_versions"), cell_count(usage.past_versions)},
                             {cell_word("past_copies"), cell_count(usage.past_copies)},
                             {cell_word("freeable_bytes"), cell_count(usage.freeable_bytes)},
                             {cell_word("freeable_versions"), cell_count(usage.freeable_versions)}};
    st = output_open(cli, format, columns, 2, &output);
    if (st == YORE_OK) {
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
            output_row(output, rows[i]);
        }
        st = output_close(output);
    }
    return st == YORE_OK ? EXIT_FOUND : cli_fail_status(cli, st);
}

int command_stats(struct cli *cli, const struct args *args)
{
    enum output_format format;
    struct output *output;
    struct yore_error error;
    if (output_choose(cli, args, &format, &error) != YORE_OK) {
        return cli_usage_error(cli, &error);
    }
    if (args_has(args, OPT_KEYSPACE)) {
        return keyspace_stats(cli, args, format);
    }
    enum yore_status st = output_open(cli, format, stats_columns, STATS_COLUMNS, &output);
    if (st == YORE_OK) {
        enum yore_status told = store_stats(cli->store, print_stat, output, &error);
        st = output_close(output);
        if (told != YORE_OK) {
            return cli_fail(cli, &error);
        }
    }
    return st == YORE_OK ? EXIT_FOUND : cli_fail_status(cli, st);
}

/* ---- check ----------------------------------------------------------------------------------- */

static void print_problem(void *arg, const char *line)
{
    struct cli *cli = arg;
    fprintf(cli->err, "%sdamage:%s %s\n", cli->has_err_color ? "\033[1;31m" : "",
            cli->has_err_color ? "\033[0m" : "", line);
}

/* What is in the directory's database; outside of a shell nothing is open yet. */
static enum yore_status check_graphs(struct cli *cli, struct whole_check *check,
                                     struct yore_error *error_out)
{
    struct yore_options options;
    struct yore_db *opened = NULL;
    struct yore_db *db = store_db(cli->store);
    enum yore_status st = YORE_OK;
    yore_options_init(&options);
    options.must_exist = true;
    options.read_only = true;
    if (db == NULL) {
        st = yore_open(cli->dir, &options, &opened, error_out);
        db = opened;
    }
    if (st == YORE_OK) {
        st = whole_check_graphs(check, db, print_problem, cli, error_out);
    }
    enum yore_status closed = yore_close(opened, st == YORE_OK ? error_out : NULL);
    return st == YORE_OK ? closed : st;
}

static enum yore_status check_remote(struct cli *cli, struct whole_check *check,
                                     struct yore_error *error_out)
{
    enum yore_status st = cli->store == NULL ? cli_open(cli, false, error_out) : YORE_OK;
    return st == YORE_OK
               ? remote_check(store_remote(cli->store), print_problem, cli, check, error_out)
               : st;
}

/* What is too damaged to open is checked too; what is damaged below is not looked at from above. */
static enum yore_status check_here(struct cli *cli, struct whole_check *check,
                                   struct yore_error *error_out)
{
    struct yore_db *db = store_db(cli->store);
    enum yore_status st =
        db != NULL ? yore_verify(db, print_problem, cli, &check->store, error_out)
                   : yore_verify_path(cli->dir, print_problem, cli, &check->store, error_out);
    return st == YORE_OK ? check_graphs(cli, check, error_out) : st;
}

static enum yore_status print_check(struct cli *cli, enum output_format format,
                                    struct whole_check *check)
{
    static const struct column columns[] = {{"what", COLUMN_EVERYWHERE},
                                            {"count", COLUMN_EVERYWHERE}};
    struct whole_check_figure figures[WHOLE_CHECK_FIGURES];
    struct output *output;
    enum yore_status st = output_open(cli, format, columns, 2, &output);
    if (st != YORE_OK) {
        return st;
    }
    whole_check_figures(check, figures);
    for (size_t i = 0; i < WHOLE_CHECK_FIGURES; i++) {
        struct cell cells[2] = {cell_word(figures[i].name), cell_count(*figures[i].count)};
        output_row(output, cells);
    }
    return output_close(output);
}

int command_check(struct cli *cli, const struct args *args)
{
    struct whole_check check = {.graphs = 0};
    enum output_format format;
    struct yore_error error;
    if (output_choose(cli, args, &format, &error) != YORE_OK) {
        return cli_usage_error(cli, &error);
    }
    enum yore_status st =
        cli->server != NULL ? check_remote(cli, &check, &error) : check_here(cli, &check, &error);
    if (st != YORE_OK && (st != YORE_CORRUPT || check.store.problems == 0)) {
        return cli_open_failed(cli, st, false, &error);
    }
    st = print_check(cli, format, &check);
    if (check.store.problems > 0) {
        return cli_fail_text(cli, YORE_CORRUPT,
                             "%llu problems in %s; restore it from a backup (yore help restore)",
                             (unsigned long long)check.store.problems, cli->dir);
    }
    if (st != YORE_OK) {
        return cli_fail_status(cli, st);
    }
    if (format == OUTPUT_TABLE && !cli->is_quiet) {
        fprintf(cli->out, "\nevery checksum, order, bound and reference of these holds\n");
    }
    return EXIT_FOUND;
}

/* ---- compact --------------------------------------------------------------------------------- */

int command_compact(struct cli *cli, const struct args *args)
{
    struct store_keyspace *keyspace;
    struct yore_error error;
    enum yore_status st = cli_keyspace(cli, args, NULL, &keyspace, &error);
    if (st == YORE_OK) {
        st = store_compact(cli->store, keyspace, &error);
    }
    return st == YORE_OK ? EXIT_FOUND : cli_fail(cli, &error);
}

/* ---- backup and restore ---------------------------------------------------------------------- */

#define BACKUP_COLUMNS 4

/* What tells the directories of databases and of backups from others. */
#define DATABASE_MARK "/CURRENT"
#define BACKUP_MARK "/backup-0000000000000001"

static const struct column backup_columns[BACKUP_COLUMNS] = {
    {"id", COLUMN_EVERYWHERE},
    {"commit", COLUMN_EVERYWHERE},
    {"bytes", COLUMN_EVERYWHERE},
    {"new_bytes", COLUMN_EVERYWHERE},
};

/* Does `path` or a directory above it hold `mark`?  By what is there, not by names: links and
 * absolute paths lead to the same directory. */
static enum yore_status find_above(struct cli *cli, const char *path, const char *mark,
                                   bool *is_found_out)
{
    struct buffer text = {0};
    struct yore_error error;
    uint64_t size;
    bool is_dir;
    *is_found_out = false;
    bool is_end = false;
    for (size_t i = 0; !is_end && !*is_found_out && !text.is_nomem; i++) {
        bool is_begin = i == 0 && path[0] != '/';
        is_end = path[i] == '\0';
        if (!is_begin && !is_end && path[i] != '/') {
            continue;
        }
        buffer_clear(&text);
        buffer_append(&text, is_begin ? "." : path, is_begin ? 1 : i);
        buffer_append(&text, mark, strlen(mark) + 1);
        *is_found_out = !text.is_nomem && os_path_stat(cli->env, (const char *)text.data, &size,
                                                       &is_dir, &error) == YORE_OK;
    }
    enum yore_status st = text.is_nomem ? YORE_NOMEM : YORE_OK;
    buffer_release(&text);
    return st;
}

/* A server's directory holds backups of several names. */
static const struct column named_backup_columns[1 + BACKUP_COLUMNS] = {
    {"name", COLUMN_EVERYWHERE},  {"id", COLUMN_EVERYWHERE},        {"commit", COLUMN_EVERYWHERE},
    {"bytes", COLUMN_EVERYWHERE}, {"new_bytes", COLUMN_EVERYWHERE},
};

static int named_backup_row(void *arg, struct yore_bytes name, const struct yore_backup_info *info)
{
    struct cell cells[1 + BACKUP_COLUMNS] = {cell_bytes(name), cell_count(info->id),
                                             cell_moment(info->commit), cell_count(info->bytes),
                                             cell_count(info->new_bytes)};
    return output_row(arg, cells) ? 0 : 1;
}

static int backup_row(void *arg, const struct yore_backup_info *info)
{
    struct cell cells[BACKUP_COLUMNS] = {cell_count(info->id), cell_moment(info->commit),
                                         cell_count(info->bytes), cell_count(info->new_bytes)};
    return output_row(arg, cells) ? 0 : 1;
}

/* TARGET must lie outside of any database; false: it was refused, `*code_out` says how. */
static bool is_target_outside(struct cli *cli, const char *target, int *code_out)
{
    bool is_inside = false;
    if (strcmp(target, cli->dir) == 0) {
        *code_out = cli_usage(cli, "TARGET is the database itself; name another directory");
        return false;
    }
    enum yore_status st = find_above(cli, target, DATABASE_MARK, &is_inside);
    if (st != YORE_OK) {
        *code_out = cli_fail_status(cli, st);
    } else if (is_inside) {
        *code_out = cli_usage(
            cli, "%.300s is or lies inside a database; name a directory outside of it", target);
    }
    return st == YORE_OK && !is_inside;
}

int command_backup(struct cli *cli, const struct args *args)
{
    struct yore_backup_info info;
    enum output_format format;
    struct progress progress;
    struct output *output;
    struct yore_error error;
    const char *target = args->words[0];
    int code = EXIT_FOUND;
    if (output_choose(cli, args, &format, &error) != YORE_OK) {
        return cli_usage_error(cli, &error);
    }
    if (cli->server == NULL && !is_target_outside(cli, target, &code)) {
        return code;
    }
    os_interrupt_catch(true);
    progress_begin(&progress, cli, "backup", NULL);
    enum yore_status st = cli->server != NULL
                              ? remote_backup(store_remote(cli->store), target, &info, &error)
                              : yore_backup(store_db(cli->store), target, progress_callback,
                                            &progress, &info, &error);
    progress_end(&progress);
    os_interrupt_catch(cli->session != NULL);
    if (st != YORE_OK) {
        return cli_fail(cli, &error);
    }
    if (cli->is_quiet) {
        return EXIT_FOUND;
    }
    st = output_open(cli, format, backup_columns, BACKUP_COLUMNS, &output);
    if (st == YORE_OK) {
        backup_row(output, &info);
        st = output_close(output);
    }
    return st == YORE_OK ? EXIT_FOUND : cli_fail_status(cli, st);
}

/* The directory is DIR, inside the shell the first word; a server's is its own, and a word the name
 * of backups in it. */
static enum yore_status list_backups(struct cli *cli, const struct args *args,
                                     struct output *output, struct yore_error *error_out)
{
    const char *word = args->word_count > 0 ? args->words[0] : NULL;
    if (cli->server == NULL) {
        return yore_backup_list(cli->session != NULL ? word : cli->dir, backup_row, output,
                                error_out);
    }
    enum yore_status st = cli->store == NULL ? cli_open(cli, false, error_out) : YORE_OK;
    return st == YORE_OK
               ? remote_backups(store_remote(cli->store), word, named_backup_row, output, error_out)
               : st;
}

int command_backups(struct cli *cli, const struct args *args)
{
    enum output_format format;
    struct output *output;
    struct yore_error error;
    bool is_named = cli->server != NULL;
    bool takes_word = is_named || cli->session != NULL;
    if (output_choose(cli, args, &format, &error) != YORE_OK) {
        return cli_usage_error(cli, &error);
    }
    if (!is_named && (args->word_count > 0) != takes_word) {
        return takes_word ? cli_usage(cli, "name the directory of backups: backups DIR")
                          : cli_usage(cli,
                                      "only a server's backups have names: '%.80s' is one "
                                      "word too many",
                                      args->words[0]);
    }
    enum yore_status st = output_open(cli, format, is_named ? named_backup_columns : backup_columns,
                                      is_named ? 1 + BACKUP_COLUMNS : BACKUP_COLUMNS, &output);
    if (st != YORE_OK) {
        return cli_fail_status(cli, st);
    }
    if (args_has(args, OPT_NUL)) {
        output_end_rows_with_nul(output);
    }
    st = list_backups(cli, args, output, &error);
    uint64_t count = output_row_count(output);
    enum yore_status close_st = output_close(output);
    if (st != YORE_OK) {
        return cli_fail(cli, &error);
    }
    if (close_st != YORE_OK) {
        return cli_fail_status(cli, close_st);
    }
    return count > 0 ? EXIT_FOUND : EXIT_NOTHING;
}

int command_restore(struct cli *cli, const struct args *args)
{
    struct progress progress;
    struct yore_error error;
    bool is_inside;
    struct yore_restore restore = {.backup_path = args->words[0],
                                   .target_path = cli->dir,
                                   .to_commit = YORE_FOREVER,
                                   .progress = progress_callback,
                                   .progress_arg = &progress};
    enum yore_status st = args_count(args, OPT_ID, INT64_MAX, &restore.id, &error);
    if (st == YORE_OK) {
        st = args_moment(args, OPT_TO, cli_now(cli), &restore.to_commit, &error);
    }
    if (st != YORE_OK) {
        return cli_usage_error(cli, &error);
    }
    st = find_above(cli, cli->dir, BACKUP_MARK, &is_inside);
    if (st != YORE_OK) {
        return cli_fail_status(cli, st);
    }
    if (is_inside) {
        return cli_usage(cli, "%.300s is or lies inside a backup; name a directory outside of it",
                         cli->dir);
    }
    os_interrupt_catch(true);
    progress_begin(&progress, cli, "restore", NULL);
    st = yore_restore(&restore, &error);
    progress_end(&progress);
    os_interrupt_catch(false);
    return st == YORE_OK ? EXIT_FOUND : cli_fail(cli, &error);
}
