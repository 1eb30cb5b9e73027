/* command_bitfield.c -- integers of 1 to 64 bits anywhere inside a string. */
#include <string.h>

#include "base/checked.h"
#include "base/mem.h"
#include "command/bits.h"
#include "command/call.h"
#include "command/commands.h"

enum field_op { FIELD_GET, FIELD_SET, FIELD_ADD };
enum field_overflow { FIELD_WRAP, FIELD_SATURATE, FIELD_FAIL };

struct field {
    enum field_op op;
    enum field_overflow overflow;
    bool is_signed;
    unsigned bits;
    uint64_t offset;
    int64_t value;
};

/* ---- arguments ---- */

static bool take_type(struct call *call, size_t index, struct field *field)
{
    struct yore_bytes text = call->args[index];
    char sign = text.size > 0 ? *(const char *)text.data : '\0';
    int64_t bits = 0;
    field->is_signed = sign == 'i';
    if ((sign != 'i' && sign != 'u') || !args_int(bytes_behind(text, 1), &bits) || bits < 1 ||
        bits > (sign == 'i' ? 64 : 63)) {
        reply_error(call->reply, "ERR Invalid bitfield type. Use something like i16 u8. Note that "
                                 "u64 is not supported but i64 is.");
        return false;
    }
    field->bits = (unsigned)bits;
    return true;
}

static bool take_offset(struct call *call, size_t index, struct field *field)
{
    struct yore_bytes text = call->args[index];
    bool is_counted = text.size > 0 && *(const char *)text.data == '#';
    uint64_t offset;
    if (!args_uint(bytes_behind(text, is_counted ? 1 : 0), &offset) ||
        (is_counted && __builtin_mul_overflow(offset, (uint64_t)field->bits, &offset)) ||
        offset >= (uint64_t)STRING_BYTES_MAX * 8 - 64) {
        reply_error(call->reply, "ERR bit offset is not an integer or out of range");
        return false;
    }
    field->offset = offset;
    return true;
}

static bool take_overflow(struct call *call, size_t index, enum field_overflow *overflow)
{
    if (call_is(call, index, "wrap")) {
        *overflow = FIELD_WRAP;
    } else if (call_is(call, index, "sat")) {
        *overflow = FIELD_SATURATE;
    } else if (call_is(call, index, "fail")) {
        *overflow = FIELD_FAIL;
    } else {
        reply_error(call->reply, "ERR Invalid OVERFLOW type specified");
        return false;
    }
    return true;
}

/* The operations; at most one for three arguments. */
static bool take_fields(struct call *call, struct field *fields, size_t *count_out,
                        uint64_t *writes_end_out)
{
    enum field_overflow overflow = FIELD_WRAP;
    *count_out = 0;
    *writes_end_out = 0;
    for (size_t i = 2; i < call->count;) {
        size_t more = call->count - i - 1;
        struct field *field = &fields[*count_out];
        *field = (struct field){.overflow = overflow};
        if (call_is(call, i, "overflow") && more >= 1) {
            if (!take_overflow(call, i + 1, &overflow)) {
                return false;
            }
            i += 2;
            continue;
        }
        bool is_get = call_is(call, i, "get");
        bool is_set = call_is(call, i, "set");
        if ((!is_get && !is_set && !call_is(call, i, "incrby")) || more < (is_get ? 2u : 3u)) {
            call_syntax(call);
            return false;
        }
        field->op = is_get ? FIELD_GET : is_set ? FIELD_SET : FIELD_ADD;
        if (!take_type(call, i + 1, field) || !take_offset(call, i + 2, field) ||
            (!is_get && !call_int(call, i + 3, &field->value))) {
            return false;
        }
        uint64_t end = field->offset + field->bits;
        *writes_end_out = !is_get && end > *writes_end_out ? end : *writes_end_out;
        ++*count_out;
        i += is_get ? 3 : 4;
    }
    return true;
}

/* ---- bits ---- */

static uint64_t load(const struct buffer *whole, const struct field *field)
{
    uint64_t value = 0;
    for (uint64_t at = field->offset; at < field->offset + field->bits; at++) {
        unsigned octet = at / 8 < whole->size ? whole->data[at / 8] : 0;
        value = value << 1 | (octet >> (7 - at % 8) & 1);
    }
    return value;
}

static void store(struct buffer *whole, const struct field *field, uint64_t value)
{
    for (unsigned i = 0; i < field->bits; i++) {
        uint64_t at = field->offset + field->bits - 1 - i;
        unsigned mask = 1u << (7 - at % 8);
        unsigned char *octet = &whole->data[at / 8];
        *octet = (unsigned char)((value >> i & 1) != 0 ? *octet | mask : *octet & ~mask);
    }
}

static int64_t as_signed(const struct field *field, uint64_t raw)
{
    if (field->is_signed && field->bits < 64 && (raw >> (field->bits - 1) & 1) != 0) {
        raw |= UINT64_MAX << field->bits;
    }
    return (int64_t)raw;
}

/* The sum, as the field's way with overflow has it; false: refused. */
static bool add(const struct field *field, int64_t old, int64_t amount, int64_t *sum_out)
{
    int64_t high = field->is_signed && field->bits == 64
                       ? INT64_MAX
                       : (int64_t)((UINT64_C(1) << (field->bits - (field->is_signed ? 1 : 0))) - 1);
    int64_t low = field->is_signed ? -high - 1 : 0;
    int64_t sum;
    bool is_whole = checked_add_i64(old, amount, &sum);
    bool is_over = is_whole ? sum > high : amount > 0;
    bool is_under = is_whole ? sum < low : amount < 0;
    if (!is_over && !is_under) {
        *sum_out = sum;
        return true;
    }
    if (field->overflow == FIELD_SATURATE) {
        *sum_out = is_over ? high : low;
    } else {
        uint64_t wrapped = (uint64_t)old + (uint64_t)amount;
        wrapped &= field->bits == 64 ? UINT64_MAX : (UINT64_C(1) << field->bits) - 1;
        *sum_out = as_signed(field, wrapped);
    }
    return field->overflow != FIELD_FAIL;
}

/* Run one and reply it; *has_changed_io is set when it wrote. */
static void run_field(struct call *call, struct buffer *whole, const struct field *field,
                      bool *has_changed_io)
{
    int64_t old = as_signed(field, load(whole, field));
    int64_t value = old;
    bool is_done = field->op == FIELD_GET ||
                   add(field, field->op == FIELD_SET ? 0 : old, field->value, &value);
    if (!is_done) {
        reply_null(call->reply);
        return;
    }
    if (field->op != FIELD_GET) {
        store(whole, field, (uint64_t)value);
        *has_changed_io = true;
    }
    reply_int(call->reply, field->op == FIELD_SET ? old : value);
}

static void run_fields(struct call *call, const struct field *fields, size_t count,
                       uint64_t writes_end)
{
    struct entry entry;
    struct buffer whole = {0};
    bool has_changed = false;
    size_t start = call->reply->out.size;
    if (!(writes_end > 0 ? call_read_to_write(call, 1, &entry) : call_read(call, 1, &entry))) {
        return;
    }
    if (!bits_copy(&entry, (size_t)((writes_end + 7) / 8), &whole)) {
        call_nomem(call);
    } else {
        reply_array(call->reply, count);
        for (size_t i = 0; i < count; i++) {
            run_field(call, &whole, &fields[i], &has_changed);
        }
    }
    if (has_changed) {
        struct reply *reply = call->reply;
        size_t end = reply->out.size;
        if (!bits_put(call, &entry, buffer_bytes(&whole))) { /* only its error is replied */
            memmove(reply->out.data + start, reply->out.data + end, reply->out.size - end);
            reply->out.size -= end - start;
        }
    }
    buffer_release(&whole);
    entry_release(&entry);
}

static void bitfield(struct call *call, bool may_write)
{
    size_t count;
    uint64_t writes_end;
    struct field *fields = mem_array(call->count, sizeof *fields);
    if (fields == NULL) {
        call_nomem(call);
        return;
    }
    if (take_fields(call, fields, &count, &writes_end)) {
        if (writes_end > 0 && !may_write) {
            reply_error(call->reply, "ERR BITFIELD_RO only supports the GET subcommand");
        } else {
            run_fields(call, fields, count, writes_end);
        }
    }
    mem_free(fields);
}

void cmd_bitfield(struct call *call)
{
    bitfield(call, true);
}

void cmd_bitfield_ro(struct call *call)
{
    bitfield(call, false);
}
