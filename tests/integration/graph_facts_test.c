/* graph_facts_test.c -- three real graphs through the event import, against facts that were
 * computed without any database: at every instant counts, both digests of the state, degrees and
 * neighbourhoods; net differences; version histories.  As imported, and after a compaction and
 * another opening.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/sha256.h"
#include "cli/line_source.h"
#include "support/json_tree.h"
#include "support/test.h"
#include "topology/event_import.h"

#define NS_PER_MS INT64_C(1000000)

struct facts {
    const char *name;
    struct arena arena;   /* of the facts */
    struct arena scratch; /* of one question */
    const struct json_tree *root;
    struct yore_db *db;
    struct graph *graph;
};

/* ---- the facts ---- */

static const struct json_tree *need(const struct json_tree *object, const char *name)
{
    const struct json_tree *found = json_tree_member(object, name);
    CHECK_MSG(found != NULL, "there is no %s", name);
    return found;
}

static const struct json_tree *item_of(const struct json_tree *array, size_t index)
{
    CHECK(index < array->count);
    return &array->items[index];
}

static int64_t number_of(const struct json_tree *number)
{
    char digits[32];
    CHECK(number->kind == TREE_NUMBER && number->text.size < sizeof digits);
    memcpy(digits, number->text.data, number->text.size);
    digits[number->text.size] = '\0';
    return strtoll(digits, NULL, 10);
}

static const struct json_tree *read_facts(const char *path, struct arena *arena)
{
    FILE *file = fopen(path, "rb");
    CHECK_MSG(file != NULL, "%s", path);
    CHECK(fseek(file, 0, SEEK_END) == 0);
    long size = ftell(file);
    CHECK(size > 0);
    rewind(file);
    char *text = arena_alloc(arena, (size_t)size);
    CHECK(text != NULL && fread(text, 1, (size_t)size, file) == (size_t)size);
    fclose(file);
    const struct json_tree *root = json_tree_parse(bytes_of(text, (size_t)size), arena);
    CHECK_MSG(root != NULL, "%s", path);
    return root;
}

/* ---- importing ---- */

static void open_graph(struct facts *f)
{
    struct yore_options options;
    struct yore_error error;
    yore_options_init(&options);
    options.durability = YORE_DURABILITY_NONE;
    enum yore_status st = yore_open(test_path("db"), &options, &f->db, &error);
    CHECK_MSG(st == YORE_OK, "%s", error.text);
    CHECK_OK(graph_open(f->db, bytes_of("g", 1), true, NULL, &f->graph, NULL));
}

static void close_graph(struct facts *f)
{
    graph_close(f->graph);
    CHECK_OK(yore_close(f->db, NULL));
}

static void import_events(struct facts *f)
{
    char path[512];
    struct line_source *source;
    struct graph_import *import = NULL;
    struct graph_import_options options = {.durability = YORE_DURABILITY_NONE};
    struct graph_import_tally tally;
    struct yore_error error;
    struct yore_bytes line;
    snprintf(path, sizeof path, EXAMPLES_DIR "/%s/%s.tsv.zst", f->name, f->name);
    FILE *file = fopen(path, "rb");
    CHECK_MSG(file != NULL, "%s", path);
    CHECK_OK(line_source_open(file, f->name, &source, &error));
    enum yore_status st = graph_import_open(f->graph, &options, &import, &error);
    CHECK_MSG(st == YORE_OK, "%s", error.text);
    while ((st = line_source_next(source, &line, &error)) == YORE_OK) {
        st = graph_import_line(import, line, &error);
        CHECK_MSG(st == YORE_OK, "%s", error.text);
    }
    CHECK_STATUS(st, YORE_NOT_FOUND);
    CHECK_OK(graph_import_finish(import, &tally, &error));
    CHECK_EQ_INT(tally.lines, number_of(need(f->root, "events")));
    CHECK_EQ_INT(tally.transactions, number_of(need(f->root, "transactions")));
    line_source_close(source);
    fclose(file);
}

/* ---- lines of a state ---- */

struct line_set {
    struct buffer octets;
    struct line_place {
        size_t at;
        size_t size;
    } * places;
    size_t count;
    size_t capacity;
};

static void line_end(struct line_set *set, size_t begin)
{
    if (set->count == set->capacity) {
        set->capacity = set->capacity == 0 ? 1024 : set->capacity * 2;
        set->places = realloc(set->places, set->capacity * sizeof *set->places);
        CHECK(set->places != NULL);
    }
    CHECK_OK(buffer_status(&set->octets));
    set->places[set->count++] = (struct line_place){begin, set->octets.size - begin};
}

static const unsigned char *sorted_octets; /* of the set that is being sorted */

static int compare_lines(const void *a, const void *b)
{
    const struct line_place *x = a;
    const struct line_place *y = b;
    return bytes_compare(bytes_of(sorted_octets + x->at, x->size),
                         bytes_of(sorted_octets + y->at, y->size));
}

/* With `between` and not after each, where given; else each followed by a newline. */
static void line_digest(struct line_set *set, bool is_joined, char hex[65])
{
    struct sha256 h;
    sorted_octets = set->octets.data;
    if (set->count > 1) {
        qsort(set->places, set->count, sizeof *set->places, compare_lines);
    }
    sha256_init(&h);
    for (size_t i = 0; i < set->count; i++) {
        sha256_add(&h, bytes_of(set->octets.data + set->places[i].at, set->places[i].size));
        if (!is_joined || i + 1 < set->count) {
            sha256_add(&h, bytes_of("\n", 1));
        }
    }
    sha256_end_text(&h, hex);
}

static void line_release(struct line_set *set)
{
    buffer_release(&set->octets);
    free(set->places);
}

/* ---- states ---- */

struct state_counts {
    uint64_t nodes;
    uint64_t edges;
    uint64_t node_properties;
    uint64_t edge_properties;
    bool has_all; /* floats and lists too */
    struct line_set structure;
    struct line_set properties;
};

static void append_text(struct buffer *to, const char *text)
{
    buffer_append(to, text, strlen(text));
}

static void append_scalar(struct buffer *to, const struct yore_graph_value *value)
{
    char number[64];
    switch (value->kind) {
    case YORE_GRAPH_STRING:
        json_append_string(to, value->as.string);
        break;
    case YORE_GRAPH_BOOL:
        append_text(to, value->as.boolean ? "true" : "false");
        break;
    case YORE_GRAPH_INT:
        snprintf(number, sizeof number, "%lld", (long long)value->as.integer);
        append_text(to, number);
        break;
    default:
        CHECK_EQ_INT(value->kind, YORE_GRAPH_FLOAT);
        snprintf(number, sizeof number, "%.17g", value->as.real);
        append_text(to, number);
    }
}

static void append_value(struct buffer *to, const struct yore_graph_value *value)
{
    if (value->kind != YORE_GRAPH_LIST) {
        append_scalar(to, value);
        return;
    }
    append_text(to, "[");
    for (size_t i = 0; i < value->as.list.count; i++) {
        append_text(to, i == 0 ? "" : ",");
        append_scalar(to, &value->as.list.items[i]);
    }
    append_text(to, "]");
}

/* The digests leave floats and lists out. */
static void append_properties(struct buffer *to, const struct yore_graph_map *map, bool is_digest)
{
    bool is_first = true;
    append_text(to, "{");
    for (size_t i = 0; i < map->count; i++) {
        const struct yore_graph_value *value = &map->entries[i].value;
        if (is_digest && (value->kind == YORE_GRAPH_FLOAT || value->kind == YORE_GRAPH_LIST)) {
            continue;
        }
        append_text(to, is_first ? "" : ",");
        json_append_string(to, map->entries[i].name);
        append_text(to, ":");
        append_value(to, value);
        is_first = false;
    }
    append_text(to, "}");
}

static void property_line(struct state_counts *counts, const char *kind, struct yore_bytes id,
                          const struct yore_graph_map *map)
{
    struct line_set *set = &counts->properties;
    size_t begin = set->octets.size;
    append_text(&set->octets, kind);
    buffer_append_bytes(&set->octets, id);
    append_text(&set->octets, "\t");
    append_properties(&set->octets, map, !counts->has_all);
    line_end(set, begin);
}

static struct yore_bytes node_name(struct graph_view *view, uint64_t id, struct arena *arena)
{
    struct yore_graph_node node;
    CHECK_OK(graph_node_get(view, id, arena, &node, NULL));
    return node.external_id;
}

static void take_node(struct graph_view *view, uint64_t id, struct arena *arena,
                      struct state_counts *counts)
{
    struct yore_graph_node node;
    CHECK_OK(graph_node_get(view, id, arena, &node, NULL));
    counts->nodes++;
    counts->node_properties += node.properties.count;
    struct buffer *to = &counts->structure.octets;
    size_t begin = to->size;
    append_text(to, "n\t");
    buffer_append_bytes(to, node.external_id);
    append_text(to, "\t");
    for (size_t i = 0; i < node.label_count; i++) {
        append_text(to, i == 0 ? "" : ",");
        buffer_append_bytes(to, node.labels[i]);
    }
    line_end(&counts->structure, begin);
    property_line(counts, "n\t", node.external_id, &node.properties);
}

static void take_edge(struct graph_view *view, uint64_t id, struct arena *arena,
                      struct state_counts *counts)
{
    struct yore_graph_relationship edge;
    CHECK_OK(graph_relationship_get(view, id, arena, &edge, NULL));
    counts->edges++;
    counts->edge_properties += edge.properties.count;
    struct buffer *to = &counts->structure.octets;
    size_t begin = to->size;
    append_text(to, "e\t");
    buffer_append_bytes(to, edge.external_id);
    append_text(to, "\t");
    buffer_append_bytes(to, edge.type);
    append_text(to, "\t");
    buffer_append_bytes(to, node_name(view, edge.start_id, arena));
    append_text(to, "\t");
    buffer_append_bytes(to, node_name(view, edge.end_id, arena));
    line_end(&counts->structure, begin);
    property_line(counts, "e\t", edge.external_id, &edge.properties);
}

static uint64_t scan_all(struct facts *f, struct graph_view *view, enum graph_scan_kind kind,
                         uint32_t token, struct state_counts *counts)
{
    struct graph_scan_options options = {.kind = kind, .token = token};
    struct graph_scan *scan = NULL;
    uint64_t id = 0;
    uint64_t count = 0;
    CHECK_OK(graph_scan_open(view, &options, &scan, NULL));
    while (graph_scan_next(scan, &id, NULL) == YORE_OK) {
        count++;
        if (counts != NULL && kind == GRAPH_SCAN_NODES) {
            take_node(view, id, &f->scratch, counts);
        } else if (counts != NULL) {
            take_edge(view, id, &f->scratch, counts);
        }
        arena_reset(&f->scratch);
    }
    graph_scan_close(scan);
    return count;
}

static void check_text(const struct json_tree *state, const char *name, const char *got)
{
    struct yore_bytes want = need(state, name)->text;
    CHECK_EQ_BYTES(got, strlen(got), want.data, want.size);
}

/* "Class,Role": how many have just these labels?  Those scanned by the first label that have all
 * and no others. */
static uint64_t count_labels(struct facts *f, struct graph_view *view, struct yore_bytes names)
{
    struct graph_scan_options options = {.kind = GRAPH_SCAN_LABEL};
    struct graph_scan *scan = NULL;
    uint32_t tokens[8];
    size_t token_count = 0;
    uint64_t id = 0;
    uint64_t count = 0;
    const char *at = names.data;
    const char *end = at + names.size;
    while (at < end) {
        const char *comma = memchr(at, ',', (size_t)(end - at));
        size_t size = (size_t)((comma != NULL ? comma : end) - at);
        tokens[token_count++] = graph_token(f->graph, GRAPH_LABEL, bytes_of(at, size));
        at += size + 1;
    }
    options.token = tokens[0];
    CHECK_OK(graph_scan_open(view, &options, &scan, NULL));
    while (graph_scan_next(scan, &id, NULL) == YORE_OK) {
        const uint32_t *labels;
        size_t label_count;
        CHECK_OK(graph_node_labels(view, id, &f->scratch, &labels, &label_count, NULL));
        bool has_all = label_count == token_count;
        for (size_t i = 0; i < token_count; i++) {
            bool has = false;
            CHECK_OK(graph_node_has_label(view, id, tokens[i], &has, NULL));
            has_all = has_all && has;
        }
        count += has_all;
        arena_reset(&f->scratch);
    }
    graph_scan_close(scan);
    return count;
}

static void check_counts(struct facts *f, struct graph_view *view, const struct json_tree *state)
{
    const struct json_tree *group = need(state, "nodes_by_labels");
    for (size_t i = 0; i < group->count; i++) {
        CHECK_EQ_INT(count_labels(f, view, group->names[i]), number_of(&group->items[i]));
    }
    group = need(state, "edges_by_type");
    for (size_t i = 0; i < group->count; i++) {
        uint32_t type = graph_token(f->graph, GRAPH_TYPE, group->names[i]);
        CHECK_EQ_INT(scan_all(f, view, GRAPH_SCAN_TYPE, type, NULL), number_of(&group->items[i]));
    }
}

/* ---- neighbourhoods ---- */

static size_t degree(struct graph_view *view, uint64_t node, enum graph_direction direction)
{
    struct graph_expand_options options = {.node = node, .direction = direction};
    struct graph_expand *expand = NULL;
    struct graph_hop hop;
    size_t count = 0;
    CHECK_OK(graph_expand_open(view, &options, &expand, NULL));
    while (graph_expand_next(expand, &hop, NULL) == YORE_OK) {
        count++;
    }
    graph_expand_close(expand);
    return count;
}

struct reached {
    uint64_t *nodes;
    size_t count;
    bool *is_in; /* by id */
};

static void hop_once(struct graph_expand *expand, struct reached *reached, size_t from, size_t to)
{
    struct graph_hop hop;
    for (size_t i = from; i < to; i++) {
        CHECK_OK(graph_expand_restart(expand, reached->nodes[i], 0, NULL));
        while (graph_expand_next(expand, &hop, NULL) == YORE_OK) {
            if (!reached->is_in[hop.other]) {
                reached->is_in[hop.other] = true;
                reached->nodes[reached->count++] = hop.other;
            }
        }
    }
}

#define IDS_MAX 200000

static void check_neighbourhood(struct facts *f, struct graph_view *view,
                                const struct json_tree *one)
{
    struct yore_bytes dir = need(one, "dir")->text;
    enum graph_direction direction = *(const char *)dir.data == 'o'   ? GRAPH_OUTGOING
                                     : *(const char *)dir.data == 'i' ? GRAPH_INCOMING
                                                                      : GRAPH_BOTH;
    struct yore_bytes start = need(one, "start")->text;
    struct reached reached = {.nodes = malloc(IDS_MAX * sizeof(uint64_t)),
                              .is_in = calloc(IDS_MAX, sizeof(bool))};
    CHECK(reached.nodes != NULL && reached.is_in != NULL);
    uint64_t id = 0;
    test_note("%s, start %.*s, %.*s", f->name, (int)start.size, (const char *)start.data,
              (int)dir.size, (const char *)dir.data);
    CHECK_OK(graph_node_find(view, start, &id, NULL));
    reached.nodes[reached.count++] = id;
    reached.is_in[id] = true;
    struct graph_expand_options options = {.node = id, .direction = direction};
    struct graph_expand *expand = NULL;
    CHECK_OK(graph_expand_open(view, &options, &expand, NULL));
    size_t from = 0;
    for (size_t hop = 0; hop < 3; hop++) {
        size_t to = reached.count;
        hop_once(expand, &reached, from, to);
        from = to;
        const struct json_tree *want = need(one, "reached_within_1_2_3_hops_incl_start");
        CHECK_EQ_INT(reached.count, number_of(item_of(want, hop)));
    }
    graph_expand_close(expand);
    struct line_set names = {0};
    char hex[65];
    for (size_t i = 0; i < reached.count; i++) {
        size_t begin = names.octets.size;
        buffer_append_bytes(&names.octets, node_name(view, reached.nodes[i], &f->scratch));
        arena_reset(&f->scratch);
        line_end(&names, begin);
    }
    line_digest(&names, true, hex);
    hex[16] = '\0';
    check_text(one, "sorted_ids_sha256_16", hex);
    line_release(&names);
    free(reached.nodes);
    free(reached.is_in);
}

static void check_state(struct facts *f, const struct json_tree *state)
{
    int64_t t = number_of(need(state, "t"));
    struct yore_time at = {t * NS_PER_MS, YORE_NOW};
    struct graph_view *view = NULL;
    struct state_counts counts = {0};
    char hex[65];
    test_note("%s at %lld", f->name, (long long)t);
    CHECK_OK(graph_view_open(f->graph, NULL, &at, &view, NULL));
    scan_all(f, view, GRAPH_SCAN_NODES, 0, &counts);
    scan_all(f, view, GRAPH_SCAN_RELATIONSHIPS, 0, &counts);
    CHECK_EQ_INT(counts.nodes, number_of(need(state, "nodes")));
    CHECK_EQ_INT(counts.edges, number_of(need(state, "edges")));
    CHECK_EQ_INT(counts.node_properties, number_of(need(state, "node_properties")));
    CHECK_EQ_INT(counts.edge_properties, number_of(need(state, "edge_properties")));
    line_digest(&counts.structure, false, hex);
    check_text(state, "structure_sha256", hex);
    line_digest(&counts.properties, false, hex);
    check_text(state, "properties_sha256", hex);
    line_release(&counts.structure);
    line_release(&counts.properties);
    check_counts(f, view, state);
    const struct json_tree *highest = json_tree_member(state, "highest_degree");
    if (highest != NULL) {
        uint64_t id = 0;
        CHECK_OK(graph_node_find(view, item_of(highest, 0)->text, &id, NULL));
        CHECK_EQ_INT(degree(view, id, GRAPH_OUTGOING), number_of(item_of(highest, 1)));
        CHECK_EQ_INT(degree(view, id, GRAPH_INCOMING), number_of(item_of(highest, 2)));
    }
    const struct json_tree *all = need(state, "neighbourhoods");
    for (size_t i = 0; i < all->count; i++) {
        check_neighbourhood(f, view, &all->items[i]);
    }
    graph_view_close(view);
}

/* ---- differences and histories ---- */

/* An element that went and came back is another one to the graph, and a change to the facts. */
struct difference {
    uint64_t added[3];
    uint64_t removed[3];
    uint64_t changed[3];
};

static void note_name(struct line_set *set, const struct yore_graph_value *element)
{
    bool is_node = element->kind == YORE_GRAPH_NODE;
    size_t begin = set->octets.size;
    append_text(&set->octets, is_node ? "n" : "e");
    buffer_append_bytes(&set->octets, is_node ? element->as.node->external_id
                                              : element->as.relationship->external_id);
    line_end(set, begin);
}

/* Does the same id name an element with the same labels or type, ends and properties? */
static bool is_same_again(struct facts *f, int64_t from, int64_t to, struct yore_bytes name)
{
    bool is_node = *(const char *)name.data == 'n';
    struct yore_bytes id_text = bytes_behind(name, 1);
    struct state_counts sides[2];
    char hex[2][2][65];
    for (int i = 0; i < 2; i++) {
        struct yore_time at = {(i == 0 ? from : to) * NS_PER_MS, YORE_NOW};
        struct graph_view *view = NULL;
        uint64_t id = 0;
        sides[i] = (struct state_counts){.has_all = true};
        CHECK_OK(graph_view_open(f->graph, NULL, &at, &view, NULL));
        if (is_node) {
            CHECK_OK(graph_node_find(view, id_text, &id, NULL));
            take_node(view, id, &f->scratch, &sides[i]);
        } else {
            CHECK_OK(graph_relationship_find(view, id_text, &id, NULL));
            take_edge(view, id, &f->scratch, &sides[i]);
        }
        line_digest(&sides[i].structure, false, hex[i][0]);
        line_digest(&sides[i].properties, false, hex[i][1]);
        line_release(&sides[i].structure);
        line_release(&sides[i].properties);
        graph_view_close(view);
        arena_reset(&f->scratch);
    }
    return strcmp(hex[0][0], hex[1][0]) == 0 && strcmp(hex[0][1], hex[1][1]) == 0;
}

/* Names that were both removed and added: neither, but changed where something differs. */
static void join_incarnations(struct facts *f, int64_t from, int64_t to, struct line_set *added,
                              struct line_set *removed, struct difference *d)
{
    char unused[65];
    line_digest(added, false, unused); /* sorts */
    line_digest(removed, false, unused);
    size_t j = 0;
    for (size_t i = 0; i < added->count; i++) {
        struct yore_bytes name =
            bytes_of(added->octets.data + added->places[i].at, added->places[i].size);
        int order = 1;
        while (j < removed->count && order > 0) {
            order = bytes_compare(name, bytes_of(removed->octets.data + removed->places[j].at,
                                                 removed->places[j].size));
            j += order > 0;
        }
        if (order == 0 && j < removed->count) {
            int kind = *(const char *)name.data == 'n' ? GRAPH_NODE : GRAPH_RELATIONSHIP;
            d->added[kind]--;
            d->removed[kind]--;
            d->changed[kind] += !is_same_again(f, from, to, name);
        }
    }
}

static void check_difference(struct facts *f, const struct json_tree *want)
{
    int64_t from = number_of(need(want, "t1"));
    int64_t to = number_of(need(want, "t2"));
    struct graph_changes_options options = {from * NS_PER_MS, to * NS_PER_MS, YORE_NOW, false};
    struct graph_changes *changes = NULL;
    struct graph_change change;
    struct difference d = {0};
    struct line_set added = {0};
    struct line_set removed = {0};
    test_note("%s, difference from %lld to %lld", f->name, (long long)from, (long long)to);
    CHECK_OK(graph_changes_open(f->graph, &options, &changes, NULL));
    while (graph_changes_next(changes, &f->scratch, &change, NULL) == YORE_OK) {
        enum graph_element kind = change.id.element;
        if (change.kind == GRAPH_ADDED) {
            d.added[kind]++;
            note_name(&added, &change.after);
        } else if (change.kind == GRAPH_REMOVED) {
            d.removed[kind]++;
            note_name(&removed, &change.before);
        } else {
            d.changed[kind]++;
        }
        arena_reset(&f->scratch);
    }
    graph_changes_close(changes);
    join_incarnations(f, from, to, &added, &removed, &d);
    line_release(&added);
    line_release(&removed);
    CHECK_EQ_INT(d.added[GRAPH_NODE], number_of(need(want, "nodes_added")));
    CHECK_EQ_INT(d.removed[GRAPH_NODE], number_of(need(want, "nodes_removed")));
    CHECK_EQ_INT(d.changed[GRAPH_NODE], number_of(need(want, "nodes_changed")));
    CHECK_EQ_INT(d.added[GRAPH_RELATIONSHIP], number_of(need(want, "edges_added")));
    CHECK_EQ_INT(d.removed[GRAPH_RELATIONSHIP], number_of(need(want, "edges_removed")));
    CHECK_EQ_INT(d.changed[GRAPH_RELATIONSHIP], number_of(need(want, "edges_changed")));
}

struct told {
    int64_t time;
    char operation;
};

/* Every step of every incarnation of an id. */
static size_t tell_history(struct facts *f, struct graph_view *view, struct yore_bytes id,
                           struct told *told, size_t room, uint64_t *versions_out)
{
    size_t count = 0;
    *versions_out = 0;
    for (int element = GRAPH_NODE; element <= GRAPH_RELATIONSHIP; element++) {
        const uint64_t *ids;
        size_t id_count;
        CHECK_OK(graph_incarnations(view, (enum graph_element)element, id, &f->scratch, &ids,
                                    &id_count, NULL));
        for (size_t i = 0; i < id_count; i++) {
            struct graph_history *history = NULL;
            struct graph_version version = {0};
            struct graph_id one = {(enum graph_element)element, ids[i]};
            bool is_first = true;
            CHECK_OK(graph_history_open(view, one, YORE_TIME_MIN, YORE_FOREVER, &history, NULL));
            while (graph_history_next(history, &f->scratch, &version, NULL) == YORE_OK) {
                CHECK(count + 2 < room);
                told[count++] =
                    (struct told){version.span.valid_from / NS_PER_MS, is_first ? '+' : '~'};
                is_first = false;
                ++*versions_out;
            }
            if (version.span.valid_to != YORE_FOREVER) {
                told[count++] = (struct told){version.span.valid_to / NS_PER_MS, '-'};
                ++*versions_out;
            }
            graph_history_close(history);
        }
    }
    return count;
}

#define STEPS_MAX 8192

static void check_history(struct facts *f, struct graph_view *view, const struct json_tree *want)
{
    static struct told told[STEPS_MAX];
    uint64_t versions = 0;
    struct yore_bytes id = need(want, "id")->text;
    test_note("%s, history of %.*s", f->name, (int)id.size, (const char *)id.data);
    size_t count = tell_history(f, view, id, told, STEPS_MAX, &versions);
    const struct json_tree *steps = need(want, "changes");
    size_t at = 0;
    for (size_t i = 0; i < steps->count; i++) {
        const struct json_tree *step = &steps->items[i];
        if (step->kind == TREE_STRING) { /* "...": some are left out */
            size_t left = steps->count - i - 1;
            CHECK(left <= count);
            at = count - left;
            continue;
        }
        CHECK(at < count);
        CHECK_EQ_INT(told[at].time, number_of(item_of(step, 0)));
        struct yore_bytes operation = item_of(step, 1)->text;
        CHECK_EQ_BYTES(&told[at].operation, 1, operation.data, operation.size);
        at++;
    }
    CHECK_EQ_UINT(at, count);
    arena_reset(&f->scratch);
}

/* ---- everything ---- */

static void check_all(struct facts *f, size_t stride)
{
    const struct json_tree *list = need(f->root, "as_of");
    for (size_t i = 0; i < list->count; i += stride) {
        check_state(f, &list->items[i]);
    }
    list = need(f->root, "net_diff");
    for (size_t i = 0; i < list->count; i++) {
        check_difference(f, &list->items[i]);
    }
    struct graph_view *view = NULL;
    CHECK_OK(graph_view_open(f->graph, NULL, NULL, &view, NULL));
    list = need(f->root, "history");
    for (size_t i = 0; i < list->count; i++) {
        check_history(f, view, &list->items[i]);
    }
    graph_view_close(view);
}

/* Fresh from the import some instants; merged and opened again every one, when brief some others.
 */
static void check_facts(const char *name)
{
    struct facts f = {.name = name};
    char path[512];
    snprintf(path, sizeof path, EXAMPLES_DIR "/%s/%s.facts.json", name, name);
    f.root = read_facts(path, &f.arena);
    open_graph(&f);
    import_events(&f);
    check_all(&f, 9);
    CHECK_OK(yore_compact(f.db, NULL, NULL));
    close_graph(&f);
    open_graph(&f);
    check_all(&f, test_scale(20, 20) < 20 ? 7 : 1);
    close_graph(&f);
    arena_release(&f.arena);
    arena_release(&f.scratch);
}

TEST(infrastructure_of_thirteen_years_is_as_the_facts_say)
{
    check_facts("wmf-infra");
}

TEST(airports_airlines_and_routes_are_as_the_facts_say)
{
    check_facts("openflights");
}

TEST(microservices_under_faults_are_as_the_facts_say)
{
    check_facts("microservices");
}

TEST_MAIN(infrastructure_of_thirteen_years_is_as_the_facts_say,
          airports_airlines_and_routes_are_as_the_facts_say,
          microservices_under_faults_are_as_the_facts_say)
