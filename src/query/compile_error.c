#include "query/compile_error.h"

#include <stdarg.h>

#include "query/error.h"

enum yore_status compile_error(struct query_error *error_out, const struct query_place *place,
                               const char *detail, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    query_error_set_list(error_out, place->text, place->spot,
                         (struct query_error_class){"SyntaxError", detail, true}, format,
                         arguments);
    va_end(arguments);
    return YORE_INVALID;
}

enum yore_status compile_refuse(struct query_error *error_out, const struct query_place *place,
                                enum yore_status status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    query_error_set_list(error_out, place->text, place->spot,
                         (struct query_error_class){NULL, NULL, true}, format, arguments);
    va_end(arguments);
    if (error_out != NULL) {
        error_out->error.status = status;
    }
    return status;
}

enum yore_status compile_nomem(struct query_error *error_out)
{
    if (error_out == NULL) {
        return YORE_NOMEM;
    }
    *error_out = (struct query_error){.is_compile_time = true};
    return error_plain(&error_out->error, YORE_NOMEM);
}
