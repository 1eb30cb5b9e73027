#include "server/http.h"

#include <stdio.h>
#include <string.h>

#include "base/base64.h"
#include "base/mem.h"
#include "command/command.h"
#include "net/limits.h"
#include "os/env.h"
#include "server/audit.h"
#include "server/http_internal.h"
#include "server/limits.h"
#include "server/log.h"

/* ---- opening and closing -----------------------------------------------------------------------
 */

/* A client of the command layer without a login; what was there is freed. */
static bool fresh_client(struct http_session *session)
{
    struct command_origin origin = {&session->peer, session->address, session->local};
    command_client_free(session->client);
    session->client = NULL;
    session->has_greeted = false;
    session->database = 0;
    buffer_clear(&session->authorization);
    session->users_version = command_users_version(session->scope->commands);
    if (command_client_new(session->scope->commands, &origin, &session->client) != YORE_OK) {
        return false;
    }
    command_client_be_whole(session->client);
    command_client_tie_watch(session->client);
    command_client_be_dated(session->client);
    return true;
}

static void *http_open(void *arg, struct net_conn *conn, const char *peer, const char *local)
{
    struct http_session *session = mem_zalloc(sizeof(*session));
    if (session == NULL) {
        return NULL;
    }
    session->peer = (struct peer){conn, true};
    session->scope = arg;
    session->opened_ns = os_monotonic_ns(os_env_posix());
    snprintf(session->address, sizeof(session->address), "%s", peer);
    snprintf(session->local, sizeof(session->local), "%s", local);
    if (!fresh_client(session)) {
        mem_free(session);
        return NULL;
    }
    return session;
}

static void http_close(void *arg)
{
    struct http_session *session = arg;
    http_taker_free(session);
    command_client_free(session->client);
    buffer_release(&session->authorization);
    buffer_release(&session->text);
    buffer_release(&session->body);
    mem_free(session);
}

static bool http_is_overdue(void *arg, int64_t idle_ns, size_t input_bytes, size_t output_bytes)
{
    struct http_session *session = arg;
    command_client_note_buffers(session->client, input_bytes + session->body.size, output_bytes);
    int64_t now = os_monotonic_ns(os_env_posix());
    if (session->state == HTTP_AT_STREAM) {
        return false; /* it listens to events */
    }
    if (session->begun_ns > 0 && session->state == HTTP_AT_HEAD) {
        return now - session->begun_ns > HTTP_HEAD_NS;
    }
    return idle_ns > (session->state == HTTP_AT_BODY ? HTTP_BODY_IDLE_NS : HTTP_IDLE_NS);
}

/* ---- who asks, and from where ------------------------------------------------------------------
 */

/* The name in a Host or an Origin, without its port. */
static struct yore_bytes name_of_host(struct yore_bytes host)
{
    const char *at = host.data;
    size_t size = 0;
    if (host.size > 0 && at[0] == '[') {
        const char *end = memchr(at, ']', host.size);
        return bytes_of(at, end != NULL ? (size_t)(end - at) + 1 : host.size);
    }
    while (size < host.size && at[size] != ':') {
        size++;
    }
    return bytes_of(at, size);
}

static bool list_names(const char *list, struct yore_bytes name)
{
    while (*list != '\0') {
        list += strspn(list, " ,-");
        size_t size = strcspn(list, " ,");
        bool is_same = size == name.size && size > 0;
        for (size_t i = 0; is_same && i < size; i++) {
            unsigned char a = (unsigned char)list[i];
            unsigned char b = ((const unsigned char *)name.data)[i];
            is_same =
                (a | (a >= 'A' && a <= 'Z' ? 0x20 : 0)) == (b | (b >= 'A' && b <= 'Z' ? 0x20 : 0));
        }
        if (is_same) {
            return true;
        }
        list += size;
    }
    return false;
}

/* A page whose name was made to point here (DNS rebinding) names itself in Host. */
static bool is_own_name(const struct http_session *session, struct yore_bytes host)
{
    struct yore_bytes name = name_of_host(host);
    struct yore_bytes address = name_of_host(bytes_of(session->local, strlen(session->local)));
    return list_names("localhost 127.0.0.1 [::1]", name) || bytes_equal(name, address) ||
           list_names(session->scope->hosts, name);
}

/* A page of another origin may not write, nor read what only this machine may. */
static bool is_own_origin(const struct http_session *session)
{
    struct yore_bytes origin = http_header_find(&session->head, "origin");
    struct yore_bytes site = http_header_find(&session->head, "sec-fetch-site");
    if (http_is_word(site, "cross-site") || http_is_word(site, "same-site")) {
        return false;
    }
    if (origin.size == 0) {
        return true;
    }
    const char *at = origin.data;
    size_t skip = origin.size > 7 && memcmp(at, "http://", 7) == 0    ? 7
                  : origin.size > 8 && memcmp(at, "https://", 8) == 0 ? 8
                                                                      : 0;
    return skip > 0 && bytes_equal(bytes_behind(origin, skip), session->head.host);
}

static bool decode_login(struct yore_bytes header, struct buffer *plain)
{
    const char *at = header.data;
    if (header.size > 6 && http_is_word(bytes_of(at, 6), "basic ")) {
        return base64_decode(plain, bytes_behind(header, 6));
    }
    if (header.size > 7 && http_is_word(bytes_of(at, 7), "bearer ")) {
        /* A token is "user:password", or a password of the default user. */
        struct yore_bytes token = bytes_behind(header, 7);
        if (token.size > 0 && memchr(token.data, ':', token.size) == NULL) {
            buffer_append(plain, "default:", 8);
        }
        buffer_append_bytes(plain, token);
        return token.size > 0;
    }
    return false;
}

/* Check the Authorization of this request; false: it is wrong, or was not looked at, nor will be
 * for `*wait_ns_out`. */
static bool log_in(struct http_session *session, int64_t *wait_ns_out)
{
    *wait_ns_out = 0;
    struct yore_bytes header = http_header_find(&session->head, "authorization");
    struct buffer plain = {0};
    bool is_good = fresh_client(session) && decode_login(header, &plain) && !plain.is_nomem;
    const char *colon = is_good && plain.size > 0 ? memchr(plain.data, ':', plain.size) : NULL;
    if (colon != NULL) {
        size_t user_size = (size_t)(colon - (const char *)plain.data);
        is_good = command_login(session->client, bytes_of(plain.data, user_size),
                                bytes_behind(buffer_bytes(&plain), user_size + 1), wait_ns_out);
        audit_login(session->scope->audit, bytes_of(plain.data, user_size), session->address,
                    is_good);
    }
    if (is_good && colon != NULL) {
        buffer_append_bytes(&session->authorization, header);
    }
    if (plain.size > 0) {
        memset(plain.data, 0, plain.size);
    }
    buffer_release(&plain);
    return is_good && colon != NULL;
}

/* Without looking at which octet differs first. */
static bool is_same_secret(struct yore_bytes a, struct yore_bytes b)
{
    const unsigned char *x = a.data;
    const unsigned char *y = b.data;
    unsigned char differs = a.size == b.size ? 0 : 1;
    for (size_t i = 0; i < a.size && i < b.size; i++) {
        differs = (unsigned char)(differs | (x[i] ^ y[i]));
    }
    return differs == 0;
}

/* ---- the states --------------------------------------------------------------------------------
 */

enum step {
    STEP_ON,  /* the next state may go on */
    STEP_NEXT /* *next says what net is to do */
};

/* The response is complete: what comes next? */
static enum step finish(struct http_call *call, bool keeps_alive, enum net_next *next)
{
    struct http_session *session = call->session;
    http_taker_free(session);
    buffer_release(&session->body);
    session->begun_ns = 0;
    session->state = HTTP_AT_HEAD;
    if (!keeps_alive) {
        *next = NET_CLOSE;
        return STEP_NEXT;
    }
    if (call->turn->pace == NET_LONG || call->turn->pace == NET_LOGIN) {
        *next = NET_ROOM; /* it ran alone: what stands behind it gets a turn of its own */
        return STEP_NEXT;
    }
    return STEP_ON;
}

/* A request that is refused before its body was read cannot be followed by another. */
static enum step refuse_with(struct http_call *call, const struct http_problem *problem,
                             enum net_next *next)
{
    struct http_session *session = call->session;
    bool has_unread = session->head.has_body && session->framing.state != HTTP_BODY_DONE;
    session->head.keeps_alive = session->head.keeps_alive && !has_unread;
    return finish(call, http_problem_with(call, problem), next);
}

static enum step refuse(struct http_call *call, unsigned status, const char *code,
                        const char *detail, enum net_next *next)
{
    const struct http_problem problem = {
        .status = status, .code = code, .detail = detail, .more = ""};
    return refuse_with(call, &problem, next);
}

static enum step refuse_for_now(struct http_call *call, int64_t wait_ns, enum net_next *next)
{
    char headers[40];
    snprintf(headers, sizeof(headers), "Retry-After: %lld\r\n",
             (long long)(wait_ns / 1000000000 + 1));
    const struct http_problem problem = {
        .status = 429,
        .code = "too-many-logins",
        .detail = "too many wrong passwords have come from your address: try again later",
        .more = "",
        .headers = headers};
    return refuse_with(call, &problem, next);
}

static enum step refuse_crowded(struct http_call *call, enum net_next *next)
{
    const struct http_problem problem = {
        .status = 503,
        .code = "busy-logins",
        .detail = "too many wait for their password to be checked: try again",
        .more = "",
        .headers = "Retry-After: 1\r\n"};
    return refuse_with(call, &problem, next);
}

static enum step refuse_method(struct http_call *call, enum net_next *next)
{
    char methods[HTTP_METHODS_BYTES];
    char detail[HTTP_METHODS_BYTES + 32];
    char headers[HTTP_METHODS_BYTES + 16];
    struct http_session *session = call->session;
    http_route_methods(session->head.path, session->scope->allows_compat, methods);
    snprintf(detail, sizeof(detail), "this path takes %s", methods);
    snprintf(headers, sizeof(headers), "Allow: %s\r\n", methods);
    const struct http_problem problem = {
        .status = 405, .code = "wrong-method", .detail = detail, .more = "", .headers = headers};
    return refuse_with(call, &problem, next);
}

static enum step refuse_path(struct http_call *call, enum net_next *next)
{
    char methods[HTTP_METHODS_BYTES];
    http_route_methods(call->session->head.path, true, methods);
    return refuse(call, 404, "no-such-path",
                  methods[0] == '\0' ? "no such path; /openapi.json lists them"
                                     : "this form is there with the setting http-compat-writes; "
                                       "/openapi.json lists the paths that are there always",
                  next);
}

static enum step refuse_head(struct http_call *call, enum net_next *next)
{
    struct http_session *session = call->session;
    unsigned status = session->head.status;
    const char *problem = session->head.problem;
    session->head = (struct http_head){0};
    session->framing.state = HTTP_BODY_DONE;
    return finish(call, http_problem(call, status, "bad-request", problem), next);
}

/* The head is whole: is the request one of ours, and who answers? */
static enum step judge_head(struct http_call *call, enum net_next *next)
{
    struct http_session *session = call->session;
    struct http_head *head = &session->head;
    if (!is_own_name(session, head->host)) {
        return refuse(call, 421, "wrong-host",
                      "the Host is none of this server's names; http-hosts adds one", next);
    }
    if (!is_own_origin(session)) {
        return refuse(call, 403, "wrong-origin", "requests of other origins' pages are refused",
                      next);
    }
    bool path_is_known = false;
    session->route =
        http_route_find(head, session->scope->allows_compat, &session->param, &path_is_known);
    if (session->route == NULL && path_is_known) {
        return refuse_method(call, next);
    }
    if (session->route == NULL) {
        return refuse_path(call, next);
    }
    char problem[HTTP_PARAM_PROBLEM_BYTES];
    if (http_params_problem(session->route, head->query, problem) != NULL) {
        return refuse(call, 400, "bad-parameter", problem, next);
    }
    if (head->has_body && !session->route->takes_body) {
        return refuse(call, 400, "unwanted-body", "a request to this path has no body", next);
    }
    session->state = HTTP_AT_LOGIN;
    return STEP_ON;
}

static enum step at_head(struct http_call *call, enum net_next *next)
{
    struct http_session *session = call->session;
    struct net_turn *turn = call->turn;
    struct yore_bytes rest = bytes_behind(turn->input, turn->consumed);
    size_t size = 0;
    enum http_result result = http_head_parse(rest, &session->scanned, &session->head, &size);
    if (result == HTTP_MORE) {
        if (session->begun_ns == 0 && rest.size > 0) {
            session->begun_ns = os_monotonic_ns(os_env_posix());
        }
        *next = NET_INPUT;
        return STEP_NEXT;
    }
    if (result == HTTP_BAD) {
        return refuse_head(call, next);
    }
    /* Kept, for the octets move and later turns ask for it. */
    size_t scanned = 0;
    buffer_clear(&session->text);
    buffer_append(&session->text, rest.data, size);
    if (session->text.is_nomem || http_head_parse(buffer_bytes(&session->text), &scanned,
                                                  &session->head, &size) != HTTP_WHOLE) {
        *next = NET_CLOSE;
        return STEP_NEXT;
    }
    turn->consumed += size;
    session->scanned = 0;
    session->has_continued = false;
    http_body_init(&session->framing, &session->head);
    return judge_head(call, next);
}

/* Is the client who this request says, and have users not changed since that was found good?  A
 * connection outlives passwords, and who had them. */
static bool is_as_found(const struct http_session *session, struct yore_bytes header)
{
    return is_same_secret(header, buffer_bytes(&session->authorization)) &&
           session->users_version == command_users_version(session->scope->commands);
}

static enum step at_login(struct http_call *call, enum net_next *next)
{
    struct http_session *session = call->session;
    struct yore_bytes header = http_header_find(&session->head, "authorization");
    if (session->route->is_open) {
        session->state = HTTP_AT_BODY;
        return STEP_ON;
    }
    if (header.size == 0 && !is_as_found(session, header) && !fresh_client(session)) {
        *next = NET_CLOSE;
        return STEP_NEXT;
    }
    if (header.size > 0 && !is_as_found(session, header)) {
        if (call->turn->is_crowded) {
            return refuse_crowded(call, next);
        }
        if (call->turn->pace != NET_LOGIN) {
            call->turn->wanted = NET_LOGIN;
            *next = NET_PACE;
            return STEP_NEXT;
        }
        int64_t wait_ns = 0;
        if (!log_in(session, &wait_ns)) {
            return wait_ns > 0
                       ? refuse_for_now(call, wait_ns, next)
                       : refuse(call, 401, "wrong-login", "user or password are wrong", next);
        }
    }
    if (!command_client_is_trusted(session->client)) {
        return refuse(call, 401, "login-required", "a user and a password are needed", next);
    }
    session->state = HTTP_AT_BODY;
    return STEP_ON;
}

static enum step at_body(struct http_call *call, enum net_next *next)
{
    struct http_session *session = call->session;
    struct net_turn *turn = call->turn;
    if (session->route->streams) {
        session->state = HTTP_AT_RUN;
        return STEP_ON;
    }
    uint64_t most = atomic_load_explicit(&session->scope->body_max, memory_order_relaxed);
    if (session->head.content_length > most) {
        return refuse(call, 413, "body-too-large", "the body is larger than http-body-max", next);
    }
    while (session->framing.state != HTTP_BODY_DONE) {
        struct yore_bytes payload;
        size_t taken = 0;
        enum http_result result = http_body_take(
            &session->framing, bytes_behind(turn->input, turn->consumed), &payload, &taken);
        turn->consumed += taken;
        if (result == HTTP_BAD) {
            return refuse(call, 400, "bad-request", "the chunks of the body are wrong", next);
        }
        if (session->body.size + payload.size > most) {
            return refuse(call, 413, "body-too-large", "the body is larger than http-body-max",
                          next);
        }
        buffer_append_bytes(&session->body, payload);
        if (result == HTTP_MORE && taken == 0) {
            http_continue(call);
            uint64_t left = session->framing.left;
            turn->missing = left < SIZE_MAX ? (size_t)left : 0;
            *next = NET_INPUT;
            return STEP_NEXT;
        }
    }
    if (session->body.is_nomem) {
        *next = NET_CLOSE;
        return STEP_NEXT;
    }
    session->state = HTTP_AT_RUN;
    return STEP_ON;
}

void http_continue(struct http_call *call)
{
    struct http_session *session = call->session;
    if (session->head.expects_continue && !session->has_continued) {
        static const char text[] = "HTTP/1.1 100 Continue\r\n\r\n";
        session->has_continued = true;
        buffer_append(call->out, text, sizeof(text) - 1);
    }
}

/* CLIENT PAUSE: what writes waits, and where all do, whatever has not begun to answer. */
static bool is_paused(const struct http_session *session)
{
    const struct http_route *route = session->route;
    bool is_read = strcmp(route->method, "GET") == 0 || strcmp(route->method, "HEAD") == 0;
    bool writes = !is_read || route->run == http_compat_put || route->run == http_compat_delete;
    bool has_begun = is_read && session->taker != NULL;
    return !route->is_open && !has_begun && command_client_is_paused(session->client, writes);
}

static enum step at_run(struct http_call *call, enum net_next *next)
{
    struct http_session *session = call->session;
    enum net_pace pace = session->route->pace;
    bool may_run =
        pace == NET_LONG ? call->turn->pace == NET_LONG : (int)pace <= (int)call->turn->pace;
    if (!may_run) {
        call->turn->wanted = pace;
        *next = NET_PACE;
        return STEP_NEXT;
    }
    if (is_paused(session)) {
        *next = NET_LATER;
        return STEP_NEXT;
    }
    bool keeps_alive = session->route->run(call);
    if (session->state == HTTP_AT_STREAM || call->wants_input) {
        *next = NET_INPUT; /* events come by themselves; a body goes on to come */
        return STEP_NEXT;
    }
    if (call->wants_room) {
        *next = NET_ROOM;
        return STEP_NEXT;
    }
    return finish(call, keeps_alive, next);
}

static enum step at_stream(struct http_call *call, enum net_next *next)
{
    call->turn->consumed = call->turn->input.size; /* nothing may follow; nothing is run */
    *next = NET_INPUT;
    return STEP_NEXT;
}

static enum net_next http_turn(void *arg, struct net_turn *turn)
{
    static enum step (*const steps[])(struct http_call *, enum net_next *) = {
        [HTTP_AT_HEAD] = at_head, [HTTP_AT_LOGIN] = at_login,   [HTTP_AT_BODY] = at_body,
        [HTTP_AT_RUN] = at_run,   [HTTP_AT_STREAM] = at_stream,
    };
    struct http_session *session = arg;
    struct http_call call = {.session = session, .turn = turn, .out = turn->out};
    enum net_next next = NET_INPUT;
    reply_init(&call.reply, 3);
    /* A request is four steps at most. */
    for (unsigned steps_left = 4 * turn->requests;
         steps_left > 0 && turn->out->size <= NET_OUTPUT_SOFT_BYTES; steps_left--) {
        if (steps[session->state](&call, &next) == STEP_NEXT) {
            break;
        }
        next = NET_ROOM;
    }
    reply_release(&call.reply);
    reply_reader_release(&call.reader);
    turn->owner = peer_owner(session->client, turn->wanted);
    turn->kept = session->text.capacity + session->body.capacity;
    return next;
}

void http_handler_init(struct net_handler *handler, struct session_scope *scope)
{
    static const char refusal[] = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n"
                                  "Connection: close\r\nRetry-After: 1\r\n\r\n";
    *handler = (struct net_handler){.arg = scope,
                                    .open = http_open,
                                    .turn = http_turn,
                                    .close = http_close,
                                    .is_overdue = http_is_overdue,
                                    .refusal = bytes_of(refusal, sizeof(refusal) - 1)};
}
