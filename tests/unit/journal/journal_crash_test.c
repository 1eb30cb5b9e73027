/* Power cuts at every operation of a scripted life of a journal, and again at every operation of
 * the recovery after it.  What was acknowledged must come back, what comes back must be a prefix,
 * and life must go on from there. */
#include <string.h>

#include "journal_support.h"

struct variant {
    const char *name;
    uint64_t keep_bytes;
    uint32_t recycle_count_max;
    bool is_settled_late; /* the manifest names the copy only after more was appended */
    bool is_starved;      /* of file handles, each step before it is done */
};

static const struct variant variants[] = {
    {.name = "recycling", .recycle_count_max = 2},
    {.name = "unlinking", .recycle_count_max = 0},
    {.name = "keeping", .keep_bytes = 5000, .recycle_count_max = 1},
    {.name = "late", .recycle_count_max = 2, .is_settled_late = true},
    {.name = "starved", .recycle_count_max = 2, .is_starved = true},
};

static void world_of(struct world *w, const struct variant *variant, uint64_t seed)
{
    world_init(w, seed);
    w->options.keep_bytes = variant->keep_bytes;
    w->options.recycle_count_max = variant->recycle_count_max;
}

/* One step of the script, by its number; the choice is the same in every run. */
static enum yore_status step(struct world *w, unsigned number)
{
    switch (number % 11) {
    case 0:
    case 3:
    case 6:
        return world_append(w, 1 + number % 4, 0);
    case 1:
        return world_append(w, 2, 350);
    case 2:
    case 8:
        return world_sync(w);
    case 4:
        return number % 2 == 0 ? world_flush(w) : world_append(w, 3, 500);
    case 5:
        return journal_mark(w->journal, &w->error);
    case 7:
        return number % 3 == 0 ? journal_purge(w->journal, &w->error) : world_append(w, 1, 2500);
    case 9:
        return world_flush(w);
    default:
        return world_append(w, 5, 0);
    }
}

/* First without a handle to spare, for the next segment's file, or only without one for its
 * directory.  Where that was refused nothing has come of it: something small may still fit into the
 * old segment, and then the step is done after all. */
static enum yore_status starved_step(struct world *w, unsigned number)
{
    (void)sim_disk_handles_peak(w->disk);
    sim_disk_set_handles(w->disk, sim_disk_handles_peak(w->disk) + number / 2 % 2);
    enum yore_status st = step(w, number);
    sim_disk_set_handles(w->disk, 0);
    if (st != YORE_NO_FILES) {
        return st;
    }
    CHECK(!journal_has_failed(w->journal));
    st = number % 3 != 0 ? world_append(w, 1, 1) : YORE_OK;
    return st == YORE_OK ? step(w, number) : st;
}

/* Two lives with a clean close between; stops at the first failure. */
static enum yore_status live(struct world *w, const struct variant *variant)
{
    enum yore_status st = YORE_OK;
    for (unsigned life = 0; life < 2 && st == YORE_OK; life++) {
        st = world_open(w);
        if (st == YORE_OK && !variant->is_settled_late) {
            st = world_settle(w);
        }
        for (unsigned i = 0; i < 26 && st == YORE_OK; i++) {
            if (i == 3 && variant->is_settled_late) {
                st = world_settle(w);
            } else {
                st = variant->is_starved ? starved_step(w, i + life * 5) : step(w, i + life * 5);
            }
        }
        if (st == YORE_OK) {
            st = world_close(w);
        }
    }
    return st;
}

/* After the last recovery: go on, close, and find everything. */
static void live_on(struct world *w)
{
    CHECK_OK(world_settle(w));
    CHECK_OK(world_append(w, 4, 400));
    CHECK_OK(world_sync(w));
    CHECK_OK(world_append(w, 4, 400));
    CHECK_EQ_UINT(world_read_after(w, w->flushed), w->appended - w->flushed);
    CHECK_OK(world_close(w));
    CHECK_OK(world_open(w));
    CHECK(!w->recovery.is_torn);
    uint64_t records;
    uint64_t bytes;
    enum yore_status st = journal_verify(w->journal, &records, &bytes, &w->error);
    CHECK_MSG(st == YORE_OK, "%s", w->error.text);
}

/* Run until the cut at operation `op` (of the first life on), and lose power.  False: the script
 * ended before. */
static bool run_and_cut(struct world *w, const struct variant *variant, uint64_t op,
                        enum sim_crash_mode mode, uint64_t seed)
{
    test_note("%s op %llu mode %d seed %llu", variant->name, (unsigned long long)op, (int)mode,
              (unsigned long long)seed);
    world_of(w, variant, seed);
    sim_disk_reset_count(w->disk);
    sim_disk_crash_at(w->disk, op);
    enum yore_status st = live(w, variant);
    bool is_cut = sim_disk_has_crashed(w->disk);
    CHECK(is_cut == (st != YORE_OK));
    world_crash(w, mode, seed);
    return is_cut;
}

static bool crash_and_recover(const struct variant *variant, uint64_t op, enum sim_crash_mode mode,
                              uint64_t seed)
{
    struct world w;
    bool is_cut = run_and_cut(&w, variant, op, mode, seed);
    CHECK_OK(world_open(&w));
    live_on(&w);
    world_free(&w);
    test_count(1);
    return is_cut;
}

static void crash_everywhere(const struct variant *variant)
{
    bool is_cut = true;
    for (uint64_t op = 1; is_cut; op++) {
        is_cut = crash_and_recover(variant, op, SIM_CRASH_KEEP_ALL, op);
        (void)crash_and_recover(variant, op, SIM_CRASH_DROP_ALL, op);
        for (uint64_t seed = 1; seed <= test_scale(12, 2000); seed++) {
            (void)crash_and_recover(variant, op, SIM_CRASH_RANDOM, op * 100000 + seed);
        }
    }
}

TEST(recycling_survives_a_crash_at_every_operation)
{
    crash_everywhere(&variants[0]);
}

TEST(unlinking_survives_a_crash_at_every_operation)
{
    crash_everywhere(&variants[1]);
}

TEST(keeping_segments_survives_a_crash_at_every_operation)
{
    crash_everywhere(&variants[2]);
}

TEST(a_manifest_that_lags_survives_a_crash_at_every_operation)
{
    crash_everywhere(&variants[3]);
}

TEST(rotations_that_are_refused_handles_survive_a_crash_at_every_operation)
{
    crash_everywhere(&variants[4]);
}

/* The recovery after the cut at `op` is itself cut at each of its operations, up to two times. */
static bool crash_nested(const struct variant *variant, uint64_t op, enum sim_crash_mode mode,
                         uint64_t seed)
{
    bool is_cut = true;
    bool is_nested_cut = true;
    for (uint64_t inner = 1; is_nested_cut; inner++) {
        struct world w;
        is_cut = run_and_cut(&w, variant, op, mode, seed);
        for (uint64_t depth = 0; depth < 2 && is_nested_cut; depth++) {
            test_note("%s op %llu mode %d seed %llu, recovery %llu cut at %llu", variant->name,
                      (unsigned long long)op, (int)mode, (unsigned long long)seed,
                      (unsigned long long)depth, (unsigned long long)inner);
            sim_disk_reset_count(w.disk);
            sim_disk_crash_at(w.disk, inner + depth);
            enum yore_status st = world_open(&w);
            if (st == YORE_OK) {
                st = world_settle(&w);
            }
            is_nested_cut = sim_disk_has_crashed(w.disk);
            CHECK(st == YORE_OK || is_nested_cut);
            world_crash(&w, mode, seed + inner + depth);
        }
        CHECK_OK(world_open(&w));
        live_on(&w);
        world_free(&w);
        test_count(1);
    }
    return is_cut;
}

static void nested_everywhere(const struct variant *variant)
{
    bool is_cut = true;
    for (uint64_t op = 1; is_cut; op++) {
        is_cut = crash_nested(variant, op, SIM_CRASH_DROP_ALL, op);
        (void)crash_nested(variant, op, SIM_CRASH_KEEP_ALL, op);
        for (uint64_t seed = 1; seed <= test_scale(2, 200); seed++) {
            (void)crash_nested(variant, op, SIM_CRASH_RANDOM, op * 100000 + seed);
        }
    }
}

TEST(a_recovery_survives_a_crash_at_every_operation)
{
    nested_everywhere(&variants[0]);
}

TEST(a_recovery_with_a_lagging_manifest_survives_a_crash_at_every_operation)
{
    nested_everywhere(&variants[3]);
}

TEST(a_recovery_that_keeps_segments_survives_a_crash_at_every_operation)
{
    nested_everywhere(&variants[2]);
}

/* An opening that copies so much that the copy has several segments is cut at operation `op`, and
 * the next one, after it, again.  False: the opening ended before. */
static bool cut_long_copy(uint64_t op, enum sim_crash_mode mode)
{
    struct world w;
    bool is_cut = false;
    test_note("op %llu mode %d", (unsigned long long)op, (int)mode);
    world_init(&w, op);
    CHECK_OK(world_open(&w));
    CHECK_OK(world_settle(&w));
    for (int i = 0; i < 24; i++) {
        CHECK_OK(world_append(&w, 1, 60000));
    }
    CHECK_OK(world_sync(&w));
    for (uint64_t i = 0; i < 2; i++) {
        world_crash(&w, mode, op * 2 + i);
        sim_disk_reset_count(w.disk);
        sim_disk_crash_at(w.disk, op + i);
        enum yore_status st = world_open(&w);
        is_cut = sim_disk_has_crashed(w.disk);
        CHECK(st == YORE_OK || is_cut);
    }
    world_crash(&w, mode, op);
    CHECK_OK(world_open(&w));
    CHECK(journal_segment(w.journal) > w.recovery.first_live_segment);
    live_on(&w);
    world_free(&w);
    test_count(1);
    return is_cut;
}

TEST(a_recovery_with_a_long_copy_survives_a_crash_at_every_operation)
{
    bool is_cut = true;
    for (uint64_t op = 1; is_cut; op++) {
        is_cut = cut_long_copy(op, SIM_CRASH_DROP_ALL);
        (void)cut_long_copy(op, SIM_CRASH_KEEP_ALL);
        (void)cut_long_copy(op, SIM_CRASH_RANDOM);
    }
}

/* ---- operations that fail while the power stays on ---- */

/* The nth operation of a kind fails: the script ends with an error, or goes on when nothing depends
 * on it (giving back a released segment).  Reopening mends it.  False: no operation of that number
 * was met. */
static bool fail_once(const struct variant *variant, enum sim_fault_kind kind, uint64_t nth,
                      bool is_sticky)
{
    struct world w;
    test_note("%s kind %d number %llu sticky %d", variant->name, (int)kind, (unsigned long long)nth,
              (int)is_sticky);
    world_of(&w, variant, nth);
    uint64_t before = sim_disk_fault_count(w.disk, kind);
    sim_disk_fail(w.disk, kind, nth, is_sticky);
    enum yore_status st = live(&w, variant);
    bool is_met = sim_disk_fault_count(w.disk, kind) - before >= nth;
    CHECK(st == YORE_OK || (st == YORE_IO && is_met && w.error.text[0] != 0));
    (void)journal_close(w.journal, NULL);
    w.journal = NULL;
    sim_disk_fail(w.disk, kind, 0, false);
    world_crash(&w, nth % 2 == 0 ? SIM_CRASH_KEEP_ALL : SIM_CRASH_RANDOM, nth);
    CHECK_OK(world_open(&w));
    live_on(&w);
    world_free(&w);
    test_count(1);
    return is_met;
}

TEST(after_any_failed_operation_reopening_finds_what_was_acknowledged)
{
    const enum sim_fault_kind kinds[] = {SIM_FAULT_READ, SIM_FAULT_WRITE, SIM_FAULT_SYNC,
                                         SIM_FAULT_OTHER};
    for (size_t v = 0; v < sizeof(variants) / sizeof(variants[0]); v++) {
        for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
            for (unsigned sticky = 0; sticky < 2; sticky++) {
                uint64_t nth = 1;
                while (fail_once(&variants[v], kinds[k], nth, sticky != 0)) {
                    nth++;
                }
                CHECK(nth > 1);
            }
        }
    }
}

/* ---- every sync is needed ---- */

#define SITES_MAX 16
#define SITE_BYTES 80

struct sites {
    char names[SITES_MAX][SITE_BYTES];
    unsigned count;
};

static void note_site(void *arg, const char *site, uint64_t count, uint64_t first_op)
{
    struct sites *sites = arg;
    (void)count;
    (void)first_op;
    if (strstr(site, "src/journal/") != NULL) {
        CHECK(sites->count < SITES_MAX && strlen(site) < SITE_BYTES);
        memcpy(sites->names[sites->count++], site, strlen(site) + 1);
    }
}

/* Cut the power everywhere with syncs from `site` ignored: how often was a promise broken, or the
 * journal refused? */
static unsigned breaches_without(const char *site)
{
    unsigned breaches = 0;
    bool is_cut = true;
    for (uint64_t op = 1; is_cut; op++) {
        for (uint64_t seed = 0; seed < 6; seed++) {
            struct world w;
            test_note("without %s: op %llu seed %llu", site, (unsigned long long)op,
                      (unsigned long long)seed);
            world_of(&w, &variants[0], seed);
            w.is_counting = true;
            sim_disk_ignore_site(w.disk, site);
            sim_disk_reset_count(w.disk);
            sim_disk_crash_at(w.disk, op);
            (void)live(&w, &variants[0]);
            is_cut = sim_disk_has_crashed(w.disk);
            world_crash(&w, seed == 0 ? SIM_CRASH_DROP_ALL : SIM_CRASH_RANDOM, op * 100 + seed);
            breaches += (world_open(&w) != YORE_OK ? 1u : 0u) + w.broken;
            world_free(&w);
        }
    }
    return breaches;
}

/* Purge what a spare, or the end of a recycled segment, still holds; lose power: is it still there?
 */
static bool is_leaking_without(const char *site, bool is_recycled)
{
    struct world w;
    world_init(&w, 1);
    sim_disk_ignore_site(w.disk, site);
    CHECK_OK(world_open(&w));
    CHECK_OK(world_settle(&w));
    world_append_octets(&w, 1, 'a');
    world_append_octets(&w, 2, 'S');
    CHECK_OK(journal_sync(w.journal, NULL));
    CHECK_OK(world_flush(&w));
    if (is_recycled) {
        CHECK_OK(world_append(&w, 1, 0));
        CHECK_OK(world_flush(&w));
    }
    CHECK(world_is_on_disk(&w, 'S'));
    CHECK(journal_stale_first(w.journal) < INT64_MAX);
    CHECK_OK(journal_purge(w.journal, NULL));
    CHECK_EQ_INT(journal_stale_first(w.journal), INT64_MAX);
    CHECK(!world_is_on_disk(&w, 'S'));
    world_crash(&w, SIM_CRASH_DROP_ALL, 1);
    bool is_leaking = world_is_on_disk(&w, 'S');
    world_free(&w);
    return is_leaking;
}

TEST(what_was_purged_does_not_come_back_with_the_power)
{
    CHECK(!is_leaking_without(NULL, false));
    CHECK(!is_leaking_without(NULL, true));
}

/* Close, and lose power: does the end still say that it is whole? */
static bool is_mark_lost_without(const char *site)
{
    struct world w;
    struct record_log_reader *log;
    struct record record;
    uint64_t end;
    uint64_t last;
    world_init(&w, 1);
    sim_disk_ignore_site(w.disk, site);
    CHECK_OK(world_open(&w));
    CHECK_OK(world_append(&w, 3, 100));
    CHECK_OK(journal_mark(w.journal, &w.error));
    const struct record_log_identity identity = {.database = WORLD_DATABASE,
                                                 .epoch = journal_segment(w.journal),
                                                 .kind = RECORD_LOG_JOURNAL};
    world_crash(&w, SIM_CRASH_DROP_ALL, 1);
    bool is_lost = true;
    if (record_log_open(w.env, world_segment(identity.epoch), identity, &log, NULL) == YORE_OK) {
        while (record_log_next(log, &record, NULL) == YORE_OK) {
        }
        is_lost = record_log_end(log, &end, &last) != RECORD_LOG_END_CLEAN;
        record_log_reader_close(log);
    }
    world_free(&w);
    return is_lost;
}

TEST(a_mark_outlasts_a_power_cut)
{
    CHECK(!is_mark_lost_without(NULL));
}

TEST(without_any_one_of_its_syncs_the_journal_breaks_a_promise)
{
    struct sites sites = {.count = 0};
    struct world w;
    world_of(&w, &variants[0], 1);
    CHECK_OK(live(&w, &variants[0]));
    sim_disk_sites(w.disk, note_site, &sites);
    world_free(&w);
    CHECK(sites.count >= 2);
    for (unsigned i = 0; i < sites.count; i++) {
        unsigned breaches = breaches_without(sites.names[i]);
        CHECK_MSG(breaches > 0 || is_leaking_without(sites.names[i], true) ||
                      is_leaking_without(sites.names[i], false) ||
                      is_mark_lost_without(sites.names[i]),
                  "%s is never missed", sites.names[i]);
        test_count(1);
    }
}

/* An opening fails on a full disk in the third segment of its copy, and is cut at operation `op`:
 * of the copying, or of giving back what it took.  False: the opening ended before. */
static bool cut_giving_back(uint64_t op, enum sim_crash_mode mode, uint64_t seed)
{
    struct world w;
    test_note("op %llu mode %d seed %llu", (unsigned long long)op, (int)mode,
              (unsigned long long)seed);
    world_init(&w, 1);
    CHECK_OK(world_open(&w));
    CHECK_OK(world_settle(&w));
    for (int i = 0; i < 60; i++) {
        CHECK_OK(world_append(&w, 1, 150));
    }
    CHECK_OK(world_sync(&w));
    world_crash(&w, SIM_CRASH_KEEP_ALL, 1);
    sim_disk_set_capacity(w.disk, sim_disk_used(w.disk) + 58 * 150);
    sim_disk_reset_count(w.disk);
    sim_disk_crash_at(w.disk, op);
    enum yore_status st = world_open(&w);
    bool is_cut = sim_disk_has_crashed(w.disk);
    CHECK(st == YORE_NO_SPACE || (is_cut && st == YORE_IO));
    sim_disk_set_capacity(w.disk, UINT64_MAX);
    world_crash(&w, mode, seed);
    st = world_open(&w);
    CHECK_MSG(st == YORE_OK, "%s", w.error.text);
    CHECK_EQ_UINT(w.replayed_last, 60);
    live_on(&w);
    world_free(&w);
    test_count(1);
    return is_cut;
}

TEST(giving_back_a_copy_of_several_segments_survives_a_crash_at_every_operation)
{
    bool is_cut = true;
    for (uint64_t op = 1; is_cut; op++) {
        is_cut = cut_giving_back(op, SIM_CRASH_KEEP_ALL, op);
        (void)cut_giving_back(op, SIM_CRASH_DROP_ALL, op);
        for (uint64_t seed = 1; seed <= test_scale(4, 40); seed++) {
            (void)cut_giving_back(op, SIM_CRASH_RANDOM, op * 1000 + seed);
        }
    }
}

TEST_MAIN(recycling_survives_a_crash_at_every_operation,
          unlinking_survives_a_crash_at_every_operation,
          keeping_segments_survives_a_crash_at_every_operation,
          a_manifest_that_lags_survives_a_crash_at_every_operation,
          rotations_that_are_refused_handles_survive_a_crash_at_every_operation,
          a_recovery_survives_a_crash_at_every_operation,
          a_recovery_with_a_lagging_manifest_survives_a_crash_at_every_operation,
          a_recovery_that_keeps_segments_survives_a_crash_at_every_operation,
          a_recovery_with_a_long_copy_survives_a_crash_at_every_operation,
          giving_back_a_copy_of_several_segments_survives_a_crash_at_every_operation,
          after_any_failed_operation_reopening_finds_what_was_acknowledged,
          what_was_purged_does_not_come_back_with_the_power, a_mark_outlasts_a_power_cut,
          without_any_one_of_its_syncs_the_journal_breaks_a_promise)
