/* erase_run.c -- rules by their keys, and for the same keys by time.
 *
 * Which rules cover a key is asked for every row that is read.  There may be many prefixes before
 * it, and many erased spans of it.
 *
 * Keys: rules of the same keys make a *group*; groups are sorted by (keyspace, low), what reaches
 * further first.  Those that may cover a key are before the first that begins behind it: so each
 * group knows its *outer* one, the last before it that reaches further.  From a group that ends too
 * soon the search goes on there, because all in between end no later.  Prefixes lie one in the
 * other or apart, so that is a bisection and as many steps as prefixes lie around the last one.
 *
 * Time: of the rules of a group that cover a moment only the one with the greatest commit decides
 * whether a version is hidden.  So a group has *steps*: from each one's moment until the next one's
 * that commit is the greatest (INT64_MIN: no rule covers it).  A moment is a bisection among at
 * most twice as many steps as rules, and the steps of two runs make those of both in one pass.
 *
 * Refused: a tree of intervals in either direction, which is as fast whatever the ranges and much
 * more to keep.
 */
#include "engine/erase_run.h"

#include "base/assert.h"
#include "base/mem.h"

struct rule_node {
    _Atomic uint64_t refs;
    struct erase_rule rule; /* keys lie behind the struct */
};

struct rule_step {
    int64_t from;
    int64_t commit;
};

/* Rules of the same keys.  It begins where the group before it ends. */
struct rule_group {
    size_t node_end;
    size_t step_end;
    size_t outer;       /* number of the outer group + 1, 0: none */
    int64_t commit_max; /* of its steps */
};

struct erase_run {
    _Atomic uint64_t refs;
    size_t group_count;
    size_t node_count;
    size_t step_count;
    /* all three lie behind the struct */
    struct rule_group *groups; /* by (keyspace, low), what ends later first */
    struct rule_node **nodes;
    struct rule_step *steps;
};

/* ---- nodes ---- */

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

/* ---- making ---- */

/* An empty run with room for so many. */
static struct erase_run *run_alloc(size_t groups, size_t nodes, size_t steps)
{
    struct erase_run *run = mem_alloc(sizeof *run + groups * sizeof *run->groups +
                                      nodes * sizeof *run->nodes + steps * sizeof *run->steps);
    if (run != NULL) {
        *run = (struct erase_run){.groups = (struct rule_group *)(void *)(run + 1)};
        atomic_init(&run->refs, 1);
        run->steps = (struct rule_step *)(void *)(run->groups + groups);
        run->nodes = (struct rule_node **)(void *)(run->steps + steps);
    }
    return run;
}

static size_t nodes_begin(const struct erase_run *run, size_t group)
{
    return group > 0 ? run->groups[group - 1].node_end : 0;
}

static size_t steps_begin(const struct erase_run *run, size_t group)
{
    return group > 0 ? run->groups[group - 1].step_end : 0;
}

static const struct erase_rule *group_rule(const struct erase_run *run, size_t group)
{
    return &run->nodes[nodes_begin(run, group)]->rule;
}

/* Does `rule` end behind the key, which may be the end of another? */
static bool ends_behind(const struct erase_rule *rule, struct yore_bytes key)
{
    return rule->high.size == 0 || bytes_compare(key, forest_key_bytes(&rule->high)) < 0;
}

/* The last group of the keyspace before number `end` that ends behind `key`: its number + 1; 0:
 * there is none.  What is passed over ends no later than a group that ends too soon. */
static size_t run_back(const struct erase_run *run, size_t end, uint32_t keyspace,
                       struct yore_bytes key)
{
    while (end > 0) {
        const struct erase_rule *rule = group_rule(run, end - 1);
        if (rule->keyspace != keyspace) {
            return 0;
        }
        if (ends_behind(rule, key)) {
            return end;
        }
        end = run->groups[end - 1].outer;
    }
    return 0;
}

/* What was added since the last group makes one, if there is a rule. */
static void end_group(struct erase_run *run)
{
    size_t index = run->group_count;
    int64_t commit_max = INT64_MIN;
    if (run->node_count == nodes_begin(run, index)) {
        return;
    }
    for (size_t i = steps_begin(run, index); i < run->step_count; i++) {
        commit_max = run->steps[i].commit > commit_max ? run->steps[i].commit : commit_max;
    }
    run->groups[index] = (struct rule_group){run->node_count, run->step_count, 0, commit_max};
    const struct erase_rule *rule = group_rule(run, index);
    struct yore_bytes high = forest_key_bytes(&rule->high);
    run->groups[index].outer = high.size > 0 ? run_back(run, index, rule->keyspace, high) : 0;
    run->group_count++;
}

/* To the group that is being made. */
static void add_node(struct erase_run *run, struct rule_node *node)
{
    atomic_fetch_add_explicit(&node->refs, 1, memory_order_relaxed);
    run->nodes[run->node_count++] = node;
}

static void add_step(struct erase_run *run, int64_t from, int64_t commit)
{
    bool is_first = run->step_count == steps_begin(run, run->group_count);
    int64_t last = is_first ? INT64_MIN : run->steps[run->step_count - 1].commit;
    if (commit != last) {
        run->steps[run->step_count++] = (struct rule_step){from, commit};
    }
}

struct erase_run *erase_run_new(const struct erase_rule *rule)
{
    struct erase_run *run = run_alloc(1, 1, 2);
    struct rule_node *node = run != NULL && rule != NULL ? node_new(rule) : NULL;
    if (rule == NULL) {
        return run;
    }
    if (node == NULL) {
        mem_free(run);
        return NULL;
    }
    run->nodes[run->node_count++] = node;
    if (rule->from < rule->to) {
        add_step(run, rule->from, rule->commit);
    }
    if (rule->to != YORE_FOREVER) {
        add_step(run, rule->to, INT64_MIN);
    }
    end_group(run);
    return run;
}

struct erase_run *erase_run_ref(struct erase_run *run)
{
    atomic_fetch_add_explicit(&run->refs, 1, memory_order_relaxed);
    return run;
}

void erase_run_unref(struct erase_run *run)
{
    if (run != NULL && atomic_fetch_sub_explicit(&run->refs, 1, memory_order_acq_rel) == 1) {
        for (size_t i = 0; i < run->node_count; i++) {
            node_unref(run->nodes[i]);
        }
        mem_free(run);
    }
}

size_t erase_run_count(const struct erase_run *run)
{
    return run->node_count;
}

const struct erase_rule *erase_run_rule(const struct erase_run *run, size_t index)
{
    YORE_ASSERT(index < run->node_count);
    return &run->nodes[index]->rule;
}

/* ---- merging ---- */

static int group_compare(const struct erase_rule *a, const struct erase_rule *b)
{
    if (a->keyspace != b->keyspace) {
        return a->keyspace < b->keyspace ? -1 : 1;
    }
    int order = bytes_compare(forest_key_bytes(&a->low), forest_key_bytes(&b->low));
    if (order != 0) {
        return order;
    }
    if (a->high.size == 0 || b->high.size == 0) {
        return (a->high.size > 0) - (b->high.size > 0);
    }
    return bytes_compare(forest_key_bytes(&b->high), forest_key_bytes(&a->high));
}

/* A group's steps that are still to be passed. */
struct step_walk {
    const struct rule_step *at;
    const struct rule_step *end;
    int64_t commit; /* of the last one passed */
};

static struct step_walk walk_steps(const struct erase_run *run, size_t group)
{
    return (struct step_walk){run->steps + steps_begin(run, group),
                              run->steps + run->groups[group].step_end, INT64_MIN};
}

static void pass(struct step_walk *walk, int64_t from)
{
    if (walk->at < walk->end && walk->at->from == from) {
        walk->commit = walk->at->commit;
        walk->at++;
    }
}

static void merge_steps(struct erase_run *run, struct step_walk a, struct step_walk b)
{
    while (a.at < a.end || b.at < b.end) {
        bool is_a = b.at == b.end || (a.at < a.end && a.at->from <= b.at->from);
        int64_t from = is_a ? a.at->from : b.at->from;
        pass(&a, from);
        pass(&b, from);
        add_step(run, from, a.commit > b.commit ? a.commit : b.commit);
    }
}

static void add_nodes(struct erase_run *run, const struct erase_run *of, size_t group)
{
    for (size_t i = nodes_begin(of, group); i < of->groups[group].node_end; i++) {
        add_node(run, of->nodes[i]);
    }
}

struct erase_run *erase_run_merge(const struct erase_run *a, const struct erase_run *b)
{
    struct erase_run *merged =
        run_alloc(a->group_count + b->group_count, a->node_count + b->node_count,
                  a->step_count + b->step_count);
    size_t i = 0;
    size_t j = 0;
    while (merged != NULL && (i < a->group_count || j < b->group_count)) {
        const struct step_walk none = {.commit = INT64_MIN};
        int order = i == a->group_count   ? 1
                    : j == b->group_count ? -1
                                          : group_compare(group_rule(a, i), group_rule(b, j));
        merge_steps(merged, order <= 0 ? walk_steps(a, i) : none,
                    order >= 0 ? walk_steps(b, j) : none);
        if (order <= 0) {
            add_nodes(merged, a, i++);
        }
        if (order >= 0) {
            add_nodes(merged, b, j++);
        }
        end_group(merged);
    }
    return merged;
}

/* A step up to the floor may be of a rule that goes: no other covers the moment then, because it
 * was the greatest. */
static void add_above(struct erase_run *to, const struct erase_run *run, size_t group,
                      int64_t floor)
{
    for (size_t i = nodes_begin(run, group); i < run->groups[group].node_end; i++) {
        if (run->nodes[i]->rule.commit > floor) {
            add_node(to, run->nodes[i]);
        }
    }
    for (size_t i = steps_begin(run, group); i < run->groups[group].step_end; i++) {
        int64_t commit = run->steps[i].commit;
        add_step(to, run->steps[i].from, commit > floor ? commit : INT64_MIN);
    }
    end_group(to);
}

struct erase_run *erase_run_above(const struct erase_run *run,
                                  int64_t (*floor)(void *arg, const struct erase_rule *rule),
                                  void *arg)
{
    struct erase_run *left = run_alloc(run->group_count, run->node_count, run->step_count);
    for (size_t i = 0; left != NULL && i < run->group_count; i++) {
        add_above(left, run, i, floor(arg, group_rule(run, i)));
    }
    return left;
}

/* ---- asking ---- */

/* How many groups of the run have (keyspace, low) <= (keyspace, key). */
static size_t run_find(const struct erase_run *run, uint32_t keyspace, struct yore_bytes key)
{
    size_t low = 0;
    size_t high = run->group_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct erase_rule *rule = group_rule(run, middle);
        bool is_before =
            rule->keyspace < keyspace ||
            (rule->keyspace == keyspace && bytes_compare(forest_key_bytes(&rule->low), key) <= 0);
        if (is_before) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

bool erase_run_each(const struct erase_run *run, uint32_t keyspace, struct yore_bytes key,
                    bool (*each)(void *arg, const struct erase_rule *rule), void *arg)
{
    size_t at = run_back(run, run_find(run, keyspace, key), keyspace, key);
    for (; at > 0; at = run_back(run, at - 1, keyspace, key)) {
        for (size_t i = nodes_begin(run, at - 1); i < run->groups[at - 1].node_end; i++) {
            if (each(arg, &run->nodes[i]->rule)) {
                return true;
            }
        }
    }
    return false;
}

/* Does a rule of the group with a commit after `floor` cover a moment of [first, last]? */
static bool group_meets(const struct erase_run *run, size_t group, int64_t first, int64_t last,
                        int64_t floor)
{
    size_t begin = steps_begin(run, group);
    size_t low = begin;
    size_t high = run->groups[group].step_end;
    if (run->groups[group].commit_max <= floor) {
        return false;
    }
    while (low < high) { /* to the first step behind `first` */
        size_t middle = low + (high - low) / 2;
        if (run->steps[middle].from <= first) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    size_t at = low > begin ? low - 1 : low;
    while (at < run->groups[group].step_end && run->steps[at].from <= last) {
        if (run->steps[at].commit > floor) {
            return true;
        }
        at++;
    }
    return false;
}

bool erase_run_covers(const struct erase_run *run, uint32_t keyspace, struct yore_bytes key,
                      int64_t valid, int64_t winner_commit)
{
    size_t at = run_back(run, run_find(run, keyspace, key), keyspace, key);
    while (at > 0 && !group_meets(run, at - 1, valid, valid, winner_commit)) {
        at = run_back(run, at - 1, keyspace, key);
    }
    return at > 0;
}

bool erase_run_wants(const struct erase_run *run, uint32_t keyspace, const struct table_meta *meta,
                     int64_t seen)
{
    struct yore_bytes first = buffer_bytes(&meta->first_key);
    int64_t floor = seen > meta->commit_min ? seen : meta->commit_min;
    size_t end = run_find(run, keyspace, buffer_bytes(&meta->last_key));
    size_t at = run_back(run, end, keyspace, first);
    while (at > 0 && !group_meets(run, at - 1, meta->valid_min, meta->valid_max, floor)) {
        at = run_back(run, at - 1, keyspace, first);
    }
    return at > 0;
}
