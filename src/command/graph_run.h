/* graph_run.h -- statements of the query language for clients of any protocol: rights, the graph,
 * the budgets, one run.
 *
 * A graph's name is a key to rules of users: reading asks for the right to read it, writing for
 * both.  The moments that a text names are looked at with the user's rights to the past.  A run
 * ends when its client has left.  What it writes is committed unsynced: whoever runs it makes that
 * durable before the reply leaves (command.h).
 *
 * Thread: the client's, at pace LONG.
 */
#ifndef YORE_COMMAND_GRAPH_RUN_H
#define YORE_COMMAND_GRAPH_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "query/query.h"

struct client;
struct graph;

struct graph_run_request {
    struct yore_bytes graph;
    struct yore_bytes text;
    const struct query_parameter *parameters; /* kept until the statement closes */
    size_t parameter_count;
    struct yore_time at; /* YORE_NOW twice: now; otherwise the graph is that of then, too */
    uint64_t rows_max;   /* 0: no limit; more are left out, and the summary says so */
    uint64_t time_ns;    /* 0: the setting graph-query-timeout */
    const char *order;   /* "EXPLAIN " or "PROFILE ", set before the text; NULL: as it is written */
    bool is_read_only;
    bool has_prefix;     /* the text may begin with "CYPHER name=value ...": parameters */
    bool may_be_missing; /* where there is no such graph, and now is asked for, a text that only
                            reads has an empty one */
    bool has_cells;      /* rows as the program `yore` shows them */
    bool is_compact;     /* db.labels() and its like tell every name there ever was, in the order of
                            their tokens: a name's index there is how compact replies name it */
};

struct graph_run {
    struct query_result *result; /* its rows: query_next() */
    struct graph *graph;
    bool writes; /* something was committed, or may have been */
    /* private */
    struct client *client;
    struct query *query;
    struct query *prefix;
    struct query_result *prefix_result;
    struct arena arena;
    struct buffer text;
};

/* Check, find or make the graph, begin the run; tried again a few times where it writes and others
 * were in its way.  Close the statement in any case.  Errors: of query_run(), and
 * YORE_NOT_FOUND (no such graph); YORE_INVALID with type "SecurityError": the user may not; that is
 * in ACL LOG. */
enum yore_status graph_run_open(struct client *client, const struct graph_run_request *request,
                                struct graph_run *run_out, struct query_error *error_out);
void graph_run_close(struct graph_run *self);

/* A text taken apart: "CYPHER name=value name=value rest". */
struct graph_prefix {
    struct query_parameter *parameters; /* names in the arena; no values yet */
    size_t count;
    struct buffer returns; /* a statement that returns the values in their order; empty: none */
    struct yore_bytes rest;
};

/* Take `text` apart (graph_prefix.c).  A value is a literal: a number, a string, true, false, null,
 * a list or a map.  The caller releases `returns` in any case.  Errors: YORE_INVALID, YORE_NOMEM.
 */
enum yore_status graph_prefix_take(struct yore_bytes text, struct arena *arena,
                                   struct graph_prefix *prefix_out, struct query_error *error_out);

#endif
