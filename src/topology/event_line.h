/* event_line.h -- one event of a graph's life, as a line of nine columns separated by tabs:
 * time in milliseconds (with decimals where it is not whole), transaction, operation (+ ~ -), kind
 * (n e), id, type, source, target, and properties as a JSON object.  docs/import-export.md
 * describes the format.
 */
#ifndef YORE_TOPOLOGY_EVENT_LINE_H
#define YORE_TOPOLOGY_EVENT_LINE_H

#include "base/bytes.h"
#include "topology/graph.h"

struct event_line {
    int64_t time; /* nanoseconds */
    uint64_t transaction;
    char operation;
    enum graph_element element;
    struct yore_bytes id;
    struct yore_bytes type; /* labels separated by commas, or a relationship's type */
    struct yore_bytes source;
    struct yore_bytes target;
    struct yore_bytes properties; /* may be empty */
};

#define EVENT_TIME_BYTES 32
/* As column 1 has it. */
void event_time_format(int64_t ns, char text[EVENT_TIME_BYTES]);
/* Take a line apart (without its end); everything points into it.  NULL, or what is wrong. */
const char *event_line_parse(struct yore_bytes line, struct event_line *event_out);

#endif
