/* moments.c -- moments in requests and replies. */
#include "command/moments.h"

#include "base/moment.h"
#include "command/call.h"

bool moments_take(struct call *call, size_t index, int64_t *moment_out)
{
    struct yore_error error = {.text = ""};
    if (call_is(call, index, "now")) {
        *moment_out = YORE_NOW;
        return true;
    }
    if (moment_parse(call->args[index], call->access->now, moment_out, &error) != YORE_OK) {
        reply_error(call->reply, "ERR %s", error.text);
        return false;
    }
    return true;
}

bool moments_take_read(struct call *call, size_t index, int64_t *moment_out)
{
    if (!moments_take(call, index, moment_out)) {
        return false;
    }
    if (!acl_allows_moment(call->client, *moment_out, call->access->now)) {
        struct acl_denial denial = {ACL_PAST, call->args[index]};
        acl_note_denial(call->client, &denial, "toplevel", bytes_of("", 0));
        reply_error(call->reply, "NOPERM this user has no permissions to look at that moment");
        return false;
    }
    return true;
}

void moments_reply(struct reply *reply, int64_t moment)
{
    char text[MOMENT_TEXT_BYTES];
    if (moment == YORE_FOREVER || moment == YORE_TIME_MIN) {
        reply_null(reply);
    } else {
        reply_text(reply, moment_format(moment, text));
    }
}
