/* state.h -- what the server itself keeps in the database, in keyspace "server": which database is
 * which keyspace (as of any moment), and what series were told of themselves. */
#ifndef YORE_COMMAND_STATE_H
#define YORE_COMMAND_STATE_H

#include <stdint.h>

#include <yore/yore.h>

struct access;
struct command_server;
struct database;

/* Order the databases as SWAPDB left them. */
enum yore_status state_load_databases(struct command_server *server, struct yore_error *error_out);
/* Database number `number` as of a session's moment. */
struct database *state_database_at(struct command_server *server, uint32_t number,
                                   const struct yore_time *at);
/* Swap two; the caller holds every stripe. */
enum yore_status state_swap(struct access *access, uint32_t a, uint32_t b,
                            struct yore_error *error_out);

#endif
