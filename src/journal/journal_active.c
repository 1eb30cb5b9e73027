/* The segment being written, and how the next takes its place.
 *
 * A rotation makes the next segment durable (file, name) and seals the old one.  When little in the
 * old one is not yet durable it is synced at once; else, so that no appender waits for many
 * megabytes, by the next sync, which everything in the new segment waits for.  From then on the new
 * segment says JOINED: that is how damage at the end of a closed segment is told from a torn tail.
 *
 * Until the seal is written nothing says that there is a next segment, and recovery passes over one
 * that holds no more than its BEGIN.  So where memory or file handles run out before it, what was
 * made is unlinked, its number is given out again (numbers of a run have no gaps), and the old
 * segment goes on.
 */
#include <string.h>

#include "base/assert.h"
#include "base/coding.h"
#include "base/mem.h"
#include "journal/journal_internal.h"

struct active_log *journal_active_ref(struct journal *journal)
{
    journal->active->refs++;
    return journal->active;
}

void journal_active_unref(struct journal *journal, struct active_log *active)
{
    os_mutex_lock(journal->lock);
    bool is_last = --active->refs == 0;
    os_mutex_unlock(journal->lock);
    if (is_last) {
        (void)record_log_close(active->writer, false, NULL);
        mem_free(active);
    }
}

/* Room for one more in `segments`.  Thread: as journal_begin_segment(). */
static enum yore_status reserve_segment(struct journal *journal, struct yore_error *error_out)
{
    /* Only the appending thread adds segments; others may take some away meanwhile. */
    os_mutex_lock(journal->lock);
    bool is_full = journal->segment_count == journal->segment_capacity;
    os_mutex_unlock(journal->lock);
    if (!is_full) {
        return YORE_OK;
    }
    size_t capacity = journal->segment_capacity < 16 ? 16 : 2 * journal->segment_capacity;
    struct segment *segments = mem_array(capacity, sizeof(*segments));
    if (segments == NULL) {
        return error_plain(error_out, YORE_NOMEM);
    }
    os_mutex_lock(journal->lock);
    struct segment *old = journal->segments;
    if (journal->segment_count > 0) {
        memcpy(segments, old, journal->segment_count * sizeof(*segments));
    }
    journal->segments = segments;
    journal->segment_capacity = capacity;
    os_mutex_unlock(journal->lock);
    mem_free(old);
    return YORE_OK;
}

/* Rename a spare to `path` if there is one. */
static enum yore_status take_spare(struct journal *journal, const char *path, bool *is_taken_out,
                                   struct yore_error *error_out)
{
    struct spare spare = {0};
    char *from = journal_path_room(journal);
    if (from == NULL) {
        return error_plain(error_out, YORE_NOMEM);
    }
    os_mutex_lock(journal->lock);
    bool is_some = journal->spare_count > 0;
    if (is_some) { /* its place is kept until it has left */
        spare = journal->spares[--journal->spare_count];
        journal->spares_promised++;
    }
    os_mutex_unlock(journal->lock);
    enum yore_status st = YORE_OK;
    if (is_some) {
        journal_path_write(journal, JOURNAL_SPARE_STEM, spare.number, from);
        st = os_path_rename(journal->env, from, path, error_out);
        st = os_missing_is_io(st, error_out);
        os_mutex_lock(journal->lock);
        journal->spares_promised--;
        if (st != YORE_OK) {
            journal->spares[journal->spare_count++] = spare;
        }
        os_mutex_unlock(journal->lock);
    }
    *is_taken_out = is_some && st == YORE_OK;
    mem_free(from);
    return st;
}

/* A handle was refused, before anything was done: is there one now? */
static bool has_found_handle(struct journal *journal, enum yore_status st,
                             struct yore_error *error_out)
{
    const struct journal_options *options = &journal->options;
    bool has_found = st == YORE_NO_FILES && options->close_other != NULL &&
                     options->close_other(options->close_arg);
    if (has_found) {
        error_clear(error_out);
    }
    return has_found;
}

static enum yore_status create_log(struct journal *journal, const char *path, uint64_t number,
                                   const struct journal_begin *begin,
                                   struct record_log_writer **writer_out,
                                   struct yore_error *error_out)
{
    struct record_log_options options = {.identity = journal_identity(journal, number),
                                         .grow_bytes_max = journal->options.segment_bytes};
    unsigned char bytes[JOURNAL_BEGIN_BYTES];
    journal_begin_encode(begin, bytes);
    const struct record first = {.type = JOURNAL_TYPE_BEGIN,
                                 .payload = bytes_of(bytes, sizeof(bytes))};
    enum yore_status st = take_spare(journal, path, &options.recycle, error_out);
    if (st == YORE_OK) {
        do {
            st =
                record_log_create_with(journal->env, path, &options, &first, writer_out, error_out);
        } while (has_found_handle(journal, st, error_out));
    }
    return st;
}

static enum yore_status sync_names(struct journal *journal, struct yore_error *error_out)
{
    enum yore_status st;
    do {
        st = os_dir_sync(journal->env, journal->dir, error_out);
    } while (has_found_handle(journal, st, error_out));
    return os_missing_is_io(st, error_out);
}

enum yore_status journal_stage_joined(struct journal *journal, bool *is_staged_out,
                                      struct yore_error *error_out)
{
    const struct yore_bytes none = {NULL, 0};
    *is_staged_out = atomic_load(&journal->is_join_due);
    return *is_staged_out ? record_log_stage(journal->active->writer, JOURNAL_TYPE_JOINED, none,
                                             none, error_out)
                          : YORE_OK;
}

enum yore_status journal_stage_now(struct journal *journal, int64_t now,
                                   struct yore_error *error_out)
{
    unsigned char bytes[JOURNAL_NOW_BYTES];
    put_u64(bytes, (uint64_t)now);
    enum yore_status st =
        record_log_stage(journal->active->writer, JOURNAL_TYPE_NOW, bytes_of(bytes, sizeof(bytes)),
                         bytes_of(NULL, 0), error_out);
    journal->now_recorded = st == YORE_OK ? now : journal->now_recorded;
    return st;
}

/* That another one follows, for the active segment. */
static enum yore_status stage_seal(struct journal *journal, struct yore_error *error_out)
{
    unsigned char bytes[JOURNAL_SEAL_BYTES];
    put_u64(bytes, (uint64_t)atomic_load(&journal->appended));
    bool is_joining;
    enum yore_status st = journal_stage_joined(journal, &is_joining, error_out);
    if (st == YORE_OK) {
        st = record_log_stage(journal->active->writer, JOURNAL_TYPE_SEAL,
                              bytes_of(bytes, sizeof(bytes)), bytes_of(NULL, 0), error_out);
    }
    return st;
}

/* The segment before the active one is durable: what is appended from now on may rely on it. */
static void note_closed_durable(struct journal *journal, struct active_log *closed)
{
    os_mutex_lock(journal->lock);
    bool is_first = journal->closed == closed;
    if (is_first) {
        journal->closed = NULL;
        atomic_store(&journal->is_join_due, true);
        if (closed->commit_last > atomic_load(&journal->durable)) {
            atomic_store(&journal->durable, closed->commit_last);
        }
    }
    os_mutex_unlock(journal->lock);
    if (is_first) {
        journal_active_unref(journal, closed);
    }
}

enum yore_status journal_sync_closed(struct journal *journal, struct yore_error *error_out)
{
    os_mutex_lock(journal->lock);
    struct active_log *closed = journal->closed;
    if (closed != NULL) {
        closed->refs++;
    }
    os_mutex_unlock(journal->lock);
    if (closed == NULL) {
        return YORE_OK;
    }
    enum yore_status st = record_log_sync_at(closed->writer, OS_SITE, error_out);
    if (st == YORE_OK) {
        note_closed_durable(journal, closed);
    }
    journal_active_unref(journal, closed);
    return st;
}

static void close_segment(struct journal *journal, struct active_log *active)
{
    struct segment *segment = &journal->segments[journal->segment_count - 1];
    active->commit_last = atomic_load(&journal->appended);
    segment->file_bytes = record_log_file_bytes(active->writer);
    segment->end_bytes = record_log_bytes(active->writer);
    segment->commit_last =
        segment->commit_first == INT64_MAX ? JOURNAL_NO_COMMIT : active->commit_last;
}

static void replace_active(struct journal *journal, uint64_t number,
                           const struct journal_begin *begin, struct active_log *active)
{
    struct active_log *old = journal->active;
    bool is_durable =
        old != NULL && record_log_durable_bytes(old->writer) == record_log_bytes(old->writer);
    os_mutex_lock(journal->lock);
    if (old != NULL) {
        close_segment(journal, old);
    }
    journal->segments[journal->segment_count++] =
        (struct segment){.number = number,
                         .copied_from = begin->copied_from,
                         .commit_before = begin->commit_before,
                         .commit_first = INT64_MAX,
                         .commit_last = JOURNAL_NO_COMMIT};
    journal->active = active;
    journal->waymarks.count = 0;
    journal->waymarks.step_bytes = WAYMARK_BYTES_MIN;
    journal->closed = old;
    atomic_store(&journal->is_join_due, false);
    atomic_store(&journal->active_number, number);
    os_mutex_unlock(journal->lock);
    journal->is_marked = false;
    journal->is_begun = false;
    if (is_durable) {
        note_closed_durable(journal, old); /* unless somebody has synced it meanwhile */
    }
}

/* Make the next segment and seal the active one.  `*is_passing_out`: it failed for want of memory
 * or a file handle, and nothing says yet that there is a next segment. */
static enum yore_status make_next(struct journal *journal, const char *path, uint64_t number,
                                  const struct journal_begin *begin,
                                  struct record_log_writer **writer_out, bool *is_passing_out,
                                  struct yore_error *error_out)
{
    enum yore_status st = create_log(journal, path, number, begin, writer_out, error_out);
    *is_passing_out = status_is_want(st);
    if (st == YORE_OK) {
        st = sync_names(journal, error_out);
        *is_passing_out = st == YORE_NO_FILES; /* no other: a sync is never tried again */
    }
    if (st == YORE_OK && journal->active != NULL) {
        st = stage_seal(journal, error_out);
        *is_passing_out = status_is_want(st);
        if (st == YORE_OK) {
            /* Made durable by the next sync, which comes before anything relies on it. */
            st = record_log_write(journal->active->writer, error_out);
        }
    }
    return st;
}

/* The next segment could not be made, for want of something: all is to be as before.  Its file may
 * have been a spare. */
static enum yore_status take_back(struct journal *journal, const char *path, uint64_t number,
                                  const struct yore_error *want, struct yore_error *error_out)
{
    struct yore_error error = {0};
    enum yore_status st = os_path_unlink(journal->env, path, &error);
    if (st != YORE_OK && st != YORE_NOT_FOUND) {
        return journal_fail(journal, &error, error_out);
    }
    atomic_store(&journal->next_number, number);
    if (error_out != NULL) {
        *error_out = *want;
    }
    return want->status;
}

enum yore_status journal_begin_segment(struct journal *journal, const struct journal_begin *begin,
                                       struct yore_error *error_out)
{
    struct yore_error error = {0};
    bool is_passing = false;
    if (journal_sync_closed(journal, &error) != YORE_OK) {
        return journal_fail(journal, &error, error_out);
    }
    uint64_t number = atomic_load(&journal->next_number);
    char *path = journal_segment_path(journal, number);
    struct active_log *active = mem_zalloc(sizeof(*active));
    enum yore_status st = path == NULL || active == NULL ? error_plain(error_out, YORE_NOMEM)
                                                         : reserve_segment(journal, error_out);
    if (st == YORE_OK) {
        atomic_store(&journal->next_number, number + 1);
        st = make_next(journal, path, number, begin, &active->writer, &is_passing, &error);
        if (st == YORE_OK) {
            active->refs = 1;
            replace_active(journal, number, begin, active);
            active = NULL;
        } else {
            (void)record_log_close(active->writer, false, NULL);
            st = is_passing ? take_back(journal, path, number, &error, error_out)
                            : journal_fail(journal, &error, error_out);
        }
    }
    mem_free(active);
    mem_free(path);
    return st;
}

enum yore_status journal_carry_now(struct journal *journal, struct yore_error *error_out)
{
    struct yore_error error = {0};
    if (journal->now_recorded <= atomic_load(&journal->appended)) {
        return YORE_OK;
    }
    enum yore_status st = journal_stage_now(journal, journal->now_recorded, &error);
    if (st == YORE_NOMEM) {
        return error_plain(error_out, st); /* nothing was written */
    }
    if (st == YORE_OK) {
        st = record_log_write(journal->active->writer, &error);
    }
    journal->is_begun = st == YORE_OK;
    return st == YORE_OK ? st : journal_fail(journal, &error, error_out);
}

enum yore_status journal_next_active(struct journal *journal, struct yore_error *error_out)
{
    const struct journal_begin begin = {.commit_before = atomic_load(&journal->appended)};
    return journal_begin_segment(journal, &begin, error_out);
}
