/* version_iter.h -- walking a sorted source of versions: memtable, table, or a merge of several.
 *
 * A *view* says what is yielded: every version with commit <= known, or (as of) at most one version
 * a key, the greatest with valid_from <= valid and commit <= known; keys without one are passed
 * over.  Deletes and erased versions are yielded like any other: the caller judges.  An iterator is
 * used by one thread; what it yields is borrowed until it moves.
 *
 * A *run* is a shortcut: keys [run.at, run.end) of a page, of which run.at is the one under the
 * iterator, are what it yields next, one after the other, each with one version: the one of its
 * number in a plain page.  Or run.at and run.end number entries of run.keys and run.versions, which
 * name keys and their versions, each a put without end.
 * version_iter_next() walks it without asking the iterator, which looks at run.at when it is asked
 * again.  Of the flags only VERSION_CARRIED differs within a run.  A run of versions (every
 * version) is the same along one key: run.at and run.end number versions of the page.
 *
 * Ends and errors: `is_valid` is false; `status` tells an end (YORE_OK) from an error.
 */
#ifndef YORE_TABLE_VERSION_ITER_H
#define YORE_TABLE_VERSION_ITER_H

#include "base/status.h"
#include "table/page.h"
#include "table/version.h"

struct table_marks;

struct iter_view {
    bool is_as_of;
    int64_t valid; /* as of: both inclusive */
    int64_t known;
    bool no_cache_fill; /* pages read do not displace others */
    bool keys_only;     /* value bytes may be left out (size is right) */
    /* Pages whose commits are all <= this may be passed over (feed, diffs; as of: what another
     * source has); INT64_MIN: none. */
    int64_t commit_after;
    /* As of, forward: nothing is wanted from this key on, and the iterator may end there instead of
     * looking for what the view has beyond.  Kept by the maker, who may put another there before a
     * first, last or seek; NULL or size 0: none. */
    const struct yore_bytes *high;
    /* Every version, forward: nothing is wanted but this key, and the iterator may end behind it.
     * Kept by the maker; size 0: all keys. */
    struct yore_bytes only_key;
    /* Every version: only those that begin or end in `changed`.  Tables honour it version by
     * version and pass over pages without one; memtables do not. */
    bool is_changed_only;
    struct time_span changed;
    const struct table_marks *marks; /* of `changed`, by table_changed_share(), or NULL; kept */
    /* Every version, forward: those with a commit in (commit_after, known] are wanted, wherever in
     * the table they are.  A table without back-dated ones among them looks them up by time; it
     * yields others where they end in that time, the rest of tables and memtables all they have. */
    bool is_by_commit;
};

/* Is nothing wanted from the key on? */
static inline bool iter_view_ends_by(const struct iter_view *view, struct yore_bytes key)
{
    return view->high != NULL && view->high->size > 0 && bytes_compare(key, *view->high) >= 0;
}

struct version_iter;

/* What a look at a key's other versions has told. */
enum version_look {
    VERSION_LOOK_UNKNOWN, /* it would take a walk */
    VERSION_LOOK_NONE,
    VERSION_LOOK_FOUND
};

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
    /* The greatest version of the key under the iterator with valid_from <= valid and commit <=
     * known, whether the view shows it or not, in the source that yields it; held as long as what
     * is yielded.  NULL: unknown always. */
    enum version_look (*look)(const struct version_iter *it, int64_t valid, int64_t known,
                              struct version *version_out);
};

struct version_run {
    const struct page *page; /* held by the iterator */
    uint32_t at;
    uint32_t end;             /* 0: there is no run */
    const uint32_t *keys;     /* NULL: plain, or of one key; held by the iterator ... */
    const uint32_t *versions; /* ... likewise */
    bool is_versions;         /* of the key under the iterator, from `at` on */
    uintptr_t ahead; /* from the page to where the next one lies, probably: good for prefetching */
};

struct version_iter {
    const struct version_iter_ops *ops;
    struct version at; /* while is_valid */
    struct version_run run;
    bool is_valid;
    /* As of, set before the first move: no other source is asked, so that no delete hides anything
     * elsewhere, and deletes need not be yielded. */
    bool is_alone;
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
/* What changes from one version of a run to the next. */
static inline uint32_t version_run_index(const struct version_run *run)
{
    return run->versions == NULL ? run->at : run->versions[run->at];
}
static inline struct yore_bytes version_run_key(const struct version_run *run, uint32_t at)
{
    return page_key(run->page, run->keys == NULL ? at : run->keys[at]);
}
/* Is the iterator's next version, going forward, one of the same key, without a look? */
static inline bool version_run_keeps_key(const struct version_run *run)
{
    return run->is_versions && run->at + 1 < run->end;
}
static inline void version_run_read(const struct version_run *run, struct version *version)
{
    if (run->is_versions) {
        page_read_version(run->page, run->at, version);
        return;
    }
    version->key = version_run_key(run, run->at);
    if (run->versions != NULL) {
        page_read_version(run->page, version_run_index(run), version);
        return;
    }
    version->valid_from = page_valid_from(run->page)[run->at];
    version->commit = page_commit(run->page)[run->at];
    version->value = page_value(run->page, run->at);
}
/* Pages lie anywhere in memory, so the processor cannot guess where the walk goes on: ask for what
 * lies in the next page where this version lies in its own. */
static inline void version_run_prefetch(const struct version_run *run, const struct version *at)
{
    if (run->versions != NULL || run->is_versions) {
        return; /* the window has asked for it; it lies behind this one */
    }
    __builtin_prefetch((const void *)((uintptr_t)at->key.data + run->ahead));
    __builtin_prefetch((const void *)((uintptr_t)at->value.data + run->ahead));
    __builtin_prefetch((const void *)((uintptr_t)at->value.data + run->ahead + 64));
}
static inline void version_iter_next(struct version_iter *it)
{
    if (it->run.at + 1 < it->run.end) {
        it->run.at++;
        version_run_read(&it->run, &it->at);
        version_run_prefetch(&it->run, &it->at);
        return;
    }
    it->ops->next(it);
}
static inline void version_iter_prev(struct version_iter *it)
{
    it->ops->prev(it);
}
static inline enum version_look version_iter_look(const struct version_iter *it, int64_t valid,
                                                  int64_t known, struct version *version_out)
{
    return it->ops->look == NULL ? VERSION_LOOK_UNKNOWN
                                 : it->ops->look(it, valid, known, version_out);
}
/* NULL is ignored; frees an iterator made by a ..._iter_new function. */
void version_iter_free(struct version_iter *it);

#endif
