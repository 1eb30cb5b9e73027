/* command_docs.c -- COMMAND: the table, told to clients. */
#include <string.h>

#include "base/mem.h"
#include "command/call.h"
#include "command/commands.h"
#include "command/glob.h"

#define KEYS_TOLD_MAX 4096

static const struct {
    uint32_t flag;
    const char *name;
} flag_names[] = {{CF_WRITE, "write"},
                  {CF_READ, "readonly"},
                  {CF_DENYOOM, "denyoom"},
                  {CF_ADMIN, "admin"},
                  {CF_PUBSUB, "pubsub"},
                  {CF_NOSCRIPT, "noscript"},
                  {CF_LOADING, "loading"},
                  {CF_STALE, "stale"},
                  {CF_SKIP_MONITOR, "skip_monitor"},
                  {CF_SKIP_SLOWLOG, "skip_slowlog"},
                  {CF_FAST, "fast"},
                  {CF_NO_AUTH, "no_auth"},
                  {CF_NO_MULTI, "no_multi"},
                  {CF_MOVABLE, "movablekeys"},
                  {CF_ALLOW_BUSY, "allow_busy"}};
#define FLAG_NAMES (sizeof flag_names / sizeof flag_names[0])

static bool is_top(const struct command *command)
{
    return strchr(command->name, '|') == NULL;
}

static size_t count_top(void)
{
    size_t count;
    size_t top = 0;
    const struct command *rows = table_rows(&count);
    for (size_t i = 0; i < count; i++) {
        top += is_top(&rows[i]) ? 1 : 0;
    }
    return top;
}

static size_t count_children(const struct command *container)
{
    size_t count;
    size_t children = 0;
    const struct command *rows = table_rows(&count);
    for (size_t i = 0; i < count && (container->flags & CF_CONTAINER) != 0; i++) {
        children += table_is_child(container, &rows[i]) ? 1 : 0;
    }
    return children;
}

/* ---- INFO ---- */

/* The flags as Redis tells them. */
static uint32_t told_flags(const struct command *command)
{
    uint32_t flags = command->flags & ~(uint32_t)CF_PUBSUB;
    if ((command->category & CC_TRANSACTION) != 0) { /* what writes is what was gathered */
        flags &= ~(uint32_t)(CF_WRITE | CF_NO_MULTI);
    }
    return (table_categories(command) & CC_PUBSUB) != 0 ? flags | CF_PUBSUB : flags;
}

static void tell_flags(struct call *call, const struct command *command)
{
    uint32_t flags = told_flags(command);
    size_t count = 0;
    for (size_t i = 0; i < FLAG_NAMES; i++) {
        count += (flags & flag_names[i].flag) != 0 ? 1 : 0;
    }
    reply_set(call->reply, count);
    for (size_t i = 0; i < FLAG_NAMES; i++) {
        if ((flags & flag_names[i].flag) != 0) {
            reply_status(call->reply, flag_names[i].name);
        }
    }
}

static void tell_categories(struct call *call, const struct command *command)
{
    uint32_t all = table_categories(command);
    char text[32] = "@";
    reply_set(call->reply, (size_t)__builtin_popcount(all));
    for (size_t i = 0; table_category_name(i) != NULL; i++) {
        if ((all & UINT32_C(1) << i) != 0) {
            strncpy(text + 1, table_category_name(i), sizeof text - 2);
            reply_status(call->reply, text);
        }
    }
}

/* The words of "RW access update". */
static void tell_words(struct call *call, const char *words)
{
    size_t count = 0;
    for (const char *at = words; at != NULL && *at != '\0'; at++) {
        count += at == words || at[-1] == ' ' ? 1 : 0;
    }
    reply_set(call->reply, count);
    while (count > 0) {
        char word[32];
        size_t size = strcspn(words, " ");
        memcpy(word, words, size);
        word[size] = '\0';
        reply_status(call->reply, word);
        words += size + 1;
        count--;
    }
}

static const char *span_flags(const struct key_span *span)
{
    return span->flags != NULL         ? span->flags
           : span->access == KEY_READ  ? "RO access"
           : span->access == KEY_WRITE ? "OW update"
                                       : "RW access update";
}

static void tell_key_specs(struct call *call, const struct command *command)
{
    size_t count = 0;
    while (count < 2 && command->keys[count].first != 0) {
        count++;
    }
    reply_array(call->reply, count);
    for (size_t i = 0; i < count; i++) {
        const struct key_span *span = &command->keys[i];
        reply_map(call->reply, 3);
        reply_text(call->reply, "flags");
        tell_words(call, span_flags(span));
        reply_text(call->reply, "begin_search");
        reply_map(call->reply, 2);
        reply_text(call->reply, "type");
        reply_text(call->reply, "index");
        reply_text(call->reply, "spec");
        reply_map(call->reply, 1);
        reply_text(call->reply, "index");
        reply_int(call->reply, span->first);
        reply_text(call->reply, "find_keys");
        reply_map(call->reply, 2);
        reply_text(call->reply, "type");
        reply_text(call->reply, "range");
        reply_text(call->reply, "spec");
        reply_map(call->reply, 3);
        reply_text(call->reply, "lastkey");
        reply_int(call->reply, span->last < 0 ? span->last : span->last - span->first);
        reply_text(call->reply, "keystep");
        reply_int(call->reply, span->step);
        reply_text(call->reply, "limit");
        reply_int(call->reply, 0);
    }
}

/* The span that holds every key, as older clients know it. */
static void tell_span(struct call *call, const struct command *command)
{
    const struct key_span *first = &command->keys[0];
    const struct key_span *second = &command->keys[1];
    bool is_pair = second->first != 0;
    reply_int(call->reply, first->first);
    reply_int(call->reply, is_pair ? second->last : first->last);
    reply_int(call->reply, is_pair ? second->step : first->step);
}

static void tell_command(struct call *call, const struct command *command)
{
    reply_array(call->reply, 10);
    reply_text(call->reply, command->name);
    reply_int(call->reply, command->arity);
    tell_flags(call, command);
    tell_span(call, command);
    tell_categories(call, command);
    reply_set(call->reply, 0);
    tell_key_specs(call, command);
    size_t count;
    const struct command *rows = table_rows(&count);
    reply_array(call->reply, count_children(command));
    /* Children have no children: one step down and no further. */
    for (size_t i = 0; i < count && (command->flags & CF_CONTAINER) != 0; i++) {
        if (table_is_child(command, &rows[i])) {
            reply_array(call->reply, 10);
            reply_text(call->reply, rows[i].name);
            reply_int(call->reply, rows[i].arity);
            tell_flags(call, &rows[i]);
            tell_span(call, &rows[i]);
            tell_categories(call, &rows[i]);
            reply_set(call->reply, 0);
            tell_key_specs(call, &rows[i]);
            reply_array(call->reply, 0);
        }
    }
}

static void tell_all(struct call *call)
{
    size_t count;
    const struct command *rows = table_rows(&count);
    reply_array(call->reply, count_top());
    for (size_t i = 0; i < count; i++) {
        if (is_top(&rows[i])) {
            tell_command(call, &rows[i]);
        }
    }
}

void cmd_command(struct call *call)
{
    if (call->count > 1) {
        reply_error(call->reply, "ERR unknown subcommand '%.*s'. Try COMMAND HELP.",
                    (int)(call->args[1].size < 128 ? call->args[1].size : 128),
                    (const char *)call->args[1].data);
        return;
    }
    tell_all(call);
}

void cmd_command_count(struct call *call)
{
    reply_int(call->reply, (int64_t)count_top());
}

void cmd_command_info(struct call *call)
{
    if (call->count == 2) {
        tell_all(call);
        return;
    }
    reply_array(call->reply, call->count - 2);
    for (size_t i = 2; i < call->count; i++) {
        const struct command *command = table_find(call->args[i]);
        if (command != NULL) {
            tell_command(call, command);
        } else {
            reply_null(call->reply);
        }
    }
}

/* ---- DOCS ---- */

static void tell_docs(struct call *call, const struct command *command, bool with_children)
{
    size_t children = with_children ? count_children(command) : 0;
    bool has_syntax = command->syntax[0] != '\0';
    reply_map(call->reply, 3 + (has_syntax ? 1u : 0u) + (children > 0 ? 1u : 0u));
    reply_text(call->reply, "summary");
    reply_text(call->reply, command->summary);
    reply_text(call->reply, "since");
    reply_text(call->reply, command->since);
    reply_text(call->reply, "group");
    reply_text(call->reply, command->group);
    if (has_syntax) {
        /* One argument that shows as the whole syntax: what hints of clients are made of. */
        reply_text(call->reply, "arguments");
        reply_array(call->reply, 1);
        reply_map(call->reply, 2);
        reply_text(call->reply, "name");
        reply_text(call->reply, command->syntax);
        reply_text(call->reply, "type");
        reply_text(call->reply, "string");
    }
    if (children > 0) {
        reply_text(call->reply, "subcommands");
        reply_map(call->reply, children);
    }
}

/* A command and its subcommands. */
static void tell_docs_tree(struct call *call, const struct command *command)
{
    size_t count;
    const struct command *rows = table_rows(&count);
    reply_text(call->reply, command->name);
    tell_docs(call, command, true);
    for (size_t i = 0; i < count && (command->flags & CF_CONTAINER) != 0; i++) {
        if (table_is_child(command, &rows[i])) {
            reply_text(call->reply, rows[i].name);
            tell_docs(call, &rows[i], false);
        }
    }
}

void cmd_command_docs(struct call *call)
{
    size_t count;
    const struct command *rows = table_rows(&count);
    if (call->count == 2) {
        reply_map(call->reply, count_top());
        for (size_t i = 0; i < count; i++) {
            if (is_top(&rows[i])) {
                tell_docs_tree(call, &rows[i]);
            }
        }
        return;
    }
    size_t known = 0;
    for (size_t i = 2; i < call->count; i++) {
        known += table_find(call->args[i]) != NULL ? 1 : 0;
    }
    reply_map(call->reply, known);
    for (size_t i = 2; i < call->count; i++) {
        const struct command *command = table_find(call->args[i]);
        if (command != NULL) {
            tell_docs_tree(call, command);
        }
    }
}

/* ---- LIST ---- */

enum list_by { BY_NOTHING, BY_CATEGORY, BY_PATTERN, BY_MODULE };

void cmd_command_list(struct call *call)
{
    enum list_by by = BY_NOTHING;
    size_t count;
    size_t told = 0;
    const struct command *rows = table_rows(&count);
    if (call->count == 5 && call_is(call, 2, "filterby")) {
        by = call_is(call, 3, "aclcat")    ? BY_CATEGORY
             : call_is(call, 3, "pattern") ? BY_PATTERN
             : call_is(call, 3, "module")  ? BY_MODULE
                                           : BY_NOTHING;
    }
    if ((by == BY_NOTHING && call->count > 2)) {
        call_syntax(call);
        return;
    }
    uint32_t category = by == BY_CATEGORY ? table_category(call->args[4]) : 0;
    size_t begun = reply_array_begin(call->reply);
    for (size_t i = 0; i < count; i++) {
        bool is_listed = by == BY_NOTHING    ? is_top(&rows[i])
                         : by == BY_CATEGORY ? (table_categories(&rows[i]) & category) != 0
                         : by == BY_PATTERN
                             ? glob_match_nocase(call->args[4], args_text(rows[i].name))
                             : false;
        if (is_listed) {
            reply_text(call->reply, rows[i].name);
            told++;
        }
    }
    reply_array_end(call->reply, begun, told);
}

/* ---- GETKEYS ---- */

static void tell_keys(struct call *call, bool with_flags)
{
    const struct yore_bytes *args = call->args + 2;
    size_t arg_count = call->count - 2;
    const struct command *command = table_lookup(args, arg_count);
    struct key_position *keys = mem_array(KEYS_TOLD_MAX, sizeof *keys);
    if (keys == NULL) {
        call_nomem(call);
        return;
    }
    size_t count = command != NULL && table_arity_fits(command, arg_count)
                       ? table_keys(command, args, arg_count, keys, KEYS_TOLD_MAX)
                       : 0;
    if (command == NULL) {
        reply_error(call->reply, "ERR Invalid command specified");
    } else if (command->keys[0].first == 0 && command->keys_find == NULL) {
        reply_error(call->reply, "ERR The command has no key arguments");
    } else if (!table_arity_fits(command, arg_count)) {
        reply_error(call->reply, "ERR Invalid number of arguments specified for command");
    } else if (count == 0 || count > KEYS_TOLD_MAX) {
        reply_error(call->reply, "ERR Invalid arguments specified for command");
    } else {
        reply_array(call->reply, count);
        for (size_t i = 0; i < count; i++) {
            if (with_flags) {
                struct key_span span = {.access = keys[i].access, .flags = keys[i].flags};
                reply_array(call->reply, 2);
                reply_bulk(call->reply, args[keys[i].index]);
                tell_words(call, span_flags(&span));
            } else {
                reply_bulk(call->reply, args[keys[i].index]);
            }
        }
    }
    mem_free(keys);
}

void cmd_command_getkeys(struct call *call)
{
    tell_keys(call, false);
}

void cmd_command_getkeysandflags(struct call *call)
{
    tell_keys(call, true);
}
