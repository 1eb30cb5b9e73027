#include "engine/sync_group.h"

#include "os/env.h"

enum yore_status sync_group_add(struct sync_group *group, struct os_file *file,
                                struct yore_error *error_out)
{
    enum yore_status st = YORE_OK;
    if (group->count == SYNC_GROUP_FILES) {
        st = sync_group_end(group, error_out);
    }
    group->files[group->count++] = file;
    return st;
}

enum yore_status sync_group_end(struct sync_group *group, struct yore_error *error_out)
{
    enum yore_status st = YORE_OK;
    for (size_t i = 0; st == YORE_OK && i < group->count; i++) {
        st = os_file_sync(group->files[i], error_out);
    }
    sync_group_drop(group);
    return st;
}

void sync_group_drop(struct sync_group *group)
{
    for (size_t i = 0; i < group->count; i++) {
        os_file_close(group->files[i]);
    }
    group->count = 0;
}
