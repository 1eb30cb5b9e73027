/* as_of.c -- does a read of the past cost the same wherever it lands?
 *
 *   as_of sweep|grow|latest|changes [--live] [--keys=N] [--versions=H] [--moments=M] [--scans=S]
 * [--dir=DIR]
 *
 * Histories as in rounds.h, dated by the writer or with --live by the clock.  A scan reads 1,000
 * keys in a row at one moment; one in sixteen is compared with what must be there.  Times are
 * medians, in microseconds.  JSON lines:
 *
 *  sweep  N keys x H versions (5,000 x 100), then M moments (50) from the first round's end to the
 *         last commit: one line each, then the spread: the quickest and the slowest moment over
 *         the median of them all, the same without the last commit, which is the present and no
 *         past, and the median of scans that are each at another moment.  Moments take turns of
 *         25 scans, because processors change their speed; how the spread is where each moment has
 *         all its scans in a row is told, too.
 *  grow   the same moment with H versions a key (20) around it, with ten times as many appended
 *         after it, and with ten times as many before it: five databases of each, since where
 *         slices are cut is a matter of threads, three at a time by turns; the ratios are those of
 *         the medians.
 *  latest N keys now, with one version each and with H (100), likewise; the ratio is what is left
 *         of the speed.
 *  changes differences of all keys between moments ROUNDS_BATCH updates apart, H versions a key
 *         (20), with N keys and with ten times as many, by turns: the ratio of the medians.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rounds.h"

#define CHECK_EVERY 16
#define GROWTH 10
#define GROW_ROUNDS 5
#define TURNS 16
#define CACHE_BYTES (UINT64_C(1) << 30)

struct setup {
    bool is_live;
    uint32_t keys; /* a multiple of ROUNDS_BATCH */
    uint32_t versions;
    uint32_t moments;
    uint32_t scans; /* at each moment */
    char path[4000];
};

/* `number` tells databases that are open together apart. */
static void begin(struct rounds *h, const struct setup *setup, unsigned number)
{
    struct yore_options options;
    *h = (struct rounds){.keys = setup->keys, .is_live = setup->is_live};
    (void)snprintf(h->path, sizeof h->path, "%s.%u", setup->path, number);
    yore_options_init(&options);
    options.durability = YORE_DURABILITY_NONE;
    options.cache_bytes = CACHE_BYTES;
    rounds_open(h, &options);
}

static void fill(struct rounds *h, const struct setup *setup, unsigned number, uint32_t versions)
{
    begin(h, setup, number);
    rounds_write(h, versions);
    rounds_settle(h);
}

/* ---- questions ---- */

static uint32_t winner(const void *arg, uint32_t key, uint64_t steps)
{
    return rounds_at(arg, key, steps);
}

struct place {
    struct rounds *h;
    uint64_t steps;
};

static void ask(const struct place *place, uint32_t scans, uint64_t *took)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; kept < scans; i++) {
        bool is_checked = i % CHECK_EVERY == 0;
        uint64_t one = rounds_scan(place->h, place->steps, is_checked ? winner : NULL, place->h);
        if (!is_checked && i >= scans / 4) { /* the first ones fill the cache */
            took[kept++] = one;
        }
    }
}

/* Medians, in microseconds.  A place has its scans in so many turns. */
static void ask_all(const struct place *places, uint32_t count, const struct setup *setup,
                    uint32_t turns, double *us_out)
{
    uint32_t scans = setup->scans / turns > 0 ? setup->scans / turns : 1;
    size_t each = (size_t)scans * turns;
    uint64_t *took = rounds_need(malloc(count * each * sizeof *took));
    for (uint32_t turn = 0; turn < turns; turn++) {
        for (uint32_t i = 0; i < count; i++) {
            ask(&places[i], scans, took + i * each + (size_t)turn * scans);
        }
    }
    for (uint32_t i = 0; i < count; i++) {
        us_out[i] = rounds_median(took + i * each, each) / 1e3;
    }
    free(took);
}

/* Every scan at another moment: what it reads is in no cache of the processor. */
static double ask_anywhere(struct rounds *h, const struct setup *setup, uint64_t first,
                           uint64_t last)
{
    uint32_t count = 4 * setup->scans;
    uint64_t *took = rounds_need(malloc(count * sizeof *took));
    uint32_t kept = 0;
    for (uint32_t i = 0; kept < count; i++) {
        bool is_checked = i % CHECK_EVERY == 0;
        uint64_t batches = first + rounds_random(h) % (last - first + 1);
        uint64_t one = rounds_scan(h, batches * ROUNDS_BATCH, is_checked ? winner : NULL, h);
        if (!is_checked) {
            took[kept++] = one;
        }
    }
    double us = rounds_median(took, count) / 1e3;
    free(took);
    return us;
}

static const char *dated(const struct setup *setup)
{
    return setup->is_live ? "live" : "writer";
}

/* ---- sweep ---- */

/* The quickest and the slowest of so many moments. */
struct spread {
    double least;
    double most;
};

static struct spread spread_of(const double *us, uint32_t count)
{
    struct spread spread = {us[0], us[0]};
    for (uint32_t i = 1; i < count; i++) {
        spread.least = us[i] < spread.least ? us[i] : spread.least;
        spread.most = us[i] > spread.most ? us[i] : spread.most;
    }
    return spread;
}

static double median_of(const double *us, uint32_t count)
{
    uint64_t *sorted = rounds_need(malloc(count * sizeof *sorted));
    for (uint32_t i = 0; i < count; i++) {
        sorted[i] = (uint64_t)(us[i] * 1e3);
    }
    double median = rounds_median(sorted, count) / 1e3;
    free(sorted);
    return median;
}

static void print_spread(struct rounds *h, const struct setup *setup, const double *us,
                         const double *in_a_row_us, double anywhere_us)
{
    double median = median_of(us, setup->moments);
    double in_a_row = median_of(in_a_row_us, setup->moments);
    struct spread all = spread_of(us, setup->moments);
    struct spread past = spread_of(us, setup->moments - 1);
    struct spread past_in_a_row = spread_of(in_a_row_us, setup->moments - 1);
    printf("{\"question\":\"sweep spread\",\"dated\":\"%s\",\"median_us\":%.1f,\"least\":%.3f,"
           "\"worst\":%.3f,\"past_least\":%.3f,\"past_worst\":%.3f,\"anywhere_us\":%.1f,"
           "\"in_a_row_least\":%.3f,\"in_a_row_worst\":%.3f,\"slices\":%" PRIu64 "}\n",
           dated(setup), median, all.least / median, all.most / median, past.least / median,
           past.most / median, anywhere_us, past_in_a_row.least / in_a_row,
           past_in_a_row.most / in_a_row, rounds_stat(h, "history_slices"));
}

static void sweep(const struct setup *setup)
{
    struct rounds h;
    fill(&h, setup, 0, setup->versions);
    uint64_t first = setup->keys / ROUNDS_BATCH;
    uint64_t last = (uint64_t)setup->keys * setup->versions / ROUNDS_BATCH;
    struct place *places = rounds_need(malloc(setup->moments * sizeof *places));
    double *us = rounds_need(malloc(setup->moments * sizeof *us));
    double *in_a_row_us = rounds_need(malloc(setup->moments * sizeof *us));
    for (uint32_t i = 0; i < setup->moments; i++) {
        uint64_t batches = first + (last - first) * i / (setup->moments - 1);
        places[i] = (struct place){&h, batches * ROUNDS_BATCH};
    }
    ask_all(places, setup->moments, setup, 1, in_a_row_us);
    ask_all(places, setup->moments, setup, TURNS, us);
    for (uint32_t i = 0; i < setup->moments; i++) {
        printf("{\"question\":\"sweep\",\"dated\":\"%s\",\"keys\":%u,\"versions\":%u,"
               "\"moment\":%.4f,\"scan_us\":%.1f,\"in_a_row_us\":%.1f}\n",
               dated(setup), setup->keys, setup->versions,
               (double)places[i].steps / ROUNDS_BATCH / (double)last, us[i], in_a_row_us[i]);
    }
    print_spread(&h, setup, us, in_a_row_us, ask_anywhere(&h, setup, first, last));
    free(places);
    free(us);
    free(in_a_row_us);
    rounds_close(&h);
}

/* ---- grow ---- */

struct growth {
    uint32_t before; /* versions a key */
    uint32_t after;
};

static void grow(const struct setup *setup)
{
    const uint32_t more = GROWTH * setup->versions;
    const struct growth growths[3] = {{0, 0}, {0, more}, {more, 0}};
    uint64_t took[3][GROW_ROUNDS];
    for (unsigned round = 0; round < GROW_ROUNDS; round++) {
        struct rounds databases[3];
        struct place places[3];
        double us[3];
        for (unsigned i = 0; i < 3; i++) {
            const struct growth *g = &growths[i];
            fill(&databases[i], setup, i, g->before + setup->versions + g->after);
            places[i].h = &databases[i];
            places[i].steps = ((uint64_t)g->before + setup->versions / 2) * setup->keys;
        }
        ask_all(places, 3, setup, TURNS, us);
        for (unsigned i = 0; i < 3; i++) {
            took[i][round] = (uint64_t)(us[i] * 1e3);
            printf("{\"question\":\"grow\",\"dated\":\"%s\",\"keys\":%u,\"versions_before\":%u,"
                   "\"versions\":%u,\"versions_after\":%u,\"scan_us\":%.1f}\n",
                   dated(setup), setup->keys, growths[i].before, setup->versions, growths[i].after,
                   us[i]);
            rounds_close(&databases[i]);
        }
    }
    double alone = rounds_median(took[0], GROW_ROUNDS);
    printf("{\"question\":\"grow ratio\",\"dated\":\"%s\",\"after\":%.3f,\"before\":%.3f}\n",
           dated(setup), rounds_median(took[1], GROW_ROUNDS) / alone,
           rounds_median(took[2], GROW_ROUNDS) / alone);
}

/* ---- latest ---- */

static void latest(const struct setup *setup)
{
    const uint32_t versions[2] = {1, setup->versions};
    uint64_t took[2][GROW_ROUNDS];
    for (unsigned round = 0; round < GROW_ROUNDS; round++) {
        struct rounds databases[2];
        struct place places[2];
        double us[2];
        for (unsigned i = 0; i < 2; i++) {
            fill(&databases[i], setup, i, versions[i]);
            places[i] = (struct place){&databases[i], ROUNDS_NOW};
        }
        ask_all(places, 2, setup, TURNS, us);
        for (unsigned i = 0; i < 2; i++) {
            took[i][round] = (uint64_t)(us[i] * 1e3);
            printf("{\"question\":\"latest\",\"dated\":\"%s\",\"keys\":%u,\"versions\":%u,"
                   "\"scan_us\":%.1f}\n",
                   dated(setup), setup->keys, versions[i], us[i]);
            rounds_close(&databases[i]);
        }
    }
    printf("{\"question\":\"latest ratio\",\"dated\":\"%s\",\"versions\":%u,\"left\":%.3f}\n",
           dated(setup), setup->versions,
           rounds_median(took[0], GROW_ROUNDS) / rounds_median(took[1], GROW_ROUNDS));
}

/* ---- changes ---- */

static uint64_t difference(struct rounds *h, uint64_t steps)
{
    struct yore_changes_options options = {.from = rounds_moment(h, steps),
                                           .to = rounds_moment(h, steps + ROUNDS_BATCH),
                                           .known = YORE_NOW};
    struct yore_changes *changes = NULL;
    struct yore_change change;
    struct yore_error error;
    uint32_t count = 0;
    uint64_t begin_ns = rounds_now_ns();
    rounds_must(yore_changes_open(h->db, NULL, &options, &changes, &error), &error);
    while (yore_changes_next(changes, &change, &error) == YORE_OK) {
        count++;
    }
    yore_changes_close(changes);
    uint64_t took = rounds_now_ns() - begin_ns;
    if (count != ROUNDS_BATCH) {
        fprintf(stderr, "%u changes, not %d\n", count, ROUNDS_BATCH);
        exit(1);
    }
    return took;
}

static double differences_of(const struct setup *setup, uint32_t keys)
{
    struct rounds h;
    struct setup of = *setup;
    uint64_t *took = rounds_need(malloc(setup->scans * sizeof *took));
    of.keys = keys;
    fill(&h, &of, 0, setup->versions);
    uint64_t first = keys / ROUNDS_BATCH;
    uint64_t last = (uint64_t)keys * setup->versions / ROUNDS_BATCH - 1;
    for (uint32_t i = 0; i < 2 * setup->scans; i++) { /* the first half fills the cache */
        uint64_t batches = first + rounds_random(&h) % (last - first + 1);
        took[i % setup->scans] = difference(&h, batches * ROUNDS_BATCH);
    }
    double us = rounds_median(took, setup->scans) / 1e3;
    printf("{\"question\":\"changes\",\"dated\":\"%s\",\"keys\":%u,\"versions\":%u,"
           "\"difference_us\":%.1f}\n",
           dated(setup), keys, setup->versions, us);
    rounds_close(&h);
    free(took);
    return us;
}

static void changes_of_keys(const struct setup *setup)
{
    uint64_t few[GROW_ROUNDS];
    uint64_t many[GROW_ROUNDS];
    for (unsigned i = 0; i < GROW_ROUNDS; i++) {
        few[i] = (uint64_t)(differences_of(setup, setup->keys) * 1e3);
        many[i] = (uint64_t)(differences_of(setup, GROWTH * setup->keys) * 1e3);
    }
    printf("{\"question\":\"changes ratio\",\"dated\":\"%s\",\"keys\":%u,\"slower\":%.3f}\n",
           dated(setup), GROWTH * setup->keys,
           rounds_median(many, GROW_ROUNDS) / rounds_median(few, GROW_ROUNDS));
}

/* ---- command line ---- */

static const struct {
    const char *name;
    void (*ask)(const struct setup *setup);
    uint32_t versions;
} questions[] = {{"sweep", sweep, 100},
                 {"grow", grow, 20},
                 {"latest", latest, 100},
                 {"changes", changes_of_keys, 20}};

static bool set(struct setup *setup, const char *option)
{
    const struct {
        const char *name;
        uint32_t *field;
    } numbers[] = {{"--keys=", &setup->keys},
                   {"--versions=", &setup->versions},
                   {"--moments=", &setup->moments},
                   {"--scans=", &setup->scans}};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        size_t size = strlen(numbers[i].name);
        if (strncmp(option, numbers[i].name, size) == 0) {
            *numbers[i].field = (uint32_t)strtoul(option + size, NULL, 10);
            return *numbers[i].field > 0;
        }
    }
    if (strncmp(option, "--dir=", 6) == 0) {
        (void)snprintf(setup->path, sizeof setup->path, "%s/as_of.%ld", option + 6, (long)getpid());
        return true;
    }
    setup->is_live = setup->is_live || strcmp(option, "--live") == 0;
    return strcmp(option, "--live") == 0;
}

int main(int argc, char **argv)
{
    const size_t count = sizeof questions / sizeof *questions;
    size_t which = 0;
    while (argc > 1 && which < count && strcmp(argv[1], questions[which].name) != 0) {
        which++;
    }
    bool is_known = argc > 1 && which < count;
    struct setup setup = {.keys = 5000, .moments = 50, .scans = 400};
    (void)snprintf(setup.path, sizeof setup.path, "/tmp/as_of.%ld", (long)getpid());
    setup.versions = is_known ? questions[which].versions : 0;
    for (int i = 2; i < argc && is_known; i++) {
        is_known = set(&setup, argv[i]);
    }
    setup.keys -= setup.keys % ROUNDS_BATCH;
    if (!is_known || setup.keys < ROUNDS_SCAN_KEYS || setup.moments < 3 || setup.versions < 2) {
        fprintf(stderr, "usage: as_of sweep|grow|latest|changes [--live] [--keys=N] "
                        "[--versions=H] [--moments=M] [--scans=S] [--dir=DIR]\n");
        return 2;
    }
    questions[which].ask(&setup);
    return 0;
}
