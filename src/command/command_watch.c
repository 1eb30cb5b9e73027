/* command_watch.c -- YORE.WATCH: every commit that touches a range, pushed as it is made.
 *
 * Each watching client has a watch of the engine, which the tick asks without waiting; what it
 * tells is pushed, and a client that does not take it is closed by the port.  The position that
 * goes with every message lets it go on where it was. */
#include <string.h>

#include "command/call.h"
#include "command/commands.h"
#include "command/moments.h"
#include "command/multi.h"
#include "command/series.h"
#include "command/tick.h"

#define FEED_TICK_NS 5000000
#define FEED_COMMITS_MAX 1024 /* told to one client by one tick */

void feed_leave(struct client *client)
{
    struct command_server *server = client->server;
    if (client->feed == NULL) {
        return;
    }
    os_mutex_lock(&server->feed_lock);
    struct client **at = &server->feeds;
    while (*at != client) {
        at = &(*at)->next_feed;
    }
    *at = client->next_feed;
    client->next_feed = NULL;
    yore_watch_close(client->feed);
    client->feed = NULL;
    os_mutex_unlock(&server->feed_lock);
}

static const struct command *watch_command(void)
{
    return table_find(args_text("yore.watch"));
}

static bool may_see(const struct acl_rules *rules, const struct yore_feed_write *write)
{
    return acl_rules_allow_key(rules, watch_command(), write->key, KEY_READ);
}

static size_t count_visible(const struct acl_rules *rules, const struct yore_feed_commit *commit)
{
    size_t count = 0;
    for (size_t i = 0; i < commit->write_count; i++) {
        count += may_see(rules, &commit->writes[i]) ? 1 : 0;
    }
    return count;
}

static void tell_write(struct reply *reply, const struct acl_rules *rules,
                       const struct yore_feed_write *write)
{
    static const char *const kinds[] = {"", "put", "delete", "erased"};
    reply_map(reply, 5);
    reply_text(reply, "kind");
    reply_text(reply, kinds[write->kind]);
    reply_text(reply, "key");
    reply_bulk(reply, write->key);
    reply_text(reply, "value");
    if (write->kind == YORE_KIND_PUT && !series_is_hidden(rules, watch_command(), write->value)) {
        reply_bulk(reply, write->value);
    } else {
        reply_null(reply);
    }
    reply_text(reply, "from");
    moments_reply(reply, write->valid_from);
    reply_text(reply, "to");
    moments_reply(reply, write->valid_to);
}

static void push_commit(struct client *client, const struct acl_rules *rules,
                        const struct yore_feed_commit *commit)
{
    const struct command_port *port = &client->server->options.port;
    struct reply reply;
    size_t count = count_visible(rules, commit);
    if (count == 0 && !client->feed_is_begun) {
        return;
    }
    client->feed_is_begun = commit->has_more;
    reply_init(&reply, 3);
    reply_push(&reply, 4);
    reply_text(&reply, "yore.commit");
    reply_int(&reply, commit->commit);
    reply_bool(&reply, commit->has_more);
    reply_array(&reply, count);
    for (size_t i = 0; i < commit->write_count; i++) {
        if (may_see(rules, &commit->writes[i])) {
            tell_write(&reply, rules, &commit->writes[i]);
        }
    }
    if (reply.out.is_nomem) {
        port->close(port->arg, client->conn, false);
    } else {
        port->push(port->arg, client->conn, buffer_bytes(&reply.out));
    }
    reply_release(&reply);
}

/* The watch has ended: say why, once, and let the client go. */
static void push_end(struct client *client, const struct yore_error *error)
{
    const struct command_port *port = &client->server->options.port;
    struct reply reply;
    reply_init(&reply, 3);
    reply_push(&reply, 3);
    reply_text(&reply, "yore.end");
    reply_int(&reply, yore_watch_position(client->feed));
    reply_text(&reply, error->text);
    if (!reply.out.is_nomem) {
        port->push(port->arg, client->conn, buffer_bytes(&reply.out));
    }
    port->close(port->arg, client->conn, true);
    client->feed_is_over = true;
    reply_release(&reply);
}

/* May its user still watch?  Rules may have changed since. */
static bool may_watch(const struct acl_rules *rules)
{
    const struct yore_bytes args[] = {args_text("yore.watch")};
    struct acl_denial denial;
    return acl_rules_allow(rules, table_find(args[0]), args, 1, &denial);
}

/* True: there may be more at once. */
static bool serve(struct client *client)
{
    struct command_server *server = client->server;
    struct acl_rules *rules = acl_user_rules(&server->acl, client->user);
    struct yore_feed_commit commit;
    struct yore_error error = {.text = ""};
    enum yore_status st = YORE_OK;
    size_t count = 0;
    if (client_is(client, CLIENT_TIED) && !acl_rules_admit(rules, client->secret_id)) {
        st = error_set(&error, YORE_INVALID, "the login does not hold any more");
    } else if (!may_watch(rules)) {
        st = error_set(&error, YORE_INVALID, "this user may not watch any more");
    }
    while (st == YORE_OK && count < FEED_COMMITS_MAX &&
           (st = yore_watch_next(client->feed, 0, &commit, &error)) == YORE_OK) {
        if (acl_rules_allow_moment(rules, commit.commit, yore_now(server->db))) {
            push_commit(client, rules, &commit);
        } else {
            st = error_set(&error, YORE_INVALID, "this user may not look at that moment any more");
        }
        count++;
    }
    if (st != YORE_OK && st != YORE_NOT_FOUND) {
        push_end(client, &error);
    }
    acl_rules_unref(rules);
    return st == YORE_OK;
}

int64_t tick_feeds(struct command_server *server)
{
    bool has_more = false;
    os_mutex_lock(&server->feed_lock);
    bool has_feeds = server->feeds != NULL;
    for (struct client *at = server->feeds; at != NULL; at = at->next_feed) {
        has_more |= !at->feed_is_over && serve(at);
    }
    os_mutex_unlock(&server->feed_lock);
    return has_more ? 0 : has_feeds ? FEED_TICK_NS : INT64_MAX;
}

/* ---- the command ---- */

static bool take_watch(struct call *call, struct yore_watch_options *options)
{
    for (size_t i = 1; i < call->count; i++) {
        if (call_is(call, i, "prefix") && i + 1 < call->count) {
            options->range.prefix = call->args[++i];
        } else if (call_is(call, i, "after") && i + 1 < call->count) {
            if (!moments_take_commit(call, ++i, &options->after_commit)) {
                return false;
            }
        } else {
            call_syntax(call);
            return false;
        }
    }
    return true;
}

void cmd_yore_watch(struct call *call)
{
    struct client *client = call->client;
    struct command_server *server = call->server;
    struct yore_error error = {.text = ""};
    struct yore_watch_options options = {.after_commit = YORE_NOW};
    struct yore_watch *watch = NULL;
    if (command_client_protocol(client) != 3 || client->conn == NULL) {
        reply_error(call->reply, "ERR YORE.WATCH pushes: say HELLO 3 first");
        return;
    }
    if (!take_watch(call, &options)) {
        return;
    }
    feed_leave(client);
    enum yore_status st =
        access_make_keyspace(call->access, call_database(call), &options.keyspace, &error);
    if (st == YORE_OK) {
        st = yore_watch_open(server->db, &options, &watch, &error);
    }
    if (st != YORE_OK) {
        call_fail(call, st, &error);
        return;
    }
    reply_int(call->reply, yore_watch_position(watch));
    os_mutex_lock(&server->feed_lock);
    client->feed = watch;
    client->feed_is_begun = false;
    client->feed_is_over = false;
    client->next_feed = server->feeds;
    server->feeds = client;
    os_mutex_unlock(&server->feed_lock);
}

void cmd_yore_unwatch(struct call *call)
{
    feed_leave(call->client);
    reply_status(call->reply, "OK");
}
