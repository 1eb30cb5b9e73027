/* graph_export_test.c -- what export writes of all of history, taken in again, is the same graph at
 * every moment: random graphs, through every format that has all of history, by command lines. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "cli/cli.h"
#include "os/env.h"
#include "query/word_json.h"
#include "support/store.h"
#include "unit/topology/graph_model_run.h"

#define COMMITS 30
#define WORDS_MAX 10
#define ROWS_MAX (MODEL_NODES + MODEL_RELATIONSHIPS)
#define TOLD_BYTES 1024

/* ---- command lines -------------------------------------------------------------------------- */

/* Run `yore graph DIR WORDS...`; standard output goes to file `out`.  The exit code, and in `told`
 * what standard error says. */
static int run_words(const char *const *words, const char *out, char told[TOLD_BYTES])
{
    char *argv[WORDS_MAX];
    int argc = 0;
    FILE *err = tmpfile();
    struct cli cli = {
        .env = os_env_posix(), .in = stdin, .out = fopen(out, "wb"), .err = err, .is_quiet = true};
    CHECK(cli.out != NULL && err != NULL);
    for (; words[argc] != NULL; argc++) {
        argv[argc] = strdup(words[argc]);
    }
    int code = cli_main(&cli, argc, argv);
    rewind(err);
    told[fread(told, 1, TOLD_BYTES - 1, err)] = '\0';
    fclose(cli.out);
    fclose(err);
    while (argc > 0) {
        free(argv[--argc]);
    }
    return code;
}

static void graph_command(const char *const *words, const char *out)
{
    char told[TOLD_BYTES];
    int code = run_words(words, out, told);
    CHECK_MSG(code == EXIT_FOUND, "yore graph %s %s: %d, %s", words[2], words[3], code, told);
}

/* ---- graphs --------------------------------------------------------------------------------- */

struct copy_out {
    struct os_env *from;
    const char *dir;
};

static void copy_file(void *arg, const char *path, uint64_t size)
{
    const struct copy_out *copy = arg;
    struct os_file *file = NULL;
    size_t read = 0;
    unsigned char *octets = malloc((size_t)size + 1);
    char to[TOLD_BYTES];
    (void)snprintf(to, sizeof to, "%s%s", copy->dir, strrchr(path, '/'));
    CHECK_OK(os_file_open(copy->from, path, OS_OPEN_READ, &file, NULL));
    CHECK_OK(os_file_read(file, 0, octets, (size_t)size, &read, NULL));
    os_file_close(file);
    FILE *out = fopen(to, "wb");
    CHECK(out != NULL && fwrite(octets, 1, read, out) == read && fclose(out) == 0);
    free(octets);
}

/* Close, and what was on the simulated disk is in directory `dir`. */
static void close_to(struct graph_bed *bed, const char *dir)
{
    struct copy_out copy = {sim_disk_env(bed->bed.disk), dir};
    graph_close(bed->graph);
    CHECK_OK(yore_close(bed->bed.db, NULL));
    CHECK_OK(os_dir_make(os_env_posix(), dir, NULL));
    store_files(bed->bed.disk, "db", copy_file, &copy);
    sim_disk_free(bed->bed.disk);
    arena_release(&bed->arena);
}

/* A random graph in a database at `dir`; its moments in `m`. */
static void make_graph(struct model *m, uint64_t round, const char *dir)
{
    struct run_counts counts = {0};
    struct run run = {.m = m, .rand = test_rand_new(round), .counts = &counts};
    memset(m, 0, sizeof *m);
    model_run_start(&run);
    while (m->commit_count < COMMITS) {
        model_run_begin(&run);
        model_run_end(&run);
        if (below(&run, 8) == 0) {
            graph_bed_age(&run.bed, (int)below(&run, BED_AGES));
        }
    }
    close_to(&run.bed, dir);
}

/* ---- a moment as text ----------------------------------------------------------------------- */

struct book {
    struct yore_db *db;
    struct graph *graph;
    struct arena arena; /* of one moment */
    char *rows[ROWS_MAX];
    size_t count;
};

static void book_open(struct book *book, const char *dir)
{
    *book = (struct book){0};
    CHECK_OK(yore_open(dir, NULL, &book->db, NULL));
    CHECK_OK(graph_open(book->db, text("g"), false, NULL, &book->graph, NULL));
}

static void book_close(struct book *book)
{
    graph_close(book->graph);
    arena_release(&book->arena);
    CHECK_OK(yore_close(book->db, NULL));
}

static void add_row(struct book *book, const struct buffer *line)
{
    CHECK(!line->is_nomem && book->count < ROWS_MAX);
    char *row = arena_alloc(&book->arena, line->size + 1);
    memcpy(row, line->data, line->size);
    row[line->size] = '\0';
    book->rows[book->count++] = row;
}

static struct yore_bytes name_of(struct book *book, struct graph_view *view, uint64_t id)
{
    struct yore_graph_node node;
    CHECK_OK(graph_node_get(view, id, &book->arena, &node, NULL));
    return node.external_id;
}

static void add_rows(struct book *book, struct graph_view *view, enum graph_scan_kind kind)
{
    struct graph_scan_options options = {.kind = kind};
    struct graph_scan *scan = NULL;
    struct buffer line = {0};
    uint64_t id;
    CHECK_OK(graph_scan_open(view, &options, &scan, NULL));
    while (graph_scan_next(scan, &id, NULL) == YORE_OK) {
        struct yore_graph_node node;
        struct yore_graph_relationship edge;
        buffer_clear(&line);
        if (kind == GRAPH_SCAN_NODES) {
            CHECK_OK(graph_node_get(view, id, &book->arena, &node, NULL));
            word_json_node(&line, &node, NULL);
        } else {
            CHECK_OK(graph_relationship_get(view, id, &book->arena, &edge, NULL));
            struct yore_bytes ends[2] = {name_of(book, view, edge.start_id),
                                         name_of(book, view, edge.end_id)};
            word_json_relationship(&line, &edge, ends, NULL);
        }
        add_row(book, &line);
    }
    graph_scan_close(scan);
    buffer_release(&line);
}

static int order_rows(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void read_moment(struct book *book, int64_t moment)
{
    struct graph_view *view = NULL;
    struct yore_time at = {moment, YORE_NOW};
    arena_reset(&book->arena);
    book->count = 0;
    CHECK_OK(graph_view_open(book->graph, NULL, &at, &view, NULL));
    add_rows(book, view, GRAPH_SCAN_NODES);
    add_rows(book, view, GRAPH_SCAN_RELATIONSHIPS);
    graph_view_close(view);
    qsort(book->rows, book->count, sizeof book->rows[0], order_rows);
}

/* Returns how many elements were compared. */
static uint64_t compare_at(struct book *was, struct book *is, int64_t moment)
{
    read_moment(was, moment);
    read_moment(is, moment);
    for (size_t i = 0; i < was->count && i < is->count; i++) {
        CHECK_MSG(strcmp(was->rows[i], is->rows[i]) == 0, "at %lld: %s, not %s", (long long)moment,
                  is->rows[i], was->rows[i]);
    }
    CHECK_MSG(was->count == is->count, "at %lld: %zu elements, not %zu", (long long)moment,
              is->count, was->count);
    return was->count;
}

static uint64_t compare_graphs(const struct model *m, const char *dir, const char *again)
{
    struct book was, is;
    uint64_t compared = 0;
    book_open(&was, dir);
    book_open(&is, again);
    for (size_t s = 0; s < m->now.slot_count; s++) {
        compared += compare_at(&was, &is, m->times[s] - 1);
        compared += compare_at(&was, &is, m->times[s]);
    }
    CHECK_OK(graph_verify(is.graph, NULL, NULL, NULL, NULL));
    book_close(&was);
    book_close(&is);
    return compared;
}

/* ---- the formats ---------------------------------------------------------------------------- */

static void through_ndjson(const char *dir, const char *again)
{
    const char *file = test_path("ndjson");
    const char *const out[] = {"yore", "graph", dir, "export", "g", "--every", NULL};
    const char *const in[] = {"yore", "graph", again, "apply", "g", file, "--source", "old", NULL};
    graph_command(out, file);
    graph_command(in, test_path("told"));
}

static void through_events(const char *dir, const char *again)
{
    const char *file = test_path("events");
    const char *const out[] = {"yore",    "graph",    dir,      "export", "g",
                               "--every", "--format", "events", NULL};
    const char *const in[] = {"yore", "graph", again, "import", "g", file, NULL};
    graph_command(out, file);
    graph_command(in, test_path("told"));
}

static void through_csv(const char *dir, const char *again)
{
    const char *nodes = test_path("nodes");
    const char *edges = test_path("relationships");
    const char *const out[] = {"yore",    "graph",    dir,         "export", "g",
                               "--every", "--format", "nodes-csv", NULL};
    const char *const more[] = {
        "yore", "graph", dir, "export", "g", "--every", "--format", "relationships-csv", NULL};
    const char *const in[] = {"yore", "graph", again,      "apply", "g",
                              nodes,  edges,   "--source", "old",   NULL};
    graph_command(out, nodes);
    graph_command(more, edges);
    graph_command(in, test_path("told"));
}

static void check_round_trips(void (*through)(const char *dir, const char *again))
{
    uint64_t rounds = test_scale(12, 400);
    uint64_t compared = 0;
    struct model *m = malloc(sizeof *m);
    for (uint64_t round = 0; round < rounds; round++) {
        char names[2][24];
        (void)snprintf(names[0], sizeof names[0], "was%llu", (unsigned long long)round);
        (void)snprintf(names[1], sizeof names[1], "is%llu", (unsigned long long)round);
        const char *dir = test_path(names[0]);
        const char *again = test_path(names[1]);
        test_note("round %llu", (unsigned long long)round);
        make_graph(m, round, dir);
        through(dir, again);
        compared += compare_graphs(m, dir, again);
        model_release(m);
    }
    free(m);
    CHECK(compared > rounds * COMMITS); /* there were elements */
    test_count(compared);
}

TEST(all_of_history_goes_through_ndjson)
{
    check_round_trips(through_ndjson);
}

TEST(all_of_history_goes_through_events)
{
    check_round_trips(through_events);
}

TEST(all_of_history_goes_through_csv)
{
    check_round_trips(through_csv);
}

TEST(an_end_that_is_still_to_come_is_no_event)
{
    struct graph_bed bed;
    char told[TOLD_BYTES];
    const char *dir = test_path("db");
    const char *const words[] = {"yore",    "graph",    dir,      "export", "g",
                                 "--every", "--format", "events", NULL};
    graph_bed_open(&bed);
    struct graph_txn *txn = begin(&bed);
    (void)node_made(txn, "ends", "L", AT(1), INT64_C(7258118400000000000)); /* in the year 2200 */
    (void)commit(txn);
    close_to(&bed, dir);
    CHECK_EQ_INT(run_words(words, test_path("out"), told), (int)YORE_INVALID);
    CHECK_MSG(strstr(told, "ends at ") != NULL && strstr(told, "still to come") != NULL, "%s",
              told);
}

TEST_MAIN(an_end_that_is_still_to_come_is_no_event, all_of_history_goes_through_ndjson,
          all_of_history_goes_through_events, all_of_history_goes_through_csv)
