/* journal_support.h -- a scripted user of a journal: appends known commits, plays the part of
 * manifest and flush, and checks after a restart that what comes back is a prefix with everything
 * that was acknowledged. */
#ifndef YORE_TEST_JOURNAL_SUPPORT_H
#define YORE_TEST_JOURNAL_SUPPORT_H

#include "base/rand.h"
#include "journal/commit_codec.h"
#include "journal/journal.h"
#include "os/sim_disk.h"
#include "support/test.h"

#define WORLD_COMMITS_MAX 512
#define WORLD_DIR "db"
#define WORLD_DATABASE 0xfeedfacecafebeefu

/* Commit i has commit time 10 * i and a content that follows from i and its tag: the run that
 * appended it. */
struct world {
    struct sim_disk *disk;
    struct os_env *env;
    struct journal *journal;
    struct journal_options options;   /* first_segment, next_segment: the manifest */
    uint32_t tags[WORLD_COMMITS_MAX]; /* of commits 1..appended */
    uint32_t appended;
    uint32_t acked;   /* known durable */
    uint32_t handed;  /* appended without an error: a killed process loses none of them */
    uint32_t flushed; /* in segments below first_segment */
    uint32_t run;
    uint32_t replayed_first; /* of the last opening */
    uint32_t replayed_last;
    struct journal_recovery recovery;
    struct yore_error error;
    /* With `is_counting` a broken promise is counted instead of ending the case: for tests that
     * break something on purpose. */
    bool is_counting;
    unsigned broken;
};

void world_init(struct world *w, uint64_t seed);
void world_free(struct world *w);

/* Open the journal, check what is replayed against the model, and cut the model to it. */
enum yore_status world_open(struct world *w);
/* Name the first live segment in the manifest, release what is below: a flush of what was replayed
 * is not implied. */
enum yore_status world_settle(struct world *w);
enum yore_status world_append(struct world *w, uint32_t count, size_t size);
enum yore_status world_sync(struct world *w);
/* New memtable, the old one written to a table, manifest, release. */
enum yore_status world_flush(struct world *w);
enum yore_status world_close(struct world *w);
/* Lose power, or be killed; the journal handle is gone. */
void world_crash(struct world *w, enum sim_crash_mode mode, uint64_t seed);
/* Read the feed after commit `after` and compare; the number of commits read. */
uint32_t world_read_after(struct world *w, uint32_t after);

/* For purges: append 700 octets of `octet` outside of the model; does any file hold 50 of them in a
 * row? */
void world_append_octets(struct world *w, int64_t commit, unsigned char octet);
bool world_is_on_disk(struct world *w, unsigned char octet);

/* "db/journal-<number>.log" */
const char *world_segment(uint64_t number);
uint64_t world_file_size(struct world *w, const char *path);

#endif
