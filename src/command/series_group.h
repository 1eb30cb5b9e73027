/* series_group.h -- several series as one: GROUPBY label REDUCE reducer.
 *
 * Series come one after the other, each in the order of its times; what is kept is one tally a
 * time, SERIES_GROUP_ROWS_MAX of them at most, however many the series.
 */
#ifndef YORE_COMMAND_SERIES_GROUP_H
#define YORE_COMMAND_SERIES_GROUP_H

#include <stdbool.h>
#include <stddef.h>

#include "command/aggregate.h"
#include "command/series_range.h"

struct group_row {
    int64_t ms;
    struct tally tally;
};

struct group_rows {
    struct group_row *items;
    size_t count;
    size_t capacity;
};

/* Zeroed: no series yet. */
struct series_group {
    struct group_rows rows;
    struct group_rows before; /* room to merge into */
};

/* Is it one that REDUCE takes? */
bool series_group_reduces(enum aggregate aggregate);
/* Add what `range` asks of a series.  Errors: of reading; YORE_TOO_BIG; YORE_NOMEM. */
enum yore_status series_group_add(struct series_group *group, struct call *call,
                                  const struct series *series, const struct series_range *range,
                                  struct yore_error *error_out);
/* No series again; room is kept. */
void series_group_clear(struct series_group *group);
void series_group_release(struct series_group *group);

#endif
