/* limits.h -- every bound of the engine, by name.  Public ones are in yore.h. */
#ifndef YORE_ENGINE_LIMITS_H
#define YORE_ENGINE_LIMITS_H

#include <yore/yore.h>

#define LEVELS_MAX 7         /* level 0 overlaps, the others are one sorted run each */
#define LEVEL1_MEMTABLES 96u /* level 1 is meant to hold this many memtables, ... */
#define LEVEL1_BYTES_MAX                                                                           \
    (2ull << 30)                 /* ... but, as it is written anew whole, no more than this        \
                                  */
#define LEVEL1_MEMTABLES_MIN 4u  /* ... or so many memtables */
#define LEVEL_FANOUT 10u         /* level n+1 holds this many times level n */
#define LEVEL0_TIER_TABLES 8u    /* so many tables of level 0 of about one size become one */
#define LEVEL0_TIER_FACTOR 3u    /* one this many times larger is of another size */
#define LEVEL0_MERGE_TABLES 4u   /* merge level 0 down from this many tables on ... */
#define LEVEL0_MERGE_FACTOR 1u   /* ... if level 1 is not larger by more than this, ... */
#define LEVEL0_MERGE_DEPTH 16u   /* ... or from this many on in any case */
#define LEVEL0_IDLE_FACTOR 2u    /* ... or when idle, if level 1 is not larger by more than this */
#define LEVEL0_SLOW_TABLES 20u   /* slow writers down from here ... */
#define LEVEL0_STOP_TABLES 32u   /* ... and stop them here, until a merge is done */
#define LEVEL1_TABLES_MIN 16u    /* tables are no larger than so many in level 1 */
#define MEMTABLES_WAITING_MAX 2u /* full memtables waiting for a flush before writers stop */
#define RUNS_MERGE_COUNT 8u      /* runs of one region of about the same size: merge them */
#define RUNS_MERGE_MOST 24u      /* of any size: merge the smallest */
#define SEAL_SLICES_MAX 32u      /* made by one seal, and no more than ... */
#define SEAL_OPEN_BYTES_MAX (64u << 20) /* ... fit in this, of tables being written */
#define SEAL_UNEVEN 0.2     /* a slice may be off the size asked for by this share of it */
#define SEAL_IDLE_SHARE 4u  /* when idle, runs are sealed from 1/4 of what is written anew on */
#define RUNS_SLOW_COUNT 64u /* most runs a region has before writers slow down */
#define GROUP_BYTES_MAX (4u << 20) /* one group commit stops growing here */
#define GROUP_COUNT_MAX 1024u
/* A leader that will sync waits half as long as that will take for writers it has just met, within
 * these bounds. */
#define GATHER_NS_MIN 30000
#define GATHER_NS_MAX 1000000
#define GATHER_REST_MAX 63u
#define PAGE_BYTES_MAX (1u << 20)
/* Pages of the present are small, for a point read decodes a whole one; those of the past group the
 * versions of many keys, and are walked. */
#define PAST_PAGE_FACTOR 8u
#define TXN_READS_MAX (1u << 20) /* keys and ranges one transaction may have read */
#define TXN_SAVEPOINTS_MAX 1000u
#define MANIFEST_BYTES_MAX                                                                         \
    (1u << 20) /* rewritten when its log has grown by this, and by its own size */
#define FEED_WINDOW_BYTES (32u << 20)     /* memory of a feed rebuilt from tables */
#define LOAD_BLOCK_BYTES (64u << 10)      /* rows of a load are handed over in these */
#define LOAD_WAITING_BYTES_MAX (2u << 20) /* of them at a time, or one */
#define OPEN_FILES_MIN 16u                /* of tables, whatever the process may open */
#define ERASURES_MAX (1u << 20)
#define CLOCK_JUMP_NS 1000000000ll /* wall against monotonic: told from here on */

/* The least of a database opened inline, so that a test can fill the disk at every octet. */
#define TINY_MEMTABLE_BYTES (8u << 10)
#define TINY_FILE_BYTES (1u << 10) /* of a segment, a table */

/* Indexes and filters of tables may take so much where the cache is smaller.  Part of: */
#define INDEX_BYTES_FLOOR (32u << 20)
/* Memory beside memtables and cache that a process with default options may take (tested). */
#define FIXED_MEMORY_BYTES (96u << 20)

#endif
