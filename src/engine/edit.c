/* edit.c -- building edits, and their bytes (docs/format.md, "Manifest"). */
#include "base/coding.h"
#include "base/mem.h"
#include "engine/forest_internal.h"

/* ---- building ---- */

static void op_release(struct edit_op *op)
{
    forest_file_unref(op->file);
    for (size_t i = 0; i < op->file_count; i++) {
        forest_file_unref(op->files[i]);
    }
    mem_free(op->files);
    buffer_release(&op->low);
    buffer_release(&op->high);
}

void edit_release(struct edit *edit)
{
    for (size_t i = 0; i < edit->count; i++) {
        op_release(&edit->ops[i]);
    }
    mem_free(edit->ops);
    *edit = (struct edit){0};
}

struct edit_op *edit_add(struct edit *edit, enum edit_op_kind kind, uint32_t keyspace)
{
    struct edit_op *grown = mem_grow(edit->ops, edit->count, &edit->capacity, sizeof *grown);
    if (grown == NULL) {
        edit->is_nomem = true;
        return NULL;
    }
    edit->ops = grown;
    struct edit_op *op = &edit->ops[edit->count++];
    *op = (struct edit_op){.kind = kind, .keyspace = keyspace, .flushed_commit = INT64_MIN};
    return op;
}

void edit_add_level(struct edit *edit, uint32_t keyspace, uint32_t level, struct forest_file *file)
{
    struct edit_op *op = edit_add(edit, EDIT_LEVEL_ADD, keyspace);
    if (op != NULL) {
        op->level = level;
        op->file = forest_file_ref(file);
    }
}

void edit_drop_level(struct edit *edit, uint32_t keyspace, uint32_t level, uint64_t number)
{
    struct edit_op *op = edit_add(edit, EDIT_LEVEL_DROP, keyspace);
    if (op != NULL) {
        op->level = level;
        op->number = number;
    }
}

void edit_add_run(struct edit *edit, uint32_t keyspace, struct forest_file *file)
{
    struct edit_op *op = edit_add(edit, EDIT_RUN_ADD, keyspace);
    if (op != NULL) {
        op->file = forest_file_ref(file);
    }
}

static void op_set_low(struct edit *edit, struct edit_op *op, struct yore_bytes low)
{
    buffer_append_bytes(&op->low, low);
    edit->is_nomem |= op->low.is_nomem;
}

void edit_drop_run(struct edit *edit, uint32_t keyspace, struct yore_bytes region_low,
                   uint64_t number)
{
    struct edit_op *op = edit_add(edit, EDIT_RUN_DROP, keyspace);
    if (op != NULL) {
        op->number = number;
        op_set_low(edit, op, region_low);
    }
}

void edit_put_slice(struct edit *edit, uint32_t keyspace, struct yore_bytes region_low,
                    const struct forest_slice *slice)
{
    struct edit_op *op = edit_add(edit, EDIT_SLICE_PUT, keyspace);
    if (op == NULL) {
        return;
    }
    op->t0 = slice->t0;
    op->t1 = slice->t1;
    op->known = slice->known;
    op_set_low(edit, op, region_low);
    if (slice->file_count > 0) {
        op->files = mem_array(slice->file_count, sizeof *op->files);
        if (op->files == NULL) {
            edit->is_nomem = true;
            return;
        }
    }
    for (size_t i = 0; i < slice->file_count; i++) {
        op->files[i] = forest_file_ref(slice->files[i]);
        op->file_count = i + 1;
    }
}

void edit_forget(struct edit *edit, uint32_t keyspace, int64_t commit)
{
    struct edit_op *op = commit != INT64_MIN ? edit_add(edit, EDIT_FORGET, keyspace) : NULL;
    if (op != NULL) {
        op->known = commit;
    }
}

void edit_purged(struct edit *edit, int64_t commit)
{
    struct edit_op *op = commit != INT64_MIN ? edit_add(edit, EDIT_PURGED, 0) : NULL;
    if (op != NULL) {
        op->known = commit;
    }
}

void edit_numbers(struct edit *edit, const struct forest *numbers)
{
    struct edit_op *op = edit_add(edit, EDIT_NUMBERS, 0);
    if (op != NULL) {
        op->next_file = numbers->next_file;
        op->journal_first = numbers->journal_first;
        op->journal_next = numbers->journal_next;
        op->flushed_commit = numbers->flushed_commit;
    }
}

/* ---- bytes ---- */

static void key_encode(struct yore_bytes key, struct buffer *out)
{
    buffer_append_varint(out, key.size);
    buffer_append_bytes(out, key);
}

static void file_encode(const struct forest_file *file, struct buffer *out)
{
    table_meta_encode(file->meta, out);
    buffer_append_u64(out, (uint64_t)file->erase_seen);
    buffer_append_u64(out, (uint64_t)file->known);
}

static void op_encode(const struct edit_op *op, struct buffer *out)
{
    buffer_append_u8(out, (uint8_t)op->kind);
    buffer_append_varint(out, op->keyspace);
    switch (op->kind) {
    case EDIT_LEVEL_ADD:
        buffer_append_varint(out, op->level);
        file_encode(op->file, out);
        break;
    case EDIT_LEVEL_DROP:
    case EDIT_LEVEL_MOVE:
        buffer_append_varint(out, op->level);
        buffer_append_varint(out, op->to_level);
        buffer_append_varint(out, op->number);
        break;
    case EDIT_RUN_ADD:
        key_encode(buffer_bytes(&op->low), out);
        key_encode(buffer_bytes(&op->high), out);
        file_encode(op->file, out);
        break;
    case EDIT_RUN_DROP:
        key_encode(buffer_bytes(&op->low), out);
        buffer_append_varint(out, op->number);
        break;
    case EDIT_SLICE_PUT:
    case EDIT_SLICE_DROP:
        key_encode(buffer_bytes(&op->low), out);
        buffer_append_u64(out, (uint64_t)op->t0);
        buffer_append_u64(out, (uint64_t)op->t1);
        buffer_append_u64(out, (uint64_t)op->known);
        buffer_append_varint(out, op->file_count);
        for (size_t i = 0; i < op->file_count; i++) {
            file_encode(op->files[i], out);
        }
        break;
    case EDIT_REGION_SPLIT:
        key_encode(buffer_bytes(&op->low), out);
        break;
    case EDIT_FILE_REPLACE:
        buffer_append_varint(out, op->number);
        buffer_append_u8(out, op->file != NULL);
        if (op->file != NULL) {
            file_encode(op->file, out);
        }
        break;
    case EDIT_TREE_DROP:
        break;
    case EDIT_VALUE_FILE_PUT:
    case EDIT_VALUE_FILE_DROP:
        buffer_append_varint(out, op->value_file.file);
        buffer_append_varint(out, op->value_file.generation);
        buffer_append_varint(out, op->value_file.bytes);
        buffer_append_varint(out, op->value_file.kept_bytes);
        break;
    case EDIT_NUMBERS:
        buffer_append_varint(out, op->next_file);
        buffer_append_varint(out, op->journal_first);
        buffer_append_varint(out, op->journal_next);
        buffer_append_u64(out, (uint64_t)op->flushed_commit);
        break;
    case EDIT_FORGET:
    case EDIT_PURGED:
        buffer_append_u64(out, (uint64_t)op->known);
        break;
    }
}

void edit_encode(const struct edit *edit, struct buffer *out)
{
    buffer_append_varint(out, edit->count);
    for (size_t i = 0; i < edit->count; i++) {
        op_encode(&edit->ops[i], out);
    }
}

static void key_decode(struct decoder *d, struct buffer *key_out)
{
    uint64_t size = decode_varint(d);
    if (size > YORE_KEY_BYTES_MAX) {
        d->is_bad = true;
        return;
    }
    const unsigned char *data = decode_run(d, (size_t)size);
    if (data != NULL) {
        buffer_append(key_out, data, (size_t)size);
    }
}

static enum yore_status file_decode(struct decoder *d, const struct forest_opener *opener,
                                    struct forest_file **file_out, struct yore_error *error_out)
{
    struct table_meta meta = {0};
    enum yore_status st = table_meta_decode(d, &meta);
    int64_t erase_seen = (int64_t)decode_u64(d);
    int64_t known = (int64_t)decode_u64(d);
    if (st == YORE_OK && d->is_bad) {
        st = YORE_CORRUPT;
    }
    if (st == YORE_OK) {
        st = opener->open(opener->arg, &meta, erase_seen, known, file_out, error_out);
    } else {
        st = error_set(error_out, st, "manifest: a table's description cannot be read");
    }
    table_meta_release(&meta);
    return st;
}

static enum yore_status slice_decode(struct decoder *d, const struct forest_opener *opener,
                                     struct edit_op *op, struct yore_error *error_out)
{
    key_decode(d, &op->low);
    op->t0 = (int64_t)decode_u64(d);
    op->t1 = (int64_t)decode_u64(d);
    op->known = (int64_t)decode_u64(d);
    uint64_t count = decode_varint(d);
    if (d->is_bad || count > decoder_left(d)) { /* a description takes more than an octet */
        d->is_bad = true;
        return YORE_OK;
    }
    op->files = mem_array((size_t)count + 1, sizeof *op->files);
    if (op->files == NULL) {
        return error_plain(error_out, YORE_NOMEM);
    }
    enum yore_status st = YORE_OK;
    for (size_t i = 0; st == YORE_OK && i < count; i++) {
        st = file_decode(d, opener, &op->files[i], error_out);
        op->file_count += st == YORE_OK;
    }
    return st;
}

static enum yore_status op_decode(struct decoder *d, const struct forest_opener *opener,
                                  struct edit_op *op, struct yore_error *error_out)
{
    switch (op->kind) {
    case EDIT_LEVEL_ADD:
        op->level = (uint32_t)decode_varint(d);
        return file_decode(d, opener, &op->file, error_out);
    case EDIT_LEVEL_DROP:
    case EDIT_LEVEL_MOVE:
        op->level = (uint32_t)decode_varint(d);
        op->to_level = (uint32_t)decode_varint(d);
        op->number = decode_varint(d);
        return YORE_OK;
    case EDIT_RUN_ADD:
        key_decode(d, &op->low);
        key_decode(d, &op->high);
        return file_decode(d, opener, &op->file, error_out);
    case EDIT_RUN_DROP:
        key_decode(d, &op->low);
        op->number = decode_varint(d);
        return YORE_OK;
    case EDIT_SLICE_PUT:
    case EDIT_SLICE_DROP:
        return slice_decode(d, opener, op, error_out);
    case EDIT_REGION_SPLIT:
        key_decode(d, &op->low);
        return YORE_OK;
    case EDIT_FILE_REPLACE:
        op->number = decode_varint(d);
        return decode_u8(d) != 0 ? file_decode(d, opener, &op->file, error_out) : YORE_OK;
    case EDIT_TREE_DROP:
        return YORE_OK;
    case EDIT_VALUE_FILE_PUT:
    case EDIT_VALUE_FILE_DROP:
        op->value_file.file = decode_varint(d);
        op->value_file.generation = decode_varint(d);
        op->value_file.bytes = decode_varint(d);
        op->value_file.kept_bytes = decode_varint(d);
        return YORE_OK;
    case EDIT_NUMBERS:
        op->next_file = decode_varint(d);
        op->journal_first = decode_varint(d);
        op->journal_next = decode_varint(d);
        op->flushed_commit = (int64_t)decode_u64(d);
        return YORE_OK;
    case EDIT_FORGET:
    case EDIT_PURGED:
        op->known = (int64_t)decode_u64(d);
        return YORE_OK;
    }
    d->is_bad = true;
    return YORE_OK;
}

enum yore_status edit_decode(struct yore_bytes payload, const struct forest_opener *opener,
                             struct edit *edit_out, struct yore_error *error_out)
{
    struct decoder d;
    decoder_init(&d, payload.data, payload.size);
    *edit_out = (struct edit){0};
    uint64_t count = decode_varint(&d);
    enum yore_status st = YORE_OK;
    for (uint64_t i = 0; st == YORE_OK && !d.is_bad && i < count; i++) {
        enum edit_op_kind kind = (enum edit_op_kind)decode_u8(&d);
        uint64_t keyspace = decode_varint(&d);
        if (d.is_bad || keyspace > UINT32_MAX) {
            d.is_bad = true;
            break;
        }
        struct edit_op *op = edit_add(edit_out, kind, (uint32_t)keyspace);
        st = op != NULL ? op_decode(&d, opener, op, error_out) : error_plain(error_out, YORE_NOMEM);
        if (op != NULL && (op->low.is_nomem || op->high.is_nomem)) {
            st = error_plain(error_out, YORE_NOMEM);
        }
    }
    if (st == YORE_OK && (d.is_bad || decoder_left(&d) != 0)) {
        st = error_set(error_out, YORE_CORRUPT, "manifest: an edit cannot be read");
    }
    if (st != YORE_OK) {
        edit_release(edit_out);
    }
    return st;
}

/* ---- the whole as one edit ---- */

static void snapshot_region(struct edit *edit, const struct forest_tree *tree,
                            const struct forest_region *region)
{
    struct yore_bytes low = forest_key_bytes(&region->low);
    for (size_t i = 0; i < region->run_count; i++) {
        struct edit_op *op = edit_add(edit, EDIT_RUN_ADD, tree->keyspace);
        if (op != NULL) {
            op->file = forest_file_ref(region->runs[i]);
            op_set_low(edit, op, low);
            buffer_append_bytes(&op->high, forest_key_bytes(&region->high));
            edit->is_nomem |= op->high.is_nomem;
        }
    }
    for (size_t i = 0; i < region->slice_count; i++) {
        edit_put_slice(edit, tree->keyspace, low, &region->slices[i]);
    }
}

static void snapshot_tree(struct edit *edit, const struct forest_tree *tree)
{
    edit_forget(edit, tree->keyspace, tree->forgot);
    for (size_t i = 1; i < tree->region_count; i++) {
        struct edit_op *op = edit_add(edit, EDIT_REGION_SPLIT, tree->keyspace);
        if (op != NULL) {
            op_set_low(edit, op, forest_key_bytes(&tree->regions[i].low));
        }
    }
    for (uint32_t i = 0; i < LEVELS_MAX; i++) {
        for (size_t j = 0; j < tree->levels[i].file_count; j++) {
            edit_add_level(edit, tree->keyspace, i, tree->levels[i].files[j]);
        }
    }
    for (size_t i = 0; i < tree->region_count; i++) {
        snapshot_region(edit, tree, &tree->regions[i]);
    }
}

enum yore_status forest_snapshot(const struct forest *forest, struct edit *edit_out)
{
    *edit_out = (struct edit){0};
    edit_numbers(edit_out, forest);
    edit_purged(edit_out, forest->purged);
    for (size_t i = 0; i < forest->value_file_count; i++) {
        struct edit_op *op = edit_add(edit_out, EDIT_VALUE_FILE_PUT, 0);
        if (op != NULL) {
            op->value_file = forest->value_files[i];
        }
    }
    for (size_t i = 0; i < forest->tree_count; i++) {
        snapshot_tree(edit_out, forest->trees[i]);
    }
    if (edit_out->is_nomem) {
        edit_release(edit_out);
        return YORE_NOMEM;
    }
    return YORE_OK;
}
