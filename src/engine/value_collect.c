/* value_collect.c -- see value_collect.h.
 *
 * A record is wanted while some version of its key refers to it and no erasure hides that version.
 * Which records are is found first (value_wanted.h), so that a file without garbage is not copied;
 * then the next generation is written, the manifest names it, and the old one is retired.
 *
 * Readers that hold an older forest must still read what that forest refers to, also a value that
 * the new generation lacks.  So a retired generation is unlinked only when no held view names it
 * any more: at once when there is no such reader, else by the next sweep.  Refused: keeping the old
 * file open (handles would grow with readers), and counting references in the forest (every edit
 * would touch them, for a file that is thinned once in its life).
 *
 * A value may have been appended for a commit that is still on its way: values_is_held() tells, and
 * such a file waits.
 *
 * In the background a pass over all files begins when as much was written since the last as that
 * one found wanted, and at least COLLECT_MEMTABLES memtables' worth: so reading costs at most twice
 * what was written, and what is not wanted takes no more room than that.  Refused: counting what
 * merges drop, since retention unlinks tables unread.  Before a pass the memtable is flushed, which
 * refers to every version it was given.  A file that cannot be read or copied is left as it is.
 */
#include "engine/value_collect.h"

#include "base/mem.h"
#include "engine/value_wanted.h"

#define COLLECT_MEMTABLES 4u
#define COLLECT_TURN_NS 500000000 /* other upkeep waits no longer, but for the end of a file */
#define PACE_NS 20000000          /* walked between two pauses ... */
#define PACE_NS_MAX 50000000      /* ... as long as the walk took, at most */

struct collect {
    struct yore_db *db;
    bool is_paced;
    int64_t paced_ns; /* end of the last pause */
    struct superview *view;
    uint64_t *wanted; /* offsets of wanted records, ascending */
    size_t wanted_count;
    size_t wanted_capacity;
    size_t record_count;
    size_t next; /* writing: the first of `wanted` not met yet */
    struct wanted_batch batch;
    enum yore_status status;
    struct yore_error *error_out;
};

/* ---- what is wanted ---- */

static enum yore_status add_wanted(struct collect *c, uint64_t offset)
{
    uint64_t *grown = mem_grow(c->wanted, c->wanted_count, &c->wanted_capacity, sizeof *grown);
    if (grown == NULL) {
        return error_plain(c->error_out, YORE_NOMEM);
    }
    c->wanted = grown;
    c->wanted[c->wanted_count++] = offset;
    return YORE_OK;
}

static bool is_closing(struct yore_db *db)
{
    os_mutex_lock(&db->lock);
    bool is_closing = db->is_closing;
    os_mutex_unlock(&db->lock);
    return is_closing || atomic_load(&db->failed_status) != YORE_OK;
}

/* Leave the disk to others half of the time.  False: the database closes. */
static bool pace(void *arg)
{
    struct collect *c = arg;
    if (!c->is_paced) {
        return true;
    }
    int64_t took_ns = os_monotonic_ns(c->db->env) - c->paced_ns;
    if (took_ns < PACE_NS) {
        return true;
    }
    if (is_closing(c->db)) {
        return false;
    }
    os_sleep_ns(c->db->env, took_ns < PACE_NS_MAX ? took_ns : PACE_NS_MAX);
    c->paced_ns = os_monotonic_ns(c->db->env);
    return true;
}

static enum yore_status judge_batch(struct collect *c)
{
    struct wanted_batch *batch = &c->batch;
    enum yore_status st = wanted_batch_judge(batch, c->view, c->error_out);
    for (size_t i = 0; st == YORE_OK && i < batch->count; i++) {
        st = batch->records[i].is_wanted ? add_wanted(c, batch->records[i].offset) : YORE_OK;
    }
    wanted_batch_clear(batch);
    return st;
}

static int gather(void *arg, const struct value_record *record)
{
    struct collect *c = arg;
    if (!pace(c)) {
        c->status = error_plain(c->error_out, YORE_CANCELLED);
        return 1;
    }
    c->record_count++;
    c->status = wanted_batch_add(&c->batch, record);
    if (c->status != YORE_OK) {
        error_plain(c->error_out, c->status);
    } else if (wanted_batch_is_full(&c->batch)) {
        c->status = judge_batch(c);
    }
    return c->status != YORE_OK;
}

static int keep(void *arg, const struct value_record *record)
{
    struct collect *c = arg;
    (void)pace(c);
    while (c->next < c->wanted_count && c->wanted[c->next] < record->ref.offset) {
        c->next++;
    }
    return c->next < c->wanted_count && c->wanted[c->next] == record->ref.offset;
}

/* ---- retired generations ---- */

struct sweep {
    struct yore_db *db;
    uint64_t *found; /* pairs: file, generation */
    size_t count;
    enum yore_status status;
};

static int note_file(void *arg, const char *name)
{
    struct sweep *s = arg;
    enum db_file_kind kind;
    uint64_t number;
    uint64_t generation;
    if (!db_file_parse(name, &kind, &number, &generation) || kind != DB_FILE_VALUES) {
        return 0;
    }
    uint64_t *grown = mem_realloc(s->found, (s->count + 1) * 2 * sizeof(*grown));
    if (grown == NULL) {
        s->status = YORE_NOMEM;
        return 1;
    }
    s->found = grown;
    grown[2 * s->count] = number;
    grown[2 * s->count + 1] = generation;
    s->count++;
    return 0;
}

static bool names_generation(void *arg, const struct superview *view)
{
    const uint64_t *pair = arg;
    const struct value_file_info *info = forest_value_file(view->forest, pair[0]);
    /* A later generation than the one named is just being written. */
    return info != NULL && info->generation <= pair[1];
}

enum yore_status values_sweep(struct yore_db *db, struct yore_error *error_out)
{
    struct sweep s = {.db = db};
    char path[PATH_BYTES];
    bool is_left = false;
    if (!atomic_exchange(&db->has_retired_values, false)) {
        return YORE_OK;
    }
    enum yore_status st = os_dir_list(db->env, db->path, note_file, &s, error_out);
    if (st == YORE_OK && s.status != YORE_OK) {
        st = error_plain(error_out, s.status);
    }
    /* From here on every file that was met is named by a view, or by none for ever. */
    uint64_t ignored;
    (void)values_writing(db->values, &ignored);
    for (size_t i = 0; st == YORE_OK && i < s.count; i++) {
        uint64_t *pair = &s.found[2 * i];
        struct superview *now = superview_acquire(db);
        bool is_current = names_generation(pair, now);
        superview_release(now);
        if (is_current) {
            continue;
        }
        if (superview_any(db, names_generation, pair)) {
            is_left = true;
        } else if (db_file_path(path, db->path, DB_FILE_VALUES, pair[0], pair[1])) {
            values_forget(db->values, pair[0]);
            st = os_path_unlink(db->env, path, error_out);
            st = st == YORE_NOT_FOUND ? YORE_OK : st; /* by another sweep */
        }
    }
    mem_free(s.found);
    if (st != YORE_OK || is_left) {
        atomic_store(&db->has_retired_values, true);
    }
    return st;
}

/* ---- one file ---- */

static enum yore_status commit_info(struct collect *c, const struct value_file_info *info)
{
    struct edit edit = {0};
    struct edit_op *op =
        edit_add(&edit, c->wanted_count > 0 ? EDIT_VALUE_FILE_PUT : EDIT_VALUE_FILE_DROP, 0);
    if (op != NULL) {
        op->value_file = *info;
    }
    enum yore_status st = db_commit_edit(c->db, &edit, NULL, c->error_out);
    edit_release(&edit);
    return st;
}

static enum yore_status write_generation(struct collect *c, struct value_reader *reader,
                                         const struct value_file_info *old)
{
    char path[PATH_BYTES];
    struct value_file_info next = {.file = old->file, .generation = old->generation + 1};
    bool is_dir;
    if (!db_file_path(path, c->db->path, DB_FILE_VALUES, next.file, next.generation)) {
        return error_set(c->error_out, YORE_INVALID, "%s: the path is too long", c->db->path);
    }
    enum yore_status st = YORE_OK;
    if (c->wanted_count > 0) {
        st = os_path_unlink(c->db->env, path, c->error_out); /* of an attempt that failed */
        if (st == YORE_OK || st == YORE_NOT_FOUND) {
            st = value_file_thin(c->db->env, reader, path, keep, c, &next.kept_bytes, c->error_out);
        }
        if (st == YORE_OK) {
            st = os_path_stat(c->db->env, path, &next.bytes, &is_dir, c->error_out);
        }
    }
    if (st == YORE_OK) {
        st = commit_info(c, &next);
    } else {
        (void)os_path_unlink(c->db->env, path, NULL);
    }
    return st;
}

static enum yore_status collect_file(struct collect *c, const struct value_file_info *info)
{
    char path[PATH_BYTES];
    struct value_reader *reader;
    struct file_identity identity = {c->db->database, info->file};
    uint64_t end;
    if (!db_file_path(path, c->db->path, DB_FILE_VALUES, info->file, info->generation)) {
        return error_set(c->error_out, YORE_INVALID, "%s: the path is too long", c->db->path);
    }
    enum yore_status st = value_reader_open(c->db->env, path, identity, &reader, c->error_out);
    if (st != YORE_OK) {
        return st;
    }
    st = value_reader_walk(reader, gather, c, &end, c->error_out);
    st = st == YORE_OK ? c->status : st;
    st = st == YORE_OK ? judge_batch(c) : st;
    if (st == YORE_OK && (c->wanted_count < c->record_count || c->wanted_count == 0)) {
        st = write_generation(c, reader, info);
        atomic_store(&c->db->has_retired_values, true);
    } else if (st == YORE_OK && info->kept_bytes == 0) {
        struct value_file_info whole = *info;
        whole.kept_bytes = end;
        st = commit_info(c, &whole);
    }
    value_reader_close(reader);
    return st;
}

/* Under collect_lock: two would write the same next generation. */
static enum yore_status collect_one(struct yore_db *db, uint64_t file, bool is_paced,
                                    struct yore_error *error_out)
{
    struct collect c = {.db = db,
                        .is_paced = is_paced,
                        .paced_ns = os_monotonic_ns(db->env),
                        .error_out = error_out};
    c.batch.goes_on = pace;
    c.batch.arg = &c;
    enum yore_status st = db_values_check(db, values_end(db->values, file, error_out), error_out);
    if (st != YORE_OK) {
        return st;
    }
    if (values_is_held(db->values, file)) {
        return error_set(error_out, YORE_BUSY,
                         "%s: a transaction that is not finished holds large values; try again",
                         db->path);
    }
    c.view =
        superview_acquire(db); /* after the question above: it has all that was committed by then */
    const struct value_file_info *info = forest_value_file(c.view->forest, file);
    if (info != NULL) {
        st = collect_file(&c, info);
    }
    superview_release(c.view);
    stats_add(&db->stats, STAT_collect_versions, c.batch.walked);
    mem_free(c.wanted);
    wanted_batch_release(&c.batch);
    if (st == YORE_OK) {
        values_forget(db->values, file);
        st = values_sweep(db, error_out);
    }
    return st;
}

/* Thin one value file; the one being appended to is closed first. */
static enum yore_status collect(struct yore_db *db, uint64_t file, bool is_paced,
                                struct yore_error *error_out)
{
    os_mutex_lock(&db->collect_lock);
    enum yore_status st = collect_one(db, file, is_paced, error_out);
    os_mutex_unlock(&db->collect_lock);
    return st;
}

enum yore_status values_collect_all(struct yore_db *db, bool skips_held,
                                    struct yore_error *error_out)
{
    /* The view is let go before anything is retired: it would be the reader that old generations
     * wait for. */
    struct superview *view = superview_acquire(db);
    size_t count = view->forest->value_file_count;
    uint64_t *files = mem_array(count + 1, sizeof *files);
    for (size_t i = 0; files != NULL && i < count; i++) {
        files[i] = view->forest->value_files[i].file;
    }
    superview_release(view);
    enum yore_status st = files != NULL ? YORE_OK : error_plain(error_out, YORE_NOMEM);
    for (size_t i = 0; st == YORE_OK && i < count; i++) {
        st = collect(db, files[i], false, error_out);
        st = st == YORE_BUSY && skips_held ? YORE_OK : st;
    }
    mem_free(files);
    return st;
}

/* ---- in the background ---- */

struct tally {
    uint64_t fresh_bytes; /* never looked through */
    uint64_t kept_bytes;
    uint64_t file_last;
    uint64_t file_next; /* the first not before the one asked for; 0: none */
};

/* Of the files up to `end`, `next` among them or not. */
static struct tally tally_files(struct yore_db *db, uint64_t next, uint64_t end)
{
    struct tally tally = {0};
    uint64_t open_bytes;
    uint64_t open_file = values_writing(db->values, &open_bytes);
    struct superview *view = superview_acquire(db);
    for (size_t i = 0; i < view->forest->value_file_count; i++) {
        const struct value_file_info *info = &view->forest->value_files[i];
        char path[PATH_BYTES];
        uint64_t bytes = info->file == open_file ? open_bytes : info->bytes;
        bool is_dir;
        if (info->file > end) {
            break;
        }
        if (bytes == 0 && db_file_path(path, db->path, DB_FILE_VALUES, info->file, 0)) {
            (void)os_path_stat(db->env, path, &bytes, &is_dir, NULL); /* never closed: a crash */
        }
        tally.fresh_bytes += info->kept_bytes == 0 ? bytes : 0;
        tally.kept_bytes += info->kept_bytes;
        tally.file_last = info->file;
        tally.file_next = tally.file_next == 0 && info->file >= next ? info->file : tally.file_next;
    }
    superview_release(view);
    return tally;
}

static enum yore_status begin_pass(struct yore_db *db, struct yore_error *error_out)
{
    struct tally tally = tally_files(db, 0, UINT64_MAX);
    uint64_t least = COLLECT_MEMTABLES * db->options.memtable_bytes;
    uint64_t bound = tally.kept_bytes > least ? tally.kept_bytes : least;
    if (tally.fresh_bytes <= bound || tally.fresh_bytes - bound <= db->collect.left_bytes) {
        return YORE_OK;
    }
    enum yore_status st = yore_flush(db, error_out);
    if (st == YORE_OK) {
        db->collect.next = 1;
        db->collect.end = tally.file_last;
    }
    return st;
}

/* Look through the next file of the pass. */
static enum yore_status go_on(struct yore_db *db, struct yore_error *error_out)
{
    struct tally tally = tally_files(db, db->collect.next, db->collect.end);
    if (tally.file_next == 0) {
        db->collect = (struct collect_pass){.left_bytes = tally.fresh_bytes};
        return YORE_OK;
    }
    enum yore_status st = collect(db, tally.file_next, true, error_out);
    if (status_is_want(st) || st == YORE_CANCELLED || atomic_load(&db->failed_status) != YORE_OK) {
        return st;
    }
    error_clear(error_out); /* what it has is read as before, and a later pass looks again */
    db->collect.next = tally.file_next + 1;
    return YORE_OK;
}

enum yore_status values_collect_due(struct yore_db *db, struct yore_error *error_out)
{
    enum yore_status st = YORE_OK;
    int64_t begin_ns = os_monotonic_ns(db->env);
    if (db->collect.next == 0) {
        st = begin_pass(db, error_out);
    }
    if (st != YORE_OK || db->collect.next == 0) {
        return st;
    }
    jobs_count(db, 1); /* a generation is being made that nothing names yet */
    while (st == YORE_OK && db->collect.next != 0 &&
           os_monotonic_ns(db->env) - begin_ns < COLLECT_TURN_NS) {
        st = go_on(db, error_out);
    }
    jobs_count(db, -1);
    return st;
}
