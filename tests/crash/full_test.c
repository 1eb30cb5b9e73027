/* full_test.c -- the disk fills up at every octet that a short workload writes, and in every write
 * of the long ones.
 *
 *     YORE_FULL_STRIDE=n    try every n-th octet of the short ones (default 7; soak 1)
 *     YORE_FULL_WRITES=n    try every n-th write of the long ones (default 1)
 *     YORE_FULL_ONE=short/workload:octet    one case; or long/workload:octet
 *
 * Octet n is the first for which there is no room, counted over all that makes files grow: the disk
 * is from then on as large as what is in use, so a job that gives room back may go on.  After the
 * first refusal that the database tells, the script stops, the database is closed, the disk gets
 * room and what is left is judged: with the files as they are (a restart), and as a power cut would
 * leave them.
 *
 * Every call site that takes room, in files of each kind, must be among those that were refused.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crash/crash_run.h"
#include "crash/full_workloads.h"

#define PLACES_MAX 64u
#define PLACE_BYTES 64u
#define NAME_BYTES 48u

/* A call site and a kind of file: "table_builder.c:118 of table". */
struct place {
    char name[PLACE_BYTES];
    uint64_t writes; /* that made a file grow, with room enough */
    uint64_t cases;  /* in which it was the first to be refused */
};

struct places {
    struct place items[PLACES_MAX];
    size_t count;
};

/* A write that made a file grow, in octets taken so far. */
struct growth {
    uint64_t begin;
    uint64_t end;
    const struct place *place;
    bool is_first; /* of its place, in this workload */
};

/* What is told of one run. */
struct growths {
    struct places *places;
    bool is_full; /* a write was refused */
    uint64_t octets;
    struct growth *items;
    size_t count;
    size_t capacity;
};

static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL ? path : slash + 1;
}

static struct place *find_place(struct places *places, const struct sim_growth *growth)
{
    char name[PLACE_BYTES];
    const char *file = last_part(growth->path);
    (void)snprintf(name, sizeof name, "%s of %.*s", last_part(growth->site),
                   (int)strcspn(file, "-."), file);
    size_t i = 0;
    while (i < places->count && strcmp(places->items[i].name, name) != 0) {
        i++;
    }
    if (i == places->count && i < PLACES_MAX) {
        places->items[i] = (struct place){.name = ""};
        memcpy(places->items[i].name, name, sizeof name);
        places->count++;
    }
    CHECK(i < PLACES_MAX);
    return &places->items[i];
}

static void note_growth(void *arg, const struct sim_growth *growth)
{
    struct growths *g = arg;
    struct place *place = find_place(g->places, growth);
    bool is_first = true;
    place->writes++;
    if (g->count == g->capacity) {
        g->capacity = g->capacity == 0 ? 256 : g->capacity * 2;
        struct growth *grown = realloc(g->items, g->capacity * sizeof *grown);
        if (grown == NULL) {
            exit(2);
        }
        g->items = grown;
    }
    for (size_t i = 0; i < g->count && is_first; i++) {
        is_first = g->items[i].place != place;
    }
    g->items[g->count++] = (struct growth){g->octets, g->octets + growth->octets, place, is_first};
    g->octets += growth->octets;
}

static void note_refusal(void *arg, const struct sim_growth *growth)
{
    struct growths *g = arg;
    if (growth->is_refused && !g->is_full) {
        g->is_full = true;
        find_place(g->places, growth)->cases++;
    }
}

/* ---- one workload --------------------------------------------------------------------------- */

struct full {
    const struct full_workload *workload;
    char name[NAME_BYTES];
    struct crash_run prepared;
    struct growths growths; /* undisturbed */
    struct places *places;
};

static void prepare(struct full *full)
{
    const struct full_workload *w = full->workload;
    struct crash_run run;
    crash_run_init(&run, &w->workload);
    if (w->prepare != NULL) {
        crash_run_open(&run);
        w->prepare(&run);
    }
    if (!w->is_killed) {
        crash_run_close(&run);
    }
    CHECK_MSG(!run.is_stopped, "%s, prepared: %s", full->name, run.text);
    crash_run_fork(&run, &full->prepared);
    crash_run_release(&run);
}

/* The script from what was prepared on; `run` is closed and the disk has room afterwards. */
static void run_script(const struct full *full, struct crash_run *run, uint64_t room,
                       struct growths *growths)
{
    const struct full_workload *w = full->workload;
    bool is_limited = room != UINT64_MAX;
    crash_run_fork(&full->prepared, run);
    if (!w->is_opening) {
        crash_run_open(run);
    }
    sim_disk_tell_growth(run->disk, is_limited ? note_refusal : note_growth, growths);
    if (is_limited) {
        sim_disk_fill_after(run->disk, room);
    }
    if (w->is_opening) {
        crash_run_open(run);
    }
    w->workload.script(run);
    crash_run_close(run);
    sim_disk_tell_growth(run->disk, NULL, NULL);
    sim_disk_set_capacity(run->disk, UINT64_MAX);
}

/* Prepare it and run it with room enough. */
static void full_init(struct full *full, const struct full_workload *workload, const char *kind,
                      struct places *places)
{
    memset(full, 0, sizeof *full);
    full->workload = workload;
    full->places = places;
    full->growths.places = places;
    (void)snprintf(full->name, sizeof full->name, "%s/%s", kind, workload->workload.name);
    prepare(full);
    struct crash_run run;
    run_script(full, &run, UINT64_MAX, &full->growths);
    bool is_right = !run.is_stopped && crash_judge_mended(&run, 1);
    CHECK_MSG(is_right, "%s, undisturbed: %s", full->name, run.text);
    full->prepared.cuts = run.cuts;
    crash_run_release(&run);
}

static void full_release(struct full *full)
{
    crash_run_release(&full->prepared);
    free(full->growths.items);
}

/* There is no room for octet number `octet`, counted from 0. */
static void full_case(const struct full *full, uint64_t octet)
{
    struct crash_run run;
    struct growths growths = {.places = full->places};
    run_script(full, &run, octet, &growths);
    bool is_right = growths.is_full && (!run.is_stopped || run.failed_status == YORE_NO_SPACE);
    is_right = is_right && crash_judge_mended(&run, octet);
    char text[CRASH_TEXT_BYTES];
    memcpy(text, run.text, sizeof text);
    crash_run_release(&run);
    CHECK_MSG(
        is_right, "%s, no room for octet %" PRIu64 "%s: %s\nrepeat with YORE_FULL_ONE=%s:%" PRIu64,
        full->name, octet, growths.is_full ? "" : " (none was refused)", text, full->name, octet);
}

/* ---- all of them ---------------------------------------------------------------------------- */

static struct full_workload long_workload(size_t index)
{
    return (struct full_workload){crash_workloads[index], NULL, true, false};
}

/* Every place that takes room anywhere was refused it. */
static void check_places(const struct places *places)
{
    const struct place *rarest = &places->items[0];
    for (size_t i = 0; i < places->count; i++) {
        const struct place *place = &places->items[i];
        printf("  %s: %" PRIu64 " writes, refused in %" PRIu64 " cases\n", place->name,
               place->writes, place->cases);
        rarest = place->cases < rarest->cases ? place : rarest;
    }
    CHECK(places->count > 0);
    CHECK_MSG(rarest->cases > 0, "%s has never met a full disk", rarest->name);
}

/* Every `stride`-th octet, and where each place begins to write, which may take less than that. */
static uint64_t fill_octets(const struct full *full, struct test_rand *rand, uint64_t stride)
{
    uint64_t cases = 0;
    for (size_t i = 0; i < full->growths.count && stride > 1; i++) {
        if (full->growths.items[i].is_first) {
            full_case(full, full->growths.items[i].begin);
            cases++;
        }
    }
    for (uint64_t octet = test_rand_below(rand, stride); octet < full->growths.octets;
         octet += stride) {
        full_case(full, octet);
        cases++;
    }
    return cases;
}

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

TEST(the_disk_fills_up_at_every_octet)
{
    static struct places places;
    uint64_t stride = test_number("YORE_FULL_STRIDE", test_stride(7, 1));
    struct test_rand rand = test_rand_new(0);
    struct store_cuts cuts = {0};
    uint64_t cases = 0;
    memset(&places, 0, sizeof places);
    for (size_t i = 0; i < full_workload_count; i++) {
        struct full full;
        full_init(&full, &full_workloads[i], "short", &places);
        uint64_t tried = fill_octets(&full, &rand, stride);
        printf("  %s: %" PRIu64 " of %" PRIu64 " octets in %zu writes\n", full.name, tried,
               full.growths.octets, full.growths.count);
        add_cuts(&cuts, &full.prepared.cuts);
        cases += tried;
        full_release(&full);
    }
    for (size_t i = 0; i < crash_workload_count; i++) { /* what takes room in these, does above */
        struct full_workload workload = long_workload(i);
        struct full full;
        full_init(&full, &workload, "long", &places);
        full_release(&full);
    }
    test_count(cases);
    check_places(&places);
    CHECK(store_print_cuts(&cuts, 1));
    printf("  the disk was full at %" PRIu64 " octets\n", cases);
}

/* At the first octet of a write, at its last, and at one between. */
static uint64_t fill_write(const struct full *full, size_t write, struct test_rand *rand)
{
    uint64_t begin = full->growths.items[write].begin;
    uint64_t last = full->growths.items[write].end - 1;
    uint64_t cases = 1;
    full_case(full, begin);
    if (last > begin) {
        full_case(full, last);
        cases++;
    }
    if (last > begin + 1) {
        full_case(full, begin + 1 + test_rand_below(rand, last - begin - 1));
        cases++;
    }
    return cases;
}

TEST(the_disk_fills_up_in_every_write)
{
    static struct places places;
    uint64_t stride = test_number("YORE_FULL_WRITES", test_stride(1, 1));
    struct test_rand rand = test_rand_new(0);
    uint64_t cases = 0;
    uint64_t writes = 0;
    memset(&places, 0, sizeof places);
    for (size_t i = 0; i < crash_workload_count; i++) {
        struct full_workload workload = long_workload(i);
        struct full full;
        full_init(&full, &workload, "long", &places);
        for (size_t j = test_rand_below(&rand, stride); j < full.growths.count; j += stride) {
            cases += fill_write(&full, j, &rand);
            writes++;
        }
        full_release(&full);
    }
    test_count(cases);
    printf("  the disk was full in %" PRIu64 " writes, %" PRIu64 " cases\n", writes, cases);
}

/* ---- repeating ------------------------------------------------------------------------------ */

/* The workload of a name as failures print it. */
static bool find_workload(const char *name, struct full_workload *workload_out)
{
    bool is_short = strncmp(name, "short/", 6) == 0;
    bool is_long = strncmp(name, "long/", 5) == 0;
    for (size_t i = 0; i < full_workload_count && is_short; i++) {
        *workload_out = full_workloads[i];
        if (strcmp(workload_out->workload.name, name + 6) == 0) {
            return true;
        }
    }
    for (size_t i = 0; i < crash_workload_count && is_long; i++) {
        *workload_out = long_workload(i);
        if (strcmp(workload_out->workload.name, name + 5) == 0) {
            return true;
        }
    }
    return false;
}

TEST(one_full_disk)
{
    static struct places places;
    const char *text = getenv("YORE_FULL_ONE");
    char name[NAME_BYTES];
    unsigned long long octet = 0;
    if (text == NULL || sscanf(text, "%47[^:]:%llu", name, &octet) != 2) {
        SKIP("set YORE_FULL_ONE to short/workload:octet or long/workload:octet");
    }
    struct full_workload workload;
    struct full full;
    CHECK(find_workload(name, &workload));
    memset(&places, 0, sizeof places);
    full_init(&full, &workload, strncmp(name, "long/", 5) == 0 ? "long" : "short", &places);
    full_case(&full, octet);
    full_release(&full);
}

TEST_MAIN(one_full_disk, the_disk_fills_up_at_every_octet, the_disk_fills_up_in_every_write)
