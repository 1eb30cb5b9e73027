/* http_lines.h -- a body that is taken line by line as it comes, in the memory of one line. */
#ifndef YORE_SERVER_HTTP_LINES_H
#define YORE_SERVER_HTTP_LINES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "server/http_internal.h"

/* A zeroed struct with its two functions is a new one. */
struct http_lines {
    struct buffer rest; /* of a line whose end has not come */
    uint64_t count;     /* begun, the one that is taken included */
    /* Take one, without its line feed.  False: it was refused, and answered. */
    bool (*take)(struct http_call *call, struct yore_bytes line);
    /* Answer that the body is not read on: what is wrong is not of the lines themselves. */
    void (*refuse)(struct http_call *call, unsigned status, const char *code, const char *problem);
};

enum http_lines_state {
    HTTP_LINES_MORE, /* the call waits for more of the body */
    HTTP_LINES_DONE,
    HTTP_LINES_REFUSED
};

/* Take what has come. */
enum http_lines_state http_lines_take(struct http_call *call, struct http_lines *lines);
void http_lines_release(struct http_lines *lines);

#endif
