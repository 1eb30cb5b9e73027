/* property_value.c -- see property_value.h.  Nesting is followed with a stack of fixed size, for
 * values come from outside; scalars, which most are, pay for none. */
#include "topology/property_value.h"

#include <string.h>

#include "topology/limits.h"

#define TRUE_MARK 0x10u
#define NANOSECONDS_MAX 999999999u
#define DAY_NANOSECONDS 86400000000000u

/* ---- octets of scalars ---- */

static void put_bytes(struct buffer *to, struct yore_bytes bytes)
{
    buffer_append_varint(to, bytes.size);
    buffer_append_bytes(to, bytes);
}

static struct yore_bytes get_bytes(struct decoder *from)
{
    uint64_t size = decode_varint(from);
    if (size > decoder_left(from)) {
        from->is_bad = true;
        return bytes_of("", 0);
    }
    return bytes_of(decode_run(from, (size_t)size), (size_t)size);
}

static void put_real(struct buffer *to, double real)
{
    uint64_t bits;
    memcpy(&bits, &real, sizeof bits);
    buffer_append_u64(to, bits);
}

static void put_datetime(struct buffer *to, const struct yore_graph_datetime *datetime)
{
    buffer_append_zigzag(to, datetime->seconds);
    buffer_append_varint(to, (uint32_t)datetime->nanoseconds);
    buffer_append_zigzag(to, datetime->offset_seconds);
    put_bytes(to, datetime->zone);
}

static void put_duration(struct buffer *to, const struct yore_graph_duration *duration)
{
    buffer_append_zigzag(to, duration->months);
    buffer_append_zigzag(to, duration->days);
    buffer_append_zigzag(to, duration->seconds);
    buffer_append_varint(to, (uint32_t)duration->nanoseconds);
}

static enum yore_status put_scalar(struct buffer *to, const struct yore_graph_value *value,
                                   struct yore_error *error_out)
{
    unsigned mark = value->kind == YORE_GRAPH_BOOL && value->as.boolean ? TRUE_MARK : 0;
    buffer_append_u8(to, (uint8_t)((unsigned)value->kind | mark));
    switch (value->kind) {
    case YORE_GRAPH_NULL:
    case YORE_GRAPH_BOOL:
        break;
    case YORE_GRAPH_INT:
        buffer_append_zigzag(to, value->as.integer);
        break;
    case YORE_GRAPH_FLOAT:
        put_real(to, value->as.real);
        break;
    case YORE_GRAPH_STRING:
        put_bytes(to, value->as.string);
        break;
    case YORE_GRAPH_DATE:
        buffer_append_zigzag(to, value->as.days);
        break;
    case YORE_GRAPH_LOCAL_TIME:
        buffer_append_varint(to, (uint64_t)value->as.nanoseconds);
        break;
    case YORE_GRAPH_TIME:
        buffer_append_varint(to, (uint64_t)value->as.time.nanoseconds);
        buffer_append_zigzag(to, value->as.time.offset_seconds);
        break;
    case YORE_GRAPH_LOCAL_DATETIME:
        buffer_append_zigzag(to, value->as.clock.seconds);
        buffer_append_varint(to, (uint32_t)value->as.clock.nanoseconds);
        break;
    case YORE_GRAPH_DATETIME:
        put_datetime(to, value->as.datetime);
        break;
    case YORE_GRAPH_DURATION:
        put_duration(to, value->as.duration);
        break;
    default:
        return error_set(error_out, YORE_INVALID,
                         "a node, relationship or path cannot be a property");
    }
    return YORE_OK;
}

/* ---- encoding ---- */

/* A list (items) or a map (entries) whose members are being written. */
struct open_value {
    const struct yore_graph_value *items;
    const struct yore_graph_entry *entries;
    size_t count;
    size_t next;
};

static bool are_names_ascending(const struct yore_graph_map *map)
{
    for (size_t i = 1; i < map->count; i++) {
        if (bytes_compare(map->entries[i - 1].name, map->entries[i].name) >= 0) {
            return false;
        }
    }
    return true;
}

/* Write the head of `value`; a list or map is put on the stack. */
static enum yore_status put_head(struct buffer *to, const struct yore_graph_value *value,
                                 struct open_value *stack, size_t *depth,
                                 struct yore_error *error_out)
{
    bool is_list = value->kind == YORE_GRAPH_LIST;
    if (!is_list && value->kind != YORE_GRAPH_MAP) {
        return put_scalar(to, value, error_out);
    }
    if (*depth == GRAPH_VALUE_DEPTH_MAX) {
        return error_set(error_out, YORE_TOO_BIG,
                         "a property's lists and maps nest to %u levels at most",
                         GRAPH_VALUE_DEPTH_MAX);
    }
    if (!is_list && !are_names_ascending(&value->as.map)) {
        return error_set(error_out, YORE_INVALID,
                         "the names of a map must ascend, each of them once");
    }
    struct open_value *open = &stack[(*depth)++];
    *open = (struct open_value){
        .items = is_list ? value->as.list.items : NULL,
        .entries = is_list ? NULL : value->as.map.entries,
        .count = is_list ? value->as.list.count : value->as.map.count,
    };
    buffer_append_u8(to, (uint8_t)value->kind);
    buffer_append_varint(to, open->count);
    return YORE_OK;
}

static enum yore_status put_nested(struct buffer *to, const struct yore_graph_value *value,
                                   struct yore_error *error_out)
{
    struct open_value stack[GRAPH_VALUE_DEPTH_MAX];
    size_t depth = 0;
    enum yore_status st = put_head(to, value, stack, &depth, error_out);
    while (st == YORE_OK && depth > 0) {
        struct open_value *open = &stack[depth - 1];
        if (open->next == open->count) {
            depth--;
            continue;
        }
        size_t i = open->next++;
        if (open->entries != NULL) {
            put_bytes(to, open->entries[i].name);
        }
        st = put_head(to, open->entries != NULL ? &open->entries[i].value : &open->items[i], stack,
                      &depth, error_out);
    }
    return st;
}

static bool is_nested(unsigned kind)
{
    return kind == YORE_GRAPH_LIST || kind == YORE_GRAPH_MAP;
}

enum yore_status property_value_encode(struct buffer *to, const struct yore_graph_value *value,
                                       struct yore_error *error_out)
{
    return is_nested(value->kind) ? put_nested(to, value, error_out)
                                  : put_scalar(to, value, error_out);
}

/* ---- passing over ---- */

static void skip_scalar(struct decoder *from, unsigned kind)
{
    switch (kind) {
    case YORE_GRAPH_NULL:
    case YORE_GRAPH_BOOL:
    case YORE_GRAPH_BOOL | TRUE_MARK:
        break;
    case YORE_GRAPH_INT:
    case YORE_GRAPH_DATE:
    case YORE_GRAPH_LOCAL_TIME:
        decode_varint(from);
        break;
    case YORE_GRAPH_FLOAT:
        decode_u64(from);
        break;
    case YORE_GRAPH_STRING:
        get_bytes(from);
        break;
    case YORE_GRAPH_TIME:
    case YORE_GRAPH_LOCAL_DATETIME:
        decode_varint(from);
        decode_varint(from);
        break;
    case YORE_GRAPH_DATETIME:
        decode_varint(from);
        decode_varint(from);
        decode_varint(from);
        get_bytes(from);
        break;
    case YORE_GRAPH_DURATION:
        for (int i = 0; i < 4; i++) {
            decode_varint(from);
        }
        break;
    default:
        from->is_bad = true;
    }
}

/* Maps are passed over with a stack too: their names stand between the values. */
static bool skip_nested(struct decoder *from)
{
    struct {
        uint64_t left;
        bool is_map;
    } stack[GRAPH_VALUE_DEPTH_MAX + 1];
    size_t depth = 1;
    stack[0].left = 1;
    stack[0].is_map = false;
    while (depth > 0 && !from->is_bad) {
        if (stack[depth - 1].left == 0) {
            depth--;
            continue;
        }
        stack[depth - 1].left--;
        if (stack[depth - 1].is_map) {
            get_bytes(from);
        }
        unsigned kind = decode_u8(from);
        if (!is_nested(kind)) {
            skip_scalar(from, kind);
        } else if (depth == GRAPH_VALUE_DEPTH_MAX + 1) {
            from->is_bad = true;
        } else {
            stack[depth].left = decode_varint(from);
            stack[depth].is_map = kind == YORE_GRAPH_MAP;
            from->is_bad |= stack[depth].left > decoder_left(from);
            depth++;
        }
    }
    return !from->is_bad;
}

bool property_value_skip(struct decoder *from)
{
    if (decoder_left(from) > 0 && is_nested(*from->at)) {
        return skip_nested(from);
    }
    skip_scalar(from, decode_u8(from));
    return !from->is_bad;
}

/* ---- decoding ---- */

static int32_t get_small(struct decoder *from)
{
    int64_t v = decode_zigzag(from);
    if (v < INT32_MIN || v > INT32_MAX) {
        from->is_bad = true;
        return 0;
    }
    return (int32_t)v;
}

static int32_t get_nanoseconds(struct decoder *from)
{
    uint64_t v = decode_varint(from);
    if (v > NANOSECONDS_MAX) {
        from->is_bad = true;
        return 0;
    }
    return (int32_t)v;
}

static int64_t get_time_of_day(struct decoder *from)
{
    uint64_t v = decode_varint(from);
    if (v >= DAY_NANOSECONDS) {
        from->is_bad = true;
        return 0;
    }
    return (int64_t)v;
}

static double get_real(struct decoder *from)
{
    uint64_t bits = decode_u64(from);
    double real;
    memcpy(&real, &bits, sizeof real);
    return real;
}

static enum yore_status get_datetime(struct decoder *from, struct arena *arena,
                                     struct yore_graph_value *value_out)
{
    struct yore_graph_datetime *datetime = arena_alloc(arena, sizeof *datetime);
    if (datetime == NULL) {
        return YORE_NOMEM;
    }
    datetime->seconds = decode_zigzag(from);
    datetime->nanoseconds = get_nanoseconds(from);
    datetime->offset_seconds = get_small(from);
    datetime->zone = get_bytes(from);
    value_out->as.datetime = datetime;
    return YORE_OK;
}

static enum yore_status get_duration(struct decoder *from, struct arena *arena,
                                     struct yore_graph_value *value_out)
{
    struct yore_graph_duration *duration = arena_alloc(arena, sizeof *duration);
    if (duration == NULL) {
        return YORE_NOMEM;
    }
    duration->months = decode_zigzag(from);
    duration->days = decode_zigzag(from);
    duration->seconds = decode_zigzag(from);
    duration->nanoseconds = get_nanoseconds(from);
    duration->reserved = 0;
    value_out->as.duration = duration;
    return YORE_OK;
}

static enum yore_status get_scalar(struct decoder *from, unsigned kind, struct arena *arena,
                                   struct yore_graph_value *value_out)
{
    value_out->kind = (enum yore_graph_kind)(kind & ~TRUE_MARK);
    switch (kind) {
    case YORE_GRAPH_NULL:
        break;
    case YORE_GRAPH_BOOL:
    case YORE_GRAPH_BOOL | TRUE_MARK:
        value_out->as.boolean = kind != YORE_GRAPH_BOOL;
        break;
    case YORE_GRAPH_INT:
        value_out->as.integer = decode_zigzag(from);
        break;
    case YORE_GRAPH_FLOAT:
        value_out->as.real = get_real(from);
        break;
    case YORE_GRAPH_STRING:
        value_out->as.string = get_bytes(from);
        break;
    case YORE_GRAPH_DATE:
        value_out->as.days = decode_zigzag(from);
        break;
    case YORE_GRAPH_LOCAL_TIME:
        value_out->as.nanoseconds = get_time_of_day(from);
        break;
    case YORE_GRAPH_TIME:
        value_out->as.time = (struct yore_graph_time){.nanoseconds = get_time_of_day(from)};
        value_out->as.time.offset_seconds = get_small(from);
        break;
    case YORE_GRAPH_LOCAL_DATETIME:
        value_out->as.clock = (struct yore_graph_clock){.seconds = decode_zigzag(from)};
        value_out->as.clock.nanoseconds = get_nanoseconds(from);
        break;
    case YORE_GRAPH_DATETIME:
        return get_datetime(from, arena, value_out);
    case YORE_GRAPH_DURATION:
        return get_duration(from, arena, value_out);
    default:
        from->is_bad = true;
    }
    return YORE_OK;
}

/* A list or map that is being filled. */
struct filling {
    struct yore_graph_value *items;
    struct yore_graph_entry *entries;
    size_t count;
    size_t next;
};

/* Read the head of a value; a list or map gets its room and is put on the stack. */
static enum yore_status get_head(struct decoder *from, struct arena *arena,
                                 struct yore_graph_value *value_out, struct filling *stack,
                                 size_t *depth)
{
    unsigned kind = decode_u8(from);
    if (!is_nested(kind)) {
        return get_scalar(from, kind, arena, value_out);
    }
    bool is_list = kind == YORE_GRAPH_LIST;
    uint64_t count = decode_varint(from);
    if (count > decoder_left(from) || *depth == GRAPH_VALUE_DEPTH_MAX) {
        from->is_bad = true; /* a member takes an octet at least */
        return YORE_OK;
    }
    size_t member = is_list ? sizeof(struct yore_graph_value) : sizeof(struct yore_graph_entry);
    void *members = arena_alloc(arena, (size_t)count * member + 1);
    if (members == NULL) {
        return YORE_NOMEM;
    }
    struct filling *filling = &stack[(*depth)++];
    *filling = (struct filling){.count = (size_t)count};
    value_out->kind = (enum yore_graph_kind)kind;
    if (is_list) {
        filling->items = members;
        value_out->as.list = (struct yore_graph_list){members, (size_t)count};
    } else {
        filling->entries = members;
        value_out->as.map = (struct yore_graph_map){members, (size_t)count};
    }
    return YORE_OK;
}

static enum yore_status get_nested(struct decoder *from, struct arena *arena,
                                   struct yore_graph_value *value_out)
{
    struct filling stack[GRAPH_VALUE_DEPTH_MAX];
    size_t depth = 0;
    enum yore_status st = get_head(from, arena, value_out, stack, &depth);
    while (st == YORE_OK && depth > 0 && !from->is_bad) {
        struct filling *filling = &stack[depth - 1];
        if (filling->next == filling->count) {
            depth--;
            continue;
        }
        size_t i = filling->next++;
        struct yore_graph_value *member;
        if (filling->entries != NULL) {
            filling->entries[i].name = get_bytes(from);
            member = &filling->entries[i].value;
        } else {
            member = &filling->items[i];
        }
        *member = (struct yore_graph_value){0};
        st = get_head(from, arena, member, stack, &depth);
    }
    return st == YORE_OK && from->is_bad ? YORE_CORRUPT : st;
}

enum yore_status property_value_decode_any(struct decoder *from, struct arena *arena,
                                           struct yore_graph_value *value_out)
{
    *value_out = (struct yore_graph_value){0};
    if (decoder_left(from) > 0 && is_nested(*from->at)) {
        return get_nested(from, arena, value_out);
    }
    enum yore_status st = get_scalar(from, decode_u8(from), arena, value_out);
    return st == YORE_OK && from->is_bad ? YORE_CORRUPT : st;
}
