#include "query/error.h"

#include <stdio.h>
#include <string.h>

#define LINE_SHOWN_MAX 100 /* octets of the line that are shown */
#define LINE_BEFORE_MAX 60 /* of them before the spot */

/* The line of the text in which something stands, what of it is shown, and its number. */
struct shown_line {
    const unsigned char *begin;
    size_t size;
    size_t column; /* of the spot within what is shown */
    unsigned number;
    unsigned character; /* of the whole line, where the spot begins; 1-based */
};

static bool is_continuation(unsigned char c)
{
    return (c & 0xc0) == 0x80;
}

static struct shown_line line_of(struct yore_bytes text, size_t offset)
{
    const unsigned char *data = text.data;
    struct shown_line line = {.number = 1, .character = 1};
    size_t begin = 0;
    for (size_t i = 0; i < offset; i++) {
        line.character += is_continuation(data[i]) ? 0 : 1;
        if (data[i] == '\n') {
            begin = i + 1;
            line.character = 1;
            line.number++;
        }
    }
    size_t end = offset;
    while (end < text.size && data[end] != '\n' && data[end] != '\r') {
        end++;
    }
    if (offset - begin > LINE_BEFORE_MAX) {
        begin = offset - LINE_BEFORE_MAX;
    }
    if (end - begin > LINE_SHOWN_MAX) {
        end = begin + LINE_SHOWN_MAX;
    }
    while (begin < offset && is_continuation(data[begin])) {
        begin++;
    }
    while (end > offset && end < text.size && is_continuation(data[end])) {
        end--;
    }
    line.begin = data + begin;
    line.size = end - begin;
    line.column = offset - begin;
    return line;
}

/* "\n  line\n  ^^^^": one ^ a character, so that it stands right below text beyond ASCII too. */
static void append_line(char *to, size_t room, const struct shown_line *line, size_t spot_size)
{
    size_t at = strlen(to);
    int head = snprintf(to + at, room - at, "\nline %u: ", line->number);
    if (head < 0 || (size_t)head >= room - at) {
        to[at] = '\0';
        return;
    }
    size_t indent = (size_t)head - 1;
    size_t mark = at + (size_t)head;
    if (line->size * 2 + indent + 3 > room - mark) {
        to[at] = '\0';
        return;
    }
    for (size_t i = 0; i < line->size; i++) {
        to[mark++] =
            (char)(line->begin[i] == '\t' || line->begin[i] == '\0' ? ' ' : line->begin[i]);
    }
    to[mark++] = '\n';
    memset(to + mark, ' ', indent);
    mark += indent;
    size_t marks = 0;
    for (size_t i = 0; i < line->size; i++) {
        bool is_spot = i >= line->column && i < line->column + spot_size;
        if (is_continuation(line->begin[i]) || (i >= line->column && !is_spot)) {
            continue;
        }
        to[mark++] = is_spot ? '^' : ' ';
        marks += is_spot;
    }
    if (marks == 0) {
        to[mark++] = '^';
    }
    to[mark] = '\0';
}

enum yore_status query_error_set_list(struct query_error *error_out, struct yore_bytes text,
                                      struct ast_spot spot, struct query_error_class error_class,
                                      const char *format, va_list arguments)
{
    if (error_out == NULL) {
        return YORE_INVALID;
    }
    error_out->type = error_class.type;
    error_out->detail = error_class.detail;
    error_out->is_compile_time = error_class.is_compile_time;
    error_out->offset = spot.offset;
    error_out->line = 0;
    error_out->column = 0;
    error_out->error.status = YORE_INVALID;
    char *to = error_out->error.text;
    if (vsnprintf(to, YORE_ERROR_TEXT_BYTES, format, arguments) < 0) {
        to[0] = '\0';
    }
    if (text.size > 0) {
        size_t offset = spot.offset < text.size ? spot.offset : text.size;
        struct shown_line line = line_of(text, offset);
        error_out->line = line.number;
        error_out->column = line.character;
        append_line(to, YORE_ERROR_TEXT_BYTES, &line, spot.size);
    }
    return YORE_INVALID;
}

enum yore_status query_error_set(struct query_error *error_out, struct yore_bytes text,
                                 struct ast_spot spot, struct query_error_class error_class,
                                 const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    enum yore_status st =
        query_error_set_list(error_out, text, spot, error_class, format, arguments);
    va_end(arguments);
    return st;
}
