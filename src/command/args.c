/* args.c -- numbers and words of a request. */
#include "command/args.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LONG_DOUBLE_TEXT_MAX 5120 /* longer than any long double written out */

bool args_uint(struct yore_bytes text, uint64_t *number_out)
{
    const unsigned char *at = text.data;
    uint64_t number = 0;
    if (text.size == 0 || text.size > 20 || (at[0] == '0' && text.size > 1)) {
        return false;
    }
    for (size_t i = 0; i < text.size; i++) {
        if (at[i] < '0' || at[i] > '9' || __builtin_mul_overflow(number, 10u, &number) ||
            __builtin_add_overflow(number, (uint64_t)(at[i] - '0'), &number)) {
            return false;
        }
    }
    *number_out = number;
    return true;
}

bool args_int(struct yore_bytes text, int64_t *number_out)
{
    bool is_negative = text.size > 0 && *(const char *)text.data == '-';
    uint64_t number;
    if (!args_uint(bytes_behind(text, is_negative ? 1 : 0), &number)) {
        return false;
    }
    if (is_negative) {
        if (number == 0 || number > (uint64_t)INT64_MAX + 1) {
            return false;
        }
        *number_out = (int64_t)(0 - number);
        return true;
    }
    *number_out = (int64_t)number;
    return number <= INT64_MAX;
}

bool args_long_double(struct yore_bytes text, long double *number_out)
{
    char copy[LONG_DOUBLE_TEXT_MAX];
    if (text.size == 0 || text.size >= sizeof copy || memchr(text.data, 0, text.size) != NULL ||
        strchr(" \t\n\v\f\r", *(const char *)text.data) != NULL) {
        return false;
    }
    memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    char *end;
    errno = 0;
    long double number = strtold(copy, &end);
    if (*end != '\0' || isnan(number) ||
        (errno == ERANGE && (isinf(number) || fpclassify(number) == FP_ZERO))) {
        return false;
    }
    *number_out = number;
    return true;
}

bool args_double(struct yore_bytes text, double *number_out)
{
    long double number;
    if (!args_long_double(text, &number)) {
        return false;
    }
    *number_out = (double)number;
    return true;
}

static unsigned char lower(unsigned char c)
{
    return c >= 'A' && c <= 'Z' ? (unsigned char)(c + 32) : c;
}

bool args_same(struct yore_bytes a, struct yore_bytes b)
{
    const unsigned char *x = a.data;
    const unsigned char *y = b.data;
    if (a.size != b.size) {
        return false;
    }
    for (size_t i = 0; i < a.size; i++) {
        if (lower(x[i]) != lower(y[i])) {
            return false;
        }
    }
    return true;
}

bool args_is(struct yore_bytes text, const char *word)
{
    return args_same(text, args_text(word));
}

struct yore_bytes args_text(const char *text)
{
    return bytes_of(text, strlen(text));
}

size_t args_int_text(int64_t number, char text[ARGS_INT_BYTES])
{
    char reversed[ARGS_INT_BYTES];
    uint64_t left = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
    size_t count = 0;
    size_t size = 0;
    do {
        reversed[count++] = (char)('0' + left % 10);
        left /= 10;
    } while (left > 0);
    if (number < 0) {
        text[size++] = '-';
    }
    while (count > 0) {
        text[size++] = reversed[--count];
    }
    text[size] = '\0';
    return size;
}
