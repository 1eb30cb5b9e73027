/* carry_out.h -- what a source claims, brought to what it has sent, or to nothing. */
#ifndef YORE_TOPOLOGY_CARRY_OUT_H
#define YORE_TOPOLOGY_CARRY_OUT_H

#include "topology/ingest_internal.h"

struct carry_out {
    struct graph *graph;
    struct source source; /* as it was read */
    uint64_t snapshot;    /* what was sent; 0: nothing */
    bool is_silence;      /* nothing was sent since it did not speak until ... */
    int64_t deadline;     /* ... then */
    int64_t at;           /* the moment of all of it */
    bool is_again;        /* the last try had a conflict */
    bool gives_way;       /* in parts: a conflict, which says that others are at it, ends it */
    enum yore_durability durability;
    struct yore_graph_ingest_tally tally; /* result */
    bool is_over;                         /* result: somebody else has ended it, done or not */
};

/* All in one transaction; *is_full_out: it is too much for one, and nothing was done.  Errors:
 * YORE_CONFLICT, to be tried again with the source read anew; those of yore_graph_ingest(). */
enum yore_status carry_out_at_once(struct carry_out *work, bool *is_full_out,
                                   struct yore_error *error_out);
/* In as many as it takes; what was done before, by whomever, is no difference any more.  Of a
 * snapshot it must have been decided. */
enum yore_status carry_out_in_parts(struct carry_out *work, struct yore_error *error_out);

#endif
