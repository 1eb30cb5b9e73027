/* Elements in expressions: what can be asked of them, fetched or not, deleted or not. */
#include "support/test.h"
#include "unit/query/query_bed.h"

#define DELETED "! EntityNotFound DeletedEntityAccess"

static void open_pair(struct query_bed *bed)
{
    query_bed_open(bed);
    (void)run(bed, "CREATE (:A:B {name: 'a', n: 1})-[:T {k: 2}]->(:C {name: 'c'})");
}

TEST(elements_tell_what_they_are)
{
    struct query_bed bed;
    open_pair(&bed);
    ASKED(&bed, "MATCH (a:A)-[r]->(c) RETURN labels(a), type(r), keys(a), keys(r), properties(r)",
          "['A', 'B'], 'T', ['n', 'name'], ['k'], {k: 2}");
    ASKED(&bed,
          "MATCH (a:A)-[r]->(c) RETURN startNode(r) = a, endNode(r) = c, startNode(r).name, "
          "endNode(r).name",
          "true, true, 'a', 'c'");
    ASKED(&bed, "MATCH (a:A) RETURN elementId(a) = toString(id(a)), size(externalId(a)) > 0",
          "true, true");
    ASKED(&bed, "MATCH (a:A)-[r]->(c) RETURN id(a) = id(c), a = c, a = r", "false, false, false");
    ASKED(&bed,
          "MATCH p = (:A)-->() RETURN length(p), [n IN nodes(p) | n.name], "
          "[r IN relationships(p) | r.k]",
          "1, ['a', 'c'], [2]");
    ASKED(&bed, "MATCH (a:A) RETURN a {.name, .nosuch, x: a.n + 1}",
          "{name: 'a', nosuch: null, x: 2}");
    ASKED(&bed, "MATCH (a:A) RETURN a {.*, n: 3}", "{n: 3, name: 'a'}");
    query_bed_close(&bed);
}

TEST(properties_are_read_by_name_however_it_is_said)
{
    struct query_bed bed;
    open_pair(&bed);
    ASKED(&bed, "MATCH (a:A)-[r]->() RETURN a.name, a['name'], a[toLower('NAME')], r.k, r['k']",
          "'a', 'a', 'a', 2, 2");
    ASKED(&bed, "MATCH (a:A)-[r]->() RETURN a.nosuch, r.nosuch, a['nosuch'], (null).name",
          "null, null, null, null");
    ASKED(&bed, "MATCH (a:A) WITH [a, 1] AS list RETURN list[0].name", "'a'");
    ASKED(&bed, "MATCH (a:A) WITH [a, 1] AS list RETURN list[1].name",
          "! TypeError InvalidArgumentType");
    ASKED(&bed, "MATCH (a:A) WITH [a, 1] AS list RETURN list[0][0]",
          "! TypeError MapElementAccessByNonString");
    query_bed_close(&bed);
}

TEST(labels_and_types_are_conditions)
{
    struct query_bed bed;
    open_pair(&bed);
    ASKED(&bed, "MATCH (a:A)-[r]->(c) RETURN a:A, a:A:B, a:A:C, a:Nosuch, c:C, r:T, r:Nosuch",
          "true, true, false, false, true, true, false");
    ASKED(&bed, "OPTIONAL MATCH (x:Nosuch) RETURN x:A, labels(x), type(null), id(x)",
          "null, null, null, null");
    query_bed_close(&bed);
}

TEST(whole_elements_come_back_from_lists_maps_and_paths)
{
    struct query_bed bed;
    open_pair(&bed);
    ASKED(&bed, "MATCH p = (a:A)-[r]->() RETURN p",
          "<(:A:B {n: 1, name: 'a'})-[:T {k: 2}]->(:C {name: 'c'})>");
    ASKED(&bed, "MATCH p = (:C)<--() RETURN p",
          "<(:C {name: 'c'})<-[:T {k: 2}]-(:A:B {n: 1, name: 'a'})>");
    ASKED(&bed, "MATCH (a:A)-[r]->() RETURN [a, {r: r}, 1]",
          "[(:A:B {n: 1, name: 'a'}), {r: [:T {k: 2}]}, 1]");
    query_bed_close(&bed);
}

TEST(deleted_elements_keep_what_names_them)
{
    struct query_bed bed;
    open_pair(&bed);
    ASKED(&bed, "MATCH ()-[r:T]->() DELETE r RETURN type(r)", "'T'");
    (void)run(&bed, "MATCH (a:A), (c:C) CREATE (a)-[:T {k: 2}]->(c)");
    ASKED(&bed, "MATCH (a:A)-[r:T]->() DELETE r RETURN startNode(r) = a, id(r) >= 0", "true, true");
    (void)run(&bed, "MATCH (a:A), (c:C) CREATE (a)-[:T {k: 2}]->(c)");
    ASKED(&bed, "MATCH ()-[r:T]->() DELETE r RETURN r", "[:T]");
    ASKED(&bed, "MATCH (a:A) DELETE a RETURN a", "()");
    query_bed_close(&bed);
}

TEST(what_was_deleted_cannot_be_read)
{
    static const char *const queries[] = {
        "MATCH (a:A) DETACH DELETE a RETURN a.name",
        "MATCH (a:A) DETACH DELETE a RETURN a.nosuch",
        "MATCH (a:A) DETACH DELETE a RETURN labels(a)",
        "MATCH (a:A) DETACH DELETE a RETURN keys(a)",
        "MATCH (a:A) DETACH DELETE a RETURN a:A",
        "MATCH (a:A) DETACH DELETE a RETURN a {.*}",
        "MATCH (a:A) DETACH DELETE a RETURN validFrom(a)",
        "MATCH ()-[r:T]->() DELETE r RETURN r.k",
        "MATCH ()-[r:T]->() DELETE r RETURN properties(r)",
    };
    struct query_bed bed;
    open_pair(&bed);
    for (size_t i = 0; i < sizeof(queries) / sizeof(queries[0]); i++) {
        test_note("%s", queries[i]);
        ASKED(&bed, queries[i], DELETED);
        ASKED(&bed, "MATCH (a:A)-[r:T]->() RETURN a.name, r.k", "'a', 2"); /* nothing came of it */
    }
    query_bed_close(&bed);
}

TEST(versions_tell_their_times)
{
    struct query_bed bed;
    open_pair(&bed);
    ASKED(&bed,
          "MATCH (a:A)-[r]->() RETURN validFrom(a) = commitTime(a), validTo(a), "
          "validFrom(r) <= datetime(), validFrom(a).timezone",
          "true, null, true, 'Z'");
    int64_t before = run(&bed, "MATCH (a:A) SET a.n = 2");
    ASKED(&bed, "MATCH (a:A)-[r]->() RETURN validFrom(r) < validFrom(a)", "true");
    CHECK_EQ_STR(ask_at(&bed, "MATCH (a:A) RETURN a.n, validTo(a) IS NULL", before - 1),
                 "1, false");
    query_bed_close(&bed);
}

TEST_MAIN(elements_tell_what_they_are, properties_are_read_by_name_however_it_is_said,
          labels_and_types_are_conditions, whole_elements_come_back_from_lists_maps_and_paths,
          deleted_elements_keep_what_names_them, what_was_deleted_cannot_be_read,
          versions_tell_their_times)
