/* plan_seek.c -- where a node of a pattern can be begun with: by id, by an index, by a label.
 *
 * A test that pins a property (or id) of the node to something that is known already makes a start;
 * the test stays, and is made again behind it. */
#include "query/element.h"
#include "query/plan_internal.h"

/* Guesses where nothing is known: what part of the nodes a test lets through. */
#define SHARE_EQUAL 0.1
#define SHARE_RANGE 0.3
#define SHARE_PREFIX 0.1
#define IN_LIST_GUESS 4.0

enum subject_kind { SUBJECT_NONE, SUBJECT_PROPERTY, SUBJECT_ID };

struct subject {
    enum subject_kind kind;
    struct yore_bytes property;
    enum plan_id_kind id_kind;
};

static bool is_variable(const struct expr *expr, uint32_t slot)
{
    return expr->kind == EXPR_VARIABLE && expr->as.variable.slot == slot;
}

static bool is_called(const struct expr *expr, const char *name)
{
    struct yore_bytes called = expr->as.call.name;
    const char *data = called.data;
    for (size_t i = 0; i < called.size; i++) {
        char c = data[i] >= 'A' && data[i] <= 'Z' ? (char)(data[i] - 'A' + 'a') : data[i];
        if (name[i] == '\0' || c != name[i]) {
            return false;
        }
    }
    return name[called.size] == '\0';
}

static struct subject named(struct yore_bytes property)
{
    return element_is_external_id(property)
               ? (struct subject){.kind = SUBJECT_ID, .id_kind = BY_EXTERNAL_ID}
               : (struct subject){.kind = SUBJECT_PROPERTY, .property = property};
}

static struct subject subject_of(const struct expr *expr, uint32_t slot)
{
    struct subject subject = {.kind = SUBJECT_NONE};
    if (expr->kind == EXPR_PROPERTY && is_variable(expr->as.property.object, slot)) {
        subject = named(expr->as.property.name);
    } else if (expr->kind == EXPR_CALL && expr->as.call.arguments.count == 1 &&
               is_variable(expr->as.call.arguments.items[0], slot)) {
        subject.id_kind = is_called(expr, "id")           ? BY_ID
                          : is_called(expr, "elementid")  ? BY_ELEMENT_ID
                          : is_called(expr, "externalid") ? BY_EXTERNAL_ID
                                                          : 0;
        subject.kind = subject.id_kind != 0 ? SUBJECT_ID : SUBJECT_NONE;
    }
    return subject;
}

static enum expr_operator mirrored(enum expr_operator operator)
{
    switch (operator) {
    case OPERATOR_LESS:
        return OPERATOR_GREATER;
    case OPERATOR_LESS_EQUAL:
        return OPERATOR_GREATER_EQUAL;
    case OPERATOR_GREATER:
        return OPERATOR_LESS;
    case OPERATOR_GREATER_EQUAL:
        return OPERATOR_LESS_EQUAL;
    default:
        return operator;
    }
}

/* "subject operator value", from whichever side it is written. */
struct comparison {
    struct subject subject;
    enum expr_operator operator;
    const struct expr *value;
};

static bool operands_of(const struct expr *expr, enum expr_operator *operator_out,
                        const struct expr **left_out, const struct expr **right_out)
{
    if (expr->kind == EXPR_COMPARISON && expr->as.comparison.count == 1) {
        *operator_out = expr->as.comparison.operators[0];
        *left_out = expr->as.comparison.operands[0];
        *right_out = expr->as.comparison.operands[1];
        return true;
    }
    if (expr->kind == EXPR_BINARY) {
        *operator_out = expr->as.binary.operator;
        *left_out = expr->as.binary.left;
        *right_out = expr->as.binary.right;
        return true;
    }
    return false;
}

static struct comparison comparison_of(const struct plan_test *test, uint32_t slot)
{
    struct comparison none = {.subject = {.kind = SUBJECT_NONE}};
    if (test->kind == TEST_PROPERTY && test->slot == slot) {
        return (struct comparison){named(test->name), OPERATOR_EQUAL, test->value};
    }
    enum expr_operator operator;
    const struct expr *left;
    const struct expr *right;
    if (test->kind != TEST_CONDITION || !operands_of(test->value, &operator, & left, &right)) {
        return none;
    }
    struct subject subject = subject_of(left, slot);
    if (subject.kind != SUBJECT_NONE) {
        return (struct comparison){subject, operator, right };
    }
    subject = subject_of(right, slot);
    if (subject.kind != SUBJECT_NONE && operator!= OPERATOR_IN && operator!= OPERATOR_STARTS_WITH) {
        return (struct comparison){subject, mirrored(operator), left};
    }
    return none;
}

/* Whether the value a start hangs on does not itself hang on the node that is to be found. */
static bool is_known(struct planner *planner, const struct expr *value, uint32_t slot)
{
    struct slot_set reads = planner_set(planner);
    expr_slots(value, &reads);
    return !slot_set_has(&reads, slot) && !expr_has_subquery(value);
}

static struct match_start seek_id(struct match_start best, const struct comparison *comparison)
{
    if (comparison->operator!= OPERATOR_EQUAL && comparison->operator!= OPERATOR_IN) {
        return best;
    }
    bool is_equal = comparison->operator== OPERATOR_EQUAL;
    double rows = is_equal ? 1 : IN_LIST_GUESS;
    if (best.kind == PLAN_NODE_SEEK && best.rows <= rows) {
        return best;
    }
    return (struct match_start){.rows = rows,
                                .kind = PLAN_NODE_SEEK,
                                .label = UINT32_MAX,
                                .seek = {.kind = is_equal ? SEEK_EQUAL : SEEK_IN,
                                         .value = comparison->value,
                                         .id_kind = comparison->subject.id_kind}};
}

/* Other bounds of the same property, for a range with both ends. */
static void add_bounds(struct planner *planner, struct plan_seek *seek, uint32_t slot,
                       struct yore_bytes property, const struct match_test *tests,
                       uint32_t test_count)
{
    for (uint32_t i = 0; i < test_count; i++) {
        struct comparison one = comparison_of(&tests[i].test, slot);
        if (one.subject.kind != SUBJECT_PROPERTY || !bytes_equal(one.subject.property, property) ||
            !is_known(planner, one.value, slot)) {
            continue;
        }
        if (one.operator== OPERATOR_GREATER || one.operator== OPERATOR_GREATER_EQUAL) {
            seek->low = one.value;
            seek->low_exclusive = one.operator== OPERATOR_GREATER;
        } else if (one.operator== OPERATOR_LESS || one.operator== OPERATOR_LESS_EQUAL) {
            seek->high = one.value;
            seek->high_exclusive = one.operator== OPERATOR_LESS;
        }
    }
}

static bool seek_of(const struct comparison *comparison, struct plan_seek *seek_out,
                    double *share_out)
{
    *seek_out = (struct plan_seek){.value = comparison->value};
    switch (comparison->operator) {
    case OPERATOR_EQUAL:
        seek_out->kind = SEEK_EQUAL;
        *share_out = SHARE_EQUAL;
        return true;
    case OPERATOR_IN:
        seek_out->kind = SEEK_IN;
        *share_out = SHARE_EQUAL * IN_LIST_GUESS;
        return true;
    case OPERATOR_STARTS_WITH:
        seek_out->kind = SEEK_PREFIX;
        *share_out = SHARE_PREFIX;
        return true;
    case OPERATOR_LESS:
    case OPERATOR_LESS_EQUAL:
    case OPERATOR_GREATER:
    case OPERATOR_GREATER_EQUAL:
        seek_out->kind = SEEK_RANGE;
        *share_out = SHARE_RANGE;
        return true;
    default:
        return false;
    }
}

static bool has_index(struct planner *planner, uint32_t label, uint32_t property,
                      uint64_t *distinct_out)
{
    *distinct_out = 0;
    bool is_there = graph_has_index(
        planner->view, graph_token(planner->graph, GRAPH_LABEL, planner->names[label].name),
        graph_token(planner->graph, GRAPH_PROPERTY, planner->names[property].name), distinct_out);
    struct plan *plan = planner->plan;
    struct plan_index *grown = planner_grow(planner, planner->indexes, plan->index_count,
                                            &planner->index_capacity, sizeof(*grown));
    if (grown != NULL) {
        planner->indexes = grown;
        grown[plan->index_count++] = (struct plan_index){label, property, is_there};
    }
    return is_there;
}

struct seek_search {
    struct planner *planner;
    uint32_t slot;
    const struct match_test *tests;
    uint32_t test_count;
    struct match_start best;
};

static void try_index(struct seek_search *search, uint32_t label, double label_rows,
                      const struct comparison *comparison)
{
    struct planner *planner = search->planner;
    struct plan_seek seek;
    double share;
    if (!seek_of(comparison, &seek, &share)) {
        return;
    }
    uint32_t property = planner_name(planner, GRAPH_PROPERTY, comparison->subject.property);
    uint64_t distinct;
    if (planner->status != YORE_OK || !has_index(planner, label, property, &distinct)) {
        return;
    }
    if (seek.kind == SEEK_EQUAL && distinct > 0) {
        share = 1.0 / (double)distinct;
    } else if (seek.kind == SEEK_IN && distinct > 0) {
        share = IN_LIST_GUESS / (double)distinct;
    } else if (seek.kind == SEEK_RANGE) {
        add_bounds(planner, &seek, search->slot, comparison->subject.property, search->tests,
                   search->test_count);
    }
    double rows = label_rows * share;
    if (rows < search->best.rows) {
        search->best = (struct match_start){rows, PLAN_INDEX_SCAN, label, property, seek};
    }
}

static void try_label(struct seek_search *search, struct yore_bytes name)
{
    struct planner *planner = search->planner;
    uint32_t label = planner_name(planner, GRAPH_LABEL, name);
    uint32_t token = graph_token(planner->graph, GRAPH_LABEL, name);
    double rows = token == GRAPH_NO_TOKEN ? 0 : (double)graph_estimate_label(planner->graph, token);
    if (search->best.kind == PLAN_ALL_NODES || rows < search->best.rows) {
        search->best = (struct match_start){.rows = rows, .kind = PLAN_LABEL_SCAN, .label = label};
    }
    for (uint32_t i = 0; i < search->test_count; i++) {
        struct comparison one = comparison_of(&search->tests[i].test, search->slot);
        if (one.subject.kind == SUBJECT_PROPERTY && is_known(planner, one.value, search->slot)) {
            try_index(search, label, rows, &one);
        }
    }
}

/* `tests` are those of the node alone, whose other slots are bound. */
struct match_start seek_best(struct planner *planner, uint32_t slot, const struct match_test *tests,
                             uint32_t test_count)
{
    struct graph_estimate all = graph_estimate_all(planner->graph);
    struct seek_search search = {
        planner,
        slot,
        tests,
        test_count,
        {.rows = (double)all.nodes, .kind = PLAN_ALL_NODES, .label = UINT32_MAX}};
    for (uint32_t i = 0; i < test_count; i++) {
        for (uint32_t k = 0; tests[i].test.kind == TEST_LABELS && k < tests[i].test.label_count;
             k++) {
            try_label(&search, tests[i].test.labels[k]);
        }
    }
    for (uint32_t i = 0; i < test_count; i++) {
        struct comparison one = comparison_of(&tests[i].test, slot);
        if (one.subject.kind == SUBJECT_ID && is_known(planner, one.value, slot)) {
            search.best = seek_id(search.best, &one);
        }
    }
    return search.best;
}

void condition_split(const struct expr *condition, void (*each)(void *arg, const struct expr *one),
                     void *arg)
{
    if (condition == NULL) {
        return;
    }
    if (condition->kind == EXPR_BINARY && condition->as.binary.operator== OPERATOR_AND) {
        condition_split(condition->as.binary.left, each, arg);
        condition_split(condition->as.binary.right, each, arg);
        return;
    }
    each(arg, condition);
}
