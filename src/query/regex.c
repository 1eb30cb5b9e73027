#include "query/regex.h"

#include <stdint.h>
#include <string.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "base/mem.h"

struct cached_regex {
    struct yore_bytes pattern; /* a copy */
    pcre2_code *code;
};

struct regex_cache {
    pcre2_general_context *general;
    pcre2_compile_context *compile;
    pcre2_match_context *match;
    pcre2_match_data *data;
    size_t count;
    struct cached_regex items[REGEX_CACHE_PATTERNS_MAX];
};

/* PCRE2's memory comes through the one door too. */
static void *allocate(PCRE2_SIZE size, void *arg)
{
    (void)arg;
    return mem_alloc(size);
}

static void give_back(void *ptr, void *arg)
{
    (void)arg;
    mem_free(ptr);
}

static void forget_all(struct regex_cache *cache)
{
    for (size_t i = 0; i < cache->count; i++) {
        pcre2_code_free(cache->items[i].code);
        union {
            const void *from;
            void *to;
        } pattern = {.from = cache->items[i].pattern.data};
        mem_free(pattern.to);
    }
    cache->count = 0;
}

void regex_cache_free(struct regex_cache *cache)
{
    if (cache == NULL) {
        return;
    }
    forget_all(cache);
    pcre2_match_data_free(cache->data);
    pcre2_match_context_free(cache->match);
    pcre2_compile_context_free(cache->compile);
    pcre2_general_context_free(cache->general);
    mem_free(cache);
}

static enum yore_status make_cache(struct regex_cache **cache_out)
{
    struct regex_cache *cache = mem_zalloc(sizeof(*cache));
    if (cache == NULL) {
        return YORE_NOMEM;
    }
    cache->general = pcre2_general_context_create(allocate, give_back, NULL);
    if (cache->general != NULL) {
        cache->compile = pcre2_compile_context_create(cache->general);
        cache->match = pcre2_match_context_create(cache->general);
        cache->data = pcre2_match_data_create(1, cache->general);
    }
    if (cache->compile == NULL || cache->match == NULL || cache->data == NULL) {
        regex_cache_free(cache);
        return YORE_NOMEM;
    }
    (void)pcre2_set_match_limit(cache->match, REGEX_MATCH_LIMIT);
    (void)pcre2_set_heap_limit(cache->match, REGEX_HEAP_KIB_MAX);
    *cache_out = cache;
    return YORE_OK;
}

static enum yore_status compile(struct regex_cache *cache, struct yore_bytes pattern,
                                pcre2_code **code_out, struct yore_error *error_out)
{
    int number = 0;
    PCRE2_SIZE offset = 0;
    uint32_t options = PCRE2_UTF | PCRE2_ANCHORED | PCRE2_ENDANCHORED | PCRE2_NEVER_BACKSLASH_C;
    *code_out = pcre2_compile(pattern.size == 0 ? (PCRE2_SPTR) "" : pattern.data, pattern.size,
                              options, &number, &offset, cache->compile);
    if (*code_out != NULL) {
        return YORE_OK;
    }
    if (number == PCRE2_ERROR_NOMEMORY || number == PCRE2_ERROR_HEAP_FAILED) {
        return YORE_NOMEM;
    }
    PCRE2_UCHAR text[128];
    if (pcre2_get_error_message(number, text, sizeof(text)) < 0) {
        text[0] = '\0';
    }
    return error_set(error_out, YORE_INVALID, "the regular expression is wrong at octet %zu: %s",
                     (size_t)offset, (const char *)text);
}

static enum yore_status find(struct regex_cache *cache, struct yore_bytes pattern,
                             const pcre2_code **code_out, struct yore_error *error_out)
{
    for (size_t i = 0; i < cache->count; i++) {
        if (bytes_equal(cache->items[i].pattern, pattern)) {
            *code_out = cache->items[i].code;
            return YORE_OK;
        }
    }
    if (cache->count == REGEX_CACHE_PATTERNS_MAX) {
        forget_all(cache);
    }
    pcre2_code *code = NULL;
    enum yore_status st = compile(cache, pattern, &code, error_out);
    if (st != YORE_OK) {
        return st;
    }
    void *copy = mem_copy(pattern.data, pattern.size);
    if (copy == NULL) {
        pcre2_code_free(code);
        return YORE_NOMEM;
    }
    cache->items[cache->count++] = (struct cached_regex){bytes_of(copy, pattern.size), code};
    *code_out = code;
    return YORE_OK;
}

enum yore_status regex_matches(struct regex_cache **cache, struct yore_bytes pattern,
                               struct yore_bytes text, bool *matches_out,
                               struct yore_error *error_out)
{
    if (pattern.size > REGEX_PATTERN_BYTES_MAX) {
        return error_set(error_out, YORE_TOO_BIG, "a regular expression has at most %u octets",
                         REGEX_PATTERN_BYTES_MAX);
    }
    enum yore_status st = *cache == NULL ? make_cache(cache) : YORE_OK;
    const pcre2_code *code = NULL;
    if (st == YORE_OK) {
        st = find(*cache, pattern, &code, error_out);
    }
    if (st != YORE_OK) {
        return st;
    }
    int found = pcre2_match(code, text.size == 0 ? (PCRE2_SPTR) "" : text.data, text.size, 0, 0,
                            (*cache)->data, (*cache)->match);
    *matches_out = found >= 0;
    if (found >= 0 || found == PCRE2_ERROR_NOMATCH) {
        return YORE_OK;
    }
    if (found == PCRE2_ERROR_NOMEMORY) {
        return YORE_NOMEM;
    }
    if (found == PCRE2_ERROR_MATCHLIMIT || found == PCRE2_ERROR_HEAPLIMIT ||
        found == PCRE2_ERROR_DEPTHLIMIT) {
        return error_set(error_out, YORE_TOO_BIG,
                         "the regular expression backtracks more than %u steps: write it with "
                         "fewer nested repetitions",
                         REGEX_MATCH_LIMIT);
    }
    return error_set(error_out, YORE_INVALID, "the text is not UTF-8");
}
