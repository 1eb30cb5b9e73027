/* session_run.c -- statements and transactions. */
#include <stdio.h>
#include <string.h>

#include "base/moment.h"
#include "bolt/failure.h"
#include "bolt/session_internal.h"
#include "os/env.h"
#include "query/query_cache.h"
#include "topology/graph_pool.h"

static int64_t now_ns(void)
{
    return os_monotonic_ns(os_env_posix());
}

static bool is_in_txn(const struct bolt_session *session)
{
    return session->txn.is_open;
}

static void tell(struct bolt_session *session, const struct place *place, bool is_write,
                 bool is_denied, const char *code)
{
    const struct bolt_port *port = &session->server->options.port;
    struct bolt_event event = {.request = bolt_request_name((uint8_t)session->request.kind),
                               .graph = place_name(place),
                               .is_write = is_write,
                               .is_denied = is_denied,
                               .code = code};
    port->tell(port->arg, session->conn, &event);
}

/* A statement may find what it may not look at anywhere on its way. */
static void tell_denied(struct bolt_session *session, const struct place *place,
                        const struct query_error *error)
{
    if (strcmp(failure_code(error), FAILURE_FORBIDDEN) == 0) {
        tell(session, place, false, true, FAILURE_FORBIDDEN);
    }
}

/* ---- where ------------------------------------------------------------------------------------
 */

/* What a client that names no graph, or only a moment, means. */
static enum yore_status parse_place(const struct bolt_server *server, struct yore_bytes database,
                                    struct place *place_out, struct yore_error *error_out)
{
    char text[BOLT_DATABASE_BYTES_MAX + 1];
    const char *at = database.data;
    bool has_name = database.size > 0 && at[0] != '@';
    if (!has_name) {
        int size = snprintf(text, sizeof(text), "%s%.*s", server->options.graph,
                            (int)(database.size < sizeof(text) ? database.size : sizeof(text)),
                            database.size > 0 ? at : "");
        database = bytes_of(text, (size_t)size < sizeof(text) ? (size_t)size : sizeof(text) - 1);
    }
    return place_parse(database, yore_now(server->options.db), place_out, error_out);
}

static bool may_look(struct bolt_session *session, const struct place *place,
                     struct yore_error *error_out)
{
    const struct bolt_port *port = &session->server->options.port;
    const int64_t moments[] = {place->at.valid, place->at.known};
    for (size_t i = 0; place->is_past && i < 2; i++) {
        if (moments[i] != YORE_NOW && !port->may_look(port->arg, session->conn, moments[i])) {
            error_set(error_out, YORE_INVALID, "the user may not look that far into the past");
            return false;
        }
    }
    return true;
}

/* May the client read there (and write)?  False: it was answered. */
static bool check_rights(struct bolt_session *session, const struct place *place, bool writes,
                         struct buffer *out)
{
    const struct bolt_port *port = &session->server->options.port;
    struct yore_error error = {0};
    if (port->may(port->arg, session->conn, place_name(place), writes, &error) &&
        may_look(session, place, &error)) {
        return true;
    }
    tell(session, place, writes, true, FAILURE_FORBIDDEN);
    session_fail(session, out, FAILURE_FORBIDDEN, error.text);
    return false;
}

/* Rules change, and moments grow old, while a result is open.  False: it was answered. */
static bool check_result(struct bolt_session *session, const struct bolt_result *result,
                         struct buffer *out)
{
    const struct bolt_port *port = &session->server->options.port;
    if (!check_rights(session, &result->place, false, out)) {
        return false;
    }
    if (result->has_looked && !port->may_look(port->arg, session->conn, result->looked_at)) {
        tell(session, &result->place, false, true, FAILURE_FORBIDDEN);
        session_fail(session, out, FAILURE_FORBIDDEN,
                     "the user may not look that far into the past any more");
        return false;
    }
    return true;
}

/* Commits are seen by everybody when they are acknowledged, so a bookmark needs no waiting: it has
 * to be one of this database. */
static bool check_bookmarks(struct bolt_session *session, struct buffer *out)
{
    const struct yore_graph_list *bookmarks = &session->request.scope.bookmarks;
    int64_t now = yore_now(session->server->options.db);
    for (size_t i = 0; i < bookmarks->count; i++) {
        int64_t commit = 0;
        bool is_ours = bookmark_parse(bookmarks->items[i].as.string, &commit);
        if (!is_ours || commit > now) {
            session_fail(session, out, FAILURE_BOOKMARK,
                         is_ours ? "a bookmark is later than this database: it is another's"
                                 : "a bookmark is none of this database's: they begin with yore:");
            return false;
        }
    }
    return true;
}

/* The place of a RUN or BEGIN, with all that is asked of it before a statement is known.  False: it
 * was answered. */
static bool find_place(struct bolt_session *session, struct place *place, struct buffer *out)
{
    struct yore_error error = {0};
    if (parse_place(session->server, session->request.scope.database, place, &error) != YORE_OK) {
        session_fail(session, out, FAILURE_NO_GRAPH, error.text);
        return false;
    }
    return check_bookmarks(session, out);
}

/* Where clients are who name no graph: it is made by the first write, and empty before. */
static bool is_first_graph(const struct bolt_session *session, const struct place *place)
{
    return !place->is_past && bytes_are(place_name(place), session->server->options.graph);
}

/* The graph of a place; NULL: none is there, and it reads as an empty one.  False: it was answered.
 */
static bool open_graph(struct bolt_session *session, const struct place *place, bool creates,
                       struct graph **graph_out, struct buffer *out)
{
    struct query_error error = {0};
    enum yore_status st =
        graph_pool_get(session->server->options.graphs, place_name(place), creates,
                       place->is_past ? &place->at : NULL, graph_out, &error.error);
    if (st == YORE_NOT_FOUND && !creates && is_first_graph(session, place)) {
        return true;
    }
    if (st == YORE_NOT_FOUND || st == YORE_INVALID) {
        session_fail(session, out, FAILURE_NO_GRAPH, error.error.text);
    } else if (st != YORE_OK) {
        error.error.status = st;
        session_fail_query(session, out, &error);
    }
    return st == YORE_OK;
}

/* ---- BEGIN ------------------------------------------------------------------------------------
 */

static int64_t deadline_of(const struct bolt_scope *scope, int64_t now)
{
    uint64_t ms = scope->timeout_ms;
    return !scope->has_timeout || ms == 0 || ms > (uint64_t)(INT64_MAX - now) / 1000000
               ? INT64_MAX
               : now + (int64_t)ms * 1000000;
}

/* A transaction that only reads looks at one moment; one that writes is the graph's own. */
static bool open_txn(struct bolt_session *session, struct bolt_txn *txn, struct buffer *out)
{
    struct yore_error error = {0};
    enum yore_status st = YORE_OK;
    if (txn->is_read_only && !txn->place.is_past) {
        int64_t now = yore_now(session->server->options.db);
        txn->place.at = (struct yore_time){now, now};
    } else if (!txn->is_read_only) {
        st = graph_pool_get(session->server->options.graphs, place_name(&txn->place), false, NULL,
                            &txn->graph, &error);
        if (st == YORE_OK) {
            st = graph_begin(txn->graph, &txn->inner, &error);
        }
    }
    if (st == YORE_OK || st == YORE_NOT_FOUND) { /* the first statement that writes makes it */
        return true;
    }
    graph_pool_put(session->server->options.graphs, txn->graph);
    struct query_error told = {.error = error};
    if (st == YORE_INVALID) {
        session_fail(session, out, FAILURE_NO_GRAPH, error.text);
    } else {
        session_fail_query(session, out, &told);
    }
    return false;
}

void session_begin(struct bolt_session *session, struct buffer *out)
{
    const struct bolt_scope *scope = &session->request.scope;
    struct bolt_txn txn = {.is_open = true, .has_timeout = scope->has_timeout};
    if (!find_place(session, &txn.place, out) || !check_rights(session, &txn.place, false, out)) {
        return;
    }
    txn.is_read_only = scope->is_read_only || txn.place.is_past;
    txn.deadline_ns = deadline_of(scope, session->begun_ns);
    if (!open_txn(session, &txn, out)) {
        return;
    }
    session->txn = txn;
    session->next_result = 0;
    bolt_count(&session->server->transactions, 1);
    session->state = STATE_TX_READY;
    bolt_put_success(out);
}

/* False: its time is over, and that was answered. */
static bool check_deadline(struct bolt_session *session, struct buffer *out)
{
    if (!is_in_txn(session) || session->begun_ns <= session->txn.deadline_ns) {
        return true;
    }
    session_fail(session, out, FAILURE_TIMED_OUT,
                 "the transaction took longer than its timeout; nothing of it was written");
    return false;
}

/* ---- RUN --------------------------------------------------------------------------------------
 */

static bool is_interrupted(void *arg)
{
    return session_is_interrupted(arg);
}

static bool refuse_past_write(struct bolt_session *session, const struct place *place,
                              struct buffer *out)
{
    char moment[MOMENT_TEXT_BYTES];
    char text[YORE_ERROR_TEXT_BYTES];
    int64_t at = place->at.valid != YORE_NOW ? place->at.valid : place->at.known;
    snprintf(
        text, sizeof(text),
        "the statement writes, and database %.*s is the graph %.*s as of %s: the past cannot be "
        "written to; write to database %.*s",
        (int)place->text_size, place->text, (int)place->name_size, place->text,
        moment_format(at, moment), (int)place->name_size, place->text);
    session_fail(session, out, "Neo.ClientError.Statement.AccessMode", text);
    return false;
}

/* The statement of the request.  False: it was answered. */
static bool prepare(struct bolt_session *session, struct bolt_result *result, struct buffer *out)
{
    struct query_error error = {0};
    enum yore_status st = query_cache_get(session->server->options.queries, session->request.text,
                                          &result->query, &error);
    if (st == YORE_OK) {
        st = result_set_parameters(result, &session->request.parameters);
        error.error.status = st;
    }
    if (st != YORE_OK) {
        session_fail_query(session, out, &error);
        return false;
    }
    bool writes = query_type(result->query) != QUERY_READS;
    if (writes && result->place.is_past) {
        return refuse_past_write(session, &result->place, out);
    }
    return check_rights(session, &result->place, writes && !result->options.is_read_only, out);
}

/* The transaction, where one is open, on its graph once that is there.  False: it was answered. */
static bool begin_late(struct bolt_session *session, bool creates, struct buffer *out)
{
    struct bolt_txn *txn = &session->txn;
    struct query_error error = {0};
    if (txn->graph != NULL) {
        return true;
    }
    if (!open_graph(session, &txn->place, creates, &txn->graph, out)) {
        return false;
    }
    if (txn->graph != NULL && !txn->is_read_only &&
        graph_begin(txn->graph, &txn->inner, &error.error) != YORE_OK) {
        session_fail_query(session, out, &error);
        return false;
    }
    return true;
}

/* The graph it runs on; false: it was answered. */
static bool find_graph(struct bolt_session *session, struct bolt_result *result,
                       struct graph **graph_out, struct buffer *out)
{
    struct graph_pool *pool = session->server->options.graphs;
    bool creates = query_type(result->query) != QUERY_READS && !result->options.is_read_only;
    result->graphs = pool;
    if (is_in_txn(session)) {
        if (!begin_late(session, creates, out)) {
            return false;
        }
        *graph_out = session->txn.graph;
        result->options.txn = session->txn.inner;
    } else {
        if (!open_graph(session, &result->place, creates, &result->graph, out)) {
            return false;
        }
        *graph_out = result->graph;
    }
    if (*graph_out == NULL) { /* this statement's alone: the next one may make the graph */
        struct query_error error = {0};
        enum yore_status st =
            graph_pool_get_empty(pool, place_name(&result->place), &result->graph, &error.error);
        if (st != YORE_OK) {
            error.error.status = st;
            session_fail_query(session, out, &error);
            return false;
        }
        *graph_out = result->graph;
    }
    return true;
}

/* The moment at which a transaction that only reads looks is its present. */
static bool may_look_at(void *arg, int64_t moment)
{
    struct bolt_result *result = arg;
    const struct bolt_session *session = result->session;
    const struct bolt_port *port = &session->server->options.port;
    const struct bolt_txn *txn = &session->txn;
    if (txn->is_open && !txn->place.is_past && moment >= txn->place.at.valid) {
        return true;
    }
    result->looked_at =
        result->has_looked && result->looked_at < moment ? result->looked_at : moment;
    result->has_looked = true;
    return port->may_look(port->arg, session->conn, moment);
}

/* What is left of the transaction's time, or of the statement's own. */
static void set_budget(const struct bolt_session *session, struct bolt_result *result)
{
    const struct bolt_port *port = &session->server->options.port;
    const struct bolt_txn *txn = &session->txn;
    int64_t deadline = is_in_txn(session) ? txn->deadline_ns
                                          : deadline_of(&session->request.scope, session->begun_ns);
    struct query_budget *budget = &result->options.budget;
    port->limits(port->arg, &budget->time_ns, &budget->memory_bytes);
    result->is_timed = is_in_txn(session) ? txn->has_timeout : session->request.scope.has_timeout;
    result->is_timed = result->is_timed && deadline != INT64_MAX;
    if (result->is_timed) {
        uint64_t left = deadline > session->begun_ns ? (uint64_t)(deadline - session->begun_ns) : 1;
        budget->time_ns = left < BOLT_STATEMENT_NS_MAX ? left : BOLT_STATEMENT_NS_MAX;
    }
}

static void set_options(struct bolt_session *session, struct bolt_result *result)
{
    bool is_read_only =
        is_in_txn(session) ? session->txn.is_read_only : session->request.scope.is_read_only;
    result->session = session;
    result->is_in_txn = is_in_txn(session);
    result->id = session->next_result;
    result->begun_ns = session->begun_ns;
    result->options.at = result->place.at;
    result->options.durability = session->server->options.durability;
    result->options.is_read_only = is_read_only || result->place.is_past;
    result->options.is_cancelled = is_interrupted;
    result->options.cancel_arg = session;
    result->options.may_look = may_look_at;
    result->options.look_arg = result;
    set_budget(session, result);
}

static void attach(struct bolt_session *session, struct bolt_result *result)
{
    result->next = session->results;
    session->results = result;
    session->result_count++;
    session->result_bytes += result_bytes(result);
    session->next_result++;
    session->state = is_in_txn(session) ? STATE_TX_STREAMING : STATE_STREAMING;
    bolt_count(&session->server->statements, 1);
    if (!is_in_txn(session)) {
        bolt_count(&session->server->transactions, 1);
    }
}

/* False: it was answered. */
static bool run(struct bolt_session *session, struct bolt_result *result, struct buffer *out)
{
    struct graph *graph = NULL;
    struct query_error error = {0};
    set_options(session, result);
    if (!prepare(session, result, out) || !find_graph(session, result, &graph, out)) {
        return false;
    }
    enum yore_status st = result_run(result, graph, &error);
    bool is_write = query_type(result->query) != QUERY_READS;
    session->txn.has_written = session->txn.has_written || (is_in_txn(session) && is_write);
    if (is_write) {
        tell(session, &result->place, true, false, st != YORE_OK ? failure_code(&error) : NULL);
    }
    if (st != YORE_OK) {
        tell_denied(session, &result->place, &error);
        session_fail_query(session, out, &error);
        return false;
    }
    return true;
}

void session_run(struct bolt_session *session, struct buffer *out)
{
    if (!check_deadline(session, out)) {
        return;
    }
    if (session->result_count >= BOLT_RESULTS_MAX) {
        session_fail(session, out, FAILURE_REQUEST,
                     "a transaction has at most 1000 results open: read them, or give them up");
        return;
    }
    struct bolt_result *result = result_new(&session->arena);
    if (result == NULL) {
        session_fail(session, out, FAILURE_NOMEM, "out of memory");
        return;
    }
    if (is_in_txn(session)) {
        result->place = session->txn.place;
    } else {
        session->next_result = 0;
    }
    if ((!is_in_txn(session) && !find_place(session, &result->place, out)) ||
        !run(session, result, out)) {
        result->ran_ns = now_ns() - session->begun_ns;
        session_end_result(session, result);
        return;
    }
    attach(session, result);
    result->rested_ns = now_ns();
    result->ran_ns = result->rested_ns - session->begun_ns;
    result_put_begin(result, out, result->rested_ns, is_in_txn(session));
}

/* ---- PULL and DISCARD -------------------------------------------------------------------------
 */

static struct bolt_result *find_result(const struct bolt_session *session, int64_t id)
{
    struct bolt_result *result = session->results;
    while (result != NULL && id != -1 && result->id != id) {
        result = result->next;
    }
    return result;
}

static void detach(struct bolt_session *session, struct bolt_result *result)
{
    struct bolt_result **at = &session->results;
    while (*at != result) {
        at = &(*at)->next;
    }
    *at = result->next;
    session->result_count--;
    session->result_bytes -= result_bytes(result);
    session_end_result(session, result);
    if (!is_in_txn(session)) {
        atomic_fetch_sub_explicit(&session->server->transactions, 1, memory_order_relaxed);
        session->state = STATE_READY;
    } else {
        session->state = session->results != NULL ? STATE_TX_STREAMING : STATE_TX_READY;
    }
}

void session_pull(struct bolt_session *session, struct buffer *out)
{
    if (!check_deadline(session, out)) {
        return;
    }
    struct bolt_result *result = find_result(session, session->request.result);
    if (result == NULL) {
        session_fail(session, out, FAILURE_REQUEST, "no result of that number ('qid') is open");
        return;
    }
    session->pull = (struct bolt_pull){.result = result,
                                       .left = session->request.count,
                                       .discards = session->request.kind == BOLT_DISCARD};
    session_pull_on(session, out);
}

/* The result is at its end, or given up. */
static void end_pull(struct bolt_session *session, struct buffer *out)
{
    struct bolt_result *result = session->pull.result;
    enum yore_status st =
        result_put_end(result, out, &session->dialect, &session->scratch, now_ns());
    if (st != YORE_OK) {
        struct query_error error = {0};
        error_plain(&error.error, st);
        session_fail_query(session, out, &error);
        return;
    }
    session->pull = (struct bolt_pull){0};
    detach(session, result);
}

static enum yore_status put_row(struct bolt_session *session, struct buffer *out,
                                struct query_error *error)
{
    struct bolt_pull *pull = &session->pull;
    const struct yore_graph_value *row = NULL;
    enum yore_status st = result_next(pull->result, &row, error);
    if (st != YORE_OK) {
        return st;
    }
    pull->left -= pull->left > 0 ? 1 : 0;
    bolt_count(&session->server->rows, 1);
    if (!pull->discards) {
        st = result_put_record(pull->result, out, &session->dialect, &session->scratch, row);
        if (st != YORE_OK) {
            error_plain(&error->error, st);
        }
    }
    return st;
}

/* The rows asked for are told: are there more? */
static enum yore_status end_page(struct bolt_session *session, struct buffer *out,
                                 struct query_error *error)
{
    bool has_more = false;
    enum yore_status st = result_peek(session->pull.result, &has_more, error);
    if (st == YORE_OK && !has_more) {
        return YORE_NOT_FOUND;
    }
    if (st == YORE_OK) {
        session->pull = (struct bolt_pull){0};
        size_t begin = session_success(out, 1);
        pack_text(out, "has_more");
        pack_bool(out, true);
        frame_end(out, begin);
    }
    return st;
}

void session_pull_on(struct bolt_session *session, struct buffer *out)
{
    struct query_error error = {0};
    struct bolt_result *result = session->pull.result;
    enum yore_status st = YORE_OK;
    if (!check_result(session, result, out)) {
        return;
    }
    int64_t begun_ns = now_ns();
    result_resume(result, begun_ns);
    if (session->pull.discards && session->pull.left == -1) {
        st = YORE_NOT_FOUND; /* what nobody wants is not looked for */
    }
    while (st == YORE_OK && session->pull.result != NULL && !session_is_interrupted(session) &&
           out->size <= BOLT_OUTPUT_SOFT_BYTES) {
        st = session->pull.left == 0 ? end_page(session, out, &error)
                                     : put_row(session, out, &error);
    }
    result->ran_ns += now_ns() - begun_ns;
    if (st == YORE_NOT_FOUND) {
        end_pull(session, out);
    } else if (st != YORE_OK) {
        tell_denied(session, &result->place, &error);
        session_fail_query(session, out, &error);
    } else if (session_is_interrupted(session) && session->pull.result != NULL) {
        session_fail(session, out, FAILURE_TERMINATED, "the result was given up");
    } else {
        result->rested_ns = now_ns();
    }
}

/* ---- COMMIT and ROLLBACK ----------------------------------------------------------------------
 */

static void put_commit(struct buffer *out, int64_t commit)
{
    char text[BOOKMARK_TEXT_BYTES];
    size_t begin = session_success(out, commit != 0 ? 1 : 0);
    if (commit != 0) {
        pack_text(out, "bookmark");
        pack_text(out, bookmark_format(commit, text));
    }
    frame_end(out, begin);
}

void session_commit(struct bolt_session *session, struct buffer *out)
{
    struct bolt_txn *txn = &session->txn;
    struct query_error error = {0};
    if (!check_deadline(session, out) ||
        !check_rights(session, &txn->place, txn->has_written, out)) {
        return;
    }
    session->pull = (struct bolt_pull){0};
    while (session->results != NULL) { /* they look into the transaction */
        detach(session, session->results);
    }
    int64_t commit = txn->place.at.known != YORE_NOW ? txn->place.at.known : 0;
    enum yore_status st = YORE_OK;
    if (txn->inner != NULL) {
        struct graph_txn *inner = txn->inner;
        txn->inner = NULL;
        st = graph_commit(inner, session->server->options.durability, &commit, &error.error);
    }
    tell(session, &txn->place, !txn->is_read_only, false,
         st != YORE_OK ? failure_code(&error) : NULL);
    if (st != YORE_OK) {
        session_fail_query(session, out, &error);
        return;
    }
    session_let_go(session);
    session->state = STATE_READY;
    put_commit(out, commit);
}

void session_rollback(struct bolt_session *session, struct buffer *out)
{
    session_let_go(session);
    session->state = STATE_READY;
    bolt_put_success(out);
}
