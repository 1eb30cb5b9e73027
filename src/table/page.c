/* page.c -- searching a decoded page. */
#include "table/page.h"

#include "base/coding.h"
#include "base/mem.h"
#include "table/table_format.h"

void page_free(struct page *page)
{
    mem_free(page);
}

uint64_t key_head(const unsigned char *at, size_t size)
{
    if (size >= 8) {
        return get_u64_big_endian(at);
    }
    uint64_t head = 0;
    for (size_t i = 0; i < size; i++) {
        head |= (uint64_t)at[i] << (56 - 8 * i);
    }
    return head;
}

/* First index in [0, count) with heads[index] >= head.  No branch depends on the data. */
static uint32_t lower_head(const uint64_t *heads, uint32_t count, uint64_t head)
{
    const uint64_t *base = heads;
    uint32_t left = count;
    while (left > 1) {
        uint32_t half = left / 2;
        base = base[half - 1] < head ? base + half : base;
        left -= half;
    }
    return (uint32_t)(base - heads) + (left == 1 && *base < head ? 1 : 0);
}

/* Among keys with one head, from `low` on: first >= key. */
static uint32_t find_among_equals(const struct page *page, uint32_t low, uint64_t head,
                                  struct yore_bytes key, bool *is_equal_out)
{
    uint32_t high = low;
    for (uint32_t step = 1; high < page->key_count && page->heads[high] == head; step *= 2) {
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
    int order = common > 0 ? memcmp(key.data, page->keys, common) : 0;
    if (order != 0 || key.size < prefix) {
        return order > 0 ? page->key_count : 0;
    }
    uint64_t head = key_head((const unsigned char *)key.data + prefix, key.size - prefix);
    uint32_t low = lower_head(page->heads, page->key_count, head);
    if (low == page->key_count || page->heads[low] != head) {
        return low;
    }
    return find_among_equals(page, low, head, key, is_equal_out);
}

uint32_t page_find_version(const struct page *page, uint32_t key, int64_t valid_from,
                           int64_t commit)
{
    uint32_t low = page_start(page, key);
    uint32_t high = page_start(page, key + 1);
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (version_time_compare(page->valid_from[middle], page->commit[middle], valid_from,
                                 commit) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

uint32_t page_find_as_of(const struct page *page, uint32_t key, int64_t valid, int64_t known)
{
    uint32_t at = page_start(page, key);
    uint32_t end = page_start(page, key + 1);
    uint32_t left = end - at;
    while (left > 0) { /* first with valid_from <= valid: valid_from falls */
        uint32_t half = (left + 1) / 2;
        at = page->valid_from[at + half - 1] > valid ? at + half : at;
        left -= half;
    }
    while (at < end && page->commit[at] > known) {
        at++;
    }
    return at;
}

void page_read_version(const struct page *page, uint32_t version, struct version *version_out)
{
    unsigned mark = page->marks[version];
    version_out->valid_from = page->valid_from[version];
    version_out->commit = page->commit[version];
    version_out->valid_to = page->valid_to != NULL ? page->valid_to[version] : YORE_FOREVER;
    version_out->kind = (enum yore_kind)(mark & MARK_KIND);
    version_out->flags = mark >> MARK_FLAGS_SHIFT & MARK_FLAGS;
    if (page->value_starts != NULL) {
        uint32_t start = page->value_starts[version];
        version_out->value =
            bytes_of(page->values + start, page->value_starts[version + 1] - start);
    } else {
        version_out->value =
            bytes_of(page->values + (size_t)version * page->value_stride, page->value_stride);
    }
}
