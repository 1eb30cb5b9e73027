/* http_internal.h -- a request under way, for the routes. */
#ifndef YORE_SERVER_HTTP_INTERNAL_H
#define YORE_SERVER_HTTP_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/bytes.h"
#include "client/reply_reader.h"
#include "command/reply.h"
#include "net/http.h"
#include "server/peer.h"
#include "server/session.h"

#define HTTP_PARAMS_MAX 1u /* of a path: {key} */

struct http_route;

enum http_state { HTTP_AT_HEAD, HTTP_AT_LOGIN, HTTP_AT_BODY, HTTP_AT_RUN, HTTP_AT_STREAM };

struct http_session {
    struct peer peer; /* first: the command layer names us by it */
    struct session_scope *scope;
    struct client *client;
    struct buffer authorization; /* of the client's login; empty: nobody has logged in */
    uint64_t users_version;      /* command_users_version() when that, or nobody, was found good */
    bool has_greeted;            /* RESP3 is agreed with the command layer */
    unsigned database;
    enum http_state state;
    size_t scanned;
    struct buffer text; /* the head of the request under way */
    struct http_head head;
    const struct http_route *route;
    struct yore_bytes param; /* of the path, still encoded */
    struct http_body framing;
    struct buffer body;
    bool has_continued;
    int64_t opened_ns;
    int64_t begun_ns; /* when the request under way began to come; 0: none has */
    char address[64];
    char local[64];
    void *taker; /* what a stream, in or out, keeps between turns */
    void (*taker_free)(void *taker);
};

/* A route's turn. */
struct http_call {
    struct http_session *session;
    struct net_turn *turn;
    struct buffer *out; /* of the connection: the response */
    struct reply reply; /* of the last command */
    struct reply_reader reader;
    const struct yore_client_value *values; /* of the last reply, NULL: none */
    bool wants_room;  /* a route that streams out: it goes on when this is sent */
    bool wants_input; /* a route whose body streams: it is not done */
};

struct http_route {
    const char *method;
    const char *path; /* "/{}" at its end: the rest is the parameter; before its end: one segment */
    const char *params; /* names that its query may have, divided by blanks; NULL: any */
    enum net_pace pace;
    bool is_open; /* nobody has to log in for it */
    bool takes_body;
    bool streams; /* the body goes to `run` part by part as it comes */
    /* Append the whole response.  False: the connection ends after it. */
    bool (*run)(struct http_call *call);
};

/* http.c: answer an Expect: 100-continue before waiting for the body. */
void http_continue(struct http_call *call);

/* http_route.c */
extern const struct http_route http_routes[];
extern const size_t http_route_count;
/* The methods that a path takes, as the field Allow has them; "": there is no such path.  With
 * `allows_compat` false the forms of small servers are none. */
#define HTTP_METHODS_BYTES 64
void http_route_methods(struct yore_bytes path, bool allows_compat, char text[HTTP_METHODS_BYTES]);
/* The route of a request; `*path_is_known_out`: another method would have one. */
const struct http_route *http_route_find(const struct http_head *head, bool allows_compat,
                                         struct yore_bytes *param_out, bool *path_is_known_out);

/* http_params.c: has the query of a request only what its path knows, each once?
 * NULL: it has; else what is wrong, in `text`, for a problem's detail. */
#define HTTP_PARAM_PROBLEM_BYTES 160
const char *http_params_problem(const struct http_route *route, struct yore_bytes query,
                                char text[HTTP_PARAM_PROBLEM_BYTES]);

/* http_answer.c: responses */
struct http_answer {
    unsigned status;
    const char *type;    /* NULL: no body */
    const char *headers; /* whole lines, or NULL */
};
/* `body` NULL size 0 is an empty body; HEAD requests get the head only. */
bool http_answer(struct http_call *call, const struct http_answer *answer, struct yore_bytes body);
/* problem+json with a stable code: "key-not-found". */
bool http_problem(struct http_call *call, unsigned status, const char *code, const char *detail);
struct http_problem {
    unsigned status;
    const char *code;
    const char *detail;
    const char *more;    /* members beside those, each behind a comma; or "" */
    const char *headers; /* whole lines; NULL: none */
};
bool http_problem_with(struct http_call *call, const struct http_problem *problem);
/* Does the request say that its body is JSON?  The form of another's page cannot say so. */
bool http_is_json(const struct http_call *call);
/* Status and code of what an error reply of the command layer says; the text, without its kind. */
const char *http_error_kind(const char *error, unsigned *status_out, const char **code_out);
/* The problem such a reply is. */
bool http_problem_of_error(struct http_call *call, struct yore_bytes error);
/* The head alone of a stream of events, which ends with the connection. */
void http_events_begin(struct http_call *call, const struct http_answer *answer);
/* Begin a body of unknown length, in chunks (HTTP/1.0: until the end of the connection). */
void http_stream_begin(struct http_call *call, const char *type);
void http_stream_part(struct http_call *call, struct yore_bytes part);
bool http_stream_end(struct http_call *call);

/* http_command.c: commands */
/* Run a command and read its reply into call->values.  False: memory, or the connection. */
bool http_run(struct http_call *call, const struct yore_bytes *words, size_t count);
/* The same of one whose reply is an array that may leave in parts: each is given to `drain`, which
 * empties it, and what is left is in call->reply.out; call->values has an error alone.  False also
 * where the reply could not be told to its end. */
bool http_run_parts(struct http_call *call, const struct yore_bytes *words, size_t count,
                    bool (*drain)(void *arg, struct reply *reply), void *arg);
/* The same for words that are text. */
bool http_run_text(struct http_call *call, const char *const *words, size_t count);
/* Is the last reply an error?  Then it has been answered; `*more_out` is what to return. */
bool http_failed(struct http_call *call, bool *more_out);
/* Where the query has at or known: let reading commands answer as of them until http_look_away().
 * False: that was refused, and answered; `*more_out` is what to return. */
bool http_look_at(struct http_call *call, bool *more_out);
void http_look_away(struct http_call *call);
/* A value of the query, decoded, in `out`; false: it is absent.  What is badly encoded was refused
 * (http_params.c). */
bool http_param(struct http_call *call, const char *name, struct buffer *out);

/* http_json.c: bytes and replies as JSON */
/* "name":"text", or "name_base64":"..." where it is not UTF-8. */
void http_json_bytes(struct buffer *out, const char *name, struct yore_bytes bytes);
/* The same of what a command replied; null: "name":null. */
void http_json_member(struct buffer *out, const char *name, const struct yore_client_value *value);
/* The value at `at`, whatever it is; nested. */
void http_json_value(struct buffer *out, const struct yore_client_value *values, size_t at);

/* http_stream.c: what a stream keeps between turns. */
void http_taker_free(struct http_session *session);

/* The routes. */
bool http_get_key(struct http_call *call);
bool http_put_key(struct http_call *call);
bool http_delete_key(struct http_call *call);
bool http_list_keys(struct http_call *call);
bool http_timeline(struct http_call *call);
bool http_changes(struct http_call *call);
bool http_batch(struct http_call *call);
bool http_transaction(struct http_call *call);
bool http_watch(struct http_call *call);
bool http_export(struct http_call *call);
bool http_import(struct http_call *call);
bool http_graphs(struct http_call *call);
bool http_graph_query(struct http_call *call);
bool http_graph_ingest(struct http_call *call);
bool http_graph_export(struct http_call *call);
bool http_graph_import(struct http_call *call);
bool http_health(struct http_call *call);
bool http_ready(struct http_call *call);
bool http_metrics(struct http_call *call);
bool http_openapi(struct http_call *call);
bool http_compat_put(struct http_call *call);
bool http_compat_get(struct http_call *call);
bool http_compat_delete(struct http_call *call);

#endif
