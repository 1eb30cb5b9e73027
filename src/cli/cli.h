/* cli.h -- what every command of the program works with: streams, terminal, database, session.
 *
 * A command returns its exit code:
 *     0        done, found
 *     1        not found, nothing to show
 *     2        the command line is wrong
 *     3..99    the status of that number (include/yore/status.h)
 *     102      erased (its number, 2, means a wrong command line)
 *     103      there is no database (1 is the answer of one that was asked)
 * cli_fail() turns a status into a message and its code.
 */
#ifndef YORE_CLI_CLI_H
#define YORE_CLI_CLI_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/status.h"
#include "cli/options.h"

struct os_env;
struct remote_options;
struct store;
struct store_keyspace;

#define EXIT_FOUND 0
#define EXIT_NOTHING 1
#define EXIT_USAGE 2
#define EXIT_ERASED 102
#define EXIT_NO_DATABASE 103

/* Where a shell stands: what its commands take when they name no moment, keyspace or format. */
struct cli_session {
    int64_t valid; /* YORE_NOW: the present */
    int64_t known;
    char at_text[40];
    char known_text[40];
    char keyspace[YORE_KEYSPACE_NAME_BYTES_MAX + 1]; /* empty: "default" */
    char graph[YORE_KEYSPACE_NAME_BYTES_MAX + 1];    /* empty: none was chosen */
    const char *output;                              /* NULL: by where the output goes */
};

struct cli {
    struct os_env *env;
    FILE *in;
    FILE *out;
    FILE *err;
    bool is_in_terminal;
    bool is_out_terminal;
    bool is_err_terminal;
    bool has_color; /* on `out` */
    bool has_err_color;
    bool is_quiet;
    bool has_failed;     /* the last command: a fault, not an answer such as absent or erased */
    unsigned columns;    /* of the terminal behind `out`; 0: no terminal, nothing is cut */
    const char *command; /* the command that runs, for messages */
    const char *dir;     /* the database's directory, or the URL of its server without password;
                            NULL when the command has none */
    struct store *store; /* the database; NULL: none is open */
    const struct remote_options *server; /* whose database it is; NULL: one in a directory */
    bool reads_only;                     /* the database is opened to read: nothing is written */
    struct cli_session *session;         /* NULL outside the shell */
};

/* Streams and terminal of the process. */
void cli_init(struct cli *cli);

/* Run a whole command line (argv[0] is the program): the body of main(). */
int cli_main(struct cli *cli, int argc, char *const *argv);

/* Run one command inside the shell: no DIR, the open database.  `words` has `count` of them. */
int cli_run_in_shell(struct cli *cli, size_t count, char *const *words);

/* Exit code of a status. */
int cli_exit_code(enum yore_status status);

/* "yore get: <text>" on standard error; the status's exit code. */
int cli_fail(struct cli *cli, const struct yore_error *error);
int cli_fail_text(struct cli *cli, enum yore_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The same for an answer that is no fault: absent, erased. */
int cli_answer_text(struct cli *cli, enum yore_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
enum yore_status cli_stream_status(void);
/* A fault with the status's own sentence; YORE_IO: standard output could not be
 * written, and why, by errno. */
int cli_fail_status(struct cli *cli, enum yore_status status);
/* A wrong command line: the text, and how to get help. */
int cli_usage(struct cli *cli, const char *format, ...) __attribute__((format(printf, 2, 3)));
int cli_usage_error(struct cli *cli, const struct yore_error *error);
/* YORE_INVALID is a wrong command line, anything else a failure. */
int cli_refuse(struct cli *cli, const struct yore_error *error);

/* Open the database in cli->dir, made when it is missing if `makes`; run_command() closes it. */
enum yore_status cli_open(struct cli *cli, bool makes, struct yore_error *error_out);
/* Open it for a write to --keyspace from a moment on (YORE_NOW: none is named).  Made when it is
 * missing, but not for a line that would be refused then. */
enum yore_status cli_open_to_write(struct cli *cli, const struct args *args, int64_t from,
                                   struct yore_error *error_out);
/* Say why a database could not be opened; the exit code. */
int cli_open_failed(struct cli *cli, enum yore_status st, bool makes,
                    const struct yore_error *error);

/* The moment a reading command asks for: --at and --known, else the session's. */
enum yore_status cli_time(struct cli *cli, const struct args *args, struct yore_time *time_out,
                          struct yore_error *error_out);
/* The database's now, or the wall clock's where none is open: what relative moments count from. */
int64_t cli_now(struct cli *cli);

/* The keyspace named by --keyspace or the session; NULL for "default".  `at` as in
 * yore_keyspace_open(). */
enum yore_status cli_keyspace(struct cli *cli, const struct args *args, const struct yore_time *at,
                              struct store_keyspace **keyspace_out, struct yore_error *error_out);

/* The first moment that `keyspace` still keeps, YORE_TIME_MIN when it keeps all: where a span that
 * names no begin begins. */
enum yore_status cli_horizon(struct cli *cli, struct store_keyspace *keyspace, int64_t *horizon_out,
                             struct yore_error *error_out);

/* --durability; YORE_DURABILITY_DEFAULT when not given.  YORE_UNSUPPORTED: a server has its own. */
enum yore_status cli_durability(const struct cli *cli, const struct args *args,
                                enum yore_durability *durability_out, struct yore_error *error_out);

#endif
