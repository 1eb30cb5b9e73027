/* What is inside of a value: properties, items, slices, entries; maps and projections of them. */
#include <string.h>

#include "query/element.h"
#include "query/eval_internal.h"
#include "query/map.h"

/* ---- properties ---- */

static enum yore_status property(struct eval *eval, const struct yore_graph_value *object,
                                 struct yore_bytes name, uint32_t *token, struct ast_spot spot,
                                 struct yore_graph_value *value_out)
{
    *value_out = value_null();
    switch (object->kind) {
    case YORE_GRAPH_NULL:
        return YORE_OK;
    case YORE_GRAPH_MAP: {
        const struct yore_graph_value *found = map_get(&object->as.map, name);
        if (found != NULL) {
            *value_out = *found;
        }
        return YORE_OK;
    }
    case YORE_GRAPH_NODE:
    case YORE_GRAPH_NODE_REF:
    case YORE_GRAPH_RELATIONSHIP:
    case YORE_GRAPH_RELATIONSHIP_REF:
        return element_property(eval, object, name, token, spot, value_out);
    case YORE_GRAPH_DATE:
    case YORE_GRAPH_LOCAL_TIME:
    case YORE_GRAPH_TIME:
    case YORE_GRAPH_LOCAL_DATETIME:
    case YORE_GRAPH_DATETIME:
    case YORE_GRAPH_DURATION: {
        enum yore_status st = temporal_part(eval->arena, object, name, value_out);
        if (st == YORE_NOT_FOUND) {
            *value_out = value_null();
            return YORE_OK;
        }
        return st == YORE_NOMEM ? eval_nomem(eval) : st;
    }
    default:
        return eval_fail(eval, spot, "TypeError", "InvalidArgumentType",
                         "a %s has no properties: only nodes, relationships, maps, dates, times "
                         "and durations have",
                         value_kind_name(object->kind));
    }
}

enum yore_status eval_property_of(struct eval *eval, const struct expr *expr,
                                  struct yore_graph_value *row, struct yore_graph_value *value_out)
{
    struct yore_graph_value object;
    enum yore_status st = eval_expr(eval, expr->as.property.object, row, &object);
    uint32_t *token =
        eval->property_tokens == NULL ? NULL : &eval->property_tokens[expr->as.property.cache];
    return st != YORE_OK
               ? st
               : property(eval, &object, expr->as.property.name, token, expr->spot, value_out);
}

enum yore_status eval_has_labels(struct eval *eval, const struct expr *expr,
                                 struct yore_graph_value *row, struct yore_graph_value *value_out)
{
    struct yore_graph_value object;
    enum yore_status st = eval_expr(eval, expr->as.has_labels.object, row, &object);
    *value_out = value_null();
    if (st != YORE_OK || value_is_null(&object)) {
        return st;
    }
    if (!value_is_element(&object)) {
        return eval_fail(eval, expr->spot, "TypeError", "InvalidArgumentType",
                         "a %s has no labels: only nodes and relationships have",
                         value_kind_name(object.kind));
    }
    bool has = false;
    st = element_has_labels(eval, &object, expr->as.has_labels.labels,
                            expr->as.has_labels.label_count, expr->spot, &has);
    *value_out = value_bool(has);
    return st;
}

/* ---- items ---- */

static enum yore_status item(struct eval *eval, const struct yore_graph_list *list,
                             const struct yore_graph_value *index, struct ast_spot spot,
                             struct yore_graph_value *value_out)
{
    if (index->kind != YORE_GRAPH_INT) {
        return eval_fail(eval, spot, "TypeError", "InvalidArgumentType",
                         "a List is indexed by an Integer, not a %s", value_kind_name(index->kind));
    }
    int64_t at = index->as.integer;
    int64_t count = (int64_t)list->count;
    if (at < 0) {
        at += count;
    }
    *value_out = at >= 0 && at < count ? list->items[at] : value_null();
    return YORE_OK;
}

enum yore_status eval_index(struct eval *eval, const struct expr *expr,
                            struct yore_graph_value *row, struct yore_graph_value *value_out)
{
    struct yore_graph_value object;
    struct yore_graph_value index;
    enum yore_status st = eval_expr(eval, expr->as.index.object, row, &object);
    if (st == YORE_OK) {
        st = eval_expr(eval, expr->as.index.low, row, &index);
    }
    *value_out = value_null();
    if (st != YORE_OK || value_is_null(&object) || value_is_null(&index)) {
        return st;
    }
    if (object.kind == YORE_GRAPH_LIST) {
        return item(eval, &object.as.list, &index, expr->spot, value_out);
    }
    bool is_map = object.kind == YORE_GRAPH_MAP;
    if (!is_map && !value_is_element(&object)) {
        return eval_fail(eval, expr->spot, "TypeError", "InvalidArgumentType",
                         "a %s cannot be indexed: only lists, maps, nodes and relationships can",
                         value_kind_name(object.kind));
    }
    if (index.kind != YORE_GRAPH_STRING) {
        return eval_fail(eval, expr->spot, "TypeError", "MapElementAccessByNonString",
                         "a %s is indexed by a String, not a %s", value_kind_name(object.kind),
                         value_kind_name(index.kind));
    }
    return property(eval, &object, index.as.string, NULL, expr->spot, value_out);
}

/* A bound within 0..count; negative ones count from the end. */
static enum yore_status slice_bound(struct eval *eval, const struct expr *bound,
                                    struct yore_graph_value *row, size_t count, size_t *at_out,
                                    bool *is_null_out)
{
    struct yore_graph_value value;
    enum yore_status st = eval_expr(eval, bound, row, &value);
    *is_null_out = st == YORE_OK && value_is_null(&value);
    if (st != YORE_OK || *is_null_out) {
        return st;
    }
    if (value.kind != YORE_GRAPH_INT) {
        return eval_fail(eval, bound->spot, "TypeError", "InvalidArgumentType",
                         "a slice goes from Integer to Integer, not a %s",
                         value_kind_name(value.kind));
    }
    int64_t at = value.as.integer;
    if (at < 0) {
        at = at < -(int64_t)count ? 0 : at + (int64_t)count;
    }
    *at_out = at > (int64_t)count ? count : (size_t)at;
    return YORE_OK;
}

enum yore_status eval_slice(struct eval *eval, const struct expr *expr,
                            struct yore_graph_value *row, struct yore_graph_value *value_out)
{
    struct yore_graph_value list;
    enum yore_status st = eval_expr(eval, expr->as.index.object, row, &list);
    *value_out = value_null();
    if (st != YORE_OK || value_is_null(&list)) {
        return st;
    }
    if (list.kind != YORE_GRAPH_LIST) {
        return eval_fail(eval, expr->spot, "TypeError", "InvalidArgumentType",
                         "only a List has slices, a %s has none", value_kind_name(list.kind));
    }
    size_t low = 0;
    size_t high = list.as.list.count;
    bool is_low_null = false;
    bool is_high_null = false;
    if (expr->as.index.low != NULL) {
        st = slice_bound(eval, expr->as.index.low, row, list.as.list.count, &low, &is_low_null);
    }
    if (st == YORE_OK && expr->as.index.high != NULL) {
        st = slice_bound(eval, expr->as.index.high, row, list.as.list.count, &high, &is_high_null);
    }
    if (st == YORE_OK && !is_low_null && !is_high_null) {
        size_t count = high > low ? high - low : 0;
        *value_out = value_list(count == 0 ? NULL : list.as.list.items + low, count);
    }
    return st;
}

/* ---- maps ---- */

static enum yore_status finish_map(struct eval *eval, struct yore_graph_entry *entries,
                                   size_t count, struct yore_graph_value *value_out)
{
    if (map_settle(eval->arena, entries, &count) != YORE_OK) {
        return eval_nomem(eval);
    }
    *value_out = value_map(entries, count);
    return eval_check_value(eval, value_out);
}

enum yore_status eval_map(struct eval *eval, const struct expr *expr, struct yore_graph_value *row,
                          struct yore_graph_value *value_out)
{
    uint32_t count = expr->as.map.count;
    void *room = NULL;
    enum yore_status st = eval_alloc(eval, count, sizeof(struct yore_graph_entry), &room);
    struct yore_graph_entry *entries = room;
    for (uint32_t i = 0; i < count && st == YORE_OK; i++) {
        entries[i].name = expr->as.map.items[i].name;
        st = eval_expr(eval, expr->as.map.items[i].value, row, &entries[i].value);
    }
    return st != YORE_OK ? st : finish_map(eval, entries, count, value_out);
}

/* The entries of an element or map, for .* */
static enum yore_status all_entries(struct eval *eval, const struct yore_graph_value *object,
                                    struct ast_spot spot, struct yore_graph_map *map_out)
{
    struct yore_graph_value map = *object;
    enum yore_status st = YORE_OK;
    if (value_is_element(object)) {
        st = element_properties(eval, object, spot, &map);
    }
    *map_out = map.as.map;
    return st;
}

enum yore_status eval_projection(struct eval *eval, const struct expr *expr,
                                 struct yore_graph_value *row, struct yore_graph_value *value_out)
{
    struct yore_graph_value object;
    enum yore_status st = eval_expr(eval, expr->as.map.object, row, &object);
    *value_out = value_null();
    if (st != YORE_OK || value_is_null(&object)) {
        return st;
    }
    if (object.kind != YORE_GRAPH_MAP && !value_is_element(&object)) {
        return eval_fail(eval, expr->spot, "TypeError", "InvalidArgumentType",
                         "a %s cannot be projected: only nodes, relationships and maps can",
                         value_kind_name(object.kind));
    }
    struct yore_graph_map all = {0};
    size_t room_for = 0;
    for (uint32_t i = 0; i < expr->as.map.count && st == YORE_OK; i++) {
        const struct map_item *entry = &expr->as.map.items[i];
        bool is_all = entry->value == NULL && entry->name.size == 0;
        if (is_all) {
            st = all_entries(eval, &object, expr->spot, &all);
        }
        room_for += is_all ? all.count : 1;
    }
    void *room = NULL;
    if (st == YORE_OK) {
        st = eval_alloc(eval, room_for, sizeof(struct yore_graph_entry), &room);
    }
    struct yore_graph_entry *entries = room;
    size_t count = 0;
    for (uint32_t i = 0; i < expr->as.map.count && st == YORE_OK; i++) {
        const struct map_item *entry = &expr->as.map.items[i];
        if (entry->value == NULL && entry->name.size == 0) {
            if (all.count > 0) {
                memcpy(entries + count, all.entries, all.count * sizeof(*entries));
            }
            count += all.count;
            continue;
        }
        entries[count].name = entry->name;
        st = entry->value == NULL
                 ? property(eval, &object, entry->name, NULL, expr->spot, &entries[count].value)
                 : eval_expr(eval, entry->value, row, &entries[count].value);
        count++;
    }
    return st != YORE_OK ? st : finish_map(eval, entries, count, value_out);
}
