/* aggregate.h -- samples of a series by buckets of time.  Pure; one thread.
 *
 * Samples come in order, either way; a bucket is told when a sample beyond it comes, or at the end.
 * The time-weighted average takes the line between the samples on both sides of a bucket's bound.
 */
#ifndef YORE_COMMAND_AGGREGATE_H
#define YORE_COMMAND_AGGREGATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "command/series.h"

/* The numbers stand in values of series (series_rule.h): they stay. */
enum aggregate {
    AGGREGATE_NONE = 0,
    AGGREGATE_AVG,
    AGGREGATE_SUM,
    AGGREGATE_MIN,
    AGGREGATE_MAX,
    AGGREGATE_RANGE,
    AGGREGATE_COUNT,
    AGGREGATE_FIRST,
    AGGREGATE_LAST,
    AGGREGATE_STD_P,
    AGGREGATE_STD_S,
    AGGREGATE_VAR_P,
    AGGREGATE_VAR_S,
    AGGREGATE_TWA
};
/* False: there is none of that name. */
bool aggregate_find(struct yore_bytes name, enum aggregate *aggregate_out);
const char *aggregate_name(enum aggregate aggregate);

/* Of some values, in the order in which they came.  Zeroed: of none. */
struct tally {
    uint64_t count;
    double sum, min, max, first, last, mean, squares;
};
void tally_add(struct tally *tally, double value);
/* Of one value at least; not of the time-weighted average. */
double tally_result(const struct tally *tally, enum aggregate aggregate);

enum bucket_time { BUCKET_LOW, BUCKET_MIDDLE, BUCKET_HIGH };

struct buckets {
    enum aggregate aggregate;
    int64_t width_ms; /* > 0 */
    int64_t align_ms;
    enum bucket_time time;
    bool is_backward;
    bool with_empty; /* also those between two samples that have none */
    /* Told of each bucket; false: stop. */
    bool (*tell)(void *arg, struct sample sample);
    void *arg;

    int64_t begin_ms;   /* of the bucket that is open */
    struct tally tally; /* of its samples; of none: no bucket is open */
    double area;        /* under its line, from `entered_ms` on */
    int64_t entered_ms;
    struct sample before; /* the last sample, of this bucket or one before */
    bool has_before;
};

/* The sample before the first (in their order), for the time-weighted average. */
void buckets_begin(struct buckets *buckets, const struct sample *before);
/* False: `tell` said so. */
bool buckets_add(struct buckets *buckets, struct sample sample);
/* Tell the last bucket; `after` NULL: no sample follows. */
bool buckets_end(struct buckets *buckets, const struct sample *after);

#endif
