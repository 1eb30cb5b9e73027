#include <string.h>

#include "journal/record_log.h"
#include "os/sim_disk.h"
#include "support/test.h"

#define PATH "log"

static struct sim_disk *disk;
static struct os_env *env;

static const struct record_log_identity identity = {
    .database = 0x1234567890abcdef, .epoch = 7, .kind = RECORD_LOG_MANIFEST};

static void setup(void)
{
    disk = sim_disk_new(1);
    env = sim_disk_env(disk);
}

static struct record_log_writer *create(uint64_t preallocate)
{
    struct record_log_writer *w;
    const struct record_log_options options = {
        .identity = identity, .grow_bytes_max = preallocate, .first_sequence = 100};
    CHECK_OK(record_log_create(env, PATH, &options, &w, NULL));
    return w;
}

/* One record of type 1 whose payload is `size` octets of `fill`. */
static void append(struct record_log_writer *w, size_t size, int fill)
{
    static unsigned char payload[3u << 20];
    memset(payload, fill, size);
    struct record r = {.type = 1, .payload = bytes_of(payload, size)};
    CHECK_OK(record_log_append(w, &r, 1, NULL));
}

static void close_log(struct record_log_writer *w, bool trim)
{
    CHECK_OK(record_log_close(w, trim, NULL));
}

struct outcome {
    enum yore_status st;
    uint64_t records;
    enum record_log_end end;
    uint64_t end_bytes;
    uint64_t last_sequence;
    struct yore_error error;
};

static struct outcome read_all(void)
{
    struct outcome o = {0};
    struct record_log_reader *reader;
    struct record record;
    o.st = record_log_open(env, PATH, identity, &reader, &o.error);
    if (o.st != YORE_OK) {
        return o;
    }
    while ((o.st = record_log_next(reader, &record, &o.error)) == YORE_OK) {
        o.records++;
    }
    if (o.st == YORE_NOT_FOUND) {
        o.end = record_log_end(reader, &o.end_bytes, &o.last_sequence);
    }
    record_log_reader_close(reader);
    return o;
}

static uint64_t file_size(void)
{
    uint64_t size;
    bool is_dir;
    CHECK_OK(os_path_stat(env, PATH, &size, &is_dir, NULL));
    return size;
}

TEST(records_come_back_in_order_with_their_numbers)
{
    setup();
    struct record_log_writer *w = create(0);
    struct record rs[3] = {{.type = 1, .payload = bytes_of("one", 3)},
                           {.type = 2, .payload = bytes_of("", 0)},
                           {.type = 9, .payload = bytes_of("three octets more", 17)}};
    CHECK_OK(record_log_append(w, rs, 3, NULL));
    CHECK_EQ_UINT(record_log_next_sequence(w), 103);
    CHECK_EQ_UINT(rs[2].sequence, 102);
    close_log(w, true);
    struct record_log_reader *reader;
    CHECK_OK(record_log_open(env, PATH, identity, &reader, NULL));
    for (int i = 0; i < 3; i++) {
        struct record r;
        CHECK_OK(record_log_next(reader, &r, NULL));
        CHECK_EQ_UINT(r.type, rs[i].type);
        CHECK_EQ_UINT(r.sequence, rs[i].sequence);
        CHECK_EQ_UINT(r.offset, rs[i].offset);
        CHECK(bytes_equal(r.payload, rs[i].payload));
    }
    record_log_reader_close(reader);
    sim_disk_free(disk);
}

TEST(a_group_is_one_write)
{
    setup();
    struct record_log_writer *w = create(1 << 20);
    struct record rs[64];
    for (int i = 0; i < 64; i++) {
        rs[i] = (struct record){.type = 1, .payload = bytes_of("payload", 7)};
    }
    uint64_t before = sim_disk_op_count(disk);
    CHECK_OK(record_log_append(w, rs, 64, NULL));
    CHECK_EQ_UINT(sim_disk_op_count(disk), before + 1);
    close_log(w, false);
    sim_disk_free(disk);
}

TEST(the_file_grows_seldom_and_by_more_each_time)
{
    setup();
    struct record_log_writer *w = create(17u << 19);
    uint64_t records = 0;
    unsigned times = 0;
    CHECK(file_size() <= 64u << 10); /* a short log takes little */
    for (uint64_t size = file_size(); record_log_bytes(w) + 4096 < 17u << 19; records++) {
        append(w, 1000, 'a');
        times += file_size() != size;
        size = file_size();
    }
    CHECK(times <= 12);
    CHECK_EQ_UINT(file_size(), 17u << 19);
    close_log(w, true);
    CHECK(file_size() < 17u << 19);
    CHECK_EQ_UINT(read_all().records, records);
    sim_disk_free(disk);
}

TEST(a_file_that_cannot_grow_ahead_takes_what_there_is_room_for)
{
    setup();
    sim_disk_set_capacity(disk, sim_disk_used(disk) + 100000);
    struct record_log_writer *w = create(1u << 20);
    uint64_t records = 0;
    for (; record_log_bytes(w) < 60000; records++) {
        append(w, 1000, 'a');
    }
    CHECK(file_size() <= 100000);
    close_log(w, false);
    CHECK_EQ_UINT(read_all().records, records);
    sim_disk_free(disk);
}

TEST(large_payloads_come_back)
{
    setup();
    struct record_log_writer *w = create(1 << 20);
    const size_t sizes[] = {1, 1 << 20, (1 << 20) + 1, 3 << 20, (2 << 20) + 5, 8};
    for (int i = 0; i < 6; i++) {
        append(w, sizes[i], 'a' + i);
    }
    CHECK_OK(record_log_mark(w, NULL));
    close_log(w, true);
    struct record_log_reader *reader;
    struct record r;
    CHECK_OK(record_log_open(env, PATH, identity, &reader, NULL));
    for (int i = 0; i < 6; i++) {
        CHECK_OK(record_log_next(reader, &r, NULL));
        CHECK_EQ_UINT(r.payload.size, sizes[i]);
        const unsigned char *data = r.payload.data;
        CHECK_EQ_UINT(data[0], 'a' + i);
        CHECK_EQ_UINT(data[sizes[i] - 1], 'a' + i);
    }
    CHECK_STATUS(record_log_next(reader, &r, NULL), YORE_NOT_FOUND);
    record_log_reader_close(reader);
    sim_disk_free(disk);
}

TEST(a_marked_end_is_clean)
{
    setup();
    struct record_log_writer *w = create(1 << 16);
    append(w, 50, 'x');
    CHECK_OK(record_log_mark(w, NULL));
    uint64_t end = record_log_bytes(w);
    close_log(w, false);
    struct outcome o = read_all();
    CHECK_STATUS(o.st, YORE_NOT_FOUND);
    CHECK_EQ_INT(o.end, RECORD_LOG_END_CLEAN);
    CHECK_EQ_UINT(o.end_bytes, end);
    CHECK_EQ_UINT(o.last_sequence, 101);
    CHECK_EQ_UINT(o.records, 1);
    sim_disk_free(disk);
}

TEST(an_end_without_a_mark_may_be_torn)
{
    setup();
    struct record_log_writer *w = create(1 << 16);
    append(w, 50, 'x');
    CHECK_OK(record_log_sync(w, NULL));
    close_log(w, false);
    struct outcome o = read_all();
    CHECK_STATUS(o.st, YORE_NOT_FOUND);
    CHECK_EQ_INT(o.end, RECORD_LOG_END_TORN);
    CHECK_EQ_UINT(o.records, 1);
    sim_disk_free(disk);
}

TEST(an_empty_log_can_be_read)
{
    setup();
    close_log(create(0), true);
    struct outcome o = read_all();
    CHECK_STATUS(o.st, YORE_NOT_FOUND);
    CHECK_EQ_UINT(o.records, 0);
    CHECK_EQ_UINT(o.last_sequence, 99);
    sim_disk_free(disk);
}

TEST(damage_before_a_durable_record_is_corrupt_and_named)
{
    setup();
    struct record_log_writer *w = create(0);
    append(w, 40, 'x');
    append(w, 40, 'y');
    CHECK_OK(record_log_sync(w, NULL));
    append(w, 40, 'z'); /* says that the first two are durable */
    close_log(w, true);
    CHECK(sim_disk_flip_bit(disk, PATH, 64 + 24 + 3, 0));
    struct outcome o = read_all();
    CHECK_STATUS(o.st, YORE_CORRUPT);
    CHECK(strstr(o.error.text, PATH) != NULL);
    CHECK(strstr(o.error.text, "offset 64") != NULL);
    sim_disk_free(disk);
}

TEST(a_damaged_length_is_not_taken_for_a_torn_tail)
{
    setup();
    struct record_log_writer *w = create(0);
    append(w, 40, 'x');
    CHECK_OK(record_log_mark(w, NULL));
    close_log(w, true);
    for (unsigned bit = 0; bit < 8; bit++) {
        CHECK(sim_disk_flip_bit(disk, PATH, 64 + 10, bit)); /* of the size */
        CHECK_STATUS(read_all().st, YORE_CORRUPT);
        CHECK(sim_disk_flip_bit(disk, PATH, 64 + 10, bit));
    }
    CHECK_STATUS(read_all().st, YORE_NOT_FOUND);
    sim_disk_free(disk);
}

TEST(damage_that_no_later_record_calls_durable_is_a_torn_tail)
{
    setup();
    struct record_log_writer *w = create(0);
    append(w, 40, 'x');
    append(w, 40, 'y');
    append(w, 40, 'z'); /* valid, but nothing was synced */
    close_log(w, true);
    CHECK(sim_disk_flip_bit(disk, PATH, 64 + 64 + 30, 0));
    struct outcome o = read_all();
    CHECK_STATUS(o.st, YORE_NOT_FOUND);
    CHECK_EQ_INT(o.end, RECORD_LOG_END_TORN);
    CHECK_EQ_UINT(o.records, 1);
    CHECK_EQ_UINT(o.end_bytes, 64 + 64);
    sim_disk_free(disk);
}

/* The search behind damage reads the file in windows of 1 MiB: put the only proof around an edge.
 */
TEST(proof_of_durability_is_found_wherever_it_lies)
{
    for (size_t before = 0; before <= 48; before += 8) {
        setup();
        struct record_log_writer *w = create(0);
        append(w, (1u << 20) - 24 - before, 'x');
        CHECK_OK(record_log_sync(w, NULL));
        append(w, 8, 'y');
        close_log(w, true);
        CHECK(sim_disk_flip_bit(disk, PATH, 64 + 24, 0));
        CHECK_STATUS(read_all().st, YORE_CORRUPT);
        sim_disk_free(disk);
    }
}

TEST(a_record_over_the_limit_is_refused_and_changes_nothing)
{
    setup();
    struct record_log_writer *w = create(0);
    struct record rs[2] = {{.type = 1, .payload = bytes_of("x", 1)},
                           {.type = 1, .payload = bytes_of("x", RECORD_BYTES_MAX + 1ul)}};
    CHECK_STATUS(record_log_append(w, rs, 2, NULL), YORE_TOO_BIG);
    CHECK_EQ_UINT(record_log_bytes(w), 64);
    append(w, 5, 'x');
    close_log(w, true);
    CHECK_EQ_UINT(read_all().records, 1);
    sim_disk_free(disk);
}

/* A log written twice over at the same place cannot come from a crash. */
TEST(a_record_with_the_wrong_number_is_corrupt)
{
    setup();
    struct record_log_writer *w = create(0);
    append(w, 8, 'x');
    append(w, 8, 'y');
    close_log(w, true);
    CHECK(sim_disk_copy_file(disk, PATH, "two"));
    CHECK_OK(os_path_unlink(env, PATH, NULL));
    w = create(0);
    append(w, 40, 'z'); /* as long as the two */
    append(w, 8, 'v');
    close_log(w, true);
    struct os_file *from;
    struct os_file *to;
    unsigned char bytes[64];
    size_t read;
    CHECK_OK(os_file_open(env, PATH, OS_OPEN_READ, &from, NULL));
    CHECK_OK(os_file_open(env, "two", OS_OPEN_WRITE, &to, NULL));
    CHECK_OK(os_file_read(from, 128, bytes, 32, &read, NULL));
    CHECK_EQ_UINT(read, 32);
    CHECK_OK(os_file_write(to, 128, bytes, 32, NULL));
    os_file_close(from);
    os_file_close(to);
    CHECK_OK(os_path_rename(env, "two", PATH, NULL));
    struct outcome o = read_all();
    CHECK_STATUS(o.st, YORE_CORRUPT);
    CHECK(strstr(o.error.text, "index 1 instead of 2") != NULL);
    sim_disk_free(disk);
}

/* Write a log of a few records of odd sizes, in groups, with syncs, and close it as one should. */
static uint64_t write_closed(void)
{
    struct record_log_writer *w = create(4096);
    for (int i = 0; i < 12; i++) {
        append(w, (size_t)(i * 7 % 60), 'a' + i);
        if (i % 3 == 0) {
            CHECK_OK(record_log_sync(w, NULL));
        }
    }
    CHECK_OK(record_log_mark(w, NULL));
    close_log(w, true);
    return 12;
}

TEST(every_flipped_bit_of_a_closed_log_is_reported_or_harmless)
{
    setup();
    uint64_t records = write_closed();
    uint64_t size = file_size();
    uint64_t reported = 0;
    for (uint64_t at = 0; at < size; at++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            CHECK(sim_disk_flip_bit(disk, PATH, at, bit));
            struct outcome o = read_all();
            bool is_told =
                o.st == YORE_CORRUPT || o.st == YORE_BAD_FORMAT || o.end == RECORD_LOG_END_TORN;
            CHECK_MSG(is_told || o.records == records, "octet %llu bit %u", (unsigned long long)at,
                      bit);
            CHECK_MSG(o.end != RECORD_LOG_END_TORN || o.records == records,
                      "a record was lost as if torn: octet %llu", (unsigned long long)at);
            reported += is_told;
            CHECK(sim_disk_flip_bit(disk, PATH, at, bit));
        }
    }
    CHECK(reported > 0);
    test_count(size * 8);
    sim_disk_free(disk);
}

TEST(every_truncation_is_told)
{
    setup();
    uint64_t records = write_closed();
    CHECK(sim_disk_copy_file(disk, PATH, "whole"));
    uint64_t size = file_size();
    for (uint64_t at = 0; at < size; at++) {
        CHECK(sim_disk_copy_file(disk, "whole", PATH));
        CHECK(sim_disk_truncate_file(disk, PATH, at));
        struct outcome o = read_all();
        CHECK(o.st == YORE_CORRUPT || o.end == RECORD_LOG_END_TORN);
        CHECK(o.records <= records);
    }
    test_count(size);
    sim_disk_free(disk);
}

TEST(a_recycled_file_shows_nothing_of_what_it_held)
{
    setup();
    struct record_log_writer *w = create(8192);
    for (int i = 0; i < 100; i++) {
        append(w, 24, 'o');
    }
    CHECK_OK(record_log_mark(w, NULL));
    close_log(w, false);
    struct record_log_options options = {
        .identity = identity, .grow_bytes_max = 8192, .first_sequence = 100, .recycle = true};
    options.identity.epoch++;
    CHECK_OK(record_log_create(env, PATH, &options, &w, NULL));
    /* Records of the same size at the same places: what follows the new ones is whole but of
     * another epoch. */
    for (int i = 0; i < 10; i++) {
        append(w, 24, 'n');
    }
    CHECK_OK(record_log_mark(w, NULL));
    close_log(w, false);
    struct record_log_reader *reader;
    CHECK_OK(record_log_open(env, PATH, options.identity, &reader, NULL));
    struct record r;
    uint64_t end;
    uint64_t last;
    for (int i = 0; i < 10; i++) {
        CHECK_OK(record_log_next(reader, &r, NULL));
        CHECK(((const char *)r.payload.data)[0] == 'n');
    }
    CHECK_STATUS(record_log_next(reader, &r, NULL), YORE_NOT_FOUND);
    CHECK_EQ_INT(record_log_end(reader, &end, &last), RECORD_LOG_END_CLEAN);
    record_log_reader_close(reader);
    sim_disk_free(disk);
}

TEST(a_log_of_another_database_kind_or_epoch_is_refused)
{
    setup();
    write_closed();
    struct record_log_reader *reader;
    struct yore_error error;
    struct record_log_identity other = identity;
    other.database++;
    CHECK_STATUS(record_log_open(env, PATH, other, &reader, &error), YORE_CORRUPT);
    CHECK(strstr(error.text, "belongs to database") != NULL);
    other = identity;
    other.epoch++;
    CHECK_STATUS(record_log_open(env, PATH, other, &reader, &error), YORE_CORRUPT);
    other = identity;
    other.kind = RECORD_LOG_JOURNAL;
    CHECK_STATUS(record_log_open(env, PATH, other, &reader, &error), YORE_CORRUPT);
    other = identity;
    other.epoch = 0;
    CHECK_OK(record_log_open(env, PATH, other, &reader, &error));
    record_log_reader_close(reader);
    CHECK_STATUS(record_log_open(env, "none", identity, &reader, &error), YORE_NOT_FOUND);
    sim_disk_free(disk);
}

TEST(after_a_failed_write_every_call_repeats_the_error)
{
    setup();
    struct record_log_writer *w = create(0);
    struct record r = {.type = 1, .payload = bytes_of("x", 1)};
    struct yore_error first;
    struct yore_error again;
    sim_disk_fail(disk, SIM_FAULT_WRITE, 1, false);
    CHECK_STATUS(record_log_append(w, &r, 1, &first), YORE_IO);
    CHECK_STATUS(record_log_append(w, &r, 1, &again), YORE_IO);
    CHECK_EQ_STR(again.text, first.text);
    CHECK_STATUS(record_log_sync(w, &again), YORE_IO);
    CHECK_EQ_STR(again.text, first.text);
    CHECK_STATUS(record_log_close(w, true, &again), YORE_IO);
    sim_disk_free(disk);
}

TEST(a_failed_sync_is_never_retried)
{
    setup();
    struct record_log_writer *w = create(0);
    append(w, 10, 'x');
    sim_disk_fail(disk, SIM_FAULT_SYNC, 1, false);
    CHECK_STATUS(record_log_sync(w, NULL), YORE_IO);
    uint64_t syncs = sim_disk_fault_count(disk, SIM_FAULT_SYNC);
    CHECK_STATUS(record_log_sync(w, NULL), YORE_IO);
    CHECK_EQ_UINT(sim_disk_fault_count(disk, SIM_FAULT_SYNC), syncs);
    CHECK_STATUS(record_log_close(w, false, NULL), YORE_IO);
    sim_disk_free(disk);
}

/* Append with a sync now and then, lose power after operation `op`; what was synced must be there,
 * and what is there must be a prefix.  Returns false when the script ended before. */
static bool crash_once(uint64_t op, enum sim_crash_mode mode, uint64_t seed)
{
    disk = sim_disk_new(seed);
    env = sim_disk_env(disk);
    struct record_log_options options = {.identity = identity, .grow_bytes_max = 2048};
    struct record_log_writer *w;
    uint64_t synced = 0;
    CHECK_OK(record_log_create(env, PATH, &options, &w, NULL));
    CHECK_OK(os_dir_sync(env, ".", NULL));
    sim_disk_reset_count(disk);
    sim_disk_crash_at(disk, op);
    for (uint32_t i = 0; i < 12; i++) {
        unsigned char payload[700];
        memset(payload, (int)i, sizeof(payload));
        struct record r = {.type = 1, .payload = bytes_of(payload, (i * 131) % 700 + 1)};
        if (record_log_append(w, &r, 1, NULL) == YORE_OK && i % 4 == 3 &&
            record_log_sync(w, NULL) == YORE_OK) {
            synced = i + 1;
        }
    }
    bool has_crashed = sim_disk_has_crashed(disk);
    (void)record_log_close(w, false, NULL);
    sim_disk_crash(disk, mode, seed);
    struct record_log_reader *reader;
    struct record r;
    uint64_t records = 0;
    CHECK_OK(record_log_open(env, PATH, identity, &reader, NULL));
    while (record_log_next(reader, &r, NULL) == YORE_OK) {
        CHECK_EQ_UINT(r.payload.size, (records * 131) % 700 + 1);
        CHECK_EQ_UINT(((const unsigned char *)r.payload.data)[0], records);
        records++;
    }
    uint64_t end;
    uint64_t last;
    (void)record_log_end(reader, &end, &last);
    CHECK_MSG(records >= synced, "op %llu mode %d seed %llu", (unsigned long long)op, (int)mode,
              (unsigned long long)seed);
    record_log_reader_close(reader);
    sim_disk_free(disk);
    test_count(1);
    return has_crashed;
}

TEST(a_crash_leaves_a_prefix_with_all_that_was_synced)
{
    bool goes_on = true;
    for (uint64_t op = 1; goes_on; op++) {
        goes_on = crash_once(op, SIM_CRASH_KEEP_ALL, op);
        (void)crash_once(op, SIM_CRASH_DROP_ALL, op);
        for (uint64_t seed = 1; seed <= test_scale(50, 5000); seed++) {
            (void)crash_once(op, SIM_CRASH_RANDOM, seed);
        }
    }
}

TEST_MAIN(records_come_back_in_order_with_their_numbers, a_group_is_one_write,
          the_file_grows_seldom_and_by_more_each_time,
          a_file_that_cannot_grow_ahead_takes_what_there_is_room_for, large_payloads_come_back,
          a_marked_end_is_clean, an_end_without_a_mark_may_be_torn, an_empty_log_can_be_read,
          damage_before_a_durable_record_is_corrupt_and_named,
          a_damaged_length_is_not_taken_for_a_torn_tail,
          damage_that_no_later_record_calls_durable_is_a_torn_tail,
          proof_of_durability_is_found_wherever_it_lies,
          a_record_over_the_limit_is_refused_and_changes_nothing,
          a_record_with_the_wrong_number_is_corrupt,
          every_flipped_bit_of_a_closed_log_is_reported_or_harmless, every_truncation_is_told,
          a_recycled_file_shows_nothing_of_what_it_held,
          a_log_of_another_database_kind_or_epoch_is_refused,
          after_a_failed_write_every_call_repeats_the_error, a_failed_sync_is_never_retried,
          a_crash_leaves_a_prefix_with_all_that_was_synced)
