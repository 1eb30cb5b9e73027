/* Walking the journal: the feed, the list for a backup, the check of everything.
 *
 * A walk pins its segments when it begins, so that no file it has yet to read is recycled, and ends
 * where the journal ended at that moment.  One that follows pins the segment it reads during a call
 * and no longer, since nobody knows when the next call comes.  What a recovery copied is met twice
 * and passed over the second time.
 */
#include <string.h>

#include "base/assert.h"
#include "base/mem.h"
#include "journal/journal_internal.h"

/* ---- pinned segments ---- */

struct pinned {
    struct segment *segments; /* copies, ascending; the last one was being written */
    size_t count;
    uint64_t end_bytes; /* of the last one */
};

enum pin_what {
    PIN_ALL,
    PIN_AFTER /* what is needed for the commits > `after` */
};

static enum yore_status gone(const struct journal *journal, int64_t after,
                             struct yore_error *error_out)
{
    return error_set(error_out, YORE_BEFORE_HORIZON,
                     "%s: the journal no longer holds every commit after %lld", journal->dir,
                     (long long)after);
}

/* YORE_BEFORE_HORIZON: commits after `after` are gone. */
static enum yore_status pin(struct journal *journal, enum pin_what what, int64_t after,
                            struct pinned *pinned_out, struct yore_error *error_out)
{
    *pinned_out = (struct pinned){0};
    os_mutex_lock(journal->lock);
    size_t index = what == PIN_ALL ? 0 : journal_index_after(journal, after);
    size_t count = journal->segment_count - index;
    struct segment *segments = mem_array(count + 1, sizeof(*segments));
    enum yore_status st = segments == NULL ? YORE_NOMEM
                          : count == 0     ? YORE_BEFORE_HORIZON
                                           : YORE_OK;
    size_t kept = 0;
    for (size_t i = 0; i < count && st == YORE_OK; i++) {
        if (!journal->segments[index + i].is_doomed) {
            journal->segments[index + i].pins++;
            segments[kept++] = journal->segments[index + i];
        }
    }
    if (st == YORE_OK) {
        struct segment *active = &segments[kept - 1];
        active->end_bytes = record_log_bytes(journal->active->writer);
        active->commit_last = atomic_load(&journal->appended);
    }
    os_mutex_unlock(journal->lock);
    if (st != YORE_OK) {
        mem_free(segments);
        return st == YORE_NOMEM ? error_plain(error_out, st) : gone(journal, after, error_out);
    }
    pinned_out->segments = segments;
    pinned_out->count = kept;
    pinned_out->end_bytes = segments[kept - 1].end_bytes;
    return YORE_OK;
}

static void unpin(struct journal *journal, uint64_t number)
{
    os_mutex_lock(journal->lock);
    struct segment *segment = journal_find_segment(journal, number);
    YORE_ASSERT(segment != NULL && segment->pins > 0);
    segment->pins--;
    os_mutex_unlock(journal->lock);
}

/* A file that cannot be dropped now is met again by the next release. */
static void unpin_from(struct journal *journal, const struct pinned *pinned, size_t from)
{
    for (size_t i = from; i < pinned->count; i++) {
        unpin(journal, pinned->segments[i].number);
    }
    (void)journal_drop_released(journal, NULL);
}

/* The segment must be pinned. */
static enum yore_status open_segment(struct journal *journal, uint64_t number,
                                     struct record_log_reader **log_out,
                                     struct yore_error *error_out)
{
    *log_out = NULL;
    char *path = journal_segment_path(journal, number);
    if (path == NULL) {
        return error_plain(error_out, YORE_NOMEM);
    }
    enum yore_status st =
        record_log_open(journal->env, path, journal_identity(journal, number), log_out, error_out);
    mem_free(path);
    return st == YORE_NOT_FOUND ? YORE_CORRUPT : st;
}

static enum yore_status open_pinned(struct journal *journal, const struct pinned *pinned,
                                    size_t index, struct record_log_reader **log_out,
                                    struct yore_error *error_out)
{
    enum yore_status st = open_segment(journal, pinned->segments[index].number, log_out, error_out);
    if (st == YORE_OK && index == pinned->count - 1) {
        record_log_reader_bound(*log_out, pinned->end_bytes);
    }
    return st;
}

/* ---- the feed ---- */

struct journal_reader {
    struct journal *journal;
    struct pinned pinned;
    size_t at; /* the segment being read; those before are unpinned */
    struct record_log_reader *log;
    int64_t last; /* commit handed out */
    bool is_following;
    /* Following: */
    uint64_t number; /* of `log`; 0: to be found */
    uint64_t done;   /* read to its end */
};

static enum yore_status reader_new(struct journal *journal, int64_t after,
                                   struct journal_reader **reader_out, struct yore_error *error_out)
{
    *reader_out = mem_zalloc(sizeof(**reader_out));
    if (*reader_out == NULL) {
        return error_plain(error_out, YORE_NOMEM);
    }
    (*reader_out)->journal = journal;
    (*reader_out)->last = after;
    return YORE_OK;
}

enum yore_status journal_reader_open(struct journal *journal, int64_t after,
                                     struct journal_reader **reader_out,
                                     struct yore_error *error_out)
{
    enum yore_status st = reader_new(journal, after, reader_out, error_out);
    if (st == YORE_OK) {
        st = pin(journal, PIN_AFTER, after, &(*reader_out)->pinned, error_out);
    }
    if (st != YORE_OK) {
        mem_free(*reader_out);
        *reader_out = NULL;
    }
    return st;
}

static void end_reader_segment(struct journal_reader *reader)
{
    record_log_reader_close(reader->log);
    reader->log = NULL;
    unpin(reader->journal, reader->pinned.segments[reader->at].number);
    reader->at++;
}

static enum yore_status next_pinned(struct journal_reader *reader, struct record *record_out,
                                    struct yore_error *error_out)
{
    while (reader->at < reader->pinned.count) {
        enum yore_status st = YORE_OK;
        if (reader->log == NULL) {
            st = open_pinned(reader->journal, &reader->pinned, reader->at, &reader->log, error_out);
        }
        if (st == YORE_OK) {
            st = record_log_next(reader->log, record_out, error_out);
        }
        if (st != YORE_NOT_FOUND) {
            return st;
        }
        end_reader_segment(reader);
    }
    return YORE_NOT_FOUND;
}

/* ---- following ---- */

/* The segment a follower reads now, pinned. */
struct hold {
    uint64_t number;
    uint64_t end_bytes;
    bool is_active;
    struct waymark begin; /* of the active one; offset 0: from its first record on */
};

/* Under the lock: how far into the active segment a reader that has had `last` may begin. */
static struct waymark begin_after(const struct journal *journal, int64_t last)
{
    const struct waymarks *way = &journal->waymarks;
    for (uint32_t i = way->count; i > 0; i--) {
        if (way->marks[i - 1].commit <= last) {
            return way->marks[i - 1];
        }
    }
    return (struct waymark){0};
}

static enum yore_status hold_segment(struct journal_reader *reader, struct hold *hold_out,
                                     struct yore_error *error_out)
{
    struct journal *journal = reader->journal;
    struct segment *segment = NULL;
    os_mutex_lock(journal->lock);
    if (reader->number != 0) {
        segment = journal_find_segment(journal, reader->number);
    } else {
        size_t index = journal_index_after(journal, reader->last);
        segment = index < journal->segment_count ? &journal->segments[index] : NULL;
    }
    bool is_there = segment != NULL && !segment->is_doomed && segment->number > reader->done;
    if (is_there) {
        bool is_active = segment == &journal->segments[journal->segment_count - 1];
        segment->pins++;
        *hold_out = (struct hold){.number = segment->number,
                                  .end_bytes = is_active ? record_log_bytes(journal->active->writer)
                                                         : segment->end_bytes,
                                  .is_active = is_active};
        if (is_active && reader->log == NULL) {
            hold_out->begin = begin_after(journal, reader->last);
        }
    }
    os_mutex_unlock(journal->lock);
    return is_there ? YORE_OK : gone(journal, reader->last, error_out);
}

/* What was released meanwhile need not wait for the next release. */
static void let_go(struct journal *journal, uint64_t number)
{
    os_mutex_lock(journal->lock);
    struct segment *segment = journal_find_segment(journal, number);
    YORE_ASSERT(segment != NULL && segment->pins > 0);
    segment->pins--;
    bool is_released = segment->number < journal->released;
    os_mutex_unlock(journal->lock);
    if (is_released) {
        (void)journal_drop_released(journal, NULL);
    }
}

/* YORE_NOT_FOUND: at the end of what is held. */
static enum yore_status read_held(struct journal_reader *reader, const struct hold *hold,
                                  struct record *record_out, struct yore_error *error_out)
{
    enum yore_status st = YORE_OK;
    if (reader->log == NULL) {
        st = open_segment(reader->journal, hold->number, &reader->log, error_out);
        if (st != YORE_OK) {
            return st;
        }
        reader->number = hold->number;
        if (hold->is_active) {
            record_log_reader_bound(reader->log, hold->end_bytes);
        }
        if (hold->begin.offset != 0) {
            record_log_reader_seek(reader->log, hold->begin.offset, hold->begin.index);
        }
    }
    record_log_reader_extend(reader->log, hold->end_bytes);
    return record_log_next(reader->log, record_out, error_out);
}

static enum yore_status next_following(struct journal_reader *reader, struct record *record_out,
                                       struct yore_error *error_out)
{
    struct hold hold;
    enum yore_status st = hold_segment(reader, &hold, error_out);
    while (st == YORE_OK) {
        st = read_held(reader, &hold, record_out, error_out);
        let_go(reader->journal, hold.number);
        if (st != YORE_NOT_FOUND || hold.is_active) {
            return st;
        }
        record_log_reader_close(reader->log);
        reader->log = NULL;
        reader->number = 0;
        reader->done = hold.number;
        st = hold_segment(reader, &hold, error_out);
    }
    return st;
}

enum yore_status journal_reader_follow(struct journal *journal, int64_t after,
                                       struct journal_reader **reader_out,
                                       struct yore_error *error_out)
{
    struct hold hold;
    enum yore_status st = reader_new(journal, after, reader_out, error_out);
    if (st == YORE_OK) {
        (*reader_out)->is_following = true;
        st = hold_segment(*reader_out, &hold, error_out);
    }
    if (st != YORE_OK) {
        mem_free(*reader_out);
        *reader_out = NULL;
        return st;
    }
    let_go(journal, hold.number);
    return YORE_OK;
}

/* ---- both ---- */

enum yore_status journal_reader_next(struct journal_reader *reader, struct yore_bytes *payload_out,
                                     struct yore_error *error_out)
{
    struct record record;
    enum yore_status st = YORE_OK;
    while (st == YORE_OK) {
        st = reader->is_following ? next_following(reader, &record, error_out)
                                  : next_pinned(reader, &record, error_out);
        int64_t commit;
        if (st == YORE_OK && record.type == JOURNAL_TYPE_COMMIT &&
            journal_commit_time(record.payload, &commit) && commit > reader->last) {
            reader->last = commit;
            *payload_out = record.payload;
            return YORE_OK;
        }
    }
    return st;
}

void journal_reader_close(struct journal_reader *reader)
{
    if (reader == NULL) {
        return;
    }
    record_log_reader_close(reader->log);
    if (!reader->is_following) {
        unpin_from(reader->journal, &reader->pinned, reader->at);
    }
    mem_free(reader->pinned.segments);
    mem_free(reader);
}

/* ---- the check ---- */

struct verification {
    struct journal *journal;
    struct pinned pinned;
    uint64_t records;
    uint64_t bytes;
    /* Of the segment before. */
    int64_t last;
    uint64_t end_bytes;
};

/* Every record up to the end; YORE_NOT_FOUND is the good outcome. */
static enum yore_status verify_records(struct verification *v, struct record_log_reader *log,
                                       const char *path, struct yore_error *error_out)
{
    struct record record;
    enum yore_status st;
    while ((st = record_log_next(log, &record, error_out)) == YORE_OK) {
        int64_t commit;
        if (record.type != JOURNAL_TYPE_COMMIT) {
            continue;
        }
        if (!journal_commit_time(record.payload, &commit) || commit <= v->last) {
            return error_set(error_out, YORE_CORRUPT, "%s: record out of order at offset %llu",
                             path, (unsigned long long)record.offset);
        }
        v->last = commit;
        v->records++;
    }
    return st;
}

/* A segment that goes on from another must find all of it. */
static enum yore_status verify_join(struct verification *v, size_t index,
                                    const struct journal_begin *begin, struct yore_error *error_out)
{
    if (index > 0 && begin->copied_from == 0 && begin->commit_before != v->last) {
        char *path = journal_segment_path(v->journal, v->pinned.segments[index - 1].number);
        enum yore_status st =
            error_set(error_out, YORE_CORRUPT, "%s: damaged record at offset %llu",
                      path == NULL ? "" : path, (unsigned long long)v->end_bytes);
        mem_free(path);
        return st;
    }
    v->last = begin->commit_before;
    return YORE_OK;
}

static enum yore_status verify_segment(struct verification *v, size_t index,
                                       struct yore_error *error_out)
{
    struct record_log_reader *log;
    struct journal_begin begin;
    enum yore_status st = open_pinned(v->journal, &v->pinned, index, &log, error_out);
    if (st != YORE_OK) {
        return st;
    }
    char *path = journal_segment_path(v->journal, v->pinned.segments[index].number);
    st = path == NULL ? error_plain(error_out, YORE_NOMEM)
                      : journal_read_begin(log, path, &begin, error_out);
    if (st == YORE_NOT_FOUND) {
        st = YORE_CORRUPT;
    } else if (st == YORE_OK) {
        st = verify_join(v, index, &begin, error_out);
    }
    if (st == YORE_OK) {
        st = verify_records(v, log, path, error_out);
    }
    if (st == YORE_NOT_FOUND) {
        uint64_t last_index;
        (void)record_log_end(log, &v->end_bytes, &last_index);
        v->bytes += v->end_bytes;
        st = YORE_OK;
    }
    record_log_reader_close(log);
    mem_free(path);
    return st;
}

enum yore_status journal_verify(struct journal *journal, uint64_t *records_out, uint64_t *bytes_out,
                                struct yore_error *error_out)
{
    struct verification v = {.journal = journal};
    enum yore_status st = pin(journal, PIN_ALL, 0, &v.pinned, error_out);
    for (size_t i = 0; i < v.pinned.count && st == YORE_OK; i++) {
        st = verify_segment(&v, i, error_out);
    }
    if (v.pinned.segments != NULL) {
        unpin_from(journal, &v.pinned, 0);
        mem_free(v.pinned.segments);
    }
    *records_out = v.records;
    *bytes_out = v.bytes;
    return st;
}
