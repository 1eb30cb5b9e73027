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
                                  bool is_private, struct table_spot *spot_out,
                                  struct yore_error *error_out);

#endif
