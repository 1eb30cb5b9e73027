/* error.h -- making a query_error: the class, the sentence, and the line with the spot underlined.
 */
#ifndef YORE_QUERY_ERROR_H
#define YORE_QUERY_ERROR_H

#include <stdarg.h>
#include <stdbool.h>

#include "base/bytes.h"
#include "base/status.h"
#include "query/ast.h"
#include "query/query.h"

struct query_error_class {
    const char *type;
    const char *detail;
    bool is_compile_time;
};

/* Fill `error_out` (may be NULL): the sentence, then the line of `text` in which `spot` begins with
 * a row of ^ beneath it (long lines are cut around the spot).  Returns YORE_INVALID. */
__attribute__((format(printf, 5, 6))) enum yore_status query_error_set(
    struct query_error *error_out, struct yore_bytes text, struct ast_spot spot,
    struct query_error_class error_class, const char *format, ...);
__attribute__((format(printf, 5, 0))) enum yore_status query_error_set_list(
    struct query_error *error_out, struct yore_bytes text, struct ast_spot spot,
    struct query_error_class error_class, const char *format, va_list arguments);

#endif
