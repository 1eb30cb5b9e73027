/* kill_test.c -- a process that writes to a real directory is killed at a random moment, again and
 * again.
 *
 *     YORE_KILLS=n   kills (default 100; soak 1,000)
 *
 * A killed process loses nothing that the system was handed, so most commits are not even synced,
 * and yet everything acknowledged must be there (lanes.h).
 */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>

#include "crash/lanes.h"
#include "support/store.h"
#include "support/test.h"

static void kill_writer(void *arg, int writer)
{
    (void)arg;
    (void)kill(writer, SIGKILL);
}

TEST(a_killed_process_loses_nothing_it_acknowledged)
{
    uint64_t kills = test_number("YORE_KILLS", test_scale(100, 1000));
    static struct witness witness;
    struct test_rand rand = test_rand_new(0);
    (void)snprintf(witness.path, sizeof witness.path, "%s", test_path("db"));
    store_options_tiny(&witness.options);
    witness.sync_every = 16;
    for (uint64_t i = 0; i < kills; i++) {
        test_note("kill %" PRIu64, i);
        witness_run(&witness, 2000 + test_rand_below(&rand, 90000), kill_writer, NULL);
        witness_check(&witness);
    }
    test_count(kills);
    printf("  %" PRIu64 " kills, %" PRIu64 " acknowledgements, %" PRIu64 " commits recovered\n",
           kills, witness.acks_in_all, witness_steps(&witness));
    CHECK_EQ_UINT(witness.lost_in_all, 0);
    witness_release(&witness);
}

TEST_MAIN(a_killed_process_loses_nothing_it_acknowledged)
