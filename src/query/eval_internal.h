/* eval_internal.h -- the parts of the evaluator, one file each, to one another. */
#ifndef YORE_QUERY_EVAL_INTERNAL_H
#define YORE_QUERY_EVAL_INTERNAL_H

#include "query/eval.h"
#include "query/temporal.h"

/* eval_access.c */
enum yore_status eval_index(struct eval *eval, const struct expr *expr,
                            struct yore_graph_value *row, struct yore_graph_value *value_out);
enum yore_status eval_slice(struct eval *eval, const struct expr *expr,
                            struct yore_graph_value *row, struct yore_graph_value *value_out);
enum yore_status eval_has_labels(struct eval *eval, const struct expr *expr,
                                 struct yore_graph_value *row, struct yore_graph_value *value_out);
enum yore_status eval_property_of(struct eval *eval, const struct expr *expr,
                                  struct yore_graph_value *row, struct yore_graph_value *value_out);
enum yore_status eval_map(struct eval *eval, const struct expr *expr, struct yore_graph_value *row,
                          struct yore_graph_value *value_out);
enum yore_status eval_projection(struct eval *eval, const struct expr *expr,
                                 struct yore_graph_value *row, struct yore_graph_value *value_out);

/* eval_walk.c */
enum yore_status eval_comprehension(struct eval *eval, const struct expr *expr,
                                    struct yore_graph_value *row,
                                    struct yore_graph_value *value_out);
enum yore_status eval_quantifier(struct eval *eval, const struct expr *expr,
                                 struct yore_graph_value *row, struct yore_graph_value *value_out);
enum yore_status eval_reduce(struct eval *eval, const struct expr *expr,
                             struct yore_graph_value *row, struct yore_graph_value *value_out);

/* eval_logic.c: operators that may leave out their right side, and chains. */
enum yore_status eval_logic(struct eval *eval, const struct expr *expr,
                            struct yore_graph_value *row, struct yore_graph_value *value_out);
enum yore_status eval_comparison(struct eval *eval, const struct expr *expr,
                                 struct yore_graph_value *row, struct yore_graph_value *value_out);
enum yore_status eval_case(struct eval *eval, const struct expr *expr, struct yore_graph_value *row,
                           struct yore_graph_value *value_out);
/* Boolean or null; another kind is a TypeError. */
enum yore_status eval_ternary(struct eval *eval, const struct yore_graph_value *value,
                              struct ast_spot spot, enum ternary *ternary_out);
enum ternary eval_compare(enum expr_operator operator, const struct yore_graph_value * left,
                          const struct yore_graph_value *right);

/* eval_arithmetic.c */
enum yore_status eval_arithmetic(struct eval *eval, enum expr_operator operator,
                                 const struct yore_graph_value * left,
                                 const struct yore_graph_value *right, struct ast_spot spot,
                                 struct yore_graph_value *value_out);
enum yore_status eval_minus(struct eval *eval, const struct yore_graph_value *value,
                            struct ast_spot spot, struct yore_graph_value *value_out);

/* eval_text.c */
enum yore_status eval_text_operator(struct eval *eval, enum expr_operator operator,
                                    const struct yore_graph_value * left,
                                    const struct yore_graph_value *right, struct ast_spot spot,
                                    struct yore_graph_value *value_out);

/* eval.c */
struct temporal_context eval_temporal(struct eval *eval);
/* A failure of what knows no statement: its text becomes an ArgumentError. */
enum yore_status eval_argument_status(struct eval *eval, enum yore_status status,
                                      struct ast_spot spot, const struct yore_error *error);

#endif
