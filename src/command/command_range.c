/* command_range.c -- parts of strings, and what two have in common. */
#include <string.h>

#include "base/checked.h"
#include "base/mem.h"
#include "command/call.h"
#include "command/commands.h"

static bool fits(struct call *call, size_t size)
{
    if (size > STRING_BYTES_MAX) {
        reply_error(call->reply, "ERR string exceeds maximum allowed size (proto-max-bulk-len)");
        return false;
    }
    return true;
}

void cmd_append(struct call *call)
{
    struct entry entry;
    struct buffer whole = {0};
    size_t size;
    if (!call_read_to_write(call, 1, &entry)) {
        return;
    }
    size_t old = entry.exists ? entry.value.size : 0;
    if (!checked_add_size(old, call->args[2].size, &size) || !fits(call, size)) {
        entry_release(&entry);
        return;
    }
    buffer_append(&whole, entry.value.data, old);
    buffer_append_bytes(&whole, call->args[2]);
    if (whole.is_nomem) {
        call_nomem(call);
    } else if (call_put(call, &entry, buffer_bytes(&whole),
                        entry.exists ? entry.value.valid_to : YORE_FOREVER)) {
        call_event(call, EVENT_STRING, "append", call->args[1]);
        reply_int(call->reply, (int64_t)size);
    }
    buffer_release(&whole);
    entry_release(&entry);
}

/* The old value with `piece` at `offset`, zeros between. */
static bool overlay(struct buffer *whole, const struct entry *entry, size_t offset,
                    struct yore_bytes piece)
{
    size_t old = entry->exists ? entry->value.size : 0;
    size_t size = offset + piece.size > old ? offset + piece.size : old;
    unsigned char *at = buffer_extend(whole, size);
    if (at == NULL) {
        return false;
    }
    if (old > 0) {
        memcpy(at, entry->value.data, old);
    }
    memset(at + old, 0, size - old);
    memcpy(at + offset, piece.data, piece.size);
    return true;
}

void cmd_setrange(struct call *call)
{
    struct entry entry;
    struct buffer whole = {0};
    int64_t offset;
    size_t size;
    if (!call_int(call, 2, &offset)) {
        return;
    }
    if (offset < 0) {
        reply_error(call->reply, "ERR offset is out of range");
        return;
    }
    if (!call_read_to_write(call, 1, &entry)) {
        return;
    }
    if (call->args[3].size == 0) {
        reply_int(call->reply, entry.exists ? (int64_t)entry.value.size : 0);
    } else if (!checked_add_size((size_t)offset, call->args[3].size, &size) || !fits(call, size)) {
        size = 0;
    } else if (!overlay(&whole, &entry, (size_t)offset, call->args[3])) {
        call_nomem(call);
    } else if (call_put(call, &entry, buffer_bytes(&whole),
                        entry.exists ? entry.value.valid_to : YORE_FOREVER)) {
        call_event(call, EVENT_STRING, "setrange", call->args[1]);
        reply_int(call->reply, (int64_t)whole.size);
    }
    buffer_release(&whole);
    entry_release(&entry);
}

void cmd_getrange(struct call *call)
{
    struct entry entry;
    int64_t from;
    int64_t to;
    if (!call_int(call, 2, &from) || !call_int(call, 3, &to) || !call_read(call, 1, &entry)) {
        return;
    }
    int64_t size = entry.exists ? (int64_t)entry.value.size : 0;
    bool is_crossed = from < 0 && to < 0 && from > to;
    from = from < 0 ? (from + size < 0 ? 0 : from + size) : from;
    to = to < 0 ? (to + size < 0 ? 0 : to + size) : to;
    to = to >= size ? size - 1 : to;
    if (is_crossed || size == 0 || from > to) {
        reply_bulk(call->reply, bytes_of("", 0));
    } else {
        reply_bulk(call->reply,
                   bytes_of((const char *)entry.value.data + from, (size_t)(to - from + 1)));
    }
    entry_release(&entry);
}

/* ---- LCS ---- */

struct lcs {
    struct yore_bytes a;
    struct yore_bytes b;
    bool tells_length;
    bool tells_ranges;
    bool tells_range_length;
    int64_t length_min;
    uint32_t *table; /* (a.size + 1) x (b.size + 1): lengths of the prefixes' */
};

static uint32_t *cell(const struct lcs *lcs, size_t i, size_t j)
{
    return &lcs->table[i * (lcs->b.size + 1) + j];
}

static bool take_lcs_options(struct call *call, struct lcs *lcs)
{
    for (size_t i = 3; i < call->count; i++) {
        if (call_is(call, i, "idx")) {
            lcs->tells_ranges = true;
        } else if (call_is(call, i, "len")) {
            lcs->tells_length = true;
        } else if (call_is(call, i, "withmatchlen")) {
            lcs->tells_range_length = true;
        } else if (call_is(call, i, "minmatchlen") && i + 1 < call->count) {
            if (!call_int(call, ++i, &lcs->length_min)) {
                return false;
            }
            lcs->length_min = lcs->length_min < 0 ? 0 : lcs->length_min;
        } else {
            call_syntax(call);
            return false;
        }
    }
    if (lcs->tells_ranges && lcs->tells_length) {
        reply_error(call->reply, "ERR If you want both the length and indexes, please just use "
                                 "IDX.");
        return false;
    }
    return true;
}

static bool fill(struct lcs *lcs)
{
    size_t cells;
    const unsigned char *a = lcs->a.data;
    const unsigned char *b = lcs->b.data;
    if (!checked_mul_size(lcs->a.size + 1, lcs->b.size + 1, &cells) || cells > LCS_CELLS_MAX) {
        return false;
    }
    lcs->table = mem_array(cells, sizeof *lcs->table);
    if (lcs->table == NULL) {
        return false;
    }
    for (size_t i = 1; i <= lcs->a.size; i++) {
        for (size_t j = 1; j <= lcs->b.size; j++) {
            uint32_t up = *cell(lcs, i - 1, j);
            uint32_t left = *cell(lcs, i, j - 1);
            uint32_t best = up > left ? up : left;
            *cell(lcs, i, j) = a[i - 1] == b[j - 1] ? *cell(lcs, i - 1, j - 1) + 1 : best;
        }
    }
    return true;
}

static void reply_range(struct call *call, const struct lcs *lcs, size_t i, size_t j, size_t length)
{
    reply_array(call->reply, lcs->tells_range_length ? 3 : 2);
    reply_array(call->reply, 2);
    reply_int(call->reply, (int64_t)i);
    reply_int(call->reply, (int64_t)(i + length - 1));
    reply_array(call->reply, 2);
    reply_int(call->reply, (int64_t)j);
    reply_int(call->reply, (int64_t)(j + length - 1));
    if (lcs->tells_range_length) {
        reply_int(call->reply, (int64_t)length);
    }
}

/* From the ends back: runs that are the same in both. */
static void reply_ranges(struct call *call, const struct lcs *lcs)
{
    const unsigned char *a = lcs->a.data;
    const unsigned char *b = lcs->b.data;
    size_t i = lcs->a.size;
    size_t j = lcs->b.size;
    size_t count = 0;
    reply_map(call->reply, 2);
    reply_text(call->reply, "matches");
    size_t begun = reply_array_begin(call->reply);
    while (i > 0 && j > 0) {
        size_t length = 0;
        while (i > 0 && j > 0 && a[i - 1] == b[j - 1]) {
            length++;
            i--;
            j--;
        }
        if (length > 0 && (int64_t)length >= lcs->length_min) {
            reply_range(call, lcs, i, j, length);
            count++;
        }
        if (i > 0 && j > 0 && a[i - 1] != b[j - 1]) {
            bool goes_up = *cell(lcs, i - 1, j) > *cell(lcs, i, j - 1);
            i -= goes_up ? 1 : 0;
            j -= goes_up ? 0 : 1;
        }
    }
    reply_array_end(call->reply, begun, count);
    reply_text(call->reply, "len");
    reply_int(call->reply, *cell(lcs, lcs->a.size, lcs->b.size));
}

static void reply_common(struct call *call, const struct lcs *lcs)
{
    const unsigned char *a = lcs->a.data;
    const unsigned char *b = lcs->b.data;
    size_t i = lcs->a.size;
    size_t j = lcs->b.size;
    size_t left = *cell(lcs, i, j);
    struct buffer text = {0};
    size_t size = left;
    if (left > 0 && buffer_extend(&text, left) == NULL) {
        call_nomem(call);
        buffer_release(&text);
        return;
    }
    while (left > 0) {
        if (a[i - 1] == b[j - 1]) {
            text.data[--left] = a[i - 1];
            i--;
            j--;
        } else if (*cell(lcs, i - 1, j) > *cell(lcs, i, j - 1)) {
            i--;
        } else {
            j--;
        }
    }
    reply_bulk(call->reply, bytes_of(text.data, size));
    buffer_release(&text);
}

void cmd_lcs(struct call *call)
{
    struct entry first;
    struct entry second;
    struct lcs lcs = {.length_min = 0};
    if (!call_read(call, 1, &first)) {
        return;
    }
    if (!call_read(call, 2, &second)) {
        entry_release(&first);
        return;
    }
    lcs.a = first.exists ? entry_bytes(&first) : bytes_of("", 0);
    lcs.b = second.exists ? entry_bytes(&second) : bytes_of("", 0);
    if (!take_lcs_options(call, &lcs)) {
        lcs.table = NULL;
    } else if (!fill(&lcs)) {
        reply_error(call->reply, "ERR Insufficient memory, transient memory for LCS exceeds "
                                 "proto-max-bulk-len");
    } else if (lcs.tells_ranges) {
        reply_ranges(call, &lcs);
    } else if (lcs.tells_length) {
        reply_int(call->reply, *cell(&lcs, lcs.a.size, lcs.b.size));
    } else {
        reply_common(call, &lcs);
    }
    mem_free(lcs.table);
    entry_release(&second);
    entry_release(&first);
}
