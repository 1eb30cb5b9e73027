/* Any expression is worth a value or refused with a reason, within its budget of steps and memory;
 * what comes out is what the language takes for granted of its values, and can be told, hashed and
 * put in order. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "query/eval.h"
#include "query/parser.h"
#include "query/resolver.h"
#include "query/value.h"
#include "query/value_check.h"
#include "query/value_format.h"
#include "support/fuzz.h"

#define CLOCK_NS INT64_C(1709209874645876123)
#define STEPS_MAX 50000u
#define MEMORY_BYTES_MAX (1u << 20)

static void must(bool is_true, const char *what, struct yore_bytes text)
{
    if (!is_true) {
        fprintf(stderr, "eval_fuzz: %s: %.*s\n", what, (int)text.size, (const char *)text.data);
        abort();
    }
}

static enum yore_status refuse_subquery(struct eval *eval, const struct expr *expr,
                                        struct yore_graph_value *row,
                                        struct yore_graph_value *value_out)
{
    (void)expr;
    (void)row;
    (void)value_out;
    (void)error_plain(&eval->error->error, YORE_UNSUPPORTED);
    return eval_engine(eval, YORE_UNSUPPORTED);
}

static enum yore_status stop(struct eval *eval)
{
    (void)error_plain(&eval->error->error, YORE_TOO_BIG);
    return eval_engine(eval, YORE_TOO_BIG);
}

static void check_value(const struct yore_graph_value *value, struct yore_bytes text)
{
    struct yore_error wrong;
    if (value_check(value, &wrong) != YORE_OK) {
        must(false, wrong.text, text);
    }
    struct arena arena = {0};
    struct yore_graph_value copy;
    struct buffer told = {0};
    must(value_copy(&arena, value, &copy) == YORE_OK, "it cannot be copied", text);
    must(value_order(value, &copy) == 0 && value_hash(value) == value_hash(&copy),
         "the copy is another", text);
    value_format(&told, value);
    value_format_json(&told, value);
    must(!told.is_nomem && told.size > 0, "it cannot be told", text);
    buffer_release(&told);
    arena_release(&arena);
}

static void evaluate(const struct statement *statement, struct arena *arena, struct yore_bytes text)
{
    static const struct eval_ports ports = {.subquery = refuse_subquery, .check = stop};
    const struct single_query *query = &statement->body.queries[0];
    if (statement->body.query_count != 1 || query->clause_count != 1 ||
        query->clauses[0].kind != CLAUSE_RETURN ||
        query->clauses[0].as.projection.aggregate_count > 0) {
        return;
    }
    size_t slots = statement->slot_count + 1;
    size_t names = statement->property_count + 1;
    size_t given = statement->parameter_count + 1;
    struct yore_graph_value *row = arena_alloc(arena, slots * sizeof(*row));
    struct yore_graph_value *parameters = arena_alloc(arena, given * sizeof(*parameters));
    uint32_t *tokens = arena_alloc(arena, names * sizeof(*tokens));
    must(row != NULL && parameters != NULL && tokens != NULL, "out of memory", text);
    memset(row, 0, slots * sizeof(*row));
    memset(tokens, 0, names * sizeof(*tokens));
    for (size_t i = 0; i < given; i++) {
        parameters[i] = value_int((int64_t)i - 1);
    }
    struct arena values = {0};
    struct query_error error = {.type = NULL};
    struct eval eval = {.statement = statement,
                        .parameters = parameters,
                        .property_tokens = tokens,
                        .arena = &values,
                        .clock = {CLOCK_NS, CLOCK_NS},
                        .ports = &ports,
                        .steps_check = STEPS_MAX,
                        .memory_bytes_max = MEMORY_BYTES_MAX,
                        .error = &error};
    for (uint32_t i = 0; i < query->clauses[0].as.projection.item_count; i++) {
        struct yore_graph_value value;
        enum yore_status st =
            eval_expr(&eval, query->clauses[0].as.projection.items[i].value, row, &value);
        if (st == YORE_OK) {
            check_value(&value, text);
        } else {
            must(st == error.error.status && error.error.text[0] != '\0',
                 "refused without a reason", text);
            must((st == YORE_INVALID) == (error.type != NULL), "a class is missing, or too much",
                 text);
        }
    }
    eval_release(&eval);
    arena_release(&values);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena = {0};
    struct buffer text = {0};
    struct statement *statement = NULL;
    struct query_error error;
    buffer_append(&text, "RETURN ", 7);
    buffer_append(&text, data, size);
    if (query_parse(buffer_bytes(&text), &arena, &statement, &error) == YORE_OK &&
        query_resolve(statement, &arena, NULL, &error) == YORE_OK) {
        evaluate(statement, &arena, buffer_bytes(&text));
    }
    buffer_release(&text);
    arena_release(&arena);
    return 0;
}
