/* kill_test.c -- a process that writes to a real directory is killed at a random moment, again and
 * again.
 *
 *     YORE_KILLS=n   kills (default 100; soak 1,000)
 *
 * The child has several threads; each commits its own numbered steps and sends every
 * acknowledgement through a pipe to the parent.  After the kill the parent opens the directory: of
 * every thread exactly the first n steps are there, whole, with n at least the last one
 * acknowledged, at the commit times that were acknowledged.  A killed process loses nothing that
 * the system was handed, so most commits are not even synced.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bytes.h"
#include "os/thread.h"
#include "support/store.h"
#include "support/test.h"

#define LANES 3u
#define LANE_KEYS 40u
#define STEP_WRITES 4u
#define VALUE_BYTES_MAX 600u

struct ack {
    uint32_t lane;
    uint32_t reserved;
    uint64_t step;
    int64_t commit;
};

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
    int acks;
};

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
            batch, step % 16 == 0 ? YORE_DURABILITY_SYNC : YORE_DURABILITY_NONE, commit_out, NULL);
    }
    yore_batch_free(batch);
    return status;
}

static void run_lane(void *arg)
{
    struct lane *lane = arg;
    for (;; lane->next++) {
        struct ack ack = {.lane = lane->index, .step = lane->next};
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

static void run_child(const char *path, const struct yore_options *options,
                      const uint64_t *steps_done, int acks)
{
    struct yore_db *db = NULL;
    struct lane lanes[LANES];
    struct os_thread *threads[LANES];
    if (yore_open(path, options, &db, NULL) != YORE_OK) {
        _exit(3);
    }
    for (unsigned i = 0; i < LANES; i++) {
        lanes[i] = (struct lane){db, i, steps_done[i] + 1, acks};
        if (os_thread_start(run_lane, &lanes[i], "lane", &threads[i], NULL) != YORE_OK) {
            _exit(4);
        }
    }
    for (unsigned i = 0; i < LANES; i++) {
        os_thread_join(threads[i]);
    }
    _exit(5); /* not reached: lanes end only when a write fails */
}

/* ---- the parent ----------------------------------------------------------------------------- */

struct witness {
    char path[512];
    struct yore_options options;
    uint64_t steps[LANES];                 /* known to be there */
    uint64_t last_step[LANES][LANE_KEYS];  /* the step that wrote the key last; 0: none */
    unsigned last_index[LANES][LANE_KEYS]; /* ... and which of its writes */
    struct ack *acks;                      /* of the child just killed */
    size_t ack_count;
    size_t ack_capacity;
    uint64_t acks_in_all;
};

static void read_acks(struct witness *witness, int pipe_end)
{
    struct ack ack;
    while (read(pipe_end, &ack, sizeof ack) == (ssize_t)sizeof ack) {
        if (witness->ack_count == witness->ack_capacity) {
            witness->ack_capacity = witness->ack_capacity == 0 ? 1024 : witness->ack_capacity * 2;
            struct ack *grown = realloc(witness->acks, witness->ack_capacity * sizeof *grown);
            if (grown == NULL) {
                exit(2);
            }
            witness->acks = grown;
        }
        witness->acks[witness->ack_count++] = ack;
    }
}

static void kill_one_child(struct witness *witness, uint64_t after_us)
{
    int ends[2];
    CHECK(pipe(ends) == 0);
    fflush(NULL);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        close(ends[0]);
        run_child(witness->path, &witness->options, witness->steps, ends[1]);
    }
    close(ends[1]);
    CHECK(fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0);
    witness->ack_count = 0;
    for (uint64_t slept = 0; slept < after_us;
         slept += 500) { /* a full pipe would stop the child */
        usleep(500);
        read_acks(witness, ends[0]);
    }
    kill(child, SIGKILL);
    int status = 0;
    CHECK(waitpid(child, &status, 0) == child);
    read_acks(witness, ends[0]);
    close(ends[0]);
    witness->acks_in_all += witness->ack_count;
    CHECK_MSG(WIFSIGNALED(status), "the writer ended by itself with %d", WEXITSTATUS(status));
}

/* The steps a lane has, from its marker; checks the marker's versions since the last look. */
static uint64_t check_marker(struct witness *witness, struct yore_db *db, unsigned lane)
{
    char key[32];
    struct yore_value value = {0};
    uint64_t step = 0;
    enum yore_status status = yore_get(db, NULL, marker_key(lane, key), NULL, &value, NULL);
    CHECK(status == YORE_OK || status == YORE_NOT_FOUND);
    if (status == YORE_OK) {
        CHECK(value.size == sizeof step);
        memcpy(&step, value.data, sizeof step);
        yore_value_release(&value);
    }
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
        while (ack > 0 && witness->acks[ack - 1].lane != lane) {
            ack--;
        }
        CHECK(ack == 0 || witness->acks[ack - 1].step <= at); /* nothing acknowledged is missing */
        if (ack > 0 && witness->acks[ack - 1].step == at) {
            CHECK_EQ_INT(version.commit, witness->acks[ack - 1].commit);
            ack--;
        }
    }
    yore_timeline_close(timeline);
    return step;
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

static void check_store(struct witness *witness)
{
    struct yore_db *db = NULL;
    struct yore_error error = {0};
    enum yore_status status = yore_open(witness->path, &witness->options, &db, &error);
    CHECK_MSG(status == YORE_OK, "open after a kill: %s", error.text);
    uint64_t acked[LANES] = {0};
    for (size_t i = 0; i < witness->ack_count; i++) {
        acked[witness->acks[i].lane] = witness->acks[i].step;
    }
    for (unsigned lane = 0; lane < LANES; lane++) {
        uint64_t step = check_marker(witness, db, lane);
        CHECK_MSG(step >= acked[lane] && step >= witness->steps[lane],
                  "lane %u: %" PRIu64 " steps are there, %" PRIu64 " were acknowledged", lane, step,
                  acked[lane]);
        for (uint64_t at = witness->steps[lane] + 1; at <= step; at++) {
            for (unsigned i = 0; i < STEP_WRITES; i++) {
                char storage[32];
                unsigned key = 0;
                (void)step_key(lane, at, i, storage, &key);
                witness->last_step[lane][key] = at;
                witness->last_index[lane][key] = i;
            }
        }
        witness->steps[lane] = step;
        check_keys(witness, db, lane);
    }
    CHECK_OK(yore_close(db, NULL));
}

TEST(a_killed_process_loses_nothing_it_acknowledged)
{
    uint64_t kills = test_number("YORE_KILLS", test_scale(100, 1000));
    static struct witness witness;
    struct test_rand rand = test_rand_new(0);
    (void)snprintf(witness.path, sizeof witness.path, "%s", test_path("db"));
    store_options_tiny(&witness.options);
    for (uint64_t i = 0; i < kills; i++) {
        test_note("kill %" PRIu64, i);
        kill_one_child(&witness, 2000 + test_rand_below(&rand, 90000));
        check_store(&witness);
    }
    test_count(kills);
    uint64_t steps = 0;
    for (unsigned lane = 0; lane < LANES; lane++) {
        steps += witness.steps[lane];
    }
    printf("  %" PRIu64 " kills, %" PRIu64 " acknowledgements, %" PRIu64 " commits recovered\n",
           kills, witness.acks_in_all, steps);
    free(witness.acks);
}

TEST_MAIN(a_killed_process_loses_nothing_it_acknowledged)
