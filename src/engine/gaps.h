/* gaps.h -- ranges of keys that are known to hold nothing now, so that a walk need not step over
 * what was deleted there.
 *
 * Who takes from the front of a range what others put behind its end leaves deletes in front: they
 * are history, and stay.  Each look for the first row would step over all of them, so of a long row
 * of steps it is kept where it began and ended.  What was found empty at a moment stays empty for
 * every later one until something is put there, because no fact begins after its commit; and the
 * leader tells what it puts.  A reader of the past walks, and so does one of a range that nobody
 * has walked before.  Nothing of it is on disk.
 *
 * The proof needs every put since the walk: so a range is *watched* from a commit on, the last that
 * was assigned when it was first wanted, and only a walk of a moment from then on is believed.
 *
 * Any thread; a lock of its own is held for a few comparisons.  While nothing is watched neither
 * readers nor the leader take it.
 */
#ifndef YORE_ENGINE_GAPS_H
#define YORE_ENGINE_GAPS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "os/thread.h"

#define GAPS_MAX 16u       /* ranges watched at a time, of all keyspaces */
#define GAP_KEY_BYTES 128u /* of longer keys the begin, which only makes a gap smaller */
#define GAP_STEPS_MIN 16u  /* keys in a row that are worth keeping */
/* Puts told, of any keyspace, before a gap that no reader wants is let go. */
#define GAP_PUTS_IDLE_MAX 65536u

/* A bound; `is_end`: behind every key. */
struct gap_key {
    bool is_end;
    uint32_t size;
    unsigned char octets[GAP_KEY_BYTES];
};

struct gap {
    bool is_watched;
    uint32_t keyspace;
    struct gap_key low;
    struct gap_key high;  /* [low, high) has no row for ... */
    int64_t known;        /* ... whoever knows all up to this commit, ... */
    int64_t instant;      /* ... at this instant or later */
    struct gap_key least; /* of the keys >= low put by commits > since */
    int64_t since;
    uint64_t used; /* when it was last wanted: gaps.turn ... */
    uint64_t told; /* ... and gaps.told then */
};

struct gaps {
    struct os_mutex lock;
    int64_t (*last_assigned)(void *arg);
    void *arg;
    _Atomic uint32_t watched; /* how many; the leader looks before it takes the lock */
    uint64_t turn;            /* grows with each that is wanted */
    uint64_t told;            /* puts */
    struct gap items[GAPS_MAX];
};

/* `last_assigned` tells the last commit time handed out; it is asked with the lock held. */
void gaps_init(struct gaps *gaps, int64_t (*last_assigned)(void *arg), void *arg);
void gaps_release(struct gaps *gaps);

/* What a reader sees: all commits up to `known` that begin until then at least, and of ends those
 * up to `instant`. */
struct gap_moment {
    int64_t known;
    int64_t instant;
};

/* How far from `from` on there is no row at the moment.  False: not known. */
bool gaps_find(struct gaps *gaps, uint32_t keyspace, struct yore_bytes from,
               const struct gap_moment *moment, struct gap_key *high_out);
/* A walk has found no row in [from, high) at the moment; `high` empty: to the end of all keys. */
void gaps_note(struct gaps *gaps, uint32_t keyspace, struct yore_bytes from, struct yore_bytes high,
               const struct gap_moment *moment);

/* The leader, once the commit has its time and before it is visible: of each fact that is no
 * delete. */
void gaps_tell_locked(struct gaps *gaps, uint32_t keyspace, struct yore_bytes key);
static inline void gaps_tell(struct gaps *gaps, uint32_t keyspace, struct yore_bytes key)
{
    if (atomic_load(&gaps->watched) > 0) { /* with the store in gaps_note() */
        gaps_tell_locked(gaps, keyspace, key);
    }
}
/* The same where it cannot say which keys: a load. */
void gaps_forget(struct gaps *gaps, uint32_t keyspace);

#endif
