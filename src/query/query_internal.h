/* query_internal.h -- a prepared statement: its tree, and the plans made of it so far. */
#ifndef YORE_QUERY_QUERY_INTERNAL_H
#define YORE_QUERY_QUERY_INTERNAL_H

#include <stdatomic.h>

#include "base/arena.h"
#include "os/thread.h"
#include "query/limits.h"
#include "query/plan.h"
#include "query/query.h"

/* A plan in use by runs, and by the statement as long as it keeps it. */
struct kept_plan {
    struct plan *plan;
    uint32_t refs; /* under query.lock */
};

struct query {
    struct arena arena;
    struct statement *statement;
    _Atomic uint32_t refs; /* the owner's, and the cache's */
    struct os_mutex lock;
    struct kept_plan *plans[QUERY_PLANS_KEPT_MAX]; /* under lock; NULL: free */
    uint32_t plan_at;                              /* under lock: the next to give way */
};

void query_ref(struct query *query);
/* The statement, referenced, with what is under its lock open to change. */
struct query *query_shared(const struct query *query);

/* A plan of `query` for `graph` that was kept, referenced; NULL: there is none. */
struct kept_plan *query_plan_find(struct query *query, struct graph *graph);
/* Keep a new plan, taken, in place of `stale` (or NULL) or the oldest; referenced.
 * Errors: YORE_NOMEM (the plan is freed). */
enum yore_status query_plan_keep(struct query *query, struct plan *plan, struct kept_plan *stale,
                                 struct kept_plan **kept_out);
void query_plan_unref(struct query *query, struct kept_plan *kept);

#endif
