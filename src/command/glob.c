/* glob.c -- matching without recursion: on a mismatch the last star takes one octet more. */
#include "command/glob.h"

static unsigned char fold(unsigned char c, bool nocase)
{
    return nocase && c >= 'A' && c <= 'Z' ? (unsigned char)(c + 32) : c;
}

/* The class that begins behind '[' at p[at]: does it hold c?  `*end_out` is just behind it. */
static bool class_holds(struct yore_bytes pattern, size_t at, unsigned char c, bool nocase,
                        size_t *end_out)
{
    const unsigned char *p = pattern.data;
    bool is_inverted = at < pattern.size && p[at] == '^';
    bool holds = false;
    at += is_inverted ? 1 : 0;
    while (at < pattern.size && p[at] != ']') {
        if (p[at] == '\\' && at + 1 < pattern.size) {
            at++;
            holds |= fold(p[at], nocase) == c;
            at++;
        } else if (at + 2 < pattern.size && p[at + 1] == '-') {
            unsigned char low = fold(p[at], nocase);
            unsigned char high = fold(p[at + 2], nocase);
            holds |= low <= high ? c >= low && c <= high : c >= high && c <= low;
            at += 3;
        } else {
            holds |= fold(p[at], nocase) == c;
            at++;
        }
    }
    *end_out = at < pattern.size ? at + 1 : at;
    return holds != is_inverted;
}

/* One element of the pattern, not a star, against one octet. */
static bool one_matches(struct yore_bytes pattern, size_t at, unsigned char octet, bool nocase,
                        size_t *end_out)
{
    const unsigned char *p = pattern.data;
    unsigned char c = fold(octet, nocase);
    *end_out = at + 1;
    if (p[at] == '?') {
        return true;
    }
    if (p[at] == '[') {
        return class_holds(pattern, at + 1, c, nocase, end_out);
    }
    if (p[at] == '\\' && at + 1 < pattern.size) {
        at++;
        *end_out = at + 1;
    }
    return fold(p[at], nocase) == c;
}

static bool match(struct yore_bytes pattern, struct yore_bytes text, bool nocase)
{
    const unsigned char *p = pattern.data;
    const unsigned char *t = text.data;
    size_t at = 0;
    size_t i = 0;
    size_t star = SIZE_MAX; /* just behind the last star, and what it has taken up to */
    size_t taken = 0;
    while (i < text.size) {
        size_t end;
        if (at < pattern.size && p[at] == '*') {
            star = ++at;
            taken = i;
        } else if (at < pattern.size && one_matches(pattern, at, t[i], nocase, &end)) {
            at = end;
            i++;
        } else if (star != SIZE_MAX) {
            at = star;
            i = ++taken;
        } else {
            return false;
        }
    }
    while (at < pattern.size && p[at] == '*') {
        at++;
    }
    return at >= pattern.size;
}

bool glob_match(struct yore_bytes pattern, struct yore_bytes text)
{
    return match(pattern, text, false);
}

bool glob_match_nocase(struct yore_bytes pattern, struct yore_bytes text)
{
    return match(pattern, text, true);
}

size_t glob_prefix(struct yore_bytes pattern, bool *is_literal_out)
{
    const unsigned char *p = pattern.data;
    size_t at = 0;
    while (at < pattern.size && p[at] != '*' && p[at] != '?' && p[at] != '[' && p[at] != '\\') {
        at++;
    }
    *is_literal_out = at == pattern.size;
    return at;
}
