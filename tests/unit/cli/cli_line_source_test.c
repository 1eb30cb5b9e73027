#include "cli/line_source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "support/test.h"

static FILE *file_of(const void *data, size_t size)
{
    FILE *file = tmpfile();
    CHECK(file != NULL);
    CHECK(size == 0 || fwrite(data, 1, size, file) == size);
    rewind(file);
    return file;
}

/* The lines of `file` must be those of `text`. */
static void check_lines(FILE *file, const char *text, size_t size)
{
    struct line_source *source;
    struct yore_error error;
    struct yore_bytes line;
    size_t at = 0;
    uint64_t number = 0;
    CHECK_OK(line_source_open(file, "test", &source, &error));
    while (at < size) {
        const char *newline = memchr(text + at, '\n', size - at);
        size_t end = newline != NULL ? (size_t)(newline - text) : size;
        CHECK_OK(line_source_peek(source, &line, &error));
        CHECK_OK(line_source_next(source, &line, &error));
        CHECK_EQ_BYTES(line.data, line.size, text + at, end - at);
        CHECK_EQ_UINT(line_source_number(source), ++number);
        at = end + 1;
    }
    CHECK_STATUS(line_source_next(source, &line, &error), YORE_NOT_FOUND);
    CHECK_STATUS(line_source_next(source, &line, &error), YORE_NOT_FOUND);
    line_source_close(source);
    fclose(file);
}

TEST(lines_of_plain_files)
{
    static const char *const texts[] = {"", "\n", "a", "a\n", "a\n\nb", "\n\n", "a\r\nb\n"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        test_note("case %zu", i);
        check_lines(file_of(texts[i], strlen(texts[i])), texts[i], strlen(texts[i]));
    }
}

/* Lines of very different lengths, longer than any buffer among them. */
static char *make_text(size_t *size_out)
{
    struct test_rand rand = test_rand_new(1);
    size_t size = 3u << 20;
    char *text = malloc(size);
    CHECK(text != NULL);
    for (size_t i = 0; i < size; i++) {
        uint64_t scale = i < (1u << 20) ? 20 : 400000;
        text[i] = test_rand_one_in(&rand, scale) ? '\n' : (char)('a' + test_rand_below(&rand, 26));
    }
    *size_out = size;
    return text;
}

TEST(lines_of_large_files_plain_and_compressed)
{
    size_t size;
    char *text = make_text(&size);
    size_t bound = ZSTD_compressBound(size);
    char *packed = malloc(2 * bound);
    CHECK(packed != NULL);
    check_lines(file_of(text, size), text, size);
    /* Two frames one after the other are one text. */
    size_t half = ZSTD_compress(packed, bound, text, size / 2, 1);
    size_t rest = ZSTD_compress(packed + half, bound, text + size / 2, size - size / 2, 3);
    CHECK(!ZSTD_isError(half) && !ZSTD_isError(rest));
    check_lines(file_of(packed, half + rest), text, size);
    free(packed);
    free(text);
}

static enum yore_status read_all(FILE *file, struct yore_error *error)
{
    struct line_source *source;
    struct yore_bytes line;
    enum yore_status st = line_source_open(file, "test", &source, error);
    while (st == YORE_OK) {
        st = line_source_next(source, &line, error);
    }
    line_source_close(source);
    fclose(file);
    return st;
}

TEST(damaged_and_cut_zstd_is_reported)
{
    char text[5000];
    char packed[6000];
    struct yore_error error;
    for (size_t i = 0; i < sizeof(text); i++) {
        text[i] = (char)(i % 50 == 49 ? '\n' : 'a' + i * i % 23);
    }
    size_t size = ZSTD_compress(packed, sizeof(packed), text, sizeof(text), 3);
    CHECK(!ZSTD_isError(size));
    CHECK_STATUS(read_all(file_of(packed, size), &error), YORE_NOT_FOUND);
    for (size_t cut = 5; cut < size; cut += 7) {
        CHECK_STATUS(read_all(file_of(packed, cut), &error), YORE_CORRUPT);
    }
    CHECK(strstr(error.text, "cut short") != NULL);
    packed[5] ^= 0x7f;
    CHECK_STATUS(read_all(file_of(packed, size), &error), YORE_CORRUPT);
    CHECK(strstr(error.text, "test") != NULL);
}

TEST_MAIN(lines_of_plain_files, lines_of_large_files_plain_and_compressed,
          damaged_and_cut_zstd_is_reported)
