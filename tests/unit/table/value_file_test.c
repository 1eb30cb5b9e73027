#include <stdio.h>
#include <string.h>

#include "base/coding.h"
#include "base/crc32c.h"
#include "os/sim_disk.h"
#include "support/test.h"
#include "table/value_file.h"

#define PATH "values"
#define THIN "values.thin"
#define COUNT_MAX 32

static const struct file_identity identity = {.database = 77, .file = 12};

/* Records 0.. have key "key<i>" and a value that follows from i. */
struct fixture {
    struct sim_disk *disk;
    struct os_env *env;
    struct value_writer *writer;
    struct value_ref refs[COUNT_MAX];
    size_t sizes[COUNT_MAX];
    unsigned count;
};

static void setup(struct fixture *f)
{
    memset(f, 0, sizeof(*f));
    f->disk = sim_disk_new(1);
    f->env = sim_disk_env(f->disk);
    CHECK_OK(value_writer_open(f->env, PATH, identity, &f->writer, NULL));
}

static struct yore_bytes key_of(unsigned i, char text[16])
{
    int size = snprintf(text, 16, "key%u", i);
    return bytes_of(text, (size_t)size);
}

static struct yore_bytes value_of(unsigned i, size_t size)
{
    static unsigned char bytes[2u << 20];
    CHECK(size <= sizeof(bytes));
    for (size_t at = 0; at < size; at++) {
        bytes[at] = (unsigned char)(at * 7 + at / 251 + i);
    }
    return bytes_of(bytes, size);
}

static enum yore_status append(struct fixture *f, size_t size)
{
    char text[16];
    unsigned i = f->count;
    enum yore_status st = value_writer_append(f->writer, i % 3, key_of(i, text), value_of(i, size),
                                              &f->refs[i], NULL);
    f->sizes[i] = size;
    f->count += st == YORE_OK;
    return st;
}

static void close_writer(struct fixture *f)
{
    value_writer_close(f->writer);
    f->writer = NULL;
}

static struct value_reader *open_reader(struct fixture *f, const char *path)
{
    struct value_reader *reader;
    CHECK_OK(value_reader_open(f->env, path, identity, &reader, NULL));
    return reader;
}

static enum yore_status get(struct value_reader *reader, struct fixture *f, unsigned i)
{
    char text[16];
    struct buffer value = {0};
    struct yore_error error;
    enum yore_status st = value_reader_get(reader, &f->refs[i], key_of(i, text), &value, &error);
    if (st == YORE_OK) {
        CHECK(bytes_equal(buffer_bytes(&value), value_of(i, f->sizes[i])));
    } else {
        CHECK_EQ_UINT(value.size, 0);
        CHECK(st != YORE_CORRUPT || strstr(error.text, "offset") != NULL);
    }
    buffer_release(&value);
    return st;
}

struct walked {
    struct fixture *f;
    unsigned seen; /* a bit for each record */
    unsigned stop_after;
};

static int note(void *arg, const struct value_record *record)
{
    struct walked *walked = arg;
    for (unsigned i = 0; i < walked->f->count; i++) {
        char text[16];
        if (walked->f->refs[i].offset == record->ref.offset) {
            CHECK(bytes_equal(record->key, key_of(i, text)));
            CHECK_EQ_UINT(record->keyspace, i % 3);
            CHECK_EQ_UINT(record->ref.value_size, walked->f->sizes[i]);
            CHECK_EQ_UINT(record->ref.file, identity.file);
            walked->seen |= 1u << i;
            return walked->stop_after == i + 1;
        }
    }
    FAIL("no record was written at %llu", (unsigned long long)record->ref.offset);
    return 1;
}

static enum yore_status walk(struct fixture *f, const char *path, unsigned *seen_out,
                             uint64_t *end_out)
{
    struct walked walked = {.f = f};
    struct value_reader *reader;
    *seen_out = 0;
    *end_out = 0;
    enum yore_status st = value_reader_open(f->env, path, identity, &reader, NULL);
    if (st == YORE_OK) {
        st = value_reader_walk(reader, note, &walked, end_out, NULL);
        value_reader_close(reader);
    }
    *seen_out = walked.seen;
    return st;
}

static uint64_t size_of(struct fixture *f, const char *path)
{
    uint64_t size;
    bool is_dir;
    CHECK_OK(os_path_stat(f->env, path, &size, &is_dir, NULL));
    return size;
}

TEST(a_value_comes_back_by_its_reference)
{
    struct fixture f;
    setup(&f);
    const size_t sizes[] = {0, 1, 7, 8, 4096, 256 << 10, (256 << 10) + 1, 2 << 20, 5};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        CHECK_OK(append(&f, sizes[i]));
    }
    CHECK_OK(value_writer_sync(f.writer, NULL));
    CHECK_EQ_UINT(value_writer_bytes(f.writer), size_of(&f, PATH));
    close_writer(&f);
    struct value_reader *reader = open_reader(&f, PATH);
    for (unsigned i = f.count; i > 0; i--) {
        CHECK_OK(get(reader, &f, i - 1));
    }
    value_reader_close(reader);
    sim_disk_free(f.disk);
}

TEST(values_are_appended_to_what_the_buffer_holds)
{
    struct fixture f;
    struct buffer b = {0};
    char text[16];
    setup(&f);
    CHECK_OK(append(&f, 10));
    CHECK_OK(append(&f, 300 << 10));
    struct value_reader *reader = open_reader(&f, PATH);
    buffer_append(&b, "front", 5);
    CHECK_OK(value_reader_get(reader, &f.refs[0], key_of(0, text), &b, NULL));
    CHECK_EQ_UINT(b.size, 15);
    CHECK_OK(value_reader_get(reader, &f.refs[1], key_of(1, text), &b, NULL));
    CHECK_EQ_UINT(b.size, 15 + (300 << 10));
    CHECK(memcmp(b.data, "front", 5) == 0);
    CHECK(memcmp(b.data + 5, value_of(0, 10).data, 10) == 0);
    CHECK(memcmp(b.data + 15, value_of(1, 300 << 10).data, 300 << 10) == 0);
    buffer_release(&b);
    value_reader_close(reader);
    close_writer(&f);
    sim_disk_free(f.disk);
}

TEST(a_reference_survives_its_encoding)
{
    const struct value_ref ref = {.file = 1ull << 40, .offset = 64, .value_size = 9, .key_size = 3};
    struct value_ref back;
    unsigned char bytes[VALUE_REF_BYTES];
    value_ref_encode(&ref, bytes);
    CHECK_OK(value_ref_decode(bytes_of(bytes, sizeof(bytes)), &back));
    CHECK(back.file == ref.file && back.offset == ref.offset);
    CHECK(back.value_size == ref.value_size && back.key_size == ref.key_size);
    CHECK_STATUS(value_ref_decode(bytes_of(bytes, 23), &back), YORE_CORRUPT);
    put_u64(bytes + 8, 63);
    CHECK_STATUS(value_ref_decode(bytes_of(bytes, sizeof(bytes)), &back), YORE_CORRUPT);
}

TEST(a_value_is_not_given_for_another_key_or_reference)
{
    struct fixture f;
    struct buffer b = {0};
    char text[16];
    setup(&f);
    CHECK_OK(append(&f, 100));
    CHECK_OK(append(&f, 100));
    struct value_reader *reader = open_reader(&f, PATH);
    CHECK_STATUS(value_reader_get(reader, &f.refs[0], key_of(1, text), &b, NULL), YORE_CORRUPT);
    struct value_ref ref = f.refs[0];
    ref.file++;
    CHECK_STATUS(value_reader_get(reader, &ref, key_of(0, text), &b, NULL), YORE_CORRUPT);
    ref = f.refs[0];
    ref.value_size--;
    CHECK_STATUS(value_reader_get(reader, &ref, key_of(0, text), &b, NULL), YORE_CORRUPT);
    ref = f.refs[0];
    ref.offset += 8;
    CHECK_STATUS(value_reader_get(reader, &ref, key_of(0, text), &b, NULL), YORE_CORRUPT);
    ref.offset = 1 << 20;
    CHECK_STATUS(value_reader_get(reader, &ref, key_of(0, text), &b, NULL), YORE_CORRUPT);
    CHECK_EQ_UINT(b.size, 0);
    buffer_release(&b);
    value_reader_close(reader);
    close_writer(&f);
    sim_disk_free(f.disk);
}

TEST(a_file_of_another_database_or_number_is_refused)
{
    struct fixture f;
    struct value_reader *reader;
    struct yore_error error;
    setup(&f);
    struct file_identity other = identity;
    other.database++;
    CHECK_STATUS(value_reader_open(f.env, PATH, other, &reader, &error), YORE_CORRUPT);
    CHECK(strstr(error.text, PATH) != NULL);
    other = identity;
    other.file++;
    CHECK_STATUS(value_reader_open(f.env, PATH, other, &reader, &error), YORE_CORRUPT);
    CHECK_STATUS(value_reader_open(f.env, "none", identity, &reader, &error), YORE_NOT_FOUND);
    close_writer(&f);
    sim_disk_free(f.disk);
}

TEST(a_later_format_is_told_from_damage)
{
    struct fixture f;
    struct value_reader *reader;
    struct os_file *file;
    struct yore_error error;
    unsigned char header[64];
    size_t got;
    setup(&f);
    close_writer(&f);
    CHECK_OK(os_file_open(f.env, PATH, OS_OPEN_WRITE, &file, NULL));
    CHECK_OK(os_file_read(file, 0, header, sizeof header, &got, NULL));
    put_u32(header + 8, get_u32(header + 8) + 1);
    put_u32(header + 60, crc32c(0, header, 60));
    CHECK_OK(os_file_write(file, 0, header, sizeof header, NULL));
    os_file_close(file);
    CHECK_STATUS(value_reader_open(f.env, PATH, identity, &reader, &error), YORE_BAD_FORMAT);
    CHECK(strstr(error.text, PATH) != NULL && strstr(error.text, "version 2") != NULL);
    sim_disk_free(f.disk);
}

TEST(a_walk_meets_every_record_and_stops_when_told)
{
    struct fixture f;
    uint64_t end;
    setup(&f);
    for (unsigned i = 0; i < 8; i++) {
        CHECK_OK(append(&f, i * 50000));
    }
    uint64_t bytes = value_writer_bytes(f.writer);
    struct value_reader *reader = open_reader(&f, PATH);
    struct walked walked = {.f = &f};
    CHECK_OK(value_reader_walk(reader, note, &walked, &end, NULL));
    CHECK_EQ_UINT(walked.seen, 0xff);
    CHECK_EQ_UINT(end, bytes);
    walked = (struct walked){.f = &f, .stop_after = 3};
    CHECK_OK(value_reader_walk(reader, note, &walked, &end, NULL));
    CHECK_EQ_UINT(walked.seen, 0x07);
    value_reader_close(reader);
    close_writer(&f);
    sim_disk_free(f.disk);
}

TEST(what_was_synced_is_there_after_a_crash_and_a_torn_tail_ends_the_walk)
{
    for (uint64_t seed = 1; seed <= test_scale(300, 20000); seed++) {
        struct fixture f;
        unsigned seen;
        uint64_t end;
        setup(&f);
        CHECK_OK(os_dir_sync(f.env, ".", NULL));
        unsigned synced = (unsigned)(seed % 5) + 1;
        for (unsigned i = 0; i < 8; i++) {
            CHECK_OK(append(&f, 300 + i * 400));
            if (f.count == synced) {
                CHECK_OK(value_writer_sync(f.writer, NULL));
            }
        }
        close_writer(&f);
        sim_disk_crash(f.disk, SIM_CRASH_RANDOM, seed);
        CHECK_OK(walk(&f, PATH, &seen, &end));
        CHECK_MSG((seen & ((1u << synced) - 1)) == (1u << synced) - 1, "seed %llu",
                  (unsigned long long)seed);
        CHECK((seen & (seen + 1)) == 0); /* a prefix */
        CHECK(end <= size_of(&f, PATH));
        sim_disk_free(f.disk);
    }
}

/* A small file, all of it named durable by what follows. */
static void write_covered(struct fixture *f)
{
    setup(f);
    for (unsigned i = 0; i < 5; i++) {
        CHECK_OK(append(f, 20 + i * 9));
    }
    CHECK_OK(value_writer_sync(f->writer, NULL));
    CHECK_OK(append(f, 3));
    CHECK_OK(value_writer_sync(f->writer, NULL));
    close_writer(f);
}

TEST(every_flipped_bit_is_reported_or_harmless)
{
    struct fixture f;
    write_covered(&f);
    uint64_t size = size_of(&f, PATH);
    for (uint64_t at = 0; at < size * 8; at++) {
        unsigned seen;
        uint64_t end;
        struct value_reader *reader;
        CHECK(sim_disk_flip_bit(f.disk, PATH, at / 8, (unsigned)(at % 8)));
        enum yore_status st = walk(&f, PATH, &seen, &end);
        /* The last record alone may look torn. */
        CHECK_MSG(st != YORE_OK || (seen & 0x1f) == 0x1f, "octet %llu",
                  (unsigned long long)(at / 8));
        bool is_told = st != YORE_OK || seen != 0x3f;
        st = value_reader_open(f.env, PATH, identity, &reader, NULL);
        for (unsigned i = 0; i < f.count && st == YORE_OK; i++) {
            st = get(reader, &f, i); /* right, or an error */
        }
        CHECK(is_told == (st != YORE_OK));
        value_reader_close(st == YORE_OK || at / 8 >= 64 ? reader : NULL);
        CHECK(sim_disk_flip_bit(f.disk, PATH, at / 8, (unsigned)(at % 8)));
    }
    test_count(size * 8);
    sim_disk_free(f.disk);
}

TEST(every_truncation_is_seen_by_a_get)
{
    struct fixture f;
    write_covered(&f);
    CHECK(sim_disk_copy_file(f.disk, PATH, "whole"));
    uint64_t size = size_of(&f, PATH);
    for (uint64_t at = 0; at < size; at++) {
        struct value_reader *reader;
        CHECK(sim_disk_copy_file(f.disk, "whole", PATH));
        CHECK(sim_disk_truncate_file(f.disk, PATH, at));
        enum yore_status st = value_reader_open(f.env, PATH, identity, &reader, NULL);
        CHECK_STATUS(st, at < 64 ? YORE_CORRUPT : YORE_OK);
        for (unsigned i = 0; i < f.count && reader != NULL; i++) {
            uint64_t end = f.refs[i].offset + 40 + f.refs[i].key_size + f.refs[i].value_size;
            CHECK_STATUS(get(reader, &f, i), end <= at ? YORE_OK : YORE_CORRUPT);
        }
        value_reader_close(reader);
    }
    test_count(size);
    sim_disk_free(f.disk);
}

static int keep_bits(void *arg, const struct value_record *record)
{
    struct walked *walked = arg;
    for (unsigned i = 0; i < walked->f->count; i++) {
        if (walked->f->refs[i].offset == record->ref.offset) {
            return (walked->seen >> i & 1) != 0;
        }
    }
    return 0;
}

/* Thin `from` to the records of `bits`. */
static void thin(struct fixture *f, const char *from, const char *to, unsigned bits)
{
    struct walked walked = {.f = f, .seen = bits};
    uint64_t kept;
    struct value_reader *reader = open_reader(f, from);
    CHECK_OK(value_file_thin(f->env, reader, to, keep_bits, &walked, &kept, NULL));
    uint64_t want = 0;
    for (unsigned i = 0; i < f->count; i++) {
        uint64_t data = f->refs[i].key_size + (uint64_t)f->refs[i].value_size;
        want += (bits >> i & 1) != 0 ? 40 + (data + 7) / 8 * 8 : 0;
    }
    CHECK_EQ_UINT(kept, want);
    value_reader_close(reader);
}

TEST(thinning_keeps_references_true)
{
    struct fixture f;
    write_covered(&f);
    for (unsigned bits = 0; bits < 0x40; bits++) {
        unsigned seen;
        uint64_t end;
        thin(&f, PATH, THIN, bits);
        CHECK_OK(walk(&f, THIN, &seen, &end));
        CHECK_EQ_UINT(seen, bits);
        CHECK_EQ_UINT(end, size_of(&f, THIN));
        struct value_reader *reader = open_reader(&f, THIN);
        for (unsigned i = 0; i < f.count; i++) {
            CHECK_STATUS(get(reader, &f, i), (bits >> i & 1) != 0 ? YORE_OK : YORE_CORRUPT);
        }
        value_reader_close(reader);
        /* Thin it again: what was a hole stays one. */
        thin(&f, THIN, "again", bits & 0x2a);
        CHECK_OK(walk(&f, "again", &seen, &end));
        CHECK_EQ_UINT(seen, bits & 0x2a);
        CHECK_OK(os_path_unlink(f.env, THIN, NULL));
        CHECK_OK(os_path_unlink(f.env, "again", NULL));
    }
    sim_disk_free(f.disk);
}

TEST(a_flipped_bit_of_a_thinned_file_never_hides_a_record)
{
    struct fixture f;
    write_covered(&f);
    thin(&f, PATH, THIN, 0x35);
    uint64_t size = size_of(&f, THIN);
    for (uint64_t at = 0; at < size * 8; at++) {
        unsigned seen;
        uint64_t end;
        CHECK(sim_disk_flip_bit(f.disk, THIN, at / 8, (unsigned)(at % 8)));
        enum yore_status st = walk(&f, THIN, &seen, &end);
        CHECK_MSG(st != YORE_OK || seen == 0x35, "octet %llu", (unsigned long long)(at / 8));
        CHECK(sim_disk_flip_bit(f.disk, THIN, at / 8, (unsigned)(at % 8)));
    }
    test_count(size * 8);
    sim_disk_free(f.disk);
}

TEST(a_thinned_file_takes_only_the_bytes_it_keeps)
{
    struct fixture f;
    setup(&f);
    for (unsigned i = 0; i < 8; i++) {
        CHECK_OK(append(&f, 1 << 20));
    }
    close_writer(&f);
    uint64_t before = sim_disk_used(f.disk);
    thin(&f, PATH, THIN, 1u << 0);
    CHECK(sim_disk_used(f.disk) - before < (1 << 20) + 4096);
    sim_disk_free(f.disk);
}

TEST(after_a_failed_write_or_sync_every_call_repeats_the_error)
{
    const enum sim_fault_kind kinds[] = {SIM_FAULT_WRITE, SIM_FAULT_SYNC};
    for (int i = 0; i < 2; i++) {
        struct fixture f;
        struct yore_error error;
        setup(&f);
        CHECK_OK(append(&f, 10));
        sim_disk_fail(f.disk, kinds[i], 1, false);
        if (kinds[i] == SIM_FAULT_WRITE) {
            CHECK_STATUS(append(&f, 10), YORE_IO);
        }
        CHECK_STATUS(value_writer_sync(f.writer, &error), YORE_IO);
        CHECK_STATUS(append(&f, 10), YORE_IO);
        uint64_t syncs = sim_disk_fault_count(f.disk, SIM_FAULT_SYNC);
        CHECK_STATUS(value_writer_sync(f.writer, &error), YORE_IO);
        CHECK_EQ_UINT(sim_disk_fault_count(f.disk, SIM_FAULT_SYNC), syncs);
        close_writer(&f);
        sim_disk_free(f.disk);
    }
}

/* The worked example of docs/format.md. */
TEST(the_bytes_are_those_of_the_format_page)
{
    static const unsigned char want[] = {
        0x59, 0x4f, 0x52, 0x45, 0x76, 0x61, 0x6c, 0x0a, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
        0x00, 0xef, 0xcd, 0xab, 0x89, 0x67, 0x45, 0x23, 0x01, 0x07, 0x00, 0x00, 0x00, 0x00, 0x00,
        0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
        0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
        0x4a, 0xa8, 0xe6, 0x35, 0x0c, 0x23, 0x20, 0x1f, 0xbf, 0x72, 0x9a, 0x72, 0x01, 0x00, 0x00,
        0x00, 0x01, 0x00, 0x00, 0x00, 0x0d, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x04, 0x00,
        0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x63,
        0x61, 0x72, 0x74, 0x61, 0x20, 0x6c, 0x61, 0x72, 0x67, 0x65, 0x20, 0x76, 0x61, 0x6c, 0x75,
        0x65, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    };
    const struct file_identity example = {.database = 0x0123456789abcdef, .file = 7};
    struct sim_disk *disk = sim_disk_new(1);
    struct value_writer *writer;
    struct value_ref ref;
    struct os_file *file;
    unsigned char got[sizeof(want) + 1];
    size_t size;
    CHECK_OK(value_writer_open(sim_disk_env(disk), PATH, example, &writer, NULL));
    CHECK_OK(value_writer_append(writer, 1, bytes_of("cart", 4), bytes_of("a large value", 13),
                                 &ref, NULL));
    value_writer_close(writer);
    CHECK_OK(os_file_open(sim_disk_env(disk), PATH, OS_OPEN_READ, &file, NULL));
    CHECK_OK(os_file_read(file, 0, got, sizeof(got), &size, NULL));
    CHECK_EQ_BYTES(got, size, want, sizeof(want));
    os_file_close(file);
    sim_disk_free(disk);
}

TEST_MAIN(a_value_comes_back_by_its_reference, values_are_appended_to_what_the_buffer_holds,
          a_reference_survives_its_encoding, a_value_is_not_given_for_another_key_or_reference,
          a_file_of_another_database_or_number_is_refused, a_later_format_is_told_from_damage,
          a_walk_meets_every_record_and_stops_when_told,
          what_was_synced_is_there_after_a_crash_and_a_torn_tail_ends_the_walk,
          every_flipped_bit_is_reported_or_harmless, every_truncation_is_seen_by_a_get,
          thinning_keeps_references_true, a_flipped_bit_of_a_thinned_file_never_hides_a_record,
          a_thinned_file_takes_only_the_bytes_it_keeps,
          after_a_failed_write_or_sync_every_call_repeats_the_error,
          the_bytes_are_those_of_the_format_page)
