/* Reading a record log, and telling a torn tail from damage.
 *
 * Where no valid record of the next index is found, the rest of the file is searched at every
 * aligned offset for valid record headers of this epoch: a header has a CRC of its own, so damage
 * of a length leads nowhere else.  If one of them names as durable a record that could not be read,
 * acknowledged data is damaged: corrupt.  If none does, a write may have been cut short: torn.
 * Zeros alone prove a whole tail only behind a mark.
 */
#include <string.h>

#include "base/assert.h"
#include "base/coding.h"
#include "base/crc32c.h"
#include "base/mem.h"
#include "journal/record_log_internal.h"

#define WINDOW_BYTES (1u << 20)
#define WINDOW_BYTES_KEPT (64u << 10)

struct record_log_reader {
    struct os_file *file;
    struct record_log_identity identity;
    uint64_t first_sequence;
    uint32_t seed;
    uint64_t size; /* of the file, or the bound */
    bool is_bound;
    uint64_t offset; /* of the next record */
    uint32_t index;  /* it must have */
    bool is_marked;  /* the last record was a mark */
    bool is_damaged;
    enum record_log_end end;   /* 0: not reached */
    struct yore_error failure; /* repeated */
    struct buffer window;
    uint64_t window_offset;
};

/* Have [offset, offset + size) in the window; `*at_out` is NULL when the file ends before. */
static enum yore_status window_need(struct record_log_reader *reader, uint64_t offset,
                                    uint64_t size, const unsigned char **at_out,
                                    struct yore_error *error_out)
{
    *at_out = NULL;
    if (offset > reader->size || size > reader->size - offset) {
        return YORE_OK;
    }
    if (offset < reader->window_offset ||
        offset + size > reader->window_offset + reader->window.size) {
        uint64_t want = size > WINDOW_BYTES ? size : WINDOW_BYTES;
        want = want < reader->size - offset ? want : reader->size - offset;
        if (reader->window.capacity > WINDOW_BYTES_KEPT && reader->window.capacity / 16 > want) {
            buffer_release(&reader->window); /* one that follows the end needs little of it */
        }
        buffer_clear(&reader->window);
        unsigned char *data = buffer_extend(&reader->window, (size_t)want);
        if (data == NULL) {
            buffer_release(&reader->window); /* another call may find memory */
            return error_plain(error_out, YORE_NOMEM);
        }
        size_t read = 0;
        enum yore_status st =
            os_file_read(reader->file, offset, data, (size_t)want, &read, error_out);
        reader->window_offset = offset;
        reader->window.size = st == YORE_OK ? read : 0;
        if (st != YORE_OK || read < size) {
            return st;
        }
    }
    *at_out = reader->window.data + (offset - reader->window_offset);
    return YORE_OK;
}

static enum yore_status fail(struct record_log_reader *reader, enum yore_status st,
                             struct yore_error *error_out)
{
    YORE_ASSERT(st == reader->failure.status);
    if (error_out != NULL) {
        *error_out = reader->failure;
    }
    return st;
}

/* ---- searching past damage ---- */

struct search {
    uint32_t index_min; /* headers with a lower index do not count */
    bool is_found;
    bool is_durable; /* one names the record of index_min, or a later one, durable */
    uint64_t offset; /* of that one, else of the first */
};

static void search_window(const struct record_log_reader *reader, const unsigned char *data,
                          size_t size, uint64_t offset, struct search *search)
{
    struct record_header header;
    for (size_t at = 0; at + RECORD_HEADER_BYTES <= size && !search->is_durable;
         at += RECORD_ALIGNMENT) {
        /* The index first: it refuses most of what is no header before a CRC is computed. */
        if (get_u32(data + at + 16) < search->index_min ||
            get_u32(data + at + 8) > RECORD_BYTES_MAX ||
            !record_header_decode(data + at, record_place(reader->seed, offset + at), &header)) {
            continue;
        }
        search->is_durable = header.durable > search->index_min;
        if (!search->is_found || search->is_durable) {
            search->offset = offset + at;
        }
        search->is_found = true;
    }
}

static enum yore_status search_from(struct record_log_reader *reader, uint64_t offset,
                                    struct search *search, struct yore_error *error_out)
{
    while (!search->is_durable && offset < reader->size &&
           reader->size - offset >= RECORD_HEADER_BYTES) {
        uint64_t left = reader->size - offset;
        uint64_t size = left < WINDOW_BYTES ? left : WINDOW_BYTES;
        const unsigned char *data;
        enum yore_status st = window_need(reader, offset, size, &data, error_out);
        if (st != YORE_OK || data == NULL) {
            return st;
        }
        search_window(reader, data, (size_t)size, offset, search);
        if (size == left) {
            break;
        }
        /* The next window begins with the first offset whose header did not fit. */
        offset +=
            (size - RECORD_HEADER_BYTES) / RECORD_ALIGNMENT * RECORD_ALIGNMENT + RECORD_ALIGNMENT;
    }
    return YORE_OK;
}

/* ---- the end ---- */

static enum yore_status end_at(struct record_log_reader *reader, bool is_blank,
                               struct yore_error *error_out)
{
    struct search search = {.index_min = reader->index};
    enum yore_status st = YORE_OK;
    if (!reader->is_bound) {
        st = search_from(reader, reader->offset, &search, error_out);
    }
    if (st != YORE_OK) {
        return st;
    }
    bool is_whole = is_blank && !search.is_found;
    if (search.is_durable || (reader->is_bound && !is_whole)) {
        st = error_set(&reader->failure, YORE_CORRUPT,
                       "%s: damaged record at offset %llu (the record at %llu shows that it was "
                       "complete once)",
                       os_file_path(reader->file), (unsigned long long)reader->offset,
                       (unsigned long long)(reader->is_bound ? reader->size : search.offset));
        return fail(reader, st, error_out);
    }
    reader->is_damaged = !is_whole;
    reader->end = is_whole && (reader->is_marked || reader->is_bound) ? RECORD_LOG_END_CLEAN
                                                                      : RECORD_LOG_END_TORN;
    return YORE_NOT_FOUND;
}

/* Is what follows the last record as a whole write leaves it: a terminator, or, behind a mark or at
 * a bound, the end of the file?  `at` is NULL when fewer octets than a header are left. */
static enum yore_status end_here(struct record_log_reader *reader, const unsigned char *at,
                                 struct yore_error *error_out)
{
    static const unsigned char zeros[RECORD_TERMINATOR_BYTES];
    bool is_blank;
    if (at == NULL) {
        is_blank = reader->offset == reader->size && (reader->is_marked || reader->is_bound);
    } else {
        is_blank = memcmp(at, zeros, sizeof(zeros)) == 0;
    }
    return end_at(reader, is_blank, error_out);
}

/* ---- records ---- */

static enum yore_status sequence_broken(struct record_log_reader *reader, uint32_t index,
                                        struct yore_error *error_out)
{
    enum yore_status st = error_set(&reader->failure, YORE_CORRUPT,
                                    "%s: record at offset %llu has index %lu instead of %lu",
                                    os_file_path(reader->file), (unsigned long long)reader->offset,
                                    (unsigned long)index, (unsigned long)reader->index);
    return fail(reader, st, error_out);
}

/* The next record, marks included. */
static enum yore_status next_any(struct record_log_reader *reader, struct record *record_out,
                                 struct yore_error *error_out)
{
    const unsigned char *at;
    struct record_header header;
    uint64_t offset = reader->offset;
    uint32_t place = record_place(reader->seed, offset);
    enum yore_status st = window_need(reader, offset, RECORD_HEADER_BYTES, &at, error_out);
    if (st != YORE_OK) {
        return st;
    }
    if (at == NULL || !record_header_decode(at, place, &header)) {
        return end_here(reader, at, error_out);
    }
    if (header.index != reader->index) {
        return sequence_broken(reader, header.index, error_out);
    }
    st = window_need(reader, offset, RECORD_HEADER_BYTES + (uint64_t)header.size, &at, error_out);
    if (st != YORE_OK) {
        return st;
    }
    if (at == NULL || crc32c(place, at + RECORD_HEADER_BYTES, header.size) != header.payload_crc) {
        return end_at(reader, false, error_out);
    }
    reader->is_marked = header.type == RECORD_TYPE_MARK;
    reader->index++;
    /* The padding of the last record may have been cut off. */
    uint64_t next = offset + record_span(header.size);
    reader->offset = next < reader->size ? next : reader->size;
    record_out->type = header.type;
    record_out->sequence = reader->first_sequence + header.index;
    record_out->offset = offset;
    record_out->payload = bytes_of(at + RECORD_HEADER_BYTES, header.size);
    return YORE_OK;
}

enum yore_status record_log_next(struct record_log_reader *reader, struct record *record_out,
                                 struct yore_error *error_out)
{
    if (reader->failure.status != YORE_OK) {
        return fail(reader, reader->failure.status, error_out);
    }
    if (reader->end != 0) {
        return YORE_NOT_FOUND;
    }
    enum yore_status st;
    do {
        st = next_any(reader, record_out, error_out);
    } while (st == YORE_OK && record_out->type == RECORD_TYPE_MARK);
    return st;
}

enum record_log_end record_log_end(const struct record_log_reader *reader, uint64_t *end_bytes_out,
                                   uint64_t *last_sequence_out)
{
    YORE_ASSERT(reader->end != 0);
    *end_bytes_out = reader->offset;
    *last_sequence_out = reader->first_sequence + reader->index - 1;
    return reader->end;
}

bool record_log_end_is_damaged(const struct record_log_reader *reader)
{
    YORE_ASSERT(reader->end != 0);
    return reader->is_damaged;
}

void record_log_reader_bound(struct record_log_reader *reader, uint64_t end_bytes)
{
    YORE_ASSERT(reader->end == 0);
    reader->is_bound = true;
    if (end_bytes < reader->size) {
        reader->size = end_bytes;
    }
    /* What opening read from behind the bound may be overwritten by now. */
    if (reader->window_offset + reader->window.size > reader->size) {
        buffer_clear(&reader->window);
    }
}

void record_log_reader_seek(struct record_log_reader *reader, uint64_t offset, uint32_t index)
{
    YORE_ASSERT(reader->index == 0 && offset <= reader->size);
    reader->offset = offset;
    reader->index = index;
}

void record_log_reader_extend(struct record_log_reader *reader, uint64_t end_bytes)
{
    if (reader->is_bound && end_bytes > reader->size) {
        reader->size = end_bytes;
        reader->end = 0;
    }
}

enum yore_status record_log_has_record(struct record_log_reader *reader, uint32_t index,
                                       bool *has_out, struct yore_error *error_out)
{
    struct search search = {.index_min = index};
    enum yore_status st = search_from(reader, RECORD_LOG_HEADER_BYTES, &search, error_out);
    *has_out = search.is_found;
    return st;
}

/* ---- opening ---- */

static enum record_log_head judge_head(struct record_log_reader *reader,
                                       const struct record_log_header *header,
                                       struct yore_error *error_out)
{
    const struct record_log_identity *want = &reader->identity;
    const struct record_log_identity *got = &header->identity;
    const char *path = os_file_path(reader->file);
    if (header->version != RECORD_LOG_VERSION) {
        (void)error_set(error_out, YORE_BAD_FORMAT,
                        "%s: record log of format version %lu; this program knows version %u", path,
                        (unsigned long)header->version, RECORD_LOG_VERSION);
        return RECORD_LOG_HEAD_FOREIGN;
    }
    if (got->database != want->database || got->kind != want->kind) {
        (void)error_set(error_out, YORE_CORRUPT,
                        "%s: belongs to database %016llx (kind %lu), not to %016llx (kind %lu)",
                        path, (unsigned long long)got->database, (unsigned long)got->kind,
                        (unsigned long long)want->database, (unsigned long)want->kind);
        return RECORD_LOG_HEAD_FOREIGN;
    }
    if (want->epoch != 0 && got->epoch != want->epoch) {
        (void)error_set(error_out, YORE_CORRUPT, "%s: is number %llu by its header", path,
                        (unsigned long long)got->epoch);
        return got->epoch < want->epoch ? RECORD_LOG_HEAD_STALE : RECORD_LOG_HEAD_FOREIGN;
    }
    reader->identity = *got;
    reader->first_sequence = header->first_sequence;
    return RECORD_LOG_HEAD_VALID;
}

static enum yore_status read_head(struct record_log_reader *reader, enum record_log_head *head_out,
                                  struct yore_error *error_out)
{
    const unsigned char *at;
    struct record_log_header header;
    enum yore_status st = os_file_size(reader->file, &reader->size, error_out);
    if (st == YORE_OK) {
        st = window_need(reader, 0, RECORD_LOG_HEADER_BYTES, &at, error_out);
    }
    if (st != YORE_OK) {
        return st;
    }
    if (at == NULL || !record_log_header_decode(at, &header)) {
        (void)error_set(error_out, YORE_CORRUPT, "%s: damaged header at offset 0",
                        os_file_path(reader->file));
        *head_out = RECORD_LOG_HEAD_BLANK;
    } else {
        *head_out = judge_head(reader, &header, error_out);
    }
    reader->seed = record_log_seed(&reader->identity);
    reader->offset = RECORD_LOG_HEADER_BYTES;
    return YORE_OK;
}

enum yore_status record_log_open_any(struct os_env *env, const char *path,
                                     struct record_log_identity identity,
                                     enum record_log_head *head_out,
                                     struct record_log_reader **reader_out,
                                     struct yore_error *error_out)
{
    *reader_out = NULL;
    struct record_log_reader *reader = mem_zalloc(sizeof(*reader));
    if (reader == NULL) {
        return error_plain(error_out, YORE_NOMEM);
    }
    reader->identity = identity;
    enum yore_status st = os_file_open(env, path, OS_OPEN_READ, &reader->file, error_out);
    if (st == YORE_OK) {
        st = read_head(reader, head_out, error_out);
    }
    if (st != YORE_OK) {
        record_log_reader_close(reader);
        return st;
    }
    *reader_out = reader;
    return YORE_OK;
}

enum yore_status record_log_open(struct os_env *env, const char *path,
                                 struct record_log_identity identity,
                                 struct record_log_reader **reader_out,
                                 struct yore_error *error_out)
{
    struct yore_error error = {0};
    enum record_log_head head;
    enum yore_status st = record_log_open_any(env, path, identity, &head, reader_out, &error);
    if (st == YORE_OK && head != RECORD_LOG_HEAD_VALID) {
        record_log_reader_close(*reader_out);
        *reader_out = NULL;
        st = error.status;
    }
    if (st != YORE_OK && error_out != NULL) {
        *error_out = error;
    }
    return st;
}

void record_log_reader_close(struct record_log_reader *reader)
{
    if (reader == NULL) {
        return;
    }
    os_file_close(reader->file);
    buffer_release(&reader->window);
    mem_free(reader);
}
