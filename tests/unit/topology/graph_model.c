#include "unit/topology/graph_model.h"

#include <stdlib.h>
#include <string.h>

/* ---- transactions ---- */

void model_begin(struct model *m)
{
    m->before = m->now;
    m->node_count_before = m->node_count;
    m->relationship_count_before = m->relationship_count;
    size_t slot = m->now.slot_count++;
    if (slot > 0) {
        m->now.slots[slot] = m->now.slots[slot - 1];
    }
}

void model_commit(struct model *m, int64_t commit)
{
    m->times[m->now.slot_count - 1] = commit;
    struct model_world *copy = malloc(sizeof *copy);
    if (copy == NULL) {
        abort();
    }
    *copy = m->now;
    m->known[m->commit_count++] = copy;
}

void model_abort(struct model *m)
{
    m->now = m->before;
    m->node_count = m->node_count_before;
    m->relationship_count = m->relationship_count_before;
}

void model_release(struct model *m)
{
    for (size_t i = 0; i < m->commit_count; i++) {
        free(m->known[i]);
    }
}

/* ---- helpers ---- */

static size_t slot_end(const struct model *m, const struct model_dates *dates)
{
    return dates->to < m->now.slot_count ? dates->to : m->now.slot_count;
}

static struct model_state *state_at(struct model *m, bool is_node, size_t element, size_t slot)
{
    return is_node ? &m->now.slots[slot].nodes[element]
                   : &m->now.slots[slot].relationships[element];
}

bool model_is_unique_broken(const struct model *m)
{
    for (size_t s = 0; s < m->now.slot_count; s++) {
        uint32_t taken = 0;
        for (size_t i = 0; i < m->node_count; i++) {
            const struct model_state *state = &m->now.slots[s].nodes[i];
            if (!state->is_there || (state->labels & 1) == 0 || state->properties[0] == 0) {
                continue;
            }
            uint32_t bit = (uint32_t)1 << state->properties[0];
            if ((taken & bit) != 0) {
                return true;
            }
            taken |= bit;
        }
    }
    return false;
}

/* ---- making ---- */

static bool is_name_there(const struct model *m, size_t slot, unsigned name)
{
    for (size_t i = 0; i < m->node_count; i++) {
        if (m->nodes[i].name == name && m->now.slots[slot].nodes[i].is_there) {
            return true;
        }
    }
    return false;
}

enum yore_status model_node_create(struct model *m, unsigned name, const struct model_state *state,
                                   const struct model_dates *dates, size_t *node_out)
{
    size_t end = slot_end(m, dates);
    for (size_t s = dates->from; s < end; s++) {
        if (is_name_there(m, s, name)) {
            if (!dates->clips || s == dates->from) {
                return YORE_EXISTS;
            }
            end = s;
        }
    }
    size_t node = m->node_count++;
    m->nodes[node] = (struct model_node){0, name};
    for (size_t s = 0; s < m->now.slot_count; s++) {
        bool is_there = s >= dates->from && s < end;
        m->now.slots[s].nodes[node] = is_there ? *state : (struct model_state){0};
    }
    if (m->is_unique && model_is_unique_broken(m)) {
        for (size_t s = 0; s < m->now.slot_count; s++) {
            m->now.slots[s].nodes[node] = (struct model_state){0};
        }
        m->node_count--;
        return YORE_EXISTS;
    }
    *node_out = node;
    return YORE_OK;
}

static bool has_ends(const struct model *m, const struct model_relationship *made, size_t slot)
{
    return m->now.slots[slot].nodes[made->start].is_there &&
           m->now.slots[slot].nodes[made->end].is_there;
}

enum yore_status model_relationship_create(struct model *m, const struct model_relationship *made,
                                           const struct model_dates *dates,
                                           size_t *relationship_out)
{
    size_t end = slot_end(m, dates);
    if (!m->now.slots[dates->from].nodes[made->start].is_there) {
        return YORE_NOT_FOUND;
    }
    for (size_t s = dates->from; s < end; s++) {
        /* The graph looks at the start with all its time before it looks at the end. */
        if (!m->now.slots[s].nodes[made->start].is_there) {
            if (!dates->clips) {
                return YORE_INVALID;
            }
            end = s;
        }
    }
    if (!m->now.slots[dates->from].nodes[made->end].is_there) {
        return YORE_NOT_FOUND;
    }
    for (size_t s = dates->from; s < end; s++) {
        if (!has_ends(m, made, s)) {
            if (!dates->clips) {
                return YORE_INVALID;
            }
            end = s;
        }
    }
    size_t relationship = m->relationship_count++;
    m->relationships[relationship] = *made;
    for (size_t s = 0; s < m->now.slot_count; s++) {
        struct model_state *state = &m->now.slots[s].relationships[relationship];
        *state = (struct model_state){.is_there = s >= dates->from && s < end};
    }
    *relationship_out = relationship;
    return YORE_OK;
}

/* ---- changing ---- */

/* One property runs until somebody else's word. */
static void run_property(struct model *m, const struct model_set *set, unsigned property,
                         uint8_t value, const struct model_dates *dates)
{
    uint8_t said = state_at(m, set->is_node, set->element, dates->from)->properties[property];
    size_t end = slot_end(m, dates);
    for (size_t s = dates->from; s < end; s++) {
        struct model_state *state = state_at(m, set->is_node, set->element, s);
        if (!state->is_there || state->properties[property] != said) {
            break;
        }
        state->properties[property] = value;
    }
}

enum yore_status model_set(struct model *m, const struct model_set *set,
                           const struct model_dates *dates)
{
    if (!state_at(m, set->is_node, set->element, dates->from)->is_there) {
        return YORE_NOT_FOUND;
    }
    struct model_world *undo = malloc(sizeof *undo);
    if (undo == NULL) {
        abort();
    }
    *undo = m->now;
    for (unsigned p = 0; p < MODEL_PROPERTIES; p++) {
        if (p == set->property || set->replaces) {
            run_property(m, set, p, p == set->property ? set->value : 0, dates);
        }
    }
    bool is_broken = m->is_unique && model_is_unique_broken(m);
    if (is_broken) {
        m->now = *undo;
    }
    free(undo);
    return is_broken ? YORE_EXISTS : YORE_OK;
}

enum yore_status model_label(struct model *m, size_t node, unsigned label, bool adds,
                             const struct model_dates *dates)
{
    uint8_t bit = (uint8_t)(1u << label);
    const struct model_state *first = state_at(m, true, node, dates->from);
    if (!first->is_there) {
        return YORE_NOT_FOUND;
    }
    struct model_world *undo = malloc(sizeof *undo);
    if (undo == NULL) {
        abort();
    }
    *undo = m->now;
    bool said = (first->labels & bit) != 0;
    size_t end = slot_end(m, dates);
    for (size_t s = dates->from; s < end; s++) {
        struct model_state *state = state_at(m, true, node, s);
        if (!state->is_there || ((state->labels & bit) != 0) != said) {
            break;
        }
        state->labels = (uint8_t)(adds ? state->labels | bit : state->labels & ~bit);
    }
    bool is_broken = m->is_unique && model_is_unique_broken(m);
    if (is_broken) {
        m->now = *undo;
    }
    free(undo);
    return is_broken ? YORE_EXISTS : YORE_OK;
}

enum yore_status model_delete(struct model *m, bool is_node, size_t element, bool detaches,
                              size_t from)
{
    if (!state_at(m, is_node, element, from)->is_there) {
        return YORE_NOT_FOUND;
    }
    for (size_t r = 0; is_node && r < m->relationship_count; r++) {
        bool hangs = m->relationships[r].start == element || m->relationships[r].end == element;
        for (size_t s = from; hangs && s < m->now.slot_count; s++) {
            if (m->now.slots[s].relationships[r].is_there && !detaches) {
                return YORE_INVALID;
            }
            m->now.slots[s].relationships[r] = (struct model_state){0};
        }
    }
    for (size_t s = from; s < m->now.slot_count; s++) {
        *state_at(m, is_node, element, s) = (struct model_state){0};
    }
    return YORE_OK;
}
