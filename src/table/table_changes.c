/* table_changes.c -- which pages may hold a version that begins or ends between two moments: told
 * by the time index where there is one, and by the bounds of each page. */
#include "base/crc32c.h"
#include "base/mem.h"
#include "table/table_read.h"

/* Listing more of the chunks than this share saves little: then every page may have changed. */
#define CHUNKS_SHARE_MAX 2

#define WORD_BITS 64

static size_t words_of(uint32_t page_count)
{
    return page_count / WORD_BITS + 1;
}

static enum yore_status mark_chunk(struct table *table, uint32_t number, struct time_span span,
                                   uint64_t *pages, struct yore_error *error_out)
{
    const struct table_index *index = &table->loaded->index;
    const struct time_chunk *chunk = &index->times.chunks[number];
    unsigned char *data = mem_alloc(chunk->size);
    if (data == NULL) {
        return error_plain(error_out, YORE_NOMEM);
    }
    enum yore_status st = table_read_exactly(table, chunk->offset, data, chunk->size, error_out);
    if (st == YORE_OK &&
        (crc32c_placed(table->check_id, chunk->offset, data, chunk->size) != chunk->crc ||
         !time_index_mark(&index->times, number, bytes_of(data, chunk->size), span,
                          index->page_count, pages))) {
        st = table_error(table, YORE_CORRUPT, chunk->offset, "time index check failed", error_out);
    }
    mem_free(data);
    return st;
}

static enum yore_status mark_by_time(struct table *table, struct time_span span, uint64_t *pages,
                                     struct yore_error *error_out)
{
    const struct table_index *index = &table->loaded->index;
    uint32_t first;
    uint32_t end = time_index_chunks(&index->times, span, &first);
    enum yore_status st = YORE_OK;
    if (index->times.chunk_count == 0 ||
        (end - first > 1 && end - first > index->times.chunk_count / CHUNKS_SHARE_MAX)) {
        memset(pages, 0xff, words_of(index->page_count) * sizeof *pages);
        return YORE_OK;
    }
    for (uint32_t i = first; i < end && st == YORE_OK; i++) {
        st = mark_chunk(table, i, span, pages, error_out);
    }
    return st;
}

/* Ends are bounded by the table's least, begins by the page's bounds. */
static bool may_change(const struct table *table, const struct index_page *page,
                       struct time_span span)
{
    return table->meta.expiry_min <= span.until ||
           (page->valid_max > span.after && page->valid_min <= span.until);
}

enum yore_status table_changed_pages(struct table *table, struct time_span span,
                                     uint64_t **pages_out, struct yore_error *error_out)
{
    const struct table_index *index = &table->loaded->index;
    uint64_t *pages = mem_array(words_of(index->page_count), sizeof *pages);
    *pages_out = NULL;
    if (pages == NULL) {
        return error_plain(error_out, YORE_NOMEM);
    }
    enum yore_status st = mark_by_time(table, span, pages, error_out);
    if (st != YORE_OK) {
        mem_free(pages);
        return st;
    }
    uint32_t end = index->page_count;
    for (uint32_t i = table_marks_next(pages, 0, end); i < end;
         i = table_marks_next(pages, i + 1, end)) {
        if (!may_change(table, &index->pages[i], span)) {
            pages[i / WORD_BITS] &= ~(UINT64_C(1) << i % WORD_BITS);
        }
    }
    *pages_out = pages;
    return YORE_OK;
}

enum yore_status table_changed_share(struct table *table, struct yore_bytes low,
                                     struct yore_bytes high, struct time_span span,
                                     struct table_share *share, struct yore_error *error_out)
{
    enum yore_status st = table_use(table, error_out);
    if (st != YORE_OK) {
        return st;
    }
    struct table_marks *marks = mem_zalloc(sizeof *marks);
    st = marks != NULL ? table_changed_pages(table, span, &marks->pages, error_out)
                       : error_plain(error_out, YORE_NOMEM);
    if (st == YORE_OK) {
        uint32_t first;
        uint32_t end;
        table_page_range(&table->loaded->index, low, high, &first, &end);
        share->pages += end - first;
        for (uint32_t i = table_marks_next(marks->pages, first, end); i < end;
             i = table_marks_next(marks->pages, i + 1, end)) {
            share->changed++;
        }
        marks->table = table;
        marks->next = share->marks;
        share->marks = marks;
    } else {
        mem_free(marks);
    }
    table_unuse(table);
    return st;
}

void table_marks_free(struct table_marks *marks)
{
    while (marks != NULL) {
        struct table_marks *next = marks->next;
        mem_free(marks->pages);
        mem_free(marks);
        marks = next;
    }
}

const uint64_t *table_marks_find(const struct table_marks *marks, const struct table *table)
{
    while (marks != NULL && marks->table != table) {
        marks = marks->next;
    }
    return marks != NULL ? marks->pages : NULL;
}

uint32_t table_marks_next(const uint64_t *pages, uint32_t page, uint32_t end)
{
    if (page >= end) {
        return end;
    }
    uint32_t word = page / WORD_BITS;
    uint64_t left = pages[word] & UINT64_MAX << page % WORD_BITS;
    while (left == 0) {
        if (++word * WORD_BITS >= end) {
            return end;
        }
        left = pages[word];
    }
    page = word * WORD_BITS + (uint32_t)__builtin_ctzll(left);
    return page < end ? page : end;
}
