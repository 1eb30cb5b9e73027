/* command_number.c -- strings that are numbers. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/checked.h"
#include "command/call.h"
#include "command/commands.h"

static void add(struct call *call, int64_t amount)
{
    struct entry entry;
    int64_t number = 0;
    char text[ARGS_INT_BYTES];
    if (!call_read_to_write(call, 1, &entry)) {
        return;
    }
    if (entry.exists && !args_int(entry_bytes(&entry), &number)) {
        reply_error(call->reply, "ERR value is not an integer or out of range");
    } else if (!checked_add_i64(number, amount, &number)) {
        reply_error(call->reply, "ERR increment or decrement would overflow");
    } else if (call_put(call, &entry, bytes_of(text, args_int_text(number, text)),
                        entry.exists ? entry.value.valid_to : YORE_FOREVER)) {
        call_event(call, EVENT_STRING, "incrby", call->args[1]);
        reply_int(call->reply, number);
    }
    entry_release(&entry);
}

void cmd_incr(struct call *call)
{
    add(call, 1);
}

void cmd_decr(struct call *call)
{
    add(call, -1);
}

void cmd_incrby(struct call *call)
{
    int64_t amount;
    if (call_int(call, 2, &amount)) {
        add(call, amount);
    }
}

void cmd_decrby(struct call *call)
{
    int64_t amount;
    if (!call_int(call, 2, &amount)) {
        return;
    }
    if (amount == INT64_MIN) {
        reply_error(call->reply, "ERR decrement would overflow");
        return;
    }
    add(call, -amount);
}

/* As people write it: 17 digits behind the point at most, no zeros at the end, no exponent. */
#define FLOAT_TEXT_BYTES 5120
static size_t float_text(long double number, char text[FLOAT_TEXT_BYTES])
{
    int size = snprintf(text, FLOAT_TEXT_BYTES, "%.17Lf", number);
    size_t length = size > 0 && size < FLOAT_TEXT_BYTES ? (size_t)size : 0;
    if (strchr(text, '.') != NULL) {
        while (text[length - 1] == '0') {
            length--;
        }
        length -= text[length - 1] == '.' ? 1 : 0;
    }
    if (length == 2 && text[0] == '-' && text[1] == '0') {
        text[0] = '0';
        length = 1;
    }
    return length;
}

void cmd_incrbyfloat(struct call *call)
{
    struct entry entry;
    long double number = 0;
    long double amount;
    char text[FLOAT_TEXT_BYTES];
    if (!call_read_to_write(call, 1, &entry)) {
        return;
    }
    if ((entry.exists && !args_long_double(entry_bytes(&entry), &number)) ||
        !args_long_double(call->args[2], &amount)) {
        reply_error(call->reply, "ERR value is not a valid float");
    } else if (isnan(number + amount) || isinf(number + amount)) {
        reply_error(call->reply, "ERR increment would produce NaN or Infinity");
    } else {
        struct yore_bytes sum = bytes_of(text, float_text(number + amount, text));
        if (call_put(call, &entry, sum, entry.exists ? entry.value.valid_to : YORE_FOREVER)) {
            call_event(call, EVENT_STRING, "incrbyfloat", call->args[1]);
            reply_bulk(call->reply, sum);
        }
    }
    entry_release(&entry);
}
