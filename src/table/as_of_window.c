/* as_of_window.c -- see as_of_window.h. */
#include "table/as_of_window.h"

#include "base/assert.h"
#include "table/table_format.h"

#define LINE_TIMES 8u  /* in a cache line */
#define WIDTH_FIRST 4u /* most walks are short, and most of those begin with a seek */

_Static_assert(AS_OF_WINDOW_KEYS < 64, "a bit a key, and one to end with");

static unsigned mark_of(const struct page *page, uint32_t version)
{
    return page->marks_at == 0 ? page->mark
                               : ((const unsigned char *)page_array(page, page->marks_at))[version];
}

static bool is_plain(const struct page *page, uint32_t version)
{
    unsigned mark = mark_of(page, version);
    const unsigned carried = (unsigned)VERSION_CARRIED << MARK_FLAGS_SHIFT;
    return (mark & ~carried) == YORE_KIND_PUT &&
           (page->valid_to_at == 0 || page_valid_to(page)[version] == YORE_FOREVER);
}

/* A load, because a prefetch of what the processor has no translation for may be dropped: measured
 * here, prefetches alone gained nothing.  What is read is of no use but must not look so. */
static inline unsigned touch(const void *at)
{
    return *(const unsigned char *)at;
}

/* The times of a key's versions lie in a row, and nearly all of their lines are needed. */
static unsigned ask_for_times(const struct page *page, uint32_t key)
{
    const int64_t *valids = page_valid_from(page);
    uint32_t end = page_start(page, key + 1);
    unsigned touched = 0;
    for (uint32_t i = page_start(page, key); i < end; i += LINE_TIMES) {
        touched ^= touch(valids + i);
    }
    return touched;
}

/* The value's first line; the rest of it is on the same page, mostly. */
static unsigned ask_for(const struct page *page, uint32_t version, bool keys_only)
{
    unsigned touched = touch(page_commit(page) + version);
    struct yore_bytes value = page_value(page, version);
    if (!keys_only && value.size > 0) {
        uintptr_t at = (uintptr_t)value.data;
        touched ^= touch(value.data);
        __builtin_prefetch((const void *)(at + 64));
        __builtin_prefetch((const void *)(at + value.size - 1));
    }
    return touched;
}

/* The keys to be looked for, which are not all that have something; how many. */
static uint32_t choose(struct as_of_window *w, uint32_t end, const struct as_of_moment *moment)
{
    uint32_t count = 0;
    uint32_t key = w->first;
    for (; key < end && count < w->width; key++) {
        w->keys[count] = key;
        count += moment->lives == NULL || (moment->lives[key] & moment->life) != 0;
    }
    w->end = key;
    return count;
}

void as_of_window_fill(struct as_of_window *w, const struct page *page, uint32_t first,
                       uint32_t end, const struct as_of_moment *moment)
{
    YORE_ASSERT(first < end && end <= page->key_count);
    w->width = w->width == 0 ? WIDTH_FIRST : 2 * w->width;
    w->width = w->width < AS_OF_WINDOW_KEYS ? w->width : AS_OF_WINDOW_KEYS;
    w->first = first;
    w->count = 0;
    w->at = 0;
    w->plain = 0;
    uint32_t chosen = choose(w, end, moment);
    for (uint32_t i = 0; i < chosen; i++) {
        w->touched ^= ask_for_times(page, w->keys[i]);
    }
    int64_t known = moment->is_all_known ? INT64_MAX : moment->known;
    for (uint32_t i = 0; i < chosen; i++) {
        uint32_t key = w->keys[i];
        uint32_t found = page_find_as_of(page, key, moment->valid, known);
        w->keys[w->count] = key;
        w->versions[w->count] = found;
        w->count += found < page_start(page, key + 1);
    }
    chosen = w->count;
    w->count = 0;
    for (uint32_t i = 0; i < chosen; i++) {
        uint32_t version = w->versions[i];
        if (moment->skips_deletes && (mark_of(page, version) & MARK_KIND) == YORE_KIND_DELETE) {
            continue;
        }
        w->touched ^= ask_for(page, version, moment->keys_only);
        w->keys[w->count] = w->keys[i];
        w->versions[w->count] = version;
        w->plain |= (uint64_t)is_plain(page, version) << w->count;
        w->count++;
    }
}
