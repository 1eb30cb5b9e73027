#include "query/number.h"

#include <float.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FLOAT_DIGITS_MAX 17       /* enough for any binary64 to read back */
#define FLOAT_POSITIONAL_MAX 16   /* digits before the point, beyond: an exponent */
#define FLOAT_POSITIONAL_MIN (-5) /* the exponent of 0.00001 */
#define FLOAT_READ_BYTES_MAX 1100 /* the longest text of a number that is read whole */
#define FRACTION_DIGITS_MAX 18

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* ---- decimals ---- */

static long double power_of_ten(unsigned exponent)
{
    long double power = 1;
    for (unsigned i = 0; i < exponent; i++) {
        power *= 10;
    }
    return power;
}

bool decimal_read(struct yore_bytes text, struct decimal *decimal_out, size_t *size_out)
{
    const char *at = text.data;
    size_t i = 0;
    bool is_negative = text.size > 0 && at[0] == '-';
    if (text.size > 0 && (at[0] == '-' || at[0] == '+')) {
        i = 1;
    }
    size_t first = i;
    int64_t whole = 0;
    for (; i < text.size && is_digit(at[i]); i++) {
        if (__builtin_mul_overflow(whole, 10, &whole) ||
            __builtin_add_overflow(whole, at[i] - '0', &whole)) {
            return false;
        }
    }
    if (i == first) {
        return false;
    }
    uint64_t numerator = 0;
    unsigned digits = 0;
    if (i + 1 < text.size && (at[i] == '.' || at[i] == ',') && is_digit(at[i + 1])) {
        for (i++; i < text.size && is_digit(at[i]); i++) {
            if (digits < FRACTION_DIGITS_MAX) {
                numerator = numerator * 10 + (uint64_t)(at[i] - '0');
                digits++;
            }
        }
    }
    long double fraction = (long double)numerator / power_of_ten(digits);
    decimal_out->whole = is_negative ? -whole : whole;
    decimal_out->fraction = is_negative ? -fraction : fraction;
    *size_out = i;
    return true;
}

/* ---- floats ---- */

/* The shortest digits "d.ddd" of a finite number that read back, and its exponent of ten.  What is
 * told by up to DBL_DIG digits is printed so with that many, and zeros behind; subnormal numbers
 * hold less. */
struct shortest {
    char digits[FLOAT_DIGITS_MAX + 1];
    int digit_count;
    int exponent;
};

static struct shortest shortest_of(double magnitude)
{
    struct shortest s = {.digit_count = 0};
    char text[FLOAT_TEXT_BYTES];
    int precision = magnitude >= DBL_MIN ? DBL_DIG - 1 : 0; /* digits behind the first */
    for (; precision < FLOAT_DIGITS_MAX; precision++) {
        (void)snprintf(text, sizeof(text), "%.*e", precision, magnitude);
        if (strtod(text, NULL) == magnitude) {
            break;
        }
    }
    const char *at = text;
    for (; *at != 'e' && *at != '\0'; at++) {
        if (is_digit(*at)) {
            s.digits[s.digit_count++] = *at;
        }
    }
    s.exponent = *at == 'e' ? (int)strtol(at + 1, NULL, 10) : 0;
    while (s.digit_count > 1 && s.digits[s.digit_count - 1] == '0') {
        s.digit_count--;
    }
    return s;
}

static size_t write_positional(const struct shortest *s, char *to)
{
    size_t size = 0;
    int point = s->exponent + 1; /* digits before the point */
    if (point <= 0) {
        to[size++] = '0';
        to[size++] = '.';
        for (int i = point; i < 0; i++) {
            to[size++] = '0';
        }
    }
    for (int i = 0; i < s->digit_count || i < point; i++) {
        if (i == point && point > 0) {
            to[size++] = '.';
        }
        to[size++] = i < s->digit_count ? s->digits[i] : '0';
    }
    if (point >= s->digit_count) {
        to[size++] = '.';
        to[size++] = '0';
    }
    return size;
}

static size_t write_scientific(const struct shortest *s, char *to)
{
    size_t size = 0;
    to[size++] = s->digits[0];
    to[size++] = '.';
    if (s->digit_count == 1) {
        to[size++] = '0';
    }
    for (int i = 1; i < s->digit_count; i++) {
        to[size++] = s->digits[i];
    }
    return size + (size_t)snprintf(to + size, 8, "e%d", s->exponent);
}

size_t float_write(double real, char text[FLOAT_TEXT_BYTES])
{
    if (isnan(real)) {
        memcpy(text, "NaN", sizeof("NaN"));
        return 3;
    }
    size_t size = 0;
    if (signbit(real)) {
        text[size++] = '-';
        real = -real;
    }
    if (isinf(real)) {
        memcpy(text + size, "Infinity", sizeof("Infinity"));
        return size + 8;
    }
    struct shortest s = shortest_of(real);
    bool is_positional = s.exponent >= FLOAT_POSITIONAL_MIN && s.exponent < FLOAT_POSITIONAL_MAX;
    size += is_positional ? write_positional(&s, text + size) : write_scientific(&s, text + size);
    text[size] = '\0';
    return size;
}

size_t integer_write(int64_t integer, char text[FLOAT_TEXT_BYTES])
{
    return (size_t)snprintf(text, FLOAT_TEXT_BYTES, "%lld", (long long)integer);
}

bool decimal_of_float(double real, struct decimal *decimal_out)
{
    if (!(real > -9.2e18 && real < 9.2e18)) {
        return false;
    }
    char text[FLOAT_TEXT_BYTES];
    size_t size = float_write(real, text);
    size_t used = 0;
    if (memchr(text, 'e', size) == NULL) {
        return decimal_read(bytes_of(text, size), decimal_out, &used);
    }
    double whole = trunc(real);
    decimal_out->whole = (int64_t)whole;
    decimal_out->fraction = (long double)real - (long double)whole;
    return true;
}

bool integer_read(struct yore_bytes text, int64_t *integer_out)
{
    const char *at = text.data;
    size_t i = text.size > 0 && (at[0] == '-' || at[0] == '+') ? 1 : 0;
    bool is_negative = i == 1 && at[0] == '-';
    if (i == text.size) {
        return false;
    }
    int64_t value = 0;
    for (; i < text.size; i++) {
        int digit = is_digit(at[i]) ? at[i] - '0' : -1;
        if (digit < 0 || __builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, is_negative ? -digit : digit, &value)) {
            return false;
        }
    }
    *integer_out = value;
    return true;
}

/* Whether `text` is digits[.digits][e[+-]digits] or .digits...: strtod() takes more than that. */
static bool is_float(const char *at, size_t size)
{
    size_t i = 0;
    size_t digits = 0;
    for (; i < size && is_digit(at[i]); i++) {
        digits++;
    }
    if (i < size && at[i] == '.') {
        for (i++; i < size && is_digit(at[i]); i++) {
            digits++;
        }
    }
    if (digits == 0) {
        return false;
    }
    if (i < size && (at[i] == 'e' || at[i] == 'E')) {
        i++;
        if (i < size && (at[i] == '-' || at[i] == '+')) {
            i++;
        }
        size_t exponent = i;
        while (i < size && is_digit(at[i])) {
            i++;
        }
        if (i == exponent) {
            return false;
        }
    }
    return i == size;
}

/* strtod() wants the point of the locale. */
static double read_number(const char *at, size_t size)
{
    char text[FLOAT_READ_BYTES_MAX + 8];
    const char *point = localeconv()->decimal_point;
    size_t to = 0;
    for (size_t i = 0; i < size; i++) {
        if (at[i] != '.') {
            text[to++] = at[i];
            continue;
        }
        size_t point_size = strlen(point);
        if (point_size == 0 || point_size > 7) {
            point = ".";
            point_size = 1;
        }
        memcpy(text + to, point, point_size);
        to += point_size;
    }
    text[to] = '\0';
    return strtod(text, NULL);
}

bool float_read(struct yore_bytes text, double *real_out)
{
    const char *at = text.data;
    size_t skip = text.size > 0 && (at[0] == '-' || at[0] == '+') ? 1 : 0;
    bool is_negative = skip == 1 && at[0] == '-';
    struct yore_bytes rest = bytes_behind(text, skip);
    double real = 0;
    if (bytes_equal(rest, bytes_of("NaN", 3))) {
        real = (double)NAN;
    } else if (bytes_equal(rest, bytes_of("Infinity", 8))) {
        real = (double)INFINITY;
    } else if (rest.size <= FLOAT_READ_BYTES_MAX && is_float(rest.data, rest.size)) {
        real = read_number(rest.data, rest.size);
    } else {
        return false;
    }
    *real_out = is_negative ? -real : real;
    return true;
}
