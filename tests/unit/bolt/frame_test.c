/* Messages in chunks, and the handshake. */
#include "bolt/frame.h"

#include <string.h>

#include "base/mem.h"
#include "bolt/limits.h"
#include "bolt/version.h"
#include "support/test.h"

/* Read everything in pieces of `step` octets; how many messages, whose sizes add to `*bytes_out`.
 */
static unsigned read_pieces(struct yore_bytes stream, size_t step, size_t *bytes_out)
{
    struct frame_reader reader = {0};
    unsigned messages = 0;
    *bytes_out = 0;
    for (size_t at = 0; at < stream.size;) {
        size_t consumed = 0;
        size_t size = stream.size - at < step ? stream.size - at : step;
        struct yore_bytes piece = bytes_of((const unsigned char *)stream.data + at, size);
        enum frame_result result = frame_read(&reader, piece, BOLT_MESSAGE_BYTES_MAX, &consumed);
        CHECK(consumed <= size && (consumed == size || result == FRAME_WHOLE));
        if (result == FRAME_WHOLE) {
            messages++;
            *bytes_out += reader.message.size;
            const unsigned char *data = reader.message.data;
            for (size_t i = 0; i < reader.message.size; i++) {
                CHECK(data[i] == (unsigned char)(reader.message.size + i));
            }
        }
        at += consumed;
    }
    frame_reader_release(&reader);
    return messages;
}

TEST(what_is_written_is_read_however_it_is_cut)
{
    static const size_t sizes[] = {1, 2, 100, 65534, 65535, 65536, 131070, 131071, 200000};
    struct buffer stream = {0};
    size_t total = 0;
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        size_t begin = frame_begin(&stream);
        unsigned char *body = buffer_extend(&stream, sizes[i]);
        for (size_t k = 0; k < sizes[i]; k++) {
            body[k] = (unsigned char)(sizes[i] + k);
        }
        frame_end(&stream, begin);
        total += sizes[i];
    }
    static const size_t steps[] = {1, 2, 3, 1000, 65535, 65537, 1000000};
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        size_t bytes = 0;
        CHECK_EQ_UINT(read_pieces(buffer_bytes(&stream), steps[i], &bytes), 9);
        CHECK_EQ_UINT(bytes, total);
    }
    /* A chunk never has more than 65535 octets: the head of the one of 65536 says so. */
    buffer_release(&stream);
    size_t begin = frame_begin(&stream);
    buffer_extend(&stream, 65536);
    frame_end(&stream, begin);
    CHECK_EQ_UINT(stream.size, 2 + 65535 + 2 + 1 + 2);
    CHECK_EQ_BYTES(stream.data, 2, "\xFF\xFF", 2);
    CHECK_EQ_BYTES(stream.data + 2 + 65535, 2, "\x00\x01", 2);
    CHECK_EQ_BYTES(stream.data + stream.size - 2, 2, "\x00\x00", 2);
    buffer_release(&stream);
}

TEST(a_message_may_come_in_many_chunks_and_noops_say_nothing)
{
    static const unsigned char stream[] = {0, 0, 0, 0, 0, 1, 0xB0, 0, 1, 0x0F,
                                           0, 0, 0, 0, 0, 2, 0xB0, 2, 0, 0};
    struct frame_reader reader = {0};
    size_t consumed = 0;
    CHECK_EQ_INT(frame_read(&reader, bytes_of(stream, sizeof(stream)), 100, &consumed),
                 FRAME_WHOLE);
    CHECK_EQ_UINT(consumed, 12);
    CHECK_EQ_BYTES(reader.message.data, reader.message.size, "\xB0\x0F", 2);
    CHECK_EQ_INT(frame_read(&reader, bytes_of(stream + 12, sizeof(stream) - 12), 100, &consumed),
                 FRAME_WHOLE);
    CHECK_EQ_BYTES(reader.message.data, reader.message.size, "\xB0\x02", 2);
    frame_reader_release(&reader);
}

TEST(a_message_over_the_limit_is_refused_before_it_has_come)
{
    struct frame_reader reader = {0};
    size_t consumed = 0;
    static const unsigned char first[] = {0, 4, 1, 2, 3, 4};
    static const unsigned char second[] = {0, 7};
    CHECK_EQ_INT(frame_read(&reader, bytes_of(first, sizeof(first)), 10, &consumed), FRAME_MORE);
    CHECK_EQ_INT(frame_read(&reader, bytes_of(second, sizeof(second)), 10, &consumed),
                 FRAME_TOO_BIG);
    frame_reader_release(&reader);
}

TEST(a_reset_is_seen_wherever_the_stream_is_cut)
{
    unsigned char stream[300];
    size_t size = FRAME_PREAMBLE_BYTES;
    memset(stream, 0, sizeof(stream));
    /* A RESET, one in two chunks, a string that looks like one, another message, a GOODBYE. */
    static const unsigned char rest[] = {
        0, 2, 0xB0, 0x0F, 0, 0, 0, 1, 0xB0, 0, 1,    0x0F, 0, 0, 0, 0, 0, 9,    0xB1, 1, 0x86,
        0, 2, 0xB0, 0x0F, 0, 0, 0, 0, 0,    3, 0xB1, 0x0F, 0, 0, 0, 0, 2, 0xB0, 2,    0, 0};
    memcpy(stream + size, rest, sizeof(rest));
    size += sizeof(rest);
    for (size_t cut = 0; cut <= size; cut++) {
        struct frame_watch watch = {0};
        frame_watch_see(&watch, bytes_of(stream, cut));
        frame_watch_see(&watch, bytes_of(stream + cut, size - cut));
        CHECK_EQ_UINT(watch.resets, 2);
        CHECK(watch.has_said_goodbye);
    }
}

static struct bolt_version choose(const char *proposals)
{
    unsigned char handshake[BOLT_HANDSHAKE_BYTES] = {0x60, 0x60, 0xB0, 0x17};
    memcpy(handshake + 4, proposals, 16);
    return bolt_version_choose(handshake);
}

TEST(the_dearest_version_that_both_speak_is_chosen)
{
    static const struct {
        const char *proposals;
        uint8_t major;
        uint8_t minor;
    } cases[] = {
        {"\0\0\4\4\0\0\0\0\0\0\0\0\0\0\0\0", 4, 4},
        {"\0\0\0\5\0\0\0\0\0\0\0\0\0\0\0\0", 5, 0},
        {"\0\0\4\5\0\0\0\0\0\0\0\0\0\0\0\0", 5, 4},
        {"\0\4\4\5\0\2\4\4\0\0\0\0\0\0\0\3", 5, 4},
        {"\0\x08\x08\5\0\2\4\4\0\0\0\3\0\0\0\0", 5, 4}, /* 5.8 to 5.0 */
        {"\0\2\x08\5\0\2\4\4\0\0\0\3\0\0\0\0", 4, 4},   /* 5.8 to 5.6: none of ours */
        {"\0\0\x01\xFF\0\x08\x08\5\0\2\4\4\0\0\0\3", 5, 4},
        {"\0\3\5\4\0\0\4\5\0\0\0\0\0\0\0\0", 4, 4}, /* the order is the client's */
        {"\0\2\3\4\0\0\0\3\0\0\0\2\0\0\0\1", 0, 0},
        {"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 0, 0},
        {"\0\xFF\2\5\0\0\0\0\0\0\0\0\0\0\0\0", 5, 2}, /* a range of more than there are */
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct bolt_version version = choose(cases[i].proposals);
        test_note("case %zu", i);
        CHECK_EQ_UINT(version.major, cases[i].major);
        CHECK_EQ_UINT(version.minor, cases[i].minor);
    }
    unsigned char answer[4];
    bolt_version_answer((struct bolt_version){5, 4}, answer);
    CHECK_EQ_BYTES(answer, 4, "\0\0\4\5", 4);
    CHECK(bolt_handshake_begins((const unsigned char *)"\x60\x60", 2));
    CHECK(!bolt_handshake_begins((const unsigned char *)"GET ", 4));
}

TEST_MAIN(what_is_written_is_read_however_it_is_cut,
          a_message_may_come_in_many_chunks_and_noops_say_nothing,
          a_message_over_the_limit_is_refused_before_it_has_come,
          a_reset_is_seen_wherever_the_stream_is_cut, the_dearest_version_that_both_speak_is_chosen)
