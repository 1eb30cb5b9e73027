/* Functions of lists, and of values of any kind. */
#include "query/function_internal.h"

#include "base/utf8.h"

#define RANGE_STEPS_SHARE 8 /* items of a range for one step of the budget */

enum yore_status function_size(struct eval *eval, const struct expr *call,
                               const struct yore_graph_value *arguments, size_t count,
                               struct yore_graph_value *value_out)
{
    (void)count;
    if (arguments[0].kind == YORE_GRAPH_LIST) {
        *value_out = value_int((int64_t)arguments[0].as.list.count);
        return YORE_OK;
    }
    if (arguments[0].kind == YORE_GRAPH_STRING) {
        *value_out = value_int((int64_t)utf8_count(arguments[0].as.string));
        return YORE_OK;
    }
    return function_refuse(eval, call, "a List or String", &arguments[0]);
}

enum yore_status function_head(struct eval *eval, const struct expr *call,
                               const struct yore_graph_value *arguments, size_t count,
                               struct yore_graph_value *value_out)
{
    (void)count;
    if (arguments[0].kind != YORE_GRAPH_LIST) {
        return function_refuse(eval, call, "a List", &arguments[0]);
    }
    const struct yore_graph_list *list = &arguments[0].as.list;
    *value_out = list->count == 0 ? value_null() : list->items[0];
    return YORE_OK;
}

enum yore_status function_last(struct eval *eval, const struct expr *call,
                               const struct yore_graph_value *arguments, size_t count,
                               struct yore_graph_value *value_out)
{
    (void)count;
    if (arguments[0].kind != YORE_GRAPH_LIST) {
        return function_refuse(eval, call, "a List", &arguments[0]);
    }
    const struct yore_graph_list *list = &arguments[0].as.list;
    *value_out = list->count == 0 ? value_null() : list->items[list->count - 1];
    return YORE_OK;
}

enum yore_status function_tail(struct eval *eval, const struct expr *call,
                               const struct yore_graph_value *arguments, size_t count,
                               struct yore_graph_value *value_out)
{
    (void)count;
    if (arguments[0].kind != YORE_GRAPH_LIST) {
        return function_refuse(eval, call, "a List", &arguments[0]);
    }
    const struct yore_graph_list *list = &arguments[0].as.list;
    *value_out =
        list->count <= 1 ? value_list(NULL, 0) : value_list(list->items + 1, list->count - 1);
    return YORE_OK;
}

/* How many there are from `first` to `last` by `step`; what does not fit is no size of a list. */
static uint64_t range_count(int64_t first, int64_t last, int64_t step)
{
    bool is_empty = step > 0 ? first > last : first < last;
    if (is_empty) {
        return 0;
    }
    uint64_t distance =
        step > 0 ? (uint64_t)last - (uint64_t)first : (uint64_t)first - (uint64_t)last;
    uint64_t stride = step > 0 ? (uint64_t)step : 0 - (uint64_t)step;
    uint64_t count = distance / stride;
    return count == UINT64_MAX ? count : count + 1;
}

enum yore_status function_range_numbers(struct eval *eval, const struct expr *call,
                                        const struct yore_graph_value *arguments, size_t count,
                                        struct number_range *range_out)
{
    int64_t numbers[3] = {0, 0, 1};
    for (size_t i = 0; i < count; i++) {
        enum yore_status st = function_integer(eval, call, &arguments[i], &numbers[i]);
        if (st != YORE_OK) {
            return st;
        }
    }
    if (numbers[2] == 0) {
        return eval_fail(eval, call->spot, "ArgumentError", "NumberOutOfRange",
                         "the step of range() cannot be zero");
    }
    *range_out = (struct number_range){numbers[0], numbers[2],
                                       range_count(numbers[0], numbers[1], numbers[2])};
    return YORE_OK;
}

enum yore_status function_range(struct eval *eval, const struct expr *call,
                                const struct yore_graph_value *arguments, size_t count,
                                struct yore_graph_value *value_out)
{
    struct number_range range;
    void *room = NULL;
    enum yore_status st = function_range_numbers(eval, call, arguments, count, &range);
    if (st == YORE_OK) {
        st = eval_alloc(eval, range.count > SIZE_MAX ? SIZE_MAX : (size_t)range.count,
                        sizeof(struct yore_graph_value), &room);
    }
    if (st == YORE_OK) {
        st = eval_step(eval, range.count / RANGE_STEPS_SHARE);
    }
    if (st != YORE_OK) {
        return st;
    }
    struct yore_graph_value *items = room;
    for (uint64_t i = 0; i < range.count; i++) {
        items[i] = value_int(number_range_at(&range, i));
    }
    *value_out = value_list(items, (size_t)range.count);
    return YORE_OK;
}

/* A string by characters, or a list. */
enum yore_status function_reverse(struct eval *eval, const struct expr *call,
                                  const struct yore_graph_value *arguments, size_t count,
                                  struct yore_graph_value *value_out)
{
    (void)count;
    void *room = NULL;
    if (arguments[0].kind == YORE_GRAPH_LIST) {
        const struct yore_graph_list *list = &arguments[0].as.list;
        enum yore_status st = eval_alloc(eval, list->count, sizeof(*list->items), &room);
        struct yore_graph_value *items = room;
        for (size_t i = 0; st == YORE_OK && i < list->count; i++) {
            items[i] = list->items[list->count - 1 - i];
        }
        *value_out = value_list(items, list->count);
        return st;
    }
    if (arguments[0].kind != YORE_GRAPH_STRING) {
        return function_refuse(eval, call, "a List or String", &arguments[0]);
    }
    struct yore_bytes text = arguments[0].as.string;
    enum yore_status st = eval_alloc(eval, text.size, 1, &room);
    if (st != YORE_OK) {
        return st;
    }
    const unsigned char *from = text.data;
    unsigned char *to = (unsigned char *)room + text.size;
    for (size_t at = 0; at < text.size;) {
        size_t size = utf8_size(from + at, from + text.size);
        size = size == 0 ? 1 : size;
        to -= size;
        for (size_t i = 0; i < size; i++) {
            to[i] = from[at + i];
        }
        at += size;
    }
    *value_out = value_string(bytes_of(room, text.size));
    return YORE_OK;
}

enum yore_status function_is_empty(struct eval *eval, const struct expr *call,
                                   const struct yore_graph_value *arguments, size_t count,
                                   struct yore_graph_value *value_out)
{
    (void)count;
    switch (arguments[0].kind) {
    case YORE_GRAPH_LIST:
        *value_out = value_bool(arguments[0].as.list.count == 0);
        return YORE_OK;
    case YORE_GRAPH_MAP:
        *value_out = value_bool(arguments[0].as.map.count == 0);
        return YORE_OK;
    case YORE_GRAPH_STRING:
        *value_out = value_bool(arguments[0].as.string.size == 0);
        return YORE_OK;
    default:
        return function_refuse(eval, call, "a List, Map or String", &arguments[0]);
    }
}

enum yore_status function_exists(struct eval *eval, const struct expr *call,
                                 const struct yore_graph_value *arguments, size_t count,
                                 struct yore_graph_value *value_out)
{
    (void)eval;
    (void)call;
    (void)count;
    *value_out = value_bool(!value_is_null(&arguments[0]));
    return YORE_OK;
}

enum yore_status function_null_if(struct eval *eval, const struct expr *call,
                                  const struct yore_graph_value *arguments, size_t count,
                                  struct yore_graph_value *value_out)
{
    (void)eval;
    (void)call;
    (void)count;
    *value_out =
        value_equal(&arguments[0], &arguments[1]) == TERNARY_TRUE ? value_null() : arguments[0];
    return YORE_OK;
}

enum yore_status function_value_type(struct eval *eval, const struct expr *call,
                                     const struct yore_graph_value *arguments, size_t count,
                                     struct yore_graph_value *value_out)
{
    (void)call;
    (void)count;
    const char *name = value_kind_name(arguments[0].kind);
    size_t size = 0;
    while (name[size] != '\0') {
        size++;
    }
    return eval_string(eval, bytes_of(name, size), value_out);
}
