/* graph_verify_test.c -- the verifier passes what is whole and finds every way in which a graph can
 * be not: its keys are spoilt one by one behind its back. */
#include <stdio.h>
#include <string.h>

#include "topology/graph_key.h"
#include "unit/topology/graph_bed.h"

struct finding {
    unsigned count;
    char first[YORE_ERROR_TEXT_BYTES];
};

static void note(void *arg, const char *line)
{
    struct finding *finding = arg;
    if (finding->count++ == 0) {
        snprintf(finding->first, sizeof finding->first, "%s", line);
    }
}

struct verified {
    struct graph_bed bed;
    uint64_t a, b, r;
    uint32_t n, x, t;
};

static void make(struct verified *v)
{
    graph_bed_open(&v->bed);
    struct graph_txn *txn = begin(&v->bed);
    v->n = label(txn, "N");
    v->x = property(txn, "x");
    v->t = type(txn, "T");
    struct graph_schema schema = {.is_unique = true, .label = v->n, .property = v->x};
    v->a = node_made(txn, "a", "N", AT(10), YORE_FOREVER);
    v->b = node_made(txn, "b", "N", AT(20), AT(60));
    struct graph_new_relationship made = {.type = v->t, .start_id = v->a, .end_id = v->b};
    struct graph_write write = {.from = AT(30), .to = AT(50)};
    CHECK_OK(graph_relationship_create(txn, &made, &write, &v->r, NULL));
    CHECK_OK(property_set(txn, v->a, "x", integer(1), AT(15)));
    CHECK_OK(property_set(txn, v->a, "x", integer(2), AT(40)));
    CHECK_OK(property_set(txn, v->b, "x", integer(1), AT(40)));
    commit(txn);
    txn = begin(&v->bed);
    uint64_t again = node_made(txn, "b", "N", AT(70), YORE_FOREVER);
    CHECK_OK(node_deleted(txn, again, false, AT(80)));
    commit(txn);
    CHECK_OK(graph_schema_create(v->bed.graph, &schema, NULL, NULL));
}

static unsigned problems(struct verified *v, struct finding *finding)
{
    struct graph_verify_report report;
    struct yore_error error;
    *finding = (struct finding){0};
    enum yore_status st = graph_verify(v->bed.graph, note, finding, &report, &error);
    CHECK_STATUS(st, finding->count == 0 ? YORE_OK : YORE_CORRUPT);
    CHECK_EQ_UINT(report.problems, finding->count);
    CHECK_EQ_UINT(report.nodes, 3);
    return finding->count;
}

static void spoil(struct verified *v, struct yore_bytes key, const char *value, int64_t from)
{
    struct yore_keyspace *keyspace = graph_keyspace(v->bed.graph);
    struct yore_write write = {.from = from, .to = YORE_FOREVER};
    if (value == NULL) {
        CHECK_OK(yore_delete(v->bed.bed.db, keyspace, key, &write, NULL));
    } else {
        CHECK_OK(yore_put(v->bed.bed.db, keyspace, key, text(value), &write, NULL));
    }
}

static struct yore_bytes external(struct buffer *key, const char *name)
{
    buffer_clear(key);
    graph_key_external(key, GRAPH_NODE, text(name));
    return buffer_bytes(key);
}

enum spoiling {
    NO_INCOMING,
    NO_OUTGOING_LATER,
    LABEL_TOO_LATE,
    LABEL_OF_NOBODY,
    RECORD_GONE,
    RECORD_BACK_AGAIN,
    RECORD_MALFORMED,
    EXTERNAL_GONE,
    EXTERNAL_OF_ANOTHER,
    INDEX_ENTRY_OF_NOBODY,
    END_GONE,
    SPOILINGS
};

static void spoil_one(struct verified *v, enum spoiling how)
{
    struct graph_adjacency in = {v->b, true, v->t, v->a, v->r};
    struct graph_adjacency out = {v->a, false, v->t, v->b, v->r};
    struct graph_key key = graph_key_label(v->n, v->a);
    struct buffer longer = {0};
    switch (how) {
    case NO_INCOMING:
        key = graph_key_adjacency(&in, ADJACENCY_WHOLE);
        spoil(v, graph_key_bytes(&key), NULL, AT(30));
        break;
    case NO_OUTGOING_LATER:
        key = graph_key_adjacency(&out, ADJACENCY_WHOLE);
        spoil(v, graph_key_bytes(&key), NULL, AT(45));
        break;
    case LABEL_TOO_LATE:
        spoil(v, graph_key_bytes(&key), NULL, AT(10));
        spoil(v, graph_key_bytes(&key), "", AT(11));
        break;
    case LABEL_OF_NOBODY:
        key = graph_key_label(v->n + 1, v->a);
        spoil(v, graph_key_bytes(&key), "", AT(20));
        break;
    case RECORD_GONE:
        key = graph_key_element((struct graph_id){GRAPH_NODE, v->a});
        spoil(v, graph_key_bytes(&key), NULL, AT(90));
        break;
    case RECORD_BACK_AGAIN:
        key = graph_key_element((struct graph_id){GRAPH_NODE, v->b});
        spoil(v, graph_key_bytes(&key),
              "\x01\x01\x01"
              "b"
              "\0",
              AT(90));
        break;
    case RECORD_MALFORMED:
        key = graph_key_element((struct graph_id){GRAPH_NODE, v->a});
        spoil(v, graph_key_bytes(&key), "?", AT(90));
        break;
    case EXTERNAL_GONE:
        spoil(v, external(&longer, "a"), NULL, AT(90));
        break;
    case EXTERNAL_OF_ANOTHER:
        spoil(v, external(&longer, "c"), "\x01", AT(90));
        break;
    case INDEX_ENTRY_OF_NOBODY:
        graph_key_index(&longer, 1);
        buffer_append_u8(&longer, 0x30);
        buffer_append(&longer, "zz\0\0", 4);
        graph_key_index_node(&longer, v->a);
        spoil(v, buffer_bytes(&longer), "", AT(20));
        break;
    case END_GONE:
    default:
        key = graph_key_element((struct graph_id){GRAPH_NODE, v->b});
        spoil(v, graph_key_bytes(&key), NULL, AT(45));
    }
    buffer_release(&longer);
}

TEST(whole_graph_passes_at_every_age)
{
    for (int age = 0; age < BED_AGES; age++) {
        struct verified v;
        struct finding finding;
        make(&v);
        graph_bed_age(&v.bed, age);
        CHECK_MSG(problems(&v, &finding) == 0, "%s", finding.first);
        graph_bed_close(&v.bed);
    }
}

TEST(each_way_of_being_not_whole_is_found)
{
    for (int how = 0; how < SPOILINGS; how++) {
        struct verified v;
        struct finding finding;
        make(&v);
        spoil_one(&v, (enum spoiling)how);
        CHECK_MSG(problems(&v, &finding) > 0, "spoiling %d is not found", how);
        graph_bed_close(&v.bed);
    }
}

TEST_MAIN(whole_graph_passes_at_every_age, each_way_of_being_not_whole_is_found)
