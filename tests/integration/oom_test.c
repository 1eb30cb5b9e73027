/* oom_test.c -- every allocation of several workloads fails once, alone and with all that follow.
 *
 *     YORE_OOM_STRIDE=n   try every n-th allocation (default 10; soak 1)
 *     YORE_OOM_ONE=workload:nth:sticky   one case
 *
 * The only statuses allowed are YORE_OK and YORE_NOMEM; what failed has changed nothing; nothing
 * leaks (run it under the address sanitizer); the database answers as the model while it is open
 * and after it was opened again.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "crash/crash_run.h"
#include "engine/db.h"

static const char *const oom_workloads[] = {
    "spans",  "transactions", "merge",     "seal",  "retention",   "erase",
    "backup", "large-values", "keyspaces", "loads", "loads-merged"};
#define OOM_WORKLOADS (sizeof oom_workloads / sizeof oom_workloads[0])

static const struct crash_workload *find_workload(const char *name)
{
    for (size_t i = 0; i < crash_workload_count; i++) {
        if (strcmp(crash_workloads[i].name, name) == 0) {
            return &crash_workloads[i];
        }
    }
    return NULL;
}

static uint64_t count_allocations(const struct crash_workload *workload)
{
    struct crash_run run;
    crash_run_init(&run, workload);
    mem_fail_at(UINT64_MAX, false);
    crash_run_script(&run, workload);
    uint64_t count = mem_count();
    mem_fail_at(0, false);
    crash_run_release(&run);
    return count;
}

/* The workload with one failing allocation; afterwards memory is back. */
static bool oom_case(const struct crash_workload *workload, uint64_t nth, bool is_sticky,
                     char text[CRASH_TEXT_BYTES])
{
    struct crash_run run;
    crash_run_init(&run, workload);
    run.is_tolerant = true;
    mem_fail_at(nth, is_sticky);
    crash_run_script(&run, workload);
    mem_fail_at(0, false);
    bool is_right = run.failed_status == YORE_OK || run.failed_status == YORE_NOMEM;
    if (is_right) {
        is_right = crash_judge(&run, run.disk, true);
    }
    (void)snprintf(text, CRASH_TEXT_BYTES, "workload %s, allocation %" PRIu64 "%s fails: %.900s",
                   workload->name, nth, is_sticky ? " and all later ones" : "", run.text);
    crash_run_release(&run);
    return is_right;
}

TEST(every_allocation_fails_once)
{
    uint64_t stride = test_number("YORE_OOM_STRIDE", test_stride(10, 1));
    struct test_rand rand = test_rand_new(0);
    uint64_t cases = 0;
    for (size_t i = 0; i < OOM_WORKLOADS; i++) {
        const struct crash_workload *workload = find_workload(oom_workloads[i]);
        CHECK(workload != NULL);
        uint64_t count = count_allocations(workload);
        printf("  %s: %" PRIu64 " allocations\n", workload->name, count);
        for (uint64_t nth = 1 + test_rand_below(&rand, stride); nth <= count; nth += stride) {
            for (unsigned sticky = 0; sticky < 2; sticky++) {
                char text[CRASH_TEXT_BYTES];
                bool is_right = oom_case(workload, nth, sticky == 1, text);
                CHECK_MSG(is_right, "%s\nrepeat with YORE_OOM_ONE=%s:%" PRIu64 ":%u", text,
                          workload->name, nth, sticky);
                cases++;
            }
        }
    }
    test_count(cases);
    printf("  %" PRIu64 " cases\n", cases);
}

/* Opening to read, with memory running out anywhere: it fails with a status or answers, and the
 * next opening finds everything. */
TEST(every_allocation_of_opening_to_read_fails_once)
{
    uint64_t cases = 0;
    for (size_t i = 0; i < OOM_WORKLOADS; i++) {
        struct crash_run run;
        struct yore_options options;
        struct yore_db *db = NULL;
        enum yore_status st = YORE_NOMEM;
        crash_run_init(&run, find_workload(oom_workloads[i]));
        crash_run_script(&run, find_workload(oom_workloads[i]));
        sim_disk_crash(run.disk, SIM_CRASH_KEEP_ALL, 1);
        options = run.options;
        options.read_only = true;
        uint64_t before = sim_disk_op_count(run.disk);
        for (uint64_t nth = 1; st == YORE_NOMEM; nth += test_stride(3, 1)) {
            mem_fail_at(nth, nth % 2 == 0);
            st = db_open_inline(sim_disk_env(run.disk), STORE_PATH, &options, &db, NULL);
            bool is_over = mem_count() < nth;
            (void)yore_close(db, NULL);
            mem_fail_at(0, false);
            CHECK_MSG(st == YORE_NOMEM || st == YORE_OK, "%s, allocation %" PRIu64 ": %s",
                      oom_workloads[i], nth, yore_status_name(st));
            st = is_over ? YORE_OK : YORE_NOMEM;
            cases++;
        }
        CHECK_EQ_UINT(sim_disk_op_count(run.disk), before);
        bool is_right = crash_judge(&run, run.disk, false);
        CHECK_MSG(is_right, "%s: %.900s", oom_workloads[i], run.text);
        crash_run_release(&run);
    }
    test_count(cases);
}

TEST(one_allocation)
{
    const char *text = getenv("YORE_OOM_ONE");
    char name[32];
    unsigned long long nth = 0;
    unsigned sticky = 0;
    if (text == NULL || sscanf(text, "%31[^:]:%llu:%u", name, &nth, &sticky) != 3) {
        SKIP("set YORE_OOM_ONE to workload:nth:sticky");
    }
    const struct crash_workload *workload = find_workload(name);
    CHECK(workload != NULL);
    char message[CRASH_TEXT_BYTES];
    bool is_right = oom_case(workload, nth, sticky == 1, message);
    CHECK_MSG(is_right, "%s", message);
}

TEST_MAIN(one_allocation, every_allocation_of_opening_to_read_fails_once,
          every_allocation_fails_once)
