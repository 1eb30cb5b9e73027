/* sources.h -- the sources of a keyspace as iterators, picked by what they can hold. */
#ifndef YORE_ENGINE_SOURCES_H
#define YORE_ENGINE_SOURCES_H

#include "engine/db_internal.h"

/* A growing list of iterators that end as one merge. */
struct source_list {
    struct version_iter **iters;
    size_t count;
    size_t capacity;
};
void source_list_release(struct source_list *list);
enum yore_status source_list_add(struct source_list *list,
                                 struct version_iter *iter); /* takes it */
enum yore_status source_list_add_file(struct source_list *list, struct forest_file *file,
                                      const struct iter_view *view);
/* Files that follow one another by key, [low, high) of them. */
enum yore_status source_list_add_files(struct source_list *list, struct forest_file *const *files,
                                       size_t count, struct yore_bytes low, struct yore_bytes high,
                                       const struct iter_view *view);
/* Takes the iterators; the list is empty afterwards. */
enum yore_status source_list_merge(struct source_list *list, bool is_as_of,
                                   struct version_iter **iter_out);
/* The same for merge_iter_source(): a single source, too, knows its index. */
enum yore_status source_list_merge_numbered(struct source_list *list, bool is_as_of,
                                            struct version_iter **iter_out);

enum yore_status sources_add_memtables(struct source_list *list, struct superview *superview,
                                       uint32_t keyspace, const struct iter_view *view);
/* Tables of the current tree that reach into [low, high); `filter` (may be NULL) picks. */
typedef bool (*source_filter_fn)(const void *arg, const struct forest_file *file);
enum yore_status sources_add_levels(struct source_list *list, const struct forest_tree *tree,
                                    struct yore_bytes low, struct yore_bytes high,
                                    const struct iter_view *view, source_filter_fn filter,
                                    const void *arg);

/* What the slices of [low, high) have of a span of valid time: all that begins or ends in it, but
 * for back-dated versions with a commit after `known` (F4). */
struct sealed_span {
    bool is_sealed; /* false: nothing is told */
    bool is_one;    /* every region has it in one slice, and no runs */
    int64_t known;
};
struct sealed_span sources_sealed(const struct forest_tree *tree, struct yore_bytes low,
                                  struct yore_bytes high, const struct time_span *span);
/* May a table of the levels add to that? */
static inline bool sealed_span_lacks(const struct sealed_span *sealed,
                                     const struct forest_file *file)
{
    return !sealed->is_sealed || file->meta->back_dated_commit_max > sealed->known;
}

#endif
