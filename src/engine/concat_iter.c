/* concat_iter.c -- see concat_iter.h. */
#include "engine/concat_iter.h"

#include "base/mem.h"

struct concat_iter {
    struct version_iter base; /* first: the contract's face */
    struct forest_file *const *files;
    size_t count;
    size_t index;               /* of the table under `inner` */
    struct version_iter *inner; /* NULL: none open */
    struct iter_view view;
};

static struct concat_iter *of(struct version_iter *it)
{
    return (struct concat_iter *)it;
}

/* Open table `index`; false at either end or on failure (status is set). */
static bool open_at(struct concat_iter *c, size_t index)
{
    c->base.is_valid = false;
    c->base.run.end = 0;
    if (index >= c->count) {
        return false;
    }
    if (c->inner != NULL && c->index == index) {
        return true;
    }
    version_iter_free(c->inner);
    c->inner = NULL;
    c->index = index;
    enum yore_status st = table_iter_new(c->files[index]->table, &c->view, &c->inner);
    if (st != YORE_OK) {
        c->base.status = error_plain(&c->base.error, st);
        return false;
    }
    c->inner->is_alone = c->base.is_alone;
    return true;
}

/* Show what the inner iterator shows; true when there is no need to go on to the next table. */
static bool show(struct concat_iter *c)
{
    c->base.is_valid = c->inner->is_valid;
    if (c->inner->is_valid) {
        c->base.at = c->inner->at;
        c->base.run = c->inner->run;
        return true;
    }
    c->base.run.end = 0;
    if (c->inner->status != YORE_OK) {
        c->base.status = c->inner->status;
        c->base.error = c->inner->error;
        return true;
    }
    return false;
}

static void forward_from(struct concat_iter *c, size_t index)
{
    while (open_at(c, index)) {
        version_iter_first(c->inner);
        if (show(c)) {
            return;
        }
        index++;
    }
}

static void backward_from(struct concat_iter *c, size_t index)
{
    while (open_at(c, index)) {
        version_iter_last(c->inner);
        if (show(c) || index == 0) {
            return;
        }
        index--;
    }
}

/* Tell the inner iterator how far its run was walked. */
static void hand_back_run(struct concat_iter *c)
{
    c->inner->run = c->base.run;
}

static void reset(struct concat_iter *c)
{
    c->base.run.end = 0;
    c->base.status = YORE_OK;
    c->base.is_valid = false;
}

static void concat_first(struct version_iter *it)
{
    reset(of(it));
    forward_from(of(it), 0);
}

static void concat_last(struct version_iter *it)
{
    struct concat_iter *c = of(it);
    reset(c);
    if (c->count > 0) {
        backward_from(c, c->count - 1);
    }
}

static size_t find(const struct concat_iter *c, struct yore_bytes key)
{
    struct forest_level level = {(struct forest_file **)(uintptr_t)c->files, c->count, 0};
    return level_find(&level, key);
}

static void concat_seek(struct version_iter *it, const struct version_place *place)
{
    struct concat_iter *c = of(it);
    reset(c);
    size_t index = find(c, place->key);
    if (!open_at(c, index)) {
        return;
    }
    version_iter_seek(c->inner, place);
    if (!show(c)) {
        forward_from(c, index + 1);
    }
}

static void concat_seek_back(struct version_iter *it, const struct version_place *place)
{
    struct concat_iter *c = of(it);
    reset(c);
    if (c->count == 0) {
        return;
    }
    size_t index = find(c, place->key);
    if (index == c->count) {
        backward_from(c, c->count - 1);
        return;
    }
    if (!open_at(c, index)) {
        return;
    }
    version_iter_seek_back(c->inner, place);
    if (!show(c) && index > 0) {
        backward_from(c, index - 1);
    }
}

static void concat_next(struct version_iter *it)
{
    struct concat_iter *c = of(it);
    hand_back_run(c);
    version_iter_next(c->inner);
    if (!show(c)) {
        forward_from(c, c->index + 1);
    }
}

static void concat_prev(struct version_iter *it)
{
    struct concat_iter *c = of(it);
    hand_back_run(c);
    version_iter_prev(c->inner);
    if (!show(c) && c->index > 0) {
        backward_from(c, c->index - 1);
    }
}

static void concat_release(struct version_iter *it)
{
    version_iter_free(of(it)->inner);
    of(it)->inner = NULL;
}

static const struct version_iter_ops concat_ops = {
    .first = concat_first,
    .last = concat_last,
    .seek = concat_seek,
    .seek_back = concat_seek_back,
    .next = concat_next,
    .prev = concat_prev,
    .release = concat_release,
};

enum yore_status concat_iter_new(struct forest_file *const *files, size_t count,
                                 const struct iter_view *view, struct version_iter **iter_out)
{
    struct concat_iter *c = mem_zalloc(sizeof *c);
    if (c == NULL) {
        return YORE_NOMEM;
    }
    c->base.ops = &concat_ops;
    c->files = files;
    c->count = count;
    c->view = *view;
    *iter_out = &c->base;
    return YORE_OK;
}
