/* retention.h -- which superseded versions a keyspace still needs. */
#ifndef YORE_ENGINE_RETENTION_H
#define YORE_ENGINE_RETENTION_H

#include "engine/catalogue.h"
#include "engine/db_internal.h"

/* Commits of held snapshots, from the first to the last of them. */
struct held_span {
    int64_t first;
    int64_t last;
};

#define HELD_SPANS_MAX 32u /* of more snapshots the newest share a span */

/* Taken when a job begins. */
struct retention {
    bool is_only_now;
    bool is_catalogue;
    int64_t horizon;         /* of the keyspace, or the oldest held snapshot if that is earlier */
    int64_t oldest_snapshot; /* INT64_MAX: none */
    struct held_span held[HELD_SPANS_MAX]; /* in order, one snapshot each but for the last */
    size_t held_count;
};
void retention_of(struct yore_db *db, const struct yore_keyspace *keyspace,
                  struct retention *retention_out);
/* The same, and a view to work on that has every fact dated before that horizon: no more of them
 * can come.  The caller releases it. */
struct superview *retention_view(struct yore_db *db, const struct yore_keyspace *keyspace,
                                 struct retention *retention_out);

/* Where only now is kept: does a snapshot see what was written at `from` and superseded at `to`? */
static inline bool retention_is_seen(const struct retention *r, int64_t from, int64_t to)
{
    bool is_seen = false;
    for (size_t i = 0; i < r->held_count && !is_seen; i++) {
        is_seen = from <= r->held[i].last && to > r->held[i].first;
    }
    return is_seen;
}

/* Is `old` still the answer of some read with min(valid, known) >= horizon, when `newer` is the
 * next greater version of its key?  May say yes when in doubt. */
static inline bool retention_needs(const struct retention *r, const struct version *old,
                                   const struct version *newer)
{
    if (r->is_only_now) {
        return retention_is_seen(r, old->commit, newer->commit);
    }
    if (r->is_catalogue && catalogue_is_horizon(old->key)) {
        return false; /* or there would be more of them with every day */
    }
    /* What was committed after the horizon is what a feed tells, and what a transaction may have to
     * know of that began before it. */
    return newer->valid_from > r->horizon || newer->commit > r->horizon || old->commit > r->horizon;
}

/* How many of the region's first slices no read can reach any more. */
size_t retention_slices_over(const struct superview *view, const struct forest_tree *tree,
                             const struct forest_region *region, const struct retention *r);
/* The `known` of a run that was trimmed: only deletes, each of which had something to hide then. */
#define KNOWN_TRIMMED INT64_MIN

/* Is no read answered by what the run has (trim.c, T1)?  What it hides is another matter.  Not told
 * of keyspaces that keep only now. */
static inline bool retention_run_is_past(const struct forest_file *run, const struct retention *r)
{
    return !r->is_only_now && run->known <= r->horizon;
}
/* How many of a past run's versions may be ends: deletes, or puts that are over. */
static inline uint64_t retention_run_ends(const struct forest_file *run)
{
    const struct table_meta *meta = run->meta;
    return meta->expiry_min <= run->known ? meta->version_count : meta->delete_count;
}
/* May the run go whole?  Where only now is kept runs serve held snapshots alone, and none needs
 * this one; elsewhere it is past, and has no end that may hide something. */
bool retention_run_is_over(const struct forest_region *region, const struct forest_file *run,
                           const struct retention *r);
/* Was the keyspace dropped, and can no read reach what it held any more? */
bool retention_is_all_over(struct yore_db *db, const struct yore_keyspace *keyspace);
/* The horizon that the keyspace should have at `now`; not before the one it has. */
int64_t retention_horizon_at(const struct yore_keyspace *keyspace, int64_t now);

/* Would retention_drop() find something? */
bool retention_wants(const struct superview *view, const struct forest_tree *tree,
                     const struct retention *r);

/* Give back whole slices and runs that no read can reach any more; true when there was something.
 */
enum yore_status retention_drop(struct yore_db *db, struct yore_keyspace *keyspace,
                                bool *has_dropped_out, struct yore_error *error_out);
/* Give back all of a keyspace of which retention_is_all_over(); the caller keeps other work on it
 * away. */
enum yore_status retention_drop_tree(struct yore_db *db, struct yore_keyspace *keyspace,
                                     struct yore_error *error_out);
/* Will horizons move though nothing is committed? */
bool retention_goes_on(struct yore_db *db);
/* Move the horizons that should move by now, of keyspaces that keep a duration, and of dropped ones
 * up to their end, in one commit. */
enum yore_status retention_advance(struct yore_db *db, struct yore_error *error_out);

#endif
