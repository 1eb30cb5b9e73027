/* procedures_time.c -- what changed, and when: yore.diff and its like.
 *
 * Moments are given as everywhere in the language; columns of moments are datetimes in UTC, null
 * where no end is known. */
#include <string.h>

#include "query/limits.h"
#include "query/procedures.h"
#include "query/run.h"
#include "query/temporal.h"

static enum yore_status moment_value(const struct procedure_context *context, struct arena *arena,
                                     int64_t moment, struct yore_graph_value *value_out)
{
    *value_out = value_null();
    if (moment == YORE_FOREVER) {
        return YORE_OK;
    }
    enum yore_status st = temporal_of_ns(arena, moment, value_out);
    return st == YORE_OK ? YORE_OK : run_nomem(context->run);
}

static enum yore_status moment_argument(const struct procedure_context *context,
                                        const struct yore_graph_value *argument,
                                        int64_t *moment_out)
{
    if (value_is_null(argument)) {
        return eval_fail(&context->run->eval, context->spot, "ArgumentError",
                         "InvalidArgumentValue", "%.*s takes a moment, not null",
                         (int)context->procedure->name.size,
                         (const char *)context->procedure->name.data);
    }
    enum yore_status st = moment_of_value(context->run, argument, context->spot, moment_out);
    if (st == YORE_OK && *moment_out == YORE_NOW) {
        *moment_out = graph_view_time(context->view).valid;
    }
    return st == YORE_OK ? run_may_look(context->run, *moment_out, context->spot) : st;
}

static enum yore_status two_moments(const struct procedure_context *context,
                                    const struct yore_graph_value *arguments, int64_t *from_out,
                                    int64_t *to_out)
{
    enum yore_status st = moment_argument(context, &arguments[0], from_out);
    if (st == YORE_OK) {
        st = moment_argument(context, &arguments[1], to_out);
    }
    return st;
}

/* ---- yore.diff, yore.changes ---------------------------------------------------------------- */

struct change_walk {
    struct graph_changes *changes;
    struct arena arena; /* of the change told last */
};

static enum yore_status open_changes(const struct procedure_context *context,
                                     const struct yore_graph_value *arguments, bool every_version,
                                     struct change_walk **walk_out)
{
    struct graph_changes_options options = {.known = graph_view_time(context->view).known,
                                            .every_version = every_version};
    enum yore_status st = two_moments(context, arguments, &options.from, &options.to);
    if (st != YORE_OK) {
        return st;
    }
    struct change_walk *walk = arena_alloc(context->arena, sizeof(*walk));
    if (walk == NULL) {
        return run_nomem(context->run);
    }
    walk->changes = NULL;
    arena_init(&walk->arena, QUERY_STORE_CHUNK_BYTES);
    *walk_out = walk;
    return graph_changes_open(context->graph, &options, &walk->changes, &context->error->error);
}

static void close_changes(void *state)
{
    struct change_walk *walk = state;
    if (walk->changes != NULL) {
        graph_changes_close(walk->changes);
    }
    arena_release(&walk->arena);
}

static struct yore_graph_value kind_value(enum graph_change_kind kind)
{
    switch (kind) {
    case GRAPH_ADDED:
        return value_string(bytes_of("added", 5));
    case GRAPH_REMOVED:
        return value_string(bytes_of("removed", 7));
    default:
        return value_string(bytes_of("changed", 7));
    }
}

static struct yore_graph_value external_id_of(const struct yore_graph_value *element)
{
    if (element->kind == YORE_GRAPH_NODE) {
        return value_string(element->as.node->external_id);
    }
    return element->kind == YORE_GRAPH_RELATIONSHIP
               ? value_string(element->as.relationship->external_id)
               : value_null();
}

enum change_column {
    CHANGE_KIND,
    CHANGE_ELEMENT,
    CHANGE_ID,
    CHANGE_EXTERNAL_ID,
    CHANGE_BEFORE,
    CHANGE_AFTER,
    CHANGE_TIME,
    CHANGE_COMMIT
};

static enum yore_status next_change_row(const struct procedure_context *context, void *state,
                                        struct yore_graph_value *row_out)
{
    struct change_walk *walk = state;
    struct graph_change change;
    arena_reset(&walk->arena);
    enum yore_status st =
        graph_changes_next(walk->changes, &walk->arena, &change, &context->error->error);
    if (st != YORE_OK) {
        return st;
    }
    bool is_node = change.id.element == GRAPH_NODE;
    row_out[CHANGE_KIND] = kind_value(change.kind);
    row_out[CHANGE_ELEMENT] =
        value_string(is_node ? bytes_of("node", 4) : bytes_of("relationship", 12));
    row_out[CHANGE_ID] = value_int((int64_t)change.id.id);
    row_out[CHANGE_EXTERNAL_ID] =
        external_id_of(value_is_null(&change.after) ? &change.before : &change.after);
    row_out[CHANGE_BEFORE] = change.before;
    row_out[CHANGE_AFTER] = change.after;
    st = moment_value(context, &walk->arena, change.time, &row_out[CHANGE_TIME]);
    return st == YORE_OK
               ? moment_value(context, &walk->arena, change.commit, &row_out[CHANGE_COMMIT])
               : st;
}

static enum yore_status open_diff(const struct procedure_context *context,
                                  const struct yore_graph_value *arguments, void **state_out)
{
    struct change_walk *walk = NULL;
    enum yore_status st = open_changes(context, arguments, false, &walk);
    if (st != YORE_OK && walk != NULL) {
        close_changes(walk);
    }
    *state_out = walk;
    return st;
}

static enum yore_status open_every(const struct procedure_context *context,
                                   const struct yore_graph_value *arguments, void **state_out)
{
    struct change_walk *walk = NULL;
    enum yore_status st = open_changes(context, arguments, true, &walk);
    if (st != YORE_OK && walk != NULL) {
        close_changes(walk);
    }
    *state_out = walk;
    return st;
}

static const struct procedure_field MOMENTS[] = {FIELD("from", PROCEDURE_MOMENT),
                                                 FIELD("to", PROCEDURE_MOMENT)};
static const struct procedure_field CHANGE[] = {
    FIELD("change", PROCEDURE_STRING), FIELD("element", PROCEDURE_STRING),
    FIELD("id", PROCEDURE_INTEGER),    FIELD("externalId", PROCEDURE_STRING),
    FIELD("before", PROCEDURE_ANY),    FIELD("after", PROCEDURE_ANY),
    FIELD("time", PROCEDURE_DATETIME), FIELD("commitTime", PROCEDURE_DATETIME)};

const struct procedure procedure_yore_diff = {.name = {"yore.diff", 9},
                                              .parameters = MOMENTS,
                                              .parameter_count = FIELD_COUNT(MOMENTS),
                                              .columns = CHANGE,
                                              .column_count = FIELD_COUNT(CHANGE),
                                              .open = open_diff,
                                              .next = next_change_row,
                                              .close = close_changes};
const struct procedure procedure_yore_changes = {.name = {"yore.changes", 12},
                                                 .parameters = MOMENTS,
                                                 .parameter_count = FIELD_COUNT(MOMENTS),
                                                 .columns = CHANGE,
                                                 .column_count = FIELD_COUNT(CHANGE),
                                                 .open = open_every,
                                                 .next = next_change_row,
                                                 .close = close_changes};

/* ---- yore.history --------------------------------------------------------------------------- */

struct history_walk {
    struct graph_history *history;
    enum graph_element element;
    const uint64_t *ids; /* incarnations, oldest first */
    size_t count;
    size_t at;
    int64_t from;
    int64_t to;
    struct arena arena; /* of the version told last */
};

static enum yore_status by_external_id(const struct procedure_context *context,
                                       struct history_walk *walk, struct yore_bytes external_id)
{
    struct yore_error *error = &context->error->error;
    walk->element = GRAPH_NODE;
    enum yore_status st = graph_incarnations(context->view, GRAPH_NODE, external_id, context->arena,
                                             &walk->ids, &walk->count, error);
    if (st == YORE_NOT_FOUND || (st == YORE_OK && walk->count == 0)) {
        walk->element = GRAPH_RELATIONSHIP;
        st = graph_incarnations(context->view, GRAPH_RELATIONSHIP, external_id, context->arena,
                                &walk->ids, &walk->count, error);
    }
    if (st == YORE_NOT_FOUND) {
        walk->count = 0;
        return YORE_OK;
    }
    return st;
}

static enum yore_status by_element(const struct procedure_context *context,
                                   struct history_walk *walk,
                                   const struct yore_graph_value *element)
{
    uint64_t *id = arena_alloc(context->arena, sizeof(*id));
    if (id == NULL) {
        return run_nomem(context->run);
    }
    walk->element = value_is_relationship(element) ? GRAPH_RELATIONSHIP : GRAPH_NODE;
    *id =
        element->kind == YORE_GRAPH_INT ? (uint64_t)element->as.integer : value_element_id(element);
    walk->ids = id;
    walk->count = 1;
    return YORE_OK;
}

static enum yore_status find_history(const struct procedure_context *context,
                                     const struct yore_graph_value *arguments,
                                     struct history_walk *walk)
{
    const struct yore_graph_value *what = &arguments[0];
    enum yore_status st = value_is_null(&arguments[1])
                              ? run_may_look(context->run, walk->from, context->spot)
                              : moment_argument(context, &arguments[1], &walk->from);
    if (st == YORE_OK && !value_is_null(&arguments[2])) {
        st = moment_argument(context, &arguments[2], &walk->to);
    }
    if (st != YORE_OK) {
        return st;
    }
    if (what->kind == YORE_GRAPH_STRING) {
        return by_external_id(context, walk, what->as.string);
    }
    if (value_is_element(what) || (what->kind == YORE_GRAPH_INT && what->as.integer > 0)) {
        return by_element(context, walk, what);
    }
    return eval_fail(&context->run->eval, context->spot, "TypeError", "InvalidArgumentType",
                     "yore.history takes a node, a relationship, an external id or the id of a "
                     "node, not a %s",
                     value_kind_name(what->kind));
}

static enum yore_status open_history(const struct procedure_context *context,
                                     const struct yore_graph_value *arguments, void **state_out)
{
    struct history_walk *walk = arena_alloc(context->arena, sizeof(*walk));
    if (walk == NULL) {
        return run_nomem(context->run);
    }
    memset(walk, 0, sizeof(*walk));
    walk->from = YORE_TIME_MIN;
    walk->to = YORE_FOREVER;
    *state_out = walk;
    enum yore_status st = find_history(context, arguments, walk);
    arena_init(&walk->arena, QUERY_STORE_CHUNK_BYTES);
    return st;
}

static enum yore_status next_version(const struct procedure_context *context,
                                     struct history_walk *walk, struct graph_version *version_out)
{
    struct yore_error *error = &context->error->error;
    for (;;) {
        if (walk->history != NULL) {
            enum yore_status st =
                graph_history_next(walk->history, &walk->arena, version_out, error);
            if (st != YORE_NOT_FOUND) {
                return st;
            }
            graph_history_close(walk->history);
            walk->history = NULL;
        }
        if (walk->at == walk->count) {
            return YORE_NOT_FOUND;
        }
        struct graph_id id = {walk->element, walk->ids[walk->at++]};
        enum yore_status st =
            graph_history_open(context->view, id, walk->from, walk->to, &walk->history, error);
        if (st != YORE_OK && st != YORE_NOT_FOUND) {
            return st;
        }
    }
}

static enum yore_status next_history_row(const struct procedure_context *context, void *state,
                                         struct yore_graph_value *row_out)
{
    struct history_walk *walk = state;
    struct graph_version version;
    arena_reset(&walk->arena);
    enum yore_status st = next_version(context, walk, &version);
    if (st != YORE_OK) {
        return st;
    }
    row_out[0] = version.element;
    st = moment_value(context, &walk->arena, version.span.valid_from, &row_out[1]);
    if (st == YORE_OK) {
        st = moment_value(context, &walk->arena, version.span.valid_to, &row_out[2]);
    }
    return st == YORE_OK ? moment_value(context, &walk->arena, version.span.commit, &row_out[3])
                         : st;
}

static void close_history(void *state)
{
    struct history_walk *walk = state;
    if (walk->history != NULL) {
        graph_history_close(walk->history);
    }
    arena_release(&walk->arena);
}

static const struct procedure_field HISTORY_OF[] = {FIELD("element", PROCEDURE_ANY),
                                                    OPTIONAL_FIELD("from", PROCEDURE_MOMENT),
                                                    OPTIONAL_FIELD("to", PROCEDURE_MOMENT)};
static const struct procedure_field VERSION[] = {
    FIELD("version", PROCEDURE_ANY), FIELD("validFrom", PROCEDURE_DATETIME),
    FIELD("validTo", PROCEDURE_DATETIME), FIELD("commitTime", PROCEDURE_DATETIME)};

const struct procedure procedure_yore_history = {.name = {"yore.history", 12},
                                                 .parameters = HISTORY_OF,
                                                 .parameter_count = FIELD_COUNT(HISTORY_OF),
                                                 .columns = VERSION,
                                                 .column_count = FIELD_COUNT(VERSION),
                                                 .open = open_history,
                                                 .next = next_history_row,
                                                 .close = close_history};

/* ---- yore.timeline -------------------------------------------------------------------------- */

struct bucket {
    int64_t added;
    int64_t changed;
    int64_t removed;
};

struct timeline {
    struct bucket *buckets;
    uint64_t count;
    uint64_t at;
    int64_t from;
    int64_t to;
    struct arena arena;
};

/* Where bucket `index` begins: parts of [from, to), equal but for a nanosecond. */
static int64_t bucket_begin(const struct timeline *line, uint64_t index)
{
    uint64_t width = (uint64_t)line->to - (uint64_t)line->from;
    uint64_t whole = width / line->count;
    uint64_t rest = width % line->count;
    uint64_t extra = (uint64_t)((double)rest * (double)index / (double)line->count);
    return (int64_t)((uint64_t)line->from + whole * index + extra);
}

static struct bucket *bucket_of(struct timeline *line, int64_t moment)
{
    uint64_t low = 0;
    uint64_t high = line->count - 1;
    while (low < high) {
        uint64_t middle = low + (high - low + 1) / 2;
        if (bucket_begin(line, middle) <= moment) {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    return &line->buckets[low];
}

static enum yore_status count_changes(const struct procedure_context *context,
                                      const struct yore_graph_value *arguments,
                                      struct timeline *line)
{
    struct change_walk *walk = NULL;
    struct graph_change change;
    enum yore_status st = open_changes(context, arguments, true, &walk);
    while (st == YORE_OK) {
        arena_reset(&walk->arena);
        st = graph_changes_next(walk->changes, &walk->arena, &change, &context->error->error);
        if (st == YORE_OK) {
            struct bucket *bucket = bucket_of(line, change.time);
            bucket->added += change.kind == GRAPH_ADDED ? 1 : 0;
            bucket->changed += change.kind == GRAPH_CHANGED ? 1 : 0;
            bucket->removed += change.kind == GRAPH_REMOVED ? 1 : 0;
            st = run_step(context->run);
        }
    }
    if (walk != NULL) {
        close_changes(walk);
    }
    return st == YORE_NOT_FOUND ? YORE_OK : st;
}

static enum yore_status open_timeline(const struct procedure_context *context,
                                      const struct yore_graph_value *arguments, void **state_out)
{
    struct timeline *line = arena_alloc(context->arena, sizeof(*line));
    if (line == NULL) {
        return run_nomem(context->run);
    }
    memset(line, 0, sizeof(*line));
    *state_out = line;
    enum yore_status st = two_moments(context, arguments, &line->from, &line->to);
    if (st != YORE_OK) {
        return st;
    }
    int64_t count = arguments[2].kind == YORE_GRAPH_INT ? arguments[2].as.integer : 0;
    bool is_window = line->from < line->to;
    if (!is_window || count < 1 || count > QUERY_TIMELINE_BUCKETS_MAX) {
        return eval_fail(&context->run->eval, context->spot, "ArgumentError", "NumberOutOfRange",
                         "yore.timeline takes two moments, the earlier first, and 1 to %d buckets",
                         QUERY_TIMELINE_BUCKETS_MAX);
    }
    line->count = (uint64_t)count;
    line->buckets = arena_alloc(context->arena, line->count * sizeof(*line->buckets));
    if (line->buckets == NULL) {
        return run_nomem(context->run);
    }
    memset(line->buckets, 0, line->count * sizeof(*line->buckets));
    st = count_changes(context, arguments, line);
    arena_init(&line->arena, QUERY_STORE_CHUNK_BYTES);
    return st;
}

static enum yore_status next_bucket(const struct procedure_context *context, void *state,
                                    struct yore_graph_value *row_out)
{
    struct timeline *line = state;
    if (line->at == line->count) {
        return YORE_NOT_FOUND;
    }
    uint64_t index = line->at++;
    arena_reset(&line->arena);
    int64_t end = index + 1 == line->count ? line->to : bucket_begin(line, index + 1);
    enum yore_status st =
        moment_value(context, &line->arena, bucket_begin(line, index), &row_out[0]);
    if (st == YORE_OK) {
        st = moment_value(context, &line->arena, end, &row_out[1]);
    }
    row_out[2] = value_int(line->buckets[index].added);
    row_out[3] = value_int(line->buckets[index].changed);
    row_out[4] = value_int(line->buckets[index].removed);
    return st;
}

static void close_timeline(void *state)
{
    arena_release(&((struct timeline *)state)->arena);
}

static const struct procedure_field TIMELINE_OF[] = {FIELD("from", PROCEDURE_MOMENT),
                                                     FIELD("to", PROCEDURE_MOMENT),
                                                     FIELD("buckets", PROCEDURE_INTEGER)};
static const struct procedure_field BUCKET[] = {
    FIELD("from", PROCEDURE_DATETIME), FIELD("to", PROCEDURE_DATETIME),
    FIELD("added", PROCEDURE_INTEGER), FIELD("changed", PROCEDURE_INTEGER),
    FIELD("removed", PROCEDURE_INTEGER)};

const struct procedure procedure_yore_timeline = {.name = {"yore.timeline", 13},
                                                  .parameters = TIMELINE_OF,
                                                  .parameter_count = FIELD_COUNT(TIMELINE_OF),
                                                  .columns = BUCKET,
                                                  .column_count = FIELD_COUNT(BUCKET),
                                                  .open = open_timeline,
                                                  .next = next_bucket,
                                                  .close = close_timeline};

/* ---- yore.nextChange, yore.previousChange --------------------------------------------------- */

struct nearest {
    struct yore_graph_value moment;
    bool is_found;
};

static enum yore_status open_nearest(const struct procedure_context *context,
                                     const struct yore_graph_value *arguments, bool is_backward,
                                     void **state_out)
{
    struct nearest *nearest = arena_alloc(context->arena, sizeof(*nearest));
    int64_t moment;
    if (nearest == NULL) {
        return run_nomem(context->run);
    }
    *nearest = (struct nearest){.is_found = false};
    *state_out = nearest;
    enum yore_status st = moment_argument(context, &arguments[0], &moment);
    if (st == YORE_OK) {
        st = graph_next_change(context->graph, moment, graph_view_time(context->view).known,
                               is_backward, &moment, &context->error->error);
        nearest->is_found = st == YORE_OK;
    }
    if (st == YORE_OK) {
        st = run_may_look(context->run, moment, context->spot);
    }
    if (st == YORE_OK) {
        st = moment_value(context, context->arena, moment, &nearest->moment);
    }
    return st == YORE_NOT_FOUND ? YORE_OK : st;
}

static enum yore_status open_next(const struct procedure_context *context,
                                  const struct yore_graph_value *arguments, void **state_out)
{
    return open_nearest(context, arguments, false, state_out);
}

static enum yore_status open_previous(const struct procedure_context *context,
                                      const struct yore_graph_value *arguments, void **state_out)
{
    return open_nearest(context, arguments, true, state_out);
}

static enum yore_status next_nearest(const struct procedure_context *context, void *state,
                                     struct yore_graph_value *row_out)
{
    (void)context;
    struct nearest *nearest = state;
    if (!nearest->is_found) {
        return YORE_NOT_FOUND;
    }
    nearest->is_found = false;
    row_out[0] = nearest->moment;
    return YORE_OK;
}

static const struct procedure_field MOMENT[] = {FIELD("moment", PROCEDURE_MOMENT)};
static const struct procedure_field NEAREST[] = {FIELD("time", PROCEDURE_DATETIME)};

const struct procedure procedure_yore_next_change = {.name = {"yore.nextChange", 15},
                                                     .parameters = MOMENT,
                                                     .parameter_count = FIELD_COUNT(MOMENT),
                                                     .columns = NEAREST,
                                                     .column_count = FIELD_COUNT(NEAREST),
                                                     .open = open_next,
                                                     .next = next_nearest};
const struct procedure procedure_yore_previous_change = {.name = {"yore.previousChange", 19},
                                                         .parameters = MOMENT,
                                                         .parameter_count = FIELD_COUNT(MOMENT),
                                                         .columns = NEAREST,
                                                         .column_count = FIELD_COUNT(NEAREST),
                                                         .open = open_previous,
                                                         .next = next_nearest};
