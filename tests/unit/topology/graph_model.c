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
    for (size_t s = m->horizon; s < m->now.slot_count; s++) {
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

static bool is_relationship_name_there(const struct model *m, size_t slot, unsigned name)
{
    for (size_t i = 0; i < m->relationship_count; i++) {
        if (m->relationships[i].name == name && m->now.slots[slot].relationships[i].is_there) {
            return true;
        }
    }
    return false;
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
    for (size_t s = dates->from; s < end && made->name < MODEL_NAMES; s++) {
        if (is_relationship_name_there(m, s, made->name)) {
            if (!dates->clips || s == dates->from) {
                return YORE_EXISTS;
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

/* ---- erasing ---- */

/* A relationship that goes with its end goes by its name, as everything that was called so. */
static bool goes_with(const struct model *m, size_t node, size_t relationship)
{
    const struct model_relationship *r = &m->relationships[relationship];
    bool goes = r->start == node || r->end == node;
    for (size_t i = 0; r->name < MODEL_NAMES && i < m->relationship_count; i++) {
        const struct model_relationship *other = &m->relationships[i];
        goes = goes || (other->name == r->name && (other->start == node || other->end == node) &&
                        model_was_ever(m, false, i, m->horizon));
    }
    return goes;
}

static void forget(struct model *m, bool is_node, size_t element)
{
    for (size_t s = 0; s < m->now.slot_count; s++) {
        *state_at(m, is_node, element, s) = (struct model_state){0};
    }
    for (size_t k = 0; k < m->commit_count; k++) {
        for (size_t s = 0; s < m->known[k]->slot_count; s++) {
            struct model_slot *slot = &m->known[k]->slots[s];
            struct model_state *state =
                is_node ? &slot->nodes[element] : &slot->relationships[element];
            *state = (struct model_state){0};
        }
    }
    if (is_node) {
        m->nodes[element].name = MODEL_NAMES;
    } else {
        m->relationships[element].name = MODEL_NAMES;
    }
}

enum yore_status model_erase(struct model *m, bool is_node, unsigned name)
{
    bool goes[MODEL_RELATIONSHIPS];
    enum yore_status st = YORE_NOT_FOUND;
    for (size_t i = 0; is_node && i < m->node_count; i++) {
        if (m->nodes[i].name != name) {
            continue;
        }
        for (size_t r = 0; r < m->relationship_count; r++) {
            goes[r] = goes_with(m, i, r);
        }
        for (size_t r = 0; r < m->relationship_count; r++) {
            if (goes[r]) {
                forget(m, false, r);
            }
        }
        forget(m, true, i);
        st = YORE_OK;
    }
    for (size_t i = 0; !is_node && i < m->relationship_count; i++) {
        if (m->relationships[i].name == name) {
            forget(m, false, i);
            st = YORE_OK;
        }
    }
    return st;
}

static size_t first_nameable(const struct model *m)
{
    return m->horizon > MODEL_FIXED ? m->horizon - MODEL_FIXED : 0;
}

static const struct model_state *known_at(const struct model_world *world, bool is_node,
                                          size_t element, size_t slot)
{
    return is_node ? &world->slots[slot].nodes[element]
                   : &world->slots[slot].relationships[element];
}

static bool was_otherwise_at_horizon(const struct model *m, bool is_node, size_t element)
{
    const struct model_state *now = known_at(&m->now, is_node, element, m->horizon);
    for (size_t k = first_nameable(m); m->horizon > 0 && k < m->commit_count; k++) {
        if (memcmp(known_at(m->known[k], is_node, element, m->horizon), now, sizeof *now) != 0) {
            return true;
        }
    }
    return false;
}

static bool was_taken_back(const struct model *m, size_t relationship)
{
    for (size_t s = m->horizon; s < m->now.slot_count; s++) {
        if (m->now.slots[s].relationships[relationship].is_there) {
            return false;
        }
    }
    return model_was_ever(m, false, relationship, m->horizon);
}

bool model_hides(const struct model *m, bool is_node, unsigned name)
{
    bool hides = false;
    for (size_t i = 0; is_node && i < m->node_count; i++) {
        if (m->nodes[i].name != name) {
            continue;
        }
        hides = hides || was_otherwise_at_horizon(m, true, i);
        for (size_t r = 0; r < m->relationship_count; r++) {
            hides = hides || (goes_with(m, i, r) &&
                              (was_taken_back(m, r) || was_otherwise_at_horizon(m, false, r)));
        }
    }
    for (size_t r = 0; !is_node && r < m->relationship_count; r++) {
        hides =
            hides || (m->relationships[r].name == name && was_otherwise_at_horizon(m, false, r));
    }
    return hides;
}

bool model_was_ever(const struct model *m, bool is_node, size_t element, size_t from)
{
    for (size_t k = first_nameable(m); k < m->commit_count; k++) {
        for (size_t s = from; s < m->known[k]->slot_count; s++) {
            if (known_at(m->known[k], is_node, element, s)->is_there) {
                return true;
            }
        }
    }
    return false;
}
