/* function_internal.h -- what the table of functions calls, and what these share. */
#ifndef YORE_QUERY_FUNCTION_INTERNAL_H
#define YORE_QUERY_FUNCTION_INTERNAL_H

#include "query/eval.h"
#include "query/eval_internal.h"
#include "query/function.h"

/* "size() takes a List or String, not a Node": a TypeError, InvalidArgumentValue. */
enum yore_status function_refuse(struct eval *eval, const struct expr *call, const char *takes,
                                 const struct yore_graph_value *argument);
/* The argument as an integer within bounds, or the same error as an ArgumentError. */
enum yore_status function_integer(struct eval *eval, const struct expr *call,
                                  const struct yore_graph_value *argument, int64_t *integer_out);

/* What range() is asked for. */
enum yore_status function_range_numbers(struct eval *eval, const struct expr *call,
                                        const struct yore_graph_value *arguments, size_t count,
                                        struct number_range *range_out);

/* function_element.c */
function_call function_id, function_element_id, function_external_id, function_type,
    function_labels, function_keys, function_properties, function_start_node, function_end_node,
    function_nodes, function_relationships, function_length, function_valid_from, function_valid_to,
    function_commit_time;
/* function_list.c */
function_call function_size, function_head, function_last, function_tail, function_range,
    function_reverse, function_is_empty, function_exists, function_null_if, function_value_type;
/* function_text.c */
function_call function_left, function_right, function_trim, function_ltrim, function_rtrim,
    function_replace, function_split, function_substring, function_to_lower, function_to_upper,
    function_char_length;
/* function_convert.c */
function_call function_to_integer, function_to_integer_or_null, function_to_float,
    function_to_float_or_null, function_to_boolean, function_to_boolean_or_null, function_to_string,
    function_to_string_or_null, function_to_integer_list, function_to_float_list,
    function_to_boolean_list, function_to_string_list;
/* function_math.c */
function_call function_real, function_abs, function_sign, function_round, function_atan2,
    function_pi, function_e, function_rand, function_random_uuid, function_is_nan;
double real_cotangent(double x);
double real_hyperbolic_cotangent(double x);
double real_degrees(double x);
double real_radians(double x);
double real_haversine(double x);
/* function_time.c */
function_call function_temporal, function_truncate, function_duration, function_between,
    function_in_months, function_in_days, function_in_seconds, function_from_epoch,
    function_from_epoch_millis, function_timestamp;

#endif
