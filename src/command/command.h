/* command.h -- the face of the command layer: what a server does with one request.
 *
 * This layer knows no sockets.  Whoever does (net, wired by server) makes one `command_server` a
 * process and one `client` a connection, hands over whole requests as argument vectors, and gets
 * reply bytes.  News for a connection that asked nothing (messages, watches, a kill) leaves through
 * the `command_port` handed down at construction.
 *
 * How requests are run:
 *  - A loop asks command_pace() for the first request of a connection.  QUICK it may run itself.
 *    Everything else it hands to a worker; the requests of one connection keep their order, so what
 *    stands behind a SHORT one goes with it.
 *  - A worker runs a *job*: command_job_begin(); command_run() for each request of each connection
 *    of the job, the requests of one connection in order; command_job_end().  Writes are committed
 *    unsynced, those of single keys gathered over the job (pending.h), and made durable once by
 *    command_job_end().  No reply of the job
 *    leaves before command_job_end() has returned YORE_OK (group commit: one sync for all).
 *  - LONG requests (scans of many keys, queries, backups) run alone in a job of their own, on
 *    another pool, at most one a connection; their replies leave in parts (reply.h).  LOGIN is LONG
 *    for a bounded queue of its own: one password costs tens of milliseconds of a processor.
 *
 * Threads: a client is used by one thread at a time (the loop's, or the worker's its requests were
 * handed to, with a happens-before between them); different clients by any number at once.
 * Functions that take only the server may be called by any thread, unless they say otherwise.
 */
#ifndef YORE_COMMAND_COMMAND_H
#define YORE_COMMAND_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <yore/yore.h>

#include "base/buffer.h"
#include "base/status.h"

struct client;         /* opaque: one connection's state */
struct command_server; /* opaque: what all connections share */
struct reply;          /* reply.h */
struct graph_pool;     /* topology/graph_pool.h */
struct query_cache;    /* query/query_cache.h */

/* ---- the port: what this layer asks of whoever owns the connections ---- */

/* `conn` is what command_client_new() was given; it is named only until command_client_free() has
 * begun.  Every function may be called by any thread, with locks of this layer held, and so must
 * neither block nor call back into it. */
struct command_port {
    void *arg;
    /* Send `bytes` (one whole push message, copied) after the replies of what runs for the
     * connection now.  A connection that does not read gets no unbounded queue: past its output
     * limit it is closed. */
    void (*push)(void *arg, void *conn, struct yore_bytes bytes);
    /* Close it; what was replied and pushed so far is sent first when `is_gentle`. */
    void (*close)(void *arg, void *conn, bool is_gentle);
    /* Has its client left?  Then what is under way for it, if it is long, ends.  NULL: no. */
    bool (*is_gone)(void *arg, void *conn);
    /* Ask command_pace() again for its waiting requests: it had answered LATER. */
    void (*wake)(void *arg, void *conn);
    /* The whole server is to end (SHUTDOWN). */
    void (*shutdown)(void *arg);
    /* CONFIG REWRITE: write the settings back to the file they came from. */
    enum yore_status (*rewrite)(void *arg, struct yore_error *error_out);
    /* A change of users is about to let everybody in without a login: may it?  Where not, nothing
     * is changed, and the error is who asked's.  NULL: yes. */
    enum yore_status (*admit_all)(void *arg, struct yore_error *error_out);
    /* Append "field:value\r\n" lines of this server's own to section `name` of INFO ("server",
     * "clients", "stats", ...). */
    void (*info)(void *arg, const char *section, struct buffer *out);
};

/* ---- settings: CONFIG GET, CONFIG SET, the configuration file ---- */

/* One named setting.  This layer has some of its own; the server adds its others before the first
 * client.  Reading and changing happens under one lock of this layer. */
struct command_setting {
    const char *name;  /* lower case, kept */
    const char *alias; /* another name for it, or NULL */
    bool is_list;      /* the value is made of several words */
    bool is_secret;    /* never logged, redacted where requests are told */
    void *arg;
    void (*get)(void *arg, struct buffer *out); /* append the value as text */
    /* Append what set() takes to bring back the value that is now.  NULL: what get() tells, which
     * of a secret is a mask. */
    void (*keep)(void *arg, struct buffer *out);
    /* Take the text `value`; after an error nothing has changed.  NULL: fixed while running. */
    enum yore_status (*set)(void *arg, struct yore_bytes value, struct yore_error *error_out);
};

/* Add settings; the array is kept.  Errors: YORE_EXISTS (the name is taken), YORE_NOMEM. */
enum yore_status command_settings_add(struct command_server *server,
                                      const struct command_setting *settings, size_t count,
                                      struct yore_error *error_out);
/* Read or change one by name, as the configuration file and CONFIG do.
 * Errors: YORE_NOT_FOUND (text names the nearest), YORE_READ_ONLY (fixed while running; a setting
 * that has a setter may be set at any time), and the setter's. */
enum yore_status command_setting_get(struct command_server *server, struct yore_bytes name,
                                     struct buffer *value, struct yore_error *error_out);
enum yore_status command_setting_set(struct command_server *server, struct yore_bytes name,
                                     struct yore_bytes value, struct yore_error *error_out);
/* As command_setting_get(), but what command_setting_set() takes to bring the value back: of a
 * secret its hash. */
enum yore_status command_setting_keep(struct command_server *server, struct yore_bytes name,
                                      struct buffer *value, struct yore_error *error_out);
/* The names of this layer's own settings, for who reads them from a file; NULL past the last. */
const char *command_setting_name(size_t index);
/* Call `each` for every setting, by name. */
void command_settings_walk(struct command_server *server,
                           void (*each)(void *arg, const struct command_setting *setting),
                           void *arg);

/* ---- the server ---- */

struct command_options {
    /* Kept; opened with the durability that jobs make good.  NULL: settings and users are set, to
     * see whether they are good, and nothing is run. */
    struct yore_db *db;
    enum yore_durability durability; /* SYNC: command_job_end() syncs; else it does not */
    struct command_port port;        /* copied */
    const char *path;   /* the database's directory, for INFO and CONFIG GET dir; kept */
    uint16_t databases; /* SELECT 0..databases-1; 0: the default, 16 */
    uint16_t tcp_port;  /* for INFO and HELLO */
    uint32_t process_id;
    bool has_debug_commands; /* DEBUG is allowed */
    const char *backup_path; /* YORE.BACKUP writes below it; NULL: refused; kept */
    const char *aclfile;     /* command_users_load(), ACL LOAD and SAVE; NULL: none; kept */
};

/* Make it: opens the databases, finds out what changed since it was last used.
 * Errors: YORE_INVALID, YORE_IO, YORE_CORRUPT (of the database). */
enum yore_status command_server_new(const struct command_options *options,
                                    struct command_server **server_out,
                                    struct yore_error *error_out);
/* Every client must have been freed, and no job or tick may run.  NULL is ignored.  The database is
 * not closed. */
void command_server_free(struct command_server *server);

/* How long requests took to run, in buckets: of each class of commands (read, write, walk, graph,
 * other) how many took at most so long, and longer than the bound before.  The last bucket has no
 * bound. */
#define COMMAND_DURATION_BUCKETS 18u
struct command_durations {
    const char *name; /* of the class; a constant */
    uint64_t counts[COMMAND_DURATION_BUCKETS];
    uint64_t time_ns; /* of all of them together */
};
/* A statement of the query language that was no command (HTTP, Bolt) has ended: it counts with
 * those that were, in the class "graph".  Any thread. */
void command_note_statement(struct command_server *server, int64_t time_ns);
/* Class `index`, from 0 on; false: there are no more.  Any thread. */
bool command_durations(struct command_server *server, size_t index,
                       struct command_durations *durations_out);

/* What comes due with time: keys that expired, pauses that end, watches.  Called by one thread at a
 * time, one that may block; returns the nanoseconds after which it wants to be called again. */
int64_t command_tick(struct command_server *server);

/* Load users from the aclfile, where there is one (the start, ACL LOAD, SIGHUP): the user "default"
 * with the password of the setting requirepass, then what the file says.  After an error, of which
 * the text names the line, the users are as they were. */
enum yore_status command_users_load(struct command_server *server, struct yore_error *error_out);
/* Define a user by ACL rules, as `user` lines of a configuration file do. */
enum yore_status command_user_set(struct command_server *server, struct yore_bytes name,
                                  const struct yore_bytes *rules, size_t count,
                                  struct yore_error *error_out);
/* Moves on with every change of users: passwords, rules, who there is.  Who keeps the outcome of a
 * login beyond a request asks before the login, and logs in anew once it has moved.  Any thread. */
uint64_t command_users_version(struct command_server *server);
/* A number for the client's user, the same for all of that user's clients, and never 0: whose turn
 * it is among those who ask for much.  The client's own thread. */
uint64_t command_client_owner(const struct client *client);
/* The same of where it comes from, for who has not logged in yet: one number for all clients of an
 * address (of an IPv6 one's /64).  Any thread. */
uint64_t command_client_origin(const struct client *client);
/* Does anybody have to log in?  False while the user "default" is on and without a password: then
 * a server should listen to nobody but this machine. */
bool command_needs_login(struct command_server *server);

/* The graphs and the prepared statements that all doors share. */
struct graph_pool *command_graphs(struct command_server *server);
struct query_cache *command_queries(struct command_server *server);
/* What a statement may take where its request names nothing: the settings graph-query-timeout and
 * graph-query-memory. */
void command_query_limits(struct command_server *server, uint64_t *time_ns_out,
                          uint64_t *memory_bytes_out);

/* ---- clients ---- */

struct command_origin {
    void *conn;          /* for the port; NULL: none (HTTP): pushes go nowhere */
    const char *address; /* "127.0.0.1:50000", copied */
    const char *local;   /* "127.0.0.1:6379", copied */
};

/* Errors: YORE_NOMEM. */
enum yore_status command_client_new(struct command_server *server,
                                    const struct command_origin *origin,
                                    struct client **client_out);
/* Leaves channels, watches and transactions.  After it began the port is not called for its `conn`
 * any more: it returns when calls under way have ended.  NULL is ignored. */
void command_client_free(struct client *client);

/* False until it has logged in, where that is needed: the limits before login hold (limits.h). */
bool command_client_is_trusted(const struct client *client);
/* The name of its user, cut to `size`, ended by a zero. */
void command_client_user(const struct client *client, char *name, size_t size);
/* From now on EXEC does nothing where one of its commands fails, and its reply is that error. */
void command_client_be_whole(struct client *client);
/* From now on its watch ends once its login would not be found good any more: the password taken
 * away, the user off, or a login asked for where there was none.  For who proves with each request
 * who it is: a watch is a request that goes on. */
void command_client_tie_watch(struct client *client);
/* From now on YORE.AT asks for no right to the command, only for that to its moments: they belong
 * to requests that have rights of their own (?at= of HTTP). */
void command_client_be_dated(struct client *client);
/* Hold the moment its session is at, or the present, for all that it reads until
 * command_client_let_go(): an answer in many turns is of one moment.  What is written meanwhile is
 * not seen, retention keeps what it reads, and a right to look back so far from now on is one to
 * look back from here.  Its own thread.  Errors: YORE_NOMEM; nothing is held. */
enum yore_status command_client_hold(struct client *client, struct yore_error *error_out);
/* Its session is in the present.  Where it holds nothing, nothing is done. */
void command_client_let_go(struct client *client);
/* Does CLIENT PAUSE keep it from a request now, one that writes or does not?  Then the port's wake
 * says when to ask again.  For doors whose requests are no commands. */
bool command_client_is_paused(const struct client *client, bool writes);
/* 2 or 3: how replies to it are built. */
int command_client_protocol(const struct client *client);
/* What CLIENT LIST and CLIENT INFO tell of the connection's buffers; any thread. */
void command_client_note_buffers(struct client *client, size_t input_bytes, size_t output_bytes);
/* The memory that requests waiting for EXEC take.  On the client's thread. */
size_t command_client_queue_bytes(const struct client *client);
/* May idle time-outs close it?  Not while it is subscribed or watches. */
bool command_client_may_idle(const struct client *client);

/* ---- running ---- */

enum command_pace {
    COMMAND_QUICK = 1, /* memory only, microseconds: may run on a loop */
    COMMAND_SHORT = 2, /* may touch the disk: a worker */
    COMMAND_LONG = 3,  /* seconds: the pool for long ones, alone */
    COMMAND_LOGIN = 4, /* checks a password: a bounded queue of its own, alone */
    COMMAND_LATER = 5, /* not now (CLIENT PAUSE): keep it until the port's wake */
    COMMAND_TRY = 6    /* SHORT; a loop may try it, as what it reads may be in memory */
};

/* How `args` will run for this client.  `count` >= 1.  On the client's thread. */
enum command_pace command_pace(struct client *client, const struct yore_bytes *args, size_t count);

enum command_after {
    COMMAND_NEXT = 1,  /* go on with the connection's next request */
    COMMAND_CLOSE = 2, /* send what was replied so far and close */
    COMMAND_AGAIN = 3  /* tried on a loop: it would have waited for the disk.  Nothing was done;
                          give it to a worker */
};

/* One job; fields are private. */
struct command_job {
    struct command_server *server;
    uint64_t writes;
    struct pending *pending; /* what has gathered; NULL: nothing yet */
    enum yore_status status; /* the first that committing it failed with */
    struct yore_error error; /* of that */
};

void command_job_begin(struct command_job *job, struct command_server *server);
/* Run one request and append its whole reply (none under CLIENT REPLY OFF) to `reply`, which was
 * made for this client.  Bad requests get an error reply.  `job` is NULL for a QUICK one on a
 * loop, and for a TRY one there. */
enum command_after command_run(struct command_job *job, struct client *client,
                               const struct yore_bytes *args, size_t count, struct reply *reply);
/* The next command_run() of this client comes right behind its last one: what that knows of the
 * time need not be asked for again. */
void command_client_follows(struct client *client);
/* Commit what has gathered and make durable what the job wrote.  After an error no reply of the job
 * may leave: its connections are closed, their writes are of unknown outcome, the database takes no
 * more. */
enum yore_status command_job_end(struct command_job *job, struct yore_error *error_out);

/* ---- for doors that are no RESP (HTTP) ---- */

/* Check a password; costs tens of milliseconds unless it was right a moment ago.  True: the client
 * acts as that user from now on.  False: nothing has changed, and nothing says which of user and
 * password was wrong; with `*wait_ns_out` above 0 they were not even looked at, as too many wrong
 * ones have come from the client's address, and none is for so long. */
bool command_login(struct client *client, struct yore_bytes user, struct yore_bytes password,
                   int64_t *wait_ns_out);
/* May it read graph `name` (as GRAPH.RO_QUERY or GRAPH.QUERY), or write to it (as GRAPH.QUERY, with
 * the rights to read and to write the name)?  A refusal goes to ACL LOG; its text begins with what
 * was refused, status YORE_INVALID. */
bool command_authorize_graph(struct client *client, struct yore_bytes name, bool writes,
                             struct yore_error *error_out);
/* May it look at a moment of the past?  YORE_TIME_MIN: at all of it.  A refusal goes to ACL LOG. */
bool command_may_look(struct client *client, int64_t moment);

#endif
