/* peer.h -- by what the command layer names a connection, whichever protocol it speaks. */
#ifndef YORE_SERVER_PEER_H
#define YORE_SERVER_PEER_H

#include <stdbool.h>
#include <stdint.h>

#include "command/command.h"
#include "net/net.h"

struct peer {
    struct net_conn *conn;
    bool is_http; /* pushes become events */
};

/* Who asks, for the order of what runs alone: its user, or where it comes from as long as that is
 * to be found out.  `client` may be NULL. */
static inline uint64_t peer_owner(const struct client *client, enum net_pace wanted)
{
    return client == NULL        ? 0
           : wanted == NET_LOGIN ? command_client_origin(client)
                                 : command_client_owner(client);
}

#endif
