/* parse_atom.c -- operands: literals, parameters, variables, calls, lists, maps, CASE,
 * comprehensions, quantifiers, patterns, subqueries. */
#include "query/parser_internal.h"

/* ---- literals --------------------------------------------------------------------------------
 */

static struct expr *literal_new(struct parser *p, uint32_t first, enum yore_graph_kind kind)
{
    struct expr *expr = expr_new(p, EXPR_LITERAL, first);
    if (expr != NULL) {
        expr->as.literal.kind = kind;
    }
    return expr;
}

static struct expr *parse_word_literal(struct parser *p)
{
    uint32_t first = p->at;
    bool is_null = parser_is_word(p, WORD_NULL);
    bool is_true = parser_is_word(p, WORD_TRUE);
    parser_advance(p);
    struct expr *expr = literal_new(p, first, is_null ? YORE_GRAPH_NULL : YORE_GRAPH_BOOL);
    if (expr != NULL && !is_null) {
        expr->as.literal.as.boolean = is_true;
    }
    return expr;
}

static struct expr *parse_number(struct parser *p)
{
    uint32_t first = p->at;
    struct lexer_literal literal = {p->text, parser_token(p)};
    bool is_integer = parser_is(p, TOKEN_INTEGER);
    uint64_t magnitude = 0;
    double real = 0;
    p->status = is_integer ? lexer_integer(&literal, false, &magnitude, p->error)
                           : lexer_float(&literal, p->arena, &real, p->error);
    if (p->status != YORE_OK) {
        return NULL;
    }
    parser_advance(p);
    struct expr *expr = literal_new(p, first, is_integer ? YORE_GRAPH_INT : YORE_GRAPH_FLOAT);
    if (expr != NULL && is_integer) {
        expr->as.literal.as.integer = (int64_t)magnitude;
    } else if (expr != NULL) {
        expr->as.literal.as.real = real;
    }
    return expr;
}

static struct expr *parse_string(struct parser *p)
{
    uint32_t first = p->at;
    struct lexer_literal literal = {p->text, parser_token(p)};
    struct yore_bytes value;
    p->status = lexer_string(&literal, p->arena, &value, p->error);
    if (p->status != YORE_OK) {
        return NULL;
    }
    parser_advance(p);
    struct expr *expr = literal_new(p, first, YORE_GRAPH_STRING);
    if (expr != NULL) {
        expr->as.literal.as.string = value;
    }
    return expr;
}

static struct expr *parse_bad_number(struct parser *p)
{
    parser_fail_at(
        p, parser_spot(p, p->at), "InvalidNumberLiteral",
        "this is not a number; integers are written 12, 0x1F or 0o17, floats 1.5 or 1e9");
    return NULL;
}

struct expr *parse_parameter(struct parser *p)
{
    uint32_t first = p->at;
    if (!parser_expect(p, TOKEN_DOLLAR)) {
        return NULL;
    }
    struct yore_bytes name;
    if (parser_is(p, TOKEN_INTEGER)) {
        name = parser_text(p, parser_spot(p, p->at));
        parser_advance(p);
    } else if (!parser_name(p, &name)) {
        return NULL;
    }
    struct expr *expr = expr_new(p, EXPR_PARAMETER, first);
    if (expr != NULL) {
        expr->as.parameter.name = name;
    }
    return expr;
}

/* ---- maps ------------------------------------------------------------------------------------
 */

struct expr *parse_map(struct parser *p)
{
    uint32_t first = p->at;
    struct parser_list items = {NULL, 0, 0};
    if (!parser_expect(p, TOKEN_OPEN_CURLY)) {
        return NULL;
    }
    if (!parser_accept(p, TOKEN_CLOSE_CURLY)) {
        do {
            struct map_item *item = parser_push(p, &items, sizeof(*item));
            if (item == NULL) {
                return NULL;
            }
            /* `` is a key like any other, which a name is not. */
            bool is_empty = parser_is(p, TOKEN_QUOTED_NAME) && parser_token(p)->size == 2;
            if (is_empty) {
                item->name = bytes_of("", 0);
                parser_advance(p);
            } else if (!parser_name(p, &item->name)) {
                return NULL;
            }
            if (!parser_expect(p, TOKEN_COLON)) {
                return NULL;
            }
            item->value = parse_expr(p);
            if (item->value == NULL) {
                return NULL;
            }
        } while (parser_accept(p, TOKEN_COMMA));
        if (!parser_expect(p, TOKEN_CLOSE_CURLY)) {
            return NULL;
        }
    }
    struct expr *expr = expr_new(p, EXPR_MAP, first);
    if (expr != NULL) {
        expr->as.map.items = items.items;
        expr->as.map.count = items.count;
    }
    return expr;
}

static struct expr *variable_new(struct parser *p, uint32_t first, struct yore_bytes name)
{
    struct expr *expr = expr_new(p, EXPR_VARIABLE, first);
    if (expr != NULL) {
        expr->as.variable.name = name;
        expr->as.variable.slot = AST_NO_SLOT;
    }
    return expr;
}

/* .name, .*, key: expr, or a variable under its own name. */
static bool parse_projected_item(struct parser *p, struct map_item *item)
{
    if (parser_accept(p, TOKEN_DOT)) {
        item->name = bytes_of("", 0);
        return parser_accept(p, TOKEN_STAR) || parser_name(p, &item->name);
    }
    uint32_t first = p->at;
    if (!parser_name(p, &item->name)) {
        return false;
    }
    item->value =
        parser_accept(p, TOKEN_COLON) ? parse_expr(p) : variable_new(p, first, item->name);
    return item->value != NULL;
}

static struct expr *parse_map_projection(struct parser *p)
{
    uint32_t first = p->at;
    struct yore_bytes name;
    struct parser_list items = {NULL, 0, 0};
    if (!parser_variable(p, &name)) {
        return NULL;
    }
    struct expr *object = variable_new(p, first, name);
    if (object == NULL || !parser_expect(p, TOKEN_OPEN_CURLY)) {
        return NULL;
    }
    p->tallest = 1;
    if (!parser_accept(p, TOKEN_CLOSE_CURLY)) {
        do {
            struct map_item *item = parser_push(p, &items, sizeof(*item));
            if (item == NULL || !parse_projected_item(p, item)) {
                return NULL;
            }
        } while (parser_accept(p, TOKEN_COMMA));
        if (!parser_expect(p, TOKEN_CLOSE_CURLY)) {
            return NULL;
        }
    }
    struct expr *expr = expr_new(p, EXPR_MAP_PROJECTION, first);
    if (expr != NULL) {
        expr->as.map.items = items.items;
        expr->as.map.count = items.count;
        expr->as.map.object = object;
    }
    return expr;
}

/* ---- comprehensions, quantifiers, reduce ------------------------------------------------------
 */

static struct expr *walk_new(struct parser *p, enum expr_kind kind, uint32_t first)
{
    struct expr *expr = expr_new(p, kind, first);
    if (expr != NULL) {
        expr->as.walk.slot = AST_NO_SLOT;
        expr->as.walk.accumulator_slot = AST_NO_SLOT;
    }
    return expr;
}

/* variable IN list [WHERE condition] */
static bool parse_walk(struct parser *p, struct expr *expr)
{
    if (!parser_variable(p, &expr->as.walk.name) || !parser_expect_word(p, WORD_IN)) {
        return false;
    }
    expr->as.walk.list = parse_expr(p);
    if (expr->as.walk.list == NULL) {
        return false;
    }
    if (parser_accept_word(p, WORD_WHERE)) {
        expr->as.walk.where = parse_expr(p);
        return expr->as.walk.where != NULL;
    }
    return true;
}

static struct expr *parse_list_comprehension(struct parser *p)
{
    uint32_t first = p->at;
    struct expr *expr = walk_new(p, EXPR_LIST_COMPREHENSION, first);
    parser_advance(p);
    if (expr == NULL || !parse_walk(p, expr)) {
        return NULL;
    }
    if (parser_accept(p, TOKEN_BAR)) {
        expr->as.walk.mapped = parse_expr(p);
        if (expr->as.walk.mapped == NULL) {
            return NULL;
        }
    }
    if (!parser_expect(p, TOKEN_CLOSE_SQUARE)) {
        return NULL;
    }
    expr->spot = parser_spot(p, first);
    return expr;
}

static struct expr *parse_quantifier(struct parser *p, enum quantifier quantifier)
{
    uint32_t first = p->at;
    struct expr *expr = walk_new(p, EXPR_QUANTIFIER, first);
    parser_advance(p);
    parser_advance(p);
    if (expr == NULL || !parse_walk(p, expr) || !parser_expect(p, TOKEN_CLOSE_ROUND)) {
        return NULL;
    }
    expr->as.walk.quantifier = quantifier;
    expr->spot = parser_spot(p, first);
    return expr;
}

/* reduce(accumulator = initial, variable IN list | step) */
static struct expr *parse_reduce(struct parser *p)
{
    uint32_t first = p->at;
    struct expr *expr = walk_new(p, EXPR_REDUCE, first);
    parser_advance(p);
    parser_advance(p);
    if (expr == NULL || !parser_variable(p, &expr->as.walk.accumulator) ||
        !parser_expect(p, TOKEN_EQUAL)) {
        return NULL;
    }
    expr->as.walk.initial = parse_expr(p);
    if (expr->as.walk.initial == NULL || !parser_expect(p, TOKEN_COMMA) ||
        !parser_variable(p, &expr->as.walk.name) || !parser_expect_word(p, WORD_IN)) {
        return NULL;
    }
    expr->as.walk.list = parse_expr(p);
    if (expr->as.walk.list == NULL || !parser_expect(p, TOKEN_BAR)) {
        return NULL;
    }
    expr->as.walk.mapped = parse_expr(p);
    if (expr->as.walk.mapped == NULL || !parser_expect(p, TOKEN_CLOSE_ROUND)) {
        return NULL;
    }
    expr->spot = parser_spot(p, first);
    return expr;
}

/* ---- patterns and subqueries ------------------------------------------------------------------
 */

static struct expr *pattern_expr_new(struct parser *p, enum expr_kind kind, uint32_t first)
{
    struct expr *expr = expr_new(p, kind, first);
    struct pattern *pattern = parser_alloc(p, sizeof(*pattern));
    struct path_pattern *path = parser_alloc(p, sizeof(*path));
    if (expr == NULL || pattern == NULL || path == NULL) {
        return NULL;
    }
    *pattern = (struct pattern){path, 1};
    expr->as.pattern.pattern = pattern;
    return expr;
}

static struct expr *parse_pattern_predicate(struct parser *p)
{
    uint32_t first = p->at;
    struct expr *expr = pattern_expr_new(p, EXPR_PATTERN, first);
    if (expr == NULL || !parse_path(p, false, expr->as.pattern.pattern->paths)) {
        return NULL;
    }
    expr->spot = parser_spot(p, first);
    return expr;
}

static struct expr *parse_pattern_comprehension(struct parser *p)
{
    uint32_t first = p->at;
    struct expr *expr = pattern_expr_new(p, EXPR_PATTERN_COMPREHENSION, first);
    parser_advance(p);
    if (expr == NULL || !parse_path(p, true, expr->as.pattern.pattern->paths)) {
        return NULL;
    }
    if (parser_accept_word(p, WORD_WHERE)) {
        expr->as.pattern.where = parse_expr(p);
        if (expr->as.pattern.where == NULL) {
            return NULL;
        }
    }
    if (!parser_expect(p, TOKEN_BAR)) {
        return NULL;
    }
    expr->as.pattern.mapped = parse_expr(p);
    if (expr->as.pattern.mapped == NULL || !parser_expect(p, TOKEN_CLOSE_SQUARE)) {
        return NULL;
    }
    expr->spot = parser_spot(p, first);
    return expr;
}

static struct expr *parse_shortest_path(struct parser *p)
{
    uint32_t first = p->at;
    struct expr *expr = pattern_expr_new(p, EXPR_SHORTEST_PATH, first);
    if (expr == NULL || !parse_shortest(p, expr->as.pattern.pattern->paths)) {
        return NULL;
    }
    expr->as.pattern.is_all = expr->as.pattern.pattern->paths->shape == PATTERN_ALL_SHORTEST;
    expr->spot = parser_spot(p, first);
    return expr;
}

/* EXISTS, COUNT or COLLECT with a subquery in braces. */
static struct expr *parse_subquery_expr(struct parser *p, enum expr_kind kind)
{
    uint32_t first = p->at;
    struct expr *expr = expr_new(p, kind, first);
    parser_advance(p);
    parser_advance(p);
    if (expr == NULL) {
        return NULL;
    }
    expr->as.subquery = parse_subquery(p);
    if (expr->as.subquery == NULL) {
        return NULL;
    }
    expr->spot = parser_spot(p, first);
    return expr;
}

/* exists((a)-->(b)), as it was written before EXISTS { } came. */
static struct expr *parse_exists_pattern(struct parser *p)
{
    uint32_t first = p->at;
    parser_advance(p);
    parser_advance(p);
    struct query_part *part = parser_alloc(p, sizeof(*part));
    struct single_query *query = parser_alloc(p, sizeof(*query));
    struct clause *clause = parser_alloc(p, sizeof(*clause));
    struct expr *pattern =
        part == NULL || query == NULL || clause == NULL ? NULL : parse_pattern_predicate(p);
    if (pattern == NULL || !parser_expect(p, TOKEN_CLOSE_ROUND)) {
        return NULL;
    }
    clause->kind = CLAUSE_MATCH;
    clause->spot = pattern->spot;
    clause->as.match.pattern = *pattern->as.pattern.pattern;
    *query = (struct single_query){clause, 1};
    part->queries = query;
    part->query_count = 1;
    struct expr *expr = expr_new(p, EXPR_EXISTS, first);
    if (expr != NULL) {
        expr->as.subquery = part;
    }
    return expr;
}

/* ---- lists -----------------------------------------------------------------------------------
 */

static bool is_name(const struct token *token)
{
    return token->kind == TOKEN_NAME || token->kind == TOKEN_QUOTED_NAME;
}

/* Behind '[': [name =] a pattern, then WHERE or '|'. */
static bool at_pattern_comprehension(const struct parser *p)
{
    uint32_t first = p->at + 1;
    if (is_name(&p->tokens[first]) && p->tokens[first + 1].kind == TOKEN_EQUAL) {
        first += 2;
    }
    uint32_t end = p->tokens[first].kind == TOKEN_OPEN_ROUND ? pattern_end(p, first) : 0;
    return end != 0 && (p->tokens[end].kind == TOKEN_BAR || p->tokens[end].word == WORD_WHERE);
}

static struct expr *parse_list(struct parser *p)
{
    if (is_name(parser_ahead(p, 1)) && parser_ahead(p, 2)->word == WORD_IN) {
        return parse_list_comprehension(p);
    }
    if (at_pattern_comprehension(p)) {
        return parse_pattern_comprehension(p);
    }
    uint32_t first = p->at;
    struct expr_list list;
    parser_advance(p);
    if (!parse_expr_list(p, TOKEN_CLOSE_SQUARE, &list)) {
        return NULL;
    }
    struct expr *expr = expr_new(p, EXPR_LIST, first);
    if (expr != NULL) {
        expr->as.list = list;
    }
    return expr;
}

/* ---- CASE ------------------------------------------------------------------------------------
 */

static bool parse_branch(struct parser *p, struct case_branch *branch)
{
    branch->when = parse_expr(p);
    if (branch->when == NULL || !parser_expect_word(p, WORD_THEN)) {
        return false;
    }
    branch->then = parse_expr(p);
    return branch->then != NULL;
}

static struct expr *parse_case(struct parser *p)
{
    uint32_t first = p->at;
    struct expr *subject = NULL;
    struct expr *otherwise = NULL;
    struct parser_list branches = {NULL, 0, 0};
    parser_advance(p);
    if (!parser_at_word(p, WORD_WHEN)) {
        subject = parse_expr(p);
        if (subject == NULL) {
            return NULL;
        }
    }
    while (parser_accept_word(p, WORD_WHEN)) {
        struct case_branch *branch = parser_push(p, &branches, sizeof(*branch));
        if (branch == NULL || !parse_branch(p, branch)) {
            return NULL;
        }
    }
    if (branches.count == 0) {
        parser_fail(p);
        return NULL;
    }
    if (parser_accept_word(p, WORD_ELSE)) {
        otherwise = parse_expr(p);
        if (otherwise == NULL) {
            return NULL;
        }
    }
    if (!parser_expect_word(p, WORD_END)) {
        return NULL;
    }
    struct expr *expr = expr_new(p, EXPR_CASE, first);
    if (expr != NULL) {
        expr->as.choice.subject = subject;
        expr->as.choice.branches = branches.items;
        expr->as.choice.branch_count = branches.count;
        expr->as.choice.otherwise = otherwise;
    }
    return expr;
}

/* ---- names: calls, variables ------------------------------------------------------------------
 */

/* name(, name.space.name( : the token of the parenthesis, 0: no call. */
static uint32_t call_parenthesis(const struct parser *p)
{
    uint32_t at = p->at + 1;
    while (p->tokens[at].kind == TOKEN_DOT && is_name(&p->tokens[at + 1])) {
        at += 2;
    }
    return p->tokens[at].kind == TOKEN_OPEN_ROUND ? at : 0;
}

static struct expr *parse_call(struct parser *p)
{
    uint32_t first = p->at;
    bool is_count = parser_is_word(p, WORD_COUNT);
    struct yore_bytes name;
    if (!parser_dotted_name(p, &name) || !parser_expect(p, TOKEN_OPEN_ROUND)) {
        return NULL;
    }
    if (is_count && parser_is(p, TOKEN_STAR) && parser_ahead(p, 1)->kind == TOKEN_CLOSE_ROUND) {
        parser_advance(p);
        parser_advance(p);
        return expr_new(p, EXPR_COUNT_STAR, first);
    }
    bool is_distinct = parser_accept_word(p, WORD_DISTINCT);
    struct expr_list arguments;
    if (!parse_expr_list(p, TOKEN_CLOSE_ROUND, &arguments)) {
        return NULL;
    }
    struct expr *expr = expr_new(p, EXPR_CALL, first);
    if (expr != NULL) {
        expr->as.call.name = name;
        expr->as.call.arguments = arguments;
        expr->as.call.is_distinct = is_distinct;
        expr->as.call.slot = AST_NO_SLOT;
    }
    return expr;
}

static struct expr *parse_variable(struct parser *p)
{
    uint32_t first = p->at;
    struct yore_bytes name;
    return parser_variable(p, &name) ? variable_new(p, first, name) : NULL;
}

static enum quantifier quantifier_of(unsigned word)
{
    switch (word) {
    case WORD_ALL:
        return QUANTIFIER_ALL;
    case WORD_ANY:
        return QUANTIFIER_ANY;
    case WORD_NONE:
        return QUANTIFIER_NONE;
    case WORD_SINGLE:
        return QUANTIFIER_SINGLE;
    default:
        return (enum quantifier)0;
    }
}

static enum expr_kind subquery_of(unsigned word)
{
    switch (word) {
    case WORD_EXISTS:
        return EXPR_EXISTS;
    case WORD_COUNT:
        return EXPR_COUNT;
    case WORD_COLLECT:
        return EXPR_COLLECT;
    default:
        return (enum expr_kind)0;
    }
}

/* `order` may be a variable, but ORDER BY begins a clause: what follows tells. */
static bool begins_clause(const struct parser *p)
{
    if (token_word_reserved(parser_token(p)->word) == RESERVED_NEVER) {
        return false;
    }
    const struct token *next = parser_ahead(p, 1);
    switch (next->kind) {
    case TOKEN_NAME:
        return token_word_reserved(next->word) == RESERVED_NEVER;
    case TOKEN_QUOTED_NAME:
    case TOKEN_STRING:
    case TOKEN_INTEGER:
    case TOKEN_FLOAT:
    case TOKEN_DOLLAR:
    case TOKEN_OPEN_ROUND:
    case TOKEN_OPEN_CURLY:
        return true;
    default:
        return false;
    }
}

/* What begins with a name: only what follows tells keywords of expressions from names. */
static struct expr *parse_named(struct parser *p)
{
    unsigned word = parser_token(p)->word;
    enum token_kind next = (enum token_kind)parser_ahead(p, 1)->kind;
    if (next == TOKEN_OPEN_CURLY) {
        enum expr_kind kind = subquery_of(word);
        return kind != 0 ? parse_subquery_expr(p, kind) : parse_map_projection(p);
    }
    if (next == TOKEN_OPEN_ROUND) {
        bool is_walk = is_name(parser_ahead(p, 2)) && parser_ahead(p, 3)->word == WORD_IN;
        enum quantifier quantifier = quantifier_of(word);
        if (quantifier != 0 && is_walk) {
            return parse_quantifier(p, quantifier);
        }
        if (word == WORD_REDUCE && parser_ahead(p, 3)->kind == TOKEN_EQUAL) {
            return parse_reduce(p);
        }
        if (parser_at_shortest(p)) {
            return parse_shortest_path(p);
        }
        if (word == WORD_EXISTS && pattern_end(p, p->at + 2) != 0) {
            return parse_exists_pattern(p);
        }
    }
    if (call_parenthesis(p) != 0) {
        return parse_call(p);
    }
    if (parser_at_variable(p) && !begins_clause(p)) {
        return parse_variable(p);
    }
    parser_wish(p, "an expression");
    return NULL;
}

static struct expr *parse_parenthesised(struct parser *p)
{
    if (pattern_end(p, p->at) != 0) {
        return parse_pattern_predicate(p);
    }
    parser_advance(p);
    struct expr *expr = parse_expr(p);
    return expr != NULL && parser_expect(p, TOKEN_CLOSE_ROUND) ? expr : NULL;
}

static struct expr *parse_operand(struct parser *p)
{
    switch (parser_token(p)->kind) {
    case TOKEN_INTEGER:
    case TOKEN_FLOAT:
        return parse_number(p);
    case TOKEN_BAD_NUMBER:
        return parse_bad_number(p);
    case TOKEN_STRING:
        return parse_string(p);
    case TOKEN_DOLLAR:
        return parse_parameter(p);
    case TOKEN_OPEN_CURLY:
        return parse_map(p);
    case TOKEN_OPEN_SQUARE:
        return parse_list(p);
    case TOKEN_OPEN_ROUND:
        return parse_parenthesised(p);
    case TOKEN_NAME:
        if (parser_is_word(p, WORD_NULL) || parser_is_word(p, WORD_TRUE) ||
            parser_is_word(p, WORD_FALSE)) {
            return parse_word_literal(p);
        }
        return parser_is_word(p, WORD_CASE) ? parse_case(p) : parse_named(p);
    case TOKEN_QUOTED_NAME:
        return parse_named(p);
    default:
        parser_wish(p, "an expression");
        return NULL;
    }
}

/* A parenthesis is no node of its own: its height is that of what it holds. */
struct expr *parse_atom(struct parser *p)
{
    uint32_t outer = p->tallest;
    bool is_parenthesis = parser_is(p, TOKEN_OPEN_ROUND);
    p->tallest = 0;
    struct expr *expr = parse_operand(p);
    if (expr == NULL) {
        return NULL;
    }
    if (!is_parenthesis || expr->kind == EXPR_PATTERN) {
        expr = expr_finish(p, expr, p->tallest);
    }
    if (outer > p->tallest) {
        p->tallest = outer;
    }
    return expr;
}
