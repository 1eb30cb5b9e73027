/* ever.h -- every key with a prefix that was there at a moment or came later, as known at a commit.
 */
#ifndef YORE_TOPOLOGY_EVER_H
#define YORE_TOPOLOGY_EVER_H

#include "topology/graph.h"

/* A zeroed walk is closed.  First the keys there at `from`, ascending, then those that came later,
 * ascending: a key that went and came again is told twice. */
struct ever_walk {
    struct graph *graph;
    struct yore_cursor *cursor; /* NULL: the second part */
    struct yore_changes *changes;
    struct yore_changes_options options;
};

/* `prefix` is borrowed until the walk is closed; `span` is from where on, and as known when. */
enum yore_status ever_open(struct ever_walk *walk, struct graph *graph, struct yore_bytes prefix,
                           const struct yore_time *span, struct yore_error *error_out);
/* YORE_NOT_FOUND: no more.  The key is borrowed until the next call. */
enum yore_status ever_next(struct ever_walk *walk, struct yore_bytes *key_out,
                           struct yore_error *error_out);
void ever_close(struct ever_walk *walk);

#endif
