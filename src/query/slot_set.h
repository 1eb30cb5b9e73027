/* slot_set.h -- sets of slots, and what an expression reads.  The words live in an arena. */
#ifndef YORE_QUERY_SLOT_SET_H
#define YORE_QUERY_SLOT_SET_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "query/ast.h"

struct slot_set {
    uint64_t *words; /* NULL: out of memory when it was made; then nothing is ever in it */
    uint32_t word_count;
};

/* Room for slots below `slot_count`. */
struct slot_set slot_set_new(struct arena *arena, uint32_t slot_count);
void slot_set_add(struct slot_set *set, uint32_t slot);
void slot_set_remove(struct slot_set *set, uint32_t slot);
bool slot_set_has(const struct slot_set *set, uint32_t slot);
void slot_set_copy(struct slot_set *to, const struct slot_set *from); /* of one size */
bool slot_set_is_empty(const struct slot_set *set);
/* Whether each slot of `a` that is in `among` is in `b` too. */
bool slot_set_covers(const struct slot_set *b, const struct slot_set *a,
                     const struct slot_set *among);
/* The slots in ascending order, in `arena`; NULL: out of memory (or none). */
const uint32_t *slot_set_list(const struct slot_set *set, struct arena *arena, uint32_t *count_out);

/* Add the slots that `expr` (may be NULL) reads or binds on its way. */
void expr_slots(const struct expr *expr, struct slot_set *set);
void pattern_slots(const struct pattern *pattern, struct slot_set *set);

/* Whether its value depends on what is stored: properties, labels, patterns, subqueries. */
bool expr_reads_graph(const struct expr *expr);
/* Whether a subquery or a pattern stands in it: dear to evaluate. */
bool expr_has_subquery(const struct expr *expr);

/* Call `each` for every child of `expr` until it returns true, which is then returned. */
typedef bool expr_visit(void *arg, const struct expr *child);
bool expr_children(const struct expr *expr, expr_visit *each, void *arg);

#endif
