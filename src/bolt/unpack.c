/* unpack.c -- octets to values.  The recursion is bounded by BOLT_VALUE_DEPTH_MAX. */
#include <inttypes.h>
#include <string.h>

#include "base/checked.h"
#include "bolt/limits.h"
#include "bolt/packstream.h"
#include "query/map.h"
#include "query/temporal.h"
#include "query/value.h"

static enum yore_status cut_short(struct yore_error *error_out)
{
    return error_set(error_out, YORE_INVALID, "the message ends inside of a value");
}

/* ---- octets -----------------------------------------------------------------------------------
 */

static bool take_u8(struct unpacker *from, uint8_t *octet_out)
{
    if (from->input.size == 0) {
        return false;
    }
    *octet_out = *(const unsigned char *)from->input.data;
    from->input = bytes_behind(from->input, 1);
    return true;
}

/* A number of `size` octets, the most significant first. */
static bool take_big(struct unpacker *from, unsigned size, uint64_t *number_out)
{
    if (from->input.size < size) {
        return false;
    }
    const unsigned char *at = from->input.data;
    uint64_t number = 0;
    for (unsigned i = 0; i < size; i++) {
        number = number << 8 | at[i];
    }
    from->input = bytes_behind(from->input, size);
    *number_out = number;
    return true;
}

static int64_t sign_extended(uint64_t number, unsigned size)
{
    unsigned shift = 64 - 8 * size;
    uint64_t sign = UINT64_C(1) << (8 * size - 1);
    return shift == 0 ? (int64_t)number : (int64_t)(number ^ sign) - (int64_t)sign;
}

/* ---- heads ------------------------------------------------------------------------------------
 */

enum kind {
    KIND_NULL,
    KIND_BOOL,
    KIND_INT,
    KIND_FLOAT,
    KIND_OCTETS,
    KIND_STRING,
    KIND_LIST,
    KIND_MAP,
    KIND_STRUCTURE
};

struct head {
    enum kind kind;
    uint64_t number; /* the bool, the integer's or float's bits, the count */
    uint8_t signature;
};

/* Markers from C0 on: what they are, and how many octets of a number follow. */
struct marker {
    uint8_t marker;
    uint8_t kind;
    uint8_t size;
};

static const struct marker MARKERS[] = {
    {0xC0, KIND_NULL, 0},   {0xC1, KIND_FLOAT, 8},  {0xC2, KIND_BOOL, 0},   {0xC3, KIND_BOOL, 0},
    {0xC8, KIND_INT, 1},    {0xC9, KIND_INT, 2},    {0xCA, KIND_INT, 4},    {0xCB, KIND_INT, 8},
    {0xCC, KIND_OCTETS, 1}, {0xCD, KIND_OCTETS, 2}, {0xCE, KIND_OCTETS, 4}, {0xD0, KIND_STRING, 1},
    {0xD1, KIND_STRING, 2}, {0xD2, KIND_STRING, 4}, {0xD4, KIND_LIST, 1},   {0xD5, KIND_LIST, 2},
    {0xD6, KIND_LIST, 4},   {0xD8, KIND_MAP, 1},    {0xD9, KIND_MAP, 2},    {0xDA, KIND_MAP, 4}};

/* Markers that hold their number themselves; false: it is none of them. */
static bool read_tiny(uint8_t marker, struct head *head_out)
{
    static const enum kind kinds[] = {KIND_STRING, KIND_LIST, KIND_MAP, KIND_STRUCTURE};
    if (marker <= 0x7F || marker >= 0xF0) {
        *head_out = (struct head){KIND_INT, (uint64_t)sign_extended(marker, 1), 0};
        return true;
    }
    if (marker >= 0x80 && marker <= 0xBF) {
        *head_out = (struct head){kinds[(marker - 0x80) >> 4], marker & 0x0F, 0};
        return true;
    }
    return false;
}

static enum yore_status read_head(struct unpacker *from, struct head *head_out,
                                  struct yore_error *error_out)
{
    uint8_t marker;
    if (!take_u8(from, &marker)) {
        return cut_short(error_out);
    }
    if (read_tiny(marker, head_out)) {
        bool is_whole = head_out->kind != KIND_STRUCTURE || take_u8(from, &head_out->signature);
        return is_whole ? YORE_OK : cut_short(error_out);
    }
    for (size_t i = 0; i < sizeof(MARKERS) / sizeof(MARKERS[0]); i++) {
        const struct marker *at = &MARKERS[i];
        if (at->marker != marker) {
            continue;
        }
        *head_out = (struct head){(enum kind)at->kind, marker == 0xC3 ? 1 : 0, 0};
        if (at->size > 0 && !take_big(from, at->size, &head_out->number)) {
            return cut_short(error_out);
        }
        if (at->kind == KIND_INT) {
            head_out->number = (uint64_t)sign_extended(head_out->number, at->size);
        }
        return YORE_OK;
    }
    return error_set(error_out, YORE_INVALID, "PackStream has no marker 0x%02X", marker);
}

enum yore_status unpack_structure(struct unpacker *from, unsigned *fields_out,
                                  uint8_t *signature_out, struct yore_error *error_out)
{
    struct head head;
    enum yore_status st = read_head(from, &head, error_out);
    if (st == YORE_OK && head.kind != KIND_STRUCTURE) {
        st = error_set(error_out, YORE_INVALID, "a message is a structure");
    }
    if (st == YORE_OK) {
        *fields_out = (unsigned)head.number;
        *signature_out = head.signature;
    }
    return st;
}

/* ---- room -------------------------------------------------------------------------------------
 */

static enum yore_status take_room(struct unpacker *from, size_t size, void **room_out,
                                  struct yore_error *error_out)
{
    if (size > from->memory_left) {
        return error_set(error_out, YORE_TOO_BIG,
                         "the values of a request take too much memory: send less at a time");
    }
    from->memory_left -= size;
    *room_out = arena_alloc(from->arena, size + 1);
    return *room_out != NULL ? YORE_OK : error_plain(error_out, YORE_NOMEM);
}

/* Room for `count` things of `size` octets, each of which takes `least` octets of the input or
 * more. */
static enum yore_status take_array(struct unpacker *from, uint64_t count, size_t least, size_t size,
                                   void **room_out, struct yore_error *error_out)
{
    if (count > from->input.size / least) {
        return cut_short(error_out);
    }
    return take_room(from, (size_t)count * size, room_out, error_out); /* counts have 32 bits */
}

static enum yore_status read_octets(struct unpacker *from, uint64_t count,
                                    struct yore_bytes *bytes_out, struct yore_error *error_out)
{
    void *copy = NULL;
    enum yore_status st = take_array(from, count, 1, 1, &copy, error_out);
    if (st != YORE_OK) {
        return st;
    }
    if (count > 0) {
        memcpy(copy, from->input.data, (size_t)count);
        from->input = bytes_behind(from->input, (size_t)count);
    }
    *bytes_out = bytes_of(copy, (size_t)count);
    return YORE_OK;
}

/* ---- structures -------------------------------------------------------------------------------
 */

static enum yore_status read_int(struct unpacker *from, int64_t *number_out,
                                 struct yore_error *error_out)
{
    struct head head;
    enum yore_status st = read_head(from, &head, error_out);
    if (st == YORE_OK && head.kind != KIND_INT) {
        return error_set(error_out, YORE_INVALID, "a field of a date or time is no integer");
    }
    *number_out = st == YORE_OK ? (int64_t)head.number : 0;
    return st;
}

static enum yore_status read_name(struct unpacker *from, struct yore_bytes *name_out,
                                  struct yore_error *error_out)
{
    struct head head;
    enum yore_status st = read_head(from, &head, error_out);
    if (st == YORE_OK && head.kind != KIND_STRING) {
        return error_set(error_out, YORE_INVALID, "the name of a map's entry is no string");
    }
    return st == YORE_OK ? read_octets(from, head.number, name_out, error_out) : st;
}

static bool is_narrow(int64_t number)
{
    return number >= INT32_MIN && number <= INT32_MAX;
}

/* Local seconds since 1970: in `zone`, or at an offset. */
static enum yore_status make_datetime(struct unpacker *from, const struct temporal *local,
                                      struct yore_bytes zone, bool is_local,
                                      struct yore_graph_value *value_out,
                                      struct yore_error *error_out)
{
    struct temporal_context context = {.arena = from->arena, .zones = from->zones};
    struct temporal temporal = *local;
    enum yore_status st = YORE_OK;
    if (zone.size > 0) {
        st = is_local ? temporal_set_zone(&context, &temporal, zone, error_out)
                      : temporal_move_zone(&context, &temporal, zone, error_out);
    }
    if (st == YORE_OK) {
        st = temporal_value(&context, YORE_GRAPH_DATETIME, &temporal, value_out, error_out);
    }
    return st == YORE_NOMEM ? st : st != YORE_OK ? YORE_UNSUPPORTED : YORE_OK;
}

/* Within the years there are, so that nothing overflows. */
#define SECONDS_MAX INT64_C(31556889864403199)

static enum yore_status read_datetime(struct unpacker *from, uint8_t signature,
                                      struct yore_graph_value *value_out,
                                      struct yore_error *error_out)
{
    bool has_zone = signature == PACK_DATETIME_ZONE || signature == PACK_DATETIME_ZONE_LEGACY;
    bool is_local = signature == PACK_DATETIME_LEGACY || signature == PACK_DATETIME_ZONE_LEGACY;
    int64_t seconds = 0;
    int64_t nanoseconds = 0;
    int64_t offset = 0;
    struct yore_bytes zone = {NULL, 0};
    enum yore_status st = read_int(from, &seconds, error_out);
    if (st == YORE_OK) {
        st = read_int(from, &nanoseconds, error_out);
    }
    if (st == YORE_OK) {
        st = has_zone ? read_name(from, &zone, error_out) : read_int(from, &offset, error_out);
    }
    if (st != YORE_OK) {
        return st;
    }
    if (seconds > SECONDS_MAX || seconds < -SECONDS_MAX || nanoseconds < 0 ||
        nanoseconds >= TEMPORAL_SECOND_NS || offset < -TEMPORAL_OFFSET_MAX ||
        offset > TEMPORAL_OFFSET_MAX || (has_zone && zone.size == 0)) {
        return error_set(error_out, YORE_UNSUPPORTED,
                         "a datetime lies in the years -999999999 to 999999999 and has a zone, or "
                         "an offset of at most 18 hours");
    }
    struct temporal local =
        temporal_of_moment(is_local || has_zone ? seconds : seconds + offset, nanoseconds);
    local.has_offset = true;
    local.offset_seconds = has_zone ? 0 : (int32_t)offset;
    return make_datetime(from, &local, zone, is_local, value_out, error_out);
}

/* The integers of the other temporal kinds. */
static enum yore_status read_numbers(struct unpacker *from, unsigned count, int64_t *numbers,
                                     struct yore_error *error_out)
{
    enum yore_status st = YORE_OK;
    for (unsigned i = 0; st == YORE_OK && i < count; i++) {
        st = read_int(from, &numbers[i], error_out);
    }
    return st;
}

static enum yore_status read_duration(struct unpacker *from, struct yore_graph_value *value_out,
                                      struct yore_error *error_out)
{
    int64_t numbers[4] = {0};
    void *room = NULL;
    enum yore_status st = read_numbers(from, 4, numbers, error_out);
    if (st == YORE_OK) {
        st = take_room(from, sizeof(struct yore_graph_duration), &room, error_out);
    }
    if (st != YORE_OK) {
        return st;
    }
    /* Nanoseconds beyond a second, or before it, go to the seconds. */
    int64_t carry = numbers[3] / TEMPORAL_SECOND_NS - (numbers[3] % TEMPORAL_SECOND_NS < 0 ? 1 : 0);
    int64_t seconds;
    if (!checked_add_i64(numbers[2], carry, &seconds)) {
        return error_set(error_out, YORE_UNSUPPORTED, "the seconds of a duration have 64 bits");
    }
    struct yore_graph_duration *duration = room;
    *duration = (struct yore_graph_duration){
        .months = numbers[0],
        .days = numbers[1],
        .seconds = seconds,
        .nanoseconds = (int32_t)(numbers[3] - carry * TEMPORAL_SECOND_NS)};
    *value_out = (struct yore_graph_value){.kind = YORE_GRAPH_DURATION, .as.duration = duration};
    return YORE_OK;
}

/* Kinds that are one or two integers. */
static enum yore_status read_simple(struct unpacker *from, uint8_t signature,
                                    struct yore_graph_value *value_out,
                                    struct yore_error *error_out)
{
    int64_t numbers[2] = {0};
    bool has_two = signature == PACK_TIME || signature == PACK_LOCAL_DATETIME;
    enum yore_status st = read_numbers(from, has_two ? 2 : 1, numbers, error_out);
    if (st != YORE_OK) {
        return st;
    }
    if (has_two && !is_narrow(numbers[1])) {
        return error_set(error_out, YORE_UNSUPPORTED,
                         "a time's offset, or its part of a second, is out of range");
    }
    switch (signature) {
    case PACK_DATE:
        *value_out = (struct yore_graph_value){.kind = YORE_GRAPH_DATE, .as.days = numbers[0]};
        break;
    case PACK_LOCAL_TIME:
        *value_out =
            (struct yore_graph_value){.kind = YORE_GRAPH_LOCAL_TIME, .as.nanoseconds = numbers[0]};
        break;
    case PACK_TIME:
        *value_out = (struct yore_graph_value){.kind = YORE_GRAPH_TIME,
                                               .as.time = {numbers[0], (int32_t)numbers[1], 0}};
        break;
    default:
        *value_out = (struct yore_graph_value){.kind = YORE_GRAPH_LOCAL_DATETIME,
                                               .as.clock = {numbers[0], (int32_t)numbers[1], 0}};
        break;
    }
    return YORE_OK;
}

static enum yore_status refuse_structure(uint8_t signature, struct yore_error *error_out)
{
    switch (signature) {
    case PACK_POINT_2D:
    case PACK_POINT_3D:
        return error_set(error_out, YORE_UNSUPPORTED,
                         "points are no values of a graph here: send their coordinates as numbers");
    case PACK_NODE:
    case PACK_RELATIONSHIP:
    case PACK_UNBOUND_RELATIONSHIP:
    case PACK_PATH:
        return error_set(error_out, YORE_UNSUPPORTED,
                         "a node, a relationship or a path cannot be given as a parameter: send "
                         "its elementId");
    default:
        return error_set(error_out, YORE_INVALID, "no value is a structure of signature 0x%02X",
                         signature);
    }
}

static enum yore_status read_structure(struct unpacker *from, const struct head *head,
                                       struct yore_graph_value *value_out,
                                       struct yore_error *error_out)
{
    static const struct {
        uint8_t signature;
        uint8_t fields;
        bool is_utc; /* of those that say when since 1970 */
        bool is_legacy;
    } known[] = {{PACK_DATE, 1, false, false},
                 {PACK_LOCAL_TIME, 1, false, false},
                 {PACK_TIME, 2, false, false},
                 {PACK_LOCAL_DATETIME, 2, false, false},
                 {PACK_DURATION, 4, false, false},
                 {PACK_DATETIME, 3, true, false},
                 {PACK_DATETIME_ZONE, 3, true, false},
                 {PACK_DATETIME_LEGACY, 3, false, true},
                 {PACK_DATETIME_ZONE_LEGACY, 3, false, true}};
    size_t i = 0;
    while (i < sizeof(known) / sizeof(known[0]) && known[i].signature != head->signature) {
        i++;
    }
    if (i == sizeof(known) / sizeof(known[0])) {
        return refuse_structure(head->signature, error_out);
    }
    if (known[i].fields != head->number) {
        return error_set(error_out, YORE_INVALID,
                         "a structure of signature 0x%02X has %u fields, not %" PRIu64,
                         head->signature, known[i].fields, head->number);
    }
    if ((known[i].is_utc && !from->dialect.has_utc) ||
        (known[i].is_legacy && from->dialect.has_utc)) {
        return error_set(
            error_out, YORE_INVALID,
            "datetimes of signature 0x%02X are of another version of the protocol than "
            "was agreed",
            head->signature);
    }
    if (known[i].is_utc || known[i].is_legacy) {
        return read_datetime(from, head->signature, value_out, error_out);
    }
    return head->signature == PACK_DURATION
               ? read_duration(from, value_out, error_out)
               : read_simple(from, head->signature, value_out, error_out);
}

/* ---- values -----------------------------------------------------------------------------------
 */

static enum yore_status read_value(struct unpacker *from, unsigned depth,
                                   struct yore_graph_value *value_out,
                                   struct yore_error *error_out);

static enum yore_status read_list(struct unpacker *from, uint64_t count, unsigned depth,
                                  struct yore_graph_value *value_out, struct yore_error *error_out)
{
    void *room = NULL;
    enum yore_status st =
        take_array(from, count, 1, sizeof(struct yore_graph_value), &room, error_out);
    struct yore_graph_value *items = room;
    for (uint64_t i = 0; st == YORE_OK && i < count; i++) {
        st = read_value(from, depth + 1, &items[i], error_out);
    }
    *value_out = value_list(items, (size_t)count);
    return st;
}

static enum yore_status read_map(struct unpacker *from, uint64_t count, unsigned depth,
                                 struct yore_graph_value *value_out, struct yore_error *error_out)
{
    void *room = NULL;
    enum yore_status st =
        take_array(from, count, 2, sizeof(struct yore_graph_entry), &room, error_out);
    struct yore_graph_entry *entries = room;
    for (uint64_t i = 0; st == YORE_OK && i < count; i++) {
        st = read_name(from, &entries[i].name, error_out);
        if (st == YORE_OK) {
            st = read_value(from, depth + 1, &entries[i].value, error_out);
        }
    }
    size_t distinct = (size_t)count;
    if (st == YORE_OK && map_settle(from->arena, entries, &distinct) != YORE_OK) {
        st = error_plain(error_out, YORE_NOMEM);
    }
    if (st == YORE_OK && distinct != count) {
        st = error_set(error_out, YORE_INVALID, "a name stands in a map twice");
    }
    *value_out = value_map(entries, distinct);
    return st;
}

static enum yore_status read_string(struct unpacker *from, uint64_t count,
                                    struct yore_graph_value *value_out,
                                    struct yore_error *error_out)
{
    struct yore_bytes string = {NULL, 0};
    enum yore_status st = read_octets(from, count, &string, error_out);
    *value_out = value_string(string);
    return st;
}

static enum yore_status read_value(struct unpacker *from, unsigned depth,
                                   struct yore_graph_value *value_out, struct yore_error *error_out)
{
    struct head head;
    enum yore_status st = read_head(from, &head, error_out);
    if (st != YORE_OK) {
        return st;
    }
    if (depth > BOLT_VALUE_DEPTH_MAX) {
        return error_set(error_out, YORE_TOO_BIG, "values nest deeper than %u",
                         BOLT_VALUE_DEPTH_MAX);
    }
    switch (head.kind) {
    case KIND_BOOL:
        *value_out = value_bool(head.number != 0);
        return YORE_OK;
    case KIND_INT:
        *value_out = value_int((int64_t)head.number);
        return YORE_OK;
    case KIND_FLOAT:
        *value_out = value_float(0);
        memcpy(&value_out->as.real, &head.number, sizeof(value_out->as.real));
        return YORE_OK;
    case KIND_STRING:
        return read_string(from, head.number, value_out, error_out);
    case KIND_LIST:
        return read_list(from, head.number, depth, value_out, error_out);
    case KIND_MAP:
        return read_map(from, head.number, depth, value_out, error_out);
    case KIND_STRUCTURE:
        return read_structure(from, &head, value_out, error_out);
    case KIND_OCTETS:
        return error_set(error_out, YORE_UNSUPPORTED,
                         "octets are no values of a graph: send them as a string, base64 for one");
    case KIND_NULL:
    default:
        *value_out = value_null();
        return YORE_OK;
    }
}

enum yore_status unpack_value(struct unpacker *from, struct yore_graph_value *value_out,
                              struct yore_error *error_out)
{
    return read_value(from, 0, value_out, error_out);
}
