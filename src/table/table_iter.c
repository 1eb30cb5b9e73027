/* table_iter.c -- a walk over one table.
 *
 * The cursor is (page, key, version) in a pinned page.  A key may go on over several pages (a
 * chain); as of a moment such a key is looked up by the index wherever in the chain the cursor
 * meets it, and left through either end of the chain. Invariants: 1. is_valid implies a pinned page
 * and a version inside it.  2. As of, a key that is not a page's first continued or last continuing
 * one lies wholly in that page.
 */
#include "base/assert.h"
#include "base/mem.h"
#include "table/table_read.h"

#define AHEAD_PAGES_MIN 2 /* pages in a row before more are asked for */
#define AHEAD_BYTES (512u << 10)

struct table_iter {
    struct version_iter base; /* first: the two are cast to each other */
    struct table *table;
    struct iter_view view;
    bool is_using;            /* the table: from the first move on */
    struct page_frame *frame; /* pinned; NULL: none */
    const struct page *page;
    uint32_t page_number;
    uint32_t key;
    uint32_t version;
    uint32_t key_end;   /* every version: end of the key's versions */
    uint32_t run;       /* pages entered one after the other */
    uint64_t ahead_end; /* asked for so far */
};

static struct table_iter *self(struct version_iter *base)
{
    return (struct table_iter *)(void *)base;
}

static const struct table_index *index_of(const struct table_iter *it)
{
    return &it->table->loaded->index;
}

/* ---- pages ---- */

static void leave_page(struct table_iter *it)
{
    if (it->frame != NULL) {
        page_frame_unpin(it->frame);
        it->frame = NULL;
    }
}

static void finish(struct table_iter *it, enum yore_status status)
{
    leave_page(it);
    it->base.is_valid = false;
    it->base.status = status;
}

/* Before any move.  False: the table cannot be used, and the iterator says why. */
static bool begin(struct table_iter *it)
{
    it->base.status = YORE_OK;
    it->run = 0;
    if (!it->is_using) {
        enum yore_status st = table_use(it->table, &it->base.error);
        if (st != YORE_OK) {
            finish(it, st);
            return false;
        }
        it->is_using = true;
    }
    return true;
}

static void ask_ahead(struct table_iter *it, uint32_t number)
{
    const struct table_loaded *loaded = it->table->loaded;
    const struct index_page *entry = &loaded->index.pages[number];
    if (it->run < AHEAD_PAGES_MIN || entry->offset + AHEAD_BYTES / 2 < it->ahead_end ||
        atomic_load_explicit(&loaded->slots[number].frame, memory_order_relaxed) != NULL) {
        return;
    }
    uint64_t from = entry->offset > it->ahead_end ? entry->offset : it->ahead_end;
    uint64_t to =
        from + AHEAD_BYTES < loaded->index_offset ? from + AHEAD_BYTES : loaded->index_offset;
    if (from < to) {
        os_file_will_need(loaded->file, from, to - from);
        it->ahead_end = to;
    }
}

static bool go_to_page(struct table_iter *it, uint32_t number)
{
    if (it->frame != NULL && it->page_number == number) {
        return true;
    }
    struct page_frame *frame = NULL;
    enum yore_status st =
        table_pin_page(it->table, number, it->view.no_cache_fill, &frame, &it->base.error);
    if (st != YORE_OK) {
        finish(it, st);
        return false;
    }
    leave_page(it);
    it->frame = frame;
    it->page = frame->page;
    it->page_number = number;
    return true;
}

/* May the page be passed over without being read? */
static bool is_passed_over(const struct table_iter *it, uint32_t number)
{
    const struct index_page *entry = &index_of(it)->pages[number];
    if (entry->commit_min > it->view.known) {
        return true;
    }
    return it->view.is_as_of ? entry->valid_min > it->view.valid
                             : entry->commit_max <= it->view.commit_after;
}

/* Stand on the first key of the first page from `number` on that may matter.  False: end or error.
 */
static bool enter_forward(struct table_iter *it, uint32_t number)
{
    const struct table_index *index = index_of(it);
    while (number < index->page_count && is_passed_over(it, number)) {
        number++;
    }
    if (number >= index->page_count) {
        finish(it, YORE_OK);
        return false;
    }
    it->run++;
    ask_ahead(it, number);
    if (!go_to_page(it, number)) {
        return false;
    }
    it->key = 0;
    it->version = 0;
    return true;
}

/* Stand on the last key of the last page before `end` that may matter. */
static bool enter_backward(struct table_iter *it, uint32_t end)
{
    while (end > 0 && is_passed_over(it, end - 1)) {
        end--;
    }
    if (end == 0) {
        finish(it, YORE_OK);
        return false;
    }
    if (!go_to_page(it, end - 1)) {
        return false;
    }
    it->key = it->page->key_count - 1;
    it->version = it->page->version_count - 1;
    return true;
}

static void yield(struct table_iter *it)
{
    it->base.at.key = page_key(it->page, it->key);
    page_read_version(it->page, it->version, &it->base.at);
    it->base.is_valid = true;
}

/* ---- every version ---- */

static bool is_known(const struct table_iter *it)
{
    return page_commit(it->page)[it->version] <= it->view.known;
}

/* Yield the version under the cursor or the first known one after it. */
static void show_forward(struct table_iter *it)
{
    for (;;) {
        uint32_t end = page_start(it->page, it->key + 1);
        while (it->version < end && !is_known(it)) {
            it->version++;
        }
        if (it->version < end) {
            it->key_end = end;
            yield(it);
            return;
        }
        it->key++;
        if (it->key == it->page->key_count && !enter_forward(it, it->page_number + 1)) {
            return;
        }
    }
}

/* Yield the version under the cursor or the first known one before it. */
static void show_backward(struct table_iter *it)
{
    while (!is_known(it)) {
        if (it->version == 0) {
            if (!enter_backward(it, it->page_number)) {
                return;
            }
            continue;
        }
        it->key -= it->version == page_start(it->page, it->key);
        it->version--;
    }
    it->key_end = page_start(it->page, it->key + 1);
    yield(it);
}

static void first_any(struct version_iter *base)
{
    struct table_iter *it = self(base);
    if (begin(it) && enter_forward(it, 0)) {
        show_forward(it);
    }
}

static void last_any(struct version_iter *base)
{
    struct table_iter *it = self(base);
    if (begin(it) && enter_backward(it, index_of(it)->page_count)) {
        show_backward(it);
    }
}

static void next_any(struct version_iter *base)
{
    struct table_iter *it = self(base);
    YORE_ASSERT(base->is_valid);
    it->version++;
    if (it->version < it->key_end && is_known(it)) {
        page_read_version(it->page, it->version, &base->at); /* the key stays */
        return;
    }
    show_forward(it);
}

static void prev_any(struct version_iter *base)
{
    struct table_iter *it = self(base);
    YORE_ASSERT(base->is_valid);
    it->run = 0;
    if (it->version == 0) {
        if (enter_backward(it, it->page_number)) {
            show_backward(it);
        }
        return;
    }
    it->key -= it->version == page_start(it->page, it->key);
    it->version--;
    show_backward(it);
}

/* Stand on the first version at or after the place in the page; version_count: there is none.
 * True: it is exactly there. */
static bool stand_in_page(struct table_iter *it, const struct version_place *place)
{
    bool is_equal = false;
    const struct page *page = it->page;
    it->key = page_find_key(page, place->key, &is_equal);
    it->version = page_start(page, it->key);
    if (!is_equal) {
        return false;
    }
    it->version = page_find_version(page, it->key, place->valid_from, place->commit);
    if (it->version < page_start(page, it->key + 1)) {
        return page_valid_from(page)[it->version] == place->valid_from &&
               page_commit(page)[it->version] == place->commit;
    }
    it->key++;
    return false;
}

static void seek_any(struct version_iter *base, const struct version_place *place)
{
    struct table_iter *it = self(base);
    if (!begin(it)) {
        return;
    }
    uint32_t number = table_index_locate(index_of(it), place);
    if (number < index_of(it)->page_count && !is_passed_over(it, number)) {
        if (!go_to_page(it, number)) {
            return;
        }
        stand_in_page(it, place);
        if (it->version < it->page->version_count) {
            show_forward(it);
            return;
        }
    }
    if (enter_forward(it, number + 1)) {
        show_forward(it);
    }
}

static void seek_back_any(struct version_iter *base, const struct version_place *place)
{
    struct table_iter *it = self(base);
    if (!begin(it)) {
        return;
    }
    uint32_t number = table_index_find(index_of(it), place);
    if (number == TABLE_INDEX_NONE) {
        finish(it, YORE_OK);
        return;
    }
    if (is_passed_over(it, number)) {
        if (enter_backward(it, number)) {
            show_backward(it);
        }
        return;
    }
    if (!go_to_page(it, number)) {
        return;
    }
    if (!stand_in_page(it, place)) { /* the page begins at or before it: there is one before */
        YORE_ASSERT(it->version > 0);
        it->version--;
        if (it->key == it->page->key_count || it->version < page_start(it->page, it->key)) {
            it->key--;
        }
    }
    show_backward(it);
}

/* ---- as of ---- */

static bool is_chain(const struct table_iter *it)
{
    const struct table_index *index = index_of(it);
    return (it->key == 0 && index->pages[it->page_number].is_continuation) ||
           (it->key + 1 == it->page->key_count && table_index_goes_on(index, it->page_number));
}

/* A chain's key, in the index's memory: it is the first of its second page. */
static struct yore_bytes chain_key(const struct table_iter *it)
{
    const struct table_index *index = index_of(it);
    bool is_first = it->key == 0 && index->pages[it->page_number].is_continuation;
    return table_index_key(index, it->page_number + (is_first ? 0 : 1));
}

/* Yield the chain's version of the view, if it has one. */
static enum yore_status yield_chain(struct table_iter *it)
{
    struct version_place place = {chain_key(it), it->view.valid, it->view.known};
    struct table_spot spot;
    enum yore_status st =
        table_find_as_of(it->table, &place, it->view.no_cache_fill, &spot, &it->base.error);
    if (st == YORE_OK) {
        leave_page(it);
        it->frame = spot.frame;
        it->page = spot.frame->page;
        it->page_number = spot.page_number;
        it->key = spot.key;
        it->version = spot.version;
        yield(it);
    } else if (st != YORE_NOT_FOUND) {
        finish(it, st);
    }
    return st;
}

/* From the key under the cursor to the next; may stand behind the page's last.  False: end or
 * error. */
static bool step_forward(struct table_iter *it)
{
    const struct table_index *index = index_of(it);
    if (it->key + 1 < it->page->key_count || !table_index_goes_on(index, it->page_number)) {
        it->key++;
        return true;
    }
    uint32_t end = table_index_find_last(index, table_index_key(index, it->page_number + 1));
    if (index->pages[end].key_count == 1) {
        return enter_forward(it, end + 1);
    }
    it->key = 1;
    return go_to_page(it, end);
}

/* Yield the key under the cursor or the first after it that has a version in the view. */
static void scan_forward(struct table_iter *it)
{
    const int64_t valid = it->view.valid;
    const int64_t known = it->view.known;
    for (;;) {
        const struct page *page = it->page;
        if (it->key >= page->key_count) {
            if (!enter_forward(it, it->page_number + 1)) {
                return;
            }
            continue;
        }
        if (is_chain(it)) {
            if (yield_chain(it) != YORE_NOT_FOUND || !step_forward(it)) {
                return;
            }
            continue;
        }
        uint32_t found = page_find_as_of(page, it->key, valid, known);
        if (found < page_start(page, it->key + 1)) {
            it->version = found;
            yield(it);
            return;
        }
        it->key++;
    }
}

/* From the key under the cursor to the one before.  False: end or error. */
static bool step_backward(struct table_iter *it)
{
    const struct table_index *index = index_of(it);
    if (it->key == 0 && index->pages[it->page_number].is_continuation) {
        /* To where the chain begins: the last key of the page before its pages, or the first of the
         * first. */
        struct version_place first = {chain_key(it), INT64_MAX, INT64_MAX};
        uint32_t start = table_index_locate(index, &first);
        if (!go_to_page(it, start)) {
            return false;
        }
        bool is_equal = false;
        it->key = page_find_key(it->page, first.key, &is_equal);
        if (!is_equal) {
            const struct index_page *entry = &index->pages[start];
            finish(it, table_error(it->table, YORE_CORRUPT, entry->offset,
                                   "page does not end with the key that goes on", &it->base.error));
            return false;
        }
    }
    if (it->key > 0) {
        it->key--;
        return true;
    }
    return enter_backward(it, it->page_number);
}

static void scan_backward(struct table_iter *it)
{
    for (;;) {
        if (is_chain(it)) {
            if (yield_chain(it) != YORE_NOT_FOUND) {
                return;
            }
        } else {
            uint32_t found = page_find_as_of(it->page, it->key, it->view.valid, it->view.known);
            if (found < page_start(it->page, it->key + 1)) {
                it->version = found;
                yield(it);
                return;
            }
        }
        if (!step_backward(it)) {
            return;
        }
    }
}

static void first_as_of(struct version_iter *base)
{
    struct table_iter *it = self(base);
    if (begin(it) && enter_forward(it, 0)) {
        scan_forward(it);
    }
}

static void last_as_of(struct version_iter *base)
{
    struct table_iter *it = self(base);
    if (begin(it) && enter_backward(it, index_of(it)->page_count)) {
        scan_backward(it);
    }
}

static void next_as_of(struct version_iter *base)
{
    struct table_iter *it = self(base);
    YORE_ASSERT(base->is_valid);
    if (step_forward(it)) {
        scan_forward(it);
    }
}

static void prev_as_of(struct version_iter *base)
{
    struct table_iter *it = self(base);
    YORE_ASSERT(base->is_valid);
    it->run = 0;
    if (step_backward(it)) {
        scan_backward(it);
    }
}

static void seek_as_of(struct version_iter *base, const struct version_place *place)
{
    struct table_iter *it = self(base);
    if (!begin(it)) {
        return;
    }
    struct version_place first = {place->key, INT64_MAX, INT64_MAX};
    uint32_t number = table_index_locate(index_of(it), &first);
    if (number >= index_of(it)->page_count || is_passed_over(it, number)) {
        if (enter_forward(it, number + 1)) {
            scan_forward(it);
        }
        return;
    }
    if (go_to_page(it, number)) {
        bool is_equal = false;
        it->key = page_find_key(it->page, place->key, &is_equal);
        scan_forward(it);
    }
}

static void seek_back_as_of(struct version_iter *base, const struct version_place *place)
{
    struct table_iter *it = self(base);
    if (!begin(it)) {
        return;
    }
    uint32_t number = table_index_find_last(index_of(it), place->key);
    if (number == TABLE_INDEX_NONE) {
        finish(it, YORE_OK);
        return;
    }
    if (!go_to_page(it, number)) {
        return;
    }
    bool is_equal = false;
    it->key = page_find_key(it->page, place->key, &is_equal);
    if (!is_equal) { /* the page begins with a key <= the place's */
        YORE_ASSERT(it->key > 0);
        it->key--;
    }
    scan_backward(it);
}

/* ---- life ---- */

static void release(struct version_iter *base)
{
    struct table_iter *it = self(base);
    leave_page(it);
    if (it->is_using) {
        table_unuse(it->table);
        it->is_using = false;
    }
}

static const struct version_iter_ops any_ops = {first_any, last_any, seek_any, seek_back_any,
                                                next_any,  prev_any, release};
static const struct version_iter_ops as_of_ops = {
    first_as_of, last_as_of, seek_as_of, seek_back_as_of, next_as_of, prev_as_of, release};

enum yore_status table_iter_new(struct table *table, const struct iter_view *view,
                                struct version_iter **iter_out)
{
    struct table_iter *it = mem_zalloc(sizeof(*it));
    *iter_out = NULL;
    if (it == NULL) {
        return YORE_NOMEM;
    }
    it->base.ops = view->is_as_of ? &as_of_ops : &any_ops;
    it->table = table;
    it->view = *view;
    *iter_out = &it->base;
    return YORE_OK;
}

void table_iter_pin(const struct version_iter *base, struct table_pin *pin_out)
{
    const struct table_iter *it = (const struct table_iter *)(const void *)base;
    YORE_ASSERT(base->is_valid && (base->ops == &any_ops || base->ops == &as_of_ops));
    page_frame_pin_again(it->frame);
    pin_out->frame = it->frame;
}
