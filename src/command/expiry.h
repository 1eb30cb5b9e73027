/* expiry.h -- the list of ends: which keys expire when, and how many keys there are.
 *
 * Keyspace "server.expiry" keeps only now.  A key of it is the end (8 octets, big endian, its sign
 * bit turned over), the keyspace's id (4, big endian), the key.  Beside them "\xff" + name holds
 * how many keys a keyspace had at some moment, so that opening counts only what has changed since.
 */
#ifndef YORE_COMMAND_EXPIRY_H
#define YORE_COMMAND_EXPIRY_H

#include <stdint.h>

#include "base/buffer.h"
#include "base/bytes.h"
#include "base/status.h"

struct command_server;
struct database;
struct yore_keyspace;

/* Errors: YORE_TOO_BIG: the key is too long to have an end. */
enum yore_status expiry_key(struct yore_keyspace *keyspace, int64_t valid_to, struct yore_bytes key,
                            struct buffer *out, struct yore_error *error_out);
/* Take keys whose end has passed off the list: count them, tell them.  Returns the nanoseconds to
 * the next end, at most a tick. */
int64_t expiry_run(struct command_server *server);
/* How many keys of `database` have ended and are counted still: few, and none a tick later. */
int64_t expiry_passed(struct command_server *server, const struct database *database);
/* Find counts and ends again after opening.  YORE_OK, or why not. */
enum yore_status expiry_recover(struct command_server *server, struct yore_error *error_out);
/* Remember the counts, for the next opening. */
enum yore_status expiry_save(struct command_server *server, struct yore_error *error_out);

#endif
