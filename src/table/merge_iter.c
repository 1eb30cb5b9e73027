/* merge_iter.c -- sources kept in order of what they stand on.
 *
 * The sources that stand on something are kept sorted; after a step only the source that moved is
 * put back in its place, from the front.  Most steps do not even do that: while the first source,
 * the *lead*, stays before the second, its versions are shown one after the other, for one
 * comparison of keys each; and when that has gone well for a while, many at once as a run of our
 * own.  A loser tree would save comparisons from about eight sources on, where a binary search for
 * the place does as well.
 *
 * Invariant: `is_tied` is false only if the key of the lead is no other source's, or (every
 * version) no other source stands on the same version.
 */
#include "table/merge_iter.h"

#include "base/assert.h"
#include "base/buffer.h"
#include "base/mem.h"

#define LINEAR_MAX 4   /* places tried one by one before the search halves the rest */
#define STREAK_MIN 4   /* steps of one lead before a run is tried */
#define RUN_LENGTH 16u /* of a run, unless no other source is left */

struct merge_iter {
    struct version_iter base; /* first: the two are cast to each other */
    bool is_as_of;
    bool is_forward;
    bool is_tied;    /* order[1] yields what order[0] does: it comes out once */
    uint32_t streak; /* steps since the lead changed, or a run could not be had */
    size_t count;
    size_t live; /* sources in `order` */
    struct version_iter **sources;
    uint32_t *order;   /* sources that are valid, the one to be yielded first */
    struct buffer key; /* where a change of direction happens */
};

static struct merge_iter *self(struct version_iter *base)
{
    return (struct merge_iter *)(void *)base;
}

/* ---- order ---- */

static int compare_sources(const struct merge_iter *m, uint32_t a, uint32_t b)
{
    const struct version *x = &m->sources[a]->at;
    const struct version *y = &m->sources[b]->at;
    int order = bytes_compare(x->key, y->key);
    if (order != 0) {
        return m->is_forward ? order : -order;
    }
    order = version_time_compare(x->valid_from, x->commit, y->valid_from, y->commit);
    if (order != 0) { /* as of, the newest of a key comes first whichever way the walk goes */
        return m->is_forward || m->is_as_of ? order : -order;
    }
    bool x_carried = (x->flags & VERSION_CARRIED) != 0;
    bool y_carried = (y->flags & VERSION_CARRIED) != 0;
    if (x_carried != y_carried) {
        return x_carried ? 1 : -1;
    }
    return a < b ? -1 : 1;
}

/* Put order[at] in its place among those behind it, which are in order. */
static void settle(struct merge_iter *m, size_t at)
{
    uint32_t *order = m->order;
    uint32_t moving = order[at];
    size_t low = at + 1;
    size_t linear_end = low + LINEAR_MAX < m->live ? low + LINEAR_MAX : m->live;
    while (low < linear_end && compare_sources(m, order[low], moving) < 0) {
        order[low - 1] = order[low];
        low++;
    }
    if (low < linear_end || low == m->live) {
        order[low - 1] = moving;
        return;
    }
    size_t from = low;
    size_t high = m->live;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare_sources(m, order[middle], moving) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    memmove(order + from - 1, order + from, (low - from) * sizeof(*order));
    order[low - 1] = moving;
}

static void finish(struct merge_iter *m, enum yore_status status, const struct version_iter *source)
{
    m->base.run.end = 0;
    m->base.is_valid = false;
    m->base.status = status;
    if (source != NULL) {
        m->base.error = source->error;
    }
}

/* Of twins the one that is not a carried copy is shown: tell that there is a copy as well. */
static void note_carried_twin(struct merge_iter *m)
{
    struct version *at = &m->base.at;
    for (size_t i = 1; i < m->live; i++) {
        const struct version *other = &m->sources[m->order[i]]->at;
        if (other->valid_from != at->valid_from || other->commit != at->commit ||
            !bytes_equal(other->key, at->key)) {
            return;
        }
        if ((other->flags & VERSION_CARRIED) != 0 && (at->flags & VERSION_CARRIED) == 0) {
            at->flags |= VERSION_ALSO_CARRIED;
            return;
        }
    }
}

/* Do order[0] and order[other] yield what comes out only once? */
static bool is_same(const struct merge_iter *m, size_t other)
{
    const struct version *x = &m->sources[m->order[0]]->at;
    const struct version *y = &m->sources[m->order[other]]->at;
    return bytes_equal(x->key, y->key) &&
           (m->is_as_of || (x->valid_from == y->valid_from && x->commit == y->commit));
}

/* The first of a run of versions that does not come before `other`, or the run's end. */
static uint32_t end_before(const struct version_run *run, const struct version *other)
{
    const int64_t *valid_from = page_valid_from(run->page);
    const int64_t *commit = page_commit(run->page);
    uint32_t low = run->at + 1;
    uint32_t high = run->end;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (version_time_compare(valid_from[middle], commit[middle], other->valid_from,
                                 other->commit) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* The lead is shown and nothing of another source is the same: where it goes on along its key, so
 * do we, as far as the second source. */
static void offer_versions(struct merge_iter *m)
{
    const struct version_iter *lead = m->sources[m->order[0]];
    if (!m->is_forward || !version_run_keeps_key(&lead->run)) {
        return;
    }
    uint32_t end = lead->run.end;
    if (m->live > 1) {
        const struct version *other = &m->sources[m->order[1]]->at;
        end = bytes_equal(lead->at.key, other->key) ? end_before(&lead->run, other) : end;
    }
    m->base.run = lead->run;
    m->base.run.end = end > lead->run.at + 1 ? end : 0;
}

static void yield(struct merge_iter *m)
{
    if (m->live == 0) {
        finish(m, YORE_OK, NULL);
        return;
    }
    m->base.at = m->sources[m->order[0]]->at;
    m->base.run.end = 0;
    m->base.is_valid = true;
    m->streak = 0;
    m->is_tied = m->live > 1 && is_same(m, 1);
    if (m->is_tied) {
        note_carried_twin(m);
    } else {
        offer_versions(m);
    }
}

/* Sources have been positioned: sort those that stand on something and yield the first. */
static void start(struct merge_iter *m, bool is_forward)
{
    m->is_forward = is_forward;
    m->base.status = YORE_OK;
    m->live = 0;
    for (size_t i = 0; i < m->count; i++) {
        const struct version_iter *source = m->sources[i];
        if (!source->is_valid && source->status != YORE_OK) {
            finish(m, source->status, source);
            return;
        }
        m->live += source->is_valid;
    }
    size_t at = m->live;
    for (size_t i = m->count; i > 0; i--) {
        if (m->sources[i - 1]->is_valid) {
            m->order[--at] = (uint32_t)(i - 1);
            settle(m, at);
        }
    }
    yield(m);
}

/* ---- steps ---- */

/* order[at] has moved on: put it in its place.  False: it failed. */
static bool settle_moved(struct merge_iter *m, size_t at)
{
    struct version_iter *source = m->sources[m->order[at]];
    if (source->is_valid) {
        settle(m, at);
        return true;
    }
    if (source->status != YORE_OK) {
        finish(m, source->status, source);
        return false;
    }
    m->live--;
    memmove(m->order + at, m->order + at + 1, (m->live - at) * sizeof(*m->order));
    return true;
}

static bool move_source(struct merge_iter *m, size_t at)
{
    struct version_iter *source = m->sources[m->order[at]];
    if (m->is_forward) {
        version_iter_next(source);
    } else {
        version_iter_prev(source);
    }
    return settle_moved(m, at);
}

/* Does the key come before all that other sources stand on, the way the walk goes? */
static bool is_before_others(const struct merge_iter *m, struct yore_bytes key)
{
    if (m->live == 1) {
        return true;
    }
    int order = bytes_compare(key, m->sources[m->order[1]]->at.key);
    return m->is_forward ? order < 0 : order > 0;
}

/* The lead stands inside a run, where our own version is: show its next as well, if that is next
 * here too.  Its `at` is left behind; version_iter_next() makes it good. */
static bool follow_run(struct merge_iter *m, struct version_iter *lead)
{
    struct version_run *run = &lead->run;
    uint32_t next = run->at + 1;
    if (next >= run->end || run->is_versions || !is_before_others(m, version_run_key(run, next))) {
        return false;
    }
    run->at = next;
    version_run_read(run, &m->base.at);
    version_run_prefetch(run, &m->base.at);
    m->streak++;
    if (m->streak >= STREAK_MIN || m->live == 1) {
        uint32_t last =
            m->live == 1 || run->end - next <= RUN_LENGTH ? run->end - 1 : next + RUN_LENGTH - 1;
        if (is_before_others(m, version_run_key(run, last))) {
            m->base.run = *run;
            m->base.run.end = last + 1;
        } else {
            m->streak = 0;
        }
    }
    return true;
}

/* The same of a version, which may be another source's too if it is not. */
static bool is_version_before_others(const struct merge_iter *m, const struct version *v)
{
    if (m->live == 1) {
        return true;
    }
    const struct version *other = &m->sources[m->order[1]]->at;
    int order = bytes_compare(v->key, other->key);
    if (order == 0 && !m->is_as_of) {
        order = version_time_compare(v->valid_from, v->commit, other->valid_from, other->commit);
    }
    return m->is_forward ? order < 0 : order > 0;
}

/* The lead has moved and may still be first.  False: it is not, or nobody knows yet. */
static bool follow_lead(struct merge_iter *m, const struct version_iter *lead)
{
    if (!lead->is_valid || !is_version_before_others(m, &lead->at)) {
        return false;
    }
    m->base.at = lead->at;
    m->streak++;
    offer_versions(m);
    return true;
}

static void step_lead(struct merge_iter *m)
{
    struct version_iter *lead = m->sources[m->order[0]];
    if (m->base.run.end != 0) { /* a part of the lead's: it goes on where ours was walked to */
        lead->run.at = m->base.run.at;
        m->base.run.end = 0;
    }
    if (m->is_forward) {
        if (follow_run(m, lead)) {
            return;
        }
        version_iter_next(lead);
    } else {
        version_iter_prev(lead);
    }
    if (!follow_lead(m, lead) && settle_moved(m, 0)) {
        yield(m);
    }
}

static void step(struct merge_iter *m)
{
    if (!m->is_tied) {
        step_lead(m);
        return;
    }
    size_t same = 1;
    while (same < m->live && is_same(m, same)) {
        same++;
    }
    for (size_t at = same; at > 0; at--) { /* from the back: those behind `at` are in order */
        if (!move_source(m, at - 1)) {
            return;
        }
    }
    yield(m);
}

/* Put every source on the first it has beyond what is current, in the other direction. */
static void turn(struct merge_iter *m, bool is_forward)
{
    buffer_clear(&m->key);
    buffer_append_bytes(&m->key, m->base.at.key);
    if (m->key.is_nomem) {
        m->key.is_nomem = false;
        finish(m, error_plain(&m->base.error, YORE_NOMEM), NULL);
        return;
    }
    struct version_place place = {buffer_bytes(&m->key), m->base.at.valid_from, m->base.at.commit};
    for (size_t i = 0; i < m->count; i++) {
        struct version_iter *source = m->sources[i];
        if (is_forward) {
            version_iter_seek(source, &place);
        } else {
            version_iter_seek_back(source, &place);
        }
        bool is_current = source->is_valid && bytes_equal(source->at.key, place.key) &&
                          (m->is_as_of || (source->at.valid_from == place.valid_from &&
                                           source->at.commit == place.commit));
        if (is_current && is_forward) {
            version_iter_next(source);
        } else if (is_current) {
            version_iter_prev(source);
        }
    }
    start(m, is_forward);
}

static void merge_next(struct version_iter *base)
{
    struct merge_iter *m = self(base);
    YORE_ASSERT(base->is_valid);
    if (m->is_forward) {
        step(m);
    } else {
        turn(m, true);
    }
}

static void merge_prev(struct version_iter *base)
{
    struct merge_iter *m = self(base);
    YORE_ASSERT(base->is_valid);
    if (m->is_forward) {
        turn(m, false);
    } else {
        step(m);
    }
}

/* ---- positioning ---- */

static void merge_first(struct version_iter *base)
{
    struct merge_iter *m = self(base);
    for (size_t i = 0; i < m->count; i++) {
        version_iter_first(m->sources[i]);
    }
    start(m, true);
}

static void merge_last(struct version_iter *base)
{
    struct merge_iter *m = self(base);
    for (size_t i = 0; i < m->count; i++) {
        version_iter_last(m->sources[i]);
    }
    start(m, false);
}

static void merge_seek(struct version_iter *base, const struct version_place *place)
{
    struct merge_iter *m = self(base);
    for (size_t i = 0; i < m->count; i++) {
        version_iter_seek(m->sources[i], place);
    }
    start(m, true);
}

static void merge_seek_back(struct version_iter *base, const struct version_place *place)
{
    struct merge_iter *m = self(base);
    for (size_t i = 0; i < m->count; i++) {
        version_iter_seek_back(m->sources[i], place);
    }
    start(m, false);
}

static void merge_release(struct version_iter *base)
{
    struct merge_iter *m = self(base);
    for (size_t i = 0; i < m->count; i++) {
        version_iter_free(m->sources[i]);
    }
    mem_free(m->sources);
    mem_free(m->order);
    buffer_release(&m->key);
}

/* Of the lead, where a run of ours has not been walked without it. */
static enum version_look merge_look(const struct version_iter *base, int64_t valid, int64_t known,
                                    struct version *version_out)
{
    const struct merge_iter *m = (const struct merge_iter *)(const void *)base;
    const struct version_iter *lead = m->sources[m->order[0]];
    return base->run.end != 0 || lead->run.end != 0
               ? VERSION_LOOK_UNKNOWN
               : version_iter_look(lead, valid, known, version_out);
}

static const struct version_iter_ops merge_ops = {
    .first = merge_first,
    .last = merge_last,
    .seek = merge_seek,
    .seek_back = merge_seek_back,
    .next = merge_next,
    .prev = merge_prev,
    .release = merge_release,
    .look = merge_look,
};

enum yore_status merge_iter_new(struct version_iter *const *sources, size_t count, bool is_as_of,
                                struct version_iter **iter_out)
{
    *iter_out = NULL;
    struct merge_iter *m = mem_zalloc(sizeof(*m));
    if (m != NULL) {
        m->sources = mem_array(count, sizeof(struct version_iter *));
        m->order = mem_array(count, sizeof(*m->order));
    }
    if (m == NULL || m->sources == NULL || m->order == NULL) {
        for (size_t i = 0; i < count; i++) {
            version_iter_free(sources[i]);
        }
        if (m != NULL) {
            mem_free(m->sources);
            mem_free(m->order);
            mem_free(m);
        }
        return YORE_NOMEM;
    }
    m->base.ops = &merge_ops;
    m->is_as_of = is_as_of;
    m->count = count;
    for (size_t i = 0; i < count; i++) {
        m->sources[i] = sources[i];
    }
    *iter_out = &m->base;
    return YORE_OK;
}

size_t merge_iter_source(const struct version_iter *it)
{
    const struct merge_iter *m = (const struct merge_iter *)(const void *)it;
    YORE_ASSERT(it->is_valid && it->ops == &merge_ops);
    return m->order[0];
}
