/* graph_model.h -- the oracle of graphs: for every commit, the whole graph at every moment anything
 * was ever dated, as plain arrays; each operation is a loop over moments.
 *
 * Moments are *slots*: some fixed times of long ago, then one for each commit.  Between two slots
 * nothing changes.  Slots before the horizon can no longer be read or written; what was erased is
 * gone from every slot of every commit.
 */
#ifndef YORE_TEST_TOPOLOGY_GRAPH_MODEL_H
#define YORE_TEST_TOPOLOGY_GRAPH_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <yore/yore.h>

#define MODEL_FIXED 24 /* slots of long ago */
#define MODEL_COMMITS 90
#define MODEL_SLOTS (MODEL_FIXED + MODEL_COMMITS)
#define MODEL_NODES 96
#define MODEL_RELATIONSHIPS 160
#define MODEL_NAMES 10
#define MODEL_LABELS 3
#define MODEL_TYPES 2
#define MODEL_PROPERTIES 2

/* One element at one slot. */
struct model_state {
    bool is_there;
    uint8_t labels;                       /* a bit each */
    uint8_t properties[MODEL_PROPERTIES]; /* 0: none */
};
struct model_slot {
    struct model_state nodes[MODEL_NODES];
    struct model_state relationships[MODEL_RELATIONSHIPS];
};
/* The graph at every slot, as known at one commit. */
struct model_world {
    struct model_slot slots[MODEL_SLOTS];
    size_t slot_count;
};

struct model_node {
    uint64_t id;
    unsigned name; /* MODEL_NAMES: it was erased */
};
struct model_relationship {
    uint64_t id;
    unsigned name; /* MODEL_NAMES: none was given */
    unsigned type;
    size_t start;
    size_t end;
};

struct model {
    struct model_node nodes[MODEL_NODES];
    struct model_relationship relationships[MODEL_RELATIONSHIPS];
    size_t node_count;
    size_t relationship_count;
    int64_t times[MODEL_SLOTS];
    bool is_unique; /* label 0 with property 0 */
    size_t horizon; /* slot */
    struct model_world now;
    struct model_world *known[MODEL_COMMITS]; /* after each commit */
    size_t commit_count;
    struct model_world before; /* of the transaction under way */
    size_t node_count_before;
    size_t relationship_count_before;
};

/* A change holds in slots from <= s < to. */
struct model_dates {
    size_t from;
    size_t to; /* MODEL_SLOTS: no end */
    bool clips;
};

void model_begin(struct model *m); /* a transaction: the slot of its commit is there already */
void model_commit(struct model *m, int64_t commit);
void model_abort(struct model *m);
void model_release(struct model *m);

/* Each returns the status the graph must return, and changes nothing unless that is YORE_OK. */
enum yore_status model_node_create(struct model *m, unsigned name, const struct model_state *state,
                                   const struct model_dates *dates, size_t *node_out);
enum yore_status model_relationship_create(struct model *m, const struct model_relationship *made,
                                           const struct model_dates *dates,
                                           size_t *relationship_out);
/* One property of a node or relationship; value 0 removes it. */
struct model_set {
    bool is_node;
    size_t element;
    unsigned property;
    uint8_t value;
    bool replaces;
};
enum yore_status model_set(struct model *m, const struct model_set *set,
                           const struct model_dates *dates);
enum yore_status model_label(struct model *m, size_t node, unsigned label, bool adds,
                             const struct model_dates *dates);
enum yore_status model_delete(struct model *m, bool is_node, size_t element, bool detaches,
                              size_t from);
/* All that was ever known under a name, between transactions; YORE_NOT_FOUND: nobody was ever
 * called so, or it was erased. */
enum yore_status model_erase(struct model *m, bool is_node, unsigned name);
/* Would an erasure of the name miss something that can still be read as known earlier?  It does not
 * find what was taken back from its very begin at a node, nor what is known otherwise by now of the
 * horizon (erase.c). */
bool model_hides(const struct model *m, bool is_node, unsigned name);
/* Is the element there at the slot or later, as known at any commit that can still be named? */
bool model_was_ever(const struct model *m, bool is_node, size_t element, size_t from);
/* Does anything break the constraint? */
bool model_is_unique_broken(const struct model *m);

#endif
