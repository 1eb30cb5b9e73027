/* log_chain.h -- lines of a log that are bound to each other, so that a change shows.
 *
 *     time=... level=info msg=audit user=ann ... outcome=ok chain=<64 hexadecimal digits>
 *     {"time":"...",...,"outcome":"ok","chain":"<64 hexadecimal digits>"}
 *
 * The digits are the SHA-256 of those of the line before, in this file (64 zeros: there is none),
 * and the text of the line up to the blank or comma before `chain`.  A line that has none, as one
 * that a crash cut, counts with all of its text.
 */
#ifndef YORE_SERVER_LOG_CHAIN_H
#define YORE_SERVER_LOG_CHAIN_H

#include <stdio.h>

#include "base/bytes.h"
#include "base/sha256.h"

/* Room that `" chain=..."` or `,"chain":"..."` takes. */
#define LOG_CHAIN_ROOM (SHA256_TEXT_BYTES + 12)

/* What a line's digits are, for its text before them. */
void log_chain_next(const char before[SHA256_TEXT_BYTES], struct yore_bytes text,
                    char chain_out[SHA256_TEXT_BYTES]);
/* The same for a whole line, without its end, as it stands in a file. */
void log_chain_follow(const char before[SHA256_TEXT_BYTES], struct yore_bytes line,
                      char chain_out[SHA256_TEXT_BYTES]);
/* The digits behind which the next line of `file` comes; `*ends_out`: its last line is whole.
 * False: it cannot be read. */
bool log_chain_end(FILE *file, char chain_out[SHA256_TEXT_BYTES], bool *ends_out);

#endif
