/* trim.c -- what no read needs any more leaves runs and slices that do not go whole.
 *
 * A run: whatever is in one had been superseded, or had ended, by the commit that its file's
 * `known` names (T1 below).  Once the horizon has passed that commit no read is answered by it.  So
 * all of it goes, but of each key the greatest version if that is an end, which stays as a delete
 * without a value where something older of the key is left anywhere: in slices, in the current
 * tree, among late facts, in other runs.  A run without ends goes whole, unread (retention.c).
 *
 * T1  What leaves the current tree for a run is superseded by a version that was flushed by then
 *     and stays, in levels, runs or slices, until it goes by these rules itself; or nothing
 *     supersedes it, and it is a delete, or over by the time of the merge (compact.c, is_spent).
 *     The chain of versions that supersede one another ends at one that is never let go before
 *     what it hides: in the levels, in a slice (which is not dropped while a run has facts from
 *     before its end), or as an end in a run.
 *
 * A slice: a version goes when a greater one of its key is in the slice and every read that is
 * allowed and sees the one sees the other (retention_needs).  The greatest stays, a delete too: it
 * hides what levels and earlier slices have.  A copy that some read may not know yet stays, needed
 * or not: that it is hidden tells such a read to look back (R5).  In a slice that lies before the
 * horizon with all its commits only the greatest of each key is left.
 *
 * Nothing is due twice: a run that was trimmed says so (KNOWN_TRIMMED), or, where it has to be once
 * more when the horizon has moved on, has one version a key; and a slice that lies before the
 * horizon has as many versions as keys then, which its counts tell.  Only the last slice is trimmed
 * in the background, and only where it lies before the horizon: of others that are left what goes
 * is told by a walk alone, and they go whole soon.
 *
 * Refused: unsealing the region, which holds all its keys once more in runs until the next seal and
 * is due again then.
 */
#include "base/hash.h"
#include "base/mem.h"
#include "engine/history_job.h"
#include "table/merge_iter.h"

#define TRIM_SHARE 8u /* a table is written anew when 1/8 of its versions go */

/* ---- choosing ---- */

static bool is_worth(uint64_t surplus, uint64_t count)
{
    return surplus > 0 && surplus >= count / TRIM_SHARE;
}

uint64_t trim_run_surplus(const struct forest_file *run)
{
    const struct table_meta *meta = run->meta;
    uint64_t ends = retention_run_ends(run);
    uint64_t most = ends < meta->key_count ? ends : meta->key_count; /* that stay */
    return run->known == KNOWN_TRIMMED ? 0 : meta->version_count - most;
}

/* Where any version may be an end it is worth a look, once: whether they hide anything, and for the
 * values of those that do.  At the very horizon some are told yet. */
bool trim_run_is_due(const struct forest_file *run, const struct retention *r)
{
    uint64_t count = run->meta->version_count;
    bool is_unsure = retention_run_ends(run) == count;
    return retention_run_is_past(run, r) && run->known != KNOWN_TRIMMED &&
           ((is_unsure && run->known < r->horizon) || is_worth(trim_run_surplus(run), count));
}

bool trim_last_slice_is_due(const struct forest_region *region, const struct retention *r)
{
    const struct forest_slice *last = region_last_slice(region);
    uint64_t surplus = 0;
    uint64_t count = 0;
    if (r->is_only_now || last == NULL || last->t1 - 1 > r->horizon ||
        slice_commit_max(last) > r->horizon) {
        return false;
    }
    for (size_t i = 0; i < last->file_count; i++) {
        const struct table_meta *meta = last->files[i]->meta;
        surplus += meta->version_count - meta->key_count;
        count += meta->version_count;
    }
    return is_worth(surplus, count);
}

bool trim_is_due(const struct forest_region *region, const struct retention *r)
{
    bool is_due = trim_last_slice_is_due(region, r);
    for (size_t i = 0; i < region->run_count && !is_due; i++) {
        is_due = trim_run_is_due(region->runs[i], r);
    }
    return is_due;
}

/* ---- runs ---- */

struct run_trim {
    struct history_job *job;
    struct forest_file **runs; /* that are written anew */
    size_t run_count;
    struct buffer key; /* at hand; its greatest version was met */
};

static bool takes_part(const struct run_trim *t, const struct forest_file *run)
{
    for (size_t i = 0; i < t->run_count; i++) {
        if (t->runs[i] == run) {
            return true;
        }
    }
    return false;
}

/* A version of one key that begins no later than another. */
struct older {
    const struct version_place *place;
    uint64_t hash;
    bool is_any;
};

static enum yore_status ask_table(struct older *older, const struct forest_file *file,
                                  struct yore_error *error_out)
{
    struct version met;
    struct table_pin page = {0};
    if (older->is_any || file->meta->valid_min > older->place->valid_from) {
        return YORE_OK;
    }
    enum yore_status st =
        table_get_hashed(file->table, older->place, older->hash, &met, &page, error_out);
    older->is_any = st == YORE_OK;
    table_pin_release(&page);
    return st == YORE_NOT_FOUND ? YORE_OK : st;
}

static bool memtables_have(const struct history_job *job, const struct version_place *place)
{
    struct version met;
    bool is_any = false;
    for (size_t i = 0; i <= job->view->waiting_count && !is_any; i++) {
        const struct memtable *m = i == 0 ? job->view->active : job->view->waiting[i - 1];
        is_any = memtable_has(m, job->keyspace->id) &&
                 memtable_get(m, job->keyspace->id, place->key, place->valid_from, INT64_MAX, &met);
    }
    return is_any;
}

static enum yore_status ask_levels(struct older *older, const struct forest_tree *tree,
                                   struct yore_error *error_out)
{
    enum yore_status st = YORE_OK;
    for (size_t i = 0; i < LEVELS_MAX; i++) {
        const struct forest_level *level = &tree->levels[i];
        size_t first = i == 0 ? 0 : level_find(level, older->place->key);
        size_t end = i == 0 ? level->file_count : first + 1;
        for (size_t j = first; st == YORE_OK && j < end && j < level->file_count; j++) {
            st = ask_table(older, level->files[j], error_out);
        }
    }
    return st;
}

/* Is anything left that the end `v` may hide?  What is not in the job's view does not come any
 * more: it would be dated before the horizon. */
static enum yore_status find_older(const struct run_trim *t, const struct version *v,
                                   bool *is_any_out, struct yore_error *error_out)
{
    const struct history_job *job = t->job;
    const struct forest_region *region = job->region;
    const struct version_place place = {v->key, v->valid_from, INT64_MAX};
    struct older older = {.place = &place, .hash = hash_bytes(v->key)};
    older.is_any = memtables_have(job, &place);
    enum yore_status st = ask_levels(&older, job->tree, error_out);
    for (size_t i = 0; st == YORE_OK && i < region->run_count; i++) {
        if (!takes_part(t, region->runs[i])) {
            st = ask_table(&older, region->runs[i], error_out);
        }
    }
    for (size_t i = 0; st == YORE_OK && i < region->slice_count; i++) {
        const struct forest_file *file = slice_file(&region->slices[i], v->key);
        st = file != NULL ? ask_table(&older, file, error_out) : st;
    }
    *is_any_out = older.is_any;
    return st;
}

/* `v` is the greatest of its key in the runs. */
static enum yore_status put_greatest(struct run_trim *t, const struct version *v, int64_t known,
                                     struct yore_error *error_out)
{
    struct history_job *job = t->job;
    bool is_end = v->kind == YORE_KIND_DELETE || v->valid_to <= known;
    /* A timeline that begins at the horizon tells what begins there. */
    bool is_told = v->valid_from >= job->retention.horizon;
    bool stays = is_end && is_told;
    enum yore_status st = YORE_OK;
    if (is_end && !stays) {
        st = find_older(t, v, &stays, error_out);
    }
    if (st != YORE_OK || !stays) {
        job->trimmed += st == YORE_OK;
        return st;
    }
    bool is_late = v->valid_from < region_sealed_to(job->region);
    struct output *out = is_late ? &job->late : &job->run;
    struct version end = {.key = v->key,
                          .valid_from = v->valid_from,
                          .commit = v->commit,
                          .valid_to = YORE_FOREVER,
                          .kind = YORE_KIND_DELETE};
    if (is_told && v->kind != YORE_KIND_DELETE) { /* it never held: its end is no later */
        end = *v;
        end.flags &= VERSION_APART;
        out->known = known; /* the rest is for when the horizon has moved on */
    }
    return output_add(out, &end, error_out);
}

static enum yore_status put_from_run(void *arg, struct version_iter *it,
                                     struct yore_error *error_out)
{
    struct run_trim *t = arg;
    const struct version *v = &it->at;
    if (t->key.size > 0 && bytes_equal(v->key, buffer_bytes(&t->key))) {
        t->job->trimmed++;
        return YORE_OK;
    }
    buffer_clear(&t->key);
    buffer_append_bytes(&t->key, v->key);
    return t->key.is_nomem ? error_plain(error_out, YORE_NOMEM)
                           : put_greatest(t, v, t->runs[merge_iter_source(it)]->known, error_out);
}

static enum yore_status open_runs(struct run_trim *t, struct version_iter **iter_out)
{
    struct history_job *job = t->job;
    struct source_list list = {0};
    enum yore_status st = YORE_OK;
    for (size_t i = 0; st == YORE_OK && i < t->run_count; i++) {
        st = job_add_file(job, &list, t->runs[i]);
        edit_drop_run(&job->edit, job->keyspace->id, job_low(job), t->runs[i]->meta->file);
    }
    if (st == YORE_OK) {
        st = source_list_merge_numbered(&list, false, iter_out);
    }
    source_list_release(&list);
    return st;
}

static enum yore_status rewrite_runs(struct run_trim *t, struct yore_error *error_out)
{
    struct history_job *job = t->job;
    struct version_iter *it = NULL;
    job->run.known = KNOWN_TRIMMED;
    job->late.known = KNOWN_TRIMMED;
    enum yore_status st = open_runs(t, &it);
    if (st != YORE_OK) {
        return error_plain(error_out, st);
    }
    st = job_walk(job, it, put_from_run, t, error_out);
    version_iter_free(it);
    if (st == YORE_OK) {
        st = job_finish_runs(job, &job->run, error_out);
    }
    if (st == YORE_OK) {
        st = job_finish_runs(job, &job->late, error_out);
    }
    stats_add(&job->db->stats, STAT_trims, st == YORE_OK);
    return st;
}

enum yore_status trim_runs(struct history_job *job, bool is_on_demand, struct yore_error *error_out)
{
    const struct forest_region *region = job->region;
    struct run_trim t = {.job = job};
    enum yore_status st = YORE_NOT_FOUND;
    t.runs = mem_array(region->run_count + 1, sizeof(*t.runs));
    if (t.runs == NULL) {
        return error_plain(error_out, YORE_NOMEM);
    }
    for (size_t i = 0; i < region->run_count; i++) {
        struct forest_file *run = region->runs[i];
        bool is_wanted = is_on_demand && retention_run_is_past(run, &job->retention) &&
                         trim_run_surplus(run) > 0;
        if (is_wanted || trim_run_is_due(run, &job->retention)) {
            t.runs[t.run_count++] = run;
        }
    }
    if (t.run_count > 0) {
        st = rewrite_runs(&t, error_out);
    }
    buffer_release(&t.key);
    mem_free(t.runs);
    return st;
}

/* ---- slices ---- */

struct slice_trim {
    struct history_job *job;
    const struct forest_slice *slice;
    struct output *out; /* NULL: what goes is only counted */
    uint64_t trimmed;
    struct buffer key; /* at hand */
    struct version newer;
};

static enum yore_status put_from_slice(void *arg, struct version_iter *it,
                                       struct yore_error *error_out)
{
    struct slice_trim *t = arg;
    const struct version *v = &it->at;
    const struct retention *r = &t->job->retention;
    bool has_newer = t->key.size > 0 && bytes_equal(v->key, buffer_bytes(&t->key));
    bool hides_nothing = v->valid_from >= t->slice->t0 || v->commit <= r->horizon;
    bool is_needed = !has_newer || !hides_nothing || retention_needs(r, v, &t->newer);
    /* A feed after the horizon, and a timeline from it, tell it as it was written. */
    bool is_told = v->commit > r->horizon || v->valid_from >= r->horizon;
    bool is_over = v->kind != YORE_KIND_DELETE && v->valid_to <= r->horizon && !is_told;
    struct version stored = *v;
    if (!has_newer) {
        buffer_clear(&t->key);
        buffer_append_bytes(&t->key, v->key);
        if (t->key.is_nomem) {
            return error_plain(error_out, YORE_NOMEM);
        }
    }
    t->newer = *v;
    t->trimmed += !is_needed || is_over;
    if (t->out == NULL || !is_needed) {
        return YORE_OK;
    }
    if (is_over) { /* it hides, and no read sees the value any more */
        stored.kind = YORE_KIND_DELETE;
        stored.valid_to = YORE_FOREVER;
        stored.value = bytes_of(NULL, 0);
        stored.flags &= ~(unsigned)VERSION_APART;
    }
    return output_add(t->out, &stored, error_out);
}

static enum yore_status walk_slice(struct slice_trim *t, struct yore_error *error_out)
{
    struct history_job *job = t->job;
    struct source_list list = {0};
    struct version_iter *it = NULL;
    enum yore_status st = job_add_slice(job, &list, t->slice);
    if (st == YORE_OK) {
        st = source_list_merge(&list, false, &it);
    }
    source_list_release(&list);
    if (st != YORE_OK) {
        return error_plain(error_out, st);
    }
    st = job_walk(job, it, put_from_slice, t, error_out);
    version_iter_free(it);
    buffer_release(&t->key);
    return st;
}

static enum yore_status rewrite_slice(struct history_job *job, const struct forest_slice *slice,
                                      struct yore_error *error_out)
{
    struct output out;
    struct slice_trim t = {.job = job, .slice = slice, .out = &out};
    output_init(&out, job->view, job->keyspace, PAGE_CLASS_PAST, job->db->options.table_bytes);
    enum yore_status st = walk_slice(&t, error_out);
    if (st == YORE_OK) {
        st = job_finish_slice(job, &out, slice->t0, slice->t1, slice->known, error_out);
    }
    output_release(&out, st == YORE_OK);
    job->trimmed += t.trimmed;
    stats_add(&job->db->stats, STAT_trims, st == YORE_OK);
    return st;
}

enum yore_status trim_last_slice(struct history_job *job, struct yore_error *error_out)
{
    return trim_last_slice_is_due(job->region, &job->retention)
               ? rewrite_slice(job, region_last_slice(job->region), error_out)
               : YORE_NOT_FOUND;
}

enum yore_status trim_slices(struct history_job *job, struct yore_error *error_out)
{
    const struct forest_region *region = job->region;
    size_t rewritten = 0;
    enum yore_status st = YORE_OK;
    if (job->retention.horizon == YORE_TIME_MIN) {
        return YORE_NOT_FOUND; /* all is kept: no need to look */
    }
    for (size_t i = 0; st == YORE_OK && i < region->slice_count; i++) {
        struct slice_trim count = {.job = job, .slice = &region->slices[i]};
        if (count.slice->t0 > job->retention.horizon) {
            break; /* nothing in it, or after it, was superseded by then */
        }
        st = walk_slice(&count, error_out);
        if (st == YORE_OK && count.trimmed > 0) {
            st = rewrite_slice(job, count.slice, error_out);
            rewritten++;
        }
    }
    return st == YORE_OK && rewritten == 0 ? YORE_NOT_FOUND : st;
}
