/* load_tables.c -- see load_tables.h. */
#include "engine/load_tables.h"

#include <string.h>

#include "base/mem.h"
#include "engine/output.h"

#define WRITERS 2u
#define SHARE_OF_LOAD 8u /* a table is about this part of the load so far */

/* Rows end to end: this head, the key, the value. */
struct row_head {
    uint32_t key_size;
    uint32_t value_size;
    uint32_t flags;
};

struct block {
    struct block *next;
    size_t size;     /* of data */
    size_t used;     /* octets of rows */
    bool ends_table; /* no more rows for this one */
    unsigned char data[];
};

/* One table at a time. */
struct writer {
    struct load_tables *owner;
    struct os_thread *thread; /* NULL: the calling one */
    struct block *first;      /* owner's lock */
    struct block *last;       /* owner's lock */
    _Atomic uint64_t bytes;   /* of the table being built: when to end it */
    /* The writer's thread: */
    struct table_builder *builder; /* NULL: none open */
    uint64_t file;
};

struct load_tables {
    struct yore_db *db;
    const struct yore_keyspace *keyspace;
    size_t block_bytes;
    struct writer writers[WRITERS];
    struct writer *target; /* of the block being filled */
    struct block *block;   /* being filled; NULL: none */
    bool has_threads;
    uint64_t handed_bytes; /* of rows, to writers */

    struct os_mutex lock;
    struct os_cond work;      /* a block waits, or no more will come */
    struct os_cond room;      /* a block was done */
    struct block *spares;     /* lock; of block_bytes */
    size_t waiting_bytes;     /* lock; of blocks handed over and not done */
    bool is_closing;          /* lock */
    struct table_meta *metas; /* lock */
    size_t meta_count;
    size_t meta_capacity;
    uint64_t file_bytes;     /* lock */
    enum yore_status failed; /* lock; the first failure */
    struct yore_error failure;
};

enum yore_status load_tables_new(struct yore_db *db, const struct yore_keyspace *keyspace,
                                 struct load_tables **tables_out)
{
    struct load_tables *t = mem_zalloc(sizeof *t);
    *tables_out = t;
    if (t == NULL) {
        return YORE_NOMEM;
    }
    uint64_t quarter = db->options.table_bytes / 4;
    t->db = db;
    t->keyspace = keyspace;
    t->block_bytes = quarter < LOAD_BLOCK_BYTES ? (size_t)quarter : LOAD_BLOCK_BYTES;
    t->target = &t->writers[0];
    for (size_t i = 0; i < WRITERS; i++) {
        t->writers[i].owner = t;
    }
    os_mutex_init(&t->lock);
    os_cond_init(&t->work);
    os_cond_init(&t->room);
    return YORE_OK;
}

/* ---- building ---- */

static enum yore_status begin_table(struct writer *w, struct yore_error *error_out)
{
    struct yore_db *db = w->owner->db;
    struct table_options options = {.identity = {db->database, db_take_file_number(db)},
                                    .page_bytes = db->options.page_bytes,
                                    .compression =
                                        output_compression(w->owner->keyspace, PAGE_CLASS_PRESENT),
                                    .class_hint = PAGE_CLASS_PRESENT,
                                    .is_stamped = true};
    char path[PATH_BYTES];
    if (!db_file_path(path, db->path, DB_FILE_TABLE, options.identity.file, 0)) {
        return error_set(error_out, YORE_INVALID, "%s: the path is too long", db->path);
    }
    w->file = options.identity.file;
    return output_builder_open(db, path, &options, &w->builder, error_out);
}

static void unlink_table(const struct load_tables *t, uint64_t file)
{
    char path[PATH_BYTES];
    if (db_file_path(path, t->db->path, DB_FILE_TABLE, file, 0)) {
        (void)os_path_unlink(t->db->env, path, NULL);
    }
}

/* Takes `meta`, also on failure. */
static enum yore_status keep_meta(struct load_tables *t, struct table_meta *meta)
{
    os_mutex_lock(&t->lock);
    struct table_meta *grown = mem_grow(t->metas, t->meta_count, &t->meta_capacity, sizeof *grown);
    if (grown != NULL) {
        t->metas = grown;
        t->metas[t->meta_count++] = *meta;
        t->file_bytes += meta->file_bytes;
    } else {
        table_meta_release(meta);
    }
    os_mutex_unlock(&t->lock);
    return grown != NULL ? YORE_OK : YORE_NOMEM;
}

static enum yore_status finish_table(struct writer *w, struct yore_error *error_out)
{
    struct table_meta meta;
    struct table_builder *builder = w->builder;
    if (builder == NULL) {
        return YORE_OK;
    }
    w->builder = NULL;
    atomic_store_explicit(&w->bytes, 0, memory_order_relaxed);
    enum yore_status st = table_builder_finish(builder, &meta, error_out);
    if (st == YORE_OK) {
        st = keep_meta(w->owner, &meta);
        st = st == YORE_OK ? st : error_plain(error_out, st);
    }
    if (st != YORE_OK) {
        unlink_table(w->owner, w->file);
    }
    return st;
}

static enum yore_status write_block(struct writer *w, const struct block *block,
                                    struct yore_error *error_out)
{
    enum yore_status st = YORE_OK;
    const unsigned char *at = block->data;
    const unsigned char *end = block->data + block->used;
    if (w->builder == NULL && at < end) {
        st = begin_table(w, error_out);
    }
    while (st == YORE_OK && at < end) {
        struct row_head head;
        memcpy(&head, at, sizeof head);
        struct version row = {.valid_to = YORE_FOREVER, .kind = YORE_KIND_PUT, .flags = head.flags};
        row.key = bytes_of(at + sizeof head, head.key_size);
        row.value = bytes_of(at + sizeof head + head.key_size, head.value_size);
        st = table_builder_add_key(w->builder, &row, error_out);
        at += sizeof head + head.key_size + head.value_size;
    }
    if (st == YORE_OK && w->builder != NULL) {
        atomic_store_explicit(&w->bytes, table_builder_bytes(w->builder), memory_order_relaxed);
    }
    return st == YORE_OK && block->ends_table ? finish_table(w, error_out) : st;
}

/* ---- blocks ---- */

/* REQUIRES(lock). */
static void note_failure(struct load_tables *t, enum yore_status st, const struct yore_error *error)
{
    if (st != YORE_OK && t->failed == YORE_OK) {
        t->failed = st;
        t->failure = *error;
    }
}

/* REQUIRES(lock). */
static enum yore_status failure_of(const struct load_tables *t, struct yore_error *error_out)
{
    if (t->failed != YORE_OK && error_out != NULL) {
        *error_out = t->failure;
    }
    return t->failed;
}

/* REQUIRES(lock). */
static void give_back(struct load_tables *t, struct block *block)
{
    if (block->size == t->block_bytes) {
        block->next = t->spares;
        t->spares = block;
    } else {
        mem_free(block);
    }
}

static void do_block(struct writer *w, struct block *block)
{
    struct load_tables *t = w->owner;
    struct yore_error error = {.text = ""};
    os_mutex_lock(&t->lock);
    bool is_vain = t->failed != YORE_OK;
    os_mutex_unlock(&t->lock);
    enum yore_status st = is_vain ? YORE_OK : write_block(w, block, &error);
    os_mutex_lock(&t->lock);
    note_failure(t, st, &error);
    t->waiting_bytes -= block->size;
    give_back(t, block);
    os_cond_broadcast(&t->room);
    os_mutex_unlock(&t->lock);
}

static void run_writer(void *arg)
{
    struct writer *w = arg;
    struct load_tables *t = w->owner;
    os_mutex_lock(&t->lock);
    while (w->first != NULL || !t->is_closing) {
        struct block *block = w->first;
        if (block == NULL) {
            os_cond_wait(&t->work, &t->lock);
            continue;
        }
        w->first = block->next;
        os_mutex_unlock(&t->lock);
        do_block(w, block);
        os_mutex_lock(&t->lock);
    }
    os_mutex_unlock(&t->lock);
}

/* The first full block: there will be more.  Without threads it goes on as it began. */
static void start_threads(struct load_tables *t)
{
    if (t->has_threads || t->db->is_inline) {
        return;
    }
    for (size_t i = 0; i < WRITERS; i++) {
        struct writer *w = &t->writers[i];
        if (os_thread_start(run_writer, w, "yore-load", &w->thread, NULL) != YORE_OK) {
            w->thread = NULL;
            break;
        }
        t->has_threads = true;
    }
}

static void hand_over(struct load_tables *t, bool ends_table)
{
    struct block *block = t->block;
    struct writer *w = t->target;
    t->block = NULL;
    block->next = NULL;
    block->ends_table = ends_table;
    t->handed_bytes += block->used;
    os_mutex_lock(&t->lock);
    t->waiting_bytes += block->size;
    if (w->thread != NULL) {
        if (w->first == NULL) {
            w->first = block;
        } else {
            w->last->next = block;
        }
        w->last = block;
        os_cond_broadcast(&t->work);
    }
    os_mutex_unlock(&t->lock);
    if (w->thread == NULL) {
        do_block(w, block);
    }
    if (ends_table) { /* the next one is built while this one is finished */
        struct writer *other = &t->writers[w == &t->writers[0] ? 1 : 0];
        t->target = other->thread != NULL ? other : w;
    }
}

/* A block for rows of at least `room` octets, in its turn. */
static enum yore_status take_block(struct load_tables *t, size_t room, struct yore_error *error_out)
{
    size_t size = room > t->block_bytes ? room : t->block_bytes;
    struct block *block = NULL;
    os_mutex_lock(&t->lock);
    while (t->failed == YORE_OK && t->waiting_bytes > 0 &&
           t->waiting_bytes + size > LOAD_WAITING_BYTES_MAX) {
        os_cond_wait(&t->room, &t->lock);
    }
    enum yore_status st = failure_of(t, error_out);
    if (st == YORE_OK && size == t->block_bytes && t->spares != NULL) {
        block = t->spares;
        t->spares = block->next;
    }
    os_mutex_unlock(&t->lock);
    if (st == YORE_OK && block == NULL) {
        block = mem_alloc(sizeof *block + size);
        st = block != NULL ? YORE_OK : error_plain(error_out, YORE_NOMEM);
    }
    if (st == YORE_OK) {
        *block = (struct block){.size = size};
        t->block = block;
    }
    return st;
}

/* Is the table being built large enough?  The first ones are small, so that both threads have work
 * soon and end together; a long load comes to whole ones. */
static bool is_table_full(const struct load_tables *t)
{
    uint64_t most = t->db->options.table_bytes;
    uint64_t enough = t->handed_bytes / SHARE_OF_LOAD;
    if (enough < most / SHARE_OF_LOAD) {
        enough = most / SHARE_OF_LOAD;
    }
    if (enough > most || !t->has_threads) {
        enough = most;
    }
    return atomic_load_explicit(&t->target->bytes, memory_order_relaxed) >= enough;
}

enum yore_status load_tables_add(struct load_tables *t, const struct version *row,
                                 struct yore_error *error_out)
{
    const struct row_head head = {(uint32_t)row->key.size, (uint32_t)row->value.size, row->flags};
    size_t size = sizeof head + row->key.size + row->value.size;
    if (t->block != NULL && size > t->block->size - t->block->used) {
        start_threads(t);
        hand_over(t, is_table_full(t));
    }
    if (t->block == NULL) {
        enum yore_status st = take_block(t, size, error_out);
        if (st != YORE_OK) {
            return st;
        }
    }
    unsigned char *at = t->block->data + t->block->used;
    memcpy(at, &head, sizeof head);
    memcpy(at + sizeof head, row->key.data, row->key.size);
    if (row->value.size > 0) {
        memcpy(at + sizeof head + row->key.size, row->value.data, row->value.size);
    }
    t->block->used += size;
    return YORE_OK;
}

/* ---- the end ---- */

static void wait_until_done(struct load_tables *t)
{
    os_mutex_lock(&t->lock);
    while (t->waiting_bytes > 0) {
        os_cond_wait(&t->room, &t->lock);
    }
    os_mutex_unlock(&t->lock);
}

static void stop_threads(struct load_tables *t)
{
    os_mutex_lock(&t->lock);
    t->is_closing = true;
    os_cond_broadcast(&t->work);
    os_mutex_unlock(&t->lock);
    for (size_t i = 0; i < WRITERS; i++) {
        if (t->writers[i].thread != NULL) {
            os_thread_join(t->writers[i].thread);
            t->writers[i].thread = NULL;
        }
    }
}

enum yore_status load_tables_finish(struct load_tables *t, struct yore_error *error_out)
{
    enum yore_status st = t->block == NULL ? take_block(t, 0, error_out) : YORE_OK;
    if (st == YORE_OK) {
        hand_over(t, true);
        wait_until_done(t);
    }
    stop_threads(t);
    return st == YORE_OK ? failure_of(t, error_out) : st; /* nobody else is left to change it */
}

struct table_meta *load_tables_metas(struct load_tables *t, size_t *count_out)
{
    *count_out = t->meta_count;
    return t->metas;
}

uint64_t load_tables_bytes(const struct load_tables *t)
{
    return t->file_bytes;
}

void load_tables_free(struct load_tables *t, bool is_kept)
{
    if (t == NULL) {
        return;
    }
    os_mutex_lock(&t->lock);
    t->failed = t->failed == YORE_OK ? YORE_CANCELLED : t->failed; /* what waits is in vain */
    os_mutex_unlock(&t->lock);
    stop_threads(t);
    for (size_t i = 0; i < WRITERS; i++) {
        if (t->writers[i].builder != NULL) {
            table_builder_abandon(t->writers[i].builder);
            unlink_table(t, t->writers[i].file);
        }
    }
    for (size_t i = 0; i < t->meta_count; i++) {
        if (!is_kept) {
            unlink_table(t, t->metas[i].file);
        }
        table_meta_release(&t->metas[i]);
    }
    while (t->spares != NULL) {
        struct block *next = t->spares->next;
        mem_free(t->spares);
        t->spares = next;
    }
    mem_free(t->block);
    mem_free(t->metas);
    os_cond_release(&t->room);
    os_cond_release(&t->work);
    os_mutex_release(&t->lock);
    mem_free(t);
}
