#include "cli/element.h"

#include <string.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/utf8.h"

/* Properties and the text they point to. */
struct parse {
    struct json_properties properties;
    struct arena arena;
    struct buffer name;
    struct buffer value;
    const char *problem;
};

static void parse_release(struct parse *p)
{
    json_properties_release(&p->properties);
    arena_release(&p->arena);
    buffer_release(&p->name);
    buffer_release(&p->value);
}

static void keep_property(struct parse *p)
{
    struct json_property property;
    property.name = bytes_of(arena_copy(&p->arena, p->name.data, p->name.size), p->name.size);
    property.value = bytes_of(arena_copy(&p->arena, p->value.data, p->value.size), p->value.size);
    bool is_nomem = p->name.is_nomem || p->value.is_nomem || property.value.data == NULL ||
                    (property.name.data == NULL && property.name.size > 0);
    if (is_nomem) {
        p->properties.is_nomem = true;
        return;
    }
    json_properties_add(&p->properties, property);
}

/* Add every member of the object the reader stands at. */
static bool read_properties(struct parse *p, struct json_reader *r)
{
    bool has_member = false;
    if (!json_object_begin(r)) {
        p->problem = "the properties are not a JSON object";
        return false;
    }
    for (;;) {
        buffer_clear(&p->name);
        buffer_clear(&p->value);
        if (!json_object_member(r, &p->name, &has_member)) {
            break;
        }
        if (!has_member) {
            return true;
        }
        if (!json_copy(r, &p->value)) {
            break;
        }
        keep_property(p);
    }
    p->problem = r->problem;
    return false;
}

static bool read_properties_text(struct parse *p, struct yore_bytes text)
{
    struct json_reader r;
    if (text.size == 0) {
        return true;
    }
    json_reader_init(&r, text);
    if (!read_properties(p, &r)) {
        return false;
    }
    if (!json_end(&r)) {
        p->problem = "something follows the properties";
        return false;
    }
    return true;
}

static void append_text(struct buffer *to, const char *text)
{
    buffer_append(to, text, strlen(text));
}

static void append_labels(struct buffer *to, struct yore_bytes labels)
{
    const char *at = labels.data;
    const char *end = labels.size > 0 ? at + labels.size : at;
    append_text(to, "{\"labels\":[");
    while (at < end) {
        const char *comma = memchr(at, ',', (size_t)(end - at));
        const char *label_end = comma != NULL ? comma : end;
        json_append_string(to, bytes_of(at, (size_t)(label_end - at)));
        at = label_end;
        if (comma != NULL) {
            buffer_append_u8(to, ',');
            at++;
        }
    }
    buffer_append_u8(to, ']');
}

static const char *finish(struct parse *p, struct buffer *state)
{
    json_properties_sort(&p->properties, true);
    append_text(state, ",\"props\":");
    json_properties_append(&p->properties, state);
    buffer_append_u8(state, '}');
    state->is_nomem = state->is_nomem || p->properties.is_nomem;
    return NULL;
}

const char *element_create(const struct element *element, struct buffer *state)
{
    struct parse p = {.problem = NULL};
    if (!utf8_is_valid(element->type) || !utf8_is_valid(element->source) ||
        !utf8_is_valid(element->target)) {
        return "a type, label or id is not UTF-8";
    }
    if (read_properties_text(&p, element->properties)) {
        if (element->is_edge) {
            append_text(state, "{\"type\":");
            json_append_string(state, element->type);
            append_text(state, ",\"src\":");
            json_append_string(state, element->source);
            append_text(state, ",\"dst\":");
            json_append_string(state, element->target);
        } else {
            append_labels(state, element->type);
        }
        finish(&p, state);
    }
    parse_release(&p);
    return p.problem;
}

/* Copy the members of a state, but for the properties, which are read. */
static bool read_state(struct parse *p, struct yore_bytes before, struct buffer *state)
{
    struct json_reader r;
    bool has_member = false;
    char separator = '{';
    json_reader_init(&r, before);
    if (!json_object_begin(&r)) {
        p->problem = "the key holds something that is no element";
        return false;
    }
    for (;;) {
        buffer_clear(&p->name);
        if (!json_object_member(&r, &p->name, &has_member)) {
            break;
        }
        if (!has_member) {
            return true;
        }
        if (bytes_equal(buffer_bytes(&p->name), bytes_of("props", 5))) {
            if (!read_properties(p, &r)) {
                return false;
            }
            r.is_first = false;
            continue;
        }
        buffer_append_u8(state, (uint8_t)separator);
        json_append_string(state, buffer_bytes(&p->name));
        buffer_append_u8(state, ':');
        if (!json_copy(&r, state)) {
            break;
        }
        separator = ',';
    }
    p->problem = "the key holds something that is no element";
    return false;
}

const char *element_change(struct yore_bytes before, struct yore_bytes changes,
                           struct buffer *state)
{
    struct parse p = {.problem = NULL};
    if (read_state(&p, before, state) && read_properties_text(&p, changes)) {
        finish(&p, state);
    }
    parse_release(&p);
    return p.problem;
}
