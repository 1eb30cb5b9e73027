#include "cli/shell_complete.h"

#include <stdio.h>
#include <string.h>

#include "cli/store.h"
#include "query/query.h"
#include "support/test.h"
#include "topology/graph.h"

struct place {
    struct cli cli;
    struct cli_session session;
};

static void put(struct yore_db *db, const char *key)
{
    struct yore_error error;
    CHECK_OK(yore_put(db, NULL, bytes_of(key, strlen(key)), bytes_of("", 0), NULL, &error));
}

static void open_place(struct place *place)
{
    static const char *const keys[] = {"n/host:one", "n/host:two", "n/role a", "e/x", "n/\x01\xff"};
    const struct yore_keyspace_options options = {.keep = YORE_KEEP_ALL};
    struct yore_keyspace *keyspace;
    struct yore_error error;
    memset(place, 0, sizeof(*place));
    place->cli.session = &place->session;
    place->session.valid = YORE_NOW;
    place->session.known = YORE_NOW;
    struct yore_db *db = NULL;
    CHECK_OK(yore_open(test_path("db"), NULL, &db, &error));
    CHECK_OK(store_of_db(db, &place->cli.store, &error));
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        put(db, keys[i]);
    }
    CHECK_OK(yore_keyspace_create(db, "sensors", &options, &keyspace, &error));
}

TEST(what_may_stand_at_the_cursor)
{
    static const struct {
        const char *line;
        size_t count;
        const char *replacement;
        size_t begin;
    } cases[] = {
        {"tim", 1, "timeline ", 0},
        {"c", 3, "c", 0},
        {"get n/h", 2, "n/host:", 4},
        {"get n/host:o", 1, "n/host:one ", 4},
        {"get n/r", 1, "n/role\\ a ", 4},
        {"get n/role\\ ", 1, "n/role\\ a ", 4},
        {"get 'n/role", 1, "n/role\\ a ", 4},
        {"get n/host:one --a", 1, "--at ", 15},
        {"scan --prefix e", 1, "e/x ", 14},
        {"scan --output nd", 1, "ndjson ", 14},
        {"scan -o j", 1, "json ", 8},
        {"use s", 1, "sensors ", 4},
        {"output c", 1, "csv ", 7},
        {"help keys", 1, "keyspace ", 5},
        {"keyspace tr", 1, "trim ", 9},
        {"graph sy", 1, "sync ", 6},
        {"scan --reverse --lim", 1, "--limit ", 15},
        {"get q", 0, "", 4},
        {"nothing x", 0, "", 8},
        {"put k v --durability s", 1, "sync ", 21},
    };
    struct place place;
    struct yore_error error;
    open_place(&place);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct completion completion;
        test_note("%s", cases[i].line);
        CHECK(shell_complete(&place.cli, bytes_of(cases[i].line, strlen(cases[i].line)),
                             &completion));
        CHECK_EQ_UINT(completion.count, cases[i].count);
        CHECK_EQ_BYTES(completion.replacement.data, completion.replacement.size,
                       cases[i].replacement, strlen(cases[i].replacement));
        CHECK_EQ_UINT(completion.word_begin, cases[i].begin);
        completion_release(&completion);
    }
    CHECK_OK(store_close(place.cli.store, &error));
}

static void make_graph(struct yore_db *db)
{
    static const char TEXT[] =
        "CREATE (:Service {name: 'a', tier: 1})-[:CALLS {since: 1}]->(:Host)";
    struct graph *graph;
    struct query *query;
    struct query_result *result;
    struct query_error error;
    CHECK_OK(graph_open(db, bytes_of("topo", 4), true, NULL, &graph, &error.error));
    CHECK_OK(query_prepare(bytes_of(TEXT, sizeof(TEXT) - 1), &query, &error));
    CHECK_OK(query_run(query, graph, NULL, &result, &error));
    query_result_close(result);
    query_free(query);
    graph_close(graph);
}

TEST(labels_types_and_properties_are_completed_in_statements)
{
    static const struct {
        const char *line;
        size_t count;
        const char *replacement;
    } cases[] = {
        {"MATCH (s:Se", 1, "Service"},
        {"MATCH (s)-[:CA", 1, "CALLS"},
        {"MATCH (s)-[:CALLS|CA", 1, "CALLS"},
        {"MATCH (s) RETURN s.na", 1, "name"},
        {"MATCH (s) RETURN s.", 3, ""},
        {"MATCH (s:Service {ti", 1, "tier"},
        {"MATCH (s:Service {name: 'x', ti", 1, "tier"},
        {"MATCH (s:Service {name: toUpper('x'), ti", 1, "tier"},
        {"MATCH (s {name: 'x'}), ti", 0, ""},
        {"MATCH (s) RETURN [1, ti", 0, ""},
        {"MATCH (s:Q", 0, ""},
        {"MATCH (na", 0, ""},
    };
    struct place place;
    struct yore_error error;
    open_place(&place);
    make_graph(store_db(place.cli.store));
    snprintf(place.session.graph, sizeof(place.session.graph), "topo");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct completion completion;
        test_note("%s", cases[i].line);
        CHECK(shell_complete(&place.cli, bytes_of(cases[i].line, strlen(cases[i].line)),
                             &completion));
        CHECK_EQ_UINT(completion.count, cases[i].count);
        if (completion.count > 0) {
            CHECK_EQ_BYTES(completion.replacement.data, completion.replacement.size,
                           cases[i].replacement, strlen(cases[i].replacement));
        }
        completion_release(&completion);
    }
    CHECK_OK(store_close(place.cli.store, &error));
}

TEST(many_keys_are_completed_without_listing_all)
{
    struct place place;
    struct completion completion;
    struct yore_error error;
    char key[32];
    open_place(&place);
    for (int i = 0; i < 500; i++) {
        snprintf(key, sizeof(key), "many/%03d", i);
        put(store_db(place.cli.store), key);
    }
    CHECK(shell_complete(&place.cli, bytes_of("get m", 5), &completion));
    CHECK_EQ_BYTES(completion.replacement.data, completion.replacement.size, "many/", 5);
    CHECK(completion.count > COMPLETION_SHOWN_MAX);
    completion_release(&completion);
    CHECK_OK(store_close(place.cli.store, &error));
}

TEST_MAIN(what_may_stand_at_the_cursor, labels_types_and_properties_are_completed_in_statements,
          many_keys_are_completed_without_listing_all)
