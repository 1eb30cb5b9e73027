/* resolver.h -- what the names of a parsed statement mean: scopes, slots, kinds; and every error
 * that can be told before anything runs.
 *
 * Scopes: a clause sees what the clauses before it in its query have bound, after WITH only what
 * that passes on.  EXISTS, COUNT, COLLECT and comprehensions see everything around them and keep to
 * themselves what they bind; CALL { } sees what it imports.  A name bound anew is a new slot.
 *
 * Aggregates: each different one of a projection has a slot and stands in projection.aggregates; in
 * items with aggregates and in ORDER BY the grouping keys are read from their slots, so that after
 * grouping nothing refers to the rows before.
 */
#ifndef YORE_QUERY_RESOLVER_H
#define YORE_QUERY_RESOLVER_H

#include "base/arena.h"
#include "base/status.h"
#include "query/ast.h"
#include "query/procedure.h"
#include "query/query.h"

/* Complete `statement`, which query_parse() made in `arena`.  `procedures` may be NULL.
 * Errors: YORE_INVALID with the kit's type and detail, YORE_TOO_BIG (QUERY_SLOTS_MAX), YORE_NOMEM;
 * the statement is then of no use. */
enum yore_status query_resolve(struct statement *statement, struct arena *arena,
                               const struct procedure_set *procedures,
                               struct query_error *error_out);

#endif
