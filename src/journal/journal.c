/* The journal while it is written: append, sync, rotate, release.  What a crash may leave is listed
 * in journal_internal.h and mended in journal_recover.c.
 *
 * A rotation makes the next segment durable (file, name) and seals the old one.  When little in the
 * old one is not yet durable it is synced at once; else, so that no appender waits for many
 * megabytes, by the next sync, which everything in the new segment waits for.  From then on the new
 * segment says JOINED: that is how damage at the end of a closed segment is told from a torn tail.
 */
#include "journal/journal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/coding.h"
#include "base/mem.h"
#include "journal/commit_codec.h"
#include "journal/journal_internal.h"

/* ---- names and small records ---- */

#define SEGMENT_STEM "journal-"
#define SPARE_STEM "journal-free-"

/* Room for any name in the directory, or NULL. */
static char *path_room(const struct journal *journal)
{
    return mem_alloc(strlen(journal->dir) + 48);
}

static void path_write(const struct journal *journal, const char *stem, uint64_t number, char *room)
{
    (void)snprintf(room, strlen(journal->dir) + 48, "%s/%s%016" PRIx64 ".log", journal->dir, stem,
                   number);
}

static char *path_of(const struct journal *journal, const char *stem, uint64_t number)
{
    char *path = path_room(journal);
    if (path != NULL) {
        path_write(journal, stem, number, path);
    }
    return path;
}

char *journal_segment_path(const struct journal *journal, uint64_t number)
{
    return path_of(journal, SEGMENT_STEM, number);
}

char *journal_spare_path(const struct journal *journal, uint64_t number)
{
    return path_of(journal, SPARE_STEM, number);
}

struct record_log_identity journal_identity(const struct journal *journal, uint64_t number)
{
    return (struct record_log_identity){
        .database = journal->options.database, .epoch = number, .kind = RECORD_LOG_JOURNAL};
}

void journal_begin_encode(const struct journal_begin *begin, unsigned char out[JOURNAL_BEGIN_BYTES])
{
    put_u64(out, begin->copied_from);
    put_u64(out + 8, (uint64_t)begin->commit_before);
}

bool journal_begin_decode(const struct record *record, struct journal_begin *begin_out)
{
    if (record->type != JOURNAL_TYPE_BEGIN || record->payload.size != JOURNAL_BEGIN_BYTES) {
        return false;
    }
    const unsigned char *from = record->payload.data;
    begin_out->copied_from = get_u64(from);
    begin_out->commit_before = (int64_t)get_u64(from + 8);
    return true;
}

bool journal_commit_time(struct yore_bytes payload, int64_t *commit_out)
{
    if (payload.size < COMMIT_HEADER_BYTES) {
        return false;
    }
    *commit_out = (int64_t)get_u64(payload.data);
    return true;
}

/* ---- failure ---- */

static enum yore_status check_failure(const struct journal *journal, struct yore_error *error_out)
{
    if (!atomic_load(&journal->is_failed)) {
        return YORE_OK;
    }
    os_mutex_lock(journal->lock);
    if (error_out != NULL) {
        *error_out = journal->failure;
    }
    enum yore_status st = journal->failure.status;
    os_mutex_unlock(journal->lock);
    return st;
}

enum yore_status journal_fail(struct journal *journal, const struct yore_error *error,
                              struct yore_error *error_out)
{
    YORE_ASSERT(error->status != YORE_OK);
    os_mutex_lock(journal->lock);
    if (journal->failure.status == YORE_OK) {
        journal->failure = *error;
        atomic_store(&journal->is_failed, true);
    }
    os_mutex_unlock(journal->lock);
    return check_failure(journal, error_out);
}

/* ---- the active segment ---- */

static struct active_log *active_ref(struct journal *journal)
{
    journal->active->refs++;
    return journal->active;
}

static void active_unref(struct journal *journal, struct active_log *active)
{
    os_mutex_lock(journal->lock);
    bool is_last = --active->refs == 0;
    os_mutex_unlock(journal->lock);
    if (is_last) {
        (void)record_log_close(active->writer, false, NULL);
        mem_free(active);
    }
}

enum yore_status journal_reserve_segment(struct journal *journal, struct yore_error *error_out)
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
    os_mutex_lock(journal->lock);
    *is_taken_out = journal->spare_count > 0;
    uint64_t number = *is_taken_out ? journal->spares[--journal->spare_count].number : 0;
    os_mutex_unlock(journal->lock);
    if (!*is_taken_out) {
        return YORE_OK;
    }
    char *spare = journal_spare_path(journal, number);
    if (spare == NULL) {
        return error_plain(error_out, YORE_NOMEM);
    }
    enum yore_status st = os_path_rename(journal->env, spare, path, error_out);
    mem_free(spare);
    return st;
}

static enum yore_status create_log(struct journal *journal, uint64_t number,
                                   const struct journal_begin *begin,
                                   struct record_log_writer **writer_out,
                                   struct yore_error *error_out)
{
    struct record_log_options options = {.identity = journal_identity(journal, number),
                                         .preallocate_bytes = journal->options.segment_bytes};
    unsigned char bytes[JOURNAL_BEGIN_BYTES];
    journal_begin_encode(begin, bytes);
    const struct record first = {.type = JOURNAL_TYPE_BEGIN,
                                 .payload = bytes_of(bytes, sizeof(bytes))};
    char *path = journal_segment_path(journal, number);
    if (path == NULL) {
        return error_plain(error_out, YORE_NOMEM);
    }
    enum yore_status st = take_spare(journal, path, &options.recycle, error_out);
    if (st == YORE_OK) {
        st = record_log_create_with(journal->env, path, &options, &first, writer_out, error_out);
    }
    if (st == YORE_OK) {
        st = os_dir_sync(journal->env, journal->dir, error_out);
        if (st != YORE_OK) {
            (void)record_log_close(*writer_out, false, NULL);
        }
    }
    mem_free(path);
    return st;
}

/* Stage the JOINED if it is due; `*is_staged_out`: it goes with the next write. */
static enum yore_status stage_joined(struct journal *journal, bool *is_staged_out,
                                     struct yore_error *error_out)
{
    const struct yore_bytes none = {NULL, 0};
    *is_staged_out = atomic_load(&journal->is_join_due);
    return *is_staged_out ? record_log_stage(journal->active->writer, JOURNAL_TYPE_JOINED, none,
                                             none, error_out)
                          : YORE_OK;
}

/* Say in the active segment that another one follows. */
static enum yore_status seal_active(struct journal *journal, struct yore_error *error_out)
{
    struct record_log_writer *writer = journal->active->writer;
    unsigned char bytes[JOURNAL_SEAL_BYTES];
    put_u64(bytes, (uint64_t)atomic_load(&journal->appended));
    bool is_joining;
    enum yore_status st = stage_joined(journal, &is_joining, error_out);
    if (st == YORE_OK) {
        st = record_log_stage(writer, JOURNAL_TYPE_SEAL, bytes_of(bytes, sizeof(bytes)),
                              bytes_of(NULL, 0), error_out);
    }
    /* Made durable by the next sync, which comes before anything relies on it. */
    return st == YORE_OK ? record_log_write(writer, error_out) : st;
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
        active_unref(journal, closed);
    }
}

static enum yore_status sync_closed(struct journal *journal, struct yore_error *error_out)
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
    active_unref(journal, closed);
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

enum yore_status journal_begin_segment(struct journal *journal, const struct journal_begin *begin,
                                       struct yore_error *error_out)
{
    struct yore_error error = {0};
    uint64_t number = atomic_fetch_add(&journal->next_number, 1);
    struct active_log *active = mem_zalloc(sizeof(*active));
    enum yore_status st =
        active == NULL ? error_plain(&error, YORE_NOMEM) : journal_reserve_segment(journal, &error);
    if (st == YORE_OK) {
        st = sync_closed(journal, &error);
    }
    if (st == YORE_OK) {
        st = create_log(journal, number, begin, &active->writer, &error);
    }
    if (st == YORE_OK && journal->active != NULL) {
        st = seal_active(journal, &error);
        if (st != YORE_OK) {
            (void)record_log_close(active->writer, false, NULL);
        }
    }
    if (st != YORE_OK) {
        mem_free(active);
        return journal_fail(journal, &error, error_out);
    }
    active->refs = 1;
    replace_active(journal, number, begin, active);
    return YORE_OK;
}

static enum yore_status rotate(struct journal *journal, struct yore_error *error_out)
{
    const struct journal_begin begin = {.commit_before = atomic_load(&journal->appended)};
    return journal_begin_segment(journal, &begin, error_out);
}

/* ---- appending ---- */

static bool is_room_for(const struct journal *journal, const struct journal_entry *entries,
                        size_t count)
{
    uint64_t bytes = record_log_bytes(journal->active->writer);
    for (size_t i = 0; i < count; i++) {
        bytes += record_span((uint64_t)entries[i].header.size + entries[i].writes.size);
    }
    return !journal->is_begun || bytes <= journal->options.segment_bytes;
}

static enum yore_status append_entries(struct journal *journal, const struct journal_entry *entries,
                                       size_t count, struct yore_error *error_out)
{
    struct record_log_writer *writer = journal->active->writer;
    int64_t last = atomic_load(&journal->appended);
    bool is_joining;
    enum yore_status st = stage_joined(journal, &is_joining, error_out);
    for (size_t i = 0; i < count && st == YORE_OK; i++) {
        YORE_ASSERT(entries[i].commit > last);
        YORE_ASSERT(entries[i].header.size == COMMIT_HEADER_BYTES);
        last = entries[i].commit;
        st = record_log_stage(writer, JOURNAL_TYPE_COMMIT, entries[i].header, entries[i].writes,
                              error_out);
    }
    st = st == YORE_OK ? record_log_write(writer, error_out) : st;
    if (st == YORE_OK && is_joining) {
        atomic_store(&journal->is_join_due, false);
    }
    return st;
}

static void note_appended(struct journal *journal, int64_t first, int64_t last)
{
    if (!journal->is_begun) {
        os_mutex_lock(journal->lock);
        journal->segments[journal->segment_count - 1].commit_first = first;
        os_mutex_unlock(journal->lock);
        journal->is_begun = true;
    }
    journal->is_marked = false;
    atomic_store(&journal->appended, last);
}

enum yore_status journal_append(struct journal *journal, const struct journal_entry *entries,
                                size_t count, struct yore_error *error_out)
{
    YORE_ASSERT(count >= 1);
    struct yore_error error = {0};
    os_mutex_lock(journal->append_lock);
    enum yore_status st = check_failure(journal, error_out);
    if (st == YORE_OK && !is_room_for(journal, entries, count)) {
        st = rotate(journal, error_out);
    }
    if (st == YORE_OK) {
        st = append_entries(journal, entries, count, &error);
        if (st == YORE_OK) {
            note_appended(journal, entries[0].commit, entries[count - 1].commit);
        } else if (st == YORE_NOMEM || st == YORE_TOO_BIG) {
            if (error_out != NULL) {
                *error_out = error; /* nothing was written */
            }
        } else {
            st = journal_fail(journal, &error, error_out);
        }
    }
    os_mutex_unlock(journal->append_lock);
    return st;
}

/* ---- durability ---- */

static void note_durable(struct journal *journal, int64_t commit)
{
    os_mutex_lock(journal->lock);
    if (commit > atomic_load(&journal->durable)) {
        atomic_store(&journal->durable, commit);
    }
    os_mutex_unlock(journal->lock);
}

enum yore_status journal_sync(struct journal *journal, struct yore_error *error_out)
{
    struct yore_error error = {0};
    enum yore_status st = check_failure(journal, error_out);
    if (st != YORE_OK) {
        return st;
    }
    /* Whatever was appended by now is in the active segment, in the closed one before it, or was
     * synced when that one was made. */
    os_mutex_lock(journal->lock);
    int64_t commit = atomic_load(&journal->appended);
    struct active_log *active = active_ref(journal);
    os_mutex_unlock(journal->lock);
    st = sync_closed(journal, &error);
    if (st == YORE_OK) {
        st = record_log_sync_at(active->writer, OS_SITE, &error);
    }
    active_unref(journal, active);
    if (st != YORE_OK) {
        return journal_fail(journal, &error, error_out);
    }
    note_durable(journal, commit);
    return YORE_OK;
}

/* Sync, say so, sync again.  Holds append_lock, or is the only thread. */
static enum yore_status mark(struct journal *journal, struct yore_error *error_out)
{
    struct yore_error error = {0};
    enum yore_status st = check_failure(journal, error_out);
    if (st != YORE_OK || journal->is_marked) {
        return st;
    }
    int64_t commit = atomic_load(&journal->appended);
    st = sync_closed(journal, &error);
    if (st == YORE_OK) {
        st = append_entries(journal, NULL, 0, &error); /* the JOINED, if due */
    }
    if (st == YORE_OK) {
        st = record_log_mark(journal->active->writer, &error);
    }
    if (st != YORE_OK) {
        return journal_fail(journal, &error, error_out);
    }
    journal->is_marked = true;
    journal->is_begun = true;
    note_durable(journal, commit);
    return YORE_OK;
}

enum yore_status journal_mark(struct journal *journal, struct yore_error *error_out)
{
    os_mutex_lock(journal->append_lock);
    /* An empty segment has nothing to mark; the one before may have something to sync. */
    enum yore_status st =
        journal->is_begun ? mark(journal, error_out) : journal_sync(journal, error_out);
    os_mutex_unlock(journal->append_lock);
    return st;
}

int64_t journal_appended_commit(const struct journal *journal)
{
    return atomic_load(&journal->appended);
}

int64_t journal_durable_commit(const struct journal *journal)
{
    return atomic_load(&journal->durable);
}

/* ---- segments ---- */

enum yore_status journal_rotate(struct journal *journal, uint64_t *segment_out,
                                struct yore_error *error_out)
{
    os_mutex_lock(journal->append_lock);
    enum yore_status st = check_failure(journal, error_out);
    if (st == YORE_OK && journal->is_begun) {
        st = rotate(journal, error_out);
    }
    *segment_out = atomic_load(&journal->active_number);
    os_mutex_unlock(journal->append_lock);
    return st;
}

uint64_t journal_segment(const struct journal *journal)
{
    return atomic_load(&journal->active_number);
}

uint64_t journal_next_segment(const struct journal *journal)
{
    return atomic_load(&journal->next_number);
}

struct segment *journal_find_segment(struct journal *journal, uint64_t number)
{
    for (size_t i = 0; i < journal->segment_count; i++) {
        if (journal->segments[i].number == number) {
            return &journal->segments[i];
        }
    }
    return NULL;
}

size_t journal_index_after(const struct journal *journal, int64_t after)
{
    for (size_t i = journal->segment_count; i > 0; i--) {
        const struct segment *segment = &journal->segments[i - 1];
        if (!segment->is_doomed && segment->commit_before <= after) {
            return i - 1;
        }
    }
    return journal->segment_count;
}

/* Take one segment out of the list that may go.  Oldest first, so that what stays reaches back
 * without a gap. */
static bool pop_released(struct journal *journal, struct segment *segment_out)
{
    uint64_t kept_bytes = 0;
    size_t oldest = SIZE_MAX;
    size_t victim = SIZE_MAX;
    for (size_t i = 0; i + 1 < journal->segment_count && victim == SIZE_MAX; i++) {
        const struct segment *segment = &journal->segments[i];
        if (segment->number >= journal->released) {
            break;
        }
        if (segment->is_doomed) {
            victim = segment->pins == 0 ? i : SIZE_MAX;
            continue;
        }
        oldest = oldest == SIZE_MAX ? i : oldest;
        kept_bytes += segment->file_bytes;
    }
    if (victim == SIZE_MAX && oldest != SIZE_MAX && kept_bytes > journal->options.keep_bytes &&
        journal->segments[oldest].pins == 0) {
        victim = oldest;
    }
    if (victim == SIZE_MAX) {
        return false;
    }
    *segment_out = journal->segments[victim];
    journal->segment_count--;
    memmove(&journal->segments[victim], &journal->segments[victim + 1],
            (journal->segment_count - victim) * sizeof(*segment_out));
    return true;
}

/* Two names, made room for before anything leaves a list: what has left must go or be a spare. */
struct drop_paths {
    char *from;
    char *to;
};

/* Make the file of a segment that left the list a spare, or unlink it. */
static enum yore_status drop_file(struct journal *journal, const struct segment *segment,
                                  bool is_spare, const struct drop_paths *paths,
                                  struct yore_error *error_out)
{
    path_write(journal, SEGMENT_STEM, segment->number, paths->from);
    path_write(journal, SPARE_STEM, segment->number, paths->to);
    enum yore_status st = is_spare ? os_path_rename(journal->env, paths->from, paths->to, error_out)
                                   : os_path_unlink(journal->env, paths->from, error_out);
    if (is_spare) {
        os_mutex_lock(journal->lock);
        journal->spares_promised--;
        if (st == YORE_OK) {
            journal->spares[journal->spare_count++] =
                (struct spare){.number = segment->number, .bytes = segment->file_bytes};
        }
        os_mutex_unlock(journal->lock);
    }
    return st;
}

/* One that a huge commit made much larger is not worth its bytes. */
static bool is_fit_to_spare(const struct journal *journal, const struct segment *segment)
{
    uint64_t usual = journal->options.segment_bytes;
    return !segment->is_doomed && segment->file_bytes <= usual + usual / 4 &&
           journal->spare_count + journal->spares_promised < journal->options.recycle_count_max;
}

enum yore_status journal_drop_released(struct journal *journal, struct yore_error *error_out)
{
    struct drop_paths paths = {path_room(journal), path_room(journal)};
    enum yore_status st = YORE_OK;
    bool is_some = true;
    if (paths.from == NULL || paths.to == NULL) {
        st = error_plain(error_out, YORE_NOMEM);
    }
    while (st == YORE_OK && is_some) {
        struct segment segment;
        os_mutex_lock(journal->lock);
        is_some = pop_released(journal, &segment);
        bool is_spare = is_some && is_fit_to_spare(journal, &segment);
        journal->spares_promised += is_spare ? 1u : 0u;
        os_mutex_unlock(journal->lock);
        if (is_some) {
            st = drop_file(journal, &segment, is_spare, &paths, error_out);
        }
    }
    mem_free(paths.from);
    mem_free(paths.to);
    return st;
}

enum yore_status journal_release(struct journal *journal, uint64_t segment,
                                 struct yore_error *error_out)
{
    YORE_ASSERT(segment <= atomic_load(&journal->active_number));
    os_mutex_lock(journal->lock);
    if (segment > journal->released) {
        journal->released = segment;
    }
    os_mutex_unlock(journal->lock);
    return journal_drop_released(journal, error_out);
}

static enum yore_status unlink_spares(struct journal *journal, struct yore_error *error_out)
{
    char *path = path_room(journal);
    enum yore_status st = path == NULL ? error_plain(error_out, YORE_NOMEM) : YORE_OK;
    while (st == YORE_OK) {
        os_mutex_lock(journal->lock);
        bool is_some = journal->spare_count > 0;
        uint64_t number = is_some ? journal->spares[--journal->spare_count].number : 0;
        os_mutex_unlock(journal->lock);
        if (!is_some) {
            break;
        }
        path_write(journal, SPARE_STEM, number, path);
        st = os_path_unlink(journal->env, path, error_out);
    }
    mem_free(path);
    return st;
}

enum yore_status journal_purge(struct journal *journal, struct yore_error *error_out)
{
    os_mutex_lock(journal->append_lock);
    os_mutex_lock(journal->lock);
    for (size_t i = 0; i + 1 < journal->segment_count; i++) {
        if (journal->segments[i].number < journal->released) {
            journal->segments[i].is_doomed = true;
        }
    }
    os_mutex_unlock(journal->lock);
    enum yore_status st = journal_drop_released(journal, error_out);
    if (st == YORE_OK) {
        st = unlink_spares(journal, error_out);
    }
    if (st == YORE_OK) {
        /* A recycled segment still holds, past its end, what it held before. */
        st = record_log_wipe(journal->active->writer, error_out);
    }
    if (st == YORE_OK) {
        st = os_dir_sync(journal->env, journal->dir, error_out);
    }
    os_mutex_unlock(journal->append_lock);
    return st;
}

void journal_usage(const struct journal *journal, uint64_t *bytes_out, int64_t *first_commit_out)
{
    os_mutex_lock(journal->lock);
    uint64_t bytes = record_log_file_bytes(journal->active->writer);
    int64_t first = INT64_MAX;
    for (size_t i = 0; i < journal->segment_count; i++) {
        const struct segment *segment = &journal->segments[i];
        bytes += segment->file_bytes;
        if (!segment->is_doomed && segment->commit_first < first) {
            first = segment->commit_first;
        }
    }
    for (uint32_t i = 0; i < journal->spare_count; i++) {
        bytes += journal->spares[i].bytes;
    }
    os_mutex_unlock(journal->lock);
    *bytes_out = bytes;
    *first_commit_out = first;
}

enum yore_status journal_close(struct journal *journal, struct yore_error *error_out)
{
    if (journal == NULL) {
        return YORE_OK;
    }
    enum yore_status st = YORE_OK;
    if (journal->active != NULL) {
        YORE_ASSERT(journal->active->refs == 1);
        st = mark(journal, error_out);
        if (journal->closed != NULL) {
            active_unref(journal, journal->closed); /* after a failure */
        }
        enum yore_status closed = record_log_close(journal->active->writer, st == YORE_OK,
                                                   st == YORE_OK ? error_out : NULL);
        st = st == YORE_OK ? closed : st;
        mem_free(journal->active);
        enum yore_status unlinked = unlink_spares(journal, st == YORE_OK ? error_out : NULL);
        st = st == YORE_OK ? unlinked : st;
    }
    if (journal->lock != NULL) {
        os_mutex_release(journal->lock);
    }
    if (journal->append_lock != NULL) {
        os_mutex_release(journal->append_lock);
    }
    mem_free(journal->lock);
    mem_free(journal->append_lock);
    mem_free(journal->segments);
    mem_free(journal->spares);
    mem_free(journal->dir);
    mem_free(journal);
    return st;
}
