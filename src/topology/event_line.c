#include "topology/event_line.h"

#include "base/checked.h"

#define COLUMNS 9
#define NS_PER_MS INT64_C(1000000)

enum column {
    COLUMN_TIME,
    COLUMN_TRANSACTION,
    COLUMN_OPERATION,
    COLUMN_KIND,
    COLUMN_ID,
    COLUMN_TYPE,
    COLUMN_SOURCE,
    COLUMN_TARGET,
    COLUMN_PROPERTIES
};

static bool split(struct yore_bytes line, struct yore_bytes columns[COLUMNS])
{
    const char *at = line.data;
    const char *end = line.size > 0 ? at + line.size : at;
    for (size_t i = 0; i < COLUMNS; i++) {
        const char *tab = at < end ? memchr(at, '\t', (size_t)(end - at)) : NULL;
        if ((tab == NULL) != (i + 1 == COLUMNS)) {
            return false;
        }
        columns[i] = bytes_of(at, (size_t)((tab != NULL ? tab : end) - at));
        at = tab != NULL ? tab + 1 : end;
    }
    return true;
}

static bool parse_number(struct yore_bytes text, int64_t *number_out)
{
    const char *at = text.data;
    size_t i = text.size > 0 && at[0] == '-' ? 1 : 0;
    int64_t number = 0;
    if (i == text.size) {
        return false;
    }
    for (; i < text.size; i++) {
        if (at[i] < '0' || at[i] > '9' || !checked_mul_i64(number, 10, &number) ||
            !checked_add_i64(number, at[i] - '0', &number)) {
            return false;
        }
    }
    *number_out = at[0] == '-' ? -number : number;
    return true;
}

static bool is_one_of(struct yore_bytes text, const char *letters)
{
    return text.size == 1 && *(const char *)text.data != '\0' &&
           strchr(letters, *(const char *)text.data) != NULL;
}

const char *event_line_parse(struct yore_bytes line, struct event_line *event_out)
{
    struct yore_bytes columns[COLUMNS];
    int64_t number = 0;
    if (!split(line, columns)) {
        return "an event has nine columns, with a tab between them";
    }
    if (!parse_number(columns[COLUMN_TIME], &number) ||
        !checked_mul_i64(number, NS_PER_MS, &event_out->time)) {
        return "column 1 is the time in milliseconds since 1970";
    }
    if (!parse_number(columns[COLUMN_TRANSACTION], &number) || number <= 0) {
        return "column 2 is the transaction's number: 1, 2, 3, ...";
    }
    if (!is_one_of(columns[COLUMN_OPERATION], "+~-")) {
        return "column 3 is the operation: + (add), ~ (change) or - (remove)";
    }
    if (!is_one_of(columns[COLUMN_KIND], "ne")) {
        return "column 4 is the kind: n (node) or e (edge)";
    }
    if (columns[COLUMN_ID].size == 0) {
        return "column 5 is the id, which may not be empty";
    }
    event_out->transaction = (uint64_t)number;
    event_out->operation = *(const char *)columns[COLUMN_OPERATION].data;
    event_out->element =
        *(const char *)columns[COLUMN_KIND].data == 'n' ? GRAPH_NODE : GRAPH_RELATIONSHIP;
    event_out->id = columns[COLUMN_ID];
    event_out->type = columns[COLUMN_TYPE];
    event_out->source = columns[COLUMN_SOURCE];
    event_out->target = columns[COLUMN_TARGET];
    event_out->properties = columns[COLUMN_PROPERTIES];
    return NULL;
}
