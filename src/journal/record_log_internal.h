/* record_log_internal.h -- what the journal needs of record logs beyond their public face. */
#ifndef YORE_JOURNAL_RECORD_LOG_INTERNAL_H
#define YORE_JOURNAL_RECORD_LOG_INTERNAL_H

#include "journal/record_log_format.h"

/* As record_log_create(), with a first record (type and payload) in the same write. */
enum yore_status record_log_create_with(struct os_env *env, const char *path,
                                        const struct record_log_options *options,
                                        const struct record *first,
                                        struct record_log_writer **writer_out,
                                        struct yore_error *error_out);
/* Put one record, its payload in two runs, behind those waiting; copies.  After a failure nothing
 * waits. Errors: YORE_NOMEM and YORE_TOO_BIG leave the log as it was; others as
 * record_log_append(). */
enum yore_status record_log_stage(struct record_log_writer *writer, uint32_t type,
                                  struct yore_bytes head, struct yore_bytes tail,
                                  struct yore_error *error_out);
/* A payload larger than this is written from where it lies, any other from a copy. */
#define RECORD_COPIED_BYTES_MAX (1u << 20)
/* Memory for `count` records whose copied payloads have so many octets in all: staging them then
 * cannot fail for want of it. */
enum yore_status record_log_reserve(struct record_log_writer *writer, uint64_t copied_bytes,
                                    size_t count);
/* Where the last of the records that wait ends: record_log_bytes() once they are written. */
uint64_t record_log_end_bytes(const struct record_log_writer *writer);
/* Write what waits. */
enum yore_status record_log_write(struct record_log_writer *writer, struct yore_error *error_out);
/* record_log_sync() with the caller's own place, so that a test can leave out each one (os/env.h).
 */
enum yore_status record_log_sync_at(struct record_log_writer *writer, const char *site,
                                    struct yore_error *error_out);
/* Zero every octet past the end: nothing of an older epoch stays.  Durable.  Thread: the one that
 * appends. */
enum yore_status record_log_wipe(struct record_log_writer *writer, struct yore_error *error_out);
uint64_t record_log_durable_bytes(const struct record_log_writer *writer);
uint64_t record_log_file_bytes(
    const struct record_log_writer *writer); /* preallocated ones included */

/* What the head of a file says of it, judged against the identity it should have. */
enum record_log_head {
    RECORD_LOG_HEAD_VALID = 1,
    RECORD_LOG_HEAD_BLANK,  /* no valid header: unwritten, torn or damaged */
    RECORD_LOG_HEAD_STALE,  /* that of an older epoch of the same log family */
    RECORD_LOG_HEAD_FOREIGN /* another database, kind, version or a newer epoch; `error_out` names
                               it */
};
/* Open as record_log_open() does whatever the head says; a blank or stale one is read as if it were
 * valid. */
enum yore_status record_log_open_any(struct os_env *env, const char *path,
                                     struct record_log_identity identity,
                                     enum record_log_head *head_out,
                                     struct record_log_reader **reader_out,
                                     struct yore_error *error_out);
/* Read no further than `end_bytes`, before which every record must be valid. */
void record_log_reader_bound(struct record_log_reader *reader, uint64_t end_bytes);
/* Before the first record was read: begin with record `index`, which is at `offset`. */
void record_log_reader_seek(struct record_log_reader *reader, uint64_t offset, uint32_t index);
/* The log has grown to `end_bytes`: go on where the bound, if there is one, ended the reading. */
void record_log_reader_extend(struct record_log_reader *reader, uint64_t end_bytes);
/* After the end: false when every octet looked at was as a whole write leaves it. */
bool record_log_end_is_damaged(const struct record_log_reader *reader);
/* Does the file hold a valid record header of this epoch with an index >= `index`, wherever? */
enum yore_status record_log_has_record(struct record_log_reader *reader, uint32_t index,
                                       bool *has_out, struct yore_error *error_out);

#endif
