/* lanes.c -- see lanes.h. */
#include "crash/lanes.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bytes.h"
#include "os/thread.h"
#include "support/test.h"

#define STEP_WRITES 4u
#define VALUE_BYTES_MAX 600u

/* How a writer ends that nobody killed. */
enum { EXIT_NOT_OPENED = 3, EXIT_NO_THREAD = 4, EXIT_WRITE_FAILED = 5 };

/* What step number `step` of a lane writes: key indexes, values and sizes follow from the number.
 */
static uint64_t step_seed(unsigned lane, uint64_t step, unsigned index)
{
    struct test_rand rand = {(uint64_t)lane * 1000003 + step * 64 + index};
    return test_rand_u64(&rand);
}

static struct yore_bytes step_key(unsigned lane, uint64_t step, unsigned index, char storage[32],
                                  unsigned *key_out)
{
    unsigned key = (unsigned)(step_seed(lane, step, index) % LANE_KEYS);
    int length = snprintf(storage, 32, "lane/%u/%02u", lane, key);
    *key_out = key;
    return bytes_of(storage, (size_t)length);
}

static struct yore_bytes step_value(unsigned lane, uint64_t step, unsigned index,
                                    unsigned char storage[VALUE_BYTES_MAX])
{
    struct test_rand rand = {step_seed(lane, step, index) ^ 0xabcdef};
    size_t size = 1 + test_rand_below(&rand, test_rand_one_in(&rand, 10) ? VALUE_BYTES_MAX : 100);
    test_rand_fill(&rand, storage, size);
    return bytes_of(storage, size);
}

static struct yore_bytes marker_key(unsigned lane, char storage[32])
{
    int length = snprintf(storage, 32, "marker/%u", lane);
    return bytes_of(storage, (size_t)length);
}

/* ---- the child ------------------------------------------------------------------------------ */

struct lane {
    struct yore_db *db;
    unsigned index;
    uint64_t next;
    uint64_t sync_every;
    int acks;
};

static bool is_synced(const struct lane *lane, uint64_t step)
{
    return step % lane->sync_every == 0;
}

static enum yore_status write_step(struct lane *lane, uint64_t step, int64_t *commit_out)
{
    char key[32];
    unsigned char value[VALUE_BYTES_MAX];
    struct yore_batch *batch = NULL;
    enum yore_status status = yore_batch_new(lane->db, &batch, NULL);
    if (status == YORE_OK) {
        status = yore_batch_put(batch, NULL, marker_key(lane->index, key),
                                bytes_of(&step, sizeof step), NULL, NULL);
    }
    for (unsigned i = 0; i < STEP_WRITES && status == YORE_OK; i++) {
        unsigned index = 0;
        struct yore_bytes name = step_key(lane->index, step, i, key, &index);
        status =
            yore_batch_put(batch, NULL, name, step_value(lane->index, step, i, value), NULL, NULL);
    }
    if (status == YORE_OK) {
        status = yore_batch_commit(
            batch, is_synced(lane, step) ? YORE_DURABILITY_SYNC : YORE_DURABILITY_NONE, commit_out,
            NULL);
    }
    yore_batch_free(batch);
    return status;
}

static void run_lane(void *arg)
{
    struct lane *lane = arg;
    for (;; lane->next++) {
        struct lane_ack ack = {
            .lane = lane->index, .is_synced = is_synced(lane, lane->next), .step = lane->next};
        if (write_step(lane, lane->next, &ack.commit) != YORE_OK ||
            write(lane->acks, &ack, sizeof ack) != (ssize_t)sizeof ack) {
            return;
        }
        if (lane->index == 0 && lane->next % 50 == 49) {
            if (yore_flush(lane->db, NULL) != YORE_OK) {
                return;
            }
        }
    }
}

static void run_child(const struct witness *witness, int acks)
{
    struct yore_db *db = NULL;
    struct lane lanes[LANES];
    struct os_thread *threads[LANES];
    if (yore_open(witness->path, &witness->options, &db, NULL) != YORE_OK) {
        _exit(EXIT_NOT_OPENED);
    }
    for (unsigned i = 0; i < LANES; i++) {
        lanes[i] = (struct lane){db, i, witness->steps[i] + 1, witness->sync_every, acks};
        if (os_thread_start(run_lane, &lanes[i], "lane", &threads[i], NULL) != YORE_OK) {
            _exit(EXIT_NO_THREAD);
        }
    }
    for (unsigned i = 0; i < LANES; i++) {
        os_thread_join(threads[i]);
    }
    _exit(EXIT_WRITE_FAILED);
}

/* ---- the parent ----------------------------------------------------------------------------- */

static void read_acks(struct witness *witness, int pipe_end)
{
    struct lane_ack ack;
    while (read(pipe_end, &ack, sizeof ack) == (ssize_t)sizeof ack) {
        if (witness->ack_count == witness->ack_capacity) {
            witness->ack_capacity = witness->ack_capacity == 0 ? 1024 : witness->ack_capacity * 2;
            struct lane_ack *grown = realloc(witness->acks, witness->ack_capacity * sizeof *grown);
            if (grown == NULL) {
                exit(2);
            }
            witness->acks = grown;
        }
        witness->acks[witness->ack_count++] = ack;
    }
}

void witness_run(struct witness *witness, uint64_t run_us, void (*cut)(void *arg, int writer),
                 void *arg)
{
    int ends[2];
    CHECK(pipe(ends) == 0);
    fflush(NULL);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        close(ends[0]);
        run_child(witness, ends[1]);
    }
    close(ends[1]);
    CHECK(fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0);
    witness->ack_count = 0;
    for (uint64_t slept = 0; slept < run_us; slept += 500) { /* a full pipe would stop the child */
        usleep(500);
        read_acks(witness, ends[0]);
    }
    cut(arg, (int)child);
    int status = 0;
    CHECK(waitpid(child, &status, 0) == child);
    read_acks(witness, ends[0]);
    close(ends[0]);
    witness->acks_in_all += witness->ack_count;
    if (witness->is_disk_cut) { /* writes fail then, and so does an opening */
        CHECK(WIFSIGNALED(status) || WEXITSTATUS(status) == EXIT_WRITE_FAILED ||
              WEXITSTATUS(status) == EXIT_NOT_OPENED);
    } else {
        CHECK_MSG(WIFSIGNALED(status), "the writer ended by itself with %d", WEXITSTATUS(status));
    }
}

/* What is found of one lane. */
struct found {
    uint64_t step; /* the last that is there */
    int64_t commit;
};

/* The index after the last acknowledgement of a lane for a step <= `step` before index `from`. */
static size_t ack_before(const struct witness *witness, unsigned lane, uint64_t step, size_t from)
{
    while (from > 0 &&
           (witness->acks[from - 1].lane != lane || witness->acks[from - 1].step > step)) {
        from--;
    }
    return from;
}

/* The marker's versions since the last look are one a step, at the commits that were acknowledged.
 */
static void check_versions(const struct witness *witness, struct yore_db *db, unsigned lane,
                           uint64_t step)
{
    char key[32];
    struct yore_timeline *timeline = NULL;
    struct yore_timeline_options all = {
        .from = YORE_TIME_MIN, .to = YORE_FOREVER, .known = YORE_NOW, .is_backward = true};
    CHECK_OK(yore_timeline_open(db, NULL, marker_key(lane, key), &all, &timeline, NULL));
    size_t ack = witness->ack_count;
    for (uint64_t at = step; at > witness->steps[lane]; at--) {
        struct yore_version version;
        uint64_t held = 0;
        CHECK_OK(yore_timeline_next(timeline, &version, NULL));
        memcpy(&held, version.value.data, sizeof held);
        CHECK_EQ_UINT(held, at);
        ack = ack_before(witness, lane, at, ack);
        if (ack > 0 && witness->acks[ack - 1].step == at) {
            CHECK_EQ_INT(version.commit, witness->acks[ack - 1].commit);
        }
    }
    yore_timeline_close(timeline);
}

static struct found find_lane(const struct witness *witness, struct yore_db *db, unsigned lane)
{
    char key[32];
    struct yore_value value = {0};
    struct found found = {0, INT64_MIN};
    enum yore_status status = yore_get(db, NULL, marker_key(lane, key), NULL, &value, NULL);
    CHECK(status == YORE_OK || status == YORE_NOT_FOUND);
    if (status == YORE_OK) {
        CHECK(value.size == sizeof found.step);
        memcpy(&found.step, value.data, sizeof found.step);
        found.commit = value.commit;
        yore_value_release(&value);
    }
    CHECK_MSG(found.step >= witness->steps[lane], "lane %u: %" PRIu64 " of %" PRIu64 " steps seen",
              lane, found.step, witness->steps[lane]);
    check_versions(witness, db, lane, found.step);
    return found;
}

/* Nothing acknowledged is missing: but the end of the commit order, where it was not synced and
 * the disk was cut off.  Nothing is there that was not submitted. */
static void check_acks(struct witness *witness, const struct found found[LANES])
{
    int64_t last = INT64_MIN;
    uint64_t submitted[LANES];
    for (unsigned i = 0; i < LANES; i++) {
        last = found[i].commit > last ? found[i].commit : last;
        submitted[i] = witness->steps[i] + 1;
    }
    for (size_t i = 0; i < witness->ack_count; i++) {
        const struct lane_ack *ack = &witness->acks[i];
        bool is_there = ack->step <= found[ack->lane].step;
        bool may_lack = witness->is_disk_cut && ack->is_synced == 0 && ack->commit > last;
        CHECK_MSG(is_there || may_lack,
                  "lane %u: %" PRIu64 " steps are there, step %" PRIu64 " was acknowledged%s",
                  ack->lane, found[ack->lane].step, ack->step, ack->is_synced ? ", synced" : "");
        witness->lost_in_all += !is_there;
        submitted[ack->lane] = ack->step + 1;
    }
    for (unsigned i = 0; i < LANES; i++) {
        CHECK_MSG(found[i].step <= submitted[i],
                  "lane %u: step %" PRIu64 " is there, %" PRIu64 " was the last submitted", i,
                  found[i].step, submitted[i]);
    }
}

static void check_keys(struct witness *witness, struct yore_db *db, unsigned lane)
{
    for (unsigned key = 0; key < LANE_KEYS; key++) {
        char name[32];
        unsigned char bytes[VALUE_BYTES_MAX];
        struct yore_value value = {0};
        int length = snprintf(name, sizeof name, "lane/%u/%02u", lane, key);
        enum yore_status status =
            yore_get(db, NULL, bytes_of(name, (size_t)length), NULL, &value, NULL);
        uint64_t step = witness->last_step[lane][key];
        CHECK_STATUS(status, step == 0 ? YORE_NOT_FOUND : YORE_OK);
        if (step != 0) {
            struct yore_bytes want = step_value(lane, step, witness->last_index[lane][key], bytes);
            CHECK_EQ_BYTES(value.data, value.size, want.data, want.size);
            yore_value_release(&value);
        }
    }
}

void witness_check(struct witness *witness)
{
    struct yore_db *db = NULL;
    struct yore_error error = {0};
    struct found found[LANES];
    enum yore_status status = yore_open(witness->path, &witness->options, &db, &error);
    CHECK_MSG(status == YORE_OK, "open after the cut: %s", error.text);
    for (unsigned lane = 0; lane < LANES; lane++) {
        found[lane] = find_lane(witness, db, lane);
    }
    check_acks(witness, found);
    for (unsigned lane = 0; lane < LANES; lane++) {
        for (uint64_t at = witness->steps[lane] + 1; at <= found[lane].step; at++) {
            for (unsigned i = 0; i < STEP_WRITES; i++) {
                char storage[32];
                unsigned key = 0;
                (void)step_key(lane, at, i, storage, &key);
                witness->last_step[lane][key] = at;
                witness->last_index[lane][key] = i;
            }
        }
        witness->steps[lane] = found[lane].step;
        check_keys(witness, db, lane);
    }
    CHECK_OK(yore_close(db, NULL));
}

uint64_t witness_steps(const struct witness *witness)
{
    uint64_t steps = 0;
    for (unsigned lane = 0; lane < LANES; lane++) {
        steps += witness->steps[lane];
    }
    return steps;
}

void witness_release(struct witness *witness)
{
    free(witness->acks);
    witness->acks = NULL;
}
