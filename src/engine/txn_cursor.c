/* txn_cursor.c -- cursors of a transaction, and the ranges they walk over.
 *
 * Of each cursor one range is kept: from the least to the greatest key it has looked at.  A cursor
 * that jumps about is charged for what it jumped over too; many small walks are better made with a
 * cursor each.  The range belongs to both cursor and transaction, whichever lives longer.
 */
#include "engine/txn.h"

#include "base/mem.h"

struct txn_walk {
    struct yore_txn *txn; /* NULL: it has ended before the cursor */
    struct txn_walk *prev;
    struct txn_walk *next;
    uint32_t keyspace;
    bool is_own_now;
    bool is_open;       /* the cursor lives */
    bool is_any;        /* something was looked at */
    bool is_to_end;     /* high is the end of all keys */
    struct buffer low;  /* inclusive */
    struct buffer high; /* exclusive */
};

static void walk_free(struct txn_walk *walk)
{
    buffer_release(&walk->low);
    buffer_release(&walk->high);
    mem_free(walk);
}

static void walk_unlink(struct txn_walk *walk)
{
    if (walk->prev != NULL) {
        walk->prev->next = walk->next;
    } else {
        walk->txn->walks = walk->next;
    }
    if (walk->next != NULL) {
        walk->next->prev = walk->prev;
    }
}

static bool set_buffer(struct buffer *to, struct yore_bytes bytes, bool is_next)
{
    if (!buffer_reserve(to, bytes.size + 1)) {
        return false;
    }
    buffer_clear(to);
    buffer_append_bytes(to, bytes);
    if (is_next) {
        buffer_append_u8(to, 0); /* the least key after it */
    }
    return true;
}

static bool widen_low(struct txn_walk *walk, struct yore_bytes low)
{
    if (walk->is_any && bytes_compare(buffer_bytes(&walk->low), low) <= 0) {
        return true;
    }
    return set_buffer(&walk->low, low, false);
}

static bool widen_high(struct txn_walk *walk, struct yore_bytes high, bool is_included)
{
    if (walk->is_any && walk->is_to_end) {
        return true;
    }
    if (high.size == 0) {
        walk->is_to_end = true;
        buffer_clear(&walk->high);
        return true;
    }
    int order = walk->is_any ? bytes_compare(buffer_bytes(&walk->high), high) : -1;
    if (order > 0 || (order == 0 && !is_included)) {
        return true;
    }
    return set_buffer(&walk->high, high, is_included);
}

static enum yore_status walk_step(void *arg, const struct cursor_step *step,
                                  struct yore_error *error_out)
{
    struct txn_walk *walk = arg;
    if (walk->txn == NULL) {
        return error_set(error_out, YORE_INVALID, "the transaction of this cursor has ended");
    }
    if (!widen_low(walk, step->low) || !widen_high(walk, step->high, step->is_high_included)) {
        walk->low.is_nomem = false;
        walk->high.is_nomem = false;
        return error_plain(error_out, YORE_NOMEM);
    }
    walk->is_any = true;
    if (walk->is_own_now && step->row != NULL && step->row->commit != YORE_FOREVER) {
        txn_note_expiry(walk->txn, step->row->valid_to);
    }
    return YORE_OK;
}

static enum yore_status walk_note(struct txn_walk *walk, struct yore_error *error_out)
{
    struct commit_read read = {.keyspace = walk->keyspace,
                               .is_range = true,
                               .key = buffer_bytes(&walk->low),
                               .high = buffer_bytes(&walk->high)};
    return walk->is_any
               ? read_set_add(&walk->txn->reads, &read, walk->txn->db->txn_reads_max, error_out)
               : YORE_OK;
}

static void walk_close(void *arg)
{
    struct txn_walk *walk = arg;
    walk->is_open = false;
    if (walk->txn == NULL) {
        walk_free(walk);
        return;
    }
    /* If there is no room for it now, it waits in the list and is tried again at the commit. */
    if (walk_note(walk, NULL) == YORE_OK) {
        walk_unlink(walk);
        walk_free(walk);
    }
}

enum yore_status txn_collect_walks(struct yore_txn *txn, struct yore_error *error_out)
{
    enum yore_status st = YORE_OK;
    for (struct txn_walk *walk = txn->walks; st == YORE_OK && walk != NULL; walk = walk->next) {
        st = walk_note(walk, error_out);
    }
    return st;
}

void txn_forget_walks(struct yore_txn *txn)
{
    struct txn_walk *walk = txn->walks;
    while (walk != NULL) {
        struct txn_walk *next = walk->next;
        walk->txn = NULL;
        if (!walk->is_open) {
            walk_free(walk);
        }
        walk = next;
    }
    txn->walks = NULL;
}

static struct txn_walk *walk_new(struct yore_txn *txn, const struct yore_keyspace *keyspace,
                                 bool is_own_now)
{
    struct txn_walk *walk = mem_zalloc(sizeof *walk);
    if (walk != NULL) {
        walk->txn = txn;
        walk->keyspace = keyspace->id;
        walk->is_own_now = is_own_now;
        walk->is_open = true;
        walk->next = txn->walks;
        if (walk->next != NULL) {
            walk->next->prev = walk;
        }
        txn->walks = walk;
    }
    return walk;
}

enum yore_status yore_txn_cursor_open(struct yore_txn *txn, struct yore_keyspace *keyspace,
                                      const struct yore_cursor_options *options,
                                      struct yore_cursor **cursor_out, struct yore_error *error_out)
{
    if (txn == NULL || cursor_out == NULL) {
        return error_null(error_out, __func__, "txn, cursor_out");
    }
    struct txn_moment moment;
    struct superview *view = NULL;
    error_clear(error_out);
    *cursor_out = NULL;
    keyspace = keyspace_or_default(txn->db, keyspace);
    enum yore_status st = txn_read_begin(txn, keyspace, options != NULL ? options->at : NULL,
                                         &moment, &view, error_out);
    if (st != YORE_OK) {
        return st;
    }
    if (moment.sees_own) {
        st = txn_make_overlay(txn, error_out);
    }
    struct txn_walk *walk = st == YORE_OK ? walk_new(txn, keyspace, moment.is_own_now) : NULL;
    if (st == YORE_OK && walk == NULL) {
        st = error_plain(error_out, YORE_NOMEM);
    }
    if (st == YORE_OK) {
        struct cursor_overlay overlay = {
            .memtable = moment.sees_own ? txn->overlay : NULL,
            .known = OVERLAY_COMMIT_MIN + (int64_t)txn->overlay_count - 1,
            .moment = moment.moment,
            .view = view,
            .on_step = walk_step,
            .on_close = walk_close,
            .arg = walk,
        };
        st = cursor_open_overlay(txn->db, keyspace, options, &overlay, cursor_out, error_out);
        if (st != YORE_OK) {
            walk_unlink(walk);
            walk_free(walk);
        }
    }
    superview_release(view);
    return st;
}
