/* writer.h -- what CREATE, MERGE, SET and REMOVE do to the graph. */
#ifndef YORE_QUERY_WRITER_H
#define YORE_QUERY_WRITER_H

#include "query/run.h"

/* Make what is new in the pattern; new slots and named paths are filled. */
enum yore_status write_pattern(struct run *run, const struct pattern *pattern);
enum yore_status write_set_items(struct run *run, const struct set_item *items, uint32_t count);

/* Tell why the graph refused a change, in the classes of the language; `status` is not YORE_OK. */
enum yore_status write_refused(struct run *run, enum yore_status status, struct ast_spot spot);

#endif
