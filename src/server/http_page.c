/* http_page.c -- is it alive, is it ready, what can it do. */
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "server/http_internal.h"
#include "server/openapi.h"
#include "server/server_internal.h"

static bool answer_text(struct http_call *call, unsigned status, const char *type, const char *text)
{
    struct http_answer answer = {status, type, NULL};
    return http_answer(call, &answer, bytes_of(text, strlen(text)));
}

bool http_health(struct http_call *call)
{
    return answer_text(call, 200, "text/plain; charset=utf-8", "ok\n");
}

bool http_ready(struct http_call *call)
{
    const struct server *server = call->session->scope->server;
    if (atomic_load(&server->has_failed)) {
        return http_problem(call, 503, "writes-stopped",
                            "the database takes no more writes; the log tells why");
    }
    if (!atomic_load(&server->is_ready)) {
        return http_problem(call, 503, "starting", "the server is starting, or ending");
    }
    return answer_text(call, 200, "text/plain; charset=utf-8", "ready\n");
}

bool http_openapi(struct http_call *call)
{
    return answer_text(call, 200, "application/json", openapi_text);
}
