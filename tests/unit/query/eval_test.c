/* What expressions are worth: operators, access, conditions, walks. */
#include <stdio.h>

#include "query/value.h"
#include "support/test.h"
#include "unit/query/eval_bed.h"

#define TYPE_ERROR "TypeError.InvalidArgumentType"

TEST(arithmetic)
{
    static const struct bed_case cases[] = {
        {"1 + 2 * 3", "7"},
        {"7 / 2", "3"},
        {"-7 / 2", "-3"},
        {"-7 % 3", "-1"},
        {"7 / 2.0", "3.5"},
        {"7.5 % 2", "1.5"},
        {"2 ^ 3", "8.0"},
        {"2 ^ 3 ^ 2", "64.0"},
        {"-(2)", "-2"},
        {"- 2.5", "-2.5"},
        {"+3", "3"},
        {"1 + null", "null"},
        {"null * 2.5", "null"},
        {"1 / 0", "ArithmeticError.DivisionByZero"},
        {"1 % 0", "ArithmeticError.DivisionByZero"},
        {"1 / 0.0", "Infinity"},
        {"0.0 / 0.0", "NaN"},
        {"9223372036854775807 + 1", "ArithmeticError.IntegerOverflow"},
        {"-9223372036854775807 - 2", "ArithmeticError.IntegerOverflow"},
        {"4611686018427387904 * 2", "ArithmeticError.IntegerOverflow"},
        {"(-9223372036854775807 - 1) / -1", "ArithmeticError.IntegerOverflow"},
        {"(-9223372036854775807 - 1) % -1", "0"},
        {"-(-9223372036854775807 - 1)", "ArithmeticError.IntegerOverflow"},
    };
    BED_CHECK_ALL(cases);
}

TEST(strings_and_lists_are_joined_by_plus)
{
    static const struct bed_case cases[] = {
        {"'a' + 'b'", "'ab'"},         {"'a' + 1", "'a1'"},
        {"1.5 + 'a'", "'1.5a'"},       {"'' + ''", "''"},
        {"[1] + [2, 3]", "[1, 2, 3]"}, {"[1] + 2", "[1, 2]"},
        {"1 + [2]", "[1, 2]"},         {"[] + []", "[]"},
        {"[1] + [[2]]", "[1, [2]]"},   {"[1] + {a: 1}", "[1, {a: 1}]"},
        {"[1] + null", "null"},
    };
    BED_CHECK_ALL(cases);
    bed_set_parameter(value_bool(true));
    bed_check("$p + 1", TYPE_ERROR);
    bed_check("$p - $p", TYPE_ERROR);
    bed_check("-$p", TYPE_ERROR);
    bed_check("+$p", TYPE_ERROR);
    bed_check("$p * $p", TYPE_ERROR);
}

TEST(truth_has_three_values)
{
    static const char *const names[] = {"true", "false", "null"};
    static const char *const and_table[] = {"true",  "false", "null",  "false", "false",
                                            "false", "null",  "false", "null"};
    static const char *const or_table[] = {"true", "true", "true", "true", "false",
                                           "null", "true", "null", "null"};
    static const char *const xor_table[] = {"false", "true", "null", "true", "false",
                                            "null",  "null", "null", "null"};
    for (size_t i = 0; i < 9; i++) {
        char expression[64];
        (void)snprintf(expression, sizeof(expression), "%s AND %s", names[i / 3], names[i % 3]);
        bed_check(expression, and_table[i]);
        (void)snprintf(expression, sizeof(expression), "%s OR %s", names[i / 3], names[i % 3]);
        bed_check(expression, or_table[i]);
        (void)snprintf(expression, sizeof(expression), "%s XOR %s", names[i / 3], names[i % 3]);
        bed_check(expression, xor_table[i]);
    }
    bed_check("NOT true", "false");
    bed_check("NOT null", "null");
}

TEST(what_decides_ends_the_search)
{
    bed_check("false AND 1 / 0 = 1", "false");
    bed_check("true OR 1 / 0 = 1", "true");
    bed_check("null AND 1 / 0 = 1", "ArithmeticError.DivisionByZero");
    bed_set_parameter(value_int(1));
    bed_check("$p AND true", TYPE_ERROR);
    bed_check("true AND $p", TYPE_ERROR);
    bed_check("NOT $p", TYPE_ERROR);
    bed_check("CASE WHEN $p THEN 1 END", TYPE_ERROR);
}

TEST(comparisons_and_their_chains)
{
    static const struct bed_case cases[] = {
        {"1 < 2", "true"},
        {"1 < 2 < 3", "true"},
        {"1 < 3 < 2", "false"},
        {"1 < 2 = true", "false"},
        {"1 <= 1.0 >= 1", "true"},
        {"1 < 'a'", "null"},
        {"1 = 'a'", "false"},
        {"1 <> 'a'", "true"},
        {"null = null", "null"},
        {"null <> null", "null"},
        {"0.0 / 0.0 = 0.0 / 0.0", "false"},
        {"0.0 / 0.0 <> 0.0 / 0.0", "true"},
        {"0.0 / 0.0 >= 1", "false"},
        {"3 < 2 < null", "false"},
        {"1 < 2 < null", "null"},
        {"[1, 2] < [1, 3]", "true"},
        {"[1, null] >= [1]", "true"},
        {"'b' > 'a'", "true"},
        {"false < true", "true"},
        {"{a: 1} < {a: 2}", "null"},
    };
    BED_CHECK_ALL(cases);
}

TEST(membership)
{
    static const struct bed_case cases[] = {
        {"1 IN [1, 2]", "true"},
        {"3 IN [1, 2]", "false"},
        {"3 IN [1, null]", "null"},
        {"1 IN [1, null]", "true"},
        {"null IN []", "false"},
        {"null IN [1]", "null"},
        {"1 IN null", "null"},
        {"[1] IN [[1]]", "true"},
        {"[1, null] IN [[1, 2]]", "null"},
        {"[1, null] IN [[2, 2]]", "false"},
    };
    BED_CHECK_ALL(cases);
    bed_set_parameter(value_int(1));
    bed_check("1 IN $p", TYPE_ERROR);
}

TEST(string_predicates)
{
    static const struct bed_case cases[] = {
        {"'abc' STARTS WITH 'ab'", "true"}, {"'abc' STARTS WITH ''", "true"},
        {"'abc' ENDS WITH 'bc'", "true"},   {"'abc' ENDS WITH 'abcd'", "false"},
        {"'abc' CONTAINS 'b'", "true"},     {"'abc' CONTAINS 'x'", "false"},
        {"'abc' CONTAINS null", "null"},    {"null STARTS WITH 'a'", "null"},
        {"'abc' =~ 'a.c'", "true"},         {"'abc' =~ 'a'", "false"},
        {"'abc' =~ null", "null"},          {"'abc' =~ '('", "ArgumentError.InvalidArgumentValue"},
    };
    BED_CHECK_ALL(cases);
    bed_set_parameter(value_int(1));
    bed_check("$p STARTS WITH 'a'", "null");
    bed_check("'a' =~ $p", "null");
}

TEST(items_and_slices)
{
    static const struct bed_case cases[] = {
        {"[1, 2, 3][0]", "1"},
        {"[1, 2, 3][-1]", "3"},
        {"[1, 2, 3][3]", "null"},
        {"[1, 2, 3][-4]", "null"},
        {"[1, 2, 3][null]", "null"},
        {"null[0]", "null"},
        {"{a: 1}['a']", "1"},
        {"{a: 1}['b']", "null"},
        {"{a: 1}.a", "1"},
        {"{a: {b: 2}}.a.b", "2"},
        {"null.a", "null"},
        {"[1, 2, 3, 4][1..3]", "[2, 3]"},
        {"[1, 2, 3, 4][..2]", "[1, 2]"},
        {"[1, 2, 3, 4][2..]", "[3, 4]"},
        {"[1, 2, 3, 4][-2..]", "[3, 4]"},
        {"[1, 2, 3, 4][3..1]", "[]"},
        {"[1, 2, 3, 4][-9..9]", "[1, 2, 3, 4]"},
        {"[1, 2, 3][null..2]", "null"},
        {"[1, 2, 3][0..null]", "null"},
        {"[][0..1]", "[]"},
    };
    BED_CHECK_ALL(cases);
    bed_set_parameter(value_float(1.0));
    bed_check("[1][$p]", TYPE_ERROR);
    bed_check("[1][$p..]", TYPE_ERROR);
    bed_check("{a: 1}[$p]", "TypeError.MapElementAccessByNonString");
    bed_check("$p[0]", TYPE_ERROR);
    bed_check("$p.name", TYPE_ERROR);
    bed_check("$p[0..1]", TYPE_ERROR);
}

TEST(maps_and_projections)
{
    static const struct bed_case cases[] = {
        {"{b: 1, a: 2}", "{a: 2, b: 1}"},
        {"{a: 1, a: 2}", "{a: 2}"},
        {"{}", "{}"},
        {"{`a b`: null}", "{`a b`: null}"},
        {"{a: 1, b: [{c: 2}]}", "{a: 1, b: [{c: 2}]}"},
    };
    BED_CHECK_ALL(cases);
    bed_check_rows("UNWIND [{a: 1, b: 2}] AS m RETURN [x IN collect(m) | x {.a, .c, d: 4}][0]",
                   "{a: 1, c: null, d: 4}");
    bed_check_rows("UNWIND [{a: 1, b: 2}] AS m RETURN [x IN collect(m) | x {.*, b: 3}][0]",
                   "{a: 1, b: 3}");
    bed_check("[x IN [null] | x {.a}][0]", "null");
}

TEST(cases_take_the_first_branch_that_fits)
{
    static const struct bed_case cases[] = {
        {"CASE 2 WHEN 1 THEN 'a' WHEN 2.0 THEN 'b' ELSE 'c' END", "'b'"},
        {"CASE 3 WHEN 1 THEN 'a' ELSE 'c' END", "'c'"},
        {"CASE 3 WHEN 1 THEN 'a' END", "null"},
        {"CASE null WHEN null THEN 'a' ELSE 'c' END", "'c'"},
        {"CASE WHEN false THEN 1 WHEN null THEN 2 WHEN true THEN 3 END", "3"},
        {"CASE WHEN true THEN 1 ELSE 1 / 0 END", "1"},
    };
    BED_CHECK_ALL(cases);
}

TEST(walks_over_lists)
{
    static const struct bed_case cases[] = {
        {"[x IN [1, 2, 3] WHERE x > 1 | x * 2]", "[4, 6]"},
        {"[x IN [1, 2, 3] WHERE x > 1]", "[2, 3]"},
        {"[x IN [1, 2] | x + 1]", "[2, 3]"},
        {"[x IN null | x]", "null"},
        {"[x IN [1, null, 3] WHERE x > 1]", "[3]"},
        {"[x IN [1, 2] | [y IN [10, 20] | x * y]]", "[[10, 20], [20, 40]]"},
        {"reduce(sum = 0, x IN [1, 2, 3] | sum + x)", "6"},
        {"reduce(sum = 0, x IN [] | sum + x)", "0"},
        {"reduce(sum = 0, x IN null | sum + x)", "null"},
        {"reduce(list = [], x IN [1, 2] | [x] + list)", "[2, 1]"},
    };
    BED_CHECK_ALL(cases);
    bed_set_parameter(value_int(1));
    bed_check("[x IN $p | x]", TYPE_ERROR);
    bed_check("all(x IN $p WHERE x)", TYPE_ERROR);
    bed_check("reduce(s = 0, x IN $p | s)", TYPE_ERROR);
}

TEST(quantifiers_know_what_they_do_not_know)
{
    static const struct {
        const char *list;
        const char *all, *any, *none, *single;
    } cases[] = {
        {"[]", "true", "false", "true", "false"},
        {"[1]", "false", "false", "true", "false"},
        {"[2]", "true", "true", "false", "true"},
        {"[2, 2]", "true", "true", "false", "false"},
        {"[1, 2]", "false", "true", "false", "true"},
        {"[null]", "null", "null", "null", "null"},
        {"[null, 1]", "false", "null", "null", "null"},
        {"[null, 2]", "null", "true", "false", "null"},
        {"[2, null, 2]", "null", "true", "false", "false"},
        {"null", "null", "null", "null", "null"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *const names[] = {"all", "any", "none", "single"};
        const char *const wants[] = {cases[i].all, cases[i].any, cases[i].none, cases[i].single};
        for (size_t n = 0; n < 4; n++) {
            char expression[128];
            (void)snprintf(expression, sizeof(expression), "%s(x IN %s WHERE x = 2)", names[n],
                           cases[i].list);
            bed_check(expression, wants[n]);
        }
    }
}

TEST(nesting_is_bounded)
{
    bed_check("size(reduce(l = [], x IN range(1, 60) | [l]))", "1");
    bed_check("reduce(l = [], x IN range(1, 100) | [l])", "status 4");
    bed_check("reduce(l = [], x IN range(1, 100) | {k: l})", "status 4");
    bed_check("reduce(l = [], x IN range(1, 100) | [l][0..1] + {k: l})", "status 4");
}

TEST(memory_is_bounded)
{
    bed_check("reduce(l = [1], x IN range(1, 60) | [l, l])", "status 4");
    bed_check("reduce(l = {k: 'a'}, x IN range(1, 60) | {k: l, l: l})", "status 4");
    bed_set_memory(1 << 20);
    bed_check("size(range(1, 1000))", "1000");
    bed_check("range(1, 1000000000000)", "status 4");
    bed_check("reduce(s = 'xxxxxxxxxxxxxxxx', x IN range(1, 40) | s + s)", "status 4");
    bed_check("reduce(l = [1], x IN range(1, 40) | l + l)", "status 4");
    bed_check("replace(reduce(s = 'x', x IN range(1, 10) | s + s), 'x', "
              "reduce(s = 'x', x IN range(1, 14) | s + s))",
              "status 4");
    bed_set_memory(0);
}

TEST(running_out_of_memory_is_told_wherever_it_happens)
{
    static const struct bed_case cases[] = {
        {"RETURN 'abc' =~ '[a-z]+' AND 'x' =~ 'y'", "false"},
        {"RETURN toString(datetime('2015-07-21T21:40[Europe/Stockholm]'))",
         "'2015-07-21T21:40+02:00[Europe/Stockholm]'"},
        {"RETURN size([x IN range(1, 200) | {a: x, b: toString(x)}])", "200"},
        {"UNWIND range(1, 2000) AS x RETURN count(DISTINCT x) + size(collect(x))", "4000"},
        {"UNWIND range(1, 2000) AS x RETURN percentileDisc(x, 0.5)", "1000"},
        {"RETURN size(reduce(s = 'x', x IN range(1, 20) | s + s))", "1048576"},
        {"RETURN size(keys({b: 1, a: 2})) + size(split('a,b', ',')) + size(toUpper('abc'))", "7"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        CHECK(bed_check_nomem(cases[i].expression, cases[i].want) > 0);
    }
}

TEST(null_is_told_by_is_null)
{
    bed_check("null IS NULL", "true");
    bed_check("1 IS NULL", "false");
    bed_check("null IS NOT NULL", "false");
    bed_check("[] IS NOT NULL", "true");
}

TEST_MAIN(arithmetic, strings_and_lists_are_joined_by_plus, truth_has_three_values,
          what_decides_ends_the_search, comparisons_and_their_chains, membership, string_predicates,
          items_and_slices, maps_and_projections, cases_take_the_first_branch_that_fits,
          walks_over_lists, quantifiers_know_what_they_do_not_know, nesting_is_bounded,
          memory_is_bounded, running_out_of_memory_is_told_wherever_it_happens,
          null_is_told_by_is_null)
