/* rows.c -- replies of many values. */
#include "command/rows.h"

#include "command/call.h"

/* May the reply leave before it is whole? */
static bool may_part(const struct call *call)
{
    return call->reply->drain != NULL && !call->is_in_exec &&
           !client_is(call->client, CLIENT_REPLY_OFF | CLIENT_REPLY_SKIP);
}

void rows_begin(struct rows *rows, struct call *call)
{
    *rows = (struct rows){
        .call = call, .begun = reply_array_begin(call->reply), .bytes_max = REPLY_BYTES_MAX};
}

bool rows_want(struct rows *rows)
{
    rows->count++;
    return rows->is_second ? rows->count > rows->kept && rows->count <= rows->total
                           : !rows->is_counting;
}

enum yore_status rows_told(struct rows *rows, struct yore_error *error_out)
{
    struct call *call = rows->call;
    size_t size = call->reply->out.size;
    if (rows->is_second) {
        return reply_part(call->reply) ? YORE_OK : error_plain(error_out, YORE_CANCELLED);
    }
    rows->kept = rows->count;
    rows->is_counting = !rows->is_single && may_part(call) && size - rows->begun > ROWS_KEPT_BYTES;
    return size <= rows->bytes_max
               ? YORE_OK
               : error_set(error_out, YORE_TOO_BIG,
                           "the reply takes more than %zu bytes: ask for less, or in pages",
                           rows->bytes_max);
}

bool rows_again(struct rows *rows, enum yore_status st, const struct yore_error *error)
{
    struct call *call = rows->call;
    bool is_good = st == YORE_OK || st == YORE_NOT_FOUND;
    if (rows->is_second) {
        call->must_close |= !is_good || rows->count != rows->total;
        return false;
    }
    if (!is_good) {
        call->reply->out.size = rows->begun;
        call_fail_told(call, st, error);
        return false;
    }
    reply_array_end(call->reply, rows->begun, rows->count);
    if (rows->count == rows->kept) {
        return false;
    }
    rows->is_second = true;
    rows->total = rows->count;
    rows->count = 0;
    return reply_part(call->reply);
}
