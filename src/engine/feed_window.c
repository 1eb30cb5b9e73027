/* feed_window.c -- collect, and cut back to the least commits whenever it gets too much. */
#include "engine/feed_window.h"

#include <stdlib.h>

#include "base/assert.h"
#include "base/mem.h"

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

static bool copy_bytes(struct arena *arena, struct yore_bytes *bytes)
{
    if (bytes->size > 0) {
        bytes->data = arena_copy(arena, bytes->data, bytes->size);
    }
    return bytes->size == 0 || bytes->data != NULL;
}

/* Keep whole commits, the least ones, up to half of what may be; the first in any case. */
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
        if (count > 0 && bytes + more > FEED_WINDOW_BYTES / 2) {
            break;
        }
        bytes += more;
        count = end;
        window->last = commit;
    }
    for (size_t i = 0; i < count; i++) {
        struct version *version = &window->entries[i].version;
        if (!copy_bytes(&kept, &version->key) || !copy_bytes(&kept, &version->value)) {
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
    /* One commit alone may be larger than a window: do not cut again for every entry of it. */
    window->bytes_max = 2 * bytes > FEED_WINDOW_BYTES ? 2 * bytes : FEED_WINDOW_BYTES;
    return YORE_OK;
}

static enum yore_status add(struct feed_window *window, uint32_t keyspace,
                            const struct version *version)
{
    if (window->count == window->capacity) {
        size_t capacity = window->capacity == 0 ? 64 : window->capacity * 2;
        struct feed_entry *entries = mem_realloc(window->entries, capacity * sizeof *entries);
        if (entries == NULL) {
            return YORE_NOMEM;
        }
        window->entries = entries;
        window->capacity = capacity;
    }
    struct feed_entry entry = {keyspace, *version};
    if (!copy_bytes(&window->arena, &entry.version.key) ||
        !copy_bytes(&window->arena, &entry.version.value)) {
        return YORE_NOMEM;
    }
    window->entries[window->count++] = entry;
    window->bytes += entry_bytes(&entry);
    return window->bytes > window->bytes_max ? cut(window) : YORE_OK;
}

static enum yore_status collect_keyspace(struct feed_window *window, struct superview *view,
                                         struct yore_keyspace *keyspace,
                                         struct yore_error *error_out)
{
    struct iter_view every = {
        .known = window->last, .no_cache_fill = true, .commit_after = window->after};
    struct yore_bytes all = {NULL, 0};
    struct version_iter *it = NULL;
    enum yore_status st =
        sources_all(view, keyspace, all, all, &every, INT64_MIN, INT64_MAX, &it, error_out);
    if (st != YORE_OK) {
        return st;
    }
    for (version_iter_first(it); st == YORE_OK && it->is_valid; version_iter_next(it)) {
        if (it->at.commit > window->after && it->at.commit <= window->last) {
            st = add(window, keyspace->id, &it->at);
        }
    }
    if (st != YORE_OK) {
        error_plain(error_out, st);
    } else if (it->status != YORE_OK) {
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

enum yore_status feed_window_collect(struct feed_window *window, struct superview *view,
                                     int64_t after, int64_t limit, struct yore_error *error_out)
{
    enum yore_status st = YORE_OK;
    window->count = 0;
    window->bytes = 0;
    window->bytes_max = FEED_WINDOW_BYTES;
    window->after = after;
    window->last = limit;
    arena_reset(&window->arena);
    for (size_t i = 0; st == YORE_OK; i++) {
        struct yore_keyspace *keyspace = feed_keyspace(view->db, i);
        if (keyspace == NULL) {
            break;
        }
        st = collect_keyspace(window, view, keyspace, error_out);
    }
    sort(window);
    return st;
}
