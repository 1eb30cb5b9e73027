/* peer.h -- by what the command layer names a connection, whichever protocol it speaks. */
#ifndef YORE_SERVER_PEER_H
#define YORE_SERVER_PEER_H

#include <stdbool.h>

struct net_conn;

struct peer {
    struct net_conn *conn;
    bool is_http; /* pushes become events */
};

#endif
