#include "server/session.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "command/command.h"
#include "command/limits.h"
#include "command/reply.h"
#include "net/limits.h"
#include "net/resp.h"
#include "os/env.h"
#include "server/audit.h"
#include "server/log.h"
#include "server/peer.h"

struct session {
    struct peer peer; /* by what the command layer names us */
    struct session_scope *scope;
    struct client *client;
    struct resp_parser parser;
    bool has_request;     /* the parser holds one that has not run */
    size_t request_bytes; /* of it */
    int64_t opened_ns;
    char address[64];
};

static_assert(sizeof(struct command_job) <= sizeof(((struct net_job *)0)->state),
              "a job of the command layer fits into net's");

static void *session_open(void *arg, struct net_conn *conn, const char *peer, const char *local)
{
    struct session_scope *scope = arg;
    struct session *session = mem_zalloc(sizeof(*session));
    if (session == NULL) {
        return NULL;
    }
    session->scope = scope;
    session->peer = (struct peer){conn, false};
    session->opened_ns = os_monotonic_ns(os_env_posix());
    strncat(session->address, peer, sizeof(session->address) - 1);
    struct command_origin origin = {&session->peer, peer, local};
    if (command_client_new(scope->commands, &origin, &session->client) != YORE_OK) {
        mem_free(session);
        return NULL;
    }
    return session;
}

static void session_close(void *arg)
{
    struct session *session = arg;
    command_client_free(session->client);
    resp_parser_release(&session->parser);
    mem_free(session);
}

/* ---- turns ------------------------------------------------------------------------------------
 */

static bool drain(void *arg, struct reply *reply)
{
    return net_conn_drain(arg, &reply->out);
}

static bool is_word(struct yore_bytes word, const char *lower)
{
    const unsigned char *at = word.data;
    for (size_t i = 0; i < word.size; i++) {
        unsigned char c = at[i] >= 'A' && at[i] <= 'Z' ? (unsigned char)(at[i] | 0x20) : at[i];
        if (lower[i] == '\0' || c != (unsigned char)lower[i]) {
            return false;
        }
    }
    return lower[word.size] == '\0';
}

/* A browser that was made to send a form here sends these words; no client of ours does. */
static bool is_foreign(const struct session *session)
{
    struct yore_bytes first = session->parser.args[0];
    return is_word(first, "post") || is_word(first, "host:");
}

/* Have a request ready in the parser, its words pointing into the turn's octets. */
static enum resp_result next_request(struct session *session, struct net_turn *turn)
{
    struct yore_bytes rest = bytes_behind(turn->input, turn->consumed);
    if (session->has_request) {
        resp_rebase(&session->parser, rest);
        return RESP_REQUEST;
    }
    bool is_trusted = command_client_is_trusted(session->client);
    struct resp_limits limits = {
        .is_login = !is_trusted,
        .args_max = is_trusted ? REQUEST_ARGS_MAX : REQUEST_UNTRUSTED_ARGS_MAX,
        .arg_bytes_max = is_trusted ? REQUEST_BULK_BYTES_MAX : REQUEST_UNTRUSTED_BULK_BYTES_MAX,
    };
    size_t taken = 0;
    enum resp_result result = resp_parse(&session->parser, rest, &limits, &taken);
    if (result == RESP_REQUEST) {
        session->has_request = true;
        session->request_bytes = taken;
    } else {
        turn->consumed += taken;
        turn->missing = resp_missing(&session->parser, rest.size - taken);
    }
    return result;
}

/* `follows`: another of the turn, right behind it. */
static enum command_after run_request(struct session *session, struct net_turn *turn, bool follows)
{
    struct reply reply;
    reply_init(&reply, command_client_protocol(session->client));
    reply.out = *turn->out;
    if (turn->pace == NET_LONG) {
        reply.drain = drain;
        reply.drain_arg = session->peer.conn;
    }
    struct command_job *job = turn->job != NULL ? (void *)turn->job->state : NULL;
    size_t before = reply.out.size;
    if (follows) {
        command_client_follows(session->client);
    }
    enum command_after after =
        command_run(job, session->client, session->parser.args, session->parser.arg_count, &reply);
    if (after == COMMAND_AGAIN) {
        *turn->out = reply.out;
        return after;
    }
    if (session->scope->audit != NULL) { /* what leaves in parts is no error */
        audit_request(session->scope->audit, session->client, session->address,
                      session->parser.args, session->parser.arg_count,
                      reply.has_parted ? bytes_of("", 0)
                                       : bytes_behind(buffer_bytes(&reply.out), before));
    }
    *turn->out = reply.out;
    session->has_request = false;
    turn->consumed += session->request_bytes;
    return after;
}

static enum net_next refuse_request(struct session *session, struct net_turn *turn,
                                    enum resp_result result)
{
    if (result == RESP_ERROR) {
        struct log_field fields[] = {{"client", session->address},
                                     {"cause", session->parser.error_text}};
        log_fields(session->scope->log, LOG_DEBUG, "closed a client", fields, 2);
        buffer_append(turn->out, "-ERR ", 5);
        buffer_append(turn->out, session->parser.error_text, strlen(session->parser.error_text));
        buffer_append(turn->out, "\r\n", 2);
    }
    return NET_CLOSE;
}

/* Its password, or what else works on passwords, cannot be seen to now. */
static void refuse_crowded(struct session *session, struct net_turn *turn)
{
    static const char text[] =
        "-BUSY too many wait for their password to be checked: try again\r\n";
    buffer_append(turn->out, text, sizeof(text) - 1);
    session->has_request = false;
    turn->consumed += session->request_bytes;
}

static enum net_next run_requests(struct session *session, struct net_turn *turn)
{
    for (unsigned done = 0;; done++) {
        if (turn->out->size > NET_OUTPUT_SOFT_BYTES || done >= turn->requests) {
            return NET_ROOM;
        }
        enum resp_result result = next_request(session, turn);
        if (result == RESP_MORE) {
            return NET_INPUT;
        }
        if (result != RESP_REQUEST) {
            return refuse_request(session, turn, result);
        }
        if (is_foreign(session)) {
            struct log_field field = {"client", session->address};
            log_fields(session->scope->log, LOG_WARN, "closed a client that sent HTTP", &field, 1);
            return NET_CLOSE;
        }
        enum command_pace pace =
            command_pace(session->client, session->parser.args, session->parser.arg_count);
        if (pace == COMMAND_LATER) {
            return NET_LATER;
        }
        bool is_alone = pace == COMMAND_LONG || pace == COMMAND_LOGIN;
        bool is_tried = pace == COMMAND_TRY && turn->pace == NET_QUICK;
        pace = pace == COMMAND_TRY ? COMMAND_SHORT : pace;
        bool is_elsewhere = is_alone ? (int)pace != (int)turn->pace : (int)pace > (int)turn->pace;
        enum command_after after =
            is_elsewhere && !is_tried ? COMMAND_AGAIN : run_request(session, turn, done > 0);
        if (after == COMMAND_AGAIN && turn->is_crowded && pace == COMMAND_LOGIN) {
            refuse_crowded(session, turn);
            return NET_ROOM;
        }
        if (after == COMMAND_AGAIN) {
            turn->wanted = (enum net_pace)pace;
            return NET_PACE;
        }
        if (after == COMMAND_CLOSE) {
            return NET_CLOSE;
        }
        if (is_alone) {
            return NET_ROOM; /* it ran alone; what stands behind it gets a turn of its own */
        }
    }
}

static enum net_next session_turn(void *arg, struct net_turn *turn)
{
    struct session *session = arg;
    enum net_next next = run_requests(session, turn);
    turn->owner = peer_owner(session->client, turn->wanted);
    turn->kept = resp_parser_bytes(&session->parser) + command_client_queue_bytes(session->client);
    return next;
}

static_assert((int)COMMAND_QUICK == (int)NET_QUICK && (int)COMMAND_SHORT == (int)NET_SHORT &&
                  (int)COMMAND_LONG == (int)NET_LONG && (int)COMMAND_LOGIN == (int)NET_LOGIN,
              "paces have one number in both layers");

/* ---- jobs and deadlines ------------------------------------------------------------------------
 */

static void session_job_begin(void *arg, struct net_job *job)
{
    struct session_scope *scope = arg;
    command_job_begin((void *)job->state, scope->commands);
}

static bool session_job_end(void *arg, struct net_job *job)
{
    struct session_scope *scope = arg;
    struct yore_error error = {0};
    if (command_job_end((void *)job->state, &error) == YORE_OK) {
        return true;
    }
    struct log_field field = {"cause", error.text};
    log_fields(scope->log, LOG_ERROR, "writes could not be made durable; their clients are closed",
               &field, 1);
    return false;
}

static bool session_is_overdue(void *arg, int64_t idle_ns, size_t input_bytes, size_t output_bytes)
{
    struct session *session = arg;
    struct session_scope *scope = session->scope;
    command_client_note_buffers(session->client, input_bytes, output_bytes);
    int64_t idle_max = atomic_load_explicit(&scope->idle_ns, memory_order_relaxed);
    if (!command_client_is_trusted(session->client)) {
        int64_t age = os_monotonic_ns(os_env_posix()) - session->opened_ns;
        return age > atomic_load_explicit(&scope->login_ns, memory_order_relaxed);
    }
    return idle_max > 0 && idle_ns > idle_max && command_client_may_idle(session->client);
}

static void session_tell(void *arg, const char *text)
{
    struct session_scope *scope = arg;
    log_text(scope->log, LOG_WARN, text);
}

void session_handler_init(struct net_handler *handler, struct session_scope *scope)
{
    static const char refusal[] = "-ERR max number of clients reached\r\n";
    *handler = (struct net_handler){.arg = scope,
                                    .open = session_open,
                                    .turn = session_turn,
                                    .close = session_close,
                                    .is_overdue = session_is_overdue,
                                    .refusal = bytes_of(refusal, sizeof(refusal) - 1)};
}

void session_jobs_init(struct net_jobs *jobs, struct session_scope *scope)
{
    *jobs = (struct net_jobs){scope, session_job_begin, session_job_end, session_tell};
}
