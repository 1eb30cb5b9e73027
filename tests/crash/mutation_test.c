/* mutation_test.c -- every sync is needed: with any one sync call ignored, some crash loses
 * something.
 *
 *     YORE_MUTATION_SITE=file:line   only this call site
 *
 * The call sites are found by running the workloads.  A trial runs in a process of its own, since a
 * database that was promised a sync it never got may do anything.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crash/crash_run.h"

#define SITES_MAX 128u
#define SITE_BYTES 160u

struct sites {
    char names[SITES_MAX][SITE_BYTES];
    uint64_t counts[SITES_MAX];
    size_t count;
};

static void note_site(void *arg, const char *site, uint64_t count)
{
    struct sites *sites = arg;
    size_t i = 0;
    while (i < sites->count && strcmp(sites->names[i], site) != 0) {
        i++;
    }
    if (i == sites->count && i < SITES_MAX) {
        (void)snprintf(sites->names[i], SITE_BYTES, "%s", site);
        sites->count++;
    }
    if (i < SITES_MAX) {
        sites->counts[i] += count;
    }
}

/* Run a workload with the sync of one call site ignored, up to operation `op` (0: to the end), and
 * judge. */
static bool is_noticed(const struct crash_workload *workload, const char *site, uint64_t op,
                       uint64_t seed)
{
    struct crash_run run;
    crash_run_init(&run, workload);
    sim_disk_ignore_site(run.disk, site);
    sim_disk_reset_count(run.disk);
    sim_disk_crash_at(run.disk, op);
    crash_run_script(&run, workload);
    bool is_right = true;
    for (unsigned i = 0; i < 3 && is_right; i++) {
        struct sim_disk *disk = sim_disk_clone(run.disk, seed);
        sim_disk_crash_at(disk, 0);
        sim_disk_crash(disk, i == 0 ? SIM_CRASH_DROP_ALL : SIM_CRASH_RANDOM, seed + i);
        is_right = crash_judge(&run, disk, false);
        sim_disk_free(disk);
    }
    crash_run_release(&run);
    return !is_right;
}

static uint64_t count_operations(const struct crash_workload *workload, struct sites *sites)
{
    struct crash_run run;
    crash_run_init(&run, workload);
    sim_disk_reset_count(run.disk);
    crash_run_script(&run, workload);
    uint64_t count = sim_disk_op_count(run.disk);
    sim_disk_sites(run.disk, note_site, sites);
    crash_run_release(&run);
    return count;
}

/* True when some crash of some workload shows that the sync was missing. */
static bool site_is_needed(const char *site, const uint64_t *operations, uint64_t stride)
{
    for (size_t i = 0; i < crash_workload_count; i++) {
        for (uint64_t op = 1; op <= operations[i]; op += stride) {
            if (is_noticed(&crash_workloads[i], site, op, op)) {
                return true;
            }
        }
        if (is_noticed(&crash_workloads[i], site, 0, i)) {
            return true;
        }
    }
    return false;
}

static bool site_is_needed_apart(const char *site, const uint64_t *operations)
{
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        static const uint64_t strides[3] = {11, 3, 1};
        for (unsigned i = 0; i < 3; i++) {
            if (site_is_needed(site, operations, strides[i])) {
                _exit(1);
            }
        }
        _exit(0);
    }
    int status = 0;
    return child > 0 && waitpid(child, &status, 0) == child &&
           !(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

TEST(every_sync_is_needed)
{
    static struct sites sites;
    uint64_t operations[64];
    CHECK(crash_workload_count <= 64);
    for (size_t i = 0; i < crash_workload_count; i++) {
        operations[i] = count_operations(&crash_workloads[i], &sites);
    }
    const char *only = getenv("YORE_MUTATION_SITE");
    uint64_t missed = 0;
    for (size_t i = 0; i < sites.count; i++) {
        if (only != NULL && strcmp(only, sites.names[i]) != 0) {
            continue;
        }
        bool is_needed = site_is_needed_apart(sites.names[i], operations);
        printf("  %s (%" PRIu64 " calls): %s\n", sites.names[i], sites.counts[i],
               is_needed ? "needed" : "NOT MISSED");
        missed += !is_needed;
    }
    test_count(sites.count);
    CHECK(sites.count > 0);
    CHECK_MSG(missed == 0, "%" PRIu64 " syncs can be left out without any test noticing", missed);
}

TEST_MAIN(every_sync_is_needed)
