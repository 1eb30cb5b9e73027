/* entries.h -- the index entries that follow from a state of an element. */
#ifndef YORE_TOPOLOGY_ENTRIES_H
#define YORE_TOPOLOGY_ENTRIES_H

#include "base/arena.h"
#include "topology/element_state.h"
#include "topology/rules.h"

struct entry_list {
    struct yore_bytes *keys; /* ascending, each once; in an arena */
    size_t count;
    size_t capacity;
};

/* The entries that come and go with labels and properties.  `rules` may be NULL: labels alone.
 * Errors: YORE_NOMEM; YORE_TOO_BIG (a value too long for its index). */
enum yore_status entries_of_state(const struct element_state *state, uint64_t id,
                                  const struct graph_rules *rules, struct arena *arena,
                                  struct entry_list *entries_out, struct yore_error *error_out);
/* The entry of one rule; an empty run: the state has none.  In `arena`. */
enum yore_status entry_of_rule(const struct element_state *state, uint64_t id,
                               const struct graph_rule *rule, struct arena *arena,
                               struct yore_bytes *key_out, struct yore_error *error_out);
/* Both halves of a relationship's adjacency; they last as long as it does. */
enum yore_status entries_of_ends(const struct element_state *state, uint64_t id,
                                 struct arena *arena, struct entry_list *entries_out);
bool entries_hold(const struct entry_list *entries, struct yore_bytes key);
/* Keys of both lists, each once.  For short lists: each key that comes moves those behind it. */
enum yore_status entries_join(struct entry_list *into, const struct entry_list *more,
                              struct arena *arena);
/* The same for a list of any length, in two steps: keys are gathered as they come (kept as they
 * are), and settled in the end.  In between the list is in no order and may have keys twice. */
enum yore_status entries_gather(struct entry_list *into, const struct yore_bytes *keys,
                                size_t count, struct arena *arena);
void entries_settle(struct entry_list *entries);

#endif
