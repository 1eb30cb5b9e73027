/* feed_stream.c -- see feed_stream.h. */
#include "engine/feed_stream.h"

#include "engine/feed_window.h"

void feed_stream_begin(struct feed_stream *stream, struct superview *view, int64_t commit,
                       struct yore_keyspace *keyspace, const struct feed_scope *scope)
{
    *stream = (struct feed_stream){.view = view,
                                   .scope = scope,
                                   .commit = commit,
                                   .keyspace = keyspace,
                                   .next_index = keyspace != NULL ? SIZE_MAX : 0};
}

void feed_stream_release(struct feed_stream *stream)
{
    version_iter_free(stream->it);
    *stream = (struct feed_stream){0};
}

static struct source_range range_of(const struct feed_stream *stream)
{
    return stream->scope != NULL ? feed_scope_range(stream->scope) : source_range_all;
}

static struct yore_keyspace *next_keyspace(struct feed_stream *stream)
{
    struct yore_keyspace *keyspace;
    do {
        keyspace = feed_keyspace(stream->view->db, stream->next_index++);
    } while (keyspace != NULL && stream->scope != NULL &&
             !feed_scope_has_keyspace(stream->scope, keyspace->id));
    return keyspace;
}

/* An iterator over the keyspace that comes next. */
static enum yore_status open_keyspace(struct feed_stream *stream, struct yore_error *error_out)
{
    struct iter_view view = {.known = stream->commit,
                             .no_cache_fill = true,
                             .commit_after = stream->is_up_to ? INT64_MIN : stream->commit - 1,
                             .is_by_commit = !stream->is_up_to};
    const struct source_range range = range_of(stream);
    const struct version_place first = {range.low, INT64_MAX, INT64_MAX};
    if (stream->next_index != SIZE_MAX) {
        stream->keyspace = next_keyspace(stream);
    }
    if (stream->keyspace == NULL) {
        return YORE_NOT_FOUND;
    }
    enum yore_status st =
        sources_all(stream->view, stream->keyspace, &range, &view, &stream->it, error_out);
    if (st == YORE_OK) {
        version_iter_seek(stream->it, &first);
    }
    return st;
}

static bool is_inside(const struct version_iter *it, struct yore_bytes high)
{
    return it->is_valid && (high.size == 0 || bytes_compare(it->at.key, high) < 0);
}

static bool is_wanted(const struct feed_stream *stream, int64_t commit)
{
    return stream->is_up_to ? commit <= stream->commit : commit == stream->commit;
}

/* On from a version that was given out, or from where the iterator is. */
static enum yore_status find_next(struct feed_stream *stream, bool is_given,
                                  struct yore_error *error_out)
{
    struct version_iter *it = stream->it;
    struct yore_bytes high = range_of(stream).high;
    if (is_given && it->is_valid) {
        version_iter_next(it);
    }
    while (is_inside(it, high) && !is_wanted(stream, it->at.commit)) {
        version_iter_next(it);
    }
    if (is_inside(it, high)) {
        return YORE_OK;
    }
    return it->is_valid || it->status == YORE_OK
               ? YORE_NOT_FOUND
               : error_set(error_out, it->status, "%s", it->error.text);
}

enum yore_status feed_stream_next(struct feed_stream *stream, uint32_t *keyspace_out,
                                  struct version *version_out, struct yore_error *error_out)
{
    enum yore_status st = YORE_NOT_FOUND;
    bool is_given = stream->it != NULL;
    while (st == YORE_NOT_FOUND) {
        if (stream->it == NULL) {
            st = open_keyspace(stream, error_out);
            if (st != YORE_OK) {
                return st;
            }
        }
        st = find_next(stream, is_given, error_out);
        is_given = false;
        if (st == YORE_NOT_FOUND) {
            version_iter_free(stream->it);
            stream->it = NULL;
            if (stream->next_index == SIZE_MAX) {
                stream->keyspace = NULL;
            }
        }
    }
    if (st == YORE_OK) {
        *keyspace_out = stream->keyspace->id;
        *version_out = stream->it->at;
        stream->done++;
    }
    return st;
}
