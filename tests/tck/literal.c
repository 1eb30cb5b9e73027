#include "tck/literal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "query/value_format.h"
#include "support/test.h"

/* ---- canonical text: parts -------------------------------------------------------------------
 */

static void add(struct buffer *to, const char *text)
{
    buffer_append(to, text, strlen(text));
}

static void add_integer(struct buffer *to, int64_t integer)
{
    char text[32];
    snprintf(text, sizeof(text), "%lld", (long long)integer);
    add(to, text);
}

static void add_float(struct buffer *to, double real)
{
    char text[64];
    /* 0.0 and -0.0 are equal. */
    snprintf(text, sizeof(text), "%.17gf", real == 0 ? 0.0 : isnan(real) ? (double)NAN : real);
    add(to, isnan(real) ? "NaN" : text);
}

static void add_string(struct buffer *to, struct yore_bytes text)
{
    add(to, "'");
    for (size_t i = 0; i < text.size; i++) {
        char c = ((const char *)text.data)[i];
        if (c == '\'' || c == '\\') {
            add(to, "\\");
        }
        buffer_append(to, &c, 1);
    }
    add(to, "'");
}

/* Parts of a list, map or set of labels, to be sorted before they are written. */
struct parts {
    struct buffer *items;
    size_t count;
    size_t capacity;
};

static struct buffer *parts_push(struct parts *parts)
{
    if (parts->count == parts->capacity) {
        parts->capacity = parts->capacity == 0 ? 8 : parts->capacity * 2;
        parts->items = realloc(parts->items, parts->capacity * sizeof(*parts->items));
        if (parts->items == NULL) {
            abort();
        }
    }
    struct buffer *part = &parts->items[parts->count++];
    memset(part, 0, sizeof(*part));
    return part;
}

static int part_order(const void *a, const void *b)
{
    return bytes_compare(buffer_bytes(a), buffer_bytes(b));
}

/* Write the parts with `between`, sorted if asked, and free them. */
static void parts_write(struct parts *parts, struct buffer *to, const char *between, bool sorts)
{
    if (sorts && parts->count > 1) {
        qsort(parts->items, parts->count, sizeof(*parts->items), part_order);
    }
    for (size_t i = 0; i < parts->count; i++) {
        add(to, i == 0 ? "" : between);
        buffer_append_bytes(to, buffer_bytes(&parts->items[i]));
        buffer_release(&parts->items[i]);
    }
    free(parts->items);
    memset(parts, 0, sizeof(*parts));
}

/* ---- what is written -------------------------------------------------------------------------
 */

#define DEPTH_MAX 64

struct reader {
    const char *at;
    const char *end;
    bool lists_unordered;
    unsigned depth;
};

static void skip_blanks(struct reader *r)
{
    while (r->at < r->end && (*r->at == ' ' || *r->at == '\n')) {
        r->at++;
    }
}

static bool accept(struct reader *r, const char *text)
{
    skip_blanks(r);
    size_t size = strlen(text);
    if ((size_t)(r->end - r->at) < size || memcmp(r->at, text, size) != 0) {
        return false;
    }
    r->at += size;
    return true;
}

static bool is_name_octet(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           (c & 0x80) != 0;
}

static struct yore_bytes read_name(struct reader *r)
{
    skip_blanks(r);
    if (r->at < r->end && *r->at == '`') {
        const char *begin = ++r->at;
        while (r->at < r->end && *r->at != '`') {
            r->at++;
        }
        struct yore_bytes name = bytes_of(begin, (size_t)(r->at - begin));
        r->at += r->at < r->end ? 1 : 0;
        return name;
    }
    const char *begin = r->at;
    while (r->at < r->end && is_name_octet(*r->at)) {
        r->at++;
    }
    return bytes_of(begin, (size_t)(r->at - begin));
}

/* In single quotes, with backslash escapes of quote, backslash and newline. */
static bool read_string(struct reader *r, struct buffer *to)
{
    r->at++;
    while (r->at < r->end && *r->at != '\'') {
        bool is_escape = *r->at == '\\' && r->end - r->at > 1;
        r->at += is_escape ? 1 : 0;
        buffer_append(to, is_escape && *r->at == 'n' ? "\n" : r->at, 1);
        r->at++;
    }
    if (r->at == r->end) {
        return false;
    }
    r->at++;
    return true;
}

static bool read_value(struct reader *r, struct buffer *to);

static bool read_string_canonical(struct reader *r, struct buffer *to)
{
    struct buffer text = {0};
    bool is_read = read_string(r, &text);
    add_string(to, buffer_bytes(&text));
    buffer_release(&text);
    return is_read;
}

static bool read_list(struct reader *r, struct buffer *to)
{
    struct parts parts = {0};
    bool is_read = true;
    bool is_end = accept(r, "]");
    while (is_read && !is_end) {
        is_read = read_value(r, parts_push(&parts));
        is_end = accept(r, "]");
        is_read = is_read && (is_end || accept(r, ","));
    }
    add(to, "[");
    parts_write(&parts, to, ", ", r->lists_unordered);
    add(to, "]");
    return is_read;
}

static bool read_entry(struct reader *r, struct buffer *to)
{
    struct yore_bytes name = read_name(r);
    buffer_append_bytes(to, name);
    add(to, ": ");
    return accept(r, ":") && read_value(r, to);
}

/* Behind '{'. */
static bool read_map(struct reader *r, struct buffer *to)
{
    struct parts parts = {0};
    bool is_read = true;
    bool is_end = accept(r, "}");
    while (is_read && !is_end) {
        is_read = read_entry(r, parts_push(&parts));
        is_end = accept(r, "}");
        is_read = is_read && (is_end || accept(r, ","));
    }
    add(to, "{");
    parts_write(&parts, to, ", ", true);
    add(to, "}");
    return is_read;
}

/* Behind the bracket: labels (or the type), properties, `close`. */
static bool read_element(struct reader *r, struct buffer *to, const char *close)
{
    struct parts labels = {0};
    while (accept(r, ":")) {
        buffer_append_bytes(parts_push(&labels), read_name(r));
    }
    add(to, *close == ')' ? "(:" : "[:");
    parts_write(&labels, to, ":", true);
    add(to, " ");
    if (accept(r, "{")) {
        if (!read_map(r, to)) {
            return false;
        }
    } else {
        add(to, "{}");
    }
    add(to, close);
    return accept(r, close);
}

/* Behind '<'. */
static bool read_path(struct reader *r, struct buffer *to)
{
    add(to, "<");
    bool is_read = accept(r, "(") && read_element(r, to, ")");
    while (is_read && !accept(r, ">")) {
        bool is_left = accept(r, "<-[");
        is_read = is_left || accept(r, "-[");
        add(to, is_left ? "<-" : "-");
        is_read = is_read && read_element(r, to, "]") && accept(r, is_left ? "-" : "->");
        add(to, is_left ? "-" : "->");
        is_read = is_read && accept(r, "(") && read_element(r, to, ")");
    }
    add(to, ">");
    return is_read;
}

static bool read_number(struct reader *r, struct buffer *to)
{
    char text[64];
    size_t size = 0;
    bool is_float = false;
    while (r->at < r->end && size + 1 < sizeof(text) && strchr("+-.0123456789eE", *r->at) != NULL) {
        is_float = is_float || strchr(".eE", *r->at) != NULL;
        text[size++] = *r->at++;
    }
    text[size] = '\0';
    if (size == 0) {
        return false;
    }
    if (is_float) {
        add_float(to, strtod(text, NULL));
    } else {
        add_integer(to, strtoll(text, NULL, 10));
    }
    return true;
}

static bool read_brackets(struct reader *r, struct buffer *to)
{
    if (r->depth == DEPTH_MAX) {
        return false;
    }
    r->depth++;
    bool is_relationship = false;
    bool is_read = accept(r, "{")   ? read_map(r, to)
                   : accept(r, "(") ? read_element(r, to, ")")
                   : accept(r, "<") ? read_path(r, to)
                                    : false;
    if (!is_read && accept(r, "[")) {
        skip_blanks(r);
        is_relationship = r->at < r->end && *r->at == ':';
        is_read = is_relationship ? read_element(r, to, "]") : read_list(r, to);
    }
    r->depth--;
    return is_read;
}

static bool read_value(struct reader *r, struct buffer *to)
{
    static const struct {
        const char *word;
        double real;
    } words[] = {{"NaN", NAN}, {"Inf", INFINITY}, {"-Inf", -INFINITY}};
    static const char *const names[] = {"null", "true", "false"};
    skip_blanks(r);
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (accept(r, words[i].word)) {
            add_float(to, words[i].real);
            return true;
        }
    }
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (accept(r, names[i])) {
            add(to, names[i]);
            return true;
        }
    }
    if (r->at == r->end) {
        return false;
    }
    if (*r->at == '\'') {
        return read_string_canonical(r, to);
    }
    return strchr("{([<", *r->at) != NULL ? read_brackets(r, to) : read_number(r, to);
}

bool literal_canonical(struct buffer *to, struct yore_bytes written, bool lists_unordered)
{
    const char *text = written.data;
    struct reader r = {text, text + written.size, lists_unordered, 0};
    bool is_read = read_value(&r, to);
    skip_blanks(&r);
    return is_read && r.at == r.end;
}

/* ---- what came -------------------------------------------------------------------------------
 */

static void add_map(struct buffer *to, const struct yore_graph_map *map, bool lists_unordered)
{
    struct parts parts = {0};
    for (size_t i = 0; i < map->count; i++) {
        struct buffer *part = parts_push(&parts);
        buffer_append_bytes(part, map->entries[i].name);
        add(part, ": ");
        value_canonical(part, &map->entries[i].value, lists_unordered);
    }
    add(to, "{");
    parts_write(&parts, to, ", ", true);
    add(to, "}");
}

static void add_node(struct buffer *to, const struct yore_graph_node *node, bool lists_unordered)
{
    struct parts labels = {0};
    for (size_t i = 0; i < node->label_count; i++) {
        buffer_append_bytes(parts_push(&labels), node->labels[i]);
    }
    add(to, "(:");
    parts_write(&labels, to, ":", true);
    add(to, " ");
    add_map(to, &node->properties, lists_unordered);
    add(to, ")");
}

static void add_relationship(struct buffer *to, const struct yore_graph_relationship *relationship,
                             bool lists_unordered)
{
    add(to, "[:");
    buffer_append_bytes(to, relationship->type);
    add(to, " ");
    add_map(to, &relationship->properties, lists_unordered);
    add(to, "]");
}

static void add_path(struct buffer *to, const struct yore_graph_path *path, bool lists_unordered)
{
    add(to, "<");
    for (size_t i = 0; i <= path->length; i++) {
        const struct yore_graph_node *node = path->nodes[i].as.node;
        add_node(to, node, lists_unordered);
        if (i < path->length) {
            const struct yore_graph_relationship *relationship =
                path->relationships[i].as.relationship;
            bool is_left = relationship->start_id != node->id;
            add(to, is_left ? "<-" : "-");
            add_relationship(to, relationship, lists_unordered);
            add(to, is_left ? "-" : "->");
        }
    }
    add(to, ">");
}

static void add_list(struct buffer *to, const struct yore_graph_list *list, bool lists_unordered)
{
    struct parts parts = {0};
    for (size_t i = 0; i < list->count; i++) {
        value_canonical(parts_push(&parts), &list->items[i], lists_unordered);
    }
    add(to, "[");
    parts_write(&parts, to, ", ", lists_unordered);
    add(to, "]");
}

/* Temporal values are strings in the kit. */
static void add_temporal(struct buffer *to, const struct yore_graph_value *value)
{
    struct buffer text = {0};
    if (value_to_string(&text, value) != YORE_OK) {
        add(&text, "a value of unknown kind");
    }
    add_string(to, buffer_bytes(&text));
    buffer_release(&text);
}

void value_canonical(struct buffer *to, const struct yore_graph_value *value, bool lists_unordered)
{
    switch (value->kind) {
    case YORE_GRAPH_NULL:
        add(to, "null");
        break;
    case YORE_GRAPH_BOOL:
        add(to, value->as.boolean ? "true" : "false");
        break;
    case YORE_GRAPH_INT:
        add_integer(to, value->as.integer);
        break;
    case YORE_GRAPH_FLOAT:
        add_float(to, value->as.real);
        break;
    case YORE_GRAPH_STRING:
        add_string(to, value->as.string);
        break;
    case YORE_GRAPH_LIST:
        add_list(to, &value->as.list, lists_unordered);
        break;
    case YORE_GRAPH_MAP:
        add_map(to, &value->as.map, lists_unordered);
        break;
    case YORE_GRAPH_NODE:
        add_node(to, value->as.node, lists_unordered);
        break;
    case YORE_GRAPH_RELATIONSHIP:
        add_relationship(to, value->as.relationship, lists_unordered);
        break;
    case YORE_GRAPH_PATH:
        add_path(to, value->as.path, lists_unordered);
        break;
    default:
        add_temporal(to, value);
        break;
    }
}

/* ---- values for parameters -------------------------------------------------------------------
 */

static bool make_value(struct reader *r, struct arena *arena, struct yore_graph_value *value);

static bool make_string(struct reader *r, struct arena *arena, struct yore_graph_value *value)
{
    struct buffer text = {0};
    bool is_read = read_string(r, &text);
    value->kind = YORE_GRAPH_STRING;
    value->as.string = bytes_of(
        arena_copy(arena, text.size > 0 ? (const void *)text.data : "", text.size), text.size);
    buffer_release(&text);
    return is_read && value->as.string.data != NULL;
}

#define ITEMS_MAX 64

static bool make_list(struct reader *r, struct arena *arena, struct yore_graph_value *value)
{
    struct yore_graph_value *items = arena_alloc(arena, ITEMS_MAX * sizeof(*items));
    size_t count = 0;
    bool is_end = accept(r, "]");
    while (items != NULL && !is_end) {
        if (count == ITEMS_MAX || !make_value(r, arena, &items[count++])) {
            return false;
        }
        is_end = accept(r, "]");
        if (!is_end && !accept(r, ",")) {
            return false;
        }
    }
    value->kind = YORE_GRAPH_LIST;
    value->as.list = (struct yore_graph_list){items, count};
    return items != NULL;
}

static int entry_order(const void *a, const void *b)
{
    const struct yore_graph_entry *x = a;
    const struct yore_graph_entry *y = b;
    return bytes_compare(x->name, y->name);
}

static bool make_map(struct reader *r, struct arena *arena, struct yore_graph_value *value)
{
    struct yore_graph_entry *entries = arena_alloc(arena, ITEMS_MAX * sizeof(*entries));
    size_t count = 0;
    bool is_end = accept(r, "}");
    while (entries != NULL && !is_end) {
        if (count == ITEMS_MAX) {
            return false;
        }
        entries[count].name = read_name(r);
        if (!accept(r, ":") || !make_value(r, arena, &entries[count++].value)) {
            return false;
        }
        is_end = accept(r, "}");
        if (!is_end && !accept(r, ",")) {
            return false;
        }
    }
    if (entries != NULL && count > 1) {
        qsort(entries, count, sizeof(*entries), entry_order);
    }
    value->kind = YORE_GRAPH_MAP;
    value->as.map = (struct yore_graph_map){entries, count};
    return entries != NULL;
}

static bool make_scalar(struct reader *r, struct yore_graph_value *value)
{
    struct buffer text = {0};
    bool is_read = read_value(r, &text);
    buffer_append_u8(&text, '\0');
    const char *word = (const char *)text.data;
    value->kind = YORE_GRAPH_NULL;
    if (is_read && (strcmp(word, "true") == 0 || strcmp(word, "false") == 0)) {
        value->kind = YORE_GRAPH_BOOL;
        value->as.boolean = *word == 't';
    } else if (is_read && strcmp(word, "null") != 0) {
        bool is_float = strpbrk(word, "fN") != NULL;
        value->kind = is_float ? YORE_GRAPH_FLOAT : YORE_GRAPH_INT;
        if (is_float) {
            value->as.real = strtod(word, NULL);
        } else {
            value->as.integer = strtoll(word, NULL, 10);
        }
    }
    buffer_release(&text);
    return is_read;
}

static bool make_value(struct reader *r, struct arena *arena, struct yore_graph_value *value)
{
    memset(value, 0, sizeof(*value));
    skip_blanks(r);
    if (r->depth == DEPTH_MAX) {
        return false;
    }
    r->depth++;
    bool is_made = false;
    if (r->at < r->end && *r->at == '\'') {
        is_made = make_string(r, arena, value);
    } else if (accept(r, "[")) {
        is_made = make_list(r, arena, value);
    } else if (accept(r, "{")) {
        is_made = make_map(r, arena, value);
    } else {
        is_made = make_scalar(r, value);
    }
    r->depth--;
    return is_made;
}

bool literal_value(struct yore_bytes written, struct arena *arena,
                   struct yore_graph_value *value_out)
{
    const char *text = written.data;
    struct reader r = {text, text + written.size, false, 0};
    return make_value(&r, arena, value_out) && r.at == r.end;
}
