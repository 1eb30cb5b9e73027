/* fault_test.c -- every read, write, sync and directory operation of every workload fails once; the
 * disk is full at every budget.
 *
 *     YORE_FAULT_STRIDE=n   try every n-th operation (default 5; soak 1)
 *     YORE_FULL_STRIDE=n    try every n-th byte budget (default 997; soak 1)
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

/* Judge a copy of the disk as it is, and another after a power cut. */
static bool judge_mended(struct crash_run *run, uint64_t seed)
{
    struct sim_disk *disk = sim_disk_clone(run->disk, seed);
    /* A file that could not be unlinked, with erased octets in it, goes when the database is
     * opened. */
    size_t erased_gone = run->erased_gone;
    run->erased_gone = 0;
    bool is_right = crash_judge(run, disk, true);
    run->erased_gone = erased_gone;
    is_right = is_right && crash_is_erased_gone(run, disk);
    run->erased_gone = 0;
    sim_disk_free(disk);
    if (!is_right) {
        return false;
    }
    disk = sim_disk_clone(run->disk, seed);
    sim_disk_crash(disk, seed % 2 == 0 ? SIM_CRASH_DROP_ALL : SIM_CRASH_RANDOM, seed);
    is_right = crash_judge(run, disk, false);
    sim_disk_free(disk);
    return is_right;
}

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
        is_right = judge_mended(&run, fault->nth);
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

/* ---- a full disk ---------------------------------------------------------------------------- */

/* Run with room for `capacity` bytes, then make room and look. */
static bool full_case(const struct crash_workload *workload, uint64_t capacity,
                      char text[CRASH_TEXT_BYTES])
{
    struct crash_run run;
    crash_run_init(&run, workload);
    sim_disk_set_capacity(run.disk, capacity);
    crash_run_script(&run, workload);
    sim_disk_set_capacity(run.disk, UINT64_MAX);
    bool is_right = !run.is_stopped || run.failed_status == YORE_NO_SPACE;
    if (is_right) {
        is_right = judge_mended(&run, capacity);
    }
    (void)snprintf(text, CRASH_TEXT_BYTES, "workload %s with room for %" PRIu64 " bytes: %.900s",
                   workload->name, capacity, run.text);
    crash_run_release(&run);
    return is_right;
}

/* The most room the workload ever takes, found by halving. */
static uint64_t room_needed(const struct crash_workload *workload)
{
    uint64_t low = 0;
    uint64_t high = 16u << 20;
    while (low + 256 < high) {
        uint64_t middle = low + (high - low) / 2;
        struct crash_run run;
        crash_run_init(&run, workload);
        sim_disk_set_capacity(run.disk, middle);
        crash_run_script(&run, workload);
        if (run.is_stopped) {
            low = middle;
        } else {
            high = middle;
        }
        crash_run_release(&run);
    }
    return high;
}

TEST(the_disk_is_full_at_every_budget)
{
    uint64_t stride = test_number("YORE_FULL_STRIDE", test_stride(997, 1));
    struct test_rand rand = test_rand_new(0);
    uint64_t cases = 0;
    for (size_t i = 0; i < crash_workload_count; i++) {
        uint64_t needed = room_needed(&crash_workloads[i]);
        for (uint64_t room = test_rand_below(&rand, stride); room <= needed; room += stride) {
            char text[CRASH_TEXT_BYTES];
            bool is_right = full_case(&crash_workloads[i], room, text);
            CHECK_MSG(is_right, "%s", text);
            cases++;
        }
    }
    test_count(cases);
    printf("  %" PRIu64 " byte budgets\n", cases);
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
          every_other_operation_fails_once, the_disk_is_full_at_every_budget)
