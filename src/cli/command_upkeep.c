/* stats, check, compact, backup, backups, restore. */
#include <string.h>

#include "base/moment.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "os/term.h"

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

int command_stats(struct cli *cli, const struct args *args)
{
    enum output_format format;
    struct output *output;
    struct yore_error error;
    if (output_choose(cli, args, &format, &error) != YORE_OK) {
        return cli_usage_error(cli, &error);
    }
    enum yore_status st = output_open(cli, format, stats_columns, STATS_COLUMNS, &output);
    if (st == YORE_OK) {
        yore_stats(cli->db, print_stat, output);
        st = output_close(output);
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

static enum yore_status print_report(struct cli *cli, enum output_format format,
                                     const struct yore_verify_report *report)
{
    static const struct column columns[] = {{"what", COLUMN_EVERYWHERE},
                                            {"count", COLUMN_EVERYWHERE}};
    const struct {
        const char *what;
        uint64_t count;
    } rows[] = {{"files", report->files},
                {"bytes", report->bytes},
                {"pages", report->pages},
                {"journal_records", report->journal_records},
                {"keys", report->keys},
                {"versions", report->versions},
                {"copies", report->copies},
                {"values_apart", report->values_apart},
                {"erasures_pending", report->erasures_pending},
                {"problems", report->problems}};
    struct output *output;
    enum yore_status st = output_open(cli, format, columns, 2, &output);
    if (st != YORE_OK) {
        return st;
    }
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct cell cells[2] = {cell_word(rows[i].what), cell_count(rows[i].count)};
        output_row(output, cells);
    }
    return output_close(output);
}

int command_check(struct cli *cli, const struct args *args)
{
    struct yore_verify_report report = {0};
    enum output_format format;
    struct yore_error error;
    if (output_choose(cli, args, &format, &error) != YORE_OK) {
        return cli_usage_error(cli, &error);
    }
    enum yore_status st = yore_verify(cli->db, print_problem, cli, &report, &error);
    if (st != YORE_OK && st != YORE_CORRUPT) {
        return cli_fail(cli, &error);
    }
    enum yore_status print_st = print_report(cli, format, &report);
    if (st == YORE_CORRUPT) {
        return cli_fail_text(cli, st,
                             "%llu problems in %s; restore it from a backup (yore help restore)",
                             (unsigned long long)report.problems, cli->dir);
    }
    if (print_st != YORE_OK) {
        return cli_fail_status(cli, print_st);
    }
    if (format == OUTPUT_TABLE && !cli->is_quiet) {
        fprintf(cli->out, "\nevery checksum, order, bound and reference of these holds\n");
    }
    return EXIT_FOUND;
}

/* ---- compact --------------------------------------------------------------------------------- */

int command_compact(struct cli *cli, const struct args *args)
{
    struct yore_keyspace *keyspace;
    struct yore_error error;
    enum yore_status st = cli_keyspace(cli, args, NULL, &keyspace, &error);
    if (st == YORE_OK) {
        st = yore_compact(cli->db, keyspace, &error);
    }
    return st == YORE_OK ? EXIT_FOUND : cli_fail(cli, &error);
}

/* ---- backup and restore ---------------------------------------------------------------------- */

#define BACKUP_COLUMNS 4

static const struct column backup_columns[BACKUP_COLUMNS] = {
    {"id", COLUMN_EVERYWHERE},
    {"commit", COLUMN_EVERYWHERE},
    {"bytes", COLUMN_EVERYWHERE},
    {"new_bytes", COLUMN_EVERYWHERE},
};

static int backup_row(void *arg, const struct yore_backup_info *info)
{
    struct cell cells[BACKUP_COLUMNS] = {cell_count(info->id), cell_moment(info->commit),
                                         cell_count(info->bytes), cell_count(info->new_bytes)};
    return output_row(arg, cells) ? 0 : 1;
}

int command_backup(struct cli *cli, const struct args *args)
{
    struct yore_backup_info info;
    enum output_format format;
    struct progress progress;
    struct output *output;
    struct yore_error error;
    if (output_choose(cli, args, &format, &error) != YORE_OK) {
        return cli_usage_error(cli, &error);
    }
    os_interrupt_catch(true);
    progress_begin(&progress, cli, "backup", NULL);
    enum yore_status st =
        yore_backup(cli->db, args->words[0], progress_callback, &progress, &info, &error);
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

int command_backups(struct cli *cli, const struct args *args)
{
    enum output_format format;
    struct output *output;
    struct yore_error error;
    if (output_choose(cli, args, &format, &error) != YORE_OK) {
        return cli_usage_error(cli, &error);
    }
    enum yore_status st = output_open(cli, format, backup_columns, BACKUP_COLUMNS, &output);
    if (st != YORE_OK) {
        return cli_fail_status(cli, st);
    }
    if (args_has(args, OPT_NUL)) {
        output_end_rows_with_nul(output);
    }
    st = yore_backup_list(args->words[0], backup_row, output, &error);
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
    os_interrupt_catch(true);
    progress_begin(&progress, cli, "restore", NULL);
    st = yore_restore(&restore, &error);
    progress_end(&progress);
    os_interrupt_catch(false);
    return st == YORE_OK ? EXIT_FOUND : cli_fail(cli, &error);
}
