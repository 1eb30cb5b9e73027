/* db.c -- opening and closing.
 *
 * Opening: lock; CURRENT and its manifest give the forest; files that nothing names go; the journal
 * is replayed into a memtable; a new manifest begins (an old one is never appended to); the
 * catalogue is read; work begins.
 */
#include "engine/db.h"

#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/hash.h"
#include "base/mem.h"
#include "engine/catalogue.h"
#include "engine/output.h"
#include "engine/value_collect.h"

/* ---- options ---- */

void yore_options_init(struct yore_options *options)
{
    *options = (struct yore_options){.durability = YORE_DURABILITY_SYNC,
                                     .interval_ms = 100,
                                     .cache_bytes = 256ull << 20,
                                     .memtable_bytes = 64ull << 20,
                                     .segment_bytes = 64ull << 20,
                                     .table_bytes = 32ull << 20,
                                     .page_bytes = 4u << 10,
                                     .seal_versions_per_key = 8,
                                     .seal_bytes_min = 4ull << 20,
                                     .value_apart_bytes = 4096,
                                     .background_threads = 2,
                                     .open_files_max = 512,
                                     .clock_skew_max_ns = 500000000};
}

struct bound {
    const char *name;
    uint64_t value;
    uint64_t least;
    uint64_t most;
};

static enum yore_status check_options(const struct yore_options *o, struct yore_error *error_out)
{
    const struct bound bounds[] = {
        {"durability", (uint64_t)o->durability, 1, 3},
        {"interval_ms", o->interval_ms, 1, 60000},
        {"cache_bytes", o->cache_bytes, 1u << 20, UINT64_MAX},
        {"memtable_bytes", o->memtable_bytes, 64u << 10, 4ull << 30},
        {"segment_bytes", o->segment_bytes, 64u << 10, 4ull << 30},
        {"table_bytes", o->table_bytes, 16u << 10, 1ull << 30},
        {"page_bytes", o->page_bytes, 512, PAGE_BYTES_MAX},
        {"seal_versions_per_key", o->seal_versions_per_key, 1, 1u << 20},
        {"seal_bytes_min", o->seal_bytes_min, 1, 1ull << 40},
        {"value_apart_bytes", o->value_apart_bytes, 256, YORE_VALUE_BYTES_MAX},
        {"background_threads", o->background_threads, 1, 16},
        {"open_files_max", o->open_files_max, 16, 1u << 20},
        {"clock_skew_max_ns", (uint64_t)o->clock_skew_max_ns, 1, 3600000000000ull},
    };
    for (size_t i = 0; i < sizeof bounds / sizeof bounds[0]; i++) {
        if (bounds[i].value < bounds[i].least || bounds[i].value > bounds[i].most) {
            return error_set(error_out, YORE_INVALID, "option %s is %llu: %llu to %llu are allowed",
                             bounds[i].name, (unsigned long long)bounds[i].value,
                             (unsigned long long)bounds[i].least,
                             (unsigned long long)bounds[i].most);
        }
    }
    return YORE_OK;
}

#define DEFAULT_WHERE_ZERO(field) given.field = given.field != 0 ? given.field : defaults.field

static struct yore_options fill_options(const struct yore_options *options)
{
    struct yore_options defaults;
    yore_options_init(&defaults);
    if (options == NULL) {
        return defaults;
    }
    struct yore_options given = *options;
    DEFAULT_WHERE_ZERO(durability);
    DEFAULT_WHERE_ZERO(interval_ms);
    DEFAULT_WHERE_ZERO(cache_bytes);
    DEFAULT_WHERE_ZERO(memtable_bytes);
    DEFAULT_WHERE_ZERO(segment_bytes);
    DEFAULT_WHERE_ZERO(table_bytes);
    DEFAULT_WHERE_ZERO(page_bytes);
    DEFAULT_WHERE_ZERO(seal_versions_per_key);
    DEFAULT_WHERE_ZERO(seal_bytes_min);
    DEFAULT_WHERE_ZERO(value_apart_bytes);
    DEFAULT_WHERE_ZERO(background_threads);
    DEFAULT_WHERE_ZERO(open_files_max);
    DEFAULT_WHERE_ZERO(clock_skew_max_ns);
    return given;
}

/* ---- small services ---- */

void db_event(struct yore_db *db, const struct yore_event *event)
{
    if (db->options.on_event != NULL) {
        db->options.on_event(db->options.event_arg, event);
    }
}

int64_t yore_now(struct yore_db *db)
{
    return db_now(db);
}

int64_t db_oldest_snapshot(struct yore_db *db)
{
    os_mutex_lock(&db->lock);
    int64_t oldest = db->snapshots.first != NULL ? db->snapshots.first->commit : INT64_MAX;
    os_mutex_unlock(&db->lock);
    return oldest;
}

bool db_is_snapshot(struct yore_db *db, int64_t valid, int64_t known)
{
    bool is_held = false;
    os_mutex_lock(&db->lock);
    for (struct yore_snapshot *s = db->snapshots.first; s != NULL && !is_held; s = s->next) {
        is_held = s->now == valid && s->commit == known;
    }
    os_mutex_unlock(&db->lock);
    return is_held;
}

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

/* ---- opening ---- */

static enum yore_status make_directory(struct yore_db *db, struct yore_error *error_out)
{
    uint64_t size;
    bool is_dir = false;
    enum yore_status st = os_path_stat(db->env, db->path, &size, &is_dir, error_out);
    if (st == YORE_OK && !is_dir) {
        return error_set(error_out, YORE_INVALID, "%s is not a directory", db->path);
    }
    if (st != YORE_NOT_FOUND) {
        return st;
    }
    if (db->options.must_exist) {
        return error_set(error_out, YORE_NOT_FOUND, "%s: there is no database here", db->path);
    }
    st = os_dir_make(db->env, db->path, error_out);
    if (st != YORE_OK) {
        return st;
    }
    char parent[PATH_BYTES];
    snprintf(parent, sizeof parent, "%s", db->path);
    char *slash = strrchr(parent, '/');
    if (slash == NULL) {
        snprintf(parent, sizeof parent, ".");
    } else {
        slash[slash == parent] = '\0';
    }
    return os_dir_sync(db->env, parent, error_out);
}

static enum yore_status begin_forest(struct yore_db *db, bool *is_new, struct forest **forest_out,
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
        st = manifest_check_sizes(db->env, db->path, current, error_out);
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
    if (st == YORE_OK && db->options.must_exist) {
        return error_set(error_out, YORE_NOT_FOUND, "%s: there is no database here", db->path);
    }
    *is_new = true;
    *current = (struct manifest_current){0};
    db->database = os_random_u64(db->env) | 1;
    return st == YORE_OK ? forest_new(forest_out) : st;
}

static enum yore_status replay(void *arg, struct yore_bytes payload, struct yore_error *error_out)
{
    struct yore_db *db = arg;
    struct superview *view = atomic_load_explicit(&db->view, memory_order_relaxed);
    struct commit_decoder c;
    struct commit_write write;
    enum yore_status st = commit_decoder_init(&c, payload);
    bool is_flushed = st == YORE_OK && c.commit <= view->forest->flushed_commit;
    while (st == YORE_OK && !is_flushed) {
        st = commit_decoder_next(&c, &write);
        if (st == YORE_OK) {
            struct version version = {.key = write.key,
                                      .valid_from = write.valid_from,
                                      .commit = c.commit,
                                      .valid_to = write.valid_to,
                                      .kind = write.kind,
                                      .flags = write.is_apart ? VERSION_APART : 0,
                                      .value = write.value};
            st = memtable_add(view->active, write.keyspace, &version);
        }
    }
    if (st == YORE_OK || st == YORE_NOT_FOUND) {
        if (c.commit > db->assigned) {
            db->assigned = c.commit;
        }
        return YORE_OK;
    }
    return error_set(error_out, st, "%s: a commit in the journal cannot be applied: %s", db->path,
                     yore_status_message(st));
}

static uint64_t value_number(void *arg)
{
    return db_take_file_number(arg);
}

static enum yore_status value_record(void *arg, const struct value_file_info *info,
                                     struct yore_error *error_out)
{
    struct edit edit = {0};
    struct edit_op *op = edit_add(&edit, EDIT_VALUE_FILE_PUT, 0);
    if (op != NULL) {
        op->value_file = *info;
    }
    enum yore_status st = db_commit_edit(arg, &edit, NULL, error_out);
    edit_release(&edit);
    return st;
}

static enum yore_status open_stores(struct yore_db *db, struct yore_error *error_out)
{
    enum yore_status st = page_cache_new(db->options.cache_bytes, &db->cache);
    if (st == YORE_OK) {
        st = table_pool_new(db->env, db->cache, db->options.open_files_max, &db->pool);
    }
    if (st == YORE_OK) {
        st = catalogue_init(db);
    }
    return st == YORE_OK ? st : error_plain(error_out, st);
}

/* Once the database's identity is known: every value file carries it. */
static enum yore_status open_values(struct yore_db *db, struct yore_error *error_out)
{
    struct values_port port = {value_number, value_record, db};
    enum yore_status st = values_open(db->env, db->path, db->database, &port, &db->values);
    return st == YORE_OK ? st : error_plain(error_out, st);
}

/* The first state readers may see: tables only. */
static enum yore_status publish_first(struct yore_db *db, struct forest *forest)
{
    struct memtable *active = NULL;
    struct erase_set *erased = NULL;
    enum yore_status st = memtable_new(&active);
    if (st == YORE_OK) {
        st = erase_set_new(&erased);
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

static enum yore_status open_journal(struct yore_db *db, const struct forest *forest,
                                     struct journal_recovery *recovery,
                                     struct yore_error *error_out)
{
    struct journal_options options = {.database = db->database,
                                      .segment_bytes = db->options.segment_bytes,
                                      .keep_bytes = db->options.feed_retention_bytes,
                                      .recycle_count_max = 2,
                                      .first_segment = forest->journal_first,
                                      .next_segment = forest->journal_next};
    db->assigned = forest->flushed_commit;
    enum yore_status st =
        journal_open(db->env, db->path, &options, replay, db, recovery, &db->journal, error_out);
    atomic_store(&db->visible, db->assigned);
    return st;
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

/* A new database exists from the moment CURRENT does, before the first journal segment. */
static enum yore_status begin_new(struct yore_db *db, struct forest *forest,
                                  struct manifest_current *current, struct yore_error *error_out)
{
    enum yore_status st = begin_manifest(db, forest, 0, 1, error_out);
    if (st == YORE_OK) {
        *current = (struct manifest_current){.database = db->database,
                                             .number = manifest_number(db->manifest)};
        st = manifest_close(db->manifest, error_out);
        db->manifest = NULL;
    }
    return st;
}

static enum yore_status recover(struct yore_db *db, struct forest *forest,
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
        st = begin_manifest(db, forest, current.number, recovery.first_live_segment, error_out);
    }
    if (st == YORE_OK) {
        st = journal_release(db->journal, recovery.first_live_segment, error_out);
    }
    if (st == YORE_OK) {
        tell_recovery(db, &recovery);
        st = catalogue_load(db, error_out);
    }
    return st;
}

static enum yore_status open_database(struct yore_db *db, struct yore_error *error_out)
{
    char lock_path[PATH_BYTES];
    struct forest *forest = NULL;
    struct manifest_current current;
    bool is_new = false;
    enum yore_status st = make_directory(db, error_out);
    if (st == YORE_OK && !dir_join(lock_path, db->path, "LOCK")) {
        st = error_set(error_out, YORE_INVALID, "%s: the path is too long", db->path);
    }
    if (st == YORE_OK) {
        st = os_lock_take(db->env, lock_path, &db->dir_lock, error_out);
    }
    if (st == YORE_OK) {
        st = open_stores(db, error_out);
    }
    if (st == YORE_OK) {
        st = begin_forest(db, &is_new, &forest, &current, error_out);
    }
    if (st == YORE_OK) {
        atomic_store(&db->next_file, forest->next_file);
        st = open_values(db, error_out);
    }
    if (st == YORE_OK && is_new) {
        st = begin_new(db, forest, &current, error_out);
    }
    if (st == YORE_OK) {
        st = recover(db, forest, current, error_out);
    }
    forest_unref(forest);
    if (st == YORE_OK) {
        db->clock_offset = os_wall_ns(db->env) - os_monotonic_ns(db->env);
        st = jobs_start(db, error_out);
    }
    if (st == YORE_OK && atomic_load(&db->visible) == INT64_MIN) {
        st = catalogue_begin(
            db, error_out); /* nothing was ever committed: also after a crash just here */
    }
    return st;
}

static void init_locks(struct yore_db *db)
{
    os_mutex_init(&db->catalogue_lock);
    os_mutex_init(&db->manifest_lock);
    os_mutex_init(&db->lock);
    os_mutex_init(&db->commit.lock);
    os_mutex_init(&db->time_lock);
    os_cond_init(&db->commit.done);
    os_cond_init(&db->work);
    os_cond_init(&db->timer);
    os_cond_init(&db->idle);
}

static void release_locks(struct yore_db *db)
{
    os_cond_release(&db->idle);
    os_cond_release(&db->timer);
    os_cond_release(&db->work);
    os_cond_release(&db->commit.done);
    os_mutex_release(&db->time_lock);
    os_mutex_release(&db->commit.lock);
    os_mutex_release(&db->lock);
    os_mutex_release(&db->manifest_lock);
    os_mutex_release(&db->catalogue_lock);
}

static void free_views(struct yore_db *db)
{
    superview_release(atomic_exchange(&db->view, NULL));
    for (size_t i = 0; i < db->view_count; i++) {
        YORE_ASSERT(atomic_load(&db->all_views[i]->refs) ==
                    0); /* a cursor or value was not released */
        mem_free(db->all_views[i]);
    }
    mem_free(db->all_views);
    for (size_t i = 0; i < db->waiting_count; i++) {
        memtable_unref(db->waiting[i].memtable);
    }
}

/* Close the log of commits and the description; where that went well, their sizes are noted. */
static enum yore_status close_logs(struct yore_db *db, enum yore_status first,
                                   struct yore_error *error_out)
{
    bool is_whole = first == YORE_OK && db->journal != NULL && db->manifest != NULL;
    struct manifest_current current = {.database = db->database};
    if (is_whole) {
        current.number = manifest_number(db->manifest);
        current.journal_number = journal_segment(db->journal);
    }
    if (db->journal != NULL) {
        enum yore_status st = journal_close(db->journal, first == YORE_OK ? error_out : NULL);
        first = first == YORE_OK ? st : first;
    }
    if (db->manifest != NULL) {
        enum yore_status st = manifest_close(db->manifest, first == YORE_OK ? error_out : NULL);
        first = first == YORE_OK ? st : first;
    }
    if (is_whole && first == YORE_OK && atomic_load(&db->failed_status) == YORE_OK) {
        /* Without the note the next opening treats the end of both as it would after a crash:
         * nothing is lost by a failure here. */
        (void)manifest_note_sizes(db->env, db->path, current, NULL);
    }
    return first;
}

/* Close whatever is open, in reverse; the first error is kept. */
static enum yore_status close_database(struct yore_db *db, struct yore_error *error_out)
{
    enum yore_status first = YORE_OK;
    struct yore_error error = {.text = ""};
    jobs_stop(db);
    if (db->values != NULL) {
        (void)values_sweep(db, NULL); /* what is left goes when the database is opened */
        first = values_close(db->values, &error);
    }
    first = close_logs(db, first, &error);
    if (atomic_load(&db->failed_status) != YORE_OK) {
        first = db_check_writable(db, &error);
    }
    free_views(db); /* there may be room for views though the first was never made */
    table_pool_free(db->pool);
    page_cache_free(db->cache);
    os_lock_release(db->dir_lock);
    for (size_t i = 0; i < db->keyspace_count; i++) {
        mem_free(db->keyspaces[i]);
    }
    mem_free(db->keyspaces);
    release_locks(db);
    mem_free(db->path);
    mem_free(db);
    if (error_out != NULL) {
        *error_out = error;
        error_out->status = first;
    }
    return first;
}

static enum yore_status open_on(struct os_env *env, const char *path,
                                const struct yore_options *options, bool is_inline,
                                struct yore_db **db_out, struct yore_error *error_out)
{
    struct yore_options filled = fill_options(options);
    *db_out = NULL;
    error_clear(error_out);
    enum yore_status st = check_options(&filled, error_out);
    if (st != YORE_OK) {
        return st;
    }
    struct yore_db *db = mem_alloc_aligned(64, sizeof *db);
    char *copy = mem_copy(path, strlen(path) + 1);
    if (db == NULL || copy == NULL) {
        mem_free(db);
        mem_free(copy);
        return error_plain(error_out, YORE_NOMEM);
    }
    memset(db, 0, sizeof *db);
    db->env = env;
    db->path = copy;
    db->options = filled;
    db->is_inline = is_inline;
    db->assigned = INT64_MIN;
    db->known_floor = INT64_MIN;
    atomic_store(&db->visible, INT64_MIN);
    atomic_store(&db->now_floor, INT64_MIN);
    init_locks(db);
    st = open_database(db, error_out);
    if (st != YORE_OK) {
        (void)close_database(db, NULL);
        return st;
    }
    *db_out = db;
    return YORE_OK;
}

enum yore_status db_open(struct os_env *env, const char *path, const struct yore_options *options,
                         struct yore_db **db_out, struct yore_error *error_out)
{
    return open_on(env, path, options, false, db_out, error_out);
}

enum yore_status db_open_inline(struct os_env *env, const char *path,
                                const struct yore_options *options, struct yore_db **db_out,
                                struct yore_error *error_out)
{
    return open_on(env, path, options, true, db_out, error_out);
}

enum yore_status yore_open(const char *path, const struct yore_options *options,
                           struct yore_db **db_out, struct yore_error *error_out)
{
    return open_on(os_env_posix(), path, options, false, db_out, error_out);
}

enum yore_status yore_close(struct yore_db *db, struct yore_error *error_out)
{
    error_clear(error_out);
    return db != NULL ? close_database(db, error_out) : YORE_OK;
}

/* ---- the commit port ---- */

enum yore_status db_apply(struct yore_db *db, struct yore_bytes payload,
                          enum yore_durability durability, struct yore_error *error_out)
{
    struct commit_decoder c;
    struct commit_write write;
    struct buffer writes = {0};
    struct commit_request request = {
        .writes = &writes,
        .valid_max = INT64_MIN,
        .durability = durability != YORE_DURABILITY_DEFAULT ? durability : db->options.durability};
    enum yore_status st = commit_decoder_init(&c, payload);
    request.fixed_commit = st == YORE_OK ? c.commit : 0;
    while (st == YORE_OK && (st = commit_decoder_next(&c, &write)) == YORE_OK) {
        commit_write_encode(&writes, &write);
        request.count++;
        request.user_bytes += write.key.size + write.value.size;
        request.has_apart |= write.is_apart;
        request.is_catalogue |= write.keyspace == KEYSPACE_SYSTEM;
        if (!write.is_from_commit && write.valid_from > request.valid_max) {
            request.valid_max = write.valid_from;
        }
    }
    if (st == YORE_NOT_FOUND) {
        st = writes.is_nomem ? error_plain(error_out, YORE_NOMEM)
                             : commit_submit(db, &request, error_out);
    } else {
        error_set(error_out, st, "the commit record cannot be read");
    }
    buffer_release(&writes);
    return st;
}
