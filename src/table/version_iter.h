/* version_iter.h -- walking a sorted source of versions: memtable, table, or a merge of several.
 *
 * A *view* says what is yielded: every version with commit <= known, or (as of) at most one version
 * a key, the greatest with valid_from <= valid and commit <= known; keys without one are passed
 * over.  Deletes and erased versions are yielded like any other: the caller judges.  An iterator is
 * used by one thread; what it yields is borrowed until it moves.
 *
 * Ends and errors: `is_valid` is false; `status` tells an end (YORE_OK) from an error.
 */
#ifndef YORE_TABLE_VERSION_ITER_H
#define YORE_TABLE_VERSION_ITER_H

#include "base/status.h"
#include "table/version.h"

struct iter_view {
    bool is_as_of;
    int64_t valid; /* as of: both inclusive */
    int64_t known;
    bool no_cache_fill; /* pages read do not displace others */
    bool keys_only;     /* value bytes may be left out (size is right) */
    /* Pages whose commits are all <= this may be passed over when every version is walked (feed,
     * diffs); INT64_MIN: none. */
    int64_t commit_after;
};

struct version_iter;

struct version_iter_ops {
    void (*first)(struct version_iter *it);
    void (*last)(struct version_iter *it);
    /* First version at or after the place, in order.  As of: first yielded version with a key >=
     * place.key. */
    void (*seek)(struct version_iter *it, const struct version_place *place);
    /* Last version at or before the place.  As of: last yielded version with a key <= place.key. */
    void (*seek_back)(struct version_iter *it, const struct version_place *place);
    void (*next)(struct version_iter *it);
    void (*prev)(struct version_iter *it);
    void (*release)(struct version_iter *it); /* frees everything but the struct's own storage */
};

struct version_iter {
    const struct version_iter_ops *ops;
    struct version at; /* while is_valid */
    bool is_valid;
    enum yore_status status;
    struct yore_error error;
};

static inline void version_iter_first(struct version_iter *it)
{
    it->ops->first(it);
}
static inline void version_iter_last(struct version_iter *it)
{
    it->ops->last(it);
}
static inline void version_iter_seek(struct version_iter *it, const struct version_place *place)
{
    it->ops->seek(it, place);
}
static inline void version_iter_seek_back(struct version_iter *it,
                                          const struct version_place *place)
{
    it->ops->seek_back(it, place);
}
static inline void version_iter_next(struct version_iter *it)
{
    it->ops->next(it);
}
static inline void version_iter_prev(struct version_iter *it)
{
    it->ops->prev(it);
}
/* NULL is ignored; frees an iterator made by a ..._iter_new function. */
void version_iter_free(struct version_iter *it);

#endif
