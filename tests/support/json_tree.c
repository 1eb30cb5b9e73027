#include "support/json_tree.h"

#include <string.h>

#include "base/buffer.h"
#include "base/json.h"

#define DEPTH_MAX 32

struct tree_reader {
    struct arena *arena;
    struct json_reader json;
    struct buffer text;
    unsigned depth;
};

static bool read_value(struct tree_reader *t, struct json_tree *value);

static bool keep_text(struct tree_reader *t, struct yore_bytes *text_out)
{
    const void *copy =
        arena_copy(t->arena, t->text.size > 0 ? (const void *)t->text.data : "", t->text.size);
    *text_out = bytes_of(copy, t->text.size);
    return copy != NULL && !t->text.is_nomem;
}

/* Room for one more value (and name) behind `count`. */
static bool grow(struct tree_reader *t, struct json_tree *tree, bool has_names)
{
    if ((tree->count & (tree->count - 1)) != 0) {
        return true;
    }
    size_t capacity = tree->count == 0 ? 1 : tree->count * 2;
    struct json_tree *items = arena_alloc(t->arena, capacity * sizeof(*items));
    struct yore_bytes *names = arena_alloc(t->arena, capacity * sizeof(*names));
    if (items == NULL || names == NULL) {
        return false;
    }
    if (tree->count > 0) {
        memcpy(items, tree->items, tree->count * sizeof(*items));
    }
    if (tree->count > 0 && has_names) {
        memcpy(names, tree->names, tree->count * sizeof(*names));
    }
    tree->items = items;
    tree->names = names;
    return true;
}

static bool read_object(struct tree_reader *t, struct json_tree *value)
{
    if (!json_object_begin(&t->json)) {
        return false;
    }
    while (true) {
        bool has_member = false;
        buffer_clear(&t->text);
        if (!json_object_member(&t->json, &t->text, &has_member)) {
            return false;
        }
        if (!has_member) {
            return true;
        }
        if (!grow(t, value, true) || !keep_text(t, &value->names[value->count]) ||
            !read_value(t, &value->items[value->count])) {
            return false;
        }
        value->count++;
        t->json.is_first = false; /* a nested object had a first member of its own */
    }
}

static void skip_blanks(struct json_reader *r)
{
    while (r->at < r->end && *r->at <= ' ') {
        r->at++;
    }
}

/* The reader of the program has no walk over arrays; brackets and commas are stepped over here. */
static bool read_array(struct tree_reader *t, struct json_tree *value)
{
    t->json.at++;
    skip_blanks(&t->json);
    while (t->json.at < t->json.end && *t->json.at != ']') {
        if (!grow(t, value, false) || !read_value(t, &value->items[value->count])) {
            return false;
        }
        value->count++;
        skip_blanks(&t->json);
        if (t->json.at < t->json.end && *t->json.at == ',') {
            t->json.at++;
            skip_blanks(&t->json);
        }
    }
    if (t->json.at == t->json.end) {
        return false;
    }
    t->json.at++;
    return true;
}

static bool read_scalar(struct tree_reader *t, struct json_tree *value)
{
    buffer_clear(&t->text);
    bool is_read = value->kind == TREE_STRING ? json_string(&t->json, &t->text)
                                              : json_copy(&t->json, &t->text);
    if (!is_read || !keep_text(t, &value->text)) {
        return false;
    }
    value->boolean = value->kind == TREE_BOOL && value->text.size == strlen("true");
    return true;
}

static bool read_value(struct tree_reader *t, struct json_tree *value)
{
    static const enum json_tree_kind kinds[] = {
        [JSON_STRING] = TREE_STRING, [JSON_NUMBER] = TREE_NUMBER, [JSON_TRUE] = TREE_BOOL,
        [JSON_FALSE] = TREE_BOOL,    [JSON_NULL] = TREE_NULL,     [JSON_ARRAY] = TREE_ARRAY,
        [JSON_OBJECT] = TREE_OBJECT,
    };
    enum json_kind kind;
    memset(value, 0, sizeof(*value));
    if (t->depth == DEPTH_MAX || !json_peek(&t->json, &kind)) {
        return false;
    }
    value->kind = kinds[kind];
    t->depth++;
    bool is_read = value->kind == TREE_OBJECT  ? read_object(t, value)
                   : value->kind == TREE_ARRAY ? read_array(t, value)
                                               : read_scalar(t, value);
    t->depth--;
    return is_read;
}

const struct json_tree *json_tree_parse(struct yore_bytes text, struct arena *arena)
{
    struct tree_reader t = {.arena = arena};
    json_reader_init(&t.json, text);
    struct json_tree *tree = arena_alloc(arena, sizeof(*tree));
    bool is_read = tree != NULL && read_value(&t, tree) && json_end(&t.json);
    buffer_release(&t.text);
    return is_read ? tree : NULL;
}

const struct json_tree *json_tree_member(const struct json_tree *object, const char *name)
{
    for (size_t i = 0; object != NULL && object->kind == TREE_OBJECT && i < object->count; i++) {
        if (bytes_equal(object->names[i], bytes_of(name, strlen(name)))) {
            return &object->items[i];
        }
    }
    return NULL;
}

struct yore_bytes json_tree_text(const struct json_tree *object, const char *name)
{
    const struct json_tree *member = json_tree_member(object, name);
    return member != NULL && member->kind == TREE_STRING ? member->text : bytes_of("", 0);
}
