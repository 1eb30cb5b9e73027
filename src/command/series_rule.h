/* series_rule.h -- compaction rules: the buckets of one series kept as the samples of another.
 *
 * A rule stands in the value of its source, and its target names the source; both name the other by
 * key and by id, so that a key which is another series by now, or none, ends the rule without
 * anybody having to look for it.  A rename tells the other side.
 *
 * A bucket is written when a sample behind it comes, in the transaction of that sample, from what
 * the source has of it: nothing is kept between requests.  A sample that comes later into a bucket
 * that is closed, or leaves it, has it written again.  The last bucket is open and is no sample yet
 * (LATEST tells it).  A time-weighted average reaches from the sample before a bucket to the one
 * behind it, so there the neighbours are written again too.
 *
 *     rule, in the value of a series     key's size (varint), key, id (16), aggregate (1),
 *                                        width and alignment in milliseconds (varints)
 */
#ifndef YORE_COMMAND_SERIES_RULE_H
#define YORE_COMMAND_SERIES_RULE_H

#include <stdbool.h>
#include <stdint.h>

#include "command/aggregate.h"
#include "command/series.h"

struct call;

struct series_rule {
    struct yore_bytes key; /* of the target; borrowed */
    unsigned char id[SERIES_ID_BYTES];
    enum aggregate aggregate;
    int64_t width_ms; /* > 0 */
    int64_t align_ms;
};

/* The next rule of `*left`, which begins as meta->rules; false: no more, or none that can be read.
 */
bool series_rule_next(struct yore_bytes *left, struct series_rule *rule_out);
void series_rule_append(struct buffer *rules, const struct series_rule *rule);

/* Open the target of a rule of `source`; the caller closes it.  YORE_NOT_FOUND: the rule has ended;
 * there is nothing to close. */
enum yore_status series_target_open(struct call *call, const struct series *source,
                                    const struct series_rule *rule, struct series *target_out,
                                    struct yore_error *error_out);
/* Open the source of `target`, and find the rule, which borrows from it; the caller closes it.
 * YORE_NOT_FOUND: it has none; there is nothing to close. */
enum yore_status series_source_open(struct call *call, const struct series *target,
                                    struct series *source_out, struct series_rule *rule_out,
                                    struct yore_error *error_out);

/* A sample was put at `ms`, in the transaction; `last` was the last one before, NULL: there was
 * none. */
enum yore_status series_rules_put(struct call *call, const struct series *source, int64_t ms,
                                  const struct sample *last, struct yore_error *error_out);
/* Samples of [first_ms, last_ms] were deleted, in the transaction. */
enum yore_status series_rules_delete(struct call *call, const struct series *source,
                                     int64_t first_ms, int64_t last_ms,
                                     struct yore_error *error_out);
/* What the last bucket of the series' source would be as it is.  YORE_NOT_FOUND: there is none. */
enum yore_status series_latest(struct call *call, const struct series *target,
                               struct sample *sample_out, struct yore_error *error_out);
/* That, or the series' own last sample. */
enum yore_status series_latest_or_last(struct call *call, const struct series *target,
                                       struct sample *sample_out, struct yore_error *error_out);
/* The series whose value is `value` has got the key `key`: tell those its rules and its source are,
 * in the transaction. */
enum yore_status series_rules_rename(struct call *call, struct yore_bytes value,
                                     struct yore_bytes key, struct yore_error *error_out);

#endif
