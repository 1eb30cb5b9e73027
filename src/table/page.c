/* page.c -- searching a decoded page. */
#include "table/page.h"

#include "base/coding.h"
#include "base/mem.h"
#include "table/key_order.h"
#include "table/page_room.h"
#include "table/table_format.h"

#define LINE_BYTES 64
#define CHANGED_ASKED 4u          /* changes, some of which are of another moment of their era */
#define CHANGED_VALUES_BYTES 256u /* of the values before and after one */

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

uint32_t page_find_key_near(const struct page *page, uint32_t from, struct yore_bytes key)
{
    size_t prefix = page->prefix_size;
    size_t common = key.size < prefix ? key.size : prefix;
    int order = common > 0 ? memcmp(key.data, page_array(page, page->keys_at), common) : 0;
    if (order != 0 || key.size < prefix || key.size == 0) {
        return order > 0 ? page->key_count : from;
    }
    uint64_t head = key_head((const unsigned char *)key.data + prefix, key.size - prefix);
    const uint64_t *heads = page_heads(page);
    uint32_t low = from;
    uint32_t step = 1;
    while (step <= page->key_count - low && heads[low + step - 1] < head) {
        low += step;
        step *= 2;
    }
    uint32_t left = step <= page->key_count - low ? step - 1 : page->key_count - low;
    low += key_lower_head(heads + low, left, head);
    if (low == page->key_count || heads[low] != head) {
        return low;
    }
    bool is_equal = false;
    return find_among_equals(page, low, head, key, &is_equal);
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
    const struct page_moment moment = {valid, known};
    return page_search_as_of(page_valid_from(page), page_commit(page), page_start(page, key),
                             page_start(page, key + 1), &moment);
}

#define SPAN_BLOCK 8u

static inline uint64_t lesser(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* The first moment of a span and how many there are. */
struct stretch {
    uint64_t first;
    uint64_t width;
};

static inline uint64_t distance(int64_t time, const struct stretch *stretch)
{
    return (uint64_t)time - stretch->first; /* of what is earlier: very far */
}

/* Without a branch for each. */
static inline bool is_block_in(const int64_t *at, const struct stretch *stretch)
{
    uint64_t d0 = lesser(distance(at[0], stretch), distance(at[1], stretch));
    uint64_t d2 = lesser(distance(at[2], stretch), distance(at[3], stretch));
    uint64_t d4 = lesser(distance(at[4], stretch), distance(at[5], stretch));
    uint64_t d6 = lesser(distance(at[6], stretch), distance(at[7], stretch));
    return lesser(lesser(d0, d2), lesser(d4, d6)) < stretch->width;
}

/* `ends`: of versions that end, else `begins`. */
static uint32_t find_by_times(const int64_t *begins, const int64_t *ends, uint32_t version,
                              uint32_t count, const struct stretch *stretch)
{
    while (version + SPAN_BLOCK <= count && !is_block_in(begins + version, stretch) &&
           (ends == begins || !is_block_in(ends + version, stretch))) {
        version += SPAN_BLOCK;
    }
    while (version < count && distance(begins[version], stretch) >= stretch->width &&
           distance(ends[version], stretch) >= stretch->width) {
        version++;
    }
    return version;
}

uint32_t page_life_at(const struct page *page, int64_t valid)
{
    const struct page_eras *eras = page_eras(page);
    if (valid < eras->first) {
        return 0;
    }
    uint64_t era = ((uint64_t)valid - (uint64_t)eras->first) >> eras->shift;
    return UINT32_C(1) << page_life_of((uint8_t)lesser(era, UINT8_MAX));
}

/* Which of a block's eras are one of `low` ... `low` + `more`: a bit in the octet of each, those of
 * the first half in the first word. */
static inline void mark_eras_in(const uint8_t *of, uint8_t low, uint8_t more, uint64_t marks_out[2])
{
    uint8_t is_in[PAGE_ERAS_BLOCK];
    for (unsigned i = 0; i < PAGE_ERAS_BLOCK; i++) { /* a vector of octets */
        is_in[i] = (uint8_t)(of[i] - low) <= more ? 1 : 0;
    }
    marks_out[0] = get_u64(is_in);
    marks_out[1] = get_u64(is_in + sizeof(uint64_t));
}

/* Eras that a span has a part of: `low` ... `low` + `more`. */
struct era_range {
    uint8_t low;
    uint8_t more;
};

/* False: none. */
static bool eras_of(const struct page_eras *eras, const struct time_span *span,
                    struct era_range *range_out)
{
    uint64_t low = 0;
    if (span->after >= eras->first) {
        low = ((uint64_t)span->after - (uint64_t)eras->first) >> eras->shift;
    }
    if (span->until <= span->after || span->until < eras->first || low > UINT8_MAX) {
        return false;
    }
    uint64_t high =
        lesser(((uint64_t)span->until - (uint64_t)eras->first) >> eras->shift, UINT8_MAX);
    *range_out = (struct era_range){(uint8_t)low, (uint8_t)(high - low)};
    return true;
}

/* The first version from `version` on that begins in one of the eras, or version_count. */
static uint32_t find_in_eras(const struct page *page, uint32_t version, struct era_range range)
{
    const struct page_eras *eras = page_eras(page);
    uint32_t count = page->version_count;
    for (uint32_t base = version - version % PAGE_ERAS_BLOCK; base < count;
         base += PAGE_ERAS_BLOCK) {
        uint64_t marks[2];
        mark_eras_in(eras->of + base, range.low, range.more, marks);
        while ((marks[0] | marks[1]) != 0) {
            unsigned half = marks[0] == 0;
            uint32_t at = base + 8 * half + (uint32_t)__builtin_ctzll(marks[half]) / 8;
            if (at >= version) {
                return at < count ? at : count;
            }
            marks[half] &= marks[half] - 1;
        }
    }
    return count;
}

/* Where nothing ends: only those that begin in an era of the span are looked at. */
static uint32_t find_by_eras(const struct page *page, uint32_t version,
                             const struct time_span *span, const struct stretch *stretch)
{
    struct era_range range;
    if (!eras_of(page_eras(page), span, &range)) {
        return page->version_count;
    }
    version = find_in_eras(page, version, range);
    while (version < page->version_count &&
           distance(page_valid_from(page)[version], stretch) >= stretch->width) {
        version = find_in_eras(page, version + 1, range);
    }
    return version;
}

/* Its key is about where it would be if all had as many versions. */
static void ask_for_change(const struct page *page, uint32_t version)
{
    uint32_t key = (uint32_t)((uint64_t)version * page->key_count / page->version_count);
    uint32_t before = version + 1 < page->version_count ? version + 1 : version;
    uintptr_t value = (uintptr_t)page_value(page, version).data;
    struct yore_bytes last = page_value(page, before);
    size_t size = (uintptr_t)last.data - value + last.size;
    size = size < CHANGED_VALUES_BYTES ? size : CHANGED_VALUES_BYTES;
    __builtin_prefetch(page_valid_from(page) + version);
    __builtin_prefetch(page_commit(page) + version);
    __builtin_prefetch((const uint32_t *)page_array(page, page->starts_at) + key);
    __builtin_prefetch(page_key(page, key).data);
    for (size_t at = 0; at < size; at += LINE_BYTES) {
        __builtin_prefetch((const void *)(value + at));
    }
}

void page_ask_for_changed(const struct page *page, const struct time_span *span)
{
    struct era_range range;
    if (!page->has_eras || page->valid_to_at != 0 || !eras_of(page_eras(page), span, &range)) {
        return;
    }
    uint32_t version = find_in_eras(page, 0, range);
    for (unsigned i = 0; i < CHANGED_ASKED && version < page->version_count; i++) {
        ask_for_change(page, version);
        version = find_in_eras(page, version + 1, range);
    }
}

uint32_t page_find_changed(const struct page *page, uint32_t version, const struct time_span *span)
{
    const int64_t *begins = page_valid_from(page);
    const int64_t *ends = page->valid_to_at != 0 ? page_valid_to(page) : begins;
    struct stretch stretch = {(uint64_t)span->after + 1, 0};
    if (span->until > span->after) {
        stretch.width = (uint64_t)span->until - (uint64_t)span->after;
    }
    return page->has_eras && ends == begins
               ? find_by_eras(page, version, span, &stretch)
               : find_by_times(begins, ends, version, page->version_count, &stretch);
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
