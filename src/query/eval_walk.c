/* Walks over a list: comprehensions, quantifiers, reduce(). */
#include "query/eval_internal.h"

/* The list to walk; `*is_null_out` where it is null. */
static enum yore_status walked(struct eval *eval, const struct expr *expr,
                               struct yore_graph_value *row, struct yore_graph_list *list_out,
                               bool *is_null_out)
{
    struct yore_graph_value list;
    enum yore_status st = eval_expr(eval, expr->as.walk.list, row, &list);
    *is_null_out = st == YORE_OK && value_is_null(&list);
    *list_out = (struct yore_graph_list){0};
    if (st != YORE_OK || *is_null_out) {
        return st;
    }
    if (list.kind != YORE_GRAPH_LIST) {
        return eval_fail(eval, expr->as.walk.list->spot, "TypeError", "InvalidArgumentType",
                         "only a List can be walked over, not a %s", value_kind_name(list.kind));
    }
    *list_out = list.as.list;
    return YORE_OK;
}

enum yore_status eval_comprehension(struct eval *eval, const struct expr *expr,
                                    struct yore_graph_value *row,
                                    struct yore_graph_value *value_out)
{
    struct yore_graph_list list;
    bool is_null = false;
    enum yore_status st = walked(eval, expr, row, &list, &is_null);
    *value_out = value_null();
    if (st != YORE_OK || is_null) {
        return st;
    }
    void *room = NULL;
    st = eval_alloc(eval, list.count, sizeof(*list.items), &room);
    struct yore_graph_value *items = room;
    size_t count = 0;
    for (size_t i = 0; i < list.count && st == YORE_OK; i++) {
        bool is_in = true;
        row[expr->as.walk.slot] = list.items[i];
        st = eval_step(eval, 1);
        if (st == YORE_OK && expr->as.walk.where != NULL) {
            st = eval_condition(eval, expr->as.walk.where, row, &is_in);
        }
        if (st != YORE_OK || !is_in) {
            continue;
        }
        items[count] = list.items[i];
        if (expr->as.walk.mapped != NULL) {
            st = eval_expr(eval, expr->as.walk.mapped, row, &items[count]);
        }
        count++;
    }
    *value_out = value_list(items, count);
    return st != YORE_OK || expr->as.walk.mapped == NULL ? st : eval_check_value(eval, value_out);
}

/* How many of a list held, did not, or could not be told, as far as was looked. */
struct tally {
    size_t held;
    size_t failed;
    size_t unknown;
};

/* Whether the rest of the list cannot change the answer. */
static bool is_decided(enum quantifier quantifier, const struct tally *tally)
{
    switch (quantifier) {
    case QUANTIFIER_ALL:
        return tally->failed > 0;
    case QUANTIFIER_SINGLE:
        return tally->held > 1;
    default:
        return tally->held > 0;
    }
}

static enum ternary verdict(enum quantifier quantifier, const struct tally *tally)
{
    enum ternary otherwise = tally->unknown > 0 ? TERNARY_NULL : TERNARY_FALSE;
    switch (quantifier) {
    case QUANTIFIER_ALL:
        if (tally->failed > 0) {
            return TERNARY_FALSE;
        }
        return tally->unknown > 0 ? TERNARY_NULL : TERNARY_TRUE;
    case QUANTIFIER_ANY:
        return tally->held > 0 ? TERNARY_TRUE : otherwise;
    case QUANTIFIER_NONE:
        if (tally->held > 0) {
            return TERNARY_FALSE;
        }
        return tally->unknown > 0 ? TERNARY_NULL : TERNARY_TRUE;
    default:
        if (tally->held > 1) {
            return TERNARY_FALSE;
        }
        return tally->unknown == 0 && tally->held == 1 ? TERNARY_TRUE : otherwise;
    }
}

enum yore_status eval_quantifier(struct eval *eval, const struct expr *expr,
                                 struct yore_graph_value *row, struct yore_graph_value *value_out)
{
    struct yore_graph_list list;
    bool is_null = false;
    enum yore_status st = walked(eval, expr, row, &list, &is_null);
    *value_out = value_null();
    if (st != YORE_OK || is_null) {
        return st;
    }
    const struct expr *where = expr->as.walk.where;
    enum quantifier quantifier = expr->as.walk.quantifier;
    struct tally tally = {0};
    for (size_t i = 0; i < list.count && !is_decided(quantifier, &tally); i++) {
        row[expr->as.walk.slot] = list.items[i];
        struct yore_graph_value value = list.items[i];
        enum ternary truth = TERNARY_NULL;
        st = eval_step(eval, 1);
        if (st == YORE_OK && where != NULL) {
            st = eval_expr(eval, where, row, &value);
        }
        if (st == YORE_OK) {
            st = eval_ternary(eval, &value, where == NULL ? expr->spot : where->spot, &truth);
        }
        if (st != YORE_OK) {
            return st;
        }
        tally.held += truth == TERNARY_TRUE;
        tally.failed += truth == TERNARY_FALSE;
        tally.unknown += truth == TERNARY_NULL;
    }
    *value_out = value_ternary(verdict(quantifier, &tally));
    return YORE_OK;
}

/* Values on the way to the last one of reduce(), in the arena behind `mark`. */
struct passed {
    struct arena_mark mark;
    uint64_t bytes_at_mark;
    uint64_t bytes_bound; /* with more than this they are given back */
};

#define PASSED_BYTES_MIN (UINT64_C(64) << 10)
#define PASSED_FACTOR 4 /* copying what is kept costs a part of what it took to make it */

static uint64_t bytes_behind_mark(const struct eval *eval, const struct passed *passed)
{
    return atomic_load_explicit(&eval->arena->bytes, memory_order_relaxed) - passed->bytes_at_mark;
}

/* Give back all but the one that is at work. */
static enum yore_status give_back(struct eval *eval, struct passed *passed,
                                  struct yore_graph_value *so_far)
{
    struct arena spare = {0};
    struct yore_graph_value copy;
    if (bytes_behind_mark(eval, passed) <= passed->bytes_bound) {
        return YORE_OK;
    }
    enum yore_status st = value_copy(&spare, so_far, &copy);
    if (st == YORE_OK) {
        arena_rewind(eval->arena, passed->mark);
        st = value_copy(eval->arena, &copy, so_far);
    }
    arena_release(&spare);
    passed->bytes_bound = PASSED_BYTES_MIN + PASSED_FACTOR * bytes_behind_mark(eval, passed);
    return st == YORE_OK ? st : eval_nomem(eval);
}

enum yore_status eval_reduce(struct eval *eval, const struct expr *expr,
                             struct yore_graph_value *row, struct yore_graph_value *value_out)
{
    struct yore_graph_list list;
    bool is_null = false;
    struct yore_graph_value so_far;
    enum yore_status st = eval_expr(eval, expr->as.walk.initial, row, &so_far);
    if (st == YORE_OK) {
        st = walked(eval, expr, row, &list, &is_null);
    }
    *value_out = value_null();
    if (st != YORE_OK || is_null) {
        return st;
    }
    struct passed passed = {.mark = arena_mark(eval->arena),
                            .bytes_at_mark =
                                atomic_load_explicit(&eval->arena->bytes, memory_order_relaxed),
                            .bytes_bound = PASSED_BYTES_MIN};
    for (size_t i = 0; i < list.count && st == YORE_OK; i++) {
        row[expr->as.walk.slot] = list.items[i];
        row[expr->as.walk.accumulator_slot] = so_far;
        st = eval_step(eval, 1);
        if (st == YORE_OK) {
            st = eval_expr(eval, expr->as.walk.mapped, row, &so_far);
        }
        if (st == YORE_OK) {
            st = give_back(eval, &passed, &so_far);
        }
    }
    *value_out = so_far;
    return st;
}
