/* command_series_range.c -- TS.RANGE, and what asks many series by their labels. */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "command/call.h"
#include "command/commands.h"
#include "command/series.h"
#include "command/series_group.h"
#include "command/series_range.h"
#include "command/series_reply.h"
#include "command/series_rule.h"

static bool fail(struct call *call, const char *text)
{
    reply_error(call->reply, "ERR TSDB: %s", text);
    return false;
}

/* ---- one series ---- */

static void range(struct call *call, bool is_backward)
{
    struct yore_error error = {.text = ""};
    struct series_range range;
    struct series series;
    if (!series_range_begin(call, 2, is_backward, &range)) {
        return;
    }
    for (size_t i = 4; i < call->count; i++) {
        int taken = series_range_option(call, &i, &range);
        if (taken == 0) {
            call_syntax(call);
        }
        if (taken != 1) {
            return;
        }
    }
    if (!series_range_check(call, &range)) {
        return;
    }
    enum yore_status st = series_open(call, call->args[1], &series, &error);
    if (st != YORE_OK) {
        series_fail(call, st, &error);
        return;
    }
    (void)series_range_tell(call, &series, &range);
    series_close(&series);
}

void cmd_ts_range(struct call *call)
{
    range(call, false);
}

void cmd_ts_revrange(struct call *call)
{
    range(call, true);
}

/* ---- filters ---- */

struct filter {
    struct yore_bytes label;
    struct yore_bytes values; /* "a,b" without its parentheses, or one value */
    bool is_list;
    bool is_negative;
};

struct filters {
    struct filter items[SERIES_FILTERS_MAX];
    size_t count;
};

static bool take_filter(struct call *call, struct yore_bytes text, struct filters *filters)
{
    const char *equal = memchr(text.data, '=', text.size);
    size_t size = equal != NULL ? (size_t)(equal - (const char *)text.data) : 0;
    if (filters->count == SERIES_FILTERS_MAX) {
        return fail(call, "too many filters");
    }
    struct filter *filter = &filters->items[filters->count];
    filter->is_negative = size > 0 && equal[-1] == '!';
    filter->label = bytes_of(text.data, size - (filter->is_negative ? 1 : 0));
    if (equal == NULL || filter->label.size == 0) {
        return fail(call, "failed parsing labels");
    }
    struct yore_bytes values = bytes_behind(text, size + 1);
    const char *at = values.data;
    filter->is_list = values.size >= 2 && at[0] == '(' && at[values.size - 1] == ')';
    filter->values = filter->is_list ? bytes_of(at + 1, values.size - 2) : values;
    filters->count++;
    return true;
}

/* Filters from args[first] up to one of the words, or the end. */
static bool take_filters(struct call *call, size_t *at, struct filters *filters)
{
    bool is_any_positive = false;
    while (*at + 1 < call->count && !call_is(call, *at + 1, "groupby")) {
        if (!take_filter(call, call->args[++*at], filters)) {
            return false;
        }
        const struct filter *last = &filters->items[filters->count - 1];
        is_any_positive |= !last->is_negative && last->values.size > 0;
    }
    return is_any_positive || fail(call, "please provide at least one matcher");
}

/* Is `value` one of the filter's? */
static bool is_among(const struct filter *filter, struct yore_bytes value)
{
    struct yore_bytes left = filter->values;
    if (!filter->is_list) {
        return bytes_equal(left, value);
    }
    for (;;) {
        const char *comma = left.size > 0 ? memchr(left.data, ',', left.size) : NULL;
        size_t size = comma != NULL ? (size_t)(comma - (const char *)left.data) : left.size;
        if (bytes_equal(bytes_of(left.data, size), value)) {
            return true;
        }
        if (comma == NULL) {
            return false;
        }
        left = bytes_behind(left, size + 1);
    }
}

/* "l=v", "l!=v"; a missing label is an empty value. */
static bool filter_passes(const struct filter *filter, const struct series_meta *meta)
{
    struct yore_bytes left = meta->labels;
    struct yore_bytes name;
    struct yore_bytes value;
    while (series_label(&left, &name, &value)) {
        if (bytes_equal(name, filter->label)) {
            return is_among(filter, value) != filter->is_negative;
        }
    }
    return (filter->values.size == 0) != filter->is_negative;
}

static bool passes(const struct filters *filters, const struct series_meta *meta)
{
    for (size_t i = 0; i < filters->count; i++) {
        if (!filter_passes(&filters->items[i], meta)) {
            return false;
        }
    }
    return true;
}

/* ---- many series ---- */

struct found {
    struct found *next;
    struct yore_bytes key;
};

struct findings {
    struct arena memory;
    struct found *first;
    struct found **last;
    size_t count;
};

static enum yore_status keep(struct findings *findings, struct yore_bytes key,
                             struct yore_error *error)
{
    struct found *found = arena_alloc(&findings->memory, sizeof *found);
    void *copy = found != NULL ? arena_copy(&findings->memory, key.data, key.size) : NULL;
    if (copy == NULL) {
        return error_plain(error, YORE_NOMEM);
    }
    *found = (struct found){NULL, bytes_of(copy, key.size)};
    *findings->last = found;
    findings->last = &found->next;
    findings->count++;
    return atomic_load(&findings->memory.bytes) <= SERIES_FOUND_BYTES_MAX
               ? YORE_OK
               : error_set(error, YORE_TOO_BIG, "the names of the series take more than %u bytes",
                           SERIES_FOUND_BYTES_MAX);
}

/* Keep the key of an index row if it is a series that passes. */
static enum yore_status look_at(struct call *call, const struct filters *filters,
                                struct yore_bytes key, struct findings *findings,
                                struct yore_error *error)
{
    struct series series;
    if (!acl_rules_allow_key(call->client->rules, call->command, key, KEY_READ)) {
        return YORE_OK;
    }
    enum yore_status st = series_open(call, key, &series, error);
    if (st == YORE_OK && passes(filters, &series.meta)) {
        st = keep(findings, key, error);
    }
    series_close(&series);
    return st == YORE_NOT_FOUND || st == YORE_INVALID || st == YORE_ERASED ? YORE_OK : st;
}

static enum yore_status find(struct call *call, const struct filters *filters,
                             struct findings *findings, struct yore_error *error)
{
    struct yore_cursor *cursor = NULL;
    struct yore_keyspace *keyspace = series_keyspace(call->access, call_database(call));
    struct yore_cursor_options options = {
        .range = {.prefix = bytes_of("i", 1)}, .at = call->access->at, .keys_only = true};
    *findings = (struct findings){.last = NULL};
    findings->last = &findings->first;
    if (keyspace == NULL) {
        return YORE_OK;
    }
    enum yore_status st = yore_cursor_open(call->server->db, keyspace, &options, &cursor, error);
    while (st == YORE_OK && (st = yore_cursor_next(cursor)) == YORE_OK) {
        st = look_at(call, filters, bytes_behind(yore_cursor_row(cursor)->key, 1), findings, error);
    }
    yore_cursor_close(cursor);
    return st == YORE_NOT_FOUND ? YORE_OK : st;
}

/* Find, or reply why not. */
static bool find_or_fail(struct call *call, const struct filters *filters,
                         struct findings *findings)
{
    struct yore_error error = {.text = ""};
    enum yore_status st = find(call, filters, findings, &error);
    if (st != YORE_OK) {
        arena_release(&findings->memory);
        call_fail(call, st, &error);
    }
    return st == YORE_OK;
}

void cmd_ts_queryindex(struct call *call)
{
    struct filters filters = {.count = 0};
    struct findings findings;
    size_t at = 0;
    if (!take_filters(call, &at, &filters) || !find_or_fail(call, &filters, &findings)) {
        return;
    }
    reply_set(call->reply, findings.count);
    for (const struct found *found = findings.first; found != NULL; found = found->next) {
        reply_bulk(call->reply, found->key);
    }
    arena_release(&findings.memory);
}

/* ---- labels in replies ---- */

struct labels_wanted {
    bool is_all;
    size_t first; /* SELECTED_LABELS: args[first..first + count) */
    size_t count;
};

/* Take WITHLABELS or SELECTED_LABELS at *at; false: it is neither. */
static bool take_labels_wanted(struct call *call, size_t *at, struct labels_wanted *wanted)
{
    if (call_is(call, *at, "withlabels")) {
        wanted->is_all = true;
        return true;
    }
    if (!call_is(call, *at, "selected_labels")) {
        return false;
    }
    wanted->first = *at + 1;
    while (*at + 1 < call->count && !call_is(call, *at + 1, "filter")) {
        ++*at;
        wanted->count++;
    }
    return true;
}

static void tell_labels(struct call *call, const struct labels_wanted *wanted,
                        const struct series_meta *meta)
{
    struct reply *reply = call->reply;
    static const struct series_meta none;
    if (wanted->count == 0) {
        reply_labels(reply, wanted->is_all ? meta : &none);
        return;
    }
    if (reply->protocol == 2) {
        reply_array(reply, wanted->count);
    } else {
        reply_map(reply, wanted->count);
    }
    for (size_t i = 0; i < wanted->count; i++) {
        if (reply->protocol == 2) {
            reply_array(reply, 2);
        }
        reply_bulk(reply, call->args[wanted->first + i]);
        reply_label_or_null(reply, meta, call->args[wanted->first + i]);
    }
}

/* The head of `count` series: a map by their names in RESP3. */
static void begin_many(struct call *call, size_t count)
{
    if (call->reply->protocol == 2) {
        reply_array(call->reply, count);
    } else {
        reply_map(call->reply, count);
    }
}

/* The head of one of them, of `parts` parts behind its name. */
static void begin_one(struct call *call, struct yore_bytes key, size_t parts)
{
    if (call->reply->protocol == 2) {
        reply_array(call->reply, parts + 1);
        reply_bulk(call->reply, key);
    } else {
        reply_bulk(call->reply, key);
        reply_array(call->reply, parts);
    }
}

/* ---- TS.MGET ---- */

static void tell_last(struct call *call, struct yore_bytes key, const struct labels_wanted *wanted,
                      bool with_latest)
{
    struct yore_error error = {.text = ""};
    struct series series;
    struct sample last;
    static const struct series_meta none;
    enum yore_status st = series_open(call, key, &series, &error);
    begin_one(call, key, 2);
    tell_labels(call, wanted, st == YORE_OK ? &series.meta : &none);
    if (st == YORE_OK) {
        st = with_latest ? series_latest_or_last(call, &series, &last, &error)
                         : series_last(call, &series, &last, &error);
    }
    if (st == YORE_OK) {
        reply_sample(call->reply, last);
    } else if (st == YORE_NOT_FOUND || st == YORE_INVALID) {
        reply_array(call->reply, 0);
    } else {
        call_fail(call, st, &error);
    }
    series_close(&series);
}

void cmd_ts_mget(struct call *call)
{
    struct labels_wanted wanted = {0};
    struct filters filters = {.count = 0};
    struct findings findings;
    bool with_latest = false;
    size_t at = 1;
    for (; at < call->count && !call_is(call, at, "filter"); at++) {
        bool is_latest = call_is(call, at, "latest");
        with_latest |= is_latest;
        if (!is_latest && !take_labels_wanted(call, &at, &wanted)) {
            call_syntax(call);
            return;
        }
    }
    if (at >= call->count) {
        fail(call, "missing FILTER argument");
        return;
    }
    if (!take_filters(call, &at, &filters) || !find_or_fail(call, &filters, &findings)) {
        return;
    }
    begin_many(call, findings.count);
    for (const struct found *found = findings.first; found != NULL; found = found->next) {
        tell_last(call, found->key, &wanted, with_latest);
    }
    arena_release(&findings.memory);
}

/* ---- TS.MRANGE ---- */

struct many_ranges {
    struct series_range range;
    struct labels_wanted wanted;
    struct filters filters;
    bool is_grouped;
    struct yore_bytes group; /* the label whose values make groups ... */
    enum aggregate reducer;  /* ... and what becomes of samples of one time in one */
};

/* GROUPBY label REDUCE reducer, at *at. */
static bool take_group(struct call *call, size_t *at, struct many_ranges *many)
{
    if (*at + 3 >= call->count || !call_is(call, *at + 2, "reduce")) {
        return fail(call, "GROUPBY takes a label, REDUCE and a reducer");
    }
    many->is_grouped = true;
    many->group = call->args[*at + 1];
    *at += 3;
    return (aggregate_find(call->args[*at], &many->reducer) &&
            series_group_reduces(many->reducer)) ||
           fail(call, "Invalid reducer type: avg, sum, min, max, range, count, std.p, std.s, var.p "
                      "and var.s are");
}

static bool take_many(struct call *call, bool is_backward, struct many_ranges *many)
{
    bool has_filter = false;
    if (!series_range_begin(call, 1, is_backward, &many->range)) {
        return false;
    }
    for (size_t at = 3; at < call->count; at++) {
        int taken = series_range_option(call, &at, &many->range);
        if (taken < 0) {
            return false;
        }
        if (taken == 1 || take_labels_wanted(call, &at, &many->wanted)) {
            continue;
        }
        if (has_filter && !many->is_grouped && call_is(call, at, "groupby")) {
            if (!take_group(call, &at, many)) {
                return false;
            }
            continue;
        }
        if (!call_is(call, at, "filter")) {
            call_syntax(call);
            return false;
        }
        has_filter = true;
        if (!take_filters(call, &at, &many->filters)) {
            return false;
        }
    }
    return (has_filter || fail(call, "missing FILTER argument")) &&
           series_range_check(call, &many->range);
}

static bool tell_range(struct call *call, struct yore_bytes key, const struct many_ranges *many)
{
    struct yore_error error = {.text = ""};
    struct series series;
    static const struct series_meta none;
    bool is_three = call->reply->protocol != 2;
    enum yore_status st = series_open(call, key, &series, &error);
    bool goes_on = true;
    begin_one(call, key, is_three ? 3 : 2);
    tell_labels(call, &many->wanted, st == YORE_OK ? &series.meta : &none);
    if (is_three) {
        bool has_any = many->range.aggregate != AGGREGATE_NONE;
        reply_map(call->reply, 1);
        reply_text(call->reply, "aggregators");
        reply_array(call->reply, has_any ? 1 : 0);
        if (has_any) {
            reply_text(call->reply, aggregate_name(many->range.aggregate));
        }
    }
    if (st == YORE_OK) {
        goes_on = series_range_tell(call, &series, &many->range);
    } else {
        reply_array(call->reply, 0);
    }
    series_close(&series);
    return goes_on;
}

static void tell_each(struct call *call, const struct many_ranges *many,
                      const struct findings *findings)
{
    const struct found *found = findings->first;
    begin_many(call, findings->count);
    while (found != NULL && tell_range(call, found->key, many)) {
        found = found->next;
        call->must_close |= found != NULL && !reply_part(call->reply);
    }
}

/* ---- groups ---- */

/* A series with the value that puts it into its group. */
struct member {
    struct yore_bytes value;
    struct yore_bytes key;
    size_t order; /* of the series found */
};

static int by_value(const void *a, const void *b)
{
    const struct member *x = a;
    const struct member *y = b;
    int order = bytes_compare(x->value, y->value);
    return order != 0 ? order : (x->order > y->order) - (x->order < y->order);
}

/* The value of a label, in the arena; data NULL: the series has no such label. */
static enum yore_status value_of(struct call *call, struct yore_bytes key, struct yore_bytes label,
                                 struct arena *memory, struct yore_bytes *value_out,
                                 struct yore_error *error)
{
    struct series series;
    struct yore_bytes name;
    struct yore_bytes value;
    *value_out = bytes_of(NULL, 0);
    enum yore_status st = series_open(call, key, &series, error);
    struct yore_bytes left = st == YORE_OK ? series.meta.labels : bytes_of(NULL, 0);
    while (st == YORE_OK && value_out->data == NULL && series_label(&left, &name, &value)) {
        if (bytes_equal(name, label)) {
            *value_out = bytes_of(arena_copy(memory, value.data, value.size), value.size);
            st = value_out->data != NULL ? YORE_OK : error_plain(error, YORE_NOMEM);
        }
    }
    series_close(&series);
    return st == YORE_NOT_FOUND || st == YORE_INVALID ? YORE_OK : st;
}

/* The series that have the label, sorted into their groups. */
static enum yore_status sort_members(struct call *call, const struct many_ranges *many,
                                     struct findings *findings, struct member **members_out,
                                     size_t *count_out, struct yore_error *error)
{
    size_t count = 0;
    enum yore_status st = YORE_OK;
    struct member *members =
        arena_alloc(&findings->memory, (findings->count + 1) * sizeof(*members));
    if (members == NULL) {
        return error_plain(error, YORE_NOMEM);
    }
    for (const struct found *at = findings->first; at != NULL && st == YORE_OK; at = at->next) {
        struct member member = {.key = at->key, .order = count};
        st = value_of(call, at->key, many->group, &findings->memory, &member.value, error);
        if (member.value.data != NULL) {
            members[count++] = member;
        }
    }
    if (count > 1) {
        qsort(members, count, sizeof(*members), by_value);
    }
    *members_out = members;
    *count_out = count;
    return st;
}

/* "a,b": the names of a group's series. */
static void join_sources(const struct member *members, size_t count, struct buffer *out)
{
    for (size_t i = 0; i < count; i++) {
        buffer_append(out, ",", i > 0 ? 1 : 0);
        buffer_append_bytes(out, members[i].key);
    }
}

/* What RESP3 tells beside the labels, and RESP2 among them. */
static void tell_origin(struct call *call, const struct many_ranges *many,
                        const struct member *members, size_t count)
{
    struct reply *reply = call->reply;
    reply_map(reply, 1);
    reply_text(reply, "reducers");
    reply_array(reply, 1);
    reply_text(reply, aggregate_name(many->reducer));
    reply_map(reply, 1);
    reply_text(reply, "sources");
    reply_array(reply, count);
    for (size_t i = 0; i < count; i++) {
        reply_bulk(reply, members[i].key);
    }
}

static void tell_group_labels(struct call *call, const struct many_ranges *many,
                              const struct member *members, size_t count)
{
    struct buffer labels = {0};
    struct buffer sources = {0};
    struct series_meta meta = {.label_count = 1};
    series_label_append(&labels, many->group, members[0].value);
    if (call->reply->protocol == 2) {
        join_sources(members, count, &sources);
        series_label_append(&labels, args_text("__reducer__"),
                            args_text(aggregate_name(many->reducer)));
        series_label_append(&labels, args_text("__source__"), buffer_bytes(&sources));
        meta.label_count = 3;
    }
    call->reply->out.is_nomem |= labels.is_nomem || sources.is_nomem;
    meta.labels = buffer_bytes(&labels);
    tell_labels(call, &many->wanted, &meta);
    buffer_release(&labels);
    buffer_release(&sources);
}

static enum yore_status reduce(struct call *call, const struct many_ranges *many,
                               const struct member *members, size_t count,
                               struct series_group *group, struct yore_error *error)
{
    enum yore_status st = YORE_OK;
    series_group_clear(group);
    for (size_t i = 0; i < count && st == YORE_OK; i++) {
        struct series series;
        st = series_open(call, members[i].key, &series, error);
        if (st == YORE_OK) {
            st = series_group_add(group, call, &series, &many->range, error);
        }
        series_close(&series);
        st = st == YORE_NOT_FOUND || st == YORE_INVALID ? YORE_OK : st; /* it went meanwhile */
    }
    return st;
}

/* False: the connection is gone. */
static bool tell_group(struct call *call, const struct many_ranges *many,
                       const struct member *members, size_t count, struct series_group *group)
{
    struct yore_error error = {.text = ""};
    struct buffer name = {0};
    buffer_append_bytes(&name, many->group);
    buffer_append(&name, "=", 1);
    buffer_append_bytes(&name, members[0].value);
    call->reply->out.is_nomem |= name.is_nomem;
    begin_one(call, buffer_bytes(&name), call->reply->protocol != 2 ? 4 : 2);
    buffer_release(&name);
    tell_group_labels(call, many, members, count);
    if (call->reply->protocol != 2) {
        tell_origin(call, many, members, count);
    }
    enum yore_status st = reduce(call, many, members, count, group, &error);
    if (st != YORE_OK) {
        call_fail(call, st, &error);
        return true;
    }
    size_t rows = group->rows.count;
    rows = (int64_t)rows < many->range.count ? rows : (size_t)many->range.count;
    reply_array(call->reply, rows);
    for (size_t i = 0; i < rows && !call->reply->is_gone; i++) {
        const struct group_row *row = &group->rows.items[i];
        reply_sample(call->reply,
                     (struct sample){row->ms, tally_result(&row->tally, many->reducer)});
        call->must_close |= !reply_part(call->reply);
    }
    return !call->reply->is_gone;
}

static size_t size_of_group(const struct member *members, size_t count)
{
    size_t size = 1;
    while (size < count && bytes_equal(members[size].value, members[0].value)) {
        size++;
    }
    return size;
}

static void tell_groups(struct call *call, const struct many_ranges *many,
                        struct findings *findings)
{
    struct yore_error error = {.text = ""};
    struct series_group group = {.rows = {NULL, 0, 0}};
    struct member *members = NULL;
    size_t count = 0;
    size_t groups = 0;
    enum yore_status st = sort_members(call, many, findings, &members, &count, &error);
    if (st != YORE_OK) {
        call_fail(call, st, &error);
        return;
    }
    for (size_t at = 0; at < count; at += size_of_group(members + at, count - at)) {
        groups++;
    }
    begin_many(call, groups);
    size_t size = 0;
    for (size_t at = 0; at < count; at += size) {
        size = size_of_group(members + at, count - at);
        if (!tell_group(call, many, members + at, size, &group)) {
            break;
        }
    }
    series_group_release(&group);
}

/* ---- the commands ---- */

static void many_ranges(struct call *call, bool is_backward)
{
    struct many_ranges many = {.wanted = {0}, .filters = {.count = 0}};
    struct findings findings;
    if (!take_many(call, is_backward, &many) || !find_or_fail(call, &many.filters, &findings)) {
        return;
    }
    if (many.is_grouped) {
        tell_groups(call, &many, &findings);
    } else {
        tell_each(call, &many, &findings);
    }
    arena_release(&findings.memory);
}

void cmd_ts_mrange(struct call *call)
{
    many_ranges(call, false);
}

void cmd_ts_mrevrange(struct call *call)
{
    many_ranges(call, true);
}
