/* series_rule.c -- see series_rule.h. */
#include "command/series_rule.h"

#include <math.h>
#include <string.h>

#include "base/coding.h"
#include "command/call.h"
#include "command/series_range.h"

/* ---- what a rule is ---- */

bool series_rule_next(struct yore_bytes *left, struct series_rule *rule_out)
{
    struct decoder d;
    if (left->size == 0) {
        return false;
    }
    decoder_init(&d, left->data, left->size);
    uint64_t size = decode_varint(&d);
    const unsigned char *key = size <= decoder_left(&d) ? decode_run(&d, (size_t)size) : NULL;
    const unsigned char *id = decode_run(&d, SERIES_ID_BYTES);
    uint8_t aggregate = decode_u8(&d);
    uint64_t width = decode_varint(&d);
    uint64_t align = decode_varint(&d);
    if (d.is_bad || key == NULL || size == 0 || aggregate == AGGREGATE_NONE ||
        aggregate > AGGREGATE_TWA || width == 0 || width > SERIES_MS_MAX || align > SERIES_MS_MAX) {
        return false;
    }
    *rule_out = (struct series_rule){.key = bytes_of(key, (size_t)size),
                                     .aggregate = (enum aggregate)aggregate,
                                     .width_ms = (int64_t)width,
                                     .align_ms = (int64_t)align};
    memcpy(rule_out->id, id, SERIES_ID_BYTES);
    *left = bytes_behind(*left, left->size - decoder_left(&d));
    return true;
}

void series_rule_append(struct buffer *rules, const struct series_rule *rule)
{
    buffer_append_varint(rules, rule->key.size);
    buffer_append_bytes(rules, rule->key);
    buffer_append(rules, rule->id, SERIES_ID_BYTES);
    buffer_append_u8(rules, (uint8_t)rule->aggregate);
    buffer_append_varint(rules, (uint64_t)rule->width_ms);
    buffer_append_varint(rules, (uint64_t)rule->align_ms);
}

/* ---- both sides ---- */

static bool is_id(const unsigned char *a, const unsigned char *b)
{
    return memcmp(a, b, SERIES_ID_BYTES) == 0;
}

/* The series of a key, if it has this id. */
static enum yore_status open_known(struct call *call, struct yore_bytes key,
                                   const unsigned char *id, struct series *series_out,
                                   struct yore_error *error_out)
{
    enum yore_status st = series_open(call, key, series_out, error_out);
    if (st == YORE_OK && !is_id(series_out->meta.id, id)) {
        series_close(series_out);
        st = YORE_NOT_FOUND;
    }
    return st == YORE_INVALID || st == YORE_ERASED ? YORE_NOT_FOUND : st;
}

enum yore_status series_target_open(struct call *call, const struct series *source,
                                    const struct series_rule *rule, struct series *target_out,
                                    struct yore_error *error_out)
{
    enum yore_status st = open_known(call, rule->key, rule->id, target_out, error_out);
    if (st == YORE_OK && (target_out->meta.source.size == 0 ||
                          !is_id(target_out->meta.source_id, source->meta.id))) {
        series_close(target_out);
        st = YORE_NOT_FOUND;
    }
    return st;
}

enum yore_status series_source_open(struct call *call, const struct series *target,
                                    struct series *source_out, struct series_rule *rule_out,
                                    struct yore_error *error_out)
{
    const struct series_meta *meta = &target->meta;
    if (meta->source.size == 0) {
        return YORE_NOT_FOUND;
    }
    enum yore_status st = open_known(call, meta->source, meta->source_id, source_out, error_out);
    if (st != YORE_OK) {
        return st;
    }
    struct yore_bytes left = source_out->meta.rules;
    while (series_rule_next(&left, rule_out)) {
        if (is_id(rule_out->id, meta->id)) {
            return YORE_OK;
        }
    }
    series_close(source_out);
    return YORE_NOT_FOUND;
}

/* ---- buckets ---- */

/* The begin of the bucket that `ms` is in, which may lie before 1970; its sample does not. */
static int64_t bucket_of(const struct series_rule *rule, int64_t ms)
{
    int64_t into = (ms - rule->align_ms) % rule->width_ms;
    return ms - (into < 0 ? into + rule->width_ms : into);
}

static int64_t sample_ms(int64_t begin_ms)
{
    return begin_ms > 0 ? begin_ms : 0;
}

struct found {
    bool is_any;
    struct sample sample;
};

static bool keep(void *arg, struct sample sample)
{
    struct found *found = arg;
    found->is_any = true;
    found->sample = sample;
    return false;
}

/* What the source has of a bucket, whatever its retention hides. */
static enum yore_status measure(struct call *call, const struct series *source,
                                const struct series_rule *rule, int64_t begin_ms,
                                struct found *found, struct yore_error *error_out)
{
    int64_t end_ms = begin_ms + rule->width_ms - 1;
    struct series whole = *source;
    const struct series_range range = {.from_ms = sample_ms(begin_ms),
                                       .to_ms = end_ms < SERIES_MS_MAX ? end_ms : SERIES_MS_MAX,
                                       .count = INT64_MAX,
                                       .aggregate = rule->aggregate,
                                       .width_ms = rule->width_ms,
                                       .align_ms = rule->align_ms};
    whole.meta.retention_ms = 0;
    *found = (struct found){.is_any = false};
    return series_range_walk(call, &whole, &range, keep, found, error_out);
}

/* A rule at work. */
struct work {
    struct call *call;
    const struct series *source;
    struct series_rule rule;
    struct series target;
    int64_t open_ms; /* the begin of the bucket that is open */
    struct yore_error *error;
};

/* Write a bucket as it is now: put its sample, change it, or take it away.  The open one is none
 * yet. */
static enum yore_status refresh(struct work *work, int64_t begin_ms)
{
    struct found now;
    struct sample old;
    int64_t ms = sample_ms(begin_ms);
    enum yore_status st =
        measure(work->call, work->source, &work->rule, begin_ms, &now, work->error);
    if (st != YORE_OK) {
        return st;
    }
    st = series_at(work->call, &work->target, ms, &old, work->error);
    if (st != YORE_OK && st != YORE_NOT_FOUND) {
        return st;
    }
    bool is_there = st == YORE_OK;
    if (!now.is_any) {
        return is_there ? series_delete(work->call, &work->target, ms, work->error) : YORE_OK;
    }
    bool is_same = is_there &&
                   (old.value == now.sample.value || (isnan(old.value) && isnan(now.sample.value)));
    if (is_same || (!is_there && begin_ms == work->open_ms)) {
        return YORE_OK;
    }
    return series_put(work->call, &work->target, (struct sample){ms, now.sample.value},
                      work->error);
}

/* The bucket of the sample next to a time, if there is one. */
static enum yore_status refresh_next_to(struct work *work, int64_t ms, bool is_before)
{
    struct series_walk walk;
    struct sample sample;
    enum yore_status st =
        is_before ? series_walk_open(work->call, work->source, 0, ms - 1, true, &walk, work->error)
                  : series_walk_open(work->call, work->source, ms + 1, SERIES_MS_MAX, false, &walk,
                                     work->error);
    if (st == YORE_OK) {
        st = series_walk_next(&walk, &sample, work->error);
    }
    series_walk_close(&walk);
    if (st == YORE_OK) {
        st = refresh(work, bucket_of(&work->rule, sample.ms));
    }
    return st == YORE_NOT_FOUND ? YORE_OK : st;
}

/* What was there, or is, between two times reaches into the buckets around them. */
static enum yore_status refresh_around(struct work *work, int64_t first_ms, int64_t last_ms)
{
    if (work->rule.aggregate != AGGREGATE_TWA) {
        return YORE_OK;
    }
    enum yore_status st = refresh_next_to(work, first_ms, true);
    return st == YORE_OK ? refresh_next_to(work, last_ms, false) : st;
}

/* ---- what happens to the source ---- */

typedef enum yore_status rule_fn(struct work *work, const void *arg);

/* Do it for every rule that has not ended. */
static enum yore_status each_rule(struct call *call, const struct series *source, rule_fn *run,
                                  const void *arg, struct yore_error *error_out)
{
    struct work work = {.call = call, .source = source, .error = error_out};
    struct yore_bytes left = source->meta.rules;
    enum yore_status st = YORE_OK;
    while (st == YORE_OK && series_rule_next(&left, &work.rule)) {
        st = series_target_open(call, source, &work.rule, &work.target, error_out);
        if (st == YORE_OK) {
            st = run(&work, arg);
            series_close(&work.target);
        }
        st = st == YORE_NOT_FOUND ? YORE_OK : st;
    }
    return st;
}

struct put {
    int64_t ms;
    const struct sample *last;
};

static enum yore_status follow_put(struct work *work, const void *arg)
{
    const struct put *put = arg;
    int64_t begin_ms = bucket_of(&work->rule, put->ms);
    int64_t last_ms = bucket_of(&work->rule, put->last->ms);
    bool is_new = put->ms > put->last->ms;
    work->open_ms = is_new ? begin_ms : last_ms;
    if (is_new) {
        return begin_ms != last_ms ? refresh(work, last_ms) : YORE_OK;
    }
    enum yore_status st = refresh(work, begin_ms);
    return st == YORE_OK ? refresh_around(work, put->ms, put->ms) : st;
}

enum yore_status series_rules_put(struct call *call, const struct series *source, int64_t ms,
                                  const struct sample *last, struct yore_error *error_out)
{
    const struct put put = {ms, last};
    return last != NULL ? each_rule(call, source, follow_put, &put, error_out) : YORE_OK;
}

struct deletion {
    int64_t first_ms;
    int64_t last_ms;
};

/* Buckets that are no samples of the target were never written, and are not now. */
static enum yore_status follow_delete(struct work *work, const void *arg)
{
    const struct deletion *deletion = arg;
    struct series_walk walk = {NULL};
    struct sample sample;
    enum yore_status st = series_last(work->call, work->source, &sample, work->error);
    work->open_ms = st == YORE_OK ? bucket_of(&work->rule, sample.ms) : INT64_MIN;
    if (st == YORE_OK || st == YORE_NOT_FOUND) {
        st = series_walk_open(work->call, &work->target,
                              sample_ms(bucket_of(&work->rule, deletion->first_ms)),
                              deletion->last_ms, false, &walk, work->error);
    }
    while (st == YORE_OK && (st = series_walk_next(&walk, &sample, work->error)) == YORE_OK) {
        int64_t begin_ms = bucket_of(&work->rule, sample.ms);
        if (sample.ms == sample_ms(begin_ms)) {
            st = refresh(work, begin_ms);
        }
    }
    series_walk_close(&walk);
    return st == YORE_NOT_FOUND ? refresh_around(work, deletion->first_ms, deletion->last_ms) : st;
}

enum yore_status series_rules_delete(struct call *call, const struct series *source,
                                     int64_t first_ms, int64_t last_ms,
                                     struct yore_error *error_out)
{
    const struct deletion deletion = {first_ms, last_ms};
    return each_rule(call, source, follow_delete, &deletion, error_out);
}

/* ---- what others ask ---- */

enum yore_status series_latest(struct call *call, const struct series *target,
                               struct sample *sample_out, struct yore_error *error_out)
{
    struct series source;
    struct series_rule rule;
    struct sample last;
    struct found found = {.is_any = false};
    enum yore_status st = series_source_open(call, target, &source, &rule, error_out);
    if (st != YORE_OK) {
        return st;
    }
    st = series_last(call, &source, &last, error_out);
    if (st == YORE_OK) {
        st = measure(call, &source, &rule, bucket_of(&rule, last.ms), &found, error_out);
    }
    series_close(&source);
    *sample_out = found.sample;
    return st == YORE_OK && !found.is_any ? YORE_NOT_FOUND : st;
}

enum yore_status series_latest_or_last(struct call *call, const struct series *target,
                                       struct sample *sample_out, struct yore_error *error_out)
{
    enum yore_status st = series_latest(call, target, sample_out, error_out);
    return st == YORE_NOT_FOUND ? series_last(call, target, sample_out, error_out) : st;
}

/* The rule of `source` that writes the series of this id names it by `key`. */
static enum yore_status rename_in_source(struct call *call, struct series *source,
                                         const unsigned char *id, struct yore_bytes key,
                                         struct yore_error *error_out)
{
    struct yore_bytes left = source->meta.rules;
    struct series_rule rule;
    struct buffer rules = {0};
    while (series_rule_next(&left, &rule)) {
        rule.key = is_id(rule.id, id) ? key : rule.key;
        series_rule_append(&rules, &rule);
    }
    source->meta.rules = buffer_bytes(&rules);
    enum yore_status st =
        rules.is_nomem ? error_plain(error_out, YORE_NOMEM) : series_save(call, source, error_out);
    buffer_release(&rules);
    return st;
}

static enum yore_status rename_in_target(struct work *work, const void *arg)
{
    work->target.meta.source = *(const struct yore_bytes *)arg;
    return series_save(work->call, &work->target, work->error);
}

enum yore_status series_rules_rename(struct call *call, struct yore_bytes value,
                                     struct yore_bytes key, struct yore_error *error_out)
{
    struct series self = {.samples = NULL};
    struct series source;
    struct series_rule rule;
    if (!series_decode(value, &self.meta)) {
        return YORE_OK;
    }
    enum yore_status st = series_source_open(call, &self, &source, &rule, error_out);
    if (st == YORE_OK) {
        st = rename_in_source(call, &source, self.meta.id, key, error_out);
        series_close(&source);
    }
    return st == YORE_OK || st == YORE_NOT_FOUND
               ? each_rule(call, &self, rename_in_target, &key, error_out)
               : st;
}
