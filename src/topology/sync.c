/* sync.c -- snapshots of a source, silence, and who carries out what was decided.
 *
 *   idle --start--> sending --stop--> idle         the difference is one transaction
 *                      |       \--stop--> decided --> idle      it is too large for one
 *                      |                     | ^
 *                      |              refused: tried again by settling
 *                      |                     |
 *                      \--abort, start-->----+--abort, start--> idle, sending
 *
 * What is sent waits outside of the graph (staging.c); to stop is to take in what differs from what
 * the source claims at the snapshot's moment (carry_out.c).  A decided snapshot is carried out in
 * parts, by the stop or by whoever comes after a crash.  A source's end, by silence or by word, is
 * a snapshot in which nothing was sent.
 *
 * Carrying out in parts may meet what the graph will not have, a value that is there already, say,
 * when some parts are there and seen.  Then the source says so to all its words until somebody has
 * mended it and settles, or gives the rest up: what was carried out stays, and the next snapshot
 * replaces all.
 */
#include "topology/sync.h"

#include <stdio.h>

#include "topology/carry_out.h"
#include "topology/staging.h"

/* ---- phases ---- */

/* A source's name for an error text. */
static const char *source_name(struct graph *graph, uint32_t token, char text[KEY_TEXT_BYTES])
{
    return key_text(graph_token_name(graph, GRAPH_SOURCE, token), text);
}

static enum yore_status refuse_number(const struct graph *graph, struct yore_bytes name,
                                      uint64_t snapshot, struct yore_error *error_out)
{
    char text[KEY_TEXT_BYTES];
    return error_set(error_out, YORE_CONFLICT,
                     "graph %s: snapshot %llu of source %s is not under way: it was stopped or "
                     "aborted, or another one has begun",
                     graph->name, (unsigned long long)snapshot, key_text(name, text));
}

/* A decided snapshot was refused: what, where, and what can be done. */
static enum yore_status refuse_refused(struct graph *graph, const struct source *source,
                                       struct yore_error *error_out)
{
    char name[KEY_TEXT_BYTES];
    return error_set(error_out, source->refusal,
                     "graph %.60s: snapshot %llu of source %.60s is refused; mend it, such as by "
                     "dropping a constraint, and settle the graph, or abort the snapshot: %s",
                     graph->name, (unsigned long long)source->snapshot,
                     source_name(graph, source->token, name), source->refusal_text);
}

/* Does trying again, with the same graph and words, end the same? */
static bool is_lasting(enum yore_status st)
{
    return st == YORE_EXISTS || st == YORE_INVALID || st == YORE_TOO_BIG ||
           st == YORE_UNSUPPORTED || st == YORE_IN_FUTURE || st == YORE_BEFORE_HORIZON ||
           st == YORE_CORRUPT;
}

/* A change of the source's record in a commit of its own. */
struct phase_change {
    uint32_t token;
    enum source_phase to;
    int64_t at;                       /* to SENDING: the snapshot's moment */
    uint64_t snapshot;                /* to the others: which must be under way */
    const struct yore_error *refusal; /* to REFUSED: why */
    struct source source;
    bool is_stale;
};

static void start_sending(struct source *source, int64_t at)
{
    source->snapshot++;
    source->snapshot_at = at;
    source->last_word = at > source->last_word ? at : source->last_word;
}

/* May the source go over to another phase? */
static bool may_change(const struct source *source, const struct phase_change *change)
{
    bool is_number = source->snapshot == change->snapshot;
    switch (change->to) {
    case SOURCE_SENDING:
        return source->phase != SOURCE_DECIDED; /* that one is acknowledged */
    case SOURCE_DECIDED:
        return is_number && source->phase == SOURCE_SENDING;
    case SOURCE_REFUSED:
        return is_number && source_is_decided(source);
    default:
        return is_number && (source->phase == SOURCE_SENDING || source->phase == SOURCE_REFUSED);
    }
}

static void make_change(struct source *source, const struct phase_change *change, int64_t now)
{
    if (change->to == SOURCE_SENDING) {
        start_sending(source, change->at == YORE_NOW ? now : change->at);
    } else if (change->to == SOURCE_REFUSED) {
        source->refusal = change->refusal->status;
        (void)snprintf(source->refusal_text, sizeof source->refusal_text, "%.*s",
                       SOURCE_REFUSAL_BYTES_MAX, change->refusal->text);
    } else if (change->to == SOURCE_IDLE && source->phase == SOURCE_REFUSED) {
        source->snapshot++; /* who is carrying it out sees that it was not: the number is gone */
    }
    source->phase = change->to;
}

static enum yore_status try_phase(struct graph *graph, struct phase_change *change,
                                  struct yore_error *error_out)
{
    struct yore_txn *txn = NULL;
    struct source *source = &change->source;
    enum yore_status st = yore_begin(graph->db, &txn, error_out);
    if (st == YORE_OK) {
        st = source_read(graph, txn, change->token, source, error_out);
    }
    change->is_stale = st == YORE_OK && !may_change(source, change);
    if (st == YORE_OK && !change->is_stale) {
        make_change(source, change, yore_txn_time(txn).valid);
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

/* Nothing can be written before the horizon: what is due there happens at it. */
static enum yore_status writable_from(struct graph *graph, int64_t *moment,
                                      struct yore_error *error_out)
{
    int64_t begin;
    enum yore_status st = graph_begin_of_time(graph, &begin, error_out);
    *moment = st == YORE_OK && begin > *moment ? begin : *moment;
    return st;
}

static enum yore_status hand_on(const struct yore_error *error, enum yore_status st,
                                struct yore_error *error_out)
{
    if (error_out != NULL) {
        *error_out = *error;
    }
    return st;
}

/* In parts; what the graph will not have is noted, and told as refuse_refused() does. */
static enum yore_status carry_out_decided(struct carry_out *work, struct yore_error *error_out)
{
    struct yore_error cause = {.text = ""};
    work->at = moment_of_snapshot(&work->source);
    enum yore_status st = writable_from(work->graph, &work->at, error_out);
    if (st != YORE_OK) {
        return st;
    }
    st = carry_out_in_parts(work, &cause);
    if (st == YORE_OK || !is_lasting(st)) {
        return hand_on(&cause, st, error_out);
    }
    struct phase_change refuse = {.token = work->source.token,
                                  .to = SOURCE_REFUSED,
                                  .snapshot = work->snapshot,
                                  .refusal = &cause};
    enum yore_status noted = change_phase(work->graph, &refuse, error_out);
    if (noted != YORE_OK) {
        return noted;
    }
    return refuse.is_stale ? hand_on(&cause, st, error_out)
                           : refuse_refused(work->graph, &refuse.source, error_out);
}

/* A snapshot that was decided, and unless `settles` not refused.  Who settles gives way to whoever
 * is at it: two would throw away each other's parts. */
static enum yore_status finish_decided(struct graph *graph, uint32_t token, bool settles,
                                       struct yore_graph_ingest_tally *tally,
                                       struct yore_error *error_out)
{
    struct carry_out work = {.graph = graph, .durability = YORE_DURABILITY_DEFAULT};
    enum yore_status st = source_read(graph, NULL, token, &work.source, error_out);
    bool is_due =
        work.source.phase == SOURCE_DECIDED || (settles && source_is_decided(&work.source));
    if (st != YORE_OK || !is_due) {
        return st;
    }
    work.snapshot = work.source.snapshot;
    work.gives_way = settles;
    st = carry_out_decided(&work, error_out);
    add_tally(tally, &work.tally);
    return st == YORE_OK ? staging_clear(graph, token, work.snapshot, error_out) : st;
}

static enum yore_status try_silence(struct carry_out *work, bool *is_full_out,
                                    struct yore_error *error_out)
{
    *is_full_out = false;
    enum yore_status st =
        source_read(work->graph, NULL, work->source.token, &work->source, error_out);
    if (st == YORE_OK && source_deadline(&work->source) != work->deadline) {
        return YORE_OK; /* it has spoken meanwhile, or somebody has ended it */
    }
    work->at = work->deadline;
    if (st == YORE_OK) {
        st = writable_from(work->graph, &work->at, error_out);
    }
    return st == YORE_OK ? carry_out_at_once(work, is_full_out, error_out) : st;
}

/* If it was silent too long before `moment`: all at once, or in parts; begun again it finds less to
 * do. */
static enum yore_status end_silent(struct graph *graph, uint32_t token, int64_t moment,
                                   struct yore_graph_ingest_tally *tally,
                                   struct yore_error *error_out)
{
    struct carry_out work = {
        .graph = graph, .is_silence = true, .durability = YORE_DURABILITY_DEFAULT};
    bool is_full = false;
    enum yore_status st = source_read(graph, NULL, token, &work.source, error_out);
    if (st != YORE_OK || source_deadline(&work.source) >= moment) {
        return st;
    }
    work.deadline = source_deadline(&work.source);
    st = YORE_CONFLICT;
    for (unsigned round = 0; st == YORE_CONFLICT && round < GRAPH_INGEST_ROUNDS_MAX; round++) {
        error_clear(error_out);
        work.is_again = round > 0;
        st = try_silence(&work, &is_full, error_out);
    }
    if (st == YORE_OK && is_full) {
        st = carry_out_in_parts(&work, error_out);
    }
    add_tally(tally, &work.tally);
    return st;
}

enum yore_status sync_catch_up(struct graph *graph, uint32_t source, int64_t moment,
                               struct yore_error *error_out)
{
    struct source read;
    enum yore_status st = source_read(graph, NULL, source, &read, error_out);
    if (st == YORE_OK && read.phase == SOURCE_REFUSED) {
        return refuse_refused(graph, &read, error_out);
    }
    if (st == YORE_OK) {
        st = finish_decided(graph, source, false, NULL, error_out);
    }
    return st == YORE_OK ? end_silent(graph, source, moment, NULL, error_out) : st;
}

enum yore_status sync_settle(struct graph *graph, uint32_t source, int64_t moment,
                             struct yore_graph_ingest_tally *tally, struct yore_error *error_out)
{
    struct yore_error ignored;
    enum yore_status refused = finish_decided(graph, source, true, tally, error_out);
    if (refused == YORE_CONFLICT) {
        error_clear(error_out);
        return YORE_OK; /* others are at it */
    }
    if (refused != YORE_OK && !is_lasting(refused)) {
        return refused;
    }
    enum yore_status st =
        end_silent(graph, source, moment, tally, refused == YORE_OK ? error_out : &ignored);
    return refused == YORE_OK ? st : refused;
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
        st = finish_decided(graph, change.token, false, NULL, error_out);
        st = is_lasting(st) ? YORE_OK : st; /* given up for this one */
        if (st == YORE_OK) {
            st = end_silent(graph, change.token, at == YORE_NOW ? now : at, NULL, error_out);
        }
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

/* Somebody else has ended it: was it carried out, or given up? */
static enum yore_status check_done(const struct carry_out *work, struct yore_bytes name,
                                   struct yore_error *error_out)
{
    struct source source;
    enum yore_status st = source_read(work->graph, NULL, work->source.token, &source, error_out);
    return st == YORE_OK && source.snapshot != work->snapshot
               ? refuse_number(work->graph, name, work->snapshot, error_out)
               : st;
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
        work->is_again = round > 0;
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
    if (st == YORE_OK) {
        st = carry_out_decided(work, error_out);
    }
    return st == YORE_OK && work->is_over ? check_done(work, name, error_out) : st;
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
