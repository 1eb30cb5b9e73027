/* graph_public_test.c -- <yore/graph.h> as its users call it. */
#include <stdio.h>
#include <string.h>

#include <yore/graph.h>

#include "unit/engine/bed.h"

struct public_bed {
    struct bed bed;
    struct yore_graph *graph;
};

static void open_public(struct public_bed *p)
{
    bed_open(&p->bed);
    CHECK_OK(yore_graph_open(p->bed.db, "g", true, NULL, &p->graph, NULL));
}

static void close_public(struct public_bed *p)
{
    yore_graph_close(p->graph);
    bed_close(&p->bed);
}

static struct yore_graph_map one(struct yore_graph_entry *entry, const char *name, int64_t value)
{
    *entry = (struct yore_graph_entry){text(name), {.kind = YORE_GRAPH_INT, .as.integer = value}};
    return (struct yore_graph_map){entry, 1};
}

static uint64_t make(struct yore_graph_txn *txn, const char *external_id, int64_t x, int64_t from)
{
    struct yore_graph_entry entry;
    struct yore_bytes label = text("N");
    struct yore_graph_new_node node = {text(external_id), &label, 1, one(&entry, "x", x)};
    struct yore_graph_write write = {.from = from, .to = YORE_FOREVER};
    uint64_t id = 0;
    CHECK_OK(yore_graph_node_create(txn, &node, &write, &id, NULL));
    return id;
}

/* a -T-> b, a.x 1 then 2, made long ago. */
static void tell_story(struct public_bed *p, uint64_t *a, uint64_t *b, uint64_t *r)
{
    struct yore_graph_txn *txn = NULL;
    struct yore_graph_entry entry;
    struct yore_graph_write write = {.from = AT(20), .to = YORE_FOREVER};
    CHECK_OK(yore_graph_begin(p->graph, &txn, NULL));
    *a = make(txn, "a", 1, AT(10));
    *b = make(txn, "b", 1, AT(10));
    struct yore_graph_map properties = one(&entry, "x", 2);
    CHECK_OK(yore_graph_set(txn, YORE_GRAPH_ELEMENT_NODE, *a, &properties, false, &write, NULL));
    CHECK_OK(yore_graph_label(txn, *a, text("Hot"), true, &write, NULL));
    struct yore_graph_new_relationship made = {
        .external_id = text("r"), .type = text("T"), .start_id = *a, .end_id = *b};
    CHECK_OK(yore_graph_relationship_create(txn, &made, &write, r, NULL));
    CHECK_OK(yore_graph_commit(txn, YORE_DURABILITY_DEFAULT, NULL, NULL));
}

static const char *ids(struct yore_graph_view *view, const struct yore_graph_scan_options *options)
{
    static char words[256];
    struct yore_graph_scan *scan = NULL;
    uint64_t id;
    size_t size = 0;
    words[0] = '\0';
    CHECK_OK(yore_graph_scan_open(view, options, &scan, NULL));
    while (yore_graph_scan_next(scan, &id, NULL) == YORE_OK) {
        size +=
            (size_t)snprintf(words + size, sizeof words - size, "%llu ", (unsigned long long)id);
    }
    yore_graph_scan_close(scan);
    return words;
}

TEST(what_was_told_is_read_as_of_any_moment)
{
    struct public_bed p;
    uint64_t a, b, r, found;
    open_public(&p);
    tell_story(&p, &a, &b, &r);
    struct yore_graph_view *view = NULL;
    struct yore_time early = {AT(15), YORE_NOW};
    struct yore_graph_node node;
    CHECK_OK(yore_graph_view_open(p.graph, NULL, &early, &view, NULL));
    CHECK_OK(yore_graph_node_get(view, a, &node, NULL));
    CHECK_EQ_INT(node.properties.entries[0].value.as.integer, 1);
    CHECK_EQ_INT(node.span.valid_from, AT(10));
    CHECK_EQ_INT(node.span.valid_to, AT(20));
    CHECK_STATUS(yore_graph_find(view, YORE_GRAPH_ELEMENT_RELATIONSHIP, text("r"), &found, NULL),
                 YORE_NOT_FOUND);
    yore_graph_view_close(view);

    CHECK_OK(yore_graph_view_open(p.graph, NULL, NULL, &view, NULL));
    struct yore_graph_relationship relationship;
    CHECK_OK(yore_graph_find(view, YORE_GRAPH_ELEMENT_RELATIONSHIP, text("r"), &found, NULL));
    CHECK_EQ_UINT(found, r);
    CHECK_OK(yore_graph_relationship_get(view, r, &relationship, NULL));
    CHECK_EQ_UINT(relationship.end_id, b);
    yore_graph_view_forget(view);
    CHECK_EQ_STR(ids(view, &(struct yore_graph_scan_options){0}), "1 2 ");
    CHECK_EQ_STR(ids(view, &(struct yore_graph_scan_options){.name = text("Hot")}), "1 ");
    CHECK_EQ_STR(ids(view, &(struct yore_graph_scan_options){.name = text("None")}), "");
    struct yore_graph_scan_options types = {.element = YORE_GRAPH_ELEMENT_RELATIONSHIP,
                                            .name = text("T")};
    CHECK_EQ_STR(ids(view, &types), "1 ");
    struct yore_graph_hops *hops = NULL;
    struct yore_graph_hops_options options = {.node = b, .direction = YORE_GRAPH_BOTH};
    struct yore_graph_hop hop;
    CHECK_OK(yore_graph_hops_open(view, &options, &hops, NULL));
    CHECK_OK(yore_graph_hops_next(hops, &hop, NULL));
    CHECK(!hop.is_outgoing && hop.other == a && hop.relationship == r);
    CHECK_EQ_BYTES(hop.type.data, hop.type.size, "T", 1);
    CHECK_STATUS(yore_graph_hops_next(hops, &hop, NULL), YORE_NOT_FOUND);
    CHECK_OK(yore_graph_hops_restart(hops, a, NULL));
    CHECK_OK(yore_graph_hops_next(hops, &hop, NULL));
    CHECK(hop.is_outgoing && hop.other == b);
    yore_graph_hops_close(hops);
    yore_graph_view_close(view);
    close_public(&p);
}

TEST(time_is_asked_about)
{
    struct public_bed p;
    uint64_t a, b, r;
    int64_t moment = 0;
    open_public(&p);
    tell_story(&p, &a, &b, &r);
    struct yore_graph_view *view = NULL;
    struct yore_graph_history *history = NULL;
    struct yore_graph_changes *changes = NULL;
    struct yore_graph_value element;
    struct yore_graph_span span;
    struct yore_graph_change change;
    CHECK_OK(yore_graph_view_open(p.graph, NULL, NULL, &view, NULL));
    CHECK_OK(yore_graph_history_open(view, YORE_GRAPH_ELEMENT_NODE, a, YORE_TIME_MIN, YORE_FOREVER,
                                     &history, NULL));
    CHECK_OK(yore_graph_history_next(history, &element, &span, NULL));
    CHECK_EQ_INT(span.valid_to, AT(20));
    CHECK_OK(yore_graph_history_next(history, &element, &span, NULL));
    CHECK_EQ_UINT(element.as.node->label_count, 2);
    CHECK_STATUS(yore_graph_history_next(history, &element, &span, NULL), YORE_NOT_FOUND);
    yore_graph_history_close(history);
    yore_graph_view_close(view);
    CHECK_OK(yore_graph_changes_open(p.graph, AT(15), AT(25), false, &changes, NULL));
    CHECK_OK(yore_graph_changes_next(changes, &change, NULL));
    CHECK(change.kind == YORE_CHANGE_CHANGED && change.id == a);
    CHECK_OK(yore_graph_changes_next(changes, &change, NULL));
    CHECK(change.kind == YORE_CHANGE_ADDED && change.element == YORE_GRAPH_ELEMENT_RELATIONSHIP);
    CHECK_STATUS(yore_graph_changes_next(changes, &change, NULL), YORE_NOT_FOUND);
    yore_graph_changes_close(changes);
    CHECK_OK(yore_graph_nearest_change(p.graph, AT(15), false, &moment, NULL));
    CHECK_EQ_INT(moment, AT(20));
    CHECK_OK(yore_graph_nearest_change(p.graph, AT(15), true, &moment, NULL));
    CHECK_EQ_INT(moment, AT(10));
    close_public(&p);
}

TEST(constraints_imports_and_checks_are_there_too)
{
    struct public_bed p;
    uint64_t a, b, r, c;
    struct yore_graph_txn *txn = NULL;
    struct yore_graph_import *import = NULL;
    struct yore_graph_view *view = NULL;
    open_public(&p);
    tell_story(&p, &a, &b, &r);
    CHECK_OK(yore_graph_index_create(p.graph, text("Hot"), text("x"), true, NULL));
    CHECK_STATUS(yore_graph_index_create(p.graph, text("N"), text("x"), true, NULL), YORE_EXISTS);
    struct yore_graph_value two = {.kind = YORE_GRAPH_INT, .as.integer = 2};
    struct yore_graph_scan_options options = {
        .name = text("Hot"), .property = text("x"), .low = &two, .high = &two};
    CHECK_OK(yore_graph_view_open(p.graph, NULL, NULL, &view, NULL));
    CHECK_EQ_STR(ids(view, &options), "1 ");
    yore_graph_view_close(view);
    CHECK_STATUS(yore_graph_import_open(p.graph, YORE_DURABILITY_DEFAULT, false, &import, NULL),
                 YORE_UNSUPPORTED);
    CHECK_OK(yore_graph_index_drop(p.graph, text("Hot"), text("x"), true, NULL));
    CHECK_OK(yore_graph_import_open(p.graph, YORE_DURABILITY_DEFAULT, false, &import, NULL));
    CHECK_OK(yore_graph_begin(p.graph, &txn, NULL));
    struct yore_graph_new_node node = {.external_id = text("late")};
    CHECK_STATUS(yore_graph_node_create(txn, &node, NULL, &c, NULL), YORE_BUSY);
    yore_graph_abort(txn);
    CHECK_OK(yore_graph_import_line(
        import, text("1000000100000\t1\t+\tn\tc\tN,M\t\t\t{\"x\":1,\"l\":[1,\"a\"]}"), NULL));
    CHECK_OK(
        yore_graph_import_line(import, text("1000000100000\t1\t+\te\tc2a\tT\tc\ta\t{}"), NULL));
    CHECK_OK(yore_graph_import_line(import, text("1000000200000\t2\t-\te\tc2a\tT\t\t\t"), NULL));
    CHECK_OK(yore_graph_import_finish(import, NULL));
    CHECK_OK(yore_graph_import_open(p.graph, YORE_DURABILITY_DEFAULT, false, &import, NULL));
    CHECK_STATUS(yore_graph_import_line(import, text("1000000100000\t1\t-\tn\tc\t\t\t\t"), NULL),
                 YORE_INVALID);
    yore_graph_import_abort(import);
    CHECK_OK(yore_graph_import_open(p.graph, YORE_DURABILITY_DEFAULT, true, &import, NULL));
    CHECK_OK(yore_graph_import_line(import, text("1000000100000\t1\t-\tn\tc\t\t\t\t"), NULL));
    CHECK_OK(yore_graph_import_line(import, text("1000000300000\t3\t-\tn\tc\t\t\t\t"), NULL));
    CHECK_OK(yore_graph_import_finish(import, NULL));
    CHECK_OK(yore_graph_verify(p.graph, NULL, NULL, NULL));
    struct yore_time at = {AT(100), YORE_NOW};
    CHECK_OK(yore_graph_view_open(p.graph, NULL, &at, &view, NULL));
    CHECK_OK(yore_graph_find(view, YORE_GRAPH_ELEMENT_NODE, text("c"), &c, NULL));
    yore_graph_view_close(view);
    CHECK_OK(yore_graph_begin(p.graph, &txn, NULL));
    CHECK_STATUS(yore_graph_delete(txn, YORE_GRAPH_ELEMENT_NODE, a, false, NULL, NULL),
                 YORE_INVALID);
    CHECK_OK(yore_graph_delete(txn, YORE_GRAPH_ELEMENT_NODE, a, true, NULL, NULL));
    CHECK_OK(yore_graph_commit(txn, YORE_DURABILITY_DEFAULT, NULL, NULL));
    close_public(&p);
}

static const char *import_error(struct public_bed *p, const char *lines)
{
    static struct yore_error error;
    struct yore_graph_import *import = NULL;
    enum yore_status st = YORE_OK;
    error.text[0] = '\0';
    CHECK_OK(yore_graph_import_open(p->graph, YORE_DURABILITY_DEFAULT, false, &import, NULL));
    for (const char *at = lines; st == YORE_OK && *at != '\0';) {
        size_t size = strcspn(at, "\n");
        st = yore_graph_import_line(import, (struct yore_bytes){at, size}, &error);
        at += at[size] == '\n' ? size + 1 : size;
    }
    CHECK(st != YORE_OK);
    yore_graph_import_abort(import);
    return error.text;
}

TEST(lines_that_cannot_be_are_refused_with_their_number)
{
    static const struct {
        const char *lines;
        const char *says;
    } cases[] = {
        {"x", "line 1: an event has nine columns"},
        {"1\t1\t+\tn\ta\t\t\t", "nine columns"},
        {"1.1234567\t1\t+\tn\ta\t\t\t\t", "column 1"},
        {"1.\t1\t+\tn\ta\t\t\t\t", "column 1"},
        {".5\t1\t+\tn\ta\t\t\t\t", "column 1"},
        {"-\t1\t+\tn\ta\t\t\t\t", "column 1"},
        {"9223372036854.775808\t1\t+\tn\ta\t\t\t\t", "column 1"},
        {"99999999999999999999\t1\t+\tn\ta\t\t\t\t", "column 1"},
        {"1\t0\t+\tn\ta\t\t\t\t", "column 2"},
        {"1\t1\t*\tn\ta\t\t\t\t", "column 3"},
        {"1\t1\t+\tx\ta\t\t\t\t", "column 4"},
        {"1\t1\t+\tn\t\t\t\t\t", "column 5"},
        {"1\t1\t+\tn\ta\tL\t\t\t{\"x\":}", "column 6: expected a value"},
        {"1\t1\t+\tn\ta\tL\t\t\t{\"x\":{}}", "scalar"},
        {"1\t1\t~\tn\ta\t\t\t\t{}", "is changed, but is not there"},
        {"1\t1\t-\tn\ta\t\t\t\t", "is removed, but is not there"},
        {"1\t1\t+\te\tr\tT\ta\tb\t{}", "end that is not there"},
        {"1\t1\t+\tn\ta\t\t\t\t\n1\t1\t+\tn\ta\t\t\t\t", "line 2: node a is added"},
        {"1\t1\t+\tn\ta\t\t\t\t\n2\t1\t+\tn\tb\t\t\t\t", "one time"},
        {"2\t1\t+\tn\ta\t\t\t\t\n1\t2\t+\tn\tb\t\t\t\t", "in order"},
        {"5\t1\t+\tn\tz\t\t\t\t\n5\t1\t+\te\tr\tT\tz\tz\t\n5\t1\t-\tn\tz\t\t\t\t", "has edges"},
    };
    struct public_bed p;
    open_public(&p);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *said = import_error(&p, cases[i].lines);
        CHECK_MSG(strstr(said, cases[i].says) != NULL, "case %zu: %s", i, said);
    }
    /* Of all of these one was committed: what stood before the transaction that came out of order.
     */
    struct yore_graph_view *view = NULL;
    uint64_t id;
    CHECK_OK(yore_graph_view_open(p.graph, NULL, NULL, &view, NULL));
    CHECK_OK(yore_graph_find(view, YORE_GRAPH_ELEMENT_NODE, text("a"), &id, NULL));
    CHECK_STATUS(yore_graph_find(view, YORE_GRAPH_ELEMENT_NODE, text("z"), &id, NULL),
                 YORE_NOT_FOUND);
    yore_graph_view_close(view);
    close_public(&p);
}

#define REFUSED(name, call)                                                                        \
    do {                                                                                           \
        error.text[0] = '\0';                                                                      \
        CHECK_STATUS(call, YORE_INVALID);                                                          \
        CHECK_MSG(strncmp(error.text, name ": NULL where", strlen(name ": NULL where")) == 0,      \
                  "%s: %s", name, error.text);                                                     \
    } while (0)

static int each_source(void *arg, const struct yore_graph_source *source)
{
    (void)arg;
    (void)source;
    return 0;
}

static int each_pending(void *arg, const struct yore_graph_pending *pending)
{
    (void)arg;
    (void)pending;
    return 0;
}

TEST(null_is_refused_by_elements_and_views)
{
    struct public_bed s;
    struct yore_error error;
    struct {
        struct yore_graph_txn *txn;
        struct yore_graph_view *view;
        struct yore_graph_scan *scan;
        struct yore_graph_hops *hops;
    } o = {0};
    struct yore_graph *graph = NULL;
    struct yore_graph_txn *txn = NULL;
    struct yore_graph_view *view = NULL;
    struct yore_graph_scan *scan = NULL;
    struct yore_graph_hops *hops = NULL;
    struct yore_graph_node got;
    struct yore_graph_relationship hop_got;
    struct yore_graph_hop hop;
    uint64_t id = 0;
    const struct yore_graph_new_node node = {.external_id = text("n")};
    const struct yore_graph_new_relationship relationship = {.type = text("T")};
    const struct yore_graph_map properties = {0};
    const struct yore_graph_scan_options all = {0};
    const struct yore_graph_hops_options about = {.direction = YORE_GRAPH_BOTH, .node = 1};
    open_public(&s);
    CHECK_OK(yore_graph_begin(s.graph, &o.txn, NULL));
    CHECK_OK(yore_graph_view_open(s.graph, NULL, NULL, &o.view, NULL));
    CHECK_OK(yore_graph_scan_open(o.view, &all, &o.scan, NULL));
    CHECK_OK(yore_graph_hops_open(o.view, &about, &o.hops, NULL));
    REFUSED("yore_graph_open", yore_graph_open(NULL, "g", true, NULL, &graph, &error));
    REFUSED("yore_graph_open", yore_graph_open(s.bed.db, NULL, true, NULL, &graph, &error));
    REFUSED("yore_graph_open", yore_graph_open(s.bed.db, "g", true, NULL, NULL, &error));
    REFUSED("yore_graph_begin", yore_graph_begin(NULL, &txn, &error));
    REFUSED("yore_graph_begin", yore_graph_begin(s.graph, NULL, &error));
    REFUSED("yore_graph_commit", yore_graph_commit(NULL, YORE_DURABILITY_DEFAULT, NULL, &error));
    REFUSED("yore_graph_node_create", yore_graph_node_create(NULL, &node, NULL, &id, &error));
    REFUSED("yore_graph_node_create", yore_graph_node_create(o.txn, NULL, NULL, &id, &error));
    REFUSED("yore_graph_node_create", yore_graph_node_create(o.txn, &node, NULL, NULL, &error));
    REFUSED("yore_graph_relationship_create",
            yore_graph_relationship_create(NULL, &relationship, NULL, &id, &error));
    REFUSED("yore_graph_relationship_create",
            yore_graph_relationship_create(o.txn, NULL, NULL, &id, &error));
    REFUSED("yore_graph_relationship_create",
            yore_graph_relationship_create(o.txn, &relationship, NULL, NULL, &error));
    REFUSED("yore_graph_set",
            yore_graph_set(NULL, YORE_GRAPH_ELEMENT_NODE, 1, &properties, false, NULL, &error));
    REFUSED("yore_graph_set",
            yore_graph_set(o.txn, YORE_GRAPH_ELEMENT_NODE, 1, NULL, false, NULL, &error));
    REFUSED("yore_graph_label", yore_graph_label(NULL, 1, text("N"), true, NULL, &error));
    REFUSED("yore_graph_delete",
            yore_graph_delete(NULL, YORE_GRAPH_ELEMENT_NODE, 1, false, NULL, &error));
    REFUSED("yore_graph_view_open", yore_graph_view_open(NULL, o.txn, NULL, &view, &error));
    REFUSED("yore_graph_view_open", yore_graph_view_open(s.graph, o.txn, NULL, NULL, &error));
    REFUSED("yore_graph_node_get", yore_graph_node_get(NULL, 1, &got, &error));
    REFUSED("yore_graph_node_get", yore_graph_node_get(o.view, 1, NULL, &error));
    REFUSED("yore_graph_relationship_get", yore_graph_relationship_get(NULL, 1, &hop_got, &error));
    REFUSED("yore_graph_relationship_get", yore_graph_relationship_get(o.view, 1, NULL, &error));
    REFUSED("yore_graph_find",
            yore_graph_find(NULL, YORE_GRAPH_ELEMENT_NODE, text("a"), &id, &error));
    REFUSED("yore_graph_find",
            yore_graph_find(o.view, YORE_GRAPH_ELEMENT_NODE, text("a"), NULL, &error));
    REFUSED("yore_graph_scan_open", yore_graph_scan_open(NULL, &all, &scan, &error));
    REFUSED("yore_graph_scan_open", yore_graph_scan_open(o.view, NULL, &scan, &error));
    REFUSED("yore_graph_scan_open", yore_graph_scan_open(o.view, &all, NULL, &error));
    REFUSED("yore_graph_scan_next", yore_graph_scan_next(NULL, &id, &error));
    REFUSED("yore_graph_scan_next", yore_graph_scan_next(o.scan, NULL, &error));
    REFUSED("yore_graph_hops_open", yore_graph_hops_open(NULL, &about, &hops, &error));
    REFUSED("yore_graph_hops_open", yore_graph_hops_open(o.view, NULL, &hops, &error));
    REFUSED("yore_graph_hops_open", yore_graph_hops_open(o.view, &about, NULL, &error));
    REFUSED("yore_graph_hops_restart", yore_graph_hops_restart(NULL, 1, &error));
    REFUSED("yore_graph_hops_next", yore_graph_hops_next(NULL, &hop, &error));
    REFUSED("yore_graph_hops_next", yore_graph_hops_next(o.hops, NULL, &error));
    yore_graph_view_forget(NULL);
    yore_graph_hops_close(o.hops);
    yore_graph_scan_close(o.scan);
    yore_graph_view_close(o.view);
    yore_graph_abort(o.txn);
    close_public(&s);
}

TEST(null_is_refused_by_histories_and_sources)
{
    struct public_bed s;
    struct yore_error error;
    struct {
        struct yore_graph_view *view;
        struct yore_graph_history *history;
        struct yore_graph_changes *changes;
    } o = {0};
    struct yore_graph_history *history = NULL;
    struct yore_graph_changes *changes = NULL;
    struct yore_graph_import *import = NULL;
    struct yore_graph_value value;
    struct yore_graph_span span;
    struct yore_graph_change change;
    uint64_t id = 0;
    int64_t moment = 0;
    const struct yore_graph_source said_by = {.name = text("s")};
    const struct yore_graph_word word = {0};
    open_public(&s);
    CHECK_OK(yore_graph_view_open(s.graph, NULL, NULL, &o.view, NULL));
    CHECK_OK(
        yore_graph_history_open(o.view, YORE_GRAPH_ELEMENT_NODE, 1, 0, YORE_NOW, &o.history, NULL));
    CHECK_OK(yore_graph_changes_open(s.graph, 0, YORE_NOW, false, &o.changes, NULL));
    REFUSED("yore_graph_index_create",
            yore_graph_index_create(NULL, text("N"), text("x"), false, &error));
    REFUSED("yore_graph_index_drop",
            yore_graph_index_drop(NULL, text("N"), text("x"), false, &error));
    REFUSED("yore_graph_history_open", yore_graph_history_open(NULL, YORE_GRAPH_ELEMENT_NODE, 1, 0,
                                                               YORE_NOW, &history, &error));
    REFUSED("yore_graph_history_open",
            yore_graph_history_open(o.view, YORE_GRAPH_ELEMENT_NODE, 1, 0, YORE_NOW, NULL, &error));
    REFUSED("yore_graph_history_next", yore_graph_history_next(NULL, &value, &span, &error));
    REFUSED("yore_graph_history_next", yore_graph_history_next(o.history, NULL, &span, &error));
    REFUSED("yore_graph_history_next", yore_graph_history_next(o.history, &value, NULL, &error));
    REFUSED("yore_graph_changes_open",
            yore_graph_changes_open(NULL, 0, YORE_NOW, false, &changes, &error));
    REFUSED("yore_graph_changes_open",
            yore_graph_changes_open(s.graph, 0, YORE_NOW, false, NULL, &error));
    REFUSED("yore_graph_changes_next", yore_graph_changes_next(NULL, &change, &error));
    REFUSED("yore_graph_changes_next", yore_graph_changes_next(o.changes, NULL, &error));
    REFUSED("yore_graph_nearest_change",
            yore_graph_nearest_change(NULL, 0, false, &moment, &error));
    REFUSED("yore_graph_nearest_change",
            yore_graph_nearest_change(s.graph, 0, false, NULL, &error));
    REFUSED("yore_graph_source_set", yore_graph_source_set(NULL, &said_by, &error));
    REFUSED("yore_graph_source_set", yore_graph_source_set(s.graph, NULL, &error));
    REFUSED("yore_graph_ingest",
            yore_graph_ingest(NULL, text("s"), &word, 1, YORE_DURABILITY_DEFAULT, NULL, &error));
    REFUSED("yore_graph_ingest",
            yore_graph_ingest(s.graph, text("s"), NULL, 1, YORE_DURABILITY_DEFAULT, NULL, &error));
    REFUSED("yore_graph_sync_start", yore_graph_sync_start(NULL, text("s"), YORE_NOW, &id, &error));
    REFUSED("yore_graph_sync_start",
            yore_graph_sync_start(s.graph, text("s"), YORE_NOW, NULL, &error));
    REFUSED("yore_graph_sync_send", yore_graph_sync_send(NULL, text("s"), 1, &word, 1, &error));
    REFUSED("yore_graph_sync_send", yore_graph_sync_send(s.graph, text("s"), 1, NULL, 1, &error));
    REFUSED("yore_graph_sync_stop",
            yore_graph_sync_stop(NULL, text("s"), 1, YORE_DURABILITY_DEFAULT, NULL, &error));
    REFUSED("yore_graph_sync_abort", yore_graph_sync_abort(NULL, text("s"), 1, &error));
    REFUSED("yore_graph_source_end",
            yore_graph_source_end(NULL, text("s"), YORE_NOW, NULL, &error));
    REFUSED("yore_graph_settle", yore_graph_settle(NULL, NULL, &error));
    REFUSED("yore_graph_sources", yore_graph_sources(NULL, each_source, NULL, &error));
    REFUSED("yore_graph_sources", yore_graph_sources(s.graph, NULL, NULL, &error));
    REFUSED("yore_graph_pending", yore_graph_pending(NULL, NULL, each_pending, NULL, &error));
    REFUSED("yore_graph_pending", yore_graph_pending(s.graph, NULL, NULL, NULL, &error));
    REFUSED("yore_graph_erase",
            yore_graph_erase(NULL, YORE_GRAPH_ELEMENT_NODE, text("a"), NULL, &error));
    REFUSED("yore_graph_erase_property",
            yore_graph_erase_property(NULL, YORE_GRAPH_ELEMENT_NODE, text("a"), text("x"), &error));
    REFUSED("yore_graph_import_open",
            yore_graph_import_open(NULL, YORE_DURABILITY_DEFAULT, false, &import, &error));
    REFUSED("yore_graph_import_open",
            yore_graph_import_open(s.graph, YORE_DURABILITY_DEFAULT, false, NULL, &error));
    REFUSED("yore_graph_import_line", yore_graph_import_line(NULL, text("x"), &error));
    REFUSED("yore_graph_import_finish", yore_graph_import_finish(NULL, &error));
    REFUSED("yore_graph_verify", yore_graph_verify(NULL, NULL, NULL, &error));
    yore_graph_changes_close(o.changes);
    yore_graph_history_close(o.history);
    yore_graph_view_close(o.view);
    close_public(&s);
}

TEST_MAIN(null_is_refused_by_elements_and_views, null_is_refused_by_histories_and_sources,
          what_was_told_is_read_as_of_any_moment, time_is_asked_about,
          constraints_imports_and_checks_are_there_too,
          lines_that_cannot_be_are_refused_with_their_number)
