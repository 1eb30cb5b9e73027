/* server.h -- `yore server`: database, commands and connections wired together, from start to
 * orderly end. */
#ifndef YORE_SERVER_SERVER_H
#define YORE_SERVER_SERVER_H

#include <stdio.h>

#include "base/status.h"
#include "server/config.h"

/* The names of settings that the command layer has, and of lines it takes in a configuration file:
 * `foreign` of config_init(). */
const char *server_foreign_setting(size_t index);

/* Where the database is when nobody says: "$XDG_DATA_HOME/yore", "~/.local/share/yore", or
 * /var/lib/yore where there is no home.  Appended to `path`. */
void server_default_dir(struct buffer *path);

/* All that server_run() looks at before it opens anything: settings and users are set, and what
 * they name is looked for.  Nothing is made, and nothing that runs is disturbed: whether a port is
 * free, and the database good, only a start tells.  Errors: why it would not start. */
enum yore_status server_check(struct config *config, struct yore_error *error_out);

/* Run until SIGTERM, SIGINT or SHUTDOWN.  `config` (checked) changes as settings are changed.  What
 * there is and three commands to try are printed to `out`.  Once a process; on its main thread,
 * before any other is started.
 * Errors: why it could not start, or what ended badly. */
enum yore_status server_run(struct config *config, FILE *out, struct yore_error *error_out);

#endif
