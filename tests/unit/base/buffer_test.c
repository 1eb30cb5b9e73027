/* Buffer: appends, growth, the sticky out-of-memory flag. */
#include "base/buffer.h"

#include "base/coding.h"
#include "base/mem.h"
#include "support/test.h"

TEST(a_zeroed_buffer_is_empty)
{
    struct buffer b = {0};
    CHECK_EQ_UINT(buffer_bytes(&b).size, 0);
    CHECK_OK(buffer_status(&b));
    buffer_append(&b, NULL, 0);
    CHECK_EQ_UINT(b.size, 0);
    buffer_release(&b);
}

TEST(appends_follow_one_another)
{
    struct buffer b = {0};
    buffer_append_u8(&b, 0x01);
    buffer_append_u32(&b, 0x07060504);
    buffer_append_u64(&b, UINT64_C(0x0f0e0d0c0b0a0908));
    buffer_append_varint(&b, 300);
    buffer_append_zigzag(&b, -1);
    buffer_append(&b, "xy", 2);
    buffer_append_bytes(&b, bytes_of("z", 1));
    static const unsigned char want[] = {1,  4,  5,  6,    7, 8, 9,   10,  11, 12,
                                         13, 14, 15, 0xac, 2, 1, 'x', 'y', 'z'};
    CHECK_EQ_BYTES(b.data, b.size, want, sizeof(want));
    buffer_release(&b);
}

TEST(growth_keeps_what_was_there)
{
    struct buffer b = {0};
    for (uint32_t i = 0; i < 100000; i++) {
        buffer_append_u32(&b, i);
    }
    CHECK_EQ_UINT(b.size, 400000);
    for (uint32_t i = 0; i < 100000; i++) {
        CHECK_EQ_UINT(get_u32(b.data + 4 * (size_t)i), i);
    }
    CHECK(b.capacity < 1000000);
    buffer_release(&b);
}

TEST(clear_keeps_the_memory)
{
    struct buffer b = {0};
    buffer_append(&b, "abcdef", 6);
    const unsigned char *data = b.data;
    buffer_clear(&b);
    CHECK_EQ_UINT(b.size, 0);
    buffer_append(&b, "x", 1);
    CHECK(b.data == data);
    buffer_release(&b);
    CHECK(b.data == NULL);
}

TEST(extend_gives_room_at_the_end)
{
    struct buffer b = {0};
    CHECK(buffer_extend(&b, 0) != NULL);
    buffer_append(&b, "ab", 2);
    unsigned char *at = buffer_extend(&b, 3);
    CHECK(at == b.data + 2);
    CHECK_EQ_UINT(b.size, 5);
    buffer_release(&b);
}

TEST(after_out_of_memory_appends_do_nothing)
{
    struct buffer b = {0};
    buffer_append(&b, "ab", 2);
    mem_fail_at(1, false);
    unsigned char *at = buffer_extend(&b, 1000);
    mem_fail_at(0, false);
    CHECK(at == NULL);
    CHECK_STATUS(buffer_status(&b), YORE_NOMEM);
    buffer_append_u8(&b, 1);
    buffer_append_varint(&b, 1);
    CHECK_EQ_BYTES(b.data, b.size, "ab", 2);
    buffer_clear(&b);
    CHECK_STATUS(buffer_status(&b), YORE_NOMEM);
    buffer_release(&b);
    CHECK_OK(buffer_status(&b));
}

TEST(a_size_that_overflows_is_out_of_memory)
{
    struct buffer b = {0};
    buffer_append_u8(&b, 1);
    CHECK(!buffer_reserve(&b, SIZE_MAX));
    CHECK_STATUS(buffer_status(&b), YORE_NOMEM);
    buffer_release(&b);
}

TEST_MAIN(a_zeroed_buffer_is_empty, appends_follow_one_another, growth_keeps_what_was_there,
          clear_keeps_the_memory, extend_gives_room_at_the_end,
          after_out_of_memory_appends_do_nothing, a_size_that_overflows_is_out_of_memory)
