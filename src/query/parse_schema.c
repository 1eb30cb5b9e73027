/* parse_schema.c -- indexes and constraints, as Neo4j 4 and 5 write them:
 *
 *     CREATE [RANGE | BTREE] INDEX [name] [IF NOT EXISTS] FOR (n:Label) ON (n.property)
 *     CREATE INDEX ON :Label(property)
 *     DROP INDEX name [IF EXISTS]
 *     DROP INDEX ON :Label(property)
 *     CREATE CONSTRAINT [name] [IF NOT EXISTS] FOR (n:Label) REQUIRE n.property IS UNIQUE
 *     CREATE CONSTRAINT [name] [IF NOT EXISTS] ON (n:Label) ASSERT n.property IS UNIQUE
 *     DROP CONSTRAINT name [IF EXISTS]
 *     DROP CONSTRAINT ON (n:Label) ASSERT n.property IS UNIQUE
 */
#include "query/parser_internal.h"

static bool is_schema_word(const struct token *token)
{
    return token->word == WORD_INDEX || token->word == WORD_CONSTRAINT;
}

bool parse_schema_begins(const struct parser *p)
{
    const struct token *next = parser_ahead(p, 1);
    if (parser_is_word(p, WORD_DROP)) {
        return true;
    }
    return parser_is_word(p, WORD_CREATE) &&
           (is_schema_word(next) ||
            (next->kind == TOKEN_NAME && is_schema_word(parser_ahead(p, 2))));
}

/* (variable:Label) */
static bool parse_subject(struct parser *p, struct yore_bytes *variable_out,
                          struct yore_bytes *label_out)
{
    uint32_t first = p->at;
    if (!parser_expect(p, TOKEN_OPEN_ROUND)) {
        return false;
    }
    if (parser_is(p, TOKEN_CLOSE_ROUND)) {
        return parser_unsupported(p, parser_spot(p, first),
                                  "indexes and constraints are on nodes: FOR (n:Label)");
    }
    return parser_variable(p, variable_out) && parser_expect(p, TOKEN_COLON) &&
           parser_name(p, label_out) && parser_expect(p, TOKEN_CLOSE_ROUND);
}

/* variable.property, in parentheses or not */
static bool parse_subject_property(struct parser *p, struct yore_bytes variable,
                                   struct yore_bytes *property_out)
{
    bool is_enclosed = parser_accept(p, TOKEN_OPEN_ROUND);
    uint32_t first = p->at;
    struct yore_bytes name;
    if (!parser_variable(p, &name)) {
        return false;
    }
    if (!bytes_equal(name, variable)) {
        return parser_fail_at(p, parser_spot(p, first), "UndefinedVariable",
                              "this is not the variable of the pattern before");
    }
    if (!parser_expect(p, TOKEN_DOT) || !parser_name(p, property_out)) {
        return false;
    }
    if (is_enclosed && parser_is(p, TOKEN_COMMA)) {
        return parser_unsupported(p, parser_spot(p, p->at),
                                  "an index or constraint is on one property; make one for each");
    }
    return !is_enclosed || parser_expect(p, TOKEN_CLOSE_ROUND);
}

static bool parse_unique(struct parser *p)
{
    if (!parser_expect_word(p, WORD_IS)) {
        return false;
    }
    if (!parser_at_word(p, WORD_UNIQUE)) {
        return parser_unsupported(p, parser_spot(p, p->at),
                                  "the only constraint there is: ... IS UNIQUE");
    }
    parser_advance(p);
    return true;
}

static bool refuse_options(struct parser *p)
{
    if (parser_is_word(p, WORD_OPTIONS)) {
        return parser_unsupported(p, parser_spot(p, p->at), "an index has no options");
    }
    return true;
}

/* [IF NOT EXISTS], of DROP [IF EXISTS] */
static bool parse_condition(struct parser *p, bool is_drop, bool *is_conditional_out)
{
    *is_conditional_out = parser_accept_word(p, WORD_IF);
    if (!*is_conditional_out) {
        return true;
    }
    return (is_drop || parser_expect_word(p, WORD_NOT)) && parser_expect_word(p, WORD_EXISTS);
}

/* [name] [IF ...], where FOR or ON or the end follows */
static bool parse_schema_name(struct parser *p, bool is_drop, struct clause *clause)
{
    bool is_name = !parser_at_word(p, WORD_FOR) && !parser_at_word(p, WORD_ON) &&
                   !(parser_at_word(p, WORD_IF) && parser_ahead(p, 1)->kind == TOKEN_NAME);
    if (is_name && !parser_name(p, &clause->as.schema.name)) {
        return false;
    }
    return parse_condition(p, is_drop, &clause->as.schema.if_not_exists);
}

/* :Label(property) */
static bool parse_old_index(struct parser *p, struct clause *clause)
{
    return parser_expect(p, TOKEN_COLON) && parser_name(p, &clause->as.schema.label) &&
           parser_expect(p, TOKEN_OPEN_ROUND) && parser_name(p, &clause->as.schema.property) &&
           parser_expect(p, TOKEN_CLOSE_ROUND);
}

static bool parse_index(struct parser *p, bool is_drop, struct clause *clause)
{
    clause->kind = is_drop ? CLAUSE_DROP_INDEX : CLAUSE_CREATE_INDEX;
    if (!parse_schema_name(p, is_drop, clause)) {
        return false;
    }
    bool is_named = clause->as.schema.name.size > 0;
    if (is_drop && is_named) {
        return true;
    }
    if (!is_named && parser_accept_word(p, WORD_ON)) {
        return parse_old_index(p, clause);
    }
    struct yore_bytes variable;
    return !is_drop && parser_expect_word(p, WORD_FOR) &&
           parse_subject(p, &variable, &clause->as.schema.label) &&
           parser_expect_word(p, WORD_ON) &&
           parse_subject_property(p, variable, &clause->as.schema.property) && refuse_options(p);
}

static bool parse_constraint(struct parser *p, bool is_drop, struct clause *clause)
{
    clause->kind = is_drop ? CLAUSE_DROP_CONSTRAINT : CLAUSE_CREATE_CONSTRAINT;
    if (!parse_schema_name(p, is_drop, clause)) {
        return false;
    }
    if (is_drop && clause->as.schema.name.size > 0) {
        return true;
    }
    bool is_old = parser_accept_word(p, WORD_ON);
    struct yore_bytes variable;
    return (is_old || parser_expect_word(p, WORD_FOR)) &&
           parse_subject(p, &variable, &clause->as.schema.label) &&
           parser_expect_word(p, is_old ? WORD_ASSERT : WORD_REQUIRE) &&
           parse_subject_property(p, variable, &clause->as.schema.property) && parse_unique(p) &&
           refuse_options(p);
}

bool parse_schema(struct parser *p, struct clause *clause)
{
    uint32_t first = p->at;
    bool is_drop = parser_is_word(p, WORD_DROP);
    parser_advance(p);
    bool is_plain = is_schema_word(parser_token(p));
    if (!is_plain && !is_drop) {
        if (!parser_is_word(p, WORD_RANGE) && !parser_is_word(p, WORD_BTREE)) {
            return parser_unsupported(p, parser_spot(p, p->at),
                                      "there is one kind of index: CREATE INDEX ...");
        }
        parser_advance(p);
    }
    bool is_parsed = parser_accept_word(p, WORD_INDEX)        ? parse_index(p, is_drop, clause)
                     : parser_accept_word(p, WORD_CONSTRAINT) ? parse_constraint(p, is_drop, clause)
                                                              : false;
    clause->spot = parser_spot(p, first);
    return is_parsed || parser_fail(p);
}
