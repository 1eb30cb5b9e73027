/* graph.h -- a named graph in a database: views of it as of a moment, and transactions on it.
 *
 * A graph is a keyspace of its own, named "g." and the graph's name: retention, compression,
 * drop, feed and erase are those of the keyspace, and a dropped graph's past stays readable.
 * Everything in it is an ordinary key with a timeline: elements, both adjacency directions, label,
 * type and property indexes, external ids, names (labels, types, property names are *tokens*
 * inside).  docs/format-graph.md has the bytes.
 *
 * Threads: a graph by any number; a view or a transaction by one at a time.
 */
#ifndef YORE_TOPOLOGY_GRAPH_H
#define YORE_TOPOLOGY_GRAPH_H

#include <stdbool.h>
#include <stdint.h>

#include <yore/graph.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "base/status.h"

struct graph;
struct graph_view;
struct graph_txn;

/* ---- graphs ---------------------------------------------------------------------------------- */

/* Open graph `name` (1..253 octets of [A-Za-z0-9_.-]); `creates` makes it when missing.  `at` (may
 * be NULL) opens one that existed then, or, where none did, the one that does now.  The handle
 * belongs to `db` until graph_close(). Errors: YORE_INVALID (name), YORE_NOT_FOUND, YORE_TOO_BIG
 * (too many keyspaces).  The name can be checked before there is a database. */
enum yore_status graph_check_name(struct yore_bytes name, struct yore_error *error_out);
enum yore_status graph_open(struct yore_db *db, struct yore_bytes name, bool creates,
                            const struct yore_time *at, struct graph **graph_out,
                            struct yore_error *error_out);
/* A graph that has nothing in it, to read from where there is none called `name`.  It is a keyspace
 * of its own, GRAPH_EMPTY_KEYSPACE, made by the first who asks; nothing may be written to it.
 * Errors: as graph_open()'s, and why no keyspace can be made. */
enum yore_status graph_open_empty(struct yore_db *db, struct yore_bytes name,
                                  struct graph **graph_out, struct yore_error *error_out);
void graph_close(struct graph *graph);
/* When that graph was dropped to which the name belonged at `at`, if it was another; YORE_FOREVER:
 * it was this one, or there was none of that name: facts may be dated before their graph was made.
 */
enum yore_status graph_was_another(struct graph *graph, const struct yore_time *at,
                                   int64_t *until_out, struct yore_error *error_out);
struct yore_db *graph_db(const struct graph *graph);
struct yore_keyspace *graph_keyspace(const struct graph *graph);
const char *graph_name(const struct graph *graph);

#define GRAPH_EMPTY_KEYSPACE "graph.empty"

/* What sources have sent of snapshots, of all graphs, waits in this keyspace (staging.h). */
#define GRAPH_STAGING_KEYSPACE "graph.staging"

/* Drop a graph: its past stays readable, as of moments before (yore_keyspace_drop()).  What sources
 * have sent of snapshots that are not there yet goes with it; where that fails, the graph is
 * dropped all the same, and settling another takes it away. Errors: YORE_INVALID (name),
 * YORE_NOT_FOUND. */
enum yore_status graph_remove(struct yore_db *db, struct yore_bytes name,
                              struct yore_error *error_out);

/* Every graph that exists at `at` (NULL: now), by name; a non-zero return stops the walk. */
enum yore_status graph_each(struct yore_db *db, const struct yore_time *at,
                            int (*each)(void *arg, const char *name), void *arg,
                            struct yore_error *error_out);

/* ---- tokens: the names of labels, types and properties ----------------------------------------
 */

enum graph_token_kind { GRAPH_LABEL = 1, GRAPH_TYPE = 2, GRAPH_PROPERTY = 3, GRAPH_SOURCE = 4 };
#define GRAPH_TOKEN_KINDS 4
#define GRAPH_NO_TOKEN 0u

/* The token of a name, GRAPH_NO_TOKEN when no element ever had it.  Tokens are never given back. */
uint32_t graph_token(struct graph *graph, enum graph_token_kind kind, struct yore_bytes name);
/* Its name; borrowed until graph_close(). */
struct yore_bytes graph_token_name(struct graph *graph, enum graph_token_kind kind, uint32_t token);
/* Walk the names of one kind, token 1 first, until `each` returns non-zero. */
void graph_tokens(struct graph *graph, enum graph_token_kind kind,
                  int (*each)(void *arg, uint32_t token, struct yore_bytes name), void *arg);

/* ---- views: the graph at one moment ------------------------------------------------------------
 */

/* Open a view at `at` (NULL: now, everything known).  With `txn` its own writes are seen, what is
 * read is validated when it commits, and a NULL `at` means the transaction's now.
 * Errors: YORE_BEFORE_HORIZON, YORE_IN_FUTURE. */
enum yore_status graph_view_open(struct graph *graph, struct graph_txn *txn,
                                 const struct yore_time *at, struct graph_view **view_out,
                                 struct yore_error *error_out);
void graph_view_close(struct graph_view *view);
struct graph *graph_view_graph(const struct graph_view *view);
/* The moment, resolved: never YORE_NOW. */
struct yore_time graph_view_time(const struct graph_view *view);

/* An element whole, in `arena`.  YORE_NOT_FOUND: there is none of that id at that moment. */
enum yore_status graph_node_get(struct graph_view *view, uint64_t id, struct arena *arena,
                                struct yore_graph_node *node_out, struct yore_error *error_out);
enum yore_status graph_relationship_get(struct graph_view *view, uint64_t id, struct arena *arena,
                                        struct yore_graph_relationship *relationship_out,
                                        struct yore_error *error_out);
/* One property, decoded alone; a missing one is a null value and YORE_OK.  YORE_NOT_FOUND: no such
 * element. */
enum yore_status graph_node_property(struct graph_view *view, uint64_t id, uint32_t property,
                                     struct arena *arena, struct yore_graph_value *value_out,
                                     struct yore_error *error_out);
enum yore_status graph_relationship_property(struct graph_view *view, uint64_t id,
                                             uint32_t property, struct arena *arena,
                                             struct yore_graph_value *value_out,
                                             struct yore_error *error_out);
/* Label tokens of a node, ascending, in `arena`. */
enum yore_status graph_node_labels(struct graph_view *view, uint64_t id, struct arena *arena,
                                   const uint32_t **labels_out, size_t *count_out,
                                   struct yore_error *error_out);
enum yore_status graph_node_has_label(struct graph_view *view, uint64_t id, uint32_t label,
                                      bool *has_out, struct yore_error *error_out);
/* Type and ends of a relationship, without its properties. */
struct graph_ends {
    uint32_t type;
    uint64_t start_id;
    uint64_t end_id;
};
enum yore_status graph_relationship_ends(struct graph_view *view, uint64_t id,
                                         struct graph_ends *ends_out, struct yore_error *error_out);
/* By external id. */
enum yore_status graph_node_find(struct graph_view *view, struct yore_bytes external_id,
                                 uint64_t *id_out, struct yore_error *error_out);
enum yore_status graph_relationship_find(struct graph_view *view, struct yore_bytes external_id,
                                         uint64_t *id_out, struct yore_error *error_out);

/* Element ids, ascending unless an index says otherwise. */
enum graph_scan_kind {
    GRAPH_SCAN_NODES = 1, /* every node */
    GRAPH_SCAN_LABEL = 2, /* nodes with label `token` */
    GRAPH_SCAN_INDEX = 3, /* nodes by a property index on (`token`, `property`): by value */
    GRAPH_SCAN_RELATIONSHIPS = 4,
    GRAPH_SCAN_TYPE = 5 /* relationships of type `token` */
};
struct graph_scan_options {
    enum graph_scan_kind kind;
    uint32_t token;
    uint32_t property;
    /* GRAPH_SCAN_INDEX: from `low` to `high`, NULL: open; equality is low = high, both inclusive.
     * A prefix: `low` a string, `is_prefix` set. */
    const struct yore_graph_value *low;
    const struct yore_graph_value *high;
    bool low_exclusive;
    bool high_exclusive;
    bool is_prefix;
};
struct graph_scan;
/* Errors: YORE_NOT_FOUND (no such index at that moment). */
enum yore_status graph_scan_open(struct graph_view *view, const struct graph_scan_options *options,
                                 struct graph_scan **scan_out, struct yore_error *error_out);
/* YORE_OK: `*id_out` is the next; YORE_NOT_FOUND: no more. */
enum yore_status graph_scan_next(struct graph_scan *scan, uint64_t *id_out,
                                 struct yore_error *error_out);
void graph_scan_close(struct graph_scan *scan);

/* The relationships of a node. */
enum graph_direction { GRAPH_OUTGOING = 1, GRAPH_INCOMING = 2, GRAPH_BOTH = 3 };
struct graph_expand_options {
    uint64_t node;
    enum graph_direction direction; /* GRAPH_BOTH tells a loop once */
    const uint32_t *types;          /* borrowed until the expand closes; none: every type */
    size_t type_count;
    uint64_t other; /* 0: any; otherwise only relationships with this other end */
};
struct graph_hop {
    uint64_t relationship;
    uint64_t other;
    uint32_t type;
    bool is_outgoing;
};
struct graph_expand;
enum yore_status graph_expand_open(struct graph_view *view,
                                   const struct graph_expand_options *options,
                                   struct graph_expand **expand_out, struct yore_error *error_out);
/* Another node with the same open expand. */
enum yore_status graph_expand_restart(struct graph_expand *expand, uint64_t node, uint64_t other,
                                      struct yore_error *error_out);
enum yore_status graph_expand_next(struct graph_expand *expand, struct graph_hop *hop_out,
                                   struct yore_error *error_out);
void graph_expand_close(struct graph_expand *expand);

/* ---- what a planner asks (estimates of the present, cheap, never I/O) --------------------------
 */

struct graph_estimate {
    uint64_t nodes;
    uint64_t relationships;
};
struct graph_estimate graph_estimate_all(struct graph *graph);
uint64_t graph_estimate_label(struct graph *graph, uint32_t label);
uint64_t graph_estimate_type(struct graph *graph, uint32_t type);
/* Whether (label, property) is indexed at the view's moment, and how many distinct values there
 * are about. */
bool graph_has_index(struct graph_view *view, uint32_t label, uint32_t property,
                     uint64_t *distinct_out);

/* ---- transactions ------------------------------------------------------------------------------
 */

/* How a change is dated: YORE_NOW, the commit time, unless said otherwise. */
struct graph_write {
    int64_t from;
    int64_t to; /* YORE_FOREVER, or the end of what is made (an end of its own) */
    bool clips; /* a relationship that does not lie within both ends is clipped, not refused */
};

enum yore_status graph_begin(struct graph *graph, struct graph_txn **txn_out,
                             struct yore_error *error_out);
/* Errors: YORE_CONFLICT (nothing was written, begin again).  Frees the transaction in any case. */
enum yore_status graph_commit(struct graph_txn *txn, enum yore_durability durability,
                              int64_t *commit_out, struct yore_error *error_out);
void graph_abort(struct graph_txn *txn);

/* What was done so far; the counters of a query's summary. */
struct graph_tally {
    uint64_t nodes_created, nodes_deleted;
    uint64_t relationships_created, relationships_deleted;
    uint64_t properties_set, labels_added, labels_removed;
    uint64_t indexes_added, indexes_removed, constraints_added, constraints_removed;
};
struct graph_tally graph_txn_tally(const struct graph_txn *txn);

/* A point of a transaction to go back to. */
struct graph_savepoint {
    size_t facts;
    uint64_t own_count;
    struct arena_mark own_bytes;
    struct graph_tally tally;
    bool is_ahead;
    bool is_broken;
};
struct graph_savepoint graph_savepoint(const struct graph_txn *txn);
/* Take back what was written since; never what was read, which may still make the commit conflict.
 * Savepoints are gone back to in the reverse order of their making, each as often as wanted. Views
 * of the transaction that are open see it too. */
void graph_rollback_to(struct graph_txn *txn, const struct graph_savepoint *savepoint);

/* A unique value may pass between nodes by several changes, whose order is not to matter: behind
 * graph_unique_defer() one that two nodes have is no error of the change, and
 * graph_unique_settle() refuses it if they have it still.  Going back to a savepoint ends it too.
 * Errors: YORE_EXISTS (the text names both and the time), as of the read functions. */
void graph_unique_defer(struct graph_txn *txn);
enum yore_status graph_unique_settle(struct graph_txn *txn, struct yore_error *error_out);

/* The moment fixed at begin. */
struct yore_time graph_txn_time(const struct graph_txn *txn);

/* The token of a name, made when missing. */
enum yore_status graph_txn_token(struct graph_txn *txn, enum graph_token_kind kind,
                                 struct yore_bytes name, uint32_t *token_out,
                                 struct yore_error *error_out);

struct graph_property {
    uint32_t token;
    struct yore_graph_value value; /* null removes it */
};
struct graph_new_node {
    struct yore_bytes external_id; /* size 0: one is made of the id */
    const uint32_t *labels;
    size_t label_count;
    const struct graph_property *properties;
    size_t property_count;
};
struct graph_new_relationship {
    struct yore_bytes external_id;
    uint32_t type;
    uint64_t start_id;
    uint64_t end_id;
    const struct graph_property *properties;
    size_t property_count;
};
/* `write` may be NULL.  Errors of all: YORE_INVALID (a value that cannot be a property),
 * YORE_NOT_FOUND (an element or end that is not there at that time), YORE_EXISTS (external id or
 * unique constraint; the text names both elements and the time), YORE_TOO_BIG, YORE_IN_FUTURE,
 * YORE_BEFORE_HORIZON.  After an error the transaction is without the change. */
enum yore_status graph_node_create(struct graph_txn *txn, const struct graph_new_node *node,
                                   const struct graph_write *write, uint64_t *id_out,
                                   struct yore_error *error_out);
enum yore_status graph_relationship_create(struct graph_txn *txn,
                                           const struct graph_new_relationship *relationship,
                                           const struct graph_write *write, uint64_t *id_out,
                                           struct yore_error *error_out);

enum graph_element { GRAPH_NODE = 1, GRAPH_RELATIONSHIP = 2 };
struct graph_id {
    enum graph_element element;
    uint64_t id;
};
/* Set or remove single properties (`replaces`: all others go).  A set dated in the past holds until
 * the next change of that property. */
enum yore_status graph_properties_set(struct graph_txn *txn, struct graph_id id,
                                      const struct graph_property *properties, size_t count,
                                      bool replaces, const struct graph_write *write,
                                      struct yore_error *error_out);
enum yore_status graph_labels_change(struct graph_txn *txn, uint64_t node, const uint32_t *labels,
                                     size_t count, bool adds, const struct graph_write *write,
                                     struct yore_error *error_out);
/* End an element's incarnation.  A node with relationships: refused (YORE_INVALID, the text tells
 * how many), or with `detaches` they end with it. */
enum yore_status graph_delete(struct graph_txn *txn, struct graph_id id, bool detaches,
                              const struct graph_write *write, struct yore_error *error_out);

/* ---- schema ------------------------------------------------------------------------------------
 */

struct graph_schema {
    bool is_unique; /* a constraint, with an index behind it; otherwise an index alone */
    uint32_t label;
    uint32_t property;
    struct yore_bytes name; /* 1 to GRAPH_SCHEMA_NAME_BYTES_MAX octets; size 0: none was given */
};
/* Asked now and then, by the thread that works: true ends the work. */
struct graph_cancel {
    bool (*is_cancelled)(void *arg);
    void *arg;
};
/* Made online and backfilled over all of history.  What fails, or is cancelled (`cancel` may be
 * NULL: it is not), leaves nothing behind; what a crash cuts off is taken up by the next call.
 * Errors: YORE_EXISTS (there is one, or one of that name; or two elements break the constraint: the
 * text names them and when); YORE_TOO_BIG (the name, a value); YORE_CANCELLED. */
enum yore_status graph_schema_create(struct graph *graph, const struct graph_schema *schema,
                                     const struct graph_cancel *cancel,
                                     struct yore_error *error_out);
/* Its entries go behind it, now, or if that is cancelled when the next one is made or dropped.
 * Errors: YORE_NOT_FOUND; YORE_CANCELLED (it is dropped, entries are left). */
enum yore_status graph_schema_drop(struct graph *graph, const struct graph_schema *schema,
                                   const struct graph_cancel *cancel, struct yore_error *error_out);
/* The index or constraint called `name` now; its own name is left out.  Errors: YORE_NOT_FOUND. */
enum yore_status graph_schema_find(struct graph *graph, struct yore_bytes name,
                                   struct graph_schema *schema_out, struct yore_error *error_out);
/* What it is called: as it was named, or "index_Label_property", "constraint_Label_property"; in
 * `arena`.  Errors: YORE_NOMEM. */
enum yore_status graph_schema_name(struct graph *graph, const struct graph_schema *schema,
                                   struct arena *arena, struct yore_bytes *name_out);
/* Those that are complete; what `each` is told is borrowed until it returns. */
enum yore_status graph_schema_list(struct graph_view *view,
                                   int (*each)(void *arg, const struct graph_schema *schema),
                                   void *arg, struct yore_error *error_out);

/* ---- time: histories and differences -----------------------------------------------------------
 */

/* The maximal intervals within [from, to) in which a version of an element held, as known, oldest
 * first; a gap is a time at which it was not there.  A transaction's own writes are not told. */
struct graph_version {
    struct yore_graph_span span;
    struct yore_graph_value element; /* NODE or RELATIONSHIP */
};
struct graph_history;
enum yore_status graph_history_open(struct graph_view *view, struct graph_id id, int64_t from,
                                    int64_t to, struct graph_history **history_out,
                                    struct yore_error *error_out);
enum yore_status graph_history_next(struct graph_history *history, struct arena *arena,
                                    struct graph_version *version_out,
                                    struct yore_error *error_out);
void graph_history_close(struct graph_history *history);
/* The ids of all elements that were ever there, as the view knows, each once: first those that were
 * there when what is kept begins, then those that came later, both ascending. */
struct graph_ids;
enum yore_status graph_ids_open(struct graph_view *view, enum graph_element element,
                                struct graph_ids **ids_out, struct yore_error *error_out);
/* YORE_NOT_FOUND: no more. */
enum yore_status graph_ids_next(struct graph_ids *ids, uint64_t *id_out,
                                struct yore_error *error_out);
void graph_ids_close(struct graph_ids *ids);
/* Every incarnation of an external id, oldest first. */
enum yore_status graph_incarnations(struct graph_view *view, enum graph_element element,
                                    struct yore_bytes external_id, struct arena *arena,
                                    const uint64_t **ids_out, size_t *count_out,
                                    struct yore_error *error_out);

/* What differs between two moments, or every step between them.  A net difference comes by element,
 * nodes first; steps in time order.  Of the spans of before and after only the bound between them
 * is told: `time`; the other is YORE_TIME_MIN and YORE_FOREVER. */
enum graph_change_kind { GRAPH_ADDED = 1, GRAPH_CHANGED = 2, GRAPH_REMOVED = 3 };
struct graph_change {
    enum graph_change_kind kind;
    struct graph_id id;
    int64_t time;
    int64_t commit;
    struct yore_graph_value before; /* null, NODE or RELATIONSHIP */
    struct yore_graph_value after;
};
struct graph_changes;
struct graph_changes_options {
    int64_t from;
    int64_t to;
    int64_t known;      /* YORE_NOW: everything */
    bool every_version; /* each step, in time order; otherwise the net difference by element */
};
enum yore_status graph_changes_open(struct graph *graph,
                                    const struct graph_changes_options *options,
                                    struct graph_changes **changes_out,
                                    struct yore_error *error_out);
enum yore_status graph_changes_next(struct graph_changes *changes, struct arena *arena,
                                    struct graph_change *change_out, struct yore_error *error_out);
void graph_changes_close(struct graph_changes *changes);
/* The nearest moment after (or before) `moment` at which anything changed, as was known at `known`
 * (YORE_NOW: everything).  YORE_NOT_FOUND: none. */
enum yore_status graph_next_change(struct graph *graph, int64_t moment, int64_t known,
                                   bool is_backward, int64_t *moment_out,
                                   struct yore_error *error_out);

/* ---- verifying --------------------------------------------------------------------------------
 */

struct graph_verify_report {
    uint64_t nodes; /* ever */
    uint64_t relationships;
    uint64_t entries; /* of every index */
    uint64_t problems;
};
/* Check everything docs/format-graph.md says of a graph, at every time there is, as known now.
 * `problem` (may be NULL) gets one line per finding; borrowed.  `report_out` may be NULL.  Returns
 * YORE_CORRUPT when there is a finding. */
enum yore_status graph_verify(struct graph *graph, void (*problem)(void *arg, const char *line),
                              void *arg, struct graph_verify_report *report_out,
                              struct yore_error *error_out);

#endif
