/* eval_bed.h -- expressions as text in, values as text out, without a graph.
 *
 *     bed_check("1 + 2", "3");
 *     bed_check("1 / 0", "ArithmeticError.DivisionByZero");
 *     bed_check_rows("UNWIND [1, 2] AS x RETURN sum(x)", "3");
 *
 * What is compared is value_format(), or the error's type and detail.  `$p` is the parameter that
 * was set last.  The statement's clock stands at 2024-02-29T12:31:14.645876123Z.
 */
#ifndef YORE_TEST_UNIT_QUERY_EVAL_BED_H
#define YORE_TEST_UNIT_QUERY_EVAL_BED_H

#include <stddef.h>

#include <yore/graph.h>

struct bed_case {
    const char *expression;
    const char *want;
};

void bed_check(const char *expression, const char *want);
void bed_check_all(const struct bed_case *cases, size_t count);
/* UNWIND list AS x RETURN item: with or without aggregates. */
void bed_check_rows(const char *statement, const char *want);
void bed_set_parameter(struct yore_graph_value value);
/* The statement as often as it allocates, with the n-th allocation failing: out of memory each
 * time, told as such, and right in the end.  Returns how often. */
uint64_t bed_check_nomem(const char *statement, const char *want);
/* Octets that values may take; 0: no bound. */
void bed_set_memory(uint64_t bytes);
#define BED_CHECK_ALL(cases) bed_check_all(cases, sizeof(cases) / sizeof((cases)[0]))

#endif
