/* oom_test.c -- every allocation of several workloads fails once, alone and with all that follow.
 *
 *     YORE_OOM_STRIDE=n   try every n-th allocation (default 23; soak 1)
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

static const char *const oom_workloads[] = {"spans",  "transactions", "merge",
                                            "seal",   "retention",    "erase",
                                            "backup", "large-values", "keyspaces"};
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
    uint64_t stride = test_number("YORE_OOM_STRIDE", test_stride(23, 1));
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

TEST_MAIN(one_allocation, every_allocation_fails_once)
