/* page_test.c -- the decoder refuses every kind of nonsense by name, and verification what no check
 * sum tells.
 *
 * Cases edit the golden table octet by octet; docs/format.md, "A table, octet by octet", names the
 * places. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/coding.h"
#include "base/crc32c.h"
#include "table/page.h"
#include "table/page_writer.h"
#include "table/table_format.h"
#include "table_fixture.h"

#define FILE_BYTES 513
#define COLUMNS_AT 0x46
#define COLUMNS_BYTES 98

static const char *folder = ".";

static void read_golden(unsigned char bytes[FILE_BYTES])
{
    char path[512];
    snprintf(path, sizeof(path), "%s/tiny_none.table", folder);
    FILE *file = fopen(path, "rb");
    CHECK_MSG(file != NULL, "cannot open %s", path);
    size_t size = fread(bytes, 1, FILE_BYTES, file);
    fclose(file);
    CHECK_EQ_UINT(size, FILE_BYTES);
}

struct edit {
    unsigned at;
    unsigned char to;
    const char *what;
};

TEST(nonsense_columns_are_called_by_their_name)
{
    static const struct edit edits[] = {
        {0x46, 0x00, "impossible counts"},
        {0x47, 0x05, "impossible counts"},
        {0x4a, 0x7f, "columns do not fit"},
        {0x4f, 0x01, "columns do not fit"},
        {0x4d, 0x0c, "impossible key size"},
        {0x4e, 0x04, "key sizes and octets disagree"},
        {0x50, 0x00, "malformed key sizes"},
        {0x53, 0x01, "impossible key size"},
        {0x59, 0x7a, "keys out of order"},
        {0x6d, 0x06, "impossible version count"},
        {0x6d, 0x02, "impossible version count"},
        {0x6a, 0x00, "malformed version counts"},
        {0x71, 0x00, "malformed times"},
        {0x79, 0x01, "malformed times"},
        {0x7b, 0xd1, "versions out of order"},
        {0x7d, 0x07, "a commit before its valid_from"},
        {0x7e, 0x00, "malformed commits"},
        {0x87, 0x01, "malformed marks"},
        {0x89, 0x00, "impossible mark"},
        {0x89, 0x41, "impossible mark"},
        {0x8c, 0x22, "impossible mark"},
        {0x8b, 0x01, "ends and marks disagree"},
        {0x8e, 0x01, "malformed ends"},
        {0x93, 0x00, "malformed value sizes"},
        {0x96, 0x01, "impossible value size"},
        {0x96, 0x0c, "value sizes and octets disagree"},
        {0x96, 0x08, "value sizes and octets disagree"},
        {0x9a, 0x02, "numbers that are not of eight octets"},
    };
    unsigned char golden[FILE_BYTES];
    read_golden(golden);
    for (size_t i = 0; i < sizeof(edits) / sizeof(edits[0]); i++) {
        unsigned char columns[COLUMNS_BYTES];
        struct page *page = NULL;
        const char *what = "";
        memcpy(columns, golden + COLUMNS_AT, COLUMNS_BYTES);
        columns[edits[i].at - COLUMNS_AT] = edits[i].to;
        test_note("octet 0x%x to 0x%x", edits[i].at, edits[i].to);
        CHECK_STATUS(page_decode(NULL, bytes_of(columns, COLUMNS_BYTES), &page, &what),
                     YORE_CORRUPT);
        CHECK_EQ_STR(what, edits[i].what);
        CHECK(page == NULL);
    }
}

TEST(later_columns_and_encodings_are_told_from_damage)
{
    static const struct edit edits[] = {
        {0x99, 0x10, ""}, {0x49, 0x07, ""}, {0x57, 0x01, ""}, {0x87, 0x02, ""}, {0x9a, 0x04, ""}};
    unsigned char golden[FILE_BYTES];
    read_golden(golden);
    for (size_t i = 0; i < sizeof(edits) / sizeof(edits[0]); i++) {
        unsigned char columns[COLUMNS_BYTES];
        struct page *page = NULL;
        const char *what = NULL;
        memcpy(columns, golden + COLUMNS_AT, COLUMNS_BYTES);
        columns[edits[i].at - COLUMNS_AT] = edits[i].to;
        test_note("octet 0x%x to 0x%x", edits[i].at, edits[i].to);
        CHECK_STATUS(page_decode(NULL, bytes_of(columns, COLUMNS_BYTES), &page, &what),
                     YORE_BAD_FORMAT);
    }
}

TEST(missing_columns_are_missed)
{
    unsigned char golden[FILE_BYTES];
    read_golden(golden);
    for (size_t size = 0; size < COLUMNS_BYTES; size++) {
        unsigned char *cut = malloc(size + 1);
        struct page *page = NULL;
        const char *what = NULL;
        CHECK(cut != NULL);
        memcpy(cut, golden + COLUMNS_AT, size);
        enum yore_status st = page_decode(NULL, bytes_of(cut, size), &page, &what);
        /* A page may do without lags, without marks, and without values, but not in between. */
        bool is_page =
            size == 0x7d - COLUMNS_AT || size == 0x86 - COLUMNS_AT || size == 0x92 - COLUMNS_AT;
        test_note("%d octets", (int)size);
        CHECK_STATUS(st, is_page ? YORE_OK : YORE_CORRUPT);
        page_free(page);
        free(cut);
    }
}

/* A key's versions, the second `step` before the first; with `lag` they are back-dated. */
static enum yore_status decode_two(int64_t step, int64_t lag, const char **what_out)
{
    struct page_writer w = {0};
    struct buffer raw = {0};
    struct page *page = NULL;
    for (int64_t i = 0; i < 2; i++) {
        struct version version = {.key = bytes_of("k", 1),
                                  .valid_from = 1000 - i * step,
                                  .commit = 1000 - i * step + lag,
                                  .valid_to = YORE_FOREVER,
                                  .kind = YORE_KIND_PUT};
        CHECK_OK(page_writer_add(&w, &version, i == 0));
    }
    CHECK_OK(page_writer_encode(&w, &raw));
    enum yore_status st = page_decode(NULL, buffer_bytes(&raw), &page, what_out);
    page_free(page);
    buffer_release(&raw);
    page_writer_release(&w);
    return st;
}

TEST(one_version_twice_is_out_of_order)
{
    for (int64_t lag = 0; lag < 2; lag++) {
        const char *what = "";
        CHECK_OK(decode_two(1, lag, &what));
        CHECK_STATUS(decode_two(0, lag, &what), YORE_CORRUPT);
        CHECK_EQ_STR(what, "versions out of order");
    }
}

/* Give file and footer their checks again after an edit of index, filter or meta. */
static void mend(unsigned char *file)
{
    struct file_identity identity = {0x1122334455667788, 42};
    uint64_t check_id = file_check_id(&identity);
    unsigned char *footer = file + FILE_BYTES - TABLE_FOOTER_BYTES;
    static const unsigned blocks[][2] = {{FOOTER_AT_INDEX, FOOTER_AT_INDEX_CRC},
                                         {FOOTER_AT_FILTER, FOOTER_AT_FILTER_CRC},
                                         {FOOTER_AT_META, FOOTER_AT_META_CRC}};
    for (size_t i = 0; i < 3; i++) {
        uint64_t offset = get_u64(footer + blocks[i][0]);
        uint64_t size = get_u64(footer + blocks[i][0] + 8);
        put_u32(footer + blocks[i][1],
                crc32c_placed(check_id, offset, file + offset, (size_t)size));
    }
    put_u32(footer + FOOTER_AT_CRC,
            crc32c_placed(check_id, FILE_BYTES - TABLE_FOOTER_BYTES, footer, FOOTER_AT_CRC));
}

/* What verification says of the octets as the table they claim to be. */
static void verify(const unsigned char *file, struct yore_error *error)
{
    struct fixture f;
    struct os_file *to = NULL;
    struct table *table = NULL;
    struct table_meta meta;
    struct file_identity identity = {0x1122334455667788, 42};
    struct decoder d;
    uint64_t pages = 0;
    fixture_open(&f, 1 << 20, 2);
    decoder_init(&d, file + 0x104, 0x9d);
    CHECK_OK(table_meta_decode(&d, &meta));
    meta.file_crc = crc32c(0, file, FILE_BYTES);
    CHECK_OK(os_file_open(f.env, "t", OS_OPEN_CREATE, &to, NULL));
    CHECK_OK(os_file_write(to, 0, file, FILE_BYTES, NULL));
    os_file_close(to);
    CHECK_OK(table_open(f.pool, "t", identity, &meta, &table));
    error->status = YORE_OK;
    enum yore_status st = table_verify(table, &pages, error);
    CHECK_EQ_INT(st, error->status);
    table_close(table);
    table_meta_release(&meta);
    fixture_close(&f);
}

TEST(verification_finds_lies_under_good_checks)
{
    static const struct edit edits[] = {
        {0xac, 0x02, "malformed index"},
        {0xad, 0x01, "malformed index"},
        {0xb4, 0x01, "index out of order"},
        {0xb3, 'f', "page and index disagree"},
        {0xb9, 0xe7, "times of page and index disagree"},
        {0xbb, 0xd2, "times of page and index disagree"},
        {0xbf, 0x05, "page and index disagree"},
        {0xc2, 0x61, "page and index disagree"},
        {0xc1, 0x6b, "pages and index do not meet"},
        {0xc3, 0x01, "malformed index"},
        {0xc8, 0x00, "the filter denies a key that is there"},
        {0x118, 0x04, "counts or bounds are not the meta's"},
        {0x118, 0x80, "filter of another size"},
        {0x138, 0x00, "counts or bounds are not the meta's"},
        {0x19b, 'c', "counts or bounds are not the meta's"},
        {0x195, 'b', "the first key is not the meta's"},
        {0x1b1, 0xc5, "blocks do not meet"},
    };
    unsigned char golden[FILE_BYTES];
    struct yore_error error = {0};
    read_golden(golden);
    verify(golden, &error);
    CHECK_STATUS(error.status, YORE_OK);
    for (size_t i = 0; i < sizeof(edits) / sizeof(edits[0]); i++) {
        unsigned char file[FILE_BYTES];
        memcpy(file, golden, FILE_BYTES);
        file[edits[i].at] = edits[i].to;
        mend(file);
        test_note("octet 0x%x to 0x%x", edits[i].at, edits[i].to);
        verify(file, &error);
        CHECK_STATUS(error.status, YORE_CORRUPT);
        CHECK_MSG(strstr(error.text, edits[i].what) != NULL, "%s", error.text);
    }
}

/* ---- shared times ---- */

/* Two keys of one time, 500 and 504. */
static const unsigned char shared_columns[] = {
    2,  2,                      /* versions, keys */
    2,  0, 1, 2,                /* sizes: 1 each */
    3,  0, 2, 'a',  'b',        /* keys */
    13, 0, 3, 1,    0xe8, 0x07, /* times: one, 500 */
    14, 0, 2, 0xf0, 0x07,       /* commits: 504 */
    15, 0, 1, 0,                /* which: the first */
};
#define SHARED_BYTES sizeof(shared_columns)

static enum yore_status decode_columns(const unsigned char *columns, size_t size,
                                       struct page **page_out, const char **what_out)
{
    *what_out = "";
    return page_decode(NULL, bytes_of(columns, size), page_out, what_out);
}

TEST(nonsense_in_shared_times_is_called_by_its_name)
{
    static const struct edit edits[] = {
        {14, 0x00, "malformed times"},          {14, 0x03, "malformed times"},
        {16, 0x87, "malformed times"},          {12, 0x01, "malformed times"},
        {18, 0x01, "malformed commits"},        {20, 0xe6, "a commit before its valid_from"},
        {25, 0x02, "a time that is not there"}, {25, 0x01, "a time that is not there"},
        {25, 0x80, "malformed times"},
    };
    unsigned char columns[SHARED_BYTES];
    struct page *page = NULL;
    const char *what;
    CHECK_OK(decode_columns(shared_columns, SHARED_BYTES, &page, &what));
    CHECK_EQ_INT(page_valid_from(page)[1], 500);
    CHECK_EQ_INT(page_commit(page)[1], 504);
    page_free(page);
    for (size_t i = 0; i < sizeof(edits) / sizeof(edits[0]); i++) {
        memcpy(columns, shared_columns, SHARED_BYTES);
        columns[edits[i].at] = edits[i].to;
        test_note("octet %u to 0x%x", edits[i].at, edits[i].to);
        CHECK_STATUS(decode_columns(columns, SHARED_BYTES, &page, &what), YORE_CORRUPT);
        CHECK_EQ_STR(what, edits[i].what);
    }
}

TEST(times_one_by_one_and_shared_are_not_both_there)
{
    static const unsigned char valid_first[] = {5, 0, 2, 0xe8, 0x07};
    unsigned char columns[SHARED_BYTES + sizeof(valid_first)];
    struct page *page = NULL;
    const char *what;
    memcpy(columns, shared_columns, 11);
    memcpy(columns + 11, valid_first, sizeof(valid_first));
    memcpy(columns + 11 + sizeof(valid_first), shared_columns + 11, SHARED_BYTES - 11);
    CHECK_STATUS(decode_columns(columns, sizeof(columns), &page, &what), YORE_CORRUPT);
    CHECK_EQ_STR(what, "times twice");
    /* The numbers alone: of which times? */
    memcpy(columns + 11 + sizeof(valid_first), shared_columns + 22, SHARED_BYTES - 22);
    CHECK_STATUS(decode_columns(columns, SHARED_BYTES - 6, &page, &what), YORE_CORRUPT);
    CHECK_EQ_STR(what, "numbers of no times");
}

/* Whether the columns have one of that id. */
static bool has_column(struct yore_bytes raw, unsigned id)
{
    struct decoder d;
    decoder_init(&d, raw.data, raw.size);
    decode_varint(&d);
    decode_varint(&d);
    unsigned at = 0;
    while (at != id && decoder_left(&d) > 0) {
        at = decode_u8(&d);
        decode_u8(&d);
        decode_run(&d, (size_t)decode_varint(&d));
    }
    return at == id;
}

/* Keys of one to three versions, at some of `times`; a commit lies `lag` behind, or a multiple. */
static uint32_t some_versions(struct test_rand *rand, uint32_t times, int64_t lag,
                              struct version *versions, uint32_t count, char keys[][8])
{
    uint32_t made = 0;
    for (uint32_t number = 0; made + 3 <= count; number++) {
        (void)snprintf(keys[number], 8, "k%04u", (unsigned)number);
        uint64_t time = test_rand_below(rand, times);
        for (uint32_t k = 1 + (uint32_t)test_rand_below(rand, 3); k > 0; k--) {
            versions[made++] =
                (struct version){.key = bytes_of(keys[number], 5),
                                 .valid_from = (int64_t)time * 7919 - 1000,
                                 .commit = (int64_t)time * 7919 - 1000 + lag * (int64_t)(time % 3),
                                 .valid_to = YORE_FOREVER,
                                 .kind = YORE_KIND_PUT};
            if (time == 0) {
                break;
            }
            time = test_rand_below(rand, time);
        }
    }
    return made;
}

TEST(times_that_many_versions_have_are_written_once)
{
    static struct version versions[400];
    static char keys[400][8];
    struct test_rand rand = test_rand_new(0);
    unsigned shared = 0;
    for (unsigned i = 0; i < 400; i++) {
        struct page_writer w = {0};
        struct buffer raw = {0};
        struct page *page = NULL;
        const char *what = "";
        uint32_t times = 1 + (uint32_t)test_rand_below(&rand, i % 2 == 0 ? 20 : 1000);
        uint32_t count = some_versions(&rand, times, i % 3, versions,
                                       3 + (uint32_t)test_rand_below(&rand, 397), keys);
        for (uint32_t k = 0; k < count; k++) {
            bool is_new_key = k == 0 || versions[k].key.data != versions[k - 1].key.data;
            CHECK_OK(page_writer_add(&w, &versions[k], is_new_key));
        }
        CHECK_OK(page_writer_encode(&w, &raw));
        CHECK_OK(page_decode(NULL, buffer_bytes(&raw), &page, &what));
        CHECK_EQ_UINT(page->version_count, count);
        for (uint32_t k = 0; k < count; k++) {
            struct version v;
            page_read_version(page, k, &v);
            CHECK_EQ_INT(v.valid_from, versions[k].valid_from);
            CHECK_EQ_INT(v.commit, versions[k].commit);
        }
        bool is_shared = has_column(buffer_bytes(&raw), PAGE_COLUMN_TIMES);
        CHECK(!is_shared || !has_column(buffer_bytes(&raw), PAGE_COLUMN_VALID_FIRST));
        shared += is_shared;
        page_free(page);
        page_writer_release(&w);
        buffer_release(&raw);
    }
    CHECK_MSG(shared > 100 && shared < 300, "%u of 400", shared);
}

#define SPAN_VERSIONS_MAX 150u

/* Mostly near each other, now and then at an end of time. */
static int64_t some_time(struct test_rand *rand)
{
    static const int64_t edges[] = {INT64_MIN, INT64_MIN + 1, -1, 0, INT64_MAX - 2, INT64_MAX - 1};
    return test_rand_one_in(rand, 50) ? edges[test_rand_below(rand, 6)]
                                      : (int64_t)test_rand_below(rand, 1000) - 500;
}

static int later_first(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a;
    int64_t y = *(const int64_t *)b;
    return (x < y) - (x > y);
}

/* Of many keys, with `of_each` versions at most; where `ends`, some of them end. */
static struct page *page_of_times(struct test_rand *rand, uint32_t count, uint32_t of_each,
                                  bool ends)
{
    struct page_writer w = {0};
    struct buffer raw = {0};
    struct page *page = NULL;
    const char *what = "";
    int64_t times[16];
    char key[8];
    for (uint32_t i = 0, number = 0; i < count; number++) {
        uint32_t versions = 1 + (uint32_t)test_rand_below(rand, of_each);
        for (uint32_t k = 0; k < versions; k++) {
            times[k] = some_time(rand);
        }
        qsort(times, versions, sizeof *times, later_first);
        (void)snprintf(key, sizeof key, "k%04u", (unsigned)number);
        for (uint32_t k = 0; k < versions && i < count; k++) {
            struct version version = {.key = bytes_of(key, 5),
                                      .valid_from = times[k],
                                      .commit = times[k],
                                      .valid_to = YORE_FOREVER,
                                      .kind = YORE_KIND_PUT};
            if (ends && times[k] < YORE_FOREVER - 2 && test_rand_one_in(rand, 2)) {
                version.valid_to = times[k] + 1 + (int64_t)test_rand_below(rand, 2);
            }
            if (k == 0 || times[k] < times[k - 1]) {
                CHECK_OK(page_writer_add(&w, &version, k == 0));
                i++;
            }
        }
    }
    CHECK_OK(page_writer_encode(&w, &raw));
    CHECK_OK(page_decode(NULL, buffer_bytes(&raw), &page, &what));
    page_writer_release(&w);
    buffer_release(&raw);
    return page;
}

static uint32_t first_changed(const struct page *page, uint32_t version,
                              const struct time_span *span)
{
    for (; version < page->version_count; version++) {
        struct version v;
        page_read_version(page, version, &v);
        if (version_changes_in(&v, span)) {
            break;
        }
    }
    return version;
}

static int64_t first_begin(const struct page *page)
{
    int64_t first = INT64_MAX;
    for (uint32_t i = 0; i < page->version_count; i++) {
        struct version v;
        page_read_version(page, i, &v);
        first = v.valid_from < first ? v.valid_from : first;
    }
    return first;
}

TEST(what_begins_or_ends_in_a_span_is_found_wherever_it_stands)
{
    struct test_rand rand = test_rand_new(0);
    for (unsigned i = 0; i < 3000; i++) {
        uint32_t count = 1 + (uint32_t)test_rand_below(&rand, SPAN_VERSIONS_MAX);
        uint32_t of_each = 1 + (uint32_t)test_rand_below(&rand, 8);
        struct page *page = page_of_times(&rand, count, of_each, test_rand_one_in(&rand, 3));
        for (unsigned k = 0; k < 20; k++) {
            struct time_span span = {some_time(&rand), some_time(&rand)};
            if (k == 0) { /* up to the very first */
                span.until = first_begin(page);
            }
            uint32_t from = (uint32_t)test_rand_below(&rand, page->version_count);
            test_note("%u versions from %u, after %lld until %lld", (unsigned)page->version_count,
                      (unsigned)from, (long long)span.after, (long long)span.until);
            CHECK_EQ_UINT(page_find_changed(page, from, &span), first_changed(page, from, &span));
        }
        page_free(page);
    }
    test_count(60000);
}

#define MARKED_VERSIONS_MAX 70

/* What the page below is made of; the value of version i has the octet i. */
struct marked {
    bool has_deletes;
    bool has_ends;
    bool has_sizes; /* of more than one kind */
};

static struct version marked_version(struct test_rand *rand, const struct marked *kinds,
                                     uint32_t number, const unsigned char *octets)
{
    struct version v = {.key = bytes_of("key", 3),
                        .valid_from = 1000 - (int64_t)number,
                        .commit = 1000 - (int64_t)number,
                        .valid_to = YORE_FOREVER,
                        .kind = YORE_KIND_PUT,
                        .flags = (unsigned)test_rand_below(rand, MARK_FLAGS + 1)};
    if (kinds->has_deletes && test_rand_one_in(rand, 8)) {
        v.kind = YORE_KIND_DELETE;
    } else {
        v.value = bytes_of(octets, kinds->has_sizes ? test_rand_below(rand, 20) : 20);
        if (kinds->has_ends && test_rand_one_in(rand, 8)) {
            v.valid_to = v.valid_from + 1;
        }
    }
    return v;
}

static void check_marked(struct test_rand *rand, uint32_t count, const struct marked *kinds)
{
    static unsigned char octets[MARKED_VERSIONS_MAX][20];
    struct version versions[MARKED_VERSIONS_MAX];
    struct page_writer w = {0};
    struct buffer raw = {0};
    struct page *page = NULL;
    const char *what = "";
    for (uint32_t i = 0; i < count; i++) {
        memset(octets[i], (int)i, sizeof octets[i]);
        versions[i] = marked_version(rand, kinds, i, octets[i]);
        CHECK_OK(page_writer_add(&w, &versions[i], i == 0));
    }
    CHECK_OK(page_writer_encode(&w, &raw));
    CHECK_OK(page_decode(NULL, buffer_bytes(&raw), &page, &what));
    for (uint32_t i = 0; i < count; i++) {
        struct version v;
        page_read_version(page, i, &v);
        CHECK_EQ_UINT(v.kind, versions[i].kind);
        CHECK_EQ_UINT(v.flags, versions[i].flags);
        CHECK(v.valid_to == versions[i].valid_to);
        CHECK(bytes_equal(v.value, versions[i].value));
    }
    page_free(page);
    buffer_release(&raw);
    page_writer_release(&w);
}

TEST(versions_of_any_kinds_flags_ends_and_sizes_come_back)
{
    struct test_rand rand = test_rand_new(0);
    for (unsigned i = 0; i < 4000; i++) {
        struct marked kinds = {i % 2 != 0, i / 2 % 2 != 0, i / 4 % 2 != 0};
        uint32_t count = 1 + (uint32_t)test_rand_below(&rand, MARKED_VERSIONS_MAX);
        test_note("%u versions, kinds %u", (unsigned)count, i % 8);
        check_marked(&rand, count, &kinds);
    }
    test_count(4000);
}

int main(int argc, char **argv)
{
    static const struct test_case *const cases[] = {
        nonsense_columns_are_called_by_their_name,
        later_columns_and_encodings_are_told_from_damage,
        missing_columns_are_missed,
        one_version_twice_is_out_of_order,
        verification_finds_lies_under_good_checks,
        nonsense_in_shared_times_is_called_by_its_name,
        times_one_by_one_and_shared_are_not_both_there,
        times_that_many_versions_have_are_written_once,
        what_begins_or_ends_in_a_span_is_found_wherever_it_stands,
        versions_of_any_kinds_flags_ends_and_sizes_come_back};
    if (argc > 1 && argv[1][0] != '-') {
        folder = argv[1];
        argv[1] = argv[0];
        argv++;
        argc--;
    }
    return test_main(argc, argv, cases, sizeof(cases) / sizeof(cases[0]));
}
