#include "topology/staging.h"

#define STAGED_CLEAR_COUNT 4096u /* deletes of one commit */

static enum yore_status staging_open(struct yore_db *db, struct yore_keyspace **staging_out,
                                     struct yore_error *error_out)
{
    struct yore_keyspace_options options = {.keep = YORE_KEEP_NOW};
    enum yore_status st =
        yore_keyspace_open(db, GRAPH_STAGING_KEYSPACE, NULL, staging_out, error_out);
    if (st == YORE_NOT_FOUND) {
        st = yore_keyspace_create(db, GRAPH_STAGING_KEYSPACE, &options, staging_out, error_out);
        if (st == YORE_EXISTS) { /* another was faster */
            st = yore_keyspace_open(db, GRAPH_STAGING_KEYSPACE, NULL, staging_out, error_out);
        }
    }
    if (st == YORE_OK) {
        error_clear(error_out);
    }
    return st;
}

/* Graph, source, and (unless 0) snapshot. */
static struct graph_key staged_prefix(struct graph *graph, uint32_t source, uint64_t snapshot)
{
    struct graph_key key;
    graph_key_begin(&key, GRAPH_KEY_CLAIMED);
    graph_key_number(&key, yore_keyspace_id(graph->keyspace));
    graph_key_number(&key, source);
    if (snapshot != 0) {
        graph_key_number(&key, snapshot);
    }
    return key;
}

/* ---- entering ---- */

static enum yore_status stage_word(struct graph *graph, const struct yore_graph_word *word,
                                   struct yore_bytes key, struct yore_keyspace *staging,
                                   struct yore_batch *batch, struct yore_error *error_out)
{
    struct arena arena = {0};
    struct buffer value = {0};
    struct claim claim;
    if (word->removes || word->to != YORE_FOREVER) {
        return error_set(error_out, YORE_INVALID,
                         "a snapshot names what is there: no removals, no ends");
    }
    enum yore_status st = word_claim(graph, word, &arena, &claim, error_out);
    if (st == YORE_OK) {
        buffer_append_zigzag(&value, word->from);
        claim_encode(&claim, &value);
        st = value.is_nomem
                 ? error_plain(error_out, YORE_NOMEM)
                 : yore_batch_put(batch, staging, key, buffer_bytes(&value), NULL, error_out);
    }
    buffer_release(&value);
    arena_release(&arena);
    return st;
}

static enum yore_status stage_words(struct graph *graph, const struct graph_speech *speech,
                                    const struct graph_key *prefix, struct yore_keyspace *staging,
                                    struct yore_batch *batch, struct yore_error *error_out)
{
    struct buffer key = {0};
    enum yore_status st = YORE_OK;
    for (size_t i = 0; st == YORE_OK && i < speech->count; i++) {
        const struct yore_graph_word *word = &speech->words[i];
        struct yore_error cause = {0};
        bool is_node = word->element == YORE_GRAPH_ELEMENT_NODE;
        buffer_clear(&key);
        buffer_append_bytes(&key, graph_key_bytes(prefix));
        buffer_append_u8(&key, is_node ? GRAPH_NODE : GRAPH_RELATIONSHIP);
        buffer_append_bytes(&key, word->external_id);
        st = key.is_nomem ? error_plain(&cause, YORE_NOMEM)
                          : stage_word(graph, word, buffer_bytes(&key), staging, batch, &cause);
        if (st != YORE_OK) {
            char text[KEY_TEXT_BYTES];
            error_set(error_out, st, "word %zu, %s %s: %.380s", i + 1,
                      is_node ? "node" : "relationship", key_text(word->external_id, text),
                      cause.text);
        }
    }
    buffer_release(&key);
    return st;
}

enum yore_status staging_put(struct graph *graph, const struct graph_speech *speech,
                             uint32_t source, uint64_t snapshot, struct yore_error *error_out)
{
    struct graph_key prefix = staged_prefix(graph, source, snapshot);
    struct yore_keyspace *staging = NULL;
    struct yore_batch *batch = NULL;
    enum yore_status st = staging_open(graph->db, &staging, error_out);
    if (st == YORE_OK) {
        st = yore_batch_new(graph->db, &batch, error_out);
    }
    if (st == YORE_OK) {
        st = stage_words(graph, speech, &prefix, staging, batch, error_out);
    }
    if (st == YORE_OK) { /* the stop, later and durable, carries it along */
        st = yore_batch_commit(batch, YORE_DURABILITY_NONE, NULL, error_out);
    }
    yore_batch_free(batch);
    return st;
}

/* ---- taking away ---- */

static enum yore_status clear_range(struct yore_db *db, struct yore_keyspace *staging,
                                    const struct graph_key *low, const struct graph_key *high,
                                    struct yore_error *error_out)
{
    struct yore_cursor *cursor = NULL;
    struct yore_batch *batch = NULL;
    struct yore_cursor_options options = {
        .range = {.low = graph_key_bytes(low), .high = graph_key_bytes(high)}, .keys_only = true};
    enum yore_status st = yore_batch_new(db, &batch, error_out);
    if (st == YORE_OK) {
        st = yore_cursor_open(db, staging, &options, &cursor, error_out);
    }
    while (st == YORE_OK && (st = yore_cursor_next(cursor)) == YORE_OK) {
        st = yore_batch_delete(batch, staging, yore_cursor_row(cursor)->key, NULL, error_out);
        if (st == YORE_OK && yore_batch_count(batch) == STAGED_CLEAR_COUNT) {
            st = yore_batch_commit(batch, YORE_DURABILITY_NONE, NULL, error_out);
        }
    }
    st = st == YORE_NOT_FOUND ? YORE_OK : st;
    if (st == YORE_OK && yore_batch_count(batch) > 0) {
        st = yore_batch_commit(batch, YORE_DURABILITY_NONE, NULL, error_out);
    }
    yore_cursor_close(cursor);
    yore_batch_free(batch);
    return st;
}

enum yore_status staging_clear(struct graph *graph, uint32_t source, uint64_t upto,
                               struct yore_error *error_out)
{
    struct yore_keyspace *staging = NULL;
    struct graph_key low = staged_prefix(graph, source, 0);
    struct graph_key high = staged_prefix(graph, source, upto + 1);
    enum yore_status st = staging_open(graph->db, &staging, error_out);
    return st == YORE_OK ? clear_range(graph->db, staging, &low, &high, error_out) : st;
}

struct search {
    uint64_t id;
    bool is_found;
};

static int look_for_id(void *arg, const struct yore_keyspace_info *info)
{
    struct search *search = arg;
    search->is_found |= info->id == search->id;
    return search->is_found ? 1 : 0;
}

/* The first graph from `id` on that anything was sent to; 0: none.  Keys that are not ours, which
 * somebody wrote past this module, are passed over: they keep no graph from being dropped. */
static enum yore_status next_graph(struct yore_db *db, struct yore_keyspace *staging, uint64_t id,
                                   uint64_t *id_out, struct yore_error *error_out)
{
    struct graph_key low;
    unsigned char high[1] = {GRAPH_KEY_CLAIMED + 1};
    struct yore_cursor *cursor = NULL;
    graph_key_begin(&low, GRAPH_KEY_CLAIMED);
    graph_key_number(&low, id);
    struct yore_cursor_options options = {
        .range = {.low = graph_key_bytes(&low), .high = bytes_of(high, 1)}, .keys_only = true};
    *id_out = 0;
    enum yore_status st = yore_cursor_open(db, staging, &options, &cursor, error_out);
    while (st == YORE_OK && *id_out == 0 && (st = yore_cursor_next(cursor)) == YORE_OK) {
        struct yore_bytes key = yore_cursor_row(cursor)->key;
        const unsigned char *at = (const unsigned char *)key.data + 1;
        uint64_t found = 0;
        if (key_number_decode(&at, at + key.size - 1, &found) && found >= id &&
            found <= UINT32_MAX) {
            *id_out = found;
        }
    }
    if (cursor != NULL && st != YORE_OK && st != YORE_NOT_FOUND && error_out != NULL) {
        *error_out = *yore_cursor_error(cursor);
    }
    yore_cursor_close(cursor);
    return st == YORE_NOT_FOUND ? YORE_OK : st;
}

enum yore_status staging_sweep(struct yore_db *db, struct yore_error *error_out)
{
    struct yore_keyspace *staging = NULL;
    struct search search = {0};
    enum yore_status st = yore_keyspace_open(db, GRAPH_STAGING_KEYSPACE, NULL, &staging, error_out);
    if (st == YORE_NOT_FOUND) { /* nobody ever sent anything */
        error_clear(error_out);
        return YORE_OK;
    }
    do {
        if (st == YORE_OK) {
            st = next_graph(db, staging, search.id + 1, &search.id, error_out);
        }
        search.is_found = search.id == 0;
        if (st == YORE_OK && !search.is_found) {
            st = yore_keyspace_list(db, NULL, look_for_id, &search, error_out);
        }
        if (st == YORE_OK && !search.is_found) {
            struct graph_key low;
            struct graph_key high;
            graph_key_begin(&low, GRAPH_KEY_CLAIMED);
            graph_key_number(&low, search.id);
            graph_key_begin(&high, GRAPH_KEY_CLAIMED);
            graph_key_number(&high, search.id + 1);
            st = clear_range(db, staging, &low, &high, error_out);
        }
    } while (st == YORE_OK && search.id != 0);
    return st;
}

/* ---- reading ---- */

enum yore_status staging_cursor(struct graph *graph, uint32_t source, uint64_t snapshot,
                                struct yore_cursor **cursor_out, size_t *skip_out,
                                struct yore_error *error_out)
{
    struct yore_keyspace *staging = NULL;
    struct graph_key prefix = staged_prefix(graph, source, snapshot);
    struct yore_cursor_options options = {.range = {.prefix = graph_key_bytes(&prefix)}};
    *cursor_out = NULL;
    *skip_out = prefix.size;
    enum yore_status st = staging_open(graph->db, &staging, error_out);
    return st == YORE_OK ? yore_cursor_open(graph->db, staging, &options, cursor_out, error_out)
                         : st;
}

enum yore_status staging_decode(const struct graph *graph, struct yore_bytes value,
                                enum graph_element element, struct arena *arena, int64_t *from_out,
                                struct claim *claim_out, struct yore_error *error_out)
{
    struct decoder from;
    decoder_init(&from, value.data, value.size);
    *from_out = decode_zigzag(&from);
    if (!claim_decode(&from, element, arena, claim_out)) {
        return error_plain(error_out, YORE_NOMEM);
    }
    return from.is_bad ? error_set(error_out, YORE_CORRUPT,
                                   "graph %s: what a source sent is malformed", graph->name)
                       : YORE_OK;
}
