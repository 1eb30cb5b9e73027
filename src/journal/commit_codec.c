/* A write is: flags u8, keyspace varint, key size varint, [value size varint, puts only],
 * [valid_from 8 octets unless it is the commit time], [valid_to 8 octets if there is one], key,
 * value.  docs/format.md, "Commit". */
#include "journal/commit_codec.h"

#include <string.h>

#include "base/assert.h"

#define FLAG_KIND 0x03u
#define FLAG_APART 0x04u
#define FLAG_FROM_COMMIT 0x08u
#define FLAG_ENDS 0x10u
#define FLAGS_ALL 0x1fu

#define FORM_WRITES 0u
#define FORM_LOAD 1u

/* Flags, keyspace, key size: no write is shorter. */
#define WRITE_BYTES_MIN 3u

static unsigned char *put_moment(unsigned char *at, int64_t moment)
{
    put_u64(at, (uint64_t)moment);
    return at + 8;
}

static unsigned char *put_run(unsigned char *at, struct yore_bytes run)
{
    if (run.size > 0) {
        memcpy(at, run.data, run.size);
    }
    return at + run.size;
}

size_t commit_write_bytes(const struct commit_write *write)
{
    size_t bytes = 1 + varint_size(write->keyspace) + varint_size(write->key.size);
    bytes += write->kind == YORE_KIND_PUT ? varint_size(write->value.size) : 0;
    bytes += write->is_from_commit ? 0 : 8;
    bytes += write->valid_to == YORE_FOREVER ? 0 : 8;
    return bytes + write->key.size + write->value.size;
}

void commit_write_encode(struct buffer *to, const struct commit_write *write)
{
    bool is_put = write->kind == YORE_KIND_PUT;
    bool ends = write->valid_to != YORE_FOREVER;
    YORE_ASSERT(is_put || (!write->is_apart && write->value.size == 0));
    YORE_ASSERT(write->kind != YORE_KIND_DELETE || !ends);
    YORE_ASSERT(write->key.size <= YORE_KEY_BYTES_MAX);
    unsigned flags = (unsigned)write->kind | (write->is_apart ? FLAG_APART : 0u) |
                     (write->is_from_commit ? FLAG_FROM_COMMIT : 0u) | (ends ? FLAG_ENDS : 0u);
    if (!buffer_reserve(to, 1 + 3 * VARINT_BYTES_MAX + 16 + write->key.size + write->value.size)) {
        return;
    }
    unsigned char *at = to->data + to->size;
    *at++ = (unsigned char)flags;
    at += varint_encode(at, write->keyspace);
    at += varint_encode(at, write->key.size);
    if (is_put) {
        at += varint_encode(at, write->value.size);
    }
    if (!write->is_from_commit) {
        at = put_moment(at, write->valid_from);
    }
    if (ends) {
        at = put_moment(at, write->valid_to);
    }
    at = put_run(at, write->key);
    at = put_run(at, write->value);
    YORE_DEBUG_ASSERT((size_t)(at - to->data) - to->size == commit_write_bytes(write));
    to->size = (size_t)(at - to->data);
}

void commit_header_encode(unsigned char out[COMMIT_HEADER_BYTES], int64_t commit, uint32_t count)
{
    put_u64(out, (uint64_t)commit);
    put_u32(out + 8, count);
    put_u32(out + 12, FORM_WRITES);
}

void commit_load_encode(unsigned char header_out[COMMIT_HEADER_BYTES],
                        unsigned char load_out[COMMIT_LOAD_BYTES], int64_t commit,
                        const struct commit_load *load)
{
    commit_header_encode(header_out, commit, 0);
    put_u32(header_out + 12, FORM_LOAD);
    put_u32(load_out, load->keyspace);
    put_u64(load_out + 4, load->count);
}

static bool is_moment(int64_t moment)
{
    return moment >= YORE_TIME_MIN && moment < YORE_NOW;
}

enum yore_status commit_decoder_init(struct commit_decoder *c, struct yore_bytes payload)
{
    *c = (struct commit_decoder){0};
    decoder_init(&c->d, payload.data, payload.size);
    c->commit = (int64_t)decode_u64(&c->d);
    c->count = decode_u32(&c->d);
    uint32_t form = decode_u32(&c->d);
    c->is_load = form == FORM_LOAD;
    if (c->is_load) {
        c->load.keyspace = decode_u32(&c->d);
        c->load.count = decode_u64(&c->d);
    }
    if (c->d.is_bad || form > FORM_LOAD || !is_moment(c->commit) ||
        c->count > decoder_left(&c->d) / WRITE_BYTES_MIN ||
        (c->is_load && (c->count != 0 || decoder_left(&c->d) != 0))) {
        c->d.is_bad = true;
        return YORE_CORRUPT;
    }
    return YORE_OK;
}

/* What a write's fixed part may say, given its commit.  An end at or before the begin is no damage:
 * a time to live may have run out before the commit. */
static bool is_write_sound(const struct commit_decoder *c, const struct commit_write *write,
                           unsigned flags)
{
    bool is_put = write->kind == YORE_KIND_PUT;
    bool is_kind = is_put || write->kind == YORE_KIND_DELETE || write->kind == YORE_KIND_ERASED;
    bool ends = (flags & FLAG_ENDS) != 0;
    return !c->d.is_bad && (flags & ~FLAGS_ALL) == 0 && is_kind && (is_put || !write->is_apart) &&
           (write->kind != YORE_KIND_DELETE || !ends) && is_moment(write->valid_from) &&
           write->valid_from <= c->commit && (!ends || is_moment(write->valid_to));
}

static struct yore_bytes decode_bytes(struct decoder *d, uint64_t size)
{
    if (size > decoder_left(d)) {
        d->is_bad = true;
        return bytes_of(NULL, 0);
    }
    return bytes_of(decode_run(d, (size_t)size), (size_t)size);
}

enum yore_status commit_decoder_next(struct commit_decoder *c, struct commit_write *write_out)
{
    struct decoder *d = &c->d;
    if (d->is_bad) {
        return YORE_CORRUPT;
    }
    if (c->done == c->count) {
        return decoder_left(d) == 0 ? YORE_NOT_FOUND : YORE_CORRUPT;
    }
    unsigned flags = decode_u8(d);
    uint64_t keyspace = decode_varint(d);
    uint64_t key_bytes = decode_varint(d);
    uint64_t value_bytes = (flags & FLAG_KIND) == YORE_KIND_PUT ? decode_varint(d) : 0;
    write_out->keyspace = (uint32_t)keyspace;
    write_out->kind = (enum yore_kind)(flags & FLAG_KIND);
    write_out->is_apart = (flags & FLAG_APART) != 0;
    write_out->is_from_commit = (flags & FLAG_FROM_COMMIT) != 0;
    write_out->valid_from = write_out->is_from_commit ? c->commit : (int64_t)decode_u64(d);
    write_out->valid_to = (flags & FLAG_ENDS) != 0 ? (int64_t)decode_u64(d) : YORE_FOREVER;
    if (!is_write_sound(c, write_out, flags) || keyspace > UINT32_MAX ||
        key_bytes > YORE_KEY_BYTES_MAX || value_bytes > YORE_VALUE_BYTES_MAX) {
        d->is_bad = true;
        return YORE_CORRUPT;
    }
    write_out->key = decode_bytes(d, key_bytes);
    write_out->value = decode_bytes(d, value_bytes);
    if (d->is_bad) {
        return YORE_CORRUPT;
    }
    c->done++;
    return YORE_OK;
}
