/* record_log.h -- a file of checked records, appended in order: a journal segment, or a manifest.
 *
 * Bytes: docs/format.md, "Record log".  The file begins with a header (magic, format version,
 * database, epoch, kind) under its own CRC.  Each record is 8-byte aligned and has a header with
 * its size, type, sequence number and the last sequence number known durable when it was written,
 * under a CRC of its own, and a CRC over the payload; both cover database, epoch and offset, so
 * recycled, stale or misplaced bytes never pass.
 *
 * Reading ends at the first place that holds no valid record.  It is *clean* when nothing but zeros
 * or bytes of older epochs follow a record that marks everything before it durable; it is *torn*
 * when the damage may be a write that never completed; it is *corrupt* when any valid later record
 * of the same epoch names a durable sequence number at or past the damaged one (the reader looks
 * for it to the end of the file): damage in what was once acknowledged is reported, never skipped.
 */
#ifndef YORE_JOURNAL_RECORD_LOG_H
#define YORE_JOURNAL_RECORD_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/status.h"
#include "os/env.h"

/* Who a log is.  `epoch` is unique in the database (the segment's or manifest's number). */
struct record_log_identity {
    uint64_t database;
    uint64_t epoch;
    uint32_t kind; /* enum record_log_kind */
};
enum record_log_kind { RECORD_LOG_JOURNAL = 1, RECORD_LOG_MANIFEST = 2 };

#define RECORD_BYTES_MAX (1u << 30)

struct record {
    uint32_t type;     /* the owner's; 0 is reserved for marks */
    uint64_t sequence; /* consecutive from the first of the log on */
    uint64_t offset;   /* of the record in the file */
    struct yore_bytes payload;
};

struct record_log_writer;

/* Create `path`, or with `recycle` overwrite an existing file whose bytes are of an older epoch.
 * Writes the header and syncs it, not the directory.  Appending adds zeros, as many as there are
 * octets and at most 1 MiB at once, up to a file of `grow_bytes_max` (0: none).  `first_sequence`
 * numbers the first record. */
struct record_log_options {
    struct record_log_identity identity;
    uint64_t grow_bytes_max;
    uint64_t first_sequence;
    bool recycle;
};
enum yore_status record_log_create(struct os_env *env, const char *path,
                                   const struct record_log_options *options,
                                   struct record_log_writer **writer_out,
                                   struct yore_error *error_out);
/* Append `count` records with one write; sets their sequence and offset.  Not durable before
 * record_log_sync(). After the first failed write or sync every call returns that error. */
enum yore_status record_log_append(struct record_log_writer *writer, struct record *records,
                                   size_t count, struct yore_error *error_out);
/* Make all records appended before the call durable; may run beside record_log_append() in another
 * thread. */
enum yore_status record_log_sync(struct record_log_writer *writer, struct yore_error *error_out);
/* Sync, append a mark that says so, sync again: from here on any damage is told from a torn tail.
 */
enum yore_status record_log_mark(struct record_log_writer *writer, struct yore_error *error_out);
uint64_t record_log_bytes(const struct record_log_writer *writer); /* end of the last record */
uint64_t record_log_next_sequence(const struct record_log_writer *writer);
/* Close; with `trim` first cut preallocated space off the end. */
enum yore_status record_log_close(struct record_log_writer *writer, bool trim,
                                  struct yore_error *error_out);

struct record_log_reader;
enum record_log_end { RECORD_LOG_END_CLEAN = 1, RECORD_LOG_END_TORN = 2 };

/* Errors: YORE_NOT_FOUND, YORE_BAD_FORMAT, YORE_CORRUPT (header damaged, other database or epoch,
 * named).  identity.epoch 0: take the file's. */
enum yore_status record_log_open(struct os_env *env, const char *path,
                                 struct record_log_identity identity,
                                 struct record_log_reader **reader_out,
                                 struct yore_error *error_out);
/* The next record but marks; payload is borrowed until the next call.  YORE_NOT_FOUND: the end,
 * told by record_log_end(). YORE_CORRUPT names file and offset. */
enum yore_status record_log_next(struct record_log_reader *reader, struct record *record_out,
                                 struct yore_error *error_out);
/* After the end: how it ended, where (first octet after the last valid record), the last valid
 * sequence number. */
enum record_log_end record_log_end(const struct record_log_reader *reader, uint64_t *end_bytes_out,
                                   uint64_t *last_sequence_out);
void record_log_reader_close(struct record_log_reader *reader);

#endif
