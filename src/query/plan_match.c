/* plan_match.c -- the order in which a pattern is found.
 *
 * Greedy: begin where the fewest rows come of, then always make the hop from what is bound that
 * leaves the fewest, and test everything as soon as it can be tested.  A part of the pattern that
 * hangs on nothing bound begins anew for every row.  The rejected alternative, dynamic programming
 * over all orders, finds better plans for patterns of many hops between several selective ends; it
 * costs more than most statements take to run. */
#include "query/plan_match.h"

#include <string.h>

bool match_is_bound(const struct match *match, uint32_t slot)
{
    return slot_set_has(&match->planner->bound, slot);
}

/* ---- gathering ------------------------------------------------------------------------------ */

static void add_node(struct match *match, const struct node_pattern *node)
{
    for (uint32_t i = 0; i < match->node_count; i++) {
        if (match->nodes[i]->slot == node->slot) {
            return;
        }
    }
    match->nodes[match->node_count++] = node;
}

static void gather_path(struct match *match, const struct path_pattern *path)
{
    bool is_named = path->slot != AST_NO_SLOT;
    for (uint32_t i = 0; i <= path->length; i++) {
        add_node(match, &path->nodes[i]);
        if (i == path->length) {
            break;
        }
        struct match_hop *hop = &match->hops[match->hop_count++];
        hop->pattern = &path->relationships[i];
        hop->path = path;
        hop->left = path->nodes[i].slot;
        hop->right = path->nodes[i + 1].slot;
        hop->nodes_slot = PLAN_NO_SLOT;
        if (is_named && hop->pattern->is_variable_length && path->shape == PATTERN_PLAIN) {
            hop->nodes_slot = planner_slot(match->planner);
        }
    }
}

static void gather(struct match *match)
{
    struct planner *planner = match->planner;
    const struct pattern *pattern = match->options->pattern;
    uint32_t hop_count = 0;
    for (uint32_t i = 0; i < pattern->path_count; i++) {
        hop_count += pattern->paths[i].length;
    }
    match->nodes =
        planner_alloc(planner, (hop_count + pattern->path_count) * sizeof(match->nodes[0]));
    match->hops = planner_alloc(planner, (hop_count + 1) * sizeof(match->hops[0]));
    match->paths_done = planner_alloc(planner, pattern->path_count + 1);
    if (planner->status != YORE_OK) {
        return;
    }
    for (uint32_t i = 0; i < pattern->path_count; i++) {
        gather_path(match, &pattern->paths[i]);
    }
    match->introduced = planner_set(planner);
    pattern_slots(pattern, &match->introduced);
    for (uint32_t slot = 0; slot < planner->slot_limit; slot++) {
        if (match_is_bound(match, slot)) {
            slot_set_remove(&match->introduced, slot);
        }
    }
}

/* ---- paths ---------------------------------------------------------------------------------- */

static const struct match_hop *hop_of(const struct match *match, const struct path_pattern *path,
                                      uint32_t index)
{
    for (uint32_t i = 0; i < match->hop_count; i++) {
        if (match->hops[i].path == path && match->hops[i].pattern == &path->relationships[index]) {
            return &match->hops[i];
        }
    }
    return NULL;
}

static bool is_path_bound(const struct match *match, const struct path_pattern *path)
{
    for (uint32_t i = 0; i <= path->length; i++) {
        if (!match_is_bound(match, path->nodes[i].slot) ||
            (i < path->length && !hop_of(match, path, i)->is_done)) {
            return false;
        }
    }
    return true;
}

static void place_path(struct match *match, const struct path_pattern *path)
{
    struct planner *planner = match->planner;
    uint32_t *between = planner_alloc(planner, (path->length + 1) * sizeof(*between));
    struct plan_node *node = plan_node_new(planner, PLAN_PATH, match->steps);
    if (between == NULL || node == NULL) {
        return;
    }
    for (uint32_t i = 0; i < path->length; i++) {
        between[i] = hop_of(match, path, i)->nodes_slot;
    }
    node->view = match->options->view;
    node->slot = path->slot;
    node->as.path.pattern = path;
    node->as.path.between = between;
    slot_set_add(&planner->bound, path->slot);
    match->steps = node;
}

static void place_paths(struct match *match)
{
    const struct pattern *pattern = match->options->pattern;
    for (uint32_t i = 0; i < pattern->path_count && match->planner->status == YORE_OK; i++) {
        const struct path_pattern *path = &pattern->paths[i];
        if (match->paths_done[i] || path->slot == AST_NO_SLOT || !is_path_bound(match, path)) {
            continue;
        }
        match->paths_done[i] = true;
        if (path->shape == PATTERN_PLAIN) { /* a shortest one is bound by its hop */
            place_path(match, path);
        }
    }
}

/* ---- starts --------------------------------------------------------------------------------- */

static void add_start(struct match *match, uint32_t slot, const struct match_start *start)
{
    struct planner *planner = match->planner;
    struct plan_node *node = plan_node_new(planner, start->kind, match->steps);
    if (node == NULL) {
        return;
    }
    node->view = match->options->view;
    node->slot = slot;
    node->estimate *= start->rows;
    node->as.scan.label = start->label;
    node->as.scan.property = start->property;
    node->as.scan.seek = start->seek;
    slot_set_add(&planner->bound, slot);
    match->steps = node;
    if (start->label != UINT32_MAX) {
        match_drop_label(match, slot, planner->names[start->label].name);
    }
}

static bool is_plain(const struct match_hop *hop)
{
    return !hop->pattern->is_variable_length && hop->path->shape == PATTERN_PLAIN;
}

/* A relationship whose ends are both still open and have nothing of their own to begin with. */
static struct match_hop *best_scan(struct match *match, double rows_below, uint32_t slot)
{
    struct match_hop *best = NULL;
    for (uint32_t i = 0; i < match->hop_count; i++) {
        struct match_hop *hop = &match->hops[i];
        if (hop->is_done || !is_plain(hop) || match_is_bound(match, hop->left) ||
            match_is_bound(match, hop->right) || (hop->left != slot && hop->right != slot)) {
            continue;
        }
        double rows = match_scan_rows(match, hop);
        if (best == NULL || rows < rows_below) {
            rows_below = rows;
            best = hop;
        }
    }
    return best;
}

/* Begin at the best node that is still open; false: there is none. */
static bool add_best_start(struct match *match)
{
    const struct node_pattern *best_node = NULL;
    struct match_start best = {.rows = 0};
    for (uint32_t i = 0; i < match->node_count; i++) {
        uint32_t slot = match->nodes[i]->slot;
        if (match_is_bound(match, slot)) {
            continue;
        }
        uint32_t count;
        struct match_test *tests = match_tests_of(match, slot, &count);
        struct match_start start = seek_best(match->planner, slot, tests, count);
        if (best_node == NULL || start.rows < best.rows) {
            best_node = match->nodes[i];
            best = start;
        }
    }
    if (best_node == NULL || match->planner->status != YORE_OK) {
        return false;
    }
    struct match_hop *scan = NULL;
    if (best.kind == PLAN_ALL_NODES) {
        scan = best_scan(match, best.rows, best_node->slot);
    }
    if (scan != NULL) {
        match_add_scan(match, scan);
    } else {
        add_start(match, best_node->slot, &best);
    }
    return true;
}

/* ---- hops ----------------------------------------------------------------------------------- */

/* Make the hop that leaves the fewest rows; false: none can be made. */
static bool add_best_hop(struct match *match)
{
    struct match_hop *best = NULL;
    bool best_from_right = false;
    double best_rows = 0;
    for (uint32_t i = 0; i < match->hop_count; i++) {
        struct match_hop *hop = &match->hops[i];
        for (int side = 0; side < 2 && !hop->is_done; side++) {
            double rows = match_hop_rows(match, hop, side == 1);
            if (rows >= 0 && (best == NULL || rows < best_rows)) {
                best = hop;
                best_from_right = side == 1;
                best_rows = rows;
            }
        }
    }
    if (best == NULL) {
        return false;
    }
    match_add_hop(match, best, best_from_right);
    return true;
}

const struct plan_node *plan_match(struct planner *planner, const struct plan_node *input,
                                   const struct match_options *options)
{
    struct match match = {.planner = planner, .options = options, .steps = input};
    gather(&match);
    if (planner->status != YORE_OK) {
        return NULL;
    }
    match_gather_tests(&match);
    do {
        place_paths(&match);
        match_place_tests(&match);
    } while (planner->status == YORE_OK && (add_best_hop(&match) || add_best_start(&match)));
    for (uint32_t i = 0; i < match.hop_count && planner->status == YORE_OK; i++) {
        if (!match.hops[i].is_done) {
            planner_fail(planner, YORE_UNSUPPORTED,
                         "the properties of a shortest path cannot hang on that path, nor those of "
                         "two on each other");
        }
    }
    return match.steps;
}
