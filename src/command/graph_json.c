/* graph_json.c -- see graph_json.h.  Rows are made when a part of the answer is asked for. */
#include "command/graph_json.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/moment.h"
#include "command/client.h"
#include "command/graph_run.h"
#include "command/limits.h"
#include "command/server.h"
#include "query/json_values.h"
#include "query/map.h"
#include "query/value.h"
#include "query/value_format.h"

struct graph_json {
    struct graph_run run;
    struct graph_run_request request;
    struct arena arena; /* what the request holds */
    bool is_lines;
    bool has_begun;
    bool has_rows;
};

static void append_text(struct buffer *out, const char *text)
{
    buffer_append(out, text, strlen(text));
}

/* ---- JSON as values of the language ---------------------------------------------------------- */

static bool read_value(struct json_values *reader, struct yore_graph_value *value_out);

static bool read_string(struct json_values *reader, struct yore_bytes *text_out)
{
    buffer_clear(&reader->text);
    return json_string(&reader->json, &reader->text) && json_values_take(reader, text_out);
}

/* An integer where it is written as one, else a float. */
static bool read_number(struct json_values *reader, struct yore_graph_value *value_out)
{
    buffer_clear(&reader->text);
    if (!json_copy(&reader->json, &reader->text)) {
        return false;
    }
    buffer_append_u8(&reader->text, '\0');
    if (reader->text.is_nomem) {
        return json_values_nomem(reader);
    }
    const char *text = (const char *)reader->text.data;
    errno = 0;
    if (strpbrk(text, ".eE") == NULL) {
        *value_out = value_int(strtoll(text, NULL, 10));
        return errno == 0 || json_fail(&reader->json, "an integer of 64 bits; larger ones with .0");
    }
    *value_out = value_float(strtod(text, NULL));
    return isfinite(value_out->as.real) || json_fail(&reader->json, "a number that fits 64 bits");
}

static bool read_entry(struct json_values *reader, struct yore_graph_entry *entry)
{
    return read_value(reader, &entry->value);
}

static bool read_map(struct json_values *reader, struct yore_graph_value *value_out)
{
    struct yore_graph_entry *entries = NULL;
    size_t count = 0;
    if (!json_values_entries(reader, read_entry, &entries, &count)) {
        return false;
    }
    if (map_settle(reader->arena, entries, &count) != YORE_OK) {
        return json_values_nomem(reader);
    }
    *value_out = (struct yore_graph_value){.kind = YORE_GRAPH_MAP, .as.map = {entries, count}};
    return true;
}

static bool read_word(struct json_values *reader, struct yore_graph_value value,
                      struct yore_graph_value *value_out)
{
    buffer_clear(&reader->text);
    *value_out = value;
    return json_copy(&reader->json, &reader->text);
}

static bool read_kind(struct json_values *reader, enum json_kind kind,
                      struct yore_graph_value *value_out)
{
    switch (kind) {
    case JSON_STRING:
        *value_out = value_string(bytes_of("", 0));
        return read_string(reader, &value_out->as.string);
    case JSON_NUMBER:
        return read_number(reader, value_out);
    case JSON_ARRAY:
        return json_values_list(reader, read_value, value_out);
    case JSON_OBJECT:
        return read_map(reader, value_out);
    case JSON_NULL:
        return read_word(reader, value_null(), value_out);
    default:
        return read_word(reader, value_bool(kind == JSON_TRUE), value_out);
    }
}

static bool read_value(struct json_values *reader, struct yore_graph_value *value_out)
{
    enum json_kind kind;
    if (reader->depth == GRAPH_JSON_DEPTH_MAX) {
        return json_fail(&reader->json, "values nested no deeper");
    }
    if (!json_peek(&reader->json, &kind)) {
        return false;
    }
    reader->depth++;
    bool is_read = read_kind(reader, kind, value_out);
    reader->depth--;
    return is_read;
}

/* ---- the request ----------------------------------------------------------------------------- */

static bool read_parameters(struct json_values *reader, struct graph_json *json)
{
    struct yore_graph_entry *entries = NULL;
    size_t count = 0;
    if (!json_values_entries(reader, read_entry, &entries, &count)) {
        return false;
    }
    if (count > GRAPH_JSON_PARAMETERS_MAX) {
        return json_fail(&reader->json, "no more than 1000 parameters; a list or a map is one");
    }
    struct query_parameter *parameters =
        arena_alloc(reader->arena, (count + 1) * sizeof(*parameters));
    if (parameters == NULL) {
        return json_values_nomem(reader);
    }
    for (size_t i = 0; i < count; i++) {
        parameters[i] = (struct query_parameter){entries[i].name, entries[i].value};
    }
    json->request.parameters = parameters;
    json->request.parameter_count = count;
    return true;
}

static bool read_moment(struct json_values *reader, int64_t now, int64_t *moment_out)
{
    struct yore_error error;
    struct yore_bytes text;
    if (!read_string(reader, &text)) {
        return false;
    }
    return moment_parse(text, now, moment_out, &error) == YORE_OK ||
           json_fail(&reader->json, "a moment: \"2026-11-21T10:00:00Z\", a date, \"-1h\", \"@1s\"");
}

static bool read_timeout(struct json_values *reader, uint64_t *time_ns_out)
{
    struct yore_graph_value value;
    enum json_kind kind;
    bool is_number = json_peek(&reader->json, &kind) && kind == JSON_NUMBER &&
                     read_number(reader, &value) && value.kind == YORE_GRAPH_INT;
    if (!is_number || value.as.integer < 1 || value.as.integer > GRAPH_QUERY_TIME_MS_MAX) {
        return json_fail(&reader->json, "milliseconds: 1 to 86400000");
    }
    *time_ns_out = (uint64_t)value.as.integer * 1000000;
    return true;
}

static bool read_flag(struct json_values *reader, bool *flag_out)
{
    struct yore_graph_value value;
    if (!read_value(reader, &value)) {
        return false;
    }
    *flag_out = value.kind == YORE_GRAPH_BOOL && value.as.boolean;
    return value.kind == YORE_GRAPH_BOOL || json_fail(&reader->json, "true or false");
}

static bool read_member(struct json_values *reader, struct graph_json *json, int64_t now)
{
    struct graph_run_request *request = &json->request;
    char name[16] = "";
    if (reader->text.size < sizeof(name)) {
        memcpy(name, reader->text.data, reader->text.size);
    }
    if (strcmp(name, "query") == 0) {
        return read_string(reader, &request->text);
    }
    if (strcmp(name, "parameters") == 0) {
        return read_parameters(reader, json);
    }
    if (strcmp(name, "at") == 0) {
        return read_moment(reader, now, &request->at.valid);
    }
    if (strcmp(name, "known") == 0) {
        return read_moment(reader, now, &request->at.known);
    }
    if (strcmp(name, "timeoutMs") == 0) {
        return read_timeout(reader, &request->time_ns);
    }
    if (strcmp(name, "readOnly") == 0) {
        return read_flag(reader, &request->is_read_only);
    }
    return json_fail(&reader->json,
                     "query, parameters, at, known, timeoutMs or readOnly as a member");
}

static bool read_members(struct json_values *reader, struct graph_json *json, int64_t now)
{
    bool has_member = false;
    if (!json_object_begin(&reader->json)) {
        return false;
    }
    for (;;) {
        buffer_clear(&reader->text);
        if (!json_object_member(&reader->json, &reader->text, &has_member)) {
            return false;
        }
        if (!has_member) {
            break;
        }
        if (reader->text.is_nomem) {
            return json_values_nomem(reader);
        }
        if (!read_member(reader, json, now)) {
            return false;
        }
    }
    return json_end(&reader->json) &&
           (json->request.text.size > 0 || json_fail(&reader->json, "a member query, with text"));
}

static enum yore_status take_moment(struct yore_bytes text, int64_t now, int64_t *moment_out,
                                    struct query_error *error_out)
{
    return text.size == 0 ? YORE_OK : moment_parse(text, now, moment_out, &error_out->error);
}

/* All that is asked; members of the body go before what stands beside it. */
static enum yore_status take_request(struct graph_json *json, const struct client *client,
                                     const struct graph_json_request *asked,
                                     struct query_error *error_out)
{
    struct graph_run_request *request = &json->request;
    int64_t now = yore_now(client->server->db);
    struct json_values reader = {.arena = &json->arena};
    request->at = (struct yore_time){YORE_NOW, YORE_NOW};
    request->graph = asked->graph;
    enum yore_status st = take_moment(asked->at, now, &request->at.valid, error_out);
    if (st == YORE_OK) {
        st = take_moment(asked->known, now, &request->at.known, error_out);
    }
    if (st != YORE_OK) {
        return st;
    }
    json_reader_init(&reader.json, asked->body);
    if (!read_members(&reader, json, now)) {
        st = reader.is_nomem
                 ? error_plain(&error_out->error, YORE_NOMEM)
                 : error_set(&error_out->error, YORE_INVALID, "the body, column %zu: expected %s",
                             json_column(&reader.json), reader.json.problem);
    }
    buffer_release(&reader.text);
    request->may_be_missing = !request->is_read_only;
    return st;
}

/* ---- problems -------------------------------------------------------------------------------- */

static const char *code_of(enum yore_status status, const struct query_error *error)
{
    static const struct {
        enum yore_status status;
        const char *code;
    } codes[] = {{YORE_NOT_FOUND, "no-such-graph"},
                 {YORE_CONFLICT, "conflict"},
                 {YORE_EXISTS, "exists"},
                 {YORE_READ_ONLY, "read-only"},
                 {YORE_TOO_BIG, "over-budget"},
                 {YORE_BEFORE_HORIZON, "before-horizon"},
                 {YORE_IN_FUTURE, "in-future"},
                 {YORE_ERASED, "erased"},
                 {YORE_NOMEM, "out-of-memory"},
                 {YORE_NO_SPACE, "no-space"},
                 {YORE_IO, "writes-stopped"},
                 {YORE_BUSY, "busy"},
                 {YORE_CANCELLED, "cancelled"},
                 {YORE_CORRUPT, "damaged"},
                 {YORE_NO_FILES, "busy"}};
    if (error->type != NULL && strcmp(error->type, "SecurityError") == 0) {
        return "not-permitted";
    }
    if (error->type != NULL) {
        return error->is_compile_time ? "bad-statement" : "statement-failed";
    }
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        if (codes[i].status == status) {
            return codes[i].code;
        }
    }
    return "bad-request";
}

static void tell_problem(struct graph_json_problem *problem, enum yore_status status,
                         const struct query_error *error)
{
    *problem = (struct graph_json_problem){.status = status, .code = code_of(status, error)};
    snprintf(problem->text, sizeof(problem->text), "%s", error->error.text);
    size_t used = 0;
    if (error->type != NULL) {
        used = (size_t)snprintf(problem->more, sizeof(problem->more),
                                ",\"errorType\":\"%s\",\"errorDetail\":\"%s\"", error->type,
                                error->detail != NULL ? error->detail : "");
    }
    if (error->line > 0 && used < sizeof(problem->more)) {
        snprintf(problem->more + used, sizeof(problem->more) - used,
                 ",\"line\":%" PRIu32 ",\"column\":%" PRIu32 ",\"offset\":%" PRIu32, error->line,
                 error->column, error->offset);
    }
}

/* ---- the answer ------------------------------------------------------------------------------ */

static void append_columns(const struct graph_json *json, struct buffer *out)
{
    size_t count = query_column_count(json->run.result);
    append_text(out, "{\"columns\":[");
    for (size_t i = 0; i < count; i++) {
        append_text(out, i > 0 ? "," : "");
        json_append_string(out, query_column_name(json->run.result, i));
    }
    append_text(out, json->is_lines ? "]}\n" : "],\n\"rows\":[");
}

static void append_row(const struct graph_json *json, const struct yore_graph_value *row,
                       struct buffer *out)
{
    size_t count = query_column_count(json->run.result);
    append_text(out, json->is_lines ? "{\"row\":[" : json->has_rows ? ",\n[" : "\n[");
    for (size_t i = 0; i < count; i++) {
        append_text(out, i > 0 ? "," : "");
        value_format_json(out, &row[i]);
    }
    append_text(out, json->is_lines ? "]}\n" : "]");
}

static void append_moment(struct buffer *out, const char *name, int64_t moment)
{
    char text[MOMENT_TEXT_BYTES];
    if (moment != YORE_NOW) {
        append_text(out, ",\"");
        append_text(out, name);
        append_text(out, "\":\"");
        append_text(out, moment_format(moment, text));
        append_text(out, "\"");
    }
}

static void append_summary(struct buffer *out, const struct query_summary *summary)
{
    const struct {
        const char *name;
        uint64_t count;
    } counts[] = {{"rows", summary->rows},
                  {"steps", summary->steps},
                  {"nodesCreated", summary->nodes_created},
                  {"nodesDeleted", summary->nodes_deleted},
                  {"relationshipsCreated", summary->relationships_created},
                  {"relationshipsDeleted", summary->relationships_deleted},
                  {"propertiesSet", summary->properties_set},
                  {"labelsAdded", summary->labels_added},
                  {"labelsRemoved", summary->labels_removed},
                  {"indexesAdded", summary->indexes_added},
                  {"indexesRemoved", summary->indexes_removed},
                  {"constraintsAdded", summary->constraints_added},
                  {"constraintsRemoved", summary->constraints_removed}};
    char text[80];
    append_text(out, "\"summary\":{");
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        if (i < 2 || counts[i].count > 0) {
            snprintf(text, sizeof(text), "%s\"%s\":%" PRIu64, i > 0 ? "," : "", counts[i].name,
                     counts[i].count);
            append_text(out, text);
        }
    }
    append_moment(out, "at", summary->at.valid);
    append_moment(out, "known", summary->at.known);
    if (summary->commit != 0) {
        snprintf(text, sizeof(text), ",\"commit\":%" PRId64, summary->commit);
        append_text(out, text);
    }
    append_text(out, "}}\n");
}

/* Rows until there is enough for a part.  YORE_NOT_FOUND: there are no more. */
static enum yore_status gather(struct graph_json *json, struct buffer *part,
                               struct query_error *error)
{
    const struct yore_graph_value *row;
    enum yore_status st = YORE_OK;
    if (!json->has_begun) {
        append_columns(json, part);
        json->has_begun = true;
    }
    while (st == YORE_OK && part->size < REPLY_PART_BYTES) {
        st = query_next(json->run.result, &row, error);
        if (st == YORE_OK) {
            append_row(json, row, part);
            json->has_rows = true;
        }
        if (part->is_nomem) {
            return error_plain(&error->error, YORE_NOMEM);
        }
    }
    return st;
}

enum yore_status graph_json_next(struct graph_json *json, struct buffer *part,
                                 struct graph_json_problem *problem_out)
{
    struct query_error error = {.type = NULL};
    enum yore_status st = gather(json, part, &error);
    if (st == YORE_OK) {
        return st;
    }
    append_text(part, json->is_lines ? "{" : "],\n");
    if (st == YORE_NOT_FOUND) {
        struct query_summary summary = query_result_summary(json->run.result);
        append_summary(part, &summary);
        return st;
    }
    tell_problem(problem_out, st, &error);
    append_text(part, "\"problem\":{\"code\":\"");
    append_text(part, problem_out->code);
    append_text(part, "\",\"detail\":");
    json_append_string(part, bytes_of(problem_out->text, strlen(problem_out->text)));
    append_text(part, problem_out->more);
    append_text(part, "}}\n");
    return st;
}

enum yore_status graph_json_open(struct client *client, const struct graph_json_request *request,
                                 struct graph_json **json_out,
                                 struct graph_json_problem *problem_out)
{
    struct query_error error = {.type = NULL};
    struct graph_json *json = mem_zalloc(sizeof(*json));
    *json_out = json;
    if (json == NULL) {
        error_plain(&error.error, YORE_NOMEM);
        tell_problem(problem_out, YORE_NOMEM, &error);
        return YORE_NOMEM;
    }
    arena_init(&json->arena, 0);
    json->is_lines = request->is_lines;
    enum yore_status st = take_request(json, client, request, &error);
    if (st == YORE_OK) {
        st = graph_run_open(client, &json->request, &json->run, &error);
    }
    if (st != YORE_OK) {
        tell_problem(problem_out, st, &error);
    }
    return st;
}

bool graph_json_writes(const struct graph_json *json)
{
    return json != NULL && json->run.writes;
}

void graph_json_close(struct graph_json *json)
{
    if (json != NULL) {
        graph_run_close(&json->run);
        arena_release(&json->arena);
        mem_free(json);
    }
}
