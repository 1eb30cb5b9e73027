/* replay_test.c -- commits of a journal, put into a memtable by a thread of its own and without. */
#include "engine/replay.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "journal/commit_codec.h"
#include "support/test.h"

enum { BLOCK = 256 << 10 /* what is applied before there is a thread */ };

struct stage {
    struct yore_db db;
    struct memtable *memtable;
    struct replay *replay;
    struct buffer payload;
    char path[8];
};

static void stage_open(struct stage *s, bool is_inline, int64_t flushed)
{
    *s = (struct stage){.path = "db"};
    s->db.path = s->path;
    s->db.is_inline = is_inline;
    CHECK_OK(memtable_new(64u << 20, &s->memtable));
    CHECK_OK(replay_begin(&s->db, s->memtable, flushed, &s->replay));
}

static void stage_close(struct stage *s)
{
    memtable_unref(s->memtable);
    buffer_release(&s->payload);
}

static enum yore_status hand_over(struct stage *s, int64_t commit, uint32_t key, size_t value_bytes,
                                  struct yore_error *error_out)
{
    char name[16];
    unsigned char head[COMMIT_HEADER_BYTES];
    char *value = malloc(value_bytes + 1);
    CHECK(value != NULL);
    memset(value, 'a' + (int)(commit % 26), value_bytes);
    snprintf(name, sizeof name, "%08u", key);
    struct commit_write write = {.keyspace = 1 + key % 3,
                                 .kind = YORE_KIND_PUT,
                                 .is_from_commit = true,
                                 .valid_from = commit,
                                 .valid_to = YORE_FOREVER,
                                 .key = {name, 8},
                                 .value = {value, value_bytes}};
    buffer_clear(&s->payload);
    commit_header_encode(head, commit, 1);
    buffer_append(&s->payload, head, sizeof head);
    commit_write_encode(&s->payload, &write);
    free(value);
    return replay_commit(s->replay, bytes_of(s->payload.data, s->payload.size), error_out);
}

/* The greatest version of the key that is there, and how many of all keys. */
static void check_last(const struct stage *s, uint32_t key, int64_t commit, size_t value_bytes)
{
    char name[16];
    struct version v;
    snprintf(name, sizeof name, "%08u", key);
    CHECK(memtable_get(s->memtable, 1 + key % 3, bytes_of(name, 8), INT64_MAX, INT64_MAX, &v));
    CHECK_EQ_INT(v.commit, commit);
    CHECK_EQ_UINT(v.value.size, value_bytes);
    CHECK_EQ_INT(*(const char *)v.value.data, 'a' + (int)(commit % 26));
}

static void replay_many(bool is_inline)
{
    enum { KEYS = 9973, COMMITS = 60000 };
    struct stage s;
    struct memtable_bounds bounds;
    int64_t last = 5;
    stage_open(&s, is_inline, 0);
    for (int64_t i = 1; i <= COMMITS; i++) {
        CHECK_OK(hand_over(&s, i, (uint32_t)(i * 7919 % KEYS), 40, NULL));
    }
    CHECK_OK(replay_end(s.replay, &last, NULL));
    CHECK_EQ_INT(last, COMMITS);
    memtable_bounds(s.memtable, &bounds);
    CHECK_EQ_UINT(bounds.count, COMMITS);
    CHECK(memtable_check(s.memtable));
    for (int64_t i = COMMITS - KEYS + 1; i <= COMMITS; i++) {
        check_last(&s, (uint32_t)(i * 7919 % KEYS), i, 40);
    }
    stage_close(&s);
}

TEST(every_commit_arrives_in_order)
{
    replay_many(false);
    replay_many(true);
}

TEST(nothing_handed_over_leaves_nothing)
{
    struct stage s;
    int64_t last = 77;
    stage_open(&s, false, 0);
    CHECK_OK(replay_end(s.replay, &last, NULL));
    CHECK_EQ_INT(last, 77);
    CHECK_OK(replay_end(NULL, &last, NULL));
    stage_close(&s);
}

/* Each is larger than a block, and comes between what the thread has yet to do. */
TEST(a_commit_larger_than_a_block_keeps_its_place)
{
    struct stage s;
    struct memtable_bounds bounds;
    int64_t last = 0;
    stage_open(&s, false, 0);
    for (int64_t i = 1; i <= 4000; i++) {
        size_t bytes = i % 500 == 0 ? BLOCK + 1000 : i % 501 == 0 ? BLOCK - 60 : 300;
        CHECK_OK(hand_over(&s, i, 7, bytes, NULL));
    }
    CHECK_OK(hand_over(&s, 4001, 7, 2 * BLOCK, NULL));
    CHECK_OK(replay_end(s.replay, &last, NULL));
    memtable_bounds(s.memtable, &bounds);
    CHECK_EQ_UINT(bounds.count, 4001);
    CHECK(memtable_check(s.memtable));
    check_last(&s, 7, 4001, 2 * BLOCK);
    stage_close(&s);
}

/* Commits of a size of which some fill a block to within the four octets of the next one's size. */
TEST(a_block_may_be_filled_to_any_octet)
{
    unsigned sizes = 0;
    for (size_t bytes = 1; bytes <= 500; bytes++) {
        struct stage s;
        struct memtable_bounds bounds;
        int64_t last = 0;
        int64_t count = 0;
        size_t most = 1;
        stage_open(&s, false, 0);
        for (size_t handed = 0; handed < most; handed += s.payload.size) {
            count++;
            CHECK_OK(hand_over(&s, count, (uint32_t)count, bytes, NULL));
            most = BLOCK % (4 + s.payload.size) < 4 ? (size_t)16 * BLOCK : 1;
        }
        test_note("values of %zu octets", bytes);
        CHECK_OK(replay_end(s.replay, &last, NULL));
        CHECK_EQ_INT(last, count);
        memtable_bounds(s.memtable, &bounds);
        CHECK_EQ_UINT(bounds.count, (uint64_t)count);
        sizes += most > 1;
        stage_close(&s);
    }
    CHECK(sizes >= 5);
}

TEST(what_is_flushed_is_passed_over)
{
    struct stage s;
    struct memtable_bounds bounds;
    int64_t last = 0;
    stage_open(&s, false, 1500);
    for (int64_t i = 1; i <= 3000; i++) {
        CHECK_OK(hand_over(&s, i, (uint32_t)i, 400, NULL));
    }
    CHECK_OK(replay_end(s.replay, &last, NULL));
    memtable_bounds(s.memtable, &bounds);
    CHECK_EQ_UINT(bounds.count, 1500);
    CHECK_EQ_INT(bounds.commit_min, 1501);
    CHECK_EQ_INT(last, 3000);
    stage_close(&s);
}

/* Of several failures the first is told, by whichever call comes first, and nothing behind it is
 * applied. */
static void fail_after(int64_t good, bool is_load)
{
    static const unsigned char torn[COMMIT_HEADER_BYTES + 1] = {1};
    unsigned char load[COMMIT_HEADER_BYTES + COMMIT_LOAD_BYTES];
    struct stage s;
    struct memtable_bounds bounds;
    struct yore_error error = {0};
    int64_t last = 0;
    enum yore_status st = YORE_OK;
    stage_open(&s, false, 0);
    for (int64_t i = 1; i <= good; i++) {
        CHECK_OK(hand_over(&s, i, (uint32_t)i, 400, NULL));
    }
    commit_load_encode(load, load + COMMIT_HEADER_BYTES, good + 1, &(struct commit_load){1, 9});
    st = replay_commit(s.replay,
                       is_load ? bytes_of(load, sizeof load) : bytes_of(torn, sizeof torn), &error);
    for (int64_t i = good + 2; i <= good + 9000 && st == YORE_OK; i++) {
        st = hand_over(&s, i, (uint32_t)i, 400, &error);
    }
    CHECK_STATUS(st, YORE_CORRUPT); /* before all nine thousand: they do not fit the blocks */
    CHECK_STATUS(replay_end(s.replay, &last, &error), YORE_CORRUPT);
    CHECK_EQ_STR(error.text,
                 is_load ? "db: the journal tells of a load at 2001 whose tables the manifest does "
                           "not name"
                         : "db: a commit in the journal cannot be applied: damaged data");
    memtable_bounds(s.memtable, &bounds);
    CHECK(bounds.count <= (uint64_t)good);
    CHECK_EQ_INT(last, good);
    stage_close(&s);
}

TEST(the_first_failure_is_told)
{
    fail_after(5, false);
    fail_after(2000, false);
    fail_after(2000, true);
}

TEST_MAIN(a_block_may_be_filled_to_any_octet, every_commit_arrives_in_order,
          nothing_handed_over_leaves_nothing, a_commit_larger_than_a_block_keeps_its_place,
          what_is_flushed_is_passed_over, the_first_failure_is_told)
