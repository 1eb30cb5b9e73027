/* options.h -- every option of the program in one table, and how words become arguments.
 *
 * Options may stand anywhere after the command; `--` ends them.  `--name value` and `--name=value`
 * are the same, and the value is taken whatever it begins with (`--at -1h`).  A word that begins
 * with `-` and a digit is no option (`yore put db temperature -5`).
 */
#ifndef YORE_CLI_OPTIONS_H
#define YORE_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

/* X(ID, name, short letter or 0, argument or NULL, help) */
#define OPTION_LIST(X)                                                                             \
    X(AT, "at", 0, "TIME", "the moment to read at, or from which a write holds (default: now)")    \
    X(KNOWN, "known", 0, "TIME", "as it was known at TIME (default: everything known)")            \
    X(FROM, "from", 0, "TIME", "the beginning of a span; of feed, the commit before it")           \
    X(TO, "to", 0, "TIME", "the end of a span, itself outside it; of restore, the last commit")    \
    X(TTL, "ttl", 0, "DURATION", "absent again after DURATION (90s, 1h30m, 30d)")                  \
    X(PREFIX, "prefix", 0, "KEY", "only keys that begin with KEY")                                 \
    X(ALL, "all", 0, NULL, "every key of the keyspace")                                            \
    X(LOW, "low", 0, "KEY", "the first key, itself included")                                      \
    X(HIGH, "high", 0, "KEY", "the end of the keys, itself left out")                              \
    X(LIMIT, "limit", 'n', "N", "at most N rows")                                                  \
    X(REVERSE, "reverse", 'r', NULL, "last first")                                                 \
    X(KEYS, "keys", 0, NULL, "keys only")                                                          \
    X(COUNT, "count", 0, NULL, "only how many")                                                    \
    X(EVERY, "every", 0, NULL, "every version, also those corrected or superseded in between")     \
    X(BY_TIME, "by-time", 0, NULL, "in order of time instead of key")                              \
    X(KEYSPACE, "keyspace", 'k', "NAME", "the keyspace (default: \"default\")")                    \
    X(DURABILITY, "durability", 0, "MODE", "sync, interval or none: when a write is acknowledged") \
    X(OUTPUT, "output", 'o', "FORMAT", "table, json, ndjson, csv or raw")                          \
    X(NUL, "null", '0', NULL, "with -o raw: end rows with a NUL instead of a newline")             \
    X(BASE64, "base64", 0, NULL, "keys and values on the command line are base64")                 \
    X(FILE, "file", 'f', "FILE", "take the value from FILE; - is standard input")                  \
    X(FORMAT, "format", 0, "FORMAT",                                                               \
      "events, ndjson, csv or tsv, instead of looking at the content; of a graph as its help "     \
      "says")                                                                                      \
    X(BATCH, "batch", 0, "N", "rows per transaction where the file names none (default 1000)")     \
    X(VALID, "valid", 0, NULL, "date the facts by the times in the file (the default)")            \
    X(AS_NOW, "as-now", 0, NULL,                                                                   \
      "date the facts by their commit; the times in the file are ignored")                         \
    X(KEEP, "keep", 0, "WHAT", "what to keep: all, now, or a duration such as 30d")                \
    X(COMPRESSION, "compression", 0, "NAME", "default, none, lz4 or zstd")                         \
    X(ID, "id", 0, "N", "the number of the backup (default: the latest)")                          \
    X(ROWS, "rows", 0, "N", "rows to write (default 1,000,000)")                                   \
    X(VALUE_BYTES, "value-bytes", 0, "N", "size of a value (default 100)")                         \
    X(WORKLOADS, "workloads", 0, "LIST", "which workloads, separated by commas (default: all)")    \
    X(PARAM, "param", 'p', "NAME=VALUE", "a parameter of the statement; may be given many times")  \
    X(COMMAND, "command", 'c', "LINE", "run LINE and exit; may be given once")                     \
    X(READ_ONLY, "read-only", 0, NULL, "open the database to read: nothing is written")            \
    X(INTERVAL, "interval", 0, "DURATION", "how long from one look to the next (default 1s)")      \
    X(ONCE, "once", 0, NULL, "look for one interval only")                                         \
    X(SOURCE, "source", 0, "NAME", "who says so")                                                  \
    X(RANK, "rank", 0, "N", "whose claim goes first: the greater rank's")                          \
    X(URL, "url", 0, "URL",                                                                        \
      "the database of a server, in place of DIR: yore://[user@]host[:port]")                      \
    X(PASSWORD_FILE, "password-file", 0, "FILE",                                                   \
      "the password for the server is the first line of FILE (default: YORE_PASSWORD)")            \
    X(CACERT, "cacert", 0, "FILE", "of yores://: who may sign the server's certificate (PEM)")     \
    X(CERT, "cert", 0, "FILE", "of yores://: our certificate, for servers that ask (PEM)")         \
    X(CERT_KEY, "cert-key", 0, "FILE", "of yores://: the key of our certificate (PEM)")            \
    X(MAN, "man", 0, NULL, "print the whole manual page in roff")                                  \
    X(COMPLETION, "completion", 0, "SHELL", "print what completes words in bash, zsh or fish")     \
    X(COLOR, "color", 0, "WHEN", "auto, always or never (default auto; NO_COLOR is honoured)")     \
    X(QUIET, "quiet", 'q', NULL, "no progress and no summary")                                     \
    X(HELP, "help", 'h', NULL, "help on the command")

enum option_id {
#define OPTION_ENUM(id, name, letter, argument, help) OPT_##id,
    OPTION_LIST(OPTION_ENUM)
#undef OPTION_ENUM
        OPT_COUNT_OF
};

#define OPTION(id) (UINT64_C(1) << OPT_##id)
/* Taken by every command that works with a server too. */
#define OPTIONS_OF_SERVERS                                                                         \
    (OPTION(URL) | OPTION(PASSWORD_FILE) | OPTION(CACERT) | OPTION(CERT) | OPTION(CERT_KEY))
/* Taken by every command. */
#define OPTIONS_EVERYWHERE (OPTION(COLOR) | OPTION(QUIET) | OPTION(HELP))

struct option_spec {
    const char *name;
    char letter;
    const char *argument; /* NULL: a switch */
    const char *help;
};
extern const struct option_spec option_table[OPT_COUNT_OF];

#define ARGS_PARAMETERS_MAX 64
/* What was written on the command line; borrows the words. */
struct args {
    const char *values[OPT_COUNT_OF]; /* NULL: not given; a switch that was given is "" */
    const char *parameters[ARGS_PARAMETERS_MAX]; /* every --param */
    size_t parameter_count;
    const char **words; /* operands, room for all of argv */
    size_t word_count;
};

static inline bool args_has(const struct args *args, enum option_id id)
{
    return args->values[id] != NULL;
}

/* Sort `count` words of `argv` into `args`, whose `words` has room for all of them.  Only options
 * in `allowed` are taken. Errors: YORE_INVALID, text says which word and names the nearest option.
 */
enum yore_status args_parse(struct args *args, size_t count, char *const *argv, uint64_t allowed,
                            struct yore_error *error_out);

/* Typed values; `*value_out` is left as it is when the option was not given.
 * Errors: YORE_INVALID, text names the option and what it takes. */
enum yore_status args_count(const struct args *args, enum option_id id, uint64_t max,
                            uint64_t *value_out, struct yore_error *error_out);
enum yore_status args_moment(const struct args *args, enum option_id id, int64_t now,
                             int64_t *value_out, struct yore_error *error_out);
enum yore_status args_duration(const struct args *args, enum option_id id, int64_t *value_out,
                               struct yore_error *error_out);
/* One word of `choices` (terminated by NULL); its index. */
enum yore_status args_choice(const struct args *args, enum option_id id, const char *const *choices,
                             size_t *index_out, struct yore_error *error_out);

#endif
