#include "query/json_values.h"

#include <string.h>

#include "query/value.h"

bool json_values_nomem(struct json_values *v)
{
    v->is_nomem = true;
    return json_fail(&v->json, "out of memory");
}

bool json_values_take(struct json_values *v, struct yore_bytes *text_out)
{
    text_out->size = v->text.size;
    text_out->data = arena_copy(v->arena, v->text.data, v->text.size);
    return (!v->text.is_nomem && text_out->data != NULL) || json_values_nomem(v);
}

bool json_values_room(struct json_values *v, void *items_at, size_t count, size_t size)
{
    void *items;
    memcpy(&items, items_at, sizeof(items));
    if ((count & (count - 1)) != 0) {
        return true;
    }
    void *grown = arena_alloc(v->arena, (count == 0 ? 1 : count * 2) * size);
    if (grown == NULL) {
        return json_values_nomem(v);
    }
    if (count > 0) {
        memcpy(grown, items, count * size);
    }
    memcpy(items_at, &grown, sizeof(grown));
    return true;
}

bool json_values_list(struct json_values *v,
                      bool (*read)(struct json_values *v, struct yore_graph_value *value_out),
                      struct yore_graph_value *list_out)
{
    struct yore_graph_value *items = NULL;
    size_t count = 0;
    bool has_item = false;
    if (!json_array_begin(&v->json)) {
        return false;
    }
    while (json_array_item(&v->json, &has_item) && has_item) {
        if (!json_values_room(v, &items, count, sizeof(*items)) || !read(v, &items[count])) {
            return false;
        }
        count++;
    }
    *list_out = value_list(items, count);
    return v->json.problem == NULL;
}

bool json_values_entries(struct json_values *v,
                         bool (*read)(struct json_values *v, struct yore_graph_entry *entry),
                         struct yore_graph_entry **entries_out, size_t *count_out)
{
    struct yore_graph_entry *entries = NULL;
    size_t count = 0;
    bool has_member = false;
    if (!json_object_begin(&v->json)) {
        return false;
    }
    for (;;) {
        buffer_clear(&v->text);
        if (!json_object_member(&v->json, &v->text, &has_member) || !has_member) {
            break;
        }
        if (!json_values_room(v, &entries, count, sizeof(*entries)) ||
            !json_values_take(v, &entries[count].name) || !read(v, &entries[count])) {
            return false;
        }
        count++;
    }
    *entries_out = entries;
    *count_out = count;
    return v->json.problem == NULL;
}
