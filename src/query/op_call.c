/* op_call.c -- CALL of a procedure for every row. */
#include <string.h>

#include "query/operator.h"
#include "query/procedure.h"

struct call_step {
    struct operator base;
    struct run_store store; /* what a call keeps */
    bool is_open;           /* the store */
    struct procedure_context context;
    struct yore_graph_value *arguments;
    struct yore_graph_value *row;
    void *state;
    bool is_called;
};

static const struct procedure *procedure_of(const struct call_step *self)
{
    return self->base.plan->as.clause->as.call.procedure;
}

static void end_call(struct call_step *self)
{
    if (self->is_called && procedure_of(self)->close != NULL) {
        procedure_of(self)->close(self->state);
    }
    self->is_called = false;
    self->state = NULL;
}

static enum yore_status open_store(struct call_step *self)
{
    struct run *run = self->base.run;
    const struct procedure *procedure = procedure_of(self);
    run_store_open(run, &self->store);
    self->is_open = true;
    self->arguments =
        arena_alloc(&run->memory, (procedure->parameter_count + 1) * sizeof(*self->arguments));
    self->row = arena_alloc(&run->memory, (procedure->column_count + 1) * sizeof(*self->row));
    self->context = (struct procedure_context){.graph = run->graph,
                                               .view = run->eval.view,
                                               .arena = &self->store.arena,
                                               .procedure = procedure,
                                               .run = run,
                                               .error = run->error};
    return self->arguments != NULL && self->row != NULL ? YORE_OK : run_nomem(run);
}

/* CALL name without parentheses: parameters of the statement of the same names. */
static enum yore_status named_argument(struct run *run, const struct procedure_field *field,
                                       struct ast_spot spot, struct yore_graph_value *value_out)
{
    for (size_t i = 0; i < run->options->parameter_count; i++) {
        if (bytes_equal(run->options->parameters[i].name, field->name)) {
            *value_out = run->options->parameters[i].value;
            return YORE_OK;
        }
    }
    *value_out = value_null();
    if (field->is_optional) {
        return YORE_OK;
    }
    return eval_fail(&run->eval, spot, "ParameterMissing", "MissingParameter",
                     "the call takes '%.*s' from a parameter of that name, and no value was given",
                     (int)field->name.size, (const char *)field->name.data);
}

static enum yore_status argument(struct call_step *self, uint32_t index)
{
    struct run *run = self->base.run;
    const struct clause *clause = self->base.plan->as.clause;
    const struct procedure_field *field = &procedure_of(self)->parameters[index];
    struct yore_graph_value value = value_null();
    struct ast_spot spot = clause->spot;
    enum yore_status st = YORE_OK;
    if (!clause->as.call.has_arguments) {
        st = named_argument(run, field, spot, &value);
    } else if (index < clause->as.call.arguments.count) {
        spot = clause->as.call.arguments.items[index]->spot;
        st = eval_expr(&run->eval, clause->as.call.arguments.items[index], run->frame, &value);
    }
    if (st != YORE_OK) {
        return st;
    }
    if (!procedure_accepts(field->type, value.kind)) {
        return eval_fail(&run->eval, spot, "TypeError", "InvalidArgumentType",
                         "'%.*s' of %.*s cannot be a %s", (int)field->name.size,
                         (const char *)field->name.data, (int)procedure_of(self)->name.size,
                         (const char *)procedure_of(self)->name.data, value_kind_name(value.kind));
    }
    if (field->type == PROCEDURE_FLOAT && value.kind == YORE_GRAPH_INT) {
        value = value_float((double)value.as.integer);
    }
    return value_copy(&self->store.arena, &value, &self->arguments[index]);
}

static enum yore_status begin_call(struct call_step *self)
{
    struct operator* op = & self->base;
    enum yore_status st = self->is_open ? YORE_OK : open_store(self);
    if (st != YORE_OK) {
        return st;
    }
    arena_reset(&self->store.arena);
    for (uint32_t i = 0; st == YORE_OK && i < procedure_of(self)->parameter_count; i++) {
        st = argument(self, i);
    }
    if (st == YORE_OK) {
        self->context.spot = op->plan->as.clause->spot;
        st = procedure_of(self)->open(&self->context, self->arguments, &self->state);
        self->is_called = st == YORE_OK;
    }
    op->mark = arena_mark(&op->run->rows);
    return st;
}

static void bind_columns(struct call_step *self)
{
    const struct clause *clause = self->base.plan->as.clause;
    const struct procedure *procedure = procedure_of(self);
    for (uint32_t i = 0; i < clause->as.call.yield_count; i++) {
        const struct yield_item *yield = &clause->as.call.yields[i];
        for (uint32_t k = 0; k < procedure->column_count; k++) {
            if (bytes_equal(procedure->columns[k].name, yield->column)) {
                self->base.run->frame[yield->slot] = self->row[k];
            }
        }
    }
}

/* A procedure without columns is called for what it does: its row goes on as it came. */
static enum yore_status call_void(struct call_step *self)
{
    enum yore_status st = operator_pull(&self->base);
    if (st == YORE_OK) {
        st = begin_call(self);
        end_call(self);
    }
    return st;
}

static enum yore_status call_next(struct operator* op)
{
    struct call_step *self = (struct call_step *)op;
    if (procedure_of(self)->column_count == 0) {
        return call_void(self);
    }
    for (;;) {
        enum yore_status st = run_step(op->run);
        if (st == YORE_OK && self->is_called) {
            operator_rewind(op);
            st = procedure_of(self)->next(&self->context, self->state, self->row);
            if (st == YORE_OK) {
                bind_columns(self);
            }
            if (st != YORE_NOT_FOUND) {
                return st;
            }
            end_call(self);
            st = YORE_OK;
        }
        if (st == YORE_OK) {
            st = operator_pull(op);
        }
        if (st == YORE_OK) {
            st = begin_call(self);
        }
        if (st != YORE_OK) {
            return st;
        }
    }
}

static void call_reset(struct operator* op)
{
    end_call((struct call_step *)op);
}

static void call_close(struct operator* op)
{
    struct call_step *self = (struct call_step *)op;
    end_call(self);
    if (self->is_open) {
        run_store_close(op->run, &self->store);
        self->is_open = false;
    }
}

const struct operator_kind op_call = {sizeof(struct call_step), call_next, call_reset, call_close};
