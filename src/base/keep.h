/* keep.h -- what a keyspace keeps, as words: `all`, `now`, or a duration. */
#ifndef YORE_BASE_KEEP_H
#define YORE_BASE_KEEP_H

#include <yore/yore.h>

#include "base/bytes.h"
#include "base/status.h"

#define KEEP_TEXT_BYTES 64

/* The largest units that give the duration exactly: "30d", "1h30m". */
char *keep_format(const struct yore_keyspace_options *options, char text[KEEP_TEXT_BYTES]);

enum yore_status keep_of_text(struct yore_bytes text, struct yore_keyspace_options *options_out,
                              struct yore_error *error_out);

/* "default", "none", "lz4", "zstd" */
const char *compression_word(enum yore_compression compression);
enum yore_status compression_of_text(struct yore_bytes text, enum yore_compression *compression_out,
                                     struct yore_error *error_out);

#endif
