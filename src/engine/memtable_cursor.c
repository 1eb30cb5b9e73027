/* memtable_cursor.c -- the readers' side of a memtable's tree.
 *
 * Going down, the child's version is read before the parent's is checked again: with both unchanged
 * the child was the right one when its version was taken, and any later split changes that.  A
 * failed check starts over at the root; leaves are also linked to the right, and the first place of
 * a leaf never changes, so that walking forward goes from leaf to leaf without looking at the
 * levels above.
 */
#include "engine/memtable_cursor.h"

#include "base/assert.h"
#include "os/thread.h"

#define SPINS_BEFORE_YIELD 64
/* Versions of one key walked over one by one before the rest is jumped over. */
#define STEPS_BEFORE_SEEK 8
/* How far ahead of a walk entries are asked for. */
#define STEPS_AHEAD 6

/* Which way a key leads: by comparing, or, as it lies outside the prefix of all keys, to an end. */
enum way { WAY_FIRST, WAY_BY_KEY, WAY_LAST };

/* The first entry behind the gap, the last before it, or the first behind if it may be of the
 * target's key. */
enum seek { SEEK_FORWARD, SEEK_BACK, SEEK_KEY };

static uint32_t stable_version(const struct memtable_node *n)
{
    uint32_t version = atomic_load_explicit(&n->version, memory_order_acquire);
    for (unsigned spins = 0; version % 2 != 0; spins++) {
        if (spins < SPINS_BEFORE_YIELD) {
            os_cpu_relax();
        } else {
            os_thread_yield(); /* the writer may be waiting for this processor */
        }
        version = atomic_load_explicit(&n->version, memory_order_acquire);
    }
    return version;
}

/* After acquire loads of the node's fields: they belong to the version. */
static bool is_version(const struct memtable_node *n, uint32_t version)
{
    return atomic_load_explicit(&n->version, memory_order_relaxed) == version;
}

static enum way find_way(const struct memtable_tree *t, struct yore_bytes key, size_t prefix)
{
    size_t size = prefix < key.size ? prefix : key.size;
    int order = size > 0 ? memcmp(key.data, t->prefix_of->octets, size) : 0;
    if (order == 0 && size == prefix) {
        return WAY_BY_KEY;
    }
    return order <= 0 ? WAY_FIRST : WAY_LAST;
}

static uint32_t rank(const struct memtable_node *n, enum way way,
                     const struct memtable_target *target, uint32_t first, uint32_t count)
{
    if (way == WAY_BY_KEY) {
        return memtable_node_rank(n, target, first, count);
    }
    return way == WAY_FIRST ? first : count;
}

/* Find leaf, its version and the number of its slots before the gap.  `*count_out` is how many it
 * was compared with: appending raises the count and leaves the version.  False: a split came
 * between. */
static bool try_descend(struct memtable_cursor *c, enum way way,
                        const struct memtable_target *target, uint32_t *count_out)
{
    const struct memtable_node *n = atomic_load_explicit(&c->tree->root, memory_order_acquire);
    uint32_t version = stable_version(n);
    if (atomic_load_explicit(&c->tree->root, memory_order_relaxed) != n) {
        return false;
    }
    while (n->level > 0) {
        uint32_t next = rank(n, way, target, 1, memtable_node_count(n)) - 1;
        const struct memtable_node *child = memtable_node_child(n, next);
        memtable_node_prefetch(child);
        uint32_t child_version = stable_version(child);
        if (!is_version(n, version)) {
            return false;
        }
        n = child;
        version = child_version;
    }
    c->leaf = n;
    c->version = version;
    *count_out = memtable_node_count(n);
    c->index = rank(n, way, target, 0, *count_out);
    return true;
}

/* The first entry of the next leaf; false: the leaf is no longer what was read. */
static bool hop_right(struct memtable_cursor *c)
{
    const struct memtable_node *right = memtable_node_right(c->leaf);
    if (!is_version(c->leaf, c->version)) {
        return false;
    }
    if (right == NULL) {
        c->entry = NULL;
        return true;
    }
    c->leaf = right;
    c->version = stable_version(right);
    c->index = 0;
    c->entry = memtable_node_entry(right, 0); /* its place is the leaf's for ever */
    return true;
}

static bool take(struct memtable_cursor *c, uint32_t index)
{
    c->index = index;
    c->entry = memtable_node_entry(c->leaf, index);
    return is_version(c->leaf, c->version);
}

static bool take_behind_gap(struct memtable_cursor *c, uint32_t count)
{
    return c->index < count ? take(c, c->index) : hop_right(c);
}

static bool take_before_gap(struct memtable_cursor *c)
{
    if (c->index > 0) {
        return take(c, c->index - 1);
    }
    c->entry = NULL;
    bool is_leftmost = c->leaf->low == NULL;
    if (!is_version(c->leaf, c->version)) {
        return false;
    }
    YORE_ASSERT(is_leftmost);
    return true;
}

/* As take_behind_gap, but without touching an entry that cannot be of the key looked for. */
static bool take_of_key(struct memtable_cursor *c, enum way way,
                        const struct memtable_target *target, uint32_t count)
{
    if (way == WAY_BY_KEY && c->index == count) {
        return hop_right(c);
    }
    size_t skip = atomic_load_explicit(&c->leaf->skip, memory_order_acquire);
    if (way == WAY_BY_KEY &&
        memtable_node_head(c->leaf, c->index) == memtable_head(target->key, skip)) {
        return take(c, c->index);
    }
    c->entry = NULL;
    return is_version(c->leaf, c->version);
}

/* A NULL target: the end that the seek starts from. */
static void seek(struct memtable_cursor *c, const struct memtable_target *target, enum seek kind)
{
    bool is_found = false;
    while (!is_found) {
        size_t prefix = atomic_load_explicit(&c->tree->prefix_size, memory_order_acquire);
        enum way way = kind == SEEK_BACK ? WAY_LAST : WAY_FIRST;
        if (target != NULL) {
            way = find_way(c->tree, target->key, prefix);
        }
        uint32_t count;
        is_found = try_descend(c, way, target, &count);
        if (is_found) {
            is_found = kind == SEEK_FORWARD ? take_behind_gap(c, count)
                       : kind == SEEK_BACK  ? take_before_gap(c)
                                            : take_of_key(c, way, target, count);
        }
        /* Who has met a key outside the prefix also meets the shorter prefix, stored before it. */
        if (atomic_load_explicit(&c->tree->prefix_size, memory_order_relaxed) != prefix) {
            is_found = false;
        }
    }
}

void memtable_cursor_first(struct memtable_cursor *c)
{
    seek(c, NULL, SEEK_FORWARD);
}

void memtable_cursor_last(struct memtable_cursor *c)
{
    seek(c, NULL, SEEK_BACK);
}

void memtable_cursor_seek(struct memtable_cursor *c, const struct memtable_target *target)
{
    seek(c, target, SEEK_FORWARD);
}

void memtable_cursor_seek_back(struct memtable_cursor *c, const struct memtable_target *target)
{
    seek(c, target, SEEK_BACK);
}

void memtable_cursor_find(struct memtable_cursor *c, const struct memtable_target *target)
{
    seek(c, target, SEEK_KEY);
}

/* Ask for the entry some steps ahead, and in time for the leaf it may lie in: walks are bound by
 * memory. */
static void prefetch_ahead(const struct memtable_node *leaf, uint32_t index, uint32_t count)
{
    uint32_t ahead = index + STEPS_AHEAD;
    if (ahead < count) {
        __builtin_prefetch(memtable_node_entry(leaf, ahead));
    }
    const struct memtable_node *right = memtable_node_right(leaf);
    if (right == NULL) {
        return;
    }
    if (ahead < count) {
        if (index == count / 2) {
            memtable_node_prefetch(right);
        }
    } else if (ahead - count < memtable_node_count(right)) {
        __builtin_prefetch(memtable_node_entry(right, ahead - count));
    }
}

void memtable_cursor_next(struct memtable_cursor *c)
{
    const struct memtable_entry *from = c->entry;
    uint32_t next = c->index + 1;
    uint32_t count = memtable_node_count(c->leaf);
    prefetch_ahead(c->leaf, next, count);
    bool is_taken = next < count ? take(c, next) : hop_right(c);
    if (!is_taken) {
        struct memtable_target target = memtable_target_of(from, true);
        seek(c, &target, SEEK_FORWARD);
    }
}

void memtable_cursor_prev(struct memtable_cursor *c)
{
    const struct memtable_entry *from = c->entry;
    if (c->index > STEPS_AHEAD) {
        __builtin_prefetch(memtable_node_entry(c->leaf, c->index - 1 - STEPS_AHEAD));
    }
    if (c->index == 0 || !take(c, c->index - 1)) {
        struct memtable_target target = memtable_target_of(from, false);
        seek(c, &target, SEEK_BACK);
    }
}

bool memtable_cursor_settle(struct memtable_cursor *c, struct yore_bytes key, int64_t valid,
                            int64_t known)
{
    int64_t limit = valid < known ? valid : known;
    unsigned steps = 0;
    while (c->entry != NULL && bytes_equal(memtable_entry_key(c->entry), key)) {
        const struct memtable_entry *e = c->entry;
        bool is_any = e->kind != MEMTABLE_TAKEN_BACK;
        if (is_any && e->valid_from <= limit && e->commit <= known) {
            return true;
        }
        steps++;
        if (!is_any || steps % STEPS_BEFORE_SEEK != 0) {
            memtable_cursor_next(c);
            continue;
        }
        int64_t from = e->valid_from < limit ? e->valid_from : limit;
        struct memtable_target target = {key, from, known, false};
        memtable_cursor_seek(c, &target);
    }
    return false;
}
