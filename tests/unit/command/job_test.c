/* Jobs: what commands of one job write gathers, and is committed together. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "os/env.h"
#include "os/thread.h"
#include "unit/command/bed.h"

static void begin(struct bed *bed, struct bed_client *client, struct command_job *job)
{
    command_job_begin(job, bed->server);
    client->job = job;
}

static void end(struct bed_client *client)
{
    CHECK_OK(command_job_end(client->job, NULL));
    client->job = NULL;
}

static void note_groups(void *arg, const struct yore_stat *stat)
{
    if (strcmp(stat->name, "groups") == 0) {
        *(uint64_t *)arg = stat->value;
    }
}

static uint64_t groups(struct bed *bed)
{
    uint64_t count = UINT64_MAX;
    yore_stats(bed->db, note_groups, &count);
    CHECK(count != UINT64_MAX);
    return count;
}

TEST(commands_of_a_job_see_what_the_earlier_ones_wrote)
{
    struct bed bed = {0};
    struct command_job job;
    bed_open(&bed);
    struct bed_client *c = &bed.clients[0];
    EXPECT(c, "SET old 1", "+OK|");
    begin(&bed, c, &job);
    EXPECT(c, "SET a 1", "+OK|");
    EXPECT(c, "GET a", "$1|1|");
    EXPECT(c, "INCR a", ":2|");
    EXPECT(c, "APPEND a xyz", ":4|");
    EXPECT(c, "STRLEN a", ":4|");
    EXPECT(c, "SET a 7 GET", "$4|2xyz|");
    EXPECT(c, "SETNX a 8", ":0|");
    EXPECT(c, "DEL old", ":1|");
    EXPECT(c, "EXISTS old a a", ":2|");
    EXPECT(c, "SETNX old 9", ":1|");
    EXPECT(c, "SET e 1 EX 100", "+OK|");
    EXPECT(c, "TTL e", ":100|");
    EXPECT(c, "PERSIST e", ":1|");
    EXPECT(c, "TTL e", ":-1|");
    EXPECT(c, "EXPIRE e 50", ":1|");
    EXPECT(c, "SET empty \"\"", "+OK|");
    EXPECT(c, "GET empty", "$0||");
    EXPECT(c, "SELECT 1", "+OK|");
    EXPECT(c, "GET a", "$-1|");
    EXPECT(c, "SELECT 0", "+OK|");
    end(c);
    EXPECT(c, "MGET a old e empty", "*4|$1|7|$1|9|$1|1|$0||");
    EXPECT(c, "TTL e", ":50|");
    EXPECT(c, "DBSIZE", ":4|");
    bed_close(&bed);
}

TEST(each_command_of_a_job_keeps_a_moment_of_its_own)
{
    struct bed bed = {0};
    struct command_job job;
    bed_open(&bed);
    struct bed_client *c = &bed.clients[0];
    EXPECT(c, "SET n 0", "+OK|");
    uint64_t before = groups(&bed);
    begin(&bed, c, &job);
    for (int i = 0; i < 100; i++) {
        (void)bed_run(c, "INCR n");
    }
    end(c);
    /* One, but that none waits longer than PENDING_NS_MAX: a slow machine makes some more. */
    CHECK(groups(&bed) - before <= 50);
    struct yore_timeline *timeline;
    struct yore_version version;
    struct yore_timeline_options options = {
        .from = YORE_TIME_MIN, .to = YORE_FOREVER, .known = YORE_NOW};
    CHECK_OK(yore_timeline_open(bed.db, NULL, bytes_of("n", 1), &options, &timeline, NULL));
    int64_t last = INT64_MIN;
    for (int i = 0; i <= 100; i++) {
        char text[8];
        CHECK_OK(yore_timeline_next(timeline, &version, NULL));
        size_t size = (size_t)snprintf(text, sizeof text, "%d", i);
        CHECK_EQ_BYTES(version.value.data, version.value.size, text, size);
        CHECK(version.commit > last);
        last = version.commit;
    }
    CHECK_STATUS(yore_timeline_next(timeline, &version, NULL), YORE_NOT_FOUND);
    yore_timeline_close(timeline);
    bed_close(&bed);
}

TEST(nobody_else_sees_a_job_before_its_end)
{
    struct bed bed = {0};
    struct command_job job;
    bed_open(&bed);
    struct bed_client *c = &bed.clients[0];
    struct bed_client *other = bed_client(&bed, 1);
    struct bed_client *listener = bed_client(&bed, 2);
    EXPECT(c, "CONFIG SET notify-keyspace-events KEA", "+OK|");
    EXPECT(listener, "SUBSCRIBE __keyevent@0__:set", "*3|$9|subscribe|$18|__keyevent@0__:set|:1|");
    begin(&bed, c, &job);
    EXPECT(c, "SET a 1", "+OK|");
    EXPECT(other, "GET a", "$-1|");
    CHECK_EQ_STR(bed_pushed(listener), "");
    end(c);
    EXPECT(other, "GET a", "$1|1|");
    CHECK_EQ_STR(bed_pushed(listener), "*3|$7|message|$18|__keyevent@0__:set|$1|a|");
    bed_close(&bed);
}

TEST(what_cannot_gather_comes_behind_what_has)
{
    static const struct {
        const char *request;
        const char *reply;
    } cases[] = {
        {"KEYS *", "*1|$1|a|"},          {"DBSIZE", ":1|"},      {"MSET a 2 b 3", "+OK|"},
        {"RENAME a b", "+OK|"},          {"COPY a b", ":1|"},    {"DEL a b", ":1|"},
        {"YORE.SCAN \"\" VALUES", NULL}, {"RANDOMKEY", "$1|a|"}, {"FLUSHALL", "+OK|"},
        {"SWAPDB 0 1", "+OK|"},
    };
    struct bed bed = {0};
    struct command_job job;
    bed_open(&bed);
    struct bed_client *c = &bed.clients[0];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        EXPECT(c, "FLUSHALL", "+OK|");
        begin(&bed, c, &job);
        EXPECT(c, "SET a 1", "+OK|");
        if (cases[i].reply != NULL) {
            EXPECT(c, cases[i].request, cases[i].reply);
        } else {
            (void)bed_run(c, cases[i].request);
        }
        EXPECT(c, "SET z 1", "+OK|");
        EXPECT(c, "MULTI", "+OK|");
        EXPECT(c, "INCR z", "+QUEUED|");
        EXPECT(c, "EXEC", "*1|:2|");
        end(c);
        EXPECT(c, "GET z", "$1|2|");
    }
    bed_close(&bed);
}

TEST(an_error_undoes_nothing_of_the_others)
{
    struct bed bed = {0};
    struct command_job job;
    bed_open(&bed);
    struct bed_client *c = &bed.clients[0];
    begin(&bed, c, &job);
    EXPECT(c, "SET a x", "+OK|");
    EXPECT(c, "INCR a", "-ERR value is not an integer or out of range|");
    EXPECT(c, "SET \"\" 1", "-ERR the key is empty: a key is 1 to 65536 bytes|");
    EXPECT(c, "SET b y", "+OK|");
    end(c);
    EXPECT(c, "MGET a b", "*2|$1|x|$1|y|");
    EXPECT(c, "DBSIZE", ":2|");
    bed_close(&bed);
}

TEST(a_large_value_is_not_kept_waiting)
{
    struct bed bed = {0};
    struct command_job job;
    bed_open(&bed);
    struct bed_client *c = &bed.clients[0];
    struct bed_client *other = bed_client(&bed, 1);
    begin(&bed, c, &job);
    EXPECT(c, "SET a 1", "+OK|");
    EXPECT(c, "SETRANGE big 100000 x", ":100001|");
    EXPECT(other, "STRLEN big", ":100001|");
    EXPECT(other, "GET a", "$1|1|");
    EXPECT(c, "APPEND big y", ":100002|");
    end(c);
    EXPECT(c, "STRLEN big", ":100002|");
    bed_close(&bed);
}

struct largest {
    const char *dir;
    char path[600];
    uint64_t size;
};

static int note_table(void *arg, const char *name)
{
    struct largest *largest = arg;
    struct yore_error error;
    char path[600];
    uint64_t size = 0;
    bool is_dir;
    snprintf(path, sizeof path, "%s/%s", largest->dir, name);
    if (strncmp(name, "table-", 6) == 0 &&
        os_path_stat(os_env_posix(), path, &size, &is_dir, &error) == YORE_OK &&
        size > largest->size) {
        snprintf(largest->path, sizeof largest->path, "%s", path);
        largest->size = size;
    }
    return 0;
}

/* Damage the begin of the database's largest table: the page of its first keys. */
static void damage_first_page(const struct bed *bed)
{
    static const char rubbish[512] = "rubbish";
    struct largest largest = {.dir = bed->path};
    struct yore_error error;
    CHECK_OK(os_dir_list(os_env_posix(), bed->path, note_table, &largest, &error));
    FILE *file = fopen(largest.path, "r+b");
    CHECK(file != NULL);
    CHECK(fseek(file, 1024, SEEK_SET) == 0 && fwrite(rubbish, sizeof rubbish, 1, file) == 1);
    CHECK(fclose(file) == 0);
}

/* Whether the key is new is looked up after the commit; that nobody can tell makes no failed write
 * of it, whose client would be closed without a reply. */
TEST(a_write_holds_though_what_it_was_laid_over_cannot_be_read)
{
    struct bed bed = {0};
    struct command_job job;
    bed_open(&bed);
    for (int i = 0; i < 2000; i++) {
        char request[60];
        snprintf(request, sizeof request, "SET k%04d value-%d", i, i * 7919);
        EXPECT(&bed.clients[0], request, "+OK|");
    }
    CHECK_OK(yore_flush(bed.db, NULL));
    bed_reopen(&bed); /* no page of it is in memory */
    struct bed_client *c = &bed.clients[0];
    damage_first_page(&bed);
    CHECK(strncmp(bed_run(c, "GET k0001"), "-CORRUPT ", 9) == 0);
    begin(&bed, c, &job);
    EXPECT(c, "SET k0001 2", "+OK|");
    end(c);
    EXPECT(c, "GET k0001", "$1|2|");
    EXPECT(c, "DBSIZE", ":2000|");
    bed_close(&bed);
}

/* ---- on a loop ---- */

/* What a loop gets when it tries "word a": the reply, or NULL where a worker must do it. */
static const char *try_on_loop(struct bed_client *client, const char *word)
{
    static char text[64];
    struct yore_bytes args[] = {bytes_of(word, strlen(word)), bytes_of("a", 1)};
    struct reply reply;
    reply_init(&reply, 2);
    CHECK_EQ_INT(command_pace(client->client, args, 2), COMMAND_TRY);
    enum command_after after = command_run(NULL, client->client, args, 2, &reply);
    CHECK(after == COMMAND_NEXT || reply.out.size == 0);
    snprintf(text, sizeof text, "%.*s", (int)reply.out.size, (const char *)reply.out.data);
    reply_release(&reply);
    return after == COMMAND_AGAIN ? NULL : text;
}

TEST(a_loop_reads_what_is_in_memory_and_no_more)
{
    struct bed bed = {0};
    bed_open(&bed);
    struct bed_client *c = &bed.clients[0];
    EXPECT(c, "SET a xyz", "+OK|");
    CHECK_EQ_STR(try_on_loop(c, "GET"), "$3\r\nxyz\r\n");
    CHECK_OK(yore_flush(bed.db, NULL));
    bed_reopen(&bed);
    static const char *const words[] = {"GET", "STRLEN", "TTL", "PTTL", "TYPE", "YORE.GET"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        CHECK(try_on_loop(c, words[i]) == NULL);
    }
    CHECK(strstr(bed_run(c, "INFO commandstats"), "cmdstat_get") == NULL); /* nothing was done */
    EXPECT(c, "GET a", "$3|xyz|");
    CHECK_EQ_STR(try_on_loop(c, "GET"), "$3\r\nxyz\r\n");
    CHECK_EQ_STR(try_on_loop(c, "TTL"), ":-1\r\n");
    EXPECT(c, "SETRANGE a 20000 x", ":20001|");
    CHECK(try_on_loop(c, "GET") == NULL); /* large: the loop has others to serve */
    bed_close(&bed);
}

TEST(a_past_with_other_databases_is_for_workers)
{
    struct bed bed = {0};
    bed_open(&bed);
    struct bed_client *c = &bed.clients[0];
    EXPECT(c, "SET a 1", "+OK|");
    EXPECT(c, "YORE.AT -1us", "+OK|");
    CHECK(try_on_loop(c, "GET") != NULL);
    EXPECT(c, "YORE.AT now", "+OK|");
    EXPECT(c, "SWAPDB 0 1", "+OK|");
    EXPECT(c, "YORE.AT -1us", "+OK|");
    CHECK(try_on_loop(c, "GET") == NULL);
    bed_close(&bed);
}

/* ---- two at a time ---- */

#define ADDERS 3
#define ADDED_JOBS 200
#define ADDED_EACH 16
#define ADDED_KEYS 5

struct adder {
    struct bed *bed;
    size_t index;
    uint64_t random;
};

static void add(void *arg)
{
    struct adder *adder = arg;
    struct bed_client *client = &adder->bed->clients[adder->index];
    struct command_job job;
    for (int i = 0; i < ADDED_JOBS; i++) {
        begin(adder->bed, client, &job);
        for (int j = 0; j < ADDED_EACH; j++) {
            char request[32];
            adder->random = adder->random * UINT64_C(6364136223846793005) + 1442695040888963407u;
            snprintf(request, sizeof request, "INCR k%u",
                     (unsigned)(adder->random >> 33) % ADDED_KEYS);
            (void)bed_run(client, request);
        }
        end(client);
    }
}

/* No file may grow: every write to the journal fails. */
static void set_file_limit(rlim_t bytes)
{
    struct rlimit limit;
    CHECK_EQ_INT(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes < limit.rlim_max ? bytes : limit.rlim_max;
    CHECK_EQ_INT(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* The second command has what the first has written committed, and is told that it failed: so is
 * the job, or the first one's reply would leave. */
TEST(a_commit_that_fails_for_a_later_command_fails_the_job)
{
    struct bed bed = {0};
    struct command_job job;
    bed_open(&bed);
    struct bed_client *c = &bed.clients[0];
    begin(&bed, c, &job);
    EXPECT(c, "SET a 1", "+OK|");
    signal(SIGXFSZ, SIG_IGN);
    set_file_limit(1);
    CHECK(bed_run(c, "DEL x y")[0] == '-');
    CHECK(command_job_end(&job, NULL) != YORE_OK);
    set_file_limit(RLIM_INFINITY);
    c->job = NULL;
    EXPECT(c, "GET a", "$-1|");
    bed.has_failed = true;
    bed_close(&bed);
}

TEST(jobs_that_want_each_others_keys_lose_no_write)
{
    struct bed bed = {0};
    struct adder adders[ADDERS];
    struct os_thread *threads[ADDERS];
    bed_open(&bed);
    for (size_t i = 0; i < ADDERS; i++) {
        bed_client(&bed, i);
        adders[i] = (struct adder){&bed, i, i + 1};
    }
    for (size_t i = 0; i < ADDERS; i++) {
        CHECK_OK(os_thread_start(add, &adders[i], "adder", &threads[i], NULL));
    }
    for (size_t i = 0; i < ADDERS; i++) {
        os_thread_join(threads[i]);
    }
    long sum = 0;
    for (int i = 0; i < ADDED_KEYS; i++) {
        char request[32];
        snprintf(request, sizeof request, "GET k%d", i);
        const char *reply = bed_run(&bed.clients[0], request);
        sum += strtol(strchr(reply, '|') + 1, NULL, 10);
    }
    CHECK_EQ_INT(sum, ADDERS * ADDED_JOBS * ADDED_EACH);
    bed_close(&bed);
}

/* How many of the keys k0 to k19 there are, looked at one by one. */
static unsigned count_keys(struct bed_client *client)
{
    unsigned count = 0;
    for (unsigned i = 0; i < 20; i++) {
        char request[40];
        snprintf(request, sizeof request, "EXISTS k%u", i);
        count += strcmp(bed_run(client, request), ":1|") == 0;
    }
    return count;
}

static void check_size(struct bed_client *client)
{
    char size[20];
    snprintf(size, sizeof size, ":%u|", count_keys(client));
    EXPECT(client, "DBSIZE", size);
}

/* A plain SET does not look what there was: the commit tells, or a read behind it. */
TEST(a_key_that_is_put_unseen_is_counted_once)
{
    static const char *const before[] = {
        NULL,                            /* nothing */
        "SET k0 1",                      /* a value */
        "DEL k0",                        /* one that was deleted */
        "YORE.PUT k0 1 AT -1h",          /* back-dated */
        "YORE.PUT k0 1 FROM -2h TO -1h", /* ended */
        "YORE.ERASE KEY k0",
        "YORE.ERASE ALL",
    };
    for (size_t i = 0; i < sizeof before / sizeof before[0]; i++) {
        for (unsigned flushes = 0; flushes < 4; flushes++) {
            struct bed bed = {0};
            struct command_job job;
            bed_open(&bed);
            struct bed_client *c = &bed.clients[0];
            EXPECT(c, "SET k0 0", "+OK|");
            EXPECT(c, "SET k1 0", "+OK|");
            if (flushes % 2 > 0) {
                CHECK_OK(yore_flush(bed.db, NULL));
            }
            if (before[i] != NULL) {
                CHECK_MSG(bed_run(c, before[i])[0] != '-', "%s: %s", before[i],
                          bed_run(c, before[i]));
            }
            if (flushes / 2 > 0) {
                CHECK_OK(yore_flush(bed.db, NULL));
            }
            begin(&bed, c, &job);
            EXPECT(c, "SET k0 2", "+OK|");
            EXPECT(c, "SET k2 2", "+OK|");
            EXPECT(c, "SET k2 3", "+OK|");
            EXPECT(c, "SET k3 2", "+OK|");
            EXPECT(c, "DEL k3", ":1|");
            EXPECT(c, "SET k4 2", "+OK|");
            EXPECT(c, "DEL k4 k4", ":1|");
            EXPECT(c, "SET k4 3", "+OK|");
            end(c);
            check_size(c);
            EXPECT(c, "GET k0", "$1|2|");
            bed_close(&bed);
        }
    }
}

TEST(keys_are_counted_whatever_a_job_does_with_them)
{
    struct bed bed = {0};
    struct command_job job;
    struct test_rand rand = test_rand_new(1);
    bed_open(&bed);
    struct bed_client *c = &bed.clients[0];
    EXPECT(c, "SET k0 0", "+OK|");
    uint64_t rounds = test_scale(300, 3000);
    for (uint64_t round = 0; round < rounds; round++) {
        static const struct {
            const char *command;
            const char *options;
        } requests[] = {{"SET", "1"},
                        {"SET", "2"},
                        {"SET", "3"},
                        {"DEL", ""},
                        {"SET", "4 KEEPTTL"},
                        {"INCR", ""},
                        {"YORE.PUT", "5 AT -1h"},
                        {"GETDEL", ""},
                        {"SET", "6 PX 100000"},
                        {"SET", "7 GET"},
                        {"SETNX", "8"},
                        {"UNLINK", ""},
                        {"PERSIST", ""},
                        {"SET", "9 PX 1"}};
        begin(&bed, c, &job);
        for (uint64_t i = 0, n = test_rand_below(&rand, 12); i < n; i++) {
            char request[60];
            /* In some rounds no key has an end: then puts are unseen. */
            uint64_t kinds = round / 20 % 2 == 0 ? 8 : sizeof requests / sizeof requests[0];
            size_t kind = (size_t)test_rand_below(&rand, kinds);
            snprintf(request, sizeof request, "%s k%u %s", requests[kind].command,
                     (unsigned)test_rand_below(&rand, 20), requests[kind].options);
            (void)bed_run(c, request);
        }
        end(c);
        if (round % 40 == 39) {
            EXPECT(c, "FLUSHDB", "+OK|");
            EXPECT(c, "SET k0 0", "+OK|");
        } else if (test_rand_one_in(&rand, 10)) {
            CHECK_OK(yore_flush(bed.db, NULL));
        }
        os_sleep_ns(os_env_posix(), 2000000); /* PX 1 is over: what ends meanwhile is no matter */
        check_size(c);
    }
    bed_close(&bed);
}

TEST_MAIN(a_loop_reads_what_is_in_memory_and_no_more, a_past_with_other_databases_is_for_workers,
          commands_of_a_job_see_what_the_earlier_ones_wrote,
          a_key_that_is_put_unseen_is_counted_once, keys_are_counted_whatever_a_job_does_with_them,
          each_command_of_a_job_keeps_a_moment_of_its_own, nobody_else_sees_a_job_before_its_end,
          what_cannot_gather_comes_behind_what_has, an_error_undoes_nothing_of_the_others,
          a_large_value_is_not_kept_waiting, a_commit_that_fails_for_a_later_command_fails_the_job,
          a_write_holds_though_what_it_was_laid_over_cannot_be_read,
          jobs_that_want_each_others_keys_lose_no_write)
