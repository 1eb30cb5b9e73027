/* Functions of nodes, relationships and paths. */
#include <string.h>

#include "query/element.h"
#include "query/function_internal.h"
#include "query/number.h"

static const char *const one_element = "a node or relationship";

enum yore_status function_id(struct eval *eval, const struct expr *call,
                             const struct yore_graph_value *arguments, size_t count,
                             struct yore_graph_value *value_out)
{
    (void)count;
    if (!value_is_element(&arguments[0])) {
        return function_refuse(eval, call, one_element, &arguments[0]);
    }
    *value_out = value_int((int64_t)value_element_id(&arguments[0]));
    return YORE_OK;
}

enum yore_status function_element_id(struct eval *eval, const struct expr *call,
                                     const struct yore_graph_value *arguments, size_t count,
                                     struct yore_graph_value *value_out)
{
    (void)count;
    if (!value_is_element(&arguments[0])) {
        return function_refuse(eval, call, one_element, &arguments[0]);
    }
    char text[FLOAT_TEXT_BYTES];
    size_t size = integer_write((int64_t)value_element_id(&arguments[0]), text);
    return eval_string(eval, bytes_of(text, size), value_out);
}

enum yore_status function_external_id(struct eval *eval, const struct expr *call,
                                      const struct yore_graph_value *arguments, size_t count,
                                      struct yore_graph_value *value_out)
{
    (void)count;
    if (!value_is_element(&arguments[0])) {
        return function_refuse(eval, call, one_element, &arguments[0]);
    }
    struct yore_bytes id = {0};
    enum yore_status st = element_external_id(eval, &arguments[0], call->spot, &id);
    *value_out = value_string(id);
    return st;
}

enum yore_status function_type(struct eval *eval, const struct expr *call,
                               const struct yore_graph_value *arguments, size_t count,
                               struct yore_graph_value *value_out)
{
    (void)count;
    if (!value_is_relationship(&arguments[0])) {
        return function_refuse(eval, call, "a relationship", &arguments[0]);
    }
    struct yore_bytes type = {0};
    enum yore_status st = element_type(eval, &arguments[0], call->spot, &type);
    *value_out = value_string(type);
    return st;
}

enum yore_status function_labels(struct eval *eval, const struct expr *call,
                                 const struct yore_graph_value *arguments, size_t count,
                                 struct yore_graph_value *value_out)
{
    (void)count;
    if (!value_is_node(&arguments[0])) {
        return function_refuse(eval, call, "a node", &arguments[0]);
    }
    return element_labels(eval, &arguments[0], call->spot, value_out);
}

/* A map as it is, an element's properties as one. */
static enum yore_status map_of(struct eval *eval, const struct expr *call,
                               const struct yore_graph_value *argument,
                               struct yore_graph_value *map_out)
{
    if (argument->kind == YORE_GRAPH_MAP) {
        *map_out = *argument;
        return YORE_OK;
    }
    if (!value_is_element(argument)) {
        return function_refuse(eval, call, "a node, a relationship or a Map", argument);
    }
    return element_properties(eval, argument, call->spot, map_out);
}

enum yore_status function_keys(struct eval *eval, const struct expr *call,
                               const struct yore_graph_value *arguments, size_t count,
                               struct yore_graph_value *value_out)
{
    (void)count;
    struct yore_graph_value map;
    enum yore_status st = map_of(eval, call, &arguments[0], &map);
    void *room = NULL;
    if (st == YORE_OK) {
        st = eval_alloc(eval, map.as.map.count, sizeof(struct yore_graph_value), &room);
    }
    if (st != YORE_OK) {
        return st;
    }
    struct yore_graph_value *items = room;
    for (size_t i = 0; i < map.as.map.count; i++) {
        items[i] = value_string(map.as.map.entries[i].name);
    }
    *value_out = value_list(items, map.as.map.count);
    return YORE_OK;
}

enum yore_status function_properties(struct eval *eval, const struct expr *call,
                                     const struct yore_graph_value *arguments, size_t count,
                                     struct yore_graph_value *value_out)
{
    (void)count;
    return map_of(eval, call, &arguments[0], value_out);
}

static enum yore_status end_of(struct eval *eval, const struct expr *call,
                               const struct yore_graph_value *argument, bool is_start,
                               struct yore_graph_value *value_out)
{
    if (!value_is_relationship(argument)) {
        return function_refuse(eval, call, "a relationship", argument);
    }
    struct yore_graph_value ends[2];
    enum yore_status st = element_ends(eval, argument, call->spot, &ends[0], &ends[1]);
    *value_out = ends[is_start ? 0 : 1];
    return st;
}

enum yore_status function_start_node(struct eval *eval, const struct expr *call,
                                     const struct yore_graph_value *arguments, size_t count,
                                     struct yore_graph_value *value_out)
{
    (void)count;
    return end_of(eval, call, &arguments[0], true, value_out);
}

enum yore_status function_end_node(struct eval *eval, const struct expr *call,
                                   const struct yore_graph_value *arguments, size_t count,
                                   struct yore_graph_value *value_out)
{
    (void)count;
    return end_of(eval, call, &arguments[0], false, value_out);
}

/* ---- paths ---- */

enum yore_status function_nodes(struct eval *eval, const struct expr *call,
                                const struct yore_graph_value *arguments, size_t count,
                                struct yore_graph_value *value_out)
{
    (void)count;
    if (arguments[0].kind != YORE_GRAPH_PATH) {
        return function_refuse(eval, call, "a path", &arguments[0]);
    }
    const struct yore_graph_path *path = arguments[0].as.path;
    *value_out = value_list(path->nodes, path->length + 1);
    return YORE_OK;
}

enum yore_status function_relationships(struct eval *eval, const struct expr *call,
                                        const struct yore_graph_value *arguments, size_t count,
                                        struct yore_graph_value *value_out)
{
    (void)count;
    if (arguments[0].kind != YORE_GRAPH_PATH) {
        return function_refuse(eval, call, "a path", &arguments[0]);
    }
    const struct yore_graph_path *path = arguments[0].as.path;
    *value_out = value_list(path->relationships, path->length);
    return YORE_OK;
}

enum yore_status function_length(struct eval *eval, const struct expr *call,
                                 const struct yore_graph_value *arguments, size_t count,
                                 struct yore_graph_value *value_out)
{
    (void)count;
    if (arguments[0].kind != YORE_GRAPH_PATH) {
        return function_refuse(eval, call, "a path", &arguments[0]);
    }
    *value_out = value_int((int64_t)arguments[0].as.path->length);
    return YORE_OK;
}

/* ---- time: since when, until when, since which commit ---- */

enum span_end { SPAN_FROM, SPAN_TO, SPAN_COMMIT };

static enum yore_status span_of(struct eval *eval, const struct expr *call,
                                const struct yore_graph_value *argument, enum span_end which,
                                struct yore_graph_value *value_out)
{
    if (!value_is_element(argument)) {
        return function_refuse(eval, call, one_element, argument);
    }
    struct yore_graph_span span;
    enum yore_status st = element_span(eval, argument, call->spot, &span);
    if (st != YORE_OK) {
        return st;
    }
    int64_t moment = which == SPAN_FROM ? span.valid_from
                     : which == SPAN_TO ? span.valid_to
                                        : span.commit;
    if (which == SPAN_TO && moment == YORE_FOREVER) {
        *value_out = value_null();
        return YORE_OK;
    }
    st = temporal_of_ns(eval->arena, moment, value_out);
    return st == YORE_OK ? st : eval_nomem(eval);
}

enum yore_status function_valid_from(struct eval *eval, const struct expr *call,
                                     const struct yore_graph_value *arguments, size_t count,
                                     struct yore_graph_value *value_out)
{
    (void)count;
    return span_of(eval, call, &arguments[0], SPAN_FROM, value_out);
}

enum yore_status function_valid_to(struct eval *eval, const struct expr *call,
                                   const struct yore_graph_value *arguments, size_t count,
                                   struct yore_graph_value *value_out)
{
    (void)count;
    return span_of(eval, call, &arguments[0], SPAN_TO, value_out);
}

enum yore_status function_commit_time(struct eval *eval, const struct expr *call,
                                      const struct yore_graph_value *arguments, size_t count,
                                      struct yore_graph_value *value_out)
{
    (void)count;
    return span_of(eval, call, &arguments[0], SPAN_COMMIT, value_out);
}
