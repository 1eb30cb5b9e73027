/* cursor.c -- a key range at one moment, in either direction.
 *
 * Every source yields at most one version a key, the greatest it has for the moment; the merge
 * keeps the greatest of those; the winner is judged as in read.c.  Where history takes part the
 * walk goes region by region (a *stretch*), because each region has its own slices.  Rules R3 to R5
 * of read.c decide which sources a stretch needs.
 */
#include "engine/cursor.h"

#include "base/assert.h"
#include "base/mem.h"
#include "engine/key_range.h"
#include "engine/sources.h"

struct yore_cursor {
    struct yore_db *db;
    struct yore_keyspace *keyspace;
    struct superview *view;
    const struct forest_tree *tree; /* NULL: no tables */
    struct read_moment moment;
    int64_t as_of; /* min(valid, known): what begins until then (R6) */
    struct iter_view iter_view;
    struct cursor_overlay overlay;
    bool has_overlay;
    bool keys_only;
    bool is_latest; /* no history takes part: one stretch over everything */
    struct buffer low;
    struct buffer high;     /* empty: to the last key */
    struct yore_bytes end;  /* the same, for sources */
    struct buffer all_low;  /* what sources are opened for, where the range is a part of it; ... */
    struct buffer all_high; /* ... likewise */
    bool is_part;

    /* The stretch. */
    struct version_iter *iter; /* NULL: none open */
    size_t region_index;
    const struct forest_region *region; /* NULL: the one stretch of a latest read */
    const struct forest_slice *slice;   /* that holds the moment; NULL: none */
    size_t slice_index;
    struct yore_bytes stretch_low;
    struct yore_bytes stretch_high; /* empty: to the last key */
    struct yore_bytes source_low;   /* of the region, what its sources are opened for */
    struct yore_bytes source_high;  /* likewise */

    struct read_pin pin; /* of a looked-up or fetched row */
    struct yore_row row;
    uint64_t row_count;     /* made so far */
    uint64_t passed;        /* keys without a row, since the last seek */
    struct gap_key gap_end; /* where the last seek went instead */
    bool has_row;
    bool is_fresh;
    bool is_counted; /* as open (handles.h) */
    bool is_simple;  /* in this stretch a put without end is a row, unless it is doubtful */
    bool is_in_run;  /* what is left of iter->run are rows, without another look */
    struct yore_error error;
};

/* ---- sources of a stretch ---- */

struct level_filter {
    const struct forest_slice *slice; /* sealed slice that holds the moment; NULL: none */
    int64_t valid;
    int64_t known;
};

static bool level_can_add(const void *arg, const struct forest_file *file)
{
    const struct level_filter *f = arg;
    const struct table_meta *meta = file->meta;
    if (meta->valid_min > f->valid || meta->commit_min > f->known) {
        return false;
    }
    return f->slice == NULL || (meta->back_dated_valid_min <= f->valid &&
                                meta->back_dated_commit_max > f->slice->known);
}

static enum yore_status add_slices(struct yore_cursor *c, struct source_list *list)
{
    enum yore_status st = YORE_OK;
    for (size_t i = c->slice_index + 1; i-- > 0 && st == YORE_OK;) {
        const struct forest_slice *slice = &c->region->slices[i];
        st = source_list_add_files(list, slice->files, slice->file_count, c->source_low,
                                   c->source_high, &c->iter_view);
        if (slice_carried_commit_max(slice) <= c->moment.known) {
            break; /* R5: nothing it carries is invisible */
        }
    }
    return st;
}

static enum yore_status add_history(struct yore_cursor *c, struct source_list *list)
{
    enum yore_status st = YORE_OK;
    bool can_serve = runs_can_serve(c->keyspace, c->region, c->moment.known);
    for (size_t i = c->region->run_count; can_serve && i-- > 0 && st == YORE_OK;) {
        struct forest_file *run = c->region->runs[i];
        if (run->meta->valid_min <= c->as_of && run->meta->commit_min <= c->moment.known &&
            file_overlaps(run, c->source_low, c->source_high)) {
            st = source_list_add_file(list, run, &c->iter_view);
        }
    }
    if (st == YORE_OK && c->slice_index < c->region->slice_count) {
        st = add_slices(c, list);
    }
    return st;
}

static void find_slice(struct yore_cursor *c)
{
    c->slice = NULL;
    c->slice_index = region_slice_at(c->region, c->as_of);
    if (c->slice_index < c->region->slice_count) {
        c->slice = &c->region->slices[c->slice_index];
    }
}

static enum yore_status add_sources(struct yore_cursor *c, struct source_list *list)
{
    struct level_filter filter = {NULL, c->as_of, c->moment.known};
    enum yore_status st = YORE_OK;
    if (c->has_overlay && c->overlay.memtable != NULL) {
        struct iter_view own = c->iter_view;
        struct version_iter *iter;
        own.valid = c->moment.valid;
        own.known = c->overlay.known;
        st = memtable_iter_new(c->overlay.memtable, c->keyspace->id, &own, &iter);
        if (st == YORE_OK) {
            st = source_list_add(list, iter);
        }
    }
    if (st == YORE_OK) {
        st = sources_add_memtables(list, c->view, c->keyspace->id, &c->iter_view);
    }
    if (st != YORE_OK || c->tree == NULL) {
        return st;
    }
    if (c->region != NULL) {
        find_slice(c);
        filter.slice = c->slice != NULL && c->as_of < c->slice->t1 ? c->slice : NULL;
        st = add_history(c, list);
    }
    if (st == YORE_OK) {
        struct iter_view levels = c->iter_view;
        levels.commit_after = filter.slice != NULL ? filter.slice->known : INT64_MIN; /* R3 */
        st = sources_add_levels(list, c->tree, c->source_low, c->source_high, &levels,
                                c->is_latest ? NULL : level_can_add, &filter);
    }
    return st;
}

static struct yore_bytes later_key(struct yore_bytes a, struct yore_bytes b)
{
    return bytes_compare(a, b) > 0 ? a : b;
}

static struct yore_bytes earlier_end(struct yore_bytes a, struct yore_bytes b)
{
    if (a.size == 0 || b.size == 0) {
        return a.size == 0 ? b : a;
    }
    return bytes_compare(a, b) < 0 ? a : b;
}

/* What of the range lies in the region. */
static void clip(const struct yore_cursor *c, struct yore_bytes *low, struct yore_bytes *high)
{
    if (c->region != NULL) {
        *low = later_key(*low, forest_key_bytes(&c->region->low));
        *high = earlier_end(*high, forest_key_bytes(&c->region->high));
    }
}

static void bound_stretch(struct yore_cursor *c)
{
    c->stretch_low = buffer_bytes(&c->low);
    c->stretch_high = buffer_bytes(&c->high);
    clip(c, &c->stretch_low, &c->stretch_high);
}

static void bound_sources(struct yore_cursor *c)
{
    c->source_low = buffer_bytes(c->is_part ? &c->all_low : &c->low);
    c->source_high = buffer_bytes(c->is_part ? &c->all_high : &c->high);
    clip(c, &c->source_low, &c->source_high);
}

/* Open the stretch of region `index` (0 when there is only one). */
static enum yore_status open_stretch(struct yore_cursor *c, size_t index)
{
    bool has_regions = !c->is_latest && c->tree != NULL && c->tree->region_count > 0;
    if (c->iter != NULL && c->region_index == index) {
        return YORE_OK;
    }
    version_iter_free(c->iter);
    c->iter = NULL;
    c->region_index = index;
    c->region = has_regions ? &c->tree->regions[index] : NULL;
    c->slice = NULL;
    bound_stretch(c);
    bound_sources(c);
    struct source_list list = {0};
    enum yore_status st = add_sources(c, &list);
    c->is_simple = !c->has_overlay && erase_set_count(c->view->erased) == 0;
    bool is_alone = list.count == 1;
    if (st == YORE_OK) {
        st = source_list_merge(&list, true, &c->iter);
    }
    if (st != YORE_OK) {
        source_list_release(&list);
        return error_plain(&c->error, st);
    }
    c->iter->is_alone = is_alone && !c->is_latest; /* what is stepped over now is counted */
    return YORE_OK;
}

static size_t stretch_count(const struct yore_cursor *c)
{
    return !c->is_latest && c->tree != NULL && c->tree->region_count > 0 ? c->tree->region_count
                                                                         : 1;
}

static size_t stretch_of(const struct yore_cursor *c, struct yore_bytes key)
{
    if (stretch_count(c) == 1) {
        return 0;
    }
    return (size_t)(tree_region(c->tree, key) - c->tree->regions);
}

/* ---- rows ---- */

/* R4: a winner from outside the slices, from before this one and not carried by it. */
static bool is_doubtful(const struct yore_cursor *c, const struct version *winner)
{
    return c->slice != NULL && winner->valid_from < c->slice->t0 &&
           winner->kind != YORE_KIND_DELETE &&
           (winner->flags & (VERSION_CARRIED | VERSION_ALSO_CARRIED)) == 0;
}

/* R4: a doubtful winner is refuted by the slice if the slice knew it; otherwise an earlier slice
 * may hold what superseded it.  YORE_NOT_FOUND: nothing is in force. */
static enum yore_status correct_winner(struct yore_cursor *c, struct version *winner)
{
    if (!is_doubtful(c, winner)) {
        return YORE_OK;
    }
    bool is_hiding = slice_carried_commit_max(c->slice) > c->moment.known; /* R5 */
    if (!is_hiding && winner->commit <= c->slice->known) {
        return YORE_NOT_FOUND;
    }
    return read_look_back(c->view, c->region, c->slice_index, winner->key, &c->moment, winner,
                          &c->pin, &c->error);
}

static void drop_row(struct yore_cursor *c)
{
    if (c->pin.page.frame != NULL || c->pin.heap != NULL) {
        read_pin_release(&c->pin);
    }
    c->has_row = false;
}

/* Is the version under the iterator a row, as it is? */
static bool is_row(const struct yore_cursor *c)
{
    const struct version *at = &c->iter->at;
    return c->is_simple && at->kind == YORE_KIND_PUT && at->valid_to == YORE_FOREVER &&
           (at->flags & VERSION_APART) == 0 && !is_doubtful(c, at);
}

static void make_plain_row(struct yore_cursor *c)
{
    const struct version *at = &c->iter->at;
    c->row_count++;
    c->row.key = at->key;
    c->row.value = at->value;
    c->row.valid_from = at->valid_from;
    c->row.commit = at->commit;
    if (c->keys_only) {
        c->row.value.data = NULL;
    }
}

/* Make the row of the version under the iterator; YORE_NOT_FOUND: the key has no value at the
 * moment. */
static enum yore_status make_row(struct yore_cursor *c)
{
    drop_row(c);
    if (is_row(c)) {
        make_plain_row(c);
        c->row.valid_to = YORE_FOREVER;
        c->has_row = true;
        return YORE_OK;
    }
    struct version winner = c->iter->at;
    enum yore_status st = correct_winner(c, &winner);
    if (st == YORE_OK) {
        st = read_judge(c->view, c->keyspace, &c->moment, &winner);
        st = st == YORE_ERASED ? YORE_NOT_FOUND : st;
    }
    if (st != YORE_OK) {
        return st;
    }
    if ((winner.flags & VERSION_APART) != 0 && !c->keys_only) {
        st = read_fetch(c->view, &winner, &c->pin, &c->error);
        if (st != YORE_OK) {
            return st;
        }
    }
    bool is_own = winner.commit >= OVERLAY_COMMIT_MIN;
    c->row = (struct yore_row){.key = winner.key,
                               .value = winner.value,
                               .valid_from = winner.valid_from,
                               .valid_to = winner.valid_to,
                               .commit = is_own ? YORE_FOREVER : winner.commit};
    if (c->keys_only) {
        size_t size =
            (winner.flags & VERSION_APART) != 0 ? value_ref_size(winner.value) : winner.value.size;
        c->row.value = bytes_of(NULL, size);
    }
    c->has_row = true;
    c->row_count++;
    return YORE_OK;
}

static bool is_before_end(const struct yore_cursor *c, struct yore_bytes key)
{
    return c->stretch_high.size == 0 || bytes_compare(key, c->stretch_high) < 0;
}

/* The row was made of the version under the iterator: are those behind it in its run as plain, and
 * inside the stretch?  Only then can they be rows without being judged. */
static bool is_run_plain(const struct yore_cursor *c)
{
    const struct version_run *run = &c->iter->run;
    return run->at + 1 < run->end && is_row(c) &&
           is_before_end(c, version_run_key(run, run->end - 1));
}

/* ---- moves ---- */

/* From where the iterator stands, forward to the first row, over the following stretches too. */
static enum yore_status settle_forward(struct yore_cursor *c)
{
    for (;;) {
        while (c->iter->is_valid && is_before_end(c, c->iter->at.key)) {
            enum yore_status st = make_row(c);
            if (st != YORE_NOT_FOUND) {
                c->is_in_run = is_run_plain(c);
                return st;
            }
            c->passed++;
            version_iter_next(c->iter);
        }
        if (c->iter->status != YORE_OK) {
            c->error = c->iter->error;
            return c->iter->status;
        }
        struct yore_bytes high = buffer_bytes(&c->high);
        bool is_last = c->region_index + 1 >= stretch_count(c) ||
                       (high.size != 0 && bytes_compare(c->stretch_high, high) >= 0);
        if (is_last) {
            drop_row(c);
            return YORE_NOT_FOUND;
        }
        enum yore_status st = open_stretch(c, c->region_index + 1);
        if (st != YORE_OK) {
            return st;
        }
        struct version_place place = {c->stretch_low, INT64_MAX, INT64_MAX};
        version_iter_seek(c->iter, &place);
    }
}

/* Stand on the last version of the stretch. */
static void seek_stretch_end(struct yore_cursor *c)
{
    if (c->stretch_high.size == 0) {
        version_iter_last(c->iter);
        return;
    }
    struct version_place place = {c->stretch_high, INT64_MIN, INT64_MIN};
    version_iter_seek_back(c->iter, &place);
    while (c->iter->is_valid && !is_before_end(c, c->iter->at.key)) {
        version_iter_prev(c->iter);
    }
}

static enum yore_status settle_backward(struct yore_cursor *c)
{
    for (;;) {
        while (c->iter->is_valid && bytes_compare(c->iter->at.key, c->stretch_low) >= 0) {
            enum yore_status st = make_row(c);
            if (st != YORE_NOT_FOUND) {
                return st;
            }
            version_iter_prev(c->iter);
        }
        if (c->iter->status != YORE_OK) {
            c->error = c->iter->error;
            return c->iter->status;
        }
        bool is_first =
            c->region_index == 0 || bytes_compare(c->stretch_low, buffer_bytes(&c->low)) <= 0;
        if (is_first) {
            drop_row(c);
            return YORE_NOT_FOUND;
        }
        enum yore_status st = open_stretch(c, c->region_index - 1);
        if (st != YORE_OK) {
            return st;
        }
        seek_stretch_end(c);
    }
}

/* A move that failed leaves no row: where the iterator stands, nobody knows. */
static enum yore_status end_move(struct yore_cursor *c, enum yore_status st)
{
    if (st != YORE_OK) {
        drop_row(c);
    }
    if (st != YORE_OK && st != YORE_NOT_FOUND && c->error.status == YORE_OK) {
        error_plain(&c->error, st);
    }
    return st;
}

/* What a move had to look at, for the transaction that owns the cursor. */
static enum yore_status tell_step(struct yore_cursor *c, enum yore_status st,
                                  struct cursor_step step)
{
    enum yore_status told = YORE_OK;
    if (c->has_overlay && c->overlay.on_step != NULL && (st == YORE_OK || st == YORE_NOT_FOUND)) {
        step.row = c->has_row ? &c->row : NULL;
        told = c->overlay.on_step(c->overlay.arg, &step, &c->error);
    }
    return end_move(c, told == YORE_OK ? st : told);
}

/* Without a row next and prev have nowhere to go from: the end, or again what has failed. */
static enum yore_status nowhere(const struct yore_cursor *c)
{
    return c->error.status != YORE_OK ? c->error.status : YORE_NOT_FOUND;
}

static void begin_move(struct yore_cursor *c)
{
    c->is_fresh = false;
    c->is_in_run = false;
    c->error.text[0] = '\0';
    c->error.status = YORE_OK;
}

/* ---- what need not be stepped over (gaps.h) ---- */

/* Has the transaction written to the keyspace itself?  What nobody else sees is in no gap. */
static bool has_own_writes(const struct yore_cursor *c)
{
    return c->overlay.memtable != NULL && memtable_has(c->overlay.memtable, c->keyspace->id);
}

/* Where to look from instead of `from`, if it is known that nothing lies in between.  False:
 * nothing lies in all that is left of the range. */
static bool skip_gap(struct yore_cursor *c, struct yore_bytes *from)
{
    const struct gap_moment moment = {c->as_of, c->moment.now};
    struct yore_bytes high = buffer_bytes(&c->high);
    if (has_own_writes(c) ||
        !gaps_find(&c->db->gaps, c->keyspace->id, *from, &moment, &c->gap_end)) {
        return true;
    }
    *from = bytes_of(c->gap_end.octets, c->gap_end.size);
    return !c->gap_end.is_end && (high.size == 0 || bytes_compare(*from, high) < 0);
}

/* A walk from `from` on is over: was it long enough to be worth keeping? */
static void note_gap(const struct yore_cursor *c, struct yore_bytes from)
{
    const struct gap_moment moment = {c->moment.known, c->moment.now};
    if (c->passed >= GAP_STEPS_MIN && c->as_of == moment.known && !has_own_writes(c)) {
        gaps_note(&c->db->gaps, c->keyspace->id, from,
                  c->has_row ? c->row.key : buffer_bytes(&c->high), &moment);
    }
}

static enum yore_status seek_forward(struct yore_cursor *c, struct yore_bytes key)
{
    struct yore_bytes low = buffer_bytes(&c->low);
    struct yore_bytes from = later_key(key, low);
    struct version_place place = {from, INT64_MAX, INT64_MAX};
    c->passed = 0;
    if (!skip_gap(c, &place.key)) {
        drop_row(c);
        return YORE_NOT_FOUND;
    }
    enum yore_status st = open_stretch(c, stretch_of(c, place.key));
    if (st != YORE_OK) {
        return st;
    }
    version_iter_seek(c->iter, &place);
    st = settle_forward(c);
    if (st == YORE_OK || st == YORE_NOT_FOUND) {
        note_gap(c, from);
    }
    return st;
}

/* `key` empty: from the end of the range. */
static enum yore_status seek_backward(struct yore_cursor *c, struct yore_bytes key)
{
    struct yore_bytes high = buffer_bytes(&c->high);
    bool is_from_end = key.size == 0 || (high.size != 0 && bytes_compare(key, high) >= 0);
    size_t index = stretch_count(c) - 1;
    if (!is_from_end) {
        index = stretch_of(c, key);
    } else if (high.size != 0) {
        index = stretch_of(c, high);
    }
    enum yore_status st = open_stretch(c, index);
    if (st != YORE_OK) {
        return st;
    }
    if (is_from_end) {
        seek_stretch_end(c);
    } else {
        struct version_place place = {key, INT64_MIN, INT64_MIN};
        version_iter_seek_back(c->iter, &place);
    }
    return settle_backward(c);
}

enum yore_status yore_cursor_first(struct yore_cursor *c)
{
    if (c == NULL) {
        return YORE_INVALID;
    }
    begin_move(c);
    enum yore_status st = seek_forward(c, buffer_bytes(&c->low));
    struct cursor_step step = {buffer_bytes(&c->low), buffer_bytes(&c->high), false, NULL};
    if (c->has_row) {
        step.high = c->row.key;
        step.is_high_included = true;
    }
    return tell_step(c, st, step);
}

enum yore_status yore_cursor_last(struct yore_cursor *c)
{
    if (c == NULL) {
        return YORE_INVALID;
    }
    begin_move(c);
    enum yore_status st = seek_backward(c, bytes_of(NULL, 0));
    struct cursor_step step = {c->has_row ? c->row.key : buffer_bytes(&c->low),
                               buffer_bytes(&c->high), false, NULL};
    return tell_step(c, st, step);
}

enum yore_status yore_cursor_seek(struct yore_cursor *c, struct yore_bytes key)
{
    if (c == NULL) {
        return YORE_INVALID;
    }
    begin_move(c);
    enum yore_status st = end_move(c, seek_forward(c, key));
    struct yore_bytes high = buffer_bytes(&c->high);
    struct cursor_step step = {later_key(key, buffer_bytes(&c->low)), high, false, NULL};
    if (c->has_row) {
        step.high = c->row.key;
        step.is_high_included = true;
    } else if (high.size != 0 && bytes_compare(step.low, high) >= 0) {
        return st; /* beyond the range: nothing was looked at */
    }
    return tell_step(c, st, step);
}

enum yore_status yore_cursor_seek_back(struct yore_cursor *c, struct yore_bytes key)
{
    if (c == NULL) {
        return YORE_INVALID;
    }
    begin_move(c);
    if (key.size == 0) {
        drop_row(c);
        return YORE_NOT_FOUND; /* no key sorts before the empty one */
    }
    enum yore_status st = end_move(c, seek_backward(c, key));
    struct yore_bytes high = buffer_bytes(&c->high);
    bool is_past = high.size != 0 && bytes_compare(key, high) >= 0;
    struct cursor_step step = {c->has_row ? c->row.key : buffer_bytes(&c->low),
                               is_past ? high : key, !is_past, NULL};
    if (bytes_compare(step.low, key) > 0) {
        return st; /* before the range: nothing was looked at */
    }
    return tell_step(c, st, step);
}

/* The key of the row that is being left, kept while the iterator moves; only transactions need it.
 */
static enum yore_status remember(struct yore_cursor *c, struct buffer *key_out)
{
    if (c->has_overlay) {
        buffer_append_bytes(key_out, c->row.key);
    }
    return buffer_status(key_out);
}

enum yore_status yore_cursor_next(struct yore_cursor *c)
{
    if (c == NULL) {
        return YORE_INVALID;
    }
    if (c->is_in_run && c->iter->run.at + 1 < c->iter->run.end) {
        version_iter_next(c->iter);
        if (!is_doubtful(c, &c->iter->at)) {
            make_plain_row(c);
            return YORE_OK;
        }
        begin_move(c);
        return end_move(c, settle_forward(c));
    }
    if (c->is_fresh) {
        return yore_cursor_first(c);
    }
    if (!c->has_row) {
        return nowhere(c);
    }
    begin_move(c);
    if (!c->has_overlay) { /* nobody to tell */
        version_iter_next(c->iter);
        return end_move(c, settle_forward(c));
    }
    struct buffer left = {0};
    enum yore_status st = remember(c, &left);
    if (st == YORE_OK) {
        version_iter_next(c->iter);
        st = settle_forward(c);
        struct cursor_step step = {buffer_bytes(&left), buffer_bytes(&c->high), false, NULL};
        if (c->has_row) {
            step.high = c->row.key;
            step.is_high_included = true;
        }
        st = tell_step(c, st, step);
    }
    buffer_release(&left);
    return end_move(c, st);
}

enum yore_status yore_cursor_prev(struct yore_cursor *c)
{
    if (c == NULL) {
        return YORE_INVALID;
    }
    if (c->is_fresh) {
        return yore_cursor_last(c);
    }
    if (!c->has_row) {
        return nowhere(c);
    }
    begin_move(c);
    if (!c->has_overlay) {
        version_iter_prev(c->iter);
        return end_move(c, settle_backward(c));
    }
    struct buffer left = {0};
    enum yore_status st = remember(c, &left);
    if (st == YORE_OK) {
        version_iter_prev(c->iter);
        st = settle_backward(c);
        struct cursor_step step = {c->has_row ? c->row.key : buffer_bytes(&c->low),
                                   buffer_bytes(&left), true, NULL};
        st = tell_step(c, st, step);
    }
    buffer_release(&left);
    return end_move(c, st);
}

const struct yore_row *yore_cursor_row(const struct yore_cursor *c)
{
    return c != NULL && c->has_row ? &c->row : NULL;
}

uint64_t cursor_keys_passed(const struct yore_cursor *c)
{
    return c->passed;
}

const struct yore_error *yore_cursor_error(const struct yore_cursor *c)
{
    return c != NULL ? &c->error : NULL;
}

/* ---- opening and closing ---- */

/* No version that a read of now could miss: everything is resolved and the moment is past all that
 * is in tables. */
static bool needs_no_history(const struct yore_cursor *c)
{
    int64_t flushed = c->view->forest->flushed_commit;
    if (c->tree == NULL) {
        return true;
    }
    if (c->moment.valid < flushed || c->moment.known < flushed || c->tree->unresolved_count > 0) {
        return false;
    }
    for (size_t i = 0; i <= c->view->waiting_count; i++) {
        struct memtable_bounds bounds;
        memtable_bounds(i == 0 ? c->view->active : c->view->waiting[i - 1], &bounds);
        if (bounds.back_dated_valid_min != INT64_MAX) {
            return false;
        }
    }
    return c->overlay.memtable == NULL;
}

enum yore_status cursor_open_overlay(struct yore_db *db, struct yore_keyspace *keyspace,
                                     const struct yore_cursor_options *options,
                                     const struct cursor_overlay *overlay,
                                     struct yore_cursor **cursor_out, struct yore_error *error_out)
{
    static const struct yore_cursor_options everything = {.at = NULL};
    options = options != NULL ? options : &everything;
    error_clear(error_out);
    struct yore_cursor *c = mem_zalloc(sizeof *c);
    if (c == NULL) {
        return error_plain(error_out, YORE_NOMEM);
    }
    c->db = db;
    c->keyspace = keyspace_or_default(db, keyspace);
    c->keys_only = options->keys_only;
    c->is_fresh = true;
    enum yore_status st = key_range_bounds(&options->range, &c->low, &c->high, error_out);
    if (st == YORE_OK && overlay != NULL) {
        c->moment = overlay->moment;
        c->view = overlay->view;
        superview_ref(c->view);
    } else if (st == YORE_OK) {
        st = read_begin(db, c->keyspace, options->at, &c->moment, &c->view, error_out);
    }
    if (st != YORE_OK) {
        yore_cursor_close(c);
        return st;
    }
    if (overlay != NULL) {
        c->overlay = *overlay;
        c->has_overlay = overlay->memtable != NULL || overlay->on_step != NULL;
        if (overlay->memtable != NULL) {
            memtable_ref(overlay->memtable);
        }
    }
    (void)read_moment_instant(db, &c->moment);
    c->tree = forest_tree(c->view->forest, c->keyspace->id);
    c->is_latest = needs_no_history(c);
    c->end = buffer_bytes(&c->high);
    c->as_of = c->moment.valid < c->moment.known ? c->moment.valid : c->moment.known;
    c->iter_view = (struct iter_view){.is_as_of = true,
                                      .valid = c->as_of,
                                      .known = c->moment.known,
                                      .no_cache_fill = options->no_cache_fill,
                                      .keys_only = options->keys_only,
                                      .high = &c->end,
                                      .commit_after = INT64_MIN};
    c->is_counted = !c->overlay.is_part;
    handles_add(&db->handles, HANDLE_cursor, c->is_counted);
    *cursor_out = c;
    return YORE_OK;
}

enum yore_status yore_cursor_open(struct yore_db *db, struct yore_keyspace *keyspace,
                                  const struct yore_cursor_options *options,
                                  struct yore_cursor **cursor_out, struct yore_error *error_out)
{
    if (db == NULL || cursor_out == NULL) {
        return error_null(error_out, __func__, "db, cursor_out");
    }
    return cursor_open_overlay(db, keyspace, options, NULL, cursor_out, error_out);
}

/* ---- from range to range ---- */

bool cursor_is_current(const struct yore_cursor *c)
{
    return c->view == atomic_load_explicit(&c->db->view, memory_order_relaxed);
}

enum yore_status cursor_set_part(struct yore_cursor *c, const struct yore_range *part)
{
    YORE_ASSERT(!c->has_overlay);
    begin_move(c);
    drop_row(c);
    if (!c->is_part) {
        c->all_low = c->low;
        c->all_high = c->high;
        c->low = (struct buffer){0};
        c->high = (struct buffer){0};
        c->is_part = true;
    }
    buffer_clear(&c->low);
    buffer_clear(&c->high);
    c->low.is_nomem = false;
    c->high.is_nomem = false;
    enum yore_status st = key_range_bounds(part, &c->low, &c->high, &c->error);
    c->end = buffer_bytes(&c->high);
    c->is_fresh = st == YORE_OK;
    if (c->iter != NULL) {
        bound_stretch(c);
    }
    return st;
}

void yore_cursor_close(struct yore_cursor *c)
{
    if (c == NULL) {
        return;
    }
    if (c->overlay.on_close != NULL) {
        c->overlay.on_close(c->overlay.arg);
    }
    handles_add(&c->db->handles, HANDLE_cursor, -(int)c->is_counted);
    stats_add(&c->db->stats, STAT_scan_rows, c->row_count);
    version_iter_free(c->iter);
    read_pin_release(&c->pin);
    if (c->overlay.memtable != NULL) {
        memtable_unref(c->overlay.memtable);
    }
    superview_release(c->view);
    buffer_release(&c->low);
    buffer_release(&c->high);
    buffer_release(&c->all_low);
    buffer_release(&c->all_high);
    mem_free(c);
}
