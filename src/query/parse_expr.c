/* parse_expr.c -- operators, by precedence (openCypher 9, loosest first): OR, XOR, AND, NOT,
 * comparisons in chains, IN and the string and null predicates, + -, * / %, ^, signs, then what
 * stands behind an operand: properties, indexes, labels.
 *
 * Chains of AND, OR and XOR become balanced trees: these operators are associative, also with null,
 * and long conditions that programs write stay low.
 */
#include "query/compile_error.h"
#include "query/limits.h"
#include "query/parser_internal.h"

static uint32_t max_u32(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

struct expr *expr_new(struct parser *p, enum expr_kind kind, uint32_t first_token)
{
    struct expr *expr = parser_alloc(p, sizeof(*expr));
    if (expr != NULL) {
        expr->kind = kind;
        expr->height = 1;
        expr->spot = parser_spot(p, first_token);
    }
    return expr;
}

struct expr *expr_finish(struct parser *p, struct expr *expr, uint32_t below)
{
    if (below >= QUERY_HEIGHT_MAX) {
        struct query_place place = {p->text, expr->spot};
        p->status =
            compile_refuse(p->error, &place, YORE_TOO_BIG,
                           "an expression is more than %u operators high; use a list, or split it",
                           QUERY_HEIGHT_MAX);
        return NULL;
    }
    expr->height = below + 1;
    p->tallest = max_u32(p->tallest, expr->height);
    return expr;
}

static struct expr *binary_new(struct parser *p, enum expr_operator op, struct expr *left,
                               struct expr *right)
{
    struct expr *expr = parser_alloc(p, sizeof(*expr));
    if (expr == NULL) {
        return NULL;
    }
    expr->kind = EXPR_BINARY;
    expr->as.binary.operator= op;
    expr->as.binary.left = left;
    expr->as.binary.right = right;
    expr->spot.offset = left->spot.offset;
    expr->spot.size = right->spot.offset + right->spot.size - left->spot.offset;
    return expr_finish(p, expr, max_u32(left->height, right->height));
}

/* ---- loosest: OR, XOR, AND, NOT ---------------------------------------------------------------
 */

/* items[0 .. count) under a tree of `operator` that is as low as can be. */
static struct expr *balance(struct parser *p, enum expr_operator op, struct expr **items,
                            uint32_t count)
{
    while (count > 1) {
        uint32_t pairs = count / 2;
        for (uint32_t i = 0; i < pairs; i++) {
            items[i] = binary_new(p, op, items[(size_t)i * 2], items[(size_t)i * 2 + 1]);
            if (items[i] == NULL) {
                return NULL;
            }
        }
        if (count % 2 == 1) {
            items[pairs] = items[count - 1];
        }
        count = pairs + count % 2;
    }
    return items[0];
}

static struct expr *parse_not(struct parser *p);

static struct expr *parse_logic(struct parser *p, unsigned level)
{
    static const struct {
        enum token_word word;
        enum expr_operator operator;
    } levels[] = {{WORD_OR, OPERATOR_OR}, {WORD_XOR, OPERATOR_XOR}, {WORD_AND, OPERATOR_AND}};
    if (level == sizeof(levels) / sizeof(levels[0])) {
        return parse_not(p);
    }
    struct parser_list operands = {NULL, 0, 0};
    do {
        struct expr *operand = parse_logic(p, level + 1);
        struct expr **item = operand == NULL ? NULL : parser_push(p, &operands, sizeof(*item));
        if (item == NULL) {
            return NULL;
        }
        *item = operand;
        if (!parser_is_word(p, levels[level].word)) {
            break;
        }
        parser_advance(p);
    } while (true);
    return balance(p, levels[level].operator, operands.items, operands.count);
}

static struct expr *unary_new(struct parser *p, enum expr_operator op, uint32_t first,
                              struct expr *operand)
{
    struct expr *expr = expr_new(p, EXPR_UNARY, first);
    if (expr == NULL) {
        return NULL;
    }
    expr->as.binary.operator= op;
    expr->as.binary.left = operand;
    return expr_finish(p, expr, operand->height);
}

static struct expr *parse_comparison(struct parser *p);

static struct expr *parse_not(struct parser *p)
{
    uint32_t first = p->at;
    uint32_t count = 0;
    while (parser_is_word(p, WORD_NOT)) {
        parser_advance(p);
        count++;
    }
    struct expr *expr = parse_comparison(p);
    while (expr != NULL && count > 0) {
        count--;
        expr = unary_new(p, OPERATOR_NOT, first + count, expr);
    }
    return expr;
}

/* ---- comparisons and predicates ---------------------------------------------------------------
 */

static enum expr_operator comparison_at(const struct parser *p)
{
    switch (parser_token(p)->kind) {
    case TOKEN_EQUAL:
        return OPERATOR_EQUAL;
    case TOKEN_NOT_EQUAL:
        return OPERATOR_NOT_EQUAL;
    case TOKEN_LESS:
        return OPERATOR_LESS;
    case TOKEN_LESS_EQUAL:
        return OPERATOR_LESS_EQUAL;
    case TOKEN_GREATER:
        return OPERATOR_GREATER;
    case TOKEN_GREATER_EQUAL:
        return OPERATOR_GREATER_EQUAL;
    default:
        return (enum expr_operator)0;
    }
}

static struct expr *parse_predicate(struct parser *p);

static struct expr *parse_comparison(struct parser *p)
{
    uint32_t first = p->at;
    struct expr *left = parse_predicate(p);
    if (left == NULL || comparison_at(p) == 0) {
        return left;
    }
    struct parser_list operands = {NULL, 0, 0};
    struct parser_list operators = {NULL, 0, 0};
    uint32_t tallest = left->height;
    struct expr **item = parser_push(p, &operands, sizeof(*item));
    if (item == NULL) {
        return NULL;
    }
    *item = left;
    while (comparison_at(p) != 0) {
        enum expr_operator *op = parser_push(p, &operators, sizeof(*op));
        if (op == NULL) {
            return NULL;
        }
        *op = comparison_at(p);
        parser_advance(p);
        struct expr *operand = parse_predicate(p);
        item = operand == NULL ? NULL : parser_push(p, &operands, sizeof(*item));
        if (item == NULL) {
            return NULL;
        }
        *item = operand;
        tallest = max_u32(tallest, operand->height);
    }
    struct expr *expr = expr_new(p, EXPR_COMPARISON, first);
    if (expr == NULL) {
        return NULL;
    }
    expr->as.comparison.operands = operands.items;
    expr->as.comparison.operators = operators.items;
    expr->as.comparison.count = operators.count;
    return expr_finish(p, expr, tallest);
}

static struct expr *parse_sum(struct parser *p);

/* The string or list operator that stands here, stepped over; 0: none. */
static enum expr_operator accept_predicate(struct parser *p)
{
    enum expr_operator op = 0;
    uint32_t words = 1;
    if (parser_is_word(p, WORD_IN)) {
        op = OPERATOR_IN;
    } else if (parser_is_word(p, WORD_CONTAINS)) {
        op = OPERATOR_CONTAINS;
    } else if (parser_is(p, TOKEN_MATCHES)) {
        op = OPERATOR_MATCHES;
    } else if (parser_ahead(p, 1)->word == WORD_WITH) {
        words = 2;
        op = parser_is_word(p, WORD_STARTS) ? OPERATOR_STARTS_WITH
             : parser_is_word(p, WORD_ENDS) ? OPERATOR_ENDS_WITH
                                            : 0;
    }
    for (; op != 0 && words > 0; words--) {
        parser_advance(p);
    }
    return op;
}

static struct expr *parse_null_test(struct parser *p, uint32_t first, struct expr *operand)
{
    bool is_negated = parser_accept_word(p, WORD_NOT);
    if (!parser_expect_word(p, WORD_NULL)) {
        return NULL;
    }
    struct expr *expr = expr_new(p, is_negated ? EXPR_IS_NOT_NULL : EXPR_IS_NULL, first);
    if (expr == NULL) {
        return NULL;
    }
    expr->as.binary.left = operand;
    return expr_finish(p, expr, operand->height);
}

static struct expr *parse_predicate(struct parser *p)
{
    uint32_t first = p->at;
    struct expr *left = parse_sum(p);
    while (left != NULL) {
        if (parser_is_word(p, WORD_IS)) {
            parser_advance(p);
            left = parse_null_test(p, first, left);
            continue;
        }
        enum expr_operator op = accept_predicate(p);
        if (op == 0) {
            return left;
        }
        struct expr *right = parse_sum(p);
        left = right == NULL ? NULL : binary_new(p, op, left, right);
    }
    return NULL;
}

/* ---- arithmetic ------------------------------------------------------------------------------
 */

static struct expr *parse_signs(struct parser *p);

static enum expr_operator arithmetic_at(const struct parser *p, unsigned level)
{
    static const struct {
        uint8_t kind;
        uint8_t level;
        enum expr_operator operator;
    } marks[] = {
        {TOKEN_PLUS, 0, OPERATOR_ADD},       {TOKEN_MINUS, 0, OPERATOR_SUBTRACT},
        {TOKEN_STAR, 1, OPERATOR_MULTIPLY},  {TOKEN_SLASH, 1, OPERATOR_DIVIDE},
        {TOKEN_PERCENT, 1, OPERATOR_MODULO}, {TOKEN_CARET, 2, OPERATOR_POWER},
    };
    for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
        if (marks[i].level == level && parser_is(p, (enum token_kind)marks[i].kind)) {
            return marks[i].operator;
        }
    }
    return (enum expr_operator)0;
}

/* The dashes of other writings make relationships, as openCypher has it, but do not subtract. */
static bool check_minus(struct parser *p)
{
    if (parser_is(p, TOKEN_MINUS) && parser_token(p)->size > 1) {
        return parser_fail_at(p, parser_spot(p, p->at), "InvalidUnicodeCharacter",
                              "this dash is no minus; write -");
    }
    return true;
}

/* Level 0: + and -, 1: * / %, 2: ^; all group to the left. */
static struct expr *parse_arithmetic(struct parser *p, unsigned level)
{
    struct expr *left = level == 2 ? parse_signs(p) : parse_arithmetic(p, level + 1);
    while (left != NULL) {
        enum expr_operator op = arithmetic_at(p, level);
        if (op == 0) {
            return left;
        }
        if (!check_minus(p)) {
            return NULL;
        }
        parser_advance(p);
        struct expr *right = level == 2 ? parse_signs(p) : parse_arithmetic(p, level + 1);
        left = right == NULL ? NULL : binary_new(p, op, left, right);
    }
    return NULL;
}

static struct expr *parse_sum(struct parser *p)
{
    return parse_arithmetic(p, 0);
}

/* A number with its sign, where it can have one; NULL: not a number, or -2^63 again. */
static struct expr *negate_literal(struct expr *operand)
{
    if (operand->kind != EXPR_LITERAL) {
        return NULL;
    }
    struct yore_graph_value *value = &operand->as.literal;
    if (value->kind == YORE_GRAPH_INT && value->as.integer != INT64_MIN) {
        value->as.integer = -value->as.integer;
        return operand;
    }
    if (value->kind == YORE_GRAPH_FLOAT) {
        value->as.real = -value->as.real;
        return operand;
    }
    return NULL;
}

/* -9223372036854775808: its digits alone would not fit. */
static struct expr *parse_least_integer(struct parser *p, uint32_t first)
{
    struct lexer_literal literal = {p->text, parser_token(p)};
    uint64_t magnitude = 0;
    if (!parser_is(p, TOKEN_INTEGER) ||
        lexer_integer(&literal, true, &magnitude, NULL) != YORE_OK ||
        magnitude != UINT64_C(1) << 63) {
        return NULL;
    }
    parser_advance(p);
    struct expr *expr = expr_new(p, EXPR_LITERAL, first);
    if (expr != NULL) {
        expr->as.literal.kind = YORE_GRAPH_INT;
        expr->as.literal.as.integer = INT64_MIN;
        expr_finish(p, expr, 0);
    }
    return expr;
}

static struct expr *parse_signs(struct parser *p)
{
    uint32_t first = p->at;
    uint32_t count = 0;
    while (parser_is(p, TOKEN_MINUS) || parser_is(p, TOKEN_PLUS)) {
        if (!check_minus(p)) {
            return NULL;
        }
        parser_advance(p);
        count++;
    }
    struct expr *expr = NULL;
    if (count > 0 && p->tokens[p->at - 1].kind == TOKEN_MINUS) {
        expr = parse_least_integer(p, first + count - 1);
        count -= expr != NULL ? 1 : 0;
    }
    if (expr == NULL && p->status == YORE_OK) {
        expr = parse_postfix(p);
    }
    while (expr != NULL && count > 0) {
        count--;
        bool is_minus = p->tokens[first + count].kind == TOKEN_MINUS;
        struct expr *folded = is_minus ? negate_literal(expr) : NULL;
        if (folded == NULL) {
            expr = unary_new(p, is_minus ? OPERATOR_MINUS : OPERATOR_PLUS, first + count, expr);
        } else {
            expr->spot = parser_spot(p, first + count);
        }
    }
    return expr;
}

/* ---- behind an operand: .property [index] [low..high] :Label ------------------------------------
 */

static struct expr *parse_property(struct parser *p, uint32_t first, struct expr *object)
{
    struct yore_bytes name;
    if (!parser_expect(p, TOKEN_DOT) || !parser_name(p, &name)) {
        return NULL;
    }
    struct expr *expr = expr_new(p, EXPR_PROPERTY, first);
    if (expr == NULL) {
        return NULL;
    }
    expr->as.property.object = object;
    expr->as.property.name = name;
    return expr_finish(p, expr, object->height);
}

static struct expr *parse_index(struct parser *p, uint32_t first, struct expr *object)
{
    uint32_t outer = p->tallest;
    p->tallest = object->height;
    struct expr *low = NULL;
    struct expr *high = NULL;
    parser_advance(p);
    if (!parser_is(p, TOKEN_DOTS)) {
        low = parse_expr(p);
        if (low == NULL) {
            return NULL;
        }
    }
    bool is_slice = parser_accept(p, TOKEN_DOTS);
    if (is_slice && !parser_is(p, TOKEN_CLOSE_SQUARE)) {
        high = parse_expr(p);
        if (high == NULL) {
            return NULL;
        }
    }
    if (!parser_expect(p, TOKEN_CLOSE_SQUARE)) {
        return NULL;
    }
    struct expr *expr = expr_new(p, is_slice ? EXPR_SLICE : EXPR_INDEX, first);
    if (expr == NULL) {
        return NULL;
    }
    expr->as.index.object = object;
    expr->as.index.low = low;
    expr->as.index.high = high;
    uint32_t below = p->tallest;
    p->tallest = outer;
    return expr_finish(p, expr, below);
}

static struct expr *parse_label_test(struct parser *p, uint32_t first, struct expr *object)
{
    const struct yore_bytes *labels = NULL;
    uint32_t count = 0;
    if (!parser_labels(p, &labels, &count)) {
        return NULL;
    }
    struct expr *expr = expr_new(p, EXPR_HAS_LABELS, first);
    if (expr == NULL) {
        return NULL;
    }
    expr->as.has_labels.object = object;
    expr->as.has_labels.labels = labels;
    expr->as.has_labels.label_count = count;
    return expr_finish(p, expr, object->height);
}

struct expr *parse_postfix(struct parser *p)
{
    uint32_t first = p->at;
    bool has_no_labels = p->has_no_labels;
    p->has_no_labels = false;
    struct expr *expr = parse_atom(p);
    while (expr != NULL) {
        if (parser_is(p, TOKEN_DOT)) {
            expr = parse_property(p, first, expr);
        } else if (parser_is(p, TOKEN_OPEN_SQUARE)) {
            expr = parse_index(p, first, expr);
        } else if (parser_is(p, TOKEN_COLON) && !has_no_labels) {
            expr = parse_label_test(p, first, expr);
        } else {
            break;
        }
    }
    return expr;
}

/* ---- whole -----------------------------------------------------------------------------------
 */

struct expr *parse_expr(struct parser *p)
{
    if (!parser_deeper(p)) {
        return NULL;
    }
    struct expr *expr = parse_logic(p, 0);
    p->depth--;
    return expr;
}

/* Expressions with commas between, up to `end`, which is stepped over. */
bool parse_expr_list(struct parser *p, enum token_kind end, struct expr_list *list_out)
{
    struct parser_list items = {NULL, 0, 0};
    if (!parser_accept(p, end)) {
        do {
            struct expr *expr = parse_expr(p);
            struct expr **item = expr == NULL ? NULL : parser_push(p, &items, sizeof(*item));
            if (item == NULL) {
                return false;
            }
            *item = expr;
        } while (parser_accept(p, TOKEN_COMMA));
        if (!parser_expect(p, end)) {
            return false;
        }
    }
    *list_out = (struct expr_list){items.items, items.count};
    return true;
}
