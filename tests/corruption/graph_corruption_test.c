/* graph_corruption_test.c -- a database with a graph, damaged in every way (damage.h): the graph
 * answers as before as of every moment, or the damage is told by file and place. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "corruption/damage.h"
#include "os/env.h"
#include "unit/query/query_bed.h"

#define ROUNDS 21
#define MOMENTS 3
#define TEXT_OF_PAST AT(5000)

/* Each reads other keys: records, both sides of adjacency, labels, types, an index, histories. */
static const char *const questions[] = {
    "MATCH (n) RETURN externalId(n), labels(n), properties(n)",
    "MATCH (a)-[r]->(b) RETURN externalId(r), type(r), r.weight, a.name, b.name",
    "MATCH (h:Host)<-[:RUNS_ON]-(s) RETURN h.name, s.name",
    "MATCH ()-[r:CALLS]->() RETURN externalId(r), validFrom(r)",
    "MATCH (s:Service) WHERE s.name >= 's1' AND s.name < 's7' RETURN s.name, s.note",
    ("MATCH (s:Service {name: 's1-1'}) CALL yore.history(s) YIELD validFrom, validTo, version "
     "RETURN validFrom, validTo, version.load"),
};
#define QUESTIONS (sizeof questions / sizeof questions[0])

struct suite {
    struct damage_store store;
    int64_t moments[MOMENTS];
    char *answers[MOMENTS][QUESTIONS];
};

/* ---- the graph ------------------------------------------------------------------------------ */

static void open_bed(struct query_bed *bed, struct yore_options *options, uint64_t seed)
{
    *bed = (struct query_bed){.options = {.at = {YORE_NOW, YORE_NOW}}};
    bed->graph.bed.disk = sim_disk_new(seed);
    sim_disk_set_wall(bed->graph.bed.disk, BED_T0);
    for (uint64_t i = 1; i < seed; i++) {
        (void)os_random_u64(
            sim_disk_env(bed->graph.bed.disk)); /* so that its identity is another */
    }
    store_options_tiny(options);
    CHECK_OK(db_open_inline(sim_disk_env(bed->graph.bed.disk), STORE_PATH, options,
                            &bed->graph.bed.db, NULL));
    CHECK_OK(graph_open(bed->graph.bed.db, text("g"), true, NULL, &bed->graph.graph, NULL));
}

static void tell_round(struct query_bed *bed, int round)
{
    char statement[512];
    char name[16];
    (void)snprintf(
        statement, sizeof statement,
        "UNWIND range(1, 6) AS i MERGE (h:Host {name: 'h' + (i %% 4)}) CREATE (s:Service "
        "{name: 's%d-' + i, load: i, note: 'what is known of %d and ' + i})-[:RUNS_ON]->"
        "(h) WITH s MATCH (o:Service) WHERE o.load = s.load AND o.name < s.name CREATE "
        "(s)-[:CALLS {weight: o.load * %d}]->(o)",
        round, round, round);
    (void)run(bed, statement);
    (void)run(bed, "MATCH (s:Service) WHERE s.name STARTS WITH 's1-' SET s.load = s.load + 10");
    (void)snprintf(
        statement, sizeof statement,
        "MATCH (s:Service) WHERE s.name STARTS WITH 's%d-' AND s.load > 3 DETACH DELETE s",
        round - 3);
    (void)run(bed, statement);
    struct graph_txn *txn = begin(&bed->graph);
    (void)snprintf(name, sizeof name, "late%d", round);
    uint64_t id = node_made(txn, name, "Late", AT(1000 + 100 * round), AT(9000));
    CHECK_OK(property_set(txn, id, "name", string(name), AT(1000 + 100 * round)));
    (void)commit(txn);
}

static void tell_story(struct query_bed *bed, int64_t moments[MOMENTS])
{
    struct yore_db *db = bed->graph.bed.db;
    (void)run(bed, "CREATE INDEX FOR (s:Service) ON (s.name)");
    (void)run(bed, "CREATE CONSTRAINT FOR (h:Host) REQUIRE h.name IS UNIQUE");
    for (int round = 0; round < ROUNDS; round++) {
        tell_round(bed, round);
        moments[round == 3 ? 0 : 1 + round * (MOMENTS - 2) / ROUNDS] = yore_now(db);
        CHECK_OK(round % 6 == 5 ? yore_compact(db, NULL, NULL) : yore_flush(db, NULL));
    }
    moments[MOMENTS - 1] = TEXT_OF_PAST;
    (void)run(bed, "MATCH (s:Service) SET s.last = 'in the journal'");
}

static void close_bed(struct query_bed *bed)
{
    graph_close(bed->graph.graph);
    CHECK_OK(yore_close(bed->graph.bed.db, NULL));
}

/* ---- asking --------------------------------------------------------------------------------- */

/* The answer to a question as of a moment; false: there was none, and `text` says why. */
static bool answer(struct query_bed *bed, int64_t moment, const char *question, const char **out,
                   char text[DAMAGE_TEXT_BYTES])
{
    bed->options.at.valid = moment;
    *out = ask_sorted(bed, question);
    bool is_error = strncmp(*out, "! ", 2) == 0;
    if (is_error) {
        (void)snprintf(text, DAMAGE_TEXT_BYTES, "%s [%s]", yore_status_name(bed->status),
                       bed->error.error.text);
    }
    return !is_error;
}

static bool is_right(void *arg, struct yore_db *db, bool is_sound, char text[DAMAGE_TEXT_BYTES])
{
    struct suite *suite = arg;
    struct query_bed bed = {.options = {.at = {YORE_NOW, YORE_NOW}}};
    struct yore_error error = {.text = ""};
    const char *told = NULL;
    bed.graph.bed.db = db;
    enum yore_status st =
        graph_open(db, (struct yore_bytes){"g", 1}, false, NULL, &bed.graph.graph, &error);
    if (st != YORE_OK) {
        (void)snprintf(text, DAMAGE_TEXT_BYTES, "%s [%s]", yore_status_name(st), error.text);
        return false;
    }
    bool is_same = true;
    for (size_t i = 0; is_same && i < MOMENTS * QUESTIONS; i++) {
        const char *want = suite->answers[i / QUESTIONS][i % QUESTIONS];
        const char *question = questions[i % QUESTIONS];
        is_same = answer(&bed, suite->moments[i / QUESTIONS], question, &told, text);
        if (is_same && strcmp(told, want) != 0) {
            (void)snprintf(text, DAMAGE_TEXT_BYTES, "%.100s: %.400s, not %.400s", question, told,
                           want);
            is_same = false;
        }
    }
    if (is_same && is_sound) { /* which takes long, and tells no place in a file */
        st = graph_verify(bed.graph.graph, NULL, NULL, NULL, &error);
        (void)snprintf(text, DAMAGE_TEXT_BYTES, "%s [%s]", yore_status_name(st), error.text);
        is_same = st == YORE_OK;
    }
    graph_close(bed.graph.graph);
    return is_same;
}

/* ---- the suite ------------------------------------------------------------------------------ */

static struct suite *suite_new(void)
{
    struct suite *suite = calloc(1, sizeof *suite);
    struct query_bed bed;
    char text[DAMAGE_TEXT_BYTES];
    CHECK(suite != NULL);
    open_bed(&bed, &suite->store.options, 2);
    tell_story(&bed, suite->moments);
    close_bed(&bed);
    suite->store.other = bed.graph.bed.disk;
    open_bed(&bed, &suite->store.options, 1);
    tell_story(&bed, suite->moments);
    for (size_t i = 0; i < MOMENTS * QUESTIONS; i++) {
        const char *told = NULL;
        CHECK_MSG(
            answer(&bed, suite->moments[i / QUESTIONS], questions[i % QUESTIONS], &told, text),
            "%s", text);
        suite->answers[i / QUESTIONS][i % QUESTIONS] = strdup(told);
    }
    CHECK(strlen(suite->answers[0][0]) > 1000 && strlen(suite->answers[0][5]) > 100);
    CHECK(strstr(suite->answers[MOMENTS - 1][0], "late3") != NULL);
    close_bed(&bed);
    suite->store.disk = bed.graph.bed.disk;
    suite->store.is_right = is_right;
    suite->store.arg = suite;
    damage_store_begin(&suite->store);
    CHECK(suite->store.bytes >= 50000);
    return suite;
}

static void suite_free(struct suite *suite)
{
    for (size_t i = 0; i < MOMENTS * QUESTIONS; i++) {
        free(suite->answers[i / QUESTIONS][i % QUESTIONS]);
    }
    sim_disk_free(suite->store.disk);
    sim_disk_free(suite->store.other);
    free(suite);
}

static void damaged(void (*damage)(struct damage_store *store))
{
    struct suite *suite = suite_new();
    damage(&suite->store);
    suite_free(suite);
}

TEST(a_flipped_bit_of_a_graph_is_reported_or_harmless)
{
    damaged(damage_flip_bits);
}

TEST(a_file_of_a_graph_cut_anywhere_is_reported_or_harmless)
{
    damaged(damage_cut_files);
}

TEST(a_missing_file_of_a_graph_is_reported)
{
    damaged(damage_remove_files);
}

TEST(two_swapped_files_of_a_graph_are_reported)
{
    damaged(damage_swap_files);
}

TEST(a_file_of_another_graph_is_reported)
{
    damaged(damage_replace_files);
}

TEST(one_damage)
{
    struct suite *suite = suite_new();
    bool is_named = damage_one(&suite->store);
    suite_free(suite);
    if (!is_named) {
        SKIP("set YORE_CORRUPTION_ONE to file:offset:bit");
    }
}

TEST_MAIN(one_damage, a_flipped_bit_of_a_graph_is_reported_or_harmless,
          a_file_of_a_graph_cut_anywhere_is_reported_or_harmless,
          a_missing_file_of_a_graph_is_reported, two_swapped_files_of_a_graph_are_reported,
          a_file_of_another_graph_is_reported)
