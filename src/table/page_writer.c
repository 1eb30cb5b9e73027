#include "table/page_writer.h"

#include "base/assert.h"
#include "base/coding.h"
#include "base/mem.h"
#include "table/int_column.h"
#include "table/key_order.h"
#include "table/number_column.h"
#include "table/table_format.h"

#define ROW_WEIGHT 6 /* times, counts and marks of a version, roughly, as written */

void page_writer_release(struct page_writer *w)
{
    mem_free(w->rows);
    buffer_release(&w->keys);
    buffer_release(&w->key_sizes);
    buffer_release(&w->counts);
    buffer_release(&w->values);
    buffer_release(&w->ints);
    buffer_release(&w->scratch[0]);
    buffer_release(&w->scratch[1]);
    buffer_release(&w->column);
    buffer_release(&w->times[0]);
    buffer_release(&w->times[1]);
    page_times_release(&w->shared);
    *w = (struct page_writer){0};
}

static bool grow_rows(struct page_writer *w)
{
    struct page_row *rows = mem_grow(w->rows, w->row_count, &w->row_capacity, sizeof(*rows));
    if (rows == NULL) {
        return false;
    }
    w->rows = rows;
    return true;
}

static int64_t *counts_of(const struct page_writer *w)
{
    return (int64_t *)(void *)w->counts.data;
}

/* Room for one more row, so that nothing after it can fail. */
static bool reserve_row(struct page_writer *w, const struct version *version)
{
    return buffer_reserve(&w->keys, version->key.size) && buffer_reserve(&w->key_sizes, 4) &&
           buffer_reserve(&w->counts, sizeof(int64_t)) &&
           buffer_reserve(&w->values, version->value.size) && grow_rows(w);
}

static void add_key(struct page_writer *w, struct yore_bytes key)
{
    w->last_key_at = w->keys.size;
    w->last_key_size = key.size;
    memcpy(w->keys.data + w->keys.size, key.data, key.size);
    w->keys.size += key.size;
    put_u32(w->key_sizes.data + w->key_sizes.size, (uint32_t)key.size);
    w->key_sizes.size += 4;
    counts_of(w)[w->key_count] = 0;
    w->counts.size += sizeof(int64_t);
    w->key_count++;
    w->keys_bytes += key.size;
    w->bytes += key.size;
}

enum yore_status page_writer_add(struct page_writer *w, const struct version *version,
                                 bool is_new_key)
{
    if (!reserve_row(w, version)) {
        return YORE_NOMEM;
    }
    if (is_new_key || w->key_count == 0) {
        add_key(w, version->key);
    }
    if (version->value.size > 0) {
        memcpy(w->values.data + w->values.size, version->value.data, version->value.size);
        w->values.size += version->value.size;
    }
    counts_of(w)[w->key_count - 1]++;
    bool has_end = version->valid_to != YORE_FOREVER;
    w->rows[w->row_count++] = (struct page_row){
        .valid_from = version->valid_from,
        .commit = version->commit,
        .valid_to = version->valid_to,
        .value_size = (uint32_t)version->value.size,
        .mark = (unsigned char)((unsigned)version->kind | version->flags << MARK_FLAGS_SHIFT |
                                (has_end ? MARK_HAS_END : 0))};
    w->bytes += ROW_WEIGHT + version->value.size;
    return YORE_OK;
}

struct yore_bytes page_writer_last_key(const struct page_writer *w)
{
    return w->last_key_size > 0 ? bytes_of(w->keys.data + w->last_key_at, w->last_key_size)
                                : bytes_of(NULL, 0);
}

/* ---- from page to page ---- */

static size_t last_values_bytes(const struct page_writer *w)
{
    size_t bytes = 0;
    uint32_t rows = (uint32_t)counts_of(w)[w->key_count - 1];
    for (uint32_t i = w->row_count - rows; i < w->row_count; i++) {
        bytes += w->rows[i].value_size;
    }
    return bytes;
}

size_t page_writer_last_key_bytes(const struct page_writer *w)
{
    size_t rows = (size_t)counts_of(w)[w->key_count - 1];
    return w->last_key_size + rows * ROW_WEIGHT + last_values_bytes(w);
}

void page_writer_hold_last_key(struct page_writer *w)
{
    YORE_ASSERT(w->key_count > 1 && w->held_rows == 0);
    w->held_values = last_values_bytes(w);
    w->held_bytes = page_writer_last_key_bytes(w);
    w->held_rows = (uint32_t)counts_of(w)[--w->key_count];
    w->row_count -= w->held_rows;
    w->values.size -= w->held_values;
    w->counts.size -= sizeof(int64_t);
    w->bytes -= w->held_bytes;
    w->keys_bytes -= w->last_key_size;
    w->keys.size = w->last_key_at;
    w->key_sizes.size -= 4;
    w->last_key_size = get_u32(w->key_sizes.data + w->key_sizes.size - 4);
    w->last_key_at = w->keys.size - w->last_key_size;
}

void page_writer_clear(struct page_writer *w)
{
    if (w->held_rows > 0) { /* each lies behind what the page had of its kind */
        w->last_key_size = get_u32(w->key_sizes.data + w->key_sizes.size);
        w->last_key_at = 0;
        memmove(w->rows, w->rows + w->row_count, w->held_rows * sizeof(*w->rows));
        memmove(w->keys.data, w->keys.data + w->keys.size, w->last_key_size);
        if (w->held_values > 0) {
            memmove(w->values.data, w->values.data + w->values.size, w->held_values);
        }
        put_u32(w->key_sizes.data, (uint32_t)w->last_key_size);
        counts_of(w)[0] = w->held_rows;
    }
    w->key_count = w->held_rows > 0;
    w->keys_bytes = w->key_count * w->last_key_size;
    w->row_count = w->held_rows;
    w->bytes = w->held_bytes;
    w->keys.size = w->keys_bytes;
    w->key_sizes.size = w->key_count * (size_t)4;
    w->counts.size = w->key_count * sizeof(int64_t);
    w->values.size = w->held_values;
    w->held_rows = 0;
    w->held_values = 0;
    w->held_bytes = 0;
}

/* ---- columns ---- */

static void append_column(struct page_writer *w, enum page_column id, uint8_t encoding,
                          struct buffer *out)
{
    out->is_nomem = out->is_nomem || w->column.is_nomem;
    buffer_append_u8(out, (uint8_t)id);
    buffer_append_u8(out, encoding);
    buffer_append_varint(out, w->column.size);
    buffer_append_bytes(out, buffer_bytes(&w->column));
    buffer_clear(&w->column);
}

static void append_ints(struct page_writer *w, enum page_column id, const int64_t *ints,
                        size_t count, struct buffer *out)
{
    uint8_t encoding = 0;
    int_column_encode(ints, count, &w->scratch[0], &w->column, &encoding);
    append_column(w, id, encoding, out);
}

static void append_octets(enum page_column id, struct yore_bytes octets, struct buffer *out)
{
    buffer_append_u8(out, (uint8_t)id);
    buffer_append_u8(out, OCTETS_PLAIN);
    buffer_append_varint(out, octets.size);
    buffer_append_bytes(out, octets);
}

static void append_keys(struct page_writer *w, int64_t *ints, struct buffer *out)
{
    struct buffer *rests = &w->scratch[1];
    struct yore_bytes before = bytes_of(w->keys.data, 0);
    const unsigned char *at = w->keys.data;
    bool is_any_shared = false;
    buffer_clear(rests);
    for (uint32_t i = 0; i < w->key_count; i++) {
        struct yore_bytes key = bytes_of(at, get_u32(w->key_sizes.data + 4 * (size_t)i));
        size_t shared = key_shared(before, key);
        ints[i] = (int64_t)shared;
        is_any_shared = is_any_shared || shared > 0;
        buffer_append(rests, at + shared, key.size - shared);
        at += key.size;
        before = key;
    }
    out->is_nomem = out->is_nomem || rests->is_nomem;
    if (is_any_shared) {
        append_ints(w, PAGE_COLUMN_KEY_SHARED, ints, w->key_count, out);
    }
    for (uint32_t i = 0; i < w->key_count; i++) {
        ints[i] = get_u32(w->key_sizes.data + 4 * (size_t)i);
    }
    append_ints(w, PAGE_COLUMN_KEY_SIZES, ints, w->key_count, out);
    append_octets(PAGE_COLUMN_KEY_BYTES, buffer_bytes(rests), out);
}

static void append_valid_from(struct page_writer *w, int64_t *ints, struct buffer *out)
{
    const int64_t *counts = counts_of(w);
    uint32_t row = 0;
    for (uint32_t i = 0; i < w->key_count; i++) {
        ints[i] = w->rows[row].valid_from;
        row += (uint32_t)counts[i];
    }
    append_ints(w, PAGE_COLUMN_VALID_FIRST, ints, w->key_count, out);
    size_t count = 0;
    row = 0;
    for (uint32_t i = 0; i < w->key_count; i++) {
        uint32_t end = row + (uint32_t)counts[i];
        for (row++; row < end; row++) {
            ints[count++] = (int64_t)((uint64_t)w->rows[row - 1].valid_from -
                                      (uint64_t)w->rows[row].valid_from);
        }
    }
    if (count > 0) {
        append_ints(w, PAGE_COLUMN_VALID_STEPS, ints, count, out);
    }
}

/* As they are, or as distances from valid_from, whichever is smaller; nothing when all are equal to
 * it. */
static void append_commit(struct page_writer *w, int64_t *ints, struct buffer *out)
{
    uint64_t differing = 0;
    for (uint32_t i = 0; i < w->row_count; i++) {
        ints[i] = (int64_t)((uint64_t)w->rows[i].commit - (uint64_t)w->rows[i].valid_from);
        differing += ints[i] != 0;
    }
    if (differing == 0) {
        return;
    }
    uint8_t lag_encoding = 0;
    int_column_encode(ints, w->row_count, &w->scratch[0], &w->column, &lag_encoding);
    size_t lag_bytes = w->column.size;
    for (uint32_t i = 0; i < w->row_count; i++) {
        ints[i] = w->rows[i].commit;
    }
    struct buffer *direct = &w->scratch[1];
    uint8_t encoding = 0;
    buffer_clear(direct);
    int_column_encode(ints, w->row_count, &w->scratch[0], direct, &encoding);
    if (lag_bytes <= direct->size) {
        append_column(w, PAGE_COLUMN_COMMIT_LAG, lag_encoding, out);
        return;
    }
    buffer_clear(&w->column);
    buffer_append_bytes(&w->column, buffer_bytes(direct));
    out->is_nomem = out->is_nomem || direct->is_nomem;
    append_column(w, PAGE_COLUMN_COMMIT, encoding, out);
}

static void append_shared_times(struct page_writer *w, int64_t *ints, struct buffer *out)
{
    const struct page_times *t = &w->shared;
    bool are_equal = true;
    uint8_t encoding = 0;
    for (uint32_t i = 0; i < t->count; i++) {
        ints[i] = t->times[i].valid_from;
        are_equal = are_equal && t->times[i].commit == ints[i];
    }
    buffer_append_varint(&w->column, t->count);
    int_column_encode(ints, t->count, &w->scratch[0], &w->column, &encoding);
    append_column(w, PAGE_COLUMN_TIMES, encoding, out);
    for (uint32_t i = 0; i < t->count && !are_equal; i++) {
        ints[i] = t->times[i].commit;
    }
    if (!are_equal) {
        append_ints(w, PAGE_COLUMN_TIME_COMMITS, ints, t->count, out);
    }
    append_ints(w, PAGE_COLUMN_TIME_OF, t->time_of, w->row_count, out);
}

/* The columns of the times, one by one, or nothing; then those of shared times, which stand at the
 * end, are the smaller ones. */
static const struct buffer *append_times(struct page_writer *w, int64_t *ints, struct buffer *out)
{
    if (!page_times_find(&w->shared, w->rows, w->row_count)) {
        append_valid_from(w, ints, out);
        append_commit(w, ints, out);
        return NULL;
    }
    struct buffer *single = &w->times[0];
    struct buffer *shared = &w->times[1];
    buffer_clear(single);
    buffer_clear(shared);
    append_valid_from(w, ints, single);
    append_shared_times(w, ints, shared);
    if (shared->size >= single->size) {
        append_commit(w, ints, single);
    }
    out->is_nomem = out->is_nomem || single->is_nomem || shared->is_nomem;
    if (shared->size < single->size) {
        return shared;
    }
    buffer_append_bytes(out, buffer_bytes(single));
    return NULL;
}

static void append_marks(struct page_writer *w, struct buffer *out)
{
    bool is_uniform = true;
    for (uint32_t i = 1; i < w->row_count && is_uniform; i++) {
        is_uniform = w->rows[i].mark == w->rows[0].mark;
    }
    if (is_uniform && w->rows[0].mark == YORE_KIND_PUT) {
        return;
    }
    for (uint32_t i = 0; i < (is_uniform ? 1 : w->row_count); i++) {
        buffer_append_u8(&w->column, w->rows[i].mark);
    }
    append_column(w, PAGE_COLUMN_MARKS, is_uniform ? OCTETS_CONSTANT : OCTETS_PLAIN, out);
}

static void append_valid_to(struct page_writer *w, int64_t *ints, struct buffer *out)
{
    size_t count = 0;
    for (uint32_t i = 0; i < w->row_count; i++) {
        if ((w->rows[i].mark & MARK_HAS_END) != 0) {
            ints[count++] =
                (int64_t)((uint64_t)w->rows[i].valid_to - (uint64_t)w->rows[i].valid_from);
        }
    }
    if (count > 0) {
        append_ints(w, PAGE_COLUMN_VALID_SPAN, ints, count, out);
    }
}

static void append_values(struct page_writer *w, int64_t *ints, struct buffer *out)
{
    if (w->values.size == 0) {
        return;
    }
    size_t count = 0;
    bool are_numbers = true;
    for (uint32_t i = 0; i < w->row_count; i++) {
        if ((w->rows[i].mark & MARK_KIND) == YORE_KIND_PUT) {
            ints[count++] = w->rows[i].value_size;
            are_numbers = are_numbers && w->rows[i].value_size == 8;
        }
    }
    append_ints(w, PAGE_COLUMN_VALUE_SIZES, ints, count, out);
    uint8_t encoding = OCTETS_PLAIN;
    if (are_numbers &&
        number_column_encode(w->values.data, count, w->scratch, &w->column, &encoding)) {
        append_column(w, PAGE_COLUMN_VALUES, encoding, out);
        return;
    }
    append_octets(PAGE_COLUMN_VALUES, buffer_bytes(&w->values), out);
}

enum yore_status page_writer_encode(struct page_writer *w, struct buffer *raw_out)
{
    YORE_ASSERT(w->row_count > 0 && w->row_count <= PAGE_VERSIONS_MAX);
    YORE_ASSERT(w->keys_bytes <= PAGE_KEYS_BYTES_MAX);
    buffer_clear(&w->ints);
    int64_t *ints = (int64_t *)(void *)buffer_extend(&w->ints, 8 * (size_t)w->row_count);
    if (ints == NULL) {
        return YORE_NOMEM;
    }
    buffer_clear(&w->column);
    buffer_append_varint(raw_out, w->row_count);
    buffer_append_varint(raw_out, w->key_count);
    append_keys(w, ints, raw_out);
    if (w->key_count != w->row_count) {
        append_ints(w, PAGE_COLUMN_COUNTS, counts_of(w), w->key_count, raw_out);
    }
    const struct buffer *shared = append_times(w, ints, raw_out);
    append_marks(w, raw_out);
    append_valid_to(w, ints, raw_out);
    append_values(w, ints, raw_out);
    if (shared != NULL) {
        buffer_append_bytes(raw_out, buffer_bytes(shared));
    }
    return buffer_status(raw_out);
}
