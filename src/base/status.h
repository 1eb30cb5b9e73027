/* status.h -- returning errors: the status travels as the result, the cause as text, written once.
 *
 * The function that first knows the cause calls error_set(); everybody above passes the status on
 * unchanged.
 */
#ifndef YORE_BASE_STATUS_H
#define YORE_BASE_STATUS_H

#include <yore/yore.h>

/* A local variable that is written before it is read, and too large to be cleared each time by
 * -ftrivial-auto-var-init. */
#define YORE_UNCLEARED __attribute__((uninitialized))

/* Fill `error_out` (may be NULL) with printf-style text and return `status`. */
__attribute__((format(printf, 3, 4))) enum yore_status error_set(struct yore_error *error_out,
                                                                 enum yore_status status,
                                                                 const char *format, ...);

/* Status with its own sentence as text. */
enum yore_status error_plain(struct yore_error *error_out, enum yore_status status);

/* YORE_INVALID: NULL was given to `function` for one of `names`. */
enum yore_status error_null(struct yore_error *error_out, const char *function, const char *names);

/* Make `error_out` (may be NULL) an empty YORE_OK. */
void error_clear(struct yore_error *error_out);
/* The same for a YORE_UNCLEARED one. */
static inline void error_init(struct yore_error *error)
{
    error->status = YORE_OK;
    error->text[0] = '\0';
}

/* The end of a step of a walk that was given `failure` for its error: a failure is kept there, to
 * be repeated by every later step, and copied to `error_out` (may be NULL).  Returns `status`. */
enum yore_status error_keep(struct yore_error *failure, enum yore_status status,
                            struct yore_error *error_out);

/* Was it want of memory or of file handles?  Then nothing is damaged, and the same may succeed
 * later. */
static inline bool status_is_want(enum yore_status status)
{
    return status == YORE_NOMEM || status == YORE_NO_FILES;
}

/* A key shown in an error or a log: printable ASCII as is, other octets as \xNN, at most 48 octets
 * of it, then "...".  Writes a terminated string and returns `text`. */
#define KEY_TEXT_BYTES 208
char *key_text(struct yore_bytes key, char text[KEY_TEXT_BYTES]);

#endif
