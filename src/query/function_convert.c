/* toInteger() and its family: a value of another kind, null where a string does not say one, an
 * error (or, ...OrNull, null) where the kind cannot. */

#include "query/function_internal.h"
#include "query/number.h"
#include "query/text.h"
#include "query/value_format.h"

/* YORE_NOT_FOUND: values of this kind cannot be converted. */
typedef enum yore_status conversion(struct eval *eval, const struct yore_graph_value *value,
                                    struct yore_graph_value *value_out);

static struct yore_graph_value integer_of_real(double real)
{
    bool fits = real > -9223372036854775809.0 && real < 9223372036854775808.0;
    return fits ? value_int((int64_t)real) : value_null();
}

static enum yore_status to_integer(struct eval *eval, const struct yore_graph_value *value,
                                   struct yore_graph_value *value_out)
{
    (void)eval;
    switch (value->kind) {
    case YORE_GRAPH_INT:
        *value_out = *value;
        return YORE_OK;
    case YORE_GRAPH_FLOAT:
        *value_out = integer_of_real(value->as.real);
        return YORE_OK;
    case YORE_GRAPH_STRING: {
        struct yore_bytes text = text_trim(value->as.string, true, true);
        int64_t integer = 0;
        double real = 0;
        *value_out = value_null();
        if (integer_read(text, &integer)) {
            *value_out = value_int(integer);
        } else if (float_read(text, &real)) {
            *value_out = integer_of_real(real);
        }
        return YORE_OK;
    }
    default:
        return YORE_NOT_FOUND;
    }
}

static enum yore_status to_float(struct eval *eval, const struct yore_graph_value *value,
                                 struct yore_graph_value *value_out)
{
    (void)eval;
    double real = 0;
    switch (value->kind) {
    case YORE_GRAPH_INT:
        *value_out = value_float((double)value->as.integer);
        return YORE_OK;
    case YORE_GRAPH_FLOAT:
        *value_out = *value;
        return YORE_OK;
    case YORE_GRAPH_STRING:
        *value_out = float_read(text_trim(value->as.string, true, true), &real) ? value_float(real)
                                                                                : value_null();
        return YORE_OK;
    default:
        return YORE_NOT_FOUND;
    }
}

static bool is_word(struct yore_bytes text, const char *word, size_t size)
{
    const char *at = text.data;
    if (text.size != size) {
        return false;
    }
    for (size_t i = 0; i < size; i++) {
        if ((at[i] | 0x20) != word[i]) {
            return false;
        }
    }
    return true;
}

static enum yore_status to_boolean(struct eval *eval, const struct yore_graph_value *value,
                                   struct yore_graph_value *value_out)
{
    (void)eval;
    switch (value->kind) {
    case YORE_GRAPH_BOOL:
        *value_out = *value;
        return YORE_OK;
    case YORE_GRAPH_INT:
        *value_out = value_bool(value->as.integer != 0);
        return YORE_OK;
    case YORE_GRAPH_STRING: {
        struct yore_bytes text = text_trim(value->as.string, true, true);
        *value_out = is_word(text, "true", 4)    ? value_bool(true)
                     : is_word(text, "false", 5) ? value_bool(false)
                                                 : value_null();
        return YORE_OK;
    }
    default:
        return YORE_NOT_FOUND;
    }
}

static enum yore_status to_string(struct eval *eval, const struct yore_graph_value *value,
                                  struct yore_graph_value *value_out)
{
    if (value->kind == YORE_GRAPH_STRING) {
        *value_out = *value;
        return YORE_OK;
    }
    struct buffer text = {0};
    enum yore_status st = value_to_string(&text, value);
    if (st == YORE_OK) {
        st = eval_string(eval, buffer_bytes(&text), value_out);
    } else if (st == YORE_INVALID) {
        st = YORE_NOT_FOUND;
    } else {
        st = eval_nomem(eval);
    }
    buffer_release(&text);
    return st;
}

/* ---- the three faces of each ---- */

static enum yore_status strictly(struct eval *eval, const struct expr *call, conversion *convert,
                                 const char *takes, const struct yore_graph_value *argument,
                                 struct yore_graph_value *value_out)
{
    enum yore_status st = convert(eval, argument, value_out);
    return st == YORE_NOT_FOUND ? function_refuse(eval, call, takes, argument) : st;
}

static enum yore_status or_null(struct eval *eval, conversion *convert,
                                const struct yore_graph_value *argument,
                                struct yore_graph_value *value_out)
{
    enum yore_status st = convert(eval, argument, value_out);
    if (st == YORE_NOT_FOUND) {
        *value_out = value_null();
        return YORE_OK;
    }
    return st;
}

static enum yore_status each(struct eval *eval, const struct expr *call, conversion *convert,
                             const struct yore_graph_value *argument,
                             struct yore_graph_value *value_out)
{
    if (argument->kind != YORE_GRAPH_LIST) {
        return function_refuse(eval, call, "a List", argument);
    }
    size_t count = argument->as.list.count;
    void *room = NULL;
    enum yore_status st = eval_alloc(eval, count, sizeof(*argument), &room);
    struct yore_graph_value *items = room;
    for (size_t i = 0; i < count && st == YORE_OK; i++) {
        st = or_null(eval, convert, &argument->as.list.items[i], &items[i]);
    }
    *value_out = value_list(items, count);
    return st;
}

enum yore_status function_to_integer(struct eval *eval, const struct expr *call,
                                     const struct yore_graph_value *arguments, size_t count,
                                     struct yore_graph_value *value_out)
{
    (void)count;
    return strictly(eval, call, to_integer, "a number or String", arguments, value_out);
}

enum yore_status function_to_integer_or_null(struct eval *eval, const struct expr *call,
                                             const struct yore_graph_value *arguments, size_t count,
                                             struct yore_graph_value *value_out)
{
    (void)call;
    (void)count;
    return or_null(eval, to_integer, arguments, value_out);
}

enum yore_status function_to_integer_list(struct eval *eval, const struct expr *call,
                                          const struct yore_graph_value *arguments, size_t count,
                                          struct yore_graph_value *value_out)
{
    (void)count;
    return each(eval, call, to_integer, arguments, value_out);
}

enum yore_status function_to_float(struct eval *eval, const struct expr *call,
                                   const struct yore_graph_value *arguments, size_t count,
                                   struct yore_graph_value *value_out)
{
    (void)count;
    return strictly(eval, call, to_float, "a number or String", arguments, value_out);
}

enum yore_status function_to_float_or_null(struct eval *eval, const struct expr *call,
                                           const struct yore_graph_value *arguments, size_t count,
                                           struct yore_graph_value *value_out)
{
    (void)call;
    (void)count;
    return or_null(eval, to_float, arguments, value_out);
}

enum yore_status function_to_float_list(struct eval *eval, const struct expr *call,
                                        const struct yore_graph_value *arguments, size_t count,
                                        struct yore_graph_value *value_out)
{
    (void)count;
    return each(eval, call, to_float, arguments, value_out);
}

enum yore_status function_to_boolean(struct eval *eval, const struct expr *call,
                                     const struct yore_graph_value *arguments, size_t count,
                                     struct yore_graph_value *value_out)
{
    (void)count;
    return strictly(eval, call, to_boolean, "a Boolean, Integer or String", arguments, value_out);
}

enum yore_status function_to_boolean_or_null(struct eval *eval, const struct expr *call,
                                             const struct yore_graph_value *arguments, size_t count,
                                             struct yore_graph_value *value_out)
{
    (void)call;
    (void)count;
    return or_null(eval, to_boolean, arguments, value_out);
}

enum yore_status function_to_boolean_list(struct eval *eval, const struct expr *call,
                                          const struct yore_graph_value *arguments, size_t count,
                                          struct yore_graph_value *value_out)
{
    (void)count;
    return each(eval, call, to_boolean, arguments, value_out);
}

enum yore_status function_to_string(struct eval *eval, const struct expr *call,
                                    const struct yore_graph_value *arguments, size_t count,
                                    struct yore_graph_value *value_out)
{
    (void)count;
    return strictly(eval, call, to_string, "a Boolean, a number, a String or a temporal value",
                    arguments, value_out);
}

enum yore_status function_to_string_or_null(struct eval *eval, const struct expr *call,
                                            const struct yore_graph_value *arguments, size_t count,
                                            struct yore_graph_value *value_out)
{
    (void)call;
    (void)count;
    return or_null(eval, to_string, arguments, value_out);
}

enum yore_status function_to_string_list(struct eval *eval, const struct expr *call,
                                         const struct yore_graph_value *arguments, size_t count,
                                         struct yore_graph_value *value_out)
{
    (void)count;
    return each(eval, call, to_string, arguments, value_out);
}
