/* table_fixture.h -- random tables and the model that knows what they hold: a sorted array of
 * versions. */
#ifndef YORE_TESTS_TABLE_FIXTURE_H
#define YORE_TESTS_TABLE_FIXTURE_H

#include "base/arena.h"
#include "os/sim_disk.h"
#include "support/test.h"
#include "table/table.h"

struct fixture {
    struct sim_disk *disk;
    struct os_env *env;
    struct page_cache *cache;
    struct table_pool *pool;
};
void fixture_open(struct fixture *f, uint64_t cache_bytes, uint32_t open_max);
/* Indexes and filters may take `floor_bytes` where the cache is smaller. */
void fixture_open_floor(struct fixture *f, uint64_t cache_bytes, uint64_t floor_bytes,
                        uint32_t open_max);
void fixture_close(struct fixture *f);

/* How random a model is. */
struct model_shape {
    uint32_t key_count;
    uint32_t versions_max; /* a key */
    uint32_t key_bytes_max;
    uint32_t value_bytes_max;
    bool has_numbers;  /* values of eight octets */
    bool has_late;     /* commit after valid_from */
    bool has_kinds;    /* deletes, erased, ends, flags */
    int64_t time_step; /* times are multiples of it */
};
struct model_shape model_shape_random(struct test_rand *rand);

struct model {
    struct version *versions; /* in order */
    size_t count;
    struct arena arena; /* of keys and values; empty in a view */
};
struct model model_random(struct test_rand *rand, const struct model_shape *shape);
void model_release(struct model *m);

/* The versions a view yields, in order, borrowing keys and values; commit_after is not applied. */
struct model model_view(const struct model *m, const struct iter_view *view);

/* First index with version >= place (as of: key >= place->key). */
size_t model_seek(const struct model *m, const struct version_place *place, bool is_as_of);

/* Make of it what a stamped table can hold: puts without end, one a key, at `time`. */
void model_stamp(struct model *m, int64_t time);

struct table_options fixture_options(struct test_rand *rand, uint64_t file);
/* With options->is_stamped the versions are those of model_stamp(), which the meta is stamped with.
 */
void fixture_build(struct fixture *f, const char *path, const struct table_options *options,
                   const struct version *versions, size_t count, struct table_meta *meta_out);
struct table *fixture_table(struct fixture *f, const char *path,
                            const struct table_options *options, const struct version *versions,
                            size_t count);

/* A place near the model: one of its versions, or just beside one. */
struct version_place model_place(const struct model *m, struct test_rand *rand,
                                 struct buffer *spare);

void check_version(const struct version *got, const struct version *want);
/* Walk about at random and hold every stop against `view`. */
void check_walk(struct version_iter *it, const struct model *view, const struct model *whole,
                struct test_rand *rand, bool is_as_of);

#endif
