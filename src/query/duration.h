/* duration.h -- spans of months, days and seconds, which are three measures, not one.
 *
 * A month is 2,629,746 seconds long only where it has to be cut: a fraction of a month is days and
 * seconds of that length, a fraction of a day seconds.  Months, days and seconds together never
 * exceed 2^63 seconds, so that durations can be put in order.  Nanoseconds are 0..999,999,999 and
 * added to seconds, also below zero.  Pure, any thread.
 */
#ifndef YORE_QUERY_DURATION_H
#define YORE_QUERY_DURATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <yore/graph.h>

#include "base/bytes.h"
#include "query/number.h"

/* False: beyond the bounds above. */
bool duration_make(int64_t months, int64_t days, int64_t seconds, int64_t nanoseconds,
                   struct yore_graph_duration *duration_out);
bool duration_add(const struct yore_graph_duration *a, const struct yore_graph_duration *b,
                  struct yore_graph_duration *sum_out);
bool duration_negate(const struct yore_graph_duration *duration,
                     struct yore_graph_duration *negated_out);
/* Each measure times `factor`, or divided by it; fractions flow down. */
bool duration_scale(const struct yore_graph_duration *duration, struct decimal factor, bool divides,
                    struct yore_graph_duration *scaled_out);

/* Measures that may have fractions, to be put together. */
struct duration_parts {
    struct decimal years, quarters, months, weeks, days;
    struct decimal hours, minutes, seconds, milliseconds, microseconds, nanoseconds;
};
bool duration_from_parts(const struct duration_parts *parts,
                         struct yore_graph_duration *duration_out);

/* By length, a month being 2,629,746 s; then by months, days, seconds: 0 for the same only. */
int duration_order(const struct yore_graph_duration *a, const struct yore_graph_duration *b);

/* ISO 8601: "P1Y2M3DT4H5M6.7S", weeks, signs and fractions anywhere, "P2012-02-02T14:37:21.5" too.
 * False: it is none, or out of bounds. */
bool duration_read(struct yore_bytes text, struct yore_graph_duration *duration_out);
#define DURATION_TEXT_BYTES 128
size_t duration_write(const struct yore_graph_duration *duration, char text[DURATION_TEXT_BYTES]);

#endif
