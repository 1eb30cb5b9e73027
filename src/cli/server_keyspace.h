/* server_keyspace.h -- the keyspaces that a server writes itself and nobody by name. */
#ifndef YORE_CLI_SERVER_KEYSPACE_H
#define YORE_CLI_SERVER_KEYSPACE_H

enum server_keyspace {
    SERVER_KEYSPACE_NONE,
    SERVER_KEYSPACE_OWN,   /* "server", "server.*": its bookkeeping */
    SERVER_KEYSPACE_GRAPH, /* "g.*", "graph.staging", "graph.empty": graphs, what is on its way into
                              one, and none */
    SERVER_KEYSPACE_SERIES /* "default.series", "db<number>.series": samples, written by TS.* */
};

/* By its name.  A server with fewer databases than that takes "db<number>.series" from everybody:
 * whether a keyspace is its own only the server knows. */
enum server_keyspace server_keyspace_of(const char *name);

#endif
