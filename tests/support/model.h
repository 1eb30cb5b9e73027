/* model.h -- the reference: what a database must answer, written so simply that it is obviously
 * right.
 *
 * Per keyspace a sorted array of keys, per key an array of versions sorted by (valid_from, commit).
 * A read looks at every version.  Every commit is also kept as it was submitted, so that the state
 * after any prefix of the commits can be made again.  Out of memory ends the process.  One thread.
 */
#ifndef YORE_TEST_SUPPORT_MODEL_H
#define YORE_TEST_SUPPORT_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <yore/yore.h>

#define MODEL_KEYSPACES_MAX 8u

struct model_version {
    int64_t valid_from;
    int64_t commit;
    int64_t valid_to;
    enum yore_kind kind;
    struct yore_bytes value; /* owned by the model */
};

struct model_key {
    struct yore_bytes key;
    struct model_version *versions;
    size_t count;
    size_t capacity;
    int64_t newest_commit; /* of any write to this key, erasures included */
};

enum model_write_kind { MODEL_PUT, MODEL_DELETE, MODEL_ERASE };

/* One write as a caller submits it.  `from` YORE_NOW: the commit time.  `to` YORE_FOREVER: no end.
 */
struct model_write {
    enum model_write_kind kind;
    unsigned keyspace;
    struct yore_bytes key;
    struct yore_bytes value;
    int64_t from;
    int64_t to;
    bool is_span;
    bool is_prefix; /* erase only */
};

struct model_erasure {
    struct yore_bytes key;
    bool is_prefix;
    int64_t from;
    int64_t to;
    int64_t commit;
};

struct model_keyspace {
    struct model_key *keys;
    size_t count;
    size_t capacity;
    struct model_erasure *erasures;
    size_t erasure_count;
    size_t erasure_capacity;
};

struct model_commit {
    int64_t commit;
    struct model_write *writes; /* as submitted */
    size_t count;
};

struct model {
    struct model_keyspace keyspaces[MODEL_KEYSPACES_MAX];
    struct model_commit *commits;
    size_t commit_count;
    size_t commit_capacity;
};

struct model *model_new(void);
void model_free(struct model *model); /* NULL is ignored */

/* Apply one commit, its writes in order; copies everything. */
void model_apply(struct model *model, int64_t commit, const struct model_write *writes,
                 size_t count);
/* A new model that holds the first `commit_count` commits. */
struct model *model_prefix(const struct model *model, size_t commit_count);
/* Commits with a commit time <= `commit`. */
size_t model_commits_until(const struct model *model, int64_t commit);
/* The last commit time, INT64_MIN when there is none. */
int64_t model_last_commit(const struct model *model);

/* A new model of one keyspace with the versions of commits <= `known` only, for one key or (NULL)
 * for all: what a transaction sees before its own writes. */
struct model *model_view(const struct model *model, unsigned keyspace, const struct yore_bytes *key,
                         int64_t known);

/* The key's entry, or NULL when nothing was ever written to it. */
const struct model_key *model_find(const struct model *model, unsigned keyspace,
                                   struct yore_bytes key);

/* YORE_OK, YORE_NOT_FOUND or YORE_ERASED; borrows from the model. */
enum yore_status model_get(const struct model *model, unsigned keyspace, struct yore_bytes key,
                           struct yore_time at, struct model_version *version_out);

/* ---- answers of several rows; released by the caller ---- */

struct model_row {
    struct yore_bytes key;
    struct model_version version;
};

struct model_rows {
    struct model_row *rows;
    size_t count;
    size_t capacity;
};

/* Every key of `range` present at `at`, ascending. */
struct model_rows model_scan(const struct model *model, unsigned keyspace,
                             const struct yore_range *range, struct yore_time at);
/* The timeline of one key, as yore_timeline_open() describes it. */
struct model_rows model_timeline(const struct model *model, unsigned keyspace,
                                 struct yore_bytes key,
                                 const struct yore_timeline_options *options);
void model_rows_release(struct model_rows *rows);

struct model_changes {
    struct yore_change *changes;
    size_t count;
    size_t capacity;
};
/* As yore_changes_open() describes it; `from`, `to` and `known` are moments, not YORE_NOW. */
struct model_changes model_changes(const struct model *model, unsigned keyspace,
                                   const struct yore_changes_options *options);
void model_changes_release(struct model_changes *changes);

/* True when a commit after `after` wrote to the key, or to any key of [low, high] (high inclusive
 * when `is_high_inclusive`; size 0: to the end). */
bool model_is_key_changed(const struct model *model, unsigned keyspace, struct yore_bytes key,
                          int64_t after);
bool model_is_range_changed(const struct model *model, unsigned keyspace, struct yore_bytes low,
                            struct yore_bytes high, bool is_high_inclusive, int64_t after);

/* True when `key` lies in `range`. */
bool model_in_range(const struct yore_range *range, struct yore_bytes key);

/* Never NULL. */
void *model_alloc(size_t size);
struct yore_bytes model_bytes_copy(struct yore_bytes bytes);
void model_bytes_release(struct yore_bytes bytes); /* of a copy; empty is accepted */

#endif
