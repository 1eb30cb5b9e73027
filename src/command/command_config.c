/* command_config.c -- CONFIG, SLOWLOG, LATENCY. */
#include <string.h>

#include "base/mem.h"
#include "command/call.h"
#include "command/commands.h"
#include "command/glob.h"

/* ---- CONFIG ---- */

struct config_get {
    struct call *call;
    size_t count;
};

static bool is_asked(const struct call *call, const char *name)
{
    for (size_t i = 2; i < call->count; i++) {
        if (glob_match_nocase(call->args[i], args_text(name))) {
            return true;
        }
    }
    return false;
}

static void tell_as(struct config_get *get, const struct command_setting *setting, const char *name)
{
    struct buffer value = {0};
    if (!is_asked(get->call, name)) {
        return;
    }
    setting->get(setting->arg, &value);
    reply_text(get->call->reply, name);
    reply_bulk(get->call->reply, buffer_bytes(&value));
    get->count++;
    buffer_release(&value);
}

static void tell_setting(void *arg, const struct command_setting *setting)
{
    struct config_get *get = arg;
    tell_as(get, setting, setting->name);
    if (setting->alias != NULL) {
        tell_as(get, setting, setting->alias);
    }
}

void cmd_config_get(struct call *call)
{
    struct reply pairs;
    struct call inner = *call;
    struct config_get get = {&inner, 0};
    reply_init(&pairs, call->reply->protocol);
    inner.reply = &pairs;
    command_settings_walk(call->server, tell_setting, &get);
    reply_map(call->reply, get.count);
    buffer_append_bytes(&call->reply->out, buffer_bytes(&pairs.out));
    call->reply->out.is_nomem |= pairs.out.is_nomem;
    reply_release(&pairs);
}

static bool is_twice(const struct call *call, size_t i)
{
    for (size_t k = 2; k < i; k += 2) {
        if (args_same(call->args[k], call->args[i])) {
            return true;
        }
    }
    return false;
}

static void fail_set(struct call *call, size_t i, enum yore_status st,
                     const struct yore_error *error)
{
    if (st == YORE_NOT_FOUND) {
        reply_error(call->reply, "ERR %s", error->text);
        return;
    }
    reply_error(call->reply, "ERR CONFIG SET failed (possibly related to argument '%.*s') - %s",
                (int)(call->args[i].size < 64 ? call->args[i].size : 64),
                (const char *)call->args[i].data, error->text);
}

/* Set them one after the other; what was set before one that fails is set back. */
static void set_all(struct call *call, struct buffer *old)
{
    struct yore_error error = {.text = ""};
    enum yore_status st = YORE_OK;
    size_t i = 2;
    for (; i < call->count && st == YORE_OK; i += 2) {
        st = command_setting_keep(call->server, call->args[i], &old[i / 2 - 1], &error);
        if (st == YORE_OK) {
            st = command_setting_set(call->server, call->args[i], call->args[i + 1], &error);
        }
    }
    if (st == YORE_OK) {
        reply_status(call->reply, "OK");
        return;
    }
    i -= 2;
    fail_set(call, i, st, &error);
    while (i > 2) {
        i -= 2;
        st =
            command_setting_set(call->server, call->args[i], buffer_bytes(&old[i / 2 - 1]), &error);
        if (st != YORE_OK) {
            return; /* what was its value a moment ago is refused: the first error says enough */
        }
    }
}

void cmd_config_set(struct call *call)
{
    if (call->count % 2 != 0) {
        reply_error(call->reply, "ERR wrong number of arguments for 'config|set' command");
        return;
    }
    size_t told = 2 + 2 * SETTINGS_MAX; /* of more some are named twice, or there are none such */
    for (size_t i = 4; i < call->count && i < told + 2; i += 2) {
        if (is_twice(call, i)) {
            reply_error(call->reply,
                        "ERR CONFIG SET failed (possibly related to argument '%.*s')"
                        " - duplicate parameter",
                        (int)(call->args[i].size < 64 ? call->args[i].size : 64),
                        (const char *)call->args[i].data);
            return;
        }
    }
    struct buffer *old = mem_array(call->count / 2, sizeof *old);
    if (old == NULL) {
        call_nomem(call);
        return;
    }
    set_all(call, old);
    for (size_t i = 0; i < call->count / 2; i++) {
        buffer_release(&old[i]);
    }
    mem_free(old);
}

void cmd_config_resetstat(struct call *call)
{
    struct command_server *server = call->server;
    struct server_stats *stats = &server->stats;
    size_t count;
    table_rows(&count);
    for (size_t i = 0; i < count; i++) {
        atomic_store(&server->command_stats[i].calls, 0);
        atomic_store(&server->command_stats[i].time_ns, 0);
        atomic_store(&server->command_stats[i].rejected, 0);
        atomic_store(&server->command_stats[i].failed, 0);
    }
    for (size_t i = 0; i < DURATION_CLASSES; i++) {
        for (size_t k = 0; k < COMMAND_DURATION_BUCKETS; k++) {
            atomic_store(&server->durations[i].counts[k], 0);
        }
    }
    atomic_store(&server->statement_ns, 0);
    os_mutex_lock(&server->errors_lock);
    server->error_count = 0;
    os_mutex_unlock(&server->errors_lock);
    atomic_store(&stats->connections, 0);
    atomic_store(&stats->commands, 0);
    atomic_store(&stats->errors, 0);
    atomic_store(&stats->hits, 0);
    atomic_store(&stats->misses, 0);
    atomic_store(&stats->expired, 0);
    atomic_store(&stats->denied_login, 0);
    atomic_store(&stats->denied_command, 0);
    atomic_store(&stats->denied_key, 0);
    atomic_store(&stats->denied_channel, 0);
    reply_status(call->reply, "OK");
}

void cmd_config_rewrite(struct call *call)
{
    const struct command_port *port = &call->server->options.port;
    struct yore_error error = {.text = "The server is running without a config file"};
    enum yore_status st =
        port->rewrite != NULL ? port->rewrite(port->arg, &error) : YORE_UNSUPPORTED;
    if (st != YORE_OK) {
        reply_error(call->reply, "ERR %s", error.text);
        return;
    }
    reply_status(call->reply, "OK");
}

/* ---- SLOWLOG ---- */

static void tell_slow(struct call *call, const struct slow_entry *entry)
{
    reply_array(call->reply, 6);
    reply_int(call->reply, (int64_t)entry->id);
    reply_int(call->reply, entry->seconds);
    reply_int(call->reply, entry->time_us);
    reply_array(call->reply, entry->arg_count);
    for (size_t i = 0; i < entry->arg_count; i++) {
        reply_bulk(call->reply, entry->args[i]);
    }
    reply_text(call->reply, entry->address);
    reply_text(call->reply, entry->name);
}

void cmd_slowlog_get(struct call *call)
{
    struct slowlog *log = &call->server->slowlog;
    int64_t wanted = 10;
    if (call->count > 3) {
        call_words(call);
        return;
    }
    if (call->count == 3 && (!args_int(call->args[2], &wanted) || wanted < -1)) {
        reply_error(call->reply, "ERR count should be greater than or equal to -1");
        return;
    }
    os_mutex_lock(&log->lock);
    size_t count = wanted < 0 || (uint64_t)wanted > log->count ? log->count : (size_t)wanted;
    reply_array(call->reply, count);
    const struct slow_entry *entry = log->newest;
    for (size_t i = 0; i < count; i++, entry = entry->next) {
        tell_slow(call, entry);
    }
    os_mutex_unlock(&log->lock);
}

void cmd_slowlog_len(struct call *call)
{
    struct slowlog *log = &call->server->slowlog;
    os_mutex_lock(&log->lock);
    size_t count = log->count;
    os_mutex_unlock(&log->lock);
    reply_int(call->reply, (int64_t)count);
}

void cmd_slowlog_reset(struct call *call)
{
    slowlog_trim(&call->server->slowlog, 0);
    reply_status(call->reply, "OK");
}

/* ---- LATENCY ---- */

static const struct latency_event *find_event(const struct latency *latency, struct yore_bytes name)
{
    for (size_t i = 0; i < LATENCY_EVENTS_MAX && latency->events[i].name != NULL; i++) {
        if (args_same(args_text(latency->events[i].name), name)) {
            return &latency->events[i];
        }
    }
    return NULL;
}

void cmd_latency_latest(struct call *call)
{
    struct latency *latency = &call->server->latency;
    size_t count = 0;
    os_mutex_lock(&latency->lock);
    size_t begun = reply_array_begin(call->reply);
    for (size_t i = 0; i < LATENCY_EVENTS_MAX; i++) {
        const struct latency_event *event = &latency->events[i];
        if (event->name == NULL || event->count == 0) {
            continue;
        }
        const struct latency_sample *last =
            &event->samples[(event->next + LATENCY_SAMPLES - 1) % LATENCY_SAMPLES];
        reply_array(call->reply, 4);
        reply_text(call->reply, event->name);
        reply_int(call->reply, last->seconds);
        reply_int(call->reply, last->ms);
        reply_int(call->reply, event->max_ms);
        count++;
    }
    os_mutex_unlock(&latency->lock);
    reply_array_end(call->reply, begun, count);
}

void cmd_latency_history(struct call *call)
{
    struct latency *latency = &call->server->latency;
    os_mutex_lock(&latency->lock);
    const struct latency_event *event = find_event(latency, call->args[2]);
    uint32_t count = event != NULL ? event->count : 0;
    reply_array(call->reply, count);
    for (uint32_t i = 0; i < count; i++) {
        const struct latency_sample *sample =
            &event->samples[(event->next + LATENCY_SAMPLES - count + i) % LATENCY_SAMPLES];
        reply_array(call->reply, 2);
        reply_int(call->reply, sample->seconds);
        reply_int(call->reply, sample->ms);
    }
    os_mutex_unlock(&latency->lock);
}

void cmd_latency_reset(struct call *call)
{
    struct latency *latency = &call->server->latency;
    int64_t count = 0;
    os_mutex_lock(&latency->lock);
    for (size_t i = 0; i < LATENCY_EVENTS_MAX; i++) {
        struct latency_event *event = &latency->events[i];
        bool is_asked_for = call->count == 2;
        for (size_t k = 2; k < call->count && event->name != NULL; k++) {
            is_asked_for |= args_same(args_text(event->name), call->args[k]);
        }
        if (event->name != NULL && event->count > 0 && is_asked_for) {
            event->count = 0;
            event->next = 0;
            event->max_ms = 0;
            count++;
        }
    }
    os_mutex_unlock(&latency->lock);
    reply_int(call->reply, count);
}
