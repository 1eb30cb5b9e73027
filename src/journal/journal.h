/* journal.h -- the one sequence of committed transactions: write-ahead log and feed.
 *
 * Segments `journal-<16 hex digits>.log`, numbered upwards, each a record log of kind
 * RECORD_LOG_JOURNAL whose epoch is the number; written, grown by steps, recycled
 * (`journal-free-*.log`).  After a restart nothing is appended to an old segment: what the last run
 * left unflushed is copied to a new one, synced, before the first append, because a page may sit in
 * the cache that never reached the disk.  Appends come from one thread at a time; journal_sync()
 * may run beside them.
 *
 * Invariants: (1) commit times grow strictly along segments; (2) a segment below the release point
 * is only kept for readers; (3) after the first failed write or sync every append and sync returns
 * that error.
 */
#ifndef YORE_JOURNAL_JOURNAL_H
#define YORE_JOURNAL_JOURNAL_H

#include "base/status.h"
#include "journal/record_log.h"
#include "os/env.h"

struct journal;

struct journal_options {
    uint64_t database;
    uint64_t segment_bytes;
    uint64_t keep_bytes; /* closed, released segments kept for readers: at most this many bytes */
    uint32_t recycle_count_max; /* spare segments kept; 0: unlink */
    uint64_t first_segment;     /* from the manifest: replay begins here */
    bool reads_only;            /* the files that were found stay, whatever is done here */
    uint64_t next_segment;      /* a number greater than any ever used (from the manifest) */
    int64_t commit_before;      /* where no segment is there: the last commit before the first one
                                   here, which no reader may begin before (INT64_MIN: none) */
    /* Called where a new segment is refused a file handle: close a file that is not needed just
     * now, and it is tried again; false: there is none.  May be NULL. */
    bool (*close_other)(void *arg);
    void *close_arg;
};

struct journal_recovery {
    uint64_t segments;
    uint64_t records; /* replayed */
    uint64_t bytes;
    bool is_torn; /* a torn tail was cut; not told of one that an earlier opening has cut */
    uint64_t torn_segment;
    uint64_t torn_offset;
    uint64_t first_live_segment; /* what the manifest must now name as first_segment */
    int64_t now;                 /* the greatest recorded by journal_note_now(); INT64_MIN: none */
};

/* Open the journal in directory `dir`.  Every commit record in segments >= first_segment is handed
 * to `replay` in order (payload of commit_codec.h, borrowed); its failure is returned.  Then what
 * was replayed is written to a new segment, synced with the directory.  The old segments stay until
 * journal_release(), which the caller calls once the manifest durably names first_live_segment;
 * commits may be appended and acknowledged before that.
 *
 * `is_torn` is set when something was cut: octets behind the last record that a whole write would
 * not have left.  A tail whose unsynced writes a power cut took away whole leaves none.
 *
 * Errors: YORE_CORRUPT (segment and offset; also a missing segment in the sequence),
 * YORE_BAD_FORMAT, YORE_NO_SPACE, YORE_IO.  Then the room of what was copied is given back. */
typedef enum yore_status (*journal_replay_fn)(void *arg, struct yore_bytes payload,
                                              struct yore_error *error_out);
enum yore_status journal_open(struct os_env *env, const char *dir,
                              const struct journal_options *options, journal_replay_fn replay,
                              void *arg, struct journal_recovery *recovery_out,
                              struct journal **journal_out, struct yore_error *error_out);

/* One commit record: header and writes are two runs so that nobody has to copy a batch. */
struct journal_entry {
    int64_t commit;
    struct yore_bytes header; /* COMMIT_HEADER_BYTES */
    struct yore_bytes writes;
};
/* Append `count` (>= 1) commits with one write, rotating first when the segment is full. */
enum yore_status journal_append(struct journal *journal, const struct journal_entry *entries,
                                size_t count, struct yore_error *error_out);
/* Make room, on disk and in memory, for entries of these sizes: if the next append is of them, or
 * of some of them, it fails for no reason but a write.  Only sizes are looked at.  Errors:
 * YORE_NOMEM and YORE_NO_FILES may pass (journal_has_failed() tells): then nothing has changed.
 * Thread: the appending one. */
enum yore_status journal_reserve(struct journal *journal, const struct journal_entry *entries,
                                 size_t count, struct yore_error *error_out);
/* Has a write or sync failed, so that nothing is appended any more? */
bool journal_has_failed(const struct journal *journal);
/* Make everything appended before the call durable. */
enum yore_status journal_sync(struct journal *journal, struct yore_error *error_out);
/* Sync and append a mark, if commits were appended since the last one. */
enum yore_status journal_mark(struct journal *journal, struct yore_error *error_out);
/* The greatest now that was told so far: where it is later than every commit, it is recorded with
 * the next mark and when the journal is closed, and told by the next opening.  Thread: none
 * appends. */
void journal_note_now(struct journal *journal, int64_t now);
/* Last commit appended, and last commit known durable (INT64_MIN: none). */
int64_t journal_appended_commit(const struct journal *journal);
int64_t journal_durable_commit(const struct journal *journal);
/* Close the segment and begin the next; returns the new segment's number, whose file is durable.
 * For a new memtable.  What was appended before may become durable only with the next
 * journal_sync(): call it before the manifest names the new segment as the first.  Errors as
 * journal_reserve(). */
enum yore_status journal_rotate(struct journal *journal, uint64_t *segment_out,
                                struct yore_error *error_out);
uint64_t journal_segment(const struct journal *journal);      /* the one being written */
uint64_t journal_next_segment(const struct journal *journal); /* greater than any used so far */
/* Segments < `segment` are no longer needed for recovery: kept for readers within keep_bytes, else
 * recycled. */
enum yore_status journal_release(struct journal *journal, uint64_t segment,
                                 struct yore_error *error_out);
/* Unlink every closed, released segment and every spare, and zero what a recycled segment still
 * holds behind its end: their bytes must go (erase).  What a reader has pinned goes when it is
 * closed. */
enum yore_status journal_purge(struct journal *journal, struct yore_error *error_out);
/* May a segment that readers are not told of hold more than the records they are told?  It is still
 * there because a reader has pinned it, because it could not be unlinked yet, or because the
 * database is opened to read only; then what was found is in the copy.  Reads what lies behind its
 * records. */
bool journal_has_untold(const struct journal *journal);
/* The first commit that spares, and the segment being written behind its end, may still hold of
 * segments that are gone; INT64_MAX: nothing.  A purge takes them all. */
int64_t journal_stale_first(const struct journal *journal);
/* Bytes of all segments, spares included, and the first commit still held (INT64_MAX: none). */
void journal_usage(const struct journal *journal, uint64_t *bytes_out, int64_t *first_commit_out);
/* Sync, record the noted now, mark, give back spares and preallocated space, close.  Returns the
 * error that stopped it, if any. */
enum yore_status journal_close(struct journal *journal, struct yore_error *error_out);
/* Close a journal whose first_live_segment nothing names, and to which nothing was appended that
 * anybody relies on: the room of the copy is given back. */
void journal_abandon(struct journal *journal);

/* Walk commits > `after` in commit order up to what was appended at the call; segments being read
 * are kept. YORE_BEFORE_HORIZON when commits after `after` have left the journal. */
struct journal_reader;
enum yore_status journal_reader_open(struct journal *journal, int64_t after,
                                     struct journal_reader **reader_out,
                                     struct yore_error *error_out);
enum yore_status journal_reader_next(struct journal_reader *reader, struct yore_bytes *payload_out,
                                     struct yore_error *error_out);
void journal_reader_close(struct journal_reader *reader);
/* The same without an end: after YORE_NOT_FOUND, which means all that is appended was read, a later
 * call goes on with what was appended since.  Segments are kept only within a call, so a reader
 * that comes seldom may find its next one gone: YORE_BEFORE_HORIZON, and the reader is of no more
 * use. */
enum yore_status journal_reader_follow(struct journal *journal, int64_t after,
                                       struct journal_reader **reader_out,
                                       struct yore_error *error_out);

/* Check every record of every segment; used by verify. */
enum yore_status journal_verify(struct journal *journal, uint64_t *records_out, uint64_t *bytes_out,
                                struct yore_error *error_out);

#endif
