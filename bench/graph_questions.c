/* graph_questions.c -- statements of the query language, prepared once, in process: what
 * bench/graph asks Kuzu too.
 *
 *   graph_questions DB GRAPH SAMPLES [FROM TO]    SAMPLES is written: external ids, a line each
 *
 * One JSON line a question: latencies in microseconds, by the clock, and the sum of all answers,
 * which the other engine has to have too.
 *
 * With FROM and TO, milliseconds since 1970: what other engines cannot be asked.  Paths and
 * aggregations as of now and of ten moments evenly between the two, of nodes that are there, and a
 * line each of how much slower the past is: of aggregations what a relationship takes, because
 * there are more at one moment than at another. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "query/query.h"
#include "topology/graph.h"

enum { SAMPLES = 100, NAME_BYTES = 512, MOMENTS = 11 /* the first is now */ };
#define NS_PER_MS INT64_C(1000000)

struct bench {
    struct yore_db *db;
    struct graph *graph;
    int64_t at; /* what is asked is asked as of this moment */
    char names[SAMPLES][NAME_BYTES];
    size_t count;
};

static double now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static void fail(const char *what, const char *text)
{
    fprintf(stderr, "graph_questions: %s: %s\n", what, text);
    exit(1);
}

static struct query *prepare(const char *text)
{
    struct query *query = NULL;
    struct query_error error;
    if (query_prepare(bytes_of(text, strlen(text)), &query, &error) != YORE_OK) {
        fail(text, error.error.text);
    }
    return query;
}

/* Run it, with $a and $b, and add up the numbers in the last column. */
static int64_t run(struct bench *b, const struct query *query, const char *first,
                   const char *second)
{
    struct query_parameter parameters[2] = {{.name = bytes_of("a", 1)}, {.name = bytes_of("b", 1)}};
    const char *names[2] = {first, second};
    for (int i = 0; i < 2; i++) {
        parameters[i].value.kind = YORE_GRAPH_STRING;
        parameters[i].value.as.string = bytes_of(names[i], strlen(names[i]));
    }
    struct query_options options = {
        .parameters = parameters, .parameter_count = 2, .at = {b->at, YORE_NOW}};
    struct query_result *result = NULL;
    struct query_error error;
    const struct yore_graph_value *row;
    int64_t sum = 0;
    enum yore_status st = query_run(query, b->graph, &options, &result, &error);
    while (st == YORE_OK && (st = query_next(result, &row, &error)) == YORE_OK) {
        sum += row[query_column_count(result) - 1].as.integer;
    }
    if (st != YORE_NOT_FOUND) {
        fail("a statement", error.error.text);
    }
    query_result_close(result);
    return sum;
}

/* Every so many of the nodes, by external id. */
static void take_samples(struct bench *b, const char *path)
{
    struct query *query = prepare("MATCH (n) RETURN n.externalId AS x ORDER BY x");
    struct query_options options = {.at = {b->at, YORE_NOW}};
    struct query_result *result = NULL;
    struct query_error error;
    const struct yore_graph_value *row;
    struct query *all = prepare("MATCH (n) RETURN count(n)");
    size_t step = (size_t)run(b, all, "", "") / SAMPLES + 1;
    FILE *file = fopen(path, "w");
    enum yore_status st = query_run(query, b->graph, &options, &result, &error);
    if (file == NULL || st != YORE_OK) {
        fail(path, "cannot be written, or nothing is there");
    }
    b->count = 0;
    for (size_t i = 0; query_next(result, &row, &error) == YORE_OK; i++) {
        struct yore_bytes name = row[0].as.string;
        if (i % step == 0 && name.size < NAME_BYTES && b->count < SAMPLES) {
            memcpy(b->names[b->count], name.data, name.size);
            b->names[b->count++][name.size] = '\0';
            fprintf(file, "%.*s\n", (int)name.size, (const char *)name.data);
        }
    }
    query_result_close(result);
    query_free(query);
    query_free(all);
    fclose(file);
}

/* Look-ups and hops as of the past are topology's to ask. */
enum { FIRST_OF_PAST = 4 };

struct question {
    const char *what;
    const char *text;
    int pairs; /* 0: of the whole graph; 1: of each sample; 2: of each and the next but six */
};

/* Ask twice and keep the second: the medians and the like go to `took`, sorted, so many. */
static int64_t ask(struct bench *b, const struct question *question, double *took, size_t count)
{
    struct query *query = prepare(question->text);
    int64_t sum = 0;
    for (int warm = 0; warm < 2; warm++) {
        sum = 0;
        for (size_t i = 0; i < count; i++) {
            double from = now_us();
            sum += run(b, query, b->names[i % b->count], b->names[(i + 7) % b->count]);
            took[i] = now_us() - from;
        }
    }
    qsort(took, count, sizeof *took, compare);
    query_free(query);
    return sum;
}

static void measure(struct bench *b, const struct question *question)
{
    double took[SAMPLES];
    size_t count = question->pairs == 0 ? 9 : b->count;
    int64_t sum = ask(b, question, took, count);
    printf("{\"row\":\"%s\",\"engine\":\"yore\",\"p50_us\":%.1f,\"p99_us\":%.1f,\"sum\":%lld}\n",
           question->what, took[count / 2], took[(count - 1) * 99 / 100], (long long)sum);
    fflush(stdout);
}

static void measure_past(struct bench *b, const struct question *question, const char *samples,
                         int64_t from, int64_t to)
{
    struct query *all = prepare("MATCH ()-[r]->() RETURN count(r)");
    double each[MOMENTS];
    for (int m = 0; m < MOMENTS; m++) {
        double took[SAMPLES];
        b->at = m == 0 ? YORE_NOW : from + (to - from) / MOMENTS * m;
        take_samples(b, samples);
        size_t count = question->pairs == 0 ? 9 : b->count;
        int64_t sum = ask(b, question, took, count);
        int64_t relationships = run(b, all, "", "");
        double rows = question->pairs == 0 && relationships > 0 ? (double)relationships : 1;
        each[m] = took[count / 2] / rows;
        printf(
            "{\"row\":\"%s\",\"moment\":%d,\"relationships\":%lld,\"p50_us\":%.1f,\"sum\":%lld}\n",
            question->what, m, (long long)relationships, took[count / 2], (long long)sum);
    }
    double now = each[0];
    qsort(each + 1, MOMENTS - 1, sizeof *each, compare);
    double median = each[MOMENTS / 2];
    printf("{\"row\":\"past\",\"of\":\"%s\",\"now\":%.4f,\"slower\":%.2f,\"slowest\":%.2f,"
           "\"quickest\":%.2f}\n",
           question->what, now, each[MOMENTS - 1] / now, each[MOMENTS - 1] / median,
           each[1] / median);
    query_free(all);
}

int main(int argc, char **argv)
{
    static struct bench b = {.at = YORE_NOW};
    static const struct question questions[] = {
        {"look-up", "MATCH (a {externalId: $a}) RETURN count(a)", 1},
        {"1 hop", "MATCH (a {externalId: $a})--(b) WHERE a <> b RETURN count(DISTINCT b)", 1},
        {"2 hops", "MATCH (a {externalId: $a})-[*1..2]-(b) WHERE a <> b RETURN count(DISTINCT b)",
         1},
        {"3 hops", "MATCH (a {externalId: $a})-[*1..3]-(b) WHERE a <> b RETURN count(DISTINCT b)",
         1},
        {"shortest path",
         "MATCH (a {externalId: $a}), (b {externalId: $b}) "
         "MATCH p = shortestPath((a)-[*..4]-(b)) RETURN length(p)",
         2},
        {"count by type", "MATCH ()-[r]->() RETURN type(r), count(r)", 0},
        {"degrees", "MATCH (a)-[r]->() WITH a, count(r) AS d RETURN max(d)", 0}};
    if (argc != 4 && argc != 6) {
        fprintf(stderr, "usage: graph_questions DB GRAPH SAMPLES [FROM TO]\n");
        return 2;
    }
    struct yore_error error;
    if (yore_open(argv[1], NULL, &b.db, &error) != YORE_OK ||
        graph_open(b.db, bytes_of(argv[2], strlen(argv[2])), false, NULL, &b.graph, &error) !=
            YORE_OK) {
        fail(argv[1], error.text);
    }
    if (argc == 4) {
        take_samples(&b, argv[3]);
    }
    for (size_t i = 0; i < sizeof questions / sizeof questions[0]; i++) {
        if (argc == 4) {
            measure(&b, &questions[i]);
        } else if (i >= FIRST_OF_PAST) {
            measure_past(&b, &questions[i], argv[3], strtoll(argv[4], NULL, 10) * NS_PER_MS,
                         strtoll(argv[5], NULL, 10) * NS_PER_MS);
        }
    }
    graph_close(b.graph);
    return yore_close(b.db, &error) == YORE_OK ? 0 : 1;
}
