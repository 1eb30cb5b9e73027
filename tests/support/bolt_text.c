#include "support/bolt_text.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/test.h"

static const struct {
    const char *name;
    unsigned char signature;
} NAMES[] = {{"HELLO", 0x01},  {"GOODBYE", 0x02},   {"RESET", 0x0F},    {"RUN", 0x10},
             {"BEGIN", 0x11},  {"COMMIT", 0x12},    {"ROLLBACK", 0x13}, {"DISCARD", 0x2F},
             {"PULL", 0x3F},   {"TELEMETRY", 0x54}, {"ROUTE", 0x66},    {"LOGON", 0x6A},
             {"LOGOFF", 0x6B}, {"SUCCESS", 0x70},   {"RECORD", 0x71},   {"IGNORED", 0x7E},
             {"FAILURE", 0x7F}};
#define NAME_COUNT (sizeof(NAMES) / sizeof(NAMES[0]))

/* ---- writing ----------------------------------------------------------------------------------
 */

struct pen {
    const char *at;
    unsigned char *to;
    size_t size;
    size_t room;
};

static void put(struct pen *pen, unsigned octet)
{
    CHECK(pen->size < pen->room);
    pen->to[pen->size++] = (unsigned char)octet;
}

static void put_big(struct pen *pen, uint64_t number, int size)
{
    for (int i = size - 1; i >= 0; i--) {
        put(pen, (unsigned)(number >> (8 * i)) & 0xFF);
    }
}

static void skip(struct pen *pen)
{
    while (isspace((unsigned char)*pen->at) || *pen->at == ',' || *pen->at == ':') {
        pen->at++;
    }
}

static void put_value(struct pen *pen);

/* Items up to `end`; how many. */
static unsigned put_items(struct pen *pen, char end)
{
    unsigned count = 0;
    for (skip(pen); *pen->at != end; skip(pen)) {
        CHECK_MSG(*pen->at != '\0', "the text ends inside of a value");
        put_value(pen);
        count++;
    }
    pen->at++;
    return count;
}

/* A count of 32 bits is written first and filled in. */
static void put_collection(struct pen *pen, unsigned marker, char end, unsigned per_item)
{
    pen->at++;
    put(pen, marker);
    size_t place = pen->size;
    put_big(pen, 0, 4);
    unsigned count = put_items(pen, end) / per_item;
    size_t behind = pen->size;
    pen->size = place;
    put_big(pen, count, 4);
    pen->size = behind;
}

static void put_string(struct pen *pen)
{
    const char *end = strchr(++pen->at, '\'');
    CHECK_MSG(end != NULL, "a string does not end");
    size_t size = (size_t)(end - pen->at);
    put(pen, 0xD2);
    put_big(pen, size, 4);
    for (size_t i = 0; i < size; i++) {
        put(pen, (unsigned char)pen->at[i]);
    }
    pen->at = end + 1;
}

static void put_number(struct pen *pen)
{
    char *end = NULL;
    size_t size = strspn(pen->at, "+-0123456789.eE");
    if (memchr(pen->at, '.', size) != NULL) {
        double real = strtod(pen->at, &end);
        uint64_t bits;
        memcpy(&bits, &real, sizeof(bits));
        put(pen, 0xC1);
        put_big(pen, bits, 8);
    } else {
        put(pen, 0xCB);
        put_big(pen, (uint64_t)strtoll(pen->at, &end, 10), 8);
    }
    pen->at = end;
}

static void put_octets(struct pen *pen)
{
    pen->at++;
    size_t size = strspn(pen->at, "0123456789abcdef") / 2;
    put(pen, 0xCC);
    put(pen, (unsigned)size);
    for (size_t i = 0; i < size; i++, pen->at += 2) {
        char pair[3] = {pen->at[0], pen->at[1], '\0'};
        put(pen, (unsigned)strtoul(pair, NULL, 16));
    }
}

static bool take_word(struct pen *pen, const char *word)
{
    size_t size = strlen(word);
    if (strncmp(pen->at, word, size) != 0 || isalnum((unsigned char)pen->at[size])) {
        return false;
    }
    pen->at += size;
    return true;
}

static void put_name(struct pen *pen)
{
    size_t size =
        strspn(pen->at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789");
    CHECK_MSG(size > 0, "what is that: %s", pen->at);
    put(pen, 0xD0);
    put(pen, (unsigned)size);
    for (size_t i = 0; i < size; i++) {
        put(pen, (unsigned char)pen->at[i]);
    }
    pen->at += size;
}

static void put_value(struct pen *pen)
{
    skip(pen);
    if (*pen->at == '\'') {
        put_string(pen);
    } else if (*pen->at == '[') {
        put_collection(pen, 0xD6, ']', 1);
    } else if (*pen->at == '{') {
        put_collection(pen, 0xDA, '}', 2);
    } else if (*pen->at == '#') {
        put_octets(pen);
    } else if (isdigit((unsigned char)*pen->at) || *pen->at == '-') {
        put_number(pen);
    } else if (take_word(pen, "null")) {
        put(pen, 0xC0);
    } else if (take_word(pen, "true")) {
        put(pen, 0xC3);
    } else if (take_word(pen, "false")) {
        put(pen, 0xC2);
    } else if (pen->at[1] == '(') {
        unsigned signature = (unsigned char)*pen->at;
        size_t place = pen->size;
        put(pen, 0);
        put(pen, signature);
        pen->at += 2;
        pen->to[place] = (unsigned char)(0xB0 | put_items(pen, ')'));
    } else {
        put_name(pen);
    }
}

size_t bolt_write(const char *text, unsigned char *to, size_t room)
{
    struct pen pen = {text, to, 0, room};
    size_t i = 0;
    while (i < NAME_COUNT && !take_word(&pen, NAMES[i].name)) {
        i++;
    }
    CHECK_MSG(i < NAME_COUNT, "no message is called that: %s", text);
    put(&pen, 0);
    put(&pen, NAMES[i].signature);
    pen.to[0] = (unsigned char)(0xB0 | put_items(&pen, '\0'));
    return pen.size;
}

size_t bolt_write_chunk(const char *text, unsigned char *to, size_t room)
{
    CHECK(room > 4);
    size_t size = bolt_write(text, to + 2, room - 4);
    CHECK(size <= 65535);
    to[0] = (unsigned char)(size >> 8);
    to[1] = (unsigned char)size;
    to[size + 2] = 0;
    to[size + 3] = 0;
    return size + 4;
}

/* ---- reading ----------------------------------------------------------------------------------
 */

struct eye {
    const unsigned char *at;
    const unsigned char *end;
    char *text;
    size_t size;
    size_t room;
    bool is_bad;
};

__attribute__((format(printf, 2, 3))) static void say(struct eye *eye, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(eye->text + eye->size, eye->room - eye->size, format, arguments);
    va_end(arguments);
    if (size < 0 || (size_t)size >= eye->room - eye->size) {
        eye->is_bad = true;
        return;
    }
    eye->size += (size_t)size;
}

static uint64_t take(struct eye *eye, size_t size)
{
    uint64_t number = 0;
    if ((size_t)(eye->end - eye->at) < size) {
        eye->is_bad = true;
        eye->at = eye->end;
        return 0;
    }
    for (size_t i = 0; i < size; i++) {
        number = number << 8 | *eye->at++;
    }
    return number;
}

static void tell(struct eye *eye);

static void tell_string(struct eye *eye, uint64_t size, const char *quote)
{
    if ((uint64_t)(eye->end - eye->at) < size) {
        eye->is_bad = true;
        return;
    }
    say(eye, "%s%.*s%s", quote, (int)size, (const char *)eye->at, quote);
    eye->at += size;
}

static void tell_list(struct eye *eye, uint64_t count)
{
    say(eye, "[");
    for (uint64_t i = 0; i < count && !eye->is_bad; i++) {
        say(eye, "%s", i > 0 ? ", " : "");
        tell(eye);
    }
    say(eye, "]");
}

static bool is_fickle(const char *name)
{
    static const char *const names[] = {"t_first", "t_last", "bookmark", "server", "connection_id"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(name, names[i]) == 0) {
            return true;
        }
    }
    return false;
}

static void tell_map(struct eye *eye, uint64_t count)
{
    say(eye, "{");
    for (uint64_t i = 0; i < count && !eye->is_bad; i++) {
        say(eye, "%s", i > 0 ? ", " : "");
        uint64_t marker = take(eye, 1);
        uint64_t size = marker == 0xD0 ? take(eye, 1) : marker & 0x0F;
        eye->is_bad = eye->is_bad || (marker != 0xD0 && (marker & 0xF0) != 0x80);
        size_t name = eye->size;
        tell_string(eye, size, "");
        bool hides = !eye->is_bad && is_fickle(eye->text + name);
        say(eye, ": ");
        size_t value = eye->size;
        tell(eye);
        if (hides && !eye->is_bad) {
            eye->size = value;
            say(eye, "_");
        }
    }
    say(eye, "}");
}

static void tell_structure(struct eye *eye, unsigned fields)
{
    say(eye, "%c(", (int)take(eye, 1));
    for (unsigned i = 0; i < fields && !eye->is_bad; i++) {
        say(eye, "%s", i > 0 ? ", " : "");
        tell(eye);
    }
    say(eye, ")");
}

static void tell_float(struct eye *eye)
{
    uint64_t bits = take(eye, 8);
    double real;
    memcpy(&real, &bits, sizeof(real));
    say(eye, "%.17g%s", real, real == (double)(int64_t)real ? ".0" : "");
}

/* Markers from C0 on. */
static void tell_marked(struct eye *eye, unsigned marker)
{
    static const size_t sizes[] = {1, 2, 4};
    switch (marker) {
    case 0xC0:
        say(eye, "null");
        break;
    case 0xC1:
        tell_float(eye);
        break;
    case 0xC2:
    case 0xC3:
        say(eye, marker == 0xC3 ? "true" : "false");
        break;
    case 0xC8:
        say(eye, "%d", (int)(int8_t)take(eye, 1));
        break;
    case 0xC9:
        say(eye, "%d", (int)(int16_t)take(eye, 2));
        break;
    case 0xCA:
        say(eye, "%d", (int)(int32_t)take(eye, 4));
        break;
    case 0xCB:
        say(eye, "%" PRId64, (int64_t)take(eye, 8));
        break;
    default:
        if (marker >= 0xD0 && marker <= 0xD2) {
            tell_string(eye, take(eye, sizes[marker - 0xD0]), "'");
        } else if (marker >= 0xD4 && marker <= 0xD6) {
            tell_list(eye, take(eye, sizes[marker - 0xD4]));
        } else if (marker >= 0xD8 && marker <= 0xDA) {
            tell_map(eye, take(eye, sizes[marker - 0xD8]));
        } else {
            eye->is_bad = true;
        }
        break;
    }
}

static void tell(struct eye *eye)
{
    unsigned marker = (unsigned)take(eye, 1);
    if (eye->is_bad) {
        return;
    }
    if (marker <= 0x7F || marker >= 0xF0) {
        say(eye, "%d", (int)(int8_t)marker);
    } else if (marker <= 0x8F) {
        tell_string(eye, marker & 0x0F, "'");
    } else if (marker <= 0x9F) {
        tell_list(eye, marker & 0x0F);
    } else if (marker <= 0xAF) {
        tell_map(eye, marker & 0x0F);
    } else if (marker <= 0xBF) {
        tell_structure(eye, marker & 0x0F);
    } else {
        tell_marked(eye, marker);
    }
}

bool bolt_read(const unsigned char *message, size_t size, char *text, size_t room)
{
    struct eye eye = {message, message + size, text, 0, room, false};
    unsigned marker = (unsigned)take(&eye, 1);
    unsigned signature = (unsigned)take(&eye, 1);
    const char *name = NULL;
    for (size_t i = 0; i < NAME_COUNT; i++) {
        name = NAMES[i].signature == signature ? NAMES[i].name : name;
    }
    if (eye.is_bad || (marker & 0xF0) != 0xB0 || name == NULL) {
        return false;
    }
    say(&eye, "%s", name);
    for (unsigned i = 0; i < (marker & 0x0F) && !eye.is_bad; i++) {
        say(&eye, " ");
        tell(&eye);
    }
    return !eye.is_bad && eye.at == eye.end;
}
