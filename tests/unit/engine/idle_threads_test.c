/* idle_threads_test.c -- the threads of a database that nobody uses sleep, and whatever is to be
 * done wakes them.
 *
 * Where something is waited for there is no bound but patience.
 */
#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include <yore/yore.h>

#include "base/bytes.h"
#include "os/env.h"
#include "support/store.h"
#include "support/test.h"

#define LOOK_NS 20000000
#define LOOKS_MAX 3000
#define CALM_NS 1200000000 /* longer than a tick of anything */
#define CALM_TRIES 30

static struct yore_bytes text(const char *words)
{
    return bytes_of(words, strlen(words));
}

/* How often one thread has gone to sleep, if it is the database's. */
static uint64_t sleeps_of(const char *thread)
{
    char path[300];
    char line[128];
    unsigned long long sleeps = 0;
    bool is_ours = false;
    (void)snprintf(path, sizeof path, "/proc/self/task/%s/status", thread);
    FILE *file = fopen(path, "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        is_ours |= strncmp(line, "Name:\tyore-", 11) == 0;
        (void)sscanf(line, "voluntary_ctxt_switches: %llu", &sleeps);
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    return is_ours ? sleeps : 0;
}

static uint64_t sleeps_of_all(void)
{
    uint64_t sleeps = 0;
    DIR *threads = opendir("/proc/self/task");
    if (threads == NULL) {
        SKIP("no /proc");
    }
    for (struct dirent *entry; (entry = readdir(threads)) != NULL;) {
        sleeps += entry->d_name[0] == '.' ? 0 : sleeps_of(entry->d_name);
    }
    (void)closedir(threads);
    return sleeps;
}

/* Do all threads of the database sleep on and on? */
static bool becomes_calm(void)
{
    for (int i = 0; i < CALM_TRIES; i++) {
        uint64_t before = sleeps_of_all();
        os_sleep_ns(os_env_posix(), CALM_NS);
        if (sleeps_of_all() == before) {
            return true;
        }
    }
    return false;
}

static struct yore_db *open_calm(void)
{
    struct yore_options options;
    struct yore_db *db;
    store_options_tiny(&options);
    options.durability = YORE_DURABILITY_INTERVAL;
    options.interval_ms = 50;
    CHECK_OK(yore_open(test_path("db"), &options, &db, NULL));
    CHECK_OK(yore_put(db, NULL, text("key"), text("value"), NULL, NULL));
    CHECK_OK(yore_flush(db, NULL));
    CHECK(becomes_calm());
    return db;
}

static bool becomes(struct yore_db *db, const char *stat, uint64_t least, uint64_t most)
{
    for (int i = 0; i < LOOKS_MAX; i++) {
        uint64_t value = store_stat(db, stat);
        if (value >= least && value <= most) {
            return true;
        }
        os_sleep_ns(os_env_posix(), LOOK_NS);
    }
    return false;
}

TEST(the_threads_of_an_idle_database_sleep)
{
    struct yore_db *db = open_calm();
    CHECK_OK(yore_close(db, NULL));
}

TEST(a_commit_to_an_idle_database_is_synced_by_itself)
{
    struct yore_db *db = open_calm();
    for (int i = 0; i < 3; i++) {
        int64_t commit;
        struct yore_write write = {.from = YORE_NOW, .to = YORE_FOREVER, .commit_out = &commit};
        CHECK_OK(yore_put(db, NULL, text("key"), text("later"), &write, NULL));
        CHECK(becomes(db, "commit_durable_ns", (uint64_t)commit, UINT64_MAX));
    }
    CHECK(becomes_calm());
    CHECK_OK(yore_close(db, NULL));
}

TEST(bytes_erased_from_an_idle_database_leave)
{
    struct yore_db *db = open_calm();
    const struct yore_erase erase = {.key = text("key"), .from = YORE_TIME_MIN, .to = YORE_FOREVER};
    CHECK_OK(yore_erase(db, NULL, &erase, NULL));
    CHECK(becomes(db, "erasures_pending", 0, 0));
    CHECK_OK(yore_close(db, NULL));
}

static struct yore_keyspace *create(struct yore_db *db, enum yore_keep keep, int64_t keep_ns)
{
    struct yore_keyspace *space;
    struct yore_keyspace_options options = {.keep = keep, .keep_ns = keep_ns};
    CHECK_OK(yore_keyspace_create(db, "space", &options, &space, NULL));
    CHECK_OK(yore_put(db, space, text("key"), text("value"), NULL, NULL));
    CHECK_OK(yore_flush(db, NULL));
    return space;
}

TEST(horizons_move_though_nothing_is_committed)
{
    struct yore_db *db = open_calm();
    struct yore_keyspace *space = create(db, YORE_KEEP_FOR, 1000000000);
    struct yore_keyspace_info info;
    for (int moves = 0; moves < 3; moves++) {
        CHECK_OK(yore_keyspace_info(db, space, &info, NULL));
        int64_t before = info.horizon;
        for (int i = 0; i < LOOKS_MAX && info.horizon == before; i++) {
            os_sleep_ns(os_env_posix(), LOOK_NS);
            CHECK_OK(yore_keyspace_info(db, space, &info, NULL));
        }
        CHECK(info.horizon > before);
    }
    CHECK_OK(yore_close(db, NULL));
}

TEST(what_a_snapshot_has_held_goes_after_its_release)
{
    struct yore_db *db = open_calm();
    struct yore_snapshot *snapshot;
    struct yore_keyspace_usage usage = {.present_bytes = 1};
    struct yore_keyspace *space = create(db, YORE_KEEP_NOW, 0);
    CHECK_OK(yore_snapshot_take(db, &snapshot, NULL));
    CHECK_OK(yore_keyspace_drop(db, "space", NULL));
    os_sleep_ns(os_env_posix(), CALM_NS); /* the threads have looked, and found it held */
    CHECK_OK(yore_keyspace_usage(db, space, &usage, NULL));
    CHECK(usage.present_bytes > 0);
    yore_snapshot_release(snapshot);
    for (int i = 0; i < LOOKS_MAX && usage.present_bytes + usage.past_bytes > 0; i++) {
        os_sleep_ns(os_env_posix(), LOOK_NS);
        CHECK_OK(yore_keyspace_usage(db, space, &usage, NULL));
    }
    CHECK_EQ_UINT(usage.present_bytes + usage.past_bytes, 0);
    CHECK(becomes_calm());
    CHECK_OK(yore_close(db, NULL));
}

TEST_MAIN(the_threads_of_an_idle_database_sleep, a_commit_to_an_idle_database_is_synced_by_itself,
          bytes_erased_from_an_idle_database_leave, horizons_move_though_nothing_is_committed,
          what_a_snapshot_has_held_goes_after_its_release)
