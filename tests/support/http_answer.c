#include "support/http_answer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/test.h"
#include "support/wire.h"

static size_t number_behind(const char *text, const char *word, int base)
{
    const char *at = strcasestr(text, word);
    return at != NULL ? (size_t)strtoul(at + strlen(word), NULL, base) : SIZE_MAX;
}

static void read_chunks(int fd, struct http_answer *answer)
{
    char line[100];
    for (;;) {
        CHECK(wire_line(fd, line, sizeof(line)));
        size_t size = (size_t)strtoul(line, NULL, 16);
        CHECK(answer->size + size < sizeof(answer->body));
        CHECK(wire_read(fd, answer->body + answer->size, size));
        answer->size += size;
        CHECK(wire_line(fd, line, sizeof(line)) && line[0] == '\0');
        if (size == 0) {
            return;
        }
    }
}

void http_answer_read(int fd, struct http_answer *answer, bool has_body)
{
    char line[1000];
    size_t used = 0;
    *answer = (struct http_answer){0};
    do {
        CHECK(wire_line(fd, line, sizeof(line)));
        used += (size_t)snprintf(answer->head + used, sizeof(answer->head) - used, "%s\n", line);
    } while (line[0] != '\0');
    answer->status = (unsigned)strtoul(answer->head + 9, NULL, 10);
    size_t size = number_behind(answer->head, "\nContent-Length: ", 10);
    if (!has_body) {
        return;
    }
    if (strcasestr(answer->head, "\nTransfer-Encoding: chunked\n") != NULL) {
        read_chunks(fd, answer);
    } else if (size != SIZE_MAX) {
        CHECK(size < sizeof(answer->body));
        CHECK(wire_read(fd, answer->body, size));
        answer->size = size;
    }
    answer->body[answer->size] = '\0';
}

void http_ask(int fd, const char *line, const char *headers, const char *body,
              struct http_answer *answer)
{
    char text[4096];
    char length[60] = "";
    if (body[0] != '\0') {
        snprintf(length, sizeof(length), "Content-Length: %zu\r\n", strlen(body));
    }
    int size = snprintf(text, sizeof(text), "%s HTTP/1.1\r\nHost: localhost\r\n%s%s\r\n", line,
                        headers, length);
    CHECK(size > 0 && (size_t)size < sizeof(text));
    CHECK(wire_send_text(fd, text) && wire_send_text(fd, body));
    http_answer_read(fd, answer, strncmp(line, "HEAD ", 5) != 0);
}
