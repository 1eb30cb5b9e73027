/* erase_set.c -- rules in sorted runs that sets share.
 *
 * A set is made anew for each erasure, and there may be a million of them.  So a set is a short
 * list of immutable sorted runs (erase_run.c), each at least twice as long as the next: adding a
 * rule makes a run of one and merges runs of about the same size, which copies each rule's pointer
 * about log2(count) times altogether.
 */
#include "engine/erase_set.h"

#include "base/assert.h"
#include "base/mem.h"
#include "engine/erase_run.h"

/* 2^32 rules */
#define RUNS_MAX 32u

struct rule_list {
    struct erase_run *runs[RUNS_MAX]; /* longest first */
    size_t run_count;
    size_t count;
};

struct erase_set {
    _Atomic uint64_t refs;
    int64_t commit_max;
    struct rule_list rules;
};

/* ---- lists ---- */

static void list_share(struct rule_list *to, const struct rule_list *from)
{
    *to = *from;
    for (size_t i = 0; i < to->run_count; i++) {
        (void)erase_run_ref(to->runs[i]);
    }
}

static void list_release(struct rule_list *list)
{
    for (size_t i = 0; i < list->run_count; i++) {
        erase_run_unref(list->runs[i]);
    }
    list->run_count = 0;
}

/* On failure the list is as it was, or has fewer and longer runs. */
static enum yore_status list_add(struct rule_list *list, const struct erase_rule *rule)
{
    struct erase_run *run = erase_run_new(rule);
    if (run == NULL) {
        return YORE_NOMEM;
    }
    while (list->run_count > 0 &&
           erase_run_count(list->runs[list->run_count - 1]) < 2 * erase_run_count(run)) {
        struct erase_run *merged = erase_run_merge(list->runs[list->run_count - 1], run);
        erase_run_unref(run);
        if (merged == NULL) {
            return YORE_NOMEM;
        }
        erase_run_unref(list->runs[--list->run_count]);
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
    while (index >= erase_run_count(list->runs[i])) {
        index -= erase_run_count(list->runs[i++]);
    }
    return erase_run_rule(list->runs[i], index);
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
        list_release(&set->rules);
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
    list_share(&next->rules, &set->rules);
    next->commit_max = rule->commit > next->commit_max ? rule->commit : next->commit_max;
    st = list_add(&next->rules, rule);
    if (st != YORE_OK) {
        erase_set_unref(next);
        return st;
    }
    *next_out = next;
    return YORE_OK;
}

size_t erase_set_count(const struct erase_set *set)
{
    return set->rules.count;
}

const struct erase_rule *erase_set_rule(const struct erase_set *set, size_t index)
{
    YORE_ASSERT(index < erase_set_count(set));
    return list_rule(&set->rules, index);
}

int64_t erase_set_commit_max(const struct erase_set *set)
{
    return set->commit_max;
}

/* ---- asking ---- */

bool erase_set_each(const struct erase_set *set, uint32_t keyspace, struct yore_bytes key,
                    bool (*each)(void *arg, const struct erase_rule *rule), void *arg)
{
    bool is_done = false;
    for (size_t i = 0; i < set->rules.run_count && !is_done; i++) {
        is_done = erase_run_each(set->rules.runs[i], keyspace, key, each, arg);
    }
    return is_done;
}

bool erase_set_covers(const struct erase_set *set, uint32_t keyspace, struct yore_bytes key,
                      int64_t valid, int64_t winner_commit)
{
    bool covers = false;
    for (size_t i = 0; i < set->rules.run_count && winner_commit < set->commit_max && !covers;
         i++) {
        covers = erase_run_covers(set->rules.runs[i], keyspace, key, valid, winner_commit);
    }
    return covers;
}

bool erase_set_hides(const struct erase_set *set, uint32_t keyspace, const struct version *version)
{
    return erase_set_covers(set, keyspace, version->key, version->valid_from, version->commit);
}

bool erase_set_wants(const struct erase_set *set, uint32_t keyspace, const struct table_meta *meta,
                     int64_t seen)
{
    bool wants = false;
    for (size_t i = 0; i < set->rules.run_count && set->commit_max > seen && !wants; i++) {
        wants = erase_run_wants(set->rules.runs[i], keyspace, meta, seen);
    }
    return wants;
}

/* ---- leaving ---- */

struct retiring {
    const struct erase_set *set;
    const struct erase_set *by;
    int64_t purged;
    const struct erase_rule *rule; /* one of those that are asked for */
    int64_t floor;                 /* those of its keys up to this commit leave */
};

bool erase_rule_is_whole(const struct erase_rule *rule)
{
    return rule->from == YORE_TIME_MIN && rule->to == YORE_FOREVER;
}

/* `by` covers the first of the rule's keys. */
static bool raise_floor(void *arg, const struct erase_rule *by)
{
    struct retiring *r = arg;
    struct yore_bytes high = forest_key_bytes(&by->high);
    struct yore_bytes rule_high = forest_key_bytes(&r->rule->high);
    if (by->commit > r->floor && by->commit <= r->purged && erase_rule_is_whole(by) &&
        (high.size == 0 || (rule_high.size > 0 && bytes_compare(rule_high, high) <= 0))) {
        r->floor = by->commit;
    }
    return false;
}

static int64_t retired_floor(void *arg, const struct erase_rule *rule)
{
    struct retiring *r = arg;
    struct yore_bytes low = forest_key_bytes(&rule->low);
    r->rule = rule;
    r->floor = INT64_MIN;
    (void)erase_set_each(r->set, rule->keyspace, low, raise_floor, r);
    if (r->by != r->set) {
        (void)erase_set_each(r->by, rule->keyspace, low, raise_floor, r);
    }
    return r->floor;
}

/* Into one run. */
static enum yore_status list_left(const struct rule_list *list, struct retiring *r,
                                  struct rule_list *left_out)
{
    struct erase_run *left = erase_run_new(NULL);
    for (size_t i = 0; left != NULL && i < list->run_count; i++) {
        struct erase_run *part = erase_run_above(list->runs[i], retired_floor, r);
        struct erase_run *merged = part != NULL ? erase_run_merge(left, part) : NULL;
        erase_run_unref(part);
        erase_run_unref(left);
        left = merged;
    }
    if (left == NULL) {
        return YORE_NOMEM;
    }
    if (erase_run_count(left) == 0) {
        erase_run_unref(left);
        return YORE_OK;
    }
    *left_out = (struct rule_list){.runs = {left}, .run_count = 1, .count = erase_run_count(left)};
    return YORE_OK;
}

enum yore_status erase_set_retired(const struct erase_set *set, const struct erase_set *by,
                                   int64_t purged, struct erase_set **next_out)
{
    struct retiring r = {.set = set, .by = by, .purged = purged};
    struct erase_set *next = NULL;
    *next_out = NULL;
    enum yore_status st = erase_set_new(set->commit_max, &next);
    if (st == YORE_OK) {
        st = list_left(&set->rules, &r, &next->rules);
    }
    if (st != YORE_OK) {
        erase_set_unref(next);
        return st;
    }
    *next_out = next;
    return YORE_OK;
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
