/* query_bed.h -- a graph on a simulated disk, and short words to ask it in the query language. */
#ifndef YORE_TEST_QUERY_QUERY_BED_H
#define YORE_TEST_QUERY_QUERY_BED_H

#include "query/query.h"
#include "unit/topology/graph_bed.h"

struct query_bed {
    struct graph_bed graph;
    struct query_options options; /* of what is asked next; now, no parameters */
    struct query_parameter parameters[8];
    struct query_summary summary; /* of what was asked last */
    struct query_error error;
    enum yore_status status;
};

void query_bed_open(struct query_bed *bed);
void query_bed_close(struct query_bed *bed);

/* The answer as text: values as literals, ", " between columns, "; " between rows; an error as
 * "! type detail", or "! STATUS" of one that is not of the language.  One of the last eight. */
const char *ask(struct query_bed *bed, const char *query);
/* The same with rows in order of their text. */
const char *ask_sorted(struct query_bed *bed, const char *query);
/* As of a moment, by options; YORE_NOW: now. */
const char *ask_at(struct query_bed *bed, const char *query, int64_t valid);
/* Carry out one that has to work; its commit time, 0 where it only reads. */
int64_t run(struct query_bed *bed, const char *query);
/* $name for what is asked from now on. */
void give(struct query_bed *bed, const char *name, struct yore_graph_value value);

/* Steps of the plan, the last first: "Projection < Filter < NodeByLabelScan < Argument"; of
 * subplans in brackets behind their step. */
const char *steps(struct query_bed *bed, const char *query);

#define ASKED(bed, query, want) CHECK_EQ_STR(ask(bed, query), want)

#endif
