#include "query/parser_internal.h"

/* ---- is it a pattern? -------------------------------------------------------------------------
 *
 * `(a)` may begin an expression or a pattern; what follows tells.  These look ahead along tokens,
 * over what stands in brackets in one step, and say where the part ends; 0: it is none.
 */

static uint32_t node_end(const struct parser *p, uint32_t at)
{
    const struct token *tokens = p->tokens;
    uint32_t close = tokens[at].match;
    if (tokens[at].kind != TOKEN_OPEN_ROUND || close == 0) {
        return 0;
    }
    at++;
    if (tokens[at].kind == TOKEN_NAME || tokens[at].kind == TOKEN_QUOTED_NAME) {
        at++;
    }
    while (tokens[at].kind == TOKEN_COLON || tokens[at].kind == TOKEN_AMPERSAND) {
        at += 2;
        if (at > close) {
            return 0;
        }
    }
    if (tokens[at].kind == TOKEN_OPEN_CURLY && tokens[at].match != 0) {
        at = tokens[at].match + 1;
    } else if (tokens[at].kind == TOKEN_DOLLAR) {
        at += 2;
    }
    return at == close ? close + 1 : 0;
}

static uint32_t relationship_end(const struct parser *p, uint32_t at)
{
    const struct token *tokens = p->tokens;
    at += tokens[at].kind == TOKEN_LESS ? 1 : 0;
    if (tokens[at].kind != TOKEN_MINUS) {
        return 0;
    }
    at++;
    if (tokens[at].kind == TOKEN_OPEN_SQUARE) {
        if (tokens[at].match == 0) {
            return 0;
        }
        at = tokens[at].match + 1;
    }
    if (tokens[at].kind != TOKEN_MINUS) {
        return 0;
    }
    at++;
    at += tokens[at].kind == TOKEN_GREATER ? 1 : 0;
    return at;
}

uint32_t pattern_end(const struct parser *p, uint32_t first)
{
    uint32_t end = 0;
    uint32_t at = node_end(p, first);
    while (at != 0) {
        uint32_t behind = relationship_end(p, at);
        at = behind == 0 ? 0 : node_end(p, behind);
        end = at != 0 ? at : end;
    }
    return end;
}

/* ---- nodes -----------------------------------------------------------------------------------
 */

static bool parse_properties(struct parser *p, struct expr **properties_out)
{
    if (parser_at(p, TOKEN_OPEN_CURLY)) {
        uint32_t outer = p->tallest;
        p->tallest = 0;
        struct expr *map = parse_map(p);
        *properties_out = map == NULL ? NULL : expr_finish(p, map, p->tallest);
        p->tallest = outer > p->tallest ? outer : p->tallest;
        return *properties_out != NULL;
    }
    if (parser_at(p, TOKEN_DOLLAR)) {
        struct expr *parameter = parse_parameter(p);
        *properties_out = parameter == NULL ? NULL : expr_finish(p, parameter, 0);
        return *properties_out != NULL;
    }
    return true;
}

static bool parse_node(struct parser *p, struct node_pattern *node)
{
    uint32_t first = p->at;
    node->slot = AST_NO_SLOT;
    if (!parser_expect(p, TOKEN_OPEN_ROUND)) {
        return false;
    }
    if (parser_at_variable(p) && !parser_variable(p, &node->name)) {
        return false;
    }
    if (parser_at(p, TOKEN_COLON) && !parser_labels(p, &node->labels, &node->label_count)) {
        return false;
    }
    if (!parse_properties(p, &node->properties)) {
        return false;
    }
    if (!parser_expect(p, TOKEN_CLOSE_ROUND)) {
        return false;
    }
    node->spot = parser_spot(p, first);
    return true;
}

/* ---- relationships ---------------------------------------------------------------------------
 */

/* :A|B|:C */
static bool parse_types(struct parser *p, struct relationship_pattern *relationship)
{
    struct parser_list types = {NULL, 0, 0};
    if (!parser_accept(p, TOKEN_COLON)) {
        return true;
    }
    do {
        if (types.count > 0) {
            parser_accept(p, TOKEN_COLON);
        }
        struct yore_bytes *type = parser_push(p, &types, sizeof(*type));
        if (type == NULL || !parser_name(p, type)) {
            return false;
        }
    } while (parser_accept(p, TOKEN_BAR));
    relationship->types = types.items;
    relationship->type_count = types.count;
    return true;
}

static bool parse_bound(struct parser *p, uint32_t *bound_out)
{
    struct lexer_literal literal = {p->text, parser_token(p)};
    uint64_t bound = 0;
    p->status = lexer_integer(&literal, false, &bound, p->error);
    if (p->status != YORE_OK) {
        return false;
    }
    if (bound >= PATTERN_NO_MAXIMUM) {
        return parser_fail_at(p, parser_spot(p, p->at), "IntegerOverflow",
                              "a path has at most 4,294,967,294 relationships");
    }
    parser_advance(p);
    *bound_out = (uint32_t)bound;
    return true;
}

/* *, *2, *1.., *..3, *1..3 */
static bool parse_length(struct parser *p, struct relationship_pattern *relationship)
{
    relationship->minimum = 1;
    relationship->maximum = 1;
    if (parser_is(p, TOKEN_DOTS) || parser_is(p, TOKEN_INTEGER)) {
        return parser_fail_at(p, parser_spot(p, p->at), "InvalidRelationshipPattern",
                              "a length is written with a star: *, *2, *1..3");
    }
    if (!parser_accept(p, TOKEN_STAR)) {
        return true;
    }
    relationship->is_variable_length = true;
    relationship->maximum = PATTERN_NO_MAXIMUM;
    bool has_minimum = parser_at(p, TOKEN_INTEGER);
    if (has_minimum && !parse_bound(p, &relationship->minimum)) {
        return false;
    }
    if (!parser_accept(p, TOKEN_DOTS)) {
        relationship->maximum = has_minimum ? relationship->minimum : PATTERN_NO_MAXIMUM;
        return true;
    }
    return !parser_at(p, TOKEN_INTEGER) || parse_bound(p, &relationship->maximum);
}

static bool parse_relationship_inside(struct parser *p, struct relationship_pattern *relationship)
{
    if (parser_at_variable(p) && !parser_variable(p, &relationship->name)) {
        return false;
    }
    return parse_types(p, relationship) && parse_length(p, relationship) &&
           parse_properties(p, &relationship->properties) && parser_expect(p, TOKEN_CLOSE_SQUARE);
}

static bool parse_relationship(struct parser *p, struct relationship_pattern *relationship)
{
    uint32_t first = p->at;
    *relationship = (struct relationship_pattern){
        .slot = AST_NO_SLOT, .minimum = 1, .maximum = 1, .direction = PATTERN_EITHER};
    bool points_left = parser_accept(p, TOKEN_LESS);
    if (!parser_expect(p, TOKEN_MINUS)) {
        return false;
    }
    if (parser_accept(p, TOKEN_OPEN_SQUARE) && !parse_relationship_inside(p, relationship)) {
        return false;
    }
    if (!parser_expect(p, TOKEN_MINUS)) {
        return false;
    }
    bool points_right = parser_accept(p, TOKEN_GREATER);
    if (points_left != points_right) {
        relationship->direction = points_left ? PATTERN_LEFT : PATTERN_RIGHT;
    }
    relationship->spot = parser_spot(p, first);
    return true;
}

/* ---- paths -----------------------------------------------------------------------------------
 */

static bool parse_chain(struct parser *p, struct path_pattern *path)
{
    struct parser_list nodes = {NULL, 0, 0};
    struct parser_list relationships = {NULL, 0, 0};
    uint32_t first = p->at;
    struct node_pattern *node = parser_push(p, &nodes, sizeof(*node));
    if (node == NULL || !parse_node(p, node)) {
        return false;
    }
    while (parser_at(p, TOKEN_MINUS) || parser_at(p, TOKEN_LESS)) {
        struct relationship_pattern *relationship =
            parser_push(p, &relationships, sizeof(*relationship));
        if (relationship == NULL || !parse_relationship(p, relationship)) {
            return false;
        }
        node = parser_push(p, &nodes, sizeof(*node));
        if (node == NULL || !parse_node(p, node)) {
            return false;
        }
    }
    path->nodes = nodes.items;
    path->relationships = relationships.items;
    path->length = relationships.count;
    path->spot = parser_spot(p, first);
    return true;
}

bool parser_at_shortest(const struct parser *p)
{
    return (parser_is_word(p, WORD_SHORTESTPATH) || parser_is_word(p, WORD_ALLSHORTESTPATHS)) &&
           parser_ahead(p, 1)->kind == TOKEN_OPEN_ROUND;
}

bool parse_shortest(struct parser *p, struct path_pattern *path)
{
    enum pattern_shape shape =
        parser_is_word(p, WORD_SHORTESTPATH) ? PATTERN_SHORTEST : PATTERN_ALL_SHORTEST;
    path->slot = AST_NO_SLOT;
    parser_advance(p);
    if (!parser_expect(p, TOKEN_OPEN_ROUND) || !parse_chain(p, path)) {
        return false;
    }
    path->shape = shape;
    if (path->length != 1) {
        return parser_fail_at(p, path->spot, "InvalidRelationshipPattern",
                              "a shortest path is asked for with one relationship, such as "
                              "(a)-[*]-(b)");
    }
    return parser_expect(p, TOKEN_CLOSE_ROUND);
}

/* Parentheses around a whole path mean nothing. */
static bool parse_enclosed(struct parser *p, struct path_pattern *path)
{
    uint32_t open = 0;
    while (parser_is(p, TOKEN_OPEN_ROUND) && parser_ahead(p, 1)->kind == TOKEN_OPEN_ROUND) {
        parser_advance(p);
        open++;
    }
    if (!parse_chain(p, path)) {
        return false;
    }
    for (; open > 0; open--) {
        if (!parser_expect(p, TOKEN_CLOSE_ROUND)) {
            return false;
        }
    }
    return true;
}

bool parse_path(struct parser *p, bool may_be_named, struct path_pattern *path)
{
    path->slot = AST_NO_SLOT;
    path->shape = PATTERN_PLAIN;
    if (!parser_deeper(p)) {
        return false;
    }
    if (may_be_named && parser_at_variable(p) && parser_ahead(p, 1)->kind == TOKEN_EQUAL) {
        if (!parser_variable(p, &path->name) || !parser_expect(p, TOKEN_EQUAL)) {
            return false;
        }
    }
    bool is_parsed = false;
    if (may_be_named && parser_at_shortest(p)) {
        is_parsed = parse_shortest(p, path);
    } else if (parser_is(p, TOKEN_OPEN_ROUND)) {
        is_parsed = parse_enclosed(p, path);
    } else {
        parser_wish(p, "a pattern such as (a)-[r]->(b)");
    }
    p->depth--;
    return is_parsed;
}

bool parse_pattern(struct parser *p, struct pattern *pattern)
{
    struct parser_list paths = {NULL, 0, 0};
    do {
        struct path_pattern *path = parser_push(p, &paths, sizeof(*path));
        if (path == NULL || !parse_path(p, true, path)) {
            return false;
        }
    } while (parser_accept(p, TOKEN_COMMA));
    pattern->paths = paths.items;
    pattern->path_count = paths.count;
    return true;
}
