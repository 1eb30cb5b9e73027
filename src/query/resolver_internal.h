/* resolver_internal.h -- what the files of the resolver share.
 *
 * A resolve function returns false when it has failed; the first failure stands in `status` and the
 * caller's error.
 */
#ifndef YORE_QUERY_RESOLVER_INTERNAL_H
#define YORE_QUERY_RESOLVER_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "base/status.h"
#include "query/ast.h"
#include "query/function.h"
#include "query/procedure.h"
#include "query/query.h"

/* What is known of a value: the kinds it can be (KIND_SET, null besides), KINDS_ANY: nothing; and
 * of a list's items. */
struct type {
    uint32_t kinds;
    uint32_t items;
};
#define TYPE_ANY ((struct type){KINDS_ANY, KINDS_ANY})
#define KIND_NULL KIND_SET(YORE_GRAPH_NULL)
#define KIND_BOOL KIND_SET(YORE_GRAPH_BOOL)
#define KIND_LIST KIND_SET(YORE_GRAPH_LIST)
#define KIND_MAP KIND_SET(YORE_GRAPH_MAP)
#define KIND_NODE KIND_SET(YORE_GRAPH_NODE)
#define KIND_RELATIONSHIP KIND_SET(YORE_GRAPH_RELATIONSHIP)
#define KIND_PATH KIND_SET(YORE_GRAPH_PATH)

static inline struct type type_of(uint32_t kinds)
{
    return (struct type){kinds, KINDS_ANY};
}

/* Whether a value of `type` can be one of `kinds`; null always can. */
static inline bool type_fits(struct type type, uint32_t kinds)
{
    return type.kinds == KINDS_ANY || (type.kinds & (kinds | KIND_NULL)) != 0;
}

/* Visible names, innermost first; shared, never changed. */
struct binding {
    struct yore_bytes name;
    uint32_t slot;
    uint32_t clause; /* the number of the clause that bound it */
    const struct binding *outer;
};

struct slot_facts {
    struct yore_bytes name;
    struct type type;
};

/* Slots of the outside that a subquery uses. */
struct capture {
    uint32_t first_slot; /* slots below are the outside's */
    uint32_t *slots;
    uint32_t count;
    uint32_t capacity;
    struct capture *outer;
};

/* Names, each once; found through a table of indexes plus one, by hash. */
struct names {
    struct yore_bytes *items;
    uint32_t count;
    uint32_t capacity;
    uint32_t *table;
    uint32_t table_size; /* a power of two, at least twice `count` */
};

/* Where aggregates may stand, they are gathered here. */
struct aggregates {
    struct expr **items;
    uint32_t count;
    uint32_t capacity;
    bool is_closed; /* only those that are there already: ORDER BY */
};

struct resolver {
    struct statement *statement;
    struct arena *arena;
    const struct procedure_set *procedures;
    struct query_error *error;
    enum yore_status status;
    const struct binding *scope;
    uint32_t clause; /* the number of the present clause: what it binds itself is told apart */
    uint32_t clause_count;
    struct slot_facts *slots;
    uint32_t slot_count;
    uint32_t slot_capacity;
    struct names parameters;
    struct names properties;
    struct capture *capture;
    struct aggregates *aggregates; /* NULL: none may stand here */
    const struct binding *imports; /* what the first WITH of a query in CALL { } sees */
    const struct expr *match_time; /* the first moment of a MATCH, NULL: none has one */
    bool in_aggregate;
    bool is_volatile; /* a function that is volatile was met */
    uint32_t aggregates_met;
};

/* ---- resolver.c ------------------------------------------------------------------------------
 */

/* A SyntaxError with a detail of the kit.  Returns false. */
__attribute__((format(printf, 4, 5))) bool resolver_fail(struct resolver *r, struct ast_spot spot,
                                                         const char *detail, const char *format,
                                                         ...);
__attribute__((format(printf, 5, 6))) bool resolver_fail_of(struct resolver *r,
                                                            struct ast_spot spot, const char *type,
                                                            const char *detail, const char *format,
                                                            ...);
/* "%.*s" of a name. */
#define NAME_SHOWN(name) ((int)((name).size < 64 ? (name).size : 64)), (const char *)(name).data

void *resolver_alloc(struct resolver *r, size_t size);
/* Room for one more item behind `count`, doubling; NULL: out of memory. */
void *resolver_grow(struct resolver *r, void *items, uint32_t count, uint32_t *capacity,
                    size_t item_size);

bool slot_new(struct resolver *r, struct yore_bytes name, struct type type, uint32_t *slot_out);
const struct binding *scope_find(const struct binding *scope, struct yore_bytes name);
bool scope_bind(struct resolver *r, struct yore_bytes name, uint32_t slot);
/* A new slot under a new name; a bound name is VariableAlreadyBound. */
bool scope_declare(struct resolver *r, struct yore_bytes name, struct ast_spot spot,
                   struct type type, uint32_t *slot_out);
/* A slot is read: subqueries around take it in. */
bool slot_use(struct resolver *r, uint32_t slot);
bool names_index(struct resolver *r, struct names *names, struct yore_bytes name,
                 uint32_t *index_out);
/* The expression of a moment that is said, NULL: none is. */
const struct expr *time_first(const struct time_spec *time);
bool undefined_variable(struct resolver *r, struct ast_spot spot, struct yore_bytes name);

/* ---- resolve_expr.c, resolve_call.c -----------------------------------------------------------
 */

bool resolve_expr(struct resolver *r, struct expr *expr, struct type *type_out);
/* A condition: patterns may stand in it, and it has to be able to be a boolean. */
bool resolve_condition(struct resolver *r, struct expr *expr);
/* The same without aggregates, whatever may stand around. */
bool resolve_plain_expr(struct resolver *r, struct expr *expr, struct type *type_out);
/* Without variables: a moment, SKIP, LIMIT. */
bool resolve_constant(struct resolver *r, struct expr *expr, struct type *type_out);
/* Refuse a value that can be no property, whatever it turns out to be: InvalidPropertyType. */
bool check_property_value(struct resolver *r, const struct expr *value, struct type type);
bool resolve_call(struct resolver *r, struct expr *expr, struct type *type_out);
bool resolve_count_star(struct resolver *r, struct expr *expr);
/* "a list", for messages. */
const char *type_text(struct type type);

/* ---- resolve_pattern.c -----------------------------------------------------------------------
 */

bool resolve_match_pattern(struct resolver *r, struct pattern *pattern);
/* All names have to be bound. */
bool resolve_predicate_pattern(struct resolver *r, struct pattern *pattern);
bool resolve_create_pattern(struct resolver *r, struct pattern *pattern);
bool resolve_merge_pattern(struct resolver *r, struct pattern *pattern);

/* ---- resolve_projection.c --------------------------------------------------------------------
 */

/* `names_matter`: expressions need an alias (WITH, and RETURN in CALL { }). */
bool resolve_projection(struct resolver *r, struct clause *clause, bool names_matter);

/* ---- resolve_query.c -------------------------------------------------------------------------
 */

enum query_use { QUERY_TOP, QUERY_EXISTS, QUERY_COUNT, QUERY_COLLECT, QUERY_CALL };
/* An expression's subquery: it sees the scope, and leaves it as it was. */
bool resolve_subquery(struct resolver *r, struct query_part *part, enum query_use use,
                      struct ast_spot spot);
bool resolve_query(struct resolver *r, struct query_part *part, enum query_use use);
bool resolve_time(struct resolver *r, struct time_spec *time);
/* resolve_update.c */
bool resolve_update(struct resolver *r, struct clause *clause);
/* resolve_procedure.c */
bool resolve_procedure(struct resolver *r, struct clause *clause, bool is_alone);
bool resolve_call_subquery(struct resolver *r, struct clause *clause);

#endif
