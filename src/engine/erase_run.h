/* erase_run.h -- a sorted run of erasures: immutable, shared by the sets that hold it. */
#ifndef YORE_ENGINE_ERASE_RUN_H
#define YORE_ENGINE_ERASE_RUN_H

#include "engine/erase_set.h"

struct erase_run;

/* A run of a copy of `rule`, or of none (NULL).  The three give NULL for out of memory. */
struct erase_run *erase_run_new(const struct erase_rule *rule);
/* Both runs stay as they are. */
struct erase_run *erase_run_merge(const struct erase_run *a, const struct erase_run *b);
/* The rules with a commit after `floor`, which is asked once for all rules of the same keys. */
struct erase_run *erase_run_above(const struct erase_run *run,
                                  int64_t (*floor)(void *arg, const struct erase_rule *rule),
                                  void *arg);
struct erase_run *erase_run_ref(struct erase_run *run);
void erase_run_unref(struct erase_run *run);
size_t erase_run_count(const struct erase_run *run);
const struct erase_rule *erase_run_rule(const struct erase_run *run, size_t index);
/* As erase_set_each(), erase_set_covers() and erase_set_wants(). */
bool erase_run_each(const struct erase_run *run, uint32_t keyspace, struct yore_bytes key,
                    bool (*each)(void *arg, const struct erase_rule *rule), void *arg);
bool erase_run_covers(const struct erase_run *run, uint32_t keyspace, struct yore_bytes key,
                      int64_t valid, int64_t winner_commit);
bool erase_run_wants(const struct erase_run *run, uint32_t keyspace, const struct table_meta *meta,
                     int64_t seen);

#endif
