/* CSV (RFC 4180: quoted fields may hold separators, doubled quotes and line breaks) and TSV (no
 * quoting; \t \n \r \\ stand for what they look like), three columns: time, key, value. */
#include <string.h>

#include "base/buffer.h"
#include "base/moment.h"
#include "cli/import_internal.h"
#include "cli/store.h"

#define ROW_FIELDS 3

struct row {
    struct buffer fields[ROW_FIELDS];
    size_t count; /* of fields; may be more than are kept */
};

static void row_clear(struct row *row)
{
    for (size_t i = 0; i < ROW_FIELDS; i++) {
        buffer_clear(&row->fields[i]);
    }
    row->count = 1;
}

static void row_release(struct row *row)
{
    for (size_t i = 0; i < ROW_FIELDS; i++) {
        buffer_release(&row->fields[i]);
    }
}

static void row_add(struct row *row, char c)
{
    if (row->count <= ROW_FIELDS) {
        buffer_append_u8(&row->fields[row->count - 1], (uint8_t)c);
    }
}

static struct yore_bytes row_field(const struct row *row, size_t i)
{
    return buffer_bytes(&row->fields[i]);
}

/* ---- csv ------------------------------------------------------------------------------------- */

struct csv_state {
    bool is_quoted;  /* inside quotes */
    bool was_quoted; /* this field began with a quote, and it was closed */
    bool is_begin;   /* of a field */
};

/* One character; false when a quote stands where none may. */
static bool csv_take(struct csv_state *state, struct row *row, char c)
{
    if (state->is_quoted) {
        if (c == '"') {
            state->is_quoted = false;
            state->was_quoted = true;
        } else {
            row_add(row, c);
        }
        return true;
    }
    if (c == ',') {
        row->count++;
        *state = (struct csv_state){.is_begin = true};
        return true;
    }
    if (c == '"' && state->was_quoted) {
        row_add(row, '"');
        state->is_quoted = true;
        return true;
    }
    if (c == '"') {
        state->is_quoted = state->is_begin;
        bool is_ok = state->is_begin;
        state->is_begin = false;
        return is_ok;
    }
    if (state->was_quoted) {
        return c == '\r';
    }
    state->is_begin = false;
    row_add(row, c);
    return true;
}

/* A row may go over several lines; the first is `line`. */
static enum yore_status csv_row(struct import_sink *sink, struct yore_bytes line, struct row *row,
                                struct yore_error *error_out)
{
    struct csv_state state = {.is_begin = true};
    uint64_t first = line_source_number(sink->source);
    for (;;) {
        const char *at = line.data;
        size_t size = line.size;
        for (size_t i = 0; i < size; i++) {
            bool is_line_end = i + 1 == size && at[i] == '\r' && !state.is_quoted;
            if (!is_line_end && !csv_take(&state, row, at[i])) {
                return import_refuse(
                    sink, error_out,
                    "column %zu: a quote inside a field (write the field in quotes, "
                    "and each quote in it twice)",
                    i + 1);
            }
        }
        if (!state.is_quoted) {
            return YORE_OK;
        }
        row_add(row, '\n');
        enum yore_status st = line_source_next(sink->source, &line, error_out);
        if (st == YORE_NOT_FOUND) {
            return import_refuse(sink, error_out,
                                 "the quoted field that began in line %llu does not end",
                                 (unsigned long long)first);
        }
        if (st != YORE_OK) {
            return st;
        }
    }
}

/* ---- tsv ------------------------------------------------------------------------------------- */

static enum yore_status tsv_row(struct import_sink *sink, struct yore_bytes line, struct row *row,
                                struct yore_error *error_out)
{
    static const char letters[] = "tnr\\";
    static const char meanings[] = "\t\n\r\\";
    const char *at = line.data;
    size_t size = line.size > 0 && at[line.size - 1] == '\r' ? line.size - 1 : line.size;
    for (size_t i = 0; i < size; i++) {
        if (at[i] == '\t') {
            row->count++;
        } else if (at[i] != '\\') {
            row_add(row, at[i]);
        } else {
            const char *found =
                i + 1 < size && at[i + 1] != '\0' ? strchr(letters, at[i + 1]) : NULL;
            if (found == NULL) {
                return import_refuse(sink, error_out,
                                     "column %zu: a backslash stands before t, n, r or a backslash",
                                     i + 1);
            }
            row_add(row, meanings[found - letters]);
            i++;
        }
    }
    return YORE_OK;
}

/* ---- both ------------------------------------------------------------------------------------ */

static bool is_header(const struct row *row)
{
    struct yore_bytes time = row_field(row, 0);
    struct yore_bytes key = row_field(row, 1);
    return bytes_equal(time, bytes_of("time", 4)) && bytes_equal(key, bytes_of("key", 3));
}

static enum yore_status write_row(struct import_sink *sink, const struct row *row,
                                  struct yore_error *error_out)
{
    struct import_write write = {
        .key = row_field(row, 1), .value = row_field(row, 2), .from = YORE_NOW, .to = YORE_FOREVER};
    struct yore_error cause;
    if (row->count != ROW_FIELDS) {
        return import_refuse(sink, error_out, "%zu columns; three are wanted: time, key, value",
                             row->count);
    }
    if (write.key.size == 0) {
        return import_refuse(sink, error_out, "the key is empty");
    }
    if (row_field(row, 0).size > 0 &&
        moment_parse(row_field(row, 0), store_now(sink->store), &write.from, &cause) != YORE_OK) {
        return import_blame(sink, &cause, error_out);
    }
    enum yore_status st = import_sink_write(sink, &write, error_out);
    if (st == YORE_OK && import_sink_pending(sink) >= sink->options->batch_rows) {
        st = import_sink_commit(sink, error_out);
    }
    return st;
}

static bool row_is_nomem(const struct row *row)
{
    return row->fields[0].is_nomem || row->fields[1].is_nomem || row->fields[2].is_nomem;
}

enum yore_status import_rows(struct import_sink *sink, bool is_csv, struct yore_error *error_out)
{
    struct row row = {.count = 0};
    struct yore_bytes line;
    enum yore_status st = line_source_next(sink->source, &line, error_out);
    bool is_first = true;
    while (st == YORE_OK) {
        row_clear(&row);
        bool is_blank = line.size == 0 || (line.size == 1 && *(const char *)line.data == '\r');
        if (!is_blank) {
            st = is_csv ? csv_row(sink, line, &row, error_out)
                        : tsv_row(sink, line, &row, error_out);
            if (st == YORE_OK && row_is_nomem(&row)) {
                st = error_plain(error_out, YORE_NOMEM);
            }
            if (st == YORE_OK && !(is_first && is_header(&row))) {
                st = write_row(sink, &row, error_out);
            }
            is_first = false;
        }
        if (st == YORE_OK) {
            st = line_source_next(sink->source, &line, error_out);
        }
    }
    row_release(&row);
    return st == YORE_NOT_FOUND ? YORE_OK : st;
}
