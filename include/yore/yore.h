/* yore.h -- the embeddable store: (key, time) -> value.
 *
 * Every key is a timeline.  A *version* (key, valid_from, commit, kind, [valid_to], value) holds
 * from valid_from until the key's next later valid_from, or until valid_to if that is sooner.
 * *Valid time* is when a fact was so in the world; *commit time* is when the database learned it.
 * Both are signed 64-bit nanoseconds since 1970-01-01T00:00:00Z.  A read at (valid v, known c)
 * takes, of the versions with valid_from <= v and commit <= c, the one with the greatest
 * (valid_from, commit).
 *
 * Conventions, true of every function unless it says otherwise:
 *  - Returns YORE_OK or the status that says why not; outputs are untouched or zeroed on failure.
 *  - NULL for a pointer that is not said to be optional, and an empty path, is YORE_INVALID; what
 *    returns no status does nothing then, or returns zeros.
 *  - `error_out` may be NULL; otherwise the text names what, where and how to mend it.
 *  - `keyspace` may be NULL: the keyspace "default", which always exists and keeps everything.
 *  - `at` may be NULL: now, everything known.  YORE_NOW in either field means the same.
 *  - Arguments are borrowed until the function returns; nothing is kept.  Bytes may hold any octet.
 *  - A relative path is taken from the directory that is current at the call: later chdir() does
 *    not matter, also to a database that is open.
 *  - A database handle may be used by any number of threads at once, and so may keyspaces and
 *    snapshots; a batch, load, transaction, cursor, timeline, walk over changes, feed, watch or
 *    value by one thread at a time.  One process per directory.
 *  - What is opened, begun, made or taken is given back by the function that closes, commits,
 *    aborts, frees or releases it; those that return nothing ignore NULL.
 *  - A move of a cursor that fails leaves it on no row, and next and prev repeat the error until
 *    first, last or a seek; a timeline, a walk over changes, a feed and a watch repeat their first
 *    error.
 *  - YORE_NOMEM may come from any function that returns a status, YORE_NO_FILES (the process or the
 *    system has no file handle left) from any that reads or writes; nothing has changed then, and
 *    the same may succeed later.
 *  - A database opened with options.read_only refuses whatever writes with YORE_READ_ONLY.
 *  - After the first failed write or sync the database refuses writes with that first error until
 *    it is opened again; reads go on.  A file of the database that is missing is no YORE_NOT_FOUND:
 *    YORE_CORRUPT where it is read, YORE_IO where it is written; the text names it.
 *  - A limit on the size of files (RLIMIT_FSIZE) is YORE_NO_SPACE, provided that the program
 * ignores SIGXFSZ, which ends it otherwise: the library leaves signals alone.
 */
#ifndef YORE_H
#define YORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <yore/status.h>

#ifdef __cplusplus
extern "C" {
#if defined(__GNUC__) /* some functions have the name of the struct they take, as stat() has */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"
#endif
#endif

#if defined(__GNUC__)
#define YORE_API __attribute__((visibility("default")))
#define YORE_MUST_USE __attribute__((warn_unused_result))
#else
#define YORE_API
#define YORE_MUST_USE
#endif

/* ---- limits and special moments ------------------------------------------------------------- */

#define YORE_KEY_BYTES_MAX 65536u         /* a key is 1 B to 64 KiB */
#define YORE_VALUE_BYTES_MAX (256u << 20) /* a value is 0 B to 256 MiB; empty values are values */
/* Keys, values and bookkeeping of one transaction or batch.  Of a value that a batch has written
 * apart (below) only the reference counts; one of a transaction counts whole, because it is in
 * memory until the commit.  A span counts its key and value once more for every version that begins
 * inside it. */
#define YORE_BATCH_BYTES_MAX (1u << 30)
/* A keyspace name is 1 to 255 bytes of [A-Za-z0-9_.-]. */
#define YORE_KEYSPACE_NAME_BYTES_MAX 255u
#define YORE_KEYSPACES_MAX 1024u /* "default" among them; dropped ones do not count */
/* A value of options.value_apart_bytes and more is written once to a value file, which must be
 * durable before the commit that refers to it.  A database opened with another durability than
 * YORE_DURABILITY_SYNC would pay a sync of its own for that: there values smaller than
 * YORE_VALUE_APART_UNSYNCED_BYTES stay in journal and tables, whatever the option says.  What no
 * version refers to any more is given back in the background, each time as much was written to
 * value files as was wanted of them the time before, and at least four times
 * options.memtable_bytes. */
#define YORE_VALUE_APART_BYTES 4096u
#define YORE_VALUE_APART_UNSYNCED_BYTES (1u << 20)
#define YORE_NOW INT64_MAX         /* as a moment: the database's own now; refused as a fact's */
#define YORE_FOREVER INT64_MAX     /* as an end: no end */
#define YORE_TIME_MIN (-INT64_MAX) /* the earliest moment (INT64_MIN is refused) */

/* A run of octets that somebody else owns. */
struct yore_bytes {
    const void *data;
    size_t size;
};

/* The moment of a read: the state at `valid` as it was known at `known`.  Nanoseconds, or YORE_NOW.
 */
struct yore_time {
    int64_t valid;
    int64_t known;
};

struct yore_db;
struct yore_keyspace;
struct yore_batch;
struct yore_load;
struct yore_txn;
struct yore_snapshot;
struct yore_cursor;
struct yore_timeline;
struct yore_changes;
struct yore_feed;
struct yore_watch;

/* A status's fixed name ("NOT_FOUND") and its sentence.  Never NULL; any number is accepted. */
YORE_API const char *yore_status_name(enum yore_status status);
YORE_API const char *yore_status_message(enum yore_status status);
/* "0.1.0": the library's version. */
YORE_API const char *yore_version(void);

/* ---- opening -------------------------------------------------------------------------------- */

/* When an acknowledgement may be given. */
enum yore_durability {
    YORE_DURABILITY_DEFAULT = 0, /* as the database was opened */
    YORE_DURABILITY_SYNC = 1,    /* on stable storage before the ack (group commit, fdatasync) */
    YORE_DURABILITY_INTERVAL =
        2, /* synced every interval_ms: that much may be lost at a power cut */
    YORE_DURABILITY_NONE =
        3 /* handed to the system: a process crash loses nothing, a power cut may */
};

enum yore_event_kind {
    YORE_EVENT_FLUSH = 1,
    YORE_EVENT_COMPACT = 2,
    YORE_EVENT_SEAL = 3,
    YORE_EVENT_STALL = 4, /* writers were slowed down or stopped */
    YORE_EVENT_RETENTION = 5,
    YORE_EVENT_ERASE = 6,
    YORE_EVENT_CLOCK_JUMP = 7, /* the wall clock stepped against the monotonic clock */
    YORE_EVENT_RECOVERY = 8,   /* what opening found: records replayed, a torn tail cut */
    YORE_EVENT_FAILED = 9      /* the database stopped taking writes */
};

struct yore_event {
    enum yore_event_kind kind;
    bool is_begin; /* an event with a duration is told at its begin and its end */
    uint32_t keyspace_id;
    uint64_t input_bytes;
    uint64_t output_bytes;
    uint64_t duration_us; /* at the end only */
    const char *text;     /* one line; borrowed until the hook returns */
};

/* Called from any thread of the library, never with a lock held; must not call into the same
 * database. */
typedef void (*yore_event_fn)(void *arg, const struct yore_event *event);

/* Fill with yore_options_init(), then change what you need.  A zero size or count means its
 * default. */
struct yore_options {
    bool must_exist;                 /* do not create a missing database (YORE_NOT_FOUND) */
    bool must_not_exist;             /* fail with YORE_EXISTS when there is one */
    bool read_only;                  /* open to read: nothing is written; see yore_open() */
    enum yore_durability durability; /* default YORE_DURABILITY_SYNC */
    uint32_t interval_ms;            /* for YORE_DURABILITY_INTERVAL: 1..60,000, default 100 */
    uint64_t cache_bytes;            /* block cache, >= 1 MiB, default 256 MiB */
    uint64_t memtable_bytes; /* a memtable is flushed at this size: 64 KiB..4 GiB, default 64 MiB */
    uint64_t segment_bytes;  /* a journal segment: 64 KiB..4 GiB, default 64 MiB */
    uint64_t table_bytes;    /* target size of a table: 16 KiB..1 GiB, default 32 MiB */
    uint32_t page_bytes; /* target size of a page of the present before compression: 512 B..1 MiB,
                            default 4 KiB; pages of the past have eight times that */
    uint32_t seal_versions_per_key; /* history runs this many times the live keys are sealed:
                                       1..1,048,576, default 8 */
    uint64_t seal_bytes_min;        /* ... and this large in files: 1 B..1 TiB, default 3.25 MiB */
    uint32_t value_apart_bytes;     /* values this large go to value files: 256 B..256 MiB, default
                                       YORE_VALUE_APART_BYTES; see there */
    uint32_t background_threads;    /* flush, merge, seal: 1..16, default 2 */
    uint32_t open_files_max;        /* files of tables open at once: 16..1,048,576, default 512; no
                                       more than half of what the process may have open
                                       (RLIMIT_NOFILE at yore_open()), but for those being read
                                       just now */
    int64_t clock_skew_max_ns;      /* facts may be dated this far ahead of the wall clock:
                                       1 ns..1 h, default 500 ms */
    uint64_t feed_retention_bytes;  /* closed journal segments kept for the feed, default 0 */
    yore_event_fn on_event;         /* may be NULL */
    void *event_arg;
};

YORE_API void yore_options_init(struct yore_options *options);

/* Open the database in directory `path`, making it if missing; replays the journal.  `options` may
 * be NULL. Errors: YORE_INVALID (an option, named), YORE_NOT_FOUND (must_exist; the directory above
 * `path` is missing), YORE_LOCKED (text names the holder), YORE_EXISTS (the
 * directory is no database and has files of somebody else), YORE_CORRUPT (file and offset),
 * YORE_BAD_FORMAT, YORE_NO_SPACE, YORE_IO (also where `path` is relative and the current directory
 * was removed).
 *
 * With `read_only` nothing is made or written, whatever the last run left: what it had not flushed
 * is recovered in memory, which takes about twice the bytes of it (at most what the memtables and
 * their journal held).  So a database can be read on a full disk, on a read-only file system, and
 * without the right to write.  Any number of handles, in any processes, may read together; one that
 * may write and those that only read keep each other out (YORE_LOCKED), by the file LOCK of the
 * directory.  Where that file is missing, because the database is a copy that was never opened to
 * write, nothing keeps a writer out.  No work goes on in the background: horizons stay, erased
 * bytes stay.  Every function that writes returns YORE_READ_ONLY, also yore_flush(),
 * yore_compact(), yore_checkpoint() and yore_backup(); so does a watch once it has told all there
 * is.  YORE_NOT_FOUND: there is no database; YORE_INVALID: with `must_not_exist`. */
YORE_API enum yore_status yore_open(const char *path, const struct yore_options *options,
                                    struct yore_db **db_out,
                                    struct yore_error *error_out) YORE_MUST_USE;

/* Wait for the background's work in flight, make everything durable, release the directory and all
 * memory.  No other call on the database may be under way or, once it is closed, come after.  NULL
 * is ignored.
 *
 * YORE_BUSY: a cursor, value, timeline, walk over changes, batch, transaction, load, feed, watch or
 * snapshot has not been given back; the text says how many of what, of values once nothing else
 * is open.  The database is open and as it was: give them back and close it again.  After anything
 * else the handle is gone; an error is that which had stopped the database, or that of closing it.
 */
YORE_API enum yore_status yore_close(struct yore_db *db, struct yore_error *error_out);

/* The database's now: max(wall clock, last visible commit), never backwards, over yore_close() and
 * opening too.  After a crash it is later than every commit that is found, but a now told since the
 * last of them may be told again if the wall clock stepped back. */
YORE_API int64_t yore_now(struct yore_db *db);

/* ---- single reads and writes ---------------------------------------------------------------- */

/* A value and its version, read without a copy: `data` stays valid until yore_value_release(). */
struct yore_value {
    const void *data;
    size_t size;
    int64_t valid_from;
    int64_t valid_to; /* YORE_FOREVER where the version has no own end */
    int64_t commit;
    void *pin[3]; /* private */
};

/* Give the bytes back.  A zeroed or released value is accepted. */
YORE_API void yore_value_release(struct yore_value *value);

/* How a fact is dated.  NULL means: from the commit time on, no end, the database's durability. */
struct yore_write {
    int64_t from; /* YORE_NOW: the commit time; else at most clock_skew_max ahead */
    int64_t to;   /* YORE_FOREVER, or a moment > from (YORE_NOW: than now, when the write is
                     given; where it passes before the commit the version never holds).  A span
                     that ends does so at most clock_skew_max ahead and begins at a named moment:
                     one from YORE_NOW has no end but YORE_FOREVER (YORE_IN_FUTURE) */
    bool is_span; /* false: absent from `to` on (time to live); true: the fact corrects
                     [from, to) only, what held before holds again from `to` on.  The value is
                     written once more for every version that begins inside; one that goes apart
                     only once, by yore_put() and of a batch */
    enum yore_durability durability;
    int64_t *commit_out; /* if not NULL: receives the commit time */
};

/* Read one key.  On YORE_OK the caller releases `*value_out`.
 * Errors: YORE_NOT_FOUND (absent at that moment), YORE_ERASED, YORE_BEFORE_HORIZON, YORE_IN_FUTURE
 * (`known` ahead of now), YORE_CORRUPT, YORE_IO. */
YORE_API enum yore_status yore_get(struct yore_db *db, struct yore_keyspace *keyspace,
                                   struct yore_bytes key, const struct yore_time *at,
                                   struct yore_value *value_out,
                                   struct yore_error *error_out) YORE_MUST_USE;

/* The same where nothing must be waited for: no read from disk, no commit in flight.  YORE_BUSY:
 * something must; then yore_get() tells.  For threads that must not block. */
YORE_API enum yore_status yore_get_in_memory(struct yore_db *db, struct yore_keyspace *keyspace,
                                             struct yore_bytes key, const struct yore_time *at,
                                             struct yore_value *value_out,
                                             struct yore_error *error_out) YORE_MUST_USE;

/* Read `count` keys of one moment, all from one view.  values_out[i] and statuses_out[i] answer
 * keys[i]; release each value.  Returns YORE_OK when every key was looked up (found, not found or
 * erased); else the first error, as yore_get(), and no value is to be released. */
struct yore_get_many {
    const struct yore_bytes *keys;
    size_t count; /* 1..65,536 */
    struct yore_value *values_out;
    enum yore_status *statuses_out;
};
YORE_API enum yore_status yore_get_many(struct yore_db *db, struct yore_keyspace *keyspace,
                                        const struct yore_get_many *request,
                                        const struct yore_time *at,
                                        struct yore_error *error_out) YORE_MUST_USE;

/* Write one fact, delete a key from a moment on (or over a span).  The ack keeps the durability
 * asked for. A delete with `to` must be a span. Errors: YORE_INVALID, YORE_TOO_BIG (key, value; a
 * span that counts, with what begins inside it, more than YORE_BATCH_BYTES_MAX: smaller spans are
 * the way out), YORE_NOT_FOUND (the keyspace was dropped), YORE_IN_FUTURE, YORE_BEFORE_HORIZON,
 * YORE_BUSY (a span over a key that others write all the time), YORE_READ_ONLY (explicit time in a
 * keyspace that keeps only now), YORE_NO_SPACE, YORE_IO. */
YORE_API enum yore_status yore_put(struct yore_db *db, struct yore_keyspace *keyspace,
                                   struct yore_bytes key, struct yore_bytes value,
                                   const struct yore_write *write,
                                   struct yore_error *error_out) YORE_MUST_USE;
YORE_API enum yore_status yore_delete(struct yore_db *db, struct yore_keyspace *keyspace,
                                      struct yore_bytes key, const struct yore_write *write,
                                      struct yore_error *error_out) YORE_MUST_USE;

/* Make every commit up to `commit` durable, whatever durability it was written with; YORE_NOW:
 * every one that is visible.  Returns at once where that is so already.  Calls at the same time
 * share their syncs: writers that commit with YORE_DURABILITY_NONE and sync before they acknowledge
 * pay one sync for many commits.  Errors: what stopped the database (it takes no more writes). */
YORE_API enum yore_status yore_sync(struct yore_db *db, int64_t commit,
                                    struct yore_error *error_out) YORE_MUST_USE;

/* What to erase: one key (whole, or its valid span [from, to)), or every key with a prefix (whole).
 */
struct yore_erase {
    struct yore_bytes key;
    bool is_prefix;
    int64_t from; /* YORE_TIME_MIN and YORE_FOREVER: the whole timeline */
    int64_t to;
    enum yore_durability durability;
    int64_t *commit_out;
};

/* Destroy values for good: reads that would have met one get YORE_ERASED, at every known time.
 * Where the key was absent (never written, deleted, expired) it stays absent: YORE_NOT_FOUND. The
 * bytes leave the files in the background; yore_compact() returns after they are gone.
 * Only the end of a span is bound, since what follows it is written there: by the horizon and by
 * clock_skew_max.  It may begin before the horizon.  A span without end may begin after now: what
 * was written before the erasure reads as erased from then on, and keeps its bytes, because it
 * holds until then.
 * The empty key as a prefix is that of every key: the whole keyspace is erased.
 * An erasure of whole keys is held in memory until its bytes are gone, of files that readers hold
 * too; one of a span until its keys are erased whole.  A read of a key pays about the square of the
 * logarithm of how many there are of its spans.  From 2^20 of them on this waits until bytes
 * are gone, which is refused when that does not help; a prefix is taken nonetheless.
 * Errors: YORE_INVALID (empty key or span, a prefix with a span), YORE_TOO_BIG (key; 2^20 erasures
 * are held that cannot leave), YORE_READ_ONLY (a span in a keyspace that keeps only now),
 * YORE_BEFORE_HORIZON and YORE_IN_FUTURE (`to`), YORE_BUSY (a key that others write all the time),
 * YORE_NO_SPACE, YORE_IO. */
YORE_API enum yore_status yore_erase(struct yore_db *db, struct yore_keyspace *keyspace,
                                     const struct yore_erase *erase,
                                     struct yore_error *error_out) YORE_MUST_USE;

/* ---- batches: many writes, one commit ------------------------------------------------------- */

/* Make an empty batch. */
YORE_API enum yore_status yore_batch_new(struct yore_db *db, struct yore_batch **batch_out,
                                         struct yore_error *error_out) YORE_MUST_USE;
/* Add a write; copies key and value.  Of two writes to the same key and moment the later wins.  A
 * span is laid over what holds when the batch commits, the batch's own earlier writes included.
 * Durability and commit_out of `write` are not looked at.  After an error, as of yore_put(), the
 * batch is without the write. */
YORE_API enum yore_status yore_batch_put(struct yore_batch *batch, struct yore_keyspace *keyspace,
                                         struct yore_bytes key, struct yore_bytes value,
                                         const struct yore_write *write,
                                         struct yore_error *error_out) YORE_MUST_USE;
YORE_API enum yore_status yore_batch_delete(struct yore_batch *batch,
                                            struct yore_keyspace *keyspace, struct yore_bytes key,
                                            const struct yore_write *write,
                                            struct yore_error *error_out) YORE_MUST_USE;
/* End a commit within the batch: what was added since the last cut is a commit of its own, behind
 * those before it; a later write of the same key supersedes one before the cut, and both stay in
 * the key's timeline.  Nothing where nothing was added.  A batch with a span cannot be cut, nor
 * take one afterwards (YORE_INVALID).  Errors besides: YORE_NOMEM, and whatever has stopped the
 * database; after any error the batch is without what was added since the last cut. */
YORE_API enum yore_status yore_batch_cut(struct yore_batch *batch,
                                         struct yore_error *error_out) YORE_MUST_USE;
/* Drop what was added since the last cut. */
YORE_API void yore_batch_revert(struct yore_batch *batch);
/* Writes added so far, those before cuts included. */
YORE_API size_t yore_batch_count(const struct yore_batch *batch);
/* Drop them; the batch may be used again. */
YORE_API void yore_batch_clear(struct yore_batch *batch);
/* Commit all or nothing under one commit time; afterwards the batch is empty and may be used again.
 * After an error it is as it was.  `commit_out` may be NULL; it is the last visible commit when the
 * batch is empty.  A batch that was cut is several commits, handed over together: one write to the
 * journal and at most one sync for all of them, as far as no other commit comes between.  Each is
 * whole or absent, after a crash the first of them; `commit_out` is the last one's, and after an
 * error those before the one that failed are committed, those behind it may be, and the batch is
 * empty.  Errors: YORE_INVALID (durability), YORE_TOO_BIG, YORE_NOT_FOUND (a
 * keyspace was dropped), YORE_BEFORE_HORIZON (the horizon has passed one of its facts meanwhile),
 * YORE_BUSY (with spans: their keys are written all the time), YORE_NO_SPACE, YORE_IO. */
YORE_API enum yore_status yore_batch_commit(struct yore_batch *batch,
                                            enum yore_durability durability, int64_t *commit_out,
                                            struct yore_error *error_out) YORE_MUST_USE;
YORE_API void yore_batch_free(struct yore_batch *batch);

/* ---- loads: many sorted rows straight into tables -------------------------------------------- */

/* Begin a load into `keyspace`: rows go to tables on disk as they come, past journal and memtable,
 * and nobody sees or waits for them before the commit.  A load is used by one thread at a time;
 * several may be open.  Free it with yore_load_commit() or yore_load_abort().
 * Errors: YORE_NOT_FOUND (the keyspace was dropped). */
YORE_API enum yore_status yore_load_open(struct yore_db *db, struct yore_keyspace *keyspace,
                                         struct yore_load **load_out,
                                         struct yore_error *error_out) YORE_MUST_USE;
/* Add a row; copies key and value.  Keys come in ascending order (octet by octet, a prefix first),
 * each once, and replace what the key has.
 * Errors: YORE_INVALID (out of order: the text names both keys; an empty key) and YORE_TOO_BIG,
 * after which the load goes on without the row; YORE_NO_SPACE, YORE_IO, YORE_NOMEM, after which it
 * can only be aborted. */
YORE_API enum yore_status yore_load_put(struct yore_load *load, struct yore_bytes key,
                                        struct yore_bytes value,
                                        struct yore_error *error_out) YORE_MUST_USE;
/* Rows added so far. */
YORE_API uint64_t yore_load_count(const struct yore_load *load);
/* Make every row valid from one commit time on, all or nothing, and free the load, whatever the
 * outcome.  The acknowledgement is always durable.  Transactions that read a key of the load get
 * YORE_CONFLICT as from any commit.  Other writers wait only while what they wrote last is flushed
 * and the tables are named.  `commit_out` may be NULL; without rows it is the last visible commit.
 * Errors: as yore_load_put(); YORE_NOT_FOUND (the keyspace was dropped). */
YORE_API enum yore_status yore_load_commit(struct yore_load *load, int64_t *commit_out,
                                           struct yore_error *error_out) YORE_MUST_USE;
/* Free the load and its files; nothing was written. */
YORE_API void yore_load_abort(struct yore_load *load);

/* ---- transactions and snapshots ------------------------------------------------------------- */

/* Begin an optimistic, serializable transaction: now and the visible commits are fixed here. */
YORE_API enum yore_status yore_begin(struct yore_db *db, struct yore_txn **txn_out,
                                     struct yore_error *error_out) YORE_MUST_USE;
/* The moment fixed at begin. */
YORE_API struct yore_time yore_txn_time(const struct yore_txn *txn);
/* Reads see the transaction's own writes; `at` may name an earlier moment.  What is read is
 * validated at commit, also where an own write answers: any later commit to that key (whatever its
 * valid time), or its expiry meanwhile, is a conflict.  The `commit` of an own write is
 * YORE_FOREVER, in values and rows. Errors: as yore_get(); YORE_TOO_BIG also beyond 2^20 keys and
 * ranges read. */
YORE_API enum yore_status yore_txn_get(struct yore_txn *txn, struct yore_keyspace *keyspace,
                                       struct yore_bytes key, const struct yore_time *at,
                                       struct yore_value *value_out,
                                       struct yore_error *error_out) YORE_MUST_USE;
/* Durability and commit_out of `write` are not looked at.  After an error, as of yore_put(), the
 * transaction is without the write. */
YORE_API enum yore_status yore_txn_put(struct yore_txn *txn, struct yore_keyspace *keyspace,
                                       struct yore_bytes key, struct yore_bytes value,
                                       const struct yore_write *write,
                                       struct yore_error *error_out) YORE_MUST_USE;
YORE_API enum yore_status yore_txn_delete(struct yore_txn *txn, struct yore_keyspace *keyspace,
                                          struct yore_bytes key, const struct yore_write *write,
                                          struct yore_error *error_out) YORE_MUST_USE;
/* Mark a point.  Rolling back to it drops the writes and savepoints made since, never what was
 * read, and keeps the savepoint itself; it costs as much as what is dropped has.  Releasing it
 * forgets it and those made since, and keeps the writes.  A savepoint lasts until it is released,
 * until one made before it is rolled back to or released, or until the transaction ends; its number
 * is given out again then.  A transaction has 1,000 at a time.  Errors: YORE_TOO_BIG (it has them
 * all), YORE_INVALID (there is no such savepoint). */
YORE_API enum yore_status yore_txn_savepoint(struct yore_txn *txn, size_t *savepoint_out,
                                             struct yore_error *error_out) YORE_MUST_USE;
YORE_API enum yore_status yore_txn_rollback_to(struct yore_txn *txn, size_t savepoint,
                                               struct yore_error *error_out) YORE_MUST_USE;
YORE_API enum yore_status yore_txn_release_savepoint(struct yore_txn *txn, size_t savepoint,
                                                     struct yore_error *error_out) YORE_MUST_USE;
/* Commit and free the transaction, whatever the outcome.  YORE_CONFLICT: nothing was written, begin
 * again.  YORE_BEFORE_HORIZON: the horizon has passed one of its facts meanwhile. `commit_out` may
 * be NULL; it is the begin's commit when nothing was written.  Errors besides: YORE_INVALID
 * (durability), YORE_NOT_FOUND (a keyspace was dropped), YORE_TOO_BIG (2^20 keys and ranges read,
 * and a cursor that is still open), YORE_NO_SPACE, YORE_IO, and whatever has stopped the database.
 */
YORE_API enum yore_status yore_txn_commit(struct yore_txn *txn, enum yore_durability durability,
                                          int64_t *commit_out,
                                          struct yore_error *error_out) YORE_MUST_USE;
/* Free the transaction; nothing was written. */
YORE_API void yore_txn_abort(struct yore_txn *txn);

/* Hold the present: retention drops nothing that a read at yore_snapshot_time() needs until it is
 * released, in keyspaces that keep only now as well. */
YORE_API enum yore_status yore_snapshot_take(struct yore_db *db,
                                             struct yore_snapshot **snapshot_out,
                                             struct yore_error *error_out) YORE_MUST_USE;
YORE_API struct yore_time yore_snapshot_time(const struct yore_snapshot *snapshot);
YORE_API void yore_snapshot_release(struct yore_snapshot *snapshot);

/* ---- cursors: a key range at one moment ----------------------------------------------------- */

struct yore_range {
    struct yore_bytes low;    /* inclusive; size 0: from the first key */
    struct yore_bytes high;   /* exclusive; size 0: to the last key */
    struct yore_bytes prefix; /* size 0: none; otherwise `low` and `high` must be empty */
};

struct yore_cursor_options {
    struct yore_range range; /* copied */
    const struct yore_time *at;
    bool keys_only;     /* rows have no value bytes (value.size is still right) */
    bool no_cache_fill; /* a large scan that should not push others out of the cache */
};

/* One row; borrowed until the cursor moves or closes. */
struct yore_row {
    struct yore_bytes key;
    struct yore_bytes value;
    int64_t valid_from;
    int64_t valid_to;
    int64_t commit;
};

/* Open a cursor, before its first row.  `options` may be NULL: every key, now.  All rows are of one
 * view. Keys absent or erased at that moment are not rows; a walk steps over each of them until
 * merges have let go of it.  What first or a seek of now has stepped over twice is remembered, for
 * some ranges at a time, so that taking keys from the front of a queue costs the same for each; a
 * cursor of the past, one walking backward, and one of a transaction that has written to the
 * keyspace itself step again.
 * Errors: YORE_INVALID and YORE_TOO_BIG (range), YORE_BEFORE_HORIZON, YORE_IN_FUTURE. */
YORE_API enum yore_status yore_cursor_open(struct yore_db *db, struct yore_keyspace *keyspace,
                                           const struct yore_cursor_options *options,
                                           struct yore_cursor **cursor_out,
                                           struct yore_error *error_out) YORE_MUST_USE;
/* The same inside a transaction: its own writes are seen, the range walked over is validated at
 * commit. */
YORE_API enum yore_status yore_txn_cursor_open(struct yore_txn *txn, struct yore_keyspace *keyspace,
                                               const struct yore_cursor_options *options,
                                               struct yore_cursor **cursor_out,
                                               struct yore_error *error_out) YORE_MUST_USE;
/* Move; YORE_OK: on a row, YORE_NOT_FOUND: past the end (or before the begin), else an error.
 * seek: first row with a key >= `key`; seek_back: last row with a key <= `key`.
 * next on a fresh cursor is first; prev on a fresh cursor is last.  A cursor that has run off
 * either end stays there, and next and prev get YORE_NOT_FOUND, until first, last or a seek. */
YORE_API enum yore_status yore_cursor_first(struct yore_cursor *cursor) YORE_MUST_USE;
YORE_API enum yore_status yore_cursor_last(struct yore_cursor *cursor) YORE_MUST_USE;
YORE_API enum yore_status yore_cursor_seek(struct yore_cursor *cursor,
                                           struct yore_bytes key) YORE_MUST_USE;
YORE_API enum yore_status yore_cursor_seek_back(struct yore_cursor *cursor,
                                                struct yore_bytes key) YORE_MUST_USE;
YORE_API enum yore_status yore_cursor_next(struct yore_cursor *cursor) YORE_MUST_USE;
YORE_API enum yore_status yore_cursor_prev(struct yore_cursor *cursor) YORE_MUST_USE;
/* The row under the cursor; NULL when it is on none. */
YORE_API const struct yore_row *yore_cursor_row(const struct yore_cursor *cursor);
/* Why the last move failed; empty text when it did not. */
YORE_API const struct yore_error *yore_cursor_error(const struct yore_cursor *cursor);
YORE_API void yore_cursor_close(struct yore_cursor *cursor);

/* ---- the timeline of one key ---------------------------------------------------------------- */

enum yore_kind { YORE_KIND_PUT = 1, YORE_KIND_DELETE = 2, YORE_KIND_ERASED = 3 };

/* One version of one key; bytes are borrowed until the next move or close. */
struct yore_version {
    enum yore_kind kind;
    int64_t valid_from;
    int64_t valid_to; /* its own end (time to live), or YORE_FOREVER */
    int64_t commit;
    struct yore_bytes value;
};

struct yore_timeline_options {
    int64_t from;       /* versions with from <= valid_from < to */
    int64_t to;         /* YORE_FOREVER: to the last */
    int64_t known;      /* YORE_NOW: everything */
    bool with_in_force; /* also the version in force at `from`, which began before it; without its
                           value, as YORE_KIND_ERASED, where that moment is erased */
    bool every_commit;  /* also versions corrected later at the same valid_from */
    bool is_backward;   /* latest first */
};

/* Walk the versions of one key, of one view; `options` must be given.  `from` and `to` may be later
 * than now.  Every slice of the key's history between the two moments is looked into when it is
 * opened, however few versions are asked for: the last one alone is told by yore_get(), at less.
 * Errors: YORE_INVALID (empty key, `to` before `from`), YORE_TOO_BIG (key), YORE_BEFORE_HORIZON
 * (`from`, `known`), YORE_IN_FUTURE (`known`), YORE_CORRUPT, YORE_IO. */
YORE_API enum yore_status yore_timeline_open(struct yore_db *db, struct yore_keyspace *keyspace,
                                             struct yore_bytes key,
                                             const struct yore_timeline_options *options,
                                             struct yore_timeline **timeline_out,
                                             struct yore_error *error_out) YORE_MUST_USE;
/* The same inside a transaction: its own writes so far are told too, those from now on as beginning
 * at its now, with YORE_FOREVER for the commit they have not got (with every_commit also those that
 * a later one to the same moment replaces).  The key is validated at commit,
 * as one that was got.  The timeline may be walked on when the transaction has ended. */
YORE_API enum yore_status yore_txn_timeline_open(struct yore_txn *txn,
                                                 struct yore_keyspace *keyspace,
                                                 struct yore_bytes key,
                                                 const struct yore_timeline_options *options,
                                                 struct yore_timeline **timeline_out,
                                                 struct yore_error *error_out) YORE_MUST_USE;
/* YORE_OK: `*version_out` is the next; YORE_NOT_FOUND: no more. */
YORE_API enum yore_status yore_timeline_next(struct yore_timeline *timeline,
                                             struct yore_version *version_out,
                                             struct yore_error *error_out) YORE_MUST_USE;
YORE_API void yore_timeline_close(struct yore_timeline *timeline);

/* ---- changes between two moments, and the feed ---------------------------------------------- */

enum yore_change_kind { YORE_CHANGE_ADDED = 1, YORE_CHANGE_CHANGED = 2, YORE_CHANGE_REMOVED = 3 };

/* One difference; borrowed until the next move or close. */
struct yore_change {
    enum yore_change_kind kind;
    struct yore_bytes key;
    int64_t time;             /* when it became so: a valid_from, or the valid_to that passed; of a
                                 net difference by the version that holds at `to`, which may be a
                                 delete of what was absent already */
    int64_t commit;           /* of the version that made it so */
    struct yore_bytes before; /* the value until then; data is NULL where the key was absent */
    struct yore_bytes after;  /* the value from then on; data is NULL where the key is absent */
};

struct yore_changes_options {
    struct yore_range range;
    int64_t from;       /* compare the states at `from` and at `to`; from <= to */
    int64_t to;         /* YORE_NOW allowed */
    int64_t known;      /* YORE_NOW: everything */
    bool every_version; /* every step in (from, to], not just the net difference */
    bool in_time_order; /* by time, then key; otherwise by key, then time */
};

/* In time order the changes are sorted in memory: more than this is YORE_TOO_BIG. */
#define YORE_CHANGES_SORT_BYTES_MAX (256u << 20)
/* Walk what differs; `options` must be given, their range is copied.  Keys whose values are equal
 * at both moments are no net difference.  Errors: YORE_INVALID (range; `to` before `from`),
 * YORE_BEFORE_HORIZON, YORE_IN_FUTURE (`known`), YORE_TOO_BIG (range; or, from next, what is
 * sorted: ask for less time, a smaller range, or key order). */
YORE_API enum yore_status yore_changes_open(struct yore_db *db, struct yore_keyspace *keyspace,
                                            const struct yore_changes_options *options,
                                            struct yore_changes **changes_out,
                                            struct yore_error *error_out) YORE_MUST_USE;
/* YORE_OK: `*change_out` is the next; YORE_NOT_FOUND: no more. */
YORE_API enum yore_status yore_changes_next(struct yore_changes *changes,
                                            struct yore_change *change_out,
                                            struct yore_error *error_out) YORE_MUST_USE;
YORE_API void yore_changes_close(struct yore_changes *changes);

/* One write inside a commit.  keyspace_id 0 is the catalogue (yore_keyspace_id() names the others).
 */
struct yore_feed_write {
    uint32_t keyspace_id;
    enum yore_kind kind;
    struct yore_bytes key;
    struct yore_bytes value;
    int64_t valid_from;
    int64_t valid_to;
};

struct yore_feed_commit {
    int64_t commit;
    const struct yore_feed_write *writes; /* borrowed until the next move or close */
    size_t write_count;
    bool has_more; /* a large one is told in parts: the next goes on with this commit */
};

/* Every commit after `after_commit`, in commit order, up to the commits visible at the call;
 * YORE_TIME_MIN: from the first on.  Resumable: pass the last commit seen whole.  Of the writes of
 * a commit to one key and moment the last is told.  An open feed keeps the journal's segments that
 * it has yet to read, without limit: read it to its end, or close it; a watch keeps none.  What the
 * journal has no more is put in order from the tables, in windows of 32 MiB; a page of a table is
 * read again for every window that it has commits of.  Errors:
 * YORE_INVALID (INT64_MIN), YORE_IN_FUTURE (`after_commit` after now, YORE_NOW too: only a watch
 * waits for what is to come), YORE_BEFORE_HORIZON (commits after it are no longer kept, of any
 * keyspace: so a feed of the tables begins no earlier than the drop of one that kept only now). */
YORE_API enum yore_status yore_feed_open(struct yore_db *db, int64_t after_commit,
                                         struct yore_feed **feed_out,
                                         struct yore_error *error_out) YORE_MUST_USE;
/* Every version of `keyspace` that is kept, however far commits reach back: those of one view,
 * which the feed holds until it is closed.  Not in commit order but by key, of a key the greatest
 * (valid_from, commit) first; each is told as a commit of one write.  Where there is a horizon
 * those before it are told as far as they are still there; what holds at it a timeline tells.
 * `range` (NULL: every key) is copied.  Errors: YORE_NOT_FOUND (the keyspace was dropped),
 * YORE_UNSUPPORTED (it keeps only now: a cursor tells all there is), YORE_INVALID and YORE_TOO_BIG
 * (range). */
YORE_API enum yore_status yore_feed_open_kept(struct yore_db *db, struct yore_keyspace *keyspace,
                                              const struct yore_range *range,
                                              struct yore_feed **feed_out,
                                              struct yore_error *error_out) YORE_MUST_USE;
/* Back to before the first version of a feed of yore_feed_open_kept(): the same are told again,
 * those erased since as erased. */
YORE_API void yore_feed_rewind(struct yore_feed *feed);
/* YORE_OK: `*commit_out` is the next, or the next part; YORE_NOT_FOUND: no more.  Errors:
 * YORE_BEFORE_HORIZON, YORE_CORRUPT, YORE_IO. */
YORE_API enum yore_status yore_feed_next(struct yore_feed *feed,
                                         struct yore_feed_commit *commit_out,
                                         struct yore_error *error_out) YORE_MUST_USE;
YORE_API void yore_feed_close(struct yore_feed *feed);

/* ---- watching: the feed that goes on --------------------------------------------------------- */

struct yore_watch_options {
    struct yore_keyspace *keyspace; /* NULL: every one */
    struct yore_range range;        /* copied; with a range the catalogue is left out */
    int64_t after_commit;           /* YORE_NOW: from the commits after the call on;
                                       YORE_TIME_MIN: from the first on */
    bool durable_only; /* tell a commit once it is on stable storage: for followers that must
                          never be ahead of what a power cut leaves */
};

/* Watch every commit after `after_commit`, for as long as wanted: first those that were made
 * before, then each as it becomes visible, to any reader at the same moment, whatever its
 * durability. `options` may be NULL: everything, from now on.  What is read at
 * yore_watch_position() after opening, and told from there on, is the whole.  To go on after
 * closing or another opening of the database, pass the last position. Errors: YORE_INVALID
 * (`after_commit` INT64_MIN; range), YORE_TOO_BIG (range), YORE_IN_FUTURE (`after_commit` after
 * now), YORE_BEFORE_HORIZON (commits after it are no longer kept). */
YORE_API enum yore_status yore_watch_open(struct yore_db *db,
                                          const struct yore_watch_options *options,
                                          struct yore_watch **watch_out,
                                          struct yore_error *error_out) YORE_MUST_USE;
/* The next commit, in commit order, each once and whole but for writes outside keyspace and range;
 * a commit without a write inside is passed over.  As in a feed, a large one comes in parts.  Waits
 * up to `timeout_ns` (0: not at all; YORE_FOREVER: no limit) when there is none.  Writes are
 * borrowed until the next call or close.  The time bounds the waiting only: commits of long ago may
 * have to be searched for.
 *
 * YORE_NOT_FOUND: nothing within the time; ask again.  Any other error is repeated: close the
 * watch, and open another at its position, where nothing was missed. Errors: YORE_CANCELLED
 * (yore_watch_cancel()); YORE_BEFORE_HORIZON (the watch was too slow, and commits after the one the
 * text names are no longer kept: begin anew from what is there now;
 * yore_options.feed_retention_bytes keeps more, but not beyond an erasure, whose bytes leave the
 * journal at once: commits to a keyspace that keeps only now can then be told no more); the error
 * that stopped the database, once all that is visible was told; YORE_INVALID (`timeout_ns` < 0, not
 * repeated); YORE_CORRUPT, YORE_IO. */
YORE_API enum yore_status yore_watch_next(struct yore_watch *watch, int64_t timeout_ns,
                                          struct yore_feed_commit *commit_out,
                                          struct yore_error *error_out) YORE_MUST_USE;
/* Every commit up to here was told whole or passed over; it moves on with each call, also when
 * nothing was found. */
YORE_API int64_t yore_watch_position(const struct yore_watch *watch);
/* From any thread: wake the watch's thread; its call and all later ones return YORE_CANCELLED. Must
 * have returned before the watch is closed. */
YORE_API void yore_watch_cancel(struct yore_watch *watch);
YORE_API void yore_watch_close(struct yore_watch *watch);

/* ---- keyspaces ------------------------------------------------------------------------------ */

enum yore_keep {
    YORE_KEEP_ALL = 0, /* every version, for ever */
    YORE_KEEP_FOR = 1, /* `keep_ns` back from now */
    YORE_KEEP_NOW = 2  /* only the present; no explicit valid times; fixed when created */
};

enum yore_compression {
    YORE_COMPRESSION_DEFAULT = 0, /* LZ4 for the present, Zstandard for the past */
    YORE_COMPRESSION_NONE = 1,
    YORE_COMPRESSION_LZ4 = 2,
    YORE_COMPRESSION_ZSTD = 3
};

struct yore_keyspace_options {
    enum yore_keep keep;
    int64_t keep_ns; /* for YORE_KEEP_FOR: > 0 */
    enum yore_compression compression;
};

struct yore_keyspace_info {
    uint32_t id;
    char name[YORE_KEYSPACE_NAME_BYTES_MAX + 1];
    struct yore_keyspace_options options;
    int64_t horizon;    /* oldest readable moment; YORE_TIME_MIN: all */
    bool is_dropped;    /* since; yore_keyspace_list() has such only as of a past moment */
    int64_t dropped_at; /* the commit that dropped it; YORE_FOREVER: none has */
};

/* Create (YORE_EXISTS when there is one of that name; YORE_TOO_BIG beyond YORE_KEYSPACES_MAX; NULL
 * options keep all), open (YORE_NOT_FOUND), drop (YORE_NOT_FOUND; YORE_INVALID for "default").
 * YORE_INVALID: a name or options that are not allowed.  Handles belong to the database and stay
 * valid until it closes, also of what was dropped: each of these takes some hundred octets.  After
 * a drop writes get YORE_NOT_FOUND, and so does every read at or after
 * yore_keyspace_info.dropped_at, now included, unless it asks what was known before the drop (of
 * changes their begin counts: what was there at the drop counts as there after it); the past stays
 * readable, and what was opened, begun or taken before the drop goes on as it was, but a
 * transaction that read the keyspace and writes conflicts with the drop.  The past stays for as
 * long as it would have: for ever, until the keyspace's duration has passed the drop, or, where
 * only now is kept, not at all; then all that it took is given back.  To be rid of it sooner, call
 * yore_trim() with a moment after the drop. yore_keyspace_open with `at` opens one that existed
 * then. */
YORE_API enum yore_status yore_keyspace_create(struct yore_db *db, const char *name,
                                               const struct yore_keyspace_options *options,
                                               struct yore_keyspace **keyspace_out,
                                               struct yore_error *error_out) YORE_MUST_USE;
YORE_API enum yore_status yore_keyspace_open(struct yore_db *db, const char *name,
                                             const struct yore_time *at,
                                             struct yore_keyspace **keyspace_out,
                                             struct yore_error *error_out) YORE_MUST_USE;
YORE_API enum yore_status yore_keyspace_drop(struct yore_db *db, const char *name,
                                             struct yore_error *error_out) YORE_MUST_USE;
/* YORE_KEEP_FOR counts back from the database's now, which follows the wall clock: a clock that is
 * set forward moves horizons with it, and what they pass is gone, also when the clock is set back.
 *
 * Change retention (not to or from YORE_KEEP_NOW) and compression of what is written from now on.
 * Errors: YORE_INVALID, YORE_NOT_FOUND (it was dropped). */
YORE_API enum yore_status yore_keyspace_alter(struct yore_db *db, struct yore_keyspace *keyspace,
                                              const struct yore_keyspace_options *options,
                                              struct yore_error *error_out) YORE_MUST_USE;
YORE_API uint32_t yore_keyspace_id(const struct yore_keyspace *keyspace);
YORE_API enum yore_status yore_keyspace_info(struct yore_db *db, struct yore_keyspace *keyspace,
                                             struct yore_keyspace_info *info_out,
                                             struct yore_error *error_out) YORE_MUST_USE;
/* Call `each` for every keyspace that exists at `at`, by name ("default" exists always); a non-zero
 * return stops the walk. */
YORE_API enum yore_status yore_keyspace_list(struct yore_db *db, const struct yore_time *at,
                                             int (*each)(void *arg,
                                                         const struct yore_keyspace_info *info),
                                             void *arg, struct yore_error *error_out) YORE_MUST_USE;
/* What a keyspace takes.  Of tables: exact, and told from their descriptions, without reading them.
 * The newest version of a key may be in tables of the past too, and one that was superseded stays
 * with the present until a merge has met both.  A table that ranges of keys have in common counts
 * whole until none of them needs it. */
struct yore_keyspace_usage {
    int64_t
        oldest; /* the oldest readable moment; YORE_TIME_MIN: all; where only now is kept: now */
    uint64_t memory_bytes; /* of keys and values that no table has yet */
    uint64_t memory_versions;
    uint64_t present_bytes;    /* of the files of the tables that answer for now ... */
    uint64_t present_versions; /* ... and what they hold; deletes too, until the deepest merge */
    uint64_t past_bytes;       /* of the files of the tables that answer for the past ... */
    uint64_t past_versions;    /* ... and what they hold, carried copies left out */
    uint64_t past_copies;      /* carried copies */
    /* What retention will free once the horizon stands where the keyspace's duration says it should
     * now: the files that go whole, and what they hold, copies too; and of those that will be
     * written anew how many versions go at least, and their share of the octets.  What else lies
     * before the horizon leaves with merges or yore_compact() and is not foretold. */
    uint64_t freeable_bytes;
    uint64_t freeable_versions;
};
YORE_API enum yore_status yore_keyspace_usage(struct yore_db *db, struct yore_keyspace *keyspace,
                                              struct yore_keyspace_usage *usage_out,
                                              struct yore_error *error_out) YORE_MUST_USE;
/* Move the horizon to `horizon`, a moment: what held at it is kept, what ended before it can no
 * longer be read.  Its space comes back in the background: tables of the past that lie before the
 * horizon with all that was known of their time go whole, or are written anew where at least 1/8 of
 * their versions go, and of each key no more than one version from before the horizon is left in
 * each, what was committed after the horizon aside.  A key that ended after its last value was
 * sealed keeps that value, beside the end that hides it, until the next seal.  Where the horizon
 * lies inside a table, the rest of that table waits until it has passed it or for yore_compact();
 * what a held snapshot reads waits for its release.  A horizon that is not later than the present
 * one changes nothing. Errors: YORE_INVALID, YORE_IN_FUTURE (after now), YORE_UNSUPPORTED (the
 * keyspace keeps only now).
 */
YORE_API enum yore_status yore_trim(struct yore_db *db, struct yore_keyspace *keyspace,
                                    int64_t horizon, struct yore_error *error_out) YORE_MUST_USE;

/* ---- upkeep --------------------------------------------------------------------------------- */

/* Progress of long work; called from the calling thread.  A non-zero return cancels
 * (YORE_CANCELLED). */
typedef int (*yore_progress_fn)(void *arg, uint64_t done_bytes, uint64_t total_bytes);

/* Write the memtables to tables and wait.  Errors: YORE_NO_SPACE, YORE_IO, YORE_CORRUPT, and
 * whatever has stopped the database. */
YORE_API enum yore_status yore_flush(struct yore_db *db,
                                     struct yore_error *error_out) YORE_MUST_USE;
/* Flush, merge every level down, merge the history's runs, apply retention and pending erasures,
 * give back large values that nothing refers to any more, and wait.  Of what the horizon has passed
 * there is left of each key the version that holds at it, copies of that in slices, deletes that
 * hide or have hidden something older, and what yore_trim() names; and what a held snapshot reads.
 * `keyspace` NULL means every keyspace.  What a cursor, value or feed still holds leaves when that
 * is closed.  Errors: as yore_flush(). */
YORE_API enum yore_status yore_compact(struct yore_db *db, struct yore_keyspace *keyspace,
                                       struct yore_error *error_out) YORE_MUST_USE;
/* A complete, openable copy in the new directory `path`: hard links where the file system allows.
 * Errors: YORE_EXISTS (something is there), YORE_NOT_FOUND (the directory above), YORE_BUSY
 * (keyspaces or horizons changed during each of 32 flushes), YORE_NO_SPACE, YORE_IO. */
YORE_API enum yore_status yore_checkpoint(struct yore_db *db, const char *path,
                                          struct yore_error *error_out) YORE_MUST_USE;

struct yore_backup_info {
    uint64_t id;        /* 1, 2, 3, ... in one backup directory */
    int64_t commit;     /* the last commit inside */
    uint64_t bytes;     /* what it holds */
    uint64_t new_bytes; /* what this backup copied; less than `bytes` when incremental */
};

/* Back up into directory `path` (made if missing).  The first is full; each later one copies only
 * what the directory lacks.  Runs while reads and writes go on.  `progress` and `info_out` may be
 * NULL.  Errors: YORE_NOT_FOUND (the directory above `path`), YORE_LOCKED (another backup is being
 * written there), YORE_EXISTS (the directory
 * has files of somebody else, or backups of another database), YORE_BUSY (as yore_checkpoint()),
 * YORE_CANCELLED, YORE_CORRUPT, YORE_NO_SPACE, YORE_IO; what a failed backup copied is taken up or
 * removed by the next. */
YORE_API enum yore_status yore_backup(struct yore_db *db, const char *path,
                                      yore_progress_fn progress, void *arg,
                                      struct yore_backup_info *info_out,
                                      struct yore_error *error_out) YORE_MUST_USE;
/* Call `each` for every backup in directory `path`, oldest first; a non-zero return stops the walk.
 * A directory without backups has none to tell.  Errors: YORE_NOT_FOUND (no such directory),
 * YORE_CORRUPT (a description, named), YORE_BAD_FORMAT, YORE_IO. */
YORE_API enum yore_status yore_backup_list(const char *path,
                                           int (*each)(void *arg,
                                                       const struct yore_backup_info *info),
                                           void *arg, struct yore_error *error_out) YORE_MUST_USE;

struct yore_restore {
    const char *backup_path;
    const char *target_path;   /* must not exist, or be an empty directory that can be replaced: not
                                  a mount point, nor "." */
    uint64_t id;               /* 0: the latest */
    int64_t to_commit;         /* commits after it are left out; YORE_FOREVER: none */
    yore_progress_fn progress; /* may be NULL */
    void *progress_arg;
};
/* Make a database from a backup.  Erasures recorded in any later backup of the directory are
 * applied too. Errors: YORE_NOT_FOUND (no backup, or none of that id), YORE_BEFORE_HORIZON (no
 * backup reaches back to `to_commit`: a commit between backups can be restored only if every
 * keyspace, also dropped ones, has kept what was known then; one that keeps only now has not once
 * it was written to after that commit.  A backup's own commit can always be restored), YORE_EXISTS,
 * YORE_CANCELLED, YORE_CORRUPT. */
YORE_API enum yore_status yore_restore(const struct yore_restore *restore,
                                       struct yore_error *error_out) YORE_MUST_USE;

struct yore_verify_report {
    /* Tables and value files, and segments of a journal that is damaged as a whole: manifest and
     * journal are read, not counted. */
    uint64_t files;
    uint64_t bytes; /* of these, and of the journal's records */
    uint64_t pages;
    uint64_t journal_records;
    uint64_t keys;     /* present now */
    uint64_t versions; /* all but copies and the catalogue */
    uint64_t copies;   /* carried copies */
    uint64_t values_apart;
    uint64_t erasures_pending; /* erasures of which some file may have a value still; 0: none has */
    uint64_t problems;
};
/* Read everything: every checksum, every order, every bound, every reference.  `problem` (may be
 * NULL) gets one line per finding: file, offset, cause; in the calling thread, borrowed.
 * `report_out` may be NULL.  Returns YORE_CORRUPT when there is a finding; YORE_NOMEM or
 * YORE_NO_FILES, which is no finding, when it could not read on. */
YORE_API enum yore_status yore_verify(struct yore_db *db,
                                      void (*problem)(void *arg, const char *line), void *arg,
                                      struct yore_verify_report *report_out,
                                      struct yore_error *error_out) YORE_MUST_USE;

/* The same of the database in directory `path`, which may be too damaged to open: opened to read
 * only (see yore_open()), past whatever cannot be read.  A damaged journal or catalogue hides
 * nothing of the other files; without the manifest tables cannot be checked, without CURRENT
 * nothing can, and the report says so.  Errors beside YORE_CORRUPT: YORE_NOT_FOUND (no database),
 * YORE_LOCKED. */
YORE_API enum yore_status yore_verify_path(const char *path,
                                           void (*problem)(void *arg, const char *line), void *arg,
                                           struct yore_verify_report *report_out,
                                           struct yore_error *error_out) YORE_MUST_USE;

/* ---- statistics ----------------------------------------------------------------------------- */

enum yore_stat_kind { YORE_STAT_COUNTER = 1, YORE_STAT_GAUGE = 2, YORE_STAT_HISTOGRAM = 3 };

struct yore_stat {
    const char *name; /* snake_case with its unit last: commit_latency_us */
    const char *help; /* one sentence */
    enum yore_stat_kind kind;
    uint64_t value; /* counter or gauge; a histogram's count */
    uint64_t sum;   /* the rest: histograms only, in the unit of the name */
    uint64_t p50, p95, p99, max;
};

/* Call `each` for every statistic of the database, in a fixed order.  Counters begin at 0 when it
 * is opened.  `name` and `help` are constants; the struct is borrowed. */
YORE_API void yore_stats(struct yore_db *db, void (*each)(void *arg, const struct yore_stat *stat),
                         void *arg);

#ifdef __cplusplus
#if defined(__GNUC__)
#pragma GCC diagnostic pop
#endif
}
#endif
#endif
