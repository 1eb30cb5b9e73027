/* secret.h -- arguments that are told nobody: passwords, and what rules say of them.
 *
 * Whoever tells of requests (SLOWLOG, MONITOR) asks here, so that one list decides.  It is that of
 * Redis 7.0: user and password of AUTH and HELLO AUTH, names and rules of ACL SETUSER and DELUSER,
 * the name of ACL GETUSER, the values of secret settings; and the value of a setting there is not,
 * which may be a secret one misspelt, and what commands are told of such requests (ACL DRYRUN,
 * COMMAND GETKEYS).
 */
#ifndef YORE_COMMAND_SECRET_H
#define YORE_COMMAND_SECRET_H

#include <stddef.h>

#include "base/bytes.h"

struct call;

/* args[index] as it may be told: itself, or "(redacted)"; borrowed from the call.  May take the
 * lock of settings. */
struct yore_bytes secret_told(const struct call *call, size_t index);

#endif
