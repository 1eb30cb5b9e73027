/* All that retention has left: key by key the versions on its timeline, then sorted by commit.
 *
 * The keys come from two walks: those that held something at the horizon, and those that changed
 * since.  A key that never held anything (only deletions) is in neither; leaving it out changes no
 * answer.
 *
 * Behind a server others write meanwhile: every walk is as of the export's now, so that the lines
 * are those of one commit.  A keyspace that keeps only now cannot be read so, and is as its own
 * walk finds it.
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
    struct buffer last_key; /* of the changes walk: one key may change often */
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

/* Call `take` for what is there at `at`. */
static enum yore_status walk_state(struct kept *kept, const struct yore_time *at,
                                   enum yore_status (*take)(struct kept *kept,
                                                            const struct yore_row *row,
                                                            struct yore_error *error_out),
                                   struct yore_error *error_out)
{
    const struct store_rows options = {
        .range = kept->e->options->range, .at = at, .no_cache_fill = true, .limit = UINT64_MAX};
    struct store_walk *rows = NULL;
    struct yore_row row;
    enum yore_status st =
        store_rows_open(kept->e->store, kept->keyspace, &options, &rows, error_out);
    bool is_whole = false;
    while (st == YORE_OK && !is_whole) {
        st = store_rows_next(rows, &row, error_out);
        is_whole = st == YORE_NOT_FOUND;
        if (st == YORE_OK) {
            st = take(kept, &row, error_out);
        }
    }
    store_walk_close(rows);
    return is_whole ? YORE_OK : st;
}

static enum yore_status take_present(struct kept *kept, const struct yore_row *row,
                                     struct yore_error *error_out)
{
    const struct yore_version version = {.kind = YORE_KIND_PUT,
                                         .valid_from = row->valid_from,
                                         .valid_to = row->valid_to,
                                         .commit = row->commit,
                                         .value = row->value};
    return keep_version(kept, row->key, &version, error_out);
}

static enum yore_status take_at_horizon(struct kept *kept, const struct yore_row *row,
                                        struct yore_error *error_out)
{
    return keep_timeline(kept, row->key, error_out);
}

/* Is the key there at the horizon, so that the other walk has taken it? */
static enum yore_status held_at_horizon(struct kept *kept, struct yore_bytes key, bool *is_held_out,
                                        struct yore_error *error_out)
{
    const struct yore_time at = {kept->info->horizon, kept->e->now};
    struct store_value value;
    *is_held_out = false;
    if (kept->info->horizon == YORE_TIME_MIN) {
        return YORE_OK;
    }
    enum yore_status st = store_get(kept->e->store, kept->keyspace, key, &at, &value, error_out);
    if (st == YORE_OK) {
        *is_held_out = true;
        store_value_release(&value);
    }
    return st == YORE_NOT_FOUND || st == YORE_ERASED ? YORE_OK : st;
}

static enum yore_status take_change(struct kept *kept, struct yore_bytes key,
                                    struct yore_error *error_out)
{
    bool is_held;
    if (bytes_equal(key, buffer_bytes(&kept->last_key))) {
        return YORE_OK;
    }
    buffer_clear(&kept->last_key);
    buffer_append_bytes(&kept->last_key, key);
    if (kept->last_key.is_nomem) {
        return error_plain(error_out, YORE_NOMEM);
    }
    enum yore_status st = held_at_horizon(kept, buffer_bytes(&kept->last_key), &is_held, error_out);
    if (st != YORE_OK || is_held) {
        return st;
    }
    return keep_timeline(kept, buffer_bytes(&kept->last_key), error_out);
}

static enum yore_status walk_changes(struct kept *kept, struct yore_error *error_out)
{
    const struct yore_changes_options options = {.range = kept->e->options->range,
                                                 .from = kept->info->horizon,
                                                 .to = kept->e->now,
                                                 .known = kept->e->now,
                                                 .every_version = true};
    struct store_walk *changes = NULL;
    struct yore_change change;
    enum yore_status st = store_changes_open(kept->e->store, kept->keyspace, &options, UINT64_MAX,
                                             &changes, error_out);
    if (st != YORE_OK) {
        return st;
    }
    buffer_clear(&kept->last_key);
    while (st == YORE_OK) {
        st = store_changes_next(changes, &change, error_out);
        if (st == YORE_OK) {
            st = take_change(kept, change.key, error_out);
        }
    }
    store_walk_close(changes);
    return st == YORE_NOT_FOUND ? YORE_OK : st;
}

static enum yore_status keep_keyspace(struct kept *kept, struct yore_error *error_out)
{
    const struct yore_keyspace_info *info = kept->info;
    const struct yore_time horizon = {info->horizon, kept->e->now};
    kept->keyspace = NULL;
    if (export_name(info) != NULL) {
        enum yore_status st =
            store_keyspace_open(kept->e->store, info->name, NULL, &kept->keyspace, error_out);
        if (st != YORE_OK) {
            return st;
        }
    }
    if (info->options.keep == YORE_KEEP_NOW) {
        return walk_state(kept, NULL, take_present, error_out);
    }
    if (info->horizon == YORE_TIME_MIN) {
        return walk_changes(kept, error_out);
    }
    kept->e->counts.trimmed_keyspaces++;
    enum yore_status st = walk_state(kept, &horizon, take_at_horizon, error_out);
    return st == YORE_OK ? walk_changes(kept, error_out) : st;
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
