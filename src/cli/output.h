/* output.h -- rows in the format asked for: table, json, ndjson, csv, raw.
 *
 * A command names its columns once and gives cells row by row; nothing is held back but the first
 * rows of a table, whose widths set the columns.  What stands for octets: text that is UTF-8 as
 * itself; other octets in JSON as base64 under `<name>_base64`, in tables as \xNN, in csv and raw
 * as they are.
 */
#ifndef YORE_CLI_OUTPUT_H
#define YORE_CLI_OUTPUT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "cli/cli.h"

enum output_format { OUTPUT_TABLE, OUTPUT_JSON, OUTPUT_NDJSON, OUTPUT_CSV, OUTPUT_RAW };

enum cell_kind {
    CELL_NONE, /* JSON null; a dash in a table; empty elsewhere */
    CELL_BYTES,
    CELL_WORD,   /* a word of the program, printable */
    CELL_MOMENT, /* RFC 3339; YORE_FOREVER is "forever", null in JSON */
    CELL_COUNT,
    CELL_REAL,
    CELL_LITERAL /* `bytes` as people read it, `json` as JSON */
};

struct cell {
    enum cell_kind kind;
    struct yore_bytes bytes;
    const char *word;
    int64_t moment;
    uint64_t count;
    double real; /* shown with 1 to 3 decimals */
    struct yore_bytes json;
    bool is_number; /* a literal that stands at the right of its column */
};

static inline struct cell cell_bytes(struct yore_bytes bytes)
{
    return (struct cell){.kind = CELL_BYTES, .bytes = bytes};
}
static inline struct cell cell_word(const char *word)
{
    return (struct cell){.kind = CELL_WORD, .word = word};
}
static inline struct cell cell_moment(int64_t moment)
{
    return (struct cell){.kind = CELL_MOMENT, .moment = moment};
}
static inline struct cell cell_count(uint64_t count)
{
    return (struct cell){.kind = CELL_COUNT, .count = count};
}
static inline struct cell cell_real(double real)
{
    return (struct cell){.kind = CELL_REAL, .real = real};
}
static inline struct cell cell_none(void)
{
    return (struct cell){.kind = CELL_NONE};
}

enum column_place {
    COLUMN_TABLE = 1, /* shown in tables */
    COLUMN_RAW = 2,   /* shown in raw rows */
    COLUMN_DATA = 4,  /* shown in json, ndjson and csv */
    COLUMN_EVERYWHERE = 7
};

struct column {
    const char *name; /* as in JSON: snake_case, or what a query calls it */
    unsigned places;
};

#define OUTPUT_COLUMNS_MAX 256

struct output;

/* The format asked for: --output, else the session's, else a table on a terminal and raw elsewhere.
 */
enum yore_status output_choose(struct cli *cli, const struct args *args,
                               enum output_format *format_out, struct yore_error *error_out);

/* `columns` is kept; `count` is at most OUTPUT_COLUMNS_MAX. */
enum yore_status output_open(struct cli *cli, enum output_format format,
                             const struct column *columns, size_t count,
                             struct output **output_out);
void output_end_rows_with_nul(struct output *output);
/* One row, a cell for each column; false when it cannot be written (out of memory, output closed).
 */
bool output_row(struct output *output, const struct cell *cells);
uint64_t output_row_count(const struct output *output);
/* Finish and free.  YORE_IO, YORE_NOMEM when anything went wrong on the way. */
enum yore_status output_close(struct output *output);

/* The whole output of a command whose answer is one number. */
enum yore_status output_print_count(struct cli *cli, enum output_format format, uint64_t count);

/* "1,234,567" */
#define COUNT_TEXT_BYTES 32
char *count_format(uint64_t count, char text[COUNT_TEXT_BYTES]);
/* "1.62 MB": three digits and a decimal unit. */
#define SIZE_TEXT_BYTES 32
char *size_format(uint64_t bytes, char text[SIZE_TEXT_BYTES]);

#endif
