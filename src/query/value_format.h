/* value_format.h -- values as text: literals of the language, as in the openCypher kit, and JSON.
 *
 *     null true 1 2.5 'it''s' as 'it\'s'  [1, 2]  {k: 1}  (:A {k: 1})  [:T {k: 1}]
 * <(:A)-[:T]->(:B)>
 *
 * Elements have to be whole (element_whole()); a reference is written as (#id).  Temporal values
 * are strings.  JSON writes nodes as
 *     {"elementId":"1","id":"ann","labels":[..],"properties":{..}}
 * relationships as
 *     {"elementId":"3","id":"k","type":"T","start":"1","end":"2","properties":{..}}
 * where `id` is the external id and the ends are elementIds; paths as {"nodes":[..],
 * "relationships":[..]}; floats that JSON cannot say as "NaN", "Infinity", "-Infinity".  Any
 * thread.
 */
#ifndef YORE_QUERY_VALUE_FORMAT_H
#define YORE_QUERY_VALUE_FORMAT_H

#include <yore/graph.h>

#include "base/buffer.h"

/* Out of memory is told by the buffer. */
void value_format(struct buffer *to, const struct yore_graph_value *value);
void value_format_json(struct buffer *to, const struct yore_graph_value *value);

/* As a row shows it: strings and temporal values as they are, all else as value_format(). */
void value_show(struct buffer *to, const struct yore_graph_value *value);

/* A name as a statement writes it: in backticks where it has to be. */
void value_format_name(struct buffer *to, struct yore_bytes name);

/* As toString() has it: scalars and temporal values; YORE_INVALID for other kinds. */
enum yore_status value_to_string(struct buffer *to, const struct yore_graph_value *value);

#endif
