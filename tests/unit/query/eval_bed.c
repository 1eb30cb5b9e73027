#include "unit/query/eval_bed.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/mem.h"
#include "query/aggregate.h"
#include "query/eval.h"
#include "query/parser.h"
#include "query/resolver.h"
#include "query/value_format.h"
#include "support/test.h"

#define SLOTS_MAX 64
#define AGGREGATES_MAX 4
#define CLOCK_NS INT64_C(1709209874645876123)

static struct yore_graph_value parameter;
static uint64_t memory_bytes_max;

void bed_set_parameter(struct yore_graph_value value)
{
    parameter = value;
}

void bed_set_memory(uint64_t bytes)
{
    memory_bytes_max = bytes;
}

struct bed {
    struct arena arena;
    struct eval eval;
    struct query_error error;
    struct statement *statement;
    struct yore_graph_value row[SLOTS_MAX];
    uint32_t tokens[SLOTS_MAX];
    struct yore_graph_value parameters[SLOTS_MAX];
};

static enum yore_status prepare(struct bed *bed, const char *text)
{
    arena_init(&bed->arena, 4096);
    enum yore_status st =
        query_parse(bytes_of(text, strlen(text)), &bed->arena, &bed->statement, &bed->error);
    if (st == YORE_OK) {
        st = query_resolve(bed->statement, &bed->arena, NULL, &bed->error);
    }
    if (st != YORE_OK) {
        return st;
    }
    CHECK(bed->statement->slot_count <= SLOTS_MAX && bed->statement->property_count <= SLOTS_MAX);
    for (size_t i = 0; i < SLOTS_MAX; i++) {
        bed->parameters[i] = parameter;
    }
    bed->eval = (struct eval){.statement = bed->statement,
                              .parameters = bed->parameters,
                              .property_tokens = bed->tokens,
                              .arena = &bed->arena,
                              .clock = {CLOCK_NS, CLOCK_NS},
                              .memory_bytes_max = memory_bytes_max,
                              .error = &bed->error};
    return YORE_OK;
}

static enum yore_status aggregate(struct bed *bed, const struct projection *projection,
                                  const struct yore_graph_value *list, uint32_t slot)
{
    struct aggregate aggregates[AGGREGATES_MAX];
    enum yore_status st = YORE_OK;
    CHECK(projection->aggregate_count <= AGGREGATES_MAX);
    for (uint32_t i = 0; i < projection->aggregate_count; i++) {
        aggregate_init(&aggregates[i], projection->aggregates[i], &bed->arena);
    }
    for (size_t row = 0; row < list->as.list.count && st == YORE_OK; row++) {
        bed->row[slot] = list->as.list.items[row];
        for (uint32_t i = 0; i < projection->aggregate_count && st == YORE_OK; i++) {
            st = aggregate_add(&aggregates[i], &bed->eval, projection->aggregates[i], bed->row);
        }
    }
    for (uint32_t i = 0; i < projection->aggregate_count && st == YORE_OK; i++) {
        const struct expr *call = projection->aggregates[i];
        st = aggregate_result(&aggregates[i], &bed->eval, call, &bed->row[call->as.call.slot]);
    }
    return st;
}

static enum yore_status run(struct bed *bed, struct yore_graph_value *value_out)
{
    const struct single_query *query = &bed->statement->body.queries[0];
    const struct clause *last = &query->clauses[query->clause_count - 1];
    enum yore_status st = YORE_OK;
    if (query->clause_count > 1) {
        struct yore_graph_value list;
        const struct clause *unwind = &query->clauses[0];
        st = eval_expr(&bed->eval, unwind->as.unwind.list, bed->row, &list);
        if (st == YORE_OK) {
            st = aggregate(bed, &last->as.projection, &list, unwind->as.unwind.slot);
        }
    }
    return st != YORE_OK
               ? st
               : eval_expr(&bed->eval, last->as.projection.items[0].value, bed->row, value_out);
}

uint64_t bed_check_nomem(const char *statement, const char *want)
{
    uint64_t failures = 0;
    enum yore_status st = YORE_NOMEM;
    while (st == YORE_NOMEM) {
        struct bed bed = {.error = {.type = NULL}};
        struct yore_graph_value value = {.kind = YORE_GRAPH_NULL};
        mem_fail_at(failures + 1, true);
        st = prepare(&bed, statement);
        if (st == YORE_OK) {
            st = run(&bed, &value);
        }
        mem_fail_at(0, false);
        if (st == YORE_NOMEM) {
            CHECK_STATUS(bed.error.error.status, YORE_NOMEM);
            CHECK(bed.error.type == NULL);
            failures++;
        }
        eval_release(&bed.eval);
        arena_release(&bed.arena);
    }
    CHECK_OK(st);
    bed_check_rows(statement, want);
    return failures;
}

void bed_check_rows(const char *statement, const char *want)
{
    struct bed bed = {.error = {.type = NULL}};
    struct yore_graph_value value = {.kind = YORE_GRAPH_NULL};
    struct buffer got = {0};
    enum yore_status st = prepare(&bed, statement);
    if (st == YORE_OK) {
        st = run(&bed, &value);
    }
    if (st == YORE_OK) {
        value_format(&got, &value);
    } else if (bed.error.type != NULL) {
        buffer_append(&got, bed.error.type, strlen(bed.error.type));
        buffer_append(&got, ".", 1);
        buffer_append(&got, bed.error.detail, strlen(bed.error.detail));
    } else {
        char text[16];
        int size = snprintf(text, sizeof(text), "status %d", (int)st);
        buffer_append(&got, text, (size_t)size);
    }
    buffer_append_u8(&got, 0);
    eval_release(&bed.eval);
    arena_release(&bed.arena);
    if (strcmp((const char *)got.data, want) != 0) {
        test_note("%s: %s", statement, bed.error.error.text);
    }
    char copy[512];
    (void)snprintf(copy, sizeof(copy), "%s", (const char *)got.data);
    buffer_release(&got);
    CHECK_EQ_STR(copy, want);
}

void bed_check(const char *expression, const char *want)
{
    char statement[2048];
    int size = snprintf(statement, sizeof(statement), "RETURN %s AS x", expression);
    CHECK(size > 0 && (size_t)size < sizeof(statement));
    bed_check_rows(statement, want);
}

void bed_check_all(const struct bed_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        bed_check(cases[i].expression, cases[i].want);
    }
}
