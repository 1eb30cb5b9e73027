/* parse_clause.c -- queries: UNIONs of clauses, reading clauses, calls and subqueries, time. */
#include "query/parser_internal.h"

/* ---- time ------------------------------------------------------------------------------------
 */

static bool parse_moment(struct parser *p, struct expr **moment_out)
{
    *moment_out = parse_expr(p);
    return *moment_out != NULL;
}

/* [AS OF moment | FROM moment TO moment] [KNOWN moment] */
bool parse_time(struct parser *p, struct time_spec *time)
{
    if (parser_accept_words(p, WORD_AS, WORD_OF)) {
        if (!parse_moment(p, &time->as_of)) {
            return false;
        }
    } else if (parser_accept_word(p, WORD_FROM)) {
        if (!parse_moment(p, &time->from) || !parser_expect_word(p, WORD_TO) ||
            !parse_moment(p, &time->to)) {
            return false;
        }
    }
    return !parser_accept_word(p, WORD_KNOWN) || parse_moment(p, &time->known);
}

/* ---- reading clauses -------------------------------------------------------------------------
 */

static bool parse_match(struct parser *p, struct clause *clause)
{
    clause->kind = CLAUSE_MATCH;
    clause->as.match.is_optional = parser_accept_word(p, WORD_OPTIONAL);
    if (!parser_expect_word(p, WORD_MATCH) || !parse_pattern(p, &clause->as.match.pattern) ||
        !parse_time(p, &clause->as.match.time)) {
        return false;
    }
    if (parser_accept_word(p, WORD_WHERE)) {
        clause->as.match.where = parse_expr(p);
        return clause->as.match.where != NULL;
    }
    return true;
}

static bool parse_unwind(struct parser *p, struct clause *clause)
{
    clause->kind = CLAUSE_UNWIND;
    clause->as.unwind.slot = AST_NO_SLOT;
    parser_advance(p);
    clause->as.unwind.list = parse_expr(p);
    return clause->as.unwind.list != NULL && parser_expect_word(p, WORD_AS) &&
           parser_variable(p, &clause->as.unwind.name);
}

/* ---- procedures ------------------------------------------------------------------------------
 */

static bool parse_yield_item(struct parser *p, struct yield_item *item)
{
    item->slot = AST_NO_SLOT;
    if (!parser_name(p, &item->column)) {
        return false;
    }
    item->name = item->column;
    return !parser_accept_word(p, WORD_AS) || parser_variable(p, &item->name);
}

static bool parse_yield(struct parser *p, struct clause *clause)
{
    struct parser_list yields = {NULL, 0, 0};
    if (parser_accept(p, TOKEN_STAR)) {
        clause->as.call.yields_all = true;
    } else {
        do {
            struct yield_item *item = parser_push(p, &yields, sizeof(*item));
            if (item == NULL || !parse_yield_item(p, item)) {
                return false;
            }
        } while (parser_accept(p, TOKEN_COMMA));
    }
    clause->as.call.yields = yields.items;
    clause->as.call.yield_count = yields.count;
    if (parser_accept_word(p, WORD_WHERE)) {
        clause->as.call.where = parse_expr(p);
        return clause->as.call.where != NULL;
    }
    return true;
}

static bool parse_procedure(struct parser *p, struct clause *clause)
{
    clause->kind = CLAUSE_CALL;
    if (!parser_dotted_name(p, &clause->as.call.name)) {
        return false;
    }
    if (parser_accept(p, TOKEN_OPEN_ROUND)) {
        clause->as.call.has_arguments = true;
        if (!parse_expr_list(p, TOKEN_CLOSE_ROUND, &clause->as.call.arguments)) {
            return false;
        }
    }
    return !parser_accept_word(p, WORD_YIELD) || parse_yield(p, clause);
}

/* ---- subqueries ------------------------------------------------------------------------------
 */

static bool is_query_begin(const struct parser *p)
{
    switch (parser_token(p)->word) {
    case WORD_MATCH:
    case WORD_OPTIONAL:
    case WORD_UNWIND:
    case WORD_WITH:
    case WORD_RETURN:
    case WORD_CALL:
    case WORD_CREATE:
    case WORD_MERGE:
    case WORD_SET:
    case WORD_REMOVE:
    case WORD_DELETE:
    case WORD_DETACH:
    case WORD_FOREACH:
        return true;
    default:
        return false;
    }
}

/* (a)-->(b) [time] [WHERE ...] for MATCH (a)-->(b) ... */
static bool parse_bare_match(struct parser *p, struct query_part *part)
{
    struct single_query *query = parser_alloc(p, sizeof(*query));
    struct clause *clause = parser_alloc(p, sizeof(*clause));
    uint32_t first = p->at;
    if (query == NULL || clause == NULL) {
        return false;
    }
    clause->kind = CLAUSE_MATCH;
    if (!parse_pattern(p, &clause->as.match.pattern) || !parse_time(p, &clause->as.match.time)) {
        return false;
    }
    if (parser_accept_word(p, WORD_WHERE)) {
        clause->as.match.where = parse_expr(p);
        if (clause->as.match.where == NULL) {
            return false;
        }
    }
    clause->spot = parser_spot(p, first);
    *query = (struct single_query){clause, 1};
    part->queries = query;
    part->query_count = 1;
    return true;
}

struct query_part *parse_subquery(struct parser *p)
{
    struct query_part *part = parser_alloc(p, sizeof(*part));
    if (part == NULL || !parser_deeper(p)) {
        return NULL;
    }
    bool is_parsed = is_query_begin(p) && parser_ahead(p, 1)->kind != TOKEN_EQUAL
                         ? parse_query(p, part)
                         : parse_bare_match(p, part);
    p->depth--;
    return is_parsed && parser_expect(p, TOKEN_CLOSE_CURLY) ? part : NULL;
}

/* CALL (a, b) { ... }: the variables it takes; CALL { ... } takes those of its first WITH. */
static bool parse_scope(struct parser *p, struct clause *clause)
{
    struct parser_list names = {NULL, 0, 0};
    clause->as.subquery.has_scope = true;
    if (parser_accept(p, TOKEN_STAR)) {
        clause->as.subquery.takes_all = true;
        return parser_expect(p, TOKEN_CLOSE_ROUND);
    }
    if (parser_accept(p, TOKEN_CLOSE_ROUND)) {
        return true;
    }
    do {
        struct yore_bytes *name = parser_push(p, &names, sizeof(*name));
        if (name == NULL || !parser_variable(p, name)) {
            return false;
        }
    } while (parser_accept(p, TOKEN_COMMA));
    clause->as.subquery.scope = names.items;
    clause->as.subquery.scope_count = names.count;
    return parser_expect(p, TOKEN_CLOSE_ROUND);
}

static bool parse_call_subquery(struct parser *p, struct clause *clause)
{
    clause->kind = CLAUSE_CALL_SUBQUERY;
    if (parser_accept(p, TOKEN_OPEN_ROUND) && !parse_scope(p, clause)) {
        return false;
    }
    struct query_part *body = parser_alloc(p, sizeof(*body));
    if (body == NULL || !parser_expect(p, TOKEN_OPEN_CURLY) || !parser_deeper(p)) {
        return false;
    }
    bool is_parsed = parse_query(p, body);
    p->depth--;
    if (!is_parsed || !parser_expect(p, TOKEN_CLOSE_CURLY)) {
        return false;
    }
    clause->as.subquery.body = body;
    if (parser_is_word(p, WORD_IN)) {
        return parser_unsupported(p, parser_spot(p, p->at),
                                  "CALL { } IN TRANSACTIONS is not supported: a statement is one "
                                  "transaction");
    }
    return true;
}

/* SHOW [ALL | RANGE | UNIQUE] INDEX[ES] | CONSTRAINT[S] [YIELD ...]: a procedure by another name.
 */
static bool parse_show(struct parser *p, struct clause *clause)
{
    parser_advance(p);
    clause->kind = CLAUSE_CALL;
    clause->as.call.has_arguments = true;
    if (!parser_accept_word(p, WORD_ALL) && !parser_accept_word(p, WORD_RANGE)) {
        parser_accept_word(p, WORD_UNIQUE);
    }
    if (parser_accept_word(p, WORD_INDEXES) || parser_accept_word(p, WORD_INDEX)) {
        clause->as.call.name = bytes_of("db.showIndexes", 14);
    } else if (parser_accept_word(p, WORD_CONSTRAINTS) || parser_accept_word(p, WORD_CONSTRAINT)) {
        clause->as.call.name = bytes_of("db.showConstraints", 18);
    } else {
        return parser_fail(p);
    }
    return !parser_accept_word(p, WORD_YIELD) || parse_yield(p, clause);
}

static bool parse_call(struct parser *p, struct clause *clause)
{
    parser_advance(p);
    bool is_subquery = parser_is(p, TOKEN_OPEN_CURLY) || parser_is(p, TOKEN_OPEN_ROUND);
    return is_subquery ? parse_call_subquery(p, clause) : parse_procedure(p, clause);
}

/* ---- queries ---------------------------------------------------------------------------------
 */

static bool parse_return(struct parser *p, struct clause *clause)
{
    bool is_with = parser_is_word(p, WORD_WITH);
    clause->kind = is_with ? CLAUSE_WITH : CLAUSE_RETURN;
    parser_advance(p);
    return parse_projection(p, &clause->as.projection, is_with);
}

typedef bool (*clause_parser)(struct parser *p, struct clause *clause);

/* What parses the clause that begins here, NULL: none does. */
static clause_parser clause_parser_at(struct parser *p)
{
    static const struct {
        enum token_word word;
        clause_parser parse;
    } clauses[] = {
        {WORD_MATCH, parse_match},     {WORD_OPTIONAL, parse_match}, {WORD_UNWIND, parse_unwind},
        {WORD_WITH, parse_return},     {WORD_RETURN, parse_return},  {WORD_CALL, parse_call},
        {WORD_CREATE, parse_create},   {WORD_MERGE, parse_merge},    {WORD_SET, parse_set},
        {WORD_REMOVE, parse_remove},   {WORD_DELETE, parse_delete},  {WORD_DETACH, parse_delete},
        {WORD_FOREACH, parse_foreach}, {WORD_SHOW, parse_show},
    };
    for (size_t i = 0; i < sizeof(clauses) / sizeof(clauses[0]); i++) {
        if (parser_at_word(p, clauses[i].word)) {
            return clauses[i].parse;
        }
    }
    return NULL;
}

static bool parse_clause(struct parser *p, clause_parser parse, struct parser_list *clauses)
{
    uint32_t first = p->at;
    struct clause *clause = parser_push(p, clauses, sizeof(*clause));
    if (clause == NULL || !parse(p, clause)) {
        return false;
    }
    clause->spot = parser_spot(p, first);
    return true;
}

static bool is_updating(const struct clause *clause)
{
    switch (clause->kind) {
    case CLAUSE_CREATE:
    case CLAUSE_MERGE:
    case CLAUSE_SET:
    case CLAUSE_REMOVE:
    case CLAUSE_DELETE:
    case CLAUSE_FOREACH:
        return true;
    default:
        return false;
    }
}

/* The body of a FOREACH. */
bool parse_updating_clauses(struct parser *p, struct parser_list *clauses)
{
    clause_parser parse = clause_parser_at(p);
    while (parse != NULL) {
        if (!parse_clause(p, parse, clauses)) {
            return false;
        }
        const struct clause *last = (const struct clause *)clauses->items + clauses->count - 1;
        if (!is_updating(last)) {
            return parser_fail_at(p, last->spot, "InvalidClauseComposition",
                                  "only clauses that write may stand in FOREACH");
        }
        parse = clause_parser_at(p);
    }
    return clauses->count > 0 || parser_fail(p);
}

static bool parse_single_query(struct parser *p, struct single_query *query)
{
    struct parser_list clauses = {NULL, 0, 0};
    clause_parser parse = clause_parser_at(p);
    if (parse == NULL && parser_is_word(p, WORD_LOAD)) {
        return parser_unsupported(p, parser_spot(p, p->at),
                                  "LOAD CSV is not supported: import with the program's own "
                                  "`import`, or send rows as a parameter and UNWIND it");
    }
    while (parse != NULL) {
        if (!parse_clause(p, parse, &clauses)) {
            return false;
        }
        parse = clause_parser_at(p);
    }
    *query = (struct single_query){clauses.items, clauses.count};
    return clauses.count > 0 || parser_fail(p);
}

bool parse_query(struct parser *p, struct query_part *part)
{
    struct parser_list queries = {NULL, 0, 0};
    while (true) {
        struct single_query *query = parser_push(p, &queries, sizeof(*query));
        if (query == NULL || !parse_single_query(p, query)) {
            return false;
        }
        uint32_t first = p->at;
        if (!parser_accept_word(p, WORD_UNION)) {
            break;
        }
        bool is_all = parser_accept_word(p, WORD_ALL);
        if (queries.count > 1 && is_all != part->is_union_all) {
            return parser_fail_at(p, parser_spot(p, first), "InvalidClauseComposition",
                                  "UNION and UNION ALL cannot be mixed; put one of them into "
                                  "CALL { }");
        }
        part->is_union_all = is_all;
    }
    part->queries = queries.items;
    part->query_count = queries.count;
    return true;
}
