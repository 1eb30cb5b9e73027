/* seal_cuts.h -- where a seal cuts the time of its runs, so that each slice holds about as many
 * versions a key as asked for. */
#ifndef YORE_ENGINE_SEAL_CUTS_H
#define YORE_ENGINE_SEAL_CUTS_H

#include "engine/history_job.h"
#include "engine/limits.h"

/* Slice i is [times[i], times[i + 1]). */
struct seal_cuts {
    int64_t times[SEAL_SLICES_MAX + 1];
    size_t count; /* of slices; at least one */
};

/* What is to be cut: the runs, and the slice that they go into (NULL: none). */
struct seal_extent {
    int64_t t0; /* t0 < t1 */
    int64_t t1;
    const struct forest_slice *grown;
};
/* Cut [t0, t1).  More slices than are allowed at once leave the latest time for the next seal: then
 * the last cut is before t1.  Reads some pages of the runs. */
enum yore_status seal_cuts_make(const struct history_job *job, const struct seal_extent *extent,
                                struct seal_cuts *cuts_out, struct yore_error *error_out);
/* How many slices of the size asked for so many octets are, as user bytes and in files. */
double seal_slices_in(const struct yore_options *options, uint64_t live_bytes, uint64_t bytes,
                      uint64_t file_bytes);
/* How many are made of them; at least one. */
size_t seal_slices_rounded(double slices);
/* The slice of `time`, which is in [times[0], times[count]). */
size_t seal_cuts_find(const struct seal_cuts *cuts, int64_t time);

#endif
