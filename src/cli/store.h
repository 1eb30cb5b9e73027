/* store.h -- the database a command works with: in a directory of this machine, or behind a server.
 *
 * Commands are written once, on this: what they print is the same for both.  In a directory every
 * function is yore.h's of the same name.  Behind a server each is a command of RESP
 * (docs/protocol.md); moments are the server's, a lost connection is made anew before the next
 * command, and never within one, as a write may have happened.
 *
 * Statuses and error texts are those of yore.h; besides YORE_IO (the connection),
 * YORE_READ_ONLY (the server refuses the user) and YORE_UNSUPPORTED (it is not for servers, and the
 * text says what is).  Thread: one.
 */
#ifndef YORE_CLI_STORE_H
#define YORE_CLI_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <yore/yore.h>

#include "base/bytes.h"
#include "base/status.h"

struct remote;
struct store;
struct store_batch;
struct store_keyspace; /* NULL: "default"; lives as long as the store */
struct store_walk;

/* ---- opening ---- */

/* Takes `db` on success.  Errors: YORE_NOMEM. */
enum yore_status store_of_db(struct yore_db *db, struct store **store_out,
                             struct yore_error *error_out);
/* Takes `remote` on success.  With `is_read_only` what writes is YORE_READ_ONLY. */
enum yore_status store_of_remote(struct remote *remote, bool is_read_only, struct store **store_out,
                                 struct yore_error *error_out);
/* NULL is ignored. */
enum yore_status store_close(struct store *store, struct yore_error *error_out);
/* Free the store, leave its database open to whoever has it.  NULL is ignored. */
void store_leave(struct store *store);
/* The database in a directory; NULL: it is behind a server, which `store_remote` tells. */
struct yore_db *store_db(const struct store *store);
struct remote *store_remote(const struct store *store);

/* The database's now; behind a server the one of the first call since store_begin_command(). */
int64_t store_now(struct store *store);
void store_begin_command(struct store *store);
/* The database's now, asked for: every commit up to it keeps its time, whatever others write.
 * Errors: behind a server what a command has. */
enum yore_status store_ask_now(struct store *store, int64_t *now_out, struct yore_error *error_out);

/* ---- keyspaces ---- */

enum yore_status store_keyspace_open(struct store *store, const char *name,
                                     const struct yore_time *at,
                                     struct store_keyspace **keyspace_out,
                                     struct yore_error *error_out);
enum yore_status store_keyspace_create(struct store *store, const char *name,
                                       const struct yore_keyspace_options *options,
                                       struct store_keyspace **keyspace_out,
                                       struct yore_error *error_out);
enum yore_status store_keyspace_drop(struct store *store, const char *name,
                                     struct yore_error *error_out);
enum yore_status store_keyspace_alter(struct store *store, struct store_keyspace *keyspace,
                                      const struct yore_keyspace_options *options,
                                      struct yore_error *error_out);
enum yore_status store_keyspace_info(struct store *store, struct store_keyspace *keyspace,
                                     struct yore_keyspace_info *info_out,
                                     struct yore_error *error_out);
enum yore_status store_keyspace_list(struct store *store, const struct yore_time *at,
                                     int (*each)(void *arg, const struct yore_keyspace_info *info),
                                     void *arg, struct yore_error *error_out);
enum yore_status store_keyspace_usage(struct store *store, struct store_keyspace *keyspace,
                                      struct yore_keyspace_usage *usage_out,
                                      struct yore_error *error_out);
enum yore_status store_trim(struct store *store, struct store_keyspace *keyspace, int64_t horizon,
                            struct yore_error *error_out);

/* ---- one key ---- */

struct store_value {
    struct yore_value value;
    void *owned; /* behind a server: its octets */
};

enum yore_status store_get(struct store *store, struct store_keyspace *keyspace,
                           struct yore_bytes key, const struct yore_time *at,
                           struct store_value *value_out, struct yore_error *error_out);
void store_value_release(struct store_value *value);

enum yore_status store_put(struct store *store, struct store_keyspace *keyspace,
                           struct yore_bytes key, struct yore_bytes value,
                           const struct yore_write *write, struct yore_error *error_out);
enum yore_status store_delete(struct store *store, struct store_keyspace *keyspace,
                              struct yore_bytes key, const struct yore_write *write,
                              struct yore_error *error_out);
enum yore_status store_erase(struct store *store, struct store_keyspace *keyspace,
                             const struct yore_erase *erase, struct yore_error *error_out);

/* ---- walks: open one, ask for what is next until YORE_NOT_FOUND, close it ----
 * `limit` is how many the caller will ask for at most (of a feed: commits).  What is told is
 * borrowed until the next call. */

struct store_rows {
    struct yore_range range;
    const struct yore_time *at; /* NULL: now */
    bool keys_only;
    bool no_cache_fill;
    bool is_reverse;
    uint64_t limit;
};

enum yore_status store_rows_open(struct store *store, struct store_keyspace *keyspace,
                                 const struct store_rows *options, struct store_walk **walk_out,
                                 struct yore_error *error_out);
enum yore_status store_rows_next(struct store_walk *walk, struct yore_row *row_out,
                                 struct yore_error *error_out);

struct store_timeline {
    struct yore_bytes key;
    struct yore_timeline_options options;
    uint64_t limit;
};

enum yore_status store_timeline_open(struct store *store, struct store_keyspace *keyspace,
                                     const struct store_timeline *options,
                                     struct store_walk **walk_out, struct yore_error *error_out);
enum yore_status store_timeline_next(struct store_walk *walk, struct yore_version *version_out,
                                     struct yore_error *error_out);

enum yore_status store_changes_open(struct store *store, struct store_keyspace *keyspace,
                                    const struct yore_changes_options *options, uint64_t limit,
                                    struct store_walk **walk_out, struct yore_error *error_out);
enum yore_status store_changes_next(struct store_walk *walk, struct yore_change *change_out,
                                    struct yore_error *error_out);

enum yore_status store_feed_open(struct store *store, int64_t after_commit, uint64_t limit,
                                 struct store_walk **walk_out, struct yore_error *error_out);
/* yore_feed_open_kept(); behind a server `range` is not looked at: more may be told. */
enum yore_status store_feed_open_kept(struct store *store, struct store_keyspace *keyspace,
                                      const struct yore_range *range, struct store_walk **walk_out,
                                      struct yore_error *error_out);
enum yore_status store_feed_next(struct store_walk *walk, struct yore_feed_commit *commit_out,
                                 struct yore_error *error_out);

void store_walk_close(struct store_walk *walk); /* NULL is ignored */

/* ---- many writes, one commit ---- */

enum yore_status store_batch_new(struct store *store, struct store_batch **batch_out,
                                 struct yore_error *error_out);
enum yore_status store_batch_put(struct store_batch *batch, struct store_keyspace *keyspace,
                                 struct yore_bytes key, struct yore_bytes value,
                                 const struct yore_write *write, struct yore_error *error_out);
enum yore_status store_batch_delete(struct store_batch *batch, struct store_keyspace *keyspace,
                                    struct yore_bytes key, const struct yore_write *write,
                                    struct yore_error *error_out);
size_t store_batch_count(const struct store_batch *batch);
enum yore_status store_batch_commit(struct store_batch *batch, enum yore_durability durability,
                                    struct yore_error *error_out);
void store_batch_free(struct store_batch *batch); /* NULL is ignored */

/* ---- upkeep ---- */

/* Make durable what was written; behind a server it is, as its setting `durability` says. */
enum yore_status store_flush(struct store *store, struct yore_error *error_out);
enum yore_status store_compact(struct store *store, struct store_keyspace *keyspace,
                               struct yore_error *error_out);
enum yore_status store_stats(struct store *store,
                             void (*each)(void *arg, const struct yore_stat *stat), void *arg,
                             struct yore_error *error_out);

#endif
