/* The standard workloads on the user's own machine.
 *
 * Keys are 16 digits; values are half random, half the same octets, so that they compress to about
 * a half, as in other stores' benchmarks.  fillseq writes each key once; fillrandom writes as many
 * versions of random keys again: that is the history which the as-of workloads read, at moments
 * spread evenly over it.
 */
#include <string.h>

#include "base/buffer.h"
#include "base/histogram.h"
#include "base/mem.h"
#include "base/rand.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/store.h"
#include "os/env.h"
#include "os/term.h"

#define KEY_BYTES 16
#define VALUE_BYTES_MAX 65536u
#define SCAN_ROWS 100u
#define CHANGE_SPANS 100u /* `changes` looks at this fraction of the history at a time */

struct bench {
    struct cli *cli;
    struct yore_db *db;
    uint64_t rows;
    size_t value_bytes;
    enum yore_durability durability;
    struct rand_state rand;
    unsigned char *values; /* random octets to cut values from */
    int64_t history_begin;
    int64_t history_end;
    uint64_t rows_read; /* by the operation that runs */
    struct yore_error error;
    struct histogram *latencies_ns;
    struct output *output;
};

struct workload {
    const char *name;
    uint64_t divisor; /* operations: rows / divisor, at least 1 */
    uint64_t count_max;
    bool is_fill;
    enum yore_status (*run)(struct bench *bench, uint64_t index);
};

/* ---- operations ------------------------------------------------------------------------------ */

static struct yore_bytes key_of(uint64_t number, char text[KEY_BYTES + 8])
{
    snprintf(text, KEY_BYTES + 8, "%016llu", (unsigned long long)number);
    return bytes_of(text, KEY_BYTES);
}

static struct yore_bytes value_of(struct bench *bench)
{
    return bytes_of(bench->values + rand_below(&bench->rand, VALUE_BYTES_MAX), bench->value_bytes);
}

static enum yore_status put_key(struct bench *bench, uint64_t number,
                                enum yore_durability durability)
{
    char text[KEY_BYTES + 8];
    const struct yore_write write = {
        .from = YORE_NOW, .to = YORE_FOREVER, .durability = durability};
    return yore_put(bench->db, NULL, key_of(number, text), value_of(bench), &write, &bench->error);
}

static enum yore_status run_fillseq(struct bench *bench, uint64_t index)
{
    return put_key(bench, index, bench->durability);
}

static enum yore_status run_fillrandom(struct bench *bench, uint64_t index)
{
    (void)index;
    return put_key(bench, rand_below(&bench->rand, bench->rows), bench->durability);
}

static enum yore_status run_fillsync(struct bench *bench, uint64_t index)
{
    (void)index;
    return put_key(bench, rand_below(&bench->rand, bench->rows), YORE_DURABILITY_SYNC);
}

static enum yore_status get_key(struct bench *bench, uint64_t number, const struct yore_time *at)
{
    char text[KEY_BYTES + 8];
    struct yore_value value;
    enum yore_status st =
        yore_get(bench->db, NULL, key_of(number, text), at, &value, &bench->error);
    if (st == YORE_OK) {
        bench->rows_read++;
        yore_value_release(&value);
    }
    return st == YORE_NOT_FOUND ? YORE_OK : st;
}

static struct yore_time random_moment(struct bench *bench)
{
    uint64_t span = (uint64_t)(bench->history_end - bench->history_begin);
    int64_t offset = (int64_t)rand_below(&bench->rand, span + 1);
    return (struct yore_time){bench->history_begin + offset, YORE_NOW};
}

static enum yore_status run_readrandom(struct bench *bench, uint64_t index)
{
    (void)index;
    return get_key(bench, rand_below(&bench->rand, bench->rows), NULL);
}

static enum yore_status run_readmissing(struct bench *bench, uint64_t index)
{
    (void)index;
    char text[KEY_BYTES + 8];
    struct yore_value value;
    struct yore_bytes key = key_of(rand_below(&bench->rand, bench->rows), text);
    text[KEY_BYTES - 1] = 'x'; /* between two keys that are there */
    enum yore_status st = yore_get(bench->db, NULL, key, NULL, &value, &bench->error);
    if (st == YORE_OK) {
        yore_value_release(&value);
        return error_set(&bench->error, YORE_CORRUPT, "a key that was never written is there");
    }
    return st == YORE_NOT_FOUND ? YORE_OK : st;
}

static enum yore_status scan_from(struct bench *bench, uint64_t number, const struct yore_time *at)
{
    char text[KEY_BYTES + 8];
    struct yore_cursor_options options = {.at = at};
    struct yore_cursor *cursor;
    enum yore_status st = yore_cursor_open(bench->db, NULL, &options, &cursor, &bench->error);
    if (st != YORE_OK) {
        return st;
    }
    st = yore_cursor_seek(cursor, key_of(number, text));
    for (unsigned i = 0; i < SCAN_ROWS && st == YORE_OK; i++) {
        bench->rows_read++;
        st = yore_cursor_next(cursor);
    }
    if (st != YORE_OK && st != YORE_NOT_FOUND) {
        bench->error = *yore_cursor_error(cursor);
    }
    yore_cursor_close(cursor);
    return st == YORE_NOT_FOUND ? YORE_OK : st;
}

static enum yore_status run_scan100(struct bench *bench, uint64_t index)
{
    (void)index;
    return scan_from(bench, rand_below(&bench->rand, bench->rows), NULL);
}

static enum yore_status run_asof_get(struct bench *bench, uint64_t index)
{
    (void)index;
    struct yore_time at = random_moment(bench);
    return get_key(bench, rand_below(&bench->rand, bench->rows), &at);
}

static enum yore_status run_asof_scan(struct bench *bench, uint64_t index)
{
    (void)index;
    struct yore_time at = random_moment(bench);
    return scan_from(bench, rand_below(&bench->rand, bench->rows), &at);
}

static enum yore_status run_timeline(struct bench *bench, uint64_t index)
{
    (void)index;
    char text[KEY_BYTES + 8];
    const struct yore_timeline_options options = {
        .from = YORE_TIME_MIN, .to = YORE_FOREVER, .known = YORE_NOW};
    struct yore_bytes key = key_of(rand_below(&bench->rand, bench->rows), text);
    struct yore_timeline *timeline;
    struct yore_version version;
    enum yore_status st =
        yore_timeline_open(bench->db, NULL, key, &options, &timeline, &bench->error);
    if (st != YORE_OK) {
        return st;
    }
    while ((st = yore_timeline_next(timeline, &version, &bench->error)) == YORE_OK) {
        bench->rows_read++;
    }
    yore_timeline_close(timeline);
    return st == YORE_NOT_FOUND ? YORE_OK : st;
}

static enum yore_status run_changes(struct bench *bench, uint64_t index)
{
    int64_t span = (bench->history_end - bench->history_begin) / CHANGE_SPANS;
    int64_t from = bench->history_begin + span * (int64_t)(index % CHANGE_SPANS);
    const struct yore_changes_options options = {
        .from = from, .to = from + span, .known = YORE_NOW};
    struct yore_changes *changes;
    struct yore_change change;
    enum yore_status st = yore_changes_open(bench->db, NULL, &options, &changes, &bench->error);
    if (st != YORE_OK) {
        return st;
    }
    while ((st = yore_changes_next(changes, &change, &bench->error)) == YORE_OK) {
        bench->rows_read++;
    }
    yore_changes_close(changes);
    return st == YORE_NOT_FOUND ? YORE_OK : st;
}

static const struct workload workloads[] = {
    {"fillseq", 1, UINT64_MAX, true, run_fillseq},
    {"fillrandom", 1, UINT64_MAX, true, run_fillrandom},
    {"fillsync", 1000, 1000, false, run_fillsync},
    {"readrandom", 2, UINT64_MAX, false, run_readrandom},
    {"readmissing", 2, UINT64_MAX, false, run_readmissing},
    {"scan100", 50, UINT64_MAX, false, run_scan100},
    {"asof_get", 2, UINT64_MAX, false, run_asof_get},
    {"asof_scan", 50, UINT64_MAX, false, run_asof_scan},
    {"timeline", 10, UINT64_MAX, false, run_timeline},
    {"changes", 1, CHANGE_SPANS, false, run_changes},
};
#define WORKLOAD_COUNT (sizeof(workloads) / sizeof(workloads[0]))

/* ---- measuring ------------------------------------------------------------------------------- */

#define BENCH_COLUMNS 8

static const struct column bench_columns[BENCH_COLUMNS] = {
    {"workload", COLUMN_EVERYWHERE}, {"operations", COLUMN_EVERYWHERE},
    {"seconds", COLUMN_EVERYWHERE},  {"per_second", COLUMN_EVERYWHERE},
    {"rows", COLUMN_EVERYWHERE},     {"p50_us", COLUMN_EVERYWHERE},
    {"p99_us", COLUMN_EVERYWHERE},   {"max_us", COLUMN_EVERYWHERE},
};

static void report(struct bench *bench, const struct workload *workload, uint64_t count,
                   double seconds)
{
    const struct histogram *h = bench->latencies_ns;
    struct cell cells[BENCH_COLUMNS] = {cell_word(workload->name),
                                        cell_count(count),
                                        cell_real(seconds),
                                        cell_count((uint64_t)((double)count / seconds)),
                                        cell_count(bench->rows_read),
                                        cell_real((double)histogram_quantile(h, 0.50) / 1000),
                                        cell_real((double)histogram_quantile(h, 0.99) / 1000),
                                        cell_real((double)h->max / 1000)};
    output_row(bench->output, cells);
}

static uint64_t operation_count(const struct bench *bench, const struct workload *workload)
{
    uint64_t count = bench->rows / workload->divisor;
    count = count > workload->count_max ? workload->count_max : count;
    return count > 0 ? count : 1;
}

static enum yore_status run_workload(struct bench *bench, const struct workload *workload,
                                     bool is_reported)
{
    struct os_env *env = bench->cli->env;
    uint64_t count = operation_count(bench, workload);
    struct progress progress;
    enum yore_status st = YORE_OK;
    memset(bench->latencies_ns, 0, sizeof(*bench->latencies_ns));
    bench->rows_read = 0;
    if (workload->is_fill) {
        bench->history_begin = yore_now(bench->db);
    }
    progress_begin(&progress, bench->cli, workload->name, "operations");
    int64_t begin = os_monotonic_ns(env);
    int64_t before = begin;
    for (uint64_t i = 0; i < count && st == YORE_OK; i++) {
        st = workload->run(bench, i);
        int64_t now = os_monotonic_ns(env);
        histogram_add(bench->latencies_ns, (uint64_t)(now - before));
        before = now;
        if (i % 256 == 0) {
            progress_show(&progress, i, count, i);
            st = st == YORE_OK && os_interrupt_take() ? error_plain(&bench->error, YORE_CANCELLED)
                                                      : st;
            before = os_monotonic_ns(env);
        }
    }
    double seconds = (double)(os_monotonic_ns(env) - begin) / 1e9;
    progress_end(&progress);
    if (workload->is_fill) {
        bench->history_end = yore_now(bench->db);
    }
    if (st == YORE_OK && is_reported) {
        report(bench, workload, count, seconds > 0 ? seconds : 1e-9);
    }
    return st;
}

/* ---- the command ----------------------------------------------------------------------------- */

/* A bit for each workload in the list. */
static enum yore_status parse_workloads(const char *list, uint64_t *chosen_out,
                                        struct yore_error *error_out)
{
    uint64_t chosen = 0;
    if (list == NULL) {
        *chosen_out = (UINT64_C(1) << WORKLOAD_COUNT) - 1;
        return YORE_OK;
    }
    while (*list != '\0') {
        size_t size = strcspn(list, ",");
        size_t i = 0;
        while (i < WORKLOAD_COUNT &&
               (strlen(workloads[i].name) != size || memcmp(workloads[i].name, list, size) != 0)) {
            i++;
        }
        if (i == WORKLOAD_COUNT) {
            return error_set(error_out, YORE_INVALID,
                             "--workloads: there is no '%.*s' (yore help bench)",
                             (int)(size < 40 ? size : 40), list);
        }
        chosen |= UINT64_C(1) << i;
        list += size;
        list += *list == ',';
    }
    *chosen_out = chosen;
    return YORE_OK;
}

static enum yore_status run_chosen(struct bench *bench, uint64_t chosen)
{
    bool has_data = false;
    enum yore_status st = YORE_OK;
    bench->history_begin = yore_now(bench->db);
    bench->history_end = bench->history_begin;
    for (size_t i = 0; i < WORKLOAD_COUNT && st == YORE_OK; i++) {
        const struct workload *workload = &workloads[i];
        bool is_chosen = (chosen >> i & 1) != 0;
        if (is_chosen && !workload->is_fill && !has_data) {
            st = run_workload(bench, &workloads[0], false); /* something to read */
            has_data = true;
        }
        if (st == YORE_OK && is_chosen) {
            st = run_workload(bench, workload, true);
            has_data = has_data || workload->is_fill;
        }
    }
    return st;
}

static bool make_values(struct bench *bench)
{
    size_t size = VALUE_BYTES_MAX + bench->value_bytes;
    bench->values = mem_zalloc(size);
    bench->latencies_ns = mem_zalloc(sizeof(*bench->latencies_ns));
    if (bench->values == NULL || bench->latencies_ns == NULL) {
        return false;
    }
    for (size_t i = 0; i < size; i += 2) {
        bench->values[i] = (unsigned char)rand_u64(&bench->rand);
    }
    return true;
}

static enum yore_status parse_bench(struct cli *cli, const struct args *args, struct bench *bench,
                                    uint64_t *chosen_out, struct yore_error *error_out)
{
    uint64_t value_bytes = 100;
    bench->cli = cli;
    bench->rows = 1000000;
    rand_init(&bench->rand, 42);
    enum yore_status st =
        args_count(args, OPT_ROWS, UINT64_C(10000000000), &bench->rows, error_out);
    if (st == YORE_OK) {
        st = args_count(args, OPT_VALUE_BYTES, VALUE_BYTES_MAX, &value_bytes, error_out);
        bench->value_bytes = (size_t)value_bytes;
    }
    if (st == YORE_OK) {
        st = cli_durability(cli, args, &bench->durability, error_out);
    }
    if (bench->durability == YORE_DURABILITY_DEFAULT) {
        bench->durability = YORE_DURABILITY_NONE;
    }
    return st == YORE_OK ? parse_workloads(args->values[OPT_WORKLOADS], chosen_out, error_out) : st;
}

static int run_bench(struct cli *cli, struct bench *bench, enum output_format format,
                     uint64_t chosen)
{
    struct yore_options options;
    yore_options_init(&options);
    options.must_not_exist = true;
    enum yore_status st = yore_open(cli->dir, &options, &bench->db, &bench->error);
    if (st == YORE_EXISTS) {
        return cli_fail_text(cli, st, "%s is there already; bench makes a database of its own",
                             cli->dir);
    }
    if (st != YORE_OK) {
        return cli_fail(cli, &bench->error);
    }
    st = store_of_db(bench->db, &cli->store, &bench->error);
    if (st != YORE_OK) {
        (void)yore_close(bench->db, NULL);
        return cli_fail(cli, &bench->error);
    }
    st = output_open(cli, format, bench_columns, BENCH_COLUMNS, &bench->output);
    if (st != YORE_OK || !make_values(bench)) {
        output_close(bench->output);
        return cli_fail_status(cli, YORE_NOMEM);
    }
    os_interrupt_catch(true);
    st = run_chosen(bench, chosen);
    os_interrupt_catch(false);
    enum yore_status close_st = output_close(bench->output);
    if (st != YORE_OK) {
        return cli_fail(cli, &bench->error);
    }
    if (!cli->is_quiet && cli->is_err_terminal) {
        fprintf(cli->err, "the database is left in %s\n", cli->dir);
    }
    return close_st == YORE_OK ? EXIT_FOUND : cli_fail_status(cli, close_st);
}

int command_bench(struct cli *cli, const struct args *args)
{
    struct bench bench = {.rows = 0};
    enum output_format format;
    struct yore_error error;
    uint64_t chosen = 0;
    enum yore_status st = output_choose(cli, args, &format, &error);
    if (st == YORE_OK) {
        st = parse_bench(cli, args, &bench, &chosen, &error);
    }
    if (st != YORE_OK) {
        return cli_usage_error(cli, &error);
    }
    int code = run_bench(cli, &bench, format, chosen);
    mem_free(bench.values);
    mem_free(bench.latencies_ns);
    return code;
}
