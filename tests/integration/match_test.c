/* Random patterns over random graphs that change, each MATCH as of a moment of its own, against
 * trying everything (match_model.h): the same rows, whatever the plan, the indexes, and how much of
 * the history has been flushed, merged and sealed. */
#include <stdio.h>
#include <string.h>

#include "integration/match_model.h"
#include "query/query.h"
#include "support/test.h"
#include "tck/answer.h"
#include "topology/graph.h"

struct bed {
    struct yore_db *db;
    struct graph *graph;
    struct test_rand rand;
    struct model_state states[MODEL_STATES];
    struct query_parameter moments[MODEL_STATES];
    struct texts statements; /* that made the graph, for failures */
};

static void carry_out(struct bed *bed, struct yore_bytes text)
{
    struct question question = {.text = text, .at = {YORE_NOW, YORE_NOW}};
    struct answer answer = ask(bed->graph, &question);
    CHECK_MSG(answer.status == YORE_OK, "%.*s: %s", (int)text.size, (const char *)text.data,
              answer.error.error.text);
    answer_release(&answer);
}

/* Indexes come and go; they change nothing but the plan. */
static void change_indexes(struct bed *bed)
{
    static const char *const statements[] = {
        "CREATE INDEX IF NOT EXISTS FOR (n:A) ON (n.x)",
        "CREATE INDEX IF NOT EXISTS FOR (n:B) ON (n.x)",
        "CREATE INDEX IF NOT EXISTS FOR (n:A) ON (n.id)",
    };
    const char *text = statements[test_rand_below(&bed->rand, 3)];
    carry_out(bed, bytes_of(text, strlen(text)));
}

static void make_states(struct bed *bed)
{
    static const char *const names[] = {"m0", "m1", "m2", "m3"};
    struct model_state state;
    struct yore_error error;
    memset(&state, 0, sizeof(state));
    for (int i = 0; i < MODEL_STATES; i++) {
        size_t before = bed->statements.count;
        model_change(&state, &bed->rand, &bed->statements);
        for (size_t k = before; k < bed->statements.count; k++) {
            carry_out(bed, buffer_bytes(&bed->statements.items[k]));
        }
        if (test_rand_one_in(&bed->rand, 4)) {
            change_indexes(bed);
        }
        bed->states[i] = state;
        bed->moments[i].name = bytes_of(names[i], 2);
        bed->moments[i].value.kind = YORE_GRAPH_INT;
        bed->moments[i].value.as.integer = yore_now(bed->db);
        if (test_rand_one_in(&bed->rand, 16)) {
            CHECK_OK(yore_compact(bed->db, NULL, &error));
        }
    }
}

static void tell(const struct bed *bed, struct yore_bytes text, const struct texts *want,
                 const struct answer *answer)
{
    for (size_t i = 0; i < bed->statements.count; i++) {
        printf("%.*s;\n", (int)bed->statements.items[i].size,
               (const char *)bed->statements.items[i].data);
    }
    printf("%.*s\n%zu rows, expected %zu; %s\n", (int)text.size, (const char *)text.data,
           answer->rows.count, want->count,
           answer->status == YORE_OK ? "" : answer->error.error.text);
}

static void compare_rows(struct bed *bed, const struct model_query *query, int base)
{
    struct texts want = {NULL, 0, 0};
    if (!model_query_rows(query, bed->states, base, &want)) {
        texts_release(&want);
        return;
    }
    struct buffer text = {0};
    model_query_text(query, &text);
    struct question question = {.text = buffer_bytes(&text),
                                .parameters = bed->moments,
                                .parameter_count = MODEL_STATES,
                                .at = {bed->moments[base].value.as.integer, YORE_NOW}};
    if (base == MODEL_STATES - 1) {
        question.at.valid = YORE_NOW;
    }
    struct answer answer = ask(bed->graph, &question);
    texts_sort(&want);
    texts_sort(&answer.rows);
    bool is_same = answer.status == YORE_OK && want.count == answer.rows.count &&
                   texts_missing(&want, &answer.rows) == 0;
    if (!is_same) {
        tell(bed, question.text, &want, &answer);
    }
    CHECK(is_same);
    answer_release(&answer);
    texts_release(&want);
    buffer_release(&text);
    test_count(1);
}

#define QUERIES_PER_GRAPH 16

static void run_graph(struct bed *bed, uint64_t number)
{
    char name[32];
    struct yore_error error;
    int size = snprintf(name, sizeof(name), "match%llu", (unsigned long long)number);
    CHECK_OK(graph_open(bed->db, bytes_of(name, (size_t)size), true, NULL, &bed->graph, &error));
    make_states(bed);
    for (int i = 0; i < QUERIES_PER_GRAPH; i++) {
        struct model_query *query = model_query_new(&bed->rand);
        bool is_now = test_rand_one_in(&bed->rand, 2);
        compare_rows(bed, query,
                     is_now ? MODEL_STATES - 1 : (int)test_rand_below(&bed->rand, MODEL_STATES));
        model_query_free(query);
    }
    graph_close(bed->graph);
    texts_release(&bed->statements);
}

#define GRAPHS_PER_DB 20

TEST(patterns_match_what_trying_everything_finds)
{
    static struct bed bed;
    struct yore_error error;
    struct yore_options options;
    memset(&bed, 0, sizeof(bed));
    bed.rand = test_rand_new(0);
    yore_options_init(&options);
    options.durability = YORE_DURABILITY_NONE;
    uint64_t graphs = test_scale(200, 20000);
    for (uint64_t i = 0; i < graphs; i++) {
        if (i % GRAPHS_PER_DB == 0) {
            char name[32];
            snprintf(name, sizeof(name), "db%llu", (unsigned long long)(i / GRAPHS_PER_DB));
            CHECK_OK(yore_open(test_path(name), &options, &bed.db, &error));
        }
        run_graph(&bed, i);
        if ((i + 1) % GRAPHS_PER_DB == 0 || i + 1 == graphs) {
            CHECK_OK(yore_close(bed.db, &error));
        }
    }
}

TEST_MAIN(patterns_match_what_trying_everything_finds)
