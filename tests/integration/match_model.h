/* match_model.h -- small random graphs that change, random patterns over them, and what matches by
 * trying everything: the oracle of match_test.c.  Shares nothing with the engine. */
#ifndef YORE_TESTS_INTEGRATION_MATCH_MODEL_H
#define YORE_TESTS_INTEGRATION_MATCH_MODEL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "support/test.h"
#include "tck/answer.h"

#define MODEL_NODES_MAX 12
#define MODEL_RELATIONSHIPS_MAX 20
#define MODEL_STATES 4
#define MODEL_NULL (-1) /* of x and w; of a label, a type, a variable: none */

struct model_node {
    bool is_there;
    bool labels[2]; /* A, B */
    int x;
};
struct model_relationship {
    bool is_there;
    int type; /* R, S, T */
    int from;
    int to;
    int w;
};
/* Elements keep their place, and their property `id` is 1 + place; of relationships 101 + place. */
struct model_state {
    struct model_node nodes[MODEL_NODES_MAX];
    struct model_relationship relationships[MODEL_RELATIONSHIPS_MAX];
    int node_count;
    int relationship_count;
};

/* Make some changes to `state`, telling each as a statement to `statements`. */
void model_change(struct model_state *state, struct test_rand *rand, struct texts *statements);

/* A statement of up to three MATCH clauses, each as of a moment of its own, and what it returns. */
struct model_query;
struct model_query *model_query_new(struct test_rand *rand);
void model_query_free(struct model_query *query);
/* Its text, with parameters $m0 .. $m3 for the moments of the states. */
void model_query_text(const struct model_query *query, struct buffer *to);
/* Append the rows it has over `states`, cells with '|' between; false: too many to compare.
 * `base`: the state of clauses without a moment. */
bool model_query_rows(const struct model_query *query, const struct model_state *states, int base,
                      struct texts *rows);

#endif
