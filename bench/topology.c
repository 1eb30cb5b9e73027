/* topology.c -- a graph of an event file beside SQLite interval tables: import, size,
 * look-ups and neighbourhoods of one to three hops now and as of ten past moments, scans of labels
 * and of all relationships, differences; and what the past costs beside the present.
 *
 *   topology EVENTS.tsv DIR [FROM TO]     FROM, TO: one more difference, in milliseconds
 *
 * EVENTS.tsv is an event file (docs/import-export.md), not compressed.  SQLite keeps what everybody
 * would write by hand: a row for each version with [t0, t1), and B-tree indexes on id, label,
 * source and target.  Both answer the same questions; where they differ the program says so and
 * fails. Prints one JSON line a row; latencies in microseconds of the thread's processor time, less
 * what asking the clock takes.
 *
 * The past has other answers than the present: the rows "past" compare, of hops, what they take
 * beside what the present takes for as many nodes looked at and relationships met, and of scans
 * what a row does, at moments with a quarter of today's rows or more.  Moments take turns of a few
 * samples, because processors change their speed between one second and the next. */
#include <dirent.h>
#include <inttypes.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include <yore/graph.h>

#define NS_PER_MS INT64_C(1000000)
#define MOMENTS 11      /* now and ten past ones */
#define SAMPLES 200     /* measured at a moment ... */
#define CANDIDATES 4000 /* ... of so many nodes, where they are there */
#define TURN_SAMPLES 10 /* of a moment, before the next has its turn */
#define SCAN_ROUNDS 9
#define CLOCK_SAMPLES 1001
#define NO_END INT64_MAX
#define NAME_BYTES 512

enum question { LOOK_UP, HOP_1, HOP_2, HOP_3, LABEL_SCAN, ALL_RELATIONSHIPS, QUESTIONS };

static const char *const question_names[QUESTIONS] = {"look-up", "1 hops",     "2 hops",
                                                      "3 hops",  "label scan", "all relationships"};

struct text {
    char *data;
    size_t size;
};

struct sample {
    char name[NAME_BYTES];
};

/* What was reached, in order; found again by a table of the names' hashes, or by ids. */
struct reached {
    uint64_t *ids; /* yore: ids; sqlite: hashes of names */
    char **names;  /* sqlite */
    size_t count;
    uint64_t *slots;
    size_t slot_count;
};

/* What a walk has met. */
struct met {
    double nodes;
    double relationships;
};

struct latencies {
    double yore[SAMPLES];
    double sqlite[SAMPLES];
    struct met met[SAMPLES];
    size_t count;
};

struct moment {
    int64_t at; /* milliseconds; NO_END: now */
    char name[32];
    struct yore_graph_view *view;
    struct yore_graph_hops *hops;
    size_t next;        /* of the candidates */
    const char *before; /* the last that was there */
    struct latencies took;
};

struct bench {
    struct text events;
    char yore_path[512];
    char sqlite_path[512];
    struct yore_db *db;
    struct yore_graph *graph;
    sqlite3 *sql;
    struct sample candidates[CANDIDATES];
    size_t candidate_count;
    int64_t first; /* milliseconds */
    int64_t last;
    uint64_t lines;
    uint64_t transactions;
    int64_t hundred; /* time of the transaction a hundred before the last */
    char label[NAME_BYTES];
    struct moment moments[MOMENTS]; /* the first is now */
    struct reached ours;
    struct reached theirs;
    sqlite3_stmt *near;
    double clock_us;                  /* what asking the clock takes */
    double costs[QUESTIONS][MOMENTS]; /* to be compared; 0: cannot be told */
};

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double cpu_seconds(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double thread_seconds(void)
{
    return cpu_seconds(CLOCK_THREAD_CPUTIME_ID);
}

static void must(enum yore_status st, const struct yore_error *error)
{
    if (st != YORE_OK) {
        fprintf(stderr, "topology: %s: %s\n", yore_status_name(st), error->text);
        exit(1);
    }
}

static void must_sql(struct bench *b, int rc)
{
    if (rc != SQLITE_OK && rc != SQLITE_DONE && rc != SQLITE_ROW) {
        fprintf(stderr, "topology: sqlite: %s\n", sqlite3_errmsg(b->sql));
        exit(1);
    }
}

static struct yore_bytes bytes(const char *words)
{
    return (struct yore_bytes){words, strlen(words)};
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static double percentile(double *values, size_t count, double p)
{
    if (count == 0) {
        return 0;
    }
    qsort(values, count, sizeof *values, compare_doubles);
    return values[(size_t)((double)(count - 1) * p)];
}

/* ---- the events ---- */

struct columns {
    char *at[9];
    size_t size[9];
};

static char *next_line(char *at, char *end, struct columns *c)
{
    char *stop = memchr(at, '\n', (size_t)(end - at));
    stop = stop != NULL ? stop : end;
    for (int i = 0; i < 9; i++) {
        char *tab = memchr(at, '\t', (size_t)(stop - at));
        tab = tab != NULL ? tab : stop;
        c->at[i] = at;
        c->size[i] = (size_t)(tab - at);
        at = tab < stop ? tab + 1 : stop;
    }
    return stop < end ? stop + 1 : end;
}

static void take_sample(struct bench *b, const struct columns *c, uint64_t *seen)
{
    if (c->at[2][0] != '+' || c->at[3][0] != 'n' || c->size[4] >= NAME_BYTES) {
        return;
    }
    /* Reservoir, with a generator of its own: the same samples every time. */
    uint64_t place = b->candidate_count;
    if (b->candidate_count == CANDIDATES) {
        *seen = *seen * 6364136223846793005u + 1442695040888963407u;
        place = (*seen >> 33) % (b->lines + 1);
    } else {
        b->candidate_count++;
    }
    if (place < CANDIDATES) {
        memcpy(b->candidates[place].name, c->at[4], c->size[4]);
        b->candidates[place].name[c->size[4]] = '\0';
    }
    size_t label = strcspn(c->at[5], ",\t");
    memcpy(b->label, c->at[5], label);
    b->label[label] = '\0';
}

static void read_events(struct bench *b, const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL || fseek(file, 0, SEEK_END) != 0) {
        perror(path);
        exit(1);
    }
    b->events.size = (size_t)ftell(file);
    rewind(file);
    b->events.data = malloc(b->events.size + 1);
    if (b->events.data == NULL ||
        fread(b->events.data, 1, b->events.size, file) != b->events.size) {
        perror(path);
        exit(1);
    }
    fclose(file);
    b->events.data[b->events.size] = '\0';
    int64_t times[128] = {0};
    uint64_t seen = 1;
    char *end = b->events.data + b->events.size;
    for (char *at = b->events.data; at < end;) {
        struct columns c;
        at = next_line(at, end, &c);
        int64_t t = strtoll(c.at[0], NULL, 10);
        b->first = b->lines == 0 ? t : b->first;
        if (t != b->last) {
            times[b->transactions++ % 101] = t;
        }
        b->last = t;
        take_sample(b, &c, &seen);
        b->lines++;
    }
    b->hundred = b->transactions > 100 ? times[b->transactions % 101] : b->first;
}

/* ---- yore ---- */

static void open_yore(struct bench *b)
{
    struct yore_options options;
    struct yore_error error;
    yore_options_init(&options);
    options.durability = YORE_DURABILITY_NONE;
    must(yore_open(b->yore_path, &options, &b->db, &error), &error);
    must(yore_graph_open(b->db, "g", true, NULL, &b->graph, &error), &error);
}

static void close_yore(struct bench *b)
{
    struct yore_error error;
    yore_graph_close(b->graph);
    must(yore_close(b->db, &error), &error);
}

static double directory_bytes(const char *path)
{
    DIR *dir = opendir(path);
    struct dirent *entry;
    double sum = 0;
    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        char file[1024];
        struct stat s;
        snprintf(file, sizeof file, "%s/%s", path, entry->d_name);
        if (stat(file, &s) == 0 && S_ISREG(s.st_mode)) {
            sum += (double)s.st_blocks * 512;
        }
    }
    if (dir != NULL) {
        closedir(dir);
    }
    return sum;
}

static void import_yore(struct bench *b)
{
    struct yore_error error;
    struct yore_graph_import *import = NULL;
    open_yore(b);
    double begin = seconds();
    double cpu = cpu_seconds(CLOCK_PROCESS_CPUTIME_ID);
    must(yore_graph_import_open(b->graph, YORE_DURABILITY_NONE, false, &import, &error), &error);
    char *end = b->events.data + b->events.size;
    for (char *at = b->events.data; at < end;) {
        char *stop = memchr(at, '\n', (size_t)(end - at));
        stop = stop != NULL ? stop : end;
        struct yore_bytes line = {at, (size_t)(stop - at)};
        must(yore_graph_import_line(import, line, &error), &error);
        at = stop + 1;
    }
    must(yore_graph_import_finish(import, &error), &error);
    double took = seconds() - begin;
    cpu = cpu_seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    must(yore_compact(b->db, NULL, &error), &error);
    close_yore(b);
    printf("{\"row\":\"import\",\"engine\":\"yore\",\"events\":%" PRIu64
           ",\"seconds\":%.3f,\"cpu_seconds\":%.3f,\"bytes\":%.0f}\n",
           b->lines, took, cpu, directory_bytes(b->yore_path));
    open_yore(b);
}

/* ---- sqlite ---- */

static sqlite3_stmt *prepare(struct bench *b, const char *sql)
{
    sqlite3_stmt *statement = NULL;
    must_sql(b, sqlite3_prepare_v2(b->sql, sql, -1, &statement, NULL));
    return statement;
}

static void bind_text(sqlite3_stmt *statement, int index, const char *text, size_t size)
{
    sqlite3_bind_text(statement, index, text, (int)size, SQLITE_STATIC);
}

static void step_done(struct bench *b, sqlite3_stmt *statement)
{
    must_sql(b, sqlite3_step(statement));
    sqlite3_reset(statement);
}

static const char *const schema =
    "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF;"
    "CREATE TABLE nodes(id TEXT, labels TEXT, props TEXT, t0 INTEGER, t1 INTEGER);"
    "CREATE TABLE edges(id TEXT, type TEXT, src TEXT, dst TEXT, props TEXT, t0 INTEGER,"
    " t1 INTEGER);"
    "CREATE INDEX node_id ON nodes(id, t1); CREATE INDEX node_label ON nodes(labels, t0, t1);"
    "CREATE INDEX edge_id ON edges(id, t1); CREATE INDEX edge_src ON edges(src, t0, t1);"
    "CREATE INDEX edge_dst ON edges(dst, t0, t1); BEGIN";

static void import_sqlite(struct bench *b)
{
    remove(b->sqlite_path);
    must_sql(b, sqlite3_open(b->sqlite_path, &b->sql));
    double begin = seconds();
    double cpu = cpu_seconds(CLOCK_PROCESS_CPUTIME_ID);
    must_sql(b, sqlite3_exec(b->sql, schema, NULL, NULL, NULL));
    sqlite3_stmt *add[2] = {
        prepare(b, "INSERT INTO nodes VALUES(?1,?3,?4,?2,9223372036854775807)"),
        prepare(b, "INSERT INTO edges VALUES(?1,?3,?5,?6,?4,?2,9223372036854775807)")};
    sqlite3_stmt *end[2] = {
        prepare(b, "UPDATE nodes SET t1=?2 WHERE id=?1 AND t1=9223372036854775807"),
        prepare(b, "UPDATE edges SET t1=?2 WHERE id=?1 AND t1=9223372036854775807")};
    sqlite3_stmt *again[2] = {
        prepare(b, "INSERT INTO nodes SELECT id,labels,json_patch(props,?4),?2,9223372036854775807"
                   " FROM nodes WHERE id=?1 AND t1=?2 LIMIT 1"),
        prepare(b, "INSERT INTO edges SELECT id,type,src,dst,json_patch(props,?4),?2,"
                   "9223372036854775807 FROM edges WHERE id=?1 AND t1=?2 LIMIT 1")};
    char *stop = b->events.data + b->events.size;
    for (char *at = b->events.data; at < stop;) {
        struct columns c;
        at = next_line(at, stop, &c);
        int kind = c.at[3][0] == 'e';
        sqlite3_stmt *steps[2] = {c.at[2][0] == '+' ? add[kind] : end[kind],
                                  c.at[2][0] == '~' ? again[kind] : NULL};
        for (int i = 0; i < 2 && steps[i] != NULL; i++) {
            int parameters = sqlite3_bind_parameter_count(steps[i]);
            bind_text(steps[i], 1, c.at[4], c.size[4]);
            sqlite3_bind_int64(steps[i], 2, strtoll(c.at[0], NULL, 10));
            if (parameters >= 4) {
                bind_text(steps[i], 3, c.at[5], c.size[5]);
                bind_text(steps[i], 4, c.at[8], c.size[8]);
            }
            if (parameters >= 6) {
                bind_text(steps[i], 5, c.at[6], c.size[6]);
                bind_text(steps[i], 6, c.at[7], c.size[7]);
            }
            step_done(b, steps[i]);
        }
    }
    must_sql(b, sqlite3_exec(b->sql, "COMMIT", NULL, NULL, NULL));
    double took = seconds() - begin;
    cpu = cpu_seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    for (int i = 0; i < 2; i++) {
        sqlite3_finalize(add[i]);
        sqlite3_finalize(end[i]);
        sqlite3_finalize(again[i]);
    }
    struct stat s;
    double size = stat(b->sqlite_path, &s) == 0 ? (double)s.st_size : 0;
    printf("{\"row\":\"import\",\"engine\":\"sqlite\",\"events\":%" PRIu64
           ",\"seconds\":%.3f,\"cpu_seconds\":%.3f,\"bytes\":%.0f}\n",
           b->lines, took, cpu, size);
}

/* ---- neighbourhoods ---- */

#define REACHED_SLOTS ((size_t)1 << 18)

static void reached_clear(struct reached *r)
{
    for (size_t i = 0; r->names != NULL && i < r->count; i++) {
        free(r->names[i]);
    }
    for (size_t i = 0; i < r->count; i++) {
        size_t at = (size_t)(r->ids[i] * 0x9e3779b97f4a7c15u >> 40) & (r->slot_count - 1);
        while (r->slots[at] != 0) {
            r->slots[at] = 0;
            at = (at + 1) & (r->slot_count - 1);
        }
    }
    r->count = 0;
}

static void reached_init(struct reached *r, bool has_names)
{
    r->slot_count = REACHED_SLOTS;
    r->slots = calloc(REACHED_SLOTS, sizeof *r->slots);
    r->ids = calloc(REACHED_SLOTS, sizeof *r->ids);
    r->names = has_names ? calloc(REACHED_SLOTS, sizeof *r->names) : NULL;
    r->count = 0;
}

static bool reached_add(struct reached *r, uint64_t id)
{
    size_t at = (size_t)(id * 0x9e3779b97f4a7c15u >> 40) & (r->slot_count - 1);
    while (r->slots[at] != 0) {
        if (r->slots[at] == id) {
            return false;
        }
        at = (at + 1) & (r->slot_count - 1);
    }
    r->slots[at] = id;
    r->ids[r->count++] = id;
    return true;
}

static uint64_t name_hash(const char *name)
{
    uint64_t h = 1469598103934665603u;
    for (; *name != '\0'; name++) {
        h = (h ^ (unsigned char)*name) * 1099511628211u;
    }
    return h | 1;
}

static struct met walk_yore(struct yore_graph_hops *hops, struct reached *r, uint64_t start,
                            int depth)
{
    struct met met = {0, 0};
    struct yore_error error;
    struct yore_graph_hop hop;
    reached_add(r, start);
    size_t from = 0;
    for (int i = 0; i < depth; i++) {
        size_t to = r->count;
        for (; from < to; from++) {
            must(yore_graph_hops_restart(hops, r->ids[from], &error), &error);
            met.nodes++;
            while (yore_graph_hops_next(hops, &hop, &error) == YORE_OK) {
                reached_add(r, hop.other);
                met.relationships++;
            }
        }
    }
    return met;
}

static void walk_sqlite(struct bench *b, struct reached *r, const char *start, int64_t t, int depth)
{
    sqlite3_stmt *near = b->near;
    reached_add(r, name_hash(start));
    r->names[0] = strdup(start);
    size_t from = 0;
    for (int i = 0; i < depth; i++) {
        size_t to = r->count;
        for (; from < to; from++) {
            bind_text(near, 1, r->names[from], strlen(r->names[from]));
            sqlite3_bind_int64(near, 2, t);
            while (sqlite3_step(near) == SQLITE_ROW) {
                const char *name = (const char *)sqlite3_column_text(near, 0);
                if (reached_add(r, name_hash(name))) {
                    r->names[r->count - 1] = strdup(name);
                }
            }
            must_sql(b, sqlite3_reset(near));
        }
    }
}

/* ---- moments ---- */

static struct yore_graph_view *open_view(const struct bench *b, const struct moment *m)
{
    struct yore_graph_view *view = NULL;
    struct yore_time at = {m->at == NO_END ? YORE_NOW : m->at * NS_PER_MS, YORE_NOW};
    struct yore_error error;
    must(yore_graph_view_open(b->graph, NULL, m->at == NO_END ? NULL : &at, &view, &error), &error);
    return view;
}

static void begin_moments(struct bench *b)
{
    struct yore_graph_hops_options options = {.node = 1, .direction = YORE_GRAPH_BOTH};
    struct yore_error error;
    reached_init(&b->ours, false);
    reached_init(&b->theirs, true);
    b->near = prepare(b, "SELECT dst FROM edges WHERE src=?1 AND t0<=?2 AND t1>?2 UNION ALL "
                         "SELECT src FROM edges WHERE dst=?1 AND t0<=?2 AND t1>?2");
    for (int i = 0; i < MOMENTS; i++) {
        struct moment *m = &b->moments[i];
        m->at = i == 0 ? NO_END : b->first + (b->last - b->first) / MOMENTS * i;
        if (i == 0) {
            snprintf(m->name, sizeof m->name, "now");
        } else {
            snprintf(m->name, sizeof m->name, "past %d", i);
        }
        m->view = open_view(b, m);
        must(yore_graph_hops_open(m->view, &options, &m->hops, &error), &error);
    }
}

static void end_moments(struct bench *b)
{
    for (int i = 0; i < MOMENTS; i++) {
        yore_graph_hops_close(b->moments[i].hops);
        yore_graph_view_close(b->moments[i].view);
    }
    sqlite3_finalize(b->near);
}

/* ---- questions of single nodes ---- */

static double since_us(const struct bench *b, double begin)
{
    double took = (thread_seconds() - begin) * 1e6 - b->clock_us;
    return took > 0.01 ? took : 0.01;
}

static void weigh_clock(struct bench *b)
{
    static double took[CLOCK_SAMPLES];
    for (size_t i = 0; i < CLOCK_SAMPLES; i++) {
        double begin = thread_seconds();
        took[i] = (thread_seconds() - begin) * 1e6;
    }
    b->clock_us = percentile(took, CLOCK_SAMPLES, 0.5);
}

/* What one sample took.  False: the node is not there at the moment. */
typedef bool (*ask_fn)(struct bench *b, struct moment *m, const char *name, enum question question);

static bool ask_hops(struct bench *b, struct moment *m, const char *name, enum question question)
{
    struct latencies *l = &m->took;
    struct yore_error error;
    int depth = question - HOP_1 + 1;
    uint64_t id = 0;
    if (yore_graph_find(m->view, YORE_GRAPH_ELEMENT_NODE, bytes(name), &id, &error) != YORE_OK) {
        return false;
    }
    for (int warm = 0; warm < 2; warm++) {
        reached_clear(&b->ours);
        double begin = thread_seconds();
        l->met[l->count] = walk_yore(m->hops, &b->ours, id, depth);
        l->yore[l->count] = since_us(b, begin);
    }
    reached_clear(&b->theirs);
    double begin = thread_seconds();
    walk_sqlite(b, &b->theirs, name, m->at == NO_END ? b->last : m->at, depth);
    l->sqlite[l->count] = since_us(b, begin);
    if (b->ours.count != b->theirs.count) {
        fprintf(stderr, "topology: %s at %s: %zu and %zu\n", name, m->name, b->ours.count,
                b->theirs.count);
        exit(1);
    }
    return true;
}

static bool look_up(struct moment *m, const char *name)
{
    struct yore_graph_node node;
    struct yore_error error;
    uint64_t id;
    return yore_graph_find(m->view, YORE_GRAPH_ELEMENT_NODE, bytes(name), &id, &error) == YORE_OK &&
           yore_graph_node_get(m->view, id, &node, &error) == YORE_OK;
}

/* An element by its external id, whole.  A view keeps the last record that it has read, so another
 * is read in between. */
static bool ask_look_up(struct bench *b, struct moment *m, const char *name, enum question question)
{
    (void)question;
    if (!look_up(m, name)) {
        return false;
    }
    bool has_before = m->before != NULL && strcmp(m->before, name) != 0;
    if (has_before && look_up(m, m->before)) {
        double begin = thread_seconds();
        (void)look_up(m, name);
        m->took.yore[m->took.count] = since_us(b, begin);
    }
    m->before = name;
    return has_before;
}

/* What a node and a relationship take, by the samples: no sum of relative errors' squares is less.
 */
static struct met price(const struct latencies *l)
{
    double nn = 0;
    double nr = 0;
    double rr = 0;
    double n = 0;
    double r = 0;
    for (size_t i = 0; i < l->count; i++) {
        double nodes = l->met[i].nodes / l->yore[i];
        double relationships = l->met[i].relationships / l->yore[i];
        nn += nodes * nodes;
        nr += nodes * relationships;
        rr += relationships * relationships;
        n += nodes;
        r += relationships;
    }
    double det = nn * rr - nr * nr;
    return (struct met){(n * rr - r * nr) / det, (r * nn - n * nr) / det};
}

/* Beside what the present takes for as many nodes and relationships. */
static double beside_now(const struct bench *b, const struct latencies *l)
{
    double ratios[SAMPLES];
    struct met now = price(&b->moments[0].took);
    for (size_t i = 0; i < l->count; i++) {
        ratios[i] = l->yore[i] /
                    (l->met[i].nodes * now.nodes + l->met[i].relationships * now.relationships);
    }
    return percentile(ratios, l->count, 0.5);
}

static void tell_answers(struct bench *b, enum question question)
{
    for (size_t i = 0; i < MOMENTS; i++) { /* before percentile() sorts */
        b->costs[question][i] = question == LOOK_UP ? 0 : beside_now(b, &b->moments[i].took);
    }
    for (size_t i = 0; i < MOMENTS; i++) {
        struct latencies *l = &b->moments[i].took;
        struct met each = question == LOOK_UP ? (struct met){0, 0} : price(l);
        double p50 = percentile(l->yore, l->count, 0.5);
        b->costs[question][i] = question == LOOK_UP ? p50 : b->costs[question][i];
        printf("{\"row\":\"%s\",\"moment\":\"%s\",\"nodes\":%zu,\"yore_p50\":%.2f,"
               "\"yore_p99\":%.1f",
               question_names[question], b->moments[i].name, l->count, p50,
               percentile(l->yore, l->count, 0.99));
        if (question != LOOK_UP) {
            printf(",\"beside_now\":%.2f,\"a_node\":%.3f,\"a_relationship\":%.4f,"
                   "\"sqlite_p50\":%.2f,\"sqlite_p99\":%.1f",
                   b->costs[question][i], each.nodes, each.relationships,
                   percentile(l->sqlite, l->count, 0.5), percentile(l->sqlite, l->count, 0.99));
        }
        printf("}\n");
    }
}

/* False: the moment has no samples left to take. */
static bool take_turn(struct bench *b, struct moment *m, ask_fn ask, enum question question)
{
    size_t end = m->took.count + TURN_SAMPLES;
    end = end < SAMPLES ? end : SAMPLES;
    while (m->took.count < end && m->next < b->candidate_count) {
        m->took.count += ask(b, m, b->candidates[m->next++].name, question);
    }
    return m->took.count < SAMPLES && m->next < b->candidate_count;
}

/* Moments take turns, because processors change their speed. */
static void measure(struct bench *b, ask_fn ask, enum question question)
{
    for (size_t i = 0; i < MOMENTS; i++) {
        b->moments[i].next = 0;
        b->moments[i].before = NULL;
        b->moments[i].took.count = 0;
    }
    for (bool goes_on = true; goes_on;) {
        goes_on = false;
        for (size_t i = 0; i < MOMENTS; i++) {
            goes_on |= take_turn(b, &b->moments[i], ask, question);
        }
    }
    tell_answers(b, question);
}

/* ---- scans and differences ---- */

/* Microseconds; how many rows there are. */
static double scan(struct bench *b, const struct moment *m, enum question question,
                   uint64_t *count_out)
{
    bool is_label = question == LABEL_SCAN;
    struct yore_error error;
    struct yore_graph_view *view = NULL;
    struct yore_graph_scan *scan = NULL;
    struct yore_graph_scan_options options = {
        .name = bytes(is_label ? b->label : ""),
        .element = is_label ? YORE_GRAPH_ELEMENT_NODE : YORE_GRAPH_ELEMENT_RELATIONSHIP};
    uint64_t id;
    double begin = thread_seconds();
    *count_out = 0;
    view = open_view(b, m);
    must(yore_graph_scan_open(view, &options, &scan, &error), &error);
    while (yore_graph_scan_next(scan, &id, &error) == YORE_OK) {
        ++*count_out;
    }
    yore_graph_scan_close(scan);
    yore_graph_view_close(view);
    return (thread_seconds() - begin) * 1e6;
}

static void measure_scans(struct bench *b, enum question question)
{
    double best[MOMENTS];
    uint64_t count[MOMENTS];
    for (int round = 0; round < SCAN_ROUNDS; round++) {
        for (size_t i = 0; i < MOMENTS; i++) {
            double took = scan(b, &b->moments[i], question, &count[i]);
            best[i] = round == 0 || took < best[i] ? took : best[i];
        }
    }
    for (size_t i = 0; i < MOMENTS; i++) {
        b->costs[question][i] = count[i] * 4 >= count[0] ? best[i] / (double)count[i] : 0;
        printf("{\"row\":\"%s\",\"moment\":\"%s\",\"label\":\"%s\",\"rows\":%" PRIu64
               ",\"yore_best\":%.1f}\n",
               question_names[question], b->moments[i].name, question == LABEL_SCAN ? b->label : "",
               count[i], best[i]);
    }
}

/* The slowest past moment beside now, and slowest and quickest beside the median one. */
static void tell_past(struct bench *b)
{
    for (int q = 0; q < QUESTIONS; q++) {
        double now = b->costs[q][0];
        double past[MOMENTS];
        size_t count = 0;
        for (size_t m = 1; m < MOMENTS; m++) {
            past[count] = b->costs[q][m];
            count += past[count] > 0;
        }
        if (count > 0 && now > 0) {
            double median = percentile(past, count, 0.5);
            double slowest = past[count - 1];
            printf("{\"row\":\"past\",\"of\":\"%s\",\"now\":%.4f,\"slower\":%.2f,"
                   "\"slowest\":%.2f,\"quickest\":%.2f}\n",
                   question_names[q], now, slowest / now, slowest / median, past[0] / median);
        }
    }
}

static void measure_difference(struct bench *b, int64_t from, int64_t to, const char *what)
{
    struct yore_error error;
    double best = 1e9;
    uint64_t count = 0;
    for (int round = 0; round < 5; round++) {
        struct yore_graph_changes *changes = NULL;
        struct yore_graph_change change;
        double begin = thread_seconds();
        count = 0;
        must(yore_graph_changes_open(b->graph, from * NS_PER_MS, to * NS_PER_MS, false, &changes,
                                     &error),
             &error);
        while (yore_graph_changes_next(changes, &change, &error) == YORE_OK) {
            count++;
        }
        yore_graph_changes_close(changes);
        double took = (thread_seconds() - begin) * 1e6;
        best = took < best ? took : best;
    }
    printf("{\"row\":\"difference\",\"of\":\"%s\",\"changes\":%" PRIu64 ",\"yore_best\":%.0f}\n",
           what, count, best);
}

int main(int argc, char **argv)
{
    static struct bench b;
    if (argc != 3 && argc != 5) {
        fprintf(stderr, "usage: topology EVENTS.tsv DIR [FROM TO]\n");
        return 2;
    }
    snprintf(b.yore_path, sizeof b.yore_path, "%s/yore", argv[2]);
    snprintf(b.sqlite_path, sizeof b.sqlite_path, "%s/sqlite.db", argv[2]);
    read_events(&b, argv[1]);
    import_yore(&b);
    import_sqlite(&b);
    begin_moments(&b);
    weigh_clock(&b);
    measure(&b, ask_look_up, LOOK_UP);
    for (enum question question = HOP_1; question <= HOP_3; question++) {
        measure(&b, ask_hops, question);
    }
    measure_scans(&b, LABEL_SCAN);
    measure_scans(&b, ALL_RELATIONSHIPS);
    tell_past(&b);
    measure_difference(&b, b.first + (b.last - b.first) * 2 / 5,
                       b.first + (b.last - b.first) * 4 / 5, "two fifths of all time");
    measure_difference(&b, b.hundred, b.last, "the last 100 transactions");
    if (argc == 5) {
        measure_difference(&b, strtoll(argv[3], NULL, 10), strtoll(argv[4], NULL, 10), "as asked");
    }
    end_moments(&b);
    close_yore(&b);
    sqlite3_close(b.sql);
    return 0;
}
