/* record.h -- one line of an export: a version, an erasure or a keyspace, as a JSON object.
 *
 *     {"key":"host1","value":"up","valid_from":"2026-11-21T10:00:00Z","commit":"..."}
 *
 *   key | key_base64      octets; the second form where they are not UTF-8, or shorter so
 *   value | value_base64  of a put; a value that is no string is kept as its JSON text
 *   kind                  "put" (default), "delete", "erased", "keyspace"
 *   valid_from, valid_to  moments; absent or null: the commit, no end
 *   keyspace              absent: "default"
 *   commit                lines that follow each other with one text are one transaction
 *   keep, compression     of a keyspace (base/moment.h gives the grammar of durations)
 */
#ifndef YORE_CLI_RECORD_H
#define YORE_CLI_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/bytes.h"

enum record_kind { RECORD_PUT, RECORD_DELETE, RECORD_ERASED, RECORD_KEYSPACE };

/* Zeroed is ready for the first parse; the buffers are used again. */
struct record {
    enum record_kind kind;
    bool has_key;
    bool has_value;
    bool has_commit;
    struct buffer key;
    struct buffer value;
    struct buffer keyspace; /* empty: not named */
    struct buffer commit;
    int64_t valid_from; /* YORE_NOW: not given */
    int64_t valid_to;   /* YORE_FOREVER: no end */
    struct yore_keyspace_options options;
    bool has_options; /* a keep or a compression */
};

void record_release(struct record *record);

/* Read one line.  `now` is what relative moments count from.
 * Errors: YORE_INVALID, text names the member or the column; YORE_NOMEM. */
enum yore_status record_parse(struct record *record, struct yore_bytes line, int64_t now,
                              struct yore_error *error_out);

/* Append the line of a version, newline included.  `keyspace` NULL: default; `commit` YORE_NOW: not
 * named. */
struct record_version {
    enum record_kind kind;
    const char *keyspace;
    struct yore_bytes key;
    struct yore_bytes value;
    int64_t valid_from;
    int64_t valid_to;
    int64_t commit;
};
void record_append_version(struct buffer *to, const struct record_version *version);
void record_append_keyspace(struct buffer *to, const struct yore_keyspace_info *info);

/* A moment that moment_parse() reads back exactly, whatever it is. */
void record_append_moment(struct buffer *to, int64_t moment);

#endif
