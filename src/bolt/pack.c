/* pack.c -- values to octets.  The recursion is bounded: values nest QUERY_VALUE_DEPTH_MAX deep. */
#include <string.h>

#include "bolt/packstream.h"
#include "query/id_map.h"
#include "query/number.h"
#include "query/value.h"

/* ---- scalars and heads ------------------------------------------------------------------------
 */

/* The lowest `size` octets of `number`, the most significant first. */
static void put_big(struct buffer *to, uint64_t number, unsigned size)
{
    unsigned char *at = buffer_extend(to, size);
    for (unsigned i = 0; at != NULL && i < size; i++) {
        at[i] = (unsigned char)(number >> (8 * (size - 1 - i)));
    }
}

void pack_null(struct buffer *to)
{
    buffer_append_u8(to, 0xC0);
}

void pack_bool(struct buffer *to, bool boolean)
{
    buffer_append_u8(to, boolean ? 0xC3 : 0xC2);
}

void pack_int(struct buffer *to, int64_t integer)
{
    if (integer >= -16 && integer <= 127) {
        buffer_append_u8(to, (uint8_t)integer);
        return;
    }
    unsigned size = 8;
    uint8_t marker = 0xCB;
    if (integer >= INT8_MIN && integer <= INT8_MAX) {
        size = 1;
        marker = 0xC8;
    } else if (integer >= INT16_MIN && integer <= INT16_MAX) {
        size = 2;
        marker = 0xC9;
    } else if (integer >= INT32_MIN && integer <= INT32_MAX) {
        size = 4;
        marker = 0xCA;
    }
    buffer_append_u8(to, marker);
    put_big(to, (uint64_t)integer, size);
}

void pack_float(struct buffer *to, double real)
{
    uint64_t bits;
    memcpy(&bits, &real, sizeof(bits));
    buffer_append_u8(to, 0xC1);
    put_big(to, bits, 8);
}

/* `tiny` is the marker of up to 15, `marker` that of a count of one octet; those of two and four
 * stand behind it. */
static void put_head(struct buffer *to, size_t count, uint8_t tiny, uint8_t marker)
{
    if (count < 16) {
        buffer_append_u8(to, (uint8_t)(tiny | count));
    } else if (count <= UINT8_MAX) {
        buffer_append_u8(to, marker);
        put_big(to, count, 1);
    } else if (count <= UINT16_MAX) {
        buffer_append_u8(to, (uint8_t)(marker + 1));
        put_big(to, count, 2);
    } else {
        buffer_append_u8(to, (uint8_t)(marker + 2));
        put_big(to, count, 4);
    }
}

void pack_string(struct buffer *to, struct yore_bytes string)
{
    put_head(to, string.size, 0x80, 0xD0);
    buffer_append_bytes(to, string);
}

void pack_text(struct buffer *to, const char *text)
{
    pack_string(to, bytes_of(text, strlen(text)));
}

void pack_list(struct buffer *to, size_t count)
{
    put_head(to, count, 0x90, 0xD4);
}

void pack_map(struct buffer *to, size_t count)
{
    put_head(to, count, 0xA0, 0xD8);
}

void pack_structure(struct buffer *to, unsigned fields, uint8_t signature)
{
    buffer_append_u8(to, (uint8_t)(0xB0 | fields));
    buffer_append_u8(to, signature);
}

/* ---- values -----------------------------------------------------------------------------------
 */

struct packer {
    struct buffer *to;
    struct pack_dialect dialect;
    struct arena *scratch;
};

static enum yore_status put_value(struct packer *packer, const struct yore_graph_value *value);

static enum yore_status put_entries(struct packer *packer, const struct yore_graph_map *map)
{
    if (map->count > UINT32_MAX) {
        return YORE_TOO_BIG;
    }
    pack_map(packer->to, map->count);
    enum yore_status st = YORE_OK;
    for (size_t i = 0; st == YORE_OK && i < map->count; i++) {
        pack_string(packer->to, map->entries[i].name);
        st = put_value(packer, &map->entries[i].value);
    }
    return st;
}

static enum yore_status put_items(struct packer *packer, const struct yore_graph_list *list)
{
    if (list->count > UINT32_MAX) {
        return YORE_TOO_BIG;
    }
    pack_list(packer->to, list->count);
    enum yore_status st = YORE_OK;
    for (size_t i = 0; st == YORE_OK && i < list->count; i++) {
        st = put_value(packer, &list->items[i]);
    }
    return st;
}

/* As elementId() has it. */
static void put_element_id(struct packer *packer, uint64_t id)
{
    char text[FLOAT_TEXT_BYTES];
    if (packer->dialect.has_element_ids) {
        pack_string(packer->to, bytes_of(text, integer_write((int64_t)id, text)));
    }
}

static unsigned with_ids(const struct packer *packer, unsigned fields, unsigned ids)
{
    return packer->dialect.has_element_ids ? fields + ids : fields;
}

static enum yore_status put_node(struct packer *packer, const struct yore_graph_node *node)
{
    pack_structure(packer->to, with_ids(packer, 3, 1), PACK_NODE);
    pack_int(packer->to, (int64_t)node->id);
    pack_list(packer->to, node->label_count);
    for (size_t i = 0; i < node->label_count; i++) {
        pack_string(packer->to, node->labels[i]);
    }
    enum yore_status st = put_entries(packer, &node->properties);
    put_element_id(packer, node->id);
    return st;
}

static enum yore_status put_relationship(struct packer *packer,
                                         const struct yore_graph_relationship *relationship)
{
    pack_structure(packer->to, with_ids(packer, 5, 3), PACK_RELATIONSHIP);
    pack_int(packer->to, (int64_t)relationship->id);
    pack_int(packer->to, (int64_t)relationship->start_id);
    pack_int(packer->to, (int64_t)relationship->end_id);
    pack_string(packer->to, relationship->type);
    enum yore_status st = put_entries(packer, &relationship->properties);
    put_element_id(packer, relationship->id);
    put_element_id(packer, relationship->start_id);
    put_element_id(packer, relationship->end_id);
    return st;
}

static enum yore_status put_unbound(struct packer *packer,
                                    const struct yore_graph_relationship *relationship)
{
    pack_structure(packer->to, with_ids(packer, 3, 1), PACK_UNBOUND_RELATIONSHIP);
    pack_int(packer->to, (int64_t)relationship->id);
    pack_string(packer->to, relationship->type);
    enum yore_status st = put_entries(packer, &relationship->properties);
    put_element_id(packer, relationship->id);
    return st;
}

/* The places of `values` in `map`, each element once; in `places`. */
static enum yore_status find_distinct(const struct yore_graph_value *values, size_t count,
                                      struct id_map *map, uint32_t *places)
{
    enum yore_status st = YORE_OK;
    for (size_t i = 0; st == YORE_OK && i < count; i++) {
        bool is_new;
        st = id_map_put(map, value_element_id(&values[i]), (uint32_t)map->count, &places[i],
                        &is_new);
    }
    return st;
}

/* Does `values[i]` come there for the first time? */
static bool is_first(const uint32_t *places, size_t i, uint32_t *next)
{
    bool is_new = places[i] == *next;
    *next += is_new ? 1 : 0;
    return is_new;
}

/* Distinct nodes, distinct relationships, and the walk over them: for each step the relationship
 * counted from 1, negative when it is gone against its direction, and the node it leads to. */
static enum yore_status put_walk(struct packer *packer, const struct yore_graph_path *path,
                                 const uint32_t *nodes, const uint32_t *relationships)
{
    enum yore_status st = YORE_OK;
    uint32_t next = 0;
    for (size_t i = 0; st == YORE_OK && i <= path->length; i++) {
        st = is_first(nodes, i, &next) ? put_value(packer, &path->nodes[i]) : YORE_OK;
    }
    next = 0;
    uint32_t count = 0;
    for (size_t i = 0; i < path->length; i++) {
        is_first(relationships, i, &count);
    }
    pack_list(packer->to, count);
    for (size_t i = 0; st == YORE_OK && i < path->length; i++) {
        st = is_first(relationships, i, &next)
                 ? put_unbound(packer, path->relationships[i].as.relationship)
                 : YORE_OK;
    }
    pack_list(packer->to, 2 * path->length);
    for (size_t i = 0; st == YORE_OK && i < path->length; i++) {
        const struct yore_graph_relationship *relationship = path->relationships[i].as.relationship;
        int64_t place = (int64_t)relationships[i] + 1;
        bool is_forward = relationship->start_id == value_element_id(&path->nodes[i]);
        pack_int(packer->to, is_forward ? place : -place);
        pack_int(packer->to, nodes[i + 1]);
    }
    return st;
}

static enum yore_status put_path(struct packer *packer, const struct yore_graph_path *path)
{
    if (path->length > UINT32_MAX / 2 - 1) {
        return YORE_TOO_BIG;
    }
    struct arena_mark mark = arena_mark(packer->scratch);
    struct id_map nodes = {.arena = packer->scratch};
    struct id_map relationships = {.arena = packer->scratch};
    uint32_t *places = arena_alloc(packer->scratch, (2 * path->length + 1) * sizeof(*places));
    enum yore_status st = places != NULL ? YORE_OK : YORE_NOMEM;
    if (st == YORE_OK) {
        st = find_distinct(path->nodes, path->length + 1, &nodes, places);
    }
    if (st == YORE_OK) {
        st = find_distinct(path->relationships, path->length, &relationships,
                           places + path->length + 1);
    }
    if (st == YORE_OK) {
        pack_structure(packer->to, 3, PACK_PATH);
        pack_list(packer->to, nodes.count);
        st = put_walk(packer, path, places, places + path->length + 1);
    }
    arena_rewind(packer->scratch, mark);
    return st;
}

static void put_datetime(struct packer *packer, const struct yore_graph_datetime *datetime)
{
    bool has_utc = packer->dialect.has_utc;
    bool has_zone = datetime->zone.size > 0;
    uint8_t signature = has_zone ? (has_utc ? PACK_DATETIME_ZONE : PACK_DATETIME_ZONE_LEGACY)
                                 : (has_utc ? PACK_DATETIME : PACK_DATETIME_LEGACY);
    pack_structure(packer->to, 3, signature);
    pack_int(packer->to, datetime->seconds + (has_utc ? 0 : datetime->offset_seconds));
    pack_int(packer->to, datetime->nanoseconds);
    if (has_zone) {
        pack_string(packer->to, datetime->zone);
    } else {
        pack_int(packer->to, datetime->offset_seconds);
    }
}

static void put_duration(struct packer *packer, const struct yore_graph_duration *duration)
{
    pack_structure(packer->to, 4, PACK_DURATION);
    pack_int(packer->to, duration->months);
    pack_int(packer->to, duration->days);
    pack_int(packer->to, duration->seconds);
    pack_int(packer->to, duration->nanoseconds);
}

static void put_temporal(struct packer *packer, const struct yore_graph_value *value)
{
    switch (value->kind) {
    case YORE_GRAPH_DATE:
        pack_structure(packer->to, 1, PACK_DATE);
        pack_int(packer->to, value->as.days);
        break;
    case YORE_GRAPH_LOCAL_TIME:
        pack_structure(packer->to, 1, PACK_LOCAL_TIME);
        pack_int(packer->to, value->as.nanoseconds);
        break;
    case YORE_GRAPH_TIME:
        pack_structure(packer->to, 2, PACK_TIME);
        pack_int(packer->to, value->as.time.nanoseconds);
        pack_int(packer->to, value->as.time.offset_seconds);
        break;
    case YORE_GRAPH_LOCAL_DATETIME:
        pack_structure(packer->to, 2, PACK_LOCAL_DATETIME);
        pack_int(packer->to, value->as.clock.seconds);
        pack_int(packer->to, value->as.clock.nanoseconds);
        break;
    case YORE_GRAPH_DATETIME:
        put_datetime(packer, value->as.datetime);
        break;
    default:
        put_duration(packer, value->as.duration);
        break;
    }
}

static enum yore_status put_value(struct packer *packer, const struct yore_graph_value *value)
{
    switch (value->kind) {
    case YORE_GRAPH_BOOL:
        pack_bool(packer->to, value->as.boolean);
        break;
    case YORE_GRAPH_INT:
        pack_int(packer->to, value->as.integer);
        break;
    case YORE_GRAPH_FLOAT:
        pack_float(packer->to, value->as.real);
        break;
    case YORE_GRAPH_STRING:
        if (value->as.string.size > UINT32_MAX) {
            return YORE_TOO_BIG;
        }
        pack_string(packer->to, value->as.string);
        break;
    case YORE_GRAPH_LIST:
        return put_items(packer, &value->as.list);
    case YORE_GRAPH_MAP:
        return put_entries(packer, &value->as.map);
    case YORE_GRAPH_NODE:
        return put_node(packer, value->as.node);
    case YORE_GRAPH_RELATIONSHIP:
        return put_relationship(packer, value->as.relationship);
    case YORE_GRAPH_PATH:
        return put_path(packer, value->as.path);
    case YORE_GRAPH_DATE:
    case YORE_GRAPH_LOCAL_TIME:
    case YORE_GRAPH_TIME:
    case YORE_GRAPH_LOCAL_DATETIME:
    case YORE_GRAPH_DATETIME:
    case YORE_GRAPH_DURATION:
        put_temporal(packer, value);
        break;
    case YORE_GRAPH_NULL:
    case YORE_GRAPH_NODE_REF: /* never in a result */
    case YORE_GRAPH_RELATIONSHIP_REF:
    default:
        pack_null(packer->to);
        break;
    }
    return YORE_OK;
}

enum yore_status pack_value(struct buffer *to, const struct pack_dialect *dialect,
                            struct arena *scratch, const struct yore_graph_value *value)
{
    struct packer packer = {to, *dialect, scratch};
    enum yore_status st = put_value(&packer, value);
    return st == YORE_OK ? buffer_status(to) : st;
}
