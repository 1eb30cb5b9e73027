#include "bolt/result.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "bolt/frame.h"
#include "bolt/message.h"
#include "topology/graph_pool.h"

#define RESULT_CHUNK_BYTES 4096u

struct bolt_result *result_new(struct arena *arena)
{
    struct bolt_result *result = mem_zalloc(sizeof(*result));
    if (result != NULL) {
        result->arena = *arena;
        arena_init(arena, RESULT_CHUNK_BYTES);
    }
    return result;
}

void result_free(struct bolt_result *result)
{
    if (result == NULL) {
        return;
    }
    query_result_close(result->rows);
    query_free(result->query);
    if (result->graph != NULL) {
        graph_pool_put(result->graphs, result->graph);
    }
    arena_release(&result->arena);
    mem_free(result);
}

size_t result_bytes(const struct bolt_result *result)
{
    return atomic_load_explicit(&result->arena.bytes, memory_order_relaxed);
}

enum yore_status result_set_parameters(struct bolt_result *result,
                                       const struct yore_graph_map *parameters)
{
    struct query_parameter *items =
        arena_alloc(&result->arena, (parameters->count + 1) * sizeof(*items));
    if (items == NULL) {
        return YORE_NOMEM;
    }
    for (size_t i = 0; i < parameters->count; i++) {
        items[i] =
            (struct query_parameter){parameters->entries[i].name, parameters->entries[i].value};
    }
    result->options.parameters = items;
    result->options.parameter_count = parameters->count;
    return YORE_OK;
}

enum yore_status result_run(struct bolt_result *result, struct graph *graph,
                            struct query_error *error_out)
{
    bool is_alone = result->options.txn == NULL && query_writes(result->query);
    enum yore_status st = YORE_CONFLICT;
    for (unsigned round = 0; st == YORE_CONFLICT && round < BOLT_CONFLICT_ROUNDS_MAX; round++) {
        st = query_run(result->query, graph, &result->options, &result->rows, error_out);
        if (!is_alone) {
            break;
        }
    }
    return st;
}

void result_resume(struct bolt_result *result, int64_t now_ns)
{
    if (now_ns > result->rested_ns && !result->is_timed) {
        query_result_excuse(result->rows, (uint64_t)(now_ns - result->rested_ns));
    }
}

enum yore_status result_next(struct bolt_result *result, const struct yore_graph_value **row_out,
                             struct query_error *error_out)
{
    *row_out = result->pending;
    result->pending = NULL;
    if (*row_out != NULL) {
        return YORE_OK;
    }
    enum yore_status st =
        result->is_at_end ? YORE_NOT_FOUND : query_next(result->rows, row_out, error_out);
    result->is_at_end = st != YORE_OK;
    return st;
}

enum yore_status result_peek(struct bolt_result *result, bool *has_more_out,
                             struct query_error *error_out)
{
    const struct yore_graph_value *row = NULL;
    enum yore_status st = result_next(result, &row, error_out);
    result->pending = row;
    *has_more_out = st == YORE_OK;
    return st == YORE_NOT_FOUND ? YORE_OK : st;
}

/* ---- telling ----------------------------------------------------------------------------------
 */

static int64_t milliseconds(int64_t from_ns, int64_t to_ns)
{
    return to_ns > from_ns ? (to_ns - from_ns) / 1000000 : 0;
}

enum yore_status result_put_record(const struct bolt_result *result, struct buffer *to,
                                   const struct pack_dialect *dialect, struct arena *scratch,
                                   const struct yore_graph_value *row)
{
    size_t count = query_column_count(result->rows);
    size_t begin = frame_begin(to);
    enum yore_status st = YORE_OK;
    pack_structure(to, 1, BOLT_RECORD);
    pack_list(to, count);
    for (size_t i = 0; st == YORE_OK && i < count; i++) {
        st = pack_value(to, dialect, scratch, &row[i]);
    }
    arena_reset(scratch);
    if (st != YORE_OK) {
        to->size = begin < to->size ? begin : to->size;
        return st;
    }
    frame_end(to, begin);
    return YORE_OK;
}

void result_put_begin(const struct bolt_result *result, struct buffer *to, int64_t now_ns,
                      bool tells_id)
{
    size_t count = query_column_count(result->rows);
    size_t begin = frame_begin(to);
    pack_structure(to, 1, BOLT_SUCCESS);
    pack_map(to, tells_id ? 3 : 2);
    pack_text(to, "fields");
    pack_list(to, count);
    for (size_t i = 0; i < count; i++) {
        pack_string(to, query_column_name(result->rows, i));
    }
    pack_text(to, "t_first");
    pack_int(to, milliseconds(result->begun_ns, now_ns));
    if (tells_id) {
        pack_text(to, "qid");
        pack_int(to, result->id);
    }
    frame_end(to, begin);
}

struct figure {
    const char *name;
    uint64_t value;
};

static void put_stats(struct buffer *to, const struct query_summary *summary)
{
    const struct figure figures[] = {
        {"nodes-created", summary->nodes_created},
        {"nodes-deleted", summary->nodes_deleted},
        {"relationships-created", summary->relationships_created},
        {"relationships-deleted", summary->relationships_deleted},
        {"properties-set", summary->properties_set},
        {"labels-added", summary->labels_added},
        {"labels-removed", summary->labels_removed},
        {"indexes-added", summary->indexes_added},
        {"indexes-removed", summary->indexes_removed},
        {"constraints-added", summary->constraints_added},
        {"constraints-removed", summary->constraints_removed},
    };
    size_t total = sizeof(figures) / sizeof(figures[0]);
    size_t count = 0;
    for (size_t i = 0; i < total; i++) {
        count += figures[i].value > 0 ? 1 : 0;
    }
    pack_text(to, "stats");
    pack_map(to, count > 0 ? count + 1 : 0);
    for (size_t i = 0; i < total; i++) {
        if (figures[i].value > 0) {
            pack_text(to, figures[i].name);
            pack_int(to, (int64_t)figures[i].value);
        }
    }
    if (count > 0) {
        pack_text(to, "contains-updates");
        pack_bool(to, true);
    }
}

static const char *type_name(enum query_type type)
{
    static const char *const names[] = {[QUERY_READS] = "r",
                                        [QUERY_WRITES] = "w",
                                        [QUERY_READS_AND_WRITES] = "rw",
                                        [QUERY_SCHEMA] = "s"};
    return names[type];
}

/* ---- notifications ----------------------------------------------------------------------------
 */

static void put_notification(struct buffer *to, const struct query_missing *missing)
{
    const char *kind = missing->is_label ? "label" : "relationship type";
    int size = missing->name.size < 100 ? (int)missing->name.size : 100;
    char text[300];
    pack_map(to, 5);
    pack_text(to, "code");
    pack_text(to, missing->is_label
                      ? "Neo.ClientNotification.Statement.UnknownLabelWarning"
                      : "Neo.ClientNotification.Statement.UnknownRelationshipTypeWarning");
    pack_text(to, "title");
    snprintf(text, sizeof(text), "The %s is not in the graph.", kind);
    pack_text(to, text);
    pack_text(to, "description");
    snprintf(text, sizeof(text),
             "Nothing in this graph ever had the %s %.*s: is the name written right?", kind, size,
             (const char *)missing->name.data);
    pack_text(to, text);
    pack_text(to, "severity");
    pack_text(to, "WARNING");
    pack_text(to, "category");
    pack_text(to, "UNRECOGNIZED");
}

static size_t count_missing(const struct bolt_result *result)
{
    struct query_missing missing;
    size_t count = 0;
    for (size_t at = 0;
         count < BOLT_NOTIFICATIONS_MAX && query_result_missing(result->rows, &at, &missing);) {
        count++;
    }
    return count;
}

static void put_notifications(const struct bolt_result *result, struct buffer *to, size_t count)
{
    struct query_missing missing;
    size_t at = 0;
    pack_text(to, "notifications");
    pack_list(to, count);
    for (size_t i = 0; i < count && query_result_missing(result->rows, &at, &missing); i++) {
        put_notification(to, &missing);
    }
}

/* ---- the end ----------------------------------------------------------------------------------
 */

enum yore_status result_put_end(const struct bolt_result *result, struct buffer *to,
                                const struct pack_dialect *dialect, struct arena *scratch,
                                int64_t now_ns)
{
    struct query_summary summary = query_result_summary(result->rows);
    const struct yore_graph_value *plan = query_result_plan(result->rows);
    enum query_type type = query_type(result->query);
    bool has_bookmark = !result->is_in_txn && !result->place.is_past; /* it is no part of another */
    size_t missing = count_missing(result);
    size_t entries = 3 + (type != QUERY_READS ? 1u : 0u) + (plan != NULL ? 1u : 0u) +
                     (has_bookmark ? 1u : 0u) + (missing > 0 ? 1u : 0u);
    size_t begin = frame_begin(to);
    pack_structure(to, 1, BOLT_SUCCESS);
    pack_map(to, entries);
    pack_text(to, "type");
    pack_text(to, type_name(type));
    pack_text(to, "db");
    pack_string(to, place_text(&result->place));
    pack_text(to, "t_last");
    pack_int(to, milliseconds(result->begun_ns, now_ns));
    if (type != QUERY_READS) {
        put_stats(to, &summary);
    }
    if (has_bookmark) {
        char text[BOOKMARK_TEXT_BYTES];
        pack_text(to, "bookmark");
        pack_text(to,
                  bookmark_format(summary.commit != 0 ? summary.commit : summary.at.known, text));
    }
    if (missing > 0) {
        put_notifications(result, to, missing);
    }
    enum yore_status st = YORE_OK;
    if (plan != NULL) {
        pack_text(to, query_is_profile(result->query) ? "profile" : "plan");
        st = pack_value(to, dialect, scratch, plan);
        arena_reset(scratch);
    }
    if (st != YORE_OK) {
        to->size = begin < to->size ? begin : to->size;
        return st;
    }
    frame_end(to, begin);
    return YORE_OK;
}
