/* sources.c -- what is known of a source, the list of them, and of what is pending. */
#include <string.h>

#include "base/checked.h"
#include "base/mem.h"
#include "topology/ingest_internal.h"

#define SOURCE_FORMAT 1u

/* ---- the record ---- */

int64_t source_deadline(const struct source *source)
{
    int64_t deadline;
    if (source->ttl_ns == 0 || source->last_word == YORE_TIME_MIN ||
        !checked_add_i64(source->last_word, source->ttl_ns, &deadline) ||
        deadline == source->expired_at) {
        return YORE_FOREVER;
    }
    return deadline;
}

enum yore_status source_token(struct graph *graph, struct yore_bytes name, uint32_t *token_out,
                              struct yore_error *error_out)
{
    if (name.size == 0 || name.size > YORE_GRAPH_SOURCE_NAME_BYTES_MAX) {
        return error_set(error_out, YORE_INVALID, "a source's name has 1 to %u octets",
                         YORE_GRAPH_SOURCE_NAME_BYTES_MAX);
    }
    return graph_make_token(graph, GRAPH_SOURCE, name, token_out, error_out);
}

static struct graph_key source_key(uint32_t token)
{
    struct graph_key key;
    graph_key_begin(&key, GRAPH_KEY_SOURCE);
    graph_key_number(&key, token);
    return key;
}

static void decode_refusal(struct decoder *from, struct source *source)
{
    source->refusal = (enum yore_status)decode_u8(from);
    uint64_t size = decode_varint(from);
    const void *text = size <= SOURCE_REFUSAL_BYTES_MAX ? decode_run(from, (size_t)size) : NULL;
    from->is_bad |= text == NULL;
    if (text != NULL) {
        memcpy(source->refusal_text, text, (size_t)size);
    }
}

static bool source_decode(struct yore_bytes octets, struct source *source)
{
    struct decoder from;
    decoder_init(&from, octets.data, octets.size);
    bool is_known = decode_u8(&from) == SOURCE_FORMAT;
    source->rank = decode_zigzag(&from);
    source->ttl_ns = decode_zigzag(&from);
    source->last_word = decode_zigzag(&from);
    source->expired_at = decode_zigzag(&from);
    source->snapshot = decode_varint(&from);
    uint8_t phase = decode_u8(&from);
    source->phase = (enum source_phase)phase;
    source->snapshot_at = decode_zigzag(&from);
    if (phase == SOURCE_REFUSED) {
        decode_refusal(&from, source);
    }
    return is_known && !from.is_bad && decoder_left(&from) == 0 && phase <= SOURCE_REFUSED;
}

enum yore_status source_read(struct graph *graph, struct yore_txn *engine, uint32_t token,
                             struct source *source_out, struct yore_error *error_out)
{
    struct graph_key key = source_key(token);
    struct yore_value value;
    *source_out =
        (struct source){.token = token, .last_word = YORE_TIME_MIN, .expired_at = YORE_TIME_MIN};
    enum yore_status st =
        engine != NULL
            ? yore_txn_get(engine, graph->keyspace, graph_key_bytes(&key), NULL, &value, error_out)
            : yore_get(graph->db, graph->keyspace, graph_key_bytes(&key), NULL, &value, error_out);
    if (st == YORE_NOT_FOUND) {
        error_clear(error_out);
        return YORE_OK;
    }
    if (st == YORE_OK && !source_decode(bytes_of(value.data, value.size), source_out)) {
        st = error_set(error_out, YORE_CORRUPT, "graph %s: the record of source %u is malformed",
                       graph->name, token);
    }
    if (st == YORE_OK || st == YORE_CORRUPT) {
        yore_value_release(&value);
    }
    return st;
}

enum yore_status source_write(struct graph *graph, struct yore_txn *engine,
                              const struct source *source, struct yore_error *error_out)
{
    struct graph_key key = source_key(source->token);
    struct buffer record = {0};
    buffer_append_u8(&record, SOURCE_FORMAT);
    buffer_append_zigzag(&record, source->rank);
    buffer_append_zigzag(&record, source->ttl_ns);
    buffer_append_zigzag(&record, source->last_word);
    buffer_append_zigzag(&record, source->expired_at);
    buffer_append_varint(&record, source->snapshot);
    buffer_append_u8(&record, (uint8_t)source->phase);
    buffer_append_zigzag(&record, source->snapshot_at);
    if (source->phase == SOURCE_REFUSED) {
        size_t size = strlen(source->refusal_text);
        buffer_append_u8(&record, (uint8_t)source->refusal);
        buffer_append_varint(&record, size);
        buffer_append(&record, source->refusal_text, size);
    }
    enum yore_status st = buffer_status(&record) != YORE_OK
                              ? error_plain(error_out, YORE_NOMEM)
                              : yore_txn_put(engine, graph->keyspace, graph_key_bytes(&key),
                                             buffer_bytes(&record), NULL, error_out);
    buffer_release(&record);
    return st;
}

static enum yore_status try_set(struct graph *graph, const struct yore_graph_source *wanted,
                                uint32_t token, struct yore_error *error_out)
{
    struct yore_txn *txn = NULL;
    struct source source;
    enum yore_status st = yore_begin(graph->db, &txn, error_out);
    if (st == YORE_OK) {
        st = source_read(graph, txn, token, &source, error_out);
    }
    if (st == YORE_OK) {
        source.rank = wanted->rank;
        source.ttl_ns = wanted->ttl_ns;
        st = source_write(graph, txn, &source, error_out);
    }
    if (st != YORE_OK) {
        yore_txn_abort(txn);
        return st;
    }
    return yore_txn_commit(txn, YORE_DURABILITY_DEFAULT, NULL, error_out);
}

enum yore_status graph_source_set(struct graph *graph, const struct yore_graph_source *source,
                                  struct yore_error *error_out)
{
    uint32_t token = GRAPH_NO_TOKEN;
    error_clear(error_out);
    if (source->ttl_ns < 0) {
        return error_set(error_out, YORE_INVALID, "a source's time to live is 0 (none) or more");
    }
    enum yore_status st = source_token(graph, source->name, &token, error_out);
    if (st != YORE_OK) {
        return st;
    }
    st = YORE_CONFLICT;
    for (unsigned round = 0; st == YORE_CONFLICT && round < GRAPH_INGEST_ROUNDS_MAX; round++) {
        st = try_set(graph, source, token, error_out);
    }
    return st;
}

/* ---- pending ---- */

static enum yore_status read_pending(struct graph *graph, const struct yore_time *at,
                                     struct yore_bytes external_id, struct arena *arena,
                                     struct merged *merged_out, struct yore_error *error_out)
{
    struct buffer key = {0};
    struct yore_value value = {0};
    struct claims claims;
    claim_key(&key, GRAPH_RELATIONSHIP, external_id);
    enum yore_status st =
        buffer_status(&key) != YORE_OK
            ? error_plain(error_out, YORE_NOMEM)
            : yore_get(graph->db, graph->keyspace, buffer_bytes(&key), at, &value, error_out);
    buffer_release(&key);
    if (st != YORE_OK) {
        return st;
    }
    void *copy = arena_copy(arena, value.data, value.size);
    st = copy == NULL
             ? YORE_NOMEM
             : claims_decode(bytes_of(copy, value.size), GRAPH_RELATIONSHIP, arena, &claims);
    yore_value_release(&value);
    if (st == YORE_OK && !claims_merge(graph, &claims, arena, merged_out)) {
        st = YORE_NOMEM;
    }
    return st == YORE_OK ? st : error_plain(error_out, st);
}

struct pending_walk {
    struct graph *graph;
    struct yore_time at;
    struct arena arena;
    int (*each)(void *arg, const struct yore_graph_pending *pending);
    void *arg;
};

static enum yore_status tell_pending(struct pending_walk *walk, const struct yore_row *row,
                                     int *stops_out, struct yore_error *error_out)
{
    struct merged merged;
    uint8_t missing = row->value.size == 1 ? *(const uint8_t *)row->value.data : 0;
    struct yore_bytes external_id = bytes_behind(row->key, 1);
    arena_reset(&walk->arena);
    enum yore_status st =
        read_pending(walk->graph, &walk->at, external_id, &walk->arena, &merged, error_out);
    if (st != YORE_OK) {
        return st == YORE_NOT_FOUND || st == YORE_ERASED ? YORE_OK : st;
    }
    struct yore_graph_pending pending = {
        .external_id = external_id,
        .type = graph_token_name(walk->graph, GRAPH_TYPE, merged.state.type),
        .start = merged.start,
        .end = merged.end,
        .start_is_missing = (missing & 1) != 0,
        .end_is_missing = (missing & 2) != 0,
        .source = graph_token_name(walk->graph, GRAPH_SOURCE, merged.source),
        .since = row->valid_from,
    };
    *stops_out = walk->each(walk->arg, &pending);
    return YORE_OK;
}

enum yore_status graph_pending(struct graph *graph, const struct yore_time *at,
                               int (*each)(void *arg, const struct yore_graph_pending *pending),
                               void *arg, struct yore_error *error_out)
{
    unsigned char prefix[1] = {GRAPH_KEY_PENDING};
    struct pending_walk walk = {.graph = graph, .each = each, .arg = arg};
    struct graph_view *view = NULL;
    struct yore_cursor *cursor = NULL;
    int stops = 0;
    enum yore_status st = graph_view_open(graph, NULL, at, &view, error_out);
    if (st != YORE_OK) {
        return st;
    }
    walk.at = graph_view_time(view);
    struct yore_cursor_options options = {.range = {.prefix = bytes_of(prefix, 1)}, .at = &walk.at};
    st = yore_cursor_open(graph->db, graph->keyspace, &options, &cursor, error_out);
    while (st == YORE_OK && stops == 0 && (st = yore_cursor_next(cursor)) == YORE_OK) {
        st = tell_pending(&walk, yore_cursor_row(cursor), &stops, error_out);
    }
    yore_cursor_close(cursor);
    graph_view_close(view);
    arena_release(&walk.arena);
    return st == YORE_NOT_FOUND ? YORE_OK : st;
}

/* ---- the list ---- */

struct source_list {
    struct graph *graph;
    int (*each)(void *arg, const struct yore_graph_source *source);
    void *arg;
    struct yore_error *error_out;
    enum yore_status status;
    uint64_t *pending; /* by token */
    size_t pending_count;
};

static int count_pending(void *arg, const struct yore_graph_pending *pending)
{
    struct source_list *list = arg;
    uint32_t token = graph_token(list->graph, GRAPH_SOURCE, pending->source);
    if (token >= list->pending_count) {
        size_t count = (size_t)token + 16;
        uint64_t *grown = mem_realloc(list->pending, count * sizeof *grown);
        if (grown == NULL) {
            list->status = error_plain(list->error_out, YORE_NOMEM);
            return 1;
        }
        memset(grown + list->pending_count, 0, (count - list->pending_count) * sizeof *grown);
        list->pending = grown;
        list->pending_count = count;
    }
    list->pending[token]++;
    return 0;
}

static enum yore_status count_claims(struct graph *graph, uint32_t token,
                                     struct yore_graph_source *told, struct yore_error *error_out)
{
    struct graph_key prefix;
    struct yore_cursor *cursor = NULL;
    graph_key_begin(&prefix, GRAPH_KEY_CLAIMED);
    graph_key_number(&prefix, token);
    struct yore_cursor_options options = {.range = {.prefix = graph_key_bytes(&prefix)},
                                          .keys_only = true};
    enum yore_status st =
        yore_cursor_open(graph->db, graph->keyspace, &options, &cursor, error_out);
    while (st == YORE_OK && (st = yore_cursor_next(cursor)) == YORE_OK) {
        struct yore_bytes tail = bytes_behind(yore_cursor_row(cursor)->key, prefix.size);
        bool is_node = tail.size > 0 && *(const unsigned char *)tail.data == GRAPH_NODE;
        told->nodes += is_node;
        told->relationships += !is_node;
    }
    yore_cursor_close(cursor);
    return st == YORE_NOT_FOUND ? YORE_OK : st;
}

static int tell_source(void *arg, uint32_t token, struct yore_bytes name)
{
    struct source_list *list = arg;
    struct source source;
    struct yore_graph_source told = {.name = name};
    enum yore_status st = source_read(list->graph, NULL, token, &source, list->error_out);
    if (st == YORE_OK) {
        st = count_claims(list->graph, token, &told, list->error_out);
    }
    list->status = st;
    if (st != YORE_OK) {
        return 1;
    }
    told.rank = source.rank;
    told.ttl_ns = source.ttl_ns;
    told.last_word = source.last_word;
    told.expired_at = source_deadline(&source) == YORE_FOREVER ? source.expired_at : YORE_TIME_MIN;
    told.snapshot = source.phase == SOURCE_IDLE ? 0 : source.snapshot;
    told.refusal = source.phase == SOURCE_REFUSED
                       ? bytes_of(source.refusal_text, strlen(source.refusal_text))
                       : bytes_of("", 0);
    told.pending = token < list->pending_count ? list->pending[token] : 0;
    return list->each(list->arg, &told);
}

enum yore_status graph_sources(struct graph *graph,
                               int (*each)(void *arg, const struct yore_graph_source *source),
                               void *arg, struct yore_error *error_out)
{
    struct source_list list = {.graph = graph, .each = each, .arg = arg, .error_out = error_out};
    error_clear(error_out);
    enum yore_status st = graph_pending(graph, NULL, count_pending, &list, error_out);
    if (st == YORE_OK && list.status == YORE_OK) {
        graph_tokens(graph, GRAPH_SOURCE, tell_source, &list);
    }
    mem_free(list.pending);
    return st == YORE_OK ? list.status : st;
}
