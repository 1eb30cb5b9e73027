#include "tck/kit_procedure.h"

#include <string.h>

#include "base/buffer.h"
#include "tck/literal.h"

#define FIELDS_MAX 8

/* ---- signatures: name(a :: TYPE?, ...) :: (b :: TYPE?, ...) ------------------------------------
 */

struct signature {
    const char *at;
    const char *end;
};

static void skip_over(struct signature *s, const char *octets)
{
    while (s->at < s->end && strchr(octets, *s->at) != NULL) {
        s->at++;
    }
}

static struct yore_bytes until(struct signature *s, const char *octets)
{
    const char *begin = s->at;
    while (s->at < s->end && strchr(octets, *s->at) == NULL) {
        s->at++;
    }
    return bytes_of(begin, (size_t)(s->at - begin));
}

static enum procedure_type type_named(struct yore_bytes name)
{
    static const struct {
        const char *name;
        enum procedure_type type;
    } types[] = {
        {"STRING", PROCEDURE_STRING}, {"INTEGER", PROCEDURE_INTEGER}, {"FLOAT", PROCEDURE_FLOAT},
        {"NUMBER", PROCEDURE_NUMBER}, {"BOOLEAN", PROCEDURE_BOOLEAN}, {"MAP", PROCEDURE_MAP},
    };
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (bytes_equal(name, bytes_of(types[i].name, strlen(types[i].name)))) {
            return types[i].type;
        }
    }
    return PROCEDURE_ANY;
}

/* From '(' to ')'. */
static uint32_t read_fields(struct signature *s, struct procedure_field *fields)
{
    uint32_t count = 0;
    skip_over(s, "( :");
    while (s->at < s->end && *s->at != ')' && count < FIELDS_MAX) {
        fields[count].name = until(s, " :");
        skip_over(s, " :");
        fields[count++].type = type_named(until(s, "?,)"));
        skip_over(s, "?, ");
    }
    s->at += s->at < s->end ? 1 : 0;
    return count;
}

/* ---- rows ------------------------------------------------------------------------------------
 */

struct table_walk {
    size_t next;
    struct buffer wanted; /* the arguments, canonical */
};

/* An integer for a FLOAT parameter is one. */
static void add_argument(struct buffer *to, const struct yore_graph_value *argument,
                         enum procedure_type type)
{
    struct yore_graph_value value = *argument;
    if (type == PROCEDURE_FLOAT && value.kind == YORE_GRAPH_INT) {
        value.kind = YORE_GRAPH_FLOAT;
        value.as.real = (double)argument->as.integer;
    }
    value_canonical(to, &value, false);
    buffer_append(to, "|", 1);
}

static enum yore_status table_open(const struct procedure_context *context,
                                   const struct yore_graph_value *arguments, void **state_out)
{
    struct table_walk *walk = arena_alloc(context->arena, sizeof(*walk));
    if (walk == NULL) {
        return YORE_NOMEM;
    }
    memset(walk, 0, sizeof(*walk));
    for (uint32_t i = 0; i < context->procedure->parameter_count; i++) {
        add_argument(&walk->wanted, &arguments[i], context->procedure->parameters[i].type);
    }
    *state_out = walk;
    return buffer_status(&walk->wanted);
}

static bool row_fits(const struct procedure *procedure, const struct json_tree *row,
                     const struct table_walk *walk)
{
    struct buffer given = {0};
    for (uint32_t i = 0; i < procedure->parameter_count; i++) {
        literal_canonical(&given, row->items[i].text, false);
        buffer_append(&given, "|", 1);
    }
    bool fits = bytes_equal(buffer_bytes(&given), buffer_bytes(&walk->wanted));
    buffer_release(&given);
    return fits;
}

static enum yore_status table_next(const struct procedure_context *context, void *state,
                                   struct yore_graph_value *row_out)
{
    struct table_walk *walk = state;
    const struct procedure *procedure = context->procedure;
    const struct json_tree *rows = procedure->data;
    while (walk->next < rows->count) {
        const struct json_tree *row = &rows->items[walk->next++];
        if (!row_fits(procedure, row, walk)) {
            continue;
        }
        for (uint32_t i = 0; i < procedure->column_count; i++) {
            if (!literal_value(row->items[procedure->parameter_count + i].text, context->arena,
                               &row_out[i])) {
                return YORE_NOMEM;
            }
        }
        return YORE_OK;
    }
    return YORE_NOT_FOUND;
}

static void table_close(void *state)
{
    struct table_walk *walk = state;
    buffer_release(&walk->wanted);
}

/* ---- making ----------------------------------------------------------------------------------
 */

static struct procedure *make_procedure(const struct json_tree *tree, struct arena *arena)
{
    struct yore_bytes text = json_tree_text(tree, "signature");
    struct procedure *procedure = arena_alloc(arena, sizeof(*procedure));
    struct procedure_field *fields = arena_alloc(arena, 2 * FIELDS_MAX * sizeof(*fields));
    if (procedure == NULL || fields == NULL || text.size == 0) {
        return NULL;
    }
    memset(procedure, 0, sizeof(*procedure));
    memset(fields, 0, 2 * FIELDS_MAX * sizeof(*fields));
    struct signature s = {text.data, (const char *)text.data + text.size};
    procedure->name = until(&s, "(");
    procedure->parameters = fields;
    procedure->parameter_count = read_fields(&s, fields);
    procedure->columns = fields + FIELDS_MAX;
    procedure->column_count = read_fields(&s, fields + FIELDS_MAX);
    procedure->open = table_open;
    procedure->next = table_next;
    procedure->close = table_close;
    procedure->data = json_tree_member(tree, "rows");
    return procedure->data != NULL ? procedure : NULL;
}

bool kit_procedures(const struct json_tree *tree, struct arena *arena,
                    struct procedure_set *set_out)
{
    *set_out = (struct procedure_set){NULL, 0};
    if (tree == NULL) {
        return true;
    }
    const struct procedure **items = arena_alloc(arena, (tree->count + 1) * sizeof(*items));
    for (size_t i = 0; items != NULL && i < tree->count; i++) {
        items[i] = make_procedure(&tree->items[i], arena);
        if (items[i] == NULL) {
            return false;
        }
    }
    *set_out = (struct procedure_set){items, tree->count};
    return items != NULL;
}
