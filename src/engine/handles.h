/* handles.h -- what callers hold of a database, by kind, so that closing can refuse and say why.
 *
 * Counted in shards by thread, as statistics are: opening one costs no shared cache line.  Values
 * are not counted one by one: what pins them is (handles_check_values()).
 */
#ifndef YORE_ENGINE_HANDLES_H
#define YORE_ENGINE_HANDLES_H

#include <stdatomic.h>
#include <stdint.h>

#include <yore/yore.h>

#include "os/thread.h"

#define HANDLES(X)                                                                                 \
    X(batch, "batch", "batches")                                                                   \
    X(load, "load", "loads")                                                                       \
    X(txn, "transaction", "transactions")                                                          \
    X(snapshot, "snapshot", "snapshots")                                                           \
    X(cursor, "cursor", "cursors")                                                                 \
    X(timeline, "timeline", "timelines")                                                           \
    X(changes, "walk over changes", "walks over changes")                                          \
    X(feed, "feed", "feeds")                                                                       \
    X(watch, "watch", "watches")

enum handle {
#define HANDLE_ENUM(name, one, many) HANDLE_##name,
    HANDLES(HANDLE_ENUM)
#undef HANDLE_ENUM
        HANDLE_COUNT
};

#define HANDLES_SHARDS 8u

struct handles {
    struct {
        _Alignas(64) _Atomic int64_t open[HANDLE_COUNT]; /* of one shard alone: may be negative */
    } shards[HANDLES_SHARDS];
};

static inline void handles_add(struct handles *h, enum handle kind, int change)
{
    atomic_fetch_add_explicit(&h->shards[os_thread_id() % HANDLES_SHARDS].open[kind], change,
                              memory_order_relaxed);
}

struct yore_db;

/* While nobody opens or gives back: YORE_BUSY where something is still open, and the text says how
 * many of what. */
enum yore_status handles_check(const struct yore_db *db, struct yore_error *error_out);
/* The same of values, while no work goes on in the background and nothing else is open. */
enum yore_status handles_check_values(struct yore_db *db, struct yore_error *error_out);

#endif
