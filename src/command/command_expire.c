/* command_expire.c -- ends of keys: setting, telling, taking away. */
#include "command/call.h"
#include "command/commands.h"
#include "command/ttl.h"

struct expire_options {
    bool if_none;    /* NX */
    bool if_some;    /* XX */
    bool if_later;   /* GT */
    bool if_earlier; /* LT */
};

static bool take_options(struct call *call, struct expire_options *options)
{
    *options = (struct expire_options){0};
    for (size_t i = 3; i < call->count; i++) {
        if (call_is(call, i, "nx")) {
            options->if_none = true;
        } else if (call_is(call, i, "xx")) {
            options->if_some = true;
        } else if (call_is(call, i, "gt")) {
            options->if_later = true;
        } else if (call_is(call, i, "lt")) {
            options->if_earlier = true;
        } else {
            reply_error(call->reply, "ERR Unsupported option %.*s",
                        (int)(call->args[i].size < 128 ? call->args[i].size : 128),
                        (const char *)call->args[i].data);
            return false;
        }
    }
    if (options->if_none && (options->if_some || options->if_later || options->if_earlier)) {
        reply_error(call->reply,
                    "ERR NX and XX, GT or LT options at the same time are not compatible");
        return false;
    }
    if (options->if_later && options->if_earlier) {
        reply_error(call->reply, "ERR GT and LT options at the same time are not compatible");
        return false;
    }
    return true;
}

/* A key without an end counts as ending last. */
static bool is_wanted(const struct expire_options *options, const struct entry *entry, int64_t end)
{
    int64_t old = entry->value.valid_to;
    bool has_end = old != YORE_FOREVER;
    return !(options->if_none && has_end) && !(options->if_some && !has_end) &&
           !(options->if_later && (!has_end || ttl_ms(end) <= ttl_ms(old))) &&
           !(options->if_earlier && has_end && ttl_ms(end) >= ttl_ms(old));
}

static void expire(struct call *call, struct ttl_unit unit)
{
    struct expire_options options;
    struct entry entry;
    int64_t end;
    if (!take_options(call, &options) || !ttl_end(call, call->args[2], unit, true, &end) ||
        !call_lookup(call, 1, &entry)) {
        return;
    }
    bool does = entry.exists && is_wanted(&options, &entry, end);
    bool deletes = end <= access_now(call->access);
    if (!does) {
        reply_int(call->reply, 0);
    } else if (deletes ? call_delete(call, &entry)
                       : call_keep(call, &entry, entry_bytes(&entry), end)) {
        call_event(call, EVENT_GENERIC, deletes ? "del" : "expire", call->args[1]);
        reply_int(call->reply, 1);
    }
    entry_release(&entry);
}

void cmd_expire(struct call *call)
{
    expire(call, (struct ttl_unit){.is_seconds = true});
}

void cmd_pexpire(struct call *call)
{
    expire(call, (struct ttl_unit){.is_seconds = false});
}

void cmd_expireat(struct call *call)
{
    expire(call, (struct ttl_unit){.is_seconds = true, .is_absolute = true});
}

void cmd_pexpireat(struct call *call)
{
    expire(call, (struct ttl_unit){.is_absolute = true});
}

void cmd_persist(struct call *call)
{
    struct entry entry;
    if (!call_lookup(call, 1, &entry)) {
        return;
    }
    bool has_end = entry_has_end(&entry);
    if (!has_end || call_keep(call, &entry, entry_bytes(&entry), YORE_FOREVER)) {
        if (has_end) {
            call_event(call, EVENT_GENERIC, "persist", call->args[1]);
        }
        reply_int(call->reply, has_end ? 1 : 0);
    }
    entry_release(&entry);
}

/* -2: no key; -1: no end; else what is left, or when, in milliseconds or seconds. */
static void tell(struct call *call, bool is_seconds, bool is_absolute)
{
    struct entry entry;
    if (!call_find(call, 1, &entry)) {
        return;
    }
    int64_t told = -2;
    if (entry.exists && !entry_has_end(&entry)) {
        told = -1;
    } else if (entry.exists) {
        int64_t moment = call->access->at != NULL && call->access->at->valid != YORE_NOW
                             ? call->access->at->valid
                             : access_now(call->access);
        int64_t left = entry.value.valid_to - (is_absolute ? 0 : moment);
        told = left < 0 ? 0 : ttl_ms(left);
        told = is_seconds ? (told + 500) / 1000 : told;
    }
    reply_int(call->reply, told);
    entry_release(&entry);
}

void cmd_ttl(struct call *call)
{
    tell(call, true, false);
}

void cmd_pttl(struct call *call)
{
    tell(call, false, false);
}

void cmd_expiretime(struct call *call)
{
    tell(call, true, true);
}

void cmd_pexpiretime(struct call *call)
{
    tell(call, false, true);
}
