#include <string.h>

#include "journal/commit_codec.h"
#include "support/test.h"

#define COMMIT 1000

static struct yore_bytes text(const char *s)
{
    return bytes_of(s, strlen(s));
}

static struct buffer encode(const struct commit_write *writes, uint32_t count)
{
    struct buffer b = {0};
    unsigned char header[COMMIT_HEADER_BYTES];
    commit_header_encode(header, COMMIT, count);
    buffer_append(&b, header, sizeof(header));
    for (uint32_t i = 0; i < count; i++) {
        commit_write_encode(&b, &writes[i]);
    }
    CHECK_OK(buffer_status(&b));
    return b;
}

/* Decode everything; the status that ended it. */
static enum yore_status walk(struct yore_bytes payload)
{
    struct commit_decoder c;
    struct commit_write w;
    enum yore_status st = commit_decoder_init(&c, payload);
    while (st == YORE_OK) {
        st = commit_decoder_next(&c, &w);
    }
    return st;
}

static const struct commit_write plain = {.keyspace = 1,
                                          .kind = YORE_KIND_PUT,
                                          .is_from_commit = true,
                                          .valid_to = YORE_FOREVER,
                                          .key = {"key", 3},
                                          .value = {"value", 5}};

TEST(a_write_comes_back_as_it_was)
{
    const struct commit_write writes[] = {
        plain,
        {.keyspace = 70000,
         .kind = YORE_KIND_PUT,
         .is_apart = true,
         .valid_from = -5,
         .valid_to = 77,
         .key = text("k"),
         .value = text("123456789012345678901234")},
        {.kind = YORE_KIND_DELETE,
         .valid_from = YORE_TIME_MIN,
         .valid_to = YORE_FOREVER,
         .key = text("gone")},
        {.kind = YORE_KIND_ERASED,
         .is_from_commit = true,
         .valid_to = YORE_FOREVER,
         .key = text("erased")},
        {.kind = YORE_KIND_PUT, .valid_from = COMMIT, .valid_to = YORE_FOREVER, .key = text("e")},
    };
    const uint32_t count = sizeof(writes) / sizeof(writes[0]);
    struct buffer b = encode(writes, count);
    struct commit_decoder c;
    struct commit_write w;
    CHECK_OK(commit_decoder_init(&c, buffer_bytes(&b)));
    CHECK_EQ_INT(c.commit, COMMIT);
    CHECK_EQ_UINT(c.count, count);
    for (uint32_t i = 0; i < count; i++) {
        CHECK_OK(commit_decoder_next(&c, &w));
        CHECK_EQ_UINT(w.keyspace, writes[i].keyspace);
        CHECK_EQ_INT(w.kind, writes[i].kind);
        CHECK(w.is_apart == writes[i].is_apart);
        CHECK(w.is_from_commit == writes[i].is_from_commit);
        CHECK_EQ_INT(w.valid_from, writes[i].is_from_commit ? COMMIT : writes[i].valid_from);
        CHECK_EQ_INT(w.valid_to, writes[i].valid_to);
        CHECK(bytes_equal(w.key, writes[i].key));
        CHECK(bytes_equal(w.value, writes[i].value));
    }
    CHECK_STATUS(commit_decoder_next(&c, &w), YORE_NOT_FOUND);
    buffer_release(&b);
}

TEST(a_write_valid_from_its_commit_leaves_the_time_out)
{
    struct commit_write dated = plain;
    dated.is_from_commit = false;
    dated.valid_from = 3;
    struct buffer shorter = encode(&plain, 1);
    struct buffer longer = encode(&dated, 1);
    CHECK_EQ_UINT(longer.size, shorter.size + 8);
    buffer_release(&shorter);
    buffer_release(&longer);
}

TEST(a_commit_without_writes_is_legal)
{
    struct buffer b = encode(NULL, 0);
    CHECK_STATUS(walk(buffer_bytes(&b)), YORE_NOT_FOUND);
    buffer_release(&b);
}

TEST(every_truncation_is_corrupt)
{
    const struct commit_write writes[] = {plain, plain};
    struct buffer b = encode(writes, 2);
    for (size_t size = 0; size < b.size; size++) {
        CHECK_STATUS(walk(bytes_of(b.data, size)), YORE_CORRUPT);
    }
    buffer_release(&b);
}

TEST(bytes_left_over_are_corrupt)
{
    struct buffer b = encode(&plain, 1);
    buffer_append_u8(&b, 0);
    CHECK_STATUS(walk(buffer_bytes(&b)), YORE_CORRUPT);
    buffer_release(&b);
}

/* Encode one write, set one octet behind the header, and decode. */
static enum yore_status walk_with(const struct commit_write *write, size_t at, unsigned char octet)
{
    struct buffer b = encode(write, 1);
    b.data[COMMIT_HEADER_BYTES + at] = octet;
    enum yore_status st = walk(buffer_bytes(&b));
    buffer_release(&b);
    return st;
}

TEST(a_kind_or_flag_that_is_unknown_is_corrupt)
{
    CHECK_STATUS(walk_with(&plain, 0, 0x09), YORE_NOT_FOUND); /* as it was encoded */
    CHECK_STATUS(walk_with(&plain, 0, 0x08), YORE_CORRUPT);   /* no kind */
    CHECK_STATUS(walk_with(&plain, 0, 0x29), YORE_CORRUPT);
    CHECK_STATUS(walk_with(&plain, 0, 0x89), YORE_CORRUPT);
}

TEST(only_puts_have_an_end_or_lie_apart)
{
    struct commit_write w = {.kind = YORE_KIND_DELETE,
                             .is_from_commit = true,
                             .valid_to = YORE_FOREVER,
                             .key = {"longer than eight", 17}};
    CHECK_STATUS(walk_with(&w, 0, 0x0a), YORE_NOT_FOUND);
    CHECK_STATUS(walk_with(&w, 0, 0x1a), YORE_CORRUPT);
    CHECK_STATUS(walk_with(&w, 0, 0x0e), YORE_CORRUPT);
}

TEST(a_time_after_the_commit_or_out_of_range_is_corrupt)
{
    const int64_t bad[] = {COMMIT + 1, INT64_MAX, INT64_MIN};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct commit_write w = plain;
        w.is_from_commit = false;
        w.valid_from = bad[i];
        struct buffer b = encode(&w, 1);
        CHECK_STATUS(walk(buffer_bytes(&b)), YORE_CORRUPT);
        buffer_release(&b);
    }
}

TEST(a_count_that_cannot_fit_is_refused_before_the_first_write)
{
    struct buffer b = encode(&plain, 1);
    put_u32(b.data + 8, UINT32_MAX);
    struct commit_decoder c;
    CHECK_STATUS(commit_decoder_init(&c, buffer_bytes(&b)), YORE_CORRUPT);
    buffer_release(&b);
}

TEST(a_load_comes_back_as_it_was_and_has_no_writes)
{
    const struct commit_load load = {7, 5000000000};
    unsigned char bytes[COMMIT_HEADER_BYTES + COMMIT_LOAD_BYTES + 1] = {0};
    struct commit_decoder c;
    struct commit_write write;
    commit_load_encode(bytes, bytes + COMMIT_HEADER_BYTES, 1234, &load);
    CHECK_OK(commit_decoder_init(&c, bytes_of(bytes, sizeof bytes - 1)));
    CHECK(c.is_load && c.commit == 1234 && c.load.keyspace == 7 && c.load.count == 5000000000);
    CHECK_STATUS(commit_decoder_next(&c, &write), YORE_NOT_FOUND);
    CHECK_STATUS(commit_decoder_init(&c, bytes_of(bytes, sizeof bytes)), YORE_CORRUPT);
    for (size_t size = 0; size + 1 < sizeof bytes; size++) {
        CHECK_STATUS(commit_decoder_init(&c, bytes_of(bytes, size)), YORE_CORRUPT);
    }
    put_u32(bytes + 12, 2); /* a form of later versions */
    CHECK_STATUS(commit_decoder_init(&c, bytes_of(bytes, sizeof bytes - 1)), YORE_CORRUPT);
}

TEST_MAIN(a_load_comes_back_as_it_was_and_has_no_writes, a_write_comes_back_as_it_was,
          a_write_valid_from_its_commit_leaves_the_time_out, a_commit_without_writes_is_legal,
          every_truncation_is_corrupt, bytes_left_over_are_corrupt,
          a_kind_or_flag_that_is_unknown_is_corrupt, only_puts_have_an_end_or_lie_apart,
          a_time_after_the_commit_or_out_of_range_is_corrupt,
          a_count_that_cannot_fit_is_refused_before_the_first_write)
