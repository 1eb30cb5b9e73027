/* call.h -- one request on its way through a handler, and what handlers share. */
#ifndef YORE_COMMAND_CALL_H
#define YORE_COMMAND_CALL_H

#include <stdbool.h>
#include <stdint.h>

#include "command/access.h"
#include "command/args.h"
#include "command/client.h"
#include "command/event.h"
#include "command/reply.h"
#include "command/server.h"
#include "command/table.h"

struct call {
    struct command_server *server;
    struct client *client;
    const struct command *command;
    const struct yore_bytes *args;
    size_t count;
    struct reply *reply;
    struct access *access;
    bool is_in_exec;
    bool must_close;
    bool must_run_again; /* on a worker */
    int64_t begun_ns;    /* monotonic */
    uint64_t writes;     /* commits and facts */
};

/* Database `number` at the moment the command looks at. */
struct database *call_database_at(const struct call *call, uint32_t number);
/* The client's own. */
static inline struct database *call_database(const struct call *call)
{
    return call_database_at(call,
                            atomic_load_explicit(&call->client->database, memory_order_relaxed));
}

/* Look up args[index] in the client's database.  False: an error was replied. */
bool call_lookup(struct call *call, size_t index, struct entry *entry_out);
/* The same for a command that tells of the key: counted as a hit or a miss, and a miss is told. */
bool call_find(struct call *call, size_t index, struct entry *entry_out);
void call_note_found(struct call *call, size_t index, const struct entry *entry);
/* The same for a command that tells the value: an erased one is an error too. */
bool call_read(struct call *call, size_t index, struct entry *entry_out);
/* For a command that writes what it makes of the value: neither counted nor told. */
bool call_read_to_write(struct call *call, size_t index, struct entry *entry_out);
/* Write what a client sent, or what was made of it; false: an error was replied. */
bool call_put(struct call *call, const struct entry *entry, struct yore_bytes value,
              int64_t valid_to);
/* Write what a key held already, with another end or at another key. */
bool call_keep(struct call *call, const struct entry *entry, struct yore_bytes value,
               int64_t valid_to);
/* May a client write it?  Not what makes a key a series (series.h).  False: an error was replied.
 */
bool call_check_value(struct call *call, struct yore_bytes value);
/* Reply a value as it is kept; NULL where it is a series and the user may not read every key. */
void call_bulk(struct call *call, struct yore_bytes value);
bool call_delete(struct call *call, const struct entry *entry);
/* What this command writes from here on is one commit: for those that write several keys. */
bool call_begin(struct call *call);
void call_event(struct call *call, enum event_class class, const char *event,
                struct yore_bytes key);
/* Reply what a status of the engine means to a client. */
void call_fail(struct call *call, enum yore_status status, const struct yore_error *error);
/* The same with a code for every status, from which the client library makes that status again;
 * for commands that no Redis has. */
void call_fail_told(struct call *call, enum yore_status status, const struct yore_error *error);
/* Numbers of arguments; false: an error was replied. */
bool call_int(struct call *call, size_t index, int64_t *number_out);
bool call_int_between(struct call *call, size_t index, int64_t low, int64_t high,
                      int64_t *number_out);
/* "ERR syntax error", and the number of arguments that is wrong: of a command that no Redis has
 * with what it takes, from the table. */
void call_syntax(struct call *call);
void call_arity(struct call *call);
/* The name of the command, or of its container, as errors have it: "CLIENT". */
#define CALL_WORD_BYTES 32
void call_container_word(const struct call *call, char word[CALL_WORD_BYTES]);
/* A subcommand with more words than it takes, where Redis looks at that itself. */
void call_words(struct call *call);
/* "READONLY ...": it would write, and the session is at a moment of the past. */
void call_refuse_past(struct call *call);
void call_nomem(struct call *call);
/* Has the client left, so that long work for it can end? */
bool call_is_left(const struct call *call);
/* The same of a struct call, for a struct stop; also true once the server ends and waits no longer.
 */
bool call_is_over(void *call);
static inline bool call_is(const struct call *call, size_t index, const char *word)
{
    return args_is(call->args[index], word);
}
/* HELP of a container, from the table. */
void call_help(struct call *call);

#endif
