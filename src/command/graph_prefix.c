/* graph_prefix.c -- parameters in front of a statement's text, as clients of GRAPH.QUERY send
 * them. */
#include <string.h>

#include "command/args.h"
#include "command/graph_run.h"
#include "query/error.h"
#include "query/lexer.h"

static bool is_blank(unsigned char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Looked at before the whole text is cut into tokens: most begin otherwise. */
static bool may_have_prefix(struct yore_bytes text)
{
    const unsigned char *data = text.data;
    size_t at = 0;
    while (at < text.size && is_blank(data[at])) {
        at++;
    }
    return text.size - at > 6 && args_is(bytes_of(data + at, 6), "cypher") &&
           is_blank(data[at + 6]);
}

static enum yore_status refuse(struct yore_bytes text, const struct token *token,
                               struct query_error *error_out)
{
    struct ast_spot spot = {token->offset, token->size};
    return query_error_set(
        error_out, text, spot, (struct query_error_class){"SyntaxError", "UnexpectedSyntax", true},
        "expected a value: a number, a string, true, false, null, [...] or {...}");
}

/* The last token of the literal that begins at `at`; 0: none does. */
static uint32_t literal_end(const struct token *tokens, uint32_t at)
{
    at += tokens[at].kind == TOKEN_MINUS || tokens[at].kind == TOKEN_PLUS ? 1 : 0;
    switch (tokens[at].kind) {
    case TOKEN_OPEN_SQUARE:
    case TOKEN_OPEN_CURLY:
        return tokens[at].match;
    case TOKEN_STRING:
    case TOKEN_INTEGER:
    case TOKEN_FLOAT:
        return at;
    case TOKEN_NAME: {
        bool is_word = tokens[at].word == WORD_TRUE || tokens[at].word == WORD_FALSE ||
                       tokens[at].word == WORD_NULL;
        return is_word ? at : 0;
    }
    default:
        return 0;
    }
}

static bool is_name(const struct token *token)
{
    return token->kind == TOKEN_NAME || token->kind == TOKEN_QUOTED_NAME;
}

/* "RETURN value AS a, value AS b": names of columns do not matter, but have to differ. */
static void add_value(struct buffer *returns, struct yore_bytes value, size_t index)
{
    char name[ARGS_INT_BYTES];
    buffer_append(returns, index == 0 ? "RETURN " : ", ", index == 0 ? 7 : 2);
    buffer_append_bytes(returns, value);
    buffer_append(returns, " AS p", 5);
    buffer_append(returns, name, args_int_text((int64_t)index, name));
}

static enum yore_status nomem(struct query_error *error)
{
    return error_plain(&error->error, YORE_NOMEM);
}

/* One "name=value" at token `at`, which moves behind it. */
static enum yore_status take_one(const struct token_list *list, struct yore_bytes text,
                                 struct arena *arena, struct graph_prefix *prefix, uint32_t *at,
                                 struct query_error *error_out)
{
    const struct token *tokens = list->tokens;
    struct lexer_literal name = {text, &tokens[*at]};
    const struct token *begin = &tokens[*at + 2];
    uint32_t last = literal_end(tokens, *at + 2);
    if (last == 0) {
        return refuse(text, begin, error_out);
    }
    if (lexer_name(&name, arena, &prefix->parameters[prefix->count].name) != YORE_OK) {
        return nomem(error_out);
    }
    struct yore_bytes value = bytes_of((const unsigned char *)text.data + begin->offset,
                                       tokens[last].offset + tokens[last].size - begin->offset);
    add_value(&prefix->returns, value, prefix->count++);
    *at = last + 1;
    return YORE_OK;
}

enum yore_status graph_prefix_take(struct yore_bytes text, struct arena *arena,
                                   struct graph_prefix *prefix_out, struct query_error *error_out)
{
    struct token_list list;
    *prefix_out = (struct graph_prefix){.rest = text};
    if (!may_have_prefix(text)) {
        return YORE_OK;
    }
    enum yore_status st = lexer_run(text, arena, &list, error_out);
    if (st != YORE_OK) {
        return st;
    }
    prefix_out->parameters = arena_alloc(
        arena, (list.count / 3 + 1) * sizeof(*prefix_out->parameters)); /* name = value */
    if (prefix_out->parameters == NULL) {
        return nomem(error_out);
    }
    uint32_t at = 1;
    while (st == YORE_OK && is_name(&list.tokens[at]) && list.tokens[at + 1].kind == TOKEN_EQUAL) {
        st = take_one(&list, text, arena, prefix_out, &at, error_out);
    }
    prefix_out->rest = bytes_behind(text, list.tokens[at].offset);
    return st == YORE_OK && prefix_out->returns.is_nomem ? nomem(error_out) : st;
}
