/* seal.c -- the runs of a region become a slice.
 *
 * One pass over runs, last slice and current tree, all versions of a key together, latest first.
 * The new slice is [t0, t1): t0 is where the region was sealed to, t1 just after the latest version
 * in the runs (never past what is flushed, F4).  Versions inside go to the slice, those of the
 * current tree too: they stay there, and when they are superseded one day the slice has them
 * already.  The greatest version before t0 is carried in.  What lies at or after t1, and late facts
 * before t0, go on waiting in runs.
 */
#include "base/mem.h"
#include "engine/history_job.h"
#include "table/merge_iter.h"

struct seal {
    struct history_job *job;
    struct output slice;
    int64_t t0;
    int64_t t1;
    size_t run_count; /* sources below this index are runs */
    /* Of the key at hand: */
    struct buffer key;
    bool is_carry_done;
    bool has_newer;
    struct version newer; /* times only */
};

static int64_t runs_valid_max(const struct forest_region *region)
{
    int64_t max = INT64_MIN;
    for (size_t i = 0; i < region->run_count; i++) {
        int64_t of_run = region->runs[i]->meta->valid_max;
        max = of_run > max ? of_run : max;
    }
    return max;
}

static enum yore_status put_before(struct seal *s, const struct version *v, bool is_from_run,
                                   struct yore_error *error_out)
{
    struct history_job *job = s->job;
    size_t last = job->region->slice_count;
    enum yore_status st = YORE_OK;
    bool is_superseded = false;
    if (is_from_run && !region_holds(job->region, v->valid_from, v->commit)) {
        st = output_add(&job->late, v, error_out);
    }
    if (st != YORE_OK || s->is_carry_done) {
        return st;
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
    if (st != YORE_OK || is_superseded) {
        return st;
    }
    s->is_carry_done = true;
    if (slice_must_carry(v, s->t0)) {
        struct version copy = *v;
        copy.flags = (v->flags & VERSION_APART) | VERSION_CARRIED;
        job->carried++;
        st = output_add(&s->slice, &copy, error_out);
    }
    return st;
}

static enum yore_status put(struct seal *s, const struct version *v, bool is_from_run,
                            struct yore_error *error_out)
{
    struct version plain = *v;
    plain.flags &= VERSION_APART;
    if (s->has_newer && !retention_needs(&s->job->retention, v, &s->newer)) {
        s->job->trimmed += is_from_run;
        return YORE_OK;
    }
    if (v->valid_from >= s->t1) {
        return is_from_run ? output_add(&s->job->run, &plain, error_out) : YORE_OK;
    }
    if (v->valid_from >= s->t0) {
        return output_add(&s->slice, &plain, error_out);
    }
    return put_before(s, v, is_from_run, error_out);
}

static enum yore_status begin_key(struct seal *s, const struct version *v)
{
    if (s->key.size > 0 && bytes_equal(v->key, buffer_bytes(&s->key))) {
        return YORE_OK;
    }
    buffer_clear(&s->key);
    buffer_append_bytes(&s->key, v->key);
    s->is_carry_done = false;
    s->has_newer = false;
    return buffer_status(&s->key);
}

static enum yore_status walk(struct seal *s, struct version_iter *it, struct yore_error *error_out)
{
    enum yore_status st = YORE_OK;
    uint64_t done = 0;
    for (job_seek_low(s->job, it); st == YORE_OK && job_is_inside(s->job, it);
         version_iter_next(it)) {
        st = begin_key(s, &it->at);
        if (st != YORE_OK) {
            return error_plain(error_out, st);
        }
        bool is_from_run = merge_iter_source(it) < s->run_count;
        st = put(s, &it->at, is_from_run, error_out);
        s->newer = it->at;
        s->has_newer = true;
        if (st == YORE_OK && (++done & 1023) == 0) {
            st = job_check(s->job, error_out);
        }
    }
    if (st == YORE_OK && it->status != YORE_OK) {
        st = error_set(error_out, it->status, "%s", it->error.text);
    }
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
    if (st == YORE_OK) {
        st = sources_add_levels(&list, job->tree, job_low(job), job_high(job), &view, NULL, NULL);
    }
    if (st == YORE_OK) { /* not source_list_merge(): a single source would not know its index */
        st = merge_iter_new(list.iters, list.count, false, iter_out);
        list.count = 0;
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
    st = walk(s, it, error_out);
    version_iter_free(it);
    for (size_t i = 0; i < job->region->run_count; i++) {
        edit_drop_run(&job->edit, job->keyspace->id, job_low(job),
                      job->region->runs[i]->meta->file);
    }
    if (st == YORE_OK) {
        st = job_finish_slice(job, &s->slice, s->t0, s->t1, job->view->forest->flushed_commit,
                              error_out);
    }
    if (st == YORE_OK) {
        st = job_finish_runs(job, &job->run, error_out);
    }
    if (st == YORE_OK) {
        st = job_finish_runs(job, &job->late, error_out);
    }
    return st;
}

enum yore_status seal_region(struct history_job *job, struct yore_error *error_out)
{
    struct seal s = {.job = job, .t0 = region_sealed_to(job->region)};
    int64_t flushed = job->view->forest->flushed_commit;
    int64_t last = runs_valid_max(job->region);
    s.t1 = (last < flushed ? last : flushed) + 1;
    if (s.t1 <= s.t0) {
        return YORE_NOT_FOUND; /* late facts only */
    }
    output_init(&s.slice, job->view, job->keyspace, PAGE_CLASS_PAST, job->db->options.table_bytes);
    enum yore_status st = seal(&s, error_out);
    output_release(&s.slice, st == YORE_OK);
    buffer_release(&s.key);
    stats_add(&job->db->stats, STAT_seals, st == YORE_OK);
    return st;
}
