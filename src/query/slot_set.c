#include "query/slot_set.h"

#include <string.h>

#include "query/function.h"

struct slot_set slot_set_new(struct arena *arena, uint32_t slot_count)
{
    struct slot_set set = {NULL, slot_count / 64 + 1};
    set.words = arena_alloc(arena, set.word_count * sizeof(uint64_t));
    if (set.words == NULL) {
        set.word_count = 0;
    } else {
        memset(set.words, 0, set.word_count * sizeof(uint64_t));
    }
    return set;
}

void slot_set_add(struct slot_set *set, uint32_t slot)
{
    if (slot / 64 < set->word_count) {
        set->words[slot / 64] |= UINT64_C(1) << (slot % 64);
    }
}

void slot_set_remove(struct slot_set *set, uint32_t slot)
{
    if (slot / 64 < set->word_count) {
        set->words[slot / 64] &= ~(UINT64_C(1) << (slot % 64));
    }
}

bool slot_set_has(const struct slot_set *set, uint32_t slot)
{
    return slot / 64 < set->word_count && (set->words[slot / 64] >> (slot % 64) & 1) != 0;
}

void slot_set_copy(struct slot_set *to, const struct slot_set *from)
{
    if (to->word_count == from->word_count && to->word_count > 0) {
        memcpy(to->words, from->words, to->word_count * sizeof(uint64_t));
    }
}

bool slot_set_is_empty(const struct slot_set *set)
{
    for (uint32_t i = 0; i < set->word_count; i++) {
        if (set->words[i] != 0) {
            return false;
        }
    }
    return true;
}

bool slot_set_covers(const struct slot_set *b, const struct slot_set *a,
                     const struct slot_set *among)
{
    for (uint32_t i = 0; i < a->word_count && i < b->word_count && i < among->word_count; i++) {
        if ((a->words[i] & among->words[i] & ~b->words[i]) != 0) {
            return false;
        }
    }
    return true;
}

const uint32_t *slot_set_list(const struct slot_set *set, struct arena *arena, uint32_t *count_out)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < set->word_count; i++) {
        count += (uint32_t)__builtin_popcountll(set->words[i]);
    }
    *count_out = 0;
    uint32_t *slots = count > 0 ? arena_alloc(arena, count * sizeof(*slots)) : NULL;
    if (slots == NULL) {
        return NULL;
    }
    uint32_t at = 0;
    for (uint32_t slot = 0; slot < set->word_count * 64; slot++) {
        if (slot_set_has(set, slot)) {
            slots[at++] = slot;
        }
    }
    *count_out = count;
    return slots;
}

/* ---- walking -------------------------------------------------------------------------------- */

static bool list_children(const struct expr_list *list, expr_visit *each, void *arg)
{
    for (uint32_t i = 0; i < list->count; i++) {
        if (each(arg, list->items[i])) {
            return true;
        }
    }
    return false;
}

static bool map_children(const struct expr *expr, expr_visit *each, void *arg)
{
    if (expr->as.map.object != NULL && each(arg, expr->as.map.object)) {
        return true;
    }
    for (uint32_t i = 0; i < expr->as.map.count; i++) {
        if (expr->as.map.items[i].value != NULL && each(arg, expr->as.map.items[i].value)) {
            return true;
        }
    }
    return false;
}

static bool choice_children(const struct expr *expr, expr_visit *each, void *arg)
{
    if (expr->as.choice.subject != NULL && each(arg, expr->as.choice.subject)) {
        return true;
    }
    for (uint32_t i = 0; i < expr->as.choice.branch_count; i++) {
        if (each(arg, expr->as.choice.branches[i].when) ||
            each(arg, expr->as.choice.branches[i].then)) {
            return true;
        }
    }
    return expr->as.choice.otherwise != NULL && each(arg, expr->as.choice.otherwise);
}

static bool each_of(const struct expr *const *children, size_t count, expr_visit *each, void *arg)
{
    for (size_t i = 0; i < count; i++) {
        if (children[i] != NULL && each(arg, children[i])) {
            return true;
        }
    }
    return false;
}

static bool pattern_children(const struct pattern *pattern, expr_visit *each, void *arg)
{
    for (uint32_t i = 0; i < pattern->path_count; i++) {
        const struct path_pattern *path = &pattern->paths[i];
        for (uint32_t k = 0; k <= path->length; k++) {
            if (path->nodes[k].properties != NULL && each(arg, path->nodes[k].properties)) {
                return true;
            }
            if (k < path->length && path->relationships[k].properties != NULL &&
                each(arg, path->relationships[k].properties)) {
                return true;
            }
        }
    }
    return false;
}

bool expr_children(const struct expr *expr, expr_visit *each, void *arg)
{
    switch (expr->kind) {
    case EXPR_PROPERTY:
        return each(arg, expr->as.property.object);
    case EXPR_HAS_LABELS:
        return each(arg, expr->as.has_labels.object);
    case EXPR_LIST:
        return list_children(&expr->as.list, each, arg);
    case EXPR_MAP:
    case EXPR_MAP_PROJECTION:
        return map_children(expr, each, arg);
    case EXPR_INDEX:
    case EXPR_SLICE:
        return each_of(
            (const struct expr *[]){expr->as.index.object, expr->as.index.low, expr->as.index.high},
            3, each, arg);
    case EXPR_UNARY:
    case EXPR_BINARY:
    case EXPR_IS_NULL:
    case EXPR_IS_NOT_NULL:
        return each_of((const struct expr *[]){expr->as.binary.left, expr->as.binary.right}, 2,
                       each, arg);
    case EXPR_COMPARISON:
        return list_children(
            &(struct expr_list){expr->as.comparison.operands, expr->as.comparison.count + 1}, each,
            arg);
    case EXPR_CALL:
    case EXPR_AGGREGATE:
        return list_children(&expr->as.call.arguments, each, arg);
    case EXPR_CASE:
        return choice_children(expr, each, arg);
    case EXPR_LIST_COMPREHENSION:
    case EXPR_QUANTIFIER:
    case EXPR_REDUCE:
        return each_of((const struct expr *[]){expr->as.walk.list, expr->as.walk.where,
                                               expr->as.walk.mapped, expr->as.walk.initial},
                       4, each, arg);
    case EXPR_PATTERN_COMPREHENSION:
    case EXPR_PATTERN:
    case EXPR_SHORTEST_PATH:
        return pattern_children(expr->as.pattern.pattern, each, arg) ||
               each_of((const struct expr *[]){expr->as.pattern.where, expr->as.pattern.mapped}, 2,
                       each, arg);
    default: /* leaves; subqueries tell their slots themselves */
        return false;
    }
}

/* ---- slots ---------------------------------------------------------------------------------- */

void pattern_slots(const struct pattern *pattern, struct slot_set *set)
{
    for (uint32_t i = 0; i < pattern->path_count; i++) {
        const struct path_pattern *path = &pattern->paths[i];
        if (path->slot != AST_NO_SLOT) {
            slot_set_add(set, path->slot);
        }
        for (uint32_t k = 0; k <= path->length; k++) {
            slot_set_add(set, path->nodes[k].slot);
            if (k < path->length) {
                slot_set_add(set, path->relationships[k].slot);
            }
        }
    }
}

static bool add_slots(void *arg, const struct expr *expr)
{
    struct slot_set *set = arg;
    switch (expr->kind) {
    case EXPR_VARIABLE:
        slot_set_add(set, expr->as.variable.slot);
        break;
    case EXPR_AGGREGATE:
        slot_set_add(set, expr->as.call.slot);
        break;
    case EXPR_EXISTS:
    case EXPR_COUNT:
    case EXPR_COLLECT:
        for (uint32_t i = 0; i < expr->as.subquery->import_count; i++) {
            slot_set_add(set, expr->as.subquery->imports[i]);
        }
        break;
    case EXPR_PATTERN_COMPREHENSION:
    case EXPR_PATTERN:
    case EXPR_SHORTEST_PATH:
        pattern_slots(expr->as.pattern.pattern, set);
        break;
    default:
        break;
    }
    return expr_children(expr, add_slots, set);
}

void expr_slots(const struct expr *expr, struct slot_set *set)
{
    if (expr != NULL) {
        add_slots(set, expr);
    }
}

/* ---- questions ------------------------------------------------------------------------------ */

static bool is_subquery(const struct expr *expr)
{
    return expr->kind == EXPR_EXISTS || expr->kind == EXPR_COUNT || expr->kind == EXPR_COLLECT ||
           expr->kind == EXPR_PATTERN_COMPREHENSION || expr->kind == EXPR_PATTERN ||
           expr->kind == EXPR_SHORTEST_PATH;
}

static bool reads_graph(void *arg, const struct expr *expr)
{
    if (is_subquery(expr) || expr->kind == EXPR_PROPERTY || expr->kind == EXPR_HAS_LABELS ||
        expr->kind == EXPR_INDEX || expr->kind == EXPR_MAP_PROJECTION) {
        return true;
    }
    if (expr->kind == EXPR_CALL && expr->as.call.function != NULL &&
        expr->as.call.function->purity != FUNCTION_PURE) {
        return true;
    }
    return expr_children(expr, reads_graph, arg);
}

bool expr_reads_graph(const struct expr *expr)
{
    return expr != NULL && reads_graph(NULL, expr);
}

static bool has_subquery(void *arg, const struct expr *expr)
{
    return is_subquery(expr) || expr_children(expr, has_subquery, arg);
}

bool expr_has_subquery(const struct expr *expr)
{
    return expr != NULL && has_subquery(NULL, expr);
}
