/* op_filter.c -- tests of rows, and named paths out of their parts. */
#include <string.h>

#include "query/element.h"
#include "query/operator.h"

enum yore_status operator_node(struct operator* op, uint32_t slot, struct ast_spot spot,
                               uint64_t *id_out)
{
    const struct yore_graph_value *value = &op->run->frame[slot];
    if (value_is_node(value)) {
        *id_out = value_element_id(value);
        return YORE_OK;
    }
    if (value_is_null(value)) {
        return YORE_NOT_FOUND;
    }
    return eval_fail(&op->run->eval, spot, "TypeError", "InvalidArgumentType",
                     "a pattern begins or ends at a node, not at a %s",
                     value_kind_name(value->kind));
}

/* ---- tests ---------------------------------------------------------------------------------- */

/* The element as it is in the moment of the pattern that tests it. */
static struct yore_graph_value element_at(const struct yore_graph_value *element,
                                          struct graph_view *view)
{
    uint64_t id = value_element_id(element);
    return value_is_node(element) ? value_node_ref(id, view) : value_relationship_ref(id, view);
}

/* An element that is not there at that moment passes no test. */
static enum yore_status absent_fails(enum yore_status st, bool *passes_out)
{
    if (st != YORE_NOT_FOUND) {
        return st;
    }
    *passes_out = false;
    return YORE_OK;
}

static enum yore_status test_labels(struct run *run, const struct plan_test *test,
                                    const struct yore_graph_value *node, bool *passes_out)
{
    *passes_out = value_is_node(node);
    enum yore_status st = YORE_OK;
    for (uint32_t i = 0; st == YORE_OK && *passes_out && i < test->label_count; i++) {
        uint32_t label = run_token(run, test->names[i]);
        if (label == GRAPH_NO_TOKEN) {
            *passes_out = false;
            return YORE_OK;
        }
        st = graph_node_has_label(node->as.ref.view, node->as.ref.id, label, passes_out,
                                  run_error(run));
    }
    return absent_fails(st, passes_out);
}

static enum yore_status test_type(struct run *run, const struct plan_test *test,
                                  const struct yore_graph_value *relationship,
                                  struct graph_view *view, bool *passes_out)
{
    *passes_out = false;
    if (!value_is_relationship(relationship)) {
        return YORE_OK;
    }
    struct graph_ends ends;
    enum yore_status st =
        graph_relationship_ends(view, value_element_id(relationship), &ends, run_error(run));
    for (uint32_t i = 0; st == YORE_OK && i < test->label_count; i++) {
        *passes_out = *passes_out || ends.type == run_token(run, test->names[i]);
    }
    return absent_fails(st, passes_out);
}

static enum yore_status test_types(struct run *run, const struct plan_test *test,
                                   const struct yore_graph_value *value, struct graph_view *view,
                                   bool *passes_out)
{
    if (value->kind != YORE_GRAPH_LIST) {
        return test_type(run, test, value, view, passes_out);
    }
    *passes_out = true;
    enum yore_status st = YORE_OK;
    for (size_t i = 0; st == YORE_OK && *passes_out && i < value->as.list.count; i++) {
        st = test_type(run, test, &value->as.list.items[i], view, passes_out);
    }
    return st;
}

static enum yore_status is_property_equal(struct run *run, uint32_t property,
                                          const struct yore_graph_value *element,
                                          const struct yore_graph_value *wanted, bool *passes_out)
{
    struct yore_graph_value value = value_null();
    struct graph_view *view = element->as.ref.view;
    uint64_t id = element->as.ref.id;
    *passes_out = false;
    if (property == GRAPH_NO_TOKEN) {
        return YORE_OK;
    }
    enum yore_status st =
        value_is_node(element)
            ? graph_node_property(view, id, property, &run->rows, &value, run_error(run))
            : graph_relationship_property(view, id, property, &run->rows, &value, run_error(run));
    *passes_out = st == YORE_OK && value_equal(&value, wanted) == TERNARY_TRUE;
    return absent_fails(st, passes_out);
}

static enum yore_status is_external_id(struct run *run, const struct plan_test *test,
                                       const struct yore_graph_value *element,
                                       const struct yore_graph_value *wanted, bool *passes_out)
{
    struct yore_bytes external_id = bytes_of(NULL, 0);
    enum yore_status st = element_external_id(&run->eval, element, test->spot, &external_id);
    *passes_out = st == YORE_OK && wanted->kind == YORE_GRAPH_STRING &&
                  bytes_equal(external_id, wanted->as.string);
    return absent_fails(st, passes_out);
}

static enum yore_status test_property(struct run *run, const struct plan_test *test,
                                      const struct yore_graph_value *element, bool *passes_out)
{
    struct yore_graph_value wanted;
    enum yore_status st = eval_expr(&run->eval, test->value, run->frame, &wanted);
    if (st == YORE_OK && element_is_external_id(test->name)) {
        return is_external_id(run, test, element, &wanted, passes_out);
    }
    return st == YORE_OK ? is_property_equal(run, run_token(run, test->names[0]), element, &wanted,
                                             passes_out)
                         : st;
}

static enum yore_status test_properties(struct run *run, const struct plan_test *test,
                                        const struct yore_graph_value *element, bool *passes_out)
{
    struct yore_graph_value map;
    enum yore_status st = eval_expr(&run->eval, test->value, run->frame, &map);
    if (st == YORE_OK && map.kind != YORE_GRAPH_MAP) {
        return eval_fail(&run->eval, test->spot, "TypeError", "InvalidArgumentType",
                         "the properties of a pattern are a map, not a %s",
                         value_kind_name(map.kind));
    }
    *passes_out = true;
    for (size_t i = 0; st == YORE_OK && *passes_out && i < map.as.map.count; i++) {
        const struct yore_graph_entry *entry = &map.as.map.entries[i];
        if (element_is_external_id(entry->name)) {
            st = is_external_id(run, test, element, &entry->value, passes_out);
            continue;
        }
        uint32_t property = graph_token(run->graph, GRAPH_PROPERTY, entry->name);
        st = is_property_equal(run, property, element, &entry->value, passes_out);
    }
    return st;
}

static enum yore_status test_present(struct run *run, const struct yore_graph_value *node,
                                     struct graph_view *view, bool *passes_out)
{
    const uint32_t *labels;
    size_t count;
    enum yore_status st = graph_node_labels(view, value_element_id(node), &run->rows, &labels,
                                            &count, run_error(run));
    *passes_out = st == YORE_OK;
    return st == YORE_NOT_FOUND ? YORE_OK : st;
}

static enum yore_status test_value(struct operator* op, const struct plan_test *test,
                                   const struct yore_graph_value *value, bool *passes_out)
{
    struct run *run = op->run;
    *passes_out = false;
    if (value_is_null(value)) {
        return YORE_OK;
    }
    if (test->kind != TEST_TYPES && !value_is_element(value)) {
        return eval_fail(&run->eval, test->spot, "TypeError", "InvalidArgumentType",
                         "a pattern is made of nodes and relationships, not of a %s",
                         value_kind_name(value->kind));
    }
    struct graph_view *view;
    enum yore_status st = run_view(run, op->plan->view, &view);
    if (st != YORE_OK) {
        return st;
    }
    if (test->kind == TEST_TYPES) {
        return test_types(run, test, value, view, passes_out);
    }
    struct yore_graph_value element = element_at(value, view);
    switch (test->kind) {
    case TEST_LABELS:
        return test_labels(run, test, &element, passes_out);
    case TEST_PROPERTY:
        return test_property(run, test, &element, passes_out);
    case TEST_PROPERTIES:
        return test_properties(run, test, &element, passes_out);
    default:
        return test_present(run, &element, view, passes_out);
    }
}

/* Of the relationships of a hop of variable length each has to pass. */
static enum yore_status test_element(struct operator* op, const struct plan_test *test,
                                     bool *passes_out)
{
    const struct yore_graph_value *value = &op->run->frame[test->slot];
    bool is_each = value->kind == YORE_GRAPH_LIST &&
                   (test->kind == TEST_PROPERTY || test->kind == TEST_PROPERTIES);
    if (!is_each) {
        return test_value(op, test, value, passes_out);
    }
    *passes_out = true;
    enum yore_status st = YORE_OK;
    for (size_t i = 0; st == YORE_OK && *passes_out && i < value->as.list.count; i++) {
        st = test_value(op, test, &value->as.list.items[i], passes_out);
    }
    return st;
}

enum yore_status operator_test(struct operator* op, const struct plan_test *tests, uint32_t count,
                               bool *passes_out)
{
    *passes_out = true;
    enum yore_status st = YORE_OK;
    for (uint32_t i = 0; st == YORE_OK && *passes_out && i < count; i++) {
        st = tests[i].kind == TEST_CONDITION
                 ? eval_condition(&op->run->eval, tests[i].value, op->run->frame, passes_out)
                 : test_element(op, &tests[i], passes_out);
    }
    return st;
}

static enum yore_status filter_next(struct operator* op)
{
    for (;;) {
        enum yore_status st = operator_next(op->input);
        bool passes = false;
        if (st == YORE_OK) {
            st = run_step(op->run);
        }
        if (st == YORE_OK) {
            st = operator_test(op, op->plan->as.tests.items, op->plan->as.tests.count, &passes);
        }
        if (st != YORE_OK || passes) {
            return st;
        }
    }
}

const struct operator_kind op_filter = {sizeof(struct operator), filter_next, NULL, NULL};

/* ---- paths ---------------------------------------------------------------------------------- */

struct path_parts {
    struct yore_graph_value *nodes;
    struct yore_graph_value *relationships;
    size_t node_count;
    size_t relationship_count;
};

static size_t part_count(const struct yore_graph_value *value)
{
    return value->kind == YORE_GRAPH_LIST ? value->as.list.count : 1;
}

static void add_parts(struct yore_graph_value *to, size_t *count,
                      const struct yore_graph_value *value)
{
    if (value->kind != YORE_GRAPH_LIST) {
        to[(*count)++] = *value;
        return;
    }
    if (value->as.list.count > 0) {
        memcpy(&to[*count], value->as.list.items, value->as.list.count * sizeof(*to));
        *count += value->as.list.count;
    }
}

static void lay_parts(struct operator* op, struct path_parts *parts)
{
    const struct path_pattern *pattern = op->plan->as.path.pattern;
    const uint32_t *between = op->plan->as.path.between;
    const struct yore_graph_value *frame = op->run->frame;
    add_parts(parts->nodes, &parts->node_count, &frame[pattern->nodes[0].slot]);
    for (uint32_t i = 0; i < pattern->length; i++) {
        const struct yore_graph_value *hop = &frame[pattern->relationships[i].slot];
        add_parts(parts->relationships, &parts->relationship_count, hop);
        if (between[i] != PLAN_NO_SLOT) {
            add_parts(parts->nodes, &parts->node_count, &frame[between[i]]);
        }
        if (part_count(hop) > 0) { /* no hop: both ends are one node */
            add_parts(parts->nodes, &parts->node_count, &frame[pattern->nodes[i + 1].slot]);
        }
    }
}

static enum yore_status path_next(struct operator* op)
{
    enum yore_status st = operator_next(op->input);
    if (st != YORE_OK) {
        return st;
    }
    struct run *run = op->run;
    const struct path_pattern *pattern = op->plan->as.path.pattern;
    size_t most = 0;
    for (uint32_t i = 0; i < pattern->length; i++) {
        most += part_count(&run->frame[pattern->relationships[i].slot]);
    }
    struct path_parts parts = {0};
    parts.nodes = arena_alloc(&run->rows, (most + 1) * sizeof(*parts.nodes));
    parts.relationships = arena_alloc(&run->rows, (most + 1) * sizeof(*parts.relationships));
    struct yore_graph_path *path = arena_alloc(&run->rows, sizeof(*path));
    if (parts.nodes == NULL || parts.relationships == NULL || path == NULL) {
        return run_nomem(run);
    }
    lay_parts(op, &parts);
    *path = (struct yore_graph_path){parts.nodes, parts.relationships, parts.relationship_count};
    run->frame[op->plan->slot] =
        (struct yore_graph_value){.kind = YORE_GRAPH_PATH, .as.path = path};
    return YORE_OK;
}

const struct operator_kind op_path = {sizeof(struct operator), path_next, NULL, NULL};
