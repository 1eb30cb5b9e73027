/* late.c -- late facts move from their runs into the slices they belong to.
 *
 * A late fact belongs to the slice of its valid_from and, as a carried copy, to every later slice
 * at whose start it is still in force.  First a pass over the late facts alone marks the slices
 * that change, following each fact from slice to slice until a greater version is met; then every
 * marked slice is written anew from its own versions and the late ones.
 */
#include "base/mem.h"
#include "engine/history_job.h"
#include "table/merge_iter.h"

struct late_merge {
    struct history_job *job;
    bool *is_touched; /* by slice */
};

/* Does slice `index` alone hold a version of v's key that is greater and begins before `before`? */
static enum yore_status slice_supersedes(struct history_job *job, size_t index,
                                         const struct version *v, int64_t before,
                                         bool *is_superseded_out, struct yore_error *error_out)
{
    struct version met;
    struct table_pin page = {0};
    struct forest_file *file = slice_file(&job->region->slices[index], v->key);
    *is_superseded_out = false;
    if (file == NULL) {
        return YORE_OK;
    }
    enum yore_status st =
        table_get(file->table, v->key, before - 1, INT64_MAX, &met, &page, error_out);
    *is_superseded_out = st == YORE_OK && version_is_newer(&met, v);
    table_pin_release(&page);
    return st == YORE_NOT_FOUND ? YORE_OK : st;
}

static enum yore_status touch(void *arg, struct version_iter *it, struct yore_error *error_out)
{
    struct late_merge *m = arg;
    const struct version *v = &it->at;
    const struct forest_region *region = m->job->region;
    size_t index = region_slice_at(region, v->valid_from);
    if (index == region->slice_count) {
        index = 0; /* begins before the first slice that is left: only carried copies matter */
    }
    enum yore_status st = YORE_OK;
    bool is_superseded = false;
    for (; st == YORE_OK && index < region->slice_count; index++) {
        m->is_touched[index] = true;
        st =
            slice_supersedes(m->job, index, v, region->slices[index].t1, &is_superseded, error_out);
        if (is_superseded) {
            break;
        }
    }
    return st;
}

static enum yore_status touch_all(struct late_merge *m, struct yore_error *error_out)
{
    struct source_list list = {0};
    struct version_iter *it = NULL;
    enum yore_status st = job_add_runs(m->job, &list, true);
    if (st == YORE_OK) {
        st = source_list_merge(&list, false, &it);
    }
    source_list_release(&list);
    if (st != YORE_OK) {
        return error_plain(error_out, st);
    }
    st = job_walk(m->job, it, touch, m, error_out);
    version_iter_free(it);
    return st;
}

/* ---- one slice ---- */

struct slice_rewrite {
    struct history_job *job;
    const struct forest_slice *slice;
    size_t index;
    struct output out;
    size_t late_count; /* sources below this index are late runs */
    struct buffer key;
    bool is_carry_done;
    struct version carried; /* times of the last one that was carried, or was over */
};

static enum yore_status put_carry(struct slice_rewrite *r, const struct version *v, bool is_late,
                                  struct yore_error *error_out)
{
    bool is_superseded = false;
    enum yore_status st = YORE_OK;
    bool is_carried = (v->flags & (VERSION_CARRIED | VERSION_ALSO_CARRIED)) != 0;
    if (is_late && !is_carried && v->commit <= r->slice->known) {
        return YORE_OK; /* known when the slice was sealed, and over by its start (R4) */
    }
    if (is_late && !is_carried) { /* what an earlier slice ended is not carried here, yet it may be
                                     greater (R4) */
        st = job_is_superseded(r->job, r->index, v, r->slice->t0, &is_superseded, error_out);
    }
    if (st != YORE_OK || is_superseded) {
        return st;
    }
    r->is_carry_done = true;
    r->carried = *v;
    if (!slice_must_carry(v, r->slice->t0)) {
        return YORE_OK;
    }
    struct version copy = *v;
    copy.flags = (v->flags & VERSION_APART) | VERSION_CARRIED;
    r->job->carried += is_late;
    return output_add(&r->out, &copy, error_out);
}

/* A copy that the slice had until now, and that a late fact hides from reads which do not know it
 * yet: its version may be in no slice of its own, so that looking back (R5) would not find it. */
static bool is_hidden_copy(const struct slice_rewrite *r, const struct version *v)
{
    return (v->flags & (VERSION_CARRIED | VERSION_ALSO_CARRIED)) != 0 &&
           retention_needs(&r->job->retention, v, &r->carried);
}

static enum yore_status put(struct slice_rewrite *r, const struct version *v, bool is_late,
                            struct yore_error *error_out)
{
    if (v->valid_from >= r->slice->t1) {
        return YORE_OK; /* belongs to a later slice */
    }
    if (v->valid_from >= r->slice->t0) {
        struct version plain = *v;
        plain.flags &= VERSION_APART;
        return output_add(&r->out, &plain, error_out);
    }
    if (r->is_carry_done && !is_hidden_copy(r, v)) {
        return YORE_OK;
    }
    return put_carry(r, v, is_late, error_out);
}

static enum yore_status put_next(void *arg, struct version_iter *it, struct yore_error *error_out)
{
    struct slice_rewrite *r = arg;
    if (r->key.size == 0 || !bytes_equal(it->at.key, buffer_bytes(&r->key))) {
        buffer_clear(&r->key);
        buffer_append_bytes(&r->key, it->at.key);
        r->is_carry_done = false;
        if (r->key.is_nomem) {
            return error_plain(error_out, YORE_NOMEM);
        }
    }
    return put(r, &it->at, merge_iter_source(it) < r->late_count, error_out);
}

static enum yore_status rewrite_slice(struct history_job *job, size_t index,
                                      struct yore_error *error_out)
{
    struct slice_rewrite r = {.job = job, .slice = &job->region->slices[index], .index = index};
    struct source_list list = {0};
    struct version_iter *it = NULL;
    output_init(&r.out, job->view, job->keyspace, PAGE_CLASS_PAST, job->db->options.table_bytes);
    enum yore_status st = job_add_runs(job, &list, true);
    r.late_count = list.count;
    if (st == YORE_OK) {
        st = job_add_slice(job, &list, r.slice);
    }
    if (st == YORE_OK) {
        st = source_list_merge_numbered(&list, false, &it);
    }
    source_list_release(&list);
    if (st != YORE_OK) {
        return error_plain(error_out, st);
    }
    st = job_walk(job, it, put_next, &r, error_out);
    version_iter_free(it);
    if (st == YORE_OK) {
        st = job_finish_slice(job, &r.out, r.slice->t0, r.slice->t1, r.slice->known, error_out);
    }
    output_release(&r.out, st == YORE_OK);
    buffer_release(&r.key);
    return st;
}

enum yore_status merge_late(struct history_job *job, struct yore_error *error_out)
{
    const struct forest_region *region = job->region;
    struct late_merge m = {.job = job};
    m.is_touched = mem_array(region->slice_count + 1, sizeof *m.is_touched);
    if (m.is_touched == NULL) {
        return error_plain(error_out, YORE_NOMEM);
    }
    enum yore_status st = touch_all(&m, error_out);
    for (size_t i = 0; st == YORE_OK && i < region->slice_count; i++) {
        if (m.is_touched[i]) {
            st = rewrite_slice(job, i, error_out);
        }
    }
    for (size_t i = 0; i < region->run_count; i++) {
        if (run_is_late(region, region->runs[i])) {
            edit_drop_run(&job->edit, job->keyspace->id, job_low(job), region->runs[i]->meta->file);
        }
    }
    mem_free(m.is_touched);
    stats_add(&job->db->stats, STAT_late_merges, st == YORE_OK);
    return st;
}
