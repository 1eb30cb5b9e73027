/* word_json.h -- an element as a line of JSON: what export writes, and what sources say.
 *
 *     {"node":"ann","labels":["Person"],"properties":{"age":7}}
 *     {"relationship":"k","type":"KNOWS","start":"ann","end":"bob","properties":{}}
 *
 * With "from" and "to", moments, where it holds for a span; {"node":"ann","removes":true} is the
 * word that takes a claim back.  Values that JSON has no form for are objects of one member:
 * {"$date":"2015-07-21"}, likewise $localtime, $time, $localdatetime, $datetime, $duration, and
 * $float for "NaN", "Infinity", "-Infinity"; a map of one member whose name begins with $ is
 * {"$map":{..}}.  Members in any order, no others.  Any thread.
 */
#ifndef YORE_QUERY_WORD_JSON_H
#define YORE_QUERY_WORD_JSON_H

#include <yore/graph.h>

#include "base/arena.h"
#include "base/buffer.h"

/* Out of memory is told by the buffer.  `span` may be NULL; one without an end has no "to". */
void word_json_node(struct buffer *to, const struct yore_graph_node *node,
                    const struct yore_graph_span *span);
/* The ends by their external ids. */
void word_json_relationship(struct buffer *to, const struct yore_graph_relationship *relationship,
                            const struct yore_bytes ends[2], const struct yore_graph_span *span);
/* What word_json_read() reads as the same word. */
void word_json_word(struct buffer *to, const struct yore_graph_word *word);
void word_json_value(struct buffer *to, const struct yore_graph_value *value);

/* Read a line; what the word points to is in `arena`.  `now` is what moments like -1h count from.
 * Errors: YORE_INVALID, the text names the column; YORE_NOMEM. */
enum yore_status word_json_read(struct yore_bytes line, int64_t now, struct arena *arena,
                                struct yore_graph_word *word_out, struct yore_error *error_out);
/* One value of that form, whole. */
enum yore_status word_json_read_value(struct yore_bytes text, struct arena *arena,
                                      struct yore_graph_value *value_out,
                                      struct yore_error *error_out);

#endif
