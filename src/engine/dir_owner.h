/* dir_owner.h -- whose directory is it?  Nothing is made in one of somebody else. */
#ifndef YORE_ENGINE_DIR_OWNER_H
#define YORE_ENGINE_DIR_OWNER_H

#include "base/status.h"

struct os_env;

/* What a name in a directory says of it. */
enum dir_owner {
    DIR_OWNER_ANY, /* nothing: an attempt that was killed may have left it, or the system */
    DIR_OWNER_STRANGER,
    DIR_OWNER_SELF /* it is ours, whatever else there is */
};

/* `what` is what the directory should be, as in "database".  YORE_EXISTS: it has files of somebody
 * else; YORE_NOT_FOUND: there is none. */
enum yore_status dir_check_owner(struct os_env *env, const char *path, const char *what,
                                 enum dir_owner (*judge)(const char *name),
                                 struct yore_error *error_out);

#endif
