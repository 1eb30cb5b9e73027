/* sync.c -- snapshots of a source, silence, and who carries out what was decided.
 *
 *   idle --start--> sending --stop--> idle         the difference is one transaction
 *                      |       \--stop--> decided --> idle      it is too large for one
 *                      \--abort, start--> idle, sending
 *
 * What is sent waits outside of the graph (staging.c); to stop is to take in what differs from what
 * the source claims at the snapshot's moment (carry_out.c).  A decided snapshot is carried out in
 * parts, by the stop or by whoever comes after a crash.  A source's end, by silence or by word, is
 * a snapshot in which nothing was sent.
 */
#include "topology/sync.h"

#include "topology/carry_out.h"
#include "topology/staging.h"

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

/* ---- carrying out ---- */

/* What ended meanwhile, by silence, is claimed again from then on. */
static int64_t moment_of_snapshot(const struct source *source)
{
    return source->expired_at > source->snapshot_at ? source->expired_at : source->snapshot_at;
}

static enum yore_status finish_decided(struct carry_out *work, struct yore_error *error_out)
{
    work->snapshot = work->source.snapshot;
    work->is_silence = false;
    work->at = moment_of_snapshot(&work->source);
    enum yore_status st = carry_out_in_parts(work, error_out);
    return st == YORE_OK ? staging_clear(work->graph, work->source.token, work->snapshot, error_out)
                         : st;
}

/* Silence: all at once, or in parts; begun again it finds less to do. */
static enum yore_status end_silent(struct carry_out *work, int64_t at, struct yore_error *error_out)
{
    enum yore_status st = YORE_CONFLICT;
    bool is_full = false;
    work->snapshot = 0;
    work->is_silence = true;
    work->at = at;
    for (unsigned round = 0; st == YORE_CONFLICT && round < GRAPH_INGEST_ROUNDS_MAX; round++) {
        error_clear(error_out);
        st = source_read(work->graph, NULL, work->source.token, &work->source, error_out);
        if (st == YORE_OK && source_deadline(&work->source) != at) {
            return YORE_OK; /* it has spoken meanwhile, or somebody has ended it */
        }
        if (st == YORE_OK) {
            st = carry_out_at_once(work, &is_full, error_out);
        }
    }
    return st == YORE_OK && is_full ? carry_out_in_parts(work, error_out) : st;
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
    struct carry_out work = {.graph = graph, .durability = YORE_DURABILITY_DEFAULT};
    enum yore_status st = source_read(graph, NULL, source, &work.source, error_out);
    if (st == YORE_OK && work.source.phase == SOURCE_DECIDED) {
        st = finish_decided(&work, error_out);
        add_tally(tally, &work.tally);
        if (st == YORE_OK) {
            st = source_read(graph, NULL, source, &work.source, error_out);
        }
    }
    if (st == YORE_OK && source_deadline(&work.source) < moment) {
        st = end_silent(&work, source_deadline(&work.source), error_out);
        add_tally(tally, &work.tally);
    }
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
        st = staging_clear(graph, change.token, change.source.snapshot - 1, error_out);
    }
    *snapshot_out = st == YORE_OK ? change.source.snapshot : 0;
    return st;
}

enum yore_status graph_sync_send(struct graph *graph, const struct graph_speech *speech,
                                 uint64_t snapshot, struct yore_error *error_out)
{
    struct source source;
    uint32_t token = GRAPH_NO_TOKEN;
    error_clear(error_out);
    enum yore_status st = source_token(graph, speech->source, &token, error_out);
    if (st == YORE_OK) {
        st = source_read(graph, NULL, token, &source, error_out);
    }
    if (st == YORE_OK && (source.phase != SOURCE_SENDING || source.snapshot != snapshot)) {
        st = refuse_number(graph, speech->source, snapshot, error_out);
    }
    return st == YORE_OK ? staging_put(graph, speech, token, snapshot, error_out) : st;
}

static enum yore_status stop(struct carry_out *work, struct yore_bytes name,
                             struct yore_error *error_out)
{
    struct phase_change decide = {
        .token = work->source.token, .to = SOURCE_DECIDED, .snapshot = work->snapshot};
    enum yore_status st = YORE_CONFLICT;
    bool is_full = false;
    for (unsigned round = 0; st == YORE_CONFLICT && round < GRAPH_INGEST_ROUNDS_MAX; round++) {
        error_clear(error_out);
        st = source_read(work->graph, NULL, work->source.token, &work->source, error_out);
        if (st == YORE_OK &&
            (work->source.phase != SOURCE_SENDING || work->source.snapshot != work->snapshot)) {
            return refuse_number(work->graph, name, work->snapshot, error_out);
        }
        work->at = moment_of_snapshot(&work->source);
        if (st == YORE_OK) {
            st = carry_out_at_once(work, &is_full, error_out);
        }
    }
    if (st != YORE_OK || !is_full) {
        return st;
    }
    st = change_phase(work->graph, &decide, error_out);
    if (st == YORE_OK && decide.is_stale) {
        return refuse_number(work->graph, name, work->snapshot, error_out);
    }
    return st == YORE_OK ? carry_out_in_parts(work, error_out) : st;
}

enum yore_status graph_sync_stop(struct graph *graph, struct yore_bytes source, uint64_t snapshot,
                                 enum yore_durability durability,
                                 struct yore_graph_ingest_tally *tally_out,
                                 struct yore_error *error_out)
{
    struct carry_out work = {.graph = graph, .snapshot = snapshot, .durability = durability};
    error_clear(error_out);
    enum yore_status st = source_token(graph, source, &work.source.token, error_out);
    uint32_t token = work.source.token;
    if (st == YORE_OK) {
        st = stop(&work, source, error_out);
    }
    if (st == YORE_OK) {
        st = staging_clear(graph, token, snapshot, error_out);
    }
    if (st == YORE_OK && tally_out != NULL) {
        *tally_out = work.tally;
    }
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
    return st == YORE_OK ? staging_clear(graph, change.token, snapshot, error_out) : st;
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
