/* command_series_rule.c -- TS.CREATERULE, TS.DELETERULE, and what TS.INFO tells of rules. */
#include <string.h>

#include "command/call.h"
#include "command/commands.h"
#include "command/series_reply.h"
#include "command/series_rule.h"

static bool fail(struct call *call, const char *text)
{
    reply_error(call->reply, "ERR TSDB: %s", text);
    return false;
}

/* ---- what is asked for ---- */

/* source target AGGREGATION aggregator width [alignment] */
static bool take_rule(struct call *call, struct series_rule *rule)
{
    *rule = (struct series_rule){.key = call->args[2]};
    if (call->count > 7) {
        call_arity(call);
        return false;
    }
    if (!call_is(call, 3, "aggregation") || !aggregate_find(call->args[4], &rule->aggregate)) {
        return fail(call, "Unknown aggregation type");
    }
    if (!args_int(call->args[5], &rule->width_ms)) {
        return fail(call, "Couldn't parse bucketDuration");
    }
    if (rule->width_ms <= 0 || rule->width_ms > SERIES_MS_MAX) {
        return fail(call, "bucketDuration must be greater than zero");
    }
    if (call->count == 7 && (!args_int(call->args[6], &rule->align_ms) || rule->align_ms < 0 ||
                             rule->align_ms > SERIES_MS_MAX)) {
        return fail(call, "Couldn't parse alignTimestamp");
    }
    return !bytes_equal(call->args[1], call->args[2]) ||
           fail(call, "the source key and destination key should be different");
}

/* Both series of args[1] and args[2]; false: an error was replied, and nothing is open. */
static bool open_both(struct call *call, struct series *source, struct series *target)
{
    struct yore_error error = {.text = ""};
    enum yore_status st = series_open(call, call->args[1], source, &error);
    if (st != YORE_OK) {
        return series_fail(call, st, &error);
    }
    st = series_open(call, call->args[2], target, &error);
    if (st != YORE_OK) {
        series_close(source);
        return series_fail(call, st, &error);
    }
    return true;
}

/* ---- rules that a series has ---- */

/* Copy the rules of `source` that have not ended, but for the one of `without`. */
static enum yore_status copy_rules(struct call *call, const struct series *source,
                                   const unsigned char *without, struct buffer *rules,
                                   size_t *count_out, struct yore_error *error)
{
    struct yore_bytes left = source->meta.rules;
    struct series_rule rule;
    struct series target;
    enum yore_status st = YORE_OK;
    *count_out = 0;
    while ((st == YORE_OK || st == YORE_NOT_FOUND) && series_rule_next(&left, &rule)) {
        st = series_target_open(call, source, &rule, &target, error);
        if (st == YORE_OK) {
            series_close(&target);
        }
        if (st == YORE_OK && (without == NULL || memcmp(rule.id, without, SERIES_ID_BYTES) != 0)) {
            series_rule_append(rules, &rule);
            ++*count_out;
        }
    }
    return st == YORE_NOT_FOUND ? YORE_OK : st;
}

/* Has the series a source?  An error counts as one, and is in `*st_out`. */
static bool has_source(struct call *call, const struct series *series, enum yore_status *st_out,
                       struct yore_error *error)
{
    struct series source;
    struct series_rule rule;
    *st_out = series_source_open(call, series, &source, &rule, error);
    if (*st_out == YORE_OK) {
        series_close(&source);
        return true;
    }
    *st_out = *st_out == YORE_NOT_FOUND ? YORE_OK : *st_out;
    return *st_out != YORE_OK;
}

/* May `target` keep buckets of `source`?  Chains of rules there are none. */
static bool may_follow(struct call *call, const struct series *source, const struct series *target)
{
    struct yore_error error = {.text = ""};
    struct buffer rules = {0};
    enum yore_status st;
    size_t count = 0;
    const char *refusal = NULL;
    if (has_source(call, source, &st, &error)) {
        refusal = "the source key already has a source rule";
    } else if (has_source(call, target, &st, &error)) {
        refusal = "the destination key already has a src rule";
    } else {
        st = copy_rules(call, target, NULL, &rules, &count, &error);
        refusal = count > 0 ? "the destination key already has a dst rule" : NULL;
    }
    buffer_release(&rules);
    if (st != YORE_OK) {
        call_fail(call, st, &error);
        return false;
    }
    return refusal == NULL || fail(call, refusal);
}

/* ---- the commands ---- */

static enum yore_status save_rules(struct call *call, struct series *source,
                                   const struct buffer *rules, struct yore_error *error)
{
    source->meta.rules = buffer_bytes(rules);
    return rules->is_nomem ? error_plain(error, YORE_NOMEM) : series_save(call, source, error);
}

static enum yore_status create(struct call *call, struct series *source, struct series *target,
                               struct series_rule *rule, struct yore_error *error)
{
    struct buffer rules = {0};
    size_t count;
    memcpy(rule->id, target->meta.id, SERIES_ID_BYTES);
    enum yore_status st = copy_rules(call, source, NULL, &rules, &count, error);
    if (st == YORE_OK && count == SERIES_RULES_MAX) {
        st = error_set(error, YORE_TOO_BIG, "a series has at most %u rules", SERIES_RULES_MAX);
    }
    series_rule_append(&rules, rule);
    if (st == YORE_OK) {
        st = save_rules(call, source, &rules, error);
    }
    if (st == YORE_OK) {
        target->meta.source = call->args[1];
        target->meta.rules = bytes_of(NULL, 0);
        memcpy(target->meta.source_id, source->meta.id, SERIES_ID_BYTES);
        st = series_save(call, target, error);
    }
    buffer_release(&rules);
    return st;
}

static void tell_made(struct call *call, enum yore_status st, const struct yore_error *error,
                      const char *const events[2])
{
    if (st != YORE_OK) {
        call_fail(call, st, error);
        return;
    }
    call_event(call, EVENT_MODULE, events[0], call->args[1]);
    call_event(call, EVENT_MODULE, events[1], call->args[2]);
    reply_status(call->reply, "OK");
}

void cmd_ts_createrule(struct call *call)
{
    static const char *const events[] = {"ts.createrule:src", "ts.createrule:dest"};
    struct yore_error error = {.text = ""};
    struct series_rule rule;
    struct series source;
    struct series target;
    if (!take_rule(call, &rule) || !call_begin(call) || !open_both(call, &source, &target)) {
        return;
    }
    if (may_follow(call, &source, &target)) {
        enum yore_status st = create(call, &source, &target, &rule, &error);
        tell_made(call, st, &error, events);
    }
    series_close(&target);
    series_close(&source);
}

static enum yore_status delete (struct call *call, struct series *source, struct series *target,
                                struct yore_error *error) {
    struct buffer rules = {0}; size_t count;
    enum yore_status st = copy_rules(call, source, target->meta.id, &rules, &count, error);
    if (st == YORE_OK){st = save_rules(call, source, &rules, error);}
if (st == YORE_OK)
{
    target->meta.source = bytes_of(NULL, 0);
    st = series_save(call, target, error);
}
buffer_release(&rules);
return st;
}

void cmd_ts_deleterule(struct call *call)
{
    static const char *const events[] = {"ts.deleterule:src", "ts.deleterule:dest"};
    struct yore_error error = {.text = ""};
    struct series_rule rule;
    struct series of_target;
    struct series source;
    struct series target;
    if (!call_begin(call) || !open_both(call, &source, &target)) {
        return;
    }
    enum yore_status st = series_source_open(call, &target, &of_target, &rule, &error);
    bool is_rule = st == YORE_OK && memcmp(of_target.meta.id, source.meta.id, SERIES_ID_BYTES) == 0;
    if (st == YORE_OK) {
        series_close(&of_target);
    }
    if (is_rule) {
        st = delete (call, &source, &target, &error);
        tell_made(call, st, &error, events);
    } else if (st == YORE_OK || st == YORE_NOT_FOUND) {
        fail(call, "compaction rule does not exist");
    } else {
        call_fail(call, st, &error);
    }
    series_close(&target);
    series_close(&source);
}

/* ---- TS.INFO ---- */

/* As with KEYS: a name is told to who has any right to the key. */
static bool may_name(const struct call *call, struct yore_bytes key)
{
    return acl_rules_allow_key(call->client->rules, call->command, key, KEY_ANY);
}

void reply_source(struct call *call, const struct series *series)
{
    struct yore_error error = {.text = ""};
    struct series source;
    struct series_rule rule;
    if (series_source_open(call, series, &source, &rule, &error) != YORE_OK) {
        reply_null(call->reply);
        return;
    }
    if (may_name(call, series->meta.source)) {
        reply_bulk(call->reply, series->meta.source);
    } else {
        reply_null(call->reply);
    }
    series_close(&source);
}

/* [key, width, aggregator, alignment] each; a map by key in RESP3. */
static void reply_rule(struct reply *reply, const struct series_rule *rule)
{
    char name[16];
    size_t size = 0;
    for (const char *at = aggregate_name(rule->aggregate); *at != '\0'; at++) {
        name[size++] = *at >= 'a' && *at <= 'z' ? (char)(*at - 32) : *at;
    }
    name[size] = '\0';
    if (reply->protocol == 2) {
        reply_array(reply, 4);
        reply_bulk(reply, rule->key);
    } else {
        reply_bulk(reply, rule->key);
        reply_array(reply, 3);
    }
    reply_int(reply, rule->width_ms);
    reply_status(reply, name);
    reply_int(reply, rule->align_ms);
}

void reply_rules(struct call *call, const struct series *series)
{
    struct yore_error error = {.text = ""};
    struct buffer rules = {0};
    struct series_rule rule;
    size_t count = 0;
    (void)copy_rules(call, series, NULL, &rules, &count, &error); /* what can be told is */
    call->reply->out.is_nomem |= rules.is_nomem;
    struct yore_bytes left = buffer_bytes(&rules);
    count = 0;
    while (series_rule_next(&left, &rule)) {
        count += may_name(call, rule.key) ? 1 : 0;
    }
    if (call->reply->protocol == 2) {
        reply_array(call->reply, count);
    } else {
        reply_map(call->reply, count);
    }
    left = buffer_bytes(&rules);
    while (series_rule_next(&left, &rule)) {
        if (may_name(call, rule.key)) {
            reply_rule(call->reply, &rule);
        }
    }
    buffer_release(&rules);
}
