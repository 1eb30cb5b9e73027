/* commit.c -- how a transaction becomes permanent: queue, leader, group, journal, memtable,
 * visible.
 *
 * Writers queue; the first becomes leader, takes what has gathered behind it as one group, gives
 * out commit times, checks what transactions read, inserts into the memtable, appends the group to
 * the journal with one write, syncs once if anybody asked for it, and publishes the last commit
 * time with one store.  Entries are in the memtable before they are in the journal so that a later
 * member of the group is checked against an earlier one; nobody reads them, because readers stop at
 * `visible`.
 *
 * Invariants: C1 commit times grow strictly in queue order.  C2 a time is assigned only when
 * nothing but the journal can fail any more, so `visible` always reaches `assigned` unless the
 * database has failed.  C3 after a journal failure nothing is assigned again.
 */
#include "base/assert.h"
#include "base/mem.h"
#include "engine/commit_internal.h"
#include "engine/refuse.h"
#include "engine/upkeep.h"

#define FEW_FACTS 8 /* of a commit: what is kept free for them does not show */

/* ---- validation ---- */

/* The facts were checked when they were given, perhaps long ago: is the keyspace still there, and
 * the date not before its horizon?  What was given back may be all that a late fact is superseded
 * by.  Erasures reach dropped keyspaces too. */
static enum yore_status check_again(struct yore_db *db, struct commit_request *request)
{
    struct commit_decoder c = {.commit = INT64_MAX - 1, .count = request->count};
    struct commit_write write;
    const struct yore_keyspace *keyspace = NULL;
    if (request->fixed_commit != 0 || request->refusals == atomic_load(&db->refusals)) {
        return YORE_OK;
    }
    decoder_init(&c.d, request->writes->data, request->writes->size);
    while (commit_decoder_next(&c, &write) == YORE_OK) {
        if (keyspace == NULL || keyspace->id != write.keyspace) {
            keyspace = db_keyspace(db, write.keyspace);
        }
        if (keyspace_is_dropped(keyspace) && !request->is_catalogue) {
            return refuse_dropped(keyspace, &request->error);
        }
        int64_t horizon = atomic_load(&keyspace->horizon);
        if (!write.is_from_commit && write.valid_from < horizon) {
            return refuse_before_horizon(keyspace, "the fact's date", write.valid_from, horizon,
                                         &request->error);
        }
    }
    return YORE_OK;
}

/* A keyspace that was read and dropped since is no longer what it was, whichever keys it had.  By
 * commits, not by `refusals`: who begins while a drop is applied and not visible yet reads what was
 * before it, and counts it already. */
static enum yore_status check_drops(struct yore_db *db, struct commit_request *request)
{
    const struct commit_reads *reads = request->reads;
    const struct yore_keyspace *keyspace = NULL;
    if (reads == NULL || reads->since >= db->last_drop) {
        return YORE_OK;
    }
    for (size_t i = 0; i < reads->count; i++) {
        if (keyspace == NULL || keyspace->id != reads->reads[i].keyspace) {
            keyspace = db_keyspace(db, reads->reads[i].keyspace);
        }
        if (keyspace_is_dropped(keyspace) && atomic_load(&keyspace->dropped_at) > reads->since) {
            stats_add(&db->stats, STAT_conflicts, 1);
            return error_set(&request->error, YORE_CONFLICT,
                             "keyspace %s was dropped by a later commit; begin the transaction "
                             "again",
                             keyspace->name);
        }
    }
    return YORE_OK;
}

static bool memtable_touches(const struct memtable *m, const struct commit_read *read,
                             int64_t begin)
{
    return read->is_range ? memtable_has_newer_in(m, read->keyspace, read->key, read->high, begin)
                          : memtable_has_newer(m, read->keyspace, read->key, begin);
}

static enum yore_status validate(struct yore_db *db, const struct superview *view,
                                 struct commit_request *request)
{
    const struct commit_reads *reads = request->reads;
    if (reads == NULL) {
        return YORE_OK;
    }
    if (view->forest->flushed_commit > max_i64(reads->begin, reads->validated)) {
        return error_plain(&request->error, YORE_CONFLICT);
    }
    for (size_t i = 0; i < reads->count; i++) {
        bool is_touched = memtable_touches(view->active, &reads->reads[i], reads->begin);
        for (size_t j = 0; j < view->waiting_count && !is_touched; j++) {
            is_touched = memtable_touches(view->waiting[j], &reads->reads[i], reads->begin);
        }
        if (is_touched) {
            char text[KEY_TEXT_BYTES];
            stats_add(&db->stats, STAT_conflicts, 1);
            request->met = &reads->reads[i];
            return error_set(&request->error, YORE_CONFLICT,
                             "key%s %s was changed by a later commit; begin the transaction again",
                             reads->reads[i].is_range ? " range from" : "",
                             key_text(reads->reads[i].key, text));
        }
    }
    return YORE_OK;
}

/* ---- the group ---- */

struct group {
    struct commit_request *first; /* linked by next, `count` of them */
    size_t count;
    struct journal_entry *entries;
    unsigned char (*headers)[COMMIT_HEADER_BYTES];
    size_t entry_count;
    bool needs_sync;
    bool has_apart;
    bool has_catalogue;
};

/* The writes of one request, as they will be read from the journal. */
static struct commit_decoder request_writes(const struct commit_request *request)
{
    struct commit_decoder c = {.commit = request->commit, .count = request->count};
    decoder_init(&c.d, request->writes->data, request->writes->size);
    return c;
}

/* What the memtable has below is all there is to know where it was dated by its commit: what was
 * committed before begins before.  An erasure may reach it, and asks for a read. */
static enum commit_below judge_below(const struct superview *view, const struct version *below,
                                     int64_t commit)
{
    if (below->valid_from != below->commit || erase_set_count(view->erased) > 0) {
        return BELOW_UNKNOWN;
    }
    return below->kind == YORE_KIND_PUT ? (below->valid_to > commit ? BELOW_VALUE : BELOW_NOTHING)
           : below->kind == YORE_KIND_DELETE ? BELOW_NOTHING
                                             : BELOW_UNKNOWN;
}

static void insert_over(const struct superview *view, struct commit_request *request,
                        uint32_t keyspace, const struct version *version)
{
    struct version below;
    bool has_below;
    enum yore_status st = memtable_add_over(view->active, keyspace, version, &has_below, &below);
    YORE_ASSERT(st == YORE_OK); /* room was reserved */
    request->below = has_below ? judge_below(view, &below, request->commit) : BELOW_UNKNOWN;
}

static void insert(const struct superview *view, struct commit_request *request)
{
    struct commit_decoder c = request_writes(request);
    struct commit_write write;
    while (commit_decoder_next(&c, &write) == YORE_OK) {
        struct version version = {.key = write.key,
                                  .valid_from = write.valid_from,
                                  .commit = request->commit,
                                  .valid_to = write.valid_to,
                                  .kind = write.kind,
                                  .flags = write.is_apart ? VERSION_APART : 0,
                                  .value = write.value};
        if (write.kind != YORE_KIND_DELETE) {
            gaps_tell(&view->db->gaps, write.keyspace, write.key);
        }
        if (request->asks_below) {
            insert_over(view, request, write.keyspace, &version);
            continue;
        }
        enum yore_status st = memtable_add(view->active, write.keyspace, &version);
        YORE_ASSERT(st == YORE_OK); /* room was reserved */
    }
}

/* At most so many keyspaces are written to: for few facts that need not be known well.  Dropped
 * ones are erasures' alone. */
static uint64_t keyspaces_of(struct yore_db *db, const struct commit_request *request)
{
    if (request->count <= FEW_FACTS) {
        return UINT64_MAX;
    }
    os_mutex_lock(&db->lock);
    bool may_be_dropped = request->is_catalogue || request->fixed_commit != 0;
    uint64_t keyspaces = may_be_dropped ? db->keyspace_count : db->living_count;
    os_mutex_unlock(&db->lock);
    return keyspaces;
}

static enum yore_status prepare(struct yore_db *db, struct superview *view,
                                struct commit_request *request, int64_t wall, struct group *group)
{
    enum yore_status st = validate(db, view, request);
    if (st == YORE_OK) {
        st = check_again(db, request);
    }
    if (st == YORE_OK) {
        st = check_drops(db, request);
    }
    if (st == YORE_OK) {
        st = memtable_reserve(view->active, request->user_bytes, request->count,
                              keyspaces_of(db, request));
        if (st != YORE_OK) {
            error_plain(&request->error, st);
        }
    }
    int64_t before = request->is_catalogue ? commit_last_assigned(db, INT64_MAX) : 0;
    if (st == YORE_OK) {
        st = commit_assign_time(db, request, wall);
    }
    if (st == YORE_OK && request->is_catalogue) {
        st = catalogue_prepare(db, request, &request->error);
        if (st != YORE_OK) {
            commit_withdraw_time(db, before);
        }
    }
    if (st != YORE_OK) {
        return st;
    }
    insert(view, request);
    unsigned char *header = group->headers[group->entry_count];
    commit_header_encode(header, request->commit, request->count);
    group->entries[group->entry_count++] =
        (struct journal_entry){.commit = request->commit,
                               .header = bytes_of(header, COMMIT_HEADER_BYTES),
                               .writes = buffer_bytes(request->writes)};
    group->needs_sync |= request->durability == YORE_DURABILITY_SYNC;
    group->has_apart |= request->has_apart;
    group->has_catalogue |= request->is_catalogue;
    return YORE_OK;
}

static enum yore_status write_group(struct yore_db *db, const struct group *group,
                                    struct yore_error *error_out)
{
    enum yore_status st = group->has_apart ? values_sync(db->values, error_out) : YORE_OK;
    if (st == YORE_OK) {
        st = journal_append(db->journal, group->entries, group->entry_count, error_out);
    }
    if (st == YORE_OK && group->needs_sync) {
        int64_t begin = os_monotonic_ns(db->env);
        st = journal_sync(db->journal, error_out);
        db->commit.sync_ns = os_monotonic_ns(db->env) - begin;
        stats_add(&db->stats, STAT_syncs, 1);
        histogram_add(&db->stats.histograms[HIST_sync_latency_us],
                      (uint64_t)db->commit.sync_ns / 1000);
    }
    return st == YORE_OK ? st : db_fail(db, st, error_out);
}

static enum yore_status apply_catalogue(struct yore_db *db, const struct group *group,
                                        struct yore_error *error_out)
{
    enum yore_status st = YORE_OK;
    struct commit_request *request = group->first;
    for (size_t i = 0; i < group->count && st == YORE_OK; i++, request = request->next) {
        if (!request->is_catalogue || request->status != YORE_OK) {
            continue;
        }
        struct commit_decoder c = request_writes(request);
        struct commit_write write;
        while (st == YORE_OK && commit_decoder_next(&c, &write) == YORE_OK) {
            if (write.keyspace == KEYSPACE_SYSTEM) {
                st = catalogue_apply(db, &write, request->commit, error_out);
            }
        }
    }
    return st == YORE_OK ? st : db_fail(db, st, error_out);
}

static void count_group(struct yore_db *db, const struct group *group)
{
    struct commit_request *request = group->first;
    uint64_t commits = 0;
    uint64_t writes = 0;
    uint64_t bytes = 0;
    uint64_t journal_bytes = 0;
    for (size_t i = 0; i < group->count; i++, request = request->next) {
        if (request->status == YORE_OK) {
            commits++;
            writes += request->count;
            bytes += request->user_bytes;
            journal_bytes += request->writes->size + COMMIT_HEADER_BYTES;
        }
    }
    stats_add(&db->stats, STAT_groups, 1);
    stats_add(&db->stats, STAT_commits, commits);
    stats_add(&db->stats, STAT_writes, writes);
    stats_add(&db->stats, STAT_write_bytes, bytes);
    stats_add(&db->stats, STAT_journal_bytes, journal_bytes);
}

static void group_fail(struct group *group, enum yore_status st, const struct yore_error *error)
{
    struct commit_request *request = group->first;
    for (size_t i = 0; i < group->count; i++, request = request->next) {
        if (request->status == YORE_OK) {
            request->status = st;
            request->error = *error;
        }
    }
}

/* While nobody has a commit time yet, so that the group can still be refused: a new segment may
 * want for a file handle, a large group for memory. */
static enum yore_status reserve_journal(struct yore_db *db, const struct group *group,
                                        struct yore_error *error_out)
{
    const struct commit_request *request = group->first;
    for (size_t i = 0; i < group->count; i++, request = request->next) {
        group->entries[i] = (struct journal_entry){.header = bytes_of(NULL, COMMIT_HEADER_BYTES),
                                                   .writes = buffer_bytes(request->writes)};
    }
    return db_journal_check(
        db, journal_reserve(db->journal, group->entries, group->count, error_out), error_out);
}

static void lead(struct yore_db *db, struct group *group)
{
    struct yore_error error = {.text = ""};
    enum yore_status st = db_check_writable(db, &error);
    if (st == YORE_OK) {
        st = commit_make_room(db, &error);
    }
    if (st == YORE_OK) {
        st = reserve_journal(db, group, &error);
    }
    if (st != YORE_OK) {
        group_fail(group, st, &error);
        return;
    }
    struct superview *view = superview_acquire(db);
    int64_t wall = os_wall_ns(db->env);
    commit_watch_clock(db, wall);
    struct commit_request *request = group->first;
    for (size_t i = 0; i < group->count; i++, request = request->next) {
        request->status = prepare(db, view, request, wall, group);
    }
    superview_release(view);
    if (group->entry_count > 0) {
        st = write_group(db, group, &error);
        if (st == YORE_OK && group->has_catalogue) {
            st = apply_catalogue(db, group, &error);
        }
        if (st == YORE_OK) {
            /* Pairs with the acquire loads of readers: what was inserted above is seen with it;
             * and, in one order with what is looked at next, with upkeep going to sleep. */
            int64_t last = group->entries[group->entry_count - 1].commit;
            atomic_store(&db->visible, last);
            upkeep_note_commit(db, group->needs_sync);
        } else {
            group_fail(group, st, &error);
        }
    }
    catalogue_settle(db);
    count_group(db, group);
}

/* ---- the queue ---- */

/* Writers that were acknowledged together come back together, a little after the first of them.  A
 * leader that is about to sync waits for them, or two halves would take turns and each pay a sync.
 * One that waited in vain leads the next groups at once, for longer and longer.  Waiting on a
 * condition instead costs a tenth of what 8 threads commit; doing so only where it takes longer
 * than GATHER_NS_MIN gains nothing, on a busy machine either. */
static void gather(struct yore_db *db, struct commit_queue *queue) REQUIRES(queue->lock)
{
    if (queue->first->durability != YORE_DURABILITY_SYNC || queue->count >= queue->expected) {
        return;
    }
    if (queue->gather_rest > 0) {
        queue->gather_rest--;
        return;
    }
    uint32_t expected = queue->expected;
    int64_t wait_ns = max_i64(queue->sync_ns / 2, GATHER_NS_MIN);
    wait_ns = wait_ns < GATHER_NS_MAX ? wait_ns : GATHER_NS_MAX;
    int64_t until = os_monotonic_ns(db->env) + wait_ns;
    os_mutex_unlock(&queue->lock);
    while (atomic_load_explicit(&queue->count, memory_order_relaxed) < expected &&
           os_monotonic_ns(db->env) < until) {
        os_thread_yield();
    }
    os_mutex_lock(&queue->lock);
    uint32_t rest = 2 * queue->gather_misses + 1;
    rest = rest < GATHER_REST_MAX ? rest : GATHER_REST_MAX;
    queue->gather_misses = queue->count < expected ? rest : 0;
    queue->gather_rest = queue->gather_misses;
}

/* Cut the group off the queue's head; returns how many writers are told of it. */
static uint32_t take_group(struct commit_queue *queue, struct group *group) REQUIRES(queue->lock)
{
    uint64_t bytes = 0;
    uint32_t writers = 0;
    struct commit_request *last = NULL;
    struct commit_request *request = queue->first;
    group->first = request;
    while (request != NULL && group->count < GROUP_COUNT_MAX &&
           (last == NULL || bytes + request->writes->size <= GROUP_BYTES_MAX)) {
        bytes += request->writes->size;
        group->count++;
        writers += request->is_behind ? 0 : 1;
        last = request;
        request = request->next;
        if (last->is_catalogue) {
            break; /* one a group: its effects are prepared one at a time */
        }
    }
    queue->first = request;
    queue->count -= writers;
    if (request == NULL) {
        queue->last = NULL;
    }
    return writers;
}

static void lead_with_memory(struct yore_db *db, struct group *group)
{
    struct journal_entry entry;
    unsigned char header[1][COMMIT_HEADER_BYTES];
    void *memory = NULL;
    group->entries = &entry;
    group->headers = header;
    if (group->count > 1) {
        memory = mem_alloc(group->count * (sizeof entry + COMMIT_HEADER_BYTES));
        if (memory == NULL) {
            struct yore_error error;
            error_plain(&error, YORE_NOMEM);
            group_fail(group, YORE_NOMEM, &error);
            return;
        }
        group->entries = memory;
        group->headers = (void *)((struct journal_entry *)memory + group->count);
    }
    lead(db, group);
    mem_free(memory);
}

/* Lead one group from the queue's head.  Whoever waits for `done` is then to be woken, best without
 * the lock, which each of them takes. */
static void lead_next(struct yore_db *db, struct commit_queue *queue) REQUIRES(queue->lock)
{
    struct group group = {0};
    queue->has_leader = true;
    gather(db, queue);
    uint32_t writers = take_group(queue, &group);
    os_mutex_unlock(&queue->lock);
    lead_with_memory(db, &group);
    os_mutex_lock(&queue->lock);
    struct commit_request *member = group.first;
    for (size_t i = 0; i < group.count; i++) {
        struct commit_request *next = member->next;
        member->is_done = true;
        member = next;
    }
    queue->has_leader = false;
    queue->expected = writers + queue->count;
}

static void enqueue(struct commit_queue *queue, struct commit_request *requests, size_t count)
    REQUIRES(queue->lock)
{
    for (size_t i = 0; i < count; i++) {
        struct commit_request *request = &requests[i];
        if (queue->last != NULL) {
            queue->last->next = request;
        } else {
            queue->first = request;
        }
        queue->last = request;
    }
    queue->count++;
}

static enum yore_status result_of(const struct commit_request *requests, size_t count,
                                  struct yore_error *error_out)
{
    for (size_t i = 0; i < count; i++) {
        if (requests[i].status != YORE_OK) {
            if (error_out != NULL) {
                *error_out = requests[i].error;
            }
            return requests[i].status;
        }
    }
    error_clear(error_out);
    return YORE_OK;
}

enum yore_status commit_submit_all(struct yore_db *db, struct commit_request *requests,
                                   size_t count, struct yore_error *error_out)
{
    struct commit_queue *queue = &db->commit;
    int64_t started_ns = os_monotonic_ns(db->env);
    for (size_t i = 0; i < count; i++) {
        if ((unsigned)requests[i].durability - 1 >= YORE_DURABILITY_NONE) {
            return error_set(error_out, YORE_INVALID, "durability %d is unknown",
                             (int)requests[i].durability);
        }
        requests[i].next = NULL;
        requests[i].is_behind = i > 0;
        requests[i].is_done = false;
        requests[i].below = BELOW_UNKNOWN;
        requests[i].status = YORE_OK;
        requests[i].error.text[0] = '\0';
    }
    bool is_watched = false;
    bool has_led = false;
    os_mutex_lock(&queue->lock);
    enqueue(queue, requests, count);
    for (size_t i = 0; i < count; i++) {
        while (!requests[i].is_done && (queue->has_leader || queue->first != &requests[i])) {
            os_cond_wait(&queue->done, &queue->lock);
        }
        if (!requests[i].is_done) {
            if (has_led) {
                os_cond_broadcast(&queue->done);
            }
            lead_next(db, queue);
            has_led = true;
            is_watched |= queue->has_watchers;
            queue->has_watchers = false;
        }
    }
    os_mutex_unlock(&queue->lock);
    if (has_led) {
        os_cond_broadcast(&queue->done);
    }
    if (is_watched) {
        os_cond_broadcast(&queue->published);
    }
    histogram_add(&db->stats.histograms[HIST_commit_latency_us],
                  (uint64_t)(os_monotonic_ns(db->env) - started_ns) / 1000);
    return result_of(requests, count, error_out);
}

enum yore_status commit_submit(struct yore_db *db, struct commit_request *request,
                               struct yore_error *error_out)
{
    return commit_submit_all(db, request, 1, error_out);
}

/* ---- alone ---- */

void commit_lead_alone(struct yore_db *db)
{
    os_mutex_lock(&db->commit.lock);
    while (db->commit.has_leader) {
        os_cond_wait(&db->commit.done, &db->commit.lock);
    }
    db->commit.has_leader = true;
    os_mutex_unlock(&db->commit.lock);
}

void commit_lead_no_more(struct yore_db *db)
{
    os_mutex_lock(&db->commit.lock);
    db->commit.has_leader = false;
    os_cond_broadcast(&db->commit.done);
    os_cond_broadcast(&db->commit.published);
    os_mutex_unlock(&db->commit.lock);
}

void commit_wake_watchers(struct yore_db *db)
{
    os_mutex_lock(&db->commit.lock);
    os_cond_broadcast(&db->commit.published);
    os_mutex_unlock(&db->commit.lock);
}

enum yore_status commit_switch(struct yore_db *db, struct yore_error *error_out)
{
    commit_lead_alone(db);
    enum yore_status st = commit_wait_for_background(db, true, error_out);
    if (st == YORE_OK) {
        st = commit_switch_memtable(db, error_out);
    }
    commit_lead_no_more(db);
    return st;
}

enum yore_status commit_idle_mark(struct yore_db *db, struct yore_error *error_out)
{
    commit_lead_alone(db);
    enum yore_status st = db_check_writable(db, error_out);
    if (st == YORE_OK) {
        journal_note_now(db->journal, atomic_load_explicit(&db->now_floor, memory_order_relaxed));
        st = journal_mark(db->journal, error_out);
        if (st != YORE_OK) {
            db_fail(db, st, error_out);
        }
    }
    commit_lead_no_more(db);
    return st;
}

enum yore_status commit_purge_journal(struct yore_db *db, struct yore_error *error_out)
{
    commit_lead_alone(db);
    enum yore_status st = journal_purge(db->journal, error_out);
    commit_lead_no_more(db);
    return st;
}

/* ---- loads (load.c) ---- */

enum yore_status commit_drain(struct yore_db *db, struct yore_error *error_out)
{
    enum yore_status st = jobs_flush_here(db, error_out);
    if (st == YORE_OK) {
        st = commit_switch_memtable(db, error_out);
    }
    return st == YORE_OK ? jobs_flush_here(db, error_out) : st;
}

enum yore_status commit_assign(struct yore_db *db, int64_t *commit_out, int64_t *before_out,
                               struct yore_error *error_out)
{
    struct commit_request request = {.valid_max = INT64_MIN};
    int64_t wall = os_wall_ns(db->env);
    commit_watch_clock(db, wall);
    *before_out = commit_last_assigned(db, INT64_MAX);
    enum yore_status st = commit_assign_time(db, &request, wall);
    if (st != YORE_OK && error_out != NULL) {
        *error_out = request.error;
    }
    *commit_out = request.commit;
    return st;
}

void commit_withdraw(struct yore_db *db, int64_t before)
{
    commit_withdraw_time(db, before);
}

/* ---- making durable later ---- */

/* One at a time: who waited finds that the sync before it reached its commits too, or syncs for all
 * that wait behind it. */
enum yore_status yore_sync(struct yore_db *db, int64_t commit, struct yore_error *error_out)
{
    if (db == NULL) {
        return error_null(error_out, __func__, "db");
    }
    int64_t appended = journal_appended_commit(db->journal);
    int64_t wanted = commit < appended ? commit : appended;
    error_clear(error_out);
    if (journal_durable_commit(db->journal) >= wanted) {
        return YORE_OK;
    }
    enum yore_status st = YORE_OK;
    os_mutex_lock(&db->sync_lock);
    if (journal_durable_commit(db->journal) < wanted) {
        struct yore_error error = {.text = ""};
        st = db_check_writable(db, error_out);
        if (st == YORE_OK) {
            int64_t begin = os_monotonic_ns(db->env);
            st = journal_sync(db->journal, &error);
            stats_add(&db->stats, STAT_syncs, 1);
            histogram_add(&db->stats.histograms[HIST_sync_latency_us],
                          (uint64_t)(os_monotonic_ns(db->env) - begin) / 1000);
            if (st != YORE_OK) {
                db_fail(db, st, &error);
                st = db_check_writable(db, error_out);
            }
        }
        if (st == YORE_OK) {
            commit_wake_watchers(db);
        }
    }
    os_mutex_unlock(&db->sync_lock);
    return st;
}
