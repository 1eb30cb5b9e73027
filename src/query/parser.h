/* parser.h -- the text of a statement read into a tree (ast.h), by recursive descent.
 *
 * What comes out is well formed but not yet resolved: resolver.h.
 */
#ifndef YORE_QUERY_PARSER_H
#define YORE_QUERY_PARSER_H

#include "base/arena.h"
#include "base/bytes.h"
#include "base/status.h"
#include "query/ast.h"
#include "query/query.h"

/* Parse `text`, which is copied into `arena` with everything else.  `*statement_out` is NULL after
 * an error.  Errors: YORE_INVALID (the text shows the spot and tells what was expected),
 * YORE_TOO_BIG (a limit of query/limits.h), YORE_UNSUPPORTED, YORE_NOMEM. */
enum yore_status query_parse(struct yore_bytes text, struct arena *arena,
                             struct statement **statement_out, struct query_error *error_out);

#endif
