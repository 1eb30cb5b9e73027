/* plan_text.c -- a plan told to people: EXPLAIN, and the figures of PROFILE. */
#include <stdio.h>
#include <string.h>

#include "query/plan.h"

/* style: long because it is one table. */
const char *plan_kind_name(enum plan_kind kind)
{
    switch (kind) {
    case PLAN_ARGUMENT:
        return "Argument";
    case PLAN_ALL_NODES:
        return "AllNodesScan";
    case PLAN_LABEL_SCAN:
        return "NodeByLabelScan";
    case PLAN_INDEX_SCAN:
        return "NodeIndexSeek";
    case PLAN_NODE_SEEK:
        return "NodeByIdSeek";
    case PLAN_RELATIONSHIP_SCAN:
        return "RelationshipTypeScan";
    case PLAN_EXPAND:
        return "Expand";
    case PLAN_EXPAND_BOUND:
        return "ProjectEndpoints";
    case PLAN_EXPAND_VARIABLE:
        return "VarLengthExpand";
    case PLAN_REACH:
        return "Reach";
    case PLAN_SHORTEST:
        return "ShortestPath";
    case PLAN_FILTER:
        return "Filter";
    case PLAN_PATH:
        return "Path";
    case PLAN_INTERVALS:
        return "Intervals";
    case PLAN_OPTIONAL:
        return "Optional";
    case PLAN_APPLY:
        return "Apply";
    case PLAN_MERGE:
        return "Merge";
    case PLAN_FOREACH:
        return "Foreach";
    case PLAN_UNWIND:
        return "Unwind";
    case PLAN_PROJECT:
        return "Projection";
    case PLAN_AGGREGATE:
        return "Aggregation";
    case PLAN_DISTINCT:
        return "Distinct";
    case PLAN_SORT:
        return "Sort";
    case PLAN_SKIP:
        return "Skip";
    case PLAN_LIMIT:
        return "Limit";
    case PLAN_UNION:
        return "Union";
    case PLAN_EAGER:
        return "Eager";
    case PLAN_CALL:
        return "ProcedureCall";
    case PLAN_CREATE:
        return "Create";
    case PLAN_SET:
        return "Set";
    case PLAN_DELETE:
        return "Delete";
    case PLAN_SCHEMA:
        return "Schema";
    }
    return "?";
}

static void say(struct buffer *to, const char *text)
{
    buffer_append(to, text, strlen(text));
}

/* A variable by name; hidden ones as _17. */
static void say_slot(const struct plan *plan, uint32_t slot, struct buffer *to)
{
    if (slot < plan->statement->slot_count && plan->statement->slot_names[slot].size > 0) {
        buffer_append_bytes(to, plan->statement->slot_names[slot]);
        return;
    }
    char text[16];
    snprintf(text, sizeof(text), "_%u", slot);
    say(to, text);
}

static void say_spot(const struct plan *plan, struct ast_spot spot, struct buffer *to)
{
    struct yore_bytes text = plan->statement->text;
    if (spot.offset < text.size && spot.size <= text.size - spot.offset) {
        buffer_append(to, (const char *)text.data + spot.offset, spot.size);
    }
}

static void say_expr(const struct plan *plan, const struct expr *expr, struct buffer *to)
{
    if (expr != NULL) {
        say_spot(plan, expr->spot, to);
    }
}

static void say_hop(const struct plan *plan, const struct plan_hop *hop, struct buffer *to)
{
    say(to, "(");
    say_slot(plan, hop->from, to);
    say(to, hop->direction == PATTERN_LEFT ? ")<-[" : ")-[");
    for (uint32_t i = 0; i < hop->type_count; i++) {
        say(to, i == 0 ? ":" : "|");
        buffer_append_bytes(to, plan->names[hop->types[i]].name);
    }
    if (hop->pattern->is_variable_length) {
        char text[40];
        if (hop->pattern->maximum == PATTERN_NO_MAXIMUM) {
            snprintf(text, sizeof(text), "*%u..", hop->pattern->minimum);
        } else {
            snprintf(text, sizeof(text), "*%u..%u", hop->pattern->minimum, hop->pattern->maximum);
        }
        say(to, text);
    }
    say(to, hop->direction == PATTERN_RIGHT ? "]->(" : "]-(");
    say_slot(plan, hop->to, to);
    say(to, ")");
}

static void say_seek(const struct plan *plan, const struct plan_node *node, struct buffer *to)
{
    const struct plan_seek *seek = &node->as.scan.seek;
    say_expr(plan, seek->kind == SEEK_RANGE ? seek->low : seek->value, to);
    if (seek->kind == SEEK_RANGE) {
        say(to, "..");
        say_expr(plan, seek->high, to);
    }
}

static void say_scan(const struct plan *plan, const struct plan_node *node, struct buffer *to)
{
    say_slot(plan, node->slot, to);
    if (node->kind == PLAN_NODE_SEEK) {
        say(to, node->as.scan.seek.id_kind == BY_EXTERNAL_ID ? " by external id " : " by id ");
        say_seek(plan, node, to);
    } else if (node->kind != PLAN_ALL_NODES) {
        say(to, ":");
        buffer_append_bytes(to, plan->names[node->as.scan.label].name);
    }
    if (node->kind == PLAN_INDEX_SCAN) {
        say(to, "(");
        buffer_append_bytes(to, plan->names[node->as.scan.property].name);
        say(to, ") ");
        say_seek(plan, node, to);
    }
}

static void say_test(const struct plan *plan, const struct plan_test *test, struct buffer *to)
{
    if (test->slot != PLAN_NO_SLOT) {
        say_slot(plan, test->slot, to);
    }
    for (uint32_t i = 0; i < test->label_count; i++) {
        say(to, test->kind == TEST_TYPES && i > 0 ? "|" : ":");
        buffer_append_bytes(to, test->labels[i]);
    }
    if (test->kind == TEST_PROPERTY) {
        say(to, ".");
        buffer_append_bytes(to, test->name);
        say(to, " = ");
    } else if (test->kind == TEST_PROPERTIES) {
        say(to, " has ");
    } else if (test->kind == TEST_PRESENT) {
        say(to, " is there");
    }
    say_expr(plan, test->value, to);
}

static void say_items(const struct projection *projection, struct buffer *to)
{
    for (uint32_t i = 0; i < projection->item_count; i++) {
        say(to, i == 0 ? "" : ", ");
        buffer_append_bytes(to, projection->items[i].name);
    }
}

static void say_sorts(const struct plan *plan, const struct plan_node *node, struct buffer *to)
{
    for (uint32_t i = 0; i < node->as.sort.count; i++) {
        say(to, i == 0 ? "" : ", ");
        say_expr(plan, node->as.sort.items[i].value, to);
        say(to, node->as.sort.items[i].is_descending ? " DESC" : "");
    }
    if (node->as.sort.limit != NULL) {
        say(to, " LIMIT ");
        say_expr(plan, node->as.sort.limit, to);
    }
}

static void say_slots(const struct plan *plan, const struct plan_slots *slots, struct buffer *to)
{
    for (uint32_t i = 0; i < slots->count; i++) {
        say(to, i == 0 ? "" : ", ");
        say_slot(plan, slots->items[i], to);
    }
}

/* style: long because each kind says one thing of its own. */
void plan_node_describe(const struct plan *plan, const struct plan_node *node, struct buffer *to)
{
    switch (node->kind) {
    case PLAN_ALL_NODES:
    case PLAN_LABEL_SCAN:
    case PLAN_INDEX_SCAN:
    case PLAN_NODE_SEEK:
        say_scan(plan, node, to);
        break;
    case PLAN_RELATIONSHIP_SCAN:
    case PLAN_EXPAND:
    case PLAN_EXPAND_BOUND:
    case PLAN_EXPAND_VARIABLE:
    case PLAN_REACH:
    case PLAN_SHORTEST:
        say_hop(plan, &node->as.hop, to);
        break;
    case PLAN_FILTER:
        for (uint32_t i = 0; i < node->as.tests.count; i++) {
            say(to, i == 0 ? "" : " AND ");
            say_test(plan, &node->as.tests.items[i], to);
        }
        break;
    case PLAN_PATH:
    case PLAN_UNWIND:
    case PLAN_FOREACH:
        say_slot(plan, node->slot, to);
        break;
    case PLAN_PROJECT:
        say_items(node->as.projection, to);
        break;
    case PLAN_AGGREGATE:
        say_items(node->as.aggregate.projection, to);
        break;
    case PLAN_SORT:
        say_sorts(plan, node, to);
        break;
    case PLAN_SKIP:
    case PLAN_LIMIT:
        say_expr(plan, node->as.count, to);
        break;
    case PLAN_CALL:
        buffer_append_bytes(to, node->as.clause->as.call.name);
        break;
    case PLAN_OPTIONAL:
    case PLAN_DISTINCT:
    case PLAN_EAGER:
        say_slots(plan, &node->as.slots, to);
        break;
    case PLAN_CREATE:
    case PLAN_MERGE:
        say_slots(plan, &node->as.write.created, to);
        break;
    default:
        break;
    }
}
