/* Appending to a record log.
 *
 * Records are staged, header and payload contiguous, in one reusable buffer and leave with one
 * pwrite.  Each write ends with a terminator of zeros; where it would grow the file, the file grows
 * by a step of zeros in the same write and by more of them behind it, so that nearly all syncs find
 * size and blocks in place, without a stall for zero-filling a whole segment at once.
 *
 * Threads: one appends; any may sync.  `lock` guards the fields below it; those that are read
 * without it are atomic.  `sync_lock` is held across a sync: when one fails, a second one running
 * beside it might return success for pages the first one lost.  Order: sync_lock, lock.
 */
#include <stdatomic.h>
#include <string.h>

#include "base/assert.h"
#include "base/crc32c.h"
#include "base/mem.h"
#include "journal/record_log_internal.h"
#include "os/thread.h"

/* Of one write: small, because a page cache keeps what one write brings in one folio, and every
 * later write into a large folio walks all of it; and a small part of a small file. */
#define GROW_STEP_BYTES (32u << 10)
#define GROW_STEPS_MIN 8u
/* Of all writes that grow the file at once, at most: large, because a sync of new blocks makes the
 * file system's own journal permanent too, and takes several times as long as one of blocks in
 * place. */
#define GROW_BYTES_MAX (1u << 20)
/* What waits is written at this size. */
#define STAGED_BYTES_MAX (4u << 20)

struct record_log_writer {
    struct os_file *file;
    uint64_t first_sequence;
    uint64_t grow_bytes_max;
    uint64_t grow_step_bytes;
    uint32_t seed;
    /* The appending thread's. */
    struct buffer staged;   /* belongs at written_bytes */
    uint64_t written_bytes; /* >= end_bytes: a large group may be partly written */
    uint32_t staged_count;  /* records of the group, written ones included */
    uint32_t group_durable; /* what this group's records say of the earlier ones */

    struct os_mutex sync_lock;
    struct os_mutex lock;
    struct yore_error failure; /* the first one */
    _Atomic uint64_t end_bytes;
    _Atomic uint64_t durable_bytes;
    _Atomic uint64_t file_bytes;
    _Atomic uint32_t count;
    _Atomic uint32_t durable_count;
};

static enum yore_status writer_failure(struct record_log_writer *writer,
                                       struct yore_error *error_out)
{
    os_mutex_lock(&writer->lock);
    enum yore_status st = writer->failure.status;
    if (st != YORE_OK && error_out != NULL) {
        *error_out = writer->failure;
    }
    os_mutex_unlock(&writer->lock);
    return st;
}

/* Keep the first failure, and report that one. */
static enum yore_status writer_fail(struct record_log_writer *writer,
                                    const struct yore_error *error, struct yore_error *error_out)
{
    YORE_ASSERT(error->status != YORE_OK);
    os_mutex_lock(&writer->lock);
    if (writer->failure.status == YORE_OK) {
        writer->failure = *error;
    }
    os_mutex_unlock(&writer->lock);
    return writer_failure(writer, error_out);
}

static enum yore_status write_at(struct record_log_writer *writer, uint64_t offset,
                                 const void *data, size_t size, struct yore_error *error_out)
{
    struct yore_error error = {0};
    if (os_file_write(writer->file, offset, data, size, &error) != YORE_OK) {
        return writer_fail(writer, &error, error_out);
    }
    if (offset + size > atomic_load(&writer->file_bytes)) {
        atomic_store(&writer->file_bytes, offset + size);
    }
    return YORE_OK;
}

/* Forget what waits.  What a large group has already written cannot be taken back: that is final.
 */
static enum yore_status unstage(struct record_log_writer *writer, enum yore_status st,
                                struct yore_error *error_out)
{
    writer->staged.size = 0;
    writer->staged.is_nomem = false;
    writer->staged_count = 0;
    if (writer->written_bytes != atomic_load(&writer->end_bytes)) {
        struct yore_error error = {0};
        (void)error_set(&error, st, "%s: a group of records was left half-written at %llu",
                        os_file_path(writer->file), (unsigned long long)writer->written_bytes);
        return writer_fail(writer, &error, error_out);
    }
    return st;
}

static uint64_t grow_step_bytes(uint64_t grow_bytes_max)
{
    uint64_t part = grow_bytes_max / GROW_STEPS_MIN + 1;
    return part < GROW_STEP_BYTES ? part : GROW_STEP_BYTES;
}

/* Octets to add behind the staged ones: the terminator, or zeros up to the next step of growth. */
static size_t tail_bytes(const struct record_log_writer *writer)
{
    uint64_t end = writer->written_bytes + writer->staged.size + RECORD_TERMINATOR_BYTES;
    uint64_t step = (end / writer->grow_step_bytes + 1) * writer->grow_step_bytes;
    uint64_t target = step < writer->grow_bytes_max ? step : writer->grow_bytes_max;
    if (end <= atomic_load(&writer->file_bytes) || target <= end ||
        writer->staged.size >= writer->grow_step_bytes) {
        return RECORD_TERMINATOR_BYTES;
    }
    return RECORD_TERMINATOR_BYTES + (size_t)(target - end);
}

/* Add as many zeros as there is file, as far as there is room: that there is none for a group is
 * told by that group. */
static enum yore_status grow(struct record_log_writer *writer, struct yore_error *error_out)
{
    const size_t most = (size_t)writer->grow_step_bytes;
    uint64_t size = atomic_load(&writer->file_bytes);
    uint64_t target = size + (size < GROW_BYTES_MAX ? size : GROW_BYTES_MAX);
    target = target < writer->grow_bytes_max ? target : writer->grow_bytes_max;
    if (size >= target || !buffer_reserve(&writer->staged, most)) {
        writer->staged.is_nomem = false;
        return YORE_OK;
    }
    memset(writer->staged.data, 0, most);
    struct yore_error error = {0};
    enum yore_status st = YORE_OK;
    while (size < target && st == YORE_OK) {
        size_t step = target - size < most ? (size_t)(target - size) : most;
        st = os_file_write(writer->file, size, writer->staged.data, step, &error);
        size += st == YORE_OK ? step : 0;
    }
    atomic_store(&writer->file_bytes, size);
    return st == YORE_OK || st == YORE_NO_SPACE ? YORE_OK : writer_fail(writer, &error, error_out);
}

/* Write what waits; `is_end`: of the group. */
static enum yore_status flush(struct record_log_writer *writer, bool is_end,
                              struct yore_error *error_out)
{
    size_t size = writer->staged.size;
    size_t tail = is_end ? tail_bytes(writer) : 0;
    if (is_end && !buffer_reserve(&writer->staged, tail)) {
        writer->staged.is_nomem = false;
        tail = RECORD_TERMINATOR_BYTES; /* room for it was made when the record was staged */
    }
    if (tail > 0) {
        memset(writer->staged.data + size, 0, tail);
    }
    enum yore_status st =
        write_at(writer, writer->written_bytes, writer->staged.data, size + tail, error_out);
    if (st == YORE_OK) {
        writer->written_bytes += size;
    } else {
        writer->staged_count = 0;
    }
    writer->staged.size = 0;
    return st == YORE_OK && tail > RECORD_TERMINATOR_BYTES ? grow(writer, error_out) : st;
}

/* A payload too large to be copied.  Its header and what came before go first. */
static enum yore_status stage_large(struct record_log_writer *writer, unsigned char *header,
                                    uint32_t place, struct record_header *record,
                                    const struct yore_bytes runs[2], struct yore_error *error_out)
{
    record->payload_crc =
        crc32c(crc32c(place, runs[0].data, runs[0].size), runs[1].data, runs[1].size);
    record_header_encode(record, place, header);
    enum yore_status st = flush(writer, false, error_out);
    for (int i = 0; i < 2 && st == YORE_OK; i++) {
        if (runs[i].size > 0) {
            st = write_at(writer, writer->written_bytes, runs[i].data, runs[i].size, error_out);
            writer->written_bytes += runs[i].size;
        }
    }
    size_t padding = (size_t)(record_span(record->size) - RECORD_HEADER_BYTES - record->size);
    if (st == YORE_OK) {
        memset(writer->staged.data, 0, padding);
        writer->staged.size = padding;
    }
    return st;
}

static enum yore_status stage_begin(struct record_log_writer *writer, uint64_t payload_bytes,
                                    struct yore_error *error_out)
{
    if (writer->staged_count == 0) {
        enum yore_status st = writer_failure(writer, error_out);
        if (st != YORE_OK) {
            return st;
        }
        writer->group_durable = atomic_load(&writer->durable_count);
    }
    if (payload_bytes > RECORD_BYTES_MAX ||
        atomic_load(&writer->count) > UINT32_MAX - 2 - writer->staged_count) {
        return unstage(writer,
                       error_set(error_out, YORE_TOO_BIG,
                                 "%s: a record of %llu octets, or one record too many",
                                 os_file_path(writer->file), (unsigned long long)payload_bytes),
                       error_out);
    }
    return YORE_OK;
}

enum yore_status record_log_stage(struct record_log_writer *writer, uint32_t type,
                                  struct yore_bytes head, struct yore_bytes tail,
                                  struct yore_error *error_out)
{
    uint64_t payload_bytes = (uint64_t)head.size + tail.size;
    enum yore_status st = stage_begin(writer, payload_bytes, error_out);
    if (st != YORE_OK) {
        return st;
    }
    bool is_large = payload_bytes > RECORD_COPIED_BYTES_MAX;
    size_t span = is_large ? RECORD_HEADER_BYTES : (size_t)record_span(payload_bytes);
    if (!buffer_reserve(&writer->staged, span + RECORD_ALIGNMENT + RECORD_TERMINATOR_BYTES)) {
        return unstage(writer, error_plain(error_out, YORE_NOMEM), error_out);
    }
    uint64_t offset = writer->written_bytes + writer->staged.size;
    uint32_t place = record_place(writer->seed, offset);
    struct record_header record = {.size = (uint32_t)payload_bytes,
                                   .type = type,
                                   .index = atomic_load(&writer->count) + writer->staged_count,
                                   .durable = writer->group_durable};
    unsigned char *at = writer->staged.data + writer->staged.size;
    writer->staged.size += span;
    writer->staged_count++;
    if (is_large) {
        const struct yore_bytes runs[2] = {head, tail};
        return stage_large(writer, at, place, &record, runs, error_out);
    }
    unsigned char *payload = at + RECORD_HEADER_BYTES;
    if (head.size > 0) {
        memcpy(payload, head.data, head.size);
    }
    if (tail.size > 0) {
        memcpy(payload + head.size, tail.data, tail.size);
    }
    memset(payload + payload_bytes, 0, span - RECORD_HEADER_BYTES - (size_t)payload_bytes);
    record.payload_crc = crc32c(place, payload, (size_t)payload_bytes);
    record_header_encode(&record, place, at);
    return writer->staged.size < STAGED_BYTES_MAX ? YORE_OK : flush(writer, false, error_out);
}

enum yore_status record_log_reserve(struct record_log_writer *writer, uint64_t copied_bytes,
                                    size_t count)
{
    const uint64_t most = STAGED_BYTES_MAX + record_span(RECORD_COPIED_BYTES_MAX);
    uint64_t all = copied_bytes + count * (uint64_t)(RECORD_HEADER_BYTES + RECORD_ALIGNMENT);
    size_t more = (size_t)(all < most ? all : most) + RECORD_ALIGNMENT + RECORD_TERMINATOR_BYTES;
    bool is_there = buffer_reserve(&writer->staged, more);
    writer->staged.is_nomem = false;
    return is_there ? YORE_OK : YORE_NOMEM;
}

uint64_t record_log_end_bytes(const struct record_log_writer *writer)
{
    return writer->written_bytes + writer->staged.size;
}

enum yore_status record_log_write(struct record_log_writer *writer, struct yore_error *error_out)
{
    enum yore_status st = writer_failure(writer, error_out);
    if (st != YORE_OK) {
        writer->staged.size = 0;
        writer->staged_count = 0;
        return st;
    }
    if (writer->staged_count == 0) {
        return YORE_OK;
    }
    st = flush(writer, true, error_out);
    if (st == YORE_OK) {
        os_mutex_lock(&writer->lock);
        atomic_store(&writer->end_bytes, writer->written_bytes);
        atomic_store(&writer->count, atomic_load(&writer->count) + writer->staged_count);
        os_mutex_unlock(&writer->lock);
    }
    writer->staged_count = 0;
    return st;
}

enum yore_status record_log_append(struct record_log_writer *writer, struct record *records,
                                   size_t count, struct yore_error *error_out)
{
    YORE_ASSERT(writer->staged_count == 0);
    for (size_t i = 0; i < count; i++) {
        YORE_ASSERT(records[i].type != RECORD_TYPE_MARK);
        records[i].sequence = record_log_next_sequence(writer) + writer->staged_count;
        records[i].offset = writer->written_bytes + writer->staged.size;
        enum yore_status st = record_log_stage(writer, records[i].type, records[i].payload,
                                               bytes_of(NULL, 0), error_out);
        if (st != YORE_OK) {
            return st;
        }
    }
    return record_log_write(writer, error_out);
}

enum yore_status record_log_sync_at(struct record_log_writer *writer, const char *site,
                                    struct yore_error *error_out)
{
    os_mutex_lock(&writer->sync_lock);
    os_mutex_lock(&writer->lock);
    enum yore_status st = writer->failure.status;
    uint32_t count = atomic_load(&writer->count);
    uint64_t bytes = atomic_load(&writer->end_bytes);
    os_mutex_unlock(&writer->lock);
    if (st != YORE_OK) {
        st = writer_failure(writer, error_out);
    } else if (bytes != atomic_load(&writer->durable_bytes)) {
        struct yore_error error = {0};
        if (os_file_sync_at(writer->file, site, &error) != YORE_OK) {
            st = writer_fail(writer, &error, error_out);
        } else {
            atomic_store(&writer->durable_bytes, bytes);
            atomic_store(&writer->durable_count, count);
        }
    }
    os_mutex_unlock(&writer->sync_lock);
    return st;
}

enum yore_status record_log_sync(struct record_log_writer *writer, struct yore_error *error_out)
{
    return record_log_sync_at(writer, OS_SITE, error_out);
}

enum yore_status record_log_mark(struct record_log_writer *writer, struct yore_error *error_out)
{
    const struct yore_bytes none = {NULL, 0};
    enum yore_status st = record_log_sync_at(writer, OS_SITE, error_out);
    if (st == YORE_OK) {
        st = record_log_stage(writer, RECORD_TYPE_MARK, none, none, error_out);
    }
    if (st == YORE_OK) {
        st = record_log_write(writer, error_out);
    }
    return st == YORE_OK ? record_log_sync_at(writer, OS_SITE, error_out) : st;
}

enum yore_status record_log_wipe(struct record_log_writer *writer, struct yore_error *error_out)
{
    enum yore_status st = writer_failure(writer, error_out);
    uint64_t end = atomic_load(&writer->end_bytes);
    uint64_t size = atomic_load(&writer->file_bytes);
    if (st != YORE_OK || size <= end) {
        return st;
    }
    struct yore_error error = {0};
    os_mutex_lock(&writer->sync_lock);
    if (os_file_punch(writer->file, end, size - end, &error) != YORE_OK ||
        os_file_sync(writer->file, &error) != YORE_OK) {
        st = writer_fail(writer, &error, error_out);
    }
    os_mutex_unlock(&writer->sync_lock);
    return st;
}

uint64_t record_log_bytes(const struct record_log_writer *writer)
{
    return atomic_load(&writer->end_bytes);
}

uint64_t record_log_durable_bytes(const struct record_log_writer *writer)
{
    return atomic_load(&writer->durable_bytes);
}

uint64_t record_log_file_bytes(const struct record_log_writer *writer)
{
    return atomic_load(&writer->file_bytes);
}

uint64_t record_log_next_sequence(const struct record_log_writer *writer)
{
    return writer->first_sequence + atomic_load(&writer->count);
}

/* ---- beginning and end ---- */

static void writer_free(struct record_log_writer *writer)
{
    os_file_close(writer->file);
    buffer_release(&writer->staged);
    os_mutex_release(&writer->lock);
    os_mutex_release(&writer->sync_lock);
    mem_free(writer);
}

/* The header waits at offset 0 like a record, and leaves with the first one. */
static enum yore_status stage_header(struct record_log_writer *writer,
                                     const struct record_log_options *options,
                                     struct yore_error *error_out)
{
    unsigned char *at =
        buffer_extend(&writer->staged, RECORD_LOG_HEADER_BYTES + RECORD_TERMINATOR_BYTES);
    if (at == NULL) {
        return error_plain(error_out, YORE_NOMEM);
    }
    writer->staged.size = RECORD_LOG_HEADER_BYTES;
    const struct record_log_header header = {.version = RECORD_LOG_VERSION,
                                             .identity = options->identity,
                                             .first_sequence = options->first_sequence};
    record_log_header_encode(&header, at);
    return YORE_OK;
}

static enum yore_status write_head(struct record_log_writer *writer, struct yore_error *error_out)
{
    uint64_t size = 0;
    enum yore_status st = os_file_size(writer->file, &size, error_out);
    atomic_store(&writer->file_bytes, size);
    if (st == YORE_OK && writer->staged_count == 0) {
        st = flush(writer, true, error_out);
        atomic_store(&writer->end_bytes, writer->written_bytes);
    } else if (st == YORE_OK) {
        st = record_log_write(writer, error_out);
    }
    return st == YORE_OK ? record_log_sync_at(writer, OS_SITE, error_out) : st;
}

enum yore_status record_log_create_with(struct os_env *env, const char *path,
                                        const struct record_log_options *options,
                                        const struct record *first,
                                        struct record_log_writer **writer_out,
                                        struct yore_error *error_out)
{
    *writer_out = NULL;
    struct record_log_writer *writer = mem_zalloc(sizeof(*writer));
    if (writer == NULL) {
        return error_plain(error_out, YORE_NOMEM);
    }
    os_mutex_init(&writer->sync_lock);
    os_mutex_init(&writer->lock);
    writer->first_sequence = options->first_sequence;
    writer->grow_bytes_max = options->grow_bytes_max;
    writer->grow_step_bytes = grow_step_bytes(options->grow_bytes_max);
    writer->seed = record_log_seed(&options->identity);
    enum yore_status st = os_file_open(env, path, options->recycle ? OS_OPEN_WRITE : OS_OPEN_CREATE,
                                       &writer->file, error_out);
    st = os_missing_is_io(st, error_out);
    if (st == YORE_OK) {
        st = stage_header(writer, options, error_out);
    }
    if (st == YORE_OK && first != NULL) {
        st = record_log_stage(writer, first->type, first->payload, bytes_of(NULL, 0), error_out);
    }
    if (st == YORE_OK) {
        st = write_head(writer, error_out);
    }
    if (st != YORE_OK) {
        writer_free(writer);
        return st;
    }
    *writer_out = writer;
    return YORE_OK;
}

enum yore_status record_log_create(struct os_env *env, const char *path,
                                   const struct record_log_options *options,
                                   struct record_log_writer **writer_out,
                                   struct yore_error *error_out)
{
    return record_log_create_with(env, path, options, NULL, writer_out, error_out);
}

enum yore_status record_log_close(struct record_log_writer *writer, bool trim,
                                  struct yore_error *error_out)
{
    if (writer == NULL) {
        return YORE_OK;
    }
    enum yore_status st = writer_failure(writer, error_out);
    uint64_t end = atomic_load(&writer->end_bytes);
    if (st == YORE_OK && trim && end < atomic_load(&writer->file_bytes)) {
        st = os_file_truncate(writer->file, end, error_out);
    }
    writer_free(writer);
    return st;
}
