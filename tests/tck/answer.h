/* answer.h -- a statement run on a graph, and what came of it in canonical text. */
#ifndef YORE_TESTS_TCK_ANSWER_H
#define YORE_TESTS_TCK_ANSWER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "base/bytes.h"
#include "query/procedure.h"
#include "query/query.h"

/* A growing list of texts. */
struct texts {
    struct buffer *items;
    size_t count;
    size_t capacity;
};
struct buffer *texts_push(struct texts *texts);
void texts_release(struct texts *texts);
void texts_sort(struct texts *texts);
/* How many of sorted `a` are not in sorted `b`; each counts as often as it is there. */
size_t texts_missing(const struct texts *a, const struct texts *b);

struct question {
    struct yore_bytes text;
    const struct query_parameter *parameters;
    size_t parameter_count;
    const struct procedure_set *procedures;
    struct yore_time at; /* YORE_NOW twice: now */
    bool lists_unordered;
};

struct answer {
    enum yore_status status;
    bool writes;
    struct query_error error;
    struct texts columns;
    struct texts rows; /* the cells in order of columns, '|' between */
    struct query_summary summary;
};

struct answer ask(struct graph *graph, const struct question *question);
void answer_release(struct answer *answer);

/* Everything in a graph: ids of nodes and relationships, labels in use, properties with values. */
struct graph_state {
    struct texts nodes;
    struct texts relationships;
    struct texts labels;
    struct texts properties;
};
/* False: the questions failed. */
bool graph_state_take(struct graph *graph, struct graph_state *state);
void graph_state_release(struct graph_state *state);

#endif
