/* result.h -- one statement carried out, and its rows as they are asked for. */
#ifndef YORE_BOLT_RESULT_H
#define YORE_BOLT_RESULT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "bolt/packstream.h"
#include "bolt/place.h"
#include "query/query.h"

struct graph;
struct graph_pool;
struct bolt_session;

struct bolt_result {
    struct bolt_result *next;
    const struct bolt_session *session; /* whose it is; kept */
    int64_t id;
    struct arena arena; /* parameters */
    struct place place;
    struct query *query;
    struct query_options options;
    struct query_result *rows;
    struct graph_pool *graphs;
    struct graph *graph; /* its own, NULL: the transaction's */
    bool is_in_txn;
    const struct yore_graph_value *pending; /* the row that was looked at ahead; or NULL */
    bool is_at_end;
    bool has_looked;   /* at a past of its own ... */
    int64_t looked_at; /* ... from this moment on */
    bool is_timed;     /* the client named its time: all of it counts */
    int64_t begun_ns;  /* monotonic */
    int64_t rested_ns; /* monotonic: when it was last at work */
    int64_t ran_ns;    /* how long it has been at work, in all */
};

/* A result of nothing yet; takes `arena` and leaves it empty.  NULL: no memory. */
struct bolt_result *result_new(struct arena *arena);
/* NULL is ignored.  May touch the disk. */
void result_free(struct bolt_result *result);

/* The memory of its parameters; the same from result_set_parameters() on. */
size_t result_bytes(const struct bolt_result *result);

/* The statement's parameters out of a map of result->arena.  Errors: YORE_NOMEM. */
enum yore_status result_set_parameters(struct bolt_result *result,
                                       const struct yore_graph_map *parameters);
/* Carry it out on `graph`; with a transaction of its own again after conflicts. */
enum yore_status result_run(struct bolt_result *result, struct graph *graph,
                            struct query_error *error_out);
/* It was left alone since it was last at work: that is no time of the statement's, unless the
 * client named its time. */
void result_resume(struct bolt_result *result, int64_t now_ns);
/* YORE_OK, a row, borrowed until the next call; YORE_NOT_FOUND: there is none. */
enum yore_status result_next(struct bolt_result *result, const struct yore_graph_value **row_out,
                             struct query_error *error_out);
/* Is there another row? */
enum yore_status result_peek(struct bolt_result *result, bool *has_more_out,
                             struct query_error *error_out);

/* Append a RECORD.  After an error nothing was appended.  Errors: those of pack_value(). */
enum yore_status result_put_record(const struct bolt_result *result, struct buffer *to,
                                   const struct pack_dialect *dialect, struct arena *scratch,
                                   const struct yore_graph_value *row);
/* Append the SUCCESS of RUN: columns; `tells_id`: which result of a transaction it is. */
void result_put_begin(const struct bolt_result *result, struct buffer *to, int64_t now_ns,
                      bool tells_id);
/* Append the SUCCESS of the end: what was done, plan, bookmark (of one with a transaction of its
 * own). */
enum yore_status result_put_end(const struct bolt_result *result, struct buffer *to,
                                const struct pack_dialect *dialect, struct arena *scratch,
                                int64_t now_ns);

#endif
