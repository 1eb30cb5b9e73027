/* Segments that are closed: found, kept for readers, recycled, wiped. */
#include <string.h>

#include "base/assert.h"
#include "base/mem.h"
#include "journal/journal_internal.h"

#define BLANK_BYTES 4096u

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

/* REQUIRES journal->lock. */
static void note_stale(struct journal *journal, int64_t commit_first)
{
    if (commit_first < journal->stale_first) {
        journal->stale_first = commit_first;
    }
}

/* Make the file of a segment that left the list a spare, or unlink it. */
static enum yore_status drop_file(struct journal *journal, const struct segment *segment,
                                  bool is_spare, const struct drop_paths *paths,
                                  struct yore_error *error_out)
{
    journal_path_write(journal, JOURNAL_SEGMENT_STEM, segment->number, paths->from);
    journal_path_write(journal, JOURNAL_SPARE_STEM, segment->number, paths->to);
    enum yore_status st = is_spare ? os_path_rename(journal->env, paths->from, paths->to, error_out)
                                   : os_path_unlink(journal->env, paths->from, error_out);
    st = os_missing_is_io(st, error_out);
    if (is_spare) {
        os_mutex_lock(journal->lock);
        journal->spares_promised--;
        if (st == YORE_OK) {
            journal->spares[journal->spare_count++] =
                (struct spare){.number = segment->number, .bytes = segment->file_bytes};
            note_stale(journal, segment->commit_first);
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
    struct drop_paths paths = {journal_path_room(journal), journal_path_room(journal)};
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

enum yore_status journal_unlink_spares(struct journal *journal, struct yore_error *error_out)
{
    char *path = journal_path_room(journal);
    enum yore_status st = path == NULL ? error_plain(error_out, YORE_NOMEM) : YORE_OK;
    while (st == YORE_OK) {
        os_mutex_lock(journal->lock);
        bool is_some = journal->spare_count > 0;
        uint64_t number = is_some ? journal->spares[--journal->spare_count].number : 0;
        os_mutex_unlock(journal->lock);
        if (!is_some) {
            break;
        }
        journal_path_write(journal, JOURNAL_SPARE_STEM, number, path);
        st = os_path_unlink(journal->env, path, error_out);
    }
    mem_free(path);
    return os_missing_is_io(st, error_out);
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
    int64_t stale_first = journal->stale_first;
    journal->stale_first = INT64_MAX;
    os_mutex_unlock(journal->lock);
    enum yore_status st = journal_drop_released(journal, error_out);
    if (st == YORE_OK) {
        st = journal_unlink_spares(journal, error_out);
    }
    if (st == YORE_OK) {
        /* A recycled segment still holds, past its end, what it held before. */
        st = record_log_wipe(journal->active->writer, error_out);
    }
    if (st == YORE_OK) {
        st = os_missing_is_io(os_dir_sync(journal->env, journal->dir, error_out), error_out);
    }
    if (st != YORE_OK) {
        os_mutex_lock(journal->lock);
        note_stale(journal, stale_first);
        os_mutex_unlock(journal->lock);
    }
    os_mutex_unlock(journal->append_lock);
    return st;
}

/* Zeros from `from` to the end, or no such file any more. */
static bool is_rest_blank(struct os_env *env, const char *path, uint64_t from)
{
    static const unsigned char zeros[BLANK_BYTES];
    unsigned char octets[BLANK_BYTES];
    struct os_file *file = NULL;
    size_t read = sizeof octets;
    bool is_blank = true;
    enum yore_status st = os_file_open(env, path, OS_OPEN_READ, &file, NULL);
    if (st != YORE_OK) {
        return st == YORE_NOT_FOUND;
    }
    while (is_blank && read == sizeof octets) {
        st = os_file_read(file, from, octets, sizeof octets, &read, NULL);
        is_blank = st == YORE_OK && memcmp(octets, zeros, read) == 0;
        from += read;
    }
    os_file_close(file);
    return is_blank;
}

static bool is_untold(const struct journal *journal, const struct segment *segment)
{
    if (!segment->is_doomed || segment->copied_end == 0) {
        return segment->is_doomed;
    }
    char *path = journal_segment_path(journal, segment->number);
    bool is_blank = path != NULL && is_rest_blank(journal->env, path, segment->copied_end);
    mem_free(path);
    return !is_blank;
}

bool journal_has_untold(const struct journal *journal)
{
    bool has_untold = false;
    bool is_there = true;
    for (size_t i = 0; is_there && !has_untold; i++) {
        struct segment segment = {0};
        os_mutex_lock(journal->lock);
        is_there = i < journal->segment_count;
        if (is_there) {
            segment = journal->segments[i];
        }
        os_mutex_unlock(journal->lock);
        has_untold = is_untold(journal, &segment);
    }
    return has_untold;
}

int64_t journal_stale_first(const struct journal *journal)
{
    os_mutex_lock(journal->lock);
    int64_t first = journal->stale_first;
    os_mutex_unlock(journal->lock);
    return first;
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
