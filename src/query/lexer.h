/* lexer.h -- the text of a statement cut into tokens, all at once, brackets matched.
 *
 * Names begin with a letter or '_'; beyond ASCII every code point is a letter but blanks, and the
 * dashes and arrow heads that openCypher takes for '-', '<' and '>'.  Numbers and strings are
 * checked where they are used (lexer_integer() and so on), so that a malformed one in a wrong place
 * is told as being in the wrong place.
 */
#ifndef YORE_QUERY_LEXER_H
#define YORE_QUERY_LEXER_H

#include <stdint.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "base/status.h"
#include "query/query.h"
#include "query/token.h"

struct token_list {
    const struct token *tokens; /* the last is TOKEN_END */
    uint32_t count;
};

/* Errors: YORE_INVALID (not UTF-8; a string, name or comment that does not end), YORE_TOO_BIG (over
 * QUERY_TEXT_BYTES_MAX), YORE_NOMEM. */
enum yore_status lexer_run(struct yore_bytes text, struct arena *arena,
                           struct token_list *tokens_out, struct query_error *error_out);

/* What a literal token means; `error_out` gets a SyntaxError with the kit's detail. */
struct lexer_literal {
    struct yore_bytes text; /* of the whole statement */
    const struct token *token;
};
/* `*magnitude_out` is at most 2^63, and that only where `is_negative`.  Detail: IntegerOverflow. */
enum yore_status lexer_integer(const struct lexer_literal *literal, bool is_negative,
                               uint64_t *magnitude_out, struct query_error *error_out);
/* Details: FloatingPointOverflow. */
enum yore_status lexer_float(const struct lexer_literal *literal, struct arena *arena,
                             double *value_out, struct query_error *error_out);
/* Escapes undone, in `arena`.  Details: InvalidUnicodeLiteral, UnexpectedSyntax. */
enum yore_status lexer_string(const struct lexer_literal *literal, struct arena *arena,
                              struct yore_bytes *value_out, struct query_error *error_out);
/* A name, without its backticks, in `arena` where it had doubled ones. */
enum yore_status lexer_name(const struct lexer_literal *literal, struct arena *arena,
                            struct yore_bytes *value_out);

#endif
