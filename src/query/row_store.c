#include "query/row_store.h"

#include <string.h>

#define ROWS_FIRST 64

void row_store_open(struct row_store *rows, struct run *run, size_t width)
{
    memset(rows, 0, sizeof(*rows));
    rows->run = run;
    rows->width = width;
    run_store_open(run, &rows->store);
}

void row_store_close(struct row_store *rows)
{
    if (rows->run != NULL) {
        run_store_close(rows->run, &rows->store);
        rows->run = NULL;
    }
}

void row_store_clear(struct row_store *rows)
{
    arena_reset(&rows->store.arena);
    rows->rows = NULL;
    rows->count = 0;
    rows->capacity = 0;
}

static enum yore_status add_row(struct row_store *rows, struct yore_graph_value **row_out)
{
    struct arena *arena = &rows->store.arena;
    if (rows->count == rows->capacity) {
        size_t capacity = rows->capacity == 0 ? ROWS_FIRST : rows->capacity * 2;
        struct yore_graph_value **grown = arena_alloc(arena, capacity * sizeof(*grown));
        if (grown == NULL) {
            return run_nomem(rows->run);
        }
        if (rows->count > 0) {
            memcpy(grown, rows->rows, rows->count * sizeof(*grown));
        }
        rows->rows = grown;
        rows->capacity = capacity;
    }
    size_t size = rows->width * sizeof(struct yore_graph_value);
    struct yore_graph_value *row = arena_alloc(arena, size + 1);
    if (row == NULL) {
        return run_nomem(rows->run);
    }
    memset(row, 0, size);
    rows->rows[rows->count++] = row;
    *row_out = row;
    return YORE_OK;
}

static enum yore_status copy(struct row_store *rows, const struct yore_graph_value *value,
                             struct yore_graph_value *copy_out)
{
    enum yore_status st = value_copy(&rows->store.arena, value, copy_out);
    return st == YORE_OK ? YORE_OK : run_nomem(rows->run);
}

enum yore_status row_store_add(struct row_store *rows, const struct yore_graph_value *values)
{
    struct yore_graph_value *row;
    enum yore_status st = add_row(rows, &row);
    for (size_t i = 0; st == YORE_OK && i < rows->width; i++) {
        st = copy(rows, &values[i], &row[i]);
    }
    return st;
}

enum yore_status row_store_save(struct row_store *rows, const struct plan_slots *slots,
                                struct yore_graph_value **row_out)
{
    enum yore_status st = add_row(rows, row_out);
    for (uint32_t i = 0; st == YORE_OK && i < slots->count; i++) {
        st = copy(rows, &rows->run->frame[slots->items[i]], &(*row_out)[i]);
    }
    return st;
}

void row_store_load(const struct row_store *rows, size_t index, const struct plan_slots *slots)
{
    for (uint32_t i = 0; i < slots->count; i++) {
        rows->run->frame[slots->items[i]] = rows->rows[index][i];
    }
}
