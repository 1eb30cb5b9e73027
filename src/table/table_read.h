/* table_read.h -- finding one key's version among the pages, for point reads and iterators. */
#ifndef YORE_TABLE_TABLE_READ_H
#define YORE_TABLE_TABLE_READ_H

#include "table/table_internal.h"

/* A version in a pinned page. */
struct table_spot {
    struct page_frame *frame;
    uint32_t page_number;
    uint32_t key;
    uint32_t version;
};

/* The greatest version of place->key with valid_from <= place->valid_from and commit <=
 * place->commit.  The table is in use; on YORE_OK the caller unpins the frame. */
enum yore_status table_find_as_of(struct table *table, const struct version_place *place,
                                  enum page_reach reach, struct table_spot *spot_out,
                                  struct yore_error *error_out);

/* The pages that may hold keys of [low, high), in first_out..end_out - 1. */
void table_page_range(const struct table_index *index, struct yore_bytes low,
                      struct yore_bytes high, uint32_t *first_out, uint32_t *end_out);

/* The pages that may hold a version that begins or ends in the span: a bit each, 64 a word, for the
 * caller to free.  The table is in use. */
enum yore_status table_changed_pages(struct table *table, struct time_span span,
                                     uint64_t **pages_out, struct yore_error *error_out);
/* The same, found before: those of one table, and others behind it. */
struct table_marks {
    struct table_marks *next;
    const struct table *table;
    uint64_t *pages;
};
/* NULL: not of this table. */
const uint64_t *table_marks_find(const struct table_marks *marks, const struct table *table);
/* The first of [page, end) that is marked, or `end`. */
uint32_t table_marks_next(const uint64_t *pages, uint32_t page, uint32_t end);

#endif
