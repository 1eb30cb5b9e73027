#include "query/plan_tree.h"

#include <string.h>

#include "query/limits.h"
#include "query/operator.h"

#define ENTRIES_MAX 6

struct tree_walk {
    const struct plan *plan;
    struct arena *arena;
    bool is_profile;
};

/* A step, and the operator that carried it out; or NULL. */
struct step {
    const struct plan_node *node;
    const struct operator* op;
};

static struct yore_graph_entry entry(const char *name, struct yore_graph_value value)
{
    return (struct yore_graph_entry){bytes_of(name, strlen(name)), value};
}

static enum yore_status make_args(const struct tree_walk *walk, const struct plan_node *node,
                                  struct yore_graph_value *args_out)
{
    struct buffer details = {0};
    plan_node_describe(walk->plan, node, &details);
    struct yore_graph_entry *entries = arena_alloc(walk->arena, 2 * sizeof(*entries));
    void *text =
        arena_copy(walk->arena, details.size > 0 ? (const void *)details.data : "", details.size);
    bool is_good = !details.is_nomem && entries != NULL && text != NULL;
    if (is_good) {
        entries[0] = entry("Details", value_string(bytes_of(text, details.size)));
        entries[1] = entry("EstimatedRows", value_float(node->estimate));
        *args_out = value_map(entries, 2);
    }
    buffer_release(&details);
    return is_good ? YORE_OK : YORE_NOMEM;
}

/* One step's map, its children made already. */
static enum yore_status make_step(const struct tree_walk *walk, const struct step *step,
                                  struct yore_graph_value children,
                                  struct yore_graph_value *value_out)
{
    const struct operator* op = step->op;
    const char *name = plan_kind_name(step->node->kind);
    struct yore_graph_value args;
    struct yore_graph_entry *entries = arena_alloc(walk->arena, ENTRIES_MAX * sizeof(*entries));
    enum yore_status st = entries != NULL ? make_args(walk, step->node, &args) : YORE_NOMEM;
    if (st != YORE_OK) {
        return st;
    }
    size_t count = 0;
    entries[count++] = entry("args", args);
    entries[count++] = entry("children", children);
    if (walk->is_profile) {
        uint64_t below = op != NULL && op->input != NULL ? op->input->steps : 0;
        entries[count++] =
            entry("dbHits", value_int(op != NULL ? (int64_t)(op->steps - below) : 0));
    }
    entries[count++] = entry("identifiers", value_list(NULL, 0));
    entries[count++] = entry("operatorType", value_string(bytes_of(name, strlen(name))));
    if (walk->is_profile) {
        entries[count++] = entry("rows", value_int(op != NULL ? (int64_t)op->rows : 0));
    }
    *value_out = value_map(entries, count);
    return YORE_OK;
}

static enum yore_status make_chain(const struct tree_walk *walk, struct step top, unsigned depth,
                                   struct yore_graph_value *value_out);

/* The subplans of a step behind `*count_out` children. */
static enum yore_status make_inner(const struct tree_walk *walk, const struct step *step,
                                   unsigned depth, struct yore_graph_value *children, size_t *count)
{
    enum yore_status st = YORE_OK;
    const struct plan_node *node = step->node;
    const struct operator* op = step->op;
    if (depth >= PLAN_TREE_DEPTH_MAX) {
        return YORE_OK;
    }
    if (node->inner != NULL) {
        struct step inner = {node->inner, op != NULL ? op->inner : NULL};
        st = make_chain(walk, inner, depth + 1, &children[(*count)++]);
    }
    for (uint32_t i = 0;
         st == YORE_OK && node->kind == PLAN_UNION && i < node->as.merged.part_count; i++) {
        struct step part = {node->as.merged.parts[i], op != NULL ? operator_part(op, i) : NULL};
        st = make_chain(walk, part, depth + 1, &children[(*count)++]);
    }
    return st;
}

/* A step and its inputs: from the first input on, each becomes the child of the next. */
static enum yore_status make_chain(const struct tree_walk *walk, struct step top, unsigned depth,
                                   struct yore_graph_value *value_out)
{
    size_t count = 0;
    for (const struct plan_node *at = top.node; at != NULL && depth + count <= PLAN_TREE_DEPTH_MAX;
         at = at->input) {
        count++;
    }
    struct step *chain = arena_alloc(walk->arena, (count + 1) * sizeof(*chain));
    enum yore_status st = chain != NULL ? YORE_OK : YORE_NOMEM;
    for (size_t i = 0; st == YORE_OK && i < count; i++) {
        chain[i] = top;
        top = (struct step){top.node->input, top.op != NULL ? top.op->input : NULL};
    }
    for (size_t i = count; st == YORE_OK && i-- > 0;) {
        const struct plan_node *node = chain[i].node;
        size_t room = 2 + (node->kind == PLAN_UNION ? node->as.merged.part_count : 0);
        struct yore_graph_value *children = arena_alloc(walk->arena, room * sizeof(*children));
        size_t child_count = 0;
        if (children == NULL) {
            return YORE_NOMEM;
        }
        if (i + 1 < count) {
            children[child_count++] = *value_out;
        }
        st = make_inner(walk, &chain[i], depth + (unsigned)i, children, &child_count);
        if (st == YORE_OK) {
            st = make_step(walk, &chain[i], value_list(children, child_count), value_out);
        }
    }
    return st;
}

enum yore_status plan_tree(const struct plan *plan, const struct run *run, struct arena *arena,
                           const struct yore_graph_value **tree_out)
{
    struct tree_walk walk = {plan, arena, run != NULL};
    struct step top = {plan->root, run != NULL ? run->root : NULL};
    struct yore_graph_value *tree = arena_alloc(arena, sizeof(*tree));
    if (tree == NULL) {
        return YORE_NOMEM;
    }
    *tree_out = tree;
    return make_chain(&walk, top, 0, tree);
}
