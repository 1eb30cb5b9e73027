/* op_shortest.c -- shortestPath and allShortestPaths between two bound nodes.
 *
 * Where the path has to pass tests of its own and none of the shortest does, longer trails are
 * tried, one length after the other: the shortest that passes is the answer. */
#include "query/shortest.h"
#include "query/trail.h"

struct shortest_step {
    struct operator base;
    struct shortest search;
    struct trail trail;
    uint64_t from;
    uint64_t to;
    bool is_empty_way; /* the way of no relationships is still to be told */
    bool has_trails;   /* beyond the shortest, by `trail` */
    bool is_found;
};

static enum yore_status tell(struct shortest_step *self, const uint64_t *nodes,
                             const uint64_t *relationships, size_t count, bool *passes_out)
{
    struct operator* op = & self->base;
    const struct plan_hop *plan = &op->plan->as.hop;
    struct yore_graph_value *frame = op->run->frame;
    struct graph_view *view;
    enum yore_status st = run_view(op->run, op->plan->view, &view);
    if (st == YORE_OK) {
        st = hop_relationship_list(op, relationships, count, view, &frame[plan->relationship]);
    }
    if (st == YORE_OK && !plan->pattern->is_variable_length && count == 1) {
        frame[plan->relationship] = value_relationship_ref(relationships[0], view);
    }
    if (st == YORE_OK && plan->path_slot != PLAN_NO_SLOT) {
        st = hop_path(op, nodes, relationships, count, view, &frame[plan->path_slot]);
    }
    *passes_out = true;
    return st == YORE_OK ? operator_test(op, plan->path_tests, plan->path_test_count, passes_out)
                         : st;
}

static uint32_t maximum_of(const struct plan_hop *plan)
{
    return plan->pattern->is_variable_length ? plan->pattern->maximum : 1;
}

static enum yore_status begin(struct shortest_step *self)
{
    struct operator* op = & self->base;
    const struct plan_hop *plan = &op->plan->as.hop;
    enum yore_status st = operator_node(op, plan->from, plan->pattern->spot, &self->from);
    if (st == YORE_OK) {
        st = operator_node(op, plan->to, plan->pattern->spot, &self->to);
    }
    if (st != YORE_OK) {
        return st;
    }
    self->is_found = false;
    self->has_trails = false;
    self->is_empty_way =
        self->from == self->to && plan->pattern->is_variable_length && plan->pattern->minimum == 0;
    self->search.keeps_all = !plan->only_one || plan->path_test_count > 0;
    self->search.met_count = 0;
    self->search.met_at = 0;
    self->search.is_chosen = false;
    self->search.op = op;
    if (self->from == self->to) {
        return YORE_OK;
    }
    return shortest_begin(&self->search, op, self->from, self->to, maximum_of(plan));
}

/* Trails one longer than those tried last. */
static enum yore_status lengthen(struct shortest_step *self)
{
    uint32_t length = self->has_trails ? self->trail.minimum + 1 : self->search.length + 1;
    bool was_met = self->search.met_count > 0;
    if (self->is_found || !was_met || self->base.plan->as.hop.path_test_count == 0 ||
        length > maximum_of(&self->base.plan->as.hop)) {
        return YORE_NOT_FOUND;
    }
    self->has_trails = true;
    return trail_begin(&self->trail, &self->base, self->from, length, length);
}

static enum yore_status next_trail(struct shortest_step *self, bool *passes_out)
{
    *passes_out = false;
    enum yore_status st = trail_next(&self->trail);
    if (st != YORE_OK || self->trail.nodes[self->trail.depth] != self->to) {
        return st;
    }
    return tell(self, self->trail.nodes, self->trail.relationships, self->trail.depth, passes_out);
}

static enum yore_status next_way(struct shortest_step *self, bool *passes_out)
{
    *passes_out = false;
    if (self->is_empty_way) {
        self->is_empty_way = false;
        return tell(self, &self->from, NULL, 0, passes_out);
    }
    enum yore_status st =
        self->has_trails ? next_trail(self, passes_out) : shortest_next(&self->search);
    if (st == YORE_OK && !self->has_trails) {
        return tell(self, self->search.nodes, self->search.relationships, self->search.length,
                    passes_out);
    }
    return st == YORE_NOT_FOUND && !self->base.run->is_stopping ? lengthen(self) : st;
}

static enum yore_status shortest_step_next(struct operator* op)
{
    struct shortest_step *self = (struct shortest_step *)op;
    for (;;) {
        while (op->is_active && !(self->is_found && op->plan->as.hop.only_one)) {
            bool passes;
            operator_rewind(op);
            enum yore_status st = next_way(self, &passes);
            if (st == YORE_NOT_FOUND) {
                break;
            }
            self->is_found = self->is_found || passes;
            if (st != YORE_OK || passes) {
                return st;
            }
        }
        enum yore_status st = operator_pull(op);
        if (st == YORE_OK) {
            st = begin(self);
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

static void shortest_step_close(struct operator* op)
{
    struct shortest_step *self = (struct shortest_step *)op;
    shortest_close(&self->search);
    trail_close(&self->trail);
}

const struct operator_kind op_shortest = {sizeof(struct shortest_step), shortest_step_next, NULL,
                                          shortest_step_close};
