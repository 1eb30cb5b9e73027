/* resolve_update.c -- clauses that write. */
#include "query/resolver_internal.h"

/* A target that is a property, an element, or what an expression gives. */
static bool resolve_target(struct resolver *r, struct expr *object)
{
    struct type type;
    if (!resolve_expr(r, object, &type)) {
        return false;
    }
    if (!type_fits(type, KINDS_ELEMENT)) {
        return resolver_fail(r, object->spot, "InvalidArgumentType",
                             "only nodes and relationships can be changed, this is %s",
                             type_text(type));
    }
    return true;
}

static bool resolve_set_item(struct resolver *r, struct set_item *item)
{
    struct type type;
    if (!resolve_target(r, item->object)) {
        return false;
    }
    if (item->value == NULL) {
        return true;
    }
    if (!resolve_expr(r, item->value, &type)) {
        return false;
    }
    if (item->kind == SET_PROPERTY) {
        return check_property_value(r, item->value, type);
    }
    if (!type_fits(type, KIND_MAP | KINDS_ELEMENT)) {
        return resolver_fail(r, item->value->spot, "InvalidArgumentType",
                             "properties are set from a map or an element, not %s",
                             type_text(type));
    }
    return true;
}

static bool resolve_set_items(struct resolver *r, struct set_item *items, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (!resolve_set_item(r, &items[i])) {
            return false;
        }
    }
    return true;
}

static bool resolve_merge(struct resolver *r, struct clause *clause)
{
    return resolve_merge_pattern(r, &clause->as.merge.pattern) &&
           resolve_set_items(r, clause->as.merge.on_create, clause->as.merge.on_create_count) &&
           resolve_set_items(r, clause->as.merge.on_match, clause->as.merge.on_match_count);
}

static bool resolve_delete(struct resolver *r, struct clause *clause)
{
    for (uint32_t i = 0; i < clause->as.delete.targets.count; i++) {
        struct expr *target = clause->as.delete.targets.items[i];
        struct type type;
        if (!resolve_expr(r, target, &type)) {
            return false;
        }
        if (target->kind == EXPR_HAS_LABELS) {
            return resolver_fail(r, target->spot, "InvalidDelete",
                                 "a label is taken away with REMOVE, not with DELETE");
        }
        if (!type_fits(type, KINDS_ELEMENT | KIND_PATH)) {
            return resolver_fail(r, target->spot, "InvalidArgumentType",
                                 "only nodes, relationships and paths can be deleted, this is %s",
                                 type_text(type));
        }
    }
    return true;
}

static bool resolve_foreach(struct resolver *r, struct clause *clause)
{
    struct type list;
    if (!resolve_expr(r, clause->as.foreach.list, &list)) {
        return false;
    }
    if (!type_fits(list, KIND_LIST)) {
        return resolver_fail(r, clause->as.foreach.list->spot, "InvalidArgumentType",
                             "FOREACH goes over a list, not %s", type_text(list));
    }
    const struct binding *scope = r->scope;
    struct type item = type_of(list.kinds == KIND_LIST ? list.items : KINDS_ANY);
    if (!slot_new(r, clause->as.foreach.name, item, &clause->as.foreach.slot) ||
        !scope_bind(r, clause->as.foreach.name, clause->as.foreach.slot)) {
        return false;
    }
    for (uint32_t i = 0; i < clause->as.foreach.body_count; i++) {
        if (!resolve_update(r, &clause->as.foreach.body[i])) {
            return false;
        }
    }
    r->scope = scope;
    return true;
}

bool resolve_update(struct resolver *r, struct clause *clause)
{
    switch (clause->kind) {
    case CLAUSE_CREATE:
        return resolve_create_pattern(r, &clause->as.create.pattern);
    case CLAUSE_MERGE:
        return resolve_merge(r, clause);
    case CLAUSE_SET:
    case CLAUSE_REMOVE:
        return resolve_set_items(r, clause->as.set.items, clause->as.set.count);
    case CLAUSE_DELETE:
        return resolve_delete(r, clause);
    case CLAUSE_FOREACH:
        return resolve_foreach(r, clause);
    default:
        return resolver_fail(r, clause->spot, "InvalidClauseComposition",
                             "only clauses that write may stand here");
    }
}
