/* parser_internal.h -- what the files of the parser share.
 *
 * A parse function returns false or NULL when it has failed; the first failure stands in
 * `parser.status` and the caller's error, and everybody returns at once.
 */
#ifndef YORE_QUERY_PARSER_INTERNAL_H
#define YORE_QUERY_PARSER_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "base/status.h"
#include "query/ast.h"
#include "query/lexer.h"
#include "query/query.h"
#include "query/token.h"

#define EXPECTED_WORDS ((WORD_END_OF_LIST + 63) / 64)

struct parser {
    struct yore_bytes text;
    struct arena *arena;
    struct query_error *error;
    enum yore_status status;
    const struct token *tokens;
    uint32_t at;    /* the token looked at */
    uint32_t depth; /* of nesting: QUERY_DEPTH_MAX */
    /* The greatest height of the expressions made since this was last set to 0: the height of what
     * holds them, whether directly or by a pattern or a subquery. */
    uint32_t tallest;
    bool has_no_labels;                /* n:Label is not part of the expression: SET */
    uint64_t expected[EXPECTED_WORDS]; /* kinds and words that would have fitted at `at` */
    const char *wished;                /* and in words: "an expression" */
};

/* ---- tokens (parser.c) ------------------------------------------------------------------------
 */

const struct token *parser_token(const struct parser *p);
const struct token *parser_ahead(const struct parser *p, uint32_t count);
void parser_advance(struct parser *p);
/* Is it this kind, or this word?  A no is remembered for the error. */
bool parser_at(struct parser *p, enum token_kind kind);
bool parser_at_word(struct parser *p, enum token_word word);
/* The same without being remembered. */
bool parser_is(const struct parser *p, enum token_kind kind);
bool parser_is_word(const struct parser *p, enum token_word word);
bool parser_accept(struct parser *p, enum token_kind kind);
bool parser_accept_word(struct parser *p, enum token_word word);
/* Or else fail. */
bool parser_expect(struct parser *p, enum token_kind kind);
bool parser_expect_word(struct parser *p, enum token_word word);
/* Two words behind each other, taken both or neither. */
bool parser_accept_words(struct parser *p, enum token_word first, enum token_word second);

/* A name, any word allowed (labels, types, properties, aliases) or only unreserved ones. */
bool parser_name(struct parser *p, struct yore_bytes *name_out);
bool parser_variable(struct parser *p, struct yore_bytes *name_out);
bool parser_at_variable(const struct parser *p);
/* A name with namespaces, dots between, blanks left out. */
bool parser_dotted_name(struct parser *p, struct yore_bytes *name_out);
/* :A:B, one at least. */
bool parser_labels(struct parser *p, const struct yore_bytes **labels_out, uint32_t *count_out);

/* From the token with index `first` to the one before the present. */
struct ast_spot parser_spot(const struct parser *p, uint32_t first);
struct yore_bytes parser_text(const struct parser *p, struct ast_spot spot);

/* ---- failing ---------------------------------------------------------------------------------
 */

/* What stands here was not expected.  All of them return false. */
bool parser_fail(struct parser *p);
bool parser_wish(struct parser *p, const char *wished);
bool parser_fail_at(struct parser *p, struct ast_spot spot, const char *detail,
                    const char *problem);
bool parser_unsupported(struct parser *p, struct ast_spot spot, const char *problem);
bool parser_nomem(struct parser *p);

/* Enter one more level of nesting; leave it with parser->depth--. */
bool parser_deeper(struct parser *p);

/* ---- memory ----------------------------------------------------------------------------------
 */

void *parser_alloc(struct parser *p, size_t size); /* zeroed */

/* An array that grows in the arena. */
struct parser_list {
    void *items;
    uint32_t count;
    uint32_t capacity;
};
/* The next item, zeroed. */
void *parser_push(struct parser *p, struct parser_list *list, size_t item_size);

/* ---- grammar ---------------------------------------------------------------------------------
 */

/* parse_expr.c */
struct expr *parse_expr(struct parser *p);
struct expr *parse_postfix(struct parser *p);
bool parse_expr_list(struct parser *p, enum token_kind end, struct expr_list *list_out);
struct expr *expr_new(struct parser *p, enum expr_kind kind, uint32_t first_token);
/* Set the height of `expr` to one more than `below` and refuse what is over the limit. */
struct expr *expr_finish(struct parser *p, struct expr *expr, uint32_t below);
/* parse_atom.c */
struct expr *parse_atom(struct parser *p);
struct expr *parse_map(struct parser *p);
struct expr *parse_parameter(struct parser *p);
/* parse_pattern.c */
bool parse_pattern(struct parser *p, struct pattern *pattern_out);
bool parse_path(struct parser *p, bool may_be_named, struct path_pattern *path_out);
/* `shortestPath` and its parentheses, behind the word. */
bool parse_shortest(struct parser *p, struct path_pattern *path_out);
bool parser_at_shortest(const struct parser *p);
/* The token behind the path of one relationship at least that begins at token `first`, 0: there is
 * none. */
uint32_t pattern_end(const struct parser *p, uint32_t first);
/* parse_clause.c */
bool parse_query(struct parser *p, struct query_part *part_out);
bool parse_time(struct parser *p, struct time_spec *time_out);
/* The body of EXISTS, COUNT and COLLECT, behind '{', with the '}'; a bare pattern is a MATCH. */
struct query_part *parse_subquery(struct parser *p);
/* parse_projection.c */
bool parse_projection(struct parser *p, struct projection *projection_out, bool is_with);
/* parse_update.c */
bool parse_create(struct parser *p, struct clause *clause);
bool parse_merge(struct parser *p, struct clause *clause);
bool parse_set(struct parser *p, struct clause *clause);
bool parse_remove(struct parser *p, struct clause *clause);
bool parse_delete(struct parser *p, struct clause *clause);
bool parse_foreach(struct parser *p, struct clause *clause);
bool parse_updating_clauses(struct parser *p, struct parser_list *clauses);
/* parse_schema.c */
bool parse_schema_begins(const struct parser *p);
bool parse_schema(struct parser *p, struct clause *clause);

#endif
