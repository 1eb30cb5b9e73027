/* compare_time.c -- compare.h over time: timelines, changes, the feed, every version. */
#include <inttypes.h>
#include <stdio.h>

#include "base/bytes.h"
#include "support/compare.h"

static bool compare_version(struct compare *compare, const char *what, const struct model_row *want,
                            const struct yore_version *got)
{
    if (got->kind != want->version.kind) {
        return compare_fail(compare,
                            "%s: a version of kind %d (from %" PRId64 ", commit %" PRId64
                            "), the model has kind %d (from %" PRId64 ", commit %" PRId64 ")",
                            what, (int)got->kind, got->valid_from, got->commit,
                            (int)want->version.kind, want->version.valid_from,
                            want->version.commit);
    }
    struct yore_row row = {want->key, got->value, got->valid_from, got->valid_to, got->commit};
    return compare_row(compare, what, want, &row);
}

bool compare_timeline_rows(struct compare *compare, const char *what,
                           struct yore_timeline *timeline, const struct model_rows *rows)
{
    for (size_t i = 0;; i++) {
        struct yore_version version = {0};
        struct yore_error error = {0};
        enum yore_status status = yore_timeline_next(timeline, &version, &error);
        if (status == YORE_NOT_FOUND && i == rows->count) {
            return true;
        }
        if (status == YORE_NOT_FOUND) {
            const struct model_version *next = &rows->rows[i].version;
            return compare_fail(
                compare,
                "%s: ends after %zu versions, the model has %zu; next (from %" PRId64
                ", commit %" PRId64 ", kind %d)",
                what, i, rows->count, next->valid_from, next->commit, (int)next->kind);
        }
        if (status != YORE_OK) {
            return compare_fail(compare, "%s: next: %s [%s]", what, yore_status_name(status),
                                error.text);
        }
        if (i >= rows->count) {
            return compare_fail(compare,
                                "%s: a version beyond the model's %zu (from %" PRId64
                                ", commit %" PRId64 ", kind %d)",
                                what, rows->count, version.valid_from, version.commit,
                                (int)version.kind);
        }
        if (!compare_version(compare, what, &rows->rows[i], &version)) {
            return false;
        }
    }
}

bool compare_timeline(struct compare *compare, unsigned keyspace, struct yore_bytes key,
                      const struct yore_timeline_options *options)
{
    char key_text[COMPARE_KEY_TEXT_BYTES];
    char what[320];
    (void)snprintf(
        what, sizeof what,
        "timeline of keyspace %u %s from %" PRId64 " to %" PRId64 " known %" PRId64 "%s%s%s",
        keyspace, compare_key_text(key, key_text), options->from, options->to, options->known,
        options->with_in_force ? " in-force" : "", options->every_commit ? " every-commit" : "",
        options->is_backward ? " backward" : "");
    struct yore_error error = {0};
    struct yore_timeline *timeline = NULL;
    enum yore_status status = yore_timeline_open(compare->db, compare->keyspaces[keyspace], key,
                                                 options, &timeline, &error);
    compare->reads++;
    if (status != YORE_OK) {
        return compare_fail(compare, "%s: open: %s [%s]", what, yore_status_name(status),
                            error.text);
    }
    struct model_rows rows = model_timeline(compare->model, keyspace, key, options);
    bool is_same = compare_timeline_rows(compare, what, timeline, &rows);
    model_rows_release(&rows);
    yore_timeline_close(timeline);
    return is_same;
}

/* ---- changes -------------------------------------------------------------------------------- */

static bool compare_side(struct yore_bytes got, struct yore_bytes want, bool is_present)
{
    return is_present ? got.data != NULL && bytes_equal(got, want) : got.data == NULL;
}

static bool compare_change(struct compare *compare, const char *what,
                           const struct yore_change *want, const struct yore_change *got)
{
    char want_key[COMPARE_KEY_TEXT_BYTES];
    char got_key[COMPARE_KEY_TEXT_BYTES];
    bool is_same = bytes_equal(got->key, want->key) && got->kind == want->kind &&
                   got->time == want->time && got->commit == want->commit;
    if (!is_same) {
        return compare_fail(compare,
                            "%s: change %d of %s at %" PRId64 " by commit %" PRId64
                            ", the model has change %d of %s at %" PRId64 " by commit %" PRId64,
                            what, (int)got->kind, compare_key_text(got->key, got_key), got->time,
                            got->commit, (int)want->kind, compare_key_text(want->key, want_key),
                            want->time, want->commit);
    }
    if (!compare_side(got->before, want->before, want->kind != YORE_CHANGE_ADDED) ||
        !compare_side(got->after, want->after, want->kind != YORE_CHANGE_REMOVED)) {
        return compare_fail(compare, "%s: change of %s at %" PRId64 ": wrong values", what,
                            compare_key_text(want->key, want_key), want->time);
    }
    return true;
}

static bool compare_change_rows(struct compare *compare, const char *what,
                                struct yore_changes *changes, const struct model_changes *want)
{
    char key[COMPARE_KEY_TEXT_BYTES];
    for (size_t i = 0;; i++) {
        struct yore_change change = {0};
        struct yore_error error = {0};
        enum yore_status status = yore_changes_next(changes, &change, &error);
        if (status == YORE_NOT_FOUND && i == want->count) {
            return true;
        }
        if (status == YORE_NOT_FOUND) {
            return compare_fail(compare, "%s: ends after %zu changes, the model has %zu; next %s",
                                what, i, want->count, compare_key_text(want->changes[i].key, key));
        }
        if (status != YORE_OK) {
            return compare_fail(compare, "%s: next: %s [%s]", what, yore_status_name(status),
                                error.text);
        }
        if (i >= want->count) {
            return compare_fail(compare, "%s: a change of %s at %" PRId64 " beyond the model's %zu",
                                what, compare_key_text(change.key, key), change.time, want->count);
        }
        if (!compare_change(compare, what, &want->changes[i], &change)) {
            return false;
        }
    }
}

bool compare_changes(struct compare *compare, unsigned keyspace,
                     const struct yore_changes_options *options, int64_t now)
{
    char what[256];
    struct yore_changes_options resolved = *options;
    resolved.to = options->to == YORE_NOW ? now : options->to;
    (void)snprintf(what, sizeof what,
                   "changes of keyspace %u from %" PRId64 " to %" PRId64 " known %" PRId64 "%s%s",
                   keyspace, options->from, resolved.to, options->known,
                   options->every_version ? " every" : " net",
                   options->in_time_order ? " by time" : " by key");
    struct yore_error error = {0};
    struct yore_changes *changes = NULL;
    enum yore_status status =
        yore_changes_open(compare->db, compare->keyspaces[keyspace], options, &changes, &error);
    compare->reads++;
    if (status != YORE_OK) {
        return compare_fail(compare, "%s: open: %s [%s]", what, yore_status_name(status),
                            error.text);
    }
    struct model_changes want = model_changes(compare->model, keyspace, &resolved);
    bool is_same = compare_change_rows(compare, what, changes, &want);
    model_changes_release(&want);
    yore_changes_close(changes);
    return is_same;
}

/* ---- the feed ------------------------------------------------------------------------------- */

/* The keyspace of the model that a write of the feed belongs to; MODEL_KEYSPACES_MAX: none. */
static unsigned compare_keyspace_of(const struct compare *compare, uint32_t id)
{
    for (unsigned i = 0; i < MODEL_KEYSPACES_MAX; i++) {
        if ((i == 0 || compare->keyspaces[i] != NULL) &&
            yore_keyspace_id(compare->keyspaces[i]) == id) {
            return i;
        }
    }
    return MODEL_KEYSPACES_MAX;
}

static const struct model_version *compare_find_version(const struct model_key *key,
                                                        int64_t valid_from, int64_t commit)
{
    for (size_t i = 0; key != NULL && i < key->count; i++) {
        if (key->versions[i].valid_from == valid_from && key->versions[i].commit == commit) {
            return &key->versions[i];
        }
    }
    return NULL;
}

static bool compare_feed_write(struct compare *compare, const struct yore_feed_commit *commit,
                               size_t index, uint64_t *versions)
{
    const struct yore_feed_write *write = &commit->writes[index];
    unsigned keyspace = compare_keyspace_of(compare, write->keyspace_id);
    char key[COMPARE_KEY_TEXT_BYTES];
    char what[256];
    if (keyspace == MODEL_KEYSPACES_MAX) {
        return true; /* the catalogue: what it did is seen by other reads */
    }
    (void)snprintf(what, sizeof what, "feed commit %" PRId64 " write of %s", commit->commit,
                   compare_key_text(write->key, key));
    const struct model_version *version = compare_find_version(
        model_find(compare->model, keyspace, write->key), write->valid_from, commit->commit);
    if (version == NULL) {
        return compare_fail(compare, "%s: the model has no version from %" PRId64, what,
                            write->valid_from);
    }
    *versions += compare->may_forget[keyspace] ? 0 : 1;
    struct model_row want = {write->key, *version};
    struct yore_version got = {write->kind, write->valid_from, write->valid_to, commit->commit,
                               write->value};
    return compare_version(compare, what, &want, &got);
}

/* How many versions of the model were made by `commit`. */
static uint64_t compare_versions_of(const struct compare *compare, int64_t commit)
{
    uint64_t count = 0;
    for (unsigned i = 0; i < MODEL_KEYSPACES_MAX; i++) {
        const struct model_keyspace *space = &compare->model->keyspaces[i];
        for (size_t j = 0; j < space->count && !compare->may_forget[i]; j++) {
            const struct model_key *key = &space->keys[j];
            for (size_t k = 0; k < key->count && key->newest_commit >= commit; k++) {
                count += key->versions[k].commit == commit;
            }
        }
    }
    return count;
}

static bool compare_feed_commit(struct compare *compare, const struct yore_feed_commit *commit,
                                size_t *index)
{
    bool is_catalogue_only = true;
    for (size_t i = 0; i < commit->write_count; i++) {
        is_catalogue_only = is_catalogue_only && commit->writes[i].keyspace_id == 0;
    }
    if (is_catalogue_only && (*index >= compare->model->commit_count ||
                              compare->model->commits[*index].commit != commit->commit)) {
        return true;
    }
    if (*index >= compare->model->commit_count ||
        compare->model->commits[*index].commit != commit->commit) {
        return compare_fail(
            compare, "feed: commit %" PRId64 ", the model has %" PRId64, commit->commit,
            *index < compare->model->commit_count ? compare->model->commits[*index].commit
                                                  : INT64_MAX);
    }
    uint64_t versions = 0;
    for (size_t i = 0; i < commit->write_count; i++) {
        if (!compare_feed_write(compare, commit, i, &versions)) {
            return false;
        }
    }
    *index += 1;
    uint64_t want = compare_versions_of(compare, commit->commit);
    if (versions != want) {
        return compare_fail(compare,
                            "feed commit %" PRId64 ": %" PRIu64 " versions, the model has %" PRIu64,
                            commit->commit, versions, want);
    }
    compare->reads++;
    return true;
}

/* A feed, or a watch that does not wait. */
struct compare_stream {
    struct yore_feed *feed;
    struct yore_watch *watch;
};

static enum yore_status compare_stream_next(struct compare_stream *stream,
                                            struct yore_feed_commit *commit,
                                            struct yore_error *error)
{
    return stream->watch != NULL ? yore_watch_next(stream->watch, 0, commit, error)
                                 : yore_feed_next(stream->feed, commit, error);
}

static bool compare_stream_rest(struct compare *compare, struct compare_stream *stream,
                                int64_t after)
{
    struct yore_error error = {0};
    enum yore_status status = YORE_OK;
    size_t index = model_commits_until(compare->model, after);
    bool is_same = true;
    while (is_same) {
        struct yore_feed_commit commit = {0};
        status = compare_stream_next(stream, &commit, &error);
        if (status != YORE_OK) {
            break;
        }
        is_same = compare_feed_commit(compare, &commit, &index);
    }
    if (is_same && status == YORE_BEFORE_HORIZON && compare->may_forget[1]) {
        return true; /* a large value of a version that retention let go */
    }
    if (is_same && status != YORE_NOT_FOUND) {
        return compare_fail(compare, "feed: next: %s [%s]", yore_status_name(status), error.text);
    }
    if (is_same && index != compare->model->commit_count) {
        return compare_fail(compare, "feed: ends after %zu commits, the model has %zu", index,
                            compare->model->commit_count);
    }
    return is_same;
}

bool compare_feed(struct compare *compare, int64_t after)
{
    struct yore_error error = {0};
    struct compare_stream stream = {0};
    enum yore_status status = yore_feed_open(compare->db, after, &stream.feed, &error);
    if (status == YORE_BEFORE_HORIZON) {
        return true;
    }
    if (status != YORE_OK) {
        return compare_fail(compare, "feed: open: %s [%s]", yore_status_name(status), error.text);
    }
    bool is_same = compare_stream_rest(compare, &stream, after);
    yore_feed_close(stream.feed);
    return is_same;
}

bool compare_watch(struct compare *compare, int64_t after)
{
    struct yore_error error = {0};
    struct compare_stream stream = {0};
    struct yore_watch_options options = {.after_commit = after};
    enum yore_status status = yore_watch_open(compare->db, &options, &stream.watch, &error);
    if (status == YORE_BEFORE_HORIZON) {
        return true;
    }
    if (status != YORE_OK) {
        return compare_fail(compare, "watch: open: %s [%s]", yore_status_name(status), error.text);
    }
    bool is_same = compare_stream_rest(compare, &stream, after);
    yore_watch_close(stream.watch);
    return is_same;
}

/* ---- what is kept --------------------------------------------------------------------------- */

struct compare_kept {
    struct compare *compare;
    unsigned keyspace;
    int64_t horizon;
    uint64_t after_horizon; /* how many were told that were committed after it */
    struct yore_bytes key;  /* the last version told; the key is the model's */
    int64_t valid_from;
    int64_t commit;
};

static bool compare_kept_order(struct compare_kept *kept, const struct yore_feed_write *write,
                               int64_t commit)
{
    int order = kept->key.size == 0 ? -1 : bytes_compare(kept->key, write->key);
    bool is_before =
        order < 0 ||
        (order == 0 && (write->valid_from < kept->valid_from ||
                        (write->valid_from == kept->valid_from && commit < kept->commit)));
    char key[COMPARE_KEY_TEXT_BYTES];
    return is_before ||
           compare_fail(kept->compare, "kept: %s from %" PRId64 ", commit %" PRId64 " out of order",
                        compare_key_text(write->key, key), write->valid_from, commit);
}

/* What ended before the horizon may be left as a delete without its value. */
static bool compare_is_bare_end(const struct compare_kept *kept,
                                const struct yore_feed_write *write, int64_t commit)
{
    const struct model_version *version = compare_find_version(
        model_find(kept->compare->model, kept->keyspace, write->key), write->valid_from, commit);
    return version != NULL && write->kind == YORE_KIND_DELETE && write->value.size == 0 &&
           version->valid_to <= kept->horizon && commit <= kept->horizon;
}

static bool compare_kept_version(struct compare_kept *kept, const struct yore_feed_commit *told)
{
    struct compare *compare = kept->compare;
    if (told->write_count != 1 ||
        compare_keyspace_of(compare, told->writes[0].keyspace_id) != kept->keyspace) {
        return compare_fail(compare, "kept: %zu writes, or of another keyspace", told->write_count);
    }
    uint64_t versions = 0;
    const struct yore_feed_write *write = &told->writes[0];
    if (!compare_kept_order(kept, write, told->commit) ||
        (!compare_is_bare_end(kept, write, told->commit) &&
         !compare_feed_write(compare, told, 0, &versions))) {
        return false;
    }
    kept->key = model_find(compare->model, kept->keyspace, write->key)->key;
    kept->valid_from = write->valid_from;
    kept->commit = told->commit;
    kept->after_horizon += told->commit > kept->horizon;
    compare->reads++;
    return true;
}

/* How many the model has in the range that were committed after the horizon. */
static uint64_t compare_kept_count(const struct compare_kept *kept, const struct yore_range *range)
{
    const struct model_keyspace *space = &kept->compare->model->keyspaces[kept->keyspace];
    uint64_t count = 0;
    for (size_t i = 0; i < space->count; i++) {
        bool is_inside = range == NULL || model_in_range(range, space->keys[i].key);
        for (size_t j = 0; j < space->keys[i].count && is_inside; j++) {
            count += space->keys[i].versions[j].commit > kept->horizon;
        }
    }
    return count;
}

bool compare_feed_kept(struct compare *compare, unsigned keyspace, const struct yore_range *range)
{
    struct yore_error error = {0};
    struct yore_feed *feed = NULL;
    struct yore_keyspace_info info;
    struct yore_keyspace *space = compare->keyspaces[keyspace];
    enum yore_status status = yore_feed_open_kept(compare->db, space, range, &feed, &error);
    if (status == YORE_OK) { /* by now it stands at least where the feed found it */
        status = yore_keyspace_info(compare->db, space, &info, &error);
    }
    if (status != YORE_OK) {
        yore_feed_close(feed);
        return compare_fail(compare, "kept: %s [%s]", yore_status_name(status), error.text);
    }
    struct compare_kept kept = {.compare = compare, .keyspace = keyspace, .horizon = info.horizon};
    bool is_same = true;
    while (is_same) {
        struct yore_feed_commit told = {0};
        status = yore_feed_next(feed, &told, &error);
        if (status != YORE_OK) {
            break;
        }
        is_same = compare_kept_version(&kept, &told);
    }
    yore_feed_close(feed);
    if (is_same && status != YORE_NOT_FOUND) {
        return compare_fail(compare, "kept: next: %s [%s]", yore_status_name(status), error.text);
    }
    uint64_t want = compare_kept_count(&kept, range);
    return is_same && (kept.after_horizon == want ||
                       compare_fail(compare,
                                    "kept of keyspace %u: %" PRIu64
                                    " versions committed after the horizon, the model has %" PRIu64,
                                    keyspace, kept.after_horizon, want));
}

/* ---- everything ----------------------------------------------------------------------------- */

bool compare_versions(struct compare *compare, unsigned keyspace)
{
    const struct model_keyspace *space = &compare->model->keyspaces[keyspace];
    struct yore_timeline_options options = {
        .from = YORE_TIME_MIN, .to = YORE_FOREVER, .known = YORE_NOW, .every_commit = true};
    for (size_t i = 0; i < space->count; i++) {
        options.is_backward = i % 2 == 1;
        if (!compare_timeline(compare, keyspace, space->keys[i].key, &options)) {
            return false;
        }
    }
    struct yore_time now = {yore_now(compare->db), YORE_NOW};
    struct yore_cursor_options all = {.at = &now};
    struct compare_at at = {&now, now};
    return compare_scan(compare, keyspace, &all, &at, false) &&
           compare_scan(compare, keyspace, &all, &at, true);
}
