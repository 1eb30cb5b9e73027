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
 *         past, and the median of scans that are each at another moment.
 *  grow   the same moment with H versions a key (20) around it, with ten times as many appended
 *         after it, and with ten times as many before it: five databases of each, by turns, since
 *         where slices are cut is a matter of threads; the ratios are those of the medians.
 *  latest N keys now, with one version each and with H (100), by turns; the ratio is what is left
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
#define CACHE_BYTES (UINT64_C(1) << 30)

struct setup {
    bool is_live;
    uint32_t keys; /* a multiple of ROUNDS_BATCH */
    uint32_t versions;
    uint32_t moments;
    uint32_t scans; /* at each moment */
    char path[4000];
};

static void begin(struct rounds *h, const struct setup *setup)
{
    struct yore_options options;
    *h = (struct rounds){.keys = setup->keys, .is_live = setup->is_live};
    (void)snprintf(h->path, sizeof h->path, "%s", setup->path);
    yore_options_init(&options);
    options.durability = YORE_DURABILITY_NONE;
    options.cache_bytes = CACHE_BYTES;
    rounds_open(h, &options);
}

/* ---- questions ---- */

static uint32_t winner(const void *arg, uint32_t key, uint64_t steps)
{
    return rounds_at(arg, key, steps);
}

static double ask(struct rounds *h, const struct setup *setup, uint64_t steps)
{
    uint64_t *took = rounds_need(malloc(setup->scans * sizeof *took));
    uint32_t kept = 0;
    for (uint32_t i = 0; kept < setup->scans; i++) {
        bool is_checked = i % CHECK_EVERY == 0;
        uint64_t one = rounds_scan(h, steps, is_checked ? winner : NULL, h);
        if (!is_checked && i >= setup->scans / 4) { /* the first ones fill the cache */
            took[kept++] = one;
        }
    }
    double us = rounds_median(took, setup->scans) / 1e3;
    free(took);
    return us;
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

static void print_spread(const struct setup *setup, const double *us, double anywhere_us)
{
    uint64_t *sorted = rounds_need(malloc(setup->moments * sizeof *sorted));
    for (uint32_t i = 0; i < setup->moments; i++) {
        sorted[i] = (uint64_t)(us[i] * 1e3);
    }
    double median = rounds_median(sorted, setup->moments) / 1e3;
    struct spread all = spread_of(us, setup->moments);
    struct spread past = spread_of(us, setup->moments - 1);
    printf("{\"question\":\"sweep spread\",\"dated\":\"%s\",\"median_us\":%.1f,\"least\":%.3f,"
           "\"worst\":%.3f,\"past_least\":%.3f,\"past_worst\":%.3f,\"anywhere_us\":%.1f}\n",
           dated(setup), median, all.least / median, all.most / median, past.least / median,
           past.most / median, anywhere_us);
    free(sorted);
}

static void sweep(const struct setup *setup)
{
    struct rounds h;
    begin(&h, setup);
    rounds_write(&h, setup->versions);
    rounds_settle(&h);
    uint64_t first = setup->keys / ROUNDS_BATCH;
    uint64_t last = (uint64_t)setup->keys * setup->versions / ROUNDS_BATCH;
    double *us = rounds_need(malloc(setup->moments * sizeof *us));
    for (uint32_t i = 0; i < setup->moments; i++) {
        uint64_t batches = first + (last - first) * i / (setup->moments - 1);
        us[i] = ask(&h, setup, batches * ROUNDS_BATCH);
        printf("{\"question\":\"sweep\",\"dated\":\"%s\",\"keys\":%u,\"versions\":%u,"
               "\"moment\":%.4f,\"scan_us\":%.1f}\n",
               dated(setup), setup->keys, setup->versions, (double)batches / (double)last, us[i]);
    }
    print_spread(setup, us, ask_anywhere(&h, setup, first, last));
    free(us);
    rounds_close(&h);
}

/* ---- grow ---- */

static double grown(const struct setup *setup, uint32_t before, uint32_t after)
{
    struct rounds h;
    begin(&h, setup);
    rounds_write(&h, before + setup->versions + after);
    rounds_settle(&h);
    uint64_t steps = ((uint64_t)before + setup->versions / 2) * setup->keys;
    double us = ask(&h, setup, steps);
    printf("{\"question\":\"grow\",\"dated\":\"%s\",\"keys\":%u,\"versions_before\":%u,"
           "\"versions\":%u,\"versions_after\":%u,\"scan_us\":%.1f}\n",
           dated(setup), setup->keys, before, setup->versions, after, us);
    rounds_close(&h);
    return us;
}

static void grow(const struct setup *setup)
{
    uint32_t more = GROWTH * setup->versions;
    uint64_t alone[GROW_ROUNDS];
    uint64_t after[GROW_ROUNDS];
    uint64_t before[GROW_ROUNDS];
    for (unsigned i = 0; i < GROW_ROUNDS; i++) {
        alone[i] = (uint64_t)(grown(setup, 0, 0) * 1e3);
        after[i] = (uint64_t)(grown(setup, 0, more) * 1e3);
        before[i] = (uint64_t)(grown(setup, more, 0) * 1e3);
    }
    double one = rounds_median(alone, GROW_ROUNDS);
    printf("{\"question\":\"grow ratio\",\"dated\":\"%s\",\"after\":%.3f,\"before\":%.3f}\n",
           dated(setup), rounds_median(after, GROW_ROUNDS) / one,
           rounds_median(before, GROW_ROUNDS) / one);
}

/* ---- latest ---- */

static double now_of(const struct setup *setup, uint32_t versions)
{
    struct rounds h;
    begin(&h, setup);
    rounds_write(&h, versions);
    rounds_settle(&h);
    double us = ask(&h, setup, ROUNDS_NOW);
    printf("{\"question\":\"latest\",\"dated\":\"%s\",\"keys\":%u,\"versions\":%u,"
           "\"scan_us\":%.1f}\n",
           dated(setup), setup->keys, versions, us);
    rounds_close(&h);
    return us;
}

static void latest(const struct setup *setup)
{
    uint64_t one[GROW_ROUNDS];
    uint64_t many[GROW_ROUNDS];
    for (unsigned i = 0; i < GROW_ROUNDS; i++) {
        one[i] = (uint64_t)(now_of(setup, 1) * 1e3);
        many[i] = (uint64_t)(now_of(setup, setup->versions) * 1e3);
    }
    printf("{\"question\":\"latest ratio\",\"dated\":\"%s\",\"versions\":%u,\"left\":%.3f}\n",
           dated(setup), setup->versions,
           rounds_median(one, GROW_ROUNDS) / rounds_median(many, GROW_ROUNDS));
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
    begin(&h, &of);
    rounds_write(&h, setup->versions);
    rounds_settle(&h);
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
