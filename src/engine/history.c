/* history.c -- see history.h: choosing the work, and the parts its kinds share. */
#include "engine/history.h"

#include <stdlib.h>

#include "base/mem.h"
#include "engine/history_job.h"
#include "table/merge_iter.h"

#define REGION_TABLES_MAX 8u /* a region with more live bytes than this many tables is split */
#define RUN_CLASSES 22u      /* of any size of 64 bits */
#define LATE_SHARE 8u        /* late runs are merged in from 1/8 of the slices' bytes on */

/* ---- choosing ---- */

static void add_size(const struct forest_file *file, struct yore_bytes low, struct yore_bytes high,
                     uint64_t *file_bytes, uint64_t *user_bytes)
{
    const struct table_meta *meta = file->meta;
    if (!file_overlaps(file, low, high)) {
        return;
    }
    bool is_whole = (low.size == 0 || bytes_compare(buffer_bytes(&meta->first_key), low) >= 0) &&
                    (high.size == 0 || bytes_compare(buffer_bytes(&meta->last_key), high) < 0);
    uint64_t inside = is_whole ? meta->file_bytes : table_range_bytes(file->table, low, high);
    *file_bytes += inside;
    *user_bytes +=
        meta->file_bytes == 0
            ? 0
            : (uint64_t)((double)meta->user_bytes * (double)inside / (double)meta->file_bytes);
}

static bool files_overlap(const struct forest_file *a, const struct forest_file *b)
{
    return bytes_compare(buffer_bytes(&a->meta->first_key), buffer_bytes(&b->meta->last_key)) <=
               0 &&
           bytes_compare(buffer_bytes(&b->meta->first_key), buffer_bytes(&a->meta->last_key)) <= 0;
}

/* Of a table of level 0 what stands for keys that others there do not have: those that overlap it
 * share theirs, mostly. */
static double level0_share(const struct forest_level *level, size_t number)
{
    const struct forest_file *file = level->files[number];
    double all_bytes = 0;
    for (size_t i = 0; i < level->file_count; i++) {
        bool overlaps = i == number || files_overlap(file, level->files[i]);
        all_bytes += overlaps ? (double)level->files[i]->meta->user_bytes : 0;
    }
    return (double)file->meta->user_bytes / all_bytes;
}

/* What is live in a level, as user bytes. */
static uint64_t measure_level(const struct forest_level *level, bool is_level0,
                              struct yore_bytes low, struct yore_bytes high, uint64_t *file_bytes)
{
    uint64_t live_bytes = 0;
    for (size_t i = 0; i < level->file_count; i++) {
        uint64_t bytes = 0;
        add_size(level->files[i], low, high, file_bytes, &bytes);
        bool is_shared = is_level0 && bytes > 0;
        live_bytes += is_shared ? (uint64_t)((double)bytes * level0_share(level, i)) : bytes;
    }
    return live_bytes;
}

void region_measure(const struct forest_tree *tree, const struct forest_region *region,
                    struct region_size *size_out)
{
    struct region_size size = {0};
    struct yore_bytes low = forest_key_bytes(&region->low);
    struct yore_bytes high = forest_key_bytes(&region->high);
    uint64_t ignored = 0;
    for (size_t i = 0; i < LEVELS_MAX; i++) {
        uint64_t live_bytes =
            measure_level(&tree->levels[i], i == 0, low, high, &size.live_file_bytes);
        size.live_bytes = live_bytes > size.live_bytes ? live_bytes : size.live_bytes;
    }
    for (size_t i = 0; i < region->run_count; i++) {
        if (run_is_late(region, region->runs[i])) {
            add_size(region->runs[i], low, high, &size.late_file_bytes, &ignored);
            size.late_count++;
        } else {
            add_size(region->runs[i], low, high, &size.run_file_bytes, &size.run_bytes);
            size.run_count++;
        }
    }
    for (size_t i = 0; i < region->slice_count; i++) {
        for (size_t j = 0; j < region->slices[i].file_count; j++) {
            add_size(region->slices[i].files[j], low, high, &size.slice_file_bytes, &ignored);
        }
    }
    const struct forest_slice *last = region_last_slice(region);
    for (size_t j = 0; last != NULL && j < last->file_count; j++) {
        add_size(last->files[j], low, high, &size.last_slice_file_bytes, &size.last_slice_bytes);
    }
    *size_out = size;
}

/* Runs merged just before they are sealed are written once more for nothing. */
static size_t runs_allowed(const struct yore_db *db, const struct region_size *size)
{
    bool is_seal_near = size->run_file_bytes >= db->options.seal_bytes_min / 2 &&
                        size->run_bytes >= db->options.seal_versions_per_key * size->live_bytes / 2;
    return is_seal_near ? 2 * RUNS_MERGE_COUNT : RUNS_MERGE_COUNT;
}

/* Runs of about the same size are of one class: eight of them merged are of the next.  So a version
 * is merged once a class, and not each time that others have come. */
static unsigned run_class(const struct forest_file *run)
{
    unsigned factors = 0;
    for (uint64_t bytes = run->meta->file_bytes; bytes >= RUNS_MERGE_COUNT;
         bytes /= RUNS_MERGE_COUNT) {
        factors++;
    }
    return factors;
}

/* Merged again it would be cut into such tables again. */
static bool run_is_full(const struct yore_db *db, const struct forest_file *run)
{
    return run->meta->file_bytes >= db->options.table_bytes / 2;
}

/* The lowest class with so many runs; RUN_CLASSES: none.  `*count_out`: of all classes. */
static unsigned full_class(const struct yore_db *db, const struct forest_region *region,
                           size_t least, size_t *count_out)
{
    size_t counts[RUN_CLASSES] = {0};
    unsigned full = 0;
    *count_out = 0;
    for (size_t i = 0; i < region->run_count; i++) {
        if (!run_is_full(db, region->runs[i])) {
            counts[run_class(region->runs[i])]++;
            *count_out += 1;
        }
    }
    while (full < RUN_CLASSES && counts[full] < least) {
        full++;
    }
    return full;
}

static enum history_work runs_want(const struct yore_db *db, const struct forest_region *region,
                                   size_t allowed)
{
    size_t count;
    unsigned full = full_class(db, region, allowed, &count);
    return full < RUN_CLASSES || count >= RUNS_MERGE_MOST ? HISTORY_MERGE_RUNS : HISTORY_NOTHING;
}

static enum history_work region_wants(const struct yore_db *db, const struct forest_tree *tree,
                                      const struct forest_region *region, bool can_split)
{
    struct region_size size;
    if (region->run_count == 0) {
        return HISTORY_NOTHING;
    }
    region_measure(tree, region, &size);
    if (can_split && size.live_file_bytes > REGION_TABLES_MAX * db->options.table_bytes) {
        return HISTORY_SPLIT;
    }
    if (size.run_file_bytes >= db->options.seal_bytes_min &&
        size.run_bytes >= db->options.seal_versions_per_key * size.live_bytes) {
        return HISTORY_SEAL;
    }
    if (size.late_count >= RUNS_MERGE_COUNT ||
        (size.late_file_bytes >= db->options.seal_bytes_min &&
         size.late_file_bytes >= size.slice_file_bytes / LATE_SHARE)) {
        return HISTORY_MERGE_LATE;
    }
    return runs_want(db, region, runs_allowed(db, &size));
}

static bool is_only_now(const struct yore_keyspace *keyspace)
{
    return atomic_load_explicit(&keyspace->keep, memory_order_relaxed) == YORE_KEEP_NOW;
}

enum history_work history_wants(const struct yore_db *db, const struct yore_keyspace *keyspace,
                                const struct forest_tree *tree, size_t *region_out)
{
    for (size_t i = 0; i < tree->region_count; i++) {
        const struct forest_region *region = &tree->regions[i];
        /* What snapshots hold for a while is not worth a slice. */
        enum history_work work = is_only_now(keyspace) ? runs_want(db, region, RUNS_MERGE_COUNT)
                                                       : region_wants(db, tree, region, true);
        if (work != HISTORY_NOTHING) {
            *region_out = i;
            return work;
        }
    }
    return HISTORY_NOTHING;
}

/* The history must be worth the copies of the live versions that a seal makes, and the runs what is
 * written anew with them: the last slice if it grows, otherwise what the new one carries. */
static bool region_wants_idle(const struct yore_db *db, const struct forest_tree *tree,
                              const struct forest_region *region)
{
    struct region_size size;
    if (region->run_count == 0) {
        return false;
    }
    region_measure(tree, region, &size);
    bool is_worth = region->slice_count > 0 ||
                    size.run_bytes >= db->options.seal_versions_per_key * size.live_bytes;
    uint64_t anew = size.live_bytes;
    anew += seal_grows_last(db, region, &size) ? size.last_slice_bytes : 0;
    return is_worth && size.run_count > 0 && size.run_bytes >= anew / SEAL_IDLE_SHARE;
}

bool history_wants_idle(const struct yore_db *db, const struct yore_keyspace *keyspace,
                        const struct forest_tree *tree, size_t *region_out)
{
    for (size_t i = 0; !is_only_now(keyspace) && i < tree->region_count; i++) {
        if (region_wants_idle(db, tree, &tree->regions[i])) {
            *region_out = i;
            return true;
        }
    }
    return false;
}

/* ---- parts of every job ---- */

static const struct iter_view job_view = {
    .known = INT64_MAX, .valid = INT64_MAX, .no_cache_fill = true, .commit_after = INT64_MIN};

enum yore_status job_add_file(struct history_job *job, struct source_list *list,
                              struct forest_file *file)
{
    job->read_bytes += file->meta->file_bytes;
    return source_list_add_file(list, file, &job_view);
}

enum yore_status job_add_runs(struct history_job *job, struct source_list *list, bool late_only)
{
    enum yore_status st = YORE_OK;
    for (size_t i = 0; st == YORE_OK && i < job->region->run_count; i++) {
        if (!late_only || run_is_late(job->region, job->region->runs[i])) {
            st = job_add_file(job, list, job->region->runs[i]);
        }
    }
    return st;
}

void job_note_known(struct history_job *job, struct forest_file *const *runs, size_t count)
{
    int64_t known = INT64_MIN;
    for (size_t i = 0; i < count; i++) {
        known = runs[i]->known > known ? runs[i]->known : known;
    }
    if (count > 0 && !job->retention.is_only_now) {
        job->run.known = known;
        job->late.known = known;
    }
}

enum yore_status job_add_slice(struct history_job *job, struct source_list *list,
                               const struct forest_slice *slice)
{
    for (size_t i = 0; i < slice->file_count; i++) {
        job->read_bytes += slice->files[i]->meta->file_bytes;
    }
    return source_list_add_files(list, slice->files, slice->file_count, job_low(job), job_high(job),
                                 &job_view);
}

void job_seek_low(const struct history_job *job, struct version_iter *it)
{
    struct version_place place = {job_low(job), INT64_MAX, INT64_MAX};
    if (place.key.size == 0) {
        version_iter_first(it);
    } else {
        version_iter_seek(it, &place);
    }
}

bool job_is_inside(const struct history_job *job, const struct version_iter *it)
{
    struct yore_bytes high = job_high(job);
    return it->is_valid && (high.size == 0 || bytes_compare(it->at.key, high) < 0);
}

enum yore_status job_check(struct history_job *job, struct yore_error *error_out)
{
    enum yore_status st = db_check_writable(job->db, error_out);
    if (st == YORE_OK && (job->db->is_closing || stop_is_asked(job->keyspace->stop))) {
        st = error_plain(error_out, YORE_CANCELLED);
    }
    return st;
}

enum yore_status job_walk(struct history_job *job, struct version_iter *it,
                          enum yore_status (*each)(void *arg, struct version_iter *it,
                                                   struct yore_error *error_out),
                          void *arg, struct yore_error *error_out)
{
    enum yore_status st = YORE_OK;
    uint64_t done = 0;
    for (job_seek_low(job, it); st == YORE_OK && job_is_inside(job, it); version_iter_next(it)) {
        st = each(arg, it, error_out);
        if (st == YORE_OK && (++done & 1023) == 0) {
            st = job_check(job, error_out);
        }
    }
    if (st == YORE_OK && it->status != YORE_OK) {
        st = error_set(error_out, it->status, "%s", it->error.text);
    }
    return st;
}

enum yore_status job_finish_runs(struct history_job *job, struct output *o,
                                 struct yore_error *error_out)
{
    enum yore_status st = output_finish(o, error_out);
    for (size_t i = 0; st == YORE_OK && i < o->file_count; i++) {
        edit_add_run(&job->edit, job->keyspace->id, o->files[i]);
    }
    job->written_bytes += o->bytes;
    return st;
}

enum yore_status job_finish_slice(struct history_job *job, struct output *o, int64_t t0, int64_t t1,
                                  int64_t known, struct yore_error *error_out)
{
    enum yore_status st = output_finish(o, error_out);
    if (st == YORE_OK) {
        struct forest_slice slice = {t0, t1, known, o->files, o->file_count};
        edit_put_slice(&job->edit, job->keyspace->id, job_low(job), &slice);
        /* An edit without memory may not have the files, and the caller lets go of its own. */
        st = job->edit.is_nomem ? error_plain(error_out, YORE_NOMEM) : YORE_OK;
    }
    job->written_bytes += o->bytes;
    return st;
}

enum yore_status job_is_superseded(struct history_job *job, size_t slice_index,
                                   const struct version *v, int64_t before, bool *is_superseded_out,
                                   struct yore_error *error_out)
{
    struct read_moment moment = {.valid = before - 1, .known = INT64_MAX, .wants_any = true};
    struct version best = *v;
    struct read_pin pin = {0};
    enum yore_status st = read_look_back(job->view, job->region, slice_index, v->key, &moment,
                                         &best, &pin, error_out);
    *is_superseded_out = st == YORE_NOT_FOUND || (st == YORE_OK && version_is_newer(&best, v));
    read_pin_release(&pin);
    return st == YORE_NOT_FOUND ? YORE_OK : st;
}

bool slice_must_carry(const struct version *v, int64_t t0)
{
    bool is_in_force = v->kind != YORE_KIND_DELETE && v->valid_to > t0;
    /* A read at or after t0 may know less than a late end: it must see that something is hidden,
     * and look back (R5). */
    return is_in_force || v->commit >= t0;
}

/* ---- merging runs ---- */

static int by_size(const void *a, const void *b)
{
    uint64_t x = (*(struct forest_file *const *)a)->meta->file_bytes;
    uint64_t y = (*(struct forest_file *const *)b)->meta->file_bytes;
    return x < y ? -1 : x > y;
}

/* Versions of one key, the newest first: what of them no snapshot sees. */
struct run_merge {
    struct history_job *job;
    struct buffer key;
    int64_t newer; /* commit of the version before */
};

/* Only where nothing but the present is kept: elsewhere a version may hide what an earlier slice
 * alone holds, and sealing decides. */
static bool is_unseen(struct run_merge *m, const struct version *v)
{
    const struct retention *retention = &m->job->retention;
    if (!retention->is_only_now) {
        return false;
    }
    bool is_first = !bytes_equal(v->key, buffer_bytes(&m->key));
    bool is_seen = is_first || retention_is_seen(retention, v->commit, m->newer);
    if (is_first) {
        buffer_clear(&m->key);
        buffer_append_bytes(&m->key, v->key);
    }
    m->newer = v->commit;
    return !is_seen;
}

static enum yore_status put_merged(void *arg, struct version_iter *it, struct yore_error *error_out)
{
    struct run_merge *m = arg;
    struct history_job *job = m->job;
    const struct version *v = &it->at;
    bool is_trimmed = is_unseen(m, v);
    if (m->key.is_nomem) {
        return error_plain(error_out, YORE_NOMEM);
    }
    job->trimmed += is_trimmed;
    if (is_trimmed || region_holds(job->region, v->valid_from, v->commit)) {
        return YORE_OK;
    }
    bool is_late = v->valid_from < region_sealed_to(job->region);
    return output_add(is_late ? &job->late : &job->run, v, error_out);
}

/* Move the runs to merge to the front: those of a full class, else the smallest. */
static size_t choose_runs(const struct yore_db *db, const struct forest_region *region,
                          struct forest_file **runs)
{
    size_t count;
    unsigned full = full_class(db, region, RUNS_MERGE_COUNT, &count);
    if (full == RUN_CLASSES) {
        qsort(runs, region->run_count, sizeof(*runs), by_size);
        return count < RUNS_MERGE_COUNT ? count : RUNS_MERGE_COUNT;
    }
    count = 0;
    for (size_t i = 0; i < region->run_count; i++) {
        if (!run_is_full(db, region->runs[i]) && run_class(region->runs[i]) == full) {
            runs[count++] = region->runs[i];
        }
    }
    return count;
}

/* Some runs of the region become one, so that a read asks few. */
static enum yore_status merge_runs(struct history_job *job, struct yore_error *error_out)
{
    struct source_list list = {0};
    struct version_iter *it = NULL;
    const struct forest_region *region = job->region;
    struct forest_file **runs = mem_copy(region->runs, region->run_count * sizeof(*runs));
    if (runs == NULL) {
        return error_plain(error_out, YORE_NOMEM);
    }
    size_t count = choose_runs(job->db, region, runs);
    enum yore_status st = YORE_OK;
    job_note_known(job, runs, count);
    for (size_t i = 0; st == YORE_OK && i < count; i++) {
        edit_drop_run(&job->edit, job->keyspace->id, job_low(job), runs[i]->meta->file);
        st = job_add_file(job, &list, runs[i]);
    }
    if (st == YORE_OK) {
        st = source_list_merge(&list, false, &it);
    }
    source_list_release(&list);
    mem_free(runs);
    if (st != YORE_OK) {
        return error_plain(error_out, st);
    }
    struct run_merge m = {.job = job};
    st = job_walk(job, it, put_merged, &m, error_out);
    buffer_release(&m.key);
    version_iter_free(it);
    if (st == YORE_OK) {
        st = job_finish_runs(job, &job->run, error_out);
    }
    if (st == YORE_OK) {
        st = job_finish_runs(job, &job->late, error_out);
    }
    stats_add(&job->db->stats, STAT_run_merges, st == YORE_OK);
    return st;
}

/* ---- splitting ---- */

/* At a table boundary near the middle of the largest level's part of the region. */
static enum yore_status split_region(struct history_job *job, struct yore_error *error_out)
{
    struct forest_file *middle = NULL;
    uint64_t best_bytes = 0;
    for (size_t i = 0; i < LEVELS_MAX; i++) {
        for (size_t j = 0; j < job->tree->levels[i].file_count; j++) {
            struct forest_file *file = job->tree->levels[i].files[j];
            uint64_t file_bytes = 0;
            uint64_t user_bytes = 0;
            add_size(file, job_low(job), job_high(job), &file_bytes, &user_bytes);
            if (file_bytes > best_bytes) {
                best_bytes = file_bytes;
                middle = file;
            }
        }
    }
    struct buffer key = {0};
    enum yore_status st = YORE_NOT_FOUND;
    if (middle != NULL) {
        st = table_middle_key(middle->table, job_low(job), job_high(job), &key, error_out);
    }
    if (st == YORE_OK && bytes_compare(buffer_bytes(&key), job_low(job)) > 0) {
        struct edit_op *op = edit_add(&job->edit, EDIT_REGION_SPLIT, job->keyspace->id);
        if (op != NULL) {
            op->low = key;
            key = (struct buffer){0};
        }
    } else if (st == YORE_OK) {
        st = YORE_NOT_FOUND;
    }
    buffer_release(&key);
    return st;
}

/* ---- trimming ---- */

bool history_wants_trim(const struct forest_tree *tree, const struct retention *r,
                        size_t *region_out)
{
    for (size_t i = 0; i < tree->region_count; i++) {
        if (trim_is_due(&tree->regions[i], r)) {
            *region_out = i;
            return true;
        }
    }
    return false;
}

static enum yore_status trim(struct history_job *job, struct yore_error *error_out)
{
    enum yore_status runs = trim_runs(job, false, error_out);
    if (runs != YORE_OK && runs != YORE_NOT_FOUND) {
        return runs;
    }
    enum yore_status slice = trim_last_slice(job, error_out);
    return slice == YORE_NOT_FOUND ? runs : slice;
}

/* ---- one piece of work ---- */

static enum yore_status do_work(struct history_job *job, enum history_work work,
                                struct yore_error *error_out)
{
    switch (work) {
    case HISTORY_SPLIT:
        return split_region(job, error_out);
    case HISTORY_SEAL:
        return seal_region(job, error_out);
    case HISTORY_MERGE_LATE:
        return merge_late(job, error_out);
    case HISTORY_MERGE_RUNS:
        return merge_runs(job, error_out);
    case HISTORY_TRIM:
        return trim(job, error_out);
    case HISTORY_TRIM_RUNS:
        return trim_runs(job, true, error_out);
    case HISTORY_TRIM_SLICES:
        return trim_slices(job, error_out);
    case HISTORY_NOTHING:
        break;
    }
    return YORE_NOT_FOUND;
}

static enum yore_event_kind event_of(enum history_work work)
{
    switch (work) {
    case HISTORY_SEAL:
        return YORE_EVENT_SEAL;
    case HISTORY_TRIM:
    case HISTORY_TRIM_RUNS:
    case HISTORY_TRIM_SLICES:
        return YORE_EVENT_RETENTION;
    default:
        return YORE_EVENT_COMPACT;
    }
}

static void count_work(struct history_job *job, enum history_work work, int64_t began_ns)
{
    struct yore_db *db = job->db;
    uint64_t took_us = (uint64_t)(os_monotonic_ns(db->env) - began_ns) / 1000;
    enum yore_event_kind kind = event_of(work);
    struct yore_event event = {.kind = kind,
                               .keyspace_id = job->keyspace->id,
                               .input_bytes = job->read_bytes,
                               .output_bytes = job->written_bytes,
                               .duration_us = took_us,
                               .text = kind == YORE_EVENT_RETENTION
                                           ? "tables written anew without what no read needs"
                                           : "history reordered"};
    stats_add(&db->stats, STAT_history_write_bytes, job->written_bytes);
    stats_add(&db->stats, STAT_carried_copies, job->carried);
    stats_add(&db->stats, STAT_versions_trimmed, job->trimmed);
    histogram_add(&db->stats.histograms[HIST_seal_latency_us], took_us);
    db_event(db, &event);
}

/* A job yet without a region, on what is there now.  The caller releases the view. */
static struct history_job begin(struct yore_db *db, struct yore_keyspace *keyspace)
{
    struct history_job job = {.db = db, .keyspace = keyspace};
    job.view = retention_view(db, keyspace, &job.retention);
    job.tree = forest_tree(job.view->forest, keyspace->id);
    return job;
}

static enum yore_status work_on(const struct history_job *begun, size_t region_index,
                                enum history_work work, struct yore_error *error_out)
{
    struct history_job job = *begun;
    struct yore_db *db = job.db;
    int64_t began_ns = os_monotonic_ns(db->env);
    job.region = &job.tree->regions[region_index];
    output_init(&job.run, job.view, job.keyspace, PAGE_CLASS_PAST, db->options.table_bytes);
    output_init(&job.late, job.view, job.keyspace, PAGE_CLASS_PAST, db->options.table_bytes);
    enum yore_status st = do_work(&job, work, error_out);
    if (st == YORE_NOT_FOUND && work == HISTORY_SPLIT) { /* too few keys to split */
        work = region_wants(db, job.tree, job.region, false);
        st = do_work(&job, work, error_out);
    }
    if (st == YORE_OK) {
        st = db_commit_edit(db, &job.edit, NULL, error_out);
    }
    if (st == YORE_OK) {
        count_work(&job, work, began_ns);
    } else {
        /* Slices that were finished are only in the edit: nothing names them, so they go. */
        for (size_t i = 0; i < job.edit.count; i++) {
            for (size_t j = 0; j < job.edit.ops[i].file_count; j++) {
                db_drop_new_file(db, job.edit.ops[i].files[j]);
            }
        }
    }
    output_release(&job.run, st == YORE_OK);
    output_release(&job.late, st == YORE_OK);
    edit_release(&job.edit);
    return st;
}

enum yore_status history_step(struct yore_db *db, struct yore_keyspace *keyspace,
                              struct yore_error *error_out)
{
    struct history_job job = begin(db, keyspace);
    size_t region_index = 0;
    enum history_work work =
        job.tree != NULL ? history_wants(db, keyspace, job.tree, &region_index) : HISTORY_NOTHING;
    enum yore_status st = YORE_NOT_FOUND;
    if (work != HISTORY_NOTHING) {
        st = work_on(&job, region_index, work, error_out);
    }
    superview_release(job.view);
    return st;
}

enum yore_status history_idle(struct yore_db *db, struct yore_keyspace *keyspace,
                              struct yore_error *error_out)
{
    struct history_job job = begin(db, keyspace);
    size_t region_index = 0;
    enum yore_status st = YORE_NOT_FOUND;
    if (job.tree != NULL && history_wants_idle(db, keyspace, job.tree, &region_index)) {
        st = work_on(&job, region_index, HISTORY_SEAL, error_out);
    }
    superview_release(job.view);
    return st;
}

enum yore_status history_trim(struct yore_db *db, struct yore_keyspace *keyspace,
                              struct yore_error *error_out)
{
    struct history_job job = begin(db, keyspace);
    size_t region_index = 0;
    enum yore_status st = YORE_NOT_FOUND;
    if (job.tree != NULL && history_wants_trim(job.tree, &job.retention, &region_index)) {
        st = work_on(&job, region_index, HISTORY_TRIM, error_out);
    }
    superview_release(job.view);
    return st;
}

/* ---- on demand ---- */

/* Runs of which nothing but ends is left are no history to seal: a slice would copy the present for
 * them. */
static bool is_wanted(const struct history_job *job, size_t region_index, enum history_work work)
{
    const struct forest_region *region = &job->tree->regions[region_index];
    size_t early = 0;
    size_t late = 0;
    for (size_t i = 0; i < region->run_count; i++) {
        bool is_late = run_is_late(region, region->runs[i]);
        bool is_spent = retention_run_is_past(region->runs[i], &job->retention) &&
                        trim_run_surplus(region->runs[i]) == 0;
        late += is_late;
        early += !is_late && !is_spent;
    }
    return work == HISTORY_SEAL ? early > 0 : work == HISTORY_MERGE_LATE ? late > 0 : true;
}

static enum yore_status all_of_kind(struct yore_db *db, struct yore_keyspace *keyspace,
                                    enum history_work work, struct yore_error *error_out)
{
    enum yore_status st = YORE_OK;
    size_t count = 1;
    for (size_t i = 0; st == YORE_OK && i < count; i++) {
        struct history_job job = begin(db, keyspace);
        count = job.tree != NULL ? job.tree->region_count : 0;
        if (i < count && is_wanted(&job, i, work)) {
            st = work_on(&job, i, work, error_out);
            st = st == YORE_NOT_FOUND ? YORE_OK : st;
        }
        superview_release(job.view);
    }
    return st;
}

/* What goes whole is not written anew first, nor is what is past sealed. */
enum yore_status history_all(struct yore_db *db, struct yore_keyspace *keyspace,
                             struct yore_error *error_out)
{
    static const enum history_work works[] = {HISTORY_TRIM_RUNS, HISTORY_SEAL, HISTORY_MERGE_LATE};
    bool ignored;
    enum yore_status st = retention_drop(db, keyspace, &ignored, error_out);
    if (st != YORE_OK || is_only_now(keyspace)) {
        return st;
    }
    for (size_t i = 0; st == YORE_OK && i < sizeof works / sizeof works[0]; i++) {
        st = all_of_kind(db, keyspace, works[i], error_out);
    }
    if (st == YORE_OK) {
        st = retention_drop(db, keyspace, &ignored, error_out);
    }
    return st == YORE_OK ? all_of_kind(db, keyspace, HISTORY_TRIM_SLICES, error_out) : st;
}
