/* sync_group.h -- new files that are synced together.
 *
 * A sync of a small new file costs mostly what the file system writes of itself, and that it writes
 * for all files at once: when all have begun to be written, the first sync pays for the others.
 */
#ifndef YORE_ENGINE_SYNC_GROUP_H
#define YORE_ENGINE_SYNC_GROUP_H

#include <stddef.h>

#include "base/status.h"

struct os_file;

/* Handles are kept, or a failure to write might be told to nobody: few at a time. */
#define SYNC_GROUP_FILES 16u

/* Zeroed: none. */
struct sync_group {
    struct os_file *files[SYNC_GROUP_FILES];
    size_t count;
};

/* Takes the file, whatever comes of it: it is durable after sync_group_end().  Errors: those of
 * syncing the others, where there was no more room. */
enum yore_status sync_group_add(struct sync_group *group, struct os_file *file,
                                struct yore_error *error_out);
/* Sync and close all; after a failure those that are left are closed. */
enum yore_status sync_group_end(struct sync_group *group, struct yore_error *error_out);
/* Close all; they are in vain. */
void sync_group_drop(struct sync_group *group);

#endif
