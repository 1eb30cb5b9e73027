/* command_series.c -- time series in the commands of RedisTimeSeries: making, adding, telling. */
#include <math.h>
#include <string.h>

#include "command/call.h"
#include "command/commands.h"
#include "command/series.h"
#include "command/series_reply.h"
#include "command/series_rule.h"

/* ---- options ---- */

struct series_options {
    bool has_retention;
    bool has_chunk;
    bool has_policy;
    bool has_labels;
    int64_t retention_ms;
    int64_t chunk_bytes;
    enum series_policy policy;
    enum series_policy on_duplicate; /* of this sample only */
    bool has_time;
    int64_t ms;
    size_t label_count;
    struct buffer labels;
};

static bool fail(struct call *call, const char *text)
{
    reply_error(call->reply, "ERR TSDB: %s", text);
    return false;
}

static bool take_number(struct call *call, size_t index, const char *what, int64_t *number_out)
{
    if (index >= call->count || !args_int(call->args[index], number_out) || *number_out < 0) {
        return fail(call, what);
    }
    return true;
}

static bool take_labels(struct call *call, size_t first, struct series_options *options)
{
    options->has_labels = true;
    if ((call->count - first) % 2 != 0) {
        return fail(call, "labels come as pairs of a name and a value");
    }
    for (size_t i = first; i < call->count; i += 2) {
        if (call->args[i].size == 0 || call->args[i + 1].size == 0) {
            return fail(call, "a label has a name and a value, neither of them empty");
        }
        series_label_append(&options->labels, call->args[i], call->args[i + 1]);
        options->label_count++;
    }
    if (options->labels.size > SERIES_LABELS_BYTES_MAX) {
        reply_error(call->reply, "ERR TSDB: the labels take more than %u bytes",
                    SERIES_LABELS_BYTES_MAX);
        return false;
    }
    return true;
}

/* args[index] as a time of a sample: milliseconds, or "*", now.  False: an error was replied. */
static bool take_ms(struct call *call, size_t index, int64_t *ms_out)
{
    if (call_is(call, index, "*")) {
        *ms_out = access_now(call->access) / SERIES_MS_NS;
        return true;
    }
    if (!args_int(call->args[index], ms_out) || *ms_out < 0 || *ms_out > SERIES_MS_MAX) {
        return fail(call, "invalid timestamp: milliseconds since 1970 are asked for, or *");
    }
    return true;
}

/* One option at *at; false: an error was replied. */
static bool take_option(struct call *call, size_t *at, struct series_options *options)
{
    size_t next = *at + 1;
    bool has_next = next < call->count;
    if (call_is(call, *at, "retention")) {
        options->has_retention = true;
        ++*at;
        return take_number(call, next, "Couldn't parse RETENTION", &options->retention_ms);
    }
    if (call_is(call, *at, "chunk_size")) {
        options->has_chunk = true;
        ++*at;
        return take_number(call, next, "Couldn't parse CHUNK_SIZE", &options->chunk_bytes);
    }
    if (call_is(call, *at, "uncompressed") || call_is(call, *at, "compressed")) {
        return true;
    }
    if (call_is(call, *at, "encoding") && has_next) {
        ++*at;
        return call_is(call, next, "compressed") || call_is(call, next, "uncompressed") ||
               fail(call, "unknown ENCODING parameter");
    }
    if (call_is(call, *at, "duplicate_policy") && has_next) {
        options->has_policy = true;
        ++*at;
        return series_policy_find(call->args[next], &options->policy) ||
               fail(call, "Unknown DUPLICATE_POLICY");
    }
    if (call_is(call, *at, "on_duplicate") && has_next) {
        ++*at;
        return series_policy_find(call->args[next], &options->on_duplicate) ||
               fail(call, "Unknown ON_DUPLICATE");
    }
    if (call_is(call, *at, "timestamp") && has_next) {
        options->has_time = true;
        ++*at;
        return take_ms(call, next, &options->ms);
    }
    call_syntax(call);
    return false;
}

static bool take_options(struct call *call, size_t first, struct series_options *options)
{
    *options = (struct series_options){.chunk_bytes = SERIES_CHUNK_BYTES};
    for (size_t i = first; i < call->count; i++) {
        if (call_is(call, i, "labels")) { /* to the end */
            return take_labels(call, i + 1, options);
        }
        if (!take_option(call, &i, options)) {
            return false;
        }
    }
    return true;
}

static void apply_options(const struct series_options *options, struct series_meta *meta)
{
    if (options->has_retention) {
        meta->retention_ms = options->retention_ms;
    }
    if (options->has_chunk) {
        meta->chunk_bytes = options->chunk_bytes;
    }
    if (options->has_policy) {
        meta->policy = options->policy;
    }
    if (options->has_labels) {
        meta->labels = buffer_bytes(&options->labels);
        meta->label_count = options->label_count;
    }
}

/* ---- making ---- */

bool series_fail(struct call *call, enum yore_status st, const struct yore_error *error)
{
    if (st == YORE_NOT_FOUND) {
        return fail(call, "the key does not exist");
    }
    if (st == YORE_INVALID && error->text[0] == '\0') {
        reply_error(call->reply,
                    "WRONGTYPE Operation against a key holding the wrong kind of value");
    } else if (st == YORE_INVALID && strcmp(error->text, yore_status_message(st)) == 0) {
        reply_error(call->reply,
                    "WRONGTYPE Operation against a key holding the wrong kind of value");
    } else {
        call_fail(call, st, error);
    }
    return false;
}

/* Make the series of an entry that is absent. */
static enum yore_status make(struct call *call, struct series *series,
                             const struct series_options *options, struct yore_error *error)
{
    for (size_t i = 0; i < SERIES_ID_BYTES; i += 8) {
        uint64_t chance = os_random_u64(call->server->env);
        memcpy(series->meta.id + i, &chance, 8);
    }
    series->meta.chunk_bytes = SERIES_CHUNK_BYTES;
    apply_options(options, &series->meta);
    if (options->labels.is_nomem) {
        return error_plain(error, YORE_NOMEM);
    }
    return series_save(call, series, error);
}

void cmd_ts_create(struct call *call)
{
    struct yore_error error = {.text = ""};
    struct series_options options;
    struct series series;
    if (take_options(call, 2, &options) && call_begin(call)) {
        enum yore_status st = series_open(call, call->args[1], &series, &error);
        if (st == YORE_OK || st == YORE_INVALID) {
            fail(call, "key already exists");
        } else if (st == YORE_NOT_FOUND &&
                   (st = make(call, &series, &options, &error)) == YORE_OK) {
            call_event(call, EVENT_MODULE, "ts.create", call->args[1]);
            reply_status(call->reply, "OK");
        } else {
            call_fail(call, st, &error);
        }
        series_close(&series);
    }
    buffer_release(&options.labels);
}

void cmd_ts_alter(struct call *call)
{
    struct yore_error error = {.text = ""};
    struct series_options options;
    struct series series;
    if (take_options(call, 2, &options) && call_begin(call)) {
        enum yore_status st = series_open(call, call->args[1], &series, &error);
        if (st == YORE_OK) {
            apply_options(&options, &series.meta);
            st = options.labels.is_nomem ? error_plain(&error, YORE_NOMEM)
                                         : series_save(call, &series, &error);
        }
        if (st == YORE_OK) {
            call_event(call, EVENT_MODULE, "ts.alter", call->args[1]);
            reply_status(call->reply, "OK");
        } else {
            series_fail(call, st, &error);
        }
        series_close(&series);
    }
    buffer_release(&options.labels);
}

/* ---- adding ---- */

/* What is kept of two samples of one time; false: the new one is refused. */
static bool settle(enum series_policy policy, double old, double *value)
{
    switch (policy) {
    case SERIES_FIRST:
        *value = old;
        return true;
    case SERIES_LAST:
        return true;
    case SERIES_MIN:
        *value = fmin(old, *value);
        return true;
    case SERIES_MAX:
        *value = fmax(old, *value);
        return true;
    case SERIES_SUM:
        *value += old;
        return true;
    default:
        return false;
    }
}

/* Add a sample; false: an error was replied. */
static bool add(struct call *call, struct series *series, struct sample sample,
                enum series_policy policy)
{
    struct yore_error error = {.text = ""};
    struct sample last;
    struct sample old;
    enum yore_status st = YORE_NOT_FOUND;
    if (series->meta.retention_ms > 0 || series->meta.rules.size > 0) {
        st = series_last(call, series, &last, &error);
    }
    bool has_last = st == YORE_OK;
    if (has_last && series->meta.retention_ms > 0 &&
        sample.ms < last.ms - series->meta.retention_ms) {
        return fail(call, "Timestamp is older than retention");
    }
    st = st == YORE_NOT_FOUND ? YORE_OK : st;
    if (st == YORE_OK) {
        st = series_at(call, series, sample.ms, &old, &error);
    }
    bool is_there = st == YORE_OK;
    st = st == YORE_NOT_FOUND ? YORE_OK : st;
    if (is_there &&
        !settle(policy != SERIES_NONE ? policy : series->meta.policy, old.value, &sample.value)) {
        return fail(call, "Error at upsert, update is not supported when DUPLICATE_POLICY is set "
                          "to BLOCK mode");
    }
    if (st == YORE_OK && !(is_there && old.value == sample.value)) {
        st = series_put(call, series, sample, &error);
        st = st == YORE_OK
                 ? series_rules_put(call, series, sample.ms, has_last ? &last : NULL, &error)
                 : st;
    }
    if (st != YORE_OK) {
        call_fail(call, st, &error);
    }
    return st == YORE_OK;
}

static bool take_value(struct call *call, size_t index, double *value_out)
{
    return args_double(call->args[index], value_out) || fail(call, "invalid value");
}

/* The series of args[1], made where it is missing; false: an error was replied. */
static bool open_or_make(struct call *call, const struct series_options *options,
                         struct series *series_out)
{
    struct yore_error error = {.text = ""};
    enum yore_status st = series_open(call, call->args[1], series_out, &error);
    if (st == YORE_NOT_FOUND) {
        st = make(call, series_out, options, &error);
    }
    return st == YORE_OK || series_fail(call, st, &error);
}

void cmd_ts_add(struct call *call)
{
    struct series_options options = {0};
    struct sample sample;
    struct series series;
    if (take_ms(call, 2, &sample.ms) && take_value(call, 3, &sample.value) &&
        take_options(call, 4, &options) && call_begin(call)) {
        if (open_or_make(call, &options, &series) &&
            add(call, &series, sample, options.on_duplicate)) {
            reply_int(call->reply, sample.ms);
        }
        series_close(&series);
    }
    buffer_release(&options.labels);
}

/* One of TS.MADD; replies a number or an error of its own. */
static void add_one_of_many(struct call *call, size_t index)
{
    struct yore_error error = {.text = ""};
    struct sample sample;
    struct series series;
    if (!take_ms(call, index + 1, &sample.ms) || !take_value(call, index + 2, &sample.value)) {
        return;
    }
    enum yore_status st = series_open(call, call->args[index], &series, &error);
    if (st != YORE_OK) {
        series_fail(call, st, &error);
    } else if (add(call, &series, sample, SERIES_NONE)) {
        reply_int(call->reply, sample.ms);
    }
    series_close(&series);
}

void cmd_ts_madd(struct call *call)
{
    if ((call->count - 1) % 3 != 0) {
        call_arity(call);
        return;
    }
    if (!call_begin(call)) {
        return;
    }
    reply_array(call->reply, (call->count - 1) / 3);
    for (size_t i = 1; i < call->count; i += 3) {
        add_one_of_many(call, i);
    }
}

static void change_by(struct call *call, double sign)
{
    struct yore_error error = {.text = ""};
    struct series_options options = {0};
    struct sample last = {0, 0};
    struct series series;
    double amount;
    if (take_value(call, 2, &amount) && take_options(call, 3, &options) && call_begin(call)) {
        int64_t ms = options.has_time ? options.ms : access_now(call->access) / SERIES_MS_NS;
        bool is_open = open_or_make(call, &options, &series);
        enum yore_status st = is_open ? series_last(call, &series, &last, &error) : YORE_OK;
        if (is_open && st != YORE_OK && st != YORE_NOT_FOUND) {
            call_fail(call, st, &error);
        } else if (is_open && st == YORE_OK && ms < last.ms) {
            fail(call, "timestamp must be equal to or higher than the maximum existing timestamp");
        } else if (is_open && add(call, &series, (struct sample){ms, last.value + sign * amount},
                                  SERIES_LAST)) {
            reply_int(call->reply, ms);
        }
        series_close(&series);
    }
    buffer_release(&options.labels);
}

void cmd_ts_incrby(struct call *call)
{
    change_by(call, 1);
}

void cmd_ts_decrby(struct call *call)
{
    change_by(call, -1);
}

/* ---- telling ---- */

void cmd_ts_get(struct call *call)
{
    struct yore_error error = {.text = ""};
    struct sample last;
    struct series series;
    if (call->count > 3 || (call->count == 3 && !call_is(call, 2, "latest"))) {
        call_syntax(call);
        return;
    }
    enum yore_status st = series_open(call, call->args[1], &series, &error);
    if (st != YORE_OK) {
        series_fail(call, st, &error);
        return;
    }
    st = call->count == 3 ? series_latest_or_last(call, &series, &last, &error)
                          : series_last(call, &series, &last, &error);
    if (st == YORE_OK) {
        reply_sample(call->reply, last);
    } else if (st == YORE_NOT_FOUND) {
        reply_array(call->reply, 0);
    } else {
        call_fail(call, st, &error);
    }
    series_close(&series);
}

/* Count samples, and tell the first and the last. */
static enum yore_status measure(struct call *call, const struct series *series, int64_t *count_out,
                                struct sample *first, struct sample *last, struct yore_error *error)
{
    struct series_walk walk;
    struct sample sample;
    enum yore_status st = series_walk_open(call, series, 0, SERIES_MS_MAX, false, &walk, error);
    *count_out = 0;
    *first = *last = (struct sample){0, 0};
    while (st == YORE_OK && (st = series_walk_next(&walk, &sample, error)) == YORE_OK) {
        *first = *count_out == 0 ? sample : *first;
        *last = sample;
        ++*count_out;
    }
    series_walk_close(&walk);
    return st == YORE_NOT_FOUND ? YORE_OK : st;
}

static void info_number(struct call *call, const char *name, int64_t number)
{
    reply_text(call->reply, name);
    reply_int(call->reply, number);
}

static void tell_info(struct call *call, const struct series *series, int64_t count,
                      struct sample first, struct sample last)
{
    const struct series_meta *meta = &series->meta;
    struct reply *reply = call->reply;
    int64_t chunk = meta->chunk_bytes > 0 ? meta->chunk_bytes : SERIES_CHUNK_BYTES;
    reply_map(reply, 12);
    info_number(call, "totalSamples", count);
    info_number(call, "memoryUsage", count * SERIES_SAMPLE_BYTES);
    info_number(call, "firstTimestamp", first.ms);
    info_number(call, "lastTimestamp", last.ms);
    info_number(call, "retentionTime", meta->retention_ms);
    info_number(call, "chunkCount", 1 + count * SERIES_SAMPLE_BYTES / chunk);
    info_number(call, "chunkSize", chunk);
    reply_text(reply, "chunkType");
    reply_status(reply, "compressed");
    reply_text(reply, "duplicatePolicy");
    if (meta->policy != SERIES_NONE) {
        reply_status(reply, series_policy_name(meta->policy));
    } else {
        reply_null(reply);
    }
    reply_text(reply, "labels");
    reply_labels(reply, meta);
    reply_text(reply, "sourceKey");
    reply_source(call, series);
    reply_text(reply, "rules");
    reply_rules(call, series);
}

void cmd_ts_info(struct call *call)
{
    struct yore_error error = {.text = ""};
    struct sample first;
    struct sample last;
    struct series series;
    int64_t count;
    enum yore_status st = series_open(call, call->args[1], &series, &error);
    if (st == YORE_OK) {
        st = measure(call, &series, &count, &first, &last, &error);
    }
    if (st == YORE_OK) {
        tell_info(call, &series, count, first, last);
    } else {
        series_fail(call, st, &error);
    }
    series_close(&series);
}

/* ---- deleting ---- */

/* Samples that were deleted in one transaction. */
struct chunk {
    int64_t first_ms;
    int64_t last_ms;
    int64_t count;
    bool is_last;
};

static enum yore_status delete_chunk(struct call *call, struct series *series, int64_t from_ms,
                                     int64_t to_ms, struct chunk *chunk, struct yore_error *error)
{
    struct series_walk walk;
    struct sample sample;
    *chunk = (struct chunk){.count = 0};
    enum yore_status st = series_walk_open(call, series, from_ms, to_ms, false, &walk, error);
    while (st == YORE_OK && chunk->count < SERIES_DELETE_CHUNK &&
           (st = series_walk_next(&walk, &sample, error)) == YORE_OK) {
        chunk->first_ms = chunk->count == 0 ? sample.ms : chunk->first_ms;
        chunk->last_ms = sample.ms;
        chunk->count++;
        st = series_delete(call, series, sample.ms, error);
    }
    series_walk_close(&walk);
    chunk->is_last = st == YORE_NOT_FOUND;
    st = chunk->is_last ? YORE_OK : st;
    return st == YORE_OK && chunk->count > 0
               ? series_rules_delete(call, series, chunk->first_ms, chunk->last_ms, error)
               : st;
}

/* Up to SERIES_DELETE_CHUNK samples from *from_ms on, in one commit; again where the rule of
 * another series has written here meanwhile.  YORE_NOT_FOUND: there are no more. */
static enum yore_status delete_some(struct call *call, struct series *series, int64_t *from_ms,
                                    int64_t to_ms, int64_t *count, struct yore_error *error)
{
    struct chunk chunk = {.count = 0};
    enum yore_status st = YORE_CONFLICT;
    for (unsigned attempt = 0; attempt < MULTI_RETRIES_MAX && st == YORE_CONFLICT; attempt++) {
        st = access_begin(call->access, error);
        series->known = yore_now(call->server->db); /* all that the transaction knows */
        if (st == YORE_OK) {
            st = delete_chunk(call, series, *from_ms, to_ms, &chunk, error);
        }
        if (st == YORE_OK) {
            st = access_commit(call->access, error);
        } else {
            access_abort(call->access);
        }
    }
    if (st != YORE_OK) {
        return st;
    }
    *count += chunk.count;
    *from_ms = chunk.last_ms + 1;
    return chunk.is_last ? YORE_NOT_FOUND : YORE_OK;
}

void cmd_ts_del(struct call *call)
{
    struct yore_error error = {.text = ""};
    struct series series;
    int64_t from;
    int64_t to;
    int64_t count = 0;
    if (!series_take_bound(call, 2, &from) || !series_take_bound(call, 3, &to)) {
        return;
    }
    enum yore_status st = series_open(call, call->args[1], &series, &error);
    if (st != YORE_OK) {
        series_fail(call, st, &error);
        return;
    }
    while (st == YORE_OK) {
        st = delete_some(call, &series, &from, to, &count, &error);
    }
    if (st == YORE_NOT_FOUND) {
        reply_int(call->reply, count);
    } else {
        call_fail(call, st, &error);
    }
    series_close(&series);
}
