#include "base/json.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/coding.h"
#include "base/mem.h"
#include "base/utf8.h"

void json_reader_init(struct json_reader *r, struct yore_bytes text)
{
    r->begin = text.data;
    r->at = text.data;
    r->end = text.size > 0 ? r->begin + text.size : r->begin;
    r->problem = NULL;
    r->is_first = false;
}

size_t json_column(const struct json_reader *r)
{
    return (size_t)(r->at - r->begin) + 1;
}

bool json_fail(struct json_reader *r, const char *problem)
{
    if (r->problem == NULL) {
        r->problem = problem;
    }
    return false;
}

/* ---- reading --------------------------------------------------------------------------------- */

static int next_octet(const struct json_reader *r)
{
    return r->at < r->end ? *r->at : -1;
}

static void skip_blanks(struct json_reader *r)
{
    while (r->at < r->end &&
           (*r->at == ' ' || *r->at == '\t' || *r->at == '\r' || *r->at == '\n')) {
        r->at++;
    }
}

static bool accept(struct json_reader *r, char c)
{
    skip_blanks(r);
    if (next_octet(r) != c) {
        return false;
    }
    r->at++;
    return true;
}

bool json_peek(struct json_reader *r, enum json_kind *kind_out)
{
    if (r->problem != NULL) {
        return false;
    }
    skip_blanks(r);
    switch (next_octet(r)) {
    case '"':
        *kind_out = JSON_STRING;
        return true;
    case '{':
        *kind_out = JSON_OBJECT;
        return true;
    case '[':
        *kind_out = JSON_ARRAY;
        return true;
    case 't':
        *kind_out = JSON_TRUE;
        return true;
    case 'f':
        *kind_out = JSON_FALSE;
        return true;
    case 'n':
        *kind_out = JSON_NULL;
        return true;
    default:
        if (next_octet(r) == '-' || (next_octet(r) >= '0' && next_octet(r) <= '9')) {
            *kind_out = JSON_NUMBER;
            return true;
        }
        return json_fail(r, "expected a value");
    }
}

static int hex_of(int c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The four digits of \uXXXX. */
static bool read_unit(struct json_reader *r, uint32_t *unit_out)
{
    uint32_t unit = 0;
    for (int i = 0; i < 4; i++) {
        int digit = hex_of(next_octet(r));
        if (digit < 0) {
            return json_fail(r, "expected four hexadecimal digits after \\u");
        }
        unit = unit << 4 | (uint32_t)digit;
        r->at++;
    }
    *unit_out = unit;
    return true;
}

static bool read_unicode_escape(struct json_reader *r, struct buffer *to)
{
    uint32_t point;
    uint32_t low;
    unsigned char octets[4];
    if (!read_unit(r, &point)) {
        return false;
    }
    if (point >= 0xdc00 && point <= 0xdfff) {
        return json_fail(r, "half of a surrogate pair is no character");
    }
    if (point >= 0xd800 && point <= 0xdbff) {
        if (r->end - r->at < 2 || r->at[0] != '\\' || r->at[1] != 'u') {
            return json_fail(r, "half of a surrogate pair is no character");
        }
        r->at += 2;
        if (!read_unit(r, &low)) {
            return false;
        }
        if (low < 0xdc00 || low > 0xdfff) {
            return json_fail(r, "half of a surrogate pair is no character");
        }
        point = 0x10000 + ((point - 0xd800) << 10 | (low - 0xdc00));
    }
    buffer_append(to, octets, utf8_encode(octets, point));
    return true;
}

static bool read_escape(struct json_reader *r, struct buffer *to)
{
    static const char letters[] = "\"\\/bfnrt";
    static const char meanings[] = "\"\\/\b\f\n\r\t";
    int c = next_octet(r);
    if (c == 'u') {
        r->at++;
        return read_unicode_escape(r, to);
    }
    const char *found = c > 0 ? strchr(letters, c) : NULL;
    if (found == NULL) {
        return json_fail(r, "expected one of \"\\/bfnrtu after the backslash");
    }
    r->at++;
    buffer_append_u8(to, (uint8_t)meanings[found - letters]);
    return true;
}

#define EACH_OCTET 0x0101010101010101u

/* The high bits of the octets that are none of plain ASCII within a string; the lowest is exact,
 * those above it may be wrong. */
static uint64_t marks_of(uint64_t word)
{
    uint64_t quotes = word ^ EACH_OCTET * '"';
    uint64_t strokes = word ^ EACH_OCTET * '\\';
    uint64_t marks = ((quotes - EACH_OCTET) & ~quotes) | ((strokes - EACH_OCTET) & ~strokes) |
                     ((word - EACH_OCTET * 0x20) & ~word) | word;
    return marks & EACH_OCTET * 0x80;
}

static bool is_plain(unsigned char c)
{
    return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

/* Step over what stands for itself in a string, up to the first octet that does not. */
static bool skip_characters(struct json_reader *r)
{
    for (;;) {
        uint64_t marks = 0;
        while (r->end - r->at >= 8 && (marks = marks_of(get_u64(r->at))) == 0) {
            r->at += 8;
        }
        r->at += marks != 0 ? (size_t)__builtin_ctzll(marks) / 8 : 0;
        while (r->at < r->end && is_plain(*r->at)) {
            r->at++;
        }
        if (next_octet(r) < 0x80) {
            return true;
        }
        size_t size = utf8_size(r->at, r->end);
        if (size == 0) {
            return json_fail(r, "not UTF-8 (binary keys and values go into *_base64 members)");
        }
        r->at += size;
    }
}

bool json_string(struct json_reader *r, struct buffer *to)
{
    if (r->problem != NULL) {
        return false;
    }
    if (!accept(r, '"')) {
        return json_fail(r, "expected a string");
    }
    for (;;) {
        const unsigned char *run = r->at;
        if (!skip_characters(r)) {
            return false;
        }
        buffer_append(to, run, (size_t)(r->at - run));
        int c = next_octet(r);
        if (c == '"') {
            r->at++;
            return true;
        }
        if (c != '\\') {
            return json_fail(r, c < 0 ? "the string does not end"
                                      : "a control character must be escaped");
        }
        r->at++;
        if (!read_escape(r, to)) {
            return false;
        }
    }
}

bool json_text(struct json_reader *r, struct buffer *spare, struct yore_bytes *text_out)
{
    const unsigned char *begin = r->at;
    buffer_clear(spare);
    if (r->problem == NULL && accept(r, '"')) {
        const unsigned char *run = r->at;
        if (!skip_characters(r)) {
            return false;
        }
        if (next_octet(r) == '"') {
            *text_out = bytes_of(run, (size_t)(r->at - run));
            r->at++;
            return true;
        }
        r->at = begin; /* from the beginning, undoing escapes */
    }
    bool is_string = json_string(r, spare);
    *text_out = buffer_bytes(spare);
    return is_string;
}

#define INTEGER_DIGITS_MAX 18 /* they fit an int64_t */

bool json_integer(struct json_reader *r, int64_t *integer_out)
{
    skip_blanks(r);
    const unsigned char *at = r->at;
    bool is_negative = at < r->end && *at == '-';
    at += is_negative;
    const unsigned char *digits = at;
    int64_t integer = 0;
    while (at < r->end && *at >= '0' && *at <= '9' && at - digits < INTEGER_DIGITS_MAX) {
        integer = integer * 10 + (*at++ - '0');
    }
    bool is_one = at > digits && (*digits != '0' || at == digits + 1);
    bool ends =
        at == r->end || (*at != '.' && *at != 'e' && *at != 'E' && (*at < '0' || *at > '9'));
    if (r->problem != NULL || !is_one || !ends) {
        return false;
    }
    r->at = at;
    *integer_out = is_negative ? -integer : integer;
    return true;
}

static bool skip_digits(struct json_reader *r)
{
    const unsigned char *begin = r->at;
    while (next_octet(r) >= '0' && next_octet(r) <= '9') {
        r->at++;
    }
    return r->at > begin || json_fail(r, "expected a digit");
}

static bool copy_number(struct json_reader *r, struct buffer *to)
{
    const unsigned char *begin = r->at;
    if (next_octet(r) == '-') {
        r->at++;
    }
    if (next_octet(r) == '0') {
        r->at++;
    } else if (!skip_digits(r)) {
        return false;
    }
    if (next_octet(r) == '.') {
        r->at++;
        if (!skip_digits(r)) {
            return false;
        }
    }
    if (next_octet(r) == 'e' || next_octet(r) == 'E') {
        r->at++;
        if (next_octet(r) == '+' || next_octet(r) == '-') {
            r->at++;
        }
        if (!skip_digits(r)) {
            return false;
        }
    }
    buffer_append(to, begin, (size_t)(r->at - begin));
    return true;
}

static bool copy_word(struct json_reader *r, struct buffer *to, const char *word)
{
    size_t size = strlen(word);
    if ((size_t)(r->end - r->at) < size || memcmp(r->at, word, size) != 0) {
        return json_fail(r, "expected true, false or null");
    }
    r->at += size;
    buffer_append(to, word, size);
    return true;
}

static bool copy_string(struct json_reader *r, struct buffer *to)
{
    struct buffer text = {0};
    bool is_ok = json_string(r, &text);
    if (is_ok) {
        json_append_string(to, buffer_bytes(&text));
        to->is_nomem = to->is_nomem || text.is_nomem;
    }
    buffer_release(&text);
    return is_ok;
}

static bool copy_scalar(struct json_reader *r, enum json_kind kind, struct buffer *to)
{
    switch (kind) {
    case JSON_STRING:
        return copy_string(r, to);
    case JSON_NUMBER:
        return copy_number(r, to);
    case JSON_TRUE:
        return copy_word(r, to, "true");
    case JSON_FALSE:
        return copy_word(r, to, "false");
    default:
        return copy_word(r, to, "null");
    }
}

/* The name and the colon in front of a member's value. */
static bool copy_name(struct json_reader *r, struct buffer *to)
{
    skip_blanks(r);
    if (!copy_string(r, to)) {
        return false;
    }
    if (!accept(r, ':')) {
        return json_fail(r, "expected ':'");
    }
    buffer_append_u8(to, ':');
    return true;
}

/* After a value: close what ends here, or take the comma in front of the next one.  `closers` is
 * the stack of brackets that are open. */
static bool copy_closers(struct json_reader *r, struct buffer *to, const char *closers,
                         size_t *depth)
{
    while (*depth > 0) {
        char closer = closers[*depth - 1];
        if (accept(r, closer)) {
            buffer_append_u8(to, (uint8_t)closer);
            (*depth)--;
            continue;
        }
        if (!accept(r, ',')) {
            return json_fail(r, closer == '}' ? "expected ',' or '}'" : "expected ',' or ']'");
        }
        buffer_append_u8(to, ',');
        return closer != '}' || copy_name(r, to);
    }
    return true;
}

/* A stack of closers instead of recursion: the depth of the text is somebody else's choice. */
bool json_copy(struct json_reader *r, struct buffer *to)
{
    char closers[JSON_DEPTH_MAX];
    size_t depth = 0;
    enum json_kind kind;
    do {
        if (!json_peek(r, &kind)) {
            return false;
        }
        if (kind != JSON_OBJECT && kind != JSON_ARRAY) {
            if (!copy_scalar(r, kind, to) || !copy_closers(r, to, closers, &depth)) {
                return false;
            }
            continue;
        }
        if (depth == JSON_DEPTH_MAX) {
            return json_fail(r, "nested deeper than 64");
        }
        buffer_append_u8(to, *r->at++);
        closers[depth++] = kind == JSON_OBJECT ? '}' : ']';
        skip_blanks(r);
        if (next_octet(r) == closers[depth - 1]) {
            if (!copy_closers(r, to, closers, &depth)) {
                return false;
            }
        } else if (kind == JSON_OBJECT && !copy_name(r, to)) {
            return false;
        }
    } while (depth > 0);
    return true;
}

bool json_object_begin(struct json_reader *r)
{
    if (r->problem != NULL) {
        return false;
    }
    if (!accept(r, '{')) {
        return json_fail(r, "expected an object");
    }
    r->is_first = true;
    return true;
}

/* The closing brace, or what stands in front of a member's name. */
static bool begin_member(struct json_reader *r, bool *has_member_out)
{
    if (r->problem != NULL) {
        return false;
    }
    *has_member_out = !accept(r, '}');
    if (*has_member_out && !r->is_first && !accept(r, ',')) {
        return json_fail(r, "expected ',' or '}'");
    }
    r->is_first = false; /* at the end: what it stood in goes on */
    return true;
}

static bool end_name(struct json_reader *r)
{
    return accept(r, ':') || json_fail(r, "expected ':'");
}

bool json_object_member(struct json_reader *r, struct buffer *name, bool *has_member_out)
{
    return begin_member(r, has_member_out) &&
           (!*has_member_out || (json_string(r, name) && end_name(r)));
}

bool json_object_name(struct json_reader *r, struct buffer *spare, struct yore_bytes *name_out,
                      bool *has_member_out)
{
    return begin_member(r, has_member_out) &&
           (!*has_member_out || (json_text(r, spare, name_out) && end_name(r)));
}

bool json_array_begin(struct json_reader *r)
{
    if (r->problem != NULL) {
        return false;
    }
    if (!accept(r, '[')) {
        return json_fail(r, "expected an array");
    }
    r->is_first = true;
    return true;
}

bool json_array_item(struct json_reader *r, bool *has_item_out)
{
    if (r->problem != NULL) {
        return false;
    }
    *has_item_out = false;
    if (accept(r, ']')) {
        r->is_first = false;
        return true;
    }
    if (!r->is_first && !accept(r, ',')) {
        return json_fail(r, "expected ',' or ']'");
    }
    r->is_first = false;
    *has_item_out = true;
    return true;
}

bool json_end(struct json_reader *r)
{
    skip_blanks(r);
    if (r->problem != NULL || r->at != r->end) {
        return json_fail(r, "expected the end");
    }
    return true;
}

/* ---- writing --------------------------------------------------------------------------------- */

static void append_escaped(struct buffer *to, unsigned char c)
{
    static const char hex[] = "0123456789abcdef";
    static const char plain[] = "\"\\\b\f\n\r\t";
    static const char letters[] = "\"\\bfnrt";
    const char *found = c != 0 ? strchr(plain, c) : NULL;
    if (found != NULL) {
        buffer_append_u8(to, '\\');
        buffer_append_u8(to, (uint8_t)letters[found - plain]);
        return;
    }
    char text[6] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};
    buffer_append(to, text, sizeof(text));
}

void json_append_string(struct buffer *to, struct yore_bytes text)
{
    const unsigned char *at = text.data;
    const unsigned char *end = text.size > 0 ? at + text.size : at;
    buffer_append_u8(to, '"');
    while (at < end) {
        const unsigned char *run = at;
        while (at < end && *at >= 0x20 && *at != '"' && *at != '\\') {
            at++;
        }
        buffer_append(to, run, (size_t)(at - run));
        if (at < end) {
            append_escaped(to, *at++);
        }
    }
    buffer_append_u8(to, '"');
}

/* ---- properties ------------------------------------------------------------------------------ */

void json_properties_release(struct json_properties *properties)
{
    mem_free(properties->items);
    *properties = (struct json_properties){0};
}

void json_properties_add(struct json_properties *properties, struct json_property property)
{
    struct json_property *grown =
        mem_grow(properties->items, properties->count, &properties->capacity, sizeof *grown);
    if (grown == NULL) {
        properties->is_nomem = true;
        return;
    }
    properties->items = grown;
    properties->items[properties->count++] = property;
}

static int property_compare(const void *left, const void *right)
{
    const struct json_property *a = left;
    const struct json_property *b = right;
    return bytes_compare(a->name, b->name);
}

/* Names are few and mostly sorted already, and equal ones must keep their order: insertion does
 * that. */
static void sort_few(struct json_property *items, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        struct json_property item = items[i];
        size_t at = i;
        while (at > 0 && property_compare(&items[at - 1], &item) > 0) {
            items[at] = items[at - 1];
            at--;
        }
        items[at] = item;
    }
}

/* Bottom-up merge sort, stable like insertion, for objects made large by somebody else. */
static void sort_many(struct json_properties *properties)
{
    size_t count = properties->count;
    struct json_property *spare = mem_array(count, sizeof(*spare));
    if (spare == NULL) {
        properties->is_nomem = true;
        return;
    }
    struct json_property *from = properties->items;
    struct json_property *to = spare;
    for (size_t width = 1; width < count; width *= 2) {
        for (size_t begin = 0; begin < count; begin += 2 * width) {
            size_t middle = begin + width < count ? begin + width : count;
            size_t end = begin + 2 * width < count ? begin + 2 * width : count;
            size_t a = begin;
            size_t b = middle;
            for (size_t at = begin; at < end; at++) {
                bool takes_a =
                    a < middle && (b >= end || property_compare(&from[a], &from[b]) <= 0);
                to[at] = takes_a ? from[a++] : from[b++];
            }
        }
        struct json_property *swap = from;
        from = to;
        to = swap;
    }
    if (from != properties->items) {
        memcpy(properties->items, from, count * sizeof(*from));
    }
    mem_free(spare);
}

void json_properties_sort(struct json_properties *properties, bool drops_null)
{
    size_t kept = 0;
    if (properties->count <= 32) {
        sort_few(properties->items, properties->count);
    } else {
        sort_many(properties);
    }
    for (size_t i = 0; i < properties->count; i++) {
        struct json_property item = properties->items[i];
        bool is_last =
            i + 1 == properties->count || !bytes_equal(item.name, properties->items[i + 1].name);
        bool is_null = bytes_equal(item.value, bytes_of("null", 4));
        if (is_last && !(drops_null && is_null)) {
            properties->items[kept++] = item;
        }
    }
    properties->count = kept;
}

void json_properties_append(const struct json_properties *properties, struct buffer *to)
{
    buffer_append_u8(to, '{');
    for (size_t i = 0; i < properties->count; i++) {
        if (i > 0) {
            buffer_append_u8(to, ',');
        }
        json_append_string(to, properties->items[i].name);
        buffer_append_u8(to, ':');
        buffer_append_bytes(to, properties->items[i].value);
    }
    buffer_append_u8(to, '}');
}
