/* page.h -- a page in memory: the form that is searched.  Decoded once, with every bound, order and
 * kind checked, so that nothing after it needs a check.  Immutable; any thread. */
#ifndef YORE_TABLE_PAGE_H
#define YORE_TABLE_PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"
#include "table/version.h"

/* One allocation; the arrays lie behind the struct.  Versions of key i are [starts[i], starts[i +
 * 1]). */
struct page {
    uint32_t key_count;     /* >= 1 */
    uint32_t version_count; /* >= key_count */
    uint32_t prefix_size;   /* octets all keys begin with */
    uint32_t value_stride;  /* all values have this size; when value_ends is NULL */
    const uint64_t
        *heads; /* octets prefix_size.. of each key, big-endian, zeros behind a short key */
    const uint32_t *key_starts; /* key_count + 1, into keys */
    const unsigned char *keys;
    const uint32_t *starts; /* key_count + 1; NULL: one version a key */
    const int64_t *valid_from;
    const int64_t *commit;        /* the array valid_from itself where the two never differ */
    const int64_t *valid_to;      /* NULL: YORE_FOREVER everywhere */
    const unsigned char *marks;   /* table_format.h */
    const uint32_t *value_starts; /* version_count + 1, into values; NULL: value_stride */
    const unsigned char *values;
    size_t bytes; /* of the allocation */
};

/* Decode the columns of a page.  `*what_out` says what is wrong with them.
 * Errors: YORE_CORRUPT; YORE_BAD_FORMAT (a column or encoding of a later version); YORE_NOMEM. */
enum yore_status page_decode(struct yore_bytes raw, struct page **page_out, const char **what_out);
void page_free(struct page *page);

static inline struct yore_bytes page_key(const struct page *page, uint32_t key)
{
    uint32_t start = page->key_starts[key];
    return bytes_of(page->keys + start, page->key_starts[key + 1] - start);
}
static inline uint32_t page_start(const struct page *page, uint32_t key)
{
    return page->starts != NULL ? page->starts[key] : key;
}

/* First key >= `key`, or key_count; `*is_equal_out`: it is that key. */
uint32_t page_find_key(const struct page *page, struct yore_bytes key, bool *is_equal_out);
/* First version of `key` at or after (valid_from, commit) in the order, or the end of its versions.
 */
uint32_t page_find_version(const struct page *page, uint32_t key, int64_t valid_from,
                           int64_t commit);
/* First version of `key` with valid_from <= valid and commit <= known, or the end of its versions.
 */
uint32_t page_find_as_of(const struct page *page, uint32_t key, int64_t valid, int64_t known);

/* Fill all but the key. */
void page_read_version(const struct page *page, uint32_t version, struct version *version_out);

/* The first eight octets of a key, for comparison: equal heads say nothing, others decide. */
uint64_t key_head(const unsigned char *at, size_t size);

#endif
