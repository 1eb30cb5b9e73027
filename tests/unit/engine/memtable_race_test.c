/* memtable_race_test.c -- readers without locks beside the memtable's writer; worth most in the
 * preset tsan. */
#include "engine/memtable.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "support/test.h"

enum { KEY_MAX = 64, FULL_BYTES = 64 << 20 };

static struct version version_at(struct yore_bytes key, uint32_t commit)
{
    return (struct version){.key = key,
                            .valid_from = commit,
                            .commit = commit,
                            .valid_to = YORE_FOREVER,
                            .kind = YORE_KIND_PUT,
                            .value = key};
}

/* ---- one writer, three readers ---- */

enum { RACE_READERS = 3, RACE_COMMITS_MAX = 20000, RACE_KEYSPACE = 5 };

struct race {
    struct memtable *memtable;
    uint32_t commits;
    _Atomic uint32_t published;
    uint32_t distinct[RACE_COMMITS_MAX + 1]; /* keys with a version up to this commit */
    uint64_t salt;
};

struct race_reader {
    struct race *race;
    struct test_rand rand;
    pthread_t thread;
};

/* Every fourth commit writes the key of one half as old.  Early keys share a long prefix, which
 * later ones cut short; a part ascends. */
static struct yore_bytes race_key(const struct race *race, uint32_t commit,
                                  unsigned char octets[KEY_MAX])
{
    uint32_t id = commit % 4 == 0 ? commit / 2 : commit;
    size_t size = 0;
    if (id % 3 != 0 || id < 150) {
        size = id < 100 ? 40 : id < 400 ? 12 : 2;
        memset(octets, 'p', size);
    }
    struct test_rand rand = {race->salt ^ (id * 0x9e3779b97f4a7c15U)};
    uint64_t head = id % 5 == 0 ? UINT64_MAX - 1000000 + id : test_rand_u64(&rand);
    for (unsigned i = 0; i < 8; i++) {
        octets[size++] = (unsigned char)(head >> (8 * (7 - i)));
    }
    octets[size++] = (unsigned char)(id >> 8);
    octets[size++] = (unsigned char)id;
    return bytes_of(octets, size);
}

static void *race_write(void *arg)
{
    struct race *race = arg;
    unsigned char octets[KEY_MAX];
    for (uint32_t commit = 1; commit <= race->commits; commit++) {
        struct version v = version_at(race_key(race, commit, octets), commit);
        CHECK_OK(memtable_add(race->memtable, RACE_KEYSPACE, &v));
        atomic_store_explicit(&race->published, commit, memory_order_release);
    }
    return NULL;
}

static void race_get(const struct race *race, struct test_rand *rand, uint32_t known)
{
    unsigned char octets[KEY_MAX];
    for (unsigned i = 0; i < 200; i++) {
        uint32_t commit = 1 + (uint32_t)test_rand_below(rand, known);
        struct yore_bytes key = race_key(race, commit, octets);
        struct version got;
        bool is_found = memtable_get(race->memtable, RACE_KEYSPACE, key, commit, known, &got);
        CHECK(is_found);
        if (is_found) {
            CHECK_EQ_INT(got.commit, commit);
            CHECK(bytes_equal(got.key, key) && bytes_equal(got.value, key));
        }
        CHECK(memtable_has_newer(race->memtable, RACE_KEYSPACE, key, (int64_t)commit - 1));
    }
}

/* All of the view, forward or backward, strictly in order; returns how many. */
static uint32_t race_walk(const struct race *race, const struct iter_view *view, bool is_back)
{
    struct version_iter *it;
    CHECK_OK(memtable_iter_new(race->memtable, RACE_KEYSPACE, view, &it));
    uint32_t count = 0;
    struct version before = {.commit = 0};
    if (is_back) {
        version_iter_last(it);
    } else {
        version_iter_first(it);
    }
    while (it->is_valid) {
        CHECK(it->at.commit <= view->known && bytes_equal(it->at.key, it->at.value));
        if (count > 0) {
            int order = version_compare(&before, &it->at);
            CHECK(is_back ? order > 0 : order < 0);
            CHECK(!view->is_as_of || !bytes_equal(before.key, it->at.key));
        }
        before = it->at;
        count++;
        if (is_back) {
            version_iter_prev(it);
        } else {
            version_iter_next(it);
        }
    }
    version_iter_free(it);
    return count;
}

/* A seek meets the version of a published commit exactly, from either side. */
static void race_seek(const struct race *race, struct test_rand *rand, uint32_t known)
{
    unsigned char octets[KEY_MAX];
    struct iter_view view = {.is_as_of = test_rand_one_in(rand, 2), .valid = known, .known = known};
    struct version_iter *it;
    CHECK_OK(memtable_iter_new(race->memtable, RACE_KEYSPACE, &view, &it));
    for (unsigned i = 0; i < 50; i++) {
        uint32_t commit = 1 + (uint32_t)test_rand_below(rand, known);
        struct version_place place = {race_key(race, commit, octets), commit, commit};
        version_iter_seek(it, &place);
        CHECK(it->is_valid && bytes_equal(it->at.key, place.key));
        version_iter_seek_back(it, &place);
        CHECK(it->is_valid && bytes_equal(it->at.key, place.key));
        CHECK(view.is_as_of || it->at.commit == commit);
        version_iter_prev(it);
        if (it->is_valid) {
            CHECK(bytes_compare(it->at.key, place.key) <= 0);
            version_iter_next(it);
            CHECK(it->is_valid && bytes_equal(it->at.key, place.key));
        }
    }
    version_iter_free(it);
}

static void *race_read(void *arg)
{
    struct race_reader *reader = arg;
    struct race *race = reader->race;
    uint32_t known = 0;
    while (known < race->commits) {
        known = atomic_load_explicit(&race->published, memory_order_acquire);
        if (known == 0) {
            continue;
        }
        race_get(race, &reader->rand, known);
        race_seek(race, &reader->rand, known);
        bool is_back = test_rand_one_in(&reader->rand, 2);
        struct iter_view all = {.known = known};
        CHECK_EQ_UINT(race_walk(race, &all, is_back), known);
        struct iter_view as_of = {.is_as_of = true, .valid = INT64_MAX, .known = known};
        CHECK_EQ_UINT(race_walk(race, &as_of, !is_back), race->distinct[known]);
        as_of = (struct iter_view){.is_as_of = true, .valid = known / 2, .known = INT64_MAX};
        CHECK_EQ_UINT(race_walk(race, &as_of, is_back), race->distinct[known / 2]);
    }
    return NULL;
}

static void run_race(struct race *race)
{
    struct race_reader readers[RACE_READERS];
    CHECK_OK(memtable_new(FULL_BYTES, &race->memtable));
    atomic_init(&race->published, 0);
    for (unsigned i = 0; i < RACE_READERS; i++) {
        readers[i].race = race;
        readers[i].rand = test_rand_new(race->salt + i);
        CHECK_EQ_INT(pthread_create(&readers[i].thread, NULL, race_read, &readers[i]), 0);
    }
    pthread_t writer;
    CHECK_EQ_INT(pthread_create(&writer, NULL, race_write, race), 0);
    CHECK_EQ_INT(pthread_join(writer, NULL), 0);
    for (unsigned i = 0; i < RACE_READERS; i++) {
        CHECK_EQ_INT(pthread_join(readers[i].thread, NULL), 0);
    }
    CHECK(memtable_check(race->memtable));
    memtable_unref(race->memtable);
}

TEST(readers_see_every_published_commit_in_order_while_one_writes)
{
    struct race *race = calloc(1, sizeof(*race));
    CHECK(race != NULL);
    for (uint32_t commit = 1; commit <= RACE_COMMITS_MAX; commit++) {
        bool is_new = commit % 4 != 0 || (commit / 2) % 4 == 0;
        race->distinct[commit] = race->distinct[commit - 1] + is_new;
    }
    struct test_rand rand = test_rand_new(0);
    for (unsigned round = 0; round < test_scale(20, 400); round++) {
        test_note("round %u", round);
        race->salt = test_rand_u64(&rand);
        race->commits = round % 10 == 0 ? RACE_COMMITS_MAX : 1500;
        run_race(race);
    }
    free(race);
}

/* ---- places near which the writer is at work ---- */

struct chase {
    struct memtable *memtable;
    uint32_t count;
    _Atomic uint32_t published;
    pthread_t thread;
};

/* Ascending for the most part; now and then a key that begins less like the first one, before or
 * behind all others, so that the common prefix gets shorter step by step. */
static struct yore_bytes chase_key(uint32_t i, unsigned char octets[KEY_MAX])
{
    enum { SIZE = 24 };
    memset(octets, 'm', SIZE);
    if (i % 16 == 15 && i / 16 < 16) {
        octets[19 - i / 16] = i % 32 == 15 ? 'a' : 'z';
    }
    for (unsigned j = 0; j < 4; j++) {
        octets[SIZE - 4 + j] = (unsigned char)(i >> (8 * (3 - j)));
    }
    return bytes_of(octets, SIZE);
}

static void *chase_write(void *arg)
{
    struct chase *chase = arg;
    unsigned char octets[KEY_MAX];
    for (uint32_t i = 0; i < chase->count; i++) {
        struct version v = version_at(chase_key(i, octets), i + 1);
        CHECK_OK(memtable_add(chase->memtable, 1, &v));
        atomic_store_explicit(&chase->published, i + 1, memory_order_release);
    }
    return NULL;
}

/* Keys written just now, or about to be: what a seek finds must lie on the right side of its place.
 */
static void chase_seek(const struct chase *chase, struct version_iter *it, uint32_t i)
{
    unsigned char octets[KEY_MAX];
    struct version_place place = {chase_key(i, octets), i + 1, i + 1};
    struct version v = version_at(place.key, i + 1);
    uint32_t published = atomic_load_explicit(&chase->published, memory_order_acquire);
    version_iter_seek(it, &place);
    CHECK(!it->is_valid || version_compare(&it->at, &v) >= 0);
    CHECK(i >= published || (it->is_valid && it->at.commit == i + 1));
    version_iter_seek_back(it, &place);
    CHECK(!it->is_valid || version_compare(&it->at, &v) <= 0);
    CHECK(i >= published || (it->is_valid && it->at.commit == i + 1));
    struct version got;
    bool is_found = memtable_get(chase->memtable, 1, place.key, INT64_MAX, INT64_MAX, &got);
    CHECK(!is_found || bytes_equal(got.key, place.key));
    CHECK(is_found || i >= published);
}

TEST(a_seek_never_ends_on_the_wrong_side_while_one_writes_there)
{
    struct test_rand rand = test_rand_new(0);
    struct iter_view view = {.known = INT64_MAX};
    for (unsigned round = 0; round < test_scale(200, 5000); round++) {
        test_note("round %u", round);
        struct chase chase = {.count = 256 + (uint32_t)test_rand_below(&rand, 2000)};
        unsigned char octets[KEY_MAX];
        CHECK_OK(memtable_new(FULL_BYTES, &chase.memtable));
        struct version v = version_at(chase_key(0, octets), 1);
        CHECK_OK(memtable_add(chase.memtable, 1, &v));
        struct version_iter *it;
        CHECK_OK(memtable_iter_new(chase.memtable, 1, &view, &it));
        CHECK_EQ_INT(pthread_create(&chase.thread, NULL, chase_write, &chase), 0);
        uint32_t published = 0;
        while (published < chase.count) {
            published = atomic_load_explicit(&chase.published, memory_order_acquire);
            for (uint32_t ahead = 0; ahead < 8; ahead++) {
                chase_seek(&chase, it, published + ahead > 2 ? published + ahead - 2 : 0);
            }
        }
        CHECK_EQ_INT(pthread_join(chase.thread, NULL), 0);
        version_iter_free(it);
        CHECK(memtable_check(chase.memtable));
        memtable_unref(chase.memtable);
    }
}

TEST_MAIN(readers_see_every_published_commit_in_order_while_one_writes,
          a_seek_never_ends_on_the_wrong_side_while_one_writes_there)
