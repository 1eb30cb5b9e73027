#include "base/keep.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/moment.h"

static const char *const compression_words[] = {"default", "none", "lz4", "zstd"};
#define COMPRESSION_COUNT (sizeof(compression_words) / sizeof(compression_words[0]))

static_assert(YORE_COMPRESSION_ZSTD == COMPRESSION_COUNT - 1, "a word for each compression");

char *keep_format(const struct yore_keyspace_options *options, char text[KEEP_TEXT_BYTES])
{
    static const struct {
        const char *name;
        int64_t ns;
    } units[] = {{"d", INT64_C(86400000000000)},
                 {"h", INT64_C(3600000000000)},
                 {"m", INT64_C(60000000000)},
                 {"s", 1000000000},
                 {"ms", 1000000},
                 {"us", 1000},
                 {"ns", 1}};
    if (options->keep != YORE_KEEP_FOR) {
        snprintf(text, KEEP_TEXT_BYTES, "%s", options->keep == YORE_KEEP_ALL ? "all" : "now");
        return text;
    }
    int64_t left = options->keep_ns;
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (left >= units[i].ns) {
            used += (size_t)snprintf(text + used, KEEP_TEXT_BYTES - used, "%lld%s",
                                     (long long)(left / units[i].ns), units[i].name);
            left %= units[i].ns;
        }
    }
    return text;
}

enum yore_status keep_of_text(struct yore_bytes text, struct yore_keyspace_options *options_out,
                              struct yore_error *error_out)
{
    struct yore_error cause;
    bool is_all = bytes_equal(text, bytes_of("all", 3));
    if (is_all || bytes_equal(text, bytes_of("now", 3))) {
        options_out->keep = is_all ? YORE_KEEP_ALL : YORE_KEEP_NOW;
        options_out->keep_ns = 0;
        return YORE_OK;
    }
    enum yore_status st = duration_parse(text, &options_out->keep_ns, &cause);
    if (st != YORE_OK) {
        return error_set(error_out, st, "keep is all, now or a duration: %.300s", cause.text);
    }
    options_out->keep = YORE_KEEP_FOR;
    return YORE_OK;
}

const char *compression_word(enum yore_compression compression)
{
    return (size_t)compression < COMPRESSION_COUNT ? compression_words[compression] : "unknown";
}

enum yore_status compression_of_text(struct yore_bytes text, enum yore_compression *compression_out,
                                     struct yore_error *error_out)
{
    for (size_t i = 0; i < COMPRESSION_COUNT; i++) {
        const char *word = compression_words[i];
        if (bytes_are(text, word)) {
            *compression_out = (enum yore_compression)i;
            return YORE_OK;
        }
    }
    return error_set(error_out, YORE_INVALID,
                     "compression is default, none, lz4 or zstd, not '%.*s'",
                     (int)(text.size < 40 ? text.size : 40), (const char *)text.data);
}
