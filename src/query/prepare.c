/* prepare.c -- statements prepared, and the plans kept with them. */
#include <string.h>

#include "base/mem.h"
#include "query/parser.h"
#include "query/query_internal.h"
#include "query/resolver.h"

enum yore_status query_prepare_with(struct yore_bytes text, const struct procedure_set *procedures,
                                    struct query **query_out, struct query_error *error_out)
{
    *query_out = NULL;
    struct query_error ignored;
    struct query_error *error = error_out != NULL ? error_out : &ignored;
    memset(error, 0, sizeof(*error));
    struct query *query = mem_zalloc(sizeof(*query));
    if (query == NULL) {
        return error_plain(&error->error, YORE_NOMEM);
    }
    arena_init(&query->arena, QUERY_PLAN_CHUNK_BYTES);
    os_mutex_init(&query->lock);
    atomic_init(&query->refs, 1);
    enum yore_status st = query_parse(text, &query->arena, &query->statement, error);
    if (st == YORE_OK) {
        st = query_resolve(query->statement, &query->arena, procedures, error);
    }
    if (st != YORE_OK) {
        query_free(query);
        return st;
    }
    *query_out = query;
    return YORE_OK;
}

enum yore_status query_prepare(struct yore_bytes text, struct query **query_out,
                               struct query_error *error_out)
{
    return query_prepare_with(text, NULL, query_out, error_out);
}

void query_ref(struct query *query)
{
    atomic_fetch_add_explicit(&query->refs, 1, memory_order_relaxed);
}

struct query *query_shared(const struct query *query)
{
    /* A prepared statement is constant to those who run it; plans kept with it are not part of what
     * it says, and are guarded by its lock. */
    struct query *shared = (struct query *)(uintptr_t)query;
    query_ref(shared);
    return shared;
}

static void free_kept(struct kept_plan *kept)
{
    plan_free(kept->plan);
    mem_free(kept);
}

void query_free(struct query *query)
{
    /* acq_rel: who frees it sees what the others did with it. */
    if (query == NULL || atomic_fetch_sub_explicit(&query->refs, 1, memory_order_acq_rel) > 1) {
        return;
    }
    for (uint32_t i = 0; i < QUERY_PLANS_KEPT_MAX; i++) {
        if (query->plans[i] != NULL) {
            free_kept(query->plans[i]);
        }
    }
    os_mutex_release(&query->lock);
    arena_release(&query->arena);
    mem_free(query);
}

bool query_writes(const struct query *query)
{
    return query->statement->body.writes && query->statement->mode != STATEMENT_EXPLAIN;
}

static bool is_schema(const struct query_part *part)
{
    enum clause_kind first = part->query_count > 0 && part->queries[0].clause_count > 0
                                 ? part->queries[0].clauses[0].kind
                                 : CLAUSE_MATCH;
    return first == CLAUSE_CREATE_INDEX || first == CLAUSE_DROP_INDEX ||
           first == CLAUSE_CREATE_CONSTRAINT || first == CLAUSE_DROP_CONSTRAINT;
}

enum query_type query_type(const struct query *query)
{
    const struct query_part *body = &query->statement->body;
    if (!body->writes || query->statement->mode == STATEMENT_EXPLAIN) {
        return QUERY_READS;
    }
    if (is_schema(body)) {
        return QUERY_SCHEMA;
    }
    return body->column_count > 0 ? QUERY_READS_AND_WRITES : QUERY_WRITES;
}

bool query_is_profile(const struct query *query)
{
    return query->statement->mode == STATEMENT_PROFILE;
}

/* ---- plans ---------------------------------------------------------------------------------- */

struct kept_plan *query_plan_find(struct query *query, struct graph *graph)
{
    struct kept_plan *found = NULL;
    os_mutex_lock(&query->lock);
    for (uint32_t i = 0; i < QUERY_PLANS_KEPT_MAX && found == NULL; i++) {
        if (query->plans[i] != NULL && query->plans[i]->plan->graph == graph) {
            found = query->plans[i];
            found->refs++;
        }
    }
    os_mutex_unlock(&query->lock);
    return found;
}

/* Under the lock; what nobody needs any more comes back to be freed outside of it. */
static struct kept_plan *drop_ref(struct kept_plan *kept)
{
    return --kept->refs == 0 ? kept : NULL;
}

enum yore_status query_plan_keep(struct query *query, struct plan *plan, struct kept_plan *stale,
                                 struct kept_plan **kept_out)
{
    struct kept_plan *kept = mem_zalloc(sizeof(*kept));
    if (kept == NULL) {
        plan_free(plan);
        return YORE_NOMEM;
    }
    kept->plan = plan;
    kept->refs = 2; /* the caller's and the statement's */
    os_mutex_lock(&query->lock);
    uint32_t place = QUERY_PLANS_KEPT_MAX;
    for (uint32_t i = 0; i < QUERY_PLANS_KEPT_MAX; i++) {
        bool is_better = query->plans[i] == stale && stale != NULL;
        if (is_better || (place == QUERY_PLANS_KEPT_MAX && query->plans[i] == NULL)) {
            place = i;
        }
    }
    if (place == QUERY_PLANS_KEPT_MAX) {
        place = query->plan_at++ % QUERY_PLANS_KEPT_MAX;
    }
    struct kept_plan *unused = NULL;
    if (query->plans[place] != NULL) {
        unused = drop_ref(query->plans[place]);
    }
    query->plans[place] = kept;
    os_mutex_unlock(&query->lock);
    if (unused != NULL) {
        free_kept(unused);
    }
    *kept_out = kept;
    return YORE_OK;
}

void query_plan_unref(struct query *query, struct kept_plan *kept)
{
    os_mutex_lock(&query->lock);
    struct kept_plan *unused = drop_ref(kept);
    os_mutex_unlock(&query->lock);
    if (unused != NULL) {
        free_kept(unused);
    }
}
