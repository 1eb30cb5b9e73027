/* clip_iter.c -- see clip_iter.h.
 *
 * A run of the inner iterator is offered on when all its keys lie in the range, else not at all: it
 * is then walked key by key, for less than a page.
 */
#include "engine/clip_iter.h"

#include "base/mem.h"

struct clip_iter {
    struct version_iter base; /* first: the contract's face */
    struct version_iter *inner;
    struct yore_bytes low;
    struct yore_bytes high;
};

static struct clip_iter *of(struct version_iter *it)
{
    return (struct clip_iter *)it;
}

static bool is_below(const struct clip_iter *c, struct yore_bytes key)
{
    return c->low.size > 0 && bytes_compare(key, c->low) < 0;
}

static bool is_behind(const struct clip_iter *c, struct yore_bytes key)
{
    return c->high.size > 0 && bytes_compare(key, c->high) >= 0;
}

/* Show what the inner iterator shows, if that is inside. */
static void show(struct clip_iter *c)
{
    const struct version_iter *inner = c->inner;
    c->base.run.end = 0;
    c->base.status = inner->status;
    c->base.is_valid =
        inner->is_valid && !is_below(c, inner->at.key) && !is_behind(c, inner->at.key);
    if (!inner->is_valid && inner->status != YORE_OK) {
        c->base.error = inner->error;
    }
    if (!c->base.is_valid) {
        return;
    }
    c->base.at = inner->at;
    const struct version_run *run = &inner->run;
    if (run->end != 0 && (run->is_versions || !is_behind(c, version_run_key(run, run->end - 1)))) {
        c->base.run = *run;
    }
}

/* Tell the inner iterator how far its run was walked. */
static void hand_back_run(struct clip_iter *c)
{
    if (c->base.run.end != 0) {
        c->inner->run.at = c->base.run.at;
    }
}

static void clip_first(struct version_iter *it)
{
    struct clip_iter *c = of(it);
    struct version_place place = {c->low, INT64_MAX, INT64_MAX};
    if (c->low.size > 0) {
        version_iter_seek(c->inner, &place);
    } else {
        version_iter_first(c->inner);
    }
    show(c);
}

static void clip_last(struct version_iter *it)
{
    struct clip_iter *c = of(it);
    struct version_place place = {c->high, INT64_MAX, INT64_MAX};
    if (c->high.size > 0) {
        version_iter_seek_back(c->inner, &place);
    } else {
        version_iter_last(c->inner);
    }
    while (c->inner->is_valid && is_behind(c, c->inner->at.key)) { /* as of: `high` itself */
        version_iter_prev(c->inner);
    }
    show(c);
}

static void clip_seek(struct version_iter *it, const struct version_place *place)
{
    if (is_below(of(it), place->key)) {
        clip_first(it);
        return;
    }
    version_iter_seek(of(it)->inner, place);
    show(of(it));
}

static void clip_seek_back(struct version_iter *it, const struct version_place *place)
{
    if (is_behind(of(it), place->key)) {
        clip_last(it);
        return;
    }
    version_iter_seek_back(of(it)->inner, place);
    show(of(it));
}

static void clip_next(struct version_iter *it)
{
    hand_back_run(of(it));
    version_iter_next(of(it)->inner);
    show(of(it));
}

static void clip_prev(struct version_iter *it)
{
    hand_back_run(of(it));
    version_iter_prev(of(it)->inner);
    show(of(it));
}

static void clip_release(struct version_iter *it)
{
    version_iter_free(of(it)->inner);
    of(it)->inner = NULL;
}

static enum version_look clip_look(const struct version_iter *it, int64_t valid, int64_t known,
                                   struct version *version_out)
{
    const struct version_iter *inner = ((const struct clip_iter *)it)->inner;
    return inner->run.end != 0 ? VERSION_LOOK_UNKNOWN
                               : version_iter_look(inner, valid, known, version_out);
}

static const struct version_iter_ops clip_ops = {
    .first = clip_first,
    .last = clip_last,
    .seek = clip_seek,
    .seek_back = clip_seek_back,
    .next = clip_next,
    .prev = clip_prev,
    .release = clip_release,
    .look = clip_look,
};

enum yore_status clip_iter_new(struct version_iter *inner, struct yore_bytes low,
                               struct yore_bytes high, struct version_iter **iter_out)
{
    struct clip_iter *c = mem_zalloc(sizeof *c);
    if (c == NULL) {
        version_iter_free(inner);
        return YORE_NOMEM;
    }
    c->base.ops = &clip_ops;
    c->inner = inner;
    c->low = low;
    c->high = high;
    *iter_out = &c->base;
    return YORE_OK;
}
