/* state.c -- which database is which keyspace. */
#include "command/state.h"

#include <stdio.h>
#include <string.h>

#include "command/access.h"
#include "command/server.h"
#include "command/watch.h"

#define KEY_BYTES 32

static struct yore_bytes database_key(uint32_t number, char text[KEY_BYTES])
{
    int size = snprintf(text, KEY_BYTES, "database/%u", number);
    return bytes_of(text, (size_t)size);
}

static struct database *find_name(struct command_server *server, const struct yore_value *value)
{
    for (uint32_t i = 0; i < server->database_count; i++) {
        struct database *database = &server->all_databases[i];
        if (bytes_equal(bytes_of(database->name, strlen(database->name)),
                        bytes_of(value->data, value->size))) {
            return database;
        }
    }
    return NULL;
}

struct database *state_database_at(struct command_server *server, uint32_t number,
                                   const struct yore_time *at)
{
    char text[KEY_BYTES];
    struct yore_value value;
    struct database *database = &server->all_databases[number];
    if (yore_get(server->db, server->state, database_key(number, text), at, &value, NULL) ==
        YORE_OK) {
        struct database *named = find_name(server, &value);
        database = named != NULL ? named : database;
        atomic_store(&server->has_swapped, true);
        yore_value_release(&value);
    }
    return database;
}

enum yore_status state_load_databases(struct command_server *server, struct yore_error *error_out)
{
    for (uint32_t i = 0; i < server->database_count; i++) {
        atomic_store(&server->databases[i], state_database_at(server, i, NULL));
    }
    for (uint32_t i = 0; i < server->database_count; i++) {
        for (uint32_t k = i + 1; k < server->database_count; k++) {
            if (atomic_load(&server->databases[i]) == atomic_load(&server->databases[k])) {
                return error_set(error_out, YORE_INVALID,
                                 "databases %u and %u were swapped with ones beyond the %u "
                                 "configured: start with as many databases as then",
                                 i, k, server->database_count);
            }
        }
    }
    return YORE_OK;
}

enum yore_status state_swap(struct access *access, uint32_t a, uint32_t b,
                            struct yore_error *error_out)
{
    struct command_server *server = access->server;
    struct database *first = atomic_load(&server->databases[a]);
    struct database *second = atomic_load(&server->databases[b]);
    char text[KEY_BYTES];
    atomic_store(&server->has_swapped, true);
    struct access_effects *effects = &access->effects;
    enum yore_status st =
        effects->swap_count < SWAPS_MAX
            ? access_begin(access, error_out)
            : error_set(error_out, YORE_TOO_BIG, "a transaction swaps at most %u times", SWAPS_MAX);
    if (st == YORE_OK) {
        st = yore_txn_put(access->txn, server->state, database_key(a, text),
                          bytes_of(second->name, strlen(second->name)), NULL, error_out);
    }
    if (st == YORE_OK) {
        st = yore_txn_put(access->txn, server->state, database_key(b, text),
                          bytes_of(first->name, strlen(first->name)), NULL, error_out);
    }
    if (st == YORE_OK) {
        access->writes++;
        effects->swaps[effects->swap_count][0] = a;
        effects->swaps[effects->swap_count++][1] = b;
        watch_touch_all(server, first, second);
        atomic_store(&server->databases[a], second);
        atomic_store(&server->databases[b], first);
    }
    return st;
}
