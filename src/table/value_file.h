/* value_file.h -- large values, written once, read by reference.
 *
 * Bytes: docs/format.md, "Value file".  Records are appended by one writer and synced before the
 * journal record that refers to them.  Each record has its own header (lengths under their own
 * check) and a CRC-32C over key and value that covers database, file and offset.  A file may later
 * be *thinned*: copied with only the records still wanted, at the same offsets, the rest as holes,
 * under a new generation of the same file number: references stay true.
 */
#ifndef YORE_TABLE_VALUE_FILE_H
#define YORE_TABLE_VALUE_FILE_H

#include <stdint.h>

#include "base/buffer.h"
#include "os/env.h"
#include "table/table.h"

/* What a version holds instead of the bytes: VALUE_REF_BYTES octets. */
#define VALUE_REF_BYTES 24
struct value_ref {
    uint64_t file;
    uint64_t offset; /* of the record */
    uint32_t value_size;
    uint32_t key_size;
};
void value_ref_encode(const struct value_ref *ref, unsigned char out[VALUE_REF_BYTES]);
enum yore_status value_ref_decode(struct yore_bytes bytes, struct value_ref *ref_out);

struct value_writer;
/* Create `path` for appending. */
enum yore_status value_writer_open(struct os_env *env, const char *path,
                                   struct file_identity identity, struct value_writer **writer_out,
                                   struct yore_error *error_out);
/* Append one record.  Not durable before value_writer_sync(). */
enum yore_status value_writer_append(struct value_writer *writer, uint32_t keyspace,
                                     struct yore_bytes key, struct yore_bytes value,
                                     struct value_ref *ref_out, struct yore_error *error_out);
enum yore_status value_writer_sync(struct value_writer *writer, struct yore_error *error_out);
uint64_t value_writer_bytes(const struct value_writer *writer);
void value_writer_close(struct value_writer *writer);

struct value_reader;
enum yore_status value_reader_open(struct os_env *env, const char *path,
                                   struct file_identity identity, struct value_reader **reader_out,
                                   struct yore_error *error_out);
void value_reader_close(struct value_reader *reader);
/* Read one value into `value_out` (appended), checked against `key`.  Any thread. */
enum yore_status value_reader_get(struct value_reader *reader, const struct value_ref *ref,
                                  struct yore_bytes key, struct buffer *value_out,
                                  struct yore_error *error_out);
/* Walk every record that is not a hole.  `each` non-zero stops.  A torn tail (after a crash) ends
 * the walk;
 * `*end_out` is the end of the last whole record. */
struct value_record {
    uint32_t keyspace;
    struct value_ref ref;
    struct yore_bytes key;
};
enum yore_status value_reader_walk(struct value_reader *reader,
                                   int (*each)(void *arg, const struct value_record *record),
                                   void *arg, uint64_t *end_out, struct yore_error *error_out);
/* Write generation `to_path`: the records for which `keep` is non-zero, the rest holes; synced.
 * `identity` is unchanged: same file number. */
enum yore_status value_file_thin(struct os_env *env, struct value_reader *from, const char *to_path,
                                 int (*keep)(void *arg, const struct value_record *record),
                                 void *arg, uint64_t *kept_bytes_out, struct yore_error *error_out);

#endif
