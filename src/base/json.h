/* json.h -- JSON (RFC 8259) as the program and the server need it: a strict pull reader over one
 * text in memory, and a canonical writer.
 *
 * Why not a library: import needs member order, numbers kept as they are written, and every fault
 * with its column; export needs nothing but escapes.  Canonical text has no blanks, escapes only
 * what must be, keeps numbers verbatim and other characters as UTF-8, so equal strings have equal
 * bytes.
 */
#ifndef YORE_BASE_JSON_H
#define YORE_BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/bytes.h"

#define JSON_DEPTH_MAX 64

/* After the first fault `problem` says what was expected and `at` stands where; every call returns
 * false. */
struct json_reader {
    const unsigned char *begin;
    const unsigned char *at;
    const unsigned char *end;
    const char *problem;
    bool is_first; /* of what is being walked: no comma before its next member or item */
};

enum json_kind {
    JSON_STRING,
    JSON_NUMBER,
    JSON_TRUE,
    JSON_FALSE,
    JSON_NULL,
    JSON_ARRAY,
    JSON_OBJECT
};

void json_reader_init(struct json_reader *r, struct yore_bytes text);
/* 1-based column of the fault, or of the next character. */
size_t json_column(const struct json_reader *r);

/* What the next value is; false when none begins here. */
bool json_peek(struct json_reader *r, enum json_kind *kind_out);
/* Walk the members of one object: begin, then member (its name is appended to `name`) and one value
 * for each, until `*has_member_out` is false, which has also taken the closing brace. */
bool json_object_begin(struct json_reader *r);
bool json_object_member(struct json_reader *r, struct buffer *name, bool *has_member_out);
/* The same, with the name as json_text() gives it. */
bool json_object_name(struct json_reader *r, struct buffer *spare, struct yore_bytes *name_out,
                      bool *has_member_out);
/* The same for an array: begin, then item and one value for each. */
bool json_array_begin(struct json_reader *r);
bool json_array_item(struct json_reader *r, bool *has_item_out);
/* Append the characters of a string, escapes undone, as UTF-8. */
bool json_string(struct json_reader *r, struct buffer *to);
/* A string's characters: borrowed from the text where it has no escapes, as most have none, else
 * put into `spare` instead of what is there. */
bool json_text(struct json_reader *r, struct buffer *spare, struct yore_bytes *text_out);
/* Take the next value if it is an integer of 18 digits at most; otherwise nothing has happened. */
bool json_integer(struct json_reader *r, int64_t *integer_out);
/* Append the next value, whatever it is, in canonical text. */
bool json_copy(struct json_reader *r, struct buffer *to);
/* Nothing but blanks may be left. */
bool json_end(struct json_reader *r);
/* Set the fault, unless there is one already; returns false. */
bool json_fail(struct json_reader *r, const char *problem);

/* Append `text` (valid UTF-8) as a quoted string. */
void json_append_string(struct buffer *to, struct yore_bytes text);

/* One property of a flat object: its name's and its value's canonical text. */
struct json_property {
    struct yore_bytes name;
    struct yore_bytes value;
};
struct json_properties {
    struct json_property *items; /* sorted by name once json_properties_sort() was called */
    size_t count;
    size_t capacity;
    bool is_nomem;
};
void json_properties_release(struct json_properties *properties);
void json_properties_add(struct json_properties *properties, struct json_property property);
/* Sort by name; of several with one name the last added stays.  Drops those whose value is `null`
 * when `drops_null`. */
void json_properties_sort(struct json_properties *properties, bool drops_null);
void json_properties_append(const struct json_properties *properties, struct buffer *to);

#endif
