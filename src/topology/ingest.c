/* ingest.c -- words become claims, in transactions that are tried again when others were faster. */
#include "topology/ingest.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "topology/ingest_internal.h"
#include "topology/property_value.h"
#include "topology/sync.h"

/* ---- transactions ---- */

enum yore_status ingest_begin(struct graph *graph, bool is_again, struct ingest **ingest_out,
                              struct yore_error *error_out)
{
    struct ingest *ingest = mem_zalloc(sizeof *ingest);
    *ingest_out = NULL;
    if (ingest == NULL) {
        return error_plain(error_out, YORE_NOMEM);
    }
    ingest->graph = graph;
    turn_take(&graph->turn, is_again);
    arena_init(&ingest->arena, 4096);
    arena_init(&ingest->dirty.bytes, 4096);
    enum yore_status st = graph_begin(graph, &ingest->txn, error_out);
    if (st != YORE_OK) {
        ingest_abort(ingest);
        return st;
    }
    *ingest_out = ingest;
    return YORE_OK;
}

void ingest_abort(struct ingest *ingest)
{
    if (ingest != NULL) {
        graph_abort(ingest->txn);
        turn_leave(&ingest->graph->turn);
        own_facts_release(&ingest->dirty);
        arena_release(&ingest->arena);
        mem_free(ingest->order);
        mem_free(ingest);
    }
}

struct graph_txn *ingest_txn(struct ingest *ingest)
{
    return ingest->txn;
}

enum yore_status ingest_commit(struct ingest *ingest, enum yore_durability durability,
                               struct yore_graph_ingest_tally *tally, struct yore_error *error_out)
{
    enum yore_status st = ingest_derive(ingest, error_out);
    struct yore_graph_ingest_tally done = ingest->tally;
    if (st == YORE_OK) {
        struct graph_tally changed = graph_txn_tally(ingest->txn);
        st = graph_commit(ingest->txn, durability, &done.commit, error_out);
        ingest->txn = NULL;
        done.nodes_created = changed.nodes_created;
        done.nodes_deleted = changed.nodes_deleted;
        done.relationships_created = changed.relationships_created;
        done.relationships_deleted = changed.relationships_deleted;
    }
    if (st == YORE_OK && tally != NULL) {
        tally->words += done.words;
        tally->unchanged += done.unchanged;
        tally->nodes_created += done.nodes_created;
        tally->nodes_deleted += done.nodes_deleted;
        tally->relationships_created += done.relationships_created;
        tally->relationships_deleted += done.relationships_deleted;
        tally->pending_added += done.pending_added;
        tally->pending_resolved += done.pending_resolved;
        tally->commit = done.commit;
    }
    ingest_abort(ingest);
    return st;
}

enum yore_status ingest_touch(struct ingest *ingest, enum graph_element element,
                              struct yore_bytes external_id, int64_t from,
                              struct yore_error *error_out)
{
    struct element_name name = {element, external_id};
    struct graph_write dates = {.from = from, .to = YORE_FOREVER};
    enum yore_status st = txn_dates(ingest->txn, &dates, &dates, error_out);
    return st == YORE_OK ? ingest_mark(ingest, &name, from, false, error_out) : st;
}

/* ---- words ---- */

static enum yore_status check_id(struct yore_bytes id, const char *what,
                                 struct yore_error *error_out)
{
    if (id.size > 0 && id.size <= GRAPH_EXTERNAL_ID_BYTES_MAX) {
        return YORE_OK;
    }
    return error_set(error_out, id.size == 0 ? YORE_INVALID : YORE_TOO_BIG,
                     "%s has 1 to %u octets; this one has %zu", what, GRAPH_EXTERNAL_ID_BYTES_MAX,
                     id.size);
}

static enum yore_status word_labels(struct graph *graph, const struct yore_graph_word *word,
                                    struct arena *arena, struct element_state *state,
                                    struct yore_error *error_out)
{
    enum yore_status st = YORE_OK;
    if (word->label_count > GRAPH_LABELS_MAX) {
        return error_set(error_out, YORE_TOO_BIG, "a node has %u labels at most", GRAPH_LABELS_MAX);
    }
    for (size_t i = 0; st == YORE_OK && i < word->label_count; i++) {
        uint32_t token = GRAPH_NO_TOKEN;
        st = graph_make_token(graph, GRAPH_LABEL, word->labels[i], &token, error_out);
        if (st == YORE_OK && !element_state_set_label(state, token, true, arena)) {
            st = error_plain(error_out, YORE_NOMEM);
        }
    }
    return st;
}

static int by_token(const void *a, const void *b)
{
    const struct state_property *x = a;
    const struct state_property *y = b;
    return x->token < y->token ? -1 : x->token > y->token;
}

static enum yore_status encode_value(const struct yore_graph_value *value, struct arena *arena,
                                     struct yore_bytes *octets_out, struct yore_error *error_out)
{
    struct buffer octets = {0};
    enum yore_status st = property_value_encode(&octets, value, error_out);
    if (st == YORE_OK) {
        *octets_out = bytes_of(arena_copy(arena, octets.data, octets.size), octets.size);
        st = octets.is_nomem || octets_out->data == NULL ? error_plain(error_out, YORE_NOMEM) : st;
    }
    buffer_release(&octets);
    return st;
}

static enum yore_status word_properties(struct graph *graph, const struct yore_graph_map *map,
                                        struct arena *arena, struct element_state *state,
                                        struct yore_error *error_out)
{
    struct state_property *properties = arena_alloc(arena, map->count * sizeof *properties + 1);
    enum yore_status st = properties == NULL ? error_plain(error_out, YORE_NOMEM) : YORE_OK;
    size_t count = 0;
    if (map->count > GRAPH_PROPERTIES_MAX) {
        return error_set(error_out, YORE_TOO_BIG, "an element has %u properties at most",
                         GRAPH_PROPERTIES_MAX);
    }
    for (size_t i = 0; st == YORE_OK && i < map->count; i++) {
        const struct yore_graph_entry *entry = &map->entries[i];
        if (entry->value.kind == YORE_GRAPH_NULL) {
            continue;
        }
        st = graph_make_token(graph, GRAPH_PROPERTY, entry->name, &properties[count].token,
                              error_out);
        if (st == YORE_OK) {
            st = encode_value(&entry->value, arena, &properties[count++].value, error_out);
        }
    }
    if (st != YORE_OK) {
        return st;
    }
    qsort(properties, count, sizeof *properties, by_token);
    for (size_t i = 1; i < count; i++) {
        if (properties[i].token == properties[i - 1].token) {
            return error_set(error_out, YORE_INVALID, "a property is named twice");
        }
    }
    state->properties = properties;
    state->property_count = count;
    return YORE_OK;
}

enum yore_status word_claim(struct graph *graph, const struct yore_graph_word *word,
                            struct arena *arena, struct claim *claim_out,
                            struct yore_error *error_out)
{
    bool is_node = word->element == YORE_GRAPH_ELEMENT_NODE;
    struct element_state state = {.element = is_node ? GRAPH_NODE : GRAPH_RELATIONSHIP};
    enum yore_status st = check_id(word->external_id, "an external id", error_out);
    *claim_out = (struct claim){.until = YORE_FOREVER};
    if (st != YORE_OK || word->removes) {
        return st;
    }
    if (is_node) {
        st = word_labels(graph, word, arena, &state, error_out);
    } else {
        st = check_id(word->start, "the external id of a start", error_out);
        if (st == YORE_OK) {
            st = check_id(word->end, "the external id of an end", error_out);
        }
        if (st == YORE_OK) {
            st = graph_make_token(graph, GRAPH_TYPE, word->type, &state.type, error_out);
        }
        claim_out->start = word->start;
        claim_out->end = word->end;
    }
    if (st == YORE_OK) {
        st = word_properties(graph, &word->properties, arena, &state, error_out);
    }
    claim_out->state = state;
    return st;
}

/* ---- a call ---- */

static enum yore_status take_word(struct ingest *ingest, const struct source *source,
                                  const struct yore_graph_word *word, struct arena *arena,
                                  struct yore_error *error_out)
{
    int64_t now = graph_txn_time(ingest->txn).valid;
    int64_t from = word->from == YORE_NOW ? now : word->from;
    struct claim claim;
    enum yore_status st = word_claim(ingest->graph, word, arena, &claim, error_out);
    if (st == YORE_OK && from >= LINE_NOW) {
        st = error_set(error_out, YORE_IN_FUTURE, "it begins at the end of all time");
    }
    if (st == YORE_OK && word->to <= from) {
        st = error_set(error_out, YORE_INVALID, "it ends before it begins, or then");
    }
    if (st == YORE_OK && word->removes && word->to != YORE_FOREVER && word->to > now) {
        st = error_set(error_out, YORE_INVALID, "a removal cannot end in the future");
    }
    if (st != YORE_OK) {
        return st;
    }
    bool ends_later = word->to != YORE_FOREVER && word->to > now;
    claim.source = source->token;
    claim.rank = source->rank;
    claim.until = ends_later ? word->to : YORE_FOREVER;
    struct claim_change change = {
        .element = word->element == YORE_GRAPH_ELEMENT_NODE ? GRAPH_NODE : GRAPH_RELATIONSHIP,
        .external_id = word->external_id,
        .source = source->token,
        .claim = word->removes ? NULL : &claim,
        .until = YORE_FOREVER,
        .from = from,
        .to = ends_later ? YORE_FOREVER : word->to,
    };
    return ingest_change(ingest, &change, error_out);
}

static enum yore_status refuse_word(size_t number, const struct yore_graph_word *word,
                                    enum yore_status st, const struct yore_error *cause,
                                    struct yore_error *error_out)
{
    char text[KEY_TEXT_BYTES];
    if (st == YORE_CONFLICT) {
        return error_plain(error_out, st);
    }
    return error_set(error_out, st, "word %zu, %s %s: %.380s", number,
                     word->element == YORE_GRAPH_ELEMENT_NODE ? "node" : "relationship",
                     key_text(word->external_id, text), cause->text);
}

struct attempt {
    uint32_t token;
    bool is_again;  /* the one before had a conflict */
    bool is_behind; /* the source must be brought up to date first; nothing was done */
    struct yore_graph_ingest_tally tally;
};

/* The latest moment that is spoken of. */
static int64_t latest_of(const struct graph_speech *speech, int64_t now)
{
    int64_t latest = speech->count == 0 ? now : YORE_TIME_MIN;
    for (size_t i = 0; i < speech->count; i++) {
        int64_t from = speech->words[i].from == YORE_NOW ? now : speech->words[i].from;
        latest = from > latest ? from : latest;
    }
    return latest;
}

static enum yore_status take_words(struct ingest *ingest, struct source *source,
                                   const struct graph_speech *speech, struct yore_error *error_out)
{
    struct arena arena = {0};
    enum yore_status st = YORE_OK;
    for (size_t i = 0; st == YORE_OK && i < speech->count; i++) {
        struct yore_error cause = {0};
        arena_reset(&arena);
        st = take_word(ingest, source, &speech->words[i], &arena, &cause);
        if (st != YORE_OK) {
            st = refuse_word(i + 1, &speech->words[i], st, &cause, error_out);
        }
    }
    arena_release(&arena);
    return st;
}

static enum yore_status try_words(struct graph *graph, const struct graph_speech *speech,
                                  struct attempt *attempt, struct yore_error *error_out)
{
    struct ingest *ingest = NULL;
    struct source source;
    enum yore_status st = ingest_begin(graph, attempt->is_again, &ingest, error_out);
    if (st != YORE_OK) {
        return st;
    }
    int64_t latest = latest_of(speech, graph_txn_time(ingest->txn).valid);
    st = source_read(graph, ingest->txn->engine, attempt->token, &source, error_out);
    attempt->tally = (struct yore_graph_ingest_tally){0};
    attempt->is_behind =
        st == YORE_OK && (source_is_decided(&source) || source_deadline(&source) < latest);
    if (attempt->is_behind) {
        ingest_abort(ingest);
        return sync_catch_up(graph, attempt->token, latest, error_out);
    }
    if (st == YORE_OK) {
        st = take_words(ingest, &source, speech, error_out);
    }
    source.last_word = latest > source.last_word ? latest : source.last_word;
    if (st == YORE_OK) {
        st = source_write(graph, ingest->txn->engine, &source, error_out);
    }
    if (st != YORE_OK) {
        ingest_abort(ingest);
        return st;
    }
    return ingest_commit(ingest, speech->durability, &attempt->tally, error_out);
}

enum yore_status graph_ingest(struct graph *graph, const struct graph_speech *speech,
                              struct yore_graph_ingest_tally *tally_out,
                              struct yore_error *error_out)
{
    struct attempt attempt = {.is_behind = true};
    error_clear(error_out);
    if (speech->count > YORE_GRAPH_WORDS_MAX) {
        return error_set(error_out, YORE_TOO_BIG, "a call takes %u words at most; this one has %zu",
                         YORE_GRAPH_WORDS_MAX, speech->count);
    }
    enum yore_status st = source_token(graph, speech->source, &attempt.token, error_out);
    unsigned round = 0;
    while ((st == YORE_OK && attempt.is_behind) || st == YORE_CONFLICT) {
        if (round++ == GRAPH_INGEST_ROUNDS_MAX) {
            return error_plain(error_out, YORE_CONFLICT);
        }
        error_clear(error_out);
        attempt.is_again = st == YORE_CONFLICT;
        st = try_words(graph, speech, &attempt, error_out);
    }
    if (st == YORE_OK && tally_out != NULL) {
        *tally_out = attempt.tally;
    }
    return st;
}
