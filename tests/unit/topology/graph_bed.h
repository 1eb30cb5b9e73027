/* graph_bed.h -- a graph in a database with tiny limits on a simulated disk, and short words to
 * write to it and look at it. */
#ifndef YORE_TEST_TOPOLOGY_GRAPH_BED_H
#define YORE_TEST_TOPOLOGY_GRAPH_BED_H

#include "topology/graph.h"
#include "unit/engine/bed.h"

struct graph_bed {
    struct bed bed;
    struct graph *graph;
    struct arena arena;
};

void graph_bed_open(struct graph_bed *bed);
void graph_bed_reopen(struct graph_bed *bed);
/* As bed_age(). */
void graph_bed_age(struct graph_bed *bed, int age);
void graph_bed_close(struct graph_bed *bed);

struct graph_txn *begin(struct graph_bed *bed);
/* Commits and returns the commit time. */
int64_t commit(struct graph_txn *txn);
uint32_t label(struct graph_txn *txn, const char *name);
uint32_t type(struct graph_txn *txn, const char *name);
uint32_t property(struct graph_txn *txn, const char *name);
struct yore_graph_value integer(int64_t v);
struct yore_graph_value string(const char *text);

/* One change in `txn`, from `from` on (YORE_NOW: the commit) to `to`. */
uint64_t node_made(struct graph_txn *txn, const char *external_id, const char *label_name,
                   int64_t from, int64_t to);
enum yore_status node_try(struct graph_txn *txn, const char *external_id, int64_t from, int64_t to,
                          uint64_t *id_out);
uint64_t relationship_made(struct graph_txn *txn, const char *type_name, uint64_t start,
                           uint64_t end, int64_t from);
enum yore_status relationship_try(struct graph_txn *txn, uint64_t start, uint64_t end,
                                  const struct graph_write *write, uint64_t *id_out);
enum yore_status property_set(struct graph_txn *txn, uint64_t node, const char *name,
                              struct yore_graph_value value, int64_t from);
enum yore_status node_deleted(struct graph_txn *txn, uint64_t node, bool detaches, int64_t from);

struct graph_view *view_at(struct graph_bed *bed, struct graph_txn *txn, int64_t valid);
/* "1 2 3 ": ids of a scan; hops of a node as "type>other " and "type<other ". */
const char *scanned(struct graph_view *view, enum graph_scan_kind kind, const char *name);
const char *hops(struct graph_view *view, uint64_t node, enum graph_direction direction);
/* An integer property of a node: -1 where it has none, -2 where the node is absent. */
int64_t property_of(struct graph_bed *bed, int64_t valid, uint64_t node, const char *name);
bool is_node_there(struct graph_bed *bed, int64_t valid, uint64_t node);

#endif
