/* tokens.c -- names of labels, types and properties.
 *
 * A token is made by a small transaction of its own, before the transaction that wants it commits:
 * writers that meet a new name do not conflict with each other, and an aborted one leaves a name
 * that no element has.  Tokens are no facts about the world: they are read as of now whatever the
 * moment of the view, and never given back.
 */
#include "topology/tokens.h"

#include <string.h>

#include "base/coding.h"
#include "base/hash.h"
#include "base/mem.h"
#include "topology/graph_internal.h"

/* ---- the table ---- */

void token_table_release(struct token_table *table)
{
    struct token_names *names = atomic_load_explicit(&table->names, memory_order_relaxed);
    while (names != NULL) {
        struct token_names *before = names->before;
        mem_free(names);
        names = before;
    }
    mem_free(table->slots);
    arena_release(&table->bytes);
    memset(table, 0, sizeof *table);
}

static uint32_t *find_slot(const struct token_table *table, struct yore_bytes name)
{
    uint32_t mask = table->slot_count - 1;
    uint32_t at = (uint32_t)hash_bytes(name) & mask;
    while (table->slots[at] != 0 && !bytes_equal(token_table_name(table, table->slots[at]), name)) {
        at = (at + 1) & mask;
    }
    return &table->slots[at];
}

/* 0: none of that name. */
static uint32_t token_table_find(const struct token_table *table, struct yore_bytes name)
{
    return table->slot_count == 0 ? 0 : *find_slot(table, name);
}

static bool grow_names(struct token_table *table, uint32_t token)
{
    struct token_names *before = atomic_load_explicit(&table->names, memory_order_relaxed);
    uint32_t had = before == NULL ? 0 : before->capacity;
    uint32_t capacity = had == 0 ? 16 : had;
    while (capacity < token) {
        capacity *= 2;
    }
    if (capacity == had) {
        return true;
    }
    struct token_names *names =
        mem_zalloc(sizeof *names + (size_t)capacity * sizeof names->names[0]);
    if (names == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < had; i++) {
        const struct yore_bytes *name =
            atomic_load_explicit(&before->names[i], memory_order_relaxed);
        atomic_store_explicit(&names->names[i], name, memory_order_relaxed);
    }
    names->before = before;
    names->capacity = capacity;
    atomic_store_explicit(&table->names, names, memory_order_release);
    return true;
}

static bool grow_slots(struct token_table *table, uint32_t count)
{
    if (count * 2 <= table->slot_count) {
        return true;
    }
    uint32_t slot_count = table->slot_count == 0 ? 32 : table->slot_count * 2;
    while (slot_count < count * 2) {
        slot_count *= 2;
    }
    uint32_t *slots = mem_array(slot_count, sizeof *slots);
    if (slots == NULL) {
        return false;
    }
    mem_free(table->slots);
    table->slots = slots;
    table->slot_count = slot_count;
    for (uint32_t token = 1; token <= table->count; token++) {
        struct yore_bytes name = token_table_name(table, token);
        if (name.size > 0) {
            *find_slot(table, name) = token;
        }
    }
    return true;
}

/* Enter a name under its token; entering it again changes nothing.  False: out of memory. */
static bool token_table_add(struct token_table *table, uint32_t token, struct yore_bytes name)
{
    if (token_table_name(table, token).size > 0) {
        return true;
    }
    if (!grow_names(table, token) || !grow_slots(table, token)) {
        return false;
    }
    struct yore_bytes *kept = arena_alloc(&table->bytes, sizeof *kept);
    void *copy = arena_copy(&table->bytes, name.data, name.size);
    if (kept == NULL || copy == NULL) {
        return false;
    }
    *kept = bytes_of(copy, name.size);
    struct token_names *names = atomic_load_explicit(&table->names, memory_order_relaxed);
    atomic_store_explicit(&names->names[token - 1], kept, memory_order_release);
    table->count = table->count > token ? table->count : token;
    *find_slot(table, name) = token;
    return true;
}

/* ---- the graph's ---- */

static enum yore_status enter(struct graph *graph, enum graph_token_kind kind, uint64_t token,
                              struct yore_bytes name, struct yore_error *error_out)
{
    if (token == GRAPH_NO_TOKEN || token > GRAPH_TOKENS_MAX || name.size == 0) {
        return error_set(error_out, YORE_CORRUPT, "graph %s: a name's token is malformed",
                         graph->name);
    }
    os_mutex_lock(&graph->lock);
    bool is_in = token_table_add(&graph->tokens[kind - 1], (uint32_t)token, name);
    os_mutex_unlock(&graph->lock);
    return is_in ? YORE_OK : error_plain(error_out, YORE_NOMEM);
}

static enum yore_status load_kind(struct graph *graph, enum graph_token_kind kind,
                                  struct yore_error *error_out)
{
    unsigned char prefix[2] = {GRAPH_KEY_TOKEN, (unsigned char)kind};
    struct yore_time latest = graph_latest(graph);
    struct yore_cursor_options options = {.range = {.prefix = bytes_of(prefix, sizeof prefix)},
                                          .at = &latest};
    struct yore_cursor *cursor = NULL;
    enum yore_status st =
        yore_cursor_open(graph->db, graph->keyspace, &options, &cursor, error_out);
    while (st == YORE_OK && (st = yore_cursor_next(cursor)) == YORE_OK) {
        const struct yore_row *row = yore_cursor_row(cursor);
        const unsigned char *at = (const unsigned char *)row->key.data + sizeof prefix;
        uint64_t token = GRAPH_NO_TOKEN;
        key_number_decode(&at, (const unsigned char *)row->key.data + row->key.size, &token);
        st = enter(graph, kind, token, row->value, error_out);
    }
    if (st != YORE_NOT_FOUND && cursor != NULL && yore_cursor_error(cursor)->status != YORE_OK &&
        error_out != NULL) {
        *error_out = *yore_cursor_error(cursor);
    }
    yore_cursor_close(cursor);
    return st == YORE_NOT_FOUND ? YORE_OK : st;
}

enum yore_status graph_load_tokens(struct graph *graph, struct yore_error *error_out)
{
    enum yore_status st = YORE_OK;
    for (int kind = GRAPH_LABEL; st == YORE_OK && kind <= GRAPH_TOKEN_KINDS; kind++) {
        st = load_kind(graph, (enum graph_token_kind)kind, error_out);
    }
    return st;
}

static uint32_t find(struct graph *graph, enum graph_token_kind kind, struct yore_bytes name)
{
    os_mutex_lock(&graph->lock);
    uint32_t token = token_table_find(&graph->tokens[kind - 1], name);
    os_mutex_unlock(&graph->lock);
    return token;
}

/* Look in the database: another handle may have made it. */
static uint32_t find_stored(struct graph *graph, enum graph_token_kind kind, struct yore_bytes name)
{
    struct buffer key = {0};
    struct yore_value value = {0};
    uint32_t token = GRAPH_NO_TOKEN;
    struct yore_time latest = graph_latest(graph);
    graph_key_name(&key, kind, name);
    if (buffer_status(&key) == YORE_OK && yore_get(graph->db, graph->keyspace, buffer_bytes(&key),
                                                   &latest, &value, NULL) == YORE_OK) {
        struct decoder from;
        decoder_init(&from, value.data, value.size);
        uint64_t stored = decode_varint(&from);
        if (enter(graph, kind, stored, name, NULL) == YORE_OK) {
            token = (uint32_t)stored;
        }
    }
    yore_value_release(&value);
    buffer_release(&key);
    return token;
}

uint32_t graph_token(struct graph *graph, enum graph_token_kind kind, struct yore_bytes name)
{
    if (name.size == 0 || name.size > GRAPH_TOKEN_BYTES_MAX) {
        return GRAPH_NO_TOKEN;
    }
    uint32_t token = find(graph, kind, name);
    return token != GRAPH_NO_TOKEN ? token : find_stored(graph, kind, name);
}

struct yore_bytes graph_token_name(struct graph *graph, enum graph_token_kind kind, uint32_t token)
{
    struct yore_bytes name = token_table_name(&graph->tokens[kind - 1], token);
    if (name.size > 0 || token == GRAPH_NO_TOKEN) {
        return name;
    }
    struct yore_value value = {0};
    struct graph_key key = graph_key_token(kind, token);
    struct yore_time latest = graph_latest(graph);
    if (yore_get(graph->db, graph->keyspace, graph_key_bytes(&key), &latest, &value, NULL) ==
            YORE_OK &&
        enter(graph, kind, token, bytes_of(value.data, value.size), NULL) == YORE_OK) {
        name = token_table_name(&graph->tokens[kind - 1], token);
    }
    yore_value_release(&value);
    return name;
}

void graph_tokens(struct graph *graph, enum graph_token_kind kind,
                  int (*each)(void *arg, uint32_t token, struct yore_bytes name), void *arg)
{
    int stop = 0;
    (void)load_kind(graph, kind, NULL); /* what cannot be read now is told by those who read it */
    for (uint32_t token = 1; stop == 0; token++) {
        os_mutex_lock(&graph->lock);
        bool is_last = token > graph->tokens[kind - 1].count;
        struct yore_bytes name = token_table_name(&graph->tokens[kind - 1], token);
        os_mutex_unlock(&graph->lock);
        if (is_last) {
            break;
        }
        if (name.size > 0) {
            stop = each(arg, token, name);
        }
    }
}

/* ---- making one ---- */

static enum yore_status read_number(struct yore_txn *txn, struct graph *graph,
                                    struct yore_bytes key, uint64_t *number_out,
                                    struct yore_error *error_out)
{
    struct yore_value value;
    struct decoder from;
    *number_out = 0;
    enum yore_status st = yore_txn_get(txn, graph->keyspace, key, NULL, &value, error_out);
    if (st == YORE_OK) {
        decoder_init(&from, value.data, value.size);
        *number_out = decode_varint(&from);
        yore_value_release(&value);
    }
    return st == YORE_NOT_FOUND ? YORE_OK : st;
}

static enum yore_status write_number(struct yore_txn *txn, struct graph *graph,
                                     struct yore_bytes key, uint64_t number,
                                     struct yore_error *error_out)
{
    unsigned char octets[VARINT_BYTES_MAX];
    struct yore_bytes value = bytes_of(octets, varint_encode(octets, number));
    return yore_txn_put(txn, graph->keyspace, key, value, NULL, error_out);
}

static enum yore_status write_token(struct yore_txn *txn, struct graph *graph,
                                    enum graph_token_kind kind, struct yore_bytes name,
                                    uint64_t *token_out, struct yore_error *error_out)
{
    struct buffer name_key = {0};
    struct graph_key count_key = graph_key_meta(GRAPH_META_TOKENS, (unsigned char)kind);
    uint64_t count = 0;
    graph_key_name(&name_key, kind, name);
    enum yore_status st = buffer_status(&name_key);
    if (st == YORE_OK) {
        st = read_number(txn, graph, buffer_bytes(&name_key), token_out, error_out);
    }
    if (st != YORE_OK || *token_out != GRAPH_NO_TOKEN) {
        buffer_release(&name_key);
        return st;
    }
    st = read_number(txn, graph, graph_key_bytes(&count_key), &count, error_out);
    if (st == YORE_OK && count >= GRAPH_TOKENS_MAX) {
        st = error_set(error_out, YORE_TOO_BIG, "graph %s has %u names of that kind already",
                       graph->name, GRAPH_TOKENS_MAX);
    }
    if (st == YORE_OK) {
        st = write_number(txn, graph, graph_key_bytes(&count_key), count + 1, error_out);
    }
    if (st == YORE_OK) {
        st = write_number(txn, graph, buffer_bytes(&name_key), count + 1, error_out);
    }
    if (st == YORE_OK) {
        struct graph_key key = graph_key_token(kind, (uint32_t)count + 1);
        st = yore_txn_put(txn, graph->keyspace, graph_key_bytes(&key), name, NULL, error_out);
    }
    *token_out = count + 1;
    buffer_release(&name_key);
    return st;
}

static enum yore_status take_token(struct graph *graph, enum graph_token_kind kind,
                                   struct yore_bytes name, uint32_t *token_out,
                                   struct yore_error *error_out)
{
    enum yore_status st = YORE_CONFLICT;
    uint64_t token = GRAPH_NO_TOKEN;
    for (unsigned round = 0; st == YORE_CONFLICT && round < GRAPH_SMALL_COMMIT_ROUNDS_MAX;
         round++) {
        struct yore_txn *txn = NULL;
        st = yore_begin(graph->db, &txn, error_out);
        if (st == YORE_OK) {
            st = write_token(txn, graph, kind, name, &token, error_out);
        }
        if (st != YORE_OK) {
            yore_txn_abort(txn);
            return st;
        }
        /* The commit that uses the token comes after this one and carries it along. */
        st = yore_txn_commit(txn, YORE_DURABILITY_NONE, NULL, error_out);
    }
    *token_out = (uint32_t)token;
    return st == YORE_OK ? enter(graph, kind, token, name, error_out) : st;
}

enum yore_status graph_make_token(struct graph *graph, enum graph_token_kind kind,
                                  struct yore_bytes name, uint32_t *token_out,
                                  struct yore_error *error_out)
{
    enum yore_status st = YORE_OK;
    if (name.size == 0 || name.size > GRAPH_TOKEN_BYTES_MAX) {
        return error_set(error_out, name.size == 0 ? YORE_INVALID : YORE_TOO_BIG,
                         "the name of a label, type or property has 1 to %u octets; this one has "
                         "%zu",
                         GRAPH_TOKEN_BYTES_MAX, name.size);
    }
    *token_out = find(graph, kind, name);
    if (*token_out == GRAPH_NO_TOKEN) {
        os_mutex_lock(&graph->taking);
        *token_out = find(graph, kind, name);
        if (*token_out == GRAPH_NO_TOKEN) {
            st = take_token(graph, kind, name, token_out, error_out);
        }
        os_mutex_unlock(&graph->taking);
    }
    return st;
}
