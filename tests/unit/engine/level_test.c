/* level_test.c -- data far beyond memtables: how often merges write it, and levels below the first.
 */
#include <stdio.h>
#include <string.h>

#include "base/rand.h"
#include "engine/db_internal.h"
#include "support/store.h"
#include "unit/engine/bed.h"

#define VALUE_BYTES 200

static void open_narrow(struct bed *bed, uint64_t table_bytes)
{
    struct yore_options options;
    struct yore_error error = {.text = ""};
    *bed = (struct bed){.disk = sim_disk_new(1)};
    CHECK(bed->disk != NULL);
    sim_disk_set_wall(bed->disk, BED_T0);
    yore_options_init(&options);
    options.memtable_bytes = 64u << 10;
    options.table_bytes = table_bytes;
    options.durability = YORE_DURABILITY_NONE;
    enum yore_status st = db_open_inline(sim_disk_env(bed->disk), "db", &options, &bed->db, &error);
    CHECK_MSG(st == YORE_OK, "open: %s", error.text);
}

static struct yore_bytes key_of(uint64_t index, char storage[32])
{
    return bytes_of(storage,
                    (size_t)snprintf(storage, 32, "key%012llu",
                                     (unsigned long long)(index * 2654435761u % 4294967296u)));
}

/* Octets that do not compress, of the key and of how often it was written. */
static struct yore_bytes value_of_round(uint64_t index, uint64_t round,
                                        unsigned char storage[VALUE_BYTES])
{
    struct test_rand rand = {index * 1000 + round + 1};
    test_rand_fill(&rand, storage, VALUE_BYTES);
    return bytes_of(storage, VALUE_BYTES);
}

static void write_key(struct bed *bed, uint64_t index, uint64_t round)
{
    char key[32];
    unsigned char value[VALUE_BYTES];
    struct yore_error error = {.text = ""};
    enum yore_status st = yore_put(bed->db, NULL, key_of(index, key),
                                   value_of_round(index, round, value), NULL, &error);
    CHECK_MSG(st == YORE_OK, "%s", error.text);
}

static void check_key(struct bed *bed, uint64_t index, uint64_t round)
{
    char key[32];
    unsigned char value[VALUE_BYTES];
    struct yore_value got;
    CHECK_OK(yore_get(bed->db, NULL, key_of(index, key), NULL, &got, NULL));
    CHECK(bytes_equal(bytes_of(got.data, got.size), value_of_round(index, round, value)));
    yore_value_release(&got);
}

static uint64_t written(struct bed *bed)
{
    return store_stat(bed->db, "flush_bytes") + store_stat(bed->db, "merge_write_bytes") +
           store_stat(bed->db, "history_write_bytes");
}

/* Of a load: the flush, once more on the way to level 1, and about three times there; of an
 * overwrite once more where history keeps what it superseded, and some merging of that. */
TEST(random_writes_far_beyond_the_memtable_are_merged_few_times)
{
    const uint64_t keys = 20000; /* 4 MiB, some 110 memtables of what these have room for */
    const uint64_t most[3] = {4, 5, 6};
    struct bed bed;
    open_narrow(&bed, 0);
    for (uint64_t round = 0; round < 3; round++) {
        uint64_t before = written(&bed);
        uint64_t user_bytes = store_stat(bed.db, "write_bytes");
        for (uint64_t i = 0; i < keys; i++) {
            write_key(&bed, i * 7919 % keys, round);
        }
        user_bytes = store_stat(bed.db, "write_bytes") - user_bytes;
        uint64_t times = (written(&bed) - before) * 10 / user_bytes;
        CHECK_MSG(times <= 10 * most[round], "round %llu: %llu.%llu octets written for one put",
                  (unsigned long long)round, (unsigned long long)times / 10,
                  (unsigned long long)times % 10);
    }
    for (uint64_t i = 0; i < keys; i += 97) {
        check_key(&bed, i, 2);
    }
    bed_close(&bed);
}

#define ROWS 10

static void write_rows_in_a_batch(struct bed *bed, uint64_t first, uint64_t step)
{
    struct yore_batch *batch;
    CHECK_OK(yore_batch_new(bed->db, &batch, NULL));
    for (uint64_t i = 0; i < ROWS; i++) {
        char key[32];
        unsigned char value[VALUE_BYTES];
        CHECK_OK(yore_batch_put(batch, NULL, key_of(first + i * step, key),
                                value_of_round(first + i * step, 1, value), NULL, NULL));
    }
    CHECK_OK(yore_batch_commit(batch, YORE_DURABILITY_DEFAULT, NULL, NULL));
    yore_batch_free(batch);
    CHECK_OK(yore_flush(bed->db, NULL));
}

/* Tables of one commit each, far smaller than level 1. */
TEST(a_flush_of_one_commit_is_merged_with_its_like)
{
    const uint64_t keys = 20000;
    struct bed bed;
    open_narrow(&bed, 0);
    for (uint64_t i = 0; i < keys; i++) {
        write_key(&bed, i, 0);
    }
    CHECK_OK(yore_compact(bed.db, NULL, NULL));
    uint64_t before = written(&bed);
    uint64_t level1 = before;
    for (uint64_t i = 0; i < 64; i++) {
        write_rows_in_a_batch(&bed, i, keys / ROWS);
    }
    CHECK_MSG(written(&bed) - before < level1 / 4, "%llu octets written for 640 rows",
              (unsigned long long)(written(&bed) - before));
    for (uint64_t i = 0; i < keys / ROWS; i += 7) {
        check_key(&bed, i, i < 64);
        check_key(&bed, i + keys / ROWS, i < 64);
    }
    bed_close(&bed);
}

/* A merge of full tables would give full tables again. */
TEST(runs_of_the_size_of_a_table_are_not_merged_again)
{
    const uint64_t keys = 3000;
    struct bed bed;
    open_narrow(&bed, 32u << 10);
    for (uint64_t round = 0; round < 6; round++) {
        for (uint64_t i = 0; i < keys; i++) {
            write_key(&bed, i * 7919 % keys, round);
        }
    }
    CHECK(store_stat(bed.db, "history_runs") > 40);
    CHECK_EQ_UINT(store_stat(bed.db, "seals"), 0);
    uint64_t times =
        store_stat(bed.db, "history_write_bytes") / store_stat(bed.db, "history_bytes");
    CHECK_MSG(times <= 2, "history was written %llu times", (unsigned long long)times);
    bed_close(&bed);
}

TEST(what_level_1_has_no_room_for_lies_deeper_and_is_found)
{
    const uint64_t keys = 45000;
    struct bed bed;
    open_narrow(&bed, 0);
    for (uint64_t i = 0; i < keys; i++) {
        write_key(&bed, i, 0);
    }
    for (uint64_t i = 0; i < keys; i += 3) {
        write_key(&bed, i, 1);
    }
    CHECK(store_stat(bed.db, "level1_bytes") > 0);
    CHECK(store_stat(bed.db, "level2_bytes") > 0);
    CHECK_OK(yore_verify(bed.db, NULL, NULL, NULL, NULL));
    for (uint64_t i = 0; i < keys; i += 7) {
        check_key(&bed, i, i % 3 == 0 ? 1 : 0);
    }
    bed_close(&bed);
}

TEST_MAIN(random_writes_far_beyond_the_memtable_are_merged_few_times,
          a_flush_of_one_commit_is_merged_with_its_like,
          runs_of_the_size_of_a_table_are_not_merged_again,
          what_level_1_has_no_room_for_lies_deeper_and_is_found)
