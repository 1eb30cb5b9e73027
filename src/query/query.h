/* query.h -- the query language: prepare a text, run it on a graph, walk over its rows.
 *
 * Text -> lexer -> parser -> resolver (scopes, kinds, slots; errors before anything runs) ->
 * planner
 * -> operators.  A prepared statement is immutable and may be run by any number of threads; a
 * result belongs to one.
 */
#ifndef YORE_QUERY_QUERY_H
#define YORE_QUERY_QUERY_H

#include <stdbool.h>
#include <stdint.h>

#include <yore/graph.h>

#include "base/bytes.h"
#include "base/status.h"

struct graph;
struct graph_txn;
struct query;        /* a prepared statement */
struct query_result; /* one run of it */

/* What went wrong where: the classes of the openCypher kit, so that a client can tell them apart.
 */
struct query_error {
    struct yore_error error; /* the text shows the line with the spot underlined and what was
                                expected; status YORE_INVALID unless the engine's own */
    const char *type;        /* "SyntaxError", "TypeError", ...; NULL: not of the language */
    const char *detail;      /* "UndefinedVariable", ...; which budget was used up; or NULL */
    bool is_compile_time;
    uint32_t offset; /* into the text */
    uint32_t line;   /* 1-based; 0: it is at no spot of the text */
    uint32_t column; /* 1-based, in characters */
};

/* Parse and resolve.  `text` is copied.  Errors: YORE_INVALID, YORE_TOO_BIG (a named limit). */
enum yore_status query_prepare(struct yore_bytes text, struct query **query_out,
                               struct query_error *error_out);
/* The same with procedures of the caller, kept until query_free(). */
struct procedure_set;
enum yore_status query_prepare_with(struct yore_bytes text, const struct procedure_set *procedures,
                                    struct query **query_out, struct query_error *error_out);
void query_free(struct query *query);
/* Whether a run writes: EXPLAIN does not. */
bool query_writes(const struct query *query);

/* What a statement does, by its text. */
enum query_type {
    QUERY_READS = 1,
    QUERY_WRITES,           /* and tells nothing */
    QUERY_READS_AND_WRITES, /* and tells rows */
    QUERY_SCHEMA            /* makes or drops an index or a constraint */
};
/* EXPLAIN carries nothing out: it reads, whatever stands behind it. */
enum query_type query_type(const struct query *query);
bool query_is_profile(const struct query *query);

struct query_parameter {
    struct yore_bytes name;
    struct yore_graph_value value;
};

/* Zero means the default of query/limits.h. */
struct query_budget {
    uint64_t rows_max;     /* rows of the result; more are cut and the result marked partial */
    uint64_t steps_max;    /* elements and rows looked at */
    uint64_t memory_bytes; /* kept at one time */
    uint64_t time_ns;
    bool partial_results; /* over a budget: what there is, marked, instead of an error */
};

struct query_options {
    const struct query_parameter *parameters;
    size_t parameter_count;
    struct yore_time at;   /* YORE_NOW twice: now; AS OF in the text goes before it */
    struct graph_txn *txn; /* run inside it: a statement that fails leaves nothing behind, and the
                              transaction goes on; NULL: a transaction of its own */
    enum yore_durability durability;
    bool is_read_only; /* a writing statement is refused: YORE_READ_ONLY */
    struct query_budget budget;
    /* Asked now and then (at most QUERY_STEPS_PER_CHECK steps apart) and before a commit, by the
     * thread that runs the statement; must not block.  True: the run ends with YORE_CANCELLED, and
     * nothing of it was written.  NULL: it is never cancelled. */
    bool (*is_cancelled)(void *arg);
    void *cancel_arg;
    /* Asked for every moment before the run's begin that it is to look at, told by the text, a
     * procedure's argument or `at`; YORE_TIME_MIN: all of the past.  False: the run ends with
     * YORE_INVALID, type "SecurityError", detail "Forbidden".  NULL: it may look at all of them. */
    bool (*may_look)(void *arg, int64_t moment);
    void *look_arg;
};

/* Begin a run.  Writing statements are carried out here, whole, and (without `txn`) committed;
 * reading ones stream.  Options and the statement are kept until the result closes, the graph too.
 * Errors: as the language says; YORE_CONFLICT; YORE_READ_ONLY (a write as of the past too);
 * YORE_TOO_BIG (a budget; error.detail is "steps", "memory" or "time"); YORE_CANCELLED. */
enum yore_status query_run(const struct query *query, struct graph *graph,
                           const struct query_options *options, struct query_result **result_out,
                           struct query_error *error_out);
/* Columns; none for a statement that returns nothing. */
size_t query_column_count(const struct query_result *result);
struct yore_bytes query_column_name(const struct query_result *result, size_t column);
/* YORE_OK: `*row_out` holds a value for each column, elements whole, borrowed until the next call;
 * YORE_NOT_FOUND: no more. */
enum yore_status query_next(struct query_result *result, const struct yore_graph_value **row_out,
                            struct query_error *error_out);

/* Can query_result_rewind() be called?  Not where a function gives another value at every call, nor
 * with partial results. */
bool query_result_can_rewind(const struct query_result *result);
/* At the end of the rows: tell them once more from the first on, the same rows.  A statement that
 * reads is carried out again, on what it read before and at its clock; budgets begin anew. */
void query_result_rewind(struct query_result *result);

struct query_summary {
    uint64_t nodes_created, nodes_deleted;
    uint64_t relationships_created, relationships_deleted;
    uint64_t properties_set, labels_added, labels_removed;
    uint64_t indexes_added, indexes_removed, constraints_added, constraints_removed;
    struct yore_time at; /* the moment that was read */
    int64_t commit;      /* of a writing statement; 0: none */
    uint64_t steps;
    uint64_t rows;
    bool is_partial;
};
/* True once query_next() has returned YORE_NOT_FOUND. */
struct query_summary query_result_summary(const struct query_result *result);
/* The plan of an EXPLAIN or PROFILE: nested maps {operatorType, args, identifiers, children}, of a
 * PROFILE with rows and dbHits, those of the step alone.  NULL: the statement is neither.  Borrowed
 * until the result closes. */
const struct yore_graph_value *query_result_plan(const struct query_result *result);

/* A label or relationship type that a reading statement names and nothing in the graph ever had;
 * begin with `*at` 0.  False: there is no other. */
struct query_missing {
    bool is_label;
    struct yore_bytes name; /* borrowed from the statement */
};
bool query_result_missing(const struct query_result *result, size_t *at,
                          struct query_missing *missing_out);

/* So many nanoseconds went by in which the caller asked for nothing: they do not count towards the
 * budget of time. */
void query_result_excuse(struct query_result *result, uint64_t ns);
void query_result_close(struct query_result *result);

#endif
