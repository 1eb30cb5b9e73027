/* feed.c -- every commit after one, in commit order.
 *
 * The journal is the feed as long as it reaches back far enough.  What it has given back is rebuilt
 * from the tables window by window (feed_window.h), until the journal reaches again.  Erased values
 * are told as erased, wherever they are read from.
 *
 * From tables a commit is told as it is kept: its writes in key order, of two to the same key and
 * moment the one that won.  Facts about the time before a keyspace's horizon that retention has let
 * go are not among them.
 */
#include "base/mem.h"
#include "engine/feed_window.h"

struct yore_feed {
    struct yore_db *db;
    int64_t after;                 /* everything up to here has been told, or was not asked for */
    int64_t limit;                 /* visible when the feed was opened */
    struct journal_reader *reader; /* NULL: not there yet */
    struct feed_window window;
    size_t window_index;
    struct superview *view; /* what the commit told last was read from */
    struct yore_feed_write *writes;
    size_t write_count;
    size_t write_capacity;
    void **heap; /* values that were fetched */
    size_t heap_count;
    size_t heap_capacity;
};

/* ---- opening ---- */

/* From tables, may a commit after `after` be missing? */
static enum yore_status check_complete(struct yore_db *db, const struct forest *forest,
                                       int64_t after, struct yore_error *error_out)
{
    for (size_t i = 0;; i++) {
        const struct yore_keyspace *keyspace = feed_keyspace(db, i);
        if (keyspace == NULL) {
            return YORE_OK;
        }
        if (keyspace->id == KEYSPACE_SYSTEM) {
            continue;
        }
        int64_t horizon = atomic_load_explicit(&keyspace->horizon, memory_order_acquire);
        bool is_only_now =
            atomic_load_explicit(&keyspace->keep, memory_order_relaxed) == YORE_KEEP_NOW;
        if (horizon > after && horizon != YORE_TIME_MIN) {
            return error_set(
                error_out, YORE_BEFORE_HORIZON,
                "commits after %lld are no longer all kept: the horizon of keyspace %s is %lld",
                (long long)after, keyspace->name, (long long)horizon);
        }
        if (is_only_now && forest->flushed_commit > after &&
            forest_tree(forest, keyspace->id) != NULL) {
            return error_set(
                error_out, YORE_BEFORE_HORIZON,
                "commits after %lld are no longer all kept: keyspace %s keeps only now, and the "
                "journal does not reach back so far",
                (long long)after, keyspace->name);
        }
    }
}

/* YORE_NOT_FOUND: the journal does not reach back to `after`. */
static enum yore_status open_reader(struct yore_feed *feed, struct yore_error *error_out)
{
    enum yore_status st =
        journal_reader_open(feed->db->journal, feed->after, &feed->reader, error_out);
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
    enum yore_status st = check_complete(feed->db, feed->view->forest, feed->after, error_out);
    if (st == YORE_OK) {
        st = feed_window_collect(&feed->window, feed->view, feed->after, feed->limit, error_out);
    }
    if (st != YORE_OK) {
        feed->window.count = 0;
        superview_release(feed->view);
        feed->view = NULL;
    }
    return st;
}

enum yore_status yore_feed_open(struct yore_db *db, int64_t after_commit,
                                struct yore_feed **feed_out, struct yore_error *error_out)
{
    error_clear(error_out);
    *feed_out = NULL;
    struct yore_feed *feed = mem_zalloc(sizeof *feed);
    if (feed == NULL) {
        return error_plain(error_out, YORE_NOMEM);
    }
    feed->db = db;
    feed->after = after_commit;
    feed->limit = atomic_load_explicit(&db->visible, memory_order_acquire);
    enum yore_status st = open_reader(feed, error_out);
    if (st == YORE_NOT_FOUND) {
        struct superview *view = superview_acquire(db);
        st = check_complete(db, view->forest, after_commit, error_out);
        superview_release(view);
    }
    if (st != YORE_OK) {
        yore_feed_close(feed);
        return st;
    }
    *feed_out = feed;
    return YORE_OK;
}

static void forget_told(struct yore_feed *feed)
{
    for (size_t i = 0; i < feed->heap_count; i++) {
        mem_free(feed->heap[i]);
    }
    feed->heap_count = 0;
    feed->write_count = 0;
}

void yore_feed_close(struct yore_feed *feed)
{
    if (feed == NULL) {
        return;
    }
    forget_told(feed);
    if (feed->reader != NULL) {
        journal_reader_close(feed->reader);
    }
    feed_window_release(&feed->window);
    superview_release(feed->view);
    mem_free(feed->writes);
    mem_free(feed->heap);
    mem_free(feed);
}

/* ---- telling ---- */

static bool make_room(struct yore_feed *feed)
{
    if (feed->write_count == feed->write_capacity) {
        size_t capacity = feed->write_capacity == 0 ? 16 : feed->write_capacity * 2;
        struct yore_feed_write *writes = mem_realloc(feed->writes, capacity * sizeof *writes);
        if (writes == NULL) {
            return false;
        }
        feed->writes = writes;
        feed->write_capacity = capacity;
    }
    if (feed->heap_count == feed->heap_capacity) {
        size_t capacity = feed->heap_capacity == 0 ? 16 : feed->heap_capacity * 2;
        void **heap = mem_realloc(feed->heap, capacity * sizeof *heap);
        if (heap == NULL) {
            return false;
        }
        feed->heap = heap;
        feed->heap_capacity = capacity;
    }
    return true;
}

/* Is the version still in a memtable or table, and with this value?  A later write of its commit to
 * the same key and moment replaces it: then nothing refers to its value. */
enum kept { KEPT_NOT, KEPT_REPLACED, KEPT_AS_IT_IS };

static enum yore_status find_kept(struct yore_feed *feed, uint32_t keyspace,
                                  const struct version *version, enum kept *kept_out,
                                  struct yore_error *error_out)
{
    struct iter_view every = {.known = INT64_MAX, .commit_after = INT64_MIN};
    struct version_place place = {version->key, version->valid_from, version->commit};
    struct version_iter *it = NULL;
    struct buffer high = {0};
    buffer_append_bytes(&high, version->key);
    buffer_append_u8(&high, 0);
    if (buffer_status(&high) != YORE_OK) {
        return error_plain(error_out, YORE_NOMEM);
    }
    enum yore_status st =
        sources_all(feed->view, db_keyspace(feed->db, keyspace), version->key, buffer_bytes(&high),
                    &every, version->valid_from, version->valid_from, &it, error_out);
    if (st == YORE_OK) {
        version_iter_seek(it, &place);
        bool is_there = it->is_valid && bytes_equal(it->at.key, version->key) &&
                        it->at.valid_from == version->valid_from &&
                        it->at.commit == version->commit;
        bool is_same = is_there && bytes_equal(it->at.value, version->value);
        *kept_out = is_same ? KEPT_AS_IT_IS : is_there ? KEPT_REPLACED : KEPT_NOT;
        st = it->is_valid ? YORE_OK : it->status;
        if (st != YORE_OK && error_out != NULL) {
            *error_out = it->error;
        }
    }
    version_iter_free(it);
    buffer_release(&high);
    return st;
}

/* Where a value is missing: damage, unless the write was replaced in its own commit
 * (YORE_NOT_FOUND: not to be told), or retention let its version go while the journal still names
 * it. */
static enum yore_status explain_missing(struct yore_feed *feed, uint32_t keyspace,
                                        const struct version *version, enum yore_status failure,
                                        struct yore_error *error_out)
{
    enum kept kept = KEPT_AS_IT_IS;
    struct yore_error error;
    enum yore_status st = find_kept(feed, keyspace, version, &kept, &error);
    if (st == YORE_OK && kept == KEPT_REPLACED) {
        error_clear(error_out);
        return YORE_NOT_FOUND;
    }
    if (st == YORE_OK && kept == KEPT_NOT) {
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

static enum yore_status add_write(struct yore_feed *feed, uint32_t keyspace, struct version version,
                                  struct yore_error *error_out)
{
    bool is_gone =
        version.kind == YORE_KIND_ERASED || erase_set_hides(feed->view->erased, keyspace, &version);
    enum yore_status st = YORE_OK;
    if (!make_room(feed)) {
        return error_plain(error_out, YORE_NOMEM);
    }
    if (is_gone) {
        version.kind = YORE_KIND_ERASED;
        version.valid_to = YORE_FOREVER;
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
    return st == YORE_NOT_FOUND ? YORE_OK : st;
}

static void tell(struct yore_feed *feed, int64_t commit, struct yore_feed_commit *commit_out)
{
    feed->after = commit;
    *commit_out = (struct yore_feed_commit){commit, feed->writes, feed->write_count};
}

/* ---- from the journal ---- */

static enum yore_status next_in_journal(struct yore_feed *feed, struct yore_feed_commit *commit_out,
                                        struct yore_error *error_out)
{
    struct yore_bytes payload;
    struct commit_decoder decoder;
    struct commit_write write;
    enum yore_status st = journal_reader_next(feed->reader, &payload, error_out);
    if (st != YORE_OK) {
        return st;
    }
    if (commit_decoder_init(&decoder, payload) != YORE_OK) {
        return error_set(error_out, YORE_CORRUPT,
                         "the journal's record after commit %lld is damaged",
                         (long long)feed->after);
    }
    if (decoder.commit > feed->limit) {
        feed->after = feed->limit;
        return YORE_NOT_FOUND;
    }
    feed->view = superview_acquire(feed->db);
    while (st == YORE_OK) {
        st = commit_decoder_next(&decoder, &write);
        if (st == YORE_OK) {
            struct version version = {.key = write.key,
                                      .valid_from = write.valid_from,
                                      .commit = decoder.commit,
                                      .valid_to = write.valid_to,
                                      .kind = write.kind,
                                      .flags = write.is_apart ? VERSION_APART : 0,
                                      .value = write.value};
            st = add_write(feed, write.keyspace, version, error_out);
        } else if (st == YORE_CORRUPT) {
            error_set(error_out, st, "the journal's record of commit %lld is damaged",
                      (long long)decoder.commit);
        }
    }
    if (st == YORE_NOT_FOUND) {
        tell(feed, decoder.commit, commit_out);
        st = YORE_OK;
    }
    return st;
}

/* ---- from the tables ---- */

static enum yore_status next_in_window(struct yore_feed *feed, struct yore_feed_commit *commit_out,
                                       struct yore_error *error_out)
{
    const struct feed_window *window = &feed->window;
    int64_t commit = window->entries[feed->window_index].version.commit;
    enum yore_status st = YORE_OK;
    while (st == YORE_OK && feed->window_index < window->count &&
           window->entries[feed->window_index].version.commit == commit) {
        const struct feed_entry *entry = &window->entries[feed->window_index++];
        st = add_write(feed, entry->keyspace, entry->version, error_out);
    }
    if (st == YORE_OK) {
        tell(feed, commit, commit_out);
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
    return st == YORE_NOT_FOUND ? collect(feed, error_out) : st;
}

enum yore_status yore_feed_next(struct yore_feed *feed, struct yore_feed_commit *commit_out,
                                struct yore_error *error_out)
{
    enum yore_status st = YORE_OK;
    error_clear(error_out);
    forget_told(feed);
    while (st == YORE_OK) {
        if (feed->reader != NULL) {
            superview_release(feed->view);
            feed->view = NULL;
            return next_in_journal(feed, commit_out, error_out);
        }
        if (feed->window_index < feed->window.count) {
            return next_in_window(feed, commit_out, error_out);
        }
        st = next_source(feed, error_out);
    }
    return st;
}
