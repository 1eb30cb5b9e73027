#include "query/writer.h"

#include <string.h>

#include "query/element.h"

enum yore_status write_refused(struct run *run, enum yore_status status, struct ast_spot spot)
{
    struct yore_error why = *run_error(run);
    switch (status) {
    case YORE_NOT_FOUND:
        return eval_fail(&run->eval, spot, "EntityNotFound", "DeletedEntityAccess",
                         "the element to change is not there: it was deleted, or was there only at "
                         "another moment");
    case YORE_EXISTS:
        eval_fail(&run->eval, spot, "ConstraintValidationFailed", "ConstraintViolation", "%s",
                  why.text);
        run_error(run)->status = YORE_EXISTS;
        return YORE_EXISTS;
    case YORE_INVALID:
        return eval_fail(&run->eval, spot, "TypeError", "InvalidPropertyType", "%s", why.text);
    default:
        return status;
    }
}

/* ---- properties ----------------------------------------------------------------------------- */

struct property_list {
    struct graph_property *items;
    size_t count;
};

/* Of a map; where `keeps_nulls` is not set they are left out; the external id is none of them. */
static enum yore_status properties_of(struct run *run, const struct yore_graph_map *map,
                                      bool keeps_nulls, struct ast_spot spot,
                                      struct property_list *list_out)
{
    *list_out = (struct property_list){NULL, 0};
    list_out->items = arena_alloc(&run->rows, (map->count + 1) * sizeof(*list_out->items));
    if (list_out->items == NULL) {
        return run_nomem(run);
    }
    for (size_t i = 0; i < map->count; i++) {
        const struct yore_graph_value *value = &map->entries[i].value;
        if ((value_is_null(value) && !keeps_nulls) ||
            element_is_external_id(map->entries[i].name)) {
            continue;
        }
        if (!value_is_null(value) && !value_is_storable(value)) {
            return eval_fail(&run->eval, spot, "TypeError", "InvalidPropertyType",
                             "property '%.*s' cannot hold a %s", (int)map->entries[i].name.size,
                             (const char *)map->entries[i].name.data, value_kind_name(value->kind));
        }
        struct graph_property *property = &list_out->items[list_out->count++];
        property->value = *value;
        enum yore_status st =
            run_make_token(run, GRAPH_PROPERTY, map->entries[i].name, &property->token);
        if (st != YORE_OK) {
            return write_refused(run, st, spot);
        }
    }
    return YORE_OK;
}

/* The map an expression stands for: a map, or the properties of an element. */
static enum yore_status map_of(struct run *run, const struct expr *expr,
                               struct yore_graph_map *map_out)
{
    struct yore_graph_value value;
    *map_out = (struct yore_graph_map){NULL, 0};
    enum yore_status st = eval_expr(&run->eval, expr, run->frame, &value);
    if (st == YORE_OK && value_is_element(&value)) {
        struct yore_graph_value element = value;
        st = element_properties(&run->eval, &element, expr->spot, &value);
    }
    if (st != YORE_OK || value_is_null(&value)) {
        return st;
    }
    if (value.kind != YORE_GRAPH_MAP) {
        return eval_fail(&run->eval, expr->spot, "TypeError", "InvalidArgumentType",
                         "properties are a map, not a %s", value_kind_name(value.kind));
    }
    *map_out = value.as.map;
    return YORE_OK;
}

/* The external id that a map gives; size 0: none. */
static enum yore_status external_id_of(struct run *run, const struct yore_graph_map *map,
                                       struct ast_spot spot, struct yore_bytes *external_id_out)
{
    *external_id_out = bytes_of(NULL, 0);
    for (size_t i = 0; i < map->count; i++) {
        const struct yore_graph_value *value = &map->entries[i].value;
        if (!element_is_external_id(map->entries[i].name) || value_is_null(value)) {
            continue;
        }
        if (value->kind != YORE_GRAPH_STRING || value->as.string.size == 0) {
            return eval_fail(&run->eval, spot, "TypeError", "InvalidPropertyType",
                             "an external id is a string that is not empty, not a %s",
                             value_kind_name(value->kind));
        }
        *external_id_out = value->as.string;
    }
    return YORE_OK;
}

/* What CREATE gives a new element. */
static enum yore_status new_properties(struct run *run, const struct expr *expr,
                                       struct property_list *list_out,
                                       struct yore_bytes *external_id_out)
{
    *list_out = (struct property_list){NULL, 0};
    *external_id_out = bytes_of(NULL, 0);
    if (expr == NULL) {
        return YORE_OK;
    }
    struct yore_graph_map map;
    enum yore_status st = map_of(run, expr, &map);
    if (st == YORE_OK) {
        st = external_id_of(run, &map, expr->spot, external_id_out);
    }
    return st == YORE_OK ? properties_of(run, &map, false, expr->spot, list_out) : st;
}

/* An external id stays what it is: setting it to that is nothing, to another is refused. */
static enum yore_status check_external_id(struct run *run, const struct yore_graph_map *map,
                                          const struct yore_graph_value *element,
                                          struct ast_spot spot)
{
    for (size_t i = 0; i < map->count; i++) {
        const struct yore_graph_value *value = &map->entries[i].value;
        struct yore_bytes external_id = bytes_of(NULL, 0);
        if (!element_is_external_id(map->entries[i].name)) {
            continue;
        }
        enum yore_status st = element_external_id(&run->eval, element, spot, &external_id);
        if (st != YORE_OK) {
            return st;
        }
        if (value->kind != YORE_GRAPH_STRING || !bytes_equal(value->as.string, external_id)) {
            return eval_fail(&run->eval, spot, "ConstraintValidationFailed", "ExternalIdIsFixed",
                             "the external id '%.*s' was given when the element was made, and "
                             "stays",
                             (int)(external_id.size < 100 ? external_id.size : 100),
                             (const char *)external_id.data);
        }
    }
    return YORE_OK;
}

/* ---- patterns ------------------------------------------------------------------------------- */

static enum yore_status make_labels(struct run *run, const struct yore_bytes *labels,
                                    uint32_t count, uint32_t **tokens_out)
{
    uint32_t *tokens = arena_alloc(&run->rows, (count + 1) * sizeof(*tokens));
    enum yore_status st = tokens != NULL ? YORE_OK : run_nomem(run);
    for (uint32_t i = 0; st == YORE_OK && i < count; i++) {
        st = run_make_token(run, GRAPH_LABEL, labels[i], &tokens[i]);
    }
    *tokens_out = tokens;
    return st;
}

static enum yore_status create_node(struct run *run, const struct node_pattern *pattern)
{
    struct property_list properties;
    uint32_t *labels = NULL;
    struct yore_bytes external_id;
    enum yore_status st = new_properties(run, pattern->properties, &properties, &external_id);
    if (st == YORE_OK) {
        st = make_labels(run, pattern->labels, pattern->label_count, &labels);
    }
    if (st != YORE_OK) {
        return st;
    }
    struct graph_new_node node = {.external_id = external_id,
                                  .labels = labels,
                                  .label_count = pattern->label_count,
                                  .properties = properties.items,
                                  .property_count = properties.count};
    uint64_t id;
    st = graph_node_create(run->txn, &node, NULL, &id, run_error(run));
    if (st != YORE_OK) {
        return write_refused(run, st, pattern->spot);
    }
    run->frame[pattern->slot] = value_node_ref(id, run->eval.view);
    return YORE_OK;
}

static enum yore_status end_of(struct run *run, const struct node_pattern *pattern,
                               uint64_t *id_out)
{
    const struct yore_graph_value *value = &run->frame[pattern->slot];
    if (value_is_node(value)) {
        *id_out = value_element_id(value);
        return YORE_OK;
    }
    return eval_fail(&run->eval, pattern->spot, "EntityNotFound", "InvalidArgumentValue",
                     "a relationship cannot be made: this end of it is %s, not a node",
                     value_is_null(value) ? "null" : value_kind_name(value->kind));
}

static enum yore_status create_relationship(struct run *run, const struct path_pattern *path,
                                            uint32_t index)
{
    const struct relationship_pattern *pattern = &path->relationships[index];
    bool is_left = pattern->direction == PATTERN_LEFT;
    struct graph_new_relationship made = {0};
    struct property_list properties;
    enum yore_status st = end_of(run, &path->nodes[index], is_left ? &made.end_id : &made.start_id);
    if (st == YORE_OK) {
        st = end_of(run, &path->nodes[index + 1], is_left ? &made.start_id : &made.end_id);
    }
    if (st == YORE_OK) {
        st = new_properties(run, pattern->properties, &properties, &made.external_id);
    }
    if (st == YORE_OK) {
        st = run_make_token(run, GRAPH_TYPE, pattern->types[0], &made.type);
    }
    if (st != YORE_OK) {
        return st;
    }
    made.properties = properties.items;
    made.property_count = properties.count;
    uint64_t id;
    st = graph_relationship_create(run->txn, &made, NULL, &id, run_error(run));
    if (st != YORE_OK) {
        return write_refused(run, st, pattern->spot);
    }
    run->frame[pattern->slot] = value_relationship_ref(id, run->eval.view);
    return YORE_OK;
}

static enum yore_status lay_path(struct run *run, const struct path_pattern *pattern)
{
    struct yore_graph_value *nodes =
        arena_alloc(&run->rows, (pattern->length + 1) * sizeof(*nodes));
    struct yore_graph_value *relationships =
        arena_alloc(&run->rows, (pattern->length + 1) * sizeof(*relationships));
    struct yore_graph_path *path = arena_alloc(&run->rows, sizeof(*path));
    if (nodes == NULL || relationships == NULL || path == NULL) {
        return run_nomem(run);
    }
    for (uint32_t i = 0; i <= pattern->length; i++) {
        nodes[i] = run->frame[pattern->nodes[i].slot];
        if (i < pattern->length) {
            relationships[i] = run->frame[pattern->relationships[i].slot];
        }
    }
    *path = (struct yore_graph_path){nodes, relationships, pattern->length};
    run->frame[pattern->slot] = (struct yore_graph_value){.kind = YORE_GRAPH_PATH, .as.path = path};
    return YORE_OK;
}

/* Nodes first: a relationship needs both of its ends. */
static enum yore_status write_path(struct run *run, const struct path_pattern *path)
{
    enum yore_status st = YORE_OK;
    for (uint32_t i = 0; st == YORE_OK && i <= path->length; i++) {
        if (!path->nodes[i].is_bound) {
            st = create_node(run, &path->nodes[i]);
        }
    }
    for (uint32_t i = 0; st == YORE_OK && i < path->length; i++) {
        st = create_relationship(run, path, i);
    }
    return st == YORE_OK && path->slot != AST_NO_SLOT ? lay_path(run, path) : st;
}

enum yore_status write_pattern(struct run *run, const struct pattern *pattern)
{
    enum yore_status st = run_step(run);
    for (uint32_t i = 0; st == YORE_OK && i < pattern->path_count; i++) {
        st = write_path(run, &pattern->paths[i]);
    }
    return st;
}

/* ---- SET and REMOVE ------------------------------------------------------------------------- */

static struct graph_id id_of(const struct yore_graph_value *element)
{
    return (struct graph_id){value_is_node(element) ? GRAPH_NODE : GRAPH_RELATIONSHIP,
                             value_element_id(element)};
}

static enum yore_status set_property(struct run *run, const struct set_item *item,
                                     const struct yore_graph_value *element)
{
    struct yore_graph_value value = value_null();
    enum yore_status st = YORE_OK;
    if (item->kind == SET_PROPERTY) {
        st = eval_expr(&run->eval, item->value, run->frame, &value);
    }
    if (st != YORE_OK) {
        return st;
    }
    struct yore_graph_entry entry = {item->name, value};
    const struct yore_graph_map map = {&entry, 1};
    struct property_list list;
    st = check_external_id(run, &map, element, item->spot);
    if (st == YORE_OK) {
        st = properties_of(run, &map, true, item->spot, &list);
    }
    if (st != YORE_OK) {
        return st;
    }
    st = graph_properties_set(run->txn, id_of(element), list.items, list.count, false, NULL,
                              run_error(run));
    return st == YORE_OK ? st : write_refused(run, st, item->spot);
}

static enum yore_status set_map(struct run *run, const struct set_item *item,
                                const struct yore_graph_value *element)
{
    struct yore_graph_map map;
    struct property_list list;
    bool replaces = item->kind == SET_REPLACE;
    enum yore_status st = map_of(run, item->value, &map);
    if (st == YORE_OK) {
        st = check_external_id(run, &map, element, item->spot);
    }
    if (st == YORE_OK) {
        st = properties_of(run, &map, !replaces, item->spot, &list);
    }
    if (st != YORE_OK) {
        return st;
    }
    st = graph_properties_set(run->txn, id_of(element), list.items, list.count, replaces, NULL,
                              run_error(run));
    return st == YORE_OK ? st : write_refused(run, st, item->spot);
}

static enum yore_status set_labels(struct run *run, const struct set_item *item,
                                   const struct yore_graph_value *element)
{
    if (!value_is_node(element)) {
        return eval_fail(&run->eval, item->spot, "TypeError", "InvalidArgumentType",
                         "only a node has labels, not a %s", value_kind_name(element->kind));
    }
    uint32_t *tokens = NULL;
    enum yore_status st = make_labels(run, item->labels, item->label_count, &tokens);
    if (st == YORE_OK) {
        st = graph_labels_change(run->txn, value_element_id(element), tokens, item->label_count,
                                 item->kind == SET_LABELS, NULL, run_error(run));
    }
    return st == YORE_OK ? st : write_refused(run, st, item->spot);
}

static enum yore_status set_item(struct run *run, const struct set_item *item)
{
    struct yore_graph_value element;
    enum yore_status st = run_step(run);
    if (st == YORE_OK) {
        st = eval_expr(&run->eval, item->object, run->frame, &element);
    }
    if (st != YORE_OK || value_is_null(&element)) {
        return st;
    }
    if (!value_is_element(&element)) {
        return eval_fail(&run->eval, item->spot, "TypeError", "InvalidArgumentType",
                         "only nodes and relationships can be changed, not a %s",
                         value_kind_name(element.kind));
    }
    switch (item->kind) {
    case SET_PROPERTY:
    case REMOVE_PROPERTY:
        return set_property(run, item, &element);
    case SET_REPLACE:
    case SET_MERGE:
        return set_map(run, item, &element);
    default:
        return set_labels(run, item, &element);
    }
}

enum yore_status write_set_items(struct run *run, const struct set_item *items, uint32_t count)
{
    enum yore_status st = YORE_OK;
    for (uint32_t i = 0; st == YORE_OK && i < count; i++) {
        st = set_item(run, &items[i]);
    }
    return st;
}
