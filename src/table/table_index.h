/* table_index.h -- where the pages of a table begin, in key and in file: flat, in memory, searched
 * by 8-octet heads.
 *
 * Bytes: varint page count; per page: varint octets of its bound shared with the bound
 * before, varint rest, rest; u8 1 when the page begins inside the versions of the key the page
 * before ends with; zigzag valid_from and varint lag of commit of its first version; varints
 * valid_max - valid_from, valid_from - valid_min; zigzag commit_min, varint commit_max -
 * commit_min; varints versions, keys, octets in the file, octets unpacked. Pages lie end to end
 * from TABLE_HEADER_BYTES on.  The directory of the time index follows. */
#ifndef YORE_TABLE_TABLE_INDEX_H
#define YORE_TABLE_TABLE_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "table/time_index.h"
#include "table/version.h"

struct index_page {
    int64_t first_valid; /* of the first version */
    int64_t first_commit;
    int64_t valid_min;
    int64_t valid_max;
    int64_t commit_min;
    int64_t commit_max;
    uint64_t offset;
    uint32_t size; /* in the file, head and check included */
    uint32_t raw_size;
    uint32_t version_count;
    uint32_t key_count;
    uint32_t key_size;    /* of the bound */
    bool is_continuation; /* the page before ends with the same key */
    size_t key_start;     /* of the bound, in table_index.keys */
};

/* A zeroed struct is empty. */
struct table_index {
    uint32_t page_count;
    uint32_t prefix_size; /* octets all bounds begin with */
    bool has_chains;      /* some page is a continuation */
    uint64_t *heads;      /* of the bounds, behind the prefix */
    struct index_page *pages;
    unsigned char *keys;
    struct time_index times;
    size_t bytes;        /* memory held */
    uint64_t end_offset; /* where the last chunk of the time index ends, or the last page */
};

void table_index_release(struct table_index *index);

/* For the builder: append one page's entry.  `key` is its bound: greater than every key of the page
 * before, and not greater than its own first, which it is for the first page and a continuation;
 * `before` is the bound of the page before. */
void table_index_append(const struct index_page *page, struct yore_bytes key,
                        struct yore_bytes before, struct buffer *out);

/* Read what the appends wrote, after the page count.  Errors: YORE_NOMEM; YORE_CORRUPT, `*what_out`
 * says why. */
enum yore_status table_index_decode(struct yore_bytes bytes, struct table_index *index_out,
                                    const char **what_out);

/* Of a stamped table: every bound becomes `time`.  False: they were not all 0. */
bool table_index_stamp(struct table_index *index, int64_t time);

/* The page's bound. */
static inline struct yore_bytes table_index_key(const struct table_index *index, uint32_t page)
{
    const struct index_page *p = &index->pages[page];
    return bytes_of(index->keys + p->key_start, p->key_size);
}

#define TABLE_INDEX_NONE UINT32_MAX
/* The last page that may begin at or before `place`, by its bound; TABLE_INDEX_NONE: the table
 * begins after it. */
uint32_t table_index_find(const struct table_index *index, const struct version_place *place);
/* The last page whose bound is <= `key`. */
uint32_t table_index_find_last(const struct table_index *index, struct yore_bytes key);
/* Is `key` the bound of page `page` (may be page_count: no)?  Then the key, if it is there, is its
 * first or one that goes on. */
bool table_index_begins_with(const struct table_index *index, uint32_t page, struct yore_bytes key);
/* The page to look in for the first version at or after `place`: when the page found does not have
 * it, the next begins with it.  page_count: every version lies before the place, or there is none.
 */
uint32_t table_index_locate(const struct table_index *index, const struct version_place *place);
/* Does the last key of `page` go on in the next? */
static inline bool table_index_goes_on(const struct table_index *index, uint32_t page)
{
    return index->has_chains && page + 1 < index->page_count &&
           index->pages[page + 1].is_continuation;
}

#endif
