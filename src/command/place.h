/* place.h -- which keyspace a command of YORE.* works in: the session's database, or the keyspace
 * that KEYSPACE names.
 *
 * A keyspace that is a database goes by access.h, with counts, ends and events.  Any other has
 * none of these: the engine is asked directly.  What the server keeps for itself (its own state,
 * samples of series, graphs) may be read by who may read every key, and is not written by name.
 */
#ifndef YORE_COMMAND_PLACE_H
#define YORE_COMMAND_PLACE_H

#include <stdbool.h>
#include <stddef.h>

#include <yore/yore.h>

struct call;
struct database;
struct entry;

enum place_use { PLACE_READ, PLACE_WRITE };

struct place {
    struct database *database;      /* NULL: the keyspace is no database */
    struct yore_keyspace *keyspace; /* NULL: nothing was ever written to the database */
};

/* The place of a command.  `index` is that of the keyspace's name among the arguments, 0: the
 * session's database.  A keyspace that was dropped since is found as of `at` (NULL: it is not).
 * False: an error was replied. */
bool place_find(struct call *call, size_t index, enum place_use use, const struct yore_time *at,
                struct place *place_out);
/* The keyspace `name`, whatever it is for; a name that no keyspace can have is YORE_NOT_FOUND. */
enum yore_status place_open(struct call *call, struct yore_bytes name, const struct yore_time *at,
                            struct yore_keyspace **keyspace_out, struct yore_error *error_out);
/* The database that is the keyspace `name`, or NULL. */
struct database *place_database(const struct call *call, struct yore_bytes name);
/* Is it one that the server keeps for itself? */
bool place_is_reserved(const struct call *call, struct yore_bytes name);
/* May the command tell its user of the keyspace `name`?  What the server keeps for itself is told
 * to who may read every key. */
bool place_may_read(const struct call *call, struct yore_bytes name);
/* The same; false: an error was replied. */
bool place_check_read(struct call *call, struct yore_bytes name);

/* Look up a key for reading, as access_lookup(). */
enum yore_status place_lookup(struct call *call, const struct place *place, struct yore_bytes key,
                              const struct yore_time *at, struct entry *entry_out,
                              struct yore_error *error_out);

#endif
