/* procedures_sources.c -- yore.sources and yore.pending: who tells the graph what there is, and
 * what waits for its ends. */
#include <string.h>

#include "query/procedures.h"
#include "query/run.h"
#include "query/temporal.h"
#include "query/value.h"
#include "topology/ingest.h"

struct telling {
    const struct procedure_context *context;
    struct made_rows *rows;
    enum yore_status status;
};

static struct yore_graph_value kept(struct telling *telling, struct yore_bytes text)
{
    void *copy = arena_copy(telling->context->arena, text.data, text.size);
    if (copy == NULL) {
        telling->status = run_nomem(telling->context->run);
    }
    return value_string(bytes_of(copy, copy == NULL ? 0 : text.size));
}

/* Null: never. */
static struct yore_graph_value moment(struct telling *telling, int64_t ns)
{
    struct yore_graph_value value = value_null();
    if (ns != YORE_TIME_MIN && temporal_of_ns(telling->context->arena, ns, &value) != YORE_OK) {
        telling->status = run_nomem(telling->context->run);
    }
    return value;
}

static int add(struct telling *telling, const struct yore_graph_value *row)
{
    if (telling->status == YORE_OK) {
        telling->status = made_rows_add(telling->context, telling->rows, row);
    }
    return telling->status == YORE_OK ? 0 : 1;
}

static struct yore_graph_value span(struct telling *telling, int64_t ns)
{
    struct yore_graph_duration *duration = arena_alloc(telling->context->arena, sizeof(*duration));
    if (ns == 0) {
        return value_null();
    }
    if (duration == NULL) {
        telling->status = run_nomem(telling->context->run);
        return value_null();
    }
    *duration = (struct yore_graph_duration){.seconds = ns / TEMPORAL_SECOND_NS,
                                             .nanoseconds = (int32_t)(ns % TEMPORAL_SECOND_NS)};
    return (struct yore_graph_value){.kind = YORE_GRAPH_DURATION, .as.duration = duration};
}

/* ---- sources -------------------------------------------------------------------------------- */

static int take_source(void *arg, const struct yore_graph_source *source)
{
    struct telling *telling = arg;
    struct yore_graph_value row[] = {
        kept(telling, source->name),
        value_int(source->rank),
        span(telling, source->ttl_ns),
        moment(telling, source->last_word),
        moment(telling, source->expired_at),
        value_int((int64_t)source->nodes),
        value_int((int64_t)source->relationships),
        value_int((int64_t)source->pending),
        source->refusal.size > 0 ? kept(telling, source->refusal) : value_null(),
    };
    return add(telling, row);
}

static enum yore_status open_sources(const struct procedure_context *context,
                                     const struct yore_graph_value *arguments, void **state_out)
{
    (void)arguments;
    struct telling telling = {.context = context, .status = YORE_OK};
    enum yore_status st = made_rows_new(context, state_out, &telling.rows);
    if (st == YORE_OK) {
        st = graph_sources(context->graph, take_source, &telling, &context->error->error);
    }
    return st == YORE_OK ? telling.status : st;
}

static const struct procedure_field SOURCE[] = {FIELD("name", PROCEDURE_STRING),
                                                FIELD("rank", PROCEDURE_INTEGER),
                                                FIELD("ttl", PROCEDURE_ANY),
                                                FIELD("lastWord", PROCEDURE_DATETIME),
                                                FIELD("expiredAt", PROCEDURE_DATETIME),
                                                FIELD("nodes", PROCEDURE_INTEGER),
                                                FIELD("relationships", PROCEDURE_INTEGER),
                                                FIELD("pending", PROCEDURE_INTEGER),
                                                FIELD("refusal", PROCEDURE_STRING)};

const struct procedure procedure_yore_sources = {.name = {"yore.sources", 12},
                                                 .columns = SOURCE,
                                                 .column_count = FIELD_COUNT(SOURCE),
                                                 .open = open_sources,
                                                 .next = made_rows_next};

/* ---- pending -------------------------------------------------------------------------------- */

static int take_pending(void *arg, const struct yore_graph_pending *pending)
{
    struct telling *telling = arg;
    const char *missing = !pending->end_is_missing     ? "start"
                          : !pending->start_is_missing ? "end"
                                                       : "both";
    struct yore_graph_value row[] = {
        kept(telling, pending->external_id),
        kept(telling, pending->type),
        kept(telling, pending->start),
        kept(telling, pending->end),
        value_string(bytes_of(missing, strlen(missing))),
        kept(telling, pending->source),
        moment(telling, pending->since),
    };
    return add(telling, row);
}

static enum yore_status open_pending(const struct procedure_context *context,
                                     const struct yore_graph_value *arguments, void **state_out)
{
    (void)arguments;
    struct telling telling = {.context = context, .status = YORE_OK};
    struct yore_time at = graph_view_time(context->view);
    enum yore_status st = made_rows_new(context, state_out, &telling.rows);
    if (st == YORE_OK) {
        st = graph_pending(context->graph, &at, take_pending, &telling, &context->error->error);
    }
    return st == YORE_OK ? telling.status : st;
}

static const struct procedure_field PENDING[] = {
    FIELD("id", PROCEDURE_STRING),      FIELD("type", PROCEDURE_STRING),
    FIELD("start", PROCEDURE_STRING),   FIELD("end", PROCEDURE_STRING),
    FIELD("missing", PROCEDURE_STRING), FIELD("source", PROCEDURE_STRING),
    FIELD("since", PROCEDURE_DATETIME)};

const struct procedure procedure_yore_pending = {.name = {"yore.pending", 12},
                                                 .columns = PENDING,
                                                 .column_count = FIELD_COUNT(PENDING),
                                                 .open = open_pending,
                                                 .next = made_rows_next};
