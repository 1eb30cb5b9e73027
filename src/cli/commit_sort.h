/* commit_sort.h -- lines into the order of their commits, in bounded memory.
 *
 * What does not fit in COMMIT_SORT_BYTES is sorted and written to a temporary file, run by run; the
 * runs are merged when they are read.  Lines of one commit keep the order they came in.
 */
#ifndef YORE_CLI_COMMIT_SORT_H
#define YORE_CLI_COMMIT_SORT_H

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"

#define COMMIT_SORT_BYTES ((size_t)64 << 20)

struct commit_sort;

/* `memory_bytes`: lines held in memory before they go to the file, COMMIT_SORT_BYTES but for tests.
 */
enum yore_status commit_sort_new(size_t memory_bytes, struct commit_sort **sort_out,
                                 struct yore_error *error_out);
void commit_sort_free(struct commit_sort *sort);

/* Copies `line`.  Errors: YORE_IO (the temporary file), YORE_NOMEM. */
enum yore_status commit_sort_add(struct commit_sort *sort, int64_t commit, struct yore_bytes line,
                                 struct yore_error *error_out);

/* Call `each` for every line in order; its status, if not YORE_OK, ends the walk and is returned.
 * Once. */
enum yore_status commit_sort_each(struct commit_sort *sort,
                                  enum yore_status (*each)(void *arg, struct yore_bytes line,
                                                           struct yore_error *error_out),
                                  void *arg, struct yore_error *error_out);

#endif
