/* span_test.c -- what a span over many versions costs, and what is said of one that costs too much.
 *
 * What spans mean is in batch_test.c, edge_test.c and txn_test.c. */
#include <string.h>

#include "base/mem.h"
#include "support/store.h"
#include "unit/engine/bed.h"

#define VERSIONS 1100
#define LARGE (1u << 20)

/* Versions at AT(1), AT(2), ... */
static void many_versions(struct bed *bed, int count)
{
    struct yore_batch *batch = NULL;
    bed_open(bed);
    CHECK_OK(yore_batch_new(bed->db, &batch, NULL));
    for (int i = 1; i <= count; i++) {
        struct yore_write write = {.from = AT(i), .to = YORE_FOREVER};
        CHECK_OK(yore_batch_put(batch, NULL, text("k"), text("old"), &write, NULL));
    }
    CHECK_OK(yore_batch_commit(batch, YORE_DURABILITY_DEFAULT, NULL, NULL));
    yore_batch_free(batch);
}

static void check_value(struct yore_db *db, int64_t valid, const char *data, size_t size)
{
    struct yore_time at = {valid, YORE_NOW};
    struct yore_value value = {0};
    CHECK_OK(yore_get(db, NULL, text("k"), &at, &value, NULL));
    CHECK_EQ_UINT(value.size, size);
    CHECK(memcmp(value.data, data, size) == 0);
    yore_value_release(&value);
}

TEST(a_span_writes_a_value_apart_once)
{
    static char large[LARGE];
    struct bed bed;
    struct yore_write span = {.from = AT(1), .to = AT(VERSIONS), .is_span = true};
    many_versions(&bed, VERSIONS);
    memset(large, 'x', sizeof large);
    CHECK_EQ_UINT(store_stat(bed.db, "values_apart"), 0);
    struct yore_bytes value = {large, sizeof large};
    CHECK_OK(yore_put(bed.db, NULL, text("k"), value, &span, NULL));
    CHECK_EQ_UINT(store_stat(bed.db, "values_apart"), 1);
    for (int age = 0; age < BED_AGES; age++) {
        bed_age(&bed, age);
        check_value(bed.db, AT(1), large, sizeof large);
        check_value(bed.db, AT(VERSIONS / 2), large, sizeof large);
        check_value(bed.db, AT(VERSIONS) - 1, large, sizeof large);
        check_value(bed.db, AT(VERSIONS), "old", 3);
    }
    bed_close(&bed);
}

TEST(a_span_with_a_value_apart_that_is_refused_writes_none)
{
    char large[1000] = {0};
    struct bed bed;
    many_versions(&bed, 3);
    struct yore_write span = {
        .from = AT(1), .to = yore_now(bed.db) + 100 * BED_SECOND, .is_span = true};
    struct yore_bytes value = {large, sizeof large};
    CHECK_STATUS(yore_put(bed.db, NULL, text("k"), value, &span, NULL), YORE_IN_FUTURE);
    CHECK_EQ_UINT(store_stat(bed.db, "values_apart"), 0);
    bed_close(&bed);
}

TEST(a_span_over_too_many_versions_names_them_and_the_way_out)
{
    static char large[LARGE];
    struct bed bed;
    struct yore_error error = {.text = ""};
    struct yore_write span = {.from = AT(1), .to = AT(VERSIONS), .is_span = true};
    struct yore_txn *txn = NULL;
    many_versions(&bed, VERSIONS);
    CHECK_OK(yore_begin(bed.db, &txn, NULL));
    struct yore_bytes value = {large, sizeof large};
    mem_fail_at(0, false);
    uint64_t before = mem_count();
    CHECK_STATUS(yore_txn_put(txn, NULL, text("k"), value, &span, &error), YORE_TOO_BIG);
    CHECK(mem_count() - before < VERSIONS / 2); /* it is known before a value is copied */
    CHECK_MSG(strstr(error.text, "1098 versions that begin inside it") != NULL, "%s", error.text);
    CHECK_MSG(strstr(error.text, "smaller spans") != NULL, "%s", error.text);
    CHECK_EQ_STR(txn_get_at(txn, "k", AT(5)), "old");
    span.to = AT(4);
    CHECK_OK(yore_txn_put(txn, NULL, text("k"), value, &span, &error));
    CHECK_OK(yore_txn_commit(txn, YORE_DURABILITY_DEFAULT, NULL, NULL));
    check_value(bed.db, AT(3), large, sizeof large);
    check_value(bed.db, AT(4), "old", 3);
    bed_close(&bed);
}

TEST_MAIN(a_span_writes_a_value_apart_once, a_span_with_a_value_apart_that_is_refused_writes_none,
          a_span_over_too_many_versions_names_them_and_the_way_out)
