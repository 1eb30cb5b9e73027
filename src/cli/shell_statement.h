/* shell_statement.h -- lines of the shell that are statements of the query language, not commands.
 *
 * A line that begins with a word of the language (MATCH, RETURN, AS OF, ...) goes to the graph that
 * `graph use NAME` chose, whole and as it stands.  A line that begins with a backslash is a command
 * (\at -1h), or \diff FROM [TO]: what differs in the graph between two moments. */
#ifndef YORE_CLI_SHELL_STATEMENT_H
#define YORE_CLI_SHELL_STATEMENT_H

#include <stdbool.h>

#include "base/bytes.h"
#include "cli/cli.h"

bool shell_is_statement(struct yore_bytes line);
/* Run one; the command's exit code. */
int shell_run_statement(struct cli *cli, struct yore_bytes line);
/* \diff: `count` words behind it. */
int shell_run_diff(struct cli *cli, size_t count, char *const *words);

/* Where the name at the end of a statement begins; its end when none does. */
size_t shell_name_begin(struct yore_bytes line);
/* Names of the session's graph that may stand there: behind ':' or '|' labels and types, behind '.'
 * properties. */
void shell_complete_name(struct cli *cli, struct yore_bytes line,
                         void (*each)(void *arg, struct yore_bytes name), void *arg);

#endif
