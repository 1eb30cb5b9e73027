/* value_collect.c -- see value_collect.h.
 *
 * A record is wanted while some version of its key refers to it and no erasure hides that version.
 * Which records are is found first (value_wanted.h), so that a file without garbage is not copied;
 * then the next generation is written, the manifest names it, and the old one is retired.
 *
 * Files are looked through in *rounds*, as many at a time as fill a batch of records, in the
 * background as many as there is time for in a turn: a key whose values lie in many files has its
 * versions walked once a round.
 *
 * What becomes of retired generations: value_sweep.c.
 *
 * A value may have been appended for a commit that is yet to come: values_held() tells of such
 * records, and they are kept.  Only for a commit that is being made an erasure's end waits, because
 * what it has may be erased already.
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
#define COLLECT_TURN_NS 500000000 /* other upkeep waits no longer, but for the end of a round */
#define PACE_NS 20000000          /* walked between two pauses ... */
#define PACE_NS_MAX 50000000      /* ... as long as the walk took, at most */

/* A file that was looked through. */
struct collected {
    struct value_file_info info;
    uint64_t end; /* of its last record */
    size_t record_count;
    uint64_t *wanted; /* offsets of wanted records, ascending */
    size_t wanted_count;
    size_t wanted_capacity;
    size_t next; /* writing: the first of `wanted` not met yet */
};

/* A round. */
struct collect {
    struct yore_db *db;
    const struct stop *stop;
    bool is_paced;
    int64_t began_ns;
    int64_t paced_ns; /* end of the last pause */
    struct superview *view;
    struct collected *files; /* by number */
    size_t file_count;
    size_t file_capacity;
    struct collected *writing;
    bool is_full; /* a batch was */
    struct wanted_batch batch;
    struct value_spans held; /* records of commits that are yet to come */
    enum yore_status status;
    struct yore_error *error_out;
};

/* ---- what is wanted ---- */

static enum yore_status add_wanted(struct collect *c, struct collected *file, uint64_t offset)
{
    uint64_t *grown =
        mem_grow(file->wanted, file->wanted_count, &file->wanted_capacity, sizeof *grown);
    if (grown == NULL) {
        return error_plain(c->error_out, YORE_NOMEM);
    }
    file->wanted = grown;
    file->wanted[file->wanted_count++] = offset;
    return YORE_OK;
}

static bool is_closing(struct yore_db *db)
{
    os_mutex_lock(&db->lock);
    bool is_closing = db->is_closing;
    os_mutex_unlock(&db->lock);
    return is_closing || atomic_load(&db->failed_status) != YORE_OK;
}

/* Leave the disk to others half of the time.  False: the database closes, or nobody wants it any
 * more. */
static bool pace(void *arg)
{
    struct collect *c = arg;
    if (!c->is_paced) {
        return !stop_is_asked(c->stop);
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
    size_t at = 0; /* of the files */
    enum yore_status st = wanted_batch_judge(batch, c->view, c->error_out);
    for (size_t i = 0; st == YORE_OK && i < batch->count; i++) {
        const struct wanted_record *record = &batch->records[i];
        bool is_wanted =
            record->is_wanted || value_spans_have(&c->held, record->file, record->offset);
        while (at < c->file_count && c->files[at].info.file < record->file) {
            at++;
        }
        if (is_wanted && at < c->file_count && c->files[at].info.file == record->file) {
            st = add_wanted(c, &c->files[at], record->offset);
        }
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
    c->files[c->file_count - 1].record_count++;
    c->status = wanted_batch_add(&c->batch, record);
    if (c->status != YORE_OK) {
        error_plain(c->error_out, c->status);
    } else if (wanted_batch_is_full(&c->batch)) {
        c->is_full = true;
        c->status = judge_batch(c);
    }
    return c->status != YORE_OK;
}

static int keep(void *arg, const struct value_record *record)
{
    struct collect *c = arg;
    struct collected *file = c->writing;
    (void)pace(c);
    while (file->next < file->wanted_count && file->wanted[file->next] < record->ref.offset) {
        file->next++;
    }
    return file->next < file->wanted_count && file->wanted[file->next] == record->ref.offset;
}

/* ---- one file ---- */

static enum yore_status open_reader(const struct collect *c, const struct value_file_info *info,
                                    struct value_reader **reader_out)
{
    char path[PATH_BYTES];
    struct file_identity identity = {c->db->database, info->file};
    if (!db_file_path(path, c->db->path, DB_FILE_VALUES, info->file, info->generation)) {
        return error_set(c->error_out, YORE_INVALID, "%s: the path is too long", c->db->path);
    }
    return value_reader_open(c->db->env, path, identity, reader_out, c->error_out);
}

static enum yore_status look_through(struct collect *c, const struct value_file_info *info)
{
    struct value_reader *reader;
    struct collected *grown = mem_grow(c->files, c->file_count, &c->file_capacity, sizeof *grown);
    if (grown == NULL) {
        return error_plain(c->error_out, YORE_NOMEM);
    }
    c->files = grown;
    enum yore_status st = open_reader(c, info, &reader);
    if (st != YORE_OK) {
        return st;
    }
    struct collected *file = &c->files[c->file_count++];
    *file = (struct collected){.info = *info};
    c->status = YORE_OK;
    st = value_reader_walk(reader, gather, c, &file->end, c->error_out);
    st = st == YORE_OK ? c->status : st;
    if (st != YORE_OK) {
        mem_free(c->files[--c->file_count].wanted);
    }
    value_reader_close(reader);
    return st;
}

static enum yore_status commit_info(struct collect *c, bool is_kept,
                                    const struct value_file_info *info)
{
    struct edit edit = {0};
    struct edit_op *op = edit_add(&edit, is_kept ? EDIT_VALUE_FILE_PUT : EDIT_VALUE_FILE_DROP, 0);
    if (op != NULL) {
        op->value_file = *info;
    }
    enum yore_status st = db_commit_edit(c->db, &edit, NULL, c->error_out);
    edit_release(&edit);
    return st;
}

/* Write what is wanted of it. */
static enum yore_status copy_wanted(struct collect *c, const char *path,
                                    struct value_file_info *next)
{
    struct value_reader *reader;
    bool is_dir;
    enum yore_status st =
        os_path_unlink(c->db->env, path, c->error_out); /* of an attempt that failed */
    if (st == YORE_OK || st == YORE_NOT_FOUND) {
        st = open_reader(c, &c->writing->info, &reader);
    }
    if (st != YORE_OK) {
        return st;
    }
    st = value_file_thin(c->db->env, reader, path, keep, c, &next->kept_bytes, c->error_out);
    if (st == YORE_OK) {
        st = os_path_stat(c->db->env, path, &next->bytes, &is_dir, c->error_out);
    }
    value_reader_close(reader);
    return st;
}

static enum yore_status write_generation(struct collect *c)
{
    char path[PATH_BYTES];
    const struct value_file_info *old = &c->writing->info;
    struct value_file_info next = {.file = old->file, .generation = old->generation + 1};
    bool is_kept = c->writing->wanted_count > 0;
    if (!db_file_path(path, c->db->path, DB_FILE_VALUES, next.file, next.generation)) {
        return error_set(c->error_out, YORE_INVALID, "%s: the path is too long", c->db->path);
    }
    enum yore_status st = is_kept ? copy_wanted(c, path, &next) : YORE_OK;
    if (st == YORE_OK) {
        st = commit_info(c, is_kept, &next);
    } else {
        (void)os_path_unlink(c->db->env, path, NULL);
    }
    return st;
}

static enum yore_status thin(struct collect *c, struct collected *file)
{
    enum yore_status st = YORE_OK;
    c->writing = file;
    if (file->wanted_count < file->record_count || file->wanted_count == 0) {
        st = write_generation(c);
        atomic_store(&c->db->has_retired_values, true);
    } else if (file->info.kept_bytes == 0) {
        struct value_file_info whole = file->info;
        whole.kept_bytes = file->end;
        st = commit_info(c, true, &whole);
    }
    if (st == YORE_OK) {
        values_forget(c->db->values, file->info.file);
    }
    return st;
}

/* ---- a round ---- */

struct round {
    const uint64_t *files; /* that may be looked through, by number */
    size_t count;
    bool is_paced;
    const struct stop *stop;
    size_t done; /* out: so many of them need not be looked at again, or only the last one failed */
};

static bool is_round_over(const struct collect *c)
{
    return c->is_full ||
           (c->is_paced && os_monotonic_ns(c->db->env) - c->began_ns >= COLLECT_TURN_NS);
}

/* The first file's failure is the round's; a later one is left to the next. */
static enum yore_status look_through_some(struct collect *c, struct round *round)
{
    enum yore_status st = YORE_OK;
    for (; st == YORE_OK && round->done < round->count && !is_round_over(c); round->done++) {
        const struct value_file_info *info =
            forest_value_file(c->view->forest, round->files[round->done]);
        st = info != NULL ? look_through(c, info) : YORE_OK;
    }
    if (st != YORE_OK && c->file_count > 0) {
        round->done--;
        error_clear(c->error_out);
        st = YORE_OK;
    }
    return st == YORE_OK ? judge_batch(c) : st;
}

static enum yore_status thin_all(struct collect *c, struct round *round)
{
    enum yore_status st = YORE_OK;
    for (size_t i = 0; st == YORE_OK && i < c->file_count; i++) {
        st = thin(c, &c->files[i]);
        if (st != YORE_OK) {
            while (round->files[round->done - 1] != c->files[i].info.file) {
                round->done--;
            }
        }
    }
    return st;
}

/* No file of the round is being appended to from here on. */
static enum yore_status end_files(struct collect *c, const struct round *round)
{
    struct yore_db *db = c->db;
    enum yore_status st = YORE_OK;
    for (size_t i = 0; st == YORE_OK && i < round->count; i++) {
        enum yore_status ended = values_end(db->values, round->files[i], c->error_out);
        st = db_values_check(db, ended, c->error_out);
    }
    return st == YORE_OK ? values_held(db->values, round->files[round->count - 1], !round->is_paced,
                                       &c->held, c->error_out)
                         : st;
}

/* Under collect_lock: two would write the same next generation. */
static enum yore_status run_round(struct yore_db *db, struct round *round,
                                  struct yore_error *error_out)
{
    int64_t now_ns = os_monotonic_ns(db->env);
    struct collect c = {.db = db,
                        .stop = round->stop,
                        .is_paced = round->is_paced,
                        .began_ns = now_ns,
                        .paced_ns = now_ns,
                        .error_out = error_out};
    c.batch.goes_on = pace;
    c.batch.arg = &c;
    round->done = 0;
    enum yore_status st = end_files(&c, round);
    if (st != YORE_OK) {
        return st;
    }
    c.view = superview_acquire(db); /* after the question above: what was let go is in it */
    st = look_through_some(&c, round);
    superview_release(c.view);
    st = st == YORE_OK ? thin_all(&c, round) : st;
    stats_add(&db->stats, STAT_collect_versions, c.batch.walked);
    for (size_t i = 0; i < c.file_count; i++) {
        mem_free(c.files[i].wanted);
    }
    mem_free(c.files);
    wanted_batch_release(&c.batch);
    value_spans_release(&c.held);
    return st == YORE_OK ? values_sweep(db, error_out) : st;
}

/* Thin the first of the files, as many as make a round; the one being appended to is closed first.
 */
static enum yore_status collect(struct yore_db *db, struct round *round,
                                struct yore_error *error_out)
{
    os_mutex_lock(&db->collect_lock);
    enum yore_status st = run_round(db, round, error_out);
    os_mutex_unlock(&db->collect_lock);
    return st;
}

/* The value files numbered from `first` to `last`; the caller frees. */
static enum yore_status list_files(struct yore_db *db, uint64_t first, uint64_t last,
                                   uint64_t **files_out, size_t *count_out,
                                   struct yore_error *error_out)
{
    /* The view is let go before anything is retired: it would be the reader that old generations
     * wait for. */
    struct superview *view = superview_acquire(db);
    const struct forest *forest = view->forest;
    uint64_t *files = mem_array(forest->value_file_count + 1, sizeof *files);
    size_t count = 0;
    for (size_t i = 0; files != NULL && i < forest->value_file_count; i++) {
        uint64_t file = forest->value_files[i].file;
        if (file >= first && file <= last) {
            files[count++] = file;
        }
    }
    superview_release(view);
    *files_out = files;
    *count_out = count;
    return files != NULL ? YORE_OK : error_plain(error_out, YORE_NOMEM);
}

enum yore_status values_collect_all(struct yore_db *db, const struct stop *stop,
                                    struct yore_error *error_out)
{
    uint64_t *files;
    size_t count;
    enum yore_status st = list_files(db, 0, UINT64_MAX, &files, &count, error_out);
    for (size_t i = 0; st == YORE_OK && i < count;) {
        struct round round = {.files = files + i, .count = count - i, .stop = stop};
        st = collect(db, &round, error_out);
        i += round.done;
    }
    mem_free(files);
    return st;
}

/* ---- in the background ---- */

struct tally {
    uint64_t fresh_bytes; /* never looked through */
    uint64_t kept_bytes;
    uint64_t file_last;
};

/* Of the files up to `end`. */
static struct tally tally_files(struct yore_db *db, uint64_t end)
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
    }
    superview_release(view);
    return tally;
}

static enum yore_status begin_pass(struct yore_db *db, struct yore_error *error_out)
{
    struct tally tally = tally_files(db, UINT64_MAX);
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

/* Look through the next files of the pass. */
static enum yore_status go_on(struct yore_db *db, struct yore_error *error_out)
{
    struct round round = {.is_paced = true};
    uint64_t *files;
    enum yore_status st =
        list_files(db, db->collect.next, db->collect.end, &files, &round.count, error_out);
    if (st == YORE_OK && round.count == 0) {
        struct tally tally = tally_files(db, db->collect.end);
        db->collect = (struct collect_pass){.left_bytes = tally.fresh_bytes};
    } else if (st == YORE_OK) {
        round.files = files;
        st = collect(db, &round, error_out);
        bool is_over = status_is_want(st) || st == YORE_CANCELLED;
        if (!is_over && atomic_load(&db->failed_status) == YORE_OK) {
            /* What the last one has is read as before, and a later pass looks again. */
            error_clear(error_out);
            st = YORE_OK;
            db->collect.next = files[round.done - 1] + 1;
        }
    }
    mem_free(files);
    return st;
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
