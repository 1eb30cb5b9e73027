/* bolt.h -- Bolt clients: connections of net, users of the command layer, sessions of bolt/.
 *
 * The handler of net for the Bolt port.  What may touch the disk, or take its time, runs at pace
 * LONG, passwords are checked at pace LOGIN in the queue that all protocols share; a RESET is seen
 * on the loop while a statement runs, and ends it. */
#ifndef YORE_SERVER_BOLT_H
#define YORE_SERVER_BOLT_H

#include "server/session.h"

struct bolt_server;

/* What all Bolt sessions of `server` share; its database, commands and settings are there. */
enum yore_status bolt_start(struct server *server, struct yore_error *error_out);
void bolt_handler_init(struct net_handler *handler, struct session_scope *scope);

#endif
