/* query.c -- a statement run on a graph, and its rows.
 *
 * A reading statement streams: query_next() pulls one row through the operators.  A writing one is
 * carried out whole by query_run(): its rows are held back, made whole as the graph is when all of
 * it is done, and told after the commit. */
#include "query/query.h"

#include <string.h>

#include "base/assert.h"
#include "base/mem.h"
#include "query/element.h"
#include "query/operator.h"
#include "query/plan_rows.h"
#include "query/plan_tree.h"
#include "query/query_internal.h"
#include "query/row_store.h"
#include "query/writer.h"

enum result_kind {
    RESULT_STREAM = 1, /* rows come of the operators */
    RESULT_HELD        /* rows stand in `held` */
};

struct query_result {
    struct query *query;
    struct kept_plan *kept;
    struct query_options options; /* a copy; what it points to is the caller's */
    struct run run;
    struct query_error failure;
    enum result_kind kind;
    bool tells_plan; /* EXPLAIN, PROFILE */
    bool is_done;
    struct graph_txn *own_txn;
    struct row_store held;
    size_t at;
    struct yore_graph_value *row;
    struct graph_tally tally_before;
    struct query_summary summary;
    const struct yore_graph_value *plan; /* in run.memory; NULL: none was asked for */
};

static const struct query_part *body_of(const struct query_result *result)
{
    return &result->query->statement->body;
}

static enum yore_status tell_failure(struct query_result *result, enum yore_status status,
                                     struct query_error *error_out)
{
    if (error_out != NULL) {
        *error_out = result->failure;
        if (error_out->error.status == YORE_OK) {
            error_plain(&error_out->error, status);
        }
    }
    return status;
}

/* ---- what is refused before anything runs --------------------------------------------------- */

static enum yore_status refuse_writes(const struct query *query,
                                      const struct query_options *options,
                                      struct query_error *error_out)
{
    const struct time_spec *time = &query->statement->time;
    bool is_past = time->as_of != NULL || time->known != NULL || time->from != NULL ||
                   time->to != NULL || options->at.valid != YORE_NOW ||
                   options->at.known != YORE_NOW;
    if (!query->statement->body.writes || query->statement->mode == STATEMENT_EXPLAIN ||
        (!options->is_read_only && !is_past)) {
        return YORE_OK;
    }
    struct query_error refused = {.type = NULL};
    enum yore_status st =
        options->is_read_only
            ? error_set(&refused.error, YORE_READ_ONLY,
                        "the statement writes, and only reading is allowed here")
            : error_set(&refused.error, YORE_READ_ONLY,
                        "the statement writes, and the past cannot be written to: leave out AS OF");
    if (error_out != NULL) {
        *error_out = refused;
    }
    return st;
}

/* ---- plans ---------------------------------------------------------------------------------- */

/* A view at the moment of the statement, for the planner: a run of nothing opens it. */
static enum yore_status make_plan(struct query_result *result, struct graph *graph,
                                  struct graph_txn *txn, struct kept_plan *stale)
{
    struct query *query = result->query;
    const struct plan bare = {.statement = query->statement,
                              .slot_count = query->statement->slot_count,
                              .moments = &query->statement->time,
                              .moment_count = 1};
    struct run run;
    struct plan *plan = NULL;
    enum yore_status st = run_begin(&run, &bare, graph, txn, &result->options, &result->failure);
    if (st == YORE_OK) {
        st = plan_make(query->statement, graph, run.eval.view, &plan, &result->failure);
    }
    run_end(&run);
    return st == YORE_OK ? query_plan_keep(query, plan, stale, &result->kept) : st;
}

/* Begin the run, with a plan that suits the graph as it is. */
static enum yore_status begin(struct query_result *result, struct graph *graph,
                              struct graph_txn *txn)
{
    struct kept_plan *found = query_plan_find(result->query, graph);
    enum yore_status st = YORE_OK;
    if (found != NULL) {
        st = run_begin(&result->run, found->plan, graph, txn, &result->options, &result->failure);
        if (st != YORE_OK || plan_is_fresh(found->plan, result->run.eval.view)) {
            result->kept = found;
            return st;
        }
        run_end(&result->run);
    }
    st = make_plan(result, graph, txn, found);
    if (found != NULL) {
        query_plan_unref(result->query, found);
    }
    return st == YORE_OK ? run_begin(&result->run, result->kept->plan, graph, txn, &result->options,
                                     &result->failure)
                         : st;
}

/* ---- rows ----------------------------------------------------------------------------------- */

/* Columns of the frame, whole, in run->rows. */
static enum yore_status lay_row(struct query_result *result)
{
    const struct query_part *body = body_of(result);
    struct run *run = &result->run;
    enum yore_status st = YORE_OK;
    for (uint32_t i = 0; st == YORE_OK && i < body->column_count; i++) {
        st = element_whole(&run->eval, &run->frame[body->columns[i].slot], &result->row[i]);
    }
    return st;
}

/* Pull all rows, and keep their columns as they are. */
static enum yore_status pull_all(struct query_result *result, struct row_store *rows)
{
    const struct query_part *body = body_of(result);
    struct run *run = &result->run;
    enum yore_status st;
    while ((st = operator_next(run->root)) == YORE_OK) {
        for (uint32_t i = 0; i < body->column_count; i++) {
            result->row[i] = run->frame[body->columns[i].slot];
        }
        if (!result->tells_plan && body->column_count > 0 && rows->count < run->budget.rows_max) {
            st = row_store_add(rows, result->row);
        } else if (!result->tells_plan && body->column_count > 0) {
            result->summary.is_partial = true;
        }
        if (st == YORE_OK) {
            st = run_step(run);
        }
        if (st != YORE_OK) {
            return st;
        }
    }
    return st == YORE_NOT_FOUND ? YORE_OK : st;
}

/* The rows as they are when everything is done. */
static enum yore_status hold_whole(struct query_result *result, const struct row_store *rows)
{
    struct run *run = &result->run;
    struct arena_mark mark = arena_mark(&run->rows);
    enum yore_status st = YORE_OK;
    for (size_t r = 0; st == YORE_OK && r < rows->count; r++) {
        for (uint32_t i = 0; st == YORE_OK && i < rows->width; i++) {
            st = element_whole(&run->eval, &rows->rows[r][i], &result->row[i]);
        }
        if (st == YORE_OK) {
            st = row_store_add(&result->held, result->row);
        }
        arena_rewind(&run->rows, mark);
    }
    return st;
}

static enum yore_status hold_rows(struct query_result *result)
{
    struct row_store rows;
    row_store_open(&rows, &result->run, body_of(result)->column_count);
    row_store_open(&result->held, &result->run, body_of(result)->column_count);
    enum yore_status st = pull_all(result, &rows);
    if (st == YORE_OK) {
        st = hold_whole(result, &rows);
    }
    row_store_close(&rows);
    return st;
}

/* ---- the plan as rows ----------------------------------------------------------------------- */

static enum yore_status hold_plan(struct query_result *result, bool is_profile)
{
    row_store_close(&result->held);
    row_store_open(&result->held, &result->run, PLAN_ROW_COLUMNS_MAX);
    enum yore_status st =
        plan_rows(result->kept->plan, is_profile ? &result->run : NULL, &result->held);
    if (st == YORE_OK) {
        st = plan_tree(result->kept->plan, is_profile ? &result->run : NULL, &result->run.memory,
                       &result->plan);
    }
    result->kind = RESULT_HELD;
    return st == YORE_NOMEM ? run_nomem(&result->run) : st;
}

/* ---- running -------------------------------------------------------------------------------- */

static void add_tally(struct query_result *result, const struct graph_tally *after,
                      const struct graph_tally *before)
{
    struct query_summary *sum = &result->summary;
    sum->nodes_created += after->nodes_created - before->nodes_created;
    sum->nodes_deleted += after->nodes_deleted - before->nodes_deleted;
    sum->relationships_created += after->relationships_created - before->relationships_created;
    sum->relationships_deleted += after->relationships_deleted - before->relationships_deleted;
    sum->properties_set += after->properties_set - before->properties_set;
    sum->labels_added += after->labels_added - before->labels_added;
    sum->labels_removed += after->labels_removed - before->labels_removed;
    sum->indexes_added += after->indexes_added - before->indexes_added;
    sum->indexes_removed += after->indexes_removed - before->indexes_removed;
    sum->constraints_added += after->constraints_added - before->constraints_added;
    sum->constraints_removed += after->constraints_removed - before->constraints_removed;
}

static bool is_schema_changed(const struct graph_tally *tally)
{
    return tally->indexes_added + tally->indexes_removed + tally->constraints_added +
               tally->constraints_removed >
           0;
}

static enum yore_status commit(struct query_result *result)
{
    struct run *run = &result->run;
    struct graph_tally after = graph_txn_tally(run->txn);
    add_tally(result, &after, &result->tally_before);
    add_tally(result, &run->schema_tally, &(struct graph_tally){0});
    if (result->own_txn == NULL) {
        return YORE_OK;
    }
    struct graph_txn *txn = result->own_txn;
    result->own_txn = NULL;
    run_finish(run);
    run->txn = NULL;
    if (is_schema_changed(
            &run->schema_tally)) { /* in commits of its own, later than this one's begin */
        graph_abort(txn);
        enum yore_status st = graph_begin(run->graph, &txn, run_error(run));
        if (st != YORE_OK) {
            return st;
        }
    }
    return graph_commit(txn, result->options.durability, &result->summary.commit, run_error(run));
}

/* The first clause that writes: which one gave a value that is not unique is not known at the end.
 */
static struct ast_spot first_write(const struct query_part *body)
{
    for (uint32_t i = 0; i < body->query_count; i++) {
        const struct single_query *query = &body->queries[i];
        for (uint32_t j = 0; j < query->clause_count; j++) {
            if (clause_writes(&query->clauses[j])) {
                return query->clauses[j].spot;
            }
        }
    }
    return (struct ast_spot){0, 0};
}

static enum yore_status settle_unique(struct query_result *result)
{
    struct run *run = &result->run;
    enum yore_status st = graph_unique_settle(run->txn, run_error(run));
    return st == YORE_OK ? st : write_refused(run, st, first_write(body_of(result)));
}

static enum yore_status write_all(struct query_result *result)
{
    result->tally_before = graph_txn_tally(result->run.txn);
    result->kind = RESULT_HELD;
    graph_unique_defer(result->run.txn);
    enum yore_status st = hold_rows(result);
    if (st == YORE_OK) {
        st = settle_unique(result);
    }
    if (st == YORE_OK && result->tells_plan) {
        st = hold_plan(result, true);
    }
    if (st == YORE_OK) {
        st = run_cancelled(&result->run);
    }
    return st == YORE_OK ? commit(result) : st;
}

static enum yore_status carry_out(struct query_result *result, struct graph *graph)
{
    enum statement_mode mode = result->query->statement->mode;
    bool writes = body_of(result)->writes && mode != STATEMENT_EXPLAIN;
    struct graph_txn *txn = result->options.txn;
    enum yore_status st = YORE_OK;
    result->tells_plan = mode != STATEMENT_RUN;
    if (writes && txn == NULL) {
        st = graph_begin(graph, &result->own_txn, &result->failure.error);
        txn = result->own_txn;
    }
    if (st == YORE_OK) {
        st = begin(result, graph, txn);
    }
    if (st != YORE_OK) {
        return st;
    }
    result->summary.at = graph_view_time(result->run.eval.view);
    size_t width = body_of(result)->column_count + (size_t)PLAN_ROW_COLUMNS_MAX;
    result->row = arena_alloc(&result->run.memory, width * sizeof(*result->row));
    if (result->row == NULL) {
        return run_nomem(&result->run);
    }
    result->kind = RESULT_STREAM;
    if (writes) {
        st = write_all(result);
    } else if (mode == STATEMENT_PROFILE) {
        st = pull_all(result, &result->held);
    }
    bool needs_plan = result->tells_plan && !writes;
    return st == YORE_OK && needs_plan ? hold_plan(result, mode == STATEMENT_PROFILE) : st;
}

enum yore_status query_run(const struct query *query, struct graph *graph,
                           const struct query_options *options, struct query_result **result_out,
                           struct query_error *error_out)
{
    static const struct query_options DEFAULTS = {.at = {YORE_NOW, YORE_NOW}};
    options = options != NULL ? options : &DEFAULTS;
    *result_out = NULL;
    if (error_out != NULL) {
        memset(error_out, 0, sizeof(*error_out));
    }
    enum yore_status st = refuse_writes(query, options, error_out);
    if (st != YORE_OK) {
        return st;
    }
    struct query_result *result = mem_zalloc(sizeof(*result));
    if (result == NULL) {
        return error_plain(error_out != NULL ? &error_out->error : NULL, YORE_NOMEM);
    }
    result->query = query_shared(query);
    result->options = *options;
    struct graph_savepoint before = {.facts = 0};
    if (options->txn != NULL) {
        before = graph_savepoint(options->txn);
    }
    st = carry_out(result, graph);
    if (st != YORE_OK) {
        tell_failure(result, st, error_out);
        query_result_close(result);
        if (options->txn != NULL) {
            graph_rollback_to(options->txn, &before);
        }
        return st;
    }
    *result_out = result;
    return YORE_OK;
}

size_t query_column_count(const struct query_result *result)
{
    return result->tells_plan
               ? plan_row_column_count(result->query->statement->mode == STATEMENT_PROFILE)
               : body_of(result)->column_count;
}

struct yore_bytes query_column_name(const struct query_result *result, size_t column)
{
    return result->tells_plan ? plan_row_column(column) : body_of(result)->columns[column].name;
}

static enum yore_status next_held(struct query_result *result,
                                  const struct yore_graph_value **row_out)
{
    if (result->at == result->held.count || query_column_count(result) == 0) {
        return YORE_NOT_FOUND;
    }
    *row_out = result->held.rows[result->at++];
    return YORE_OK;
}

static enum yore_status next_streamed(struct query_result *result,
                                      const struct yore_graph_value **row_out)
{
    struct run *run = &result->run;
    enum yore_status st = operator_next(run->root);
    while (st == YORE_OK && body_of(result)->column_count == 0) {
        st = operator_next(run->root);
    }
    if (st == YORE_OK && result->summary.rows == run->budget.rows_max) {
        result->summary.is_partial = true;
        return YORE_NOT_FOUND;
    }
    if (st == YORE_OK) {
        st = lay_row(result);
    }
    if (st == YORE_TOO_BIG && run->is_stopping) {
        return YORE_NOT_FOUND; /* what there is was told, and is marked */
    }
    *row_out = result->row;
    return st;
}

enum yore_status query_next(struct query_result *result, const struct yore_graph_value **row_out,
                            struct query_error *error_out)
{
    *row_out = NULL;
    if (result->is_done) {
        return result->failure.error.status != YORE_OK
                   ? tell_failure(result, result->failure.error.status, error_out)
                   : YORE_NOT_FOUND;
    }
    enum yore_status st =
        result->kind == RESULT_HELD ? next_held(result, row_out) : next_streamed(result, row_out);
    if (st == YORE_OK) {
        result->summary.rows++;
        return YORE_OK;
    }
    result->is_done = true;
    *row_out = NULL;
    if (st == YORE_NOT_FOUND) {
        result->summary.is_partial = result->summary.is_partial || result->run.is_stopping;
        memset(&result->failure, 0, sizeof(result->failure));
        return st;
    }
    return tell_failure(result, st, error_out);
}

bool query_result_can_rewind(const struct query_result *result)
{
    return result->kind == RESULT_HELD ||
           (!result->query->statement->is_volatile && !result->options.budget.partial_results);
}

void query_result_rewind(struct query_result *result)
{
    YORE_ASSERT(result->is_done && query_result_can_rewind(result));
    result->is_done = false;
    result->at = 0;
    result->summary.rows = 0;
    if (result->kind == RESULT_STREAM) {
        run_rewind(&result->run);
    }
}

struct query_summary query_result_summary(const struct query_result *result)
{
    struct query_summary summary = result->summary;
    summary.steps = result->run.eval.steps;
    return summary;
}

const struct yore_graph_value *query_result_plan(const struct query_result *result)
{
    return result->plan;
}

bool query_result_missing(const struct query_result *result, size_t *at,
                          struct query_missing *missing_out)
{
    const struct plan *plan = result->kept->plan;
    if (body_of(result)->writes) {
        return false;
    }
    while (*at < plan->name_count) {
        const struct plan_name *name = &plan->names[(*at)++];
        if (name->kind != GRAPH_PROPERTY &&
            graph_token(plan->graph, name->kind, name->name) == GRAPH_NO_TOKEN) {
            *missing_out = (struct query_missing){name->kind == GRAPH_LABEL, name->name};
            return true;
        }
    }
    return false;
}

void query_result_excuse(struct query_result *result, uint64_t ns)
{
    result->run.excused_ns += ns;
}

void query_result_close(struct query_result *result)
{
    if (result == NULL) {
        return;
    }
    row_store_close(&result->held);
    run_end(&result->run);
    if (result->own_txn != NULL) {
        graph_abort(result->own_txn);
    }
    if (result->kept != NULL) {
        query_plan_unref(result->query, result->kept);
    }
    query_free(result->query);
    mem_free(result);
}
