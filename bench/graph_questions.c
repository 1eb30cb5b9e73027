/* graph_questions.c -- statements of the query language, prepared once, in process: what
 * bench/graph asks Kuzu too.
 *
 *   graph_questions DB GRAPH SAMPLES [FROM TO]    SAMPLES is written: external ids, a line each
 *
 * One JSON line a question: latencies in microseconds, by the clock, and the sum of all answers,
 * which the other engine has to have too.
 *
 * With FROM and TO, milliseconds since 1970: what other engines cannot be asked.  Paths and
 * aggregations as of now and of ten moments evenly between the two, by turns, of nodes that are
 * there, and a line each of how much slower the past is: of aggregations what a relationship takes,
 * because there are more at one moment than at another. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "query/query.h"
#include "topology/graph.h"

enum { SAMPLES = 100, NAME_BYTES = 512, MOMENTS = 11 /* the first is now */ };
#define NS_PER_MS INT64_C(1000000)

struct moment {
    int64_t at;
    int64_t relationships; /* there were then */
    char names[SAMPLES][NAME_BYTES];
    size_t name_count;
    double took[SAMPLES];
    size_t took_count;
    int64_t sum; /* of all answers */
};

struct bench {
    struct yore_db *db;
    struct graph *graph;
    struct moment moments[MOMENTS];
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

/* Run it as of the moment, with $a and $b, and add up the numbers in the last column. */
static int64_t run(const struct bench *b, const struct moment *m, const struct query *query,
                   const char *const names[2])
{
    struct query_parameter parameters[2] = {{.name = bytes_of("a", 1)}, {.name = bytes_of("b", 1)}};
    for (int i = 0; i < 2; i++) {
        parameters[i].value.kind = YORE_GRAPH_STRING;
        parameters[i].value.as.string = bytes_of(names[i], strlen(names[i]));
    }
    struct query_options options = {
        .parameters = parameters, .parameter_count = 2, .at = {m->at, YORE_NOW}};
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

static int64_t count_all(const struct bench *b, const struct moment *m, const char *text)
{
    static const char *const nobody[2] = {"", ""};
    struct query *query = prepare(text);
    int64_t count = run(b, m, query, nobody);
    query_free(query);
    return count;
}

/* Every so many of the nodes, by external id. */
static void take_samples(const struct bench *b, struct moment *m, const char *path)
{
    struct query *query = prepare("MATCH (n) RETURN n.externalId AS x ORDER BY x");
    struct query_options options = {.at = {m->at, YORE_NOW}};
    struct query_result *result = NULL;
    struct query_error error;
    const struct yore_graph_value *row;
    size_t step = (size_t)count_all(b, m, "MATCH (n) RETURN count(n)") / SAMPLES + 1;
    FILE *file = fopen(path, "w");
    enum yore_status st = query_run(query, b->graph, &options, &result, &error);
    if (file == NULL || st != YORE_OK) {
        fail(path, "cannot be written, or nothing is there");
    }
    m->name_count = 0;
    for (size_t i = 0; query_next(result, &row, &error) == YORE_OK; i++) {
        struct yore_bytes name = row[0].as.string;
        if (i % step == 0 && name.size < NAME_BYTES && m->name_count < SAMPLES) {
            memcpy(m->names[m->name_count], name.data, name.size);
            m->names[m->name_count++][name.size] = '\0';
            fprintf(file, "%.*s\n", (int)name.size, (const char *)name.data);
        }
    }
    query_result_close(result);
    query_free(query);
    fclose(file);
}

/* Look-ups and hops as of the past are topology's to ask. */
enum { FIRST_OF_PAST = 4, WHOLE_GRAPH_TIMES = 9 };

struct question {
    const char *what;
    const char *text;
    int pairs; /* 0: of the whole graph; 1: of each sample; 2: of each and the next but six */
};

static void ask_once(const struct bench *b, const struct query *query, struct moment *m,
                     size_t turn)
{
    if (turn < m->took_count) {
        size_t count = m->name_count > 0 ? m->name_count : 1;
        const char *names[2] = {m->names[turn % count], m->names[(turn + 7) % count]};
        double from = now_us();
        m->sum += run(b, m, query, names);
        m->took[turn] = now_us() - from;
    }
}

/* All is asked twice and the second time counts.  Moments take turns, because processors change
 * their speed. */
static void ask(const struct bench *b, const struct question *question, struct moment *moments,
                size_t count)
{
    struct query *query = prepare(question->text);
    for (int warm = 0; warm < 2; warm++) {
        for (size_t i = 0; i < count; i++) {
            struct moment *m = &moments[i];
            m->took_count = question->pairs == 0 ? WHOLE_GRAPH_TIMES : m->name_count;
            m->sum = 0;
        }
        for (size_t i = 0; i < count * SAMPLES; i++) {
            ask_once(b, query, &moments[i % count], i / count);
        }
    }
    for (size_t i = 0; i < count; i++) {
        qsort(moments[i].took, moments[i].took_count, sizeof *moments[i].took, compare);
    }
    query_free(query);
}

static void measure(struct bench *b, const struct question *question)
{
    struct moment *now = &b->moments[0];
    ask(b, question, now, 1);
    printf("{\"row\":\"%s\",\"engine\":\"yore\",\"p50_us\":%.1f,\"p99_us\":%.1f,\"sum\":%lld}\n",
           question->what, now->took[now->took_count / 2],
           now->took[(now->took_count - 1) * 99 / 100], (long long)now->sum);
    fflush(stdout);
}

static void measure_past(struct bench *b, const struct question *question)
{
    double each[MOMENTS];
    ask(b, question, b->moments, MOMENTS);
    for (int i = 0; i < MOMENTS; i++) {
        const struct moment *m = &b->moments[i];
        double rows = question->pairs == 0 && m->relationships > 0 ? (double)m->relationships : 1;
        double p50 = m->took[m->took_count / 2];
        each[i] = p50 / rows;
        printf(
            "{\"row\":\"%s\",\"moment\":%d,\"relationships\":%lld,\"p50_us\":%.1f,\"sum\":%lld}\n",
            question->what, i, (long long)m->relationships, p50, (long long)m->sum);
    }
    double now = each[0];
    qsort(each + 1, MOMENTS - 1, sizeof *each, compare);
    double median = each[MOMENTS / 2];
    printf("{\"row\":\"past\",\"of\":\"%s\",\"now\":%.4f,\"slower\":%.2f,\"slowest\":%.2f,"
           "\"quickest\":%.2f}\n",
           question->what, now, each[MOMENTS - 1] / now, each[MOMENTS - 1] / median,
           each[1] / median);
}

/* Milliseconds. */
static void take_moments(struct bench *b, const char *path, int64_t from, int64_t to)
{
    for (int i = 0; i < MOMENTS; i++) {
        struct moment *m = &b->moments[i];
        m->at = i == 0 ? YORE_NOW : from * NS_PER_MS + (to - from) * NS_PER_MS / MOMENTS * i;
        m->relationships = count_all(b, m, "MATCH ()-[r]->() RETURN count(r)");
        take_samples(b, m, path);
    }
}

int main(int argc, char **argv)
{
    static struct bench b;
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
    b.moments[0].at = YORE_NOW;
    if (argc == 4) {
        take_samples(&b, &b.moments[0], argv[3]);
    } else {
        take_moments(&b, argv[3], strtoll(argv[4], NULL, 10), strtoll(argv[5], NULL, 10));
    }
    for (size_t i = 0; i < sizeof questions / sizeof questions[0]; i++) {
        if (argc == 4) {
            measure(&b, &questions[i]);
        } else if (i >= FIRST_OF_PAST) {
            measure_past(&b, &questions[i]);
        }
    }
    graph_close(b.graph);
    return yore_close(b.db, &error) == YORE_OK ? 0 : 1;
}
