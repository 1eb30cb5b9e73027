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
#define SHARED_ROWS 96 /* two of each key, at four times */
#define FILE_BYTES_MAX 4096

static const char *folder = ".";

/* A golden file and what it is made of. */
struct golden {
    const char *name;
    enum yore_compression compression;
    const struct version *rows;
    size_t row_count;
};

/* Of few transactions each row has a time that others have as well. */
static const struct version *shared_rows(void)
{
    static struct version made[SHARED_ROWS];
    static char keys[SHARED_ROWS][4];
    for (size_t i = 0; i < SHARED_ROWS; i++) {
        int64_t time = i % 2 == 0 ? 3000 + (int64_t)(i % 3) * 100 : 1000;
        (void)snprintf(keys[i], sizeof keys[i], "k%02zu", i / 2);
        made[i] = (struct version){
            .key = {keys[i], 3},
            .valid_from = time,
            .commit = time + 7,
            .valid_to = YORE_FOREVER,
            .kind = i % 2 == 0 ? YORE_KIND_DELETE : YORE_KIND_PUT,
        };
    }
    return made;
}

static const struct table_options *options_of(enum yore_compression compression)
{
    static struct table_options options = {.identity = {0x1122334455667788, 42},
                                           .page_bytes = 4096};
    options.compression = compression;
    return &options;
}

static void golden_path(const struct golden *golden, char path[512])
{
    snprintf(path, 512, "%s/%s.table", folder, golden->name);
}

static size_t read_golden(const struct golden *golden, unsigned char *bytes)
{
    char path[512];
    golden_path(golden, path);
    FILE *file = fopen(path, "rb");
    CHECK_MSG(file != NULL, "cannot open %s", path);
    size_t size = fread(bytes, 1, FILE_BYTES_MAX, file);
    fclose(file);
    return size;
}

static void write_golden(const struct golden *golden, const unsigned char *bytes, size_t size)
{
    char path[512];
    golden_path(golden, path);
    FILE *file = fopen(path, "wb");
    CHECK(file != NULL && fwrite(bytes, 1, size, file) == size);
    fclose(file);
}

/* Build the tiny table; its octets. */
static size_t build(struct fixture *f, const struct golden *golden, struct table_meta *meta,
                    unsigned char *bytes)
{
    struct os_file *file = NULL;
    size_t size = 0;
    fixture_build(f, "t", options_of(golden->compression), golden->rows, golden->row_count, meta);
    CHECK_OK(os_file_open(f->env, "t", OS_OPEN_READ, &file, NULL));
    CHECK_OK(os_file_read(file, 0, bytes, FILE_BYTES_MAX, &size, NULL));
    os_file_close(file);
    CHECK_OK(os_path_unlink(f->env, "t", NULL));
    return size;
}

/* A file of the golden octets answers as the rows it was made of. */
static void check_readable(struct fixture *f, const struct golden *golden,
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
    CHECK_OK(table_open(f->pool, "t", options_of(golden->compression)->identity, meta, &table));
    enum yore_status st = table_verify(table, &pages, &error);
    CHECK_MSG(st == YORE_OK, "%s", error.text);
    struct iter_view all = {.known = INT64_MAX, .commit_after = INT64_MIN};
    CHECK_OK(table_iter_new(table, &all, &it));
    size_t at = 0;
    for (version_iter_first(it); it->is_valid; version_iter_next(it)) {
        check_version(&it->at, &golden->rows[at++]);
    }
    CHECK_EQ_UINT(at, golden->row_count);
    version_iter_free(it);
    table_close(table);
    CHECK_OK(os_path_unlink(f->env, "t", NULL));
}

TEST(golden_files_stay_as_they_are)
{
    const struct golden files[] = {
        {"tiny_none", YORE_COMPRESSION_NONE, rows, ROW_COUNT},
        {"tiny_lz4", YORE_COMPRESSION_LZ4, rows, ROW_COUNT},
        {"tiny_zstd", YORE_COMPRESSION_ZSTD, rows, ROW_COUNT},
        {"shared_times", YORE_COMPRESSION_NONE, shared_rows(), SHARED_ROWS},
    };
    unsigned char made[FILE_BYTES_MAX];
    unsigned char golden[FILE_BYTES_MAX];
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        struct fixture f;
        struct table_meta meta;
        fixture_open(&f, 1 << 20, 2);
        size_t size = build(&f, &files[i], &meta, made);
        if (getenv("YORE_GOLDEN_WRITE") != NULL) {
            write_golden(&files[i], made, size);
        }
        size_t golden_size = read_golden(&files[i], golden);
        if (files[i].compression == YORE_COMPRESSION_NONE) { /* others may change their minds */
            CHECK_EQ_BYTES(made, size, golden, golden_size);
        }
        meta.file_bytes = golden_size;
        meta.file_crc = crc32c(0, golden, golden_size);
        check_readable(&f, &files[i], &meta, golden, golden_size);
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
