/* command_connection.c -- a connection about itself: who it is, what it speaks, where it stands. */
#include <string.h>

#include "command/call.h"
#include "command/commands.h"

void cmd_ping(struct call *call)
{
    bool is_listening =
        client_is_subscribed(call->client) && command_client_protocol(call->client) == 2;
    if (call->count > 2) {
        reply_error(call->reply, "ERR wrong number of arguments for 'ping' command");
    } else if (is_listening) {
        reply_array(call->reply, 2);
        reply_text(call->reply, "pong");
        reply_bulk(call->reply, call->count == 2 ? call->args[1] : bytes_of("", 0));
    } else if (call->count == 2) {
        reply_bulk(call->reply, call->args[1]);
    } else {
        reply_status(call->reply, "PONG");
    }
}

void cmd_echo(struct call *call)
{
    reply_bulk(call->reply, call->args[1]);
}

void cmd_select(struct call *call)
{
    int64_t number;
    if (!call_int(call, 1, &number)) {
        return;
    }
    if (number < 0 || number >= call->server->database_count) {
        reply_error(call->reply, "ERR DB index is out of range");
        return;
    }
    atomic_store(&call->client->database, (uint32_t)number);
    reply_status(call->reply, "OK");
}

void cmd_quit(struct call *call)
{
    reply_status(call->reply, "OK");
    client_set(call->client, CLIENT_CLOSING);
    call->must_close = true;
}

/* ---- logging in ---- */

static bool log_in(struct call *call, struct yore_bytes user, struct yore_bytes password)
{
    int64_t wait_ns = 0;
    if (command_login(call->client, user, password, &wait_ns)) {
        return true;
    }
    if (wait_ns > 0) {
        reply_error(call->reply,
                    "WRONGPASS too many wrong passwords have come from your address: none is "
                    "looked at for another %lld s",
                    (long long)(wait_ns / 1000000000 + 1));
    } else {
        reply_error(call->reply, "WRONGPASS invalid username-password pair or user is disabled.");
    }
    return false;
}

void cmd_auth(struct call *call)
{
    if (call->count > 3) {
        call_syntax(call);
        return;
    }
    if (call->count == 2 && !command_needs_login(call->server)) {
        reply_error(call->reply, "ERR AUTH <password> called without any password configured for "
                                 "the default user. Are you sure your configuration is correct?");
        return;
    }
    bool has_user = call->count == 3;
    if (log_in(call, has_user ? call->args[1] : bytes_of("default", 7),
               call->args[has_user ? 2 : 1])) {
        reply_status(call->reply, "OK");
    }
}

static bool is_plain_text(struct yore_bytes text)
{
    const unsigned char *at = text.data;
    for (size_t i = 0; i < text.size; i++) {
        if (at[i] < '!' || at[i] > '~') {
            return false;
        }
    }
    return text.size <= CLIENT_TEXT_BYTES_MAX;
}

static bool set_name(struct call *call, struct yore_bytes name)
{
    if (!is_plain_text(name)) {
        reply_error(call->reply,
                    "ERR Client names cannot contain spaces, newlines or special characters.");
        return false;
    }
    if (!client_set_text(call->client, &call->client->name, name)) {
        call_nomem(call);
        return false;
    }
    return true;
}

struct hello {
    int64_t protocol;
    bool has_login;
    struct yore_bytes user;
    struct yore_bytes password;
    bool has_name;
    struct yore_bytes name;
};

static bool take_hello(struct call *call, struct hello *hello)
{
    size_t at = 2;
    if (call->count >= 2) {
        if (!args_int(call->args[1], &hello->protocol)) {
            reply_error(call->reply, "ERR Protocol version is not an integer or out of range");
            return false;
        }
        if (hello->protocol != 2 && hello->protocol != 3) {
            reply_error(call->reply, "NOPROTO unsupported protocol version");
            return false;
        }
    }
    while (at < call->count) {
        size_t more = call->count - at - 1;
        if (call_is(call, at, "auth") && more >= 2) {
            hello->has_login = true;
            hello->user = call->args[at + 1];
            hello->password = call->args[at + 2];
            at += 3;
        } else if (call_is(call, at, "setname") && more >= 1) {
            hello->has_name = true;
            hello->name = call->args[at + 1];
            at += 2;
        } else {
            reply_error(call->reply, "ERR Syntax error in HELLO option '%.*s'",
                        (int)(call->args[at].size < 64 ? call->args[at].size : 64),
                        (const char *)call->args[at].data);
            return false;
        }
    }
    return true;
}

void cmd_hello(struct call *call)
{
    struct client *client = call->client;
    struct reply *reply = call->reply;
    struct hello hello = {.protocol = command_client_protocol(client)};
    if (!take_hello(call, &hello) ||
        (hello.has_login && !log_in(call, hello.user, hello.password))) {
        return;
    }
    if (!client_is(client, CLIENT_TRUSTED)) {
        reply_error(reply, "NOAUTH HELLO must be called with the client already authenticated, "
                           "otherwise the HELLO <proto> AUTH <user> <pass> option can be used to "
                           "authenticate the client and select the RESP protocol version at the "
                           "same time");
        return;
    }
    if (hello.has_name && !set_name(call, hello.name)) {
        return;
    }
    atomic_store(&client->protocol, (int)hello.protocol);
    reply->protocol = (int)hello.protocol;
    reply_map(reply, 7);
    reply_text(reply, "server");
    reply_text(reply, "redis");
    reply_text(reply, "version");
    reply_text(reply, SERVER_COMPATIBLE_VERSION);
    reply_text(reply, "proto");
    reply_int(reply, hello.protocol);
    reply_text(reply, "id");
    reply_int(reply, (int64_t)client->id);
    reply_text(reply, "mode");
    reply_text(reply, "standalone");
    reply_text(reply, "role");
    reply_text(reply, "master");
    reply_text(reply, "modules");
    reply_array(reply, 0);
}

void cmd_reset(struct call *call)
{
    struct client *client = call->client;
    client_reset(client);
    atomic_store(&client->protocol, 2);
    atomic_store(&client->database, 0);
    client_set_text(client, &client->name, bytes_of("", 0));
    client_become_default(client);
    call->reply->protocol = 2;
    reply_status(call->reply, "RESET");
}

/* ---- CLIENT, about itself ---- */

void cmd_client_id(struct call *call)
{
    reply_int(call->reply, (int64_t)call->client->id);
}

void cmd_client_info(struct call *call)
{
    struct buffer line = {0};
    client_note_request(call->client, call->args, call->count);
    client_describe(call->client, &line);
    buffer_append(&line, "\n", 1);
    if (line.is_nomem) {
        call_nomem(call);
    } else {
        reply_verbatim(call->reply, "txt", buffer_bytes(&line));
    }
    buffer_release(&line);
}

void cmd_client_setname(struct call *call)
{
    if (set_name(call, call->args[2])) {
        reply_status(call->reply, "OK");
    }
}

void cmd_client_getname(struct call *call)
{
    if (call->client->name == NULL) {
        reply_null(call->reply);
    } else {
        reply_text(call->reply, call->client->name);
    }
}

void cmd_client_setinfo(struct call *call)
{
    struct client *client = call->client;
    char **text = call_is(call, 2, "lib-name")  ? &client->library_name
                  : call_is(call, 2, "lib-ver") ? &client->library_version
                                                : NULL;
    if (text == NULL) {
        reply_error(call->reply, "ERR Unrecognized option '%.*s'",
                    (int)(call->args[2].size < 64 ? call->args[2].size : 64),
                    (const char *)call->args[2].data);
    } else if (!is_plain_text(call->args[3])) {
        reply_error(call->reply, "ERR %s cannot contain spaces, newlines or special characters.",
                    text == &client->library_name ? "lib-name" : "lib-ver");
    } else if (!client_set_text(client, text, call->args[3])) {
        call_nomem(call);
    } else {
        reply_status(call->reply, "OK");
    }
}

void cmd_client_reply(struct call *call)
{
    struct client *client = call->client;
    if (call_is(call, 2, "on")) {
        client_unset(client, CLIENT_REPLY_OFF | CLIENT_REPLY_SKIP | CLIENT_REPLY_SKIP_NEXT);
        reply_status(call->reply, "OK");
    } else if (call_is(call, 2, "off")) {
        client_set(client, CLIENT_REPLY_OFF);
    } else if (call_is(call, 2, "skip")) {
        if (!client_is(client, CLIENT_REPLY_OFF)) {
            client_set(client, CLIENT_REPLY_SKIP_NEXT);
        }
    } else {
        call_syntax(call);
    }
}

static void switch_flag(struct call *call, uint32_t flag)
{
    if (call_is(call, 2, "on")) {
        client_set(call->client, flag);
    } else if (call_is(call, 2, "off")) {
        client_unset(call->client, flag);
    } else {
        call_syntax(call);
        return;
    }
    reply_status(call->reply, "OK");
}

void cmd_client_no_evict(struct call *call)
{
    switch_flag(call, CLIENT_NO_EVICT);
}

void cmd_client_no_touch(struct call *call)
{
    switch_flag(call, CLIENT_NO_TOUCH);
}
