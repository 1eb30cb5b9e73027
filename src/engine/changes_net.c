/* changes_net.c -- the net difference: the rows at `from` and at `to`.
 *
 * Where much has changed two cursors walk side by side; where little has, only the keys that may
 * have changed are read, at both moments.  A row of the same version on both sides is no
 * difference, nor is one of equal value.  Where a row is gone, a read at `to` tells which version
 * or which end took it.
 */
#include "engine/changes_internal.h"

static enum yore_status open_side(struct yore_changes *c, size_t side, int64_t valid,
                                  struct yore_error *error_out)
{
    struct yore_cursor_options options = {
        .range = {.low = buffer_bytes(&c->low), .high = buffer_bytes(&c->high)}};
    struct cursor_overlay overlay = {.moment = {.valid = valid, .known = c->known, .now = valid},
                                     .view = c->view,
                                     .is_part = true};
    c->net.must_move[side] = true;
    return cursor_open_overlay(c->db, c->keyspace, &options, &overlay, &c->net.cursors[side],
                               error_out);
}

enum yore_status changes_net_open(struct yore_changes *c, struct yore_error *error_out)
{
    enum yore_status st = changes_keys_are_few(c, &c->net.is_sparse, error_out);
    if (st == YORE_OK && c->net.is_sparse) {
        return changes_keys_open(c, error_out);
    }
    if (st == YORE_OK) {
        st = open_side(c, 0, c->from, error_out);
    }
    return st == YORE_OK ? open_side(c, 1, c->to, error_out) : st;
}

void changes_net_close(struct yore_changes *c)
{
    yore_cursor_close(c->net.cursors[0]);
    yore_cursor_close(c->net.cursors[1]);
    read_pin_release(&c->net.sides[0].pin);
    read_pin_release(&c->net.sides[1].pin);
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
    if (version->valid_to == YORE_FOREVER && !c->has_erasures) {
        return version->valid_from;
    }
    struct since s = {c, version, changes_is_present(c, version, c->to), version->valid_from};
    if (version->valid_to != YORE_FOREVER) {
        consider(&s, version->valid_to);
    }
    if (c->has_erasures) {
        (void)erase_set_each(c->view->erased, c->keyspace->id, version->key, consider_rule, &s);
    }
    return s.time;
}

/* ---- telling ---- */

/* The winner at `to`, where no slice carries it on: it is a delete, or has ended. */
static enum yore_status find_dead(struct yore_changes *c, struct yore_bytes key,
                                  struct version *version_out, struct yore_error *error_out)
{
    struct iter_view every = {.known = c->known, .keys_only = true, .commit_after = INT64_MIN};
    struct version_iter *it = NULL;
    const struct source_range range = {
        .low = key, .valid_low = c->is_known_asked ? INT64_MIN : c->from, .valid_high = c->to};
    enum yore_status st = sources_of_key(c->view, c->keyspace, &range, &every, &it, error_out);
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
    return st;
}

/* `winner`: at `to`. */
static void tell_before(const struct yore_changes *c, const struct version *winner,
                        struct yore_bytes value, struct yore_change *change_out)
{
    *change_out = (struct yore_change){.kind = YORE_CHANGE_REMOVED,
                                       .key = winner->key,
                                       .time = since(c, winner),
                                       .commit = winner->commit,
                                       .before = changes_value(value)};
}

static enum yore_status tell_removed(struct yore_changes *c, struct yore_bytes key,
                                     struct yore_bytes value, struct yore_change *change_out,
                                     struct yore_error *error_out)
{
    struct read_moment moment = {
        .valid = c->to, .known = c->known, .now = c->to, .wants_any = true};
    struct read_pin pin = {0};
    struct version version;
    enum yore_status st =
        read_winner(c->view, c->keyspace, key, &moment, &version, &pin, error_out);
    if (st == YORE_NOT_FOUND) {
        st = find_dead(c, key, &version, error_out);
    }
    if (st == YORE_NOT_FOUND) {
        /* The key had a version at `from`, so it has one at `to`. */
        return error_set(error_out, YORE_CORRUPT, "a key present at %lld has no version at %lld",
                         (long long)c->from, (long long)c->to);
    }
    if (st == YORE_OK) {
        version.key = key;
        tell_before(c, &version, value, change_out);
    }
    read_pin_release(&pin);
    return st;
}

/* A value at both moments or at `to` alone. */
static void tell_after(const struct yore_changes *c, const struct version *before,
                       const struct version *after, struct yore_change *change_out)
{
    *change_out = (struct yore_change){
        .kind = before != NULL ? YORE_CHANGE_CHANGED : YORE_CHANGE_ADDED,
        .key = after->key,
        .time = since(c, after),
        .commit = after->commit,
        .before = before != NULL ? changes_value(before->value) : bytes_of(NULL, 0),
        .after = changes_value(after->value),
    };
}

static bool is_same_version(const struct version *a, const struct version *b)
{
    return a->valid_from == b->valid_from && a->commit == b->commit;
}

/* ---- key by key ---- */

static enum yore_status read_side(struct yore_changes *c, size_t number, int64_t valid,
                                  struct yore_error *error_out)
{
    struct changes_side *side = &c->net.sides[number];
    struct read_moment moment = {.valid = valid, .known = c->known, .now = valid};
    read_pin_release(&side->pin);
    enum yore_status st = read_winner(c->view, c->keyspace, buffer_bytes(&c->keys.key), &moment,
                                      &side->version, &side->pin, error_out);
    side->is_present = st == YORE_OK && changes_is_present(c, &side->version, valid);
    return st == YORE_NOT_FOUND ? YORE_OK : st;
}

/* What was there at `from` lies beside what has changed, where one table has all of a key. */
static enum yore_status take_before(struct yore_changes *c, struct yore_error *error_out)
{
    struct changes_side *side = &c->net.sides[0];
    enum version_look look = VERSION_LOOK_UNKNOWN;
    read_pin_release(&side->pin);
    if (c->keys.is_whole) {
        look = version_iter_look(c->keys.it, c->from, c->known, &side->version);
    }
    if (look == VERSION_LOOK_UNKNOWN) {
        return read_side(c, 0, c->from, error_out);
    }
    side->version.key = buffer_bytes(&c->keys.key);
    side->is_present = look == VERSION_LOOK_FOUND && changes_is_present(c, &side->version, c->from);
    return YORE_OK;
}

/* The winner at `to`, if the walk has met it: all versions that begin in between are walked, so one
 * of them on which it stands is the winner, whatever else there is. */
static bool has_met_winner(const struct yore_changes *c, struct version *version_out)
{
    const struct version_iter *it = c->keys.it;
    if (it->at.valid_from <= c->from) {
        return c->keys.is_whole &&
               version_iter_look(it, c->to, c->known, version_out) == VERSION_LOOK_FOUND;
    }
    *version_out = it->at;
    return true;
}

static enum yore_status take_after(struct yore_changes *c, struct yore_error *error_out)
{
    struct changes_side *side = &c->net.sides[1];
    read_pin_release(&side->pin);
    c->net.has_winner = has_met_winner(c, &side->version);
    if (!c->net.has_winner) {
        return read_side(c, 1, c->to, error_out);
    }
    side->version.key = buffer_bytes(&c->keys.key);
    side->is_present = changes_is_present(c, &side->version, c->to);
    return YORE_OK;
}

/* YORE_NOT_FOUND: no difference. */
static enum yore_status compare_key(struct yore_changes *c, struct yore_change *change_out,
                                    struct yore_error *error_out)
{
    struct changes_side *before = &c->net.sides[0];
    struct changes_side *after = &c->net.sides[1];
    enum yore_status st = take_before(c, error_out);
    if (st == YORE_OK) {
        st = take_after(c, error_out);
    }
    bool is_both = before->is_present && after->is_present;
    if (st == YORE_OK && ((!before->is_present && !after->is_present) ||
                          (is_both && is_same_version(&before->version, &after->version)))) {
        return YORE_NOT_FOUND;
    }
    if (st == YORE_OK && before->is_present) {
        st = read_fetch(c->view, &before->version, &before->pin, error_out);
    }
    if (st == YORE_OK && after->is_present) {
        st = read_fetch(c->view, &after->version, &after->pin, error_out);
    }
    if (st != YORE_OK) {
        return st;
    }
    if (!after->is_present && c->net.has_winner) {
        tell_before(c, &after->version, before->version.value, change_out);
        return YORE_OK;
    }
    if (!after->is_present) {
        return tell_removed(c, buffer_bytes(&c->keys.key), before->version.value, change_out,
                            error_out);
    }
    if (is_both && bytes_equal(before->version.value, after->version.value)) {
        return YORE_NOT_FOUND;
    }
    tell_after(c, is_both ? &before->version : NULL, &after->version, change_out);
    return YORE_OK;
}

static enum yore_status next_sparse(struct yore_changes *c, struct yore_change *change_out,
                                    struct yore_error *error_out)
{
    enum yore_status st;
    do {
        st = changes_keys_next(c, error_out);
        if (st != YORE_OK) {
            return st;
        }
        st = compare_key(c, change_out, error_out);
    } while (st == YORE_NOT_FOUND);
    return st;
}

/* ---- side by side ---- */

static struct version row_version(const struct yore_row *row)
{
    return (struct version){.key = row->key,
                            .valid_from = row->valid_from,
                            .commit = row->commit,
                            .valid_to = row->valid_to,
                            .kind = YORE_KIND_PUT,
                            .value = row->value};
}

static enum yore_status next_dense(struct yore_changes *c, struct yore_change *change_out,
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
            return tell_removed(c, before->key, before->value, change_out, error_out);
        }
        struct version new = row_version(after);
        struct version old = order == 0 ? row_version(before) : (struct version){0};
        if (order > 0 || (!is_same_version(&old, &new) && !bytes_equal(old.value, new.value))) {
            tell_after(c, order == 0 ? &old : NULL, &new, change_out);
            return YORE_OK;
        }
    }
}

enum yore_status changes_net_next(struct yore_changes *c, struct yore_change *change_out,
                                  struct yore_error *error_out)
{
    return c->net.is_sparse ? next_sparse(c, change_out, error_out)
                            : next_dense(c, change_out, error_out);
}
