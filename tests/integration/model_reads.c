/* model_reads.c -- every read shape at random moments, against the model. */
#include <inttypes.h>

#include "base/bytes.h"
#include "integration/model_run.h"

/* One of the writes of the last commits; NULL: none is met. */
static const struct model_write *run_recent_write(struct run *run, int64_t *commit_out)
{
    const struct model *model = run->model;
    bool is_late_wanted = !test_rand_one_in(&run->rand, 3); /* what slices do not hold yet */
    for (unsigned i = 0; i < (is_late_wanted ? 12 : 4); i++) {
        uint64_t back = test_rand_below(&run->rand, 1ull << test_rand_below(&run->rand, 10));
        if (back >= model->commit_count) {
            continue;
        }
        const struct model_commit *commit = &model->commits[model->commit_count - 1 - back];
        const struct model_write *write =
            &commit->writes[test_rand_below(&run->rand, commit->count)];
        bool is_late = write->from != YORE_NOW && write->from < run->sealed_last;
        if (write->kind != MODEL_ERASE && (!is_late_wanted || is_late)) {
            *commit_out = commit->commit;
            return write;
        }
    }
    return NULL;
}

/* What was written lately, where it begins to hold: it lies in memtables, level 0 and late runs. */
static bool run_recent(struct run *run, unsigned *keyspace_out, struct yore_bytes *key_out,
                       struct compare_at *at)
{
    int64_t commit = INT64_MIN;
    const struct model_write *write = run_recent_write(run, &commit);
    if (write == NULL) {
        return false;
    }
    at->moment.valid = write->from == YORE_NOW ? commit : write->from;
    at->moment.known = YORE_NOW;
    if (write->keyspace == RUN_NOW) {
        at->moment.valid = run_now(run);
        at->asked = NULL;
    }
    *keyspace_out = write->keyspace;
    *key_out = write->key;
    return at->moment.valid >= run->horizon[write->keyspace];
}

/* Late in the life of a version that held for long: what slices carry. */
static bool run_long_held(struct run *run, unsigned keyspace, struct yore_bytes *key_out,
                          struct compare_at *at)
{
    const struct model_keyspace *space = &run->model->keyspaces[keyspace];
    int64_t longest = 0;
    for (unsigned i = 0; i < 6 && space->count > 0; i++) {
        const struct model_key *key = &space->keys[test_rand_below(&run->rand, space->count)];
        uint64_t index = key->count < 2 ? 0 : test_rand_below(&run->rand, key->count - 1);
        if (key->count < 2) {
            continue;
        }
        int64_t end = key->versions[index + 1].valid_from;
        int64_t held = end - key->versions[index].valid_from;
        if (held > longest && end - 1 >= run->horizon[keyspace]) {
            longest = held;
            *key_out = key->key;
            at->moment.valid = end - 1;
            at->moment.known = YORE_NOW;
        }
    }
    return longest > 0;
}

bool run_get(struct run *run)
{
    unsigned char storage[RUN_KEY_BYTES_MAX];
    struct yore_time time;
    for (unsigned i = 0; i < 8; i++) {
        unsigned keyspace = run_space_with_past(run);
        struct yore_bytes key = {NULL, 0};
        struct compare_at at = {&time, {0, 0}};
        bool is_aimed = i < 5 ? run_recent(run, &keyspace, &key, &at)
                              : i < 7 && run_long_held(run, keyspace, &key, &at);
        if (is_aimed) {
            time = at.moment;
        } else {
            keyspace = run_space_to_read(run);
            at = run_at(run, keyspace, &time);
            key = run_key(run, storage);
        }
        if (!compare_get(&run->compare, keyspace, key, &at) ||
            !compare_get_in_memory(&run->compare, keyspace, key, &at)) {
            return false;
        }
    }
    return true;
}

#define RUN_MANY 12u

static bool run_get_many_at(struct run *run, unsigned keyspace, const struct compare_at *at)
{
    unsigned char storage[RUN_MANY][RUN_KEY_BYTES_MAX];
    struct yore_bytes keys[RUN_MANY];
    struct yore_value values[RUN_MANY] = {0};
    enum yore_status statuses[RUN_MANY];
    size_t count = 1 + test_rand_below(&run->rand, RUN_MANY);
    for (size_t i = 0; i < count; i++) {
        keys[i] = run_key(run, storage[i]);
    }
    struct yore_get_many request = {keys, count, values, statuses};
    return compare_get_many(&run->compare, keyspace, &request, at);
}

bool run_get_many(struct run *run)
{
    struct yore_time time;
    unsigned keyspace = run_space_to_read(run);
    struct compare_at at = run_at(run, keyspace, &time);
    return run_get_many_at(run, keyspace, &at);
}

static bool run_expect(struct run *run, const char *what, enum yore_status status,
                       enum yore_status expected)
{
    run->compare.reads++;
    return status == expected || run_fail(run, "%s: %s, expected %s", what,
                                          yore_status_name(status), yore_status_name(expected));
}

/* A read that must be refused: before the horizon, or known in the future. */
bool run_get_before_horizon(struct run *run)
{
    unsigned char storage[RUN_KEY_BYTES_MAX];
    struct yore_bytes key = run_key(run, storage);
    struct yore_value value = {0};
    struct yore_time time = {run_now(run), YORE_NOW};
    unsigned keyspace = RUN_NOW;
    enum yore_status expected = YORE_BEFORE_HORIZON;
    uint64_t form = test_rand_below(&run->rand, 4);
    if (form == 0) {
        keyspace = RUN_DEFAULT;
        time.known = time.valid + 1000 * run->options.clock_skew_max_ns;
        expected = YORE_IN_FUTURE;
    } else if (form == 1 && run->trimmed_to != YORE_TIME_MIN) {
        keyspace = RUN_TRIMMED;
        time.valid = run->trimmed_to - 1 - (int64_t)test_rand_below(&run->rand, 1000000000);
    } else if (form == 2 && run_horizon(run, RUN_FOR) != YORE_TIME_MIN) {
        keyspace = RUN_FOR;
        time.valid = run_horizon(run, RUN_FOR) - 1;
    } else {
        time.valid -= 1000000000;
    }
    enum yore_status status =
        yore_get(run->compare.db, run->compare.keyspaces[keyspace], key, &time, &value, NULL);
    if (status == YORE_OK) {
        yore_value_release(&value);
    }
    return run_expect(
        run, expected == YORE_IN_FUTURE ? "get known in the future" : "get before the horizon",
        status, expected);
}

/* ---- ranges --------------------------------------------------------------------------------- */

struct run_range {
    unsigned char low[RUN_KEY_BYTES_MAX];
    unsigned char high[RUN_KEY_BYTES_MAX];
    struct yore_range range;
};

static void run_make_range(struct run *run, struct run_range *range)
{
    struct yore_bytes low = run_key(run, range->low);
    struct yore_bytes high = run_key(run, range->high);
    uint64_t form = test_rand_below(&run->rand, 8);
    range->range = (struct yore_range){0};
    if (form < 2) {
        return; /* everything */
    }
    if (form < 4) {
        low.size = 1 + test_rand_below(&run->rand, low.size);
        range->range.prefix = low;
        return;
    }
    if (bytes_compare(low, high) > 0) {
        struct yore_bytes swap = low;
        low = high;
        high = swap;
    }
    range->range.low = form == 5 ? bytes_of(NULL, 0) : low;
    range->range.high = form == 6 ? bytes_of(NULL, 0) : high;
}

static bool run_scan_at(struct run *run, unsigned keyspace, const struct compare_at *at)
{
    struct run_range range;
    run_make_range(run, &range);
    struct yore_cursor_options options = {.range = range.range,
                                          .at = at->asked,
                                          .keys_only = test_rand_one_in(&run->rand, 4),
                                          .no_cache_fill = test_rand_one_in(&run->rand, 4)};
    return compare_scan(&run->compare, keyspace, &options, at, test_rand_one_in(&run->rand, 2));
}

#define RUN_PARTS 6u

static bool run_parts_at(struct run *run, unsigned keyspace, const struct compare_at *at)
{
    struct run_range made[RUN_PARTS];
    struct yore_range ranges[RUN_PARTS];
    for (size_t i = 0; i < RUN_PARTS; i++) {
        run_make_range(run, &made[i]);
        ranges[i] = made[i].range;
    }
    struct compare_parts parts = {ranges, RUN_PARTS};
    return compare_parts(&run->compare, keyspace, &parts, at, test_rand_u64(&run->rand));
}

static bool run_walk_at(struct run *run, unsigned keyspace, const struct compare_at *at)
{
    struct run_range range;
    if (test_rand_one_in(&run->rand, 2)) {
        return run_parts_at(run, keyspace, at);
    }
    run_make_range(run, &range);
    struct yore_cursor_options options = {.range = range.range, .at = at->asked};
    return compare_walk(&run->compare, keyspace, &options, at, test_rand_u64(&run->rand));
}

bool run_scan(struct run *run)
{
    struct yore_time time;
    unsigned keyspace = run_space_to_read(run);
    struct compare_at at = run_at(run, keyspace, &time);
    return run_scan_at(run, keyspace, &at);
}

bool run_walk(struct run *run)
{
    struct yore_time time;
    unsigned keyspace = run_space_to_read(run);
    struct compare_at at = run_at(run, keyspace, &time);
    return run_walk_at(run, keyspace, &at);
}

/* ---- time ----------------------------------------------------------------------------------- */

bool run_timeline(struct run *run)
{
    unsigned char storage[RUN_KEY_BYTES_MAX];
    unsigned keyspace = run_space_with_past(run);
    int64_t a = run_moment(run, keyspace);
    int64_t b = run_moment(run, keyspace);
    struct yore_timeline_options options = {
        .from = a < b ? a : b,
        .to = test_rand_one_in(&run->rand, 4) ? YORE_FOREVER : (a < b ? b : a) + 1,
        .known = test_rand_one_in(&run->rand, 3) ? run_moment(run, keyspace) : YORE_NOW,
        .with_in_force = test_rand_one_in(&run->rand, 2),
        .every_commit = test_rand_one_in(&run->rand, 2),
        .is_backward = test_rand_one_in(&run->rand, 2)};
    return compare_timeline(&run->compare, keyspace, run_key(run, storage), &options);
}

bool run_changes(struct run *run)
{
    struct run_range range;
    unsigned keyspace = run_space_with_past(run);
    int64_t a = run_moment(run, keyspace);
    int64_t b = run_moment(run, keyspace);
    run_make_range(run, &range);
    struct yore_changes_options options = {
        .range = range.range,
        .from = a < b ? a : b,
        .to = a < b ? b : a,
        .known = test_rand_one_in(&run->rand, 3) ? run_moment(run, keyspace) : YORE_NOW,
        .every_version = test_rand_one_in(&run->rand, 2),
        .in_time_order = test_rand_one_in(&run->rand, 2)};
    return compare_changes(&run->compare, keyspace, &options, run_now(run));
}

bool run_feed(struct run *run)
{
    int64_t after = YORE_TIME_MIN;
    if (run->model->commit_count > 0 && !test_rand_one_in(&run->rand, 4)) {
        size_t index = test_rand_below(&run->rand, run->model->commit_count);
        after = run->model->commits[index].commit;
    }
    return test_rand_one_in(&run->rand, 2) ? compare_feed(&run->compare, after)
                                           : compare_watch(&run->compare, after);
}

bool run_feed_kept(struct run *run)
{
    struct run_range range;
    run_make_range(run, &range);
    return compare_feed_kept(&run->compare, run_space_with_past(run), &range.range);
}

/* ---- held snapshots ------------------------------------------------------------------------- */

static bool run_timeline_from(struct run *run, unsigned keyspace, const struct yore_time *from)
{
    unsigned char storage[RUN_KEY_BYTES_MAX];
    struct yore_timeline_options options = {.from = from->valid,
                                            .to = YORE_FOREVER,
                                            .known = from->known,
                                            .with_in_force = test_rand_one_in(&run->rand, 2),
                                            .every_commit = test_rand_one_in(&run->rand, 2),
                                            .is_backward = test_rand_one_in(&run->rand, 2)};
    return compare_timeline(&run->compare, keyspace, run_key(run, storage), &options);
}

/* What is to change after it, as far as it was known. */
static bool run_changes_from(struct run *run, unsigned keyspace, const struct yore_time *from)
{
    struct run_range range;
    run_make_range(run, &range);
    struct yore_changes_options options = {.range = range.range,
                                           .from = from->valid,
                                           .to = from->valid +
                                                 (int64_t)test_rand_below(&run->rand, 5000000000),
                                           .known = from->known,
                                           .every_version = test_rand_one_in(&run->rand, 2),
                                           .in_time_order = test_rand_one_in(&run->rand, 2)};
    return compare_changes(&run->compare, keyspace, &options, run_now(run));
}

/* It is read like any moment, in every keyspace, however old it has become. */
bool run_snapshot_read(struct run *run)
{
    const struct run_snapshot *held =
        &run->snapshots[test_rand_below(&run->rand, run->snapshot_count)];
    if (held->snapshot == NULL) {
        return true;
    }
    unsigned char storage[RUN_KEY_BYTES_MAX];
    unsigned keyspace = run_space(run);
    struct compare_at at = {&held->time, held->time};
    switch (test_rand_below(&run->rand, 16)) {
    case 0:
        return run_scan_at(run, keyspace, &at);
    case 1:
        return run_walk_at(run, keyspace, &at);
    case 2:
    case 3:
        return run_get_many_at(run, keyspace, &at);
    case 4:
    case 5:
        return run_timeline_from(run, keyspace, &held->time);
    case 6:
        return run_changes_from(run, keyspace, &held->time);
    default:
        return compare_get(&run->compare, keyspace, run_key(run, storage), &at);
    }
}
