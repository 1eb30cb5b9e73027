#include "tck/answer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/test.h"
#include "tck/literal.h"

/* ---- texts -----------------------------------------------------------------------------------
 */

struct buffer *texts_push(struct texts *texts)
{
    if (texts->count == texts->capacity) {
        texts->capacity = texts->capacity == 0 ? 16 : texts->capacity * 2;
        texts->items = realloc(texts->items, texts->capacity * sizeof(*texts->items));
        if (texts->items == NULL) {
            abort();
        }
    }
    struct buffer *text = &texts->items[texts->count++];
    memset(text, 0, sizeof(*text));
    return text;
}

void texts_release(struct texts *texts)
{
    for (size_t i = 0; i < texts->count; i++) {
        buffer_release(&texts->items[i]);
    }
    free(texts->items);
    memset(texts, 0, sizeof(*texts));
}

static int text_order(const void *a, const void *b)
{
    return bytes_compare(buffer_bytes(a), buffer_bytes(b));
}

void texts_sort(struct texts *texts)
{
    if (texts->count > 1) {
        qsort(texts->items, texts->count, sizeof(*texts->items), text_order);
    }
}

size_t texts_missing(const struct texts *a, const struct texts *b)
{
    size_t missing = 0;
    size_t k = 0;
    for (size_t i = 0; i < a->count; i++) {
        while (k < b->count && text_order(&b->items[k], &a->items[i]) < 0) {
            k++;
        }
        if (k < b->count && text_order(&b->items[k], &a->items[i]) == 0) {
            k++;
        } else {
            missing++;
        }
    }
    return missing;
}

/* Sorted, each once. */
static void texts_unique(struct texts *texts)
{
    texts_sort(texts);
    size_t kept = 0;
    for (size_t i = 0; i < texts->count; i++) {
        if (kept > 0 && text_order(&texts->items[kept - 1], &texts->items[i]) == 0) {
            buffer_release(&texts->items[i]);
        } else {
            texts->items[kept++] = texts->items[i];
        }
    }
    texts->count = kept;
}

/* ---- asking ----------------------------------------------------------------------------------
 */

typedef void (*row_fn)(void *arg, const struct yore_graph_value *row, size_t count);

static enum yore_status walk_rows(struct query_result *result, row_fn each, void *arg,
                                  struct query_error *error)
{
    while (true) {
        const struct yore_graph_value *row = NULL;
        enum yore_status st = query_next(result, &row, error);
        if (st != YORE_OK) {
            return st == YORE_NOT_FOUND ? YORE_OK : st;
        }
        each(arg, row, query_column_count(result));
    }
}

struct row_keeper {
    struct answer *answer;
    bool lists_unordered;
};

static void keep_row(void *arg, const struct yore_graph_value *row, size_t count)
{
    struct row_keeper *keeper = arg;
    struct buffer *text = texts_push(&keeper->answer->rows);
    for (size_t i = 0; i < count; i++) {
        buffer_append(text, "|", i == 0 ? 0 : 1);
        value_canonical(text, &row[i], keeper->lists_unordered);
    }
}

/* Rows that are asked for once more are the same, in their order. */
static void check_again(struct query_result *result, struct row_keeper *keeper)
{
    struct answer *answer = keeper->answer;
    struct texts first = answer->rows;
    answer->rows = (struct texts){.count = 0};
    query_result_rewind(result);
    CHECK_OK(walk_rows(result, keep_row, keeper, &answer->error));
    CHECK_EQ_UINT(answer->rows.count, first.count);
    for (size_t i = 0; i < first.count; i++) {
        struct yore_bytes again = buffer_bytes(&answer->rows.items[i]);
        CHECK_EQ_BYTES(again.data, again.size, first.items[i].data, first.items[i].size);
    }
    texts_release(&first);
}

static void run_prepared(const struct query *query, struct graph *graph,
                         const struct question *question, struct answer *answer)
{
    struct query_options options = {
        .parameters = question->parameters,
        .parameter_count = question->parameter_count,
        .at = question->at,
        .durability = YORE_DURABILITY_NONE,
    };
    struct query_result *result = NULL;
    answer->status = query_run(query, graph, &options, &result, &answer->error);
    if (answer->status != YORE_OK) {
        return;
    }
    for (size_t i = 0; i < query_column_count(result); i++) {
        buffer_append_bytes(texts_push(&answer->columns), query_column_name(result, i));
    }
    struct row_keeper keeper = {answer, question->lists_unordered};
    answer->status = walk_rows(result, keep_row, &keeper, &answer->error);
    if (answer->status == YORE_OK && query_result_can_rewind(result)) {
        check_again(result, &keeper);
    }
    answer->summary = query_result_summary(result);
    query_result_close(result);
}

struct answer ask(struct graph *graph, const struct question *question)
{
    struct answer answer;
    memset(&answer, 0, sizeof(answer));
    struct query *query = NULL;
    answer.status = query_prepare_with(question->text, question->procedures, &query, &answer.error);
    if (answer.status != YORE_OK) {
        return answer;
    }
    answer.writes = query_writes(query);
    run_prepared(query, graph, question, &answer);
    query_free(query);
    return answer;
}

void answer_release(struct answer *answer)
{
    texts_release(&answer->columns);
    texts_release(&answer->rows);
}

/* ---- everything in a graph -------------------------------------------------------------------
 */

static void keep_properties(struct graph_state *state, const char *element, uint64_t id,
                            const struct yore_graph_map *properties)
{
    for (size_t i = 0; i < properties->count; i++) {
        struct buffer *text = texts_push(&state->properties);
        char head[48];
        int size = snprintf(head, sizeof(head), "%s%llu.", element, (unsigned long long)id);
        buffer_append(text, head, (size_t)size);
        buffer_append_bytes(text, properties->entries[i].name);
        buffer_append(text, "=", 1);
        value_canonical(text, &properties->entries[i].value, false);
    }
}

static void keep_id(struct texts *texts, uint64_t id)
{
    char text[32];
    int size = snprintf(text, sizeof(text), "%llu", (unsigned long long)id);
    buffer_append(texts_push(texts), text, (size_t)size);
}

static void keep_element(void *arg, const struct yore_graph_value *row, size_t count)
{
    struct graph_state *state = arg;
    if (count == 0) {
        return;
    }
    if (row->kind == YORE_GRAPH_NODE) {
        const struct yore_graph_node *node = row->as.node;
        keep_id(&state->nodes, node->id);
        for (size_t i = 0; i < node->label_count; i++) {
            buffer_append_bytes(texts_push(&state->labels), node->labels[i]);
        }
        keep_properties(state, "n", node->id, &node->properties);
    } else if (row->kind == YORE_GRAPH_RELATIONSHIP) {
        keep_id(&state->relationships, row->as.relationship->id);
        keep_properties(state, "r", row->as.relationship->id, &row->as.relationship->properties);
    }
}

static bool keep_all(struct graph *graph, const char *text, struct graph_state *state)
{
    struct query_options options = {.at = {YORE_NOW, YORE_NOW}};
    struct query *query = NULL;
    struct query_result *result = NULL;
    struct query_error error;
    enum yore_status st = query_prepare(bytes_of(text, strlen(text)), &query, &error);
    if (st == YORE_OK) {
        st = query_run(query, graph, &options, &result, &error);
    }
    if (st == YORE_OK) {
        st = walk_rows(result, keep_element, state, &error);
        query_result_close(result);
    }
    query_free(query);
    return st == YORE_OK;
}

bool graph_state_take(struct graph *graph, struct graph_state *state)
{
    memset(state, 0, sizeof(*state));
    bool is_taken = keep_all(graph, "MATCH (n) RETURN n", state) &&
                    keep_all(graph, "MATCH ()-[r]->() RETURN r", state);
    texts_sort(&state->nodes);
    texts_sort(&state->relationships);
    texts_sort(&state->properties);
    texts_unique(&state->labels);
    return is_taken;
}

void graph_state_release(struct graph_state *state)
{
    texts_release(&state->nodes);
    texts_release(&state->relationships);
    texts_release(&state->labels);
    texts_release(&state->properties);
}
