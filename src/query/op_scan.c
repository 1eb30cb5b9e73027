/* op_scan.c -- where rows begin: every node, those of a label, of an index, of an id; every
 * relationship of some types. */
#include "query/operator.h"

/* ---- nodes ---------------------------------------------------------------------------------- */

struct node_scan {
    struct operator base;
    struct graph_view *view;
    struct graph_scan *scan;
    struct yore_graph_value values; /* of SEEK_IN: the list */
    size_t value_index;
    uint32_t label; /* tokens */
    uint32_t property;
    bool is_null; /* nothing is equal to it: no rows */
};

static struct node_scan *scan_of(struct operator* op)
{
    return (struct node_scan *)op;
}

static void scan_close(struct operator* op)
{
    struct node_scan *self = scan_of(op);
    if (self->scan != NULL) {
        graph_scan_close(self->scan);
        self->scan = NULL;
    }
}

static enum yore_status open_scan(struct node_scan *self, const struct graph_scan_options *options)
{
    struct run *run = self->base.run;
    enum yore_status st = graph_scan_open(self->view, options, &self->scan, run_error(run));
    if (st != YORE_NOT_FOUND || options->kind != GRAPH_SCAN_INDEX) {
        return st;
    }
    /* There was no such index at that moment: the filter behind does its work. */
    struct graph_scan_options whole = {.kind = GRAPH_SCAN_LABEL, .token = options->token};
    return graph_scan_open(self->view, &whole, &self->scan, run_error(run));
}

/* A bound of an index; NULL expressions are open. */
static enum yore_status bound(struct run *run, const struct expr *expr,
                              struct yore_graph_value *value,
                              const struct yore_graph_value **bound_out)
{
    *bound_out = NULL;
    if (expr == NULL) {
        return YORE_OK;
    }
    *bound_out = value;
    return eval_expr(&run->eval, expr, run->frame, value);
}

static enum yore_status open_equal(struct node_scan *self, const struct yore_graph_value *value)
{
    if (value_is_null(value)) {
        self->is_null = true;
        return YORE_OK;
    }
    return open_scan(self, &(struct graph_scan_options){.kind = GRAPH_SCAN_INDEX,
                                                        .token = self->label,
                                                        .property = self->property,
                                                        .low = value,
                                                        .high = value});
}

/* The next item of the list that has not come before. */
static enum yore_status open_next_item(struct node_scan *self)
{
    const struct yore_graph_list *list = &self->values.as.list;
    while (self->value_index < list->count) {
        const struct yore_graph_value *item = &list->items[self->value_index++];
        bool is_repeated = value_is_null(item);
        for (size_t i = 0; i + 1 < self->value_index && !is_repeated; i++) {
            is_repeated = value_equal(item, &list->items[i]) == TERNARY_TRUE;
        }
        if (!is_repeated) {
            return open_equal(self, item);
        }
    }
    return YORE_NOT_FOUND;
}

static enum yore_status open_list(struct node_scan *self)
{
    self->value_index = 0;
    if (self->values.kind != YORE_GRAPH_LIST) {
        self->is_null = true; /* the filter behind tells what is wrong with it, or it is null */
        return YORE_OK;
    }
    enum yore_status st = open_next_item(self);
    self->is_null = st == YORE_NOT_FOUND;
    return st == YORE_NOT_FOUND ? YORE_OK : st;
}

static enum yore_status open_index(struct node_scan *self)
{
    struct run *run = self->base.run;
    const struct plan_seek *seek = &self->base.plan->as.scan.seek;
    struct yore_graph_value low = value_null();
    struct yore_graph_value high = value_null();
    struct graph_scan_options options = {.kind = GRAPH_SCAN_INDEX,
                                         .token = self->label,
                                         .property = self->property,
                                         .low_exclusive = seek->low_exclusive,
                                         .high_exclusive = seek->high_exclusive,
                                         .is_prefix = seek->kind == SEEK_PREFIX};
    bool is_range = seek->kind == SEEK_RANGE;
    enum yore_status st = bound(run, is_range ? seek->low : seek->value, &low, &options.low);
    if (st == YORE_OK && is_range) {
        st = bound(run, seek->high, &high, &options.high);
    }
    if (st != YORE_OK) {
        return st;
    }
    if (seek->kind == SEEK_EQUAL) {
        return open_equal(self, &low);
    }
    if (seek->kind == SEEK_IN) {
        self->values = low;
        return open_list(self);
    }
    self->is_null = (options.low != NULL && value_is_null(options.low)) ||
                    (options.high != NULL && value_is_null(options.high)) ||
                    (options.is_prefix && low.kind != YORE_GRAPH_STRING);
    return self->is_null ? YORE_OK : open_scan(self, &options);
}

static enum yore_status open_row(struct node_scan *self)
{
    struct run *run = self->base.run;
    const struct plan_node *plan = self->base.plan;
    scan_close(&self->base);
    self->is_null = false;
    enum yore_status st = run_view(run, plan->view, &self->view);
    if (st != YORE_OK) {
        return st;
    }
    if (plan->kind == PLAN_ALL_NODES) {
        return open_scan(self, &(struct graph_scan_options){.kind = GRAPH_SCAN_NODES});
    }
    self->label = run_token(run, plan->as.scan.label);
    if (self->label == GRAPH_NO_TOKEN) {
        self->is_null = true;
        return YORE_OK;
    }
    if (plan->kind == PLAN_LABEL_SCAN) {
        return open_scan(
            self, &(struct graph_scan_options){.kind = GRAPH_SCAN_LABEL, .token = self->label});
    }
    self->property = run_token(run, plan->as.scan.property);
    self->is_null = self->property == GRAPH_NO_TOKEN;
    return self->is_null ? YORE_OK : open_index(self);
}

static enum yore_status scan_id(struct node_scan *self, uint64_t *id_out)
{
    struct run *run = self->base.run;
    for (;;) {
        if (self->is_null) {
            return YORE_NOT_FOUND;
        }
        enum yore_status st = graph_scan_next(self->scan, id_out, run_error(run));
        bool is_list = self->base.plan->kind == PLAN_INDEX_SCAN &&
                       self->base.plan->as.scan.seek.kind == SEEK_IN;
        if (st != YORE_NOT_FOUND || !is_list) {
            return st;
        }
        scan_close(&self->base);
        st = open_next_item(self);
        if (st != YORE_OK) {
            return st;
        }
    }
}

static enum yore_status scan_next(struct operator* op)
{
    struct node_scan *self = scan_of(op);
    struct run *run = op->run;
    for (;;) {
        enum yore_status st = run_step(run);
        if (st != YORE_OK) {
            return st;
        }
        if (op->is_active) {
            uint64_t id;
            operator_rewind(op);
            st = scan_id(self, &id);
            if (st == YORE_OK) {
                run->frame[op->plan->slot] = value_node_ref(id, self->view);
            }
            if (st != YORE_NOT_FOUND) {
                return st;
            }
        }
        st = operator_pull(op);
        if (st == YORE_OK) {
            st = open_row(self);
            op->mark = arena_mark(&run->rows); /* values of an index stay as long as the scan */
        }
        if (st != YORE_OK) {
            return st;
        }
    }
}

const struct operator_kind op_node_scan = {sizeof(struct node_scan), scan_next, NULL, scan_close};

/* ---- a node by id --------------------------------------------------------------------------- */

struct node_seek {
    struct operator base;
    struct graph_view *view;
    struct yore_graph_value values; /* a list, or one value */
    size_t value_index;
    size_t value_count;
};

/* The number that elementId() writes as text; 0: it is no such text. */
static uint64_t id_of_text(struct yore_bytes text)
{
    const char *digits = text.data;
    uint64_t id = 0;
    for (size_t i = 0; i < text.size; i++) {
        uint64_t digit = (uint64_t)(digits[i] - '0');
        if (digits[i] < '0' || digits[i] > '9' || id > (UINT64_MAX - digit) / 10) {
            return 0;
        }
        id = id * 10 + digit;
    }
    return id;
}

static enum yore_status seek_id(struct node_seek *self, const struct yore_graph_value *value,
                                uint64_t *id_out)
{
    struct run *run = self->base.run;
    enum plan_id_kind id_kind = self->base.plan->as.scan.seek.id_kind;
    enum yore_graph_kind kind = id_kind == BY_ID ? YORE_GRAPH_INT : YORE_GRAPH_STRING;
    if (value->kind != kind) {
        return YORE_NOT_FOUND;
    }
    if (id_kind == BY_EXTERNAL_ID) {
        return graph_node_find(self->view, value->as.string, id_out, run_error(run));
    }
    *id_out = id_kind == BY_ELEMENT_ID ? id_of_text(value->as.string)
              : value->as.integer > 0  ? (uint64_t)value->as.integer
                                       : 0;
    if (*id_out == 0) {
        return YORE_NOT_FOUND;
    }
    const uint32_t *labels;
    size_t count;
    return graph_node_labels(self->view, *id_out, &run->rows, &labels, &count, run_error(run));
}

static const struct yore_graph_value *seek_value(const struct node_seek *self, size_t index)
{
    return self->values.kind == YORE_GRAPH_LIST ? &self->values.as.list.items[index]
                                                : &self->values;
}

static bool is_repeated(const struct node_seek *self, size_t index)
{
    for (size_t i = 0; i < index; i++) {
        if (value_is_same(seek_value(self, i), seek_value(self, index))) {
            return true;
        }
    }
    return false;
}

static enum yore_status seek_open(struct node_seek *self)
{
    struct run *run = self->base.run;
    const struct plan_seek *seek = &self->base.plan->as.scan.seek;
    enum yore_status st = run_view(run, self->base.plan->view, &self->view);
    if (st == YORE_OK) {
        st = eval_expr(&run->eval, seek->value, run->frame, &self->values);
    }
    self->value_index = 0;
    self->value_count = 1;
    if (seek->kind == SEEK_IN) {
        bool is_list = self->values.kind == YORE_GRAPH_LIST;
        self->value_count = is_list ? self->values.as.list.count : 0;
    } else if (self->values.kind == YORE_GRAPH_LIST) {
        self->value_count = 0; /* no id is equal to a list */
    }
    return st;
}

static enum yore_status seek_next(struct operator* op)
{
    struct node_seek *self = (struct node_seek *)op;
    struct run *run = op->run;
    for (;;) {
        enum yore_status st = run_step(run);
        if (st != YORE_OK) {
            return st;
        }
        while (op->is_active && self->value_index < self->value_count) {
            size_t index = self->value_index++;
            uint64_t id;
            operator_rewind(op);
            st = is_repeated(self, index) ? YORE_NOT_FOUND
                                          : seek_id(self, seek_value(self, index), &id);
            if (st == YORE_OK) {
                run->frame[op->plan->slot] = value_node_ref(id, self->view);
            }
            if (st != YORE_NOT_FOUND) {
                return st;
            }
        }
        st = operator_pull(op);
        if (st == YORE_OK) {
            st = seek_open(self);
            op->mark = arena_mark(&run->rows);
        }
        if (st != YORE_OK) {
            return st;
        }
    }
}

const struct operator_kind op_node_seek = {sizeof(struct node_seek), seek_next, NULL, NULL};
