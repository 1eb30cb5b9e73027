#include "query/intervals.h"
#include "query/plan_internal.h"

/* A moment that the step sets as it goes; every pattern and subquery inside reads the graph there.
 */
static uint32_t moving_moment(struct planner *planner)
{
    struct plan *plan = planner->plan;
    struct time_spec *grown = planner_grow(planner, planner->moments, plan->moment_count,
                                           &planner->moment_capacity, sizeof(*grown));
    if (grown == NULL) {
        return 0;
    }
    planner->moments = grown;
    grown[plan->moment_count] = (struct time_spec){NULL, NULL, NULL, NULL};
    return plan->moment_count++;
}

/* The pattern with `bound` slots given beforehand. */
static const struct plan_node *plan_variant(struct planner *planner, const struct clause *clause,
                                            const struct plan_slots *bound, bool is_given)
{
    struct planner_scope scope = plan_scope_enter(planner, false);
    for (uint32_t i = 0; i < bound->count; i++) {
        slot_set_add(&planner->bound, bound->items[i]);
    }
    const struct plan_node *begin = plan_node_new(planner, PLAN_ARGUMENT, NULL);
    struct match_options options = {.pattern = &clause->as.match.pattern,
                                    .where = clause->as.match.where,
                                    .view = planner->moving,
                                    .path_slot = PLAN_NO_SLOT,
                                    .is_given = is_given};
    const struct plan_node *root = plan_match(planner, begin, &options);
    plan_scope_leave(planner, &scope);
    return root;
}

static bool is_plain(const struct pattern *pattern)
{
    for (uint32_t i = 0; i < pattern->path_count; i++) {
        if (pattern->paths[i].shape != PATTERN_PLAIN) {
            return false;
        }
    }
    return true;
}

static bool has_long_hop(const struct pattern *pattern)
{
    for (uint32_t i = 0; i < pattern->path_count; i++) {
        for (uint32_t k = 0; k < pattern->paths[i].length; k++) {
            if (pattern->paths[i].relationships[k].is_variable_length) {
                return true;
            }
        }
    }
    return false;
}

static void add_seed(struct planner *planner, const struct clause *clause,
                     struct interval_seed *seeds, uint32_t *count, struct interval_seed seed)
{
    for (uint32_t i = 0; i < *count; i++) {
        if (seeds[i].slot == seed.slot) {
            return;
        }
    }
    if (!slot_set_has(&planner->bound, seed.slot)) {
        seed.root = plan_variant(planner, clause, &(struct plan_slots){&seed.slot, 1}, false);
        seeds[(*count)++] = seed;
    }
}

static void add_seeds(struct planner *planner, const struct clause *clause, struct intervals *made)
{
    const struct pattern *pattern = &clause->as.match.pattern;
    uint32_t most = 0;
    for (uint32_t i = 0; i < pattern->path_count; i++) {
        most += 2 * pattern->paths[i].length + 1;
    }
    struct interval_seed *seeds = planner_alloc(planner, (most + 1) * sizeof(*seeds));
    for (uint32_t i = 0; seeds != NULL && i < pattern->path_count; i++) {
        const struct path_pattern *path = &pattern->paths[i];
        for (uint32_t k = 0; k <= path->length; k++) {
            add_seed(planner, clause, seeds, &made->seed_count,
                     (struct interval_seed){path->nodes[k].slot, true, NULL});
            if (k < path->length) {
                add_seed(planner, clause, seeds, &made->seed_count,
                         (struct interval_seed){path->relationships[k].slot, false, NULL});
            }
        }
    }
    made->seeds = seeds;
}

/* Slots of nodes and relationships that the pattern binds: what makes up a match; or those in it
 * that were bound before (`is_bound`).  Named paths follow from them. */
static struct plan_slots element_slots(struct planner *planner, const struct pattern *pattern,
                                       bool is_bound)
{
    struct slot_set slots = planner_set(planner);
    pattern_slots(pattern, &slots);
    for (uint32_t i = 0; i < pattern->path_count; i++) {
        if (pattern->paths[i].slot != AST_NO_SLOT) {
            slot_set_remove(&slots, pattern->paths[i].slot);
        }
    }
    for (uint32_t slot = 0; slot < planner->slot_limit; slot++) {
        if (slot_set_has(&planner->bound, slot) != is_bound) {
            slot_set_remove(&slots, slot);
        }
    }
    return planner_slots(planner, &slots);
}

static struct plan_slots path_slots(struct planner *planner, const struct pattern *pattern)
{
    struct slot_set slots = planner_set(planner);
    for (uint32_t i = 0; i < pattern->path_count; i++) {
        if (pattern->paths[i].slot != AST_NO_SLOT) {
            slot_set_add(&slots, pattern->paths[i].slot);
        }
    }
    return planner_slots(planner, &slots);
}

const struct plan_node *plan_intervals(struct planner *planner, const struct plan_node *input,
                                       const struct clause *clause, const struct time_spec *time)
{
    const struct pattern *pattern = &clause->as.match.pattern;
    if (!is_plain(pattern)) {
        planner_fail(planner, YORE_UNSUPPORTED,
                     "shortestPath in MATCH ... FROM ... TO is not supported: ask for it AS OF "
                     "moments");
        return NULL;
    }
    struct intervals *made = planner_alloc(planner, sizeof(*made));
    struct plan_node *node = plan_node_new(planner, PLAN_INTERVALS, input);
    if (made == NULL || node == NULL) {
        return NULL;
    }
    uint32_t moving_around = planner->moving;
    planner->moving = moving_moment(planner);
    made->moment = planner->moving;
    made->from = time->from;
    made->to = time->to;
    made->known = time->known;
    made->slots = element_slots(planner, pattern, false);
    made->around = element_slots(planner, pattern, true);
    made->paths = path_slots(planner, pattern);
    made->interval_slot = planner_slot(planner);
    made->hangs_on_others = expr_has_subquery(clause->as.match.where);
    made->hangs_between = has_long_hop(pattern) && clause->as.match.where != NULL;
    made->is_local = !made->hangs_on_others && !has_long_hop(pattern);
    made->whole = plan_variant(planner, clause, &(struct plan_slots){NULL, 0}, false);
    made->check = plan_variant(planner, clause, &made->slots, true);
    if (made->is_local) {
        add_seeds(planner, clause, made);
    }
    planner->moving = moving_around;
    planner->interval_slot = made->interval_slot;
    slot_set_add(&planner->bound, made->interval_slot);
    pattern_slots(pattern, &planner->bound);
    node->as.intervals = made;
    node->inner = made->whole; /* to be told by EXPLAIN */
    return node;
}
