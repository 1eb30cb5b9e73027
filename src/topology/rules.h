/* rules.h -- the indexes and constraints of a graph: one value under one key, so that a writer
 * learns all of them with one read and conflicts with whoever changes them. */
#ifndef YORE_TOPOLOGY_RULES_H
#define YORE_TOPOLOGY_RULES_H

#include "base/buffer.h"
#include "topology/graph.h"

struct graph_rule {
    struct graph_schema schema;
    uint32_t number; /* of its keys; never used again */
    bool is_online;  /* false: writers keep it, but its past is not complete yet */
};
struct graph_rules {
    struct graph_rule *rules;
    size_t count;
    uint32_t number_next;
    unsigned char *octets; /* of the record, where names are */
};

/* Read them, noted by `engine`; none are no error. */
enum yore_status graph_rules_read(struct graph *graph, struct yore_txn *engine,
                                  struct graph_rules **rules_out, struct yore_error *error_out);
/* As they were known at `known`. */
enum yore_status graph_rules_known(struct graph *graph, int64_t known,
                                   struct graph_rules **rules_out, struct yore_error *error_out);
/* All that there ever were since `begin`, and as known at every commit, dropped ones too; without
 * their names. */
enum yore_status graph_rules_ever(struct graph *graph, int64_t begin,
                                  struct graph_rules **rules_out, struct yore_error *error_out);
enum yore_status graph_rules_write(struct graph *graph, struct yore_txn *engine,
                                   const struct graph_rules *rules, struct yore_error *error_out);
/* The rule of (label, property); NULL: none. */
struct graph_rule *graph_rules_find(const struct graph_rules *rules, uint32_t label,
                                    uint32_t property);
/* The rule that is called `name`; NULL: none. */
struct graph_rule *graph_rules_named(struct graph *graph, const struct graph_rules *rules,
                                     struct yore_bytes name);
void graph_rules_free(struct graph_rules *rules);

#endif
