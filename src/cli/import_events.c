/* Graph events in nine columns (tests/golden or docs: man yore, "import").
 *
 * A change names only the properties it sets, so the state before it is needed: from this
 * transaction if it has touched the element already, else from the database as of the event's time.
 * That makes an import resumable, and a second import of the same file writes the same states
 * again.
 */
#include "cli/element.h"
#include "cli/import_internal.h"
#include "cli/key_map.h"
#include "cli/store.h"
#include "topology/event_line.h"

struct event_import {
    struct import_sink *sink;
    struct key_map touched; /* elements of the transaction in hand */
    struct buffer key;
    struct buffer state;
    int64_t time;         /* of the transaction in hand */
    uint64_t transaction; /* 0: none yet */
};

/* Commit what came before when the event belongs to another transaction. */
static enum yore_status enter_transaction(struct event_import *import,
                                          const struct event_line *event,
                                          struct yore_error *error_out)
{
    struct import_sink *sink = import->sink;
    if (event->transaction == import->transaction) {
        return event->time == import->time
                   ? YORE_OK
                   : import_refuse(sink, error_out, "transaction %llu has two times",
                                   (unsigned long long)event->transaction);
    }
    if (import->transaction != 0 &&
        (event->transaction < import->transaction || event->time <= import->time)) {
        return import_refuse(
            sink, error_out,
            "transaction %llu does not come after transaction %llu in number and time",
            (unsigned long long)event->transaction, (unsigned long long)import->transaction);
    }
    import->transaction = event->transaction;
    import->time = event->time;
    key_map_clear(&import->touched);
    return import_sink_commit(sink, error_out);
}

/* Append the element's state to `before`; YORE_NOT_FOUND when it does not live. */
static enum yore_status state_before(struct event_import *import, const struct event_line *event,
                                     struct buffer *before, struct yore_error *error_out)
{
    struct yore_bytes known;
    struct store_value value;
    const struct import_options *options = import->sink->options;
    struct yore_time at = {options->dates_by_commit ? YORE_NOW : event->time, YORE_NOW};
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

static enum yore_status change_state(struct event_import *import, const struct event_line *event,
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
            element_change(buffer_bytes(&before), event->properties, &import->state);
        if (problem != NULL) {
            st = import_refuse(import->sink, error_out, "%s", problem);
        }
    }
    buffer_release(&before);
    return st;
}

static enum yore_status create_state(struct event_import *import, const struct event_line *event,
                                     struct yore_error *error_out)
{
    const struct element element = {.is_edge = event->element == GRAPH_RELATIONSHIP,
                                    .type = event->type,
                                    .source = event->source,
                                    .target = event->target,
                                    .properties = event->properties};
    const char *problem = element_create(&element, &import->state);
    return problem == NULL ? YORE_OK : import_refuse(import->sink, error_out, "%s", problem);
}

static enum yore_status apply_event(struct event_import *import, const struct event_line *event,
                                    struct yore_error *error_out)
{
    bool is_removal = event->operation == '-';
    enum yore_status st = YORE_OK;
    buffer_clear(&import->key);
    buffer_append(&import->key, event->element == GRAPH_RELATIONSHIP ? "e/" : "n/", 2);
    buffer_append_bytes(&import->key, event->id);
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
                                 .from = event->time,
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
    struct event_line event;
    struct yore_bytes line;
    enum yore_status st;
    for (;;) {
        st = line_source_next(sink->source, &line, error_out);
        if (st != YORE_OK) {
            break;
        }
        const char *problem = event_line_parse(line, &event);
        st = problem != NULL ? import_refuse(sink, error_out, "%s", problem) : YORE_OK;
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
