/* table_test.c -- tables against the model: reads at every moment, walks in every direction. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/coding.h"
#include "base/hash.h"
#include "support/test.h"
#include "table_fixture.h"

static struct iter_view random_view(const struct model *m, struct test_rand *rand)
{
    struct iter_view view = {.is_as_of = test_rand_one_in(rand, 2),
                             .valid = INT64_MAX,
                             .known = INT64_MAX,
                             .no_cache_fill = test_rand_one_in(rand, 3),
                             .commit_after = INT64_MIN};
    if (!test_rand_one_in(rand, 4)) {
        view.valid = m->versions[test_rand_below(rand, m->count)].valid_from;
    }
    if (test_rand_one_in(rand, 3)) {
        view.known = m->versions[test_rand_below(rand, m->count)].commit;
    }
    if (!view.is_as_of && test_rand_one_in(rand, 2)) {
        int64_t one = m->versions[test_rand_below(rand, m->count)].valid_from;
        int64_t other = m->versions[test_rand_below(rand, m->count)].valid_from;
        view.is_changed_only = true;
        view.changed.until = one > other ? one : other;
        view.changed.after = test_rand_one_in(rand, 2) ? view.changed.until - 1
                             : one > other             ? other
                                                       : one;
    }
    return view;
}

static const struct version *model_get(const struct model *m, const struct version_place *place)
{
    for (size_t i = 0; i < m->count; i++) {
        const struct version *v = &m->versions[i];
        if (v->valid_from <= place->valid_from && v->commit <= place->commit &&
            bytes_equal(v->key, place->key)) {
            return v;
        }
    }
    return NULL;
}

static void check_gets(struct table *table, const struct model *m, struct test_rand *rand)
{
    struct yore_error error = {0};
    struct buffer spare = {0};
    for (unsigned i = 0; i < 100; i++) {
        struct version_place place = model_place(m, rand, &spare);
        if (test_rand_one_in(rand, 3)) {
            place.commit = INT64_MAX;
        }
        const struct version *want = model_get(m, &place);
        struct version got = {0};
        struct table_pin pin = {NULL};
        enum yore_status st =
            table_get_hashed(table, &place, hash_bytes(place.key), &got, &pin, &error);
        CHECK_STATUS(st, want != NULL ? YORE_OK : YORE_NOT_FOUND);
        if (want != NULL) {
            CHECK(table_may_hold(table, place.key));
            check_version(&got, want);
            table_pin_release(&pin);
        }
    }
    buffer_release(&spare);
}

static int64_t model_next_begin(const struct model *m, const struct version_place *place)
{
    int64_t next = INT64_MAX;
    for (size_t i = 0; i < m->count; i++) {
        const struct version *v = &m->versions[i];
        if (v->valid_from > place->valid_from && v->commit <= place->commit &&
            v->valid_from < next && bytes_equal(v->key, place->key)) {
            next = v->valid_from;
        }
    }
    return next;
}

static void check_next_begins(struct table *table, const struct model *m, struct test_rand *rand)
{
    struct yore_error error = {0};
    struct buffer spare = {0};
    for (unsigned i = 0; i < 100; i++) {
        struct version_place place = model_place(m, rand, &spare);
        if (test_rand_one_in(rand, 2)) {
            place.commit = INT64_MAX;
        }
        int64_t want = model_next_begin(m, &place);
        int64_t got = INT64_MAX;
        enum yore_status st = table_next_begin(table, &place, hash_bytes(place.key), &got, &error);
        CHECK_STATUS(st, want != INT64_MAX ? YORE_OK : YORE_NOT_FOUND);
        CHECK_EQ_INT(got, want);
    }
    buffer_release(&spare);
}

static void check_table(struct table *table, const struct model *m, struct test_rand *rand)
{
    check_gets(table, m, rand);
    check_next_begins(table, m, rand);
    for (unsigned i = 0; i < 4; i++) {
        struct iter_view view = random_view(m, rand);
        struct model seen = model_view(m, &view);
        struct version_iter *it = NULL;
        CHECK_OK(table_iter_new(table, &view, &it));
        check_walk(it, &seen, m, rand, view.is_as_of);
        version_iter_free(it);
        model_release(&seen);
    }
    struct yore_error error = {0};
    uint64_t pages = 0;
    CHECK_STATUS(table_verify(table, &pages, &error), YORE_OK);
    CHECK(pages > 0);
}

TEST(random_tables_answer_as_the_model)
{
    struct test_rand rand = test_rand_new(0);
    uint64_t rounds = test_scale(60, 20000);
    for (uint64_t round = 0; round < rounds; round++) {
        test_note("round %d", (int)round);
        struct fixture f;
        fixture_open(&f, test_rand_below(&rand, 100000), 1 + (uint32_t)test_rand_below(&rand, 3));
        struct model_shape shape = model_shape_random(&rand);
        struct model m = model_random(&rand, &shape);
        struct table_options options = fixture_options(&rand, 7);
        struct table *table = fixture_table(&f, "t", &options, m.versions, m.count);
        check_table(table, &m, &rand);
        table_close(table);
        model_release(&m);
        fixture_close(&f);
    }
    test_count(rounds);
}

TEST(a_stamped_table_answers_with_its_stamp)
{
    struct test_rand rand = test_rand_new(0);
    uint64_t rounds = test_scale(30, 10000);
    for (uint64_t round = 0; round < rounds; round++) {
        test_note("round %d", (int)round);
        struct fixture f;
        fixture_open(&f, test_rand_below(&rand, 100000), 1 + (uint32_t)test_rand_below(&rand, 3));
        struct model_shape shape = model_shape_random(&rand);
        struct model m = model_random(&rand, &shape);
        model_stamp(&m, 1 + (int64_t)test_rand_below(&rand, 1000));
        struct table_options options = fixture_options(&rand, 7);
        options.is_stamped = true;
        struct table *table = fixture_table(&f, "t", &options, m.versions, m.count);
        check_table(table, &m, &rand);
        CHECK_EQ_INT(table_meta(table)->commit_max, m.versions[0].commit);
        table_close(table);
        model_release(&m);
        fixture_close(&f);
    }
    test_count(rounds);
}

TEST(empty_table_is_a_table)
{
    struct fixture f;
    fixture_open(&f, 1 << 20, 4);
    struct test_rand rand = test_rand_new(0);
    struct table_options options = fixture_options(&rand, 7);
    struct table *table = fixture_table(&f, "t", &options, NULL, 0);
    struct version got;
    struct table_pin pin;
    struct yore_error error = {0};
    uint64_t pages = 1;
    CHECK_STATUS(table_get(table, bytes_of("k", 1), 5, 5, &got, &pin, &error), YORE_NOT_FOUND);
    CHECK_OK(table_verify(table, &pages, &error));
    CHECK_EQ_UINT(pages, 0);
    CHECK(!table_may_hold(table, bytes_of("k", 1)));
    for (unsigned i = 0; i < 2; i++) {
        struct iter_view view = {.is_as_of = i == 0, .commit_after = INT64_MIN};
        struct version_place place = {bytes_of("k", 1), 1, 1};
        struct version_iter *it = NULL;
        CHECK_OK(table_iter_new(table, &view, &it));
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
    table_close(table);
    fixture_close(&f);
}

TEST(keys_and_values_of_the_largest_size_work)
{
    struct fixture f;
    fixture_open(&f, 1 << 20, 4);
    struct test_rand rand = test_rand_new(0);
    struct table_options options = fixture_options(&rand, 7);
    size_t value_size = 1u << 20;
    unsigned char *key = calloc(1, YORE_KEY_BYTES_MAX);
    unsigned char *value = calloc(1, value_size);
    CHECK(key != NULL && value != NULL);
    test_rand_fill(&rand, value, 1 << 15);
    struct version versions[6];
    for (unsigned i = 0; i < 6; i++) {
        versions[i] = (struct version){.key = bytes_of(key, YORE_KEY_BYTES_MAX - 3 + i / 2),
                                       .valid_from = 100 - (int64_t)i,
                                       .commit = 100 - (int64_t)i,
                                       .valid_to = YORE_FOREVER,
                                       .kind = YORE_KIND_PUT,
                                       .value = bytes_of(value, i % 2 == 0 ? value_size : 3)};
    }
    struct model m = {versions, 6, {0}};
    struct table *table = fixture_table(&f, "t", &options, versions, 6);
    check_table(table, &m, &rand);
    table_close(table);
    free(key);
    free(value);
    fixture_close(&f);
}

/* Pages may be passed over, versions committed later than asked never. */
TEST(feed_walk_yields_all_that_was_committed_after)
{
    struct test_rand rand = test_rand_new(0);
    for (unsigned round = 0; round < 30; round++) {
        struct fixture f;
        fixture_open(&f, 1 << 20, 4);
        struct model_shape shape = model_shape_random(&rand);
        struct model m = model_random(&rand, &shape);
        struct table_options options = fixture_options(&rand, 7);
        struct table *table = fixture_table(&f, "t", &options, m.versions, m.count);
        struct iter_view view = {
            .known = INT64_MAX, .commit_after = m.versions[test_rand_below(&rand, m.count)].commit};
        struct version_iter *it = NULL;
        CHECK_OK(table_iter_new(table, &view, &it));
        size_t at = 0;
        for (version_iter_first(it); it->is_valid; version_iter_next(it)) {
            while (version_compare(&m.versions[at], &it->at) != 0) {
                CHECK(m.versions[at].commit <= view.commit_after);
                at++;
                CHECK(at < m.count);
            }
            at++;
        }
        for (; at < m.count; at++) {
            CHECK(m.versions[at].commit <= view.commit_after);
        }
        version_iter_free(it);
        table_close(table);
        model_release(&m);
        fixture_close(&f);
    }
}

/* What `it` yields, one way or the other, is of `seen`, and all of it that was committed after. */
static size_t check_committed_after(struct version_iter *it, const struct model *seen,
                                    int64_t commit_after, bool is_back)
{
    size_t met = 0;
    size_t yielded = 0;
    for (is_back ? version_iter_last(it) : version_iter_first(it); it->is_valid;
         is_back ? version_iter_prev(it) : version_iter_next(it)) {
        yielded++;
        for (bool is_at = false; !is_at; met++) {
            CHECK(met < seen->count);
            const struct version *v = &seen->versions[is_back ? seen->count - 1 - met : met];
            is_at = version_compare(v, &it->at) == 0;
            CHECK(is_at || v->commit <= commit_after);
        }
    }
    CHECK_OK(it->status);
    for (; met < seen->count; met++) {
        const struct version *v = &seen->versions[is_back ? seen->count - 1 - met : met];
        CHECK(v->commit <= commit_after);
    }
    return yielded;
}

TEST(a_walk_as_of_passes_over_pages_of_what_was_committed_before)
{
    struct test_rand rand = test_rand_new(0);
    size_t passed_over = 0;
    for (unsigned round = 0; round < 30; round++) {
        struct fixture f;
        fixture_open(&f, 1 << 20, 4);
        struct model_shape shape = model_shape_random(&rand);
        struct model m = model_random(&rand, &shape);
        struct table_options options = fixture_options(&rand, 7);
        struct table *table = fixture_table(&f, "t", &options, m.versions, m.count);
        struct iter_view view = {.is_as_of = true,
                                 .valid = m.versions[test_rand_below(&rand, m.count)].valid_from,
                                 .known = INT64_MAX,
                                 .commit_after =
                                     m.versions[test_rand_below(&rand, m.count)].commit};
        struct model seen = model_view(&m, &view);
        for (unsigned is_back = 0; is_back < 2; is_back++) {
            struct version_iter *it = NULL;
            CHECK_OK(table_iter_new(table, &view, &it));
            passed_over +=
                seen.count - check_committed_after(it, &seen, view.commit_after, is_back);
            version_iter_free(it);
        }
        model_release(&seen);
        table_close(table);
        model_release(&m);
        fixture_close(&f);
    }
    CHECK(passed_over > 0);
}

/* Keys that live now and then: puts and deletes by turns. */
static struct model model_lives(struct test_rand *rand, uint32_t key_count, uint32_t lives_max)
{
    size_t capacity = (size_t)key_count * 2 * lives_max;
    struct model m = {malloc(capacity * sizeof(struct version)), 0, {0}};
    CHECK(m.versions != NULL);
    for (uint32_t k = 0; k < key_count; k++) {
        char *key = arena_alloc(&m.arena, 16);
        CHECK(key != NULL);
        snprintf(key, 16, "key/%06u", k);
        uint64_t events = 1 + test_rand_below(rand, (uint64_t)2 * lives_max);
        int64_t time = 1000000 + (int64_t)test_rand_below(rand, 1000000);
        for (uint64_t i = 0; i < events; i++) {
            struct version v = {.key = bytes_of(key, 10),
                                .valid_from = time,
                                .commit = time,
                                .valid_to = YORE_FOREVER,
                                .kind = (events - i) % 2 == 0 ? YORE_KIND_DELETE : YORE_KIND_PUT,
                                .value = bytes_of("", 0)};
            v.commit += test_rand_one_in(rand, 20) ? 100000 : 0;
            m.versions[m.count++] = v; /* latest first */
            time -= 1 + (int64_t)test_rand_below(rand, 300000);
        }
    }
    return m;
}

static bool is_delete(const struct version *v)
{
    return v->kind == YORE_KIND_DELETE;
}

/* From where it stands, one step at a time: all that the model has from `at` on but for deletes,
 * which may come or not, up to `high`.  How many did not. */
static size_t check_alone(struct version_iter *it, const struct model *seen, size_t at,
                          bool is_back, struct yore_bytes high)
{
    size_t left_out = 0;
    for (; at < seen->count; at += is_back ? (size_t)-1 : 1) {
        const struct version *want = &seen->versions[at];
        if (!is_back && high.size > 0 && bytes_compare(want->key, high) >= 0) {
            return left_out;
        }
        if (is_delete(want) && (!it->is_valid || version_compare(want, &it->at) != 0)) {
            left_out++;
            continue;
        }
        CHECK(it->is_valid);
        check_version(&it->at, want);
        if (is_back) {
            version_iter_prev(it);
        } else {
            version_iter_next(it);
        }
    }
    CHECK(!it->is_valid);
    CHECK_OK(it->status);
    return left_out;
}

/* Where the model has what the iterator stands on, from `at` on; between them are deletes alone. */
static size_t find_stop(const struct version_iter *it, const struct model *seen, size_t at,
                        bool is_back)
{
    for (; at < seen->count; at += is_back ? (size_t)-1 : 1) {
        if (version_compare(&seen->versions[at], &it->at) == 0) {
            return at;
        }
        CHECK(is_delete(&seen->versions[at]));
    }
    CHECK_MSG(false, "a version that the model has not");
    return at;
}

/* To and fro, over deletes that come or not. */
static void check_turns(struct version_iter *it, const struct model *seen, struct test_rand *rand)
{
    version_iter_first(it);
    for (size_t at = 0; it->is_valid;) {
        at = find_stop(it, seen, at, false);
        bool is_back = test_rand_one_in(rand, 3);
        for (uint64_t steps = test_rand_below(rand, 5); it->is_valid && steps > 0; steps--) {
            is_back ? version_iter_prev(it) : version_iter_next(it);
            at += is_back ? (size_t)-1 : 1;
            at = it->is_valid ? find_stop(it, seen, at, is_back) : at;
        }
        if (it->is_valid) {
            version_iter_next(it);
            at++;
        }
    }
    CHECK_OK(it->status);
}

TEST(a_walk_alone_may_leave_out_deletes_and_nothing_else)
{
    struct test_rand rand = test_rand_new(0);
    size_t left_out = 0;
    uint64_t rounds = test_scale(60, 5000);
    for (uint64_t round = 0; round < rounds; round++) {
        test_note("round %d", (int)round);
        struct fixture f;
        fixture_open(&f, 1 << 20, 4);
        uint32_t lives_max = test_rand_one_in(&rand, 3) ? 100 : 3;
        struct model m =
            model_lives(&rand, 1 + (uint32_t)test_rand_below(&rand, 600 / lives_max), lives_max);
        struct table_options options = fixture_options(&rand, 7);
        struct table *table = fixture_table(&f, "t", &options, m.versions, m.count);
        for (unsigned i = 0; i < 12; i++) {
            const struct yore_bytes none = {NULL, 0};
            const struct version *from = &m.versions[test_rand_below(&rand, m.count)];
            const struct version *to = &m.versions[test_rand_below(&rand, m.count)];
            struct iter_view view = random_view(&m, &rand);
            view.is_as_of = true;
            view.is_changed_only = false;
            struct yore_bytes high = i % 2 == 1 ? to->key : none;
            view.high = &high;
            struct model seen = model_view(&m, &view);
            struct version_place place = {from->key, INT64_MAX, INT64_MAX};
            struct version_iter *it = NULL;
            CHECK_OK(table_iter_new(table, &view, &it));
            it->is_alone = true;
            if (i % 2 == 0) {
                version_iter_last(it);
                left_out += check_alone(it, &seen, seen.count - 1, true, none);
                check_turns(it, &seen, &rand);
            }
            version_iter_seek(it, &place);
            left_out += check_alone(it, &seen, model_seek(&seen, &place, true), false, high);
            for (unsigned j = 0; j < 8; j++) { /* the same iterator, from range to range */
                place.key = m.versions[test_rand_below(&rand, m.count)].key;
                high = m.versions[test_rand_below(&rand, m.count)].key;
                version_iter_seek(it, &place);
                left_out += check_alone(it, &seen, model_seek(&seen, &place, true), false, high);
            }
            version_iter_free(it);
            model_release(&seen);
        }
        table_close(table);
        model_release(&m);
        fixture_close(&f);
    }
    CHECK(left_out > rounds);
}

TEST(meta_counts_and_survives_encoding)
{
    struct fixture f;
    fixture_open(&f, 1 << 20, 4);
    struct test_rand rand = test_rand_new(0);
    struct table_options options = fixture_options(&rand, 9);
    struct version versions[4] = {
        {bytes_of("a", 1), 50, 60, YORE_FOREVER, YORE_KIND_DELETE, VERSION_CARRIED, {0}},
        {bytes_of("b", 1), 40, 40, 45, YORE_KIND_PUT, 0, bytes_of("xyz", 3)},
        {bytes_of("b", 1), 30, 90, YORE_FOREVER, YORE_KIND_PUT, VERSION_UNRESOLVED, {0}},
        {bytes_of("b", 1), -7, 10, YORE_FOREVER, YORE_KIND_ERASED, 0, {0}}};
    struct table_meta meta;
    fixture_build(&f, "t", &options, versions, 4, &meta);
    struct buffer bytes = {0};
    struct table_meta again;
    table_meta_encode(&meta, &bytes);
    struct decoder d;
    decoder_init(&d, bytes.data, bytes.size);
    CHECK_OK(table_meta_decode(&d, &again));
    CHECK_EQ_UINT(decoder_left(&d), 0);
    CHECK_EQ_UINT(again.key_count, 2);
    CHECK_EQ_UINT(again.version_count, 4);
    CHECK_EQ_UINT(again.carried_count, 1);
    CHECK_EQ_UINT(again.unresolved_count, 1);
    CHECK_EQ_UINT(again.delete_count, 1);
    CHECK_EQ_UINT(again.erased_count, 1);
    CHECK_EQ_UINT(again.user_bytes, 7);
    CHECK_EQ_INT(again.valid_min, -7);
    CHECK_EQ_INT(again.valid_max, 50);
    CHECK_EQ_INT(again.commit_min, 10);
    CHECK_EQ_INT(again.commit_max, 90);
    CHECK_EQ_INT(again.back_dated_valid_min, -7);
    CHECK_EQ_INT(again.back_dated_commit_max, 90);
    CHECK_EQ_INT(again.carried_commit_max, 60);
    CHECK_EQ_INT(again.expiry_min, 45);
    CHECK_EQ_UINT(again.file_crc, meta.file_crc);
    CHECK_EQ_BYTES(again.first_key.data, again.first_key.size, "a", 1);
    CHECK_EQ_BYTES(again.last_key.data, again.last_key.size, "b", 1);
    for (size_t size = 0; size < bytes.size; size++) {
        struct table_meta cut;
        decoder_init(&d, bytes.data, size);
        CHECK_STATUS(table_meta_decode(&d, &cut), YORE_CORRUPT);
    }
    buffer_release(&bytes);
    table_meta_release(&meta);
    table_meta_release(&again);
    fixture_close(&f);
}

TEST(estimates_follow_the_index)
{
    struct fixture f;
    fixture_open(&f, 1 << 20, 4);
    struct test_rand rand = test_rand_new(0);
    struct table_options options = fixture_options(&rand, 9);
    options.page_bytes = 512;
    options.versions_per_page_max = 0;
    struct version versions[4000];
    char keys[4000][8];
    unsigned char value[50];
    test_rand_fill(&rand, value, sizeof(value));
    for (unsigned i = 0; i < 4000; i++) {
        snprintf(keys[i], sizeof(keys[i]), "k%05u", i);
        versions[i] =
            (struct version){bytes_of(keys[i], 6),          i, i, YORE_FOREVER, YORE_KIND_PUT, 0,
                             bytes_of(value, sizeof(value))};
    }
    struct table *table = fixture_table(&f, "t", &options, versions, 4000);
    struct yore_error error = {0};
    struct yore_bytes none = {NULL, 0};
    struct buffer key = {0};
    CHECK_OK(table_middle_key(table, none, none, &key, &error));
    CHECK(memcmp(key.data, "k01900", 6) > 0 && memcmp(key.data, "k02100", 6) < 0);
    CHECK_OK(table_middle_key(table, bytes_of("k01000", 6), bytes_of("k02000", 6), &key, &error));
    CHECK(memcmp(key.data, "k01400", 6) > 0 && memcmp(key.data, "k01600", 6) < 0);
    CHECK_STATUS(table_middle_key(table, bytes_of("x", 1), none, &key, &error), YORE_NOT_FOUND);
    uint64_t all = table_range_bytes(table, none, none);
    uint64_t half = table_range_bytes(table, bytes_of("k01000", 6), bytes_of("k03000", 6));
    CHECK(half > all * 4 / 10 && half < all * 6 / 10);
    CHECK_EQ_UINT(table_range_bytes(table, bytes_of("x", 1), none), 0);
    buffer_release(&key);
    table_close(table);
    fixture_close(&f);
}

TEST(a_sample_of_times_takes_every_so_many_pages_of_a_range)
{
    struct fixture f;
    fixture_open(&f, 1 << 20, 4);
    struct test_rand rand = test_rand_new(0);
    struct table_options options = fixture_options(&rand, 9);
    options.page_bytes = 512;
    options.versions_per_page_max = 10;
    struct version versions[1000];
    char keys[1000][8];
    for (unsigned i = 0; i < 1000; i++) {
        snprintf(keys[i], sizeof(keys[i]), "k%05u", i / 2);
        versions[i] = (struct version){
            bytes_of(keys[i], 6), 9000 - i, 9000, YORE_FOREVER, YORE_KIND_PUT, 0, bytes_of("v", 1)};
    }
    struct table *table = fixture_table(&f, "t", &options, versions, 1000);
    struct yore_error error = {0};
    struct buffer times = {0};
    struct table_sample sample = {.stride = 1, .times = &times};
    uint64_t pages = table_range_pages(table, sample.low, sample.high);
    CHECK(pages >= 100);
    CHECK_OK(table_sample_times(table, &sample, &error));
    CHECK_EQ_UINT(times.size, 1000 * sizeof(int64_t));
    for (unsigned i = 0; i < 1000; i++) {
        CHECK_EQ_INT(((const int64_t *)(const void *)times.data)[i], 9000 - i);
    }
    buffer_clear(&times);
    sample.stride = 4;
    CHECK_OK(table_sample_times(table, &sample, &error));
    CHECK_EQ_UINT(times.size / sizeof(int64_t) / 10, pages / 4);
    CHECK_EQ_UINT(sample.passed, pages % 4); /* the next table goes on with these */
    buffer_clear(&times);
    sample = (struct table_sample){bytes_of("k00100", 6), bytes_of("k00200", 6), 1, 0, &times};
    CHECK_OK(table_sample_times(table, &sample, &error));
    CHECK(times.size >= 200 * sizeof(int64_t) && times.size < 250 * sizeof(int64_t));
    buffer_release(&times);
    table_close(table);
    fixture_close(&f);
}

TEST(dead_table_is_unlinked_when_closed)
{
    struct fixture f;
    fixture_open(&f, 1 << 20, 4);
    struct test_rand rand = test_rand_new(0);
    struct table_options options = fixture_options(&rand, 9);
    struct version v = {bytes_of("a", 1), 1, 1, YORE_FOREVER, YORE_KIND_PUT, 0, bytes_of("v", 1)};
    struct table *table = fixture_table(&f, "t", &options, &v, 1);
    struct version got;
    struct table_pin pin;
    CHECK_OK(table_get(table, v.key, 1, 1, &got, &pin, NULL));
    table_mark_dead(table);
    table_close(table);
    check_version(&got, &v); /* the pin outlives the table */
    table_pin_release(&pin);
    uint64_t size;
    bool is_dir;
    CHECK_STATUS(os_path_stat(f.env, "t", &size, &is_dir, NULL), YORE_NOT_FOUND);
    fixture_close(&f);
}

#define LONG_KEY_BYTES 20000u
#define LONG_KEYS 50u

/* Keys that differ early and go on for long, each with a page of its own: "<two digits>zzz...". */
static struct table *long_keys_table(struct fixture *f, struct yore_bytes keys[LONG_KEYS],
                                     unsigned char *octets)
{
    static struct version versions[LONG_KEYS];
    struct table_options options = {
        .identity = {1, 9}, .page_bytes = 512, .compression = YORE_COMPRESSION_NONE};
    memset(octets, 'z', (size_t)LONG_KEYS * LONG_KEY_BYTES);
    for (unsigned i = 0; i < LONG_KEYS; i++) {
        unsigned char *key = octets + (size_t)i * LONG_KEY_BYTES;
        key[0] = (unsigned char)('0' + i / 10);
        key[1] = (unsigned char)('0' + i % 10);
        keys[i] = bytes_of(key, LONG_KEY_BYTES);
        versions[i] =
            (struct version){keys[i], 1, 1, YORE_FOREVER, YORE_KIND_PUT, 0, bytes_of("v", 1)};
    }
    return fixture_table(f, "t", &options, versions, LONG_KEYS);
}

struct long_keys {
    struct fixture f;
    struct table *table;
    unsigned char *octets;
    struct yore_bytes keys[LONG_KEYS];
};

static void long_keys_open(struct long_keys *l)
{
    fixture_open(&l->f, 64u << 20, 2);
    l->octets = malloc((size_t)LONG_KEYS * LONG_KEY_BYTES);
    CHECK(l->octets != NULL);
    l->table = long_keys_table(&l->f, l->keys, l->octets);
}

static void long_keys_close(struct long_keys *l)
{
    table_close(l->table);
    free(l->octets);
    fixture_close(&l->f);
}

TEST(the_index_of_long_keys_is_as_small_as_that_of_short_ones)
{
    struct long_keys l;
    struct page_cache_stats stats;
    long_keys_open(&l);
    for (unsigned i = 0; i < LONG_KEYS; i++) {
        struct version got;
        struct table_pin pin;
        CHECK_OK(table_get(l.table, l.keys[i], 1, 1, &got, &pin, NULL));
        table_pin_release(&pin);
    }
    page_cache_stats(l.f.cache, &stats);
    CHECK_MSG(stats.charged_bytes < LONG_KEY_BYTES + LONG_KEYS * 200, "%llu octets",
              (unsigned long long)stats.charged_bytes);
    long_keys_close(&l);
}

/* "<two digits>a" lies behind where the index has the page of "<two digits>zzz..." begin. */
static void check_back_from_bounds(struct long_keys *l, bool is_as_of)
{
    struct iter_view view = {
        .is_as_of = is_as_of, .valid = INT64_MAX, .known = INT64_MAX, .commit_after = INT64_MIN};
    struct version_iter *it = NULL;
    CHECK_OK(table_iter_new(l->table, &view, &it));
    for (unsigned i = 0; i < LONG_KEYS; i++) {
        char key[3] = {(char)('0' + i / 10), (char)('0' + i % 10), 'a'};
        struct version_place place = {bytes_of(key, 3), 1, 1};
        version_iter_seek_back(it, &place);
        CHECK_EQ_INT(it->is_valid, i > 0);
        CHECK(i == 0 || bytes_equal(it->at.key, l->keys[i - 1]));
        version_iter_seek(it, &place);
        CHECK(it->is_valid && bytes_equal(it->at.key, l->keys[i]));
    }
    version_iter_free(it);
}

TEST(a_walk_back_from_before_the_first_key_of_a_page_finds_the_page_before)
{
    struct long_keys l;
    long_keys_open(&l);
    check_back_from_bounds(&l, false);
    check_back_from_bounds(&l, true);
    long_keys_close(&l);
}

#define NEIGHBOURS 100u /* on each side; together less than a page */
#define HOT_VERSIONS 2000u

/* Stand on the first of NEIGHBOURS rows that begin with `letter`: they are one run, as in a table
 * of their own. */
static void check_neighbours(struct version_iter *it, char letter)
{
    CHECK_EQ_UINT(it->run.end - it->run.at, NEIGHBOURS);
    for (unsigned i = 0; i < NEIGHBOURS; i++, version_iter_next(it)) {
        CHECK(it->is_valid && *(const char *)it->at.key.data == letter);
        CHECK_EQ_INT(it->at.valid_from, 1);
    }
}

TEST(keys_beside_one_with_many_pages_share_none_with_it)
{
    struct fixture f;
    fixture_open(&f, 1 << 20, 4);
    struct test_rand rand = test_rand_new(0);
    struct table_options options = fixture_options(&rand, 9);
    options.page_bytes = 4096;
    options.versions_per_page_max = 0;
    static struct version versions[2 * NEIGHBOURS + HOT_VERSIONS];
    static char keys[2 * NEIGHBOURS][8];
    const struct version row = {.valid_from = 1,
                                .commit = 1,
                                .valid_to = YORE_FOREVER,
                                .kind = YORE_KIND_PUT,
                                .value = bytes_of("a value of twenty octets", 20)};
    size_t count = 0;
    for (unsigned i = 0; i < 2 * NEIGHBOURS; i++) {
        char letter = i < NEIGHBOURS ? 'a' : 'z';
        for (unsigned j = 0; i == NEIGHBOURS && j < HOT_VERSIONS; j++) {
            versions[count] = row;
            versions[count].key = bytes_of("hot", 3);
            versions[count].valid_from = 2 + HOT_VERSIONS - j;
            versions[count].commit = versions[count].valid_from;
            count++;
        }
        snprintf(keys[i], sizeof keys[i], "%c%03u", letter, i);
        versions[count] = row;
        versions[count++].key = bytes_of(keys[i], 4);
    }
    struct table *table = fixture_table(&f, "t", &options, versions, count);
    const struct iter_view view = {
        .is_as_of = true, .valid = HOT_VERSIONS / 2, .known = INT64_MAX, .commit_after = INT64_MIN};
    struct version_iter *it = NULL;
    CHECK_OK(table_iter_new(table, &view, &it));
    version_iter_first(it);
    check_neighbours(it, 'a');
    CHECK(it->is_valid && bytes_equal(it->at.key, bytes_of("hot", 3)));
    CHECK_EQ_INT(it->at.valid_from, HOT_VERSIONS / 2);
    version_iter_next(it);
    check_neighbours(it, 'z');
    CHECK(!it->is_valid && it->status == YORE_OK);
    version_iter_free(it);
    uint64_t pages = 0;
    struct yore_error error = {0};
    CHECK_OK(table_verify(table, &pages, &error));
    table_close(table);
    fixture_close(&f);
}

TEST_MAIN(random_tables_answer_as_the_model, a_stamped_table_answers_with_its_stamp,
          empty_table_is_a_table, keys_and_values_of_the_largest_size_work,
          feed_walk_yields_all_that_was_committed_after,
          a_walk_as_of_passes_over_pages_of_what_was_committed_before,
          a_walk_alone_may_leave_out_deletes_and_nothing_else, meta_counts_and_survives_encoding,
          estimates_follow_the_index, a_sample_of_times_takes_every_so_many_pages_of_a_range,
          dead_table_is_unlinked_when_closed,
          the_index_of_long_keys_is_as_small_as_that_of_short_ones,
          a_walk_back_from_before_the_first_key_of_a_page_finds_the_page_before,
          keys_beside_one_with_many_pages_share_none_with_it)
