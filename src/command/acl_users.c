/* acl_users.c -- the table of users, and the file they are kept in. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "command/acl.h"
#include "command/args.h"
#include "command/server.h"
#include "os/env.h"
#include "os/replace.h"

/* ---- users ---- */

static struct acl_user *user_new(struct yore_bytes name, struct acl_rules *rules)
{
    struct acl_user *user = mem_alloc(sizeof *user + name.size);
    if (user != NULL) {
        *user = (struct acl_user){.name_size = name.size, .rules = rules};
        atomic_init(&user->refs, 1);
        user->name = (char *)(user + 1);
        memcpy(user->name, name.data, name.size);
    }
    return user;
}

void acl_user_ref(struct acl_user *user)
{
    atomic_fetch_add(&user->refs, 1);
}

void acl_user_unref(struct acl_user *user)
{
    if (user != NULL && atomic_fetch_sub(&user->refs, 1) == 1) {
        acl_rules_unref(user->rules);
        mem_free(user);
    }
}

struct acl_user *acl_user_get(struct acl *acl, struct yore_bytes name)
{
    os_mutex_lock(&acl->lock);
    struct acl_user *user = name_map_get(&acl->users, name);
    if (user != NULL) {
        acl_user_ref(user);
    }
    os_mutex_unlock(&acl->lock);
    return user;
}

struct acl_rules *acl_user_rules(struct acl *acl, struct acl_user *user)
{
    os_mutex_lock(&acl->lock);
    struct acl_rules *rules = user->rules;
    atomic_fetch_add(&rules->refs, 1);
    os_mutex_unlock(&acl->lock);
    return rules;
}

bool acl_allows_channels(struct command_server *server)
{
    return atomic_load(&server->acl.allows_channels);
}

enum yore_status acl_init(struct command_server *server, struct yore_error *error_out)
{
    struct acl *acl = &server->acl;
    struct acl_rules *rules = NULL;
    os_mutex_init(&acl->lock);
    os_mutex_init(&acl->log_lock);
    os_mutex_init(&acl->memory_lock);
    atomic_init(&acl->version, 1);
    atomic_init(&acl->hash_count, 1);
    atomic_init(&acl->log_max, ACL_LOG_DEFAULT);
    for (size_t i = 0; i < sizeof acl->key; i += 8) {
        uint64_t chance = os_random_u64(server->env);
        memcpy(acl->key + i, &chance, 8);
    }
    enum yore_status st = acl_rules_new(true, &rules);
    static const char *const all[] = {"on", "nopass", "allkeys", "allcommands"};
    for (size_t i = 0; st == YORE_OK && i < sizeof all / sizeof all[0]; i++) {
        st = acl_rules_apply(server, rules, args_text(all[i]), error_out);
    }
    if (st == YORE_OK) {
        acl->default_user = user_new(args_text("default"), rules);
        st = acl->default_user != NULL ? YORE_OK : YORE_NOMEM;
    }
    if (st == YORE_OK) {
        const struct acl_user *user = acl->default_user;
        st = name_map_put(&acl->users, bytes_of(user->name, user->name_size), acl->default_user);
    } else {
        acl_rules_unref(rules);
    }
    return st == YORE_NOMEM ? error_plain(error_out, st) : st;
}

void acl_release(struct acl *acl)
{
    size_t at = 0;
    struct acl_user *user;
    while ((user = name_map_next(&acl->users, &at)) != NULL) {
        acl_user_unref(user);
    }
    name_map_release(&acl->users);
    acl_rules_unref(acl->configured);
    acl_log_trim(acl, 0);
    os_mutex_release(&acl->lock);
    os_mutex_release(&acl->log_lock);
    os_mutex_release(&acl->memory_lock);
}

/* ---- changing ---- */

static bool is_name(struct yore_bytes name)
{
    const unsigned char *at = name.data;
    for (size_t i = 0; i < name.size; i++) {
        if (at[i] == '\0' || at[i] == ' ' || (at[i] >= '\t' && at[i] <= '\r')) {
            return false;
        }
    }
    return name.size > 0;
}

static enum yore_status apply_all(struct command_server *server, struct acl_rules *to,
                                  const struct yore_bytes *rules, size_t count,
                                  struct yore_error *error_out)
{
    struct buffer joined = {0};
    enum yore_status st = YORE_OK;
    for (size_t i = 0; i < count && st == YORE_OK;) {
        struct yore_error cause = {.text = ""};
        struct yore_bytes rule = rules[i];
        size_t used = 1;
        if (rule.size > 0 && *(const char *)rule.data == '(') {
            if (!acl_join_selector(rules + i, count - i, &used, &joined)) {
                st = error_set(error_out, YORE_INVALID,
                               "Unmatched parenthesis in acl selector starting at '%.*s'.",
                               (int)(rule.size < 128 ? rule.size : 128), (const char *)rule.data);
                break;
            }
            rule = buffer_bytes(&joined);
        }
        st = acl_rules_apply(server, to, rule, &cause);
        if (st != YORE_OK) {
            bool is_secret = rule.size > 0 && strchr("><#!$", *(const char *)rule.data) != NULL;
            error_set(error_out, st, "Error in ACL SETUSER modifier '%.*s': %s",
                      is_secret ? 1 : (int)(rule.size < 128 ? rule.size : 128),
                      (const char *)rule.data, cause.text);
        }
        i += used;
    }
    buffer_release(&joined);
    return st;
}

/* Until users are loaded anew it is no less than it was. */
static void note_hash_count(struct acl *acl, const struct acl_rules *rules)
{
    uint32_t count = (uint32_t)acl_rules_hash_count(rules);
    if (count > atomic_load(&acl->hash_count)) {
        atomic_store(&acl->hash_count, count);
    }
}

/* Put `rules` in place for the user `name`, made where it is missing; takes them on success. */
static enum yore_status publish(struct command_server *server, struct yore_bytes name,
                                struct acl_rules *rules)
{
    struct acl *acl = &server->acl;
    struct acl_rules *old = NULL;
    enum yore_status st = YORE_OK;
    os_mutex_lock(&acl->lock);
    struct acl_user *user = name_map_get(&acl->users, name);
    if (user != NULL) {
        old = user->rules;
        user->rules = rules;
    } else if (acl->users.count == ACL_USERS_MAX) {
        st = YORE_TOO_BIG;
    } else {
        user = user_new(name, rules);
        st = user != NULL ? name_map_put(&acl->users, bytes_of(user->name, user->name_size), user)
                          : YORE_NOMEM;
        if (st != YORE_OK) {
            mem_free(user);
        }
    }
    note_hash_count(acl, rules);
    atomic_fetch_add(&acl->version, 1);
    os_mutex_unlock(&acl->lock);
    acl_rules_unref(old);
    return st;
}

/* A copy of the rules of `name`, or those of a user just made. */
static enum yore_status rules_of(struct command_server *server, struct yore_bytes name,
                                 struct acl_rules **rules_out)
{
    struct acl_user *user = acl_user_get(&server->acl, name);
    if (user == NULL) {
        enum yore_status st = acl_rules_new(acl_allows_channels(server), rules_out);
        if (st == YORE_OK) {
            (*rules_out)->is_sanitizing = true;
        }
        return st;
    }
    struct acl_rules *rules = acl_user_rules(&server->acl, user);
    enum yore_status st = acl_rules_copy(rules, rules_out);
    acl_rules_unref(rules);
    acl_user_unref(user);
    return st;
}

/* Does it listen to something its rules allow no more? */
static bool has_lost_channel(const struct client *client, const struct acl_rules *rules)
{
    const struct subscriptions *lists[] = {&client->channels, &client->patterns, &client->shards};
    for (size_t kind = 0; kind < 3; kind++) {
        const struct subscription *at = lists[kind]->first;
        for (; at != NULL; at = at->next) {
            if (!acl_rules_allow_channel(rules, at->channel->name, kind == CHANNEL_PATTERN)) {
                return true;
            }
        }
    }
    return false;
}

/* After a change of the rules of the user `name` (NULL: of any): who listens to what they do not
 * allow any more is closed. */
static void close_listeners(struct command_server *server, const struct yore_bytes *name)
{
    const struct command_port *port = &server->options.port;
    struct acl *acl = &server->acl;
    os_mutex_lock(&acl->lock); /* rules stay */
    os_mutex_lock(&server->clients_lock);
    const struct acl_user *only = name != NULL ? name_map_get(&acl->users, *name) : NULL;
    for (struct client *at = server->clients; at != NULL; at = at->next) {
        os_mutex_lock(&at->lock);
        const struct acl_user *user = at->user;
        os_mutex_unlock(&at->lock);
        bool is_theirs = name == NULL || user == only;
        if (is_theirs && at->conn != NULL && client_is_subscribed(at)) {
            os_mutex_lock(&server->pubsub.lock);
            bool has_lost = has_lost_channel(at, user->rules);
            os_mutex_unlock(&server->pubsub.lock);
            if (has_lost) {
                port->close(port->arg, at->conn, true);
            }
        }
    }
    os_mutex_unlock(&server->clients_lock);
    os_mutex_unlock(&acl->lock);
}

static bool is_default(struct yore_bytes name)
{
    return bytes_equal(name, args_text("default"));
}

/* May "default" get these rules?  Not where nobody would have to log in any more and has to. */
static enum yore_status admit(const struct command_server *server, const struct acl_rules *rules,
                              struct yore_error *error_out)
{
    const struct command_port *port = &server->options.port;
    return acl_rules_admit(rules, "") && port->admit_all != NULL
               ? port->admit_all(port->arg, error_out)
               : YORE_OK;
}

enum yore_status acl_user_change(struct command_server *server, struct yore_bytes name,
                                 const struct yore_bytes *rules, size_t count,
                                 struct yore_error *error_out)
{
    struct acl_rules *changed = NULL;
    if (!is_name(name)) {
        return error_set(error_out, YORE_INVALID,
                         "Usernames can't contain spaces or null characters");
    }
    enum yore_status st = rules_of(server, name, &changed);
    if (st != YORE_OK) {
        return error_plain(error_out, st);
    }
    st = apply_all(server, changed, rules, count, error_out);
    if (st == YORE_OK && is_default(name)) {
        st = admit(server, changed, error_out);
    }
    if (st == YORE_OK) {
        st = publish(server, name, changed);
        if (st == YORE_TOO_BIG) {
            error_set(error_out, st, "There are %u users: no more are allowed", ACL_USERS_MAX);
        } else if (st != YORE_OK) {
            error_plain(error_out, st);
        }
    }
    if (st != YORE_OK) {
        acl_rules_unref(changed);
    } else {
        close_listeners(server, &name);
    }
    return st;
}

enum yore_status acl_configure_default(struct command_server *server,
                                       const struct yore_bytes *rules, size_t count,
                                       struct yore_error *error_out)
{
    struct acl *acl = &server->acl;
    enum yore_status st = acl_user_change(server, args_text("default"), rules, count, error_out);
    if (st == YORE_OK) {
        struct acl_rules *now = acl_user_rules(acl, acl->default_user);
        os_mutex_lock(&acl->lock);
        struct acl_rules *old = acl->configured;
        acl->configured = now;
        os_mutex_unlock(&acl->lock);
        acl_rules_unref(old);
    }
    return st;
}

/* Close the connections that act as `user`. */
static void close_clients(struct command_server *server, const struct acl_user *user)
{
    const struct command_port *port = &server->options.port;
    os_mutex_lock(&server->clients_lock);
    for (struct client *at = server->clients; at != NULL; at = at->next) {
        os_mutex_lock(&at->lock);
        bool is_theirs = at->user == user;
        os_mutex_unlock(&at->lock);
        if (is_theirs && at->conn != NULL) {
            port->close(port->arg, at->conn, true);
        }
    }
    os_mutex_unlock(&server->clients_lock);
}

bool acl_user_delete(struct command_server *server, struct yore_bytes name)
{
    struct acl *acl = &server->acl;
    os_mutex_lock(&acl->lock);
    struct acl_user *user = name_map_remove(&acl->users, name);
    if (user != NULL) {
        user->is_gone = true;
        atomic_fetch_add(&acl->version, 1);
    }
    os_mutex_unlock(&acl->lock);
    if (user != NULL) {
        close_clients(server, user);
        acl_user_unref(user);
    }
    return user != NULL;
}

static int order(const void *a, const void *b)
{
    const struct acl_user *const *x = a;
    const struct acl_user *const *y = b;
    return bytes_compare(bytes_of((*x)->name, (*x)->name_size),
                         bytes_of((*y)->name, (*y)->name_size));
}

enum yore_status acl_users_list(struct acl *acl, struct acl_user ***users_out, size_t *count_out)
{
    size_t count = 0;
    size_t at = 0;
    struct acl_user *user;
    os_mutex_lock(&acl->lock);
    struct acl_user **users = mem_array(acl->users.count, sizeof *users);
    while (users != NULL && (user = name_map_next(&acl->users, &at)) != NULL) {
        acl_user_ref(user);
        users[count++] = user;
    }
    os_mutex_unlock(&acl->lock);
    *users_out = users;
    *count_out = count;
    if (users == NULL) {
        return YORE_NOMEM;
    }
    qsort(users, count, sizeof *users, order);
    return YORE_OK;
}

/* ---- the aclfile ---- */

#define LINE_WORDS_MAX 4096

/* Words of one line: "user NAME rule ...". */
static size_t split(struct yore_bytes line, struct yore_bytes *words)
{
    const char *at = line.data;
    size_t count = 0;
    for (size_t i = 0; i < line.size && count < LINE_WORDS_MAX;) {
        size_t end = i;
        while (end < line.size && at[end] != ' ' && at[end] != '\t' && at[end] != '\r') {
            end++;
        }
        if (end > i) {
            words[count++] = bytes_of(at + i, end - i);
        }
        i = end + 1;
    }
    return count;
}

static enum yore_status load_line(struct command_server *loaded, struct yore_bytes *words,
                                  size_t count, struct yore_error *error_out)
{
    static const struct yore_bytes fresh = {"reset", 5};
    if (count < 2 || !bytes_equal(words[0], bytes_of("user", 4))) {
        return error_set(error_out, YORE_INVALID,
                         "line should start with user keyword followed by the username");
    }
    struct yore_bytes name = words[1];
    struct acl_user *user = acl_user_get(&loaded->acl, name);
    if (user != NULL && (!is_default(name) || user->is_gone)) {
        acl_user_unref(user);
        return error_set(error_out, YORE_INVALID,
                         "Duplicate user '%.*s' found. A user can only be defined once",
                         (int)(name.size < 128 ? name.size : 128), (const char *)name.data);
    }
    if (user != NULL) {
        user->is_gone = true; /* named once */
    }
    acl_user_unref(user);
    words[1] = fresh;
    return acl_user_change(loaded, name, words + 1, count - 1, error_out);
}

static enum yore_status load_text(struct command_server *loaded, struct yore_bytes text,
                                  const char *path, struct yore_error *error_out)
{
    struct yore_bytes *words = mem_array(LINE_WORDS_MAX, sizeof *words);
    enum yore_status st = words != NULL ? YORE_OK : error_plain(error_out, YORE_NOMEM);
    size_t line_number = 0;
    for (size_t at = 0; at < text.size && st == YORE_OK;) {
        struct yore_bytes rest = bytes_behind(text, at);
        const char *end = memchr(rest.data, '\n', rest.size);
        size_t size = end != NULL ? (size_t)(end - (const char *)rest.data) : rest.size;
        struct yore_error cause = {.text = ""};
        size_t count = split(bytes_of(rest.data, size), words);
        line_number++;
        at += size + 1;
        if (count == 0 || *(const char *)words[0].data == '#') {
            continue;
        }
        st = load_line(loaded, words, count, &cause);
        if (st != YORE_OK) {
            error_set(error_out, st, "%s:%zu: %s. WARNING: the users are as they were", path,
                      line_number, cause.text);
        }
    }
    mem_free(words);
    return st;
}

/* The passwords of "default" that the configuration gives it; NULL: it names none.  Referenced. */
static struct acl_rules *configured_rules(struct acl *acl)
{
    os_mutex_lock(&acl->lock);
    struct acl_rules *rules = acl->configured;
    if (rules != NULL) {
        atomic_fetch_add(&rules->refs, 1);
    }
    os_mutex_unlock(&acl->lock);
    return rules;
}

/* Begin `loaded` with those passwords, as they were hashed: who is logged in with one stays. */
static enum yore_status begin_default(struct command_server *loaded,
                                      const struct acl_rules *configured,
                                      struct yore_error *error_out)
{
    struct yore_bytes rules[2 + ACL_PASSWORDS_MAX];
    size_t count = 0;
    if (configured == NULL) {
        return YORE_OK;
    }
    rules[count++] = args_text("resetpass");
    for (size_t i = 0; i < configured->secret_count; i++) {
        rules[count++] = args_text(configured->secrets[i].encoded);
    }
    if (configured->is_nopass) {
        rules[count++] = args_text("nopass");
    }
    return acl_user_change(loaded, args_text("default"), rules, count, error_out);
}

/* Is what was loaded fit to take the place of what there is? */
static enum yore_status check_loaded(struct command_server *server, struct command_server *loaded,
                                     const struct acl_rules *configured,
                                     struct yore_error *error_out)
{
    const struct acl_rules *rules = loaded->acl.default_user->rules;
    bool needs_password = configured != NULL && configured->secret_count > 0;
    if (needs_password && acl_rules_admit(rules, "")) {
        return error_set(error_out, YORE_INVALID,
                         "%s lets default in without a password, and requirepass demands one: the "
                         "users are as they were",
                         server->options.aclfile);
    }
    return admit(server, rules, error_out);
}

/* What users are taken over into: those that stay, with their clients, and new ones. */
struct succession {
    struct name_map users;
    struct acl_user **gone;
    size_t gone_count;
};

/* REQUIRES(acl->lock).  YORE_NOMEM: nothing has changed. */
static enum yore_status prepare(struct acl *acl, struct acl *loaded, struct succession *next)
{
    const struct acl_user *from;
    struct acl_user *user;
    enum yore_status st = YORE_OK;
    next->gone = mem_array(acl->users.count, sizeof(*next->gone));
    st = next->gone != NULL ? YORE_OK : YORE_NOMEM;
    for (size_t at = 0; st == YORE_OK && (from = name_map_next(&loaded->users, &at)) != NULL;) {
        struct yore_bytes name = bytes_of(from->name, from->name_size);
        user = name_map_get(&acl->users, name);
        bool is_new = user == NULL;
        if (is_new) {
            atomic_fetch_add(&from->rules->refs, 1);
            user = user_new(name, from->rules);
            if (user == NULL) {
                acl_rules_unref(from->rules);
                return YORE_NOMEM;
            }
        }
        st = name_map_put(&next->users, bytes_of(user->name, user->name_size), user);
        if (st != YORE_OK && is_new) {
            acl_user_unref(user);
        }
    }
    for (size_t at = 0; st == YORE_OK && (user = name_map_next(&acl->users, &at)) != NULL;) {
        if (name_map_get(&next->users, bytes_of(user->name, user->name_size)) == NULL) {
            next->gone[next->gone_count++] = user;
        }
    }
    return st;
}

/* REQUIRES(acl->lock).  Rules change places: what goes is released with `loaded`. */
static void succeed(struct acl *acl, struct acl *loaded, struct succession *next)
{
    struct acl_user *from;
    for (size_t at = 0; (from = name_map_next(&loaded->users, &at)) != NULL;) {
        struct acl_user *user = name_map_get(&next->users, bytes_of(from->name, from->name_size));
        struct acl_rules *rules = user->rules;
        user->rules = from->rules;
        from->rules = rules;
    }
    for (size_t i = 0; i < next->gone_count; i++) {
        next->gone[i]->is_gone = true;
    }
    struct name_map old = acl->users;
    acl->users = next->users;
    next->users = old;
    atomic_store(&acl->hash_count, atomic_load(&loaded->hash_count));
    atomic_fetch_add(&acl->version, 1);
}

/* Let the server have the users of `loaded`, all at once: structs of users that stay are kept,
 * their clients with them. */
static enum yore_status take_over(struct command_server *server, struct command_server *loaded,
                                  struct yore_error *error_out)
{
    struct acl *acl = &server->acl;
    struct succession next = {.gone_count = 0};
    os_mutex_lock(&acl->lock);
    enum yore_status st = prepare(acl, &loaded->acl, &next);
    if (st == YORE_OK) {
        succeed(acl, &loaded->acl, &next);
    } else {
        struct acl_user *user;
        for (size_t at = 0; (user = name_map_next(&next.users, &at)) != NULL;) {
            struct yore_bytes name = bytes_of(user->name, user->name_size);
            if (name_map_get(&acl->users, name) == NULL) {
                acl_user_unref(user);
            }
        }
        next.gone_count = 0;
    }
    os_mutex_unlock(&acl->lock);
    for (size_t i = 0; i < next.gone_count; i++) {
        close_clients(server, next.gone[i]);
        acl_user_unref(next.gone[i]);
    }
    name_map_release(&next.users);
    mem_free(next.gone);
    if (st != YORE_OK) {
        return error_plain(error_out, st);
    }
    close_listeners(server, NULL);
    return YORE_OK;
}

static enum yore_status read_whole(struct os_env *env, const char *path, struct buffer *text,
                                   struct yore_error *error_out)
{
    struct os_file *file = NULL;
    uint64_t size = 0;
    size_t got = 0;
    enum yore_status st = os_file_open(env, path, OS_OPEN_READ, &file, error_out);
    if (st == YORE_OK) {
        st = os_file_size(file, &size, error_out);
    }
    if (st == YORE_OK && size > ACL_FILE_BYTES_MAX) {
        st = error_set(error_out, YORE_TOO_BIG, "%s has %llu bytes: at most %u are allowed", path,
                       (unsigned long long)size, ACL_FILE_BYTES_MAX);
    }
    if (st == YORE_OK && size > 0) {
        unsigned char *to = buffer_extend(text, (size_t)size);
        st = to != NULL ? os_file_read(file, 0, to, (size_t)size, &got, error_out)
                        : error_plain(error_out, YORE_NOMEM);
        text->size = got;
    }
    os_file_close(file);
    return st;
}

enum yore_status acl_load(struct command_server *server, struct yore_error *error_out)
{
    const char *path = server->options.aclfile;
    struct buffer text = {0};
    struct command_server *loaded = mem_zalloc(sizeof *loaded);
    if (loaded == NULL) {
        return error_plain(error_out, YORE_NOMEM);
    }
    loaded->env = server->env;
    os_mutex_init(&loaded->clients_lock);
    atomic_store(&loaded->acl.allows_channels, acl_allows_channels(server));
    enum yore_status st = read_whole(server->env, path, &text, error_out);
    if (st == YORE_OK) {
        struct acl_rules *configured = configured_rules(&server->acl);
        st = acl_init(loaded, error_out);
        if (st == YORE_OK) {
            st = begin_default(loaded, configured, error_out);
        }
        if (st == YORE_OK) {
            st = load_text(loaded, buffer_bytes(&text), path, error_out);
        }
        if (st == YORE_OK) {
            st = check_loaded(server, loaded, configured, error_out);
        }
        if (st == YORE_OK) {
            st = take_over(server, loaded, error_out);
        }
        acl_rules_unref(configured);
        acl_release(&loaded->acl);
    }
    os_mutex_release(&loaded->clients_lock);
    buffer_release(&text);
    mem_free(loaded);
    return st;
}

enum yore_status acl_save(struct command_server *server, struct yore_error *error_out)
{
    struct acl_user **users = NULL;
    struct buffer text = {0};
    size_t count = 0;
    enum yore_status st = acl_users_list(&server->acl, &users, &count);
    for (size_t i = 0; i < count; i++) {
        struct buffer line = {0};
        struct acl_rules *rules = acl_user_rules(&server->acl, users[i]);
        acl_describe(users[i], rules, true, &line);
        buffer_append_bytes(&text, buffer_bytes(&line));
        text.is_nomem |= line.is_nomem;
        buffer_append(&text, "\n", 1);
        buffer_release(&line);
        acl_rules_unref(rules);
        acl_user_unref(users[i]);
    }
    mem_free(users);
    st = st == YORE_OK ? buffer_status(&text) : st;
    st = st == YORE_OK
             ? os_file_replace(server->env, server->options.aclfile, buffer_bytes(&text), error_out)
             : error_plain(error_out, st);
    buffer_release(&text);
    return st;
}
