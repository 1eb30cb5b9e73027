/* Truth: AND, OR, XOR, chains of comparisons, CASE. */
#include "query/eval_internal.h"

enum yore_status eval_ternary(struct eval *eval, const struct yore_graph_value *value,
                              struct ast_spot spot, enum ternary *ternary_out)
{
    if (value->kind == YORE_GRAPH_BOOL) {
        *ternary_out = value->as.boolean ? TERNARY_TRUE : TERNARY_FALSE;
        return YORE_OK;
    }
    *ternary_out = TERNARY_NULL;
    if (value_is_null(value)) {
        return YORE_OK;
    }
    return eval_fail(eval, spot, "TypeError", "InvalidArgumentType",
                     "a condition is a Boolean, not a %s", value_kind_name(value->kind));
}

static enum ternary combine(enum expr_operator operator, enum ternary a, enum ternary b)
{
    enum ternary decisive = operator== OPERATOR_OR ? TERNARY_TRUE : TERNARY_FALSE;
    if (operator!= OPERATOR_XOR &&(a == decisive || b == decisive)) {
        return decisive;
    }
    if (a == TERNARY_NULL || b == TERNARY_NULL) {
        return TERNARY_NULL;
    }
    if (operator== OPERATOR_XOR) {
        return a != b ? TERNARY_TRUE : TERNARY_FALSE;
    }
    return operator== OPERATOR_OR ? TERNARY_FALSE : TERNARY_TRUE;
}

enum yore_status eval_logic(struct eval *eval, const struct expr *expr,
                            struct yore_graph_value *row, struct yore_graph_value *value_out)
{
    enum expr_operator operator= expr->as.binary.operator;
    const struct expr *sides[2] = {expr->as.binary.left, expr->as.binary.right};
    enum ternary truths[2];
    for (int i = 0; i < 2; i++) {
        struct yore_graph_value value;
        enum yore_status st = eval_expr(eval, sides[i], row, &value);
        if (st == YORE_OK) {
            st = eval_ternary(eval, &value, sides[i]->spot, &truths[i]);
        }
        if (st != YORE_OK) {
            return st;
        }
        bool decides = (operator== OPERATOR_AND && truths[i] == TERNARY_FALSE) ||
                       (operator== OPERATOR_OR && truths[i] == TERNARY_TRUE);
        if (decides) {
            *value_out = value_ternary(truths[i]);
            return YORE_OK;
        }
    }
    *value_out = value_ternary(combine(operator, truths[0], truths[1]));
    return YORE_OK;
}

static enum ternary negate(enum ternary truth)
{
    return truth == TERNARY_NULL ? TERNARY_NULL
                                 : (truth == TERNARY_TRUE ? TERNARY_FALSE : TERNARY_TRUE);
}

enum ternary eval_compare(enum expr_operator operator, const struct yore_graph_value * left,
                          const struct yore_graph_value *right)
{
    if (operator== OPERATOR_EQUAL) {
        return value_equal(left, right);
    }
    if (operator== OPERATOR_NOT_EQUAL) {
        return negate(value_equal(left, right));
    }
    int order = 0;
    enum ternary comparable = value_compare(left, right, &order);
    if (comparable != TERNARY_TRUE) {
        return comparable;
    }
    bool holds;
    switch (operator) {
    case OPERATOR_LESS:
        holds = order < 0;
        break;
    case OPERATOR_LESS_EQUAL:
        holds = order <= 0;
        break;
    case OPERATOR_GREATER:
        holds = order > 0;
        break;
    default:
        holds = order >= 0;
        break;
    }
    return holds ? TERNARY_TRUE : TERNARY_FALSE;
}

enum yore_status eval_comparison(struct eval *eval, const struct expr *expr,
                                 struct yore_graph_value *row, struct yore_graph_value *value_out)
{
    enum ternary truth = TERNARY_TRUE;
    struct yore_graph_value left;
    enum yore_status st = eval_expr(eval, expr->as.comparison.operands[0], row, &left);
    for (uint32_t i = 0; i < expr->as.comparison.count && st == YORE_OK; i++) {
        struct yore_graph_value right;
        st = eval_expr(eval, expr->as.comparison.operands[i + 1], row, &right);
        if (st != YORE_OK) {
            break;
        }
        truth = combine(OPERATOR_AND, truth,
                        eval_compare(expr->as.comparison.operators[i], &left, &right));
        if (truth == TERNARY_FALSE) {
            break;
        }
        left = right;
    }
    *value_out = value_ternary(truth);
    return st;
}

/* Whether a branch is the one: its condition holds, or it equals the subject. */
static enum yore_status is_branch(struct eval *eval, const struct expr *when,
                                  const struct yore_graph_value *subject,
                                  struct yore_graph_value *row, bool *is_it_out)
{
    if (subject == NULL) {
        return eval_condition(eval, when, row, is_it_out);
    }
    struct yore_graph_value value;
    enum yore_status st = eval_expr(eval, when, row, &value);
    *is_it_out = st == YORE_OK && value_equal(subject, &value) == TERNARY_TRUE;
    return st;
}

enum yore_status eval_case(struct eval *eval, const struct expr *expr, struct yore_graph_value *row,
                           struct yore_graph_value *value_out)
{
    struct yore_graph_value subject;
    bool has_subject = expr->as.choice.subject != NULL;
    enum yore_status st =
        has_subject ? eval_expr(eval, expr->as.choice.subject, row, &subject) : YORE_OK;
    for (uint32_t i = 0; i < expr->as.choice.branch_count && st == YORE_OK; i++) {
        bool is_it = false;
        const struct case_branch *branch = &expr->as.choice.branches[i];
        st = is_branch(eval, branch->when, has_subject ? &subject : NULL, row, &is_it);
        if (st == YORE_OK && is_it) {
            return eval_expr(eval, branch->then, row, value_out);
        }
    }
    if (st == YORE_OK && expr->as.choice.otherwise != NULL) {
        return eval_expr(eval, expr->as.choice.otherwise, row, value_out);
    }
    *value_out = value_null();
    return st;
}
