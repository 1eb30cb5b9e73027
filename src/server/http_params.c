/* http_params.c -- is every parameter of a query one that its path knows, well encoded, and a
 * number where it has to be one?  One that is misspelt is refused: passed over, `?AT=` would answer
 * the present, and `PUT ?tll=60` keep for ever. */
#include <stdio.h>
#include <string.h>

#include "base/nearest.h"
#include "server/http_internal.h"

#define PARAM_WORDS_MAX 16u
#define PARAM_NAME_BYTES 32

/* What a route knows, a word each. */
struct known {
    char words[PARAM_WORDS_MAX][PARAM_NAME_BYTES];
    size_t count;
};

static void split(const char *params, struct known *known)
{
    known->count = 0;
    while (*params != '\0' && known->count < PARAM_WORDS_MAX) {
        size_t size = strcspn(params, " ");
        snprintf(known->words[known->count++], PARAM_NAME_BYTES, "%.*s", (int)size, params);
        params += size;
        params += *params == ' ' ? 1 : 0;
    }
}

static const char *word_at(const void *arg, size_t index)
{
    return ((const struct known *)arg)->words[index];
}

static bool is_known(const struct known *known, struct yore_bytes name)
{
    for (size_t i = 0; i < known->count; i++) {
        if (bytes_are(name, known->words[i])) {
            return true;
        }
    }
    return false;
}

/* The next parameter; false: there is none.  Parts that are empty are none. */
static bool next_param(struct yore_bytes query, size_t *at, struct yore_bytes *name_out,
                       struct yore_bytes *value_out)
{
    while (*at < query.size) {
        const char *begin = (const char *)query.data + *at;
        const char *mark = memchr(begin, '&', query.size - *at);
        size_t size = mark != NULL ? (size_t)(mark - begin) : query.size - *at;
        const char *equals = size > 0 ? memchr(begin, '=', size) : NULL;
        *at += size + 1;
        if (size > 0) {
            *name_out = bytes_of(begin, equals != NULL ? (size_t)(equals - begin) : size);
            *value_out = equals != NULL ? bytes_behind(bytes_of(begin, size), name_out->size + 1)
                                        : bytes_of("", 0);
            return true;
        }
    }
    return false;
}

static const char *tell_unknown(const struct known *known, struct yore_bytes name, char *text)
{
    char lower[PARAM_NAME_BYTES] = "";
    const char *at = name.data;
    int size = (int)(name.size < sizeof(lower) - 1 ? name.size : sizeof(lower) - 1);
    for (int i = 0; i < size; i++) {
        lower[i] = at[i] >= 'A' && at[i] <= 'Z' ? (char)(at[i] | 0x20) : at[i];
    }
    const char *near = nearest_word(lower, word_at, known, known->count);
    if (near != NULL) {
        snprintf(text, HTTP_PARAM_PROBLEM_BYTES,
                 "there is no parameter '%.*s' here; did you mean %s?", size, at, near);
    } else {
        snprintf(text, HTTP_PARAM_PROBLEM_BYTES,
                 "there is no parameter '%.*s' here; /openapi.json lists them", size, at);
    }
    return text;
}

static bool is_number(struct yore_bytes text)
{
    const char *at = text.data;
    size_t begin = text.size > 1 && (at[0] == '-' || at[0] == '+') ? 1 : 0;
    for (size_t i = begin; i < text.size; i++) {
        if (at[i] < '0' || at[i] > '9') {
            return false;
        }
    }
    return text.size > 0;
}

/* `value`: decoded.  What a number is too large for, the command says. */
static bool is_fit(const struct known *known, struct yore_bytes name, struct yore_bytes value,
                   char *text)
{
    static const char *const numbers[] = {"limit", "after", "db", "snapshot", "rank"};
    bool is_seconds = bytes_are(name, "ttl") && is_known(known, bytes_of("until", 5));
    bool has_number = is_seconds;
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        has_number = has_number || bytes_are(name, numbers[i]);
    }
    if (!has_number || is_number(value)) {
        return true;
    }
    snprintf(text, HTTP_PARAM_PROBLEM_BYTES, "%.*s is a whole number%s, not '%.*s'", (int)name.size,
             (const char *)name.data, is_seconds ? " of seconds" : "",
             (int)(value.size < 40 ? value.size : 40), (const char *)value.data);
    return false;
}

/* NULL: it may be what it is. */
static const char *tell_unfit(const struct known *known, struct yore_bytes name,
                              struct yore_bytes value, char *text)
{
    struct buffer decoded = {0};
    bool is_good = http_decode(value, true, &decoded);
    if (!is_good) {
        snprintf(text, HTTP_PARAM_PROBLEM_BYTES, "the parameter '%.*s' is badly percent-encoded",
                 (int)name.size, (const char *)name.data);
    } else if (!decoded.is_nomem) { /* else who uses it finds no memory either */
        is_good = is_fit(known, name, buffer_bytes(&decoded), text);
    }
    buffer_release(&decoded);
    return is_good ? NULL : text;
}

const char *http_params_problem(const struct http_route *route, struct yore_bytes query,
                                char text[HTTP_PARAM_PROBLEM_BYTES])
{
    struct known known;
    struct yore_bytes name;
    struct yore_bytes value;
    if (route->params == NULL || query.size == 0) {
        return NULL;
    }
    split(route->params, &known);
    for (size_t at = 0; next_param(query, &at, &name, &value);) {
        struct yore_bytes other;
        struct yore_bytes ignored;
        if (!is_known(&known, name)) {
            return tell_unknown(&known, name, text);
        }
        if (tell_unfit(&known, name, value, text) != NULL) {
            return text;
        }
        for (size_t behind = at; next_param(query, &behind, &other, &ignored);) {
            if (bytes_equal(name, other)) {
                snprintf(text, HTTP_PARAM_PROBLEM_BYTES, "the parameter '%.*s' stands there twice",
                         (int)name.size, (const char *)name.data);
                return text;
            }
        }
    }
    return NULL;
}
