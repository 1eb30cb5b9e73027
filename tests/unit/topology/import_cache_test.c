#include "topology/import_cache.h"

#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "support/test.h"

static struct yore_bytes name_of(unsigned i, char text[32])
{
    return bytes_of(text, (size_t)snprintf(text, 32, "element:%u", i));
}

static struct import_element *find(const struct import_cache *cache, enum graph_element element,
                                   struct yore_bytes id)
{
    return import_cache_find(cache, element, id, import_cache_hash(element, id));
}

static struct import_element *add(struct import_cache *cache, enum graph_element element,
                                  struct yore_bytes id)
{
    return import_cache_add(cache, element, id, import_cache_hash(element, id));
}

TEST(nodes_and_relationships_of_one_name_are_two)
{
    struct import_cache cache = {0};
    char text[32];
    CHECK(find(&cache, GRAPH_NODE, name_of(1, text)) == NULL);
    for (unsigned i = 0; i < 5000; i++) {
        CHECK(add(&cache, GRAPH_NODE, name_of(i, text)) != NULL);
        if (i % 2 == 0) {
            CHECK(add(&cache, GRAPH_RELATIONSHIP, name_of(i, text)) != NULL);
        }
    }
    for (unsigned i = 0; i < 5000; i++) {
        const struct import_element *node = find(&cache, GRAPH_NODE, name_of(i, text));
        const struct import_element *other = find(&cache, GRAPH_RELATIONSHIP, name_of(i, text));
        CHECK(node != NULL && node->element == GRAPH_NODE && node->record == NULL);
        CHECK(bytes_equal(node->external_id, name_of(i, text)));
        CHECK((other != NULL) == (i % 2 == 0));
        CHECK(other == NULL || other->element == GRAPH_RELATIONSHIP);
    }
    CHECK(find(&cache, GRAPH_NODE, name_of(5000, text)) == NULL);
    import_cache_release(&cache);
}

/* Hashes that are alike tell nothing: ids do. */
TEST(equal_hashes_are_told_apart)
{
    struct import_cache cache = {0};
    char text[32];
    for (unsigned i = 0; i < 20; i++) {
        CHECK(import_cache_add(&cache, GRAPH_NODE, name_of(i, text), 7) != NULL);
    }
    const uint64_t hashes[2] = {7, 8};
    import_cache_prefetch(&cache, hashes, 2);
    for (unsigned i = 0; i < 20; i++) {
        const struct import_element *node =
            import_cache_find(&cache, GRAPH_NODE, name_of(i, text), 7);
        CHECK(node != NULL && bytes_equal(node->external_id, name_of(i, text)));
    }
    CHECK(import_cache_find(&cache, GRAPH_NODE, name_of(20, text), 7) == NULL);
    import_cache_release(&cache);
}

static unsigned char octet_of(unsigned i, unsigned round)
{
    return (unsigned char)(i * 31 + round * 7 + 1);
}

/* Sizes on both sides of what lies among the elements; a block that is given back is used again. */
TEST(records_of_all_sizes_stay_what_they_are)
{
    enum { COUNT = 200, ROUNDS = 20, BYTES_MAX = 3 * IMPORT_BLOCK_BYTES_MAX };
    static unsigned char octets[BYTES_MAX];
    struct import_cache cache = {0};
    struct import_element *elements[COUNT];
    size_t sizes[COUNT] = {0};
    char text[32];
    for (unsigned i = 0; i < COUNT; i++) {
        elements[i] = add(&cache, GRAPH_NODE, name_of(i, text));
        CHECK(elements[i] != NULL);
    }
    size_t after_first = 0;
    for (unsigned round = 0; round < ROUNDS; round++) {
        for (unsigned i = 0; i < COUNT; i++) {
            size_t size = hash_u64(i * ROUNDS + round) % (i % 10 == 0 ? BYTES_MAX : 300);
            memset(octets, octet_of(i, round), size);
            CHECK(import_cache_set(&cache, elements[i], bytes_of(octets, size)));
            sizes[i] = size;
        }
        for (unsigned i = 0; i < COUNT; i++) {
            CHECK_EQ_UINT(elements[i]->record_size, sizes[i]);
            for (size_t at = 0; at < sizes[i]; at++) {
                CHECK(elements[i]->record[at] == octet_of(i, round));
            }
            import_cache_end(&cache, elements[i]);
            CHECK(elements[i]->record == NULL && elements[i]->record_size == 0);
        }
        after_first = round == 0 ? import_cache_bytes(&cache) : after_first;
    }
    CHECK_EQ_UINT(cache.large_bytes, 0);
    CHECK(import_cache_bytes(&cache) < 3 * after_first);
    CHECK(import_cache_set(&cache, elements[0], bytes_of(octets, BYTES_MAX))); /* freed with it */
    import_cache_release(&cache);
}

TEST_MAIN(nodes_and_relationships_of_one_name_are_two, equal_hashes_are_told_apart,
          records_of_all_sizes_stay_what_they_are)
