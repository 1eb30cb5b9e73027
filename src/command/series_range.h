/* series_range.h -- ranges of samples: what TS.RANGE and its kin ask for, walked and told. */
#ifndef YORE_COMMAND_SERIES_RANGE_H
#define YORE_COMMAND_SERIES_RANGE_H

#include <stdbool.h>
#include <stdint.h>

#include "command/aggregate.h"
#include "command/limits.h"

struct call;

struct series_range {
    int64_t from_ms;
    int64_t to_ms;
    bool has_from; /* it was named, and is not `-` ... */
    bool has_to;   /* ... or `+` */
    bool is_backward;
    bool has_times; /* only these */
    int64_t times[SERIES_TIMES_MAX];
    size_t time_count;
    bool has_values; /* only those between */
    double value_min;
    double value_max;
    int64_t count; /* at most; INT64_MAX: all */
    enum aggregate aggregate;
    int64_t width_ms;
    bool is_aligned;
    int64_t align_ms;
    enum bucket_time bucket_time;
    bool with_empty;
    bool with_latest; /* the open bucket of its source too */
};

/* Take bounds from args[first] and args[first + 1]. */
bool series_range_begin(struct call *call, size_t first, bool is_backward,
                        struct series_range *range);
/* Take the option at *at, and leave *at on its last word.  1: taken; 0: it is none of a range's;
 * -1: an error was replied. */
int series_range_option(struct call *call, size_t *at, struct series_range *range);
/* After the options; false: an error was replied. */
bool series_range_check(struct call *call, struct series_range *range);
/* Hand its samples, or those of its buckets, to `take` in their order until that says false; COUNT
 * is the caller's.  Errors: of reading; a walk that `take` has ended is YORE_OK. */
enum yore_status series_range_walk(struct call *call, const struct series *series,
                                   const struct series_range *range,
                                   bool (*take)(void *arg, struct sample sample), void *arg,
                                   struct yore_error *error_out);
/* Reply the array of its samples, or an error; false: the connection is gone. */
bool series_range_tell(struct call *call, const struct series *series,
                       const struct series_range *range);

#endif
