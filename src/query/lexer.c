#include "query/lexer.h"

#include <stdbool.h>
#include <string.h>

#include "base/utf8.h"
#include "query/ast.h"
#include "query/compile_error.h"
#include "query/limits.h"

static const char *const texts[] = {
#define QUERY_TOKEN_TEXT(name, text) text,
    QUERY_TOKENS(QUERY_TOKEN_TEXT)
#undef QUERY_TOKEN_TEXT
#define QUERY_WORD_TEXT(name, text, reserved) text,
        QUERY_WORDS(QUERY_WORD_TEXT)
#undef QUERY_WORD_TEXT
};

static const unsigned char words_reserved[] = {
#define QUERY_WORD_RESERVED(name, text, reserved) RESERVED_##reserved,
    QUERY_WORDS(QUERY_WORD_RESERVED)
#undef QUERY_WORD_RESERVED
};

const char *token_text(unsigned kind_or_word)
{
    return texts[kind_or_word];
}

enum token_reserved token_word_reserved(unsigned word)
{
    return word < TOKEN_KIND_COUNT ? RESERVED_NEVER
                                   : (enum token_reserved)words_reserved[word - TOKEN_KIND_COUNT];
}

#define WORD_BYTES_MAX 16u

static unsigned char upper(unsigned char c)
{
    return c >= 'a' && c <= 'z' ? (unsigned char)(c - 'a' + 'A') : c;
}

/* The keyword that a name is, by binary search. */
static uint8_t word_of(const unsigned char *name, size_t size)
{
    if (size > WORD_BYTES_MAX) {
        return WORD_NO;
    }
    unsigned char word[WORD_BYTES_MAX + 1];
    for (size_t i = 0; i < size; i++) {
        word[i] = upper(name[i]);
    }
    word[size] = '\0';
    unsigned low = TOKEN_KIND_COUNT;
    unsigned high = WORD_END_OF_LIST;
    while (low < high) {
        unsigned middle = low + (high - low) / 2;
        int order = strcmp((const char *)word, texts[middle]);
        if (order == 0) {
            return (uint8_t)middle;
        }
        if (order < 0) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return WORD_NO;
}

/* ---- characters ------------------------------------------------------------------------------
 */

enum character {
    CHARACTER_OTHER,
    CHARACTER_BLANK,
    CHARACTER_DASH,
    CHARACTER_LEFT,
    CHARACTER_RIGHT
};

/* What a code point beyond ASCII stands for (openCypher 9: whitespace, Dash, LeftArrowHead,
 * RightArrowHead). */
static enum character character_of(uint32_t point)
{
    switch (point) {
    case 0x00a0:
    case 0x1680:
    case 0x180e:
    case 0x2028:
    case 0x2029:
    case 0x202f:
    case 0x205f:
    case 0x3000:
        return CHARACTER_BLANK;
    case 0x00ad:
    case 0x2212:
    case 0xfe58:
    case 0xfe63:
    case 0xff0d:
        return CHARACTER_DASH;
    case 0x27e8:
    case 0x3008:
    case 0xfe64:
    case 0xff1c:
        return CHARACTER_LEFT;
    case 0x27e9:
    case 0x3009:
    case 0xfe65:
    case 0xff1e:
        return CHARACTER_RIGHT;
    default:
        if (point >= 0x2000 && point <= 0x200a) {
            return CHARACTER_BLANK;
        }
        return point >= 0x2010 && point <= 0x2015 ? CHARACTER_DASH : CHARACTER_OTHER;
    }
}

/* The text is known to be UTF-8. */
static uint32_t point_at(const unsigned char *at, size_t *size_out)
{
    if (at[0] < 0x80) {
        *size_out = 1;
        return at[0];
    }
    if (at[0] < 0xe0) {
        *size_out = 2;
        return (uint32_t)(at[0] & 0x1f) << 6 | (at[1] & 0x3f);
    }
    if (at[0] < 0xf0) {
        *size_out = 3;
        return (uint32_t)(at[0] & 0x0f) << 12 | (uint32_t)(at[1] & 0x3f) << 6 | (at[2] & 0x3f);
    }
    *size_out = 4;
    return (uint32_t)(at[0] & 0x07) << 18 | (uint32_t)(at[1] & 0x3f) << 12 |
           (uint32_t)(at[2] & 0x3f) << 6 | (at[3] & 0x3f);
}

static bool is_digit(unsigned char c)
{
    return c >= '0' && c <= '9';
}

static bool is_name_begin(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_blank(unsigned char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r') || (c >= 0x1c && c <= 0x1f);
}

/* ---- cutting ---------------------------------------------------------------------------------
 */

struct lexer {
    struct yore_bytes text;
    const unsigned char *begin;
    const unsigned char *at;
    const unsigned char *end;
    struct arena *arena;
    struct query_error *error;
    struct token *tokens;
    uint32_t count;
    uint32_t capacity;
    uint32_t open; /* the innermost bracket that is open, plus one; its `match` leads outwards */
};

static enum yore_status lexer_fail(struct lexer *l, const unsigned char *from, const char *problem)
{
    struct query_place place = {l->text,
                                {(uint32_t)(from - l->begin), (uint32_t)(l->end > from ? 1 : 0)}};
    return compile_error(l->error, &place, "UnexpectedSyntax", "%s", problem);
}

static struct token *push_token(struct lexer *l, enum token_kind kind, const unsigned char *from)
{
    if (l->count == l->capacity) {
        uint32_t capacity = l->capacity == 0 ? 64 : l->capacity * 2;
        struct token *tokens = arena_alloc(l->arena, capacity * sizeof(struct token));
        if (tokens == NULL) {
            return NULL;
        }
        if (l->count > 0) {
            memcpy(tokens, l->tokens, l->count * sizeof(struct token));
        }
        l->tokens = tokens;
        l->capacity = capacity;
    }
    struct token *token = &l->tokens[l->count++];
    *token = (struct token){
        .offset = (uint32_t)(from - l->begin),
        .size = (uint32_t)(l->at - from),
        .kind = (uint8_t)kind,
    };
    return token;
}

static unsigned char octet(const struct lexer *l, size_t ahead)
{
    return (size_t)(l->end - l->at) > ahead ? l->at[ahead] : '\0';
}

/* Past the octets and code points of a name. */
static void skip_name(struct lexer *l)
{
    while (l->at < l->end) {
        if (is_name_begin(*l->at) || is_digit(*l->at)) {
            l->at++;
            continue;
        }
        size_t size = 0;
        if (*l->at < 0x80 || character_of(point_at(l->at, &size)) != CHARACTER_OTHER) {
            return;
        }
        l->at += size;
    }
}

static void skip_digits(struct lexer *l)
{
    while (l->at < l->end && is_digit(*l->at)) {
        l->at++;
    }
}

/* 12, 0x1F, 0o17, 1.5, .5, 1e9; `1..3` is an integer and dots. */
static enum token_kind skip_number(struct lexer *l)
{
    enum token_kind kind = TOKEN_INTEGER;
    const unsigned char *from = l->at;
    if (*l->at == '0' && (octet(l, 1) == 'x' || octet(l, 1) == 'X' || octet(l, 1) == 'o')) {
        bool is_octal = octet(l, 1) == 'o';
        l->at += 2;
        const unsigned char *digits = l->at;
        skip_name(l);
        for (const unsigned char *d = digits; d < l->at; d++) {
            bool fits = is_octal ? *d >= '0' && *d <= '7'
                                 : is_digit(*d) || (upper(*d) >= 'A' && upper(*d) <= 'F');
            kind = fits ? kind : TOKEN_BAD_NUMBER;
        }
        return l->at == digits ? TOKEN_BAD_NUMBER : kind;
    }
    skip_digits(l);
    bool is_leading_zero = *from == '0' && l->at - from > 1;
    if (octet(l, 0) == '.' && is_digit(octet(l, 1))) {
        kind = TOKEN_FLOAT;
        l->at++;
        skip_digits(l);
    }
    if (octet(l, 0) == 'e' || octet(l, 0) == 'E') {
        size_t sign = octet(l, 1) == '-' || octet(l, 1) == '+' ? 1 : 0;
        if (is_digit(octet(l, 1 + sign))) {
            kind = TOKEN_FLOAT;
            l->at += 1 + sign;
            skip_digits(l);
        }
    }
    const unsigned char *end = l->at;
    skip_name(l); /* letters right behind a number belong to it, and spoil it */
    bool is_spoilt = l->at != end || (kind == TOKEN_INTEGER && is_leading_zero);
    return is_spoilt ? TOKEN_BAD_NUMBER : kind;
}

/* A string or a name in backticks; a doubled backtick stands for one. */
static enum yore_status skip_quoted(struct lexer *l)
{
    const unsigned char *from = l->at;
    unsigned char quote = *l->at++;
    while (l->at < l->end) {
        if (*l->at == '\\' && quote != '`') {
            l->at += l->end - l->at > 1 ? 2 : 1;
        } else if (*l->at == quote) {
            l->at++;
            if (quote != '`' || octet(l, 0) != '`') {
                return YORE_OK;
            }
            l->at++;
        } else {
            l->at++;
        }
    }
    l->at = l->end;
    return lexer_fail(l, from,
                      quote == '`' ? "a name in backticks does not end"
                                   : "a string does not end: its closing quote is missing");
}

/* Past blanks and comments. */
static enum yore_status skip_blanks(struct lexer *l)
{
    while (l->at < l->end) {
        size_t size = 1;
        if (is_blank(*l->at)) {
            l->at++;
        } else if (*l->at >= 0x80 && character_of(point_at(l->at, &size)) == CHARACTER_BLANK) {
            l->at += size;
        } else if (*l->at == '/' && octet(l, 1) == '/') {
            while (l->at < l->end && *l->at != '\n' && *l->at != '\r') {
                l->at++;
            }
        } else if (*l->at == '/' && octet(l, 1) == '*') {
            const unsigned char *from = l->at;
            l->at += 2;
            while (l->at < l->end && !(*l->at == '*' && octet(l, 1) == '/')) {
                l->at++;
            }
            if (l->at == l->end) {
                return lexer_fail(l, from, "a comment does not end: \"*/\" is missing");
            }
            l->at += 2;
        } else {
            return YORE_OK;
        }
    }
    return YORE_OK;
}

/* One or two octets of punctuation; TOKEN_UNKNOWN is past one code point. */
static enum token_kind skip_punctuation(struct lexer *l)
{
    static const struct {
        char text[3];
        uint8_t kind;
    } marks[] = {
        {"..", TOKEN_DOTS},          {"<>", TOKEN_NOT_EQUAL},  {"<=", TOKEN_LESS_EQUAL},
        {">=", TOKEN_GREATER_EQUAL}, {"=~", TOKEN_MATCHES},    {"+=", TOKEN_PLUS_EQUAL},
        {"(", TOKEN_OPEN_ROUND},     {")", TOKEN_CLOSE_ROUND}, {"[", TOKEN_OPEN_SQUARE},
        {"]", TOKEN_CLOSE_SQUARE},   {"{", TOKEN_OPEN_CURLY},  {"}", TOKEN_CLOSE_CURLY},
        {",", TOKEN_COMMA},          {".", TOKEN_DOT},         {":", TOKEN_COLON},
        {";", TOKEN_SEMICOLON},      {"|", TOKEN_BAR},         {"&", TOKEN_AMPERSAND},
        {"$", TOKEN_DOLLAR},         {"=", TOKEN_EQUAL},       {"<", TOKEN_LESS},
        {">", TOKEN_GREATER},        {"+", TOKEN_PLUS},        {"-", TOKEN_MINUS},
        {"*", TOKEN_STAR},           {"/", TOKEN_SLASH},       {"%", TOKEN_PERCENT},
        {"^", TOKEN_CARET},
    };
    for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
        size_t size = strlen(marks[i].text);
        if ((size_t)(l->end - l->at) >= size && memcmp(l->at, marks[i].text, size) == 0) {
            l->at += size;
            return (enum token_kind)marks[i].kind;
        }
    }
    size_t size = 1;
    enum character character = character_of(point_at(l->at, &size));
    l->at += size;
    switch (character) {
    case CHARACTER_DASH:
        return TOKEN_MINUS;
    case CHARACTER_LEFT:
        return TOKEN_LESS;
    case CHARACTER_RIGHT:
        return TOKEN_GREATER;
    default:
        return TOKEN_UNKNOWN;
    }
}

/* Tie a bracket to its partner; one that does not fit is left alone, the parser tells. */
static void match_bracket(struct lexer *l, enum token_kind kind)
{
    uint32_t index = l->count - 1;
    if (kind == TOKEN_OPEN_ROUND || kind == TOKEN_OPEN_SQUARE || kind == TOKEN_OPEN_CURLY) {
        l->tokens[index].match = l->open;
        l->open = index + 1;
        return;
    }
    if (kind != TOKEN_CLOSE_ROUND && kind != TOKEN_CLOSE_SQUARE && kind != TOKEN_CLOSE_CURLY) {
        return;
    }
    if (l->open != 0 && l->tokens[l->open - 1].kind + 1u == (unsigned)kind) {
        uint32_t opening = l->open - 1;
        l->open = l->tokens[opening].match;
        l->tokens[opening].match = index;
        l->tokens[index].match = opening;
    }
}

/* Brackets that are still open have no partner. */
static void forget_open(struct lexer *l)
{
    while (l->open != 0) {
        uint32_t opening = l->open - 1;
        l->open = l->tokens[opening].match;
        l->tokens[opening].match = 0;
    }
}

static enum yore_status next_token(struct lexer *l)
{
    const unsigned char *from = l->at;
    enum token_kind kind = TOKEN_NAME;
    uint8_t word = WORD_NO;
    size_t size = 1;
    if (is_name_begin(*from) ||
        (*from >= 0x80 && character_of(point_at(from, &size)) == CHARACTER_OTHER)) {
        skip_name(l);
        word = word_of(from, (size_t)(l->at - from));
    } else if (is_digit(*from) || (*from == '.' && is_digit(octet(l, 1)))) {
        kind = skip_number(l);
    } else if (*from == '\'' || *from == '"' || *from == '`') {
        kind = *from == '`' ? TOKEN_QUOTED_NAME : TOKEN_STRING;
        enum yore_status st = skip_quoted(l);
        if (st != YORE_OK) {
            return st;
        }
    } else {
        kind = skip_punctuation(l);
    }
    struct token *token = push_token(l, kind, from);
    if (token == NULL) {
        return compile_nomem(l->error);
    }
    token->word = word;
    match_bracket(l, kind);
    return YORE_OK;
}

/* The first octet that is not UTF-8, or `end`. */
static const unsigned char *valid_until(const unsigned char *at, const unsigned char *end)
{
    while (at < end) {
        size_t size = utf8_size(at, end);
        if (size == 0) {
            return at;
        }
        at += size;
    }
    return end;
}

enum yore_status lexer_run(struct yore_bytes text, struct arena *arena,
                           struct token_list *tokens_out, struct query_error *error_out)
{
    struct lexer l = {.text = text, .arena = arena, .error = error_out};
    l.begin = text.size > 0 ? text.data : (const unsigned char *)"";
    l.at = l.begin;
    l.end = l.begin + text.size;
    *tokens_out = (struct token_list){NULL, 0};
    if (text.size > QUERY_TEXT_BYTES_MAX) {
        struct query_place place = {{NULL, 0}, {0, 0}};
        return compile_refuse(error_out, &place, YORE_TOO_BIG,
                              "the statement has %zu octets; the limit is %u", text.size,
                              QUERY_TEXT_BYTES_MAX);
    }
    const unsigned char *valid = valid_until(l.begin, l.end);
    if (valid != l.end) {
        l.text.size = (size_t)(valid - l.begin);
        return lexer_fail(&l, valid, "the statement is not UTF-8 from here on");
    }
    enum yore_status st = skip_blanks(&l);
    while (st == YORE_OK && l.at < l.end) {
        st = next_token(&l);
        if (st == YORE_OK) {
            st = skip_blanks(&l);
        }
    }
    if (st != YORE_OK) {
        return st;
    }
    forget_open(&l);
    if (push_token(&l, TOKEN_END, l.end) == NULL) {
        return compile_nomem(error_out);
    }
    *tokens_out = (struct token_list){l.tokens, l.count};
    return YORE_OK;
}
