/* concat_iter.h -- tables that follow one another by key, walked as one source: a level, or the
 * files of a slice. */
#ifndef YORE_ENGINE_CONCAT_ITER_H
#define YORE_ENGINE_CONCAT_ITER_H

#include "engine/forest.h"

/* A walk over `files` (sorted, not overlapping); keeps the array and the files: the caller holds
 * the forest while the iterator lives. A table is opened when the walk reaches it. */
enum yore_status concat_iter_new(struct forest_file *const *files, size_t count,
                                 const struct iter_view *view, struct version_iter **iter_out);

#endif
