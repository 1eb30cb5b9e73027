/* file_ring_test.c -- how many files are open, which are closed, and what a refused handle does. */
#include <stdio.h>
#include <string.h>

#include "os/sim_disk.h"
#include "support/test.h"
#include "table/file_ring.h"

#define FILES 8u

struct bed {
    struct sim_disk *disk;
    struct file_ring *ring;
    char paths[FILES][8];
    struct kept_file kept[FILES];
};

static void bed_open(struct bed *bed, uint32_t open_max)
{
    bed->disk = sim_disk_new(1);
    struct os_env *env = sim_disk_env(bed->disk);
    for (unsigned i = 0; i < FILES; i++) {
        struct os_file *file = NULL;
        (void)snprintf(bed->paths[i], sizeof bed->paths[i], "f%u", i);
        CHECK_OK(os_file_open(env, bed->paths[i], OS_OPEN_CREATE, &file, NULL));
        CHECK_OK(os_file_write(file, 0, bed->paths[i], 2, NULL));
        os_file_close(file);
        kept_file_init(&bed->kept[i], bed->paths[i]);
    }
    CHECK_OK(file_ring_new(env, open_max, &bed->ring));
    (void)sim_disk_handles_peak(bed->disk);
}

static void bed_close(struct bed *bed)
{
    for (unsigned i = 0; i < FILES; i++) {
        file_ring_forget(bed->ring, &bed->kept[i]);
    }
    CHECK_EQ_UINT(file_ring_count(bed->ring), 0);
    file_ring_free(bed->ring);
    sim_disk_free(bed->disk);
}

static void pin(struct bed *bed, unsigned number)
{
    char data[2];
    size_t got = 0;
    CHECK_OK(file_ring_pin(bed->ring, &bed->kept[number], NULL));
    CHECK_OK(os_file_read(bed->kept[number].file, 0, data, 2, &got, NULL));
    CHECK(got == 2 && memcmp(data, bed->paths[number], 2) == 0);
}

static void read_once(struct bed *bed, unsigned number)
{
    pin(bed, number);
    kept_file_unpin(&bed->kept[number]);
}

TEST(no_more_files_are_open_than_the_ring_may_have)
{
    struct bed bed;
    bed_open(&bed, 3);
    for (unsigned i = 0; i < 5 * FILES; i++) {
        read_once(&bed, i % FILES);
    }
    CHECK_EQ_UINT(sim_disk_handles_peak(bed.disk), 3);
    bed_close(&bed);
}

TEST(a_file_that_is_open_is_not_opened_again)
{
    struct bed bed;
    bed_open(&bed, 3);
    read_once(&bed, 0);
    struct os_file *file = bed.kept[0].file;
    read_once(&bed, 1);
    read_once(&bed, 0);
    CHECK(bed.kept[0].file == file);
    bed_close(&bed);
}

TEST(a_file_just_read_stays_longer_than_one_long_unread)
{
    struct bed bed;
    bed_open(&bed, 3);
    for (unsigned i = 0; i < 4; i++) { /* the fourth makes the hand pass all */
        read_once(&bed, i);
    }
    unsigned idle = bed.kept[1].file != NULL ? 1 : 0;
    read_once(&bed, 3);
    read_once(&bed, 2);
    read_once(&bed, 4);
    CHECK(bed.kept[idle].file == NULL);
    CHECK(bed.kept[2].file != NULL && bed.kept[3].file != NULL);
    bed_close(&bed);
}

TEST(a_file_being_read_is_never_closed)
{
    struct bed bed;
    bed_open(&bed, 1);
    pin(&bed, 0);
    struct os_file *file = bed.kept[0].file;
    for (unsigned i = 1; i < FILES; i++) {
        read_once(&bed, i);
        CHECK(bed.kept[0].file == file);
    }
    CHECK_EQ_UINT(sim_disk_handles_peak(bed.disk), 2);
    kept_file_unpin(&bed.kept[0]);
    bed_close(&bed);
}

TEST(a_refused_handle_is_taken_from_another_file)
{
    struct bed bed;
    bed_open(&bed, FILES);
    sim_disk_set_handles(bed.disk, 2);
    for (unsigned i = 0; i < 3 * FILES; i++) {
        read_once(&bed, i % FILES);
    }
    CHECK_EQ_UINT(file_ring_count(bed.ring), 2);
    bed_close(&bed);
}

TEST(a_refused_handle_is_told_where_every_open_file_is_being_read)
{
    struct bed bed;
    struct yore_error error = {.text = ""};
    bed_open(&bed, FILES);
    sim_disk_set_handles(bed.disk, 1);
    pin(&bed, 0);
    CHECK_STATUS(file_ring_pin(bed.ring, &bed.kept[1], &error), YORE_NO_FILES);
    CHECK_STATUS(error.status, YORE_NO_FILES);
    CHECK_EQ_UINT(file_ring_count(bed.ring), 1);
    kept_file_unpin(&bed.kept[0]);
    read_once(&bed, 1);
    bed_close(&bed);
}

TEST(a_missing_file_is_not_counted)
{
    struct bed bed;
    struct kept_file none;
    bed_open(&bed, 2);
    kept_file_init(&none, "none");
    CHECK_STATUS(file_ring_pin(bed.ring, &none, NULL), YORE_NOT_FOUND);
    CHECK_EQ_UINT(file_ring_count(bed.ring), 0);
    bed_close(&bed);
}

TEST(closing_any_ends_when_all_are_closed)
{
    struct bed bed;
    bed_open(&bed, 4);
    for (unsigned i = 0; i < 3; i++) {
        read_once(&bed, i);
    }
    unsigned closed = 0;
    while (file_ring_close_any(bed.ring)) {
        closed++;
    }
    CHECK_EQ_UINT(closed, 3);
    bed_close(&bed);
}

TEST_MAIN(no_more_files_are_open_than_the_ring_may_have, a_file_that_is_open_is_not_opened_again,
          a_file_just_read_stays_longer_than_one_long_unread, a_file_being_read_is_never_closed,
          a_refused_handle_is_taken_from_another_file,
          a_refused_handle_is_told_where_every_open_file_is_being_read,
          a_missing_file_is_not_counted, closing_any_ends_when_all_are_closed)
