/* trim.c -- what no read needs any more leaves the tables that do not go whole.
 *
 * A region is *trimmed* once its horizon has passed all that is sealed: its runs and its last slice
 * are read together with the current tree, and what some read at or after the horizon still needs
 * goes on in a run.  So the region is unsealed again and holds no copies of the present; a merge of
 * the levels that relies on a slice to have a version (F4) must not run meanwhile.
 *
 * A delete, or what had ended by the horizon, goes too when nothing older of its key is left: not
 * in the levels, whose older versions it may be all that hides, and not in a memtable as a late
 * fact.  No later one can come: it would be dated before the horizon.
 *
 * Where the horizon lies inside of the first slice that slice is written anew without what newer
 * versions in it make needless.  Its deletes stay: they may hide what is in the levels.
 */
#include "base/mem.h"
#include "engine/history_job.h"
#include "table/merge_iter.h"

#define READ_SHARE 8u /* the current tree is read for at least 1/8 of its bytes */

/* ---- choosing ---- */

static bool may_trim(const struct superview *view, const struct forest_tree *tree,
                     const struct forest_region *region, const struct retention *r)
{
    const struct forest_slice *last = region_last_slice(region);
    if (r->is_only_now || r->horizon == YORE_TIME_MIN || region->slice_count > 1) {
        return false;
    }
    return last == NULL || (last->t1 <= r->horizon && slice_commit_max(last) <= r->horizon &&
                            !retention_has_late_facts(view, tree, region, last->t1));
}

/* All that a run has was superseded by what was known when it was written. */
static bool is_run_over(const struct forest_file *run, const struct retention *r)
{
    return run->known <= r->horizon;
}

/* Deletes may have to stay. */
static uint64_t bytes_of_values(const struct forest_file *run)
{
    const struct table_meta *meta = run->meta;
    uint64_t values = meta->version_count - meta->delete_count;
    return (uint64_t)((double)meta->file_bytes * (double)values / (double)meta->version_count);
}

bool trim_is_due(const struct superview *view, const struct forest_tree *tree,
                 const struct forest_region *region, const struct retention *r)
{
    struct region_size size;
    uint64_t over = 0;
    uint64_t kept = 0;
    if (!may_trim(view, tree, region, r)) {
        return false;
    }
    for (size_t i = 0; i < region->run_count; i++) {
        uint64_t freed = is_run_over(region->runs[i], r) ? bytes_of_values(region->runs[i]) : 0;
        over += freed;
        kept += region->runs[i]->meta->file_bytes - freed;
    }
    if (over == 0 && region->slice_count == 0) {
        return false;
    }
    region_measure(tree, region, &size);
    over += size.slice_file_bytes;
    return over > 0 && over >= kept && over >= size.live_file_bytes / READ_SHARE;
}

bool trim_is_all_over(const struct superview *view, const struct forest_tree *tree,
                      const struct forest_region *region, const struct retention *r)
{
    bool is_over = may_trim(view, tree, region, r);
    for (size_t i = 0; is_over && i < region->run_count; i++) {
        is_over = is_run_over(region->runs[i], r);
    }
    return is_over && region->run_count + region->slice_count > 0;
}

bool trim_frees(const struct forest_file *run, const struct retention *r)
{
    return is_run_over(run, r);
}

/* ---- a region ---- */

struct trim {
    struct history_job *job;
    size_t level_count; /* sources below this index are of the current tree */
    bool may_drop_last; /* see the head: no late fact waits in a memtable */
    /* Of the key at hand: */
    struct buffer key;
    bool has_newer;
    struct version newer; /* times only */
    bool has_held;
    struct version held; /* what was over at the horizon, until something older shows up */
    struct buffer held_value;
};

static bool has_late_memtable(const struct history_job *job)
{
    for (size_t i = 0; i <= job->view->waiting_count; i++) {
        const struct memtable *m = i == 0 ? job->view->active : job->view->waiting[i - 1];
        struct memtable_bounds bounds;
        memtable_bounds(m, &bounds);
        if (bounds.back_dated_valid_min <= job->retention.horizon &&
            memtable_has_back_dated(m, job->keyspace->id)) {
            return true;
        }
    }
    return false;
}

static enum yore_status open_sources(struct trim *t, struct version_iter **iter_out)
{
    static const struct iter_view view = {
        .known = INT64_MAX, .valid = INT64_MAX, .no_cache_fill = true, .commit_after = INT64_MIN};
    struct history_job *job = t->job;
    struct source_list list = {0};
    /* Levels first: a version that they have too is theirs. */
    enum yore_status st =
        sources_add_levels(&list, job->tree, job_low(job), job_high(job), &view, NULL, NULL);
    t->level_count = list.count;
    if (st == YORE_OK) {
        st = job_add_runs(job, &list, false);
    }
    if (st == YORE_OK && job->region->slice_count > 0) {
        st = job_add_slice(job, &list, region_last_slice(job->region));
    }
    if (st == YORE_OK) { /* not source_list_merge(): a single source would not know its index */
        st = merge_iter_new(list.iters, list.count, false, iter_out);
        list.count = 0;
    }
    source_list_release(&list);
    return st;
}

static bool is_over_at(const struct version *v, int64_t horizon)
{
    bool is_end = v->kind == YORE_KIND_DELETE ||
                  (v->kind == YORE_KIND_PUT && v->valid_to <= horizon);
    return is_end && v->valid_from <= horizon && v->commit <= horizon;
}

static enum yore_status hold(struct trim *t, const struct version *v)
{
    buffer_clear(&t->held_value);
    buffer_append_bytes(&t->held_value, v->value);
    t->held = *v;
    t->held.flags &= VERSION_APART;
    t->has_held = true;
    return buffer_status(&t->held_value);
}

/* Something older is in the levels: what hides it stays. */
static enum yore_status put_held(struct trim *t, struct yore_error *error_out)
{
    if (!t->has_held) {
        return YORE_OK;
    }
    t->has_held = false;
    t->held.key = buffer_bytes(&t->key);
    t->held.value = buffer_bytes(&t->held_value);
    return output_add(&t->job->run, &t->held, error_out);
}

static void let_go_held(struct trim *t)
{
    t->job->trimmed += t->has_held;
    t->has_held = false;
}

static enum yore_status put(struct trim *t, const struct version *v, size_t source,
                            struct yore_error *error_out)
{
    struct history_job *job = t->job;
    struct version plain = *v;
    if (source < t->level_count) {
        return put_held(t, error_out);
    }
    if (t->has_newer && !retention_needs(&job->retention, v, &t->newer)) {
        job->trimmed++;
        return YORE_OK;
    }
    if (t->may_drop_last && is_over_at(v, job->retention.horizon)) {
        enum yore_status st = hold(t, v);
        return st == YORE_OK ? st : error_plain(error_out, st);
    }
    plain.flags &= VERSION_APART;
    return output_add(&job->run, &plain, error_out);
}

static enum yore_status walk(struct trim *t, struct version_iter *it, struct yore_error *error_out)
{
    enum yore_status st = YORE_OK;
    uint64_t done = 0;
    for (job_seek_low(t->job, it); st == YORE_OK && job_is_inside(t->job, it);
         version_iter_next(it)) {
        if (t->key.size == 0 || !bytes_equal(it->at.key, buffer_bytes(&t->key))) {
            let_go_held(t);
            t->has_newer = false;
            buffer_clear(&t->key);
            buffer_append_bytes(&t->key, it->at.key);
            if (t->key.is_nomem) {
                return error_plain(error_out, YORE_NOMEM);
            }
        }
        st = put(t, &it->at, merge_iter_source(it), error_out);
        t->newer = it->at;
        t->has_newer = true;
        if (st == YORE_OK && (++done & 1023) == 0) {
            st = job_check(t->job, error_out);
        }
    }
    let_go_held(t);
    if (st == YORE_OK && it->status != YORE_OK) {
        st = error_set(error_out, it->status, "%s", it->error.text);
    }
    return st;
}

static void drop_all(struct history_job *job)
{
    const struct forest_region *region = job->region;
    for (size_t i = 0; i < region->run_count; i++) {
        edit_drop_run(&job->edit, job->keyspace->id, job_low(job), region->runs[i]->meta->file);
    }
    for (size_t i = 0; i < region->slice_count; i++) {
        edit_drop_slice(&job->edit, job->keyspace->id, job_low(job), region->slices[i].t0);
    }
}

enum yore_status trim_region(struct history_job *job, struct yore_error *error_out)
{
    struct trim t = {.job = job};
    struct version_iter *it = NULL;
    if (!may_trim(job->view, job->tree, job->region, &job->retention)) {
        return YORE_NOT_FOUND;
    }
    t.may_drop_last = !has_late_memtable(job);
    enum yore_status st = open_sources(&t, &it);
    if (st != YORE_OK) {
        return error_plain(error_out, st);
    }
    st = walk(&t, it, error_out);
    version_iter_free(it);
    bool is_in_vain = job->trimmed == 0 && job->region->slice_count == 0;
    if (st == YORE_OK && is_in_vain) {
        st = YORE_NOT_FOUND;
    }
    drop_all(job);
    if (st == YORE_OK) {
        st = job_finish_runs(job, &job->run, error_out);
    }
    buffer_release(&t.key);
    buffer_release(&t.held_value);
    return st;
}

/* ---- the first slice ---- */

struct slice_trim {
    struct history_job *job;
    struct output *out; /* NULL: count only */
    uint64_t trimmed;
};

static enum yore_status walk_slice(struct slice_trim *t, struct version_iter *it,
                                   struct yore_error *error_out)
{
    const struct retention *r = &t->job->retention;
    struct buffer key = {0};
    struct version newer = {0};
    enum yore_status st = YORE_OK;
    uint64_t done = 0;
    for (job_seek_low(t->job, it); st == YORE_OK && job_is_inside(t->job, it);
         version_iter_next(it)) {
        bool has_newer = key.size > 0 && bytes_equal(it->at.key, buffer_bytes(&key));
        if (has_newer && it->at.commit <= r->horizon && !retention_needs(r, &it->at, &newer)) {
            t->trimmed++;
        } else if (t->out != NULL) {
            st = output_add(t->out, &it->at, error_out);
        }
        newer = it->at;
        if (st == YORE_OK && !has_newer) {
            buffer_clear(&key);
            buffer_append_bytes(&key, it->at.key);
            st = key.is_nomem ? error_plain(error_out, YORE_NOMEM) : st;
        }
        if (st == YORE_OK && (++done & 1023) == 0) {
            st = job_check(t->job, error_out);
        }
    }
    if (st == YORE_OK && it->status != YORE_OK) {
        st = error_set(error_out, it->status, "%s", it->error.text);
    }
    buffer_release(&key);
    return st;
}

static enum yore_status pass(struct slice_trim *t, struct yore_error *error_out)
{
    struct source_list list = {0};
    struct version_iter *it = NULL;
    t->trimmed = 0;
    enum yore_status st = job_add_slice(t->job, &list, &t->job->region->slices[0]);
    if (st == YORE_OK) {
        st = source_list_merge(&list, false, &it);
    }
    source_list_release(&list);
    st = st == YORE_OK ? walk_slice(t, it, error_out) : error_plain(error_out, st);
    version_iter_free(it);
    return st;
}

enum yore_status trim_slice(struct history_job *job, struct yore_error *error_out)
{
    const struct forest_slice *slice = job->region->slice_count > 0 ? job->region->slices : NULL;
    struct output out;
    struct slice_trim t = {.job = job};
    if (job->retention.is_only_now || slice == NULL || slice->t0 >= job->retention.horizon) {
        return YORE_NOT_FOUND;
    }
    enum yore_status st = pass(&t, error_out);
    if (st != YORE_OK || t.trimmed == 0) {
        return st == YORE_OK ? YORE_NOT_FOUND : st;
    }
    output_init(&out, job->view, job->keyspace, PAGE_CLASS_PAST, job->db->options.table_bytes);
    t.out = &out;
    st = pass(&t, error_out);
    job->trimmed += t.trimmed;
    if (st == YORE_OK) {
        st = job_finish_slice(job, &out, slice->t0, slice->t1, slice->known, error_out);
    }
    output_release(&out, st == YORE_OK);
    return st;
}
