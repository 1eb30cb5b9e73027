/* changes.c -- the difference of two moments, or every step between them, in either order.
 *
 * Both are made in key order (changes_net.c, changes_every.c); time order collects and sorts them,
 * within a bound.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "engine/changes_internal.h"
#include "engine/key_range.h"
#include "engine/refuse.h"

bool changes_is_erased(const struct yore_changes *c, const struct version *version, int64_t time)
{
    return erase_set_hides(c->view->erased, c->keyspace->id, version) ||
           erase_set_covers(c->view->erased, c->keyspace->id, version->key, time, version->commit);
}

/* ---- opening ---- */

static enum yore_status set_moments(struct yore_changes *c,
                                    const struct yore_changes_options *options,
                                    struct yore_error *error_out)
{
    struct read_moment moment;
    struct yore_time at = {options->from, options->known};
    enum yore_status st = read_begin(c->db, c->keyspace, &at, &moment, &c->view, error_out);
    if (st != YORE_OK) {
        return st;
    }
    c->from = options->from == YORE_NOW ? read_moment_instant(c->db, &moment) : options->from;
    c->to = options->to == YORE_NOW ? db_now(c->db) : options->to;
    c->known = moment.known;
    c->is_known_asked = options->known != YORE_NOW;
    c->has_erasures = erase_set_count(c->view->erased) > 0;
    if (c->to < c->from) {
        return refuse_end("the end of the changes", "no earlier than", c->from, c->to, error_out);
    }
    return YORE_OK;
}

enum yore_status yore_changes_open(struct yore_db *db, struct yore_keyspace *keyspace,
                                   const struct yore_changes_options *options,
                                   struct yore_changes **changes_out, struct yore_error *error_out)
{
    if (db == NULL || options == NULL || changes_out == NULL) {
        return error_null(error_out, __func__, "db, options, changes_out");
    }
    error_clear(error_out);
    *changes_out = NULL;
    struct yore_changes *c = mem_zalloc(sizeof *c);
    if (c == NULL) {
        return error_plain(error_out, YORE_NOMEM);
    }
    c->db = db;
    handles_add(&db->handles, HANDLE_changes, 1);
    c->keyspace = keyspace_or_default(db, keyspace);
    c->every_version = options->every_version;
    c->in_time_order = options->in_time_order;
    enum yore_status st = key_range_bounds(&options->range, &c->low, &c->high, error_out);
    if (st == YORE_OK) {
        st = set_moments(c, options, error_out);
    }
    if (st == YORE_OK) {
        st = c->every_version ? changes_keys_open(c, error_out) : changes_net_open(c, error_out);
    }
    if (st != YORE_OK) {
        yore_changes_close(c);
        return st;
    }
    *changes_out = c;
    return YORE_OK;
}

void yore_changes_close(struct yore_changes *changes)
{
    if (changes == NULL) {
        return;
    }
    changes_net_close(changes);
    changes_every_close(changes);
    changes_keys_close(changes);
    mem_free(changes->sorted.changes);
    arena_release(&changes->sorted.arena);
    superview_release(changes->view);
    buffer_release(&changes->low);
    buffer_release(&changes->high);
    handles_add(&changes->db->handles, HANDLE_changes, -1);
    mem_free(changes);
}

/* ---- time order ---- */

static bool copy_bytes(struct arena *arena, struct yore_bytes *bytes)
{
    if (bytes->size > 0) {
        bytes->data = arena_copy(arena, bytes->data, bytes->size);
    }
    return bytes->size == 0 || bytes->data != NULL;
}

static bool grow_sorted(struct changes_sorted *s)
{
    struct yore_change *changes = mem_grow(s->changes, s->count, &s->capacity, sizeof *changes);
    if (changes == NULL) {
        return false;
    }
    s->changes = changes;
    return true;
}

static enum yore_status collect(struct changes_sorted *s, const struct yore_change *change,
                                struct yore_error *error_out)
{
    struct yore_change copy = *change;
    s->bytes += sizeof copy + copy.key.size + copy.before.size + copy.after.size;
    if (s->bytes > YORE_CHANGES_SORT_BYTES_MAX) {
        return error_set(
            error_out, YORE_TOO_BIG,
            "the changes take more than %u bytes to sort by time; ask for less time, a smaller "
            "range, or key order",
            YORE_CHANGES_SORT_BYTES_MAX);
    }
    if (!grow_sorted(s) || !copy_bytes(&s->arena, &copy.key) ||
        !copy_bytes(&s->arena, &copy.before) || !copy_bytes(&s->arena, &copy.after)) {
        return error_plain(error_out, YORE_NOMEM);
    }
    s->changes[s->count++] = copy;
    return YORE_OK;
}

static int compare_by_time(const void *a, const void *b)
{
    const struct yore_change *left = a;
    const struct yore_change *right = b;
    if (left->time != right->time) {
        return left->time < right->time ? -1 : 1;
    }
    return bytes_compare(left->key, right->key);
}

static enum yore_status next_by_key(struct yore_changes *c, struct yore_change *change_out,
                                    struct yore_error *error_out)
{
    return c->every_version ? changes_every_next(c, change_out, error_out)
                            : changes_net_next(c, change_out, error_out);
}

static enum yore_status next_by_time(struct yore_changes *c, struct yore_change *change_out,
                                     struct yore_error *error_out)
{
    struct changes_sorted *s = &c->sorted;
    enum yore_status st = YORE_OK;
    while (!s->is_ready && st == YORE_OK) {
        struct yore_change change;
        st = next_by_key(c, &change, error_out);
        if (st == YORE_OK) {
            st = collect(s, &change, error_out);
        }
    }
    if (!s->is_ready) {
        if (st != YORE_NOT_FOUND) {
            return st;
        }
        s->is_ready = true;
        if (s->count > 0) {
            qsort(s->changes, s->count, sizeof *s->changes, compare_by_time);
        }
    }
    if (s->index == s->count) {
        return YORE_NOT_FOUND;
    }
    *change_out = s->changes[s->index++];
    return YORE_OK;
}

enum yore_status yore_changes_next(struct yore_changes *changes, struct yore_change *change_out,
                                   struct yore_error *error_out)
{
    if (changes == NULL || change_out == NULL) {
        return error_null(error_out, __func__, "changes, change_out");
    }
    struct yore_error *failure = &changes->failure;
    enum yore_status st = failure->status;
    if (st == YORE_OK) {
        st = changes->in_time_order ? next_by_time(changes, change_out, failure)
                                    : next_by_key(changes, change_out, failure);
    }
    return error_keep(failure, st, error_out);
}
