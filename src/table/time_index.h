/* time_index.h -- which pages of a table have a version that begins or ends at a given time.
 *
 * Pages are ordered by key, so changes between two moments may lie in any of them, one here, one
 * there.  The time index lists pages by time: *buckets*, each a stretch of time and the pages with
 * an event in it, an event being the begin (valid_from) or the end (valid_to) of a version.  A
 * bucket ends at the first new moment after TIME_INDEX_BUCKET_PAGES pages.  Small tables have none,
 * nor those with more than TIME_INDEX_EVENTS_MAX events: there every page may have changed.
 *
 * Bytes: buckets in *chunks* between pages and index; a bucket: varint time since the bucket before
 * (0: the first of a chunk), varint number of pages, varint first page, varint step to each next,
 * less one.  The directory ends the index: varint number of chunks; per chunk zigzag time of its
 * first bucket less that of the chunk before (modulo 2^64), varint octets, u32 placed check.
 */
#ifndef YORE_TABLE_TIME_INDEX_H
#define YORE_TABLE_TIME_INDEX_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/coding.h"
#include "base/status.h"
#include "table/version.h"

#define TIME_INDEX_PAGES_MIN 16u /* fewer are quickly read */
#define TIME_INDEX_BUCKET_PAGES 8u
#define TIME_INDEX_CHUNK_BYTES 4096u     /* about */
#define TIME_INDEX_EVENTS_MAX (2u << 20) /* 16 octets each while the table is written */

/* ---- writing ---- */

/* A zeroed struct is empty. */
struct time_index_writer {
    struct buffer events; /* struct time_event each */
    bool is_over;         /* too many: no index */
};
void time_index_writer_release(struct time_index_writer *writer);
/* Note the version's begin and end; pages must come in ascending order.  Out of memory shows in
 * finish. */
void time_index_note_version(struct time_index_writer *writer, const struct version *version,
                             uint32_t page);

/* Where chunks go: their check covers their place. */
struct time_index_place {
    uint64_t check_id;
    uint64_t offset;
};
/* Append the chunks to `chunks_out` and the directory to `directory_out`.  Errors: YORE_NOMEM. */
enum yore_status time_index_finish(struct time_index_writer *writer, uint32_t page_count,
                                   struct time_index_place place, struct buffer *chunks_out,
                                   struct buffer *directory_out);

/* ---- reading ---- */

struct time_chunk {
    int64_t first; /* time of its first bucket */
    uint64_t offset;
    uint32_t size;
    uint32_t crc;
};

/* A zeroed struct is empty: no chunks, every page may have changed. */
struct time_index {
    uint32_t chunk_count;
    struct time_chunk *chunks;
};
void time_index_release(struct time_index *index);

/* Read the directory; chunks lie end to end from `offset` on, `*end_out` is where they end. Errors:
 * YORE_NOMEM, YORE_CORRUPT. */
enum yore_status time_index_decode(struct decoder *d, uint64_t offset, struct time_index *index_out,
                                   uint64_t *end_out);

/* The chunks that may tell of the span: [*first_out, the result). */
uint32_t time_index_chunks(const struct time_index *index, struct time_span span,
                           uint32_t *first_out);

/* Set the bits of `pages` (one a page, 64 a word) which chunk `number`, whose bytes are given,
 * lists in the span.  False: malformed. */
bool time_index_mark(const struct time_index *index, uint32_t number, struct yore_bytes chunk,
                     struct time_span span, uint32_t page_count, uint64_t *pages);

#endif
