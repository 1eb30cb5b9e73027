/* table_iter.c -- a walk over one table.
 *
 * The cursor is (page, key, version) in a pinned page.  A key may go on over several pages (a
 * chain); as of a moment such a key is looked up by the index wherever in the chain the cursor
 * meets it, and left through either end of the chain. Invariants: 1. is_valid implies a pinned page
 * and a version inside it.  2. As of, a key that is not a page's first continued or last continuing
 * one lies wholly in that page.  3. Where the view sees all of a plain page, what the cursor meets
 * there is offered as a run, and so is what a window has found ahead of a walk as of a moment;
 * every move begins with catch_up(), because the run may have been walked without the cursor.
 * 4. The window is of the pinned page, or empty.  5. next_frame is of a page behind the one under
 * the cursor, and given up when that is left for another.
 */
#include "base/assert.h"
#include "base/mem.h"
#include "table/as_of_window.h"
#include "table/table_read.h"

/* Asking the system for what it has already costs as much as reading some pages, so a walk must
 * have shown that it is long before much is asked for. */
#define AHEAD_PAGES_MIN 4 /* pages in a row before more are asked for */
#define AHEAD_BYTES_MIN (64u << 10)
#define AHEAD_BYTES_MAX (512u << 10)

#define VALUES_AHEAD_BYTES (2u << 10)  /* of the values of one key */
#define CHANGED_AHEAD_BYTES (2u << 10) /* of what is looked through for a change */
#define CHANGED_VALUES_BYTES 256u      /* of the values before and after it */

struct table_iter {
    struct version_iter base; /* first: the two are cast to each other */
    struct table *table;
    struct iter_view view;
    bool is_using;            /* the table: from the first move on */
    bool sees_all;            /* the view, of the table: no page need be asked for its bounds */
    struct page_frame *frame; /* pinned; NULL: none */
    const struct page *page;
    struct page_frame *next_frame; /* of the next page with a change; NULL: none */
    uint32_t next_number;
    uint32_t page_number;
    uint32_t key;
    uint32_t version;
    uint32_t key_end;   /* every version: end of the key's versions */
    uint32_t plain_end; /* keys before it can be a run; 0: none */
    uint32_t behind; /* as of, forward: the page's first key that is not wanted, if it is known */
    const uint32_t *lives;   /* of the page, where they tell what to pass over; or NULL */
    uint32_t life;           /* of the moment */
    uintptr_t ahead;         /* see struct version_run */
    uint32_t run;            /* pages entered one after the other */
    uint64_t ahead_end;      /* asked for so far ... */
    uint64_t ahead_bytes;    /* ... and how much is asked for next */
    const uint64_t *changed; /* pages to read, a bit each; NULL: all */
    uint64_t *own_changed;   /* the same, where nobody had found them before */
    struct as_of_window window;
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
    it->window.end = 0;
    if (it->frame != NULL) {
        page_frame_unpin(it->frame);
        it->frame = NULL;
    }
    if (it->next_frame != NULL) {
        page_frame_unpin(it->next_frame);
        it->next_frame = NULL;
    }
}

static void finish(struct table_iter *it, enum yore_status status)
{
    leave_page(it);
    it->base.run.end = 0;
    it->base.is_valid = false;
    it->base.status = status;
}

static bool view_sees_all(const struct table_iter *it)
{
    const struct table_meta *meta = &it->table->meta;
    return meta->commit_max <= it->view.known && !it->view.is_changed_only &&
           it->view.commit_after < meta->commit_min &&
           (!it->view.is_as_of || meta->valid_max <= it->view.valid);
}

static enum yore_status find_changed(struct table_iter *it)
{
    enum yore_status st = YORE_OK;
    it->changed = table_marks_find(it->view.marks, it->table);
    if (it->changed == NULL) {
        st = table_changed_pages(it->table, it->view.changed, &it->own_changed, &it->base.error);
        it->changed = it->own_changed;
    }
    return st;
}

/* Before any move.  False: the table cannot be used, and the iterator says why. */
static bool begin(struct table_iter *it)
{
    it->base.status = YORE_OK;
    it->base.run.end = 0;
    it->run = 0;
    it->ahead_end = 0;
    it->ahead_bytes = AHEAD_BYTES_MIN;
    it->window.end = 0;
    it->window.width = 0;
    it->behind = UINT32_MAX;
    it->sees_all = view_sees_all(it);
    enum yore_status st = YORE_OK;
    if (!it->is_using) {
        st = table_use(it->table, &it->base.error);
        it->is_using = st == YORE_OK;
    }
    if (st == YORE_OK && it->view.is_changed_only && it->changed == NULL) {
        st = find_changed(it);
    }
    if (st != YORE_OK) {
        finish(it, st);
    }
    return st == YORE_OK;
}

static void ask_ahead(struct table_iter *it, uint32_t number)
{
    const struct table_loaded *loaded = it->table->loaded;
    if (it->run < AHEAD_PAGES_MIN ||
        atomic_load_explicit(&loaded->slots[number].frame, memory_order_relaxed) != NULL) {
        return;
    }
    const struct index_page *entry = &loaded->index.pages[number];
    if (entry->offset + it->ahead_bytes / 2 < it->ahead_end) {
        return;
    }
    uint64_t from = entry->offset > it->ahead_end ? entry->offset : it->ahead_end;
    uint64_t to = from + it->ahead_bytes;
    to = to < loaded->index_offset ? to : loaded->index_offset;
    if (from < to && table_pin_file(it->table, NULL) == YORE_OK) {
        os_file_will_need(it->table->file.file, from, to - from);
        kept_file_unpin(&it->table->file);
        it->ahead_end = to;
        it->ahead_bytes *= it->ahead_bytes < AHEAD_BYTES_MAX ? 2 : 1;
    }
}

/* Ask for what a search of the page begins with, before the pin waits for its frame. */
static void fetch_page(const struct table_iter *it, uint32_t number)
{
    const struct table_loaded *loaded = it->table->loaded;
    page_prefetch(atomic_load_explicit(&loaded->slots[number].page, memory_order_relaxed),
                  2 * loaded->page_keys);
}

/* Up to where all keys of the page can be a run. */
static uint32_t plain_end(const struct table_iter *it, uint32_t number)
{
    const struct index_page *entry = &index_of(it)->pages[number];
    if (!page_is_plain(it->page) || it->view.is_changed_only ||
        (!it->sees_all && (entry->commit_max > it->view.known ||
                           (it->view.is_as_of && entry->valid_max > it->view.valid)))) {
        return 0;
    }
    bool goes_on = it->view.is_as_of && table_index_goes_on(index_of(it), number);
    return it->page->key_count - goes_on;
}

/* Where the page behind this one lies, and its first lines asked for. */
static uintptr_t look_ahead(const struct table_iter *it, uint32_t number)
{
    const struct table_loaded *loaded = it->table->loaded;
    if (number + 1 >= loaded->index.page_count) {
        return 0;
    }
    struct page_slot *slot = &loaded->slots[number + 1];
    uintptr_t next = (uintptr_t)atomic_load_explicit(&slot->page, memory_order_relaxed);
    if (next == 0) {
        return 0;
    }
    __builtin_prefetch(atomic_load_explicit(&slot->frame, memory_order_relaxed), 1);
    __builtin_prefetch((const void *)next);
    __builtin_prefetch((const void *)(next + it->page->valid_from_at));
    __builtin_prefetch((const void *)(next + it->page->valid_from_at + 64));
    return next - (uintptr_t)it->page;
}

/* Two pages with a change ahead: of the first, whose eras are there by now, what the change needs
 * is asked for; of the one behind it the eras, which is all that is looked through to find it.  How
 * far that reaches is in its entry; that page itself may be gone. */
static void look_ahead_changed(struct table_iter *it, uint32_t number)
{
    const struct table_loaded *loaded = it->table->loaded;
    uint32_t count = loaded->index.page_count;
    uint32_t next = table_marks_next(it->changed, number + 1, count);
    if (next == count) {
        return;
    }
    it->next_frame = page_slot_pin(&loaded->slots[next]);
    it->next_number = next;
    if (it->next_frame != NULL) {
        page_ask_for_changed(it->next_frame->page, &it->view.changed);
    }
    next = table_marks_next(it->changed, next + 1, count);
    if (next == count) {
        return;
    }
    const struct page_slot *slot = &loaded->slots[next];
    const struct index_page *entry = &loaded->index.pages[next];
    uintptr_t page = (uintptr_t)atomic_load_explicit(&slot->page, memory_order_relaxed);
    size_t bytes = page_eras_end(entry->key_count, entry->version_count);
    bytes = bytes < CHANGED_AHEAD_BYTES ? bytes : CHANGED_AHEAD_BYTES;
    __builtin_prefetch(atomic_load_explicit(&slot->frame, memory_order_relaxed), 1);
    for (size_t at = 0; at < bytes; at += 64) {
        __builtin_prefetch((const void *)(page + at));
    }
}

/* Does the page begin where nothing is wanted any more? */
static bool is_past_high(const struct table_iter *it, uint32_t number)
{
    return it->view.is_as_of && iter_view_ends_by(&it->view, table_index_key(index_of(it), number));
}

/* Where deletes hide nothing, keys that are dead at the moment are passed over by the stretches of
 * time that they lived in, if what they say is known. */
static void look_at_lives(struct table_iter *it, uint32_t number)
{
    it->lives = NULL;
    if (it->base.is_alone && it->page->has_lives &&
        index_of(it)->pages[number].commit_max <= it->view.known) {
        it->lives = page_lives(it->page);
        it->life = page_life_at(it->page, it->view.valid);
    }
}

/* How far the keys of the page are wanted, from the one under the cursor on; mostly not far. */
static void find_behind(struct table_iter *it)
{
    uint32_t behind = it->page->key_count;
    if (it->view.high != NULL && it->view.high->size > 0) {
        behind = page_find_key_near(it->page, it->key, *it->view.high);
    }
    it->behind = behind < it->page->key_count ? behind : UINT32_MAX;
}

static bool is_dead(const struct table_iter *it)
{
    return it->lives != NULL && (it->lives[it->key] & it->life) == 0;
}

static enum page_reach reach_of(const struct table_iter *it)
{
    return it->view.no_cache_fill ? PAGE_PRIVATE : PAGE_KEPT;
}

/* The page that look_ahead_changed() has pinned, if it is this one. */
static struct page_frame *take_next(struct table_iter *it, uint32_t number)
{
    struct page_frame *frame = it->next_frame;
    if (frame == NULL || it->next_number != number) {
        return NULL;
    }
    it->next_frame = NULL;
    return frame;
}

static bool go_to_page(struct table_iter *it, uint32_t number)
{
    if (it->frame != NULL && it->page_number == number) {
        return true;
    }
    struct page_frame *frame = take_next(it, number);
    enum yore_status st = YORE_OK;
    if (frame == NULL) {
        st = table_pin_page(it->table, number, reach_of(it), &frame, &it->base.error);
    }
    if (st != YORE_OK) {
        finish(it, st);
        return false;
    }
    leave_page(it);
    it->frame = frame;
    it->page = frame->page;
    it->page_number = number;
    it->plain_end = plain_end(it, number);
    it->behind = UINT32_MAX;
    it->ahead = 0;
    if (it->changed != NULL) {
        look_ahead_changed(it, number);
    } else {
        it->ahead = look_ahead(it, number);
    }
    look_at_lives(it, number);
    return true;
}

/* Stand where the run has been walked to. */
static void catch_up(struct table_iter *it)
{
    if (it->base.run.end != 0) {
        it->version = version_run_index(&it->base.run);
        if (!it->base.run.is_versions) {
            it->key =
                it->base.run.keys == NULL ? it->base.run.at : it->base.run.keys[it->base.run.at];
            it->key_end = it->version + 1;
        }
        it->base.run.end = 0;
    }
}

/* May the page be passed over without being read? */
static bool is_passed_over(const struct table_iter *it, uint32_t number)
{
    if (it->sees_all) {
        return false;
    }
    const struct index_page *entry = &index_of(it)->pages[number];
    if (entry->commit_min > it->view.known || entry->commit_max <= it->view.commit_after ||
        (it->changed != NULL && table_marks_next(it->changed, number, number + 1) != number)) {
        return true;
    }
    return it->view.is_as_of && entry->valid_min > it->view.valid;
}

/* The first page from `number` on that may hold a change, where only those are wanted. */
static uint32_t next_changed(const struct table_iter *it, uint32_t number)
{
    return it->changed != NULL ? table_marks_next(it->changed, number, index_of(it)->page_count)
                               : number;
}

/* Stand on the first key of the first page from `number` on that may matter.  False: end or error.
 */
static bool enter_forward(struct table_iter *it, uint32_t number)
{
    const struct table_index *index = index_of(it);
    number = next_changed(it, number);
    while (number < index->page_count && !is_past_high(it, number) && is_passed_over(it, number)) {
        number = next_changed(it, number + 1);
    }
    if (number >= index->page_count || is_past_high(it, number)) {
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
    if (number + 1 == index->page_count || is_past_high(it, number + 1)) {
        find_behind(it);
    }
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
    uint32_t end = it->plain_end < it->behind ? it->plain_end : it->behind;
    it->base.at.key = page_key(it->page, it->key);
    page_read_version(it->page, it->version, &it->base.at);
    it->base.run = (struct version_run){
        .page = it->page, .at = it->key, .end = it->key < end ? end : 0, .ahead = it->ahead};
    it->base.is_valid = true;
}

/* ---- every version ---- */

static bool is_shown(const struct table_iter *it)
{
    if (page_commit(it->page)[it->version] > it->view.known) {
        return false;
    }
    if (!it->view.is_changed_only) {
        return true;
    }
    const struct page *page = it->page;
    int64_t begin = page_valid_from(page)[it->version];
    int64_t end = page->valid_to_at != 0 ? page_valid_to(page)[it->version] : YORE_FOREVER;
    return version_changes_in(&(struct version){.valid_from = begin, .valid_to = end},
                              &it->view.changed);
}

/* Sources of one key are stood on one after the other and walked later: what each will show is
 * asked for by then. */
static void fetch_values(const struct table_iter *it)
{
    uintptr_t from = (uintptr_t)page_value(it->page, it->version).data;
    struct yore_bytes last = page_value(it->page, it->key_end - 1);
    uintptr_t to = (uintptr_t)last.data + last.size;
    to = to - from < VALUES_AHEAD_BYTES ? to : from + VALUES_AHEAD_BYTES;
    for (; from < to; from += 64) {
        __builtin_prefetch((const void *)from);
    }
}

/* The versions of the key from the one under the cursor on, which is shown, as a run. */
static void offer_versions(struct table_iter *it)
{
    if (it->base.run.end == 0 && it->sees_all && it->version + 1 < it->key_end) {
        it->base.run.at = it->version;
        it->base.run.end = it->key_end;
        it->base.run.is_versions = true;
        if (it->view.only_key.size > 0) {
            fetch_values(it);
        }
    }
}

/* Is nothing wanted behind the key under the cursor, of which the page has no more versions? */
static bool is_only_key_over(const struct table_iter *it)
{
    return it->view.only_key.size > 0 && !(it->key + 1 == it->page->key_count &&
                                           table_index_goes_on(index_of(it), it->page_number));
}

/* A load, because a prefetch may be dropped (as_of_window.c). */
static void touch(const void *at)
{
    (void)*(const volatile unsigned char *)at;
}

/* All that will be looked at of the version under the cursor, and of the one that it took the place
 * of, is asked for at once. */
static void touch_change(const struct table_iter *it)
{
    const struct page *page = it->page;
    uint32_t before = it->version + 1 < page->version_count ? it->version + 1 : it->version;
    const unsigned char *value = page_value(page, it->version).data;
    struct yore_bytes last = page_value(page, before);
    size_t size = (size_t)((const unsigned char *)last.data - value) + last.size;
    size = size < CHANGED_VALUES_BYTES ? size : CHANGED_VALUES_BYTES;
    touch(page_commit(page) + it->version);
    touch(page_array(page, page->starts_at));
    for (size_t at = 0; at < size; at += 64) {
        touch(value + at);
    }
}

/* Of the versions from the one under the cursor on, stand on the first that changed.  False: the
 * page has none. */
static bool skip_unchanged(struct table_iter *it)
{
    it->version = page_find_changed(it->page, it->version, &it->view.changed);
    if (it->version == it->page->version_count) {
        return false;
    }
    touch_change(it);
    it->key = page_key_of(it->page, it->key, it->version);
    return true;
}

/* Yield the version under the cursor or the first shown one after it. */
static void show_forward(struct table_iter *it)
{
    for (;;) {
        if (it->view.is_changed_only && !skip_unchanged(it)) {
            if (!enter_forward(it, it->page_number + 1)) {
                return;
            }
            continue;
        }
        uint32_t end = page_start(it->page, it->key + 1);
        while (it->version < end && !is_shown(it)) {
            it->version++;
        }
        if (it->version < end) {
            it->key_end = end;
            yield(it);
            offer_versions(it);
            return;
        }
        if (is_only_key_over(it)) {
            finish(it, YORE_OK);
            return;
        }
        it->key++;
        if (it->key == it->page->key_count && !enter_forward(it, it->page_number + 1)) {
            return;
        }
    }
}

/* Yield the version under the cursor or the first shown one before it. */
static void show_backward(struct table_iter *it)
{
    while (!is_shown(it)) {
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
    catch_up(it);
    it->version++;
    if (it->version < it->key_end && is_shown(it)) {
        page_read_version(it->page, it->version, &base->at); /* the key stays */
        return;
    }
    show_forward(it);
}

static void prev_any(struct version_iter *base)
{
    struct table_iter *it = self(base);
    YORE_ASSERT(base->is_valid);
    catch_up(it);
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
        if (it->view.only_key.size > 0 && !table_index_goes_on(index_of(it), number)) {
            finish(it, YORE_OK);
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
    bool is_there = stand_in_page(it, place);
    if (!is_there && it->version == 0) { /* it lies between the page's bound and its first */
        if (enter_backward(it, number)) {
            show_backward(it);
        }
        return;
    }
    if (!is_there) {
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
    return (index->has_chains && it->key == 0 && index->pages[it->page_number].is_continuation) ||
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
    enum yore_status st = table_find_as_of(it->table, &place, reach_of(it), &spot, &it->base.error);
    if (st == YORE_OK) {
        leave_page(it);
        it->frame = spot.frame;
        it->page = spot.frame->page;
        it->page_number = spot.page_number;
        it->key = spot.key;
        it->version = spot.version;
        it->plain_end = 0; /* what follows in the page is not what follows the chain */
        it->behind = UINT32_MAX;
        look_at_lives(it, spot.page_number);
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

/* Stand on the first key from the one under the cursor on, which is no chain's, that has a version,
 * found together with those behind it; false: on the first that was not looked for. */
static bool find_ahead(struct table_iter *it)
{
    struct as_of_window *w = &it->window;
    if (!as_of_window_has(w, it->key)) {
        bool goes_on = table_index_goes_on(index_of(it), it->page_number);
        uint32_t end = it->page->key_count - goes_on;
        const struct as_of_moment moment = {.valid = it->view.valid,
                                            .known = it->view.known,
                                            .is_all_known =
                                                it->table->meta.commit_max <= it->view.known,
                                            .keys_only = it->view.keys_only,
                                            .wants_all = it->behind != UINT32_MAX,
                                            .skips_deletes = it->base.is_alone,
                                            .lives = it->lives,
                                            .life = it->life};
        as_of_window_fill(w, it->page, it->key, end < it->behind ? end : it->behind, &moment);
    }
    while (w->at < w->count && w->keys[w->at] < it->key) {
        w->at++;
    }
    it->key = w->at < w->count ? w->keys[w->at] : w->end;
    return w->at < w->count;
}

/* Yield what the window has found, with what lies behind it as a run. */
static void yield_found(struct table_iter *it)
{
    const struct as_of_window *w = &it->window;
    it->version = w->versions[w->at];
    yield(it);
    if (it->base.run.end == 0) {
        uint32_t end = as_of_window_run_end(w, w->at);
        it->base.run.at = w->at;
        it->base.run.end = end > w->at + 1 ? end : 0;
        it->base.run.keys = w->keys;
        it->base.run.versions = w->versions;
    }
}

/* Yield the key under the cursor or the first after it that has a version in the view. */
static void scan_forward(struct table_iter *it)
{
    for (;;) {
        if (it->key >= it->behind) {
            finish(it, YORE_OK);
            return;
        }
        if (it->key >= it->page->key_count) {
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
        if (it->key < it->plain_end) {
            it->version = it->key;
            yield(it);
            return;
        }
        if (find_ahead(it)) {
            yield_found(it);
            return;
        }
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
        } else if (!is_dead(it)) {
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
    catch_up(it);
    if (step_forward(it)) {
        scan_forward(it);
    }
}

static void prev_as_of(struct version_iter *base)
{
    struct table_iter *it = self(base);
    YORE_ASSERT(base->is_valid);
    catch_up(it);
    it->run = 0;
    it->window.at = 0; /* may go forward again from before it */
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
    fetch_page(it, number);
    if (go_to_page(it, number)) {
        bool is_equal = false;
        it->key = page_find_key(it->page, place->key, &is_equal);
        find_behind(it);
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
    if (!is_equal && it->key == 0) { /* between the page's bound and its first */
        if (enter_backward(it, number)) {
            scan_backward(it);
        }
        return;
    }
    it->key -= !is_equal;
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
    mem_free(it->own_changed);
    it->own_changed = NULL;
    it->changed = NULL;
}

static enum version_look look_any(const struct version_iter *base, int64_t valid, int64_t known,
                                  struct version *version_out)
{
    const struct table_iter *it = (const struct table_iter *)(const void *)base;
    const struct page *page = it->page;
    YORE_ASSERT(base->is_valid && base->run.end == 0);
    uint32_t found = page_find_as_of(page, it->key, valid, known);
    if (found < page_start(page, it->key + 1)) {
        version_out->key = base->at.key;
        page_read_version(page, found, version_out);
        return VERSION_LOOK_FOUND;
    }
    bool goes_on =
        it->key + 1 == page->key_count && table_index_goes_on(index_of(it), it->page_number);
    return goes_on ? VERSION_LOOK_UNKNOWN : VERSION_LOOK_NONE;
}

static const struct version_iter_ops any_ops = {
    .first = first_any,
    .last = last_any,
    .seek = seek_any,
    .seek_back = seek_back_any,
    .next = next_any,
    .prev = prev_any,
    .release = release,
    .look = look_any,
};
static const struct version_iter_ops as_of_ops = {
    .first = first_as_of,
    .last = last_as_of,
    .seek = seek_as_of,
    .seek_back = seek_back_as_of,
    .next = next_as_of,
    .prev = prev_as_of,
    .release = release,
};

/* A version that is not back-dated was committed when it begins. */
static bool can_find_commits(const struct table_iter *it)
{
    return it->view.is_by_commit && !view_sees_all(it) &&
           it->table->meta.back_dated_commit_max <= it->view.commit_after;
}

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
    if (can_find_commits(it)) {
        it->view.is_changed_only = true;
        it->view.changed = (struct time_span){view->commit_after, view->known};
        it->view.marks = NULL;
    }
    *iter_out = &it->base;
    return YORE_OK;
}
