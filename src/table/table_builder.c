/* table_builder.c -- writes a table front to back: pages as they fill, then time index, index,
 * filter, meta and footer. */
#include "base/assert.h"
#include "base/coding.h"
#include "base/crc32c.h"
#include "base/mem.h"
#include "table/filter.h"
#include "table/key_order.h"
#include "table/page_pack.h"
#include "table/page_writer.h"
#include "table/table_format.h"
#include "table/table_index.h"
#include "table/table_tally.h"
#include "table/time_index.h"

#define WRITE_BYTES (256u << 10) /* written at once */
#define FILTER_AHEAD 8u          /* keys whose lines are asked for */
#define CHAIN_PAGES_MIN 4u       /* of a key, before it shares its last one with no other */

struct table_builder {
    struct os_file *file;
    struct table_options options;
    uint64_t check_id;
    uint32_t versions_max;
    struct page_writer writer;
    struct page_packer packer;
    struct index_page page; /* bounds of the page in the making */
    uint32_t page_count;
    struct buffer raw;
    struct buffer pending;  /* made, not yet written */
    uint64_t written;       /* octets in the file */
    struct buffer index;    /* entries */
    struct buffer page_key; /* the index's key of the page before */
    struct buffer page_end; /* the last key of the page before */
    struct buffer hashes;   /* u64 of every key */
    struct time_index_writer times;
    int64_t last_valid;
    int64_t last_commit;
    uint32_t chain_pages; /* in a row before this one that the key at hand goes on over */
    struct table_meta meta;
};

static void builder_free(struct table_builder *b)
{
    os_file_close(b->file);
    page_writer_release(&b->writer);
    page_packer_release(&b->packer);
    buffer_release(&b->raw);
    buffer_release(&b->pending);
    buffer_release(&b->index);
    buffer_release(&b->page_key);
    buffer_release(&b->page_end);
    buffer_release(&b->hashes);
    time_index_writer_release(&b->times);
    table_meta_release(&b->meta);
    mem_free(b);
}

static uint32_t format_of(const struct table_builder *b)
{
    return b->options.is_stamped ? TABLE_FORMAT_STAMPED : TABLE_FORMAT_VERSION;
}

static void append_header(struct table_builder *b)
{
    unsigned char header[TABLE_HEADER_BYTES] = {0};
    memcpy(header, TABLE_HEADER_MAGIC, TABLE_MAGIC_BYTES);
    put_u32(header + HEADER_AT_VERSION, format_of(b));
    put_u32(header + HEADER_AT_BYTES, TABLE_HEADER_BYTES);
    put_u64(header + HEADER_AT_DATABASE, b->options.identity.database);
    put_u64(header + HEADER_AT_FILE, b->options.identity.file);
    header[HEADER_AT_CLASS] = (unsigned char)b->options.class_hint;
    header[HEADER_AT_COMPRESSION] = (unsigned char)b->options.compression;
    put_u32(header + HEADER_AT_PAGE_BYTES, b->options.page_bytes);
    put_u32(header + HEADER_AT_CRC, crc32c(0, header, HEADER_AT_CRC));
    buffer_append(&b->pending, header, sizeof(header));
}

enum yore_status table_builder_open(struct os_env *env, const char *path,
                                    const struct table_options *options,
                                    struct table_builder **builder_out,
                                    struct yore_error *error_out)
{
    *builder_out = NULL;
    YORE_ASSERT(options->page_bytes >= 512 && options->page_bytes <= 1u << 20);
    YORE_ASSERT(options->compression >= YORE_COMPRESSION_NONE &&
                options->compression <= YORE_COMPRESSION_ZSTD);
    struct table_builder *b = mem_zalloc(sizeof(*b));
    if (b == NULL) {
        return error_plain(error_out, YORE_NOMEM);
    }
    b->options = *options;
    b->check_id = file_check_id(&options->identity);
    b->versions_max = options->versions_per_page_max;
    if (b->versions_max == 0 || b->versions_max > PAGE_VERSIONS_MAX) {
        b->versions_max = PAGE_VERSIONS_MAX;
    }
    table_tally_init(&b->meta, options->identity.file);
    append_header(b);
    enum yore_status st = os_file_open(env, path, OS_OPEN_CREATE, &b->file, error_out);
    st = os_missing_is_io(st, error_out);
    if (st != YORE_OK) {
        b->file = NULL;
        builder_free(b);
        return st;
    }
    *builder_out = b;
    return YORE_OK;
}

/* ---- pages ---- */

static enum yore_status write_pending(struct table_builder *b, struct yore_error *error_out)
{
    if (b->pending.is_nomem) {
        return error_plain(error_out, YORE_NOMEM);
    }
    enum yore_status st =
        os_file_write(b->file, b->written, b->pending.data, b->pending.size, error_out);
    if (st != YORE_OK) {
        return st;
    }
    b->meta.file_crc = crc32c(b->meta.file_crc, b->pending.data, b->pending.size);
    b->written += b->pending.size;
    buffer_clear(&b->pending);
    return YORE_OK;
}

static struct yore_bytes first_key_of(const struct page_writer *w)
{
    return bytes_of(w->keys.data, get_u32(w->key_sizes.data));
}

/* What the index says of where the page begins: as much of its first key as tells it from the last
 * of the page before.  The first page's, and a key that goes on, are there whole. */
static struct yore_bytes index_key_of(const struct table_builder *b)
{
    struct yore_bytes first = first_key_of(&b->writer);
    if (b->page_count == 0 || b->page.is_continuation) {
        return first;
    }
    return bytes_of(first.data, key_shared(first, buffer_bytes(&b->page_end)) + 1);
}

static void note_page(struct index_page *p, const struct page_row *row)
{
    p->valid_min = row->valid_from < p->valid_min ? row->valid_from : p->valid_min;
    p->valid_max = row->valid_from > p->valid_max ? row->valid_from : p->valid_max;
    p->commit_min = row->commit < p->commit_min ? row->commit : p->commit_min;
    p->commit_max = row->commit > p->commit_max ? row->commit : p->commit_max;
}

/* The times of the page, for the index and the time index. */
static void note_times(struct table_builder *b)
{
    const struct page_writer *w = &b->writer;
    const struct page_row *first = &w->rows[0];
    b->page = (struct index_page){.first_valid = first->valid_from,
                                  .first_commit = first->commit,
                                  .valid_min = first->valid_from,
                                  .valid_max = first->valid_from,
                                  .commit_min = first->commit,
                                  .commit_max = first->commit,
                                  .is_continuation = b->page.is_continuation};
    for (uint32_t i = 0; i < w->row_count; i++) {
        const struct page_row *row = &w->rows[i];
        const struct version times = {.valid_from = row->valid_from, .valid_to = row->valid_to};
        note_page(&b->page, row);
        if (!b->options.is_stamped) { /* one time for all: the meta tells it */
            time_index_note_version(&b->times, &times, b->page_count);
        }
    }
}

static enum yore_status finish_page(struct table_builder *b, struct yore_error *error_out)
{
    struct page_writer *w = &b->writer;
    if (w->row_count == 0) {
        return YORE_OK;
    }
    note_times(b);
    buffer_clear(&b->raw);
    enum yore_status st = page_writer_encode(w, &b->raw);
    size_t start = b->pending.size;
    if (st == YORE_OK) {
        st = page_pack(&b->packer, b->options.compression, buffer_bytes(&b->raw), b->check_id,
                       b->written + start, &b->pending);
    }
    if (st != YORE_OK) {
        return error_plain(error_out, st);
    }
    b->page.version_count = w->row_count;
    b->page.key_count = w->key_count;
    b->page.size = (uint32_t)(b->pending.size - start);
    b->page.raw_size = (uint32_t)b->raw.size;
    struct yore_bytes key = index_key_of(b);
    table_index_append(&b->page, key, buffer_bytes(&b->page_key), &b->index);
    buffer_clear(&b->page_key);
    buffer_append_bytes(&b->page_key, key);
    buffer_clear(&b->page_end);
    buffer_append_bytes(&b->page_end, page_writer_last_key(w));
    b->page_count++;
    b->chain_pages = b->page.is_continuation && w->key_count == 1 ? b->chain_pages + 1 : 0;
    b->page.is_continuation = false;
    page_writer_clear(w);
    if (b->index.is_nomem || b->page_key.is_nomem || b->page_end.is_nomem) {
        return error_plain(error_out, YORE_NOMEM);
    }
    return b->pending.size >= WRITE_BYTES ? write_pending(b, error_out) : YORE_OK;
}

/* Does the key at hand, which goes on, begin a page of its own?  It will have more than one, and a
 * walk over those before it should not meet it; they are to be worth a page, too. */
static bool is_chain_begin(const struct table_builder *b, bool is_new_key)
{
    const struct page_writer *w = &b->writer;
    size_t target = b->options.page_bytes;
    return !is_new_key && w->key_count > 1 && w->bytes >= target + target / 2 &&
           w->bytes - page_writer_last_key_bytes(w) >= target / 4;
}

/* A page ends between two keys where it can; a key with more than a page of versions goes on in the
 * next. */
static bool is_page_full(const struct table_builder *b, const struct version *next, bool is_new_key)
{
    const struct page_writer *w = &b->writer;
    size_t target = b->options.page_bytes;
    if (w->row_count == 0) {
        return false;
    }
    if (w->row_count >= b->versions_max || w->bytes >= target + target / 2) {
        return true;
    }
    if (w->bytes >= target / 4 && w->bytes + next->value.size > 2 * target) {
        return true; /* a large value gets a page of its own */
    }
    bool is_chain_end = b->page.is_continuation && b->chain_pages + 1 >= CHAIN_PAGES_MIN;
    return is_new_key && (w->bytes >= target || (is_chain_end && w->key_count == 1));
}

static void assert_version(const struct table_builder *b, const struct version *v, int key_order)
{
    YORE_ASSERT(v->key.size >= 1 && v->key.size <= YORE_KEY_BYTES_MAX);
    YORE_ASSERT(v->value.size <= YORE_VALUE_BYTES_MAX);
    YORE_ASSERT(v->valid_from <= v->commit);
    YORE_ASSERT(v->kind >= YORE_KIND_PUT && v->kind <= YORE_KIND_ERASED);
    YORE_ASSERT(v->kind == YORE_KIND_PUT || v->value.size == 0);
    YORE_ASSERT(v->kind != YORE_KIND_DELETE || v->valid_to == YORE_FOREVER);
    YORE_ASSERT((v->flags & ~(unsigned)MARK_FLAGS) == 0);
    YORE_ASSERT(!b->options.is_stamped ||
                (v->valid_from == 0 && v->commit == 0 && v->valid_to == YORE_FOREVER));
    if (b->meta.version_count > 0) {
        YORE_ASSERT(key_order < 0 ||
                    (key_order == 0 && version_time_compare(b->last_valid, b->last_commit,
                                                            v->valid_from, v->commit) < 0));
    }
}

static enum yore_status add(struct table_builder *b, const struct version *version, int order,
                            struct yore_error *error_out)
{
    bool is_new_key = order != 0 || b->meta.version_count == 0;
    assert_version(b, version, order);
    if (is_page_full(b, version, is_new_key)) {
        if (is_chain_begin(b, is_new_key)) {
            page_writer_hold_last_key(&b->writer);
        }
        enum yore_status st = finish_page(b, error_out);
        if (st != YORE_OK) {
            return st;
        }
    }
    bool is_page_first = b->writer.row_count == 0;
    enum yore_status st = page_writer_add(&b->writer, version, is_new_key || is_page_first);
    if (st != YORE_OK) {
        return error_plain(error_out, st);
    }
    if (is_page_first) {
        b->page.is_continuation = !is_new_key;
    }
    table_tally_add(&b->meta, version);
    if (is_new_key) {
        b->meta.key_count++;
        buffer_append_u64(&b->hashes, hash_bytes(version->key));
    }
    b->last_valid = version->valid_from;
    b->last_commit = version->commit;
    if (b->hashes.is_nomem) {
        return error_plain(error_out, YORE_NOMEM);
    }
    if (b->meta.version_count == 1) {
        buffer_append_bytes(&b->meta.first_key, version->key);
    }
    return b->meta.first_key.is_nomem ? error_plain(error_out, YORE_NOMEM) : YORE_OK;
}

enum yore_status table_builder_add(struct table_builder *b, const struct version *version,
                                   struct yore_error *error_out)
{
    /* The last key outlives its page: the next one is written over it only after this. */
    int order = bytes_compare(page_writer_last_key(&b->writer), version->key);
    return add(b, version, order, error_out);
}

enum yore_status table_builder_add_key(struct table_builder *b, const struct version *version,
                                       struct yore_error *error_out)
{
    return add(b, version, -1, error_out);
}

uint64_t table_builder_bytes(const struct table_builder *b)
{
    return b->written + b->pending.size + b->writer.bytes;
}

/* ---- the end of the file ---- */

/* Append a block whose place and check go to the footer. */
static void append_block(struct table_builder *b, struct yore_bytes block, unsigned char *place,
                         unsigned char *crc)
{
    uint64_t offset = b->written + b->pending.size;
    put_u64(place, offset);
    put_u64(place + 8, block.size);
    put_u32(crc, crc32c_placed(b->check_id, offset, block.data, block.size));
    buffer_append_bytes(&b->pending, block);
}

static enum yore_status append_index(struct table_builder *b, unsigned char *footer)
{
    struct buffer index = {0};
    struct buffer chunks = {0};
    struct time_index_place place = {b->check_id, b->written + b->pending.size};
    buffer_append_varint(&index, b->page_count);
    buffer_append_bytes(&index, buffer_bytes(&b->index));
    enum yore_status st = time_index_finish(&b->times, b->page_count, place, &chunks, &index);
    buffer_append_bytes(&b->pending, buffer_bytes(&chunks));
    buffer_release(&chunks);
    if (st == YORE_OK) {
        st = buffer_status(&index);
    }
    if (st == YORE_OK) {
        append_block(b, buffer_bytes(&index), footer + FOOTER_AT_INDEX,
                     footer + FOOTER_AT_INDEX_CRC);
    }
    buffer_release(&index);
    return st;
}

static enum yore_status append_filter(struct table_builder *b, unsigned char *footer)
{
    size_t size = filter_bytes(b->meta.key_count);
    unsigned char *lines = mem_zalloc(size);
    if (lines == NULL) {
        return YORE_NOMEM;
    }
    for (size_t i = 0; i < b->meta.key_count; i++) {
        if (i + FILTER_AHEAD < b->meta.key_count) {
            filter_prefetch(lines, size, get_u64(b->hashes.data + 8 * (i + FILTER_AHEAD)));
        }
        filter_add(lines, size, get_u64(b->hashes.data + 8 * i));
    }
    append_block(b, bytes_of(lines, size), footer + FOOTER_AT_FILTER,
                 footer + FOOTER_AT_FILTER_CRC);
    mem_free(lines);
    return YORE_OK;
}

/* The meta inside the file cannot hold the file's own check; it says 0 there. */
static enum yore_status append_meta(struct table_builder *b, unsigned char *footer)
{
    struct buffer meta = {0};
    uint32_t crc = b->meta.file_crc;
    buffer_append_bytes(&b->meta.last_key, page_writer_last_key(&b->writer));
    b->meta.file_crc = 0;
    table_meta_encode(&b->meta, &meta); /* once for its size */
    b->meta.file_bytes = b->written + b->pending.size + meta.size + TABLE_FOOTER_BYTES;
    buffer_clear(&meta);
    table_meta_encode(&b->meta, &meta);
    b->meta.file_crc = crc;
    bool is_nomem = meta.is_nomem || b->meta.last_key.is_nomem;
    if (!is_nomem) {
        append_block(b, buffer_bytes(&meta), footer + FOOTER_AT_META, footer + FOOTER_AT_META_CRC);
    }
    buffer_release(&meta);
    return is_nomem ? YORE_NOMEM : YORE_OK;
}

static void append_footer(struct table_builder *b, unsigned char *footer)
{
    put_u32(footer + FOOTER_AT_VERSION, format_of(b));
    put_u64(footer + FOOTER_AT_DATABASE, b->options.identity.database);
    put_u64(footer + FOOTER_AT_FILE, b->options.identity.file);
    memcpy(footer + FOOTER_AT_MAGIC, TABLE_FOOTER_MAGIC, TABLE_MAGIC_BYTES);
    uint64_t offset = b->written + b->pending.size;
    put_u32(footer + FOOTER_AT_CRC, crc32c_placed(b->check_id, offset, footer, FOOTER_AT_CRC));
    buffer_append(&b->pending, footer, TABLE_FOOTER_BYTES);
}

static enum yore_status write_end(struct table_builder *b, struct yore_error *error_out)
{
    unsigned char footer[TABLE_FOOTER_BYTES] = {0};
    enum yore_status st = append_index(b, footer);
    if (st == YORE_OK) {
        st = append_filter(b, footer);
    }
    if (st == YORE_OK) {
        st = append_meta(b, footer);
    }
    if (st != YORE_OK) {
        return error_plain(error_out, st);
    }
    append_footer(b, footer);
    st = write_pending(b, error_out);
    YORE_ASSERT(st != YORE_OK || b->written == b->meta.file_bytes);
    return st;
}

/* `file_out` NULL: sync here. */
static enum yore_status finish(struct table_builder *b, struct table_meta *meta_out,
                               struct os_file **file_out, struct yore_error *error_out)
{
    *meta_out = (struct table_meta){0};
    enum yore_status st = finish_page(b, error_out);
    if (st == YORE_OK) {
        st = write_end(b, error_out);
    }
    if (st == YORE_OK && file_out == NULL) {
        st = os_file_sync(b->file, error_out);
    } else if (st == YORE_OK) {
        os_file_write_back(b->file);
        *file_out = b->file;
        b->file = NULL;
    }
    if (st == YORE_OK) {
        *meta_out = b->meta;
        b->meta = (struct table_meta){0};
    }
    builder_free(b);
    return st;
}

enum yore_status table_builder_finish(struct table_builder *b, struct table_meta *meta_out,
                                      struct yore_error *error_out)
{
    return finish(b, meta_out, NULL, error_out);
}

enum yore_status table_builder_finish_unsynced(struct table_builder *b, struct table_meta *meta_out,
                                               struct os_file **file_out,
                                               struct yore_error *error_out)
{
    *file_out = NULL;
    return finish(b, meta_out, file_out, error_out);
}

void table_builder_abandon(struct table_builder *b)
{
    if (b != NULL) {
        builder_free(b);
    }
}
