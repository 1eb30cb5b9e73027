#include "bolt/message.h"

#include <inttypes.h>
#include <string.h>

#include "base/utf8.h"
#include "bolt/frame.h"
#include "bolt/limits.h"
#include "query/map.h"

/* ---- which it is ------------------------------------------------------------------------------
 */

struct request_spec {
    uint8_t signature;
    uint8_t fields;
    uint8_t major;
    uint8_t minor;
    const char *name;
};

static const struct request_spec SPECS[] = {
#define SPEC(name, signature, fields, major, minor) {signature, fields, major, minor, #name},
    BOLT_REQUEST_LIST(SPEC)
#undef SPEC
};

static const struct request_spec *find_spec(uint8_t signature)
{
    for (size_t i = 0; i < sizeof(SPECS) / sizeof(SPECS[0]); i++) {
        if (SPECS[i].signature == signature) {
            return &SPECS[i];
        }
    }
    return NULL;
}

const char *bolt_request_name(uint8_t signature)
{
    const struct request_spec *spec = find_spec(signature);
    return spec != NULL ? spec->name : NULL;
}

uint8_t bolt_message_signature(struct yore_bytes message)
{
    const unsigned char *at = message.data;
    return message.size >= 2 && (at[0] & 0xF0) == 0xB0 ? at[1] : 0;
}

/* ---- metadata ---------------------------------------------------------------------------------
 */

/* One message's metadata under the eyes of its reader: the first error stays. */
struct metadata {
    const char *message;
    const struct yore_graph_map *map;
    struct yore_error *error;
    enum yore_status status;
};

/* NULL: it is not there, or null. */
static const struct yore_graph_value *find(const struct metadata *from, const char *name)
{
    const struct yore_graph_value *value = map_get(from->map, bytes_of(name, strlen(name)));
    return value != NULL && value->kind != YORE_GRAPH_NULL ? value : NULL;
}

static const struct yore_graph_value *find_kind(struct metadata *from, const char *name,
                                                enum yore_graph_kind kind, const char *kind_name)
{
    const struct yore_graph_value *value = find(from, name);
    if (value != NULL && value->kind != kind) {
        if (from->status == YORE_OK) {
            from->status = error_set(from->error, YORE_INVALID, "%s: '%s' has to be %s",
                                     from->message, name, kind_name);
        }
        return NULL;
    }
    return value;
}

static struct yore_bytes find_string(struct metadata *from, const char *name)
{
    const struct yore_graph_value *value = find_kind(from, name, YORE_GRAPH_STRING, "a string");
    return value != NULL ? value->as.string : bytes_of(NULL, 0);
}

static bool list_has(const struct yore_graph_list *list, const char *text)
{
    for (size_t i = 0; i < list->count; i++) {
        if (list->items[i].kind == YORE_GRAPH_STRING && bytes_are(list->items[i].as.string, text)) {
            return true;
        }
    }
    return false;
}

static void read_login(struct metadata *from, struct bolt_login *login)
{
    login->scheme = find_string(from, "scheme");
    login->principal = find_string(from, "principal");
    login->credentials = find_string(from, "credentials");
}

static void read_bookmarks(struct metadata *from, const struct yore_graph_value *value,
                           struct yore_graph_list *bookmarks)
{
    bool is_good = value->as.list.count <= BOLT_BOOKMARKS_MAX;
    for (size_t i = 0; is_good && i < value->as.list.count; i++) {
        is_good = value->as.list.items[i].kind == YORE_GRAPH_STRING;
    }
    if (!is_good && from->status == YORE_OK) {
        from->status =
            error_set(from->error, YORE_INVALID, "%s: bookmarks are a list of at most %u strings",
                      from->message, BOLT_BOOKMARKS_MAX);
    }
    *bookmarks = value->as.list;
}

static void read_scope(struct metadata *from, struct bolt_scope *scope)
{
    scope->database = find_string(from, "db");
    scope->is_read_only = bytes_are(find_string(from, "mode"), "r");
    const struct yore_graph_value *timeout =
        find_kind(from, "tx_timeout", YORE_GRAPH_INT, "an integer of milliseconds");
    if (timeout != NULL && timeout->as.integer >= 0) {
        scope->has_timeout = true;
        scope->timeout_ms = (uint64_t)timeout->as.integer;
    }
    const struct yore_graph_value *bookmarks =
        find_kind(from, "bookmarks", YORE_GRAPH_LIST, "a list of strings");
    if (bookmarks != NULL) {
        read_bookmarks(from, bookmarks, &scope->bookmarks);
    }
    struct yore_bytes other = find_string(from, "imp_user");
    if (other.size > 0 && from->status == YORE_OK) {
        from->status = error_set(from->error, YORE_UNSUPPORTED,
                                 "nobody can act as another user here: log in as that user");
    }
}

static void read_address(struct metadata *from, const struct yore_graph_map *routing,
                         struct yore_bytes *address)
{
    struct metadata inner = *from;
    inner.map = routing;
    *address = find_string(&inner, "address");
    if (address->size > BOLT_ADDRESS_BYTES_MAX || !utf8_is_valid(*address)) {
        *address = bytes_of(NULL, 0);
    }
    from->status = inner.status;
}

static void read_hello(struct metadata *from, struct bolt_version version,
                       struct bolt_request *request)
{
    request->agent = find_string(from, "user_agent");
    const struct yore_graph_value *patches =
        find_kind(from, "patch_bolt", YORE_GRAPH_LIST, "a list of strings");
    request->has_utc_patch = patches != NULL && list_has(&patches->as.list, "utc");
    const struct yore_graph_value *routing = find_kind(from, "routing", YORE_GRAPH_MAP, "a map");
    if (routing != NULL) {
        read_address(from, &routing->as.map, &request->address);
    }
    if (!bolt_version_is_since(version, 5, 1)) {
        read_login(from, &request->login);
    }
}

static void read_amount(struct metadata *from, struct bolt_request *request)
{
    const struct yore_graph_value *count = find_kind(from, "n", YORE_GRAPH_INT, "an integer");
    const struct yore_graph_value *result = find_kind(from, "qid", YORE_GRAPH_INT, "an integer");
    request->result = result != NULL ? result->as.integer : -1;
    request->count = count != NULL ? count->as.integer : 0;
    bool is_good = request->count == -1 || request->count > 0;
    if (!is_good && from->status == YORE_OK) {
        from->status =
            error_set(from->error, YORE_INVALID,
                      "%s: 'n' has to be a number of rows from 1 on, or -1 for all", from->message);
    }
}

/* ---- fields -----------------------------------------------------------------------------------
 */

static enum yore_status field(struct unpacker *from, const struct request_spec *spec,
                              enum yore_graph_kind kind, struct yore_graph_value *value_out,
                              struct yore_error *error_out)
{
    enum yore_status st = unpack_value(from, value_out, error_out);
    if (st == YORE_OK && value_out->kind != kind) {
        st = error_set(error_out, YORE_INVALID, "%s: a field is of the wrong type", spec->name);
    }
    return st;
}

/* The last field of a message with metadata: its map. */
static enum yore_status read_metadata(struct unpacker *from, const struct request_spec *spec,
                                      struct bolt_version version, struct bolt_request *request,
                                      struct yore_error *error_out)
{
    struct yore_graph_value map;
    enum yore_status st = field(from, spec, YORE_GRAPH_MAP, &map, error_out);
    if (st != YORE_OK) {
        return st;
    }
    struct metadata metadata = {spec->name, &map.as.map, error_out, YORE_OK};
    switch (request->kind) {
    case BOLT_HELLO:
        read_hello(&metadata, version, request);
        break;
    case BOLT_LOGON:
        read_login(&metadata, &request->login);
        break;
    case BOLT_PULL:
    case BOLT_DISCARD:
        read_amount(&metadata, request);
        break;
    default:
        read_scope(&metadata, &request->scope);
        break;
    }
    return metadata.status;
}

static enum yore_status read_run(struct unpacker *from, const struct request_spec *spec,
                                 struct bolt_request *request, struct yore_error *error_out)
{
    struct yore_graph_value value;
    enum yore_status st = field(from, spec, YORE_GRAPH_STRING, &value, error_out);
    if (st == YORE_OK) {
        request->text = value.as.string;
        st = field(from, spec, YORE_GRAPH_MAP, &value, error_out);
    }
    if (st == YORE_OK) {
        request->parameters = value.as.map;
    }
    return st;
}

static enum yore_status read_route(struct unpacker *from, const struct request_spec *spec,
                                   struct bolt_request *request, struct yore_error *error_out)
{
    struct yore_graph_value value;
    enum yore_status st = field(from, spec, YORE_GRAPH_MAP, &value, error_out);
    struct metadata metadata = {spec->name, NULL, error_out, YORE_OK};
    if (st == YORE_OK) {
        read_address(&metadata, &value.as.map, &request->address);
        st = metadata.status;
    }
    if (st == YORE_OK) {
        st = field(from, spec, YORE_GRAPH_LIST, &value, error_out);
    }
    if (st == YORE_OK) {
        read_bookmarks(&metadata, &value, &request->scope.bookmarks);
        st = metadata.status;
    }
    return st;
}

static enum yore_status read_fields(struct unpacker *from, const struct request_spec *spec,
                                    struct bolt_version version, struct bolt_request *request,
                                    struct yore_error *error_out)
{
    struct yore_graph_value api;
    enum yore_status st = YORE_OK;
    if (spec->fields == 0) {
        return YORE_OK;
    }
    switch (request->kind) {
    case BOLT_TELEMETRY:
        return field(from, spec, YORE_GRAPH_INT, &api, error_out);
    case BOLT_RUN:
        st = read_run(from, spec, request, error_out);
        break;
    case BOLT_ROUTE: {
        struct yore_graph_list bookmarks;
        st = read_route(from, spec, request, error_out);
        bookmarks = request->scope.bookmarks;
        if (st == YORE_OK) {
            st = read_metadata(from, spec, version, request, error_out);
        }
        request->scope.bookmarks = bookmarks;
        return st;
    }
    default:
        break;
    }
    return st == YORE_OK ? read_metadata(from, spec, version, request, error_out) : st;
}

enum yore_status bolt_request_decode(struct unpacker *from, struct bolt_version version,
                                     struct bolt_request *request_out, struct yore_error *error_out)
{
    unsigned fields = 0;
    uint8_t signature = 0;
    *request_out = (struct bolt_request){.result = -1};
    enum yore_status st = unpack_structure(from, &fields, &signature, error_out);
    if (st != YORE_OK) {
        return st;
    }
    const struct request_spec *spec = find_spec(signature);
    if (spec == NULL || !bolt_version_is_since(version, spec->major, spec->minor)) {
        return error_set(error_out, YORE_INVALID, "Bolt %u.%u has no message of signature 0x%02X",
                         version.major, version.minor, signature);
    }
    if (fields != spec->fields) {
        return error_set(error_out, YORE_INVALID, "%s has %u fields, not %u", spec->name,
                         spec->fields, fields);
    }
    request_out->kind = (enum bolt_request_kind)signature;
    st = read_fields(from, spec, version, request_out, error_out);
    if (st == YORE_OK && from->input.size > 0) {
        st = error_set(error_out, YORE_INVALID, "%s: %zu octets stand behind its last field",
                       spec->name, from->input.size);
    }
    return st;
}

/* ---- answers ----------------------------------------------------------------------------------
 */

void bolt_put_ignored(struct buffer *to)
{
    size_t begin = frame_begin(to);
    pack_structure(to, 0, BOLT_IGNORED);
    frame_end(to, begin);
}

void bolt_put_success(struct buffer *to)
{
    size_t begin = frame_begin(to);
    pack_structure(to, 1, BOLT_SUCCESS);
    pack_map(to, 0);
    frame_end(to, begin);
}

void bolt_put_failure(struct buffer *to, const char *code, const char *text)
{
    size_t begin = frame_begin(to);
    pack_structure(to, 1, BOLT_FAILURE);
    pack_map(to, 2);
    pack_text(to, "code");
    pack_text(to, code);
    pack_text(to, "message");
    pack_text(to, text);
    frame_end(to, begin);
}
