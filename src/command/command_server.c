/* command_server.c -- the server as a whole: time, saving, ending, debugging. */
#include <stdio.h>
#include <string.h>

#include "command/call.h"
#include "command/commands.h"

void cmd_ok(struct call *call)
{
    reply_status(call->reply, "OK");
}

void cmd_time(struct call *call)
{
    char text[ARGS_INT_BYTES];
    int64_t us = os_wall_ns(call->server->env) / 1000;
    reply_array(call->reply, 2);
    reply_bulk(call->reply, bytes_of(text, args_int_text(us / 1000000, text)));
    reply_bulk(call->reply, bytes_of(text, args_int_text(us % 1000000, text)));
}

void cmd_lastsave(struct call *call)
{
    reply_int(call->reply, os_wall_ns(call->server->env) / 1000000000);
}

/* What was acknowledged is on disk already; asked for it, memtables become tables too. */
void cmd_save(struct call *call)
{
    struct yore_error error = {.text = ""};
    enum yore_status st = yore_flush(call->server->db, &error);
    if (st != YORE_OK) {
        call_fail(call, st, &error);
        return;
    }
    reply_status(call->reply, "OK");
}

void cmd_bgsave(struct call *call)
{
    if (call->count > 2 || (call->count == 2 && !call_is(call, 1, "schedule"))) {
        call_syntax(call);
        return;
    }
    reply_status(call->reply, "Background saving started");
}

void cmd_role(struct call *call)
{
    reply_array(call->reply, 3);
    reply_text(call->reply, "master");
    reply_int(call->reply, 0);
    reply_array(call->reply, 0);
}

void cmd_wait(struct call *call)
{
    int64_t number;
    if (!call_int(call, 1, &number)) {
        return;
    }
    if (!args_int(call->args[2], &number)) {
        reply_error(call->reply, "ERR timeout is not an integer or out of range");
        return;
    }
    if (number < 0) {
        reply_error(call->reply, "ERR timeout is negative");
        return;
    }
    reply_int(call->reply, 0); /* replicas that have it: there are none */
}

void cmd_shutdown(struct call *call)
{
    const struct command_port *port = &call->server->options.port;
    bool aborts = false;
    for (size_t i = 1; i < call->count; i++) {
        aborts |= call_is(call, i, "abort");
        if (!call_is(call, i, "save") && !call_is(call, i, "nosave") && !call_is(call, i, "now") &&
            !call_is(call, i, "force") && !call_is(call, i, "abort")) {
            call_syntax(call);
            return;
        }
    }
    if (aborts) {
        reply_error(call->reply, "ERR No shutdown in progress.");
        return;
    }
    if (port->shutdown != NULL) {
        port->shutdown(port->arg);
    }
    call->must_close = true;
}

/* ---- FUNCTION: there is no scripting, and so there is nothing to flush ---- */

void cmd_function_flush(struct call *call)
{
    if (call->count > 3 ||
        (call->count == 3 && !call_is(call, 2, "async") && !call_is(call, 2, "sync"))) {
        reply_error(call->reply, "ERR FUNCTION FLUSH only supports SYNC|ASYNC option");
        return;
    }
    reply_status(call->reply, "OK");
}

void cmd_function_list(struct call *call)
{
    bool has_name = false;
    bool has_code = false;
    for (size_t i = 2; i < call->count; i++) {
        if (!has_code && call_is(call, i, "withcode")) {
            has_code = true;
        } else if (has_name || !call_is(call, i, "libraryname")) {
            reply_error(call->reply, "ERR Unknown argument %.*s",
                        (int)(call->args[i].size < 64 ? call->args[i].size : 64),
                        (const char *)call->args[i].data);
            return;
        } else if (++i == call->count) {
            reply_error(call->reply, "ERR library name argument was not given");
            return;
        } else {
            has_name = true;
        }
    }
    reply_array(call->reply, 0);
}

/* ---- DEBUG ---- */

void cmd_debug_sleep(struct call *call)
{
    double seconds;
    if (!args_double(call->args[2], &seconds) || !(seconds >= 0 && seconds <= 3600)) {
        reply_error(call->reply, "ERR value is not a valid float");
        return;
    }
    os_sleep_ns(call->server->env, (int64_t)(seconds * 1e9));
    reply_status(call->reply, "OK");
}

void cmd_debug_active_expire(struct call *call)
{
    atomic_store(&call->server->has_active_expiry, !call_is(call, 2, "0"));
    reply_status(call->reply, "OK");
}

static void protocol_attribute(struct call *call)
{
    struct reply *reply = call->reply;
    if (reply->protocol == 3) {
        static const char head[] = "|1\r\n";
        buffer_append(&reply->out, head, sizeof head - 1);
        reply_text(reply, "key-popularity");
        reply_array(reply, 2);
        reply_text(reply, "key:123");
        reply_int(reply, 90);
    }
    reply_text(reply, "Some real reply following the attribute");
}

static void protocol_numbers(struct call *call, bool is_map)
{
    if (is_map) {
        reply_map(call->reply, 3);
    } else {
        reply_set(call->reply, 3);
    }
    for (int i = 0; i < 3; i++) {
        reply_int(call->reply, i);
        if (is_map) {
            reply_bool(call->reply, i == 1);
        }
    }
}

/* What is pushed answers nothing: a reply follows. */
static void protocol_push(struct reply *reply)
{
    if (reply->protocol == 2) {
        reply_error(reply, "ERR RESP2 is not supported by this command");
        return;
    }
    reply_push(reply, 2);
    reply_text(reply, "server-cpu-usage");
    reply_int(reply, 42);
    reply_text(reply, "Some real reply following the push reply");
}

/* One reply of the kind asked for, so that a client can try its parser. */
void cmd_debug_protocol(struct call *call)
{
    struct reply *reply = call->reply;
    if (call_is(call, 2, "string")) {
        reply_text(reply, "Hello World");
    } else if (call_is(call, 2, "integer")) {
        reply_int(reply, 12345);
    } else if (call_is(call, 2, "double")) {
        reply_double(reply, 3.141);
    } else if (call_is(call, 2, "null")) {
        reply_null(reply);
    } else if (call_is(call, 2, "array")) {
        reply_array(reply, 3);
        for (int i = 0; i < 3; i++) {
            reply_int(reply, i);
        }
    } else if (call_is(call, 2, "set")) {
        protocol_numbers(call, false);
    } else if (call_is(call, 2, "map")) {
        protocol_numbers(call, true);
    } else if (call_is(call, 2, "attrib")) {
        protocol_attribute(call);
    } else if (call_is(call, 2, "push")) {
        protocol_push(reply);
    } else if (call_is(call, 2, "true")) {
        reply_bool(reply, true);
    } else if (call_is(call, 2, "false")) {
        reply_bool(reply, false);
    } else if (call_is(call, 2, "verbatim")) {
        reply_verbatim(reply, "txt", args_text("This is a verbatim\nstring"));
    } else if (call_is(call, 2, "bignum")) {
        static const char big[] = "(1234567999999999999999999999999999999\r\n";
        if (reply->protocol == 3) {
            buffer_append(&reply->out, big, sizeof big - 1);
        } else {
            reply_text(reply, "1234567999999999999999999999999999999");
        }
    } else {
        reply_error(reply, "ERR Wrong protocol type name. Please use one of the following: "
                           "string|integer|double|null|array|set|map|attrib|push|verbatim|true|"
                           "false");
    }
}

/* Everything to tables, out of memory, and back: what a restart would read. */
void cmd_debug_reload(struct call *call)
{
    cmd_save(call);
}

void cmd_debug_object(struct call *call)
{
    struct entry entry;
    char line[160];
    if (!call_lookup(call, 2, &entry)) {
        return;
    }
    if (!entry.exists) {
        reply_error(call->reply, "ERR no such key");
        return;
    }
    snprintf(line, sizeof line,
             "Value at:0x0 refcount:1 encoding:raw serializedlength:%zu lru:0 lru_seconds_idle:0",
             entry.value.size);
    entry_release(&entry);
    reply_status(call->reply, line);
}
