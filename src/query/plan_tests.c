/* plan_tests.c -- what a pattern and its WHERE test, and the earliest place for each test. */
#include <string.h>

#include "query/plan_match.h"

/* Guesses of what part passes. */
#define SHARE_PROPERTY 0.1
#define SHARE_CONDITION 0.5

static const uint32_t *names_of(struct planner *planner, const struct plan_test *test)
{
    uint32_t *names = planner_alloc(planner, (test->label_count + 1) * sizeof(*names));
    enum graph_token_kind kind = test->kind == TEST_TYPES ? GRAPH_TYPE : GRAPH_LABEL;
    for (uint32_t i = 0; names != NULL && i < test->label_count; i++) {
        names[i] = planner_name(planner, kind, test->labels[i]);
    }
    if (names != NULL && test->kind == TEST_PROPERTY) {
        names[0] = planner_name(planner, GRAPH_PROPERTY, test->name);
    }
    return names;
}

static struct match_test *add_test(struct match *match, struct plan_test test)
{
    struct planner *planner = match->planner;
    struct match_test *grown = planner_grow(planner, match->tests, match->test_count,
                                            &match->test_capacity, sizeof(*grown));
    if (grown == NULL) {
        return NULL;
    }
    match->tests = grown;
    struct match_test *made = &grown[match->test_count++];
    made->test = test;
    made->test.names = names_of(planner, &test);
    made->is_placed = false;
    made->needs = planner_set(planner);
    if (test.slot != PLAN_NO_SLOT) {
        slot_set_add(&made->needs, test.slot);
    }
    expr_slots(test.value, &made->needs);
    plan_expr(planner, test.value);
    return made;
}

static void add_property_tests(struct match *match, uint32_t slot, const struct expr *properties)
{
    if (properties == NULL) {
        return;
    }
    if (properties->kind != EXPR_MAP) {
        add_test(match, (struct plan_test){.kind = TEST_PROPERTIES,
                                           .slot = slot,
                                           .value = properties,
                                           .spot = properties->spot});
        return;
    }
    for (uint32_t i = 0; i < properties->as.map.count; i++) {
        const struct map_item *item = &properties->as.map.items[i];
        add_test(match, (struct plan_test){.kind = TEST_PROPERTY,
                                           .slot = slot,
                                           .name = item->name,
                                           .value = item->value,
                                           .spot = item->value->spot});
    }
}

/* A relationship at the moment proves that its ends are there too; a hop that may have none does
 * not, and may be made, and what it finds be looked at, before one that does. */
static bool is_proved(const struct match *match, uint32_t slot)
{
    bool has_relationship = false;
    for (uint32_t i = 0; i < match->hop_count; i++) {
        const struct match_hop *hop = &match->hops[i];
        if (hop->left == slot || hop->right == slot) {
            if (hop->pattern->minimum == 0) {
                return false;
            }
            has_relationship = true;
        }
    }
    return has_relationship;
}

static void add_node_tests(struct match *match, const struct node_pattern *node)
{
    if (node->label_count > 0) {
        add_test(match, (struct plan_test){.kind = TEST_LABELS,
                                           .slot = node->slot,
                                           .labels = node->labels,
                                           .label_count = node->label_count,
                                           .spot = node->spot});
    } else if (match_is_bound(match, node->slot) && !is_proved(match, node->slot)) {
        add_test(match,
                 (struct plan_test){.kind = TEST_PRESENT, .slot = node->slot, .spot = node->spot});
    }
    add_property_tests(match, node->slot, node->properties);
}

/* A relationship bound before the pattern is not found by its types: they are tested. */
static void add_relationship_tests(struct match *match, const struct match_hop *hop)
{
    const struct relationship_pattern *pattern = hop->pattern;
    bool is_bound = match_is_bound(match, pattern->slot);
    if (is_bound && pattern->type_count > 0) {
        add_test(match, (struct plan_test){.kind = TEST_TYPES,
                                           .slot = pattern->slot,
                                           .labels = pattern->types,
                                           .label_count = pattern->type_count,
                                           .spot = pattern->spot});
    }
    if (is_bound || (!pattern->is_variable_length && hop->path->shape == PATTERN_PLAIN)) {
        add_property_tests(match, pattern->slot, pattern->properties);
    }
}

/* n:A:B of a node of the pattern is a test of labels like those in the pattern itself. */
static bool is_label_condition(const struct match *match, const struct expr *condition)
{
    if (condition->kind != EXPR_HAS_LABELS ||
        condition->as.has_labels.object->kind != EXPR_VARIABLE) {
        return false;
    }
    uint32_t slot = condition->as.has_labels.object->as.variable.slot;
    for (uint32_t i = 0; i < match->node_count; i++) {
        if (match->nodes[i]->slot == slot) {
            return slot_set_has(&match->introduced, slot);
        }
    }
    return false;
}

static void add_condition(void *arg, const struct expr *condition)
{
    struct match *match = arg;
    if (is_label_condition(match, condition)) {
        add_test(match,
                 (struct plan_test){.kind = TEST_LABELS,
                                    .slot = condition->as.has_labels.object->as.variable.slot,
                                    .labels = condition->as.has_labels.labels,
                                    .label_count = condition->as.has_labels.label_count,
                                    .spot = condition->spot});
        return;
    }
    add_test(match, (struct plan_test){.kind = TEST_CONDITION,
                                       .slot = PLAN_NO_SLOT,
                                       .value = condition,
                                       .spot = condition->spot});
}

/* A node may stand in a pattern several times, each with labels and properties of its own. */
void match_gather_tests(struct match *match)
{
    const struct pattern *pattern = match->options->pattern;
    for (uint32_t i = 0; i < pattern->path_count; i++) {
        for (uint32_t k = 0; k <= pattern->paths[i].length; k++) {
            add_node_tests(match, &pattern->paths[i].nodes[k]);
        }
    }
    for (uint32_t i = 0; i < match->hop_count; i++) {
        add_relationship_tests(match, &match->hops[i]);
    }
    condition_split(match->options->where, add_condition, match);
}

/* What is not there must not be read: of a pattern that is given, tests that read wait for the hop
 * that proves it.  The others find out by themselves. */
static bool waits_for_proof(const struct match *match, const struct match_test *test)
{
    enum plan_test_kind kind = test->test.kind;
    if (!match->options->is_given || kind == TEST_PRESENT || kind == TEST_LABELS ||
        kind == TEST_TYPES) {
        return false;
    }
    for (uint32_t i = 0; i < match->hop_count; i++) {
        const struct match_hop *hop = &match->hops[i];
        if (!hop->is_done &&
            (slot_set_has(&test->needs, hop->left) || slot_set_has(&test->needs, hop->right) ||
             slot_set_has(&test->needs, hop->pattern->slot))) {
            return true;
        }
    }
    return false;
}

static bool is_ready(const struct match *match, const struct match_test *test)
{
    return !test->is_placed &&
           slot_set_covers(&match->planner->bound, &test->needs, &match->introduced) &&
           !waits_for_proof(match, test);
}

/* Cheap ones first. */
static int dearness(const struct plan_test *test)
{
    switch (test->kind) {
    case TEST_PRESENT:
    case TEST_LABELS:
    case TEST_TYPES:
        return 0;
    case TEST_PROPERTY:
    case TEST_PROPERTIES:
        return 1;
    default:
        return expr_has_subquery(test->value) ? 3 : 2;
    }
}

static double share_of(const struct match *match, const struct plan_test *test)
{
    struct graph *graph = match->planner->graph;
    if (test->kind == TEST_PROPERTY) {
        return SHARE_PROPERTY;
    }
    if (test->kind != TEST_LABELS) {
        return test->kind == TEST_CONDITION ? SHARE_CONDITION : 1;
    }
    double nodes = (double)graph_estimate_all(graph).nodes;
    double share = 1;
    for (uint32_t i = 0; i < test->label_count; i++) {
        uint32_t token = graph_token(graph, GRAPH_LABEL, test->labels[i]);
        double labelled = token == GRAPH_NO_TOKEN ? 0 : (double)graph_estimate_label(graph, token);
        share *= nodes > 0 ? labelled / nodes : 0;
    }
    return share > 1 ? 1 : share;
}

void match_place_tests(struct match *match)
{
    struct planner *planner = match->planner;
    uint32_t count = 0;
    for (uint32_t i = 0; i < match->test_count; i++) {
        count += is_ready(match, &match->tests[i]) ? 1u : 0u;
    }
    if (count == 0 || planner->status != YORE_OK) {
        return;
    }
    struct plan_test *placed = planner_alloc(planner, count * sizeof(*placed));
    struct plan_node *filter = plan_node_new(planner, PLAN_FILTER, match->steps);
    if (placed == NULL || filter == NULL) {
        return;
    }
    uint32_t at = 0;
    for (int dear = 0; dear <= 3; dear++) {
        for (uint32_t i = 0; i < match->test_count; i++) {
            struct match_test *test = &match->tests[i];
            if (is_ready(match, test) && dearness(&test->test) == dear) {
                test->is_placed = true;
                filter->estimate *= share_of(match, &test->test);
                placed[at++] = test->test;
            }
        }
    }
    filter->view = match->options->view;
    filter->as.tests.items = placed;
    filter->as.tests.count = at;
    match->steps = filter;
}

void match_drop_label(struct match *match, uint32_t slot, struct yore_bytes label)
{
    for (uint32_t i = 0; i < match->test_count; i++) {
        struct plan_test *test = &match->tests[i].test;
        if (match->tests[i].is_placed || test->kind != TEST_LABELS || test->slot != slot) {
            continue;
        }
        struct yore_bytes *labels =
            planner_alloc(match->planner, test->label_count * sizeof(*labels));
        uint32_t count = 0;
        for (uint32_t k = 0; labels != NULL && k < test->label_count; k++) {
            if (!bytes_equal(test->labels[k], label)) {
                labels[count++] = test->labels[k];
            }
        }
        test->labels = labels;
        test->label_count = count;
        test->names = names_of(match->planner, test);
        match->tests[i].is_placed = count == 0;
    }
}

static bool hangs_on(const struct match *match, const struct match_test *test, uint32_t slot)
{
    struct slot_set *bound = &match->planner->bound;
    bool was_bound = slot_set_has(bound, slot);
    slot_set_add(bound, slot);
    bool is_ready_then = slot_set_has(&test->needs, slot) && is_ready(match, test);
    if (!was_bound) {
        slot_set_remove(bound, slot);
    }
    return is_ready_then;
}

double match_share(const struct match *match, uint32_t slot)
{
    double share = 1;
    for (uint32_t i = 0; i < match->test_count; i++) {
        if (hangs_on(match, &match->tests[i], slot)) {
            share *= share_of(match, &match->tests[i].test);
        }
    }
    return share;
}

struct match_test *match_tests_of(struct match *match, uint32_t slot, uint32_t *count_out)
{
    *count_out = 0;
    struct match_test *tests =
        planner_alloc(match->planner, (match->test_count + 1) * sizeof(*tests));
    for (uint32_t i = 0; tests != NULL && i < match->test_count; i++) {
        if (hangs_on(match, &match->tests[i], slot)) {
            tests[(*count_out)++] = match->tests[i];
        }
    }
    return tests;
}

/* Whether all that an expression needs of the pattern is bound. */
static bool is_known(const struct match *match, const struct expr *value)
{
    struct slot_set needs = planner_set(match->planner);
    expr_slots(value, &needs);
    return slot_set_covers(&match->planner->bound, &needs, &match->introduced);
}

bool match_hop_waits(const struct match *match, const struct match_hop *hop)
{
    const struct expr *properties = hop->pattern->properties;
    if (properties == NULL || properties->kind != EXPR_MAP) {
        return properties != NULL && !is_known(match, properties);
    }
    for (uint32_t i = 0; i < properties->as.map.count; i++) {
        if (!is_known(match, properties->as.map.items[i].value)) {
            return true;
        }
    }
    return false;
}

const struct plan_test *match_hop_tests(struct match *match, const struct match_hop *hop,
                                        uint32_t item_slot, uint32_t *count_out)
{
    *count_out = 0;
    uint32_t first = match->test_count;
    add_property_tests(match, item_slot, hop->pattern->properties);
    uint32_t count = match->test_count - first;
    struct plan_test *tests = planner_alloc(match->planner, (2 * count + 1) * sizeof(*tests));
    struct plan_test *later = tests + count;
    uint32_t later_count = 0;
    for (uint32_t i = 0; tests != NULL && i < count; i++) {
        const struct plan_test *test = &match->tests[first + i].test;
        if (is_known(match, test->value)) {
            tests[(*count_out)++] = *test;
        } else {
            later[later_count++] = *test;
        }
    }
    match->test_count = first;
    for (uint32_t i = 0; i < later_count; i++) { /* of all of them, once that is bound */
        later[i].slot = hop->pattern->slot;
        add_test(match, later[i]);
    }
    return tests;
}

const struct plan_test *match_path_tests(struct match *match, const struct match_hop *hop,
                                         uint32_t *count_out)
{
    *count_out = 0;
    struct slot_set *bound = &match->planner->bound;
    struct plan_test *tests =
        planner_alloc(match->planner, (match->test_count + 1) * sizeof(*tests));
    slot_set_add(bound, hop->pattern->slot);
    if (hop->path->slot != AST_NO_SLOT) {
        slot_set_add(bound, hop->path->slot);
    }
    for (uint32_t i = 0; tests != NULL && i < match->test_count; i++) {
        if (is_ready(match, &match->tests[i])) {
            match->tests[i].is_placed = true;
            tests[(*count_out)++] = match->tests[i].test;
        }
    }
    return tests;
}
