/* All that retention has left, sorted by commit.
 *
 * One walk over every version there is (yore_feed_open_kept()) finds every key, also one that was
 * erased, or is absent at every moment as known now.  Where all is kept these versions are the
 * export; else of each key those that its timeline tells from the horizon on.
 *
 * Behind a server others write meanwhile: what they commit after the export's now is left out, so
 * that the lines are those of one commit.  A keyspace that keeps only now cannot be read so, and is
 * as its own walk finds it.
 */
#include <string.h>

#include "cli/commit_sort.h"
#include "cli/export_internal.h"
#include "cli/store.h"

struct kept {
    struct exporter *e;
    struct commit_sort *sort;
    const struct yore_keyspace_info *info;
    struct store_keyspace *keyspace;
    struct buffer line;
    struct buffer last_key; /* whose timeline was taken */
};

static enum yore_status keep_version(struct kept *kept, struct yore_bytes key,
                                     const struct yore_version *version,
                                     struct yore_error *error_out)
{
    const struct record_version record = {.kind = export_kind(version->kind),
                                          .keyspace = export_name(kept->info),
                                          .key = key,
                                          .value = version->value,
                                          .valid_from = version->valid_from,
                                          .valid_to = version->valid_to,
                                          .commit = version->commit};
    buffer_clear(&kept->line);
    record_append_version(&kept->line, &record);
    if (kept->line.is_nomem) {
        return error_plain(error_out, YORE_NOMEM);
    }
    return commit_sort_add(kept->sort, version->commit, buffer_bytes(&kept->line), error_out);
}

static enum yore_status keep_timeline(struct kept *kept, struct yore_bytes key,
                                      struct yore_error *error_out)
{
    const struct store_timeline options = {.key = key,
                                           .options = {.from = kept->info->horizon,
                                                       .to = YORE_FOREVER,
                                                       .known = kept->e->now,
                                                       .with_in_force = true,
                                                       .every_commit = true},
                                           .limit = UINT64_MAX};
    struct store_walk *timeline = NULL;
    struct yore_version version;
    enum yore_status st =
        store_timeline_open(kept->e->store, kept->keyspace, &options, &timeline, error_out);
    while (st == YORE_OK) {
        st = store_timeline_next(timeline, &version, error_out);
        if (st == YORE_OK) {
            st = keep_version(kept, key, &version, error_out);
        }
    }
    bool is_whole = timeline != NULL && st == YORE_NOT_FOUND;
    store_walk_close(timeline);
    return is_whole ? YORE_OK : st;
}

static enum yore_status keep_row(struct kept *kept, const struct yore_row *row,
                                 struct yore_error *error_out)
{
    const struct yore_version version = {.kind = YORE_KIND_PUT,
                                         .valid_from = row->valid_from,
                                         .valid_to = row->valid_to,
                                         .commit = row->commit,
                                         .value = row->value};
    return keep_version(kept, row->key, &version, error_out);
}

static enum yore_status keep_present(struct kept *kept, struct yore_error *error_out)
{
    const struct store_rows options = {
        .range = kept->e->options->range, .no_cache_fill = true, .limit = UINT64_MAX};
    struct store_walk *rows = NULL;
    struct yore_row row;
    enum yore_status st =
        store_rows_open(kept->e->store, kept->keyspace, &options, &rows, error_out);
    if (st != YORE_OK) {
        return st;
    }
    while (st == YORE_OK) {
        st = store_rows_next(rows, &row, error_out);
        if (st == YORE_OK) {
            st = keep_row(kept, &row, error_out);
        }
    }
    store_walk_close(rows);
    return st == YORE_NOT_FOUND ? YORE_OK : st;
}

static enum yore_status take_key(struct kept *kept, struct yore_bytes key,
                                 struct yore_error *error_out)
{
    if (bytes_equal(key, buffer_bytes(&kept->last_key))) {
        return YORE_OK;
    }
    buffer_clear(&kept->last_key);
    buffer_append_bytes(&kept->last_key, key);
    return kept->last_key.is_nomem ? error_plain(error_out, YORE_NOMEM)
                                   : keep_timeline(kept, buffer_bytes(&kept->last_key), error_out);
}

static enum yore_status take_write(struct kept *kept, const struct yore_feed_write *write,
                                   int64_t commit, struct yore_error *error_out)
{
    const struct yore_version version = {.kind = write->kind,
                                         .valid_from = write->valid_from,
                                         .valid_to = write->valid_to,
                                         .commit = commit,
                                         .value = write->value};
    if (!export_has(kept->e, write->key)) {
        return YORE_OK;
    }
    if (kept->info->horizon != YORE_TIME_MIN) {
        return take_key(kept, write->key, error_out);
    }
    return commit <= kept->e->now ? keep_version(kept, write->key, &version, error_out) : YORE_OK;
}

static enum yore_status keep_versions(struct kept *kept, struct yore_error *error_out)
{
    struct store_walk *feed = NULL;
    struct yore_feed_commit told;
    enum yore_status st = store_feed_open_kept(kept->e->store, kept->keyspace,
                                               &kept->e->options->range, &feed, error_out);
    if (st != YORE_OK) {
        return st;
    }
    buffer_clear(&kept->last_key);
    while (st == YORE_OK) {
        st = store_feed_next(feed, &told, error_out);
        for (size_t i = 0; st == YORE_OK && i < told.write_count; i++) {
            st = take_write(kept, &told.writes[i], told.commit, error_out);
        }
    }
    store_walk_close(feed);
    return st == YORE_NOT_FOUND ? YORE_OK : st;
}

static enum yore_status keep_keyspace(struct kept *kept, struct yore_error *error_out)
{
    const struct yore_keyspace_info *info = kept->info;
    kept->keyspace = NULL;
    if (export_name(info) != NULL) {
        enum yore_status st =
            store_keyspace_open(kept->e->store, info->name, NULL, &kept->keyspace, error_out);
        if (st != YORE_OK) {
            return st;
        }
    }
    if (info->options.keep == YORE_KEEP_NOW) {
        return keep_present(kept, error_out);
    }
    kept->e->counts.trimmed_keyspaces += info->horizon != YORE_TIME_MIN;
    return keep_versions(kept, error_out);
}

static enum yore_status write_line(void *arg, struct yore_bytes line, struct yore_error *error_out)
{
    return export_line(arg, line, error_out);
}

enum yore_status export_kept(struct exporter *e, struct yore_error *error_out)
{
    struct kept kept = {.e = e};
    enum yore_status st = commit_sort_new(COMMIT_SORT_BYTES, &kept.sort, error_out);
    for (size_t i = 0; i < export_info_count(e) && st == YORE_OK; i++) {
        kept.info = export_info_at(e, i);
        st = keep_keyspace(&kept, error_out);
    }
    if (st == YORE_OK) {
        st = commit_sort_each(kept.sort, write_line, e, error_out);
    }
    commit_sort_free(kept.sort);
    buffer_release(&kept.line);
    buffer_release(&kept.last_key);
    return st;
}
