/* timeline.c -- the versions of one key, either way along valid time.
 *
 * A transaction lays its own writes over them: they are one source more, whose commits are later
 * than every other.
 */
#include "base/mem.h"
#include "engine/db_internal.h"
#include "engine/key_range.h"
#include "engine/key_walk.h"
#include "engine/refuse.h"
#include "engine/txn.h"
#include "table/merge_iter.h"

struct yore_timeline {
    struct yore_db *db;
    struct yore_txn *txn; /* while it is opened; NULL: of no transaction */
    struct yore_keyspace *keyspace;
    struct yore_timeline_options options; /* from and known made concrete */
    struct superview *view;
    struct version_iter *it;
    struct key_walk walk;
    struct buffer key;
    bool has_erasures;
    bool has_in_force; /* still to be told */
    struct version in_force;
    struct read_pin in_force_pin;
    struct read_pin pin; /* of the walk's version, when its value was fetched */
    struct yore_error failure;
};

/* ---- opening ---- */

static enum yore_status check_options(struct yore_bytes key,
                                      const struct yore_timeline_options *options,
                                      struct yore_error *error_out)
{
    enum yore_status st = key_check(key, error_out);
    if (st != YORE_OK) {
        return st;
    }
    if (options->to < options->from) {
        return refuse_end("the end of the timeline", "no earlier than", options->from, options->to,
                          error_out);
    }
    return YORE_OK;
}

static bool is_gone(const struct yore_timeline *t, const struct version *version)
{
    return version->kind == YORE_KIND_ERASED ||
           (t->has_erasures && version->kind == YORE_KIND_PUT &&
            erase_set_hides(t->view->erased, t->keyspace->id, version));
}

/* The version in force at `from`, if it began before.  A delete is not told: what is dead is not
 * carried on, so whether it could be told would depend on how the data lies. */
static enum yore_status find_in_force(struct yore_timeline *t, bool sees_own,
                                      struct yore_error *error_out)
{
    struct txn_moment at = {
        .moment = {.valid = t->options.from, .known = t->options.known, .now = t->options.from},
        .sees_own = sees_own};
    struct yore_bytes key = buffer_bytes(&t->key);
    bool is_own;
    enum yore_status st = t->txn != NULL
                              ? txn_winner(t->txn, t->view, t->keyspace, key, &at, &t->in_force,
                                           &t->in_force_pin, &is_own, error_out)
                              : read_winner(t->view, t->keyspace, key, &at.moment, &t->in_force,
                                            &t->in_force_pin, error_out);
    if (st == YORE_OK) {
        bool is_dead =
            t->in_force.kind == YORE_KIND_DELETE || t->in_force.valid_to <= t->options.from;
        t->has_in_force = t->in_force.valid_from < t->options.from && !is_dead;
        /* Of a span that is erased only the begin says so itself, and is not known to every read.
         */
        if (erase_set_covers(t->view->erased, t->keyspace->id, key, t->options.from,
                             t->in_force.commit)) {
            t->in_force.kind = YORE_KIND_ERASED;
        }
    }
    return st == YORE_NOT_FOUND ? YORE_OK : st;
}

/* Lay over `t->it` what the transaction has written so far. */
static enum yore_status add_own(struct yore_timeline *t, struct yore_error *error_out)
{
    struct version_iter *iters[2] = {t->it, NULL};
    enum yore_status st = txn_make_overlay(t->txn, error_out);
    if (st != YORE_OK || t->txn->overlay == NULL) {
        return st;
    }
    const struct iter_view own = {.known = OVERLAY_COMMIT_MIN + (int64_t)t->txn->overlay_count - 1,
                                  .commit_after = INT64_MIN};
    st = memtable_iter_new(t->txn->overlay, t->keyspace->id, &own, &iters[1]);
    if (st == YORE_OK) {
        t->it = NULL; /* taken */
        st = merge_iter_new(iters, 2, false, &t->it);
    }
    t->walk.known = INT64_MAX; /* the other source tells nothing that is not known */
    return st == YORE_OK ? YORE_OK : error_plain(error_out, st);
}

static enum yore_status open_sources(struct yore_timeline *t, bool sees_own,
                                     struct yore_error *error_out)
{
    struct iter_view every = {.known = t->options.known, .commit_after = INT64_MIN};
    bool is_open_end = t->options.to == YORE_FOREVER;
    const struct source_range range = {
        .low = buffer_bytes(&t->key), .valid_low = t->options.from, .valid_high = t->options.to};
    enum yore_status st = sources_of_key(t->view, t->keyspace, &range, &every, &t->it, error_out);
    t->walk = (struct key_walk){.key = buffer_bytes(&t->key),
                                .first = t->options.from,
                                .last = is_open_end ? INT64_MAX : t->options.to - 1,
                                .known = t->options.known,
                                .every_commit = t->options.every_commit,
                                .is_backward = t->options.is_backward};
    if (st == YORE_OK && t->txn != NULL && sees_own) {
        st = add_own(t, error_out);
    }
    t->walk.it = t->it;
    return st;
}

static enum yore_status open_view(struct yore_timeline *t, struct yore_error *error_out)
{
    struct txn_moment at = {.sees_own = false};
    struct yore_time asked = {t->options.from, t->options.known};
    enum yore_status st =
        t->txn != NULL ? txn_read_begin(t->txn, t->keyspace, &asked, &at, &t->view, error_out)
                       : read_begin(t->db, t->keyspace, &asked, &at.moment, &t->view, error_out);
    if (st != YORE_OK) {
        return st;
    }
    if (t->options.from == YORE_NOW) {
        t->options.from =
            t->txn != NULL ? t->txn->snapshot.now : read_moment_instant(t->db, &at.moment);
    }
    t->options.known = at.moment.known;
    t->has_erasures = erase_set_count(t->view->erased) > 0;
    if (t->options.with_in_force) {
        st = find_in_force(t, at.sees_own, error_out);
    }
    return st == YORE_OK ? open_sources(t, at.sees_own, error_out) : st;
}

static enum yore_status open_timeline(struct yore_db *db, struct yore_txn *txn,
                                      struct yore_keyspace *keyspace, struct yore_bytes key,
                                      const struct yore_timeline_options *options,
                                      struct yore_timeline **timeline_out,
                                      struct yore_error *error_out)
{
    error_clear(error_out);
    *timeline_out = NULL;
    enum yore_status st = check_options(key, options, error_out);
    if (st != YORE_OK) {
        return st;
    }
    struct yore_timeline *t = mem_zalloc(sizeof *t);
    if (t == NULL) {
        return error_plain(error_out, YORE_NOMEM);
    }
    t->db = db;
    t->txn = txn;
    handles_add(&db->handles, HANDLE_timeline, 1);
    t->keyspace = keyspace_or_default(db, keyspace);
    t->options = *options;
    buffer_append_bytes(&t->key, key);
    if (t->key.is_nomem) {
        st = error_plain(error_out, YORE_NOMEM);
    } else {
        st = open_view(t, error_out);
    }
    if (st != YORE_OK) {
        yore_timeline_close(t);
        return st;
    }
    t->txn = NULL; /* which may end first */
    *timeline_out = t;
    return YORE_OK;
}

enum yore_status yore_timeline_open(struct yore_db *db, struct yore_keyspace *keyspace,
                                    struct yore_bytes key,
                                    const struct yore_timeline_options *options,
                                    struct yore_timeline **timeline_out,
                                    struct yore_error *error_out)
{
    if (db == NULL || options == NULL || timeline_out == NULL) {
        return error_null(error_out, __func__, "db, options, timeline_out");
    }
    return open_timeline(db, NULL, keyspace, key, options, timeline_out, error_out);
}

enum yore_status yore_txn_timeline_open(struct yore_txn *txn, struct yore_keyspace *keyspace,
                                        struct yore_bytes key,
                                        const struct yore_timeline_options *options,
                                        struct yore_timeline **timeline_out,
                                        struct yore_error *error_out)
{
    if (txn == NULL || options == NULL || timeline_out == NULL) {
        return error_null(error_out, __func__, "txn, options, timeline_out");
    }
    enum yore_status st =
        open_timeline(txn->db, txn, keyspace, key, options, timeline_out, error_out);
    if (st == YORE_OK) {
        st = txn_note_key(txn, keyspace_or_default(txn->db, keyspace), key, error_out);
        if (st != YORE_OK) {
            yore_timeline_close(*timeline_out);
            *timeline_out = NULL;
        }
    }
    return st;
}

void yore_timeline_close(struct yore_timeline *timeline)
{
    if (timeline == NULL) {
        return;
    }
    key_walk_release(&timeline->walk);
    version_iter_free(timeline->it);
    read_pin_release(&timeline->pin);
    read_pin_release(&timeline->in_force_pin);
    superview_release(timeline->view);
    buffer_release(&timeline->key);
    handles_add(&timeline->db->handles, HANDLE_timeline, -1);
    mem_free(timeline);
}

/* ---- walking ---- */

static enum yore_status tell(struct yore_timeline *t, struct version *version, struct read_pin *pin,
                             struct yore_version *version_out, struct yore_error *error_out)
{
    bool gone = is_gone(t, version);
    if (!gone && (version->flags & VERSION_APART) != 0) {
        enum yore_status st = read_fetch(t->view, version, pin, error_out);
        if (st != YORE_OK) {
            return st;
        }
    }
    *version_out = (struct yore_version){
        .kind = gone ? YORE_KIND_ERASED : version->kind,
        .valid_from = version->valid_from,
        .valid_to = version->valid_to,
        .commit = version->commit >= OVERLAY_COMMIT_MIN ? YORE_FOREVER : version->commit,
        .value = gone || version->kind != YORE_KIND_PUT ? bytes_of(NULL, 0) : version->value,
    };
    return YORE_OK;
}

static enum yore_status next(struct yore_timeline *timeline, struct yore_version *version_out,
                             struct yore_error *error_out)
{
    if (timeline->pin.heap != NULL) {
        read_pin_release(&timeline->pin);
    }
    bool is_in_force = timeline->has_in_force && !timeline->options.is_backward;
    enum yore_status st = is_in_force ? YORE_NOT_FOUND : key_walk_next(&timeline->walk, error_out);
    if (st == YORE_NOT_FOUND && timeline->has_in_force) {
        timeline->has_in_force = false;
        return tell(timeline, &timeline->in_force, &timeline->in_force_pin, version_out, error_out);
    }
    if (st == YORE_OK) {
        st = tell(timeline, &timeline->walk.held, &timeline->pin, version_out, error_out);
    }
    return st;
}

enum yore_status yore_timeline_next(struct yore_timeline *timeline,
                                    struct yore_version *version_out, struct yore_error *error_out)
{
    if (timeline == NULL || version_out == NULL) {
        return error_null(error_out, __func__, "timeline, version_out");
    }
    struct yore_error *failure = &timeline->failure;
    enum yore_status st = failure->status;
    if (st == YORE_OK) {
        st = next(timeline, version_out, failure);
        if (st == YORE_OK) {
            error_clear(error_out);
            return YORE_OK;
        }
    }
    return error_keep(failure, st, error_out);
}
