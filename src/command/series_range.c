/* series_range.c -- ranges of samples. */
#include "command/series_range.h"

#include "command/call.h"
#include "command/rows.h"
#include "command/series_reply.h"
#include "command/series_rule.h"

/* ---- what is asked for ---- */

static bool fail(struct call *call, const char *text)
{
    reply_error(call->reply, "ERR TSDB: %s", text);
    return false;
}

bool series_range_begin(struct call *call, size_t first, bool is_backward,
                        struct series_range *range)
{
    *range = (struct series_range){.is_backward = is_backward,
                                   .count = INT64_MAX,
                                   .has_from = !call_is(call, first, "-"),
                                   .has_to = !call_is(call, first + 1, "+")};
    return series_take_bound(call, first, &range->from_ms) &&
           series_take_bound(call, first + 1, &range->to_ms);
}

static bool take_times(struct call *call, size_t *at, struct series_range *range)
{
    range->has_times = true;
    while (*at + 1 < call->count && args_int(call->args[*at + 1], &range->times[0])) {
        if (range->time_count == SERIES_TIMES_MAX - 1) {
            return fail(call, "FILTER_BY_TS takes at most 127 timestamps");
        }
        range->times[++range->time_count] = range->times[0]; /* [0] is room to parse into */
        ++*at;
    }
    return range->time_count > 0 || fail(call, "FILTER_BY_TS one or more arguments are missing");
}

static bool take_values(struct call *call, size_t *at, struct series_range *range)
{
    range->has_values = true;
    if (*at + 2 >= call->count || !args_double(call->args[*at + 1], &range->value_min) ||
        !args_double(call->args[*at + 2], &range->value_max)) {
        return fail(call, "Couldn't parse MIN and MAX of FILTER_BY_VALUE");
    }
    *at += 2;
    return true;
}

static bool take_align(struct call *call, size_t *at, struct series_range *range)
{
    size_t next = ++*at;
    range->is_aligned = true;
    if (next >= call->count) {
        return fail(call, "missing ALIGN parameter");
    }
    if (call_is(call, next, "start") || call_is(call, next, "-")) {
        range->align_ms = range->from_ms;
        return range->has_from || fail(call, "start alignment needs a start other than -");
    }
    if (call_is(call, next, "end") || call_is(call, next, "+")) {
        range->align_ms = range->to_ms;
        return range->has_to || fail(call, "end alignment needs an end other than +");
    }
    return (args_int(call->args[next], &range->align_ms) && range->align_ms >= 0) ||
           fail(call, "unknown ALIGN parameter");
}

static bool take_bucket_time(struct call *call, size_t index, struct series_range *range)
{
    if (index < call->count && (call_is(call, index, "-") || call_is(call, index, "low"))) {
        range->bucket_time = BUCKET_LOW;
    } else if (index < call->count && (call_is(call, index, "+") || call_is(call, index, "high"))) {
        range->bucket_time = BUCKET_HIGH;
    } else if (index < call->count && (call_is(call, index, "~") || call_is(call, index, "mid"))) {
        range->bucket_time = BUCKET_MIDDLE;
    } else {
        return fail(call, "unknown BUCKETTIMESTAMP parameter");
    }
    return true;
}

static bool take_aggregation(struct call *call, size_t *at, struct series_range *range)
{
    if (*at + 2 >= call->count || !aggregate_find(call->args[*at + 1], &range->aggregate)) {
        return fail(call, "Unknown aggregation type");
    }
    *at += 2;
    if (!args_int(call->args[*at], &range->width_ms) || range->width_ms <= 0 ||
        range->width_ms > SERIES_MS_MAX) {
        return fail(call, "bucketDuration must be greater than zero");
    }
    while (*at + 1 < call->count) {
        if (call_is(call, *at + 1, "buckettimestamp")) {
            *at += 2;
            if (!take_bucket_time(call, *at, range)) {
                return false;
            }
        } else if (call_is(call, *at + 1, "empty")) {
            range->with_empty = true;
            ++*at;
        } else {
            break;
        }
    }
    return true;
}

int series_range_option(struct call *call, size_t *at, struct series_range *range)
{
    bool is_good;
    if (call_is(call, *at, "latest")) {
        range->with_latest = true;
        return 1;
    }
    if (call_is(call, *at, "filter_by_ts")) {
        is_good = take_times(call, at, range);
    } else if (call_is(call, *at, "filter_by_value")) {
        is_good = take_values(call, at, range);
    } else if (call_is(call, *at, "count")) {
        ++*at;
        is_good =
            (*at < call->count && args_int(call->args[*at], &range->count) && range->count > 0) ||
            fail(call, "Couldn't parse COUNT");
    } else if (call_is(call, *at, "align")) {
        is_good = take_align(call, at, range);
    } else if (call_is(call, *at, "aggregation")) {
        is_good = take_aggregation(call, at, range);
    } else {
        return 0;
    }
    return is_good ? 1 : -1;
}

bool series_range_check(struct call *call, struct series_range *range)
{
    if (range->is_aligned && range->aggregate == AGGREGATE_NONE) {
        return fail(call, "ALIGN parameter can only be used with AGGREGATION");
    }
    return true;
}

/* ---- walking ---- */

/* The samples, with the one of the open bucket among them. */
struct range_walk {
    struct series_walk samples;
    bool is_backward;
    bool has_latest;
    struct sample latest;
    bool has_held; /* a sample that comes behind it */
    struct sample held;
};

static enum yore_status range_walk_open(struct call *call, const struct series *series,
                                        const struct series_range *range, struct range_walk *walk,
                                        struct yore_error *error)
{
    enum yore_status st = YORE_NOT_FOUND;
    *walk = (struct range_walk){.is_backward = range->is_backward};
    if (range->with_latest) {
        st = series_latest(call, series, &walk->latest, error);
    }
    walk->has_latest =
        st == YORE_OK && walk->latest.ms >= range->from_ms && walk->latest.ms <= range->to_ms;
    return st == YORE_OK || st == YORE_NOT_FOUND
               ? series_walk_open(call, series, range->from_ms, range->to_ms, range->is_backward,
                                  &walk->samples, error)
               : st;
}

static enum yore_status range_walk_next(struct range_walk *walk, struct sample *sample_out,
                                        struct yore_error *error)
{
    if (walk->has_held) {
        walk->has_held = false;
        *sample_out = walk->held;
        return YORE_OK;
    }
    enum yore_status st = series_walk_next(&walk->samples, sample_out, error);
    bool is_end = st == YORE_NOT_FOUND;
    if (!walk->has_latest || (st != YORE_OK && !is_end) ||
        (!is_end && (walk->is_backward ? sample_out->ms > walk->latest.ms
                                       : sample_out->ms < walk->latest.ms))) {
        return st;
    }
    walk->has_latest = false;
    walk->has_held = !is_end && sample_out->ms != walk->latest.ms; /* else it takes its place */
    walk->held = *sample_out;
    *sample_out = walk->latest;
    return YORE_OK;
}

static bool passes(const struct series_range *range, struct sample sample)
{
    bool is_named = !range->has_times;
    for (size_t i = 1; i <= range->time_count && !is_named; i++) {
        is_named = range->times[i] == sample.ms;
    }
    return is_named && (!range->has_values ||
                        (sample.value >= range->value_min && sample.value <= range->value_max));
}

/* The sample next to the range: before it, or behind; YORE_NOT_FOUND: none. */
static enum yore_status neighbour(struct call *call, const struct series *series, int64_t ms,
                                  bool is_before, struct sample *sample_out,
                                  struct yore_error *error)
{
    struct series_walk walk;
    enum yore_status st =
        is_before ? series_walk_open(call, series, 0, ms - 1, true, &walk, error)
                  : series_walk_open(call, series, ms + 1, SERIES_MS_MAX, false, &walk, error);
    if (st == YORE_OK) {
        st = series_walk_next(&walk, sample_out, error);
    }
    series_walk_close(&walk);
    return st;
}

/* Where samples older than the retention are none any more. */
static enum yore_status clip(struct call *call, const struct series *series,
                             struct series_range *range, struct yore_error *error)
{
    struct sample last;
    if (series->meta.retention_ms == 0) {
        return YORE_OK;
    }
    enum yore_status st = series_last(call, series, &last, error);
    if (st == YORE_OK && range->from_ms < last.ms - series->meta.retention_ms) {
        range->from_ms = last.ms - series->meta.retention_ms;
    }
    return st == YORE_NOT_FOUND ? YORE_OK : st;
}

/* Who takes what a walk comes by. */
struct taking {
    const struct series_range *range;
    bool (*take)(void *arg, struct sample sample);
    void *arg;
};

static enum yore_status walk_plain(struct range_walk *walk, const struct taking *taking,
                                   struct yore_error *error)
{
    struct sample sample;
    enum yore_status st = YORE_OK;
    while ((st = range_walk_next(walk, &sample, error)) == YORE_OK) {
        if (passes(taking->range, sample) && !taking->take(taking->arg, sample)) {
            break;
        }
    }
    return st;
}

static enum yore_status walk_buckets(struct call *call, const struct series *series,
                                     struct range_walk *walk, const struct taking *taking,
                                     struct yore_error *error)
{
    const struct series_range *range = taking->range;
    struct buckets buckets = {.aggregate = range->aggregate,
                              .width_ms = range->width_ms,
                              .align_ms = range->align_ms,
                              .time = range->bucket_time,
                              .is_backward = range->is_backward,
                              .with_empty = range->with_empty,
                              .tell = taking->take,
                              .arg = taking->arg};
    struct sample sample;
    struct sample before;
    struct sample after;
    bool is_weighted = range->aggregate == AGGREGATE_TWA;
    bool has_before =
        is_weighted && neighbour(call, series, range->is_backward ? range->to_ms : range->from_ms,
                                 !range->is_backward, &before, error) == YORE_OK;
    bool has_after =
        is_weighted && neighbour(call, series, range->is_backward ? range->from_ms : range->to_ms,
                                 range->is_backward, &after, error) == YORE_OK;
    enum yore_status st = YORE_OK;
    buckets_begin(&buckets, has_before ? &before : NULL);
    while ((st = range_walk_next(walk, &sample, error)) == YORE_OK) {
        if (passes(range, sample) && !buckets_add(&buckets, sample)) {
            return YORE_OK;
        }
    }
    if (st == YORE_NOT_FOUND) {
        (void)buckets_end(&buckets, has_after ? &after : NULL);
    }
    return st;
}

/* Of a range that is clipped. */
static enum yore_status walk_range(struct call *call, const struct series *series,
                                   const struct taking *taking, struct yore_error *error)
{
    const struct series_range *range = taking->range;
    struct range_walk walk;
    enum yore_status st = range_walk_open(call, series, range, &walk, error);
    if (st == YORE_OK) {
        st = range->aggregate == AGGREGATE_NONE ? walk_plain(&walk, taking, error)
                                                : walk_buckets(call, series, &walk, taking, error);
    }
    series_walk_close(&walk.samples);
    return st == YORE_NOT_FOUND ? YORE_OK : st;
}

enum yore_status series_range_walk(struct call *call, const struct series *series,
                                   const struct series_range *asked,
                                   bool (*take)(void *arg, struct sample sample), void *arg,
                                   struct yore_error *error_out)
{
    struct series_range range = *asked;
    const struct taking taking = {&range, take, arg};
    enum yore_status st = clip(call, series, &range, error_out);
    return st == YORE_OK ? walk_range(call, series, &taking, error_out) : st;
}

/* ---- telling ---- */

/* A walk on its way into rows. */
struct telling {
    const struct series_range *range;
    struct rows *rows;
    struct reply *reply;
    struct yore_error *error;
    enum yore_status status;
};

static bool tell(void *arg, struct sample sample)
{
    struct telling *t = arg;
    if ((int64_t)t->rows->count >= t->range->count) {
        return false;
    }
    if (rows_want(t->rows)) {
        reply_sample(t->reply, sample);
        t->status = rows_told(t->rows, t->error);
    } else if (t->rows->count > SERIES_ROWS_MAX) {
        t->status = error_set(t->error, YORE_TOO_BIG, "more than %u rows: ask for wider buckets",
                              SERIES_ROWS_MAX);
    }
    return t->status == YORE_OK && (int64_t)t->rows->count < t->range->count;
}

bool series_range_tell(struct call *call, const struct series *series,
                       const struct series_range *asked)
{
    struct yore_error error = {.text = ""};
    struct series_range range = *asked;
    struct rows rows;
    enum yore_status st = clip(call, series, &range, &error); /* once: both walks tell the same */
    rows_begin(&rows, call);
    do {
        struct telling t = {&range, &rows, call->reply, &error, YORE_OK};
        const struct taking taking = {&range, tell, &t};
        if (st == YORE_OK) {
            st = walk_range(call, series, &taking, &error);
        }
        st = st == YORE_OK ? t.status : st;
    } while (rows_again(&rows, st, &error));
    return !call->reply->is_gone && !call->must_close;
}
