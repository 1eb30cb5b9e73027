/* audit.h -- who did what, and was it allowed: a line a request, without values.
 *
 *     time=... level=info msg=audit user=ann address=127.0.0.1:50000 command=set keys=host/1
 * outcome=ok chain=<64 digits>
 *
 * Lines are bound to each other (log_chain.h), so that a change shows.  Told are requests that
 * change something, that are administration, that log in, and every one that was denied.  Keys are
 * told, escaped and cut; nothing else of a request is.  Any thread.
 */
#ifndef YORE_SERVER_AUDIT_H
#define YORE_SERVER_AUDIT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"

struct client;
struct log;

/* `audit` may be NULL: nothing is told.  `reply`: what the request was answered, or its beginning.
 */
void audit_request(struct log *audit, const struct client *client, const char *address,
                   const struct yore_bytes *args, size_t count, struct yore_bytes reply);
/* The same for what is no command. */
struct audit_entry {
    const char *command;
    struct yore_bytes key; /* size 0: none */
    const char *outcome;
};
void audit_entry(struct log *audit, const struct client *client, const char *address,
                 const struct audit_entry *entry);
/* A login over HTTP or Bolt, which is no command. */
void audit_login(struct log *audit, struct yore_bytes user, const char *address, bool is_good);

#endif
