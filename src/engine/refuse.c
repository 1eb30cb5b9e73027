/* refuse.c -- see refuse.h. */
#include "engine/refuse.h"

#include <stdio.h>

#define NS_PER_MS 1000000
#define SPAN_TEXT_BYTES 32

const char *moment_told(int64_t moment, char text[MOMENT_TEXT_BYTES])
{
    return moment <= YORE_TIME_MIN ? "the beginning of time" : moment_format(moment, text);
}

/* In milliseconds where that is exact: the unit the option is thought of in. */
static const char *span_told(int64_t ns, char text[SPAN_TEXT_BYTES])
{
    bool is_ms = ns % NS_PER_MS == 0;
    (void)snprintf(text, SPAN_TEXT_BYTES, "%lld %s", (long long)(is_ms ? ns / NS_PER_MS : ns),
                   is_ms ? "ms" : "ns");
    return text;
}

enum yore_status refuse_dropped(const struct yore_keyspace *keyspace, struct yore_error *error_out)
{
    char text[MOMENT_TEXT_BYTES];
    int64_t dropped_at = atomic_load_explicit(&keyspace->dropped_at, memory_order_acquire);
    return error_set(error_out, YORE_NOT_FOUND,
                     "keyspace %s was dropped at %s: only its past can be read, as of a moment "
                     "before that",
                     keyspace->name, moment_told(dropped_at, text));
}

enum yore_status refuse_before_horizon(const struct yore_keyspace *keyspace, const char *what,
                                       int64_t moment, int64_t horizon,
                                       struct yore_error *error_out)
{
    char texts[2][MOMENT_TEXT_BYTES];
    return error_set(error_out, YORE_BEFORE_HORIZON,
                     "%s %s is earlier than the horizon of keyspace %s, %s: nothing earlier is "
                     "kept; name that moment or a later one",
                     what, moment_told(moment, texts[0]), keyspace->name,
                     moment_told(horizon, texts[1]));
}

enum yore_status refuse_empty_path(const char *what, struct yore_error *error_out)
{
    return error_set(error_out, YORE_INVALID,
                     "the path of the %s is empty: name its directory (\".\" is the working "
                     "directory)",
                     what);
}

enum yore_status refuse_ahead(struct yore_db *db, const char *what, int64_t moment,
                              struct yore_error *error_out)
{
    char texts[2][MOMENT_TEXT_BYTES];
    char span[SPAN_TEXT_BYTES];
    return error_set(error_out, YORE_IN_FUTURE,
                     "%s %s is later than now, %s: at most %s ahead of the wall clock are allowed",
                     what, moment_told(moment, texts[0]), moment_told(db_now(db), texts[1]),
                     span_told(db->options.clock_skew_max_ns, span));
}

enum yore_status refuse_known(int64_t known, int64_t now, struct yore_error *error_out)
{
    char texts[2][MOMENT_TEXT_BYTES];
    return error_set(error_out, YORE_IN_FUTURE,
                     "known time %s is later than now, %s: nobody can tell yet what will be known; "
                     "name an earlier one, or none",
                     moment_told(known, texts[0]), moment_told(now, texts[1]));
}

enum yore_status refuse_end(const char *what, const char *how, int64_t from, int64_t to,
                            struct yore_error *error_out)
{
    char texts[2][MOMENT_TEXT_BYTES];
    return error_set(error_out, YORE_INVALID, "%s %s must be %s the begin, %s", what,
                     moment_told(to, texts[0]), how, moment_told(from, texts[1]));
}
