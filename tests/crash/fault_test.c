/* fault_test.c -- every read, write, sync and directory operation of every workload fails once.
 *
 *     YORE_FAULT_STRIDE=n   try every n-th operation (default 5; soak 1)
 *     YORE_FAULT_ONE=workload:kind:nth:sticky    one case
 *
 * After the fault the script stops, the database is closed, the disk is mended and what is left is
 * judged: with the files as they are (a restart), and as a power cut would leave them.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crash/crash_run.h"

static const char *const kind_names[] = {"read", "write", "sync", "other"};

/* ---- failing operations --------------------------------------------------------------------- */

struct fault {
    const struct crash_workload *workload;
    enum sim_fault_kind kind;
    uint64_t nth;
    bool is_sticky;
};

/* A failure must be told as one of these. */
static bool is_expected(enum yore_status status)
{
    return status == YORE_IO || status == YORE_NO_SPACE;
}

static bool fault_case(const struct fault *fault, char text[CRASH_TEXT_BYTES])
{
    struct crash_run run;
    crash_run_init(&run, fault->workload);
    sim_disk_fail(run.disk, fault->kind, fault->nth, fault->is_sticky);
    crash_run_script(&run, fault->workload);
    sim_disk_fail(run.disk, fault->kind, 0, false);
    bool is_right = !run.is_stopped || is_expected(run.failed_status);
    if (is_right) {
        is_right = crash_judge_mended(&run, fault->nth);
    }
    (void)snprintf(text, CRASH_TEXT_BYTES, "workload %s, %s %" PRIu64 "%s fails: %.900s",
                   fault->workload->name, kind_names[fault->kind], fault->nth,
                   fault->is_sticky ? " and all later ones" : "", run.text);
    crash_run_release(&run);
    return is_right;
}

static uint64_t count_faults(const struct crash_workload *workload, enum sim_fault_kind kind)
{
    struct crash_run run;
    crash_run_init(&run, workload);
    sim_disk_fail(run.disk, kind, UINT64_MAX, false);
    uint64_t before = sim_disk_fault_count(run.disk, kind);
    crash_run_script(&run, workload);
    uint64_t count = sim_disk_fault_count(run.disk, kind) - before;
    crash_run_release(&run);
    return count;
}

static void fail_everywhere(enum sim_fault_kind kind)
{
    uint64_t stride = test_number("YORE_FAULT_STRIDE", test_stride(5, 1));
    struct test_rand rand = test_rand_new(0);
    uint64_t cases = 0;
    for (size_t i = 0; i < crash_workload_count; i++) {
        struct fault fault = {&crash_workloads[i], kind, 0, false};
        uint64_t count = count_faults(fault.workload, kind);
        for (fault.nth = 1 + test_rand_below(&rand, stride); fault.nth <= count;
             fault.nth += stride) {
            for (unsigned sticky = 0; sticky < 2; sticky++) {
                char text[CRASH_TEXT_BYTES];
                fault.is_sticky = sticky == 1;
                bool is_right = fault_case(&fault, text);
                CHECK_MSG(is_right, "%s\nrepeat with YORE_FAULT_ONE=%s:%s:%" PRIu64 ":%u", text,
                          fault.workload->name, kind_names[kind], fault.nth, sticky);
                cases++;
            }
        }
    }
    test_count(cases);
    printf("  %" PRIu64 " cases of a failing %s\n", cases, kind_names[kind]);
}

TEST(every_read_fails_once)
{
    fail_everywhere(SIM_FAULT_READ);
}

TEST(every_write_fails_once)
{
    fail_everywhere(SIM_FAULT_WRITE);
}

TEST(every_sync_fails_once)
{
    fail_everywhere(SIM_FAULT_SYNC);
}

TEST(every_other_operation_fails_once)
{
    fail_everywhere(SIM_FAULT_OTHER);
}

/* ---- repeating ------------------------------------------------------------------------------ */

TEST(one_fault)
{
    const char *text = getenv("YORE_FAULT_ONE");
    char name[32];
    char kind[16];
    unsigned long long nth = 0;
    unsigned sticky = 0;
    if (text == NULL || sscanf(text, "%31[^:]:%15[^:]:%llu:%u", name, kind, &nth, &sticky) < 3) {
        SKIP("set YORE_FAULT_ONE to workload:kind:nth:sticky");
    }
    struct fault fault = {NULL, SIM_FAULT_READ, nth, sticky == 1};
    for (size_t i = 0; i < crash_workload_count; i++) {
        if (strcmp(crash_workloads[i].name, name) == 0) {
            fault.workload = &crash_workloads[i];
        }
    }
    while (strcmp(kind_names[fault.kind], kind) != 0) {
        fault.kind++;
        CHECK(fault.kind <= SIM_FAULT_OTHER);
    }
    CHECK(fault.workload != NULL);
    char message[CRASH_TEXT_BYTES];
    bool is_right = fault_case(&fault, message);
    CHECK_MSG(is_right, "%s", message);
}

TEST_MAIN(one_fault, every_read_fails_once, every_write_fails_once, every_sync_fails_once,
          every_other_operation_fails_once)
