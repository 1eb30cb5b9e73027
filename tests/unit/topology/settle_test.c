/* settle_test.c -- what time and operators have to bring to an end: snapshots that were decided and
 * are refused, what is due before the horizon, what was sent to graphs that are no more. */
#include <stdio.h>
#include <string.h>

#include "topology/ingest_internal.h"
#include "unit/topology/said.h"

/* ---- a decided snapshot that the graph will not have ---- */

#define SENT 6

static struct graph_schema unique_ip(struct graph_bed *bed)
{
    return (struct graph_schema){.is_unique = true,
                                 .label = graph_token(bed->graph, GRAPH_LABEL, text("Pod")),
                                 .property = graph_token(bed->graph, GRAPH_PROPERTY, text("ip"))};
}

/* Nodes n0 ... with ip 0 ...; two of them are a transaction. */
static uint64_t send_pods(struct graph_bed *bed, int64_t at)
{
    uint64_t snapshot = 0;
    struct yore_error error = {0};
    bed->graph->words_max = 2;
    enum yore_status st = graph_sync_start(bed->graph, text("a"), at, &snapshot, &error);
    CHECK_MSG(st == YORE_OK, "%s", error.text);
    for (int i = 0; i < SENT; i++) {
        struct said said;
        char name[16];
        snprintf(name, sizeof name, "n%d", i);
        struct graph_speech speech = {text("a"), node_word(&said, name, "Pod", "ip", i), 1,
                                      YORE_DURABILITY_DEFAULT};
        CHECK_OK(graph_sync_send(bed->graph, &speech, snapshot, NULL));
    }
    return snapshot;
}

static int pods_there(struct graph_bed *bed, int64_t valid)
{
    int count = 0;
    for (int i = 0; i < SENT; i++) {
        char name[16];
        snprintf(name, sizeof name, "n%d", i);
        count += id_at(bed, GRAPH_NODE, name, valid) != 0;
    }
    return count;
}

/* Source "b" has ip 4 already, and the graph a constraint. */
static uint64_t refused_open(struct graph_bed *bed)
{
    struct said said;
    struct yore_error error = {0};
    graph_bed_open(bed);
    node_word(&said, "taken", "Pod", "ip", 4)->from = AT(10);
    say(bed, "b", &said.word);
    struct graph_schema schema = unique_ip(bed);
    CHECK_OK(graph_schema_create(bed->graph, &schema, NULL, NULL));
    uint64_t snapshot = send_pods(bed, AT(100));
    CHECK_STATUS(
        graph_sync_stop(bed->graph, text("a"), snapshot, YORE_DURABILITY_DEFAULT, NULL, &error),
        YORE_EXISTS);
    return snapshot;
}

static void check_text(const char *told)
{
    static const char *const parts[] = {
        "graph g", "snapshot 1 of source a", "settle", "abort", "node n4", "Pod.ip"};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        CHECK_MSG(strstr(told, parts[i]) != NULL, "no \"%s\" in: %s", parts[i], told);
    }
}

static int copy_source(void *arg, const struct yore_graph_source *source)
{
    static char refusal[SOURCE_REFUSAL_BYTES_MAX + 1];
    struct yore_graph_source *told = arg;
    if (bytes_equal(source->name, text("a"))) {
        *told = *source;
        memcpy(refusal, source->refusal.data, source->refusal.size);
        told->refusal.data = refusal;
    }
    return 0;
}

static struct yore_graph_source told_of_a(struct graph_bed *bed)
{
    struct yore_graph_source told = {.rank = -1};
    CHECK_OK(graph_sources(bed->graph, copy_source, &told, NULL));
    return told;
}

TEST(a_refused_snapshot_says_to_everybody_what_where_and_how_to_mend_it)
{
    struct graph_bed bed;
    struct said said;
    struct yore_error error = {0};
    struct graph_speech speech = {text("a"), node_word(&said, "n9", "Pod", NULL, 0), 1,
                                  YORE_DURABILITY_DEFAULT};
    uint64_t snapshot = refused_open(&bed);
    CHECK_STATUS(graph_settle(bed.graph, NULL, &error), YORE_EXISTS);
    check_text(error.text);
    graph_bed_reopen(&bed);
    CHECK_STATUS(graph_ingest(bed.graph, &speech, NULL, &error), YORE_EXISTS);
    check_text(error.text);
    struct yore_graph_source told = told_of_a(&bed);
    CHECK_EQ_UINT(told.snapshot, snapshot);
    CHECK(told.refusal.size > 0);
    close_whole(&bed);
}

TEST(a_refused_snapshot_is_carried_out_by_settling_once_the_constraint_is_gone)
{
    struct graph_bed bed;
    refused_open(&bed);
    CHECK(pods_there(&bed, AT(100)) < SENT);
    struct graph_schema schema = unique_ip(&bed);
    CHECK_OK(graph_schema_drop(bed.graph, &schema, NULL, NULL));
    settle(&bed);
    CHECK_EQ_INT(pods_there(&bed, AT(100)), SENT);
    CHECK_EQ_UINT(told_of_a(&bed).snapshot, 0);
    CHECK_EQ_UINT(told_of_a(&bed).refusal.size, 0);
    say_node(&bed, "a", "n9", AT(200));
    close_whole(&bed);
}

TEST(a_refused_snapshot_can_be_aborted_and_its_source_speaks_again)
{
    struct graph_bed bed;
    uint64_t snapshot = refused_open(&bed);
    CHECK_OK(graph_sync_abort(bed.graph, text("a"), snapshot, NULL));
    CHECK_STATUS(graph_sync_abort(bed.graph, text("a"), snapshot, NULL), YORE_CONFLICT);
    CHECK_EQ_UINT(told_of_a(&bed).snapshot, 0);
    settle(&bed);
    say_node(&bed, "a", "n9", AT(200));
    CHECK(id_at(&bed, GRAPH_NODE, "n9", AT(200)) != 0);
    uint64_t next = 0;
    CHECK_OK(graph_sync_start(bed.graph, text("a"), AT(300), &next, NULL));
    CHECK(next > snapshot);
    CHECK_OK(graph_sync_stop(bed.graph, text("a"), next, YORE_DURABILITY_DEFAULT, NULL, NULL));
    CHECK_EQ_INT(pods_there(&bed, AT(300)), 0);
    close_whole(&bed);
}

TEST(the_next_snapshot_of_a_source_takes_the_place_of_a_refused_one)
{
    struct graph_bed bed;
    struct graph_schema schema;
    uint64_t snapshot = refused_open(&bed);
    uint64_t next = send_pods(&bed, AT(200));
    CHECK(next > snapshot);
    CHECK_STATUS(
        graph_sync_stop(bed.graph, text("a"), snapshot, YORE_DURABILITY_DEFAULT, NULL, NULL),
        YORE_CONFLICT);
    schema = unique_ip(&bed);
    CHECK_OK(graph_schema_drop(bed.graph, &schema, NULL, NULL));
    CHECK_OK(graph_sync_stop(bed.graph, text("a"), next, YORE_DURABILITY_DEFAULT, NULL, NULL));
    CHECK_EQ_INT(pods_there(&bed, AT(200)), SENT);
    close_whole(&bed);
}

TEST(a_snapshot_that_is_carried_out_may_not_be_aborted)
{
    struct graph_bed bed;
    graph_bed_open(&bed);
    uint64_t snapshot = send_pods(&bed, AT(100));
    CHECK_OK(graph_sync_stop(bed.graph, text("a"), snapshot, YORE_DURABILITY_DEFAULT, NULL, NULL));
    CHECK_STATUS(graph_sync_abort(bed.graph, text("a"), snapshot, NULL), YORE_CONFLICT);
    close_whole(&bed);
}

TEST(a_source_whose_snapshot_is_refused_falls_silent_all_the_same)
{
    struct graph_bed bed;
    struct yore_graph_source source = {.name = text("a"), .ttl_ns = 60 * BED_SECOND};
    refused_open(&bed);
    CHECK(pods_there(&bed, AT(159)) > 0);
    CHECK_OK(graph_source_set(bed.graph, &source, NULL));
    CHECK_STATUS(graph_settle(bed.graph, NULL, NULL), YORE_EXISTS);
    CHECK(pods_there(&bed, AT(159)) > 0);
    CHECK_EQ_INT(pods_there(&bed, AT(160)), 0);
    close_whole(&bed);
}

/* ---- before the horizon ---- */

TEST(silence_from_before_the_horizon_on_ends_claims_at_the_horizon)
{
    struct graph_bed bed;
    struct yore_graph_source source = {.name = text("a"), .ttl_ns = 60 * BED_SECOND};
    graph_bed_open(&bed);
    CHECK_OK(graph_source_set(bed.graph, &source, NULL));
    say_node(&bed, "a", "n", AT(100));
    say_node(&bed, "b", "m", AT(100));
    say_call(&bed, "a", "n", "m", AT(100));
    CHECK_OK(yore_trim(bed.bed.db, bed.graph->keyspace, AT(500), NULL));
    CHECK_EQ_UINT(settle(&bed).nodes_deleted, 1);
    CHECK_EQ_UINT(id_at(&bed, GRAPH_NODE, "n", AT(500)), 0);
    CHECK_EQ_UINT(id_at(&bed, GRAPH_RELATIONSHIP, "n>m", AT(500)), 0);
    CHECK(id_at(&bed, GRAPH_NODE, "m", AT(500)) != 0);
    CHECK_EQ_INT(told_of_a(&bed).expired_at, AT(160));
    CHECK_EQ_UINT(settle(&bed).words, 0);
    say_node(&bed, "a", "n", AT(600)); /* and it may speak again */
    close_whole(&bed);
}

TEST(a_source_silent_since_before_the_horizon_speaks_again)
{
    struct graph_bed bed;
    struct yore_graph_source source = {.name = text("a"), .ttl_ns = 60 * BED_SECOND};
    graph_bed_open(&bed);
    CHECK_OK(graph_source_set(bed.graph, &source, NULL));
    say_node(&bed, "a", "n", AT(100));
    CHECK_OK(yore_trim(bed.bed.db, bed.graph->keyspace, AT(500), NULL));
    say_node(&bed, "a", "n", AT(600));
    CHECK_EQ_UINT(id_at(&bed, GRAPH_NODE, "n", AT(599)), 0);
    CHECK(id_at(&bed, GRAPH_NODE, "n", AT(600)) != 0);
    close_whole(&bed);
}

TEST(a_claim_whose_end_lies_before_the_horizon_ends_at_the_horizon)
{
    struct graph_bed bed;
    struct said said;
    const int64_t horizon = BED_T0 + 3 * BED_SECOND;
    graph_bed_open(&bed);
    node_word(&said, "n", "Pod", NULL, 0)->to = BED_T0 + BED_SECOND;
    say(&bed, "a", &said.word);
    sim_disk_set_wall(bed.bed.disk, BED_T0 + 5 * BED_SECOND);
    CHECK_OK(yore_trim(bed.bed.db, bed.graph->keyspace, horizon, NULL));
    CHECK_EQ_UINT(settle(&bed).nodes_deleted, 1);
    CHECK_EQ_UINT(id_at(&bed, GRAPH_NODE, "n", horizon), 0);
    CHECK_EQ_UINT(settle(&bed).words, 0);
    close_whole(&bed);
}

TEST(a_decided_snapshot_from_before_the_horizon_is_carried_out_at_the_horizon)
{
    struct graph_bed bed;
    refused_open(&bed);
    struct graph_schema schema = unique_ip(&bed);
    CHECK_OK(graph_schema_drop(bed.graph, &schema, NULL, NULL));
    CHECK_OK(yore_trim(bed.bed.db, bed.graph->keyspace, AT(500), NULL));
    settle(&bed);
    CHECK_EQ_INT(pods_there(&bed, AT(500)), SENT);
    close_whole(&bed);
}

/* ---- graphs that are no more ---- */

/* Rows that wait for snapshots to be stopped, of all graphs. */
static unsigned staged(struct graph_bed *bed)
{
    struct yore_keyspace *staging = NULL;
    struct yore_cursor *cursor = NULL;
    unsigned count = 0;
    CHECK_OK(yore_keyspace_open(bed->bed.db, "graph.staging", NULL, &staging, NULL));
    CHECK_OK(yore_cursor_open(bed->bed.db, staging, NULL, &cursor, NULL));
    while (yore_cursor_next(cursor) == YORE_OK) {
        count++;
    }
    yore_cursor_close(cursor);
    return count;
}

/* A graph that a node of a snapshot was sent to, and closed. */
static void send_to_graph(struct graph_bed *bed, const char *name)
{
    struct graph *graph = NULL;
    struct said said;
    uint64_t snapshot = 0;
    struct graph_speech speech = {text("a"), node_word(&said, "x", NULL, NULL, 0), 1,
                                  YORE_DURABILITY_DEFAULT};
    CHECK_OK(graph_open(bed->bed.db, text(name), true, NULL, &graph, NULL));
    CHECK_OK(graph_sync_start(graph, text("a"), YORE_NOW, &snapshot, NULL));
    CHECK_OK(graph_sync_send(graph, &speech, snapshot, NULL));
    graph_close(graph);
}

TEST(dropping_a_graph_takes_along_what_was_sent_to_it_and_to_no_other)
{
    struct graph_bed bed;
    graph_bed_open(&bed);
    send_to_graph(&bed, "one");
    send_to_graph(&bed, "two");
    send_to_graph(&bed, "three");
    CHECK_OK(graph_remove(bed.bed.db, text("two"), NULL));
    CHECK_EQ_UINT(staged(&bed), 2);
    CHECK_OK(graph_remove(bed.bed.db, text("one"), NULL));
    CHECK_OK(graph_remove(bed.bed.db, text("three"), NULL));
    CHECK_EQ_UINT(staged(&bed), 0);
    close_whole(&bed);
}

TEST(what_was_sent_to_a_graph_dropped_as_a_keyspace_goes_when_another_is_settled)
{
    struct graph_bed bed;
    graph_bed_open(&bed);
    send_to_graph(&bed, "one");
    send_to_graph(&bed, "two");
    CHECK_OK(yore_keyspace_drop(bed.bed.db, "g.one", NULL));
    settle(&bed);
    CHECK_EQ_UINT(staged(&bed), 1);
    close_whole(&bed);
}

/* Keys of "graph.staging" that no program of ours writes: too short, of no graph there can be, and
 * before those asked for. */
TEST(keys_of_others_among_what_was_sent_keep_no_graph_from_being_dropped_or_settled)
{
    static const struct {
        const char *octets;
        size_t size;
    } keys[] = {{"\x21", 1},
                {"\x21\xff", 2},
                {"\x21\xff\xff\xff\xff\xff\xff\xff\xff\xff", 10},
                {"\x21\xfa\x00\x00\x01", 5}};
    struct graph_bed bed;
    struct yore_keyspace *staging = NULL;
    graph_bed_open(&bed);
    send_to_graph(&bed, "one");
    send_to_graph(&bed, "two");
    CHECK_OK(yore_keyspace_open(bed.bed.db, "graph.staging", NULL, &staging, NULL));
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        CHECK_OK(yore_put(bed.bed.db, staging, bytes_of(keys[i].octets, keys[i].size), text("x"),
                          NULL, NULL));
    }
    unsigned before = staged(&bed);
    CHECK_OK(graph_remove(bed.bed.db, text("one"), NULL));
    CHECK_EQ_UINT(staged(&bed), before - 1);
    CHECK_OK(yore_keyspace_drop(bed.bed.db, "g.two", NULL));
    settle(&bed);
    CHECK_EQ_UINT(staged(&bed), before - 2);
    close_whole(&bed);
}

TEST(a_drop_that_is_made_is_no_error_where_the_disk_fails_behind_it)
{
    unsigned failed = 0;
    unsigned left = 0;
    for (uint64_t nth = 1; left == 0 || failed == 0; nth++) {
        struct graph_bed bed;
        struct yore_keyspace *keyspace = NULL;
        graph_bed_open(&bed);
        send_to_graph(&bed, "one");
        CHECK(nth < 50);
        sim_disk_fail(bed.bed.disk, SIM_FAULT_WRITE, nth, true);
        enum yore_status st = graph_remove(bed.bed.db, text("one"), NULL);
        sim_disk_fail(bed.bed.disk, SIM_FAULT_WRITE, 0, false);
        bool is_there = yore_keyspace_open(bed.bed.db, "g.one", NULL, &keyspace, NULL) == YORE_OK;
        CHECK_MSG(is_there == (st != YORE_OK), "write %u: status %d", (unsigned)nth, (int)st);
        failed += st != YORE_OK ? 1 : 0;
        left += st == YORE_OK && staged(&bed) > 0 ? 1 : 0;
        arena_release(&bed.arena);
        graph_close(bed.graph);
        enum yore_status closed = yore_close(bed.bed.db, NULL);
        CHECK_EQ_INT(closed, st == YORE_OK && left == 0 ? YORE_OK : YORE_IO);
        sim_disk_free(bed.bed.disk);
    }
}

TEST_MAIN(a_refused_snapshot_says_to_everybody_what_where_and_how_to_mend_it,
          a_refused_snapshot_is_carried_out_by_settling_once_the_constraint_is_gone,
          a_refused_snapshot_can_be_aborted_and_its_source_speaks_again,
          the_next_snapshot_of_a_source_takes_the_place_of_a_refused_one,
          a_snapshot_that_is_carried_out_may_not_be_aborted,
          a_source_whose_snapshot_is_refused_falls_silent_all_the_same,
          silence_from_before_the_horizon_on_ends_claims_at_the_horizon,
          a_source_silent_since_before_the_horizon_speaks_again,
          a_claim_whose_end_lies_before_the_horizon_ends_at_the_horizon,
          a_decided_snapshot_from_before_the_horizon_is_carried_out_at_the_horizon,
          dropping_a_graph_takes_along_what_was_sent_to_it_and_to_no_other,
          what_was_sent_to_a_graph_dropped_as_a_keyspace_goes_when_another_is_settled,
          keys_of_others_among_what_was_sent_keep_no_graph_from_being_dropped_or_settled,
          a_drop_that_is_made_is_no_error_where_the_disk_fails_behind_it)
