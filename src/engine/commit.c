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
#include "engine/db_internal.h"

#define STALL_SLEEP_NS 1000000

/* ---- failure ---- */

enum yore_status db_fail(struct yore_db *db, enum yore_status st, const struct yore_error *cause)
{
    struct yore_event event = {.kind = YORE_EVENT_FAILED};
    os_mutex_lock(&db->lock);
    bool is_first = atomic_load(&db->failed_status) == YORE_OK;
    if (is_first) {
        error_set(&db->failed, st,
                  "writes are stopped since: %s; mend the cause and open the database again",
                  cause != NULL && cause->text[0] != '\0' ? cause->text : yore_status_message(st));
        atomic_store(&db->failed_status, (int)st);
    }
    os_mutex_unlock(&db->lock);
    if (is_first) {
        event.text = db->failed.text;
        db_event(db, &event);
        os_mutex_lock(&db->commit.lock);
        os_cond_broadcast(&db->commit.done);
        os_mutex_unlock(&db->commit.lock);
        os_mutex_lock(&db->lock);
        os_cond_broadcast(&db->idle);
        os_mutex_unlock(&db->lock);
    }
    return st;
}

enum yore_status db_check_writable(struct yore_db *db, struct yore_error *error_out)
{
    enum yore_status st = (enum yore_status)atomic_load(&db->failed_status);
    return st == YORE_OK ? YORE_OK : error_set(error_out, st, "%s", db->failed.text);
}

/* ---- time ---- */

int64_t db_now(struct yore_db *db)
{
    int64_t now = os_wall_ns(db->env);
    int64_t visible = atomic_load_explicit(&db->visible, memory_order_acquire);
    now = now > visible ? now : visible;
    int64_t floor = atomic_load_explicit(&db->now_floor, memory_order_relaxed);
    while (floor < now &&
           !atomic_compare_exchange_weak_explicit(&db->now_floor, &floor, now, memory_order_relaxed,
                                                  memory_order_relaxed)) {
    }
    return floor > now ? floor : now;
}

/* The wall clock against the monotonic one: a step between two groups is told, and changes nothing
 * else. */
static void watch_clock(struct yore_db *db, int64_t wall)
{
    int64_t offset = wall - os_monotonic_ns(db->env);
    int64_t step = offset - db->clock_offset;
    db->clock_offset = offset;
    if (step > CLOCK_JUMP_NS || step < -CLOCK_JUMP_NS) {
        struct yore_event event = {.kind = YORE_EVENT_CLOCK_JUMP,
                                   .text = step > 0 ? "the wall clock stepped forward"
                                                    : "the wall clock stepped back"};
        stats_add(&db->stats, STAT_clock_jumps, 1);
        db_event(db, &event);
    }
}

static int64_t max_i64(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* The commit time of `request`, handed out for good only if it may be used. */
static enum yore_status assign_time(struct yore_db *db, struct commit_request *request,
                                    int64_t wall)
{
    enum yore_status st = YORE_OK;
    os_mutex_lock(&db->time_lock);
    int64_t floor =
        max_i64(db->known_floor, atomic_load_explicit(&db->now_floor, memory_order_relaxed));
    int64_t least = max_i64(db->assigned, floor);
    least = max_i64(least, request->valid_max);
    int64_t commit = max_i64(least + 1, wall);
    if (request->fixed_commit != 0) {
        commit = request->fixed_commit;
        if (commit <= db->assigned || commit <= request->valid_max) {
            st = error_set(&request->error, YORE_INVALID,
                           "commit time %lld is not after the last one, %lld", (long long)commit,
                           (long long)db->assigned);
        }
    } else if (request->reads != NULL && request->reads->expiry_min <= commit) {
        st = error_set(&request->error, YORE_CONFLICT,
                       "a key this transaction read expired meanwhile; begin again");
    }
    if (st == YORE_OK) {
        db->assigned = commit;
        request->commit = commit;
    }
    os_mutex_unlock(&db->time_lock);
    return st;
}

/* The last commit time handed out up to `commit`, or that. */
static int64_t last_assigned(struct yore_db *db, int64_t commit)
{
    os_mutex_lock(&db->time_lock);
    int64_t assigned = db->assigned;
    os_mutex_unlock(&db->time_lock);
    return assigned < commit ? assigned : commit;
}

/* The request will not be committed after all: nothing was handed out since. */
static void withdraw_time(struct yore_db *db, int64_t before)
{
    os_mutex_lock(&db->time_lock);
    db->assigned = before;
    os_mutex_unlock(&db->time_lock);
}

enum yore_status commit_wait_known(struct yore_db *db, int64_t commit, struct yore_error *error_out)
{
    if (commit <= atomic_load_explicit(&db->visible, memory_order_acquire)) {
        return YORE_OK;
    }
    os_mutex_lock(&db->time_lock);
    db->known_floor = max_i64(db->known_floor, commit);
    os_mutex_unlock(&db->time_lock);
    enum yore_status st = YORE_OK;
    os_mutex_lock(&db->commit.lock);
    while (atomic_load_explicit(&db->visible, memory_order_acquire) < last_assigned(db, commit) &&
           st == YORE_OK) {
        st = db_check_writable(db, error_out);
        if (st == YORE_OK) {
            os_cond_wait(&db->commit.done, &db->commit.lock);
        }
    }
    os_mutex_unlock(&db->commit.lock);
    return YORE_OK; /* after a failure nothing in flight will ever be visible: the answer is final
                       too */
}

/* ---- room ---- */

static enum yore_status switch_memtable(struct yore_db *db, struct yore_error *error_out)
{
    struct superview *view = superview_acquire(db);
    struct memtable_bounds bounds;
    struct memtable *fresh = NULL;
    uint64_t segment = 0;
    memtable_bounds(view->active, &bounds);
    enum yore_status st = YORE_OK;
    if (bounds.count == 0) {
        superview_release(view);
        return YORE_OK;
    }
    st = memtable_new(&fresh);
    if (st == YORE_OK) {
        st = journal_rotate(db->journal, &segment, error_out);
        if (st != YORE_OK) {
            struct yore_error cause =
                error_out != NULL ? *error_out : (struct yore_error){.text = ""};
            db_fail(db, st, &cause);
        }
    } else {
        error_plain(error_out, st);
    }
    if (st == YORE_OK) {
        os_mutex_lock(&db->lock);
        YORE_ASSERT(db->waiting_count <= MEMTABLES_WAITING_MAX + 1);
        memtable_ref(view->active);
        db->waiting[db->waiting_count++] = (struct waiting_memtable){view->active, segment};
        struct superview *now = atomic_load_explicit(&db->view, memory_order_acquire);
        st = db_publish(db, fresh, now->forest, now->erased);
        if (st != YORE_OK) {
            db->waiting_count--;
            memtable_unref(view->active);
            error_plain(error_out, st);
        }
        os_mutex_unlock(&db->lock);
    }
    memtable_unref(fresh);
    superview_release(view);
    if (st == YORE_OK) {
        jobs_wake(db);
        st = jobs_run_inline(db, error_out);
    }
    return st;
}

static void stall_event(struct yore_db *db, bool is_begin, int64_t since_ns, const char *text)
{
    struct yore_event event = {.kind = YORE_EVENT_STALL, .is_begin = is_begin, .text = text};
    if (!is_begin) {
        event.duration_us = (uint64_t)(os_monotonic_ns(db->env) - since_ns) / 1000;
        stats_add(&db->stats, STAT_stall_us, event.duration_us);
    } else {
        stats_add(&db->stats, STAT_stalls, 1);
    }
    db_event(db, &event);
}

static bool must_stop(struct yore_db *db)
{
    return db->waiting_count >= MEMTABLES_WAITING_MAX ||
           atomic_load_explicit(&db->level0_max, memory_order_relaxed) >= LEVEL0_STOP_TABLES;
}

/* Wait while flushes or merges are too far behind; slow down a little before that. */
static enum yore_status wait_for_background(struct yore_db *db, bool needs_switch,
                                            struct yore_error *error_out)
{
    if (db->is_inline) { /* work that failed for want of memory is tried again */
        bool is_behind = needs_switch && db->waiting_count >= MEMTABLES_WAITING_MAX;
        return is_behind ? jobs_run_inline(db, error_out) : YORE_OK;
    }
    uint32_t level0 = atomic_load_explicit(&db->level0_max, memory_order_relaxed);
    uint32_t runs = atomic_load_explicit(&db->runs_max, memory_order_relaxed);
    if (level0 >= LEVEL0_SLOW_TABLES || runs >= RUNS_SLOW_COUNT) {
        uint32_t over = level0 >= LEVEL0_SLOW_TABLES ? level0 - LEVEL0_SLOW_TABLES + 1 : 1;
        stats_add(&db->stats, STAT_stalls, 1);
        stats_add(&db->stats, STAT_stall_us, (uint64_t)over * STALL_SLEEP_NS / 1000);
        jobs_wake(db);
        os_sleep_ns(db->env, (int64_t)over * STALL_SLEEP_NS);
    }
    if (!needs_switch) {
        return YORE_OK;
    }
    enum yore_status st = YORE_OK;
    os_mutex_lock(&db->lock);
    if (must_stop(db)) {
        int64_t since = os_monotonic_ns(db->env);
        os_mutex_unlock(&db->lock);
        stall_event(db, true, since, "writers wait for flushes and merges");
        os_mutex_lock(&db->lock);
        while (must_stop(db) && st == YORE_OK) {
            st = db_check_writable(db, error_out);
            if (st == YORE_OK) {
                os_cond_wait(&db->idle, &db->lock);
            }
        }
        os_mutex_unlock(&db->lock);
        stall_event(db, false, since, "writers go on");
        return st;
    }
    os_mutex_unlock(&db->lock);
    return st;
}

static enum yore_status make_room(struct yore_db *db, struct yore_error *error_out)
{
    struct superview *view = superview_acquire(db);
    struct memtable_bounds bounds;
    memtable_bounds(view->active, &bounds);
    superview_release(view);
    bool needs_switch = bounds.bytes >= db->options.memtable_bytes;
    enum yore_status st = wait_for_background(db, needs_switch, error_out);
    return st == YORE_OK && needs_switch ? switch_memtable(db, error_out) : st;
}

/* ---- validation ---- */

static bool memtable_touches(const struct memtable *m, const struct commit_read *read,
                             int64_t begin)
{
    int64_t newest = read->is_range
                         ? memtable_newest_commit_in(m, read->keyspace, read->key, read->high)
                         : memtable_newest_commit(m, read->keyspace, read->key);
    return newest > begin;
}

static enum yore_status validate(struct yore_db *db, const struct superview *view,
                                 struct commit_request *request)
{
    const struct commit_reads *reads = request->reads;
    if (reads == NULL) {
        return YORE_OK;
    }
    if (view->forest->flushed_commit > max_i64(reads->begin, reads->validated)) {
        request->is_stale = true;
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

static void insert(struct memtable *active, const struct commit_request *request)
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
        enum yore_status st = memtable_add(active, write.keyspace, &version);
        YORE_ASSERT(st == YORE_OK); /* room was reserved */
    }
}

static enum yore_status prepare(struct yore_db *db, struct superview *view,
                                struct commit_request *request, int64_t wall, struct group *group)
{
    enum yore_status st = validate(db, view, request);
    if (st == YORE_OK) {
        st = memtable_reserve(view->active, request->user_bytes, request->count);
        if (st != YORE_OK) {
            error_plain(&request->error, st);
        }
    }
    int64_t before = last_assigned(db, INT64_MAX);
    if (st == YORE_OK) {
        st = assign_time(db, request, wall);
    }
    if (st == YORE_OK && request->is_catalogue) {
        st = catalogue_prepare(db, request, &request->error);
        if (st != YORE_OK) {
            withdraw_time(db, before);
        }
    }
    if (st != YORE_OK) {
        return st;
    }
    insert(view->active, request);
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
        stats_add(&db->stats, STAT_syncs, 1);
        histogram_add(&db->stats.histograms[HIST_sync_latency_us],
                      (uint64_t)(os_monotonic_ns(db->env) - begin) / 1000);
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

static void lead(struct yore_db *db, struct group *group)
{
    struct yore_error error = {.text = ""};
    enum yore_status st = db_check_writable(db, &error);
    if (st == YORE_OK) {
        st = make_room(db, &error);
    }
    if (st != YORE_OK) {
        group_fail(group, st, &error);
        return;
    }
    struct superview *view = superview_acquire(db);
    int64_t wall = os_wall_ns(db->env);
    watch_clock(db, wall);
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
            /* Pairs with the acquire loads of readers: what was inserted above is seen with it. */
            int64_t last = group->entries[group->entry_count - 1].commit;
            atomic_store_explicit(&db->visible, last, memory_order_release);
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
 * One that waited in vain leads the next groups at once, for longer and longer. */
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
    int64_t until = os_monotonic_ns(db->env) + GATHER_NS;
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

/* REQUIRES(queue lock): cut the group off the queue's head. */
static void take_group(struct commit_queue *queue, struct group *group)
{
    uint64_t bytes = 0;
    struct commit_request *last = NULL;
    struct commit_request *request = queue->first;
    group->first = request;
    while (request != NULL && group->count < GROUP_COUNT_MAX &&
           (last == NULL || bytes + request->writes->size <= GROUP_BYTES_MAX)) {
        bytes += request->writes->size;
        group->count++;
        last = request;
        request = request->next;
        if (last->is_catalogue) {
            break; /* one a group: its effects are prepared one at a time */
        }
    }
    queue->first = request;
    queue->count -= (uint32_t)group->count;
    if (request == NULL) {
        queue->last = NULL;
    }
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

enum yore_status commit_submit(struct yore_db *db, struct commit_request *request,
                               struct yore_error *error_out)
{
    struct commit_queue *queue = &db->commit;
    request->next = NULL;
    request->is_done = false;
    request->is_stale = false;
    request->status = YORE_OK;
    request->error.text[0] = '\0';
    request->started_ns = os_monotonic_ns(db->env);
    os_mutex_lock(&queue->lock);
    if (queue->last != NULL) {
        queue->last->next = request;
    } else {
        queue->first = request;
    }
    queue->last = request;
    queue->count++;
    while (!request->is_done && (queue->has_leader || queue->first != request)) {
        os_cond_wait(&queue->done, &queue->lock);
    }
    if (!request->is_done) {
        struct group group = {0};
        queue->has_leader = true;
        gather(db, queue);
        take_group(queue, &group);
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
        queue->expected = (uint32_t)group.count + queue->count;
        os_cond_broadcast(&queue->done);
    }
    os_mutex_unlock(&queue->lock);
    histogram_add(&db->stats.histograms[HIST_commit_latency_us],
                  (uint64_t)(os_monotonic_ns(db->env) - request->started_ns) / 1000);
    if (request->status != YORE_OK) {
        if (error_out != NULL) {
            *error_out = request->error;
        }
        return request->status;
    }
    error_clear(error_out);
    return YORE_OK;
}

/* ---- alone ---- */

/* Be leader without a group: nobody appends to the journal meanwhile. */
static void lead_alone(struct yore_db *db)
{
    os_mutex_lock(&db->commit.lock);
    while (db->commit.has_leader) {
        os_cond_wait(&db->commit.done, &db->commit.lock);
    }
    db->commit.has_leader = true;
    os_mutex_unlock(&db->commit.lock);
}

static void lead_no_more(struct yore_db *db)
{
    os_mutex_lock(&db->commit.lock);
    db->commit.has_leader = false;
    os_cond_broadcast(&db->commit.done);
    os_mutex_unlock(&db->commit.lock);
}

enum yore_status commit_switch(struct yore_db *db, struct yore_error *error_out)
{
    lead_alone(db);
    enum yore_status st = wait_for_background(db, true, error_out);
    if (st == YORE_OK) {
        st = switch_memtable(db, error_out);
    }
    lead_no_more(db);
    return st;
}

enum yore_status commit_idle_mark(struct yore_db *db, struct yore_error *error_out)
{
    lead_alone(db);
    enum yore_status st = db_check_writable(db, error_out);
    if (st == YORE_OK) {
        st = journal_mark(db->journal, error_out);
        if (st != YORE_OK) {
            db_fail(db, st, error_out);
        }
    }
    lead_no_more(db);
    return st;
}

enum yore_status commit_purge_journal(struct yore_db *db, struct yore_error *error_out)
{
    lead_alone(db);
    enum yore_status st = journal_purge(db->journal, error_out);
    lead_no_more(db);
    return st;
}
