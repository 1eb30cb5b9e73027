/* tick.h -- what comes due with time, kept where its commands are. */
#ifndef YORE_COMMAND_TICK_H
#define YORE_COMMAND_TICK_H

#include <stdint.h>

struct command_server;

/* End a CLIENT PAUSE that is over (command_client.c); wake who waited. */
void tick_pause(struct command_server *server, int64_t now_ns);
/* Tell what YORE.WATCHes wait for (command_watch.c); nanoseconds until the next look. */
int64_t tick_feeds(struct command_server *server);

#endif
