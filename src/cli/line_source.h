/* line_source.h -- the lines of a file or of standard input, zstd undone where the content says so.
 */
#ifndef YORE_CLI_LINE_SOURCE_H
#define YORE_CLI_LINE_SOURCE_H

#include <stdint.h>
#include <stdio.h>

#include "base/bytes.h"
#include "base/status.h"

/* A line is at most this long: the largest value as base64 and some more. */
#define LINE_BYTES_MAX (512u << 20)

struct line_source;

/* Read from `stream` (kept open, not closed); `name` is for errors and must outlive the source.
 * Errors: YORE_NOMEM, YORE_IO, YORE_CORRUPT (damaged zstd). */
enum yore_status line_source_open(FILE *stream, const char *name, struct line_source **source_out,
                                  struct yore_error *error_out);
void line_source_close(struct line_source *source);

/* The next line without its newline (a carriage return stays); borrowed until the next call.
 * YORE_NOT_FOUND after the last.  Errors: YORE_IO, YORE_CORRUPT, YORE_TOO_BIG, YORE_NOMEM; text
 * names the file and the line. */
enum yore_status line_source_next(struct line_source *source, struct yore_bytes *line_out,
                                  struct yore_error *error_out);
/* What line_source_next() will return first, as far as it is buffered; to look at the content. */
enum yore_status line_source_peek(struct line_source *source, struct yore_bytes *line_out,
                                  struct yore_error *error_out);

uint64_t line_source_number(const struct line_source *source); /* of the last line, from 1 */
const char *line_source_name(const struct line_source *source);
/* Octets of the file read so far, compressed ones as they are. */
uint64_t line_source_bytes_read(const struct line_source *source);

#endif
