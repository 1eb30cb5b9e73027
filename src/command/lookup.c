/* lookup.c -- finding a command's row, its categories and its keys. */
#include <string.h>

#include "base/assert.h"
#include "command/args.h"
#include "command/table.h"

#define NAME_BYTES_MAX 64

static const char *const categories[] = {
    "keyspace",   "read",        "write",     "set",         "sortedset", "list",
    "hash",       "string",      "bitmap",    "hyperloglog", "geo",       "stream",
    "pubsub",     "admin",       "fast",      "slow",        "blocking",  "dangerous",
    "connection", "transaction", "scripting", "history",     "series",    "graph"};
#define CATEGORIES (sizeof categories / sizeof categories[0])

const char *table_category_name(size_t index)
{
    return index < CATEGORIES ? categories[index] : NULL;
}

uint32_t table_category(struct yore_bytes name)
{
    for (size_t i = 0; i < CATEGORIES; i++) {
        if (args_is(name, categories[i])) {
            return UINT32_C(1) << i;
        }
    }
    return 0;
}

uint32_t table_categories(const struct command *command)
{
    uint32_t flags = command->flags;
    uint32_t all = command->category;
    if ((flags & CF_CONTAINER) != 0 && command->category == 0 && command->flags == CF_CONTAINER) {
        return CC_SLOW;
    }
    /* What an administrator writes is not what +@write is meant for. */
    bool writes = (flags & (CF_WRITE | CF_ADMIN)) == CF_WRITE;
    all |= writes && (all & CC_TRANSACTION) == 0 && (all & CC_SCRIPTING) == 0 ? CC_WRITE : 0;
    all |= writes && (all & CC_SCRIPTING) != 0 ? CC_WRITE : 0;
    all |= (flags & CF_READ) != 0 && (all & CC_SCRIPTING) == 0 ? CC_READ : 0;
    all |= (flags & CF_ADMIN) != 0 ? CC_ADMIN | CC_DANGEROUS : 0;
    all |= (flags & CF_PUBSUB) != 0 && (all & CC_CONNECTION) == 0 ? CC_PUBSUB : 0;
    all |= (flags & CF_HISTORY) != 0 ? CC_HISTORY : 0;
    all |= (flags & CF_FAST) != 0 ? CC_FAST : CC_SLOW;
    return all;
}

size_t table_index(const struct command *command)
{
    size_t count;
    const struct command *rows = table_rows(&count);
    return (size_t)(command - rows);
}

static const struct command *find_lower(const char *name, size_t size)
{
    size_t count;
    const struct command *rows = table_rows(&count);
    size_t low = 0;
    size_t high = count;
    struct yore_bytes wanted = bytes_of(name, size);
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = bytes_compare(bytes_of(rows[middle].name, rows[middle].name_size), wanted);
        if (order == 0) {
            return &rows[middle];
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return NULL;
}

/* Append `text` in lower case; false: too long. */
static bool append_lower(char *name, size_t *size, struct yore_bytes text)
{
    const char *at = text.data;
    if (text.size >= NAME_BYTES_MAX - *size) {
        return false;
    }
    for (size_t i = 0; i < text.size; i++) {
        name[(*size)++] = at[i] >= 'A' && at[i] <= 'Z' ? (char)(at[i] + 32) : at[i];
    }
    return true;
}

const struct command *table_find(struct yore_bytes name)
{
    char lower[NAME_BYTES_MAX];
    size_t size = 0;
    return append_lower(lower, &size, name) ? find_lower(lower, size) : NULL;
}

const struct command *table_lookup(const struct yore_bytes *args, size_t count)
{
    char lower[NAME_BYTES_MAX];
    size_t size = 0;
    if (!append_lower(lower, &size, args[0]) || memchr(lower, '|', size) != NULL) {
        return NULL;
    }
    const struct command *command = find_lower(lower, size);
    if (command == NULL || count < 2 || (command->flags & CF_CONTAINER) == 0) {
        return command;
    }
    lower[size++] = '|';
    if (size >= NAME_BYTES_MAX || !append_lower(lower, &size, args[1])) {
        return command;
    }
    const struct command *child = find_lower(lower, size);
    return child != NULL ? child : command;
}

const char *table_word(const struct command *command)
{
    const char *bar = strchr(command->name, '|');
    return bar != NULL ? bar + 1 : command->name;
}

bool table_is_child(const struct command *container, const struct command *command)
{
    size_t size = strlen(container->name);
    return strncmp(container->name, command->name, size) == 0 && command->name[size] == '|';
}

const struct command *table_parent(const struct command *command)
{
    const char *bar = strchr(command->name, '|');
    return bar != NULL ? find_lower(command->name, (size_t)(bar - command->name)) : NULL;
}

bool table_arity_fits(const struct command *command, size_t count)
{
    return command->arity >= 0 ? count == (size_t)command->arity : count >= (size_t)-command->arity;
}

/* ---- keys ---- */

static size_t span_keys(const struct key_span *span, size_t count, struct key_position *keys,
                        size_t capacity, size_t found)
{
    int64_t last = span->last < 0 ? (int64_t)count + span->last : span->last;
    for (int64_t at = span->first; at <= last && at < (int64_t)count; at += span->step) {
        if (found < capacity) {
            keys[found] = (struct key_position){(uint32_t)at, span->access, span->flags};
        }
        found++;
    }
    return found;
}

size_t table_keys(const struct command *command, const struct yore_bytes *args, size_t count,
                  struct key_position *keys, size_t capacity)
{
    size_t found = 0;
    if (command->keys_find != NULL) {
        return command->keys_find(args, count, keys, capacity);
    }
    for (size_t i = 0; i < 2 && command->keys[i].first != 0; i++) {
        found = span_keys(&command->keys[i], count, keys, capacity, found);
    }
    return found;
}
