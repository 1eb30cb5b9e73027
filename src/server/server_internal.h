/* server_internal.h -- the running server, for the files of this folder. */
#ifndef YORE_SERVER_SERVER_INTERNAL_H
#define YORE_SERVER_SERVER_INTERNAL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/buffer.h"
#include "command/command.h"
#include "net/net.h"
#include "net/tls.h"
#include "os/thread.h"
#include "server/config.h"
#include "server/log.h"
#include "server/session.h"

struct server {
    struct config *config; /* settings that are live: under the command layer's lock of settings */
    struct os_env *env;
    FILE *out;
    struct log *log;
    struct log *audit; /* NULL: none is kept */
    struct yore_db *db;
    struct command_server *commands;
    struct bolt_server *bolt;
    struct settler *settler; /* NULL: settings want none */
    struct net *net;
    struct net_tls *tls; /* NULL: none */
    struct session_scope scope;
    struct command_setting *settings; /* ours, as the command layer sees them */
    struct setting_ref *setting_refs;
    struct setting_memo *memos; /* every setting as it was when the server had started */
    size_t memo_count;
    size_t memo_capacity;
    struct os_thread *ticker;
    struct os_mutex tick_lock;
    struct os_cond tick_wake;
    bool is_ending; /* GUARDED_BY(tick_lock) */
    int64_t started_ns;
    int64_t ending_ns;       /* monotonic */
    bool has_users;          /* all that the start defines: what changes them now is a change */
    bool has_pidfile;        /* made by this one, to be taken away at the end */
    bool has_socket;         /* the same of the Unix socket */
    _Atomic bool wants_end;  /* SHUTDOWN */
    _Atomic bool is_ready;   /* requests are taken */
    _Atomic bool has_failed; /* the database takes no more writes */
    uint16_t port;           /* in use */
    uint16_t tls_port;
    uint16_t http_port;
    uint16_t bolt_port;
};

/* own_settings.c: our settings for CONFIG GET, SET and REWRITE. */
enum yore_status own_settings_add(struct server *server, struct yore_error *error_out);
void own_settings_release(struct server *server);
/* Hand the lines of the command layer (users, its settings) to it, and have it load the aclfile. */
enum yore_status own_settings_hand_on(struct server *server, struct yore_error *error_out);
/* Let the running parts see what the configuration says now. */
void own_settings_apply(struct server *server);
enum yore_status own_settings_rewrite(void *arg, struct yore_error *error_out);

/* info.c: our lines of INFO. */
void info_lines(void *arg, const char *section, struct buffer *out);

/* check.c: the directories and files that are named are there, and the addresses this machine's.
 * Makes nothing. */
enum yore_status start_check(const struct config *config, struct os_env *env,
                             struct yore_error *error_out);

/* listen.c: sockets, and who may be listened to. */
enum yore_status listen_check_hosts(const struct config *config, struct yore_error *error_out);
/* Refused: other machines are listened to, and nobody has to log in. */
enum yore_status listen_check(struct server *server, struct yore_error *error_out);
/* The same of a change, by which nobody would have to (struct command_port). */
enum yore_status listen_admit_all(void *arg, struct yore_error *error_out);
enum yore_status listen_all(struct server *server, struct yore_error *error_out);
void tls_files_of(const struct config *config, struct tls_files *files_out);

#endif
