/* tls_wire.h -- TLS for the client library, by net/tls.h. */
#ifndef YORE_CLI_TLS_WIRE_H
#define YORE_CLI_TLS_WIRE_H

#include <yore/client.h>

struct net_tls;

/* A wire for connections to servers; keeps `tls`, which outlives every client that has the wire. */
struct yore_client_wire tls_wire(struct net_tls *tls);

#endif
