/* dir_owner.c -- see dir_owner.h. */
#include "engine/dir_owner.h"

#include <stdbool.h>
#include <stdio.h>

#include "os/env.h"

#define STRANGER_BYTES 121 /* as much of its name as is told */

struct names {
    enum dir_owner (*judge)(const char *name);
    char stranger[STRANGER_BYTES]; /* empty: none */
    bool is_own;
};

static int take_name(void *arg, const char *name)
{
    struct names *names = arg;
    enum dir_owner owner = names->judge(name);
    names->is_own |= owner == DIR_OWNER_SELF;
    if (owner == DIR_OWNER_STRANGER) {
        (void)snprintf(names->stranger, sizeof names->stranger, "%s", name);
    }
    return names->is_own;
}

enum yore_status dir_check_owner(struct os_env *env, const char *path, const char *what,
                                 enum dir_owner (*judge)(const char *name),
                                 struct yore_error *error_out)
{
    struct names names = {.judge = judge};
    enum yore_status st = os_dir_list(env, path, take_name, &names, error_out);
    if (st != YORE_OK || names.is_own || names.stranger[0] == '\0') {
        return st;
    }
    return error_set(error_out, YORE_EXISTS,
                     "%.200s is no %s and not empty (it has %s): name a directory that is missing "
                     "or empty",
                     path, what, names.stranger);
}
