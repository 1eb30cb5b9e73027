/* graph_json.h -- statements of the query language and their rows as JSON, for doors that are no
 * RESP.
 *
 * What is asked is an object: query, and if wanted parameters (an object), at, known (moments as
 * text), timeoutMs, readOnly.  The answer is
 *     {"columns":[...],"rows":[[...],...],"summary":{...}}
 * or, in lines, {"columns":[...]}, {"row":[...]} for each, {"summary":{...}}.  Where it fails on
 * its way, "problem" stands in place of "summary": an answer without a summary is not whole.
 *
 * Thread: the client's, at pace LONG.
 */
#ifndef YORE_COMMAND_GRAPH_JSON_H
#define YORE_COMMAND_GRAPH_JSON_H

#include <stdbool.h>

#include "base/buffer.h"
#include "base/status.h"

struct client;
struct graph_json; /* an answer on its way */

struct graph_json_request {
    struct yore_bytes graph; /* kept until graph_json_close() */
    struct yore_bytes body;
    struct yore_bytes at; /* moments beside the body, which goes before them; size 0: none */
    struct yore_bytes known;
    bool is_lines;
};

struct graph_json_problem {
    enum yore_status status;
    const char *code; /* stable: "bad-statement", "no-such-graph", ... */
    char text[YORE_ERROR_TEXT_BYTES];
    char more[256]; /* members about the error and its spot, each behind a comma; or empty */
};

/* Begin; what writes is carried out here, whole, and committed unsynced (command.h).  Close the
 * answer in any case.  After an error `*problem_out` tells it. */
enum yore_status graph_json_open(struct client *client, const struct graph_json_request *request,
                                 struct graph_json **json_out,
                                 struct graph_json_problem *problem_out);
/* Whether something was committed, or may have been; NULL: no. */
bool graph_json_writes(const struct graph_json *json);
/* Append about REPLY_PART_BYTES of the answer.  YORE_OK: there is more; YORE_NOT_FOUND: that was
 * the end of it.  Another status: it failed, and what was appended ends with the problem. */
enum yore_status graph_json_next(struct graph_json *json, struct buffer *part,
                                 struct graph_json_problem *problem_out);
void graph_json_close(struct graph_json *json); /* NULL is ignored */

#endif
