#include "base/sha256.h"

#include "support/test.h"

TEST(the_standards_examples_come_out)
{
    char text[SHA256_TEXT_BYTES];
    CHECK_EQ_STR(sha256_text(bytes_of("", 0), text),
                 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    CHECK_EQ_STR(sha256_text(bytes_of("abc", 3), text),
                 "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    CHECK_EQ_STR(
        sha256_text(bytes_of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56), text),
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

TEST(pieces_hash_as_the_whole)
{
    unsigned char bytes[300];
    struct test_rand rand = test_rand_new(0);
    test_rand_fill(&rand, bytes, sizeof bytes);
    for (size_t size = 0; size <= sizeof bytes; size += 1 + (size_t)test_rand_below(&rand, 7)) {
        unsigned char whole[SHA256_BYTES];
        unsigned char pieces[SHA256_BYTES];
        struct sha256 sha;
        size_t cut = (size_t)test_rand_below(&rand, size + 1);
        sha256_init(&sha);
        sha256_add(&sha, bytes_of(bytes, size));
        sha256_end(&sha, whole);
        sha256_init(&sha);
        sha256_add(&sha, bytes_of(bytes, cut));
        sha256_add(&sha, bytes_of(bytes + cut, size - cut));
        sha256_end(&sha, pieces);
        CHECK_EQ_BYTES(pieces, sizeof pieces, whole, sizeof whole);
    }
}

TEST(secrets_are_equal_only_when_every_octet_is)
{
    CHECK(secret_equal("abcd", "abcd", 4));
    CHECK(!secret_equal("abcd", "abce", 4));
    CHECK(!secret_equal("abcd", "bbcd", 4));
    CHECK(secret_equal("a", "b", 0));
}

TEST_MAIN(the_standards_examples_come_out, pieces_hash_as_the_whole,
          secrets_are_equal_only_when_every_octet_is)
