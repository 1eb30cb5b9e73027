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
 *         past, and the median of scans that are each at another moment.  How the spread is where
 *         each moment has all its scans in a row is told, too.
 *  grow   the same moment with H versions a key (20) around it, with ten times as many appended
 *         after it, and with ten times as many before it.
 *  latest N keys now, with one version each and with H (100); the ratio is what is left of the
 *         speed.
 *  changes differences of all keys between moments ROUNDS_BATCH updates apart, H versions a key
 *         (20), with N keys and with ten times as many.
 *
 * What is compared takes turns of 25 scans, because processors change their speed, and a ratio is
 * the median of those of the turns.  The databases of the last three are made five times, since
 * where slices are cut is a matter of threads.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rounds.h"

#define CHECK_EVERY 16
#define GROWTH 10
#define COMPARE_ROUNDS 5
#define SIDES_MAX 3
#define TURNS 16
#define CACHE_BYTES (UINT64_C(1) << 30)
#define ANYWHERE (UINT64_MAX - 1) /* as steps: each time another moment */

struct setup {
    bool is_live;
    uint32_t keys; /* a multiple of ROUNDS_BATCH */
    uint32_t versions;
    uint32_t moments;
    uint32_t scans; /* at each moment */
    char path[4000];
};

static const char *dated(const struct setup *setup)
{
    return setup->is_live ? "live" : "writer";
}

/* `number` tells databases that are open together apart. */
static void fill(struct rounds *h, const struct setup *setup, unsigned number, uint32_t keys,
                 uint32_t versions)
{
    struct yore_options options;
    *h = (struct rounds){.keys = keys, .is_live = setup->is_live};
    (void)snprintf(h->path, sizeof h->path, "%s.%u", setup->path, number);
    yore_options_init(&options);
    options.durability = YORE_DURABILITY_NONE;
    options.cache_bytes = CACHE_BYTES;
    rounds_open(h, &options);
    rounds_write(h, versions);
    rounds_settle(h);
}

/* ---- what is asked ---- */

struct place {
    struct rounds *h;
    uint64_t steps;
    uint64_t (*ask)(const struct place *place, bool is_checked); /* nanoseconds */
};

/* Of a place, with so many steps behind it. */
static uint64_t steps_of(const struct place *place, uint64_t behind)
{
    struct rounds *h = place->h;
    if (place->steps != ANYWHERE) {
        return place->steps;
    }
    uint64_t first = h->keys / ROUNDS_BATCH;
    uint64_t last = ((uint64_t)h->keys * h->count - behind) / ROUNDS_BATCH;
    return (first + rounds_random(h) % (last - first + 1)) * ROUNDS_BATCH;
}

static uint32_t winner(const void *arg, uint32_t key, uint64_t steps)
{
    return rounds_at(arg, key, steps);
}

static uint64_t scan(const struct place *place, bool is_checked)
{
    return rounds_scan(place->h, steps_of(place, 0), is_checked ? winner : NULL, place->h);
}

/* Its number of changes is checked each time. */
static uint64_t difference(const struct place *place, bool is_checked)
{
    struct rounds *h = place->h;
    uint64_t steps = steps_of(place, ROUNDS_BATCH);
    struct yore_changes_options options = {.from = rounds_moment(h, steps),
                                           .to = rounds_moment(h, steps + ROUNDS_BATCH),
                                           .known = YORE_NOW};
    struct yore_changes *changes = NULL;
    struct yore_change change;
    struct yore_error error;
    uint32_t count = 0;
    (void)is_checked;
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

/* ---- turns ---- */

/* Microseconds: the median of what each place was asked in each turn. */
struct times {
    uint32_t places;
    uint32_t turns;
    double *us; /* [turn][place] */
};

static struct times times_new(uint32_t places, uint32_t turns)
{
    struct times times = {places, turns, NULL};
    times.us = rounds_need(malloc((size_t)places * turns * sizeof *times.us));
    return times;
}

static double median_of(const double *numbers, uint32_t count)
{
    uint64_t *sorted = rounds_need(malloc(count * sizeof *sorted));
    for (uint32_t i = 0; i < count; i++) {
        sorted[i] = (uint64_t)(numbers[i] * 1e6);
    }
    double median = rounds_median(sorted, count) / 1e6;
    free(sorted);
    return median;
}

/* `scans` of them, behind some that fill caches. */
static double ask(const struct place *place, uint32_t scans)
{
    uint64_t *took = rounds_need(malloc(scans * sizeof *took));
    uint32_t kept = 0;
    for (uint32_t i = 0; kept < scans; i++) {
        bool is_checked = i % CHECK_EVERY == 0;
        uint64_t one = place->ask(place, is_checked);
        if (!is_checked && i >= scans / 4) {
            took[kept++] = one;
        }
    }
    double us = rounds_median(took, scans) / 1e3;
    free(took);
    return us;
}

/* All turns of the places, which have `scans` each. */
static void ask_all(const struct place *places, uint32_t scans, struct times *times)
{
    uint32_t each = scans / times->turns > 0 ? scans / times->turns : 1;
    for (uint32_t turn = 0; turn < times->turns; turn++) {
        for (uint32_t i = 0; i < times->places; i++) {
            times->us[turn * times->places + i] = ask(&places[i], each);
        }
    }
}

/* The median of a place's turns, or of their quotients by bases[turn]. */
static double median_of_turns(const struct times *times, uint32_t place, const double *bases)
{
    double *of = rounds_need(malloc(times->turns * sizeof *of));
    for (uint32_t turn = 0; turn < times->turns; turn++) {
        double us = times->us[turn * times->places + place];
        of[turn] = bases != NULL ? us / bases[turn] : us;
    }
    double median = median_of(of, times->turns);
    free(of);
    return median;
}

/* ---- sweep ---- */

/* Of all moments over their median, turn by turn: the quickest and the slowest. */
struct spread {
    double least;
    double most;
};

static struct spread spread_of(const struct times *times, uint32_t count)
{
    double *medians = rounds_need(malloc(times->turns * sizeof *medians));
    for (uint32_t turn = 0; turn < times->turns; turn++) {
        medians[turn] = median_of(times->us + (size_t)turn * times->places, times->places);
    }
    struct spread spread = {1, 1};
    for (uint32_t i = 0; i < count; i++) {
        double slower = median_of_turns(times, i, medians);
        spread.least = slower < spread.least ? slower : spread.least;
        spread.most = slower > spread.most ? slower : spread.most;
    }
    free(medians);
    return spread;
}

static void print_spread(struct rounds *h, const struct setup *setup, const struct times *by_turns,
                         const struct times *in_a_row)
{
    struct place anywhere = {h, ANYWHERE, scan};
    double *us = rounds_need(malloc(setup->moments * sizeof *us));
    for (uint32_t i = 0; i < setup->moments; i++) {
        us[i] = median_of_turns(by_turns, i, NULL);
    }
    struct spread all = spread_of(by_turns, setup->moments);
    struct spread past = spread_of(by_turns, setup->moments - 1);
    struct spread past_in_a_row = spread_of(in_a_row, setup->moments - 1);
    printf("{\"question\":\"sweep spread\",\"dated\":\"%s\",\"median_us\":%.1f,\"least\":%.3f,"
           "\"worst\":%.3f,\"past_least\":%.3f,\"past_worst\":%.3f,\"anywhere_us\":%.1f,"
           "\"in_a_row_least\":%.3f,\"in_a_row_worst\":%.3f,\"slices\":%" PRIu64 "}\n",
           dated(setup), median_of(us, setup->moments), all.least, all.most, past.least, past.most,
           ask(&anywhere, 4 * setup->scans), past_in_a_row.least, past_in_a_row.most,
           rounds_stat(h, "history_slices"));
    free(us);
}

static void sweep(const struct setup *setup)
{
    struct rounds h;
    fill(&h, setup, 0, setup->keys, setup->versions);
    uint64_t first = setup->keys / ROUNDS_BATCH;
    uint64_t last = (uint64_t)setup->keys * setup->versions / ROUNDS_BATCH;
    struct place *places = rounds_need(malloc(setup->moments * sizeof *places));
    struct times by_turns = times_new(setup->moments, TURNS);
    struct times in_a_row = times_new(setup->moments, 1);
    for (uint32_t i = 0; i < setup->moments; i++) {
        uint64_t batches = first + (last - first) * i / (setup->moments - 1);
        places[i] = (struct place){&h, batches * ROUNDS_BATCH, scan};
    }
    ask_all(places, setup->scans, &in_a_row);
    ask_all(places, setup->scans, &by_turns);
    for (uint32_t i = 0; i < setup->moments; i++) {
        printf("{\"question\":\"sweep\",\"dated\":\"%s\",\"keys\":%u,\"versions\":%u,"
               "\"moment\":%.4f,\"scan_us\":%.1f,\"in_a_row_us\":%.1f}\n",
               dated(setup), setup->keys, setup->versions,
               (double)places[i].steps / ROUNDS_BATCH / (double)last,
               median_of_turns(&by_turns, i, NULL), in_a_row.us[i]);
    }
    print_spread(&h, setup, &by_turns, &in_a_row);
    free(places);
    free(by_turns.us);
    free(in_a_row.us);
    rounds_close(&h);
}

/* ---- databases side by side ---- */

struct side {
    uint32_t keys;
    uint32_t before; /* versions a key */
    uint32_t versions;
    uint32_t after;
    uint64_t steps;
};

struct comparison {
    const char *question;
    uint64_t (*ask)(const struct place *place, bool is_checked);
    unsigned count;
    struct side sides[SIDES_MAX];
};

static struct times compare(const struct setup *setup, const struct comparison *c)
{
    struct times times = times_new(c->count, COMPARE_ROUNDS * TURNS);
    for (uint32_t round = 0; round < COMPARE_ROUNDS; round++) {
        struct rounds databases[SIDES_MAX];
        struct place places[SIDES_MAX];
        for (unsigned i = 0; i < c->count; i++) {
            const struct side *side = &c->sides[i];
            fill(&databases[i], setup, i, side->keys, side->before + side->versions + side->after);
            places[i] = (struct place){&databases[i], side->steps, c->ask};
        }
        struct times one = times_new(c->count, TURNS);
        ask_all(places, setup->scans, &one);
        memcpy(times.us + (size_t)round * TURNS * c->count, one.us,
               (size_t)TURNS * c->count * sizeof *one.us);
        for (unsigned i = 0; i < c->count; i++) {
            const struct side *side = &c->sides[i];
            printf("{\"question\":\"%s\",\"dated\":\"%s\",\"keys\":%u,\"versions_before\":%u,"
                   "\"versions\":%u,\"versions_after\":%u,\"us\":%.1f}\n",
                   c->question, dated(setup), side->keys, side->before, side->versions, side->after,
                   median_of_turns(&one, i, NULL));
            rounds_close(&databases[i]);
        }
        free(one.us);
    }
    return times;
}

/* How much slower one side is than another. */
static double slower(const struct times *times, uint32_t side, uint32_t other)
{
    double *bases = rounds_need(malloc(times->turns * sizeof *bases));
    for (uint32_t turn = 0; turn < times->turns; turn++) {
        bases[turn] = times->us[turn * times->places + other];
    }
    double median = median_of_turns(times, side, bases);
    free(bases);
    return median;
}

static void grow(const struct setup *setup)
{
    const uint32_t more = GROWTH * setup->versions;
    const uint64_t middle = (uint64_t)(setup->versions / 2) * setup->keys;
    const struct comparison c = {
        "grow",
        scan,
        3,
        {{setup->keys, 0, setup->versions, 0, middle},
         {setup->keys, 0, setup->versions, more, middle},
         {setup->keys, more, setup->versions, 0, (uint64_t)more * setup->keys + middle}}};
    struct times times = compare(setup, &c);
    printf("{\"question\":\"grow ratio\",\"dated\":\"%s\",\"after\":%.3f,\"before\":%.3f}\n",
           dated(setup), slower(&times, 1, 0), slower(&times, 2, 0));
    free(times.us);
}

static void latest(const struct setup *setup)
{
    const struct comparison c = {
        "latest",
        scan,
        2,
        {{setup->keys, 0, 1, 0, ROUNDS_NOW}, {setup->keys, 0, setup->versions, 0, ROUNDS_NOW}}};
    struct times times = compare(setup, &c);
    printf("{\"question\":\"latest ratio\",\"dated\":\"%s\",\"versions\":%u,\"left\":%.3f}\n",
           dated(setup), setup->versions, slower(&times, 0, 1));
    free(times.us);
}

static void changes_of_keys(const struct setup *setup)
{
    const struct comparison c = {"changes",
                                 difference,
                                 2,
                                 {{setup->keys, 0, setup->versions, 0, ANYWHERE},
                                  {GROWTH * setup->keys, 0, setup->versions, 0, ANYWHERE}}};
    struct times times = compare(setup, &c);
    printf("{\"question\":\"changes ratio\",\"dated\":\"%s\",\"keys\":%u,\"slower\":%.3f}\n",
           dated(setup), GROWTH * setup->keys, slower(&times, 1, 0));
    free(times.us);
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
