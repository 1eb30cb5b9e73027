/* memtable_tree.c -- the writer's side of a memtable's tree.
 *
 * Nothing is removed and nodes never move, so a change is one of three: a slot filled in a leaf, a
 * node split in two (the right half is a new node), the root replaced by one above it.
 *
 * Invariants, checked by memtable_tree_check():
 *  1. Entries ascend strictly in place along the leaves' right links.
 *  2. The children of a level, in order, are the nodes of the level below along their right links.
 *  3. A node's first place is its `low` (that of the leftmost node of a level: none), and never
 * changes.
 *  4. Every node has entries or children.
 *  5. `skip` octets are common to all keys from the node's low to its right neighbour's; where one
 * of the two is missing, to all keys of the tree (`prefix_size`).  So they are common to every key
 * looked for in it, once the key is known to begin with the tree's prefix.
 *
 * Before a node is split, every node that the split changes is marked as changing, up to and with
 * the parent that takes the new child.  A reader checks the parent after it has read the child's
 * version, and therefore meets either the state before the split everywhere, or the state after it.
 *
 * An ascending insertion fills the rightmost leaf to the brim and puts its successor beside it;
 * other full nodes are cut in half.
 */
#include "engine/memtable_tree.h"

#include "base/assert.h"

/* Equal neighbours among a node's heads before it is worth computing them from further right. */
#define EQUAL_HEADS_MAX 6

/* What goes into a slot: an entry, or a child and its first place. */
struct item {
    struct memtable_entry *entry; /* on level 0 */
    struct memtable_node *child;  /* above */
};

/* Where an insertion goes on every level: at the leaf the slot, above the child that was entered.
 */
struct path {
    struct memtable_node *node[MEMTABLE_HEIGHT_MAX];
    uint32_t index[MEMTABLE_HEIGHT_MAX];
    uint32_t height;
};

static void set_count(struct memtable_node *n, uint32_t count)
{
    atomic_store_explicit(&n->count, count, memory_order_release);
}

static uint32_t skip_of(const struct memtable_node *n)
{
    return atomic_load_explicit(&n->skip, memory_order_relaxed);
}

static size_t prefix_of(const struct memtable_tree *t)
{
    return atomic_load_explicit(&t->prefix_size, memory_order_relaxed);
}

static struct memtable_node *root_of(const struct memtable_tree *t)
{
    return atomic_load_explicit(&t->root, memory_order_relaxed);
}

static uint32_t height_of(const struct memtable_tree *t)
{
    return root_of(t)->level + 1;
}

/* The stores that follow are release stores: who meets one of them also meets this one. */
static void change_begin(struct memtable_node *n)
{
    uint32_t version = atomic_load_explicit(&n->version, memory_order_relaxed);
    atomic_store_explicit(&n->version, version + 1, memory_order_relaxed);
}

static void change_end(struct memtable_node *n)
{
    uint32_t version = atomic_load_explicit(&n->version, memory_order_relaxed);
    atomic_store_explicit(&n->version, version + 1, memory_order_release);
}

static void copy_slot(struct memtable_node *to, uint32_t i, const struct memtable_node *from,
                      uint32_t j)
{
    uint64_t head = atomic_load_explicit(&from->heads[j], memory_order_relaxed);
    void *slot = atomic_load_explicit(&from->slots[j], memory_order_relaxed);
    atomic_store_explicit(&to->heads[i], head, memory_order_release);
    atomic_store_explicit(&to->slots[i], slot, memory_order_release);
}

/* The first place of what goes into a slot; NULL: the leftmost child. */
static const struct memtable_entry *item_low(struct item item)
{
    return item.child != NULL ? item.child->low : item.entry;
}

static void set_slot(struct memtable_node *n, uint32_t i, struct item item)
{
    const struct memtable_entry *low = item_low(item);
    uint64_t head = low != NULL ? memtable_head(memtable_entry_key(low), skip_of(n)) : 0;
    atomic_store_explicit(&n->heads[i], head, memory_order_release);
    void *slot = item.child != NULL ? (void *)item.child : (void *)item.entry;
    atomic_store_explicit(&n->slots[i], slot, memory_order_release);
}

/* Into a node that has room, and is marked as changing or not yet known to readers. */
static void put_slot(struct memtable_node *n, uint32_t index, struct item item)
{
    uint32_t count = memtable_node_count(n);
    for (uint32_t i = count; i > index; i--) {
        copy_slot(n, i, n, i - 1);
    }
    set_slot(n, index, item);
    set_count(n, count + 1);
}

static void clear_heads(struct memtable_node *n, uint32_t from)
{
    for (uint32_t i = from; i < MEMTABLE_NODE_HEADS; i++) {
        atomic_store_explicit(&n->heads[i], UINT64_MAX, memory_order_release);
    }
}

static struct memtable_node *node_new(struct memtable_room *room, uint32_t level, uint32_t skip,
                                      const struct memtable_entry *low)
{
    struct memtable_node *n = memtable_room_take_node(room, level);
    atomic_init(&n->version, 0);
    atomic_init(&n->count, 0);
    atomic_init(&n->skip, skip);
    n->level = level;
    n->low = low;
    atomic_init(&n->right, NULL);
    clear_heads(n, 0);
    return n;
}

/* ---- heads ---- */

static void set_skip(struct memtable_node *n, size_t skip)
{
    atomic_store_explicit(&n->skip, (uint32_t)skip, memory_order_release);
    uint32_t count = memtable_node_count(n);
    for (uint32_t i = 0; i < count; i++) {
        const struct memtable_entry *low = memtable_node_low(n, i);
        uint64_t head = low != NULL ? memtable_head(memtable_entry_key(low), skip) : 0;
        atomic_store_explicit(&n->heads[i], head, memory_order_release);
    }
}

/* Octets common to every key that can be looked for in the node. */
static size_t fence_common(const struct memtable_tree *t, const struct memtable_node *n)
{
    const struct memtable_node *right = memtable_node_right(n);
    if (n->low == NULL || right == NULL) {
        return prefix_of(t);
    }
    return memtable_common_size(memtable_entry_key(n->low), memtable_entry_key(right->low));
}

/* After its bounds have closed in: look further right in the keys if the heads no longer tell them
 * apart. */
static void refit(const struct memtable_tree *t, struct memtable_node *n)
{
    uint32_t count = memtable_node_count(n);
    uint32_t equal = 0;
    for (uint32_t i = 1; i < count; i++) {
        equal += memtable_node_head(n, i - 1) == memtable_node_head(n, i);
    }
    if (equal > EQUAL_HEADS_MAX) {
        size_t common = fence_common(t, n);
        if (common > skip_of(n)) {
            set_skip(n, common);
        }
    }
}

static void shrink_skip(struct memtable_node *n, size_t prefix)
{
    if (skip_of(n) > prefix) {
        change_begin(n);
        set_skip(n, prefix);
        change_end(n);
    }
}

/* A key that does not begin with the tree's prefix shortens it.  Only nodes on the left and right
 * edge rely on it.  Until the new size is stored, readers take such a key to lie outside of all
 * others. */
static void shrink_prefix(struct memtable_tree *t, struct yore_bytes key)
{
    size_t common = memtable_common_size(key, memtable_entry_key(t->prefix_of));
    if (common >= prefix_of(t)) {
        return;
    }
    struct memtable_node *left = root_of(t);
    struct memtable_node *right = left;
    for (;;) {
        shrink_skip(left, common);
        shrink_skip(right, common);
        if (left->level == 0) {
            break;
        }
        left = memtable_node_child(left, 0);
        right = memtable_node_child(right, memtable_node_count(right) - 1);
    }
    atomic_store_explicit(&t->prefix_size, common, memory_order_release);
}

static bool has_prefix(const struct memtable_tree *t, struct yore_bytes key)
{
    size_t prefix = prefix_of(t);
    return prefix == 0 ||
           (prefix <= key.size && memcmp(key.data, t->prefix_of->octets, prefix) == 0);
}

/* ---- splits ---- */

/* Split a full node and put the item into one of the halves; returns what the parent has to take.
 */
static struct item split(struct memtable_tree *t, struct memtable_node *left,
                         struct memtable_node *right, uint32_t index, struct item item)
{
    bool is_append = index == MEMTABLE_NODE_SLOTS && memtable_node_right(left) == NULL;
    uint32_t keep = is_append ? MEMTABLE_NODE_SLOTS : MEMTABLE_NODE_SLOTS / 2;
    right->low = is_append ? item_low(item) : memtable_node_low(left, keep);
    atomic_store_explicit(&right->right, memtable_node_right(left), memory_order_release);
    for (uint32_t i = keep; i < MEMTABLE_NODE_SLOTS; i++) {
        copy_slot(right, i - keep, left, i);
    }
    set_count(right, MEMTABLE_NODE_SLOTS - keep);
    set_count(left, keep);
    clear_heads(left, keep);
    if (is_append || index > keep) {
        put_slot(right, index - keep, item);
    } else {
        put_slot(left, index, item);
    }
    atomic_store_explicit(&left->right, right, memory_order_release);
    refit(t, left);
    refit(t, right);
    if (t->tail == left) {
        t->tail = right;
    }
    return (struct item){NULL, right};
}

static void grow_root(struct memtable_tree *t, struct memtable_room *room, struct item right)
{
    struct memtable_node *old = root_of(t);
    YORE_ASSERT(old->level + 1 < MEMTABLE_HEIGHT_MAX);
    struct memtable_node *root = node_new(room, old->level + 1, (uint32_t)prefix_of(t), NULL);
    put_slot(root, 0, (struct item){NULL, old});
    put_slot(root, 1, right);
    atomic_store_explicit(&t->root, root, memory_order_release);
}

static void put(struct memtable_tree *t, struct memtable_room *room, struct path *path,
                struct item item)
{
    uint32_t top = 0; /* the lowest level with room */
    while (top < path->height && memtable_node_count(path->node[top]) == MEMTABLE_NODE_SLOTS) {
        top++;
    }
    uint32_t end = top < path->height ? top + 1 : top;
    for (uint32_t level = 0; level < end; level++) {
        change_begin(path->node[level]);
    }
    for (uint32_t level = 0; level < top; level++) {
        struct memtable_node *left = path->node[level];
        struct memtable_node *right = node_new(room, level, skip_of(left), NULL);
        item = split(t, left, right, path->index[level], item);
        if (level + 1 < path->height) {
            path->index[level + 1]++; /* behind the child that was split */
        }
    }
    if (top < path->height) {
        put_slot(path->node[top], path->index[top], item);
    } else {
        grow_root(t, room, item);
    }
    for (uint32_t level = 0; level < end; level++) {
        change_end(path->node[level]);
    }
}

/* ---- insertion ---- */

static void find_path(const struct memtable_tree *t, const struct memtable_target *target,
                      struct path *path)
{
    /* Above the leaves an equal place lies to the right: it is its node's low. */
    struct memtable_target behind = *target;
    behind.is_after = true;
    struct memtable_node *n = root_of(t);
    path->height = n->level + 1;
    while (n->level > 0) {
        uint32_t i = memtable_node_rank(n, &behind, 1, memtable_node_count(n)) - 1;
        path->node[n->level] = n;
        path->index[n->level] = i;
        n = memtable_node_child(n, i);
        memtable_node_prefetch(n);
    }
    path->node[0] = n;
    path->index[0] = memtable_node_rank(n, target, 0, memtable_node_count(n));
}

static void find_tail_path(const struct memtable_tree *t, struct path *path)
{
    struct memtable_node *n = root_of(t);
    path->height = n->level + 1;
    while (n->level > 0) {
        uint32_t i = memtable_node_count(n) - 1;
        path->node[n->level] = n;
        path->index[n->level] = i;
        n = memtable_node_child(n, i);
    }
    path->node[0] = n;
    path->index[0] = memtable_node_count(n);
}

/* Behind every other entry.  Readers see a slot beyond the count appear with the count: nothing
 * they have read becomes wrong, and the version stays. */
static void append(struct memtable_tree *t, struct memtable_room *room, struct memtable_entry *e)
{
    struct item item = {e, NULL};
    uint32_t count = memtable_node_count(t->tail);
    if (count < MEMTABLE_NODE_SLOTS) {
        set_slot(t->tail, count, item);
        set_count(t->tail, count + 1);
    } else {
        struct path path;
        find_tail_path(t, &path);
        put(t, room, &path, item);
    }
    t->last = e;
}

/* Behind every entry.  Most that are not are told by the head alone. */
static bool is_last(const struct memtable_tree *t, const struct memtable_target *target)
{
    uint64_t head = memtable_head(target->key, skip_of(t->tail));
    uint64_t last = memtable_node_head(t->tail, memtable_node_count(t->tail) - 1);
    return head != last ? head > last : memtable_place_compare(t->last, target, 0) < 0;
}

/* Nodes above the leaves are few, and mostly at hand; so is the last leaf. */
const struct memtable_node *memtable_tree_prefetch_leaf(const struct memtable_tree *t,
                                                        struct yore_bytes key)
{
    const struct memtable_target target = {key, INT64_MAX, INT64_MAX, true};
    const struct memtable_node *n = root_of(t);
    if (n->level == 0 || !has_prefix(t, key) || is_last(t, &target)) {
        return NULL;
    }
    for (uint32_t level = n->level; level > 0; level--) {
        n = memtable_node_child(n, memtable_node_rank(n, &target, 1, memtable_node_count(n)) - 1);
    }
    memtable_node_prefetch(n);
    return n;
}

const struct memtable_entry *memtable_tree_insert(struct memtable_tree *t,
                                                  struct memtable_room *room,
                                                  struct memtable_entry *e,
                                                  const struct memtable_entry **behind_out)
{
    struct memtable_target target = memtable_target_of(e, false);
    *behind_out = NULL;
    if (!has_prefix(t, target.key)) {
        shrink_prefix(t, target.key);
    }
    if (is_last(t, &target)) {
        append(t, room, e);
        return NULL;
    }
    struct path path;
    find_path(t, &target, &path);
    struct memtable_node *leaf = path.node[0];
    uint32_t i = path.index[0];
    if (i < memtable_node_count(leaf)) {
        const struct memtable_entry *at = memtable_node_entry(leaf, i);
        bool is_like = memtable_node_head(leaf, i) == memtable_head(target.key, skip_of(leaf));
        if (is_like && memtable_place_compare(at, &target, skip_of(leaf)) == 0) {
            atomic_store_explicit(&leaf->slots[i], e, memory_order_release);
            t->last = t->last == at ? e : t->last;
            return at;
        }
        *behind_out = is_like ? at : NULL;
    } else {
        const struct memtable_node *right = memtable_node_right(leaf);
        *behind_out = right != NULL ? right->low : NULL;
    }
    put(t, room, &path, (struct item){e, NULL});
    return NULL;
}

struct memtable_tree *memtable_tree_new(struct memtable_room *room, uint32_t keyspace,
                                        struct memtable_entry *first)
{
    struct memtable_tree *t = memtable_room_take(room, sizeof(*t));
    if (t == NULL) {
        return NULL;
    }
    t->next = NULL;
    t->keyspace = keyspace;
    t->prefix_of = first;
    atomic_init(&t->prefix_size, first->key_size);
    atomic_init(&t->count, 0);
    atomic_init(&t->user_bytes, 0);
    atomic_init(&t->commit_max, INT64_MIN);
    atomic_init(&t->back_dated_commit_max, INT64_MIN);
    for (size_t i = 0; i < MEMTABLE_TREE_HASHES; i++) {
        atomic_init(&t->back_dated_of[i], INT64_MIN);
    }
    t->tail = node_new(room, 0, first->key_size, NULL);
    put_slot(t->tail, 0, (struct item){first, NULL});
    t->last = first;
    atomic_init(&t->root, t->tail);
    return t;
}

uint64_t memtable_tree_nodes_for_one(const struct memtable_tree *t)
{
    return height_of(t) + 1;
}

/* A node that is full now may be split by the first insertion it meets.  Cutting it in half leaves
 * both halves 30 free slots; a rightmost node that is kept whole, to be split again by the next
 * that meets it, has a successor with 61.  So `n` insertions into a level split, besides each node
 * that is there and one more a tree, fewer than n / 8, and never more than n.  Splits are the
 * insertions of the next level, which may have to be made. */
uint64_t memtable_tree_nodes_for(const struct memtable_room *room, uint64_t trees,
                                 uint64_t new_trees, uint64_t count)
{
    uint64_t nodes = new_trees;
    uint64_t insertions = count;
    if (count == 1) { /* a node a level at most, and a root */
        for (nodes = 1; nodes <= MEMTABLE_HEIGHT_MAX && room->level_nodes[nodes - 1] > 0; nodes++) {
        }
        return nodes;
    }
    for (uint32_t level = 0; level < MEMTABLE_HEIGHT_MAX && insertions > 0; level++) {
        uint64_t there = room->level_nodes[level];
        uint64_t bound = insertions / 8 + (there > 0 ? there + trees : 0);
        uint64_t splits = insertions < bound ? insertions : bound;
        uint64_t roots = splits < trees + new_trees ? splits : trees + new_trees;
        nodes += splits + roots;
        insertions = splits;
    }
    return nodes;
}

/* ---- check ---- */

static bool is_node_sound(const struct memtable_tree *t, const struct memtable_node *n,
                          bool is_leftmost)
{
    uint32_t count = memtable_node_count(n);
    size_t skip = skip_of(n);
    if (count == 0 || count > MEMTABLE_NODE_SLOTS || (n->low == NULL) != is_leftmost ||
        atomic_load_explicit(&n->version, memory_order_relaxed) % 2 != 0 ||
        skip > fence_common(t, n)) {
        return false;
    }
    const struct memtable_entry *low = memtable_node_low(n, 0);
    if (!is_leftmost) {
        struct memtable_target fence = memtable_target_of(n->low, false);
        if (memtable_place_compare(low, &fence, 0) != 0) {
            return false;
        }
    }
    for (uint32_t i = 0; i < count; i++) {
        low = memtable_node_low(n, i);
        if (low != NULL &&
            (!has_prefix(t, memtable_entry_key(low)) ||
             memtable_node_head(n, i) != memtable_head(memtable_entry_key(low), skip))) {
            return false;
        }
    }
    return true;
}

/* One level, along its right links: every node sound, the children in line, the entries in order.
 */
static bool is_level_sound(const struct memtable_tree *t, const struct memtable_node *first,
                           uint64_t *count_inout, uint64_t *nodes_inout)
{
    const struct memtable_node *below = first->level > 0 ? memtable_node_child(first, 0) : NULL;
    const struct memtable_entry *before = NULL;
    for (const struct memtable_node *n = first; n != NULL; n = memtable_node_right(n)) {
        if (n->level != first->level || !is_node_sound(t, n, n == first)) {
            return false;
        }
        (*nodes_inout)++;
        uint32_t count = memtable_node_count(n);
        for (uint32_t i = 0; i < count; i++) {
            if (n->level > 0) {
                if (below == NULL || memtable_node_child(n, i) != below) {
                    return false;
                }
                below = memtable_node_right(below);
                continue;
            }
            const struct memtable_entry *e = memtable_node_entry(n, i);
            struct memtable_target target = memtable_target_of(e, false);
            if (before != NULL && memtable_place_compare(before, &target, 0) >= 0) {
                return false;
            }
            before = e;
            (*count_inout)++;
        }
    }
    return below == NULL && (first->level > 0 || before == t->last);
}

bool memtable_tree_check(const struct memtable_tree *t, uint64_t *count_inout,
                         uint64_t level_nodes_inout[MEMTABLE_HEIGHT_MAX])
{
    const struct memtable_node *n = root_of(t);
    if (memtable_node_right(n) != NULL) {
        return false;
    }
    for (;;) {
        if (!is_level_sound(t, n, count_inout, &level_nodes_inout[n->level])) {
            return false;
        }
        if (n->level == 0) {
            break;
        }
        n = memtable_node_child(n, 0);
    }
    const struct memtable_node *tail = n;
    while (memtable_node_right(tail) != NULL) {
        tail = memtable_node_right(tail);
    }
    return tail == t->tail;
}
