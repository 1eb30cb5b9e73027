/* commit_codec.h -- the payload of a journal record: one committed transaction.
 *
 * Bytes: docs/format-journal.md, "Commit": commit time, number of writes, then the writes.  A write
 * is encoded before its commit time is known; a write whose valid_from is the commit time says so
 * by leaving it out.
 */
#ifndef YORE_JOURNAL_COMMIT_CODEC_H
#define YORE_JOURNAL_COMMIT_CODEC_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/coding.h"
#include "base/status.h"

struct commit_write {
    uint32_t keyspace;
    enum yore_kind kind;
    bool is_apart;       /* value holds a reference into a value file */
    bool is_from_commit; /* valid_from is the commit time */
    int64_t valid_from;  /* encode: unless is_from_commit; decode: always set */
    int64_t valid_to;    /* YORE_FOREVER: none */
    struct yore_bytes key;
    struct yore_bytes value;
};

/* How many octets the encoded write has. */
size_t commit_write_bytes(const struct commit_write *write);
/* Append one write in its final form; failures show in the buffer. */
void commit_write_encode(struct buffer *to, const struct commit_write *write);

/* The fixed part in front of the writes: COMMIT_HEADER_BYTES octets. */
#define COMMIT_HEADER_BYTES 16
void commit_header_encode(unsigned char out[COMMIT_HEADER_BYTES], int64_t commit, uint32_t count);

/* A bulk load: its writes are in tables only; the journal tells that it was, where, how many. */
struct commit_load {
    uint32_t keyspace;
    uint64_t count; /* writes */
};
#define COMMIT_LOAD_BYTES 12
/* The fixed part and what follows it, together a whole payload. */
void commit_load_encode(unsigned char header_out[COMMIT_HEADER_BYTES],
                        unsigned char load_out[COMMIT_LOAD_BYTES], int64_t commit,
                        const struct commit_load *load);

struct commit_decoder {
    struct decoder d;
    int64_t commit;
    uint32_t count; /* writes announced */
    uint32_t done;
    bool is_load; /* then there are no writes here */
    struct commit_load load;
};
/* Errors: YORE_CORRUPT. */
enum yore_status commit_decoder_init(struct commit_decoder *c, struct yore_bytes payload);
/* YORE_OK, YORE_NOT_FOUND after the last, YORE_CORRUPT (lengths, kinds, times out of range, bytes
 * left over).  Borrows. */
enum yore_status commit_decoder_next(struct commit_decoder *c, struct commit_write *write_out);

#endif
