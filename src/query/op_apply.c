/* op_apply.c -- steps with a subplan that is run for every row of their input: OPTIONAL MATCH,
 * CALL { ... }, FOREACH; and UNION, which runs several one after the other. */
#include "query/operator.h"

/* ---- OPTIONAL MATCH ------------------------------------------------------------------------- */

struct optional {
    struct operator base;
    bool has_row;
};

static enum yore_status optional_next(struct operator* op)
{
    struct optional *self = (struct optional *)op;
    for (;;) {
        if (op->is_active) {
            enum yore_status st = operator_next(op->inner);
            if (st != YORE_NOT_FOUND) {
                self->has_row = true;
                return st;
            }
            op->is_active = false;
            if (!self->has_row) {
                for (uint32_t i = 0; i < op->plan->as.slots.count; i++) {
                    op->run->frame[op->plan->as.slots.items[i]] = value_null();
                }
                return YORE_OK;
            }
        }
        enum yore_status st = operator_pull(op);
        if (st != YORE_OK) {
            return st;
        }
        operator_reset(op->inner);
        self->has_row = false;
    }
}

const struct operator_kind op_optional = {sizeof(struct optional), optional_next, NULL, NULL};

/* ---- CALL { ... } --------------------------------------------------------------------------- */

/* A subquery that returns nothing is run for what it does; the row goes on once. */
static enum yore_status unit_next(struct operator* op)
{
    enum yore_status st = operator_pull(op);
    if (st != YORE_OK) {
        return st;
    }
    operator_reset(op->inner);
    while ((st = operator_next(op->inner)) == YORE_OK) {
        st = run_step(op->run);
        if (st != YORE_OK) {
            return st;
        }
    }
    return st == YORE_NOT_FOUND ? YORE_OK : st;
}

static enum yore_status apply_next(struct operator* op)
{
    if (op->plan->as.clause->as.subquery.body->column_count == 0) {
        return unit_next(op);
    }
    for (;;) {
        if (op->is_active) {
            enum yore_status st = operator_next(op->inner);
            if (st != YORE_NOT_FOUND) {
                return st;
            }
        }
        enum yore_status st = operator_pull(op);
        if (st != YORE_OK) {
            return st;
        }
        operator_reset(op->inner);
    }
}

const struct operator_kind op_apply = {sizeof(struct operator), apply_next, NULL, NULL};

/* ---- FOREACH -------------------------------------------------------------------------------- */

static enum yore_status run_body(struct operator* op)
{
    operator_reset(op->inner);
    enum yore_status st;
    do {
        st = operator_next(op->inner);
    } while (st == YORE_OK);
    return st == YORE_NOT_FOUND ? YORE_OK : st;
}

static enum yore_status foreach_next(struct operator* op)
{
    struct run *run = op->run;
    const struct clause *clause = op->plan->as.write.clause;
    enum yore_status st = operator_pull(op);
    struct yore_graph_value list = value_null();
    if (st == YORE_OK) {
        st = eval_expr(&run->eval, clause->as.foreach.list, run->frame, &list);
    }
    if (st != YORE_OK || value_is_null(&list)) {
        return st;
    }
    if (list.kind != YORE_GRAPH_LIST) {
        return eval_fail(&run->eval, clause->as.foreach.list->spot, "TypeError",
                         "InvalidArgumentType", "FOREACH takes a list, not a %s",
                         value_kind_name(list.kind));
    }
    for (size_t i = 0; st == YORE_OK && i < list.as.list.count; i++) {
        run->frame[op->plan->slot] = list.as.list.items[i];
        st = run_step(run);
        if (st == YORE_OK) {
            st = run_body(op);
        }
    }
    return st;
}

const struct operator_kind op_foreach = {sizeof(struct operator), foreach_next, NULL, NULL};

/* ---- UNION ---------------------------------------------------------------------------------- */

struct merged {
    struct operator base;
    struct operator** parts;
    uint32_t at;
};

static enum yore_status merged_open(struct merged *self)
{
    struct run *run = self->base.run;
    uint32_t count = self->base.plan->as.merged.part_count;
    struct operator** parts = arena_alloc(&run->memory, count * sizeof(*parts));
    if (parts == NULL) {
        return run_nomem(run);
    }
    for (uint32_t i = 0; i < count; i++) {
        parts[i] = NULL;
    }
    self->parts = parts;
    enum yore_status st = YORE_OK;
    for (uint32_t i = 0; st == YORE_OK && i < count; i++) {
        st = operator_new(run, self->base.plan->as.merged.parts[i], &parts[i]);
    }
    return st;
}

static enum yore_status merged_next(struct operator* op)
{
    struct merged *self = (struct merged *)op;
    const struct query_part *part = op->plan->as.merged.part;
    struct yore_graph_value *frame = op->run->frame;
    enum yore_status st = self->parts == NULL ? merged_open(self) : YORE_OK;
    while (st == YORE_OK && self->at < op->plan->as.merged.part_count) {
        st = operator_next(self->parts[self->at]);
        if (st == YORE_OK) {
            for (uint32_t i = 0; i < part->column_count; i++) {
                frame[part->columns[i].slot] = frame[part->column_slots[self->at][i]];
            }
            return YORE_OK;
        }
        if (st == YORE_NOT_FOUND) {
            self->at++;
            st = YORE_OK;
        }
    }
    return st == YORE_OK ? YORE_NOT_FOUND : st;
}

const struct operator* operator_part(const struct operator* op, uint32_t part)
{
    const struct merged *self = (const struct merged *)op;
    return self->parts != NULL ? self->parts[part] : NULL;
}

static void merged_reset(struct operator* op)
{
    struct merged *self = (struct merged *)op;
    self->at = 0;
    for (uint32_t i = 0; self->parts != NULL && i < op->plan->as.merged.part_count; i++) {
        operator_reset(self->parts[i]);
    }
}

static void merged_close(struct operator* op)
{
    struct merged *self = (struct merged *)op;
    for (uint32_t i = 0; self->parts != NULL && i < op->plan->as.merged.part_count; i++) {
        operator_close(self->parts[i]);
    }
}

const struct operator_kind op_union = {sizeof(struct merged), merged_next, merged_reset,
                                       merged_close};
