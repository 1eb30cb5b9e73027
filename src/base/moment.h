/* moment.h -- moments as people write them, to and from nanoseconds since 1970 (UTC).
 *
 * Grammar (DESIGN section 5): RFC 3339 `2026-11-21T10:00:00[.frac up to 9](Z|+hh:mm|-hh:mm)` (a
 * blank or lower-case t/z is accepted), a date `2026-11-21` (its midnight UTC), a date and
 * hour:minute[:second] without zone (UTC), `now`, relative
 * `-1h`, `-1h30m`, `-30d`, `+5s` (units ns us ms s m h d w y = 365 d; at most 8 terms), and
 * `@<integer>[unit]` with unit s, ms, us, ns (none: s).  Years 1677..2262; leap seconds are refused
 * with a hint; what does not fit 64 bits is refused.
 */
#ifndef YORE_BASE_MOMENT_H
#define YORE_BASE_MOMENT_H

#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"

/* Parse `text`.  `now` resolves relative moments; the word `now` gives YORE_NOW, `-`
 * YORE_TIME_MIN.  What moment_format() writes is read as what it was, but for "forever".
 * Errors: YORE_INVALID, text names the text, the position and what was expected. */
enum yore_status moment_parse(struct yore_bytes text, int64_t now, int64_t *moment_out,
                              struct yore_error *error_out);

/* The same of an end, which may also be the word `forever`: YORE_FOREVER.  Apart, because as a
 * moment to look at, to write from or to trim at that would be now. */
enum yore_status moment_parse_end(struct yore_bytes text, int64_t now, int64_t *end_out,
                                  struct yore_error *error_out);

/* A duration such as `90s`, `1h30m`, `30d`, `250ms`: nanoseconds > 0. */
enum yore_status duration_parse(struct yore_bytes text, int64_t *duration_out,
                                struct yore_error *error_out);

/* RFC 3339 in UTC with as many of 0, 3, 6 or 9 fraction digits as needed: "2026-11-21T10:00:00.25Z"
 * is never written, ".250Z" is.  YORE_FOREVER gives "forever"; YORE_TIME_MIN "-".  Returns `text`.
 */
#define MOMENT_TEXT_BYTES 40
char *moment_format(int64_t moment, char text[MOMENT_TEXT_BYTES]);

#endif
