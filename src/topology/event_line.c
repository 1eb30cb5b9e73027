#include "topology/event_line.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/checked.h"

#define COLUMNS 9
#define NS_PER_MS INT64_C(1000000)
#define MS_DECIMALS_MAX 6
#define DIGITS_SAFE 18 /* so many fit an int64_t, whichever they are */

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

/* Digits, with a sign before them where `sign` is -1, times `unit`, added to `*number`. */
static bool add_digits(struct yore_bytes digits, int sign, int64_t unit, int64_t *number)
{
    const char *at = digits.data;
    int64_t value = 0;
    size_t i = 0;
    for (; i < digits.size && i < DIGITS_SAFE && at[i] >= '0' && at[i] <= '9'; i++) {
        value = value * 10 + sign * (at[i] - '0');
    }
    for (; i < digits.size; i++) {
        if (at[i] < '0' || at[i] > '9' || !checked_mul_i64(value, 10, &value) ||
            !checked_add_i64(value, sign * (at[i] - '0'), &value)) {
            return false;
        }
    }
    return digits.size > 0 && checked_mul_i64(value, unit, &value) &&
           checked_add_i64(*number, value, number);
}

/* Milliseconds, with up to six decimals where they are not whole. */
static bool parse_time(struct yore_bytes text, int64_t *ns_out)
{
    const char *begin = text.data;
    int sign = text.size > 0 && begin[0] == '-' ? -1 : 1;
    struct yore_bytes whole = bytes_behind(text, sign < 0 ? 1u : 0u);
    const char *point = whole.size > 0 ? memchr(whole.data, '.', whole.size) : NULL;
    *ns_out = 0;
    if (point != NULL) {
        size_t size = (size_t)(point - (const char *)whole.data);
        struct yore_bytes decimals = bytes_behind(whole, size + 1);
        int64_t unit = NS_PER_MS;
        for (size_t i = 0; i < decimals.size; i++) {
            unit /= 10;
        }
        whole.size = size;
        if (decimals.size > MS_DECIMALS_MAX || !add_digits(decimals, sign, unit, ns_out)) {
            return false;
        }
    }
    return add_digits(whole, sign, NS_PER_MS, ns_out);
}

static bool parse_transaction(struct yore_bytes text, uint64_t *number_out)
{
    int64_t number = 0;
    bool is_number = add_digits(text, 1, 1, &number) && number > 0;
    *number_out = (uint64_t)number;
    return is_number;
}

static bool is_one_of(struct yore_bytes text, const char *letters)
{
    return text.size == 1 && *(const char *)text.data != '\0' &&
           strchr(letters, *(const char *)text.data) != NULL;
}

void event_time_format(int64_t ns, char text[EVENT_TIME_BYTES])
{
    int64_t whole = ns / NS_PER_MS;
    int64_t rest = ns % NS_PER_MS;
    int size =
        snprintf(text, EVENT_TIME_BYTES, "%s%" PRId64, ns < 0 && whole == 0 ? "-" : "", whole);
    if (rest == 0) {
        return;
    }
    size += snprintf(text + size, EVENT_TIME_BYTES - (size_t)size, ".%06" PRId64,
                     rest < 0 ? -rest : rest);
    while (text[size - 1] == '0') {
        text[--size] = '\0';
    }
}

const char *event_line_parse(struct yore_bytes line, struct event_line *event_out)
{
    struct yore_bytes columns[COLUMNS];
    if (!split(line, columns)) {
        return "an event has nine columns, with a tab between them";
    }
    if (!parse_time(columns[COLUMN_TIME], &event_out->time)) {
        return "column 1 is the time in milliseconds since 1970, with six decimals at most";
    }
    if (!parse_transaction(columns[COLUMN_TRANSACTION], &event_out->transaction)) {
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
