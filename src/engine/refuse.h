/* refuse.h -- errors that several calls give; moments are told as people write them, with how to
 * mend the call. */
#ifndef YORE_ENGINE_REFUSE_H
#define YORE_ENGINE_REFUSE_H

#include "base/moment.h"
#include "engine/db_internal.h"

/* As moment_format(), but the earliest moment in words.  Returns `text`. */
const char *moment_told(int64_t moment, char text[MOMENT_TEXT_BYTES]);

/* YORE_BEFORE_HORIZON: `what` is the subject, as in "the moment".  `horizon` is that which was
 * compared. */
enum yore_status refuse_before_horizon(const struct yore_keyspace *keyspace, const char *what,
                                       int64_t moment, int64_t horizon,
                                       struct yore_error *error_out);
/* YORE_INVALID: the path of `what`, as in "database", is empty. */
enum yore_status refuse_empty_path(const char *what, struct yore_error *error_out);
/* YORE_NOT_FOUND: a write to a keyspace that was dropped, or a read as of then or later. */
enum yore_status refuse_dropped(const struct yore_keyspace *keyspace, struct yore_error *error_out);
/* YORE_IN_FUTURE: a fact or span reaches beyond db_latest_begin(). */
enum yore_status refuse_ahead(struct yore_db *db, const char *what, int64_t moment,
                              struct yore_error *error_out);
/* YORE_IN_FUTURE: a read names a known time after now. */
enum yore_status refuse_known(int64_t known, int64_t now, struct yore_error *error_out);
/* YORE_INVALID: `what`, the end of something, must be `how` ("later than") its begin. */
enum yore_status refuse_end(const char *what, const char *how, int64_t from, int64_t to,
                            struct yore_error *error_out);

#endif
