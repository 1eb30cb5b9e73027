/* plan_rows.h -- EXPLAIN and PROFILE as rows of a result: one for each step, the last step first.
 *
 * Columns: step (indented by how deep it stands), details, estimated rows; for PROFILE rows,
 * steps and milliseconds too, those of the step alone with what it runs for each row. */
#ifndef YORE_QUERY_PLAN_ROWS_H
#define YORE_QUERY_PLAN_ROWS_H

#include "query/row_store.h"

#define PLAN_ROW_COLUMNS_MAX 6

size_t plan_row_column_count(bool is_profile);
struct yore_bytes plan_row_column(size_t column);
/* Rows of `plan`; of a PROFILE the run that was carried out tells the figures. */
enum yore_status plan_rows(const struct plan *plan, const struct run *run, struct row_store *rows);

#endif
