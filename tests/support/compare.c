/* compare.c -- see compare.h; point reads and cursors.  Timelines, changes and the feed:
 * compare_time.c. */
#include "support/compare.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "engine/cursor.h"
#include "engine/until.h"
#include "support/test.h"

bool compare_fail(struct compare *compare, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)vsnprintf(compare->text, sizeof compare->text, format, args);
    va_end(args);
    return false;
}

const char *compare_key_text(struct yore_bytes key, char text[COMPARE_KEY_TEXT_BYTES])
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *data = key.data;
    size_t used = 0;
    for (size_t i = 0; i < key.size && used + 16 < COMPARE_KEY_TEXT_BYTES; i++) {
        if (data[i] > ' ' && data[i] < 127) {
            text[used++] = (char)data[i];
        } else {
            text[used++] = '\\';
            text[used++] = digits[data[i] >> 4];
            text[used++] = digits[data[i] & 15];
        }
    }
    (void)snprintf(text + used, COMPARE_KEY_TEXT_BYTES - used, "(%zu)", key.size);
    return text;
}

static const char *compare_at_text(const struct compare_at *at, char text[96])
{
    (void)snprintf(text, 96, "%sat (%" PRId64 ", %" PRId64 ")", at->asked == NULL ? "now " : "",
                   at->moment.valid, at->moment.known);
    return text;
}

bool compare_row(struct compare *compare, const char *what, const struct model_row *want,
                 const struct yore_row *got)
{
    char want_key[COMPARE_KEY_TEXT_BYTES];
    char got_key[COMPARE_KEY_TEXT_BYTES];
    if (!bytes_equal(want->key, got->key)) {
        return compare_fail(compare, "%s: key %s, the model has %s", what,
                            compare_key_text(got->key, got_key),
                            compare_key_text(want->key, want_key));
    }
    const struct model_version *version = &want->version;
    if (got->valid_from != version->valid_from || got->commit != version->commit ||
        got->valid_to != version->valid_to) {
        return compare_fail(
            compare,
            "%s: key %s: version (from %" PRId64 ", commit %" PRId64 ", to %" PRId64
            "), the model has (from %" PRId64 ", commit %" PRId64 ", to %" PRId64 ")",
            what, compare_key_text(want->key, want_key), got->valid_from, got->commit,
            got->valid_to, version->valid_from, version->commit, version->valid_to);
    }
    bool is_value_right = got->value.data == NULL && version->value.size > 0
                              ? got->value.size == version->value.size
                              : bytes_equal(got->value, version->value);
    if (!is_value_right) {
        return compare_fail(
            compare,
            "%s: key %s: wrong value of %zu octets, the model has %zu (from %" PRId64
            ", commit %" PRId64 ")",
            what, compare_key_text(want->key, want_key), got->value.size, version->value.size,
            version->valid_from, version->commit);
    }
    return true;
}

/* True when a read of "now" cannot be told from the outside: something expires between the moment
 * noted before it and now. */
static bool compare_is_edge(const struct compare *compare, unsigned keyspace,
                            const struct compare_at *at)
{
    const struct model_keyspace *space = &compare->model->keyspaces[keyspace];
    int64_t now = at->asked == NULL ? yore_now(compare->db) : INT64_MIN;
    for (size_t i = 0; i < space->count && at->asked == NULL; i++) {
        for (size_t j = 0; j < space->keys[i].count; j++) {
            int64_t end = space->keys[i].versions[j].valid_to;
            if (end > at->moment.valid && end <= now) {
                return true;
            }
        }
    }
    return false;
}

static bool compare_value(struct compare *compare, const char *what, const struct model_row *want,
                          const struct yore_value *value)
{
    if (value->data == NULL && value->size > 0) {
        return compare_fail(compare, "%s: a value without its octets", what);
    }
    struct yore_row got = {want->key, bytes_of(value->data, value->size), value->valid_from,
                           value->valid_to, value->commit};
    return compare_row(compare, what, want, &got);
}

/* One answer of a point read against the model's. */
static bool compare_answer(struct compare *compare, unsigned keyspace, struct yore_bytes key,
                           const struct compare_at *at, const struct yore_value *value,
                           enum yore_status got)
{
    char key_text[COMPARE_KEY_TEXT_BYTES];
    char at_text[96];
    char what[256];
    struct model_row want = {key, {0}};
    enum yore_status status = model_get(compare->model, keyspace, key, at->moment, &want.version);
    (void)snprintf(what, sizeof what, "get of keyspace %u %s %s", keyspace,
                   compare_key_text(key, key_text), compare_at_text(at, at_text));
    compare->reads++;
    if (got != status) {
        return compare_fail(compare,
                            "%s: %s, the model says %s (from %" PRId64 ", commit %" PRId64
                            ", to %" PRId64 ")",
                            what, yore_status_name(got), yore_status_name(status),
                            want.version.valid_from, want.version.commit, want.version.valid_to);
    }
    return got != YORE_OK || compare_value(compare, what, &want, value);
}

/* When the next version begins: the first of the timeline from then on, which what a snapshot alone
 * holds has not. */
static bool compare_until(struct compare *compare, unsigned keyspace, struct yore_bytes key,
                          const struct yore_time *at)
{
    char key_text[COMPARE_KEY_TEXT_BYTES];
    struct yore_error error = {0};
    int64_t got = 0;
    struct yore_timeline_options options = {
        .from = at->valid + 1, .to = YORE_FOREVER, .known = at->known};
    struct model_rows rows = model_timeline(compare->model, keyspace, key, &options);
    int64_t want = rows.count > 0 ? rows.rows[0].version.valid_from : YORE_FOREVER;
    model_rows_release(&rows);
    enum yore_status status =
        until_next(compare->db, compare->keyspaces[keyspace], key, at, &got, &error);
    compare->reads++;
    if (status == YORE_BEFORE_HORIZON) {
        struct yore_timeline *none = NULL;
        return yore_timeline_open(compare->db, compare->keyspaces[keyspace], key, &options, &none,
                                  NULL) == status;
    }
    if (status != YORE_OK || got != want) {
        return compare_fail(compare,
                            "next of keyspace %u %s at (%" PRId64 ", %" PRId64 "): %s [%s] %" PRId64
                            ", the model has %" PRId64,
                            keyspace, compare_key_text(key, key_text), at->valid, at->known,
                            yore_status_name(status), error.text, got, want);
    }
    return true;
}

bool compare_get(struct compare *compare, unsigned keyspace, struct yore_bytes key,
                 const struct compare_at *at)
{
    struct yore_value value = {0};
    struct yore_error error = {0};
    enum yore_status status =
        yore_get(compare->db, compare->keyspaces[keyspace], key, at->asked, &value, &error);
    bool is_same = compare_answer(compare, keyspace, key, at, &value, status);
    if (!is_same && error.text[0] != '\0') {
        size_t used = strlen(compare->text);
        (void)snprintf(compare->text + used, sizeof compare->text - used, " [%s]", error.text);
    }
    if (status == YORE_OK) {
        yore_value_release(&value);
    }
    if (is_same && at->asked != NULL && at->asked->valid != YORE_NOW) {
        return compare_until(compare, keyspace, key, at->asked);
    }
    return is_same || compare_is_edge(compare, keyspace, at);
}

bool compare_get_in_memory(struct compare *compare, unsigned keyspace, struct yore_bytes key,
                           const struct compare_at *at)
{
    struct yore_value value = {0};
    enum yore_status status =
        yore_get_in_memory(compare->db, compare->keyspaces[keyspace], key, at->asked, &value, NULL);
    if (status == YORE_BUSY) {
        return true;
    }
    bool is_same = compare_answer(compare, keyspace, key, at, &value, status);
    if (status == YORE_OK) {
        yore_value_release(&value);
    }
    return is_same || compare_is_edge(compare, keyspace, at);
}

bool compare_get_many(struct compare *compare, unsigned keyspace,
                      const struct yore_get_many *request, const struct compare_at *at)
{
    struct yore_error error = {0};
    enum yore_status status =
        yore_get_many(compare->db, compare->keyspaces[keyspace], request, at->asked, &error);
    if (status != YORE_OK) {
        return compare_fail(compare, "get of %zu keys: %s [%s]", request->count,
                            yore_status_name(status), error.text);
    }
    bool is_same = true;
    for (size_t i = 0; i < request->count; i++) {
        enum yore_status got = request->statuses_out[i];
        is_same = is_same && compare_answer(compare, keyspace, request->keys[i], at,
                                            &request->values_out[i], got);
        if (got == YORE_OK) {
            yore_value_release(&request->values_out[i]);
        }
    }
    return is_same || compare_is_edge(compare, keyspace, at);
}

/* ---- cursors -------------------------------------------------------------------------------- */

static const char *compare_range_text(const struct yore_range *range, char text[256])
{
    char low[COMPARE_KEY_TEXT_BYTES];
    char high[COMPARE_KEY_TEXT_BYTES];
    bool is_prefix = range->prefix.size > 0;
    compare_key_text(is_prefix ? range->prefix : range->low, low);
    compare_key_text(range->high, high);
    (void)snprintf(text, 256, "%s%s..%s", is_prefix ? "prefix " : "", low, is_prefix ? "" : high);
    return text;
}

/* The cursor's outcome against the row it should be on; `index` >= count: on none. */
static bool compare_place(struct compare *compare, const char *what, struct yore_cursor *cursor,
                          enum yore_status status, const struct model_rows *rows, size_t index)
{
    const struct yore_row *row = yore_cursor_row(cursor);
    char key[COMPARE_KEY_TEXT_BYTES];
    compare->reads++;
    if (index >= rows->count) {
        if (status != YORE_NOT_FOUND || row != NULL) {
            return compare_fail(compare, "%s: %s at %s, the model has no row there [%s]", what,
                                yore_status_name(status),
                                row == NULL ? "no row" : compare_key_text(row->key, key),
                                yore_cursor_error(cursor)->text);
        }
        return true;
    }
    if (status != YORE_OK || row == NULL) {
        return compare_fail(compare, "%s: %s, the model has key %s (row %zu of %zu) [%s]", what,
                            yore_status_name(status), compare_key_text(rows->rows[index].key, key),
                            index, rows->count, yore_cursor_error(cursor)->text);
    }
    return compare_row(compare, what, &rows->rows[index], row);
}

static bool compare_scan_rows(struct compare *compare, const char *what, struct yore_cursor *cursor,
                              const struct model_rows *rows, bool is_backward)
{
    for (size_t i = 0; i <= rows->count; i++) {
        enum yore_status status = is_backward ? yore_cursor_prev(cursor) : yore_cursor_next(cursor);
        size_t index = i;
        if (is_backward) {
            index = i < rows->count ? rows->count - 1 - i : rows->count;
        }
        if (!compare_place(compare, what, cursor, status, rows, index)) {
            return false;
        }
    }
    return true;
}

bool compare_scan(struct compare *compare, unsigned keyspace,
                  const struct yore_cursor_options *options, const struct compare_at *at,
                  bool is_backward)
{
    char range_text[256];
    char at_text[96];
    char what[512];
    (void)snprintf(what, sizeof what, "scan %s of keyspace %u %s %s",
                   is_backward ? "backward" : "forward", keyspace,
                   compare_range_text(&options->range, range_text), compare_at_text(at, at_text));
    struct yore_error error = {0};
    struct yore_cursor *cursor = NULL;
    enum yore_status status =
        yore_cursor_open(compare->db, compare->keyspaces[keyspace], options, &cursor, &error);
    if (status != YORE_OK) {
        return compare_fail(compare, "%s: open: %s [%s]", what, yore_status_name(status),
                            error.text);
    }
    struct model_rows rows = model_scan(compare->model, keyspace, &options->range, at->moment);
    bool is_same = compare_scan_rows(compare, what, cursor, &rows, is_backward);
    model_rows_release(&rows);
    yore_cursor_close(cursor);
    return is_same || compare_is_edge(compare, keyspace, at);
}

/* Where a seek should land. */
static size_t compare_seek_index(const struct model_rows *rows, struct yore_bytes key, bool is_back)
{
    size_t index = 0;
    while (index < rows->count && bytes_compare(rows->rows[index].key, key) < 0) {
        index++;
    }
    if (!is_back || (index < rows->count && bytes_equal(rows->rows[index].key, key))) {
        return index;
    }
    return index == 0 ? SIZE_MAX : index - 1;
}

struct compare_walk {
    struct compare *compare;
    const char *what;
    struct yore_cursor *cursor;
    const struct model_rows *rows;
    const struct model_keyspace *space;
    struct test_rand rand;
    unsigned moves; /* in each range */
    size_t index;   /* >= rows->count: on no row, so only an absolute move is defined */
};

static bool compare_move(struct compare_walk *walk)
{
    char what[640];
    char key_text[COMPARE_KEY_TEXT_BYTES];
    struct yore_bytes key = bytes_of("m", 1);
    if (walk->space->count > 0) {
        key = walk->space->keys[test_rand_below(&walk->rand, walk->space->count)].key;
        key.size = 1 + test_rand_below(&walk->rand, key.size); /* often a key, often none */
    }
    uint64_t move = test_rand_below(&walk->rand, 10);
    if (walk->index >= walk->rows->count && move < 6) {
        move = 6 + move % 4;
    }
    enum yore_status status = YORE_OK;
    const char *name = "";
    if (move < 3) {
        name = "next";
        status = yore_cursor_next(walk->cursor);
        walk->index++;
    } else if (move < 6) {
        name = "prev";
        status = yore_cursor_prev(walk->cursor);
        walk->index = walk->index == 0 ? SIZE_MAX : walk->index - 1;
    } else if (move < 8) {
        name = move == 6 ? "seek" : "seek_back";
        status = move == 6 ? yore_cursor_seek(walk->cursor, key)
                           : yore_cursor_seek_back(walk->cursor, key);
        walk->index = compare_seek_index(walk->rows, key, move == 7);
    } else {
        name = move == 8 ? "first" : "last";
        status = move == 8 ? yore_cursor_first(walk->cursor) : yore_cursor_last(walk->cursor);
        walk->index = move == 8 ? 0 : walk->rows->count - 1;
    }
    (void)snprintf(what, sizeof what, "%s: %s (%s)", walk->what, name,
                   compare_key_text(key, key_text));
    return compare_place(walk->compare, what, walk->cursor, status, walk->rows, walk->index);
}

/* So many moves of a cursor that stands nowhere, in the range. */
static bool compare_moves(struct compare *compare, const char *what, struct yore_cursor *cursor,
                          const struct yore_range *range, const struct compare_at *at,
                          struct compare_walk *walk)
{
    unsigned keyspace = (unsigned)(walk->space - compare->model->keyspaces);
    struct model_rows rows = model_scan(compare->model, keyspace, range, at->moment);
    walk->compare = compare;
    walk->what = what;
    walk->cursor = cursor;
    walk->rows = &rows;
    walk->index = SIZE_MAX;
    bool is_same = true;
    for (unsigned i = 0; i < walk->moves && is_same; i++) {
        is_same = compare_move(walk);
    }
    model_rows_release(&rows);
    return is_same;
}

bool compare_walk(struct compare *compare, unsigned keyspace,
                  const struct yore_cursor_options *options, const struct compare_at *at,
                  uint64_t seed)
{
    char range_text[256];
    char at_text[96];
    char what[512];
    (void)snprintf(what, sizeof what, "walk over keyspace %u %s %s", keyspace,
                   compare_range_text(&options->range, range_text), compare_at_text(at, at_text));
    struct yore_error error = {0};
    struct yore_cursor *cursor = NULL;
    enum yore_status status =
        yore_cursor_open(compare->db, compare->keyspaces[keyspace], options, &cursor, &error);
    if (status != YORE_OK) {
        return compare_fail(compare, "%s: open: %s [%s]", what, yore_status_name(status),
                            error.text);
    }
    struct compare_walk walk = {
        .space = &compare->model->keyspaces[keyspace], .rand = {seed}, .moves = 24};
    bool is_same = compare_moves(compare, what, cursor, &options->range, at, &walk);
    yore_cursor_close(cursor);
    return is_same || compare_is_edge(compare, keyspace, at);
}

bool compare_parts(struct compare *compare, unsigned keyspace, const struct compare_parts *parts,
                   const struct compare_at *at, uint64_t seed)
{
    char range_text[256];
    char at_text[96];
    char what[512];
    struct yore_cursor_options options = {.at = at->asked};
    struct compare_walk walk = {
        .space = &compare->model->keyspaces[keyspace], .rand = {seed}, .moves = 6};
    struct yore_error error = {0};
    struct yore_cursor *cursor = NULL;
    enum yore_status status =
        yore_cursor_open(compare->db, compare->keyspaces[keyspace], &options, &cursor, &error);
    if (status != YORE_OK) {
        return compare_fail(compare, "a cursor of parts: open: %s [%s]", yore_status_name(status),
                            error.text);
    }
    bool is_same = true;
    for (size_t i = 0; i < parts->count && is_same; i++) {
        (void)snprintf(what, sizeof what, "part %zu of keyspace %u %s %s", i, keyspace,
                       compare_range_text(&parts->ranges[i], range_text),
                       compare_at_text(at, at_text));
        status = cursor_set_part(cursor, &parts->ranges[i]);
        is_same = status == YORE_OK
                      ? compare_moves(compare, what, cursor, &parts->ranges[i], at, &walk)
                      : compare_fail(compare, "%s: %s", what, yore_status_name(status));
    }
    yore_cursor_close(cursor);
    return is_same || compare_is_edge(compare, keyspace, at);
}
