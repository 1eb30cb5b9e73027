/* merge_iter.h -- many sorted sources as one.
 *
 * Every version of every source in version order; versions equal in (key, valid_from, commit) come
 * out once: of such twins one that is not a carried copy is preferred, then the lowest source
 * index; VERSION_ALSO_CARRIED tells that a copy was among them. As of (all sources opened with the
 * same as-of view): one version a key, the newest of what the sources yield for that key;
 * merge_iter_source() tells whose it was. Either direction, changes of direction included.  The
 * first source error ends the walk with that error.
 */
#ifndef YORE_TABLE_MERGE_ITER_H
#define YORE_TABLE_MERGE_ITER_H

#include <stddef.h>

#include "table/version_iter.h"

/* Takes the iterators (not the array) and frees them with the merge, also on failure.  0 sources
 * are allowed. Errors: YORE_NOMEM. */
enum yore_status merge_iter_new(struct version_iter *const *sources, size_t count, bool is_as_of,
                                struct version_iter **iter_out);
/* Index of the source that yielded the current version. */
size_t merge_iter_source(const struct version_iter *it);

#endif
