/* manifest_fuzz.c -- CURRENT and a manifest of any bytes.
 *
 * The first octet chooses.  Bit 7 clear: the rest are edits, each behind its length in two octets,
 * which are decoded and applied one after the other.  Bit 7 set: the rest are CURRENT and the file
 * it names, mended as the low bits say (mend.h).  Whatever is accepted must give the same forest
 * again through its own snapshot, and bear every question a reader asks.
 */
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/coding.h"
#include "engine/forest.h"
#include "engine/manifest.h"
#include "fuzz/mend.h"
#include "os/sim_disk.h"
#include "support/fuzz.h"
#include "table/page_cache.h"

#define BYTES_MAX 4096u
#define CURRENT_BYTES 128u
#define DATABASE 77u
#define NUMBER 3u

struct opener {
    struct table_pool *pool;
};

/* A handle reads nothing until it is used, so any description opens. */
static enum yore_status open_file(void *arg, const struct table_meta *meta, int64_t erase_seen,
                                  int64_t known, struct forest_file **file_out,
                                  struct yore_error *error_out)
{
    struct opener *opener = arg;
    const struct file_identity identity = {DATABASE, meta->file};
    struct table *table = NULL;
    (void)error_out;
    enum yore_status st = table_open(opener->pool, "table", identity, meta, &table);
    YORE_ASSERT(st == YORE_OK);
    return forest_file_new(table, erase_seen, known, file_out);
}

/* ---- what a reader asks ---- */

static void ask_region(const struct forest_tree *tree, const struct forest_region *region)
{
    YORE_ASSERT(tree_region(tree, forest_key_bytes(&region->low)) == region);
    (void)region_sealed_to(region);
    for (size_t i = 0; i < region->slice_count; i++) {
        const struct forest_slice *slice = &region->slices[i];
        (void)slice_commit_max(slice);
        (void)slice_carried_commit_max(slice);
        (void)slice_file(slice, forest_key_bytes(&region->low));
        YORE_ASSERT(region_slice_at(region, slice->t0) <= region->slice_count);
        (void)region_holds(region, slice->t0, slice->known);
    }
}

static void count_file(void *arg, struct forest_file *file)
{
    YORE_ASSERT(file->meta != NULL);
    ++*(size_t *)arg;
}

static void ask(const struct forest *forest)
{
    for (size_t i = 0; i < forest->tree_count; i++) {
        const struct forest_tree *tree = forest->trees[i];
        size_t files = 0;
        YORE_ASSERT(forest_tree(forest, tree->keyspace) == tree);
        tree_each_file(tree, count_file, &files);
        for (size_t j = 0; j < tree->region_count; j++) {
            ask_region(tree, &tree->regions[j]);
        }
        for (size_t j = 1; j < LEVELS_MAX; j++) {
            const struct forest_level *level = &tree->levels[j];
            YORE_ASSERT(level_find(level, bytes_of("k", 1)) <= level->file_count);
        }
    }
}

/* ---- through its snapshot ---- */

static void snapshot_bytes(const struct forest *forest, struct buffer *out)
{
    struct edit edit;
    YORE_ASSERT(forest_snapshot(forest, &edit) == YORE_OK);
    edit_encode(&edit, out);
    edit_release(&edit);
    YORE_ASSERT(!out->is_nomem);
}

/* The forest that `bytes` make from nothing. */
static struct forest *grow(struct yore_bytes bytes, const struct forest_opener *opener)
{
    struct yore_error error;
    struct edit edit;
    struct forest *empty = NULL;
    struct forest *forest = NULL;
    YORE_ASSERT(forest_new(&empty) == YORE_OK);
    YORE_ASSERT(edit_decode(bytes, opener, &edit, &error) == YORE_OK);
    YORE_ASSERT(forest_apply(empty, &edit, &forest, &error) == YORE_OK);
    YORE_ASSERT(forest_check(forest, &error) == YORE_OK);
    edit_release(&edit);
    forest_unref(empty);
    return forest;
}

/* A snapshot is compared with the one two forests later: tables of level 0 with the same newest
 * commit, which no flush makes, come out in turned order. */
static void check_snapshot(const struct forest *forest, const struct forest_opener *opener)
{
    struct buffer bytes[4] = {{0}};
    struct yore_error error;
    YORE_ASSERT(forest_check(forest, &error) == YORE_OK);
    snapshot_bytes(forest, &bytes[0]);
    for (size_t i = 0; i < 3; i++) {
        struct forest *next = grow(buffer_bytes(&bytes[i]), opener);
        snapshot_bytes(next, &bytes[i + 1]);
        forest_unref(next);
    }
    YORE_ASSERT(bytes_equal(buffer_bytes(&bytes[1]), buffer_bytes(&bytes[3])));
    for (size_t i = 0; i < 4; i++) {
        buffer_release(&bytes[i]);
    }
}

static void check(const struct forest *forest, const struct forest_opener *opener)
{
    ask(forest);
    check_snapshot(forest, opener);
}

/* ---- the two ways in ---- */

static void fuzz_edits(const uint8_t *data, size_t size, const struct forest_opener *opener)
{
    struct forest *forest = NULL;
    YORE_ASSERT(forest_new(&forest) == YORE_OK);
    size_t at = 0;
    enum yore_status st = YORE_OK;
    while (st == YORE_OK && at + 2 <= size) {
        size_t length = (size_t)data[at] | (size_t)data[at + 1] << 8;
        at += 2;
        length = length < size - at ? length : size - at;
        struct yore_error error = {0};
        struct edit edit;
        struct forest *next = NULL;
        st = edit_decode(bytes_of(data + at, length), opener, &edit, &error);
        if (st == YORE_OK) {
            st = forest_apply(forest, &edit, &next, &error);
            edit_release(&edit);
        }
        YORE_ASSERT(st == YORE_OK || st == YORE_CORRUPT || st == YORE_BAD_FORMAT);
        if (st == YORE_OK) {
            forest_unref(forest);
            forest = next;
        } else {
            YORE_ASSERT(error.text[0] != '\0');
        }
        at += length;
    }
    check(forest, opener);
    forest_unref(forest);
}

static void put_file(struct os_env *env, const char *path, const void *data, size_t size)
{
    struct os_file *file = NULL;
    YORE_ASSERT(os_file_open(env, path, OS_OPEN_CREATE, &file, NULL) == YORE_OK);
    YORE_ASSERT(os_file_write(file, 0, data, size, NULL) == YORE_OK);
    os_file_close(file);
}

static void fuzz_files(struct os_env *env, const uint8_t *data, size_t size, unsigned how,
                       const struct forest_opener *opener)
{
    static unsigned char bytes[BYTES_MAX];
    const struct record_log_identity identity = {DATABASE, NUMBER, RECORD_LOG_MANIFEST};
    struct manifest_current current = {.database = DATABASE, .number = NUMBER};
    struct yore_error error = {0};
    size_t head = size < CURRENT_BYTES ? size : CURRENT_BYTES;
    put_file(env, "CURRENT", data, head);
    struct manifest_current told;
    enum yore_status st = manifest_read_current(env, ".", &told, &error);
    YORE_ASSERT(st == YORE_OK || st == YORE_CORRUPT || st == YORE_BAD_FORMAT);
    size_t length = size - head;
    memcpy(bytes, data + head, length);
    mend_record_log(&identity, bytes, length, how);
    put_file(env, "manifest-0000000000000003", bytes, length);
    struct forest *forest = NULL;
    st = manifest_load(env, ".", current, opener, &forest, &error);
    YORE_ASSERT(st == YORE_OK || st == YORE_CORRUPT || st == YORE_BAD_FORMAT);
    if (st == YORE_OK) {
        check(forest, opener);
        forest_unref(forest);
    } else {
        YORE_ASSERT(error.text[0] != '\0');
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 || size > BYTES_MAX) {
        return 0;
    }
    struct sim_disk *disk = sim_disk_new(1);
    struct page_cache *cache = NULL;
    struct opener opener = {NULL};
    const struct forest_opener port = {open_file, &opener};
    YORE_ASSERT(disk != NULL && page_cache_new(1u << 20, 0, &cache) == YORE_OK);
    YORE_ASSERT(table_pool_new(sim_disk_env(disk), cache, 4, &opener.pool) == YORE_OK);
    if ((data[0] & 0x80) == 0) {
        fuzz_edits(data + 1, size - 1, &port);
    } else {
        fuzz_files(sim_disk_env(disk), data + 1, size - 1, data[0], &port);
    }
    table_pool_free(opener.pool);
    page_cache_free(cache);
    sim_disk_free(disk);
    return 0;
}
