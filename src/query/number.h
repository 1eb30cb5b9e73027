/* number.h -- numbers as text, whatever the locale of the program is.
 */
#ifndef YORE_QUERY_NUMBER_H
#define YORE_QUERY_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

/* A number as it is written in decimal: whole + fraction, both of the number's sign. */
struct decimal {
    int64_t whole;
    long double fraction; /* -1 < fraction < 1 */
};

/* [+-]digits[.digits]: at most 18 digits of a fraction count.  `*size_out`: the octets that belong
 * to it.  False: there is none at the begin of `text`, or it does not fit. */
bool decimal_read(struct yore_bytes text, struct decimal *decimal_out, size_t *size_out);
/* What is written when `real` is, so that 0.1 is a tenth.  False: NaN, infinite or beyond 2^63. */
bool decimal_of_float(double real, struct decimal *decimal_out);
static inline struct decimal decimal_of_int(int64_t integer)
{
    return (struct decimal){integer, 0};
}

static inline int integer_order(int64_t a, int64_t b)
{
    return a < b ? -1 : a > b;
}

/* An integer in decimal with an optional sign and nothing else. */
bool integer_read(struct yore_bytes text, int64_t *integer_out);
/* [+-]digits[.digits][e[+-]digits], .digits, "NaN", "Infinity" with a sign; nothing else.  Too
 * large gives an infinity. */
bool float_read(struct yore_bytes text, double *real_out);

/* Both write a terminated text and return its size. */
#define FLOAT_TEXT_BYTES 40
size_t integer_write(int64_t integer, char text[FLOAT_TEXT_BYTES]);
/* The shortest text that reads back as `real`, always with a point or an exponent: "1.0", "1e300",
 * "NaN", "Infinity". */
size_t float_write(double real, char text[FLOAT_TEXT_BYTES]);

#endif
