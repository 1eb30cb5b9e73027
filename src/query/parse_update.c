/* parse_update.c -- clauses that write. */
#include "query/parser_internal.h"

bool parse_create(struct parser *p, struct clause *clause)
{
    clause->kind = CLAUSE_CREATE;
    parser_advance(p);
    return parse_pattern(p, &clause->as.create.pattern);
}

/* ---- SET and REMOVE --------------------------------------------------------------------------
 */

/* An element, or a property of one; labels are left for the caller. */
static struct expr *parse_target(struct parser *p)
{
    if (!parser_deeper(p)) {
        return NULL;
    }
    p->has_no_labels = true;
    struct expr *target = parse_postfix(p);
    p->depth--;
    return target;
}

static bool parse_set_value(struct parser *p, struct set_item *item)
{
    parser_advance(p);
    item->value = parse_expr(p);
    return item->value != NULL;
}

static bool parse_set_item(struct parser *p, struct set_item *item)
{
    uint32_t first = p->at;
    item->object = parse_target(p);
    if (item->object == NULL) {
        return false;
    }
    bool is_property = item->object->kind == EXPR_PROPERTY;
    if (parser_at(p, TOKEN_EQUAL)) {
        item->kind = is_property ? SET_PROPERTY : SET_REPLACE;
        if (is_property) {
            item->name = item->object->as.property.name;
            item->object = item->object->as.property.object;
        }
        if (!parse_set_value(p, item)) {
            return false;
        }
    } else if (!is_property && parser_at(p, TOKEN_PLUS_EQUAL)) {
        item->kind = SET_MERGE;
        if (!parse_set_value(p, item)) {
            return false;
        }
    } else if (!is_property && parser_at(p, TOKEN_COLON)) {
        item->kind = SET_LABELS;
        if (!parser_labels(p, &item->labels, &item->label_count)) {
            return false;
        }
    } else {
        return parser_fail(p);
    }
    item->spot = parser_spot(p, first);
    return true;
}

static bool parse_set_items(struct parser *p, struct parser_list *items)
{
    do {
        struct set_item *item = parser_push(p, items, sizeof(*item));
        if (item == NULL || !parse_set_item(p, item)) {
            return false;
        }
    } while (parser_accept(p, TOKEN_COMMA));
    return true;
}

bool parse_set(struct parser *p, struct clause *clause)
{
    struct parser_list items = {NULL, 0, 0};
    clause->kind = CLAUSE_SET;
    parser_advance(p);
    if (!parse_set_items(p, &items)) {
        return false;
    }
    clause->as.set.items = items.items;
    clause->as.set.count = items.count;
    return true;
}

static bool parse_remove_item(struct parser *p, struct set_item *item)
{
    uint32_t first = p->at;
    item->object = parse_target(p);
    if (item->object == NULL) {
        return false;
    }
    if (parser_at(p, TOKEN_COLON)) {
        item->kind = REMOVE_LABELS;
        if (!parser_labels(p, &item->labels, &item->label_count)) {
            return false;
        }
    } else if (item->object->kind == EXPR_PROPERTY) {
        item->kind = REMOVE_PROPERTY;
        item->name = item->object->as.property.name;
        item->object = item->object->as.property.object;
    } else {
        parser_at(p, TOKEN_DOT);
        return parser_fail(p);
    }
    item->spot = parser_spot(p, first);
    return true;
}

bool parse_remove(struct parser *p, struct clause *clause)
{
    struct parser_list items = {NULL, 0, 0};
    clause->kind = CLAUSE_REMOVE;
    parser_advance(p);
    do {
        struct set_item *item = parser_push(p, &items, sizeof(*item));
        if (item == NULL || !parse_remove_item(p, item)) {
            return false;
        }
    } while (parser_accept(p, TOKEN_COMMA));
    clause->as.set.items = items.items;
    clause->as.set.count = items.count;
    return true;
}

/* ---- MERGE, DELETE, FOREACH ------------------------------------------------------------------
 */

bool parse_merge(struct parser *p, struct clause *clause)
{
    struct parser_list on_create = {NULL, 0, 0};
    struct parser_list on_match = {NULL, 0, 0};
    struct path_pattern *path = parser_alloc(p, sizeof(*path));
    clause->kind = CLAUSE_MERGE;
    parser_advance(p);
    if (path == NULL || !parse_path(p, true, path)) {
        return false;
    }
    clause->as.merge.pattern = (struct pattern){path, 1};
    while (parser_accept_word(p, WORD_ON)) {
        bool is_create = parser_accept_word(p, WORD_CREATE);
        if (!is_create && !parser_expect_word(p, WORD_MATCH)) {
            return false;
        }
        if (!parser_expect_word(p, WORD_SET) ||
            !parse_set_items(p, is_create ? &on_create : &on_match)) {
            return false;
        }
    }
    clause->as.merge.on_create = on_create.items;
    clause->as.merge.on_create_count = on_create.count;
    clause->as.merge.on_match = on_match.items;
    clause->as.merge.on_match_count = on_match.count;
    return true;
}

bool parse_delete(struct parser *p, struct clause *clause)
{
    struct parser_list targets = {NULL, 0, 0};
    clause->kind = CLAUSE_DELETE;
    clause->as.delete.detaches = parser_accept_word(p, WORD_DETACH);
    if (!parser_expect_word(p, WORD_DELETE)) {
        return false;
    }
    do {
        struct expr *target = parse_expr(p);
        struct expr **item = target == NULL ? NULL : parser_push(p, &targets, sizeof(*item));
        if (item == NULL) {
            return false;
        }
        *item = target;
    } while (parser_accept(p, TOKEN_COMMA));
    clause->as.delete.targets = (struct expr_list){targets.items, targets.count};
    return true;
}

bool parse_foreach(struct parser *p, struct clause *clause)
{
    struct parser_list body = {NULL, 0, 0};
    clause->kind = CLAUSE_FOREACH;
    clause->as.foreach.slot = AST_NO_SLOT;
    parser_advance(p);
    if (!parser_expect(p, TOKEN_OPEN_ROUND) || !parser_variable(p, &clause->as.foreach.name) ||
        !parser_expect_word(p, WORD_IN)) {
        return false;
    }
    clause->as.foreach.list = parse_expr(p);
    if (clause->as.foreach.list == NULL || !parser_expect(p, TOKEN_BAR) || !parser_deeper(p)) {
        return false;
    }
    bool is_parsed = parse_updating_clauses(p, &body);
    p->depth--;
    clause->as.foreach.body = body.items;
    clause->as.foreach.body_count = body.count;
    return is_parsed && parser_expect(p, TOKEN_CLOSE_ROUND);
}
