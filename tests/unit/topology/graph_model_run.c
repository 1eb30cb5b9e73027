#include "unit/topology/graph_model_run.h"

#include <stdio.h>

const char *const model_label_names[MODEL_LABELS] = {"L0", "L1", "L2"};
const char *const model_type_names[MODEL_TYPES] = {"T0", "T1"};
const char *const model_property_names[MODEL_PROPERTIES] = {"p0", "p1"};

/* ---- changes ---- */

static struct model_dates some_dates(struct run *run, struct graph_write *write)
{
    struct model_dates dates = {run->m->now.slot_count - 1, MODEL_SLOTS, below(run, 2) == 0};
    *write = (struct graph_write){YORE_NOW, YORE_FOREVER, dates.clips};
    if (below(run, 3) > 0) {
        dates.from = below(run, MODEL_FIXED);
        write->from = run->m->times[dates.from];
        if (dates.from + 1 < MODEL_FIXED && below(run, 3) == 0) {
            dates.to = dates.from + 1 + below(run, MODEL_FIXED - dates.from - 1);
            write->to = run->m->times[dates.to];
        }
    }
    return dates;
}

static void make_node(struct run *run)
{
    struct graph_write write;
    struct model_dates dates = some_dates(run, &write);
    unsigned name = (unsigned)below(run, MODEL_NAMES);
    struct model_state state = {.is_there = true, .labels = (uint8_t)below(run, 8)};
    uint32_t labels[MODEL_LABELS];
    struct graph_property properties[MODEL_PROPERTIES];
    char words[8];
    struct graph_new_node made = {.labels = labels, .properties = properties};
    snprintf(words, sizeof words, "e%u", name);
    made.external_id = text(words);
    for (unsigned l = 0; l < MODEL_LABELS; l++) {
        if ((state.labels >> l & 1) != 0) {
            labels[made.label_count++] = run->labels[l];
        }
    }
    for (unsigned p = 0; p < MODEL_PROPERTIES; p++) {
        state.properties[p] = (uint8_t)below(run, 6);
        if (state.properties[p] > 0) {
            properties[made.property_count++] =
                (struct graph_property){run->properties[p], integer(state.properties[p])};
        }
    }
    size_t node = 0;
    uint64_t id = 0;
    enum yore_status want = model_node_create(run->m, name, &state, &dates, &node);
    CHECK_STATUS(graph_node_create(run->txn, &made, &write, &id, NULL), want);
    if (want == YORE_OK) {
        run->m->nodes[node].id = id;
    }
}

static void make_relationship(struct run *run)
{
    struct graph_write write;
    struct model_dates dates = some_dates(run, &write);
    struct model *m = run->m;
    struct model_relationship made = {0, (unsigned)below(run, MODEL_TYPES),
                                      below(run, m->node_count), below(run, m->node_count)};
    struct graph_new_relationship asked = {.type = run->types[made.type],
                                           .start_id = m->nodes[made.start].id,
                                           .end_id = m->nodes[made.end].id};
    size_t relationship = 0;
    uint64_t id = 0;
    enum yore_status want = model_relationship_create(m, &made, &dates, &relationship);
    CHECK_STATUS(graph_relationship_create(run->txn, &asked, &write, &id, NULL), want);
    if (want == YORE_OK) {
        m->relationships[relationship].id = id;
    }
}

static void set_property(struct run *run)
{
    struct graph_write write;
    struct model_dates dates = some_dates(run, &write);
    struct model *m = run->m;
    struct model_set set = {.is_node = m->relationship_count == 0 || below(run, 3) > 0,
                            .property = (unsigned)below(run, MODEL_PROPERTIES),
                            .value = (uint8_t)below(run, 6),
                            .replaces = below(run, 4) == 0};
    set.element = below(run, set.is_node ? m->node_count : m->relationship_count);
    struct graph_id id = {set.is_node ? GRAPH_NODE : GRAPH_RELATIONSHIP,
                          set.is_node ? m->nodes[set.element].id
                                      : m->relationships[set.element].id};
    struct graph_property one = {run->properties[set.property], integer(set.value)};
    one.value.kind = set.value == 0 ? YORE_GRAPH_NULL : YORE_GRAPH_INT;
    enum yore_status want = model_set(m, &set, &dates);
    CHECK_STATUS(graph_properties_set(run->txn, id, &one, 1, set.replaces, &write, NULL), want);
}

static void change_label(struct run *run)
{
    struct graph_write write;
    struct model_dates dates = some_dates(run, &write);
    size_t node = below(run, run->m->node_count);
    unsigned l = (unsigned)below(run, MODEL_LABELS);
    bool adds = below(run, 2) == 0;
    enum yore_status want = model_label(run->m, node, l, adds, &dates);
    CHECK_STATUS(graph_labels_change(run->txn, run->m->nodes[node].id, &run->labels[l], 1, adds,
                                     &write, NULL),
                 want);
}

static void delete_one(struct run *run)
{
    struct graph_write write;
    struct model *m = run->m;
    struct model_dates dates = some_dates(run, &write);
    bool is_node = m->relationship_count == 0 || below(run, 2) == 0;
    bool detaches = below(run, 3) > 0;
    size_t element = below(run, is_node ? m->node_count : m->relationship_count);
    struct graph_id id = {is_node ? GRAPH_NODE : GRAPH_RELATIONSHIP,
                          is_node ? m->nodes[element].id : m->relationships[element].id};
    write.to = YORE_FOREVER;
    enum yore_status want = model_delete(m, is_node, element, detaches, dates.from);
    CHECK_STATUS(graph_delete(run->txn, id, detaches, &write, NULL), want);
}

static void change_something(struct run *run)
{
    struct model *m = run->m;
    uint64_t what = below(run, 20);
    if (m->node_count < 2 || (what < 5 && m->node_count < MODEL_NODES)) {
        if (m->node_count < MODEL_NODES) {
            make_node(run);
        }
    } else if (what < 11 && m->relationship_count < MODEL_RELATIONSHIPS) {
        make_relationship(run);
    } else if (what < 16) {
        set_property(run);
    } else if (what < 18) {
        change_label(run);
    } else {
        delete_one(run);
    }
}

/* ---- transactions ---- */

void model_run_begin(struct run *run)
{
    uint64_t changes = 1 + below(run, 6);
    run->txn = begin(&run->bed);
    model_begin(run->m);
    for (uint64_t i = 0; i < changes; i++) {
        change_something(run);
    }
}

void model_run_end(struct run *run)
{
    if (below(run, 8) == 0) {
        graph_abort(run->txn);
        model_abort(run->m);
    } else {
        model_commit(run->m, commit(run->txn));
    }
    run->txn = NULL;
}

void model_run_index(struct run *run)
{
    struct graph_schema schema = {
        .is_unique = below(run, 2) == 0, .label = run->labels[0], .property = run->properties[0]};
    enum yore_status want =
        schema.is_unique && model_is_unique_broken(run->m) ? YORE_EXISTS : YORE_OK;
    CHECK_STATUS(graph_schema_create(run->bed.graph, &schema, NULL, NULL), want);
    if (want == YORE_OK) {
        run->has_index = true;
        run->indexed_at = yore_now(run->bed.bed.db);
        run->m->is_unique = schema.is_unique;
    }
}

void model_run_start(struct run *run)
{
    graph_bed_open(&run->bed);
    for (size_t s = 0; s < MODEL_FIXED; s++) {
        run->m->times[s] = AT(10 + s);
    }
    run->m->now.slot_count = MODEL_FIXED;
    struct graph_txn *txn = begin(&run->bed);
    for (unsigned i = 0; i < MODEL_LABELS; i++) {
        run->labels[i] = label(txn, model_label_names[i]);
    }
    for (unsigned i = 0; i < MODEL_TYPES; i++) {
        run->types[i] = type(txn, model_type_names[i]);
    }
    for (unsigned i = 0; i < MODEL_PROPERTIES; i++) {
        run->properties[i] = property(txn, model_property_names[i]);
    }
    graph_abort(txn);
}
