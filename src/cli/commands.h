/* commands.h -- the one table of commands: `yore help`, `yore help CMD`, man/yore.1, the shell's
 * completion and the check of command lines all read it. */
#ifndef YORE_CLI_COMMANDS_H
#define YORE_CLI_COMMANDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/cli.h"

enum command_flag {
    COMMAND_HAS_DIR = 1,   /* the first word is the database's directory (left out in the shell) */
    COMMAND_OPENS = 2,     /* the database is open when it runs */
    COMMAND_CREATES = 4,   /* ... and made when it is missing */
    COMMAND_WRITES = 8,    /* refused in a shell that stands in the past */
    COMMAND_IN_SHELL = 16, /* known to the shell */
    COMMAND_ONLY_SHELL = 32, /* known to the shell only */
    COMMAND_READS = 64,      /* opens the database to read only */
    COMMAND_OWN_FLAGS = 128, /* its words are its own to read, but for --help */
    COMMAND_SERVERS = 256,   /* works with a server, too: --url in place of DIR */
    COMMAND_CHANGES = 512,   /* refused there even when it is dated */
    VERB_FILES = 1024,       /* its words behind NAME are files to read */
    VERB_SOURCE = 2048       /* says who says so: --source */
};

/* What the first operand of a command chooses. */
struct verb {
    const char *name;
    unsigned words_min; /* operands, the verb itself counted */
    unsigned words_max;
    const char *wants; /* told with the name when there are fewer or more */
    unsigned flags;    /* besides those of the command */
    int (*run)(struct cli *cli, const struct args *args);
};

struct command {
    const char *name;
    const char *operands;    /* as help shows them, without DIR */
    const char *summary;     /* half a sentence */
    const char *description; /* sentences; paragraphs end with a newline */
    const char *examples;    /* lines "command line  # what it does"; NULL: none */
    uint64_t options;
    unsigned flags;
    unsigned words_min; /* operands, DIR not counted */
    unsigned words_max;
    const struct verb *verbs; /* the last has no name; NULL: the command runs itself */
    int (*run)(struct cli *cli, const struct args *args);
    /* What can be told without the database, so that a slip makes none; NULL: nothing. */
    int (*check)(struct cli *cli, const struct args *args);
};

#define COMMAND_WORDS_MAX 65536u

extern const struct command command_table[];
extern const size_t command_count;

/* The options it takes: its own, those of servers where it works with one, those of all. */
uint64_t command_options(const struct command *command);

/* What to do with a server instead of a command that works in a directory only; "" or ": ...". */
const char *command_instead(const struct command *command);

/* NULL when there is no such command. */
const struct command *command_find(const char *name);
/* The one of `verbs` (may be NULL) that the first operand names, or NULL. */
const struct verb *verb_find(const struct verb *verbs, const struct args *args);
/* The command whose name is nearest, or NULL. */
const char *command_nearest(const char *name, bool is_shell);

/* command_kv.c */
int command_put(struct cli *cli, const struct args *args);
int command_get(struct cli *cli, const struct args *args);
int command_del(struct cli *cli, const struct args *args);
int command_erase(struct cli *cli, const struct args *args);
/* command_scan.c */
int command_scan(struct cli *cli, const struct args *args);
int command_timeline(struct cli *cli, const struct args *args);
/* command_changes.c */
int command_changes(struct cli *cli, const struct args *args);
int command_feed(struct cli *cli, const struct args *args);
/* import.c, export.c */
int command_import(struct cli *cli, const struct args *args);
int command_export(struct cli *cli, const struct args *args);
/* command_query.c, command_graph.c */
int command_query(struct cli *cli, const struct args *args);
extern const struct verb graph_verbs[];
int command_graph_check(struct cli *cli, const struct args *args);
int command_graph_import(struct cli *cli, const struct args *args); /* NAME FILE */
int command_graph_export(struct cli *cli, const struct args *args); /* NAME */
/* command_graph_ingest.c, command_graph_sources.c */
int command_graph_apply(struct cli *cli, const struct args *args);   /* NAME FILE... */
int command_graph_sync(struct cli *cli, const struct args *args);    /* NAME FILE... */
int command_graph_source(struct cli *cli, const struct args *args);  /* NAME */
int command_graph_end(struct cli *cli, const struct args *args);     /* NAME */
int command_graph_sources(struct cli *cli, const struct args *args); /* NAME */
int command_graph_pending(struct cli *cli, const struct args *args); /* NAME */
int command_graph_abort(struct cli *cli, const struct args *args);   /* NAME */
int command_graph_settle(struct cli *cli, const struct args *args);  /* NAME */
int command_graph_erase(struct cli *cli, const struct args *args); /* NAME ELEMENT ID [PROPERTY] */
/* command_upkeep.c */
int command_stats(struct cli *cli, const struct args *args);
int command_check(struct cli *cli, const struct args *args);
int command_compact(struct cli *cli, const struct args *args);
int command_backup(struct cli *cli, const struct args *args);
int command_backups(struct cli *cli, const struct args *args);
int command_restore(struct cli *cli, const struct args *args);
/* command_keyspace.c */
extern const struct verb keyspace_verbs[];
int command_keyspace_check(struct cli *cli, const struct args *args);
/* command_top.c */
int command_top(struct cli *cli, const struct args *args);
/* bench.c */
int command_bench(struct cli *cli, const struct args *args);
/* shell.c, shell_session.c */
int command_shell(struct cli *cli, const struct args *args);
int command_at(struct cli *cli, const struct args *args);
int command_known(struct cli *cli, const struct args *args);
int command_use(struct cli *cli, const struct args *args);
int command_output(struct cli *cli, const struct args *args);
/* command_server.c */
int command_server(struct cli *cli, const struct args *args);
int command_ping(struct cli *cli, const struct args *args);
/* help.c */
int command_help(struct cli *cli, const struct args *args);
int command_version(struct cli *cli, const struct args *args);

#endif
