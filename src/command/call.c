/* call.c -- what handlers share. */
#include "command/call.h"

#include <stdio.h>
#include <string.h>

#include "base/hide.h"
#include "command/series.h"
#include "command/state.h"

struct database *call_database_at(const struct call *call, uint32_t number)
{
    struct access *access = call->access;
    bool is_known = access->at == NULL || !atomic_load(&call->server->has_swapped);
    access->has_refused |= !is_known && access->in_memory;
    return is_known || access->in_memory
               ? atomic_load_explicit(&call->server->databases[number], memory_order_acquire)
               : state_database_at(call->server, number, access->at);
}

struct status_code {
    enum yore_status status;
    const char *code;
};

static const char *find_code(const struct status_code *codes, size_t count, enum yore_status status)
{
    for (size_t i = 0; i < count; i++) {
        if (codes[i].status == status) {
            return codes[i].code;
        }
    }
    return NULL;
}

static const char *code_of(enum yore_status status)
{
    static const struct status_code codes[] = {
        {YORE_ERASED, "ERASED"},   {YORE_NO_SPACE, "NOSPACE"},       {YORE_IO, "IOERR"},
        {YORE_CORRUPT, "CORRUPT"}, {YORE_BEFORE_HORIZON, "HORIZON"}, {YORE_READ_ONLY, "READONLY"},
        {YORE_NOMEM, "OOM"},       {YORE_CONFLICT, "CONFLICT"},      {YORE_NO_FILES, "IOERR"}};
    return find_code(codes, sizeof codes / sizeof codes[0], status);
}

static void fail_with(struct call *call, const char *code, enum yore_status status,
                      const struct yore_error *error)
{
    const struct command_options *options = &call->server->options;
    char text[YORE_ERROR_TEXT_BYTES];
    bool has_text = error != NULL && error->text[0] != '\0';
    snprintf(text, sizeof text, "%s", has_text ? error->text : yore_status_message(status));
    hide_dir(text, options->path);
    hide_dir(text, options->backup_path);
    reply_error(call->reply, "%s %s", code != NULL ? code : "ERR", text);
}

void call_fail(struct call *call, enum yore_status status, const struct yore_error *error)
{
    fail_with(call, code_of(status), status, error);
}

void call_fail_told(struct call *call, enum yore_status status, const struct yore_error *error)
{
    static const struct status_code codes[] = {
        {YORE_NOT_FOUND, "NOTFOUND"},   {YORE_TOO_BIG, "TOOBIG"},
        {YORE_LOCKED, "LOCKED"},        {YORE_EXISTS, "EXISTS"},
        {YORE_IN_FUTURE, "FUTURE"},     {YORE_BUSY, "BUSY"},
        {YORE_CANCELLED, "CANCELLED"},  {YORE_UNSUPPORTED, "UNSUPPORTED"},
        {YORE_BAD_FORMAT, "BADFORMAT"}, {YORE_NO_FILES, "NOFILES"}};
    const char *code = code_of(status);
    code = code != NULL ? code : find_code(codes, sizeof codes / sizeof codes[0], status);
    fail_with(call, code, status, error);
}

bool call_lookup(struct call *call, size_t index, struct entry *entry_out)
{
    struct yore_error error YORE_UNCLEARED;
    error_init(&error);
    enum yore_status st =
        access_lookup(call->access, call_database(call), call->args[index], entry_out, &error);
    if (st != YORE_OK) {
        call_fail(call, st, &error);
    }
    return st == YORE_OK;
}

void call_note_found(struct call *call, size_t index, const struct entry *entry)
{
    struct server_stats *stats = &call->server->stats;
    atomic_fetch_add_explicit(entry->exists ? &stats->hits : &stats->misses, 1,
                              memory_order_relaxed);
    if (!entry->exists) {
        call_event(call, EVENT_MISS, "keymiss", call->args[index]);
    }
}

bool call_find(struct call *call, size_t index, struct entry *entry_out)
{
    bool is_known = call_lookup(call, index, entry_out);
    if (is_known) {
        call_note_found(call, index, entry_out);
    }
    return is_known;
}

bool call_read_to_write(struct call *call, size_t index, struct entry *entry_out)
{
    if (!call_lookup(call, index, entry_out)) {
        return false;
    }
    if (entry_out->is_erased) {
        call_fail(call, YORE_ERASED, NULL);
        return false;
    }
    if (entry_out->exists && series_is(entry_bytes(entry_out))) {
        reply_error(call->reply,
                    "WRONGTYPE Operation against a key holding the wrong kind of value");
        entry_release(entry_out);
        return false;
    }
    return true;
}

bool call_read(struct call *call, size_t index, struct entry *entry_out)
{
    bool is_read = call_read_to_write(call, index, entry_out);
    if (is_read) {
        call_note_found(call, index, entry_out);
    }
    return is_read;
}

bool call_put(struct call *call, const struct entry *entry, struct yore_bytes value,
              int64_t valid_to)
{
    if (value.size > STRING_BYTES_MAX) {
        reply_error(call->reply, "ERR string exceeds maximum allowed size (%u bytes are the most)",
                    STRING_BYTES_MAX);
        return false;
    }
    return call_check_value(call, value) && call_keep(call, entry, value, valid_to);
}

bool call_check_value(struct call *call, struct yore_bytes value)
{
    bool is_marked = series_is_marked(value);
    if (is_marked) {
        reply_error(call->reply, "ERR a value that begins with the mark of a time series is "
                                 "written by TS.* only");
    }
    return !is_marked;
}

void call_bulk(struct call *call, struct yore_bytes value)
{
    if (series_is_hidden(call->client->rules, call->command, value)) {
        reply_null(call->reply);
    } else {
        reply_bulk(call->reply, value);
    }
}

bool call_keep(struct call *call, const struct entry *entry, struct yore_bytes value,
               int64_t valid_to)
{
    struct yore_error error YORE_UNCLEARED;
    error_init(&error);
    enum yore_status st = YORE_OK;
    if (series_is(value)) { /* renamed, or with another end: it is found by its labels still */
        st = access_begin(call->access, &error);
        st = st == YORE_OK ? series_note(call->access, entry->database, entry->key, &error) : st;
    }
    if (st == YORE_OK) {
        st = access_put(call->access, entry, value, valid_to, &error);
    }
    if (st != YORE_OK) {
        call_fail(call, st, &error);
    } else if (!entry->exists && !entry->is_unseen) {
        access_event(call->access, entry->database, EVENT_NEW, "new", entry->key);
    }
    return st == YORE_OK;
}

bool call_delete(struct call *call, const struct entry *entry)
{
    struct yore_error error = {.text = ""};
    enum yore_status st = access_delete(call->access, entry, &error);
    if (st != YORE_OK) {
        call_fail(call, st, &error);
    }
    return st == YORE_OK;
}

void call_event(struct call *call, enum event_class class, const char *event, struct yore_bytes key)
{
    access_event(call->access, call_database(call), class, event, key);
}

bool call_begin(struct call *call)
{
    struct yore_error error = {.text = ""};
    enum yore_status st = access_begin(call->access, &error);
    if (st != YORE_OK) {
        call_fail(call, st, &error);
    }
    return st == YORE_OK;
}

bool call_int(struct call *call, size_t index, int64_t *number_out)
{
    if (!args_int(call->args[index], number_out)) {
        reply_error(call->reply, "ERR value is not an integer or out of range");
        return false;
    }
    return true;
}

bool call_int_between(struct call *call, size_t index, int64_t low, int64_t high,
                      int64_t *number_out)
{
    if (!call_int(call, index, number_out)) {
        return false;
    }
    if (*number_out < low || *number_out > high) {
        reply_error(call->reply, "ERR value is out of range, must be between %lld and %lld",
                    (long long)low, (long long)high);
        return false;
    }
    return true;
}

/* "YORE.GET key [AT moment]"; empty for what Redis has too, whose clients may compare texts. */
static void usage_of(const struct command *command, char usage[USAGE_BYTES_MAX])
{
    bool is_ours = strchr(command->name, '.') != NULL;
    size_t size = 0;
    for (; is_ours && command->name[size] != '\0'; size++) {
        char c = command->name[size];
        usage[size] = c == '|' ? ' ' : c >= 'a' && c <= 'z' ? (char)(c - 32) : c;
    }
    usage[size] = '\0';
    const char *syntax = (command->flags & CF_CONTAINER) != 0 ? "HELP" : command->syntax;
    if (is_ours && syntax[0] != '\0') {
        snprintf(usage + size, USAGE_BYTES_MAX - size, " %s", syntax);
    }
}

static void refuse_usage(struct call *call, const char *text)
{
    char usage[USAGE_BYTES_MAX];
    usage_of(call->command, usage);
    reply_error(call->reply, "ERR %s%s%s", text, usage[0] != '\0' ? "; usage: " : "", usage);
}

void call_syntax(struct call *call)
{
    refuse_usage(call, "syntax error");
}

void call_arity(struct call *call)
{
    char text[128];
    snprintf(text, sizeof text, "wrong number of arguments for '%s' command", call->command->name);
    refuse_usage(call, text);
}

void call_words(struct call *call)
{
    char container[CALL_WORD_BYTES];
    struct yore_bytes word = call->args[1];
    call_container_word(call, container);
    reply_error(call->reply,
                "ERR unknown subcommand or wrong number of arguments for '%.*s'. Try %s HELP.",
                (int)(word.size < 128 ? word.size : 128), (const char *)word.data, container);
}

void call_container_word(const struct call *call, char word[CALL_WORD_BYTES])
{
    const char *name = call->command->name;
    size_t size = 0;
    for (; name[size] != '\0' && name[size] != '|' && size < CALL_WORD_BYTES - 1; size++) {
        word[size] = name[size] >= 'a' && name[size] <= 'z' ? (char)(name[size] - 32) : name[size];
    }
    word[size] = '\0';
}

void call_refuse_past(struct call *call)
{
    reply_error(call->reply, "READONLY the session is at a moment of the past: "
                             "YORE.AT NOW returns to the present, where writes are");
}

bool call_is_left(const struct call *call)
{
    const struct command_port *port = &call->server->options.port;
    void *conn = call->client->conn;
    return conn != NULL && port->is_gone != NULL && port->is_gone(port->arg, conn);
}

bool call_is_over(void *call)
{
    return call_is_left(call);
}

void call_nomem(struct call *call)
{
    call_fail(call, YORE_NOMEM, NULL);
}

static size_t help_rows(const struct call *call, bool is_counting)
{
    size_t count;
    size_t lines = 0;
    const struct command *rows = table_rows(&count);
    const struct command *container = table_parent(call->command);
    for (size_t i = 0; i < count; i++) {
        char line[256];
        if (!table_is_child(container, &rows[i]) || strcmp(table_word(&rows[i]), "help") == 0) {
            continue;
        }
        lines += 2;
        if (is_counting) {
            continue;
        }
        size_t size = (size_t)snprintf(line, sizeof line, "%s", table_word(&rows[i]));
        for (size_t k = 0; k < size; k++) {
            line[k] = line[k] >= 'a' && line[k] <= 'z' ? (char)(line[k] - 32) : line[k];
        }
        snprintf(line + size, sizeof line - size, "%s%s", rows[i].syntax[0] != '\0' ? " " : "",
                 rows[i].syntax);
        reply_status(call->reply, line);
        snprintf(line, sizeof line, "    %s", rows[i].summary);
        reply_status(call->reply, line);
    }
    return lines;
}

void call_help(struct call *call)
{
    char line[128];
    const char *name = table_parent(call->command)->name;
    char upper[32];
    size_t size = strlen(name);
    for (size_t i = 0; i <= size; i++) {
        upper[i] = name[i] >= 'a' && name[i] <= 'z' ? (char)(name[i] - 32) : name[i];
    }
    reply_array(call->reply, help_rows(call, true) + 3);
    snprintf(line, sizeof line,
             "%s <subcommand> [<arg> [value] [opt] ...]. Subcommands are:", upper);
    reply_status(call->reply, line);
    help_rows(call, false);
    reply_status(call->reply, "HELP");
    reply_status(call->reply, "    Prints this help.");
}
