/* rewind.c -- see rewind.h.
 *
 * Every version says by its commit whether it was known, so nothing has to be replayed in order:
 * each keyspace is walked once by key, the newest version left of a key goes to the deepest level,
 * the others to one run of history, which is sealed later like any other.  Erasures are kept,
 * whatever their commit, with what they wrote behind their spans: they hold in every state.
 *
 * Of what begins before the horizon only what a read can still find is kept: retention lets go of a
 * slice with the deletes in it while levels still have what they hid.
 * Refused: applying the commits one by one to an empty database, which sorts everything twice.
 */
#include "engine/rewind.h"
#include <stdlib.h>

#include "base/mem.h"
#include "engine/catalogue.h"
#include "engine/output.h"

struct rewind {
    struct yore_db *db;
    struct superview *view;
    int64_t to_commit;
    int64_t last_commit; /* of what is kept */
    int64_t *erasures;   /* commits after to_commit that are erasures, ascending */
    size_t erasure_count;
    size_t erasure_capacity;
    struct edit edit;
    struct yore_error *error_out;
};

/* ---- erasures stay ---- */

static int compare_commits(const void *left, const void *right)
{
    int64_t a = *(const int64_t *)left;
    int64_t b = *(const int64_t *)right;
    return (a > b) - (a < b);
}

static enum yore_status add_erasure(void *arg, const struct erase_rule *rule)
{
    struct rewind *r = arg;
    int64_t *grown =
        mem_grow(r->erasures, r->erasure_count, &r->erasure_capacity, sizeof *r->erasures);
    if (grown == NULL) {
        return error_plain(r->error_out, YORE_NOMEM);
    }
    r->erasures = grown;
    grown[r->erasure_count++] = rule->commit;
    r->last_commit = rule->commit > r->last_commit ? rule->commit : r->last_commit;
    return YORE_OK;
}

static enum yore_status list_erasures(struct rewind *r)
{
    enum yore_status st =
        catalogue_each_erasure(r->view, r->to_commit, add_erasure, r, r->error_out);
    if (st == YORE_OK && r->erasure_count > 0) {
        qsort(r->erasures, r->erasure_count, sizeof *r->erasures, compare_commits);
    }
    return st;
}

static bool is_erasure(const struct rewind *r, int64_t commit)
{
    return r->erasure_count > 0 &&
           bsearch(&commit, r->erasures, r->erasure_count, sizeof commit, compare_commits) != NULL;
}

/* `it` is at what an erasure kept behind its span: a copy of the version that won there until then.
 * Was that one known by to_commit? */
static bool copies_what_was_known(const struct rewind *r, struct version_iter *it,
                                  const struct version *copy)
{
    int64_t before = copy->commit;
    while (it->is_valid && bytes_equal(it->at.key, copy->key)) {
        if (it->at.commit < before && it->at.commit <= r->to_commit) {
            return true;
        }
        if (it->at.commit < before && !is_erasure(r, it->at.commit)) {
            return false;
        }
        before = it->at.commit < before ? it->at.commit : before;
        version_iter_next(it);
    }
    return true; /* it says that the key was absent, and it was then too */
}

/* The records and copies of an erasure are kept at their own commit, unless the copy is of a
 * version that is left out. */
static enum yore_status judge_erasure(const struct rewind *r, struct yore_keyspace *keyspace,
                                      const struct version *version, bool *is_kept_out)
{
    struct iter_view all = {
        .known = INT64_MAX, .valid = INT64_MAX, .no_cache_fill = true, .commit_after = INT64_MIN};
    struct version_place place = {version->key, version->valid_from, version->commit};
    const struct source_range range = {
        .low = version->key, .valid_low = INT64_MIN, .valid_high = INT64_MAX};
    struct version_iter *it = NULL;
    *is_kept_out = keyspace->id == KEYSPACE_SYSTEM;
    if (*is_kept_out) {
        return YORE_OK;
    }
    enum yore_status st = sources_of_key(r->view, keyspace, &range, &all, &it, r->error_out);
    if (st == YORE_OK) {
        version_iter_seek(it, &place);
        *is_kept_out = copies_what_was_known(r, it, version);
        if (!it->is_valid && it->status != YORE_OK) {
            st = error_set(r->error_out, it->status, "%s", it->error.text);
        }
        version_iter_free(it);
    }
    return st;
}

static enum yore_status judge(const struct rewind *r, struct yore_keyspace *keyspace,
                              const struct version *version, bool *is_kept_out)
{
    *is_kept_out = version->commit <= r->to_commit;
    return *is_kept_out || !is_erasure(r, version->commit)
               ? YORE_OK
               : judge_erasure(r, keyspace, version, is_kept_out);
}

/* ---- what the horizon has passed ---- */

/* Is it in force at the horizon, as known at its own commit, or at the horizon if that is later? */
static enum yore_status judge_by_horizon(const struct rewind *r, struct yore_keyspace *keyspace,
                                         const struct version *version, bool *is_kept_out)
{
    int64_t horizon = atomic_load_explicit(&keyspace->horizon, memory_order_acquire);
    struct read_moment moment = {.valid = horizon,
                                 .known = version->commit > horizon ? version->commit : horizon,
                                 .now = horizon};
    struct version winner;
    struct read_pin pin;
    if (version->valid_from >= horizon || atomic_load(&keyspace->keep) == YORE_KEEP_NOW) {
        return YORE_OK;
    }
    enum yore_status st =
        read_winner(r->view, keyspace, version->key, &moment, &winner, &pin, r->error_out);
    if (st == YORE_OK) {
        *is_kept_out = winner.valid_from == version->valid_from && winner.commit == version->commit;
        read_pin_release(&pin);
    } else if (st == YORE_NOT_FOUND) {
        error_clear(r->error_out);
        *is_kept_out = false;
        st = YORE_OK;
    }
    return st;
}

/* ---- keyspaces ---- */

static enum yore_status walk_keyspace(const struct rewind *r, struct yore_keyspace *keyspace,
                                      struct version_iter *it, struct output *newest,
                                      struct output *older)
{
    struct buffer key = {0};
    bool is_any = false;
    enum yore_status st = YORE_OK;
    for (version_iter_first(it); st == YORE_OK && it->is_valid; version_iter_next(it)) {
        struct version version = it->at;
        bool is_kept;
        st = judge(r, keyspace, &version, &is_kept);
        if (st == YORE_OK && is_kept) {
            st = judge_by_horizon(r, keyspace, &version, &is_kept);
        }
        if (st != YORE_OK || !is_kept) {
            continue;
        }
        version.flags &= (unsigned)VERSION_APART;
        if (is_any && bytes_equal(buffer_bytes(&key), version.key)) {
            st = older != NULL ? output_add(older, &version, r->error_out) : YORE_OK;
            continue;
        }
        is_any = true;
        buffer_clear(&key);
        buffer_append_bytes(&key, version.key);
        st = key.is_nomem ? error_plain(r->error_out, YORE_NOMEM)
                          : output_add(newest, &version, r->error_out);
    }
    if (st == YORE_OK && it->status != YORE_OK) {
        st = error_set(r->error_out, it->status, "%s", it->error.text);
    }
    buffer_release(&key);
    return st;
}

static enum yore_status rewind_keyspace(struct rewind *r, struct yore_keyspace *keyspace)
{
    struct iter_view all = {
        .known = INT64_MAX, .valid = INT64_MAX, .no_cache_fill = true, .commit_after = INT64_MIN};
    struct output newest;
    struct output older;
    struct version_iter *it;
    bool is_only_now = atomic_load(&keyspace->keep) == YORE_KEEP_NOW;
    output_init(&newest, r->view, keyspace, PAGE_CLASS_PRESENT, r->db->options.table_bytes);
    output_init(&older, r->view, keyspace, PAGE_CLASS_PAST, UINT64_MAX);
    older.known = r->last_commit;
    enum yore_status st =
        sources_all(r->view, keyspace, &source_range_all, &all, &it, r->error_out);
    if (st == YORE_OK) {
        st = walk_keyspace(r, keyspace, it, &newest, is_only_now ? NULL : &older);
        version_iter_free(it);
    }
    if (st == YORE_OK) {
        st = output_finish(&newest, r->error_out);
    }
    if (st == YORE_OK) {
        st = output_finish(&older, r->error_out);
    }
    for (size_t i = 0; st == YORE_OK && i < newest.file_count; i++) {
        edit_add_level(&r->edit, keyspace->id, LEVELS_MAX - 1, newest.files[i]);
    }
    for (size_t i = 0; st == YORE_OK && i < older.file_count; i++) {
        edit_add_run(&r->edit, keyspace->id, older.files[i]);
    }
    edit_forget(&r->edit, keyspace->id, forest_tree(r->view->forest, keyspace->id)->forgot);
    output_release(&newest, true); /* what no manifest names goes when the directory is opened */
    output_release(&older, true);
    return st;
}

static void add_values(struct rewind *r)
{
    const struct forest *forest = r->view->forest;
    for (size_t i = 0; i < forest->value_file_count; i++) {
        struct edit_op *op = edit_add(&r->edit, EDIT_VALUE_FILE_PUT, 0);
        if (op != NULL) {
            op->value_file = forest->value_files[i];
        }
    }
}

static enum yore_status begin_again(struct rewind *r)
{
    struct yore_db *db = r->db;
    struct forest *empty = NULL;
    struct forest *forest = NULL;
    struct manifest *manifest = NULL;
    uint64_t number = db_take_file_number(db);
    struct edit_op *op = edit_add(&r->edit, EDIT_NUMBERS, 0);
    if (op != NULL) {
        op->next_file = atomic_load(&db->next_file);
        op->journal_first = journal_next_segment(db->journal);
        op->journal_next = op->journal_first;
        op->flushed_commit = r->last_commit;
    }
    enum yore_status st = forest_new(&empty);
    if (st == YORE_OK) {
        st = forest_apply(empty, &r->edit, &forest, r->error_out);
    } else {
        error_plain(r->error_out, st);
    }
    if (st == YORE_OK) {
        st = os_dir_sync(db->env, db->path, r->error_out);
    }
    if (st == YORE_OK) {
        st = manifest_create(db->env, db->path, db->database, number, forest, &manifest,
                             r->error_out);
    }
    if (st == YORE_OK) {
        st = manifest_close(manifest, r->error_out);
    }
    forest_unref(forest);
    forest_unref(empty);
    return st;
}

enum yore_status rewind_database(struct yore_db *db, int64_t to_commit,
                                 struct yore_error *error_out)
{
    struct rewind r = {
        .db = db, .to_commit = to_commit, .last_commit = to_commit, .error_out = error_out};
    r.view = superview_acquire(db);
    enum yore_status st = list_erasures(&r);
    for (size_t i = 0; st == YORE_OK && i < r.view->forest->tree_count; i++) {
        struct yore_keyspace *keyspace = db_keyspace(db, r.view->forest->trees[i]->keyspace);
        st = keyspace != NULL ? rewind_keyspace(&r, keyspace)
                              : error_set(error_out, YORE_CORRUPT,
                                          "%s: keyspace %u has tables but is not in the catalogue",
                                          db->path, r.view->forest->trees[i]->keyspace);
    }
    add_values(&r);
    edit_purged(&r.edit, r.view->forest->purged);
    if (st == YORE_OK) {
        st = begin_again(&r);
    }
    mem_free(r.erasures);
    edit_release(&r.edit);
    superview_release(r.view);
    return st;
}
