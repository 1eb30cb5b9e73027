/* seal.c -- the runs of a region become a slice, or several.
 *
 * One pass over runs, last slice and current tree, all versions of a key together, latest first.
 * The new slices are [t0, t1), cut by seal_cuts.c: t0 is where the region was sealed to, t1 just
 * after the latest version in runs and current tree (never past what is flushed, F4).  Versions
 * inside go to the slice of their time, those of the current tree too: they stay there, and when
 * they are superseded one day the slice has them already; until then a read of any moment before t1
 * needs the slice alone.  Into each slice the greatest version before it is carried.  What lies at
 * or after t1, and late facts before t0, go on waiting in runs.
 *
 * A last slice that is small yet is *grown*: t0 is where it begins, and the first new slice takes
 * its place with all it has.
 */
#include "base/mem.h"
#include "engine/history_job.h"
#include "engine/seal_cuts.h"
#include "table/merge_iter.h"

struct seal {
    struct history_job *job;
    struct seal_cuts cuts;
    struct output slices[SEAL_SLICES_MAX];
    bool is_growing; /* the last slice is replaced by the first new one */
    int64_t t0;
    int64_t t1;
    size_t run_count;   /* sources below this index are runs */
    size_t level_first; /* those from this index on are of the current tree */
    /* Of the key at hand: */
    struct buffer key;
    size_t carry_count; /* slices that still want the greatest version before them: the first ... */
    bool has_newer;
    struct version newer; /* times only */
};

/* Later than this nothing begins. */
static int64_t valid_max(const struct history_job *job)
{
    int64_t max = INT64_MIN;
    for (size_t i = 0; i < job->region->run_count; i++) {
        int64_t of_run = job->region->runs[i]->meta->valid_max;
        max = of_run > max ? of_run : max;
    }
    for (size_t i = 0; i < LEVELS_MAX; i++) {
        const struct forest_level *level = &job->tree->levels[i];
        for (size_t j = 0; j < level->file_count; j++) {
            const struct forest_file *file = level->files[j];
            int64_t of_file = file->meta->valid_max;
            bool is_here = file_overlaps(file, job_low(job), job_high(job));
            max = is_here && of_file > max ? of_file : max;
        }
    }
    return max;
}

/* A late fact that goes on waiting: one from a run, or one of the current tree that the version
 * carried in hides: of that tree reads ask only for what the new slice does not know (R3). */
static bool is_waiting(const struct seal *s, const struct version *v, size_t source)
{
    bool is_copy = (v->flags & (VERSION_CARRIED | VERSION_ALSO_CARRIED)) != 0;
    bool is_hidden = source >= s->level_first && s->carry_count == 0 && !is_copy;
    return (source < s->run_count || is_hidden) &&
           !region_holds(s->job->region, v->valid_from, v->commit);
}

/* `v` is the greatest version before each of the slices from `first` on that still want one. */
static enum yore_status carry(struct seal *s, const struct version *v, size_t first,
                              struct yore_error *error_out)
{
    enum yore_status st = YORE_OK;
    struct version copy = *v;
    copy.flags = (v->flags & VERSION_APART) | VERSION_CARRIED;
    for (; st == YORE_OK && s->carry_count > first; s->carry_count--) {
        size_t i = s->carry_count - 1;
        if (slice_must_carry(v, s->cuts.times[i])) {
            s->job->carried++;
            st = output_add(&s->slices[i], &copy, error_out);
        }
    }
    return st;
}

/* A copy that the slice had until now, hidden from reads that do not know what came late: what it
 * stands for may be in no slice of its own, so that looking back (R5) would not find it. */
static enum yore_status keep_copy(struct seal *s, const struct version *v,
                                  struct yore_error *error_out)
{
    struct version copy = *v;
    if ((v->flags & (VERSION_CARRIED | VERSION_ALSO_CARRIED)) == 0) {
        return YORE_OK;
    }
    copy.flags = (v->flags & VERSION_APART) | VERSION_CARRIED;
    return output_add(&s->slices[0], &copy, error_out);
}

static enum yore_status put_before(struct seal *s, const struct version *v, size_t source,
                                   struct yore_error *error_out)
{
    struct history_job *job = s->job;
    size_t last = job->region->slice_count;
    enum yore_status st = YORE_OK;
    bool is_superseded = false;
    if (is_waiting(s, v, source)) {
        struct version plain = *v;
        plain.flags &= VERSION_APART;
        st = output_add(&job->late, &plain, error_out);
    }
    if (st != YORE_OK || s->carry_count == 0) {
        return st == YORE_OK && s->is_growing ? keep_copy(s, v, error_out) : st;
    }
    const struct forest_slice *before = last > 0 ? &job->region->slices[last - 1] : NULL;
    bool is_doubtful = before != NULL && v->valid_from < before->t0 &&
                       (v->flags & (VERSION_CARRIED | VERSION_ALSO_CARRIED)) == 0;
    if (is_doubtful && v->commit <= before->known) {
        return YORE_OK; /* the last slice knew it and does not carry it: it was over by then (R4) */
    }
    if (is_doubtful) { /* a version that no slice carried may have been ended in one (R4) */
        st = job_is_superseded(job, last - 1, v, s->t0, &is_superseded, error_out);
    }
    return st != YORE_OK || is_superseded ? st : carry(s, v, 0, error_out);
}

/* From before the last slice a version that a read may not know yet stays, needed or not: it hides
 * others, and what it hides may lie in an earlier slice alone (R5). */
static bool is_trimmed(const struct seal *s, const struct version *v)
{
    const struct retention *retention = &s->job->retention;
    bool hides_nothing =
        v->valid_from >= s->cuts.times[s->cuts.count - 1] || v->commit <= retention->horizon;
    return s->has_newer && hides_nothing && !retention_needs(retention, v, &s->newer);
}

static enum yore_status put(struct seal *s, const struct version *v, size_t source,
                            struct yore_error *error_out)
{
    struct version plain = *v;
    bool is_from_run = source < s->run_count;
    plain.flags &= VERSION_APART;
    if (is_trimmed(s, v)) {
        s->job->trimmed += is_from_run;
        return YORE_OK;
    }
    if (v->valid_from >= s->t1) {
        return is_from_run ? output_add(&s->job->run, &plain, error_out) : YORE_OK;
    }
    if (v->valid_from >= s->t0) {
        size_t at = seal_cuts_find(&s->cuts, v->valid_from);
        enum yore_status st = carry(s, v, at + 1, error_out);
        s->carry_count = at + 1;
        return st == YORE_OK ? output_add(&s->slices[at], &plain, error_out) : st;
    }
    return put_before(s, v, source, error_out);
}

static enum yore_status begin_key(struct seal *s, const struct version *v)
{
    if (s->key.size > 0 && bytes_equal(v->key, buffer_bytes(&s->key))) {
        return YORE_OK;
    }
    buffer_clear(&s->key);
    buffer_append_bytes(&s->key, v->key);
    s->carry_count = s->cuts.count;
    s->has_newer = false;
    return buffer_status(&s->key);
}

static enum yore_status put_next(void *arg, struct version_iter *it, struct yore_error *error_out)
{
    struct seal *s = arg;
    enum yore_status st = begin_key(s, &it->at);
    if (st != YORE_OK) {
        return error_plain(error_out, st);
    }
    st = put(s, &it->at, merge_iter_source(it), error_out);
    s->newer = it->at;
    s->has_newer = true;
    return st;
}

static enum yore_status open_sources(struct seal *s, struct version_iter **iter_out)
{
    struct iter_view view = {
        .known = INT64_MAX, .valid = INT64_MAX, .no_cache_fill = true, .commit_after = INT64_MIN};
    struct history_job *job = s->job;
    struct source_list list = {0};
    enum yore_status st = job_add_runs(job, &list, false);
    s->run_count = list.count;
    if (st == YORE_OK && job->region->slice_count > 0) {
        st = job_add_slice(job, &list, &job->region->slices[job->region->slice_count - 1]);
    }
    s->level_first = list.count;
    if (st == YORE_OK) {
        st = sources_add_levels(&list, job->tree, job_low(job), job_high(job), &view, NULL, NULL);
    }
    if (st == YORE_OK) {
        st = source_list_merge_numbered(&list, false, iter_out);
    }
    source_list_release(&list);
    return st;
}

static enum yore_status seal(struct seal *s, struct yore_error *error_out)
{
    struct history_job *job = s->job;
    struct version_iter *it = NULL;
    enum yore_status st = open_sources(s, &it);
    if (st != YORE_OK) {
        return error_plain(error_out, st);
    }
    st = job_walk(job, it, put_next, s, error_out);
    version_iter_free(it);
    for (size_t i = 0; i < job->region->run_count; i++) {
        edit_drop_run(&job->edit, job->keyspace->id, job_low(job),
                      job->region->runs[i]->meta->file);
    }
    for (size_t i = 0; st == YORE_OK && i < s->cuts.count; i++) {
        st = job_finish_slice(job, &s->slices[i], s->cuts.times[i], s->cuts.times[i + 1],
                              job->view->forest->flushed_commit, error_out);
    }
    if (st == YORE_OK) {
        st = job_finish_runs(job, &job->run, error_out);
    }
    if (st == YORE_OK) {
        st = job_finish_runs(job, &job->late, error_out);
    }
    return st;
}

/* One that is not small grows where the runs alone would make slices that are too small or too
 * large, if they are worth writing it anew. */
bool seal_grows_last(const struct yore_db *db, const struct forest_region *region,
                     const struct region_size *size)
{
    double last = seal_slices_in(&db->options, size->live_bytes, size->last_slice_bytes,
                                 size->last_slice_file_bytes);
    double runs =
        seal_slices_in(&db->options, size->live_bytes, size->run_bytes, size->run_file_bytes);
    double share = runs / (double)seal_slices_rounded(runs);
    bool is_uneven = share < 1 - SEAL_UNEVEN || share > 1 + SEAL_UNEVEN;
    return region->slice_count > 0 &&
           (last < 1 - SEAL_UNEVEN || (is_uneven && runs >= last / SEAL_IDLE_SHARE));
}

static enum yore_status choose_extent(const struct history_job *job, struct seal_extent *extent_out)
{
    struct region_size size;
    int64_t sealed_to = region_sealed_to(job->region);
    int64_t flushed = job->view->forest->flushed_commit;
    int64_t last = valid_max(job);
    struct seal_extent extent = {sealed_to, (last < flushed ? last : flushed) + 1, NULL};
    if (extent.t1 <= sealed_to) {
        return YORE_NOT_FOUND; /* late facts only */
    }
    region_measure(job->tree, job->region, &size);
    if (seal_grows_last(job->db, job->region, &size)) {
        extent.grown = region_last_slice(job->region);
        extent.t0 = extent.grown->t0;
    }
    *extent_out = extent;
    return YORE_OK;
}

enum yore_status seal_region(struct history_job *job, struct yore_error *error_out)
{
    struct seal_extent extent;
    enum yore_status st = choose_extent(job, &extent);
    if (st != YORE_OK) {
        return st;
    }
    struct seal *s = mem_zalloc(sizeof *s);
    if (s == NULL) {
        return error_plain(error_out, YORE_NOMEM);
    }
    s->job = job;
    s->is_growing = extent.grown != NULL;
    st = seal_cuts_make(job, &extent, &s->cuts, error_out);
    if (st == YORE_OK) {
        s->t0 = extent.t0;
        s->t1 = s->cuts.times[s->cuts.count];
        for (size_t i = 0; i < s->cuts.count; i++) {
            output_init(&s->slices[i], job->view, job->keyspace, PAGE_CLASS_PAST,
                        job->db->options.table_bytes);
        }
        st = seal(s, error_out);
    }
    stats_add(&job->db->stats, STAT_seals, st == YORE_OK ? s->cuts.count : 0);
    for (size_t i = 0; i < s->cuts.count; i++) {
        output_release(&s->slices[i], st == YORE_OK);
    }
    buffer_release(&s->key);
    mem_free(s);
    return st;
}
