/* key_range.h -- what a key must be, and a range of keys as its two bounds. */
#ifndef YORE_ENGINE_KEY_RANGE_H
#define YORE_ENGINE_KEY_RANGE_H

#include <yore/yore.h>

#include "base/buffer.h"

/* Errors: YORE_INVALID (empty), YORE_TOO_BIG. */
enum yore_status key_check(struct yore_bytes key, struct yore_error *error_out);
/* The bounds of `range` in two empty buffers: [low, high), an empty one being none.
 * Errors: YORE_INVALID (prefix and bounds), YORE_TOO_BIG, YORE_NOMEM. */
enum yore_status key_range_bounds(const struct yore_range *range, struct buffer *low,
                                  struct buffer *high, struct yore_error *error_out);

#endif
