/* Opening the journal: what the last run left is replayed and copied, never appended to.
 *
 * Every run begins with a copy of what it replayed, in a segment of a new number.  So a crash at
 * any point of a recovery leaves the old segments and a part of the copy: the next recovery replays
 * the old ones, and of the copy only what is greater than the last commit seen.
 *
 * Where the tail of a closed segment is gone although the next one goes on from it, that one's
 * JOINED (or a third segment) tells damage from a power cut: without, the next segment had never
 * been durable, and is passed over.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/coding.h"
#include "base/mem.h"
#include "journal/journal_internal.h"

/* The copy is written in groups of this size ... */
#define COPY_BYTES (1u << 20)
/* ... and into segments of twice the usual size: what a run leaves then mostly fits into one. */
#define COPY_SEGMENT_FACTOR 2u
#define NAME_DIGITS 16

/* ---- what lies in the directory ---- */

struct number_list {
    uint64_t *items;
    size_t count;
    size_t capacity;
};

static bool number_list_add(struct number_list *list, uint64_t number)
{
    uint64_t *items = mem_grow(list->items, list->count, &list->capacity, sizeof *items);
    if (items == NULL) {
        return false;
    }
    list->items = items;
    list->items[list->count++] = number;
    return true;
}

static bool number_list_has(const struct number_list *list, uint64_t number)
{
    for (size_t i = 0; i < list->count; i++) {
        if (list->items[i] == number) {
            return true;
        }
    }
    return false;
}

static int compare_numbers(const void *a, const void *b)
{
    const uint64_t *left = a;
    const uint64_t *right = b;
    return *left < *right ? -1 : *left > *right;
}

/* `name` is stem, 16 hexadecimal digits, ".log"; numbers begin with 1. */
static bool parse_name(const char *name, const char *stem, uint64_t *number_out)
{
    size_t stem_size = strlen(stem);
    if (strlen(name) != stem_size + NAME_DIGITS + 4 || memcmp(name, stem, stem_size) != 0 ||
        strcmp(name + stem_size + NAME_DIGITS, ".log") != 0) {
        return false;
    }
    uint64_t number = 0;
    for (size_t i = 0; i < NAME_DIGITS; i++) {
        char digit = name[stem_size + i];
        unsigned value;
        if (digit >= '0' && digit <= '9') {
            value = (unsigned)(digit - '0');
        } else if (digit >= 'a' && digit <= 'f') {
            value = (unsigned)(digit - 'a') + 10;
        } else {
            return false;
        }
        number = number << 4 | value;
    }
    *number_out = number;
    return number != 0 && number <= JOURNAL_SEGMENT_MAX;
}

/* ---- the state of a recovery ---- */

struct recovery {
    struct journal *journal;
    const struct journal_options *options;
    journal_replay_fn replay;
    void *arg;
    struct journal_recovery *told;
    struct number_list numbers; /* of segments, ascending */
    struct number_list spares;
    bool is_nomem;
    bool is_begun;    /* the copy exists */
    int64_t last;     /* commit */
    int64_t run_last; /* commit last read of the run being read; behind `last` in a copy */
    /* The valid segment read before. */
    uint64_t previous; /* 0: none */
    bool is_previous_sealed;
    /* The segment whose tail is gone while others go on from it; 0: none. */
    uint64_t cut;
    uint64_t cut_at;
    uint64_t previous_end;
    struct segment *found; /* one for each of `numbers` */
};

static int note_name(void *arg, const char *name)
{
    struct recovery *r = arg;
    uint64_t number;
    bool is_added = true;
    if (parse_name(name, "journal-", &number)) {
        is_added = number_list_add(&r->numbers, number);
    } else if (parse_name(name, "journal-free-", &number)) {
        is_added = number_list_add(&r->spares, number);
    }
    r->is_nomem = !is_added;
    return is_added ? 0 : 1;
}

static enum yore_status list_files(struct recovery *r, struct yore_error *error_out)
{
    struct journal *journal = r->journal;
    enum yore_status st = os_dir_list(journal->env, journal->dir, note_name, r, error_out);
    if (st != YORE_OK || r->is_nomem) {
        return r->is_nomem ? error_plain(error_out, YORE_NOMEM) : st;
    }
    if (r->numbers.count > 0) {
        qsort(r->numbers.items, r->numbers.count, sizeof(uint64_t), compare_numbers);
    }
    r->found = mem_array(r->numbers.count + 1, sizeof(*r->found));
    return r->found == NULL ? error_plain(error_out, YORE_NOMEM) : YORE_OK;
}

/* Spares were released for good when they were renamed; on a full disk they are room for the copy.
 */
static enum yore_status unlink_spares(struct recovery *r, struct yore_error *error_out)
{
    enum yore_status st = YORE_OK;
    if (r->options->reads_only && r->spares.count > 0) {
        r->journal->stale_first = INT64_MIN; /* they hold what nobody knows */
    }
    for (size_t i = 0; i < r->spares.count && st == YORE_OK; i++) {
        char *path = journal_spare_path(r->journal, r->spares.items[i]);
        st = path == NULL ? error_plain(error_out, YORE_NOMEM)
                          : os_path_unlink(r->journal->env, path, error_out);
        mem_free(path);
    }
    return st;
}

static enum yore_status missing_segment(const struct recovery *r, uint64_t number,
                                        struct yore_error *error_out)
{
    return error_set(error_out, YORE_CORRUPT, "%s/journal-%016" PRIx64 ".log: is missing",
                     r->journal->dir, number);
}

/* ---- the copy ---- */

static enum yore_status begin_copy(struct recovery *r, int64_t commit_before,
                                   struct yore_error *error_out)
{
    const struct journal_begin begin = {
        .copied_from = r->options->first_segment > 0 ? r->options->first_segment : 1,
        .commit_before = commit_before};
    if (r->is_begun) {
        return YORE_OK;
    }
    r->is_begun = true;
    r->journal->copy = atomic_load(&r->journal->next_number);
    enum yore_status st = journal_begin_segment(r->journal, &begin, error_out);
    r->told->first_live_segment = atomic_load(&r->journal->active_number);
    return st;
}

/* The last thing in the copy: the now that was found, where no commit is later. */
static enum yore_status copy_now(struct recovery *r, struct yore_error *error_out)
{
    if (r->told->now <= r->last) {
        return YORE_OK;
    }
    r->journal->is_begun = true;
    return journal_stage_now(r->journal, r->told->now, error_out);
}

static enum yore_status write_copy(struct recovery *r, struct yore_error *error_out)
{
    struct journal *journal = r->journal;
    enum yore_status st = record_log_write(journal->active->writer, error_out);
    atomic_store(&journal->appended, r->last);
    return st;
}

/* The copy goes on in the next segment where a payload does not fit into this one. */
static enum yore_status make_room(struct recovery *r, struct yore_bytes payload,
                                  struct yore_error *error_out)
{
    struct journal *journal = r->journal;
    uint64_t end = record_log_end_bytes(journal->active->writer) + record_span(payload.size);
    if (!journal->is_begun || end <= COPY_SEGMENT_FACTOR * journal->options.segment_bytes) {
        return YORE_OK;
    }
    enum yore_status st = write_copy(r, error_out);
    return st == YORE_OK ? journal_next_active(journal, error_out) : st;
}

static enum yore_status copy_commit(struct recovery *r, struct yore_bytes payload, int64_t commit,
                                    struct yore_error *error_out)
{
    struct journal *journal = r->journal;
    enum yore_status st = make_room(r, payload, error_out);
    if (st == YORE_OK) {
        st = record_log_stage(journal->active->writer, JOURNAL_TYPE_COMMIT, payload,
                              bytes_of(NULL, 0), error_out);
    }
    if (st != YORE_OK) {
        return st;
    }
    struct record_log_writer *writer = journal->active->writer;
    struct segment *target = &journal->segments[journal->segment_count - 1];
    target->commit_first = target->commit_first == INT64_MAX ? commit : target->commit_first;
    journal->is_begun = true;
    r->last = commit;
    return record_log_end_bytes(writer) - record_log_bytes(writer) >= COPY_BYTES
               ? write_copy(r, error_out)
               : YORE_OK;
}

/* ---- one segment ---- */

struct segment_read {
    uint64_t number;
    const char *path;
    struct segment *info;
    struct record_log_reader *log;
    struct journal_begin begin;
    bool is_joined; /* found to follow what was read before */
    bool is_sealed;
};

static enum yore_status damaged_tail(const struct recovery *r, struct yore_error *error_out)
{
    return error_set(error_out, YORE_CORRUPT,
                     "%s/journal-%016" PRIx64 ".log: damaged record at offset %llu (the next "
                     "segment shows that more followed)",
                     r->journal->dir, r->cut, (unsigned long long)r->cut_at);
}

/* A segment that goes on from the one before. */
static enum yore_status join_next(struct recovery *r, struct segment_read *read,
                                  struct yore_error *error_out)
{
    bool is_first = r->previous == 0;
    if (r->previous + 1 != read->number &&
        (!is_first || read->number != r->options->first_segment)) {
        return missing_segment(r, read->number - 1, error_out);
    }
    if (is_first || read->begin.commit_before == r->run_last) {
        return YORE_OK;
    }
    if (r->cut != 0) {
        return damaged_tail(r, error_out); /* this one was made when the cut one was durable */
    }
    if (read->begin.commit_before < r->run_last) {
        return error_set(error_out, YORE_CORRUPT,
                         "%s: begins behind commit %lld, but the segment before it ends with %lld",
                         read->path, (long long)read->begin.commit_before, (long long)r->run_last);
    }
    r->cut = r->previous;
    r->cut_at = r->previous_end;
    return YORE_OK;
}

/* The segment holds records: does it go on where the one before ended? */
static enum yore_status join(struct recovery *r, struct segment_read *read,
                             struct yore_error *error_out)
{
    if (read->is_joined) {
        return YORE_OK;
    }
    read->is_joined = true;
    if (r->is_previous_sealed && !number_list_has(&r->numbers, r->previous + 1)) {
        return missing_segment(r, r->previous + 1, error_out);
    }
    if (read->begin.copied_from == 0) {
        return join_next(r, read, error_out);
    }
    r->told->is_torn = false; /* an earlier recovery has cut that tail */
    if (r->previous != 0 && read->begin.commit_before > r->last) {
        return error_set(error_out, YORE_CORRUPT,
                         "%s: begins behind commit %lld, but the segments before it end with %lld",
                         read->path, (long long)read->begin.commit_before, (long long)r->last);
    }
    return YORE_OK;
}

static enum yore_status replay_commit(struct recovery *r, struct segment_read *read,
                                      const struct record *record, struct yore_error *error_out)
{
    int64_t commit;
    struct segment *info = read->info;
    if (read->is_sealed || !journal_commit_time(record->payload, &commit) ||
        commit <= info->commit_last || commit <= info->commit_before) {
        return error_set(error_out, YORE_CORRUPT, "%s: record out of order at offset %llu",
                         read->path, (unsigned long long)record->offset);
    }
    info->commit_first = info->commit_first == INT64_MAX ? commit : info->commit_first;
    info->commit_last = commit;
    r->run_last = r->cut == 0 ? commit : r->run_last;
    if (commit <= r->last || r->cut != 0) {
        return YORE_OK; /* the copy of one that was replayed; what lies behind a cut */
    }
    r->told->records++;
    enum yore_status st = r->replay(r->arg, record->payload, error_out);
    return st == YORE_OK ? copy_commit(r, record->payload, commit, error_out) : st;
}

static enum yore_status replay_now(struct recovery *r, const struct segment_read *read,
                                   const struct record *record, struct yore_error *error_out)
{
    if (record->payload.size != JOURNAL_NOW_BYTES) {
        return error_set(error_out, YORE_CORRUPT, "%s: unreadable record at offset %llu",
                         read->path, (unsigned long long)record->offset);
    }
    int64_t now = (int64_t)get_u64(record->payload.data);
    if (now > r->told->now && r->cut == 0) {
        r->told->now = now;
    }
    return YORE_OK;
}

static enum yore_status replay_record(struct recovery *r, struct segment_read *read,
                                      const struct record *record, struct yore_error *error_out)
{
    enum yore_status st = join(r, read, error_out);
    if (st != YORE_OK) {
        return st;
    }
    if (record->type == JOURNAL_TYPE_COMMIT) {
        return replay_commit(r, read, record, error_out);
    }
    if (record->type == JOURNAL_TYPE_NOW && !read->is_sealed) {
        return replay_now(r, read, record, error_out);
    }
    bool is_seal = record->type == JOURNAL_TYPE_SEAL;
    if ((!is_seal && record->type != JOURNAL_TYPE_JOINED) || read->is_sealed) {
        return error_set(error_out, YORE_CORRUPT,
                         "%s: unexpected record of type %lu at offset %llu", read->path,
                         (unsigned long)record->type, (unsigned long long)record->offset);
    }
    if (r->cut != 0 && !is_seal) {
        return damaged_tail(r, error_out);
    }
    read->is_sealed = is_seal;
    return YORE_OK;
}

static enum yore_status end_segment(struct recovery *r, struct segment_read *read,
                                    struct yore_error *error_out)
{
    uint64_t end;
    uint64_t last_index;
    (void)record_log_end(read->log, &end, &last_index);
    enum yore_status st = last_index > 0 ? join(r, read, error_out) : YORE_OK;
    if (r->cut != 0) {
        r->told->is_torn = true;
        r->told->torn_segment = r->cut;
        r->told->torn_offset = r->cut_at;
    } else if (record_log_end_is_damaged(read->log) && !read->is_sealed) {
        r->told->is_torn = true;
        r->told->torn_segment = read->number;
        r->told->torn_offset = end;
    } else {
        read->info->copied_end = end;
    }
    r->told->segments++;
    r->told->bytes += end;
    r->previous = read->number;
    r->previous_end = end;
    r->is_previous_sealed = read->is_sealed;
    return st;
}

/* No valid header or BEGIN: a crash may leave that of the newest segment, before anything is in it.
 */
static enum yore_status half_made_segment(struct recovery *r, struct segment_read *read,
                                          const struct yore_error *cause,
                                          struct yore_error *error_out)
{
    bool has_record = false;
    enum yore_status st = record_log_has_record(read->log, 1, &has_record, error_out);
    bool is_named = read->number == r->options->first_segment &&
                    r->options->first_segment < r->options->next_segment;
    bool is_promised = r->is_previous_sealed && read->number == r->previous + 1;
    if (st == YORE_OK && (has_record || is_named || is_promised)) {
        st = YORE_CORRUPT;
        if (error_out != NULL) {
            *error_out = *cause;
        }
    }
    return st;
}

enum yore_status journal_read_begin(struct record_log_reader *log, const char *path,
                                    struct journal_begin *begin_out, struct yore_error *error_out)
{
    struct record record;
    enum yore_status st = record_log_next(log, &record, error_out);
    if (st == YORE_NOT_FOUND) {
        (void)error_set(error_out, YORE_CORRUPT, "%s: no first record at offset %u", path,
                        RECORD_LOG_HEADER_BYTES);
    } else if (st == YORE_OK && !journal_begin_decode(&record, begin_out)) {
        st = error_set(error_out, YORE_CORRUPT, "%s: unexpected first record at offset %u", path,
                       RECORD_LOG_HEADER_BYTES);
    }
    return st;
}

static enum yore_status replay_open(struct recovery *r, struct segment_read *read,
                                    enum record_log_head head, struct yore_error *cause,
                                    struct yore_error *error_out)
{
    enum yore_status st = YORE_NOT_FOUND;
    if (head == RECORD_LOG_HEAD_VALID) {
        st = journal_read_begin(read->log, read->path, &read->begin, cause);
    }
    if (st == YORE_NOT_FOUND) {
        return half_made_segment(r, read, cause, error_out);
    }
    if (st != YORE_OK) {
        if (error_out != NULL) {
            *error_out = *cause;
        }
        return st;
    }
    read->info->commit_before = read->begin.commit_before;
    r->last = r->previous == 0 ? read->begin.commit_before : r->last;
    if (r->previous == 0 || read->begin.copied_from != 0) {
        r->run_last = read->begin.commit_before;
        r->cut = 0; /* that was another run's */
    }
    st = begin_copy(r, read->begin.commit_before, error_out);
    struct record record;
    while (st == YORE_OK) {
        st = record_log_next(read->log, &record, error_out);
        if (st == YORE_OK) {
            st = replay_record(r, read, &record, error_out);
        }
    }
    return st == YORE_NOT_FOUND ? end_segment(r, read, error_out) : st;
}

static enum yore_status replay_segment(struct recovery *r, size_t index,
                                       struct yore_error *error_out)
{
    struct journal *journal = r->journal;
    struct yore_error cause = {0};
    enum record_log_head head;
    struct segment_read read = {.number = r->numbers.items[index], .info = &r->found[index]};
    char *path = journal_segment_path(journal, read.number);
    read.path = path;
    enum yore_status st = path == NULL ? error_plain(&cause, YORE_NOMEM)
                                       : record_log_open_any(journal->env, path,
                                                             journal_identity(journal, read.number),
                                                             &head, &read.log, &cause);
    if (st == YORE_OK && head == RECORD_LOG_HEAD_FOREIGN) {
        st = cause.status;
    }
    if (st != YORE_OK) {
        if (error_out != NULL) {
            *error_out = cause;
        }
    } else {
        st = replay_open(r, &read, head, &cause, error_out);
    }
    record_log_reader_close(read.log);
    mem_free(path);
    return st == YORE_NOT_FOUND ? YORE_CORRUPT : st;
}

/* ---- all of them ---- */

static enum yore_status replay_all(struct recovery *r, struct yore_error *error_out)
{
    uint64_t first = r->options->first_segment;
    enum yore_status st = YORE_OK;
    if (first < r->options->next_segment && !number_list_has(&r->numbers, first)) {
        return missing_segment(r, first, error_out);
    }
    for (size_t i = 0; i < r->numbers.count && st == YORE_OK; i++) {
        struct segment *info = &r->found[i];
        *info = (struct segment){.number = r->numbers.items[i],
                                 .commit_first = INT64_MAX,
                                 .commit_last = JOURNAL_NO_COMMIT};
        if (info->number >= first) {
            st = replay_segment(r, i, error_out);
        }
    }
    if (st == YORE_OK && r->is_previous_sealed && !number_list_has(&r->numbers, r->previous + 1)) {
        st = missing_segment(r, r->previous + 1, error_out);
    }
    if (st == YORE_OK) {
        st = begin_copy(r, r->last, error_out);
    }
    if (st == YORE_OK) {
        st = copy_now(r, error_out);
    }
    if (st == YORE_OK) {
        st = write_copy(r, error_out);
    }
    if (st == YORE_OK) {
        st = journal_sync(r->journal, error_out);
    }
    return st;
}

/* ---- segments kept for readers ---- */

/* Read BEGIN and the first commit, and with `is_last_wanted` all of it.  YORE_NOT_FOUND: of no use
 * to a reader. */
static enum yore_status inspect_kept(struct recovery *r, struct segment *info, bool is_last_wanted)
{
    struct journal *journal = r->journal;
    struct record_log_reader *log = NULL;
    struct record record;
    struct journal_begin begin;
    char *path = journal_segment_path(journal, info->number);
    enum yore_status st =
        path == NULL ? YORE_NOMEM
                     : record_log_open(journal->env, path, journal_identity(journal, info->number),
                                       &log, NULL);
    if (st == YORE_OK) {
        st = journal_read_begin(log, path, &begin, NULL);
    }
    if (st == YORE_OK) {
        info->copied_from = begin.copied_from;
        info->commit_before = begin.commit_before;
        while ((info->commit_first == INT64_MAX || is_last_wanted) &&
               record_log_next(log, &record, NULL) == YORE_OK) {
            int64_t commit;
            if (record.type == JOURNAL_TYPE_COMMIT &&
                journal_commit_time(record.payload, &commit)) {
                info->commit_first = info->commit_first == INT64_MAX ? commit : info->commit_first;
                info->commit_last = commit;
            }
        }
    }
    record_log_reader_close(log);
    mem_free(path);
    return st;
}

/* Is `info` what a reader goes through before `above`?  Below the begin of a run, that is the
 * segment which ends with the commit before the run's first: others in between were superseded by
 * the copy, or cut. */
static bool is_kept_below(struct recovery *r, struct segment *info, const struct segment *above,
                          bool *is_gap_out)
{
    bool begins_run = above->copied_from != 0;
    *is_gap_out = false;
    if (begins_run && info->number >= above->copied_from) {
        return false;
    }
    bool is_readable = (begins_run || info->number + 1 == above->number) &&
                       inspect_kept(r, info, begins_run) == YORE_OK;
    bool has_commits = info->commit_first != INT64_MAX;
    if (is_readable && begins_run) {
        int64_t reach = has_commits ? info->commit_last : info->commit_before;
        *is_gap_out = reach < above->commit_before;
        return reach == above->commit_before;
    }
    if (is_readable && has_commits) {
        info->commit_last = above->commit_before;
    }
    *is_gap_out = !is_readable;
    return is_readable;
}

/* Walk down from the copy, `at` being the index in `found` above which all were replayed, as long
 * as nothing is missing.  What is left holds nothing a reader could use. */
static void find_kept(struct recovery *r, size_t at, const struct segment *above)
{
    bool is_gap = r->options->keep_bytes == 0;
    while (at > 0) {
        struct segment *info = &r->found[--at];
        info->is_doomed = is_gap || !is_kept_below(r, info, above, &is_gap);
        above = info->is_doomed ? above : info;
    }
}

/* Put what was found in front of the segments of the copy.  What was replayed is in the copy. */
static enum yore_status adopt_found(struct recovery *r, struct yore_error *error_out)
{
    struct journal *journal = r->journal;
    size_t found = r->numbers.count;
    size_t total = found + journal->segment_count;
    struct segment *segments = mem_array(total + 1, sizeof(*segments));
    if (segments == NULL) {
        return error_plain(error_out, YORE_NOMEM);
    }
    size_t first = found;
    while (first > 0 && r->found[first - 1].number >= r->options->first_segment) {
        r->found[--first].is_doomed = true;
    }
    find_kept(r, first, &journal->segments[0]);
    enum yore_status st = YORE_OK;
    for (size_t i = 0; i < found && st == YORE_OK; i++) {
        char *path = journal_segment_path(journal, r->found[i].number);
        bool is_dir;
        st = path == NULL
                 ? error_plain(error_out, YORE_NOMEM)
                 : os_path_stat(journal->env, path, &r->found[i].file_bytes, &is_dir, error_out);
        r->found[i].end_bytes = r->found[i].file_bytes;
        mem_free(path);
        segments[i] = r->found[i];
    }
    memcpy(segments + found, journal->segments, journal->segment_count * sizeof(*segments));
    mem_free(journal->segments);
    journal->segments = segments;
    journal->segment_count = total;
    journal->segment_capacity = total + 1;
    return st;
}

/* ---- the door ---- */

static struct os_mutex *mutex_new(void)
{
    struct os_mutex *mutex = mem_alloc_aligned(_Alignof(struct os_mutex), sizeof(*mutex));
    if (mutex != NULL) {
        os_mutex_init(mutex);
    }
    return mutex;
}

static struct journal *journal_new(struct os_env *env, const char *dir,
                                   const struct journal_options *options)
{
    struct journal *journal = mem_zalloc(sizeof(*journal));
    if (journal == NULL) {
        return NULL;
    }
    journal->env = env;
    journal->options = *options;
    journal->dir = mem_copy(dir, strlen(dir) + 1);
    journal->append_lock = mutex_new();
    journal->lock = mutex_new();
    journal->now = INT64_MIN;
    journal->now_recorded = INT64_MIN;
    journal->stale_first = INT64_MAX;
    journal->spares = mem_array((size_t)options->recycle_count_max + 1, sizeof(*journal->spares));
    atomic_store(&journal->appended, JOURNAL_NO_COMMIT);
    atomic_store(&journal->durable, JOURNAL_NO_COMMIT);
    if (journal->dir == NULL || journal->append_lock == NULL || journal->lock == NULL ||
        journal->spares == NULL) {
        (void)journal_close(journal, NULL);
        return NULL;
    }
    return journal;
}

/* Take the seal off a segment of the copy, durably. */
static enum yore_status unseal(struct journal *journal, uint64_t number, uint64_t end_bytes)
{
    struct os_file *file = NULL;
    char *path = journal_segment_path(journal, number);
    enum yore_status st =
        path == NULL ? YORE_NOMEM : os_file_open(journal->env, path, OS_OPEN_WRITE, &file, NULL);
    if (st == YORE_OK) {
        st = os_file_truncate(file, end_bytes, NULL);
    }
    if (st == YORE_OK) {
        st = os_file_sync(file, NULL);
    }
    os_file_close(file);
    mem_free(path);
    return st;
}

/* A sealed segment says that the next one must be there, and the next one says it of this one.  So
 * first all seals go, then the segments, the last one first, each durably before the one below it.
 * A crash leaves the beginning of a copy, as one does while it is made. */
static void drop_copy(struct journal *journal)
{
    uint64_t number = atomic_load(&journal->next_number);
    enum yore_status st = YORE_OK;
    for (size_t i = 0; i < journal->segment_count && st == YORE_OK; i++) {
        const struct segment *segment = &journal->segments[i];
        if (segment->number >= journal->copy && segment->number + 1 < number) {
            bool is_sealed = i + 1 < journal->segment_count;
            uint64_t seal_bytes = is_sealed ? record_span(JOURNAL_SEAL_BYTES) : 0;
            st = unseal(journal, segment->number, segment->end_bytes - seal_bytes);
        }
    }
    while (st == YORE_OK && number-- > journal->copy) {
        char *path = journal_segment_path(journal, number);
        st = path == NULL ? YORE_NOMEM : os_path_unlink(journal->env, path, NULL);
        mem_free(path);
        if ((st == YORE_OK || st == YORE_NOT_FOUND) && number > journal->copy) {
            st = os_dir_sync(journal->env, journal->dir, NULL);
        }
    }
}

/* The next recovery begins with what this one began with; only the copy goes. */
void journal_abandon(struct journal *journal)
{
    if (journal->active != NULL) {
        journal->segments[journal->segment_count - 1].end_bytes =
            record_log_bytes(journal->active->writer);
        (void)record_log_close(journal->active->writer, false, NULL);
        mem_free(journal->active);
        journal->active = NULL;
    }
    if (journal->copy != 0) {
        drop_copy(journal);
    }
    (void)journal_close(journal, NULL);
}

/* style: parameters because a replay is a function and its argument, and both outputs matter. */
enum yore_status journal_open(struct os_env *env, const char *dir,
                              const struct journal_options *options, journal_replay_fn replay,
                              void *arg, struct journal_recovery *recovery_out,
                              struct journal **journal_out, struct yore_error *error_out)
{
    *journal_out = NULL;
    *recovery_out = (struct journal_recovery){.now = INT64_MIN};
    struct journal *journal = journal_new(env, dir, options);
    if (journal == NULL) {
        return error_plain(error_out, YORE_NOMEM);
    }
    struct recovery r = {.journal = journal,
                         .options = options,
                         .replay = replay,
                         .arg = arg,
                         .told = recovery_out,
                         .last = options->commit_before};
    enum yore_status st = list_files(&r, error_out);
    if (st == YORE_OK) {
        uint64_t above = r.numbers.count > 0 ? r.numbers.items[r.numbers.count - 1] + 1 : 1;
        atomic_store(&journal->next_number,
                     above > options->next_segment ? above : options->next_segment);
        st = unlink_spares(&r, error_out);
    }
    if (st == YORE_OK) {
        st = replay_all(&r, error_out);
    }
    if (st == YORE_OK) {
        st = adopt_found(&r, error_out);
    }
    mem_free(r.numbers.items);
    mem_free(r.spares.items);
    mem_free(r.found);
    if (st != YORE_OK) {
        journal_abandon(journal);
        return st;
    }
    *journal_out = journal;
    return YORE_OK;
}
