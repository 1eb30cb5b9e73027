/* journal_internal.h -- what the files of the journal share.
 *
 * Records of a segment: first a BEGIN, then commits, marks and a JOINED, last a SEAL.
 *
 *     1  COMMIT  payload of commit_codec.h
 *     2  BEGIN   8 copied_from, 8 commit_before (struct journal_begin)
 *     3  SEAL    8 last commit of the segment, or before it; another segment follows
 *     4  JOINED  empty; the segment this one goes on from is durable to its end
 *     5  NOW     8 a moment that was told as now, later than every commit before this place
 *
 * Invariants:
 *
 *  (1) A SEAL is written only when the next segment's name, header and BEGIN are durable.
 *
 *  (2) A JOINED is written only when the segment before, its SEAL included, is durable; so is the
 *      next segment made.
 *
 *  (3) Nothing in a segment counts as durable before all of the segment before it is.
 *
 *  (4) Commits grow along a run.  A run's copy repeats commits of earlier runs, so a reader that
 *      goes along all segments passes over what is not greater than the last one seen.
 *
 *  (5) A segment's file is renamed, overwritten or unlinked only when it is below the release point
 *      and not pinned.
 */
#ifndef YORE_JOURNAL_JOURNAL_INTERNAL_H
#define YORE_JOURNAL_JOURNAL_INTERNAL_H

#include <stdatomic.h>
#include <stdbool.h>

#include "journal/journal.h"
#include "journal/record_log_internal.h"
#include "os/thread.h"

#define JOURNAL_TYPE_COMMIT 1u
#define JOURNAL_TYPE_BEGIN 2u
#define JOURNAL_TYPE_SEAL 3u
#define JOURNAL_TYPE_JOINED 4u
#define JOURNAL_TYPE_NOW 5u

#define JOURNAL_BEGIN_BYTES 16u
#define JOURNAL_SEAL_BYTES 8u
#define JOURNAL_NOW_BYTES 8u
#define JOURNAL_NO_COMMIT INT64_MIN
#define JOURNAL_SEGMENT_MAX (UINT64_MAX / 2) /* a file of a greater number is not ours */

struct journal_begin {
    /* 0: goes on where the segment numbered one less ends.  Else this segment begins a run, with a
     * copy of what was found in segments >= copied_from. */
    uint64_t copied_from;
    int64_t commit_before; /* every commit here is greater; none between it and the first one */
};
void journal_begin_encode(const struct journal_begin *begin,
                          unsigned char out[JOURNAL_BEGIN_BYTES]);
bool journal_begin_decode(const struct record *record, struct journal_begin *begin_out);
/* False: too short for a commit. */
bool journal_commit_time(struct yore_bytes payload, int64_t *commit_out);

struct segment {
    uint64_t number;
    uint64_t file_bytes; /* the one being written: ask the log */
    uint64_t end_bytes;  /* of the last record */
    uint64_t copied_end; /* found: every record up to here is in the copy; 0: not every one is */
    uint64_t copied_from;
    int64_t commit_before;
    int64_t commit_first; /* INT64_MAX: none */
    int64_t commit_last;  /* JOURNAL_NO_COMMIT: none */
    unsigned pins;
    bool is_doomed; /* holds nothing for readers; unlinked when released and not pinned */
};

/* A file that waits to be overwritten by a new segment; `number` is the one it had. */
struct spare {
    uint64_t number;
    uint64_t bytes;
};

/* A segment being written, kept open as long as somebody syncs it. */
struct active_log {
    struct record_log_writer *writer;
    unsigned refs;       /* under journal->lock */
    int64_t commit_last; /* once closed */
};

/* Places in the active segment where a reader may begin: every commit before is <= `commit`, every
 * one behind is greater.  When there is no room for another, every second one is given up. */
#define WAYMARKS_MAX 128u
#define WAYMARK_BYTES_MIN (256u << 10)
struct waymark {
    int64_t commit;
    uint64_t offset;
    uint32_t index; /* of the record there */
};
struct waymarks {
    struct waymark marks[WAYMARKS_MAX]; /* ascending */
    uint32_t count;
    uint64_t step_bytes;
};

struct journal {
    struct os_env *env;
    char *dir;
    struct journal_options options;
    /* Held by whoever appends, marks, rotates or wipes.  Order: append_lock, lock. */
    struct os_mutex *append_lock;
    uint64_t copy;        /* the segment the copy of this opening begins with; 0: none yet */
    bool is_marked;       /* nothing appended since the last mark */
    bool is_begun;        /* the active segment holds more than its BEGIN */
    int64_t now;          /* journal_note_now() */
    int64_t now_recorded; /* the active segment, or a commit, has a NOW up to here */

    struct os_mutex *lock;    /* guards the rest; never held across I/O */
    struct segment *segments; /* ascending; the last one is being written */
    size_t segment_count;
    size_t segment_capacity;
    struct spare *spares; /* recycle_count_max entries */
    uint32_t spare_count;
    uint32_t spares_promised;  /* being renamed */
    int64_t stale_first;       /* journal_stale_first() */
    uint64_t released;         /* segments below are not needed for recovery */
    struct active_log *active; /* replaced under both locks */
    struct waymarks waymarks;  /* of it; changed under both locks */
    struct active_log *closed; /* the one before, while it is not durable; else NULL */
    struct yore_error failure;
    /* Written under a lock above, read without. */
    _Atomic bool is_failed;
    _Atomic bool is_join_due; /* the active segment must get its JOINED */
    _Atomic int64_t appended;
    _Atomic int64_t durable;
    _Atomic uint64_t active_number;
    _Atomic uint64_t next_number;
};

/* ---- journal_names.c ---- */

#define JOURNAL_SEGMENT_STEM "journal-"
#define JOURNAL_SPARE_STEM "journal-free-"
/* Room for any name in the directory, or NULL; and a name written there. */
char *journal_path_room(const struct journal *journal);
void journal_path_write(const struct journal *journal, const char *stem, uint64_t number,
                        char *room);
/* `dir`/journal-<number>.log; the caller frees.  NULL: out of memory. */
char *journal_segment_path(const struct journal *journal, uint64_t number);
char *journal_spare_path(const struct journal *journal, uint64_t number);
struct record_log_identity journal_identity(const struct journal *journal, uint64_t number);

/* ---- journal_active.c ---- */

/* A reference on the segment being written, under the lock; and back, without it. */
struct active_log *journal_active_ref(struct journal *journal);
void journal_active_unref(struct journal *journal, struct active_log *active);
/* Stage the JOINED if it is due; `*is_staged_out`: it goes with the next write. */
enum yore_status journal_stage_joined(struct journal *journal, bool *is_staged_out,
                                      struct yore_error *error_out);
/* Make the closed segment durable, if there is one that is not. */
enum yore_status journal_sync_closed(struct journal *journal, struct yore_error *error_out);
/* The recorded now is written anew where the record would go with the segment before. */
enum yore_status journal_carry_now(struct journal *journal, struct yore_error *error_out);
/* The next segment goes on where this one ends. */
enum yore_status journal_next_active(struct journal *journal, struct yore_error *error_out);
/* Make the next segment, sync it and its name, seal the one before if there is one; that one may
 * become durable only with the next sync.  `begin` is the new one's.  Thread: holds append_lock, or
 * is the only one.  A failure is final, but for want of memory or of a file handle before the seal:
 * then all is as before. */
enum yore_status journal_begin_segment(struct journal *journal, const struct journal_begin *begin,
                                       struct yore_error *error_out);
enum yore_status journal_fail(struct journal *journal, const struct yore_error *error,
                              struct yore_error *error_out);
/* Stage a NOW in the active segment.  Thread: as journal_begin_segment(). */
enum yore_status journal_stage_now(struct journal *journal, int64_t now,
                                   struct yore_error *error_out);

/* Read the BEGIN of an open segment: YORE_NOT_FOUND when there is no valid one. */
enum yore_status journal_read_begin(struct record_log_reader *log, const char *path,
                                    struct journal_begin *begin_out, struct yore_error *error_out);

/* ---- journal_segments.c ---- */

/* Unlink every spare. */
enum yore_status journal_unlink_spares(struct journal *journal, struct yore_error *error_out);
/* The next two: under the lock. */
struct segment *journal_find_segment(struct journal *journal, uint64_t number);
/* Index of the segment from which on every commit > `after` is held; segment_count: there is none.
 */
size_t journal_index_after(const struct journal *journal, int64_t after);
/* Drop what is released, not pinned and over keep_bytes. */
enum yore_status journal_drop_released(struct journal *journal, struct yore_error *error_out);

#endif
