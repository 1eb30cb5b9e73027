/* graph.c -- who called the cart, before and after it moved: a graph as of two moments.
 *
 *     cc graph.c $(pkg-config --cflags --libs yore) && ./a.out DIRECTORY
 */
#include <stdio.h>
#include <string.h>

#include <yore/graph.h>

static struct yore_error error;

static struct yore_bytes text(const char *words)
{
    return (struct yore_bytes){words, strlen(words)};
}

static enum yore_status add_service(struct yore_graph_txn *txn, const char *name, int64_t from,
                                    uint64_t *id_out)
{
    struct yore_bytes label = text("Service");
    struct yore_graph_entry entry = {
        text("name"), {.kind = YORE_GRAPH_STRING, .as.string = text(name)}};
    struct yore_graph_new_node node = {
        .external_id = text(name), .labels = &label, .label_count = 1, .properties = {&entry, 1}};
    struct yore_graph_write write = {.from = from, .to = YORE_FOREVER};
    return yore_graph_node_create(txn, &node, &write, id_out, &error);
}

static enum yore_status add_call(struct yore_graph_txn *txn, uint64_t start, uint64_t end,
                                 int64_t from)
{
    struct yore_graph_new_relationship call = {
        .type = text("CALLS"), .start_id = start, .end_id = end};
    struct yore_graph_write write = {.from = from, .to = YORE_FOREVER};
    uint64_t id;
    return yore_graph_relationship_create(txn, &call, &write, &id, &error);
}

static enum yore_status tell(struct yore_graph_txn *txn)
{
    uint64_t shop = 0;
    uint64_t cart = 0;
    uint64_t mail = 0;
    const int64_t second = 1000000000;
    int64_t then = 1763719200 * second; /* 2025-11-21T10:00:00Z */
    enum yore_status st = add_service(txn, "shop", then, &shop);
    if (st == YORE_OK) {
        st = add_service(txn, "cart", then, &cart);
    }
    if (st == YORE_OK) {
        st = add_service(txn, "mail", then, &mail);
    }
    if (st == YORE_OK) {
        st = add_call(txn, shop, cart, then);
    }
    if (st == YORE_OK) {
        st = add_call(txn, mail, cart, then + 60 * second); /* a minute later */
    }
    return st;
}

static enum yore_status print_callers(struct yore_graph *graph, const struct yore_time *at)
{
    struct yore_graph_view *view = NULL;
    struct yore_graph_hops *hops = NULL;
    struct yore_graph_hops_options options = {.direction = YORE_GRAPH_IN, .type = text("CALLS")};
    struct yore_graph_hop hop;
    struct yore_graph_node node;
    enum yore_status st = yore_graph_view_open(graph, NULL, at, &view, &error);
    if (st == YORE_OK) {
        st = yore_graph_find(view, YORE_GRAPH_ELEMENT_NODE, text("cart"), &options.node, &error);
    }
    if (st == YORE_OK) {
        st = yore_graph_hops_open(view, &options, &hops, &error);
    }
    printf("the cart is called by");
    while (st == YORE_OK && (st = yore_graph_hops_next(hops, &hop, &error)) == YORE_OK) {
        st = yore_graph_node_get(view, hop.other, &node, &error);
        if (st == YORE_OK) {
            printf(" %.*s", (int)node.external_id.size, (const char *)node.external_id.data);
        }
    }
    printf("\n");
    yore_graph_hops_close(hops);
    yore_graph_view_close(view);
    return st == YORE_NOT_FOUND ? YORE_OK : st;
}

static enum yore_status run(struct yore_db *db)
{
    struct yore_graph *graph = NULL;
    struct yore_graph_txn *txn = NULL;
    struct yore_time at_first = {INT64_C(1763719200000000000), YORE_NOW};
    enum yore_status st = yore_graph_open(db, "shop", true, NULL, &graph, &error);
    if (st == YORE_OK) {
        st = yore_graph_begin(graph, &txn, &error);
    }
    if (st == YORE_OK) {
        st = tell(txn);
        if (st == YORE_OK) {
            st = yore_graph_commit(txn, YORE_DURABILITY_DEFAULT, NULL, &error);
        } else {
            yore_graph_abort(txn);
        }
    }
    if (st == YORE_OK) {
        st = print_callers(graph, &at_first);
    }
    if (st == YORE_OK) {
        st = print_callers(graph, NULL);
    }
    yore_graph_close(graph);
    return st;
}

int main(int argc, char **argv)
{
    struct yore_db *db;
    if (argc != 2) {
        fprintf(stderr, "usage: graph DIRECTORY\n");
        return 2;
    }
    if (yore_open(argv[1], NULL, &db, &error) != YORE_OK) {
        fprintf(stderr, "%s\n", error.text);
        return 1;
    }
    enum yore_status st = run(db);
    if (st != YORE_OK) {
        fprintf(stderr, "%s\n", error.text);
    }
    enum yore_status closed = yore_close(db, &error);
    return st == YORE_OK && closed == YORE_OK ? 0 : 1;
}
