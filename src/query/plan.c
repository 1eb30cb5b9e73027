/* plan.c -- making a plan: what its parts share. */
#include "query/plan.h"

#include <string.h>

#include "base/mem.h"
#include "query/limits.h"
#include "query/plan_internal.h"

void planner_fail(struct planner *planner, enum yore_status status, const char *text)
{
    if (planner->status != YORE_OK) {
        return; /* the first failure is the cause */
    }
    planner->status = status;
    if (planner->error != NULL) {
        planner->error->is_compile_time = true;
        error_set(&planner->error->error, status, "%s", text);
    }
}

void *planner_alloc(struct planner *planner, size_t size)
{
    void *made = arena_alloc(planner->arena, size);
    if (made == NULL) {
        planner_fail(planner, YORE_NOMEM, "out of memory for the plan");
        return NULL;
    }
    memset(made, 0, size);
    return made;
}

struct slot_set planner_set(struct planner *planner)
{
    struct slot_set set = slot_set_new(planner->arena, planner->slot_limit);
    if (set.words == NULL) {
        planner_fail(planner, YORE_NOMEM, "out of memory for the plan");
    }
    return set;
}

void *planner_grow(struct planner *planner, void *items, uint32_t count, uint32_t *capacity,
                   size_t item_size)
{
    if (count < *capacity) {
        return items;
    }
    uint32_t wanted = *capacity == 0 ? 8 : *capacity * 2;
    void *grown = planner_alloc(planner, wanted * item_size);
    if (grown != NULL) {
        if (count > 0) {
            memcpy(grown, items, count * item_size);
        }
        *capacity = wanted;
    }
    return grown;
}

struct plan_node *plan_node_new(struct planner *planner, enum plan_kind kind,
                                const struct plan_node *input)
{
    struct plan_node *node = planner_alloc(planner, sizeof(*node));
    if (node == NULL) {
        return NULL;
    }
    if (planner->plan->node_count >= QUERY_PLAN_STEPS_MAX) {
        planner_fail(planner, YORE_TOO_BIG, "the statement needs more than 2000 steps; split it");
        return NULL;
    }
    node->kind = kind;
    node->number = planner->plan->node_count++;
    node->input = input;
    node->slot = PLAN_NO_SLOT;
    node->estimate = input != NULL ? input->estimate : 1;
    return node;
}

uint32_t planner_slot(struct planner *planner)
{
    if (planner->plan->slot_count >= planner->slot_limit) {
        planner_fail(planner, YORE_TOO_BIG, "the statement has too many variables; split it");
        return 0;
    }
    return planner->plan->slot_count++;
}

uint32_t planner_name(struct planner *planner, enum graph_token_kind kind, struct yore_bytes name)
{
    struct plan *plan = planner->plan;
    for (uint32_t i = 0; i < plan->name_count; i++) {
        if (planner->names[i].kind == kind && bytes_equal(planner->names[i].name, name)) {
            return i;
        }
    }
    struct plan_name *grown = planner_grow(planner, planner->names, plan->name_count,
                                           &planner->name_capacity, sizeof(*grown));
    if (grown == NULL) {
        return 0;
    }
    planner->names = grown;
    grown[plan->name_count] = (struct plan_name){kind, name};
    return plan->name_count++;
}

static bool is_same_time(const struct time_spec *a, const struct time_spec *b)
{
    return a->as_of == b->as_of && a->known == b->known && a->from == b->from && a->to == b->to;
}

uint32_t planner_moment(struct planner *planner, const struct time_spec *time)
{
    struct plan *plan = planner->plan;
    struct time_spec whole = *time;
    if (planner->moving != UINT32_MAX && whole.as_of == NULL && whole.known == NULL) {
        return planner->moving;
    }
    if (whole.as_of == NULL) {
        whole.as_of = planner->time.as_of;
    }
    if (whole.known == NULL) {
        whole.known = planner->time.known;
    }
    for (uint32_t i = 0; i < plan->moment_count; i++) {
        if (is_same_time(&planner->moments[i], &whole)) {
            return i;
        }
    }
    struct time_spec *grown = planner_grow(planner, planner->moments, plan->moment_count,
                                           &planner->moment_capacity, sizeof(*grown));
    if (grown == NULL) {
        return 0;
    }
    planner->moments = grown;
    grown[plan->moment_count] = whole;
    return plan->moment_count++;
}

struct plan_slots planner_slots(struct planner *planner, const struct slot_set *set)
{
    struct plan_slots slots;
    slots.items = slot_set_list(set, planner->arena, &slots.count);
    if (slots.items == NULL && !slot_set_is_empty(set)) {
        planner_fail(planner, YORE_NOMEM, "out of memory for the plan");
    }
    return slots;
}

enum yore_status plan_make(const struct statement *statement, struct graph *graph,
                           struct graph_view *view, struct plan **plan_out,
                           struct query_error *error_out)
{
    *plan_out = NULL;
    struct plan *plan = mem_zalloc(sizeof(*plan));
    if (plan == NULL) {
        error_plain(&error_out->error, YORE_NOMEM);
        return YORE_NOMEM;
    }
    arena_init(&plan->arena, QUERY_PLAN_CHUNK_BYTES);
    plan->statement = statement;
    plan->slot_count = statement->slot_count;
    plan->graph = graph;
    plan->estimate = graph_estimate_all(graph);
    struct planner planner = {.plan = plan,
                              .arena = &plan->arena,
                              .graph = graph,
                              .view = view,
                              .error = error_out,
                              .slot_limit = statement->slot_count * 3 + 64,
                              .moving = UINT32_MAX,
                              .interval_slot = PLAN_NO_SLOT,
                              .time = statement->time};
    planner.bound = planner_set(&planner);
    planner.outer = planner_set(&planner);
    planner_moment(&planner, &statement->time);
    if (planner.status == YORE_OK) {
        plan->root = plan_part(&planner, &statement->body);
    }
    plan->names = planner.names;
    plan->moments = planner.moments;
    plan->subqueries = planner.subqueries;
    plan->indexes = planner.indexes;
    if (planner.status != YORE_OK) {
        plan_free(plan);
        return planner.status;
    }
    *plan_out = plan;
    return YORE_OK;
}

void plan_free(struct plan *plan)
{
    if (plan != NULL) {
        arena_release(&plan->arena);
        mem_free(plan);
    }
}

/* Estimates decide the order of things; a graph that has grown or shrunk by this much may want
 * another. */
#define STALE_FACTOR 8
#define STALE_FLOOR 64

static bool is_near(uint64_t now, uint64_t then)
{
    return now / STALE_FACTOR <= then + STALE_FLOOR && then / STALE_FACTOR <= now + STALE_FLOOR;
}

bool plan_is_fresh(const struct plan *plan, struct graph_view *view)
{
    struct graph_estimate estimate = graph_estimate_all(plan->graph);
    if (!is_near(estimate.nodes, plan->estimate.nodes) ||
        !is_near(estimate.relationships, plan->estimate.relationships)) {
        return false;
    }
    for (uint32_t i = 0; i < plan->index_count; i++) {
        const struct plan_name *label = &plan->names[plan->indexes[i].label];
        const struct plan_name *property = &plan->names[plan->indexes[i].property];
        uint64_t distinct;
        bool is_there =
            graph_has_index(view, graph_token(plan->graph, GRAPH_LABEL, label->name),
                            graph_token(plan->graph, GRAPH_PROPERTY, property->name), &distinct);
        if (is_there != plan->indexes[i].was_there) {
            return false;
        }
    }
    return true;
}
