/* statement_text.h -- a parsed statement written out again, for tests of the parser: what is
 * written parses, and is written the same way then. */
#ifndef YORE_TEST_SUPPORT_STATEMENT_TEXT_H
#define YORE_TEST_SUPPORT_STATEMENT_TEXT_H

#include "base/buffer.h"
#include "query/ast.h"

/* Append `statement`, as the parser made it.  Columns without AS stay without. */
void statement_write(struct buffer *to, const struct statement *statement);

#endif
