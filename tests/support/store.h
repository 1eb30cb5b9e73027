/* store.h -- a database on a simulated disk with limits so small that flushes, merges and seals
 * happen all the time, and the counters that prove that they did.
 */
#ifndef YORE_TEST_SUPPORT_STORE_H
#define YORE_TEST_SUPPORT_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include <yore/yore.h>

#include "os/sim_disk.h"

#define STORE_PATH "db"

/* Where the engine found what it was asked for: its counters reads_from_<name>. */
#define STORE_SOURCES(X)                                                                           \
    X(MEMTABLE, "reads_from_memtable")                                                             \
    X(L0, "reads_from_l0")                                                                         \
    X(LEVELS, "reads_from_levels")                                                                 \
    X(RUNS, "reads_from_runs")                                                                     \
    X(SLICES, "reads_from_slices")                                                                 \
    X(LATE_RUNS, "reads_from_late_runs")                                                           \
    X(CARRIED, "reads_from_carried")

enum store_source {
#define STORE_SOURCE_ENUM(name, stat) STORE_##name,
    STORE_SOURCES(STORE_SOURCE_ENUM)
#undef STORE_SOURCE_ENUM
        STORE_SOURCE_COUNT
};

/* The smallest limits there are. */
void store_options_tiny(struct yore_options *options);

/* Add the database's counters to counts[STORE_SOURCE_COUNT]. */
void store_add_sources(struct yore_db *db, uint64_t *counts);
/* One statistic by name; 0 when there is none. */
uint64_t store_stat(struct yore_db *db, const char *name);
/* How often history was cut and what became of it: sums over the databases of a suite. */
struct store_cuts {
    uint64_t databases;
    uint64_t merges;
    uint64_t seals;
    uint64_t late_merges;
    uint64_t slices_dropped;
    uint64_t runs_dropped;
    uint64_t trims;
    uint64_t slices_most; /* that one database had when it was looked at */
};
/* Look at a database that is about to be closed. */
void store_add_cuts(struct yore_db *db, struct store_cuts *cuts);
/* Print them; true when history was cut at least `seals_min` times, and everything else happened
 * too. */
bool store_print_cuts(const struct store_cuts *cuts, uint64_t seals_min);
/* Print the share of every source; true when each is at least `percent_min`. */
bool store_print_sources(const uint64_t *counts, unsigned percent_min);

/* Every file below directory `path`, with its size, in no order; a non-zero return stops the walk.
 */
void store_files(struct sim_disk *disk, const char *path,
                 void (*each)(void *arg, const char *file, uint64_t size), void *arg);
/* Unlink every file of a directory, and the directory. */
void store_remove(struct sim_disk *disk, const char *path);

#endif
