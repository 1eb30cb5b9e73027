/* as_of_window.c -- see as_of_window.h. */
#include "table/as_of_window.h"

#include "base/assert.h"
#include "table/table_format.h"

#define LINE_TIMES 8u  /* in a cache line */
#define WIDTH_FIRST 4u /* most walks are short, and most of those begin with a seek */

_Static_assert(AS_OF_WINDOW_KEYS < 64, "a bit a key, and one to end with");

/* What is looked at of each key, found once. */
struct columns {
    const struct page *page;
    const uint32_t *starts; /* NULL: one version each */
    const int64_t *valids;
    const int64_t *commits;
    const int64_t *valid_tos; /* NULL: none ends */
    const unsigned char *marks;
    uint32_t marks_stride; /* 0: the same for all */
};

static struct columns columns_of(const struct page *page)
{
    return (struct columns){
        .page = page,
        .starts = page->starts_at != 0 ? page_array(page, page->starts_at) : NULL,
        .valids = page_valid_from(page),
        .commits = page_commit(page),
        .valid_tos = page->valid_to_at != 0 ? page_valid_to(page) : NULL,
        .marks = page->marks_at != 0 ? page_array(page, page->marks_at) : &page->mark,
        .marks_stride = page->marks_at != 0};
}

static inline uint32_t start_of(const struct columns *c, uint32_t key)
{
    return c->starts != NULL ? c->starts[key] : key;
}

static inline unsigned mark_of(const struct columns *c, uint32_t version)
{
    return c->marks[(size_t)version * c->marks_stride];
}

static inline bool is_plain(const struct columns *c, uint32_t version)
{
    const unsigned carried = (unsigned)VERSION_CARRIED << MARK_FLAGS_SHIFT;
    return (mark_of(c, version) & ~carried) == YORE_KIND_PUT &&
           (c->valid_tos == NULL || c->valid_tos[version] == YORE_FOREVER);
}

/* A load, because a prefetch of what the processor has no translation for may be dropped: measured
 * here, prefetches alone gained nothing.  What is read is of no use but must not look so. */
static inline unsigned touch(const void *at)
{
    return *(const unsigned char *)at;
}

/* The times of a key's versions lie in a row, and nearly all of their lines are needed. */
static inline unsigned ask_for_times(const struct columns *c, uint32_t key)
{
    uint32_t end = start_of(c, key + 1);
    unsigned touched = 0;
    for (uint32_t i = start_of(c, key); i < end; i += LINE_TIMES) {
        touched ^= touch(c->valids + i);
    }
    return touched;
}

/* The value's first line; the rest of it is on the same page, mostly. */
static inline unsigned ask_for(const struct columns *c, uint32_t version, bool keys_only)
{
    unsigned touched = touch(c->commits + version);
    if (keys_only) {
        return touched;
    }
    struct yore_bytes value = page_value(c->page, version);
    if (value.size > 0) {
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

/* Of the chosen keys, those that have a version, and which. */
static void find_all(struct as_of_window *w, const struct columns *c, uint32_t chosen,
                     const struct as_of_moment *moment)
{
    const struct page_moment at = {moment->valid, moment->is_all_known ? INT64_MAX : moment->known};
    uint32_t count = 0;
    for (uint32_t i = 0; i < chosen; i++) {
        uint32_t key = w->keys[i];
        uint32_t end = start_of(c, key + 1);
        uint32_t found = page_search_as_of(c->valids, c->commits, start_of(c, key), end, &at);
        bool is_there = found < end && !(moment->skips_deletes &&
                                         (mark_of(c, found) & MARK_KIND) == YORE_KIND_DELETE);
        w->keys[count] = key;
        w->versions[count] = found;
        count += is_there;
    }
    w->count = count;
}

void as_of_window_fill(struct as_of_window *w, const struct page *page, uint32_t first,
                       uint32_t end, const struct as_of_moment *moment)
{
    YORE_ASSERT(first < end && end <= page->key_count);
    w->width = w->width == 0 ? WIDTH_FIRST : 2 * w->width;
    if (w->width > AS_OF_WINDOW_KEYS || moment->wants_all) {
        w->width = AS_OF_WINDOW_KEYS;
    }
    w->first = first;
    w->count = 0;
    w->at = 0;
    w->plain = 0;
    const struct columns c = columns_of(page);
    uint32_t chosen = choose(w, end, moment);
    for (uint32_t i = 0; i < chosen; i++) {
        w->touched ^= ask_for_times(&c, w->keys[i]);
    }
    find_all(w, &c, chosen, moment);
    for (uint32_t i = 0; i < w->count; i++) {
        w->touched ^= ask_for(&c, w->versions[i], moment->keys_only);
        w->plain |= (uint64_t)is_plain(&c, w->versions[i]) << i;
    }
}
