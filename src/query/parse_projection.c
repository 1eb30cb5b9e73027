/* parse_projection.c -- what WITH and RETURN have in common. */
#include "query/parser_internal.h"

static bool parse_item(struct parser *p, struct projection_item *item)
{
    uint32_t first = p->at;
    item->slot = AST_NO_SLOT;
    item->value = parse_expr(p);
    if (item->value == NULL) {
        return false;
    }
    if (parser_accept_word(p, WORD_AS)) {
        item->has_alias = true;
        return parser_variable(p, &item->name);
    }
    item->name = item->value->kind == EXPR_VARIABLE ? item->value->as.variable.name
                                                    : parser_text(p, parser_spot(p, first));
    return true;
}

static bool parse_items(struct parser *p, struct projection *projection)
{
    struct parser_list items = {NULL, 0, 0};
    bool goes_on = true;
    if (parser_accept(p, TOKEN_STAR)) {
        projection->has_star = true;
        goes_on = parser_accept(p, TOKEN_COMMA);
    }
    while (goes_on) {
        struct projection_item *item = parser_push(p, &items, sizeof(*item));
        if (item == NULL || !parse_item(p, item)) {
            return false;
        }
        goes_on = parser_accept(p, TOKEN_COMMA);
    }
    projection->items = items.items;
    projection->item_count = items.count;
    return true;
}

static bool parse_sorts(struct parser *p, struct projection *projection)
{
    struct parser_list sorts = {NULL, 0, 0};
    do {
        struct sort_item *sort = parser_push(p, &sorts, sizeof(*sort));
        if (sort == NULL) {
            return false;
        }
        sort->value = parse_expr(p);
        if (sort->value == NULL) {
            return false;
        }
        sort->is_descending =
            parser_accept_word(p, WORD_DESC) || parser_accept_word(p, WORD_DESCENDING);
        if (!sort->is_descending && !parser_accept_word(p, WORD_ASC)) {
            parser_accept_word(p, WORD_ASCENDING);
        }
    } while (parser_accept(p, TOKEN_COMMA));
    projection->sorts = sorts.items;
    projection->sort_count = sorts.count;
    return true;
}

static bool parse_optional_expr(struct parser *p, enum token_word word, struct expr **expr_out)
{
    if (!parser_accept_word(p, word)) {
        return true;
    }
    *expr_out = parse_expr(p);
    return *expr_out != NULL;
}

bool parse_projection(struct parser *p, struct projection *projection, bool is_with)
{
    projection->is_distinct = parser_accept_word(p, WORD_DISTINCT);
    if (!parse_items(p, projection)) {
        return false;
    }
    if (parser_accept_words(p, WORD_ORDER, WORD_BY)) {
        if (!parse_sorts(p, projection)) {
            return false;
        }
    }
    return parse_optional_expr(p, WORD_SKIP, &projection->skip) &&
           parse_optional_expr(p, WORD_LIMIT, &projection->limit) &&
           (!is_with || parse_optional_expr(p, WORD_WHERE, &projection->where));
}
