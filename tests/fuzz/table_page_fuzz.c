/* table_page_fuzz.c -- hostile pages and whole hostile tables.
 *
 * The first octet chooses: even, the rest are the columns of a page; odd, the rest are a table
 * file, whose checks are made to hold first, so that what lies behind them is reached.  Whatever is
 * accepted must bear every kind of reading, and the page decoder's promises of order and bounds
 * must hold. */
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/coding.h"
#include "base/crc32c.h"
#include "os/sim_disk.h"
#include "support/fuzz.h"
#include "table/page.h"
#include "table/table.h"
#include "table/table_format.h"
#include "table/table_index.h"

static const struct file_identity identity = {77, 5};

/* ---- pages ---- */

/* Read it: the sanitizer tells whether it may be read. */
static void touch(struct yore_bytes bytes)
{
    const volatile unsigned char *at = bytes.data;
    for (size_t i = 0; i < bytes.size; i += i + 61 < bytes.size ? 61 : 1) {
        (void)at[i];
    }
}

static void search_key(const struct page *page, uint32_t key)
{
    struct yore_bytes octets = page_key(page, key);
    bool is_equal = false;
    YORE_ASSERT(page_find_key(page, octets, &is_equal) == key && is_equal);
    YORE_ASSERT(page_find_equal(page, octets) == key);
    uint32_t start = page_start(page, key);
    uint32_t end = page_start(page, key + 1);
    for (uint32_t i = start; i < end; i++) {
        int64_t valid = page_valid_from(page)[i];
        int64_t commit = page_commit(page)[i];
        YORE_ASSERT(valid <= commit);
        YORE_ASSERT(page_find_version(page, key, valid, commit) == i);
        uint32_t found = page_find_as_of(page, key, valid, commit);
        YORE_ASSERT(found >= start && found <= i);
    }
}

static void fuzz_page(const uint8_t *data, size_t size)
{
    struct page *page = NULL;
    const char *what = NULL;
    enum yore_status st = page_decode(NULL, bytes_of(data, size), &page, &what);
    YORE_ASSERT((st == YORE_OK) == (page != NULL));
    if (st != YORE_OK) {
        YORE_ASSERT(what != NULL);
        return;
    }
    for (uint32_t i = 0; i < page->version_count; i++) {
        struct version v;
        page_read_version(page, i, &v);
        touch(v.value);
        YORE_ASSERT(v.kind >= YORE_KIND_PUT && v.kind <= YORE_KIND_ERASED);
    }
    uint32_t step = 1 + page->key_count / 200;
    for (uint32_t key = 0; key < page->key_count; key += step) {
        search_key(page, key);
    }
    page_free(page);
}

/* ---- files ---- */

/* The block of the footer at `place`, or nothing when it does not lie in the file. */
static struct yore_bytes block_of(const unsigned char *file, size_t size, unsigned place)
{
    const unsigned char *footer = file + size - TABLE_FOOTER_BYTES;
    uint64_t offset = get_u64(footer + place);
    uint64_t length = get_u64(footer + place + 8);
    if (offset > size || length > size - offset) {
        return bytes_of(file, 0);
    }
    return bytes_of(file + offset, (size_t)length);
}

static void mend_pages(unsigned char *file, size_t size, uint64_t check_id)
{
    struct table_index index;
    const char *what = NULL;
    if (table_index_decode(block_of(file, size, FOOTER_AT_INDEX), &index, &what) != YORE_OK) {
        return;
    }
    for (uint32_t i = 0; i < index.page_count; i++) {
        const struct index_page *p = &index.pages[i];
        if (p->offset > size || p->size > size - p->offset) {
            break;
        }
        size_t checked = p->size - PAGE_CRC_BYTES;
        put_u32(file + p->offset + checked,
                crc32c_placed(check_id, p->offset, file + p->offset, checked));
    }
    table_index_release(&index);
}

/* Make header, footer, blocks and pages pass their checks. */
static void mend(unsigned char *file, size_t size)
{
    uint64_t check_id = file_check_id(&identity);
    unsigned char *footer = file + size - TABLE_FOOTER_BYTES;
    memcpy(file, TABLE_HEADER_MAGIC, TABLE_MAGIC_BYTES);
    put_u32(file + HEADER_AT_VERSION, TABLE_FORMAT_VERSION);
    put_u64(file + HEADER_AT_DATABASE, identity.database);
    put_u64(file + HEADER_AT_FILE, identity.file);
    memcpy(footer + FOOTER_AT_MAGIC, TABLE_FOOTER_MAGIC, TABLE_MAGIC_BYTES);
    put_u32(footer + FOOTER_AT_VERSION, TABLE_FORMAT_VERSION);
    put_u64(footer + FOOTER_AT_DATABASE, identity.database);
    put_u64(footer + FOOTER_AT_FILE, identity.file);
    mend_pages(file, size, check_id);
    static const unsigned blocks[][2] = {{FOOTER_AT_INDEX, FOOTER_AT_INDEX_CRC},
                                         {FOOTER_AT_FILTER, FOOTER_AT_FILTER_CRC},
                                         {FOOTER_AT_META, FOOTER_AT_META_CRC}};
    for (size_t i = 0; i < 3; i++) {
        struct yore_bytes block = block_of(file, size, blocks[i][0]);
        uint64_t offset = get_u64(footer + blocks[i][0]);
        put_u32(footer + blocks[i][1], crc32c_placed(check_id, offset, block.data, block.size));
    }
    put_u32(file + HEADER_AT_CRC, crc32c(0, file, HEADER_AT_CRC));
    put_u32(footer + FOOTER_AT_CRC,
            crc32c_placed(check_id, size - TABLE_FOOTER_BYTES, footer, FOOTER_AT_CRC));
}

static void walk(struct table *table, const struct iter_view *view, struct yore_bytes key)
{
    struct version_iter *it = NULL;
    if (table_iter_new(table, view, &it) != YORE_OK) {
        abort();
    }
    unsigned left = 3000;
    for (version_iter_first(it); it->is_valid && left > 0; version_iter_next(it), left--) {
        touch(it->at.key);
        touch(it->at.value);
    }
    left = 3000;
    for (version_iter_last(it); it->is_valid && left > 0; version_iter_prev(it), left--) {
        touch(it->at.key);
    }
    struct version_place place = {key, view->valid, view->known};
    version_iter_seek(it, &place);
    for (left = 5; it->is_valid && left > 0; left--) {
        version_iter_prev(it);
    }
    version_iter_seek_back(it, &place);
    for (left = 5; it->is_valid && left > 0; left--) {
        version_iter_next(it);
    }
    version_iter_free(it);
}

static void read_table(struct table *table, const struct table_meta *meta)
{
    struct yore_error error;
    struct version got;
    struct table_pin pin;
    struct yore_bytes none = {NULL, 0};
    struct buffer middle = {0};
    int64_t valid = meta->valid_min / 2 + meta->valid_max / 2;
    uint64_t pages = 0;
    struct yore_bytes key = buffer_bytes(&meta->last_key);
    if (table_middle_key(table, none, none, &middle, &error) == YORE_OK) {
        key = buffer_bytes(&middle);
    }
    (void)table_range_bytes(table, none, key);
    struct iter_view all = {.known = INT64_MAX, .commit_after = INT64_MIN};
    struct iter_view past = {.is_as_of = true, .valid = valid, .known = INT64_MAX};
    walk(table, &all, key);
    walk(table, &past, key);
    if (table_get(table, key, valid, INT64_MAX, &got, &pin, &error) == YORE_OK) {
        touch(got.value);
        table_pin_release(&pin);
    }
    (void)table_verify(table, &pages, &error);
    buffer_release(&middle);
}

static void put_file(struct os_env *env, const unsigned char *file, size_t size)
{
    struct os_file *to = NULL;
    if (os_file_open(env, "t", OS_OPEN_CREATE, &to, NULL) != YORE_OK ||
        os_file_write(to, 0, file, size, NULL) != YORE_OK) {
        abort();
    }
    os_file_close(to);
}

static void fuzz_file(const uint8_t *data, size_t size)
{
    if (size < TABLE_HEADER_BYTES + TABLE_FOOTER_BYTES) {
        return;
    }
    unsigned char *file = malloc(size);
    struct sim_disk *disk = sim_disk_new(1);
    if (file == NULL || disk == NULL) {
        abort();
    }
    memcpy(file, data, size);
    struct page_cache *cache = NULL;
    struct table_pool *pool = NULL;
    struct table *table = NULL;
    struct table_meta meta = {0};
    struct decoder d;
    struct yore_bytes block = block_of(file, size, FOOTER_AT_META);
    decoder_init(&d, block.data, block.size);
    if (table_meta_decode(&d, &meta) == YORE_OK && meta.file_bytes == size &&
        page_cache_new(1 << 16, 0, &cache) == YORE_OK &&
        table_pool_new(sim_disk_env(disk), cache, 1, &pool) == YORE_OK) {
        mend(file, size);
        put_file(sim_disk_env(disk), file, size);
        if (table_open(pool, "t", identity, &meta, &table) == YORE_OK) {
            read_table(table, &meta);
        }
        table_close(table);
    }
    table_meta_release(&meta);
    table_pool_free(pool);
    page_cache_free(cache);
    sim_disk_free(disk);
    free(file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 0 && data[0] % 2 == 0) {
        fuzz_page(data + 1, size - 1);
    } else if (size > 0) {
        fuzz_file(data + 1, size - 1);
    }
    return 0;
}
