/* procedures.h -- procedures that come with Yore, by file; procedure.c has the table. */
#ifndef YORE_QUERY_PROCEDURES_H
#define YORE_QUERY_PROCEDURES_H

#include "query/procedure.h"

#define FIELD(text, type)                                                                          \
    {                                                                                              \
        {text, sizeof(text) - 1}, type, false                                                      \
    }
#define OPTIONAL_FIELD(text, type)                                                                 \
    {                                                                                              \
        {text, sizeof(text) - 1}, type, true                                                       \
    }
#define FIELD_COUNT(fields) ((uint32_t)(sizeof(fields) / sizeof(fields[0])))

/* Rows made when the call begins, told one by one (procedures_schema.c); in the call's arena. */
struct made_rows {
    struct yore_graph_value *values;
    size_t width;
    size_t count;
    size_t capacity;
    size_t at;
};
enum yore_status made_rows_new(const struct procedure_context *context, void **state_out,
                               struct made_rows **rows_out);
/* Copies the row, not what its values point to. */
enum yore_status made_rows_add(const struct procedure_context *context, struct made_rows *rows,
                               const struct yore_graph_value *row);
/* The `next` of such a procedure. */
enum yore_status made_rows_next(const struct procedure_context *context, void *state,
                                struct yore_graph_value *row_out);

/* procedures_sources.c */
extern const struct procedure procedure_yore_sources, procedure_yore_pending;
/* procedures_schema.c */
extern const struct procedure procedure_db_labels, procedure_db_relationship_types,
    procedure_db_property_keys, procedure_db_indexes, procedure_db_show_indexes,
    procedure_db_show_constraints, procedure_dbms_components;
/* procedures_time.c */
extern const struct procedure procedure_yore_diff, procedure_yore_changes, procedure_yore_history,
    procedure_yore_timeline, procedure_yore_next_change, procedure_yore_previous_change;

#endif
