/* plan_clause.c -- clauses in their order, and the queries between UNIONs. */
#include "query/plan_internal.h"

/* Whether the clauses behind `index` come to the same however often a row of it comes. */
static bool ignores_copies(const struct planner *planner, const struct single_query *query,
                           uint32_t index)
{
    for (uint32_t i = index + 1; i < query->clause_count; i++) {
        const struct clause *clause = &query->clauses[i];
        if (clause->kind == CLAUSE_MATCH || clause->kind == CLAUSE_UNWIND) {
            continue;
        }
        if (clause->kind != CLAUSE_WITH && clause->kind != CLAUSE_RETURN) {
            return false;
        }
        const struct projection *projection = &clause->as.projection;
        bool is_last = i + 1 == query->clause_count;
        bool is_plain = projection->aggregate_count == 0 && projection->skip == NULL &&
                        projection->limit == NULL;
        return projection_ignores_copies(projection) ||
               (is_last && is_plain && planner->is_distinct);
    }
    return planner->is_distinct;
}

/* ---- MATCH ---------------------------------------------------------------------------------- */

static bool has_interval(const struct time_spec *time)
{
    return time->from != NULL || time->to != NULL;
}

static struct plan_slots new_slots(struct planner *planner, const struct pattern *pattern)
{
    struct slot_set slots = planner_set(planner);
    pattern_slots(pattern, &slots);
    for (uint32_t slot = 0; slot < planner->slot_limit; slot++) {
        if (slot_set_has(&planner->bound, slot)) {
            slot_set_remove(&slots, slot);
        }
    }
    return planner_slots(planner, &slots);
}

static const struct plan_node *add_pattern(struct planner *planner, const struct plan_node *input,
                                           const struct clause *clause)
{
    struct time_spec time = clause->as.match.time;
    bool is_own = time.as_of != NULL || has_interval(&time);
    if (!is_own && planner->moving == UINT32_MAX) {
        time.from = planner->time.from;
        time.to = planner->time.to;
    }
    time.known = time.known != NULL ? time.known : planner->time.known;
    if (has_interval(&time)) {
        return plan_intervals(planner, input, clause, &time);
    }
    uint32_t view = planner_moment(planner, &clause->as.match.time);
    struct time_spec around = planner->time;
    if (planner->status != YORE_OK) {
        return NULL;
    }
    planner->time = planner->moments[view];
    struct match_options options = {.pattern = &clause->as.match.pattern,
                                    .where = clause->as.match.where,
                                    .view = view,
                                    .path_slot = PLAN_NO_SLOT};
    const struct plan_node *steps = plan_match(planner, input, &options);
    planner->time = around;
    return steps;
}

static const struct plan_node *plan_match_clause(struct planner *planner,
                                                 const struct plan_node *input,
                                                 const struct clause *clause)
{
    input = plan_barrier(planner, input, true, false);
    if (!clause->as.match.is_optional) {
        return add_pattern(planner, input, clause);
    }
    struct plan_slots introduced = new_slots(planner, &clause->as.match.pattern);
    struct plan_node *node = plan_node_new(planner, PLAN_OPTIONAL, input);
    struct plan_node *begin = plan_node_new(planner, PLAN_ARGUMENT, NULL);
    if (node == NULL || begin == NULL) {
        return NULL;
    }
    begin->estimate = node->estimate;
    node->as.slots = introduced;
    node->inner = add_pattern(planner, begin, clause);
    if (node->inner != NULL && node->inner->estimate > node->estimate) {
        node->estimate = node->inner->estimate;
    }
    return node;
}

/* ---- writing -------------------------------------------------------------------------------- */

static void plan_pattern_exprs(struct planner *planner, const struct pattern *pattern)
{
    for (uint32_t i = 0; i < pattern->path_count; i++) {
        const struct path_pattern *path = &pattern->paths[i];
        for (uint32_t k = 0; k <= path->length; k++) {
            plan_expr(planner, path->nodes[k].properties);
            if (k < path->length) {
                plan_expr(planner, path->relationships[k].properties);
            }
        }
    }
}

static bool pattern_reads(const struct pattern *pattern)
{
    bool reads = false;
    for (uint32_t i = 0; i < pattern->path_count; i++) {
        const struct path_pattern *path = &pattern->paths[i];
        for (uint32_t k = 0; k <= path->length; k++) {
            reads = reads || expr_reads_graph(path->nodes[k].properties) ||
                    (k < path->length && expr_reads_graph(path->relationships[k].properties));
        }
    }
    return reads;
}

static void plan_set_items(struct planner *planner, const struct set_item *items, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        plan_expr(planner, items[i].object);
        plan_expr(planner, items[i].value);
    }
}

static bool set_reads(const struct set_item *items, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (expr_reads_graph(items[i].value) ||
            (items[i].value != NULL && items[i].value->kind == EXPR_VARIABLE)) {
            return true;
        }
    }
    return false;
}

static void bind_all(struct planner *planner, struct plan_slots slots)
{
    for (uint32_t i = 0; i < slots.count; i++) {
        slot_set_add(&planner->bound, slots.items[i]);
    }
}

static const struct plan_node *plan_create(struct planner *planner, const struct plan_node *input,
                                           const struct clause *clause)
{
    const struct pattern *pattern = &clause->as.create.pattern;
    input = plan_barrier(planner, input, pattern_reads(pattern), false);
    input = plan_barrier(planner, input, false, true);
    plan_pattern_exprs(planner, pattern);
    struct plan_node *node = plan_node_new(planner, PLAN_CREATE, input);
    if (node != NULL) {
        node->as.write.clause = clause;
        node->as.write.created = new_slots(planner, pattern);
        bind_all(planner, node->as.write.created);
    }
    return node;
}

static const struct plan_node *plan_merge(struct planner *planner, const struct plan_node *input,
                                          const struct clause *clause)
{
    const struct pattern *pattern = &clause->as.merge.pattern;
    input = plan_barrier(planner, input, true, true);
    struct plan_node *node = plan_node_new(planner, PLAN_MERGE, input);
    struct plan_node *begin = plan_node_new(planner, PLAN_ARGUMENT, NULL);
    if (node == NULL || begin == NULL) {
        return NULL;
    }
    node->as.write.clause = clause;
    node->as.write.created = new_slots(planner, pattern);
    bool was_distinct = planner->is_distinct;
    planner->is_distinct = false;
    node->inner = plan_match(
        planner, begin,
        &(struct match_options){.pattern = pattern, .view = 0, .path_slot = PLAN_NO_SLOT});
    planner->is_distinct = was_distinct;
    bind_all(planner, node->as.write.created);
    plan_pattern_exprs(planner, pattern);
    plan_set_items(planner, clause->as.merge.on_create, clause->as.merge.on_create_count);
    plan_set_items(planner, clause->as.merge.on_match, clause->as.merge.on_match_count);
    return node;
}

static const struct plan_node *plan_write(struct planner *planner, enum plan_kind kind,
                                          const struct plan_node *input,
                                          const struct clause *clause)
{
    bool reads = false;
    if (kind == PLAN_SET) {
        reads = set_reads(clause->as.set.items, clause->as.set.count);
        plan_set_items(planner, clause->as.set.items, clause->as.set.count);
    } else {
        for (uint32_t i = 0; i < clause->as.delete.targets.count; i++) {
            reads = reads || expr_reads_graph(clause->as.delete.targets.items[i]);
            plan_expr(planner, clause->as.delete.targets.items[i]);
        }
    }
    input = plan_barrier(planner, input, reads, false);
    if (kind == PLAN_SET) {
        input = plan_barrier(planner, input, false, true);
    }
    struct plan_node *node = plan_node_new(planner, kind, input);
    if (node == NULL) {
        return NULL;
    }
    node->as.write.clause = clause;
    if (kind == PLAN_DELETE) { /* which takes all rows before it does anything: a barrier itself */
        node->as.write.created = planner_slots(planner, &planner->bound);
        planner->has_reads = false;
        planner->has_writes = false;
    }
    return node;
}

/* ---- subplans ------------------------------------------------------------------------------- */

static const struct plan_node *plan_foreach(struct planner *planner, const struct plan_node *input,
                                            const struct clause *clause)
{
    plan_expr(planner, clause->as.foreach.list);
    input = plan_barrier(planner, input, true, true);
    struct plan_node *node = plan_node_new(planner, PLAN_FOREACH, input);
    if (node == NULL) {
        return NULL;
    }
    node->slot = clause->as.foreach.slot;
    node->as.write.clause = clause;
    struct planner_scope scope = plan_scope_enter(planner, false);
    slot_set_add(&planner->bound, node->slot);
    slot_set_add(&planner->outer, node->slot);
    const struct single_query body = {clause->as.foreach.body, clause->as.foreach.body_count};
    node->inner = plan_query(planner, &body);
    plan_scope_leave(planner, &scope);
    planner->has_writes = true;
    return node;
}

static const struct plan_node *plan_subquery_clause(struct planner *planner,
                                                    const struct plan_node *input,
                                                    const struct clause *clause)
{
    const struct query_part *body = clause->as.subquery.body;
    input = plan_barrier(planner, input, true, body->writes);
    struct plan_node *node = plan_node_new(planner, PLAN_APPLY, input);
    if (node == NULL) {
        return NULL;
    }
    node->as.clause = clause;
    struct planner_scope scope = plan_scope_enter(planner, false);
    node->inner = plan_part(planner, body);
    plan_scope_leave(planner, &scope);
    planner->has_reads = true;
    planner->has_writes = planner->has_writes || body->writes;
    for (uint32_t i = 0; i < body->column_count; i++) {
        slot_set_add(&planner->bound, body->columns[i].slot);
    }
    if (node->inner != NULL && body->column_count > 0) {
        node->estimate *= node->inner->estimate;
    }
    return node;
}

/* ---- others --------------------------------------------------------------------------------- */

static const struct plan_node *plan_unwind(struct planner *planner, const struct plan_node *input,
                                           const struct clause *clause)
{
    plan_expr(planner, clause->as.unwind.list);
    input = plan_barrier(planner, input, expr_reads_graph(clause->as.unwind.list), false);
    struct plan_node *node = plan_node_new(planner, PLAN_UNWIND, input);
    if (node != NULL) {
        node->slot = clause->as.unwind.slot;
        node->as.clause = clause;
        node->estimate *= 10;
        slot_set_add(&planner->bound, node->slot);
    }
    return node;
}

static const struct plan_node *plan_call(struct planner *planner, const struct plan_node *input,
                                         const struct clause *clause)
{
    for (uint32_t i = 0; i < clause->as.call.arguments.count; i++) {
        plan_expr(planner, clause->as.call.arguments.items[i]);
    }
    input = plan_barrier(planner, input, true, false);
    struct plan_node *node = plan_node_new(planner, PLAN_CALL, input);
    if (node == NULL) {
        return NULL;
    }
    node->as.clause = clause;
    node->estimate *= 10;
    for (uint32_t i = 0; i < clause->as.call.yield_count; i++) {
        slot_set_add(&planner->bound, clause->as.call.yields[i].slot);
    }
    if (clause->as.call.where == NULL) {
        return node;
    }
    plan_expr(planner, clause->as.call.where);
    return plan_where(planner, node, clause->as.call.where);
}

static const struct plan_node *plan_schema(struct planner *planner, const struct plan_node *input,
                                           const struct clause *clause)
{
    struct plan_node *node = plan_node_new(planner, PLAN_SCHEMA, input);
    if (node != NULL) {
        node->as.clause = clause;
    }
    return node;
}

static const struct plan_node *plan_clause(struct planner *planner, const struct plan_node *input,
                                           const struct clause *clause)
{
    switch (clause->kind) {
    case CLAUSE_MATCH:
        return plan_match_clause(planner, input, clause);
    case CLAUSE_UNWIND:
        return plan_unwind(planner, input, clause);
    case CLAUSE_WITH:
    case CLAUSE_RETURN:
        return plan_projection(planner, input, &clause->as.projection);
    case CLAUSE_CREATE:
        return plan_create(planner, input, clause);
    case CLAUSE_MERGE:
        return plan_merge(planner, input, clause);
    case CLAUSE_SET:
    case CLAUSE_REMOVE:
        return plan_write(planner, PLAN_SET, input, clause);
    case CLAUSE_DELETE:
        return plan_write(planner, PLAN_DELETE, input, clause);
    case CLAUSE_FOREACH:
        return plan_foreach(planner, input, clause);
    case CLAUSE_CALL:
        return plan_call(planner, input, clause);
    case CLAUSE_CALL_SUBQUERY:
        return plan_subquery_clause(planner, input, clause);
    default:
        return plan_schema(planner, input, clause);
    }
}

const struct plan_node *plan_query(struct planner *planner, const struct single_query *query)
{
    const struct plan_node *steps = plan_node_new(planner, PLAN_ARGUMENT, NULL);
    bool is_distinct = planner->is_distinct;
    for (uint32_t i = 0; i < query->clause_count && planner->status == YORE_OK; i++) {
        planner->is_distinct = is_distinct;
        planner->is_distinct = ignores_copies(planner, query, i);
        steps = plan_clause(planner, steps, &query->clauses[i]);
    }
    planner->is_distinct = is_distinct;
    return steps;
}

static const struct plan_node *plan_union(struct planner *planner, const struct query_part *part)
{
    const struct plan_node **parts = planner_alloc(planner, part->query_count * sizeof(*parts));
    struct plan_node *node = plan_node_new(planner, PLAN_UNION, NULL);
    if (parts == NULL || node == NULL) {
        return NULL;
    }
    bool is_distinct = planner->is_distinct || !part->is_union_all;
    node->estimate = 0;
    for (uint32_t i = 0; i < part->query_count && planner->status == YORE_OK; i++) {
        struct planner_scope scope = plan_scope_enter(planner, is_distinct);
        slot_set_copy(&planner->outer, &scope.bound);
        parts[i] = plan_query(planner, &part->queries[i]);
        plan_scope_leave(planner, &scope);
        node->estimate += parts[i] != NULL ? parts[i]->estimate : 0;
    }
    node->as.merged.parts = parts;
    node->as.merged.part_count = part->query_count;
    node->as.merged.part = part;
    struct slot_set columns = planner_set(planner);
    for (uint32_t i = 0; i < part->column_count; i++) {
        slot_set_add(&columns, part->columns[i].slot);
        slot_set_add(&planner->bound, part->columns[i].slot);
    }
    if (part->is_union_all) {
        return node;
    }
    struct plan_node *distinct = plan_node_new(planner, PLAN_DISTINCT, node);
    if (distinct != NULL) {
        distinct->as.slots = planner_slots(planner, &columns);
    }
    return distinct;
}

const struct plan_node *plan_part(struct planner *planner, const struct query_part *part)
{
    return part->query_count == 1 ? plan_query(planner, &part->queries[0])
                                  : plan_union(planner, part);
}
