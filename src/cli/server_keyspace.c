#include "cli/server_keyspace.h"

#include <stdbool.h>
#include <string.h>

#include "topology/graph.h"

/* "default" or "db<number>", and ".series" behind it. */
static bool is_series(const char *name)
{
    static const char database[] = "default";
    static const char numbered[] = "db";
    size_t head = 0;
    if (strncmp(name, database, sizeof(database) - 1) == 0) {
        head = sizeof(database) - 1;
    } else if (strncmp(name, numbered, sizeof(numbered) - 1) == 0) {
        size_t digits = strspn(name + sizeof(numbered) - 1, "0123456789");
        head = digits > 0 ? sizeof(numbered) - 1 + digits : 0;
    }
    return head > 0 && strcmp(name + head, ".series") == 0;
}

enum server_keyspace server_keyspace_of(const char *name)
{
    if (strcmp(name, "server") == 0 || strncmp(name, "server.", 7) == 0) {
        return SERVER_KEYSPACE_OWN;
    }
    if (strncmp(name, "g.", 2) == 0 || strcmp(name, GRAPH_STAGING_KEYSPACE) == 0 ||
        strcmp(name, GRAPH_EMPTY_KEYSPACE) == 0) {
        return SERVER_KEYSPACE_GRAPH;
    }
    return is_series(name) ? SERVER_KEYSPACE_SERIES : SERVER_KEYSPACE_NONE;
}
