/* batch.h -- what a batch can tell besides (include/yore/yore.h has the rest).
 *
 * Who counts keys must know of each write whether there was a value before.  To read for that costs
 * as much as the write; the memtable, where the write goes anyway, mostly tells it by the way.
 */
#ifndef YORE_ENGINE_BATCH_H
#define YORE_ENGINE_BATCH_H

#include <stddef.h>

#include <yore/yore.h>

#include "engine/db_internal.h"

/* Of the one write since the last cut, which begins now, tell what it is laid over.  The cut comes
 * next. */
void batch_ask_below(struct yore_batch *batch);
/* Of the part before cut `part` (from 0 on) of the batch that was last committed, and well: what
 * was there when it was.  BELOW_UNKNOWN: the memtable does not know; what was there before the
 * commit has to be read. */
enum commit_below batch_below(const struct yore_batch *batch, size_t part);

#endif
