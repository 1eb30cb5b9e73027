/* command_bits.c -- strings as rows of bits; bit 0 is the highest of the first octet. */
#include <string.h>

#include "command/bits.h"
#include "command/call.h"
#include "command/commands.h"

/* A bit's place; false: an error was replied. */
static bool take_offset(struct call *call, uint64_t *offset_out)
{
    if (!args_uint(call->args[2], offset_out) || *offset_out >= (uint64_t)STRING_BYTES_MAX * 8) {
        reply_error(call->reply, "ERR bit offset is not an integer or out of range");
        return false;
    }
    return true;
}

bool bits_copy(const struct entry *entry, size_t size_min, struct buffer *out)
{
    size_t old = entry->exists ? entry->value.size : 0;
    size_t size = old > size_min ? old : size_min;
    unsigned char *at = size > 0 ? buffer_extend(out, size) : NULL;
    if (size > 0 && at == NULL) {
        return false;
    }
    if (old > 0) {
        memcpy(at, entry->value.data, old);
    }
    if (size > old) {
        memset(at + old, 0, size - old);
    }
    return true;
}

bool bits_put(struct call *call, const struct entry *entry, struct yore_bytes whole)
{
    if (entry->exists && bytes_equal(entry_bytes(entry), whole)) {
        return true;
    }
    bool is_put =
        call_put(call, entry, whole, entry->exists ? entry->value.valid_to : YORE_FOREVER);
    if (is_put) {
        call_event(call, EVENT_STRING, "setbit", entry->key);
    }
    return is_put;
}

void cmd_setbit(struct call *call)
{
    struct entry entry;
    struct buffer whole = {0};
    uint64_t offset;
    int64_t bit;
    if (!take_offset(call, &offset)) {
        return;
    }
    if (!args_int(call->args[3], &bit) || (bit != 0 && bit != 1)) {
        reply_error(call->reply, "ERR bit is not an integer or out of range");
        return;
    }
    if (!call_read_to_write(call, 1, &entry)) {
        return;
    }
    if (!bits_copy(&entry, (size_t)(offset / 8) + 1, &whole)) {
        call_nomem(call);
    } else {
        unsigned char *at = &whole.data[offset / 8];
        unsigned shift = 7 - (unsigned)(offset % 8);
        int64_t old = *at >> shift & 1;
        *at = (unsigned char)((*at & ~(1u << shift)) | (unsigned)bit << shift);
        if (bits_put(call, &entry, buffer_bytes(&whole))) {
            reply_int(call->reply, old);
        }
    }
    buffer_release(&whole);
    entry_release(&entry);
}

void cmd_getbit(struct call *call)
{
    struct entry entry;
    uint64_t offset;
    if (!take_offset(call, &offset) || !call_read(call, 1, &entry)) {
        return;
    }
    const unsigned char *data = entry.value.data;
    bool is_inside = entry.exists && offset / 8 < entry.value.size;
    reply_int(call->reply, is_inside ? data[offset / 8] >> (7 - offset % 8) & 1 : 0);
    entry_release(&entry);
}

/* ---- ranges ---- */

/* Bits [from, to] of a string of `size` octets; empty when from > to. */
struct bit_range {
    int64_t from;
    int64_t to;
    bool is_crossed; /* as it was given, both ends counted from the end */
};

/* Arguments first and first + 1 are begin and end, counted from the end where negative; behind
 * them BYTE or BIT. */
static bool take_range(struct call *call, size_t first, int64_t size, struct bit_range *range)
{
    int64_t from = 0;
    int64_t to = -1;
    bool is_bits = false;
    if (call->count > first && !call_int(call, first, &from)) {
        return false;
    }
    if (call->count > first + 1 && !call_int(call, first + 1, &to)) {
        return false;
    }
    if (call->count > first + 2) {
        is_bits = call_is(call, first + 2, "bit");
        if (call->count > first + 3 || (!is_bits && !call_is(call, first + 2, "byte"))) {
            call_syntax(call);
            return false;
        }
    }
    int64_t length = is_bits ? size * 8 : size;
    range->is_crossed = from < 0 && to < 0 && from > to;
    from = from < 0 ? (from + length < 0 ? 0 : from + length) : from;
    to = to < 0 ? (to + length < 0 ? 0 : to + length) : to;
    to = to >= length ? length - 1 : to;
    range->from = from > to ? 0 : is_bits ? from : from * 8;
    range->to = from > to ? -1 : is_bits ? to : to * 8 + 7;
    return true;
}

static int64_t count_ones(const unsigned char *data, struct bit_range range)
{
    int64_t count = 0;
    int64_t at = range.from;
    for (; at <= range.to && at % 8 != 0; at++) {
        count += data[at / 8] >> (7 - at % 8) & 1;
    }
    for (; at + 63 <= range.to; at += 64) {
        uint64_t word;
        memcpy(&word, data + at / 8, sizeof word);
        count += __builtin_popcountll(word);
    }
    for (; at <= range.to; at++) {
        count += data[at / 8] >> (7 - at % 8) & 1;
    }
    return count;
}

void cmd_bitcount(struct call *call)
{
    struct entry entry;
    struct bit_range range;
    if (!call_read(call, 1, &entry)) {
        return;
    }
    int64_t size = (int64_t)entry.value.size;
    if (!entry.exists) { /* Redis does not look at the rest */
        reply_int(call->reply, 0);
    } else if (call->count == 3) {
        call_syntax(call);
    } else if (take_range(call, 2, size, &range)) {
        bool is_empty = size == 0 || range.is_crossed;
        reply_int(call->reply, is_empty ? 0 : count_ones(entry.value.data, range));
    }
    entry_release(&entry);
}

static int64_t find_bit(const unsigned char *data, struct bit_range range, int64_t bit)
{
    unsigned char skipped = bit == 0 ? 0xff : 0x00;
    for (int64_t at = range.from; at <= range.to;) {
        if (at % 8 == 0 && at + 7 <= range.to && data[at / 8] == skipped) {
            at += 8;
        } else if ((data[at / 8] >> (7 - at % 8) & 1) == bit) {
            return at;
        } else {
            at++;
        }
    }
    return -1;
}

void cmd_bitpos(struct call *call)
{
    struct entry entry;
    struct bit_range range;
    int64_t bit;
    if (!args_int(call->args[2], &bit)) {
        reply_error(call->reply, "ERR value is not an integer or out of range");
        return;
    }
    if (bit != 0 && bit != 1) {
        reply_error(call->reply, "ERR The bit argument must be 1 or 0.");
        return;
    }
    if (!call_read(call, 1, &entry)) {
        return;
    }
    int64_t size = (int64_t)entry.value.size;
    if (!entry.exists) { /* zeros without end; Redis does not look at the rest */
        reply_int(call->reply, bit == 0 ? 0 : -1);
    } else if (take_range(call, 3, size, &range)) {
        bool is_empty = range.from > range.to;
        int64_t found = is_empty ? -1 : find_bit(entry.value.data, range, bit);
        if (found < 0 && bit == 0 && call->count < 5 && !is_empty) {
            found = size * 8; /* behind a string of ones there are zeros */
        }
        reply_int(call->reply, found);
    }
    entry_release(&entry);
}

/* ---- BITOP ---- */

enum bit_op { BIT_AND, BIT_OR, BIT_XOR, BIT_NOT };

static bool take_op(struct call *call, enum bit_op *op_out)
{
    static const char *const names[] = {"and", "or", "xor", "not"};
    for (size_t i = 0; i < 4; i++) {
        if (call_is(call, 1, names[i])) {
            *op_out = (enum bit_op)i;
            if (*op_out == BIT_NOT && call->count != 4) {
                reply_error(call->reply, "ERR BITOP NOT must be called with a single source key.");
                return false;
            }
            return true;
        }
    }
    call_syntax(call);
    return false;
}

/* Join `piece` into `whole`; shorter ones count as ending in zeros. */
static void join(enum bit_op op, struct buffer *whole, struct yore_bytes piece)
{
    const unsigned char *from = piece.data;
    for (size_t i = 0; i < whole->size; i++) {
        unsigned char octet = i < piece.size ? from[i] : 0;
        unsigned char *to = &whole->data[i];
        *to = (unsigned char)(op == BIT_AND  ? *to & octet
                              : op == BIT_OR ? *to | octet
                                             : *to ^ octet);
    }
}

/* Every source joined; false: an error was replied. */
static bool join_all(struct call *call, enum bit_op op, struct buffer *whole)
{
    for (size_t i = 3; i < call->count; i++) {
        struct entry entry;
        if (!call_read(call, i, &entry)) {
            return false;
        }
        struct yore_bytes piece = entry.exists ? entry_bytes(&entry) : bytes_of("", 0);
        size_t old = whole->size;
        unsigned char *more = piece.size > old ? buffer_extend(whole, piece.size - old) : NULL;
        if (piece.size > old && more == NULL) {
            entry_release(&entry);
            call_nomem(call);
            return false;
        }
        if (more != NULL) {
            memset(more, 0, piece.size - old);
        }
        if (i == 3) {
            memcpy(whole->data != NULL ? whole->data : (unsigned char *)"",
                   piece.size > 0 ? piece.data : "", piece.size);
        } else {
            join(op, whole, piece);
        }
        entry_release(&entry);
    }
    for (size_t i = 0; op == BIT_NOT && i < whole->size; i++) {
        whole->data[i] = (unsigned char)~whole->data[i];
    }
    return true;
}

void cmd_bitop(struct call *call)
{
    enum bit_op op;
    struct entry entry;
    struct buffer whole = {0};
    if (!take_op(call, &op) || !join_all(call, op, &whole) || !call_lookup(call, 2, &entry)) {
        buffer_release(&whole);
        return;
    }
    bool is_done = whole.size > 0 ? call_put(call, &entry, buffer_bytes(&whole), YORE_FOREVER)
                                  : !entry.exists || call_delete(call, &entry);
    if (is_done) {
        if (whole.size > 0) {
            call_event(call, EVENT_STRING, "set", call->args[2]);
        } else if (entry.exists) {
            call_event(call, EVENT_GENERIC, "del", call->args[2]);
        }
        reply_int(call->reply, (int64_t)whole.size);
    }
    entry_release(&entry);
    buffer_release(&whole);
}
