/* compact.c -- see compact.h.
 *
 * The newest version of a key wins and stays; what it supersedes leaves for history, unless a slice
 * has it already (F4) or retention lets it go.  A winner that is unresolved becomes resolved when
 * the merge shows that nothing deeper can be greater: a resolved version of the key takes part (it
 * was the newest of all that was deeper), or nothing deeper is left and history holds none greater.
 * In the deepest level a delete or an expired value has done its work and leaves for history as
 * well.
 *
 * What a put costs in octets written is its flush, its merges within level 0, and its share of each
 * time that level 1 is written anew.  So tables of level 0 that are about as large become one
 * there, and level 0 is merged down only when it holds as much as level 1, or too many tables for
 * reads; level 1 is large.  Data of a hundred memtables is written three to five times (small
 * levels one after the other, each written anew by the one above: eleven to twenty).  The price is
 * paid by scans, which merge more tables; when no commits come, compact_idle() gives some of it
 * back.
 */
#include "engine/compact.h"

#include "base/mem.h"
#include "engine/output.h"
#include "engine/retention.h"
#include "engine/sources.h"
#include "table/merge_iter.h"

struct merge_input {
    uint32_t level;
    struct forest_file *file;
};

struct merge_job {
    struct yore_db *db;
    struct yore_keyspace *keyspace;
    struct superview *view;
    const struct forest_tree *tree;
    struct merge_input *inputs;
    size_t input_count;
    uint32_t out_level;
    bool is_bottom; /* no deeper level has any table */
    struct retention retention;
    struct output level;
    struct output run;
    struct output late;
    /* The versions of the key at hand, newest first; at most one from each table.  Bytes in
     * `scratch`. */
    struct version *group;
    size_t group_count;
    size_t group_capacity;
    struct buffer scratch;
    uint64_t trimmed;
    int64_t forgot; /* see forest_tree */
};

/* ---- choosing ---- */

uint64_t compact_level_target(const struct yore_db *db, uint32_t level)
{
    uint64_t least = LEVEL1_MEMTABLES_MIN * db->options.memtable_bytes;
    uint64_t target = LEVEL1_MEMTABLES * db->options.memtable_bytes;
    target = target > LEVEL1_BYTES_MAX ? LEVEL1_BYTES_MAX : target;
    target = target < least ? least : target;
    for (uint32_t i = 1; i < level; i++) {
        target *= LEVEL_FANOUT;
    }
    return target;
}

/* How many of the newest tables of level 0 may become one: until one is `factor` times larger than
 * those before.  Tables of a load, which are many of one commit, are left alone. */
static size_t level0_tier(const struct yore_db *db, const struct forest_level *level,
                          uint64_t factor)
{
    uint64_t bytes = 0;
    size_t count = 0;
    for (; count < level->file_count; count++) {
        const struct table_meta *meta = level->files[count]->meta;
        bool is_larger = count > 0 && meta->file_bytes / factor > bytes / count;
        bytes += meta->file_bytes;
        if (is_larger || bytes > LEVEL0_TIER_TABLES * db->options.table_bytes ||
            level0_is_of_load(level, count)) {
            break;
        }
    }
    return count;
}

/* Merging level 0 down writes level 1 anew: that is put off until there is enough to merge. */
static double score_down(const struct forest_tree *tree)
{
    size_t depth = level0_depth(&tree->levels[0]);
    bool is_worth = tree->levels[0].bytes * LEVEL0_MERGE_FACTOR >= tree->levels[1].bytes ||
                    depth >= LEVEL0_MERGE_DEPTH;
    return is_worth ? (double)depth / LEVEL0_MERGE_TABLES : 0;
}

double compact_score(const struct yore_db *db, const struct forest_tree *tree, uint32_t *level_out)
{
    double best = score_down(tree);
    size_t alike = level0_tier(db, &tree->levels[0], LEVEL0_TIER_FACTOR);
    double tier = (double)alike / LEVEL0_TIER_TABLES;
    *level_out = 0;
    best = tier > best ? tier : best;
    for (uint32_t i = 1; i + 1 < LEVELS_MAX; i++) {
        double score = (double)tree->levels[i].bytes / (double)compact_level_target(db, i);
        if (score > best) {
            best = score;
            *level_out = i;
        }
    }
    return best;
}

static enum yore_status add_input(struct merge_job *job, uint32_t level, struct forest_file *file)
{
    struct merge_input *grown =
        mem_realloc(job->inputs, (job->input_count + 1) * sizeof *job->inputs);
    if (grown == NULL) {
        return YORE_NOMEM;
    }
    job->inputs = grown;
    job->inputs[job->input_count++] = (struct merge_input){level, file};
    return YORE_OK;
}

static enum yore_status add_overlapping(struct merge_job *job, uint32_t level,
                                        struct yore_bytes low, struct yore_bytes last)
{
    const struct forest_level *from = &job->tree->levels[level];
    enum yore_status st = YORE_OK;
    for (size_t i = level_find(from, low); st == YORE_OK && i < from->file_count; i++) {
        if (bytes_compare(buffer_bytes(&from->files[i]->meta->first_key), last) > 0) {
            break;
        }
        st = add_input(job, level, from->files[i]);
    }
    return st;
}

/* The bounds of all inputs so far, both inclusive. */
static void input_bounds(const struct merge_job *job, struct yore_bytes *low,
                         struct yore_bytes *last)
{
    for (size_t i = 0; i < job->input_count; i++) {
        struct yore_bytes first_key = buffer_bytes(&job->inputs[i].file->meta->first_key);
        struct yore_bytes last_key = buffer_bytes(&job->inputs[i].file->meta->last_key);
        if (i == 0 || bytes_compare(first_key, *low) < 0) {
            *low = first_key;
        }
        if (i == 0 || bytes_compare(last_key, *last) > 0) {
            *last = last_key;
        }
    }
}

static uint64_t overlap_bytes(const struct forest_level *level, const struct forest_file *file)
{
    uint64_t bytes = 0;
    struct yore_bytes last = buffer_bytes(&file->meta->last_key);
    for (size_t i = level_find(level, buffer_bytes(&file->meta->first_key)); i < level->file_count;
         i++) {
        if (bytes_compare(buffer_bytes(&level->files[i]->meta->first_key), last) > 0) {
            break;
        }
        bytes += level->files[i]->meta->file_bytes;
    }
    return bytes;
}

/* The table of a level that drags the least of the next level along. */
static struct forest_file *cheapest_file(const struct forest_tree *tree, uint32_t level)
{
    struct forest_file *best = NULL;
    double best_ratio = 0;
    for (size_t i = 0; i < tree->levels[level].file_count; i++) {
        struct forest_file *file = tree->levels[level].files[i];
        double ratio = (double)overlap_bytes(&tree->levels[level + 1], file) /
                       (double)(file->meta->file_bytes + 1);
        if (best == NULL || ratio < best_ratio) {
            best = file;
            best_ratio = ratio;
        }
    }
    return best;
}

static bool wants_idle_down(const struct forest_tree *tree)
{
    const struct forest_level *upper = &tree->levels[0];
    const struct forest_level *lower = &tree->levels[1];
    return upper->file_count + (lower->file_count > 0) >= 2 && upper->file_count > 0 &&
           lower->bytes <= LEVEL0_IDLE_FACTOR * upper->bytes;
}

bool compact_wants_idle(const struct yore_db *db, const struct forest_tree *tree)
{
    return wants_idle_down(tree) ||
           level0_tier(db, &tree->levels[0], UINT64_MAX) >= LEVEL0_TIER_TABLES;
}

/* The newest tables of level 0, which become one there. */
static enum yore_status choose_tier(struct merge_job *job, uint64_t factor)
{
    enum yore_status st = YORE_OK;
    size_t count = level0_tier(job->db, &job->tree->levels[0], factor);
    job->out_level = 0;
    for (size_t i = 0; st == YORE_OK && i < count; i++) {
        st = add_input(job, 0, job->tree->levels[0].files[i]);
    }
    return st;
}

/* A table of the level, or all of level 0, and what it overlaps in the next. */
static enum yore_status choose_from(struct merge_job *job, uint32_t level)
{
    enum yore_status st = YORE_OK;
    const struct forest_level *from = &job->tree->levels[level];
    if (level == 0) {
        for (size_t i = 0; st == YORE_OK && i < from->file_count; i++) {
            st = add_input(job, 0, from->files[i]);
        }
    } else {
        st = add_input(job, level, cheapest_file(job->tree, level));
    }
    job->out_level = level + 1;
    if (st == YORE_OK) {
        struct yore_bytes low = {0};
        struct yore_bytes last = {0};
        input_bounds(job, &low, &last);
        st = add_overlapping(job, level + 1, low, last);
    }
    return st;
}

static enum yore_status choose_step(struct merge_job *job)
{
    uint32_t level;
    if (compact_score(job->db, job->tree, &level) < 1.0) {
        return YORE_NOT_FOUND;
    }
    return level == 0 && score_down(job->tree) < 1.0 ? choose_tier(job, LEVEL0_TIER_FACTOR)
                                                     : choose_from(job, level);
}

static enum yore_status choose_idle(struct merge_job *job)
{
    if (!compact_wants_idle(job->db, job->tree)) {
        return YORE_NOT_FOUND;
    }
    return wants_idle_down(job->tree) ? choose_from(job, 0) : choose_tier(job, UINT64_MAX);
}

static enum yore_status choose_all(struct merge_job *job)
{
    enum yore_status st = YORE_OK;
    job->out_level = 1;
    for (uint32_t i = 0; st == YORE_OK && i < LEVELS_MAX; i++) {
        const struct forest_level *level = &job->tree->levels[i];
        for (size_t j = 0; st == YORE_OK && j < level->file_count; j++) {
            st = add_input(job, i, level->files[j]);
            job->out_level = i > 0 ? i : job->out_level;
        }
    }
    return st == YORE_OK && job->input_count == 0 ? YORE_NOT_FOUND : st;
}

static bool is_deepest(const struct merge_job *job)
{
    if (job->out_level == 0) {
        return false;
    }
    for (uint32_t i = job->out_level + 1; i < LEVELS_MAX; i++) {
        if (job->tree->levels[i].file_count > 0) {
            return false;
        }
    }
    return true;
}

/* ---- one key ---- */

static enum yore_status put_history(struct merge_job *job, const struct version *old,
                                    const struct version *newer, struct yore_error *error_out)
{
    const struct forest_region *region = tree_region(job->tree, old->key);
    if (region_holds(region, old->valid_from, old->commit)) {
        return YORE_OK;
    }
    if (newer != NULL && !retention_needs(&job->retention, old, newer)) {
        job->trimmed++;
        return YORE_OK;
    }
    struct version plain = *old;
    plain.flags &= ~(unsigned)VERSION_UNRESOLVED;
    bool is_late = old->valid_from < region_sealed_to(region);
    return output_add(is_late ? &job->late : &job->run, &plain, error_out);
}

/* Append a copy; its bytes are offsets into `scratch` until group_settle(), because that grows. */
static enum yore_status group_add(struct merge_job *job, const struct version *at)
{
    struct version *grown =
        mem_grow(job->group, job->group_count, &job->group_capacity, sizeof *grown);
    if (grown == NULL) {
        return YORE_NOMEM;
    }
    job->group = grown;
    job->group[job->group_count++] = *at;
    if (job->group_count == 1) {
        buffer_append_bytes(&job->scratch, at->key);
    }
    buffer_append_bytes(&job->scratch, at->value);
    return buffer_status(&job->scratch);
}

static void group_settle(struct merge_job *job)
{
    struct yore_bytes key = bytes_of(job->scratch.data, job->group[0].key.size);
    size_t offset = key.size;
    for (size_t i = 0; i < job->group_count; i++) {
        struct version *v = &job->group[i];
        v->key = key;
        v->value = bytes_of(job->scratch.data + offset, v->value.size);
        offset += v->value.size;
    }
}

/* Does history hold a greater version of the winner's key?  Runs by their greatest version, slices
 * by looking back. */
static enum yore_status ask_history(struct merge_job *job, bool *has_greater_out,
                                    struct yore_error *error_out)
{
    const struct version *winner = &job->group[0];
    const struct forest_region *region = tree_region(job->tree, winner->key);
    struct version best = *winner;
    struct read_pin pin = {0};
    struct read_moment ever = {.valid = INT64_MAX, .known = INT64_MAX, .wants_any = true};
    enum yore_status st = YORE_OK;
    *has_greater_out = false;
    for (size_t i = 0; i < region->run_count && !*has_greater_out && st == YORE_OK; i++) {
        struct version met;
        struct table_pin page = {0};
        if (region->runs[i]->meta->valid_max < winner->valid_from) {
            continue;
        }
        st = table_get(region->runs[i]->table, winner->key, INT64_MAX, INT64_MAX, &met, &page,
                       error_out);
        *has_greater_out = st == YORE_OK && version_is_newer(&met, winner);
        table_pin_release(&page);
        st = st == YORE_NOT_FOUND ? YORE_OK : st;
    }
    if (st == YORE_OK && !*has_greater_out) {
        st = read_look_back(job->view, region, region->slice_count, winner->key, &ever, &best, &pin,
                            error_out);
        *has_greater_out =
            st == YORE_NOT_FOUND || (st == YORE_OK && version_is_newer(&best, winner));
        st = st == YORE_NOT_FOUND ? YORE_OK : st; /* refuted by a slice: something ended it */
        read_pin_release(&pin);
    }
    return st;
}

/* May a run, which was for a snapshot and is to go, have something older of the key?  Until it has
 * gone, a run for another snapshot makes reads ask it, too (runs_can_serve). */
static bool may_hide_in_runs(const struct merge_job *job, const struct version *v)
{
    const struct forest_region *region = tree_region(job->tree, v->key);
    bool may = false;
    for (size_t i = 0; i < region->run_count && !may; i++) {
        may = region->runs[i]->meta->commit_min < v->commit;
    }
    return may;
}

/* In the deepest level: has this version nothing more to hide? */
static bool is_spent(const struct merge_job *job, const struct version *v)
{
    bool is_over = v->kind == YORE_KIND_DELETE || v->valid_to <= job->view->forest->flushed_commit;
    return job->is_bottom && is_over;
}

/* Where the newest version of the group goes: to the level, unless it is not the newest of all, or
 * spent. */
static enum yore_status put_winner(struct merge_job *job, struct yore_error *error_out)
{
    struct version *winner = &job->group[0];
    bool is_resolved = false;
    bool has_greater = false;
    enum yore_status st = YORE_OK;
    for (size_t i = 0; i < job->group_count; i++) {
        is_resolved |= (job->group[i].flags & VERSION_UNRESOLVED) == 0;
    }
    if (!is_resolved && job->is_bottom) {
        st = ask_history(job, &has_greater, error_out);
        is_resolved = true;
    }
    if (st != YORE_OK) {
        return st;
    }
    if (has_greater || is_spent(job, winner)) {
        /* Whoever holds a snapshot may be a transaction that read the key as absent. */
        bool is_needed = has_greater || !job->retention.is_only_now ||
                         job->retention.held_count > 0 || may_hide_in_runs(job, winner);
        if (!is_needed) {
            job->forgot = winner->commit > job->forgot ? winner->commit : job->forgot;
            return YORE_OK;
        }
        return put_history(job, winner, NULL, error_out);
    }
    if (is_resolved) {
        winner->flags &= ~(unsigned)VERSION_UNRESOLVED;
    }
    return output_add(&job->level, winner, error_out);
}

static enum yore_status merge_key(struct merge_job *job, struct version_iter *it,
                                  struct yore_error *error_out)
{
    enum yore_status st = YORE_OK;
    job->group_count = 0;
    buffer_clear(&job->scratch);
    do {
        st = group_add(job, &it->at);
        version_iter_next(it);
    } while (st == YORE_OK && it->is_valid &&
             bytes_equal(it->at.key, bytes_of(job->scratch.data, job->group[0].key.size)));
    if (st != YORE_OK) {
        return error_plain(error_out, st);
    }
    group_settle(job);
    st = put_winner(job, error_out);
    for (size_t i = 1; st == YORE_OK && i < job->group_count; i++) {
        st = put_history(job, &job->group[i], &job->group[i - 1], error_out);
    }
    return st;
}

/* ---- the job ---- */

static enum yore_status open_inputs(struct merge_job *job, struct version_iter **iter_out)
{
    struct iter_view view = {
        .known = INT64_MAX, .valid = INT64_MAX, .no_cache_fill = true, .commit_after = INT64_MIN};
    struct source_list list = {0};
    enum yore_status st = YORE_OK;
    for (size_t i = 0; st == YORE_OK && i < job->input_count; i++) {
        st = source_list_add_file(&list, job->inputs[i].file, &view);
    }
    if (st == YORE_OK) {
        st = source_list_merge(&list, false, iter_out);
    }
    source_list_release(&list);
    return st;
}

static enum yore_status walk(struct merge_job *job, struct yore_error *error_out)
{
    struct version_iter *it = NULL;
    enum yore_status st = open_inputs(job, &it);
    if (st != YORE_OK) {
        return error_plain(error_out, st);
    }
    version_iter_first(it);
    uint64_t done = 0;
    while (st == YORE_OK && it->is_valid) {
        st = merge_key(job, it, error_out);
        if ((++done & 1023) == 0 && st == YORE_OK) {
            st = db_check_writable(job->db, error_out);
            bool is_over = job->db->is_closing || stop_is_asked(job->keyspace->stop);
            if (st == YORE_OK && is_over) {
                st = error_plain(error_out, YORE_CANCELLED);
            }
        }
    }
    if (st == YORE_OK && it->status != YORE_OK) {
        st = error_set(error_out, it->status, "%s", it->error.text);
    }
    version_iter_free(it);
    return st;
}

static enum yore_status commit_merge(struct merge_job *job, struct yore_error *error_out)
{
    struct edit edit = {0};
    uint32_t id = job->keyspace->id;
    for (size_t i = 0; i < job->input_count; i++) {
        edit_drop_level(&edit, id, job->inputs[i].level, job->inputs[i].file->meta->file);
    }
    for (size_t i = 0; i < job->level.file_count; i++) {
        edit_add_level(&edit, id, job->out_level, job->level.files[i]);
    }
    for (size_t i = 0; i < job->run.file_count; i++) {
        edit_add_run(&edit, id, job->run.files[i]);
    }
    for (size_t i = 0; i < job->late.file_count; i++) {
        edit_add_run(&edit, id, job->late.files[i]);
    }
    edit_forget(&edit, id, job->forgot);
    enum yore_status st = db_commit_edit(job->db, &edit, NULL, error_out);
    edit_release(&edit);
    return st;
}

static void count_merge(struct merge_job *job, uint64_t read_bytes, uint64_t written_bytes,
                        int64_t began_ns)
{
    struct yore_db *db = job->db;
    uint64_t took_us = (uint64_t)(os_monotonic_ns(db->env) - began_ns) / 1000;
    struct yore_event event = {.kind = YORE_EVENT_COMPACT,
                               .keyspace_id = job->keyspace->id,
                               .input_bytes = read_bytes,
                               .output_bytes = written_bytes,
                               .duration_us = took_us,
                               .text = "levels merged"};
    stats_add(&db->stats, STAT_merges, 1);
    stats_add(&db->stats, STAT_merge_read_bytes, read_bytes);
    stats_add(&db->stats, STAT_merge_write_bytes, written_bytes);
    stats_add(&db->stats, STAT_versions_trimmed, job->trimmed);
    histogram_add(&db->stats.histograms[HIST_merge_latency_us], took_us);
    db_event(db, &event);
}

/* A piece of level 1 is a small part of it, whatever the memtables are; level 0 has whole ones. */
static uint64_t table_target(const struct merge_job *job)
{
    uint64_t most = compact_level_target(job->db, 1) / LEVEL1_TABLES_MIN;
    uint64_t asked = job->db->options.table_bytes;
    return job->out_level == 0 ? UINT64_MAX : asked < most ? asked : most;
}

static enum yore_status run_job(struct merge_job *job, struct yore_error *error_out)
{
    struct yore_db *db = job->db;
    struct output *outputs[] = {&job->level, &job->run, &job->late};
    int64_t began_ns = os_monotonic_ns(db->env);
    uint64_t read_bytes = 0;
    for (size_t i = 0; i < job->input_count; i++) {
        read_bytes += job->inputs[i].file->meta->file_bytes;
    }
    job->is_bottom = is_deepest(job);
    retention_of(db, job->keyspace, &job->retention);
    for (size_t i = 0; i < 3; i++) {
        output_init(outputs[i], job->view, job->keyspace,
                    i == 0 ? PAGE_CLASS_PRESENT : PAGE_CLASS_PAST,
                    i == 0 ? table_target(job) : db->options.table_bytes);
    }
    enum yore_status st = walk(job, error_out);
    uint64_t written_bytes = 0;
    for (size_t i = 0; i < 3; i++) {
        st = st == YORE_OK ? output_finish(outputs[i], error_out) : st;
        written_bytes += outputs[i]->bytes;
    }
    if (st == YORE_OK) {
        st = commit_merge(job, error_out);
    }
    if (st == YORE_OK) {
        count_merge(job, read_bytes, written_bytes, began_ns);
    }
    for (size_t i = 0; i < 3; i++) {
        output_release(outputs[i], st == YORE_OK);
    }
    return st;
}

/* A lone table over an empty stretch of the next level moves without being read, if nothing in it
 * waits for the bottom. */
static bool is_movable(const struct merge_job *job)
{
    const struct table_meta *meta = job->input_count == 1 ? job->inputs[0].file->meta : NULL;
    if (meta == NULL || job->inputs[0].level == job->out_level ||
        job->inputs[0].file->erase_seen < erase_set_commit_max(job->view->erased)) {
        return false;
    }
    bool is_quiet = meta->unresolved_count == 0 && meta->delete_count == 0 &&
                    meta->expiry_min > job->view->forest->flushed_commit;
    return is_quiet || !is_deepest(job);
}

static enum yore_status move_down(struct merge_job *job, struct yore_error *error_out)
{
    struct edit edit = {0};
    struct edit_op *op = edit_add(&edit, EDIT_LEVEL_MOVE, job->keyspace->id);
    if (op != NULL) {
        op->level = job->inputs[0].level;
        op->to_level = job->out_level;
        op->number = job->inputs[0].file->meta->file;
    }
    enum yore_status st = db_commit_edit(job->db, &edit, NULL, error_out);
    edit_release(&edit);
    return st;
}

static enum yore_status compact(struct yore_db *db, struct yore_keyspace *keyspace,
                                enum yore_status (*choose)(struct merge_job *job),
                                struct yore_error *error_out)
{
    struct merge_job job = {
        .db = db, .keyspace = keyspace, .view = superview_acquire(db), .forgot = INT64_MIN};
    job.tree = forest_tree(job.view->forest, keyspace->id);
    enum yore_status st = job.tree != NULL ? choose(&job) : YORE_NOT_FOUND;
    if (st == YORE_OK) {
        st = is_movable(&job) ? move_down(&job, error_out) : run_job(&job, error_out);
    } else if (st == YORE_NOMEM) {
        error_plain(error_out, st);
    }
    mem_free(job.inputs);
    mem_free(job.group);
    buffer_release(&job.scratch);
    superview_release(job.view);
    return st;
}

enum yore_status compact_step(struct yore_db *db, struct yore_keyspace *keyspace,
                              struct yore_error *error_out)
{
    return compact(db, keyspace, choose_step, error_out);
}

enum yore_status compact_idle(struct yore_db *db, struct yore_keyspace *keyspace,
                              struct yore_error *error_out)
{
    return compact(db, keyspace, choose_idle, error_out);
}

enum yore_status compact_all(struct yore_db *db, struct yore_keyspace *keyspace,
                             struct yore_error *error_out)
{
    return compact(db, keyspace, choose_all, error_out);
}
