/* crash_judge.c -- opens what a crash left and compares it with what was acknowledged and
 * submitted. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "crash/crash_run.h"
#include "engine/db.h"
#include "os/env.h"

static bool judge_fail(struct crash_run *run, const char *what, const char *text)
{
    char copy[CRASH_TEXT_BYTES];
    (void)snprintf(copy, sizeof copy, "%s: %s", what, text);
    memcpy(run->text, copy, sizeof copy);
    return false;
}

/* The greatest commit of any version of `key`. */
static bool judge_newest(struct crash_run *run, const struct compare *compare, unsigned keyspace,
                         struct yore_bytes key, int64_t *newest)
{
    struct yore_timeline_options all = {.from = run->horizon[keyspace],
                                        .to = YORE_FOREVER,
                                        .known = YORE_NOW,
                                        .with_in_force = true,
                                        .every_commit = true};
    struct yore_timeline *timeline = NULL;
    struct yore_version version;
    struct yore_error error = {0};
    enum yore_status status =
        yore_timeline_open(compare->db, compare->keyspaces[keyspace], key, &all, &timeline, &error);
    while (status == YORE_OK) {
        status = yore_timeline_next(timeline, &version, &error);
        if (status == YORE_OK && version.commit > *newest) {
            *newest = version.commit;
        }
    }
    yore_timeline_close(timeline);
    return status == YORE_NOT_FOUND || judge_fail(run, "timeline", error.text);
}

/* The same where only the present is kept. */
static bool judge_present(struct crash_run *run, const struct compare *compare, unsigned keyspace,
                          struct yore_bytes key, int64_t *newest)
{
    struct yore_value value = {0};
    struct yore_error error = {0};
    enum yore_status status =
        yore_get(compare->db, compare->keyspaces[keyspace], key, NULL, &value, &error);
    if (status == YORE_OK) {
        *newest = value.commit > *newest ? value.commit : *newest;
        yore_value_release(&value);
    }
    return status == YORE_OK || status == YORE_NOT_FOUND || judge_fail(run, "get", error.text);
}

static bool judge_key(struct crash_run *run, const struct compare *compare, unsigned keyspace,
                      struct yore_bytes key, int64_t *newest)
{
    if (keyspace > 0 && compare->keyspaces[keyspace] == NULL) {
        return true;
    }
    return run->space_keeps[keyspace] == YORE_KEEP_NOW
               ? judge_present(run, compare, keyspace, key, newest)
               : judge_newest(run, compare, keyspace, key, newest);
}

/* What the recovered database says was its last commit, as far as versions tell. */
static bool judge_last_commit(struct crash_run *run, const struct compare *compare, int64_t *newest)
{
    *newest = INT64_MIN;
    for (unsigned i = 0; i < MODEL_KEYSPACES_MAX; i++) {
        const struct model_keyspace *space = &run->model->keyspaces[i];
        for (size_t j = 0; j < space->count; j++) {
            if (!judge_key(run, compare, i, space->keys[j].key, newest)) {
                return false;
            }
        }
    }
    for (size_t i = 0; i < run->unsure_count; i++) {
        const struct model_write *write = &run->unsure[i];
        if (!judge_key(run, compare, write->keyspace, write->key, newest)) {
            return false;
        }
    }
    return true;
}

/* ---- comparing ------------------------------------------------------------------------------ */

static bool judge_sample(struct crash_run *run, struct compare *compare, unsigned keyspace)
{
    const struct model_keyspace *space = &compare->model->keyspaces[keyspace];
    struct test_rand rand = {compare->model->commit_count + 7 * keyspace};
    for (unsigned i = 0; i < 4 && space->count > 0; i++) {
        const struct model_key *key = &space->keys[test_rand_below(&rand, space->count)];
        if (key->count == 0) {
            continue;
        }
        const struct model_version *version = &key->versions[test_rand_below(&rand, key->count)];
        struct yore_time time = {version->valid_from + (int64_t)test_rand_below(&rand, 3) - 1,
                                 i % 2 == 0 ? YORE_NOW
                                            : version->commit + (int64_t)test_rand_below(&rand, 2)};
        if (time.valid < run->horizon[keyspace] || time.known < run->horizon[keyspace]) {
            continue;
        }
        struct compare_at at = {&time, time};
        struct yore_cursor_options options = {.at = &time};
        if (!compare_get(compare, keyspace, key->key, &at) ||
            (i == 3 && !compare_scan(compare, keyspace, &options, &at, false))) {
            return false;
        }
    }
    return true;
}

static bool judge_keyspace(struct crash_run *run, struct compare *compare, unsigned keyspace)
{
    struct yore_cursor_options all = {0};
    struct compare_at at = {NULL, {yore_now(compare->db), YORE_NOW}};
    if (run->space_keeps[keyspace] == YORE_KEEP_NOW) {
        return compare_scan(compare, keyspace, &all, &at, false);
    }
    if (run->horizon[keyspace] == YORE_TIME_MIN) {
        return compare_versions(compare, keyspace) && judge_sample(run, compare, keyspace);
    }
    return compare_scan(compare, keyspace, &all, &at, false) &&
           judge_sample(run, compare, keyspace);
}

static bool judge_spaces(struct crash_run *run, struct compare *compare)
{
    for (unsigned i = 1; i < MODEL_KEYSPACES_MAX; i++) {
        char name[16];
        struct yore_error error = {0};
        (void)snprintf(name, sizeof name, "space-%u", i);
        enum yore_status status =
            yore_keyspace_open(compare->db, name, NULL, &compare->keyspaces[i], &error);
        bool is_right =
            run->space_states[i] == CRASH_SPACE_UNSURE
                ? status == YORE_OK || status == YORE_NOT_FOUND
                : status == (run->space_states[i] == CRASH_SPACE_THERE ? YORE_OK : YORE_NOT_FOUND);
        if (!is_right) {
            return judge_fail(run, name, status == YORE_OK ? "came back" : error.text);
        }
        if (status != YORE_OK) {
            compare->keyspaces[i] = NULL;
        }
    }
    return true;
}

static bool judge_compare(struct crash_run *run, struct compare *compare, const struct model *model)
{
    compare->model = model;
    for (unsigned i = 0; i < MODEL_KEYSPACES_MAX; i++) {
        bool is_there = i == 0 || compare->keyspaces[i] != NULL;
        if (is_there && !judge_keyspace(run, compare, i)) {
            return judge_fail(run, "wrong", compare->text);
        }
    }
    return true;
}

bool crash_compare(struct crash_run *run, struct yore_db *db, const struct model *model)
{
    struct compare compare = {.db = db};
    return judge_spaces(run, &compare) && judge_compare(run, &compare, model);
}

/* ---- the verdict ---------------------------------------------------------------------------- */

/* Compare with the prefix that the database says it holds; leaves the model of it in `*held_out`.
 */
static bool judge_prefix(struct crash_run *run, struct compare *compare, struct model **held_out)
{
    int64_t newest = INT64_MIN;
    *held_out = NULL;
    if (!judge_last_commit(run, compare, &newest)) {
        return false;
    }
    size_t held = model_commits_until(run->model, newest);
    if (held <
        run->durable_count) { /* erasures and keyspaces that keep now only leave no version */
        held = run->durable_count;
    }
    struct model *model = model_prefix(run->model, held);
    if (newest > model_last_commit(run->model) && run->unsure_count > 0) {
        model_apply(model, newest, run->unsure, run->unsure_count);
    }
    bool is_right = judge_compare(run, compare, model);
    if (!is_right && run->unsure_count > 0 && newest <= model_last_commit(run->model) &&
        (run->unsure[0].kind == MODEL_ERASE ||
         run->space_keeps[run->unsure[0].keyspace] == YORE_KEEP_NOW)) {
        model_apply(model, model_last_commit(run->model) + 1, run->unsure, run->unsure_count);
        is_right = judge_compare(run, compare, model);
    }
    *held_out = model;
    return is_right;
}

/* Where there are loads: the feed tells every commit that is held, wherever it has to find it. */
static bool judge_feed(struct crash_run *run, struct compare *compare, const struct model *held)
{
    if (!run->has_loads) {
        return true;
    }
    compare->model = held;
    for (unsigned i = 0; i < MODEL_KEYSPACES_MAX; i++) {
        compare->may_forget[i] = run->space_keeps[i] == YORE_KEEP_NOW;
    }
    if (!compare_feed(compare, YORE_TIME_MIN)) {
        return judge_fail(run, "feed", compare->text);
    }
    for (size_t i = held->commit_count; i > 0 && i + 3 > held->commit_count; i--) {
        if (!compare_feed(compare, held->commits[i - 1].commit - 1)) {
            return judge_fail(run, "feed", compare->text);
        }
    }
    return true;
}

static bool judge_open(struct crash_run *run, struct sim_disk *disk, struct compare *compare)
{
    struct yore_error error = {0};
    enum yore_status status =
        db_open_inline(sim_disk_env(disk), STORE_PATH, &run->options, &compare->db, &error);
    return status == YORE_OK || judge_fail(run, "open after the crash", error.text);
}

/* Write on, close, open: what was recovered has not changed, and the new fact is there. */
static bool judge_again(struct crash_run *run, struct sim_disk *disk, struct compare *compare,
                        struct model *held)
{
    int64_t commit = INT64_MIN;
    struct model_write write = {.kind = MODEL_PUT, .from = YORE_NOW, .to = YORE_FOREVER};
    write.key = bytes_of("a/after", 7);
    write.value = bytes_of("the crash", 9);
    struct yore_write options = {YORE_NOW, YORE_FOREVER, false, YORE_DURABILITY_SYNC, &commit};
    struct yore_error error = {0};
    enum yore_status status = yore_put(compare->db, NULL, write.key, write.value, &options, &error);
    if (status != YORE_OK) {
        return judge_fail(run, "a put after the crash", error.text);
    }
    if (commit <= model_last_commit(held)) {
        return judge_fail(run, "a put after the crash", "its commit is not the greatest");
    }
    model_apply(held, commit, &write, 1);
    status = yore_close(compare->db, &error);
    compare->db = NULL;
    if (status != YORE_OK) {
        return judge_fail(run, "close after the crash", error.text);
    }
    return judge_open(run, disk, compare) && judge_spaces(run, compare) &&
           judge_compare(run, compare, held);
}

/* A copy of the database that was acknowledged holds what it held then. */
static bool judge_copy(struct crash_run *run, struct sim_disk *disk, const char *path,
                       size_t commit_count)
{
    struct compare compare = {.db = NULL};
    struct yore_error error = {0};
    enum yore_status status =
        db_open_inline(sim_disk_env(disk), path, &run->options, &compare.db, &error);
    if (status != YORE_OK) {
        return judge_fail(run, path, error.text);
    }
    struct model *model = model_prefix(run->model, commit_count);
    compare.model = model;
    bool is_right = judge_keyspace(run, &compare, 0) || judge_fail(run, path, compare.text);
    (void)yore_close(compare.db, NULL);
    model_free(model);
    return is_right;
}

static bool judge_copies(struct crash_run *run, struct sim_disk *disk)
{
    if (run->backup_id > 0) {
        struct yore_error error = {0};
        struct yore_restore restore = {.backup_path = "backup",
                                       .target_path = "restored",
                                       .id = run->backup_id,
                                       .to_commit = YORE_FOREVER};
        enum yore_status status = db_restore(sim_disk_env(disk), &restore, &error);
        if (status != YORE_OK) {
            return judge_fail(run, "restore", error.text);
        }
        if (!judge_copy(run, disk, "restored", run->backup_count)) {
            return false;
        }
    }
    if (run->has_restored && !judge_copy(run, disk, "copy", run->restored_count)) {
        return false;
    }
    return !run->has_checkpoint || judge_copy(run, disk, "checkpoint", run->checkpoint_count);
}

/* ---- what must be gone ---------------------------------------------------------------------- */

struct judge_search {
    struct crash_run *run;
    struct sim_disk *disk;
    bool is_found;
};

/* Is `value` somewhere in `data`? */
static bool judge_contains(const unsigned char *data, size_t size, struct yore_bytes value)
{
    const unsigned char *first = value.data;
    for (size_t at = 0; at + value.size <= size; at++) {
        const unsigned char *hit = memchr(data + at, first[0], size - at);
        if (hit == NULL) {
            return false;
        }
        at = (size_t)(hit - data);
        if (at + value.size <= size && memcmp(hit, value.data, value.size) == 0) {
            return true;
        }
    }
    return false;
}

static void judge_search_file(void *arg, const char *path, uint64_t size)
{
    struct judge_search *search = arg;
    struct os_file *file = NULL;
    unsigned char *data = model_alloc((size_t)size);
    size_t got = 0;
    if (os_file_open(sim_disk_env(search->disk), path, OS_OPEN_READ, &file, NULL) == YORE_OK &&
        os_file_read(file, 0, data, (size_t)size, &got, NULL) == YORE_OK) {
        for (size_t i = 0; i < search->run->erased_gone && !search->is_found; i++) {
            if (judge_contains(data, got, search->run->erased[i])) {
                search->is_found = true;
                (void)judge_fail(search->run, "an erased value is still in", path);
            }
        }
    }
    os_file_close(file);
    free(data);
}

bool crash_is_erased_gone(struct crash_run *run, struct sim_disk *disk)
{
    struct judge_search search = {run, disk, false};
    if (run->erased_gone > 0) {
        store_files(disk, STORE_PATH, judge_search_file, &search);
    }
    return !search.is_found;
}

/* Opened to read only, what the crash left answers the same, and nothing is written. */
static bool judge_read_only(struct crash_run *run, struct sim_disk *disk)
{
    struct compare compare = {.db = NULL};
    struct model *held = NULL;
    struct yore_options options = run->options;
    struct yore_error error = {0};
    uint64_t before = sim_disk_op_count(disk);
    options.read_only = true;
    enum yore_status status =
        db_open_inline(sim_disk_env(disk), STORE_PATH, &options, &compare.db, &error);
    if (status == YORE_NOT_FOUND && run->durable_count == 0) {
        return true; /* there is no database yet */
    }
    bool is_right = status == YORE_OK || judge_fail(run, "open to read", error.text);
    is_right = is_right && judge_spaces(run, &compare) && judge_prefix(run, &compare, &held) &&
               judge_feed(run, &compare, held);
    (void)yore_close(compare.db, NULL);
    model_free(held);
    return is_right && (sim_disk_op_count(disk) == before ||
                        judge_fail(run, "read only", "something was written"));
}

bool crash_judge(struct crash_run *run, struct sim_disk *disk, bool is_twice)
{
    struct compare compare = {.db = NULL};
    struct model *held = NULL;
    bool is_seen_first = sim_disk_op_count(disk) % 3 == 0; /* a third of the cases, for time */
    bool is_right =
        crash_is_erased_gone(run, disk) && (!is_seen_first || judge_read_only(run, disk)) &&
        judge_open(run, disk, &compare) && judge_spaces(run, &compare) &&
        judge_prefix(run, &compare, &held) && judge_feed(run, &compare, held) &&
        (!is_twice || judge_again(run, disk, &compare, held)) && judge_copies(run, disk);
    if (compare.db != NULL) {
        struct yore_error error = {0};
        enum yore_status status = yore_close(compare.db, &error);
        if (is_right && status != YORE_OK) {
            is_right = judge_fail(run, "close after the crash", error.text);
        }
    }
    model_free(held);
    return is_right;
}

bool crash_judge_mended(struct crash_run *run, uint64_t seed)
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
