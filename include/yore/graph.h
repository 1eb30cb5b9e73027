/* graph.h -- topology: named graphs in a database, as of any moment, and their query language.
 *
 * A *graph* is a labelled property graph: nodes with labels, relationships with one type and a
 * direction, properties on both.  Every element also has an *external id*, unique per kind in its
 * graph at every moment, so that a source can say "this thing" again; an element that is deleted
 * and made anew under the same external id is another *incarnation*, with another `id`.  Both times
 * of yore.h hold for every element, label and property; integrity is promised at every one of them.
 *
 * The conventions of yore.h apply.  Values are immutable and belong to what handed them out (a
 * result's row, a view's arena), as said there.
 */
#ifndef YORE_GRAPH_H
#define YORE_GRAPH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <yore/yore.h>

#ifdef __cplusplus
extern "C" {
#if defined(__GNUC__) /* some functions have the name of the struct they take, as stat() has */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"
#endif
#endif

/* ---- values ---------------------------------------------------------------------------------- */

/* The kinds of openCypher, numbered for ever: they stand in records on disk up to DURATION. */
enum yore_graph_kind {
    YORE_GRAPH_NULL = 0,
    YORE_GRAPH_BOOL = 1,
    YORE_GRAPH_INT = 2,    /* 64 bits, signed */
    YORE_GRAPH_FLOAT = 3,  /* IEEE 754 binary64 */
    YORE_GRAPH_STRING = 4, /* UTF-8 */
    YORE_GRAPH_LIST = 5,
    YORE_GRAPH_MAP = 6,
    YORE_GRAPH_DATE = 7,
    YORE_GRAPH_LOCAL_TIME = 8,
    YORE_GRAPH_TIME = 9, /* with an offset from UTC */
    YORE_GRAPH_LOCAL_DATETIME = 10,
    YORE_GRAPH_DATETIME = 11, /* with an offset, and a zone where one was named */
    YORE_GRAPH_DURATION = 12,
    /* What a query makes; never a property. */
    YORE_GRAPH_NODE = 13,
    YORE_GRAPH_RELATIONSHIP = 14,
    YORE_GRAPH_PATH = 15,
    /* Inside the library only: an element that was not fetched yet. */
    YORE_GRAPH_NODE_REF = 16,
    YORE_GRAPH_RELATIONSHIP_REF = 17
};

struct yore_graph_value;
struct yore_graph_entry;
struct yore_graph_node;
struct yore_graph_relationship;
struct yore_graph_path;

struct yore_graph_list {
    const struct yore_graph_value *items;
    size_t count;
};

/* Entries in ascending order of name (octet by octet), each name once. */
struct yore_graph_map {
    const struct yore_graph_entry *entries;
    size_t count;
};

/* A point in local time: days or seconds count from 1970-01-01 in the proleptic Gregorian calendar,
 * years -999,999,999 to 999,999,999. */
struct yore_graph_clock {
    int64_t seconds; /* LOCAL_DATETIME: since 1970-01-01T00:00:00 local */
    int32_t nanoseconds;
    int32_t reserved;
};

struct yore_graph_time {
    int64_t nanoseconds; /* of the day, local: 0 .. 86,399,999,999,999 */
    int32_t offset_seconds;
    int32_t reserved;
};

struct yore_graph_datetime {
    int64_t seconds; /* since 1970-01-01T00:00:00Z */
    int32_t nanoseconds;
    int32_t offset_seconds; /* in force at that moment in `zone` */
    struct yore_bytes zone; /* IANA name; size 0: none was named */
};

struct yore_graph_duration {
    int64_t months;
    int64_t days;
    int64_t seconds;
    int32_t nanoseconds; /* 0 .. 999,999,999; the sign is that of `seconds` taken as a floor */
    int32_t reserved;
};

/* Private: an element of a view of this library. */
struct yore_graph_ref {
    uint64_t id;
    void *view;
};

struct yore_graph_value {
    enum yore_graph_kind kind;
    union {
        bool boolean;
        int64_t integer;
        double real;
        struct yore_bytes string;
        struct yore_graph_list list;
        struct yore_graph_map map;
        int64_t days;        /* DATE */
        int64_t nanoseconds; /* LOCAL_TIME, of the day */
        struct yore_graph_time time;
        struct yore_graph_clock clock; /* LOCAL_DATETIME */
        const struct yore_graph_datetime *datetime;
        const struct yore_graph_duration *duration;
        const struct yore_graph_node *node;
        const struct yore_graph_relationship *relationship;
        const struct yore_graph_path *path;
        struct yore_graph_ref ref;
    } as;
};

struct yore_graph_entry {
    struct yore_bytes name;
    struct yore_graph_value value;
};

/* How long the state that is told here held: [valid_from, valid_to), as known; and the commit that
 * made it so. */
struct yore_graph_span {
    int64_t valid_from;
    int64_t valid_to; /* YORE_FOREVER: no end is known */
    int64_t commit;
};

struct yore_graph_node {
    uint64_t id; /* unique in its graph for ever, never used again */
    struct yore_bytes external_id;
    const struct yore_bytes *labels; /* ascending */
    size_t label_count;
    struct yore_graph_map properties;
    struct yore_graph_span span;
};

struct yore_graph_relationship {
    uint64_t id;
    struct yore_bytes external_id;
    struct yore_bytes type;
    uint64_t start_id;
    uint64_t end_id;
    struct yore_graph_map properties;
    struct yore_graph_span span;
};

/* nodes[0], relationships[0], nodes[1], ...: one more node than relationships.  Items are NODE and
 * RELATIONSHIP values. */
struct yore_graph_path {
    const struct yore_graph_value *nodes;
    const struct yore_graph_value *relationships;
    size_t length; /* of relationships */
};

/* ---- graphs ---------------------------------------------------------------------------------- */

struct yore_graph;
struct yore_graph_txn;
struct yore_graph_view;
struct yore_graph_scan;
struct yore_graph_hops;
struct yore_graph_history;
struct yore_graph_changes;
struct yore_graph_import;

/* Open graph `name` (1 to 253 characters of A-Z a-z 0-9 _ . -); `creates` makes it when missing.
 * `at` (may be NULL) opens one that existed then, or, where none did, the one that does now: facts
 * may be dated before their graph was made.  A handle may be used by any number of threads, all
 * that is opened from it by one at a time; close it last.  Retention, erasure, feed and drop
 * are those of its keyspace, "g." and the name. Errors: YORE_INVALID (name), YORE_NOT_FOUND,
 * YORE_BAD_FORMAT, YORE_TOO_BIG (too many keyspaces). */
YORE_API enum yore_status yore_graph_open(struct yore_db *db, const char *name, bool creates,
                                          const struct yore_time *at, struct yore_graph **graph_out,
                                          struct yore_error *error_out) YORE_MUST_USE;
YORE_API void yore_graph_close(struct yore_graph *graph);

/* ---- transactions ---------------------------------------------------------------------------- */

enum yore_graph_element { YORE_GRAPH_ELEMENT_NODE = 1, YORE_GRAPH_ELEMENT_RELATIONSHIP = 2 };

/* How a change is dated.  NULL means: from the commit on, no end. */
struct yore_graph_write {
    int64_t from; /* YORE_NOW: the commit time */
    int64_t to;   /* YORE_FOREVER; or the end of what is made, or of what is changed: after it holds
                     again what held before */
    bool clips;   /* what would outlive an end of it, or meet the next incarnation of its external
                     id, ends there instead of being refused */
};

struct yore_graph_new_node {
    struct yore_bytes external_id; /* size 0: one is made up */
    const struct yore_bytes *labels;
    size_t label_count;
    struct yore_graph_map properties;
};
struct yore_graph_new_relationship {
    struct yore_bytes external_id;
    struct yore_bytes type;
    uint64_t start_id;
    uint64_t end_id;
    struct yore_graph_map properties;
};

/* Serializable: the commit fails with YORE_CONFLICT (begin again) when what was read, or what the
 * graph's integrity rests on, was changed meanwhile.  Writers that add relationships to one node do
 * not conflict.  After an error of a change the transaction is without it; one whose memory ran out
 * half way does not commit.  YORE_BUSY from a change: an import has the graph for itself;
 * YORE_CONFLICT: what it is about may have been erased meanwhile (begin again). */
YORE_API enum yore_status yore_graph_begin(struct yore_graph *graph,
                                           struct yore_graph_txn **txn_out,
                                           struct yore_error *error_out) YORE_MUST_USE;
/* Commit and free the transaction, whatever the outcome.  `commit_out` may be NULL. */
YORE_API enum yore_status yore_graph_commit(struct yore_graph_txn *txn,
                                            enum yore_durability durability, int64_t *commit_out,
                                            struct yore_error *error_out) YORE_MUST_USE;
YORE_API void yore_graph_abort(struct yore_graph_txn *txn);

/* Make an element; `id_out` is unique in the graph for ever.  A relationship lies within one
 * incarnation of each end, at every time.
 * Errors: YORE_EXISTS (the external id, or a unique value, is another's at some time in between;
 * the text names both and when), YORE_NOT_FOUND (an end is not there), YORE_INVALID (an end ends
 * before; a value that cannot be a property), YORE_TOO_BIG, YORE_IN_FUTURE, YORE_BEFORE_HORIZON. */
YORE_API enum yore_status yore_graph_node_create(struct yore_graph_txn *txn,
                                                 const struct yore_graph_new_node *node,
                                                 const struct yore_graph_write *write,
                                                 uint64_t *id_out,
                                                 struct yore_error *error_out) YORE_MUST_USE;
YORE_API enum yore_status yore_graph_relationship_create(
    struct yore_graph_txn *txn, const struct yore_graph_new_relationship *relationship,
    const struct yore_graph_write *write, uint64_t *id_out,
    struct yore_error *error_out) YORE_MUST_USE;
/* Set properties, a null removing one; with `replaces` all others go.  What is dated in the past
 * holds until the next change of the same property.  Errors: as above; YORE_NOT_FOUND (the element
 * is not there then). */
YORE_API enum yore_status yore_graph_set(struct yore_graph_txn *txn,
                                         enum yore_graph_element element, uint64_t id,
                                         const struct yore_graph_map *properties, bool replaces,
                                         const struct yore_graph_write *write,
                                         struct yore_error *error_out) YORE_MUST_USE;
/* Add (or take away) one label of a node, until the next change of that label. */
YORE_API enum yore_status yore_graph_label(struct yore_graph_txn *txn, uint64_t node,
                                           struct yore_bytes label, bool adds,
                                           const struct yore_graph_write *write,
                                           struct yore_error *error_out) YORE_MUST_USE;
/* End an element's incarnation, with all that was to come of it.  A node with relationships then or
 * later: refused (YORE_INVALID), or with `detaches` they end with it. */
YORE_API enum yore_status yore_graph_delete(struct yore_graph_txn *txn,
                                            enum yore_graph_element element, uint64_t id,
                                            bool detaches, const struct yore_graph_write *write,
                                            struct yore_error *error_out) YORE_MUST_USE;

/* ---- views ----------------------------------------------------------------------------------- */

/* The graph at one moment (NULL: now).  With `txn` (may be NULL) its own writes are seen, and what
 * is read is validated when it commits.  Errors: YORE_BEFORE_HORIZON, YORE_IN_FUTURE. */
YORE_API enum yore_status yore_graph_view_open(struct yore_graph *graph, struct yore_graph_txn *txn,
                                               const struct yore_time *at,
                                               struct yore_graph_view **view_out,
                                               struct yore_error *error_out) YORE_MUST_USE;
YORE_API void yore_graph_view_close(struct yore_graph_view *view);
/* What a view, or a walk opened from it, hands out stays valid until it is closed, or this call. */
YORE_API void yore_graph_view_forget(struct yore_graph_view *view);

/* YORE_NOT_FOUND: there is none at that moment. */
YORE_API enum yore_status yore_graph_node_get(struct yore_graph_view *view, uint64_t id,
                                              struct yore_graph_node *node_out,
                                              struct yore_error *error_out) YORE_MUST_USE;
YORE_API enum yore_status yore_graph_relationship_get(
    struct yore_graph_view *view, uint64_t id, struct yore_graph_relationship *relationship_out,
    struct yore_error *error_out) YORE_MUST_USE;
YORE_API enum yore_status yore_graph_find(struct yore_graph_view *view,
                                          enum yore_graph_element element,
                                          struct yore_bytes external_id, uint64_t *id_out,
                                          struct yore_error *error_out) YORE_MUST_USE;

/* Which elements to walk over.  All empty: every node. */
struct yore_graph_scan_options {
    enum yore_graph_element element;    /* 0: nodes */
    struct yore_bytes name;             /* of a label, or of a relationship type; size 0: all */
    struct yore_bytes property;         /* nodes of a label by an index on it; size 0: by id */
    const struct yore_graph_value *low; /* of the property; NULL: open */
    const struct yore_graph_value *high;
    bool low_exclusive;
    bool high_exclusive;
    bool is_prefix; /* of strings: those that begin with `low` */
};
/* Errors: YORE_NOT_FOUND (no such index). */
YORE_API enum yore_status yore_graph_scan_open(struct yore_graph_view *view,
                                               const struct yore_graph_scan_options *options,
                                               struct yore_graph_scan **scan_out,
                                               struct yore_error *error_out) YORE_MUST_USE;
/* YORE_OK: `*id_out` is the next; YORE_NOT_FOUND: no more. */
YORE_API enum yore_status yore_graph_scan_next(struct yore_graph_scan *scan, uint64_t *id_out,
                                               struct yore_error *error_out) YORE_MUST_USE;
YORE_API void yore_graph_scan_close(struct yore_graph_scan *scan);

enum yore_graph_direction { YORE_GRAPH_OUT = 1, YORE_GRAPH_IN = 2, YORE_GRAPH_BOTH = 3 };
struct yore_graph_hop {
    uint64_t relationship;
    uint64_t other;
    struct yore_bytes type;
    bool is_outgoing;
};
/* The relationships of a node, without reading them.  `type` of size 0: every type; `other` 0: any
 * other end.  With YORE_GRAPH_BOTH a loop is told once. */
struct yore_graph_hops_options {
    uint64_t node;
    enum yore_graph_direction direction;
    struct yore_bytes type;
    uint64_t other;
};
YORE_API enum yore_status yore_graph_hops_open(struct yore_graph_view *view,
                                               const struct yore_graph_hops_options *options,
                                               struct yore_graph_hops **hops_out,
                                               struct yore_error *error_out) YORE_MUST_USE;
/* Begin again at another node. */
YORE_API enum yore_status yore_graph_hops_restart(struct yore_graph_hops *hops, uint64_t node,
                                                  struct yore_error *error_out) YORE_MUST_USE;
YORE_API enum yore_status yore_graph_hops_next(struct yore_graph_hops *hops,
                                               struct yore_graph_hop *hop_out,
                                               struct yore_error *error_out) YORE_MUST_USE;
YORE_API void yore_graph_hops_close(struct yore_graph_hops *hops);

/* ---- indexes and constraints ------------------------------------------------------------------
 */

/* Index a property of the nodes of a label, made online and over all of history; `is_unique`: at
 * most one of them has a value at any time.  Errors: YORE_EXISTS (there is one; or two nodes break
 * the constraint: the text names them and when). */
YORE_API enum yore_status yore_graph_index_create(struct yore_graph *graph, struct yore_bytes label,
                                                  struct yore_bytes property, bool is_unique,
                                                  struct yore_error *error_out) YORE_MUST_USE;
YORE_API enum yore_status yore_graph_index_drop(struct yore_graph *graph, struct yore_bytes label,
                                                struct yore_bytes property, bool is_unique,
                                                struct yore_error *error_out) YORE_MUST_USE;

/* ---- histories and differences -----------------------------------------------------------------
 */

/* The versions of an element within [from, to), oldest first, each with its span; a gap is a time
 * at which it was not there. */
YORE_API enum yore_status yore_graph_history_open(struct yore_graph_view *view,
                                                  enum yore_graph_element element, uint64_t id,
                                                  int64_t from, int64_t to,
                                                  struct yore_graph_history **history_out,
                                                  struct yore_error *error_out) YORE_MUST_USE;
YORE_API enum yore_status yore_graph_history_next(struct yore_graph_history *history,
                                                  struct yore_graph_value *element_out,
                                                  struct yore_graph_span *span_out,
                                                  struct yore_error *error_out) YORE_MUST_USE;
YORE_API void yore_graph_history_close(struct yore_graph_history *history);

struct yore_graph_change {
    enum yore_change_kind kind;
    enum yore_graph_element element;
    uint64_t id;
    int64_t time;
    int64_t commit;
    struct yore_graph_value before; /* null where it was not there */
    struct yore_graph_value after;
};
/* What differs between the states at `from` and `to`, as known now, nodes first; `every_version`:
 * each step in between, in time order.  Costs what has changed.  What is handed out stays valid
 * until the next step. */
YORE_API enum yore_status yore_graph_changes_open(struct yore_graph *graph, int64_t from,
                                                  int64_t to, bool every_version,
                                                  struct yore_graph_changes **changes_out,
                                                  struct yore_error *error_out) YORE_MUST_USE;
YORE_API enum yore_status yore_graph_changes_next(struct yore_graph_changes *changes,
                                                  struct yore_graph_change *change_out,
                                                  struct yore_error *error_out) YORE_MUST_USE;
YORE_API void yore_graph_changes_close(struct yore_graph_changes *changes);
/* The nearest moment after (or before) `moment` at which anything changed; YORE_NOT_FOUND: none. */
YORE_API enum yore_status yore_graph_nearest_change(struct yore_graph *graph, int64_t moment,
                                                    bool is_backward, int64_t *moment_out,
                                                    struct yore_error *error_out) YORE_MUST_USE;

/* ---- ingest: what sources say
 * --------------------------------------------------------------------
 *
 * A *source* is whoever tells a graph what there is: a cluster's agent, an inventory.  What it says
 * of an element under its external id is a *claim*: that the element is there, with these labels
 * and properties, or as a relationship of this type between these two external ids.  A claim holds
 * until the source says something else of that element, and the graph is made of all claims, at
 * every valid time:
 *
 *  I1  an element is there while at least one source claims it, or while it was there on its own (a
 *      query or an import made it) before any source spoke of it;
 *  I2  it has the labels of all claims, and of each property the value of the claim that goes
 *      first: the greatest rank, then the source's name that sorts first, octet by octet; type and
 *      ends of a relationship are those of the claim that goes first;
 *  I3  a relationship is there while its claim holds and both its ends are; otherwise its claim is
 *      *pending*: kept, told by yore_graph_pending(), and made real as soon as the ends are there,
 *      from the moment on at which both were;
 *  I4  a snapshot of a source replaces all it claims at the snapshot's moment, or nothing;
 *  I5  a source with a time to live that stays silent longer claims nothing from then on: from its
 *      last word plus that time, whenever that is noticed.
 *
 * What a query sets on a claimed element stays until a source says something else of that property;
 * what a query deletes comes back with the next word about it.  Claims are dated, late ones
 * corrected as everything else; a graph with sources must keep its history (not YORE_KEEP_NOW).
 */

/* Words of one call, and of one transaction of a snapshot: a greater difference is carried out in
 * several transactions, all dated at the snapshot's moment (see yore_graph_sync_stop()). */
#define YORE_GRAPH_WORDS_MAX 32768u
#define YORE_GRAPH_SOURCE_NAME_BYTES_MAX 1024u

struct yore_graph_source {
    struct yore_bytes name; /* 1 to YORE_GRAPH_SOURCE_NAME_BYTES_MAX octets */
    int64_t rank;           /* of what it says from now on; 0 unless it was set */
    int64_t ttl_ns;         /* 0: it may be silent for ever */
    /* Told only: */
    int64_t last_word;         /* the latest moment it spoke of; YORE_TIME_MIN: it never spoke */
    int64_t expired_at;        /* it was silent too long; YORE_TIME_MIN: no */
    uint64_t snapshot;         /* number of the snapshot under way; 0: none */
    struct yore_bytes refusal; /* why that cannot be carried out to its end; size 0: it can */
    uint64_t nodes;            /* that it claims now */
    uint64_t relationships;
    uint64_t pending; /* of those relationships */
};

/* One thing a source says.  A word is whole: labels and properties it does not name, it no longer
 * claims. */
struct yore_graph_word {
    enum yore_graph_element element;
    struct yore_bytes external_id; /* 1 to 4,096 octets */
    bool removes;                  /* the source no longer claims it; the rest is not looked at */
    const struct yore_bytes *labels;
    size_t label_count;
    struct yore_bytes type; /* of a relationship, and the external ids of its ends */
    struct yore_bytes start;
    struct yore_bytes end;
    struct yore_graph_map properties; /* null values are left out */
    int64_t from; /* YORE_NOW: the call; else at most clock_skew_max after now */
    int64_t to;   /* YORE_FOREVER: until the source's next different word.  Else the word holds over
                     all of [from, to), whatever was said there before; behind an end in the past
                     holds what was said there, behind one in the future (of a claim) the source
                     claims nothing until it speaks again */
};

/* What a call has done. */
struct yore_graph_ingest_tally {
    uint64_t words;     /* that changed what the source claims */
    uint64_t unchanged; /* the source claimed that already */
    uint64_t nodes_created, nodes_deleted;
    uint64_t relationships_created, relationships_deleted;
    uint64_t pending_added, pending_resolved;
    int64_t commit;
};

/* Make a source, or change its rank (of what it says from then on) and its time to live.  A source
 * that just speaks is made with neither.  Errors: YORE_INVALID (name, ttl_ns < 0), YORE_TOO_BIG. */
YORE_API enum yore_status yore_graph_source_set(struct yore_graph *graph,
                                                const struct yore_graph_source *source,
                                                struct yore_error *error_out) YORE_MUST_USE;
/* Take in `count` words (0: only a sign of life) of a source, all or nothing, in one transaction.
 * Conflicts with others are tried again, then without others of the same handle beside it, which
 * wait: so each call of a handle gets through.  `tally_out` may be NULL.
 * Errors: YORE_INVALID (the text says which word and why), YORE_TOO_BIG, YORE_EXISTS (a constraint
 * would break), YORE_IN_FUTURE, YORE_BEFORE_HORIZON, YORE_CONFLICT (others write the same all the
 * time), YORE_BUSY (an import). */
YORE_API enum yore_status yore_graph_ingest(struct yore_graph *graph, struct yore_bytes source,
                                            const struct yore_graph_word *words, size_t count,
                                            enum yore_durability durability,
                                            struct yore_graph_ingest_tally *tally_out,
                                            struct yore_error *error_out) YORE_MUST_USE;

/* Begin a snapshot: everything the source claims at `at` (YORE_NOW: this call).  It gets a number,
 * greater than any before; one that was under way is thereby aborted, and its number refused.
 * Nothing is seen of a snapshot before it is stopped; it survives a restart. */
YORE_API enum yore_status yore_graph_sync_start(struct yore_graph *graph, struct yore_bytes source,
                                                int64_t at, uint64_t *snapshot_out,
                                                struct yore_error *error_out) YORE_MUST_USE;
/* Some of it, any number of times; of several words about one element the last counts.  Kept on
 * disk: a snapshot may be larger than memory.  `from` may be earlier than the snapshot's moment.
 * Errors: YORE_CONFLICT (the snapshot was aborted, or another one of the source has begun),
 * YORE_INVALID (also: a removal, or a word with an end). */
YORE_API enum yore_status yore_graph_sync_send(struct yore_graph *graph, struct yore_bytes source,
                                               uint64_t snapshot,
                                               const struct yore_graph_word *words, size_t count,
                                               struct yore_error *error_out) YORE_MUST_USE;
/* The snapshot is whole: what it named and the source did not claim so, is claimed; what it did not
 * name, is no longer claimed, from its moment on.  What another source claims stays (I1).
 * Up to YORE_GRAPH_WORDS_MAX differences are one transaction.  More are decided first (durably),
 * then carried out in several, removals before the rest: who reads meanwhile may see a part; a
 * crash in between does not lose the rest, which yore_graph_settle(), or the source's next word,
 * carries out.  Where the graph will not have one of them (a constraint, a limit), what came before
 * stays, and the snapshot is *refused*: the error, of that cause's status, says what, where and how
 * to mend it, and so does the error of the source's next words.  Once the cause is gone
 * yore_graph_settle() carries out the rest; yore_graph_sync_abort() gives it up, and so does the
 * next yore_graph_sync_start().
 * Errors: those of yore_graph_ingest(); YORE_CONFLICT also: the snapshot is not under way. */
YORE_API enum yore_status yore_graph_sync_stop(struct yore_graph *graph, struct yore_bytes source,
                                               uint64_t snapshot, enum yore_durability durability,
                                               struct yore_graph_ingest_tally *tally_out,
                                               struct yore_error *error_out) YORE_MUST_USE;
/* Give up a snapshot that is being sent, of which nothing is left, or that was refused, of which
 * that stays which was carried out.  Errors: YORE_CONFLICT (it is not under way, or it is decided:
 * it will be carried out). */
YORE_API enum yore_status yore_graph_sync_abort(struct yore_graph *graph, struct yore_bytes source,
                                                uint64_t snapshot,
                                                struct yore_error *error_out) YORE_MUST_USE;
/* The source claims nothing any more from `at` on (YORE_NOW: now). */
YORE_API enum yore_status yore_graph_source_end(struct yore_graph *graph, struct yore_bytes source,
                                                int64_t at,
                                                struct yore_graph_ingest_tally *tally_out,
                                                struct yore_error *error_out) YORE_MUST_USE;
/* Do what time has brought: end the claims of silent sources and those with an end of their own,
 * each at its moment (at the graph's horizon if that is later, for nothing can be written before
 * it), finish decided snapshots, also refused ones, and look again for the ends of pending
 * relationships.  Calls that take in words do the first for their own source.
 * What cannot be settled keeps nothing else back: the first error is told in the end. */
YORE_API enum yore_status yore_graph_settle(struct yore_graph *graph,
                                            struct yore_graph_ingest_tally *tally_out,
                                            struct yore_error *error_out) YORE_MUST_USE;

/* Every source, by the order of their making; borrowed.  A non-zero return stops the walk.
 * Counting costs what the sources claim. */
YORE_API enum yore_status yore_graph_sources(struct yore_graph *graph,
                                             int (*each)(void *arg,
                                                         const struct yore_graph_source *source),
                                             void *arg, struct yore_error *error_out) YORE_MUST_USE;
/* A relationship that is claimed and cannot be there. */
struct yore_graph_pending {
    struct yore_bytes external_id;
    struct yore_bytes type;
    struct yore_bytes start;
    struct yore_bytes end;
    bool start_is_missing;
    bool end_is_missing;
    struct yore_bytes source; /* whose claim goes first */
    int64_t since;
};
/* Those pending at a moment (NULL: now), by external id; borrowed. */
YORE_API enum yore_status yore_graph_pending(struct yore_graph *graph, const struct yore_time *at,
                                             int (*each)(void *arg,
                                                         const struct yore_graph_pending *pending),
                                             void *arg, struct yore_error *error_out) YORE_MUST_USE;

/* ---- erase
 * -------------------------------------------------------------------------------------*/

/* Destroy all that is known of an external id, of every incarnation, at every time: records,
 * entries of indexes, claims; of a node also every relationship it ever had, pending ones too, each
 * with all that was ever called by its external id.  One transaction does it: a crash leaves all or
 * nothing, the graph stays whole, reads find nothing.  It reaches what was committed before it and
 * nothing later: a source, or a transaction, that speaks of the external id again makes another
 * element.  The bytes leave the files as yore_erase() says.  Keys stay, and with them the external
 * id and the values of indexed properties, until retention passes them: do not put what a law may
 * ask for into either.  `count_out` (may be NULL): elements erased.  Errors: YORE_NOT_FOUND (never
 * heard of it), YORE_CONFLICT (others write the same all the time: try again), YORE_BUSY (an
 * import), YORE_TOO_BIG (more than 2^20 erasures would be held that cannot leave, see
 * yore_erase()). */
YORE_API enum yore_status yore_graph_erase(struct yore_graph *graph,
                                           enum yore_graph_element element,
                                           struct yore_bytes external_id, uint64_t *count_out,
                                           struct yore_error *error_out) YORE_MUST_USE;
/* Destroy all that is known of one property of an external id, at every time, also in claims; the
 * rest of the element stays as it is known now, at every time, under the same id.  What was known
 * of it at earlier commits is destroyed whole, of a node with that of its relationships: as known
 * then they never were.  Costs what that takes to write again.  As above otherwise: an indexed
 * value stays in its index's keys, and a source that says the property again sets it. Errors:
 * YORE_NOT_FOUND (it never had the property), those of yore_graph_erase(). */
YORE_API enum yore_status yore_graph_erase_property(struct yore_graph *graph,
                                                    enum yore_graph_element element,
                                                    struct yore_bytes external_id,
                                                    struct yore_bytes property,
                                                    struct yore_error *error_out) YORE_MUST_USE;

/* ---- import and check --------------------------------------------------------------------------
 */

/* Import lines of events (docs/import-export.md), one commit for each transaction of the source, in
 * its time, whole or absent.  The events must be later than all that the graph holds; with
 * `resumes` those that are not are passed over: an import that was cut off goes on.  Other writers
 * get YORE_BUSY meanwhile.  Errors: YORE_BUSY, YORE_UNSUPPORTED (the graph has constraints). */
YORE_API enum yore_status yore_graph_import_open(struct yore_graph *graph,
                                                 enum yore_durability durability, bool resumes,
                                                 struct yore_graph_import **import_out,
                                                 struct yore_error *error_out) YORE_MUST_USE;
/* One line, without its end.  After an error the import can only be aborted.  Errors: YORE_INVALID,
 * YORE_EXISTS, YORE_NOT_FOUND (the text names the line and why). */
YORE_API enum yore_status yore_graph_import_line(struct yore_graph_import *import,
                                                 struct yore_bytes line,
                                                 struct yore_error *error_out) YORE_MUST_USE;
/* Commit the last transaction, and free the import, whatever the outcome. */
YORE_API enum yore_status yore_graph_import_finish(struct yore_graph_import *import,
                                                   struct yore_error *error_out) YORE_MUST_USE;
YORE_API void yore_graph_import_abort(struct yore_graph_import *import);

/* Is the graph whole at every time?  `problem` (may be NULL) gets one line per finding, borrowed.
 * YORE_CORRUPT when there is one. */
YORE_API enum yore_status yore_graph_verify(struct yore_graph *graph,
                                            void (*problem)(void *arg, const char *line), void *arg,
                                            struct yore_error *error_out) YORE_MUST_USE;

#ifdef __cplusplus
#if defined(__GNUC__)
#pragma GCC diagnostic pop
#endif
}
#endif
#endif
