/* series_reply.c -- samples and labels as clients of TS.* read them. */
#include "command/series_reply.h"

#include <math.h>

#include "command/call.h"

bool series_take_bound(struct call *call, size_t index, int64_t *ms_out)
{
    if (call_is(call, index, "-") || call_is(call, index, "+")) {
        *ms_out = call_is(call, index, "-") ? 0 : SERIES_MS_MAX;
        return true;
    }
    if (!args_int(call->args[index], ms_out) || *ms_out < 0) {
        reply_error(call->reply, "ERR TSDB: wrong %s",
                    index == 2 || index == 1 ? "fromTimestamp" : "toTimestamp");
        return false;
    }
    *ms_out = *ms_out < SERIES_MS_MAX ? *ms_out : SERIES_MS_MAX;
    return true;
}

void reply_sample(struct reply *reply, struct sample sample)
{
    char text[REPLY_DOUBLE_BYTES];
    reply_array(reply, 2);
    reply_int(reply, sample.ms);
    if (reply->protocol == 2) {
        reply_double_text(sample.value, text);
        reply_status(reply, isnan(sample.value) ? "NaN" : text);
    } else {
        reply_double(reply, sample.value);
    }
}

void reply_labels(struct reply *reply, const struct series_meta *meta)
{
    struct yore_bytes left = meta->labels;
    struct yore_bytes name;
    struct yore_bytes value;
    if (reply->protocol == 2) {
        reply_array(reply, meta->label_count);
    } else {
        reply_map(reply, meta->label_count);
    }
    while (series_label(&left, &name, &value)) {
        if (reply->protocol == 2) {
            reply_array(reply, 2);
        }
        reply_bulk(reply, name);
        reply_bulk(reply, value);
    }
}

void reply_label_or_null(struct reply *reply, const struct series_meta *meta,
                         struct yore_bytes wanted)
{
    struct yore_bytes left = meta->labels;
    struct yore_bytes name;
    struct yore_bytes value;
    while (series_label(&left, &name, &value)) {
        if (bytes_equal(name, wanted)) {
            reply_bulk(reply, value);
            return;
        }
    }
    reply_null(reply);
}
