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

struct page_room;

#define PAGE_PREFETCH_LINES 24

/* One allocation of `bytes`, aligned to cache lines: this header, in one line, then the heads, then
 * the other arrays at the distances `..._at` from the header; 0 means that there is none.  What one
 * read needs is few lines whose addresses are known early, so that they can be fetched at the same
 * time. */
struct page {
    uint32_t key_count;       /* >= 1 */
    uint32_t version_count;   /* >= key_count */
    uint32_t prefix_size;     /* octets all keys begin with */
    uint32_t key_stride;      /* size of every key; 0: key_starts */
    uint32_t value_stride;    /* size of every value, where there are no value_starts */
    uint32_t key_starts_at;   /* uint32_t[key_count + 1], into keys */
    uint32_t keys_at;         /* octets */
    uint32_t starts_at;       /* uint32_t[key_count + 1], first version of each key; 0: one each */
    uint32_t valid_from_at;   /* int64_t[version_count] */
    uint32_t commit_at;       /* likewise; valid_from_at where the two never differ */
    uint32_t valid_to_at;     /* likewise; 0: YORE_FOREVER everywhere */
    uint32_t marks_at;        /* octets, table_format.h; 0: `mark` everywhere */
    uint32_t value_starts_at; /* uint32_t[version_count + 1], into values; 0: value_stride */
    uint32_t values_at;       /* octets */
    uint32_t bytes;
    uint8_t mark;
    bool has_eras;  /* page_eras() */
    bool has_lives; /* page_lives() */
    uint8_t unused;
};

static inline const void *page_array(const struct page *page, size_t at)
{
    return (const unsigned char *)page + at;
}
/* The eight octets of each key behind the prefix, big-endian, zeros behind a short key. */
static inline const uint64_t *page_heads(const struct page *page)
{
    return page_array(page, sizeof(*page));
}
static inline const int64_t *page_valid_from(const struct page *page)
{
    return page_array(page, page->valid_from_at);
}
static inline const int64_t *page_commit(const struct page *page)
{
    return page_array(page, page->commit_at);
}
static inline const int64_t *page_valid_to(const struct page *page) /* where there is one */
{
    return page_array(page, page->valid_to_at);
}
#define PAGE_ERAS_BLOCK 16u /* of versions: looked at together */

/* Which of the 256 stretches of the page's time each version begins in, where there are enough for
 * this to spare a look at most of them.  Behind the heads, and whole blocks. */
struct page_eras {
    int64_t first; /* the least valid_from */
    uint32_t shift;
    uint32_t unused;
    uint8_t of[];
};
static inline size_t page_eras_bytes(uint32_t version_count)
{
    return sizeof(struct page_eras) +
           (version_count + (PAGE_ERAS_BLOCK - 1)) / PAGE_ERAS_BLOCK * (size_t)PAGE_ERAS_BLOCK;
}
static inline const struct page_eras *page_eras(const struct page *page)
{
    return page_array(page, sizeof(*page) + 8 * page->key_count);
}
/* Where they end, in the page. */
static inline size_t page_eras_end(uint32_t key_count, uint32_t version_count)
{
    return sizeof(struct page) + 8 * (size_t)key_count + page_eras_bytes(version_count);
}

/* In which of 32 stretches of the page's time, eight eras each, each key has something that is no
 * delete, as far as all commits are known: a bit each.  Where the page has deletes; at its
 * end.  A walk as of a moment passes over keys that are dead all along its stretch. */
static inline size_t page_lives_bytes(uint32_t key_count)
{
    return (key_count + 1) / 2 * (size_t)8;
}
static inline const uint32_t *page_lives(const struct page *page)
{
    return page_array(page, page->bytes - page_lives_bytes(page->key_count));
}
static inline unsigned page_life_of(uint8_t era)
{
    return era / 8u;
}
/* The bit of the stretch that holds the moment; 0: everything begins later. */
uint32_t page_life_at(const struct page *page, int64_t valid);
/* Ask for the lines that a search of a page with so many keys begins with; any address will do. */
static inline void page_prefetch(const void *page, uint32_t key_count)
{
    uintptr_t at = (uintptr_t)page;
    uint32_t lines = 1 + key_count / 8;
    lines = lines < PAGE_PREFETCH_LINES ? lines : PAGE_PREFETCH_LINES;
    for (uint32_t i = 0; i <= lines; i++) {
        __builtin_prefetch((const void *)(at + 64 * (uintptr_t)i));
    }
}

/* Decode the columns of a page into memory as of page_alloc().  `*what_out` says what is wrong with
 * them. Errors: YORE_CORRUPT; YORE_BAD_FORMAT (a column or encoding of a later version);
 * YORE_NOMEM. */
enum yore_status page_decode(struct page_room *room, struct yore_bytes raw, struct page **page_out,
                             const char **what_out);
/* For the page of a stamped table, before anybody else has it: both times of every version become
 * `time`.  False: they were not 0, or a version has an end. */
bool page_stamp(struct page *page, int64_t time);
/* Memory for a page of so many octets, aligned to cache lines, from `room`, or the heap where that
 * is NULL or has none; NULL: out of memory. */
struct page *page_alloc(struct page_room *room, size_t bytes);
void page_free(struct page *page); /* NULL is ignored */

static inline struct yore_bytes page_key(const struct page *page, uint32_t key)
{
    const unsigned char *keys = page_array(page, page->keys_at);
    if (page->key_stride != 0) {
        return bytes_of(keys + (size_t)key * page->key_stride, page->key_stride);
    }
    const uint32_t *starts = page_array(page, page->key_starts_at);
    return bytes_of(keys + starts[key], starts[key + 1] - starts[key]);
}
/* First version of a key; of key_count: the version count. */
static inline uint32_t page_start(const struct page *page, uint32_t key)
{
    if (page->starts_at == 0) {
        return key;
    }
    return ((const uint32_t *)page_array(page, page->starts_at))[key];
}

/* First key >= `key`, or key_count; `*is_equal_out`: it is that key. */
uint32_t page_find_key(const struct page *page, struct yore_bytes key, bool *is_equal_out);
/* The same from key `from` on, of which it is probably not far. */
uint32_t page_find_key_near(const struct page *page, uint32_t from, struct yore_bytes key);
/* The key equal to `key`, or key_count. */
uint32_t page_find_equal(const struct page *page, struct yore_bytes key);
/* First version of `key` at or after (valid_from, commit) in the order, or the end of its versions.
 */
uint32_t page_find_version(const struct page *page, uint32_t key, int64_t valid_from,
                           int64_t commit);
/* First version of `key` with valid_from <= valid and commit <= known, or the end of its versions.
 */
uint32_t page_find_as_of(const struct page *page, uint32_t key, int64_t valid, int64_t known);
struct page_moment {
    int64_t valid;
    int64_t known;
};
/* The same among versions [at, end) of one key, by their columns. */
static inline uint32_t page_search_as_of(const int64_t *valids, const int64_t *commits, uint32_t at,
                                         uint32_t end, const struct page_moment *moment)
{
    uint32_t left = end - at;
    while (left > 0) { /* first with valid_from <= valid: valid_from falls */
        uint32_t half = (left + 1) / 2;
        at = valids[at + half - 1] > moment->valid ? at + half : at;
        left -= half;
    }
    while (at < end && commits[at] > moment->known) {
        at++;
    }
    return at;
}

/* First version from `version` on, of any key, that begins or ends in the span, or version_count.
 */
uint32_t page_find_changed(const struct page *page, uint32_t version, const struct time_span *span);
/* Ask for what the first versions that it finds in a page will be looked at for, where that is
 * found without looking at them. */
void page_ask_for_changed(const struct page *page, const struct time_span *span);
/* The key that a version belongs to, which is `key` or one behind it. */
uint32_t page_key_of(const struct page *page, uint32_t key, uint32_t version);

static inline struct yore_bytes page_value(const struct page *page, uint32_t version)
{
    const unsigned char *values = page_array(page, page->values_at);
    if (page->value_starts_at == 0) {
        return bytes_of(values + (size_t)version * page->value_stride, page->value_stride);
    }
    const uint32_t *starts = page_array(page, page->value_starts_at);
    return bytes_of(values + starts[version], starts[version + 1] - starts[version]);
}
/* Has every key one version, and do all versions share kind and flags and hold without end? */
static inline bool page_is_plain(const struct page *page)
{
    return page->starts_at == 0 && page->marks_at == 0 && page->valid_to_at == 0;
}

/* Fill all but the key. */
void page_read_version(const struct page *page, uint32_t version, struct version *version_out);

#endif
