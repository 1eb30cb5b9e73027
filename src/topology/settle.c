/* settle.c -- what time has brought: silent sources, claims that end by themselves, ends of pending
 * relationships that came otherwise than by a source's word. */
#include <string.h>

#include "base/mem.h"
#include "topology/ingest_internal.h"
#include "topology/staging.h"
#include "topology/sync.h"

/* ---- sources ---- */

struct settling {
    struct graph *graph;
    int64_t now;
    bool is_again; /* the last try had a conflict */
    struct yore_graph_ingest_tally tally;
    struct yore_error *error_out;
    enum yore_status status;
};

/* What cannot be settled keeps nothing else back: the first error is told in the end. */
static void note(struct settling *settling, enum yore_status st, const struct yore_error *error)
{
    if (st == YORE_OK || settling->status != YORE_OK) {
        return;
    }
    settling->status = st;
    if (settling->error_out != NULL) {
        *settling->error_out = *error;
    }
}

static int settle_source(void *arg, uint32_t token, struct yore_bytes name)
{
    (void)name;
    struct settling *settling = arg;
    struct yore_error error = {.text = ""};
    note(settling, sync_settle(settling->graph, token, settling->now, &settling->tally, &error),
         &error);
    return 0;
}

/* ---- claims that are due ---- */

static int64_t due_moment(struct yore_bytes key)
{
    const unsigned char *octets = key.data;
    return (int64_t)(get_u64_big_endian(octets + 1) ^ UINT64_C(1) << 63);
}

/* Every claim on the element that ends at that moment; at `begin` if that is before what can be
 * written. */
static enum yore_status end_due(struct ingest *ingest, const struct element_name *name,
                                int64_t moment, int64_t begin, struct yore_error *error_out)
{
    int64_t from = moment > begin ? moment : begin;
    struct claim_line line;
    uint32_t *sources = NULL;
    size_t count = 0;
    arena_reset(&ingest->arena);
    enum yore_status st = claim_line_read(ingest, name, from, true, &line, error_out);
    if (st == YORE_OK) {
        const struct claims *claims = &line.items[0].before;
        sources = mem_array(claims->count + 1, sizeof *sources);
        st = sources == NULL ? error_plain(error_out, YORE_NOMEM) : st;
        for (size_t i = 0; st == YORE_OK && i < claims->count; i++) {
            if (claims->items[i].until == moment) {
                sources[count++] = claims->items[i].source;
            }
        }
    }
    for (size_t i = 0; st == YORE_OK && i < count; i++) {
        struct claim_change change = {.element = name->element,
                                      .external_id = name->external_id,
                                      .source = sources[i],
                                      .until = moment,
                                      .from = from,
                                      .to = YORE_FOREVER};
        st = ingest_change(ingest, &change, error_out);
    }
    mem_free(sources);
    return st;
}

/* Up to a transaction's worth of them; *more_out: there may be others. */
static enum yore_status try_due(struct settling *settling, bool *more_out,
                                struct yore_error *error_out)
{
    struct graph *graph = settling->graph;
    struct ingest *ingest = NULL;
    struct yore_cursor *cursor = NULL;
    struct buffer high = {0};
    unsigned char low[1] = {GRAPH_KEY_DUE};
    size_t count = 0;
    int64_t begin = YORE_TIME_MIN;
    due_key(&high, settling->now, GRAPH_NODE, bytes_of("", 0));
    struct yore_cursor_options options = {
        .range = {.low = bytes_of(low, 1), .high = buffer_bytes(&high)}, .keys_only = true};
    enum yore_status st = high.is_nomem ? error_plain(error_out, YORE_NOMEM)
                                        : graph_begin_of_time(graph, &begin, error_out);
    if (st == YORE_OK) {
        st = ingest_begin(graph, settling->is_again, &ingest, error_out);
    }
    if (st == YORE_OK) {
        st = yore_cursor_open(graph->db, graph->keyspace, &options, &cursor, error_out);
    }
    while (st == YORE_OK && count < YORE_GRAPH_WORDS_MAX &&
           (st = yore_cursor_next(cursor)) == YORE_OK) {
        struct yore_bytes key = yore_cursor_row(cursor)->key;
        struct element_name name;
        if (key.size < 9 ||
            !claim_key_tail(bytes_behind(key, 9), &name.element, &name.external_id)) {
            st = error_plain(error_out, YORE_CORRUPT);
            break;
        }
        st = end_due(ingest, &name, due_moment(key), begin, error_out);
        if (st == YORE_OK) {
            st = yore_txn_delete(ingest->txn->engine, graph->keyspace, key, NULL, error_out);
        }
        count++;
    }
    *more_out = st == YORE_OK;
    yore_cursor_close(cursor);
    buffer_release(&high);
    if ((st == YORE_OK || st == YORE_NOT_FOUND) && count > 0) {
        return ingest_commit(ingest, YORE_DURABILITY_DEFAULT, &settling->tally, error_out);
    }
    ingest_abort(ingest);
    return st == YORE_NOT_FOUND ? YORE_OK : st;
}

/* ---- pending relationships ---- */

struct pending_item {
    struct yore_bytes external_id;
    int64_t since;
};
struct pending_list {
    struct graph *graph;
    struct arena arena;
    struct pending_item *items;
    size_t count;
    size_t capacity;
    bool is_nomem;
};

static bool is_end_there(struct graph_view *view, struct yore_bytes external_id)
{
    uint64_t id;
    return graph_node_find(view, external_id, &id, NULL) == YORE_OK;
}

struct pending_look {
    struct pending_list *list;
    struct graph_view *view;
};

static int look_at_pending(void *arg, const struct yore_graph_pending *pending)
{
    struct pending_look *look = arg;
    struct pending_list *list = look->list;
    if (!is_end_there(look->view, pending->start) || !is_end_there(look->view, pending->end)) {
        return 0;
    }
    struct pending_item *items =
        mem_grow(list->items, list->count, &list->capacity, sizeof *list->items);
    list->is_nomem = items == NULL;
    if (items == NULL) {
        return 1;
    }
    list->items = items;
    struct yore_bytes name = pending->external_id;
    name.data = arena_copy(&list->arena, name.data, name.size);
    list->is_nomem = name.data == NULL;
    list->items[list->count].external_id = name;
    list->items[list->count++].since = pending->since;
    return list->is_nomem || list->count == YORE_GRAPH_WORDS_MAX ? 1 : 0;
}

/* *more_out: there may be others. */
static enum yore_status try_pending(struct settling *settling, bool *more_out,
                                    struct yore_error *error_out)
{
    struct pending_list list = {.graph = settling->graph};
    struct pending_look look = {.list = &list};
    struct ingest *ingest = NULL;
    enum yore_status st = graph_view_open(settling->graph, NULL, NULL, &look.view, error_out);
    if (st == YORE_OK) {
        st = graph_pending(settling->graph, NULL, look_at_pending, &look, error_out);
    }
    if (st == YORE_OK && list.is_nomem) {
        st = error_plain(error_out, YORE_NOMEM);
    }
    if (look.view != NULL) {
        graph_view_close(look.view);
    }
    if (st == YORE_OK && list.count > 0) {
        st = ingest_begin(settling->graph, settling->is_again, &ingest, error_out);
    }
    for (size_t i = 0; st == YORE_OK && i < list.count; i++) {
        st = ingest_touch(ingest, GRAPH_RELATIONSHIP, list.items[i].external_id,
                          list.items[i].since, error_out);
    }
    *more_out = list.count == YORE_GRAPH_WORDS_MAX;
    if (st == YORE_OK && list.count > 0) {
        st = ingest_commit(ingest, YORE_DURABILITY_DEFAULT, &settling->tally, error_out);
    } else {
        ingest_abort(ingest);
    }
    mem_free(list.items);
    arena_release(&list.arena);
    return st;
}

/* ---- all ---- */

typedef enum yore_status (*settle_fn)(struct settling *settling, bool *more_out,
                                      struct yore_error *error_out);

static enum yore_status repeat(struct settling *settling, settle_fn try,
                               struct yore_error *error_out)
{
    enum yore_status st = YORE_OK;
    unsigned conflicts = 0;
    bool has_more = true;
    while (has_more || st == YORE_CONFLICT) {
        error_clear(error_out);
        settling->is_again = st == YORE_CONFLICT;
        st = try(settling, &has_more, error_out);
        conflicts = st == YORE_CONFLICT ? conflicts + 1 : 0;
        if ((st != YORE_OK && st != YORE_CONFLICT) || conflicts == GRAPH_INGEST_ROUNDS_MAX) {
            return st;
        }
    }
    return st;
}

enum yore_status graph_settle(struct graph *graph, struct yore_graph_ingest_tally *tally_out,
                              struct yore_error *error_out)
{
    struct settling settling = {.graph = graph, .now = yore_now(graph->db), .error_out = error_out};
    error_clear(error_out);
    graph_tokens(graph, GRAPH_SOURCE, settle_source, &settling);
    struct yore_error error = {.text = ""};
    note(&settling, repeat(&settling, try_due, &error), &error);
    note(&settling, repeat(&settling, try_pending, &error), &error);
    note(&settling, staging_sweep(graph->db, &error), &error); /* a drop was cut off by a crash */
    if (settling.status == YORE_OK && tally_out != NULL) {
        *tally_out = settling.tally;
    }
    return settling.status;
}
