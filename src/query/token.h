/* token.h -- the words of a statement's text. */
#ifndef YORE_QUERY_TOKEN_H
#define YORE_QUERY_TOKEN_H

#include <stdbool.h>
#include <stdint.h>

/* Keywords, in alphabetical order, and whether they are *reserved*: NEVER, AFTER (in an expression
 * such a word is a variable only where what follows shows that no clause begins), ALWAYS (a
 * variable of that name has to be written in backticks). */
#define QUERY_WORDS(X)                                                                             \
    X(ALL, "ALL", NEVER)                                                                           \
    X(ALLSHORTESTPATHS, "ALLSHORTESTPATHS", NEVER)                                                 \
    X(AND, "AND", ALWAYS)                                                                          \
    X(ANY, "ANY", NEVER)                                                                           \
    X(AS, "AS", ALWAYS)                                                                            \
    X(ASC, "ASC", NEVER)                                                                           \
    X(ASCENDING, "ASCENDING", NEVER)                                                               \
    X(ASSERT, "ASSERT", NEVER)                                                                     \
    X(BTREE, "BTREE", NEVER)                                                                       \
    X(BY, "BY", NEVER)                                                                             \
    X(CALL, "CALL", NEVER)                                                                         \
    X(CASE, "CASE", ALWAYS)                                                                        \
    X(COLLECT, "COLLECT", NEVER)                                                                   \
    X(CONSTRAINT, "CONSTRAINT", NEVER)                                                             \
    X(CONSTRAINTS, "CONSTRAINTS", NEVER)                                                           \
    X(CONTAINS, "CONTAINS", ALWAYS)                                                                \
    X(COUNT, "COUNT", NEVER)                                                                       \
    X(CREATE, "CREATE", AFTER)                                                                     \
    X(DELETE, "DELETE", AFTER)                                                                     \
    X(DESC, "DESC", NEVER)                                                                         \
    X(DESCENDING, "DESCENDING", NEVER)                                                             \
    X(DETACH, "DETACH", AFTER)                                                                     \
    X(DISTINCT, "DISTINCT", ALWAYS)                                                                \
    X(DROP, "DROP", NEVER)                                                                         \
    X(ELSE, "ELSE", NEVER)                                                                         \
    X(END, "END", NEVER)                                                                           \
    X(ENDS, "ENDS", ALWAYS)                                                                        \
    X(EXISTS, "EXISTS", NEVER)                                                                     \
    X(EXPLAIN, "EXPLAIN", NEVER)                                                                   \
    X(FALSE, "FALSE", ALWAYS)                                                                      \
    X(FOR, "FOR", NEVER)                                                                           \
    X(FOREACH, "FOREACH", NEVER)                                                                   \
    X(FROM, "FROM", NEVER)                                                                         \
    X(IF, "IF", NEVER)                                                                             \
    X(IN, "IN", ALWAYS)                                                                            \
    X(INDEX, "INDEX", NEVER)                                                                       \
    X(INDEXES, "INDEXES", NEVER)                                                                   \
    X(IS, "IS", ALWAYS)                                                                            \
    X(KNOWN, "KNOWN", NEVER)                                                                       \
    X(LIMIT, "LIMIT", AFTER)                                                                       \
    X(LOAD, "LOAD", NEVER)                                                                         \
    X(MATCH, "MATCH", AFTER)                                                                       \
    X(MERGE, "MERGE", AFTER)                                                                       \
    X(NONE, "NONE", NEVER)                                                                         \
    X(NOT, "NOT", ALWAYS)                                                                          \
    X(NULL, "NULL", ALWAYS)                                                                        \
    X(OF, "OF", NEVER)                                                                             \
    X(ON, "ON", NEVER)                                                                             \
    X(OPTIONAL, "OPTIONAL", AFTER)                                                                 \
    X(OPTIONS, "OPTIONS", NEVER)                                                                   \
    X(OR, "OR", ALWAYS)                                                                            \
    X(ORDER, "ORDER", AFTER)                                                                       \
    X(PROFILE, "PROFILE", NEVER)                                                                   \
    X(RANGE, "RANGE", NEVER)                                                                       \
    X(REDUCE, "REDUCE", NEVER)                                                                     \
    X(REMOVE, "REMOVE", AFTER)                                                                     \
    X(REQUIRE, "REQUIRE", NEVER)                                                                   \
    X(RETURN, "RETURN", AFTER)                                                                     \
    X(SET, "SET", AFTER)                                                                           \
    X(SHORTESTPATH, "SHORTESTPATH", NEVER)                                                         \
    X(SHOW, "SHOW", NEVER)                                                                         \
    X(SINGLE, "SINGLE", NEVER)                                                                     \
    X(SKIP, "SKIP", AFTER)                                                                         \
    X(STARTS, "STARTS", ALWAYS)                                                                    \
    X(THEN, "THEN", NEVER)                                                                         \
    X(TO, "TO", NEVER)                                                                             \
    X(TRANSACTIONS, "TRANSACTIONS", NEVER)                                                         \
    X(TRUE, "TRUE", ALWAYS)                                                                        \
    X(UNION, "UNION", AFTER)                                                                       \
    X(UNIQUE, "UNIQUE", NEVER)                                                                     \
    X(UNWIND, "UNWIND", AFTER)                                                                     \
    X(WHEN, "WHEN", NEVER)                                                                         \
    X(WHERE, "WHERE", AFTER)                                                                       \
    X(WITH, "WITH", AFTER)                                                                         \
    X(XOR, "XOR", ALWAYS)                                                                          \
    X(YIELD, "YIELD", NEVER)

/* Punctuation and the rest, as they are named in errors. */
#define QUERY_TOKENS(X)                                                                            \
    X(END, "the end of the statement")                                                             \
    X(NAME, "a name")                                                                              \
    X(QUOTED_NAME, "a name")                                                                       \
    X(STRING, "a string")                                                                          \
    X(INTEGER, "an integer")                                                                       \
    X(FLOAT, "a number")                                                                           \
    X(BAD_NUMBER, "a number")                                                                      \
    X(UNKNOWN, "a character")                                                                      \
    X(OPEN_ROUND, "'('")                                                                           \
    X(CLOSE_ROUND, "')'")                                                                          \
    X(OPEN_SQUARE, "'['")                                                                          \
    X(CLOSE_SQUARE, "']'")                                                                         \
    X(OPEN_CURLY, "'{'")                                                                           \
    X(CLOSE_CURLY, "'}'")                                                                          \
    X(COMMA, "','")                                                                                \
    X(DOT, "'.'")                                                                                  \
    X(DOTS, "'..'")                                                                                \
    X(COLON, "':'")                                                                                \
    X(SEMICOLON, "';'")                                                                            \
    X(BAR, "'|'")                                                                                  \
    X(AMPERSAND, "'&'")                                                                            \
    X(DOLLAR, "'$'")                                                                               \
    X(EQUAL, "'='")                                                                                \
    X(NOT_EQUAL, "'<>'")                                                                           \
    X(LESS, "'<'")                                                                                 \
    X(LESS_EQUAL, "'<='")                                                                          \
    X(GREATER, "'>'")                                                                              \
    X(GREATER_EQUAL, "'>='")                                                                       \
    X(MATCHES, "'=~'")                                                                             \
    X(PLUS, "'+'")                                                                                 \
    X(PLUS_EQUAL, "'+='")                                                                          \
    X(MINUS, "'-'")                                                                                \
    X(STAR, "'*'")                                                                                 \
    X(SLASH, "'/'")                                                                                \
    X(PERCENT, "'%'")                                                                              \
    X(CARET, "'^'")

/* One space of numbers for both, so that what was expected at a spot is one set. */
enum token_kind {
#define QUERY_TOKEN_ENUM(name, text) TOKEN_##name,
    QUERY_TOKENS(QUERY_TOKEN_ENUM)
#undef QUERY_TOKEN_ENUM
        TOKEN_KIND_COUNT
};

enum token_word {
    WORD_BEFORE_FIRST = TOKEN_KIND_COUNT - 1,
#define QUERY_WORD_ENUM(name, text, reserved) WORD_##name,
    QUERY_WORDS(QUERY_WORD_ENUM)
#undef QUERY_WORD_ENUM
        WORD_END_OF_LIST
};
#define WORD_NO 0u /* a name that is no keyword */

/* A TOKEN_NAME that is a keyword (whatever its case) has that in `word`; the parser decides by what
 * it expects whether it is one.  `match` of a bracket is the token with its partner, 0: none. */
struct token {
    uint32_t offset;
    uint32_t size;
    uint32_t match;
    uint8_t kind;
    uint8_t word;
};

/* "MATCH", "'('", "a name". */
const char *token_text(unsigned kind_or_word);
enum token_reserved { RESERVED_NEVER, RESERVED_AFTER, RESERVED_ALWAYS };
enum token_reserved token_word_reserved(unsigned word);

#endif
