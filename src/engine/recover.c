/* recover.c -- from what lies in the directory to a database as the last run left it.
 *
 * CURRENT and its manifest give the forest; files that nothing names go; the journal is replayed
 * into a memtable; a new manifest begins (an old one is never appended to), and then the old
 * journal segments may go.
 */
#include "engine/recover.h"

#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "engine/dir_owner.h"
#include "engine/output.h"
#include "engine/replay.h"
#include "engine/stored_files.h"

/* ---- tables of the manifest ---- */

/* While the manifest is replayed a table may be named several times: one handle serves all. */
struct opened {
    struct yore_db *db;
    struct forest_file **slots; /* by hash of the number; power of two */
    size_t slot_count;
    size_t count;
};

static void opened_release(struct opened *opened)
{
    for (size_t i = 0; i < opened->slot_count; i++) {
        forest_file_unref(opened->slots[i]);
    }
    mem_free(opened->slots);
}

static size_t opened_slot(const struct opened *opened, uint64_t number)
{
    size_t slot = (size_t)hash_u64(number) & (opened->slot_count - 1);
    while (opened->slots[slot] != NULL && opened->slots[slot]->meta->file != number) {
        slot = (slot + 1) & (opened->slot_count - 1);
    }
    return slot;
}

static enum yore_status opened_grow(struct opened *opened)
{
    if (2 * (opened->count + 1) <= opened->slot_count) {
        return YORE_OK;
    }
    struct opened bigger = {.slot_count = opened->slot_count > 0 ? 2 * opened->slot_count : 64};
    bigger.slots = mem_array(bigger.slot_count, sizeof(*bigger.slots));
    if (bigger.slots == NULL) {
        return YORE_NOMEM;
    }
    for (size_t i = 0; i < opened->slot_count; i++) {
        if (opened->slots[i] != NULL) {
            bigger.slots[opened_slot(&bigger, opened->slots[i]->meta->file)] = opened->slots[i];
        }
    }
    mem_free(opened->slots);
    opened->slots = bigger.slots;
    opened->slot_count = bigger.slot_count;
    return YORE_OK;
}

static enum yore_status open_table(void *arg, const struct table_meta *meta, int64_t erase_seen,
                                   int64_t known, struct forest_file **file_out,
                                   struct yore_error *error_out)
{
    struct opened *opened = arg;
    enum yore_status st = opened_grow(opened);
    if (st != YORE_OK) {
        return error_plain(error_out, st);
    }
    size_t slot = opened_slot(opened, meta->file);
    if (opened->slots[slot] == NULL) {
        st = forest_file_open(opened->db, meta, erase_seen, known, &opened->slots[slot]);
        if (st != YORE_OK) {
            opened->slots[slot] = NULL;
            return error_plain(error_out, st);
        }
        opened->count++;
    }
    *file_out = forest_file_ref(opened->slots[slot]);
    return YORE_OK;
}

/* ---- files that nothing names ---- */

struct sweep {
    struct yore_db *db;
    const struct forest *forest;
    uint64_t manifest;
    uint64_t number_max;
    bool has_foreign; /* tables, values or journal where no database is */
    enum yore_status status;
    struct yore_error *error_out;
};

struct number_search {
    uint64_t number;
    bool is_found;
};

static void match_number(void *arg, struct forest_file *file)
{
    struct number_search *search = arg;
    search->is_found |= file->meta->file == search->number;
}

static bool is_named(const struct sweep *s, enum db_file_kind kind, uint64_t number,
                     uint64_t generation)
{
    struct number_search search = {number, false};
    if (kind == DB_FILE_MANIFEST) {
        return number == s->manifest;
    }
    if (kind == DB_FILE_TABLE) {
        for (size_t i = 0; i < s->forest->tree_count && !search.is_found; i++) {
            tree_each_file(s->forest->trees[i], match_number, &search);
        }
        return search.is_found;
    }
    for (size_t i = 0; i < s->forest->value_file_count; i++) {
        const struct value_file_info *info = &s->forest->value_files[i];
        search.is_found |= info->file == number && info->generation == generation;
    }
    return search.is_found;
}

static int sweep_one(void *arg, const char *name)
{
    struct sweep *s = arg;
    enum db_file_kind kind;
    uint64_t number;
    uint64_t generation;
    char path[PATH_BYTES];
    bool is_ours = db_file_parse(name, &kind, &number, &generation);
    if (s->forest == NULL) {
        s->has_foreign |=
            (is_ours && kind != DB_FILE_MANIFEST) || strncmp(name, "journal-", 8) == 0;
        return 0;
    }
    if (!is_ours) {
        return 0;
    }
    s->number_max = number > s->number_max ? number : s->number_max;
    if (is_named(s, kind, number, generation) || !dir_join(path, s->db->path, name)) {
        return 0;
    }
    s->status = os_path_unlink(s->db->env, path, s->error_out);
    return s->status != YORE_OK;
}

/* ---- whose directory it is ---- */

/* What an attempt to make a database may leave, and what a fresh file system has, tells nothing. */
static enum dir_owner judge_name(const char *name)
{
    static const char *const harmless[] = {"LOCK", "CURRENT.new", "lost+found"};
    enum db_file_kind kind;
    uint64_t number;
    uint64_t generation;
    if (strcmp(name, "CURRENT") == 0 || strncmp(name, "journal-", 8) == 0 ||
        db_file_parse(name, &kind, &number, &generation)) {
        return DIR_OWNER_SELF;
    }
    for (size_t i = 0; i < sizeof harmless / sizeof harmless[0]; i++) {
        if (strcmp(name, harmless[i]) == 0) {
            return DIR_OWNER_ANY;
        }
    }
    return DIR_OWNER_STRANGER;
}

enum yore_status recover_check_directory(struct yore_db *db, struct yore_error *error_out)
{
    return dir_check_owner(db->env, db->path, "database", judge_name, error_out);
}

/* ---- the forest ---- */

enum yore_status recover_forest(struct yore_db *db, bool *is_new, struct forest **forest_out,
                                struct manifest_current *current, struct yore_error *error_out)
{
    struct opened opened = {.db = db};
    struct forest_opener opener = {open_table, &opened};
    *is_new = false;
    enum yore_status st = manifest_read_current(db->env, db->path, current, error_out);
    if (st == YORE_OK && db->options.must_not_exist) {
        return error_set(error_out, YORE_EXISTS, "%s: there is a database already", db->path);
    }
    if (st == YORE_OK) {
        db->database = current->database;
        st = manifest_check_size(db->env, db->path, current, error_out);
        if (st == YORE_OK) {
            st = manifest_check_journal(db->env, db->path, current, error_out);
            if (st != YORE_OK && db->findings != NULL) { /* the forest is whole nonetheless */
                st = db_found(db, st, &db->findings->has_no_journal, error_out);
            }
        }
        if (st == YORE_OK) {
            st = manifest_load(db->env, db->path, *current, &opener, forest_out, error_out);
        }
        opened_release(&opened);
        return st;
    }
    if (st != YORE_NOT_FOUND) {
        return st;
    }
    struct sweep s = {.db = db};
    st = os_dir_list(db->env, db->path, sweep_one, &s, error_out);
    if (st == YORE_OK && s.has_foreign) {
        return error_set(
            error_out, YORE_CORRUPT,
            "%s/CURRENT is missing though there are data files: restore it from a backup",
            db->path);
    }
    if (st == YORE_OK && (db->options.must_exist || db->options.read_only)) {
        return error_set(error_out, YORE_NOT_FOUND, "%s: there is no database here", db->path);
    }
    *is_new = true;
    *current = (struct manifest_current){0};
    db->database = os_random_u64(db->env) | 1;
    return st == YORE_OK ? forest_new(forest_out) : st;
}

/* ---- the tail ---- */

/* The first state readers may see: tables only. */
static enum yore_status publish_first(struct yore_db *db, struct forest *forest)
{
    struct memtable *active = NULL;
    struct erase_set *erased = NULL;
    enum yore_status st = memtable_new(db->options.memtable_bytes, &active);
    if (st == YORE_OK) {
        st = erase_set_new(forest->purged, &erased);
    }
    if (st == YORE_OK) {
        os_mutex_lock(&db->lock);
        st = db_publish(db, active, forest, erased);
        os_mutex_unlock(&db->lock);
    }
    memtable_unref(active);
    erase_set_unref(erased);
    return st;
}

static void tell_recovery(struct yore_db *db, const struct journal_recovery *recovery)
{
    char text[256];
    struct yore_event event = {
        .kind = YORE_EVENT_RECOVERY, .input_bytes = recovery->bytes, .text = text};
    snprintf(text, sizeof text, "%llu commits replayed from %llu journal segments%s",
             (unsigned long long)recovery->records, (unsigned long long)recovery->segments,
             recovery->is_torn ? "; a torn tail was cut" : "");
    db_event(db, &event);
}

static bool close_table_file(void *arg)
{
    struct yore_db *db = arg;
    return table_pool_close_file(db->pool);
}

/* Who only reads lets nothing go: there is no space to win, the feed reaches as far as the segments
 * that lie there, and none of them could become a spare. */
static enum yore_status open_journal(struct yore_db *db, const struct forest *forest,
                                     struct journal_recovery *recovery,
                                     struct yore_error *error_out)
{
    struct journal_options options = {
        .database = db->database,
        .segment_bytes = db->options.segment_bytes,
        .keep_bytes = db->options.read_only ? UINT64_MAX : db->options.feed_retention_bytes,
        .recycle_count_max = 2,
        .reads_only = db->options.read_only,
        .first_segment = forest->journal_first,
        .next_segment = forest->journal_next,
        .commit_before = forest->flushed_commit,
        .close_other = close_table_file,
        .close_arg = db};
    struct superview *view = atomic_load_explicit(&db->view, memory_order_relaxed);
    struct replay *replay = NULL;
    db->assigned = forest->flushed_commit;
    enum yore_status st = replay_begin(db, view->active, forest->flushed_commit, &replay);
    if (st != YORE_OK) {
        return error_plain(error_out, st);
    }
    st = journal_open(db->env, db->path, &options, replay_commit, replay, recovery, &db->journal,
                      error_out);
    enum yore_status replayed = replay_end(replay, &db->assigned, error_out);
    st = replayed != YORE_OK ? replayed : st;
    atomic_store(&db->visible, db->assigned);
    atomic_store(&db->now_floor, recovery->now);
    return st;
}

struct load_search {
    int64_t commit;
    uint64_t count;
};

static void count_loaded(void *arg, struct forest_file *file)
{
    struct load_search *s = arg;
    if (file->meta->commit_min == s->commit && file->meta->commit_max == s->commit) {
        s->count += file->meta->version_count;
    }
}

/* The last commit of all is in tables and not in the journal: then it is a load, and a crash came
 * before its record.  Its tables are still those it brought. */
static enum yore_status mend_load(struct yore_db *db, const struct forest *forest,
                                  struct yore_error *error_out)
{
    int64_t last = journal_appended_commit(db->journal);
    if (last == INT64_MIN || forest->flushed_commit <= last) {
        return YORE_OK;
    }
    for (size_t i = 0; i < forest->tree_count; i++) {
        struct load_search s = {.commit = forest->flushed_commit};
        tree_each_file(forest->trees[i], count_loaded, &s);
        if (s.count > 0) {
            struct commit_load load = {forest->trees[i]->keyspace, s.count};
            return db_journal_load(db, s.commit, &load, error_out);
        }
    }
    return YORE_OK;
}

/* Begin a manifest of this run, then let the old journal segments go. */
static enum yore_status begin_manifest(struct yore_db *db, struct forest *forest,
                                       uint64_t old_manifest, uint64_t first_segment,
                                       struct yore_error *error_out)
{
    struct edit edit = {0};
    struct edit_op *op = edit_add(&edit, EDIT_NUMBERS, 0);
    struct forest *next = NULL;
    char path[PATH_BYTES];
    uint64_t number = db_take_file_number(db);
    if (op != NULL) {
        op->next_file = atomic_load(&db->next_file);
        op->journal_first = first_segment;
        op->journal_next = db->journal != NULL ? journal_next_segment(db->journal) : 1;
    }
    enum yore_status st = forest_apply(forest, &edit, &next, error_out);
    edit_release(&edit);
    if (st == YORE_OK) {
        st = manifest_create(db->env, db->path, db->database, number, next, &db->manifest,
                             error_out);
    }
    if (st == YORE_OK && db->journal != NULL) {
        os_mutex_lock(&db->lock);
        struct superview *view = atomic_load_explicit(&db->view, memory_order_acquire);
        st = db_publish(db, view->active, next, view->erased);
        os_mutex_unlock(&db->lock);
    }
    forest_unref(next);
    if (st == YORE_OK && old_manifest != 0 &&
        db_file_path(path, db->path, DB_FILE_MANIFEST, old_manifest, 0)) {
        st = os_path_unlink(db->env, path, error_out);
    }
    return st;
}

/* An opening that has failed: where CURRENT names the old manifest yet, nobody needs the copy of
 * the journal, and a full disk its room. */
static void give_up_copy(struct yore_db *db, const struct manifest_current *old)
{
    struct manifest_current current;
    if (db->journal != NULL &&
        manifest_read_current(db->env, db->path, &current, NULL) == YORE_OK &&
        current.number == old->number) {
        journal_abandon(db->journal);
        db->journal = NULL;
    }
}

/* A new database exists from the moment CURRENT does, before the first journal segment. */
enum yore_status recover_begin_new(struct yore_db *db, struct forest *forest,
                                   struct manifest_current *current, struct yore_error *error_out)
{
    /* An attempt that was killed may have made the directory and no more.  It may also be somebody
     * else's, below one that cannot be opened. */
    (void)dir_sync_parent(db->env, db->path, NULL);
    enum yore_status st = begin_manifest(db, forest, 0, 1, error_out);
    if (st == YORE_OK) {
        *current = (struct manifest_current){.database = db->database,
                                             .number = manifest_number(db->manifest)};
        st = manifest_close(db->manifest, error_out);
        db->manifest = NULL;
    }
    return st;
}

enum yore_status recover_to_check(struct yore_db *db, struct forest *forest,
                                  struct yore_error *error_out)
{
    struct db_findings *findings = db->findings;
    struct journal_recovery recovery = {0};
    enum yore_status st = publish_first(db, forest);
    if (st != YORE_OK) {
        return error_plain(error_out, st);
    }
    if (findings->has_no_forest) { /* nor is it known where the journal begins */
        findings->has_no_journal = true;
        findings->has_no_catalogue = true;
        return YORE_OK;
    }
    if (!findings->has_no_journal) {
        st = open_journal(db, forest, &recovery, error_out);
        st = db_found(db, st, &findings->has_no_journal, error_out);
    }
    if (st == YORE_OK) {
        st = catalogue_load(db, error_out);
        st = db_found(db, st, &findings->has_no_catalogue, error_out);
    }
    return st;
}

enum yore_status recover_tail(struct yore_db *db, struct forest *forest,
                              struct manifest_current current, struct yore_error *error_out)
{
    struct sweep s = {
        .db = db, .forest = forest, .manifest = current.number, .error_out = error_out};
    struct journal_recovery recovery = {0};
    enum yore_status st = os_dir_list(db->env, db->path, sweep_one, &s, error_out);
    st = st == YORE_OK ? s.status : st;
    if (st == YORE_OK && s.number_max >= atomic_load(&db->next_file)) {
        atomic_store(&db->next_file, s.number_max + 1);
    }
    if (st == YORE_OK) {
        st = publish_first(db, forest);
        if (st != YORE_OK) {
            error_plain(error_out, st);
        }
    }
    if (st == YORE_OK) {
        st = open_journal(db, forest, &recovery, error_out);
    }
    if (st == YORE_OK) {
        st = mend_load(db, forest, error_out);
    }
    if (st == YORE_OK) {
        st = begin_manifest(db, forest, current.number, recovery.first_live_segment, error_out);
    }
    if (st == YORE_OK && !db->options.read_only) { /* there they stay, whatever is done here */
        st = journal_release(db->journal, recovery.first_live_segment, error_out);
    }
    if (st == YORE_OK) {
        tell_recovery(db, &recovery);
        st = catalogue_load(db, error_out);
    }
    if (st != YORE_OK) {
        give_up_copy(db, &current);
    }
    return st;
}
