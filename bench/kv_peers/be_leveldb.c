/* be_leveldb.c -- LevelDB through its C interface. */
#include <leveldb/c.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kvp.h"

struct level {
    leveldb_t *db;
    leveldb_options_t *options;
    leveldb_writeoptions_t *write;
    leveldb_readoptions_t *read;
    leveldb_cache_t *cache;
    leveldb_filterpolicy_t *filter;
};

static int failed(char *error, const char *what)
{
    if (error == NULL) {
        return 0;
    }
    fprintf(stderr, "leveldb %s: %s\n", what, error);
    leveldb_free(error);
    return 1;
}

static const char *level_version(void)
{
    static char text[32];
    snprintf(text, sizeof text, "%d.%d", leveldb_major_version(), leveldb_minor_version());
    return text;
}

static void *level_open(const struct kvp_config *config)
{
    struct level *l = calloc(1, sizeof *l);
    char *error = NULL;
    if (l == NULL) {
        return NULL;
    }
    l->options = leveldb_options_create();
    leveldb_options_set_create_if_missing(l->options, 1);
    leveldb_options_set_write_buffer_size(l->options, config->memtable_bytes);
    leveldb_options_set_max_open_files(l->options, 4000);
    leveldb_options_set_max_file_size(l->options, 8u << 20);
    leveldb_options_set_compression(
        l->options, config->compression != 0 ? leveldb_snappy_compression : leveldb_no_compression);
    l->cache = leveldb_cache_create_lru(config->cache_bytes);
    leveldb_options_set_cache(l->options, l->cache);
    if (config->bloom_bits > 0) { /* no prefix filters here: of no use for composite keys */
        l->filter = leveldb_filterpolicy_create_bloom(config->bloom_bits);
        leveldb_options_set_filter_policy(l->options, l->filter);
    }
    l->write = leveldb_writeoptions_create();
    leveldb_writeoptions_set_sync(l->write, (unsigned char)config->is_sync);
    l->read = leveldb_readoptions_create();
    l->db = leveldb_open(l->options, config->dir, &error);
    return failed(error, "open") ? NULL : l;
}

static void level_close(void *db)
{
    struct level *l = db;
    leveldb_close(l->db);
    leveldb_options_destroy(l->options);
    leveldb_writeoptions_destroy(l->write);
    leveldb_readoptions_destroy(l->read);
    leveldb_cache_destroy(l->cache);
    if (l->filter != NULL) {
        leveldb_filterpolicy_destroy(l->filter);
    }
    free(l);
}

static void *level_thread_begin(void *db)
{
    return db;
}

static void level_thread_end(void *thread)
{
    (void)thread;
}

static int level_put(void *thread, const struct kvp_pair *pair)
{
    struct level *l = thread;
    char *error = NULL;
    leveldb_put(l->db, l->write, pair->key, pair->key_size, pair->value, pair->value_size, &error);
    return failed(error, "put") ? -1 : 0;
}

static int level_get(void *thread, const char *key, char *buffer, size_t capacity, size_t *size_out)
{
    struct level *l = thread;
    char *error = NULL;
    char *value = leveldb_get(l->db, l->read, key, KVP_KEY_BYTES, size_out, &error);
    if (failed(error, "get")) {
        return -1;
    }
    if (value == NULL) {
        return 1;
    }
    memcpy(buffer, value, *size_out < capacity ? *size_out : capacity);
    leveldb_free(value);
    return 0;
}

static int level_batch(void *thread, const struct kvp_pair *pairs, size_t count)
{
    struct level *l = thread;
    char *error = NULL;
    leveldb_writebatch_t *batch = leveldb_writebatch_create();
    for (size_t i = 0; i < count; i++) {
        leveldb_writebatch_put(batch, pairs[i].key, pairs[i].key_size, pairs[i].value,
                               pairs[i].value_size);
    }
    leveldb_write(l->db, l->write, batch, &error);
    leveldb_writebatch_destroy(batch);
    return failed(error, "write") ? -1 : 0;
}

static void *level_iter_new(void *thread, int is_point)
{
    struct level *l = thread;
    (void)is_point;
    return leveldb_create_iterator(l->db, l->read);
}

static int level_iter_seek(void *iter, const char *key, size_t key_size)
{
    if (key != NULL) {
        leveldb_iter_seek(iter, key, key_size);
    } else {
        leveldb_iter_seek_to_first(iter);
    }
    return leveldb_iter_valid(iter) ? 0 : 1;
}

static int level_iter_next(void *iter)
{
    leveldb_iter_next(iter);
    return leveldb_iter_valid(iter) ? 0 : 1;
}

static void level_iter_get(void *iter, struct kvp_pair *row)
{
    row->key = leveldb_iter_key(iter, &row->key_size);
    row->value = leveldb_iter_value(iter, &row->value_size);
    row->ts = 0;
}

static void level_iter_free(void *iter)
{
    leveldb_iter_destroy(iter);
}

const struct kvp_engine kvp_leveldb = {
    .name = "leveldb",
    .caps = KVP_CAP_WAL,
    .version = level_version,
    .open = level_open,
    .close = level_close,
    .thread_begin = level_thread_begin,
    .thread_end = level_thread_end,
    .put = level_put,
    .get = level_get,
    .batch = level_batch,
    .iter_new = level_iter_new,
    .iter_seek = level_iter_seek,
    .iter_next = level_iter_next,
    .iter_get = level_iter_get,
    .iter_free = level_iter_free,
};
