/* merge_iter_test.c -- many sources as one, against the model. */
#include <stdlib.h>
#include <string.h>

#include "support/test.h"
#include "table/merge_iter.h"
#include "table_fixture.h"

#define SOURCES_MAX 12

/* Deal the versions to sources, sometimes many in a row to one, so that it leads for a while; twins
 * differ only in being carried, and the merge must prefer the
 * one that is not. */
static void deal(struct model *m, struct test_rand *rand, struct model *parts, size_t count)
{
    for (size_t s = 0; s < count; s++) {
        parts[s] = (struct model){calloc(m->count + 1, sizeof(struct version)), 0, {0}};
        CHECK(parts[s].versions != NULL);
    }
    bool is_sticky = test_rand_one_in(rand, 2);
    size_t home = 0;
    for (size_t i = 0; i < m->count; i++) {
        struct version v = m->versions[i];
        if (!is_sticky || test_rand_one_in(rand, 20)) {
            home = test_rand_below(rand, count);
        }
        bool is_copied = false;
        for (size_t s = 0; s < count; s++) {
            if (s == home || test_rand_one_in(rand, is_sticky ? 60 : 5)) {
                struct version *copy = &parts[s].versions[parts[s].count++];
                *copy = v;
                if (s != home) {
                    copy->flags |= VERSION_CARRIED;
                    is_copied = true;
                }
            }
        }
        if (is_copied && (v.flags & VERSION_CARRIED) == 0) {
            m->versions[i].flags |= VERSION_ALSO_CARRIED;
        }
    }
}

/* A random model, dealt to tables. */
struct dealt {
    struct fixture f;
    struct model m;
    struct model parts[SOURCES_MAX];
    struct table *tables[SOURCES_MAX];
    size_t count;
};

static void dealt_open(struct dealt *d, struct test_rand *rand)
{
    fixture_open(&d->f, test_rand_below(rand, 200000), 1 + (uint32_t)test_rand_below(rand, 3));
    struct model_shape shape = model_shape_random(rand);
    d->m = model_random(rand, &shape);
    d->count = 1 + test_rand_below(rand, SOURCES_MAX);
    deal(&d->m, rand, d->parts, d->count);
    for (size_t s = 0; s < d->count; s++) {
        char path[3] = {'t', (char)('a' + s), 0};
        struct table_options options = fixture_options(rand, s + 1);
        d->tables[s] =
            fixture_table(&d->f, path, &options, d->parts[s].versions, d->parts[s].count);
    }
}

static struct version_iter *dealt_merge(struct dealt *d, const struct iter_view *view)
{
    struct version_iter *sources[SOURCES_MAX];
    struct version_iter *it = NULL;
    for (size_t s = 0; s < d->count; s++) {
        CHECK_OK(table_iter_new(d->tables[s], view, &sources[s]));
    }
    CHECK_OK(merge_iter_new(sources, d->count, view->is_as_of, &it));
    return it;
}

static void dealt_close(struct dealt *d)
{
    for (size_t s = 0; s < d->count; s++) {
        table_close(d->tables[s]);
        model_release(&d->parts[s]);
    }
    model_release(&d->m);
    fixture_close(&d->f);
}

TEST(merge_answers_as_the_model)
{
    struct test_rand rand = test_rand_new(0);
    uint64_t rounds = test_scale(60, 20000);
    for (uint64_t round = 0; round < rounds; round++) {
        test_note("round %d", (int)round);
        struct dealt d;
        dealt_open(&d, &rand);
        const struct model *m = &d.m;
        for (unsigned i = 0; i < 2; i++) {
            struct iter_view view = {.is_as_of = i == 1, .commit_after = INT64_MIN};
            view.valid = test_rand_one_in(&rand, 2)
                             ? INT64_MAX
                             : m->versions[test_rand_below(&rand, m->count)].valid_from;
            view.known = test_rand_one_in(&rand, 2)
                             ? INT64_MAX
                             : m->versions[test_rand_below(&rand, m->count)].commit;
            struct model seen = model_view(m, &view);
            struct version_iter *it = dealt_merge(&d, &view);
            check_walk(it, &seen, m, &rand, view.is_as_of);
            version_iter_free(it);
            model_release(&seen);
        }
        dealt_close(&d);
    }
    test_count(rounds);
}

/* From any place of the key on, the versions of the key and then none of it. */
static void check_key(struct version_iter *it, const struct model *m,
                      const struct version_place *place)
{
    version_iter_seek(it, place);
    for (size_t i = model_seek(m, place, false);
         i < m->count && bytes_equal(m->versions[i].key, place->key); i++) {
        CHECK(it->is_valid);
        check_version(&it->at, &m->versions[i]);
        version_iter_next(it);
    }
    CHECK_STATUS(it->status, YORE_OK);
    CHECK(!it->is_valid || !bytes_equal(it->at.key, place->key));
}

TEST(a_walk_of_one_key_has_all_of_it)
{
    struct test_rand rand = test_rand_new(0);
    uint64_t rounds = test_scale(60, 20000);
    for (uint64_t round = 0; round < rounds; round++) {
        test_note("round %d", (int)round);
        struct dealt d;
        dealt_open(&d, &rand);
        for (unsigned i = 0; i < 20; i++) {
            struct buffer spare = {0};
            struct version_place place = model_place(&d.m, &rand, &spare);
            struct iter_view view = {
                .known = INT64_MAX, .commit_after = INT64_MIN, .only_key = place.key};
            struct version_iter *it = dealt_merge(&d, &view);
            check_key(it, &d.m, &place);
            version_iter_free(it);
            buffer_release(&spare);
        }
        dealt_close(&d);
    }
    test_count(rounds);
}

TEST(merge_of_nothing_is_empty)
{
    struct version_iter *it = NULL;
    struct version_place place = {bytes_of("k", 1), 1, 1};
    CHECK_OK(merge_iter_new(NULL, 0, false, &it));
    version_iter_first(it);
    CHECK(!it->is_valid && it->status == YORE_OK);
    version_iter_last(it);
    CHECK(!it->is_valid && it->status == YORE_OK);
    version_iter_seek(it, &place);
    CHECK(!it->is_valid && it->status == YORE_OK);
    version_iter_seek_back(it, &place);
    CHECK(!it->is_valid && it->status == YORE_OK);
    version_iter_free(it);
}

TEST(merge_tells_the_source_and_passes_its_error_on)
{
    struct fixture f;
    fixture_open(&f, 1 << 20, 4);
    struct test_rand rand = test_rand_new(0);
    struct version a = {bytes_of("a", 1), 1, 1, YORE_FOREVER, YORE_KIND_PUT, 0, bytes_of("x", 1)};
    struct version b = {bytes_of("b", 1), 1, 1, YORE_FOREVER, YORE_KIND_PUT, 0, bytes_of("y", 1)};
    struct table_options options = fixture_options(&rand, 1);
    struct table *first = fixture_table(&f, "1", &options, &b, 1);
    options.identity.file = 2;
    struct table *second = fixture_table(&f, "2", &options, &a, 1);
    struct iter_view view = {.known = INT64_MAX, .commit_after = INT64_MIN};
    for (unsigned broken = 0; broken < 2; broken++) {
        struct version_iter *sources[2];
        struct version_iter *it = NULL;
        CHECK_OK(table_iter_new(first, &view, &sources[0]));
        CHECK_OK(table_iter_new(second, &view, &sources[1]));
        CHECK_OK(merge_iter_new(sources, 2, false, &it));
        if (broken != 0) {
            sim_disk_fail(f.disk, SIM_FAULT_READ, 1, true);
            version_iter_first(it);
            CHECK(!it->is_valid);
            CHECK_STATUS(it->status, YORE_IO);
            CHECK(it->error.text[0] != '\0');
        } else {
            version_iter_first(it);
            CHECK_EQ_UINT(merge_iter_source(it), 1);
            version_iter_next(it);
            CHECK_EQ_UINT(merge_iter_source(it), 0);
            version_iter_next(it);
            CHECK(!it->is_valid && it->status == YORE_OK);
        }
        version_iter_free(it);
        /* Forget what is cached, so that the second round has to read. */
        table_close(first);
        options.identity.file = 1;
        CHECK_OK(os_path_unlink(f.env, "1", NULL));
        first = fixture_table(&f, "1", &options, &b, 1);
    }
    sim_disk_fail(f.disk, SIM_FAULT_READ, 0, false);
    table_close(first);
    table_close(second);
    fixture_close(&f);
}

TEST_MAIN(merge_answers_as_the_model, a_walk_of_one_key_has_all_of_it, merge_of_nothing_is_empty,
          merge_tells_the_source_and_passes_its_error_on)
