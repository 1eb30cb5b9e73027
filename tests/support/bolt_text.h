/* bolt_text.h -- Bolt's messages as text, for tests: `RUN 'RETURN $a AS a' {a: 1} {}` to octets,
 * and octets to `SUCCESS {fields: ['a'], t_first: _}`.
 *
 * Values are null true false 12 1.5 'text' [..] {name: value}, structures D(1, 2) by the letter of
 * their signature, octets #0aff (written only).  An encoder and a decoder of their own, so that
 * what the server's do is held against something.  What differs from run to run is read as _: the
 * values of t_first, t_last, bookmark, server and connection_id. */
#ifndef YORE_TEST_SUPPORT_BOLT_TEXT_H
#define YORE_TEST_SUPPORT_BOLT_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Write one message, without chunks; how many octets.  Ends the test where the text is wrong. */
size_t bolt_write(const char *text, unsigned char *to, size_t room);
/* The same in one chunk (of at most 65535 octets), with its end. */
size_t bolt_write_chunk(const char *text, unsigned char *to, size_t room);
/* Read one message as text.  False: it is no PackStream, or something stands behind it. */
bool bolt_read(const unsigned char *message, size_t size, char *text, size_t room);

#endif
