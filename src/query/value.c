#include "query/value.h"

#include "base/assert.h"

uint64_t value_element_id(const struct yore_graph_value *element)
{
    switch (element->kind) {
    case YORE_GRAPH_NODE:
        return element->as.node->id;
    case YORE_GRAPH_RELATIONSHIP:
        return element->as.relationship->id;
    default:
        YORE_ASSERT(value_is_element(element));
        return element->as.ref.id;
    }
}

const char *value_kind_name(enum yore_graph_kind kind)
{
    static const char *const names[] = {
        [YORE_GRAPH_NULL] = "Null",
        [YORE_GRAPH_BOOL] = "Boolean",
        [YORE_GRAPH_INT] = "Integer",
        [YORE_GRAPH_FLOAT] = "Float",
        [YORE_GRAPH_STRING] = "String",
        [YORE_GRAPH_LIST] = "List",
        [YORE_GRAPH_MAP] = "Map",
        [YORE_GRAPH_DATE] = "Date",
        [YORE_GRAPH_LOCAL_TIME] = "LocalTime",
        [YORE_GRAPH_TIME] = "Time",
        [YORE_GRAPH_LOCAL_DATETIME] = "LocalDateTime",
        [YORE_GRAPH_DATETIME] = "DateTime",
        [YORE_GRAPH_DURATION] = "Duration",
        [YORE_GRAPH_NODE] = "Node",
        [YORE_GRAPH_RELATIONSHIP] = "Relationship",
        [YORE_GRAPH_PATH] = "Path",
        [YORE_GRAPH_NODE_REF] = "Node",
        [YORE_GRAPH_RELATIONSHIP_REF] = "Relationship",
    };
    return names[kind];
}

/* ---- copies ---- */

static enum yore_status copy_bytes(struct arena *arena, struct yore_bytes from,
                                   struct yore_bytes *copy_out)
{
    void *data = from.size == 0 ? NULL : arena_copy(arena, from.data, from.size);
    if (data == NULL && from.size > 0) {
        return YORE_NOMEM;
    }
    *copy_out = bytes_of(data, from.size);
    return YORE_OK;
}

static enum yore_status copy_items(struct arena *arena, const struct yore_graph_value *from,
                                   size_t count, const struct yore_graph_value **copy_out)
{
    struct yore_graph_value *items = arena_alloc(arena, count * sizeof(*items));
    if (items == NULL) {
        return YORE_NOMEM;
    }
    enum yore_status st = YORE_OK;
    for (size_t i = 0; i < count && st == YORE_OK; i++) {
        st = value_copy(arena, &from[i], &items[i]);
    }
    *copy_out = items;
    return st;
}

static enum yore_status copy_map(struct arena *arena, const struct yore_graph_map *from,
                                 struct yore_graph_map *copy_out)
{
    struct yore_graph_entry *entries = arena_alloc(arena, from->count * sizeof(*entries));
    if (entries == NULL) {
        return YORE_NOMEM;
    }
    enum yore_status st = YORE_OK;
    for (size_t i = 0; i < from->count && st == YORE_OK; i++) {
        st = copy_bytes(arena, from->entries[i].name, &entries[i].name);
        if (st == YORE_OK) {
            st = value_copy(arena, &from->entries[i].value, &entries[i].value);
        }
    }
    *copy_out = (struct yore_graph_map){entries, from->count};
    return st;
}

static enum yore_status copy_node(struct arena *arena, const struct yore_graph_node *from,
                                  const struct yore_graph_node **copy_out)
{
    struct yore_graph_node *node = arena_alloc(arena, sizeof(*node));
    struct yore_bytes *labels = arena_alloc(arena, from->label_count * sizeof(*labels));
    if (node == NULL || labels == NULL) {
        return YORE_NOMEM;
    }
    *node = *from;
    node->labels = labels;
    *copy_out = node;
    enum yore_status st = copy_bytes(arena, from->external_id, &node->external_id);
    for (size_t i = 0; i < from->label_count && st == YORE_OK; i++) {
        st = copy_bytes(arena, from->labels[i], &labels[i]);
    }
    return st != YORE_OK ? st : copy_map(arena, &from->properties, &node->properties);
}

static enum yore_status copy_relationship(struct arena *arena,
                                          const struct yore_graph_relationship *from,
                                          const struct yore_graph_relationship **copy_out)
{
    struct yore_graph_relationship *relationship = arena_alloc(arena, sizeof(*relationship));
    if (relationship == NULL) {
        return YORE_NOMEM;
    }
    *relationship = *from;
    *copy_out = relationship;
    enum yore_status st = copy_bytes(arena, from->external_id, &relationship->external_id);
    if (st == YORE_OK) {
        st = copy_bytes(arena, from->type, &relationship->type);
    }
    return st != YORE_OK ? st : copy_map(arena, &from->properties, &relationship->properties);
}

static enum yore_status copy_path(struct arena *arena, const struct yore_graph_path *from,
                                  const struct yore_graph_path **copy_out)
{
    struct yore_graph_path *path = arena_alloc(arena, sizeof(*path));
    if (path == NULL) {
        return YORE_NOMEM;
    }
    path->length = from->length;
    *copy_out = path;
    enum yore_status st = copy_items(arena, from->nodes, from->length + 1, &path->nodes);
    return st != YORE_OK
               ? st
               : copy_items(arena, from->relationships, from->length, &path->relationships);
}

static enum yore_status copy_datetime(struct arena *arena, const struct yore_graph_datetime *from,
                                      const struct yore_graph_datetime **copy_out)
{
    struct yore_graph_datetime *datetime = arena_alloc(arena, sizeof(*datetime));
    if (datetime == NULL) {
        return YORE_NOMEM;
    }
    *datetime = *from;
    *copy_out = datetime;
    return copy_bytes(arena, from->zone, &datetime->zone);
}

enum yore_status value_copy(struct arena *arena, const struct yore_graph_value *value,
                            struct yore_graph_value *copy_out)
{
    *copy_out = *value;
    switch (value->kind) {
    case YORE_GRAPH_STRING:
        return copy_bytes(arena, value->as.string, &copy_out->as.string);
    case YORE_GRAPH_LIST:
        return copy_items(arena, value->as.list.items, value->as.list.count,
                          &copy_out->as.list.items);
    case YORE_GRAPH_MAP:
        return copy_map(arena, &value->as.map, &copy_out->as.map);
    case YORE_GRAPH_DATETIME:
        return copy_datetime(arena, value->as.datetime, &copy_out->as.datetime);
    case YORE_GRAPH_DURATION: {
        struct yore_graph_duration *duration = arena_alloc(arena, sizeof(*duration));
        if (duration == NULL) {
            return YORE_NOMEM;
        }
        *duration = *value->as.duration;
        copy_out->as.duration = duration;
        return YORE_OK;
    }
    case YORE_GRAPH_NODE:
        return copy_node(arena, value->as.node, &copy_out->as.node);
    case YORE_GRAPH_RELATIONSHIP:
        return copy_relationship(arena, value->as.relationship, &copy_out->as.relationship);
    case YORE_GRAPH_PATH:
        return copy_path(arena, value->as.path, &copy_out->as.path);
    default:
        return YORE_OK;
    }
}

/* ---- sizes and bounds ---- */

static size_t items_size(const struct yore_graph_value *items, size_t count)
{
    size_t size = count * sizeof(*items);
    for (size_t i = 0; i < count; i++) {
        size += value_size(&items[i]);
    }
    return size;
}

static size_t map_size(const struct yore_graph_map *map)
{
    size_t size = map->count * sizeof(*map->entries);
    for (size_t i = 0; i < map->count; i++) {
        size += map->entries[i].name.size + value_size(&map->entries[i].value);
    }
    return size;
}

static size_t node_size(const struct yore_graph_node *node)
{
    size_t size = sizeof(*node) + node->external_id.size + map_size(&node->properties) +
                  node->label_count * sizeof(*node->labels);
    for (size_t i = 0; i < node->label_count; i++) {
        size += node->labels[i].size;
    }
    return size;
}

size_t value_size(const struct yore_graph_value *value)
{
    switch (value->kind) {
    case YORE_GRAPH_STRING:
        return value->as.string.size;
    case YORE_GRAPH_LIST:
        return items_size(value->as.list.items, value->as.list.count);
    case YORE_GRAPH_MAP:
        return map_size(&value->as.map);
    case YORE_GRAPH_DATETIME:
        return sizeof(*value->as.datetime) + value->as.datetime->zone.size;
    case YORE_GRAPH_DURATION:
        return sizeof(*value->as.duration);
    case YORE_GRAPH_NODE:
        return node_size(value->as.node);
    case YORE_GRAPH_RELATIONSHIP:
        return sizeof(*value->as.relationship) + value->as.relationship->external_id.size +
               value->as.relationship->type.size + map_size(&value->as.relationship->properties);
    case YORE_GRAPH_PATH:
        return sizeof(*value->as.path) +
               items_size(value->as.path->nodes, value->as.path->length + 1) +
               items_size(value->as.path->relationships, value->as.path->length);
    default:
        return 0;
    }
}

static bool take_bytes(uint64_t *bytes_left, uint64_t bytes)
{
    if (bytes > *bytes_left) {
        return false;
    }
    *bytes_left -= bytes;
    return true;
}

bool value_fits(const struct yore_graph_value *value, unsigned depth, uint64_t *bytes_left)
{
    bool fits = true;
    if (value->kind == YORE_GRAPH_LIST) {
        const struct yore_graph_list *list = &value->as.list;
        fits = depth > 0 && take_bytes(bytes_left, (uint64_t)list->count * sizeof(*list->items));
        for (size_t i = 0; i < list->count && fits; i++) {
            fits = value_fits(&list->items[i], depth - 1, bytes_left);
        }
        return fits;
    }
    if (value->kind == YORE_GRAPH_MAP) {
        const struct yore_graph_map *map = &value->as.map;
        fits = depth > 0 && take_bytes(bytes_left, (uint64_t)map->count * sizeof(*map->entries));
        for (size_t i = 0; i < map->count && fits; i++) {
            fits = take_bytes(bytes_left, map->entries[i].name.size) &&
                   value_fits(&map->entries[i].value, depth - 1, bytes_left);
        }
        return fits;
    }
    return take_bytes(bytes_left, value_size(value));
}

bool value_is_storable(const struct yore_graph_value *value)
{
    switch (value->kind) {
    case YORE_GRAPH_LIST:
        for (size_t i = 0; i < value->as.list.count; i++) {
            const struct yore_graph_value *item = &value->as.list.items[i];
            if (item->kind == YORE_GRAPH_MAP ||
                (!value_is_null(item) && !value_is_storable(item))) {
                return false;
            }
        }
        return true;
    case YORE_GRAPH_MAP:
        for (size_t i = 0; i < value->as.map.count; i++) {
            const struct yore_graph_value *item = &value->as.map.entries[i].value;
            if (!value_is_null(item) && !value_is_storable(item)) {
                return false;
            }
        }
        return true;
    case YORE_GRAPH_NULL:
        return false;
    default:
        return value->kind <= YORE_GRAPH_DURATION;
    }
}
