/* erase_set.h -- the erasures of a database that readers must know, immutable and shared like the
 * forest.
 *
 * A rule hides versions of the keys [low, high) with from <= valid_from < to and commit <
 * rule.commit: their values are gone, wherever a copy still lies.  A read at v in [from, to) whose
 * winner has commit < rule.commit is answered YORE_ERASED, because what held before the span must
 * not show inside it.  Where a delete is the winner, or the winner has expired, there was no value
 * to erase: that stays YORE_NOT_FOUND, and an erased version keeps its valid_to for it.
 */
#ifndef YORE_ENGINE_ERASE_SET_H
#define YORE_ENGINE_ERASE_SET_H

#include <stdatomic.h>
#include <stdbool.h>

#include "engine/forest.h"

struct erase_rule {
    uint32_t keyspace;
    struct forest_key low;
    struct forest_key high; /* exclusive; empty: to the last key */
    int64_t from;
    int64_t to;
    int64_t commit;
};

struct erase_set;

/* No rules; none is needed for erasures up to commit `purged` (INT64_MIN: there were none). */
enum yore_status erase_set_new(int64_t purged, struct erase_set **set_out);
struct erase_set *erase_set_ref(struct erase_set *set);
void erase_set_unref(struct erase_set *set);
/* `set` plus a copy of `rule`. */
enum yore_status erase_set_with(const struct erase_set *set, const struct erase_rule *rule,
                                struct erase_set **next_out);
/* A rule over the whole timeline of its keys turns every version before it into an erased one,
 * which says so by itself once no file has its value: then the rule may go. */
bool erase_rule_is_whole(const struct erase_rule *rule);
bool erase_rule_is_range(const struct erase_rule *rule); /* not of one key */
/* `set` without its whole rules up to commit `purged`, and without the rules of spans before one of
 * them, of this set or of `by`, that covers their keys. */
enum yore_status erase_set_retired(const struct erase_set *set, const struct erase_set *by,
                                   int64_t purged, struct erase_set **next_out);
size_t erase_set_count(const struct erase_set *set);
const struct erase_rule *erase_set_rule(const struct erase_set *set, size_t index); /* any order */
/* Greatest commit of a rule, those that left too; INT64_MIN: none. */
int64_t erase_set_commit_max(const struct erase_set *set);
/* Call `each` for every rule that covers `key`, in any order, until it returns true; tells whether
 * it did. */
bool erase_set_each(const struct erase_set *set, uint32_t keyspace, struct yore_bytes key,
                    bool (*each)(void *arg, const struct erase_rule *rule), void *arg);
/* Is the value of this version gone?  Fast when there are no rules; else the work is about the
 * square of the logarithm of their number, and a step for each prefix around the key. */
bool erase_set_hides(const struct erase_set *set, uint32_t keyspace, const struct version *version);
/* Must a read of `key` at `valid`, whose winner has this commit, be answered YORE_ERASED? */
bool erase_set_covers(const struct erase_set *set, uint32_t keyspace, struct yore_bytes key,
                      int64_t valid, int64_t winner_commit);
/* Could a file of this keyspace, with these bounds, written when rules up to `seen` were applied,
 * still hold erased bytes? */
bool erase_set_wants(const struct erase_set *set, uint32_t keyspace, const struct table_meta *meta,
                     int64_t seen);
/* The key after every key with `prefix` into `high_out` (empty: none). */
enum yore_status prefix_end(struct yore_bytes prefix, struct buffer *high_out);

#endif
