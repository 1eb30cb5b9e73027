#include "table/table_index.h"

#include "base/coding.h"
#include "base/mem.h"
#include "table/key_order.h"
#include "table/table_format.h"

#define INDEX_ENTRY_BYTES_MIN 13 /* the fewest octets an entry can take */

void table_index_release(struct table_index *index)
{
    mem_free(index->heads);
    mem_free(index->pages);
    mem_free(index->keys);
    time_index_release(&index->times);
    *index = (struct table_index){0};
}

/* a - b, which the caller knows to be >= 0 though it may not fit an int64_t. */
static uint64_t distance(int64_t a, int64_t b)
{
    return (uint64_t)a - (uint64_t)b;
}

void table_index_append(const struct index_page *page, struct yore_bytes key,
                        struct yore_bytes before, struct buffer *out)
{
    size_t shared = key_shared(key, before);
    buffer_append_varint(out, shared);
    buffer_append_varint(out, key.size - shared);
    buffer_append(out, (const unsigned char *)key.data + shared, key.size - shared);
    buffer_append_u8(out, page->is_continuation ? 1 : 0);
    buffer_append_zigzag(out, page->first_valid);
    buffer_append_varint(out, distance(page->first_commit, page->first_valid));
    buffer_append_varint(out, distance(page->valid_max, page->first_valid));
    buffer_append_varint(out, distance(page->first_valid, page->valid_min));
    buffer_append_zigzag(out, page->commit_min);
    buffer_append_varint(out, distance(page->commit_max, page->commit_min));
    buffer_append_varint(out, page->version_count);
    buffer_append_varint(out, page->key_count);
    buffer_append_varint(out, page->size);
    buffer_append_varint(out, page->raw_size);
}

/* ---- reading ---- */

struct key_shape {
    uint64_t shared;
    const unsigned char *rest;
    uint64_t rest_size;
};

static bool decode_entry(struct decoder *d, struct index_page *page, struct key_shape *shape)
{
    shape->shared = decode_varint(d);
    shape->rest_size = decode_varint(d);
    if (shape->rest_size > YORE_KEY_BYTES_MAX || shape->shared > YORE_KEY_BYTES_MAX) {
        return false;
    }
    shape->rest = decode_run(d, (size_t)shape->rest_size);
    uint8_t flags = decode_u8(d);
    page->is_continuation = flags == 1;
    page->first_valid = decode_zigzag(d);
    page->first_commit = (int64_t)((uint64_t)page->first_valid + decode_varint(d));
    page->valid_max = (int64_t)((uint64_t)page->first_valid + decode_varint(d));
    page->valid_min = (int64_t)((uint64_t)page->first_valid - decode_varint(d));
    page->commit_min = decode_zigzag(d);
    page->commit_max = (int64_t)((uint64_t)page->commit_min + decode_varint(d));
    uint64_t versions = decode_varint(d);
    uint64_t keys = decode_varint(d);
    uint64_t size = decode_varint(d);
    uint64_t raw_size = decode_varint(d);
    page->key_size = (uint32_t)(shape->shared + shape->rest_size);
    page->version_count = (uint32_t)versions;
    page->key_count = (uint32_t)keys;
    page->size = (uint32_t)size;
    page->raw_size = (uint32_t)raw_size;
    return !d->is_bad && flags <= 1 && keys >= 1 && keys <= versions &&
           versions <= PAGE_VERSIONS_MAX && raw_size <= PAGE_RAW_BYTES_MAX &&
           size > PAGE_HEAD_BYTES + PAGE_CRC_BYTES && size <= 2 * (uint64_t)PAGE_RAW_BYTES_MAX &&
           page->key_size >= 1 && page->key_size <= YORE_KEY_BYTES_MAX;
}

/* Pass 1: entries, and how much their keys take.  Where these are is noted in the heads, which
 * come last: what a key shares in the upper half, the place of the rest in the lower. */
static bool decode_entries(struct decoder *d, struct table_index *index, size_t *key_bytes_out)
{
    const unsigned char *start = d->at;
    uint64_t offset = TABLE_HEADER_BYTES;
    size_t key_bytes = 0;
    uint64_t size_before = 0;
    for (uint32_t i = 0; i < index->page_count; i++) {
        struct index_page *page = &index->pages[i];
        struct key_shape shape;
        if (!decode_entry(d, page, &shape) || shape.shared > size_before) {
            return false;
        }
        page->offset = offset;
        page->key_start = key_bytes;
        index->heads[i] = shape.shared << 32 | (uint64_t)(shape.rest - start);
        offset += page->size;
        key_bytes += page->key_size;
        size_before = page->key_size;
        index->has_chains |= page->is_continuation;
    }
    index->end_offset = offset;
    *key_bytes_out = key_bytes;
    return true;
}

/* Pass 2: the keys, from entries that begin at `start`. */
static void fill_keys(const unsigned char *start, struct table_index *index)
{
    for (uint32_t i = 0; i < index->page_count; i++) {
        const struct index_page *page = &index->pages[i];
        size_t shared = (size_t)(index->heads[i] >> 32);
        unsigned char *to = index->keys + page->key_start;
        if (i > 0) {
            memcpy(to, index->keys + page[-1].key_start, shared);
        }
        memcpy(to + shared, start + (uint32_t)index->heads[i], page->key_size - shared);
    }
}

static int compare_first(const struct table_index *index, uint32_t page,
                         const struct version_place *place)
{
    const struct index_page *p = &index->pages[page];
    int order = bytes_compare(table_index_key(index, page), place->key);
    return order != 0 ? order
                      : version_time_compare(p->first_valid, p->first_commit, place->valid_from,
                                             place->commit);
}

static bool is_ordered(const struct table_index *index)
{
    for (uint32_t i = 1; i < index->page_count; i++) {
        const struct index_page *p = &index->pages[i];
        struct version_place place = {table_index_key(index, i), p->first_valid, p->first_commit};
        bool is_same_key = bytes_equal(table_index_key(index, i - 1), place.key);
        if (compare_first(index, i - 1, &place) >= 0 || (is_same_key && !p->is_continuation)) {
            return false;
        }
    }
    return index->page_count == 0 || !index->pages[0].is_continuation;
}

static void fill_heads(struct table_index *index)
{
    if (index->page_count == 0) {
        return;
    }
    size_t prefix =
        key_shared(table_index_key(index, 0), table_index_key(index, index->page_count - 1));
    index->prefix_size = (uint32_t)prefix;
    for (uint32_t i = 0; i < index->page_count; i++) {
        struct yore_bytes key = table_index_key(index, i);
        index->heads[i] = key_head((const unsigned char *)key.data + prefix, key.size - prefix);
    }
}

enum yore_status table_index_decode(struct yore_bytes bytes, struct table_index *index_out,
                                    const char **what_out)
{
    struct table_index index = {0};
    struct decoder d;
    decoder_init(&d, bytes.data, bytes.size);
    uint64_t pages = decode_varint(&d);
    *what_out = "malformed index";
    if (d.is_bad || bytes.size > UINT32_MAX || pages > decoder_left(&d) / INDEX_ENTRY_BYTES_MIN) {
        return YORE_CORRUPT;
    }
    index.page_count = (uint32_t)pages;
    const unsigned char *start = d.at;
    size_t key_bytes = 0;
    enum yore_status st = YORE_NOMEM;
    index.pages = mem_array(index.page_count, sizeof(*index.pages));
    index.heads = mem_array(index.page_count, sizeof(*index.heads));
    if (index.pages == NULL || index.heads == NULL) {
        goto out;
    }
    st = YORE_CORRUPT;
    if (!decode_entries(&d, &index, &key_bytes)) {
        goto out;
    }
    st = time_index_decode(&d, index.end_offset, &index.times, &index.end_offset);
    if (st == YORE_OK && decoder_left(&d) > 0) {
        st = YORE_CORRUPT;
    }
    if (st != YORE_OK) {
        goto out;
    }
    index.keys = mem_alloc(key_bytes);
    if (index.keys == NULL) {
        st = YORE_NOMEM;
        goto out;
    }
    st = YORE_CORRUPT;
    fill_keys(start, &index);
    if (!is_ordered(&index)) {
        *what_out = "index out of order";
        goto out;
    }
    fill_heads(&index);
    index.bytes = index.page_count * (sizeof(*index.pages) + sizeof(*index.heads)) + key_bytes +
                  index.times.chunk_count * sizeof(*index.times.chunks) + sizeof(index);
    st = YORE_OK;
out:
    if (st != YORE_OK) {
        table_index_release(&index);
    }
    *index_out = index;
    return st;
}

/* ---- searching ---- */

/* The range of pages whose heads equal the key's; below it all begin before the key, above it
 * after. */
static void head_range(const struct table_index *index, struct yore_bytes key, uint32_t *low_out,
                       uint32_t *high_out)
{
    size_t prefix = index->prefix_size;
    size_t common = key.size < prefix ? key.size : prefix;
    int order = common > 0 ? memcmp(key.data, index->keys, common) : 0;
    if (order != 0 || key.size < prefix || key.size == 0) {
        *low_out = *high_out = order > 0 ? index->page_count : 0;
        return;
    }
    uint64_t head = key_head((const unsigned char *)key.data + prefix, key.size - prefix);
    uint32_t low = key_lower_head(index->heads, index->page_count, head);
    uint32_t high = low;
    for (uint32_t step = 1; high < index->page_count && index->heads[high] == head; step *= 2) {
        high = index->page_count - high > step ? high + step : index->page_count;
    }
    *low_out = low;
    *high_out = high;
}

/* First page of [low, high) that begins after the place, or high. */
static uint32_t first_after(const struct table_index *index, const struct version_place *place,
                            uint32_t low, uint32_t high)
{
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (compare_first(index, middle, place) <= 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

bool table_index_stamp(struct table_index *index, int64_t time)
{
    bool is_right = true;
    for (uint32_t i = 0; i < index->page_count; i++) {
        struct index_page *p = &index->pages[i];
        int64_t *const times[] = {&p->first_valid, &p->first_commit, &p->valid_min,
                                  &p->valid_max,   &p->commit_min,   &p->commit_max};
        for (size_t j = 0; j < sizeof times / sizeof times[0]; j++) {
            is_right &= *times[j] == 0;
            *times[j] = time;
        }
    }
    return is_right;
}

uint32_t table_index_find(const struct table_index *index, const struct version_place *place)
{
    uint32_t low;
    uint32_t high;
    head_range(index, place->key, &low, &high);
    return first_after(index, place, low, high) - 1; /* TABLE_INDEX_NONE when it is the first */
}

uint32_t table_index_find_last(const struct table_index *index, struct yore_bytes key)
{
    struct version_place place = {key, INT64_MIN, INT64_MIN};
    return table_index_find(index, &place);
}

bool table_index_begins_with(const struct table_index *index, uint32_t page, struct yore_bytes key)
{
    return page < index->page_count && bytes_equal(table_index_key(index, page), key);
}

uint32_t table_index_locate(const struct table_index *index, const struct version_place *place)
{
    uint32_t low;
    uint32_t high;
    head_range(index, place->key, &low, &high);
    uint32_t after = low;
    if (low < high) { /* only then can a page begin with the key */
        after = first_after(index, place, low, high);
        if (table_index_begins_with(index, after, place->key) &&
            !index->pages[after].is_continuation) {
            return after; /* the key begins there: the page before has nothing of it */
        }
    }
    return after > 0 ? after - 1 : 0;
}
