#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "query/compile_error.h"
#include "query/lexer.h"

static const unsigned char *literal_at(const struct lexer_literal *literal)
{
    return (const unsigned char *)literal->text.data + literal->token->offset;
}

static struct query_place place_in(const struct lexer_literal *literal, uint32_t skip,
                                   uint32_t size)
{
    return (struct query_place){literal->text, {literal->token->offset + skip, size}};
}

static struct query_place place_of(const struct lexer_literal *literal)
{
    return place_in(literal, 0, literal->token->size);
}

static int digit_of(unsigned char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

enum yore_status lexer_integer(const struct lexer_literal *literal, bool is_negative,
                               uint64_t *magnitude_out, struct query_error *error_out)
{
    const unsigned char *at = literal_at(literal);
    const unsigned char *end = at + literal->token->size;
    uint64_t base = 10;
    if (end - at > 2 && at[0] == '0' && (at[1] == 'x' || at[1] == 'X' || at[1] == 'o')) {
        base = at[1] == 'o' ? 8 : 16;
        at += 2;
    }
    uint64_t limit = (uint64_t)INT64_MAX + (is_negative ? 1 : 0);
    uint64_t value = 0;
    for (; at < end; at++) {
        uint64_t digit = (uint64_t)digit_of(*at);
        if (value > (limit - digit) / base) {
            struct query_place place = place_of(literal);
            return compile_error(error_out, &place, "IntegerOverflow",
                                 "the integer does not fit 64 bits");
        }
        value = value * base + digit;
    }
    *magnitude_out = value;
    return YORE_OK;
}

enum yore_status lexer_float(const struct lexer_literal *literal, struct arena *arena,
                             double *value_out, struct query_error *error_out)
{
    /* strtod() takes the decimal point of the program's locale, whatever that is. */
    const char *point = localeconv()->decimal_point;
    size_t point_size = strlen(point);
    size_t size = literal->token->size;
    char *copy = arena_alloc_unaligned(arena, size + point_size + 1);
    if (copy == NULL) {
        return compile_nomem(error_out);
    }
    const unsigned char *from = literal_at(literal);
    char *to = copy;
    for (size_t i = 0; i < size; i++) {
        if (from[i] == '.') {
            memcpy(to, point, point_size);
            to += point_size;
        } else {
            *to++ = (char)from[i];
        }
    }
    *to = '\0';
    *value_out = strtod(copy, NULL);
    if (isinf(*value_out)) {
        struct query_place place = place_of(literal);
        return compile_error(error_out, &place, "FloatingPointOverflow",
                             "the number is greater than any of 64 bits");
    }
    return YORE_OK;
}

/* ---- strings ---------------------------------------------------------------------------------
 */

struct unescape {
    const struct lexer_literal *literal;
    const unsigned char *at; /* behind the backslash */
    const unsigned char *end;
    unsigned char *to;
    struct query_error *error;
};

static enum yore_status unescape_fail(struct unescape *u, const char *detail, const char *problem)
{
    uint32_t skip = (uint32_t)(u->at - 1 - literal_at(u->literal));
    struct query_place place = place_in(u->literal, skip, 2);
    return compile_error(u->error, &place, detail, "%s", problem);
}

static bool read_hex(const unsigned char *at, const unsigned char *end, size_t count,
                     uint32_t *value_out)
{
    if ((size_t)(end - at) < count) {
        return false;
    }
    uint32_t value = 0;
    for (size_t i = 0; i < count; i++) {
        int digit = digit_of(at[i]);
        if (digit < 0) {
            return false;
        }
        value = value << 4 | (uint32_t)digit;
    }
    *value_out = value;
    return true;
}

/* \uXXXX, two of them for a code point beyond 16 bits, or \UXXXXXXXX. */
static enum yore_status unescape_point(struct unescape *u)
{
    size_t count = *u->at == 'u' ? 4 : 8;
    uint32_t point = 0;
    if (!read_hex(u->at + 1, u->end, count, &point)) {
        return unescape_fail(u, "InvalidUnicodeLiteral",
                             count == 4 ? "expected four hexadecimal digits after \\u"
                                        : "expected eight hexadecimal digits after \\U");
    }
    const unsigned char *behind = u->at + 1 + count;
    uint32_t low = 0;
    if (point >= 0xd800 && point <= 0xdbff && u->end - behind >= 6 && behind[0] == '\\' &&
        behind[1] == 'u' && read_hex(behind + 2, u->end, 4, &low) && low >= 0xdc00 &&
        low <= 0xdfff) {
        point = 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00);
        behind += 6;
    }
    if (point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) {
        return unescape_fail(u, "InvalidUnicodeLiteral", "there is no such code point");
    }
    u->to += utf8_encode(u->to, point);
    u->at = behind;
    return YORE_OK;
}

static enum yore_status unescape_one(struct unescape *u)
{
    static const char letters[] = "\\'\"`/bfnrt";
    static const char meanings[] = "\\'\"`/\b\f\n\r\t";
    if (u->at == u->end) {
        return unescape_fail(u, "UnexpectedSyntax", "nothing is escaped here");
    }
    if (*u->at == 'u' || *u->at == 'U') {
        return unescape_point(u);
    }
    unsigned char c = *u->at;
    if (c == 'B' || c == 'F' || c == 'N' || c == 'R' || c == 'T') {
        c = (unsigned char)(c - 'A' + 'a');
    }
    const char *found = c == '\0' ? NULL : strchr(letters, (char)c);
    if (found == NULL) {
        return unescape_fail(u, "UnexpectedSyntax",
                             "unknown escape; a backslash itself is written \\\\");
    }
    *u->to++ = (unsigned char)meanings[found - letters];
    u->at++;
    return YORE_OK;
}

enum yore_status lexer_string(const struct lexer_literal *literal, struct arena *arena,
                              struct yore_bytes *value_out, struct query_error *error_out)
{
    const unsigned char *from = literal_at(literal) + 1;
    size_t size = literal->token->size - 2;
    /* The longest octets for those of an escape: \uXXXX is 6 and at most 3. */
    unsigned char *value = arena_alloc_unaligned(arena, size + 1);
    if (value == NULL) {
        return compile_nomem(error_out);
    }
    struct unescape u = {literal, from, from + size, value, error_out};
    while (u.at < u.end) {
        if (*u.at != '\\') {
            *u.to++ = *u.at++;
            continue;
        }
        u.at++;
        enum yore_status st = unescape_one(&u);
        if (st != YORE_OK) {
            return st;
        }
    }
    *value_out = bytes_of(value, (size_t)(u.to - value));
    return YORE_OK;
}

enum yore_status lexer_name(const struct lexer_literal *literal, struct arena *arena,
                            struct yore_bytes *value_out)
{
    const unsigned char *from = literal_at(literal);
    size_t size = literal->token->size;
    if (literal->token->kind != TOKEN_QUOTED_NAME) {
        *value_out = bytes_of(from, size);
        return YORE_OK;
    }
    from++;
    size -= 2;
    unsigned char *name = arena_alloc_unaligned(arena, size + 1);
    if (name == NULL) {
        return YORE_NOMEM;
    }
    size_t length = 0;
    for (size_t i = 0; i < size; i++) {
        name[length++] = from[i];
        i += from[i] == '`' ? 1 : 0;
    }
    *value_out = bytes_of(name, length);
    return YORE_OK;
}
