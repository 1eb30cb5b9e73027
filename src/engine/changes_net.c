/* changes_net.c -- the net difference: the rows at `from` and at `to`, merged by key.
 *
 * A row of the same version on both sides is no difference, nor is one of equal value.  Where a row
 * is gone, a read at `to` tells which version or which end took it.
 */
#include "base/mem.h"
#include "engine/changes_internal.h"

static enum yore_status open_side(struct yore_changes *c, size_t side, int64_t valid,
                                  struct yore_error *error_out)
{
    struct yore_cursor_options options = {
        .range = {.low = buffer_bytes(&c->low), .high = buffer_bytes(&c->high)}};
    struct cursor_overlay overlay = {.moment = {.valid = valid, .known = c->known, .now = valid}};
    c->net.must_move[side] = true;
    return cursor_open_overlay(c->db, c->keyspace, &options, &overlay, &c->net.cursors[side],
                               error_out);
}

enum yore_status changes_net_open(struct yore_changes *c, struct yore_error *error_out)
{
    enum yore_status st = open_side(c, 0, c->from, error_out);
    return st == YORE_OK ? open_side(c, 1, c->to, error_out) : st;
}

void changes_net_close(struct yore_changes *c)
{
    yore_cursor_close(c->net.cursors[0]);
    yore_cursor_close(c->net.cursors[1]);
}

static enum yore_status move(struct yore_changes *c, size_t side, struct yore_error *error_out)
{
    struct changes_net *net = &c->net;
    if (!net->must_move[side] || net->is_at_end[side]) {
        return YORE_OK;
    }
    enum yore_status st = yore_cursor_next(net->cursors[side]);
    net->must_move[side] = false;
    net->is_at_end[side] = st == YORE_NOT_FOUND;
    if (st != YORE_OK && st != YORE_NOT_FOUND && error_out != NULL) {
        *error_out = *yore_cursor_error(net->cursors[side]);
    }
    return st == YORE_NOT_FOUND ? YORE_OK : st;
}

/* ---- since when ---- */

struct since {
    const struct yore_changes *c;
    const struct version *version;
    bool is_present; /* at `to` */
    int64_t time;
};

/* Did the presence of the version change at `bound`, later than at any bound seen so far? */
static void consider(struct since *s, int64_t bound)
{
    if (bound > s->time && bound <= s->c->to &&
        changes_is_present(s->c, s->version, bound) == s->is_present &&
        changes_is_present(s->c, s->version, bound - 1) != s->is_present) {
        s->time = bound;
    }
}

static bool consider_rule(void *arg, const struct erase_rule *rule)
{
    consider(arg, rule->from);
    if (rule->to != YORE_FOREVER) {
        consider(arg, rule->to);
    }
    return false;
}

/* When the state at `to` became so: this version's begin or end, or that of an erasure. */
static int64_t since(const struct yore_changes *c, const struct version *version)
{
    struct since s = {c, version, changes_is_present(c, version, c->to), version->valid_from};
    if (version->valid_to != YORE_FOREVER) {
        consider(&s, version->valid_to);
    }
    (void)erase_set_each(c->view->erased, c->keyspace->id, version->key, consider_rule, &s);
    return s.time;
}

/* ---- telling ---- */

static struct version row_version(const struct yore_row *row)
{
    return (struct version){.key = row->key,
                            .valid_from = row->valid_from,
                            .commit = row->commit,
                            .valid_to = row->valid_to,
                            .kind = YORE_KIND_PUT};
}

/* The winner at `to`, where no slice carries it on: it is a delete, or has ended. */
static enum yore_status find_dead(struct yore_changes *c, struct yore_bytes key,
                                  struct version *version_out, struct yore_error *error_out)
{
    struct iter_view every = {.known = c->known, .keys_only = true, .commit_after = INT64_MIN};
    struct version_iter *it = NULL;
    struct buffer high = {0};
    buffer_append_bytes(&high, key);
    buffer_append_u8(&high, 0);
    enum yore_status st = buffer_status(&high);
    if (st != YORE_OK) {
        return error_plain(error_out, st);
    }
    st = sources_all(c->view, c->keyspace, key, buffer_bytes(&high), &every,
                     c->is_known_asked ? INT64_MIN : c->from, c->to, &it, error_out);
    if (st == YORE_OK) {
        struct key_walk walk = {.it = it,
                                .key = key,
                                .first = INT64_MIN,
                                .last = c->to,
                                .known = c->known,
                                .is_backward = true};
        st = key_walk_next(&walk, error_out);
        *version_out = walk.held;
        version_out->value = bytes_of(NULL, 0);
        key_walk_release(&walk);
    }
    version_iter_free(it);
    buffer_release(&high);
    return st;
}

static enum yore_status tell_removed(struct yore_changes *c, const struct yore_row *before,
                                     struct yore_change *change_out, struct yore_error *error_out)
{
    struct read_moment moment = {
        .valid = c->to, .known = c->known, .now = c->to, .wants_any = true};
    struct read_pin pin = {0};
    struct version version;
    enum yore_status st =
        read_winner(c->view, c->keyspace, before->key, &moment, &version, &pin, error_out);
    if (st == YORE_NOT_FOUND) {
        st = find_dead(c, before->key, &version, error_out);
    }
    if (st == YORE_NOT_FOUND) {
        /* The key had a version at `from`, so it has one at `to`. */
        return error_set(error_out, YORE_CORRUPT, "a key present at %lld has no version at %lld",
                         (long long)c->from, (long long)c->to);
    }
    if (st == YORE_OK) {
        *change_out = (struct yore_change){.kind = YORE_CHANGE_REMOVED,
                                           .key = before->key,
                                           .time = since(c, &version),
                                           .commit = version.commit,
                                           .before = changes_value(before->value)};
    }
    read_pin_release(&pin);
    return st;
}

static void tell_after(const struct yore_changes *c, const struct yore_row *before,
                       const struct yore_row *after, struct yore_change *change_out)
{
    struct version version = row_version(after);
    *change_out = (struct yore_change){
        .kind = before != NULL ? YORE_CHANGE_CHANGED : YORE_CHANGE_ADDED,
        .key = after->key,
        .time = since(c, &version),
        .commit = after->commit,
        .before = before != NULL ? changes_value(before->value) : bytes_of(NULL, 0),
        .after = changes_value(after->value),
    };
}

static bool is_same(const struct yore_row *a, const struct yore_row *b)
{
    return (a->valid_from == b->valid_from && a->commit == b->commit) ||
           bytes_equal(a->value, b->value);
}

enum yore_status changes_net_next(struct yore_changes *c, struct yore_change *change_out,
                                  struct yore_error *error_out)
{
    struct changes_net *net = &c->net;
    for (;;) {
        enum yore_status st = move(c, 0, error_out);
        if (st == YORE_OK) {
            st = move(c, 1, error_out);
        }
        if (st != YORE_OK || (net->is_at_end[0] && net->is_at_end[1])) {
            return st != YORE_OK ? st : YORE_NOT_FOUND;
        }
        const struct yore_row *before = yore_cursor_row(net->cursors[0]);
        const struct yore_row *after = yore_cursor_row(net->cursors[1]);
        int order = before == NULL  ? 1
                    : after == NULL ? -1
                                    : bytes_compare(before->key, after->key);
        net->must_move[0] = order <= 0;
        net->must_move[1] = order >= 0;
        if (order < 0) {
            return tell_removed(c, before, change_out, error_out);
        }
        if (order > 0 || !is_same(before, after)) {
            tell_after(c, order == 0 ? before : NULL, after, change_out);
            return YORE_OK;
        }
    }
}
