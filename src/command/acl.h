/* acl.h -- users, what they may do, and how they prove who they are.
 *
 * Rules are immutable once published: a change makes new ones and swaps them under acl->lock, and
 * moves `version` on, at which every client looks before a request (acl_refresh).  A user's struct
 * lives as long as a client or the table refers to it.
 *
 * A password is never kept: what is kept is argon2id of the hexadecimal SHA-256 of it, so that a
 * `#sha256` from a rule of elsewhere can be taken in too.  Who was right a moment ago is remembered
 * under a keyed hash, so that only the first login of many costs a password's price.
 */
#ifndef YORE_COMMAND_ACL_H
#define YORE_COMMAND_ACL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/bytes.h"
#include "base/status.h"
#include "command/limits.h"
#include "command/name_map.h"
#include "command/table.h"
#include "os/thread.h"

struct client;
struct command_server;

#define ACL_SECRET_BYTES 128 /* argon2's own text form, with its zero */
#define ACL_SECRET_ID_BYTES 65

struct acl_secret {
    char encoded[ACL_SECRET_BYTES]; /* "$argon2id$v=19$..." */
    char id[ACL_SECRET_ID_BYTES];   /* what GETUSER shows: 64 hexadecimal digits */
};

struct acl_pattern {
    unsigned char *text;
    size_t size;
    uint16_t access; /* enum key_access */
};

struct acl_patterns {
    struct acl_pattern *items;
    size_t count;
    size_t capacity;
};

/* One set of rules that has to allow a command as a whole. */
struct acl_selector {
    bool is_all_keys;
    bool is_all_channels;
    bool is_open; /* +@all was the last of its kind: commands of the future too */
    uint64_t commands[COMMANDS_MAX / 64];
    struct acl_patterns keys;
    struct acl_patterns channels;
    struct buffer text; /* the rules about commands behind +@all or -@all */
};

/* How far back a user may look. */
enum acl_history { ACL_HISTORY_ALL = 0, ACL_HISTORY_NONE = 1, ACL_HISTORY_LAST = 2 };

struct acl_rules {
    _Atomic uint32_t refs;
    bool is_on;
    bool is_nopass;
    bool is_sanitizing; /* sanitize-payload: told, nothing here depends on it */
    enum acl_history history;
    int64_t history_ns;
    struct acl_secret secrets[ACL_PASSWORDS_MAX];
    size_t secret_count;
    struct acl_selector *selectors[ACL_SELECTORS_MAX]; /* 0: the user's own */
    size_t selector_count;
};

struct acl_user {
    _Atomic uint32_t refs;
    char *name; /* in the same block */
    size_t name_size;
    struct acl_rules *rules; /* acl->lock */
    bool is_gone;            /* acl->lock: deleted */
};

enum acl_reason { ACL_OK = 0, ACL_AUTH, ACL_COMMAND, ACL_KEY, ACL_CHANNEL, ACL_PAST };

/* One line of ACL LOG. */
struct acl_log_entry {
    struct acl_log_entry *next; /* older */
    enum acl_reason reason;
    const char *context; /* "toplevel", "multi" */
    char *object;
    char *user;
    char *client;
    uint64_t count;
    uint64_t id;
    int64_t created_ms; /* wall */
    int64_t updated_ms;
};

#define ACL_REMEMBERED 256u

struct acl {
    struct os_mutex lock;
    struct name_map users;
    struct acl_user *default_user; /* never gone */
    struct acl_rules *configured;  /* lock; "default" as requirepass was last set; NULL: never */
    _Atomic uint64_t version;
    _Atomic uint32_t hash_count; /* the most that a user's passwords cost, at least 1 */
    struct os_mutex log_lock;
    struct acl_log_entry *log;
    size_t log_count;
    uint64_t log_next;
    _Atomic int64_t log_max;
    _Atomic bool allows_channels; /* acl-pubsub-default allchannels */
    struct os_mutex memory_lock;
    unsigned char key[32];
    unsigned char remembered[ACL_REMEMBERED][32]; /* memory_lock; by their first octets */
};

/* The table with the user "default", on, without a password, who may do everything. */
enum yore_status acl_init(struct command_server *server, struct yore_error *error_out);
void acl_release(struct acl *acl);

/* ---- rules (acl_rules.c) ---- */

enum yore_status acl_rules_new(bool allows_channels, struct acl_rules **rules_out);
enum yore_status acl_rules_copy(const struct acl_rules *rules, struct acl_rules **copy_out);
void acl_rules_unref(struct acl_rules *rules); /* NULL is ignored */
/* Apply one rule ("on", "+get", "~a*", ">secret", "(+@read ~b*)", ...).  Errors: YORE_INVALID with
 * a reason; then the rules are as they were.  Hashing a password takes tens of milliseconds. */
enum yore_status acl_rules_apply(struct command_server *server, struct acl_rules *rules,
                                 struct yore_bytes rule, struct yore_error *error_out);
/* Put together arguments that a parenthesised selector was split into.  False: not closed. */
bool acl_join_selector(const struct yore_bytes *args, size_t count, size_t *used_out,
                       struct buffer *joined);
/* Appends "user NAME on ... ": a line of the aclfile with hashes, or of ACL LIST with their ids. */
void acl_describe(const struct acl_user *user, const struct acl_rules *rules, bool with_secrets,
                  struct buffer *out);
void acl_describe_commands(const struct acl_selector *selector, struct buffer *out);
void acl_describe_keys(const struct acl_selector *selector, struct buffer *out);
void acl_describe_channels(const struct acl_selector *selector, struct buffer *out);

bool acl_allows_channels(struct command_server *server);

/* ---- users (acl_users.c) ---- */

/* acl->lock is taken inside. */
struct acl_user *acl_user_get(struct acl *acl, struct yore_bytes name); /* referenced, or NULL */
void acl_user_ref(struct acl_user *user);
void acl_user_unref(struct acl_user *user);
struct acl_rules *acl_user_rules(struct acl *acl, struct acl_user *user); /* referenced */
enum yore_status acl_user_change(struct command_server *server, struct yore_bytes name,
                                 const struct yore_bytes *rules, size_t count,
                                 struct yore_error *error_out);
/* As a change of "default", and its passwords are what acl_load() begins with from now on. */
enum yore_status acl_configure_default(struct command_server *server,
                                       const struct yore_bytes *rules, size_t count,
                                       struct yore_error *error_out);
/* False: there is none.  Its clients are closed. */
bool acl_user_delete(struct command_server *server, struct yore_bytes name);
/* Names in order; each referenced; the array is freed with mem_free(). */
enum yore_status acl_users_list(struct acl *acl, struct acl_user ***users_out, size_t *count_out);
enum yore_status acl_load(struct command_server *server, struct yore_error *error_out);
enum yore_status acl_save(struct command_server *server, struct yore_error *error_out);

/* ---- passwords (acl_secret.c) ---- */

/* As one more of `rules`: with the salt of those they have, so that one hash says of all of them
 * whether a password fits.  NULL: they have none. */
enum yore_status acl_secret_make(struct command_server *server, const struct acl_rules *rules,
                                 struct yore_bytes password, struct acl_secret *secret_out,
                                 struct yore_error *error_out);
/* From 64 hexadecimal digits of a SHA-256. */
enum yore_status acl_secret_from_digest(struct command_server *server,
                                        const struct acl_rules *rules, struct yore_bytes digest,
                                        struct acl_secret *secret_out,
                                        struct yore_error *error_out);
/* How many hashes a password costs that fits none of them: one, but where some have salts of their
 * own, as those of older files. */
size_t acl_rules_hash_count(const struct acl_rules *rules);
/* From argon2's text form. */
enum yore_status acl_secret_decode(struct yore_bytes encoded, struct acl_secret *secret_out,
                                   struct yore_error *error_out);
bool acl_secret_fits(const struct acl_secret *secret, struct yore_bytes password);
bool acl_secret_fits_digest(const struct acl_secret *secret, struct yore_bytes digest);
/* Is it a password of `user`, and which?  Without one where any would do.  Costs the same for users
 * that do not exist, or are off.  `if_remembered`: only where it was right lately, or any would do;
 * costs nothing. */
bool acl_check_password(struct command_server *server, struct yore_bytes user,
                        struct yore_bytes password, bool if_remembered, struct acl_user **user_out,
                        char id_out[ACL_SECRET_ID_BYTES]);
/* Would who logged in with the password `id` (empty: with none, or any) be let in by `rules`? */
bool acl_rules_admit(const struct acl_rules *rules, const char *id);

/* ---- permissions (acl_check.c) ---- */

/* Bring the client's rules up to date; false: its user is gone or off. */
void acl_refresh(struct client *client);
struct acl_denial {
    enum acl_reason reason;
    struct yore_bytes object; /* the key or channel, or the command's name */
};
/* May the client run this? */
bool acl_allows(struct client *client, const struct command *command, const struct yore_bytes *args,
                size_t count, struct acl_denial *denial_out);
bool acl_rules_allow(const struct acl_rules *rules, const struct command *command,
                     const struct yore_bytes *args, size_t count, struct acl_denial *denial_out);
/* May it read the graph `name`, or write to it? */
bool acl_allows_graph(struct client *client, struct yore_bytes name, bool writes,
                      struct acl_denial *denial_out);
/* May it look at `moment`? */
bool acl_allows_moment(const struct client *client, int64_t moment, int64_t now);
bool acl_rules_allow_moment(const struct acl_rules *rules, int64_t moment, int64_t now);
/* May `command`, which finds keys that its arguments do not name, use this one?  Only selectors
 * that have the command count: what another grants is granted to other commands. */
bool acl_rules_allow_key(const struct acl_rules *rules, const struct command *command,
                         struct yore_bytes key, uint16_t access);
/* And every key there is: all keys, or the pattern `*`. */
bool acl_rules_allow_every_key(const struct acl_rules *rules, const struct command *command,
                               uint16_t access);
bool acl_rules_allow_channel(const struct acl_rules *rules, struct yore_bytes channel,
                             bool is_pattern);
void acl_note_denial(struct client *client, const struct acl_denial *denial, const char *context,
                     struct yore_bytes user);
void acl_log_trim(struct acl *acl, size_t length);

#endif
