/* erase_set.c -- rules in sorted runs that sets share.
 *
 * A set is made anew for each erasure, and there may be a million of them.  So a set is a short
 * list of immutable sorted runs, each at least twice as long as the next: adding a rule makes a run
 * of one and merges runs of about the same size, which copies each rule's pointer about log2(count)
 * times altogether.  Rules for a single key, the usual kind, are searched by bisection; rules for
 * ranges are few and looked through.
 */
#include "engine/erase_set.h"

#include "base/assert.h"
#include "base/mem.h"

/* 2^32 rules */
#define RUNS_MAX 32u

struct rule_node {
    _Atomic uint64_t refs;
    struct erase_rule rule; /* keys lie behind the struct */
};

struct rule_run {
    _Atomic uint64_t refs;
    size_t count;
    struct rule_node *nodes[]; /* by (keyspace, low, commit) */
};

struct rule_list {
    struct rule_run *runs[RUNS_MAX]; /* longest first */
    size_t run_count;
    size_t count;
};

struct erase_set {
    _Atomic uint64_t refs;
    int64_t commit_max;
    struct rule_list keys; /* rules for one key each */
    struct rule_list ranges;
};

/* ---- nodes and runs ---- */

static void node_unref(struct rule_node *node)
{
    if (atomic_fetch_sub_explicit(&node->refs, 1, memory_order_acq_rel) == 1) {
        mem_free(node);
    }
}

static struct rule_node *node_new(const struct erase_rule *rule)
{
    struct rule_node *node = mem_alloc(sizeof *node + rule->low.size + rule->high.size);
    if (node == NULL) {
        return NULL;
    }
    unsigned char *bytes = (unsigned char *)(node + 1);
    atomic_init(&node->refs, 1);
    node->rule = *rule;
    node->rule.low.data = bytes;
    node->rule.high.data = bytes + rule->low.size;
    if (rule->low.size > 0) {
        memcpy(node->rule.low.data, rule->low.data, rule->low.size);
    }
    if (rule->high.size > 0) {
        memcpy(node->rule.high.data, rule->high.data, rule->high.size);
    }
    return node;
}

static struct rule_run *run_new(size_t count)
{
    struct rule_run *run = mem_alloc(sizeof *run + count * sizeof run->nodes[0]);
    if (run != NULL) {
        atomic_init(&run->refs, 1);
        run->count = count;
    }
    return run;
}

static void run_unref(struct rule_run *run)
{
    if (atomic_fetch_sub_explicit(&run->refs, 1, memory_order_acq_rel) == 1) {
        for (size_t i = 0; i < run->count; i++) {
            node_unref(run->nodes[i]);
        }
        mem_free(run);
    }
}

static int rule_compare(const struct erase_rule *a, const struct erase_rule *b)
{
    if (a->keyspace != b->keyspace) {
        return a->keyspace < b->keyspace ? -1 : 1;
    }
    int order = bytes_compare(forest_key_bytes(&a->low), forest_key_bytes(&b->low));
    return order != 0 ? order : (a->commit > b->commit) - (a->commit < b->commit);
}

/* Both runs stay as they are. */
static struct rule_run *run_merge(const struct rule_run *a, const struct rule_run *b)
{
    struct rule_run *merged = run_new(a->count + b->count);
    size_t i = 0;
    size_t j = 0;
    for (size_t k = 0; merged != NULL && k < merged->count; k++) {
        bool is_a = j == b->count ||
                    (i < a->count && rule_compare(&a->nodes[i]->rule, &b->nodes[j]->rule) <= 0);
        merged->nodes[k] = is_a ? a->nodes[i++] : b->nodes[j++];
        atomic_fetch_add_explicit(&merged->nodes[k]->refs, 1, memory_order_relaxed);
    }
    return merged;
}

/* ---- lists ---- */

static void list_share(struct rule_list *to, const struct rule_list *from)
{
    *to = *from;
    for (size_t i = 0; i < to->run_count; i++) {
        atomic_fetch_add_explicit(&to->runs[i]->refs, 1, memory_order_relaxed);
    }
}

static void list_release(struct rule_list *list)
{
    for (size_t i = 0; i < list->run_count; i++) {
        run_unref(list->runs[i]);
    }
    list->run_count = 0;
}

/* On failure the list is as it was, or has fewer and longer runs. */
static enum yore_status list_add(struct rule_list *list, const struct erase_rule *rule)
{
    struct rule_run *run = run_new(1);
    struct rule_node *node = run != NULL ? node_new(rule) : NULL;
    if (node == NULL) {
        mem_free(run);
        return YORE_NOMEM;
    }
    run->nodes[0] = node;
    while (list->run_count > 0 && list->runs[list->run_count - 1]->count < 2 * run->count) {
        struct rule_run *merged = run_merge(list->runs[list->run_count - 1], run);
        run_unref(run);
        if (merged == NULL) {
            return YORE_NOMEM;
        }
        run_unref(list->runs[--list->run_count]);
        run = merged;
    }
    YORE_ASSERT(list->run_count < RUNS_MAX);
    list->runs[list->run_count++] = run;
    list->count++;
    return YORE_OK;
}

static const struct erase_rule *list_rule(const struct rule_list *list, size_t index)
{
    size_t i = 0;
    while (index >= list->runs[i]->count) {
        index -= list->runs[i++]->count;
    }
    return &list->runs[i]->nodes[index]->rule;
}

/* The first rule of the run with (keyspace, low) >= (keyspace, key). */
static size_t run_find(const struct rule_run *run, uint32_t keyspace, struct yore_bytes key)
{
    size_t low = 0;
    size_t high = run->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct erase_rule *rule = &run->nodes[middle]->rule;
        bool is_before =
            rule->keyspace < keyspace ||
            (rule->keyspace == keyspace && bytes_compare(forest_key_bytes(&rule->low), key) < 0);
        if (is_before) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* ---- life ---- */

enum yore_status erase_set_new(int64_t purged, struct erase_set **set_out)
{
    *set_out = mem_zalloc(sizeof **set_out);
    if (*set_out == NULL) {
        return YORE_NOMEM;
    }
    atomic_init(&(*set_out)->refs, 1);
    (*set_out)->commit_max = purged;
    return YORE_OK;
}

struct erase_set *erase_set_ref(struct erase_set *set)
{
    atomic_fetch_add_explicit(&set->refs, 1, memory_order_relaxed);
    return set;
}

void erase_set_unref(struct erase_set *set)
{
    if (set != NULL && atomic_fetch_sub_explicit(&set->refs, 1, memory_order_acq_rel) == 1) {
        list_release(&set->keys);
        list_release(&set->ranges);
        mem_free(set);
    }
}

/* [key, key + one zero octet) holds that key alone. */
bool erase_rule_is_range(const struct erase_rule *rule)
{
    return !(rule->low.size > 0 && rule->high.size == rule->low.size + 1 &&
             rule->high.data[rule->low.size] == 0 &&
             memcmp(rule->high.data, rule->low.data, rule->low.size) == 0);
}

enum yore_status erase_set_with(const struct erase_set *set, const struct erase_rule *rule,
                                struct erase_set **next_out)
{
    struct erase_set *next = NULL;
    *next_out = NULL;
    enum yore_status st = erase_set_new(set->commit_max, &next);
    if (st != YORE_OK) {
        return st;
    }
    list_share(&next->keys, &set->keys);
    list_share(&next->ranges, &set->ranges);
    next->commit_max = rule->commit > next->commit_max ? rule->commit : next->commit_max;
    st = list_add(erase_rule_is_range(rule) ? &next->ranges : &next->keys, rule);
    if (st != YORE_OK) {
        erase_set_unref(next);
        return st;
    }
    *next_out = next;
    return YORE_OK;
}

size_t erase_set_count(const struct erase_set *set)
{
    return set->keys.count + set->ranges.count;
}

const struct erase_rule *erase_set_rule(const struct erase_set *set, size_t index)
{
    YORE_ASSERT(index < erase_set_count(set));
    return index < set->keys.count ? list_rule(&set->keys, index)
                                   : list_rule(&set->ranges, index - set->keys.count);
}

int64_t erase_set_commit_max(const struct erase_set *set)
{
    return set->commit_max;
}

/* ---- asking ---- */

static bool rule_covers_key(const struct erase_rule *rule, uint32_t keyspace, struct yore_bytes key)
{
    return rule->keyspace == keyspace && bytes_compare(forest_key_bytes(&rule->low), key) <= 0 &&
           (rule->high.size == 0 || bytes_compare(key, forest_key_bytes(&rule->high)) < 0);
}

bool erase_set_each(const struct erase_set *set, uint32_t keyspace, struct yore_bytes key,
                    bool (*each)(void *arg, const struct erase_rule *rule), void *arg)
{
    for (size_t i = 0; i < set->keys.run_count; i++) {
        const struct rule_run *run = set->keys.runs[i];
        for (size_t j = run_find(run, keyspace, key); j < run->count; j++) {
            const struct erase_rule *rule = &run->nodes[j]->rule;
            if (!rule_covers_key(rule, keyspace, key)) {
                break;
            }
            if (each(arg, rule)) {
                return true;
            }
        }
    }
    for (size_t i = 0; i < set->ranges.run_count; i++) {
        const struct rule_run *run = set->ranges.runs[i];
        for (size_t j = 0; j < run->count; j++) {
            const struct erase_rule *rule = &run->nodes[j]->rule;
            if (rule_covers_key(rule, keyspace, key) && each(arg, rule)) {
                return true;
            }
        }
    }
    return false;
}

struct moment_asked {
    int64_t valid;
    int64_t commit;
};

static bool rule_meets_moment(void *arg, const struct erase_rule *rule)
{
    const struct moment_asked *asked = arg;
    return asked->commit < rule->commit && rule->from <= asked->valid &&
           (asked->valid < rule->to || rule->to == YORE_FOREVER);
}

bool erase_set_covers(const struct erase_set *set, uint32_t keyspace, struct yore_bytes key,
                      int64_t valid, int64_t winner_commit)
{
    if (winner_commit >= set->commit_max) {
        return false;
    }
    struct moment_asked asked = {valid, winner_commit};
    return erase_set_each(set, keyspace, key, rule_meets_moment, &asked);
}

bool erase_set_hides(const struct erase_set *set, uint32_t keyspace, const struct version *version)
{
    return erase_set_covers(set, keyspace, version->key, version->valid_from, version->commit);
}

/* ---- leaving ---- */

struct retiring {
    const struct erase_set *by;
    int64_t purged;
    const struct erase_rule *rule; /* is it covered? */
};

bool erase_rule_is_whole(const struct erase_rule *rule)
{
    return rule->from == YORE_TIME_MIN && rule->to == YORE_FOREVER;
}

/* `by` covers the first of the rule's keys. */
static bool covers_whole(void *arg, const struct erase_rule *by)
{
    const struct retiring *r = arg;
    struct yore_bytes high = forest_key_bytes(&by->high);
    struct yore_bytes rule_high = forest_key_bytes(&r->rule->high);
    return erase_rule_is_whole(by) && by->commit <= r->purged && r->rule->commit < by->commit &&
           (high.size == 0 || (rule_high.size > 0 && bytes_compare(rule_high, high) <= 0));
}

static bool is_retired(struct retiring *r, const struct erase_rule *rule)
{
    r->rule = rule;
    return (erase_rule_is_whole(rule) && rule->commit <= r->purged) ||
           erase_set_each(r->by, rule->keyspace, forest_key_bytes(&rule->low), covers_whole, r);
}

static struct rule_run *run_left(const struct rule_run *run, struct retiring *r)
{
    struct rule_run *left = run_new(run->count);
    if (left != NULL) {
        left->count = 0;
    }
    for (size_t i = 0; left != NULL && i < run->count; i++) {
        struct rule_node *node = run->nodes[i];
        if (!is_retired(r, &node->rule)) {
            atomic_fetch_add_explicit(&node->refs, 1, memory_order_relaxed);
            left->nodes[left->count++] = node;
        }
    }
    return left;
}

/* Into one run. */
static enum yore_status list_left(const struct rule_list *list, struct retiring *r,
                                  struct rule_list *left_out)
{
    struct rule_run *left = run_new(0);
    for (size_t i = 0; left != NULL && i < list->run_count; i++) {
        struct rule_run *part = run_left(list->runs[i], r);
        struct rule_run *merged = part != NULL ? run_merge(left, part) : NULL;
        if (part != NULL) {
            run_unref(part);
        }
        run_unref(left);
        left = merged;
    }
    if (left == NULL) {
        return YORE_NOMEM;
    }
    if (left->count == 0) {
        run_unref(left);
        return YORE_OK;
    }
    *left_out = (struct rule_list){.runs = {left}, .run_count = 1, .count = left->count};
    return YORE_OK;
}

enum yore_status erase_set_retired(const struct erase_set *set, const struct erase_set *by,
                                   int64_t purged, struct erase_set **next_out)
{
    struct retiring r = {.by = by, .purged = purged};
    struct erase_set *next = NULL;
    *next_out = NULL;
    enum yore_status st = erase_set_new(set->commit_max, &next);
    if (st == YORE_OK) {
        st = list_left(&set->keys, &r, &next->keys);
    }
    if (st == YORE_OK) {
        st = list_left(&set->ranges, &r, &next->ranges);
    }
    if (st != YORE_OK) {
        erase_set_unref(next);
        return st;
    }
    *next_out = next;
    return YORE_OK;
}

/* ---- files ---- */

static bool rule_wants(const struct erase_rule *rule, const struct table_meta *meta, int64_t seen)
{
    return rule->commit > seen && meta->commit_min < rule->commit &&
           rule->from <= meta->valid_max &&
           (meta->valid_min < rule->to || rule->to == YORE_FOREVER);
}

static bool keys_want(const struct rule_run *run, uint32_t keyspace, const struct table_meta *meta,
                      int64_t seen)
{
    struct yore_bytes last = buffer_bytes(&meta->last_key);
    for (size_t i = run_find(run, keyspace, buffer_bytes(&meta->first_key)); i < run->count; i++) {
        const struct erase_rule *rule = &run->nodes[i]->rule;
        if (rule->keyspace != keyspace || bytes_compare(forest_key_bytes(&rule->low), last) > 0) {
            return false;
        }
        if (rule_wants(rule, meta, seen)) {
            return true;
        }
    }
    return false;
}

static bool ranges_want(const struct rule_run *run, uint32_t keyspace,
                        const struct table_meta *meta, int64_t seen)
{
    for (size_t i = 0; i < run->count; i++) {
        const struct erase_rule *rule = &run->nodes[i]->rule;
        struct yore_bytes high = forest_key_bytes(&rule->high);
        bool overlaps =
            rule->keyspace == keyspace &&
            bytes_compare(forest_key_bytes(&rule->low), buffer_bytes(&meta->last_key)) <= 0 &&
            (high.size == 0 || bytes_compare(buffer_bytes(&meta->first_key), high) < 0);
        if (overlaps && rule_wants(rule, meta, seen)) {
            return true;
        }
    }
    return false;
}

bool erase_set_wants(const struct erase_set *set, uint32_t keyspace, const struct table_meta *meta,
                     int64_t seen)
{
    if (set->commit_max <= seen) {
        return false;
    }
    for (size_t i = 0; i < set->keys.run_count; i++) {
        if (keys_want(set->keys.runs[i], keyspace, meta, seen)) {
            return true;
        }
    }
    for (size_t i = 0; i < set->ranges.run_count; i++) {
        if (ranges_want(set->ranges.runs[i], keyspace, meta, seen)) {
            return true;
        }
    }
    return false;
}

enum yore_status prefix_end(struct yore_bytes prefix, struct buffer *high_out)
{
    const unsigned char *bytes = prefix.data;
    size_t size = prefix.size;
    while (size > 0 && bytes[size - 1] == 0xff) {
        size--;
    }
    buffer_clear(high_out);
    buffer_append(high_out, bytes, size);
    if (buffer_status(high_out) != YORE_OK) {
        return YORE_NOMEM;
    }
    if (size > 0) {
        high_out->data[size - 1]++;
    }
    return YORE_OK;
}
