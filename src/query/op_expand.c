/* op_expand.c -- one hop: along every relationship of a node; along one that is bound already; and
 * every relationship there is, with its ends. */
#include "query/hop.h"

/* ---- from a node ---------------------------------------------------------------------------- */

struct expand {
    struct operator base;
    struct hop_walk walk;
};

static enum yore_status expand_begin(struct expand *self)
{
    struct operator* op = & self->base;
    const struct plan_hop *hop = &op->plan->as.hop;
    uint64_t from;
    uint64_t to = 0;
    enum yore_status st = operator_node(op, hop->from, hop->pattern->spot, &from);
    if (st == YORE_OK && hop->to_is_bound) {
        st = operator_node(op, hop->to, hop->pattern->spot, &to);
    }
    return st == YORE_OK ? hop_walk_begin(&self->walk, op, false, from, to) : st;
}

static enum yore_status expand_hop(struct expand *self)
{
    struct operator* op = & self->base;
    const struct plan_hop *plan = &op->plan->as.hop;
    struct yore_graph_value *frame = op->run->frame;
    struct graph_hop hop;
    enum yore_status st;
    while ((st = hop_walk_next(&self->walk, &hop)) == YORE_OK) {
        if (plan->other_count > 0 && hop_is_taken(op->run, plan, hop.relationship)) {
            continue;
        }
        frame[plan->relationship] = value_relationship_ref(hop.relationship, self->walk.view);
        if (!plan->to_is_bound) {
            frame[plan->to] = value_node_ref(hop.other, self->walk.view);
        }
        return YORE_OK;
    }
    return st;
}

static enum yore_status expand_next(struct operator* op)
{
    struct expand *self = (struct expand *)op;
    for (;;) {
        if (op->is_active) {
            operator_rewind(op);
            enum yore_status st = expand_hop(self);
            if (st != YORE_NOT_FOUND) {
                return st;
            }
        }
        enum yore_status st = operator_pull(op);
        if (st != YORE_OK) {
            return st;
        }
        st = expand_begin(self);
        if (st == YORE_NOT_FOUND) { /* a null end */
            op->is_active = false;
        } else if (st != YORE_OK) {
            return st;
        }
    }
}

static void expand_close(struct operator* op)
{
    hop_walk_close(&((struct expand *)op)->walk);
}

const struct operator_kind op_expand = {sizeof(struct expand), expand_next, NULL, expand_close};

/* ---- along a bound relationship ------------------------------------------------------------- */

#define WAYS_MAX 2 /* an undirected pattern lies both ways along a relationship */

struct expand_bound {
    struct operator base;
    uint64_t from[WAYS_MAX];
    int way_count;
    int way;
    struct graph_view *view;
    struct yore_graph_value relationships; /* one, or a list */
};

static size_t bound_count(const struct expand_bound *self)
{
    return self->relationships.kind == YORE_GRAPH_LIST ? self->relationships.as.list.count : 1;
}

static const struct yore_graph_value *bound_at(const struct expand_bound *self, size_t index)
{
    return self->relationships.kind == YORE_GRAPH_LIST ? &self->relationships.as.list.items[index]
                                                       : &self->relationships;
}

/* The other end of a relationship when it is entered at `from`; 0: the pattern does not lie that
 * way. */
static enum yore_status far_end(struct expand_bound *self, uint64_t relationship, uint64_t from,
                                uint64_t *to_out)
{
    struct graph_ends ends;
    enum pattern_direction direction = self->base.plan->as.hop.direction;
    enum yore_status st =
        graph_relationship_ends(self->view, relationship, &ends, run_error(self->base.run));
    *to_out = 0;
    if (st != YORE_OK) {
        return st == YORE_NOT_FOUND ? YORE_OK : st;
    }
    if (direction != PATTERN_LEFT && ends.start_id == from) {
        *to_out = ends.end_id;
    } else if (direction != PATTERN_RIGHT && ends.end_id == from) {
        *to_out = ends.start_id;
    }
    return YORE_OK;
}

static bool is_before(const struct expand_bound *self, size_t index)
{
    uint64_t id = value_element_id(bound_at(self, index));
    for (size_t i = 0; i < index; i++) {
        if (value_element_id(bound_at(self, i)) == id) {
            return true;
        }
    }
    return false;
}

/* Follow the relationships from `node`; `*node` is where they end, 0: they do not hang together. */
static enum yore_status follow(struct expand_bound *self, uint64_t *node, uint64_t *between)
{
    size_t count = bound_count(self);
    for (size_t i = 0; i < count && *node != 0; i++) {
        uint64_t relationship = value_element_id(bound_at(self, i));
        bool passes = !is_before(self, i) &&
                      !hop_is_taken(self->base.run, &self->base.plan->as.hop, relationship);
        enum yore_status st = YORE_OK;
        if (passes) {
            st = hop_passes(&self->base, relationship, self->view, &passes);
        }
        if (st == YORE_OK && passes) {
            st = far_end(self, relationship, *node, node);
        }
        if (st != YORE_OK) {
            return st;
        }
        if (!passes) {
            *node = 0;
        }
        if (i + 1 < count) {
            between[i] = *node;
        }
    }
    return YORE_OK;
}

static void add_way(struct expand_bound *self, uint64_t from)
{
    if (self->way_count == 0 || self->from[0] != from) {
        self->from[self->way_count++] = from;
    }
}

/* Where it may be entered: both ends where nothing says which. */
static enum yore_status find_ways(struct expand_bound *self)
{
    struct operator* op = & self->base;
    const struct plan_hop *plan = &op->plan->as.hop;
    self->way = 0;
    self->way_count = 0;
    size_t count = bound_count(self);
    const struct relationship_pattern *pattern = plan->pattern;
    if (pattern->is_variable_length && (count < pattern->minimum || count > pattern->maximum)) {
        return YORE_OK;
    }
    for (size_t i = 0; i < count; i++) {
        if (!value_is_relationship(bound_at(self, i))) {
            return YORE_OK;
        }
    }
    if (plan->from_is_bound) {
        uint64_t from;
        enum yore_status st = operator_node(op, plan->from, pattern->spot, &from);
        if (st == YORE_OK) {
            add_way(self, from);
        }
        return st == YORE_NOT_FOUND ? YORE_OK : st;
    }
    struct graph_ends ends;
    if (count == 0) {
        return YORE_OK;
    }
    enum yore_status st = graph_relationship_ends(self->view, value_element_id(bound_at(self, 0)),
                                                  &ends, run_error(op->run));
    if (st != YORE_OK) {
        return st == YORE_NOT_FOUND ? YORE_OK : st;
    }
    if (plan->direction != PATTERN_LEFT) {
        add_way(self, ends.start_id);
    }
    if (plan->direction != PATTERN_RIGHT) {
        add_way(self, ends.end_id);
    }
    return YORE_OK;
}

/* Take one way; YORE_NOT_FOUND: it does not fit. */
static enum yore_status take_way(struct expand_bound *self, uint64_t from)
{
    struct operator* op = & self->base;
    const struct plan_hop *plan = &op->plan->as.hop;
    struct yore_graph_value *frame = op->run->frame;
    size_t count = bound_count(self);
    uint64_t *between = arena_alloc(&op->run->rows, (count + 1) * sizeof(*between));
    if (between == NULL) {
        return run_nomem(op->run);
    }
    uint64_t to = from;
    enum yore_status st = follow(self, &to, between);
    if (st != YORE_OK || to == 0) {
        return st == YORE_OK ? YORE_NOT_FOUND : st;
    }
    if (plan->to_is_bound) {
        uint64_t wanted = from;
        if (plan->to != plan->from) {
            st = operator_node(op, plan->to, plan->pattern->spot, &wanted);
        }
        if (st != YORE_OK || wanted != to) {
            return st == YORE_OK ? YORE_NOT_FOUND : st;
        }
    } else {
        frame[plan->to] = value_node_ref(to, self->view);
    }
    if (!plan->from_is_bound) {
        frame[plan->from] = value_node_ref(from, self->view);
    }
    return plan->nodes_slot == PLAN_NO_SLOT ? YORE_OK
                                            : hop_node_list(op, between, count > 0 ? count - 1 : 0,
                                                            self->view, &frame[plan->nodes_slot]);
}

static enum yore_status bound_next(struct operator* op)
{
    struct expand_bound *self = (struct expand_bound *)op;
    for (;;) {
        while (op->is_active && self->way < self->way_count) {
            operator_rewind(op);
            enum yore_status st = take_way(self, self->from[self->way++]);
            if (st != YORE_NOT_FOUND) {
                return st;
            }
        }
        enum yore_status st = operator_pull(op);
        if (st == YORE_OK) {
            st = run_view(op->run, op->plan->view, &self->view);
        }
        if (st == YORE_OK) {
            self->relationships = op->run->frame[op->plan->as.hop.relationship];
            st = find_ways(self);
        }
        if (st == YORE_OK) {
            st = run_step(op->run);
        }
        if (st != YORE_OK) {
            return st;
        }
    }
}

const struct operator_kind op_expand_bound = {sizeof(struct expand_bound), bound_next, NULL, NULL};

/* ---- every relationship --------------------------------------------------------------------- */

struct relationship_scan {
    struct operator base;
    struct graph_view *view;
    struct graph_scan *scan;
    uint32_t type_index;
    struct graph_ends ends;
    uint64_t relationship;
    bool has_other_way; /* the last one lies the other way round too */
};

static void relationships_close(struct operator* op)
{
    struct relationship_scan *self = (struct relationship_scan *)op;
    if (self->scan != NULL) {
        graph_scan_close(self->scan);
        self->scan = NULL;
    }
}

/* Open the scan of the next type that anything has; YORE_NOT_FOUND: there is none. */
static enum yore_status open_next_type(struct relationship_scan *self)
{
    struct run *run = self->base.run;
    const struct plan_hop *plan = &self->base.plan->as.hop;
    struct graph_scan_options options = {.kind = GRAPH_SCAN_RELATIONSHIPS};
    relationships_close(&self->base);
    if (plan->type_count == 0 && self->type_index > 0) {
        return YORE_NOT_FOUND;
    }
    while (plan->type_count > 0 && options.token == GRAPH_NO_TOKEN) {
        if (self->type_index == plan->type_count) {
            return YORE_NOT_FOUND;
        }
        options.kind = GRAPH_SCAN_TYPE;
        options.token = run_token(run, plan->types[self->type_index++]);
    }
    if (plan->type_count == 0) {
        self->type_index = 1;
    }
    return graph_scan_open(self->view, &options, &self->scan, run_error(run));
}

static void bind_ends(struct relationship_scan *self, uint64_t from, uint64_t to)
{
    const struct plan_hop *plan = &self->base.plan->as.hop;
    struct yore_graph_value *frame = self->base.run->frame;
    frame[plan->relationship] = value_relationship_ref(self->relationship, self->view);
    frame[plan->from] = value_node_ref(from, self->view);
    frame[plan->to] = value_node_ref(to, self->view);
}

static enum yore_status scan_relationship(struct relationship_scan *self)
{
    struct run *run = self->base.run;
    const struct plan_hop *plan = &self->base.plan->as.hop;
    if (self->has_other_way) {
        self->has_other_way = false;
        bind_ends(self, self->ends.end_id, self->ends.start_id);
        return YORE_OK;
    }
    for (;;) {
        enum yore_status st = run_step(run);
        if (st == YORE_OK) {
            st = self->scan == NULL
                     ? YORE_NOT_FOUND
                     : graph_scan_next(self->scan, &self->relationship, run_error(run));
        }
        if (st == YORE_NOT_FOUND && !run->is_stopping) {
            st = open_next_type(self);
            if (st == YORE_OK) {
                continue;
            }
        }
        if (st == YORE_OK) {
            st = graph_relationship_ends(self->view, self->relationship, &self->ends,
                                         run_error(run));
        }
        if (st != YORE_OK) {
            return st;
        }
        bool is_loop = self->ends.start_id == self->ends.end_id;
        if (hop_is_taken(run, plan, self->relationship) || (plan->to_is_bound && !is_loop)) {
            continue;
        }
        self->has_other_way = plan->direction == PATTERN_EITHER && !is_loop;
        bool is_left = plan->direction == PATTERN_LEFT;
        bind_ends(self, is_left ? self->ends.end_id : self->ends.start_id,
                  is_left ? self->ends.start_id : self->ends.end_id);
        return YORE_OK;
    }
}

static enum yore_status relationships_next(struct operator* op)
{
    struct relationship_scan *self = (struct relationship_scan *)op;
    for (;;) {
        if (op->is_active) {
            operator_rewind(op);
            enum yore_status st = scan_relationship(self);
            if (st != YORE_NOT_FOUND) {
                return st;
            }
        }
        enum yore_status st = operator_pull(op);
        if (st == YORE_OK) {
            st = run_view(op->run, op->plan->view, &self->view);
        }
        if (st != YORE_OK) {
            return st;
        }
        relationships_close(op);
        self->type_index = 0;
        self->has_other_way = false;
    }
}

const struct operator_kind op_relationship_scan = {sizeof(struct relationship_scan),
                                                   relationships_next, NULL, relationships_close};
