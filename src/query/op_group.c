/* op_group.c -- steps that remember what they have seen: groups with their aggregates, DISTINCT. */
#include <string.h>

#include "query/aggregate.h"
#include "query/operator.h"
#include "query/value_set.h"

/* ---- groups --------------------------------------------------------------------------------- */

struct group {
    struct yore_graph_value *carried; /* of its first row */
    struct aggregate *aggregates;
};

struct grouping {
    struct operator base;
    struct run_store store;
    bool is_open;
    struct value_set keys;
    struct group *groups;
    size_t group_capacity;
    struct yore_graph_value *key; /* of the row at work */
    uint32_t key_count;
    size_t at;
    bool is_filled;
};

static const struct projection *projection_of(const struct grouping *self)
{
    return self->base.plan->as.aggregate.projection;
}

static enum yore_status grouping_begin(struct grouping *self)
{
    const struct projection *projection = projection_of(self);
    struct run *run = self->base.run;
    if (!self->is_open) {
        run_store_open(run, &self->store);
        self->is_open = true;
        self->key_count = 0;
        for (uint32_t i = 0; i < projection->item_count; i++) {
            self->key_count += projection->items[i].has_aggregate ? 0 : 1;
        }
        self->key = arena_alloc(&run->memory, (self->key_count + 1) * sizeof(*self->key));
        if (self->key == NULL) {
            return run_nomem(run);
        }
    }
    arena_reset(&self->store.arena);
    value_set_init(&self->keys, &self->store.arena, self->key_count);
    self->groups = NULL;
    self->group_capacity = 0;
    return YORE_OK;
}

static enum yore_status copy_carried(struct grouping *self, struct group *group)
{
    const struct plan_aggregate *plan = &self->base.plan->as.aggregate;
    struct arena *arena = &self->store.arena;
    group->carried = arena_alloc(arena, (plan->carried_count + 1) * sizeof(*group->carried));
    enum yore_status st = group->carried != NULL ? YORE_OK : YORE_NOMEM;
    for (uint32_t i = 0; st == YORE_OK && i < plan->carried_count; i++) {
        st = value_copy(arena, &self->base.run->frame[plan->carried[i]], &group->carried[i]);
    }
    return st == YORE_OK ? YORE_OK : run_nomem(self->base.run);
}

static enum yore_status group_new(struct grouping *self, size_t index, bool has_row)
{
    const struct projection *projection = projection_of(self);
    struct arena *arena = &self->store.arena;
    if (index == self->group_capacity) {
        size_t capacity = index == 0 ? 16 : index * 2;
        struct group *grown = arena_alloc(arena, capacity * sizeof(*grown));
        if (grown == NULL) {
            return run_nomem(self->base.run);
        }
        if (index > 0) {
            memcpy(grown, self->groups, index * sizeof(*grown));
        }
        self->groups = grown;
        self->group_capacity = capacity;
    }
    struct group *group = &self->groups[index];
    group->carried = NULL;
    group->aggregates =
        arena_alloc(arena, (projection->aggregate_count + 1) * sizeof(*group->aggregates));
    if (group->aggregates == NULL) {
        return run_nomem(self->base.run);
    }
    for (uint32_t i = 0; i < projection->aggregate_count; i++) {
        aggregate_init(&group->aggregates[i], projection->aggregates[i], arena);
    }
    return has_row ? copy_carried(self, group) : YORE_OK;
}

static enum yore_status take_row(struct grouping *self)
{
    const struct projection *projection = projection_of(self);
    struct run *run = self->base.run;
    uint32_t at = 0;
    enum yore_status st = run_step(run);
    for (uint32_t i = 0; st == YORE_OK && i < projection->item_count; i++) {
        if (!projection->items[i].has_aggregate) {
            st = eval_expr(&run->eval, projection->items[i].value, run->frame, &self->key[at++]);
        }
    }
    size_t index = 0;
    bool is_new = false;
    if (st == YORE_OK) {
        st = value_set_put(&self->keys, self->key, &index, &is_new);
        if (st != YORE_OK) {
            return st == YORE_NOMEM ? run_nomem(run)
                                    : error_set(run_error(run), st, "too many groups");
        }
    }
    if (st == YORE_OK && is_new) {
        st = group_new(self, index, true);
    }
    for (uint32_t i = 0; st == YORE_OK && i < projection->aggregate_count; i++) {
        st = aggregate_add(&self->groups[index].aggregates[i], &run->eval,
                           projection->aggregates[i], run->frame);
    }
    return st;
}

/* Without keys there is one group, also of no rows. */
static enum yore_status grouping_fill(struct grouping *self)
{
    enum yore_status st = grouping_begin(self);
    while (st == YORE_OK && (st = operator_next(self->base.input)) == YORE_OK) {
        st = take_row(self);
    }
    if (st != YORE_NOT_FOUND) {
        return st;
    }
    st = YORE_OK;
    if (self->key_count == 0 && self->keys.count == 0) {
        size_t index;
        bool is_new;
        st = value_set_put(&self->keys, self->key, &index, &is_new);
        st = st == YORE_OK ? group_new(self, 0, false) : run_nomem(self->base.run);
    }
    self->is_filled = st == YORE_OK;
    self->at = 0;
    return st;
}

static enum yore_status lay_group(struct grouping *self, size_t index)
{
    const struct plan_aggregate *plan = &self->base.plan->as.aggregate;
    const struct projection *projection = plan->projection;
    struct run *run = self->base.run;
    struct group *group = &self->groups[index];
    const struct yore_graph_value *key = value_set_at(&self->keys, index);
    for (uint32_t i = 0; i < plan->carried_count; i++) {
        run->frame[plan->carried[i]] = group->carried != NULL ? group->carried[i] : value_null();
    }
    enum yore_status st = YORE_OK;
    for (uint32_t i = 0; st == YORE_OK && i < projection->aggregate_count; i++) {
        const struct expr *call = projection->aggregates[i];
        st = aggregate_result(&group->aggregates[i], &run->eval, call,
                              &run->frame[call->as.call.slot]);
    }
    uint32_t at = 0;
    for (uint32_t i = 0; st == YORE_OK && i < projection->item_count; i++) {
        if (!projection->items[i].has_aggregate) {
            run->frame[projection->items[i].slot] = key[at++];
        }
    }
    for (uint32_t i = 0; st == YORE_OK && i < projection->item_count; i++) {
        if (projection->items[i].has_aggregate) {
            st = eval_expr(&run->eval, projection->items[i].value, run->frame,
                           &run->frame[projection->items[i].slot]);
        }
    }
    return st;
}

static enum yore_status grouping_next(struct operator* op)
{
    struct grouping *self = (struct grouping *)op;
    if (!self->is_filled) {
        enum yore_status st = grouping_fill(self);
        if (st != YORE_OK) {
            return st;
        }
        op->mark = arena_mark(&op->run->rows);
    }
    operator_rewind(op);
    return self->at < self->keys.count ? lay_group(self, self->at++) : YORE_NOT_FOUND;
}

static void grouping_reset(struct operator* op)
{
    ((struct grouping *)op)->is_filled = false;
}

static void grouping_close(struct operator* op)
{
    struct grouping *self = (struct grouping *)op;
    if (self->is_open) {
        run_store_close(op->run, &self->store);
        self->is_open = false;
    }
}

const struct operator_kind op_aggregate = {sizeof(struct grouping), grouping_next, grouping_reset,
                                           grouping_close};

/* ---- DISTINCT ------------------------------------------------------------------------------- */

struct distinct {
    struct operator base;
    struct run_store store;
    bool is_open;
    struct value_set seen;
    struct yore_graph_value *row;
};

static enum yore_status distinct_open(struct distinct *self)
{
    struct run *run = self->base.run;
    uint32_t width = self->base.plan->as.slots.count;
    run_store_open(run, &self->store);
    self->is_open = true;
    value_set_init(&self->seen, &self->store.arena, width);
    self->row = arena_alloc(&run->memory, (width + 1) * sizeof(*self->row));
    return self->row != NULL ? YORE_OK : run_nomem(run);
}

static enum yore_status distinct_next(struct operator* op)
{
    struct distinct *self = (struct distinct *)op;
    const struct plan_slots *slots = &op->plan->as.slots;
    enum yore_status st = self->is_open ? YORE_OK : distinct_open(self);
    while (st == YORE_OK && (st = operator_next(op->input)) == YORE_OK) {
        for (uint32_t i = 0; i < slots->count; i++) {
            self->row[i] = op->run->frame[slots->items[i]];
        }
        size_t index;
        bool is_new;
        st = value_set_put(&self->seen, self->row, &index, &is_new);
        if (st != YORE_OK) {
            return st == YORE_NOMEM ? run_nomem(op->run)
                                    : error_set(run_error(op->run), st, "too many different rows");
        }
        if (is_new) {
            return YORE_OK;
        }
        st = run_step(op->run);
    }
    return st;
}

static void distinct_reset(struct operator* op)
{
    struct distinct *self = (struct distinct *)op;
    if (self->is_open) {
        arena_reset(&self->store.arena);
        value_set_init(&self->seen, &self->store.arena, op->plan->as.slots.count);
    }
}

static void distinct_close(struct operator* op)
{
    struct distinct *self = (struct distinct *)op;
    if (self->is_open) {
        run_store_close(op->run, &self->store);
        self->is_open = false;
    }
}

const struct operator_kind op_distinct = {sizeof(struct distinct), distinct_next, distinct_reset,
                                          distinct_close};
