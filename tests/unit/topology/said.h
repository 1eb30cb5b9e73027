/* said.h -- what sources say to a graph in a bed, and short words to say it and to look at what
 * came of it. */
#ifndef YORE_TEST_TOPOLOGY_SAID_H
#define YORE_TEST_TOPOLOGY_SAID_H

#include "unit/topology/graph_bed.h"

#define SAID_VALUES 4

/* A word with its memory. */
struct said {
    struct yore_graph_word word;
    struct yore_bytes labels[SAID_VALUES];
    struct yore_graph_entry entries[SAID_VALUES];
};

/* From now on, for ever; names may be NULL. */
struct yore_graph_word *node_word(struct said *said, const char *id, const char *label_name,
                                  const char *property_name, int64_t value);
struct yore_graph_word *relationship_word(struct said *said, const char *id, const char *start,
                                          const char *end);
struct yore_graph_ingest_tally say(struct graph_bed *bed, const char *source,
                                   const struct yore_graph_word *word);
/* A Pod whose seen_by is the first octet of the source's name. */
void say_node(struct graph_bed *bed, const char *source, const char *id, int64_t from);
/* "start>end" */
void say_call(struct graph_bed *bed, const char *source, const char *start, const char *end,
              int64_t from);
void take_back(struct graph_bed *bed, const char *source, enum yore_graph_element element,
               const char *id, int64_t from);
struct yore_graph_ingest_tally settle(struct graph_bed *bed);

/* The id at a moment; 0: none. */
uint64_t id_at(struct graph_bed *bed, enum graph_element element, const char *id, int64_t valid);
/* -1: no such property; -2: no such node. */
int64_t value_at(struct graph_bed *bed, const char *id, const char *name, int64_t valid);
/* Pending relationships. */
unsigned pending_at(struct graph_bed *bed, int64_t valid);

/* Close it, but see that it is whole first. */
void close_whole(struct graph_bed *bed);

#endif
