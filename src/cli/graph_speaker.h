/* graph_speaker.h -- who takes in what a source says: a graph in a directory, or one behind a
 * server.
 *
 * Statuses and error texts are those of topology/ingest.h; behind a server also those of store.h.
 * Durability is that of the commands line's option; a server's own setting counts there.
 * Thread: one.
 */
#ifndef YORE_CLI_GRAPH_SPEAKER_H
#define YORE_CLI_GRAPH_SPEAKER_H

#include <yore/graph.h>

#include "cli/cli.h"

struct graph_erasure;
struct graph_speaker;

/* The graph `name` in the command's database, for words of `source` (borrowed, as is the name);
 * `creates`: made where it is missing.  YORE_NOT_FOUND names it. */
enum yore_status graph_speaker_open(struct cli *cli, const char *name, struct yore_bytes source,
                                    bool creates, struct graph_speaker **speaker_out,
                                    struct yore_error *error_out);
/* To ask what was at a moment, also of a graph that was dropped since; it has no source. */
enum yore_status graph_speaker_open_at(struct cli *cli, const char *name,
                                       const struct yore_time *at,
                                       struct graph_speaker **speaker_out,
                                       struct yore_error *error_out);
void graph_speaker_close(struct graph_speaker *speaker); /* NULL is ignored */

/* In one transaction; what it changed is added to `*tally`. */
enum yore_status graph_speaker_say(struct graph_speaker *speaker,
                                   const struct yore_graph_word *words, size_t count,
                                   enum yore_durability durability,
                                   struct yore_graph_ingest_tally *tally,
                                   struct yore_error *error_out);
enum yore_status graph_speaker_start(struct graph_speaker *speaker, int64_t at,
                                     uint64_t *snapshot_out, struct yore_error *error_out);
enum yore_status graph_speaker_send(struct graph_speaker *speaker, uint64_t snapshot,
                                    const struct yore_graph_word *words, size_t count,
                                    enum yore_durability durability, struct yore_error *error_out);
enum yore_status graph_speaker_stop(struct graph_speaker *speaker, uint64_t snapshot,
                                    enum yore_durability durability,
                                    struct yore_graph_ingest_tally *tally_out,
                                    struct yore_error *error_out);
enum yore_status graph_speaker_abort(struct graph_speaker *speaker, uint64_t snapshot,
                                     struct yore_error *error_out);
/* Its name is the speaker's source. */
enum yore_status graph_speaker_set(struct graph_speaker *speaker, int64_t rank, int64_t ttl_ns,
                                   struct yore_error *error_out);

/* ---- of the graph ---- */

/* What time has ended; a snapshot that was refused is tried again. */
enum yore_status graph_speaker_settle(struct graph_speaker *speaker,
                                      struct yore_graph_ingest_tally *tally_out,
                                      struct yore_error *error_out);

enum yore_status graph_speaker_sources(struct graph_speaker *speaker,
                                       int (*each)(void *arg,
                                                   const struct yore_graph_source *source),
                                       void *arg, struct yore_error *error_out);
enum yore_status graph_speaker_pending(struct graph_speaker *speaker, const struct yore_time *at,
                                       int (*each)(void *arg,
                                                   const struct yore_graph_pending *pending),
                                       void *arg, struct yore_error *error_out);
enum yore_status graph_speaker_erase(struct graph_speaker *speaker,
                                     const struct graph_erasure *erasure, uint64_t *count_out,
                                     struct yore_error *error_out);

#endif
