/* feed.h -- commits in their order: what yore_feed and yore_watch share.
 *
 * A feed tells what was committed up to its limit.  Its owner may move the limit on, as a watch
 * does, and go on where the feed ended.
 */
#ifndef YORE_ENGINE_FEED_H
#define YORE_ENGINE_FEED_H

#include <stdatomic.h>

#include "base/buffer.h"
#include "engine/db_internal.h"

/* The writes that are told. */
struct feed_scope {
    const struct yore_keyspace *keyspace; /* NULL: every one */
    struct buffer low;                    /* both empty: every key */
    struct buffer high;
};
/* Copies the range.  Errors: YORE_INVALID, YORE_TOO_BIG. */
enum yore_status feed_scope_init(struct feed_scope *scope, const struct yore_keyspace *keyspace,
                                 const struct yore_range *range, struct yore_error *error_out);
void feed_scope_release(struct feed_scope *scope);
bool feed_scope_is_all(const struct feed_scope *scope);
/* Keys of the catalogue are not the user's: a range does not reach there. */
bool feed_scope_has_keyspace(const struct feed_scope *scope, uint32_t keyspace);
struct source_range feed_scope_range(const struct feed_scope *scope);
bool feed_scope_has_key(const struct feed_scope *scope, struct yore_bytes key);

struct feed_options {
    struct feed_scope scope; /* taken, whatever the outcome */
    int64_t after;
    int64_t limit;
    /* The feed may be asked seldom and for long: it keeps no journal segment between two calls, and
     * goes back to the tables when one was dropped. */
    bool is_following;
    /* Every version of scope.keyspace as a commit of its own; `after` and `limit` are not looked
     * at. */
    bool is_kept;
    const atomic_bool *is_cancelled; /* looked at while nothing is found to tell; may be NULL */
};
/* May commits after `after` be asked for?  `what` is the subject, as in "feed".  Errors:
 * YORE_INVALID (INT64_MIN), YORE_IN_FUTURE (after now). */
enum yore_status feed_check_after(struct yore_db *db, int64_t after, const char *what,
                                  struct yore_error *error_out);
/* Errors: YORE_BEFORE_HORIZON as yore_feed_open(); kept: YORE_NOT_FOUND (the keyspace was dropped).
 */
enum yore_status feed_open(struct yore_db *db, struct feed_options *options,
                           struct yore_feed **feed_out, struct yore_error *error_out);
/* Every commit up to `limit` is visible by now.  An earlier limit changes nothing. */
void feed_extend(struct yore_feed *feed, int64_t limit);
/* Every commit up to here was told, or has no write in the scope. */
int64_t feed_position(const struct yore_feed *feed);

#endif
