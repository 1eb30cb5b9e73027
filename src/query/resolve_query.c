/* resolve_query.c -- clauses in order, UNIONs, subqueries, moments. */
#include "query/resolver_internal.h"

bool resolve_time(struct resolver *r, struct time_spec *time)
{
    struct expr *const moments[] = {time->as_of, time->from, time->to, time->known};
    for (size_t i = 0; i < sizeof(moments) / sizeof(moments[0]); i++) {
        struct type type;
        if (moments[i] == NULL) {
            continue;
        }
        if (!resolve_constant(r, moments[i], &type)) {
            return false;
        }
        uint32_t kinds = KIND_SET(YORE_GRAPH_STRING) | KIND_SET(YORE_GRAPH_INT) |
                         KIND_SET(YORE_GRAPH_DATE) | KIND_SET(YORE_GRAPH_DATETIME) |
                         KIND_SET(YORE_GRAPH_LOCAL_DATETIME);
        if (!type_fits(type, kinds)) {
            return resolver_fail(r, moments[i]->spot, "InvalidArgumentType",
                                 "a moment is text such as '-1h' or '2026-11-21T10:00:00Z', an "
                                 "integer of nanoseconds since 1970 or a datetime, not %s",
                                 type_text(type));
        }
    }
    return true;
}

/* ---- reading clauses -------------------------------------------------------------------------
 */

static bool resolve_match(struct resolver *r, struct clause *clause)
{
    if (!resolve_time(r, &clause->as.match.time)) {
        return false;
    }
    if (r->match_time == NULL) {
        r->match_time = time_first(&clause->as.match.time);
    }
    return resolve_match_pattern(r, &clause->as.match.pattern) &&
           (clause->as.match.where == NULL || resolve_condition(r, clause->as.match.where));
}

static bool resolve_unwind(struct resolver *r, struct clause *clause)
{
    struct type list;
    if (!resolve_expr(r, clause->as.unwind.list, &list)) {
        return false;
    }
    /* What is no list is unwound as a list of itself; a null as an empty one. */
    struct type item = list.kinds == KIND_LIST ? type_of(list.items) : TYPE_ANY;
    return scope_declare(r, clause->as.unwind.name, clause->spot, item, &clause->as.unwind.slot);
}

/* ---- clauses ---------------------------------------------------------------------------------
 */

static bool is_schema(const struct clause *clause)
{
    return clause->kind == CLAUSE_CREATE_INDEX || clause->kind == CLAUSE_DROP_INDEX ||
           clause->kind == CLAUSE_CREATE_CONSTRAINT || clause->kind == CLAUSE_DROP_CONSTRAINT;
}

bool clause_writes(const struct clause *clause)
{
    switch (clause->kind) {
    case CLAUSE_MATCH:
    case CLAUSE_UNWIND:
    case CLAUSE_WITH:
    case CLAUSE_RETURN:
    case CLAUSE_CALL:
        return false;
    case CLAUSE_CALL_SUBQUERY:
        return clause->as.subquery.body->writes;
    default:
        return true;
    }
}

static bool resolve_clause(struct resolver *r, struct clause *clause, enum query_use use,
                           bool is_alone)
{
    r->clause = ++r->clause_count;
    switch (clause->kind) {
    case CLAUSE_MATCH:
        return resolve_match(r, clause);
    case CLAUSE_UNWIND:
        return resolve_unwind(r, clause);
    case CLAUSE_WITH:
        return resolve_projection(r, clause, true);
    case CLAUSE_RETURN:
        return resolve_projection(r, clause, use == QUERY_CALL);
    case CLAUSE_CALL:
        return resolve_procedure(r, clause, is_alone);
    case CLAUSE_CALL_SUBQUERY:
        return resolve_call_subquery(r, clause);
    case CLAUSE_CREATE_INDEX:
    case CLAUSE_DROP_INDEX:
    case CLAUSE_CREATE_CONSTRAINT:
    case CLAUSE_DROP_CONSTRAINT:
        return true;
    default:
        return resolve_update(r, clause);
    }
}

static bool check_order(struct resolver *r, const struct single_query *query, enum query_use use)
{
    for (uint32_t i = 0; i + 1 < query->clause_count; i++) {
        if (query->clauses[i].kind == CLAUSE_RETURN) {
            return resolver_fail(r, query->clauses[i + 1].spot, "UnexpectedSyntax",
                                 "RETURN has to be the last clause; pass values on with WITH");
        }
    }
    const struct clause *last = &query->clauses[query->clause_count - 1];
    bool may_end_anywhere = use == QUERY_EXISTS || use == QUERY_COUNT;
    bool is_open = last->kind == CLAUSE_MATCH || last->kind == CLAUSE_UNWIND ||
                   last->kind == CLAUSE_WITH ||
                   (last->kind == CLAUSE_CALL_SUBQUERY && last->as.subquery.body->column_count > 0);
    if (is_open && !may_end_anywhere) {
        return resolver_fail(r, last->spot, "UnexpectedSyntax",
                             "a query ends with RETURN, or with a clause that writes");
    }
    return true;
}

/* The first WITH in CALL { } says what is taken from outside. */
static bool imports_first(const struct resolver *r, const struct single_query *query,
                          enum query_use use)
{
    return use == QUERY_CALL && r->imports != NULL && query->clauses[0].kind == CLAUSE_WITH;
}

static bool resolve_single(struct resolver *r, struct query_part *part,
                           const struct single_query *query, enum query_use use)
{
    const struct binding *imports = r->imports;
    if (imports_first(r, query, use)) {
        r->scope = imports;
    }
    r->imports = NULL;
    bool is_alone = use == QUERY_TOP && part->query_count == 1 && query->clause_count == 1;
    for (uint32_t i = 0; i < query->clause_count; i++) {
        struct clause *clause = &query->clauses[i];
        if (!resolve_clause(r, clause, use, is_alone)) {
            return false;
        }
        part->writes = part->writes || clause_writes(clause);
        if (clause_writes(clause) && !is_schema(clause) && use != QUERY_TOP && use != QUERY_CALL) {
            return resolver_fail(r, clause->spot, "InvalidClauseComposition",
                                 "a subquery in an expression cannot write");
        }
    }
    r->imports = imports;
    return check_order(r, query, use);
}

/* ---- columns ---------------------------------------------------------------------------------
 */

static bool columns_of_yields(struct resolver *r, const struct clause *clause,
                              const struct projection_item **items_out, uint32_t *count_out)
{
    uint32_t count = clause->as.call.yield_count;
    struct projection_item *items = resolver_alloc(r, ((size_t)count + 1) * sizeof(*items));
    if (items == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < count; i++) {
        items[i].name = clause->as.call.yields[i].name;
        items[i].slot = clause->as.call.yields[i].slot;
    }
    *items_out = items;
    *count_out = count;
    return true;
}

/* What a single query returns: the items of its RETURN, or what a procedure on its own yields. */
static bool columns_of(struct resolver *r, const struct single_query *query,
                       const struct projection_item **items_out, uint32_t *count_out)
{
    const struct clause *last = &query->clauses[query->clause_count - 1];
    *items_out = NULL;
    *count_out = 0;
    if (last->kind == CLAUSE_CALL && query->clause_count == 1) {
        return columns_of_yields(r, last, items_out, count_out);
    }
    if (last->kind == CLAUSE_RETURN) {
        *items_out = last->as.projection.items;
        *count_out = last->as.projection.item_count;
    }
    return true;
}

static bool set_columns(struct resolver *r, struct query_part *part,
                        const struct projection_item *first)
{
    if (part->query_count == 1) {
        part->columns = first;
        return true;
    }
    struct projection_item *columns =
        resolver_alloc(r, ((size_t)part->column_count + 1) * sizeof(*columns));
    if (columns == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < part->column_count; i++) {
        columns[i] = first[i];
        columns[i].value = NULL;
        if (!slot_new(r, first[i].name, r->slots[first[i].slot].type, &columns[i].slot)) {
            return false;
        }
    }
    part->columns = columns;
    return true;
}

/* The slots of `items` in the order of the first query's columns, by name. */
static const uint32_t *column_slots(struct resolver *r, const struct query_part *part,
                                    const struct projection_item *first,
                                    const struct projection_item *items)
{
    uint32_t *slots = resolver_alloc(r, ((size_t)part->column_count + 1) * sizeof(*slots));
    for (uint32_t i = 0; slots != NULL && i < part->column_count; i++) {
        uint32_t k = 0;
        while (k < part->column_count && !bytes_equal(items[k].name, first[i].name)) {
            k++;
        }
        if (k == part->column_count) {
            return NULL;
        }
        slots[i] = items[k].slot;
        struct type *type = &r->slots[first[i].slot].type;
        if (type->kinds != r->slots[slots[i]].type.kinds && part->query_count > 1) {
            *type = TYPE_ANY;
        }
    }
    return slots;
}

static bool resolve_columns(struct resolver *r, struct query_part *part)
{
    const struct projection_item *first = NULL;
    const uint32_t **slots = resolver_alloc(r, ((size_t)part->query_count + 1) * sizeof(*slots));
    if (slots == NULL || !columns_of(r, &part->queries[0], &first, &part->column_count)) {
        return false;
    }
    for (uint32_t i = 0; i < part->query_count; i++) {
        const struct projection_item *items = NULL;
        uint32_t count = 0;
        if (!columns_of(r, &part->queries[i], &items, &count)) {
            return false;
        }
        slots[i] = count == part->column_count ? column_slots(r, part, first, items) : NULL;
        if (r->status != YORE_OK) {
            return false;
        }
        if (slots[i] == NULL) {
            const struct single_query *query = &part->queries[i];
            return resolver_fail(r, query->clauses[query->clause_count - 1].spot,
                                 "DifferentColumnsInUnion",
                                 "all parts of a UNION return columns of the same names");
        }
    }
    part->column_slots = slots;
    return set_columns(r, part, first);
}

bool resolve_query(struct resolver *r, struct query_part *part, enum query_use use)
{
    const struct binding *scope = r->scope;
    for (uint32_t i = 0; i < part->query_count; i++) {
        r->scope = scope;
        if (!resolve_single(r, part, &part->queries[i], use)) {
            return false;
        }
    }
    return resolve_columns(r, part);
}

/* ---- subqueries ------------------------------------------------------------------------------
 */

static bool resolve_captured(struct resolver *r, struct query_part *part, enum query_use use)
{
    struct capture capture = {.first_slot = r->slot_count, .outer = r->capture};
    r->capture = &capture;
    bool is_resolved = resolve_query(r, part, use);
    r->capture = capture.outer;
    part->imports = capture.slots;
    part->import_count = capture.count;
    return is_resolved;
}

bool resolve_subquery(struct resolver *r, struct query_part *part, enum query_use use,
                      struct ast_spot spot)
{
    const struct binding *scope = r->scope;
    const struct binding *imports = r->imports;
    struct aggregates *aggregates = r->aggregates;
    uint32_t clause = r->clause;
    bool in_aggregate = r->in_aggregate;
    r->aggregates = NULL;
    r->imports = NULL;
    r->in_aggregate = false;
    bool is_resolved = resolve_captured(r, part, use);
    r->scope = scope;
    r->imports = imports;
    r->aggregates = aggregates;
    r->clause = clause;
    r->in_aggregate = in_aggregate;
    if (is_resolved && use == QUERY_COLLECT && part->column_count != 1) {
        return resolver_fail(r, spot, "UnexpectedSyntax", "COLLECT { } returns exactly one column");
    }
    return is_resolved;
}

static bool take_scope(struct resolver *r, const struct clause *clause, const struct binding *outer)
{
    r->scope = clause->as.subquery.takes_all ? outer : NULL;
    for (uint32_t i = 0; i < clause->as.subquery.scope_count; i++) {
        struct yore_bytes name = clause->as.subquery.scope[i];
        const struct binding *binding = scope_find(outer, name);
        if (binding == NULL) {
            r->scope = outer;
            return undefined_variable(r, clause->spot, name);
        }
        if (!scope_bind(r, name, binding->slot)) {
            return false;
        }
    }
    return true;
}

bool resolve_call_subquery(struct resolver *r, struct clause *clause)
{
    const struct binding *outer = r->scope;
    const struct binding *imports = r->imports;
    struct query_part *body = clause->as.subquery.body;
    r->imports = clause->as.subquery.has_scope ? NULL : outer;
    bool is_resolved = take_scope(r, clause, outer) && resolve_captured(r, body, QUERY_CALL);
    r->scope = outer;
    r->imports = imports;
    if (!is_resolved) {
        return false;
    }
    clause->as.subquery.imports = body->imports;
    clause->as.subquery.import_count = body->import_count;
    for (uint32_t i = 0; i < body->column_count; i++) {
        struct yore_bytes name = body->columns[i].name;
        if (scope_find(outer, name) != NULL) {
            return resolver_fail(r, clause->spot, "VariableAlreadyBound",
                                 "the subquery returns `%.*s`, which is bound outside already",
                                 NAME_SHOWN(name));
        }
        if (!scope_bind(r, name, body->columns[i].slot)) {
            return false;
        }
    }
    return true;
}
