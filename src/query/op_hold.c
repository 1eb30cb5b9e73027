/* op_hold.c -- steps that hold all rows back before they give the first: Eager and ORDER BY. */
#include <string.h>

#include "query/limits.h"
#include "query/operator.h"
#include "query/row_store.h"

/* ---- Eager: whatever stands behind it sees everything before it done ------------------------- */

struct eager {
    struct operator base;
    struct row_store rows;
    size_t at;
    bool is_filled;
};

static enum yore_status eager_fill(struct eager *self)
{
    struct operator* op = & self->base;
    if (self->rows.run == NULL) {
        row_store_open(&self->rows, op->run, op->plan->as.slots.count);
    }
    enum yore_status st;
    while ((st = operator_next(op->input)) == YORE_OK) {
        struct yore_graph_value *row;
        st = row_store_save(&self->rows, &op->plan->as.slots, &row);
        if (st == YORE_OK) {
            st = run_step(op->run);
        }
        if (st != YORE_OK) {
            break;
        }
    }
    self->is_filled = st == YORE_NOT_FOUND;
    self->at = 0;
    return st == YORE_NOT_FOUND ? YORE_OK : st;
}

static enum yore_status eager_next(struct operator* op)
{
    struct eager *self = (struct eager *)op;
    if (!self->is_filled) {
        enum yore_status st = eager_fill(self);
        if (st != YORE_OK) {
            return st;
        }
        op->mark = arena_mark(&op->run->rows);
    }
    operator_rewind(op);
    if (self->at == self->rows.count) {
        return YORE_NOT_FOUND;
    }
    row_store_load(&self->rows, self->at++, &op->plan->as.slots);
    return YORE_OK;
}

static void eager_reset(struct operator* op)
{
    struct eager *self = (struct eager *)op;
    if (self->rows.run != NULL) {
        row_store_clear(&self->rows);
    }
    self->is_filled = false;
}

static void eager_close(struct operator* op)
{
    row_store_close(&((struct eager *)op)->rows);
}

const struct operator_kind op_eager = {sizeof(struct eager), eager_next, eager_reset, eager_close};

/* ---- ORDER BY -------------------------------------------------------------------------------
 * A row is the kept slots, then its keys, then its number, so that equal rows keep their order.
 * With a limit only that many are wanted: when twice as many (and some) have come the worse half is
 * dropped, and the rest moves to the other of two stores, which gives back what the dropped took.
 */

struct sort {
    struct operator base;
    struct row_store stores[2];
    struct row_store *rows; /* the one in use */
    uint64_t wanted;        /* UINT64_MAX: all */
    int64_t number;
    size_t at;
    bool is_filled;
};

struct sort_order {
    const struct sort_item *items;
    uint32_t count;
    uint32_t first; /* of the keys in a row */
};

static int order_rows(const struct sort_order *order, const struct yore_graph_value *a,
                      const struct yore_graph_value *b)
{
    for (uint32_t i = 0; i < order->count; i++) {
        int by = value_order(&a[order->first + i], &b[order->first + i]);
        if (by != 0) {
            return order->items[i].is_descending ? -by : by;
        }
    }
    int64_t number_a = a[order->first + order->count].as.integer;
    int64_t number_b = b[order->first + order->count].as.integer;
    return number_a < number_b ? -1 : number_a > number_b;
}

/* Merge sort, bottom up, between the array and one of the same size. */
static void merge_runs(const struct sort_order *order, struct yore_graph_value **from,
                       struct yore_graph_value **to, size_t count, size_t width)
{
    for (size_t begin = 0; begin < count; begin += 2 * width) {
        size_t middle = begin + width < count ? begin + width : count;
        size_t end = begin + 2 * width < count ? begin + 2 * width : count;
        size_t left = begin;
        size_t right = middle;
        for (size_t i = begin; i < end; i++) {
            bool takes_left =
                left < middle && (right == end || order_rows(order, from[left], from[right]) <= 0);
            to[i] = takes_left ? from[left++] : from[right++];
        }
    }
}

static enum yore_status sort_rows(struct sort *self)
{
    const struct plan_node *plan = self->base.plan;
    struct sort_order order = {plan->as.sort.items, plan->as.sort.count, plan->as.sort.kept.count};
    struct row_store *rows = self->rows;
    if (rows->count < 2) {
        return YORE_OK;
    }
    struct yore_graph_value **other = arena_alloc(&rows->store.arena, rows->count * sizeof(*other));
    if (other == NULL) {
        return run_nomem(self->base.run);
    }
    struct yore_graph_value **from = rows->rows;
    struct yore_graph_value **to = other;
    for (size_t width = 1; width < rows->count; width *= 2) {
        merge_runs(&order, from, to, rows->count, width);
        struct yore_graph_value **sorted = to;
        to = from;
        from = sorted;
    }
    if (from != rows->rows) {
        memcpy(rows->rows, from, rows->count * sizeof(*from));
    }
    return YORE_OK;
}

/* Keep the wanted ones of what has come so far, in order. */
static enum yore_status cut(struct sort *self)
{
    enum yore_status st = sort_rows(self);
    struct row_store *rows = self->rows;
    if (st != YORE_OK || rows->count <= self->wanted) {
        return st;
    }
    struct row_store *next = rows == &self->stores[0] ? &self->stores[1] : &self->stores[0];
    for (size_t i = 0; st == YORE_OK && i < self->wanted; i++) {
        st = row_store_add(next, rows->rows[i]);
    }
    row_store_clear(rows);
    self->rows = next;
    return st;
}

static enum yore_status sort_add(struct sort *self)
{
    struct operator* op = & self->base;
    struct run *run = op->run;
    const struct plan_node *plan = op->plan;
    struct yore_graph_value *row;
    enum yore_status st = row_store_save(self->rows, &plan->as.sort.kept, &row);
    uint32_t first = plan->as.sort.kept.count;
    for (uint32_t i = 0; st == YORE_OK && i < plan->as.sort.count; i++) {
        struct yore_graph_value key;
        st = eval_expr(&run->eval, plan->as.sort.items[i].value, run->frame, &key);
        if (st == YORE_OK &&
            value_copy(&self->rows->store.arena, &key, &row[first + i]) != YORE_OK) {
            st = run_nomem(run);
        }
    }
    if (st == YORE_OK) {
        row[first + plan->as.sort.count] = value_int(self->number++);
        st = run_step(run);
    }
    if (st == YORE_OK && self->wanted < SIZE_MAX / 4 &&
        self->rows->count >= 2 * self->wanted + QUERY_SORT_SLACK) {
        st = cut(self);
    }
    return st;
}

static enum yore_status sort_begin(struct sort *self)
{
    struct operator* op = & self->base;
    const struct plan_node *plan = op->plan;
    size_t width = (size_t)plan->as.sort.kept.count + plan->as.sort.count + 1;
    if (self->rows == NULL) {
        row_store_open(&self->stores[0], op->run, width);
        row_store_open(&self->stores[1], op->run, width);
        self->rows = &self->stores[0];
    }
    self->wanted = UINT64_MAX;
    self->number = 0;
    if (plan->as.sort.limit == NULL) {
        return YORE_OK;
    }
    uint64_t limit = 0;
    uint64_t skip = 0;
    enum yore_status st = operator_count(op, plan->as.sort.limit, "LIMIT", &limit);
    if (st == YORE_OK && plan->as.sort.skip != NULL) {
        st = operator_count(op, plan->as.sort.skip, "SKIP", &skip);
    }
    self->wanted = limit > UINT64_MAX - skip ? UINT64_MAX : limit + skip;
    return st;
}

static enum yore_status sort_fill(struct sort *self)
{
    enum yore_status st = sort_begin(self);
    while (st == YORE_OK && (st = operator_next(self->base.input)) == YORE_OK) {
        st = sort_add(self);
    }
    if (st == YORE_NOT_FOUND) {
        st = cut(self);
        self->is_filled = st == YORE_OK;
        self->at = 0;
    }
    return st;
}

static enum yore_status sort_next(struct operator* op)
{
    struct sort *self = (struct sort *)op;
    if (!self->is_filled) {
        enum yore_status st = sort_fill(self);
        if (st != YORE_OK) {
            return st;
        }
        op->mark = arena_mark(&op->run->rows);
    }
    operator_rewind(op);
    if (self->at == self->rows->count || self->at >= self->wanted) {
        return YORE_NOT_FOUND;
    }
    row_store_load(self->rows, self->at++, &op->plan->as.sort.kept);
    return YORE_OK;
}

static void sort_reset(struct operator* op)
{
    struct sort *self = (struct sort *)op;
    if (self->rows != NULL) {
        row_store_clear(&self->stores[0]);
        row_store_clear(&self->stores[1]);
    }
    self->is_filled = false;
}

static void sort_close(struct operator* op)
{
    struct sort *self = (struct sort *)op;
    row_store_close(&self->stores[0]);
    row_store_close(&self->stores[1]);
    self->rows = NULL;
}

const struct operator_kind op_sort = {sizeof(struct sort), sort_next, sort_reset, sort_close};
