#include "unit/query/query_bed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "query/value_format.h"
#include "support/test.h"

#define ANSWERS 8
#define ANSWER_BYTES 65536
#define ROWS_MAX 4096

void query_bed_open(struct query_bed *bed)
{
    memset(bed, 0, sizeof(*bed));
    graph_bed_open(&bed->graph);
    bed->options.at = (struct yore_time){YORE_NOW, YORE_NOW};
    bed->options.parameters = bed->parameters;
}

void query_bed_close(struct query_bed *bed)
{
    graph_bed_close(&bed->graph);
}

static char *answer_place(void)
{
    static char answers[ANSWERS][ANSWER_BYTES];
    static unsigned next;
    return answers[next++ % ANSWERS];
}

static const char *tell_error(const struct query_bed *bed)
{
    char *answer = answer_place();
    if (bed->error.type != NULL) {
        snprintf(answer, ANSWER_BYTES, "! %s %s", bed->error.type,
                 bed->error.detail != NULL ? bed->error.detail : "-");
    } else {
        snprintf(answer, ANSWER_BYTES, "! %s", yore_status_name(bed->status));
    }
    CHECK_MSG(bed->error.error.text[0] != '\0', "an error says what is wrong: %s", answer);
    return answer;
}

static char *row_text(const struct yore_graph_value *row, size_t columns)
{
    struct buffer text = {0};
    for (size_t i = 0; i < columns; i++) {
        if (i > 0) {
            buffer_append(&text, ", ", 2);
        }
        value_format(&text, &row[i]);
    }
    buffer_append(&text, "", 1);
    return (char *)text.data;
}

static int order_rows(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void free_text(char *text)
{
    struct buffer gone = {.data = (unsigned char *)text};
    buffer_release(&gone);
}

static const char *join(char **rows, size_t count, bool is_sorted)
{
    char *answer = answer_place();
    size_t used = 0;
    if (is_sorted) {
        qsort(rows, count, sizeof(*rows), order_rows);
    }
    answer[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        int more = snprintf(answer + used, ANSWER_BYTES - used, "%s%s", i > 0 ? "; " : "", rows[i]);
        used += (size_t)more;
        CHECK(used < ANSWER_BYTES);
    }
    for (size_t i = 0; i < count; i++) {
        free_text(rows[i]);
    }
    return answer;
}

/* Rows that are asked for once more are the same. */
static void check_again(struct query_result *result, char *const *rows, size_t count)
{
    const struct yore_graph_value *row = NULL;
    struct query_error error = {.type = NULL};
    enum yore_status st;
    size_t again = 0;
    query_result_rewind(result);
    for (; (st = query_next(result, &row, &error)) == YORE_OK; again++) {
        char *told = row_text(row, query_column_count(result));
        CHECK(again < count);
        CHECK_EQ_STR(told, rows[again]);
        free_text(told);
    }
    CHECK_MSG(st == YORE_NOT_FOUND, "row %zu: %s", again, error.error.text);
    CHECK_EQ_UINT(again, count);
}

static const char *ask_query(struct query_bed *bed, const struct query *query, bool is_sorted)
{
    struct query_result *result = NULL;
    char *rows[ROWS_MAX];
    size_t count = 0;
    bed->status = query_run(query, bed->graph.graph, &bed->options, &result, &bed->error);
    if (bed->status != YORE_OK) {
        return tell_error(bed);
    }
    const struct yore_graph_value *row = NULL;
    while ((bed->status = query_next(result, &row, &bed->error)) == YORE_OK) {
        CHECK(count < ROWS_MAX);
        rows[count++] = row_text(row, query_column_count(result));
    }
    bed->summary = query_result_summary(result);
    if (bed->status == YORE_NOT_FOUND && query_result_can_rewind(result)) {
        check_again(result, rows, count);
    }
    query_result_close(result);
    const char *answer = join(rows, count, is_sorted);
    return bed->status == YORE_NOT_FOUND ? answer : tell_error(bed);
}

static const char *ask_text(struct query_bed *bed, const char *query_text, bool is_sorted)
{
    struct query *query = NULL;
    bed->summary = (struct query_summary){0};
    bed->status = query_prepare(text(query_text), &query, &bed->error);
    if (bed->status != YORE_OK) {
        return tell_error(bed);
    }
    const char *answer = ask_query(bed, query, is_sorted);
    query_free(query);
    return answer;
}

const char *ask(struct query_bed *bed, const char *query)
{
    return ask_text(bed, query, false);
}

const char *ask_sorted(struct query_bed *bed, const char *query)
{
    return ask_text(bed, query, true);
}

const char *ask_at(struct query_bed *bed, const char *query, int64_t valid)
{
    bed->options.at.valid = valid;
    const char *answer = ask(bed, query);
    bed->options.at.valid = YORE_NOW;
    return answer;
}

int64_t run(struct query_bed *bed, const char *query)
{
    const char *answer = ask(bed, query);
    CHECK_MSG(answer[0] != '!', "%s: %s: %s", query, answer, bed->error.error.text);
    return bed->summary.commit;
}

void give(struct query_bed *bed, const char *name, struct yore_graph_value value)
{
    CHECK(bed->options.parameter_count < sizeof(bed->parameters) / sizeof(bed->parameters[0]));
    bed->parameters[bed->options.parameter_count++] = (struct query_parameter){text(name), value};
}

/* ---- plans ---------------------------------------------------------------------------------- */

static unsigned depth_of(const char *step)
{
    unsigned depth = 0;
    while (strncmp(step + 2 * depth, "| ", 2) == 0) {
        depth++;
    }
    return depth;
}

const char *steps(struct query_bed *bed, const char *query_text)
{
    char *answer = answer_place();
    char explained[2048];
    snprintf(explained, sizeof(explained), "EXPLAIN %s", query_text);
    struct query *query = NULL;
    struct query_result *result = NULL;
    CHECK_OK(query_prepare(text(explained), &query, &bed->error));
    CHECK_OK(query_run(query, bed->graph.graph, &bed->options, &result, &bed->error));
    const struct yore_graph_value *row = NULL;
    unsigned depth = 0;
    answer[0] = '\0';
    while (query_next(result, &row, &bed->error) == YORE_OK) {
        char step[256];
        snprintf(step, sizeof(step), "%.*s", (int)row[0].as.string.size,
                 (const char *)row[0].as.string.data);
        unsigned now = depth_of(step);
        for (; depth > now; depth--) {
            strncat(answer, "]", ANSWER_BYTES - strlen(answer) - 1);
        }
        const char *between = answer[0] == '\0' ? "" : now > depth ? " [" : " < ";
        depth = now;
        strncat(answer, between, ANSWER_BYTES - strlen(answer) - 1);
        strncat(answer, step + 2 * now, ANSWER_BYTES - strlen(answer) - 1);
    }
    for (; depth > 0; depth--) {
        strncat(answer, "]", ANSWER_BYTES - strlen(answer) - 1);
    }
    query_result_close(result);
    query_free(query);
    return answer;
}
