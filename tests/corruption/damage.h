/* damage.h -- a cleanly closed database on a simulated disk, damaged in every way there is, one way
 * at a time: a bit of every byte of every file is flipped, every file is cut at every byte, taken
 * away, swapped with another and replaced by the same file of another database.
 *
 *     YORE_CORRUPTION_STRIDE=n   try every n-th byte (default 10; soak 1)
 *     YORE_CORRUPTION_ONE=file:offset:bit   one flip (bit 8: cut there)
 *
 * A case is harmless (every answer is right), or reported: by the opening, or by a read, and in any
 * case by yore_verify, with a text that names the damaged file and a place in it.  A fact that is
 * missing or wrong without a word, and a crash, are failures.  Cases run in a worker process, so
 * that a crash costs one case and not the suite.
 */
#ifndef YORE_TEST_CORRUPTION_DAMAGE_H
#define YORE_TEST_CORRUPTION_DAMAGE_H

#include <stdbool.h>
#include <stdint.h>

#include <yore/yore.h>

#include "os/sim_disk.h"
#include "support/store.h"
#include "support/test.h"

#define DAMAGE_TEXT_BYTES 1280u
#define DAMAGE_FILES_MAX 256u
#define DAMAGE_FILE_BYTES 256u

struct damage_file {
    char path[DAMAGE_FILE_BYTES];
    uint64_t size;
};

struct damage_store {
    struct sim_disk *disk;  /* holds the closed database, at STORE_PATH */
    struct sim_disk *other; /* another database with the same history of operations */
    struct yore_options options;
    /* Ask all there is to ask.  False: an answer is wrong or missing, and `text` tells the status
     * that came instead, or what differs.  `is_sound`: yore_verify has found nothing. */
    bool (*is_right)(void *arg, struct yore_db *db, bool is_sound, char text[DAMAGE_TEXT_BYTES]);
    void *arg;
    struct damage_file files[DAMAGE_FILES_MAX];
    size_t file_count;
    uint64_t bytes;
};

/* Look for the files; the rest is filled in. */
void damage_store_begin(struct damage_store *store);

/* Each checks that no case of the sweep is neither harmless nor reported. */
void damage_flip_bits(struct damage_store *store);
void damage_cut_files(struct damage_store *store);
void damage_remove_files(struct damage_store *store);
void damage_swap_files(struct damage_store *store);
void damage_replace_files(struct damage_store *store);
/* The case that YORE_CORRUPTION_ONE names; false: it names none. */
bool damage_one(struct damage_store *store);

#endif
