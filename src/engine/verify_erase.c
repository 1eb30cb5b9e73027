/* verify_erase.c -- see verify_erase.h. */
#include "engine/verify_erase.h"

#include <stdlib.h>

#include "base/mem.h"

struct pending_rule {
    const struct erase_rule *rule;
    bool is_pending;
};

/* ---- life ---- */

int64_t erase_check_purged(struct yore_db *db)
{
    struct superview *view = superview_acquire(db);
    int64_t known = erase_set_commit_max(view->erased);
    superview_release(view);
    os_mutex_lock(&db->lock); /* an erasure is published and made pending under it */
    bool is_pending = db->is_erase_pending || db->is_purging;
    os_mutex_unlock(&db->lock);
    return is_pending ? INT64_MIN : known;
}

static int compare_addresses(const void *left, const void *right)
{
    uintptr_t a = (uintptr_t)((const struct pending_rule *)left)->rule;
    uintptr_t b = (uintptr_t)((const struct pending_rule *)right)->rule;
    return (a > b) - (a < b);
}

enum yore_status erase_check_init(struct erase_check *check, struct superview *view,
                                  int64_t purged_to)
{
    size_t count = erase_set_count(view->erased);
    *check = (struct erase_check){.view = view, .purged_to = purged_to};
    check->rules = mem_array(count + 1, sizeof *check->rules);
    if (check->rules == NULL) {
        return YORE_NOMEM;
    }
    check->count = count;
    for (size_t i = 0; i < count; i++) {
        check->rules[i] = (struct pending_rule){erase_set_rule(view->erased, i), false};
    }
    if (count > 0) {
        qsort(check->rules, count, sizeof *check->rules, compare_addresses);
    }
    return YORE_OK;
}

void erase_check_release(struct erase_check *check)
{
    mem_free(check->rules);
    wanted_batch_release(&check->batch);
}

static void mark(struct erase_check *check, const struct erase_rule *rule)
{
    struct pending_rule wanted = {rule, false};
    struct pending_rule *found =
        bsearch(&wanted, check->rules, check->count, sizeof wanted, compare_addresses);
    if (found != NULL) {
        found->is_pending = true;
    }
}

uint64_t erase_check_pending(const struct erase_check *check)
{
    uint64_t pending = 0;
    for (size_t i = 0; i < check->count; i++) {
        pending += check->rules[i].is_pending;
    }
    return pending;
}

/* ---- values in place ---- */

struct value_asked {
    struct erase_check *check;
    const struct version *version;
    int64_t seen;
    bool is_left_over;
};

static bool judge_value(void *arg, const struct erase_rule *rule)
{
    struct value_asked *asked = arg;
    const struct version *version = asked->version;
    if (version->commit < rule->commit && rule->from <= version->valid_from &&
        (version->valid_from < rule->to || rule->to == YORE_FOREVER)) {
        mark(asked->check, rule);
        asked->is_left_over |=
            rule->commit <= asked->seen || rule->commit <= asked->check->purged_to;
    }
    return false;
}

bool erase_check_value(struct erase_check *check, uint32_t keyspace, const struct version *version,
                       int64_t seen)
{
    struct value_asked asked = {check, version, seen, false};
    if (version->kind == YORE_KIND_PUT && erase_set_hides(check->view->erased, keyspace, version)) {
        (void)erase_set_each(check->view->erased, keyspace, version->key, judge_value, &asked);
    }
    return !asked.is_left_over;
}

/* ---- value files ---- */

static bool is_rule(void *arg, const struct erase_rule *rule)
{
    (void)arg;
    (void)rule;
    return true;
}

static bool mark_rule(void *arg, const struct erase_rule *rule)
{
    mark(arg, rule);
    return false;
}

enum yore_status erase_check_records_end(struct erase_check *check, struct yore_error *error_out)
{
    struct wanted_batch *batch = &check->batch;
    enum yore_status st = wanted_batch_judge(batch, check->view, error_out);
    for (size_t i = 0; st == YORE_OK && i < batch->count; i++) {
        const struct wanted_record *record = &batch->records[i];
        if (!record->is_wanted) {
            (void)erase_set_each(check->view->erased, record->keyspace, record->key, mark_rule,
                                 check);
        }
    }
    wanted_batch_clear(batch);
    return st;
}

enum yore_status erase_check_record(struct erase_check *check, const struct value_record *record,
                                    struct yore_error *error_out)
{
    if (!erase_set_each(check->view->erased, record->keyspace, record->key, is_rule, NULL)) {
        return YORE_OK;
    }
    enum yore_status st = wanted_batch_add(&check->batch, record);
    if (st != YORE_OK) {
        return error_plain(error_out, st);
    }
    return wanted_batch_is_full(&check->batch) ? erase_check_records_end(check, error_out)
                                               : YORE_OK;
}

/* ---- the journal ---- */

static bool check_commit(struct erase_check *check, struct yore_bytes payload, int64_t *commit_out)
{
    struct commit_decoder c;
    struct commit_write write;
    bool is_right = true;
    if (commit_decoder_init(&c, payload) != YORE_OK) {
        return true; /* told by others */
    }
    *commit_out = c.commit;
    while (commit_decoder_next(&c, &write) == YORE_OK) {
        struct version version = {.key = write.key,
                                  .valid_from = write.valid_from,
                                  .commit = c.commit,
                                  .kind = write.is_apart ? YORE_KIND_ERASED : write.kind};
        is_right &= erase_check_value(check, write.keyspace, &version, INT64_MIN);
    }
    return is_right;
}

enum yore_status erase_check_journal(struct erase_check *check, int64_t *commit_out,
                                     struct yore_error *error_out)
{
    struct journal *journal = check->view->db->journal;
    struct journal_reader *reader = NULL;
    struct yore_bytes payload;
    uint64_t bytes;
    int64_t first;
    *commit_out = INT64_MIN;
    journal_usage(journal, &bytes, &first);
    if (check->count == 0 || first == INT64_MAX) {
        return YORE_OK;
    }
    enum yore_status st = journal_reader_open(journal, first - 1, &reader, error_out);
    while (st == YORE_OK) {
        int64_t commit;
        st = journal_reader_next(reader, &payload, error_out);
        if (st == YORE_OK && !check_commit(check, payload, &commit)) {
            *commit_out = commit;
        }
    }
    journal_reader_close(reader);
    /* A segment that left meanwhile has nothing any more. */
    return st == YORE_NOT_FOUND || st == YORE_BEFORE_HORIZON ? YORE_OK : st;
}

/* ---- what readers hold ---- */

struct held {
    struct erase_check *check;
    uint32_t keyspace;
    bool is_all; /* any erasure may have bytes left */
};

/* A table that a reader's forest names; those that the checked one names were read. */
static void mark_by_table(void *arg, struct forest_file *file)
{
    struct held *held = arg;
    struct erase_check *check = held->check;
    if (!erase_set_wants(check->view->erased, held->keyspace, file->meta, file->erase_seen)) {
        return;
    }
    for (size_t i = 0; i < check->count; i++) {
        const struct erase_rule *rule = check->rules[i].rule;
        check->rules[i].is_pending |=
            rule->keyspace == held->keyspace && rule->commit > file->erase_seen &&
            rule->commit > file->meta->commit_min && rule->from <= file->meta->valid_max &&
            (file->meta->valid_min < rule->to || rule->to == YORE_FOREVER) &&
            file_overlaps(file, forest_key_bytes(&rule->low), forest_key_bytes(&rule->high));
    }
}

static bool look_at_view(void *arg, const struct superview *view)
{
    struct held *held = arg;
    const struct forest *now = held->check->view->forest;
    if (view->forest->serial >= now->serial) {
        return false;
    }
    for (size_t i = 0; i < view->forest->tree_count; i++) {
        held->keyspace = view->forest->trees[i]->keyspace;
        tree_each_file(view->forest->trees[i], mark_by_table, held);
    }
    for (size_t i = 0; i < view->forest->value_file_count; i++) {
        const struct value_file_info *info = &view->forest->value_files[i];
        const struct value_file_info *kept = forest_value_file(now, info->file);
        held->is_all |= kept == NULL || kept->generation > info->generation;
    }
    return false;
}

void erase_check_held(struct erase_check *check)
{
    struct held held = {.check = check};
    if (check->count == 0) {
        return;
    }
    (void)superview_any(check->view->db, look_at_view, &held);
    held.is_all |= atomic_load(&check->view->db->has_retired_values);
    held.is_all |= journal_has_untold(check->view->db->journal);
    int64_t stale_first = journal_stale_first(check->view->db->journal);
    for (size_t i = 0; i < check->count; i++) {
        check->rules[i].is_pending |= held.is_all || check->rules[i].rule->commit > stale_first;
    }
}
