#include "query/temporal.h"

#include "base/assert.h"
#include "query/calendar.h"

static struct temporal of_seconds(int64_t local_seconds, int64_t nanoseconds)
{
    int64_t days = calendar_floor_div(local_seconds, TEMPORAL_DAY_SECONDS);
    return (struct temporal){
        .has_date = true,
        .has_time = true,
        .days = days,
        .nanoseconds =
            (local_seconds - days * TEMPORAL_DAY_SECONDS) * TEMPORAL_SECOND_NS + nanoseconds};
}

struct temporal temporal_of_moment(int64_t seconds, int64_t nanoseconds)
{
    struct temporal temporal = of_seconds(seconds, nanoseconds);
    temporal.has_offset = true;
    return temporal;
}

struct temporal temporal_of(const struct yore_graph_value *value)
{
    switch (value->kind) {
    case YORE_GRAPH_DATE:
        return (struct temporal){.has_date = true, .days = value->as.days};
    case YORE_GRAPH_LOCAL_TIME:
        return (struct temporal){.has_time = true, .nanoseconds = value->as.nanoseconds};
    case YORE_GRAPH_TIME:
        return (struct temporal){.has_time = true,
                                 .has_offset = true,
                                 .nanoseconds = value->as.time.nanoseconds,
                                 .offset_seconds = value->as.time.offset_seconds};
    case YORE_GRAPH_LOCAL_DATETIME:
        return of_seconds(value->as.clock.seconds, value->as.clock.nanoseconds);
    default: {
        YORE_ASSERT(value->kind == YORE_GRAPH_DATETIME);
        const struct yore_graph_datetime *datetime = value->as.datetime;
        struct temporal temporal =
            of_seconds(datetime->seconds + datetime->offset_seconds, datetime->nanoseconds);
        temporal.has_offset = true;
        temporal.offset_seconds = datetime->offset_seconds;
        temporal.zone = datetime->zone;
        return temporal;
    }
    }
}

int64_t temporal_seconds(const struct temporal *temporal)
{
    return temporal->days * TEMPORAL_DAY_SECONDS + temporal->nanoseconds / TEMPORAL_SECOND_NS -
           temporal->offset_seconds;
}

/* ---- zones ---- */

static enum yore_status find_zone(const struct temporal_context *context, struct yore_bytes name,
                                  const struct zone **zone_out, struct yore_error *error_out)
{
    enum yore_status st = zone_find(context->zones, name, zone_out, error_out);
    if (st == YORE_NOT_FOUND) {
        char shown[KEY_TEXT_BYTES];
        return error_set(error_out, YORE_INVALID,
                         "there is no time zone '%s'; say a name of the IANA database "
                         "('Europe/Stockholm') or an offset ('+01:00')",
                         key_text(name, shown));
    }
    return st;
}

/* Two digits at `at`, or -1. */
static int two_digits(const char *at)
{
    return at[0] >= '0' && at[0] <= '9' && at[1] >= '0' && at[1] <= '9'
               ? (at[0] - '0') * 10 + (at[1] - '0')
               : -1;
}

/* "Z", "+hh", "+hh:mm", "+hhmm", "+hh:mm:ss", "+hhmmss". */
static bool read_offset(struct yore_bytes text, int32_t *offset_out)
{
    const char *at = text.data;
    if (text.size == 1 && (at[0] == 'Z' || at[0] == 'z')) {
        *offset_out = 0;
        return true;
    }
    if (text.size < 3 || (at[0] != '+' && at[0] != '-')) {
        return false;
    }
    int parts[3] = {0, 0, 0};
    size_t count = 0;
    size_t i = 1;
    bool has_colons = text.size > 3 && at[3] == ':';
    while (i < text.size && count < 3) {
        if (count > 0 && has_colons && at[i++] != ':') {
            return false;
        }
        if (i + 2 > text.size || (parts[count] = two_digits(at + i)) < 0) {
            return false;
        }
        count++;
        i += 2;
    }
    int32_t offset = parts[0] * 3600 + parts[1] * 60 + parts[2];
    *offset_out = at[0] == '-' ? -offset : offset;
    return i == text.size && parts[1] < 60 && parts[2] < 60 && offset <= TEMPORAL_OFFSET_MAX;
}

/* A time without a date is in its zone as it is today. */
static int64_t day_of(const struct temporal_context *context, const struct temporal *temporal)
{
    return temporal->has_date ? temporal->days
                              : calendar_floor_div(context->now_ns, TEMPORAL_DAY_NS);
}

enum yore_status temporal_set_zone(const struct temporal_context *context,
                                   struct temporal *temporal, struct yore_bytes zone,
                                   struct yore_error *error_out)
{
    int32_t offset = 0;
    if (read_offset(zone, &offset)) {
        temporal->zone = bytes_of(NULL, 0);
        temporal->offset_seconds = offset;
        temporal->has_offset = true;
        return YORE_OK;
    }
    const struct zone *found = NULL;
    enum yore_status st = find_zone(context, zone, &found, error_out);
    if (st != YORE_OK) {
        return st;
    }
    int64_t days = day_of(context, temporal);
    int64_t local = days * TEMPORAL_DAY_SECONDS + temporal->nanoseconds / TEMPORAL_SECOND_NS;
    int64_t moment = 0;
    int32_t in_force = zone_local_offset(found, local, &moment);
    int64_t fraction = temporal->nanoseconds % TEMPORAL_SECOND_NS;
    struct temporal moved = of_seconds(moment + in_force, fraction);
    temporal->days += moved.days - days;
    temporal->nanoseconds = moved.nanoseconds;
    temporal->offset_seconds = in_force;
    temporal->has_offset = true;
    temporal->zone = zone;
    return YORE_OK;
}

enum yore_status temporal_move_zone(const struct temporal_context *context,
                                    struct temporal *temporal, struct yore_bytes zone,
                                    struct yore_error *error_out)
{
    int64_t days = day_of(context, temporal);
    struct temporal dated = *temporal;
    dated.days = days;
    int64_t seconds = temporal_seconds(&dated);
    int32_t offset = 0;
    bool is_offset = read_offset(zone, &offset);
    if (!is_offset) {
        const struct zone *found = NULL;
        enum yore_status st = find_zone(context, zone, &found, error_out);
        if (st != YORE_OK) {
            return st;
        }
        offset = zone_offset(found, seconds);
    }
    struct temporal moved =
        of_seconds(seconds + offset, temporal->nanoseconds % TEMPORAL_SECOND_NS);
    temporal->days += moved.days - days;
    temporal->nanoseconds = moved.nanoseconds;
    temporal->offset_seconds = offset;
    temporal->has_offset = true;
    temporal->zone = is_offset ? bytes_of(NULL, 0) : zone;
    return YORE_OK;
}

/* ---- values ---- */

static enum yore_status make_datetime(const struct temporal_context *context,
                                      const struct temporal *temporal,
                                      struct yore_graph_value *value_out,
                                      struct yore_error *error_out)
{
    struct temporal resolved = *temporal;
    if (resolved.zone.size > 0) {
        /* The offset that is there already decides which of two equal local times is meant. */
        const struct zone *zone = NULL;
        enum yore_status st = find_zone(context, resolved.zone, &zone, error_out);
        if (st == YORE_OK &&
            !(resolved.has_offset &&
              zone_offset(zone, temporal_seconds(&resolved)) == resolved.offset_seconds)) {
            st = temporal_set_zone(context, &resolved, resolved.zone, error_out);
        }
        if (st != YORE_OK) {
            return st;
        }
    }
    struct yore_graph_datetime *datetime = arena_alloc(context->arena, sizeof(*datetime));
    void *name = resolved.zone.size == 0
                     ? NULL
                     : arena_copy(context->arena, resolved.zone.data, resolved.zone.size);
    if (datetime == NULL || (name == NULL && resolved.zone.size > 0)) {
        return YORE_NOMEM;
    }
    *datetime = (struct yore_graph_datetime){
        .seconds = temporal_seconds(&resolved),
        .nanoseconds = (int32_t)(resolved.nanoseconds % TEMPORAL_SECOND_NS),
        .offset_seconds = resolved.offset_seconds,
        .zone = bytes_of(name, resolved.zone.size)};
    *value_out = (struct yore_graph_value){.kind = YORE_GRAPH_DATETIME, .as.datetime = datetime};
    return YORE_OK;
}

enum yore_status temporal_value(const struct temporal_context *context, enum yore_graph_kind kind,
                                const struct temporal *temporal, struct yore_graph_value *value_out,
                                struct yore_error *error_out)
{
    int64_t first = calendar_days((struct calendar_date){CALENDAR_YEAR_MIN, 1, 1});
    int64_t last = calendar_days((struct calendar_date){CALENDAR_YEAR_MAX, 12, 31});
    if (temporal->has_date && (temporal->days < first || temporal->days > last)) {
        return error_set(error_out, YORE_INVALID,
                         "the year lies beyond -999,999,999 to 999,999,999");
    }
    *value_out = (struct yore_graph_value){.kind = kind};
    switch (kind) {
    case YORE_GRAPH_DATE:
        value_out->as.days = temporal->days;
        return YORE_OK;
    case YORE_GRAPH_LOCAL_TIME:
        value_out->as.nanoseconds = temporal->nanoseconds;
        return YORE_OK;
    case YORE_GRAPH_TIME:
        value_out->as.time = (struct yore_graph_time){.nanoseconds = temporal->nanoseconds,
                                                      .offset_seconds = temporal->offset_seconds};
        return YORE_OK;
    case YORE_GRAPH_LOCAL_DATETIME:
        value_out->as.clock = (struct yore_graph_clock){
            .seconds =
                temporal->days * TEMPORAL_DAY_SECONDS + temporal->nanoseconds / TEMPORAL_SECOND_NS,
            .nanoseconds = (int32_t)(temporal->nanoseconds % TEMPORAL_SECOND_NS)};
        return YORE_OK;
    default:
        YORE_ASSERT(kind == YORE_GRAPH_DATETIME);
        return make_datetime(context, temporal, value_out, error_out);
    }
}

enum yore_status temporal_of_ns(struct arena *arena, int64_t moment_ns,
                                struct yore_graph_value *datetime_out)
{
    struct yore_graph_datetime *datetime = arena_alloc(arena, sizeof(*datetime));
    if (datetime == NULL) {
        return YORE_NOMEM;
    }
    int64_t seconds = calendar_floor_div(moment_ns, TEMPORAL_SECOND_NS);
    *datetime = (struct yore_graph_datetime){
        .seconds = seconds, .nanoseconds = (int32_t)(moment_ns - seconds * TEMPORAL_SECOND_NS)};
    *datetime_out = (struct yore_graph_value){.kind = YORE_GRAPH_DATETIME, .as.datetime = datetime};
    return YORE_OK;
}
