/* key_walk.c -- sources are ordered latest first, so backward is the iterator's own way. */
#include "engine/key_walk.h"

void key_walk_release(struct key_walk *walk)
{
    buffer_release(&walk->value);
}

/* Is the iterator at the key still? */
static void look(struct key_walk *walk)
{
    walk->is_at_key = walk->it->is_valid && bytes_equal(walk->it->at.key, walk->key);
}

static void step(struct key_walk *walk)
{
    if (!walk->is_backward) {
        version_iter_prev(walk->it);
        look(walk);
    } else if (version_run_keeps_key(&walk->it->run)) {
        version_iter_next(walk->it);
    } else {
        version_iter_next(walk->it);
        look(walk);
    }
}

/* Is the iterator at a version of the window? */
static bool is_inside(const struct key_walk *walk)
{
    const struct version *at = &walk->it->at;
    return walk->is_at_key && at->valid_from >= walk->first && at->valid_from <= walk->last;
}

/* Past versions that were not known yet. */
static void skip_unknown(struct key_walk *walk)
{
    while (is_inside(walk) && walk->it->at.commit > walk->known) {
        step(walk);
    }
}

static void begin(struct key_walk *walk)
{
    struct version_place latest = {walk->key, walk->last, INT64_MAX};
    struct version_place earliest = {walk->key, walk->first, INT64_MIN};
    walk->is_begun = true;
    if (walk->is_backward) {
        version_iter_seek(walk->it, &latest);
    } else {
        version_iter_seek_back(walk->it, &earliest);
    }
    look(walk);
    skip_unknown(walk);
}

static enum yore_status hold(struct key_walk *walk, struct yore_error *error_out)
{
    buffer_clear(&walk->value);
    buffer_append_bytes(&walk->value, walk->it->at.value);
    if (walk->value.is_nomem) {
        walk->value.is_nomem = false;
        return error_plain(error_out, YORE_NOMEM);
    }
    walk->held = walk->it->at;
    walk->held.key = walk->key;
    walk->held.value = buffer_bytes(&walk->value);
    return YORE_OK;
}

/* Where the iterator has a run of the key's versions and the next one is told in any case, it need
 * not be asked.  False: nobody knows yet. */
static bool next_in_run(struct key_walk *walk)
{
    struct version_run *run = &walk->it->run;
    uint32_t next = run->at + 1;
    if (!walk->has_held || !version_run_keeps_key(run) ||
        page_commit(run->page)[next] > walk->known ||
        page_valid_from(run->page)[next] < walk->first ||
        page_valid_from(run->page)[next] == walk->held.valid_from) {
        return false;
    }
    run->at = next;
    page_read_version(run->page, next, &walk->held);
    return true;
}

/* Of versions with the same valid_from the one with the greatest commit comes first ... */
static enum yore_status next_backward(struct key_walk *walk)
{
    if (next_in_run(walk)) {
        return YORE_OK;
    }
    while (walk->has_held) {
        step(walk);
        skip_unknown(walk);
        walk->has_held = !walk->every_commit && is_inside(walk) &&
                         walk->it->at.valid_from == walk->held.valid_from;
    }
    if (!is_inside(walk)) {
        return YORE_NOT_FOUND;
    }
    walk->held = walk->it->at;
    walk->held.key = walk->key;
    walk->has_held = true;
    return YORE_OK;
}

/* ... and last. */
static enum yore_status next_forward(struct key_walk *walk, struct yore_error *error_out)
{
    enum yore_status st = is_inside(walk) ? hold(walk, error_out) : YORE_NOT_FOUND;
    while (st == YORE_OK) {
        step(walk);
        skip_unknown(walk);
        if (walk->every_commit || !is_inside(walk) ||
            walk->it->at.valid_from != walk->held.valid_from) {
            break;
        }
        st = hold(walk, error_out);
    }
    return st;
}

enum yore_status key_walk_next(struct key_walk *walk, struct yore_error *error_out)
{
    if (!walk->is_begun) {
        begin(walk);
    }
    enum yore_status st = walk->is_backward ? next_backward(walk) : next_forward(walk, error_out);
    if (!walk->it->is_valid && walk->it->status != YORE_OK) {
        st = walk->it->status;
        if (error_out != NULL) {
            *error_out = walk->it->error;
        }
    }
    return st;
}
