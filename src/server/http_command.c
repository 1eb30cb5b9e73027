/* http_command.c -- what routes do to data: commands, run as the request's user. */
#include <stdio.h>
#include <string.h>

#include "command/command.h"
#include "server/audit.h"
#include "server/http_internal.h"

#define WORDS_TEXT_MAX 16u

static enum command_after run_words(struct http_call *call, const struct yore_bytes *words,
                                    size_t count)
{
    struct http_session *session = call->session;
    struct command_job *job = call->turn->job != NULL ? (void *)call->turn->job->state : NULL;
    buffer_clear(&call->reply.out);
    call->reply.has_parted = false;
    enum command_after after = command_run(job, session->client, words, count, &call->reply);
    audit_request(session->scope->audit, session->client, session->address, words, count,
                  call->reply.has_parted ? bytes_of("", 0) : buffer_bytes(&call->reply.out));
    return after;
}

static bool read_reply(struct http_call *call)
{
    size_t size = 0;
    call->values = NULL;
    if (call->reply.out.is_nomem ||
        reply_read(&call->reader, buffer_bytes(&call->reply.out), &size) != REPLY_WHOLE) {
        call->out->is_nomem = true; /* closes the connection */
        return false;
    }
    call->values = call->reader.values;
    return true;
}

/* RESP3, so that every reply says what it is; and the database the request names. */
static bool settle_in(struct http_call *call)
{
    struct http_session *session = call->session;
    if (!session->has_greeted) {
        struct yore_bytes hello[] = {bytes_of("HELLO", 5), bytes_of("3", 1)};
        run_words(call, hello, 2);
        if (!read_reply(call)) {
            return false;
        }
        session->has_greeted = call->values[0].kind != YORE_CLIENT_ERROR;
        if (!session->has_greeted) {
            return true; /* the error is the reply: nobody has logged in */
        }
    }
    struct buffer number = {0};
    if (!http_param(call, "db", &number)) {
        buffer_append(&number, "0", 1);
    }
    char text[16];
    snprintf(text, sizeof(text), "%u", session->database);
    if (!bytes_equal(buffer_bytes(&number), bytes_of(text, strlen(text)))) {
        struct yore_bytes words[] = {bytes_of("SELECT", 6), buffer_bytes(&number)};
        run_words(call, words, 2);
        if (!read_reply(call)) {
            buffer_release(&number);
            return false;
        }
        if (call->values[0].kind != YORE_CLIENT_ERROR) {
            buffer_append_u8(&number, '\0');
            unsigned database = 0;
            session->database =
                !number.is_nomem && sscanf((const char *)number.data, "%u", &database) == 1
                    ? database
                    : 0;
        }
    }
    buffer_release(&number);
    return true;
}

bool http_run(struct http_call *call, const struct yore_bytes *words, size_t count)
{
    call->values = NULL;
    if (!settle_in(call)) {
        return false;
    }
    if (call->values != NULL && call->values[0].kind == YORE_CLIENT_ERROR) {
        return true;
    }
    run_words(call, words, count);
    return read_reply(call);
}

bool http_run_parts(struct http_call *call, const struct yore_bytes *words, size_t count,
                    bool (*drain)(void *arg, struct reply *reply), void *arg)
{
    call->values = NULL;
    if (!settle_in(call)) {
        return false;
    }
    if (call->values != NULL && call->values[0].kind == YORE_CLIENT_ERROR) {
        return true;
    }
    call->values = NULL;
    call->reply.drain = drain;
    call->reply.drain_arg = arg;
    enum command_after after = run_words(call, words, count);
    call->reply.drain = NULL;
    struct buffer *out = &call->reply.out;
    bool is_error = !call->reply.has_parted && out->size > 0 && out->data[0] == '-';
    return is_error ? read_reply(call) : after != COMMAND_CLOSE && !out->is_nomem;
}

bool http_run_text(struct http_call *call, const char *const *words, size_t count)
{
    struct yore_bytes bytes[WORDS_TEXT_MAX];
    for (size_t i = 0; i < count; i++) {
        bytes[i] = bytes_of(words[i], strlen(words[i]));
    }
    return http_run(call, bytes, count);
}

bool http_failed(struct http_call *call, bool *more_out)
{
    if (call->values == NULL) {
        *more_out = false;
        return true;
    }
    if (call->values[0].kind == YORE_CLIENT_ERROR) {
        *more_out = http_problem_of_error(call, call->values[0].bytes);
        return true;
    }
    return false;
}

bool http_param(struct http_call *call, const char *name, struct buffer *out)
{
    struct yore_bytes raw;
    return http_query_find(call->session->head.query, name, &raw) && http_decode(raw, true, out);
}

bool http_look_at(struct http_call *call, bool *more_out)
{
    struct buffer at = {0};
    struct buffer known = {0};
    struct yore_bytes words[4] = {bytes_of("YORE.AT", 7), bytes_of("now", 3)};
    size_t count = 2;
    bool has_at = http_param(call, "at", &at);
    bool has_known = http_param(call, "known", &known);
    bool is_good = true;
    if (has_at) {
        words[1] = buffer_bytes(&at);
    }
    if (has_known) {
        words[count++] = bytes_of("KNOWN", 5);
        words[count++] = buffer_bytes(&known);
    }
    if (has_at || has_known) {
        http_run(call, words, count);
        is_good = !http_failed(call, more_out);
    }
    buffer_release(&at);
    buffer_release(&known);
    return is_good;
}

void http_look_away(struct http_call *call)
{
    struct yore_bytes value;
    struct yore_bytes query = call->session->head.query;
    if (http_query_find(query, "at", &value) || http_query_find(query, "known", &value)) {
        http_run_text(call, (const char *const[]){"YORE.AT", "NOW"}, 2);
    }
}
