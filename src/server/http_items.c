#include "server/http_items.h"

#include <string.h>

#include "base/base64.h"
#include "base/mem.h"
#include "server/limits.h"

void http_items_release(struct http_items *items)
{
    mem_free(items->items);
    buffer_release(&items->text);
    *items = (struct http_items){0};
}

void http_items_clear(struct http_items *items)
{
    items->count = 0;
    buffer_clear(&items->text);
}

struct yore_bytes http_items_bytes(const struct http_items *items, struct http_slice slice)
{
    return slice.size > 0 ? bytes_of(items->text.data + slice.at, slice.size) : bytes_of("", 0);
}

/* A string, or its base64, behind what `text` holds. */
static bool read_octets(struct json_reader *r, bool is_base64, struct buffer *text,
                        struct http_slice *slice)
{
    if (slice->is_there) {
        return json_fail(r, "expected each member once");
    }
    slice->is_there = true;
    slice->at = text->size;
    bool is_good = false;
    if (!is_base64) {
        is_good = json_string(r, text);
    } else {
        struct buffer encoded = {0};
        is_good = json_string(r, &encoded) && (base64_decode(text, buffer_bytes(&encoded)) ||
                                               json_fail(r, "expected base64, padded"));
        buffer_release(&encoded);
    }
    slice->size = text->size - slice->at;
    return is_good;
}

/* As import takes it: a value that is no string is kept as its JSON text. */
static bool read_any(struct json_reader *r, struct buffer *text, struct http_slice *slice)
{
    enum json_kind kind;
    if (!json_peek(r, &kind) || kind == JSON_STRING) {
        return read_octets(r, false, text, slice);
    }
    if (slice->is_there) {
        return json_fail(r, "expected each member once");
    }
    slice->is_there = true;
    slice->at = text->size;
    bool is_good = json_copy(r, text);
    slice->size = text->size - slice->at;
    return is_good;
}

/* A moment, or null, or "forever", which are the same as nothing. */
static bool read_moment(struct json_reader *r, struct buffer *text, struct http_slice *slice)
{
    enum json_kind kind;
    struct buffer ignored = {0};
    if (json_peek(r, &kind) && kind == JSON_NULL) {
        bool is_good = json_copy(r, &ignored);
        buffer_release(&ignored);
        return is_good;
    }
    if (!read_octets(r, false, text, slice)) {
        return false;
    }
    slice->is_there = !(slice->size == 7 && memcmp(text->data + slice->at, "forever", 7) == 0);
    return true;
}

static bool read_op(struct json_reader *r, struct http_item *item)
{
    struct buffer word = {0};
    if (item->is_put || item->is_delete) {
        return json_fail(r, "expected each member once");
    }
    bool is_good = json_string(r, &word);
    item->is_put = is_good && bytes_equal(buffer_bytes(&word), bytes_of("put", 3));
    item->is_delete = is_good && bytes_equal(buffer_bytes(&word), bytes_of("delete", 6));
    buffer_release(&word);
    return item->is_put || item->is_delete || json_fail(r, "expected \"put\" or \"delete\"");
}

static bool read_absent(struct json_reader *r, struct http_item *item)
{
    enum json_kind kind;
    struct buffer word = {0};
    if (item->is_absent) {
        return json_fail(r, "expected each member once");
    }
    bool is_good = json_peek(r, &kind) && (kind == JSON_TRUE || json_fail(r, "expected true")) &&
                   json_copy(r, &word);
    buffer_release(&word);
    item->is_absent = is_good;
    return is_good;
}

static bool skip_value(struct json_reader *r)
{
    struct buffer ignored = {0};
    bool is_good = json_copy(r, &ignored);
    buffer_release(&ignored);
    return is_good;
}

static bool name_is(const struct buffer *name, const char *text)
{
    return bytes_equal(buffer_bytes(name), bytes_of(text, strlen(text)));
}

static bool read_line_member(struct json_reader *r, const struct buffer *name,
                             struct http_items *items, struct http_item *item)
{
    if (name_is(name, "kind")) {
        return read_op(r, item);
    }
    if (name_is(name, "valid_from")) {
        return read_moment(r, &items->text, &item->from);
    }
    if (name_is(name, "valid_to")) {
        return read_moment(r, &items->text, &item->to);
    }
    if (name_is(name, "commit")) {
        return skip_value(r); /* commits are made anew */
    }
    return json_fail(r, "expected key, value, kind, valid_from, valid_to or commit");
}

static bool read_member(struct json_reader *r, const struct buffer *name, struct http_items *items,
                        struct http_item *item, enum http_item_form form)
{
    if (name_is(name, "key") || name_is(name, "key_base64")) {
        return read_octets(r, name->size > 3, &items->text, &item->key);
    }
    if (name_is(name, "value") && form == HTTP_LINE) {
        return read_any(r, &items->text, &item->value);
    }
    if (name_is(name, "value") || name_is(name, "value_base64")) {
        return read_octets(r, name->size > 5, &items->text, &item->value);
    }
    if (form == HTTP_LINE) {
        return read_line_member(r, name, items, item);
    }
    if (form == HTTP_OPERATION && name_is(name, "op")) {
        return read_op(r, item);
    }
    if (form == HTTP_CONDITION && name_is(name, "absent")) {
        return read_absent(r, item);
    }
    return json_fail(r, form == HTTP_OPERATION ? "expected op, key or value"
                                               : "expected key, value or absent");
}

static bool is_whole(const struct http_item *item, enum http_item_form form)
{
    if (!item->key.is_there || item->key.size == 0) {
        return false;
    }
    if (form == HTTP_CONDITION) {
        return item->value.is_there != item->is_absent;
    }
    return item->is_put ? item->value.is_there : item->is_delete;
}

bool http_items_read(struct json_reader *r, struct http_items *items, enum http_item_form form)
{
    struct http_item item = {0};
    bool has_member = true;
    bool is_good = json_object_begin(r);
    while (is_good && has_member) {
        struct buffer name = {0};
        is_good = json_object_member(r, &name, &has_member);
        if (is_good && has_member) {
            is_good = read_member(r, &name, items, &item, form);
        }
        buffer_release(&name);
    }
    if (form == HTTP_LINE && !item.is_delete) {
        item.is_put = true;
    }
    if (!is_good ||
        (!is_whole(&item, form) && !json_fail(r, "expected a key, and what is said of it"))) {
        return false;
    }
    if (items->count == HTTP_OPERATIONS_MAX) {
        return json_fail(r, "expected at most 10000 operations");
    }
    struct http_item *grown =
        mem_grow(items->items, items->count, &items->capacity, sizeof(*grown));
    if (grown == NULL || items->text.is_nomem) {
        items->text.is_nomem = true;
        return json_fail(r, "out of memory");
    }
    items->items = grown;
    grown[items->count++] = item;
    return true;
}
