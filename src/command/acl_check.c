/* acl_check.c -- may this client do that? */
#include <string.h>

#include "base/mem.h"
#include "command/acl.h"
#include "command/args.h"
#include "command/glob.h"
#include "command/server.h"

#define KEYS_INLINE 64

/* Whatever it is asked, does this selector allow it? */
static bool is_selector_free(const struct acl_selector *selector)
{
    size_t count;
    table_rows(&count);
    bool is_free = selector->is_all_keys && selector->is_all_channels;
    for (size_t i = 0; i < count && is_free; i++) {
        is_free = (selector->commands[i / 64] & UINT64_C(1) << (i % 64)) != 0;
    }
    return is_free;
}

static bool is_free(const struct acl_rules *rules)
{
    bool is_any = false;
    for (size_t i = 0; i < rules->selector_count && !is_any; i++) {
        is_any = is_selector_free(rules->selectors[i]);
    }
    return is_any && rules->history == ACL_HISTORY_ALL;
}

void acl_refresh(struct client *client)
{
    struct acl *acl = &client->server->acl;
    uint64_t version = atomic_load_explicit(&acl->version, memory_order_acquire);
    if (client->rules_version == version && client->rules != NULL) {
        return;
    }
    struct acl_rules *rules = acl_user_rules(acl, client->user);
    acl_rules_unref(client->rules);
    client->rules = rules;
    client->rules_version = version;
    client->is_free = is_free(rules);
}

static bool has_command(const struct acl_selector *selector, const struct command *command)
{
    size_t index = table_index(command);
    return (selector->commands[index / 64] & UINT64_C(1) << (index % 64)) != 0;
}

static bool has_key(const struct acl_selector *selector, struct yore_bytes key, uint16_t access)
{
    /* One pattern has to grant all that is asked. */
    for (size_t i = 0; i < selector->keys.count && !selector->is_all_keys; i++) {
        const struct acl_pattern *at = &selector->keys.items[i];
        if ((at->access & access) == access && glob_match(bytes_of(at->text, at->size), key)) {
            return true;
        }
    }
    return selector->is_all_keys;
}

static bool has_channel(const struct acl_selector *selector, struct yore_bytes channel,
                        bool is_pattern)
{
    for (size_t i = 0; i < selector->channels.count && !selector->is_all_channels; i++) {
        struct yore_bytes text =
            bytes_of(selector->channels.items[i].text, selector->channels.items[i].size);
        if (is_pattern ? bytes_equal(text, channel) : glob_match(text, channel)) {
            return true;
        }
    }
    return selector->is_all_channels;
}

static bool has_every_key(const struct acl_selector *selector, uint16_t access)
{
    for (size_t i = 0; i < selector->keys.count && !selector->is_all_keys; i++) {
        const struct acl_pattern *at = &selector->keys.items[i];
        if ((at->access & access) == access &&
            bytes_equal(bytes_of(at->text, at->size), bytes_of("*", 1))) {
            return true;
        }
    }
    return selector->is_all_keys;
}

bool acl_rules_allow_key(const struct acl_rules *rules, const struct command *command,
                         struct yore_bytes key, uint16_t access)
{
    for (size_t i = 0; i < rules->selector_count; i++) {
        const struct acl_selector *selector = rules->selectors[i];
        if (has_command(selector, command) && has_key(selector, key, access)) {
            return true;
        }
    }
    return false;
}

bool acl_rules_allow_every_key(const struct acl_rules *rules, const struct command *command,
                               uint16_t access)
{
    for (size_t i = 0; i < rules->selector_count; i++) {
        const struct acl_selector *selector = rules->selectors[i];
        if (has_command(selector, command) && has_every_key(selector, access)) {
            return true;
        }
    }
    return false;
}

bool acl_rules_allow_channel(const struct acl_rules *rules, struct yore_bytes channel,
                             bool is_pattern)
{
    for (size_t i = 0; i < rules->selector_count; i++) {
        if (has_channel(rules->selectors[i], channel, is_pattern)) {
            return true;
        }
    }
    return false;
}

/* ---- one request ---- */

struct request {
    const struct command *command;
    const struct yore_bytes *args;
    size_t count;
    struct key_position *keys;
    size_t key_count;
};

/* Which arguments are channels: [first, last); patterns are asked for as such. */
static void channel_span(const struct request *request, size_t *first_out, size_t *last_out,
                         bool *is_pattern_out)
{
    const char *name = request->command->name;
    *first_out = 1;
    *last_out = 1;
    *is_pattern_out = false;
    if ((table_categories(request->command) & CC_PUBSUB) == 0) {
        return;
    }
    bool is_publish = strcmp(name, "publish") == 0 || strcmp(name, "spublish") == 0;
    bool is_subscribe = strcmp(name, "subscribe") == 0 || strcmp(name, "ssubscribe") == 0;
    *is_pattern_out = strcmp(name, "psubscribe") == 0;
    *last_out = is_publish ? 2 : is_subscribe || *is_pattern_out ? request->count : 1;
}

static enum acl_reason check_selector(const struct acl_selector *selector,
                                      const struct request *request, struct yore_bytes *object_out)
{
    size_t first;
    size_t last;
    bool is_pattern;
    if (!has_command(selector, request->command) && (request->command->flags & CF_NO_AUTH) == 0) {
        *object_out = args_text(request->command->name);
        return ACL_COMMAND;
    }
    for (size_t i = 0; i < request->key_count; i++) {
        struct yore_bytes key = request->args[request->keys[i].index];
        if (!has_key(selector, key, request->keys[i].access)) {
            *object_out = key;
            return ACL_KEY;
        }
    }
    channel_span(request, &first, &last, &is_pattern);
    for (size_t i = first; i < last; i++) {
        if (!has_channel(selector, request->args[i], is_pattern)) {
            *object_out = request->args[i];
            return ACL_CHANNEL;
        }
    }
    return ACL_OK;
}

static bool check_selectors(const struct acl_rules *rules, const struct request *request,
                            struct acl_denial *denial_out)
{
    enum acl_reason worst = ACL_OK;
    for (size_t i = 0; i < rules->selector_count; i++) {
        struct yore_bytes object = {NULL, 0};
        enum acl_reason reason = check_selector(rules->selectors[i], request, &object);
        if (reason == ACL_OK) {
            return true;
        }
        if (reason >= worst) { /* the one that got furthest says most */
            worst = reason;
            *denial_out = (struct acl_denial){reason, object};
        }
    }
    return false;
}

/* With the right `also` to each of its keys. */
static bool rules_allow(const struct acl_rules *rules, const struct request *asked, uint16_t also,
                        struct acl_denial *denial_out)
{
    const struct command *command = asked->command;
    const struct yore_bytes *args = asked->args;
    size_t count = asked->count;
    struct key_position keys[KEYS_INLINE] YORE_UNCLEARED;
    struct request request = {command, args, count, keys, 0};
    struct key_position *many = NULL;
    request.key_count = table_keys(command, args, count, keys, KEYS_INLINE);
    if (request.key_count > KEYS_INLINE && request.key_count != SIZE_MAX) {
        many = mem_array(request.key_count, sizeof *many);
        if (many == NULL) {
            *denial_out = (struct acl_denial){ACL_KEY, args[0]};
            return false;
        }
        request.keys = many;
        table_keys(command, args, count, many, request.key_count);
    }
    if (request.key_count == SIZE_MAX) {
        request.key_count = 0; /* nothing that could be a key: its handler refuses it */
    }
    for (size_t i = 0; i < request.key_count && also != 0; i++) {
        request.keys[i].access |= also;
    }
    bool is_allowed = check_selectors(rules, &request, denial_out);
    mem_free(many);
    if (is_allowed && (command->flags & CF_HISTORY) != 0 && rules->history == ACL_HISTORY_NONE) {
        *denial_out = (struct acl_denial){ACL_PAST, args_text(command->name)};
        return false;
    }
    return is_allowed;
}

bool acl_rules_allow(const struct acl_rules *rules, const struct command *command,
                     const struct yore_bytes *args, size_t count, struct acl_denial *denial_out)
{
    struct request request = {.command = command, .args = args, .count = count};
    return rules_allow(rules, &request, 0, denial_out);
}

bool acl_allows_graph(struct client *client, struct yore_bytes name, bool writes,
                      struct acl_denial *denial_out)
{
    const struct yore_bytes args[] = {args_text("graph.query"), name, {NULL, 0}};
    struct request request = {.args = args, .count = 3};
    acl_refresh(client);
    if (!writes) {
        request.command = table_find(args_text("graph.ro_query"));
        if (rules_allow(client->rules, &request, 0, denial_out)) {
            return true;
        }
    }
    request.command = table_find(args[0]);
    return rules_allow(client->rules, &request, writes ? KEY_WRITE : 0, denial_out);
}

bool acl_allows(struct client *client, const struct command *command, const struct yore_bytes *args,
                size_t count, struct acl_denial *denial_out)
{
    acl_refresh(client);
    return client->is_free || acl_rules_allow(client->rules, command, args, count, denial_out);
}

bool acl_rules_allow_moment(const struct acl_rules *rules, int64_t moment, int64_t now)
{
    if (moment == YORE_NOW || rules->history == ACL_HISTORY_ALL) {
        return true;
    }
    return rules->history == ACL_HISTORY_LAST && moment >= now - rules->history_ns;
}

bool acl_allows_moment(const struct client *client, int64_t moment, int64_t now)
{
    return acl_rules_allow_moment(client->rules, moment, now);
}

/* ---- ACL LOG ---- */

static char *copy_text(struct yore_bytes text)
{
    char *copy = mem_alloc(text.size + 1);
    if (copy != NULL) {
        memcpy(copy, text.size > 0 ? text.data : "", text.size);
        copy[text.size] = '\0';
    }
    return copy;
}

static void entry_free(struct acl_log_entry *entry)
{
    if (entry != NULL) {
        mem_free(entry->object);
        mem_free(entry->user);
        mem_free(entry->client);
        mem_free(entry);
    }
}

void acl_log_trim(struct acl *acl, size_t length)
{
    os_mutex_lock(&acl->log_lock);
    struct acl_log_entry **at = &acl->log;
    for (size_t i = 0; i < length && *at != NULL; i++) {
        at = &(*at)->next;
    }
    while (*at != NULL) {
        struct acl_log_entry *gone = *at;
        *at = gone->next;
        entry_free(gone);
        acl->log_count--;
    }
    os_mutex_unlock(&acl->log_lock);
}

static bool is_same(const struct acl_log_entry *a, const struct acl_log_entry *b)
{
    return a->reason == b->reason && a->context == b->context &&
           strcmp(a->object, b->object) == 0 && strcmp(a->user, b->user) == 0 &&
           b->created_ms - a->updated_ms < 60000;
}

/* A refusal like one of the last ten is counted there, and told first. */
static void note(struct acl *acl, struct acl_log_entry *entry)
{
    os_mutex_lock(&acl->log_lock);
    struct acl_log_entry **at = &acl->log;
    for (int i = 0; i < 10 && *at != NULL && !is_same(*at, entry); i++) {
        at = &(*at)->next;
    }
    if (*at != NULL && is_same(*at, entry)) {
        struct acl_log_entry *known = *at;
        *at = known->next;
        known->next = acl->log;
        acl->log = known;
        known->count++;
        known->updated_ms = entry->created_ms;
        char *client = known->client;
        known->client = entry->client;
        entry->client = client;
        entry_free(entry);
    } else {
        entry->id = acl->log_next++;
        entry->next = acl->log;
        acl->log = entry;
        acl->log_count++;
    }
    os_mutex_unlock(&acl->log_lock);
}

static void count_denial(struct command_server *server, enum acl_reason reason)
{
    _Atomic uint64_t *counters[] = {NULL,
                                    &server->stats.denied_login,
                                    &server->stats.denied_command,
                                    &server->stats.denied_key,
                                    &server->stats.denied_channel,
                                    &server->stats.denied_command};
    atomic_fetch_add(counters[reason], 1);
}

void acl_note_denial(struct client *client, const struct acl_denial *denial, const char *context,
                     struct yore_bytes user)
{
    struct command_server *server = client->server;
    struct buffer line = {0};
    struct acl_log_entry *entry = mem_zalloc(sizeof *entry);
    count_denial(server, denial->reason);
    if (entry == NULL) {
        return;
    }
    client_describe(client, &line);
    entry->reason = denial->reason;
    entry->context = context;
    entry->object = copy_text(denial->object);
    entry->user =
        copy_text(user.size > 0 ? user : bytes_of(client->user->name, client->user->name_size));
    entry->client = copy_text(buffer_bytes(&line));
    entry->count = 1;
    entry->created_ms = os_wall_ns(server->env) / 1000000;
    entry->updated_ms = entry->created_ms;
    buffer_release(&line);
    if (entry->object == NULL || entry->user == NULL || entry->client == NULL) {
        entry_free(entry);
        return;
    }
    note(&server->acl, entry);
    acl_log_trim(&server->acl, (size_t)atomic_load(&server->acl.log_max));
}
