/* lanes.h -- a process that writes to a real directory, to be cut off at any moment, and the
 * witness that judges what is found afterwards.
 *
 * The writer has several threads, its *lanes*; each commits its own numbered steps, one in
 * `sync_every` synced, and sends every acknowledgement through a pipe to the witness.
 */
#ifndef YORE_TEST_CRASH_LANES_H
#define YORE_TEST_CRASH_LANES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <yore/yore.h>

#define LANES 3u
#define LANE_KEYS 40u

struct lane_ack {
    uint32_t lane;
    uint32_t is_synced;
    uint64_t step;
    int64_t commit;
};

struct witness {
    char path[512];
    struct yore_options options;
    uint64_t sync_every;
    bool is_disk_cut;      /* not only the process: what was not synced may be lost */
    uint64_t steps[LANES]; /* known to be there */
    uint64_t last_step[LANES][LANE_KEYS];  /* the step that wrote the key last; 0: none */
    unsigned last_index[LANES][LANE_KEYS]; /* ... and which of its writes */
    struct lane_ack *acks;                 /* of the writer just cut off */
    size_t ack_count;
    size_t ack_capacity;
    uint64_t acks_in_all;
    uint64_t lost_in_all; /* acknowledged without a sync, and gone */
};

/* Run the writer for `run_us`, then call `cut`, which stops it; returns when it is gone and all it
 * acknowledged is known. `writer` is the id of its process. */
void witness_run(struct witness *witness, uint64_t run_us, void (*cut)(void *arg, int writer),
                 void *arg);

/* Open the directory and judge.  Of every lane exactly the first n steps are there, whole, at the
 * commit times that were acknowledged, n at most one more than was acknowledged.  Over all lanes
 * nothing acknowledged is missing; but where the disk was cut off too, the end of the commit order
 * from the last synced step on. */
void witness_check(struct witness *witness);

uint64_t witness_steps(const struct witness *witness);
void witness_release(struct witness *witness);

#endif
