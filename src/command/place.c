#include "command/place.h"

#include <string.h>

#include "command/call.h"
#include "topology/graph.h"

struct database *place_database(const struct call *call, struct yore_bytes name)
{
    struct command_server *server = call->server;
    for (uint32_t i = 0; i < server->database_count; i++) {
        struct database *database = &server->all_databases[i];
        if (bytes_equal(name, args_text(database->name))) {
            return database;
        }
    }
    return NULL;
}

/* "g.<graph>", "graph.staging", "graph.empty", "server", "server.expiry", "<database>.series". */
bool place_is_reserved(const struct call *call, struct yore_bytes name)
{
    static const char series[] = ".series";
    const size_t size = sizeof series - 1;
    if (bytes_starts_with(name, args_text("g.")) ||
        bytes_equal(name, args_text(GRAPH_STAGING_KEYSPACE)) ||
        bytes_equal(name, args_text(GRAPH_EMPTY_KEYSPACE)) ||
        bytes_equal(name, args_text("server")) || bytes_starts_with(name, args_text("server."))) {
        return true;
    }
    bool ends_so =
        name.size > size && memcmp((const char *)name.data + name.size - size, series, size) == 0;
    return ends_so && place_database(call, bytes_of(name.data, name.size - size)) != NULL;
}

enum yore_status place_open(struct call *call, struct yore_bytes name, const struct yore_time *at,
                            struct yore_keyspace **keyspace_out, struct yore_error *error_out)
{
    char text[YORE_KEYSPACE_NAME_BYTES_MAX + 1];
    if (name.size == 0 || name.size >= sizeof text || memchr(name.data, '\0', name.size) != NULL) {
        return error_set(error_out, YORE_NOT_FOUND, "no keyspace has such a name");
    }
    memcpy(text, name.data, name.size);
    text[name.size] = '\0';
    enum yore_status st = yore_keyspace_open(call->server->db, text, NULL, keyspace_out, error_out);
    if (st == YORE_NOT_FOUND && at != NULL) { /* dropped since, perhaps */
        st = yore_keyspace_open(call->server->db, text, at, keyspace_out, error_out);
    }
    return st;
}

bool place_may_read(const struct call *call, struct yore_bytes name)
{
    return !place_is_reserved(call, name) ||
           acl_rules_allow_every_key(call->client->rules, call->command, KEY_READ);
}

bool place_check_read(struct call *call, struct yore_bytes name)
{
    bool may_read = place_may_read(call, name);
    if (!may_read) {
        reply_error(call->reply, "NOPERM this keyspace is told only to who may read every key");
    }
    return may_read;
}

static bool may_use(struct call *call, struct yore_bytes name, enum place_use use)
{
    if (use == PLACE_WRITE && place_is_reserved(call, name)) {
        reply_error(call->reply, "READONLY the server keeps this keyspace for itself: graphs are "
                                 "written by GRAPH.*, series by TS.*");
        return false;
    }
    return use == PLACE_WRITE || place_check_read(call, name);
}

bool place_find(struct call *call, size_t index, enum place_use use, const struct yore_time *at,
                struct place *place_out)
{
    struct yore_error error = {.text = ""};
    *place_out = (struct place){.database = NULL};
    if (index == 0) {
        place_out->database = call_database(call);
        place_out->keyspace = access_keyspace(call->access, place_out->database);
        return true;
    }
    struct yore_bytes name = call->args[index];
    if (!may_use(call, name, use)) {
        return false;
    }
    place_out->database = place_database(call, name);
    if (place_out->database != NULL) {
        place_out->keyspace = access_keyspace(call->access, place_out->database);
        return true;
    }
    enum yore_status st = place_open(call, name, at, &place_out->keyspace, &error);
    if (st != YORE_OK) {
        call_fail_told(call, st, &error);
    }
    return st == YORE_OK;
}

enum yore_status place_lookup(struct call *call, const struct place *place, struct yore_bytes key,
                              const struct yore_time *at, struct entry *entry_out,
                              struct yore_error *error_out)
{
    const struct yore_time *session = call->access->at;
    *entry_out = (struct entry){.key = key};
    call->access->at = at;
    enum yore_status st = YORE_OK;
    if (place->database != NULL) {
        st = access_lookup(call->access, place->database, key, entry_out, error_out);
    } else {
        st = access_get(call->access, place->keyspace, key, at, &entry_out->value, error_out);
        entry_out->exists = st == YORE_OK;
        entry_out->is_erased = st == YORE_ERASED;
        st = st == YORE_NOT_FOUND || st == YORE_ERASED ? YORE_OK : st;
    }
    call->access->at = session;
    return st;
}
