/* row_store.h -- rows that are held back: copies of some values each, in an arena of their own that
 * counts towards the memory budget. */
#ifndef YORE_QUERY_ROW_STORE_H
#define YORE_QUERY_ROW_STORE_H

#include <stddef.h>
#include <stdint.h>

#include "query/plan.h"
#include "query/run.h"

struct row_store {
    struct run *run;
    struct run_store store;
    struct yore_graph_value **rows; /* each of `width` values */
    size_t width;
    size_t count;
    size_t capacity;
};

/* Until row_store_close() the address must not change. */
void row_store_open(struct row_store *rows, struct run *run, size_t width);
void row_store_close(struct row_store *rows);
/* Forget the rows; memory is kept for the next. */
void row_store_clear(struct row_store *rows);
/* Copies `values`. */
enum yore_status row_store_add(struct row_store *rows, const struct yore_graph_value *values);
/* The slots of the frame; `width` is their count and `more`, which are left null. */
enum yore_status row_store_save(struct row_store *rows, const struct plan_slots *slots,
                                struct yore_graph_value **row_out);
void row_store_load(const struct row_store *rows, size_t index, const struct plan_slots *slots);

#endif
