/* A table's first TABLE_SAMPLE_ROWS rows are held back as text to find the widths; later rows that
 * are wider than their column push it, rather than being cut: only the last column is cut, at the
 * terminal's edge. */
#include "cli/output.h"

#include <string.h>

#include "base/base64.h"
#include "base/buffer.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/moment.h"
#include "base/utf8.h"

#define TABLE_SAMPLE_ROWS 200
#define TABLE_WIDTH_MAX                                                                            \
    100 /* of a column but the last; two thirds of a terminal where that is less */

#define TABLE_CELL_CHARACTERS_MAX 1000 /* more of a key or value is cut, its size behind it */

struct output {
    struct cli *cli;
    enum output_format format;
    const struct column *columns;
    size_t count;
    uint64_t rows;
    uint8_t row_end;
    struct buffer text; /* the row being made */
    bool has_failed;
    /* tables */
    size_t widths[OUTPUT_COLUMNS_MAX];
    bool is_number[OUTPUT_COLUMNS_MAX];
    size_t last_shown;
    struct buffer held; /* cells of the sample, each a varint size and its text */
    size_t held_rows;
    bool has_widths;
};

/* ---- text of single cells -------------------------------------------------------------------- */

char *count_format(uint64_t count, char text[COUNT_TEXT_BYTES])
{
    char digits[24];
    int size = snprintf(digits, sizeof(digits), "%llu", (unsigned long long)count);
    char *to = text;
    for (int i = 0; i < size; i++) {
        if (i > 0 && (size - i) % 3 == 0) {
            *to++ = ',';
        }
        *to++ = digits[i];
    }
    *to = '\0';
    return text;
}

char *size_format(uint64_t bytes, char text[SIZE_TEXT_BYTES])
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};
    double value = (double)bytes;
    size_t unit = 0;
    while (value >= 999.5 && unit + 1 < sizeof(units) / sizeof(units[0])) {
        value /= 1000;
        unit++;
    }
    int decimals = unit == 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
    snprintf(text, SIZE_TEXT_BYTES, "%.*f %s", decimals, value, units[unit]);
    return text;
}

static void append_text(struct buffer *to, const char *text)
{
    buffer_append(to, text, strlen(text));
}

static void append_real(struct buffer *to, double real)
{
    char text[64];
    int decimals = real < 10 ? 3 : real < 1000 ? 2 : 1;
    snprintf(text, sizeof(text), "%.*f", decimals, real);
    append_text(to, text);
}

/* C0 and DEL are one octet, C1 two in UTF-8: 0xc2 and 0x80 to 0x9f. */
static bool is_control(const unsigned char *at, const unsigned char *end)
{
    return *at < 0x20 || *at == 0x7f ||
           (*at == 0xc2 && end - at > 1 && at[1] >= 0x80 && at[1] < 0xa0);
}

/* Octets for the eye: control characters and what is not UTF-8 as \xNN, the beginning only of what
 * is long. */
static void append_visible(struct buffer *to, struct yore_bytes bytes)
{
    const unsigned char *at = bytes.data;
    const unsigned char *end = bytes.size > 0 ? at + bytes.size : at;
    for (size_t width = 0; at < end; width++) { /* an escape counts as one, as it stands for one */
        if (width == TABLE_CELL_CHARACTERS_MAX) {
            char text[SIZE_TEXT_BYTES];
            append_text(to, "\u2026 (");
            append_text(to, size_format(bytes.size, text));
            append_text(to, ")");
            return;
        }
        size_t size = is_control(at, end) ? 0 : utf8_size(at, end);
        if (size > 0) {
            buffer_append(to, at, size);
            at += size;
            continue;
        }
        char escape[8];
        int length = *at == '\n'   ? snprintf(escape, sizeof(escape), "\\n")
                     : *at == '\t' ? snprintf(escape, sizeof(escape), "\\t")
                                   : snprintf(escape, sizeof(escape), "\\x%02x", *at);
        buffer_append(to, escape, (size_t)length);
        at++;
    }
}

static void append_plain(struct buffer *to, const struct cell *cell)
{
    char text[MOMENT_TEXT_BYTES];
    switch (cell->kind) {
    case CELL_NONE:
        break;
    case CELL_BYTES:
    case CELL_LITERAL:
        buffer_append_bytes(to, cell->bytes);
        break;
    case CELL_WORD:
        append_text(to, cell->word);
        break;
    case CELL_MOMENT:
        append_text(to, moment_format(cell->moment, text));
        break;
    case CELL_COUNT:
        snprintf(text, sizeof(text), "%llu", (unsigned long long)cell->count);
        append_text(to, text);
        break;
    case CELL_REAL:
        append_real(to, cell->real);
        break;
    }
}

static void append_visible_cell(struct buffer *to, const struct cell *cell)
{
    char text[COUNT_TEXT_BYTES];
    if (cell->kind == CELL_NONE) {
        append_text(to, "-");
    } else if (cell->kind == CELL_BYTES || cell->kind == CELL_LITERAL) {
        append_visible(to, cell->bytes);
    } else if (cell->kind == CELL_COUNT) {
        append_text(to, count_format(cell->count, text));
    } else {
        append_plain(to, cell);
    }
}

/* ---- json, csv, raw -------------------------------------------------------------------------- */

static void append_json_value(struct buffer *to, const struct cell *cell)
{
    bool is_null =
        cell->kind == CELL_NONE || (cell->kind == CELL_MOMENT && cell->moment == YORE_FOREVER);
    if (is_null) {
        append_text(to, "null");
    } else if (cell->kind == CELL_COUNT || cell->kind == CELL_REAL) {
        append_plain(to, cell);
    } else if (cell->kind == CELL_LITERAL) {
        buffer_append_bytes(to, cell->json);
    } else if (cell->kind == CELL_BYTES) {
        json_append_string(to, cell->bytes);
    } else {
        buffer_append_u8(to, '"');
        append_plain(to, cell);
        buffer_append_u8(to, '"');
    }
}

static void append_json_row(struct output *output, const struct cell *cells)
{
    struct buffer *to = &output->text;
    char separator = '{';
    for (size_t i = 0; i < output->count; i++) {
        if ((output->columns[i].places & COLUMN_DATA) == 0) {
            continue;
        }
        bool is_binary = cells[i].kind == CELL_BYTES && !utf8_is_valid(cells[i].bytes);
        const char *name = output->columns[i].name;
        buffer_append_u8(to, (uint8_t)separator);
        json_append_string(to, bytes_of(name, strlen(name)));
        if (is_binary) {
            to->size -= to->size > 0 ? 1 : 0; /* the closing quote */
            append_text(to, "_base64\"");
        }
        buffer_append_u8(to, ':');
        if (is_binary) {
            buffer_append_u8(to, '"');
            base64_encode(to, cells[i].bytes);
            buffer_append_u8(to, '"');
        } else {
            append_json_value(to, &cells[i]);
        }
        separator = ',';
    }
    buffer_append_u8(to, '}');
}

/* RFC 4180: quoted when it must be, quotes doubled. */
static void append_csv_cell(struct buffer *to, const struct cell *cell)
{
    struct yore_bytes bytes = cell->bytes;
    const char *text = bytes.data;
    bool needs_quotes = false;
    if (cell->kind != CELL_BYTES && cell->kind != CELL_LITERAL) {
        append_plain(to, cell);
        return;
    }
    for (size_t i = 0; i < bytes.size; i++) {
        needs_quotes =
            needs_quotes || text[i] == ',' || text[i] == '"' || text[i] == '\n' || text[i] == '\r';
    }
    if (!needs_quotes) {
        buffer_append_bytes(to, bytes);
        return;
    }
    buffer_append_u8(to, '"');
    for (size_t i = 0; i < bytes.size; i++) {
        if (text[i] == '"') {
            buffer_append_u8(to, '"');
        }
        buffer_append_u8(to, (uint8_t)text[i]);
    }
    buffer_append_u8(to, '"');
}

static void append_separated_row(struct output *output, const struct cell *cells)
{
    bool is_csv = output->format == OUTPUT_CSV;
    unsigned place = is_csv ? COLUMN_DATA : COLUMN_RAW;
    bool is_first = true;
    for (size_t i = 0; i < output->count; i++) {
        if ((output->columns[i].places & place) == 0) {
            continue;
        }
        if (!is_first) {
            buffer_append_u8(&output->text, is_csv ? ',' : '\t');
        }
        is_first = false;
        if (is_csv) {
            append_csv_cell(&output->text, &cells[i]);
        } else {
            append_plain(&output->text, &cells[i]);
        }
    }
    if (is_csv) {
        buffer_append_u8(&output->text, '\r');
    }
    buffer_append_u8(&output->text, output->row_end);
}

static void append_csv_header(struct output *output)
{
    struct cell names[OUTPUT_COLUMNS_MAX];
    for (size_t i = 0; i < output->count; i++) {
        names[i] = cell_bytes(bytes_of(output->columns[i].name, strlen(output->columns[i].name)));
    }
    append_separated_row(output, names);
}

/* ---- tables ---------------------------------------------------------------------------------- */

/* Columns a text takes: one for each character; wide East Asian ones are not told apart. */
static size_t text_width(struct yore_bytes text)
{
    const unsigned char *at = text.data;
    size_t width = 0;
    for (size_t i = 0; i < text.size; i++) {
        width += (at[i] & 0xc0) != 0x80;
    }
    return width;
}

/* The longest prefix of `text` that takes at most `width` columns. */
static struct yore_bytes cut_text(struct yore_bytes text, size_t width)
{
    const unsigned char *at = text.data;
    size_t size = 0;
    size_t seen = 0;
    while (size < text.size) {
        seen += (at[size] & 0xc0) != 0x80;
        if (seen > width) {
            break;
        }
        size++;
    }
    return bytes_of(text.data, size);
}

static void append_blanks(struct buffer *to, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        buffer_append_u8(to, ' ');
    }
}

static const char *word_color(const char *word)
{
    static const char *const colors[][2] = {{"added", "\033[32m"},   {"put", "\033[32m"},
                                            {"changed", "\033[33m"}, {"removed", "\033[31m"},
                                            {"delete", "\033[31m"},  {"erased", "\033[35m"}};
    for (size_t i = 0; i < sizeof(colors) / sizeof(colors[0]); i++) {
        if (strcmp(word, colors[i][0]) == 0) {
            return colors[i][1];
        }
    }
    return NULL;
}

/* One cell at its column's width; `*used` columns of the line are taken.  `color` may be NULL. */
static void append_table_cell(struct output *output, size_t column, struct yore_bytes text,
                              const char *color, size_t *used)
{
    struct buffer *to = &output->text;
    size_t width = text_width(text);
    size_t wanted = output->widths[column];
    size_t blanks = width < wanted ? wanted - width : 0;
    bool is_last = column == output->last_shown;
    size_t edge = output->cli->columns;
    if (*used > 0) {
        append_blanks(to, 2);
        *used += 2;
    }
    if (output->is_number[column]) {
        append_blanks(to, blanks);
    }
    if (color != NULL) {
        append_text(to, color);
    }
    if (is_last && edge > *used + 4 && *used + width > edge) {
        buffer_append_bytes(to, cut_text(text, edge - *used - 1));
        append_text(to, "\u2026");
    } else {
        buffer_append_bytes(to, text);
    }
    if (color != NULL) {
        append_text(to, "\033[0m");
    }
    if (!output->is_number[column] && !is_last) {
        append_blanks(to, blanks);
    }
    *used += width > wanted ? width : wanted;
}

static const char *color_of_text(const struct output *output, struct yore_bytes text)
{
    char word[12];
    if (!output->cli->has_color || text.size >= sizeof(word)) {
        return NULL;
    }
    snprintf(word, sizeof(word), "%.*s", (int)text.size,
             text.size > 0 ? (const char *)text.data : "");
    word[text.size] = '\0';
    return word_color(word);
}

static void append_table_header(struct output *output)
{
    size_t used = 0;
    const char *color = output->cli->has_color ? "\033[1m" : NULL;
    for (size_t i = 0; i < output->count; i++) {
        if ((output->columns[i].places & COLUMN_TABLE) != 0) {
            const char *name = output->columns[i].name;
            append_table_cell(output, i, bytes_of(name, strlen(name)), color, &used);
        }
    }
    buffer_append_u8(&output->text, '\n');
}

static struct yore_bytes take_held(const unsigned char **at)
{
    size_t size;
    memcpy(&size, *at, sizeof(size));
    struct yore_bytes text = bytes_of(*at + sizeof(size), size);
    *at += sizeof(size) + size;
    return text;
}

static void append_held_row(struct output *output, const unsigned char **at)
{
    size_t used = 0;
    for (size_t i = 0; i < output->count; i++) {
        if ((output->columns[i].places & COLUMN_TABLE) != 0) {
            struct yore_bytes text = take_held(at);
            append_table_cell(output, i, text, color_of_text(output, text), &used);
        }
    }
    buffer_append_u8(&output->text, '\n');
}

static void hold_row(struct output *output, const struct cell *cells)
{
    struct buffer text = {0};
    for (size_t i = 0; i < output->count; i++) {
        if ((output->columns[i].places & COLUMN_TABLE) == 0) {
            continue;
        }
        buffer_clear(&text);
        append_visible_cell(&text, &cells[i]);
        size_t width = text_width(buffer_bytes(&text));
        size_t edge = (size_t)output->cli->columns * 2 / 3;
        size_t width_max = edge > 0 && edge < TABLE_WIDTH_MAX ? edge : TABLE_WIDTH_MAX;
        width = width > width_max ? width_max : width;
        if (!output->has_widths && width > output->widths[i]) {
            output->widths[i] = width;
        }
        if (!output->has_widths) {
            output->is_number[i] =
                cells[i].kind == CELL_COUNT || cells[i].kind == CELL_REAL || cells[i].is_number;
        }
        buffer_append(&output->held, &text.size, sizeof(text.size));
        buffer_append_bytes(&output->held, buffer_bytes(&text));
    }
    output->held.is_nomem = output->held.is_nomem || text.is_nomem;
    output->held_rows++;
    buffer_release(&text);
}

static void show_held(struct output *output)
{
    const unsigned char *at = output->held.data;
    if (!output->has_widths) {
        output->has_widths = true;
        append_table_header(output);
    }
    for (size_t i = 0; i < output->held_rows && !output->held.is_nomem; i++) {
        append_held_row(output, &at);
    }
    output->has_failed = output->has_failed || output->held.is_nomem;
    output->held_rows = 0;
    buffer_clear(&output->held);
}

/* ---- the whole ------------------------------------------------------------------------------- */

enum yore_status output_choose(struct cli *cli, const struct args *args,
                               enum output_format *format_out, struct yore_error *error_out)
{
    static const char *const names[] = {"table", "json", "ndjson", "csv", "raw", NULL};
    size_t index = cli->is_out_terminal ? OUTPUT_TABLE : OUTPUT_RAW;
    if (cli->session != NULL && cli->session->output != NULL) {
        for (index = 0; strcmp(names[index], cli->session->output) != 0; index++) {
        }
    }
    enum yore_status st = args_choice(args, OPT_OUTPUT, names, &index, error_out);
    *format_out = (enum output_format)index;
    return st;
}

/* Hand the text to the stream. */
static bool pour(struct output *output)
{
    struct buffer *text = &output->text;
    if (text->is_nomem ||
        (text->size > 0 && fwrite(text->data, 1, text->size, output->cli->out) != text->size)) {
        output->has_failed = true;
    }
    buffer_clear(text);
    return !output->has_failed;
}

enum yore_status output_open(struct cli *cli, enum output_format format,
                             const struct column *columns, size_t count, struct output **output_out)
{
    struct output *output = mem_zalloc(sizeof(*output));
    if (output == NULL) {
        return YORE_NOMEM;
    }
    output->cli = cli;
    output->format = format;
    output->columns = columns;
    output->count = count;
    output->row_end = '\n';
    for (size_t i = 0; i < count; i++) {
        output->widths[i] = strlen(columns[i].name);
        if ((columns[i].places & COLUMN_TABLE) != 0) {
            output->last_shown = i;
        }
    }
    if (format == OUTPUT_CSV) {
        append_csv_header(output);
    }
    *output_out = output;
    return YORE_OK;
}

void output_end_rows_with_nul(struct output *output)
{
    if (output->format == OUTPUT_RAW) {
        output->row_end = '\0';
    }
}

bool output_row(struct output *output, const struct cell *cells)
{
    switch (output->format) {
    case OUTPUT_TABLE:
        hold_row(output, cells);
        if (output->has_widths || output->held_rows == TABLE_SAMPLE_ROWS) {
            show_held(output);
        }
        break;
    case OUTPUT_JSON:
        append_text(&output->text, output->rows == 0 ? "[" : ",\n ");
        append_json_row(output, cells);
        break;
    case OUTPUT_NDJSON:
        append_json_row(output, cells);
        buffer_append_u8(&output->text, '\n');
        break;
    case OUTPUT_CSV:
    case OUTPUT_RAW:
        append_separated_row(output, cells);
        break;
    }
    output->rows++;
    return pour(output);
}

uint64_t output_row_count(const struct output *output)
{
    return output->rows;
}

enum yore_status output_close(struct output *output)
{
    if (output == NULL) {
        return YORE_OK;
    }
    if (output->format == OUTPUT_TABLE && output->rows > 0) {
        show_held(output);
    }
    if (output->format == OUTPUT_JSON) {
        append_text(&output->text, output->rows == 0 ? "[]\n" : "]\n");
    }
    bool was_nomem = output->text.is_nomem || output->held.is_nomem;
    enum yore_status st = pour(output) ? YORE_OK : was_nomem ? YORE_NOMEM : YORE_IO;
    buffer_release(&output->text);
    buffer_release(&output->held);
    mem_free(output);
    return st;
}

enum yore_status output_print_count(struct cli *cli, enum output_format format, uint64_t count)
{
    static const struct column columns[] = {{"count", COLUMN_EVERYWHERE}};
    struct output *output;
    struct cell cell = cell_count(count);
    enum yore_status st = output_open(cli, format, columns, 1, &output);
    if (st == YORE_OK) {
        output_row(output, &cell);
        st = output_close(output);
    }
    return st;
}
