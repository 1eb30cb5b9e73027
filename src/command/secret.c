/* secret.c -- see secret.h. */
#include "command/secret.h"

#include <string.h>

#include "command/call.h"
#include "command/settings.h"

/* HELLO [protocol [AUTH user password] [SETNAME name]]: what is none of that may be either of
 * them, misspelt. */
static bool is_secret_of_hello(const struct yore_bytes *args, size_t count, size_t index)
{
    for (size_t at = 2; at < count; at++) {
        bool is_auth = args_is(args[at], "auth");
        if (!is_auth && !args_is(args[at], "setname")) {
            if (at == index) {
                return true;
            }
            continue;
        }
        size_t last = at + (is_auth ? 2 : 1);
        if (index >= at && index <= last) {
            return is_auth && index > at;
        }
        at = last;
    }
    return false;
}

static bool is_secret(struct command_server *server, const char *name,
                      const struct yore_bytes *args, size_t count, size_t index)
{
    if (strcmp(name, "auth") == 0) {
        return index > 0;
    }
    if (strcmp(name, "hello") == 0) {
        return is_secret_of_hello(args, count, index);
    }
    if (strcmp(name, "acl|setuser") == 0 || strcmp(name, "acl|deluser") == 0 ||
        strcmp(name, "acl|getuser") == 0) {
        return index >= 2;
    }
    if (strcmp(name, "config|set") == 0) {
        return index >= 3 && index % 2 == 1 && settings_is_secret(server, args[index - 1]);
    }
    return false;
}

/* Where the request stands that a command is told of; 0: it is told of none. */
static size_t inner_of(const struct call *call)
{
    const char *name = call->command->name;
    if (strcmp(name, "acl|dryrun") == 0) {
        return 3;
    }
    bool is_getkeys =
        strcmp(name, "command|getkeys") == 0 || strcmp(name, "command|getkeysandflags") == 0;
    return is_getkeys ? 2 : 0;
}

struct yore_bytes secret_told(const struct call *call, size_t index)
{
    size_t inner = inner_of(call);
    bool is_hidden;
    if (inner > 0 && index >= inner) {
        const struct yore_bytes *args = call->args + inner;
        const struct command *command = table_lookup(args, call->count - inner);
        is_hidden = command != NULL && is_secret(call->server, command->name, args,
                                                 call->count - inner, index - inner);
    } else {
        is_hidden = is_secret(call->server, call->command->name, call->args, call->count, index);
    }
    return is_hidden ? bytes_of("(redacted)", 10) : call->args[index];
}
