#include "query/element.h"

#include "query/map.h"
#include "query/value.h"

static bool is_whole(const struct yore_graph_value *element)
{
    return element->kind == YORE_GRAPH_NODE || element->kind == YORE_GRAPH_RELATIONSHIP;
}

static struct graph_view *view_of(const struct yore_graph_value *ref)
{
    return ref->as.ref.view;
}

static struct graph *graph_of(const struct yore_graph_value *ref)
{
    return graph_view_graph(view_of(ref));
}

static struct yore_error *error_of(struct eval *eval)
{
    return eval->error == NULL ? NULL : &eval->error->error;
}

static bool is_deleted(struct eval *eval, const struct yore_graph_value *element)
{
    return eval->ports != NULL && eval->ports->is_deleted != NULL &&
           eval->ports->is_deleted(eval, element);
}

/* The status of a view, with absence told: an element of a row that is not there was deleted. */
static enum yore_status told(struct eval *eval, enum yore_status status,
                             const struct yore_graph_value *element, struct ast_spot spot)
{
    if (status == YORE_NOT_FOUND) {
        return eval_fail(eval, spot, "EntityNotFound", "DeletedEntityAccess",
                         "this %s has been deleted in this statement",
                         value_is_node(element) ? "node" : "relationship");
    }
    return eval_engine(eval, status);
}

/* ---- properties ---- */

static enum yore_status fetch_property(struct eval *eval, const struct yore_graph_value *element,
                                       uint32_t token, struct yore_graph_value *value_out)
{
    uint64_t id = element->as.ref.id;
    return element->kind == YORE_GRAPH_NODE_REF
               ? graph_node_property(view_of(element), id, token, eval->arena, value_out,
                                     error_of(eval))
               : graph_relationship_property(view_of(element), id, token, eval->arena, value_out,
                                             error_of(eval));
}

/* A property of that name was never given to anything: but the element has to be there. */
static enum yore_status check_there(struct eval *eval, const struct yore_graph_value *element)
{
    if (element->kind == YORE_GRAPH_RELATIONSHIP_REF) {
        struct graph_ends ends;
        return graph_relationship_ends(view_of(element), element->as.ref.id, &ends, error_of(eval));
    }
    const uint32_t *labels = NULL;
    size_t count = 0;
    return graph_node_labels(view_of(element), element->as.ref.id, eval->arena, &labels, &count,
                             error_of(eval));
}

bool element_is_external_id(struct yore_bytes name)
{
    static const char external_id[] = "externalId";
    return bytes_equal(name, bytes_of(external_id, sizeof(external_id) - 1));
}

enum yore_status element_property(struct eval *eval, const struct yore_graph_value *element,
                                  struct yore_bytes name, uint32_t *token, struct ast_spot spot,
                                  struct yore_graph_value *value_out)
{
    *value_out = value_null();
    if (element_is_external_id(name)) {
        struct yore_bytes external_id = bytes_of(NULL, 0);
        enum yore_status st = element_external_id(eval, element, spot, &external_id);
        *value_out = value_string(external_id);
        return st;
    }
    if (is_whole(element)) {
        const struct yore_graph_map *map = element->kind == YORE_GRAPH_NODE
                                               ? &element->as.node->properties
                                               : &element->as.relationship->properties;
        const struct yore_graph_value *found = map_get(map, name);
        if (found != NULL) {
            *value_out = *found;
        }
        return YORE_OK;
    }
    if (is_deleted(eval, element)) {
        return told(eval, YORE_NOT_FOUND, element, spot);
    }
    enum yore_status st = eval_step(eval, 1);
    if (st != YORE_OK) {
        return st;
    }
    uint32_t known = token == NULL ? GRAPH_NO_TOKEN : *token;
    if (known == GRAPH_NO_TOKEN) {
        known = graph_token(graph_of(element), GRAPH_PROPERTY, name);
        if (token != NULL) {
            *token = known;
        }
    }
    st = known == GRAPH_NO_TOKEN ? check_there(eval, element)
                                 : fetch_property(eval, element, known, value_out);
    return told(eval, st, element, spot);
}

/* YORE_NOT_FOUND: `*whole_out` has what is known of a deleted one. */
static enum yore_status whole_node(struct eval *eval, const struct yore_graph_value *ref,
                                   struct yore_graph_value *whole_out)
{
    struct yore_graph_node *node = arena_alloc(eval->arena, sizeof(*node));
    if (node == NULL) {
        return eval_nomem(eval);
    }
    *node = (struct yore_graph_node){.id = ref->as.ref.id};
    *whole_out = (struct yore_graph_value){.kind = YORE_GRAPH_NODE, .as.node = node};
    return is_deleted(eval, ref)
               ? YORE_NOT_FOUND
               : graph_node_get(view_of(ref), ref->as.ref.id, eval->arena, node, error_of(eval));
}

static enum yore_status whole_relationship(struct eval *eval, const struct yore_graph_value *ref,
                                           struct yore_graph_value *whole_out)
{
    struct yore_graph_relationship *relationship = arena_alloc(eval->arena, sizeof(*relationship));
    if (relationship == NULL) {
        return eval_nomem(eval);
    }
    *relationship = (struct yore_graph_relationship){.id = ref->as.ref.id};
    *whole_out =
        (struct yore_graph_value){.kind = YORE_GRAPH_RELATIONSHIP, .as.relationship = relationship};
    if (!is_deleted(eval, ref)) {
        return graph_relationship_get(view_of(ref), ref->as.ref.id, eval->arena, relationship,
                                      error_of(eval));
    }
    struct graph_ends ends;
    if (eval->ports->deleted_ends != NULL && eval->ports->deleted_ends(eval, ref, &ends)) {
        relationship->type = graph_token_name(graph_of(ref), GRAPH_TYPE, ends.type);
        relationship->start_id = ends.start_id;
        relationship->end_id = ends.end_id;
    }
    return YORE_NOT_FOUND;
}

static enum yore_status whole(struct eval *eval, const struct yore_graph_value *ref,
                              struct yore_graph_value *whole_out)
{
    return ref->kind == YORE_GRAPH_NODE_REF ? whole_node(eval, ref, whole_out)
                                            : whole_relationship(eval, ref, whole_out);
}

/* As whole(), of one that has to be there. */
static enum yore_status fetch(struct eval *eval, const struct yore_graph_value *element,
                              struct ast_spot spot, struct yore_graph_value *whole_out)
{
    if (is_whole(element)) {
        *whole_out = *element;
        return YORE_OK;
    }
    enum yore_status st = eval_step(eval, 1);
    return st != YORE_OK ? st : told(eval, whole(eval, element, whole_out), element, spot);
}

enum yore_status element_properties(struct eval *eval, const struct yore_graph_value *element,
                                    struct ast_spot spot, struct yore_graph_value *map_out)
{
    struct yore_graph_value fetched;
    enum yore_status st = fetch(eval, element, spot, &fetched);
    if (st == YORE_OK) {
        *map_out = (struct yore_graph_value){.kind = YORE_GRAPH_MAP};
        map_out->as.map = fetched.kind == YORE_GRAPH_NODE ? fetched.as.node->properties
                                                          : fetched.as.relationship->properties;
    }
    return st;
}

/* ---- labels, types, ends ---- */

enum yore_status element_labels(struct eval *eval, const struct yore_graph_value *node,
                                struct ast_spot spot, struct yore_graph_value *list_out)
{
    struct yore_graph_value fetched = *node;
    struct yore_graph_node names = {0};
    enum yore_status st = eval_step(eval, 1);
    if (st == YORE_OK && node->kind == YORE_GRAPH_NODE_REF) {
        /* tokens are cheaper than the whole node, but the language wants them by name */
        st = fetch(eval, node, spot, &fetched);
    }
    if (st != YORE_OK) {
        return st;
    }
    names = *fetched.as.node;
    void *room = NULL;
    st = eval_alloc(eval, names.label_count, sizeof(struct yore_graph_value), &room);
    struct yore_graph_value *items = room;
    for (size_t i = 0; i < names.label_count && st == YORE_OK; i++) {
        items[i] = value_string(names.labels[i]);
    }
    *list_out = value_list(items, names.label_count);
    return st;
}

static bool node_has_label(const struct yore_graph_node *node, struct yore_bytes label)
{
    for (size_t i = 0; i < node->label_count; i++) {
        if (bytes_equal(node->labels[i], label)) {
            return true;
        }
    }
    return false;
}

static enum yore_status node_has_labels(struct eval *eval, const struct yore_graph_value *node,
                                        const struct yore_bytes *labels, uint32_t count,
                                        struct ast_spot spot, bool *has_out)
{
    if (node->kind == YORE_GRAPH_NODE) {
        for (uint32_t i = 0; i < count && *has_out; i++) {
            *has_out = node_has_label(node->as.node, labels[i]);
        }
        return YORE_OK;
    }
    const uint32_t *tokens = NULL;
    size_t token_count = 0;
    enum yore_status st = is_deleted(eval, node) ? YORE_NOT_FOUND : eval_step(eval, 1);
    if (st == YORE_OK) {
        st = graph_node_labels(view_of(node), node->as.ref.id, eval->arena, &tokens, &token_count,
                               error_of(eval));
    }
    for (uint32_t i = 0; i < count && *has_out && st == YORE_OK; i++) {
        uint32_t wanted = graph_token(graph_of(node), GRAPH_LABEL, labels[i]);
        size_t at = 0;
        while (at < token_count && tokens[at] != wanted) {
            at++;
        }
        *has_out = wanted != GRAPH_NO_TOKEN && at < token_count;
    }
    return told(eval, st, node, spot);
}

enum yore_status element_has_labels(struct eval *eval, const struct yore_graph_value *element,
                                    const struct yore_bytes *labels, uint32_t count,
                                    struct ast_spot spot, bool *has_out)
{
    *has_out = true;
    if (value_is_node(element)) {
        return node_has_labels(eval, element, labels, count, spot, has_out);
    }
    struct yore_bytes type;
    enum yore_status st = element_type(eval, element, spot, &type);
    for (uint32_t i = 0; i < count && *has_out && st == YORE_OK; i++) {
        *has_out = bytes_equal(labels[i], type);
    }
    return st;
}

static enum yore_status ends_of(struct eval *eval, const struct yore_graph_value *relationship,
                                struct ast_spot spot, struct graph_ends *ends_out)
{
    if (is_deleted(eval, relationship) && eval->ports->deleted_ends != NULL &&
        eval->ports->deleted_ends(eval, relationship, ends_out)) {
        return YORE_OK;
    }
    enum yore_status st = eval_step(eval, 1);
    if (st == YORE_OK) {
        st = graph_relationship_ends(view_of(relationship), relationship->as.ref.id, ends_out,
                                     error_of(eval));
    }
    return told(eval, st, relationship, spot);
}

enum yore_status element_type(struct eval *eval, const struct yore_graph_value *relationship,
                              struct ast_spot spot, struct yore_bytes *type_out)
{
    if (relationship->kind == YORE_GRAPH_RELATIONSHIP) {
        *type_out = relationship->as.relationship->type;
        return YORE_OK;
    }
    struct graph_ends ends = {0};
    enum yore_status st = ends_of(eval, relationship, spot, &ends);
    if (st == YORE_OK) {
        *type_out = graph_token_name(graph_of(relationship), GRAPH_TYPE, ends.type);
    }
    return st;
}

enum yore_status element_ends(struct eval *eval, const struct yore_graph_value *relationship,
                              struct ast_spot spot, struct yore_graph_value *start_out,
                              struct yore_graph_value *end_out)
{
    struct graph_ends ends = {0};
    void *view = eval->view;
    enum yore_status st = YORE_OK;
    if (relationship->kind == YORE_GRAPH_RELATIONSHIP) {
        ends.start_id = relationship->as.relationship->start_id;
        ends.end_id = relationship->as.relationship->end_id;
    } else {
        view = view_of(relationship);
        st = ends_of(eval, relationship, spot, &ends);
    }
    *start_out = value_node_ref(ends.start_id, view);
    *end_out = value_node_ref(ends.end_id, view);
    return st;
}

enum yore_status element_span(struct eval *eval, const struct yore_graph_value *element,
                              struct ast_spot spot, struct yore_graph_span *span_out)
{
    struct yore_graph_value fetched;
    enum yore_status st = fetch(eval, element, spot, &fetched);
    if (st == YORE_OK) {
        *span_out =
            fetched.kind == YORE_GRAPH_NODE ? fetched.as.node->span : fetched.as.relationship->span;
    }
    return st;
}

enum yore_status element_external_id(struct eval *eval, const struct yore_graph_value *element,
                                     struct ast_spot spot, struct yore_bytes *external_id_out)
{
    struct yore_graph_value fetched;
    enum yore_status st = fetch(eval, element, spot, &fetched);
    if (st == YORE_OK) {
        *external_id_out = fetched.kind == YORE_GRAPH_NODE ? fetched.as.node->external_id
                                                           : fetched.as.relationship->external_id;
    }
    return st;
}

/* ---- whole values ---- */

static bool needs_fetching(const struct yore_graph_value *value)
{
    switch (value->kind) {
    case YORE_GRAPH_NODE_REF:
    case YORE_GRAPH_RELATIONSHIP_REF:
    case YORE_GRAPH_PATH:
        return true;
    case YORE_GRAPH_LIST:
        for (size_t i = 0; i < value->as.list.count; i++) {
            if (needs_fetching(&value->as.list.items[i])) {
                return true;
            }
        }
        return false;
    case YORE_GRAPH_MAP:
        for (size_t i = 0; i < value->as.map.count; i++) {
            if (needs_fetching(&value->as.map.entries[i].value)) {
                return true;
            }
        }
        return false;
    default:
        return false;
    }
}

static enum yore_status whole_items(struct eval *eval, const struct yore_graph_value *from,
                                    size_t count, const struct yore_graph_value **items_out)
{
    void *room = NULL;
    enum yore_status st = eval_alloc(eval, count, sizeof(*from), &room);
    struct yore_graph_value *items = room;
    for (size_t i = 0; i < count && st == YORE_OK; i++) {
        st = element_whole(eval, &from[i], &items[i]);
    }
    *items_out = items;
    return st;
}

static enum yore_status whole_map(struct eval *eval, const struct yore_graph_map *from,
                                  struct yore_graph_map *map_out)
{
    void *room = NULL;
    enum yore_status st = eval_alloc(eval, from->count, sizeof(*from->entries), &room);
    struct yore_graph_entry *entries = room;
    for (size_t i = 0; i < from->count && st == YORE_OK; i++) {
        entries[i].name = from->entries[i].name;
        st = element_whole(eval, &from->entries[i].value, &entries[i].value);
    }
    *map_out = (struct yore_graph_map){entries, from->count};
    return st;
}

static enum yore_status whole_path(struct eval *eval, const struct yore_graph_path *from,
                                   struct yore_graph_value *value_out)
{
    struct yore_graph_path *path = arena_alloc(eval->arena, sizeof(*path));
    if (path == NULL) {
        return eval_nomem(eval);
    }
    path->length = from->length;
    value_out->as.path = path;
    enum yore_status st = whole_items(eval, from->nodes, from->length + 1, &path->nodes);
    return st != YORE_OK
               ? st
               : whole_items(eval, from->relationships, from->length, &path->relationships);
}

enum yore_status element_whole(struct eval *eval, const struct yore_graph_value *value,
                               struct yore_graph_value *whole_out)
{
    *whole_out = *value;
    if (!needs_fetching(value)) {
        return YORE_OK;
    }
    switch (value->kind) {
    case YORE_GRAPH_LIST:
        return whole_items(eval, value->as.list.items, value->as.list.count,
                           &whole_out->as.list.items);
    case YORE_GRAPH_MAP:
        return whole_map(eval, &value->as.map, &whole_out->as.map);
    case YORE_GRAPH_PATH:
        return whole_path(eval, value->as.path, whole_out);
    default: {
        enum yore_status st = whole(eval, value, whole_out);
        return st == YORE_NOT_FOUND ? YORE_OK : eval_engine(eval, st);
    }
    }
}
