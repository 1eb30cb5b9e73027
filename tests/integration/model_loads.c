/* model_loads.c -- bulk loads, with other writes while they are open. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "integration/model_run.h"

#define RUN_LOAD_ROWS_MAX 300u
#define RUN_LOAD_KEY_COUNT 200u /* keys that mostly loads write, in one stretch */

struct load_row {
    struct model_write write;
    unsigned char key[RUN_KEY_BYTES_MAX];
    unsigned char value[RUN_VALUE_BYTES_MAX];
};

static int compare_rows(const void *a, const void *b)
{
    const struct load_row *const *left = a;
    const struct load_row *const *right = b;
    return bytes_compare((*left)->write.key, (*right)->write.key);
}

static void draw_row(struct run *run, unsigned keyspace, bool is_stretch, struct load_row *row)
{
    row->write = (struct model_write){
        .kind = MODEL_PUT, .keyspace = keyspace, .from = YORE_NOW, .to = YORE_FOREVER};
    if (is_stretch) {
        int used = snprintf((char *)row->key, sizeof row->key, "m/%03u",
                            (unsigned)test_rand_below(&run->rand, RUN_LOAD_KEY_COUNT));
        row->write.key = bytes_of(row->key, (size_t)used);
    } else {
        row->write.key = run_key(run, row->key);
    }
    row->write.value = run_value(run, row->value);
}

/* Rows by key, each key once; the writes of those that are left in `writes_out`. */
static size_t sort_rows(struct load_row *rows, size_t count, struct model_write *writes_out)
{
    struct load_row **order = model_alloc(count * sizeof *order);
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        order[i] = &rows[i];
    }
    qsort(order, count, sizeof *order, compare_rows);
    for (size_t i = 0; i < count; i++) {
        if (kept == 0 || !bytes_equal(writes_out[kept - 1].key, order[i]->write.key)) {
            writes_out[kept++] = order[i]->write;
        }
    }
    free(order);
    return kept;
}

/* What must be refused leaves the load as it is. */
static bool put_refused(struct run *run, struct yore_load *load, const struct model_write *last)
{
    struct yore_error error = {0};
    enum yore_status status = yore_load_put(load, last->key, last->value, &error);
    return status == YORE_INVALID ||
           run_fail(run, "a key of a load twice: %s, expected INVALID", yore_status_name(status));
}

static bool fill(struct run *run, struct yore_load *load, const struct model_write *writes,
                 size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct yore_error error = {0};
        enum yore_status status = yore_load_put(load, writes[i].key, writes[i].value, &error);
        if (status != YORE_OK) {
            return run_fail(run, "a row of a load: %s [%s]", yore_status_name(status), error.text);
        }
        if (test_rand_one_in(&run->rand, 64) && !put_refused(run, load, &writes[i])) {
            return false;
        }
        if (test_rand_one_in(&run->rand, 48) && !run_put_now(run)) {
            return false;
        }
    }
    return true;
}

static bool end_load(struct run *run, struct yore_load *load, const struct model_write *writes,
                     size_t count)
{
    struct yore_error error = {0};
    int64_t commit = INT64_MIN;
    if (test_rand_one_in(&run->rand, 8)) {
        yore_load_abort(load);
        return true;
    }
    enum yore_status status = yore_load_commit(load, &commit, &error);
    if (status != YORE_OK) {
        return run_fail(run, "load commit: %s [%s]", yore_status_name(status), error.text);
    }
    return run_committed(run, commit, writes, count);
}

bool run_load(struct run *run)
{
    unsigned keyspace = run_space(run);
    bool is_stretch = test_rand_one_in(&run->rand, 2);
    uint64_t most = test_rand_one_in(&run->rand, 4) ? RUN_LOAD_ROWS_MAX : 30;
    size_t count = 1 + test_rand_below(&run->rand, most);
    struct load_row *rows = model_alloc(count * sizeof *rows);
    struct model_write *writes = model_alloc(count * sizeof *writes);
    struct yore_load *load = NULL;
    struct yore_error error = {0};
    for (size_t i = 0; i < count; i++) {
        draw_row(run, keyspace, is_stretch, &rows[i]);
    }
    count = sort_rows(rows, count, writes);
    enum yore_status status =
        yore_load_open(run->compare.db, run->compare.keyspaces[keyspace], &load, &error);
    bool is_right = status == YORE_OK ||
                    run_fail(run, "opening a load: %s [%s]", yore_status_name(status), error.text);
    is_right = is_right && fill(run, load, writes, count);
    if (is_right) {
        is_right = end_load(run, load, writes, count);
    } else {
        yore_load_abort(load);
    }
    free(writes);
    free(rows);
    return is_right;
}
