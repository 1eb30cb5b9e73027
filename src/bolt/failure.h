/* failure.h -- what went wrong, in the words of Neo4j's status codes, by which drivers decide what
 * to do: only Neo.TransientError.* is tried again.
 *
 *     YORE_CONFLICT             Neo.TransientError.Transaction.Outdated
 *     YORE_BUSY                 Neo.TransientError.General.DatabaseUnavailable
 *     YORE_READ_ONLY            Neo.ClientError.Statement.AccessMode
 *     YORE_TOO_BIG (time)       Neo.ClientError.Transaction.TransactionTimedOut
 *     YORE_TOO_BIG (others)     Neo.ClientError.General.TransactionOutOfMemoryError
 *     YORE_CANCELLED            Neo.ClientError.Transaction.Terminated
 *     YORE_EXISTS               Neo.ClientError.Schema.ConstraintValidationFailed
 *     the language's own        Neo.ClientError.Statement.SyntaxError, .TypeError, ...
 *     of disk and memory        Neo.DatabaseError.General.UnknownError,
 * Neo.TransientError.General....
 *
 * A write that is refused is AccessMode and not ForbiddenOnReadOnlyDatabase: routing drivers take
 * that one for a change of leaders, and try again for half a minute. */
#ifndef YORE_BOLT_FAILURE_H
#define YORE_BOLT_FAILURE_H

#include "query/query.h"

#define FAILURE_REQUEST "Neo.ClientError.Request.Invalid"
#define FAILURE_NO_GRAPH "Neo.ClientError.Database.DatabaseNotFound"
#define FAILURE_FORBIDDEN "Neo.ClientError.Security.Forbidden"
#define FAILURE_UNAUTHORIZED "Neo.ClientError.Security.Unauthorized"
#define FAILURE_LOGIN_RATE "Neo.ClientError.Security.AuthenticationRateLimit"
#define FAILURE_BOOKMARK "Neo.ClientError.Transaction.InvalidBookmark"
#define FAILURE_TIMED_OUT "Neo.ClientError.Transaction.TransactionTimedOut"
#define FAILURE_TERMINATED "Neo.ClientError.Transaction.Terminated"
#define FAILURE_NOMEM "Neo.TransientError.General.OutOfMemoryError"

/* The code of an error of query.h. */
const char *failure_code(const struct query_error *error);

#endif
