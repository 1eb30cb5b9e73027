/* ingest.h -- what sources say of a graph: claims in transactions, snapshots, silence.
 *
 * What holds is said in <yore/graph.h>, "ingest" (I1 to I5); the keys are in docs/format-graph.md,
 * "Claims"; why it is so, in docs/decisions/0013-claims-of-sources.md.
 *
 * Threads: any number; those of one source, or of the same elements, take turns by conflicts, which
 * are tried again inside.
 */
#ifndef YORE_TOPOLOGY_INGEST_H
#define YORE_TOPOLOGY_INGEST_H

#include <yore/graph.h>

#include "topology/claims.h"
#include "topology/graph.h"

/* The functions of the public header, on the inside's graph. */
enum yore_status graph_source_set(struct graph *graph, const struct yore_graph_source *source,
                                  struct yore_error *error_out);
/* Words of a source, how durable they are to be, and what came of them. */
struct graph_speech {
    struct yore_bytes source;
    const struct yore_graph_word *words;
    size_t count;
    enum yore_durability durability;
};
enum yore_status graph_ingest(struct graph *graph, const struct graph_speech *speech,
                              struct yore_graph_ingest_tally *tally_out,
                              struct yore_error *error_out);
enum yore_status graph_sync_start(struct graph *graph, struct yore_bytes source, int64_t at,
                                  uint64_t *snapshot_out, struct yore_error *error_out);
enum yore_status graph_sync_send(struct graph *graph, const struct graph_speech *speech,
                                 uint64_t snapshot, struct yore_error *error_out);
enum yore_status graph_sync_stop(struct graph *graph, struct yore_bytes source, uint64_t snapshot,
                                 enum yore_durability durability,
                                 struct yore_graph_ingest_tally *tally_out,
                                 struct yore_error *error_out);
enum yore_status graph_sync_abort(struct graph *graph, struct yore_bytes source, uint64_t snapshot,
                                  struct yore_error *error_out);
enum yore_status graph_source_end(struct graph *graph, struct yore_bytes source, int64_t at,
                                  struct yore_graph_ingest_tally *tally_out,
                                  struct yore_error *error_out);
enum yore_status graph_settle(struct graph *graph, struct yore_graph_ingest_tally *tally_out,
                              struct yore_error *error_out);
enum yore_status graph_sources(struct graph *graph,
                               int (*each)(void *arg, const struct yore_graph_source *source),
                               void *arg, struct yore_error *error_out);
enum yore_status graph_pending(struct graph *graph, const struct yore_time *at,
                               int (*each)(void *arg, const struct yore_graph_pending *pending),
                               void *arg, struct yore_error *error_out);

/* ---- one transaction of claims ---- */

struct ingest;

/* `is_again`: the same had a conflict before; it waits until nobody else is at it, and keeps others
 * waiting (turn.h). */
enum yore_status ingest_begin(struct graph *graph, bool is_again, struct ingest **ingest_out,
                              struct yore_error *error_out);
void ingest_abort(struct ingest *ingest);
/* Work out what the claims make of the graph, commit, and free, whatever the outcome. */
enum yore_status ingest_commit(struct ingest *ingest, enum yore_durability durability,
                               struct yore_graph_ingest_tally *tally, struct yore_error *error_out);
struct graph_txn *ingest_txn(struct ingest *ingest);

/* What one source says of one element from `from` on, a moment. */
struct claim_change {
    enum graph_element element;
    struct yore_bytes external_id;
    uint32_t source;
    const struct claim *claim; /* NULL: nothing */
    int64_t until; /* of nothing: only claims that end by themselves then; else FOREVER */
    int64_t from;
    int64_t to; /* all of the span to there; YORE_FOREVER: until its next word, or, of nothing,
                   until the source says nothing already */
};
enum yore_status ingest_change(struct ingest *ingest, const struct claim_change *change,
                               struct yore_error *error_out);
/* Look at an element again. */
enum yore_status ingest_touch(struct ingest *ingest, enum graph_element element,
                              struct yore_bytes external_id, int64_t from,
                              struct yore_error *error_out);

/* A word as a claim in `arena`, checked; its names become tokens.  Errors: YORE_INVALID,
 * YORE_TOO_BIG. */
enum yore_status word_claim(struct graph *graph, const struct yore_graph_word *word,
                            struct arena *arena, struct claim *claim_out,
                            struct yore_error *error_out);

#endif
