#include "command/series_group.h"

#include "base/mem.h"
#include "command/call.h"

bool series_group_reduces(enum aggregate aggregate)
{
    return aggregate != AGGREGATE_NONE && aggregate != AGGREGATE_FIRST &&
           aggregate != AGGREGATE_LAST && aggregate != AGGREGATE_TWA;
}

/* Room for one row more.  Errors: YORE_NOMEM, YORE_TOO_BIG. */
static enum yore_status reserve(struct group_rows *rows, struct yore_error *error_out)
{
    if (rows->count < rows->capacity) {
        return YORE_OK;
    }
    if (rows->count == SERIES_GROUP_ROWS_MAX) {
        return error_set(error_out, YORE_TOO_BIG,
                         "a group has more than %u times: ask for AGGREGATION with wider buckets",
                         SERIES_GROUP_ROWS_MAX);
    }
    size_t capacity = rows->capacity == 0 ? 64 : 2 * rows->capacity;
    struct group_row *items = mem_realloc(rows->items, capacity * sizeof(*items));
    if (items == NULL) {
        return error_plain(error_out, YORE_NOMEM);
    }
    rows->items = items;
    rows->capacity = capacity;
    return YORE_OK;
}

/* ---- a series on its way in ---- */

struct merging {
    struct group_rows *to;
    const struct group_rows *from;
    size_t at; /* in `from` */
    bool is_backward;
    struct yore_error *error;
    enum yore_status status;
};

static bool keep(struct merging *m, struct group_row row)
{
    m->status = reserve(m->to, m->error);
    if (m->status == YORE_OK) {
        m->to->items[m->to->count++] = row;
    }
    return m->status == YORE_OK;
}

/* Rows of the other series that come before `ms`, in the order of the walk. */
static bool keep_before(struct merging *m, int64_t ms)
{
    while (m->at < m->from->count &&
           (m->is_backward ? m->from->items[m->at].ms > ms : m->from->items[m->at].ms < ms)) {
        if (!keep(m, m->from->items[m->at++])) {
            return false;
        }
    }
    return true;
}

static bool take(void *arg, struct sample sample)
{
    struct merging *m = arg;
    struct group_row row = {.ms = sample.ms};
    if (!keep_before(m, sample.ms)) {
        return false;
    }
    if (m->at < m->from->count && m->from->items[m->at].ms == sample.ms) {
        row = m->from->items[m->at++];
    }
    tally_add(&row.tally, sample.value);
    return keep(m, row);
}

enum yore_status series_group_add(struct series_group *group, struct call *call,
                                  const struct series *series, const struct series_range *range,
                                  struct yore_error *error_out)
{
    struct group_rows from = group->rows;
    group->rows = group->before;
    group->before = from;
    group->rows.count = 0;
    struct merging m = {&group->rows, &group->before, 0, range->is_backward, error_out, YORE_OK};
    enum yore_status st = series_range_walk(call, series, range, take, &m, error_out);
    if (st == YORE_OK && m.status == YORE_OK) {
        (void)keep_before(&m, range->is_backward ? INT64_MIN : INT64_MAX);
    }
    return st == YORE_OK ? m.status : st;
}

void series_group_clear(struct series_group *group)
{
    group->rows.count = 0;
}

void series_group_release(struct series_group *group)
{
    mem_free(group->rows.items);
    mem_free(group->before.items);
    *group = (struct series_group){.rows = {NULL, 0, 0}};
}
