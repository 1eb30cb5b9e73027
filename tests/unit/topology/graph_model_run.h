/* graph_model_run.h -- random changes of a graph and of its oracle, at random times. */
#ifndef YORE_TEST_TOPOLOGY_GRAPH_MODEL_RUN_H
#define YORE_TEST_TOPOLOGY_GRAPH_MODEL_RUN_H

#include "unit/topology/graph_bed.h"
#include "unit/topology/graph_model.h"

struct run {
    struct graph_bed bed;
    struct model *m; /* the caller's, zeroed */
    struct test_rand rand;
    struct graph_txn *txn; /* NULL: none */
    uint32_t labels[MODEL_LABELS];
    uint32_t types[MODEL_TYPES];
    uint32_t properties[MODEL_PROPERTIES];
    bool has_index;
    int64_t indexed_at; /* commits from here on know the index */
    uint64_t compared;
};

static inline uint64_t below(struct run *run, uint64_t bound)
{
    return test_rand_below(&run->rand, bound);
}

/* Open the graph; `m` and `rand` are set. */
void model_run_start(struct run *run);
/* Begin a transaction with some changes; both sides say the same of each. */
void model_run_begin(struct run *run);
/* Commit it, or now and then abort it. */
void model_run_end(struct run *run);
/* An index or a constraint, if nothing breaks it. */
void model_run_index(struct run *run);
extern const char *const model_label_names[MODEL_LABELS];
extern const char *const model_type_names[MODEL_TYPES];
extern const char *const model_property_names[MODEL_PROPERTIES];

#endif
