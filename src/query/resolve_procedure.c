/* resolve_procedure.c -- CALL of a procedure: found, its arguments checked, its columns bound. */
#include <string.h>

#include "base/nearest.h"
#include "query/procedure.h"
#include "query/resolver_internal.h"

#define NAME_TEXT_BYTES 64

struct procedure_names {
    const struct procedure *const *items;
    char text[NAME_TEXT_BYTES];
};

static const char *procedure_name(const void *arg, size_t index)
{
    static const char none[] = "";
    const struct procedure_names *names = arg;
    struct yore_bytes name = names->items[index]->name;
    /* The names are constants, terminated where they stand. */
    return name.size < NAME_TEXT_BYTES ? (const char *)name.data : none;
}

static bool unknown_procedure(struct resolver *r, const struct clause *clause)
{
    struct yore_bytes name = clause->as.call.name;
    struct procedure_names names;
    size_t count = 0;
    const char *near = NULL;
    names.items = procedure_all(&count);
    if (name.size < sizeof(names.text)) {
        memcpy(names.text, name.data, name.size);
        names.text[name.size] = '\0';
        near = nearest_word(names.text, procedure_name, &names, count);
    }
    return resolver_fail_of(r, clause->spot, "ProcedureError", "ProcedureNotFound",
                            "there is no procedure `%.*s`%s%s%s", NAME_SHOWN(name),
                            near != NULL ? "; did you mean " : "", near != NULL ? near : "",
                            near != NULL ? "?" : "");
}

/* ---- arguments -------------------------------------------------------------------------------
 */

/* CALL name: on its own the arguments are the parameters of the run with the same names. */
static bool takes_parameters(struct resolver *r, const struct clause *clause, bool is_alone)
{
    const struct procedure *procedure = clause->as.call.procedure;
    uint32_t count = procedure->parameter_count;
    if (count > 0 && (!is_alone || clause->as.call.yield_count > 0)) {
        return resolver_fail(r, clause->spot, "InvalidArgumentPassingMode",
                             "within a query a procedure gets its arguments in parentheses");
    }
    for (uint32_t i = 0; i < count && !procedure->parameters[i].is_optional; i++) {
        uint32_t index = 0;
        if (!names_index(r, &r->parameters, procedure->parameters[i].name, &index)) {
            return false;
        }
    }
    return true;
}

static bool accepts_some(enum procedure_type wanted, struct type type)
{
    if (type.kinds == KINDS_ANY) {
        return true;
    }
    for (unsigned kind = YORE_GRAPH_NULL; kind <= YORE_GRAPH_PATH; kind++) {
        if ((type.kinds & KIND_SET(kind)) != 0 &&
            procedure_accepts(wanted, (enum yore_graph_kind)kind)) {
            return true;
        }
    }
    return false;
}

static bool check_count(struct resolver *r, const struct clause *clause)
{
    const struct procedure *procedure = clause->as.call.procedure;
    uint32_t count = clause->as.call.arguments.count;
    uint32_t least = procedure->parameter_count;
    while (least > 0 && procedure->parameters[least - 1].is_optional) {
        least--;
    }
    if (count < least || count > procedure->parameter_count) {
        return resolver_fail(r, clause->spot, "InvalidNumberOfArguments",
                             "`%.*s` takes %u argument%s, not %u", NAME_SHOWN(procedure->name),
                             count < least ? least : procedure->parameter_count,
                             procedure->parameter_count == 1 ? "" : "s", count);
    }
    return true;
}

static bool resolve_arguments(struct resolver *r, struct clause *clause)
{
    const struct procedure *procedure = clause->as.call.procedure;
    for (uint32_t i = 0; i < clause->as.call.arguments.count; i++) {
        struct expr *argument = clause->as.call.arguments.items[i];
        struct type type;
        if (!resolve_expr(r, argument, &type)) {
            return false;
        }
        if (!accepts_some(procedure->parameters[i].type, type)) {
            return resolver_fail(r, argument->spot, "InvalidArgumentType",
                                 "parameter `%.*s` of `%.*s` does not take %s",
                                 NAME_SHOWN(procedure->parameters[i].name),
                                 NAME_SHOWN(procedure->name), type_text(type));
        }
    }
    return true;
}

/* ---- columns ---------------------------------------------------------------------------------
 */

static uint32_t column_kinds(enum procedure_type type)
{
    switch (type) {
    case PROCEDURE_BOOLEAN:
        return KIND_BOOL;
    case PROCEDURE_INTEGER:
        return KIND_SET(YORE_GRAPH_INT);
    case PROCEDURE_FLOAT:
        return KIND_SET(YORE_GRAPH_FLOAT);
    case PROCEDURE_NUMBER:
        return KINDS_NUMBER;
    case PROCEDURE_STRING:
        return KIND_SET(YORE_GRAPH_STRING);
    case PROCEDURE_LIST:
        return KIND_LIST;
    case PROCEDURE_MAP:
        return KIND_MAP;
    case PROCEDURE_NODE:
        return KIND_NODE;
    case PROCEDURE_RELATIONSHIP:
        return KIND_RELATIONSHIP;
    case PROCEDURE_PATH:
        return KIND_PATH;
    case PROCEDURE_DATETIME:
        return KIND_SET(YORE_GRAPH_DATETIME);
    default:
        return KINDS_ANY;
    }
}

static const struct procedure_field *find_column(const struct procedure *procedure,
                                                 struct yore_bytes name)
{
    for (uint32_t i = 0; i < procedure->column_count; i++) {
        if (bytes_equal(procedure->columns[i].name, name)) {
            return &procedure->columns[i];
        }
    }
    return NULL;
}

static bool bind_yields(struct resolver *r, struct clause *clause)
{
    for (uint32_t i = 0; i < clause->as.call.yield_count; i++) {
        struct yield_item *item = &clause->as.call.yields[i];
        const struct procedure_field *column = find_column(clause->as.call.procedure, item->column);
        if (column == NULL) {
            return resolver_fail(r, clause->spot, "UndefinedVariable",
                                 "`%.*s` has no column `%.*s`", NAME_SHOWN(clause->as.call.name),
                                 NAME_SHOWN(item->column));
        }
        if (!scope_declare(r, item->name, clause->spot, type_of(column_kinds(column->type)),
                           &item->slot)) {
            return false;
        }
    }
    return true;
}

/* A procedure on its own yields all it has. */
static bool yield_all(struct resolver *r, struct clause *clause)
{
    const struct procedure *procedure = clause->as.call.procedure;
    uint32_t count = procedure->column_count;
    struct yield_item *yields = resolver_alloc(r, ((size_t)count + 1) * sizeof(*yields));
    if (yields == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < count; i++) {
        yields[i].column = procedure->columns[i].name;
        yields[i].name = procedure->columns[i].name;
    }
    clause->as.call.yields = yields;
    clause->as.call.yield_count = count;
    return true;
}

bool resolve_procedure(struct resolver *r, struct clause *clause, bool is_alone)
{
    clause->as.call.procedure = procedure_find(r->procedures, clause->as.call.name);
    if (clause->as.call.procedure == NULL) {
        return unknown_procedure(r, clause);
    }
    if (clause->as.call.yields_all && !is_alone) {
        return resolver_fail(r, clause->spot, "UnexpectedSyntax",
                             "within a query the columns are named: YIELD a, b");
    }
    bool are_given = clause->as.call.has_arguments
                         ? check_count(r, clause) && resolve_arguments(r, clause)
                         : takes_parameters(r, clause, is_alone);
    if (!are_given) {
        return false;
    }
    if (is_alone && clause->as.call.yield_count == 0 && !yield_all(r, clause)) {
        return false;
    }
    return bind_yields(r, clause) &&
           (clause->as.call.where == NULL || resolve_condition(r, clause->as.call.where));
}
