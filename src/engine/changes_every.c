/* changes_every.c -- every step of every key between two moments.
 *
 * For each key that may have changed (changes_keys.c) the state at `from` is read, and then the
 * key's versions are followed in time; where the winner ends, or an erasure begins or ends, the
 * state steps without a new version.
 */
#include <stdlib.h>

#include "engine/changes_internal.h"

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
    side_release(&c->every.now);
    side_release(&c->every.next);
}

static enum yore_status begin_key(struct yore_changes *c, struct yore_error *error_out)
{
    struct changes_every *e = &c->every;
    struct read_moment moment = {
        .valid = c->from, .known = c->known, .now = c->from, .wants_any = true};
    struct yore_bytes key = buffer_bytes(&c->keys.key);
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
    e->walk = (struct key_walk){.it = c->keys.it,
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
    if (c->keys.bound_index < c->keys.bound_count &&
        (!is_any || c->keys.bounds[c->keys.bound_index] < time)) {
        time = c->keys.bounds[c->keys.bound_index];
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
                                       .key = buffer_bytes(&c->keys.key),
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
        while (c->keys.bound_index < c->keys.bound_count &&
               c->keys.bounds[c->keys.bound_index] <= time) {
            c->keys.bound_index++;
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
            st = changes_keys_next(c, error_out);
            if (st == YORE_OK) {
                st = begin_key(c, error_out);
            }
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
