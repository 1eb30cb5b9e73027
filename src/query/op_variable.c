/* op_variable.c -- a hop of variable length: every trail, or (PLAN_REACH) every node once. */
#include "query/id_map.h"
#include "query/trail.h"

/* ---- trails --------------------------------------------------------------------------------- */

struct expand_variable {
    struct operator base;
    struct trail trail;
    uint64_t wanted; /* the other end when it is bound, or 0 */
};

static enum yore_status trail_row(struct expand_variable *self)
{
    struct operator* op = & self->base;
    const struct plan_hop *plan = &op->plan->as.hop;
    const struct trail *trail = &self->trail;
    struct yore_graph_value *frame = op->run->frame;
    struct graph_view *view;
    enum yore_status st = run_view(op->run, op->plan->view, &view);
    if (st == YORE_OK) {
        st = hop_relationship_list(op, trail->relationships, trail->depth, view,
                                   &frame[plan->relationship]);
    }
    if (st == YORE_OK && plan->nodes_slot != PLAN_NO_SLOT) {
        size_t between = trail->depth > 0 ? trail->depth - 1 : 0;
        st = hop_node_list(op, trail->nodes + 1, between, view, &frame[plan->nodes_slot]);
    }
    if (!plan->to_is_bound) {
        frame[plan->to] = value_node_ref(trail->nodes[trail->depth], view);
    }
    return st;
}

static enum yore_status variable_begin(struct expand_variable *self)
{
    struct operator* op = & self->base;
    const struct plan_hop *plan = &op->plan->as.hop;
    uint64_t from;
    enum yore_status st = operator_node(op, plan->from, plan->pattern->spot, &from);
    self->wanted = 0;
    if (st == YORE_OK && plan->to_is_bound) {
        st = operator_node(op, plan->to, plan->pattern->spot, &self->wanted);
    }
    return st == YORE_OK
               ? trail_begin(&self->trail, op, from, plan->pattern->minimum, plan->pattern->maximum)
               : st;
}

static enum yore_status variable_next(struct operator* op)
{
    struct expand_variable *self = (struct expand_variable *)op;
    for (;;) {
        while (op->is_active) {
            operator_rewind(op);
            enum yore_status st = trail_next(&self->trail);
            if (st == YORE_NOT_FOUND) {
                break;
            }
            if (st != YORE_OK) {
                return st;
            }
            if (self->wanted == 0 || self->trail.nodes[self->trail.depth] == self->wanted) {
                return trail_row(self);
            }
        }
        enum yore_status st = operator_pull(op);
        if (st == YORE_OK) {
            st = variable_begin(self);
            if (st == YORE_NOT_FOUND) {
                op->is_active = false;
                st = YORE_OK;
            }
        }
        if (st != YORE_OK) {
            return st;
        }
    }
}

static void variable_close(struct operator* op)
{
    trail_close(&((struct expand_variable *)op)->trail);
}

const struct operator_kind op_expand_variable = {sizeof(struct expand_variable), variable_next,
                                                 NULL, variable_close};

/* ---- breadth first -------------------------------------------------------------------------- */

struct reach {
    struct operator base;
    struct hop_walk walk;
    struct run_store store;
    bool is_open;
    struct id_map seen; /* told already */
    uint64_t *queue;    /* nodes by distance; each goes out once */
    size_t queue_count;
    size_t queue_capacity;
    size_t queue_at;  /* the node whose relationships are being read */
    size_t layer_end; /* of the queue: nodes at the distance of `depth` */
    uint32_t depth;
    uint64_t from;
    uint64_t wanted;
    bool is_walking;
    bool tells_begin; /* the node itself, zero hops away */
};

static enum yore_status enqueue(struct reach *self, uint64_t node)
{
    if (self->queue_count == self->queue_capacity) {
        size_t capacity = self->queue_capacity == 0 ? 64 : self->queue_capacity * 2;
        uint64_t *grown = arena_alloc(&self->store.arena, capacity * sizeof(*grown));
        if (grown == NULL) {
            return run_nomem(self->base.run);
        }
        for (size_t i = 0; i < self->queue_count; i++) {
            grown[i] = self->queue[i];
        }
        self->queue = grown;
        self->queue_capacity = capacity;
    }
    self->queue[self->queue_count++] = node;
    return YORE_OK;
}

static enum yore_status reach_begin(struct reach *self)
{
    struct operator* op = & self->base;
    const struct plan_hop *plan = &op->plan->as.hop;
    enum yore_status st = operator_node(op, plan->from, plan->pattern->spot, &self->from);
    self->wanted = 0;
    if (st == YORE_OK && plan->to_is_bound) {
        st = operator_node(op, plan->to, plan->pattern->spot, &self->wanted);
    }
    if (st != YORE_OK) {
        return st;
    }
    if (!self->is_open) {
        run_store_open(op->run, &self->store);
        self->is_open = true;
    }
    arena_reset(&self->store.arena);
    self->seen.arena = &self->store.arena;
    id_map_clear(&self->seen);
    self->queue = NULL;
    self->queue_count = 0;
    self->queue_capacity = 0;
    self->queue_at = 0;
    self->layer_end = 1;
    self->depth = 0;
    self->is_walking = false;
    self->tells_begin = plan->pattern->minimum == 0;
    return enqueue(self, self->from);
}

/* The next relationship outwards; YORE_NOT_FOUND: everything was reached. */
static enum yore_status reach_hop(struct reach *self, struct graph_hop *hop_out)
{
    const struct plan_hop *plan = &self->base.plan->as.hop;
    for (;;) {
        if (self->is_walking) {
            enum yore_status st = hop_walk_next(&self->walk, hop_out);
            if (st != YORE_NOT_FOUND) {
                return st;
            }
            self->is_walking = false;
            self->queue_at++;
        }
        if (self->queue_at == self->layer_end) {
            self->depth++;
            self->layer_end = self->queue_count;
        }
        if (self->queue_at == self->queue_count || self->depth >= plan->pattern->maximum) {
            return YORE_NOT_FOUND;
        }
        enum yore_status st =
            hop_walk_begin(&self->walk, &self->base, false, self->queue[self->queue_at], 0);
        if (st != YORE_OK) {
            return st;
        }
        self->is_walking = true;
    }
}

/* A node not told yet. */
static enum yore_status reach_node(struct reach *self, uint64_t *node_out)
{
    struct graph_hop hop;
    bool is_new = false;
    uint32_t number;
    if (self->tells_begin) {
        self->tells_begin = false;
        *node_out = self->from;
        return id_map_put(&self->seen, self->from, 0, &number, &is_new);
    }
    for (;;) {
        enum yore_status st = reach_hop(self, &hop);
        bool passes = false;
        if (st == YORE_OK) {
            st = hop_passes(&self->base, hop.relationship, self->walk.view, &passes);
        }
        is_new = false;
        if (st == YORE_OK && passes) {
            st = id_map_put(&self->seen, hop.other, 0, &number, &is_new);
        }
        if (st == YORE_OK && is_new && hop.other != self->from) {
            st = enqueue(self, hop.other);
        }
        if (st != YORE_OK || is_new) {
            *node_out = hop.other;
            return st;
        }
    }
}

static enum yore_status reach_next(struct operator* op)
{
    struct reach *self = (struct reach *)op;
    const struct plan_hop *plan = &op->plan->as.hop;
    for (;;) {
        while (op->is_active) {
            uint64_t node;
            operator_rewind(op);
            enum yore_status st = reach_node(self, &node);
            if (st == YORE_NOT_FOUND) {
                break;
            }
            if (st != YORE_OK || self->wanted == node) {
                op->is_active = false; /* found: there is no other */
                return st;
            }
            if (self->wanted == 0) {
                struct graph_view *view;
                st = run_view(op->run, op->plan->view, &view);
                op->run->frame[plan->to] = value_node_ref(node, view);
                return st;
            }
        }
        enum yore_status st = operator_pull(op);
        if (st == YORE_OK) {
            op->run->frame[plan->relationship] = value_null();
            st = reach_begin(self);
            if (st == YORE_NOT_FOUND) {
                op->is_active = false;
                st = YORE_OK;
            }
        }
        if (st != YORE_OK) {
            return st;
        }
    }
}

static void reach_close(struct operator* op)
{
    struct reach *self = (struct reach *)op;
    hop_walk_close(&self->walk);
    if (self->is_open) {
        run_store_close(op->run, &self->store);
        self->is_open = false;
    }
}

const struct operator_kind op_reach = {sizeof(struct reach), reach_next, NULL, reach_close};
