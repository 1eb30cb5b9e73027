/* ingest_internal.h -- the inside of a transaction of claims, for the files that make one.
 *
 * Words change claims at once (claim_line.c); what the claims make of the graph is worked out once
 * an element, when all are in (derive.c): so their order does not matter, and an element named
 * twice costs one change.  Every moment is explicit: what is said now is dated at the transaction's
 * now.
 */
#ifndef YORE_TOPOLOGY_INGEST_INTERNAL_H
#define YORE_TOPOLOGY_INGEST_INTERNAL_H

#include "topology/claims.h"
#include "topology/graph_internal.h"
#include "topology/graph_txn.h"
#include "topology/ingest.h"

struct element_name {
    enum graph_element element;
    struct yore_bytes external_id;
};

struct ingest {
    struct graph *graph;
    struct graph_txn *txn;
    struct arena arena;     /* of one element */
    struct own_facts dirty; /* elements to work out: key as of an external id, since when */
    const struct own_fact **order;
    size_t order_count;
    size_t order_capacity;
    struct yore_graph_ingest_tally tally;
};

/* ---- claim_line.c ---- */

/* Claims along time: of what was stored and what will be. */
struct claim_segment {
    int64_t from;
    bool is_split; /* no version begins here yet */
    struct claims before;
    struct claims after;
};
struct claim_line {
    struct claim_segment *items; /* ascending, without a gap; the last has no end */
    size_t count;
    size_t capacity;
};
static inline int64_t claim_segment_end(const struct claim_line *line, size_t i)
{
    return i + 1 < line->count ? line->items[i + 1].from : YORE_FOREVER;
}
/* The segment that a moment lies in; 0 also for one before all. */
static inline size_t claim_segment_at(const struct claim_line *line, int64_t at)
{
    size_t low = 0;
    size_t high = line->count;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (line->items[middle].from <= at) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return low;
}
/* What was claimed at a moment. */
static inline const struct claims *claim_line_at(const struct claim_line *line, int64_t at)
{
    return &line->items[claim_segment_at(line, at)].before;
}
/* From `from` on; in the ingest's arena.  `stored`: as the transaction found it, and not noted. */
enum yore_status claim_line_read(struct ingest *ingest, const struct element_name *name,
                                 int64_t from, bool stored, struct claim_line *line_out,
                                 struct yore_error *error_out);

/* The incarnations of an external id that are there at a moment or later. */
struct life_span {
    uint64_t id;
    int64_t from;
    int64_t end;
    bool is_kept;
};
struct lives {
    struct life_span *items; /* ascending, apart */
    size_t count;
};
enum yore_status lives_read(struct ingest *ingest, const struct element_name *name, int64_t from,
                            struct lives *lives_out, struct yore_error *error_out);

/* Write the mark of an end: a key of claim_end_key() without a relationship. */
enum yore_status ingest_mark_end(struct ingest *ingest, struct yore_bytes key,
                                 struct yore_error *error_out);

/* ---- derive.c ---- */

/* Work `name` out at the end of the transaction, from `from` on; `ends`: a source has let go of it.
 */
enum yore_status ingest_mark(struct ingest *ingest, const struct element_name *name, int64_t from,
                             bool ends, struct yore_error *error_out);

enum yore_status ingest_derive(struct ingest *ingest, struct yore_error *error_out);

/* ---- sources.c ---- */

enum source_phase {
    SOURCE_IDLE = 0,
    SOURCE_SENDING = 1,
    SOURCE_DECIDED = 2,
    SOURCE_REFUSED = 3 /* decided, and the graph will not have it: a constraint, say */
};
#define SOURCE_REFUSAL_BYTES_MAX 240
struct source {
    uint32_t token;
    int64_t rank;
    int64_t ttl_ns;
    int64_t last_word;
    int64_t expired_at;
    uint64_t snapshot; /* the number given last */
    enum source_phase phase;
    int64_t snapshot_at;
    enum yore_status refusal; /* SOURCE_REFUSED: what it was, in words too */
    char refusal_text[SOURCE_REFUSAL_BYTES_MAX + 1];
};
static inline bool source_is_decided(const struct source *source)
{
    return source->phase == SOURCE_DECIDED || source->phase == SOURCE_REFUSED;
}
/* When it has been silent too long; YORE_FOREVER: never, or it has ended already. */
int64_t source_deadline(const struct source *source);
/* Errors: YORE_INVALID (the name). */
enum yore_status source_token(struct graph *graph, struct yore_bytes name, uint32_t *token_out,
                              struct yore_error *error_out);
/* Noted when `engine` is given (else NULL: as of now).  One that never spoke is all defaults. */
enum yore_status source_read(struct graph *graph, struct yore_txn *engine, uint32_t token,
                             struct source *source_out, struct yore_error *error_out);
enum yore_status source_write(struct graph *graph, struct yore_txn *engine,
                              const struct source *source, struct yore_error *error_out);

#endif
