/* db_internal.h -- the database's own struct, shared by the files of this folder.
 *
 * Locks, in the order they are taken:
 *   0  catalogue_lock  one creation, drop or change of a keyspace at a time (held over its commit)
 *   0  collect_lock    one value file is thinned at a time (never with the one above)
 *   0  sync_lock       one yore_sync() at a time, held over its sync (never with those above)
 *   1  commit.lock     the queue of writers; the leader token (commit.c)
 *   2  manifest_lock   one edit at a time: manifest append, then the next forest (jobs and leader)
 *   3  lock            superview switch, jobs, snapshots, keyspaces, erasures
 *   4  gaps.lock       ranges that are known to hold nothing (gaps.h)
 *   5  time_lock       assignment of commit times against readers that name a known time
 * No I/O under 1, 3, 4 or 5.  Readers take none of them, but for gaps.lock while a range is
 * watched: superview_acquire() is lock-free.
 */
#ifndef YORE_ENGINE_DB_INTERNAL_H
#define YORE_ENGINE_DB_INTERNAL_H

#include <stdatomic.h>

#include "engine/db.h"
#include "engine/erase_set.h"
#include "engine/forest.h"
#include "engine/gaps.h"
#include "engine/handles.h"
#include "engine/limits.h"
#include "engine/manifest.h"
#include "engine/memtable.h"
#include "engine/stats.h"
#include "engine/values.h"
#include "journal/commit_codec.h"
#include "journal/journal.h"
#include "os/striped_ref.h"
#include "os/thread.h"

#define KEYSPACE_SYSTEM 0u /* the catalogue, horizons, erasures: keys of catalogue.h */
#define KEYSPACE_DEFAULT 1u

/* ---- what a reader holds ---- */

/* Memtables and forest that belong together.  Structs are pooled and never freed before the
 * database closes, so that a reader may try to take a reference on a pointer that was just
 * replaced. */
struct superview {
    struct striped_ref refs; /* open: it is the current one */
    struct yore_db *db;
    struct memtable *active;
    struct memtable *waiting[MEMTABLES_WAITING_MAX + 2]; /* newest first */
    size_t waiting_count;
    struct forest *forest;
    struct erase_set *erased;
    struct superview *next_free; /* db lock */
};

struct superview *superview_acquire(struct yore_db *db); /* never NULL */
void superview_ref(struct superview *view);
void superview_release(struct superview *view); /* NULL is ignored */
void superview_retire(struct superview *view);  /* it is current no more; NULL is ignored */
/* Is there a view somebody holds, or the current one, of which `test` is true?  Views made
 * meanwhile may be missed. */
bool superview_any(struct yore_db *db, bool (*test)(void *arg, const struct superview *view),
                   void *arg);

/* A keyspace as the engine knows it; made once, never freed before close: callers keep handles, and
 * the past of a dropped one may be read for ever.  So it is small. */
struct yore_keyspace {
    struct yore_db *db;
    uint32_t id;
    _Atomic int keep; /* enum yore_keep */
    _Atomic int64_t keep_ns;
    _Atomic int compression;      /* enum yore_compression */
    _Atomic int64_t horizon;      /* reads need min(valid, known) >= it */
    _Atomic int64_t dropped_at;   /* the commit that dropped it; INT64_MAX: it is there */
    _Atomic bool is_level_busy;   /* a merge of its levels runs; set under db lock */
    _Atomic bool is_history_busy; /* work on its history runs; set under db lock */
    _Atomic uint64_t
        history_stuck_at;           /* serial of a forest whose wanted work turned out impossible */
    _Atomic uint64_t idle_stuck_at; /* likewise: where merging when idle failed */
    _Atomic int32_t gate;           /* writers inside, or -1: one alone (gate.c) */
    const struct stop *stop;        /* of who has both busy flags; NULL: nobody stops it */
    char name[];
};

static inline bool keyspace_is_dropped(const struct yore_keyspace *keyspace)
{
    return atomic_load_explicit(&keyspace->dropped_at, memory_order_acquire) != INT64_MAX;
}

struct snapshot_list {
    struct yore_snapshot *first; /* ascending commit */
    uint64_t taken;              /* how many ever were */
};

struct yore_snapshot {
    struct yore_db *db;
    int64_t now;
    int64_t commit;
    struct yore_snapshot *prev;
    struct yore_snapshot *next;
};

/* One waiting memtable and what flushing it lets go. */
struct waiting_memtable {
    struct memtable *memtable;
    uint64_t journal_segment; /* segments below it are not needed once it is flushed */
};

struct commit_request;

/* What a commit to keyspace 0 needs to take effect, made before it is journaled, so that memory
 * cannot run out after. */
struct catalogue_pending {
    bool is_prepared;
    struct erase_set *erased; /* NULL: no erasure, or published */
    struct superview *spare;  /* for publishing it */
};

struct commit_queue {
    struct os_mutex lock;
    struct os_cond done;      /* a request was finished, or leadership is free */
    struct os_cond published; /* more is visible or durable: watches wait */
    struct commit_request *first;
    struct commit_request *last;
    _Atomic uint32_t count; /* changed under lock; a leader that gathers looks without */
    uint32_t expected;    /* lock: writers that were here when the last group ended, its own too */
    uint32_t gather_rest; /* lock: groups to lead without gathering first */
    uint32_t gather_misses; /* lock: how many that was the last time, and 0 after a success */
    int64_t sync_ns;        /* leader: what the last sync took */
    bool has_watchers;      /* lock: some wait for `published`, and were not woken since */
    bool has_leader;
};

/* Where the background's pass over the value files is (value_collect.c). */
struct collect_pass {
    uint64_t next;       /* file to look through next; 0: no pass runs */
    uint64_t end;        /* its last file */
    uint64_t left_bytes; /* that the last pass could not look through */
};

/* Of the last purge: erasures up to a commit have left every file of the forest with this serial
 * and of later ones, and their rules are still there. */
struct purged {
    int64_t commit;
    uint64_t serial;
    bool is_left;
};

struct yore_db {
    struct os_env *env;
    struct db_findings *findings; /* opened to be checked; else NULL */
    struct os_env *overlay; /* opened to read only: it is env, and the database's own; else NULL */
    char *path;
    struct yore_options options; /* defaults filled in */
    bool is_inline;
    uint64_t database; /* identity */
    struct os_lock *dir_lock;

    struct page_cache *cache;
    struct table_pool *pool;
    struct values *values;
    _Atomic bool has_retired_values; /* value files that only held views name are to be unlinked */
    struct collect_pass collect;     /* upkeep's own */
    struct journal *journal;         /* leader token; sync beside it */

    struct os_mutex catalogue_lock;
    struct os_mutex collect_lock;
    struct os_mutex sync_lock;
    struct os_mutex manifest_lock;
    struct manifest *manifest; /* manifest_lock */
    uint64_t edit_count;       /* manifest_lock */
    _Atomic uint64_t next_file;

    _Atomic(struct superview *) view;
    struct os_mutex lock;
    struct os_cond work;        /* background threads wait for jobs */
    uint64_t work_serial;       /* lock: how often they were told that there may be some */
    struct os_cond timer;       /* the timer waits for something to sync, then for its time */
    struct os_cond upkeep;      /* upkeep waits for something to see to, then for its tick */
    _Atomic bool timer_sleeps;  /* each waits without end: set under lock before it looks for the */
    _Atomic bool upkeep_sleeps; /* last time, taken back by the leader who wakes it */
    struct os_cond idle;        /* a job ended: writers in a stall, flush and settle wait */
    struct superview *free_views; /* lock */
    struct superview **all_views; /* lock; freed at close */
    size_t view_count;
    struct waiting_memtable waiting[MEMTABLES_WAITING_MAX + 2]; /* lock; oldest first */
    size_t waiting_count;
    struct yore_keyspace **keyspaces; /* lock; by id */
    size_t keyspace_count;
    size_t keyspace_capacity;
    struct yore_keyspace **living; /* lock; those that are not dropped, in no order */
    size_t living_count;
    size_t living_capacity;
    struct yore_keyspace *default_keyspace;
    struct yore_keyspace *system_keyspace;
    struct snapshot_list snapshots; /* lock */
    uint32_t jobs_running;          /* lock */
    bool is_flushing;               /* lock */
    int64_t quiet_commit;           /* lock: what was visible when it was last looked at ... */
    int64_t quiet_since_ns;         /* lock: ... and since when nothing came after it */
    _Atomic bool is_closing;        /* written under lock; who is at work looks at it without */
    bool is_purging;                /* lock: purge_pending() runs in some thread */
    bool is_erase_pending;          /* lock: some file may hold erased bytes */
    struct purged purged;           /* lock */
    uint64_t feed_window_bytes;     /* FEED_WINDOW_BYTES, but in tests */
    size_t txn_reads_max;           /* TXN_READS_MAX, but in tests */
    size_t erasures_max;            /* rules, before an erasure waits for others to leave */
    struct os_thread *threads[18];  /* workers, timer, upkeep */
    size_t thread_count;

    _Atomic uint32_t level0_max; /* most tables in a level 0, most runs in a region: for stalls */
    _Atomic uint32_t runs_max;

    struct commit_queue commit;
    struct catalogue_pending pending; /* leader token */
    int64_t last_drop; /* leader, opening: commit of the last drop of a keyspace; INT64_MIN: none */
    _Atomic int64_t catalogue_commit; /* the last that wrote to the catalogue, before what it says
                                         of horizons and keyspaces holds for anybody */
    _Atomic uint64_t refusals; /* drops and moves of a horizon: what was checked before one of them
                                  is checked again by the leader */
    struct gaps gaps;
    struct os_mutex time_lock;
    int64_t assigned;          /* time_lock: last commit time handed out */
    int64_t known_floor;       /* time_lock: later commits are greater */
    _Atomic int64_t visible;   /* every commit <= this is in memtables or tables, and may be read */
    _Atomic int64_t now_floor; /* the greatest now ever told; closing and marks record it */
    int64_t clock_offset;      /* leader: wall minus monotonic when last looked */

    _Atomic int failed_status; /* enum yore_status; not YORE_OK: writes are refused with `failed` */
    struct yore_error failed;  /* lock; written once before failed_status */
    _Atomic bool is_failure_untold; /* failed, and the hook does not know */

    struct stats stats;
    struct handles handles;
};

/* ---- failing, time, numbers ---- */

/* The first failure of journal, manifest or value file: remember it, refuse writes from now on.
 * Returns `st`.  May be called with locks of 0 and 2 held, so it leaves telling the hook to
 * db_tell_failure(). */
enum yore_status db_fail(struct yore_db *db, enum yore_status st, const struct yore_error *cause);
/* Was `st` a refused file handle, and has a table given up one, so that it may be tried again?
 * Then `error_out` is cleared. */
bool db_has_found_handle(struct yore_db *db, enum yore_status st, struct yore_error *error_out);
/* Tell the hook, once, if the database has failed.  Upkeep calls it when it ends, closing too, with
 * no lock held. */
void db_tell_failure(struct yore_db *db);
/* The same for what writing to the value files came to; running out of memory is no failure. */
enum yore_status db_values_check(struct yore_db *db, enum yore_status st,
                                 const struct yore_error *cause);
/* The same for a place made in the journal: wanting memory or a file handle is no failure. */
enum yore_status db_journal_check(struct yore_db *db, enum yore_status st,
                                  const struct yore_error *cause);
/* Opening goes on past what is damaged, to check the rest: without the forest, the journal or the
 * catalogue. */
struct db_findings {
    void (*tell)(void *arg, enum yore_status st, const struct yore_error *error);
    void *arg;
    bool has_no_forest;
    bool has_no_journal;
    bool has_no_catalogue;
};
/* YORE_OK where the failure of a step was told as a finding, `*lost_out` is set then; else `st`. */
enum yore_status db_found(struct yore_db *db, enum yore_status st, bool *lost_out,
                          const struct yore_error *error);
/* The database is opened to read only: refuse writes from the start.  Nobody else knows it yet. */
void db_refuse_writes(struct yore_db *db);
/* YORE_OK, or why there are no writes: the failure that stopped them, or YORE_READ_ONLY. */
enum yore_status db_check_writable(struct yore_db *db, struct yore_error *error_out);
/* max(wall, visible, every now told before). */
int64_t db_now(struct yore_db *db);
/* The latest moment that a fact may be dated, or a span end: now, or options.clock_skew_max_ns
 * ahead of the wall clock.  A commit comes after its facts and takes now along, so a bound by now
 * itself would be pushed on by each. */
int64_t db_latest_begin(struct yore_db *db);
uint64_t db_take_file_number(struct yore_db *db);
void db_event(struct yore_db *db, const struct yore_event *event);
/* The oldest commit a held snapshot reads at; INT64_MAX: none.  Takes lock. */
int64_t db_oldest_snapshot(struct yore_db *db);
/* Is (valid, known) a held snapshot's pair?  Takes lock. */
bool db_is_snapshot(struct yore_db *db, int64_t valid, int64_t known);
struct yore_keyspace *db_keyspace(struct yore_db *db, uint32_t id); /* takes lock; NULL: none */
static inline struct yore_keyspace *keyspace_or_default(struct yore_db *db,
                                                        struct yore_keyspace *keyspace)
{
    return keyspace != NULL ? keyspace : db->default_keyspace;
}

/* Append `edit` to the manifest, make the next forest, publish it (with the memtables of `flushed`
 * newest-last taken off the waiting list: at most one, NULL none).  New files must be synced, and
 * the directory is synced here first.  Tables that nothing names any more are unlinked when the
 * last reader lets go.  A failure of the manifest stops the database (db_fail). */
enum yore_status db_commit_edit(struct yore_db *db, struct edit *edit, struct memtable *flushed,
                                struct yore_error *error_out);
/* The same for the tables of a load whose commit time is `commit`: before readers see them the
 * journal gets a durable record of it, and with them it becomes visible, before any job can go on
 * from the new forest.  The caller leads alone, and no commit before it waits in a memtable. */
enum yore_status db_commit_load(struct yore_db *db, struct edit *edit, int64_t commit,
                                const struct commit_load *load, struct yore_error *error_out);
/* Append the record of a load to the journal and sync it. */
enum yore_status db_journal_load(struct yore_db *db, int64_t commit, const struct commit_load *load,
                                 struct yore_error *error_out);
/* A table that was written in vain.  It is unlinked, unless the database has failed: then the
 * manifest may name it all the same, and opening again decides. */
void db_drop_new_file(struct yore_db *db, struct forest_file *file);
/* Publish memtables, forest and erasures as they stand.  REQUIRES(db->lock). */
enum yore_status db_publish(struct yore_db *db, struct memtable *active, struct forest *forest,
                            struct erase_set *erased) REQUIRES(db->lock);

/* ---- committing (commit.c) ---- */

/* What a transaction wants checked: no commit > `begin` touches these. */
struct commit_reads {
    int64_t begin; /* visible when the transaction began */
    int64_t
        expiry_min; /* something read expires then: conflict when the commit time is not before */
    int64_t since;  /* the first `begin`, which moves on with what was checked */
    int64_t validated; /* tables were checked up to this flushed commit */
    const struct commit_read *reads;
    size_t count;
};
struct commit_read {
    uint32_t keyspace;
    bool is_range; /* [key, high), high empty: to the last key */
    struct yore_bytes key;
    struct yore_bytes high;
};

/* What a write from now on was laid over. */
enum commit_below {
    BELOW_UNKNOWN, /* not asked for, or only a read can tell */
    BELOW_NOTHING, /* no value: there was none, it was deleted, or had ended */
    BELOW_VALUE
};

struct commit_request {
    const struct buffer *writes; /* commit_write_encode() one after the other */
    uint32_t count;
    uint64_t user_bytes;
    int64_t valid_max;             /* greatest explicit valid_from; INT64_MIN: none */
    uint64_t refusals;             /* db->refusals before the first fact was checked */
    int64_t fixed_commit;          /* db_apply(): use this commit time; 0: assign */
    bool has_apart;                /* refers to value files */
    struct value_hold *value_hold; /* of its values; who made the request lets go when it is done */
    bool is_catalogue; /* writes keyspace 0: the leader applies it to the catalogue too */
    enum yore_durability durability;  /* not DEFAULT */
    const struct commit_reads *reads; /* NULL: blind */
    bool asks_below;                  /* one write, from now on: see `below` */
    enum commit_below below;          /* out */
    int64_t commit;                   /* out */
    enum yore_status status;          /* out */
    const struct commit_read *met;    /* out: of `reads`, what somebody has changed; or NULL */
    struct commit_request *next;
    bool is_behind; /* stands behind another of the same writer */
    bool is_done;
    struct yore_error error; /* out; last, as most of the struct is room for its text */
};

/* Queue, wait, be acknowledged.  The result is in the request too. */
enum yore_status commit_submit(struct yore_db *db, struct commit_request *request,
                               struct yore_error *error_out);
/* The same for `count` >= 1 of them, each a commit of its own, in their order and as one group as
 * far as groups go.  One that is refused does not keep the others back; the first refusal is told.
 */
enum yore_status commit_submit_all(struct yore_db *db, struct commit_request *requests,
                                   size_t count, struct yore_error *error_out);
/* Hand the active memtable to the flusher even if it is not full (nothing when it is empty).  Not
 * from the leader. */
enum yore_status commit_switch(struct yore_db *db, struct yore_error *error_out);
/* Be leader without a group: nobody commits, appends to the journal, or changes the catalogue. */
void commit_lead_alone(struct yore_db *db);
void commit_lead_no_more(struct yore_db *db);
/* The next two: leading alone.  Everything committed goes to tables, and a commit time is handed
 * out; commit_withdraw() when it will not be used after all. */
enum yore_status commit_drain(struct yore_db *db, struct yore_error *error_out);
enum yore_status commit_assign(struct yore_db *db, int64_t *commit_out, int64_t *before_out,
                               struct yore_error *error_out);
void commit_withdraw(struct yore_db *db, int64_t before);
/* The last commit time handed out up to `commit`, or that.  Any thread. */
int64_t commit_last_assigned(struct yore_db *db, int64_t commit);
/* With nobody committing: append a mark if commits came since the last one; unlink old journal
 * segments. */
enum yore_status commit_idle_mark(struct yore_db *db, struct yore_error *error_out);
enum yore_status commit_purge_journal(struct yore_db *db, struct yore_error *error_out);
/* Something outside of a commit has become durable, or a watch is to look up. */
void commit_wake_watchers(struct yore_db *db);
/* Is everything committed <= `commit` visible?  Makes every later commit greater than it and waits.
 */
enum yore_status commit_wait_known(struct yore_db *db, int64_t commit,
                                   struct yore_error *error_out);

/* ---- reading (read.c) ---- */

/* A moment made concrete. */
struct read_moment {
    int64_t valid; /* INT64_MAX for "now": nothing begins after now */
    int64_t known; /* at most what is visible */
    int64_t now;   /* what valid_to is compared with; 0 until asked for when is_now */
    bool is_now;
    bool wants_any; /* a delete or an expired version is an answer too, not just an absence */
    bool in_memory; /* YORE_BUSY rather than a read from disk */
    bool
        gives_view; /* the reference to the view that is read in becomes the pin's, if it has one */
};

/* Fix what is visible, then take a view that holds all of it, then check the horizon: in this order
 * neither a commit nor a file that the answer needs can be missing.  On YORE_OK the caller releases
 * `*view_out`. */
enum yore_status read_begin(struct yore_db *db, struct yore_keyspace *keyspace,
                            const struct yore_time *at, struct read_moment *moment_out,
                            struct superview **view_out, struct yore_error *error_out);
/* The instant to compare valid_to with. */
int64_t read_moment_instant(struct yore_db *db, struct read_moment *moment);

/* What keeps a version's bytes where they are. */
struct read_pin {
    struct table_pin page;
    struct superview *view; /* a reference of its own */
    void *heap;             /* a value that was fetched from a value file */
};
void read_pin_release(struct read_pin *pin);

/* The winner at `moment`, whatever its kind: greatest (valid_from, commit) with valid_from <=
 * valid, commit <= known. YORE_NOT_FOUND: none.  version_out->key is `key`; value may still be a
 * reference (VERSION_APART). */
enum yore_status read_winner(struct superview *view, struct yore_keyspace *keyspace,
                             struct yore_bytes key, const struct read_moment *moment,
                             struct version *version_out, struct read_pin *pin,
                             struct yore_error *error_out);
/* Judge a winner: YORE_OK (a value that holds), YORE_NOT_FOUND (delete, expired), YORE_ERASED. */
enum yore_status read_judge(struct superview *view, const struct yore_keyspace *keyspace,
                            struct read_moment *moment, const struct version *winner);
/* Replace a reference by the value's bytes, kept by pin->heap. */
enum yore_status read_fetch(struct superview *view, struct version *version, struct read_pin *pin,
                            struct yore_error *error_out);
/* Among the region's slices before `slice_index` (slice_count: all): a version of the key greater
 * than *best (or any, when best->kind is 0), seen at (valid, known).  Replaces *best and *pin.
 * YORE_NOT_FOUND: there is none, or a slice refutes *best (R4 of read.c). */
enum yore_status read_look_back(struct superview *view, const struct forest_region *region,
                                size_t slice_index, struct yore_bytes key,
                                const struct read_moment *moment, struct version *best,
                                struct read_pin *pin, struct yore_error *error_out);

/* Must a read at `known` look into the region's runs?  Where only now is kept they serve snapshots
 * from before the last of them was written.  All or none: a delete may lie in another run than what
 * it hides. */
bool runs_can_serve(const struct yore_keyspace *keyspace, const struct forest_region *region,
                    int64_t known);

/* ---- walking (sources.c) ---- */

struct source_range {
    struct yore_bytes low;
    struct yore_bytes high; /* empty: to the last key */
    int64_t valid_low;
    int64_t valid_high;
};
extern const struct source_range source_range_all;

/* Every version of [low, high) in every source of the keyspace that can meet valid times up to
 * valid_high, twins once: memtables, levels, runs and the slices that reach past valid_low.  `view`
 * must not be as of; view.known and view.commit_after are honoured by whole files and pages only
 * where the source cannot do better: the caller compares commits again.  A version may come with
 * VERSION_CARRIED when only copies of it are left.  The caller holds `superview` while the iterator
 * lives, and stops at `high`. */
enum yore_status sources_all(struct superview *superview, struct yore_keyspace *keyspace,
                             const struct source_range *range, const struct iter_view *view,
                             struct version_iter **iter_out, struct yore_error *error_out);
/* The same of the key range->low alone; range->high is not looked at. */
enum yore_status sources_of_key(struct superview *superview, struct yore_keyspace *keyspace,
                                const struct source_range *range, const struct iter_view *view,
                                struct version_iter **iter_out, struct yore_error *error_out);

/* ---- keyspaces and erasures (catalogue.c) ---- */

/* Apply one write of keyspace 0 to what is in memory.  Leader, or opening. */
enum yore_status catalogue_apply(struct yore_db *db, const struct commit_write *write,
                                 int64_t commit, struct yore_error *error_out);
/* Before it is journaled: allocate all that catalogue_apply() will need for the request, whose
 * commit is assigned.  Afterwards, whatever became of it, catalogue_settle(). */
enum yore_status catalogue_prepare(struct yore_db *db, const struct commit_request *request,
                                   struct yore_error *error_out);
void catalogue_settle(struct yore_db *db);
/* A struct for the next db_publish(), so that it cannot fail; NULL: out of memory. */
struct superview *superview_spare(struct yore_db *db);
/* Read keyspace 0 when opening. */
enum yore_status catalogue_load(struct yore_db *db, struct yore_error *error_out);

/* ---- background (jobs.c) ---- */

enum yore_status jobs_start(struct yore_db *db, struct yore_error *error_out);
void jobs_stop(struct yore_db *db);                           /* waits for running jobs */
void jobs_wake(struct yore_db *db);                           /* something may be to do */
void jobs_wake_locked(struct yore_db *db) REQUIRES(db->lock); /* the same, also for upkeep */
void jobs_count(struct yore_db *db, int change);              /* of jobs that run */
/* Inline databases: do everything that is to do.  Others: nothing. */
enum yore_status jobs_run_inline(struct yore_db *db, struct yore_error *error_out);
/* Wait until every waiting memtable is flushed. */
enum yore_status jobs_wait_flushed(struct yore_db *db, struct yore_error *error_out);
/* The same, but flush in this thread what no other is at. */
enum yore_status jobs_flush_here(struct yore_db *db, struct yore_error *error_out);
/* Keep merges of the keyspace's levels away, if none runs: false when one does. */
bool jobs_try_claim_levels(struct yore_db *db, struct yore_keyspace *keyspace);
void jobs_free_levels(struct yore_db *db, struct yore_keyspace *keyspace);
/* Wait until no merge of the keyspace's levels runs; another may begin at any time. */
enum yore_status jobs_wait_levels(struct yore_db *db, struct yore_keyspace *keyspace,
                                  struct yore_error *error_out);

/* ---- writing facts (write.c) ---- */

/* Check key, value and dates of one fact and append its encoding.  `now` is the moment the dates
 * are judged at. */
struct fact {
    struct yore_keyspace *keyspace;
    enum yore_kind kind;
    struct yore_bytes key;
    struct yore_bytes value;
    int64_t from; /* YORE_NOW: the commit time */
    int64_t to;
    bool is_apart; /* value is a reference; its record is held */
};
extern const struct yore_write write_from_now_on;
/* Can a key and a value of these sizes be stored?  What fact_check() looks at first. */
enum yore_status fact_check_sizes(struct yore_bytes key, struct yore_bytes value,
                                  struct yore_error *error_out);
enum yore_status fact_check(struct yore_db *db, const struct fact *fact, bool is_span,
                            struct yore_error *error_out);
/* Does the value go to a value file?  If so, put it there: under `hold`, for `ref_out`. */
bool fact_goes_apart(const struct yore_db *db, const struct fact *fact);
enum yore_status fact_put_apart(struct yore_db *db, const struct fact *fact,
                                struct value_hold **hold, unsigned char ref_out[VALUE_REF_BYTES],
                                struct yore_error *error_out);
/* Append to `request`'s growing buffer `to` (large values go to the value store) and update its
 * counts. */
enum yore_status fact_encode(struct yore_db *db, const struct fact *fact, struct buffer *to,
                             struct commit_request *request, struct yore_error *error_out);

#endif
