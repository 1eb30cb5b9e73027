#include "unit/topology/graph_bed.h"

#include <stdio.h>
#include <string.h>

static void open_graph(struct graph_bed *bed)
{
    CHECK_OK(graph_open(bed->bed.db, text("g"), true, NULL, &bed->graph, NULL));
}

void graph_bed_open(struct graph_bed *bed)
{
    *bed = (struct graph_bed){0};
    bed_open(&bed->bed);
    open_graph(bed);
}

void graph_bed_reopen(struct graph_bed *bed)
{
    graph_close(bed->graph);
    bed_reopen(&bed->bed);
    open_graph(bed);
}

void graph_bed_age(struct graph_bed *bed, int age)
{
    graph_close(bed->graph);
    bed_age(&bed->bed, age);
    open_graph(bed);
}

void graph_bed_close(struct graph_bed *bed)
{
    graph_close(bed->graph);
    arena_release(&bed->arena);
    bed_close(&bed->bed);
}

struct graph_txn *begin(struct graph_bed *bed)
{
    struct graph_txn *txn = NULL;
    CHECK_OK(graph_begin(bed->graph, &txn, NULL));
    return txn;
}

int64_t commit(struct graph_txn *txn)
{
    int64_t at = 0;
    struct yore_error error;
    CHECK_OK(graph_commit(txn, YORE_DURABILITY_DEFAULT, &at, &error));
    return at;
}

static uint32_t token(struct graph_txn *txn, enum graph_token_kind kind, const char *name)
{
    uint32_t made = GRAPH_NO_TOKEN;
    CHECK_OK(graph_txn_token(txn, kind, text(name), &made, NULL));
    return made;
}

uint32_t label(struct graph_txn *txn, const char *name)
{
    return token(txn, GRAPH_LABEL, name);
}

uint32_t type(struct graph_txn *txn, const char *name)
{
    return token(txn, GRAPH_TYPE, name);
}

uint32_t property(struct graph_txn *txn, const char *name)
{
    return token(txn, GRAPH_PROPERTY, name);
}

struct yore_graph_value integer(int64_t v)
{
    return (struct yore_graph_value){.kind = YORE_GRAPH_INT, .as.integer = v};
}

struct yore_graph_value string(const char *words)
{
    return (struct yore_graph_value){.kind = YORE_GRAPH_STRING, .as.string = text(words)};
}

uint64_t node_made(struct graph_txn *txn, const char *external_id, const char *label_name,
                   int64_t from, int64_t to)
{
    uint32_t labels[1] = {label(txn, label_name)};
    struct graph_new_node node = {
        .external_id = text(external_id), .labels = labels, .label_count = 1};
    struct graph_write write = {.from = from, .to = to};
    struct yore_error error = {0};
    uint64_t id = 0;
    enum yore_status st = graph_node_create(txn, &node, &write, &id, &error);
    CHECK_MSG(st == YORE_OK, "%s", error.text);
    return id;
}

enum yore_status node_try(struct graph_txn *txn, const char *external_id, int64_t from, int64_t to,
                          uint64_t *id_out)
{
    struct graph_new_node node = {.external_id = text(external_id)};
    struct graph_write write = {.from = from, .to = to};
    return graph_node_create(txn, &node, &write, id_out, NULL);
}

uint64_t relationship_made(struct graph_txn *txn, const char *type_name, uint64_t start,
                           uint64_t end, int64_t from)
{
    struct graph_new_relationship relationship = {
        .type = type(txn, type_name), .start_id = start, .end_id = end};
    struct graph_write write = {.from = from, .to = YORE_FOREVER};
    struct yore_error error = {0};
    uint64_t id = 0;
    enum yore_status st = graph_relationship_create(txn, &relationship, &write, &id, &error);
    CHECK_MSG(st == YORE_OK, "%s", error.text);
    return id;
}

enum yore_status relationship_try(struct graph_txn *txn, uint64_t start, uint64_t end,
                                  const struct graph_write *write, uint64_t *id_out)
{
    struct graph_new_relationship relationship = {
        .type = type(txn, "R"), .start_id = start, .end_id = end};
    return graph_relationship_create(txn, &relationship, write, id_out, NULL);
}

enum yore_status property_set(struct graph_txn *txn, uint64_t node, const char *name,
                              struct yore_graph_value value, int64_t from)
{
    struct graph_property one = {property(txn, name), value};
    struct graph_write write = {.from = from, .to = YORE_FOREVER};
    return graph_properties_set(txn, (struct graph_id){GRAPH_NODE, node}, &one, 1, false, &write,
                                NULL);
}

enum yore_status node_deleted(struct graph_txn *txn, uint64_t node, bool detaches, int64_t from)
{
    struct graph_write write = {.from = from, .to = YORE_FOREVER};
    return graph_delete(txn, (struct graph_id){GRAPH_NODE, node}, detaches, &write, NULL);
}

struct graph_view *view_at(struct graph_bed *bed, struct graph_txn *txn, int64_t valid)
{
    struct graph_view *view = NULL;
    struct yore_time at = {valid, YORE_NOW};
    struct yore_error error = {0};
    enum yore_status st =
        graph_view_open(bed->graph, txn, valid == YORE_NOW ? NULL : &at, &view, &error);
    CHECK_MSG(st == YORE_OK, "%s", error.text);
    return view;
}

const char *scanned(struct graph_view *view, enum graph_scan_kind kind, const char *name)
{
    static char words[4096];
    struct graph_scan *scan = NULL;
    struct graph_scan_options options = {.kind = kind};
    size_t size = 0;
    uint64_t id = 0;
    if (name != NULL) {
        options.token =
            graph_token(graph_view_graph(view), kind == GRAPH_SCAN_LABEL ? GRAPH_LABEL : GRAPH_TYPE,
                        text(name));
    }
    words[0] = '\0';
    CHECK_OK(graph_scan_open(view, &options, &scan, NULL));
    enum yore_status st;
    while ((st = graph_scan_next(scan, &id, NULL)) == YORE_OK && size + 32 < sizeof words) {
        size +=
            (size_t)snprintf(words + size, sizeof words - size, "%llu ", (unsigned long long)id);
    }
    graph_scan_close(scan);
    CHECK_STATUS(st, YORE_NOT_FOUND);
    return words;
}

const char *hops(struct graph_view *view, uint64_t node, enum graph_direction direction)
{
    static char words[4096];
    struct graph_expand *expand = NULL;
    struct graph_expand_options options = {.node = node, .direction = direction};
    struct graph_hop hop;
    size_t size = 0;
    words[0] = '\0';
    CHECK_OK(graph_expand_open(view, &options, &expand, NULL));
    enum yore_status st;
    while ((st = graph_expand_next(expand, &hop, NULL)) == YORE_OK && size + 64 < sizeof words) {
        struct yore_bytes name = graph_token_name(graph_view_graph(view), GRAPH_TYPE, hop.type);
        size += (size_t)snprintf(words + size, sizeof words - size, "%.*s%c%llu ", (int)name.size,
                                 (const char *)name.data, hop.is_outgoing ? '>' : '<',
                                 (unsigned long long)hop.other);
    }
    graph_expand_close(expand);
    CHECK_STATUS(st, YORE_NOT_FOUND);
    return words;
}

int64_t property_of(struct graph_bed *bed, int64_t valid, uint64_t node, const char *name)
{
    struct graph_view *view = view_at(bed, NULL, valid);
    struct yore_graph_value value = {0};
    uint32_t found = graph_token(bed->graph, GRAPH_PROPERTY, text(name));
    enum yore_status st = graph_node_property(view, node, found, &bed->arena, &value, NULL);
    graph_view_close(view);
    if (st == YORE_NOT_FOUND) {
        return -2;
    }
    CHECK_OK(st);
    return value.kind == YORE_GRAPH_INT ? value.as.integer : -1;
}

bool is_node_there(struct graph_bed *bed, int64_t valid, uint64_t node)
{
    return property_of(bed, valid, node, "no such property") != -2;
}
