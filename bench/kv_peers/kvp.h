/* kvp.h -- one harness, many storage engines: the whole interface that a backend fills in.
 *
 * To add an engine: write be_<name>.c that defines one `const struct kvp_engine kvp_<name>`, and
 * name it in engines.c and in ../Makefile.  be_leveldb.c is the shortest example.
 * Return codes everywhere: 0 done, 1 not found or at the end, < 0 failed (told on standard error).
 */
#ifndef YORE_KVP_H
#define YORE_KVP_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define KVP_LATEST UINT64_MAX /* as a time: now */
#define KVP_KEY_BYTES 16      /* every user key of the workloads */
#define KVP_HISTORY_BATCH 100 /* versions in one commit of a history load */

struct kvp_config {
    const char *dir;       /* database directory (exists) */
    size_t cache_bytes;    /* engine cache for data on disk */
    size_t memtable_bytes; /* write buffer, where the engine has one */
    size_t map_bytes;      /* upper bound of the file size for engines that map it */
    int is_sync;           /* each put or batch is durable before it returns */
    int bloom_bits;        /* per key; 0: none */
    int compression;       /* 0 none, 1 fast (lz4, snappy), 2 zstd */
    int is_history;        /* opened for versioned keys */
    size_t key_bytes;      /* fixed user key length, for prefix extractors */
    int background_threads;
};

struct kvp_pair {
    const char *key;
    size_t key_size;
    const char *value;
    size_t value_size;
    uint64_t ts; /* history loads only: 1, 2, 3, ... */
};

/* One row; a non-zero return stops.  `ts` is 0 where the engine does not know it. */
typedef int (*kvp_emit_fn)(void *arg, const struct kvp_pair *row);

/* One key that differs between two times; a NULL value means absent at that time. */
struct kvp_difference {
    const char *key;
    const char *before;
    size_t before_size;
    const char *after;
    size_t after_size;
};
typedef int (*kvp_diff_fn)(void *arg, const struct kvp_difference *difference);

/* The keys [from, to) between two times, both at KVP_KEY_BYTES. */
struct kvp_span {
    const char *from;
    const char *to;
    uint64_t t1;
    uint64_t t2;
};

/* Fills `*pair`, keys ascending; 0 at the end. */
typedef int (*kvp_next_fn)(void *arg, struct kvp_pair *pair);

enum {
    KVP_CAP_WAL = 1, /* has a log whose tail is replayed at open */
    KVP_CAP_HISTORY_VOLATILE =
        2,                    /* native history is lost at close: query in the loading process */
    KVP_CAP_HISTORY_ONLY = 4, /* only the history workloads make sense in this mode */
    KVP_CAP_HISTORY_NONE = 8  /* no history workloads */
};

struct kvp_engine {
    const char *name;
    unsigned caps;
    const char *(*version)(void);
    void *(*open)(const struct kvp_config *config);
    void (*close)(void *db);
    void *(*thread_begin)(void *db); /* the per-thread handle of every call below */
    void (*thread_end)(void *thread);

    int (*put)(void *thread, const struct kvp_pair *pair);
    /* At most `capacity` octets of the value; `*size_out` is its whole size. */
    int (*get)(void *thread, const char *key, char *buffer, size_t capacity, size_t *size_out);
    int (*batch)(void *thread, const struct kvp_pair *pairs, size_t count); /* one atomic commit */

    /* A forward iterator.  is_point: the caller looks only at entries that share the user key of
     * the seek target, which lets engines use prefix filters. */
    void *(*iter_new)(void *thread, int is_point);
    int (*iter_seek)(void *iter, const char *key, size_t key_size); /* key NULL: the first */
    int (*iter_next)(void *iter);
    void (*iter_get)(void *iter, struct kvp_pair *row);
    void (*iter_free)(void *iter);

    /* May be NULL: flush memory; background work may go on. */
    int (*settle)(void *db);
    /* May be NULL: the engine's best load path. */
    int (*bulk)(void *db, kvp_next_fn next, void *arg);

    /* Native history.  batch_at NULL: the harness stores (key, ~ts) through the calls above. */
    int (*batch_at)(void *thread, const struct kvp_pair *pairs, size_t count);
    int (*get_at)(void *thread, const char *key, uint64_t ts, char *buffer, size_t capacity,
                  size_t *size_out);
    /* Rows of [span.from, span.to) as of span.t1. */
    long (*scan_at)(void *thread, const struct kvp_span *span, kvp_emit_fn emit, void *arg);
    /* Every version of `key`, newest first. */
    long (*history_of)(void *thread, const char *key, kvp_emit_fn emit, void *arg);
    long (*diff)(void *thread, const struct kvp_span *span, kvp_diff_fn emit, void *arg);
};

/* Every engine compiled in; ends with NULL. */
extern const struct kvp_engine *const kvp_engines[];

#ifdef __cplusplus
}
#endif
#endif
