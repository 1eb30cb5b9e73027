/* settings.h -- the settings of this layer, and the table of all. */
#ifndef YORE_COMMAND_SETTINGS_H
#define YORE_COMMAND_SETTINGS_H

#include <stdbool.h>

#include "base/bytes.h"
#include "base/status.h"

struct command_server;

enum yore_status settings_init(struct command_server *server, struct yore_error *error_out);
void settings_release(struct command_server *server);
/* May its value be told nobody?  So it is of a name that is no setting: it may be one misspelt. */
bool settings_is_secret(struct command_server *server, struct yore_bytes name);

#endif
