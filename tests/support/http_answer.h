/* http_answer.h -- requests over HTTP and what they are answered, for tests of servers. */
#ifndef YORE_TEST_SUPPORT_HTTP_ANSWER_H
#define YORE_TEST_SUPPORT_HTTP_ANSWER_H

#include <stdbool.h>
#include <stddef.h>

/* An answer: its status, head (a line each) and body, which has to fit. */
struct http_answer {
    unsigned status;
    char head[4096];
    char body[262144];
    size_t size;
};

/* Send a request with `headers` (whole lines) and `body`, and read the answer. */
void http_ask(int fd, const char *line, const char *headers, const char *body,
              struct http_answer *answer);
/* Read one answer; of a HEAD request there is no body. */
void http_answer_read(int fd, struct http_answer *answer, bool has_body);

#endif
