/* settings.c -- named settings: this layer's own, and those the server brings. */
#include "command/settings.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/nearest.h"
#include "command/args.h"
#include "command/event.h"
#include "command/server.h"

/* ---- kinds of values ---- */

static void get_number(int64_t number, struct buffer *out)
{
    char text[ARGS_INT_BYTES];
    buffer_append(out, text, args_int_text(number, text));
}

static enum yore_status take_number(struct yore_bytes value, int64_t low, int64_t high,
                                    int64_t *number_out, struct yore_error *error_out)
{
    int64_t number;
    if (!args_int(value, &number)) {
        return error_set(error_out, YORE_INVALID, "argument couldn't be parsed into an integer");
    }
    if (number < low || number > high) {
        return error_set(error_out, YORE_INVALID,
                         "argument must be between %lld and %lld inclusive", (long long)low,
                         (long long)high);
    }
    *number_out = number;
    return YORE_OK;
}

/* ---- this layer's ---- */

static void slow_threshold_get(void *arg, struct buffer *out)
{
    get_number(atomic_load(&((struct command_server *)arg)->slowlog.threshold_us), out);
}

static enum yore_status slow_threshold_set(void *arg, struct yore_bytes value,
                                           struct yore_error *error_out)
{
    struct command_server *server = arg;
    int64_t number;
    enum yore_status st = take_number(value, -1, INT64_MAX, &number, error_out);
    if (st == YORE_OK) {
        atomic_store(&server->slowlog.threshold_us, number);
    }
    return st;
}

static void slow_length_get(void *arg, struct buffer *out)
{
    get_number(atomic_load(&((struct command_server *)arg)->slowlog.length_max), out);
}

static enum yore_status slow_length_set(void *arg, struct yore_bytes value,
                                        struct yore_error *error_out)
{
    struct command_server *server = arg;
    int64_t number;
    enum yore_status st = take_number(value, 0, SLOWLOG_LENGTH_MAX, &number, error_out);
    if (st == YORE_OK) {
        atomic_store(&server->slowlog.length_max, number);
        slowlog_trim(&server->slowlog, (size_t)number);
    }
    return st;
}

static void latency_threshold_get(void *arg, struct buffer *out)
{
    get_number(atomic_load(&((struct command_server *)arg)->latency.threshold_ms), out);
}

static enum yore_status latency_threshold_set(void *arg, struct yore_bytes value,
                                              struct yore_error *error_out)
{
    struct command_server *server = arg;
    int64_t number;
    enum yore_status st = take_number(value, 0, INT64_MAX, &number, error_out);
    if (st == YORE_OK) {
        atomic_store(&server->latency.threshold_ms, number);
    }
    return st;
}

static void notify_get(void *arg, struct buffer *out)
{
    event_format(atomic_load(&((struct command_server *)arg)->notify), out);
}

static enum yore_status notify_set(void *arg, struct yore_bytes value, struct yore_error *error_out)
{
    struct command_server *server = arg;
    uint32_t classes;
    if (!event_parse(value, &classes)) {
        return error_set(error_out, YORE_INVALID,
                         "Invalid event class character. Use 'Ag$lshzxeKEtmdn'.");
    }
    atomic_store(&server->notify, classes);
    return YORE_OK;
}

static void query_time_get(void *arg, struct buffer *out)
{
    get_number(atomic_load(&((struct command_server *)arg)->query_time_ms), out);
}

static enum yore_status query_time_set(void *arg, struct yore_bytes value,
                                       struct yore_error *error_out)
{
    struct command_server *server = arg;
    int64_t number;
    enum yore_status st = take_number(value, 1, GRAPH_QUERY_TIME_MS_MAX, &number, error_out);
    if (st == YORE_OK) {
        atomic_store(&server->query_time_ms, number);
    }
    return st;
}

static void query_memory_get(void *arg, struct buffer *out)
{
    get_number(atomic_load(&((struct command_server *)arg)->query_memory_bytes), out);
}

static enum yore_status query_memory_set(void *arg, struct yore_bytes value,
                                         struct yore_error *error_out)
{
    struct command_server *server = arg;
    int64_t number;
    enum yore_status st =
        take_number(value, 1 << 20, GRAPH_QUERY_MEMORY_BYTES_MAX, &number, error_out);
    if (st == YORE_OK) {
        atomic_store(&server->query_memory_bytes, number);
    }
    return st;
}

static void acllog_get(void *arg, struct buffer *out)
{
    get_number(atomic_load(&((struct command_server *)arg)->acl.log_max), out);
}

static enum yore_status acllog_set(void *arg, struct yore_bytes value, struct yore_error *error_out)
{
    struct command_server *server = arg;
    int64_t number;
    enum yore_status st = take_number(value, 0, ACL_LOG_MAX, &number, error_out);
    if (st == YORE_OK) {
        atomic_store(&server->acl.log_max, number);
        acl_log_trim(&server->acl, (size_t)number);
    }
    return st;
}

static void channels_get(void *arg, struct buffer *out)
{
    bool allows = acl_allows_channels(arg);
    const char *text = allows ? "allchannels" : "resetchannels";
    buffer_append(out, text, strlen(text));
}

static enum yore_status channels_set(void *arg, struct yore_bytes value,
                                     struct yore_error *error_out)
{
    struct command_server *server = arg;
    bool is_all = args_is(value, "allchannels");
    if (!is_all && !args_is(value, "resetchannels")) {
        return error_set(error_out, YORE_INVALID,
                         "argument(s) must be one of the following: allchannels, resetchannels");
    }
    atomic_store(&server->acl.allows_channels, is_all);
    return YORE_OK;
}

static void aclfile_get(void *arg, struct buffer *out)
{
    const char *path = ((struct command_server *)arg)->options.aclfile;
    buffer_append(out, path, path != NULL ? strlen(path) : 0);
}

static void databases_get(void *arg, struct buffer *out)
{
    get_number(((struct command_server *)arg)->database_count, out);
}

static void dir_get(void *arg, struct buffer *out)
{
    const char *path = ((struct command_server *)arg)->options.path;
    buffer_append(out, path, path != NULL ? strlen(path) : 0);
}

/* What a password's hash begins with, here as in a line of the aclfile. */
static const char hash_begin[] = "$argon2id$";

/* The password of the user "default", as older clients and files set it; never told. */
static void requirepass_get(void *arg, struct buffer *out)
{
    struct command_server *server = arg;
    struct acl_rules *rules = acl_user_rules(&server->acl, server->acl.default_user);
    bool has_password = rules->secret_count > 0;
    acl_rules_unref(rules);
    buffer_append(out, "(set)", has_password ? 5 : 0);
}

/* The hashes of its passwords, or nothing where it needs none; where no password fits, what hashes
 * begin with and no hash. */
static void requirepass_keep(void *arg, struct buffer *out)
{
    struct command_server *server = arg;
    struct acl_rules *rules = acl_user_rules(&server->acl, server->acl.default_user);
    for (size_t i = 0; i < rules->secret_count; i++) {
        buffer_append(out, " ", i > 0 ? 1 : 0);
        buffer_append(out, rules->secrets[i].encoded, strlen(rules->secrets[i].encoded));
    }
    if (rules->secret_count == 0 && !rules->is_nopass) {
        buffer_append(out, hash_begin, strlen(hash_begin));
    }
    acl_rules_unref(rules);
}

static enum yore_status hashes_set(struct command_server *server, struct yore_bytes value,
                                   struct yore_error *error_out)
{
    struct yore_bytes rules[1 + ACL_PASSWORDS_MAX] = {args_text("resetpass")};
    size_t count = 1;
    while (value.size > strlen(hash_begin)) {
        const char *blank = memchr(value.data, ' ', value.size);
        size_t size = blank != NULL ? (size_t)(blank - (const char *)value.data) : value.size;
        if (count == 1 + ACL_PASSWORDS_MAX) {
            return error_set(error_out, YORE_TOO_BIG, "a user has at most %u passwords",
                             ACL_PASSWORDS_MAX);
        }
        rules[count++] = bytes_of(value.data, size);
        value = bytes_behind(value, size < value.size ? size + 1 : size);
    }
    return acl_configure_default(server, rules, count, error_out);
}

static enum yore_status requirepass_set(void *arg, struct yore_bytes value,
                                        struct yore_error *error_out)
{
    struct command_server *server = arg;
    if (bytes_starts_with(value, args_text(hash_begin))) {
        return hashes_set(server, value, error_out);
    }
    struct buffer rule = {0};
    buffer_append(&rule, ">", 1);
    buffer_append_bytes(&rule, value);
    if (rule.is_nomem) {
        return error_plain(error_out, YORE_NOMEM);
    }
    const struct yore_bytes rules[2] = {
        args_text("resetpass"), value.size == 0 ? args_text("nopass") : buffer_bytes(&rule)};
    enum yore_status st = acl_configure_default(server, rules, 2, error_out);
    buffer_release(&rule);
    return st;
}

/* What clients ask for, and what the answer is here. */
static void save_get(void *arg, struct buffer *out)
{
    (void)arg;
    buffer_append(out, "", 0);
}

static void appendonly_get(void *arg, struct buffer *out)
{
    (void)arg;
    buffer_append(out, "yes", 3);
}

static void appendfsync_get(void *arg, struct buffer *out)
{
    static const char *const words[] = {"always", "always", "everysec", "no"};
    const char *word = words[((struct command_server *)arg)->options.durability & 3];
    buffer_append(out, word, strlen(word));
}

static void maxmemory_get(void *arg, struct buffer *out)
{
    (void)arg;
    buffer_append(out, "0", 1);
}

static void maxmemory_policy_get(void *arg, struct buffer *out)
{
    (void)arg;
    buffer_append(out, "noeviction", 10);
}

static void bulk_max_get(void *arg, struct buffer *out)
{
    (void)arg;
    get_number(REQUEST_BULK_BYTES_MAX, out);
}

static const struct command_setting own[] = {
    {.name = "slowlog-log-slower-than", .get = slow_threshold_get, .set = slow_threshold_set},
    {.name = "slowlog-max-len", .get = slow_length_get, .set = slow_length_set},
    {.name = "latency-monitor-threshold",
     .get = latency_threshold_get,
     .set = latency_threshold_set},
    {.name = "notify-keyspace-events", .get = notify_get, .set = notify_set},
    {.name = "graph-query-timeout", .get = query_time_get, .set = query_time_set},
    {.name = "graph-query-memory", .get = query_memory_get, .set = query_memory_set},
    {.name = "acllog-max-len", .get = acllog_get, .set = acllog_set},
    {.name = "acl-pubsub-default", .get = channels_get, .set = channels_set},
    {.name = "aclfile", .get = aclfile_get},
    {.name = "databases", .get = databases_get},
    {.name = "dir", .get = dir_get},
    {.name = "requirepass",
     .get = requirepass_get,
     .keep = requirepass_keep,
     .set = requirepass_set,
     .is_secret = true},
    {.name = "save", .get = save_get},
    {.name = "appendonly", .get = appendonly_get},
    {.name = "appendfsync", .get = appendfsync_get},
    {.name = "maxmemory", .get = maxmemory_get},
    {.name = "maxmemory-policy", .get = maxmemory_policy_get},
    {.name = "proto-max-bulk-len", .get = bulk_max_get}};

const char *command_setting_name(size_t index)
{
    return index < sizeof own / sizeof own[0] ? own[index].name : NULL;
}

/* ---- the table ---- */

/* A setting as the table holds it: the server's, or this layer's with the server for `arg`. */
struct held_setting {
    struct command_setting setting;
    bool is_alias;
};

static enum yore_status hold(struct command_server *server, const struct command_setting *setting,
                             const char *name, void *arg, struct yore_error *error_out)
{
    struct yore_bytes key = args_text(name);
    if (name_map_get(&server->settings, key) != NULL) {
        return error_set(error_out, YORE_EXISTS, "there are two settings called %s", name);
    }
    struct held_setting *held = mem_alloc(sizeof *held);
    if (held == NULL) {
        return error_plain(error_out, YORE_NOMEM);
    }
    *held = (struct held_setting){*setting, name != setting->name};
    held->setting.arg = arg;
    enum yore_status st = name_map_put(&server->settings, key, held);
    if (st != YORE_OK) {
        mem_free(held);
        return error_plain(error_out, st);
    }
    return YORE_OK;
}

enum yore_status settings_init(struct command_server *server, struct yore_error *error_out)
{
    enum yore_status st = YORE_OK;
    for (size_t i = 0; i < sizeof own / sizeof own[0] && st == YORE_OK; i++) {
        st = hold(server, &own[i], own[i].name, server, error_out);
    }
    return st;
}

void settings_release(struct command_server *server)
{
    size_t at = 0;
    void *held;
    while ((held = name_map_next(&server->settings, &at)) != NULL) {
        mem_free(held);
    }
    name_map_release(&server->settings);
}

enum yore_status command_settings_add(struct command_server *server,
                                      const struct command_setting *settings, size_t count,
                                      struct yore_error *error_out)
{
    enum yore_status st = YORE_OK;
    os_mutex_lock(&server->settings_lock);
    for (size_t i = 0; i < count && st == YORE_OK; i++) {
        st = hold(server, &settings[i], settings[i].name, settings[i].arg, error_out);
        if (st == YORE_OK && settings[i].alias != NULL) {
            st = hold(server, &settings[i], settings[i].alias, settings[i].arg, error_out);
        }
    }
    os_mutex_unlock(&server->settings_lock);
    return st;
}

/* A name in lower case; empty where it is too long for one. */
static struct yore_bytes lower_name(struct yore_bytes name, char lower[SETTING_NAME_BYTES_MAX])
{
    size_t size = name.size < SETTING_NAME_BYTES_MAX ? name.size : 0;
    for (size_t i = 0; i < size; i++) {
        char c = ((const char *)name.data)[i];
        lower[i] = c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
    }
    lower[size] = '\0';
    return bytes_of(lower, size);
}

/* NULL: there is none of the name. */
static const struct command_setting *find(struct command_server *server, struct yore_bytes name)
{
    char lower[SETTING_NAME_BYTES_MAX];
    const struct held_setting *held = name_map_get(&server->settings, lower_name(name, lower));
    return held != NULL ? &held->setting : NULL;
}

static int order(const void *a, const void *b)
{
    const struct command_setting *const *x = a;
    const struct command_setting *const *y = b;
    return strcmp((*x)->name, (*y)->name);
}

static size_t sorted_settings(struct command_server *server,
                              const struct command_setting *sorted[SETTINGS_MAX])
{
    const struct held_setting *held;
    size_t count = 0;
    size_t at = 0;
    while (count < SETTINGS_MAX && (held = name_map_next(&server->settings, &at)) != NULL) {
        if (!held->is_alias) {
            sorted[count++] = &held->setting;
        }
    }
    qsort(sorted, count, sizeof sorted[0], order);
    return count;
}

static const char *name_at(const void *arg, size_t index)
{
    const struct command_setting *const *sorted = arg;
    return sorted[index]->name;
}

static void refuse_unknown(struct command_server *server, struct yore_bytes name,
                           struct yore_error *error_out)
{
    const struct command_setting *sorted[SETTINGS_MAX];
    char lower[SETTING_NAME_BYTES_MAX];
    size_t count = sorted_settings(server, sorted);
    lower_name(name, lower);
    const char *near = nearest_word(lower, name_at, sorted, count);
    error_set(error_out, YORE_NOT_FOUND,
              "Unknown option or number of arguments for CONFIG SET - '%.*s'%s%s%s",
              (int)(name.size < SETTING_NAME_BYTES_MAX ? name.size : SETTING_NAME_BYTES_MAX),
              (const char *)name.data, near != NULL ? "; did you mean " : "",
              near != NULL ? near : "", near != NULL ? "?" : "");
}

bool settings_is_secret(struct command_server *server, struct yore_bytes name)
{
    os_mutex_lock(&server->settings_lock);
    const struct command_setting *setting = find(server, name);
    bool is_secret = setting == NULL || setting->is_secret;
    os_mutex_unlock(&server->settings_lock);
    return is_secret;
}

static enum yore_status get(struct command_server *server, struct yore_bytes name, bool is_kept,
                            struct buffer *value, struct yore_error *error_out)
{
    os_mutex_lock(&server->settings_lock);
    const struct command_setting *setting = find(server, name);
    if (setting == NULL) {
        refuse_unknown(server, name, error_out);
    } else if (is_kept && setting->keep != NULL) {
        setting->keep(setting->arg, value);
    } else {
        setting->get(setting->arg, value);
    }
    os_mutex_unlock(&server->settings_lock);
    return setting == NULL   ? YORE_NOT_FOUND
           : value->is_nomem ? error_plain(error_out, YORE_NOMEM)
                             : YORE_OK;
}

enum yore_status command_setting_get(struct command_server *server, struct yore_bytes name,
                                     struct buffer *value, struct yore_error *error_out)
{
    return get(server, name, false, value, error_out);
}

enum yore_status command_setting_keep(struct command_server *server, struct yore_bytes name,
                                      struct buffer *value, struct yore_error *error_out)
{
    return get(server, name, true, value, error_out);
}

enum yore_status command_setting_set(struct command_server *server, struct yore_bytes name,
                                     struct yore_bytes value, struct yore_error *error_out)
{
    enum yore_status st = YORE_NOT_FOUND;
    os_mutex_lock(&server->settings_lock);
    const struct command_setting *setting = find(server, name);
    if (setting == NULL) {
        refuse_unknown(server, name, error_out);
    } else if (setting->set == NULL) {
        st = error_set(error_out, YORE_READ_ONLY, "can't set immutable config");
    } else {
        st = setting->set(setting->arg, value, error_out);
    }
    os_mutex_unlock(&server->settings_lock);
    return st;
}

void command_settings_walk(struct command_server *server,
                           void (*each)(void *arg, const struct command_setting *setting),
                           void *arg)
{
    const struct command_setting *sorted[SETTINGS_MAX];
    os_mutex_lock(&server->settings_lock);
    size_t count = sorted_settings(server, sorted);
    for (size_t i = 0; i < count; i++) {
        each(arg, sorted[i]);
    }
    os_mutex_unlock(&server->settings_lock);
}
