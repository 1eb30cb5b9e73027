/* values.c -- see values.h.
 *
 * Two locks, never held together: `write_lock` over the file being written (appends and syncs take
 * turns, as the writer demands; it is held over the port's record(), which takes the database's
 * manifest lock below it), and `read_lock` over the table of open readers, never held over I/O.  A
 * slot is taken by marking it before its file is opened, so that two readers of one file open it
 * once.
 */
#include "engine/values.h"

#include <stdatomic.h>
#include <string.h>

#include "base/assert.h"
#include "base/mem.h"
#include "engine/manifest.h"
#include "os/thread.h"

struct reader_slot {
    uint64_t file;
    uint64_t generation;
    struct value_reader *reader; /* NULL while it is being opened, and when the slot is free */
    uint64_t last_use;
    uint32_t users;
    bool is_taken;
    bool is_forgotten; /* close it with its last user */
};

struct values {
    struct os_env *env;
    char *dir;
    uint64_t database;
    struct values_port port;

    struct os_mutex write_lock;
    struct value_writer *writer; /* write_lock; NULL: none begun */
    uint64_t writer_file;        /* write_lock */
    struct value_holds holds;    /* write_lock */
    struct os_cond let_go;       /* a commit that was on its way is over */
    _Atomic bool
        is_pending; /* something appended is not synced; set and cleared under write_lock */

    struct os_mutex read_lock;
    struct os_cond released;                     /* a slot was opened, or has one user less */
    struct reader_slot slots[VALUE_READERS_MAX]; /* read_lock */
    uint64_t use_count;                          /* read_lock */
};

/* ---- life ---- */

enum yore_status values_open(struct os_env *env, const char *dir, uint64_t database,
                             const struct values_port *port, struct values **values_out)
{
    *values_out = NULL;
    struct values *values = mem_zalloc(sizeof *values);
    char *copy = mem_copy(dir, strlen(dir) + 1);
    if (values == NULL || copy == NULL) {
        mem_free(copy);
        mem_free(values);
        return YORE_NOMEM;
    }
    values->env = env;
    values->dir = copy;
    values->database = database;
    values->port = *port;
    atomic_init(&values->is_pending, false);
    os_mutex_init(&values->write_lock);
    os_mutex_init(&values->read_lock);
    os_cond_init(&values->let_go);
    os_cond_init(&values->released);
    *values_out = values;
    return YORE_OK;
}

static enum yore_status sync_locked(struct values *values, struct yore_error *error_out)
    REQUIRES(&values->write_lock)
{
    if (!atomic_load(&values->is_pending)) {
        return YORE_OK;
    }
    enum yore_status st = value_writer_sync(values->writer, error_out);
    if (st == YORE_OK) {
        atomic_store(&values->is_pending, false);
    }
    return st;
}

/* Make the open file whole and have its size recorded.  After a failure it stays open: its unsynced
 * values may be referred to by commits on their way, whose sync must fail too. */
static enum yore_status end_file(struct values *values, struct yore_error *error_out)
    REQUIRES(&values->write_lock)
{
    if (values->writer == NULL) {
        return YORE_OK;
    }
    enum yore_status st = sync_locked(values, error_out);
    if (st == YORE_OK) {
        struct value_file_info info = {.file = values->writer_file,
                                       .bytes = value_writer_bytes(values->writer)};
        st = values->port.record(values->port.arg, &info, error_out);
    }
    if (st == YORE_OK) {
        value_writer_close(values->writer);
        values->writer = NULL;
    }
    return st;
}

enum yore_status values_close(struct values *values, struct yore_error *error_out)
{
    if (values == NULL) {
        return YORE_OK;
    }
    os_mutex_lock(&values->write_lock);
    enum yore_status st = end_file(values, error_out);
    value_writer_close(values->writer);
    os_mutex_unlock(&values->write_lock);
    for (size_t i = 0; i < VALUE_READERS_MAX; i++) {
        YORE_ASSERT(values->slots[i].users == 0);
        value_reader_close(values->slots[i].reader);
    }
    YORE_ASSERT(values->holds.first == NULL);
    os_cond_release(&values->released);
    os_cond_release(&values->let_go);
    os_mutex_release(&values->read_lock);
    os_mutex_release(&values->write_lock);
    mem_free(values->dir);
    mem_free(values);
    return st;
}

/* ---- writing ---- */

static enum yore_status path_of(const struct values *values, uint64_t file, uint64_t generation,
                                char path[PATH_BYTES], struct yore_error *error_out)
{
    if (!db_file_path(path, values->dir, DB_FILE_VALUES, file, generation)) {
        return error_set(error_out, YORE_INVALID, "%s: the path is too long", values->dir);
    }
    return YORE_OK;
}

static enum yore_status begin_file(struct values *values, struct yore_error *error_out)
    REQUIRES(&values->write_lock)
{
    char path[PATH_BYTES];
    struct value_file_info info = {.file = values->port.take_number(values->port.arg)};
    struct file_identity identity = {values->database, info.file};
    enum yore_status st = path_of(values, info.file, 0, path, error_out);
    if (st != YORE_OK) {
        return st;
    }
    /* A number is fresh: a file of that name was begun by a run that crashed before the manifest
     * knew it. */
    st = os_path_unlink(values->env, path, error_out);
    if (st == YORE_OK || st == YORE_NOT_FOUND) {
        error_clear(error_out);
        st = value_writer_open(values->env, path, identity, &values->writer, error_out);
    }
    if (st == YORE_OK) { /* what the manifest names must have its header after a power cut */
        st = value_writer_sync(values->writer, error_out);
    }
    if (st == YORE_OK) {
        values->writer_file = info.file;
        st = values->port.record(values->port.arg, &info, error_out);
    }
    if (st != YORE_OK) {
        value_writer_close(values->writer);
        values->writer = NULL;
        values->port.drop(values->port.arg, path);
    }
    return st;
}

enum yore_status values_append(struct values *values, struct value_hold **hold,
                               const struct value_entry *entry,
                               unsigned char ref_out[VALUE_REF_BYTES], struct yore_error *error_out)
{
    struct value_ref ref;
    os_mutex_lock(&values->write_lock);
    enum yore_status st = value_hold_reserve(&values->holds, hold);
    if (st != YORE_OK) {
        error_plain(error_out, st);
    }
    if (st == YORE_OK && values->writer != NULL &&
        value_writer_bytes(values->writer) >= VALUE_FILE_BYTES_MAX) {
        st = end_file(values, error_out);
    }
    if (st == YORE_OK && values->writer == NULL) {
        st = begin_file(values, error_out);
    }
    if (st == YORE_OK) {
        st = value_writer_append(values->writer, entry->keyspace, entry->key, entry->value, &ref,
                                 error_out);
    }
    if (st == YORE_OK) {
        atomic_store(&values->is_pending, true);
        value_ref_encode(&ref, ref_out);
        const struct value_span record = {ref.file, ref.offset, value_writer_bytes(values->writer)};
        value_hold_add(*hold, &record);
    }
    os_mutex_unlock(&values->write_lock);
    return st;
}

enum yore_status values_sync(struct values *values, struct yore_error *error_out)
{
    /* Who asks has appended before, so it meets its own store here without the lock. */
    if (!atomic_load(&values->is_pending)) {
        return YORE_OK;
    }
    os_mutex_lock(&values->write_lock);
    enum yore_status st = sync_locked(values, error_out);
    os_mutex_unlock(&values->write_lock);
    return st;
}

uint64_t values_writing(struct values *values, uint64_t *bytes_out)
{
    os_mutex_lock(&values->write_lock);
    uint64_t file = values->writer != NULL ? values->writer_file : 0;
    *bytes_out = values->writer != NULL ? value_writer_bytes(values->writer) : 0;
    os_mutex_unlock(&values->write_lock);
    return file;
}

/* ---- values of commits that are yet to come ---- */

void values_let_go(struct values *values, struct value_hold **hold)
{
    if (*hold == NULL) {
        return;
    }
    os_mutex_lock(&values->write_lock);
    value_hold_drop(&values->holds, *hold);
    os_cond_broadcast(&values->let_go);
    os_mutex_unlock(&values->write_lock);
    *hold = NULL;
}

void values_commit(struct values *values, struct value_hold *hold, bool is_committing)
{
    if (hold == NULL) {
        return;
    }
    os_mutex_lock(&values->write_lock);
    hold->is_committing = is_committing;
    os_cond_broadcast(&values->let_go);
    os_mutex_unlock(&values->write_lock);
}

enum yore_status values_held(struct values *values, uint64_t file, bool waits,
                             struct value_spans *spans_out, struct yore_error *error_out)
{
    os_mutex_lock(&values->write_lock);
    while (waits && value_holds_commit(&values->holds, file)) {
        os_cond_wait(&values->let_go, &values->write_lock);
    }
    enum yore_status st = value_holds_copy(&values->holds, file, spans_out);
    os_mutex_unlock(&values->write_lock);
    return st == YORE_OK ? st : error_plain(error_out, st);
}

enum yore_status values_end(struct values *values, uint64_t file, struct yore_error *error_out)
{
    enum yore_status st = YORE_OK;
    os_mutex_lock(&values->write_lock);
    if (values->writer != NULL && values->writer_file == file) {
        st = end_file(values, error_out);
    }
    os_mutex_unlock(&values->write_lock);
    return st;
}

/* ---- reading ---- */

static struct reader_slot *find_slot(struct values *values, uint64_t file, uint64_t generation)
    REQUIRES(&values->read_lock)
{
    for (size_t i = 0; i < VALUE_READERS_MAX; i++) {
        struct reader_slot *slot = &values->slots[i];
        if (slot->is_taken && !slot->is_forgotten && slot->file == file &&
            slot->generation == generation) {
            return slot;
        }
    }
    return NULL;
}

/* A free slot, or the one without users that was used longest ago; NULL: all are in use. */
static struct reader_slot *find_room(struct values *values) REQUIRES(&values->read_lock)
{
    struct reader_slot *best = NULL;
    for (size_t i = 0; i < VALUE_READERS_MAX; i++) {
        struct reader_slot *slot = &values->slots[i];
        if (!slot->is_taken) {
            return slot;
        }
        if (slot->users == 0 && (best == NULL || slot->last_use < best->last_use)) {
            best = slot;
        }
    }
    return best;
}

/* Open the file for a slot that was taken for it.  Takes and gives back read_lock. */
static enum yore_status open_slot(struct values *values, struct reader_slot *slot,
                                  struct yore_error *error_out)
{
    char path[PATH_BYTES];
    struct value_reader *reader = NULL;
    struct file_identity identity = {values->database, slot->file};
    enum yore_status st = path_of(values, slot->file, slot->generation, path, error_out);
    if (st == YORE_OK) {
        st = value_reader_open(values->env, path, identity, &reader, error_out);
    }
    if (st == YORE_NOT_FOUND) {
        st = error_set(error_out, YORE_CORRUPT, "%s: a file of large values is missing", path);
    }
    os_mutex_lock(&values->read_lock);
    if (st == YORE_OK) {
        slot->reader = reader;
    } else {
        *slot = (struct reader_slot){0};
    }
    os_cond_broadcast(&values->released);
    os_mutex_unlock(&values->read_lock);
    return st;
}

/* A slot with an open reader, counted as one user more. */
static enum yore_status acquire_slot(struct values *values, uint64_t file, uint64_t generation,
                                     struct reader_slot **slot_out, struct yore_error *error_out)
{
    os_mutex_lock(&values->read_lock);
    for (;;) {
        struct reader_slot *slot = find_slot(values, file, generation);
        if (slot != NULL && slot->reader != NULL) {
            slot->users++;
            slot->last_use = ++values->use_count;
            os_mutex_unlock(&values->read_lock);
            *slot_out = slot;
            return YORE_OK;
        }
        struct reader_slot *room = slot == NULL ? find_room(values) : NULL;
        if (room != NULL) {
            struct value_reader *old = room->reader;
            *room = (struct reader_slot){.file = file,
                                         .generation = generation,
                                         .last_use = ++values->use_count,
                                         .users = 1,
                                         .is_taken = true};
            os_mutex_unlock(&values->read_lock);
            value_reader_close(old);
            *slot_out = room;
            return open_slot(values, room, error_out);
        }
        os_cond_wait(&values->released, &values->read_lock);
    }
}

static void release_slot(struct values *values, struct reader_slot *slot)
{
    struct value_reader *done = NULL;
    os_mutex_lock(&values->read_lock);
    slot->users--;
    if (slot->users == 0 && slot->is_forgotten) {
        done = slot->reader;
        *slot = (struct reader_slot){0};
    }
    os_cond_broadcast(&values->released);
    os_mutex_unlock(&values->read_lock);
    value_reader_close(done);
}

const struct value_file_info *forest_value_file(const struct forest *forest, uint64_t file)
{
    size_t low = 0;
    size_t high = forest->value_file_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (forest->value_files[middle].file < file) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    bool is_found = low < forest->value_file_count && forest->value_files[low].file == file;
    return is_found ? &forest->value_files[low] : NULL;
}

enum yore_status values_get(struct values *values, const struct forest *forest,
                            struct yore_bytes ref, struct yore_bytes key, void **data_out,
                            size_t *size_out, struct yore_error *error_out)
{
    struct value_ref place;
    struct reader_slot *slot;
    struct buffer value = {0};
    char text[KEY_TEXT_BYTES];
    if (value_ref_decode(ref, &place) != YORE_OK) {
        return error_set(error_out, YORE_CORRUPT,
                         "%s: key %s: a reference to a large value is damaged", values->dir,
                         key_text(key, text));
    }
    /* A transaction may read its own value through a forest that is older than the file, which then
     * is of the first generation. */
    const struct value_file_info *info = forest_value_file(forest, place.file);
    enum yore_status st =
        acquire_slot(values, place.file, info != NULL ? info->generation : 0, &slot, error_out);
    if (st != YORE_OK) {
        return st;
    }
    st = value_reader_get(slot->reader, &place, key, &value, error_out);
    release_slot(values, slot);
    if (st == YORE_OK && value.data == NULL && !buffer_reserve(&value, 1)) {
        st = error_plain(error_out, YORE_NOMEM); /* an empty value has an address too */
    }
    if (st != YORE_OK) {
        buffer_release(&value);
        return st;
    }
    *data_out = value.data;
    *size_out = value.size;
    return YORE_OK;
}

size_t value_ref_size(struct yore_bytes ref)
{
    struct value_ref place;
    return value_ref_decode(ref, &place) == YORE_OK ? place.value_size : 0;
}

void values_forget(struct values *values, uint64_t file)
{
    struct value_reader *done[VALUE_READERS_MAX];
    size_t count = 0;
    os_mutex_lock(&values->read_lock);
    for (size_t i = 0; i < VALUE_READERS_MAX; i++) {
        struct reader_slot *slot = &values->slots[i];
        if (slot->is_taken && slot->file == file && slot->users > 0) {
            slot->is_forgotten = true;
        } else if (slot->is_taken && slot->file == file) {
            done[count++] = slot->reader;
            *slot = (struct reader_slot){0};
        }
    }
    os_cond_broadcast(&values->released);
    os_mutex_unlock(&values->read_lock);
    for (size_t i = 0; i < count; i++) {
        value_reader_close(done[i]);
    }
}
