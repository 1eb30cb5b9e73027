/* ttl.c -- ends of keys, from numbers of requests. */
#include "command/ttl.h"

#include "base/checked.h"
#include "command/call.h"

#define MS_NS 1000000

bool ttl_unit(struct yore_bytes word, struct ttl_unit *unit_out)
{
    bool is_seconds = args_is(word, "ex") || args_is(word, "exat");
    bool is_absolute = args_is(word, "exat") || args_is(word, "pxat");
    *unit_out = (struct ttl_unit){is_seconds, is_absolute};
    return is_seconds || is_absolute || args_is(word, "px");
}

/* Ends beyond what nanoseconds can say are the last of them: the year 2262. */
static int64_t end_of_ms(int64_t ms)
{
    int64_t end;
    if (!checked_mul_i64(ms, MS_NS, &end)) {
        return ms > 0 ? YORE_FOREVER - 1 : YORE_TIME_MIN;
    }
    return end == YORE_FOREVER ? YORE_FOREVER - 1 : end;
}

bool ttl_end(struct call *call, struct yore_bytes number, struct ttl_unit unit, bool allows_past,
             int64_t *end_out)
{
    int64_t ms;
    if (!args_int(number, &ms)) {
        reply_error(call->reply, "ERR value is not an integer or out of range");
        return false;
    }
    bool fits = allows_past || ms > 0;
    fits = fits && (!unit.is_seconds || checked_mul_i64(ms, 1000, &ms));
    fits = fits && (unit.is_absolute || checked_add_i64(ms, access_now(call->access) / MS_NS, &ms));
    if (!fits) {
        reply_error(call->reply, "ERR invalid expire time in '%s' command", call->command->name);
        return false;
    }
    *end_out = end_of_ms(ms);
    if (!unit.is_absolute && *end_out < YORE_FOREVER - 1) {
        *end_out += access_now(call->access) % MS_NS;
    }
    return true;
}

int64_t ttl_ms(int64_t end)
{
    return end / MS_NS;
}
