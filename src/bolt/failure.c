#include "bolt/failure.h"

#include <string.h>

static const char *of_type(const char *type)
{
    static const struct {
        const char *type;
        const char *code;
    } codes[] = {
        {"SyntaxError", "Neo.ClientError.Statement.SyntaxError"},
        {"TypeError", "Neo.ClientError.Statement.TypeError"},
        {"SemanticError", "Neo.ClientError.Statement.SemanticError"},
        {"ArithmeticError", "Neo.ClientError.Statement.ArithmeticError"},
        {"ParameterMissing", "Neo.ClientError.Statement.ParameterMissing"},
        {"SecurityError", FAILURE_FORBIDDEN},
        {"EntityNotFound", "Neo.ClientError.Statement.EntityNotFound"},
        {"ConstraintValidationFailed", "Neo.ClientError.Schema.ConstraintValidationFailed"},
        {"ConstraintVerificationFailed", "Neo.ClientError.Schema.ConstraintValidationFailed"},
        {"ProcedureNotFound", "Neo.ClientError.Procedure.ProcedureNotFound"},
        {"ProcedureError", "Neo.ClientError.Procedure.ProcedureCallFailed"},
        {"DatabaseError", "Neo.DatabaseError.Statement.ExecutionFailed"},
    };
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        if (strcmp(codes[i].type, type) == 0) {
            return codes[i].code;
        }
    }
    return "Neo.ClientError.Statement.ArgumentError";
}

const char *failure_code(const struct query_error *error)
{
    switch (error->error.status) {
    case YORE_CONFLICT:
        return "Neo.TransientError.Transaction.Outdated";
    case YORE_BUSY:
        return "Neo.TransientError.General.DatabaseUnavailable";
    case YORE_READ_ONLY:
        return "Neo.ClientError.Statement.AccessMode";
    case YORE_CANCELLED:
        return FAILURE_TERMINATED;
    case YORE_NOMEM:
        return FAILURE_NOMEM;
    case YORE_EXISTS:
        return "Neo.ClientError.Schema.ConstraintValidationFailed";
    case YORE_TOO_BIG:
        return error->detail != NULL && strcmp(error->detail, "time") == 0
                   ? FAILURE_TIMED_OUT
                   : "Neo.ClientError.General.TransactionOutOfMemoryError";
    case YORE_UNSUPPORTED:
        return "Neo.ClientError.Statement.TypeError";
    case YORE_INVALID:
    case YORE_NOT_FOUND:
    case YORE_BEFORE_HORIZON:
    case YORE_IN_FUTURE:
    case YORE_ERASED:
        return of_type(error->type != NULL ? error->type : "");
    default:
        return "Neo.DatabaseError.General.UnknownError";
    }
}
