/* Base64: octets as text and back, and what is none. */
#include <string.h>

#include "base/base64.h"
#include "support/test.h"

static struct yore_bytes text(const char *words)
{
    return bytes_of(words, strlen(words));
}

/* The test vectors of RFC 4648, section 10, and the two digits beyond letters and numbers. */
static const struct {
    const char *octets;
    const char *text;
} pairs[] = {{"", ""},
             {"f", "Zg=="},
             {"fo", "Zm8="},
             {"foo", "Zm9v"},
             {"foob", "Zm9vYg=="},
             {"fooba", "Zm9vYmE="},
             {"foobar", "Zm9vYmFy"},
             {"\xfb\xff", "+/8="}};
#define PAIRS (sizeof pairs / sizeof pairs[0])

TEST(octets_are_written_as_the_rfc_has_them_and_read_again)
{
    for (size_t i = 0; i < PAIRS; i++) {
        struct buffer written = {0};
        struct buffer read = {0};
        base64_encode(&written, text(pairs[i].octets));
        CHECK_EQ_BYTES(written.data, written.size, pairs[i].text, strlen(pairs[i].text));
        CHECK(base64_decode(&read, text(pairs[i].text)));
        CHECK_EQ_BYTES(read.data, read.size, pairs[i].octets, strlen(pairs[i].octets));
        buffer_release(&written);
        buffer_release(&read);
    }
}

TEST(any_octets_come_back)
{
    struct test_rand rand = test_rand_new(0);
    unsigned char octets[64];
    for (size_t i = 0; i < 8 * (sizeof octets + 1); i++) {
        size_t size = i % (sizeof octets + 1);
        struct buffer written = {0};
        struct buffer read = {0};
        test_rand_fill(&rand, octets, size);
        base64_encode(&written, bytes_of(octets, size));
        CHECK_EQ_UINT(written.size, (size + 2) / 3 * 4);
        CHECK(base64_decode(&read, buffer_bytes(&written)));
        CHECK_EQ_BYTES(read.data, read.size, octets, size);
        buffer_release(&written);
        buffer_release(&read);
    }
}

TEST(what_is_not_strict_is_refused_and_appends_nothing)
{
    static const char *const bad[] = {"Z",    "Zg",    "Zg=",   "Zg==Zg==", "=Zg=",     "Z===",
                                      "====", "Zh==",  "Zm9=",  "Zm9v ",    "Zm9v!m9v", "Zm-v",
                                      "Zm_v", "Zm\n=", "Zg===", "Zm 8",     "Zm8\n",    "Zm9-"};
    struct buffer to = {0};
    buffer_append(&to, "kept", 4);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        test_note("%s", bad[i]);
        CHECK(!base64_decode(&to, text(bad[i])));
        CHECK_EQ_BYTES(to.data, to.size, "kept", 4);
    }
    buffer_release(&to);
}

TEST_MAIN(octets_are_written_as_the_rfc_has_them_and_read_again, any_octets_come_back,
          what_is_not_strict_is_refused_and_appends_nothing)
