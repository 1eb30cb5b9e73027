/* table_golden_test.c -- the bytes of docs/format.md, "Table": what is written stays what it was,
 * and what was written stays readable.
 *
 *     table_golden_test FOLDER         checks; FOLDER holds the golden files
 *     YORE_GOLDEN_WRITE=1 ...          writes them afresh, after a change of the format's version
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crc32c.h"
#include "table_fixture.h"

static const struct version rows[] = {
    {{"apple", 5}, 2000, 2000, YORE_FOREVER, YORE_KIND_PUT, 0, {"green", 5}},
    {{"apple", 5}, 1000, 1000, YORE_FOREVER, YORE_KIND_PUT, 0, {"red", 3}},
    {{"apricot", 7}, 1500, 1500, 1900, YORE_KIND_PUT, 0, {"ripe", 4}},
    {{"banana", 6}, 1200, 1700, YORE_FOREVER, YORE_KIND_DELETE, 0, {NULL, 0}},
};
#define ROW_COUNT (sizeof(rows) / sizeof(rows[0]))
#define FILE_BYTES_MAX 4096

static const char *folder = ".";

static const struct table_options *options_of(enum yore_compression compression)
{
    static struct table_options options = {.identity = {0x1122334455667788, 42},
                                           .page_bytes = 4096};
    options.compression = compression;
    return &options;
}

static void golden_path(enum yore_compression compression, char path[512])
{
    static const char *const names[] = {"", "none", "lz4", "zstd"};
    snprintf(path, 512, "%s/tiny_%s.table", folder, names[compression]);
}

static size_t read_golden(enum yore_compression compression, unsigned char *bytes)
{
    char path[512];
    golden_path(compression, path);
    FILE *file = fopen(path, "rb");
    CHECK_MSG(file != NULL, "cannot open %s", path);
    size_t size = fread(bytes, 1, FILE_BYTES_MAX, file);
    fclose(file);
    return size;
}

static void write_golden(enum yore_compression compression, const unsigned char *bytes, size_t size)
{
    char path[512];
    golden_path(compression, path);
    FILE *file = fopen(path, "wb");
    CHECK(file != NULL && fwrite(bytes, 1, size, file) == size);
    fclose(file);
}

/* Build the tiny table; its octets. */
static size_t build(struct fixture *f, enum yore_compression compression, struct table_meta *meta,
                    unsigned char *bytes)
{
    struct os_file *file = NULL;
    size_t size = 0;
    fixture_build(f, "t", options_of(compression), rows, ROW_COUNT, meta);
    CHECK_OK(os_file_open(f->env, "t", OS_OPEN_READ, &file, NULL));
    CHECK_OK(os_file_read(file, 0, bytes, FILE_BYTES_MAX, &size, NULL));
    os_file_close(file);
    CHECK_OK(os_path_unlink(f->env, "t", NULL));
    return size;
}

/* A file of the golden octets answers as the rows it was made of. */
static void check_readable(struct fixture *f, enum yore_compression compression,
                           const struct table_meta *meta, const unsigned char *bytes, size_t size)
{
    struct os_file *file = NULL;
    struct table *table = NULL;
    struct version_iter *it = NULL;
    struct yore_error error = {0};
    uint64_t pages = 0;
    CHECK_OK(os_file_open(f->env, "t", OS_OPEN_CREATE, &file, NULL));
    CHECK_OK(os_file_write(file, 0, bytes, size, NULL));
    os_file_close(file);
    CHECK_OK(table_open(f->pool, "t", options_of(compression)->identity, meta, &table));
    enum yore_status st = table_verify(table, &pages, &error);
    CHECK_MSG(st == YORE_OK, "%s", error.text);
    struct iter_view all = {.known = INT64_MAX, .commit_after = INT64_MIN};
    CHECK_OK(table_iter_new(table, &all, &it));
    size_t at = 0;
    for (version_iter_first(it); it->is_valid; version_iter_next(it)) {
        check_version(&it->at, &rows[at++]);
    }
    CHECK_EQ_UINT(at, ROW_COUNT);
    version_iter_free(it);
    table_close(table);
    CHECK_OK(os_path_unlink(f->env, "t", NULL));
}

TEST(golden_files_stay_as_they_are)
{
    unsigned char made[FILE_BYTES_MAX];
    unsigned char golden[FILE_BYTES_MAX];
    for (int i = YORE_COMPRESSION_NONE; i <= YORE_COMPRESSION_ZSTD; i++) {
        enum yore_compression compression = (enum yore_compression)i;
        struct fixture f;
        struct table_meta meta;
        fixture_open(&f, 1 << 20, 2);
        size_t size = build(&f, compression, &meta, made);
        if (getenv("YORE_GOLDEN_WRITE") != NULL) {
            write_golden(compression, made, size);
        }
        size_t golden_size = read_golden(compression, golden);
        if (compression == YORE_COMPRESSION_NONE) { /* compressors may change their minds */
            CHECK_EQ_BYTES(made, size, golden, golden_size);
        }
        meta.file_bytes = golden_size;
        meta.file_crc = crc32c(0, golden, golden_size);
        check_readable(&f, compression, &meta, golden, golden_size);
        table_meta_release(&meta);
        fixture_close(&f);
    }
}

int main(int argc, char **argv)
{
    static const struct test_case *const cases[] = {golden_files_stay_as_they_are};
    if (argc > 1 && argv[1][0] != '-') {
        folder = argv[1];
        argv[1] = argv[0];
        argv++;
        argc--;
    }
    return test_main(argc, argv, cases, 1);
}
