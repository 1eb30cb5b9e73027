/* temporal.h -- dates and times: what they are made of, text, construction, arithmetic.
 *
 * All kinds but durations pass through one struct, a local date and a local time of day with or
 * without an offset and a zone; temporal_value() makes a value of it.  What is missing there is
 * said by the has_ fields.
 *
 * Functions fail with YORE_INVALID and a sentence in `error_out`; YORE_NOMEM.  Pure but for the
 * zone cache.
 */
#ifndef YORE_QUERY_TEMPORAL_H
#define YORE_QUERY_TEMPORAL_H

#include <stdbool.h>
#include <stdint.h>

#include <yore/graph.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/bytes.h"
#include "base/status.h"
#include "query/zone.h"

#define TEMPORAL_SECOND_NS INT64_C(1000000000)
#define TEMPORAL_DAY_NS INT64_C(86400000000000)
#define TEMPORAL_DAY_SECONDS INT64_C(86400)
#define TEMPORAL_OFFSET_MAX (18 * 3600) /* seconds east or west */

struct temporal {
    bool has_date;
    bool has_time;
    bool has_offset;
    int32_t offset_seconds;
    int64_t days;           /* local, since 1970-01-01 */
    int64_t nanoseconds;    /* local, of the day */
    struct yore_bytes zone; /* size 0: none */
};

/* What all functions here work with. */
struct temporal_context {
    struct arena *arena;
    struct zone_cache **zones;
    int64_t now_ns; /* of constructors without arguments; UTC */
};

/* ---- values (temporal.c) ---------------------------------------------------------------------
 */

/* `value` is of a temporal kind, durations apart. */
struct temporal temporal_of(const struct yore_graph_value *value);
/* A value of `kind`; what is missing is midnight, 1970-01-01, UTC; what is too much is left out.
 * A zone gets the offset in force there. Errors: years beyond 999,999,999; an unknown zone. */
enum yore_status temporal_value(const struct temporal_context *context, enum yore_graph_kind kind,
                                const struct temporal *temporal, struct yore_graph_value *value_out,
                                struct yore_error *error_out);
/* Set offset (and zone) of a local date and time: "+01:00", "Z", "Europe/Stockholm". */
enum yore_status temporal_set_zone(const struct temporal_context *context,
                                   struct temporal *temporal, struct yore_bytes zone,
                                   struct yore_error *error_out);
/* The same moment told in another zone. */
enum yore_status temporal_move_zone(const struct temporal_context *context,
                                    struct temporal *temporal, struct yore_bytes zone,
                                    struct yore_error *error_out);
/* Seconds since 1970 of one with date, time and offset. */
int64_t temporal_seconds(const struct temporal *temporal);
/* Of a moment, in UTC. */
struct temporal temporal_of_moment(int64_t seconds, int64_t nanoseconds);
/* A DATETIME in UTC, in `arena`. */
enum yore_status temporal_of_ns(struct arena *arena, int64_t moment_ns,
                                struct yore_graph_value *datetime_out);

/* ---- text (temporal_text.c) ------------------------------------------------------------------
 */

/* ISO 8601, basic and extended: calendar, week, quarter and ordinal dates, reduced precision. */
enum yore_status temporal_read(const struct temporal_context *context, enum yore_graph_kind kind,
                               struct yore_bytes text, struct yore_graph_value *value_out,
                               struct yore_error *error_out);
/* As toString() has it; durations too. */
void temporal_write(struct buffer *to, const struct yore_graph_value *value);

/* ---- construction (temporal_make.c, temporal_truncate.c) -------------------------------------
 */

/* date({year: ...}) and so on: from parts, and from other values by `date`, `time`, `datetime`. */
enum yore_status temporal_make(const struct temporal_context *context, enum yore_graph_kind kind,
                               const struct yore_graph_map *parts,
                               struct yore_graph_value *value_out, struct yore_error *error_out);
/* `base` with the parts of a map laid over it; time's fraction of a second is added to when
 * `adds_fraction`. */
enum yore_status temporal_overlay(const struct temporal_context *context, enum yore_graph_kind kind,
                                  const struct temporal *base, const struct yore_graph_map *parts,
                                  bool adds_fraction, struct yore_graph_value *value_out,
                                  struct yore_error *error_out);
/* date.truncate(unit, value, parts) and so on; `parts` may be NULL. */
enum yore_status temporal_truncate(const struct temporal_context *context,
                                   enum yore_graph_kind kind, struct yore_bytes unit,
                                   const struct yore_graph_value *value,
                                   const struct yore_graph_map *parts,
                                   struct yore_graph_value *value_out,
                                   struct yore_error *error_out);
/* duration({days: 1.5, ...}) */
enum yore_status temporal_make_duration(struct arena *arena, const struct yore_graph_map *parts,
                                        struct yore_graph_value *value_out,
                                        struct yore_error *error_out);

/* ---- arithmetic (temporal_add.c, temporal_between.c) and parts (temporal_part.c) --------------
 */

enum yore_status temporal_add(const struct temporal_context *context,
                              const struct yore_graph_value *value,
                              const struct yore_graph_duration *duration,
                              struct yore_graph_value *value_out, struct yore_error *error_out);

enum temporal_measure {
    TEMPORAL_BETWEEN = 1,
    TEMPORAL_IN_MONTHS,
    TEMPORAL_IN_DAYS,
    TEMPORAL_IN_SECONDS
};
enum yore_status temporal_between(const struct temporal_context *context,
                                  enum temporal_measure measure,
                                  const struct yore_graph_value *from,
                                  const struct yore_graph_value *to,
                                  struct yore_graph_value *duration_out,
                                  struct yore_error *error_out);

/* The part `name` ("weekYear", "offset", "minutesOfHour", ...) of a temporal value or duration.
 * YORE_NOT_FOUND: there is none of that name. */
enum yore_status temporal_part(struct arena *arena, const struct yore_graph_value *value,
                               struct yore_bytes name, struct yore_graph_value *part_out);

#endif
