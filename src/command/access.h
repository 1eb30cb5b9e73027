/* access.h -- how commands read and write keys: databases, expiry, counts, events.
 *
 * A database of the server is a keyspace of the engine; number 0 begins as "default", so that what
 * the program `yore` writes is what clients read: raw keys, raw values.  A key's time to live is
 * the end of its version (valid_to).  Beside the data one keyspace that keeps only now,
 * "server.expiry", lists every key that ends, by its end: keys that expired are told from there,
 * and counts of keys need no scan.
 *
 * Writes of one key are ordered by a striped lock that dispatch takes for the keys a command names
 * (access_lock); reading, deciding and writing is one step for other writers.  No lock is held over
 * a sync.  Writes of single keys gather over the commands of a job (pending.h).  Inside EXEC, and
 * for commands that write several keys, writes go to one transaction and appear at once; counts,
 * events and touches wait until it has committed.
 */
#ifndef YORE_COMMAND_ACCESS_H
#define YORE_COMMAND_ACCESS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <yore/yore.h>

#include "base/buffer.h"
#include "command/limits.h"

struct command_server;
struct pending;

#define DATABASE_NAME_BYTES 32

/* One keyspace as clients see it.  Made with the server, freed with it. */
struct database {
    char name[DATABASE_NAME_BYTES];
    _Atomic(struct yore_keyspace *) keyspace; /* NULL: nothing was ever written */
    _Atomic(struct yore_keyspace *) series;   /* of samples (series.h); NULL: not opened yet */
    _Atomic int64_t count;                    /* keys, those that expired lately too */
    _Atomic int64_t expires;                  /* of them with an end */
};

struct count_change {
    struct database *database;
    int64_t keys;
    int64_t expires;
};

/* What writes did, kept until their transaction commits. */
struct access_effects {
    struct buffer events; /* event.h */
    struct count_change changes[DATABASES_MAX];
    size_t count;
    uint32_t swaps[SWAPS_MAX][2]; /* databases that were swapped: swapped back where it fails */
    size_t swap_count;
};

struct access {
    struct command_server *server;
    struct yore_txn *txn;       /* NULL: each write is a commit of its own */
    struct pending *pending;    /* such commits gather there; NULL: they are made at once */
    const struct yore_time *at; /* where reads look; NULL: now */
    bool in_memory;             /* a read that would wait for the disk fails with YORE_BUSY ... */
    bool has_refused;           /* ... and one has */
    int64_t now;                /* of the command, or of its EXEC; 0: nobody has asked yet */
    uint64_t writes;            /* commits and facts so far */
    struct buffer ended;        /* keys that end within the command (event_tell_ended) */
    struct access_effects effects;
};

/* Ready for one command; `at` NULL: now. */
void access_init(struct access *access, struct command_server *server, const struct yore_time *at);

/* The moment of the command: the same however often it is asked for. */
int64_t access_now(struct access *access);

/* A key looked up. */
struct entry {
    struct database *database;
    struct yore_bytes key;   /* borrowed */
    struct yore_value value; /* valid while `exists` */
    bool exists;
    bool is_erased; /* and so absent, but reads say so */
    bool is_unseen; /* access_leave_unseen(): what there is is not known */
};

/* Look up for reading or writing; YORE_OK also where it is absent.  Release the entry. */
enum yore_status access_lookup(struct access *access, struct database *database,
                               struct yore_bytes key, struct entry *entry_out,
                               struct yore_error *error_out);
void entry_release(struct entry *entry);
/* An entry to be put over, for ever, whatever there is: true where nobody has to know before the
 * commit what that was, which is most of what a put costs.  Keys are counted when the commit tells
 * it (pending.h).  False: look it up. */
bool access_leave_unseen(const struct access *access, struct database *database,
                         struct yore_bytes key, struct yore_bytes value, struct entry *entry_out);
/* yore_get(), or what a command that must not wait does instead. */
enum yore_status access_get(struct access *access, struct yore_keyspace *keyspace,
                            struct yore_bytes key, const struct yore_time *at,
                            struct yore_value *value_out, struct yore_error *error_out);
static inline struct yore_bytes entry_bytes(const struct entry *entry)
{
    return (struct yore_bytes){entry->value.data, entry->value.size};
}
static inline bool entry_has_end(const struct entry *entry)
{
    return entry->exists && entry->value.valid_to != YORE_FOREVER;
}

/* Write what `entry` was looked up for; `valid_to` YORE_FOREVER: no end.  One that has passed
 * leaves no key behind, and is told as one that has expired.  The entry still tells what was
 * before.
 */
enum yore_status access_put(struct access *access, const struct entry *entry,
                            struct yore_bytes value, int64_t valid_to,
                            struct yore_error *error_out);
enum yore_status access_delete(struct access *access, const struct entry *entry,
                               struct yore_error *error_out);

/* Write with dates of its own (a delete where `value` is NULL), not in a transaction: what holds
 * now may change by it, or not. */
enum yore_status access_put_dated(struct access *access, const struct entry *entry,
                                  const struct yore_bytes *value, const struct yore_write *write,
                                  struct yore_error *error_out);

/* A key was written past this layer (with dates, in a batch, by an erasure): counts, the list of
 * ends and those who watch it follow what `entry`, looked up before, says against what is there
 * now. */
enum yore_status access_settle(struct access *access, const struct entry *entry,
                               struct yore_error *error_out);

/* Begin one transaction for what follows; commit it with its effects, or drop both. */
enum yore_status access_begin(struct access *access, struct yore_error *error_out);
enum yore_status access_commit(struct access *access, struct yore_error *error_out);
void access_abort(struct access *access);

/* A place in the transaction to go back to, with what was gathered of effects; good until the next
 * one.  It is over with access_go_back() or access_go_on(). */
struct access_savepoint {
    size_t number;
    size_t event_bytes;
    size_t change_count;
    size_t swap_count;
    uint64_t writes;
    struct count_change changes[DATABASES_MAX];
};
enum yore_status access_save(struct access *access, struct access_savepoint *savepoint_out,
                             struct yore_error *error_out);
enum yore_status access_go_back(struct access *access, const struct access_savepoint *savepoint,
                                struct yore_error *error_out);
enum yore_status access_go_on(struct access *access, const struct access_savepoint *savepoint,
                              struct yore_error *error_out);

/* Locks: bit i is stripe i.  Taken in ascending order, all at once. */
uint64_t access_stripe(struct yore_bytes key);
#define ACCESS_EVERY_STRIPE UINT64_MAX
void access_lock(struct command_server *server, uint64_t stripes);
void access_unlock(struct command_server *server, uint64_t stripes);

/* The keyspace to read from at the access's moment; NULL: nothing was written yet. */
struct yore_keyspace *access_keyspace(const struct access *access, const struct database *database);
/* The keyspace for writing, made where it is missing. */
enum yore_status access_make_keyspace(struct access *access, struct database *database,
                                      struct yore_keyspace **keyspace_out,
                                      struct yore_error *error_out);
/* A cursor over keys at the access's moment, its own writes seen.  YORE_NOT_FOUND: none at all. */
enum yore_status access_cursor(struct access *access, struct database *database,
                               struct yore_bytes prefix, bool keys_only,
                               struct yore_cursor **cursor_out, struct yore_error *error_out);
/* The same over a range of a database's keyspace, at a moment of its own. */
enum yore_status access_range(struct access *access, struct yore_keyspace *keyspace,
                              const struct yore_cursor_options *options,
                              struct yore_cursor **cursor_out, struct yore_error *error_out);

/* The versions of a key, its own writes seen. */
enum yore_status access_timeline(struct access *access, struct yore_keyspace *keyspace,
                                 struct yore_bytes key, const struct yore_timeline_options *options,
                                 struct yore_timeline **timeline_out, struct yore_error *error_out);

/* Delete every key.  The caller holds every stripe. */
enum yore_status access_flush(struct access *access, struct database *database,
                              struct yore_error *error_out);

#endif
