/* read.c -- one key at one moment.
 *
 * The answer is the greatest (valid_from, commit) among the versions with valid_from <= v and
 * commit <= c.  Sources are asked from the newest commits to the oldest, and the search ends early
 * only where nothing better can follow:
 *
 *
 * R1: A candidate in a memtable that is not back-dated beats everything in older sources: their
 * commits, hence their valid_froms, are smaller than its own.
 *
 * R2: The first resolved version met in the current tree, or an unresolved one before it that is
 * greater, is the newest of everything flushed.  If it qualifies it is the answer.  If it does not
 * (later than v, or than c), superseded versions may be deeper in the tree and in history, in any
 * order: all are asked.
 *
 * R3: A sealed slice that holds v has every version with commit <= slice.known (F4).  Of the
 * current tree only tables with back-dated versions of a later commit can add to it.
 *
 * R4: A slice carries no key that was dead at its start.  A candidate from outside that begins
 * before the slice and is not carried by it was over by the slice's start if the slice knew it when
 * it was sealed (commit <= known): the slice refutes it.  If the slice did not know it, an earlier
 * slice may hold what ended it: look back.
 *
 * R5: A carried copy with commit > c is invisible, and what it superseded lies in an earlier slice:
 * look back.  If that is a late fact which no slice has, it lies in a run (seal.c sees to it) or
 * beside the copy (late.c).
 *
 * R6: No version begins after its commit, so a read at (v, c) is one at (min(v, c), c); only what
 * ends is compared with v.  It is the slice of min(v, c) that leaves out no delete which the read
 * may not know.
 */
#include "base/hash.h"
#include "base/mem.h"
#include "engine/db_internal.h"
#include "engine/key_range.h"
#include "engine/refuse.h"

/* ---- pins ---- */

void read_pin_release(struct read_pin *pin)
{
    table_pin_release(&pin->page);
    superview_release(pin->view);
    mem_free(pin->heap);
    *pin = (struct read_pin){0};
}

/* ---- moments ---- */

static enum yore_status check_horizon(struct yore_db *db, const struct yore_keyspace *keyspace,
                                      const struct yore_time *at, const struct read_moment *moment,
                                      struct yore_error *error_out)
{
    int64_t horizon = atomic_load_explicit(&keyspace->horizon, memory_order_acquire);
    bool is_only_now = atomic_load_explicit(&keyspace->keep, memory_order_relaxed) == YORE_KEEP_NOW;
    int64_t earliest =
        at->known == YORE_NOW || moment->valid < moment->known ? moment->valid : moment->known;
    if ((earliest >= horizon && !is_only_now) || db_is_snapshot(db, at->valid, at->known)) {
        return YORE_OK;
    }
    if (is_only_now) {
        return error_set(error_out, YORE_BEFORE_HORIZON,
                         "keyspace %s keeps only now: it has no past to read", keyspace->name);
    }
    return refuse_before_horizon(keyspace, "the moment", earliest, horizon, error_out);
}

/* Everything of a moment but the horizon. */
static enum yore_status moment_resolve(struct yore_db *db, const struct yore_time *at,
                                       struct read_moment *moment_out, struct yore_error *error_out)
{
    struct read_moment moment = {.valid = INT64_MAX, .is_now = true};
    bool is_plain = at == NULL || (at->valid == YORE_NOW && at->known == YORE_NOW);
    if (!is_plain && (at->valid == INT64_MIN || at->known == INT64_MIN)) {
        return error_set(error_out, YORE_INVALID,
                         "a moment is out of range: the earliest is YORE_TIME_MIN");
    }
    if (!is_plain) {
        int64_t now = db_now(db);
        moment.is_now = at->valid == YORE_NOW;
        moment.valid = moment.is_now ? now : at->valid;
        moment.now = moment.valid;
        if (at->known != YORE_NOW && at->known > now) {
            return refuse_known(at->known, now, error_out);
        }
        if (at->known != YORE_NOW) {
            enum yore_status st = commit_wait_known(db, at->known, error_out);
            if (st != YORE_OK) {
                return st;
            }
        }
    }
    moment.known = atomic_load_explicit(&db->visible, memory_order_acquire);
    if (!is_plain && at->known < moment.known) {
        moment.known = at->known;
    }
    *moment_out = moment;
    return YORE_OK;
}

/* What was flushed since `visible` was looked at is visible too, and what it superseded may be
 * gone.
 */
static void see_flushed(const struct superview *view, const struct yore_time *at,
                        struct read_moment *moment)
{
    int64_t flushed = view->forest->flushed_commit;
    if ((at == NULL || at->known == YORE_NOW) && moment->known < flushed) {
        moment->known = flushed;
    }
}

/* An erasure takes effect a moment before its commit is visible, and with that what it wrote behind
 * its span: a reader of everything that is known waits for both. */
static bool is_ahead(const struct superview *view, const struct yore_time *at,
                     const struct read_moment *moment)
{
    return (at == NULL || at->known == YORE_NOW) &&
           erase_set_commit_max(view->erased) > moment->known &&
           db_check_writable(view->db, NULL) == YORE_OK;
}

enum yore_status read_begin(struct yore_db *db, struct yore_keyspace *keyspace,
                            const struct yore_time *at, struct read_moment *moment_out,
                            struct superview **view_out, struct yore_error *error_out)
{
    enum yore_status st = moment_resolve(db, at, moment_out, error_out);
    if (st != YORE_OK) {
        return st;
    }
    *view_out = superview_acquire(db);
    see_flushed(*view_out, at, moment_out);
    while (is_ahead(*view_out, at, moment_out)) {
        superview_release(*view_out);
        os_thread_yield();
        (void)moment_resolve(db, at, moment_out, NULL); /* known time is not asked: cannot fail */
        *view_out = superview_acquire(db);
        see_flushed(*view_out, at, moment_out);
    }
    int64_t dropped_at = atomic_load_explicit(&keyspace->dropped_at, memory_order_acquire);
    if (moment_out->known >= dropped_at && moment_out->valid >= dropped_at) {
        st = refuse_dropped(keyspace, error_out);
    } else if (at != NULL && (at->valid != YORE_NOW || at->known != YORE_NOW)) {
        st = check_horizon(db, keyspace, at, moment_out, error_out);
    }
    if (st != YORE_OK) {
        superview_release(*view_out);
        *view_out = NULL;
    }
    return st;
}

int64_t read_moment_instant(struct yore_db *db, struct read_moment *moment)
{
    if (moment->is_now && moment->now == 0) {
        moment->now = db_now(db);
    }
    return moment->now;
}

/* ---- the search ---- */

struct search {
    struct superview *view;
    const struct yore_keyspace *keyspace;
    const struct forest_tree *tree;     /* NULL: no tables */
    const struct forest_region *region; /* NULL: no history */
    struct yore_bytes key;
    uint64_t hash;
    int64_t valid;
    int64_t known;
    bool wants_any;
    bool in_memory;
    struct version best;       /* kind 0: none yet */
    struct read_pin *pin;      /* of best */
    bool is_outside;           /* best comes from outside the slices */
    enum stats_counter source; /* of best */
    struct yore_error *error_out;
};

static bool is_better(const struct search *s, const struct version *candidate)
{
    return s->best.kind == 0 || version_is_newer(candidate, &s->best);
}

static void take(struct search *s, const struct version *candidate, struct table_pin *page,
                 enum stats_counter source)
{
    if (!is_better(s, candidate)) {
        table_pin_release(page);
        return;
    }
    table_pin_release(&s->pin->page);
    s->pin->page = *page;
    s->best = *candidate;
    s->source = source;
    s->is_outside = source != STAT_reads_from_carried && source != STAT_reads_from_slices;
}

/* R1: true when the search is over. */
static bool search_memtables(struct search *s)
{
    struct superview *view = s->view;
    for (size_t i = 0; i <= view->waiting_count; i++) {
        const struct memtable *m = i == 0 ? view->active : view->waiting[i - 1];
        struct version candidate;
        struct table_pin none = {0};
        if (!memtable_begins_by(m, s->valid, s->known) ||
            !memtable_get(m, s->keyspace->id, s->key, s->valid, s->known, &candidate)) {
            continue;
        }
        take(s, &candidate, &none, STAT_reads_from_memtable);
        if (!version_is_back_dated(&candidate)) {
            return true;
        }
    }
    return false;
}

static enum yore_status ask_table(struct search *s, struct forest_file *file, int64_t valid,
                                  int64_t known, struct version *version_out,
                                  struct table_pin *page_out)
{
    struct version_place place = {s->key, valid, known};
    if (s->in_memory) {
        return table_get_in_memory(file->table, &place, s->hash, version_out, page_out);
    }
    return table_get_hashed(file->table, &place, s->hash, version_out, page_out, s->error_out);
}

/* Newest of what was met so far in the current tree (R2). */
struct newest {
    bool is_any;
    bool is_resolved;
    bool is_passed_over; /* a table of only later versions may have the key: unknown, and no answer
                          */
    struct version version;
};

static enum yore_status ask_current(struct search *s, struct forest_file *file, bool is_level0,
                                    struct newest *newest)
{
    struct version met;
    struct table_pin page = {0};
    if (file->meta->valid_min > s->valid || file->meta->commit_min > s->known) {
        /* The filter, not a page; it may have to be loaded, so that only memory tells less. */
        newest->is_passed_over |= s->in_memory || table_may_hold(file->table, s->key);
        return YORE_OK;
    }
    enum yore_status st = ask_table(s, file, INT64_MAX, INT64_MAX, &met, &page);
    if (st != YORE_OK) {
        return st == YORE_NOT_FOUND ? YORE_OK : st;
    }
    if (!newest->is_any || version_is_newer(&met, &newest->version)) {
        newest->version = met;
        newest->is_any = true;
    }
    newest->is_resolved |= (met.flags & VERSION_UNRESOLVED) == 0;
    if (met.valid_from <= s->valid && met.commit <= s->known) {
        take(s, &met, &page, is_level0 ? STAT_reads_from_l0 : STAT_reads_from_levels);
    } else {
        table_pin_release(&page);
    }
    return YORE_OK;
}

static bool newest_answers(const struct search *s, const struct newest *newest)
{
    return newest->is_resolved && !newest->is_passed_over &&
           newest->version.valid_from <= s->valid && newest->version.commit <= s->known;
}

/* R3: can this table of the current tree add anything, given the sealed slice that holds the moment
 * (NULL: none)? */
static bool can_add(const struct search *s, const struct forest_file *file,
                    const struct forest_slice *slice)
{
    const struct table_meta *meta = file->meta;
    if (slice == NULL) {
        return true;
    }
    return meta->valid_min <= s->valid && meta->back_dated_valid_min <= s->valid &&
           meta->back_dated_commit_max > slice->known && meta->commit_min <= s->known;
}

static bool file_covers(const struct forest_file *file, struct yore_bytes key)
{
    return bytes_compare(buffer_bytes(&file->meta->first_key), key) <= 0 &&
           bytes_compare(key, buffer_bytes(&file->meta->last_key)) <= 0;
}

/* YORE_NOT_FOUND: go on to history; YORE_OK: best is the answer. */
static enum yore_status search_current(struct search *s, const struct forest_slice *slice,
                                       struct newest *newest)
{
    for (size_t i = 0; i < LEVELS_MAX; i++) {
        const struct forest_level *level = &s->tree->levels[i];
        if (level->file_count == 0) {
            continue; /* most are */
        }
        size_t first = i == 0 ? 0 : level_find(level, s->key);
        size_t end = i == 0 ? level->file_count : first + 1;
        for (size_t j = first; j < end && j < level->file_count; j++) {
            struct forest_file *file = level->files[j];
            if (!file_covers(file, s->key) || !can_add(s, file, slice)) {
                continue;
            }
            enum yore_status st = ask_current(s, file, i == 0, newest);
            if (st != YORE_OK) {
                return st;
            }
            if (slice == NULL && newest_answers(s, newest)) {
                return YORE_OK;
            }
        }
    }
    return YORE_NOT_FOUND;
}

bool runs_can_serve(const struct yore_keyspace *keyspace, const struct forest_region *region,
                    int64_t known)
{
    bool can = atomic_load_explicit(&keyspace->keep, memory_order_relaxed) != YORE_KEEP_NOW;
    for (size_t i = 0; i < region->run_count && !can; i++) {
        can = known < region->runs[i]->known;
    }
    return can;
}

static enum yore_status search_runs(struct search *s)
{
    int64_t sealed_to = region_sealed_to(s->region);
    bool can_serve = runs_can_serve(s->keyspace, s->region, s->known);
    for (size_t i = s->region->run_count; can_serve && i-- > 0;) {
        struct forest_file *file = s->region->runs[i];
        struct version met;
        struct table_pin page = {0};
        if (file->meta->valid_min > s->valid || file->meta->commit_min > s->known ||
            !file_covers(file, s->key)) {
            continue;
        }
        enum yore_status st = ask_table(s, file, s->valid, s->known, &met, &page);
        if (st == YORE_OK) {
            take(s, &met, &page,
                 met.valid_from < sealed_to ? STAT_reads_from_late_runs : STAT_reads_from_runs);
        } else if (st != YORE_NOT_FOUND) {
            return st;
        }
    }
    return YORE_OK;
}

/* Did the slice know `best` when it was sealed, and leave it out because it was not in force at the
 * slice's start?  (Not told where the slice hides something that the read may not know: R5.) */
static bool slice_refutes(const struct search *s, const struct forest_slice *slice)
{
    return s->best.kind != 0 && s->is_outside && s->best.valid_from < slice->t0 &&
           s->best.commit <= slice->known && slice_carried_commit_max(slice) <= s->known;
}

static void take_from_slice(struct search *s, const struct forest_slice *slice,
                            const struct version *met, struct table_pin *page)
{
    bool is_copy = (met->flags & VERSION_CARRIED) != 0;
    bool is_best =
        s->best.kind != 0 && met->valid_from == s->best.valid_from && met->commit == s->best.commit;
    if (is_best) { /* the slice confirms it */
        s->is_outside = false;
        table_pin_release(page);
        return;
    }
    if (slice_refutes(s, slice)) {
        s->best.kind = 0;
    }
    take(s, met, page, is_copy ? STAT_reads_from_carried : STAT_reads_from_slices);
}

static enum yore_status ask_slice(struct search *s, const struct forest_slice *slice)
{
    struct version met;
    struct table_pin page = {0};
    struct forest_file *file = slice_file(slice, s->key);
    enum yore_status st = YORE_NOT_FOUND;
    if (file != NULL) {
        st = ask_table(s, file, s->valid, s->known, &met, &page);
    }
    if (st == YORE_OK) {
        take_from_slice(s, slice, &met, &page);
    } else if (st == YORE_NOT_FOUND && slice_refutes(s, slice)) {
        table_pin_release(&s->pin->page);
        s->best.kind = 0;
    }
    return st == YORE_NOT_FOUND ? YORE_OK : st;
}

/* Must the slice before this one be asked too (R4, R5)? */
static bool must_look_back(const struct search *s, const struct forest_slice *slice)
{
    bool is_any = s->best.kind != 0;
    if (!is_any && s->wants_any) {
        return true; /* deletes are not carried */
    }
    if (is_any && s->best.valid_from >= slice->t0) {
        return false;
    }
    if (slice_carried_commit_max(slice) > s->known) {
        return true;
    }
    return is_any && s->is_outside && s->best.commit > slice->known &&
           (s->wants_any || s->best.kind != YORE_KIND_DELETE);
}

static enum yore_status search_slices(struct search *s, size_t index)
{
    for (size_t i = index + 1; i-- > 0;) {
        const struct forest_slice *slice = &s->region->slices[i];
        enum yore_status st = ask_slice(s, slice);
        if (st != YORE_OK) {
            return st;
        }
        if (!must_look_back(s, slice)) {
            break;
        }
        stats_add(&s->view->db->stats, STAT_look_backs, 1);
    }
    return YORE_OK;
}

static enum yore_status search_history(struct search *s, size_t slice_index)
{
    if (s->region == NULL) {
        return YORE_OK;
    }
    enum yore_status st = search_runs(s);
    if (st == YORE_OK && slice_index < s->region->slice_count) {
        st = search_slices(s, slice_index);
    }
    return st;
}

static enum yore_status search_tables(struct search *s)
{
    struct newest newest = {0};
    const struct forest_slice *slice = NULL;
    int64_t flushed = s->view->forest->flushed_commit;
    bool is_latest = s->valid >= flushed && s->known >= flushed;
    size_t slice_index = s->region != NULL ? region_slice_at(s->region, s->valid) : 0;
    /* The slice of the last commit itself may just have been sealed: the present is quicker. */
    if (s->region != NULL && !is_latest && s->valid < region_sealed_to(s->region) &&
        slice_index < s->region->slice_count) {
        slice = &s->region->slices[slice_index];
    }
    enum yore_status st = search_current(s, slice, &newest);
    if (st != YORE_NOT_FOUND) {
        return st;
    }
    /* A read of now that met nothing, or only what is resolved, needs no history: the newest
     * version of a key leaves the current tree only as a delete or expired. */
    bool is_unsettled = s->best.kind != 0 && s->best.kind != YORE_KIND_DELETE;
    if (is_latest && !is_unsettled && !s->wants_any) {
        return YORE_OK;
    }
    return search_history(s, slice_index);
}

enum yore_status read_winner(struct superview *view, struct yore_keyspace *keyspace,
                             struct yore_bytes key, const struct read_moment *moment,
                             struct version *version_out, struct read_pin *pin,
                             struct yore_error *error_out)
{
    struct search s = {.view = view,
                       .keyspace = keyspace,
                       .key = key,
                       .valid = moment->valid < moment->known ? moment->valid : moment->known,
                       .known = moment->known,
                       .wants_any = moment->wants_any,
                       .in_memory = moment->in_memory,
                       .pin = pin,
                       .error_out = error_out};
    enum yore_status st = YORE_OK;
    *pin = (struct read_pin){0};
    if (!search_memtables(&s)) {
        s.tree = forest_tree(view->forest, keyspace->id);
        if (s.tree != NULL) {
            s.region = tree_region(s.tree, key);
            s.hash = hash_bytes(key);
            st = search_tables(&s);
        }
    }
    if (st == YORE_OK && s.best.kind == 0) {
        st = YORE_NOT_FOUND;
    }
    if (st != YORE_OK) {
        read_pin_release(pin);
        return st;
    }
    if (s.source == STAT_reads_from_memtable) {
        table_pin_release(&pin->page);
        if (!moment->gives_view) {
            superview_ref(view);
        }
        pin->view = view;
    }
    stats_add(&view->db->stats, s.source, 1);
    *version_out = s.best;
    version_out->key = key;
    return YORE_OK;
}

/* style: parameters because a place in history is a region, a slice and a key, and the answer
 * improves one that is there. */
enum yore_status read_look_back(struct superview *view, const struct forest_region *region,
                                size_t slice_index, struct yore_bytes key,
                                const struct read_moment *moment, struct version *best,
                                struct read_pin *pin, struct yore_error *error_out)
{
    struct search s = {.view = view,
                       .region = region,
                       .key = key,
                       .hash = hash_bytes(key),
                       .valid = moment->valid < moment->known ? moment->valid : moment->known,
                       .known = moment->known,
                       .wants_any = moment->wants_any,
                       .best = *best,
                       .is_outside = (best->flags & (VERSION_CARRIED | VERSION_ALSO_CARRIED)) == 0,
                       .pin = pin,
                       .error_out = error_out};
    enum yore_status st = YORE_OK;
    if (slice_index > 0 && region->slice_count > 0) {
        st = search_slices(
            &s, (slice_index < region->slice_count ? slice_index : region->slice_count) - 1);
    }
    if (st == YORE_OK && s.best.kind == 0) {
        return YORE_NOT_FOUND;
    }
    if (st == YORE_OK) {
        *best = s.best;
        best->key = key;
    }
    return st;
}

/* ---- judging and fetching ---- */

enum yore_status read_judge(struct superview *view, const struct yore_keyspace *keyspace,
                            struct read_moment *moment, const struct version *winner)
{
    /* Where there was no value to destroy, absence is still the answer: what is deleted or expired
     * leaves the tables sooner or later, and the answer must not depend on when. */
    if (winner->kind == YORE_KIND_DELETE) {
        return YORE_NOT_FOUND;
    }
    if (winner->valid_to != YORE_FOREVER &&
        winner->valid_to <= read_moment_instant(view->db, moment)) {
        return YORE_NOT_FOUND;
    }
    if (winner->kind == YORE_KIND_ERASED) {
        return YORE_ERASED;
    }
    if (erase_set_count(view->erased) == 0) {
        return YORE_OK;
    }
    bool is_erased = erase_set_hides(view->erased, keyspace->id, winner) ||
                     erase_set_covers(view->erased, keyspace->id, winner->key,
                                      read_moment_instant(view->db, moment), winner->commit);
    return is_erased ? YORE_ERASED : YORE_OK;
}

enum yore_status read_fetch(struct superview *view, struct version *version, struct read_pin *pin,
                            struct yore_error *error_out)
{
    if ((version->flags & VERSION_APART) == 0) {
        return YORE_OK;
    }
    void *data;
    size_t size;
    enum yore_status st = values_get(view->db->values, view->forest, version->value, version->key,
                                     &data, &size, error_out);
    if (st == YORE_OK) {
        mem_free(pin->heap); /* of a transaction's own version: what named the value */
        pin->heap = data;
        version->value = bytes_of(data, size);
        version->flags &= ~(unsigned)VERSION_APART;
    }
    return st;
}

/* ---- the public face ---- */

void yore_value_release(struct yore_value *value)
{
    if (value == NULL) {
        return;
    }
    struct read_pin pin = {{value->pin[0]}, value->pin[1], value->pin[2]};
    read_pin_release(&pin);
    *value = (struct yore_value){0};
}

/* Where the moment gives the view, the caller has it no more. */
static enum yore_status read_one(struct superview *view, struct yore_keyspace *keyspace,
                                 struct yore_bytes key, struct read_moment *moment,
                                 struct yore_value *value_out, struct yore_error *error_out)
{
    struct version version;
    struct read_pin pin = {0};
    struct yore_db *db = view->db;
    bool is_sampled = stats_add(&db->stats, STAT_reads, 1) % STATS_READ_SAMPLE == 0;
    int64_t begin = is_sampled ? os_monotonic_ns(db->env) : 0;
    enum yore_status st = read_winner(view, keyspace, key, moment, &version, &pin, error_out);
    if (st == YORE_OK) {
        st = read_judge(view, keyspace, moment, &version);
    }
    if (st == YORE_OK && moment->in_memory && (version.flags & VERSION_APART) != 0) {
        st = YORE_BUSY;
    }
    if (st == YORE_OK) {
        st = read_fetch(view, &version, &pin, error_out);
    }
    if (is_sampled) {
        histogram_add(&db->stats.histograms[HIST_read_latency_us],
                      (uint64_t)(os_monotonic_ns(db->env) - begin) / 1000);
    }
    if (moment->gives_view && pin.view == NULL) {
        superview_release(view);
    }
    if (st != YORE_OK) {
        stats_add(&db->stats, STAT_reads_absent, st == YORE_NOT_FOUND);
        read_pin_release(&pin);
        return st;
    }
    *value_out = (struct yore_value){.data = version.value.data,
                                     .size = version.value.size,
                                     .valid_from = version.valid_from,
                                     .valid_to = version.valid_to,
                                     .commit = version.commit,
                                     .pin = {pin.page.frame, pin.view, pin.heap}};
    return YORE_OK;
}

static enum yore_status get(struct yore_db *db, struct yore_keyspace *keyspace,
                            struct yore_bytes key, const struct yore_time *at, bool in_memory,
                            struct yore_value *value_out, struct yore_error *error_out)
{
    struct read_moment moment;
    error_clear(error_out);
    *value_out = (struct yore_value){0};
    enum yore_status st = key_check(key, error_out);
    keyspace = keyspace_or_default(db, keyspace);
    if (st != YORE_OK) {
        return st;
    }
    struct superview *view = NULL;
    st = read_begin(db, keyspace, at, &moment, &view, error_out);
    if (st == YORE_OK) {
        moment.in_memory = in_memory;
        moment.gives_view = true;
        st = read_one(view, keyspace, key, &moment, value_out, error_out);
    }
    if (st != YORE_OK && error_out != NULL && error_out->text[0] == '\0') {
        error_plain(error_out, st);
    }
    return st;
}

enum yore_status yore_get(struct yore_db *db, struct yore_keyspace *keyspace, struct yore_bytes key,
                          const struct yore_time *at, struct yore_value *value_out,
                          struct yore_error *error_out)
{
    if (db == NULL || value_out == NULL) {
        return error_null(error_out, __func__, "db, value_out");
    }
    return get(db, keyspace, key, at, false, value_out, error_out);
}

enum yore_status yore_get_in_memory(struct yore_db *db, struct yore_keyspace *keyspace,
                                    struct yore_bytes key, const struct yore_time *at,
                                    struct yore_value *value_out, struct yore_error *error_out)
{
    if (db == NULL || value_out == NULL) {
        return error_null(error_out, __func__, "db, value_out");
    }
    bool may_wait = at != NULL && at->known != YORE_NOW &&
                    at->known > atomic_load_explicit(&db->visible, memory_order_acquire);
    if (may_wait) { /* for commits in flight */
        *value_out = (struct yore_value){0};
        return error_plain(error_out, YORE_BUSY);
    }
    return get(db, keyspace, key, at, true, value_out, error_out);
}

enum yore_status yore_get_many(struct yore_db *db, struct yore_keyspace *keyspace,
                               const struct yore_get_many *request, const struct yore_time *at,
                               struct yore_error *error_out)
{
    if (db == NULL || request == NULL || request->keys == NULL || request->values_out == NULL ||
        request->statuses_out == NULL) {
        return error_null(error_out, __func__, "db, request, what its fields point at");
    }
    struct read_moment moment;
    error_clear(error_out);
    keyspace = keyspace_or_default(db, keyspace);
    if (request->count == 0 || request->count > 65536) {
        return error_set(error_out, YORE_INVALID, "%zu keys asked for: 1 to 65,536 are allowed",
                         request->count);
    }
    struct superview *view = NULL;
    enum yore_status st = read_begin(db, keyspace, at, &moment, &view, error_out);
    size_t done = 0;
    for (; st == YORE_OK && done < request->count; done++) {
        request->values_out[done] = (struct yore_value){0};
        st = key_check(request->keys[done], error_out);
        if (st == YORE_OK) {
            st = read_one(view, keyspace, request->keys[done], &moment, &request->values_out[done],
                          error_out);
        }
        request->statuses_out[done] = st;
        if (st == YORE_NOT_FOUND || st == YORE_ERASED) {
            st = YORE_OK;
        }
    }
    superview_release(view);
    if (st != YORE_OK) {
        for (size_t i = 0; i < done; i++) {
            yore_value_release(&request->values_out[i]);
        }
    }
    return st;
}
