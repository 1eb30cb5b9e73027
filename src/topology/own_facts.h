/* own_facts.h -- what a transaction has written so far, by key: the engine keeps it too, but tells
 * only what holds at a moment, and a late change needs every version. */
#ifndef YORE_TOPOLOGY_OWN_FACTS_H
#define YORE_TOPOLOGY_OWN_FACTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/bytes.h"

struct own_fact {
    struct own_fact *next; /* of the same key, later written */
    struct yore_bytes key;
    struct yore_bytes value;
    int64_t from;
    int64_t to;
    uint64_t number; /* in the order they were added */
    bool is_put;
};
struct own_key {
    struct own_fact *first;
    struct own_fact *last;
};

/* A zeroed struct is empty. */
struct own_facts {
    struct own_key *slots; /* open addressing by hash; first == NULL: free */
    size_t slot_count;
    size_t key_count;
    uint64_t fact_count;
    struct arena bytes;
};

/* A point to go back to. */
struct own_mark {
    uint64_t fact_count;
    struct arena_mark bytes;
};

void own_facts_release(struct own_facts *own);
/* Copies; false: out of memory. */
bool own_facts_add(struct own_facts *own, const struct own_fact *fact);
struct own_mark own_facts_mark(const struct own_facts *own);
/* Forget what was added since; marks are gone back to in the reverse order of their making. */
void own_facts_rewind(struct own_facts *own, const struct own_mark *mark);
/* The first fact of a key; NULL: none. */
const struct own_fact *own_facts_find(const struct own_facts *own, struct yore_bytes key);

#endif
