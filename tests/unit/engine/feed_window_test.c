/* feed_window_test.c -- a feed that is rebuilt from tables window by window: what it tells does not
 * depend on the windows, and what it costs is about what it tells. */
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "engine/db_internal.h"
#include "engine/feed_last.h"
#include "support/store.h"
#include "unit/engine/bed.h"

struct told {
    uint64_t hash;
    uint64_t commits;
    uint64_t writes;
};

static void add_number(struct told *told, uint64_t number)
{
    told->hash = hash_u64(told->hash + number);
}

static void add_commit(struct told *told, const struct yore_feed_commit *commit)
{
    for (size_t i = 0; i < commit->write_count; i++) {
        const struct yore_feed_write *write = &commit->writes[i];
        add_number(told, (uint64_t)commit->commit);
        add_number(told, write->keyspace_id);
        add_number(told, (uint64_t)write->kind);
        add_number(told, hash_bytes(write->key));
        add_number(told, hash_bytes(write->value));
        add_number(told, (uint64_t)write->valid_from);
        add_number(told, (uint64_t)write->valid_to);
        told->writes++;
    }
    told->commits += !commit->has_more;
}

/* With windows of so many octets. */
static struct told tell(struct bed *bed, int64_t after, uint64_t window_bytes)
{
    struct told told = {0};
    struct yore_feed *feed = NULL;
    struct yore_feed_commit commit;
    struct yore_error error = {.text = ""};
    int64_t last = after;
    bool has_more = false;
    enum yore_status st;
    bed->db->feed_window_bytes = window_bytes;
    CHECK_OK(yore_feed_open(bed->db, after, &feed, NULL));
    while ((st = yore_feed_next(feed, &commit, &error)) == YORE_OK) {
        CHECK(has_more ? commit.commit == last : commit.commit > last);
        last = commit.commit;
        has_more = commit.has_more;
        add_commit(&told, &commit);
    }
    CHECK_MSG(st == YORE_NOT_FOUND, "%s", error.text);
    CHECK(!has_more);
    yore_feed_close(feed);
    bed->db->feed_window_bytes = FEED_WINDOW_BYTES;
    return told;
}

static uint64_t looked(struct bed *bed)
{
    return store_stat(bed->db, "feed_versions");
}

/* ---- the same whatever the windows are ---- */

#define OPS 300u
#define COMMITS_KEPT 4u

static void write_some(struct bed *bed, struct yore_keyspace *other, struct test_rand *rand)
{
    char key[16];
    unsigned char value[64];
    struct yore_batch *batch = NULL;
    struct yore_write write = {.from = YORE_NOW, .to = YORE_FOREVER};
    uint64_t count = test_rand_below(rand, 8) == 0 ? test_rand_below(rand, 40) : 1;
    CHECK_OK(yore_batch_new(bed->db, &batch, NULL));
    for (uint64_t i = 0; i <= count; i++) {
        struct yore_keyspace *space = test_rand_below(rand, 4) == 0 ? other : NULL;
        (void)snprintf(key, sizeof key, "k%u", (unsigned)test_rand_below(rand, 200));
        test_rand_fill(rand, value, sizeof value);
        write.from =
            test_rand_below(rand, 10) == 0 ? AT((int64_t)test_rand_below(rand, 9000)) : YORE_NOW;
        write.to = write.from != YORE_NOW && test_rand_below(rand, 2) == 0
                       ? write.from + (int64_t)test_rand_below(rand, 100) + 1
                       : YORE_FOREVER;
        if (write.to == YORE_FOREVER && test_rand_below(rand, 9) == 0) {
            CHECK_OK(yore_batch_delete(batch, space, text(key), &write, NULL));
        } else {
            CHECK_OK(yore_batch_put(batch, space, text(key),
                                    bytes_of(value, test_rand_below(rand, sizeof value)), &write,
                                    NULL));
        }
    }
    CHECK_OK(yore_batch_commit(batch, YORE_DURABILITY_DEFAULT, NULL, NULL));
    yore_batch_free(batch);
}

/* Times at which the feed may begin. */
static void write_all(struct bed *bed, struct test_rand *rand, int64_t commits[COMMITS_KEPT])
{
    struct yore_keyspace *other;
    CHECK_OK(yore_keyspace_create(bed->db, "other", NULL, &other, NULL));
    commits[0] = YORE_TIME_MIN;
    for (unsigned i = 0; i < OPS; i++) {
        write_some(bed, other, rand);
        if (i == OPS / 3) {
            erase_key(bed->db, "k7", YORE_TIME_MIN, YORE_FOREVER);
        }
        if (i % 100 == 90) {
            sim_disk_advance(bed->disk, 3600 * BED_SECOND); /* nothing is committed for an hour */
        }
        if (i % (OPS / (COMMITS_KEPT - 1) + 1) == 70) {
            commits[1 + i / (OPS / (COMMITS_KEPT - 1) + 1)] = yore_now(bed->db);
        }
        if (i % 100 == 50) {
            bed_age(bed, 1 + (int)(i / 100 % 2));
        }
    }
    bed_age(bed, 2);
}

TEST(a_feed_tells_the_same_whatever_its_windows_hold)
{
    static const uint64_t sizes[] = {40000, 5000, 1000, 1};
    for (uint64_t seed = 0; seed < test_scale(2, 60); seed++) {
        struct bed bed;
        struct test_rand rand = test_rand_new(seed);
        int64_t commits[COMMITS_KEPT] = {0};
        bed_open_tables(&bed, seed % 2 == 0 ? 16u << 10 : 256u << 10);
        write_all(&bed, &rand, commits);
        for (unsigned i = 0; i < COMMITS_KEPT; i++) {
            struct told whole = tell(&bed, commits[i], FEED_WINDOW_BYTES);
            CHECK(i > 0 || whole.commits >= OPS);
            bool is_short = i + 1 >= COMMITS_KEPT; /* every commit is told by itself there */
            for (size_t j = 0; j + !is_short < sizeof sizes / sizeof sizes[0]; j++) {
                struct told told = tell(&bed, commits[i], sizes[j]);
                test_note("seed %u, after %u, windows of %u", (unsigned)seed, i,
                          (unsigned)sizes[j]);
                CHECK_EQ_UINT(told.commits, whole.commits);
                CHECK_EQ_UINT(told.writes, whole.writes);
                CHECK_EQ_UINT(told.hash, whole.hash);
            }
        }
        CHECK(looked(&bed) > 0);
        bed_close(&bed);
    }
}

/* ---- what it costs ---- */

/* Octets of a window: about 40 commits. */
#define WINDOW_BYTES 4096u

struct cost {
    uint64_t looked; /* at versions */
    uint64_t reads;  /* of the disk */
};

/* A feed of `count` commits, each a key of its own, in no order. */
static struct cost cost_of(unsigned count)
{
    struct bed bed;
    struct cost cost;
    bed_open_tables(&bed, 256u << 10);
    for (unsigned i = 0; i < count; i++) {
        char key[16];
        (void)snprintf(key, sizeof key, "k%08x", (unsigned)(i * 2654435761u));
        (void)put(bed.db, key, "some value or other");
    }
    bed_age(&bed, 3);
    uint64_t reads = sim_disk_fault_count(bed.disk, SIM_FAULT_READ);
    struct told told = tell(&bed, YORE_TIME_MIN, WINDOW_BYTES);
    CHECK(told.commits >= count);
    cost.looked = looked(&bed);
    cost.reads = sim_disk_fault_count(bed.disk, SIM_FAULT_READ) - reads;
    printf("  %u commits: %llu versions looked at, %llu reads\n", count,
           (unsigned long long)cost.looked, (unsigned long long)cost.reads);
    bed_close(&bed);
    return cost;
}

TEST(a_feed_from_tables_costs_about_what_it_tells)
{
    struct cost few = cost_of(2000);
    struct cost many = cost_of(8000);
    CHECK(few.looked <= 4u * 2000u);
    CHECK(many.looked <= 4u * 8000u);
    CHECK(many.reads <= 6 * few.reads);
}

/* ---- writes of one record ---- */

TEST(the_last_writes_of_a_record_are_found_with_few_octets_a_write)
{
    struct buffer record = {0};
    struct feed_last last;
    struct commit_decoder decoder;
    struct commit_write write;
    const uint32_t count = 3000;
    uint32_t counting = 0;
    unsigned char *header = buffer_extend(&record, COMMIT_HEADER_BYTES);
    CHECK(header != NULL);
    commit_header_encode(header, 1000, count);
    for (uint32_t i = 0; i < count; i++) { /* 1,000 keys, each written three times */
        char key[16];
        (void)snprintf(key, sizeof key, "k%u", (unsigned)(i * 7 % 1000));
        struct commit_write put = {.keyspace = 1 + i % 2,
                                   .kind = YORE_KIND_PUT,
                                   .is_from_commit = true,
                                   .valid_to = YORE_FOREVER,
                                   .key = text(key),
                                   .value = text("v")};
        commit_write_encode(&record, &put);
    }
    CHECK_OK(commit_decoder_init(&decoder, buffer_bytes(&record)));
    CHECK_OK(feed_last_collect(&last, &decoder));
    CHECK(last.capacity * sizeof last.slots[0] <= (size_t)count * FEED_LAST_WRITE_BYTES);
    for (uint32_t i = 0; i < count; i++) {
        const unsigned char *at = decoder.d.at;
        CHECK_OK(commit_decoder_next(&decoder, &write));
        bool is_counting = feed_last_counts(&last, &write, at);
        CHECK_EQ_INT(is_counting, i >= count - 1000);
        counting += is_counting;
    }
    CHECK_EQ_UINT(counting, 1000);
    feed_last_release(&last);
    buffer_release(&record);
}

TEST_MAIN(a_feed_tells_the_same_whatever_its_windows_hold,
          a_feed_from_tables_costs_about_what_it_tells,
          the_last_writes_of_a_record_are_found_with_few_octets_a_write)
