/* remote.h -- the database behind a server: store.h's other back end.
 *
 * A connection is used by one command, or one walk, at a time.  Walks within walks have one each;
 * those not in use are kept for the next.  One that was lost meanwhile is replaced. */
#ifndef YORE_CLI_REMOTE_H
#define YORE_CLI_REMOTE_H

#include <yore/client.h>

#include "cli/store.h"
#include "client/url.h"
#include "topology/whole_check.h"

struct remote;

/* All borrowed until remote_open() returns; NULL: none. */
struct remote_options {
    const char *url;
    const char *password; /* where the URL names none */
    const char *ca;       /* files of TLS, PEM */
    const char *cert;
    const char *cert_key;
};

enum yore_status remote_open(const struct remote_options *options, struct remote **remote_out,
                             struct yore_error *error_out);
void remote_close(struct remote *remote);

/* The words of a command.  Bytes are borrowed; moments and numbers live inside. */
#define REMOTE_WORDS_MAX 24u
#define REMOTE_TEXTS_MAX 8u
struct remote_words {
    struct yore_bytes items[REMOTE_WORDS_MAX];
    size_t count;
    char texts[REMOTE_TEXTS_MAX][32];
    size_t text_count;
};
void remote_word(struct remote_words *words, const char *text);
void remote_bytes(struct remote_words *words, const char *name, struct yore_bytes bytes);
void remote_number(struct remote_words *words, const char *name, uint64_t number);
/* `name` may be NULL: the moment alone. */
void remote_moment(struct remote_words *words, const char *name, int64_t moment);
/* AT and KNOWN, as far as they are not now; NULL: neither. */
void remote_at(struct remote_words *words, const struct yore_time *at);

/* Run a command; the reply is borrowed until the next one.  An error reply is the status it stands
 * for, and its text. */
enum yore_status remote_run(struct remote *remote, const struct yore_bytes *words, size_t count,
                            const struct yore_client_reply **reply_out,
                            struct yore_error *error_out);
enum yore_status remote_call(struct remote *remote, const struct remote_words *words,
                             const struct yore_client_reply **reply_out,
                             struct yore_error *error_out);
/* "the server sent something else than ..." */
enum yore_status remote_strange(struct yore_error *error_out);

/* A reply whose items are told one at a time; the connection is the caller's until it is given
 * back. */
enum yore_status remote_rows(struct remote *remote, const struct remote_words *words,
                             struct yore_client **client_out, struct yore_error *error_out);
void remote_give_back(struct remote *remote, struct yore_client *client);

/* ---- reading values ---- */

/* A moment as text; null is `otherwise`.  False: it is none. */
bool remote_take_moment(const struct yore_client_value *value, int64_t otherwise,
                        int64_t *moment_out);
/* The value of `name` in the map at `map`, or NULL. */
const struct yore_client_value *remote_member(const struct yore_client_reply *reply, size_t map,
                                              const char *name);
bool remote_is_text(const struct yore_client_value *value, const char *text);

/* ---- what store.h asks (remote_store.c, remote_walk.c, remote_batch.c) ---- */

enum yore_status remote_now(struct remote *remote, int64_t *now_out, struct yore_error *error_out);
enum yore_status remote_keyspace_find(struct remote *remote, const char *name,
                                      const struct yore_time *at,
                                      struct yore_keyspace_info *info_out,
                                      struct yore_error *error_out);
/* `order` is CREATE or ALTER. */
enum yore_status remote_keyspace_change(struct remote *remote, const char *order, const char *name,
                                        const struct yore_keyspace_options *options,
                                        struct yore_error *error_out);
enum yore_status remote_keyspace_drop(struct remote *remote, const char *name,
                                      struct yore_error *error_out);
enum yore_status remote_keyspace_list(struct remote *remote, const struct yore_time *at,
                                      int (*each)(void *arg, const struct yore_keyspace_info *info),
                                      void *arg, struct yore_error *error_out);
enum yore_status remote_keyspace_usage(struct remote *remote, const char *name,
                                       struct yore_keyspace_usage *usage_out,
                                       struct yore_error *error_out);
enum yore_status remote_trim(struct remote *remote, const char *name, int64_t horizon,
                             struct yore_error *error_out);
/* `keyspace` NULL: "default". */
enum yore_status remote_get(struct remote *remote, const char *keyspace, struct yore_bytes key,
                            const struct yore_time *at, struct store_value *value_out,
                            struct yore_error *error_out);
/* A delete where `value` is NULL. */
enum yore_status remote_write(struct remote *remote, const char *keyspace, struct yore_bytes key,
                              const struct yore_bytes *value, const struct yore_write *write,
                              struct yore_error *error_out);
enum yore_status remote_erase(struct remote *remote, const char *keyspace,
                              const struct yore_erase *erase, struct yore_error *error_out);
enum yore_status remote_compact(struct remote *remote, const char *keyspace,
                                struct yore_error *error_out);
enum yore_status remote_stats(struct remote *remote,
                              void (*each)(void *arg, const struct yore_stat *stat), void *arg,
                              struct yore_error *error_out);

/* YORE.CHECK: the findings, then what was verified; of graphs as well.  YORE_CORRUPT: there are
 * findings. */
enum yore_status remote_check(struct remote *remote, void (*problem)(void *arg, const char *line),
                              void *arg, struct whole_check *check_out,
                              struct yore_error *error_out);
/* YORE.BACKUP, below the server's own directory of backups. */
enum yore_status remote_backup(struct remote *remote, const char *name,
                               struct yore_backup_info *info_out, struct yore_error *error_out);
/* YORE.BACKUPS: those of a name, or all (NULL); a non-zero return stops. */
enum yore_status remote_backups(struct remote *remote, const char *name,
                                int (*each)(void *arg, struct yore_bytes name,
                                            const struct yore_backup_info *info),
                                void *arg, struct yore_error *error_out);

struct remote_walk;
enum yore_status remote_rows_open(struct remote *remote, const char *keyspace,
                                  const struct store_rows *options, struct remote_walk **walk_out,
                                  struct yore_error *error_out);
enum yore_status remote_timeline_open(struct remote *remote, const char *keyspace,
                                      const struct store_timeline *options,
                                      struct remote_walk **walk_out, struct yore_error *error_out);
enum yore_status remote_changes_open(struct remote *remote, const char *keyspace,
                                     const struct yore_changes_options *options, uint64_t limit,
                                     struct remote_walk **walk_out, struct yore_error *error_out);
enum yore_status remote_feed_open(struct remote *remote, int64_t after_commit, uint64_t limit,
                                  struct remote_walk **walk_out, struct yore_error *error_out);
enum yore_status remote_rows_next(struct remote_walk *walk, struct yore_row *row_out,
                                  struct yore_error *error_out);
enum yore_status remote_timeline_next(struct remote_walk *walk, struct yore_version *version_out,
                                      struct yore_error *error_out);
enum yore_status remote_changes_next(struct remote_walk *walk, struct yore_change *change_out,
                                     struct yore_error *error_out);
enum yore_status remote_feed_open_kept(struct remote *remote, const char *keyspace,
                                       struct remote_walk **walk_out, struct yore_error *error_out);
enum yore_status remote_feed_next(struct remote_walk *walk, struct yore_feed_commit *commit_out,
                                  struct yore_error *error_out);
void remote_walk_close(struct remote_walk *walk);

struct remote_batch;
enum yore_status remote_batch_new(struct remote *remote, struct remote_batch **batch_out,
                                  struct yore_error *error_out);
/* A delete where `value` is NULL. */
enum yore_status remote_batch_add(struct remote_batch *batch, const char *keyspace,
                                  struct yore_bytes key, const struct yore_bytes *value,
                                  const struct yore_write *write, struct yore_error *error_out);
size_t remote_batch_count(const struct remote_batch *batch);
enum yore_status remote_batch_commit(struct remote_batch *batch, struct yore_error *error_out);
void remote_batch_free(struct remote_batch *batch);

#endif
