#include "engine/value_holds.h"

#include <stdlib.h>

#include "base/mem.h"

/* ---- one hold ---- */

enum yore_status value_hold_reserve(struct value_holds *holds, struct value_hold **hold)
{
    struct value_hold *h = *hold;
    if (h == NULL) {
        h = mem_zalloc(sizeof *h);
        if (h == NULL) {
            return YORE_NOMEM;
        }
        h->next = holds->first;
        if (h->next != NULL) {
            h->next->prev = h;
        }
        holds->first = h;
        *hold = h;
    }
    struct value_span *grown = mem_grow(h->spans, h->count, &h->capacity, sizeof *grown);
    if (grown == NULL) {
        return YORE_NOMEM;
    }
    h->spans = grown;
    return YORE_OK;
}

void value_hold_add(struct value_hold *hold, const struct value_span *record)
{
    struct value_span *last = hold->count > 0 ? &hold->spans[hold->count - 1] : NULL;
    if (last != NULL && last->file == record->file && last->end == record->begin) {
        last->end = record->end;
    } else {
        hold->spans[hold->count++] = *record;
    }
}

void value_hold_drop(struct value_holds *holds, struct value_hold *hold)
{
    if (hold->prev != NULL) {
        hold->prev->next = hold->next;
    } else {
        holds->first = hold->next;
    }
    if (hold->next != NULL) {
        hold->next->prev = hold->prev;
    }
    mem_free(hold->spans);
    mem_free(hold);
}

/* ---- all of them ---- */

bool value_holds_commit(const struct value_holds *holds, uint64_t file)
{
    bool is_any = false;
    for (const struct value_hold *h = holds->first; h != NULL && !is_any; h = h->next) {
        is_any = h->is_committing && h->count > 0 && h->spans[0].file <= file;
    }
    return is_any;
}

static int compare_spans(const void *left, const void *right)
{
    const struct value_span *a = left;
    const struct value_span *b = right;
    if (a->file != b->file) {
        return a->file < b->file ? -1 : 1;
    }
    return (a->begin > b->begin) - (a->begin < b->begin);
}

enum yore_status value_holds_copy(const struct value_holds *holds, uint64_t file,
                                  struct value_spans *spans_out)
{
    size_t capacity = 0;
    *spans_out = (struct value_spans){0};
    for (const struct value_hold *h = holds->first; h != NULL; h = h->next) {
        for (size_t i = 0; i < h->count && h->spans[i].file <= file; i++) {
            struct value_span *grown =
                mem_grow(spans_out->spans, spans_out->count, &capacity, sizeof *grown);
            if (grown == NULL) {
                value_spans_release(spans_out);
                return YORE_NOMEM;
            }
            spans_out->spans = grown;
            grown[spans_out->count++] = h->spans[i];
        }
    }
    if (spans_out->count > 0) {
        qsort(spans_out->spans, spans_out->count, sizeof *spans_out->spans, compare_spans);
    }
    return YORE_OK;
}

void value_spans_release(struct value_spans *spans)
{
    mem_free(spans->spans);
    *spans = (struct value_spans){0};
}

bool value_spans_have(const struct value_spans *spans, uint64_t file, uint64_t offset)
{
    size_t low = 0;
    size_t high = spans->count;
    while (low < high) { /* the first that ends behind the place */
        size_t middle = low + (high - low) / 2;
        const struct value_span *span = &spans->spans[middle];
        if (span->file < file || (span->file == file && span->end <= offset)) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < spans->count && spans->spans[low].file == file &&
           spans->spans[low].begin <= offset;
}
