/* pending.h -- writes of a job that are decided and not yet committed.
 *
 * Problem: a commit of its own for each command of a pipeline costs a write to the journal, a turn
 * in the queue of commits and a publication each.  Approach: what consecutive commands of one job
 * write gathers here, each command still a commit of its own, and is handed to the engine together
 * (yore_batch_cut()): one write to the journal for all.  Commands of the job see what gathered
 * before them; nobody else does, and no reply leaves before it is committed.
 *
 * The stripes of the keys that are written stay locked until then, so that no other writer decides
 * on what is about to change.  They are not taken in order, so none is waited for while others are
 * held: where one is taken, what has gathered is committed and let go first.
 *
 * A plain SET needs not know what was there, but for the number of keys: that is taken from the
 * commit, which finds the key's place anyway, and what it cannot tell is read after it, as of the
 * moment before.
 *
 * Thread: the job's worker.
 */
#ifndef YORE_COMMAND_PENDING_H
#define YORE_COMMAND_PENDING_H

#include <stdbool.h>
#include <stdint.h>

#include <yore/yore.h>

#include "base/buffer.h"

struct command_server;
struct database;
struct pending;

/* One write with what it changes in the list of ends. */
struct pending_write {
    struct database *database;
    struct yore_keyspace *keyspace;
    struct yore_bytes key;
    struct yore_bytes value;
    bool is_delete;
    bool is_unseen; /* a put, the first of its key here, of which nobody knows what was there: the
                       commit tells, and counts the key where it is new */
    int64_t valid_to;
    struct yore_bytes old_end; /* row of the list of ends to take away; empty: none */
    struct yore_bytes new_end;
};

/* What a key is by what has gathered; octets are good until the stripes are unlocked. */
struct pending_state {
    bool is_deleted;
    struct yore_bytes value;
    int64_t valid_to;
};

/* One that nobody uses, or a new one; NULL: out of memory.  Any thread. */
struct pending *pending_take(struct command_server *server);
/* Give it back, empty and with no stripe locked; NULL is ignored.  Any thread. */
void pending_give(struct pending *pending);
/* Free those that nobody uses, with the server. */
void pending_free_all(struct command_server *server);

/* Lock `stripes` besides those it has.  What has gathered may be committed for that: the error of
 * it, with the stripes locked all the same. */
enum yore_status pending_lock(struct pending *pending, uint64_t stripes,
                              struct yore_error *error_out);
/* False: the key is as the engine says. */
bool pending_find(const struct pending *pending, const struct database *database,
                  struct yore_bytes key, struct pending_state *state_out);
/* Add a commit of one write; copies.  Errors as of yore_batch_put() and yore_batch_cut(): then
 * nothing was added. */
enum yore_status pending_add(struct pending *pending, const struct pending_write *write,
                             struct yore_error *error_out);
/* Where events wait for the commit (event.h). */
struct buffer *pending_events(struct pending *pending);
/* Commit what has gathered, and tell its events; the stripes stay locked.  After an error its
 * writes are of unknown outcome; pending_flush() tells it once more, to the job, whose replies must
 * not leave. */
enum yore_status pending_commit(struct pending *pending, struct yore_error *error_out);
/* Commit, and unlock every stripe. */
enum yore_status pending_flush(struct pending *pending, struct yore_error *error_out);
/* Has enough gathered, or waited long enough at `now_ns` (monotonic), to be flushed? */
bool pending_is_due(const struct pending *pending, int64_t now_ns);

#endif
