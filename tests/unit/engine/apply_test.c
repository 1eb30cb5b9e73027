/* apply_test.c -- the commit port: records decided elsewhere, applied at their own commit times. */
#include <string.h>

#include "base/buffer.h"
#include "journal/commit_codec.h"
#include "unit/engine/bed.h"

#define RECORDS_MAX 64

/* What a database committed, as records; each a whole payload. */
struct records {
    struct buffer payloads[RECORDS_MAX];
    int64_t commits[RECORDS_MAX];
    size_t count;
};

static void records_release(struct records *records)
{
    for (size_t i = 0; i < records->count; i++) {
        buffer_release(&records->payloads[i]);
    }
}

static void add_record(struct records *records, const struct yore_feed_commit *commit)
{
    unsigned char header[COMMIT_HEADER_BYTES];
    CHECK(records->count < RECORDS_MAX && !commit->has_more);
    struct buffer *payload = &records->payloads[records->count];
    commit_header_encode(header, commit->commit, (uint32_t)commit->write_count);
    buffer_append(payload, header, sizeof header);
    for (size_t i = 0; i < commit->write_count; i++) {
        const struct yore_feed_write *from = &commit->writes[i];
        struct commit_write write = {.keyspace = from->keyspace_id,
                                     .kind = from->kind,
                                     .is_from_commit = from->valid_from == commit->commit,
                                     .valid_from = from->valid_from,
                                     .valid_to = from->valid_to,
                                     .key = from->key,
                                     .value = from->value};
        commit_write_encode(payload, &write);
    }
    CHECK(!payload->is_nomem);
    records->commits[records->count++] = commit->commit;
}

/* Whatever came after the last record, or after `begin`.  Asked before anything is erased, so that
 * the records still have the values. */
static void take(struct records *records, struct yore_db *db, int64_t begin)
{
    struct yore_feed *feed = NULL;
    struct yore_feed_commit commit;
    int64_t after = records->count > 0 ? records->commits[records->count - 1] : begin;
    enum yore_status st;
    CHECK_OK(yore_feed_open(db, after, &feed, NULL));
    while ((st = yore_feed_next(feed, &commit, NULL)) == YORE_OK) {
        add_record(records, &commit);
    }
    CHECK_STATUS(st, YORE_NOT_FOUND);
    yore_feed_close(feed);
}

/* Dated facts, ends, deletes, spans, a commit of many writes, a value that its database keeps
 * apart, a keyspace, erasures. */
static void decide(struct bed *bed, struct records *records)
{
    static char large[900];
    int64_t begin = yore_now(bed->db);
    struct yore_txn *txn = NULL;
    struct yore_keyspace *other = NULL;
    memset(large, 'l', sizeof large - 1);
    put(bed->db, "a", "1");
    put_at(bed->db, "a", "late", AT(10), YORE_FOREVER);
    put_at(bed->db, "b", "ends", AT(20), AT(40));
    put(bed->db, "large", large);
    put_span(bed->db, "a", "span", AT(15), AT(25));
    CHECK_OK(yore_begin(bed->db, &txn, NULL));
    CHECK_OK(yore_txn_put(txn, NULL, text("c"), text("both"), NULL, NULL));
    CHECK_OK(yore_txn_put(txn, NULL, text("d"), text("both"), NULL, NULL));
    CHECK_OK(yore_txn_commit(txn, YORE_DURABILITY_SYNC, NULL, NULL));
    delete_at(bed->db, "c", YORE_NOW);
    CHECK_OK(yore_keyspace_create(bed->db, "other", NULL, &other, NULL));
    CHECK_OK(yore_put(bed->db, other, text("a"), text("elsewhere"), NULL, NULL));
    take(records, bed->db, begin);
    erase_key(bed->db, "a", AT(12), AT(18));
    erase_key(bed->db, "d", YORE_TIME_MIN, YORE_FOREVER);
    take(records, bed->db, begin);
    put(bed->db, "d", "again");
    take(records, bed->db, begin);
}

static void apply(struct yore_db *db, const struct records *records, size_t from, size_t to)
{
    struct yore_error error = {.text = ""};
    for (size_t i = from; i < to; i++) {
        enum yore_status st =
            db_apply(db, buffer_bytes(&records->payloads[i]), YORE_DURABILITY_SYNC, &error);
        CHECK_MSG(st == YORE_OK, "record %zu: %s", i, error.text);
    }
}

static void check_same_in(struct yore_db *left, struct yore_db *right, const char *key,
                          int64_t known)
{
    for (int second = 5; second < 50; second += 2) {
        CHECK_EQ_STR(get_at(left, key, AT(second), known), get_at(right, key, AT(second), known));
        test_count(1);
    }
    CHECK_EQ_STR(get_at(left, key, known, known), get_at(right, key, known, known));
}

/* Every key at every moment that matters, as known after each of the commits. */
static void check_same(struct yore_db *left, struct yore_db *right, const struct records *records)
{
    static const char *const keys[] = {"a", "b", "c", "d", "large", "none"};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        for (size_t j = 0; j < records->count; j++) {
            check_same_in(left, right, keys[i], records->commits[j]);
        }
        CHECK_EQ_STR(get(left, keys[i]), get(right, keys[i]));
    }
}

static void check_other(struct yore_db *db)
{
    struct yore_keyspace *other = NULL;
    struct yore_value value;
    CHECK_OK(yore_keyspace_open(db, "other", NULL, &other, NULL));
    CHECK_OK(yore_get(db, other, text("a"), NULL, &value, NULL));
    CHECK(value.size == 9 && memcmp(value.data, "elsewhere", 9) == 0);
    yore_value_release(&value);
}

TEST(the_same_records_give_the_same_answers_wherever_they_are_applied)
{
    for (int age = 0; age < BED_AGES; age++) {
        struct bed source;
        struct bed left;
        struct bed right;
        struct records records = {.count = 0};
        bed_open(&source);
        bed_open(&left);
        bed_open(&right);
        decide(&source, &records);
        sim_disk_set_wall(right.disk, BED_T0 + 5000 * BED_SECOND); /* another clock */
        CHECK(records.count > 8);
        apply(left.db, &records, 0, records.count);
        apply(right.db, &records, 0, records.count / 2);
        bed_age(&right, age); /* and another state of the files */
        apply(right.db, &records, records.count / 2, records.count);
        check_same(left.db, right.db, &records);
        check_same(left.db, source.db, &records);
        check_other(left.db);
        bed_age(&left, 3 - age);
        bed_reopen(&right);
        check_same(left.db, right.db, &records);
        check_other(right.db);
        records_release(&records);
        bed_close(&source);
        bed_close(&left);
        bed_close(&right);
    }
}

TEST(what_cannot_be_applied_is_refused_and_changes_nothing)
{
    struct bed source;
    struct bed bed;
    struct records records = {.count = 0};
    struct yore_error error;
    unsigned char header[COMMIT_HEADER_BYTES];
    unsigned char tail[COMMIT_LOAD_BYTES];
    struct buffer load = {0};
    struct commit_load told = {.keyspace = 1, .count = 3};
    bed_open(&source);
    bed_open(&bed);
    decide(&source, &records);
    apply(bed.db, &records, 0, records.count);
    struct yore_bytes last = buffer_bytes(&records.payloads[records.count - 1]);
    CHECK_STATUS(db_apply(bed.db, last, YORE_DURABILITY_SYNC, &error), YORE_INVALID);
    CHECK(strstr(error.text, "not after the last one") != NULL);
    last.size--;
    CHECK_STATUS(db_apply(bed.db, last, YORE_DURABILITY_SYNC, &error), YORE_CORRUPT);
    commit_load_encode(header, tail, records.commits[records.count - 1] + 1, &told);
    buffer_append(&load, header, sizeof header);
    buffer_append(&load, tail, sizeof tail);
    CHECK_STATUS(db_apply(bed.db, buffer_bytes(&load), YORE_DURABILITY_SYNC, &error),
                 YORE_UNSUPPORTED);
    check_same(bed.db, source.db, &records);
    CHECK(put(bed.db, "a", "on it goes") > records.commits[records.count - 1]);
    buffer_release(&load);
    records_release(&records);
    bed_close(&source);
    bed_close(&bed);
}

TEST_MAIN(the_same_records_give_the_same_answers_wherever_they_are_applied,
          what_cannot_be_applied_is_refused_and_changes_nothing)
