/* intervals.h -- MATCH ... FROM ... TO: every maximal interval in which a whole pattern held.
 *
 * A *match* is a choice of elements for the pattern.  Its intervals are found in two steps.
 *
 *   1. Which matches there were: those at the begin of the window, and, at every moment in it at
 *      which something changed, those that what changed takes part in: a match that begins to hold
 *      does so because one of its elements was added or changed.  Each pattern is planned once more
 *      for each of its elements as the one to begin with (`seeds`); a change of one that was bound
 *      before the pattern asks the whole again.  Where more than its elements
 *      decides (subqueries in WHERE, hops of variable length) the whole pattern is asked again.
 *   2. When each of them held: between two changes of its elements nothing of it changes, so it is
 *      tested once after each (`check`: all slots bound), and neighbouring intervals are joined.
 *
 * The cost follows the changes in the window and the matches, not the size of the graph. */
#ifndef YORE_QUERY_INTERVALS_H
#define YORE_QUERY_INTERVALS_H

#include "query/plan.h"

struct interval_seed {
    uint32_t slot;
    bool is_node;
    const struct plan_node *root;
};

struct intervals {
    const struct plan_node *whole;
    const struct plan_node *check;
    const struct interval_seed *seeds;
    uint32_t seed_count;
    struct plan_slots slots;  /* that the pattern binds */
    struct plan_slots around; /* of the pattern, bound before it: as they were there */
    struct plan_slots paths;  /* named ones */
    uint32_t moment;          /* of the plan: the one that moves */
    uint32_t interval_slot;   /* what interval() tells */
    bool is_local;            /* its elements alone decide which matches there are */
    bool hangs_on_others;     /* what else there is decides when one holds */
    bool hangs_between;       /* nodes between the relationships of a long hop do too */
    const struct expr *from;  /* NULL: the begin of time */
    const struct expr *to;    /* NULL: now and on */
    const struct expr *known;
};

#endif
