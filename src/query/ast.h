/* ast.h -- a statement of the query language as the parser reads it and the resolver completes it.
 *
 * Everything lives in the arena of the statement and is immutable once resolved (others than parser
 * and resolver take it as const); arrays come with their counts.  The parser fills all fields but
 * those marked (resolved).  The resolver gives every variable a *slot*, its place in the rows of
 * the whole statement: a name bound anew, in another scope or by WITH, is another slot; a name that
 * WITH passes on unchanged keeps its slot. Nesting is bounded by QUERY_DEPTH_MAX and the height of
 * an expression by QUERY_HEIGHT_MAX (chains of operators count; AND, OR and XOR are balanced), so
 * walking the tree by recursion is bounded.
 *
 * Source: openCypher 9, and the time extension of docs/query.md.
 */
#ifndef YORE_QUERY_AST_H
#define YORE_QUERY_AST_H

#include <stdbool.h>
#include <stdint.h>

#include <yore/graph.h>

#include "base/bytes.h"

#define AST_NO_SLOT UINT32_MAX

/* Where in the text something stands, for errors: octets from its begin. */
struct ast_spot {
    uint32_t offset;
    uint32_t size;
};

/* ---- expressions ------------------------------------------------------------------------------
 */

enum expr_kind {
    EXPR_LITERAL = 1, /* null, booleans, numbers, strings */
    EXPR_PARAMETER,
    EXPR_VARIABLE,
    EXPR_PROPERTY,   /* object.name */
    EXPR_HAS_LABELS, /* object:A:B; of a relationship: its type */
    EXPR_LIST,
    EXPR_MAP,
    EXPR_INDEX, /* object[index] */
    EXPR_SLICE, /* object[low..high], either may be NULL */
    EXPR_UNARY,
    EXPR_BINARY,
    EXPR_COMPARISON, /* a < b <= c: a chain, true where each link is */
    EXPR_IS_NULL,
    EXPR_IS_NOT_NULL,
    EXPR_CALL,       /* a function of the table in query/function.h */
    EXPR_AGGREGATE,  /* (resolved) its result stands in `slot` after aggregation */
    EXPR_COUNT_STAR, /* as written; becomes EXPR_AGGREGATE */
    EXPR_CASE,
    EXPR_LIST_COMPREHENSION,
    EXPR_QUANTIFIER,
    EXPR_REDUCE,
    EXPR_PATTERN_COMPREHENSION,
    EXPR_PATTERN, /* a pattern as a predicate: does it match? */
    EXPR_SHORTEST_PATH,
    EXPR_EXISTS,        /* EXISTS { subquery } */
    EXPR_COUNT,         /* COUNT { subquery } */
    EXPR_COLLECT,       /* COLLECT { subquery } */
    EXPR_MAP_PROJECTION /* object { .name, .*, key: expr, variable } */
};

enum expr_operator {
    OPERATOR_NOT = 1,
    OPERATOR_MINUS,
    OPERATOR_PLUS,
    OPERATOR_OR,
    OPERATOR_XOR,
    OPERATOR_AND,
    OPERATOR_EQUAL,
    OPERATOR_NOT_EQUAL,
    OPERATOR_LESS,
    OPERATOR_LESS_EQUAL,
    OPERATOR_GREATER,
    OPERATOR_GREATER_EQUAL,
    OPERATOR_ADD,
    OPERATOR_SUBTRACT,
    OPERATOR_MULTIPLY,
    OPERATOR_DIVIDE,
    OPERATOR_MODULO,
    OPERATOR_POWER,
    OPERATOR_IN,
    OPERATOR_STARTS_WITH,
    OPERATOR_ENDS_WITH,
    OPERATOR_CONTAINS,
    OPERATOR_MATCHES /* =~ */
};

enum quantifier { QUANTIFIER_ALL = 1, QUANTIFIER_ANY, QUANTIFIER_NONE, QUANTIFIER_SINGLE };

struct expr;
struct pattern;
struct query_part;

struct expr_list {
    struct expr **items;
    uint32_t count;
};

struct map_item {
    struct yore_bytes name;
    struct expr *value; /* in a projection NULL: .name; `name` empty too: .* */
};

struct case_branch {
    struct expr *when;
    struct expr *then;
};

struct expr {
    enum expr_kind kind;
    uint32_t height; /* of the tree below, itself included: at most QUERY_HEIGHT_MAX */
    struct ast_spot spot;
    union {
        struct yore_graph_value literal;
        struct {
            struct yore_bytes name;
            uint32_t index; /* (resolved) among the statement's parameters */
        } parameter;
        struct {
            struct yore_bytes name;
            uint32_t slot; /* (resolved) */
        } variable;
        struct {
            struct expr *object;
            struct yore_bytes name;
            uint32_t cache; /* (resolved) distinct among the statement's property names */
        } property;
        struct {
            struct expr *object;
            const struct yore_bytes *labels;
            uint32_t label_count;
        } has_labels;
        struct expr_list list;
        struct {
            struct map_item *items;
            uint32_t count;
            struct expr *object; /* of a projection, else NULL */
        } map;
        struct {
            struct expr *object;
            struct expr *low; /* of EXPR_INDEX: the index */
            struct expr *high;
        } index;
        struct {
            enum expr_operator operator;
            struct expr *left; /* of EXPR_UNARY, IS NULL: the operand */
            struct expr *right;
        } binary;
        struct {
            struct expr **operands; /* one more than operators */
            const enum expr_operator *operators;
            uint32_t count; /* of operators */
        } comparison;
        struct {
            struct yore_bytes name; /* as written, namespaces with dots */
            struct expr_list arguments;
            bool is_distinct;
            const struct function *function; /* (resolved) */
            uint32_t slot;                   /* (resolved) of an aggregate */
        } call;
        struct {
            struct expr *subject; /* NULL: branches are conditions */
            struct case_branch *branches;
            uint32_t branch_count;
            struct expr *otherwise; /* NULL: null */
        } choice;
        struct { /* comprehension, quantifier, reduce */
            struct yore_bytes name;
            uint32_t slot; /* (resolved) of the element */
            struct expr *list;
            struct expr *where;  /* or NULL */
            struct expr *mapped; /* or NULL; of reduce: the step */
            enum quantifier quantifier;
            struct yore_bytes accumulator; /* reduce */
            uint32_t accumulator_slot;     /* (resolved) */
            struct expr *initial;
        } walk;
        struct { /* pattern comprehension, pattern predicate, shortestPath */
            struct pattern *pattern;
            struct expr *where;
            struct expr *mapped;
            bool is_all; /* allShortestPaths */
        } pattern;
        struct query_part *subquery; /* EXISTS, COUNT, COLLECT */
    } as;
};

/* ---- patterns ----------------------------------------------------------------------------------
 */

struct node_pattern {
    struct ast_spot spot;
    struct yore_bytes name; /* size 0: anonymous */
    uint32_t slot;          /* (resolved) anonymous ones have one too */
    bool is_bound;          /* (resolved) bound before this clause, or earlier in it */
    const struct yore_bytes *labels;
    uint32_t label_count;
    struct expr *properties; /* a map or a parameter, or NULL */
};

/* (a)-->(b), (a)<--(b), (a)--(b) or (a)<-->(b) */
enum pattern_direction { PATTERN_RIGHT = 1, PATTERN_LEFT = 2, PATTERN_EITHER = 3 };

#define PATTERN_NO_MAXIMUM UINT32_MAX
struct relationship_pattern {
    struct ast_spot spot;
    struct yore_bytes name;
    uint32_t slot;                  /* (resolved) */
    bool is_bound;                  /* (resolved) */
    const struct yore_bytes *types; /* any of them */
    uint32_t type_count;
    struct expr *properties;
    enum pattern_direction direction;
    bool is_variable_length;
    uint32_t minimum; /* 1 where none is written */
    uint32_t maximum; /* PATTERN_NO_MAXIMUM where none is written */
};

enum pattern_shape { PATTERN_PLAIN = 1, PATTERN_SHORTEST, PATTERN_ALL_SHORTEST };

/* nodes[0] relationships[0] nodes[1] ... */
struct path_pattern {
    struct ast_spot spot;
    struct yore_bytes name; /* of the path; size 0: none */
    uint32_t slot;          /* (resolved); AST_NO_SLOT: none */
    enum pattern_shape shape;
    struct node_pattern *nodes;
    struct relationship_pattern *relationships;
    uint32_t length; /* of relationships */
};

struct pattern {
    struct path_pattern *paths;
    uint32_t path_count;
};

/* ---- time --------------------------------------------------------------------------------------
 */

/* AS OF / KNOWN / FROM .. TO of a statement or of one MATCH; expressions without variables.  NULL:
 * not said.  A moment is a string (docs/query.md), an integer of nanoseconds or a datetime. */
struct time_spec {
    struct expr *as_of;
    struct expr *known;
    struct expr *from;
    struct expr *to;
};

/* ---- clauses -----------------------------------------------------------------------------------
 */

enum clause_kind {
    CLAUSE_MATCH = 1,
    CLAUSE_UNWIND,
    CLAUSE_WITH,
    CLAUSE_RETURN,
    CLAUSE_CREATE,
    CLAUSE_MERGE,
    CLAUSE_SET,
    CLAUSE_REMOVE,
    CLAUSE_DELETE,
    CLAUSE_FOREACH,
    CLAUSE_CALL,          /* a procedure */
    CLAUSE_CALL_SUBQUERY, /* CALL { ... } */
    CLAUSE_CREATE_INDEX,
    CLAUSE_DROP_INDEX,
    CLAUSE_CREATE_CONSTRAINT,
    CLAUSE_DROP_CONSTRAINT
};

struct projection_item {
    struct expr *value;
    struct yore_bytes name; /* alias, or the text as written */
    bool has_alias;
    uint32_t slot;      /* (resolved) where its value stands afterwards */
    bool has_aggregate; /* (resolved) otherwise a grouping key where others have */
};

struct sort_item {
    struct expr *value;
    bool is_descending;
};

/* WITH and RETURN.  Where any item has an aggregate, the executor groups by the others, computes
 * `aggregates` into their slots, then the items. */
struct projection {
    bool is_distinct;
    bool has_star; /* items then hold, resolved, what the star stands for, first */
    struct projection_item *items;
    uint32_t item_count;
    struct expr **aggregates; /* (resolved) EXPR_AGGREGATE of items and ORDER BY */
    uint32_t aggregate_count;
    struct sort_item *sorts;
    uint32_t sort_count;
    struct expr *skip;
    struct expr *limit;
    struct expr *where; /* WITH only */
};

enum set_kind {
    SET_PROPERTY = 1, /* object.name = value */
    SET_REPLACE,      /* variable = map */
    SET_MERGE,        /* variable += map */
    SET_LABELS,       /* variable:A:B */
    REMOVE_PROPERTY,
    REMOVE_LABELS
};

struct set_item {
    enum set_kind kind;
    struct ast_spot spot;
    struct expr *object;
    struct yore_bytes name;
    struct expr *value;
    const struct yore_bytes *labels;
    uint32_t label_count;
};

struct yield_item {
    struct yore_bytes column;
    struct yore_bytes name;
    uint32_t slot; /* (resolved) */
};

struct clause {
    enum clause_kind kind;
    struct ast_spot spot;
    union {
        struct {
            bool is_optional;
            struct pattern pattern;
            struct expr *where;
            struct time_spec time;
        } match;
        struct {
            struct expr *list;
            struct yore_bytes name;
            uint32_t slot; /* (resolved) */
        } unwind;
        struct projection projection; /* WITH, RETURN */
        struct {
            struct pattern pattern;
        } create;
        struct {
            struct pattern pattern; /* one path */
            struct set_item *on_create;
            uint32_t on_create_count;
            struct set_item *on_match;
            uint32_t on_match_count;
        } merge;
        struct {
            struct set_item *items; /* SET, REMOVE */
            uint32_t count;
        } set;
        struct {
            struct expr_list targets;
            bool detaches;
        } delete;
        struct {
            struct yore_bytes name;
            uint32_t slot; /* (resolved) */
            struct expr *list;
            struct clause *body; /* writing clauses */
            uint32_t body_count;
        } foreach;
        struct {
            struct yore_bytes name; /* with namespaces */
            struct expr_list arguments;
            bool has_arguments; /* false: taken from parameters of the same names */
            struct yield_item *yields;
            uint32_t yield_count;
            bool yields_all;
            struct expr *where;
            const struct procedure *procedure; /* (resolved) */
        } call;
        struct {
            struct query_part *body;
            bool has_scope; /* CALL (a, b) { }: what it takes is said; otherwise by its WITH */
            bool takes_all; /* CALL (*) { } */
            const struct yore_bytes *scope;
            uint32_t scope_count;
            const uint32_t *imports; /* (resolved) slots of the outside that it uses */
            uint32_t import_count;
        } subquery;
        struct {
            struct yore_bytes name; /* of the index or constraint; size 0: none */
            struct yore_bytes label;
            struct yore_bytes property;
            bool if_not_exists; /* of DROP: IF EXISTS */
        } schema;
    } as;
};

/* One query between UNIONs. */
struct single_query {
    struct clause *clauses;
    uint32_t clause_count;
};

/* A query or the body of a subquery: single queries with UNION [ALL] between them. */
struct query_part {
    struct single_query *queries;
    uint32_t query_count;
    bool is_union_all;
    /* (resolved) what it returns; none: nothing.  Of one query their slots are those of its RETURN;
     * of a union they are new ones, filled from column_slots[query]. */
    const struct projection_item *columns;
    uint32_t column_count;
    const uint32_t *const *column_slots; /* (resolved) for each query the slots of the columns */
    const uint32_t *imports; /* (resolved) of a subquery: slots of the outside that it uses */
    uint32_t import_count;
    bool writes; /* (resolved) */
};

/* resolve_query.c: does a clause of a resolved statement write, also by a subquery? */
bool clause_writes(const struct clause *clause);

enum statement_mode { STATEMENT_RUN = 1, STATEMENT_EXPLAIN, STATEMENT_PROFILE };

struct statement {
    enum statement_mode mode;
    struct time_spec time; /* AS OF ... before the first clause: the whole statement */
    struct query_part body;
    struct yore_bytes text;
    const struct yore_bytes *parameters; /* (resolved) names, each once */
    uint32_t parameter_count;
    const struct yore_bytes *properties; /* (resolved) property names, each once */
    uint32_t property_count;
    bool is_volatile;                    /* (resolved) calls a function that is */
    uint32_t slot_count;                 /* (resolved) */
    const struct yore_bytes *slot_names; /* (resolved) for messages; size 0: a temporary */
};

#endif
