/* plan.h -- how a statement is carried out: a tree of steps, immutable once made.
 *
 * A plan is made for one graph as it is now (names, indexes, estimates), and may be run by any
 * number of threads, at any moment.  It promises rows, not cost: an index that is not there at the
 * moment of a run is replaced by a scan of the label, and every predicate that chose a start point
 * is tested again behind it.
 *
 * Rows.  A run has one *frame*, an array of values by slot.  A step pulls its input, which fills
 * slots, fills its own, and says whether there is a row: nothing is copied from step to step. Slots
 * are distinct over the whole statement, so that a subplan (OPTIONAL MATCH, CALL {}, EXISTS {})
 * reads the slots of the row around it in place.  Steps that hold rows back (sorting, grouping,
 * Eager) keep copies of the slots that are live.  The rejected alternative, batches of columns,
 * pays when rows are many and narrow; the rows of a topology are few and end in look-ups.
 */
#ifndef YORE_QUERY_PLAN_H
#define YORE_QUERY_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "query/ast.h"
#include "query/query.h"
#include "topology/graph.h"

#define PLAN_NO_SLOT AST_NO_SLOT

enum plan_kind {
    PLAN_ARGUMENT = 1, /* one row: where a plan or a subplan begins */
    /* Each of these binds elements anew for every row of its input. */
    PLAN_ALL_NODES,
    PLAN_LABEL_SCAN,
    PLAN_INDEX_SCAN,
    PLAN_NODE_SEEK,         /* by id or external id */
    PLAN_RELATIONSHIP_SCAN, /* every relationship of some types, with its ends */
    PLAN_EXPAND,            /* one hop, to a new node or into a bound one */
    PLAN_EXPAND_BOUND,      /* the relationship is bound already: check or bind its ends */
    PLAN_EXPAND_VARIABLE,
    PLAN_REACH, /* the distinct nodes within some hops: breadth first */
    PLAN_SHORTEST,
    PLAN_FILTER,
    PLAN_PATH,      /* a named path out of its parts */
    PLAN_INTERVALS, /* MATCH ... FROM ... TO */
    /* With a subplan. */
    PLAN_OPTIONAL,
    PLAN_APPLY, /* CALL { ... } */
    PLAN_MERGE,
    PLAN_FOREACH,
    /* Rows. */
    PLAN_UNWIND,
    PLAN_PROJECT,
    PLAN_AGGREGATE,
    PLAN_DISTINCT,
    PLAN_SORT, /* with a limit: the first of them */
    PLAN_SKIP,
    PLAN_LIMIT,
    PLAN_UNION,
    PLAN_EAGER,
    PLAN_CALL,
    /* Writing. */
    PLAN_CREATE,
    PLAN_SET,
    PLAN_DELETE,
    PLAN_SCHEMA
};

/* A name of a label, type or property, resolved to its token by every run. */
struct plan_name {
    enum graph_token_kind kind;
    struct yore_bytes name;
};

enum plan_test_kind {
    TEST_CONDITION = 1, /* `value` is true */
    TEST_LABELS,        /* the node in `slot` has all `labels` */
    TEST_TYPES,         /* the relationship in `slot` is of one of `labels` */
    TEST_PROPERTY,      /* the element in `slot` has property `name` equal to `value` */
    TEST_PROPERTIES,    /* its properties are equal to those of the map `value` */
    TEST_PRESENT        /* the node in `slot` is not null, and there at this moment */
};

struct plan_test {
    enum plan_test_kind kind;
    uint32_t slot;
    struct yore_bytes name;
    const struct yore_bytes *labels;
    uint32_t label_count;
    const uint32_t *names; /* of the labels, or of `name` alone: indexes into the plan's names */
    const struct expr *value;
    struct ast_spot spot;
};

/* How the values of an index or a seek are given. */
enum plan_seek_kind {
    SEEK_EQUAL = 1, /* `value` */
    SEEK_IN,        /* every item of the list `value`, each once */
    SEEK_RANGE,     /* from `low` to `high`, either may be NULL */
    SEEK_PREFIX     /* strings that begin with `value` */
};

/* What a node is sought by. */
enum plan_id_kind {
    BY_ID = 1,     /* id(n): a number */
    BY_ELEMENT_ID, /* elementId(n): its text */
    BY_EXTERNAL_ID /* externalId(n) */
};

struct plan_seek {
    enum plan_seek_kind kind;
    const struct expr *value;
    const struct expr *low;
    const struct expr *high;
    bool low_exclusive;
    bool high_exclusive;
    enum plan_id_kind id_kind; /* of PLAN_NODE_SEEK */
};

struct plan_hop {
    const struct relationship_pattern *pattern;
    uint32_t from; /* slots */
    uint32_t to;
    uint32_t relationship;
    enum pattern_direction direction; /* as seen from `from` */
    bool is_reversed;                 /* `from` is the right end of the pattern */
    bool from_is_bound;
    bool to_is_bound;
    const uint32_t *types; /* indexes into the plan's names */
    uint32_t type_count;
    const struct plan_test *tests; /* of each relationship, in `item_slot`, of several hops */
    uint32_t test_count;
    uint32_t item_slot;
    uint32_t nodes_slot;    /* of a variable-length hop: the nodes between; PLAN_NO_SLOT */
    const uint32_t *others; /* slots of relationships bound before it in this MATCH */
    uint32_t other_count;
    /* PLAN_SHORTEST: */
    uint32_t path_slot;
    bool only_one;                      /* one path, otherwise all of the shortest */
    const struct plan_test *path_tests; /* the shortest of those that pass is wanted */
    uint32_t path_test_count;
};

struct plan_aggregate {
    const struct projection *projection;
    const uint32_t *carried; /* slots of the first row of a group that items need behind it */
    uint32_t carried_count;
};

struct plan_slots {
    const uint32_t *items;
    uint32_t count;
};

struct plan_node {
    enum plan_kind kind;
    uint32_t number; /* distinct in the plan: a run keeps its state and its figures there */
    uint32_t view;   /* index into the plan's moments */
    double estimate; /* rows */
    const struct plan_node *input; /* NULL: PLAN_ARGUMENT, PLAN_UNION */
    const struct plan_node *inner; /* the subplan, or NULL */
    uint32_t slot;                 /* what it binds */
    union {
        struct {
            uint32_t label; /* index into the plan's names, or UINT32_MAX */
            uint32_t property;
            struct plan_seek seek;
        } scan;
        struct plan_hop hop;
        struct {
            const struct plan_test *items;
            uint32_t count;
        } tests;
        struct {
            const struct path_pattern *pattern;
            const uint32_t *between; /* by relationship: slot of the nodes between, or none */
        } path;
        struct plan_slots slots; /* OPTIONAL, EAGER, DISTINCT, APPLY: those that it sets or keeps */
        const struct projection *projection;
        struct plan_aggregate aggregate;
        struct {
            const struct sort_item *items;
            uint32_t count;
            struct plan_slots kept;
            const struct expr *skip;
            const struct expr *limit; /* NULL: all */
        } sort;
        const struct expr *count; /* SKIP, LIMIT */
        struct {
            const struct plan_node *const *parts;
            uint32_t part_count;
            const struct query_part *part;
        } merged;
        const struct clause *clause;
        struct {
            const struct clause *clause;
            struct plan_slots created; /* slots that CREATE or MERGE binds */
        } write;
        const struct intervals *intervals;
    } as;
};

/* A subplan that an expression asks for; of interval() `root` is NULL and `slot` tells. */
struct plan_subquery {
    const struct expr *expr;
    const struct plan_node *root;
    uint32_t slot; /* of the value: the mapped expression's, the path's; PLAN_NO_SLOT */
};

/* An index that was looked for when the plan was made. */
struct plan_index {
    uint32_t label; /* names */
    uint32_t property;
    bool was_there;
};

struct plan {
    struct arena arena;
    const struct statement *statement;
    const struct plan_node *root;
    uint32_t node_count;
    uint32_t slot_count; /* those of the statement, and hidden ones behind them */
    const struct plan_name *names;
    uint32_t name_count;
    const struct time_spec *moments; /* 0: the statement's */
    uint32_t moment_count;
    const struct plan_subquery *subqueries;
    uint32_t subquery_count;
    const struct plan_index *indexes;
    uint32_t index_count;
    struct graph *graph;
    struct graph_estimate estimate; /* what there was when it was made */
};

/* Make a plan of a resolved statement, which it keeps.  Errors: YORE_TOO_BIG, YORE_NOMEM. */
enum yore_status plan_make(const struct statement *statement, struct graph *graph,
                           struct graph_view *view, struct plan **plan_out,
                           struct query_error *error_out);
void plan_free(struct plan *plan);
/* Whether it is still a good one for `view`: the same indexes, and not many times the elements. */
bool plan_is_fresh(const struct plan *plan, struct graph_view *view);

/* "NodeByLabelScan", and what it works on ("(n:Person)"), for EXPLAIN and PROFILE. */
const char *plan_kind_name(enum plan_kind kind);
void plan_node_describe(const struct plan *plan, const struct plan_node *node, struct buffer *to);

#endif
