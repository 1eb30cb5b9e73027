#include "table_fixture.h"

#include <stdlib.h>
#include <string.h>

void fixture_open(struct fixture *f, uint64_t cache_bytes, uint32_t open_max)
{
    fixture_open_floor(f, cache_bytes, 0, open_max);
}

void fixture_open_floor(struct fixture *f, uint64_t cache_bytes, uint64_t floor_bytes,
                        uint32_t open_max)
{
    f->disk = sim_disk_new(test_seed());
    CHECK(f->disk != NULL);
    f->env = sim_disk_env(f->disk);
    CHECK_OK(page_cache_new(cache_bytes, floor_bytes, &f->cache));
    CHECK_OK(table_pool_new(f->env, f->cache, open_max, &f->pool));
}

void fixture_close(struct fixture *f)
{
    table_pool_free(f->pool);
    struct page_cache_stats stats;
    page_cache_stats(f->cache, &stats);
    CHECK_EQ_UINT(stats.used_bytes, 0);
    page_cache_free(f->cache);
    sim_disk_free(f->disk);
}

struct model_shape model_shape_random(struct test_rand *rand)
{
    static const uint32_t versions[] = {1, 1, 2, 5, 40, 700};
    static const uint32_t keys[] = {8, 12, 20, 200, 3000};
    static const uint32_t values[] = {0, 8, 40, 300, 3000};
    static const int64_t steps[] = {1, 1000, 1000000, 1000000000};
    struct model_shape shape = {.versions_max = versions[test_rand_below(rand, 6)],
                                .key_bytes_max = keys[test_rand_below(rand, 5)],
                                .value_bytes_max = values[test_rand_below(rand, 5)],
                                .has_numbers = test_rand_one_in(rand, 3),
                                .has_late = test_rand_one_in(rand, 2),
                                .has_kinds = test_rand_one_in(rand, 2),
                                .time_step = steps[test_rand_below(rand, 4)]};
    shape.key_count = 1 + (uint32_t)test_rand_below(rand, shape.versions_max > 50 ? 12 : 150);
    return shape;
}

static void *must(void *p)
{
    if (p == NULL) {
        abort();
    }
    return p;
}

static int compare_versions(const void *a, const void *b)
{
    return version_compare(a, b);
}

static struct yore_bytes random_key(struct model *m, struct test_rand *rand, uint32_t bytes_max)
{
    static const unsigned char alphabet[] = {0, 'a', 'b', 'c', 255};
    size_t size = 1 + test_rand_below(rand, bytes_max);
    unsigned char *key = must(arena_alloc(&m->arena, size));
    size_t prefix = size / 2 < 14 ? size / 2 : 14;
    memcpy(key, "tenant/series/", prefix);
    for (size_t i = prefix; i < size; i++) {
        key[i] = alphabet[test_rand_below(rand, sizeof(alphabet))];
    }
    return bytes_of(key, size);
}

static struct yore_bytes random_value(struct model *m, struct test_rand *rand,
                                      const struct model_shape *shape, unsigned nth)
{
    size_t size = test_rand_below(rand, shape->value_bytes_max + 1);
    if (shape->has_numbers) {
        size = 8;
    } else if (test_rand_one_in(rand, 10)) {
        size = 0;
    }
    unsigned char *value = must(arena_alloc(&m->arena, size));
    if (shape->has_numbers && !test_rand_one_in(rand, 300)) {
        double number = (double)(test_rand_below(rand, 200) + nth) / 100.0;
        memcpy(value, &number, 8);
        return bytes_of(value, 8);
    }
    test_rand_fill(rand, value, size);
    memset(value, 'v', size / 2);
    return bytes_of(value, size);
}

static void random_kind(struct test_rand *rand, struct version *v)
{
    static const unsigned flags[] = {0, 0, VERSION_APART, VERSION_UNRESOLVED, VERSION_CARRIED, 7};
    v->flags = flags[test_rand_below(rand, 6)];
    if (test_rand_one_in(rand, 6)) {
        v->kind = test_rand_one_in(rand, 2) ? YORE_KIND_DELETE : YORE_KIND_ERASED;
        v->flags &= ~(unsigned)VERSION_APART;
        v->value.size = 0;
    } else if (test_rand_one_in(rand, 6)) {
        v->valid_to = v->valid_from + (int64_t)test_rand_below(rand, 1000) + 1;
    }
}

static void add_key(struct model *m, struct test_rand *rand, const struct model_shape *shape,
                    int64_t base)
{
    struct yore_bytes key = random_key(m, rand, shape->key_bytes_max);
    uint64_t versions = 1 + test_rand_below(rand, shape->versions_max);
    for (unsigned i = 0; i < versions; i++) {
        struct version v = {.key = key, .valid_to = YORE_FOREVER, .kind = YORE_KIND_PUT};
        v.valid_from = base + shape->time_step * (int64_t)test_rand_below(rand, 2000);
        v.commit = v.valid_from;
        if (shape->has_late && test_rand_one_in(rand, 2)) {
            v.commit += shape->time_step * (int64_t)test_rand_below(rand, 500);
        }
        v.value = random_value(m, rand, shape, i);
        if (shape->has_kinds) {
            random_kind(rand, &v);
        }
        m->versions[m->count++] = v;
    }
}

struct model model_random(struct test_rand *rand, const struct model_shape *shape)
{
    size_t capacity = (size_t)shape->key_count * shape->versions_max;
    struct model m = {must(malloc(capacity * sizeof(struct version))), 0, {0}};
    int64_t base = test_rand_one_in(rand, 3) ? -500000 : 1700000000000000000;
    for (uint32_t k = 0; k < shape->key_count; k++) {
        add_key(&m, rand, shape, base);
    }
    qsort(m.versions, m.count, sizeof(struct version), compare_versions);
    size_t kept = 0;
    for (size_t i = 0; i < m.count; i++) {
        if (kept == 0 || version_compare(&m.versions[kept - 1], &m.versions[i]) != 0) {
            m.versions[kept++] = m.versions[i];
        }
    }
    m.count = kept;
    return m;
}

void model_release(struct model *m)
{
    free(m->versions);
    arena_release(&m->arena);
}

struct model model_view(const struct model *m, const struct iter_view *view)
{
    struct model out = {must(malloc((m->count + 1) * sizeof(struct version))), 0, {0}};
    for (size_t i = 0; i < m->count; i++) {
        const struct version *v = &m->versions[i];
        bool is_seen = v->commit <= view->known &&
                       (!view->is_as_of || v->valid_from <= view->valid) &&
                       (!view->is_changed_only || version_changes_in(v, &view->changed));
        bool is_later_of_key =
            view->is_as_of && out.count > 0 && bytes_equal(out.versions[out.count - 1].key, v->key);
        if (is_seen && !is_later_of_key) {
            out.versions[out.count++] = *v;
        }
    }
    return out;
}

size_t model_seek(const struct model *m, const struct version_place *place, bool is_as_of)
{
    struct version wanted = {
        .key = place->key, .valid_from = place->valid_from, .commit = place->commit};
    size_t i = 0;
    while (i < m->count && (is_as_of ? bytes_compare(m->versions[i].key, place->key)
                                     : version_compare(&m->versions[i], &wanted)) < 0) {
        i++;
    }
    return i;
}

struct table_options fixture_options(struct test_rand *rand, uint64_t file)
{
    static const uint32_t pages[] = {512, 700, 4096, 16384};
    struct table_options options = {.identity = {0x1234567890abcdef, file},
                                    .page_bytes = pages[test_rand_below(rand, 4)],
                                    .compression = (enum yore_compression)(
                                        YORE_COMPRESSION_NONE + (int)test_rand_below(rand, 3)),
                                    .class_hint = (enum page_class)test_rand_below(rand, 2)};
    options.versions_per_page_max =
        test_rand_one_in(rand, 3) ? 1 + (uint32_t)test_rand_below(rand, 20) : 0;
    return options;
}

void model_stamp(struct model *m, int64_t time)
{
    size_t count = 0;
    for (size_t i = 0; i < m->count; i++) {
        if (count > 0 && bytes_equal(m->versions[count - 1].key, m->versions[i].key)) {
            continue;
        }
        m->versions[count] = m->versions[i];
        struct version *version = &m->versions[count++];
        version->valid_from = time;
        version->commit = time;
        version->valid_to = YORE_FOREVER;
        version->kind = YORE_KIND_PUT;
        version->flags = 0;
    }
    m->count = count;
}

void fixture_build(struct fixture *f, const char *path, const struct table_options *options,
                   const struct version *versions, size_t count, struct table_meta *meta_out)
{
    struct yore_error error = {0};
    struct table_builder *builder = NULL;
    CHECK_OK(table_builder_open(f->env, path, options, &builder, &error));
    for (size_t i = 0; i < count; i++) {
        struct version version = versions[i];
        version.valid_from = options->is_stamped ? 0 : version.valid_from;
        version.commit = options->is_stamped ? 0 : version.commit;
        CHECK_OK(table_builder_add(builder, &version, &error));
    }
    CHECK_OK(table_builder_finish(builder, meta_out, &error));
    if (options->is_stamped && count > 0) {
        table_meta_stamp(meta_out, versions[0].commit);
    }
}

struct table *fixture_table(struct fixture *f, const char *path,
                            const struct table_options *options, const struct version *versions,
                            size_t count)
{
    struct table_meta meta = {0};
    struct table *table = NULL;
    fixture_build(f, path, options, versions, count, &meta);
    enum yore_status st = table_open(f->pool, path, options->identity, &meta, &table);
    table_meta_release(&meta);
    CHECK_OK(st);
    return table;
}

struct version_place model_place(const struct model *m, struct test_rand *rand,
                                 struct buffer *spare)
{
    const struct version *v = &m->versions[test_rand_below(rand, m->count)];
    struct version_place place = {v->key, v->valid_from, v->commit};
    switch (test_rand_below(rand, 6)) {
    case 0:
        place.valid_from = INT64_MAX;
        place.commit = INT64_MAX;
        break;
    case 1:
        place.valid_from -= 1;
        break;
    case 2:
        place.commit += 1;
        break;
    case 3:
        place.valid_from = INT64_MIN;
        break;
    case 4: { /* another key: shorter, longer, or changed in one octet */
        buffer_clear(spare);
        size_t size = 1 + test_rand_below(rand, v->key.size);
        buffer_append(spare, v->key.data, size);
        spare->data[size - 1] =
            (unsigned char)(spare->data[size - 1] + (unsigned char)test_rand_below(rand, 3) - 1);
        if (test_rand_one_in(rand, 2)) {
            buffer_append_u8(spare, (uint8_t)test_rand_below(rand, 256));
        }
        place.key = buffer_bytes(spare);
        break;
    }
    default:
        break;
    }
    return place;
}

void check_version(const struct version *got, const struct version *want)
{
    CHECK_EQ_BYTES(got->key.data, got->key.size, want->key.data, want->key.size);
    CHECK_EQ_INT(got->valid_from, want->valid_from);
    CHECK_EQ_INT(got->commit, want->commit);
    CHECK_EQ_INT(got->valid_to, want->valid_to);
    CHECK_EQ_INT(got->kind, want->kind);
    CHECK_EQ_UINT(got->flags, want->flags);
    CHECK_EQ_BYTES(got->value.data, got->value.size, want->value.data, want->value.size);
}

/* Stands where the model stands: at `at`, one-based; 0 or past the end: nowhere. */
static void check_stop(const struct version_iter *it, const struct model *view, size_t at)
{
    CHECK_STATUS(it->status, YORE_OK);
    CHECK_EQ_INT(it->is_valid, at >= 1 && at <= view->count);
    if (it->is_valid) {
        check_version(&it->at, &view->versions[at - 1]);
    }
}

/* Position afresh; the one-based stop the model expects. */
static size_t jump(struct version_iter *it, const struct model *view, const struct model *whole,
                   struct test_rand *rand, bool is_as_of)
{
    struct buffer spare = {0};
    size_t at = 0;
    if (test_rand_one_in(rand, 8)) {
        version_iter_first(it);
        return 1;
    }
    if (test_rand_one_in(rand, 8)) {
        version_iter_last(it);
        return view->count;
    }
    struct version_place place = model_place(whole, rand, &spare);
    size_t found = model_seek(view, &place, is_as_of);
    if (test_rand_one_in(rand, 2)) {
        version_iter_seek(it, &place);
        at = found + 1;
    } else {
        version_iter_seek_back(it, &place);
        bool is_there = found < view->count && bytes_equal(view->versions[found].key, place.key) &&
                        (is_as_of || (view->versions[found].valid_from == place.valid_from &&
                                      view->versions[found].commit == place.commit));
        at = is_there ? found + 1 : found;
    }
    buffer_release(&spare);
    return at;
}

void check_walk(struct version_iter *it, const struct model *view, const struct model *whole,
                struct test_rand *rand, bool is_as_of)
{
    size_t at = 0;
    version_iter_first(it);
    for (at = 1; at <= view->count; at++) {
        check_stop(it, view, at);
        version_iter_next(it);
    }
    check_stop(it, view, at);
    version_iter_last(it);
    for (at = view->count; at > 0; at--) {
        check_stop(it, view, at);
        version_iter_prev(it);
    }
    check_stop(it, view, at);
    for (unsigned i = 0; i < 60; i++) {
        at = jump(it, view, whole, rand, is_as_of);
        check_stop(it, view, at);
        for (uint64_t steps = test_rand_below(rand, 12); steps > 0 && it->is_valid; steps--) {
            if (test_rand_one_in(rand, 2)) {
                version_iter_next(it);
                at++;
            } else {
                version_iter_prev(it);
                at--;
            }
            check_stop(it, view, at);
        }
    }
}
