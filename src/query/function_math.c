/* Functions of numbers. */
#include <math.h>
#include <stdio.h>

#include "os/env.h"
#include "query/function_internal.h"

#define PI 3.14159265358979323846
#define EULER 2.71828182845904523536
#define ROUND_DIGITS_MAX 300 /* more are no rounding */

static double real_of(const struct yore_graph_value *number)
{
    return number->kind == YORE_GRAPH_INT ? (double)number->as.integer : number->as.real;
}

static enum yore_status want_numbers(struct eval *eval, const struct expr *call,
                                     const struct yore_graph_value *arguments, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!value_is_number(&arguments[i])) {
            return function_refuse(eval, call, "a number", &arguments[i]);
        }
    }
    return YORE_OK;
}

enum yore_status function_real(struct eval *eval, const struct expr *call,
                               const struct yore_graph_value *arguments, size_t count,
                               struct yore_graph_value *value_out)
{
    enum yore_status st = want_numbers(eval, call, arguments, count);
    if (st == YORE_OK) {
        *value_out = value_float(call->as.call.function->real(real_of(&arguments[0])));
    }
    return st;
}

double real_cotangent(double x)
{
    return 1 / tan(x);
}

double real_hyperbolic_cotangent(double x)
{
    return 1 / tanh(x);
}

double real_degrees(double x)
{
    return x * 180 / PI;
}

double real_radians(double x)
{
    return x / 180 * PI;
}

double real_haversine(double x)
{
    return (1 - cos(x)) / 2;
}

enum yore_status function_atan2(struct eval *eval, const struct expr *call,
                                const struct yore_graph_value *arguments, size_t count,
                                struct yore_graph_value *value_out)
{
    enum yore_status st = want_numbers(eval, call, arguments, count);
    if (st == YORE_OK) {
        *value_out = value_float(atan2(real_of(&arguments[0]), real_of(&arguments[1])));
    }
    return st;
}

enum yore_status function_abs(struct eval *eval, const struct expr *call,
                              const struct yore_graph_value *arguments, size_t count,
                              struct yore_graph_value *value_out)
{
    enum yore_status st = want_numbers(eval, call, arguments, count);
    *value_out = arguments[0];
    if (st != YORE_OK) {
        return st;
    }
    if (arguments[0].kind == YORE_GRAPH_FLOAT) {
        *value_out = value_float(fabs(arguments[0].as.real));
        return YORE_OK;
    }
    return arguments[0].as.integer < 0 ? eval_minus(eval, &arguments[0], call->spot, value_out)
                                       : YORE_OK;
}

enum yore_status function_sign(struct eval *eval, const struct expr *call,
                               const struct yore_graph_value *arguments, size_t count,
                               struct yore_graph_value *value_out)
{
    enum yore_status st = want_numbers(eval, call, arguments, count);
    if (st == YORE_OK) {
        double number = real_of(&arguments[0]);
        *value_out = value_int((number > 0) - (number < 0));
    }
    return st;
}

enum yore_status function_is_nan(struct eval *eval, const struct expr *call,
                                 const struct yore_graph_value *arguments, size_t count,
                                 struct yore_graph_value *value_out)
{
    enum yore_status st = want_numbers(eval, call, arguments, count);
    *value_out = value_bool(value_is_nan(&arguments[0]));
    return st;
}

/* ---- rounding ---- */

static bool is_mode(struct yore_bytes mode, const char *name)
{
    size_t i = 0;
    const char *at = mode.data;
    while (i < mode.size && name[i] != '\0' && (at[i] & ~0x20) == (name[i] & ~0x20)) {
        i++;
    }
    return i == mode.size && name[i] == '\0';
}

/* Half away from zero, and so on; false: no such mode. */
static bool round_by(double x, struct yore_bytes mode, double *rounded_out)
{
    double down = floor(x);
    double half = x - down - 0.5;
    if (is_mode(mode, "UP")) {
        *rounded_out = x < 0 ? floor(x) : ceil(x);
    } else if (is_mode(mode, "DOWN")) {
        *rounded_out = trunc(x);
    } else if (is_mode(mode, "CEILING")) {
        *rounded_out = ceil(x);
    } else if (is_mode(mode, "FLOOR")) {
        *rounded_out = down;
    } else if (is_mode(mode, "HALF_UP")) {
        *rounded_out = round(x);
    } else if (is_mode(mode, "HALF_DOWN")) {
        *rounded_out = half == 0 ? trunc(x) : round(x);
    } else if (is_mode(mode, "HALF_EVEN")) {
        *rounded_out = half == 0 ? 2 * round(x / 2) : round(x);
    } else {
        return false;
    }
    return true;
}

/* round(x) goes to the greater one at a half, as the language has it; round(x, digits [, mode]) by
 * decimal digits, half away from zero where no mode is said. */
enum yore_status function_round(struct eval *eval, const struct expr *call,
                                const struct yore_graph_value *arguments, size_t count,
                                struct yore_graph_value *value_out)
{
    enum yore_status st = want_numbers(eval, call, arguments, 1);
    double x = real_of(&arguments[0]);
    int64_t digits = 0;
    if (st == YORE_OK && count > 1) {
        st = function_integer(eval, call, &arguments[1], &digits);
    }
    if (st != YORE_OK) {
        return st;
    }
    if (count == 1) {
        *value_out = value_float(floor(x + 0.5));
        return YORE_OK;
    }
    if (digits < 0) {
        return eval_fail(eval, call->spot, "ArgumentError", "NumberOutOfRange",
                         "round() takes no negative number of digits");
    }
    struct yore_bytes mode = bytes_of("HALF_UP", 7);
    if (count > 2) {
        if (arguments[2].kind != YORE_GRAPH_STRING) {
            return function_refuse(eval, call, "the name of a mode", &arguments[2]);
        }
        mode = arguments[2].as.string;
    }
    double scale = pow(10, digits > ROUND_DIGITS_MAX ? ROUND_DIGITS_MAX : (double)digits);
    double rounded = 0;
    if (!round_by(x * scale, mode, &rounded)) {
        return eval_fail(eval, call->spot, "ArgumentError", "InvalidArgumentValue",
                         "round() knows UP, DOWN, CEILING, FLOOR, HALF_UP, HALF_DOWN, HALF_EVEN");
    }
    bool is_settled = !isfinite(x * scale); /* finer than the number is */
    *value_out = value_float(is_settled ? x : rounded / scale);
    return YORE_OK;
}

/* ---- constants and chance ---- */

enum yore_status function_pi(struct eval *eval, const struct expr *call,
                             const struct yore_graph_value *arguments, size_t count,
                             struct yore_graph_value *value_out)
{
    (void)eval;
    (void)call;
    (void)arguments;
    (void)count;
    *value_out = value_float(PI);
    return YORE_OK;
}

enum yore_status function_e(struct eval *eval, const struct expr *call,
                            const struct yore_graph_value *arguments, size_t count,
                            struct yore_graph_value *value_out)
{
    (void)eval;
    (void)call;
    (void)arguments;
    (void)count;
    *value_out = value_float(EULER);
    return YORE_OK;
}

static uint64_t chance(struct eval *eval)
{
    if (!eval->is_rand_seeded) {
        rand_init(&eval->rand, os_random_u64(os_env_posix()));
        eval->is_rand_seeded = true;
    }
    return rand_u64(&eval->rand);
}

enum yore_status function_rand(struct eval *eval, const struct expr *call,
                               const struct yore_graph_value *arguments, size_t count,
                               struct yore_graph_value *value_out)
{
    (void)call;
    (void)arguments;
    (void)count;
    *value_out = value_float((double)(chance(eval) >> 11) / 9007199254740992.0);
    return YORE_OK;
}

/* RFC 9562, version 4; straight from the system, for names that others may not guess. */
enum yore_status function_random_uuid(struct eval *eval, const struct expr *call,
                                      const struct yore_graph_value *arguments, size_t count,
                                      struct yore_graph_value *value_out)
{
    (void)call;
    (void)arguments;
    (void)count;
    unsigned long long high = os_random_u64(os_env_posix());
    unsigned long long low = os_random_u64(os_env_posix());
    high = (high & 0xffffffffffff0fffULL) | 0x4000ULL;
    low = (low & 0x3fffffffffffffffULL) | 0x8000000000000000ULL;
    char text[40];
    int size = snprintf(text, sizeof(text), "%08llx-%04llx-%04llx-%04llx-%012llx", high >> 32,
                        high >> 16 & 0xffff, high & 0xffff, low >> 48, low & 0xffffffffffffULL);
    return eval_string(eval, bytes_of(text, (size_t)size), value_out);
}
