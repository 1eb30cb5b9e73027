/* power_test.c -- the power of a real file system is cut while a process writes to it, again and
 * again.
 *
 *     YORE_POWER_DEVICE=path   a block device with an ext4 file system that may be mounted
 *     YORE_POWER_DIR=path      where
 *     YORE_POWER_CUTS=n        cuts (default 24; soak 200)
 *
 * power_test.sh makes device and folder, and takes them away.  A cut is the file system's own: the
 * ioctl that stops it at once and throws away what its journal and its pages have not yet written
 * (EXT4_IOC_SHUTDOWN without a flush of the log).  Then it is mounted again, the kernel recovers,
 * and the database must have what was synced, and of the rest a prefix of the commit order
 * (lanes.h).  Cuts alternate between the journalling modes `ordered` and `writeback`, and between
 * limits so small that files are made all the time and such that much is not yet synced.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <unistd.h>

#include "crash/lanes.h"
#include "support/store.h"
#include "support/test.h"

/* <linux/ext4.h> is not installed with the headers of the C library. */
#define POWER_IOC_SHUTDOWN _IOR('X', 125, uint32_t)
#define POWER_NO_LOG_FLUSH 2u

struct power {
    const char *device;
    const char *dir;
    int handle; /* of the mounted root: opened before the cut */
    bool is_mounted;
};

static void power_on(struct power *power, const char *how)
{
    int made = mount(power->device, power->dir, "ext4", 0, how);
    CHECK_MSG(made == 0, "mount %s at %s: %s", power->device, power->dir, strerror(errno));
    power->is_mounted = true;
    power->handle = open(power->dir, O_RDONLY | O_DIRECTORY);
    CHECK(power->handle >= 0);
}

static void power_off(struct power *power)
{
    (void)close(power->handle);
    power->is_mounted = umount(power->dir) != 0;
    CHECK_MSG(!power->is_mounted, "umount %s: %s", power->dir, strerror(errno));
}

static void cut(void *arg, int writer)
{
    const struct power *power = arg;
    uint32_t flags = POWER_NO_LOG_FLUSH;
    int done = ioctl(power->handle, POWER_IOC_SHUTDOWN, &flags);
    int error = errno;
    usleep(2000); /* let it meet the failure */
    (void)kill(writer, SIGKILL);
    CHECK_MSG(done == 0, "shutdown of %s: %s", power->dir, strerror(error));
}

static void choose_options(struct witness *witness, uint64_t number)
{
    store_options_tiny(&witness->options);
    if (number % 4 >= 2) {
        witness->options.memtable_bytes = 1u << 20;
        witness->options.segment_bytes = 256u << 10;
    }
}

TEST(a_power_cut_loses_nothing_that_was_synced)
{
    uint64_t cuts = test_number("YORE_POWER_CUTS", test_scale(24, 200));
    static struct witness witness;
    struct test_rand rand = test_rand_new(0);
    struct power power = {getenv("YORE_POWER_DEVICE"), getenv("YORE_POWER_DIR"), -1, false};
    if (power.device == NULL || power.dir == NULL) {
        SKIP("power_test.sh runs this with a device and a folder");
    }
    (void)snprintf(witness.path, sizeof witness.path, "%s/db", power.dir);
    witness.sync_every = 64;
    witness.is_disk_cut = true;
    uint64_t i = 0;
    /* A slow machine writes little before it is cut off: then it gets more time, and more cuts. */
    for (; i < cuts || (witness.lost_in_all == 0 && i < 10 * cuts); i++) {
        uint64_t most_us = 150000 * (1 + i / cuts);
        test_note("cut %" PRIu64, i);
        choose_options(&witness, i);
        power_on(&power, i % 2 == 0 ? "data=ordered" : "data=writeback");
        witness_run(&witness, 2000 + test_rand_below(&rand, most_us), cut, &power);
        power_off(&power);
        power_on(&power, "");
        witness_check(&witness);
        power_off(&power);
    }
    test_count(i);
    printf("  %" PRIu64 " power cuts, %" PRIu64 " acknowledgements, %" PRIu64
           " commits recovered, %" PRIu64 " lost that were not synced\n",
           i, witness.acks_in_all, witness_steps(&witness), witness.lost_in_all);
    CHECK(witness_steps(&witness) > 0 && witness.lost_in_all > 0); /* the cut does cut */
    witness_release(&witness);
}

TEST_MAIN(a_power_cut_loses_nothing_that_was_synced)
