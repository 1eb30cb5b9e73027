/* graph_erase_test.c -- elements, and single properties of them, destroyed: nothing of them is
 * found at any time, known now or before, nor in any file; what is left is whole. */
#include <stdio.h>
#include <string.h>

#include "os/env.h"
#include "topology/erase.h"
#include "unit/topology/said.h"

/* ---- elements ---- */

/* Nothing that compression could shorten. */
#define FIRST "Zq7#first@example.org!xV"
#define SECOND "8Lm^other%example.net$Ty"

struct search {
    struct os_env *env;
    const char *octets;
    bool is_found;
};

static int search_file(void *arg, const char *name)
{
    static char data[1u << 20];
    struct search *search = arg;
    struct os_file *file = NULL;
    char path[80];
    size_t size = 0;
    if (strstr(name, "LOCK") != NULL) {
        return 0;
    }
    snprintf(path, sizeof path, "db/%s", name);
    CHECK_OK(os_file_open(search->env, path, OS_OPEN_READ, &file, NULL));
    CHECK_OK(os_file_read(file, 0, data, sizeof data, &size, NULL));
    os_file_close(file);
    CHECK(size < sizeof data);
    for (size_t at = 0; at + strlen(search->octets) <= size; at++) {
        search->is_found |= memcmp(data + at, search->octets, strlen(search->octets)) == 0;
    }
    return 0;
}

/* Does any file of the database hold the octets? */
static bool is_on_disk(struct graph_bed *bed, const char *octets)
{
    struct search search = {sim_disk_env(bed->bed.disk), octets, false};
    CHECK_OK(os_dir_list(search.env, "db", search_file, &search, NULL));
    return search.is_found;
}

/* `property` NULL: the whole element. */
static enum yore_status erased(struct graph_bed *bed, enum graph_element element, const char *id,
                               const char *property_name, uint64_t *count_out)
{
    const struct graph_erasure erasure = {element, text(id),
                                          property_name != NULL ? text(property_name) : text("")};
    struct yore_error error = {.text = ""};
    enum yore_status st = graph_erase(bed->graph, &erasure, count_out, &error);
    CHECK_MSG(st == YORE_OK || st == YORE_NOT_FOUND, "%s", error.text);
    return st;
}

static void say_secret(struct graph_bed *bed, const char *id, const char *secret)
{
    struct said said;
    node_word(&said, id, "Person", "mail", 0)->from = AT(10);
    said.entries[0].value = string(secret);
    say(bed, "hr", &said.word);
}

TEST(an_erased_node_is_gone_with_its_relationships_from_every_file)
{
    struct graph_bed bed;
    uint64_t count = 0;
    graph_bed_open(&bed);
    say_secret(&bed, "p1", FIRST);
    say_secret(&bed, "p2", SECOND);
    say_call(&bed, "hr", "p1", "p2", AT(20));
    say_call(&bed, "hr", "p1", "unknown", AT(20));
    take_back(&bed, "hr", YORE_GRAPH_ELEMENT_NODE, "p1", AT(30));
    say_secret(&bed, "p1", "wJ0k~second life~9Fq");
    CHECK_OK(yore_sync(bed.bed.db, YORE_NOW, NULL));
    CHECK(is_on_disk(&bed, FIRST));
    enum yore_status st = erased(&bed, GRAPH_NODE, "p1", NULL, &count);
    CHECK_OK(st);
    CHECK_EQ_UINT(count, 2);
    CHECK_OK(graph_verify(bed.graph, NULL, NULL, NULL, NULL));
    for (int at = 10; at < 50; at += 10) {
        CHECK_EQ_UINT(id_at(&bed, GRAPH_NODE, "p1", AT(at)), 0);
        CHECK_EQ_UINT(id_at(&bed, GRAPH_RELATIONSHIP, "p1>p2", AT(at)), 0);
        CHECK_EQ_UINT(pending_at(&bed, AT(at)), 0);
    }
    CHECK(id_at(&bed, GRAPH_NODE, "p2", AT(20)) != 0);
    CHECK_OK(yore_compact(bed.bed.db, NULL, NULL));
    CHECK(!is_on_disk(&bed, FIRST));
    struct yore_verify_report report;
    CHECK_OK(yore_verify(bed.bed.db, NULL, NULL, &report, NULL));
    CHECK_EQ_UINT(report.erasures_pending, 0);
    CHECK(is_on_disk(&bed, SECOND));
    CHECK_STATUS(erased(&bed, GRAPH_NODE, "nobody", NULL, &count), YORE_NOT_FOUND);
    say_node(&bed, "hr", "p1", AT(60));
    CHECK_EQ_INT(value_at(&bed, "p1", "seen_by", AT(60)), 'h');
    close_whole(&bed);
}

TEST(an_erased_relationship_leaves_its_ends)
{
    struct graph_bed bed;
    uint64_t count = 0;
    graph_bed_open(&bed);
    say_node(&bed, "a", "x", AT(10));
    say_node(&bed, "a", "y", AT(10));
    say_call(&bed, "a", "x", "y", AT(20));
    CHECK_OK(erased(&bed, GRAPH_RELATIONSHIP, "x>y", NULL, &count));
    CHECK_EQ_UINT(count, 1);
    CHECK_EQ_UINT(id_at(&bed, GRAPH_RELATIONSHIP, "x>y", AT(20)), 0);
    CHECK(id_at(&bed, GRAPH_NODE, "x", AT(20)) != 0);
    close_whole(&bed);
}

TEST(an_erased_hub_goes_with_everything_that_ever_hung_on_it)
{
    enum { SPOKES = 120 };
    struct graph_bed bed;
    uint64_t count = 0;
    graph_bed_open(&bed);
    say_node(&bed, "a", "hub", AT(10));
    for (int i = 0; i < SPOKES; i++) {
        char spoke[16];
        char call[32];
        snprintf(spoke, sizeof spoke, "s%d", i * 7 % SPOKES);
        say_node(&bed, "a", spoke, AT(10));
        say_call(&bed, "a", i % 2 == 0 ? "hub" : spoke, i % 2 == 0 ? spoke : "hub", AT(20));
        if (i % 3 == 0) {
            snprintf(call, sizeof call, i % 2 == 0 ? "hub>%s" : "%s>hub", spoke);
            take_back(&bed, "a", YORE_GRAPH_ELEMENT_RELATIONSHIP, call, AT(30));
        }
    }
    CHECK_OK(erased(&bed, GRAPH_NODE, "hub", NULL, &count));
    CHECK_EQ_UINT(count, 1 + SPOKES);
    CHECK_EQ_UINT(id_at(&bed, GRAPH_NODE, "hub", AT(20)), 0);
    CHECK_EQ_UINT(id_at(&bed, GRAPH_RELATIONSHIP, "hub>s0", AT(20)), 0);
    CHECK(id_at(&bed, GRAPH_NODE, "s7", AT(20)) != 0);
    close_whole(&bed);
}

/* ---- properties ---- */

/* A person with a mail and an age. */
static void say_person(struct graph_bed *bed, const char *id, const char *mail, int64_t age,
                       int64_t from)
{
    struct said said;
    node_word(&said, id, "Person", "mail", 0)->from = from;
    said.entries[0].value = string(mail);
    said.entries[1] = (struct yore_graph_entry){text("age"), integer(age)};
    said.word.properties.count = 2;
    say(bed, "hr", &said.word);
}

/* Found by its external id as known at a commit? */
static bool is_known(struct graph_bed *bed, enum graph_element element, const char *id,
                     int64_t valid, int64_t known)
{
    struct yore_time at = {valid, known};
    struct graph_view *view = NULL;
    uint64_t found = 0;
    CHECK_OK(graph_view_open(bed->graph, NULL, &at, &view, NULL));
    enum yore_status st = element == GRAPH_NODE
                              ? graph_node_find(view, text(id), &found, NULL)
                              : graph_relationship_find(view, text(id), &found, NULL);
    if (st == YORE_OK && element == GRAPH_NODE) {
        struct yore_graph_node node;
        st = graph_node_get(view, found, &bed->arena, &node, NULL);
    }
    graph_view_close(view);
    CHECK(st == YORE_OK || st == YORE_NOT_FOUND);
    return st == YORE_OK;
}

TEST(an_erased_property_leaves_the_rest_of_its_element_at_every_time)
{
    for (int age = 0; age < BED_AGES; age++) {
        struct graph_bed bed;
        uint64_t count = 0;
        test_note("age %d", age);
        graph_bed_open(&bed);
        say_person(&bed, "p1", FIRST, 7, AT(10));
        say_person(&bed, "p2", SECOND, 70, AT(10));
        say_call(&bed, "hr", "p1", "p2", AT(20));
        say_call(&bed, "hr", "p1", "unknown", AT(20));
        say_person(&bed, "p1", "wJ0k~another mail~9Fq", 8, AT(30));
        take_back(&bed, "hr", YORE_GRAPH_ELEMENT_NODE, "p1", AT(40));
        say_person(&bed, "p1", "w2Jx~second life~9Fq", 9, AT(50));
        int64_t known = yore_now(bed.bed.db);
        uint64_t lives[2] = {id_at(&bed, GRAPH_NODE, "p1", AT(20)),
                             id_at(&bed, GRAPH_NODE, "p1", AT(50))};
        uint64_t call = id_at(&bed, GRAPH_RELATIONSHIP, "p1>p2", AT(20));
        graph_bed_age(&bed, age);
        CHECK(is_known(&bed, GRAPH_NODE, "p1", AT(20), known));
        CHECK_OK(erased(&bed, GRAPH_NODE, "p1", "mail", &count));
        CHECK_EQ_UINT(count, 2); /* lives */
        CHECK_OK(graph_verify(bed.graph, NULL, NULL, NULL, NULL));
        static const struct {
            int64_t at;
            int64_t age;
        } ages[] = {{9, -2}, {10, 7}, {29, 7}, {30, 8}, {40, -2}, {50, 9}};
        for (size_t i = 0; i < sizeof ages / sizeof ages[0]; i++) {
            CHECK_EQ_INT(value_at(&bed, "p1", "age", AT(ages[i].at)), ages[i].age);
            CHECK_EQ_INT(value_at(&bed, "p1", "mail", AT(ages[i].at)), ages[i].age == -2 ? -2 : -1);
        }
        CHECK_EQ_UINT(id_at(&bed, GRAPH_NODE, "p1", AT(20)), lives[0]);
        CHECK_EQ_UINT(id_at(&bed, GRAPH_NODE, "p1", YORE_NOW), lives[1]);
        CHECK_EQ_UINT(id_at(&bed, GRAPH_RELATIONSHIP, "p1>p2", AT(35)), call);
        CHECK_EQ_UINT(pending_at(&bed, AT(20)), 1);
        CHECK(!is_known(&bed, GRAPH_NODE, "p1", AT(20), known)); /* nor does anything hang on it */
        CHECK(!is_known(&bed, GRAPH_RELATIONSHIP, "p1>p2", AT(20), known));
        CHECK(is_known(&bed, GRAPH_NODE, "p2", AT(20), known));
        CHECK_OK(yore_compact(bed.bed.db, NULL, NULL));
        CHECK(!is_on_disk(&bed, FIRST));
        CHECK(!is_on_disk(&bed, "another mail"));
        CHECK(is_on_disk(&bed, SECOND));
        CHECK_STATUS(erased(&bed, GRAPH_NODE, "p1", "mail", &count), YORE_NOT_FOUND);
        say_person(&bed, "p1", "third@example.org", 9, AT(60)); /* what is said later stays */
        CHECK_EQ_INT(value_at(&bed, "p1", "mail", AT(59)), -1);
        CHECK_STATUS(erased(&bed, GRAPH_NODE, "p1", "mail", &count), YORE_OK);
        CHECK_EQ_UINT(count, 1);
        close_whole(&bed);
    }
}

TEST(an_erased_property_is_in_no_index_and_keeps_no_value_taken)
{
    struct graph_bed bed;
    graph_bed_open(&bed);
    struct graph_txn *txn = begin(&bed);
    uint64_t a = node_made(txn, "a", "N", AT(10), YORE_FOREVER);
    CHECK_OK(property_set(txn, a, "x", integer(1), AT(10)));
    CHECK_OK(property_set(txn, a, "x", integer(2), AT(20)));
    CHECK_OK(property_set(txn, a, "y", integer(3), AT(20)));
    struct graph_schema schema = {
        .is_unique = true, .label = label(txn, "N"), .property = property(txn, "x")};
    commit(txn);
    struct graph_schema other = {.label = schema.label};
    txn = begin(&bed);
    other.property = property(txn, "y");
    CHECK_OK(property_set(txn, a, "x", integer(4), AT(20))); /* 2 was wrong */
    commit(txn);
    CHECK_OK(graph_schema_create(bed.graph, &schema, NULL, NULL));
    CHECK_OK(graph_schema_create(bed.graph, &other, NULL, NULL));
    CHECK_OK(erased(&bed, GRAPH_NODE, "a", "x", NULL));
    txn = begin(&bed);
    uint64_t b = node_made(txn, "b", "N", AT(10), YORE_FOREVER);
    CHECK_OK(property_set(txn, b, "x", integer(4), AT(10)));
    commit(txn);
    struct graph_view *view = view_at(&bed, NULL, AT(30));
    struct graph_scan_options options = {
        .kind = GRAPH_SCAN_INDEX, .token = schema.label, .property = schema.property};
    struct graph_scan *scan = NULL;
    uint64_t id = 0;
    CHECK_OK(graph_scan_open(view, &options, &scan, NULL));
    CHECK_OK(graph_scan_next(scan, &id, NULL));
    CHECK_EQ_UINT(id, b);
    CHECK_STATUS(graph_scan_next(scan, &id, NULL), YORE_NOT_FOUND);
    graph_scan_close(scan);
    options.property = other.property;
    CHECK_OK(graph_scan_open(view, &options, &scan, NULL));
    CHECK_OK(graph_scan_next(scan, &id, NULL));
    CHECK_EQ_UINT(id, a);
    graph_scan_close(scan);
    graph_view_close(view);
    close_whole(&bed);
}

TEST(an_erased_node_is_not_in_what_was_known_by_an_index_that_was_dropped)
{
    static const char *const PROPERTIES[] = {NULL, "x"};
    for (size_t i = 0; i < 2; i++) {
        struct graph_bed bed;
        graph_bed_open(&bed);
        struct graph_txn *txn = begin(&bed);
        uint64_t a = node_made(txn, "a", "N", AT(10), YORE_FOREVER);
        uint64_t b = node_made(txn, "b", "N", AT(10), YORE_FOREVER);
        CHECK_OK(property_set(txn, a, "x", integer(1), AT(10)));
        CHECK_OK(property_set(txn, b, "x", integer(1), AT(10)));
        struct graph_schema schema = {.label = label(txn, "N"), .property = property(txn, "x")};
        commit(txn);
        CHECK_OK(graph_schema_create(bed.graph, &schema, NULL, NULL));
        txn = begin(&bed);
        struct yore_time then = {AT(30), graph_txn_time(txn).known};
        graph_abort(txn);
        CHECK_OK(graph_schema_drop(bed.graph, &schema, NULL, NULL));
        CHECK_OK(erased(&bed, GRAPH_NODE, "a", PROPERTIES[i], NULL));
        struct graph_view *view = NULL;
        CHECK_OK(graph_view_open(bed.graph, NULL, &then, &view, NULL));
        struct graph_scan_options options = {
            .kind = GRAPH_SCAN_INDEX, .token = schema.label, .property = schema.property};
        struct graph_scan *scan = NULL;
        uint64_t id = 0;
        CHECK_OK(graph_scan_open(view, &options, &scan, NULL));
        CHECK_OK(graph_scan_next(scan, &id, NULL));
        CHECK_EQ_UINT(id, b);
        CHECK_STATUS(graph_scan_next(scan, &id, NULL), YORE_NOT_FOUND);
        graph_scan_close(scan);
        graph_view_close(view);
        close_whole(&bed);
    }
}

TEST(a_property_of_a_relationship_is_erased_and_names_that_nobody_had_are_told)
{
    struct graph_bed bed;
    struct said said;
    uint64_t count = 0;
    graph_bed_open(&bed);
    say_node(&bed, "a", "x", AT(10));
    say_node(&bed, "a", "y", AT(10));
    relationship_word(&said, "x>y", "x", "y")->from = AT(20);
    said.entries[0] = (struct yore_graph_entry){text("note"), string(FIRST)};
    said.entries[1] = (struct yore_graph_entry){text("ms"), integer(5)};
    said.word.properties = (struct yore_graph_map){said.entries, 2};
    say(&bed, "a", &said.word);
    uint64_t id = id_at(&bed, GRAPH_RELATIONSHIP, "x>y", AT(20));
    CHECK_STATUS(erased(&bed, GRAPH_RELATIONSHIP, "x>y", "seen_by", &count), YORE_NOT_FOUND);
    CHECK_STATUS(erased(&bed, GRAPH_RELATIONSHIP, "x>y", "no such", &count), YORE_NOT_FOUND);
    CHECK_STATUS(erased(&bed, GRAPH_RELATIONSHIP, "z", "note", &count), YORE_NOT_FOUND);
    CHECK_STATUS(erased(&bed, GRAPH_NODE, "x", "note", &count), YORE_NOT_FOUND);
    CHECK_OK(erased(&bed, GRAPH_RELATIONSHIP, "x>y", "note", &count));
    CHECK_EQ_UINT(count, 1);
    CHECK_EQ_UINT(id_at(&bed, GRAPH_RELATIONSHIP, "x>y", AT(20)), id);
    struct graph_view *view = view_at(&bed, NULL, AT(25));
    struct yore_graph_relationship relationship;
    CHECK_OK(graph_relationship_get(view, id, &bed.arena, &relationship, NULL));
    CHECK_EQ_UINT(relationship.properties.count, 1);
    CHECK_EQ_INT(relationship.properties.entries[0].value.as.integer, 5);
    graph_view_close(view);
    CHECK_OK(yore_compact(bed.bed.db, NULL, NULL));
    CHECK(!is_on_disk(&bed, FIRST));
    CHECK_EQ_INT(value_at(&bed, "x", "seen_by", AT(15)), 'a');
    close_whole(&bed);
}

TEST(a_change_that_meets_the_erasure_of_what_it_found_is_a_conflict)
{
    struct graph_bed bed;
    struct graph_txn *txn = NULL;
    uint64_t count = 0;
    graph_bed_open(&bed);
    say_node(&bed, "a", "x", AT(10));
    struct graph_id found = {GRAPH_NODE, id_at(&bed, GRAPH_NODE, "x", AT(20))};
    CHECK_OK(graph_begin(bed.graph, &txn, NULL));
    CHECK_STATUS(graph_delete(txn, (struct graph_id){GRAPH_NODE, found.id + 1}, true, NULL, NULL),
                 YORE_NOT_FOUND);
    CHECK_OK(erased(&bed, GRAPH_NODE, "x", NULL, &count));
    CHECK_STATUS(graph_delete(txn, found, true, NULL, NULL), YORE_CONFLICT);
    graph_abort(txn);
    CHECK_OK(graph_begin(bed.graph, &txn, NULL));
    CHECK_STATUS(graph_delete(txn, found, true, NULL, NULL), YORE_NOT_FOUND);
    graph_abort(txn);
    close_whole(&bed);
}

TEST_MAIN(a_change_that_meets_the_erasure_of_what_it_found_is_a_conflict,
          an_erased_node_is_gone_with_its_relationships_from_every_file,
          an_erased_relationship_leaves_its_ends,
          an_erased_hub_goes_with_everything_that_ever_hung_on_it,
          an_erased_property_leaves_the_rest_of_its_element_at_every_time,
          an_erased_property_is_in_no_index_and_keeps_no_value_taken,
          an_erased_node_is_not_in_what_was_known_by_an_index_that_was_dropped,
          a_property_of_a_relationship_is_erased_and_names_that_nobody_had_are_told)
