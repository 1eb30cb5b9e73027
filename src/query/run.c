#include "query/run.h"

#include <inttypes.h>
#include <string.h>

#include "base/moment.h"
#include "query/limits.h"
#include "query/operator.h"
#include "query/subplan.h"
#include "query/value_check.h"

#define NS_PER_SECOND INT64_C(1000000000)

enum yore_status run_nomem(struct run *run)
{
    return error_set(run_error(run), YORE_NOMEM, "out of memory while the statement ran");
}

/* ---- budgets -------------------------------------------------------------------------------- */

static uint64_t memory_taken(const struct run *run)
{
    uint64_t bytes = run->rows.bytes + run->memory.bytes;
    for (const struct run_store *store = run->stores; store != NULL; store = store->next) {
        bytes += store->arena.bytes;
    }
    return bytes;
}

static enum yore_status over(struct run *run, const char *what, uint64_t limit, const char *unit)
{
    run->is_over = true;
    if (run->options->budget.partial_results && !run->writes && !run->is_stopping) {
        /* Sources end now; what is held back already is let out, with as much again for it. */
        run->is_stopping = true;
        run->budget.steps_max += run->budget.steps_max / 2 + QUERY_STEPS_PER_CHECK;
        run->budget.memory_bytes += run->budget.memory_bytes / 2;
        run->budget.time_ns += run->budget.time_ns / 2;
        return YORE_NOT_FOUND;
    }
    run->error->detail = what;
    return error_set(run_error(run), YORE_TOO_BIG,
                     "the statement is over its budget of %" PRIu64 " %s (%s); ask for less, with "
                     "LIMIT or a narrower pattern, or raise the budget",
                     limit, unit, what);
}

static uint64_t elapsed_ns(const struct run *run)
{
    int64_t now = yore_now(graph_db(run->graph));
    uint64_t elapsed = now > run->begun_ns ? (uint64_t)(now - run->begun_ns) : 0;
    return elapsed > run->excused_ns ? elapsed - run->excused_ns : 0;
}

enum yore_status run_cancelled(struct run *run)
{
    const struct query_options *options = run->options;
    if (options->is_cancelled == NULL || !options->is_cancelled(options->cancel_arg)) {
        return YORE_OK;
    }
    return error_set(run_error(run), YORE_CANCELLED,
                     run->writes ? "the statement was cancelled; nothing of it was written"
                                 : "the statement was cancelled");
}

enum yore_status run_check(struct run *run)
{
    if (run_cancelled(run) != YORE_OK) {
        return YORE_CANCELLED;
    }
    struct eval *eval = &run->eval;
    const struct query_budget *asked = &run->budget;
    if (eval->steps >= asked->steps_max) {
        return over(run, "steps", asked->steps_max, "steps");
    }
    if (memory_taken(run) > asked->memory_bytes) {
        return over(run, "memory", asked->memory_bytes, "bytes");
    }
    if (elapsed_ns(run) > asked->time_ns) {
        return over(run, "time", asked->time_ns / 1000000, "ms");
    }
    uint64_t left = asked->steps_max - eval->steps;
    eval->steps_check = eval->steps + (left < QUERY_STEPS_PER_CHECK ? left : QUERY_STEPS_PER_CHECK);
    return run->is_stopping ? YORE_NOT_FOUND : YORE_OK;
}

/* Inside of an expression there is nothing to end: its row is made whole. */
static enum yore_status check_port(struct eval *eval)
{
    enum yore_status st = run_check(eval->ports->arg);
    return st == YORE_NOT_FOUND ? YORE_OK : st;
}

static uint64_t or_default(uint64_t given, uint64_t fallback)
{
    return given != 0 ? given : fallback;
}

static void set_budget(struct run *run)
{
    const struct query_budget *asked = &run->options->budget;
    run->budget.rows_max = or_default(asked->rows_max, UINT64_MAX);
    run->budget.steps_max = or_default(asked->steps_max, QUERY_STEPS_DEFAULT);
    run->budget.memory_bytes = or_default(asked->memory_bytes, QUERY_MEMORY_BYTES_DEFAULT);
    run->eval.memory_bytes_max = run->budget.memory_bytes;
    run->budget.time_ns = or_default(asked->time_ns, QUERY_TIME_NS_DEFAULT);
    run->eval.steps_check = run->budget.steps_max < QUERY_STEPS_PER_CHECK ? run->budget.steps_max
                                                                          : QUERY_STEPS_PER_CHECK;
}

void run_store_open(struct run *run, struct run_store *store)
{
    arena_init(&store->arena, QUERY_STORE_CHUNK_BYTES);
    store->next = run->stores;
    run->stores = store;
}

void run_store_close(struct run *run, struct run_store *store)
{
    for (struct run_store **at = &run->stores; *at != NULL; at = &(*at)->next) {
        if (*at == store) {
            *at = store->next;
            break;
        }
    }
    arena_release(&store->arena);
}

/* ---- moments -------------------------------------------------------------------------------- */

static enum yore_status at_seconds(struct run *run, int64_t seconds, int32_t nanoseconds,
                                   struct ast_spot spot, int64_t *moment_out)
{
    int64_t whole;
    if (__builtin_mul_overflow(seconds, NS_PER_SECOND, &whole) ||
        __builtin_add_overflow(whole, nanoseconds, moment_out)) {
        return eval_fail(&run->eval, spot, "ArgumentError", "NumberOutOfRange",
                         "a moment lies in the years 1678 to 2262");
    }
    return YORE_OK;
}

enum yore_status moment_of_value(struct run *run, const struct yore_graph_value *value,
                                 struct ast_spot spot, int64_t *moment_out)
{
    struct yore_error error;
    switch (value->kind) {
    case YORE_GRAPH_INT:
        *moment_out = value->as.integer;
        return YORE_OK;
    case YORE_GRAPH_DATETIME:
        return at_seconds(run, value->as.datetime->seconds, value->as.datetime->nanoseconds, spot,
                          moment_out);
    case YORE_GRAPH_LOCAL_DATETIME:
        return at_seconds(run, value->as.clock.seconds, value->as.clock.nanoseconds, spot,
                          moment_out);
    case YORE_GRAPH_DATE:
        return at_seconds(run, value->as.days * 86400, 0, spot, moment_out);
    case YORE_GRAPH_STRING:
        if (moment_parse(value->as.string, run->begun_ns, moment_out, &error) == YORE_OK) {
            return YORE_OK;
        }
        return eval_fail(&run->eval, spot, "ArgumentError", "InvalidArgumentValue", "%s",
                         error.text);
    default:
        return eval_fail(&run->eval, spot, "TypeError", "InvalidArgumentType",
                         "a moment is text such as '2026-11-21T10:00:00Z' or '-1h', an integer of "
                         "nanoseconds since 1970 or a datetime, not a %s",
                         value_kind_name(value->kind));
    }
}

enum yore_status run_may_look(struct run *run, int64_t moment, struct ast_spot spot)
{
    const struct query_options *options = run->options;
    if (options->may_look == NULL || moment == YORE_NOW || moment >= run->begun_ns ||
        options->may_look(options->look_arg, moment)) {
        return YORE_OK;
    }
    char text[MOMENT_TEXT_BYTES];
    if (moment == YORE_TIME_MIN) {
        return eval_fail(&run->eval, spot, "SecurityError", "Forbidden",
                         "this user has no permissions to look at all of the past: name the "
                         "moment to begin at");
    }
    return eval_fail(&run->eval, spot, "SecurityError", "Forbidden",
                     "this user has no permissions to look at %s", moment_format(moment, text));
}

enum yore_status run_moment(struct run *run, const struct expr *expr, int64_t *moment_out)
{
    struct yore_graph_value value;
    enum yore_status st = eval_expr(&run->eval, expr, run->frame, &value);
    if (st == YORE_OK) {
        st = moment_of_value(run, &value, expr->spot, moment_out);
    }
    return st == YORE_OK ? run_may_look(run, *moment_out, expr->spot) : st;
}

static enum yore_status open_view(struct run *run, uint32_t moment)
{
    const struct time_spec *time = &run->plan->moments[moment];
    struct yore_time at = run->options->at;
    enum yore_status st = run_may_look(run, at.valid, (struct ast_spot){0});
    if (st == YORE_OK) {
        st = run_may_look(run, at.known, (struct ast_spot){0});
    }
    if (st == YORE_OK && time->as_of != NULL) {
        st = run_moment(run, time->as_of, &at.valid);
    }
    if (st == YORE_OK && time->known != NULL) {
        st = run_moment(run, time->known, &at.known);
    }
    if (st != YORE_OK) {
        return st;
    }
    bool is_now = at.valid == YORE_NOW && at.known == YORE_NOW;
    int64_t until = YORE_FOREVER;
    if (time->as_of != NULL) {
        st = graph_was_another(run->graph, &at, &until, run_error(run));
    }
    if (st != YORE_OK) {
        return st;
    }
    if (until != YORE_FOREVER) {
        char text[MOMENT_TEXT_BYTES];
        return eval_fail(&run->eval, time->as_of->spot, "ArgumentError", "InvalidArgumentValue",
                         "at that moment the graph's name belonged to another one, which was "
                         "dropped at %s: ask that one, with the moment beside the statement",
                         moment_format(until, text));
    }
    return graph_view_open(run->graph, run->txn, is_now ? NULL : &at, &run->views[moment],
                           run_error(run));
}

enum yore_status run_view(struct run *run, uint32_t moment, struct graph_view **view_out)
{
    if (run->views[moment] == NULL) {
        enum yore_status st = open_view(run, moment);
        if (st != YORE_OK) {
            return st;
        }
    }
    *view_out = run->views[moment];
    return YORE_OK;
}

/* ---- names ---------------------------------------------------------------------------------- */

uint32_t run_token(struct run *run, uint32_t name)
{
    if (run->tokens[name] == GRAPH_NO_TOKEN) {
        const struct plan_name *wanted = &run->plan->names[name];
        run->tokens[name] = graph_token(run->graph, wanted->kind, wanted->name);
    }
    return run->tokens[name];
}

enum yore_status run_make_token(struct run *run, enum graph_token_kind kind, struct yore_bytes name,
                                uint32_t *token_out)
{
    return graph_txn_token(run->txn, kind, name, token_out, run_error(run));
}

/* ---- a run ---------------------------------------------------------------------------------- */

static bool is_deleted(struct eval *eval, const struct yore_graph_value *element)
{
    const struct run *run = eval->ports->arg;
    const struct id_map *deleted =
        value_is_node(element) ? &run->deleted_nodes : &run->deleted_relationships;
    return id_map_get(deleted, value_element_id(element)) != UINT32_MAX;
}

static bool deleted_ends(struct eval *eval, const struct yore_graph_value *relationship,
                         struct graph_ends *ends_out)
{
    const struct run *run = eval->ports->arg;
    uint32_t index = id_map_get(&run->deleted_relationships, value_element_id(relationship));
    if (index == UINT32_MAX) {
        return false;
    }
    *ends_out = run->deleted_ends[index];
    return true;
}

enum yore_status run_forget_node(struct run *run, uint64_t id)
{
    uint32_t number;
    bool is_new;
    enum yore_status st = id_map_put(&run->deleted_nodes, id, 0, &number, &is_new);
    return st == YORE_OK ? YORE_OK : run_nomem(run);
}

enum yore_status run_forget_relationship(struct run *run, uint64_t id,
                                         const struct graph_ends *ends)
{
    size_t count = run->deleted_relationships.count;
    if (count == run->deleted_capacity) {
        size_t capacity = count == 0 ? 64 : count * 2;
        struct graph_ends *grown = arena_alloc(&run->memory, capacity * sizeof(*grown));
        if (grown == NULL) {
            return run_nomem(run);
        }
        if (count > 0) {
            memcpy(grown, run->deleted_ends, count * sizeof(*grown));
        }
        run->deleted_ends = grown;
        run->deleted_capacity = capacity;
    }
    uint32_t index;
    bool is_new;
    enum yore_status st =
        id_map_put(&run->deleted_relationships, id, (uint32_t)count, &index, &is_new);
    if (st != YORE_OK) {
        return run_nomem(run);
    }
    run->deleted_ends[index] = *ends;
    return YORE_OK;
}

static enum yore_status bind_parameters(struct run *run)
{
    const struct statement *statement = run->plan->statement;
    struct yore_graph_value *values =
        arena_alloc(&run->memory, (statement->parameter_count + 1) * sizeof(*values));
    if (values == NULL) {
        return run_nomem(run);
    }
    for (uint32_t i = 0; i < statement->parameter_count; i++) {
        const struct query_parameter *found = NULL;
        for (size_t k = 0; k < run->options->parameter_count; k++) {
            if (bytes_equal(run->options->parameters[k].name, statement->parameters[i])) {
                found = &run->options->parameters[k];
            }
        }
        if (found == NULL) {
            run->error->type = "ParameterMissing";
            run->error->detail = "MissingParameter";
            run->error->is_compile_time = true; /* as the kit has it: nothing has run yet */
            return error_set(run_error(run), YORE_INVALID,
                             "the statement has a parameter $%.*s, and no value was given for it",
                             (int)statement->parameters[i].size,
                             (const char *)statement->parameters[i].data);
        }
        struct yore_error wrong;
        enum yore_status st = value_check(&found->value, &wrong);
        if (st != YORE_OK) {
            return error_set(run_error(run), st, "parameter $%.*s: %s",
                             (int)statement->parameters[i].size,
                             (const char *)statement->parameters[i].data, wrong.text);
        }
        values[i] = found->value;
    }
    run->eval.parameters = values;
    return YORE_OK;
}

static void *zeroed(struct run *run, size_t count, size_t size)
{
    void *made = arena_alloc(&run->memory, count * size + 1);
    if (made != NULL) {
        memset(made, 0, count * size);
    }
    return made;
}

static enum yore_status allocate(struct run *run)
{
    const struct plan *plan = run->plan;
    run->frame = zeroed(run, plan->slot_count, sizeof(*run->frame));
    run->views = zeroed(run, plan->moment_count, sizeof(*run->views));
    run->tokens = zeroed(run, plan->name_count, sizeof(*run->tokens));
    run->subplans = zeroed(run, plan->subquery_count, sizeof(*run->subplans));
    run->eval.property_tokens =
        zeroed(run, plan->statement->property_count, sizeof(*run->eval.property_tokens));
    bool has_all = run->frame != NULL && run->views != NULL && run->tokens != NULL &&
                   run->subplans != NULL && run->eval.property_tokens != NULL;
    return has_all ? YORE_OK : run_nomem(run);
}

enum yore_status run_begin(struct run *run, const struct plan *plan, struct graph *graph,
                           struct graph_txn *txn, const struct query_options *options,
                           struct query_error *error)
{
    memset(run, 0, sizeof(*run));
    run->plan = plan;
    run->options = options;
    run->graph = graph;
    run->txn = txn;
    run->writes = plan->statement->body.writes;
    run->is_profiled = plan->statement->mode == STATEMENT_PROFILE;
    run->error = error;
    arena_init(&run->memory, QUERY_RUN_CHUNK_BYTES);
    arena_init(&run->rows, QUERY_RUN_CHUNK_BYTES);
    run->deleted_nodes.arena = &run->memory;
    run->deleted_relationships.arena = &run->memory;
    run->begun_ns = yore_now(graph_db(graph));
    run->ports = (struct eval_ports){.subquery = subplan_value,
                                     .check = check_port,
                                     .is_deleted = is_deleted,
                                     .deleted_ends = deleted_ends,
                                     .arg = run};
    run->eval.graph = graph;
    run->eval.statement = plan->statement;
    run->eval.arena = &run->rows;
    run->eval.clock = (struct eval_clock){run->begun_ns, run->begun_ns};
    run->eval.ports = &run->ports;
    run->eval.error = error;
    set_budget(run);
    enum yore_status st = allocate(run);
    if (st == YORE_OK) {
        st = bind_parameters(run);
    }
    if (st == YORE_OK) {
        st = run_view(run, 0, &run->eval.view);
    }
    if (st == YORE_OK) {
        st = operator_new(run, plan->root, &run->root);
    }
    run->rows_begin = arena_mark(&run->rows);
    return st;
}

void run_rewind(struct run *run)
{
    operator_reset(run->root);
    arena_rewind(&run->rows, run->rows_begin);
    run->excused_ns += elapsed_ns(run); /* the moment it begun stays: moments count from it */
    run->eval.steps = 0;
    set_budget(run);
}

void run_finish(struct run *run)
{
    if (run->root != NULL) {
        operator_close(run->root);
        run->root = NULL;
    }
    for (uint32_t i = 0; run->subplans != NULL && i < run->plan->subquery_count; i++) {
        if (run->subplans[i].root != NULL) {
            operator_close(run->subplans[i].root);
            run->subplans[i].root = NULL;
        }
    }
    for (uint32_t i = 0; run->views != NULL && i < run->plan->moment_count; i++) {
        if (run->views[i] != NULL) {
            graph_view_close(run->views[i]);
            run->views[i] = NULL;
        }
    }
}

void run_end(struct run *run)
{
    if (run->plan == NULL) {
        return;
    }
    run_finish(run);
    eval_release(&run->eval);
    arena_release(&run->rows);
    arena_release(&run->memory);
    run->plan = NULL;
}
