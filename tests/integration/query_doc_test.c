/* docs/query.md: each example is run, in order, on one graph; the result under it is what comes.
 * The functions that it lists are those that there are.
 *
 * A block begins with a line ```cypher and ends with ```; a block that begins with ``` right behind
 * it is its result.  A line `// $name is now` in a block gives the present moment to parameter
 * `name` from then on. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "query/function.h"
#include "query/query.h"
#include "query/value_format.h"
#include "support/test.h"
#include "topology/graph.h"

#define PARAMETERS_MAX 8

struct page {
    char *text;
    struct yore_db *db;
    struct graph *graph;
    struct query_parameter parameters[PARAMETERS_MAX];
    size_t parameter_count;
    size_t run_count;
};

static char *read_page(void)
{
    FILE *file = fopen(QUERY_DOC, "rb");
    CHECK_MSG(file != NULL, "%s", QUERY_DOC);
    CHECK_EQ_INT(fseek(file, 0, SEEK_END), 0);
    size_t size = (size_t)ftell(file);
    rewind(file);
    char *text = malloc(size + 1);
    CHECK(text != NULL);
    CHECK_EQ_UINT(fread(text, 1, size, file), size);
    text[size] = '\0';
    fclose(file);
    return text;
}

/* The line `// $name is now` of a block. */
static void take_moments(struct page *page, const char *block, size_t size)
{
    static const char head[] = "// $";
    const char *at = block;
    while ((at = strstr(at, head)) != NULL && at < block + size) {
        at += strlen(head);
        size_t name_size = strcspn(at, " \n");
        CHECK(strncmp(at + name_size, " is now\n", 8) == 0);
        CHECK(page->parameter_count < PARAMETERS_MAX);
        struct query_parameter *parameter = &page->parameters[page->parameter_count++];
        parameter->name = bytes_of(at, name_size);
        parameter->value.kind = YORE_GRAPH_INT;
        parameter->value.as.integer = yore_now(page->db);
    }
}

static void append_cells(struct buffer *to, struct query_result *result,
                         const struct yore_graph_value *row)
{
    for (size_t i = 0; i < query_column_count(result); i++) {
        buffer_append(to, " | ", i == 0 ? 0 : 3);
        if (row == NULL) {
            buffer_append_bytes(to, query_column_name(result, i));
        } else {
            value_format(to, &row[i]);
        }
    }
    buffer_append(to, "\n", query_column_count(result) > 0 ? 1 : 0);
}

/* Names of columns and rows, a line each. */
static void run_block(struct page *page, struct yore_bytes text, struct buffer *to)
{
    struct query_options options = {.parameters = page->parameters,
                                    .parameter_count = page->parameter_count,
                                    .at = {YORE_NOW, YORE_NOW}};
    struct query_error error;
    struct query *query = NULL;
    struct query_result *result = NULL;
    const struct yore_graph_value *row = NULL;
    test_note("%.*s", (int)text.size, (const char *)text.data);
    CHECK_MSG(query_prepare(text, &query, &error) == YORE_OK, "%s", error.error.text);
    CHECK_MSG(query_run(query, page->graph, &options, &result, &error) == YORE_OK, "%s",
              error.error.text);
    append_cells(to, result, NULL);
    enum yore_status st = YORE_OK;
    while ((st = query_next(result, &row, &error)) == YORE_OK) {
        append_cells(to, result, row);
    }
    CHECK_MSG(st == YORE_NOT_FOUND, "%s", error.error.text);
    query_result_close(result);
    query_free(query);
    page->run_count++;
}

static void run_page(struct page *page)
{
    static const char begin[] = "```cypher\n";
    static const char end[] = "```\n";
    char *at = page->text;
    while ((at = strstr(at, begin)) != NULL) {
        at += strlen(begin);
        char *stop = strstr(at, end);
        CHECK(stop != NULL);
        struct buffer got = {0};
        take_moments(page, at, (size_t)(stop - at));
        run_block(page, bytes_of(at, (size_t)(stop - at)), &got);
        at = stop + strlen(end);
        if (strncmp(at, end, strlen(end)) == 0) {
            at += strlen(end);
            stop = strstr(at, end);
            CHECK(stop != NULL);
            CHECK_EQ_BYTES(got.data, got.size, at, (size_t)(stop - at));
            at = stop + strlen(end);
        }
        buffer_release(&got);
    }
}

TEST(every_example_gives_the_result_under_it)
{
    struct page page = {.text = read_page()};
    struct yore_error error;
    CHECK_OK(yore_open(test_path("db"), NULL, &page.db, &error));
    CHECK_OK(graph_open(page.db, bytes_of("doc", 3), true, NULL, &page.graph, &error));
    run_page(&page);
    CHECK(page.run_count > 10);
    graph_close(page.graph);
    CHECK_OK(yore_close(page.db, &error));
    free(page.text);
}

TEST(every_function_is_listed)
{
    char *text = read_page();
    const char *list = strstr(text, "\nFunctions ");
    CHECK(list != NULL);
    const char *end = strstr(list, "\n## ");
    CHECK(end != NULL);
    for (size_t i = 0; i < function_count(); i++) {
        char name[64];
        snprintf(name, sizeof(name), "`%s`", function_at(i)->name);
        const char *found = strstr(list, name);
        CHECK_MSG(found != NULL && found < end, "%s is not listed", name);
    }
    size_t listed = 0;
    for (const char *at = list; at < end; at++) {
        listed += *at == '`' ? 1 : 0;
    }
    CHECK_EQ_UINT(listed, 2 * function_count());
    free(text);
}

TEST_MAIN(every_example_gives_the_result_under_it, every_function_is_listed)
