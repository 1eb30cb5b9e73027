/* op_intervals.c -- see intervals.h. */
#include "query/intervals.h"

#include <stdlib.h>
#include <string.h>

#include "query/element.h"
#include "query/operator.h"
#include "query/row_store.h"
#include "query/temporal.h"
#include "query/value_set.h"

struct interval_step {
    struct operator base;
    bool is_open;
    struct run_store store; /* matches, moments */
    struct value_set matches;
    struct row_store rows;  /* found of the input row at work: slots, path slots, interval */
    struct plan_slots told; /* slots of a row: those of the pattern and its paths, the interval */
    size_t at;
    struct operator* whole;
    struct operator* check;
    struct operator** seeds;
    struct yore_graph_value *match; /* the one at work */
    int64_t *moments;               /* at which anything changed, ascending */
    size_t moment_count;
    size_t moment_capacity;
    int64_t *cuts; /* at which the match at work may begin or cease to hold */
    size_t cut_count;
    size_t cut_capacity;
    int64_t from;
    int64_t to;
    int64_t known;
    struct arena scratch; /* of changes and histories */
};

static const struct intervals *plan_of(const struct interval_step *self)
{
    return self->base.plan->as.intervals;
}

/* ---- the moment that moves ------------------------------------------------------------------ */

/* Nothing may look into the view that is left; what is closed opens again by itself.  A subplan
 * that runs is one that this step is part of: it looks into views of its own. */
static void close_cursors(struct interval_step *self)
{
    struct run *run = self->base.run;
    operator_close(self->whole);
    operator_close(self->check);
    for (uint32_t i = 0; i < plan_of(self)->seed_count; i++) {
        operator_close(self->seeds[i]);
    }
    for (uint32_t i = 0; i < run->plan->subquery_count; i++) {
        if (!run->subplans[i].is_running) {
            operator_close(run->subplans[i].root);
        }
    }
}

static enum yore_status move_to(struct interval_step *self, int64_t moment)
{
    struct run *run = self->base.run;
    struct graph_view **view = &run->views[plan_of(self)->moment];
    if (*view != NULL) {
        close_cursors(self);
        graph_view_close(*view);
        *view = NULL;
    }
    struct yore_time at = {moment, self->known};
    return graph_view_open(run->graph, run->txn, &at, view, run_error(run));
}

static enum yore_status add_moment(struct interval_step *self, int64_t **moments, size_t *count,
                                   size_t *capacity, int64_t moment)
{
    if (*count == *capacity) {
        size_t wanted = *capacity == 0 ? 64 : *capacity * 2;
        int64_t *grown = arena_alloc(&self->store.arena, wanted * sizeof(*grown));
        if (grown == NULL) {
            return run_nomem(self->base.run);
        }
        if (*count > 0) {
            memcpy(grown, *moments, *count * sizeof(*grown));
        }
        *moments = grown;
        *capacity = wanted;
    }
    (*moments)[(*count)++] = moment;
    return YORE_OK;
}

static int order_moments(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a;
    int64_t y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

/* ---- which matches there were --------------------------------------------------------------- */

static enum yore_status take_matches(struct interval_step *self, struct operator* op)
{
    struct run *run = self->base.run;
    const struct plan_slots *slots = &plan_of(self)->slots;
    enum yore_status st;
    while ((st = operator_next(op)) == YORE_OK) {
        for (uint32_t i = 0; i < slots->count; i++) {
            self->match[i] = run->frame[slots->items[i]];
        }
        size_t index;
        bool is_new;
        st = value_set_put(&self->matches, self->match, &index, &is_new);
        if (st != YORE_OK) {
            return run_nomem(run);
        }
    }
    return st == YORE_NOT_FOUND ? YORE_OK : st;
}

static enum yore_status ask_whole(struct interval_step *self)
{
    operator_reset(self->whole);
    return take_matches(self, self->whole);
}

static enum yore_status ask_seeds(struct interval_step *self, struct graph_id id)
{
    const struct intervals *plan = plan_of(self);
    struct run *run = self->base.run;
    struct graph_view *view = run->views[plan->moment];
    enum yore_status st = YORE_OK;
    for (uint32_t i = 0; st == YORE_OK && i < plan->seed_count; i++) {
        if (plan->seeds[i].is_node != (id.element == GRAPH_NODE)) {
            continue;
        }
        run->frame[plan->seeds[i].slot] = id.element == GRAPH_NODE
                                              ? value_node_ref(id.id, view)
                                              : value_relationship_ref(id.id, view);
        operator_reset(self->seeds[i]);
        st = take_matches(self, self->seeds[i]);
    }
    return st;
}

static bool is_of(const struct yore_graph_value *value, struct graph_id id)
{
    bool is_node = id.element == GRAPH_NODE;
    return (is_node ? value_is_node(value) : value_is_relationship(value)) &&
           value_element_id(value) == id.id;
}

/* Whether it is an element of the pattern that was bound before it. */
static bool is_around(const struct interval_step *self, struct graph_id id)
{
    const struct plan_slots *around = &plan_of(self)->around;
    for (uint32_t i = 0; i < around->count; i++) {
        const struct yore_graph_value *value = &self->base.run->frame[around->items[i]];
        if (is_of(value, id)) {
            return true;
        }
        for (size_t k = 0; value->kind == YORE_GRAPH_LIST && k < value->as.list.count; k++) {
            if (is_of(&value->as.list.items[k], id)) {
                return true;
            }
        }
    }
    return false;
}

static enum yore_status ask_what_changed(struct interval_step *self, struct graph_id id)
{
    enum yore_status st = ask_seeds(self, id);
    return st == YORE_OK && is_around(self, id) ? ask_whole(self) : st;
}

/* A change within the window; the moment moves when its time is another than the last. */
static enum yore_status take_change(struct interval_step *self, const struct graph_change *change)
{
    const struct intervals *plan = plan_of(self);
    if (change->time <= self->from || change->time >= self->to) {
        return YORE_OK;
    }
    bool is_next = self->moment_count == 0 || self->moments[self->moment_count - 1] != change->time;
    enum yore_status st = YORE_OK;
    if (is_next) {
        st = add_moment(self, &self->moments, &self->moment_count, &self->moment_capacity,
                        change->time);
        if (st == YORE_OK) {
            st = move_to(self, change->time);
        }
        if (st == YORE_OK && !plan->is_local) {
            st = ask_whole(self);
        }
    }
    if (st == YORE_OK && plan->is_local && change->kind != GRAPH_REMOVED) {
        st = ask_what_changed(self, change->id);
    }
    return st;
}

static enum yore_status find_matches(struct interval_step *self)
{
    struct run *run = self->base.run;
    enum yore_status st = move_to(self, self->from);
    if (st == YORE_OK) {
        st = ask_whole(self);
    }
    struct graph_changes *changes = NULL;
    if (st == YORE_OK) {
        struct graph_changes_options options = {
            .from = self->from, .to = self->to, .known = self->known, .every_version = true};
        st = graph_changes_open(run->graph, &options, &changes, run_error(run));
    }
    while (st == YORE_OK) {
        struct graph_change change;
        arena_reset(&self->scratch);
        st = graph_changes_next(changes, &self->scratch, &change, run_error(run));
        if (st == YORE_OK) {
            st = take_change(self, &change);
        }
        if (st == YORE_OK) {
            st = run_step(run);
        }
    }
    if (changes != NULL) {
        graph_changes_close(changes);
    }
    return st == YORE_NOT_FOUND ? YORE_OK : st;
}

/* ---- when each of them held ----------------------------------------------------------------- */

static enum yore_status cut_at(struct interval_step *self, int64_t moment)
{
    return moment > self->from && moment < self->to
               ? add_moment(self, &self->cuts, &self->cut_count, &self->cut_capacity, moment)
               : YORE_OK;
}

/* `ends_out`: of a relationship its ends, which never change; 0: it was not there. */
static enum yore_status cut_by_history(struct interval_step *self, struct graph_id id,
                                       uint64_t ends_out[2])
{
    struct run *run = self->base.run;
    struct graph_history *history = NULL;
    enum yore_status st = graph_history_open(run->views[plan_of(self)->moment], id, self->from,
                                             self->to, &history, run_error(run));
    while (st == YORE_OK) {
        struct graph_version version;
        arena_reset(&self->scratch);
        st = graph_history_next(history, &self->scratch, &version, run_error(run));
        if (st == YORE_OK) {
            st = cut_at(self, version.span.valid_from);
        }
        if (st == YORE_OK) {
            st = cut_at(self, version.span.valid_to);
        }
        if (st == YORE_OK && version.element.kind == YORE_GRAPH_RELATIONSHIP) {
            ends_out[0] = version.element.as.relationship->start_id;
            ends_out[1] = version.element.as.relationship->end_id;
        }
        if (st == YORE_OK) {
            st = run_step(run);
        }
    }
    if (history != NULL) {
        graph_history_close(history);
    }
    return st == YORE_NOT_FOUND ? YORE_OK : st;
}

static enum yore_status cut_by_element(struct interval_step *self,
                                       const struct yore_graph_value *element, bool with_ends)
{
    if (!value_is_element(element)) {
        return YORE_OK;
    }
    uint64_t ends[2] = {0, 0};
    uint64_t none[2];
    struct graph_id id = {value_is_node(element) ? GRAPH_NODE : GRAPH_RELATIONSHIP,
                          value_element_id(element)};
    enum yore_status st = cut_by_history(self, id, ends);
    for (int i = 0; i < 2 && st == YORE_OK && with_ends && ends[i] != 0; i++) {
        st = cut_by_history(self, (struct graph_id){GRAPH_NODE, ends[i]}, none);
    }
    return st;
}

static enum yore_status cut_by_value(struct interval_step *self,
                                     const struct yore_graph_value *value)
{
    if (value->kind != YORE_GRAPH_LIST) {
        return cut_by_element(self, value, false);
    }
    enum yore_status st = YORE_OK;
    for (size_t i = 0; st == YORE_OK && i < value->as.list.count; i++) {
        st = cut_by_element(self, &value->as.list.items[i], plan_of(self)->hangs_between);
    }
    return st;
}

/* The moments to test it at, ascending, the begin of the window first. */
static enum yore_status find_cuts(struct interval_step *self, const struct yore_graph_value *match)
{
    const struct intervals *plan = plan_of(self);
    self->cut_count = 0;
    enum yore_status st =
        add_moment(self, &self->cuts, &self->cut_count, &self->cut_capacity, self->from);
    for (uint32_t i = 0; st == YORE_OK && i < plan->slots.count; i++) {
        st = cut_by_value(self, &match[i]);
    }
    for (uint32_t i = 0; st == YORE_OK && i < plan->around.count; i++) {
        st = cut_by_value(self, &self->base.run->frame[plan->around.items[i]]);
    }
    for (size_t i = 0; st == YORE_OK && plan->hangs_on_others && i < self->moment_count; i++) {
        st = cut_at(self, self->moments[i]);
    }
    qsort(self->cuts, self->cut_count, sizeof(*self->cuts), order_moments);
    size_t kept = 0;
    for (size_t i = 0; i < self->cut_count; i++) {
        if (kept == 0 || self->cuts[kept - 1] != self->cuts[i]) {
            self->cuts[kept++] = self->cuts[i];
        }
    }
    self->cut_count = kept;
    return st;
}

static struct yore_graph_value moved(struct interval_step *self,
                                     const struct yore_graph_value *element)
{
    struct graph_view *view = self->base.run->views[plan_of(self)->moment];
    uint64_t id = value_element_id(element);
    return value_is_node(element) ? value_node_ref(id, view) : value_relationship_ref(id, view);
}

/* Bind the match as it is at the moment; lists of relationships are laid anew in `rows`. */
static enum yore_status bind_match(struct interval_step *self, const struct yore_graph_value *match)
{
    const struct plan_slots *slots = &plan_of(self)->slots;
    struct run *run = self->base.run;
    for (uint32_t i = 0; i < slots->count; i++) {
        const struct yore_graph_value *value = &match[i];
        if (value->kind != YORE_GRAPH_LIST) {
            run->frame[slots->items[i]] = value_is_element(value) ? moved(self, value) : *value;
            continue;
        }
        size_t count = value->as.list.count;
        struct yore_graph_value *items = arena_alloc(&run->rows, (count + 1) * sizeof(*items));
        if (items == NULL) {
            return run_nomem(run);
        }
        for (size_t k = 0; k < count; k++) {
            items[k] = moved(self, &value->as.list.items[k]);
        }
        run->frame[slots->items[i]] = value_list(items, count);
    }
    return YORE_OK;
}

static enum yore_status holds_at(struct interval_step *self, const struct yore_graph_value *match,
                                 int64_t moment, bool *holds_out)
{
    enum yore_status st = move_to(self, moment);
    if (st == YORE_OK) {
        st = bind_match(self, match);
    }
    if (st == YORE_OK) {
        operator_reset(self->check);
        st = operator_next(self->check);
        *holds_out = st == YORE_OK;
        st = st == YORE_NOT_FOUND ? YORE_OK : st;
    }
    return st == YORE_OK ? run_step(self->base.run) : st;
}

static enum yore_status moment_entry(struct interval_step *self, int64_t moment,
                                     struct yore_graph_value *value_out)
{
    *value_out = value_null();
    enum yore_status st = YORE_OK;
    if (moment != YORE_FOREVER && moment != YORE_TIME_MIN) {
        st = temporal_of_ns(&self->base.run->rows, moment, value_out);
    }
    return st == YORE_OK ? YORE_OK : run_nomem(self->base.run);
}

/* {from: ..., to: ...}; the end is null where none is known. */
static enum yore_status interval_value(struct interval_step *self, int64_t from, int64_t to,
                                       struct yore_graph_value *value_out)
{
    struct yore_graph_entry *entries = arena_alloc(&self->base.run->rows, 2 * sizeof(*entries));
    if (entries == NULL) {
        return run_nomem(self->base.run);
    }
    entries[0].name = bytes_of("from", 4);
    entries[1].name = bytes_of("to", 2);
    enum yore_status st = moment_entry(self, from, &entries[0].value);
    if (st == YORE_OK) {
        st = moment_entry(self, to, &entries[1].value);
    }
    *value_out = value_map(entries, 2);
    return st;
}

/* Keep a row of the match as it is at the moment: whole, since that moment is not held open. */
static enum yore_status keep_row(struct interval_step *self, size_t *row_out)
{
    struct run *run = self->base.run;
    enum yore_status st = YORE_OK;
    for (uint32_t i = 0; st == YORE_OK && i < self->told.count; i++) {
        struct yore_graph_value *value = &run->frame[self->told.items[i]];
        struct yore_graph_value whole;
        st = element_whole(&run->eval, value, &whole);
        if (st == YORE_OK) {
            *value = whole;
        }
    }
    struct yore_graph_value *row;
    if (st == YORE_OK) {
        st = row_store_save(&self->rows, &self->told, &row);
        *row_out = self->rows.count - 1;
    }
    return st;
}

static enum yore_status close_interval(struct interval_step *self, size_t row, int64_t from,
                                       int64_t to)
{
    struct yore_graph_value interval;
    enum yore_status st = interval_value(self, from, to, &interval);
    if (st == YORE_OK) {
        st = value_copy(&self->rows.store.arena, &interval,
                        &self->rows.rows[row][self->told.count - 1]);
    }
    return st;
}

static enum yore_status find_intervals(struct interval_step *self,
                                       const struct yore_graph_value *match)
{
    struct run *run = self->base.run;
    enum yore_status st = find_cuts(self, match);
    bool held = false;
    size_t row = 0;
    int64_t begin = 0;
    for (size_t i = 0; st == YORE_OK && i < self->cut_count; i++) {
        struct arena_mark mark = arena_mark(&run->rows);
        bool holds = false;
        st = holds_at(self, match, self->cuts[i], &holds);
        if (st == YORE_OK && holds && !held) {
            begin = self->cuts[i];
            st = keep_row(self, &row);
        } else if (st == YORE_OK && held && !holds) {
            st = close_interval(self, row, begin, self->cuts[i]);
        }
        held = holds;
        arena_rewind(&run->rows, mark);
    }
    return st == YORE_OK && held ? close_interval(self, row, begin, self->to) : st;
}

/* ---- rows ----------------------------------------------------------------------------------- */

static enum yore_status lay_told(struct interval_step *self)
{
    const struct intervals *plan = plan_of(self);
    struct run *run = self->base.run;
    uint32_t *told =
        arena_alloc(&run->memory, (plan->slots.count + plan->paths.count + 1) * sizeof(*told));
    if (told == NULL) {
        return run_nomem(run);
    }
    uint32_t count = 0;
    for (uint32_t i = 0; i < plan->slots.count; i++) {
        told[count++] = plan->slots.items[i];
    }
    for (uint32_t i = 0; i < plan->paths.count; i++) {
        told[count++] = plan->paths.items[i];
    }
    told[count++] = plan->interval_slot;
    self->told = (struct plan_slots){told, count};
    return YORE_OK;
}

static enum yore_status open_step(struct interval_step *self)
{
    const struct intervals *plan = plan_of(self);
    struct run *run = self->base.run;
    enum yore_status st = lay_told(self);
    if (st != YORE_OK) {
        return st;
    }
    run_store_open(run, &self->store);
    row_store_open(&self->rows, run, self->told.count);
    arena_init(&self->scratch, 0);
    self->is_open = true;
    self->whole = self->base.inner;
    self->match = arena_alloc(&run->memory, (plan->slots.count + 1) * sizeof(*self->match));
    self->seeds = arena_alloc(&run->memory, (plan->seed_count + 1) * sizeof(struct operator*));
    if (self->match == NULL || self->seeds == NULL) {
        return run_nomem(run);
    }
    memset(self->seeds, 0, (plan->seed_count + 1) * sizeof(struct operator*));
    st = operator_new(run, plan->check, &self->check);
    for (uint32_t i = 0; st == YORE_OK && i < plan->seed_count; i++) {
        st = operator_new(run, plan->seeds[i].root, &self->seeds[i]);
    }
    return st;
}

static enum yore_status moment_or(struct run *run, const struct expr *expr, int64_t fallback,
                                  int64_t *moment_out)
{
    *moment_out = fallback;
    enum yore_status st = expr != NULL ? run_moment(run, expr, moment_out) : YORE_OK;
    return st;
}

static enum yore_status set_window(struct interval_step *self)
{
    const struct intervals *plan = plan_of(self);
    struct run *run = self->base.run;
    int64_t now = graph_view_time(run->eval.view).valid;
    enum yore_status st = moment_or(run, plan->from, YORE_TIME_MIN, &self->from);
    if (st == YORE_OK) {
        st = moment_or(run, plan->to, now, &self->to);
    }
    if (st == YORE_OK && plan->from == NULL) {
        st = run_may_look(run, self->from, (struct ast_spot){0});
    }
    if (st == YORE_OK) {
        st = moment_or(run, plan->known, run->options->at.known, &self->known);
    }
    if (st != YORE_OK) {
        return st;
    }
    self->from = self->from == YORE_NOW ? now : self->from;
    self->to = self->to == YORE_NOW ? now : self->to;
    if (self->from > self->to) {
        return eval_fail(&run->eval, plan->from != NULL ? plan->from->spot : plan->to->spot,
                         "ArgumentError", "InvalidArgumentValue",
                         "FROM ... TO takes the earlier moment first");
    }
    return YORE_OK;
}

static enum yore_status begin_row(struct interval_step *self)
{
    struct operator* op = & self->base;
    struct run *run = op->run;
    enum yore_status st = self->is_open ? YORE_OK : open_step(self);
    if (st == YORE_OK) {
        st = set_window(self);
    }
    if (st != YORE_OK) {
        return st;
    }
    arena_reset(&self->store.arena);
    row_store_clear(&self->rows);
    self->moments = NULL;
    self->moment_count = self->moment_capacity = 0;
    self->cuts = NULL;
    self->cut_count = self->cut_capacity = 0;
    self->at = 0;
    value_set_init(&self->matches, &self->store.arena, plan_of(self)->slots.count);
    run->frame[plan_of(self)->interval_slot] = value_null();
    if (self->from < self->to) { /* there is nothing in [t, t) */
        st = find_matches(self);
    }
    for (size_t i = 0; st == YORE_OK && i < self->matches.count; i++) {
        st = find_intervals(self, value_set_at(&self->matches, i));
    }
    op->mark = arena_mark(&run->rows);
    return st;
}

static enum yore_status intervals_next(struct operator* op)
{
    struct interval_step *self = (struct interval_step *)op;
    for (;;) {
        if (op->is_active) {
            operator_rewind(op);
            if (self->at < self->rows.count) {
                row_store_load(&self->rows, self->at++, &self->told);
                return YORE_OK;
            }
        }
        enum yore_status st = operator_pull(op);
        if (st == YORE_OK) {
            st = begin_row(self);
        }
        if (st != YORE_OK) {
            return st;
        }
    }
}

static void intervals_close(struct operator* op)
{
    struct interval_step *self = (struct interval_step *)op;
    if (!self->is_open) {
        return;
    }
    operator_close(self->check);
    for (uint32_t i = 0; self->seeds != NULL && i < plan_of(self)->seed_count; i++) {
        operator_close(self->seeds[i]);
    }
    row_store_close(&self->rows);
    run_store_close(op->run, &self->store);
    arena_release(&self->scratch);
    self->is_open = false;
}

const struct operator_kind op_intervals = {sizeof(struct interval_step), intervals_next, NULL,
                                           intervals_close};
