/* txn.h -- the inside of a transaction, for the files that work on one: txn.c, txn_commit.c,
 * txn_cursor.c, span.c, erase.c.
 *
 * A transaction is a held snapshot, the facts it wants to write, and what it has read.  Facts are
 * copied in the order they were given, so that a savepoint is a count.  They are laid over the
 * database by an overlay memtable that is made when the first read needs it: fact number i has
 * commit OVERLAY_COMMIT_MIN + i there, and one dated YORE_NOW begins at the transaction's now.
 * What is rolled back is taken back there, one by one; when more was than is left, or when a cursor
 * walks over it, the overlay is given up instead and the next read makes another.
 */
#ifndef YORE_ENGINE_TXN_H
#define YORE_ENGINE_TXN_H

#include "engine/cursor.h"
#include "engine/db_internal.h"
#include "engine/read_set.h"
#include "engine/snapshot.h"

struct txn_walk;

/* Say in the words of who made it what the key is, or the range that begins there, which was
 * changed under a transaction: the text of a conflict. */
typedef void txn_explain_fn(void *arg, struct yore_bytes key, struct yore_error *error_out);

struct yore_txn {
    struct yore_db *db;
    struct yore_snapshot snapshot; /* now and begin */
    struct fact *facts;            /* key and value of each in one heap block of its own */
    size_t fact_count;
    size_t fact_capacity;
    uint64_t fact_bytes;
    struct memtable *overlay; /* NULL: none yet */
    size_t overlay_count;     /* facts that are in it */
    uint64_t overlay_waste;   /* what those took that were taken back */
    struct read_set reads;
    struct txn_walk *walks; /* ranges of cursors, open ones and some closed ones */
    int64_t expiry_min;     /* of what was read at its own now */
    int64_t fixed_commit;   /* the commit time it must have; 0: the next one */
    uint64_t refusals;      /* of the request it becomes */
    size_t *savepoints;     /* fact counts */
    size_t savepoint_count;
    size_t savepoint_capacity;
    txn_explain_fn *explain; /* NULL: keys speak for themselves */
    void *explain_arg;
    uint32_t explained_keyspace;
};

/* ---- txn.c ---- */

/* Would so many facts of this size stay within YORE_BATCH_BYTES_MAX? */
bool txn_has_room(const struct yore_txn *txn, const struct fact *fact, size_t count);
/* Add a checked fact as it is; copies. */
enum yore_status txn_add_fact(struct yore_txn *txn, const struct fact *fact,
                              struct yore_error *error_out);
/* Take back the facts from number `count` on; the overlay must not hold them. */
void txn_drop_facts(struct yore_txn *txn, size_t count);
/* Take them back whoever has read them; savepoints made since then must not be rolled back to. */
void txn_rewind(struct yore_txn *txn, size_t count);
/* Note a key in the read set. */
enum yore_status txn_note_key(struct yore_txn *txn, const struct yore_keyspace *keyspace,
                              struct yore_bytes key, struct yore_error *error_out);
/* Something that was read at the transaction's now ends at `valid_to`. */
void txn_note_expiry(struct yore_txn *txn, int64_t valid_to);
/* Bring the overlay up to the last fact. */
enum yore_status txn_make_overlay(struct yore_txn *txn, struct yore_error *error_out);

/* A moment of a transaction. */
struct txn_moment {
    struct read_moment moment;
    bool is_own_now; /* what is read expires for the transaction too */
    bool sees_own;   /* its own writes are part of what is known */
    bool is_dated;   /* of its own only those with a date: from now on is after every date */
};
/* Resolve `at` (NULL: its own now).  On YORE_OK the caller releases `*view_out`. */
enum yore_status txn_read_begin(struct yore_txn *txn, struct yore_keyspace *keyspace,
                                const struct yore_time *at, struct txn_moment *moment_out,
                                struct superview **view_out, struct yore_error *error_out);
/* The winner of overlay and database, whatever its kind; kept by *pin, which the caller releases.
 * `*is_own_out`: it is the transaction's own.  YORE_NOT_FOUND: none.  Does not note the key. */
enum yore_status txn_winner(struct yore_txn *txn, struct superview *view,
                            struct yore_keyspace *keyspace, struct yore_bytes key,
                            const struct txn_moment *moment, struct version *version_out,
                            struct read_pin *pin, bool *is_own_out, struct yore_error *error_out);
/* Is it an own version from now on?  Such a one begins at the commit, after every date of the
 * transaction, wherever the overlay has it. */
bool txn_is_from_now(const struct yore_txn *txn, const struct version *version);
/* Has anything been erased since it began?  An erasure is gone from every read at once, so what one
 * read has found another may lack; what was read and erased will conflict at the commit. */
bool txn_met_erasure(const struct yore_txn *txn);
/* Ask `explain` where the commit conflicts over a key of `keyspace`. */
void txn_explain_conflicts(struct yore_txn *txn, const struct yore_keyspace *keyspace,
                           txn_explain_fn *explain, void *arg);
/* Everything but the heap block of the struct; txn_init() holds a snapshot. */
void txn_init(struct yore_txn *txn, struct yore_db *db);
void txn_release(struct yore_txn *txn);

/* ---- txn_commit.c ---- */

/* Commit; the transaction still has to be released. */
enum yore_status txn_commit(struct yore_txn *txn, enum yore_durability durability,
                            int64_t *commit_out, struct yore_error *error_out);

/* ---- txn_cursor.c ---- */

/* Put what the cursors have walked over into the read set. */
enum yore_status txn_collect_walks(struct yore_txn *txn, struct yore_error *error_out);
void txn_forget_walks(struct yore_txn *txn);

/* ---- span.c ---- */

/* Add a checked fact that corrects [from, to) only, with the facts that mask what began inside and
 * restore what held at `to`. */
enum yore_status txn_add_span(struct yore_txn *txn, const struct fact *fact,
                              struct yore_error *error_out);
/* Add what an erasure of span leaves in the key's timeline: an erased version at span->from, where
 * a value held that began before; and at span->to the fact that keeps what held there, unless a
 * version begins exactly then.  Nothing for the whole timeline, or a key that was never written.
 * Notes the key. */
enum yore_status txn_add_erasure(struct yore_txn *txn, const struct fact *span,
                                 struct yore_error *error_out);

#endif
