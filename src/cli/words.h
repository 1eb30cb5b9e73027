/* words.h -- keys and values as they come from the command line, and ranges of keys. */
#ifndef YORE_CLI_WORDS_H
#define YORE_CLI_WORDS_H

#include "base/buffer.h"
#include "cli/cli.h"

/* The octets of `word`: itself, or with --base64 what it stands for, put into `store` (released by
 * the caller).  `what` names the word in errors.  Errors: YORE_INVALID. */
enum yore_status word_bytes(const struct args *args, const char *what, const char *word,
                            struct buffer *store, struct yore_bytes *bytes_out,
                            struct yore_error *error_out);

/* --prefix, --low and --high; the words or `store` hold the octets. */
struct word_range {
    struct yore_range range;
    struct buffer prefix;
    struct buffer low;
    struct buffer high;
};
enum yore_status word_range(const struct args *args, struct word_range *range_out,
                            struct yore_error *error_out);
void word_range_release(struct word_range *range);

/* The file `name` to read; "-" is `standard`, unless that is NULL.  Errors: YORE_NOT_FOUND,
 * YORE_IO. */
enum yore_status open_stream(const char *name, FILE *standard, FILE **stream_out,
                             struct yore_error *error_out);
/* Can the file `name` be read, as far as can be told without taking anything of it?  "-" can.
 * Errors: YORE_NOT_FOUND, YORE_INVALID (a directory), YORE_IO. */
enum yore_status check_file(struct os_env *env, const char *name, struct yore_error *error_out);
/* A whole stream, at most `size_max` octets.  `name` is for errors.
 * Errors: YORE_IO; YORE_TOO_BIG; YORE_NOMEM. */
enum yore_status read_stream(FILE *stream, const char *name, size_t size_max, struct buffer *to,
                             struct yore_error *error_out);

#endif
