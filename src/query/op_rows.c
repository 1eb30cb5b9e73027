/* op_rows.c -- steps that shape rows one by one: begin, values, lists unwound, how many. */
#include "query/operator.h"

/* ---- where a plan begins -------------------------------------------------------------------- */

struct argument {
    struct operator base;
    bool is_told;
};

static enum yore_status argument_next(struct operator* op)
{
    struct argument *self = (struct argument *)op;
    if (self->is_told) {
        return YORE_NOT_FOUND;
    }
    self->is_told = true;
    return YORE_OK;
}

static void argument_reset(struct operator* op)
{
    ((struct argument *)op)->is_told = false;
}

const struct operator_kind op_argument = {sizeof(struct argument), argument_next, argument_reset,
                                          NULL};

/* ---- values --------------------------------------------------------------------------------- */

static enum yore_status project_next(struct operator* op)
{
    enum yore_status st = operator_next(op->input);
    const struct projection *projection = op->plan->as.projection;
    struct run *run = op->run;
    for (uint32_t i = 0; st == YORE_OK && i < projection->item_count; i++) {
        const struct projection_item *item = &projection->items[i];
        bool is_in_place =
            item->value->kind == EXPR_VARIABLE && item->value->as.variable.slot == item->slot;
        if (!is_in_place) {
            struct yore_graph_value value;
            st = eval_expr(&run->eval, item->value, run->frame, &value);
            if (st == YORE_OK) {
                run->frame[item->slot] = value;
            }
        }
    }
    return st;
}

const struct operator_kind op_project = {sizeof(struct operator), project_next, NULL, NULL};

/* ---- UNWIND --------------------------------------------------------------------------------- */

struct unwind {
    struct operator base;
    struct yore_graph_value list;
    struct number_range range; /* instead, where the list is a range(): it is never made */
    bool is_range;
    uint64_t index;
};

static enum yore_status unwind_begin(struct unwind *self)
{
    struct operator* op = & self->base;
    struct run *run = op->run;
    const struct expr *list = op->plan->as.clause->as.unwind.list;
    self->is_range = eval_is_range(list);
    enum yore_status st = self->is_range ? eval_range(&run->eval, list, run->frame, &self->range)
                                         : eval_expr(&run->eval, list, run->frame, &self->list);
    op->mark = arena_mark(&run->rows);
    self->index = 0;
    return st;
}

/* The next value; something that is not a list is a list of itself, and null of nothing. */
static bool unwind_value(struct unwind *self, struct yore_graph_value *value_out)
{
    if (self->is_range) {
        if (self->index == self->range.count) {
            return false;
        }
        *value_out = value_int(number_range_at(&self->range, self->index++));
        return true;
    }
    if (self->list.kind == YORE_GRAPH_LIST) {
        if (self->index == self->list.as.list.count) {
            return false;
        }
        *value_out = self->list.as.list.items[self->index++];
        return true;
    }
    *value_out = self->list;
    return self->index++ == 0 && !value_is_null(&self->list);
}

static enum yore_status unwind_next(struct operator* op)
{
    struct unwind *self = (struct unwind *)op;
    for (;;) {
        enum yore_status st = run_step(op->run);
        if (st != YORE_OK) {
            return st;
        }
        if (op->is_active) {
            operator_rewind(op);
            if (unwind_value(self, &op->run->frame[op->plan->slot])) {
                return YORE_OK;
            }
        }
        st = operator_pull(op);
        if (st == YORE_OK) {
            st = unwind_begin(self);
        }
        if (st != YORE_OK) {
            return st;
        }
    }
}

const struct operator_kind op_unwind = {sizeof(struct unwind), unwind_next, NULL, NULL};

/* ---- SKIP and LIMIT ------------------------------------------------------------------------- */

enum yore_status operator_count(struct operator* op, const struct expr *expr, const char *what,
                                uint64_t *count_out)
{
    struct run *run = op->run;
    struct yore_graph_value value;
    enum yore_status st = eval_expr(&run->eval, expr, run->frame, &value);
    if (st != YORE_OK) {
        return st;
    }
    if (value.kind != YORE_GRAPH_INT) {
        return eval_fail(&run->eval, expr->spot, "SyntaxError", "InvalidArgumentType",
                         "%s takes an integer that is not negative, not a %s", what,
                         value_kind_name(value.kind));
    }
    if (value.as.integer < 0) {
        return eval_fail(&run->eval, expr->spot, "SyntaxError", "NegativeIntegerArgument",
                         "%s takes an integer that is not negative", what);
    }
    *count_out = (uint64_t)value.as.integer;
    return YORE_OK;
}

struct counted {
    struct operator base;
    uint64_t limit;
    uint64_t count;
    bool is_known;
};

static void counted_reset(struct operator* op)
{
    struct counted *self = (struct counted *)op;
    self->is_known = false;
    self->count = 0;
}

static enum yore_status counted_begin(struct counted *self, const char *what)
{
    if (self->is_known) {
        return YORE_OK;
    }
    self->is_known = true;
    return operator_count(&self->base, self->base.plan->as.count, what, &self->limit);
}

static enum yore_status skip_next(struct operator* op)
{
    struct counted *self = (struct counted *)op;
    enum yore_status st = counted_begin(self, "SKIP");
    while (st == YORE_OK && self->count < self->limit) {
        self->count++;
        st = operator_next(op->input);
    }
    return st == YORE_OK ? operator_next(op->input) : st;
}

/* A statement that writes does all of its work, however few rows are wanted. */
static enum yore_status limit_next(struct operator* op)
{
    struct counted *self = (struct counted *)op;
    enum yore_status st = counted_begin(self, "LIMIT");
    if (st == YORE_OK && self->count < self->limit) {
        self->count++;
        return operator_next(op->input);
    }
    while (st == YORE_OK && op->run->writes) {
        st = operator_next(op->input);
    }
    return st == YORE_OK ? YORE_NOT_FOUND : st;
}

const struct operator_kind op_skip = {sizeof(struct counted), skip_next, counted_reset, NULL};
const struct operator_kind op_limit = {sizeof(struct counted), limit_next, counted_reset, NULL};
