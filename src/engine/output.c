/* output.c -- see output.h. */
#include "engine/output.h"

#include "base/mem.h"

void output_init(struct output *o, struct superview *view, const struct yore_keyspace *keyspace,
                 enum page_class class_hint, uint64_t table_bytes)
{
    *o = (struct output){.db = view->db,
                         .keyspace = keyspace,
                         .erased = view->erased,
                         .class_hint = class_hint,
                         .table_bytes = table_bytes,
                         .known = view->forest->flushed_commit};
}

enum yore_status forest_file_open(struct yore_db *db, const struct table_meta *meta,
                                  int64_t erase_seen, int64_t known, struct forest_file **file_out)
{
    char path[PATH_BYTES];
    struct table *table;
    struct file_identity identity = {db->database, meta->file};
    if (!db_file_path(path, db->path, DB_FILE_TABLE, meta->file, 0)) {
        return YORE_INVALID;
    }
    enum yore_status st = table_open(db->pool, path, identity, meta, &table);
    return st == YORE_OK ? forest_file_new(table, erase_seen, known, file_out) : st;
}

enum yore_compression output_compression(const struct yore_keyspace *keyspace,
                                         enum page_class class_hint)
{
    enum yore_compression chosen =
        (enum yore_compression)atomic_load_explicit(&keyspace->compression, memory_order_relaxed);
    if (chosen != YORE_COMPRESSION_DEFAULT) {
        return chosen;
    }
    return class_hint == PAGE_CLASS_PRESENT ? YORE_COMPRESSION_LZ4 : YORE_COMPRESSION_ZSTD;
}

enum yore_status output_builder_open(struct yore_db *db, const char *path,
                                     const struct table_options *options,
                                     struct table_builder **builder_out,
                                     struct yore_error *error_out)
{
    enum yore_status st = YORE_OK;
    do {
        st = table_builder_open(db->env, path, options, builder_out, error_out);
    } while (db_has_found_handle(db, st, error_out));
    return st;
}

static enum yore_status output_begin(struct output *o, struct yore_error *error_out)
{
    struct yore_db *db = o->db;
    struct table_options options = {.identity = {db->database, db_take_file_number(db)},
                                    .page_bytes = db->options.page_bytes,
                                    .compression = output_compression(o->keyspace, o->class_hint),
                                    .class_hint = o->class_hint};
    if (o->class_hint == PAGE_CLASS_PAST) {
        uint32_t most = PAGE_BYTES_MAX / PAST_PAGE_FACTOR;
        options.page_bytes =
            (options.page_bytes < most ? options.page_bytes : most) * PAST_PAGE_FACTOR;
    }
    if (!db_file_path(o->path, db->path, DB_FILE_TABLE, options.identity.file, 0)) {
        return error_set(error_out, YORE_INVALID, "%s: the path is too long", db->path);
    }
    enum yore_status st = output_builder_open(db, o->path, &options, &o->builder, error_out);
    if (st == YORE_NO_FILES && o->syncs != NULL && o->syncs->count > 0) {
        st = sync_group_end(o->syncs, error_out);
        if (st == YORE_OK) {
            st = output_builder_open(db, o->path, &options, &o->builder, error_out);
        }
    }
    return st;
}

static enum yore_status finish_table(struct output *o, struct table_meta *meta_out,
                                     struct yore_error *error_out)
{
    struct table_builder *builder = o->builder;
    struct os_file *file;
    o->builder = NULL;
    if (o->syncs == NULL) {
        return table_builder_finish(builder, meta_out, error_out);
    }
    enum yore_status st = table_builder_finish_unsynced(builder, meta_out, &file, error_out);
    return st == YORE_OK ? sync_group_add(o->syncs, file, error_out) : st;
}

static enum yore_status output_cut(struct output *o, struct yore_error *error_out)
{
    struct table_meta meta = {0};
    enum yore_status st = finish_table(o, &meta, error_out);
    struct forest_file **grown = NULL;
    if (st == YORE_OK) {
        grown = mem_realloc(o->files, (o->file_count + 1) * sizeof(*grown));
        st = grown != NULL ? st : error_plain(error_out, YORE_NOMEM);
    }
    if (st == YORE_OK) {
        o->files = grown;
        st = forest_file_open(o->db, &meta, erase_set_commit_max(o->erased), o->known,
                              &o->files[o->file_count]);
        if (st == YORE_OK) {
            o->file_count++;
            o->bytes += meta.file_bytes;
        } else {
            error_plain(error_out, st);
        }
    }
    table_meta_release(&meta);
    if (st != YORE_OK) {
        (void)os_path_unlink(o->db->env, o->path, NULL);
    }
    return st;
}

enum yore_status output_add(struct output *o, const struct version *version,
                            struct yore_error *error_out)
{
    struct version stored = *version;
    enum yore_status st = YORE_OK;
    if (version->kind == YORE_KIND_PUT && erase_set_count(o->erased) > 0 &&
        erase_set_hides(o->erased, o->keyspace->id, version)) {
        stored.kind = YORE_KIND_ERASED;
        stored.value = bytes_of(NULL, 0);
        stored.flags &= ~(unsigned)VERSION_APART;
    }
    bool is_full = o->builder != NULL && o->table_bytes != UINT64_MAX &&
                   table_builder_bytes(o->builder) >= o->table_bytes &&
                   !bytes_equal(version->key, buffer_bytes(&o->last_key));
    if (is_full) {
        st = output_cut(o, error_out);
    }
    if (st == YORE_OK && o->builder == NULL) {
        st = output_begin(o, error_out);
    }
    if (st == YORE_OK) {
        stored.flags &= ~(unsigned)VERSION_ALSO_CARRIED;
        st = table_builder_add(o->builder, &stored, error_out);
    }
    if (st == YORE_OK && o->table_bytes != UINT64_MAX) {
        buffer_clear(&o->last_key);
        buffer_append_bytes(&o->last_key, version->key);
        st = buffer_status(&o->last_key);
    }
    return st;
}

enum yore_status output_finish(struct output *o, struct yore_error *error_out)
{
    return o->builder != NULL ? output_cut(o, error_out) : YORE_OK;
}

void output_release(struct output *o, bool is_kept)
{
    if (o->builder != NULL) {
        table_builder_abandon(o->builder);
        (void)os_path_unlink(o->db->env, o->path, NULL);
    }
    for (size_t i = 0; i < o->file_count; i++) {
        if (!is_kept) {
            db_drop_new_file(o->db, o->files[i]);
        }
        forest_file_unref(o->files[i]);
    }
    mem_free(o->files);
    buffer_release(&o->last_key);
    *o = (struct output){0};
}
