/* graph_model_run.h -- random changes of a graph and of its oracle, at random times. */
#ifndef YORE_TEST_TOPOLOGY_GRAPH_MODEL_RUN_H
#define YORE_TEST_TOPOLOGY_GRAPH_MODEL_RUN_H

#include "unit/topology/graph_bed.h"
#include "unit/topology/graph_model.h"

struct run_counts {
    uint64_t changes;
    uint64_t back_dated;
    uint64_t refused;
    uint64_t commits;
    uint64_t aborts;
    uint64_t erased;
    uint64_t trims;
    uint64_t ages; /* flushed, merged, opened again */
};

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
    struct run_counts *counts; /* the caller's */
    struct yore_error error;   /* of the last change */
    uint64_t round;
    bool trims;
};

static inline uint64_t below(struct run *run, uint64_t bound)
{
    return test_rand_below(&run->rand, bound);
}

/* Like test_note(), with the round. */
void model_run_note(const struct run *run, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Open the graph; `m` and `rand` are set. */
void model_run_start(struct run *run);
/* Begin a transaction with some changes; both sides say the same of each. */
void model_run_begin(struct run *run);
/* Commit it, or now and then abort it. */
void model_run_end(struct run *run);
/* An index or a constraint, if nothing breaks it. */
void model_run_index(struct run *run);
/* Erase a name, or find that there is nothing to erase. */
void model_run_erase(struct run *run);
/* Move the horizon on: over some of the fixed times, or over commits too. */
void model_run_trim(struct run *run);
extern const char *const model_label_names[MODEL_LABELS];
extern const char *const model_type_names[MODEL_TYPES];
extern const char *const model_property_names[MODEL_PROPERTIES];

#endif
