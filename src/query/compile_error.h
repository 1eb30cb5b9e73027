/* compile_error.h -- errors found before anything runs, shorthands over error.h. */
#ifndef YORE_QUERY_COMPILE_ERROR_H
#define YORE_QUERY_COMPILE_ERROR_H

#include "base/bytes.h"
#include "base/status.h"
#include "query/ast.h"
#include "query/query.h"

/* Where: in which statement, which part of it. */
struct query_place {
    struct yore_bytes text;
    struct ast_spot spot;
};

/* A SyntaxError with the kit's `detail`, a constant.  Returns YORE_INVALID. */
__attribute__((format(printf, 4, 5))) enum yore_status compile_error(
    struct query_error *error_out, const struct query_place *place, const char *detail,
    const char *format, ...);
/* A status of its own and no type: a named limit, something unsupported.  Returns `status`. */
__attribute__((format(printf, 4, 5))) enum yore_status compile_refuse(
    struct query_error *error_out, const struct query_place *place, enum yore_status status,
    const char *format, ...);
/* Returns YORE_NOMEM. */
enum yore_status compile_nomem(struct query_error *error_out);

#endif
