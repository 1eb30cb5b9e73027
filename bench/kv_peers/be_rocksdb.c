/* be_rocksdb.c -- RocksDB through its C interface.  History is the harness's composite keys, with a
 * prefix extractor so that point reads as of a moment use prefix filters. */
#include <rocksdb/c.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kvp.h"

#define BULK_FILE_BYTES ((size_t)128 << 20)

struct rocks {
    rocksdb_t *db;
    rocksdb_options_t *options;
    rocksdb_writeoptions_t *write;
    rocksdb_readoptions_t *read;
    rocksdb_readoptions_t *read_prefix;
    rocksdb_readoptions_t *read_total;
    rocksdb_flushoptions_t *flush;
    rocksdb_cache_t *cache;
    char dir[2048];
};

static int failed(char *error, const char *what)
{
    if (error == NULL) {
        return 0;
    }
    fprintf(stderr, "rocksdb %s: %s\n", what, error);
    free(error);
    return 1;
}

const char *kvp_rocksdb_version(void); /* be_rocksdb_udt.cc: the version header is C++ */

static void set_tables(struct rocks *r, const struct kvp_config *config)
{
    rocksdb_block_based_table_options_t *t = rocksdb_block_based_options_create();
    r->cache = rocksdb_cache_create_lru(config->cache_bytes);
    rocksdb_block_based_options_set_block_cache(t, r->cache);
    rocksdb_block_based_options_set_format_version(t, 5);
    if (config->bloom_bits > 0) {
        rocksdb_block_based_options_set_filter_policy(
            t, rocksdb_filterpolicy_create_bloom_full(config->bloom_bits));
    }
    if (config->is_history) {
        rocksdb_options_set_prefix_extractor(
            r->options, rocksdb_slicetransform_create_fixed_prefix(config->key_bytes));
        rocksdb_block_based_options_set_whole_key_filtering(t, 0);
    }
    rocksdb_options_set_block_based_table_factory(r->options, t);
    rocksdb_block_based_options_destroy(t);
}

static void set_options(struct rocks *r, const struct kvp_config *config)
{
    static const int compressions[] = {rocksdb_no_compression, rocksdb_lz4_compression,
                                       rocksdb_zstd_compression};
    r->options = rocksdb_options_create();
    rocksdb_options_set_create_if_missing(r->options, 1);
    rocksdb_options_set_write_buffer_size(r->options, config->memtable_bytes);
    rocksdb_options_set_max_write_buffer_number(r->options, 3);
    rocksdb_options_set_max_background_jobs(r->options, config->background_threads);
    rocksdb_options_set_level_compaction_dynamic_level_bytes(r->options, 1);
    rocksdb_options_set_compression(r->options, compressions[config->compression % 3]);
    rocksdb_options_set_max_open_files(r->options, -1);
    set_tables(r, config);
    r->write = rocksdb_writeoptions_create();
    rocksdb_writeoptions_set_sync(r->write, (unsigned char)config->is_sync);
    r->read = rocksdb_readoptions_create();
    r->read_total = rocksdb_readoptions_create();
    rocksdb_readoptions_set_total_order_seek(r->read_total, 1);
    r->read_prefix = rocksdb_readoptions_create();
    if (config->is_history) {
        rocksdb_readoptions_set_prefix_same_as_start(r->read_prefix, 1);
    }
    r->flush = rocksdb_flushoptions_create();
    rocksdb_flushoptions_set_wait(r->flush, 1);
}

static void *rocks_open(const struct kvp_config *config)
{
    struct rocks *r = calloc(1, sizeof *r);
    char *error = NULL;
    if (r == NULL) {
        return NULL;
    }
    snprintf(r->dir, sizeof r->dir, "%s", config->dir);
    set_options(r, config);
    r->db = rocksdb_open(r->options, config->dir, &error);
    return failed(error, "open") ? NULL : r;
}

static void rocks_close(void *db)
{
    struct rocks *r = db;
    rocksdb_close(r->db);
    rocksdb_flushoptions_destroy(r->flush);
    rocksdb_readoptions_destroy(r->read);
    rocksdb_readoptions_destroy(r->read_prefix);
    rocksdb_readoptions_destroy(r->read_total);
    rocksdb_writeoptions_destroy(r->write);
    rocksdb_options_destroy(r->options);
    rocksdb_cache_destroy(r->cache);
    free(r);
}

static void *rocks_thread_begin(void *db)
{
    return db;
}

static void rocks_thread_end(void *thread)
{
    (void)thread;
}

static int rocks_put(void *thread, const struct kvp_pair *pair)
{
    struct rocks *r = thread;
    char *error = NULL;
    rocksdb_put(r->db, r->write, pair->key, pair->key_size, pair->value, pair->value_size, &error);
    return failed(error, "put") ? -1 : 0;
}

static int rocks_get(void *thread, const char *key, char *buffer, size_t capacity, size_t *size_out)
{
    struct rocks *r = thread;
    char *error = NULL;
    rocksdb_pinnableslice_t *slice = rocksdb_get_pinned(r->db, r->read, key, KVP_KEY_BYTES, &error);
    if (failed(error, "get")) {
        return -1;
    }
    if (slice == NULL) {
        return 1;
    }
    const char *value = rocksdb_pinnableslice_value(slice, size_out);
    memcpy(buffer, value, *size_out < capacity ? *size_out : capacity);
    rocksdb_pinnableslice_destroy(slice);
    return 0;
}

static int rocks_batch(void *thread, const struct kvp_pair *pairs, size_t count)
{
    struct rocks *r = thread;
    char *error = NULL;
    rocksdb_writebatch_t *batch = rocksdb_writebatch_create();
    for (size_t i = 0; i < count; i++) {
        rocksdb_writebatch_put(batch, pairs[i].key, pairs[i].key_size, pairs[i].value,
                               pairs[i].value_size);
    }
    rocksdb_write(r->db, r->write, batch, &error);
    rocksdb_writebatch_destroy(batch);
    return failed(error, "write") ? -1 : 0;
}

static void *rocks_iter_new(void *thread, int is_point)
{
    struct rocks *r = thread;
    return rocksdb_create_iterator(r->db, is_point ? r->read_prefix : r->read_total);
}

static int rocks_iter_seek(void *iter, const char *key, size_t key_size)
{
    if (key != NULL) {
        rocksdb_iter_seek(iter, key, key_size);
    } else {
        rocksdb_iter_seek_to_first(iter);
    }
    return rocksdb_iter_valid(iter) ? 0 : 1;
}

static int rocks_iter_next(void *iter)
{
    rocksdb_iter_next(iter);
    return rocksdb_iter_valid(iter) ? 0 : 1;
}

static void rocks_iter_get(void *iter, struct kvp_pair *row)
{
    row->key = rocksdb_iter_key(iter, &row->key_size);
    row->value = rocksdb_iter_value(iter, &row->value_size);
    row->ts = 0;
}

static void rocks_iter_free(void *iter)
{
    rocksdb_iter_destroy(iter);
}

static int rocks_settle(void *db)
{
    struct rocks *r = db;
    char *error = NULL;
    rocksdb_flush(r->db, r->flush, &error);
    return failed(error, "flush") ? -1 : 0;
}

/* Fill one table from `next`; `*is_more` says whether `pair` holds a row that is left. */
static void write_table(rocksdb_sstfilewriter_t *writer, kvp_next_fn next, void *arg,
                        struct kvp_pair *pair, int *is_more, char **error)
{
    size_t bytes = 0;
    while (*error == NULL && *is_more && bytes < BULK_FILE_BYTES) {
        rocksdb_sstfilewriter_put(writer, pair->key, pair->key_size, pair->value, pair->value_size,
                                  error);
        bytes += pair->key_size + pair->value_size;
        *is_more = next(arg, pair);
    }
    if (*error == NULL) {
        rocksdb_sstfilewriter_finish(writer, error);
    }
}

/* Tables written outside and ingested, as its manual advises for bulk loads. */
static int rocks_bulk(void *db, kvp_next_fn next, void *arg)
{
    struct rocks *r = db;
    rocksdb_envoptions_t *env = rocksdb_envoptions_create();
    rocksdb_ingestexternalfileoptions_t *ingest = rocksdb_ingestexternalfileoptions_create();
    struct kvp_pair pair;
    int is_more = next(arg, &pair);
    int rc = 0;
    rocksdb_ingestexternalfileoptions_set_move_files(ingest, 1);
    for (int file = 0; is_more && rc == 0; file++) {
        char path[2100];
        char *error = NULL;
        const char *list[1] = {path};
        snprintf(path, sizeof path, "%s/bulk%d.tmp", r->dir, file);
        rocksdb_sstfilewriter_t *writer = rocksdb_sstfilewriter_create(env, r->options);
        rocksdb_sstfilewriter_open(writer, path, &error);
        write_table(writer, next, arg, &pair, &is_more, &error);
        rocksdb_sstfilewriter_destroy(writer);
        if (error == NULL) {
            rocksdb_ingest_external_file(r->db, list, 1, ingest, &error);
        }
        rc = failed(error, "ingest") ? -1 : 0;
    }
    rocksdb_envoptions_destroy(env);
    rocksdb_ingestexternalfileoptions_destroy(ingest);
    return rc;
}

const struct kvp_engine kvp_rocksdb = {
    .name = "rocksdb",
    .caps = KVP_CAP_WAL,
    .version = kvp_rocksdb_version,
    .open = rocks_open,
    .close = rocks_close,
    .thread_begin = rocks_thread_begin,
    .thread_end = rocks_thread_end,
    .put = rocks_put,
    .get = rocks_get,
    .batch = rocks_batch,
    .iter_new = rocks_iter_new,
    .iter_seek = rocks_iter_seek,
    .iter_next = rocks_iter_next,
    .iter_get = rocks_iter_get,
    .iter_free = rocks_iter_free,
    .settle = rocks_settle,
    .bulk = rocks_bulk,
};
