#include "query/word_json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/moment.h"
#include "query/duration.h"
#include "query/json_values.h"
#include "query/number.h"
#include "query/temporal.h"
#include "query/value.h"
#include "query/value_format.h"
#include "topology/limits.h"

/* Kinds that JSON has no form for. */
static const struct {
    enum yore_graph_kind kind;
    const char *name;
} marked[] = {{YORE_GRAPH_DATE, "$date"},         {YORE_GRAPH_LOCAL_TIME, "$localtime"},
              {YORE_GRAPH_TIME, "$time"},         {YORE_GRAPH_LOCAL_DATETIME, "$localdatetime"},
              {YORE_GRAPH_DATETIME, "$datetime"}, {YORE_GRAPH_DURATION, "$duration"},
              {YORE_GRAPH_FLOAT, "$float"}};
#define MARKED_COUNT (sizeof(marked) / sizeof(marked[0]))
#define MARKED_MAP "$map"

/* ---- writing -------------------------------------------------------------------------------- */

static void say(struct buffer *to, const char *text)
{
    buffer_append(to, text, strlen(text));
}

static void say_marked(struct buffer *to, const struct yore_graph_value *value)
{
    struct buffer text = {0};
    size_t i = 0;
    while (marked[i].kind != value->kind) {
        i++;
    }
    enum yore_status st = value_to_string(&text, value);
    to->is_nomem |= st == YORE_NOMEM;
    say(to, "{\"");
    say(to, marked[i].name);
    say(to, "\":");
    json_append_string(to, buffer_bytes(&text));
    say(to, "}");
    buffer_release(&text);
}

static void say_map(struct buffer *to, const struct yore_graph_map *map)
{
    say(to, "{");
    for (size_t i = 0; i < map->count; i++) {
        say(to, i > 0 ? "," : "");
        json_append_string(to, map->entries[i].name);
        say(to, ":");
        word_json_value(to, &map->entries[i].value);
    }
    say(to, "}");
}

static bool looks_marked(const struct yore_graph_map *map)
{
    return map->count == 1 && map->entries[0].name.size > 0 &&
           *(const char *)map->entries[0].name.data == '$';
}

/* Nested as deep as values are: GRAPH_VALUE_DEPTH_MAX. */
void word_json_value(struct buffer *to, const struct yore_graph_value *value)
{
    switch (value->kind) {
    case YORE_GRAPH_LIST:
        say(to, "[");
        for (size_t i = 0; i < value->as.list.count; i++) {
            say(to, i > 0 ? "," : "");
            word_json_value(to, &value->as.list.items[i]);
        }
        say(to, "]");
        return;
    case YORE_GRAPH_MAP:
        say(to, looks_marked(&value->as.map) ? "{\"" MARKED_MAP "\":" : "");
        say_map(to, &value->as.map);
        say(to, looks_marked(&value->as.map) ? "}" : "");
        return;
    case YORE_GRAPH_DATE:
    case YORE_GRAPH_LOCAL_TIME:
    case YORE_GRAPH_TIME:
    case YORE_GRAPH_LOCAL_DATETIME:
    case YORE_GRAPH_DATETIME:
    case YORE_GRAPH_DURATION:
        say_marked(to, value);
        return;
    case YORE_GRAPH_FLOAT:
        if (!isfinite(value->as.real)) {
            say_marked(to, value);
            return;
        }
        value_format_json(to, value);
        return;
    default:
        value_format_json(to, value);
    }
}

static void say_moment(struct buffer *to, const char *name, int64_t moment)
{
    char text[MOMENT_TEXT_BYTES];
    say(to, ",\"");
    say(to, name);
    say(to, "\":\"");
    say(to, moment_format(moment, text));
    say(to, "\"");
}

static void say_text(struct buffer *to, const char *before, struct yore_bytes text)
{
    say(to, before);
    json_append_string(to, text);
}

void word_json_word(struct buffer *to, const struct yore_graph_word *word)
{
    bool is_node = word->element == YORE_GRAPH_ELEMENT_NODE;
    say_text(to, is_node ? "{\"node\":" : "{\"relationship\":", word->external_id);
    if (word->removes) {
        say(to, ",\"removes\":true");
    } else if (is_node) {
        say(to, ",\"labels\":[");
        for (size_t i = 0; i < word->label_count; i++) {
            say_text(to, i > 0 ? "," : "", word->labels[i]);
        }
        say(to, "]");
    } else {
        say_text(to, ",\"type\":", word->type);
        say_text(to, ",\"start\":", word->start);
        say_text(to, ",\"end\":", word->end);
    }
    if (!word->removes) {
        say(to, ",\"properties\":");
        say_map(to, &word->properties);
    }
    if (word->from != YORE_NOW) {
        say_moment(to, "from", word->from);
    }
    if (word->to != YORE_FOREVER) {
        say_moment(to, "to", word->to);
    }
    say(to, "}");
}

static struct yore_graph_span now_on(const struct yore_graph_span *span)
{
    return span != NULL ? *span : (struct yore_graph_span){YORE_NOW, YORE_FOREVER, 0};
}

void word_json_node(struct buffer *to, const struct yore_graph_node *node,
                    const struct yore_graph_span *span)
{
    const struct yore_graph_span when = now_on(span);
    const struct yore_graph_word word = {.element = YORE_GRAPH_ELEMENT_NODE,
                                         .external_id = node->external_id,
                                         .labels = node->labels,
                                         .label_count = node->label_count,
                                         .properties = node->properties,
                                         .from = when.valid_from,
                                         .to = when.valid_to};
    word_json_word(to, &word);
}

void word_json_relationship(struct buffer *to, const struct yore_graph_relationship *relationship,
                            const struct yore_bytes ends[2], const struct yore_graph_span *span)
{
    const struct yore_graph_span when = now_on(span);
    const struct yore_graph_word word = {.element = YORE_GRAPH_ELEMENT_RELATIONSHIP,
                                         .external_id = relationship->external_id,
                                         .type = relationship->type,
                                         .start = ends[0],
                                         .end = ends[1],
                                         .properties = relationship->properties,
                                         .from = when.valid_from,
                                         .to = when.valid_to};
    word_json_word(to, &word);
}

/* ---- reading values ------------------------------------------------------------------------- */

static bool read_value(struct json_values *r, struct yore_graph_value *value_out);
static bool read_map(struct json_values *r, struct yore_graph_map *map_out);
static bool interpret(struct json_values *r, const struct yore_graph_map *map,
                      struct yore_graph_value *value_out);

static bool read_string(struct json_values *r, struct yore_bytes *text_out)
{
    enum json_kind kind;
    buffer_clear(&r->text);
    if (!json_peek(&r->json, &kind)) {
        return false;
    }
    if (kind != JSON_STRING) {
        return json_fail(&r->json, "a string is expected here");
    }
    return json_string(&r->json, &r->text) && json_values_take(r, text_out);
}

static bool read_number(struct json_values *r, struct yore_graph_value *value_out)
{
    int64_t integer;
    double real;
    buffer_clear(&r->text);
    if (!json_copy(&r->json, &r->text)) {
        return false;
    }
    if (r->text.is_nomem) {
        return json_values_nomem(r);
    }
    struct yore_bytes text = buffer_bytes(&r->text);
    if (integer_read(text, &integer)) {
        *value_out = value_int(integer);
    } else if (float_read(text, &real) && isfinite(real)) {
        *value_out = value_float(real);
    } else {
        return json_fail(&r->json, "a number that no float can hold");
    }
    return true;
}

static int by_name(const void *a, const void *b)
{
    return bytes_compare(((const struct yore_graph_entry *)a)->name,
                         ((const struct yore_graph_entry *)b)->name);
}

static bool is_map_mark(struct yore_bytes name)
{
    return bytes_equal(name, bytes_of(MARKED_MAP, strlen(MARKED_MAP)));
}

/* A member's value; that of $map is a map as it stands, whatever its members are called. */
static bool read_member_value(struct json_values *r, struct yore_graph_entry *entry)
{
    enum json_kind kind;
    if (!is_map_mark(entry->name) || !json_peek(&r->json, &kind) || kind != JSON_OBJECT) {
        return read_value(r, &entry->value);
    }
    if (r->depth == GRAPH_VALUE_DEPTH_MAX) {
        return json_fail(&r->json, "a value is nested too deep");
    }
    entry->value.kind = YORE_GRAPH_MAP;
    r->depth++;
    bool is_read = read_map(r, &entry->value.as.map);
    r->depth--;
    return is_read;
}

/* Among others $map is a name like any other. */
static bool interpret_members(struct json_values *r, struct yore_graph_entry *entries, size_t count)
{
    for (size_t i = 0; count > 1 && i < count; i++) {
        struct yore_graph_value value = entries[i].value;
        if (is_map_mark(entries[i].name) && value.kind == YORE_GRAPH_MAP &&
            !interpret(r, &value.as.map, &entries[i].value)) {
            return false;
        }
    }
    return true;
}

static bool read_map(struct json_values *r, struct yore_graph_map *map_out)
{
    struct yore_graph_entry *entries = NULL;
    size_t count = 0;
    if (!json_values_entries(r, read_member_value, &entries, &count) ||
        !interpret_members(r, entries, count)) {
        return false;
    }
    if (count > 1) {
        qsort(entries, count, sizeof(*entries), by_name);
    }
    for (size_t i = 1; i < count; i++) {
        if (bytes_equal(entries[i].name, entries[i - 1].name)) {
            return json_fail(&r->json, "a member is named twice");
        }
    }
    *map_out = (struct yore_graph_map){entries, count};
    return true;
}

static bool read_duration(struct json_values *r, struct yore_bytes text,
                          struct yore_graph_value *value_out)
{
    struct yore_graph_duration *duration = arena_alloc(r->arena, sizeof(*duration));
    if (duration == NULL) {
        return json_values_nomem(r);
    }
    *value_out = (struct yore_graph_value){.kind = YORE_GRAPH_DURATION, .as.duration = duration};
    return duration_read(text, duration) || json_fail(&r->json, "this is no duration");
}

/* The zone's name is the cache's; the value outlives it. */
static bool keep_zone(struct json_values *r, struct yore_graph_value *value)
{
    struct yore_graph_datetime *copy = arena_alloc(r->arena, sizeof(*copy));
    if (copy != NULL) {
        *copy = *value->as.datetime;
        copy->zone.data = arena_copy(r->arena, copy->zone.data, copy->zone.size);
        value->as.datetime = copy;
    }
    r->is_nomem |= copy == NULL || copy->zone.data == NULL;
    return !r->is_nomem;
}

static bool read_marked(struct json_values *r, enum yore_graph_kind kind, struct yore_bytes text,
                        struct yore_graph_value *value_out)
{
    struct zone_cache *zones = NULL;
    struct temporal_context context = {r->arena, &zones, 0};
    struct yore_error error;
    double real = 0;
    if (kind == YORE_GRAPH_FLOAT) {
        bool is_float = float_read(text, &real);
        *value_out = value_float(real);
        return is_float || json_fail(&r->json, "this is no float");
    }
    if (kind == YORE_GRAPH_DURATION) {
        return read_duration(r, text, value_out);
    }
    enum yore_status st = temporal_read(&context, kind, text, value_out, &error);
    bool is_read = st == YORE_OK;
    if (is_read && kind == YORE_GRAPH_DATETIME) {
        is_read = keep_zone(r, value_out);
    }
    zone_cache_free(zones);
    r->is_nomem |= st == YORE_NOMEM;
    return is_read || json_fail(&r->json, "this is no such date or time");
}

/* A map, or the value it stands for. */
static bool interpret(struct json_values *r, const struct yore_graph_map *map,
                      struct yore_graph_value *value_out)
{
    *value_out = (struct yore_graph_value){.kind = YORE_GRAPH_MAP, .as.map = *map};
    if (!looks_marked(map)) {
        return true;
    }
    const struct yore_graph_entry *only = &map->entries[0];
    if (is_map_mark(only->name) && only->value.kind == YORE_GRAPH_MAP) {
        value_out->as.map = only->value.as.map;
        return true;
    }
    for (size_t i = 0; i < MARKED_COUNT; i++) {
        if (bytes_equal(only->name, bytes_of(marked[i].name, strlen(marked[i].name))) &&
            only->value.kind == YORE_GRAPH_STRING) {
            return read_marked(r, marked[i].kind, only->value.as.string, value_out);
        }
    }
    return json_fail(&r->json, "an object whose one member begins with $ is $map, $date, $time, "
                               "$datetime, $localtime, $localdatetime, $duration or $float");
}

static bool read_object(struct json_values *r, struct yore_graph_value *value_out)
{
    struct yore_graph_map map;
    return read_map(r, &map) && interpret(r, &map, value_out);
}

/* Nested as deep as the reader of JSON allows. */
static bool read_value(struct json_values *r, struct yore_graph_value *value_out)
{
    enum json_kind kind;
    bool is_read = false;
    if (!json_peek(&r->json, &kind)) {
        return false;
    }
    if (r->depth == GRAPH_VALUE_DEPTH_MAX) {
        return json_fail(&r->json, "a value is nested too deep");
    }
    r->depth++;
    switch (kind) {
    case JSON_STRING:
        *value_out = value_string(bytes_of("", 0));
        is_read = read_string(r, &value_out->as.string);
        break;
    case JSON_NUMBER:
        is_read = read_number(r, value_out);
        break;
    case JSON_ARRAY:
        is_read = json_values_list(r, read_value, value_out);
        break;
    case JSON_OBJECT:
        is_read = read_object(r, value_out);
        break;
    default:
        *value_out = kind == JSON_NULL ? value_null() : value_bool(kind == JSON_TRUE);
        buffer_clear(&r->text);
        is_read = json_copy(&r->json, &r->text);
    }
    r->depth--;
    return is_read;
}

/* ---- reading words -------------------------------------------------------------------------- */

enum member {
    MEMBER_NODE,
    MEMBER_RELATIONSHIP,
    MEMBER_LABELS,
    MEMBER_TYPE,
    MEMBER_START,
    MEMBER_END,
    MEMBER_PROPERTIES,
    MEMBER_FROM,
    MEMBER_TO,
    MEMBER_REMOVES,
    MEMBER_COUNT
};
static const char *const member_names[MEMBER_COUNT] = {
    "node", "relationship", "labels", "type", "start",
    "end",  "properties",   "from",   "to",   "removes"};

static bool read_labels(struct json_values *r, struct yore_graph_word *word)
{
    struct yore_bytes *labels = NULL;
    bool has_item = false;
    if (!json_array_begin(&r->json)) {
        return false;
    }
    while (json_array_item(&r->json, &has_item) && has_item) {
        if (!json_values_room(r, &labels, word->label_count, sizeof(*labels)) ||
            !read_string(r, &labels[word->label_count])) {
            return false;
        }
        word->label_count++;
    }
    word->labels = labels;
    return r->json.problem == NULL;
}

static bool read_moment(struct json_values *r, int64_t now, int64_t *moment_out)
{
    struct yore_bytes text;
    struct yore_error error;
    return read_string(r, &text) && (moment_parse(text, now, moment_out, &error) == YORE_OK ||
                                     json_fail(&r->json, "this is no moment"));
}

static bool read_flag(struct json_values *r, bool *flag_out)
{
    enum json_kind kind;
    buffer_clear(&r->text);
    if (!json_peek(&r->json, &kind)) {
        return false;
    }
    *flag_out = kind == JSON_TRUE;
    return kind == JSON_TRUE || kind == JSON_FALSE ? json_copy(&r->json, &r->text)
                                                   : json_fail(&r->json, "true or false");
}

/* Names of properties are names, whatever they begin with. */
static bool read_properties(struct json_values *r, struct yore_graph_map *map_out)
{
    if (!read_map(r, map_out)) {
        return false;
    }
    if (map_out->count == 1 && is_map_mark(map_out->entries[0].name) &&
        map_out->entries[0].value.kind == YORE_GRAPH_MAP) {
        struct yore_graph_entry *only = arena_alloc(r->arena, sizeof(*only));
        if (only == NULL) {
            r->is_nomem = true;
            return false;
        }
        only->name = map_out->entries[0].name;
        struct yore_graph_map inner = map_out->entries[0].value.as.map;
        map_out->entries = only;
        return interpret(r, &inner, &only->value);
    }
    return true;
}

static bool read_member(struct json_values *r, enum member member, int64_t now,
                        struct yore_graph_word *word)
{
    switch (member) {
    case MEMBER_NODE:
        word->element = YORE_GRAPH_ELEMENT_NODE;
        return read_string(r, &word->external_id);
    case MEMBER_RELATIONSHIP:
        word->element = YORE_GRAPH_ELEMENT_RELATIONSHIP;
        return read_string(r, &word->external_id);
    case MEMBER_LABELS:
        return read_labels(r, word);
    case MEMBER_TYPE:
        return read_string(r, &word->type);
    case MEMBER_START:
        return read_string(r, &word->start);
    case MEMBER_END:
        return read_string(r, &word->end);
    case MEMBER_PROPERTIES:
        return read_properties(r, &word->properties);
    case MEMBER_FROM:
        return read_moment(r, now, &word->from);
    case MEMBER_TO:
        return read_moment(r, now, &word->to);
    default:
        return read_flag(r, &word->removes);
    }
}

static bool read_word(struct json_values *r, int64_t now, struct yore_graph_word *word)
{
    unsigned seen = 0;
    bool has_member = false;
    if (!json_object_begin(&r->json)) {
        return false;
    }
    for (;;) {
        size_t which = 0;
        buffer_clear(&r->text);
        if (!json_object_member(&r->json, &r->text, &has_member) || !has_member) {
            break;
        }
        while (which < MEMBER_COUNT &&
               !bytes_equal(buffer_bytes(&r->text),
                            bytes_of(member_names[which], strlen(member_names[which])))) {
            which++;
        }
        if (which == MEMBER_COUNT) {
            return json_fail(&r->json, "a member is none of node, relationship, labels, type, "
                                       "start, end, properties, from, to, removes");
        }
        if ((seen & 1u << which) != 0) {
            return json_fail(&r->json, "a member is named twice");
        }
        seen |= 1u << which;
        if (!read_member(r, (enum member)which, now, word)) {
            return false;
        }
    }
    unsigned both = 1u << MEMBER_NODE | 1u << MEMBER_RELATIONSHIP;
    if (r->json.problem == NULL && ((seen & both) == 0 || (seen & both) == both)) {
        return json_fail(&r->json, "an object has either node or relationship, its external id");
    }
    return r->json.problem == NULL && json_end(&r->json);
}

static enum yore_status outcome(struct json_values *r, bool is_read, struct yore_error *error_out)
{
    buffer_release(&r->text);
    if (is_read) {
        return YORE_OK;
    }
    if (r->is_nomem || r->json.problem == NULL) {
        return error_plain(error_out, YORE_NOMEM);
    }
    return error_set(error_out, YORE_INVALID, "column %zu: %s", json_column(&r->json),
                     r->json.problem);
}

enum yore_status word_json_read(struct yore_bytes line, int64_t now, struct arena *arena,
                                struct yore_graph_word *word_out, struct yore_error *error_out)
{
    struct json_values r = {.arena = arena};
    *word_out = (struct yore_graph_word){.from = YORE_NOW, .to = YORE_FOREVER};
    json_reader_init(&r.json, line);
    bool is_read = read_word(&r, now, word_out);
    return outcome(&r, is_read, error_out);
}

enum yore_status word_json_read_value(struct yore_bytes text, struct arena *arena,
                                      struct yore_graph_value *value_out,
                                      struct yore_error *error_out)
{
    struct json_values r = {.arena = arena};
    json_reader_init(&r.json, text);
    bool is_read = read_value(&r, value_out) && json_end(&r.json);
    return outcome(&r, is_read, error_out);
}
