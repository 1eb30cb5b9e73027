/* clip_iter.h -- a source as far as it lies in a range of keys. */
#ifndef YORE_ENGINE_CLIP_ITER_H
#define YORE_ENGINE_CLIP_ITER_H

#include "table/version_iter.h"

/* What `inner` yields of [low, high), an empty bound being none.  Takes `inner`, also on failure;
 * the bounds are kept by the maker while the iterator lives.  Errors: YORE_NOMEM. */
enum yore_status clip_iter_new(struct version_iter *inner, struct yore_bytes low,
                               struct yore_bytes high, struct version_iter **iter_out);

#endif
