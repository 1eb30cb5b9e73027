/* table_verify.c -- everything a table promises, checked from the file. */
#include "base/crc32c.h"
#include "base/hash.h"
#include "base/mem.h"
#include "table/filter.h"
#include "table/table_format.h"
#include "table/table_internal.h"
#include "table/table_tally.h"

#define READ_BYTES (256u << 10)

/* What has been seen of the table so far, to be held against its meta. */
struct verifier {
    struct table *table;
    const struct table_loaded *loaded;
    struct table_meta seen;
    struct time_index_writer times;
    struct buffer last_key;
    int64_t last_valid;
    int64_t last_commit;
    struct yore_error *error_out;
};

static enum yore_status fail(struct verifier *v, uint64_t offset, const char *what)
{
    return table_error(v->table, YORE_CORRUPT, offset, what, v->error_out);
}

/* The file's own check, over every octet. */
static enum yore_status verify_file(struct verifier *v)
{
    uint64_t size = v->table->meta.file_bytes;
    unsigned char *data = mem_alloc(READ_BYTES);
    if (data == NULL) {
        return error_plain(v->error_out, YORE_NOMEM);
    }
    uint32_t crc = 0;
    enum yore_status st = YORE_OK;
    for (uint64_t at = 0; at < size && st == YORE_OK;) {
        size_t want = size - at < READ_BYTES ? (size_t)(size - at) : READ_BYTES;
        st = table_read_exactly(v->table, at, data, want, v->error_out);
        if (st == YORE_OK) {
            crc = crc32c(crc, data, want);
            at += want;
        }
    }
    mem_free(data);
    if (st == YORE_OK && crc != v->table->meta.file_crc) {
        st = fail(v, 0, "the check of the whole file failed");
    }
    return st;
}

/* Order over the page's border, and the filter's answer for each key. */
static enum yore_status verify_key(struct verifier *v, const struct page *page, uint32_t number,
                                   uint32_t key)
{
    const struct index_page *entry = &v->loaded->index.pages[number];
    struct yore_bytes octets = page_key(page, key);
    int order = number == 0 && key == 0 ? -1 : bytes_compare(buffer_bytes(&v->last_key), octets);
    if (order == 0) {
        order = version_time_compare(v->last_valid, v->last_commit, page_valid_from(page)[0],
                                     page_commit(page)[0]);
        if (key != 0 || !entry->is_continuation || order >= 0) {
            return fail(v, entry->offset, "versions out of order between pages");
        }
        return YORE_OK;
    }
    if (order > 0 || (key == 0 && entry->is_continuation)) {
        return fail(v, entry->offset, "keys out of order between pages");
    }
    if (key == 0 && number > 0 &&
        bytes_compare(buffer_bytes(&v->last_key), table_index_key(&v->loaded->index, number)) >=
            0) {
        return fail(v, entry->offset, "the index has the page begin within the one before");
    }
    v->seen.key_count++;
    if (!filter_may_hold(v->loaded->filter, v->loaded->filter_size, hash_bytes(octets))) {
        return fail(v, entry->offset, "the filter denies a key that is there");
    }
    buffer_clear(&v->last_key);
    buffer_append_bytes(&v->last_key, octets);
    return v->last_key.is_nomem ? error_plain(v->error_out, YORE_NOMEM) : YORE_OK;
}

static enum yore_status verify_bounds(struct verifier *v, const struct page *page, uint32_t number)
{
    const struct index_page *entry = &v->loaded->index.pages[number];
    int64_t bounds[4] = {INT64_MAX, INT64_MIN, INT64_MAX, INT64_MIN};
    for (uint32_t i = 0; i < page->version_count; i++) {
        int64_t valid = page_valid_from(page)[i];
        int64_t commit = page_commit(page)[i];
        bounds[0] = valid < bounds[0] ? valid : bounds[0];
        bounds[1] = valid > bounds[1] ? valid : bounds[1];
        bounds[2] = commit < bounds[2] ? commit : bounds[2];
        bounds[3] = commit > bounds[3] ? commit : bounds[3];
    }
    if (bounds[0] != entry->valid_min || bounds[1] != entry->valid_max ||
        bounds[2] != entry->commit_min || bounds[3] != entry->commit_max) {
        return fail(v, entry->offset, "times of page and index disagree");
    }
    return YORE_OK;
}

static enum yore_status verify_page(struct verifier *v, uint32_t number)
{
    struct page *page = NULL;
    enum yore_status st = table_read_page(v->table, number, &page, v->error_out);
    if (st != YORE_OK) {
        return st;
    }
    st = verify_bounds(v, page, number);
    for (uint32_t key = 0; key < page->key_count && st == YORE_OK; key++) {
        st = verify_key(v, page, number, key);
        struct version version = {.key = page_key(page, key)};
        for (uint32_t i = page_start(page, key); i < page_start(page, key + 1); i++) {
            page_read_version(page, i, &version);
            table_tally_add(&v->seen, &version);
            if (!v->loaded->is_stamped) {
                time_index_note_version(&v->times, &version, number);
            }
        }
    }
    v->last_valid = page_valid_from(page)[page->version_count - 1];
    v->last_commit = page_commit(page)[page->version_count - 1];
    page_free(page);
    return st;
}

/* The time index must be the one these versions make. */
static enum yore_status verify_times(struct verifier *v)
{
    const struct table_index *index = &v->loaded->index;
    struct buffer made = {0};
    struct buffer directory = {0};
    uint64_t offset = TABLE_HEADER_BYTES;
    if (index->page_count > 0) {
        const struct index_page *last = &index->pages[index->page_count - 1];
        offset = last->offset + last->size;
    }
    struct time_index_place place = {v->table->check_id, offset};
    enum yore_status st = time_index_finish(&v->times, index->page_count, place, &made, &directory);
    struct time_index expected = {0};
    uint64_t end = 0;
    if (st == YORE_OK) {
        struct decoder d;
        decoder_init(&d, directory.data, directory.size);
        st = time_index_decode(&d, offset, &expected, &end);
    }
    if (st != YORE_OK) {
        error_plain(v->error_out, st);
    } else if (expected.chunk_count != index->times.chunk_count || end != index->end_offset) {
        st = fail(v, offset, "the time index does not list what is in the pages");
    }
    for (uint32_t i = 0; st == YORE_OK && i < expected.chunk_count;
         i++) { /* their checks cover all */
        if (expected.chunks[i].first != index->times.chunks[i].first ||
            expected.chunks[i].size != index->times.chunks[i].size ||
            expected.chunks[i].crc != index->times.chunks[i].crc) {
            st = fail(v, index->times.chunks[i].offset,
                      "the time index does not list what is in the pages");
        }
    }
    time_index_release(&expected);
    buffer_release(&made);
    buffer_release(&directory);
    return st;
}

/* Everything counted must be what the meta says: compared in the form they are written. */
static enum yore_status verify_meta(struct verifier *v)
{
    const struct table_meta *meta = &v->table->meta;
    struct buffer seen = {0};
    struct buffer said = {0};
    v->seen.first_key = meta->first_key;
    v->seen.last_key = v->last_key;
    if (v->loaded->index.page_count > 0 &&
        !bytes_equal(table_index_key(&v->loaded->index, 0), buffer_bytes(&meta->first_key))) {
        return fail(v, v->loaded->index_offset, "the first key is not the meta's");
    }
    table_meta_encode(&v->seen, &seen);
    table_meta_encode(meta, &said);
    enum yore_status st = YORE_OK;
    if (seen.is_nomem || said.is_nomem) {
        st = error_plain(v->error_out, YORE_NOMEM);
    } else if (!bytes_equal(buffer_bytes(&seen), buffer_bytes(&said))) {
        st = fail(v, v->loaded->index_offset, "counts or bounds are not the meta's");
    }
    buffer_release(&seen);
    buffer_release(&said);
    return st;
}

enum yore_status table_verify(struct table *table, uint64_t *pages_out,
                              struct yore_error *error_out)
{
    *pages_out = 0;
    enum yore_status st = table_use(table, error_out);
    if (st != YORE_OK) {
        return st;
    }
    struct verifier v = {.table = table, .loaded = table->loaded, .error_out = error_out};
    table_tally_init(&v.seen, table->meta.file);
    v.seen.file_bytes = table->meta.file_bytes;
    v.seen.file_crc = table->meta.file_crc;
    for (uint32_t i = 0; i < v.loaded->index.page_count && st == YORE_OK; i++) {
        st = verify_page(&v, i);
        *pages_out += st == YORE_OK;
    }
    if (st == YORE_OK) {
        st = verify_times(&v);
    }
    if (st == YORE_OK) {
        st = verify_meta(&v);
    }
    if (st == YORE_OK) {
        st = verify_file(&v);
    }
    buffer_release(&v.last_key);
    time_index_writer_release(&v.times);
    table_unuse(table);
    return st;
}
