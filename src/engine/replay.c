/* replay.c -- see replay.h.
 *
 * The first payloads are applied by the caller.  If there are more, a thread begins: payloads are
 * copied into blocks, which go to it when they are full; who finds no empty one waits.  A payload
 * that is larger than a block is applied by the caller, once the thread has nothing left to do.
 */
#include "engine/replay.h"

#include <string.h>

#include "base/coding.h"
#include "base/mem.h"
#include "journal/commit_codec.h"

#define BLOCK_BYTES (256u << 10)
#define BLOCKS 8u

/* Payloads end to end, each behind its size (4 octets). */
struct block {
    size_t size;
    unsigned char data[BLOCK_BYTES];
};

struct replay {
    struct yore_db *db;
    int64_t flushed;
    uint64_t alone_bytes;     /* what the caller applies before a thread begins */
    struct os_thread *thread; /* NULL: the caller applies all */
    struct block *blocks;     /* BLOCKS of them; the n-th to be handed over lies at n % BLOCKS */
    uint64_t handed;          /* lock; how many were; the one behind these is the caller's */
    uint64_t done;            /* lock; how many of these are applied */
    bool is_closing;          /* lock */
    bool has_failed;          /* lock; the thread's status is no success */
    struct os_mutex lock;
    struct os_cond work;
    struct os_cond room;
    /* Of whoever applies: the thread, or the caller while the thread has nothing to do. */
    struct memtable *memtable;
    struct memtable_addition ahead[MEMTABLE_MANY_MAX];
    size_t ahead_count;
    int64_t last;
    enum yore_status status; /* the first failure */
    struct yore_error error;
};

enum yore_status replay_begin(struct yore_db *db, struct memtable *m, int64_t flushed,
                              struct replay **replay_out)
{
    struct replay *r = mem_zalloc(sizeof(*r));
    *replay_out = r;
    if (r == NULL) {
        return YORE_NOMEM;
    }
    r->db = db;
    r->memtable = m;
    r->flushed = flushed;
    r->alone_bytes = db->is_inline ? UINT64_MAX : BLOCK_BYTES;
    r->last = INT64_MIN;
    os_mutex_init(&r->lock);
    os_cond_init(&r->work);
    os_cond_init(&r->room);
    return YORE_OK;
}

/* ---- applying ---- */

static enum yore_status settle(struct replay *r)
{
    enum yore_status st = memtable_add_many(r->memtable, r->ahead, r->ahead_count);
    r->ahead_count = 0;
    return st;
}

static enum yore_status add(struct replay *r, int64_t commit, const struct commit_write *write)
{
    r->ahead[r->ahead_count++] =
        (struct memtable_addition){write->keyspace,
                                   {.key = write->key,
                                    .valid_from = write->valid_from,
                                    .commit = commit,
                                    .valid_to = write->valid_to,
                                    .kind = write->kind,
                                    .flags = write->is_apart ? VERSION_APART : 0,
                                    .value = write->value}};
    return r->ahead_count == MEMTABLE_MANY_MAX ? settle(r) : YORE_OK;
}

static enum yore_status apply_writes(struct replay *r, struct yore_bytes payload)
{
    struct commit_decoder c;
    struct commit_write write;
    enum yore_status st = commit_decoder_init(&c, payload);
    bool is_flushed = st == YORE_OK && c.commit <= r->flushed;
    if (st == YORE_OK && c.is_load && !is_flushed) {
        return error_set(&r->error, YORE_CORRUPT,
                         "%s: the journal tells of a load at %lld whose tables the manifest does "
                         "not name",
                         r->db->path, (long long)c.commit);
    }
    while (st == YORE_OK && !is_flushed) {
        st = commit_decoder_next(&c, &write);
        if (st == YORE_OK) {
            st = add(r, c.commit, &write);
        }
    }
    if (st == YORE_OK || st == YORE_NOT_FOUND) {
        r->last = c.commit > r->last ? c.commit : r->last;
        return YORE_OK;
    }
    return error_set(&r->error, st, "%s: a commit in the journal cannot be applied: %s",
                     r->db->path, yore_status_message(st));
}

/* After a failure nothing more is applied. */
static void apply(struct replay *r, struct yore_bytes payload)
{
    if (r->status == YORE_OK) {
        r->status = apply_writes(r, payload);
    }
}

/* What is ahead borrows from payloads: before they go it is put in. */
static void apply_end(struct replay *r)
{
    if (r->status == YORE_OK) {
        r->status = settle(r);
        if (r->status != YORE_OK) {
            error_plain(&r->error, r->status);
        }
    }
}

static void apply_block(struct replay *r, const struct block *block)
{
    size_t at = 0;
    while (at < block->size) {
        size_t size = get_u32(block->data + at);
        apply(r, bytes_of(block->data + at + 4, size));
        at += 4 + size;
    }
    apply_end(r);
}

static void run(void *arg)
{
    struct replay *r = arg;
    os_mutex_lock(&r->lock);
    for (;;) {
        while (r->done == r->handed && !r->is_closing) {
            os_cond_wait(&r->work, &r->lock);
        }
        if (r->done == r->handed) {
            break;
        }
        struct block *block = &r->blocks[r->done % BLOCKS];
        os_mutex_unlock(&r->lock);
        apply_block(r, block);
        block->size = 0;
        os_mutex_lock(&r->lock);
        r->done++;
        r->has_failed = r->status != YORE_OK;
        os_cond_signal(&r->room);
    }
    os_mutex_unlock(&r->lock);
}

/* ---- handing over ---- */

static enum yore_status failure(const struct replay *r, struct yore_error *error_out)
{
    if (r->status != YORE_OK && error_out != NULL) {
        *error_out = r->error;
    }
    return r->status;
}

/* Until the thread has `most` blocks to do.  Its failure, as far as it got. */
static enum yore_status wait_for(struct replay *r, uint64_t most, struct yore_error *error_out)
{
    os_mutex_lock(&r->lock);
    while (r->handed - r->done > most) {
        os_cond_wait(&r->room, &r->lock);
    }
    enum yore_status st = r->has_failed ? failure(r, error_out) : YORE_OK;
    os_mutex_unlock(&r->lock);
    return st;
}

static void hand_over(struct replay *r)
{
    if (r->thread != NULL && r->blocks[r->handed % BLOCKS].size > 0) {
        os_mutex_lock(&r->lock);
        r->handed++;
        os_cond_signal(&r->work);
        os_mutex_unlock(&r->lock);
    }
}

static void start_thread(struct replay *r)
{
    r->alone_bytes = UINT64_MAX; /* without memory or a thread it goes on as it began */
    r->blocks = mem_array(BLOCKS, sizeof(*r->blocks));
    for (size_t i = 0; i < BLOCKS && r->blocks != NULL; i++) {
        r->blocks[i].size = 0;
    }
    if (r->blocks != NULL && os_thread_start(run, r, "yore-replay", &r->thread, NULL) != YORE_OK) {
        r->thread = NULL;
    }
}

static enum yore_status apply_alone(struct replay *r, struct yore_bytes payload,
                                    struct yore_error *error_out)
{
    hand_over(r);
    enum yore_status st = wait_for(r, 0, error_out);
    if (st == YORE_OK) {
        apply(r, payload);
        apply_end(r);
        st = failure(r, error_out);
    }
    return st;
}

enum yore_status replay_commit(void *replay, struct yore_bytes payload,
                               struct yore_error *error_out)
{
    struct replay *r = replay;
    if (r->thread == NULL && r->alone_bytes == 0) {
        start_thread(r);
    }
    if (r->thread == NULL || payload.size > BLOCK_BYTES - 4) {
        r->alone_bytes -= payload.size < r->alone_bytes ? payload.size : r->alone_bytes;
        return apply_alone(r, payload, error_out);
    }
    struct block *block = &r->blocks[r->handed % BLOCKS];
    if (4 + payload.size > BLOCK_BYTES - block->size) {
        hand_over(r);
        enum yore_status st = wait_for(r, BLOCKS - 1, error_out);
        if (st != YORE_OK) {
            return st;
        }
        block = &r->blocks[r->handed % BLOCKS];
    }
    put_u32(block->data + block->size, (uint32_t)payload.size);
    memcpy(block->data + block->size + 4, payload.data, payload.size);
    block->size += 4 + payload.size;
    return YORE_OK;
}

enum yore_status replay_end(struct replay *r, int64_t *last_out, struct yore_error *error_out)
{
    if (r == NULL) {
        return YORE_OK;
    }
    hand_over(r);
    if (r->thread != NULL) {
        os_mutex_lock(&r->lock);
        r->is_closing = true;
        os_cond_signal(&r->work);
        os_mutex_unlock(&r->lock);
        os_thread_join(r->thread);
    }
    enum yore_status st = failure(r, error_out);
    *last_out = r->last > *last_out ? r->last : *last_out;
    os_cond_release(&r->room);
    os_cond_release(&r->work);
    os_mutex_release(&r->lock);
    mem_free(r->blocks);
    mem_free(r);
    return st;
}
