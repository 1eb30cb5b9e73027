/* memtable_iter.c -- a memtable's tree as a sorted source of versions. */
#include "base/mem.h"
#include "engine/memtable_cursor.h"
#include "engine/memtable_internal.h"

/* Versions of one key walked over one by one before the rest is jumped over. */
#define STEPS_BEFORE_SEEK 8
/* Hidden versions in a row that are worth remembering. */
#define HIDDEN_MIN 8

/* Versions in a row that the view hides: their commits are later than what it knows, for ever.  Who
 * writes behind a long walk that seeks key by key leaves many, and they are walked over once. */
struct hidden {
    const struct memtable_entry *from; /* the first met; NULL: none is remembered */
    struct memtable_cursor to;         /* on what came behind the last, or past an end */
};

struct memtable_iter {
    struct version_iter base; /* first: the two are one allocation */
    struct memtable *memtable;
    struct iter_view view;
    struct memtable_cursor cursor;
    struct hidden ahead;
    struct hidden back;
    uint64_t hidden_steps;
};

static struct memtable_iter *iter_of(struct version_iter *it)
{
    return (struct memtable_iter *)it;
}

static bool is_at_key(const struct memtable_iter *it, struct yore_bytes key)
{
    return it->cursor.entry != NULL && bytes_equal(memtable_entry_key(it->cursor.entry), key);
}

static void publish(struct memtable_iter *it)
{
    it->base.is_valid = it->cursor.entry != NULL;
    if (it->base.is_valid) {
        memtable_entry_load(it->cursor.entry, &it->base.at);
    }
}

/* ---- every version ---- */

static bool is_hidden(const struct memtable_iter *it)
{
    const struct memtable_entry *e = it->cursor.entry;
    return e != NULL && (e->commit > it->view.known || e->kind == MEMTABLE_TAKEN_BACK);
}

static int compare_entries(const struct memtable_entry *a, const struct memtable_entry *b)
{
    int order = bytes_compare(memtable_entry_key(a), memtable_entry_key(b));
    return order != 0 ? order
                      : version_time_compare(a->valid_from, a->commit, b->valid_from, b->commit);
}

/* Does the entry lie in the remembered row?  `way` is 1 where that leads forward, -1 back. */
static bool is_remembered(const struct hidden *row, const struct memtable_entry *entry, int way)
{
    return row->from != NULL && way * compare_entries(row->from, entry) <= 0 &&
           (row->to.entry == NULL || way * compare_entries(entry, row->to.entry) < 0);
}

/* Past versions that are hidden; through the remembered row at once, wherever it is met. */
static void show(struct memtable_iter *it, struct hidden *row, int way)
{
    const struct memtable_entry *first = it->cursor.entry;
    if (!is_hidden(it)) {
        return;
    }
    if (is_remembered(row, first, way)) {
        it->cursor = row->to;
        return;
    }
    uint64_t steps = 0;
    while (is_hidden(it) && it->cursor.entry != row->from) {
        if (way > 0) {
            memtable_cursor_next(&it->cursor);
        } else {
            memtable_cursor_prev(&it->cursor);
        }
        steps++;
    }
    if (is_hidden(it)) {
        it->cursor = row->to;
    }
    if (steps >= HIDDEN_MIN) {
        *row = (struct hidden){first, it->cursor};
    }
    it->hidden_steps += steps;
}

static void show_forward(struct memtable_iter *it)
{
    show(it, &it->ahead, 1);
}

static void show_back(struct memtable_iter *it)
{
    show(it, &it->back, -1);
}

uint64_t memtable_iter_hidden_steps(const struct version_iter *base)
{
    return ((const struct memtable_iter *)base)->hidden_steps;
}

/* ---- as of: one version a key ---- */

static int64_t valid_limit(const struct iter_view *view)
{
    return view->valid < view->known ? view->valid : view->known;
}

static void leave_key_forward(struct memtable_iter *it)
{
    struct yore_bytes key = memtable_entry_key(it->cursor.entry);
    for (unsigned steps = 0; steps < STEPS_BEFORE_SEEK; steps++) {
        memtable_cursor_next(&it->cursor);
        if (!is_at_key(it, key)) {
            return;
        }
    }
    struct memtable_target end = {key, INT64_MIN, INT64_MIN, true};
    memtable_cursor_seek(&it->cursor, &end);
}

static void seek_before_key(struct memtable_iter *it, struct yore_bytes key)
{
    struct memtable_target start = {key, INT64_MAX, INT64_MAX, false};
    memtable_cursor_seek_back(&it->cursor, &start);
}

static void leave_key_back(struct memtable_iter *it)
{
    struct yore_bytes key = memtable_entry_key(it->cursor.entry);
    for (unsigned steps = 0; steps < STEPS_BEFORE_SEEK; steps++) {
        memtable_cursor_prev(&it->cursor);
        if (!is_at_key(it, key)) {
            return;
        }
    }
    seek_before_key(it, key);
}

/* Every key that the view does not have is a step: as of a time when little was there, that may be
 * all there is, so the walk ends where nothing is wanted any more. */
static void settle_forward(struct memtable_iter *it)
{
    while (it->cursor.entry != NULL &&
           !memtable_cursor_settle(&it->cursor, memtable_entry_key(it->cursor.entry),
                                   it->view.valid, it->view.known)) {
        if (it->cursor.entry != NULL &&
            iter_view_ends_by(&it->view, memtable_entry_key(it->cursor.entry))) {
            it->cursor.entry = NULL;
        }
    }
}

/* From the last version of a key back to its greatest visible one.  False: it has none, and the
 * cursor is on the key before. */
static bool settle_key_back(struct memtable_iter *it)
{
    struct yore_bytes key = memtable_entry_key(it->cursor.entry);
    int64_t limit = valid_limit(&it->view);
    struct memtable_cursor best = {.entry = NULL};
    for (unsigned steps = 0; steps < STEPS_BEFORE_SEEK; steps++) {
        if (!is_at_key(it, key) || it->cursor.entry->valid_from > limit) {
            break;
        }
        if (!is_hidden(it)) {
            best = it->cursor;
        }
        memtable_cursor_prev(&it->cursor);
    }
    bool is_through = !is_at_key(it, key) || it->cursor.entry->valid_from > limit;
    if (!is_through) {
        struct memtable_target target = {key, limit, it->view.known, false};
        memtable_cursor_seek(&it->cursor, &target);
        if (memtable_cursor_settle(&it->cursor, key, limit, it->view.known)) {
            return true;
        }
    } else if (best.entry != NULL) {
        it->cursor = best;
        return true;
    }
    if (!is_through || is_at_key(it, key)) {
        seek_before_key(it, key);
    }
    return false;
}

static void settle_back(struct memtable_iter *it)
{
    while (it->cursor.entry != NULL && !settle_key_back(it)) {
    }
}

/* ---- the moves ---- */

static void finish_forward(struct memtable_iter *it)
{
    if (it->view.is_as_of) {
        settle_forward(it);
    } else {
        show_forward(it);
    }
    publish(it);
}

static void finish_back(struct memtable_iter *it)
{
    if (it->view.is_as_of) {
        settle_back(it);
    } else {
        show_back(it);
    }
    publish(it);
}

static void iter_first(struct version_iter *base)
{
    struct memtable_iter *it = iter_of(base);
    if (it->cursor.tree != NULL) {
        memtable_cursor_first(&it->cursor);
        finish_forward(it);
    }
}

static void iter_last(struct version_iter *base)
{
    struct memtable_iter *it = iter_of(base);
    if (it->cursor.tree != NULL) {
        memtable_cursor_last(&it->cursor);
        finish_back(it);
    }
}

static void iter_seek(struct version_iter *base, const struct version_place *place)
{
    struct memtable_iter *it = iter_of(base);
    struct memtable_target target = {place->key, place->valid_from, place->commit, false};
    if (it->view.is_as_of) {
        target.valid_from = valid_limit(&it->view);
        target.commit = it->view.known;
    }
    if (it->cursor.tree != NULL) {
        memtable_cursor_seek(&it->cursor, &target);
        finish_forward(it);
    }
}

static void iter_seek_back(struct version_iter *base, const struct version_place *place)
{
    struct memtable_iter *it = iter_of(base);
    struct memtable_target target = {place->key, place->valid_from, place->commit, true};
    if (it->view.is_as_of) {
        target.valid_from = INT64_MIN;
        target.commit = INT64_MIN;
    }
    if (it->cursor.tree != NULL) {
        memtable_cursor_seek_back(&it->cursor, &target);
        finish_back(it);
    }
}

static void iter_next(struct version_iter *base)
{
    struct memtable_iter *it = iter_of(base);
    if (it->cursor.entry == NULL) {
        return;
    }
    if (it->view.is_as_of) {
        leave_key_forward(it);
    } else {
        memtable_cursor_next(&it->cursor);
    }
    finish_forward(it);
}

static void iter_prev(struct version_iter *base)
{
    struct memtable_iter *it = iter_of(base);
    if (it->cursor.entry == NULL) {
        return;
    }
    if (it->view.is_as_of) {
        leave_key_back(it);
    } else {
        memtable_cursor_prev(&it->cursor);
    }
    finish_back(it);
}

static void iter_release(struct version_iter *base)
{
    struct memtable_iter *it = iter_of(base);
    memtable_unref(it->memtable);
    it->memtable = NULL;
}

static const struct version_iter_ops iter_ops = {
    .first = iter_first,
    .last = iter_last,
    .seek = iter_seek,
    .seek_back = iter_seek_back,
    .next = iter_next,
    .prev = iter_prev,
    .release = iter_release,
};

enum yore_status memtable_iter_new(struct memtable *m, uint32_t keyspace,
                                   const struct iter_view *view, struct version_iter **iter_out)
{
    struct memtable_iter *it = mem_zalloc(sizeof(*it));
    *iter_out = NULL;
    if (it == NULL) {
        return YORE_NOMEM;
    }
    it->base.ops = &iter_ops;
    it->base.status = YORE_OK;
    it->memtable = m;
    it->view = *view;
    it->cursor.tree = memtable_find(m, keyspace);
    memtable_ref(m);
    *iter_out = &it->base;
    return YORE_OK;
}
