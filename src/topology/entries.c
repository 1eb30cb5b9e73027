#include "topology/entries.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "topology/graph_key.h"
#include "topology/index_value.h"
#include "topology/limits.h"

static bool grow(struct entry_list *entries, struct arena *arena)
{
    size_t capacity = entries->capacity == 0 ? 4 : entries->capacity * 2;
    struct yore_bytes *keys = arena_alloc(arena, capacity * sizeof *keys);
    if (keys == NULL) {
        return false;
    }
    if (entries->count > 0) {
        memcpy(keys, entries->keys, entries->count * sizeof *keys);
    }
    entries->keys = keys;
    entries->capacity = capacity;
    return true;
}

/* The place of the first key that is not smaller. */
static size_t place_of(const struct entry_list *entries, struct yore_bytes key)
{
    size_t low = 0;
    size_t high = entries->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (bytes_compare(entries->keys[middle], key) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

bool entries_hold(const struct entry_list *entries, struct yore_bytes key)
{
    size_t place = place_of(entries, key);
    return place < entries->count && bytes_equal(entries->keys[place], key);
}

/* Keeps `key` as it is. */
static bool enter(struct entry_list *entries, struct yore_bytes key, struct arena *arena)
{
    size_t place = place_of(entries, key);
    if (place < entries->count && bytes_equal(entries->keys[place], key)) {
        return true;
    }
    if (entries->count == entries->capacity && !grow(entries, arena)) {
        return false;
    }
    struct yore_bytes *keys = entries->keys;
    memmove(keys + place + 1, keys + place, (entries->count - place) * sizeof *keys);
    keys[place] = key;
    entries->count++;
    return true;
}

static bool enter_copy(struct entry_list *entries, const struct graph_key *key, struct arena *arena)
{
    void *copy = arena_copy(arena, key->octets, key->size);
    return copy != NULL && enter(entries, bytes_of(copy, key->size), arena);
}

enum yore_status entry_of_rule(const struct element_state *state, uint64_t id,
                               const struct graph_rule *rule, struct arena *arena,
                               struct yore_bytes *key_out, struct yore_error *error_out)
{
    struct buffer key = {0};
    struct decoder from;
    const struct yore_bytes *value = element_state_property(state, rule->schema.property);
    *key_out = bytes_of("", 0);
    if (value == NULL || !element_state_has_label(state, rule->schema.label)) {
        return YORE_OK;
    }
    decoder_init(&from, value->data, value->size);
    graph_key_index(&key, rule->number);
    enum yore_status st = YORE_OK;
    if (!index_value_append(&key, &from)) {
        st = error_set(error_out, YORE_CORRUPT, "node %" PRIu64 ": a property is malformed", id);
    } else if (key.size > GRAPH_INDEX_VALUE_BYTES_MAX) {
        st = error_set(error_out, YORE_TOO_BIG,
                       "a value in a property index takes %u octets at most; that of node %" PRIu64
                       " takes %zu",
                       GRAPH_INDEX_VALUE_BYTES_MAX, id, key.size);
    } else {
        graph_key_index_node(&key, id);
        *key_out = bytes_of(arena_copy(arena, key.data, key.size), key.size);
        st = buffer_status(&key) == YORE_OK && key_out->data != NULL
                 ? YORE_OK
                 : error_plain(error_out, YORE_NOMEM);
    }
    buffer_release(&key);
    return st;
}

enum yore_status entries_of_state(const struct element_state *state, uint64_t id,
                                  const struct graph_rules *rules, struct arena *arena,
                                  struct entry_list *entries_out, struct yore_error *error_out)
{
    enum yore_status st = YORE_OK;
    *entries_out = (struct entry_list){0};
    for (size_t i = 0; i < state->label_count; i++) {
        struct graph_key key = graph_key_label(state->labels[i], id);
        if (!enter_copy(entries_out, &key, arena)) {
            return error_plain(error_out, YORE_NOMEM);
        }
    }
    for (size_t i = 0; st == YORE_OK && rules != NULL && i < rules->count; i++) {
        struct yore_bytes key;
        st = entry_of_rule(state, id, &rules->rules[i], arena, &key, error_out);
        if (st == YORE_OK && key.size > 0 && !enter(entries_out, key, arena)) {
            st = error_plain(error_out, YORE_NOMEM);
        }
    }
    return st;
}

enum yore_status entries_of_ends(const struct element_state *state, uint64_t id,
                                 struct arena *arena, struct entry_list *entries_out)
{
    struct graph_adjacency outgoing = {state->start_id, false, state->type, state->end_id, id};
    struct graph_adjacency incoming = {state->end_id, true, state->type, state->start_id, id};
    struct graph_key keys[2] = {graph_key_adjacency(&outgoing, ADJACENCY_WHOLE),
                                graph_key_adjacency(&incoming, ADJACENCY_WHOLE)};
    *entries_out = (struct entry_list){0};
    return enter_copy(entries_out, &keys[0], arena) && enter_copy(entries_out, &keys[1], arena)
               ? YORE_OK
               : YORE_NOMEM;
}

enum yore_status entries_join(struct entry_list *into, const struct entry_list *more,
                              struct arena *arena)
{
    for (size_t i = 0; i < more->count; i++) {
        if (!enter(into, more->keys[i], arena)) {
            return YORE_NOMEM;
        }
    }
    return YORE_OK;
}

enum yore_status entries_gather(struct entry_list *into, const struct yore_bytes *keys,
                                size_t count, struct arena *arena)
{
    for (size_t i = 0; i < count; i++) {
        if (into->count == into->capacity && !grow(into, arena)) {
            return YORE_NOMEM;
        }
        into->keys[into->count++] = keys[i];
    }
    return YORE_OK;
}

static int compare_keys(const void *a, const void *b)
{
    const struct yore_bytes *x = a;
    const struct yore_bytes *y = b;
    return bytes_compare(*x, *y);
}

void entries_settle(struct entry_list *entries)
{
    size_t kept = 0;
    if (entries->count > 1) {
        qsort(entries->keys, entries->count, sizeof *entries->keys, compare_keys);
    }
    for (size_t i = 0; i < entries->count; i++) {
        if (kept == 0 || !bytes_equal(entries->keys[kept - 1], entries->keys[i])) {
            entries->keys[kept++] = entries->keys[i];
        }
    }
    entries->count = kept;
}
