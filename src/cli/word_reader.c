/* word_reader.c -- NDJSON, CSV, and GraphML through graphml_reader.h.
 *
 * CSV is RFC 4180 with a header that says what a column holds: `:ID`, `:LABEL` (several with `;`
 * between them, a `;` or `\` of their own behind a `\`), `:TYPE`, `:START_ID`, `:END_ID`, `:FROM`,
 * `:TO`, or `name:type` for a property, type one of string (the default), int, float, bool, json.
 * A file with `:START_ID` has relationships, any other nodes.  An empty field is no property; an
 * empty string is written "".
 */
#include "cli/word_reader.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/moment.h"
#include "cli/graphml_reader.h"
#include "query/map.h"
#include "query/number.h"
#include "query/value.h"
#include "query/word_json.h"

#define COLUMNS_MAX 4096

enum column_kind {
    COLUMN_ID,
    COLUMN_LABEL,
    COLUMN_TYPE,
    COLUMN_START,
    COLUMN_END,
    COLUMN_FROM,
    COLUMN_TO,
    COLUMN_STRING,
    COLUMN_INT,
    COLUMN_FLOAT,
    COLUMN_BOOL,
    COLUMN_JSON
};
static const char *const role_names[] = {"ID", "LABEL", "TYPE", "START_ID", "END_ID", "FROM", "TO"};
static const char *const type_names[] = {"string", "int", "float", "bool", "json"};

struct csv_column {
    enum column_kind kind;
    char *name; /* of a property */
};
struct field {
    size_t at; /* in the row's octets */
    size_t size;
    bool is_quoted;
};

struct word_reader {
    struct line_source *source;
    enum word_format format;
    int64_t now;
    struct csv_column *columns;
    size_t column_count;
    bool is_relationships;
    struct buffer row;
    struct field *fields;
    size_t field_count;
    uint64_t row_line; /* where it begins */
    struct graphml_reader *graphml;
    bool is_over; /* of GraphML: all was fed */
};

static enum yore_status refuse(const struct word_reader *reader, uint64_t line, const char *what,
                               struct yore_error *error_out)
{
    return error_set(error_out, YORE_INVALID, "%s, line %" PRIu64 ": %s",
                     line_source_name(reader->source), line, what);
}

/* ---- rows of CSV ---------------------------------------------------------------------------- */

static enum yore_status begin_field(struct word_reader *reader, struct yore_error *error_out)
{
    if (reader->field_count == COLUMNS_MAX) {
        return refuse(reader, reader->row_line, "more than 4096 columns", error_out);
    }
    if ((reader->field_count & (reader->field_count - 1)) == 0) {
        size_t room = reader->field_count == 0 ? 1 : reader->field_count * 2;
        struct field *fields = mem_realloc(reader->fields, room * sizeof(*fields));
        if (fields == NULL) {
            return error_plain(error_out, YORE_NOMEM);
        }
        reader->fields = fields;
    }
    reader->fields[reader->field_count++] = (struct field){.at = reader->row.size};
    return YORE_OK;
}

/* The rest of a quoted field, over as many lines as it takes; *at_out: behind its last quote. */
static enum yore_status take_quoted(struct word_reader *reader, struct yore_bytes *line,
                                    size_t *at_out, struct yore_error *error_out)
{
    size_t at = *at_out;
    for (;;) {
        const char *text = line->data;
        for (; at < line->size; at++) {
            if (text[at] != '"') {
                buffer_append_u8(&reader->row, (uint8_t)text[at]);
            } else if (at + 1 < line->size && text[at + 1] == '"') {
                buffer_append_u8(&reader->row, '"');
                at++;
            } else {
                *at_out = at + 1;
                return YORE_OK;
            }
        }
        buffer_append_u8(&reader->row, '\n');
        enum yore_status st = line_source_next(reader->source, line, error_out);
        if (st != YORE_OK) {
            return st == YORE_NOT_FOUND
                       ? refuse(reader, reader->row_line, "a quoted field does not end", error_out)
                       : st;
        }
        at = 0;
    }
}

static enum yore_status take_field(struct word_reader *reader, struct yore_bytes *line,
                                   size_t *at_out, struct yore_error *error_out)
{
    enum yore_status st = begin_field(reader, error_out);
    const char *text = line->data;
    size_t at = *at_out;
    if (st != YORE_OK) {
        return st;
    }
    struct field *field = &reader->fields[reader->field_count - 1];
    if (at < line->size && text[at] == '"') {
        field->is_quoted = true;
        at++;
        st = take_quoted(reader, line, &at, error_out);
        if (st != YORE_OK) {
            return st;
        }
        text = line->data;
        bool is_clean =
            at == line->size || text[at] == ',' || (text[at] == '\r' && at + 1 == line->size);
        if (!is_clean) {
            return refuse(reader, line_source_number(reader->source),
                          "a quote inside a field: double it, and quote the field", error_out);
        }
        at += at < line->size && text[at] == '\r';
    } else {
        size_t end = at;
        while (end < line->size && text[end] != ',') {
            end++;
        }
        size_t size = end - at;
        bool has_return = end == line->size && size > 0 && text[end - 1] == '\r';
        buffer_append(&reader->row, text + at, size - has_return);
        at = end;
    }
    field = &reader->fields[reader->field_count - 1];
    field->size = reader->row.size - field->at;
    *at_out = at;
    return st;
}

/* YORE_NOT_FOUND: no more. */
static enum yore_status take_row(struct word_reader *reader, struct yore_error *error_out)
{
    struct yore_bytes line;
    size_t at = 0;
    bool has_more = true;
    buffer_clear(&reader->row);
    reader->field_count = 0;
    enum yore_status st;
    do {
        st = line_source_next(reader->source, &line, error_out);
    } while (st == YORE_OK &&
             (line.size == 0 || (line.size == 1 && *(const char *)line.data == '\r')));
    reader->row_line = line_source_number(reader->source);
    while (st == YORE_OK && has_more) {
        st = take_field(reader, &line, &at, error_out);
        has_more = at < line.size;
        at++;
    }
    return st == YORE_OK && reader->row.is_nomem ? error_plain(error_out, YORE_NOMEM) : st;
}

static struct yore_bytes field_bytes(const struct word_reader *reader, size_t i)
{
    size_t size = reader->fields[i].size; /* the row of an empty one may have no memory */
    return size > 0 ? bytes_of(reader->row.data + reader->fields[i].at, size) : bytes_of("", 0);
}

/* ---- the header ----------------------------------------------------------------------------- */

/* Behind the last colon stands a type; before it a name. */
static const char *read_column(struct yore_bytes text, struct csv_column *column)
{
    const char *begin = text.data;
    size_t colon = text.size;
    while (colon > 0 && begin[colon - 1] != ':') {
        colon--;
    }
    struct yore_bytes type = bytes_of(begin + colon, text.size - colon);
    size_t name_size = colon > 0 ? colon - 1 : text.size;
    if (colon == 0) {
        type = bytes_of("string", 6);
    }
    for (size_t i = 0; name_size == 0 && i < sizeof(role_names) / sizeof(role_names[0]); i++) {
        if (bytes_are(type, role_names[i])) {
            column->kind = (enum column_kind)i;
            return NULL;
        }
    }
    for (size_t i = 0; name_size > 0 && i < sizeof(type_names) / sizeof(type_names[0]); i++) {
        if (bytes_are(type, type_names[i])) {
            column->kind = (enum column_kind)(COLUMN_STRING + i);
            column->name = mem_alloc(name_size + 1);
            if (column->name == NULL) {
                return "out of memory";
            }
            memcpy(column->name, begin, name_size);
            column->name[name_size] = '\0';
            return NULL;
        }
    }
    return "the header names its columns :ID, :LABEL, :TYPE, :START_ID, :END_ID, :FROM, :TO, or "
           "name:string, name:int, name:float, name:bool, name:json";
}

static enum yore_status read_header(struct word_reader *reader, struct yore_error *error_out)
{
    bool has[COLUMN_TO + 1] = {false};
    enum yore_status st = take_row(reader, error_out);
    if (st != YORE_OK) {
        return st == YORE_NOT_FOUND ? YORE_OK : st;
    }
    reader->columns = mem_array(reader->field_count, sizeof(*reader->columns));
    if (reader->columns == NULL) {
        return error_plain(error_out, YORE_NOMEM);
    }
    for (; reader->column_count < reader->field_count; reader->column_count++) {
        struct csv_column *column = &reader->columns[reader->column_count];
        const char *problem = read_column(field_bytes(reader, reader->column_count), column);
        if (problem == NULL && column->kind <= COLUMN_TO && has[column->kind]) {
            problem = "a column is named twice";
        }
        if (problem != NULL) {
            return refuse(reader, reader->row_line, problem, error_out);
        }
        if (column->kind <= COLUMN_TO) {
            has[column->kind] = true;
        }
    }
    reader->is_relationships = has[COLUMN_START];
    bool is_whole = has[COLUMN_ID] && has[COLUMN_START] == has[COLUMN_END] &&
                    has[COLUMN_START] == has[COLUMN_TYPE];
    return is_whole ? YORE_OK
                    : refuse(reader, reader->row_line,
                             "nodes need a column :ID; relationships also :TYPE, :START_ID and "
                             ":END_ID",
                             error_out);
}

/* ---- a row as a word ------------------------------------------------------------------------ */

static bool take_copy(struct yore_bytes text, struct arena *arena, struct yore_bytes *to)
{
    *to = bytes_of(arena_copy(arena, text.data, text.size), text.size);
    return to->data != NULL;
}

static bool take_labels(struct yore_bytes text, struct arena *arena, struct yore_graph_word *word)
{
    const char *from = text.data;
    char *copy = arena_alloc_unaligned(arena, text.size + 1);
    struct yore_bytes *labels = arena_alloc(arena, (text.size / 2 + 1) * sizeof(*labels));
    size_t size = 0;
    size_t begin = 0;
    if (copy == NULL || labels == NULL) {
        return false;
    }
    for (size_t i = 0; i <= text.size; i++) {
        bool is_end = i == text.size || from[i] == ';';
        if (is_end && size > begin) {
            labels[word->label_count++] = bytes_of(copy + begin, size - begin);
        }
        if (is_end) {
            begin = size;
            continue;
        }
        i += from[i] == '\\' && i + 1 < text.size;
        copy[size++] = from[i];
    }
    word->labels = labels;
    return true;
}

static const char *take_value(enum column_kind kind, struct yore_bytes text, struct arena *arena,
                              struct yore_graph_value *value)
{
    int64_t integer;
    double real;
    struct yore_error error;
    switch (kind) {
    case COLUMN_INT:
        if (!integer_read(text, &integer)) {
            return "this is no int";
        }
        *value = value_int(integer);
        return NULL;
    case COLUMN_FLOAT:
        if (!float_read(text, &real)) {
            return "this is no float";
        }
        *value = value_float(real);
        return NULL;
    case COLUMN_BOOL:
        *value = value_bool(bytes_are(text, "true"));
        return value->as.boolean || bytes_are(text, "false") ? NULL : "a bool is true or false";
    case COLUMN_JSON:
        return word_json_read_value(text, arena, value, &error) == YORE_OK ? NULL
                                                                           : "this is no JSON";
    default:
        *value = value_string(bytes_of("", 0));
        return take_copy(text, arena, &value->as.string) ? NULL : "out of memory";
    }
}

static const char *take_column(struct word_reader *reader, size_t i, struct arena *arena,
                               struct yore_graph_word *word, struct yore_graph_entry *entries)
{
    const struct csv_column *column = &reader->columns[i];
    struct yore_bytes text = field_bytes(reader, i);
    struct yore_bytes *texts[] = {[COLUMN_ID] = &word->external_id,
                                  [COLUMN_TYPE] = &word->type,
                                  [COLUMN_START] = &word->start,
                                  [COLUMN_END] = &word->end};
    struct yore_error error;
    if (text.size == 0 && !(column->kind == COLUMN_STRING && reader->fields[i].is_quoted)) {
        return NULL;
    }
    switch (column->kind) {
    case COLUMN_LABEL:
        return take_labels(text, arena, word) ? NULL : "out of memory";
    case COLUMN_FROM:
    case COLUMN_TO:
        return moment_parse(text, reader->now,
                            column->kind == COLUMN_FROM ? &word->from : &word->to,
                            &error) == YORE_OK
                   ? NULL
                   : "this is no moment";
    case COLUMN_ID:
    case COLUMN_TYPE:
    case COLUMN_START:
    case COLUMN_END:
        return take_copy(text, arena, texts[column->kind]) ? NULL : "out of memory";
    default: {
        struct yore_graph_entry *entry = &entries[word->properties.count];
        if (!take_copy(bytes_of(column->name, strlen(column->name)), arena, &entry->name)) {
            return "out of memory";
        }
        word->properties.count++;
        return take_value(column->kind, text, arena, &entry->value);
    }
    }
}

static enum yore_status next_row(struct word_reader *reader, struct arena *arena,
                                 struct yore_graph_word *word, struct yore_error *error_out)
{
    struct yore_graph_entry *entries =
        arena_alloc(arena, (reader->column_count + 1) * sizeof(*entries));
    enum yore_status st = entries == NULL           ? error_plain(error_out, YORE_NOMEM)
                          : reader->columns == NULL ? YORE_NOT_FOUND
                                                    : take_row(reader, error_out);
    if (st != YORE_OK) {
        return st;
    }
    *word = (struct yore_graph_word){.element = reader->is_relationships
                                                    ? YORE_GRAPH_ELEMENT_RELATIONSHIP
                                                    : YORE_GRAPH_ELEMENT_NODE,
                                     .from = YORE_NOW,
                                     .to = YORE_FOREVER};
    if (reader->field_count != reader->column_count) {
        return refuse(reader, reader->row_line, "the row has not as many fields as the header",
                      error_out);
    }
    for (size_t i = 0; i < reader->column_count; i++) {
        const char *problem = take_column(reader, i, arena, word, entries);
        if (problem != NULL) {
            return error_set(error_out, YORE_INVALID, "%s, line %" PRIu64 ", column %zu: %s",
                             line_source_name(reader->source), reader->row_line, i + 1, problem);
        }
    }
    size_t count = word->properties.count;
    st = map_settle(arena, entries, &count);
    word->properties = (struct yore_graph_map){entries, count};
    return st == YORE_OK ? st : error_plain(error_out, st);
}

/* ---- lines of JSON -------------------------------------------------------------------------- */

static enum yore_status next_line(struct word_reader *reader, struct arena *arena,
                                  struct yore_graph_word *word, struct yore_error *error_out)
{
    struct yore_bytes line;
    struct yore_error cause;
    enum yore_status st;
    do {
        st = line_source_next(reader->source, &line, error_out);
    } while (st == YORE_OK && line.size == 0);
    if (st != YORE_OK) {
        return st;
    }
    st = word_json_read(line, reader->now, arena, word, &cause);
    return st == YORE_OK ? st
                         : error_set(error_out, st, "%s, line %" PRIu64 ", %s",
                                     line_source_name(reader->source),
                                     line_source_number(reader->source), cause.text);
}

/* ---- GraphML -------------------------------------------------------------------------------- */

static enum yore_status feed(struct word_reader *reader, struct yore_error *error_out)
{
    struct yore_bytes line;
    enum yore_status st = line_source_next(reader->source, &line, error_out);
    buffer_clear(&reader->row);
    if (st == YORE_NOT_FOUND) {
        reader->is_over = true;
        graphml_reader_feed(reader->graphml, bytes_of("", 0), true);
        return YORE_OK;
    }
    if (st == YORE_OK) {
        buffer_append_bytes(&reader->row, line);
        buffer_append(&reader->row, "\n", 1);
        st = reader->row.is_nomem ? error_plain(error_out, YORE_NOMEM) : st;
    }
    if (st == YORE_OK) {
        graphml_reader_feed(reader->graphml, buffer_bytes(&reader->row), false);
    }
    return st;
}

static enum yore_status next_element(struct word_reader *reader, struct arena *arena,
                                     struct yore_graph_word *word, struct yore_error *error_out)
{
    struct yore_error cause;
    enum yore_status st;
    while ((st = graphml_reader_next(reader->graphml, arena, word, &cause)) == YORE_NOT_FOUND) {
        if (reader->is_over) {
            return st;
        }
        st = feed(reader, error_out);
        if (st != YORE_OK) {
            return st;
        }
    }
    return st == YORE_OK
               ? st
               : error_set(error_out, st, "%s, %s", line_source_name(reader->source), cause.text);
}

/* ---- all ----------------------------------------------------------------------------------- */

enum yore_status word_reader_open(struct line_source *source, enum word_format format, int64_t now,
                                  struct word_reader **reader_out, struct yore_error *error_out)
{
    struct word_reader *reader = mem_zalloc(sizeof(*reader));
    struct yore_bytes first;
    enum yore_status st = YORE_OK;
    *reader_out = NULL;
    if (reader == NULL) {
        return error_plain(error_out, YORE_NOMEM);
    }
    *reader = (struct word_reader){.source = source, .format = format, .now = now};
    if (format == WORDS_GUESSED) {
        st = line_source_peek(source, &first, error_out);
        char begin = st != YORE_OK || first.size == 0 ? '{' : *(const char *)first.data;
        reader->format = begin == '{' ? WORDS_NDJSON : begin == '<' ? WORDS_GRAPHML : WORDS_CSV;
        st = st == YORE_NOT_FOUND ? YORE_OK : st;
    }
    if (st == YORE_OK && reader->format == WORDS_CSV) {
        st = read_header(reader, error_out);
    }
    if (st == YORE_OK && reader->format == WORDS_GRAPHML) {
        st = graphml_reader_new(&reader->graphml, error_out);
    }
    if (st != YORE_OK) {
        word_reader_close(reader);
        return st;
    }
    *reader_out = reader;
    return YORE_OK;
}

void word_reader_close(struct word_reader *reader)
{
    if (reader == NULL) {
        return;
    }
    for (size_t i = 0; i < reader->column_count; i++) {
        mem_free(reader->columns[i].name);
    }
    mem_free(reader->columns);
    mem_free(reader->fields);
    buffer_release(&reader->row);
    graphml_reader_free(reader->graphml);
    mem_free(reader);
}

enum yore_status word_reader_next(struct word_reader *reader, struct arena *arena,
                                  struct yore_graph_word *word_out, struct yore_error *error_out)
{
    switch (reader->format) {
    case WORDS_CSV:
        return next_row(reader, arena, word_out, error_out);
    case WORDS_GRAPHML:
        return next_element(reader, arena, word_out, error_out);
    default:
        return next_line(reader, arena, word_out, error_out);
    }
}
