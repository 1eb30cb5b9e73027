/* table.h -- an immutable sorted file of versions: built once, then read by any number of threads.
 *
 * Bytes: docs/format.md, "Table".  One format serves the present (mostly one version a key) and the
 * past (a key's versions grouped in columns: the key once, times as deltas, kinds, values); columns
 * that carry no information (counts of 1, commit equal to valid_from, no valid_to, one kind) are
 * left out page by page.  A key with more than a page of versions goes on over the next pages; the
 * index separates pages by (key, valid_from, commit). Pages are compressed as asked (stored plain
 * when that does not help), each under a CRC-32C that covers database, file and offset; on loading
 * a page is unpacked into the form that is searched, which is what the cache holds.
 */
#ifndef YORE_TABLE_TABLE_H
#define YORE_TABLE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/status.h"
#include "os/env.h"
#include "table/page_cache.h"
#include "table/version.h"
#include "table/version_iter.h"

/* Who a file is: every check in it covers both numbers. */
struct file_identity {
    uint64_t database; /* random, chosen when the database was made */
    uint64_t file;     /* unique in the database, never used again */
};

/* What a table says of itself, kept in its footer and in the manifest. */
struct table_meta {
    uint64_t file;
    uint64_t file_bytes;
    uint64_t key_count;     /* distinct keys */
    uint64_t version_count; /* all entries, carried copies included */
    uint64_t carried_count;
    uint64_t unresolved_count;
    uint64_t delete_count;
    uint64_t erased_count;
    uint64_t user_bytes; /* keys and values as written, once a version */
    int64_t valid_min;   /* over valid_from */
    int64_t valid_max;
    int64_t commit_min;
    int64_t commit_max;
    /* Over back-dated versions (valid_from < commit) only; INT64_MAX / INT64_MIN when there are
     * none. */
    int64_t back_dated_valid_min;
    int64_t back_dated_commit_max;
    int64_t carried_commit_max; /* over carried copies; INT64_MIN when there are none */
    int64_t expiry_min;         /* least valid_to; YORE_FOREVER when there are none */
    uint32_t file_crc;          /* CRC-32C of the whole file */
    struct buffer first_key;    /* owned */
    struct buffer last_key;     /* owned */
};
void table_meta_release(struct table_meta *meta);
/* Date every version of a stamped table (table_options.is_stamped): `time` is the valid_from and
 * the commit of them all from here on, wherever the meta goes. */
void table_meta_stamp(struct table_meta *meta, int64_t time);
enum yore_status table_meta_copy(struct table_meta *to, const struct table_meta *from);
/* For footer and manifest: self-delimiting. */
void table_meta_encode(const struct table_meta *meta, struct buffer *out);
struct decoder;
enum yore_status table_meta_decode(struct decoder *d, struct table_meta *meta_out);

/* ---- building ---- */

struct table_options {
    struct file_identity identity;
    uint32_t page_bytes;               /* target before compression: 512 B..1 MiB */
    uint32_t versions_per_page_max;    /* 0: no bound but the bytes */
    enum yore_compression compression; /* not DEFAULT */
    enum page_class class_hint;        /* recorded; decides the cache class */
    /* The versions have no times of their own: they are dated all at once, when the table is named
     * (table_meta_stamp).  Each is added with both times 0, and without an end. */
    bool is_stamped;
};

struct table_builder;

/* Create `path` (must not exist). */
enum yore_status table_builder_open(struct os_env *env, const char *path,
                                    const struct table_options *options,
                                    struct table_builder **builder_out,
                                    struct yore_error *error_out);
/* Append; copies.  Versions must come in strictly ascending order (asserted). */
enum yore_status table_builder_add(struct table_builder *builder, const struct version *version,
                                   struct yore_error *error_out);
/* The same where the caller knows that the key is greater than every one before. */
enum yore_status table_builder_add_key(struct table_builder *builder, const struct version *version,
                                       struct yore_error *error_out);
/* Bytes written and waiting so far: when to begin the next table. */
uint64_t table_builder_bytes(const struct table_builder *builder);
/* Write the rest, sync the file, fill `*meta_out` (caller releases).  The directory is the caller's
 * to sync. The builder is gone in any case; after a failure the caller unlinks `path`. */
enum yore_status table_builder_finish(struct table_builder *builder, struct table_meta *meta_out,
                                      struct yore_error *error_out);
/* The same without the sync: `*file_out`, where there is no failure, is the caller's to sync before
 * anything names the table, and to close. */
enum yore_status table_builder_finish_unsynced(struct table_builder *builder,
                                               struct table_meta *meta_out,
                                               struct os_file **file_out,
                                               struct yore_error *error_out);
void table_builder_abandon(struct table_builder *builder); /* NULL is ignored; the file stays */

/* ---- reading ---- */

struct table;
struct table_pool; /* keeps tables' files open, so many, and indexes and filters in the cache */

enum yore_status table_pool_new(struct os_env *env, struct page_cache *cache, uint32_t open_max,
                                struct table_pool **pool_out);
void table_pool_free(struct table_pool *pool); /* every table closed */
/* Close a file that nobody reads just now, for somebody else who needs its handle.  False: there is
 * none. */
bool table_pool_close_file(struct table_pool *pool);

/* Make a handle; keeps a copy of path and meta.  Nothing is read before the first use: then footer
 * and identity, index and filter are read and checked, and may be let go again under the pool's
 * limit.  Errors: YORE_NOMEM. */
enum yore_status table_open(struct table_pool *pool, const char *path,
                            struct file_identity identity, const struct table_meta *meta,
                            struct table **table_out);
/* The file is no longer part of the database: unlink it when the handle is closed. */
void table_mark_dead(struct table *table);
void table_close(struct table *table);
const struct table_meta *table_meta(const struct table *table);
const char *table_path(const struct table *table);

/* Bytes that stay where they are while held: a pin on a cached page. */
struct table_pin {
    void *frame; /* NULL: nothing held */
};
void table_pin_release(struct table_pin *pin);

/* The greatest version of `key` with valid_from <= valid and commit <= known.  On YORE_OK the
 * caller releases
 * `*pin_out`; version_out->key is `key` itself.  YORE_NOT_FOUND: none (usually told by the filter
 * alone). Errors: YORE_CORRUPT (file and offset), YORE_IO, YORE_NOMEM. */
enum yore_status table_get(struct table *table, struct yore_bytes key, int64_t valid, int64_t known,
                           struct version *version_out, struct table_pin *pin_out,
                           struct yore_error *error_out);
/* What table_get costs before it: the hash of the key, once for all tables of a read. */
enum yore_status table_get_hashed(struct table *table, const struct version_place *place,
                                  uint64_t key_hash, struct version *version_out,
                                  struct table_pin *pin_out, struct yore_error *error_out);
/* The same where nothing must be read from disk for it; YORE_BUSY: something must. */
enum yore_status table_get_in_memory(struct table *table, const struct version_place *place,
                                     uint64_t key_hash, struct version *version_out,
                                     struct table_pin *pin_out);
/* The least valid_from after place->valid_from of a version of the key with commit <=
 * place->commit, whatever its kind.  Errors as table_get. */
enum yore_status table_next_begin(struct table *table, const struct version_place *place,
                                  uint64_t key_hash, int64_t *valid_from_out,
                                  struct yore_error *error_out);
/* May the table hold the key?  False is certain.  Errors count as true. */
bool table_may_hold(struct table *table, struct yore_bytes key);

/* A walk over the table; keeps `table`.  Pages ahead are asked for when the walk is long. */
enum yore_status table_iter_new(struct table *table, const struct iter_view *view,
                                struct version_iter **iter_out);

/* A key, perhaps of nothing, near the middle of the table's bytes in [low, high) (either may be
 * empty), for splitting work; NOT_FOUND: none. */
enum yore_status table_middle_key(struct table *table, struct yore_bytes low,
                                  struct yore_bytes high, struct buffer *key_out,
                                  struct yore_error *error_out);
/* Estimated bytes of the table in [low, high); high empty: to the end. */
uint64_t table_range_bytes(struct table *table, struct yore_bytes low, struct yore_bytes high);
/* Pages that may hold keys of [low, high); 0 where the table cannot be read. */
uint64_t table_range_pages(struct table *table, struct yore_bytes low, struct yore_bytes high);
/* How time is spread: append the valid_from of every version in each `stride`-th page of [low,
 * high) to `times`, as int64_t.  Out of memory shows in `times`.  The walk goes on over tables. */
struct table_sample {
    struct yore_bytes low;
    struct yore_bytes high;
    uint32_t stride;
    uint32_t passed; /* pages since the last one taken */
    struct buffer *times;
};
enum yore_status table_sample_times(struct table *table, struct table_sample *sample,
                                    struct yore_error *error_out);
/* How many pages of the table lie in [low, high), and in how many of them something may begin or
 * end in the span; added to `*share`. */
struct table_marks;
struct table_share {
    uint64_t pages;
    uint64_t changed;
    struct table_marks *marks; /* which ones: for the walk to come, see iter_view.marks */
};
enum yore_status table_changed_share(struct table *table, struct yore_bytes low,
                                     struct yore_bytes high, struct time_span span,
                                     struct table_share *share, struct yore_error *error_out);
void table_marks_free(struct table_marks *marks); /* NULL is ignored */

/* Read and check the whole file: every CRC, order, bound, count, the filter's answers and the
 * file's own CRC. `error_out` names file and offset of the first finding. */
enum yore_status table_verify(struct table *table, uint64_t *pages_out,
                              struct yore_error *error_out);

#endif
