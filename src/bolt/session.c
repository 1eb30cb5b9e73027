#include "bolt/session.h"

#include <stdio.h>
#include <string.h>

#include "base/hide.h"
#include "base/mem.h"
#include "bolt/failure.h"
#include "bolt/session_internal.h"
#include "os/env.h"
#include "query/zone.h"
#include "topology/graph_pool.h"

#define ARENA_CHUNK_BYTES 4096u

/* ---- opening and closing ----------------------------------------------------------------------
 */

enum yore_status bolt_session_new(struct bolt_server *server, void *conn, const char *address,
                                  struct bolt_session **session_out)
{
    struct bolt_session *session = mem_zalloc(sizeof(*session));
    *session_out = session;
    if (session == NULL) {
        return YORE_NOMEM;
    }
    session->server = server;
    session->conn = conn;
    session->id = atomic_fetch_add_explicit(&server->next_id, 1, memory_order_relaxed) + 1;
    snprintf(session->address, sizeof(session->address), "%s", address);
    arena_init(&session->arena, ARENA_CHUNK_BYTES);
    arena_init(&session->scratch, ARENA_CHUNK_BYTES);
    bolt_count(&server->session_count, 1);
    os_mutex_lock(&server->lock);
    session->behind = server->sessions;
    if (session->behind != NULL) {
        session->behind->before = session;
    }
    server->sessions = session;
    os_mutex_unlock(&server->lock);
    return YORE_OK;
}

void bolt_session_free(struct bolt_session *session)
{
    if (session == NULL) {
        return;
    }
    struct bolt_server *server = session->server;
    bool holds = bolt_session_is_busy(session);
    frame_reader_release(&session->reader);
    arena_release(&session->arena);
    arena_release(&session->scratch);
    os_mutex_lock(&server->lock);
    if (session->before != NULL) {
        session->before->behind = session->behind;
    } else {
        server->sessions = session->behind;
    }
    if (session->behind != NULL) {
        session->behind->before = session->before;
    }
    if (holds) {
        session->behind = server->gone;
        server->gone = session;
    }
    os_mutex_unlock(&server->lock);
    atomic_fetch_sub_explicit(&server->session_count, 1, memory_order_relaxed);
    if (!holds) {
        session_destroy(session);
    }
}

void session_destroy(struct bolt_session *session)
{
    session_let_go(session);
    zone_cache_free(session->zones);
    mem_free(session);
}

bool bolt_session_is_trusted(const struct bolt_session *session)
{
    return session->state >= STATE_READY && session->state != STATE_DEFUNCT;
}

bool bolt_session_is_busy(const struct bolt_session *session)
{
    return session->txn.is_open || session->results != NULL;
}

bool bolt_session_is_at_work(const struct bolt_session *session)
{
    return session->pull.result != NULL || session->reader.is_whole;
}

static size_t arena_bytes(const struct arena *arena)
{
    return atomic_load_explicit(&arena->bytes, memory_order_relaxed);
}

size_t bolt_session_kept_bytes(const struct bolt_session *session)
{
    return session->reader.message.capacity + arena_bytes(&session->arena) +
           arena_bytes(&session->scratch) + session->result_bytes;
}

void bolt_session_arrived(struct bolt_session *session, struct yore_bytes octets)
{
    frame_watch_see(&session->watch, octets);
    atomic_store_explicit(&session->resets_seen, session->watch.resets, memory_order_relaxed);
    atomic_store_explicit(&session->has_said_goodbye, session->watch.has_said_goodbye,
                          memory_order_relaxed);
}

/* ---- what all requests end with ---------------------------------------------------------------
 */

size_t session_success(struct buffer *to, size_t count)
{
    size_t begin = frame_begin(to);
    pack_structure(to, 1, BOLT_SUCCESS);
    pack_map(to, count);
    return begin;
}

void session_end_result(struct bolt_session *session, struct bolt_result *result)
{
    const struct bolt_port *port = &session->server->options.port;
    port->ran(port->arg, result->ran_ns);
    result_free(result);
}

void session_let_go(struct bolt_session *session)
{
    session->pull = (struct bolt_pull){0};
    while (session->results != NULL) {
        struct bolt_result *result = session->results;
        session->results = result->next;
        session_end_result(session, result);
        if (!session->txn.is_open) {
            atomic_fetch_sub_explicit(&session->server->transactions, 1, memory_order_relaxed);
        }
    }
    session->result_count = 0;
    session->result_bytes = 0;
    if (session->txn.is_open) {
        if (session->txn.inner != NULL) {
            graph_abort(session->txn.inner);
        }
        graph_pool_put(session->server->options.graphs, session->txn.graph);
        session->txn.is_open = false;
        atomic_fetch_sub_explicit(&session->server->transactions, 1, memory_order_relaxed);
    }
}

void session_fail(struct bolt_session *session, struct buffer *out, const char *code,
                  const char *text)
{
    session_let_go(session);
    bolt_count(&session->server->failures, 1);
    session->state = STATE_FAILED;
    char told[YORE_ERROR_TEXT_BYTES];
    snprintf(told, sizeof(told), "%s", text);
    hide_dir(told, session->server->options.path);
    bolt_put_failure(out, code, told);
}

void session_fail_query(struct bolt_session *session, struct buffer *out,
                        const struct query_error *error)
{
    session_fail(session, out, failure_code(error), error->error.text);
}

void session_refuse(struct bolt_session *session, struct buffer *out, const char *code,
                    const char *text)
{
    session_fail(session, out, code, text);
    session->state = STATE_DEFUNCT;
}

/* ---- handshake --------------------------------------------------------------------------------
 */

static enum bolt_next take_handshake(struct bolt_session *session, struct bolt_turn *turn)
{
    struct yore_bytes rest = bytes_behind(turn->input, turn->consumed);
    size_t size = BOLT_HANDSHAKE_BYTES - session->handshake_size;
    size = size < rest.size ? size : rest.size;
    if (size > 0) {
        memcpy(session->handshake + session->handshake_size, rest.data, size);
    }
    session->handshake_size += size;
    turn->consumed += size;
    if (!bolt_handshake_begins(session->handshake, (unsigned)session->handshake_size)) {
        session->state = STATE_DEFUNCT;
        return BOLT_CLOSE;
    }
    if (session->handshake_size < BOLT_HANDSHAKE_BYTES) {
        return BOLT_INPUT;
    }
    unsigned char answer[BOLT_VERSION_ANSWER_BYTES];
    session->version = bolt_version_choose(session->handshake);
    bolt_version_answer(session->version, answer);
    buffer_append(turn->out, answer, sizeof(answer));
    bool is_since_5 = bolt_version_is_since(session->version, 5, 0);
    session->dialect = (struct pack_dialect){.has_utc = is_since_5, .has_element_ids = is_since_5};
    session->state = session->version.major != 0 ? STATE_NEGOTIATION : STATE_DEFUNCT;
    return session->version.major != 0 ? BOLT_ROOM : BOLT_CLOSE;
}

/* ---- requests ---------------------------------------------------------------------------------
 */

#define IN(state) (1u << STATE_##state)
#define LOGGED_IN (IN(READY) | IN(STREAMING) | IN(TX_READY) | IN(TX_STREAMING) | IN(FAILED))

/* What each request needs. */
struct request_rule {
    enum bolt_request_kind kind;
    uint32_t states; /* in which it is taken */
    enum bolt_pace pace;
    void (*answer)(struct bolt_session *session, struct buffer *out);
};

static void answer_reset(struct bolt_session *session, struct buffer *out)
{
    session_let_go(session);
    session->resets_done++;
    session->state = STATE_READY;
    bolt_put_success(out);
}

static void answer_goodbye(struct bolt_session *session, struct buffer *out)
{
    (void)out;
    session->state = STATE_DEFUNCT;
}

static void answer_telemetry(struct bolt_session *session, struct buffer *out)
{
    (void)session;
    bolt_put_success(out);
}

static const struct request_rule RULES[] = {
    {BOLT_HELLO, IN(NEGOTIATION), BOLT_LOGIN, session_hello},
    {BOLT_LOGON, IN(AUTHENTICATION), BOLT_LOGIN, session_logon},
    {BOLT_LOGOFF, IN(READY), BOLT_QUICK, session_logoff},
    {BOLT_GOODBYE, ~0u, BOLT_QUICK, answer_goodbye},
    {BOLT_RESET, LOGGED_IN, BOLT_QUICK, answer_reset},
    {BOLT_ROUTE, IN(READY), BOLT_QUICK, session_route},
    {BOLT_TELEMETRY, IN(READY), BOLT_QUICK, answer_telemetry},
    {BOLT_BEGIN, IN(READY), BOLT_LONG, session_begin},
    {BOLT_RUN, IN(READY) | IN(TX_READY) | IN(TX_STREAMING), BOLT_LONG, session_run},
    {BOLT_PULL, IN(STREAMING) | IN(TX_STREAMING), BOLT_LONG, session_pull},
    {BOLT_DISCARD, IN(STREAMING) | IN(TX_STREAMING), BOLT_LONG, session_pull},
    {BOLT_COMMIT, IN(TX_READY) | IN(TX_STREAMING), BOLT_LONG, session_commit},
    {BOLT_ROLLBACK, IN(TX_READY) | IN(TX_STREAMING), BOLT_LONG, session_rollback},
};

static const struct request_rule *find_rule(uint8_t signature)
{
    for (size_t i = 0; i < sizeof(RULES) / sizeof(RULES[0]); i++) {
        if ((uint8_t)RULES[i].kind == signature) {
            return &RULES[i];
        }
    }
    return NULL;
}

/* After a failure, or while a RESET is on its way, everything else is passed over. */
static bool is_ignored(const struct bolt_session *session, uint8_t signature)
{
    bool is_logged_in = (LOGGED_IN & (1u << session->state)) != 0;
    return is_logged_in && signature != BOLT_RESET && signature != BOLT_GOODBYE &&
           bolt_request_name(signature) != NULL &&
           (session->state == STATE_FAILED || session_is_interrupted(session));
}

static bool is_taken(const struct bolt_session *session, const struct request_rule *rule)
{
    return rule != NULL && (rule->states & (1u << session->state)) != 0;
}

/* Where what may be open is ended: transactions and results may touch the disk as they go. */
static enum bolt_pace pace_of_end(const struct bolt_session *session)
{
    return bolt_session_is_busy(session) ? BOLT_LONG : BOLT_QUICK;
}

static enum bolt_pace pace_of(const struct bolt_session *session, uint8_t signature)
{
    const struct request_rule *rule = find_rule(signature);
    if (is_ignored(session, signature)) {
        return BOLT_QUICK;
    }
    if (!is_taken(session, rule) || signature == BOLT_RESET) {
        return pace_of_end(session);
    }
    if (signature == BOLT_HELLO && bolt_version_is_since(session->version, 5, 1)) {
        return BOLT_QUICK; /* it has no password */
    }
    return rule->pace;
}

static void refuse_state(struct bolt_session *session, uint8_t signature, struct buffer *out)
{
    static const char *const names[] = {"before the handshake",
                                        "before HELLO",
                                        "before LOGON",
                                        "while nothing is open",
                                        "while a result is open",
                                        "in a transaction without an open result",
                                        "in a transaction with an open result",
                                        "after a failure",
                                        "at the end"};
    char text[200];
    snprintf(text, sizeof(text), "%s is not taken %s", bolt_request_name(signature),
             names[session->state]);
    session_refuse(session, out, FAILURE_REQUEST, text);
}

/* Decode the message and answer it; its state takes it. */
static void answer(struct bolt_session *session, const struct request_rule *rule,
                   struct buffer *out)
{
    bool is_trusted = bolt_session_is_trusted(session);
    struct unpacker unpacker = {.input = buffer_bytes(&session->reader.message),
                                .arena = &session->arena,
                                .memory_left = is_trusted ? BOLT_DECODED_BYTES_MAX
                                                          : BOLT_DECODED_LOGIN_BYTES_MAX,
                                .dialect = session->dialect,
                                .zones = &session->zones};
    struct query_error error = {0};
    enum yore_status st =
        bolt_request_decode(&unpacker, session->version, &session->request, &error.error);
    if (st == YORE_OK) {
        rule->answer(session, out);
        return;
    }
    error.error.status = st;
    if (st == YORE_INVALID || !is_trusted) {
        session_refuse(session, out, FAILURE_REQUEST, error.error.text);
    } else {
        session_fail_query(session, out, &error);
    }
}

/* Between requests a session keeps little. */
static void forget(struct arena *arena)
{
    if (arena_bytes(arena) > BOLT_ARENA_KEPT_BYTES) {
        arena_release(arena);
        arena_init(arena, ARENA_CHUNK_BYTES);
    } else {
        arena_reset(arena);
    }
}

/* Answer the whole message of the reader. */
static void take_message(struct bolt_session *session, struct buffer *out)
{
    uint8_t signature = bolt_message_signature(buffer_bytes(&session->reader.message));
    const struct request_rule *rule = find_rule(signature);
    session->begun_ns = os_monotonic_ns(os_env_posix());
    bolt_count(&session->server->requests, 1);
    if (is_ignored(session, signature)) {
        bolt_count(&session->server->interrupted, session->state == STATE_FAILED ? 0 : 1);
        bolt_put_ignored(out);
    } else if (rule != NULL && !is_taken(session, rule)) {
        refuse_state(session, signature, out);
    } else if (rule != NULL) {
        answer(session, rule, out);
    } else {
        session_refuse(session, out, FAILURE_REQUEST,
                       "a message begins with a structure whose signature is that of a request");
    }
    frame_reader_clear(&session->reader);
    forget(&session->arena);
    forget(&session->scratch);
}

/* ---- turns ------------------------------------------------------------------------------------
 */

/* May the message of the reader not be answered yet?  What a transaction writes, its commit does;
 * whether a statement of its own writes is known only when it is prepared. */
static bool is_paused(const struct bolt_session *session)
{
    const struct bolt_port *port = &session->server->options.port;
    uint8_t signature = bolt_message_signature(buffer_bytes(&session->reader.message));
    bool is_own = signature == BOLT_RUN && session->state == STATE_READY;
    bool begins = signature == BOLT_RUN || signature == BOLT_BEGIN || signature == BOLT_COMMIT;
    return begins && is_taken(session, find_rule(signature)) && !is_ignored(session, signature) &&
           port->is_paused(port->arg, session->conn, is_own || signature == BOLT_COMMIT);
}

/* Have a whole message in the reader. */
static enum frame_result next_message(struct bolt_session *session, struct bolt_turn *turn)
{
    if (session->reader.is_whole) {
        return FRAME_WHOLE;
    }
    size_t bytes_max =
        bolt_session_is_trusted(session) ? BOLT_MESSAGE_BYTES_MAX : BOLT_MESSAGE_LOGIN_BYTES_MAX;
    size_t consumed = 0;
    enum frame_result result = frame_read(
        &session->reader, bytes_behind(turn->input, turn->consumed), bytes_max, &consumed);
    turn->consumed += consumed;
    return result;
}

static enum bolt_next want(struct bolt_turn *turn, enum bolt_pace pace)
{
    turn->wanted = pace;
    return BOLT_PACE;
}

/* One step of a turn; BOLT_ROOM: there may be another. */
static enum bolt_next step(struct bolt_session *session, struct bolt_turn *turn)
{
    if (session->state == STATE_DEFUNCT) {
        return BOLT_CLOSE;
    }
    if (session->state == STATE_HANDSHAKE) {
        return take_handshake(session, turn);
    }
    if (session->pull.result != NULL) {
        if (turn->pace != BOLT_LONG) {
            return want(turn, BOLT_LONG);
        }
        session_pull_on(session, turn->out);
        return BOLT_ROOM;
    }
    enum frame_result result = next_message(session, turn);
    if (result == FRAME_TOO_BIG && turn->pace != BOLT_LONG && bolt_session_is_busy(session)) {
        return want(turn, BOLT_LONG);
    }
    if (result == FRAME_TOO_BIG) {
        session_refuse(session, turn->out, FAILURE_REQUEST,
                       bolt_session_is_trusted(session)
                           ? "a message is larger than 64 MiB: send less at a time"
                           : "a message before login is larger than 16 KiB");
        return BOLT_CLOSE;
    }
    if (result != FRAME_WHOLE) {
        return result == FRAME_MORE ? BOLT_INPUT : BOLT_CLOSE;
    }
    enum bolt_pace pace =
        pace_of(session, bolt_message_signature(buffer_bytes(&session->reader.message)));
    if (pace == BOLT_LOGIN && turn->is_crowded) {
        session_refuse(session, turn->out, FAILURE_LOGIN_RATE,
                       "too many wait for their password to be checked: try again");
        return BOLT_CLOSE;
    }
    if (pace != BOLT_QUICK && pace != turn->pace) {
        return want(turn, pace);
    }
    if (is_paused(session)) {
        return BOLT_LATER;
    }
    take_message(session, turn->out);
    return session->state == STATE_DEFUNCT ? BOLT_CLOSE : BOLT_ROOM;
}

enum bolt_next bolt_session_turn(struct bolt_session *session, struct bolt_turn *turn)
{
    enum bolt_next next = BOLT_ROOM;
    for (unsigned done = 0;
         next == BOLT_ROOM && done < turn->requests && turn->out->size <= BOLT_OUTPUT_SOFT_BYTES;
         done++) {
        next = step(session, turn);
    }
    if (next != BOLT_PACE && next != BOLT_LATER) {
        atomic_store_explicit(&session->waiting_ns, 0, memory_order_relaxed);
    } else if (atomic_load_explicit(&session->waiting_ns, memory_order_relaxed) == 0) {
        atomic_store_explicit(&session->waiting_ns, os_monotonic_ns(os_env_posix()),
                              memory_order_relaxed);
    }
    return next;
}
