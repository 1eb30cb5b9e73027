/* staging.h -- what sources send in snapshots, until these are carried out: rows of a keyspace of
 * its own, which keeps only now.  Nothing of the graph is touched.
 *
 * Keys: graph, source, snapshot, element, external id; a value is the word's begin and its claim.
 */
#ifndef YORE_TOPOLOGY_STAGING_H
#define YORE_TOPOLOGY_STAGING_H

#include "topology/ingest_internal.h"

/* Enter the words of a snapshot, all or none; of several about one element the last counts. Durable
 * with the next commit that is.  Errors: YORE_INVALID (the text says which word and why),
 * YORE_TOO_BIG. */
enum yore_status staging_put(struct graph *graph, const struct graph_speech *speech,
                             uint32_t source, uint64_t snapshot, struct yore_error *error_out);
/* Take away what was sent in any snapshot of a source up to `upto`. */
enum yore_status staging_clear(struct graph *graph, uint32_t source, uint64_t upto,
                               struct yore_error *error_out);
/* Take away what was sent to graphs that are no more. */
enum yore_status staging_sweep(struct yore_db *db, struct yore_error *error_out);

/* What was sent in one snapshot, by element and external id; `*skip_out` octets of each key lie
 * before these. */
enum yore_status staging_cursor(struct graph *graph, uint32_t source, uint64_t snapshot,
                                struct yore_cursor **cursor_out, size_t *skip_out,
                                struct yore_error *error_out);
/* Take a row's value apart; borrows.  Errors: YORE_CORRUPT, YORE_NOMEM. */
enum yore_status staging_decode(const struct graph *graph, struct yore_bytes value,
                                enum graph_element element, struct arena *arena, int64_t *from_out,
                                struct claim *claim_out, struct yore_error *error_out);

#endif
