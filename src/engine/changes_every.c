/* changes_every.c -- every step of every key between two moments.
 *
 * One walk over all versions of the range finds the keys that may have changed: those with a
 * version that begins in (from, to], one that ends there, or an erasure.  For each of them the
 * state at `from` is read, and then the key's versions are followed in time; where the winner ends,
 * or an erasure begins or ends, the state steps without a new version.
 *
 * With a known time, a version that holds at `from` may lie in a slice long before it, because the
 * copy that was carried on has a later commit: then all slices are walked.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "engine/changes_internal.h"

/* Versions of a key stepped over one by one before the rest is jumped over. */
#define STEPS_BEFORE_SEEK 8

enum yore_status changes_every_open(struct yore_changes *c, struct yore_error *error_out)
{
    struct iter_view every = {.known = c->known, .commit_after = INT64_MIN};
    int64_t valid_low = c->is_known_asked ? INT64_MIN : c->from;
    return sources_all(c->view, c->keyspace, buffer_bytes(&c->low), buffer_bytes(&c->high), &every,
                       valid_low, c->to, &c->every.it, error_out);
}

static void side_clear(struct changes_side *side)
{
    read_pin_release(&side->pin);
    buffer_clear(&side->bytes);
    side->version = (struct version){0};
    side->is_present = false;
}

static void side_release(struct changes_side *side)
{
    read_pin_release(&side->pin);
    buffer_release(&side->bytes);
}

void changes_every_close(struct yore_changes *c)
{
    key_walk_release(&c->every.walk);
    version_iter_free(c->every.it);
    side_release(&c->every.now);
    side_release(&c->every.next);
    buffer_release(&c->every.key);
    mem_free(c->every.bounds);
}

static enum yore_status iter_failure(const struct version_iter *it, struct yore_error *error_out)
{
    if (it->status != YORE_OK && error_out != NULL) {
        *error_out = it->error;
    }
    return it->status;
}

/* ---- erasures of the key ---- */

struct bounds_ask {
    struct yore_changes *c;
    bool is_nomem;
};

static void add_bound(struct bounds_ask *ask, int64_t time)
{
    struct changes_every *e = &ask->c->every;
    if (time <= ask->c->from || time > ask->c->to || time == YORE_FOREVER) {
        return;
    }
    if (e->bound_count == e->bound_capacity) {
        size_t capacity = e->bound_capacity == 0 ? 8 : e->bound_capacity * 2;
        int64_t *bounds = mem_realloc(e->bounds, capacity * sizeof *bounds);
        if (bounds == NULL) {
            ask->is_nomem = true;
            return;
        }
        e->bounds = bounds;
        e->bound_capacity = capacity;
    }
    e->bounds[e->bound_count++] = time;
}

static bool add_bounds(void *arg, const struct erase_rule *rule)
{
    add_bound(arg, rule->from);
    add_bound(arg, rule->to);
    return false;
}

static int compare_times(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a;
    int64_t right = *(const int64_t *)b;
    return left < right ? -1 : left > right;
}

static enum yore_status find_bounds(struct yore_changes *c, struct yore_bytes key,
                                    struct yore_error *error_out)
{
    struct bounds_ask ask = {.c = c};
    c->every.bound_count = 0;
    c->every.bound_index = 0;
    (void)erase_set_each(c->view->erased, c->keyspace->id, key, add_bounds, &ask);
    if (ask.is_nomem) {
        return error_plain(error_out, YORE_NOMEM);
    }
    if (c->every.bound_count > 0) {
        qsort(c->every.bounds, c->every.bound_count, sizeof *c->every.bounds, compare_times);
    }
    return YORE_OK;
}

/* ---- finding keys ---- */

static bool is_in_range(const struct yore_changes *c)
{
    const struct version_iter *it = c->every.it;
    return it->is_valid &&
           (c->high.size == 0 || bytes_compare(it->at.key, buffer_bytes(&c->high)) < 0);
}

static bool is_at_key(const struct yore_changes *c)
{
    return c->every.it->is_valid && bytes_equal(c->every.it->at.key, buffer_bytes(&c->every.key));
}

/* Past the last version of the key. */
static void leave_key(struct yore_changes *c)
{
    struct changes_every *e = &c->every;
    for (int i = 0; i < STEPS_BEFORE_SEEK && is_at_key(c); i++) {
        version_iter_next(e->it);
    }
    if (is_at_key(c)) {
        struct version_place place = {buffer_bytes(&e->key), INT64_MIN, INT64_MIN};
        version_iter_seek(e->it, &place);
    }
}

/* After a walk over the key the iterator may be anywhere. */
static void seek_behind_key(struct yore_changes *c)
{
    struct version_place place = {buffer_bytes(&c->every.key), INT64_MIN, INT64_MIN};
    version_iter_seek(c->every.it, &place);
    if (is_at_key(c)) {
        version_iter_next(c->every.it);
    }
}

/* From the first version of a key: may it have changed?  The winner at `to`, of what is walked,
 * decides. */
static bool may_have_changed(struct yore_changes *c)
{
    struct changes_every *e = &c->every;
    if (e->it->at.valid_from > c->to) {
        struct version_place place = {buffer_bytes(&e->key), c->to, INT64_MAX};
        version_iter_seek(e->it, &place);
    }
    while (is_at_key(c) && e->it->at.commit > c->known) {
        version_iter_next(e->it);
    }
    const struct version *at = &e->it->at;
    if (!is_at_key(c)) {
        return false;
    }
    return at->valid_from > c->from || (at->valid_to > c->from && at->valid_to <= c->to) ||
           e->bound_count > 0;
}

static enum yore_status begin_key(struct yore_changes *c, struct yore_error *error_out)
{
    struct changes_every *e = &c->every;
    struct read_moment moment = {
        .valid = c->from, .known = c->known, .now = c->from, .wants_any = true};
    struct yore_bytes key = buffer_bytes(&e->key);
    side_clear(&e->now);
    enum yore_status st =
        read_winner(c->view, c->keyspace, key, &moment, &e->now.version, &e->now.pin, error_out);
    if (st == YORE_OK) {
        e->now.is_present = changes_is_present(c, &e->now.version, c->from);
    } else if (st == YORE_NOT_FOUND) {
        e->now.version = (struct version){0};
    } else {
        return st;
    }
    struct buffer value = e->walk.value;
    e->walk = (struct key_walk){.it = e->it,
                                .key = key,
                                .first = c->from + 1,
                                .last = c->to,
                                .known = c->known,
                                .value = value};
    st = key_walk_next(&e->walk, error_out);
    e->has_upcoming = st == YORE_OK;
    e->time = c->from;
    e->has_key = true;
    return st == YORE_NOT_FOUND ? YORE_OK : st;
}

static enum yore_status find_key(struct yore_changes *c, struct yore_error *error_out)
{
    struct changes_every *e = &c->every;
    if (!e->is_begun) {
        struct version_place place = {buffer_bytes(&c->low), INT64_MAX, INT64_MAX};
        version_iter_seek(e->it, &place);
        e->is_begun = true;
    } else {
        seek_behind_key(c);
    }
    while (is_in_range(c)) {
        buffer_clear(&e->key);
        buffer_append_bytes(&e->key, e->it->at.key);
        if (e->key.is_nomem) {
            return error_plain(error_out, YORE_NOMEM);
        }
        enum yore_status st = find_bounds(c, buffer_bytes(&e->key), error_out);
        if (st != YORE_OK) {
            return st;
        }
        if (may_have_changed(c)) {
            return begin_key(c, error_out);
        }
        leave_key(c);
    }
    enum yore_status st = iter_failure(e->it, error_out);
    return st == YORE_OK ? YORE_NOT_FOUND : st;
}

/* ---- stepping ---- */

/* When the state may step next; INT64_MIN: not any more. */
static int64_t next_time(const struct yore_changes *c)
{
    const struct changes_every *e = &c->every;
    bool is_any = false;
    int64_t time = 0;
    if (e->has_upcoming) {
        time = e->walk.held.valid_from;
        is_any = true;
    }
    if (e->bound_index < e->bound_count && (!is_any || e->bounds[e->bound_index] < time)) {
        time = e->bounds[e->bound_index];
        is_any = true;
    }
    int64_t end = e->now.version.valid_to;
    bool ends = e->now.version.kind == YORE_KIND_PUT && end > e->time && end <= c->to &&
                end != YORE_FOREVER;
    if (ends && (!is_any || end < time)) {
        time = end;
        is_any = true;
    }
    return is_any ? time : INT64_MIN;
}

/* The walk's version becomes `next`, and the one after it upcoming. */
static enum yore_status take_upcoming(struct yore_changes *c, struct yore_error *error_out)
{
    struct changes_every *e = &c->every;
    side_clear(&e->next);
    struct buffer bytes = e->walk.value;
    e->next.version = e->walk.held;
    e->walk.value = e->next.bytes;
    e->next.bytes = bytes;
    enum yore_status st = key_walk_next(&e->walk, error_out);
    e->has_upcoming = st == YORE_OK;
    return st == YORE_NOT_FOUND ? YORE_OK : st;
}

static void shift(struct changes_every *e)
{
    struct changes_side told = e->now;
    e->now = e->next;
    e->next = told;
    e->must_shift = false;
}

static enum yore_status tell(struct yore_changes *c, struct changes_side *before,
                             struct changes_side *after, struct yore_change *change_out,
                             struct yore_error *error_out)
{
    enum yore_status st = YORE_OK;
    *change_out = (struct yore_change){.kind = before == NULL  ? YORE_CHANGE_ADDED
                                               : after == NULL ? YORE_CHANGE_REMOVED
                                                               : YORE_CHANGE_CHANGED,
                                       .key = buffer_bytes(&c->every.key),
                                       .time = c->every.time};
    if (before != NULL) {
        st = read_fetch(c->view, &before->version, &before->pin, error_out);
        change_out->before = changes_value(before->version.value);
    }
    if (st == YORE_OK && after != NULL) {
        st = read_fetch(c->view, &after->version, &after->pin, error_out);
        change_out->after = changes_value(after->version.value);
    }
    return st;
}

/* The same version, present or not any more. */
static enum yore_status step_same(struct yore_changes *c, struct yore_change *change_out,
                                  struct yore_error *error_out)
{
    struct changes_side *now = &c->every.now;
    bool was_present = now->is_present;
    now->is_present = changes_is_present(c, &now->version, c->every.time);
    if (was_present == now->is_present) {
        return YORE_NOT_FOUND;
    }
    enum yore_status st =
        tell(c, was_present ? now : NULL, was_present ? NULL : now, change_out, error_out);
    change_out->commit = now->version.commit;
    return st;
}

static enum yore_status step_next(struct yore_changes *c, struct yore_change *change_out,
                                  struct yore_error *error_out)
{
    struct changes_every *e = &c->every;
    enum yore_status st = take_upcoming(c, error_out);
    if (st != YORE_OK) {
        return st;
    }
    e->next.is_present = changes_is_present(c, &e->next.version, e->time);
    if (!e->now.is_present && !e->next.is_present) {
        shift(e);
        return YORE_NOT_FOUND;
    }
    e->must_shift = true;
    st = tell(c, e->now.is_present ? &e->now : NULL, e->next.is_present ? &e->next : NULL,
              change_out, error_out);
    change_out->commit = e->next.version.commit;
    return st;
}

/* The next change of the key; YORE_NOT_FOUND: it has no more. */
static enum yore_status step_key(struct yore_changes *c, struct yore_change *change_out,
                                 struct yore_error *error_out)
{
    struct changes_every *e = &c->every;
    enum yore_status st = YORE_NOT_FOUND;
    if (e->must_shift) {
        shift(e);
    }
    while (st == YORE_NOT_FOUND) {
        int64_t time = next_time(c);
        if (time == INT64_MIN) {
            return YORE_NOT_FOUND;
        }
        e->time = time;
        while (e->bound_index < e->bound_count && e->bounds[e->bound_index] <= time) {
            e->bound_index++;
        }
        bool is_new = e->has_upcoming && e->walk.held.valid_from == time;
        st = is_new ? step_next(c, change_out, error_out) : step_same(c, change_out, error_out);
    }
    return st;
}

enum yore_status changes_every_next(struct yore_changes *c, struct yore_change *change_out,
                                    struct yore_error *error_out)
{
    enum yore_status st = YORE_NOT_FOUND;
    if (c->from == c->to) {
        return YORE_NOT_FOUND;
    }
    while (st == YORE_NOT_FOUND) {
        if (!c->every.has_key) {
            st = find_key(c, error_out);
            if (st != YORE_OK) {
                return st;
            }
        }
        st = step_key(c, change_out, error_out);
        if (st == YORE_NOT_FOUND) {
            c->every.has_key = false;
        }
    }
    return st;
}
