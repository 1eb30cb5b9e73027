/* db.c -- opening and closing.
 *
 * Opening: lock; CURRENT and its manifest give the forest; what was not flushed is recovered
 * (recover.c); the catalogue is read; work begins.
 */
#include "engine/db.h"

#include <string.h>

#include "base/assert.h"
#include "base/mem.h"
#include "engine/catalogue.h"
#include "engine/options.h"
#include "engine/recover.h"
#include "engine/refuse.h"
#include "engine/stored_files.h"
#include "engine/value_collect.h"
#include "os/overlay.h"
#include "os/process.h"

/* ---- small services ---- */

void db_event(struct yore_db *db, const struct yore_event *event)
{
    if (db->options.on_event != NULL) {
        db->options.on_event(db->options.event_arg, event);
    }
}

int64_t yore_now(struct yore_db *db)
{
    return db != NULL ? db_now(db) : 0;
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
/* ---- opening ---- */

static enum yore_status make_directory(struct yore_db *db, struct yore_error *error_out)
{
    uint64_t size;
    bool is_dir = false;
    enum yore_status st = os_path_stat(db->env, db->path, &size, &is_dir, error_out);
    if (st == YORE_OK && !is_dir) {
        return error_set(error_out, YORE_INVALID, "%s is not a directory", db->path);
    }
    if (st == YORE_OK && !db->options.read_only) { /* before so much as a lock is put there */
        st = recover_check_directory(db, error_out);
        st = st == YORE_EXISTS && db->options.must_exist ? YORE_NOT_FOUND : st;
    }
    if (st != YORE_NOT_FOUND) {
        return st;
    }
    if (db->options.must_exist || db->options.read_only) {
        return error_set(error_out, YORE_NOT_FOUND, "%s: there is no database here", db->path);
    }
    st = os_dir_make(db->env, db->path, error_out);
    return st == YORE_OK ? dir_sync_parent(db->env, db->path, error_out) : st;
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

/* As db_drop_new_file(). */
static void value_drop(void *arg, const char *path)
{
    struct yore_db *db = arg;
    if (atomic_load(&db->failed_status) == YORE_OK) {
        (void)os_path_unlink(db->env, path, NULL);
    }
}

/* What the option says, but no more than half of what the process may have open: the journal, jobs
 * and the program need handles too. */
static uint32_t table_files_max(const struct yore_db *db)
{
    uint64_t half = os_process_files_max() / 2;
    uint32_t wanted = db->options.open_files_max;
    if (half == 0 || wanted <= half) {
        return wanted;
    }
    return half > OPEN_FILES_MIN ? (uint32_t)half : OPEN_FILES_MIN;
}

static enum yore_status open_stores(struct yore_db *db, struct yore_error *error_out)
{
    enum yore_status st = page_cache_new(db->options.cache_bytes, INDEX_BYTES_FLOOR, &db->cache);
    if (st == YORE_OK) {
        st = table_pool_new(db->env, db->cache, table_files_max(db), &db->pool);
    }
    if (st == YORE_OK) {
        st = catalogue_init(db);
    }
    return st == YORE_OK ? st : error_plain(error_out, st);
}

/* Once the database's identity is known: every value file carries it. */
static enum yore_status open_values(struct yore_db *db, struct yore_error *error_out)
{
    struct values_port port = {value_number, value_record, value_drop, db};
    enum yore_status st = values_open(db->env, db->path, db->database, &port, &db->values);
    return st == YORE_OK ? st : error_plain(error_out, st);
}

static enum yore_status lock_directory(struct yore_db *db, struct yore_error *error_out)
{
    char path[PATH_BYTES];
    if (!dir_join(path, db->path, "LOCK")) {
        return error_set(error_out, YORE_INVALID, "%s: the path is too long", db->path);
    }
    if (!db->options.read_only) {
        return os_lock_take(db->env, path, &db->dir_lock, error_out);
    }
    enum yore_status st = os_lock_share(db->env, path, &db->dir_lock, error_out);
    if (st == YORE_NOT_FOUND) { /* nobody has opened it to write yet, and it cannot be made here */
        error_clear(error_out);
        return YORE_OK;
    }
    return st;
}

/* Begin with work in the background and, where nothing was ever committed (also after a crash just
 * here), with the first commit; or do neither. */
static enum yore_status begin_work(struct yore_db *db, struct yore_error *error_out)
{
    db->clock_offset = os_wall_ns(db->env) - os_monotonic_ns(db->env);
    if (db->options.read_only) {
        db_refuse_writes(db);
        return YORE_OK;
    }
    enum yore_status st = jobs_start(db, error_out);
    if (st == YORE_OK && atomic_load(&db->visible) == INT64_MIN) {
        st = catalogue_begin(db, error_out);
    }
    return st;
}

static enum yore_status open_database(struct yore_db *db, struct yore_error *error_out)
{
    struct forest *forest = NULL;
    struct manifest_current current = {0};
    bool is_new = false;
    enum yore_status st = make_directory(db, error_out);
    if (st == YORE_OK) {
        st = lock_directory(db, error_out);
    }
    if (st == YORE_OK) {
        st = open_stores(db, error_out);
    }
    if (st == YORE_OK) {
        st = recover_forest(db, &is_new, &forest, &current, error_out);
        if (db->findings != NULL && st != YORE_OK) {
            st = db_found(db, st, &db->findings->has_no_forest, error_out);
            st = st == YORE_OK ? forest_new(&forest) : st;
        }
    }
    if (st == YORE_OK) {
        atomic_store(&db->next_file, forest->next_file);
        st = open_values(db, error_out);
    }
    if (st == YORE_OK && is_new) {
        st = recover_begin_new(db, forest, &current, error_out);
    }
    if (st == YORE_OK) {
        st = db->findings != NULL ? recover_to_check(db, forest, error_out)
                                  : recover_tail(db, forest, current, error_out);
    }
    forest_unref(forest);
    return st == YORE_OK ? begin_work(db, error_out) : st;
}

void db_bound_erasures(struct yore_db *db, size_t count)
{
    db->erasures_max = count;
}

static int64_t last_assigned(void *db)
{
    return commit_last_assigned(db, INT64_MAX);
}

static void init_locks(struct yore_db *db)
{
    os_mutex_init(&db->catalogue_lock);
    os_mutex_init(&db->collect_lock);
    os_mutex_init(&db->sync_lock);
    os_mutex_init(&db->manifest_lock);
    os_mutex_init(&db->lock);
    os_mutex_init(&db->commit.lock);
    os_mutex_init(&db->time_lock);
    gaps_init(&db->gaps, last_assigned, db);
    os_cond_init(&db->commit.done);
    os_cond_init(&db->commit.published);
    os_cond_init(&db->work);
    os_cond_init(&db->timer);
    os_cond_init(&db->upkeep);
    os_cond_init(&db->idle);
}

static void release_locks(struct yore_db *db)
{
    os_cond_release(&db->idle);
    os_cond_release(&db->upkeep);
    os_cond_release(&db->timer);
    os_cond_release(&db->work);
    os_cond_release(&db->commit.published);
    os_cond_release(&db->commit.done);
    gaps_release(&db->gaps);
    os_mutex_release(&db->time_lock);
    os_mutex_release(&db->commit.lock);
    os_mutex_release(&db->lock);
    os_mutex_release(&db->manifest_lock);
    os_mutex_release(&db->collect_lock);
    os_mutex_release(&db->sync_lock);
    os_mutex_release(&db->catalogue_lock);
}

static void free_views(struct yore_db *db)
{
    superview_retire(atomic_exchange(&db->view, NULL));
    for (size_t i = 0; i < db->view_count; i++) {
        YORE_ASSERT(striped_ref_count(&db->all_views[i]->refs) == 0);
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
        journal_note_now(db->journal, atomic_load(&db->now_floor));
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

/* Close whatever is open, in reverse; no work goes on any more.  The first error is kept. */
static enum yore_status close_database(struct yore_db *db, struct yore_error *error_out)
{
    enum yore_status first = YORE_OK;
    struct yore_error error = {.text = ""};
    if (db->values != NULL) {
        (void)values_sweep(db, NULL); /* what is left goes when the database is opened */
        first = values_close(db->values, &error);
    }
    first = close_logs(db, first, &error);
    db_tell_failure(db);
    if (atomic_load(&db->failed_status) != YORE_OK && !db->options.read_only) {
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
    mem_free(db->living);
    release_locks(db);
    os_overlay_free(db->overlay);
    mem_free(db->path);
    mem_free(db);
    if (error_out != NULL) {
        *error_out = error;
        error_out->status = first;
    }
    return first;
}

enum yore_status db_found(struct yore_db *db, enum yore_status st, bool *lost_out,
                          const struct yore_error *error)
{
    bool is_finding = st == YORE_CORRUPT || st == YORE_BAD_FORMAT || st == YORE_IO;
    if (!is_finding) {
        return st;
    }
    *lost_out = true;
    db->findings->tell(db->findings->arg, st, error);
    return YORE_OK;
}

/* A database that is not open yet.  Takes `path`, in any case; NULL: out of memory. */
static struct yore_db *new_database(struct os_env *env, char *path,
                                    const struct yore_options *filled)
{
    struct yore_db *db = mem_alloc_aligned(64, sizeof *db);
    if (db == NULL) {
        mem_free(path);
        return NULL;
    }
    memset(db, 0, sizeof *db);
    if (filled->read_only) {
        env = db->overlay = os_overlay_new(env);
    }
    if (env == NULL) {
        mem_free(db);
        mem_free(path);
        return NULL;
    }
    db->env = env;
    db->path = path;
    db->options = *filled;
    db->assigned = INT64_MIN;
    db->known_floor = INT64_MIN;
    db->last_drop = INT64_MIN;
    atomic_init(&db->catalogue_commit, INT64_MIN);
    db->erasures_max = ERASURES_MAX;
    db->feed_window_bytes = FEED_WINDOW_BYTES;
    db->txn_reads_max = TXN_READS_MAX;
    atomic_store(&db->visible, INT64_MIN);
    atomic_store(&db->now_floor, INT64_MIN);
    init_locks(db);
    return db;
}

/* Recovery copies what was not flushed before it lets go of anything. */
static enum yore_status explain_full(struct yore_error *error_out)
{
    struct yore_error cause = {.text = ""};
    if (error_out != NULL) {
        cause = *error_out;
    }
    return error_set(error_out, YORE_NO_SPACE, "%s; free space, or open it to read only",
                     cause.text);
}

static enum yore_status open_on(struct os_env *env, const char *path,
                                const struct yore_options *options, bool is_inline,
                                struct yore_db **db_out, struct yore_error *error_out)
{
    struct yore_options filled = options_fill(options);
    *db_out = NULL;
    error_clear(error_out);
    if (*path == '\0') {
        return refuse_empty_path("database", error_out);
    }
    char *absolute = NULL;
    enum yore_status st = options_check(&filled, is_inline, error_out);
    if (st == YORE_OK) { /* files are opened by name later on: the process may be elsewhere then */
        st = os_path_absolute(env, path, &absolute, error_out);
    }
    if (st != YORE_OK) {
        return st;
    }
    struct yore_db *db = new_database(env, absolute, &filled);
    if (db == NULL) {
        return error_plain(error_out, YORE_NOMEM);
    }
    db->is_inline = is_inline;
    st = open_database(db, error_out);
    if (st != YORE_OK) {
        jobs_stop(db);
        (void)close_database(db, NULL);
        return st == YORE_NO_SPACE ? explain_full(error_out) : st;
    }
    error_clear(error_out); /* of what was looked for and need not be there */
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

enum yore_status db_open_damaged(struct os_env *env, const char *path, struct db_findings *findings,
                                 struct yore_db **db_out, struct yore_error *error_out)
{
    struct yore_options options;
    struct yore_error error = {.text = ""}; /* findings have texts, whoever asks */
    yore_options_init(&options);
    options.read_only = true;
    *db_out = NULL;
    error_clear(error_out);
    char *absolute = NULL;
    enum yore_status st = os_path_absolute(env, path, &absolute, error_out);
    if (st != YORE_OK) {
        return st;
    }
    struct yore_db *db = new_database(env, absolute, &options);
    if (db == NULL) {
        return error_plain(error_out, YORE_NOMEM);
    }
    db->is_inline = true;
    db->findings = findings;
    st = open_database(db, &error);
    if (st != YORE_OK) {
        jobs_stop(db);
        (void)close_database(db, NULL);
        return error_set(error_out, st, "%s", error.text);
    }
    *db_out = db;
    return YORE_OK;
}

enum yore_status yore_open(const char *path, const struct yore_options *options,
                           struct yore_db **db_out, struct yore_error *error_out)
{
    if (path == NULL || db_out == NULL) {
        return error_null(error_out, __func__, "path, db_out");
    }
    return open_on(os_env_posix(), path, options, false, db_out, error_out);
}

enum yore_status yore_close(struct yore_db *db, struct yore_error *error_out)
{
    error_clear(error_out);
    enum yore_status st = db != NULL ? handles_check(db, error_out) : YORE_OK;
    if (db == NULL || st != YORE_OK) {
        return st;
    }
    jobs_stop(db);
    st = handles_check_values(db, error_out);
    if (st == YORE_OK) {
        return close_database(db, error_out);
    }
    struct yore_error cause;
    enum yore_status begun = jobs_start(db, &cause);
    if (begun != YORE_OK) { /* nobody would make room for writes */
        (void)db_fail(db, begun, &cause);
    }
    return st;
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
    if (st == YORE_OK && c.is_load) {
        return error_set(error_out, YORE_UNSUPPORTED,
                         "commit %lld is a load: its writes are not in the record",
                         (long long)c.commit);
    }
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
