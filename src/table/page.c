/* page.c -- searching a decoded page. */
#include "table/page.h"

#include "base/mem.h"
#include "table/key_order.h"
#include "table/page_room.h"
#include "table/table_format.h"

#define LINE_BYTES 64

/* Before each page stands its address on the heap, or NULL: it is from the room.  The heap is not
 * asked to align, which splits and joins what it has: pages come and go all the time. */
struct page *page_alloc(struct page_room *room, size_t bytes)
{
    unsigned char *at = room != NULL ? page_room_take(room, bytes) : NULL;
    if (at != NULL) {
        return (struct page *)(void *)at;
    }
    unsigned char *base = mem_alloc(bytes + sizeof(base) + LINE_BYTES - 1);
    if (base == NULL) {
        return NULL;
    }
    size_t gap = sizeof(base) + LINE_BYTES - 1;
    gap -= ((uintptr_t)base + gap) % LINE_BYTES;
    at = base + gap;
    memcpy(at - sizeof(base), &base, sizeof(base));
    return (struct page *)(void *)at;
}

void page_free(struct page *page)
{
    if (page == NULL) {
        return;
    }
    void *base;
    memcpy(&base, (unsigned char *)page - sizeof(base), sizeof(base));
    if (base == NULL) {
        page_room_give(page);
    } else {
        mem_free(base);
    }
}

/* Among keys with one head, from `low` on: first >= key. */
static uint32_t find_among_equals(const struct page *page, uint32_t low, uint64_t head,
                                  struct yore_bytes key, bool *is_equal_out)
{
    uint32_t high = low;
    for (uint32_t step = 1; high < page->key_count && page_heads(page)[high] == head; step *= 2) {
        int order = bytes_compare(page_key(page, high), key);
        if (order >= 0) {
            *is_equal_out = order == 0;
            break;
        }
        low = high + 1;
        high += step;
    }
    high = high < page->key_count ? high : page->key_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = bytes_compare(page_key(page, middle), key);
        if (order < 0) {
            low = middle + 1;
        } else {
            *is_equal_out = *is_equal_out || order == 0;
            high = middle;
        }
    }
    return low;
}

uint32_t page_find_key(const struct page *page, struct yore_bytes key, bool *is_equal_out)
{
    *is_equal_out = false;
    size_t prefix = page->prefix_size;
    size_t common = key.size < prefix ? key.size : prefix;
    int order = common > 0 ? memcmp(key.data, page_array(page, page->keys_at), common) : 0;
    if (order != 0 || key.size < prefix || key.size == 0) {
        return order > 0 ? page->key_count : 0;
    }
    uint64_t head = key_head((const unsigned char *)key.data + prefix, key.size - prefix);
    const uint64_t *heads = page_heads(page);
    uint32_t low = key_lower_head(heads, page->key_count, head);
    if (low == page->key_count || heads[low] != head) {
        return low;
    }
    return find_among_equals(page, low, head, key, is_equal_out);
}

uint32_t page_find_equal(const struct page *page, struct yore_bytes key)
{
    size_t prefix = page->prefix_size;
    if (key.size < prefix) {
        return page->key_count;
    }
    /* Whether the prefix is the page's shows when the whole key is compared. */
    uint64_t head = key_head((const unsigned char *)key.data + prefix, key.size - prefix);
    const uint64_t *heads = page_heads(page);
    uint32_t low = key_lower_head(heads, page->key_count, head);
    if (low == page->key_count || heads[low] != head) {
        return page->key_count;
    }
    /* Most likely it is this one: fetch what will be read of it while its key is compared. */
    uint32_t version = page_start(page, low);
    __builtin_prefetch(page_valid_from(page) + version);
    if (page->value_starts_at == 0) {
        __builtin_prefetch((const unsigned char *)page_array(page, page->values_at) +
                           (size_t)version * page->value_stride);
    }
    if (bytes_equal(page_key(page, low), key)) {
        return low;
    }
    bool is_equal = false;
    low = find_among_equals(page, low, head, key, &is_equal);
    return is_equal ? low : page->key_count;
}

uint32_t page_find_version(const struct page *page, uint32_t key, int64_t valid_from,
                           int64_t commit)
{
    const int64_t *valids = page_valid_from(page);
    const int64_t *commits = page_commit(page);
    uint32_t low = page_start(page, key);
    uint32_t high = page_start(page, key + 1);
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (version_time_compare(valids[middle], commits[middle], valid_from, commit) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

uint32_t page_find_as_of(const struct page *page, uint32_t key, int64_t valid, int64_t known)
{
    const int64_t *valids = page_valid_from(page);
    const int64_t *commits = page_commit(page);
    uint32_t at = page_start(page, key);
    uint32_t end = page_start(page, key + 1);
    uint32_t left = end - at;
    while (left > 0) { /* first with valid_from <= valid: valid_from falls */
        uint32_t half = (left + 1) / 2;
        at = valids[at + half - 1] > valid ? at + half : at;
        left -= half;
    }
    while (at < end && commits[at] > known) {
        at++;
    }
    return at;
}

/* Is it in a span that is `width` long from the moment after `after` on? */
static inline bool is_in_span(int64_t time, int64_t after, uint64_t width)
{
    return (uint64_t)time - (uint64_t)after - 1 < width;
}

#define SPAN_BLOCK 8u

static inline int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* The block of versions from `version` on in which one begins after `after`, or what is less than a
 * block at the end.  The latest of a block is found without a branch for each. */
static uint32_t find_later_block(const int64_t *begins, uint32_t version, uint32_t count,
                                 int64_t after)
{
    for (; version + SPAN_BLOCK <= count; version += SPAN_BLOCK) {
        const int64_t *at = begins + version;
        int64_t latest = later(later(later(at[0], at[1]), later(at[2], at[3])),
                               later(later(at[4], at[5]), later(at[6], at[7])));
        if (latest > after) {
            break;
        }
    }
    return version;
}

uint32_t page_find_changed(const struct page *page, uint32_t version, const struct time_span *span)
{
    const int64_t *begins = page_valid_from(page);
    const int64_t *ends = page->valid_to_at != 0 ? page_valid_to(page) : begins;
    int64_t after = span->after;
    uint64_t width = span->until > after ? (uint64_t)span->until - (uint64_t)after : 0;
    uint32_t count = page->version_count;
    while (version < count && !is_in_span(begins[version], after, width) &&
           !is_in_span(ends[version], after, width)) {
        version++;
        if (ends == begins) {
            version = find_later_block(begins, version, count, after);
        }
    }
    return version;
}

uint32_t page_key_of(const struct page *page, uint32_t key, uint32_t version)
{
    if (page->starts_at == 0) {
        return version;
    }
    const uint32_t *starts = page_array(page, page->starts_at);
    uint32_t high = page->key_count;
    for (uint32_t step = 1; high - key > step; step *= 2) { /* mostly near */
        if (starts[key + step] > version) {
            high = key + step;
        } else {
            key += step;
        }
    }
    while (high - key > 1) {
        uint32_t middle = key + (high - key) / 2;
        *(starts[middle] > version ? &high : &key) = middle;
    }
    return key;
}

void page_read_version(const struct page *page, uint32_t version, struct version *version_out)
{
    unsigned mark = page->mark;
    if (page->marks_at != 0) {
        mark = ((const unsigned char *)page_array(page, page->marks_at))[version];
    }
    version_out->valid_from = page_valid_from(page)[version];
    version_out->commit = page_commit(page)[version];
    version_out->valid_to = YORE_FOREVER;
    if (page->valid_to_at != 0) {
        version_out->valid_to = ((const int64_t *)page_array(page, page->valid_to_at))[version];
    }
    version_out->kind = (enum yore_kind)(mark & MARK_KIND);
    version_out->flags = mark >> MARK_FLAGS_SHIFT & MARK_FLAGS;
    version_out->value = page_value(page, version);
}
