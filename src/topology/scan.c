/* scan.c -- ids of elements: all nodes, those of a label, those an index finds; all relationships,
 * those of a type.
 *
 * Every kind is a walk over ranges of keys whose last number is the id.  A label has one range; a
 * type has one for each of its blocks of ids.
 */
#include <inttypes.h>

#include "base/coding.h"
#include "base/mem.h"
#include "topology/graph_internal.h"
#include "topology/index_range.h"

struct scan_block {
    uint64_t first;
    uint64_t count;
};

struct graph_scan {
    struct graph_view *view;
    struct yore_cursor *cursor;
    size_t numbers;            /* in a key of the range; the last is the id.  0: an index's keys */
    struct scan_block *blocks; /* GRAPH_SCAN_TYPE */
    size_t block_count;
    size_t block_next;
    enum yore_status ended; /* YORE_OK: not yet */
};

/* ---- ranges ---- */

static enum yore_status open_prefix(struct graph_scan *scan, const struct graph_key *prefix,
                                    struct yore_error *error_out)
{
    struct yore_range range = {.prefix = graph_key_bytes(prefix)};
    return view_cursor(scan->view, &range, &scan->cursor, error_out);
}

static enum yore_status open_block(struct graph_scan *scan, struct yore_error *error_out)
{
    const struct scan_block *block = &scan->blocks[scan->block_next++];
    struct graph_key low = graph_key_element((struct graph_id){GRAPH_RELATIONSHIP, block->first});
    struct graph_key high =
        graph_key_element((struct graph_id){GRAPH_RELATIONSHIP, block->first + block->count});
    struct yore_range range = {.low = graph_key_bytes(&low), .high = graph_key_bytes(&high)};
    yore_cursor_close(scan->cursor);
    scan->cursor = NULL;
    return view_cursor(scan->view, &range, &scan->cursor, error_out);
}

static bool add_block(struct graph_scan *scan, size_t *capacity, uint64_t first, uint64_t count)
{
    if (scan->block_count == *capacity) {
        size_t wanted = *capacity == 0 ? 16 : *capacity * 2;
        struct scan_block *blocks = mem_realloc(scan->blocks, wanted * sizeof *blocks);
        if (blocks == NULL) {
            return false;
        }
        scan->blocks = blocks;
        *capacity = wanted;
    }
    scan->blocks[scan->block_count++] = (struct scan_block){first, count};
    return true;
}

/* Blocks are no facts about the world: the latest are read. */
static enum yore_status load_blocks(struct graph_scan *scan, uint32_t type,
                                    struct yore_error *error_out)
{
    struct graph *graph = scan->view->graph;
    struct graph_key prefix;
    struct yore_cursor *cursor = NULL;
    size_t capacity = 0;
    graph_key_begin(&prefix, GRAPH_KEY_BLOCK);
    graph_key_number(&prefix, type);
    struct yore_time latest = graph_latest(graph);
    struct yore_cursor_options options = {.range = {.prefix = graph_key_bytes(&prefix)},
                                          .at = &latest};
    enum yore_status st =
        yore_cursor_open(graph->db, graph->keyspace, &options, &cursor, error_out);
    while (st == YORE_OK && (st = yore_cursor_next(cursor)) == YORE_OK) {
        const struct yore_row *row = yore_cursor_row(cursor);
        uint64_t numbers[2];
        struct decoder from;
        decoder_init(&from, row->value.data, row->value.size);
        uint64_t count = decode_varint(&from);
        if (!graph_key_numbers(row->key, numbers, 2) || from.is_bad) {
            st = error_set(error_out, YORE_CORRUPT,
                           "graph %s: an id block of type %" PRIu32 " is malformed", graph->name,
                           type);
        } else if (!add_block(scan, &capacity, numbers[1], count)) {
            st = error_plain(error_out, YORE_NOMEM);
        }
    }
    yore_cursor_close(cursor);
    return st == YORE_NOT_FOUND ? YORE_OK : st;
}

static enum yore_status open_type(struct graph_scan *scan, uint32_t type,
                                  struct yore_error *error_out)
{
    enum yore_status st = load_blocks(scan, type, error_out);
    if (st == YORE_OK && scan->block_count > 0) {
        return open_block(scan, error_out);
    }
    scan->ended = st == YORE_OK ? YORE_NOT_FOUND : st;
    return st;
}

static enum yore_status open_index(struct graph_scan *scan,
                                   const struct graph_scan_options *options,
                                   struct yore_error *error_out)
{
    struct graph_rules *rules;
    struct index_range range;
    enum yore_status st = view_rules(scan->view, &rules, error_out);
    if (st != YORE_OK) {
        return st;
    }
    const struct graph_rule *rule = graph_rules_find(rules, options->token, options->property);
    if (rule == NULL || !rule->is_online) {
        return error_set(error_out, YORE_NOT_FOUND,
                         "graph %s: there is no such index at that "
                         "moment",
                         scan->view->graph->name);
    }
    scan->numbers = 0;
    st = index_range_make(&range, rule->number, options, error_out);
    if (st == YORE_OK && range.is_empty) {
        scan->ended = YORE_NOT_FOUND;
    } else if (st == YORE_OK) {
        struct yore_range keys = {.low = buffer_bytes(&range.low),
                                  .high = buffer_bytes(&range.high)};
        st = view_cursor(scan->view, &keys, &scan->cursor, error_out);
    }
    index_range_release(&range);
    return st;
}

static enum yore_status open_range(struct graph_scan *scan,
                                   const struct graph_scan_options *options,
                                   struct yore_error *error_out)
{
    struct graph_key key;
    scan->numbers = 1;
    switch (options->kind) {
    case GRAPH_SCAN_NODES:
        graph_key_begin(&key, GRAPH_KEY_NODE);
        break;
    case GRAPH_SCAN_RELATIONSHIPS:
        graph_key_begin(&key, GRAPH_KEY_RELATIONSHIP);
        break;
    case GRAPH_SCAN_LABEL:
        scan->numbers = 2;
        graph_key_begin(&key, GRAPH_KEY_LABEL);
        graph_key_number(&key, options->token);
        break;
    case GRAPH_SCAN_TYPE:
        return open_type(scan, options->token, error_out);
    case GRAPH_SCAN_INDEX:
    default:
        return open_index(scan, options, error_out);
    }
    return open_prefix(scan, &key, error_out);
}

enum yore_status graph_scan_open(struct graph_view *view, const struct graph_scan_options *options,
                                 struct graph_scan **scan_out, struct yore_error *error_out)
{
    error_clear(error_out);
    *scan_out = NULL;
    struct graph_scan *scan = mem_zalloc(sizeof *scan);
    if (scan == NULL) {
        return error_plain(error_out, YORE_NOMEM);
    }
    scan->view = view;
    enum yore_status st = open_range(scan, options, error_out);
    if (st != YORE_OK) {
        graph_scan_close(scan);
        return st;
    }
    *scan_out = scan;
    return YORE_OK;
}

/* ---- walking ---- */

static enum yore_status take_id(const struct graph_scan *scan, uint64_t *id_out,
                                struct yore_error *error_out)
{
    struct yore_bytes key = yore_cursor_row(scan->cursor)->key;
    uint64_t numbers[2];
    struct yore_bytes value;
    bool is_fit = scan->numbers == 0 ? graph_key_index_decode(key, &numbers[0], &value)
                                     : graph_key_numbers(key, numbers, scan->numbers);
    if (!is_fit) {
        char text[KEY_TEXT_BYTES];
        return error_set(error_out, YORE_CORRUPT, "graph %s: key %s is malformed",
                         scan->view->graph->name, key_text(key, text));
    }
    *id_out = numbers[scan->numbers == 2 ? 1 : 0];
    return YORE_OK;
}

enum yore_status graph_scan_next(struct graph_scan *scan, uint64_t *id_out,
                                 struct yore_error *error_out)
{
    error_clear(error_out);
    if (scan->ended != YORE_OK) {
        return scan->ended;
    }
    enum yore_status st = yore_cursor_next(scan->cursor);
    while (st == YORE_NOT_FOUND && scan->block_next < scan->block_count) {
        st = open_block(scan, error_out);
        if (st == YORE_OK) {
            st = yore_cursor_next(scan->cursor);
        }
    }
    if (st == YORE_OK) {
        st = take_id(scan, id_out, error_out);
    } else if (st != YORE_NOT_FOUND && error_out != NULL && scan->cursor != NULL) {
        *error_out = *yore_cursor_error(scan->cursor);
    }
    scan->ended = st;
    return st;
}

void graph_scan_close(struct graph_scan *scan)
{
    if (scan != NULL) {
        yore_cursor_close(scan->cursor);
        mem_free(scan->blocks);
        mem_free(scan);
    }
}

/* ---- how selective an index is ---- */

#define SAMPLE_KEYS 1024u

/* Count the values among the first entries; what lies behind is taken to be alike. */
bool graph_has_index(struct graph_view *view, uint32_t label, uint32_t property,
                     uint64_t *distinct_out)
{
    struct graph_scan_options options = {
        .kind = GRAPH_SCAN_INDEX, .token = label, .property = property};
    struct graph_scan *scan = NULL;
    struct buffer last = {0};
    uint64_t entries = 0;
    uint64_t distinct = 0;
    *distinct_out = 0;
    if (graph_scan_open(view, &options, &scan, NULL) != YORE_OK) {
        return false;
    }
    while (entries < SAMPLE_KEYS && yore_cursor_next(scan->cursor) == YORE_OK) {
        struct yore_bytes value = {"", 0};
        uint64_t node;
        graph_key_index_decode(yore_cursor_row(scan->cursor)->key, &node, &value);
        entries++;
        if (!bytes_equal(value, buffer_bytes(&last))) {
            distinct++;
            buffer_clear(&last);
            buffer_append_bytes(&last, value);
        }
    }
    if (entries == SAMPLE_KEYS) {
        uint64_t all = graph_estimate_label(view->graph, label);
        distinct = all > entries ? all / entries * distinct : distinct;
    }
    buffer_release(&last);
    graph_scan_close(scan);
    *distinct_out = distinct;
    return true;
}
