/* log.h -- what happened, a line each: logfmt or JSON.  Never a value, a password or a request.
 *
 *     time=2026-11-29T08:00:00.123Z level=info msg="listening" address=127.0.0.1:6379
 *     {"time":"2026-11-29T08:00:00.123Z","level":"info","msg":"listening","address":"[::1]:6379"}
 *
 * Text from outside is quoted and escaped; a line is one write.  Any thread.
 */
#ifndef YORE_SERVER_LOG_H
#define YORE_SERVER_LOG_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

struct os_env;
struct log;

enum log_level { LOG_DEBUG = 0, LOG_INFO = 1, LOG_WARN = 2, LOG_ERROR = 3 };
enum log_format { LOG_LOGFMT = 0, LOG_JSON = 1 };

struct log_field {
    const char *name;  /* [a-z_]+ */
    const char *value; /* any text */
};

/* `path` NULL or "": standard error.  Else appended to, made with nobody else's permission to read.
 * Errors: YORE_IO (the text names the file), YORE_NOMEM. */
enum yore_status log_open(struct os_env *env, const char *path, struct log **log_out,
                          struct yore_error *error_out);
void log_close(struct log *log);
/* Close the file and open it again by its name: after it was moved away. */
enum yore_status log_reopen(struct log *log, struct yore_error *error_out);
/* Let every line from now on end in `chain=H`, H being the SHA-256 of the line's text before that
 * behind the H of the line before, 64 zeros at the begin of a file: who changes, adds or takes out
 * a line has to change all behind it (log_chain.h).  The first line says behind which H of this
 * file or, after log_reopen(), of the one before it begins.  Errors: YORE_IO, YORE_NOMEM. */
enum yore_status log_chain(struct log *log, struct yore_error *error_out);
void log_set(struct log *log, enum log_level least, enum log_format format);
bool log_takes(struct log *log, enum log_level level);

/* `count` at most LOG_FIELDS_MAX. */
void log_fields(struct log *log, enum log_level level, const char *message,
                const struct log_field *fields, size_t count);
void log_text(struct log *log, enum log_level level, const char *message);

#endif
