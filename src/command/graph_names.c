#include "command/graph_names.h"

#include "query/error.h"
#include "query/value.h"

struct name_walk {
    uint32_t last;
    uint32_t at;
};

static int take_last(void *arg, uint32_t token, struct yore_bytes name)
{
    (void)name;
    ((struct name_walk *)arg)->last = token;
    return 0;
}

static enum graph_token_kind kind_of(const struct procedure *procedure)
{
    return *(const enum graph_token_kind *)procedure->data;
}

static enum yore_status open_names(const struct procedure_context *context,
                                   const struct yore_graph_value *arguments, void **state_out)
{
    (void)arguments;
    struct name_walk *walk = arena_alloc(context->arena, sizeof(*walk));
    if (walk == NULL) {
        return error_plain(&context->error->error, YORE_NOMEM);
    }
    *walk = (struct name_walk){0, 0};
    *state_out = walk;
    graph_tokens(context->graph, kind_of(context->procedure), take_last, walk);
    return YORE_OK;
}

static enum yore_status next_name(const struct procedure_context *context, void *state,
                                  struct yore_graph_value *row_out)
{
    struct name_walk *walk = state;
    if (walk->at == walk->last) {
        return YORE_NOT_FOUND;
    }
    *row_out =
        value_string(graph_token_name(context->graph, kind_of(context->procedure), ++walk->at));
    return YORE_OK;
}

static const enum graph_token_kind LABELS = GRAPH_LABEL;
static const enum graph_token_kind TYPES = GRAPH_TYPE;
static const enum graph_token_kind PROPERTIES = GRAPH_PROPERTY;

static const struct procedure_field LABEL = {{"label", 5}, PROCEDURE_STRING, false};
static const struct procedure_field TYPE = {{"relationshipType", 16}, PROCEDURE_STRING, false};
static const struct procedure_field KEY = {{"propertyKey", 11}, PROCEDURE_STRING, false};

static const struct procedure labels = {.name = {"db.labels", 9},
                                        .columns = &LABEL,
                                        .column_count = 1,
                                        .open = open_names,
                                        .next = next_name,
                                        .data = &LABELS};
static const struct procedure types = {.name = {"db.relationshipTypes", 20},
                                       .columns = &TYPE,
                                       .column_count = 1,
                                       .open = open_names,
                                       .next = next_name,
                                       .data = &TYPES};
static const struct procedure properties = {.name = {"db.propertyKeys", 15},
                                            .columns = &KEY,
                                            .column_count = 1,
                                            .open = open_names,
                                            .next = next_name,
                                            .data = &PROPERTIES};

static const struct procedure *const all[] = {&labels, &types, &properties};
const struct procedure_set graph_names_procedures = {all, sizeof all / sizeof all[0]};

int64_t graph_names_index(struct graph *graph, enum graph_token_kind kind, struct yore_bytes name)
{
    return (int64_t)graph_token(graph, kind, name) - 1;
}
