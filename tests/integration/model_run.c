/* model_run.c -- see model_run.h. */
#include "integration/model_run.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "engine/db.h"
#include "os/env.h"

#define RUN_START 1700000000000000000
#define RUN_SECOND 1000000000

static const struct {
    const char *name;
    unsigned weights[RUN_MIXES];
    bool (*run)(struct run *run);
} run_ops[RUN_OP_KINDS] = {
#define RUN_OP_ROW(name, usual, held, horizons) {#name, {usual, held, horizons}, run_##name},
    RUN_OPS(RUN_OP_ROW)
#undef RUN_OP_ROW
};

const char *run_op_name(enum run_op_kind kind)
{
    return run_ops[kind].name;
}

bool run_fail(struct run *run, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)vsnprintf(run->compare.text, sizeof run->compare.text, format, args);
    va_end(args);
    return false;
}

/* Half of the rounds are the usual ones. */
static enum run_mix run_mix_of(uint64_t seed)
{
    static const enum run_mix mixes[4] = {RUN_MIX_USUAL, RUN_MIX_USUAL, RUN_MIX_HELD,
                                          RUN_MIX_HORIZONS};
    return mixes[seed / 4 % 4]; /* seed % 4: run_open() */
}

void run_draw(uint64_t seed, struct run_op *ops, size_t count)
{
    struct test_rand rand = {seed};
    enum run_mix mix = run_mix_of(seed);
    uint64_t sum = 0;
    for (unsigned i = 0; i < RUN_OP_KINDS; i++) {
        sum += run_ops[i].weights[mix];
    }
    for (size_t i = 0; i < count; i++) {
        uint64_t draw = test_rand_below(&rand, sum);
        unsigned kind = 0;
        while (draw >= run_ops[kind].weights[mix]) {
            draw -= run_ops[kind].weights[mix];
            kind++;
        }
        ops[i] = (struct run_op){(enum run_op_kind)kind, test_rand_u64(&rand)};
    }
}

/* ---- keys, values, moments ------------------------------------------------------------------ */

struct yore_bytes run_key(struct run *run, unsigned char storage[RUN_KEY_BYTES_MAX])
{
    /* A quarter of the keys gets half of the writes. */
    uint64_t all = run->mix == RUN_MIX_HELD ? RUN_KEY_COUNT_HELD : RUN_KEY_COUNT;
    uint64_t count = test_rand_one_in(&run->rand, 2) ? all / 4 : all;
    uint64_t index = test_rand_below(&run->rand, count);
    struct test_rand shape = {index * 2654435761u + 1};
    uint64_t form = index % 8;
    int used = 0;
    if (form < 4) {
        used = snprintf((char *)storage, 32, "n/%03" PRIu64, index);
    } else if (form == 4) { /* one is the prefix of the next */
        used =
            snprintf((char *)storage, 64, "p%.*s", (int)(1 + index / 8), "aaaaaaaaaaaaaaaaaaaaaa");
    } else if (form < 7) { /* any octets */
        used = (int)(1 + test_rand_below(&shape, 12));
        test_rand_fill(&shape, storage, (size_t)used);
        storage[0] = (unsigned char)(test_rand_one_in(&shape, 2) ? 0xff : index);
    } else { /* long, with a long common prefix */
        used = (int)(200 + index % 3 * 700);
        memset(storage, 'L', (size_t)used);
        storage[used - 1] = (unsigned char)index;
    }
    return bytes_of(storage, (size_t)used);
}

struct yore_bytes run_value(struct run *run, unsigned char storage[RUN_VALUE_BYTES_MAX])
{
    uint64_t form = test_rand_below(&run->rand, 32);
    if (form == 0) {
        return bytes_of("", 0);
    }
    if (form < 4) { /* equal values happen */
        memset(storage, (int)('a' + form), 20);
        return bytes_of(storage, 20);
    }
    uint64_t size = 1 + test_rand_below(&run->rand, 120);
    if (form == 4) {
        size = 200 + test_rand_below(&run->rand, 120); /* around the size that goes apart */
    } else if (form == 5) {
        size = 1 + test_rand_below(&run->rand, test_rand_one_in(&run->rand, 8) ? 8192 : 1024);
    }
    test_rand_fill(&run->rand, storage, (size_t)size);
    return bytes_of(storage, (size_t)size);
}

int64_t run_now(struct run *run)
{
    return yore_now(run->compare.db);
}

int64_t run_horizon(struct run *run, unsigned keyspace)
{
    struct yore_keyspace_info info;
    enum yore_status status =
        yore_keyspace_info(run->compare.db, run->compare.keyspaces[keyspace], &info, NULL);
    return status == YORE_OK ? info.horizon : YORE_TIME_MIN;
}

/* The begin, end or commit of some version. */
static int64_t run_known_moment(struct run *run, unsigned keyspace)
{
    const struct model_keyspace *space = &run->model->keyspaces[keyspace];
    if (space->count == 0) {
        return run->start;
    }
    const struct model_key *key = &space->keys[test_rand_below(&run->rand, space->count)];
    if (key->count == 0) {
        return run->start;
    }
    const struct model_version *version = &key->versions[test_rand_below(&run->rand, key->count)];
    uint64_t pick = test_rand_below(&run->rand, 4);
    int64_t moment = pick < 2 ? version->valid_from : version->commit;
    if (pick == 3 && version->valid_to != YORE_FOREVER) {
        moment = version->valid_to;
    }
    return moment + (int64_t)test_rand_below(&run->rand, 3) - 1;
}

int64_t run_moment(struct run *run, unsigned keyspace)
{
    int64_t now = run_now(run);
    int64_t low = run->horizon[keyspace];
    if (low < run->start) {
        low = run->start;
    }
    int64_t moment = now;
    uint64_t form = test_rand_below(&run->rand, 16);
    if (form < 7) {
        moment = run_known_moment(run, keyspace);
    } else if (form < 13 && low < now) {
        moment = low + (int64_t)test_rand_below(&run->rand, (uint64_t)(now - low));
    } else if (form < 15 && low < now) { /* near the present */
        uint64_t back = (uint64_t)(now - low) / 50 + 1;
        moment = now - (int64_t)test_rand_below(&run->rand, back);
    } else if (form == 15) { /* long before anything */
        moment = run->start - (int64_t)test_rand_below(&run->rand, 1000000000000);
    }
    if (moment < run->horizon[keyspace]) {
        moment = run->horizon[keyspace];
    }
    return moment > now ? now : moment;
}

struct compare_at run_at(struct run *run, unsigned keyspace, struct yore_time *storage)
{
    int64_t now = run_now(run);
    struct compare_at at = {storage, {now, YORE_NOW}};
    *storage = at.moment;
    if (keyspace == RUN_NOW) {
        at.asked = NULL;
        return at;
    }
    uint64_t form = test_rand_below(&run->rand, 8);
    if (form == 0) {
        at.asked = NULL;
    } else if (form > 1) {
        storage->valid = run_moment(run, keyspace);
        if (form > 4) {
            storage->known = run_moment(run, keyspace);
        }
        if (test_rand_one_in(&run->rand, 64)) { /* what will hold, as far as we know */
            storage->valid = now + (int64_t)test_rand_below(&run->rand, 100 * (uint64_t)RUN_SECOND);
        }
        at.moment = *storage;
    }
    return at;
}

/* ---- keyspaces ------------------------------------------------------------------------------ */

unsigned run_space(struct run *run)
{
    bool is_now = run->mix == RUN_MIX_HELD && test_rand_one_in(&run->rand, 2);
    return is_now ? RUN_NOW : (unsigned)test_rand_below(&run->rand, RUN_SPACES);
}

unsigned run_space_with_past(struct run *run)
{
    static const unsigned usual[8] = {RUN_DEFAULT, RUN_DEFAULT, RUN_DEFAULT, RUN_DEFAULT,
                                      RUN_DEFAULT, RUN_TRIMMED, RUN_TRIMMED, RUN_FOR};
    static const unsigned trimmed[8] = {RUN_DEFAULT, RUN_TRIMMED, RUN_TRIMMED, RUN_TRIMMED,
                                        RUN_TRIMMED, RUN_FOR,     RUN_FOR,     RUN_FOR};
    const unsigned *spaces = run->mix == RUN_MIX_HORIZONS ? trimmed : usual;
    return spaces[test_rand_below(&run->rand, 8)];
}

unsigned run_space_to_read(struct run *run)
{
    uint64_t one_in = run->mix == RUN_MIX_HELD ? 2 : 8;
    return test_rand_one_in(&run->rand, one_in) ? (unsigned)RUN_NOW : run_space_with_past(run);
}

unsigned run_space_of_txn(struct run *run)
{
    uint64_t one_in = run->mix == RUN_MIX_HELD ? 2 : 5;
    if (test_rand_one_in(&run->rand, one_in)) {
        return RUN_NOW;
    }
    return test_rand_one_in(&run->rand, 4) ? run_space_with_past(run) : (unsigned)RUN_DEFAULT;
}

/* ---- opening -------------------------------------------------------------------------------- */

static void run_on_event(void *arg, const struct yore_event *event)
{
    struct run *run = arg;
    if (event->kind == YORE_EVENT_SEAL && !event->is_begin) {
        atomic_store(&run->has_sealed, true); /* partner: run_step() */
    }
}

const char *const run_space_names[RUN_SPACES] = {NULL, "trimmed", "now-only", "some-time"};

static bool run_open_spaces(struct run *run)
{
    for (unsigned i = 1; i < RUN_SPACES; i++) {
        struct yore_error error = {0};
        struct yore_keyspace **space = &run->compare.keyspaces[i];
        enum yore_status status =
            yore_keyspace_open(run->compare.db, run_space_names[i], NULL, space, &error);
        if (status == YORE_NOT_FOUND && run->now_seen == INT64_MIN) {
            struct yore_keyspace_options options = {0};
            options.keep = i == RUN_NOW ? YORE_KEEP_NOW : YORE_KEEP_ALL;
            options.compression = i == RUN_TRIMMED ? YORE_COMPRESSION_NONE : YORE_COMPRESSION_ZSTD;
            if (i == RUN_FOR) {
                options.keep = YORE_KEEP_FOR;
                options.keep_ns = run->keep_ns;
            }
            status =
                yore_keyspace_create(run->compare.db, run_space_names[i], &options, space, &error);
        }
        if (status != YORE_OK) {
            return run_fail(run, "keyspace %s: %s [%s]", run_space_names[i],
                            yore_status_name(status), error.text);
        }
    }
    return true;
}

bool run_open(struct run *run)
{
    struct yore_error error = {0};
    /* Three rounds of four do all work in the calls themselves, and so the same every time. */
    enum yore_status status =
        run->seed % 4 == 0
            ? db_open(run->env, STORE_PATH, &run->options, &run->compare.db, &error)
            : db_open_inline(run->env, STORE_PATH, &run->options, &run->compare.db, &error);
    if (status != YORE_OK) {
        return run_fail(run, "open: %s [%s]", yore_status_name(status), error.text);
    }
    return run_open_spaces(run);
}

void run_close(struct run *run)
{
    if (run->compare.db == NULL) {
        return;
    }
    run_release_handles(run);
    store_add_sources(run->compare.db, run->counts->sources);
    store_add_cuts(run->compare.db, &run->counts->cuts);
    struct yore_error error = {0};
    (void)yore_close(run->compare.db, &error);
    run->compare.db = NULL;
}

bool run_compare_all(struct run *run)
{
    struct yore_cursor_options all = {0};
    struct compare_at at = {NULL, {run_now(run), YORE_NOW}};
    return compare_versions(&run->compare, RUN_DEFAULT) &&
           compare_feed_kept(&run->compare, RUN_DEFAULT, NULL) &&
           compare_feed_kept(&run->compare, RUN_TRIMMED, NULL) &&
           compare_feed_kept(&run->compare, RUN_FOR, NULL) &&
           compare_scan(&run->compare, RUN_NOW, &all, &at, false) &&
           compare_scan(&run->compare, RUN_TRIMMED, &all, &at, true) &&
           compare_scan(&run->compare, RUN_FOR, &all, &at, false);
}

/* ---- the list ------------------------------------------------------------------------------- */

static bool run_step(struct run *run, const struct run_op *op)
{
    run->rand.state = op->seed;
    int64_t step = (int64_t)test_rand_below(
        &run->rand, test_rand_one_in(&run->rand, 50) ? (uint64_t)RUN_SECOND : 2000000);
    sim_disk_advance(run->disk, step);
    int64_t now = run_now(run);
    if (now < run->now_seen) {
        return run_fail(run, "now went back from %" PRId64 " to %" PRId64, run->now_seen, now);
    }
    run->now_seen = now;
    if (run->horizon[RUN_FOR] < now - run->keep_ns + RUN_SECOND) {
        run->horizon[RUN_FOR] = now - run->keep_ns + RUN_SECOND;
    }
    if (atomic_exchange(&run->has_sealed, false)) { /* partner: run_on_event() */
        run->sealed_at = run->sealed_at == INT64_MIN ? now : run->sealed_at;
        run->sealed_last = now;
    }
    run->counts->ops[op->kind]++;
    uint64_t commits = run->counts->commits;
    bool is_right = run_ops[op->kind].run(run);
    if (is_right && run->counts->commits > commits && run->flush_one_in > 0 &&
        test_rand_one_in(&run->rand, run->flush_one_in)) {
        is_right = run_flush(run);
    }
    return is_right;
}

static void run_set_up(struct run *run)
{
    run->mix = run_mix_of(run->seed);
    run->start = RUN_START;
    run->now_seen = INT64_MIN;
    run->sealed_at = INT64_MIN;
    run->sealed_last = INT64_MIN;
    run->keep_ns = 40 * (int64_t)RUN_SECOND;
    for (unsigned i = 0; i < RUN_SPACES; i++) {
        run->horizon[i] = YORE_TIME_MIN;
    }
    run->trimmed_to = YORE_TIME_MIN;
    run->disk = sim_disk_new(run->seed);
    run->env = sim_disk_env(run->disk);
    sim_disk_set_wall(run->disk, RUN_START);
    run->model = model_new();
    run->compare.model = run->model;
    for (unsigned i = 0; i < RUN_SPACES; i++) {
        run->compare.may_forget[i] = i != RUN_DEFAULT;
    }
    struct test_rand rand = {run->seed ^ 0x5eed};
    store_options_tiny(&run->options);
    run->options.feed_retention_bytes = test_rand_one_in(&rand, 2) ? 0 : 64u << 20;
    run->options.background_threads = 1 + (uint32_t)test_rand_below(&rand, 2);
    run->options.seal_versions_per_key = 2 + (uint32_t)test_rand_below(&rand, 2) * 4;
    if (test_rand_one_in(&rand, 4)) { /* a cut wherever one can be */
        run->options.seal_versions_per_key = 1;
        run->options.seal_bytes_min = 1;
    }
    bool are_many = run->mix == RUN_MIX_HELD && test_rand_one_in(&rand, 2);
    run->snapshot_count = are_many ? RUN_SNAPSHOTS_MAX : RUN_SNAPSHOTS;
    /* Memtables of one commit, of some, of hundreds. */
    static const uint64_t flushes[4] = {1, 4, 24, 0};
    run->flush_one_in = flushes[test_rand_below(&rand, 4)];
    run->options.on_event = run_on_event;
    run->options.event_arg = run;
}

bool run_list(uint64_t seed, bool is_clock_wild, const struct run_op *ops, size_t count,
              struct run_counts *counts, char text[1280])
{
    struct run *run = model_alloc(sizeof *run);
    run->seed = seed;
    run->is_clock_wild = is_clock_wild;
    run->is_traced = getenv("YORE_MODEL_TRACE") != NULL;
    run->counts = counts;
    run_set_up(run);
    bool is_right = run_open(run);
    size_t done = 0;
    while (is_right && done < count) {
        is_right = run_step(run, &ops[done]);
        done += is_right;
    }
    if (is_right) {
        is_right = run_verify(run) && run_compare_all(run);
    }
    if (!is_right) {
        (void)snprintf(text, 1280, "operation %zu (%s): %s", done,
                       done < count ? run_op_name(ops[done].kind) : "the end", run->compare.text);
    }
    counts->reads += run->compare.reads;
    run_close(run);
    model_free(run->model);
    sim_disk_free(run->disk);
    free(run);
    return is_right;
}
