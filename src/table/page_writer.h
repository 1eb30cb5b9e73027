/* page_writer.h -- gathers the versions of one page and writes them as columns. */
#ifndef YORE_TABLE_PAGE_WRITER_H
#define YORE_TABLE_PAGE_WRITER_H

#include <stdint.h>

#include "base/buffer.h"
#include "table/page_times.h"
#include "table/version.h"

struct page_row {
    int64_t valid_from;
    int64_t commit;
    int64_t valid_to;
    uint32_t value_size;
    unsigned char mark;
};

/* A zeroed struct is empty. */
struct page_writer {
    struct page_row *rows;
    uint32_t row_count;
    size_t row_capacity;
    uint32_t key_count;
    size_t last_key_at; /* start of the last key in `keys` */
    size_t last_key_size;
    size_t keys_bytes;       /* whole keys, as a reader will hold them */
    size_t bytes;            /* what the page weighs against its target */
    uint32_t held_rows;      /* of the key held back: behind those of the page, as are ... */
    size_t held_values;      /* ... the octets of its values */
    size_t held_bytes;       /* what it weighs */
    struct buffer keys;      /* each key, end to end */
    struct buffer key_sizes; /* u32 of each key */
    struct buffer counts;    /* int64_t of each key: its versions */
    struct buffer values;
    struct buffer ints; /* a column before it is encoded */
    struct buffer scratch[2];
    struct buffer column;
    struct page_times shared;
    struct buffer times[2]; /* columns of the times: one by one, shared */
};

void page_writer_release(struct page_writer *w);
/* What was held back begins the next page. */
void page_writer_clear(struct page_writer *w);

/* Append; copies.  `is_new_key`: differs from the version before.  Errors: YORE_NOMEM. */
enum yore_status page_writer_add(struct page_writer *w, const struct version *version,
                                 bool is_new_key);

/* The last key of the page; valid until the next add, over a clear too. */
struct yore_bytes page_writer_last_key(const struct page_writer *w);

/* What the last key weighs, with its versions. */
size_t page_writer_last_key_bytes(const struct page_writer *w);
/* Leave the last key, which is not the first, to the page after the next clear. */
void page_writer_hold_last_key(struct page_writer *w);

/* Append the columns of what was gathered (at least one version).  Errors: YORE_NOMEM. */
enum yore_status page_writer_encode(struct page_writer *w, struct buffer *raw_out);

#endif
