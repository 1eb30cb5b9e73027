/* backup_record.c -- see backup_record.h.
 *
 *     0  8  magic "YOREbak" and a newline
 *     8  4  format version
 *    12  4  CRC-32C of octets 0..11 and of everything from octet 16 on
 *    16     the record
 */
#include "engine/backup_record.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crc32c.h"
#include "base/mem.h"
#include "engine/catalogue.h"

#define FORMAT_VERSION 1u
#define HEADER_BYTES 16u
#define RECORD_BYTES_LIMIT (1u << 30)

static const unsigned char magic[8] = {'Y', 'O', 'R', 'E', 'b', 'a', 'k', '\n'};

void backup_record_release(struct backup_record *record)
{
    stored_list_release(&record->files);
    mem_free(record->keyspaces);
    for (size_t i = 0; i < record->rule_count; i++) {
        mem_free(record->rules[i].low.data);
        mem_free(record->rules[i].high.data);
    }
    mem_free(record->rules);
    buffer_release(&record->edit);
    *record = (struct backup_record){0};
}

/* ---- from a database ---- */

static enum yore_status copy_key(struct yore_bytes from, struct forest_key *to)
{
    *to = (struct forest_key){NULL, from.size};
    if (from.size > 0) {
        to->data = mem_copy(from.data, from.size);
    }
    return from.size > 0 && to->data == NULL ? YORE_NOMEM : YORE_OK;
}

static enum yore_status copy_rule(void *arg, const struct erase_rule *from)
{
    struct backup_record *record = arg;
    struct erase_rule *grown =
        mem_grow(record->rules, record->rule_count, &record->rule_capacity, sizeof *grown);
    if (grown == NULL) {
        return YORE_NOMEM;
    }
    record->rules = grown;
    struct erase_rule *to = &grown[record->rule_count++];
    *to = *from;
    to->low = to->high = (struct forest_key){0};
    enum yore_status st = copy_key(forest_key_bytes(&from->low), &to->low);
    return st == YORE_OK ? copy_key(forest_key_bytes(&from->high), &to->high) : st;
}

static void raise_commit(void *arg, struct forest_file *file)
{
    int64_t *commit_max = arg;
    *commit_max = file->meta->commit_max > *commit_max ? file->meta->commit_max : *commit_max;
}

static enum yore_status copy_keyspaces(struct yore_db *db, const struct forest *forest,
                                       struct backup_record *record)
{
    os_mutex_lock(&db->lock);
    size_t count = db->keyspace_count;
    record->keyspaces = mem_array(count, sizeof(*record->keyspaces));
    for (size_t i = 0; record->keyspaces != NULL && i < count; i++) {
        const struct yore_keyspace *from = db->keyspaces[i];
        struct backup_keyspace *to = &record->keyspaces[i];
        *to = (struct backup_keyspace){.id = from->id,
                                       .keep = (uint32_t)atomic_load(&from->keep),
                                       .horizon = atomic_load(&from->horizon),
                                       .commit_max = INT64_MIN};
        const struct forest_tree *tree = forest_tree(forest, from->id);
        if (tree != NULL) {
            to->commit_max = tree->forgot;
            tree_each_file(tree, raise_commit, &to->commit_max);
        }
        record->keyspace_count = i + 1;
    }
    os_mutex_unlock(&db->lock);
    return record->keyspaces != NULL ? YORE_OK : YORE_NOMEM;
}

enum yore_status backup_record_of(struct yore_db *db, const struct frozen *frozen,
                                  struct backup_record *record_out, struct yore_error *error_out)
{
    struct edit edit = {0};
    *record_out =
        (struct backup_record){.database = db->database, .commit = frozen->forest->flushed_commit};
    enum yore_status st = YORE_OK;
    for (size_t i = 0; st == YORE_OK && i < frozen->files.count; i++) {
        record_out->bytes += frozen->files.files[i].bytes;
        st = stored_list_add(&record_out->files, &frozen->files.files[i]);
    }
    if (st == YORE_OK) {
        st = copy_keyspaces(db, frozen->forest, record_out);
    }
    if (st == YORE_OK) {
        st = catalogue_each_erasure(frozen->view, INT64_MIN, copy_rule, record_out, error_out);
    }
    if (st == YORE_OK) {
        st = forest_snapshot(frozen->forest, &edit);
    }
    if (st == YORE_OK) {
        edit_encode(&edit, &record_out->edit);
        st = buffer_status(&record_out->edit);
    }
    edit_release(&edit);
    if (st != YORE_OK) {
        backup_record_release(record_out);
        return st == YORE_NOMEM ? error_plain(error_out, st) : st;
    }
    return YORE_OK;
}

/* ---- bytes ---- */

static void encode_key(const struct forest_key *key, struct buffer *out)
{
    buffer_append_varint(out, key->size);
    buffer_append_bytes(out, forest_key_bytes(key));
}

static void encode(const struct backup_record *record, struct buffer *out)
{
    buffer_append(out, magic, sizeof magic);
    buffer_append_u32(out, FORMAT_VERSION);
    buffer_append_u32(out, 0); /* the CRC, when everything is there */
    buffer_append_u64(out, record->id);
    buffer_append_u64(out, record->database);
    buffer_append_u64(out, (uint64_t)record->commit);
    buffer_append_u64(out, record->bytes);
    buffer_append_u64(out, record->new_bytes);
    buffer_append_varint(out, record->files.count);
    for (size_t i = 0; i < record->files.count; i++) {
        const struct stored_file *file = &record->files.files[i];
        buffer_append_u8(out, (uint8_t)file->kind);
        buffer_append_varint(out, file->number);
        buffer_append_varint(out, file->generation);
        buffer_append_varint(out, file->bytes);
        buffer_append_u32(out, file->crc);
    }
    buffer_append_varint(out, record->keyspace_count);
    for (size_t i = 0; i < record->keyspace_count; i++) {
        const struct backup_keyspace *keyspace = &record->keyspaces[i];
        buffer_append_varint(out, keyspace->id);
        buffer_append_varint(out, keyspace->keep);
        buffer_append_u64(out, (uint64_t)keyspace->horizon);
        buffer_append_u64(out, (uint64_t)keyspace->commit_max);
    }
    buffer_append_varint(out, record->rule_count);
    for (size_t i = 0; i < record->rule_count; i++) {
        const struct erase_rule *rule = &record->rules[i];
        buffer_append_varint(out, rule->keyspace);
        buffer_append_u64(out, (uint64_t)rule->from);
        buffer_append_u64(out, (uint64_t)rule->to);
        buffer_append_u64(out, (uint64_t)rule->commit);
        encode_key(&rule->low, out);
        encode_key(&rule->high, out);
    }
    buffer_append_varint(out, record->edit.size);
    buffer_append_bytes(out, buffer_bytes(&record->edit));
}

static uint32_t sum_of(const unsigned char *data, size_t size)
{
    return crc32c(crc32c(0, data, HEADER_BYTES - 4), data + HEADER_BYTES, size - HEADER_BYTES);
}

/* A count that the octets left can hold. */
static size_t decode_count(struct decoder *d)
{
    uint64_t count = decode_varint(d);
    if (count > decoder_left(d)) {
        d->is_bad = true;
        return 0;
    }
    return (size_t)count;
}

static enum yore_status decode_key(struct decoder *d, struct forest_key *key_out)
{
    size_t size = decode_count(d);
    const unsigned char *data = decode_run(d, size);
    return data != NULL ? copy_key(bytes_of(data, size), key_out) : YORE_OK;
}

static enum yore_status decode_files(struct decoder *d, struct backup_record *record)
{
    enum yore_status st = YORE_OK;
    size_t count = decode_count(d);
    for (size_t i = 0; st == YORE_OK && !d->is_bad && i < count; i++) {
        struct stored_file file = {.kind = (enum db_file_kind)decode_u8(d)};
        file.number = decode_varint(d);
        file.generation = decode_varint(d);
        file.bytes = decode_varint(d);
        file.crc = decode_u32(d);
        d->is_bad |= file.kind != DB_FILE_TABLE && file.kind != DB_FILE_VALUES;
        st = stored_list_add(&record->files, &file);
    }
    stored_list_sort(&record->files);
    return st;
}

static enum yore_status decode_keyspaces(struct decoder *d, struct backup_record *record)
{
    size_t count = decode_count(d);
    record->keyspaces = mem_array(count + 1, sizeof(*record->keyspaces));
    if (record->keyspaces == NULL) {
        return YORE_NOMEM;
    }
    for (size_t i = 0; !d->is_bad && i < count; i++) {
        struct backup_keyspace *keyspace = &record->keyspaces[i];
        keyspace->id = (uint32_t)decode_varint(d);
        keyspace->keep = (uint32_t)decode_varint(d);
        keyspace->horizon = (int64_t)decode_u64(d);
        keyspace->commit_max = (int64_t)decode_u64(d);
        record->keyspace_count = i + 1;
    }
    return YORE_OK;
}

static enum yore_status decode_rules(struct decoder *d, struct backup_record *record)
{
    size_t count = decode_count(d);
    record->rules = mem_array(count + 1, sizeof(*record->rules));
    enum yore_status st = record->rules != NULL ? YORE_OK : YORE_NOMEM;
    for (size_t i = 0; st == YORE_OK && !d->is_bad && i < count; i++) {
        struct erase_rule *rule = &record->rules[i];
        rule->keyspace = (uint32_t)decode_varint(d);
        rule->from = (int64_t)decode_u64(d);
        rule->to = (int64_t)decode_u64(d);
        rule->commit = (int64_t)decode_u64(d);
        record->rule_count = i + 1;
        st = decode_key(d, &rule->low);
        if (st == YORE_OK) {
            st = decode_key(d, &rule->high);
        }
    }
    return st;
}

static enum yore_status decode(const struct buffer *bytes, const char *path,
                               struct backup_record *record, struct yore_error *error_out)
{
    struct decoder d;
    if (bytes->size < HEADER_BYTES || memcmp(bytes->data, magic, sizeof magic) != 0) {
        return error_set(error_out, YORE_CORRUPT, "%s: offset 0: not the description of a backup",
                         path);
    }
    if (get_u32(bytes->data + 8) != FORMAT_VERSION) {
        return error_set(error_out, YORE_BAD_FORMAT,
                         "%s: format version %u is not known to this program (it knows %u)", path,
                         (unsigned)get_u32(bytes->data + 8), FORMAT_VERSION);
    }
    if (get_u32(bytes->data + 12) != sum_of(bytes->data, bytes->size)) {
        return error_set(error_out, YORE_CORRUPT, "%s: offset 12: the description is damaged",
                         path);
    }
    decoder_init(&d, bytes->data + HEADER_BYTES, bytes->size - HEADER_BYTES);
    record->id = decode_u64(&d);
    record->database = decode_u64(&d);
    record->commit = (int64_t)decode_u64(&d);
    record->bytes = decode_u64(&d);
    record->new_bytes = decode_u64(&d);
    enum yore_status st = decode_files(&d, record);
    if (st == YORE_OK) {
        st = decode_keyspaces(&d, record);
    }
    if (st == YORE_OK) {
        st = decode_rules(&d, record);
    }
    if (st == YORE_OK) {
        size_t size = decode_count(&d);
        const unsigned char *edit = decode_run(&d, size);
        if (edit != NULL) {
            buffer_append(&record->edit, edit, size);
        }
        st = buffer_status(&record->edit);
    }
    if (st != YORE_OK) {
        return error_plain(error_out, st);
    }
    if (d.is_bad || decoder_left(&d) != 0) {
        return error_set(error_out, YORE_CORRUPT, "%s: the description cannot be read", path);
    }
    return YORE_OK;
}

/* ---- files ---- */

static bool record_path(char path[PATH_BYTES], const char *dir, uint64_t id, const char *suffix)
{
    int size = snprintf(path, PATH_BYTES, "%s/backup-%016" PRIx64 "%s", dir, id, suffix);
    return size > 0 && size < PATH_BYTES;
}

enum yore_status backup_record_write(struct os_env *env, const char *dir,
                                     const struct backup_record *record,
                                     struct yore_error *error_out)
{
    char path[PATH_BYTES];
    char fresh[PATH_BYTES];
    struct buffer bytes = {0};
    struct os_file *file = NULL;
    if (!record_path(path, dir, record->id, "") || !record_path(fresh, dir, record->id, ".new")) {
        return error_set(error_out, YORE_INVALID, "%s: the path is too long", dir);
    }
    encode(record, &bytes);
    enum yore_status st = YORE_OK;
    if (bytes.is_nomem || bytes.size > RECORD_BYTES_LIMIT) {
        st = bytes.is_nomem
                 ? error_plain(error_out, YORE_NOMEM)
                 : error_set(error_out, YORE_TOO_BIG, "%s: the description is too large", path);
    }
    if (st == YORE_OK) {
        put_u32(bytes.data + 12, sum_of(bytes.data, bytes.size));
        st = os_path_unlink(env, fresh, error_out);
        st = st == YORE_NOT_FOUND ? YORE_OK : st;
    }
    if (st == YORE_OK) {
        st = os_file_open(env, fresh, OS_OPEN_CREATE, &file, error_out);
    }
    if (st == YORE_OK) {
        st = os_file_write(file, 0, bytes.data, bytes.size, error_out);
    }
    if (st == YORE_OK) {
        st = os_file_sync(file, error_out);
    }
    os_file_close(file);
    if (st == YORE_OK) {
        st = os_path_rename(env, fresh, path, error_out);
    }
    if (st == YORE_OK) {
        st = os_dir_sync(env, dir, error_out);
    }
    buffer_release(&bytes);
    return st;
}

static enum yore_status read_whole(struct os_env *env, const char *path, struct buffer *out,
                                   struct yore_error *error_out)
{
    struct os_file *file;
    uint64_t size;
    size_t read = 0;
    enum yore_status st = os_file_open(env, path, OS_OPEN_READ, &file, error_out);
    if (st != YORE_OK) {
        return st;
    }
    st = os_file_size(file, &size, error_out);
    if (st == YORE_OK && size > RECORD_BYTES_LIMIT) {
        st = error_set(error_out, YORE_CORRUPT, "%s: is too large for a description", path);
    }
    if (st == YORE_OK && size > 0) {
        unsigned char *at = buffer_extend(out, (size_t)size);
        st = at != NULL ? os_file_read(file, 0, at, (size_t)size, &read, error_out)
                        : error_plain(error_out, YORE_NOMEM);
        out->size = read;
    }
    os_file_close(file);
    return st;
}

struct set_read {
    struct os_env *env;
    const char *dir;
    struct backup_set *set;
    struct yore_error *error_out;
};

static bool parse_id(const char *name, uint64_t *id_out)
{
    char again[PATH_BYTES];
    return sscanf(name, "backup-%16" SCNx64, id_out) == 1 && record_path(again, "", *id_out, "") &&
           strcmp(again + 1, name) == 0;
}

static enum yore_status read_one(void *arg, const char *name)
{
    struct set_read *s = arg;
    uint64_t id;
    char path[PATH_BYTES];
    struct buffer bytes = {0};
    if (!parse_id(name, &id)) {
        return YORE_OK;
    }
    if (!record_path(path, s->dir, id, "")) {
        return error_set(s->error_out, YORE_INVALID, "%s: the path is too long", s->dir);
    }
    struct backup_set *set = s->set;
    struct backup_record *grown = mem_realloc(set->records, (set->count + 1) * sizeof(*grown));
    if (grown == NULL) {
        return error_plain(s->error_out, YORE_NOMEM);
    }
    set->records = grown;
    struct backup_record *record = &grown[set->count++];
    *record = (struct backup_record){0};
    enum yore_status st = read_whole(s->env, path, &bytes, s->error_out);
    if (st == YORE_OK) {
        st = decode(&bytes, path, record, s->error_out);
    }
    if (st == YORE_OK && record->id != id) {
        st = error_set(s->error_out, YORE_CORRUPT, "%s: describes backup %llu", path,
                       (unsigned long long)record->id);
    }
    buffer_release(&bytes);
    return st;
}

static int compare_records(const void *left, const void *right)
{
    const struct backup_record *a = left;
    const struct backup_record *b = right;
    return (a->id > b->id) - (a->id < b->id);
}

enum yore_status backup_set_read(struct os_env *env, const char *dir, struct backup_set *set_out,
                                 struct yore_error *error_out)
{
    struct set_read s = {env, dir, set_out, error_out};
    *set_out = (struct backup_set){0};
    enum yore_status st = dir_each(env, dir, read_one, &s, error_out);
    if (st != YORE_OK) {
        backup_set_release(set_out);
        return st == YORE_NOT_FOUND ? error_set(error_out, st, "%s: there are no backups here", dir)
                                    : st;
    }
    if (set_out->count > 0) {
        qsort(set_out->records, set_out->count, sizeof(*set_out->records), compare_records);
    }
    return YORE_OK;
}

void backup_set_release(struct backup_set *set)
{
    for (size_t i = 0; i < set->count; i++) {
        backup_record_release(&set->records[i]);
    }
    mem_free(set->records);
    *set = (struct backup_set){0};
}
