/* sim_support.h -- short hands for tests of the simulated disk; each fails the case when the call
 * fails. */
#ifndef YORE_TESTS_SIM_SUPPORT_H
#define YORE_TESTS_SIM_SUPPORT_H

#include <string.h>

#include "os/sim_disk.h"
#include "support/test.h"

static inline struct os_file *sim_open(struct sim_disk *disk, const char *path,
                                       enum os_open_mode mode)
{
    struct yore_error error;
    struct os_file *file;
    enum yore_status st = os_file_open(sim_disk_env(disk), path, mode, &file, &error);
    CHECK_MSG(st == YORE_OK, "%s", error.text);
    return file;
}

/* Create `path` with `text` in it; synced if asked, its entry never. */
static inline void sim_make(struct sim_disk *disk, const char *path, const char *text,
                            bool is_synced)
{
    struct os_file *file = sim_open(disk, path, OS_OPEN_CREATE);
    CHECK_OK(os_file_write(file, 0, text, strlen(text), NULL));
    if (is_synced) {
        CHECK_OK(os_file_sync(file, NULL));
    }
    os_file_close(file);
}

/* The text of a file; "-" when it is missing. */
static inline const char *sim_text(struct sim_disk *disk, const char *path, char text[64])
{
    struct os_file *file;
    size_t size;
    enum yore_status st = os_file_open(sim_disk_env(disk), path, OS_OPEN_READ, &file, NULL);
    if (st == YORE_NOT_FOUND) {
        return "-";
    }
    CHECK_OK(st);
    CHECK_OK(os_file_read(file, 0, text, 63, &size, NULL));
    text[size] = '\0';
    os_file_close(file);
    return text;
}

static inline void sim_check_text(struct sim_disk *disk, const char *path, const char *want)
{
    char text[64];
    CHECK_EQ_STR(sim_text(disk, path, text), want);
}

#endif
