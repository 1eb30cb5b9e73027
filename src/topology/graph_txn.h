/* graph_txn.h -- the inside of a graph's transaction, for the files that write.
 *
 * Every change goes the same way: the *line* of a key (its versions from a moment on, those of the
 * transaction among them) is read, the segments of an element's life are given new states, and what
 * differs is written, index entries included.  A change from now on is the case of one segment.
 *
 * What was read is noted with the engine, so that the commit conflicts with whoever wrote it
 * meanwhile: an element's record for those who change it, the entry of its external id (written
 * only when an incarnation begins or ends) for those who attach a relationship to it.
 */
#ifndef YORE_TOPOLOGY_GRAPH_TXN_H
#define YORE_TOPOLOGY_GRAPH_TXN_H

#include "topology/element_state.h"
#include "topology/graph.h"
#include "topology/own_facts.h"
#include "topology/rules.h"

/* The commit's time as a begin or an end inside a transaction, which does not know it yet: later
 * than any date that begins something, earlier than any end to come. */
#define LINE_NOW (YORE_FOREVER - 1)

struct graph_txn {
    struct graph *graph;
    struct yore_txn *engine;
    struct yore_time time;
    struct own_facts own;
    struct own_facts own_groups; /* of a node its adjacency keys among them, of an indexed value its
                                    entries: as values under what these keys begin with */
    uint64_t writes;
    bool is_inside; /* of the keyspace's gate: it writes */
    bool is_ahead;  /* something is dated after `time`, within what clocks may differ */
    bool is_broken; /* a change was written in part: it must not commit */
    bool has_rules; /* they were read */
    struct graph_rules *rules;
    struct graph_tally tally;
    struct arena scratch; /* of one change */
    bool defers_unique;
    struct unique_doubt *doubts; /* what deferring leaves to be looked at, in `doubt_memory` */
    struct arena doubt_memory;
};

struct yore_txn *graph_txn_engine(const struct graph_txn *txn);
uint64_t graph_txn_writes(const struct graph_txn *txn);

/* ---- txn.c ---- */

/* Is a begin earlier than an end?  And the earlier of two ends. */
bool txn_begins_before(const struct graph_txn *txn, int64_t from, int64_t end);
int64_t txn_first_end(const struct graph_txn *txn, int64_t a, int64_t b);
/* One fact.  A failure breaks the transaction when `txn->is_broken` says so already, or when
 * something of the same change was written before: callers check first and write last. */
enum yore_status txn_put(struct graph_txn *txn, struct yore_bytes key, struct yore_bytes value,
                         int64_t from, int64_t to, struct yore_error *error_out);
enum yore_status txn_delete(struct graph_txn *txn, struct yore_bytes key, int64_t from,
                            struct yore_error *error_out);
/* The date of a change, checked; YORE_NOW becomes LINE_NOW.  `write` may be NULL. */
enum yore_status txn_dates(struct graph_txn *txn, const struct graph_write *write,
                           struct graph_write *dates_out, struct yore_error *error_out);

/* ---- line.c ---- */

struct line_version {
    int64_t from;
    int64_t to;  /* its own end */
    int64_t end; /* where it gives way: own end, or the next version */
    bool is_put;
    struct yore_bytes value;
};
struct line {
    struct line_version *versions; /* ascending; the first may have begun before what was asked */
    size_t count;
    bool is_in_force; /* versions[0] holds at the moment asked for */
};
/* The line of a key from `from` on (LINE_NOW: only what holds now), in the scratch; noted. */
enum yore_status line_read(struct graph_txn *txn, struct yore_bytes key, int64_t from,
                           struct line *line_out, struct yore_error *error_out);
/* The same of what was stored when the transaction began; not noted. */
enum yore_status line_stored(struct graph_txn *txn, struct yore_bytes key, int64_t from,
                             struct line *line_out, struct yore_error *error_out);
/* How many versions from the first on are puts without a gap; 0 when it is not in force.
 * *end_out: when the last of them gives way. */
size_t line_life(const struct line *line, int64_t *end_out);
/* Every key with `prefix` that is there at `from` or comes later, each once; in the scratch.  Of
 * adjacency the prefix is a node's, of a property index a value's. */
struct line_keys {
    struct yore_bytes *keys;
    size_t count;
    size_t capacity;
};
enum yore_status line_keys_ever(struct graph_txn *txn, struct yore_bytes prefix, int64_t from,
                                struct line_keys *keys_out, struct yore_error *error_out);

/* The same, but for keys that only the transaction has written; some may come twice. */
enum yore_status line_keys_stored(struct graph_txn *txn, struct yore_bytes prefix, int64_t from,
                                  struct line_keys *keys_out, struct yore_error *error_out);

/* ---- segments.c ---- */

/* A stretch of an element's life, as it was and as it will be. */
struct segment {
    int64_t from;
    bool is_split; /* no version begins here yet */
    bool was;      /* false: it is being created */
    bool will_be;  /* false: it is being deleted */
    struct element_state before;
    struct element_state after;
};
/* Write what differs.  `end` is that of the life (YORE_FOREVER: none). */
enum yore_status segments_write(struct graph_txn *txn, struct graph_id id,
                                const struct segment *segments, size_t count, int64_t end,
                                struct yore_error *error_out);

/* An element's life from `from` on. */
struct life {
    struct segment *segments;
    size_t count;
    int64_t end;
};
/* Errors: YORE_NOT_FOUND when it is not there at `from`; YORE_CONFLICT when it may have been erased
 * since the transaction began. */
enum yore_status life_read(struct graph_txn *txn, struct graph_id id, int64_t from,
                           struct life *life_out, struct yore_error *error_out);

/* ---- edit.c ---- */

/* Make a segment begin at each of these moments, ascending and later than the life's begin, before
 * which it has not ended. */
enum yore_status life_split(struct graph_txn *txn, struct life *life, const int64_t *moments,
                            size_t count, struct yore_error *error_out);

/* ---- create.c ---- */

/* Make an element whose life has these segments, from the first to dates->to; nothing is checked
 * but the external id, and unique values.  The external id is that of the first segment. */
enum yore_status life_create(struct graph_txn *txn, struct segment *segments, size_t count,
                             const struct graph_write *dates, uint64_t *id_out,
                             struct yore_error *error_out);
/* Let an element that begins later begin at `from`; its segments are written already. */
enum yore_status external_extend(struct graph_txn *txn, enum graph_element element,
                                 struct yore_bytes external_id, uint64_t id,
                                 const struct graph_write *gap, int64_t end,
                                 struct yore_error *error_out);
/* The external id of a node at a moment, in the scratch.  Errors: YORE_NOT_FOUND. */
enum yore_status node_external(struct graph_txn *txn, uint64_t node, int64_t from,
                               struct yore_bytes *external_id_out, struct yore_error *error_out);

/* A property's value as it stands in a record; in the scratch. */
enum yore_status property_encode(struct graph_txn *txn, const struct graph_property *property,
                                 struct yore_bytes *value_out, struct yore_error *error_out);

#endif
