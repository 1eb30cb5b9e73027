/* args.h -- numbers and words of a request.  Pure; any thread. */
#ifndef YORE_COMMAND_ARGS_H
#define YORE_COMMAND_ARGS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

/* The whole of `text` is a canonical decimal integer ("-5", "0"; never "+5", "05", "5 ", "-0"). */
bool args_int(struct yore_bytes text, int64_t *number_out);
bool args_uint(struct yore_bytes text, uint64_t *number_out);
/* The whole of `text` is a number as strtold() reads it, without blanks, and not nan. */
bool args_long_double(struct yore_bytes text, long double *number_out);
bool args_double(struct yore_bytes text, double *number_out);
/* Equal but for the case of ASCII letters; `word` is lower or upper case. */
bool args_is(struct yore_bytes text, const char *word);
bool args_same(struct yore_bytes a, struct yore_bytes b);
struct yore_bytes args_text(const char *text);
/* "1", "-17": `number` as text; returns its size. */
#define ARGS_INT_BYTES 24
size_t args_int_text(int64_t number, char text[ARGS_INT_BYTES]);

#endif
