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
#include "os/env.h"

#define SITES_MAX 128u
#define SITE_BYTES 160u
#define WORKLOADS_MAX 64u

struct site {
    char name[SITE_BYTES];
    uint64_t count;
    uint64_t first_ops[WORKLOADS_MAX]; /* of its first sync in each workload; 0: there is none */
};

struct sites {
    struct site items[SITES_MAX];
    size_t count;
    size_t workload;                    /* being noted */
    uint64_t operations[WORKLOADS_MAX]; /* of each workload */
};

static void note_site(void *arg, const char *name, uint64_t count, uint64_t first_op)
{
    struct sites *sites = arg;
    size_t i = 0;
    while (i < sites->count && strcmp(sites->items[i].name, name) != 0) {
        i++;
    }
    CHECK(i < SITES_MAX);
    struct site *site = &sites->items[i];
    (void)snprintf(site->name, SITE_BYTES, "%s", name);
    site->count += count;
    site->first_ops[sites->workload] = first_op;
    sites->count += i == sites->count;
}

struct last_journal {
    char path[256];
    uint64_t size;
};

static void note_journal(void *arg, const char *path, uint64_t size)
{
    struct last_journal *last = arg;
    if (strstr(path, "/journal-0") != NULL && strcmp(path, last->path) > 0) {
        (void)snprintf(last->path, sizeof last->path, "%s", path);
        last->size = size;
    }
}

/* Where the octets of a file end and its zeros begin. */
static uint64_t end_of_octets(struct sim_disk *disk, const struct last_journal *last)
{
    struct os_file *file = NULL;
    unsigned char *data = model_alloc((size_t)last->size);
    size_t size = 0;
    if (os_file_open(sim_disk_env(disk), last->path, OS_OPEN_READ, &file, NULL) == YORE_OK &&
        os_file_read(file, 0, data, (size_t)last->size, &size, NULL) == YORE_OK) {
        while (size > 0 && data[size - 1] == 0) {
            size--;
        }
    }
    os_file_close(file);
    free(data);
    return size;
}

/* Whether what the judge complains of is that opening, to write or to read only, was refused. */
static bool is_refusal(const char *text)
{
    static const char *const openings[] = {"open after the crash", "open to read"};
    return strncmp(text, openings[0], strlen(openings[0])) == 0 ||
           strncmp(text, openings[1], strlen(openings[1])) == 0;
}

/* After a clean close and a power cut the end of the journal is damaged: is that passed over in
 * silence? */
static bool is_end_unguarded(struct crash_run *run)
{
    struct last_journal last = {"", 0};
    struct sim_disk *closed = sim_disk_clone(run->disk, 1);
    bool is_unguarded = false;
    sim_disk_crash(closed, SIM_CRASH_DROP_ALL, 1);
    store_files(closed, STORE_PATH, note_journal, &last);
    uint64_t end = end_of_octets(closed, &last);
    for (uint64_t back = 1; back <= 200 && back <= end && !is_unguarded; back += 4) {
        struct sim_disk *disk = sim_disk_clone(closed, 1);
        (void)sim_disk_flip_bit(disk, last.path, end - back, 3);
        is_unguarded = !crash_judge(run, disk, false) && !is_refusal(run->text);
        sim_disk_free(disk);
    }
    sim_disk_free(closed);
    return is_unguarded;
}

/* Run a workload with the sync of one call site ignored, up to operation `op` (0: to the end), and
 * judge. */
static bool is_noticed(const struct crash_workload *workload, const char *site, uint64_t op,
                       unsigned tries)
{
    struct crash_run run;
    crash_run_init(&run, workload);
    sim_disk_ignore_site(run.disk, site);
    sim_disk_reset_count(run.disk);
    sim_disk_crash_at(run.disk, op);
    crash_run_script(&run, workload);
    bool is_right = true;
    for (unsigned i = 0; i < tries && is_right; i++) {
        uint64_t seed = op * 100;
        struct sim_disk *disk = sim_disk_clone(run.disk, seed);
        sim_disk_crash_at(disk, 0);
        sim_disk_crash(disk, i == 0 ? SIM_CRASH_DROP_ALL : SIM_CRASH_RANDOM, seed + i);
        is_right = crash_judge(&run, disk, false);
        sim_disk_free(disk);
    }
    if (is_right && op == 0) {
        is_right = !is_end_unguarded(&run);
    }
    if (!is_right && site == NULL) {
        test_note("%s", run.text);
    }
    crash_run_release(&run);
    return !is_right;
}

static void note_workload(struct sites *sites, size_t workload)
{
    struct crash_run run;
    crash_run_init(&run, &crash_workloads[workload]);
    sim_disk_reset_count(run.disk);
    crash_run_script(&run, &crash_workloads[workload]);
    sites->workload = workload;
    sites->operations[workload] = sim_disk_op_count(run.disk);
    sim_disk_sites(run.disk, note_site, sites);
    crash_run_release(&run);
}

/* How hard to look for the crash that shows that a sync was missing: first where it is likeliest,
 * and in the end everywhere. */
struct effort {
    uint64_t reach; /* operations behind the first sync of the site */
    uint64_t stride;
    unsigned tries;
};
static const struct effort efforts[] = {
    {8, 1, 3}, {8, 1, 12}, {UINT64_MAX, 11, 3}, {UINT64_MAX, 2, 3}, {UINT64_MAX, 1, 12}};

/* True when some crash of some workload shows that the sync was missing.  Up to the site's first
 * sync nothing differs. */
static bool site_is_needed(const struct sites *sites, const struct site *site,
                           const struct effort *effort)
{
    for (size_t i = 0; i < crash_workload_count; i++) {
        uint64_t first = site->first_ops[i];
        if (first == 0) {
            continue;
        }
        for (uint64_t op = first + 1; op <= sites->operations[i] && op - first <= effort->reach;
             op += effort->stride) {
            if (is_noticed(&crash_workloads[i], site->name, op, effort->tries)) {
                return true;
            }
        }
        if (effort->reach == UINT64_MAX &&
            is_noticed(&crash_workloads[i], site->name, 0, effort->tries)) {
            return true;
        }
    }
    return false;
}

static bool site_is_needed_apart(const struct sites *sites, const struct site *site)
{
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        for (size_t i = 0; i < sizeof efforts / sizeof efforts[0]; i++) {
            if (site_is_needed(sites, site, &efforts[i])) {
                _exit(1);
            }
        }
        _exit(0);
    }
    int status = 0;
    return child > 0 && waitpid(child, &status, 0) == child &&
           !(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* The trial itself must find nothing where nothing is ignored. */
TEST(with_every_sync_nothing_is_noticed)
{
    for (size_t i = 0; i < crash_workload_count; i++) {
        CHECK_MSG(!is_noticed(&crash_workloads[i], NULL, 0, 3), "workload %s",
                  crash_workloads[i].name);
    }
}

TEST(every_sync_is_needed)
{
    static struct sites sites;
    CHECK(crash_workload_count <= WORKLOADS_MAX);
    for (size_t i = 0; i < crash_workload_count; i++) {
        note_workload(&sites, i);
    }
    const char *only = getenv("YORE_MUTATION_SITE");
    uint64_t missed = 0;
    for (size_t i = 0; i < sites.count; i++) {
        const struct site *site = &sites.items[i];
        if (only != NULL && strcmp(only, site->name) != 0) {
            continue;
        }
        bool is_needed = site_is_needed_apart(&sites, site);
        printf("  %s (%" PRIu64 " calls): %s\n", site->name, site->count,
               is_needed ? "needed" : "NOT MISSED");
        missed += !is_needed;
    }
    test_count(sites.count);
    CHECK(sites.count > 0);
    CHECK_MSG(missed == 0, "%" PRIu64 " syncs can be left out without any test noticing", missed);
}

TEST_MAIN(with_every_sync_nothing_is_noticed, every_sync_is_needed)
