/* procedures_schema.c -- db.labels and its like: what the graph has at the moment of the statement.
 */
#include <string.h>

#include <yore/version.h>

#include "query/procedures.h"
#include "query/run.h"

enum yore_status made_rows_add(const struct procedure_context *context, struct made_rows *rows,
                               const struct yore_graph_value *row)
{
    if (rows->count == rows->capacity) {
        size_t capacity = rows->capacity == 0 ? 16 : rows->capacity * 2;
        struct yore_graph_value *grown =
            arena_alloc(context->arena, capacity * rows->width * sizeof(*grown));
        if (grown == NULL) {
            return run_nomem(context->run);
        }
        if (rows->count > 0) {
            memcpy(grown, rows->values, rows->count * rows->width * sizeof(*grown));
        }
        rows->values = grown;
        rows->capacity = capacity;
    }
    memcpy(&rows->values[rows->count++ * rows->width], row, rows->width * sizeof(*row));
    return YORE_OK;
}

enum yore_status made_rows_new(const struct procedure_context *context, void **state_out,
                               struct made_rows **rows_out)
{
    struct made_rows *rows = arena_alloc(context->arena, sizeof(*rows));
    if (rows == NULL) {
        return run_nomem(context->run);
    }
    *rows = (struct made_rows){.width = context->procedure->column_count};
    *state_out = rows;
    *rows_out = rows;
    return YORE_OK;
}

enum yore_status made_rows_next(const struct procedure_context *context, void *state,
                                struct yore_graph_value *row_out)
{
    (void)context;
    struct made_rows *rows = state;
    if (rows->at == rows->count) {
        return YORE_NOT_FOUND;
    }
    memcpy(row_out, &rows->values[rows->at++ * rows->width], rows->width * sizeof(*row_out));
    return YORE_OK;
}

/* ---- names ---------------------------------------------------------------------------------- */

struct name_list {
    const struct procedure_context *context;
    struct made_rows *rows;
    enum graph_token_kind kind;
    uint32_t *tokens;
    size_t count;
    size_t capacity;
    enum yore_status status;
};

static int take_token(void *arg, uint32_t token, struct yore_bytes name)
{
    (void)name;
    struct name_list *list = arg;
    if (list->count == list->capacity) {
        size_t capacity = list->capacity == 0 ? 64 : list->capacity * 2;
        uint32_t *grown = arena_alloc(list->context->arena, capacity * sizeof(*grown));
        if (grown == NULL) {
            list->status = run_nomem(list->context->run);
            return 1;
        }
        if (list->count > 0) {
            memcpy(grown, list->tokens, list->count * sizeof(*grown));
        }
        list->tokens = grown;
        list->capacity = capacity;
    }
    list->tokens[list->count++] = token;
    return 0;
}

/* Whether any element has the label or type at the moment.  A property name is in use when it ever
 * was: nothing tells when the last element lost it. */
static enum yore_status is_in_use(const struct name_list *list, uint32_t token, bool *is_used_out)
{
    const struct procedure_context *context = list->context;
    *is_used_out = true;
    if (list->kind == GRAPH_PROPERTY) {
        return YORE_OK;
    }
    struct graph_scan_options options = {
        .kind = list->kind == GRAPH_LABEL ? GRAPH_SCAN_LABEL : GRAPH_SCAN_TYPE, .token = token};
    struct graph_scan *scan = NULL;
    struct yore_error *error = &context->error->error;
    enum yore_status st = graph_scan_open(context->view, &options, &scan, error);
    if (st == YORE_OK) {
        uint64_t id;
        st = graph_scan_next(scan, &id, error);
        *is_used_out = st == YORE_OK;
        graph_scan_close(scan);
    }
    return st == YORE_NOT_FOUND ? YORE_OK : st;
}

static enum yore_status open_names(const struct procedure_context *context,
                                   enum graph_token_kind kind, void **state_out)
{
    struct name_list list = {.context = context, .kind = kind, .status = YORE_OK};
    enum yore_status st = made_rows_new(context, state_out, &list.rows);
    if (st != YORE_OK) {
        return st;
    }
    graph_tokens(context->graph, kind, take_token, &list);
    st = list.status;
    for (size_t i = 0; st == YORE_OK && i < list.count; i++) {
        bool is_used;
        st = is_in_use(&list, list.tokens[i], &is_used);
        if (st == YORE_OK && is_used) {
            struct yore_graph_value name =
                value_string(graph_token_name(context->graph, kind, list.tokens[i]));
            st = made_rows_add(context, list.rows, &name);
        }
    }
    return st;
}

static enum yore_status open_labels(const struct procedure_context *context,
                                    const struct yore_graph_value *arguments, void **state_out)
{
    (void)arguments;
    return open_names(context, GRAPH_LABEL, state_out);
}

static enum yore_status open_types(const struct procedure_context *context,
                                   const struct yore_graph_value *arguments, void **state_out)
{
    (void)arguments;
    return open_names(context, GRAPH_TYPE, state_out);
}

static enum yore_status open_properties(const struct procedure_context *context,
                                        const struct yore_graph_value *arguments, void **state_out)
{
    (void)arguments;
    return open_names(context, GRAPH_PROPERTY, state_out);
}

static const struct procedure_field LABEL[] = {FIELD("label", PROCEDURE_STRING)};
static const struct procedure_field TYPE[] = {FIELD("relationshipType", PROCEDURE_STRING)};
static const struct procedure_field KEY[] = {FIELD("propertyKey", PROCEDURE_STRING)};

const struct procedure procedure_db_labels = {.name = {"db.labels", 9},
                                              .columns = LABEL,
                                              .column_count = FIELD_COUNT(LABEL),
                                              .open = open_labels,
                                              .next = made_rows_next};
const struct procedure procedure_db_relationship_types = {.name = {"db.relationshipTypes", 20},
                                                          .columns = TYPE,
                                                          .column_count = FIELD_COUNT(TYPE),
                                                          .open = open_types,
                                                          .next = made_rows_next};
const struct procedure procedure_db_property_keys = {.name = {"db.propertyKeys", 15},
                                                     .columns = KEY,
                                                     .column_count = FIELD_COUNT(KEY),
                                                     .open = open_properties,
                                                     .next = made_rows_next};

/* ---- indexes -------------------------------------------------------------------------------- */

struct index_list {
    const struct procedure_context *context;
    struct made_rows *rows;
    enum yore_status (*tell)(struct index_list *list, const struct graph_schema *schema,
                             struct yore_bytes name);
    int64_t count;
    enum yore_status status;
};

static struct yore_graph_value label_of(const struct index_list *list,
                                        const struct graph_schema *schema)
{
    return value_string(graph_token_name(list->context->graph, GRAPH_LABEL, schema->label));
}

static struct yore_graph_value property_of(const struct index_list *list,
                                           const struct graph_schema *schema)
{
    return value_string(graph_token_name(list->context->graph, GRAPH_PROPERTY, schema->property));
}

static int take_index(void *arg, const struct graph_schema *schema)
{
    struct index_list *list = arg;
    struct yore_bytes name;
    list->count++;
    list->status = graph_schema_name(list->context->graph, schema, list->context->arena, &name);
    list->status =
        list->status == YORE_OK ? list->tell(list, schema, name) : run_nomem(list->context->run);
    return list->status == YORE_OK ? 0 : 1;
}

static enum yore_status tell_index(struct index_list *list, const struct graph_schema *schema,
                                   struct yore_bytes name)
{
    const struct yore_graph_value row[] = {
        label_of(list, schema), property_of(list, schema), value_bool(schema->is_unique),
        value_string(schema->is_unique ? bytes_of("constraint", 10) : bytes_of("index", 5)),
        value_string(name)};
    return made_rows_add(list->context, list->rows, row);
}

/* Labels and properties are lists elsewhere; here each has one. */
static enum yore_status list_of(const struct index_list *list, struct yore_graph_value item,
                                struct yore_graph_value *list_out)
{
    struct yore_graph_value *items = arena_alloc(list->context->arena, sizeof(*items));
    if (items == NULL) {
        return run_nomem(list->context->run);
    }
    *items = item;
    *list_out = value_list(items, 1);
    return YORE_OK;
}

static enum yore_status show_index(struct index_list *list, const struct graph_schema *schema,
                                   struct yore_bytes name)
{
    struct yore_graph_value row[] = {
        value_int(list->count),
        value_string(name),
        value_string(bytes_of("ONLINE", 6)),
        value_string(bytes_of("RANGE", 5)),
        value_string(bytes_of("NODE", 4)),
        value_null(),
        value_null(),
        schema->is_unique ? value_string(name) : value_null(),
    };
    enum yore_status st = list_of(list, label_of(list, schema), &row[5]);
    if (st == YORE_OK) {
        st = list_of(list, property_of(list, schema), &row[6]);
    }
    return st == YORE_OK ? made_rows_add(list->context, list->rows, row) : st;
}

static enum yore_status show_constraint(struct index_list *list, const struct graph_schema *schema,
                                        struct yore_bytes name)
{
    struct yore_graph_value row[] = {value_int(list->count),
                                     value_string(name),
                                     value_string(bytes_of("UNIQUENESS", 10)),
                                     value_string(bytes_of("NODE", 4)),
                                     value_null(),
                                     value_null(),
                                     value_string(name)};
    if (!schema->is_unique) {
        return YORE_OK;
    }
    enum yore_status st = list_of(list, label_of(list, schema), &row[4]);
    if (st == YORE_OK) {
        st = list_of(list, property_of(list, schema), &row[5]);
    }
    return st == YORE_OK ? made_rows_add(list->context, list->rows, row) : st;
}

static enum yore_status open_list(struct index_list *list, void **state_out)
{
    enum yore_status st = made_rows_new(list->context, state_out, &list->rows);
    if (st == YORE_OK) {
        st = graph_schema_list(list->context->view, take_index, list, &list->context->error->error);
    }
    return st == YORE_OK ? list->status : st;
}

static enum yore_status open_indexes(const struct procedure_context *context,
                                     const struct yore_graph_value *arguments, void **state_out)
{
    (void)arguments;
    return open_list(&(struct index_list){.context = context, .tell = tell_index}, state_out);
}

static enum yore_status open_show_indexes(const struct procedure_context *context,
                                          const struct yore_graph_value *arguments,
                                          void **state_out)
{
    (void)arguments;
    return open_list(&(struct index_list){.context = context, .tell = show_index}, state_out);
}

static enum yore_status open_show_constraints(const struct procedure_context *context,
                                              const struct yore_graph_value *arguments,
                                              void **state_out)
{
    (void)arguments;
    return open_list(&(struct index_list){.context = context, .tell = show_constraint}, state_out);
}

static const struct procedure_field INDEX[] = {
    FIELD("label", PROCEDURE_STRING), FIELD("property", PROCEDURE_STRING),
    FIELD("unique", PROCEDURE_BOOLEAN), FIELD("kind", PROCEDURE_STRING),
    FIELD("name", PROCEDURE_STRING)};

const struct procedure procedure_db_indexes = {.name = {"db.indexes", 10},
                                               .columns = INDEX,
                                               .column_count = FIELD_COUNT(INDEX),
                                               .open = open_indexes,
                                               .next = made_rows_next};

/* SHOW INDEXES, SHOW CONSTRAINTS: columns as tools of Neo4j know them. */
static const struct procedure_field SHOWN_INDEX[] = {
    FIELD("id", PROCEDURE_INTEGER),        FIELD("name", PROCEDURE_STRING),
    FIELD("state", PROCEDURE_STRING),      FIELD("type", PROCEDURE_STRING),
    FIELD("entityType", PROCEDURE_STRING), FIELD("labelsOrTypes", PROCEDURE_LIST),
    FIELD("properties", PROCEDURE_LIST),   FIELD("owningConstraint", PROCEDURE_STRING)};
static const struct procedure_field SHOWN_CONSTRAINT[] = {
    FIELD("id", PROCEDURE_INTEGER),         FIELD("name", PROCEDURE_STRING),
    FIELD("type", PROCEDURE_STRING),        FIELD("entityType", PROCEDURE_STRING),
    FIELD("labelsOrTypes", PROCEDURE_LIST), FIELD("properties", PROCEDURE_LIST),
    FIELD("ownedIndex", PROCEDURE_STRING)};

const struct procedure procedure_db_show_indexes = {.name = {"db.showIndexes", 14},
                                                    .columns = SHOWN_INDEX,
                                                    .column_count = FIELD_COUNT(SHOWN_INDEX),
                                                    .open = open_show_indexes,
                                                    .next = made_rows_next};
const struct procedure procedure_db_show_constraints = {.name = {"db.showConstraints", 18},
                                                        .columns = SHOWN_CONSTRAINT,
                                                        .column_count =
                                                            FIELD_COUNT(SHOWN_CONSTRAINT),
                                                        .open = open_show_constraints,
                                                        .next = made_rows_next};

/* ---- components ----------------------------------------------------------------------------- */

static enum yore_status open_components(const struct procedure_context *context,
                                        const struct yore_graph_value *arguments, void **state_out)
{
    (void)arguments;
    struct made_rows *rows;
    enum yore_status st = made_rows_new(context, state_out, &rows);
    struct yore_graph_value *version = arena_alloc(context->arena, sizeof(*version));
    if (st != YORE_OK || version == NULL) {
        return st == YORE_OK ? run_nomem(context->run) : st;
    }
    *version = value_string(bytes_of(YORE_VERSION, strlen(YORE_VERSION)));
    struct yore_graph_value row[] = {value_string(bytes_of("Yore", 4)), value_list(version, 1),
                                     value_string(bytes_of("community", 9))};
    return made_rows_add(context, rows, row);
}

static const struct procedure_field COMPONENT[] = {FIELD("name", PROCEDURE_STRING),
                                                   FIELD("versions", PROCEDURE_LIST),
                                                   FIELD("edition", PROCEDURE_STRING)};

const struct procedure procedure_dbms_components = {.name = {"dbms.components", 15},
                                                    .columns = COMPONENT,
                                                    .column_count = FIELD_COUNT(COMPONENT),
                                                    .open = open_components,
                                                    .next = made_rows_next};
