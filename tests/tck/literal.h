/* literal.h -- values as the kit writes them, read independently of the query language, and one
 * canonical text by which what was expected and what came are compared.
 *
 *     null true 12 1.5 NaN Inf 'it\'s' [1, 2] {k: 1} (:A:B {k: 1}) [:T {k: 1}] <(:A)-[:T]->(:B)>
 */
#ifndef YORE_TESTS_TCK_LITERAL_H
#define YORE_TESTS_TCK_LITERAL_H

#include <stdbool.h>

#include <yore/graph.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/bytes.h"

/* Append the canonical text of what is written.  Lists are sorted when `lists_unordered`.  False:
 * not a value as the kit writes them. */
bool literal_canonical(struct buffer *to, struct yore_bytes written, bool lists_unordered);
/* The same of a value that a query gave; elements whole. */
void value_canonical(struct buffer *to, const struct yore_graph_value *value, bool lists_unordered);
/* The value that is written, in `arena`: null, booleans, numbers, strings, lists, maps. */
bool literal_value(struct yore_bytes written, struct arena *arena,
                   struct yore_graph_value *value_out);

#endif
