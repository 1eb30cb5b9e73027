/* own_settings.c -- our settings as the command layer sees them: CONFIG GET, SET, REWRITE. */
#include <string.h>

#include "base/mem.h"
#include "server/server.h"
#include "server/server_internal.h"

const char *server_foreign_setting(size_t index)
{
    return index == 0 ? "user" : command_setting_name(index - 1);
}

struct setting_ref {
    struct server *server;
    size_t index;
};

/* A setting and the value that the files, the environment and the command line give it. */
struct setting_memo {
    char *name;
    struct buffer value; /* as set() takes it */
};

static void setting_get(void *arg, struct buffer *out)
{
    struct setting_ref *ref = arg;
    config_get(ref->server->config, ref->index, out);
}

static enum yore_status setting_set(void *arg, struct yore_bytes value,
                                    struct yore_error *error_out)
{
    struct setting_ref *ref = arg;
    enum yore_status status =
        config_set(ref->server->config, ref->index, value, CONFIG_RUNNING, error_out);
    if (status == YORE_OK) {
        own_settings_apply(ref->server);
    }
    return status;
}

enum yore_status own_settings_add(struct server *server, struct yore_error *error_out)
{
    size_t count = config_count();
    server->settings = mem_array(count, sizeof(*server->settings));
    server->setting_refs = mem_array(count, sizeof(*server->setting_refs));
    if (server->settings == NULL || server->setting_refs == NULL) {
        return error_plain(error_out, YORE_NOMEM);
    }
    size_t added = 0;
    for (size_t i = 0; i < count; i++) {
        struct yore_bytes name = bytes_of(config_name(i), strlen(config_name(i)));
        struct buffer value = {0};
        enum yore_status status = command_setting_get(server->commands, name, &value, NULL);
        buffer_release(&value);
        if (status == YORE_OK) {
            continue; /* the command layer has it, and was told by its options */
        }
        server->setting_refs[added] = (struct setting_ref){server, i};
        server->settings[added] =
            (struct command_setting){.name = config_name(i),
                                     .is_list = strcmp(config_name(i), "bind") == 0,
                                     .arg = &server->setting_refs[added],
                                     .get = setting_get,
                                     .set = config_is_live(i) ? setting_set : NULL};
        added++;
    }
    return command_settings_add(server->commands, server->settings, added, error_out);
}

void own_settings_apply(struct server *server)
{
    const struct config *config = server->config;
    atomic_store(&server->scope.idle_ns, config->timeout);
    atomic_store(&server->scope.login_ns, config->login_timeout);
    atomic_store(&server->scope.body_max, config->http_body_max);
    atomic_store(&server->scope.transaction_ns, config->bolt_transaction_timeout);
    log_set(server->log, (enum log_level)config->loglevel, (enum log_format)config->log_format);
    if (server->net != NULL) {
        net_set_clients_max(server->net, (unsigned)config->maxclients);
        net_set_buffer_bytes_max(server->net, config->client_buffers);
    }
}

static enum yore_status hand_on_one(struct server *server, const struct config_extra *extra,
                                    struct yore_error *error_out)
{
    if (strcmp(extra->name, "user") == 0) {
        if (extra->word_count == 0) {
            return error_set(error_out, YORE_INVALID, "a user needs a name");
        }
        return command_user_set(server->commands, extra->words[0], extra->words + 1,
                                extra->word_count - 1, error_out);
    }
    struct yore_error cause = {0};
    struct buffer value = {0};
    for (size_t i = 0; i < extra->word_count; i++) {
        buffer_append(&value, " ", i > 0 ? 1 : 0);
        buffer_append_bytes(&value, extra->words[i]);
    }
    enum yore_status status = buffer_status(&value);
    if (status == YORE_OK) {
        status = command_setting_set(server->commands, bytes_of(extra->name, strlen(extra->name)),
                                     buffer_bytes(&value), &cause);
    }
    buffer_release(&value);
    if (status == YORE_READ_ONLY) { /* Redis' files say what is always so here, or never */
        struct log_field fields[] = {{"setting", extra->name}, {"where", extra->where}};
        log_fields(server->log, LOG_WARN, "a setting of the configuration has no effect", fields,
                   2);
        return YORE_OK;
    }
    return status == YORE_OK ? status
                             : error_set(error_out, status, "%s: %.400s", extra->name, cause.text);
}

/* ---- what was changed since -------------------------------------------------------------------
 */

static void keep(const struct command_setting *setting, struct buffer *out)
{
    if (setting->keep != NULL) {
        setting->keep(setting->arg, out);
    } else {
        setting->get(setting->arg, out);
    }
}

struct memo_walk {
    struct server *server;
    bool is_nomem;
};

static void remember(void *arg, const struct command_setting *setting)
{
    struct memo_walk *walk = arg;
    struct server *server = walk->server;
    struct setting_memo *grown =
        mem_grow(server->memos, server->memo_count, &server->memo_capacity, sizeof(*grown));
    if (grown == NULL) {
        walk->is_nomem = true;
        return;
    }
    server->memos = grown;
    struct setting_memo *memo = &grown[server->memo_count];
    *memo = (struct setting_memo){.name = mem_copy(setting->name, strlen(setting->name) + 1)};
    keep(setting, &memo->value);
    walk->is_nomem = walk->is_nomem || memo->name == NULL || memo->value.is_nomem;
    server->memo_count++;
}

enum yore_status own_settings_hand_on(struct server *server, struct yore_error *error_out)
{
    const struct config *config = server->config;
    for (size_t i = 0; i < config->extra_count; i++) {
        struct yore_error cause = {0};
        if (*config->aclfile != '\0' && strcmp(config->extras[i].name, "user") == 0) {
            return error_set(error_out, YORE_INVALID,
                             "%s: users are defined in the configuration or in the aclfile, not "
                             "in both",
                             config->extras[i].where);
        }
        enum yore_status status = hand_on_one(server, &config->extras[i], &cause);
        if (status != YORE_OK) {
            return error_set(error_out, status == YORE_NOT_FOUND ? YORE_INVALID : status,
                             "%s: %.400s", config->extras[i].where, cause.text);
        }
    }
    enum yore_status status = command_users_load(server->commands, error_out);
    if (status != YORE_OK) {
        return status;
    }
    struct memo_walk walk = {server, false};
    command_settings_walk(server->commands, remember, &walk);
    return walk.is_nomem ? error_plain(error_out, YORE_NOMEM) : YORE_OK;
}

struct change_walk {
    struct server *server;
    struct config_pair *pairs; /* room for every memo */
    struct buffer *values;
    size_t *memos; /* whose */
    size_t count;
    bool is_nomem;
};

static void note_change(void *arg, const struct command_setting *setting)
{
    struct change_walk *walk = arg;
    struct server *server = walk->server;
    for (size_t i = 0; i < server->memo_count; i++) {
        if (strcmp(server->memos[i].name, setting->name) != 0) {
            continue;
        }
        struct buffer *value = &walk->values[walk->count];
        keep(setting, value);
        if (bytes_equal(buffer_bytes(value), buffer_bytes(&server->memos[i].value))) {
            buffer_release(value);
            return;
        }
        walk->is_nomem = walk->is_nomem || value->is_nomem;
        walk->memos[walk->count] = i;
        walk->pairs[walk->count++] = (struct config_pair){
            server->memos[i].name, buffer_bytes(value), setting->is_list, setting->is_secret};
        return;
    }
}

enum yore_status own_settings_rewrite(void *arg, struct yore_error *error_out)
{
    struct server *server = arg;
    struct change_walk walk = {.server = server,
                               .pairs = mem_array(server->memo_count + 1, sizeof(*walk.pairs)),
                               .values = mem_array(server->memo_count + 1, sizeof(*walk.values)),
                               .memos = mem_array(server->memo_count + 1, sizeof(*walk.memos))};
    enum yore_status status = error_plain(error_out, YORE_NOMEM);
    if (walk.pairs != NULL && walk.values != NULL && walk.memos != NULL) {
        command_settings_walk(server->commands, note_change, &walk);
        if (!walk.is_nomem) {
            status = config_rewrite(server->config, server->env, walk.pairs, walk.count, error_out);
        }
    }
    for (size_t i = 0; i < walk.count; i++) {
        if (status == YORE_OK) { /* the file has it now */
            struct buffer was = server->memos[walk.memos[i]].value;
            server->memos[walk.memos[i]].value = walk.values[i];
            walk.values[i] = was;
        }
        buffer_release(&walk.values[i]);
    }
    mem_free(walk.pairs);
    mem_free(walk.values);
    mem_free(walk.memos);
    return status;
}

void own_settings_release(struct server *server)
{
    for (size_t i = 0; i < server->memo_count; i++) {
        mem_free(server->memos[i].name);
        buffer_release(&server->memos[i].value);
    }
    mem_free(server->memos);
    mem_free(server->settings);
    mem_free(server->setting_refs);
}
