/* Every function: what it gives, and what it refuses. */
#include <ctype.h>
#include <string.h>

#include "query/function.h"
#include "query/value.h"
#include "support/test.h"
#include "unit/query/eval_bed.h"

#define REFUSED "TypeError.InvalidArgumentValue"

TEST(names_are_found_without_their_case)
{
    for (size_t i = 0; i < function_count(); i++) {
        const struct function *function = function_at(i);
        char name[64];
        size_t size = strlen(function->name);
        CHECK(size < sizeof(name));
        for (size_t at = 0; at < size; at++) {
            name[at] = (char)(at % 2 == 0 ? toupper((unsigned char)function->name[at])
                                          : tolower((unsigned char)function->name[at]));
        }
        test_note("%s", function->name);
        CHECK(function_find(bytes_of(name, size)) == function);
        CHECK(function->arity_min <= function->arity_max);
        CHECK(function->arity_max <= FUNCTION_ARGUMENTS_MAX || function->stops_at_value);
        bool has_code = function->call != NULL || function->aggregate != AGGREGATE_NONE ||
                        function->stops_at_value || function->wants_port;
        CHECK(has_code);
    }
    CHECK(function_find(bytes_of("nosuch", 6)) == NULL);
    CHECK(function_find(bytes_of("", 0)) == NULL);
    CHECK(function_find(bytes_of("siz", 3)) == NULL);
    CHECK(function_find(bytes_of("sizes", 5)) == NULL);
}

TEST(numbers)
{
    static const struct bed_case cases[] = {
        {"abs(-1)", "1"},
        {"abs(-1.5)", "1.5"},
        {"abs(null)", "null"},
        {"abs(-9223372036854775807 - 1)", "ArithmeticError.IntegerOverflow"},
        {"sign(-2.5)", "-1"},
        {"sign(0)", "0"},
        {"ceil(1.1)", "2.0"},
        {"ceiling(1)", "1.0"},
        {"floor(-1.1)", "-2.0"},
        {"round(1.5)", "2.0"},
        {"round(-1.5)", "-1.0"},
        {"round(3.14159, 2)", "3.14"},
        {"round(-2.55, 1)", "-2.6"},
        {"round(2.5, 0, 'HALF_EVEN')", "2.0"},
        {"round(3.5, 0, 'half_even')", "4.0"},
        {"round(2.5, 0, 'HALF_DOWN')", "2.0"},
        {"round(-2.1, 0, 'UP')", "-3.0"},
        {"round(-2.9, 0, 'DOWN')", "-2.0"},
        {"round(2.1, 0, 'CEILING')", "3.0"},
        {"round(2.9, 0, 'FLOOR')", "2.0"},
        {"round(1e300, 20)", "1.0e300"},
        {"round(1.5, -1)", "ArgumentError.NumberOutOfRange"},
        {"round(1.5, 0, 'sideways')", "ArgumentError.InvalidArgumentValue"},
        {"sqrt(9)", "3.0"},
        {"sqrt(-1)", "NaN"},
        {"isNaN(sqrt(-1))", "true"},
        {"isNaN(1)", "false"},
        {"exp(0)", "1.0"},
        {"log(e())", "1.0"},
        {"ln(1)", "0.0"},
        {"log10(1000)", "3.0"},
        {"sin(0)", "0.0"},
        {"cos(0)", "1.0"},
        {"tan(0)", "0.0"},
        {"asin(0)", "0.0"},
        {"acos(1)", "0.0"},
        {"atan(0)", "0.0"},
        {"atan2(0, 1)", "0.0"},
        {"sinh(0)", "0.0"},
        {"cosh(0)", "1.0"},
        {"tanh(0)", "0.0"},
        {"round(cot(1), 6)", "0.642093"},
        {"round(coth(1), 6)", "1.313035"},
        {"degrees(pi())", "180.0"},
        {"radians(180) = pi()", "true"},
        {"haversin(0)", "0.0"},
        {"0 <= rand() < 1", "true"},
        {"rand() = rand()", "false"},
        {"size(randomUUID())", "36"},
        {"randomUUID() =~ '[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}'",
         "true"},
        {"randomUUID() = randomUUID()", "false"},
    };
    BED_CHECK_ALL(cases);
    bed_set_parameter(value_bool(true));
    bed_check("abs($p)", REFUSED);
    bed_check("sqrt($p)", REFUSED);
    bed_check("atan2(1, $p)", REFUSED);
}

TEST(lists)
{
    static const struct bed_case cases[] = {
        {"size([1, 2])", "2"},
        {"size('a\xc3\xa9')", "2"},
        {"size(null)", "null"},
        {"head([1, 2])", "1"},
        {"head([])", "null"},
        {"last([1, 2])", "2"},
        {"last([])", "null"},
        {"tail([1, 2, 3])", "[2, 3]"},
        {"tail([])", "[]"},
        {"range(0, 3)", "[0, 1, 2, 3]"},
        {"range(3, 0)", "[]"},
        {"range(0, 10, 4)", "[0, 4, 8]"},
        {"range(3, 0, -2)", "[3, 1]"},
        {"range(1, 1)", "[1]"},
        {"range(9223372036854775806, 9223372036854775807)",
         "[9223372036854775806, 9223372036854775807]"},
        {"range(0, 1, 0)", "ArgumentError.NumberOutOfRange"},
        {"range(0, 1.0)", "ArgumentError.InvalidArgumentType"},
        {"reverse([1, 2, 3])", "[3, 2, 1]"},
        {"reverse('a\xc3\xa9z')", "'z\xc3\xa9"
                                  "a'"},
        {"isEmpty([])", "true"},
        {"isEmpty({a: 1})", "false"},
        {"isEmpty('')", "true"},
        {"coalesce(null, 1, 1 / 0)", "1"},
        {"coalesce(null, null)", "null"},
        {"nullIf(1, 1.0)", "null"},
        {"nullIf(1, 2)", "1"},
        {"exists({a: 1}.a)", "true"},
        {"exists({a: 1}.b)", "false"},
        {"valueType(1.5)", "'Float'"},
        {"valueType(null)", "'Null'"},
        {"keys({b: 1, a: null})", "['a', 'b']"},
        {"keys(null)", "null"},
        {"properties({a: 1})", "{a: 1}"},
    };
    BED_CHECK_ALL(cases);
    bed_set_parameter(value_int(1));
    static const char *const refused[] = {
        "size($p)",          "head($p)",       "last($p)",
        "tail($p)",          "reverse($p)",    "isEmpty($p)",
        "keys($p)",          "properties($p)", "labels($p)",
        "type($p)",          "id($p)",         "elementId($p)",
        "externalId($p)",    "nodes($p)",      "relationships($p)",
        "length($p)",        "startNode($p)",  "endNode($p)",
        "validFrom($p)",     "validTo($p)",    "commitTime($p)",
        "toIntegerList($p)",
    };
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        bed_check(refused[i], REFUSED);
    }
}

TEST(strings)
{
    static const struct bed_case cases[] = {
        {"left('h\xc3\xa9llo', 2)", "'h\xc3\xa9'"},
        {"left('ab', 9)", "'ab'"},
        {"left('ab', -1)", "ArgumentError.NumberOutOfRange"},
        {"right('hell\xc3\xb6', 2)", "'l\xc3\xb6'"},
        {"right('ab', 0)", "''"},
        {"trim('  a b ')", "'a b'"},
        {"lTrim('  a ')", "'a '"},
        {"rTrim(' a  ')", "' a'"},
        {"btrim(' a ')", "'a'"},
        {"replace('banana', 'an', 'x')", "'bxxa'"},
        {"replace('banana', 'x', 'y')", "'banana'"},
        {"replace('banana', '', 'y')", "'banana'"},
        {"replace('aaa', 'a', '')", "''"},
        {"split('one1two', '1')", "['one', 'two']"},
        {"split('a,b,', ',')", "['a', 'b', '']"},
        {"split('', ',')", "['']"},
        {"split('a\xc3\xa9', '')", "['a', '\xc3\xa9']"},
        {"substring('hello', 1)", "'ello'"},
        {"substring('hello', 1, 3)", "'ell'"},
        {"substring('hello', 9)", "''"},
        {"substring('h\xc3\xa9llo', 1, 1)", "'\xc3\xa9'"},
        {"substring('hello', -1)", "ArgumentError.NumberOutOfRange"},
        {"toUpper('stra\xc3\x9f"
         "e \xc3\xa4\xc9\x90')",
         "'STRA\xc3\x9f"
         "E \xc3\x84\xe2\xb1\xaf'"},
        {"lower('\xc3\x84\xe2\xb1\xaf')", "'\xc3\xa4\xc9\x90'"},
        {"toLower('ABC')", "'abc'"},
        {"upper('abc')", "'ABC'"},
        {"char_length('\xc3\xa9')", "1"},
        {"character_length('ab')", "2"},
        {"toUpper(null)", "null"},
    };
    BED_CHECK_ALL(cases);
    bed_set_parameter(value_int(1));
    bed_check("toUpper($p)", REFUSED);
    bed_check("split('a', $p)", REFUSED);
    bed_check("left('a', 1.5)", "SyntaxError.InvalidArgumentType");
    bed_set_parameter(value_float(1.5));
    bed_check("left('a', $p)", "ArgumentError.InvalidArgumentType");
}

TEST(conversions)
{
    static const struct bed_case cases[] = {
        {"toInteger(82.9)", "82"},
        {"toInteger(-82.9)", "-82"},
        {"toInteger('1.7')", "1"},
        {"toInteger(' 42 ')", "42"},
        {"toInteger('foo')", "null"},
        {"toInteger('')", "null"},
        {"toInteger(1e30)", "null"},
        {"toInteger('9223372036854775808')", "null"},
        {"toInteger(null)", "null"},
        {"toInteger(true)", REFUSED},
        {"toInteger([])", REFUSED},
        {"toIntegerOrNull([])", "null"},
        {"toIntegerOrNull('7')", "7"},
        {"toIntegerList(['1', 2.5, [], null])", "[1, 2, null, null]"},
        {"toFloat(3)", "3.0"},
        {"toFloat('5')", "5.0"},
        {"toFloat('1e2')", "100.0"},
        {"toFloat('foo')", "null"},
        {"toFloat(true)", REFUSED},
        {"toFloatOrNull(true)", "null"},
        {"toFloatList(['1', 2])", "[1.0, 2.0]"},
        {"toBoolean('TRUE')", "true"},
        {"toBoolean(' false ')", "false"},
        {"toBoolean('yes')", "null"},
        {"toBoolean(0)", "false"},
        {"toBoolean(1.0)", REFUSED},
        {"toBooleanOrNull(1.0)", "null"},
        {"toBooleanList(['true', 1.5])", "[true, null]"},
        {"toString(42)", "'42'"},
        {"toString(1.5)", "'1.5'"},
        {"toString(true)", "'true'"},
        {"toString('a')", "'a'"},
        {"toString([])", REFUSED},
        {"toStringOrNull({})", "null"},
        {"toStringList([1, 'a', []])", "['1', 'a', null]"},
    };
    BED_CHECK_ALL(cases);
}

TEST(aggregates)
{
    static const struct bed_case cases[] = {
        {"UNWIND [1, null, 2, 2] AS x RETURN count(x)", "3"},
        {"UNWIND [1, null, 2, 2] AS x RETURN count(*)", "4"},
        {"UNWIND [1, 1.0, null, 2] AS x RETURN count(DISTINCT x)", "2"},
        {"UNWIND [] AS x RETURN count(x)", "0"},
        {"UNWIND [1, 2, null] AS x RETURN sum(x)", "3"},
        {"UNWIND [1, 2.5] AS x RETURN sum(x)", "3.5"},
        {"UNWIND [2.5, 1] AS x RETURN sum(x)", "3.5"},
        {"UNWIND [] AS x RETURN sum(x)", "0"},
        {"UNWIND [1, 1, 2] AS x RETURN sum(DISTINCT x)", "3"},
        {"UNWIND [0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1] AS x RETURN sum(x)", "1.0"},
        {"UNWIND [1e100, 1.0, -1e100] AS x RETURN sum(x)", "1.0"},
        {"UNWIND [9223372036854775807, 1] AS x RETURN sum(x)", "ArithmeticError.IntegerOverflow"},
        {"UNWIND [1, 'a'] AS x RETURN sum(x)", "TypeError.InvalidArgumentType"},
        {"UNWIND [duration('P1D'), duration('PT1H')] AS x RETURN sum(x)", "'P1DT1H'"},
        {"UNWIND [duration('P1D'), duration('P2D')] AS x RETURN avg(x)", "'P1DT12H'"},
        {"UNWIND [duration('P1D'), 1] AS x RETURN sum(x)", "TypeError.InvalidArgumentType"},
        {"UNWIND [1, 2] AS x RETURN avg(x)", "1.5"},
        {"UNWIND [] AS x RETURN avg(x)", "null"},
        {"UNWIND [1, 'a', null, [1, 2], 0.2, 'b'] AS x RETURN max(x)", "1"},
        {"UNWIND [1, 'a', null, [1, 2], 0.2, 'b'] AS x RETURN min(x)", "[1, 2]"},
        {"UNWIND [null] AS x RETURN min(x)", "null"},
        {"UNWIND ['a', 'b', 'B', null, 'abc'] AS x RETURN min(x)", "'B'"},
        {"UNWIND [3, null, 1, 3] AS x RETURN collect(x)", "[3, 1, 3]"},
        {"UNWIND [3, null, 1, 3] AS x RETURN collect(DISTINCT x)", "[3, 1]"},
        {"UNWIND [] AS x RETURN collect(x)", "[]"},
        {"UNWIND [2, 4, 4, 4, 5, 5, 7, 9] AS x RETURN stDevP(x)", "2.0"},
        {"UNWIND [1, 2, 3] AS x RETURN stDev(x)", "1.0"},
        {"UNWIND [1] AS x RETURN stDev(x)", "0.0"},
        {"UNWIND [10, 20, 30] AS x RETURN percentileDisc(x, 0.5)", "20"},
        {"UNWIND [30, 10, 20] AS x RETURN percentileDisc(x, 0.0)", "10"},
        {"UNWIND [30, 10, 20] AS x RETURN percentileDisc(x, 1.0)", "30"},
        {"UNWIND [10, 20] AS x RETURN percentileCont(x, 0.25)", "12.5"},
        {"UNWIND [10, 20, 30] AS x RETURN percentileCont(x, 1)", "30.0"},
        {"UNWIND [] AS x RETURN percentileCont(x, 0.5)", "null"},
        {"UNWIND [1] AS x RETURN percentileCont(x, 1.1)", "ArgumentError.NumberOutOfRange"},
        {"UNWIND [1] AS x RETURN percentileDisc(x, -1)", "ArgumentError.NumberOutOfRange"},
        {"UNWIND range(1, 100) AS x RETURN size(collect(x)) + count(*) + max(x)", "300"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        bed_check_rows(cases[i].expression, cases[i].want);
    }
}

TEST_MAIN(names_are_found_without_their_case, numbers, lists, strings, conversions, aggregates)
