/* watch.h -- keys that WATCH named, and whether somebody has written them since.
 *
 * Every write of the server passes access.c, which touches what it writes; one process has the
 * directory, so nobody writes past it.  A watched key that expires counts as changed too, once the
 * clock has passed its end. */
#ifndef YORE_COMMAND_WATCH_H
#define YORE_COMMAND_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"

struct client;
struct command_server;
struct database;

/* `valid_to`: the key's end now; INT64_MIN: it is absent. */
enum yore_status watch_add(struct client *client, struct database *database, struct yore_bytes key,
                           int64_t valid_to);
/* A key was written: whoever watches it will fail to EXEC. */
void watch_touch(struct command_server *server, const struct database *database,
                 struct yore_bytes key);
/* Two databases change places: keys that are watched in either are touched, if they were there or
 * are now.  The caller holds every stripe. */
void watch_touch_all(struct command_server *server, struct database *a, struct database *b);
/* Has something it watches changed or expired by `now`? */
bool watch_is_broken(const struct client *client, int64_t now);
/* The stripes (access.h) of the keys it watches. */
uint64_t watch_stripes(const struct client *client);
void watch_forget(struct client *client);

#endif
