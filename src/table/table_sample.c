/* table_sample.c -- how the times of a table's versions are spread, from some of its pages. */
#include "table/table_read.h"

uint64_t table_range_pages(struct table *table, struct yore_bytes low, struct yore_bytes high)
{
    if (table_use(table, NULL) != YORE_OK) {
        return 0;
    }
    uint32_t first;
    uint32_t end;
    table_page_range(&table->loaded->index, low, high, &first, &end);
    table_unuse(table);
    return end - first;
}

enum yore_status table_sample_times(struct table *table, struct table_sample *sample,
                                    struct yore_error *error_out)
{
    enum yore_status st = table_use(table, error_out);
    if (st != YORE_OK) {
        return st;
    }
    uint32_t first;
    uint32_t end;
    table_page_range(&table->loaded->index, sample->low, sample->high, &first, &end);
    for (uint32_t i = first; st == YORE_OK && i < end; i++) {
        struct page_frame *frame;
        if (++sample->passed < sample->stride) {
            continue;
        }
        sample->passed = 0;
        st = table_pin_page(table, i, PAGE_PRIVATE, &frame, error_out);
        if (st == YORE_OK) {
            const struct page *page = frame->page;
            buffer_append(sample->times, page_valid_from(page),
                          page->version_count * sizeof(int64_t));
            page_frame_unpin(frame);
        }
    }
    table_unuse(table);
    return st;
}
