/* table_read.c -- point reads, and what the index alone can tell. */
#include "table/table_read.h"

#include "base/hash.h"
#include "table/filter.h"

void table_pin_release(struct table_pin *pin)
{
    if (pin->frame != NULL) {
        page_frame_unpin(pin->frame);
        pin->frame = NULL;
    }
}

/* In one page; NOT_FOUND: nothing of the key there that may be seen. */
static enum yore_status find_in_page(struct table *table, const struct version_place *place,
                                     enum page_reach reach, struct table_spot *spot,
                                     struct yore_error *error_out)
{
    /* Before the pin, whose atomic step everything behind it waits for. */
    const struct table_loaded *loaded = table->loaded;
    page_prefetch(
        atomic_load_explicit(&loaded->slots[spot->page_number].page, memory_order_relaxed),
        loaded->page_keys);
    enum yore_status st = table_pin_page(table, spot->page_number, reach, &spot->frame, error_out);
    if (st != YORE_OK) {
        return st;
    }
    const struct page *page = spot->frame->page;
    spot->key = page_find_equal(page, place->key);
    if (spot->key < page->key_count) {
        spot->version = page_find_as_of(page, spot->key, place->valid_from, place->commit);
        if (spot->version < page_start(page, spot->key + 1)) {
            return YORE_OK;
        }
    }
    page_frame_unpin(spot->frame);
    spot->frame = NULL;
    return YORE_NOT_FOUND;
}

enum yore_status table_find_as_of(struct table *table, const struct version_place *place,
                                  enum page_reach reach, struct table_spot *spot_out,
                                  struct yore_error *error_out)
{
    const struct table_index *index = &table->loaded->index;
    const struct table_meta *meta = &table->meta;
    /* Then no page can be passed over, and none need be asked for its bounds: a cold line each. */
    bool is_after_all = meta->valid_max <= place->valid_from && meta->commit_max <= place->commit;
    uint32_t at = table_index_locate(index, place);
    spot_out->frame = NULL;
    while (at < index->page_count) {
        const struct index_page *entry = &index->pages[at];
        if (is_after_all ||
            (entry->valid_min <= place->valid_from && entry->commit_min <= place->commit)) {
            spot_out->page_number = at;
            enum yore_status st = find_in_page(table, place, reach, spot_out, error_out);
            if (st != YORE_NOT_FOUND) {
                return st;
            }
        }
        if (!table_index_goes_on(index, at) ||
            !table_index_begins_with(index, at + 1, place->key)) {
            break;
        }
        at++;
    }
    return YORE_NOT_FOUND;
}

/* In a table that is in use, which it is no more afterwards. */
static enum yore_status get_and_unuse(struct table *table, const struct version_place *place,
                                      uint64_t key_hash, enum page_reach reach,
                                      struct version *version_out, struct table_pin *pin_out,
                                      struct yore_error *error_out)
{
    const struct table_loaded *loaded = table->loaded;
    enum yore_status st = YORE_NOT_FOUND;
    if (filter_may_hold(loaded->filter, loaded->filter_size, key_hash)) {
        struct table_spot spot;
        st = table_find_as_of(table, place, reach, &spot, error_out);
        if (st == YORE_OK) {
            version_out->key = place->key;
            page_read_version(spot.frame->page, spot.version, version_out);
            pin_out->frame = spot.frame;
        }
    }
    table_unuse(table);
    return st;
}

static bool begins_after(const struct table *table, const struct version_place *place)
{
    return place->valid_from < table->meta.valid_min || place->commit < table->meta.commit_min;
}

enum yore_status table_get_hashed(struct table *table, const struct version_place *place,
                                  uint64_t key_hash, struct version *version_out,
                                  struct table_pin *pin_out, struct yore_error *error_out)
{
    pin_out->frame = NULL;
    if (begins_after(table, place)) {
        return YORE_NOT_FOUND;
    }
    enum yore_status st = table_use(table, error_out);
    return st == YORE_OK
               ? get_and_unuse(table, place, key_hash, PAGE_KEPT, version_out, pin_out, error_out)
               : st;
}

enum yore_status table_get_in_memory(struct table *table, const struct version_place *place,
                                     uint64_t key_hash, struct version *version_out,
                                     struct table_pin *pin_out)
{
    pin_out->frame = NULL;
    if (begins_after(table, place)) {
        return YORE_NOT_FOUND;
    }
    return table_try_use(table)
               ? get_and_unuse(table, place, key_hash, PAGE_IN_MEMORY, version_out, pin_out, NULL)
               : YORE_BUSY;
}

/* Of the key's versions in the page, latest first: the last one that begins after the place and is
 * known. */
static bool find_next_in_page(const struct page *page, const struct version_place *place,
                              int64_t *valid_from_out)
{
    uint32_t key = page_find_equal(page, place->key);
    if (key == page->key_count) {
        return false;
    }
    uint32_t start = page_start(page, key);
    uint32_t at = page_find_version(page, key, place->valid_from, INT64_MAX);
    while (at > start && page_commit(page)[at - 1] > place->commit) {
        at--;
    }
    if (at > start) {
        *valid_from_out = page_valid_from(page)[at - 1];
    }
    return at > start;
}

/* In a table that is in use.  Where the key has gone on over several pages, later versions are in
 * earlier ones. */
static enum yore_status find_next(struct table *table, const struct version_place *place,
                                  int64_t *valid_from_out, struct yore_error *error_out)
{
    const struct table_index *index = &table->loaded->index;
    struct version_place earliest = {place->key, place->valid_from, INT64_MAX};
    uint32_t at = table_index_locate(index, &earliest);
    for (;; at--) {
        if (index->pages[at].valid_max > place->valid_from) {
            struct page_frame *frame;
            enum yore_status st = table_pin_page(table, at, PAGE_KEPT, &frame, error_out);
            if (st != YORE_OK) {
                return st;
            }
            bool is_found = find_next_in_page(frame->page, place, valid_from_out);
            page_frame_unpin(frame);
            if (is_found) {
                return YORE_OK;
            }
        }
        if (!index->pages[at].is_continuation || !table_index_begins_with(index, at, place->key)) {
            return YORE_NOT_FOUND;
        }
    }
}

enum yore_status table_next_begin(struct table *table, const struct version_place *place,
                                  uint64_t key_hash, int64_t *valid_from_out,
                                  struct yore_error *error_out)
{
    if (table->meta.valid_max <= place->valid_from || table->meta.commit_min > place->commit) {
        return YORE_NOT_FOUND;
    }
    enum yore_status st = table_use(table, error_out);
    if (st != YORE_OK) {
        return st;
    }
    const struct table_loaded *loaded = table->loaded;
    st = filter_may_hold(loaded->filter, loaded->filter_size, key_hash)
             ? find_next(table, place, valid_from_out, error_out)
             : YORE_NOT_FOUND;
    table_unuse(table);
    return st;
}

/* style: parameters because a moment is two numbers, and every caller has them apart. */
enum yore_status table_get(struct table *table, struct yore_bytes key, int64_t valid, int64_t known,
                           struct version *version_out, struct table_pin *pin_out,
                           struct yore_error *error_out)
{
    struct version_place place = {key, valid, known};
    return table_get_hashed(table, &place, hash_bytes(key), version_out, pin_out, error_out);
}

bool table_may_hold(struct table *table, struct yore_bytes key)
{
    if (table_use(table, NULL) != YORE_OK) {
        return true;
    }
    const struct table_loaded *loaded = table->loaded;
    bool may_hold = filter_may_hold(loaded->filter, loaded->filter_size, hash_bytes(key));
    table_unuse(table);
    return may_hold;
}

/* ---- estimates ---- */

void table_page_range(const struct table_index *index, struct yore_bytes low,
                      struct yore_bytes high, uint32_t *first_out, uint32_t *end_out)
{
    struct version_place from = {low, INT64_MAX, INT64_MAX};
    *first_out = low.size > 0 ? table_index_locate(index, &from) : 0;
    *end_out = index->page_count;
    if (high.size > 0) {
        struct version_place to = {high, INT64_MAX, INT64_MAX};
        uint32_t last = table_index_find(index, &to);
        *end_out = last == TABLE_INDEX_NONE ? 0 : last + 1;
    }
    if (*end_out < *first_out) {
        *end_out = *first_out;
    }
}

uint64_t table_range_bytes(struct table *table, struct yore_bytes low, struct yore_bytes high)
{
    const struct table_meta *meta = &table->meta;
    if (meta->version_count == 0 ||
        (low.size > 0 && bytes_compare(buffer_bytes(&meta->last_key), low) < 0) ||
        (high.size > 0 && bytes_compare(buffer_bytes(&meta->first_key), high) >= 0)) {
        return 0;
    }
    if (table_use(table, NULL) != YORE_OK) {
        return meta->file_bytes;
    }
    const struct table_index *index = &table->loaded->index;
    uint32_t first;
    uint32_t end;
    table_page_range(index, low, high, &first, &end);
    uint64_t bytes = 0;
    if (first < end) {
        const struct index_page *last = &index->pages[end - 1];
        bytes = last->offset + last->size - index->pages[first].offset;
    }
    table_unuse(table);
    return bytes;
}

enum yore_status table_middle_key(struct table *table, struct yore_bytes low,
                                  struct yore_bytes high, struct buffer *key_out,
                                  struct yore_error *error_out)
{
    enum yore_status st = table_use(table, error_out);
    if (st != YORE_OK) {
        return st;
    }
    const struct table_index *index = &table->loaded->index;
    uint32_t first;
    uint32_t end;
    table_page_range(index, low, high, &first, &end);
    st = YORE_NOT_FOUND;
    uint64_t best = UINT64_MAX;
    uint32_t chosen = 0;
    uint64_t middle =
        first < end ? (index->pages[first].offset + index->pages[end - 1].offset) / 2 : 0;
    for (uint32_t i = first; i < end; i++) {
        struct yore_bytes key = table_index_key(index, i);
        uint64_t offset = index->pages[i].offset;
        uint64_t distance = offset > middle ? offset - middle : middle - offset;
        if (distance < best && bytes_compare(key, low) > 0 && !index->pages[i].is_continuation &&
            (high.size == 0 || bytes_compare(key, high) < 0)) {
            best = distance;
            chosen = i;
            st = YORE_OK;
        }
    }
    if (st == YORE_OK) {
        buffer_clear(key_out);
        buffer_append_bytes(key_out, table_index_key(index, chosen));
        st = key_out->is_nomem ? error_plain(error_out, YORE_NOMEM) : YORE_OK;
    }
    table_unuse(table);
    return st;
}
