/* expr_equal.h -- do two resolved expressions of one statement say the same? */
#ifndef YORE_QUERY_EXPR_EQUAL_H
#define YORE_QUERY_EXPR_EQUAL_H

#include <stdbool.h>

#include "query/ast.h"

/* The same operators on the same slots, literals and parameters.  Patterns, subqueries and whatever
 * binds a variable of its own are equal to themselves alone. */
bool expr_equal(const struct expr *a, const struct expr *b);

#endif
