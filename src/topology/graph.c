/* graph.c -- opening graphs, and the ids of their elements.
 *
 * Ids are taken from the database in blocks, by small transactions of their own, so that writers
 * never meet over a counter; what a handle has not used when it closes is passed over for ever.  A
 * block of relationship ids belongs to one type: all relationships of a type are a few ranges of
 * ids, and need no index.
 */
#include "topology/graph.h"

#include <inttypes.h>
#include <string.h>

#include "base/coding.h"
#include "base/mem.h"
#include "topology/graph_internal.h"
#include "topology/staging.h"

#define GRAPH_FORMAT 1u
#define KEYSPACE_PREFIX "g."

/* ---- opening ---- */

enum yore_status graph_check_name(struct yore_bytes name, struct yore_error *error_out)
{
    static const char allowed[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-";
    bool is_good = name.size > 0 && name.size <= GRAPH_NAME_BYTES_MAX;
    for (size_t i = 0; is_good && i < name.size; i++) {
        is_good = memchr(allowed, ((const char *)name.data)[i], sizeof allowed - 1) != NULL;
    }
    if (!is_good) {
        return error_set(error_out, YORE_INVALID,
                         "a graph's name has 1 to %u characters of A-Z a-z 0-9 _ . -",
                         GRAPH_NAME_BYTES_MAX);
    }
    return YORE_OK;
}

/* The keyspace's name, in `text`. */
static enum yore_status keyspace_name(struct yore_bytes name,
                                      char text[sizeof KEYSPACE_PREFIX + GRAPH_NAME_BYTES_MAX],
                                      struct yore_error *error_out)
{
    enum yore_status st = graph_check_name(name, error_out);
    if (st == YORE_OK) {
        memcpy(text, KEYSPACE_PREFIX, sizeof KEYSPACE_PREFIX - 1);
        memcpy(text + sizeof KEYSPACE_PREFIX - 1, name.data, name.size);
        text[sizeof KEYSPACE_PREFIX - 1 + name.size] = '\0';
    }
    return st;
}

/* The one that had the name then. */
static enum yore_status find_holder(struct yore_db *db, struct yore_bytes name,
                                    const struct yore_time *at, struct yore_keyspace **keyspace_out,
                                    struct yore_error *error_out)
{
    char text[sizeof KEYSPACE_PREFIX + GRAPH_NAME_BYTES_MAX];
    enum yore_status st = keyspace_name(name, text, error_out);
    if (st == YORE_OK) {
        st = yore_keyspace_open(db, text, at, keyspace_out, error_out);
    }
    if (st == YORE_NOT_FOUND) {
        return error_set(error_out, st, "there is no graph %s%s", text + sizeof KEYSPACE_PREFIX - 1,
                         at != NULL ? " at that moment" : "");
    }
    return st;
}

enum yore_status graph_find_keyspace(struct yore_db *db, struct yore_bytes name,
                                     const struct yore_time *at,
                                     struct yore_keyspace **keyspace_out,
                                     struct yore_error *error_out)
{
    enum yore_status st = find_holder(db, name, at, keyspace_out, error_out);
    if (st == YORE_NOT_FOUND && at != NULL &&
        find_holder(db, name, NULL, keyspace_out, NULL) == YORE_OK) {
        error_clear(error_out);
        return YORE_OK;
    }
    return st;
}

static enum yore_status open_keyspace(struct graph *graph, bool creates, const struct yore_time *at,
                                      struct yore_error *error_out)
{
    struct yore_bytes name = bytes_of(graph->name, strlen(graph->name));
    enum yore_status st = graph_find_keyspace(graph->db, name, at, &graph->keyspace, error_out);
    if (st == YORE_NOT_FOUND && creates && at == NULL) {
        char text[sizeof KEYSPACE_PREFIX + GRAPH_NAME_BYTES_MAX];
        st = keyspace_name(name, text, error_out);
        if (st == YORE_OK) {
            st = yore_keyspace_create(graph->db, text, NULL, &graph->keyspace, error_out);
        }
        if (st == YORE_EXISTS) { /* another was faster */
            st = yore_keyspace_open(graph->db, text, NULL, &graph->keyspace, error_out);
        }
    }
    return st;
}

struct yore_time graph_latest(const struct graph *graph)
{
    struct yore_time latest = {YORE_NOW, YORE_NOW};
    struct yore_keyspace_info info;
    if (yore_keyspace_info(graph->db, graph->keyspace, &info, NULL) == YORE_OK && info.is_dropped) {
        latest = (struct yore_time){info.dropped_at - 1, info.dropped_at - 1};
    }
    return latest;
}

enum yore_status graph_was_another(struct graph *graph, const struct yore_time *at,
                                   int64_t *until_out, struct yore_error *error_out)
{
    struct yore_keyspace *keyspace = NULL;
    struct yore_keyspace_info info;
    struct yore_bytes name = bytes_of(graph->name, strlen(graph->name));
    enum yore_status st = find_holder(graph->db, name, at, &keyspace, error_out);
    *until_out = YORE_FOREVER;
    if (st == YORE_NOT_FOUND) { /* facts may be dated before their graph was made */
        error_clear(error_out);
        return YORE_OK;
    }
    if (st == YORE_OK && keyspace != graph->keyspace) {
        st = yore_keyspace_info(graph->db, keyspace, &info, error_out);
        *until_out = st == YORE_OK ? info.dropped_at : YORE_FOREVER;
    }
    return st;
}

/* The first writer leaves the version of the format; readers of an empty graph find none. */
static enum yore_status check_format(struct graph *graph, bool creates,
                                     struct yore_error *error_out)
{
    struct graph_key key = graph_key_meta(GRAPH_META_FORMAT, 0);
    struct yore_value value;
    struct yore_time latest = graph_latest(graph);
    enum yore_status st =
        yore_get(graph->db, graph->keyspace, graph_key_bytes(&key), &latest, &value, error_out);
    if (st == YORE_NOT_FOUND && creates) {
        unsigned char format[1] = {GRAPH_FORMAT};
        struct yore_write write = {
            .from = YORE_NOW, .to = YORE_FOREVER, .durability = YORE_DURABILITY_NONE};
        return yore_put(graph->db, graph->keyspace, graph_key_bytes(&key),
                        bytes_of(format, sizeof format), &write, error_out);
    }
    if (st == YORE_OK) {
        unsigned format = value.size == 1 ? *(const unsigned char *)value.data : 0;
        if (format != GRAPH_FORMAT) {
            st = error_set(error_out, YORE_BAD_FORMAT,
                           "graph %s has format %u; this program reads format %u", graph->name,
                           format, GRAPH_FORMAT);
        }
        yore_value_release(&value);
    }
    return st == YORE_NOT_FOUND ? YORE_OK : st;
}

static struct graph *make_handle(struct yore_db *db, struct yore_bytes name)
{
    struct graph *graph = mem_zalloc(sizeof *graph);
    if (graph != NULL) {
        graph->db = db;
        graph->words_max = YORE_GRAPH_WORDS_MAX;
        memcpy(graph->name, name.data, name.size);
        os_mutex_init(&graph->lock);
        os_mutex_init(&graph->taking);
        os_mutex_init(&graph->finishing);
        turn_init(&graph->turn);
    }
    return graph;
}

enum yore_status graph_open(struct yore_db *db, struct yore_bytes name, bool creates,
                            const struct yore_time *at, struct graph **graph_out,
                            struct yore_error *error_out)
{
    error_clear(error_out);
    *graph_out = NULL;
    enum yore_status st = graph_check_name(name, error_out);
    if (st != YORE_OK) {
        return st;
    }
    struct graph *graph = make_handle(db, name);
    if (graph == NULL) {
        return error_plain(error_out, YORE_NOMEM);
    }
    st = open_keyspace(graph, creates, at, error_out);
    if (st == YORE_OK) {
        st = check_format(graph, creates, error_out);
    }
    if (st == YORE_OK) {
        st = graph_load_tokens(graph, error_out);
    }
    if (st != YORE_OK) {
        graph_close(graph);
        return st;
    }
    *graph_out = graph;
    return YORE_OK;
}

enum yore_status graph_open_empty(struct yore_db *db, struct yore_bytes name,
                                  struct graph **graph_out, struct yore_error *error_out)
{
    error_clear(error_out);
    *graph_out = NULL;
    enum yore_status st = graph_check_name(name, error_out);
    struct graph *graph = st == YORE_OK ? make_handle(db, name) : NULL;
    if (graph == NULL) {
        return st != YORE_OK ? st : error_plain(error_out, YORE_NOMEM);
    }
    st = yore_keyspace_open(db, GRAPH_EMPTY_KEYSPACE, NULL, &graph->keyspace, error_out);
    if (st == YORE_NOT_FOUND) {
        st = yore_keyspace_create(db, GRAPH_EMPTY_KEYSPACE, NULL, &graph->keyspace, error_out);
    }
    if (st == YORE_EXISTS) { /* another was faster */
        st = yore_keyspace_open(db, GRAPH_EMPTY_KEYSPACE, NULL, &graph->keyspace, error_out);
    }
    if (st != YORE_OK) {
        graph_close(graph);
        return st;
    }
    error_clear(error_out);
    *graph_out = graph;
    return YORE_OK;
}

void graph_close(struct graph *graph)
{
    if (graph == NULL) {
        return;
    }
    for (size_t i = 0; i < GRAPH_TOKEN_KINDS; i++) {
        token_table_release(&graph->tokens[i]);
    }
    mem_free(graph->counts.of_label);
    mem_free(graph->counts.of_type);
    mem_free(graph->relationship_ids);
    turn_release(&graph->turn);
    os_mutex_release(&graph->finishing);
    os_mutex_release(&graph->taking);
    os_mutex_release(&graph->lock);
    mem_free(graph);
}

struct list_walk {
    int (*each)(void *arg, const char *name);
    void *arg;
};

static int list_one(void *arg, const struct yore_keyspace_info *info)
{
    const struct list_walk *walk = arg;
    size_t head = sizeof KEYSPACE_PREFIX - 1;
    bool is_graph = strncmp(info->name, KEYSPACE_PREFIX, head) == 0;
    return is_graph ? walk->each(walk->arg, info->name + head) : 0;
}

enum yore_status graph_each(struct yore_db *db, const struct yore_time *at,
                            int (*each)(void *arg, const char *name), void *arg,
                            struct yore_error *error_out)
{
    struct list_walk walk = {each, arg};
    return yore_keyspace_list(db, at, list_one, &walk, error_out);
}

enum yore_status graph_remove(struct yore_db *db, struct yore_bytes name,
                              struct yore_error *error_out)
{
    char text[sizeof KEYSPACE_PREFIX + GRAPH_NAME_BYTES_MAX];
    enum yore_status st = keyspace_name(name, text, error_out);
    if (st == YORE_OK) {
        st = yore_keyspace_drop(db, text, error_out);
    }
    if (st == YORE_OK) {
        (void)staging_sweep(db, NULL); /* the drop is made; settling sweeps again */
    }
    return st == YORE_NOT_FOUND
               ? error_set(error_out, st, "there is no graph %s", text + sizeof KEYSPACE_PREFIX - 1)
               : st;
}

struct yore_db *graph_db(const struct graph *graph)
{
    return graph->db;
}

struct yore_keyspace *graph_keyspace(const struct graph *graph)
{
    return graph->keyspace;
}

const char *graph_name(const struct graph *graph)
{
    return graph->name;
}

enum yore_status graph_refuse_record(const struct graph *graph, struct graph_id id,
                                     struct yore_error *error_out)
{
    return error_set(error_out, YORE_CORRUPT, "graph %s: the record of %s %" PRIu64 " is malformed",
                     graph->name, id.element == GRAPH_NODE ? "node" : "relationship", id.id);
}

enum yore_status graph_refuse_busy(const struct graph *graph, struct yore_error *error_out)
{
    return error_set(error_out, YORE_BUSY,
                     "graph %s: an import has it for itself, or wants it while others write; try "
                     "again when it is done",
                     graph->name);
}

/* ---- ids ---- */

static struct id_block *block_of(struct graph *graph, enum graph_element element, uint32_t type)
{
    if (element == GRAPH_NODE) {
        return &graph->node_ids;
    }
    if (type >= graph->relationship_id_count) {
        size_t count = (size_t)type + 16;
        struct id_block *blocks = mem_realloc(graph->relationship_ids, count * sizeof *blocks);
        if (blocks == NULL) {
            return NULL;
        }
        memset(blocks + graph->relationship_id_count, 0,
               (count - graph->relationship_id_count) * sizeof *blocks);
        graph->relationship_ids = blocks;
        graph->relationship_id_count = count;
    }
    return &graph->relationship_ids[type];
}

static enum yore_status put_number(struct yore_txn *txn, struct graph *graph,
                                   const struct graph_key *key, uint64_t number,
                                   struct yore_error *error_out)
{
    unsigned char octets[VARINT_BYTES_MAX];
    return yore_txn_put(txn, graph->keyspace, graph_key_bytes(key),
                        bytes_of(octets, varint_encode(octets, number)), NULL, error_out);
}

static enum yore_status write_block(struct yore_txn *txn, struct graph *graph,
                                    enum graph_element element, uint32_t type,
                                    struct id_block *block, struct yore_error *error_out)
{
    struct graph_key key = graph_key_meta(GRAPH_META_IDS, (unsigned char)element);
    struct yore_value value = {0};
    enum yore_status st =
        yore_txn_get(txn, graph->keyspace, graph_key_bytes(&key), NULL, &value, error_out);
    if (st != YORE_OK && st != YORE_NOT_FOUND) {
        return st;
    }
    struct decoder from;
    decoder_init(&from, value.data, value.size);
    block->next = st == YORE_OK ? decode_varint(&from) + 1 : 1;
    block->end = block->next + block->size;
    yore_value_release(&value);
    st = put_number(txn, graph, &key, block->end - 1, error_out);
    if (st == YORE_OK && element == GRAPH_RELATIONSHIP) {
        graph_key_begin(&key, GRAPH_KEY_BLOCK);
        graph_key_number(&key, type);
        graph_key_number(&key, block->next);
        st = put_number(txn, graph, &key, block->size, error_out);
    }
    return st;
}

static enum yore_status take_block(struct graph *graph, enum graph_element element, uint32_t type,
                                   struct id_block *block, struct yore_error *error_out)
{
    enum yore_status st = YORE_CONFLICT;
    struct id_block taken = {.size = block->size == 0 ? GRAPH_ID_BLOCK_MIN : block->size * 2};
    if (taken.size > GRAPH_ID_BLOCK_MAX) {
        taken.size = GRAPH_ID_BLOCK_MAX;
    }
    for (unsigned round = 0; st == YORE_CONFLICT && round < GRAPH_SMALL_COMMIT_ROUNDS_MAX;
         round++) {
        struct yore_txn *txn = NULL;
        st = yore_begin(graph->db, &txn, error_out);
        if (st == YORE_OK) {
            st = write_block(txn, graph, element, type, &taken, error_out);
        }
        if (st != YORE_OK) {
            yore_txn_abort(txn);
            return st;
        }
        st = yore_txn_commit(txn, YORE_DURABILITY_NONE, NULL, error_out);
    }
    if (st == YORE_OK) {
        *block = taken;
    }
    return st;
}

enum yore_status graph_take_id(struct graph *graph, enum graph_element element, uint32_t type,
                               uint64_t *id_out, struct yore_error *error_out)
{
    enum yore_status st = YORE_OK;
    os_mutex_lock(&graph->taking);
    struct id_block *block = block_of(graph, element, type);
    if (block == NULL) {
        st = error_plain(error_out, YORE_NOMEM);
    } else if (block->next == block->end) {
        st = take_block(graph, element, type, block, error_out);
    }
    if (st == YORE_OK) {
        *id_out = block->next++;
    }
    os_mutex_unlock(&graph->taking);
    return st;
}
