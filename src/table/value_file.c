/* Large values in a file of their own.
 *
 * File header, 64 octets, one layout for every version:
 *
 *     0  8  magic "YOREval" and a newline
 *     8  4  format version
 *    12  4  zero
 *    16  8  database
 *    24  8  file
 *    32 28  zeros
 *    60  4  CRC-32C of octets 0..59
 *
 * Record, 8-byte aligned: 40 octets of header, key, value, zeros up to the next multiple of 8.
 *
 *     0  4  CRC-32C of octets 4..39, continued from the place
 *     4  4  CRC-32C of key and value, continued from the place (hole: 0)
 *     8  4  type: 1 record, 2 hole
 *    12  4  keyspace
 *    16  8  record: value size; hole: octets from here to the next record
 *    24  4  key size
 *    28  4  zero
 *    32  8  durable: every octet before this offset was known durable when this was written
 *
 * The place is the CRC-32C of database, file and offset.  A hole has only its header, the rest of
 * it reads as zeros. Thinning ends a file with a hole of its header's size, so that the last record
 * is covered by a durable offset too.
 */
#include "table/value_file.h"

#include <string.h>

#include "base/assert.h"
#include "base/coding.h"
#include "base/crc32c.h"
#include "base/mem.h"

#define FILE_HEADER_BYTES 64u
#define FILE_HEADER_CRC_AT (FILE_HEADER_BYTES - 4)
#define FORMAT_VERSION 1u
#define RECORD_BYTES 40u
#define ALIGNMENT 8u
#define WINDOW_BYTES (1u << 20)
/* A larger value is written from, and read to, where it belongs. */
#define COPIED_BYTES_MAX (256u << 10)

enum record_type { TYPE_RECORD = 1, TYPE_HOLE = 2 };

static const unsigned char magic[8] = {'Y', 'O', 'R', 'E', 'v', 'a', 'l', '\n'};

struct value_header {
    uint32_t data_crc;
    uint32_t type;
    uint32_t keyspace;
    uint32_t key_size;
    uint64_t size;
    uint64_t durable;
};

/* ---- bytes ---- */

void value_ref_encode(const struct value_ref *ref, unsigned char out[VALUE_REF_BYTES])
{
    put_u64(out, ref->file);
    put_u64(out + 8, ref->offset);
    put_u32(out + 16, ref->value_size);
    put_u32(out + 20, ref->key_size);
}

enum yore_status value_ref_decode(struct yore_bytes bytes, struct value_ref *ref_out)
{
    if (bytes.size != VALUE_REF_BYTES) {
        return YORE_CORRUPT;
    }
    const unsigned char *from = bytes.data;
    ref_out->file = get_u64(from);
    ref_out->offset = get_u64(from + 8);
    ref_out->value_size = get_u32(from + 16);
    ref_out->key_size = get_u32(from + 20);
    bool is_sound = ref_out->offset >= FILE_HEADER_BYTES && ref_out->offset % ALIGNMENT == 0 &&
                    ref_out->value_size <= YORE_VALUE_BYTES_MAX &&
                    ref_out->key_size <= YORE_KEY_BYTES_MAX;
    return is_sound ? YORE_OK : YORE_CORRUPT;
}

static uint32_t seed_of(const struct file_identity *identity)
{
    unsigned char bytes[16];
    put_u64(bytes, identity->database);
    put_u64(bytes + 8, identity->file);
    return crc32c(0, bytes, sizeof(bytes));
}

static uint32_t place_of(uint32_t seed, uint64_t offset)
{
    unsigned char bytes[8];
    put_u64(bytes, offset);
    return crc32c(seed, bytes, sizeof(bytes));
}

static uint64_t span_of(uint64_t key_size, uint64_t value_size)
{
    return RECORD_BYTES + (key_size + value_size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

static void header_encode(const struct value_header *header, uint32_t place,
                          unsigned char out[RECORD_BYTES])
{
    put_u32(out + 4, header->data_crc);
    put_u32(out + 8, header->type);
    put_u32(out + 12, header->keyspace);
    put_u64(out + 16, header->size);
    put_u32(out + 24, header->key_size);
    put_u32(out + 28, 0);
    put_u64(out + 32, header->durable);
    put_u32(out, crc32c(place, out + 4, RECORD_BYTES - 4));
}

static bool is_header_sound(const struct value_header *header)
{
    if (header->type == TYPE_HOLE) {
        return header->size >= RECORD_BYTES && header->size % ALIGNMENT == 0;
    }
    return header->type == TYPE_RECORD && header->size <= YORE_VALUE_BYTES_MAX &&
           header->key_size <= YORE_KEY_BYTES_MAX;
}

static bool header_decode(const unsigned char in[RECORD_BYTES], uint32_t place,
                          struct value_header *header_out)
{
    header_out->data_crc = get_u32(in + 4);
    header_out->type = get_u32(in + 8);
    header_out->keyspace = get_u32(in + 12);
    header_out->size = get_u64(in + 16);
    header_out->key_size = get_u32(in + 24);
    header_out->durable = get_u64(in + 32);
    return is_header_sound(header_out) && get_u32(in) == crc32c(place, in + 4, RECORD_BYTES - 4);
}

static void file_header_encode(const struct file_identity *identity,
                               unsigned char out[FILE_HEADER_BYTES])
{
    memset(out, 0, FILE_HEADER_BYTES);
    memcpy(out, magic, sizeof(magic));
    put_u32(out + 8, FORMAT_VERSION);
    put_u64(out + 16, identity->database);
    put_u64(out + 24, identity->file);
    put_u32(out + FILE_HEADER_CRC_AT, crc32c(0, out, FILE_HEADER_CRC_AT));
}

static enum yore_status file_header_check(const unsigned char in[FILE_HEADER_BYTES],
                                          const char *path, const struct file_identity *identity,
                                          struct yore_error *error_out)
{
    if (memcmp(in, magic, sizeof(magic)) != 0 ||
        get_u32(in + FILE_HEADER_CRC_AT) != crc32c(0, in, FILE_HEADER_CRC_AT)) {
        return error_set(error_out, YORE_CORRUPT, "%s: damaged header at offset 0", path);
    }
    if (get_u32(in + 8) != FORMAT_VERSION) {
        return error_set(error_out, YORE_BAD_FORMAT,
                         "%s: value file of format version %lu; this program knows version %u",
                         path, (unsigned long)get_u32(in + 8), FORMAT_VERSION);
    }
    if (get_u64(in + 16) != identity->database || get_u64(in + 24) != identity->file) {
        return error_set(
            error_out, YORE_CORRUPT, "%s: is file %llu of database %016llx, not %llu of %016llx",
            path, (unsigned long long)get_u64(in + 24), (unsigned long long)get_u64(in + 16),
            (unsigned long long)identity->file, (unsigned long long)identity->database);
    }
    return YORE_OK;
}

/* ---- writing ---- */

struct value_writer {
    struct os_file *file;
    struct file_identity identity;
    uint32_t seed;
    uint64_t end; /* of what was written */
    uint64_t durable;
    struct buffer staged;
    struct yore_error failure; /* the first one; repeated */
};

static enum yore_status repeat_failure(const struct value_writer *writer,
                                       struct yore_error *error_out)
{
    if (writer->failure.status != YORE_OK && error_out != NULL) {
        *error_out = writer->failure;
    }
    return writer->failure.status;
}

enum yore_status value_writer_open(struct os_env *env, const char *path,
                                   struct file_identity identity, struct value_writer **writer_out,
                                   struct yore_error *error_out)
{
    *writer_out = NULL;
    struct value_writer *writer = mem_zalloc(sizeof(*writer));
    if (writer == NULL) {
        return error_plain(error_out, YORE_NOMEM);
    }
    unsigned char header[FILE_HEADER_BYTES];
    file_header_encode(&identity, header);
    writer->identity = identity;
    writer->seed = seed_of(&identity);
    writer->end = FILE_HEADER_BYTES;
    enum yore_status st = os_file_open(env, path, OS_OPEN_CREATE, &writer->file, error_out);
    st = os_missing_is_io(st, error_out);
    if (st == YORE_OK) {
        st = os_file_write(writer->file, 0, header, sizeof(header), error_out);
    }
    if (st != YORE_OK) {
        value_writer_close(writer);
        return st;
    }
    *writer_out = writer;
    return YORE_OK;
}

/* Write `size` octets of `data` where the last ones ended. */
static enum yore_status write_on(struct value_writer *writer, const void *data, size_t size,
                                 struct yore_error *error_out)
{
    if (os_file_write(writer->file, writer->end, data, size, &writer->failure) != YORE_OK) {
        return repeat_failure(writer, error_out);
    }
    writer->end += size;
    return YORE_OK;
}

enum yore_status value_writer_append(struct value_writer *writer, uint32_t keyspace,
                                     struct yore_bytes key, struct yore_bytes value,
                                     struct value_ref *ref_out, struct yore_error *error_out)
{
    YORE_ASSERT(key.size <= YORE_KEY_BYTES_MAX && value.size <= YORE_VALUE_BYTES_MAX);
    if (repeat_failure(writer, error_out) != YORE_OK) {
        return writer->failure.status;
    }
    uint64_t offset = writer->end;
    uint32_t place = place_of(writer->seed, offset);
    size_t padding = (size_t)(span_of(key.size, value.size) - RECORD_BYTES - key.size - value.size);
    bool is_copied = value.size <= COPIED_BYTES_MAX;
    struct buffer *staged = &writer->staged;
    buffer_clear(staged);
    if (!buffer_reserve(staged,
                        RECORD_BYTES + key.size + (is_copied ? value.size : 0) + ALIGNMENT)) {
        staged->is_nomem = false;
        return error_plain(error_out, YORE_NOMEM);
    }
    const struct value_header header = {
        .data_crc = crc32c(crc32c(place, key.data, key.size), value.data, value.size),
        .type = TYPE_RECORD,
        .keyspace = keyspace,
        .key_size = (uint32_t)key.size,
        .size = value.size,
        .durable = writer->durable};
    static const unsigned char zeros[ALIGNMENT];
    header_encode(&header, place, buffer_extend(staged, RECORD_BYTES));
    buffer_append_bytes(staged, key);
    enum yore_status st = YORE_OK;
    if (is_copied) {
        buffer_append_bytes(staged, value);
    } else {
        st = write_on(writer, staged->data, staged->size, error_out);
        buffer_clear(staged);
        if (st == YORE_OK) {
            st = write_on(writer, value.data, value.size, error_out);
        }
    }
    buffer_append(staged, zeros, padding);
    if (st == YORE_OK && staged->size > 0) {
        st = write_on(writer, staged->data, staged->size, error_out);
    }
    if (st != YORE_OK) {
        /* On a full disk that is room; where it fails a tail is left, to be thinned. */
        (void)os_file_truncate(writer->file, offset, NULL);
        writer->end = offset;
    }
    *ref_out = (struct value_ref){.file = writer->identity.file,
                                  .offset = offset,
                                  .value_size = (uint32_t)value.size,
                                  .key_size = (uint32_t)key.size};
    return st;
}

enum yore_status value_writer_sync(struct value_writer *writer, struct yore_error *error_out)
{
    if (repeat_failure(writer, error_out) != YORE_OK || writer->durable == writer->end) {
        return writer->failure.status;
    }
    if (os_file_sync(writer->file, &writer->failure) != YORE_OK) {
        return repeat_failure(writer, error_out);
    }
    writer->durable = writer->end;
    return YORE_OK;
}

uint64_t value_writer_bytes(const struct value_writer *writer)
{
    return writer->end;
}

void value_writer_close(struct value_writer *writer)
{
    if (writer == NULL) {
        return;
    }
    os_file_close(writer->file);
    buffer_release(&writer->staged);
    mem_free(writer);
}

/* ---- reading one ---- */

struct value_reader {
    struct os_file *file;
    struct file_identity identity;
    uint32_t seed;
};

enum yore_status value_reader_open(struct os_env *env, const char *path,
                                   struct file_identity identity, struct value_reader **reader_out,
                                   struct yore_error *error_out)
{
    *reader_out = NULL;
    struct value_reader *reader = mem_zalloc(sizeof(*reader));
    if (reader == NULL) {
        return error_plain(error_out, YORE_NOMEM);
    }
    unsigned char header[FILE_HEADER_BYTES] = {0};
    size_t read;
    reader->identity = identity;
    reader->seed = seed_of(&identity);
    enum yore_status st = os_file_open(env, path, OS_OPEN_READ, &reader->file, error_out);
    if (st == YORE_OK) {
        st = os_file_read(reader->file, 0, header, sizeof(header), &read, error_out);
    }
    if (st == YORE_OK) {
        st = file_header_check(header, path, &identity, error_out);
    }
    if (st != YORE_OK) {
        value_reader_close(reader);
        return st;
    }
    *reader_out = reader;
    return YORE_OK;
}

void value_reader_close(struct value_reader *reader)
{
    if (reader == NULL) {
        return;
    }
    os_file_close(reader->file);
    mem_free(reader);
}

static enum yore_status damaged(const struct value_reader *reader, uint64_t offset,
                                const char *what, struct yore_error *error_out)
{
    return error_set(error_out, YORE_CORRUPT, "%s: %s at offset %llu", os_file_path(reader->file),
                     what, (unsigned long long)offset);
}

/* Append `size` octets of the file to `to`; the file must reach that far. */
static enum yore_status read_run(struct value_reader *reader, uint64_t offset, size_t size,
                                 struct buffer *to, struct yore_error *error_out)
{
    size_t before = to->size;
    size_t read = 0;
    unsigned char *at = buffer_extend(to, size);
    if (at == NULL) {
        return error_plain(error_out, YORE_NOMEM);
    }
    enum yore_status st = os_file_read(reader->file, offset, at, size, &read, error_out);
    if (st == YORE_OK && read < size) {
        st = damaged(reader, offset, "the file ends inside a value", error_out);
    }
    if (st != YORE_OK) {
        to->size = before;
    }
    return st;
}

/* The header and key of a record are what the reference and the caller say? */
static enum yore_status check_record(struct value_reader *reader, const struct value_ref *ref,
                                     struct yore_bytes key, const unsigned char *at,
                                     struct value_header *header, struct yore_error *error_out)
{
    if (!header_decode(at, place_of(reader->seed, ref->offset), header) ||
        header->type != TYPE_RECORD) {
        return damaged(reader, ref->offset, "damaged or missing value", error_out);
    }
    if (header->size != ref->value_size || header->key_size != ref->key_size ||
        !bytes_equal(key, bytes_of(at + RECORD_BYTES, header->key_size))) {
        return damaged(reader, ref->offset, "the value of another key", error_out);
    }
    return YORE_OK;
}

/* Read into the caller's buffer, header and key in front, and move the value over them; a large
 * value is read apart, where it stays. */
static enum yore_status read_checked(struct value_reader *reader, const struct value_ref *ref,
                                     struct yore_bytes key, struct buffer *value_out,
                                     struct yore_error *error_out)
{
    size_t before = value_out->size;
    size_t front = RECORD_BYTES + key.size;
    bool is_apart = ref->value_size > COPIED_BYTES_MAX;
    struct value_header header;
    enum yore_status st = read_run(reader, ref->offset, front + (is_apart ? 0 : ref->value_size),
                                   value_out, error_out);
    if (st == YORE_OK) {
        st = check_record(reader, ref, key, value_out->data + before, &header, error_out);
    }
    if (st == YORE_OK && is_apart) {
        value_out->size = before;
        st = read_run(reader, ref->offset + front, ref->value_size, value_out, error_out);
    } else if (st == YORE_OK) {
        memmove(value_out->data + before, value_out->data + before + front, ref->value_size);
        value_out->size = before + ref->value_size;
    }
    if (st != YORE_OK) {
        return st;
    }
    uint32_t place = place_of(reader->seed, ref->offset);
    if (crc32c(crc32c(place, key.data, key.size), value_out->data + before, ref->value_size) !=
        header.data_crc) {
        return damaged(reader, ref->offset, "damaged value", error_out);
    }
    return YORE_OK;
}

enum yore_status value_reader_get(struct value_reader *reader, const struct value_ref *ref,
                                  struct yore_bytes key, struct buffer *value_out,
                                  struct yore_error *error_out)
{
    if (ref->file != reader->identity.file || ref->key_size != key.size) {
        return damaged(reader, ref->offset, "a reference that is not to this file or key",
                       error_out);
    }
    size_t before = value_out->size;
    enum yore_status st = read_checked(reader, ref, key, value_out, error_out);
    if (st != YORE_OK) {
        value_out->size = before;
    }
    return st;
}

/* ---- walking ---- */

struct walk {
    struct value_reader *reader;
    struct buffer window;
    uint64_t window_offset;
    uint64_t size;   /* of the file */
    uint64_t offset; /* of the next record */
};

/* Have [offset, offset + size) in the window; `*at_out` is NULL when the file ends before. */
static enum yore_status walk_need(struct walk *walk, uint64_t offset, uint64_t size,
                                  const unsigned char **at_out, struct yore_error *error_out)
{
    *at_out = NULL;
    if (offset > walk->size || size > walk->size - offset) {
        return YORE_OK;
    }
    if (offset < walk->window_offset || offset + size > walk->window_offset + walk->window.size) {
        uint64_t want = size > WINDOW_BYTES ? size : WINDOW_BYTES;
        want = want < walk->size - offset ? want : walk->size - offset;
        buffer_clear(&walk->window);
        walk->window_offset = offset;
        enum yore_status st =
            read_run(walk->reader, offset, (size_t)want, &walk->window, error_out);
        if (st != YORE_OK) {
            return st;
        }
    }
    *at_out = walk->window.data + (offset - walk->window_offset);
    return YORE_OK;
}

/* Where no whole record is: damage, if a later one shows that this one was durable; else the end.
 */
static enum yore_status walk_end(struct walk *walk, struct yore_error *error_out)
{
    for (uint64_t at = walk->offset; at < walk->size; at += ALIGNMENT) {
        const unsigned char *data;
        struct value_header header;
        enum yore_status st = walk_need(walk, at, RECORD_BYTES, &data, error_out);
        if (st != YORE_OK || data == NULL) {
            return st == YORE_OK ? YORE_NOT_FOUND : st;
        }
        if (get_u64(data + 32) > walk->offset &&
            header_decode(data, place_of(walk->reader->seed, at), &header)) {
            return damaged(walk->reader, walk->offset, "damaged record", error_out);
        }
    }
    return YORE_NOT_FOUND;
}

/* The next record that is no hole; `*at_out` is its header, `*end_out` where it ends.
 * YORE_NOT_FOUND: the end. */
static enum yore_status walk_next(struct walk *walk, struct value_record *record_out,
                                  const unsigned char **at_out, struct yore_error *error_out)
{
    for (;;) {
        const unsigned char *at;
        struct value_header header;
        uint64_t offset = walk->offset;
        uint32_t place = place_of(walk->reader->seed, offset);
        enum yore_status st = walk_need(walk, offset, RECORD_BYTES, &at, error_out);
        if (st != YORE_OK) {
            return st;
        }
        if (at == NULL || !header_decode(at, place, &header)) {
            return walk_end(walk, error_out);
        }
        if (header.type == TYPE_HOLE) {
            if (header.size > walk->size - offset) {
                return walk_end(walk, error_out);
            }
            walk->offset += header.size;
            continue;
        }
        size_t data_size = header.key_size + (size_t)header.size;
        st = walk_need(walk, offset, span_of(header.key_size, header.size), &at, error_out);
        if (st != YORE_OK) {
            return st;
        }
        if (at == NULL || crc32c(place, at + RECORD_BYTES, data_size) != header.data_crc) {
            return walk_end(walk, error_out);
        }
        walk->offset += span_of(header.key_size, header.size);
        record_out->keyspace = header.keyspace;
        record_out->ref = (struct value_ref){.file = walk->reader->identity.file,
                                             .offset = offset,
                                             .value_size = (uint32_t)header.size,
                                             .key_size = header.key_size};
        record_out->key = bytes_of(at + RECORD_BYTES, header.key_size);
        *at_out = at;
        return YORE_OK;
    }
}

static enum yore_status walk_begin(struct walk *walk, struct value_reader *reader,
                                   struct yore_error *error_out)
{
    *walk = (struct walk){.reader = reader, .offset = FILE_HEADER_BYTES};
    return os_file_size(reader->file, &walk->size, error_out);
}

enum yore_status value_reader_walk(struct value_reader *reader,
                                   int (*each)(void *arg, const struct value_record *record),
                                   void *arg, uint64_t *end_out, struct yore_error *error_out)
{
    struct walk walk;
    struct value_record record;
    const unsigned char *at;
    enum yore_status st = walk_begin(&walk, reader, error_out);
    while (st == YORE_OK) {
        st = walk_next(&walk, &record, &at, error_out);
        if (st == YORE_OK && each(arg, &record) != 0) {
            break;
        }
    }
    *end_out = walk.offset;
    buffer_release(&walk.window);
    return st == YORE_NOT_FOUND ? YORE_OK : st;
}

/* ---- thinning ---- */

struct thinning {
    struct os_file *file;
    uint32_t seed;
    struct buffer run; /* kept records that follow each other */
    uint64_t run_offset;
    uint64_t kept_bytes;
};

static enum yore_status run_write(struct thinning *thin, struct yore_error *error_out)
{
    enum yore_status st =
        os_file_write(thin->file, thin->run_offset, thin->run.data, thin->run.size, error_out);
    thin->run_offset += thin->run.size;
    buffer_clear(&thin->run);
    return st;
}

/* End the run with the header of a hole that reaches to `next`. */
static enum yore_status run_end(struct thinning *thin, uint64_t next, struct yore_error *error_out)
{
    uint64_t offset = thin->run_offset + thin->run.size;
    const struct value_header header = {
        .type = TYPE_HOLE, .size = next - offset, .durable = offset};
    unsigned char *at = buffer_extend(&thin->run, RECORD_BYTES);
    if (at == NULL) {
        return error_plain(error_out, YORE_NOMEM);
    }
    header_encode(&header, place_of(thin->seed, offset), at);
    enum yore_status st = run_write(thin, error_out);
    thin->run_offset = next;
    return st;
}

static enum yore_status run_add(struct thinning *thin, const struct value_record *record,
                                const unsigned char *at, struct yore_error *error_out)
{
    size_t span = (size_t)span_of(record->ref.key_size, record->ref.value_size);
    enum yore_status st = YORE_OK;
    if (record->ref.offset != thin->run_offset + thin->run.size) {
        st = run_end(thin, record->ref.offset, error_out);
    }
    buffer_append(&thin->run, at, span);
    if (st == YORE_OK && thin->run.is_nomem) {
        st = error_plain(error_out, YORE_NOMEM);
    }
    if (st == YORE_OK && thin->run.size >= WINDOW_BYTES) {
        st = run_write(thin, error_out);
    }
    thin->kept_bytes += span;
    return st;
}

static enum yore_status thin_records(struct thinning *thin, struct walk *walk,
                                     int (*keep)(void *arg, const struct value_record *record),
                                     void *arg, struct yore_error *error_out)
{
    enum yore_status st = YORE_OK;
    while (st == YORE_OK) {
        struct value_record record;
        const unsigned char *at;
        st = walk_next(walk, &record, &at, error_out);
        if (st == YORE_OK && keep(arg, &record) != 0) {
            st = run_add(thin, &record, at, error_out);
        }
    }
    if (st != YORE_NOT_FOUND) {
        return st;
    }
    return run_end(thin, thin->run_offset + thin->run.size + RECORD_BYTES, error_out);
}

/* style: parameters because a filter is a function and its argument. */
enum yore_status value_file_thin(struct os_env *env, struct value_reader *from, const char *to_path,
                                 int (*keep)(void *arg, const struct value_record *record),
                                 void *arg, uint64_t *kept_bytes_out, struct yore_error *error_out)
{
    struct thinning thin = {.seed = from->seed, .run_offset = FILE_HEADER_BYTES};
    struct walk walk = {0};
    unsigned char header[FILE_HEADER_BYTES];
    file_header_encode(&from->identity, header);
    enum yore_status st = os_file_open(env, to_path, OS_OPEN_CREATE, &thin.file, error_out);
    st = os_missing_is_io(st, error_out);
    if (st == YORE_OK) {
        st = walk_begin(&walk, from, error_out);
    }
    if (st == YORE_OK) {
        st = os_file_write(thin.file, 0, header, sizeof(header), error_out);
    }
    if (st == YORE_OK) {
        st = thin_records(&thin, &walk, keep, arg, error_out);
    }
    if (st == YORE_OK) {
        st = os_file_sync(thin.file, error_out);
    }
    os_file_close(thin.file);
    buffer_release(&thin.run);
    buffer_release(&walk.window);
    *kept_bytes_out = thin.kept_bytes;
    return st;
}
