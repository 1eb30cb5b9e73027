/* procedure.h -- what CALL can call: a name, typed parameters, typed columns, and a walk over rows.
 *
 * The resolver looks a name up (procedure_find), checks the count and, where they are literals, the
 * types of arguments, and gives each YIELDed column a slot; the executor opens a call for every
 * input row and pulls its rows.  Procedures that come with Yore are constants (procedures.c); a
 * caller of the library may hand a set of its own to query_prepare_with().
 */
#ifndef YORE_QUERY_PROCEDURE_H
#define YORE_QUERY_PROCEDURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <yore/graph.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "base/status.h"
#include "query/ast.h"

struct graph;
struct graph_view;
struct query_error;
struct run;

/* What a parameter takes or a column holds; null is taken and given everywhere. */
enum procedure_type {
    PROCEDURE_ANY = 1,
    PROCEDURE_BOOLEAN,
    PROCEDURE_INTEGER,
    PROCEDURE_FLOAT,
    PROCEDURE_NUMBER, /* INTEGER or FLOAT */
    PROCEDURE_STRING,
    PROCEDURE_LIST,
    PROCEDURE_MAP,
    PROCEDURE_NODE,
    PROCEDURE_RELATIONSHIP,
    PROCEDURE_PATH,
    PROCEDURE_DATETIME,
    PROCEDURE_MOMENT /* text of base/moment.h, INTEGER of nanoseconds, or DATETIME */
};

struct procedure_field {
    struct yore_bytes name;
    enum procedure_type type;
    bool is_optional; /* a parameter that may be left out; only at the end of the list */
};

/* Where a call runs. */
struct procedure_context {
    struct graph *graph;
    struct graph_view *view; /* at the moment of the statement */
    struct arena *arena;     /* lives until the call is closed */
    const struct procedure *procedure;
    struct run *run; /* of procedures that come with Yore */
    struct ast_spot spot;
    struct query_error *error;
};

struct procedure {
    struct yore_bytes name; /* with namespaces: "db.labels" */
    const struct procedure_field *parameters;
    uint32_t parameter_count;
    const struct procedure_field *columns;
    uint32_t column_count;
    /* Begin a call; `arguments` holds parameter_count values, null for what was left out.  The
     * state lives in the context's arena, or is freed by `close`. */
    enum yore_status (*open)(const struct procedure_context *context,
                             const struct yore_graph_value *arguments, void **state_out);
    /* YORE_OK: column_count values in `row_out`, borrowed until the next call; YORE_NOT_FOUND: no
     * more. */
    enum yore_status (*next)(const struct procedure_context *context, void *state,
                             struct yore_graph_value *row_out);
    void (*close)(void *state); /* or NULL */
    const void *data;           /* of the caller's own procedures */
};

/* Procedures of the caller, asked before those that come with Yore. */
struct procedure_set {
    const struct procedure *const *items;
    size_t count;
};

/* NULL: there is none of that name.  One of another case of ASCII letters will do where none is
 * written the same.  `own` may be NULL. */
const struct procedure *procedure_find(const struct procedure_set *own, struct yore_bytes name);
/* Those that come with Yore, by name. */
const struct procedure *const *procedure_all(size_t *count_out);
/* Whether a value of `kind` can be given where `type` is asked for (null always, an INTEGER for a
 * FLOAT too). */
bool procedure_accepts(enum procedure_type type, enum yore_graph_kind kind);

#endif
