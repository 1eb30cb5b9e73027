/* crash_test.c -- the power goes after every single disk operation of every workload.
 *
 *     YORE_CRASH_CASES=n     crash cases wanted (default 20,000; soak 200,000)
 *     YORE_CRASH_PLACES=1    print how often each kind of operation was the one cut off
 *     YORE_CRASH_ONE=name:op[:seed]   one crash point of one workload, everything kept, dropped and
 * by seed
 *
 * At each point the unsynced part is kept whole, dropped whole, and torn and reordered by several
 * seeds; the database is opened on each and judged (crash_judge.c).  Some of the openings are
 * themselves cut off after each of their operations.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crash/crash_run.h"
#include "engine/db.h"

#define PLACES_MAX 1024u
#define PLACE_BYTES 96u
#define CRASH_SEALS_MIN 10u /* over all workloads, undisturbed: slices are small */

/* What was cut off: the operation and the kind of file, by workload ("flush: write db/table-#"). */
struct place {
    char name[PLACE_BYTES];
    uint64_t count;
};

struct counts {
    struct place places[PLACES_MAX];
    size_t place_count;
    uint64_t points;
    uint64_t cases;
    uint64_t nested;
    uint64_t per_point; /* seeds tried at each point, beside keep and drop */
};

/* Operations of the undisturbed script, which must itself be right. */
static void add_cuts(struct store_cuts *sum, const struct store_cuts *cuts)
{
    sum->databases += cuts->databases;
    sum->merges += cuts->merges;
    sum->seals += cuts->seals;
    sum->late_merges += cuts->late_merges;
    sum->slices_dropped += cuts->slices_dropped;
    sum->runs_dropped += cuts->runs_dropped;
    sum->trims += cuts->trims;
    sum->slices_most = cuts->slices_most > sum->slices_most ? cuts->slices_most : sum->slices_most;
}

static uint64_t count_operations(const struct crash_workload *workload, struct store_cuts *cuts)
{
    struct crash_run run;
    crash_run_init(&run, workload);
    sim_disk_reset_count(run.disk);
    crash_run_script(&run, workload);
    uint64_t count = sim_disk_op_count(run.disk);
    bool is_right = !run.is_stopped && crash_judge(&run, run.disk, false);
    char text[CRASH_TEXT_BYTES];
    memcpy(text, run.text, sizeof text);
    add_cuts(cuts, &run.cuts);
    crash_run_release(&run);
    CHECK_MSG(is_right, "workload %s, undisturbed: %s", workload->name, text);
    return count;
}

/* ---- one crash ------------------------------------------------------------------------------ */

struct crash {
    struct crash_run *run;
    const struct sim_disk *disk; /* as the power went */
    enum sim_crash_mode mode;
    uint64_t seed;
};

static struct sim_disk *after_crash(const struct crash *crash)
{
    struct sim_disk *disk = sim_disk_clone(crash->disk, crash->seed);
    sim_disk_crash_at(disk, 0);
    sim_disk_crash(disk, crash->mode, crash->seed);
    return disk;
}

/* "write db/table-0000000000000013: simulated power cut" counts as "<workload>: write db/table-#".
 */
static void count_place(struct counts *counts, const char *workload, const char *text)
{
    const char *end = strstr(text, ": simulated power cut");
    if (end == NULL) {
        return;
    }
    const char *begin = end;
    while (begin > text && begin[-1] != '[' && !(begin[-1] == ' ' && begin[-2] == ':')) {
        begin--;
    }
    char name[PLACE_BYTES];
    size_t used = (size_t)snprintf(name, sizeof name, "%s: ", workload);
    for (const char *at = begin; at < end && used + 2 < sizeof name; at++) {
        size_t digits = strspn(at, "0123456789abcdef");
        bool is_number = digits >= 4 && (at == begin || at[-1] == '-');
        name[used++] = is_number ? '#' : *at;
        at += is_number ? digits - 1 : 0;
    }
    name[used] = '\0';
    size_t i = 0;
    while (i < counts->place_count && strcmp(counts->places[i].name, name) != 0) {
        i++;
    }
    if (i == counts->place_count && i < PLACES_MAX) {
        memcpy(counts->places[i].name, name, sizeof name);
        counts->place_count++;
    }
    if (i < PLACES_MAX) {
        counts->places[i].count += 2 + counts->per_point;
    }
}

/* Crash inside the recovery from a crash, after every operation of it. */
static bool crash_nested(const struct crash *crash, struct counts *counts)
{
    bool is_right = true;
    for (uint64_t op = 1; is_right; op++) {
        struct sim_disk *disk = after_crash(crash);
        struct yore_db *db = NULL;
        struct yore_error error;
        sim_disk_reset_count(disk);
        sim_disk_crash_at(disk, op);
        enum yore_status status =
            db_open_inline(sim_disk_env(disk), STORE_PATH, &crash->run->options, &db, &error);
        bool is_over = !sim_disk_has_crashed(disk);
        if (status == YORE_OK) {
            (void)yore_close(db, NULL);
        }
        sim_disk_crash_at(disk, 0);
        sim_disk_crash(disk, op % 3 == 0 ? SIM_CRASH_DROP_ALL : SIM_CRASH_RANDOM, crash->seed + op);
        is_right = is_over || crash_judge(crash->run, disk, false);
        counts->nested += !is_over;
        sim_disk_free(disk);
        if (is_over) {
            break;
        }
    }
    return is_right;
}

static bool crash_case(const struct crash *crash, bool is_twice, struct counts *counts)
{
    struct sim_disk *disk = after_crash(crash);
    bool is_right = crash_judge(crash->run, disk, is_twice);
    sim_disk_free(disk);
    counts->cases++;
    return is_right;
}

/* The script cut off after operation `op`, in every mode. */
static bool crash_point(const struct crash_workload *workload, uint64_t op, uint64_t seed,
                        struct counts *counts, char text[CRASH_TEXT_BYTES])
{
    struct crash_run run;
    crash_run_init(&run, workload);
    sim_disk_reset_count(run.disk);
    sim_disk_crash_at(run.disk, op);
    crash_run_script(&run, workload);
    count_place(counts, workload->name, run.text);
    struct crash crash = {&run, run.disk, SIM_CRASH_KEEP_ALL, seed};
    bool is_right = crash_case(&crash, true, counts);
    crash.mode = SIM_CRASH_DROP_ALL;
    is_right = is_right && crash_case(&crash, true, counts);
    for (uint64_t i = 0; i < counts->per_point && is_right; i++) {
        crash.mode = SIM_CRASH_RANDOM;
        crash.seed = seed + i;
        is_right = crash_case(&crash, i == 0, counts);
    }
    if (is_right && counts->points % 16 == 0) {
        is_right = crash_nested(&crash, counts);
    }
    counts->points++;
    (void)snprintf(text, CRASH_TEXT_BYTES, "workload %s, mode %d seed %" PRIu64 ": %.900s",
                   workload->name, (int)crash.mode, crash.seed, run.text);
    crash_run_release(&run);
    return is_right;
}

static void crash_everywhere(const struct crash_workload *workload, uint64_t operations,
                             uint64_t seed, struct counts *counts)
{
    uint64_t step = test_stride(1, 1);
    for (uint64_t op = 1 + seed % step; op <= operations; op += step) {
        char text[CRASH_TEXT_BYTES];
        bool is_right = crash_point(workload, op, seed + op * 1000, counts, text);
        CHECK_MSG(is_right, "%s\nrepeat with YORE_CRASH_ONE=%s:%" PRIu64 ":%" PRIu64, text,
                  workload->name, op, seed + op * 1000);
    }
}

/* The rarest of what was cut off; NULL: nothing was. */
static const struct place *rarest_place(const struct counts *counts)
{
    const struct place *rarest = NULL;
    for (size_t i = 0; i < counts->place_count; i++) {
        if (rarest == NULL || counts->places[i].count < rarest->count) {
            rarest = &counts->places[i];
        }
    }
    return rarest;
}

/* A soak goes on until each kind of operation of each workload was cut off in 100 cases. */
static bool is_enough(const struct counts *counts, uint64_t wanted)
{
    const struct place *rarest = rarest_place(counts);
    return counts->cases >= wanted && (!test_is_soak() || (rarest != NULL && rarest->count >= 100));
}

static void print_places(const struct counts *counts)
{
    const struct place *rarest = rarest_place(counts);
    for (size_t i = 0; i < counts->place_count && getenv("YORE_CRASH_PLACES") != NULL; i++) {
        printf("  %s: %" PRIu64 "\n", counts->places[i].name, counts->places[i].count);
    }
    printf("  %zu kinds of operations cut off, the rarest in %" PRIu64 " cases (%s)\n",
           counts->place_count, rarest == NULL ? 0 : rarest->count,
           rarest == NULL ? "" : rarest->name);
}

TEST(every_operation_is_a_crash_point)
{
    struct test_rand rand = test_rand_new(0);
    uint64_t wanted = test_number("YORE_CRASH_CASES", test_scale(20000, 200000));
    uint64_t operations[64];
    struct store_cuts cuts = {0};
    CHECK(crash_workload_count <= 64);
    for (size_t i = 0; i < crash_workload_count; i++) {
        operations[i] = count_operations(&crash_workloads[i], &cuts);
        printf("  %s: %" PRIu64 " operations\n", crash_workloads[i].name, operations[i]);
    }
    /* Every crash of a seal, a late merge or a drop is one of the points below. */
    CHECK(store_print_cuts(&cuts, CRASH_SEALS_MIN));
    static struct counts counts;
    memset(&counts, 0, sizeof counts);
    counts.per_point = 2;
    while (!is_enough(&counts, wanted)) {
        uint64_t seed = test_rand_u64(&rand) >> 16;
        for (size_t i = 0; i < crash_workload_count; i++) {
            crash_everywhere(&crash_workloads[i], operations[i], seed, &counts);
        }
    }
    test_count(counts.cases + counts.nested);
    print_places(&counts);
    printf("  %" PRIu64 " points, %" PRIu64 " cases, %" PRIu64 " crashes inside recovery\n",
           counts.points, counts.cases, counts.nested);
}

static const struct crash_workload *find_workload(const char *name, size_t length)
{
    for (size_t i = 0; i < crash_workload_count; i++) {
        if (strlen(crash_workloads[i].name) == length &&
            memcmp(crash_workloads[i].name, name, length) == 0) {
            return &crash_workloads[i];
        }
    }
    return NULL;
}

TEST(one_crash_point)
{
    const char *text = getenv("YORE_CRASH_ONE");
    if (text == NULL) {
        SKIP("set YORE_CRASH_ONE to workload:operation:seed");
    }
    size_t length = strcspn(text, ":");
    const struct crash_workload *workload = find_workload(text, length);
    CHECK(workload != NULL);
    char *rest = NULL;
    uint64_t op = strtoull(text + length + 1, &rest, 0);
    uint64_t seed = *rest == ':' ? strtoull(rest + 1, NULL, 0) : 1;
    static struct counts counts;
    counts.per_point = 4;
    char message[CRASH_TEXT_BYTES];
    bool is_right = crash_point(workload, op, seed, &counts, message);
    CHECK_MSG(is_right, "%s", message);
}

TEST_MAIN(one_crash_point, every_operation_is_a_crash_point)
