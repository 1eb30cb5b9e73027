#include "server/audit.h"

#include <stdio.h>
#include <string.h>

#include "base/status.h"
#include "command/command.h"
#include "command/table.h"
#include "server/limits.h"
#include "server/log.h"

/* "-NOPERM ..." -> "NOPERM"; "ok" for what is no error. */
static void outcome_of(struct yore_bytes reply, char outcome[AUDIT_WORD_BYTES])
{
    const char *at = reply.data;
    size_t size = 0;
    if (reply.size == 0 || at[0] != '-') {
        snprintf(outcome, AUDIT_WORD_BYTES, "ok");
        return;
    }
    while (size + 1 < reply.size && size < AUDIT_WORD_BYTES - 1 && at[size + 1] >= 'A' &&
           at[size + 1] <= 'Z') {
        size++;
    }
    snprintf(outcome, AUDIT_WORD_BYTES, "%.*s", (int)size, at + 1);
}

static bool is_denied(const char *outcome)
{
    return strcmp(outcome, "NOPERM") == 0 || strcmp(outcome, "NOAUTH") == 0 ||
           strcmp(outcome, "WRONGPASS") == 0;
}

static bool is_told(const struct command *command, const char *outcome)
{
    if (is_denied(outcome)) {
        return true;
    }
    return command != NULL &&
           ((command->flags & (CF_WRITE | CF_ADMIN)) != 0 || strcmp(command->name, "auth") == 0 ||
            strcmp(command->name, "hello") == 0);
}

/* The first few keys, and how many more. */
static void keys_of(const struct command *command, const struct yore_bytes *args, size_t count,
                    char *text, size_t room)
{
    struct key_position keys[AUDIT_KEYS_MAX];
    char key[KEY_TEXT_BYTES];
    size_t used = 0;
    text[0] = '\0';
    size_t found = command != NULL && table_arity_fits(command, count)
                       ? table_keys(command, args, count, keys, AUDIT_KEYS_MAX)
                       : 0;
    if (found == SIZE_MAX) {
        return;
    }
    for (size_t i = 0; i < found && i < AUDIT_KEYS_MAX; i++) {
        int size = snprintf(text + used, room - used, "%s%s", i > 0 ? " " : "",
                            key_text(args[keys[i].index], key));
        used += size > 0 && (size_t)size < room - used ? (size_t)size : 0;
    }
    if (found > AUDIT_KEYS_MAX) {
        snprintf(text + used, room - used, " and %zu more", found - AUDIT_KEYS_MAX);
    }
}

void audit_request(struct log *audit, const struct client *client, const char *address,
                   const struct yore_bytes *args, size_t count, struct yore_bytes reply)
{
    if (audit == NULL) {
        return;
    }
    const struct command *command = table_lookup(args, count);
    char outcome[AUDIT_WORD_BYTES];
    outcome_of(reply, outcome);
    if (!is_told(command, outcome)) {
        return;
    }
    char user[AUDIT_USER_BYTES];
    char keys[AUDIT_KEYS_MAX * KEY_TEXT_BYTES + 40];
    command_client_user(client, user, sizeof(user));
    keys_of(command, args, count, keys, sizeof(keys));
    struct log_field fields[] = {{"user", user},
                                 {"address", address},
                                 {"command", command != NULL ? command->name : "?"},
                                 {"keys", keys},
                                 {"outcome", outcome}};
    log_fields(audit, LOG_INFO, "audit", fields, 5);
}

void audit_entry(struct log *audit, const struct client *client, const char *address,
                 const struct audit_entry *entry)
{
    if (audit == NULL) {
        return;
    }
    char user[AUDIT_USER_BYTES];
    char key[KEY_TEXT_BYTES];
    command_client_user(client, user, sizeof(user));
    struct log_field fields[] = {{"user", user},
                                 {"address", address},
                                 {"command", entry->command},
                                 {"keys", key_text(entry->key, key)},
                                 {"outcome", entry->outcome}};
    log_fields(audit, LOG_INFO, "audit", fields, 5);
}

void audit_login(struct log *audit, struct yore_bytes user, const char *address, bool is_good)
{
    if (audit == NULL) {
        return;
    }
    char name[KEY_TEXT_BYTES];
    struct log_field fields[] = {{"user", key_text(user, name)},
                                 {"address", address},
                                 {"command", "login"},
                                 {"outcome", is_good ? "ok" : "WRONGPASS"}};
    log_fields(audit, LOG_INFO, "audit", fields, 4);
}
