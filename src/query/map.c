#include "query/map.h"

#include <stdbool.h>

#include "base/bytes.h"

static bool is_settled(const struct yore_graph_entry *entries, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        if (bytes_compare(entries[i - 1].name, entries[i].name) >= 0) {
            return false;
        }
    }
    return true;
}

/* Two sorted runs, [0, middle) and [middle, count), into one; the left one first among equals. */
static void merge(const struct yore_graph_entry *from, size_t middle, size_t count,
                  struct yore_graph_entry *to)
{
    size_t left = 0;
    size_t right = middle;
    for (size_t i = 0; i < count; i++) {
        bool is_left = left < middle &&
                       (right >= count || bytes_compare(from[left].name, from[right].name) <= 0);
        to[i] = is_left ? from[left++] : from[right++];
    }
}

enum yore_status map_settle(struct arena *arena, struct yore_graph_entry *entries, size_t *count)
{
    size_t total = *count;
    if (is_settled(entries, total)) {
        return YORE_OK;
    }
    struct yore_graph_entry *other = arena_alloc(arena, total * sizeof(*other));
    if (other == NULL) {
        return YORE_NOMEM;
    }
    struct yore_graph_entry *from = entries;
    struct yore_graph_entry *to = other;
    for (size_t width = 1; width < total; width *= 2) {
        for (size_t begin = 0; begin < total; begin += width * 2) {
            size_t left = total - begin;
            size_t size = left < width * 2 ? left : width * 2;
            merge(from + begin, size < width ? size : width, size, to + begin);
        }
        struct yore_graph_entry *swapped = from;
        from = to;
        to = swapped;
    }
    size_t kept = 0;
    for (size_t i = 0; i < total; i++) {
        bool is_last = i + 1 == total || !bytes_equal(from[i].name, from[i + 1].name);
        if (is_last) {
            entries[kept++] = from[i]; /* never beyond i: also right where both are one array */
        }
    }
    *count = kept;
    return YORE_OK;
}

const struct yore_graph_value *map_get(const struct yore_graph_map *map, struct yore_bytes name)
{
    size_t low = 0;
    size_t high = map->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = bytes_compare(map->entries[middle].name, name);
        if (order == 0) {
            return &map->entries[middle].value;
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return NULL;
}
