/* erase.c -- all that is known of an external id, or of one property of it, destroyed, and the
 * graph whole at every step.
 *
 * One transaction does it: it takes the elements away from their very begin, with everything that
 * follows from them, and destroys what was committed before it under their keys.  So at every valid
 * time as known from then on they never were, a crash leaves all or nothing, and what is made again
 * under the same external id is a later commit, which the erasure does not reach.
 *
 * What was taken back from its very begin before the erase is found by its external id, but not
 * from a node it hung on; and of what was there at the horizon only as known earlier, and has been
 * taken back there since, nothing is found.
 */
#include "topology/erase.h"

#include <string.h>

#include "base/mem.h"
#include "engine/erase.h"
#include "topology/claims.h"
#include "topology/erase_internal.h"

/* ---- the list of keys ---- */

static enum yore_status add_to(struct erasing *erasing, struct entry_list *list,
                               struct yore_bytes key, struct yore_error *error_out)
{
    void *copy = arena_copy(&erasing->arena, key.data, key.size);
    struct yore_bytes owned = bytes_of(copy, key.size);
    return copy != NULL && entries_gather(list, &owned, 1, &erasing->arena) == YORE_OK
               ? YORE_OK
               : error_plain(error_out, YORE_NOMEM);
}

static enum yore_status add_buffer(struct erasing *erasing, struct buffer *key,
                                   struct yore_error *error_out)
{
    enum yore_status st = key->is_nomem
                              ? error_plain(error_out, YORE_NOMEM)
                              : add_to(erasing, &erasing->keys, buffer_bytes(key), error_out);
    buffer_clear(key);
    return st;
}

static bool goes_whole(const struct erasing *erasing)
{
    return erasing->property == GRAPH_NO_TOKEN;
}

/* Have a key erased; where everything goes its line is made absent at every time. */
static enum yore_status clear_line(struct erasing *erasing, struct buffer *key,
                                   struct yore_error *error_out)
{
    struct line line = {0};
    enum yore_status st = key->is_nomem ? error_plain(error_out, YORE_NOMEM) : YORE_OK;
    if (st == YORE_OK && goes_whole(erasing)) {
        st = line_read(erasing->txn, buffer_bytes(key), erasing->begin, &line, error_out);
    }
    for (size_t i = 0; st == YORE_OK && i < line.count; i++) {
        int64_t from =
            line.versions[i].from > erasing->begin ? line.versions[i].from : erasing->begin;
        if (line.versions[i].is_put) {
            st = txn_delete(erasing->txn, buffer_bytes(key), from, error_out);
        }
    }
    return st == YORE_OK ? add_buffer(erasing, key, error_out) : st;
}

/* ---- what there is of one element ---- */

static enum yore_status add_state(struct erasing *erasing, struct graph_id id,
                                  const struct element_state *state, struct yore_error *error_out)
{
    struct entry_list entries;
    enum yore_status st =
        id.element == GRAPH_NODE
            ? entries_of_state(state, id.id, erasing->rules, &erasing->arena, &entries, error_out)
            : entries_of_ends(state, id.id, &erasing->arena, &entries);
    return st == YORE_OK && entries_gather(&erasing->keys, entries.keys, entries.count,
                                           &erasing->arena) != YORE_OK
               ? error_plain(error_out, YORE_NOMEM)
               : st;
}

/* What one version of a record has led to. */
static enum yore_status add_version(struct erasing *erasing, struct graph_id id,
                                    struct yore_bytes value, bool *has_property,
                                    struct yore_error *error_out)
{
    struct element_state state;
    void *copy = arena_copy(&erasing->arena, value.data, value.size);
    if (copy == NULL) {
        return error_plain(error_out, YORE_NOMEM);
    }
    enum yore_status st =
        element_state_decode(bytes_of(copy, value.size), id.element, &erasing->arena, &state);
    if (st != YORE_OK) {
        return st == YORE_CORRUPT ? graph_refuse_record(erasing->graph, id, error_out)
                                  : error_plain(error_out, st);
    }
    *has_property |= erasing_names(erasing, id.element, state.external_id) &&
                     element_state_property(&state, erasing->property) != NULL;
    st = add_state(erasing, id, &state, error_out);
    if (st == YORE_OK && id.element == GRAPH_RELATIONSHIP &&
        !entries_hold(&erasing->looked_at, state.external_id)) {
        st = add_to(erasing, &erasing->pending, state.external_id, error_out);
    }
    return st;
}

/* Every version at every time, and as known at every commit. */
static struct yore_timeline_options ever_known(const struct erasing *erasing)
{
    return (struct yore_timeline_options){.from = erasing->begin,
                                          .to = YORE_FOREVER,
                                          .known = erasing->txn->time.known,
                                          .with_in_force = true,
                                          .every_commit = true};
}

/* An incarnation: its record and entries at every time, and as known at every commit. */
static enum yore_status add_life(struct erasing *erasing, struct graph_id id,
                                 struct yore_error *error_out)
{
    struct graph_key key = graph_key_element(id);
    struct yore_timeline_options options = ever_known(erasing);
    struct yore_timeline *timeline = NULL;
    struct yore_version version;
    struct line noted;
    bool has_property = false;
    enum yore_status st =
        line_read(erasing->txn, graph_key_bytes(&key), erasing->begin, &noted, error_out);
    if (st == YORE_OK) {
        st = yore_timeline_open(erasing->graph->db, erasing->graph->keyspace, graph_key_bytes(&key),
                                &options, &timeline, error_out);
    }
    while (st == YORE_OK && (st = yore_timeline_next(timeline, &version, error_out)) == YORE_OK) {
        if (version.kind == YORE_KIND_PUT) {
            st = add_version(erasing, id, version.value, &has_property, error_out);
        }
    }
    yore_timeline_close(timeline);
    erasing->count += has_property;
    return st == YORE_NOT_FOUND ? add_to(erasing, &erasing->keys, graph_key_bytes(&key), error_out)
                                : st;
}

/* Relationships a node ever had. */
static enum yore_status add_hanging(struct erasing *erasing, uint64_t node,
                                    struct yore_error *error_out)
{
    struct graph_adjacency place = {.node = node};
    struct graph_key prefix = graph_key_adjacency(&place, ADJACENCY_OF_NODE);
    struct line_keys keys;
    enum yore_status st =
        line_keys_ever(erasing->txn, graph_key_bytes(&prefix), erasing->begin, &keys, error_out);
    for (size_t i = 0; st == YORE_OK && i < keys.count; i++) {
        struct graph_adjacency found;
        if (!graph_key_adjacency_decode(keys.keys[i], &found)) {
            return error_plain(error_out, YORE_CORRUPT);
        }
        struct graph_id id = {GRAPH_RELATIONSHIP, found.relationship};
        if (!found.is_incoming || found.other != found.node) { /* a loop once */
            st = add_life(erasing, id, error_out);
        }
    }
    return st;
}

/* What sources said of an external id. */
static enum yore_status clear_claims(struct erasing *erasing, enum graph_element element,
                                     struct yore_bytes external_id, struct yore_error *error_out)
{
    struct buffer key = {0};
    struct line line;
    struct entry_list entries = {0};
    claim_key(&key, element, external_id);
    enum yore_status st = key.is_nomem ? error_plain(error_out, YORE_NOMEM)
                                       : line_read(erasing->txn, buffer_bytes(&key), erasing->begin,
                                                   &line, error_out);
    for (size_t i = 0; st == YORE_OK && i < line.count; i++) {
        struct claims claims;
        struct entry_list some;
        if (!line.versions[i].is_put) {
            continue;
        }
        st = claims_decode(line.versions[i].value, element, &erasing->arena, &claims);
        for (size_t k = 0; st == YORE_OK && k < claims.count; k++) {
            erasing->is_claimed |=
                erasing_names(erasing, element, external_id) &&
                element_state_property(&claims.items[k].state, erasing->property) != NULL;
        }
        if (st == YORE_OK &&
            (!claims_entries(&claims, element, external_id, &erasing->arena, &some) ||
             entries_gather(&entries, some.keys, some.count, &erasing->arena) != YORE_OK)) {
            st = YORE_NOMEM;
        }
        st = st == YORE_OK ? st : error_plain(error_out, st);
    }
    entries_settle(&entries);
    if (st == YORE_OK) {
        st = clear_line(erasing, &key, error_out);
    }
    for (size_t i = 0; st == YORE_OK && i < entries.count; i++) {
        buffer_append_bytes(&key, entries.keys[i]);
        st = clear_line(erasing, &key, error_out);
    }
    if (st == YORE_OK && element == GRAPH_RELATIONSHIP) {
        pending_key(&key, external_id);
        st = clear_line(erasing, &key, error_out);
    }
    buffer_release(&key);
    return st;
}

/* Relationships that were ever claimed to hang on a node. */
static enum yore_status add_claimed(struct erasing *erasing, struct yore_bytes node,
                                    struct yore_error *error_out)
{
    struct buffer prefix = {0};
    struct line_keys keys = {0};
    claim_end_key(&prefix, node, bytes_of("", 0));
    enum yore_status st = prefix.is_nomem ? error_plain(error_out, YORE_NOMEM)
                                          : line_keys_ever(erasing->txn, buffer_bytes(&prefix),
                                                           erasing->begin, &keys, error_out);
    buffer_release(&prefix);
    for (size_t i = 0; st == YORE_OK && i < keys.count; i++) {
        struct yore_bytes relationship;
        if (!claim_end_key_decode(keys.keys[i], &relationship)) {
            st = error_plain(error_out, YORE_CORRUPT);
        } else if (relationship.size > 0) {
            st = add_to(erasing, &erasing->pending, relationship, error_out);
        }
    }
    return st;
}

/* ---- the incarnations of a name ---- */

struct incarnation {
    uint64_t id;
    int64_t from;
};
struct incarnations {
    struct incarnation *items;
    size_t count;
};

/* Every one that was ever known, also one that was taken back. */
static enum yore_status find_incarnations(struct erasing *erasing, struct yore_bytes key,
                                          struct incarnations *found_out,
                                          struct yore_error *error_out)
{
    struct yore_timeline_options options = ever_known(erasing);
    struct yore_timeline *timeline = NULL;
    struct yore_version version;
    enum yore_status st = yore_timeline_open(erasing->graph->db, erasing->graph->keyspace, key,
                                             &options, &timeline, error_out);
    *found_out = (struct incarnations){0};
    while (st == YORE_OK && (st = yore_timeline_next(timeline, &version, error_out)) == YORE_OK) {
        struct decoder from;
        decoder_init(&from, version.value.data, version.value.size);
        uint64_t id = version.kind == YORE_KIND_PUT ? decode_varint(&from) : 0;
        size_t known = 0;
        while (known < found_out->count && found_out->items[known].id != id) {
            known++;
        }
        if (id == 0 || known < found_out->count) {
            continue;
        }
        struct incarnation *items =
            mem_realloc(found_out->items, (found_out->count + 1) * sizeof *items);
        if (items == NULL) {
            st = error_plain(error_out, YORE_NOMEM);
            break;
        }
        items[found_out->count++] = (struct incarnation){id, version.valid_from};
        found_out->items = items;
    }
    yore_timeline_close(timeline);
    return st == YORE_NOT_FOUND ? YORE_OK : st;
}

/* Take an incarnation away from its begin, if it is there. */
static enum yore_status take_back(struct erasing *erasing, struct graph_id id,
                                  struct yore_error *error_out)
{
    struct graph_key key = graph_key_element(id);
    struct line line;
    enum yore_status st =
        line_read(erasing->txn, graph_key_bytes(&key), erasing->begin, &line, error_out);
    size_t first = 0;
    while (st == YORE_OK && first < line.count && !line.versions[first].is_put) {
        first++;
    }
    if (st != YORE_OK || first == line.count ||
        (first == 0 && line.versions[0].from <= erasing->begin && !line.is_in_force)) {
        return st;
    }
    struct graph_write write = {.from = line.versions[first].from, .to = YORE_FOREVER};
    write.from = write.from > erasing->begin ? write.from : erasing->begin;
    return graph_delete(erasing->txn, id, true, &write, error_out);
}

static enum yore_status erase_name(struct erasing *erasing, enum graph_element element,
                                   struct yore_bytes external_id, struct yore_error *error_out)
{
    struct buffer key = {0};
    struct incarnations found = {0};
    graph_key_external(&key, element, external_id);
    enum yore_status st = key.is_nomem
                              ? error_plain(error_out, YORE_NOMEM)
                              : find_incarnations(erasing, buffer_bytes(&key), &found, error_out);
    if (st == YORE_OK && found.count > 0) {
        st = add_to(erasing, &erasing->keys, buffer_bytes(&key), error_out);
    }
    for (size_t i = 0; st == YORE_OK && i < found.count; i++) {
        struct graph_id id = {element, found.items[i].id};
        st = add_life(erasing, id, error_out);
        if (st == YORE_OK && element == GRAPH_NODE) {
            st = add_hanging(erasing, id.id, error_out);
        }
    }
    if (st == YORE_OK) {
        st = clear_claims(erasing, element, external_id, error_out);
    }
    for (size_t i = 0; st == YORE_OK && goes_whole(erasing) && i < found.count; i++) {
        st = take_back(erasing, (struct graph_id){element, found.items[i].id}, error_out);
    }
    mem_free(found.items);
    buffer_release(&key);
    return st;
}

/* ---- the transaction ---- */

/* Relationships that hung on the node, or were to: their own names and claims, each once. */
static enum yore_status erase_pending(struct erasing *erasing, struct yore_error *error_out)
{
    enum yore_status st = YORE_OK;
    while (st == YORE_OK && erasing->pending.count > 0) {
        struct entry_list names = erasing->pending;
        erasing->pending = (struct entry_list){0};
        entries_settle(&names);
        st = entries_gather(&erasing->looked_at, names.keys, names.count, &erasing->arena);
        st = st == YORE_OK ? st : error_plain(error_out, st);
        entries_settle(&erasing->looked_at);
        for (size_t i = 0; st == YORE_OK && i < names.count; i++) {
            st = erase_name(erasing, GRAPH_RELATIONSHIP, names.keys[i], error_out);
        }
    }
    return st;
}

static enum yore_status collect(struct erasing *erasing, struct yore_error *error_out)
{
    enum graph_element element = erasing->erasure->element;
    struct yore_bytes external_id = erasing->erasure->external_id;
    struct graph_write dates;
    enum yore_status st = txn_dates(erasing->txn, NULL, &dates, error_out); /* reads the rules */
    if (st == YORE_OK) {
        st = graph_begin_of_time(erasing->graph, &erasing->begin, error_out);
    }
    if (st == YORE_OK) {
        st = graph_rules_ever(erasing->graph, erasing->begin, &erasing->rules, error_out);
    }
    if (st == YORE_OK && element == GRAPH_NODE) {
        st = add_claimed(erasing, external_id, error_out);
    }
    if (st == YORE_OK) {
        st = erase_name(erasing, element, external_id, error_out);
    }
    if (st == YORE_OK && element == GRAPH_NODE) {
        st = erase_pending(erasing, error_out);
    }
    entries_settle(&erasing->keys);
    return st;
}

/* Elements among the keys. */
static uint64_t count_elements(const struct erasing *erasing)
{
    uint64_t count = 0;
    for (size_t i = 0; i < erasing->keys.count; i++) {
        unsigned char kind = *(const unsigned char *)erasing->keys.keys[i].data;
        count += kind == GRAPH_KEY_NODE || kind == GRAPH_KEY_RELATIONSHIP;
    }
    return count;
}

static enum yore_status refuse_unknown(const struct erasing *erasing, struct yore_error *error_out)
{
    const struct graph_erasure *erasure = erasing->erasure;
    char text[KEY_TEXT_BYTES];
    char property[KEY_TEXT_BYTES];
    bool is_whole = erasure->property.size == 0;
    return error_set(error_out, YORE_NOT_FOUND, "graph %s: nothing is known of %s%s%s %s",
                     erasing->graph->name, is_whole ? "" : key_text(erasure->property, property),
                     is_whole ? "" : " of ",
                     erasure->element == GRAPH_NODE ? "node" : "relationship",
                     key_text(erasure->external_id, text));
}

/* Everything, or all but the property written again. */
static enum yore_status write_erasure(struct erasing *erasing, struct yore_error *error_out)
{
    enum yore_status st = collect(erasing, error_out);
    if (st != YORE_OK) {
        return st;
    }
    if (!goes_whole(erasing)) {
        return erasing->count > 0 || erasing->is_claimed ? erase_keep_rest(erasing, error_out)
                                                         : refuse_unknown(erasing, error_out);
    }
    erasing->count = count_elements(erasing);
    return erasing->count > 0 || erasing->txn->writes > 0 ? YORE_OK
                                                          : refuse_unknown(erasing, error_out);
}

static enum yore_status try_erase(struct erasing *erasing, struct yore_error *error_out)
{
    struct graph *graph = erasing->graph;
    enum yore_status st = graph_begin(graph, &erasing->txn, error_out);
    if (st != YORE_OK) {
        return st;
    }
    st = write_erasure(erasing, error_out);
    if (st == YORE_OK) {
        st = txn_erase_keys(erasing->txn->engine, graph->keyspace, erasing->keys.keys,
                            erasing->keys.count, error_out);
    }
    if (st != YORE_OK) {
        graph_abort(erasing->txn);
        return st;
    }
    return graph_commit(erasing->txn, YORE_DURABILITY_SYNC, NULL, error_out);
}

enum yore_status graph_erase(struct graph *graph, const struct graph_erasure *erasure,
                             uint64_t *count_out, struct yore_error *error_out)
{
    struct erasing erasing = {.graph = graph, .erasure = erasure, .property = GRAPH_NO_TOKEN};
    enum yore_status st = YORE_CONFLICT;
    if (erasure->property.size > 0) {
        erasing.property = graph_token(graph, GRAPH_PROPERTY, erasure->property);
        st = erasing.property == GRAPH_NO_TOKEN ? refuse_unknown(&erasing, error_out) : st;
    }
    for (unsigned round = 0; st == YORE_CONFLICT && round < GRAPH_INGEST_ROUNDS_MAX; round++) {
        error_clear(error_out);
        arena_release(&erasing.arena);
        graph_rules_free(erasing.rules);
        erasing =
            (struct erasing){.graph = graph, .erasure = erasure, .property = erasing.property};
        turn_take(&graph->turn, round > 0);
        st = try_erase(&erasing, error_out);
        turn_leave(&graph->turn);
    }
    if (count_out != NULL) {
        *count_out = st == YORE_OK ? erasing.count : 0;
    }
    arena_release(&erasing.arena);
    graph_rules_free(erasing.rules);
    return st;
}
