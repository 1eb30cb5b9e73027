/* memtable.c -- trees by keyspace, what they hold together, and the reads of single keys.  How the
 * trees work for readers without locks is told at the heads of memtable_tree.c and
 * memtable_cursor.c. */
#include "engine/memtable.h"

#include <string.h>

#include "base/assert.h"
#include "base/mem.h"
#include "engine/memtable_cursor.h"
#include "engine/memtable_internal.h"

static_assert(YORE_KEY_BYTES_MAX < 1u << 24, "a key's size fits its field");
static_assert(YORE_VALUE_BYTES_MAX <= UINT32_MAX, "a value's size fits its field");

enum yore_status memtable_new(uint64_t full_bytes, struct memtable **memtable_out)
{
    struct memtable *m = mem_zalloc(sizeof(*m));
    *memtable_out = m;
    if (m == NULL) {
        return YORE_NOMEM;
    }
    atomic_init(&m->refs, 1);
    memtable_room_init(&m->room, full_bytes);
    atomic_init(&m->commit_min, INT64_MAX);
    atomic_init(&m->commit_max, INT64_MIN);
    atomic_init(&m->valid_min, INT64_MAX);
    atomic_init(&m->back_dated_valid_min, INT64_MAX);
    return YORE_OK;
}

void memtable_ref(struct memtable *m)
{
    atomic_fetch_add_explicit(&m->refs, 1, memory_order_relaxed);
}

void memtable_unref(struct memtable *m)
{
    if (m == NULL) {
        return;
    }
    /* Whoever drops the last one has seen all that others did with theirs. */
    uint32_t before = atomic_fetch_sub_explicit(&m->refs, 1, memory_order_acq_rel);
    YORE_ASSERT(before > 0);
    if (before == 1) {
        memtable_room_release(&m->room);
        mem_free(m);
    }
}

/* ---- adding ---- */

static struct memtable_entry *entry_new(struct memtable_room *room, const struct version *v)
{
    YORE_ASSERT(v->key.size <= YORE_KEY_BYTES_MAX && v->value.size <= YORE_VALUE_BYTES_MAX);
    YORE_ASSERT(v->valid_from <= v->commit && v->flags < 32);
    bool has_valid_to = v->valid_to != YORE_FOREVER;
    struct memtable_entry *e = memtable_room_take(
        room, sizeof(*e) + v->key.size + v->value.size + (has_valid_to ? sizeof(v->valid_to) : 0));
    if (e == NULL) {
        return NULL;
    }
    e->valid_from = v->valid_from;
    e->commit = v->commit;
    e->key_size = (uint32_t)v->key.size & 0xffffffu;
    e->kind = (uint32_t)v->kind & 3u;
    e->flags = v->flags & 31u;
    e->has_valid_to = has_valid_to;
    e->value_size = (uint32_t)v->value.size;
    unsigned char *to = e->octets;
    if (v->key.size > 0) {
        memcpy(to, v->key.data, v->key.size);
    }
    to += v->key.size;
    if (v->value.size > 0) {
        memcpy(to, v->value.data, v->value.size);
    }
    if (has_valid_to) {
        memcpy(to + v->value.size, &v->valid_to, sizeof(v->valid_to));
    }
    return e;
}

/* One thread writes these, so that no read-modify-write is needed. */
static void lower(_Atomic int64_t *least, int64_t value)
{
    if (value < atomic_load_explicit(least, memory_order_relaxed)) {
        atomic_store_explicit(least, value, memory_order_relaxed);
    }
}

static void raise(_Atomic int64_t *greatest, int64_t value)
{
    if (value > atomic_load_explicit(greatest, memory_order_relaxed)) {
        atomic_store_explicit(greatest, value, memory_order_relaxed);
    }
}

static void add_to(_Atomic uint64_t *sum, uint64_t more)
{
    uint64_t before = atomic_load_explicit(sum, memory_order_relaxed);
    atomic_store_explicit(sum, before + more, memory_order_relaxed);
}

static void note_bounds(struct memtable *m, const struct memtable_entry *e)
{
    add_to(&m->user_bytes, (uint64_t)e->key_size + e->value_size);
    add_to(&m->count, 1);
    lower(&m->commit_min, e->commit);
    raise(&m->commit_max, e->commit);
    lower(&m->valid_min, e->valid_from);
    if (e->valid_from < e->commit) {
        lower(&m->back_dated_valid_min, e->valid_from);
    }
}

/* By a key's last octets, in which neighbours differ: good enough for so few, and every late fact
 * pays for it. */
static size_t hash_index(struct yore_bytes key)
{
    const unsigned char *octets = key.data;
    uint64_t word = key.size >= 8 ? bytes_word(octets + key.size - 8) : memtable_head(key, 0);
    return (size_t)((word * 0x9e3779b97f4a7c15u) >> 32) % MEMTABLE_TREE_HASHES;
}

static void note_in_tree(struct memtable_tree *t, const struct memtable_entry *e)
{
    add_to(&t->count, 1);
    add_to(&t->user_bytes, (uint64_t)e->key_size + e->value_size);
    raise(&t->commit_max, e->commit);
    if (e->valid_from < e->commit) {
        raise(&t->back_dated_commit_max, e->commit);
        raise(&t->back_dated_of[hash_index(memtable_entry_key(e))], e->commit);
    }
}

static enum yore_status add_tree(struct memtable *m, uint32_t keyspace, const struct version *v)
{
    if (!memtable_room_reserve_nodes(&m->room, 1)) {
        return YORE_NOMEM;
    }
    struct memtable_entry *e = entry_new(&m->room, v);
    struct memtable_tree *t = e != NULL ? memtable_tree_new(&m->room, keyspace, e) : NULL;
    if (t == NULL) {
        return YORE_NOMEM;
    }
    note_bounds(m, e);
    note_in_tree(t, e);
    _Atomic(struct memtable_tree *) *bucket = &m->trees[keyspace % MEMTABLE_BUCKETS];
    t->next = atomic_load_explicit(bucket, memory_order_relaxed);
    m->tree_count++;
    atomic_store_explicit(bucket, t, memory_order_release);
    return YORE_OK;
}

/* `*behind_out`: the entry that follows in the tree; NULL: none that could be of the key. */
static enum yore_status add(struct memtable *m, uint32_t keyspace, const struct version *version,
                            const struct memtable_entry **behind_out)
{
    struct memtable_tree *t = memtable_find(m, keyspace);
    *behind_out = NULL;
    if (t == NULL) {
        return add_tree(m, keyspace, version);
    }
    if (!memtable_room_reserve_nodes(&m->room, memtable_tree_nodes_for_one(t))) {
        return YORE_NOMEM;
    }
    struct memtable_entry *e = entry_new(&m->room, version);
    if (e == NULL) {
        return YORE_NOMEM;
    }
    note_bounds(m, e);
    note_in_tree(t, e);
    const struct memtable_entry *replaced = memtable_tree_insert(t, &m->room, e, behind_out);
    if (replaced != NULL) {
        uint64_t bytes = (uint64_t)replaced->key_size + replaced->value_size;
        add_to(&m->user_bytes, 0 - bytes);
        add_to(&t->user_bytes, 0 - bytes);
        add_to(&m->count, UINT64_MAX);
        add_to(&t->count, UINT64_MAX);
    }
    return YORE_OK;
}

enum yore_status memtable_add(struct memtable *m, uint32_t keyspace, const struct version *version)
{
    const struct memtable_entry *behind;
    return add(m, keyspace, version, &behind);
}

enum yore_status memtable_add_over(struct memtable *m, uint32_t keyspace,
                                   const struct version *version, bool *has_below_out,
                                   struct version *below_out)
{
    const struct memtable_entry *behind;
    enum yore_status st = add(m, keyspace, version, &behind);
    *has_below_out = behind != NULL && behind->kind != MEMTABLE_TAKEN_BACK &&
                     bytes_equal(memtable_entry_key(behind), version->key);
    if (*has_below_out) {
        memtable_entry_load(behind, below_out);
    }
    return st;
}

/* An insertion into a large tree mostly waits for its leaf, and where its key is in the tree for
 * the entry of that. */
static void prefetch(const struct memtable *m, const struct memtable_addition *additions,
                     size_t count)
{
    const struct memtable_node *leaves[MEMTABLE_MANY_MAX];
    for (size_t i = 0; i < count; i++) {
        const struct memtable_tree *t = memtable_find(m, additions[i].keyspace);
        leaves[i] = t != NULL ? memtable_tree_prefetch_leaf(t, additions[i].version.key) : NULL;
    }
    for (size_t i = 0; i < count; i++) {
        if (leaves[i] != NULL) {
            memtable_node_prefetch_entry(leaves[i], additions[i].version.key);
        }
    }
}

enum yore_status memtable_add_many(struct memtable *m, const struct memtable_addition *additions,
                                   size_t count)
{
    YORE_ASSERT(count <= MEMTABLE_MANY_MAX);
    enum yore_status st = YORE_OK;
    if (count > 1) {
        prefetch(m, additions, count);
    }
    for (size_t i = 0; i < count && st == YORE_OK; i++) {
        st = memtable_add(m, additions[i].keyspace, &additions[i].version);
    }
    return st;
}

enum yore_status memtable_take_back(struct memtable *m, uint32_t keyspace,
                                    const struct version *version)
{
    const struct version none = {.key = version->key,
                                 .valid_from = version->valid_from,
                                 .commit = version->commit,
                                 .valid_to = YORE_FOREVER,
                                 .kind = (enum yore_kind)MEMTABLE_TAKEN_BACK};
    return memtable_add(m, keyspace, &none);
}

bool memtable_is_shared(const struct memtable *m)
{
    return atomic_load_explicit(&m->refs, memory_order_relaxed) > 1;
}

enum yore_status memtable_reserve(struct memtable *m, uint64_t bytes, uint64_t count,
                                  uint64_t keyspaces)
{
    uint64_t new_trees = keyspaces > m->tree_count ? keyspaces - m->tree_count : 0;
    new_trees = count < new_trees ? count : new_trees;
    uint64_t nodes = memtable_tree_nodes_for(&m->room, m->tree_count, new_trees, count);
    /* Beside its octets an entry takes its header, valid_to and up to 7 octets to the next multiple
     * of 8. */
    uint64_t per_entry = sizeof(struct memtable_entry) + sizeof(int64_t) + 7;
    if (count > (UINT64_MAX / 2 - bytes) / per_entry || bytes > UINT64_MAX / 4) {
        return YORE_NOMEM;
    }
    uint64_t total = bytes + count * per_entry + new_trees * (sizeof(struct memtable_tree) + 7);
    bool is_reserved =
        memtable_room_reserve(&m->room, total) && memtable_room_reserve_nodes(&m->room, nodes);
    return is_reserved ? YORE_OK : YORE_NOMEM;
}

/* ---- reading ---- */

bool memtable_get(const struct memtable *m, uint32_t keyspace, struct yore_bytes key, int64_t valid,
                  int64_t known, struct version *version_out)
{
    struct memtable_cursor c = {.tree = memtable_find(m, keyspace)};
    if (c.tree == NULL) {
        return false;
    }
    /* No version began after its commit. */
    struct memtable_target target = {key, valid < known ? valid : known, known, false};
    memtable_cursor_find(&c, &target);
    if (!memtable_cursor_settle(&c, key, valid, known)) {
        return false;
    }
    memtable_entry_load(c.entry, version_out);
    return true;
}

bool memtable_has_newer(const struct memtable *m, uint32_t keyspace, struct yore_bytes key,
                        int64_t since)
{
    struct memtable_cursor c = {.tree = memtable_find(m, keyspace)};
    if (c.tree == NULL ||
        atomic_load_explicit(&c.tree->commit_max, memory_order_relaxed) <= since) {
        return false;
    }
    struct memtable_target target = {key, INT64_MAX, INT64_MAX, false};
    memtable_cursor_find(&c, &target);
    /* The first has the greatest valid_from.  Where it is no newer, none is that began with its
     * commit; one that is back-dated may stand anywhere, if there is one: then each is looked at.
     */
    const _Atomic int64_t *back_dated = &c.tree->back_dated_of[hash_index(key)];
    bool may_be_behind = atomic_load_explicit(back_dated, memory_order_relaxed) > since;
    bool is_newer = false;
    while (c.entry != NULL && bytes_equal(memtable_entry_key(c.entry), key)) {
        is_newer = c.entry->commit > since;
        if (is_newer || !may_be_behind) {
            break;
        }
        memtable_cursor_next(&c);
    }
    return is_newer;
}

bool memtable_has_newer_in(const struct memtable *m, uint32_t keyspace, struct yore_bytes low,
                           struct yore_bytes high, int64_t since)
{
    struct memtable_cursor c = {.tree = memtable_find(m, keyspace)};
    if (c.tree == NULL ||
        atomic_load_explicit(&c.tree->commit_max, memory_order_relaxed) <= since) {
        return false;
    }
    struct memtable_target target = {low, INT64_MAX, INT64_MAX, false};
    memtable_cursor_seek(&c, &target);
    while (c.entry != NULL &&
           (high.size == 0 || bytes_compare(memtable_entry_key(c.entry), high) < 0)) {
        if (c.entry->commit > since) {
            return true;
        }
        memtable_cursor_next(&c);
    }
    return false;
}

size_t memtable_keyspaces(const struct memtable *m, uint32_t *ids_out, size_t max)
{
    size_t count = 0; /* of all */
    size_t kept = 0;  /* the least ids, ascending, in ids_out */
    for (size_t i = 0; i < MEMTABLE_BUCKETS; i++) {
        const struct memtable_tree *t = atomic_load_explicit(&m->trees[i], memory_order_acquire);
        for (; t != NULL; t = t->next) {
            count++;
            size_t at = kept < max ? kept++ : kept;
            while (at > 0 && ids_out[at - 1] > t->keyspace) {
                if (at < max) {
                    ids_out[at] = ids_out[at - 1];
                }
                at--;
            }
            if (at < max) {
                ids_out[at] = t->keyspace;
            }
        }
    }
    return count;
}

bool memtable_has(const struct memtable *m, uint32_t keyspace)
{
    return memtable_find(m, keyspace) != NULL;
}

void memtable_usage(const struct memtable *m, uint32_t keyspace, uint64_t *count_out,
                    uint64_t *user_bytes_out)
{
    const struct memtable_tree *t = memtable_find(m, keyspace);
    *count_out = t != NULL ? atomic_load_explicit(&t->count, memory_order_relaxed) : 0;
    *user_bytes_out = t != NULL ? atomic_load_explicit(&t->user_bytes, memory_order_relaxed) : 0;
}

bool memtable_has_back_dated(const struct memtable *m, uint32_t keyspace)
{
    const struct memtable_tree *t = memtable_find(m, keyspace);
    return t != NULL &&
           atomic_load_explicit(&t->back_dated_commit_max, memory_order_relaxed) != INT64_MIN;
}

void memtable_bounds(const struct memtable *m, struct memtable_bounds *bounds_out)
{
    *bounds_out = (struct memtable_bounds){
        .bytes = memtable_room_bytes(&m->room),
        .user_bytes = atomic_load_explicit(&m->user_bytes, memory_order_relaxed),
        .count = atomic_load_explicit(&m->count, memory_order_relaxed),
        .commit_min = atomic_load_explicit(&m->commit_min, memory_order_relaxed),
        .commit_max = atomic_load_explicit(&m->commit_max, memory_order_relaxed),
        .valid_min = atomic_load_explicit(&m->valid_min, memory_order_relaxed),
        .back_dated_valid_min =
            atomic_load_explicit(&m->back_dated_valid_min, memory_order_relaxed),
    };
}

bool memtable_begins_by(const struct memtable *m, int64_t valid, int64_t known)
{
    return atomic_load_explicit(&m->valid_min, memory_order_relaxed) <= valid &&
           atomic_load_explicit(&m->commit_min, memory_order_relaxed) <= known;
}

bool memtable_check(const struct memtable *m)
{
    uint64_t entries = 0;
    uint64_t trees = 0;
    uint64_t level_nodes[MEMTABLE_HEIGHT_MAX] = {0};
    for (size_t i = 0; i < MEMTABLE_BUCKETS; i++) {
        const struct memtable_tree *t = atomic_load_explicit(&m->trees[i], memory_order_acquire);
        for (; t != NULL; t = t->next) {
            trees++;
            if (t->keyspace % MEMTABLE_BUCKETS != i ||
                !memtable_tree_check(t, &entries, level_nodes)) {
                return false;
            }
        }
    }
    return trees == m->tree_count &&
           memcmp(level_nodes, m->room.level_nodes, sizeof(level_nodes)) == 0 &&
           entries == atomic_load_explicit(&m->count, memory_order_relaxed);
}
