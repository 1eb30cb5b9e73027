/* resolve_projection.c -- WITH and RETURN.
 *
 * Where a projection groups (aggregates, or DISTINCT), what comes after sees its columns only:
 * items with aggregates, ORDER BY and WHERE are *regrouped*, each part that is a grouping key read
 * from the key's slot.  Only variables and their properties are taken for keys inside larger
 * expressions, as openCypher has it; ORDER BY also knows a whole item again.
 */
#include <string.h>

#include "query/expr_equal.h"
#include "query/resolver_internal.h"

/* ---- the star --------------------------------------------------------------------------------
 */

static bool is_listed(const struct projection_item *items, uint32_t count, struct yore_bytes name)
{
    for (uint32_t i = 0; i < count; i++) {
        if (bytes_equal(items[i].name, name)) {
            return true;
        }
    }
    return false;
}

static struct expr *variable_of(struct resolver *r, const struct binding *binding,
                                struct ast_spot spot)
{
    struct expr *expr = resolver_alloc(r, sizeof(*expr));
    if (expr != NULL) {
        expr->kind = EXPR_VARIABLE;
        expr->height = 1;
        expr->spot = spot;
        expr->as.variable.name = binding->name;
        expr->as.variable.slot = binding->slot;
    }
    return expr;
}

/* Into `items`, by name. */
static bool insert_item(struct resolver *r, struct projection_item *items, uint32_t count,
                        const struct binding *binding, struct ast_spot spot)
{
    uint32_t at = count;
    while (at > 0 && bytes_compare(items[at - 1].name, binding->name) > 0) {
        at--;
    }
    memmove(&items[at + 1], &items[at], (count - at) * sizeof(*items));
    items[at] = (struct projection_item){.name = binding->name, .slot = AST_NO_SLOT};
    items[at].value = variable_of(r, binding, spot);
    return items[at].value != NULL;
}

static bool expand_star(struct resolver *r, struct clause *clause)
{
    struct projection *projection = &clause->as.projection;
    uint32_t visible = 0;
    for (const struct binding *b = r->scope; b != NULL; b = b->outer) {
        visible++;
    }
    struct projection_item *items =
        resolver_alloc(r, ((size_t)visible + projection->item_count + 1) * sizeof(*items));
    if (items == NULL) {
        return false;
    }
    uint32_t count = 0;
    for (const struct binding *b = r->scope; b != NULL; b = b->outer) {
        if (is_listed(items, count, b->name)) {
            continue;
        }
        if (!insert_item(r, items, count, b, clause->spot)) {
            return false;
        }
        count++;
    }
    if (count == 0 && projection->item_count == 0 && clause->kind == CLAUSE_RETURN) {
        return resolver_fail(r, clause->spot, "NoVariablesInScope",
                             "RETURN * has nothing to return: no variable is bound here");
    }
    if (projection->item_count > 0) {
        memcpy(&items[count], projection->items, projection->item_count * sizeof(*items));
    }
    projection->items = items;
    projection->item_count += count;
    return true;
}

/* ---- regrouping ------------------------------------------------------------------------------
 */

struct regroup {
    struct resolver *r;
    const struct projection *projection;
    const struct binding *before; /* the scope of the rows that are grouped */
    const struct binding *after;  /* the scope of the columns */
    bool is_item;                 /* not ORDER BY or WHERE */
    bool has_aggregate;           /* the expression looked at */
};

static bool regroup(const struct regroup *g, struct expr **place);

static bool is_bound_slot(const struct binding *scope, uint32_t slot)
{
    while (scope != NULL && scope->slot != slot) {
        scope = scope->outer;
    }
    return scope != NULL;
}

/* A variable, or a property of one: what can be a key within a larger expression. */
static bool is_simple(const struct expr *expr)
{
    while (expr->kind == EXPR_PROPERTY) {
        expr = expr->as.property.object;
    }
    return expr->kind == EXPR_VARIABLE;
}

static bool reads_slot(const struct expr *expr, uint32_t slot)
{
    switch (expr->kind) {
    case EXPR_VARIABLE:
        return expr->as.variable.slot == slot;
    case EXPR_PROPERTY:
        return reads_slot(expr->as.property.object, slot);
    case EXPR_UNARY:
        return reads_slot(expr->as.binary.left, slot);
    case EXPR_BINARY:
        return reads_slot(expr->as.binary.left, slot) || reads_slot(expr->as.binary.right, slot);
    default:
        return false;
    }
}

/* A slot of the rows before is read; columns are all there is. */
static bool check_slot(const struct regroup *g, const struct expr *expr, uint32_t slot)
{
    if (!is_bound_slot(g->before, slot) || is_bound_slot(g->after, slot)) {
        return true;
    }
    bool is_ambiguous = g->is_item;
    for (uint32_t i = 0; i < g->projection->item_count && g->has_aggregate; i++) {
        const struct projection_item *item = &g->projection->items[i];
        is_ambiguous = is_ambiguous || (!item->has_aggregate && reads_slot(item->value, slot));
    }
    struct yore_bytes name = g->r->slots[slot].name;
    if (is_ambiguous) {
        return resolver_fail(g->r, expr->spot, "AmbiguousAggregationExpression",
                             "`%.*s` beside an aggregate has to be a column of its own; project it "
                             "in a WITH before",
                             NAME_SHOWN(name));
    }
    return resolver_fail(
        g->r, expr->spot, "UndefinedVariable",
        "`%.*s` is gone: after DISTINCT or an aggregate there are the columns only",
        NAME_SHOWN(name));
}

static bool check_slots(const struct regroup *g, const struct expr *expr, const uint32_t *slots,
                        uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (!check_slot(g, expr, slots[i])) {
            return false;
        }
    }
    return true;
}

static bool regroup_optional(const struct regroup *g, struct expr **place)
{
    return *place == NULL || regroup(g, place);
}

static bool regroup_list(const struct regroup *g, struct expr_list *list)
{
    for (uint32_t i = 0; i < list->count; i++) {
        if (!regroup(g, &list->items[i])) {
            return false;
        }
    }
    return true;
}

static bool regroup_map(const struct regroup *g, struct expr *expr)
{
    for (uint32_t i = 0; i < expr->as.map.count; i++) {
        if (!regroup_optional(g, &expr->as.map.items[i].value)) {
            return false;
        }
    }
    return regroup_optional(g, &expr->as.map.object);
}

static bool regroup_case(const struct regroup *g, struct expr *expr)
{
    for (uint32_t i = 0; i < expr->as.choice.branch_count; i++) {
        if (!regroup(g, &expr->as.choice.branches[i].when) ||
            !regroup(g, &expr->as.choice.branches[i].then)) {
            return false;
        }
    }
    return regroup_optional(g, &expr->as.choice.subject) &&
           regroup_optional(g, &expr->as.choice.otherwise);
}

static bool regroup_comparison(const struct regroup *g, struct expr *expr)
{
    for (uint32_t i = 0; i <= expr->as.comparison.count; i++) {
        if (!regroup(g, &expr->as.comparison.operands[i])) {
            return false;
        }
    }
    return true;
}

/* Elements of a pattern cannot be read from another slot, only the values in it. */
static bool regroup_pattern(const struct regroup *g, struct expr *expr)
{
    const struct pattern *pattern = expr->as.pattern.pattern;
    for (uint32_t i = 0; i < pattern->path_count; i++) {
        const struct path_pattern *path = &pattern->paths[i];
        for (uint32_t k = 0; k <= path->length; k++) {
            if (!check_slot(g, expr, path->nodes[k].slot) ||
                !regroup_optional(g, &path->nodes[k].properties)) {
                return false;
            }
        }
        for (uint32_t k = 0; k < path->length; k++) {
            if (!check_slot(g, expr, path->relationships[k].slot) ||
                !regroup_optional(g, &path->relationships[k].properties)) {
                return false;
            }
        }
    }
    return regroup_optional(g, &expr->as.pattern.where) &&
           regroup_optional(g, &expr->as.pattern.mapped);
}

static bool regroup_below(const struct regroup *g, struct expr *expr)
{
    switch (expr->kind) {
    case EXPR_VARIABLE:
        return check_slot(g, expr, expr->as.variable.slot);
    case EXPR_PROPERTY:
        return regroup(g, &expr->as.property.object);
    case EXPR_HAS_LABELS:
        return regroup(g, &expr->as.has_labels.object);
    case EXPR_LIST:
        return regroup_list(g, &expr->as.list);
    case EXPR_MAP:
    case EXPR_MAP_PROJECTION:
        return regroup_map(g, expr);
    case EXPR_INDEX:
    case EXPR_SLICE:
        return regroup(g, &expr->as.index.object) && regroup_optional(g, &expr->as.index.low) &&
               regroup_optional(g, &expr->as.index.high);
    case EXPR_UNARY:
    case EXPR_BINARY:
    case EXPR_IS_NULL:
    case EXPR_IS_NOT_NULL:
        return regroup(g, &expr->as.binary.left) && regroup_optional(g, &expr->as.binary.right);
    case EXPR_COMPARISON:
        return regroup_comparison(g, expr);
    case EXPR_CALL:
        return regroup_list(g, &expr->as.call.arguments);
    case EXPR_CASE:
        return regroup_case(g, expr);
    case EXPR_LIST_COMPREHENSION:
    case EXPR_QUANTIFIER:
    case EXPR_REDUCE:
        return regroup(g, &expr->as.walk.list) && regroup_optional(g, &expr->as.walk.where) &&
               regroup_optional(g, &expr->as.walk.mapped) &&
               regroup_optional(g, &expr->as.walk.initial);
    case EXPR_PATTERN_COMPREHENSION:
    case EXPR_PATTERN:
    case EXPR_SHORTEST_PATH:
        return regroup_pattern(g, expr);
    case EXPR_EXISTS:
    case EXPR_COUNT:
    case EXPR_COLLECT:
        return check_slots(g, expr, expr->as.subquery->imports, expr->as.subquery->import_count);
    default: /* literals, parameters; aggregates are read from their slots */
        return true;
    }
}

static bool read_column(const struct regroup *g, struct expr **place,
                        const struct projection_item *item)
{
    const struct binding column = {.name = item->name, .slot = item->slot};
    *place = variable_of(g->r, &column, (*place)->spot);
    return *place != NULL;
}

static bool regroup(const struct regroup *g, struct expr **place)
{
    if (is_simple(*place)) {
        for (uint32_t i = 0; i < g->projection->item_count; i++) {
            const struct projection_item *item = &g->projection->items[i];
            if (!item->has_aggregate && item->value != *place && expr_equal(item->value, *place)) {
                return read_column(g, place, item);
            }
        }
    }
    return regroup_below(g, *place);
}

/* ORDER BY and WHERE: a whole item is known again. */
static bool regroup_whole(const struct regroup *g, struct expr **place)
{
    for (uint32_t i = 0; i < g->projection->item_count; i++) {
        if (expr_equal(g->projection->items[i].value, *place)) {
            return read_column(g, place, &g->projection->items[i]);
        }
    }
    return regroup(g, place);
}

/* ---- items -----------------------------------------------------------------------------------
 */

static bool passes_on(const struct resolver *r, const struct projection_item *item)
{
    return item->value->kind == EXPR_VARIABLE &&
           bytes_equal(item->name, item->value->as.variable.name) &&
           item->value->as.variable.slot < r->slot_count;
}

static bool resolve_items(struct resolver *r, struct projection *projection)
{
    for (uint32_t i = 0; i < projection->item_count; i++) {
        struct projection_item *item = &projection->items[i];
        uint32_t met = r->aggregates_met;
        struct type type;
        if (is_listed(projection->items, i, item->name)) {
            return resolver_fail(r, item->value->spot, "ColumnNameConflict",
                                 "there are two columns `%.*s`; give one another name with AS",
                                 NAME_SHOWN(item->name));
        }
        if (!resolve_expr(r, item->value, &type)) {
            return false;
        }
        item->has_aggregate = r->aggregates_met != met;
        if (passes_on(r, item)) {
            item->slot = item->value->as.variable.slot;
        } else if (!slot_new(r, item->name, type, &item->slot)) {
            return false;
        }
    }
    return true;
}

/* The columns that have a name to be referred to by; all are told by their slots. */
static bool bind_columns(struct resolver *r, const struct projection *projection,
                         const struct binding *outer, const struct binding **scope_out)
{
    const struct binding *saved = r->scope;
    r->scope = outer;
    for (uint32_t i = 0; i < projection->item_count; i++) {
        const struct projection_item *item = &projection->items[i];
        bool has_name = item->has_alias || item->value->kind == EXPR_VARIABLE;
        if (has_name && !scope_bind(r, item->name, item->slot)) {
            return false;
        }
    }
    *scope_out = r->scope;
    r->scope = saved;
    return true;
}

static bool regroup_items(const struct regroup *g, struct projection *projection)
{
    struct regroup inner = *g;
    inner.is_item = true;
    inner.has_aggregate = true;
    for (uint32_t i = 0; i < projection->item_count; i++) {
        if (projection->items[i].has_aggregate && !regroup(&inner, &projection->items[i].value)) {
            return false;
        }
    }
    return true;
}

/* ---- order, where, how many -------------------------------------------------------------------
 */

static bool resolve_sorts(struct regroup *g, struct projection *projection, bool is_grouping)
{
    struct resolver *r = g->r;
    for (uint32_t i = 0; i < projection->sort_count; i++) {
        uint32_t met = r->aggregates_met;
        uint32_t known = r->aggregates == NULL ? 0 : r->aggregates->count;
        struct expr **value = &projection->sorts[i].value;
        struct type type;
        if (!resolve_expr(r, *value, &type)) {
            return false;
        }
        g->has_aggregate = r->aggregates_met != met;
        /* An aggregate that is in no item is one of the rows before, which are gone. */
        for (uint32_t k = known; r->aggregates != NULL && k < r->aggregates->count; k++) {
            struct expr *call = r->aggregates->items[k];
            struct regroup outside = *g;
            outside.has_aggregate = false;
            if (!regroup_list(&outside, &call->as.call.arguments)) {
                return false;
            }
            return resolver_fail(r, call->spot, "InvalidAggregation",
                                 "ORDER BY can use aggregates of the columns only");
        }
        if (is_grouping && !regroup_whole(g, value)) {
            return false;
        }
    }
    return true;
}

/* SKIP, LIMIT */
static bool resolve_amount(struct resolver *r, struct expr *amount)
{
    struct type type;
    if (amount == NULL) {
        return true;
    }
    if (!resolve_constant(r, amount, &type)) {
        return false;
    }
    bool is_literal = amount->kind == EXPR_LITERAL;
    if (is_literal && amount->as.literal.kind == YORE_GRAPH_INT &&
        amount->as.literal.as.integer < 0) {
        return resolver_fail(r, amount->spot, "NegativeIntegerArgument",
                             "a number of rows cannot be negative");
    }
    if (!type_fits(type, KIND_SET(YORE_GRAPH_INT)) ||
        (is_literal && amount->as.literal.kind != YORE_GRAPH_INT)) {
        return resolver_fail(r, amount->spot, "InvalidArgumentType",
                             "a number of rows is an integer, not %s", type_text(type));
    }
    return true;
}

static bool check_aliases(struct resolver *r, const struct projection *projection,
                          const uint8_t *has_name)
{
    for (uint32_t i = 0; i < projection->item_count; i++) {
        if (has_name[i] == 0) {
            return resolver_fail(r, projection->items[i].value->spot, "NoExpressionAlias",
                                 "an expression needs a name here: ... AS name");
        }
    }
    return true;
}

/* Which items can be referred to; before values are replaced. */
static uint8_t *named_items(struct resolver *r, const struct projection *projection)
{
    uint8_t *has_name = resolver_alloc(r, (size_t)projection->item_count + 1);
    for (uint32_t i = 0; has_name != NULL && i < projection->item_count; i++) {
        const struct projection_item *item = &projection->items[i];
        has_name[i] = item->has_alias || item->value->kind == EXPR_VARIABLE;
    }
    return has_name;
}

/* Behind the items: `g->before` and `g->after` are set. */
static bool resolve_rest(struct regroup *g, struct projection *projection, bool is_grouping,
                         struct aggregates *aggregates)
{
    struct resolver *r = g->r;
    const struct binding *both = NULL;
    if (!bind_columns(r, projection, g->before, &both)) {
        return false;
    }
    r->scope = both;
    r->aggregates = aggregates->count > 0 ? aggregates : NULL;
    bool is_resolved = resolve_sorts(g, projection, is_grouping);
    r->aggregates = NULL;
    if (!is_resolved) {
        return false;
    }
    if (projection->where != NULL) {
        g->has_aggregate = false;
        if (!resolve_condition(r, projection->where) ||
            (is_grouping && !regroup_whole(g, &projection->where))) {
            return false;
        }
    }
    return resolve_amount(r, projection->skip) && resolve_amount(r, projection->limit);
}

bool resolve_projection(struct resolver *r, struct clause *clause, bool names_matter)
{
    struct projection *projection = &clause->as.projection;
    if (projection->has_star && !expand_star(r, clause)) {
        return false;
    }
    struct aggregates aggregates = {.items = NULL};
    r->aggregates = &aggregates;
    bool is_resolved = resolve_items(r, projection);
    r->aggregates = NULL;
    const uint8_t *has_name = is_resolved ? named_items(r, projection) : NULL;
    struct regroup g = {.r = r, .projection = projection, .before = r->scope};
    if (has_name == NULL || !bind_columns(r, projection, NULL, &g.after)) {
        return false;
    }
    bool is_grouping = projection->is_distinct || aggregates.count > 0;
    if (aggregates.count > 0 && !regroup_items(&g, projection)) {
        return false;
    }
    if (!resolve_rest(&g, projection, is_grouping, &aggregates)) {
        return false;
    }
    r->scope = g.after;
    projection->aggregates = aggregates.items;
    projection->aggregate_count = aggregates.count;
    return !names_matter || check_aliases(r, projection, has_name);
}
