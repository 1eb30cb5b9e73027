/* IN, STARTS WITH, ENDS WITH, CONTAINS, =~ */
#include <string.h>

#include "query/eval_internal.h"
#include "query/regex.h"
#include "query/text.h"

static enum yore_status is_in(struct eval *eval, const struct yore_graph_value *left,
                              const struct yore_graph_value *right, struct ast_spot spot,
                              struct yore_graph_value *value_out)
{
    *value_out = value_null();
    if (value_is_null(right)) {
        return YORE_OK;
    }
    if (right->kind != YORE_GRAPH_LIST) {
        return eval_fail(eval, spot, "TypeError", "InvalidArgumentType",
                         "IN looks into a List, not a %s", value_kind_name(right->kind));
    }
    enum ternary found = TERNARY_FALSE;
    for (size_t i = 0; i < right->as.list.count; i++) {
        enum ternary equal = value_equal(left, &right->as.list.items[i]);
        if (equal == TERNARY_TRUE) {
            *value_out = value_bool(true);
            return eval_step(eval, i / 8);
        }
        if (equal == TERNARY_NULL) {
            found = TERNARY_NULL;
        }
    }
    *value_out = value_ternary(found);
    return eval_step(eval, right->as.list.count / 8);
}

static bool ends_with(struct yore_bytes text, struct yore_bytes end)
{
    return text.size >= end.size && bytes_equal(bytes_behind(text, text.size - end.size), end);
}

static enum yore_status matches(struct eval *eval, struct yore_bytes text,
                                struct yore_bytes pattern, struct ast_spot spot,
                                struct yore_graph_value *value_out)
{
    bool is_match = false;
    struct yore_error error = {0};
    enum yore_status st = regex_matches(&eval->regexes, pattern, text, &is_match, &error);
    *value_out = value_bool(is_match);
    if (st == YORE_OK) {
        return eval_step(eval, text.size / 64);
    }
    return eval_argument_status(eval, st, spot, &error);
}

enum yore_status eval_text_operator(struct eval *eval, enum expr_operator operator,
                                    const struct yore_graph_value * left,
                                    const struct yore_graph_value *right, struct ast_spot spot,
                                    struct yore_graph_value *value_out)
{
    if (operator== OPERATOR_IN) {
        return is_in(eval, left, right, spot, value_out);
    }
    *value_out = value_null();
    if (left->kind != YORE_GRAPH_STRING || right->kind != YORE_GRAPH_STRING) {
        return YORE_OK;
    }
    struct yore_bytes text = left->as.string;
    struct yore_bytes part = right->as.string;
    switch (operator) {
    case OPERATOR_STARTS_WITH:
        *value_out = value_bool(bytes_starts_with(text, part));
        return YORE_OK;
    case OPERATOR_ENDS_WITH:
        *value_out = value_bool(ends_with(text, part));
        return YORE_OK;
    case OPERATOR_CONTAINS:
        *value_out = value_bool(text_find(text, part, 0) != TEXT_NONE);
        return YORE_OK;
    default:
        return matches(eval, text, part, spot, value_out);
    }
}
