/* table_tally.h -- counting versions into a table's meta: the builder to write it, verification to
 * hold it against. */
#ifndef YORE_TABLE_TABLE_TALLY_H
#define YORE_TABLE_TABLE_TALLY_H

#include "table/table.h"

/* The meta of no version yet. */
void table_tally_init(struct table_meta *meta, uint64_t file);
/* Count one version; all but keys, file size, check and the two keys. */
void table_tally_add(struct table_meta *meta, const struct version *version);

#endif
