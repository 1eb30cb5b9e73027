/* page_pack_test.c -- pages to disk and back, and how hard they are packed. */
#include <stdio.h>
#include <string.h>
#include <zstd.h>

#include "support/test.h"
#include "table/page_pack.h"

#define PAGE_BYTES 32768u
#define PAGES 130 /* more than two trials of the packer */

/* Words of a small vocabulary with numbers between them: what a better match saves on. */
static void fill_with_words(unsigned char *page, struct test_rand *rand)
{
    static const char *const words[] = {"service", "host", "depends_on", "runs_on", "cluster"};
    size_t size = 0;
    while (size + 32 < PAGE_BYTES) {
        const char *word = words[test_rand_below(rand, 5)];
        size += (size_t)snprintf((char *)page + size, PAGE_BYTES - size, "%s-%u;", word,
                                 (unsigned)test_rand_below(rand, 400));
    }
    memset(page + size, 0, PAGE_BYTES - size);
}

static void fill_with_noise(unsigned char *page, struct test_rand *rand)
{
    for (size_t i = 0; i < PAGE_BYTES; i++) {
        page[i] = (unsigned char)test_rand_below(rand, 256);
    }
}

/* Pack and unpack; returns the packed size. */
static size_t there_and_back(struct page_packer *packer, enum yore_compression compression,
                             struct yore_bytes raw)
{
    struct page_unpacker unpacker = {0};
    struct yore_bytes back = {0};
    const char *what = "";
    CHECK_OK(page_pack(packer, compression, raw, 7, 4096, &unpacker.stored));
    CHECK_OK(page_unpack(&unpacker, buffer_bytes(&unpacker.stored), 7, 4096, &back, &what));
    CHECK(bytes_equal(back, raw));
    size_t size = unpacker.stored.size;
    page_unpacker_release(&unpacker);
    return size;
}

TEST(pages_of_any_kind_come_back)
{
    static unsigned char page[PAGE_BYTES];
    static const enum yore_compression all[] = {YORE_COMPRESSION_NONE, YORE_COMPRESSION_LZ4,
                                                YORE_COMPRESSION_ZSTD};
    struct test_rand rand = test_rand_new(0);
    for (size_t c = 0; c < 3; c++) {
        struct page_packer packer = {0};
        for (int i = 0; i < PAGES; i++) {
            if (test_rand_one_in(&rand, 2)) {
                fill_with_words(page, &rand);
            } else {
                fill_with_noise(page, &rand);
            }
            there_and_back(&packer, all[c], bytes_of(page, 1 + test_rand_below(&rand, PAGE_BYTES)));
        }
        page_packer_release(&packer);
    }
}

TEST(what_gains_by_it_is_packed_harder_from_the_first_page_on)
{
    static unsigned char page[PAGE_BYTES];
    static unsigned char fast[PAGE_BYTES];
    struct test_rand rand = test_rand_new(0);
    struct page_packer packer = {0};
    size_t packed = 0;
    size_t fastest = 0;
    for (int i = 0; i < PAGES; i++) {
        fill_with_words(page, &rand);
        packed += there_and_back(&packer, YORE_COMPRESSION_ZSTD, bytes_of(page, PAGE_BYTES));
        size_t size = ZSTD_compress(fast, sizeof fast, page, PAGE_BYTES, 1);
        CHECK(!ZSTD_isError(size));
        fastest += size;
    }
    page_packer_release(&packer);
    CHECK_MSG(packed + packed / 50 < fastest, "%d octets, %d at the lowest level", (int)packed,
              (int)fastest);
}

TEST_MAIN(pages_of_any_kind_come_back, what_gains_by_it_is_packed_harder_from_the_first_page_on)
