/* feed.c -- every commit after one, in commit order.
 *
 * The journal is the feed as long as it reaches back far enough.  What it has given back is rebuilt
 * from the tables window by window (feed_window.h), until the journal reaches again.  Erased values
 * are told as erased, wherever they are read from.
 *
 * A load is in the journal by name only, and told from the tables, in parts when it is large; so is
 * a commit that is larger than a window.
 *
 * Of the writes of a commit to one key and moment the last is told: tables have no other, and of a
 * record the others are left out (feed_last.h).  From tables a commit is told in key order, and as
 * it was written: retention takes nothing from commits after the horizon (trim.c).
 *
 * A feed of what is kept is no feed of commits: one walk over one view of a keyspace, every version
 * there is.
 */
#include "engine/feed.h"

#include "base/assert.h"
#include "base/mem.h"
#include "engine/feed_last.h"
#include "engine/feed_stream.h"
#include "engine/feed_window.h"
#include "engine/refuse.h"

#define WRITES_KEPT 4096u          /* room for so many is kept from one commit to the next, */
#define PART_BYTES_KEPT (4u << 20) /* and so much for parts */

struct yore_feed {
    struct yore_db *db;
    struct feed_scope scope;
    bool is_following; /* a watch's */
    bool is_kept;      /* `stream` over `view` is all there is */
    const atomic_bool *is_cancelled;
    int64_t after;                 /* everything up to here has been told, or was not asked for */
    int64_t limit;                 /* no commit behind it is told */
    struct journal_reader *reader; /* NULL: not there yet */
    struct yore_bytes record;      /* read, and not told yet; data is NULL when there is none */
    struct feed_window window;
    size_t window_index;
    struct feed_stream stream; /* of a commit that is told in parts */
    uint64_t stream_count;     /* writes it must have; UINT64_MAX: as many as there are */
    struct arena part;         /* what the stream's last part points into */
    bool is_in_parts;          /* of a commit some was told, and not the last */
    struct superview *view;    /* what window and stream are read from */
    struct yore_feed_write *writes;
    size_t write_count;
    size_t write_capacity;
    void **heap; /* values that were fetched */
    size_t heap_count;
    size_t heap_capacity;
    struct yore_error failure;
};

/* ---- opening ---- */

/* From tables, may a commit after `after` be missing? */
static enum yore_status check_complete(const struct yore_feed *feed, const struct forest *forest,
                                       struct yore_error *error_out)
{
    int64_t after = feed->after;
    for (size_t i = 0;; i++) {
        const struct yore_keyspace *keyspace = feed_keyspace(feed->db, i);
        if (keyspace == NULL) {
            return YORE_OK;
        }
        if (keyspace->id == KEYSPACE_SYSTEM ||
            !feed_scope_has_keyspace(&feed->scope, keyspace->id)) {
            continue;
        }
        int64_t horizon = atomic_load_explicit(&keyspace->horizon, memory_order_acquire);
        bool is_only_now =
            atomic_load_explicit(&keyspace->keep, memory_order_relaxed) == YORE_KEEP_NOW;
        if (horizon > after && horizon != YORE_TIME_MIN) {
            char texts[2][MOMENT_TEXT_BYTES];
            bool is_end = horizon == atomic_load(&keyspace->dropped_at);
            return error_set(error_out, YORE_BEFORE_HORIZON,
                             "commits after %s (%lld) are no longer all kept: %s keyspace %s %s "
                             "%s; begin then or later, or ask for other keyspaces one by one",
                             moment_told(after, texts[0]), (long long)after,
                             is_end ? "what" : "the horizon of", keyspace->name,
                             is_end ? "held left with its drop at" : "is",
                             moment_told(horizon, texts[1]));
        }
        if (is_only_now && forest->flushed_commit > after &&
            forest_tree(forest, keyspace->id) != NULL) {
            char told[MOMENT_TEXT_BYTES];
            return error_set(error_out, YORE_BEFORE_HORIZON,
                             "commits after %s (%lld) are no longer all kept: keyspace %s keeps "
                             "only now, and the journal does not reach back so far; begin later, "
                             "or leave the keyspace out",
                             moment_told(after, told), (long long)after, keyspace->name);
        }
    }
}

/* YORE_NOT_FOUND: the journal does not reach back to `after`. */
static enum yore_status open_reader(struct yore_feed *feed, struct yore_error *error_out)
{
    struct journal *journal = feed->db->journal;
    enum yore_status st =
        feed->is_following ? journal_reader_follow(journal, feed->after, &feed->reader, error_out)
                           : journal_reader_open(journal, feed->after, &feed->reader, error_out);
    if (st == YORE_BEFORE_HORIZON) {
        error_clear(error_out);
        return YORE_NOT_FOUND;
    }
    return st;
}

static enum yore_status collect(struct yore_feed *feed, struct yore_error *error_out)
{
    feed->view = superview_acquire(feed->db);
    feed->window_index = 0;
    struct feed_span span = {&feed->scope, feed->is_cancelled, feed->after, feed->limit};
    enum yore_status st = check_complete(feed, feed->view->forest, error_out);
    if (st == YORE_OK) {
        st = feed_window_collect(&feed->window, feed->view, &span, error_out);
    }
    if (st != YORE_OK) {
        feed->window.count = 0;
        superview_release(feed->view);
        feed->view = NULL;
    }
    return st;
}

static enum yore_status begin(struct yore_feed *feed, struct yore_error *error_out)
{
    enum yore_status st = open_reader(feed, error_out);
    if (st == YORE_NOT_FOUND) {
        struct superview *view = superview_acquire(feed->db);
        st = check_complete(feed, view->forest, error_out);
        superview_release(view);
    }
    return st;
}

static void begin_stream(struct yore_feed *feed)
{
    feed_stream_begin(&feed->stream, feed->view, feed->limit,
                      db_keyspace(feed->db, feed->scope.keyspace->id), &feed->scope);
    feed->stream.is_up_to = true;
}

static enum yore_status begin_kept(struct yore_feed *feed, struct yore_error *error_out)
{
    struct read_moment moment;
    struct yore_keyspace *keyspace = db_keyspace(feed->db, feed->scope.keyspace->id);
    enum yore_status st = read_begin(feed->db, keyspace, NULL, &moment, &feed->view, error_out);
    if (st == YORE_OK) {
        feed->limit = moment.known;
        begin_stream(feed);
    }
    return st;
}

enum yore_status feed_open(struct yore_db *db, struct feed_options *options,
                           struct yore_feed **feed_out, struct yore_error *error_out)
{
    *feed_out = NULL;
    struct yore_feed *feed = mem_zalloc(sizeof *feed);
    if (feed == NULL) {
        feed_scope_release(&options->scope);
        return error_plain(error_out, YORE_NOMEM);
    }
    feed->db = db;
    feed->scope = options->scope;
    feed->is_following = options->is_following;
    feed->is_cancelled = options->is_cancelled;
    handles_add(&db->handles, HANDLE_feed, !feed->is_following);
    feed->after = options->after;
    feed->limit = options->limit;
    feed->is_kept = options->is_kept;
    enum yore_status st = feed->is_kept ? begin_kept(feed, error_out) : begin(feed, error_out);
    if (st != YORE_OK) {
        yore_feed_close(feed);
        return st;
    }
    *feed_out = feed;
    return YORE_OK;
}

enum yore_status feed_check_after(struct yore_db *db, int64_t after, const char *what,
                                  struct yore_error *error_out)
{
    if (after < YORE_TIME_MIN) {
        return error_set(error_out, YORE_INVALID,
                         "the %s begins after a commit out of range: YORE_TIME_MIN begins with the "
                         "first there is",
                         what);
    }
    int64_t now = db_now(db);
    if (after > now) {
        char texts[2][MOMENT_TEXT_BYTES];
        return error_set(error_out, YORE_IN_FUTURE,
                         "the %s begins after commit %s, but now is %s: name a commit that was; "
                         "for those to come, watch from now on",
                         what, moment_told(after, texts[0]), moment_told(now, texts[1]));
    }
    return YORE_OK;
}

enum yore_status yore_feed_open(struct yore_db *db, int64_t after_commit,
                                struct yore_feed **feed_out, struct yore_error *error_out)
{
    if (db == NULL || feed_out == NULL) {
        return error_null(error_out, __func__, "db, feed_out");
    }
    error_clear(error_out);
    *feed_out = NULL;
    struct feed_options options = {
        .after = after_commit, .limit = atomic_load_explicit(&db->visible, memory_order_acquire)};
    enum yore_status st = feed_check_after(db, after_commit, "feed", error_out);
    return st == YORE_OK ? feed_open(db, &options, feed_out, error_out) : st;
}

enum yore_status yore_feed_open_kept(struct yore_db *db, struct yore_keyspace *keyspace,
                                     const struct yore_range *range, struct yore_feed **feed_out,
                                     struct yore_error *error_out)
{
    if (db == NULL || feed_out == NULL) {
        return error_null(error_out, __func__, "db, feed_out");
    }
    static const struct yore_range all;
    struct feed_options options = {.is_kept = true};
    error_clear(error_out);
    *feed_out = NULL;
    keyspace = keyspace_or_default(db, keyspace);
    if (atomic_load_explicit(&keyspace->keep, memory_order_relaxed) == YORE_KEEP_NOW) {
        return error_set(error_out, YORE_UNSUPPORTED,
                         "keyspace %s keeps only now: its rows are all there is", keyspace->name);
    }
    enum yore_status st =
        feed_scope_init(&options.scope, keyspace, range != NULL ? range : &all, error_out);
    return st == YORE_OK ? feed_open(db, &options, feed_out, error_out) : st;
}

void feed_extend(struct yore_feed *feed, int64_t limit)
{
    feed->limit = limit > feed->limit ? limit : feed->limit;
}

int64_t feed_position(const struct yore_feed *feed)
{
    return feed->after;
}

static void forget_told(struct yore_feed *feed)
{
    for (size_t i = 0; i < feed->heap_count; i++) {
        mem_free(feed->heap[i]);
    }
    feed->heap_count = 0;
    feed->write_count = 0;
    if (feed->write_capacity > WRITES_KEPT) {
        mem_free(feed->writes);
        feed->writes = NULL;
        feed->write_capacity = 0;
    }
    if (feed->heap_capacity > WRITES_KEPT) {
        mem_free(feed->heap);
        feed->heap = NULL;
        feed->heap_capacity = 0;
    }
    if (feed->part.bytes > PART_BYTES_KEPT) {
        arena_release(&feed->part);
    } else {
        arena_reset(&feed->part);
    }
}

void yore_feed_close(struct yore_feed *feed)
{
    if (feed == NULL) {
        return;
    }
    forget_told(feed);
    journal_reader_close(feed->reader);
    feed_window_release(&feed->window);
    feed_stream_release(&feed->stream);
    arena_release(&feed->part);
    feed_scope_release(&feed->scope);
    superview_release(feed->view);
    mem_free(feed->writes);
    mem_free(feed->heap);
    handles_add(&feed->db->handles, HANDLE_feed, -(int)!feed->is_following);
    mem_free(feed);
}

/* ---- telling ---- */

static bool make_room(struct yore_feed *feed)
{
    struct yore_feed_write *writes =
        mem_grow(feed->writes, feed->write_count, &feed->write_capacity, sizeof *writes);
    if (writes == NULL) {
        return false;
    }
    feed->writes = writes;
    void **heap = mem_grow(feed->heap, feed->heap_count, &feed->heap_capacity, sizeof *heap);
    if (heap == NULL) {
        return false;
    }
    feed->heap = heap;
    return true;
}

/* Is the version still in a memtable or table, and more than an end that hides what was before? */
static enum yore_status find_kept(struct yore_feed *feed, uint32_t keyspace,
                                  const struct version *version, bool *is_kept_out,
                                  struct yore_error *error_out)
{
    struct iter_view every = {.known = INT64_MAX, .commit_after = INT64_MIN};
    struct version_place place = {version->key, version->valid_from, version->commit};
    struct version_iter *it = NULL;
    const struct source_range range = {
        .low = version->key, .valid_low = version->valid_from, .valid_high = version->valid_from};
    enum yore_status st =
        sources_of_key(feed->view, db_keyspace(feed->db, keyspace), &range, &every, &it, error_out);
    if (st == YORE_OK) {
        version_iter_seek(it, &place);
        *is_kept_out = it->is_valid && bytes_equal(it->at.key, version->key) &&
                       it->at.valid_from == version->valid_from &&
                       it->at.commit == version->commit && it->at.kind != YORE_KIND_DELETE;
        st = it->is_valid ? YORE_OK : it->status;
        if (st != YORE_OK && error_out != NULL) {
            *error_out = it->error;
        }
    }
    version_iter_free(it);
    return st;
}

/* Where a value is missing: damage, unless retention let its version go while the journal still
 * names it. */
static enum yore_status explain_missing(struct yore_feed *feed, uint32_t keyspace,
                                        const struct version *version, enum yore_status failure,
                                        struct yore_error *error_out)
{
    bool is_kept = true;
    struct yore_error error;
    enum yore_status st = find_kept(feed, keyspace, version, &is_kept, &error);
    if (st == YORE_OK && !is_kept) {
        return error_set(error_out, YORE_BEFORE_HORIZON, "a value of commit %lld is no longer kept",
                         (long long)version->commit);
    }
    return failure == YORE_NOT_FOUND
               ? error_set(error_out, YORE_CORRUPT, "a value of commit %lld is missing",
                           (long long)version->commit)
               : failure;
}

static enum yore_status fetch(struct yore_feed *feed, uint32_t keyspace, struct version *version,
                              struct yore_error *error_out)
{
    struct read_pin pin = {0};
    enum yore_status st = read_fetch(feed->view, version, &pin, error_out);
    if (st == YORE_OK && pin.heap != NULL) {
        feed->heap[feed->heap_count++] = pin.heap;
    }
    if (st == YORE_NOT_FOUND || st == YORE_CORRUPT) {
        st = explain_missing(feed, keyspace, version, st, error_out);
    }
    return st;
}

static bool is_in_scope(const struct yore_feed *feed, uint32_t keyspace, struct yore_bytes key)
{
    return feed_scope_has_keyspace(&feed->scope, keyspace) && feed_scope_has_key(&feed->scope, key);
}

/* `erased` is of the moment of telling: a window may be older. */
static enum yore_status add_write(struct yore_feed *feed, const struct erase_set *erased,
                                  uint32_t keyspace, struct version version,
                                  struct yore_error *error_out)
{
    bool is_gone = version.kind == YORE_KIND_ERASED ||
                   (version.kind == YORE_KIND_PUT && erase_set_hides(erased, keyspace, &version));
    enum yore_status st = YORE_OK;
    if (!is_in_scope(feed, keyspace, version.key)) {
        return YORE_OK;
    }
    if (!make_room(feed)) {
        return error_plain(error_out, YORE_NOMEM);
    }
    if (is_gone) {
        version.kind = YORE_KIND_ERASED;
        version.value = bytes_of(NULL, 0);
    } else {
        st = fetch(feed, keyspace, &version, error_out);
    }
    if (st == YORE_OK) {
        feed->writes[feed->write_count++] =
            (struct yore_feed_write){.keyspace_id = keyspace,
                                     .kind = version.kind,
                                     .key = version.key,
                                     .value = version.value,
                                     .valid_from = version.valid_from,
                                     .valid_to = version.valid_to};
    }
    return st;
}

/* Everything up to here is told. */
static void reach(struct yore_feed *feed, int64_t commit)
{
    feed->after = commit > feed->after ? commit : feed->after;
}

static void tell(struct yore_feed *feed, int64_t commit, bool has_more,
                 struct yore_feed_commit *commit_out)
{
    if (!has_more) {
        feed->after = commit;
    }
    *commit_out = (struct yore_feed_commit){.commit = commit,
                                            .writes = feed->writes,
                                            .write_count = feed->write_count,
                                            .has_more = has_more};
}

/* ---- in parts ---- */

static uint64_t last_write_bytes(const struct yore_feed *feed)
{
    const struct yore_feed_write *last =
        feed->write_count > 0 ? &feed->writes[feed->write_count - 1] : NULL;
    return last != NULL ? sizeof *last + last->key.size + last->value.size : 0;
}

/* Nothing a keyspace keeps for ever can be missing from what `after` has seen none of. */
static bool is_all_kept(const struct yore_keyspace *keyspace, int64_t after)
{
    int64_t horizon = atomic_load_explicit(&keyspace->horizon, memory_order_acquire);
    return (horizon <= after || horizon == YORE_TIME_MIN) &&
           atomic_load_explicit(&keyspace->keep, memory_order_relaxed) != YORE_KEEP_NOW;
}

/* Begin to tell a load, whose record was read. */
static void begin_load(struct yore_feed *feed, const struct commit_decoder *decoder)
{
    struct yore_keyspace *keyspace = db_keyspace(feed->db, decoder->load.keyspace);
    bool is_counted = feed_scope_is_all(&feed->scope) || !is_all_kept(keyspace, feed->after);
    feed_stream_begin(&feed->stream, feed->view, decoder->commit, keyspace,
                      is_counted ? NULL : &feed->scope);
    feed->stream_count = is_counted ? decoder->load.count : UINT64_MAX;
    feed->record = bytes_of(NULL, 0);
}

static enum yore_status end_stream(struct yore_feed *feed, struct yore_feed_commit *commit_out,
                                   struct yore_error *error_out)
{
    int64_t commit = feed->stream.commit;
    bool is_whole = feed->stream_count == UINT64_MAX || feed->stream_count == feed->stream.done;
    feed_stream_release(&feed->stream);
    if (feed->reader != NULL) { /* else the window's */
        superview_release(feed->view);
        feed->view = NULL;
    }
    if (!is_whole) {
        return error_set(error_out, YORE_BEFORE_HORIZON,
                         "of the load at %lld some versions are no longer kept", (long long)commit);
    }
    tell(feed, commit, false, commit_out);
    return YORE_OK;
}

static enum yore_status add_part(struct yore_feed *feed, const struct erase_set *erased,
                                 struct yore_error *error_out)
{
    struct version version;
    uint32_t keyspace;
    uint64_t bytes = 0;
    enum yore_status st = YORE_OK;
    while (st == YORE_OK && bytes < feed->db->feed_window_bytes) {
        st = feed_stream_next(&feed->stream, &keyspace, &version, error_out);
        if (st != YORE_OK || !is_in_scope(feed, keyspace, version.key)) {
            continue;
        }
        if (!arena_copy_bytes(&feed->part, &version.key) ||
            !arena_copy_bytes(&feed->part, &version.value)) {
            return error_plain(error_out, YORE_NOMEM);
        }
        st = add_write(feed, erased, keyspace, version, error_out);
        bytes += last_write_bytes(feed);
    }
    return st;
}

static enum yore_status next_in_stream(struct yore_feed *feed, struct yore_feed_commit *commit_out,
                                       struct yore_error *error_out)
{
    struct superview *latest = superview_acquire(feed->db);
    enum yore_status st = add_part(feed, latest->erased, error_out);
    superview_release(latest);
    if (st == YORE_NOT_FOUND) {
        return end_stream(feed, commit_out, error_out);
    }
    if (st == YORE_OK) {
        tell(feed, feed->stream.commit, true, commit_out);
    }
    return st;
}

/* ---- from the journal ---- */

/* Read the next record.  Where the journal has given its segment back meanwhile, the reader is
 * closed. */
static enum yore_status read_record(struct yore_feed *feed, struct yore_error *error_out)
{
    enum yore_status st = journal_reader_next(feed->reader, &feed->record, error_out);
    if (st == YORE_NOT_FOUND) {
        reach(feed, feed->limit);
    } else if (st == YORE_BEFORE_HORIZON) {
        journal_reader_close(feed->reader);
        feed->reader = NULL;
        error_clear(error_out);
        st = YORE_OK;
    }
    return st;
}

static enum yore_status add_record_writes(struct yore_feed *feed, struct commit_decoder *decoder,
                                          struct yore_error *error_out)
{
    struct commit_write write;
    struct feed_last last;
    enum yore_status st = feed_last_collect(&last, decoder);
    if (st != YORE_OK) {
        return error_plain(error_out, st);
    }
    while (st == YORE_OK) {
        const unsigned char *at = decoder->d.at;
        st = commit_decoder_next(decoder, &write);
        if (st == YORE_OK && feed_last_counts(&last, &write, at)) {
            struct version version = {.key = write.key,
                                      .valid_from = write.valid_from,
                                      .commit = decoder->commit,
                                      .valid_to = write.valid_to,
                                      .kind = write.kind,
                                      .flags = write.is_apart ? VERSION_APART : 0,
                                      .value = write.value};
            st = add_write(feed, feed->view->erased, write.keyspace, version, error_out);
        } else if (st == YORE_CORRUPT) {
            error_set(error_out, st, "the journal's record of commit %lld is damaged",
                      (long long)decoder->commit);
        }
    }
    feed_last_release(&last);
    return st == YORE_NOT_FOUND ? YORE_OK : st;
}

/* A record that waited for the limit may have been purged meanwhile, and the rule that hides its
 * values have left with it: then the tables tell the commit.  `*is_gone_out`. */
static void drop_purged(struct yore_feed *feed, int64_t commit, bool *is_gone_out)
{
    *is_gone_out = commit <= feed->view->forest->purged;
    if (*is_gone_out) {
        superview_release(feed->view);
        feed->view = NULL;
        feed->record = bytes_of(NULL, 0);
        journal_reader_close(feed->reader);
        feed->reader = NULL;
    }
}

/* `*is_gone_out`: the journal has it no more, go on with another source. */
static enum yore_status tell_record(struct yore_feed *feed, struct yore_feed_commit *commit_out,
                                    bool *is_gone_out, struct yore_error *error_out)
{
    *is_gone_out = false;
    struct commit_decoder decoder;
    if (commit_decoder_init(&decoder, feed->record) != YORE_OK) {
        return error_set(error_out, YORE_CORRUPT,
                         "the journal's record after commit %lld is damaged",
                         (long long)feed->after);
    }
    if (decoder.commit > feed->limit) {
        reach(feed, feed->limit);
        return YORE_NOT_FOUND;
    }
    feed->view = superview_acquire(feed->db);
    drop_purged(feed, decoder.commit, is_gone_out);
    if (*is_gone_out) {
        return YORE_OK;
    }
    if (decoder.is_load && feed_scope_has_keyspace(&feed->scope, decoder.load.keyspace)) {
        begin_load(feed, &decoder);
        return next_in_stream(feed, commit_out, error_out);
    }
    enum yore_status st = add_record_writes(feed, &decoder, error_out);
    superview_release(feed->view);
    feed->view = NULL;
    if (st == YORE_OK) {
        feed->record = bytes_of(NULL, 0);
        tell(feed, decoder.commit, false, commit_out);
    }
    return st;
}

/* ---- from the tables ---- */

static enum yore_status next_in_window(struct yore_feed *feed, struct yore_feed_commit *commit_out,
                                       struct yore_error *error_out)
{
    const struct feed_window *window = &feed->window;
    struct superview *latest = superview_acquire(feed->db);
    int64_t commit = window->entries[feed->window_index].version.commit;
    uint64_t bytes = 0;
    bool has_more = true;
    enum yore_status st = YORE_OK;
    while (st == YORE_OK && has_more && bytes < feed->db->feed_window_bytes) {
        const struct feed_entry *entry = &window->entries[feed->window_index++];
        st = add_write(feed, latest->erased, entry->keyspace, entry->version, error_out);
        bytes += last_write_bytes(feed);
        has_more = feed->window_index < window->count &&
                   window->entries[feed->window_index].version.commit == commit;
    }
    superview_release(latest);
    if (st == YORE_OK) {
        tell(feed, commit, has_more, commit_out);
    }
    return st;
}

/* The window is told: go on in the journal if it reaches back to here, else with the next window.
 */
static enum yore_status next_source(struct yore_feed *feed, struct yore_error *error_out)
{
    if (feed->view != NULL) {
        feed->after = feed->window.last;
        superview_release(feed->view);
        feed->view = NULL;
    }
    if (feed->after >= feed->limit) {
        return YORE_NOT_FOUND;
    }
    enum yore_status st = open_reader(feed, error_out);
    if (st == YORE_OK) {
        feed_window_release(&feed->window);
        feed->window_index = 0;
    }
    return st == YORE_NOT_FOUND ? collect(feed, error_out) : st;
}

/* ---- what is kept ---- */

static enum yore_status next_kept(struct yore_feed *feed, struct yore_feed_commit *commit_out,
                                  struct yore_error *error_out)
{
    struct version version;
    uint32_t keyspace;
    enum yore_status st = feed_stream_next(&feed->stream, &keyspace, &version, error_out);
    if (st == YORE_OK) {
        struct superview *latest = superview_acquire(feed->db);
        st = add_write(feed, latest->erased, keyspace, version, error_out);
        superview_release(latest);
    }
    if (st == YORE_OK) {
        tell(feed, version.commit, false, commit_out);
    }
    return st;
}

void yore_feed_rewind(struct yore_feed *feed)
{
    if (feed == NULL) {
        return;
    }
    YORE_ASSERT(feed->is_kept);
    forget_told(feed);
    feed_stream_release(&feed->stream);
    begin_stream(feed);
    error_init(&feed->failure);
}

/* The next part. */
static enum yore_status next(struct yore_feed *feed, struct yore_feed_commit *commit_out,
                             struct yore_error *error_out)
{
    enum yore_status st = YORE_OK;
    forget_told(feed);
    if (feed->is_kept) {
        return next_kept(feed, commit_out, error_out);
    }
    while (st == YORE_OK) {
        if (feed_stream_is_open(&feed->stream)) {
            return next_in_stream(feed, commit_out, error_out);
        }
        if (feed->record.data != NULL) {
            bool is_gone;
            st = tell_record(feed, commit_out, &is_gone, error_out);
            if (!is_gone) {
                return st;
            }
            continue;
        }
        if (feed->reader != NULL) {
            st = read_record(feed, error_out);
            continue;
        }
        if (feed->window_index < feed->window.count) {
            return next_in_window(feed, commit_out, error_out);
        }
        if (feed->window.has_large && feed->view != NULL) {
            feed->window.has_large = false;
            feed_stream_begin(&feed->stream, feed->view, feed->window.last, NULL, &feed->scope);
            feed->stream_count = UINT64_MAX;
            continue;
        }
        st = next_source(feed, error_out);
    }
    return st;
}

/* A commit without a write in the scope is none of the asker's. */
static bool is_passed_over(const struct yore_feed *feed, const struct yore_feed_commit *told)
{
    bool is_rest = feed->is_in_parts && !told->has_more;
    return told->write_count == 0 && !is_rest && !feed_scope_is_all(&feed->scope);
}

static enum yore_status next_in_scope(struct yore_feed *feed, struct yore_feed_commit *commit_out,
                                      struct yore_error *error_out)
{
    struct yore_feed_commit told;
    enum yore_status st = next(feed, &told, error_out);
    while (st == YORE_OK && is_passed_over(feed, &told)) {
        bool is_cancelled = feed->is_cancelled != NULL && atomic_load(feed->is_cancelled);
        st = is_cancelled ? error_plain(error_out, YORE_CANCELLED) : next(feed, &told, error_out);
    }
    if (st == YORE_OK) {
        feed->is_in_parts = told.has_more;
        *commit_out = told;
    }
    return st;
}

enum yore_status yore_feed_next(struct yore_feed *feed, struct yore_feed_commit *commit_out,
                                struct yore_error *error_out)
{
    if (feed == NULL || commit_out == NULL) {
        return error_null(error_out, __func__, "feed, commit_out");
    }
    struct yore_error *failure = &feed->failure;
    enum yore_status st = failure->status;
    if (st == YORE_OK) {
        st = next_in_scope(feed, commit_out, failure);
    }
    return error_keep(failure, st, error_out);
}
