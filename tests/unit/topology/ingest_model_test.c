/* ingest_model_test.c -- random words of several sources at random times, against an oracle that is
 * a table: source x element x moment.
 *
 * The oracle knows nothing of incarnations, lines or stretches: a claim is laid moment by moment,
 * to its end where it has one, otherwise to the source's next different word; an element is there
 * where anybody claims it (and, of a relationship, where both ends are); its properties are those
 * of the claim that goes first.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "topology/ingest.h"
#include "unit/topology/graph_bed.h"

#define SOURCES 3
#define NODES 5
#define RELATIONSHIPS 6
#define ELEMENTS (NODES + RELATIONSHIPS)
#define FIXED 16 /* moments of long ago */
#define STEPS 40
#define MOMENTS (FIXED + STEPS)
#define VALUES 4 /* 1 .. VALUES: what a source may say */

struct oracle {
    uint8_t said[SOURCES][ELEMENTS][MOMENTS]; /* 0: nothing */
    int64_t times[MOMENTS];
    size_t count;
};
struct run {
    struct graph_bed bed;
    struct oracle now;
    struct oracle *known[STEPS + 1]; /* after each commit */
    int64_t commits[STEPS + 1];
    size_t commit_count;
    struct test_rand rand;
};

static const char *const source_names[SOURCES] = {"b", "a", "c"};
static const int64_t ranks[SOURCES] = {0, 0, 5};
static const unsigned order[SOURCES] = {2, 1, 0}; /* whose claim goes first: rank, then name */

static size_t below(struct run *run, size_t bound)
{
    return (size_t)test_rand_below(&run->rand, bound);
}

/* ---- the oracle ---- */

static void lay(struct oracle *oracle, unsigned source, size_t element, size_t from, size_t to,
                uint8_t value)
{
    uint8_t *said = oracle->said[source][element];
    uint8_t first = said[from];
    for (size_t t = from; t < to && t < oracle->count; t++) {
        if (to == SIZE_MAX && (value == 0 ? said[t] == 0 : said[t] != first)) {
            break;
        }
        said[t] = value;
    }
}

static uint8_t top(const struct oracle *oracle, size_t element, size_t at)
{
    for (size_t i = 0; i < SOURCES; i++) {
        uint8_t value = oracle->said[order[i]][element][at];
        if (value != 0) {
            return value;
        }
    }
    return 0;
}

/* A relationship's ends follow from what is said of it. */
static void ends_of(size_t element, uint8_t value, size_t ends[2])
{
    ends[0] = (element + value) % NODES;
    ends[1] = (element * 2 + value / 2) % NODES;
}

static bool is_there(const struct oracle *oracle, size_t element, size_t at)
{
    size_t ends[2];
    uint8_t value = top(oracle, element, at);
    if (value == 0 || element < NODES) {
        return value != 0;
    }
    ends_of(element, value, ends);
    return top(oracle, ends[0], at) != 0 && top(oracle, ends[1], at) != 0;
}

/* ---- words ---- */

struct said {
    char id[24];
    char ends[2][24];
    char own[8];
    char label_name[8];
    struct yore_bytes labels[1];
    struct yore_graph_entry entries[2];
};

static void name_of(size_t element, char id[24])
{
    (void)snprintf(id, 24, "%s%zu", element < NODES ? "n" : "r", element);
}

/* Of value v source s says: label Lv, p = v, ps = v. */
static struct yore_graph_word word_of(unsigned source, size_t element, uint8_t value,
                                      struct said *said)
{
    struct yore_graph_word word = {.element = element < NODES ? YORE_GRAPH_ELEMENT_NODE
                                                              : YORE_GRAPH_ELEMENT_RELATIONSHIP,
                                   .removes = value == 0,
                                   .from = YORE_NOW,
                                   .to = YORE_FOREVER};
    size_t ends[2];
    name_of(element, said->id);
    word.external_id = text(said->id);
    (void)snprintf(said->own, sizeof said->own, "p%s", source_names[source]);
    (void)snprintf(said->label_name, sizeof said->label_name, "L%u", (unsigned)value);
    said->labels[0] = text(said->label_name);
    said->entries[0] = (struct yore_graph_entry){text("p"), integer(value)};
    said->entries[1] = (struct yore_graph_entry){text(said->own), integer(value)};
    word.properties = (struct yore_graph_map){said->entries, 2};
    if (element < NODES) {
        word.labels = said->labels;
        word.label_count = 1;
        return word;
    }
    ends_of(element, value, ends);
    name_of(ends[0], said->ends[0]);
    name_of(ends[1], said->ends[1]);
    word.type = text("T");
    word.start = text(said->ends[0]);
    word.end = text(said->ends[1]);
    return word;
}

/* The moment of a commit; it begins as the one before it. */
static void add_moment(struct run *run, int64_t commit)
{
    struct oracle *oracle = &run->now;
    size_t t = oracle->count++;
    oracle->times[t] = commit;
    for (unsigned s = 0; s < SOURCES; s++) {
        for (size_t e = 0; e < ELEMENTS; e++) {
            oracle->said[s][e][t] = oracle->said[s][e][t - 1];
        }
    }
}

static void speak(struct run *run)
{
    struct yore_graph_word words[4];
    struct said said[4];
    size_t froms[4];
    size_t tos[4];
    size_t elements[4];
    uint8_t values[4];
    unsigned source = (unsigned)below(run, SOURCES);
    size_t count = 1 + below(run, 4);
    size_t next = run->now.count; /* the moment this commit will have */
    for (size_t i = 0; i < count; i++) {
        elements[i] = below(run, ELEMENTS);
        values[i] = test_rand_one_in(&run->rand, 3) ? 0 : (uint8_t)(1 + below(run, VALUES));
        words[i] = word_of(source, elements[i], values[i], &said[i]);
        froms[i] = test_rand_one_in(&run->rand, 3) ? next : below(run, FIXED);
        tos[i] = SIZE_MAX;
        if (froms[i] + 2 < FIXED && test_rand_one_in(&run->rand, 2)) {
            tos[i] = froms[i] + 1 + below(run, FIXED - froms[i] - 1);
            words[i].to = run->now.times[tos[i]];
        }
        words[i].from = froms[i] == next ? YORE_NOW : run->now.times[froms[i]];
    }
    struct graph_speech speech = {text(source_names[source]), words, count,
                                  YORE_DURABILITY_DEFAULT};
    struct yore_graph_ingest_tally tally = {0};
    struct yore_error error = {0};
    enum yore_status st = graph_ingest(run->bed.graph, &speech, &tally, &error);
    CHECK_MSG(st == YORE_OK, "%s", error.text);
    add_moment(run, tally.commit);
    for (size_t i = 0; i < count; i++) {
        lay(&run->now, source, elements[i], froms[i], tos[i], values[i]);
    }
}

static void take_snapshot(struct run *run)
{
    unsigned source = (unsigned)below(run, SOURCES);
    bool is_now = test_rand_one_in(&run->rand, 2);
    size_t at = is_now ? run->now.count : below(run, FIXED);
    uint8_t values[ELEMENTS];
    uint64_t number = 0;
    struct yore_bytes name = text(source_names[source]);
    struct yore_graph_ingest_tally tally = {0};
    struct yore_error error = {0};
    CHECK_OK(graph_sync_start(run->bed.graph, name, is_now ? YORE_NOW : run->now.times[at], &number,
                              NULL));
    for (size_t e = 0; e < ELEMENTS; e++) {
        struct said said;
        values[e] = test_rand_one_in(&run->rand, 2) ? 0 : (uint8_t)(1 + below(run, VALUES));
        struct yore_graph_word word = word_of(source, e, values[e], &said);
        struct graph_speech speech = {name, &word, 1, YORE_DURABILITY_NONE};
        if (values[e] != 0) {
            CHECK_OK(graph_sync_send(run->bed.graph, &speech, number, NULL));
        }
    }
    bool is_aborted = test_rand_one_in(&run->rand, 5);
    enum yore_status st = is_aborted ? graph_sync_abort(run->bed.graph, name, number, &error)
                                     : graph_sync_stop(run->bed.graph, name, number,
                                                       YORE_DURABILITY_DEFAULT, &tally, &error);
    CHECK_MSG(st == YORE_OK, "%s", error.text);
    add_moment(run, is_aborted ? yore_now(run->bed.bed.db) : tally.commit);
    for (size_t e = 0; e < ELEMENTS && !is_aborted; e++) {
        if (run->now.said[source][e][at] != values[e]) {
            lay(&run->now, source, e, at, SIZE_MAX, values[e]);
        }
    }
}

/* ---- comparing ---- */

static int64_t property_named(const struct yore_graph_map *map, const char *name)
{
    for (size_t i = 0; i < map->count; i++) {
        if (bytes_equal(map->entries[i].name, text(name))) {
            return map->entries[i].value.as.integer;
        }
    }
    return 0;
}

static void compare_properties(const struct oracle *oracle, size_t element, size_t at,
                               const struct yore_graph_map *map)
{
    size_t count = 1;
    CHECK_EQ_INT(property_named(map, "p"), top(oracle, element, at));
    for (unsigned s = 0; s < SOURCES; s++) {
        char own[8];
        (void)snprintf(own, sizeof own, "p%s", source_names[s]);
        CHECK_EQ_INT(property_named(map, own), oracle->said[s][element][at]);
        count += oracle->said[s][element][at] != 0;
    }
    CHECK_EQ_UINT(map->count, count);
}

static void compare_node(struct run *run, const struct oracle *oracle, struct graph_view *view,
                         size_t element, size_t at, uint64_t id)
{
    struct yore_graph_node node;
    unsigned labels = 0;
    size_t count = 0;
    CHECK_OK(graph_node_get(view, id, &run->bed.arena, &node, NULL));
    compare_properties(oracle, element, at, &node.properties);
    for (unsigned s = 0; s < SOURCES; s++) {
        unsigned value = oracle->said[s][element][at];
        labels |= value != 0 ? 1u << value : 0;
    }
    for (unsigned value = 1; value <= VALUES; value++) {
        count += (labels >> value) & 1u;
    }
    CHECK_EQ_UINT(node.label_count, count);
    for (size_t i = 0; i < node.label_count; i++) {
        CHECK((labels >> (((const char *)node.labels[i].data)[1] - '0') & 1u) != 0);
    }
}

static void compare_relationship(struct run *run, const struct oracle *oracle,
                                 struct graph_view *view, size_t element, size_t at, uint64_t id)
{
    struct yore_graph_relationship relationship;
    size_t ends[2];
    uint64_t found[2] = {0, 0};
    CHECK_OK(graph_relationship_get(view, id, &run->bed.arena, &relationship, NULL));
    compare_properties(oracle, element, at, &relationship.properties);
    ends_of(element, top(oracle, element, at), ends);
    for (int i = 0; i < 2; i++) {
        char name[24];
        name_of(ends[i], name);
        CHECK_OK(graph_node_find(view, text(name), &found[i], NULL));
    }
    CHECK_EQ_UINT(relationship.start_id, found[0]);
    CHECK_EQ_UINT(relationship.end_id, found[1]);
}

static int count_one(void *arg, const struct yore_graph_pending *pending)
{
    (void)pending;
    (*(size_t *)arg)++;
    return 0;
}

static void compare(struct run *run, const struct oracle *oracle, size_t at, int64_t known)
{
    struct yore_time moment = {oracle->times[at], known};
    struct graph_view *view = NULL;
    size_t pending = 0;
    size_t want_pending = 0;
    CHECK_OK(graph_view_open(run->bed.graph, NULL, &moment, &view, NULL));
    for (size_t e = 0; e < ELEMENTS; e++) {
        char name[24];
        uint64_t id = 0;
        name_of(e, name);
        test_note("%s at moment %zu of %zu", name, at, oracle->count);
        enum yore_status st = e < NODES ? graph_node_find(view, text(name), &id, NULL)
                                        : graph_relationship_find(view, text(name), &id, NULL);
        CHECK_STATUS(st, is_there(oracle, e, at) ? YORE_OK : YORE_NOT_FOUND);
        want_pending += e >= NODES && top(oracle, e, at) != 0 && !is_there(oracle, e, at);
        if (st == YORE_OK && e < NODES) {
            compare_node(run, oracle, view, e, at, id);
        } else if (st == YORE_OK) {
            compare_relationship(run, oracle, view, e, at, id);
        }
    }
    graph_view_close(view);
    arena_reset(&run->bed.arena);
    CHECK_OK(graph_pending(run->bed.graph, &moment, count_one, &pending, NULL));
    CHECK_EQ_UINT(pending, want_pending);
}

static void print_problem(void *arg, const char *line)
{
    (void)arg;
    fprintf(stderr, "%s\n", line);
}

static void keep(struct run *run)
{
    struct oracle *copy = malloc(sizeof *copy);
    CHECK(copy != NULL);
    *copy = run->now;
    run->known[run->commit_count] = copy;
    run->commits[run->commit_count++] = run->now.times[run->now.count - 1];
}

static void tell(uint64_t stream)
{
    struct run *run = calloc(1, sizeof *run);
    CHECK(run != NULL);
    run->rand = test_rand_new(stream);
    graph_bed_open(&run->bed);
    for (size_t t = 0; t < FIXED; t++) {
        run->now.times[t] = AT(10 * (t + 1));
    }
    run->now.count = FIXED;
    for (unsigned s = 0; s < SOURCES; s++) {
        struct yore_graph_source source = {.name = text(source_names[s]), .rank = ranks[s]};
        CHECK_OK(graph_source_set(run->bed.graph, &source, NULL));
    }
    while (run->now.count < MOMENTS) {
        if (test_rand_one_in(&run->rand, 5)) {
            take_snapshot(run);
        } else {
            speak(run);
        }
        keep(run);
        for (size_t t = 0; t < run->now.count; t++) {
            compare(run, &run->now, t, YORE_NOW);
        }
        if (test_rand_one_in(&run->rand, 8)) {
            graph_bed_age(&run->bed, (int)below(run, BED_AGES));
        }
    }
    for (size_t i = 0; i < 200; i++) {
        size_t c = below(run, run->commit_count);
        const struct oracle *oracle = run->known[c];
        compare(run, oracle, below(run, oracle->count), run->commits[c]);
    }
    CHECK_OK(graph_verify(run->bed.graph, print_problem, NULL, NULL, NULL));
    for (size_t i = 0; i < run->commit_count; i++) {
        free(run->known[i]);
    }
    graph_bed_close(&run->bed);
    free(run);
}

TEST(the_graph_is_what_the_sources_say_at_every_moment)
{
    uint64_t rounds = test_scale(20, 2000);
    for (uint64_t i = 0; i < rounds; i++) {
        tell(i);
    }
    test_count(rounds);
}

TEST_MAIN(the_graph_is_what_the_sources_say_at_every_moment)
