/* server.h -- `yore server`: database, commands and connections wired together, from start to
 * orderly end. */
#ifndef YORE_SERVER_SERVER_H
#define YORE_SERVER_SERVER_H

#include <stdio.h>

#include "base/status.h"
#include "server/config.h"

/* True when the command layer has a setting, or a line of a configuration file, of that name. */
bool server_knows_setting(const char *name);

/* Where the database is when nobody says: "$XDG_DATA_HOME/yore", "~/.local/share/yore", or
 * /var/lib/yore where there is no home.  Appended to `path`. */
void server_default_dir(struct buffer *path);

/* Run until SIGTERM, SIGINT or SHUTDOWN.  `config` (checked) changes as settings are changed.  What
 * there is and three commands to try are printed to `out`.  Once a process; on its main thread,
 * before any other is started.
 * Errors: why it could not start, or what ended badly. */
enum yore_status server_run(struct config *config, FILE *out, struct yore_error *error_out);

#endif
