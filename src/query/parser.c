#include "query/parser.h"

#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/nearest.h"
#include "query/compile_error.h"
#include "query/limits.h"
#include "query/parser_internal.h"

/* ---- tokens ----------------------------------------------------------------------------------
 */

const struct token *parser_token(const struct parser *p)
{
    return &p->tokens[p->at];
}

/* The last token, the end, repeats for ever. */
const struct token *parser_ahead(const struct parser *p, uint32_t count)
{
    const struct token *token = parser_token(p);
    while (count > 0 && token->kind != TOKEN_END) {
        token++;
        count--;
    }
    return token;
}

void parser_advance(struct parser *p)
{
    YORE_ASSERT(parser_token(p)->kind != TOKEN_END);
    p->at++;
    memset(p->expected, 0, sizeof(p->expected));
    p->wished = NULL;
}

static void remember(struct parser *p, unsigned kind_or_word)
{
    p->expected[kind_or_word / 64] |= UINT64_C(1) << kind_or_word % 64;
}

bool parser_is(const struct parser *p, enum token_kind kind)
{
    return parser_token(p)->kind == kind;
}

bool parser_is_word(const struct parser *p, enum token_word word)
{
    return parser_token(p)->word == word;
}

bool parser_at(struct parser *p, enum token_kind kind)
{
    if (parser_is(p, kind)) {
        return true;
    }
    remember(p, kind);
    return false;
}

bool parser_at_word(struct parser *p, enum token_word word)
{
    if (parser_is_word(p, word)) {
        return true;
    }
    remember(p, word);
    return false;
}

bool parser_accept(struct parser *p, enum token_kind kind)
{
    if (!parser_at(p, kind)) {
        return false;
    }
    parser_advance(p);
    return true;
}

bool parser_accept_word(struct parser *p, enum token_word word)
{
    if (!parser_at_word(p, word)) {
        return false;
    }
    parser_advance(p);
    return true;
}

bool parser_expect(struct parser *p, enum token_kind kind)
{
    return parser_accept(p, kind) || parser_fail(p);
}

bool parser_expect_word(struct parser *p, enum token_word word)
{
    return parser_accept_word(p, word) || parser_fail(p);
}

bool parser_accept_words(struct parser *p, enum token_word first, enum token_word second)
{
    if (!parser_at_word(p, first) || parser_ahead(p, 1)->word != second) {
        return false;
    }
    parser_advance(p);
    parser_advance(p);
    return true;
}

/* ---- names -----------------------------------------------------------------------------------
 */

bool parser_name(struct parser *p, struct yore_bytes *name_out)
{
    if (!parser_is(p, TOKEN_NAME) && !parser_is(p, TOKEN_QUOTED_NAME)) {
        return parser_wish(p, "a name");
    }
    struct lexer_literal literal = {p->text, parser_token(p)};
    if (lexer_name(&literal, p->arena, name_out) != YORE_OK) {
        return parser_nomem(p);
    }
    if (name_out->size == 0) {
        return parser_wish(p, "a name that is not empty");
    }
    parser_advance(p);
    return true;
}

bool parser_at_variable(const struct parser *p)
{
    return parser_is(p, TOKEN_QUOTED_NAME) ||
           (parser_is(p, TOKEN_NAME) &&
            token_word_reserved(parser_token(p)->word) != RESERVED_ALWAYS);
}

bool parser_variable(struct parser *p, struct yore_bytes *name_out)
{
    return parser_at_variable(p) ? parser_name(p, name_out) : parser_wish(p, "a variable");
}

bool parser_dotted_name(struct parser *p, struct yore_bytes *name_out)
{
    unsigned char *name = NULL;
    size_t size = 0;
    do {
        struct yore_bytes part;
        if (!parser_name(p, &part)) {
            return false;
        }
        unsigned char *longer = arena_alloc_unaligned(p->arena, size + 1 + part.size);
        if (longer == NULL) {
            return parser_nomem(p);
        }
        if (size > 0) {
            memcpy(longer, name, size);
            longer[size++] = '.';
        }
        memcpy(longer + size, part.data, part.size);
        size += part.size;
        name = longer;
    } while (parser_accept(p, TOKEN_DOT));
    *name_out = bytes_of(name, size);
    return true;
}

bool parser_labels(struct parser *p, const struct yore_bytes **labels_out, uint32_t *count_out)
{
    struct parser_list labels = {NULL, 0, 0};
    while (parser_accept(p, TOKEN_COLON) ||
           (labels.count > 0 && parser_accept(p, TOKEN_AMPERSAND))) {
        struct yore_bytes *label = parser_push(p, &labels, sizeof(*label));
        if (label == NULL || !parser_name(p, label)) {
            return false;
        }
    }
    if (labels.count == 0) {
        return parser_fail(p);
    }
    *labels_out = labels.items;
    *count_out = labels.count;
    return true;
}

struct ast_spot parser_spot(const struct parser *p, uint32_t first)
{
    struct ast_spot spot = {p->tokens[first].offset, p->tokens[first].size};
    if (p->at > first) {
        const struct token *last = &p->tokens[p->at - 1];
        spot.size = last->offset + last->size - spot.offset;
    }
    return spot;
}

struct yore_bytes parser_text(const struct parser *p, struct ast_spot spot)
{
    return bytes_of((const unsigned char *)p->text.data + spot.offset, spot.size);
}

/* ---- failing ---------------------------------------------------------------------------------
 */

bool parser_nomem(struct parser *p)
{
    p->status = compile_nomem(p->error);
    return false;
}

bool parser_fail_at(struct parser *p, struct ast_spot spot, const char *detail, const char *problem)
{
    struct query_place place = {p->text, spot};
    p->status = compile_error(p->error, &place, detail, "%s", problem);
    return false;
}

bool parser_unsupported(struct parser *p, struct ast_spot spot, const char *problem)
{
    struct query_place place = {p->text, spot};
    p->status = compile_refuse(p->error, &place, YORE_UNSUPPORTED, "%s", problem);
    return false;
}

bool parser_deeper(struct parser *p)
{
    if (p->depth < QUERY_DEPTH_MAX) {
        p->depth++;
        return true;
    }
    struct query_place place = {p->text, parser_spot(p, p->at)};
    p->status = compile_refuse(p->error, &place, YORE_TOO_BIG,
                               "nested more than %u deep; split the statement", QUERY_DEPTH_MAX);
    return false;
}

bool parser_wish(struct parser *p, const char *wished)
{
    p->wished = wished;
    return parser_fail(p);
}

#define EXPECTED_TEXT_BYTES 256
#define EXPECTED_TOLD_MAX 8

struct expected {
    char text[EXPECTED_TEXT_BYTES];
    size_t size;
    unsigned told;
    unsigned count;
};

static bool is_expected(const struct parser *p, unsigned kind_or_word)
{
    return (p->expected[kind_or_word / 64] >> kind_or_word % 64 & 1) != 0;
}

static void tell_expected(struct expected *e, const char *word)
{
    if (e->told == EXPECTED_TOLD_MAX) {
        return;
    }
    e->told++;
    const char *between = e->told == 1 ? "" : e->told == e->count ? " or " : ", ";
    int written = snprintf(e->text + e->size, sizeof(e->text) - e->size, "%s%s", between, word);
    if (written > 0 && (size_t)written < sizeof(e->text) - e->size) {
        e->size += (size_t)written;
    }
}

/* "',' or ')'", "MATCH, CREATE, ..."; what was wished for in words goes first. */
static void list_expected(const struct parser *p, struct expected *e)
{
    e->count = p->wished == NULL ? 0 : 1;
    for (unsigned i = 0; i < WORD_END_OF_LIST; i++) {
        e->count += is_expected(p, i) ? 1 : 0;
    }
    if (p->wished != NULL) {
        tell_expected(e, p->wished);
    }
    for (unsigned i = WORD_END_OF_LIST; i-- > 0;) {
        if (is_expected(p, i)) {
            tell_expected(e, token_text(i));
        }
    }
    if (e->count > e->told) {
        snprintf(e->text + e->size, sizeof(e->text) - e->size, ", ...");
    }
}

/* Operators are never listed as expected, since they nearly always are; they may be meant. */
static bool is_operator(unsigned word)
{
    return word == WORD_AND || word == WORD_OR || word == WORD_XOR || word == WORD_IN ||
           word == WORD_IS || word == WORD_STARTS || word == WORD_ENDS || word == WORD_CONTAINS;
}

static const char *expected_word(const void *arg, size_t index)
{
    const struct parser *p = arg;
    unsigned word = (unsigned)index + TOKEN_KIND_COUNT;
    bool fits = is_expected(p, word) || (p->wished == NULL && is_operator(word));
    return fits ? token_text(word) : NULL;
}

#define FOUND_BYTES_MAX 32u

/* The keyword that was meant, or NULL. */
static const char *meant_word(const struct parser *p)
{
    const struct token *token = parser_token(p);
    char word[FOUND_BYTES_MAX + 1];
    if (token->kind != TOKEN_NAME || token->size > FOUND_BYTES_MAX || token->size < 2) {
        return NULL;
    }
    const char *from = (const char *)p->text.data + token->offset;
    for (uint32_t i = 0; i < token->size; i++) {
        word[i] = from[i] >= 'a' && from[i] <= 'z' ? (char)(from[i] - 'a' + 'A') : from[i];
    }
    word[token->size] = '\0';
    return nearest_word(word, expected_word, p, WORD_END_OF_LIST - TOKEN_KIND_COUNT);
}

bool parser_fail(struct parser *p)
{
    if (p->status != YORE_OK) {
        return false;
    }
    const struct token *token = parser_token(p);
    struct expected expected = {.size = 0};
    list_expected(p, &expected);
    const char *meant = meant_word(p);
    char hint[64] = "";
    if (meant != NULL) {
        snprintf(hint, sizeof(hint), "; did you mean %s?", meant);
    }
    struct query_place place = {p->text, {token->offset, token->size}};
    bool is_end = token->kind == TOKEN_END;
    int shown = token->size < FOUND_BYTES_MAX ? (int)token->size : (int)FOUND_BYTES_MAX;
    p->status = compile_error(
        p->error, &place, "UnexpectedSyntax", "expected %s but found %s%.*s%s%s", expected.text,
        is_end ? "the end" : "`", is_end ? 0 : shown,
        is_end ? "" : (const char *)p->text.data + token->offset, is_end ? "" : "`", hint);
    return false;
}

/* ---- memory ----------------------------------------------------------------------------------
 */

void *parser_alloc(struct parser *p, size_t size)
{
    void *memory = arena_alloc(p->arena, size);
    if (memory == NULL) {
        parser_nomem(p);
        return NULL;
    }
    return memset(memory, 0, size);
}

void *parser_push(struct parser *p, struct parser_list *list, size_t item_size)
{
    if (list->count == list->capacity) {
        uint32_t capacity = list->capacity == 0 ? 2 : list->capacity * 2;
        void *items = arena_alloc(p->arena, capacity * item_size);
        if (items == NULL) {
            parser_nomem(p);
            return NULL;
        }
        if (list->count > 0) {
            memcpy(items, list->items, list->count * item_size);
        }
        list->items = items;
        list->capacity = capacity;
    }
    void *item = (unsigned char *)list->items + list->count * item_size;
    list->count++;
    return memset(item, 0, item_size);
}

/* ---- statements ------------------------------------------------------------------------------
 */

static bool parse_schema_statement(struct parser *p, struct statement *statement)
{
    struct single_query *query = parser_alloc(p, sizeof(*query));
    struct clause *clause = parser_alloc(p, sizeof(*clause));
    if (query == NULL || clause == NULL || !parse_schema(p, clause)) {
        return false;
    }
    *query = (struct single_query){clause, 1};
    statement->body.queries = query;
    statement->body.query_count = 1;
    return true;
}

static bool parse_statement(struct parser *p, struct statement *statement)
{
    statement->text = p->text;
    statement->mode = STATEMENT_RUN;
    if (parser_accept_word(p, WORD_EXPLAIN)) {
        statement->mode = STATEMENT_EXPLAIN;
    } else if (parser_accept_word(p, WORD_PROFILE)) {
        statement->mode = STATEMENT_PROFILE;
    }
    if (!parse_time(p, &statement->time)) {
        return false;
    }
    bool is_parsed = parse_schema_begins(p) ? parse_schema_statement(p, statement)
                                            : parse_query(p, &statement->body);
    if (!is_parsed) {
        return false;
    }
    parser_accept(p, TOKEN_SEMICOLON);
    return parser_at(p, TOKEN_END) || parser_fail(p);
}

enum yore_status query_parse(struct yore_bytes text, struct arena *arena,
                             struct statement **statement_out, struct query_error *error_out)
{
    *statement_out = NULL;
    struct parser p = {.arena = arena, .error = error_out, .status = YORE_OK};
    struct token_list tokens;
    if (text.size <= QUERY_TEXT_BYTES_MAX) {
        const void *copy = arena_copy(arena, text.size > 0 ? text.data : "", text.size);
        if (copy == NULL) {
            return compile_nomem(error_out);
        }
        text = bytes_of(copy, text.size);
    }
    enum yore_status st = lexer_run(text, arena, &tokens, error_out);
    if (st != YORE_OK) {
        return st;
    }
    p.text = text;
    p.tokens = tokens.tokens;
    struct statement *statement = parser_alloc(&p, sizeof(*statement));
    if (statement != NULL && parse_statement(&p, statement)) {
        *statement_out = statement;
        return YORE_OK;
    }
    YORE_ASSERT(p.status != YORE_OK);
    return p.status;
}
