/* feed_window.c -- collect, and cut back to the least commits whenever it gets too much. */
#include "engine/feed_window.h"

#include <stdlib.h>

#include "base/mem.h"

/* A window that is not so full looks further. */
#define FULL_SHARE 2u

void feed_window_release(struct feed_window *window)
{
    mem_free(window->entries);
    arena_release(&window->arena);
    *window = (struct feed_window){0};
}

static uint64_t entry_bytes(const struct feed_entry *entry)
{
    return sizeof *entry + entry->version.key.size + entry->version.value.size;
}

static int compare_entries(const void *a, const void *b)
{
    const struct feed_entry *left = a;
    const struct feed_entry *right = b;
    if (left->version.commit != right->version.commit) {
        return left->version.commit < right->version.commit ? -1 : 1;
    }
    if (left->keyspace != right->keyspace) {
        return left->keyspace < right->keyspace ? -1 : 1;
    }
    return version_compare(&left->version, &right->version);
}

static void sort(struct feed_window *window)
{
    if (window->count > 0) {
        qsort(window->entries, window->count, sizeof *window->entries, compare_entries);
    }
}

bool arena_copy_bytes(struct arena *arena, struct yore_bytes *bytes)
{
    if (bytes->size > 0) {
        bytes->data = arena_copy(arena, bytes->data, bytes->size);
    }
    return bytes->size == 0 || bytes->data != NULL;
}

/* Keep whole commits, the least ones, up to half of what may be; where the first alone is more than
 * a window, none: it is told straight from the tables. */
static enum yore_status cut(struct feed_window *window)
{
    struct arena kept = {0};
    uint64_t bytes = 0;
    size_t count = 0;
    sort(window);
    while (count < window->count) {
        int64_t commit = window->entries[count].version.commit;
        uint64_t more = 0;
        size_t end = count;
        while (end < window->count && window->entries[end].version.commit == commit) {
            more += entry_bytes(&window->entries[end++]);
        }
        if (count > 0 && bytes + more > window->bytes_max / 2) {
            break;
        }
        window->last = commit;
        window->has_large = more > window->bytes_max;
        if (window->has_large) {
            break;
        }
        bytes += more;
        count = end;
    }
    for (size_t i = 0; i < count; i++) {
        struct version *version = &window->entries[i].version;
        if (!arena_copy_bytes(&kept, &version->key) || !arena_copy_bytes(&kept, &version->value)) {
            /* Some entries point into `kept` by now: nothing of the window is used any more. */
            arena_release(&kept);
            window->count = 0;
            return YORE_NOMEM;
        }
    }
    arena_release(&window->arena);
    window->arena = kept;
    window->count = count;
    window->bytes = bytes;
    return YORE_OK;
}

static enum yore_status add(struct feed_window *window, uint32_t keyspace,
                            const struct version *version)
{
    struct feed_entry *entries =
        mem_grow(window->entries, window->count, &window->capacity, sizeof *entries);
    if (entries == NULL) {
        return YORE_NOMEM;
    }
    window->entries = entries;
    struct feed_entry entry = {keyspace, *version};
    if (!arena_copy_bytes(&window->arena, &entry.version.key) ||
        !arena_copy_bytes(&window->arena, &entry.version.value)) {
        return YORE_NOMEM;
    }
    window->entries[window->count++] = entry;
    window->bytes += entry_bytes(&entry);
    return window->bytes > window->bytes_max ? cut(window) : YORE_OK;
}

static bool is_cancelled(const struct feed_span *span)
{
    return span->is_cancelled != NULL && atomic_load(span->is_cancelled);
}

static enum yore_status add_all(struct feed_window *window, const struct feed_span *span,
                                uint32_t keyspace, struct version_iter *it)
{
    struct yore_bytes high = buffer_bytes(&span->scope->high);
    struct version_place first = {buffer_bytes(&span->scope->low), INT64_MAX, INT64_MAX};
    enum yore_status st = YORE_OK;
    for (version_iter_seek(it, &first); st == YORE_OK && it->is_valid; version_iter_next(it)) {
        if (high.size > 0 && bytes_compare(it->at.key, high) >= 0) {
            break;
        }
        window->looked++;
        bool is_told_apart = window->has_large && it->at.commit == window->last;
        if (it->at.commit > window->after && it->at.commit <= window->last && !is_told_apart) {
            st = add(window, keyspace, &it->at);
        }
        if (is_cancelled(span)) {
            st = YORE_CANCELLED;
        }
    }
    return st;
}

static enum yore_status collect_keyspace(struct feed_window *window, struct superview *view,
                                         const struct feed_span *span,
                                         struct yore_keyspace *keyspace,
                                         struct yore_error *error_out)
{
    struct iter_view every = {.known = window->last,
                              .no_cache_fill = true,
                              .commit_after = window->after,
                              .is_by_commit = true};
    struct version_iter *it = NULL;
    const struct source_range range = feed_scope_range(span->scope);
    enum yore_status st = sources_all(view, keyspace, &range, &every, &it, error_out);
    if (st != YORE_OK) {
        return st;
    }
    st = add_all(window, span, keyspace->id, it);
    if (st != YORE_OK) {
        error_plain(error_out, st);
    } else if (!it->is_valid && it->status != YORE_OK) {
        st = it->status;
        if (error_out != NULL) {
            *error_out = it->error;
        }
    }
    version_iter_free(it);
    return st;
}

struct yore_keyspace *feed_keyspace(struct yore_db *db, size_t index)
{
    os_mutex_lock(&db->lock);
    struct yore_keyspace *keyspace = index < db->keyspace_count ? db->keyspaces[index] : NULL;
    os_mutex_unlock(&db->lock);
    return keyspace;
}

static enum yore_status collect_keyspaces(struct feed_window *window, struct superview *view,
                                          const struct feed_span *span,
                                          struct yore_error *error_out)
{
    enum yore_status st = YORE_OK;
    for (size_t i = 0; st == YORE_OK; i++) {
        struct yore_keyspace *keyspace = feed_keyspace(view->db, i);
        if (keyspace == NULL) {
            break;
        }
        if (feed_scope_has_keyspace(span->scope, keyspace->id)) {
            st = collect_keyspace(window, view, span, keyspace, error_out);
        }
    }
    return st;
}

/* ---- how far to look ---- */

static int64_t step_from(int64_t after, uint64_t step, int64_t limit)
{
    uint64_t left = (uint64_t)limit - (uint64_t)after;
    return step == 0 || step >= left ? limit : (int64_t)((uint64_t)after + step);
}

/* So far that the next window is filled to three quarters, if its commits come as those of this one
 * did, which begins behind `after`. */
static uint64_t next_step(const struct feed_window *window, int64_t after)
{
    double reach = (double)((uint64_t)window->last - (uint64_t)after);
    double bytes = (double)window->bytes;
    double wanted = 0.75 * (double)window->bytes_max;
    double step = window->has_large || bytes > wanted ? reach : reach / (bytes + 1) * wanted;
    return step < 1 ? 1 : step > (double)INT64_MAX ? 0 : (uint64_t)step;
}

enum yore_status feed_window_collect(struct feed_window *window, struct superview *view,
                                     const struct feed_span *span, struct yore_error *error_out)
{
    enum yore_status st = YORE_OK;
    bool is_cut = false;
    window->count = 0;
    window->bytes = 0;
    window->bytes_max = view->db->feed_window_bytes;
    window->has_large = false;
    window->last = span->after;
    window->looked = 0;
    arena_reset(&window->arena);
    do {
        window->after = window->last;
        int64_t end = step_from(window->after, window->step, span->limit);
        window->last = end;
        st = collect_keyspaces(window, view, span, error_out);
        is_cut = window->last < end || window->has_large;
        window->step = window->step > UINT64_MAX / 2 ? 0 : 2 * window->step;
    } while (st == YORE_OK && !is_cut && window->last < span->limit &&
             (window->count == 0 || window->bytes < window->bytes_max / FULL_SHARE));
    window->step = next_step(window, span->after);
    stats_add(&view->db->stats, STAT_feed_versions, window->looked);
    sort(window);
    return st;
}
