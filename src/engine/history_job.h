/* history_job.h -- shared by the files that work on history: history.c chooses, seal.c, late.c and
 * trim.c do. */
#ifndef YORE_ENGINE_HISTORY_JOB_H
#define YORE_ENGINE_HISTORY_JOB_H

#include "engine/output.h"
#include "engine/retention.h"
#include "engine/sources.h"

/* One region, one piece of work, on one view. */
struct history_job {
    struct yore_db *db;
    struct yore_keyspace *keyspace;
    struct superview *view;
    const struct forest_tree *tree;
    const struct forest_region *region;
    struct retention retention;
    struct edit edit;
    struct output run;  /* what goes on waiting, at or after sealed_to */
    struct output late; /* late facts that go on waiting */
    uint64_t carried;
    uint64_t trimmed;
    uint64_t read_bytes;
    uint64_t written_bytes;
};

static inline struct yore_bytes job_low(const struct history_job *job)
{
    return forest_key_bytes(&job->region->low);
}
static inline struct yore_bytes job_high(const struct history_job *job)
{
    return forest_key_bytes(&job->region->high);
}
static inline const struct forest_slice *region_last_slice(const struct forest_region *region)
{
    return region->slice_count > 0 ? &region->slices[region->slice_count - 1] : NULL;
}
static inline bool run_is_late(const struct forest_region *region, const struct forest_file *run)
{
    return run->meta->valid_max < region_sealed_to(region);
}

struct region_size {
    uint64_t live_bytes; /* of the current tree, as user bytes: of the level that has most, for the
                            others have the same keys mostly */
    uint64_t live_file_bytes; /* of all of it */
    uint64_t run_bytes;       /* of runs that reach past sealed_to, as user bytes */
    uint64_t run_file_bytes;
    uint64_t late_file_bytes;
    uint64_t slice_file_bytes;
    uint64_t last_slice_bytes; /* as user bytes */
    uint64_t last_slice_file_bytes;
    size_t run_count;
    size_t late_count;
};
void region_measure(const struct forest_tree *tree, const struct forest_region *region,
                    struct region_size *size_out);

enum yore_status job_add_file(struct history_job *job, struct source_list *list,
                              struct forest_file *file);
/* Runs first (their indexes in the merge are 0..run_count-1), then whatever the caller adds. */
enum yore_status job_add_runs(struct history_job *job, struct source_list *list, bool late_only);
enum yore_status job_add_slice(struct history_job *job, struct source_list *list,
                               const struct forest_slice *slice);
void job_seek_low(const struct history_job *job, struct version_iter *it);
bool job_is_inside(const struct history_job *job, const struct version_iter *it);
/* Stop early when the database fails or closes, or nobody wants it any more. */
enum yore_status job_check(struct history_job *job, struct yore_error *error_out);
/* Every version of the region that the iterator has, in order, and now and then job_check(). */
enum yore_status job_walk(struct history_job *job, struct version_iter *it,
                          enum yore_status (*each)(void *arg, struct version_iter *it,
                                                   struct yore_error *error_out),
                          void *arg, struct yore_error *error_out);
/* What goes on waiting comes out of these runs alone, and was past as early as in them: runs
 * written from here on are no later.  Where only now is kept `known` tells more (runs_can_serve).
 */
void job_note_known(struct history_job *job, struct forest_file *const *runs, size_t count);
/* Finish `o` and add its files to the region's runs in the edit. */
enum yore_status job_finish_runs(struct history_job *job, struct output *o,
                                 struct yore_error *error_out);
/* Finish `o` as the slice [t0, t1). */
enum yore_status job_finish_slice(struct history_job *job, struct output *o, int64_t t0, int64_t t1,
                                  int64_t known, struct yore_error *error_out);
/* Is there a version of v's key greater than `v` and beginning before `before` in the slices before
 * index `slice_index` (R4)? */
enum yore_status job_is_superseded(struct history_job *job, size_t slice_index,
                                   const struct version *v, int64_t before, bool *is_superseded_out,
                                   struct yore_error *error_out);
/* What a slice that begins at t0 must carry of the greatest version before t0. */
bool slice_must_carry(const struct version *v, int64_t t0);

/* Does the next seal take the last slice up, because that is small yet? */
bool seal_grows_last(const struct yore_db *db, const struct forest_region *region,
                     const struct region_size *size);
enum yore_status seal_region(struct history_job *job, struct yore_error *error_out); /* seal.c */
enum yore_status merge_late(struct history_job *job, struct yore_error *error_out);  /* late.c */

/* trim.c.  How many versions of a run that is past go in any case. */
uint64_t trim_run_surplus(const struct forest_file *run);
/* Does enough go from the run, or from the region's last slice, to write it anew? */
bool trim_run_is_due(const struct forest_file *run, const struct retention *r);
bool trim_last_slice_is_due(const struct forest_region *region, const struct retention *r);
/* Of any of the region's? */
bool trim_is_due(const struct forest_region *region, const struct retention *r);
/* YORE_NOT_FOUND: nothing would go.  On demand whatever goes is worth it; trim_slices() looks
 * through every slice that begins by the horizon. */
enum yore_status trim_runs(struct history_job *job, bool is_on_demand,
                           struct yore_error *error_out);
enum yore_status trim_last_slice(struct history_job *job, struct yore_error *error_out);
enum yore_status trim_slices(struct history_job *job, struct yore_error *error_out);

#endif
