/* sync.c -- snapshots of a source, silence, and claims that end by themselves.
 *
 *   idle --start--> sending --stop--> idle         the difference is one transaction
 *                      |       \--stop--> decided --> idle      it is too large for one
 *                      \--abort, start--> idle, sending
 *
 * What is sent waits in a keyspace of its own, which keeps only now, under the number of the
 * snapshot; nothing of the graph is touched.  To stop is to walk over what was sent and over what
 * the source claims at the snapshot's moment, both in order of element and external id, and to take
 * in the differences as words.  A decided snapshot is the same walk, carried out in parts: what is
 * done already is no difference any more, so it can begin again anywhere.
 *
 * A source's end, by silence or by word, is a snapshot in which nothing was sent.
 */
#include "topology/sync.h"

#include <string.h>

#include "base/checked.h"
#include "topology/ingest_internal.h"

#define STAGING "graph.staging"
#define STAGED_CLEAR_COUNT 4096u /* deletes of one commit */

/* ---- what was sent ---- */

static enum yore_status staging_open(struct graph *graph, struct yore_keyspace **staging_out,
                                     struct yore_error *error_out)
{
    struct yore_keyspace_options options = {.keep = YORE_KEEP_NOW};
    enum yore_status st = yore_keyspace_open(graph->db, STAGING, NULL, staging_out, error_out);
    if (st == YORE_NOT_FOUND) {
        st = yore_keyspace_create(graph->db, STAGING, &options, staging_out, error_out);
        if (st == YORE_EXISTS) { /* another was faster */
            st = yore_keyspace_open(graph->db, STAGING, NULL, staging_out, error_out);
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

/* Take away what was sent in any snapshot of a source up to `upto`. */
static enum yore_status staged_clear(struct graph *graph, uint32_t source, uint64_t upto,
                                     struct yore_error *error_out)
{
    struct yore_keyspace *staging = NULL;
    struct yore_cursor *cursor = NULL;
    struct yore_batch *batch = NULL;
    struct graph_key low = staged_prefix(graph, source, 0);
    struct graph_key high = staged_prefix(graph, source, upto + 1);
    struct yore_cursor_options options = {
        .range = {.low = graph_key_bytes(&low), .high = graph_key_bytes(&high)}, .keys_only = true};
    enum yore_status st = staging_open(graph, &staging, error_out);
    if (st == YORE_OK) {
        st = yore_batch_new(graph->db, &batch, error_out);
    }
    if (st == YORE_OK) {
        st = yore_cursor_open(graph->db, staging, &options, &cursor, error_out);
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
                                    struct graph_key prefix, struct yore_keyspace *staging,
                                    struct yore_batch *batch, struct yore_error *error_out)
{
    struct buffer key = {0};
    enum yore_status st = YORE_OK;
    for (size_t i = 0; st == YORE_OK && i < speech->count; i++) {
        const struct yore_graph_word *word = &speech->words[i];
        struct yore_error cause = {0};
        bool is_node = word->element == YORE_GRAPH_ELEMENT_NODE;
        buffer_clear(&key);
        buffer_append_bytes(&key, graph_key_bytes(&prefix));
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

/* ---- phases ---- */

static enum yore_status refuse_number(const struct graph *graph, struct yore_bytes name,
                                      uint64_t snapshot, struct yore_error *error_out)
{
    char text[KEY_TEXT_BYTES];
    return error_set(error_out, YORE_CONFLICT,
                     "graph %s: snapshot %llu of source %s is not under way: it was stopped or "
                     "aborted, or another one has begun",
                     graph->name, (unsigned long long)snapshot, key_text(name, text));
}

/* A change of the source's record in a commit of its own. */
struct phase_change {
    uint32_t token;
    enum source_phase to;
    int64_t at;        /* to SENDING: the snapshot's moment */
    uint64_t snapshot; /* to the others: which must be under way */
    struct source source;
    bool is_stale;
};

static enum yore_status try_phase(struct graph *graph, struct phase_change *change,
                                  struct yore_error *error_out)
{
    struct yore_txn *txn = NULL;
    struct source *source = &change->source;
    enum yore_status st = yore_begin(graph->db, &txn, error_out);
    if (st == YORE_OK) {
        st = source_read(graph, txn, change->token, source, error_out);
    }
    if (st == YORE_OK && change->to == SOURCE_SENDING) {
        change->is_stale = source->phase == SOURCE_DECIDED; /* that one is acknowledged */
        int64_t now = yore_txn_time(txn).valid;
        source->snapshot++;
        source->snapshot_at = change->at == YORE_NOW ? now : change->at;
        source->last_word =
            source->snapshot_at > source->last_word ? source->snapshot_at : source->last_word;
    } else if (st == YORE_OK) {
        change->is_stale = source->phase != SOURCE_SENDING || source->snapshot != change->snapshot;
    }
    if (st == YORE_OK && !change->is_stale) {
        source->phase = change->to;
        st = source_write(graph, txn, source, error_out);
    }
    if (st != YORE_OK || change->is_stale) {
        yore_txn_abort(txn);
        return st;
    }
    return yore_txn_commit(txn, YORE_DURABILITY_DEFAULT, NULL, error_out);
}

static enum yore_status change_phase(struct graph *graph, struct phase_change *change,
                                     struct yore_error *error_out)
{
    enum yore_status st = YORE_CONFLICT;
    for (unsigned round = 0; st == YORE_CONFLICT && round < GRAPH_INGEST_ROUNDS_MAX; round++) {
        error_clear(error_out);
        st = try_phase(graph, change, error_out);
    }
    return st;
}

/* ---- walking over differences ---- */

enum pass { PASS_ALL, PASS_REMOVALS, PASS_NODES, PASS_RELATIONSHIPS };

struct walk {
    struct graph *graph;
    struct source source;
    uint64_t snapshot; /* what was sent; 0: nothing */
    int64_t at;
    enum pass pass;
    struct ingest *ingest;
    bool is_silence;
    bool is_over; /* somebody else has carried it out */
    bool is_one;  /* one transaction: stop when it is full */
    bool is_full;
    size_t count; /* of the transaction in hand */
    size_t bytes;
    enum yore_durability durability;
    struct yore_graph_ingest_tally tally;
    struct arena arena; /* of one element */
    struct yore_cursor *staged;
    struct yore_cursor *claimed;
    size_t staged_skip; /* octets of the keys before element and external id */
    size_t claimed_skip;
};

static enum yore_status open_claimed(struct walk *walk, struct yore_error *error_out)
{
    struct yore_time at = {walk->at, YORE_NOW};
    struct graph_key prefix;
    graph_key_begin(&prefix, GRAPH_KEY_CLAIMED);
    graph_key_number(&prefix, walk->source.token);
    struct yore_cursor_options options = {
        .range = {.prefix = graph_key_bytes(&prefix)}, .at = &at, .keys_only = true};
    walk->claimed_skip = prefix.size;
    return yore_cursor_open(walk->graph->db, walk->graph->keyspace, &options, &walk->claimed,
                            error_out);
}

static enum yore_status open_walk(struct walk *walk, struct yore_error *error_out)
{
    struct yore_keyspace *staging = NULL;
    struct graph_key prefix = staged_prefix(walk->graph, walk->source.token, walk->snapshot);
    struct yore_cursor_options options = {.range = {.prefix = graph_key_bytes(&prefix)}};
    walk->staged_skip = prefix.size;
    enum yore_status st = open_claimed(walk, error_out);
    if (st == YORE_OK && walk->snapshot != 0) {
        st = staging_open(walk->graph, &staging, error_out);
        if (st == YORE_OK) {
            st = yore_cursor_open(walk->graph->db, staging, &options, &walk->staged, error_out);
        }
    }
    return st;
}

static void close_walk(struct walk *walk)
{
    yore_cursor_close(walk->staged);
    yore_cursor_close(walk->claimed);
    walk->staged = NULL;
    walk->claimed = NULL;
    arena_reset(&walk->arena);
}

/* Element and external id under a cursor; size 0: at its end. */
static enum yore_status step(struct yore_cursor *cursor, size_t skip, struct yore_bytes *tail_out,
                             struct yore_error *error_out)
{
    *tail_out = bytes_of("", 0);
    if (cursor == NULL) {
        return YORE_OK;
    }
    enum yore_status st = yore_cursor_next(cursor);
    if (st == YORE_OK) {
        *tail_out = bytes_behind(yore_cursor_row(cursor)->key, skip);
    } else if (st != YORE_NOT_FOUND && error_out != NULL) {
        *error_out = *yore_cursor_error(cursor);
    }
    return st == YORE_NOT_FOUND ? YORE_OK : st;
}

static enum yore_status get_then(struct walk *walk, const struct buffer *key,
                                 struct yore_value *value_out, struct yore_error *error_out)
{
    struct yore_time at = {walk->at, YORE_NOW};
    if (key->is_nomem) {
        return error_plain(error_out, YORE_NOMEM);
    }
    return yore_get(walk->graph->db, walk->graph->keyspace, buffer_bytes(key), &at, value_out,
                    error_out);
}

/* Is there something under the key at the snapshot's moment? */
static enum yore_status is_there_then(struct walk *walk, const struct buffer *key, bool *is_out,
                                      struct yore_error *error_out)
{
    struct yore_value value = {0};
    enum yore_status st = get_then(walk, key, &value, error_out);
    *is_out = st == YORE_OK;
    yore_value_release(&value);
    return st == YORE_NOT_FOUND || st == YORE_ERASED ? YORE_OK : st;
}

/* Does the source claim this already, and is the element there (or pending)? */
static enum yore_status is_same_then(struct walk *walk, const struct element_name *name,
                                     const struct claim *claim, bool *is_same_out,
                                     struct yore_error *error_out)
{
    struct buffer key = {0};
    struct yore_value value = {0};
    struct claims claims = {0};
    *is_same_out = false;
    claim_key(&key, name->element, name->external_id);
    enum yore_status st = get_then(walk, &key, &value, error_out);
    if (st == YORE_OK) {
        st = claims_decode(bytes_of(value.data, value.size), name->element, &walk->arena, &claims);
        *is_same_out =
            st == YORE_OK && claim_equal(claims_find(&claims, walk->source.token), claim);
        st = st == YORE_OK ? st : error_plain(error_out, st);
    }
    yore_value_release(&value);
    st = st == YORE_NOT_FOUND || st == YORE_ERASED ? YORE_OK : st;
    if (st == YORE_OK && *is_same_out) {
        buffer_clear(&key);
        graph_key_external(&key, name->element, name->external_id);
        st = is_there_then(walk, &key, is_same_out, error_out);
    }
    if (st == YORE_OK && !*is_same_out && name->element == GRAPH_RELATIONSHIP &&
        claim_equal(claims_find(&claims, walk->source.token), claim)) {
        buffer_clear(&key);
        pending_key(&key, name->external_id);
        st = is_there_then(walk, &key, is_same_out, error_out);
    }
    buffer_release(&key);
    return st;
}

/* Of a walk in parts each looks whether there is still something to do, and takes note of it:
 * whoever ends it first has the others conflict, and then see. */
static enum yore_status begin_part(struct walk *walk, struct yore_error *error_out)
{
    struct source source;
    enum yore_status st = ingest_begin(walk->graph, &walk->ingest, error_out);
    if (st == YORE_OK) {
        st = source_read(walk->graph, ingest_txn(walk->ingest)->engine, walk->source.token, &source,
                         error_out);
    }
    if (st == YORE_OK) {
        walk->is_over = walk->is_silence
                            ? source_deadline(&source) != walk->at
                            : source.phase != SOURCE_DECIDED || source.snapshot != walk->snapshot;
    }
    if (st != YORE_OK || walk->is_over) {
        ingest_abort(walk->ingest);
        walk->ingest = NULL;
    }
    return st;
}

/* Commit a part, and begin the next. */
static enum yore_status turn_over(struct walk *walk, struct yore_error *error_out)
{
    struct ingest *ingest = walk->ingest;
    walk->ingest = NULL;
    walk->count = 0;
    walk->bytes = 0;
    enum yore_status st =
        ingest != NULL ? ingest_commit(ingest, walk->durability, &walk->tally, error_out) : YORE_OK;
    return st == YORE_OK ? begin_part(walk, error_out) : st;
}

static enum yore_status take_difference(struct walk *walk, const struct element_name *name,
                                        const struct claim *claim, int64_t from,
                                        struct yore_error *error_out)
{
    struct claim_change change = {.element = name->element,
                                  .external_id = name->external_id,
                                  .source = walk->source.token,
                                  .claim = claim,
                                  .until = YORE_FOREVER,
                                  .from = from < walk->at ? from : walk->at,
                                  .to = YORE_FOREVER};
    bool is_full = walk->count == walk->graph->words_max || walk->bytes > GRAPH_INGEST_BYTES_MAX;
    if (is_full && walk->is_one) {
        walk->is_full = true;
        return YORE_OK;
    }
    enum yore_status st = is_full ? turn_over(walk, error_out) : YORE_OK;
    if (st == YORE_OK && walk->is_over) {
        walk->is_full = true; /* the walk ends */
        return YORE_OK;
    }
    walk->count++;
    for (size_t i = 0; claim != NULL && i < claim->state.property_count; i++) {
        walk->bytes += claim->state.properties[i].value.size;
    }
    return st == YORE_OK ? ingest_change(walk->ingest, &change, error_out) : st;
}

static enum yore_status take_removal(struct walk *walk, struct yore_bytes tail,
                                     struct yore_error *error_out)
{
    struct element_name name;
    if (walk->pass != PASS_ALL && walk->pass != PASS_REMOVALS) {
        return YORE_OK;
    }
    if (!claim_key_tail(tail, &name.element, &name.external_id)) {
        return error_plain(error_out, YORE_CORRUPT);
    }
    return take_difference(walk, &name, NULL, walk->at, error_out);
}

static enum yore_status take_staged(struct walk *walk, struct yore_bytes tail, bool is_claimed,
                                    struct yore_error *error_out)
{
    struct yore_bytes value = yore_cursor_row(walk->staged)->value;
    struct element_name name;
    struct decoder from;
    struct claim claim;
    bool is_same = false;
    if (!claim_key_tail(tail, &name.element, &name.external_id)) {
        return error_plain(error_out, YORE_CORRUPT);
    }
    bool is_node = name.element == GRAPH_NODE;
    if (walk->pass == PASS_REMOVALS || (walk->pass == PASS_NODES && !is_node) ||
        (walk->pass == PASS_RELATIONSHIPS && is_node)) {
        return YORE_OK;
    }
    arena_reset(&walk->arena);
    decoder_init(&from, value.data, value.size);
    int64_t begin = decode_zigzag(&from);
    if (!claim_decode(&from, name.element, &walk->arena, &claim)) {
        return error_plain(error_out, YORE_NOMEM);
    }
    if (from.is_bad) {
        return error_set(error_out, YORE_CORRUPT, "graph %s: what a source sent is malformed",
                         walk->graph->name);
    }
    claim.source = walk->source.token;
    claim.rank = walk->source.rank;
    enum yore_status st =
        is_claimed ? is_same_then(walk, &name, &claim, &is_same, error_out) : YORE_OK;
    if (st != YORE_OK || is_same) {
        walk->tally.unchanged += is_same;
        return st;
    }
    return take_difference(walk, &name, &claim, is_claimed ? walk->at : begin, error_out);
}

static enum yore_status walk_differences(struct walk *walk, struct yore_error *error_out)
{
    struct yore_bytes staged;
    struct yore_bytes claimed;
    enum yore_status st = step(walk->staged, walk->staged_skip, &staged, error_out);
    if (st == YORE_OK) {
        st = step(walk->claimed, walk->claimed_skip, &claimed, error_out);
    }
    while (st == YORE_OK && !walk->is_full && (staged.size > 0 || claimed.size > 0)) {
        int order = claimed.size == 0 ? -1 : staged.size == 0 ? 1 : bytes_compare(staged, claimed);
        st = order > 0 ? take_removal(walk, claimed, error_out)
                       : take_staged(walk, staged, order == 0, error_out);
        if (st == YORE_OK && order <= 0) {
            st = step(walk->staged, walk->staged_skip, &staged, error_out);
        }
        if (st == YORE_OK && order >= 0) {
            st = step(walk->claimed, walk->claimed_skip, &claimed, error_out);
        }
    }
    return st;
}

/* ---- applying ---- */

static void close_source(const struct walk *walk, struct source *source, bool is_silence)
{
    if (is_silence) {
        source->expired_at = walk->at;
    } else {
        source->phase = SOURCE_IDLE;
        source->last_word = walk->at > source->last_word ? walk->at : source->last_word;
    }
}

static enum yore_status end_walk(struct walk *walk, bool is_silence, struct yore_error *error_out)
{
    struct ingest *ingest = walk->ingest;
    struct source source;
    walk->ingest = NULL;
    enum yore_status st = source_read(walk->graph, ingest_txn(ingest)->engine, walk->source.token,
                                      &source, error_out);
    if (st == YORE_OK) {
        close_source(walk, &source, is_silence);
        st = source_write(walk->graph, ingest_txn(ingest)->engine, &source, error_out);
    }
    if (st != YORE_OK) {
        ingest_abort(ingest);
        return st;
    }
    return ingest_commit(ingest, walk->durability, &walk->tally, error_out);
}

/* All in one transaction; *is_full_out: it is too much for one, and nothing was done.  Errors:
 * YORE_CONFLICT, to be tried again. */
static enum yore_status apply_at_once(struct walk *walk, bool is_silence, bool *is_full_out,
                                      struct yore_error *error_out)
{
    walk->pass = PASS_ALL;
    walk->is_one = true;
    walk->is_full = false;
    walk->count = 0;
    walk->bytes = 0;
    walk->tally = (struct yore_graph_ingest_tally){0};
    enum yore_status st = ingest_begin(walk->graph, &walk->ingest, error_out);
    struct source source = {0};
    if (st == YORE_OK) { /* noted: nobody else speaks for it meanwhile */
        st = source_read(walk->graph, ingest_txn(walk->ingest)->engine, walk->source.token, &source,
                         error_out);
    }
    bool is_stale = source.snapshot != walk->source.snapshot || source.phase != walk->source.phase;
    if (st == YORE_OK && is_stale) {
        st = error_plain(error_out, YORE_CONFLICT);
    }
    if (st == YORE_OK) {
        st = open_walk(walk, error_out);
    }
    if (st == YORE_OK) {
        st = walk_differences(walk, error_out);
    }
    close_walk(walk);
    *is_full_out = walk->is_full;
    if (st == YORE_OK && !walk->is_full) {
        return end_walk(walk, is_silence, error_out);
    }
    ingest_abort(walk->ingest);
    walk->ingest = NULL;
    return st;
}

static enum yore_status apply_pass(struct walk *walk, enum pass pass, struct yore_error *error_out)
{
    enum yore_status st = YORE_CONFLICT;
    walk->pass = pass;
    walk->is_one = false;
    walk->is_full = false;
    for (unsigned round = 0; st == YORE_CONFLICT && round < GRAPH_INGEST_ROUNDS_MAX; round++) {
        error_clear(error_out);
        st = walk->is_over ? YORE_OK : turn_over(walk, error_out);
        if (st == YORE_OK && !walk->is_over) {
            st = open_walk(walk, error_out);
        }
        if (st == YORE_OK && !walk->is_over) {
            st = walk_differences(walk, error_out);
        }
        close_walk(walk);
        if (st == YORE_OK && !walk->is_over) {
            st = turn_over(walk, error_out);
        }
        if (st != YORE_OK) {
            ingest_abort(walk->ingest);
            walk->ingest = NULL;
        }
    }
    return st;
}

static enum yore_status apply_parts(struct walk *walk, struct yore_error *error_out)
{
    walk->is_over = false;
    walk->tally = (struct yore_graph_ingest_tally){0};
    enum yore_status st = apply_pass(walk, PASS_REMOVALS, error_out);
    if (st == YORE_OK) {
        st = apply_pass(walk, PASS_NODES, error_out);
    }
    if (st == YORE_OK) {
        st = apply_pass(walk, PASS_RELATIONSHIPS, error_out);
    }
    if (st != YORE_OK || walk->is_over) {
        return st;
    }
    st = YORE_CONFLICT;
    for (unsigned round = 0; st == YORE_CONFLICT && round < GRAPH_INGEST_ROUNDS_MAX; round++) {
        st = walk->ingest == NULL ? begin_part(walk, error_out) : YORE_OK;
        if (st != YORE_OK || walk->is_over) {
            return st;
        }
        st = end_walk(walk, walk->is_silence, error_out);
    }
    return st;
}

/* Two at a time would only make each other begin again. */
static enum yore_status apply_in_parts(struct walk *walk, bool is_silence,
                                       struct yore_error *error_out)
{
    walk->is_silence = is_silence;
    os_mutex_lock(&walk->graph->finishing);
    enum yore_status st = apply_parts(walk, error_out);
    os_mutex_unlock(&walk->graph->finishing);
    return st;
}

/* What ended meanwhile, by silence, is claimed again from then on. */
static int64_t moment_of_snapshot(const struct source *source)
{
    return source->expired_at > source->snapshot_at ? source->expired_at : source->snapshot_at;
}

static enum yore_status finish_decided(struct walk *walk, struct yore_error *error_out)
{
    walk->snapshot = walk->source.snapshot;
    walk->at = moment_of_snapshot(&walk->source);
    enum yore_status st = apply_in_parts(walk, false, error_out);
    return st == YORE_OK ? staged_clear(walk->graph, walk->source.token, walk->snapshot, error_out)
                         : st;
}

/* Silence: all at once, or in parts; begun again it finds less to do. */
static enum yore_status end_silent(struct walk *walk, int64_t at, struct yore_error *error_out)
{
    enum yore_status st = YORE_CONFLICT;
    bool is_full = false;
    walk->snapshot = 0;
    walk->at = at;
    for (unsigned round = 0; st == YORE_CONFLICT && round < GRAPH_INGEST_ROUNDS_MAX; round++) {
        error_clear(error_out);
        st = source_read(walk->graph, NULL, walk->source.token, &walk->source, error_out);
        if (st == YORE_OK && source_deadline(&walk->source) != at) {
            return YORE_OK; /* it has spoken meanwhile, or somebody has ended it */
        }
        if (st == YORE_OK) {
            st = apply_at_once(walk, true, &is_full, error_out);
        }
    }
    return st == YORE_OK && is_full ? apply_in_parts(walk, true, error_out) : st;
}

static void add_tally(struct yore_graph_ingest_tally *to,
                      const struct yore_graph_ingest_tally *more)
{
    if (to == NULL) {
        return;
    }
    to->words += more->words;
    to->unchanged += more->unchanged;
    to->nodes_created += more->nodes_created;
    to->nodes_deleted += more->nodes_deleted;
    to->relationships_created += more->relationships_created;
    to->relationships_deleted += more->relationships_deleted;
    to->pending_added += more->pending_added;
    to->pending_resolved += more->pending_resolved;
    to->commit = more->commit != 0 ? more->commit : to->commit;
}

enum yore_status sync_catch_up(struct graph *graph, uint32_t source, int64_t moment,
                               struct yore_graph_ingest_tally *tally, struct yore_error *error_out)
{
    struct walk walk = {.graph = graph, .durability = YORE_DURABILITY_DEFAULT};
    enum yore_status st = source_read(graph, NULL, source, &walk.source, error_out);
    if (st == YORE_OK && walk.source.phase == SOURCE_DECIDED) {
        st = finish_decided(&walk, error_out);
        add_tally(tally, &walk.tally);
        if (st == YORE_OK) {
            st = source_read(graph, NULL, source, &walk.source, error_out);
        }
    }
    if (st == YORE_OK && source_deadline(&walk.source) < moment) {
        st = end_silent(&walk, source_deadline(&walk.source), error_out);
        add_tally(tally, &walk.tally);
    }
    arena_release(&walk.arena);
    return st;
}

/* ---- snapshots ---- */

enum yore_status graph_sync_start(struct graph *graph, struct yore_bytes source, int64_t at,
                                  uint64_t *snapshot_out, struct yore_error *error_out)
{
    struct phase_change change = {.to = SOURCE_SENDING, .at = at};
    error_clear(error_out);
    *snapshot_out = 0;
    int64_t now = yore_now(graph->db);
    if (at != YORE_NOW && at > now) {
        return error_set(error_out, YORE_IN_FUTURE, "a snapshot's moment lies in the future");
    }
    enum yore_status st = source_token(graph, source, &change.token, error_out);
    for (unsigned round = 0; st == YORE_OK && round < GRAPH_INGEST_ROUNDS_MAX; round++) {
        change.is_stale = false;
        st = sync_catch_up(graph, change.token, at == YORE_NOW ? now : at, NULL, error_out);
        if (st == YORE_OK) {
            st = change_phase(graph, &change, error_out);
        }
        if (!change.is_stale) {
            break;
        }
    }
    if (st == YORE_OK && change.is_stale) {
        st =
            error_set(error_out, YORE_CONFLICT, "snapshots of the source are decided all the time");
    }
    if (st == YORE_OK && change.source.snapshot > 1) {
        st = staged_clear(graph, change.token, change.source.snapshot - 1, error_out);
    }
    *snapshot_out = st == YORE_OK ? change.source.snapshot : 0;
    return st;
}

enum yore_status graph_sync_send(struct graph *graph, const struct graph_speech *speech,
                                 uint64_t snapshot, struct yore_error *error_out)
{
    struct source source;
    uint32_t token = GRAPH_NO_TOKEN;
    struct yore_keyspace *staging = NULL;
    struct yore_batch *batch = NULL;
    error_clear(error_out);
    enum yore_status st = source_token(graph, speech->source, &token, error_out);
    if (st == YORE_OK) {
        st = source_read(graph, NULL, token, &source, error_out);
    }
    if (st == YORE_OK && (source.phase != SOURCE_SENDING || source.snapshot != snapshot)) {
        st = refuse_number(graph, speech->source, snapshot, error_out);
    }
    if (st == YORE_OK) {
        st = staging_open(graph, &staging, error_out);
    }
    if (st == YORE_OK) {
        st = yore_batch_new(graph->db, &batch, error_out);
    }
    if (st == YORE_OK) {
        st = stage_words(graph, speech, staged_prefix(graph, token, snapshot), staging, batch,
                         error_out);
    }
    if (st == YORE_OK) { /* the stop, later and durable, carries it along */
        st = yore_batch_commit(batch, YORE_DURABILITY_NONE, NULL, error_out);
    }
    yore_batch_free(batch);
    return st;
}

static enum yore_status stop(struct walk *walk, struct yore_bytes name, uint64_t snapshot,
                             struct yore_error *error_out)
{
    struct phase_change decide = {
        .token = walk->source.token, .to = SOURCE_DECIDED, .snapshot = snapshot};
    enum yore_status st = YORE_CONFLICT;
    bool is_full = false;
    for (unsigned round = 0; st == YORE_CONFLICT && round < GRAPH_INGEST_ROUNDS_MAX; round++) {
        error_clear(error_out);
        st = source_read(walk->graph, NULL, walk->source.token, &walk->source, error_out);
        if (st == YORE_OK &&
            (walk->source.phase != SOURCE_SENDING || walk->source.snapshot != snapshot)) {
            return refuse_number(walk->graph, name, snapshot, error_out);
        }
        walk->at = moment_of_snapshot(&walk->source);
        walk->snapshot = snapshot;
        if (st == YORE_OK) {
            st = apply_at_once(walk, false, &is_full, error_out);
        }
    }
    if (st != YORE_OK || !is_full) {
        return st;
    }
    st = change_phase(walk->graph, &decide, error_out);
    if (st == YORE_OK && decide.is_stale) {
        return refuse_number(walk->graph, name, snapshot, error_out);
    }
    return st == YORE_OK ? apply_in_parts(walk, false, error_out) : st;
}

enum yore_status graph_sync_stop(struct graph *graph, struct yore_bytes source, uint64_t snapshot,
                                 enum yore_durability durability,
                                 struct yore_graph_ingest_tally *tally_out,
                                 struct yore_error *error_out)
{
    struct walk walk = {.graph = graph, .durability = durability};
    error_clear(error_out);
    enum yore_status st = source_token(graph, source, &walk.source.token, error_out);
    uint32_t token = walk.source.token;
    if (st == YORE_OK) {
        st = stop(&walk, source, snapshot, error_out);
    }
    if (st == YORE_OK) {
        st = staged_clear(graph, token, snapshot, error_out);
    }
    if (st == YORE_OK && tally_out != NULL) {
        *tally_out = walk.tally;
    }
    arena_release(&walk.arena);
    return st;
}

enum yore_status graph_sync_abort(struct graph *graph, struct yore_bytes source, uint64_t snapshot,
                                  struct yore_error *error_out)
{
    struct phase_change change = {.to = SOURCE_IDLE, .snapshot = snapshot};
    error_clear(error_out);
    enum yore_status st = source_token(graph, source, &change.token, error_out);
    if (st == YORE_OK) {
        st = change_phase(graph, &change, error_out);
    }
    if (st == YORE_OK && change.is_stale) {
        return refuse_number(graph, source, snapshot, error_out);
    }
    return st == YORE_OK ? staged_clear(graph, change.token, snapshot, error_out) : st;
}

enum yore_status graph_source_end(struct graph *graph, struct yore_bytes source, int64_t at,
                                  struct yore_graph_ingest_tally *tally_out,
                                  struct yore_error *error_out)
{
    uint64_t snapshot = 0;
    enum yore_status st = graph_sync_start(graph, source, at, &snapshot, error_out);
    return st == YORE_OK ? graph_sync_stop(graph, source, snapshot, YORE_DURABILITY_DEFAULT,
                                           tally_out, error_out)
                         : st;
}
