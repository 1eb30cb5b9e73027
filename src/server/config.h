/* config.h -- the settings of the server: one table; flags over environment over file over
 * defaults.
 *
 * A file has a setting a line: `name value`, words quoted as in Redis' configuration; `#` begins a
 * comment.  A flag is `--name value` or `--name=value`; the environment has YORE_NAME, with _ for
 * -. Names and meanings are Redis' where Redis has the thing.  What belongs to the command layer
 * (its own settings, `user` lines) is kept as it is written, and handed on when that layer is
 * there.
 */
#ifndef YORE_SERVER_CONFIG_H
#define YORE_SERVER_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/bytes.h"
#include "base/status.h"

#define CONFIG_PORT_ANY 65536u /* the system chooses */

enum config_durability { CONFIG_SYNC, CONFIG_INTERVAL, CONFIG_NONE };
enum config_tls_clients { CONFIG_TLS_NO, CONFIG_TLS_YES, CONFIG_TLS_OPTIONAL };

enum config_origin { CONFIG_DEFAULT, CONFIG_FILE, CONFIG_ENVIRONMENT, CONFIG_FLAG, CONFIG_RUNNING };

/* What the fields mean is said in config_table.c. */
struct config {
    /* texts; owned, never NULL */
    char *bind;
    char *http_bind;
    char *unixsocket;
    char *dir;
    char *logfile;
    char *audit_log;
    char *aclfile;
    char *backup_dir;
    char *pidfile;
    char *tls_cert_file;
    char *tls_key_file;
    char *tls_ca_cert_file;
    char *http_hosts;
    char *bolt_graph;
    /* counts and sizes */
    uint64_t port;
    uint64_t http_port;
    uint64_t bolt_port;
    uint64_t tls_port;
    uint64_t unixsocketperm; /* written in octal */
    uint64_t io_threads;
    uint64_t workers;
    uint64_t long_workers;
    uint64_t login_workers;
    uint64_t maxclients;
    uint64_t client_buffers;
    uint64_t http_body_max;
    uint64_t databases;
    uint64_t cache;
    uint64_t memtable;
    /* durations, ns */
    int64_t timeout;
    int64_t login_timeout;
    int64_t output_timeout;
    int64_t drain_timeout;
    int64_t sync_interval;
    int64_t bolt_keep_alive;
    int64_t bolt_transaction_timeout;
    int64_t graph_settle_interval;
    /* choices and switches */
    unsigned durability;
    unsigned loglevel;
    unsigned log_format;
    unsigned tls_auth_clients;
    bool http_tls;
    bool bolt_tls;
    bool http_compat_writes;
    bool insecure;
    bool enable_debug_command;

    /* which came from where; config_table order */
    enum config_origin *origins;
    char *file; /* the configuration file that was read, or NULL */
    struct config_extra *extras;
    size_t extra_count;
    size_t extra_capacity;
    const char *(*foreign)(size_t index); /* names that another layer knows; or NULL */
};

/* A line of the command layer. */
struct config_extra {
    char *name;
    struct yore_bytes *words; /* into `text` */
    size_t word_count;
    char *text;
    char *where; /* "yore.conf:7", "--requirepass" */
};

/* Every setting at its default.  `foreign` names what belongs to another layer, by index, NULL past
 * the last; it may be NULL itself.  Errors: YORE_NOMEM. */
enum yore_status config_init(struct config *config, const char *(*foreign)(size_t index),
                             struct yore_error *error_out);
void config_release(struct config *config);

/* Errors: YORE_INVALID (file, line and what is wrong; the nearest name of an unknown one),
 * YORE_NOT_FOUND, YORE_IO, YORE_TOO_BIG. */
enum yore_status config_read_file(struct config *config, const char *path,
                                  struct yore_error *error_out);
/* The same of what such a file holds; `path` is for errors.  A last line may lack its end. */
enum yore_status config_read_text(struct config *config, const char *path, struct yore_bytes text,
                                  struct yore_error *error_out);
enum yore_status config_read_environment(struct config *config, struct yore_error *error_out);
/* `words`: what stands on the command line after `yore server`. */
enum yore_status config_read_flags(struct config *config, size_t count, const char *const *words,
                                   struct yore_error *error_out);
/* What no single setting can know: those that exclude or need each other. */
enum yore_status config_check(const struct config *config, struct yore_error *error_out);

/* ---- single settings ---- */

size_t config_count(void);
const char *config_name(size_t index);
const char *config_help(size_t index);
bool config_is_live(size_t index); /* may be changed while running */
/* SIZE_MAX: no such setting. */
size_t config_find(const char *name);
enum yore_status config_set(struct config *config, size_t index, struct yore_bytes value,
                            enum config_origin origin, struct yore_error *error_out);
void config_get(const struct config *config, size_t index, struct buffer *out);
void config_get_default(size_t index, struct buffer *out);

/* One setting for config_rewrite(). */
struct config_pair {
    const char *name;
    struct yore_bytes value;
    bool is_list;   /* words are written one by one */
    bool goes_last; /* its lines are removed and it is appended: nothing behind it adds to it */
};
/* Write `pairs` to config->file: a line that sets one of them is replaced where it stands, others
 * are appended; everything else stays as it is.  The file is replaced whole and durably, and
 * keeps its rights.
 * Errors: YORE_INVALID (there was no file), YORE_IO, YORE_NO_SPACE. */
struct os_env;
enum yore_status config_rewrite(const struct config *config, struct os_env *env,
                                const struct config_pair *pairs, size_t count,
                                struct yore_error *error_out);

/* `64mb`, `1g`, `512`: octets. */
enum yore_status config_size_parse(struct yore_bytes text, uint64_t *size_out,
                                   struct yore_error *error_out);

#endif
