/* graph_events.c -- see graph_events.h.
 *
 * History is told by moments: all steps of one are gathered, and written in the order in which they
 * can be carried out one by one (edge removals, node removals, node adds, node changes, edge adds,
 * edge changes).  The engine sorts steps by time in memory, so that a long history is asked for a
 * window at a time.
 */
#include "query/graph_events.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/moment.h"
#include "query/value.h"
#include "query/word_json.h"
#include "topology/event_line.h"

/* What becomes of one element at one moment. */
struct step {
    struct graph_id id;
    struct yore_graph_value before; /* null: it was not there */
    struct yore_graph_value after;  /* null: it is not there any more */
    bool is_anew;                   /* it stays, but is removed and added again */
};

struct writer {
    struct graph_walk *walk;
    struct graph_view *view; /* the walk's */
    struct graph_view *then; /* of the moment in hand; NULL: not opened yet */
    int64_t now;             /* what comes later is not told */
    int64_t moment;          /* in hand */
    uint64_t transaction;
    bool has_lines; /* of the transaction in hand */
    struct step *steps;
    size_t count;
    size_t capacity;
    /* A moment's first step lies in the arena of the one before, as it was read to see that that
     * one is over. */
    struct arena arenas[2];
    unsigned current;
    struct arena ends; /* of one line */
    struct buffer line;
    struct buffer texts[2]; /* of a property before and after */
};

/* ---- lines ---------------------------------------------------------------------------------- */

static void say(struct writer *w, const char *text)
{
    buffer_append(&w->line, text, strlen(text));
}

static enum yore_status pour(struct writer *w, struct yore_error *error_out)
{
    say(w, "\n");
    if (w->line.is_nomem || w->texts[0].is_nomem || w->texts[1].is_nomem) {
        return error_plain(error_out, YORE_NOMEM);
    }
    w->has_lines = true;
    const struct graph_sink *sink = w->walk->sink;
    return sink->line(sink->arg, buffer_bytes(&w->line), error_out);
}

static enum yore_status refuse(const struct writer *w, struct yore_bytes id, const char *what,
                               struct yore_error *error_out)
{
    char shown[KEY_TEXT_BYTES];
    char when[MOMENT_TEXT_BYTES];
    return error_set(error_out, YORE_INVALID,
                     "%s at %s %s, which an event has no form for; write ndjson",
                     key_text(id, shown), moment_format(w->moment, when), what);
}

/* A column of text; `separator` must not be in it either. */
static enum yore_status say_column(struct writer *w, struct yore_bytes text, char separator,
                                   struct yore_bytes id, struct yore_error *error_out)
{
    const char *at = text.data;
    for (size_t i = 0; i < text.size; i++) {
        if (at[i] == '\t' || at[i] == '\n' || at[i] == '\r' || at[i] == separator) {
            return refuse(w, id, "has a tab, a line break or a comma in an id or name", error_out);
        }
    }
    buffer_append_bytes(&w->line, text);
    return YORE_OK;
}

/* Time, transaction, operation, kind and id, with a tab behind. */
static enum yore_status begin_line(struct writer *w, char operation, enum graph_element element,
                                   struct yore_bytes id, struct yore_error *error_out)
{
    char text[EVENT_TIME_BYTES + 40];
    char time[EVENT_TIME_BYTES];
    w->transaction += !w->has_lines;
    event_time_format(w->moment, time);
    (void)snprintf(text, sizeof text, "%s\t%" PRIu64 "\t%c\t%c\t", time, w->transaction, operation,
                   element == GRAPH_NODE ? 'n' : 'e');
    buffer_clear(&w->line);
    say(w, text);
    enum yore_status st = say_column(w, id, '\t', id, error_out);
    say(w, "\t");
    return st;
}

/* ---- properties ----------------------------------------------------------------------------- */

static bool is_scalar(const struct yore_graph_value *value)
{
    return value->kind == YORE_GRAPH_STRING || value->kind == YORE_GRAPH_INT ||
           value->kind == YORE_GRAPH_BOOL ||
           (value->kind == YORE_GRAPH_FLOAT && value->as.real - value->as.real == 0);
}

static bool is_told(const struct yore_graph_value *value)
{
    bool is_all = value->kind == YORE_GRAPH_LIST;
    for (size_t i = 0; is_all && i < value->as.list.count; i++) {
        is_all = is_scalar(&value->as.list.items[i]);
    }
    return is_all || is_scalar(value);
}

/* NULL: there is none. */
static void value_text(struct buffer *text, const struct yore_graph_entry *entry)
{
    buffer_clear(text);
    if (entry != NULL) {
        word_json_value(text, &entry->value);
    } else {
        buffer_append(text, "null", 4);
    }
}

/* The properties that differ; maps are in order of names.  NULL: none. */
static enum yore_status say_properties(struct writer *w, struct yore_bytes id,
                                       const struct yore_graph_map *before,
                                       const struct yore_graph_map *after,
                                       struct yore_error *error_out)
{
    size_t old_count = before != NULL ? before->count : 0;
    size_t i = 0;
    size_t k = 0;
    bool is_first = true;
    say(w, "{");
    while (i < old_count || k < after->count) {
        const struct yore_graph_entry *old = i < old_count ? &before->entries[i] : NULL;
        const struct yore_graph_entry *new = k < after->count ? &after->entries[k] : NULL;
        int order = old == NULL ? 1 : new == NULL ? -1 : bytes_compare(old->name, new->name);
        struct yore_bytes name = order < 0 ? old->name : new->name;
        i += order <= 0;
        k += order >= 0;
        new = order >= 0 ? new : NULL;
        if (new != NULL && !is_told(&new->value)) {
            return refuse(w, id,
                          "has a property that is no string, boolean, number or list of these",
                          error_out);
        }
        value_text(&w->texts[0], order <= 0 ? old : NULL);
        value_text(&w->texts[1], new);
        if (bytes_equal(buffer_bytes(&w->texts[0]), buffer_bytes(&w->texts[1]))) {
            continue;
        }
        say(w, is_first ? "" : ",");
        json_append_string(&w->line, name);
        say(w, ":");
        buffer_append_bytes(&w->line, buffer_bytes(&w->texts[1]));
        is_first = false;
    }
    say(w, "}");
    return YORE_OK;
}

/* ---- nodes ---------------------------------------------------------------------------------- */

static enum yore_status add_node(struct writer *w, const struct yore_graph_node *node,
                                 struct yore_error *error_out)
{
    struct yore_bytes id = node->external_id;
    enum yore_status st = begin_line(w, '+', GRAPH_NODE, id, error_out);
    for (size_t i = 0; st == YORE_OK && i < node->label_count; i++) {
        say(w, i > 0 ? "," : "");
        st = say_column(w, node->labels[i], ',', id, error_out);
    }
    say(w, "\t\t\t");
    if (st == YORE_OK) {
        st = say_properties(w, id, NULL, &node->properties, error_out);
    }
    return st == YORE_OK ? pour(w, error_out) : st;
}

static bool has_same_labels(const struct yore_graph_node *a, const struct yore_graph_node *b)
{
    bool is_same = a->label_count == b->label_count;
    for (size_t i = 0; is_same && i < a->label_count; i++) {
        is_same = bytes_equal(a->labels[i], b->labels[i]);
    }
    return is_same;
}

/* ---- relationships -------------------------------------------------------------------------- */

static enum yore_status open_then(struct writer *w, struct yore_error *error_out)
{
    struct yore_time at = {w->moment, graph_view_time(w->view).known};
    if (w->then != NULL && graph_view_time(w->then).valid == w->moment) {
        return YORE_OK;
    }
    graph_view_close(w->then);
    w->then = NULL;
    return graph_view_open(graph_view_graph(w->view), NULL, &at, &w->then, error_out);
}

static enum yore_status say_end(struct writer *w, uint64_t node_id, struct yore_bytes id,
                                struct yore_error *error_out)
{
    struct yore_graph_node node;
    enum yore_status st = open_then(w, error_out);
    if (st == YORE_OK) {
        arena_reset(&w->ends);
        st = graph_node_get(w->then, node_id, &w->ends, &node, error_out);
    }
    say(w, "\t");
    return st == YORE_OK ? say_column(w, node.external_id, '\t', id, error_out) : st;
}

static enum yore_status add_edge(struct writer *w, const struct yore_graph_relationship *edge,
                                 struct yore_error *error_out)
{
    struct yore_bytes id = edge->external_id;
    enum yore_status st = begin_line(w, '+', GRAPH_RELATIONSHIP, id, error_out);
    if (st == YORE_OK) {
        st = say_column(w, edge->type, '\t', id, error_out);
    }
    if (st == YORE_OK) {
        st = say_end(w, edge->start_id, id, error_out);
    }
    if (st == YORE_OK) {
        st = say_end(w, edge->end_id, id, error_out);
    }
    say(w, "\t");
    if (st == YORE_OK) {
        st = say_properties(w, id, NULL, &edge->properties, error_out);
    }
    return st == YORE_OK ? pour(w, error_out) : st;
}

/* ---- of either kind ------------------------------------------------------------------------- */

struct told {
    enum graph_element element;
    struct yore_bytes id;
    struct yore_bytes type; /* of a node: empty, as its column is */
    const struct yore_graph_map *properties;
};

static struct told told_of(const struct yore_graph_value *value)
{
    if (value->kind == YORE_GRAPH_NODE) {
        const struct yore_graph_node *node = value->as.node;
        return (struct told){GRAPH_NODE, node->external_id, bytes_of("", 0), &node->properties};
    }
    const struct yore_graph_relationship *edge = value->as.relationship;
    return (struct told){GRAPH_RELATIONSHIP, edge->external_id, edge->type, &edge->properties};
}

/* `before`: NULL where it is removed. */
static enum yore_status write_later(struct writer *w, const struct yore_graph_map *before,
                                    const struct yore_graph_value *value,
                                    struct yore_error *error_out)
{
    struct told told = told_of(value);
    char operation = before != NULL ? '~' : '-';
    enum yore_status st = begin_line(w, operation, told.element, told.id, error_out);
    if (st == YORE_OK) {
        st = say_column(w, told.type, '\t', told.id, error_out);
    }
    say(w, "\t\t\t");
    if (st == YORE_OK && before != NULL) {
        st = say_properties(w, told.id, before, told.properties, error_out);
    }
    return st == YORE_OK ? pour(w, error_out) : st;
}

/* ---- the steps of one moment ---------------------------------------------------------------- */

static enum yore_status add_step(struct writer *w, const struct step *step,
                                 struct yore_error *error_out)
{
    struct step *steps = mem_grow(w->steps, w->count, &w->capacity, sizeof *steps);
    if (steps == NULL) {
        return error_plain(error_out, YORE_NOMEM);
    }
    w->steps = steps;
    w->steps[w->count++] = *step;
    return YORE_OK;
}

/* What is made anew stands before what changes: it is the one that is kept of the two. */
static int compare_steps(const void *left, const void *right)
{
    const struct step *a = left;
    const struct step *b = right;
    if (a->id.element != b->id.element) {
        return a->id.element < b->id.element ? -1 : 1;
    }
    if (a->id.id != b->id.id) {
        return a->id.id < b->id.id ? -1 : 1;
    }
    return (int)b->is_anew - (int)a->is_anew;
}

/* The relationships of a node that is made anew are too. */
static enum yore_status renew_edges(struct writer *w, uint64_t node, struct yore_error *error_out)
{
    struct graph_expand_options options = {.node = node, .direction = GRAPH_BOTH};
    struct graph_expand *expand = NULL;
    struct graph_hop hop;
    struct arena *arena = &w->arenas[w->current];
    enum yore_status st = open_then(w, error_out);
    if (st == YORE_OK) {
        st = graph_expand_open(w->then, &options, &expand, error_out);
    }
    while (st == YORE_OK && (st = graph_expand_next(expand, &hop, error_out)) == YORE_OK) {
        struct yore_graph_relationship *edge = arena_alloc(arena, sizeof *edge);
        st = edge != NULL
                 ? graph_relationship_get(w->then, hop.relationship, arena, edge, error_out)
                 : error_plain(error_out, YORE_NOMEM);
        struct graph_id id = {GRAPH_RELATIONSHIP, hop.relationship};
        st = graph_walk_whole(w->walk, id, st, error_out);
        if (st == YORE_OK) {
            struct yore_graph_value value = {.kind = YORE_GRAPH_RELATIONSHIP,
                                             .as.relationship = edge};
            struct step step = {id, value, value, true};
            st = add_step(w, &step, error_out);
        }
    }
    graph_expand_close(expand);
    return st == YORE_NOT_FOUND ? YORE_OK : st;
}

/* One step an element.  A relationship that is made at this moment is not made anew, though it has
 * been found at a node that is. */
static void merge_steps(struct writer *w)
{
    size_t kept = 0;
    if (w->count > 0) {
        qsort(w->steps, w->count, sizeof *w->steps, compare_steps);
    }
    for (size_t i = 0; i < w->count; i++) {
        struct step *last = kept > 0 ? &w->steps[kept - 1] : NULL;
        bool is_again = last != NULL && last->id.element == w->steps[i].id.element &&
                        last->id.id == w->steps[i].id.id;
        if (!is_again) {
            w->steps[kept++] = w->steps[i];
        } else if (w->steps[i].before.kind == YORE_GRAPH_NULL) {
            *last = w->steps[i];
        }
    }
    w->count = kept;
}

static enum yore_status prepare_steps(struct writer *w, struct yore_error *error_out)
{
    enum yore_status st = YORE_OK;
    size_t count = w->count;
    for (size_t i = 0; st == YORE_OK && i < count; i++) {
        struct step *step = &w->steps[i];
        step->is_anew = step->id.element == GRAPH_NODE && step->before.kind != YORE_GRAPH_NULL &&
                        step->after.kind != YORE_GRAPH_NULL &&
                        !has_same_labels(step->before.as.node, step->after.as.node);
        if (step->is_anew) {
            st = renew_edges(w, step->id.id, error_out);
        }
    }
    merge_steps(w);
    return st;
}

enum phase {
    EDGE_REMOVALS,
    NODE_REMOVALS,
    NODE_ADDS,
    NODE_CHANGES,
    EDGE_ADDS,
    EDGE_CHANGES,
    PHASES
};

static enum yore_status write_step(struct writer *w, const struct step *step, enum phase phase,
                                   struct yore_error *error_out)
{
    bool was = step->before.kind != YORE_GRAPH_NULL;
    bool is = step->after.kind != YORE_GRAPH_NULL;
    bool is_node = step->id.element == GRAPH_NODE;
    bool goes = was && (!is || step->is_anew);
    bool comes = is && (!was || step->is_anew);
    if (goes && phase == (is_node ? NODE_REMOVALS : EDGE_REMOVALS)) {
        return write_later(w, NULL, &step->before, error_out);
    }
    if (comes && phase == (is_node ? NODE_ADDS : EDGE_ADDS)) {
        return is_node ? add_node(w, step->after.as.node, error_out)
                       : add_edge(w, step->after.as.relationship, error_out);
    }
    if (!goes && !comes && phase == (is_node ? NODE_CHANGES : EDGE_CHANGES)) {
        return write_later(w, told_of(&step->before).properties, &step->after, error_out);
    }
    return YORE_OK;
}

static enum yore_status write_moment(struct writer *w, struct yore_error *error_out)
{
    enum yore_status st = prepare_steps(w, error_out);
    for (int phase = 0; st == YORE_OK && phase < PHASES; phase++) {
        for (size_t i = 0; st == YORE_OK && i < w->count; i++) {
            st = write_step(w, &w->steps[i], (enum phase)phase, error_out);
            st = graph_walk_whole(w->walk, w->steps[i].id, st, error_out);
        }
    }
    for (size_t i = 0; st == YORE_OK && i < w->count; i++) {
        st = graph_walk_step(w->walk, error_out);
    }
    w->count = 0;
    w->has_lines = false;
    w->current = 1 - w->current;
    arena_reset(&w->arenas[w->current]);
    return st;
}

/* ---- walks ---------------------------------------------------------------------------------- */

static enum yore_status refuse_to_come(struct writer *w, const struct step *step,
                                       struct yore_error *error_out)
{
    const struct yore_graph_value *value =
        step->before.kind != YORE_GRAPH_NULL ? &step->before : &step->after;
    w->moment = yore_now(graph_db(graph_view_graph(w->view)));
    return refuse(w,
                  step->id.element == GRAPH_NODE ? value->as.node->external_id
                                                 : value->as.relationship->external_id,
                  "has an end that is still to come", error_out);
}

/* What changed in (from, to].  YORE_TOO_BIG: nothing was written, there is too much for once. */
static enum yore_status write_window(struct writer *w, int64_t from, int64_t to,
                                     struct yore_error *error_out)
{
    struct graph_changes_options options = {
        .from = from, .to = to, .known = graph_view_time(w->view).known, .every_version = true};
    struct graph_changes *changes = NULL;
    struct graph_change change;
    enum yore_status st =
        graph_changes_open(graph_view_graph(w->view), &options, &changes, error_out);
    while (st == YORE_OK && (st = graph_changes_next(changes, &w->arenas[w->current], &change,
                                                     error_out)) == YORE_OK) {
        struct step step = {change.id, change.before, change.after, false};
        if (change.time != w->moment && w->count > 0) {
            st = write_moment(w, error_out);
        }
        w->moment = change.time;
        if (st == YORE_OK) {
            st = change.time > w->now ? refuse_to_come(w, &step, error_out)
                                      : add_step(w, &step, error_out);
        }
    }
    if (st == YORE_NOT_FOUND) {
        st = w->count > 0 ? write_moment(w, error_out) : YORE_OK;
    }
    graph_changes_close(changes);
    return st;
}

static enum yore_status write_node(void *arg, uint64_t id, struct yore_error *error_out)
{
    struct writer *w = arg;
    struct yore_graph_node node;
    arena_reset(&w->arenas[0]);
    enum yore_status st = graph_node_get(w->then, id, &w->arenas[0], &node, error_out);
    return st == YORE_OK ? add_node(w, &node, error_out) : st;
}

static enum yore_status write_edge(void *arg, uint64_t id, struct yore_error *error_out)
{
    struct writer *w = arg;
    struct yore_graph_relationship edge;
    arena_reset(&w->arenas[0]);
    enum yore_status st = graph_relationship_get(w->then, id, &w->arenas[0], &edge, error_out);
    return st == YORE_OK ? add_edge(w, &edge, error_out) : st;
}

/* The whole state of a moment, as one transaction. */
static enum yore_status write_state(struct writer *w, int64_t moment, struct yore_error *error_out)
{
    w->moment = moment;
    enum yore_status st = open_then(w, error_out);
    struct graph_walk walk = *w->walk;
    walk.view = w->then;
    if (st == YORE_OK) {
        st = graph_walk_now(&walk, GRAPH_NODE, write_node, w, error_out);
    }
    if (st == YORE_OK) {
        st = graph_walk_now(&walk, GRAPH_RELATIONSHIP, write_edge, w, error_out);
    }
    w->walk->count = walk.count;
    w->has_lines = false;
    return st;
}

/* Windows are halved until one can be sorted, and begin where the last one ended. */
static enum yore_status write_changes(struct writer *w, int64_t from, struct yore_error *error_out)
{
    const int64_t last = YORE_FOREVER - 1;
    enum yore_status st = YORE_OK;
    while (st == YORE_OK && from < last) {
        int64_t to = last;
        while ((st = write_window(w, from, to, error_out)) == YORE_TOO_BIG &&
               (uint64_t)to - (uint64_t)from > 1) {
            to = (int64_t)((uint64_t)from + ((uint64_t)to - (uint64_t)from) / 2);
        }
        from = to;
    }
    return st;
}

enum yore_status graph_events_write(struct graph_walk *walk, bool is_every,
                                    struct yore_error *error_out)
{
    struct graph_view *view = walk->view;
    struct writer w = {
        .walk = walk, .view = view, .now = yore_now(graph_db(graph_view_graph(view)))};
    int64_t begin = graph_view_time(view).valid;
    enum yore_status st = YORE_OK;
    if (is_every) {
        st = graph_ever_begin(graph_view_graph(view), &begin, error_out);
    }
    if (st == YORE_OK) {
        st = write_state(&w, begin, error_out);
    }
    if (st == YORE_OK && is_every) {
        st = write_changes(&w, begin, error_out);
    }
    graph_view_close(w.then);
    mem_free(w.steps);
    arena_release(&w.arenas[0]);
    arena_release(&w.arenas[1]);
    arena_release(&w.ends);
    buffer_release(&w.line);
    buffer_release(&w.texts[0]);
    buffer_release(&w.texts[1]);
    return st;
}
