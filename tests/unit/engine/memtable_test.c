/* memtable_test.c -- the memtable against a sorted array, and without memory; memtable_race_test.c
 * has threads. */
#include "engine/memtable.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "support/test.h"

enum { KEY_MAX = 400, VALUE_MAX = 64, FULL_BYTES = 64 << 20 };

/* ---- the model: one keyspace as a sorted array ---- */

struct row {
    struct version v;
    unsigned char key[KEY_MAX];
    unsigned char value[VALUE_MAX];
};

struct model {
    struct row **rows;
    size_t count;
    size_t capacity;
};

static struct yore_bytes bytes_text(const char *text)
{
    return bytes_of(text, strlen(text));
}

static struct row *row_new(const struct version *v)
{
    struct row *row = malloc(sizeof(*row));
    CHECK(row != NULL && v->key.size <= KEY_MAX && v->value.size <= VALUE_MAX);
    row->v = *v;
    memcpy(row->key, v->key.data, v->key.size);
    if (v->value.size > 0) {
        memcpy(row->value, v->value.data, v->value.size);
    }
    row->v.key.data = row->key;
    row->v.value.data = row->value;
    return row;
}

/* The first row at or behind the place of `v`. */
static size_t model_find(const struct model *model, const struct version *v)
{
    size_t low = 0;
    size_t high = model->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (version_compare(&model->rows[middle]->v, v) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static void model_add(struct model *model, const struct version *v)
{
    size_t at = model_find(model, v);
    if (at < model->count && version_compare(&model->rows[at]->v, v) == 0) {
        free(model->rows[at]);
        model->rows[at] = row_new(v);
        return;
    }
    if (model->count == model->capacity) {
        model->capacity = model->capacity * 2 + 16;
        model->rows = realloc(model->rows, model->capacity * sizeof(*model->rows));
        CHECK(model->rows != NULL);
    }
    memmove(model->rows + at + 1, model->rows + at, (model->count - at) * sizeof(*model->rows));
    model->rows[at] = row_new(v);
    model->count++;
}

static void model_release(struct model *model)
{
    for (size_t i = 0; i < model->count; i++) {
        free(model->rows[i]);
    }
    free(model->rows);
    *model = (struct model){0};
}

static bool is_seen(const struct version *v, int64_t valid, int64_t known)
{
    return v->valid_from <= valid && v->commit <= known;
}

/* What a view yields, in order. */
static struct model model_view(const struct model *model, const struct iter_view *view)
{
    struct model seen = {.rows = malloc((model->count + 1) * sizeof(*seen.rows))};
    CHECK(seen.rows != NULL);
    for (size_t i = 0; i < model->count; i++) {
        struct row *row = model->rows[i];
        if (!is_seen(&row->v, view->is_as_of ? view->valid : INT64_MAX, view->known)) {
            continue;
        }
        bool is_later = seen.count > 0 && view->is_as_of &&
                        bytes_equal(seen.rows[seen.count - 1]->v.key, row->v.key);
        if (!is_later) {
            seen.rows[seen.count++] = row;
        }
    }
    return seen;
}

static void check_version(const struct version *got, const struct version *want)
{
    CHECK_EQ_BYTES(got->key.data, got->key.size, want->key.data, want->key.size);
    CHECK_EQ_BYTES(got->value.data, got->value.size, want->value.data, want->value.size);
    CHECK_EQ_INT(got->valid_from, want->valid_from);
    CHECK_EQ_INT(got->commit, want->commit);
    CHECK_EQ_INT(got->valid_to, want->valid_to);
    CHECK_EQ_INT(got->kind, want->kind);
    CHECK_EQ_UINT(got->flags, want->flags);
}

/* ---- making versions ---- */

enum keys { KEYS_TINY, KEYS_LONG, KEYS_RANDOM, KEYS_ASCENDING, KEYS_FEW, KEYS_MIXED };

struct maker {
    struct test_rand rand;
    enum keys keys;
    uint64_t made;
    int64_t commit;
    unsigned char key[KEY_MAX];
    unsigned char value[VALUE_MAX];
};

/* Octets of few values, zero among them, 1..size_max long: many prefixes of one another. */
static size_t make_tiny(struct maker *maker, size_t from, size_t size_max)
{
    size_t size = 1 + (size_t)test_rand_below(&maker->rand, size_max);
    for (size_t i = 0; i < size; i++) {
        static const unsigned char octets[] = {0, 1, 'a', 0xff};
        maker->key[from + i] = octets[test_rand_below(&maker->rand, sizeof(octets))];
    }
    return from + size;
}

static struct yore_bytes make_key(struct maker *maker)
{
    enum keys keys = maker->keys;
    if (keys == KEYS_MIXED) {
        keys = (enum keys)test_rand_below(&maker->rand, KEYS_MIXED);
    }
    size_t size = 16;
    switch (keys) {
    case KEYS_TINY:
        size = make_tiny(maker, 0, 10);
        break;
    case KEYS_LONG:
        memset(maker->key, 'p', 300);
        size = make_tiny(maker, 100 + 50 * (size_t)test_rand_below(&maker->rand, 5), 8);
        break;
    case KEYS_ASCENDING:
        memset(maker->key, 'k', 12);
        for (size_t i = 0; i < 4; i++) {
            maker->key[12 + i] = (unsigned char)(maker->made >> (8 * (3 - i)));
        }
        break;
    case KEYS_FEW:
        maker->key[0] = (unsigned char)('a' + test_rand_below(&maker->rand, 3));
        size = 1;
        break;
    default:
        test_rand_fill(&maker->rand, maker->key, size);
    }
    return bytes_of(maker->key, size);
}

static struct version make_version(struct maker *maker)
{
    struct test_rand *rand = &maker->rand;
    maker->made++;
    maker->commit += (int64_t)test_rand_below(rand, 3);
    struct version v = {.key = make_key(maker),
                        .valid_from = maker->commit,
                        .commit = maker->commit,
                        .valid_to = YORE_FOREVER,
                        .kind = YORE_KIND_PUT,
                        .flags = (unsigned)test_rand_below(rand, 8)};
    if (test_rand_one_in(rand, 3)) {
        v.valid_from -= (int64_t)test_rand_below(rand, 40);
    }
    if (test_rand_one_in(rand, 5)) {
        v.kind = test_rand_one_in(rand, 2) ? YORE_KIND_DELETE : YORE_KIND_ERASED;
    } else {
        v.value = bytes_of(maker->value, (size_t)test_rand_below(rand, VALUE_MAX));
        test_rand_fill(rand, maker->value, v.value.size);
        v.valid_to = test_rand_one_in(rand, 4) ? v.valid_from + 10 : YORE_FOREVER;
    }
    return v;
}

/* A moment somewhere among the commits made, or beyond them. */
static int64_t make_moment(struct maker *maker)
{
    if (test_rand_one_in(&maker->rand, 4)) {
        return INT64_MAX;
    }
    return (int64_t)test_rand_below(&maker->rand, (uint64_t)maker->commit + 10) - 5;
}

/* Often the key of a version that is there. */
static struct yore_bytes make_known_key(struct maker *maker, const struct model *model)
{
    if (model->count == 0 || test_rand_one_in(&maker->rand, 3)) {
        return make_key(maker);
    }
    return model->rows[test_rand_below(&maker->rand, model->count)]->v.key;
}

/* ---- checks against the model ---- */

static void check_gets(struct memtable *m, uint32_t keyspace, const struct model *model,
                       struct maker *maker)
{
    for (unsigned i = 0; i < 200; i++) {
        struct yore_bytes key = make_known_key(maker, model);
        int64_t valid = make_moment(maker);
        int64_t known = make_moment(maker);
        const struct row *want = NULL;
        int64_t newest = INT64_MIN;
        for (size_t j = 0; j < model->count; j++) {
            const struct row *row = model->rows[j];
            if (bytes_equal(row->v.key, key)) {
                newest = row->v.commit > newest ? row->v.commit : newest;
                if (want == NULL && is_seen(&row->v, valid, known)) {
                    want = row;
                }
            }
        }
        struct version got;
        bool is_found = memtable_get(m, keyspace, key, valid, known, &got);
        CHECK_EQ_INT(is_found, want != NULL);
        if (want != NULL) {
            check_version(&got, &want->v);
        }
        CHECK(!memtable_has_newer(m, keyspace, key, newest));
        CHECK(newest == INT64_MIN || memtable_has_newer(m, keyspace, key, newest - 1));
        int64_t since = make_moment(maker);
        CHECK_EQ_INT(memtable_has_newer(m, keyspace, key, since), newest > since);
    }
}

static void check_newest_in(struct memtable *m, uint32_t keyspace, const struct model *model,
                            struct maker *maker)
{
    for (unsigned i = 0; i < 20; i++) {
        unsigned char low_octets[KEY_MAX];
        struct yore_bytes low = make_known_key(maker, model);
        memcpy(low_octets, low.data, low.size);
        low.data = low_octets;
        struct yore_bytes high = make_known_key(maker, model);
        high.size = test_rand_one_in(&maker->rand, 4) ? 0 : high.size;
        int64_t newest = INT64_MIN;
        for (size_t j = 0; j < model->count; j++) {
            const struct version *v = &model->rows[j]->v;
            if (bytes_compare(v->key, low) >= 0 &&
                (high.size == 0 || bytes_compare(v->key, high) < 0) && v->commit > newest) {
                newest = v->commit;
            }
        }
        CHECK(!memtable_has_newer_in(m, keyspace, low, high, newest));
        CHECK(newest == INT64_MIN || memtable_has_newer_in(m, keyspace, low, high, newest - 1));
    }
}

/* The iterator is on row `at` of what its view yields, or past an end when that is none. */
static void check_at(const struct version_iter *it, const struct model *seen, size_t at)
{
    CHECK_EQ_INT(it->status, YORE_OK);
    CHECK_EQ_INT(it->is_valid, at < seen->count);
    if (at < seen->count) {
        check_version(&it->at, &seen->rows[at]->v);
    }
}

/* Seek somewhere, in one direction or the other, and go on to and fro. */
static void check_wander(struct version_iter *it, const struct iter_view *view,
                         const struct model *model, const struct model *seen, struct maker *maker)
{
    struct version_place place = {make_known_key(maker, model), make_moment(maker),
                                  make_moment(maker)};
    struct version v = {.key = place.key, .valid_from = place.valid_from, .commit = place.commit};
    bool is_back = test_rand_one_in(&maker->rand, 2);
    size_t at = 0; /* rows before the place, or not behind it when seeking back */
    for (; at < seen->count; at++) {
        int order = view->is_as_of ? bytes_compare(seen->rows[at]->v.key, place.key)
                                   : version_compare(&seen->rows[at]->v, &v);
        if (order > 0 || (order == 0 && !is_back)) {
            break;
        }
    }
    if (is_back) {
        version_iter_seek_back(it, &place);
        at--; /* none: SIZE_MAX */
    } else {
        version_iter_seek(it, &place);
    }
    check_at(it, seen, at);
    for (unsigned i = 0; i < 30 && it->is_valid; i++) {
        if (test_rand_one_in(&maker->rand, is_back ? 4 : 2)) {
            version_iter_next(it);
            at++;
        } else {
            version_iter_prev(it);
            at--;
        }
        check_at(it, seen, at);
    }
}

static void check_view(struct memtable *m, uint32_t keyspace, const struct iter_view *view,
                       const struct model *model, struct maker *maker)
{
    struct model seen = model_view(model, view);
    struct version_iter *it;
    CHECK_OK(memtable_iter_new(m, keyspace, view, &it));
    size_t at = 0;
    for (version_iter_first(it); it->is_valid; version_iter_next(it)) {
        check_at(it, &seen, at++);
    }
    CHECK_EQ_UINT(at, seen.count);
    for (version_iter_last(it); it->is_valid; version_iter_prev(it)) {
        check_at(it, &seen, --at);
    }
    CHECK_EQ_UINT(at, 0);
    for (unsigned i = 0; i < 30; i++) {
        check_wander(it, view, model, &seen, maker);
    }
    version_iter_free(it);
    free(seen.rows);
}

static void check_views(struct memtable *m, uint32_t keyspace, const struct model *model,
                        struct maker *maker)
{
    for (unsigned i = 0; i < 6; i++) {
        struct iter_view view = {.is_as_of = i % 2 == 1,
                                 .valid = make_moment(maker),
                                 .known = i < 2 ? INT64_MAX : make_moment(maker)};
        check_view(m, keyspace, &view, model, maker);
    }
}

static void check_bounds(const struct memtable *m, const struct model *models, size_t count)
{
    struct memtable_bounds want = {.commit_min = INT64_MAX,
                                   .commit_max = INT64_MIN,
                                   .valid_min = INT64_MAX,
                                   .back_dated_valid_min = INT64_MAX};
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < models[i].count; j++) {
            const struct version *v = &models[i].rows[j]->v;
            want.count++;
            want.user_bytes += v->key.size + v->value.size;
            want.commit_min = v->commit < want.commit_min ? v->commit : want.commit_min;
            want.commit_max = v->commit > want.commit_max ? v->commit : want.commit_max;
            want.valid_min = v->valid_from < want.valid_min ? v->valid_from : want.valid_min;
            if (v->valid_from < v->commit && v->valid_from < want.back_dated_valid_min) {
                want.back_dated_valid_min = v->valid_from;
            }
        }
    }
    struct memtable_bounds got;
    memtable_bounds(m, &got);
    CHECK_EQ_UINT(got.count, want.count);
    CHECK_EQ_UINT(got.user_bytes, want.user_bytes);
    CHECK_EQ_INT(got.commit_min, want.commit_min);
    CHECK_EQ_INT(got.commit_max, want.commit_max);
    CHECK_EQ_INT(got.valid_min, want.valid_min);
    CHECK_EQ_INT(got.back_dated_valid_min, want.back_dated_valid_min);
    CHECK(got.bytes >= want.user_bytes);
    CHECK(memtable_check(m));
}

/* Adds to both; what the memtable says the version lies over is what stands behind it in the model.
 */
static void add_to_both(struct memtable *m, struct model *model, const struct version *v)
{
    struct version below;
    bool has_below = false;
    size_t before = model->count;
    CHECK_OK(memtable_add_over(m, 7, v, &has_below, &below));
    model_add(model, v);
    size_t behind = model_find(model, v) + 1;
    bool is_there = model->count > before && behind < model->count &&
                    bytes_equal(model->rows[behind]->v.key, v->key);
    CHECK_EQ_INT(has_below, is_there);
    if (is_there) {
        check_version(&below, &model->rows[behind]->v);
    }
}

/* Versions that wait to be added together; `many` is 1 where each is added at once. */
struct gathered {
    struct row *rows[MEMTABLE_MANY_MAX];
    size_t count;
};

static void add_gathered(struct memtable *m, struct gathered *g)
{
    struct memtable_addition additions[MEMTABLE_MANY_MAX];
    for (size_t i = 0; i < g->count; i++) {
        additions[i] = (struct memtable_addition){7, g->rows[i]->v};
    }
    CHECK_OK(memtable_add_many(m, additions, g->count));
    while (g->count > 0) {
        free(g->rows[--g->count]);
    }
}

static void compare_with_model(enum keys keys, unsigned count, unsigned rounds)
{
    struct maker maker = {.rand = test_rand_new(keys), .keys = keys, .commit = 100};
    for (unsigned round = 0; round < 2 * rounds; round++) {
        test_note("round %u", round);
        size_t many = round < rounds ? 1 : 1 + test_rand_below(&maker.rand, MEMTABLE_MANY_MAX);
        struct gathered gathered = {.count = 0};
        struct model model = {0};
        struct memtable *m;
        CHECK_OK(memtable_new(FULL_BYTES, &m));
        for (unsigned i = 0; i < count; i++) {
            struct version v = make_version(&maker);
            if (many == 1) {
                add_to_both(m, &model, &v);
            } else {
                gathered.rows[gathered.count++] = row_new(&v);
                model_add(&model, &v);
            }
            if (gathered.count == many) {
                add_gathered(m, &gathered);
            }
            if (i < 5 || i % (count / 3) == 0) {
                add_gathered(m, &gathered);
                check_bounds(m, &model, 1);
                check_gets(m, 7, &model, &maker);
            }
        }
        add_gathered(m, &gathered);
        check_bounds(m, &model, 1);
        check_gets(m, 7, &model, &maker);
        check_newest_in(m, 7, &model, &maker);
        check_views(m, 7, &model, &maker);
        memtable_unref(m);
        model_release(&model);
    }
}

TEST(tiny_keys_with_zero_octets_agree_with_a_sorted_array)
{
    compare_with_model(KEYS_TINY, 3000, 2);
}

TEST(long_keys_with_common_prefixes_agree_with_a_sorted_array)
{
    compare_with_model(KEYS_LONG, 2000, 2);
}

TEST(random_keys_agree_with_a_sorted_array)
{
    compare_with_model(KEYS_RANDOM, 3000, 2);
}

TEST(ascending_keys_agree_with_a_sorted_array)
{
    compare_with_model(KEYS_ASCENDING, 6000, 1);
}

TEST(thousands_of_versions_of_few_keys_agree_with_a_sorted_array)
{
    compare_with_model(KEYS_FEW, 3000, 1);
}

TEST(keys_of_all_sorts_agree_with_a_sorted_array)
{
    compare_with_model(KEYS_MIXED, 3000, 2);
    compare_with_model(KEYS_MIXED, 40, 30);
}

/* ---- single promises ---- */

static struct version version_of(const char *key, int64_t valid_from, int64_t commit,
                                 const char *value)
{
    return (struct version){.key = bytes_text(key),
                            .valid_from = valid_from,
                            .commit = commit,
                            .valid_to = YORE_FOREVER,
                            .kind = YORE_KIND_PUT,
                            .value = bytes_text(value)};
}

TEST(an_empty_memtable_has_nothing)
{
    struct memtable *m;
    CHECK_OK(memtable_new(FULL_BYTES, &m));
    struct version got;
    struct yore_bytes key = bytes_text("k");
    CHECK(!memtable_get(m, 1, key, INT64_MAX, INT64_MAX, &got));
    CHECK(!memtable_has_newer(m, 1, key, INT64_MIN));
    CHECK(!memtable_has_newer_in(m, 1, bytes_of("", 0), bytes_of("", 0), INT64_MIN));
    struct maker maker = {.rand = test_rand_new(0), .keys = KEYS_TINY, .commit = 1};
    struct model model = {0};
    check_views(m, 1, &model, &maker);
    check_bounds(m, &model, 1);
    CHECK_EQ_UINT(memtable_keyspaces(m, NULL, 0), 0);
    memtable_unref(m);
    memtable_unref(NULL);
}

TEST(a_later_call_replaces_a_version_of_the_same_place)
{
    struct memtable *m;
    CHECK_OK(memtable_new(FULL_BYTES, &m));
    struct model model = {0};
    static const char *const values[] = {"first", "second, longer", ""};
    for (size_t i = 0; i < 3; i++) {
        for (int64_t n = 0; n < 300; n++) {
            char key[8];
            memset(key, 'a' + (int)(n % 7), sizeof(key));
            struct version v = version_of("", 10 + n, 1000, values[i]);
            v.key = bytes_of(key, sizeof(key));
            CHECK_OK(memtable_add(m, 3, &v));
            model_add(&model, &v);
        }
        check_bounds(m, &model, 1);
        CHECK_EQ_UINT(model.count, 300);
        struct maker maker = {.rand = test_rand_new(i), .keys = KEYS_TINY, .commit = 1000};
        check_views(m, 3, &model, &maker);
    }
    memtable_unref(m);
    model_release(&model);
}

TEST(ten_thousand_versions_of_one_key_are_found_each)
{
    struct memtable *m;
    CHECK_OK(memtable_new(FULL_BYTES, &m));
    enum { COUNT = 10000 };
    for (int64_t t = 1; t <= COUNT; t++) {
        struct version v = version_of("the key", t, t, "value");
        CHECK_OK(memtable_add(m, 1, &v));
        v.key = bytes_text("the neighbour");
        CHECK_OK(memtable_add(m, 1, &v));
    }
    struct version got;
    for (int64_t t = 0; t <= COUNT; t++) {
        CHECK_EQ_INT(memtable_get(m, 1, bytes_text("the key"), t, INT64_MAX, &got), t > 0);
        CHECK(t == 0 || got.valid_from == t);
        CHECK_EQ_INT(memtable_get(m, 1, bytes_text("the key"), INT64_MAX, t, &got), t > 0);
        CHECK(t == 0 || got.commit == t);
        struct iter_view view = {.is_as_of = true, .valid = t, .known = INT64_MAX};
        struct version_iter *it;
        CHECK_OK(memtable_iter_new(m, 1, &view, &it));
        version_iter_first(it);
        CHECK_EQ_INT(it->is_valid, t > 0);
        if (t > 0) {
            version_iter_next(it);
            CHECK(it->is_valid && it->at.valid_from == t && it->at.key.size == 13);
            version_iter_prev(it);
            CHECK(it->is_valid && it->at.valid_from == t && it->at.key.size == 7);
            version_iter_prev(it);
            CHECK(!it->is_valid);
        }
        version_iter_free(it);
    }
    CHECK(memtable_has_newer(m, 1, bytes_text("the key"), COUNT - 1));
    CHECK(!memtable_has_newer(m, 1, bytes_text("the key"), COUNT));
    CHECK(memtable_check(m));
    memtable_unref(m);
}

TEST(ten_thousand_corrections_of_one_moment_are_seen_as_known)
{
    struct memtable *m;
    CHECK_OK(memtable_new(FULL_BYTES, &m));
    for (int64_t commit = 1; commit <= 10000; commit++) {
        struct version v = version_of("k", 1, commit, "value");
        CHECK_OK(memtable_add(m, 1, &v));
    }
    for (int64_t known = 0; known <= 10000; known += 7) {
        struct version got;
        CHECK_EQ_INT(memtable_get(m, 1, bytes_text("k"), 5, known, &got), known > 0);
        CHECK(known == 0 || got.commit == known);
    }
    CHECK(memtable_has_newer(m, 1, bytes_text("k"), 9999));
    CHECK(!memtable_has_newer(m, 1, bytes_text("k"), 10000));
    CHECK(memtable_check(m));
    memtable_unref(m);
}

TEST(keyspaces_are_apart_and_listed_in_order)
{
    enum { KEYSPACES = 6 };
    static const uint32_t ids[KEYSPACES] = {900, 3, UINT32_MAX, 259, 0, 1027};
    static const uint32_t sorted[KEYSPACES] = {0, 3, 259, 900, 1027, UINT32_MAX};
    struct maker maker = {.rand = test_rand_new(0), .keys = KEYS_MIXED, .commit = 100};
    struct model models[KEYSPACES] = {{0}};
    struct memtable *m;
    CHECK_OK(memtable_new(FULL_BYTES, &m));
    for (unsigned i = 0; i < 3000; i++) {
        size_t k = i < KEYSPACES ? i : (size_t)test_rand_below(&maker.rand, KEYSPACES);
        struct version v = make_version(&maker);
        CHECK_OK(memtable_add(m, ids[k], &v));
        model_add(&models[k], &v);
    }
    uint32_t listed[KEYSPACES + 1];
    for (size_t max = 0; max <= KEYSPACES + 1; max++) {
        CHECK_EQ_UINT(memtable_keyspaces(m, listed, max), KEYSPACES);
        size_t kept = max < KEYSPACES ? max : KEYSPACES;
        CHECK_EQ_BYTES(listed, kept * sizeof(*listed), sorted, kept * sizeof(*listed));
    }
    check_bounds(m, models, KEYSPACES);
    for (size_t k = 0; k < KEYSPACES; k++) {
        check_gets(m, ids[k], &models[k], &maker);
        check_views(m, ids[k], &models[k], &maker);
        model_release(&models[k]);
    }
    memtable_unref(m);
}

TEST(more_keyspaces_than_a_database_may_have_are_held)
{
    struct memtable *m;
    CHECK_OK(memtable_new(FULL_BYTES, &m));
    for (uint32_t id = 0; id < 2000; id++) {
        struct version v = version_of("k", id + 1, id + 1, "v");
        CHECK_OK(memtable_add(m, id * 3, &v));
    }
    for (uint32_t id = 0; id < 6000; id++) {
        struct version got;
        bool is_found = memtable_get(m, id, bytes_text("k"), INT64_MAX, INT64_MAX, &got);
        CHECK_EQ_INT(is_found, id % 3 == 0);
    }
    CHECK_EQ_UINT(memtable_keyspaces(m, NULL, 0), 2000);
    CHECK(memtable_check(m));
    memtable_unref(m);
}

TEST(an_iterator_outlives_the_last_other_reference)
{
    struct memtable *m;
    CHECK_OK(memtable_new(FULL_BYTES, &m));
    struct version v = version_of("k", 5, 5, "v");
    CHECK_OK(memtable_add(m, 1, &v));
    struct iter_view view = {.known = INT64_MAX};
    struct version_iter *it;
    CHECK_OK(memtable_iter_new(m, 1, &view, &it));
    memtable_ref(m);
    memtable_unref(m);
    memtable_unref(m);
    version_iter_last(it);
    CHECK(it->is_valid);
    check_version(&it->at, &v);
    version_iter_free(it);
}

/* Who walks a range key by key while others write behind it, or between its keys, meets what it
 * does not know yet at every seek. */
TEST(what_a_view_hides_is_walked_over_once)
{
    enum { HIDDEN = 4000, SEEKS = 1000, KNOWN = 10 };
    struct memtable *m;
    char key[16];
    CHECK_OK(memtable_new(FULL_BYTES, &m));
    struct version first = version_of("a", 1, 1, "v");
    struct version last = version_of("z", 1, 1, "v");
    CHECK_OK(memtable_add(m, 1, &first));
    CHECK_OK(memtable_add(m, 1, &last));
    for (int i = 0; i < HIDDEN; i++) {
        snprintf(key, sizeof key, "k%05d", i);
        struct version v = version_of(key, KNOWN + 1 + i, KNOWN + 1 + i, "v");
        CHECK_OK(memtable_add(m, 1, &v));
    }
    struct iter_view view = {.known = KNOWN};
    struct version_iter *it;
    CHECK_OK(memtable_iter_new(m, 1, &view, &it));
    for (int i = 0; i < SEEKS; i++) {
        snprintf(key, sizeof key, "%c%05d", i % 2 == 0 ? 'k' : 'b', i * (HIDDEN / SEEKS));
        struct version_place place = {bytes_text(key), INT64_MAX, INT64_MAX};
        version_iter_seek(it, &place);
        CHECK(it->is_valid);
        check_version(&it->at, &last);
        version_iter_seek_back(it, &place);
        CHECK(it->is_valid);
        check_version(&it->at, &first);
        version_iter_next(it);
        CHECK(it->is_valid);
        check_version(&it->at, &last);
        version_iter_prev(it);
        CHECK(it->is_valid);
        check_version(&it->at, &first);
    }
    CHECK(memtable_iter_hidden_steps(it) <= 4 * HIDDEN);
    version_iter_free(it);
    memtable_unref(m);
}

TEST(values_larger_than_a_chunk_are_held_whole)
{
    struct memtable *m;
    CHECK_OK(memtable_new(FULL_BYTES, &m));
    size_t size = 5u << 20;
    char *value = malloc(size);
    CHECK(value != NULL);
    for (int i = 0; i < 3; i++) {
        memset(value, 'x' + i, size);
        struct version v = version_of("k", i, i, "");
        v.value = bytes_of(value, size);
        v.valid_to = i + 10;
        CHECK_OK(memtable_add(m, 1, &v));
        struct version got;
        CHECK(memtable_get(m, 1, bytes_text("k"), i, i, &got));
        check_version(&got, &v);
    }
    free(value);
    memtable_unref(m);
}

/* ---- memory ---- */

TEST(half_of_a_memtable_of_any_size_is_for_small_commits)
{
    for (uint64_t full = 64 << 10; full <= 16 << 20; full *= 4) {
        struct memtable *m;
        struct memtable_bounds bounds = {0};
        uint64_t entries = 0;
        CHECK_OK(memtable_new(full, &m));
        while (bounds.bytes < full) {
            char key[24];
            snprintf(key, sizeof key, "key%013llu", (unsigned long long)(entries * 7919 % 1000003));
            struct version v = version_of(key, 100 + (int64_t)entries, 100 + (int64_t)entries,
                                          "a value of 24 octets all");
            CHECK_OK(memtable_reserve(m, v.key.size + v.value.size, 1, 1));
            CHECK_OK(memtable_add(m, 1, &v));
            memtable_bounds(m, &bounds);
            entries++;
        }
        test_note("%llu octets: %llu commits", (unsigned long long)full,
                  (unsigned long long)entries);
        CHECK(entries * (24 + 16 + 24) >= full / 2); /* header, key, value */
        memtable_unref(m);
    }
}

/* ---- without memory ---- */

TEST(out_of_memory_at_any_allocation_inserts_nothing)
{
    struct memtable *m;
    mem_fail_at(1, false);
    CHECK_STATUS(memtable_new(FULL_BYTES, &m), YORE_NOMEM);
    mem_fail_at(0, false);
    CHECK(m == NULL);
    for (uint64_t nth = 1; nth < 60; nth++) {
        struct maker maker = {.rand = test_rand_new(nth), .keys = KEYS_MIXED, .commit = 100};
        struct model models[2] = {{0}};
        CHECK_OK(memtable_new(FULL_BYTES, &m));
        unsigned failures = 0;
        mem_fail_at(nth, nth % 2 == 0);
        for (unsigned i = 0; i < 3000; i++) {
            struct version v = make_version(&maker);
            enum yore_status st = memtable_add(m, i % 2, &v);
            if (st != YORE_OK) {
                CHECK_STATUS(st, YORE_NOMEM);
                failures++;
                mem_fail_at(0, false);
                check_bounds(m, models, 2);
                CHECK_OK(memtable_add(m, i % 2, &v));
            }
            model_add(&models[i % 2], &v);
        }
        mem_fail_at(1, false);
        struct iter_view view = {.known = INT64_MAX};
        struct version_iter *it;
        CHECK_STATUS(memtable_iter_new(m, 0, &view, &it), YORE_NOMEM);
        mem_fail_at(0, false);
        CHECK(failures <= 1);
        check_bounds(m, models, 2);
        memtable_unref(m);
        model_release(&models[0]);
        model_release(&models[1]);
        if (failures == 0) {
            CHECK(nth > 3);
            break;
        }
    }
}

/* Reserve for a batch over keyspaces 0 .. keyspaces - 1, then add it while every allocation fails.
 * `*keyspaces_max` is how many there are at all. */
static void add_reserved(struct memtable *m, struct maker *maker, unsigned count,
                         uint32_t keyspaces, uint32_t *keyspaces_max)
{
    struct test_rand start = maker->rand;
    struct maker ahead = *maker;
    uint64_t bytes = 0;
    for (unsigned i = 0; i < count; i++) {
        struct version v = make_version(&ahead);
        bytes += v.key.size + v.value.size;
    }
    maker->rand = start;
    *keyspaces_max = *keyspaces_max > keyspaces ? *keyspaces_max : keyspaces;
    CHECK_OK(memtable_reserve(m, bytes, count, *keyspaces_max));
    mem_fail_at(1, true);
    for (unsigned i = 0; i < count; i++) {
        struct version v = make_version(maker);
        enum yore_status st = memtable_add(m, i % keyspaces, &v);
        if (st != YORE_OK) {
            mem_fail_at(0, false);
        }
        CHECK_OK(st);
    }
    mem_fail_at(0, false);
}

TEST(what_was_reserved_cannot_fail)
{
    static const unsigned counts[] = {1, 2, 1, 500, 3, 4000, 40, 1200, 1, 1, 20000};
    for (enum keys keys = KEYS_TINY; keys <= KEYS_MIXED; keys++) {
        struct maker maker = {.rand = test_rand_new(keys), .keys = keys, .commit = 100};
        struct memtable *m;
        uint32_t keyspaces_max = 0;
        CHECK_OK(memtable_new(FULL_BYTES, &m));
        for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
            test_note("keys %d, batch %zu", (int)keys, i);
            add_reserved(m, &maker, counts[i], i % 3 == 0 ? 1 : (uint32_t)i * 100, &keyspaces_max);
            CHECK(memtable_check(m));
        }
        memtable_unref(m);
    }
}

TEST(what_begins_later_is_told_without_a_search)
{
    struct memtable *m;
    struct version v = version_of("k", 50, 90, "v");
    CHECK_OK(memtable_new(FULL_BYTES, &m));
    CHECK(!memtable_begins_by(m, INT64_MAX - 1, INT64_MAX - 1)); /* empty */
    CHECK_OK(memtable_add(m, 1, &v));
    CHECK(memtable_begins_by(m, 50, 90) && memtable_begins_by(m, 51, 91));
    CHECK(!memtable_begins_by(m, 49, INT64_MAX) && !memtable_begins_by(m, INT64_MAX, 89));
    v = version_of("k", 10, 95, "back-dated");
    CHECK_OK(memtable_add(m, 1, &v));
    CHECK(memtable_begins_by(m, 10, 90) && !memtable_begins_by(m, 9, INT64_MAX));
    memtable_unref(m);
}

TEST(a_reservation_covers_a_split_of_every_full_node)
{
    struct memtable *m;
    CHECK_OK(memtable_new(FULL_BYTES, &m));
    enum { COUNT = 62 * 62 * 5 };
    unsigned char key[5] = {0};
    struct version v = version_of("", 1, 1, "");
    v.key = bytes_of(key, 4);
    for (unsigned i = 0; i < COUNT; i++) { /* ascending: every leaf full */
        for (unsigned j = 0; j < 4; j++) {
            key[j] = (unsigned char)(i >> (8 * (3 - j)));
        }
        CHECK_OK(memtable_add(m, 1, &v));
    }
    v.key.size = 5;
    for (unsigned i = 3; i < COUNT; i += 62) { /* one more into each of them */
        for (unsigned j = 0; j < 4; j++) {
            key[j] = (unsigned char)(i >> (8 * (3 - j)));
        }
        CHECK_OK(memtable_reserve(m, 5, 1, 1));
        mem_fail_at(1, true);
        enum yore_status st = memtable_add(m, 1, &v);
        mem_fail_at(0, false);
        CHECK_OK(st);
    }
    CHECK(memtable_check(m));
    memtable_unref(m);
}

TEST(a_reservation_that_is_too_large_is_refused)
{
    struct memtable *m;
    CHECK_OK(memtable_new(FULL_BYTES, &m));
    CHECK_STATUS(memtable_reserve(m, UINT64_MAX, 1, 9), YORE_NOMEM);
    CHECK_STATUS(memtable_reserve(m, 1, UINT64_MAX, UINT64_MAX), YORE_NOMEM);
    CHECK_STATUS(memtable_reserve(m, UINT64_MAX / 2, UINT64_MAX / 2, 9), YORE_NOMEM);
    CHECK_STATUS(memtable_reserve(m, UINT64_MAX / 4, UINT64_MAX / 60, 9), YORE_NOMEM);
    struct version v = version_of("k", 5, 5, "v");
    CHECK_OK(memtable_add(m, 1, &v));
    for (uint64_t nth = 1; nth <= 2; nth++) {
        mem_fail_at(nth, false);
        CHECK_STATUS(memtable_reserve(m, 1u << 20, 10000, 9), YORE_NOMEM);
        mem_fail_at(0, false);
        CHECK_OK(memtable_add(m, 1, &v));
    }
    memtable_unref(m);
}

/* Processor time of a thousand calls. */
static clock_t time_of(const struct memtable *m, bool gets, int64_t since)
{
    clock_t begin = clock();
    for (int i = 0; i < 1000; i++) {
        struct version got;
        if (gets) {
            CHECK(memtable_get(m, 1, bytes_text("k"), 1 + i, INT64_MAX, &got));
        } else {
            CHECK(!memtable_has_newer(m, 1, bytes_text("k"), since));
        }
    }
    return clock() - begin;
}

TEST(a_key_is_found_unchanged_without_a_walk_over_its_versions)
{
    enum { COUNT = 200000 };
    struct memtable *m;
    CHECK_OK(memtable_new(FULL_BYTES, &m));
    for (int64_t t = 1; t <= COUNT; t++) { /* back-dated, as samples of a time series are */
        struct version v = version_of("k", t, COUNT + t, "value");
        CHECK_OK(memtable_add(m, 1, &v));
    }
    struct version late = version_of("other", 1, 3 * COUNT, "value");
    CHECK_OK(memtable_add(m, 1, &late));
    /* A look at one version; a walk is 200,000 of them. */
    clock_t one = time_of(m, true, 0);
    clock_t all = time_of(m, false, 2 * COUNT);
    CHECK_MSG(all < 100 * one + CLOCKS_PER_SEC / 10, "%ld against %ld", (long)all, (long)one);
    memtable_unref(m);
}

TEST_MAIN(a_key_is_found_unchanged_without_a_walk_over_its_versions,
          tiny_keys_with_zero_octets_agree_with_a_sorted_array,
          long_keys_with_common_prefixes_agree_with_a_sorted_array,
          random_keys_agree_with_a_sorted_array, ascending_keys_agree_with_a_sorted_array,
          thousands_of_versions_of_few_keys_agree_with_a_sorted_array,
          keys_of_all_sorts_agree_with_a_sorted_array, an_empty_memtable_has_nothing,
          a_later_call_replaces_a_version_of_the_same_place,
          half_of_a_memtable_of_any_size_is_for_small_commits,
          ten_thousand_versions_of_one_key_are_found_each,
          ten_thousand_corrections_of_one_moment_are_seen_as_known,
          keyspaces_are_apart_and_listed_in_order, more_keyspaces_than_a_database_may_have_are_held,
          an_iterator_outlives_the_last_other_reference, what_a_view_hides_is_walked_over_once,
          values_larger_than_a_chunk_are_held_whole,
          out_of_memory_at_any_allocation_inserts_nothing, what_was_reserved_cannot_fail,
          what_begins_later_is_told_without_a_search,
          a_reservation_covers_a_split_of_every_full_node,
          a_reservation_that_is_too_large_is_refused)
