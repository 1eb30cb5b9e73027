/* table_load.c -- from a file to index and filter, trusting nothing. */
#include <inttypes.h>

#include "base/coding.h"
#include "base/crc32c.h"
#include "base/mem.h"
#include "table/filter.h"
#include "table/table_format.h"
#include "table/table_internal.h"

enum yore_status table_error(const struct table *table, enum yore_status status, uint64_t offset,
                             const char *what, struct yore_error *error_out)
{
    if (status == YORE_NOMEM) {
        return error_plain(error_out, status);
    }
    return error_set(error_out, status, "%s: offset %" PRIu64 ": %s", table->path, offset, what);
}

/* One block of the footer. */
struct block {
    uint64_t offset;
    uint64_t size;
    uint32_t crc;
};

static struct block footer_block(const unsigned char *footer, unsigned place, unsigned crc)
{
    return (struct block){get_u64(footer + place), get_u64(footer + place + 8),
                          get_u32(footer + crc)};
}

enum yore_status table_pin_file(struct table *table, struct yore_error *error_out)
{
    enum yore_status st = file_ring_pin(table_pool_files(table->pool), &table->file, error_out);
    if (st == YORE_NOT_FOUND) { /* to a reader NOT_FOUND would mean that the key is not there */
        st = error_set(error_out, YORE_CORRUPT, "%s: offset 0: the file is missing", table->path);
    }
    return st;
}

enum yore_status table_read_exactly(struct table *table, uint64_t offset, void *data, size_t size,
                                    struct yore_error *error_out)
{
    size_t got = 0;
    enum yore_status st = table_pin_file(table, error_out);
    if (st != YORE_OK) {
        return st;
    }
    st = os_file_read(table->file.file, offset, data, size, &got, error_out);
    kept_file_unpin(&table->file);
    if (st == YORE_OK && got != size) {
        return table_error(table, YORE_CORRUPT, offset + got, "the file ends too early", error_out);
    }
    return st;
}

/* Is it the file it should be?  Said before anything placed is checked, so that a stray file is
 * called by its name. */
static enum yore_status check_identity(struct table *table, uint64_t offset, uint64_t database,
                                       uint64_t file, struct yore_error *error_out)
{
    if (database != table->identity.database) {
        return error_set(error_out, YORE_CORRUPT,
                         "%s: offset %" PRIu64 ": the file belongs to another database (%016" PRIx64
                         ", not %016" PRIx64 ")",
                         table->path, offset, database, table->identity.database);
    }
    if (file != table->identity.file) {
        return error_set(error_out, YORE_CORRUPT,
                         "%s: offset %" PRIu64 ": this is file %" PRIu64 ", not %" PRIu64,
                         table->path, offset, file, table->identity.file);
    }
    return YORE_OK;
}

static enum yore_status check_header(struct table *table, struct table_loaded *loaded,
                                     struct yore_error *error_out)
{
    unsigned char header[TABLE_HEADER_BYTES];
    enum yore_status st = table_read_exactly(table, 0, header, sizeof(header), error_out);
    if (st != YORE_OK) {
        return st;
    }
    if (memcmp(header, TABLE_HEADER_MAGIC, TABLE_MAGIC_BYTES) != 0) {
        return table_error(table, YORE_CORRUPT, 0, "not a table", error_out);
    }
    if (crc32c(0, header, HEADER_AT_CRC) != get_u32(header + HEADER_AT_CRC)) {
        return table_error(table, YORE_CORRUPT, 0, "header check failed", error_out);
    }
    uint32_t version = get_u32(header + HEADER_AT_VERSION);
    if (version != TABLE_FORMAT_VERSION && version != TABLE_FORMAT_STAMPED) {
        return error_set(error_out, YORE_BAD_FORMAT,
                         "%s: table format %" PRIu32
                         "; this program reads formats %u and %u: use a newer one",
                         table->path, version, TABLE_FORMAT_VERSION, TABLE_FORMAT_STAMPED);
    }
    loaded->is_stamped = version == TABLE_FORMAT_STAMPED;
    loaded->page_class =
        header[HEADER_AT_CLASS] == PAGE_CLASS_PAST ? PAGE_CLASS_PAST : PAGE_CLASS_PRESENT;
    return check_identity(table, 0, get_u64(header + HEADER_AT_DATABASE),
                          get_u64(header + HEADER_AT_FILE), error_out);
}

static enum yore_status file_size(struct table *table, uint64_t *size_out,
                                  struct yore_error *error_out)
{
    enum yore_status st = table_pin_file(table, error_out);
    if (st == YORE_OK) {
        st = os_file_size(table->file.file, size_out, error_out);
        kept_file_unpin(&table->file);
    }
    return st;
}

static enum yore_status check_footer(struct table *table, uint32_t format, unsigned char *footer,
                                     struct yore_error *error_out)
{
    uint64_t size = 0;
    enum yore_status st = file_size(table, &size, error_out);
    if (st != YORE_OK) {
        return st;
    }
    if (size != table->meta.file_bytes || size < TABLE_HEADER_BYTES + TABLE_FOOTER_BYTES) {
        return error_set(error_out, YORE_CORRUPT,
                         "%s: offset %" PRIu64 ": the file has %" PRIu64 " octets, not %" PRIu64,
                         table->path, size < table->meta.file_bytes ? size : table->meta.file_bytes,
                         size, table->meta.file_bytes);
    }
    uint64_t offset = size - TABLE_FOOTER_BYTES;
    st = table_read_exactly(table, offset, footer, TABLE_FOOTER_BYTES, error_out);
    if (st != YORE_OK) {
        return st;
    }
    if (crc32c_placed(table->check_id, offset, footer, FOOTER_AT_CRC) !=
            get_u32(footer + FOOTER_AT_CRC) ||
        memcmp(footer + FOOTER_AT_MAGIC, TABLE_FOOTER_MAGIC, TABLE_MAGIC_BYTES) != 0 ||
        get_u32(footer + FOOTER_AT_VERSION) != format) {
        return table_error(table, YORE_CORRUPT, offset, "footer check failed", error_out);
    }
    return check_identity(table, offset, get_u64(footer + FOOTER_AT_DATABASE),
                          get_u64(footer + FOOTER_AT_FILE), error_out);
}

/* Read a block into new memory aligned to cache lines. */
static enum yore_status read_block(struct table *table, const struct block *block,
                                   unsigned char **data_out, struct yore_error *error_out)
{
    *data_out = NULL;
    uint64_t limit = table->meta.file_bytes - TABLE_FOOTER_BYTES;
    if (block->offset > limit || block->size > limit - block->offset) {
        return table_error(table, YORE_CORRUPT, limit, "footer names a block outside the file",
                           error_out);
    }
    size_t size = (size_t)block->size;
    unsigned char *data = mem_alloc_aligned(64, (size + 64) & ~(size_t)63);
    if (data == NULL) {
        return error_plain(error_out, YORE_NOMEM);
    }
    enum yore_status st = table_read_exactly(table, block->offset, data, size, error_out);
    if (st == YORE_OK && crc32c_placed(table->check_id, block->offset, data, size) != block->crc) {
        st = table_error(table, YORE_CORRUPT, block->offset, "block check failed", error_out);
    }
    if (st != YORE_OK) {
        mem_free(data);
        return st;
    }
    *data_out = data;
    return YORE_OK;
}

static enum yore_status load_index(struct table *table, struct table_loaded *loaded,
                                   const struct block *block, struct yore_error *error_out)
{
    unsigned char *data = NULL;
    enum yore_status st = read_block(table, block, &data, error_out);
    if (st != YORE_OK) {
        return st;
    }
    const char *what = NULL;
    st = table_index_decode(bytes_of(data, (size_t)block->size), &loaded->index, &what);
    mem_free(data);
    if (st != YORE_OK) {
        return table_error(table, st, block->offset, what, error_out);
    }
    if (loaded->index.end_offset != block->offset) {
        return table_error(table, YORE_CORRUPT, block->offset, "pages and index do not meet",
                           error_out);
    }
    if (loaded->is_stamped && !table_index_stamp(&loaded->index, table->meta.commit_min)) {
        return table_error(table, YORE_CORRUPT, block->offset, "times in a stamped table",
                           error_out);
    }
    loaded->index_offset = block->offset;
    if (loaded->index.page_count > 0) {
        loaded->page_keys = (uint32_t)(table->meta.key_count / loaded->index.page_count) + 1;
    }
    loaded->slots = mem_array(loaded->index.page_count, sizeof(*loaded->slots));
    return loaded->slots != NULL ? YORE_OK : error_plain(error_out, YORE_NOMEM);
}

static enum yore_status load_filter(struct table *table, struct table_loaded *loaded,
                                    const struct block *block, struct yore_error *error_out)
{
    if (block->size != filter_bytes(table->meta.key_count)) {
        return table_error(table, YORE_CORRUPT, block->offset, "filter of another size", error_out);
    }
    loaded->filter_size = (size_t)block->size;
    return read_block(table, block, &loaded->filter, error_out);
}

static bool has_one_time(const struct table_meta *meta)
{
    return meta->valid_min == meta->commit_min && meta->valid_max == meta->commit_min &&
           meta->commit_max == meta->commit_min;
}

/* The file's own account of itself must be the one the database keeps. */
static enum yore_status check_meta(struct table *table, struct table_loaded *loaded,
                                   const struct block *block, struct yore_error *error_out)
{
    unsigned char *data = NULL;
    struct buffer expected = {0};
    struct table_meta meta = table->meta;
    meta.file_crc = 0;
    if (loaded->is_stamped) {
        table_meta_stamp(&meta, 0); /* what the file says; that the four agree is checked below */
    }
    table_meta_encode(&meta, &expected);
    enum yore_status st = buffer_status(&expected);
    if (st != YORE_OK) {
        error_plain(error_out, st);
        goto out;
    }
    st = read_block(table, block, &data, error_out);
    if (st == YORE_OK &&
        (!bytes_equal(buffer_bytes(&expected), bytes_of(data, (size_t)block->size)) ||
         (loaded->is_stamped && !has_one_time(&table->meta)))) {
        st = table_error(table, YORE_CORRUPT, block->offset,
                         "the table is not the one the database knows by this number", error_out);
    }
out:
    buffer_release(&expected);
    mem_free(data);
    return st;
}

static enum yore_status load_blocks(struct table *table, struct table_loaded *loaded,
                                    struct yore_error *error_out)
{
    unsigned char footer[TABLE_FOOTER_BYTES];
    enum yore_status st = check_header(table, loaded, error_out);
    if (st == YORE_OK) {
        uint32_t format = loaded->is_stamped ? TABLE_FORMAT_STAMPED : TABLE_FORMAT_VERSION;
        st = check_footer(table, format, footer, error_out);
    }
    if (st != YORE_OK) {
        return st;
    }
    struct block index = footer_block(footer, FOOTER_AT_INDEX, FOOTER_AT_INDEX_CRC);
    struct block filter = footer_block(footer, FOOTER_AT_FILTER, FOOTER_AT_FILTER_CRC);
    struct block meta = footer_block(footer, FOOTER_AT_META, FOOTER_AT_META_CRC);
    uint64_t end = table->meta.file_bytes - TABLE_FOOTER_BYTES;
    if (filter.offset != index.offset + index.size || meta.offset != filter.offset + filter.size ||
        end != meta.offset + meta.size) {
        return table_error(table, YORE_CORRUPT, end, "blocks do not meet", error_out);
    }
    st = check_meta(table, loaded, &meta, error_out);
    if (st == YORE_OK) {
        st = load_index(table, loaded, &index, error_out);
    }
    if (st == YORE_OK) {
        st = load_filter(table, loaded, &filter, error_out);
    }
    return st;
}

enum yore_status table_load(struct table *table, struct table_loaded **loaded_out,
                            struct yore_error *error_out)
{
    *loaded_out = NULL;
    struct table_loaded *loaded = mem_zalloc(sizeof(*loaded));
    if (loaded == NULL) {
        return error_plain(error_out, YORE_NOMEM);
    }
    enum yore_status st = load_blocks(table, loaded, error_out);
    if (st != YORE_OK) {
        table_unload(table, loaded);
        return st;
    }
    loaded->charged = sizeof(*loaded) + loaded->index.bytes + loaded->filter_size +
                      loaded->index.page_count * sizeof(*loaded->slots);
    page_cache_charge(table_pool_cache(table->pool), loaded->charged);
    *loaded_out = loaded;
    return YORE_OK;
}

void table_unload(struct table *table, struct table_loaded *loaded)
{
    if (loaded == NULL) {
        return;
    }
    struct page_cache *cache = table_pool_cache(table->pool);
    for (uint32_t i = 0; loaded->slots != NULL && i < loaded->index.page_count; i++) {
        page_cache_forget(cache, &loaded->slots[i]);
    }
    page_cache_uncharge(cache, loaded->charged);
    mem_free(loaded->slots);
    mem_free(loaded->filter);
    table_index_release(&loaded->index);
    mem_free(loaded);
}

/* ---- pages ---- */

/* The first key of the first page, and one that goes on, are in the index whole; of others as much
 * as tells them from the last key of the page before. */
static bool begins_as_said(const struct page *page, const struct table_index *index,
                           uint32_t number)
{
    int order = bytes_compare(table_index_key(index, number), page_key(page, 0));
    bool is_whole = number == 0 || index->pages[number].is_continuation;
    return is_whole ? order == 0 : order <= 0;
}

/* What searching relies on; table_verify() checks the rest. */
static bool page_agrees(const struct page *page, const struct table_index *index, uint32_t number)
{
    const struct index_page *entry = &index->pages[number];
    return page->version_count == entry->version_count && page->key_count == entry->key_count &&
           page_valid_from(page)[0] == entry->first_valid &&
           page_commit(page)[0] == entry->first_commit && begins_as_said(page, index, number);
}

enum yore_status table_read_page(struct table *table, uint32_t number, struct page **page_out,
                                 struct yore_error *error_out)
{
    const struct table_loaded *loaded = table->loaded;
    const struct index_page *entry = &loaded->index.pages[number];
    *page_out = NULL;
    struct page_unpacker *unpacker = table_pool_take_unpacker(table->pool);
    if (unpacker == NULL) {
        return error_plain(error_out, YORE_NOMEM);
    }
    const char *what = "out of memory";
    enum yore_status st = YORE_NOMEM;
    struct yore_bytes raw = {NULL, 0};
    buffer_clear(&unpacker->stored);
    unpacker->stored.is_nomem = false;
    if (buffer_extend(&unpacker->stored, entry->size) != NULL) {
        struct yore_bytes stored = buffer_bytes(&unpacker->stored);
        st =
            table_read_exactly(table, entry->offset, unpacker->stored.data, entry->size, error_out);
        if (st != YORE_OK) {
            goto out;
        }
        st = page_unpack(unpacker, stored, table->check_id, entry->offset, &raw, &what);
    }
    if (st == YORE_OK && raw.size != entry->raw_size) {
        st = YORE_CORRUPT;
        what = "page and index disagree";
    }
    if (st == YORE_OK) {
        struct page_room *room = page_cache_room(table_pool_cache(table->pool));
        st = page_decode(room, raw, page_out, &what);
    }
    if (st == YORE_OK && loaded->is_stamped && !page_stamp(*page_out, table->meta.commit_min)) {
        st = YORE_CORRUPT;
        what = "times in a stamped table";
    }
    if (st == YORE_OK && !page_agrees(*page_out, &loaded->index, number)) {
        st = YORE_CORRUPT;
        what = "page and index disagree";
    }
    if (st != YORE_OK) {
        page_free(*page_out);
        *page_out = NULL;
        table_error(table, st, entry->offset, what, error_out);
    }
out:
    table_pool_give_unpacker(table->pool, unpacker);
    return st;
}

enum yore_status table_pin_page(struct table *table, uint32_t number, enum page_reach reach,
                                struct page_frame **frame_out, struct yore_error *error_out)
{
    struct page_slot *slot = &table->loaded->slots[number];
    *frame_out = page_slot_pin(slot);
    if (*frame_out != NULL) {
        return YORE_OK;
    }
    if (reach == PAGE_IN_MEMORY) {
        return YORE_BUSY;
    }
    struct page *page = NULL;
    enum yore_status st = table_read_page(table, number, &page, error_out);
    if (st != YORE_OK) {
        return st;
    }
    st = page_cache_install(table_pool_cache(table->pool), reach == PAGE_PRIVATE ? NULL : slot,
                            page, table->loaded->page_class, frame_out);
    return st == YORE_OK ? YORE_OK : error_plain(error_out, st);
}
