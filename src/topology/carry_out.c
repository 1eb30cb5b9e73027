/* carry_out.c -- a snapshot, or the silence of a source, taken in as words.
 *
 * It is a walk over what was sent and over what the source claims at the snapshot's moment, both in
 * order of element and external id, which takes in the differences: in one transaction, or in
 * parts.  What is done already is no difference any more, so it can begin again anywhere.
 */
#include "topology/carry_out.h"

#include "topology/staging.h"

/* ---- walking over differences ---- */

enum pass { PASS_ALL, PASS_REMOVALS, PASS_NODES, PASS_RELATIONSHIPS };

struct walk {
    struct carry_out *work;
    struct graph *graph;
    enum pass pass;
    struct ingest *ingest;
    bool is_one; /* one transaction: stop when it is full */
    bool is_full;
    size_t count; /* of the transaction in hand */
    size_t bytes;
    struct arena arena; /* of one element */
    struct yore_cursor *staged;
    struct yore_cursor *claimed;
    size_t staged_skip; /* octets of the keys before element and external id */
    size_t claimed_skip;
};

static enum yore_status open_claimed(struct walk *walk, struct yore_error *error_out)
{
    struct yore_time at = {walk->work->at, YORE_NOW};
    struct graph_key prefix;
    graph_key_begin(&prefix, GRAPH_KEY_CLAIMED);
    graph_key_number(&prefix, walk->work->source.token);
    struct yore_cursor_options options = {
        .range = {.prefix = graph_key_bytes(&prefix)}, .at = &at, .keys_only = true};
    walk->claimed_skip = prefix.size;
    return yore_cursor_open(walk->graph->db, walk->graph->keyspace, &options, &walk->claimed,
                            error_out);
}

static enum yore_status open_walk(struct walk *walk, struct yore_error *error_out)
{
    enum yore_status st = open_claimed(walk, error_out);
    return st == YORE_OK && walk->work->snapshot != 0
               ? staging_cursor(walk->graph, walk->work->source.token, walk->work->snapshot,
                                &walk->staged, &walk->staged_skip, error_out)
               : st;
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
    struct yore_time at = {walk->work->at, YORE_NOW};
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
            st == YORE_OK && claim_equal(claims_find(&claims, walk->work->source.token), claim);
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
        claim_equal(claims_find(&claims, walk->work->source.token), claim)) {
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
    enum yore_status st = ingest_begin(walk->graph, walk->work->is_again, &walk->ingest, error_out);
    if (st == YORE_OK) {
        st = source_read(walk->graph, ingest_txn(walk->ingest)->engine, walk->work->source.token,
                         &source, error_out);
    }
    if (st == YORE_OK) {
        const struct carry_out *work = walk->work;
        walk->work->is_over =
            work->is_silence ? source_deadline(&source) != work->deadline
                             : !source_is_decided(&source) || source.snapshot != work->snapshot;
    }
    if (st != YORE_OK || walk->work->is_over) {
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
    enum yore_status st = ingest != NULL ? ingest_commit(ingest, walk->work->durability,
                                                         &walk->work->tally, error_out)
                                         : YORE_OK;
    return st == YORE_OK ? begin_part(walk, error_out) : st;
}

static enum yore_status take_difference(struct walk *walk, const struct element_name *name,
                                        const struct claim *claim, int64_t from,
                                        struct yore_error *error_out)
{
    struct claim_change change = {.element = name->element,
                                  .external_id = name->external_id,
                                  .source = walk->work->source.token,
                                  .claim = claim,
                                  .until = YORE_FOREVER,
                                  .from = from < walk->work->at ? from : walk->work->at,
                                  .to = YORE_FOREVER};
    bool is_full = walk->count == walk->graph->words_max || walk->bytes > GRAPH_INGEST_BYTES_MAX;
    if (is_full && walk->is_one) {
        walk->is_full = true;
        return YORE_OK;
    }
    enum yore_status st = is_full ? turn_over(walk, error_out) : YORE_OK;
    if (st == YORE_OK && walk->work->is_over) {
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
    return take_difference(walk, &name, NULL, walk->work->at, error_out);
}

static enum yore_status take_staged(struct walk *walk, struct yore_bytes tail, bool is_claimed,
                                    struct yore_error *error_out)
{
    struct element_name name;
    struct claim claim;
    int64_t begin;
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
    enum yore_status st = staging_decode(walk->graph, yore_cursor_row(walk->staged)->value,
                                         name.element, &walk->arena, &begin, &claim, error_out);
    if (st != YORE_OK) {
        return st;
    }
    claim.source = walk->work->source.token;
    claim.rank = walk->work->source.rank;
    st = is_claimed ? is_same_then(walk, &name, &claim, &is_same, error_out) : YORE_OK;
    if (st != YORE_OK || is_same) {
        walk->work->tally.unchanged += is_same;
        return st;
    }
    return take_difference(walk, &name, &claim, is_claimed ? walk->work->at : begin, error_out);
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

static void close_source(const struct carry_out *work, struct source *source)
{
    if (work->is_silence) {
        source->expired_at = work->deadline;
    } else {
        source->phase = SOURCE_IDLE;
        source->last_word = work->at > source->last_word ? work->at : source->last_word;
    }
}

static enum yore_status end_walk(struct walk *walk, struct yore_error *error_out)
{
    struct carry_out *work = walk->work;
    struct ingest *ingest = walk->ingest;
    struct source source;
    walk->ingest = NULL;
    enum yore_status st = source_read(walk->graph, ingest_txn(ingest)->engine, work->source.token,
                                      &source, error_out);
    if (st == YORE_OK) {
        close_source(work, &source);
        st = source_write(walk->graph, ingest_txn(ingest)->engine, &source, error_out);
    }
    if (st != YORE_OK) {
        ingest_abort(ingest);
        return st;
    }
    return ingest_commit(ingest, work->durability, &work->tally, error_out);
}

static enum yore_status apply_once(struct walk *walk, struct yore_error *error_out)
{
    const struct source *read = &walk->work->source;
    struct source source = {0};
    enum yore_status st = ingest_begin(walk->graph, walk->work->is_again, &walk->ingest, error_out);
    if (st == YORE_OK) { /* noted: nobody else speaks for it meanwhile */
        st = source_read(walk->graph, ingest_txn(walk->ingest)->engine, read->token, &source,
                         error_out);
    }
    if (st == YORE_OK && (source.snapshot != read->snapshot || source.phase != read->phase)) {
        st = error_plain(error_out, YORE_CONFLICT);
    }
    if (st == YORE_OK) {
        st = open_walk(walk, error_out);
    }
    if (st == YORE_OK) {
        st = walk_differences(walk, error_out);
    }
    close_walk(walk);
    if (st == YORE_OK && !walk->is_full) {
        return end_walk(walk, error_out);
    }
    ingest_abort(walk->ingest);
    walk->ingest = NULL;
    return st;
}

enum yore_status carry_out_at_once(struct carry_out *work, bool *is_full_out,
                                   struct yore_error *error_out)
{
    struct walk walk = {.work = work, .graph = work->graph, .pass = PASS_ALL, .is_one = true};
    work->tally = (struct yore_graph_ingest_tally){0};
    enum yore_status st = apply_once(&walk, error_out);
    *is_full_out = walk.is_full;
    arena_release(&walk.arena);
    return st;
}

/* How often a part is tried. */
static unsigned rounds_max(const struct walk *walk)
{
    return walk->work->gives_way ? 1 : GRAPH_INGEST_ROUNDS_MAX;
}

static enum yore_status apply_pass(struct walk *walk, enum pass pass, struct yore_error *error_out)
{
    enum yore_status st = YORE_CONFLICT;
    walk->pass = pass;
    walk->is_full = false;
    for (unsigned round = 0; st == YORE_CONFLICT && round < rounds_max(walk); round++) {
        error_clear(error_out);
        walk->work->is_again = round > 0;
        st = walk->work->is_over ? YORE_OK : turn_over(walk, error_out);
        if (st == YORE_OK && !walk->work->is_over) {
            st = open_walk(walk, error_out);
        }
        if (st == YORE_OK && !walk->work->is_over) {
            st = walk_differences(walk, error_out);
        }
        close_walk(walk);
        if (st == YORE_OK && !walk->work->is_over) {
            st = turn_over(walk, error_out);
        }
        if (st != YORE_OK) {
            ingest_abort(walk->ingest);
            walk->ingest = NULL;
        }
    }
    return st;
}

static enum yore_status apply_passes(struct walk *walk, struct yore_error *error_out)
{
    static const enum pass passes[] = {PASS_REMOVALS, PASS_NODES, PASS_RELATIONSHIPS};
    enum yore_status st = YORE_OK;
    for (size_t i = 0; st == YORE_OK && i < sizeof passes / sizeof passes[0]; i++) {
        st = apply_pass(walk, passes[i], error_out);
    }
    if (st != YORE_OK || walk->work->is_over) {
        return st;
    }
    st = YORE_CONFLICT;
    for (unsigned round = 0; st == YORE_CONFLICT && round < rounds_max(walk); round++) {
        walk->work->is_again = round > 0;
        st = walk->ingest == NULL ? begin_part(walk, error_out) : YORE_OK;
        if (st != YORE_OK || walk->work->is_over) {
            return st;
        }
        st = end_walk(walk, error_out);
    }
    return st;
}

enum yore_status carry_out_in_parts(struct carry_out *work, struct yore_error *error_out)
{
    struct walk walk = {.work = work, .graph = work->graph};
    work->tally = (struct yore_graph_ingest_tally){0};
    work->is_over = false;
    os_mutex_lock(&work->graph->finishing); /* two would only make each other begin again */
    enum yore_status st = apply_passes(&walk, error_out);
    os_mutex_unlock(&work->graph->finishing);
    arena_release(&walk.arena);
    return st;
}
