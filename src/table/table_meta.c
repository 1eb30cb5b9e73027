/* table_meta.c -- what a table says of itself: u32 size of the fixed part, its numbers, then the
 * two keys. */
#include <stddef.h>

#include "base/coding.h"
#include "table/table.h"
#include "table/table_tally.h"

/* Every 64-bit number of the struct in its order on disk: if this changes, so does the format
 * version. */
#define META_NUMBERS(X)                                                                            \
    X(file)                                                                                        \
    X(file_bytes)                                                                                  \
    X(key_count)                                                                                   \
    X(version_count)                                                                               \
    X(carried_count)                                                                               \
    X(unresolved_count)                                                                            \
    X(delete_count)                                                                                \
    X(erased_count)                                                                                \
    X(user_bytes)                                                                                  \
    X(valid_min)                                                                                   \
    X(valid_max)                                                                                   \
    X(commit_min)                                                                                  \
    X(commit_max)                                                                                  \
    X(back_dated_valid_min)                                                                        \
    X(back_dated_commit_max)                                                                       \
    X(carried_commit_max)                                                                          \
    X(expiry_min)
#define META_ONE(name) +1
#define META_FIXED_BYTES (8u * (0 META_NUMBERS(META_ONE)) + 4u)

void table_meta_release(struct table_meta *meta)
{
    buffer_release(&meta->first_key);
    buffer_release(&meta->last_key);
}

void table_meta_stamp(struct table_meta *meta, int64_t time)
{
    meta->valid_min = time;
    meta->valid_max = time;
    meta->commit_min = time;
    meta->commit_max = time;
}

enum yore_status table_meta_copy(struct table_meta *to, const struct table_meta *from)
{
    *to = *from;
    to->first_key = (struct buffer){0};
    to->last_key = (struct buffer){0};
    buffer_append_bytes(&to->first_key, buffer_bytes(&from->first_key));
    buffer_append_bytes(&to->last_key, buffer_bytes(&from->last_key));
    if (to->first_key.is_nomem || to->last_key.is_nomem) {
        table_meta_release(to);
        *to = (struct table_meta){0};
        return YORE_NOMEM;
    }
    return YORE_OK;
}

void table_meta_encode(const struct table_meta *meta, struct buffer *out)
{
    buffer_append_u32(out, META_FIXED_BYTES);
#define META_APPEND(name) buffer_append_u64(out, (uint64_t)meta->name);
    META_NUMBERS(META_APPEND)
#undef META_APPEND
    buffer_append_u32(out, meta->file_crc);
    buffer_append_varint(out, meta->first_key.size);
    buffer_append_bytes(out, buffer_bytes(&meta->first_key));
    buffer_append_varint(out, meta->last_key.size);
    buffer_append_bytes(out, buffer_bytes(&meta->last_key));
}

static void decode_key(struct decoder *d, struct buffer *key)
{
    uint64_t size = decode_varint(d);
    if (size > YORE_KEY_BYTES_MAX) {
        d->is_bad = true;
        return;
    }
    const unsigned char *octets = decode_run(d, (size_t)size);
    if (octets != NULL) {
        buffer_append(key, octets, (size_t)size);
    }
}

enum yore_status table_meta_decode(struct decoder *d, struct table_meta *meta_out)
{
    struct table_meta meta = {0};
    *meta_out = meta;
    if (decode_u32(d) != META_FIXED_BYTES) {
        return YORE_CORRUPT;
    }
/* A conversion to the member's own type, signed or not. */
#define META_READ(name)                                                                            \
    {                                                                                              \
        uint64_t number = decode_u64(d);                                                           \
        memcpy(&meta.name, &number, sizeof(number));                                               \
    }
    META_NUMBERS(META_READ)
#undef META_READ
    meta.file_crc = decode_u32(d);
    decode_key(d, &meta.first_key);
    decode_key(d, &meta.last_key);
    enum yore_status st = d->is_bad ? YORE_CORRUPT : YORE_OK;
    if (meta.first_key.is_nomem || meta.last_key.is_nomem) {
        st = YORE_NOMEM;
    }
    if (st != YORE_OK) {
        table_meta_release(&meta);
        return st;
    }
    *meta_out = meta;
    return YORE_OK;
}

/* ---- counting ---- */

void table_tally_init(struct table_meta *meta, uint64_t file)
{
    *meta = (struct table_meta){.file = file,
                                .valid_min = INT64_MAX,
                                .valid_max = INT64_MIN,
                                .commit_min = INT64_MAX,
                                .commit_max = INT64_MIN,
                                .back_dated_valid_min = INT64_MAX,
                                .back_dated_commit_max = INT64_MIN,
                                .carried_commit_max = INT64_MIN,
                                .expiry_min = YORE_FOREVER};
}

void table_tally_add(struct table_meta *m, const struct version *v)
{
    m->version_count++;
    m->carried_count += (v->flags & VERSION_CARRIED) != 0;
    m->unresolved_count += (v->flags & VERSION_UNRESOLVED) != 0;
    m->delete_count += v->kind == YORE_KIND_DELETE;
    m->erased_count += v->kind == YORE_KIND_ERASED;
    m->user_bytes += v->key.size + v->value.size;
    m->valid_min = v->valid_from < m->valid_min ? v->valid_from : m->valid_min;
    m->valid_max = v->valid_from > m->valid_max ? v->valid_from : m->valid_max;
    m->commit_min = v->commit < m->commit_min ? v->commit : m->commit_min;
    m->commit_max = v->commit > m->commit_max ? v->commit : m->commit_max;
    m->expiry_min = v->valid_to < m->expiry_min ? v->valid_to : m->expiry_min;
    if (version_is_back_dated(v)) {
        if (v->valid_from < m->back_dated_valid_min) {
            m->back_dated_valid_min = v->valid_from;
        }
        if (v->commit > m->back_dated_commit_max) {
            m->back_dated_commit_max = v->commit;
        }
    }
    if ((v->flags & VERSION_CARRIED) != 0 && v->commit > m->carried_commit_max) {
        m->carried_commit_max = v->commit;
    }
}
