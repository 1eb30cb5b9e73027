#include "base/status.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/bytes.h"

#ifndef YORE_VERSION_STRING
#define YORE_VERSION_STRING "0.1.0"
#endif

#define KEY_TEXT_OCTETS_MAX 48
#define LONG_TEXT_BYTES 9216 /* two paths and what is wrong with them */
static_assert((size_t)KEY_TEXT_OCTETS_MAX * 4 + sizeof("...") <= KEY_TEXT_BYTES,
              "escaped key fits");

const char *yore_status_name(enum yore_status status)
{
    switch (status) {
#define STATUS_NAME(name, number, message)                                                         \
    case YORE_##name:                                                                              \
        return #name;
        YORE_STATUS_LIST(STATUS_NAME)
#undef STATUS_NAME
    }
    return "UNKNOWN";
}

const char *yore_status_message(enum yore_status status)
{
    switch (status) {
#define STATUS_MESSAGE(name, number, message)                                                      \
    case YORE_##name:                                                                              \
        return message;
        YORE_STATUS_LIST(STATUS_MESSAGE)
#undef STATUS_MESSAGE
    }
    return "unknown status";
}

const char *yore_version(void)
{
    return YORE_VERSION_STRING;
}

/* Of a text that is too long the middle goes: a path is at its begin, the cause at its end. */
__attribute__((format(printf, 2, 0))) static void write_ends(char *text, const char *format,
                                                             va_list args)
{
    static const char gap[] = "...";
    char whole[LONG_TEXT_BYTES];
    size_t head = YORE_ERROR_TEXT_BYTES / 4;
    size_t tail = YORE_ERROR_TEXT_BYTES - head - (sizeof gap - 1); /* the zero included */
    (void)vsnprintf(whole, sizeof whole, format, args);
    memcpy(text, whole, head);
    memcpy(text + head, gap, sizeof gap - 1);
    memcpy(text + head + sizeof gap - 1, whole + strlen(whole) + 1 - tail, tail);
}

enum yore_status error_set(struct yore_error *error_out, enum yore_status status,
                           const char *format, ...)
{
    if (error_out != NULL) {
        va_list args;
        va_start(args, format);
        int size = vsnprintf(error_out->text, sizeof(error_out->text), format, args);
        va_end(args);
        error_out->status = status;
        if (size < 0) {
            error_out->text[0] = '\0';
        } else if ((size_t)size >= sizeof(error_out->text)) {
            va_start(args, format);
            write_ends(error_out->text, format, args);
            va_end(args);
        }
    }
    return status;
}

enum yore_status error_keep(struct yore_error *failure, enum yore_status status,
                            struct yore_error *error_out)
{
    if (status == YORE_OK || status == YORE_NOT_FOUND) {
        error_clear(failure);
        error_clear(error_out);
        return status;
    }
    if (failure->status != status) {
        error_plain(failure, status);
    }
    if (error_out != NULL) {
        *error_out = *failure;
    }
    return status;
}

enum yore_status error_null(struct yore_error *error_out, const char *function, const char *names)
{
    return error_set(error_out, YORE_INVALID, "%s: NULL where something must be given: %s",
                     function, names);
}

enum yore_status error_plain(struct yore_error *error_out, enum yore_status status)
{
    if (status == YORE_OK) {
        error_clear(error_out);
        return status;
    }
    if (error_out != NULL) { /* copied, not printed: a key that is not there is told this way */
        const char *message = yore_status_message(status);
        size_t size = strlen(message) + 1;
        YORE_ASSERT(size <= sizeof(error_out->text));
        error_out->status = status;
        memcpy(error_out->text, message, size);
    }
    return status;
}

void error_clear(struct yore_error *error_out)
{
    if (error_out != NULL) {
        error_out->status = YORE_OK;
        error_out->text[0] = '\0';
    }
}

char *key_text(struct yore_bytes key, char text[KEY_TEXT_BYTES])
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *octets = key.data;
    size_t shown = key.size < KEY_TEXT_OCTETS_MAX ? key.size : KEY_TEXT_OCTETS_MAX;
    char *at = text;
    for (size_t i = 0; i < shown; i++) {
        unsigned char c = octets[i];
        if (c >= 0x20 && c < 0x7f) {
            *at++ = (char)c;
        } else {
            *at++ = '\\';
            *at++ = 'x';
            *at++ = digits[c >> 4];
            *at++ = digits[c & 15];
        }
    }
    memcpy(at, key.size > shown ? "..." : "", key.size > shown ? 4 : 1);
    return text;
}
