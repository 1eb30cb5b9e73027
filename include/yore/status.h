/* status.h -- the one list of outcomes of every Yore function.
 *
 * YORE_STATUS_LIST(X) is the single source: X(NAME, number, message).  Numbers are fixed for ever:
 * they appear in bindings, on the wire and as exit codes.  Absence (YORE_NOT_FOUND) is a result,
 * not a fault.
 */
#ifndef YORE_STATUS_H
#define YORE_STATUS_H

#ifdef __cplusplus
extern "C" {
#endif

#define YORE_STATUS_LIST(X)                                                                        \
    X(OK, 0, "ok")                                                                                 \
    X(NOT_FOUND, 1, "not found")                                                                   \
    X(ERASED, 2, "erased on request; the value is gone for good")                                  \
    X(INVALID, 3, "invalid argument")                                                              \
    X(TOO_BIG, 4, "over a named limit")                                                            \
    X(NOMEM, 5, "out of memory")                                                                   \
    X(IO, 6, "input/output error")                                                                 \
    X(NO_SPACE, 7, "no space left on the device")                                                  \
    X(CORRUPT, 8, "damaged data")                                                                  \
    X(BAD_FORMAT, 9, "unknown format version")                                                     \
    X(LOCKED, 10, "in use by another process")                                                     \
    X(EXISTS, 11, "already exists")                                                                \
    X(CONFLICT, 12, "conflicts with a later commit; retry the transaction")                        \
    X(BEFORE_HORIZON, 13, "earlier than the oldest moment kept")                                   \
    X(IN_FUTURE, 14, "later than now")                                                             \
    X(READ_ONLY, 15, "writes are refused here")                                                    \
    X(BUSY, 16, "busy; try again")                                                                 \
    X(CANCELLED, 17, "cancelled")                                                                  \
    X(UNSUPPORTED, 18, "not supported here")                                                       \
    X(NO_FILES, 19, "too many open files")

enum yore_status {
#define YORE_STATUS_ENUM(name, number, message) YORE_##name = number,
    YORE_STATUS_LIST(YORE_STATUS_ENUM)
#undef YORE_STATUS_ENUM
};

/* One bound for the text of an error, its closing zero included; a longer one loses its middle. */
#define YORE_ERROR_TEXT_BYTES 512

/* Filled by the function that first knows the cause: what failed, where (file, offset), how to mend
 * it. `text` is empty after YORE_OK.  Belongs to the caller; any thread, one at a time. */
struct yore_error {
    enum yore_status status;
    char text[YORE_ERROR_TEXT_BYTES];
};

#ifdef __cplusplus
}
#endif
#endif
