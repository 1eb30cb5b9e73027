/* aggregate.c -- buckets of samples.
 *
 * Variance by Welford's method (1962): exact enough where sums of squares cancel. */
#include "command/aggregate.h"

#include <math.h>

#include "command/args.h"

static const char *const names[] = {NULL,    "avg",  "sum",   "min",   "max",   "range", "count",
                                    "first", "last", "std.p", "std.s", "var.p", "var.s", "twa"};
#define NAMES (sizeof names / sizeof names[0])

bool aggregate_find(struct yore_bytes name, enum aggregate *aggregate_out)
{
    for (size_t i = 1; i < NAMES; i++) {
        if (args_is(name, names[i])) {
            *aggregate_out = (enum aggregate)i;
            return true;
        }
    }
    return false;
}

const char *aggregate_name(enum aggregate aggregate)
{
    return names[aggregate];
}

/* ---- values ---- */

void tally_add(struct tally *tally, double value)
{
    bool is_first = tally->count == 0;
    tally->count++;
    tally->sum += value;
    tally->first = is_first ? value : tally->first;
    tally->min = is_first ? value : fmin(tally->min, value);
    tally->max = is_first ? value : fmax(tally->max, value);
    tally->last = value;
    double delta = value - tally->mean;
    tally->mean += delta / (double)tally->count;
    tally->squares += delta * (value - tally->mean);
}

double tally_result(const struct tally *tally, enum aggregate aggregate)
{
    double n = (double)tally->count;
    switch (aggregate) {
    case AGGREGATE_AVG:
        return tally->sum / n;
    case AGGREGATE_SUM:
        return tally->sum;
    case AGGREGATE_MIN:
        return tally->min;
    case AGGREGATE_MAX:
        return tally->max;
    case AGGREGATE_RANGE:
        return tally->max - tally->min;
    case AGGREGATE_COUNT:
        return n;
    case AGGREGATE_FIRST:
        return tally->first;
    case AGGREGATE_LAST:
        return tally->last;
    case AGGREGATE_STD_P:
        return sqrt(tally->squares / n);
    case AGGREGATE_STD_S:
        return tally->count > 1 ? sqrt(tally->squares / (n - 1)) : 0;
    case AGGREGATE_VAR_P:
        return tally->squares / n;
    case AGGREGATE_VAR_S:
        return tally->count > 1 ? tally->squares / (n - 1) : 0;
    default:
        return NAN;
    }
}

/* ---- bounds ---- */

static int64_t bucket_of(const struct buckets *b, int64_t ms)
{
    int64_t into = (ms - b->align_ms) % b->width_ms;
    return ms - (into < 0 ? into + b->width_ms : into);
}

/* The bound by which samples come in, and the other one. */
static int64_t near_bound(const struct buckets *b, int64_t begin_ms)
{
    return b->is_backward ? begin_ms + b->width_ms : begin_ms;
}

static int64_t far_bound(const struct buckets *b, int64_t begin_ms)
{
    return b->is_backward ? begin_ms : begin_ms + b->width_ms;
}

static double line_at(struct sample a, struct sample b, int64_t ms)
{
    return a.ms == b.ms
               ? a.value
               : a.value + (b.value - a.value) * ((double)(ms - a.ms) / (double)(b.ms - a.ms));
}

static double distance(int64_t a, int64_t b)
{
    return fabs((double)b - (double)a);
}

/* ---- one bucket ---- */

static void open_bucket(struct buckets *b, struct sample sample)
{
    b->begin_ms = bucket_of(b, sample.ms);
    b->tally = (struct tally){.count = 0};
    b->area = 0;
    b->entered_ms = sample.ms;
    if (b->has_before) {
        int64_t bound = near_bound(b, b->begin_ms);
        double entry = line_at(b->before, sample, bound);
        b->entered_ms = bound;
        b->area = (entry + sample.value) / 2 * distance(bound, sample.ms);
    }
}

static void take(struct buckets *b, struct sample sample)
{
    if (b->tally.count > 0) {
        b->area += (b->before.value + sample.value) / 2 * distance(b->before.ms, sample.ms);
    }
    tally_add(&b->tally, sample.value);
}

static double weighted(const struct buckets *b, const struct sample *after)
{
    double area = b->area;
    int64_t left_ms = b->before.ms;
    if (after != NULL) {
        int64_t bound = far_bound(b, b->begin_ms);
        area += (b->before.value + line_at(b->before, *after, bound)) / 2 *
                distance(b->before.ms, bound);
        left_ms = bound;
    }
    double width = distance(b->entered_ms, left_ms);
    return width > 0 ? area / width : b->tally.last;
}

static double result(const struct buckets *b, const struct sample *after)
{
    switch (b->aggregate) {
    case AGGREGATE_TWA:
        return weighted(b, after);
    case AGGREGATE_FIRST:
        return b->is_backward ? b->tally.last : b->tally.first;
    case AGGREGATE_LAST:
        return b->is_backward ? b->tally.first : b->tally.last;
    default:
        return tally_result(&b->tally, b->aggregate);
    }
}

static bool tell(struct buckets *b, int64_t begin_ms, double value)
{
    int64_t ms = begin_ms > 0 ? begin_ms : 0;
    if (b->time != BUCKET_LOW) {
        ms = begin_ms + (b->time == BUCKET_HIGH ? b->width_ms : b->width_ms / 2);
    }
    return b->tell(b->arg, (struct sample){ms, value});
}

/* ---- between two samples ---- */

/* What a bucket without samples has, between `a` and `b`, the earlier first. */
static double empty_value(const struct buckets *b, struct sample a, struct sample c,
                          int64_t begin_ms)
{
    switch (b->aggregate) {
    case AGGREGATE_SUM:
    case AGGREGATE_COUNT:
        return 0;
    case AGGREGATE_LAST:
        return a.value;
    case AGGREGATE_TWA:
        return (line_at(a, c, begin_ms) + line_at(a, c, begin_ms + b->width_ms)) / 2;
    default:
        return NAN;
    }
}

static bool tell_empty(struct buckets *b, struct sample next)
{
    struct sample a = b->is_backward ? next : b->before;
    struct sample c = b->is_backward ? b->before : next;
    int64_t end = bucket_of(b, next.ms);
    int64_t step = b->is_backward ? -b->width_ms : b->width_ms;
    for (int64_t at = b->begin_ms + step; at != end; at += step) {
        if (!tell(b, at, empty_value(b, a, c, at))) {
            return false;
        }
    }
    return true;
}

/* ---- all of them ---- */

void buckets_begin(struct buckets *buckets, const struct sample *before)
{
    buckets->tally = (struct tally){.count = 0};
    buckets->has_before = before != NULL;
    if (before != NULL) {
        buckets->before = *before;
    }
}

bool buckets_add(struct buckets *buckets, struct sample sample)
{
    bool goes_on = true;
    bool is_open = buckets->tally.count > 0;
    if (is_open && bucket_of(buckets, sample.ms) != buckets->begin_ms) {
        goes_on = tell(buckets, buckets->begin_ms, result(buckets, &sample));
        goes_on = goes_on && (!buckets->with_empty || tell_empty(buckets, sample));
        is_open = false;
    }
    if (!is_open) {
        open_bucket(buckets, sample);
    }
    take(buckets, sample);
    buckets->before = sample;
    buckets->has_before = true;
    return goes_on;
}

bool buckets_end(struct buckets *buckets, const struct sample *after)
{
    return buckets->tally.count == 0 || tell(buckets, buckets->begin_ms, result(buckets, after));
}
