/* watch_bed.h -- short words for a watch on a bed. */
#ifndef YORE_TEST_ENGINE_WATCH_BED_H
#define YORE_TEST_ENGINE_WATCH_BED_H

#include "unit/engine/bed.h"

/* A bed whose memtable takes so much, while a journal segment still has 64 KiB; in a bed as it is
 * nearly every commit is flushed. */
void open_memtable(struct bed *bed, uint64_t memtable_bytes);
/* The same bed once more, closed before. */
void open_again(struct bed *bed, uint64_t memtable_bytes);

/* Of everything. */
struct yore_watch *watch_from(struct yore_db *db, int64_t after);
/* What there is to tell, without waiting: "a=x b- ; a! ; ". */
const char *heard(struct yore_watch *watch);
/* The next commit is this one. */
void check_next(struct yore_watch *watch, int64_t commit);

/* Load so many rows, "r00000" and up; the commit. */
int64_t load_rows(struct yore_db *db, unsigned rows, size_t value_bytes);

#endif
