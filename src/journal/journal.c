/* The journal while it is written: append, sync, mark, rotate, close.  What a crash may leave is
 * listed in journal_internal.h and mended in journal_recover.c.
 */
#include "journal/journal.h"

#include <string.h>

#include "base/assert.h"
#include "base/mem.h"
#include "journal/commit_codec.h"
#include "journal/journal_internal.h"

/* ---- failure ---- */

/* The first failure, if there was one: what every append and sync gets from then on. */
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

bool journal_has_failed(const struct journal *journal)
{
    return atomic_load(&journal->is_failed);
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
    enum yore_status st = journal_stage_joined(journal, &is_joining, error_out);
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

static void set_waymark(struct journal *journal, int64_t commit)
{
    struct waymarks *way = &journal->waymarks;
    struct record_log_writer *writer = journal->active->writer;
    uint64_t offset = record_log_bytes(writer);
    if (offset < (way->count > 0 ? way->marks[way->count - 1].offset : 0) + way->step_bytes) {
        return;
    }
    os_mutex_lock(journal->lock);
    if (way->count == WAYMARKS_MAX) {
        way->count /= 2;
        for (uint32_t i = 0; i < way->count; i++) {
            way->marks[i] = way->marks[2 * i + 1];
        }
        way->step_bytes *= 2;
    }
    way->marks[way->count++] =
        (struct waymark){commit, offset, (uint32_t)record_log_next_sequence(writer)};
    os_mutex_unlock(journal->lock);
}

static uint64_t copied_bytes(const struct journal_entry *entries, size_t count)
{
    uint64_t copied = 0;
    for (size_t i = 0; i < count; i++) {
        uint64_t bytes = (uint64_t)entries[i].header.size + entries[i].writes.size;
        copied += bytes <= RECORD_COPIED_BYTES_MAX ? bytes : 0;
    }
    return copied;
}

enum yore_status journal_reserve(struct journal *journal, const struct journal_entry *entries,
                                 size_t count, struct yore_error *error_out)
{
    os_mutex_lock(journal->append_lock);
    enum yore_status st = check_failure(journal, error_out);
    if (st == YORE_OK && !is_room_for(journal, entries, count)) {
        st = journal_next_active(journal, error_out);
    }
    if (st == YORE_OK) { /* a JOINED may come before them */
        st = record_log_reserve(journal->active->writer, copied_bytes(entries, count), count + 1);
        st = st == YORE_OK ? st : error_plain(error_out, st);
    }
    os_mutex_unlock(journal->append_lock);
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
        st = journal_next_active(journal, error_out);
    }
    if (st == YORE_OK) {
        st = append_entries(journal, entries, count, &error);
        if (st == YORE_OK) {
            note_appended(journal, entries[0].commit, entries[count - 1].commit);
            set_waymark(journal, entries[count - 1].commit);
        } else if (st == YORE_NOMEM || st == YORE_TOO_BIG) {
            if (error_out != NULL) {
                *error_out = error;
            } /* nothing was written; or half of a large group, and then the writer repeats it */
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
    struct active_log *active = journal_active_ref(journal);
    os_mutex_unlock(journal->lock);
    st = journal_sync_closed(journal, &error);
    if (st == YORE_OK) {
        st = record_log_sync_at(active->writer, OS_SITE, &error);
    }
    journal_active_unref(journal, active);
    if (st != YORE_OK) {
        return journal_fail(journal, &error, error_out);
    }
    note_durable(journal, commit);
    return YORE_OK;
}

static bool is_now_due(const struct journal *journal)
{
    int64_t commit = atomic_load(&journal->appended);
    return journal->now > commit && journal->now > journal->now_recorded;
}

/* Sync, say so, sync again.  Holds append_lock, or is the only thread. */
static enum yore_status mark(struct journal *journal, struct yore_error *error_out)
{
    struct yore_error error = {0};
    enum yore_status st = check_failure(journal, error_out);
    if (st != YORE_OK) {
        return st;
    }
    int64_t commit = atomic_load(&journal->appended);
    st = journal_sync_closed(journal, &error);
    if (st == YORE_OK && is_now_due(journal)) {
        st = journal_stage_now(journal, journal->now, &error);
    }
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
    enum yore_status st = !journal->is_begun   ? journal_sync(journal, error_out)
                          : journal->is_marked ? check_failure(journal, error_out)
                                               : mark(journal, error_out);
    os_mutex_unlock(journal->append_lock);
    return st;
}

void journal_note_now(struct journal *journal, int64_t now)
{
    os_mutex_lock(journal->append_lock);
    journal->now = now > journal->now ? now : journal->now;
    os_mutex_unlock(journal->append_lock);
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
        st = journal_next_active(journal, error_out);
    }
    if (st == YORE_OK &&
        !journal->is_begun) { /* of now, or of an earlier call that had no memory */
        st = journal_carry_now(journal, error_out);
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

enum yore_status journal_close(struct journal *journal, struct yore_error *error_out)
{
    if (journal == NULL) {
        return YORE_OK;
    }
    enum yore_status st = YORE_OK;
    if (journal->active != NULL) {
        YORE_ASSERT(journal->active->refs == 1);
        st = journal->is_marked && !is_now_due(journal) ? check_failure(journal, error_out)
                                                        : mark(journal, error_out);
        enum yore_status closed = record_log_close(journal->active->writer, st == YORE_OK,
                                                   st == YORE_OK ? error_out : NULL);
        st = st == YORE_OK ? closed : st;
        mem_free(journal->active);
        enum yore_status unlinked =
            journal_unlink_spares(journal, st == YORE_OK ? error_out : NULL);
        st = st == YORE_OK ? unlinked : st;
    }
    if (journal->closed != NULL) {
        journal_active_unref(journal, journal->closed); /* after a failure */
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
