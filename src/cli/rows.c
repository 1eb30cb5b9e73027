#include "cli/rows.h"

#include "os/term.h"

/* `output` NULL: only count. */
static enum yore_status walk_rows(const struct row_walk *walk, struct output *output,
                                  uint64_t *count_out, struct yore_error *error_out)
{
    struct cell cells[OUTPUT_COLUMNS_MAX];
    enum yore_status st = YORE_OK;
    uint64_t count = 0;
    while (count < walk->limit) {
        st = os_interrupt_take() ? error_plain(error_out, YORE_CANCELLED)
                                 : walk->next(walk->arg, cells, error_out);
        if (st != YORE_OK) {
            break;
        }
        count++;
        if (output != NULL && !output_row(output, cells)) {
            break; /* output_close() tells why */
        }
    }
    *count_out = count;
    return st == YORE_NOT_FOUND ? YORE_OK : st;
}

int rows_print(struct cli *cli, const struct args *args, enum output_format format,
               const struct row_walk *walk)
{
    struct output *output = NULL;
    struct yore_error error;
    uint64_t count = 0;
    bool is_count = args_has(args, OPT_COUNT);
    enum yore_status st =
        is_count ? YORE_OK : output_open(cli, format, walk->columns, walk->column_count, &output);
    if (st != YORE_OK) {
        return cli_fail_status(cli, st);
    }
    if (output != NULL && args_has(args, OPT_NUL)) {
        output_end_rows_with_nul(output);
    }
    st = walk_rows(walk, output, &count, &error);
    enum yore_status close_st = output_close(output);
    if (st != YORE_OK) {
        return cli_fail(cli, &error);
    }
    if (is_count) {
        close_st = output_print_count(cli, format, count);
    }
    if (close_st != YORE_OK) {
        return cli_fail_status(cli, close_st);
    }
    return count > 0 || is_count ? EXIT_FOUND : EXIT_NOTHING;
}
