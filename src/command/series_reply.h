/* series_reply.h -- what the commands of series share: bounds of time, samples and labels. */
#ifndef YORE_COMMAND_SERIES_REPLY_H
#define YORE_COMMAND_SERIES_REPLY_H

#include <stdbool.h>
#include <stdint.h>

#include "command/series.h"

struct call;
struct reply;

/* args[index] as a bound of a range: milliseconds, "-" or "+".  False: an error was replied. */
bool series_take_bound(struct call *call, size_t index, int64_t *ms_out);
/* Reply what a status of series_open() means; false. */
bool series_fail(struct call *call, enum yore_status st, const struct yore_error *error);
/* [time, value] */
void reply_sample(struct reply *reply, struct sample sample);
/* Pairs in RESP2, a map in RESP3. */
void reply_labels(struct reply *reply, const struct series_meta *meta);
/* TS.INFO's sourceKey and rules: of those that have not ended. */
void reply_source(struct call *call, const struct series *series);
void reply_rules(struct call *call, const struct series *series);
/* A label's value, or nil. */
void reply_label_or_null(struct reply *reply, const struct series_meta *meta,
                         struct yore_bytes name);

#endif
