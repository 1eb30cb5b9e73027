/* Walking the journal: the feed, the list for a backup, the check of everything.
 *
 * A walk pins its segments when it begins, so that no file it has yet to read is recycled, and ends
 * where the journal ended at that moment.  What a recovery copied is met twice and passed over the
 * second time.
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
    PIN_AFTER,        /* what is needed for the commits > `after` */
    PIN_DURABLE_AFTER /* of the last segment only what is durable */
};

/* YORE_BEFORE_HORIZON: commits after `after` are gone. */
static enum yore_status pin(struct journal *journal, enum pin_what what, int64_t after,
                            struct pinned *pinned_out, struct yore_error *error_out)
{
    bool is_durable_only = what == PIN_DURABLE_AFTER;
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
        struct record_log_writer *writer = journal->active->writer;
        active->end_bytes =
            is_durable_only ? record_log_durable_bytes(writer) : record_log_bytes(writer);
        active->commit_last =
            is_durable_only ? atomic_load(&journal->durable) : atomic_load(&journal->appended);
    }
    os_mutex_unlock(journal->lock);
    if (st != YORE_OK) {
        mem_free(segments);
        return st == YORE_NOMEM ? error_plain(error_out, st)
                                : error_set(error_out, st,
                                            "%s: the journal no longer holds every commit after "
                                            "%lld",
                                            journal->dir, (long long)after);
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

static enum yore_status open_pinned(struct journal *journal, const struct pinned *pinned,
                                    size_t index, struct record_log_reader **log_out,
                                    struct yore_error *error_out)
{
    uint64_t number = pinned->segments[index].number;
    *log_out = NULL;
    char *path = journal_segment_path(journal, number);
    if (path == NULL) {
        return error_plain(error_out, YORE_NOMEM);
    }
    enum yore_status st =
        record_log_open(journal->env, path, journal_identity(journal, number), log_out, error_out);
    mem_free(path);
    if (st == YORE_OK && index == pinned->count - 1) {
        record_log_reader_bound(*log_out, pinned->end_bytes);
    }
    return st == YORE_NOT_FOUND ? YORE_CORRUPT : st;
}

/* ---- the feed ---- */

struct journal_reader {
    struct journal *journal;
    struct pinned pinned;
    size_t at; /* the segment being read; those before are unpinned */
    struct record_log_reader *log;
    int64_t last; /* commit handed out */
};

enum yore_status journal_reader_open(struct journal *journal, int64_t after,
                                     struct journal_reader **reader_out,
                                     struct yore_error *error_out)
{
    *reader_out = NULL;
    struct journal_reader *reader = mem_zalloc(sizeof(*reader));
    if (reader == NULL) {
        return error_plain(error_out, YORE_NOMEM);
    }
    enum yore_status st = pin(journal, PIN_AFTER, after, &reader->pinned, error_out);
    if (st != YORE_OK) {
        mem_free(reader);
        return st;
    }
    reader->journal = journal;
    reader->last = after;
    *reader_out = reader;
    return YORE_OK;
}

static void end_reader_segment(struct journal_reader *reader)
{
    record_log_reader_close(reader->log);
    reader->log = NULL;
    unpin(reader->journal, reader->pinned.segments[reader->at].number);
    reader->at++;
}

enum yore_status journal_reader_next(struct journal_reader *reader, struct yore_bytes *payload_out,
                                     struct yore_error *error_out)
{
    struct record record;
    while (reader->at < reader->pinned.count) {
        enum yore_status st = YORE_OK;
        if (reader->log == NULL) {
            st = open_pinned(reader->journal, &reader->pinned, reader->at, &reader->log, error_out);
        }
        if (st == YORE_OK) {
            st = record_log_next(reader->log, &record, error_out);
            if (st == YORE_NOT_FOUND) {
                end_reader_segment(reader);
                continue;
            }
        }
        if (st != YORE_OK) {
            return st;
        }
        int64_t commit;
        if (record.type == JOURNAL_TYPE_COMMIT && journal_commit_time(record.payload, &commit) &&
            commit > reader->last) {
            reader->last = commit;
            *payload_out = record.payload;
            return YORE_OK;
        }
    }
    return YORE_NOT_FOUND;
}

void journal_reader_close(struct journal_reader *reader)
{
    if (reader == NULL) {
        return;
    }
    record_log_reader_close(reader->log);
    unpin_from(reader->journal, &reader->pinned, reader->at);
    mem_free(reader->pinned.segments);
    mem_free(reader);
}

/* ---- the list ---- */

enum yore_status journal_list(struct journal *journal, int64_t after,
                              int (*each)(void *arg, const struct journal_segment_info *info),
                              void *arg)
{
    struct pinned pinned;
    enum yore_status st = pin(journal, PIN_DURABLE_AFTER, after, &pinned, NULL);
    if (st != YORE_OK) {
        return st;
    }
    for (size_t i = 0; i < pinned.count; i++) {
        const struct segment *segment = &pinned.segments[i];
        const struct journal_segment_info info = {.number = segment->number,
                                                  .bytes = segment->end_bytes,
                                                  .commit_first = segment->commit_first,
                                                  .commit_last = segment->commit_last};
        if (each(arg, &info) != 0) {
            break;
        }
    }
    unpin_from(journal, &pinned, 0);
    mem_free(pinned.segments);
    return YORE_OK;
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
