#include "unit/topology/graph_model_run.h"

#include <stdarg.h>
#include <stdio.h>

#include "topology/erase.h"

const char *const model_label_names[MODEL_LABELS] = {"L0", "L1", "L2"};
const char *const model_type_names[MODEL_TYPES] = {"T0", "T1"};
const char *const model_property_names[MODEL_PROPERTIES] = {"p0", "p1"};

void model_run_note(const struct run *run, const char *format, ...)
{
    char words[256];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(words, sizeof words, format, args);
    va_end(args);
    test_note("round %llu, commit %zu: %s", (unsigned long long)run->round, run->m->commit_count,
              words);
}

/* ---- changes ---- */

/* From the commit on, from a time of long ago, or from an earlier commit. */
static struct model_dates some_dates(struct run *run, struct graph_write *write)
{
    struct model *m = run->m;
    size_t next = m->now.slot_count - 1; /* the slot of this commit */
    struct model_dates dates = {next, MODEL_SLOTS, below(run, 2) == 0};
    *write = (struct graph_write){YORE_NOW, YORE_FOREVER, dates.clips};
    uint64_t how = below(run, 6);
    run->counts->changes++;
    if (how > 3 || m->horizon >= next) {
        return dates;
    }
    size_t last = how < 3 && m->horizon < MODEL_FIXED ? MODEL_FIXED : next;
    dates.from = m->horizon + below(run, last - m->horizon);
    write->from = m->times[dates.from];
    if (dates.from + 1 < last && below(run, 3) == 0) {
        dates.to = dates.from + 1 + below(run, last - dates.from - 1);
        write->to = m->times[dates.to];
    }
    run->counts->back_dated++;
    return dates;
}

/* Both sides must say the same. */
static bool is_done(struct run *run, enum yore_status got, enum yore_status want)
{
    CHECK_MSG(got == want, "status %d, want %d: %s", (int)got, (int)want,
              got != YORE_OK ? run->error.text : "");
    run->counts->refused += want != YORE_OK;
    return want == YORE_OK;
}

/* An element, more often than not one that is there at the slot. */
static size_t some_element(struct run *run, bool is_node, size_t slot)
{
    struct model *m = run->m;
    size_t count = is_node ? m->node_count : m->relationship_count;
    const struct model_slot *then = &m->now.slots[slot];
    size_t element = below(run, count);
    for (uint64_t tries = below(run, 8); tries > 0; tries--) {
        if ((is_node ? &then->nodes[element] : &then->relationships[element])->is_there) {
            break;
        }
        element = below(run, count);
    }
    return element;
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
    if (is_done(run, graph_node_create(run->txn, &made, &write, &id, &run->error), want)) {
        run->m->nodes[node].id = id;
    }
}

static void make_relationship(struct run *run)
{
    struct graph_write write;
    struct model_dates dates = some_dates(run, &write);
    struct model *m = run->m;
    struct model_relationship made = {.name = (unsigned)below(run, MODEL_NAMES * 2),
                                      .type = (unsigned)below(run, MODEL_TYPES),
                                      .start = some_element(run, true, dates.from),
                                      .end = some_element(run, true, dates.from)};
    char words[8];
    struct graph_new_relationship asked = {.type = run->types[made.type],
                                           .start_id = m->nodes[made.start].id,
                                           .end_id = m->nodes[made.end].id};
    if (made.name < MODEL_NAMES) {
        snprintf(words, sizeof words, "r%u", made.name % MODEL_NAMES);
        asked.external_id = text(words);
    } else {
        made.name = MODEL_NAMES;
    }
    size_t relationship = 0;
    uint64_t id = 0;
    enum yore_status want = model_relationship_create(m, &made, &dates, &relationship);
    if (is_done(run, graph_relationship_create(run->txn, &asked, &write, &id, &run->error), want)) {
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
    set.element = some_element(run, set.is_node, dates.from);
    struct graph_id id = {set.is_node ? GRAPH_NODE : GRAPH_RELATIONSHIP,
                          set.is_node ? m->nodes[set.element].id
                                      : m->relationships[set.element].id};
    struct graph_property one = {run->properties[set.property], integer(set.value)};
    one.value.kind = set.value == 0 ? YORE_GRAPH_NULL : YORE_GRAPH_INT;
    enum yore_status want = model_set(m, &set, &dates);
    (void)is_done(
        run, graph_properties_set(run->txn, id, &one, 1, set.replaces, &write, &run->error), want);
}

static void change_label(struct run *run)
{
    struct graph_write write;
    struct model_dates dates = some_dates(run, &write);
    size_t node = some_element(run, true, dates.from);
    unsigned l = (unsigned)below(run, MODEL_LABELS);
    bool adds = below(run, 2) == 0;
    enum yore_status want = model_label(run->m, node, l, adds, &dates);
    (void)is_done(run,
                  graph_labels_change(run->txn, run->m->nodes[node].id, &run->labels[l], 1, adds,
                                      &write, &run->error),
                  want);
}

static void delete_one(struct run *run)
{
    struct graph_write write;
    struct model *m = run->m;
    struct model_dates dates = some_dates(run, &write);
    bool is_node = m->relationship_count == 0 || below(run, 2) == 0;
    bool detaches = below(run, 3) > 0;
    size_t element = some_element(run, is_node, dates.from);
    struct graph_id id = {is_node ? GRAPH_NODE : GRAPH_RELATIONSHIP,
                          is_node ? m->nodes[element].id : m->relationships[element].id};
    write.to = YORE_FOREVER;
    enum yore_status want = model_delete(m, is_node, element, detaches, dates.from);
    (void)is_done(run, graph_delete(run->txn, id, detaches, &write, &run->error), want);
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
        run->counts->aborts++;
    } else {
        int64_t at = commit(run->txn);
        if (run->m->commit_count > 0 && at <= run->m->times[run->m->now.slot_count - 2]) {
            model_abort(run->m); /* all was refused: nothing was committed, and nothing is new */
        } else {
            model_commit(run->m, at);
            run->counts->commits++;
        }
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

/* ---- what is for ever ---- */

/* A name whose bearers all lie before the horizon may be known still, or not any more. */
static bool is_sure(const struct model *m, bool is_node, unsigned name)
{
    bool is_known = false;
    size_t count = is_node ? m->node_count : m->relationship_count;
    for (size_t i = 0; i < count; i++) {
        if ((is_node ? m->nodes[i].name : m->relationships[i].name) == name) {
            is_known = true;
            if (model_was_ever(m, is_node, i, m->horizon)) {
                return true;
            }
        }
    }
    return !is_known;
}

void model_run_erase(struct run *run)
{
    char words[8];
    bool is_node = below(run, 2) == 0;
    unsigned name = (unsigned)below(run, MODEL_NAMES);
    if (model_hides(run->m, is_node, name)) {
        return;
    }
    bool is_certain = is_sure(run->m, is_node, name);
    enum yore_status want = model_erase(run->m, is_node, name);
    struct yore_error error = {0};
    snprintf(words, sizeof words, "%c%u", is_node ? 'e' : 'r', name % MODEL_NAMES);
    model_run_note(run, "erase of %s", words);
    const struct graph_erasure erasure = {.element = is_node ? GRAPH_NODE : GRAPH_RELATIONSHIP,
                                          .external_id = text(words)};
    enum yore_status st = graph_erase(run->bed.graph, &erasure, NULL, &error);
    if (is_certain || (st != YORE_OK && st != YORE_NOT_FOUND)) {
        CHECK_MSG(st == want, "erase: %d, not %d: %s", (int)st, (int)want, error.text);
    }
    run->counts->erased += st == YORE_OK;
}

void model_run_trim(struct run *run)
{
    struct model *m = run->m;
    size_t last = below(run, 2) == 0 ? MODEL_FIXED : m->now.slot_count;
    if (m->horizon + 1 >= last || m->commit_count == 0) {
        return;
    }
    /* Short steps: every other one goes far. */
    size_t room = last - m->horizon - 1;
    m->horizon += 1 + below(run, below(run, 2) == 0 && room > 4 ? room / 4 : room);
    struct yore_error error = {0};
    enum yore_status st =
        yore_trim(run->bed.bed.db, graph_keyspace(run->bed.graph), m->times[m->horizon], &error);
    CHECK_MSG(st == YORE_OK, "trim to slot %zu: %s", m->horizon, error.text);
    run->counts->trims++;
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
