/* Graph events in nine columns (tests/golden or docs: man yore, "import").
 *
 * A change names only the properties it sets, so the state before it is needed: from this
 * transaction if it has touched the element already, else from the database as of the event's time.
 * That makes an import resumable, and a second import of the same file writes the same states
 * again.
 */
#include <string.h>

#include "base/checked.h"
#include "cli/element.h"
#include "cli/import_internal.h"
#include "cli/key_map.h"
#include "cli/store.h"

#define EVENT_COLUMNS 9
#define NS_PER_MS INT64_C(1000000)

enum event_column {
    EVENT_TIME,
    EVENT_TRANSACTION,
    EVENT_OPERATION,
    EVENT_KIND,
    EVENT_ID,
    EVENT_TYPE,
    EVENT_SOURCE,
    EVENT_TARGET,
    EVENT_PROPERTIES
};

struct event {
    struct yore_bytes columns[EVENT_COLUMNS];
    int64_t time_ns;
    uint64_t transaction;
    char operation;
    bool is_edge;
};

struct event_import {
    struct import_sink *sink;
    struct key_map touched; /* elements of the transaction in hand */
    struct buffer key;
    struct buffer state;
    int64_t time_ns;      /* of the transaction in hand */
    uint64_t transaction; /* 0: none yet */
};

static bool split_columns(struct yore_bytes line, struct event *event)
{
    const char *at = line.data;
    const char *end = line.size > 0 ? at + line.size : at;
    size_t i = 0;
    for (;; i++) {
        const char *tab = at < end ? memchr(at, '\t', (size_t)(end - at)) : NULL;
        const char *column_end = tab != NULL ? tab : end;
        if (i >= EVENT_COLUMNS) {
            return false;
        }
        event->columns[i] = bytes_of(at, (size_t)(column_end - at));
        if (tab == NULL) {
            return i + 1 == EVENT_COLUMNS;
        }
        at = tab + 1;
    }
}

/* A decimal number with an optional sign that fits. */
static bool parse_integer(struct yore_bytes text, int64_t *value_out)
{
    const char *at = text.data;
    bool is_negative = text.size > 0 && at[0] == '-';
    size_t i = is_negative ? 1 : 0;
    int64_t value = 0;
    if (i == text.size) {
        return false;
    }
    for (; i < text.size; i++) {
        if (at[i] < '0' || at[i] > '9' || !checked_mul_i64(value, 10, &value) ||
            !checked_add_i64(value, is_negative ? '0' - at[i] : at[i] - '0', &value)) {
            return false;
        }
    }
    *value_out = value;
    return true;
}

static bool is_letter(struct yore_bytes text, const char *letters)
{
    return text.size == 1 && *(const char *)text.data != '\0' &&
           strchr(letters, *(const char *)text.data) != NULL;
}

static enum yore_status parse_event(const struct import_sink *sink, struct yore_bytes line,
                                    struct event *event, struct yore_error *error_out)
{
    int64_t number;
    const struct yore_bytes *columns = event->columns;
    if (!split_columns(line, event)) {
        return import_refuse(sink, error_out, "an event has nine columns, separated by tabs");
    }
    if (!parse_integer(columns[EVENT_TIME], &number) ||
        !checked_mul_i64(number, NS_PER_MS, &event->time_ns)) {
        return import_refuse(sink, error_out, "column 1: not a time in milliseconds since 1970");
    }
    if (!parse_integer(columns[EVENT_TRANSACTION], &number) || number < 1) {
        return import_refuse(sink, error_out, "column 2: not a transaction number");
    }
    event->transaction = (uint64_t)number;
    if (!is_letter(columns[EVENT_OPERATION], "+~-")) {
        return import_refuse(sink, error_out, "column 3: not one of + ~ -");
    }
    event->operation = *(const char *)columns[EVENT_OPERATION].data;
    if (!is_letter(columns[EVENT_KIND], "ne")) {
        return import_refuse(sink, error_out, "column 4: not n (node) or e (edge)");
    }
    event->is_edge = *(const char *)columns[EVENT_KIND].data == 'e';
    return columns[EVENT_ID].size > 0 ? YORE_OK
                                      : import_refuse(sink, error_out, "column 5: the id is empty");
}

/* Commit what came before when the event belongs to another transaction. */
static enum yore_status enter_transaction(struct event_import *import, const struct event *event,
                                          struct yore_error *error_out)
{
    struct import_sink *sink = import->sink;
    if (event->transaction == import->transaction) {
        return event->time_ns == import->time_ns
                   ? YORE_OK
                   : import_refuse(sink, error_out, "transaction %llu has two times",
                                   (unsigned long long)event->transaction);
    }
    if (import->transaction != 0 &&
        (event->transaction < import->transaction || event->time_ns <= import->time_ns)) {
        return import_refuse(
            sink, error_out,
            "transaction %llu does not come after transaction %llu in number and time",
            (unsigned long long)event->transaction, (unsigned long long)import->transaction);
    }
    import->transaction = event->transaction;
    import->time_ns = event->time_ns;
    key_map_clear(&import->touched);
    return import_sink_commit(sink, error_out);
}

/* Append the element's state to `before`; YORE_NOT_FOUND when it does not live. */
static enum yore_status state_before(struct event_import *import, const struct event *event,
                                     struct buffer *before, struct yore_error *error_out)
{
    struct yore_bytes known;
    struct store_value value;
    const struct import_options *options = import->sink->options;
    struct yore_time at = {options->dates_by_commit ? YORE_NOW : event->time_ns, YORE_NOW};
    if (key_map_get(&import->touched, buffer_bytes(&import->key), &known)) {
        if (known.data == NULL) {
            return YORE_NOT_FOUND;
        }
        buffer_append_bytes(before, known);
        return buffer_status(before);
    }
    enum yore_status st = store_get(import->sink->store, options->keyspace,
                                    buffer_bytes(&import->key), &at, &value, error_out);
    if (st == YORE_OK) {
        buffer_append(before, value.value.data, value.value.size);
        store_value_release(&value);
        st = buffer_status(before);
    }
    return st;
}

static enum yore_status change_state(struct event_import *import, const struct event *event,
                                     struct yore_error *error_out)
{
    struct buffer before = {0};
    char name[KEY_TEXT_BYTES];
    enum yore_status st = state_before(import, event, &before, error_out);
    if (st == YORE_NOT_FOUND) {
        st = import_refuse(import->sink, error_out,
                           "a change of %s, which does not exist at that time",
                           key_text(buffer_bytes(&import->key), name));
    } else if (st == YORE_OK) {
        const char *problem =
            element_change(buffer_bytes(&before), event->columns[EVENT_PROPERTIES], &import->state);
        if (problem != NULL) {
            st = import_refuse(import->sink, error_out, "%s", problem);
        }
    }
    buffer_release(&before);
    return st;
}

static enum yore_status create_state(struct event_import *import, const struct event *event,
                                     struct yore_error *error_out)
{
    const struct element element = {.is_edge = event->is_edge,
                                    .type = event->columns[EVENT_TYPE],
                                    .source = event->columns[EVENT_SOURCE],
                                    .target = event->columns[EVENT_TARGET],
                                    .properties = event->columns[EVENT_PROPERTIES]};
    const char *problem = element_create(&element, &import->state);
    return problem == NULL ? YORE_OK : import_refuse(import->sink, error_out, "%s", problem);
}

static enum yore_status apply_event(struct event_import *import, const struct event *event,
                                    struct yore_error *error_out)
{
    bool is_removal = event->operation == '-';
    enum yore_status st = YORE_OK;
    buffer_clear(&import->key);
    buffer_append(&import->key, event->is_edge ? "e/" : "n/", 2);
    buffer_append_bytes(&import->key, event->columns[EVENT_ID]);
    buffer_clear(&import->state);
    if (event->operation == '+') {
        st = create_state(import, event, error_out);
    } else if (event->operation == '~') {
        st = change_state(import, event, error_out);
    }
    if (st != YORE_OK) {
        return st;
    }
    struct import_write write = {.key = buffer_bytes(&import->key),
                                 .value = buffer_bytes(&import->state),
                                 .from = event->time_ns,
                                 .to = YORE_FOREVER,
                                 .is_delete = is_removal};
    bool is_kept =
        key_map_put(&import->touched, write.key, is_removal ? bytes_of(NULL, 0) : write.value);
    if (!is_kept || import->key.is_nomem || import->state.is_nomem) {
        return error_plain(error_out, YORE_NOMEM);
    }
    return import_sink_write(import->sink, &write, error_out);
}

enum yore_status import_events(struct import_sink *sink, struct yore_error *error_out)
{
    struct event_import import = {.sink = sink};
    struct event event;
    struct yore_bytes line;
    enum yore_status st;
    for (;;) {
        st = line_source_next(sink->source, &line, error_out);
        if (st != YORE_OK) {
            break;
        }
        st = parse_event(sink, line, &event, error_out);
        if (st == YORE_OK) {
            st = enter_transaction(&import, &event, error_out);
        }
        if (st == YORE_OK) {
            st = apply_event(&import, &event, error_out);
        }
        if (st != YORE_OK) {
            break;
        }
    }
    key_map_release(&import.touched);
    buffer_release(&import.key);
    buffer_release(&import.state);
    return st == YORE_NOT_FOUND ? YORE_OK : st;
}
