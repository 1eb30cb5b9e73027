/* graph_internal.h -- the inside of graphs, views and transactions, for the files of this folder.
 */
#ifndef YORE_TOPOLOGY_GRAPH_INTERNAL_H
#define YORE_TOPOLOGY_GRAPH_INTERNAL_H

#include "base/buffer.h"
#include "os/thread.h"
#include "topology/element_state.h"
#include "topology/graph.h"
#include "topology/graph_key.h"
#include "topology/limits.h"
#include "topology/rules.h"
#include "topology/tokens.h"
#include "topology/turn.h"

/* Ids a handle has taken for itself and not used yet: next .. end - 1. */
struct id_block {
    uint64_t next;
    uint64_t end;
    uint64_t size; /* of the block before */
};

/* Counts of the present, about. */
struct graph_counts {
    bool is_known;
    int64_t drift; /* elements and labels that came or went since they were counted */
    int64_t nodes;
    int64_t relationships;
    int64_t *of_label; /* by token */
    int64_t *of_type;
    size_t label_count;
    size_t type_count;
};

struct graph {
    struct yore_db *db;
    struct yore_keyspace *keyspace;
    char name[GRAPH_NAME_BYTES_MAX + 1];
    struct os_mutex lock;                         /* tokens and counts; no I/O under it */
    struct token_table tokens[GRAPH_TOKEN_KINDS]; /* by kind - 1 */
    struct graph_counts counts;
    struct os_mutex taking; /* held while tokens or ids are taken, over a commit; before `lock` */
    struct os_mutex finishing; /* held while a difference is carried out in parts; before `turn` */
    struct turn turn;          /* of transactions of words; before `taking` */
    struct id_block node_ids;
    struct id_block *relationship_ids; /* by type token */
    size_t relationship_id_count;
    size_t words_max; /* of one transaction of a snapshot: YORE_GRAPH_WORDS_MAX, in tests less */
};

/* The keyspace of graph `name` as of `at` (NULL: now); where there was none then, of now.  Errors:
 * YORE_INVALID (name), YORE_NOT_FOUND. */
enum yore_status graph_find_keyspace(struct yore_db *db, struct yore_bytes name,
                                     const struct yore_time *at,
                                     struct yore_keyspace **keyspace_out,
                                     struct yore_error *error_out);

struct graph_view {
    struct graph *graph;
    struct graph_txn *txn; /* NULL: none */
    struct yore_snapshot *snapshot;
    struct yore_time time;
    struct yore_time asked; /* of a transaction's view: as the engine is asked */
    const struct yore_time *at;
    /* The record read last: its properties are often asked for one by one. */
    struct yore_value held;
    struct graph_id held_id;
    uint64_t held_writes;
    struct graph_rules *rules; /* as known at the view's moment; NULL: not looked at yet */
};

/* ---- graph.c ---- */

/* An id never used before.  Errors: those of a commit. */
enum yore_status graph_take_id(struct graph *graph, enum graph_element element, uint32_t type,
                               uint64_t *id_out, struct yore_error *error_out);
/* `error_out` says which element's record is malformed; returns YORE_CORRUPT. */
enum yore_status graph_refuse_record(const struct graph *graph, struct graph_id id,
                                     struct yore_error *error_out);

/* Someone has the graph alone, or wants to and cannot: YORE_BUSY. */
enum yore_status graph_refuse_busy(const struct graph *graph, struct yore_error *error_out);

/* The latest moment at which the graph's keyspace can be read: now, or just before it was dropped.
 */
struct yore_time graph_latest(const struct graph *graph);

/* ---- schema.c ---- */

/* The earliest moment that can be read and written. */
enum yore_status graph_begin_of_time(struct graph *graph, int64_t *from_out,
                                     struct yore_error *error_out);

/* Has any value of a constraint two nodes at once, at any time?  YORE_EXISTS;
 * YORE_CANCELLED (`cancel` may be NULL). */
enum yore_status graph_check_unique(struct graph *graph, const struct graph_rule *rule,
                                    const struct graph_cancel *cancel,
                                    struct yore_error *error_out);

/* ---- estimate.c ---- */

/* What a commit has changed. */
void graph_count(struct graph *graph, const struct graph_tally *tally);
/* Count anew when somebody asks. */
void graph_forget_counts(struct graph *graph);

/* ---- history.c ---- */

/* A record as a NODE or RELATIONSHIP value in `arena`; copies the octets. */
enum yore_status element_value(struct graph *graph, struct graph_id id, struct yore_bytes octets,
                               const struct yore_graph_span *span, struct arena *arena,
                               struct yore_graph_value *value_out, struct yore_error *error_out);

/* ---- tokens.c ---- */

enum yore_status graph_load_tokens(struct graph *graph, struct yore_error *error_out);
/* The token of a name, made when missing. */
enum yore_status graph_make_token(struct graph *graph, enum graph_token_kind kind,
                                  struct yore_bytes name, uint32_t *token_out,
                                  struct yore_error *error_out);

/* ---- view.c ---- */

/* One key at the view's moment; the caller releases the value. */
enum yore_status view_get(struct graph_view *view, struct yore_bytes key,
                          struct yore_value *value_out, struct yore_error *error_out);
/* A cursor over a range at the view's moment, keys alone. */
enum yore_status view_cursor(struct graph_view *view, const struct yore_range *range,
                             struct yore_cursor **cursor_out, struct yore_error *error_out);
/* The indexes of the view; belong to it. */
enum yore_status view_rules(struct graph_view *view, struct graph_rules **rules_out,
                            struct yore_error *error_out);
/* A record as a public element, but for its span; in `arena`, where the record's octets must live
 * as long.  Errors: YORE_CORRUPT, YORE_NOMEM. */
enum yore_status element_node(struct graph *graph, uint64_t id, const struct element_record *record,
                              struct arena *arena, struct yore_graph_node *node_out);
enum yore_status element_relationship(struct graph *graph, uint64_t id,
                                      const struct element_record *record, struct arena *arena,
                                      struct yore_graph_relationship *relationship_out);

#endif
