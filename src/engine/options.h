/* options.h -- the options a database is opened with, whole and checked. */
#ifndef YORE_ENGINE_OPTIONS_H
#define YORE_ENGINE_OPTIONS_H

#include <stdbool.h>

#include <yore/yore.h>

/* With the default of everything that is zero; NULL: all defaults. */
struct yore_options options_fill(const struct yore_options *options);
/* Is every number of filled options within its bounds?  YORE_INVALID names the one that is not.
 * `is_tiny`: memtables, segments and tables may be smaller than anybody else is allowed. */
enum yore_status options_check(const struct yore_options *options, bool is_tiny,
                               struct yore_error *error_out);

#endif
