#include "cli/output.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/test.h"

static const struct column columns[] = {{"key", COLUMN_EVERYWHERE},
                                        {"valid_to", COLUMN_TABLE | COLUMN_DATA},
                                        {"count", COLUMN_DATA | COLUMN_TABLE},
                                        {"value", COLUMN_EVERYWHERE}};

/* What two rows look like in a format, on a terminal of `width` columns (0: none); freed by the
 * caller. */
static char *render(enum output_format format, unsigned width, bool has_nul)
{
    char *text = NULL;
    size_t size = 0;
    struct cli cli = {.columns = width};
    struct output *output;
    cli.out = open_memstream(&text, &size);
    CHECK(cli.out != NULL);
    CHECK_OK(output_open(&cli, format, columns, 4, &output));
    if (has_nul) {
        output_end_rows_with_nul(output);
    }
    const struct cell first[] = {cell_bytes(bytes_of("a", 1)), cell_moment(YORE_FOREVER),
                                 cell_count(1234), cell_bytes(bytes_of("x,\"y\"\t\xc3\xa9", 8))};
    const struct cell second[] = {cell_bytes(bytes_of("b\xff", 2)), cell_moment(0), cell_count(7),
                                  cell_none()};
    CHECK(output_row(output, first));
    CHECK(output_row(output, second));
    CHECK_EQ_UINT(output_row_count(output), 2);
    CHECK_OK(output_close(output));
    fclose(cli.out);
    return text;
}

static void check_render(enum output_format format, const char *want)
{
    char *text = render(format, 0, false);
    CHECK_EQ_STR(text, want);
    free(text);
}

TEST(rows_in_every_format)
{
    check_render(OUTPUT_RAW, "a\tx,\"y\"\t\xc3\xa9\nb\xff\t\n");
    check_render(OUTPUT_CSV, "key,valid_to,count,value\r\n"
                             "a,forever,1234,\"x,\"\"y\"\"\t\xc3\xa9\"\r\n"
                             "b\xff,1970-01-01T00:00:00Z,7,\r\n");
    check_render(
        OUTPUT_NDJSON,
        "{\"key\":\"a\",\"valid_to\":null,\"count\":1234,\"value\":\"x,\\\"y\\\"\\t\xc3\xa9\"}\n"
        "{\"key_base64\":\"Yv8=\",\"valid_to\":\"1970-01-01T00:00:00Z\",\"count\":7,\"value\":null}"
        "\n");
    check_render(
        OUTPUT_JSON,
        "[{\"key\":\"a\",\"valid_to\":null,\"count\":1234,\"value\":\"x,\\\"y\\\"\\t\xc3\xa9\"},\n"
        " {\"key_base64\":\"Yv8=\",\"valid_to\":\"1970-01-01T00:00:00Z\",\"count\":7,\"value\":"
        "null}]\n");
    check_render(OUTPUT_TABLE, "key    valid_to              count  value\n"
                               "a      forever               1,234  x,\"y\"\\t\xc3\xa9\n"
                               "b\\xff  1970-01-01T00:00:00Z      7  -\n");
}

TEST(the_last_column_is_cut_at_the_edge)
{
    char *text = render(OUTPUT_TABLE, 42, false);
    CHECK(strstr(text, "\xe2\x80\xa6\n") != NULL);
    for (const char *at = text; *at != '\0'; at += strcspn(at, "\n") + 1) {
        CHECK(strcspn(at, "\n") <= 42 + 3); /* the ellipsis is three octets, one column */
    }
    free(text);
}

TEST(rows_may_end_with_nul)
{
    char *text = render(OUTPUT_RAW, 0, true);
    CHECK_EQ_STR(text, "a\tx,\"y\"\t\xc3\xa9");
    CHECK_EQ_BYTES(text + strlen(text) + 1, 3, "b\xff\t", 3);
    free(text);
}

TEST(nothing_is_an_answer_too)
{
    static const char *const want[] = {"", "[]\n", "", "key,valid_to,count,value\r\n", ""};
    for (int format = OUTPUT_TABLE; format <= OUTPUT_RAW; format++) {
        char *text = NULL;
        size_t size = 0;
        struct cli cli = {.columns = 0};
        struct output *output;
        cli.out = open_memstream(&text, &size);
        CHECK_OK(output_open(&cli, (enum output_format)format, columns, 4, &output));
        CHECK_OK(output_close(output));
        fclose(cli.out);
        CHECK_EQ_STR(text, want[format]);
        free(text);
    }
}

TEST(a_full_disk_is_reported)
{
    struct cli cli = {.columns = 0};
    struct output *output;
    cli.out = fopen("/dev/full", "wb");
    if (cli.out == NULL) {
        SKIP("no /dev/full here");
    }
    setvbuf(cli.out, NULL, _IONBF, 0);
    CHECK_OK(output_open(&cli, OUTPUT_RAW, columns, 1, &output));
    struct cell cell = cell_count(1);
    CHECK(!output_row(output, &cell));
    CHECK_STATUS(output_close(output), YORE_IO);
    fclose(cli.out);
}

TEST_MAIN(rows_in_every_format, the_last_column_is_cut_at_the_edge, rows_may_end_with_nul,
          nothing_is_an_answer_too, a_full_disk_is_reported)
