/* command_acl.c -- ACL: users told and changed; and logging in. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "command/call.h"
#include "command/commands.h"

/* ---- logging in ---- */

static void become(struct client *client, struct acl_user *user)
{
    os_mutex_lock(&client->lock);
    struct acl_user *old = client->user;
    client->user = user;
    os_mutex_unlock(&client->lock);
    acl_user_unref(old);
    client->rules_version = 0;
    acl_refresh(client);
}

/* How long the client still has to wait for its address. */
static int64_t wait_ns(const struct client *client)
{
    struct command_server *server = client->server;
    return client->has_network
               ? backoff_wait_ns(&server->backoff, client->network, server_monotonic_ns(server))
               : 0;
}

bool command_login(struct client *client, struct yore_bytes user, struct yore_bytes password,
                   int64_t *wait_ns_out)
{
    struct command_server *server = client->server;
    struct acl_user *found = NULL;
    char id[ACL_SECRET_ID_BYTES];
    *wait_ns_out = wait_ns(client);
    bool must_wait = *wait_ns_out > 0;
    if (!acl_check_password(server, user, password, must_wait, &found, id)) {
        if (client->has_network && !must_wait) {
            backoff_note(&server->backoff, client->network, server_monotonic_ns(server));
        }
        struct acl_denial denial = {ACL_AUTH, bytes_of("AUTH", 4)};
        acl_note_denial(client, &denial, client_is(client, CLIENT_MULTI) ? "multi" : "toplevel",
                        user);
        return false;
    }
    become(client, found);
    memcpy(client->secret_id, id, sizeof(id));
    client_set(client, CLIENT_TRUSTED);
    return true;
}

void client_become_default(struct client *client)
{
    struct acl_user *user = client->server->acl.default_user;
    acl_user_ref(user);
    become(client, user);
    client->secret_id[0] = '\0';
    if (client->rules->is_on && client->rules->is_nopass) {
        client_set(client, CLIENT_TRUSTED);
    } else {
        client_unset(client, CLIENT_TRUSTED);
    }
}

void cmd_acl_whoami(struct call *call)
{
    reply_bulk(call->reply, bytes_of(call->client->user->name, call->client->user->name_size));
}

/* ---- telling ---- */

static void reply_buffer(struct call *call, struct buffer *text)
{
    if (text->is_nomem) {
        call_nomem(call);
    } else {
        reply_bulk(call->reply, buffer_bytes(text));
    }
    buffer_release(text);
}

static void each_user(struct call *call, bool with_rules)
{
    struct acl_user **users;
    size_t count;
    if (acl_users_list(&call->server->acl, &users, &count) != YORE_OK) {
        call_nomem(call);
        return;
    }
    reply_array(call->reply, count);
    for (size_t i = 0; i < count; i++) {
        struct buffer line = {0};
        if (with_rules) {
            struct acl_rules *rules = acl_user_rules(&call->server->acl, users[i]);
            acl_describe(users[i], rules, false, &line);
            acl_rules_unref(rules);
        } else {
            buffer_append(&line, users[i]->name, users[i]->name_size);
        }
        reply_buffer(call, &line);
        acl_user_unref(users[i]);
    }
    mem_free(users);
}

void cmd_acl_list(struct call *call)
{
    each_user(call, true);
}

void cmd_acl_users(struct call *call)
{
    each_user(call, false);
}

static void tell_selector(struct call *call, const struct acl_selector *selector)
{
    struct buffer text = {0};
    reply_text(call->reply, "commands");
    acl_describe_commands(selector, &text);
    reply_buffer(call, &text);
    reply_text(call->reply, "keys");
    acl_describe_keys(selector, &text);
    reply_buffer(call, &text);
    reply_text(call->reply, "channels");
    acl_describe_channels(selector, &text);
    reply_buffer(call, &text);
}

static void tell_history(struct call *call, const struct acl_rules *rules)
{
    char text[40] = "all";
    if (rules->history == ACL_HISTORY_NONE) {
        snprintf(text, sizeof text, "none");
    } else if (rules->history == ACL_HISTORY_LAST) {
        snprintf(text, sizeof text, "%lldns", (long long)rules->history_ns);
    }
    reply_text(call->reply, "history");
    reply_text(call->reply, text);
}

static void tell_rules(struct call *call, const struct acl_rules *rules)
{
    reply_map(call->reply, 7);
    reply_text(call->reply, "flags");
    reply_set(call->reply, 1u + (rules->is_nopass ? 1u : 0u));
    reply_text(call->reply, rules->is_on ? "on" : "off");
    if (rules->is_nopass) {
        reply_text(call->reply, "nopass");
    }
    reply_text(call->reply, "passwords");
    reply_array(call->reply, rules->secret_count);
    for (size_t i = 0; i < rules->secret_count; i++) {
        reply_text(call->reply, rules->secrets[i].id);
    }
    tell_selector(call, rules->selectors[0]);
    reply_text(call->reply, "selectors");
    reply_array(call->reply, rules->selector_count - 1);
    for (size_t i = 1; i < rules->selector_count; i++) {
        reply_map(call->reply, 3);
        tell_selector(call, rules->selectors[i]);
    }
    tell_history(call, rules);
}

void cmd_acl_getuser(struct call *call)
{
    struct acl_user *user = acl_user_get(&call->server->acl, call->args[2]);
    if (user == NULL) {
        reply_null(call->reply);
        return;
    }
    struct acl_rules *rules = acl_user_rules(&call->server->acl, user);
    tell_rules(call, rules);
    acl_rules_unref(rules);
    acl_user_unref(user);
}

void cmd_acl_cat(struct call *call)
{
    size_t count = 0;
    size_t rows_count;
    const struct command *rows = table_rows(&rows_count);
    if (call->count > 3) {
        reply_error(call->reply, "ERR unknown subcommand or wrong number of arguments for 'CAT'. "
                                 "Try ACL HELP.");
        return;
    }
    uint32_t category = call->count == 3 ? table_category(call->args[2]) : 0;
    if (call->count == 3 && category == 0) {
        reply_error(call->reply, "ERR Unknown category '%.*s'",
                    (int)(call->args[2].size < 64 ? call->args[2].size : 64),
                    (const char *)call->args[2].data);
        return;
    }
    size_t begun = reply_array_begin(call->reply);
    for (size_t i = 0; call->count == 2 && table_category_name(i) != NULL; i++) {
        reply_text(call->reply, table_category_name(i));
        count++;
    }
    for (size_t i = 0; call->count == 3 && i < rows_count; i++) {
        if ((table_categories(&rows[i]) & category) != 0 && (rows[i].flags & CF_CONTAINER) == 0) {
            reply_text(call->reply, rows[i].name);
            count++;
        }
    }
    reply_array_end(call->reply, begun, count);
}

/* ---- changing ---- */

void cmd_acl_setuser(struct call *call)
{
    struct yore_error error = {.text = ""};
    enum yore_status st =
        acl_user_change(call->server, call->args[2], call->args + 3, call->count - 3, &error);
    if (st != YORE_OK) {
        reply_error(call->reply, "ERR %s", error.text);
        return;
    }
    reply_status(call->reply, "OK");
}

void cmd_acl_deluser(struct call *call)
{
    int64_t count = 0;
    for (size_t i = 2; i < call->count; i++) {
        if (bytes_equal(call->args[i], bytes_of("default", 7))) {
            reply_error(call->reply, "ERR The 'default' user cannot be removed");
            return;
        }
    }
    for (size_t i = 2; i < call->count; i++) {
        bool is_own = bytes_equal(
            call->args[i], bytes_of(call->client->user->name, call->client->user->name_size));
        if (acl_user_delete(call->server, call->args[i])) {
            count++;
            call->must_close |= is_own;
        }
    }
    reply_int(call->reply, count);
}

static bool has_aclfile(struct call *call)
{
    if (call->server->options.aclfile == NULL) {
        reply_error(call->reply,
                    "ERR This Redis instance is not configured to use an ACL file. You may want "
                    "to specify users via the ACL SETUSER command and then issue a CONFIG REWRITE "
                    "(assuming you have a Redis configuration file set) in order to store users "
                    "in the Redis configuration.");
        return false;
    }
    return true;
}

void cmd_acl_load(struct call *call)
{
    struct yore_error error = {.text = ""};
    if (!has_aclfile(call)) {
        return;
    }
    if (acl_load(call->server, &error) != YORE_OK) {
        reply_error(call->reply, "ERR %s", error.text);
        return;
    }
    reply_status(call->reply, "OK");
}

void cmd_acl_save(struct call *call)
{
    struct yore_error error = {.text = ""};
    if (!has_aclfile(call)) {
        return;
    }
    if (acl_save(call->server, &error) != YORE_OK) {
        reply_error(call->reply, "ERR There was an error trying to save the ACLs. %s", error.text);
        return;
    }
    reply_status(call->reply, "OK");
}

void cmd_acl_genpass(struct call *call)
{
    char text[ACL_GENPASS_BITS_MAX / 4 + 17];
    int64_t bits = 256;
    if (call->count > 3) {
        reply_error(call->reply, "ERR wrong number of arguments for 'acl|genpass' command");
        return;
    }
    if (call->count == 3) {
        if (!call_int(call, 2, &bits)) {
            return;
        }
        if (bits <= 0 || bits > ACL_GENPASS_BITS_MAX) {
            reply_error(call->reply,
                        "ERR ACL GENPASS argument must be the number of bits for the "
                        "output password, a positive number up to %u",
                        ACL_GENPASS_BITS_MAX);
            return;
        }
    }
    size_t size = ((size_t)bits + 3) / 4;
    for (size_t i = 0; i < size; i += 16) {
        snprintf(text + i, 17, "%016llx", (unsigned long long)os_random_u64(call->server->env));
    }
    reply_bulk(call->reply, bytes_of(text, size));
}

/* ---- DRYRUN ---- */

static void tell_denial(struct call *call, const struct command *command,
                        const struct acl_denial *denial)
{
    char text[256];
    int size = (int)(denial->object.size < 128 ? denial->object.size : 128);
    const char *object = denial->object.data;
    switch (denial->reason) {
    case ACL_KEY:
        snprintf(text, sizeof text, "This user has no permissions to access the '%.*s' key", size,
                 object);
        break;
    case ACL_CHANNEL:
        snprintf(text, sizeof text, "This user has no permissions to access the '%.*s' channel",
                 size, object);
        break;
    case ACL_PAST:
        snprintf(text, sizeof text, "This user has no permissions to look at the past");
        break;
    default:
        snprintf(text, sizeof text, "This user has no permissions to run the '%s' command",
                 command->name);
        break;
    }
    reply_text(call->reply, text);
}

void cmd_acl_dryrun(struct call *call)
{
    struct acl_denial denial = {ACL_OK, {NULL, 0}};
    const struct yore_bytes *args = call->args + 3;
    size_t count = call->count - 3;
    struct acl_user *user = acl_user_get(&call->server->acl, call->args[2]);
    const struct command *command = table_lookup(args, count);
    if (user == NULL) {
        reply_error(call->reply, "ERR User '%.*s' not found",
                    (int)(call->args[2].size < 128 ? call->args[2].size : 128),
                    (const char *)call->args[2].data);
        return;
    }
    if (command == NULL) {
        reply_error(call->reply, "ERR Command '%.*s' not found",
                    (int)(args[0].size < 128 ? args[0].size : 128), (const char *)args[0].data);
    } else if (!table_arity_fits(command, count)) {
        reply_error(call->reply, "ERR wrong number of arguments for '%s' command", command->name);
    } else {
        struct acl_rules *rules = acl_user_rules(&call->server->acl, user);
        if (acl_rules_allow(rules, command, args, count, &denial)) {
            reply_status(call->reply, "OK");
        } else {
            tell_denial(call, command, &denial);
        }
        acl_rules_unref(rules);
    }
    acl_user_unref(user);
}

/* ---- LOG ---- */

static void tell_log(struct call *call, const struct acl_log_entry *entry, int64_t now_ms)
{
    static const char *const reasons[] = {"", "auth", "command", "key", "channel", "history"};
    reply_map(call->reply, 10);
    reply_text(call->reply, "count");
    reply_int(call->reply, (int64_t)entry->count);
    reply_text(call->reply, "reason");
    reply_text(call->reply, reasons[entry->reason]);
    reply_text(call->reply, "context");
    reply_text(call->reply, entry->context);
    reply_text(call->reply, "object");
    reply_text(call->reply, entry->object);
    reply_text(call->reply, "username");
    reply_text(call->reply, entry->user);
    reply_text(call->reply, "age-seconds");
    reply_double(call->reply, (double)(now_ms - entry->created_ms) / 1000);
    reply_text(call->reply, "client-info");
    reply_text(call->reply, entry->client);
    reply_text(call->reply, "entry-id");
    reply_int(call->reply, (int64_t)entry->id);
    reply_text(call->reply, "timestamp-created");
    reply_int(call->reply, entry->created_ms);
    reply_text(call->reply, "timestamp-last-updated");
    reply_int(call->reply, entry->updated_ms);
}

void cmd_acl_log(struct call *call)
{
    struct acl *acl = &call->server->acl;
    int64_t wanted = 10;
    if (call->count > 3) {
        call_syntax(call);
        return;
    }
    if (call->count == 3 && call_is(call, 2, "reset")) {
        acl_log_trim(acl, 0);
        reply_status(call->reply, "OK");
        return;
    }
    if (call->count == 3 && !call_int(call, 2, &wanted)) {
        return;
    }
    int64_t now_ms = os_wall_ns(call->server->env) / 1000000;
    os_mutex_lock(&acl->log_lock);
    size_t count = wanted < 0                          ? 0
                   : (uint64_t)wanted < acl->log_count ? (size_t)wanted
                                                       : acl->log_count;
    reply_array(call->reply, count);
    const struct acl_log_entry *entry = acl->log;
    for (size_t i = 0; i < count; i++, entry = entry->next) {
        tell_log(call, entry, now_ms);
    }
    os_mutex_unlock(&acl->log_lock);
}
