/* Replies of many values leave in parts: the same octets, in bounded memory. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command/limits.h"
#include "unit/command/bed.h"

#define KEYS 20000 /* the octets of two kept replies */
#define WORDS_MAX 10

/* What a connection took. */
struct taker {
    struct buffer taken;
    size_t most; /* handed over at once */
    size_t parts;
    size_t parts_max; /* then it is gone */
};

static bool take(void *arg, struct reply *reply)
{
    struct taker *taker = arg;
    buffer_append_bytes(&taker->taken, buffer_bytes(&reply->out));
    taker->most = reply->out.size > taker->most ? reply->out.size : taker->most;
    buffer_clear(&reply->out);
    return ++taker->parts < taker->parts_max;
}

/* Run words; with a taker the reply may leave in parts.  All of it is in `whole`. */
static enum command_after run(struct bed *bed, const char *const *words, struct taker *taker,
                              struct buffer *whole)
{
    struct yore_bytes args[WORDS_MAX];
    struct command_job job;
    struct reply reply;
    size_t count = 0;
    for (; words[count] != NULL; count++) {
        args[count] = bytes_of(words[count], strlen(words[count]));
    }
    reply_init(&reply, 2);
    if (taker != NULL) {
        reply.drain = take;
        reply.drain_arg = taker;
    }
    command_job_begin(&job, bed->server);
    enum command_after after = command_run(&job, bed->clients[0].client, args, count, &reply);
    CHECK_OK(command_job_end(&job, NULL));
    if (taker != NULL) {
        buffer_append_bytes(whole, buffer_bytes(&taker->taken));
        buffer_release(&taker->taken);
    }
    buffer_append_bytes(whole, buffer_bytes(&reply.out));
    CHECK(!whole->is_nomem);
    reply_release(&reply);
    return after;
}

/* Many keys, and one with many versions. */
static void fill(struct bed *bed)
{
    struct yore_batch *batch;
    char text[120];
    memset(text, 'x', sizeof text);
    CHECK_OK(yore_batch_new(bed->db, &batch, NULL));
    for (int i = 0; i < KEYS; i++) {
        snprintf(text, sizeof text, "key:%0100d", i);
        CHECK_OK(yore_batch_put(batch, NULL, bytes_of(text, 104), bytes_of(text, 104), NULL, NULL));
        CHECK_OK(yore_batch_put(batch, NULL, bytes_of("one", 3), bytes_of(text, 104), NULL, NULL));
        CHECK_OK(yore_batch_cut(batch, NULL));
    }
    CHECK_OK(yore_batch_commit(batch, YORE_DURABILITY_NONE, NULL, NULL));
    yore_batch_free(batch);
}

static const char *const requests[][WORDS_MAX] = {
    {"KEYS", "key:*", NULL},
    {"YORE.TIMELINE", "one", "FROM", "-1d", "TO", "now", NULL},
    {"YORE.CHANGES", "key:", "FROM", "-1d", "TO", "now", NULL},
    {"YORE.CHANGES", "", "FROM", "-1d", "TO", "now", "EVERY", NULL},
};
#define REQUESTS (sizeof requests / sizeof requests[0])

TEST(a_reply_in_parts_is_the_reply)
{
    struct bed bed = {0};
    bed_open(&bed);
    fill(&bed);
    for (size_t i = 0; i < REQUESTS; i++) {
        struct taker taker = {.parts_max = SIZE_MAX};
        struct buffer whole = {0};
        struct buffer parted = {0};
        char head[16];
        CHECK_EQ_INT(run(&bed, requests[i], NULL, &whole), COMMAND_NEXT);
        CHECK_EQ_INT(run(&bed, requests[i], &taker, &parted), COMMAND_NEXT);
        CHECK(whole.size > 2 * ROWS_KEPT_BYTES);
        snprintf(head, sizeof head, "*%d\r\n", i == 3 ? 2 * KEYS : KEYS);
        CHECK_EQ_BYTES(whole.data, strlen(head), head, strlen(head));
        CHECK_EQ_BYTES(parted.data, parted.size, whole.data, whole.size);
        CHECK(taker.parts > 10);
        CHECK(taker.most < ROWS_KEPT_BYTES + 2 * REPLY_PART_BYTES);
        buffer_release(&whole);
        buffer_release(&parted);
    }
    bed_close(&bed);
}

/* A reply of GRAPH.QUERY without what it tells of the time it took. */
static struct yore_bytes without_time(const struct buffer *whole)
{
    static const char told[] = "Query internal execution time";
    size_t size = whole->size;
    while (size > 0 && (whole->size - size < sizeof(told) ||
                        memcmp(whole->data + size, told, sizeof(told) - 1) != 0)) {
        size--;
    }
    CHECK(size > 5);
    return bytes_of(whole->data, size - 5); /* its length is told before it */
}

TEST(rows_of_a_statement_leave_in_parts)
{
#define TEXT "'0123456789012345678901234567890123456789012345678901234567890123456789'"
    static const struct {
        const char *const words[4];
        bool is_parted;
    } cases[] = {
        {{"GRAPH.RO_QUERY", "g", "UNWIND range(1, 30000) AS x RETURN x, " TEXT " AS t", NULL},
         true},
        {{"GRAPH.QUERY", "g",
          "MATCH (n:N) UNWIND range(1, 300) AS x RETURN n.i, x, " TEXT " AS t ORDER BY x DESC, n.i",
          NULL},
         true},
        {{"GRAPH.QUERY", "g", "UNWIND range(1, 30000) AS x SET x.y = 1 RETURN x", NULL}, false},
        {{"GRAPH.QUERY", "g",
          "MATCH (n:N) SET n.j = 1 WITH n UNWIND range(1, 300) AS x RETURN n.i, x, " TEXT " AS t",
          NULL},
         true},
        {{"GRAPH.RO_QUERY", "g",
          "UNWIND range(1, 30000) AS x WITH x, rand() AS r WHERE r < 2 RETURN x, " TEXT " AS t",
          NULL},
         false},
    };
    struct bed bed = {0};
    bed_open(&bed);
    CHECK(bed_run(&bed.clients[0],
                  "GRAPH.QUERY g \"UNWIND range(1, 100) AS i CREATE (:N {i: i})\"")[0] == '*');
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct taker taker = {.parts_max = SIZE_MAX};
        struct buffer whole = {0};
        struct buffer parted = {0};
        test_note("%s", cases[i].words[2]);
        CHECK_EQ_INT(run(&bed, cases[i].words, NULL, &whole), COMMAND_NEXT);
        CHECK_EQ_INT(run(&bed, cases[i].words, &taker, &parted), COMMAND_NEXT);
        if (whole.data[0] == '-') {
            CHECK_EQ_BYTES(parted.data, parted.size, whole.data, whole.size);
        } else {
            struct yore_bytes want = without_time(&whole);
            struct yore_bytes got = without_time(&parted);
            CHECK(whole.size > 2 * ROWS_KEPT_BYTES);
            CHECK_EQ_BYTES(got.data, got.size, want.data, want.size);
        }
        CHECK_EQ_INT(taker.parts > 10, cases[i].is_parted);
        CHECK(taker.most < ROWS_KEPT_BYTES + 2 * REPLY_PART_BYTES);
        buffer_release(&whole);
        buffer_release(&parted);
    }
    bed_close(&bed);
#undef TEXT
}

TEST(a_reply_ends_where_nobody_takes_it)
{
    struct bed bed = {0};
    bed_open(&bed);
    fill(&bed);
    for (size_t i = 0; i < REQUESTS; i++) {
        for (size_t parts = 1; parts < 4; parts++) {
            struct taker taker = {.parts_max = parts};
            struct buffer parted = {0};
            (void)run(&bed, requests[i], &taker, &parted);
            CHECK_EQ_UINT(taker.parts, parts);
            CHECK(parted.size < ROWS_KEPT_BYTES + 8 * REPLY_PART_BYTES);
            buffer_release(&parted);
        }
    }
    bed_close(&bed);
}

TEST(small_replies_and_limits_are_not_parted)
{
    struct bed bed = {0};
    bed_open(&bed);
    fill(&bed);
    static const char *const limited[][WORDS_MAX] = {
        {"KEYS", "key:*00", NULL},
        {"YORE.CHANGES", "key:", "FROM", "-1d", "TO", "now", "LIMIT", "3", NULL}};
    for (size_t i = 0; i < 2; i++) {
        struct taker taker = {.parts_max = SIZE_MAX};
        struct buffer whole = {0};
        const char *head = i == 0 ? "*200\r\n" : "*3\r\n";
        (void)run(&bed, limited[i], &taker, &whole);
        CHECK_EQ_UINT(taker.parts, 0);
        CHECK_EQ_BYTES(whole.data, strlen(head), head, strlen(head));
        buffer_release(&whole);
    }
    bed_close(&bed);
}

TEST_MAIN(a_reply_in_parts_is_the_reply, rows_of_a_statement_leave_in_parts,
          a_reply_ends_where_nobody_takes_it, small_replies_and_limits_are_not_parted)
