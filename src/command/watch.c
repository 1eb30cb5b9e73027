/* watch.c -- watched keys. */
#include "command/watch.h"

#include <string.h>

#include "base/mem.h"
#include "command/access.h"
#include "command/client.h"
#include "command/server.h"

/* One key somebody watches.  Its name in the table is the database's address, then the key. */
struct watched_key {
    struct yore_bytes name; /* in the same block */
    struct database *database;
    struct watched *watchers;
};

struct watched {
    struct watched_key *of;
    struct client *client;
    struct watched *next_of_key;
    struct watched **link_of_key; /* what points to it in the key's list */
    struct watched *next_of_client;
    int64_t valid_to;
};

static bool make_name(const struct database *database, struct yore_bytes key, struct buffer *name)
{
    buffer_append(name, &database, sizeof database);
    buffer_append_bytes(name, key);
    return !name->is_nomem;
}

static struct yore_bytes key_of(const struct watched_key *watched)
{
    return bytes_behind(watched->name, sizeof(struct database *));
}

/* REQUIRES(watch_lock): the table's entry, made where it is missing; NULL: out of memory. */
static struct watched_key *find_or_make(struct command_server *server, struct database *database,
                                        struct yore_bytes name)
{
    struct watched_key *key = name_map_get(&server->watched, name);
    if (key != NULL) {
        return key;
    }
    key = mem_alloc(sizeof *key + name.size);
    if (key == NULL) {
        return NULL;
    }
    memcpy(key + 1, name.data, name.size);
    *key = (struct watched_key){bytes_of(key + 1, name.size), database, NULL};
    if (name_map_put(&server->watched, key->name, key) != YORE_OK) {
        mem_free(key);
        return NULL;
    }
    atomic_fetch_add(&server->watched_count, 1);
    return key;
}

/* What one holds of memory at most. */
static size_t bytes_of_one(const struct watched_key *key)
{
    return sizeof(struct watched) + sizeof *key + key->name.size + 4 * sizeof(struct name_slot);
}

static void drop_if_unwatched(struct command_server *server, struct watched_key *key)
{
    if (key->watchers == NULL) {
        name_map_remove(&server->watched, key->name);
        mem_free(key);
        atomic_fetch_sub(&server->watched_count, 1);
    }
}

/* REQUIRES(watch_lock) */
static void link_in(struct client *client, struct watched *watched)
{
    struct watched_key *of = watched->of;
    watched->next_of_key = of->watchers;
    watched->link_of_key = &of->watchers;
    if (of->watchers != NULL) {
        of->watchers->link_of_key = &watched->next_of_key;
    }
    of->watchers = watched;
    watched->next_of_client = client->watched;
    client->watched = watched;
    client->held_bytes += bytes_of_one(of);
    atomic_fetch_add(&client->watched_count, 1);
}

enum yore_status watch_add(struct client *client, struct database *database, struct yore_bytes key,
                           int64_t valid_to)
{
    struct command_server *server = client->server;
    struct buffer name = {0};
    struct watched *watched = mem_zalloc(sizeof *watched);
    enum yore_status st = watched != NULL && make_name(database, key, &name) ? YORE_OK : YORE_NOMEM;
    bool is_new =
        st == YORE_OK && name_map_get(&client->watched_by_name, buffer_bytes(&name)) == NULL;
    os_mutex_lock(&server->watch_lock);
    struct watched_key *of = is_new ? find_or_make(server, database, buffer_bytes(&name)) : NULL;
    if (of != NULL) {
        st = name_map_put(&client->watched_by_name, of->name, watched);
        if (st == YORE_OK) {
            watched->of = of;
            watched->client = client;
            watched->valid_to = valid_to;
            link_in(client, watched);
            watched = NULL;
        }
        drop_if_unwatched(server, of);
    } else if (is_new) {
        st = YORE_NOMEM;
    }
    os_mutex_unlock(&server->watch_lock);
    mem_free(watched);
    buffer_release(&name);
    return st;
}

static void touch(const struct watched_key *key)
{
    for (struct watched *at = key->watchers; at != NULL; at = at->next_of_key) {
        atomic_store(&at->client->is_dirty, true);
    }
}

void watch_touch(struct command_server *server, const struct database *database,
                 struct yore_bytes key)
{
    struct buffer name = {0};
    if (atomic_load(&server->watched_count) == 0) {
        return;
    }
    bool has_name = make_name(database, key, &name);
    os_mutex_lock(&server->watch_lock);
    const struct watched_key *watched =
        has_name ? name_map_get(&server->watched, buffer_bytes(&name)) : NULL;
    if (watched != NULL) {
        touch(watched);
    }
    for (size_t at = 0; !has_name && at < server->watched.capacity;) {
        watched = name_map_next(&server->watched, &at); /* out of memory: touch them all */
        if (watched != NULL) {
            touch(watched);
        }
    }
    os_mutex_unlock(&server->watch_lock);
    buffer_release(&name);
}

static bool is_there(struct command_server *server, const struct database *database,
                     struct yore_bytes key)
{
    struct yore_keyspace *keyspace = atomic_load(&database->keyspace);
    struct yore_value value;
    if (keyspace == NULL || yore_get(server->db, keyspace, key, NULL, &value, NULL) != YORE_OK) {
        return false;
    }
    yore_value_release(&value);
    return true;
}

/* A key is watched by the number of its database, so watches move with the places: the entry of
 * either keyspace is touched where the key is there before or after. */
void watch_touch_all(struct command_server *server, struct database *a, struct database *b)
{
    size_t at = 0;
    struct watched_key *watched;
    os_mutex_lock(&server->watch_lock);
    while ((watched = name_map_next(&server->watched, &at)) != NULL) {
        bool concerns = watched->database == a || watched->database == b;
        if (concerns &&
            (is_there(server, a, key_of(watched)) || is_there(server, b, key_of(watched)))) {
            touch(watched);
        }
    }
    os_mutex_unlock(&server->watch_lock);
}

bool watch_is_broken(const struct client *client, int64_t now)
{
    bool is_broken = atomic_load(&client->is_dirty);
    for (const struct watched *at = client->watched; at != NULL && !is_broken;
         at = at->next_of_client) {
        is_broken = at->valid_to != INT64_MIN && at->valid_to <= now;
    }
    return is_broken;
}

uint64_t watch_stripes(const struct client *client)
{
    uint64_t stripes = 0;
    for (const struct watched *at = client->watched; at != NULL; at = at->next_of_client) {
        stripes |= access_stripe(key_of(at->of));
    }
    return stripes;
}

/* REQUIRES(watch_lock) */
static void forget_first(struct client *client)
{
    struct watched *gone = client->watched;
    *gone->link_of_key = gone->next_of_key;
    if (gone->next_of_key != NULL) {
        gone->next_of_key->link_of_key = gone->link_of_key;
    }
    client->watched = gone->next_of_client;
    client->held_bytes -= bytes_of_one(gone->of);
    drop_if_unwatched(client->server, gone->of);
    mem_free(gone);
}

void watch_forget(struct client *client)
{
    struct command_server *server = client->server;
    name_map_release(&client->watched_by_name);
    while (client->watched != NULL) {
        os_mutex_lock(&server->watch_lock); /* some at a time: every writer wants it */
        for (unsigned i = 0; i < LEAVE_CHUNK && client->watched != NULL; i++) {
            forget_first(client);
        }
        os_mutex_unlock(&server->watch_lock);
    }
    atomic_store(&client->watched_count, 0);
    atomic_store(&client->is_dirty, false);
}
