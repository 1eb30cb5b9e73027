/* options.h -- the options a database is opened with, whole and checked. */
#ifndef YORE_ENGINE_OPTIONS_H
#define YORE_ENGINE_OPTIONS_H

#include <yore/yore.h>

/* With the default of everything that is zero; NULL: all defaults. */
struct yore_options options_fill(const struct yore_options *options);
/* Is every number of filled options within its bounds?  YORE_INVALID names the one that is not. */
enum yore_status options_check(const struct yore_options *options, struct yore_error *error_out);

#endif
