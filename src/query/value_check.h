/* value_check.h -- values that come from outside: are they what the language takes for granted?
 */
#ifndef YORE_QUERY_VALUE_CHECK_H
#define YORE_QUERY_VALUE_CHECK_H

#include <yore/graph.h>

#include "base/status.h"

/* Kinds up to DURATION; strings and names UTF-8; names of maps ascending; lists and maps at most
 * QUERY_VALUE_DEPTH_MAX deep; dates, times and durations within their bounds.
 * Errors: YORE_INVALID, YORE_TOO_BIG (depth), with a sentence that says what is wrong. */
enum yore_status value_check(const struct yore_graph_value *value, struct yore_error *error_out);

#endif
