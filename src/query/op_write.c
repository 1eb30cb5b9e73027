/* op_write.c -- CREATE, SET, REMOVE, MERGE and DELETE. */
#include <string.h>

#include "query/operator.h"
#include "query/row_store.h"
#include "query/writer.h"

/* ---- CREATE, SET, REMOVE -------------------------------------------------------------------- */

static enum yore_status create_next(struct operator* op)
{
    enum yore_status st = operator_next(op->input);
    return st == YORE_OK ? write_pattern(op->run, &op->plan->as.write.clause->as.create.pattern)
                         : st;
}

const struct operator_kind op_create = {sizeof(struct operator), create_next, NULL, NULL};

static enum yore_status set_next(struct operator* op)
{
    const struct clause *clause = op->plan->as.write.clause;
    enum yore_status st = operator_next(op->input);
    return st == YORE_OK ? write_set_items(op->run, clause->as.set.items, clause->as.set.count)
                         : st;
}

const struct operator_kind op_set = {sizeof(struct operator), set_next, NULL, NULL};

/* ---- MERGE ----------------------------------------------------------------------------------
 * What is there is found by the subplan and held back before ON MATCH changes it. */

struct merge {
    struct operator base;
    struct row_store found;
    size_t at;
};

/* A property of null is never found, and would be made again and again. */
static enum yore_status refuse_nulls(struct run *run, const struct expr *properties)
{
    for (uint32_t i = 0;
         properties != NULL && properties->kind == EXPR_MAP && i < properties->as.map.count; i++) {
        struct yore_graph_value value;
        const struct expr *expr = properties->as.map.items[i].value;
        enum yore_status st = eval_expr(&run->eval, expr, run->frame, &value);
        if (st != YORE_OK) {
            return st;
        }
        if (value_is_null(&value)) {
            return eval_fail(&run->eval, expr->spot, "SemanticError", "MergeReadOwnWrites",
                             "MERGE cannot look for a property that is null");
        }
    }
    return YORE_OK;
}

static enum yore_status check_pattern(struct run *run, const struct path_pattern *path)
{
    enum yore_status st = YORE_OK;
    for (uint32_t i = 0; st == YORE_OK && i <= path->length; i++) {
        st = refuse_nulls(run, path->nodes[i].properties);
        if (st == YORE_OK && i < path->length) {
            st = refuse_nulls(run, path->relationships[i].properties);
        }
    }
    return st;
}

static enum yore_status merge_find(struct merge *self)
{
    struct operator* op = & self->base;
    const struct plan_slots *created = &op->plan->as.write.created;
    if (self->found.run == NULL) {
        row_store_open(&self->found, op->run, created->count);
    }
    row_store_clear(&self->found);
    self->at = 0;
    enum yore_status st =
        check_pattern(op->run, &op->plan->as.write.clause->as.merge.pattern.paths[0]);
    operator_reset(op->inner);
    while (st == YORE_OK && (st = operator_next(op->inner)) == YORE_OK) {
        struct yore_graph_value *row;
        st = row_store_save(&self->found, created, &row);
    }
    op->mark = arena_mark(&op->run->rows);
    return st == YORE_NOT_FOUND ? YORE_OK : st;
}

static enum yore_status merge_make(struct merge *self)
{
    struct operator* op = & self->base;
    const struct clause *clause = op->plan->as.write.clause;
    enum yore_status st = write_pattern(op->run, &clause->as.merge.pattern);
    op->is_active = false;
    return st == YORE_OK ? write_set_items(op->run, clause->as.merge.on_create,
                                           clause->as.merge.on_create_count)
                         : st;
}

static enum yore_status merge_next(struct operator* op)
{
    struct merge *self = (struct merge *)op;
    const struct clause *clause = op->plan->as.write.clause;
    for (;;) {
        if (op->is_active && self->at < self->found.count) {
            operator_rewind(op);
            row_store_load(&self->found, self->at++, &op->plan->as.write.created);
            return write_set_items(op->run, clause->as.merge.on_match,
                                   clause->as.merge.on_match_count);
        }
        enum yore_status st = operator_pull(op);
        if (st == YORE_OK) {
            st = merge_find(self);
        }
        if (st != YORE_OK) {
            return st;
        }
        if (self->found.count == 0) {
            return merge_make(self);
        }
    }
}

static void merge_close(struct operator* op)
{
    row_store_close(&((struct merge *)op)->found);
}

const struct operator_kind op_merge = {sizeof(struct merge), merge_next, NULL, merge_close};

/* ---- DELETE ---------------------------------------------------------------------------------
 * All rows first: a node may go when the relationships that hang on it go in another row.  Then
 * relationships, then nodes. */

struct deletion {
    struct operator base;
    struct row_store rows;
    struct run_store store;
    bool is_open;
    struct id_map noted[2]; /* relationships, nodes */
    uint64_t *ids[2];
    size_t counts[2];
    size_t capacities[2];
    size_t at;
    bool is_done;
};

/* Note an element that is to go; each once. */
static enum yore_status note(struct deletion *self, const struct yore_graph_value *element)
{
    struct run *run = self->base.run;
    int which = value_is_node(element) ? 1 : 0;
    uint64_t id = value_element_id(element);
    uint32_t number;
    bool is_new;
    self->noted[which].arena = &self->store.arena;
    if (id_map_put(&self->noted[which], id, 0, &number, &is_new) != YORE_OK) {
        return run_nomem(run);
    }
    if (!is_new) {
        return YORE_OK;
    }
    if (self->counts[which] == self->capacities[which]) {
        size_t capacity = self->capacities[which] == 0 ? 64 : self->capacities[which] * 2;
        uint64_t *grown = arena_alloc(&self->store.arena, capacity * sizeof(*grown));
        if (grown == NULL) {
            return run_nomem(run);
        }
        if (self->counts[which] > 0) {
            memcpy(grown, self->ids[which], self->counts[which] * sizeof(*grown));
        }
        self->ids[which] = grown;
        self->capacities[which] = capacity;
    }
    self->ids[which][self->counts[which]++] = id;
    return YORE_OK;
}

static enum yore_status note_path(struct deletion *self, const struct yore_graph_path *path)
{
    enum yore_status st = YORE_OK;
    for (size_t i = 0; st == YORE_OK && i <= path->length; i++) {
        st = note(self, &path->nodes[i]);
        if (st == YORE_OK && i < path->length) {
            st = note(self, &path->relationships[i]);
        }
    }
    return st;
}

static enum yore_status note_target(struct deletion *self, const struct expr *target)
{
    struct run *run = self->base.run;
    struct yore_graph_value value;
    enum yore_status st = eval_expr(&run->eval, target, run->frame, &value);
    if (st != YORE_OK || value_is_null(&value)) {
        return st;
    }
    if (value.kind == YORE_GRAPH_PATH) {
        return note_path(self, value.as.path);
    }
    if (value_is_element(&value)) {
        return note(self, &value);
    }
    return eval_fail(&run->eval, target->spot, "TypeError", "InvalidArgumentType",
                     "only nodes, relationships and paths can be deleted, not a %s",
                     value_kind_name(value.kind));
}

/* Relationships that go with a node are deleted elements of this statement too. */
static enum yore_status forget_detached(struct run *run, uint64_t node)
{
    struct graph_expand *expand = NULL;
    struct graph_expand_options options = {.node = node, .direction = GRAPH_BOTH};
    enum yore_status st = graph_expand_open(run->eval.view, &options, &expand, run_error(run));
    struct graph_hop hop;
    while (st == YORE_OK && (st = graph_expand_next(expand, &hop, run_error(run))) == YORE_OK) {
        struct graph_ends ends = {.type = hop.type,
                                  .start_id = hop.is_outgoing ? node : hop.other,
                                  .end_id = hop.is_outgoing ? hop.other : node};
        st = run_forget_relationship(run, hop.relationship, &ends);
    }
    if (expand != NULL) {
        graph_expand_close(expand);
    }
    return st == YORE_NOT_FOUND ? YORE_OK : st;
}

/* What the statement may still ask of an element when it is gone. */
static enum yore_status forget(struct run *run, struct graph_id id, bool detaches)
{
    if (id.element == GRAPH_NODE) {
        enum yore_status st = detaches ? forget_detached(run, id.id) : YORE_OK;
        return st == YORE_OK ? run_forget_node(run, id.id) : st;
    }
    struct graph_ends ends;
    enum yore_status st = graph_relationship_ends(run->eval.view, id.id, &ends, run_error(run));
    return st == YORE_OK ? run_forget_relationship(run, id.id, &ends) : st;
}

static enum yore_status delete_one(struct deletion *self, struct graph_id id)
{
    struct run *run = self->base.run;
    const struct clause *clause = self->base.plan->as.write.clause;
    bool detaches = clause->as.delete.detaches;
    enum yore_status st = run_step(run);
    if (st == YORE_OK) {
        st = forget(run, id, detaches);
    }
    if (st == YORE_OK) {
        st = graph_delete(run->txn, id, detaches, NULL, run_error(run));
    }
    if (st == YORE_NOT_FOUND) {
        return YORE_OK; /* it went with another one */
    }
    if (st == YORE_INVALID && id.element == GRAPH_NODE) {
        struct yore_error why = *run_error(run);
        return eval_fail(&run->eval, clause->spot, "ConstraintVerificationFailed",
                         "DeleteConnectedNode", "%s", why.text);
    }
    return st == YORE_OK ? st : write_refused(run, st, clause->spot);
}

static enum yore_status delete_noted(struct deletion *self)
{
    enum yore_status st = YORE_OK;
    for (int which = 0; which < 2; which++) {
        enum graph_element element = which == 1 ? GRAPH_NODE : GRAPH_RELATIONSHIP;
        for (size_t i = 0; st == YORE_OK && i < self->counts[which]; i++) {
            st = delete_one(self, (struct graph_id){element, self->ids[which][i]});
        }
        self->counts[which] = 0;
    }
    return st;
}

static enum yore_status delete_all(struct deletion *self)
{
    struct operator* op = & self->base;
    const struct plan_node *plan = op->plan;
    const struct expr_list *targets = &plan->as.write.clause->as.delete.targets;
    if (!self->is_open) {
        row_store_open(&self->rows, op->run, plan->as.write.created.count);
        run_store_open(op->run, &self->store);
        self->is_open = true;
    }
    enum yore_status st;
    while ((st = operator_next(op->input)) == YORE_OK) {
        struct yore_graph_value *row;
        st = row_store_save(&self->rows, &plan->as.write.created, &row);
        for (uint32_t i = 0; st == YORE_OK && i < targets->count; i++) {
            st = note_target(self, targets->items[i]);
        }
        if (st != YORE_OK) {
            return st;
        }
    }
    if (st == YORE_NOT_FOUND) {
        st = delete_noted(self);
        op->mark = arena_mark(&op->run->rows);
        self->is_done = true;
        self->at = 0;
    }
    return st;
}

static enum yore_status deletion_next(struct operator* op)
{
    struct deletion *self = (struct deletion *)op;
    if (!self->is_done) {
        enum yore_status st = delete_all(self);
        if (st != YORE_OK) {
            return st;
        }
    }
    operator_rewind(op);
    if (self->at == self->rows.count) {
        return YORE_NOT_FOUND;
    }
    row_store_load(&self->rows, self->at++, &op->plan->as.write.created);
    return YORE_OK;
}

static void deletion_reset(struct operator* op)
{
    struct deletion *self = (struct deletion *)op;
    if (self->is_open) {
        row_store_clear(&self->rows);
        arena_reset(&self->store.arena);
        memset(self->capacities, 0, sizeof(self->capacities));
        memset(self->counts, 0, sizeof(self->counts));
        id_map_clear(&self->noted[0]);
        id_map_clear(&self->noted[1]);
    }
    self->is_done = false;
}

static void deletion_close(struct operator* op)
{
    struct deletion *self = (struct deletion *)op;
    if (self->is_open) {
        row_store_close(&self->rows);
        run_store_close(op->run, &self->store);
        self->is_open = false;
    }
}

const struct operator_kind op_delete = {sizeof(struct deletion), deletion_next, deletion_reset,
                                        deletion_close};
