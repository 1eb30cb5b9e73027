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
    if (moment_parse(call->args[index], access_now(call->access), moment_out, &error) != YORE_OK) {
        reply_error(call->reply, "ERR %s", error.text);
        return false;
    }
    return true;
}

/* May the user look at `moment`, which args[index] named? */
static bool is_allowed(struct call *call, size_t index, int64_t moment)
{
    if (!acl_allows_moment(call->client, moment, access_now(call->access))) {
        struct acl_denial denial = {ACL_PAST, call->args[index]};
        acl_note_denial(call->client, &denial, "toplevel", bytes_of("", 0));
        reply_error(call->reply, "NOPERM this user has no permissions to look at that moment");
        return false;
    }
    return true;
}

bool moments_take_read(struct call *call, size_t index, int64_t *moment_out)
{
    return moments_take(call, index, moment_out) && is_allowed(call, index, *moment_out);
}

bool moments_take_commit(struct call *call, size_t index, int64_t *commit_out)
{
    return (args_int(call->args[index], commit_out) || moments_take(call, index, commit_out)) &&
           is_allowed(call, index, *commit_out);
}

bool moments_take_known(struct call *call, size_t index, int64_t *moment_out)
{
    char texts[2][MOMENT_TEXT_BYTES];
    if (!moments_take_read(call, index, moment_out)) {
        return false;
    }
    /* The database's own now: that of the command may be older than one told a moment ago. */
    int64_t now = *moment_out != YORE_NOW ? yore_now(call->server->db) : INT64_MAX;
    if (*moment_out > now) {
        reply_error(call->reply,
                    "FUTURE known time %s is later than now, %s: nobody can tell yet what will be "
                    "known; name an earlier one, or none",
                    moment_format(*moment_out, texts[0]), moment_format(now, texts[1]));
        return false;
    }
    return true;
}

bool moments_take_looked(struct call *call, size_t index, bool is_known, struct yore_time *at)
{
    return is_known ? moments_take_known(call, index, &at->known)
                    : moments_take_read(call, index, &at->valid);
}

bool moments_take_at(struct call *call, size_t first, struct yore_time *at_out)
{
    *at_out = (struct yore_time){YORE_NOW, YORE_NOW};
    if (call->access->at != NULL) {
        *at_out = *call->access->at;
    }
    for (size_t i = first; i < call->count; i += 2) {
        bool is_at = call_is(call, i, "at");
        if (i + 1 == call->count || (!is_at && !call_is(call, i, "known"))) {
            call_syntax(call);
            return false;
        }
        if (!moments_take_looked(call, i + 1, !is_at, at_out)) {
            return false;
        }
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
