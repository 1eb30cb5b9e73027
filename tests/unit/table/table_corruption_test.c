/* table_corruption_test.c -- one bit of every octet, a cut at every octet, files in the wrong
 * place: whatever is read is right or refused with file and offset; nothing is missing, nothing
 * crashes. */
#include <stdlib.h>
#include <string.h>

#include "base/coding.h"
#include "base/crc32c.h"
#include "support/test.h"
#include "table/table_format.h"
#include "table_fixture.h"

struct victim {
    struct fixture f;
    struct model m;
    struct table_options options;
    struct table_meta meta;
};

static void victim_make(struct victim *v, struct test_rand *rand, enum yore_compression compression,
                        bool is_stamped)
{
    fixture_open(&v->f, 1 << 16, 4);
    struct model_shape shape = {.key_count = 24,
                                .versions_max = 6,
                                .key_bytes_max = 20,
                                .value_bytes_max = 40,
                                .has_late = true,
                                .has_kinds = true,
                                .time_step = 1000};
    v->m = model_random(rand, &shape);
    v->options =
        (struct table_options){.identity = {77, 5}, .page_bytes = 512, .compression = compression};
    v->options.is_stamped = is_stamped;
    if (is_stamped) {
        model_stamp(&v->m, 123456789);
    }
    fixture_build(&v->f, "t", &v->options, v->m.versions, v->m.count, &v->meta);
}

static void victim_open(struct victim *v, struct test_rand *rand, enum yore_compression compression)
{
    victim_make(v, rand, compression, false);
}

static void victim_close(struct victim *v)
{
    table_meta_release(&v->meta);
    model_release(&v->m);
    fixture_close(&v->f);
}

/* A finding names file and place. */
static bool is_refused(enum yore_status st, const struct yore_error *error)
{
    return st == YORE_CORRUPT && error->status == st && strstr(error->text, "t: offset ") != NULL;
}

/* Walk all of it; stops at the first refusal. */
static void check_rows(struct table *table, const struct model *m, const struct iter_view *view)
{
    struct model seen = model_view(m, view);
    struct version_iter *it = NULL;
    CHECK_OK(table_iter_new(table, view, &it));
    size_t at = 0;
    for (version_iter_first(it); it->is_valid; version_iter_next(it)) {
        CHECK(at < seen.count);
        check_version(&it->at, &seen.versions[at]);
        at++;
    }
    CHECK(at == seen.count ? it->status == YORE_OK : is_refused(it->status, &it->error));
    version_iter_last(it);
    for (at = seen.count; it->is_valid; version_iter_prev(it)) {
        CHECK(at > 0);
        at--;
        check_version(&it->at, &seen.versions[at]);
    }
    CHECK(at == 0 ? it->status == YORE_OK : is_refused(it->status, &it->error));
    version_iter_free(it);
    model_release(&seen);
}

static void check_keys(struct table *table, const struct model *m)
{
    for (size_t i = 0; i < m->count; i++) {
        const struct version *want = &m->versions[i];
        if (i > 0 && bytes_equal(want->key, m->versions[i - 1].key)) {
            continue;
        }
        struct version got;
        struct table_pin pin;
        struct yore_error error = {0};
        enum yore_status st = table_get(table, want->key, INT64_MAX, INT64_MAX, &got, &pin, &error);
        CHECK(st == YORE_OK || is_refused(st, &error));
        if (st == YORE_OK) {
            check_version(&got, want);
            table_pin_release(&pin);
        }
        CHECK(table_may_hold(table, want->key));
    }
}

/* Read everything of "t" there is; `is_damaged`: verification must find it. */
static void read_all(struct victim *v, bool is_damaged)
{
    struct table *table = NULL;
    CHECK_OK(table_open(v->f.pool, "t", v->options.identity, &v->meta, &table));
    struct iter_view all = {.known = INT64_MAX, .commit_after = INT64_MIN};
    struct iter_view as_of = {
        .is_as_of = true, .valid = v->m.versions[v->m.count / 2].valid_from, .known = INT64_MAX};
    check_rows(table, &v->m, &all);
    check_rows(table, &v->m, &as_of);
    check_keys(table, &v->m);
    struct yore_error error = {0};
    uint64_t pages = 0;
    enum yore_status st = table_verify(table, &pages, &error);
    CHECK_MSG(is_damaged ? is_refused(st, &error) : st == YORE_OK, "%d %s", (int)st, error.text);
    table_close(table);
}

TEST(one_bit_of_every_octet_is_found)
{
    struct test_rand rand = test_rand_new(0);
    for (int round = 0; round < 4; round++) { /* every compression, and a stamped table */
        int compression = round < 3 ? YORE_COMPRESSION_NONE + round : YORE_COMPRESSION_LZ4;
        struct victim v = {0};
        victim_make(&v, &rand, (enum yore_compression)compression, round == 3);
        read_all(&v, false);
        for (uint64_t at = 0; at < v.meta.file_bytes; at++) {
            for (unsigned bit = 0; bit < 8; bit++) {
                if (!test_is_soak() && bit != (at * 5 + (unsigned)compression) % 8) {
                    continue;
                }
                test_note("compression %d, octet %d, bit %u", compression, (int)at, bit);
                CHECK(sim_disk_flip_bit(v.f.disk, "t", at, bit));
                read_all(&v, true);
                CHECK(sim_disk_flip_bit(v.f.disk, "t", at, bit));
                test_count(1);
            }
        }
        read_all(&v, false);
        victim_close(&v);
    }
}

TEST(a_cut_at_every_octet_is_found)
{
    struct test_rand rand = test_rand_new(0);
    struct victim v = {0};
    victim_open(&v, &rand, YORE_COMPRESSION_LZ4);
    CHECK(sim_disk_copy_file(v.f.disk, "t", "whole"));
    for (uint64_t at = 0; at < v.meta.file_bytes; at++) {
        test_note("cut at %d", (int)at);
        CHECK(sim_disk_copy_file(v.f.disk, "whole", "t"));
        CHECK(sim_disk_truncate_file(v.f.disk, "t", at));
        read_all(&v, true);
        test_count(1);
    }
    CHECK_OK(os_path_unlink(v.f.env, "t", NULL));
    read_all(&v, true); /* missing altogether */
    victim_close(&v);
}

/* The text a reader of "t" is given. */
static void check_stranger(struct victim *v, const char *text)
{
    struct table *table = NULL;
    struct yore_error error = {0};
    uint64_t pages = 0;
    CHECK_OK(table_open(v->f.pool, "t", v->options.identity, &v->meta, &table));
    CHECK(is_refused(table_verify(table, &pages, &error), &error));
    CHECK_MSG(strstr(error.text, text) != NULL, "%s", error.text);
    table_close(table);
    read_all(v, true);
}

/* Put a table of `identity` with the same rows in the place of "t". */
static void replace(struct victim *v, struct file_identity identity, size_t count)
{
    struct table_options options = v->options;
    struct table_meta meta;
    options.identity = identity;
    CHECK_OK(os_path_unlink(v->f.env, "t", NULL));
    fixture_build(&v->f, "t", &options, v->m.versions, count, &meta);
    table_meta_release(&meta);
}

TEST(a_file_in_the_place_of_another_is_called_by_its_name)
{
    struct test_rand rand = test_rand_new(0);
    struct victim v = {0};
    victim_open(&v, &rand, YORE_COMPRESSION_LZ4);
    CHECK(sim_disk_copy_file(v.f.disk, "t", "whole"));
    replace(&v, (struct file_identity){78, 5}, v.m.count);
    check_stranger(&v, "another database");
    replace(&v, (struct file_identity){77, 6}, v.m.count);
    check_stranger(&v, "this is file 6, not 5");
    replace(&v, (struct file_identity){77, 5}, v.m.count - 1);
    check_stranger(&v, "octets");
    struct version changed = v.m.versions[0];
    v.m.versions[0].commit++;
    replace(&v, (struct file_identity){77, 5}, v.m.count);
    v.m.versions[0] = changed;
    check_stranger(&v, "");
    victim_close(&v);
}

/* Octet runs of one file in the place of another's: every block's check knows its file. */
TEST(blocks_of_another_file_are_refused)
{
    struct test_rand rand = test_rand_new(0);
    struct victim v = {0};
    struct yore_error error = {0};
    victim_open(&v, &rand, YORE_COMPRESSION_NONE);
    CHECK(sim_disk_copy_file(v.f.disk, "t", "whole"));
    replace(&v, (struct file_identity){77, 6}, v.m.count);
    CHECK(sim_disk_copy_file(v.f.disk, "t", "other"));
    unsigned char *octets = malloc(v.meta.file_bytes);
    CHECK(octets != NULL);
    struct os_file *file = NULL;
    size_t got = 0;
    CHECK_OK(os_file_open(v.f.env, "other", OS_OPEN_READ, &file, &error));
    CHECK_OK(os_file_read(file, 0, octets, v.meta.file_bytes, &got, &error));
    os_file_close(file);
    CHECK_EQ_UINT(got, v.meta.file_bytes);
    for (uint64_t at = 0; at + 512 <= v.meta.file_bytes; at += 512) {
        unsigned char own[512];
        CHECK(sim_disk_copy_file(v.f.disk, "whole", "t"));
        CHECK_OK(os_file_open(v.f.env, "t", OS_OPEN_WRITE, &file, &error));
        CHECK_OK(os_file_read(file, at, own, sizeof own, &got, &error));
        CHECK_OK(os_file_write(file, at, octets + at, sizeof own, &error));
        CHECK_OK(os_file_sync(file, &error));
        os_file_close(file);
        test_note("sector at %d", (int)at);
        /* A block may be so large that a sector has nothing but what both files have. */
        read_all(&v, memcmp(own, octets + at, sizeof own) != 0);
        test_count(1);
    }
    free(octets);
    victim_close(&v);
}

TEST(a_later_format_is_told_from_damage)
{
    struct test_rand rand = test_rand_new(0);
    struct victim v = {0};
    struct yore_error error = {0};
    struct os_file *file = NULL;
    unsigned char header[64];
    size_t got = 0;
    victim_open(&v, &rand, YORE_COMPRESSION_NONE);
    CHECK_OK(os_file_open(v.f.env, "t", OS_OPEN_WRITE, &file, &error));
    CHECK_OK(os_file_read(file, 0, header, sizeof(header), &got, &error));
    put_u32(header + 8, TABLE_FORMAT_STAMPED + 1);
    put_u32(header + 60, crc32c(0, header, 60));
    CHECK_OK(os_file_write(file, 0, header, sizeof(header), &error));
    os_file_close(file);
    struct table *table = NULL;
    uint64_t pages = 0;
    CHECK_OK(table_open(v.f.pool, "t", v.options.identity, &v.meta, &table));
    CHECK_STATUS(table_verify(table, &pages, &error), YORE_BAD_FORMAT);
    CHECK(strstr(error.text, "format 3") != NULL);
    table_close(table);
    victim_close(&v);
}

/* The file cannot tell, so the manifest's record must be right in itself. */
TEST(a_stamp_of_several_times_is_no_stamp)
{
    struct test_rand rand = test_rand_new(0);
    struct victim v = {0};
    victim_make(&v, &rand, YORE_COMPRESSION_LZ4, true);
    int64_t *const bounds[] = {&v.meta.valid_min, &v.meta.valid_max, &v.meta.commit_max};
    for (size_t i = 0; i < sizeof bounds / sizeof bounds[0]; i++) {
        struct table *table = NULL;
        struct yore_error error = {0};
        uint64_t pages = 0;
        *bounds[i] -= 1;
        CHECK_OK(table_open(v.f.pool, "t", v.options.identity, &v.meta, &table));
        CHECK(is_refused(table_verify(table, &pages, &error), &error));
        table_close(table);
        *bounds[i] += 1;
    }
    read_all(&v, false);
    victim_close(&v);
}

TEST_MAIN(one_bit_of_every_octet_is_found, a_cut_at_every_octet_is_found,
          a_file_in_the_place_of_another_is_called_by_its_name, blocks_of_another_file_are_refused,
          a_later_format_is_told_from_damage, a_stamp_of_several_times_is_no_stamp)
